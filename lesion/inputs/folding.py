"""Divide pairs into folds for cross-validation, lesion by lesion.

for train, validation, test in draw_folds(pairs, coverages, 5, seed, 0.2, root):
    ...
"""

import warnings
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from lesion.console import InputError
from lesion.inputs.pairing import Pair
from lesion.inputs.splitting import draw, pair_order

FEWEST = 4  # lesions: beside each of two folds, one for training and one for validation


def draw_folds(
    pairs: Sequence[Pair],
    coverages: Sequence[float],
    count: int,
    seed: int,
    validation: float,
    root: Path,
) -> list[tuple[list[Pair], list[Pair], list[Pair]]]:
    """Divide pairs `count` times into training, validation and test: each is once in a test.

    All pictures of one lesion go to one fold. The folds have about the same share of each diagnosis
    (column `dx` of the metadata) or, where no picture has one, of small, middling and large
    lesions. They depend on the seed and the names, not on the order of the pairs.

    Args:
        coverages: of each pair, the share of its mask that is lesion, 0..1.
        validation: share of all pairs that is taken from the rest of each fold, below
            1 - 1 / count.
        root: named in an error.

    Raises:
        InputError: there are too few lesions.
    """
    from sklearn.model_selection import StratifiedGroupKFold  # slow to import

    groups = [pair.group for pair in pairs]
    too_few = InputError(
        f"{root}: holds {len(set(groups))} lesion(s) with a mask, too few for {count} folds that "
        "each have some for training, validation and test; add pairs"
        + (", or ask for fewer folds" if count > 2 else "")
    )
    if len(set(groups)) < max(count, FEWEST):
        raise too_few
    divider = StratifiedGroupKFold(count, shuffle=True, random_state=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # a diagnosis may be rarer than folds are
        divisions = list(divider.split(groups, _strata(pairs, coverages, count), groups))
    folds = []
    for indices in divisions:
        rest, test = ([pairs[index] for index in side] for side in indices)
        if len({pair.group for pair in rest}) < 2:
            raise too_few
        train, chosen, _ = draw(rest, seed, validation * count / (count - 1), 0, root)
        folds.append((train, chosen, sorted(test, key=pair_order)))
    return folds


def _strata(pairs, coverages, count):
    """Return a label for each pair, of which each fold shall have its share."""
    labels = [pair.metadata.get("dx", "").strip() for pair in pairs]
    if not any(labels):
        labels = np.digitize(coverages, np.quantile(coverages, (1 / 3, 2 / 3))).tolist()
    # scikit-learn refuses labels that all are rarer than folds are.
    return labels if max(Counter(labels).values()) >= count else [0] * len(labels)
