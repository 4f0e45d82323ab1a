"""The options of the command line: every command's parser, `segment.py` has what they do.

    parser = create_parser(description, {"check": run_check, ...})

Nothing here loads Keras, unless the names of its networks are asked for.
"""

import argparse
import ast
import importlib.util
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path

from lesion.console import Parser, WeightsOrPictures, number_between
from lesion.data_sets import DATA_SETS
from lesion.settings import LEGEND, Settings

SHIPPED_WEIGHTS = Path(__file__).parents[1] / "files" / "lite.keras"
SHIPPED_HELP = "saved weights (default: files/lite.keras, which come with the project)"
DATA_HELP = "folder with pictures and masks, in any of the layouts of the README"
SEVERAL_HELP = "; of several, such as those of --folds, the average"
SHORTER = {"image_size": "--size", "batch_size": "--batch"}
METAVARS = {"data": "DIR", "start_from": "FILE", "channels": "C"}
METAVARS |= {"lesion_level": "LEVEL", "ignore_level": "LEVEL", "lesion_class": "NAME"}


class Names:
    """The names in a table of `unet`, read from its source: to import it would load Keras."""

    def __init__(self, table):
        self.table = table

    def __iter__(self):
        source = Path(importlib.util.find_spec("unet").origin).read_text(encoding="utf-8")
        tables = (node for node in ast.parse(source).body if isinstance(node, ast.Assign))
        table = next(node for node in tables if node.targets[0].id == self.table)
        return iter([ast.literal_eval(key) for key in table.value.keys])


def add_constants(parser, chosen=None):
    """Give a parser an option for every constant of `Settings`, or for the chosen ones."""
    for constant in fields(Settings):
        about, name = constant.metadata, constant.name
        if chosen and name not in chosen:
            continue
        default = "" if constant.default in (None, ()) else f" (default: {constant.default})"
        meaning = about["meaning"].replace("%", "%%") + default
        options = {"metavar": METAVARS.get(name, "N"), "help": meaning}
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


