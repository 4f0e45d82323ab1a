"""metrics.py against hand-computed values, brute force and the ISIC challenge's own scorer."""

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from lesion.masks import mask_at
from lesion.score import metrics
from lesion.score.choice import THRESHOLDS


def rectangle(shape, top, bottom, left, right):
    mask = np.zeros(shape, np.uint8)
    mask[top:bottom, left:right] = 1
    return mask


# --- one pair, by hand ------------------------------------------------------------------------


def test_score_pair_by_hand():
    truth = rectangle((10, 20), 2, 6, 3, 9)  # 24 pixels
    prediction = rectangle((10, 20), 2, 6, 5, 13)  # 32 pixels, 16 of them in both
    row = metrics.score_pair(truth, prediction)
    assert tuple(row) == metrics.SCORES + metrics.COUNTS
    assert row["dice"] == pytest.approx(32 / 56)
    assert row["jaccard"] == pytest.approx(16 / 40)
    assert row["thresholded_jaccard"] == 0
    assert row["sensitivity"] == pytest.approx(16 / 24)
    assert row["specificity"] == pytest.approx((200 - 40) / (200 - 24))
    assert row["area_ratio"] == pytest.approx(32 / 24)
    assert [row[name] for name in metrics.COUNTS] == [24, 32, 16, 200, 0]


def test_distances_of_shifted_squares_by_hand():
    truth = rectangle((12, 12), 2, 5, 2, 5)  # 3x3: 8 border pixels around one inner pixel
    prediction = rectangle((12, 12), 2, 5, 4, 7)  # the same, two columns to the right
    from_truth, from_prediction = metrics.border_distances(truth, prediction)
    # Row by row: distances of the left square's border to the right one's.
    np.testing.assert_array_equal(from_truth, [2, 1, 0, 2, 0, 2, 1, 0])
    np.testing.assert_array_equal(np.sort(from_prediction), np.sort(from_truth))
    row = metrics.score_pair(truth, prediction)
    assert row["average_surface_distance"] == pytest.approx(1.0)
    assert row["hd95"] == pytest.approx(2.0)
    assert metrics.surface_dice_at(from_truth, from_prediction, 0) == pytest.approx(6 / 16)
    assert metrics.surface_dice_at(from_truth, from_prediction, 1) == pytest.approx(10 / 16)
    assert metrics.surface_dice_at(from_truth, from_prediction, 2) == 1
    assert metrics.surface_tolerance(truth.shape) == 1  # 2 % of 17 pixels, raised to one pixel
    assert row["surface_dice"] == pytest.approx(10 / 16)


def test_hd95_is_the_larger_direction_not_the_pool():
    truth = rectangle((60, 60), 0, 1, 0, 10)
    prediction = truth.copy()
    prediction[50, 0] = 1  # one border pixel in eleven is 50 pixels away from the truth
    from_truth, from_prediction = metrics.border_distances(truth, prediction)
    assert from_truth.max() == 0
    expected = np.percentile([0.0] * 10 + [50.0], 95)
    assert metrics.score_pair(truth, prediction)["hd95"] == pytest.approx(expected)
    pooled = np.percentile(np.concatenate([from_truth, from_prediction]), 95)
    assert expected > pooled


def test_thresholded_jaccard_keeps_what_reaches_the_threshold():
    truth = rectangle((10, 10), 0, 10, 0, 10)
    assert metrics.score_pair(truth, rectangle((10, 10), 0, 10, 0, 6))["thresholded_jaccard"] == 0
    prediction = truth.copy()
    prediction.flat[:35] = 0  # Jaccard is exactly 0.65
    assert metrics.score_pair(truth, prediction)["thresholded_jaccard"] == 0.65


def test_tolerance_scales_with_the_picture():
    assert metrics.surface_tolerance((300, 400)) == pytest.approx(10.0)
    assert metrics.surface_tolerance((3000, 4000)) == pytest.approx(100.0)
    assert metrics.surface_tolerance((5, 5)) == 1.0


