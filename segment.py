"""Segment skin lesions from the command line: the headless twin of the notebook.

    python segment.py check DIR
    python segment.py train --data DIR --epochs 60 --out runs/mine
    python segment.py evaluate --data DIR --weights runs/mine/model.keras --out runs/scores
    python segment.py compare --data DIR --weights A.keras B.keras --out runs/comparison
    python segment.py predict PICTURE... --weights runs/mine/model.keras --out masks
    python segment.py convert DIR --out plain
    python segment.py convert DIR --predictions masks --to coco --out to_correct

DIR holds pictures and masks; `check` tells what was found in it. Results go to a new folder.
A mistake ends in one line that says what to do, and exit code 2; --debug shows where it was found.
"""

import argparse
import sys
from dataclasses import fields
from pathlib import Path

from lesion import startup
from lesion.console import InputError, Parser, note, number_between, run
from lesion.runs import claim_folder, create_run_folder, releasing, resume_folder
from lesion.settings import LEGEND, Settings

SHIPPED_WEIGHTS = Path(__file__).parent / "files" / "lite.keras"
SHIPPED_HELP = "default: files/lite.keras, which come with the project"
SHORTER = {"image_size": "--size", "batch_size": "--batch"}
METAVARS = {"data": "DIR", "start_from": "FILE", "channels": "C"}
METAVARS |= {"lesion_level": "LEVEL", "ignore_level": "LEVEL", "lesion_class": "NAME"}


class Names:
    """The names in a table of `unet`, which loads Keras: looked up only when one was typed."""

    def __init__(self, table):
        self.table = table

    def __iter__(self):
        startup.start_keras()

        import unet

        return iter(getattr(unet, self.table))


def add_constants(parser, chosen=None):
    """Give a parser an option for every constant of `Settings`, or for the chosen ones."""
    for constant in fields(Settings):
        about, name = constant.metadata, constant.name
        if chosen and name not in chosen:
            continue
        default = "" if constant.default in (None, ()) else f" ({constant.default})"
        options = {"metavar": METAVARS.get(name, "N"), "help": about["meaning"] + default}
        if name == "data" or "several" in about:
            options["nargs"] = "+"
        elif name == "channels":
            options |= {"type": int, "choices": (1, 3)}
        elif "kind" in about:
            options["type"] = number_between(about["lowest"], about["highest"], about["kind"])
        elif about["table"]:
            options |= {"metavar": "NAME", "choices": Names(about["table"])}
            options["help"] += ": %(choices)s"
        words = [f"--{name.replace('_', '-')}", *filter(None, [SHORTER.get(name)])]
        parser.add_argument(*words, dest=name, default=constant.default, **options)


def add_convert(commands):
    """Add the command that brings data from and to annotation tools; return its parser."""
    convert = commands.add_parser(
        "convert", help="write a data folder as plain image/ and label/, or for annotation tools"
    )
    convert.set_defaults(run=run_convert)
    convert.add_argument("directory", metavar="DIR")
    convert.add_argument(
        "--to",
        choices=("coco", "labelme", "yolo"),
        help="format of outlines, in which a hole is joined to the rim by a slit, instead of masks",
    )
    convert.add_argument(
        "--predictions",
        metavar="MASKS",
        help="what predict wrote for the pictures in DIR, to be corrected in a tool",
    )
    return convert


