"""Scores of a set of pictures, made from the rows that metrics.score_pair returns.

    summary = summarise(rows)                     # means, intervals, failures, pooled Dice
    by_size = strata(rows, "lesion_size")         # the same question, asked of a part at a time
    difference = compare_paired(dice_of_one_model, dice_of_another)
    calibration = Calibration()                   # then .update(truth, probability) per picture

Every picture counts the same, whatever its size, but for two scores that say so: pooled Dice and
calibration, which count pixels. Values that are undefined (nan) are left out of a mean and counted
beside it.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from lesion.score import metrics

RESAMPLES = 2000
SEED = 0  # of the resampling: the same values give the same interval
CONFIDENCE = 0.95
FAILURE_DICE = 0.5
SHARE_FAILED = f"share_dice_below_{FAILURE_DICE}"  # key of a summary

# Upper ends, as shares of the picture's area, and names of the strata of lesion size.
SIZE_STRATA = (
    (0.0, "no lesion"),
    (0.05, "under 5 % of the picture"),
    (0.10, "5 to 10 %"),
    (0.20, "10 to 20 %"),
    (0.40, "20 to 40 %"),
    (np.inf, "40 % and more"),
)
FRAME_STRATA = ("inside the frame", "cut by the frame")
UNKNOWN = "unknown"


def bootstrap_interval(values: Sequence[float]) -> tuple[float, float]:
    """Return the 95 % interval of the mean: percentile bootstrap, 2000 resamples of the pictures.

    Source: Efron & Tibshirani 1993, An Introduction to the Bootstrap, chapter 13. The same values
    give the same interval. It covers the choice of pictures, not that of the training.

    Args:
        values: (N,) finite numbers, one a picture.

    Returns:
        (lower, upper); both are the mean where N is 1 or all values are equal.

    Raises:
        ValueError: as `resampled_means`.
    """
    tail = 50 * (1 - CONFIDENCE)
    # Rounding in the sums may not push the interval of equal values off their mean.
    ends = np.percentile(resampled_means(values), (tail, 100 - tail))
    lower, upper = np.clip(ends, np.min(values), np.max(values))
    return float(lower), float(upper)


def resampled_means(values: Sequence[float]) -> np.ndarray:
    """Return the means of RESAMPLES samples of N values, drawn from these with replacement.

    Args:
        values: (N,) finite numbers.

    Raises:
        ValueError: no values, or one that is not finite.
    """
    values = np.asarray(values, np.float64)
    if values.ndim != 1 or not values.size or not np.isfinite(values).all():
        raise ValueError(
            "an interval needs a list of finite numbers, at least one: "
            f"found {values.size} values, {np.count_nonzero(~np.isfinite(values))} not finite"
        )
    rng = np.random.default_rng(SEED)
    # As many resamples at once as fit into some 16 MB of indices.
    at_once = max(1, 4_000_000 // values.size)
    means = []
    for done in range(0, RESAMPLES, at_once):
        shape = (min(at_once, RESAMPLES - done), values.size)
        means.append(values[rng.integers(values.size, size=shape, dtype=np.int32)].mean(axis=1))
    return np.concatenate(means)


def summarise(rows: Sequence[Mapping]) -> dict:
    """Return the scores of a set from the rows of its pictures.

    Args:
        rows: what metrics.score_pair returned for each picture; further keys are ignored.

    Returns a dict of plain Python numbers, ready for JSON:
        count: pictures in the set.
        one entry for each of metrics.SCORES: a dict of mean, median, interval [lower, upper] (95 %
            bootstrap of the mean) and undefined (pictures without that score, which the other
            three leave out; they are None where no picture has it).
        SHARE_FAILED, share_jaccard_below_0.65: share of failed pictures, 0..1.
        empty_truth, empty_prediction, undefined_distances: numbers of pictures.
        pooled_dice: Dice of all pixels of the set taken as one picture. Large lesions and large
            pictures dominate it, so that it is mostly higher than the mean Dice per picture.

    Raises:
        ValueError: no rows.
    """
    if not rows:
        raise ValueError("no pictures to summarise: the set is empty")
    column = {
        name: np.array([row[name] for row in rows], np.float64)
        for name in metrics.SCORES + metrics.COUNTS
    }
    summary: dict = {"count": len(rows)}
    for name in metrics.SCORES:
        defined = column[name][~np.isnan(column[name])]
        summary[name] = {
            "mean": float(defined.mean()) if defined.size else None,
            "median": float(np.median(defined)) if defined.size else None,
            "interval": list(bootstrap_interval(defined)) if defined.size else None,
            "undefined": len(rows) - defined.size,
        }
    sizes = column["true_pixels"].sum() + column["predicted_pixels"].sum()
    return summary | {
        SHARE_FAILED: float(np.mean(column["dice"] < FAILURE_DICE)),
        f"share_jaccard_below_{metrics.JACCARD_THRESHOLD}": float(
            np.mean(column["jaccard"] < metrics.JACCARD_THRESHOLD)
        ),
        "empty_truth": int(np.count_nonzero(column["true_pixels"] == 0)),
        "empty_prediction": int(np.count_nonzero(column["predicted_pixels"] == 0)),
        "undefined_distances": int(np.count_nonzero(np.isnan(column["hd95"]))),
        "pooled_dice": float(2 * column["intersection_pixels"].sum() / sizes) if sizes else 1.0,
    }


def compare_paired(a: Sequence[float], b: Sequence[float]) -> dict:
    """Test whether one model is better than another on the same pictures.

    Args:
        a, b: (N,) one score of each model, in the same order of pictures; nan where undefined.

    Returns a dict of plain Python numbers:
        count: pictures compared.
        undefined: pictures left out because a or b is nan there.
        mean_difference: mean of a - b.
        interval: [lower, upper], 95 % bootstrap interval of that mean, pictures resampled in pairs.
        p_value: two-sided Wilcoxon signed-rank test (Wilcoxon 1945) of differences that are
            symmetric about 0. Equal scores take part in the ranking (Pratt 1959), so that pictures
            on which the models agree count against a difference; 1 where all are equal.

    Raises:
        ValueError: lengths differ, or no picture has both scores.
    """
    from scipy.stats import wilcoxon  # slow to import, and predicting needs none of it

    a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
    if a.ndim != 1 or a.shape != b.shape:
        raise ValueError(
            f"scores of the same pictures are compared, got {a.shape} and {b.shape} of them"
        )
    # Scores that differ by rounding alone would else be ranked as if one of them were better.
    difference = np.round(a - b, 12)
    defined = difference[~np.isnan(difference)]
    if not defined.size:
        raise ValueError("no picture has both scores, so there is nothing to compare")
    equal = not defined.any()
    return {
        "count": int(defined.size),
        "undefined": int(difference.size - defined.size),
        "mean_difference": float(defined.mean()),
        "interval": list(bootstrap_interval(defined)),
        "p_value": 1.0 if equal else float(wilcoxon(defined, zero_method="pratt").pvalue),
    }


def strata(rows: Sequence[Mapping], key: str) -> list[dict]:
    """Return the mean Dice of each part of a set.

    Args:
        rows: what metrics.score_pair returned for each picture, with metadata columns added.
        key: "lesion_size" (share of the picture's area, SIZE_STRATA), "touches_frame", or the name
            of any other column, such as a diagnosis or a body site.

    Returns:
        A list of dict(name, count, mean_dice, interval [lower, upper]); no stratum is empty. Sizes
        ascend; the values of other columns come by falling count, and pictures without a value,
        named "unknown", come last.

    Raises:
        ValueError: no picture has that column.
    """
    if key == "lesion_size":
        order = [name for _, name in SIZE_STRATA]
        names = [_size_stratum(row["true_pixels"] / row["picture_pixels"]) for row in rows]
    elif key == "touches_frame":
        order = list(FRAME_STRATA)
        names = [FRAME_STRATA[int(row["touches_frame"])] for row in rows]
    else:
        if not any(key in row for row in rows):
            found = sorted({name for row in rows for name in row})
            raise ValueError(f"no picture has the column {key!r}; the columns are {found}")
        names = [_metadata_stratum(row.get(key)) for row in rows]
        order = sorted(set(names), key=lambda name: (name == UNKNOWN, -names.count(name), name))
    members = {name: [] for name in order}
    for name, row in zip(names, rows, strict=True):
        members[name].append(row["dice"])
    return [
        {
            "name": name,
            "count": len(dice),
            "mean_dice": float(np.mean(dice)),
            "interval": list(bootstrap_interval(dice)),
        }
        for name, dice in members.items()
        if dice
    ]


class Calibration:
    """Do pixels given the probability p hold lesion in a share p of cases?

    Pixels of all pictures are counted together in 15 equal bins of the predicted probability of
    lesion, a picture at a time, so that a set of any size fits. This is the reliability diagram of
    the positive class and its expected calibration error (Naeini et al. 2015; Guo et al. 2017,
    arXiv:1706.04599, use the top class instead).
    """

    BINS = 15

    def __init__(self) -> None:
        self._pixels = np.zeros(self.BINS, np.int64)
        self._lesion = np.zeros(self.BINS, np.int64)
        self._probability = np.zeros(self.BINS)

    def update(self, truth: np.ndarray, probability: np.ndarray) -> None:
        """Count one picture: truth mask (H, W) of 0, 1 and IGNORED, probability (H, W)
        in 0..1.

        Raises:
            ValueError: shapes differ, truth is not a mask, a probability is nan or outside 0..1.
        """
        truth, probability = metrics.check_probability(truth, probability)
        # A bin holds its lower end; the last one holds 1 as well.
        bins = np.minimum((probability * self.BINS).astype(np.intp), self.BINS - 1)
        self._pixels += np.bincount(bins, minlength=self.BINS)
        self._lesion += np.bincount(bins[truth], minlength=self.BINS)
        self._probability += np.bincount(bins, probability, minlength=self.BINS)

    def counts(self) -> list[list[float]]:
        """Return all that was counted, ready for JSON; `of` takes it again."""
        return [part.tolist() for part in (self._pixels, self._lesion, self._probability)]

    @classmethod
    def of(cls, counts: list[list[float]]) -> "Calibration":
        """Return one that has counted what `counts` says."""
        one = cls()
        one._pixels, one._lesion, one._probability = map(np.array, counts)
        return one

    def add(self, other: "Calibration") -> None:
        """Count the pictures that another one has counted."""
        self._pixels += other._pixels
        self._lesion += other._lesion
        self._probability += other._probability

    def curve(self) -> dict[str, np.ndarray]:
        """Return the reliability curve: arrays of 15, nan in a bin without pixels.

        Keys: lower, upper (ends of the bin), probability (mean prediction in it), frequency (share
        of lesion in it), pixels (how many it holds).
        """
        ends = np.linspace(0, 1, self.BINS + 1)
        filled = np.where(self._pixels > 0, self._pixels, np.nan)
        return {
            "lower": ends[:-1],
            "upper": ends[1:],
            "probability": self._probability / filled,
            "frequency": self._lesion / filled,
            "pixels": self._pixels.copy(),
        }

    def expected_calibration_error(self) -> float:
        """Return the mean over pixels of |mean prediction - share of lesion| of their bin, 0..1.

        Raises:
            ValueError: no picture has been counted yet.
        """
        if not self._pixels.any():
            raise ValueError("no pixels counted yet: call update(truth, probability) first")
        return float(np.abs(self._probability - self._lesion).sum() / self._pixels.sum())


def _size_stratum(share: float) -> str:
    if share == 0:
        return SIZE_STRATA[0][1]
    return next(name for upper, name in SIZE_STRATA[1:] if share < upper)


def _metadata_stratum(value: object) -> str:
    missing = value is None or value != value or not str(value).strip()
    return UNKNOWN if missing else str(value).strip()