@pytest.mark.parametrize(
    ("box", "touches"),
    [
        ((0, 3, 4, 6), 1),
        ((7, 10, 4, 6), 1),
        ((4, 6, 0, 2), 1),
        ((4, 6, 8, 10), 1),
        ((1, 9, 1, 9), 0),
    ],
)
def test_touches_frame(box, touches):
    truth = rectangle((10, 10), *box)
    assert metrics.score_pair(truth, truth)["touches_frame"] == touches


# --- empty masks --------------------------------------------------------------------------------

OVERLAPS = ("dice", "jaccard", "thresholded_jaccard", "surface_dice")
DISTANCES = ("hd95", "average_surface_distance")
EMPTY, LESION, FULL = (
    np.zeros((8, 9), np.uint8),
    rectangle((8, 9), 2, 4, 2, 4),
    np.ones((8, 9), np.uint8),
)


def test_both_empty():
    row = metrics.score_pair(EMPTY, EMPTY)
    assert [row[name] for name in OVERLAPS] == [1, 1, 1, 1]
    assert all(np.isnan(row[name]) for name in DISTANCES)
    assert (row["sensitivity"], row["specificity"], row["area_ratio"]) == (1, 1, 1)


def test_prediction_empty():
    row = metrics.score_pair(LESION, EMPTY)
    assert [row[name] for name in OVERLAPS] == [0, 0, 0, 0]
    assert all(np.isnan(row[name]) for name in DISTANCES)
    assert (row["sensitivity"], row["specificity"], row["area_ratio"]) == (0, 1, 0)


def test_truth_empty():
    row = metrics.score_pair(EMPTY, LESION)
    assert [row[name] for name in OVERLAPS] == [0, 0, 0, 0]
    assert all(np.isnan(row[name]) for name in (*DISTANCES, "area_ratio"))
    assert (row["sensitivity"], row["specificity"]) == (1, pytest.approx(68 / 72))


def test_full_masks():
    row = metrics.score_pair(FULL, FULL)
    assert [row[name] for name in (*OVERLAPS, *DISTANCES)] == [1, 1, 1, 1, 0, 0]
    assert row["specificity"] == 1
    assert metrics.score_pair(LESION, FULL)["specificity"] == 0


def test_empty_mask_has_no_border():
    with pytest.raises(ValueError, match="empty mask"):
        metrics.border_distances(EMPTY, LESION)


# --- wrong input --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("truth", "prediction", "message"),
    [
        (LESION, LESION[:-1], "own size"),
        (LESION * 200, LESION, "truth must hold 0 and 1 only.*200"),
        (LESION.astype(int) * 255, LESION, "truth must hold 0 and 1 only.*255"),
        (LESION, LESION * 2, "prediction must hold 0 and 1 only"),
        (LESION, LESION * 0.7, "threshold"),
        (LESION, np.where(LESION, 1.0, 0.3), "threshold"),
        (LESION, np.where(LESION, 1.0, np.nan), "prediction must hold 0 and 1 only"),
        (LESION, LESION.astype(int) - 1, "prediction must hold 0 and 1 only"),
        (LESION[..., None], LESION[..., None], "height, width"),
        (LESION[:0], LESION[:0], "height, width"),
    ],
)
def test_what_is_no_mask_is_refused(truth, prediction, message):
    with pytest.raises(ValueError, match=message):
        metrics.score_pair(truth, prediction)


def test_bool_and_float_masks_score_alike():
    prediction = rectangle((8, 9), 1, 4, 2, 5)
    expected = metrics.score_pair(LESION, prediction)
    assert metrics.score_pair(LESION.astype(bool), prediction.astype(np.float32)) == expected


# --- brute force --------------------------------------------------------------------------------


def brute_force_border(mask):
    height, width = mask.shape
    return [
        (row, column)
        for row in range(height)
        for column in range(width)
        if mask[row, column]
        and any(
            not (0 <= y < height and 0 <= x < width and mask[y, x])
            for y, x in (
                (row - 1, column),
                (row + 1, column),
                (row, column - 1),
                (row, column + 1),
            )
        )
    ]


def brute_force_distances(here, there):
    return [min(np.hypot(y - v, x - u) for v, u in there) for y, x in here]