def create_parser(description: str, runs: dict[str, Callable]) -> argparse.ArgumentParser:
    """Return the parser of `segment.py`, whose arguments hold what their command runs as `run`.

    Args:
        description: of the whole program.
        runs: name of a command -> function of its parsed arguments.
    """
    parser = Parser(
        description=description,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, (meaning, add_options) in COMMANDS.items():
        command = commands.add_parser(name, help=meaning, description=meaning)
        command.set_defaults(run=runs[name])
        add_options(command)
    return parser


def add_check(check):
    check.add_argument("directories", metavar="DIR", nargs="+", help=DATA_HELP)
    add_constants(check, LEGEND)


def add_train(train):
    add_constants(train)
    train.add_argument(
        "--folds",
        metavar="K",
        type=number_between(2, 100),
        help="cross-validation: K trainings, each with another K-th of the lesions as its test",
    )
    train.add_argument(
        "--processes",
        metavar="N",
        type=number_between(2, 1024),
        help="train in N processes of this machine, with a GPU each where there are any; needs JAX",
    )
    train.add_argument("--resume", action="store_true", help="go on with a training in --out")
    add_out(train)
    add_skip_bad(train)


def add_evaluate(evaluate):
    add_data(evaluate)
    add_weights(evaluate, nargs="+")
    which = evaluate.add_mutually_exclusive_group()
    add_part(which, "test")
    which.add_argument(
        "--protocol",
        choices=("isic2018",),
        help="score the official test of ISIC 2018 task 1 by the challenge's rule",
    )
    add_constants(evaluate, LEGEND)
    add_engine(evaluate)
    add_out(evaluate)
    add_skip_bad(evaluate)


def add_calibrate(calibrate):
    add_data(calibrate)
    add_weights(calibrate)
    add_part(calibrate, "validation")
    add_constants(calibrate, LEGEND)
    add_out(calibrate)
    add_skip_bad(calibrate)


def add_compare(compare):
    add_data(compare)
    compare.add_argument("--weights", metavar="FILE", nargs="+", required=True, help="two or more")
    add_constants(compare, LEGEND)
    add_out(compare)
    add_skip_bad(compare)


def add_predict(predict):
    pictures = predict.add_argument(
        "paths",
        metavar="PATH",
        nargs="+",
        action="extend",
        help="pictures, folders, or URLs of either",
    )
    add_weights(predict, nargs="+", action=WeightsOrPictures, pictures=pictures)
    predict.add_argument(
        "--mm-per-pixel",
        metavar="MM",
        type=number_between(1e-6, 100, float),
        help="side of a pixel; lesions.csv then gives millimetres beside pixels",
    )
    predict.add_argument(
        "--all-lesions",
        action="store_true",
        help="keep every part of a mask, not only the largest",
    )
    predict.add_argument(
        "--threshold",
        metavar="P",
        type=number_between(0.001, 0.999, float),
        help="probability from which a pixel is lesion, instead of the one saved with the weights; "
        "higher draws tighter outlines",
    )
    predict.add_argument(
        "--probability",
        action="store_true",
        help="also write the probability of each pixel: an 8-bit PNG in which 255 is 1",
    )
    predict.add_argument(
        "--overlay",
        choices=("jpg", "png", "none"),
        default="jpg",
        help="picture with the outline: JPEG (default), PNG, which takes longer, or none",
    )
    add_engine(predict)
    add_out(predict)
    add_skip_bad(predict)


def add_convert(convert):
    convert.add_argument("directory", metavar="DIR", help=DATA_HELP)
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
    add_constants(convert, LEGEND)
    add_out(convert)
    add_skip_bad(convert)


def add_export(export):
    export.add_argument(
        "--format",
        choices=("litert", "onnx", "saved_model", "web"),
        required=True,
        help="LiteRT (.tflite), ONNX, TensorFlow, or one HTML page that needs no server",
    )
    add_weights(export)
    export.add_argument(
        "--data",
        metavar="DIR",
        help="labelled pictures to check the file on (default: the drawn ones); --int8 takes its "
        "ranges from their training part",
    )
    smaller = export.add_mutually_exclusive_group()
    for name, about in (
        ("float16", "half floats: half the size, almost the same masks"),
        ("int8", "8-bit integers: a quarter of the size, at a cost that is measured"),
    ):
        smaller.add_argument(
            f"--{name}", dest="precision", action="store_const", const=name, help=about
        )
    export.set_defaults(precision="float32")
    add_constants(export, LEGEND)
    add_out(export)
    add_skip_bad(export)


def add_download(download):
    download.add_argument("name", metavar="NAME", choices=DATA_SETS, help="%(choices)s")
    download.add_argument("--out", metavar="DIR", help="where to put it (default: data/NAME)")
    download.add_argument(
        "--archive", metavar="FILE", help="ZIP of a data set given only on request (ph2)"
    )
    download.add_argument(
        "--accept-licence", "--yes", action="store_true", help="you have read it and accept it"
    )


def add_data(command):
    command.add_argument("--data", metavar="DIR", required=True, help=DATA_HELP)


def add_part(command, usual):
    command.add_argument(
        "--part",
        choices=("train", "validation", "test", "all"),
        help=f"which pictures (default: the {usual} part if the data has one, else the whole set)",
    )


def add_weights(command, **several):
    """several: how more than one file is taken; their probabilities are averaged."""
    default, about = ([SHIPPED_WEIGHTS], SEVERAL_HELP) if several else (SHIPPED_WEIGHTS, "")
    command.add_argument(
        "--weights", metavar="FILE", default=default, help=SHIPPED_HELP + about, **several
    )


def add_engine(command):
    command.add_argument(
        "--engine",
        choices=("threads", "ray"),
        default="threads",
        help="what predicts many pictures: threads (default), or Ray, on one or many machines",
    )
    command.add_argument("--address", help="address of a Ray cluster (default: this machine alone)")
    command.add_argument(
        "--resume", action="store_true", help="go on with the same command, interrupted, in --out"
    )


def add_out(command):
    command.add_argument(
        "--out", metavar="DIR", help="folder for the results (default: a new one in runs/)"
    )


def add_skip_bad(command):
    command.add_argument(
        "--skip-bad",
        action="store_true",
        help="leave out what is missing, unreadable or ambiguous, and list it at the end",
    )


COMMANDS = {
    "check": ("say what a data folder holds, and what is wrong with it", add_check),
    "train": ("train a network and score it", add_train),
    "evaluate": ("score saved weights on labelled pictures", add_evaluate),
    "calibrate": ("fit threshold and clean-up to a few labelled pictures", add_calibrate),
    "compare": ("score two or more networks on the same pictures", add_compare),
    "predict": ("draw the outline of the lesion in pictures", add_predict),
    "convert": (
        "write a data folder as plain image/ and label/, or for annotation tools",
        add_convert,
    ),
    "export": ("write a network for other runtimes, checked against Keras", add_export),
    "download": ("fetch a public data set, after its licence is accepted", add_download),
}
