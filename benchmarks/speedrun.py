"""How far a little time goes: results in classic pictures, beside seconds and pictures.

    python -m benchmarks.speedrun em --data DIR --out runs/em
    python -m benchmarks.speedrun isic --data DIR --budget 100 --out runs/isic
    python -m benchmarks.speedrun finetune --data DIR --weights FILE --out runs/finetune
    python -m benchmarks.speedrun predict --data DIR --out runs/predict
    python -m benchmarks.speedrun efficiency --out runs/efficiency
    python -m benchmarks.speedrun data --data DIR

A classic picture (cp) is the time that the 31-million-parameter network of the tutorials takes to
train on one 512x512 picture (batches of 4), measured in the same run: one step that builds the
graph, then the median of 3 steps. The clock runs while the network trains, reading and augmenting
included; it does not while graphs are built, steps are planned or scores are computed.

em          membrane.py's protocol: cp until the first system's soft Dice, best Dice within a budget
isic        a training split to its validation pictures, within a budget
finetune    saved weights on a few new pictures: before, after, and random weights instead
predict     pictures a second from files to masks, overlays and lesions.csv, and how many times the
            bare cost that is: decoding and the network's four views; cold start
efficiency  training's share of the machine's rate of multiplying float32 matrices; operations are
            those of the convolutions, a training step counts as 3 forward passes
data        whether the data pipeline keeps up: pipeline.py with its defaults

All but `data` write results.json into --out, a new folder.
"""

import argparse
import sys
from pathlib import Path

from lesion import console, startup
from lesion.console import Parser, number_between
from lesion.options import SHIPPED_HELP, SHIPPED_WEIGHTS


def create_parser():
    parser = Parser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    sections = parser.add_subparsers(dest="section", required=True, metavar="SECTION")
    cp = number_between(1e-6, 1e6, float)

    em = sections.add_parser("em", help="the first system's 30 pictures")
    em.add_argument("--budget", metavar="CP", type=cp, default=10.0, help="default: 10")
    isic = sections.add_parser("isic", help="a training split to its validation pictures")
    isic.add_argument("--budget", metavar="CP", type=cp, required=True)
    isic.add_argument("--seed", metavar="N", type=number_between(0, 2**32 - 1), default=0)
    finetune = sections.add_parser("finetune", help="saved weights on a few new pictures")
    finetune.add_argument("--weights", metavar="FILE", type=Path, required=True)
    finetune.add_argument(
        "--pictures", metavar="N", type=number_between(1, 1_000_000), default=30, help="default: 30"
    )
    predict = sections.add_parser("predict", help="pictures a second, and cold start")
    predict.add_argument(
        "--weights", metavar="FILE", type=Path, default=SHIPPED_WEIGHTS, help=SHIPPED_HELP
    )
    efficiency = sections.add_parser("efficiency", help="share of the machine's peak")
    data = sections.add_parser("data", help="does the data pipeline keep up?")
    for section in (em, isic, finetune, predict, data):
        section.add_argument("--data", metavar="DIR", type=Path, required=True)
    for section in (em, isic, finetune, predict, efficiency):
        section.add_argument("--out", metavar="DIR", type=Path, required=True, help="a new folder")
    return parser


# Keras is imported inside the functions: `--help` and mistyped options answer at once.


def run(section, options):
    """Runs a section with its options; returns its results, a dict."""
    from benchmarks import speedrun_rates, speedrun_training

    startup.start_keras()

    module = speedrun_rates if section in ("predict", "efficiency") else speedrun_training
    return getattr(module, section)(**options)


def run_data(data):
    """Hands over to pipeline.py, which prints its own table."""
    from benchmarks import pipeline

    startup.start_keras()
    from lesion.inputs.pairing import find_pairs

    pipeline.measure_speed(find_pairs(data).labelled, seconds=4)


def short(value):
    """A number in four digits at most; everything else as it is."""
    return float(f"{value:.4g}") if isinstance(value, float) else value


def show(results):
    """Prints results: tables as such, everything else a line each."""
    from lesion.score.results import format_table

    for name, value in results.items():
        if isinstance(value, dict):
            value = ", ".join(f"{key} {short(part)}" for key, part in value.items())
        if isinstance(value, list):
            table = [{key: short(cell) for key, cell in row.items()} for row in value]
            print(f"{name}:\n{format_table(table)}")
        else:
            print(f"{name:52} {'not reached' if value is None else short(value)}")


def measure(arguments):
    options = vars(arguments)
    section = options.pop("section")
    options.pop("debug", None)
    if section == "data":
        run_data(**options)
        return
    from lesion.runs import claim_folder, describe_environment, releasing
    from lesion.storage import write_json

    with releasing(claim_folder(options.pop("out"))) as out:
        results = run(section, options)
        write_json(out / "results.json", {"section": section, **results, **describe_environment()})
    show(results)


def main(argv=None):
    return console.run(create_parser(), measure, argv)


if __name__ == "__main__":
    sys.exit(main())
