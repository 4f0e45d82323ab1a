"""How time and memory grow: a line through measurements, with the interval of its slope."""

from dataclasses import dataclass

import numpy as np

# Student's t for an interval of 95 %, by degrees of freedom; between them the fewer ones count.
STUDENT = {1: 12.71, 2: 4.303, 3: 3.182, 4: 2.776, 5: 2.571, 6: 2.447, 7: 2.365, 8: 2.306}
STUDENT |= {9: 2.262, 10: 2.228, 12: 2.179, 15: 2.131, 20: 2.086, 30: 2.042, 60: 2.000}
SUPERLINEAR = 1.1  # power of the number of pictures, from which a stage is called so


@dataclass(frozen=True)
class Law:
    """value = constant + slope * count, with intervals of 95 %.

    Attributes:
        constant, slope: of the line.
        constant_error, slope_error: half widths of their intervals.
    """

    constant: float
    slope: float
    constant_error: float
    slope_error: float

    def at(self, count: float) -> float:
        """Return the value for so many pictures."""
        return self.constant + self.slope * count


def fit(counts, values) -> Law:
    """Fit a line by least squares of the relative errors: a clock is wrong by a share of a time.

    Of fewer than three different counts it goes through the origin: its slope is the mean of
    value / count.

    Args:
        counts: of pictures, above 0.
        values: seconds or bytes, above 0, as many.
    """
    counts, values = np.asarray(counts, float), np.asarray(values, float)
    if len(set(counts)) < 3:
        slopes = values / counts
        error = slopes.std(ddof=1) / np.sqrt(len(slopes)) if len(slopes) > 1 else np.nan
        return Law(0.0, float(slopes.mean()), 0.0, float(error * student(len(slopes) - 1)))
    matrix = np.stack([1 / values, counts / values], axis=1)
    inverse = np.linalg.inv(matrix.T @ matrix)
    line = inverse @ matrix.sum(axis=0)
    freedom = len(values) - 2
    rest = ((1 - matrix @ line) ** 2).sum() / freedom
    errors = student(freedom) * np.sqrt(rest * np.diag(inverse))
    return Law(*line.tolist(), *errors.tolist())


def student(freedom: int) -> float:
    """Return the quantile of Student's t for an interval of 95 %; no number without freedom."""
    return STUDENT[max(known for known in STUDENT if known <= freedom)] if freedom > 0 else np.nan


def power(counts, values) -> float:
    """Return by which power of the count a value grows from the last but one count to the last.

    1 is linear; no number where there is one count only. Of several values of one count the
    smallest tells: noise only adds.
    """
    least = {}
    for count, value in zip(counts, values, strict=True):
        least[count] = min(value, least.get(count, value))
    if len(least) < 2:
        return np.nan
    (low, first), (high, last) = sorted(least.items())[-2:]
    return float(np.log(last / first) / np.log(high / low))
