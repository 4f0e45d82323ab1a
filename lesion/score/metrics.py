"""How well one predicted mask fits the true one, at the picture's own size.

    row = score_pair(truth, prediction)           # one picture: a dict of numbers, see SCORES

Scores of a whole set (mean, interval, strata, calibration) are in summaries.py.

Empty masks, the one rule: an overlap score (Dice, Jaccard, thresholded Jaccard, surface Dice) is 1
where both masks are empty and 0 where one is. Distances to a border that does not exist are
undefined (nan); a set's summary counts them. Sensitivity is 1 where there was nothing to find and
specificity is 1 where there was nothing to leave out, as in the ISIC challenge's scorer.

Pixels that the truth ignores (IGNORED) count in no score. For distances they are taken to be what
the prediction says: a border through them is a true one, and none is invented around them.
"""

import numpy as np
from scipy.spatial import cKDTree

from lesion.masks import IGNORED

# What score_pair returns, in this order: first the scores, then what they were made from.
SCORES = (
    "dice",
    "jaccard",
    "thresholded_jaccard",
    "sensitivity",
    "specificity",
    "hd95",
    "average_surface_distance",
    "surface_dice",
    "area_ratio",
)
COUNTS = (
    "true_pixels",
    "predicted_pixels",
    "intersection_pixels",
    "picture_pixels",
    "touches_frame",
)

# The ISIC challenge counts a picture as failed (0) below this Jaccard index, a value that allows
# for how far people's own outlines differ (Codella et al. 2019, arXiv:1902.03368).
JACCARD_THRESHOLD = 0.65

# Surface Dice forgives a border that is off by this share of the picture's diagonal (14 pixels at
# 512x512), and never by less than one pixel, which is as finely as a mask places a border. A share,
# so that a picture scores alike at any size; 2 % as in Boundary IoU (Cheng et al. 2021,
# arXiv:2103.16562).
SURFACE_TOLERANCE = 0.02


def score_pair(truth: np.ndarray, prediction: np.ndarray) -> dict[str, float]:
    """Score one predicted mask against the true one; the keys are SCORES, then COUNTS.

    Args:
        truth, prediction: masks (H, W) of 0 and 1; the truth may hold IGNORED.

    Returns (T: true pixels, P: predicted pixels; all without unit and in 0..1 unless said):
        dice: 2 |T and P| / (|T| + |P|).
        jaccard: |T and P| / |T or P|.
        thresholded_jaccard: jaccard, or 0 where it is below JACCARD_THRESHOLD (ISIC 2018).
        sensitivity: |T and P| / |T|.
        specificity: the share of the pixels outside T that are outside P.
        hd95: pixels, the larger of the two directed 95th percentiles of the border distances, as in
            MONAI and Metrics Reloaded (MedPy pools both directions first: smaller values).
        average_surface_distance: pixels, mean over the border distances of both directions: ASSD
            in Metrics Reloaded (Maier-Hein et al. 2024, arXiv:2206.01653).
        surface_dice: share of both borders that lies within SURFACE_TOLERANCE of the other one
            (Nikolov et al. 2018, arXiv:1809.04430).
        area_ratio: |P| / |T|, 0 or above; 1 where both are empty, nan where only T is.
        true_pixels, predicted_pixels, intersection_pixels, picture_pixels: of what is not ignored.
        touches_frame: 1 where T reaches the outermost row or column of the picture, else 0.

    Raises:
        ValueError: shapes differ, a mask is not two-dimensional, or holds values besides 0 and 1.
    """
    given, (truth, prediction, counted) = truth, _check_pair(truth, prediction)
    picture_pixels = int(np.count_nonzero(counted))
    true_pixels = int(np.count_nonzero(truth))
    predicted_pixels = int(np.count_nonzero(prediction & counted))
    intersection = int(np.count_nonzero(truth & prediction))
    union = true_pixels + predicted_pixels - intersection
    jaccard = _ratio(intersection, union)
    if true_pixels and predicted_pixels:
        distances = border_distances(given, prediction)
        hd95 = max(float(np.percentile(directed, 95)) for directed in distances)
        average_surface_distance = float(np.concatenate(distances).mean())
        surface_dice = surface_dice_at(*distances, surface_tolerance(truth.shape))
    else:
        hd95 = average_surface_distance = float("nan")
        surface_dice = float(true_pixels == predicted_pixels)
    if true_pixels:
        area_ratio = predicted_pixels / true_pixels
    else:
        area_ratio = float("nan") if predicted_pixels else 1.0

    scores = (
        _ratio(2 * intersection, true_pixels + predicted_pixels),
        jaccard,
        jaccard if jaccard >= JACCARD_THRESHOLD else 0.0,
        _ratio(intersection, true_pixels),
        _ratio(picture_pixels - union, picture_pixels - true_pixels),
        hd95,
        average_surface_distance,
        surface_dice,
        area_ratio,
    )
    frame = (truth[0], truth[-1], truth[:, 0], truth[:, -1])
    touches_frame = int(any(edge.any() for edge in frame))
    counts = (true_pixels, predicted_pixels, intersection, picture_pixels, touches_frame)
    return dict(zip(SCORES + COUNTS, scores + counts, strict=True))