@st.composite
def mask_pairs(draw):
    shape = draw(st.tuples(st.integers(1, 9), st.integers(1, 9)))
    # Noise alone is nearly all border: boxes bring inner pixels and bounding boxes of all kinds.
    masks = []
    for _ in range(2):
        noise = draw(arrays(np.uint8, shape, elements=st.integers(0, 1)))
        rows = sorted(draw(st.tuples(*[st.integers(0, shape[0])] * 2)))
        columns = sorted(draw(st.tuples(*[st.integers(0, shape[1])] * 2)))
        box = rectangle(shape, *rows, *columns)
        masks.append(draw(st.sampled_from([noise, box, box & noise, box | noise])))
    return masks


@settings(max_examples=150, deadline=None)
@given(mask_pairs(), st.floats(0, 12))
def test_surface_scores_agree_with_brute_force(pair, tolerance):
    truth, prediction = pair
    row = metrics.score_pair(truth, prediction)
    if not (truth.any() and prediction.any()):
        assert np.isnan(row["hd95"])
        assert np.isnan(row["average_surface_distance"])
        assert row["surface_dice"] == float(not truth.any() and not prediction.any())
        return
    true_border, predicted_border = brute_force_border(truth), brute_force_border(prediction)
    from_truth = brute_force_distances(true_border, predicted_border)
    from_prediction = brute_force_distances(predicted_border, true_border)
    both = np.array(from_truth + from_prediction)
    hd95 = max(np.percentile(from_truth, 95), np.percentile(from_prediction, 95))
    assert row["hd95"] == pytest.approx(hd95)
    assert row["average_surface_distance"] == pytest.approx(both.mean())
    assert row["surface_dice"] == pytest.approx(np.mean(both <= 1))
    distances = metrics.border_distances(truth, prediction)
    assert metrics.surface_dice_at(*distances, tolerance) == pytest.approx(
        np.mean(both <= tolerance)
    )


@settings(max_examples=60, deadline=None)
@given(mask_pairs())
def test_overlap_scores_keep_their_laws(pair):
    truth, prediction = pair
    row, swapped = metrics.score_pair(truth, prediction), metrics.score_pair(prediction, truth)
    assert row["dice"] == pytest.approx(2 * row["jaccard"] / (1 + row["jaccard"]))
    for name in (*OVERLAPS, *DISTANCES):
        assert row[name] == pytest.approx(swapped[name], nan_ok=True)
    if truth.any() and prediction.any():
        # A frame of background moves nothing but what is said of the frame.
        padded = metrics.score_pair(np.pad(truth, 3), np.pad(prediction, 3))
        for name in ("dice", "hd95", "average_surface_distance"):
            assert padded[name] == pytest.approx(row[name])


# --- the ISIC challenge's scorer ----------------------------------------------------------------


def official_scores(truth, prediction):
    scoring = pytest.importorskip("isic_challenge_scoring.metrics")
    from isic_challenge_scoring.confusion import create_binary_confusion_matrix

    matrix = create_binary_confusion_matrix(truth == 1, prediction == 1)
    return {
        "dice": scoring.binary_dice(matrix),
        "jaccard": scoring.binary_jaccard(matrix),
        "thresholded_jaccard": scoring.binary_threshold_jaccard(
            matrix, threshold=metrics.JACCARD_THRESHOLD
        ),
        "sensitivity": scoring.binary_sensitivity(matrix),
        "specificity": scoring.binary_specificity(matrix),
    }


def assert_official(truth, prediction):
    row = metrics.score_pair(truth, prediction)
    for name, value in official_scores(truth, prediction).items():
        assert row[name] == pytest.approx(value, abs=1e-6), name


def test_official_scorer_agrees_on_random_masks():
    rng = np.random.default_rng(0)
    for _ in range(60):
        shape = rng.integers(1, 80, 2)
        shares = rng.choice([0, 0.05, 0.3, 0.8, 1], 2)
        truth, prediction = ((rng.random(shape) < share).astype(np.uint8) for share in shares)
        assert_official(truth, prediction)
        # Masks that overlap well, so that the thresholded Jaccard is tried on both sides of .65.
        assert_official(truth, truth ^ (rng.random(shape) < rng.random() / 3))


