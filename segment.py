"""Segment skin lesions from the command line: the headless twin of the notebook.

    python segment.py check DIR
    python segment.py train --data DIR --epochs 60 --out runs/mine
    python segment.py evaluate --data DIR --weights runs/mine/model.keras --out runs/scores
    python segment.py compare --data DIR --weights A.keras B.keras --out runs/comparison
    python segment.py predict PICTURE... --weights runs/mine/model.keras --out masks

DIR holds pictures and masks; `check` tells what was found in it. Results go to a new folder.
A mistake ends in one line that says what to do, and exit code 2.
"""

import argparse
import sys
from pathlib import Path

from lesion import startup
from lesion.console import Parser, number_between
from lesion.settings import Settings

MODEL_NAMES = ("lean", "lite", "classic")
LOSS_NAMES = ("bce", "dice", "bce_dice")
SHIPPED_WEIGHTS = Path(__file__).parent / "files" / "lite.keras"
SHIPPED_HELP = "default: files/lite.keras, which come with the project"


def create_parser():
    parser = Parser(
        prog="segment.py", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    check = commands.add_parser("check", help="say what a data folder holds, and what is wrong")
    check.add_argument("directories", metavar="DIR", type=Path, nargs="+")

    train = commands.add_parser("train", help="train a network and score it")
    train.add_argument(
        "--data",
        metavar="DIR",
        type=Path,
        nargs="+",
        default=[Path(__file__).parent],
        help="one or more; a folder named twice counts twice in training",
    )
    train.add_argument("--out", metavar="DIR", type=Path, help="default: a new folder in runs/")
    train.add_argument("--epochs", metavar="N", type=number_between(1, 1_000_000), default=60)
    train.add_argument(
        "--size", metavar="S", type=number_between(16, 2048), default=128, help="pixels a side"
    )
    train.add_argument("--batch", metavar="N", type=number_between(1, 1_000_000), default=8)
    train.add_argument("--model", choices=MODEL_NAMES, default="lean")
    train.add_argument(
        "--start-from", metavar="FILE", type=Path, help="saved weights of the same model"
    )
    train.add_argument("--loss", choices=LOSS_NAMES, help="default: the network's own")
    train.add_argument("--channels", type=int, choices=(1, 3), default=3, help="1 gray, 3 RGB")
    train.add_argument("--seed", metavar="N", type=number_between(0, 2**32 - 1), default=0)
    train.add_argument("--resume", action="store_true", help="go on with a training in --out")

    evaluate = commands.add_parser("evaluate", help="score saved weights on pairs")
    evaluate.add_argument("--data", metavar="DIR", type=Path, required=True)
    evaluate.add_argument(
        "--weights", metavar="FILE", type=Path, default=SHIPPED_WEIGHTS, help=SHIPPED_HELP
    )
    evaluate.add_argument("--out", metavar="DIR", type=Path, required=True)
    evaluate.add_argument(
        "--part",
        choices=("train", "validation", "test", "all"),
        help="default: the test part where the data has one, else every pair",
    )

    compare = commands.add_parser("compare", help="two or more networks on the same pictures")
    compare.add_argument("--data", metavar="DIR", type=Path, required=True)
    compare.add_argument("--weights", metavar="FILE", type=Path, nargs="+", required=True)
    compare.add_argument("--out", metavar="DIR", type=Path, required=True)

    predict = commands.add_parser("predict", help="draw the outline of the lesion in pictures")
    predict.add_argument("paths", metavar="PATH", type=Path, nargs="+", help="pictures or folders")
    predict.add_argument(
        "--weights", metavar="FILE", type=Path, default=SHIPPED_WEIGHTS, help=SHIPPED_HELP
    )
    predict.add_argument("--out", metavar="DIR", type=Path, required=True)
    predict.add_argument(
        "--mm-per-pixel",
        metavar="MM",
        type=number_between(1e-6, 100, float),
        help="side of a pixel; lesions.csv then gives millimetres beside pixels",
    )

    for command in (train, evaluate, compare, predict):
        command.add_argument(
            "--skip-bad",
            action="store_true",
            help="leave out what is missing, unreadable or ambiguous, and list it at the end",
        )
    return parser


# Modules are imported inside the functions: `--help` and mistyped options answer at once, `check`
# never loads TensorFlow, and `predict` only for weights without a .tflite.


def run_check(arguments):
    from lesion.inputs.checks import check

    result = check(arguments.directories)
    print(result)
    return 0 if result.sound else 1


def run_train(arguments):
    startup.start_keras()

    from lesion.inputs.filtering import load
    from lesion.runs import claim_folder, create_run_folder, resume_folder
    from lesion.workflow import train

    split = load(Settings(data=tuple(arguments.data), seed=arguments.seed), arguments.skip_bad)
    if arguments.out is None:
        if arguments.resume:
            raise ValueError("--resume needs --out: the folder of the training to go on with")
        run = create_run_folder("runs", arguments.model)
    elif arguments.resume:
        run = resume_folder(arguments.out)
    else:
        run = claim_folder(arguments.out)
    settings = Settings(
        data=tuple(arguments.data),
        model=arguments.model,
        epochs=arguments.epochs,
        image_size=arguments.size,
        batch_size=arguments.batch,
        loss=arguments.loss,
        channels=arguments.channels,
        seed=arguments.seed,
        start_from=arguments.start_from,
    )
    train(split, settings, run)
    print(f"results are in {run}")
    list_left_out(split.left_out)


def run_evaluate(arguments):
    startup.start_keras()

    from lesion.inputs.filtering import filter_pairs
    from lesion.predict.network import load_network
    from lesion.runs import claim_folder
    from lesion.workflow import score, select_pairs

    network = load_network(arguments.weights)
    pairs, set_name = select_pairs(arguments.data, arguments.weights, arguments.part)
    pairs, left_out = filter_pairs(arguments.data, pairs, arguments.skip_bad)
    print(f"scoring {len(pairs)} pictures: {set_name}")
    score(network, pairs, set_name, claim_folder(arguments.out))
    print(f"results are in {arguments.out}")
    list_left_out(left_out)


def run_compare(arguments):
    startup.start_keras()

    from lesion.comparison import common_pairs, compare, describe, model_names
    from lesion.inputs.filtering import filter_pairs
    from lesion.predict.network import load_network
    from lesion.runs import claim_folder

    names = model_names(arguments.weights)
    networks = dict(zip(names, map(load_network, arguments.weights), strict=True))
    pairs, set_name, notes = common_pairs(arguments.data, arguments.weights)
    pairs, left_out = filter_pairs(arguments.data, pairs, arguments.skip_bad)
    print("\n".join([*notes, f"comparing {', '.join(names)} on {len(pairs)} pictures: {set_name}"]))
    print(describe(compare(networks, pairs, set_name, claim_folder(arguments.out))))
    print(f"results are in {arguments.out}")
    list_left_out(left_out)


def run_predict(arguments):
    from lesion.inputs.filtering import filter_pictures
    from lesion.inputs.pairing import find_pictures
    from lesion.predict.files import predict_files
    from lesion.predict.network import load_network
    from lesion.runs import claim_folder

    images = find_pictures(arguments.paths)
    network = load_network(arguments.weights)
    images, left_out = filter_pictures(images, arguments.skip_bad)
    rows = predict_files(network, images, claim_folder(arguments.out), arguments.mm_per_pixel)
    for row in rows[:20]:
        print(
            f"{row['name']}: lesion covers {row['area']:.1%} of {row['width']}x{row['height']}, "
            f"quality estimate {row['quality']:.2f}"
        )
    print(f"{len(rows)} masks, overlays and lesions.csv are in {arguments.out}")
    list_left_out(left_out)


def list_left_out(lines):
    if lines:
        print("\n".join(["left out, or passed over:", *lines]))


COMMANDS = {
    "check": run_check,
    "train": run_train,
    "evaluate": run_evaluate,
    "compare": run_compare,
    "predict": run_predict,
}


def one_line(error):
    """What the user has to know of an error, or None if it is no mistake of theirs."""
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    if isinstance(error, (ValueError, FileNotFoundError)):
        return " ".join(line.strip() for line in str(error).splitlines())
    if isinstance(error, MemoryError) or "OOM when allocating" in str(error):
        return "the memory of this machine does not suffice; take a smaller --size or --batch"
    if type(error).__name__ == "ResourceExhaustedError":  # what TensorFlow calls a full disk
        return f"{error.message.splitlines()[0]}; free space there or give another folder"
    if type(error).__module__.startswith("tensorflow"):
        from data import pipeline_error

        return pipeline_error(error)
    return None


def main(argv=None):
    arguments = create_parser().parse_args(argv)
    # A terminal that cannot show a letter of a file's name is no reason to fail.
    sys.stdout.reconfigure(errors="backslashreplace")
    try:
        return COMMANDS[arguments.command](arguments) or 0
    except KeyboardInterrupt:
        print("stopped; what was finished before is kept", file=sys.stderr)
        return 130
    except Exception as error:
        line = one_line(error)
        if line is None:
            raise
        from tqdm import tqdm

        tqdm.write(f"error: {line}", file=sys.stderr)  # below a progress bar, not behind it
        return 2


if __name__ == "__main__":
    sys.exit(main())