def dice(truth: np.ndarray, mask: np.ndarray) -> float:
    """Return the Dice of two masks (H, W) alone, 2 |T and P| / (|T| + |P|); as `score_pair`."""
    truth, mask, counted = _check_pair(truth, mask)
    sizes = np.count_nonzero(truth) + np.count_nonzero(mask & counted)
    return _ratio(2 * np.count_nonzero(truth & mask), sizes)


def border_distances(truth: np.ndarray, prediction: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the distance from each of `border_pixels` of one mask to the nearest of the other.

    Args:
        truth, prediction: masks (H, W), 0 or 1, neither of them empty; the truth may hold IGNORED.

    Returns:
        (from truth to prediction, from prediction to truth): float64, one value a border pixel, in
        the order of `border_pixels`.

    Raises:
        ValueError: as in score_pair, or a mask is empty.
    """
    truth, prediction, counted = _check_pair(truth, prediction)
    truth = np.where(counted, truth, prediction)
    if not (truth.any() and prediction.any()):
        raise ValueError("an empty mask has no border, so distances to it are undefined")
    # Exact, and far cheaper than distance maps: a border has few pixels even in a large picture.
    true_border, predicted_border = border_pixels(truth), border_pixels(prediction)
    from_truth, _ = cKDTree(predicted_border).query(true_border)
    from_prediction, _ = cKDTree(true_border).query(predicted_border)
    return from_truth, from_prediction


def border_pixels(mask: np.ndarray) -> np.ndarray:
    """Return (row, column) of each border pixel of a bool mask (H, W) that is not empty: (N, 2).

    A border pixel is a mask pixel with one of its four neighbours outside the mask; whatever lies
    outside the picture is outside the mask (the rule of MONAI and of Metrics Reloaded), so a lesion
    cut by the frame has a border along it.
    """
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    top, left = rows[0], columns[0]
    box = mask[top : rows[-1] + 1, left : columns[-1] + 1]
    # What lies beyond the bounding box is outside the mask, so it may be cut off and padded back.
    padded = np.pad(box, 1)
    inner = padded[:-2, 1:-1] & padded[2:, 1:-1] & padded[1:-1, :-2] & padded[1:-1, 2:]
    return np.argwhere(box & ~inner) + np.array([top, left])


def surface_dice_at(from_truth: np.ndarray, from_prediction: np.ndarray, tolerance: float) -> float:
    """Return the share, 0..1, of both masks' border pixels that are at most `tolerance` off.

    The distances are those of border_distances. Source: Nikolov et al. 2018, arXiv:1809.04430.
    """
    within = np.count_nonzero(from_truth <= tolerance)
    within += np.count_nonzero(from_prediction <= tolerance)
    return float(within / (from_truth.size + from_prediction.size))


def surface_tolerance(shape: tuple[int, int]) -> float:
    """Return the tolerance of surface Dice, in pixels, for a picture of this (height, width)."""
    return max(1.0, SURFACE_TOLERANCE * float(np.hypot(*shape)))


def dice_at_thresholds(
    truth: np.ndarray, probability: np.ndarray, thresholds: np.ndarray
) -> np.ndarray:
    """Return the Dice of one picture at each threshold of a grid, from one pass over its pixels.

    Args:
        truth: mask (H, W) of 0, 1 and IGNORED.
        probability: float32 (H, W) in 0..1.
        thresholds: (T,), ascending.

    Returns:
        float64 (T,): exactly score_pair(truth, mask_at(probability, t))["dice"] for each t.

    Raises:
        ValueError: shapes differ, truth is not a mask, a probability is nan or outside 0..1, or
            the thresholds do not ascend.
    """
    thresholds = np.asarray(thresholds, np.float32)
    if thresholds.ndim != 1 or not thresholds.size or (np.diff(thresholds) <= 0).any():
        raise ValueError(f"thresholds must be a list of ascending numbers, got {thresholds}")
    check_probability(truth, probability)
    # The rank of a pixel is the number of thresholds that it reaches.
    rank = np.searchsorted(thresholds, np.asarray(probability, np.float32), side="right")
    return dice_of_nested_masks(truth, rank, thresholds.size)


def dice_of_nested_masks(truth: np.ndarray, rank: np.ndarray, number: int) -> np.ndarray:
    """Return the Dice of `number` masks at once, of which each holds the next one.

    Args:
        truth: mask (H, W) of 0, 1 and IGNORED.
        rank: integers (H, W) in 0..number; a pixel of rank r belongs to the masks 0..r-1.
        number: how many masks.

    Returns:
        float64 (number,), 1 where truth and mask are both empty.
    """
    truth = np.asarray(truth)
    counted, truth = truth != IGNORED, truth == 1
    # Entry k of the reversed running sums counts the pixels of rank k or more.
    intersection, predicted = (
        np.bincount(ranks, minlength=number + 1)[::-1].cumsum()[::-1][1:]
        for ranks in (rank[truth], rank[counted])
    )
    sizes = predicted + np.count_nonzero(truth)
    return np.where(sizes > 0, 2 * intersection / np.maximum(sizes, 1), 1.0)


def check_probability(truth: np.ndarray, probability: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return truth as bool and probability as float32 of all pixels that are not ignored.

    Raises:
        ValueError: shapes differ, truth is not a mask, a probability is nan or outside 0..1.
    """
    (truth, counted), probability = _check_truth(truth), np.asarray(probability, np.float32)
    _check_shapes(truth, probability)
    # Written so that nan, which compares false with everything, fails too.
    if not (probability.min() >= 0 and probability.max() <= 1):
        raise ValueError(
            f"probabilities must be in 0..1, found {probability.min()} to {probability.max()}: "
            "apply the sigmoid first, and look for nan"
        )
    return truth[counted], probability[counted]


def _check_pair(truth, prediction):
    """Return truth, prediction and what is not ignored as bool (H, W), or raise ValueError."""
    (truth, counted), prediction = _check_truth(truth), _check_mask(prediction, "prediction")
    _check_shapes(truth, prediction)
    return truth, prediction, counted


def _check_truth(truth):
    """Return truth and what is not ignored as bool (H, W), or raise ValueError."""
    truth = np.asarray(truth)
    if truth.dtype != np.uint8:  # the type of the masks that `read_pair` returns
        truth = _check_mask(truth, "truth")
        return truth, np.ones(truth.shape, bool)
    counted = truth != IGNORED
    return _check_mask(np.where(counted, truth, 0), "truth"), counted


def _check_mask(mask: np.ndarray, name: str) -> np.ndarray:
    """Return the mask as bool (H, W), or raise a ValueError that says what it is instead."""
    mask = np.asarray(mask)
    if mask.ndim != 2 or not mask.size:
        raise ValueError(f"{name} must be a mask (height, width), found the shape {mask.shape}")
    if mask.dtype == bool:
        return mask
    found = mask.min(), mask.max()
    if found[0] < 0 or found[1] > 1 or not np.isin(found, (0, 1)).all():
        raise ValueError(
            f"{name} must hold 0 and 1 only, found values from {found[0]} to {found[1]}: "
            "divide a 0/255 mask by 255, or apply a threshold to probabilities"
        )
    as_bool = mask.astype(bool)
    # Between 0 and 1 there is room for other numbers only in a mask of floats.
    if mask.dtype.kind == "f" and not np.array_equal(as_bool, mask):
        raise ValueError(f"{name} must hold 0 and 1 only: apply a threshold to probabilities first")
    return as_bool


def _check_shapes(truth: np.ndarray, other: np.ndarray) -> None:
    if truth.shape != other.shape:
        raise ValueError(
            f"truth is {truth.shape} and the prediction {other.shape} (height, width): "
            "score at the picture's own size, resize the probabilities first"
        )


def _ratio(part: int, whole: int) -> float:
    """part / whole, and 1 where there is no whole to have a part of."""
    return part / whole if whole else 1.0
