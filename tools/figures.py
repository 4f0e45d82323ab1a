"""Draw every figure of the README into Images/, from the embedded pictures and one run.

    python -m tools.figures                        # the newest run on the embedded pictures
    python -m tools.figures --run runs/mine        # this run

Without a run the figures that need none are drawn, and a line says which are missing.
"""

import argparse
import json
import shutil
import sys
from itertools import chain
from pathlib import Path

from lesion import console, score, show, startup
from lesion.console import InputError, Parser
from lesion.inputs.pairing import find_pairs
from lesion.inputs.reading import read_pair
from lesion.predict.network import load_network
from lesion.storage import read_table, replacing
from lesion.training import History

PROJECT = Path(__file__).resolve().parents[1]
SHIPPED = "files/lite.keras"
RUN_FILES = ("history.csv", "scores.csv", "scores.json", "model.keras", "model.json")
GROWTH = "figures/growth.webp"  # in a run folder
EXAMPLES = 6


def is_of_embedded_pictures(run):
    """Whether a run was trained on the project's own pictures, as the captions say."""
    data = json.loads((run / "model.json").read_text(encoding="utf-8")).get("data")
    # One folder, as older runs have it, or a list of them.
    folders = [data] if isinstance(data, str) else data or []
    return [(PROJECT / folder).resolve() for folder in folders] == [PROJECT.resolve()]


def find_run(parent):
    """Return the newest finished run on the embedded pictures in `parent`, or None."""
    finished = [
        folder.parent
        for folder in Path(parent).glob("*/history.csv")
        if all((folder.parent / name).is_file() for name in RUN_FILES)
        and is_of_embedded_pictures(folder.parent)
    ]
    return max(finished, key=lambda run: (run / "model.keras").stat().st_mtime, default=None)


def explanations():
    """Yield (file name, figure) of what needs no data: the networks, and Dice."""
    startup.start_keras()

    import unet

    for name in unet.NETWORKS:
        yield f"architecture_{name}.png", show.architecture(name)
    yield "dice_explained.png", show.dice_explained()


def of_embedded_pictures():
    """Yield (file name, figure) of the embedded pictures, and of the shipped weights on them."""
    yield "example_pairs.png", example_pairs(PROJECT / "train")
    yield "outlines.png", outlines(PROJECT / SHIPPED, PROJECT / "test")


def example_pairs(folder, set_name="training"):
    """Draw pairs of a data folder, spread over it."""
    pairs = find_pairs(folder).labelled
    chosen = pairs[:: max(1, len(pairs) // EXAMPLES)][:EXAMPLES]
    pictures, masks = zip(*map(read_pair, chosen), strict=True)
    return show.pairs(pictures, masks, [pair.name for pair in chosen], set_name)


def best_middle_worst(weights, folder):
    """Return the highest, middle and lowest Dice of a folder, for `show`, and how many there are.

    Args:
        weights: path of a network.
        folder: data folder with masks.
    """
    network, pairs = load_network(weights), find_pairs(folder).labelled
    rows = score.of_method(score.evaluate(network, pairs, progress=False))
    rows.sort(key=lambda row: -row["dice"])
    chosen = [rows[0], rows[len(rows) // 2], rows[-1]]
    return score.predictions_of(network, pairs, chosen), len(rows)


def outlines(weights, folder):
    """Draw the outlines of a network over the pictures of `best_middle_worst`."""
    rows, count = best_middle_worst(weights, folder)
    return show.outlines(
        [{**row, "name": f"picture {row['name']}"} for row in rows],
        f"{SHIPPED} on the {count} drawn test pictures: highest, middle and lowest Dice",
    )


def predictions(weights, folder):
    """Draw the predictions of a run for the pictures of `best_middle_worst`."""
    rows, count = best_middle_worst(weights, folder)
    return show.predictions(
        [{**row, "name": f"picture {row['name']}"} for row in rows],
        f"Test set of {count} drawn pictures: the highest, the middle and the lowest Dice",
    )


def score_distribution(rows, set_name):
    """Draw the rows of a scores.csv: the network, which comes first there, above the baselines."""
    by_method = {}
    for row in rows:
        by_method.setdefault(row["method"], []).append(row["dice"])
    model, *baselines = by_method
    return show.score_distribution(
        {model: by_method[model]}, {name: by_method[name] for name in baselines}, set_name
    )


def of_run(run, test_folder):
    """Yield (file name, figure) of what a run on the embedded pictures came to."""
    yield "curves.png", show.curves(History.read(run))
    set_name = json.loads((run / "scores.json").read_text(encoding="utf-8"))["set"]
    yield "scores.png", score_distribution(read_table(run / "scores.csv"), set_name)
    yield "predictions.png", predictions(run / "model.keras", test_folder)


def draw(arguments):
    run = arguments.run or find_run(PROJECT / "runs")
    missing = [name for name in RUN_FILES if run and not (run / name).is_file()]
    if missing:
        raise InputError(f"{run}: no {missing[0]} there: give the folder of a run")
    figures = [explanations(), of_embedded_pictures()]
    figures += [of_run(run, PROJECT / "test")] if run else []
    for name, figure in chain.from_iterable(figures):
        print(show.save(figure, PROJECT / "Images" / name).relative_to(PROJECT))
    if run:
        if (run / GROWTH).is_file():  # runs of older versions have none
            with replacing(PROJECT / "Images" / "growth.webp") as temporary:
                shutil.copyfile(run / GROWTH, temporary)
            print("Images/growth.webp")
        print(f"the run shown is {run}")
    else:
        print("no run in runs/: curves, scores and predictions are not drawn; `make run` first")


def main(argv=None):
    parser = Parser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--run",
        metavar="DIR",
        type=Path,
        help="default: the newest in runs/ on the embedded pictures",
    )
    return console.run(parser, draw, argv)


if __name__ == "__main__":
    sys.exit(main())
