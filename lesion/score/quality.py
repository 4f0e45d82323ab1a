"""How good is a predicted mask, judged without the truth, and how far may that be trusted?

    report = assess_quality([row["quality"] for row in rows], [row["dice"] for row in rows])

The estimate, see `predict.estimate`, needs no label, so it can be given with every new prediction;
whether it finds the failed ones is measured on labelled pictures.
"""

import math
from collections.abc import Sequence

import numpy as np

from lesion.score.summaries import FAILURE_DICE

FLAGGED_SHARE = 0.1
CURVE_COVERAGES = np.round(np.arange(0.05, 1.001, 0.05), 2)


def risk_coverage(quality: Sequence[float], dice: Sequence[float]) -> tuple[np.ndarray, np.ndarray]:
    """Return what remains at risk if only the pictures with the best estimates are taken.

    Coverage: the share of pictures that is taken; risk: their mean of 1 - Dice. Source: El-Yaniv &
    Wiener 2010, Journal of Machine Learning Research 11; Geifman & El-Yaniv 2017,
    arXiv:1705.08500. Pictures with equal estimates count as in random order.

    Args:
        quality: (N,) estimates, one a picture, higher is better.
        dice: (N,) Dice of the same pictures.

    Returns:
        coverage (N,), ascending from 1/N to 1; risk (N,) in 0..1.

    Raises:
        ValueError: no pictures, lengths differ, or a number is not finite.
    """
    quality, dice = _check(quality, dice)
    risk = _in_order(-quality, 1 - dice)
    taken = np.arange(1, dice.size + 1)
    return taken / dice.size, np.cumsum(risk) / taken


def assess_quality(quality: Sequence[float], dice: Sequence[float]) -> dict:
    """Measure whether the estimate finds the failed pictures, on pictures with a truth.

    Args:
        quality, dice: as in `risk_coverage`.

    Returns a dict of plain Python numbers:
        count: pictures.
        flagged: the tenth with the lowest estimates, rounded up.
        failed_among_flagged: share of them with a Dice below 0.5.
        failed_among_all: the same share of all pictures: what flagging at random would give.
        failures_flagged: share of the failed pictures that are flagged; None if none failed.
        mean_estimate, mean_dice: alike where the estimate is the Dice to expect.
        area_under_risk_coverage: mean risk over all coverages, lower is better.
        area_at_random: the same without any order, which is the mean of 1 - Dice.
        area_at_best: the same if the estimate ordered the pictures by their true Dice.
        rank_correlation: Spearman's, of estimate and Dice; None where one of them is constant.
        curve: list of dict(coverage, risk), at every twentieth of the pictures (or every picture).

    Raises:
        ValueError: as in `risk_coverage`.
    """
    from scipy.stats import spearmanr  # slow to import, and predicting needs none of it

    quality, dice = _check(quality, dice)
    failed = (dice < FAILURE_DICE).astype(float)
    flagged = math.ceil(FLAGGED_SHARE * dice.size)
    found = _in_order(quality, failed)[:flagged].sum()
    coverage, risk = risk_coverage(quality, dice)
    constant = np.ptp(quality) == 0 or np.ptp(dice) == 0
    shown = sorted({math.ceil(round(share * dice.size, 6)) - 1 for share in CURVE_COVERAGES})
    return {
        "count": int(dice.size),
        "flagged": flagged,
        "failed_among_flagged": float(found / flagged),
        "failed_among_all": float(failed.mean()),
        "failures_flagged": float(found / failed.sum()) if failed.any() else None,
        "mean_estimate": float(quality.mean()),
        "mean_dice": float(dice.mean()),
        "area_under_risk_coverage": float(risk.mean()),
        "area_at_random": float(np.mean(1 - dice)),
        "area_at_best": float(risk_coverage(dice, dice)[1].mean()),
        "rank_correlation": None if constant else float(spearmanr(quality, dice).statistic),
        "curve": [{"coverage": float(coverage[i]), "risk": float(risk[i])} for i in shown],
    }


def _check(quality, dice):
    quality, dice = np.asarray(quality, np.float64), np.asarray(dice, np.float64)
    if quality.ndim != 1 or quality.shape != dice.shape or not quality.size:
        raise ValueError(
            f"estimates and Dice of the same pictures are needed, one at least: found "
            f"{quality.shape} and {dice.shape}"
        )
    if not (np.isfinite(quality).all() and np.isfinite(dice).all()):
        raise ValueError("an estimate or a Dice is not a finite number")
    return quality, dice


def _in_order(key, values):
    """Return values by ascending key; of equal keys the mean, as a random order would give."""
    _, group = np.unique(key, return_inverse=True)
    means = np.bincount(group, values) / np.bincount(group)
    return means[np.sort(group)]
