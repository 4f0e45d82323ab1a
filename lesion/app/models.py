"""Two networks side by side, on one picture or on a labelled folder: the page's third tab.

found = compare_on_folder([weights_a, weights_b], "my_data")
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from lesion import comparison, inputs
from lesion.app.pictures import network_of, predict
from lesion.console import InputError
from lesion.masks import draw_outline
from lesion.score.metrics import dice

RUNS = Path("runs")


def find_weights(given: Iterable[str | Path]) -> list[str]:
    """Return the weights to choose from: those given, then those of runs/, the newest first."""
    runs = sorted(RUNS.glob("**/model.keras"), key=lambda path: -path.stat().st_mtime)
    found = {}
    for path in [*given, *runs]:
        found.setdefault(Path(path).resolve(), str(path))
    return list(found.values())


def names_of(weights: Sequence[str]) -> list[tuple[str, str]]:
    """Return (what to call it, path) of each weights file."""
    names = comparison.model_names(weights) if len(weights) > 1 else [Path(weights[0]).stem]
    return list(zip(names, weights, strict=True))


def compare_on_picture(weights: Sequence[str], path: str | Path) -> tuple[list[np.ndarray], float]:
    """Return (the picture with the outline of each network, the Dice of both masks)."""
    (picture, first), (_, second) = (predict(one, path) for one in weights)
    drawn = [draw_outline(picture, {"prediction": one.mask}) for one in (first, second)]
    return drawn, dice(first.mask, second.mask)


class Compared(NamedTuple):
    """What a comparison on a labelled folder found.

    Attributes:
        weights: paths of the two networks.
        content: as `comparison.score` returns it.
        names: of the two, as in `content`.
        remark: what is known of whether they were trained on these pictures.
        dice: name of a picture -> its Dice by each of the two; the largest differences first.
        pairs: name of a picture -> `inputs.Pair`.
    """

    weights: Sequence[str]
    content: dict
    names: list[str]
    remark: str
    dice: dict[str, list[float]]
    pairs: dict[str, inputs.Pair]


def compare_on_folder(weights: Sequence[str], data: str | Path) -> Compared:
    """Score two networks on the pictures of a data folder that neither was trained on.

    Args:
        weights: paths of two different networks.
        data: data folder with masks.

    Raises:
        InputError, FileNotFoundError: the weights are the same, or there is nothing to compare on.
    """
    if not data:
        raise InputError("no folder was named: give one with pictures and masks")
    names = comparison.model_names(weights)
    pairs, set_name, remarks = comparison.common_pairs(data, weights)
    pairs, _ = inputs.filter_pairs(data, pairs, skip_bad=True, progress=False)
    networks = dict(zip(names, map(network_of, weights), strict=True))
    content, rows = comparison.score(networks, pairs, set_name)
    dice_of = [{row["name"]: row["dice"] for row in rows[name]} for name in names]
    scores = {pair.name: [dice[pair.name] for dice in dice_of] for pair in pairs}
    ordered = sorted(scores.items(), key=lambda item: -abs(item[1][0] - item[1][1]))
    remark = inputs.remark_on(weights, pairs, "; ".join(remarks))
    by_name = {pair.name: pair for pair in pairs}
    return Compared(weights, content, names, remark, dict(ordered), by_name)


def draw_compared(found: Compared, name: str) -> list[np.ndarray]:
    """Return a compared picture with the outlines of its truth and of each network."""
    picture, truth = inputs.read_pair(found.pairs[name])
    drawn = []
    for one in found.weights:
        mask = network_of(one).predict(picture).mask
        drawn.append(draw_outline(picture, {"truth": truth == 1, "prediction": mask}))
    return drawn