def test_official_scorer_agrees_on_files_as_it_is_run(tmp_path):
    segmentation = pytest.importorskip("isic_challenge_scoring.segmentation")
    rng = np.random.default_rng(1)
    rows = []
    for folder in ("truth", "prediction"):
        (tmp_path / folder).mkdir()
    for number in range(8):
        truth = (rng.random((40, 50)) < 0.5).astype(np.uint8)
        prediction = truth ^ (rng.random(truth.shape) < 0.05 * number)
        rows.append(metrics.score_pair(truth, prediction))
        for folder, mask in (("truth", truth), ("prediction", prediction)):
            path = tmp_path / folder / f"ISIC_{number:07d}_segmentation.png"
            Image.fromarray(mask * np.uint8(255)).save(path)
    score = segmentation.SegmentationScore.from_dir(tmp_path / "truth", tmp_path / "prediction")
    assert 0 < score.overall < 1
    assert np.mean([row["thresholded_jaccard"] for row in rows]) == pytest.approx(
        score.overall, abs=1e-6
    )
    for name in ("dice", "jaccard", "sensitivity", "specificity"):
        mean = np.mean([row[name] for row in rows])
        assert mean == pytest.approx(score.macro_average[name], abs=1e-6)


def test_official_scorer_agrees_on_real_masks(shared_data):
    folder = shared_data / "isic2018" / "masks"
    files = sorted(folder.glob("*.png"))[::200]
    masks = [(np.asarray(Image.open(file).convert("L")) > 127).astype(np.uint8) for file in files]
    for truth, other in zip(masks, masks[1:] + masks[:1], strict=True):
        assert_official(truth, other)
        assert_official(truth, np.roll(truth, 25, axis=1))


# --- size ---------------------------------------------------------------------------------------


def test_a_large_pair_is_scored_at_once():
    rows, columns = np.ogrid[:1500, :2000]
    truth = (np.hypot(rows - 750, columns - 1000) < 520).astype(np.uint8)
    prediction = (np.hypot(rows - 720, columns - 1040) < 500).astype(np.uint8)
    times = []
    for _ in range(3):
        start = time.perf_counter()
        metrics.score_pair(truth, prediction)
        times.append(time.perf_counter() - start)
    assert min(times) < 0.3  # it takes some 0.02 s


# --- thresholds ---------------------------------------------------------------------------------


def random_predictions(seed, number=6):
    rng = np.random.default_rng(seed)
    for _ in range(number):
        shape = rng.integers(5, 40, 2)
        truth = (rng.random(shape) < 0.4).astype(np.uint8)
        # Multiples of 0.01 fall on the thresholds themselves, where >= and > differ.
        noise = np.round(rng.normal(0, 0.25, shape), 2)
        yield truth, np.clip(0.3 + 0.3 * truth + noise, 0, 1).astype(np.float32)


def test_dice_at_thresholds_is_exact():
    for truth, probability in random_predictions(0):
        dice = metrics.dice_at_thresholds(truth, probability, THRESHOLDS)
        for threshold, value in zip(THRESHOLDS, dice, strict=True):
            mask = mask_at(probability, threshold)
            assert value == metrics.score_pair(truth, mask)["dice"] == metrics.dice(truth, mask)


def test_dice_at_thresholds_of_empty_masks():
    probability = np.full((4, 4), 0.5, np.float32)
    empty, thresholds = np.zeros((4, 4), np.uint8), [0.4, 0.5, 0.6]
    np.testing.assert_array_equal(
        metrics.dice_at_thresholds(empty, probability, thresholds), [0, 0, 1]
    )


@pytest.mark.parametrize("value", [np.nan, -0.1, 1.1])
def test_dice_at_thresholds_refuses_what_is_no_probability(value):
    probability = np.full(LESION.shape, 0.5, np.float32)
    probability[0, 0] = value
    with pytest.raises(ValueError, match=r"0\.\.1"):
        metrics.dice_at_thresholds(LESION, probability, THRESHOLDS)


def test_dice_at_thresholds_refuses_disorder():
    with pytest.raises(ValueError, match="ascending"):
        metrics.dice_at_thresholds(LESION, LESION.astype(np.float32), [0.5, 0.4])


def test_mask_at_includes_the_threshold():
    mask = mask_at(np.array([[0.69, 0.7, 0.71]], np.float32), 0.7)
    assert mask.dtype == np.uint8
    assert mask.tolist() == [[0, 1, 1]]
