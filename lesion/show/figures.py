"""Which figures a scored set of pictures gets: one table for the run folder and for its report.

    files = draw_all(Scored(network, pairs, "test", rows, summary, history), run / "figures")

Another figure is a function of a `Scored` and its row in FIGURES.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from lesion.score.evaluation import MODEL, of_method, predictions_of
from lesion.show import errors, gallery, plots
from lesion.show.style import save

SHOWN = 4  # pictures in a figure of the worst or the best


@dataclass
class Scored:
    """A set of pictures that a network was scored on.

    Attributes:
        network, pairs: what was scored.
        set_name: "training", "validation" or "test", or other words for the set.
        rows, summary: what `score.evaluate` and `score.write_scores` returned.
        history: of the network's training, as `curves` takes it; None where it is not known.
    """

    network: object
    pairs: list
    set_name: str
    rows: list
    summary: dict
    history: object = None

    def of_model(self, column: str) -> list:
        """Return a column of the network's rows, a value a picture."""
        return [row[column] for row in of_method(self.rows)]

    def predicted(self, rows: list[dict]) -> list[dict]:
        """Return what `predictions` takes of some of the rows."""
        return predictions_of(self.network, self.pairs, rows)

    @cached_property
    def lowest(self) -> list[dict]:
        """The pictures with the lowest Dice, as `predictions` takes them."""
        ranking = sorted(of_method(self.rows), key=lambda row: row["dice"])
        return self.predicted(ranking[:SHOWN])

    @cached_property
    def highest(self) -> list[dict]:
        """The pictures with the highest Dice, as `predictions` takes them."""
        ranking = sorted(of_method(self.rows), key=lambda row: -row["dice"])
        return self.predicted(ranking[:SHOWN])


class Row(NamedTuple):
    """What belongs to a figure of a run."""

    draw: Callable  # function of a `Scored`; returns a figure, or None where nothing is to show
    section: str  # of the report, a name of `report.SECTIONS`
    caption: str


def draw_all(scored: Scored, directory: Path) -> dict[str, Path]:
    """Draw every figure of FIGURES that has something to show, as PNG files.

    Args:
        scored: `Scored`.
        directory: where the files go; made if missing.

    Returns:
        dict of name -> `Path`, in the order of FIGURES.
    """
    figures = {name: row.draw(scored) for name, row in FIGURES.items()}
    return {
        name: save(figure, Path(directory) / f"{name}.png")
        for name, figure in figures.items()
        if figure is not None
    }


def _curves(scored):
    return plots.curves(scored.history) if scored.history is not None else None


def _scores(scored):
    methods = scored.summary["methods"]
    dice = {name: [row["dice"] for row in of_method(scored.rows, name)] for name in methods}
    return plots.score_distribution({MODEL: dice.pop(MODEL)}, dice, scored.set_name)


def _size(scored):
    pixels = zip(scored.of_model("true_pixels"), scored.of_model("picture_pixels"), strict=True)
    shares = [lesion / picture for lesion, picture in pixels]
    return errors.size_against_dice(shares, scored.of_model("dice"), scored.set_name)


def _reliability(scored):
    calibration = scored.summary.get("calibration")
    return errors.reliability(calibration, scored.set_name) if calibration else None


def _quality(scored):
    quality, dice = scored.of_model("quality"), scored.of_model("dice")
    return errors.risk_coverage(quality, dice, scored.set_name)


def _lowest(scored):
    return gallery.predictions(scored.lowest, f"{scored.set_name} set, lowest Dice first")


def _borders(scored):
    title = f"Border errors, {scored.set_name} set, lowest Dice first"
    return errors.border_errors(scored.lowest, title)


def _highest(scored):
    return gallery.predictions(scored.highest, f"{scored.set_name} set, highest Dice first")


FIGURES = {
    "curves": Row(
        _curves, "result", "Loss and Dice of the training and validation sets, epoch by epoch."
    ),
    "scores": Row(
        _scores,
        "scores",
        "Every picture, each method: the network above methods that learn nothing.",
    ),
    "size": Row(_size, "strata", "Dice of each picture against the size of its lesion."),
    "reliability": Row(
        _reliability,
        "calibration",
        "Calibration: do pixels given a probability hold lesion that often?",
    ),
    "quality": Row(
        _quality,
        "quality",
        "Quality estimate: does it tell the failed pictures from the good ones?",
    ),
    "lowest": Row(_lowest, "pictures", "The pictures with the lowest Dice."),
    "borders": Row(
        _borders,
        "pictures",
        "Where the predicted border of the worst pictures is off, and by how much.",
    ),
    "highest": Row(_highest, "pictures", "The pictures with the highest Dice."),
}