def create_parser():
    parser = Parser(
        prog="segment.py", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    check = commands.add_parser("check", help="say what a data folder holds, and what is wrong")
    train = commands.add_parser("train", help="train a network and score it")
    evaluate = commands.add_parser("evaluate", help="score saved weights on pairs")
    compare = commands.add_parser("compare", help="two or more networks on the same pictures")
    predict = commands.add_parser("predict", help="draw the outline of the lesion in pictures")

    convert = add_convert(commands)

    check.set_defaults(run=run_check)
    train.set_defaults(run=run_train)
    evaluate.set_defaults(run=run_evaluate)
    compare.set_defaults(run=run_compare)
    predict.set_defaults(run=run_predict)

    check.add_argument("directories", metavar="DIR", nargs="+")
    predict.add_argument("paths", metavar="PATH", nargs="+", help="pictures or folders")
    for command in (evaluate, compare):
        command.add_argument("--data", metavar="DIR", required=True)
    for command in (evaluate, predict):
        command.add_argument(
            "--weights", metavar="FILE", default=SHIPPED_WEIGHTS, help=SHIPPED_HELP
        )
    compare.add_argument("--weights", metavar="FILE", nargs="+", required=True)
    for command in (train, evaluate, compare, predict, convert):
        command.add_argument("--out", metavar="DIR", help="default: a new folder in runs/")
    evaluate.add_argument(
        "--part",
        choices=("train", "validation", "test", "all"),
        help="default: the test part where the data has one, else every pair",
    )
    add_predict_options(predict)
    add_constants(train)
    for command in (check, evaluate, compare, convert):
        add_constants(command, LEGEND)
    train.add_argument("--resume", action="store_true", help="go on with a training in --out")
    for command in (train, evaluate, compare, predict, convert):
        command.add_argument(
            "--skip-bad",
            action="store_true",
            help="leave out what is missing, unreadable or ambiguous, and list it at the end",
        )
    return parser


def add_predict_options(predict):
    predict.add_argument(
        "--mm-per-pixel",
        metavar="MM",
        type=number_between(1e-6, 100, float),
        help="side of a pixel; lesions.csv then gives millimetres beside pixels",
    )
    predict.add_argument(
        "--all-lesions",
        action="store_true",
        help="keep all parts of a mask, also if the network does better with the largest alone",
    )
    predict.add_argument(
        "--overlay",
        choices=("jpg", "png", "none"),
        default="jpg",
        help="picture with the outline: JPEG (default), PNG, which takes longer, or none",
    )


# What takes seconds to import is imported inside the functions: `--help`, mistyped options and an
# occupied folder answer at once, `check` never loads TensorFlow, `predict` only without a .tflite.


def run_check(arguments):
    from lesion import inputs

    result = inputs.check(arguments.directories, legend=inputs.legend_of(arguments))
    print(result)
    return 0 if result.passed else 1


def run_train(arguments):
    settings = Settings(**{f.name: getattr(arguments, f.name) for f in fields(Settings)})
    if arguments.resume and arguments.out is None:
        raise InputError("--resume needs --out: the folder of the training to go on with")
    out = (
        resume_folder(arguments.out) if arguments.resume else new_folder(arguments, settings.model)
    )
    with releasing(out):
        startup.start_keras()

        from lesion import inputs, workflow

        settings = settings.complete()
        split = inputs.load(settings, arguments.skip_bad)
        workflow.train(split, settings, out)
        print(f"results are in {out}")
        list_passed_over(split.passed_over)
        list_left_out(split.left_out)


def run_evaluate(arguments):
    with releasing(new_folder(arguments, "scores")) as out:
        startup.start_keras()

        from lesion import inputs, predict, workflow

        network = predict.load_network(arguments.weights)
        chosen = inputs.select_pairs(arguments.data, arguments.weights, arguments.part)
        note(chosen.remark)
        pairs, set_name = chosen.pairs, chosen.set_name
        pairs, left_out = inputs.filter_pairs(
            arguments.data, pairs, arguments.skip_bad, legend=inputs.legend_of(arguments)
        )
        print(f"scoring {len(pairs)} pictures: {set_name}")
        workflow.score(network, pairs, set_name, out)
        print(f"results are in {out}")
        list_left_out(left_out)


def run_compare(arguments):
    with releasing(new_folder(arguments, "comparison")) as out:
        startup.start_keras()

        from lesion import comparison, inputs, predict

        names = comparison.model_names(arguments.weights)
        networks = dict(zip(names, map(predict.load_network, arguments.weights), strict=True))
        pairs, set_name, remarks = comparison.common_pairs(arguments.data, arguments.weights)
        for remark in remarks:
            note(remark)
        pairs, left_out = inputs.filter_pairs(
            arguments.data, pairs, arguments.skip_bad, legend=inputs.legend_of(arguments)
        )
        print(f"comparing {', '.join(names)} on {len(pairs)} pictures: {set_name}")
        print(comparison.describe(comparison.compare(networks, pairs, set_name, out)))
        print(f"results are in {out}")
        list_left_out(left_out)


def run_predict(arguments):
    from lesion import inputs

    images, passed_over = inputs.find_pictures(arguments.paths)  # before --out lies among them
    with releasing(new_folder(arguments, "masks")) as out:
        from lesion import predict

        network = predict.load_network(arguments.weights)
        network.one_lesion = network.one_lesion and not arguments.all_lesions
        images, left_out = inputs.filter_pictures(images, arguments.skip_bad)
        options = arguments.mm_per_pixel, arguments.skip_bad, arguments.overlay
        rows, damaged = predict.predict_files(network, images, out, *options)
        for row in rows[:20]:
            print(
                f"{row['name']}: lesion covers {row['area']:.1%} of {row['width']}x"
                f"{row['height']}, quality estimate {row['quality']:.2f}{left_away(network, row)}"
            )
        if several := sum(bool(left_away(network, row)) for row in rows):
            note(
                f"{several} of {len(rows)} masks hold the largest of several parts only; "
                "--all-lesions keeps them all"
            )
        overlays = "" if arguments.overlay == "none" else ", overlays"
        print(f"{len(rows)} masks{overlays} and lesions.csv are in {out}")
        list_passed_over(passed_over)
        list_left_out(left_out + damaged)


def left_away(network, row):
    """Say of a line of lesions.csv that its mask does not hold all that the network found."""
    several = network.one_lesion and row["parts"] > 1
    return f", kept the largest of {row['parts']} parts" if several else ""


def run_convert(arguments):
    from lesion import inputs

    with releasing(new_folder(arguments, "converted")) as out:
        lines = inputs.convert(
            arguments.directory,
            out,
            arguments.to,
            arguments.predictions,
            arguments.skip_bad,
            inputs.legend_of(arguments),
        )
        print("\n".join([*lines, f"all is in {out}"]))


def new_folder(arguments, name):
    """Claim the folder of --out, or make one with this name in runs/."""
    return claim_folder(arguments.out) if arguments.out else create_run_folder("runs", name)


def list_passed_over(lines):
    for line in lines:
        print(f"passed over: {line}")


def list_left_out(lines):
    if lines:
        print("\n".join(["left out, or passed over:", *lines]))


def main(argv=None):
    return run(create_parser(), lambda arguments: arguments.run(arguments), argv)


if __name__ == "__main__":
    sys.exit(main())
