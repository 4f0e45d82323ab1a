"""summaries.py: intervals that cover, tests that reject, nothing left out uncounted."""

import itertools
import json
import warnings

import numpy as np
import pytest

from lesion.score import metrics, summaries
from lesion.score.results import in_brackets


def pair(true_pixels, predicted_pixels, intersection, shape=(10, 10)):
    """Two masks of these sizes with this overlap."""
    truth, prediction = np.zeros((2, *shape), np.uint8)
    truth.flat[:true_pixels] = 1
    start = true_pixels - intersection
    prediction.flat[start : start + predicted_pixels] = 1
    return truth, prediction


def some_rows():
    sizes = [(40, 40, 30), (20, 10, 10), (10, 10, 0), (0, 0, 0), (30, 0, 0), (5, 0, 0), (0, 5, 0)]
    return [metrics.score_pair(*pair(*size)) for size in sizes]


# --- intervals ----------------------------------------------------------------------------------


def test_interval_holds_the_mean_and_is_repeatable():
    values = np.random.default_rng(3).beta(5, 2, 120)
    lower, upper = summaries.bootstrap_interval(values)
    assert lower < values.mean() < upper
    assert summaries.bootstrap_interval(values) == (lower, upper)


def test_interval_agrees_with_theory_and_shrinks():
    rng = np.random.default_rng(0)
    widths = {}
    for number in (50, 200, 5000):
        values = rng.normal(0.8, 0.1, number)
        lower, upper = summaries.bootstrap_interval(values)
        widths[number] = upper - lower
        expected = 2 * 1.96 * values.std() / np.sqrt(number)
        assert upper - lower == pytest.approx(expected, rel=0.12)
    assert widths[50] > widths[200] > widths[5000]


def test_interval_covers_the_true_mean_about_95_times_in_100():
    rng = np.random.default_rng(1)
    hits = 0
    for _ in range(200):
        lower, upper = summaries.bootstrap_interval(rng.uniform(0, 1, 60))
        hits += lower <= 0.5 <= upper
    assert 176 <= hits <= 200


def test_interval_of_equal_values_is_their_value():
    assert summaries.bootstrap_interval([0.1] * 7) == (0.1, 0.1)
    assert summaries.bootstrap_interval([0.3]) == (0.3, 0.3)


@pytest.mark.parametrize("values", [[], [0.5, np.nan], [np.inf]])
def test_interval_refuses_what_has_no_mean(values):
    with pytest.raises(ValueError, match="finite"):
        summaries.bootstrap_interval(values)


# --- a set --------------------------------------------------------------------------------------


def test_summarise_by_hand():
    summary = summaries.summarise(some_rows())
    dice = [60 / 80, 20 / 30, 0, 1, 0, 0, 0]
    jaccard = [30 / 50, 10 / 20, 0, 1, 0, 0, 0]
    assert summary["count"] == 7
    assert summary["dice"]["mean"] == pytest.approx(np.mean(dice))
    assert summary["dice"]["median"] == pytest.approx(np.median(dice))
    assert summary["dice"]["interval"] == list(summaries.bootstrap_interval(dice))
    assert summary["jaccard"]["mean"] == pytest.approx(np.mean(jaccard))
    assert summary["thresholded_jaccard"]["mean"] == pytest.approx(1 / 7)
    assert summary["share_dice_below_0.5"] == pytest.approx(4 / 7)
    assert summary["share_jaccard_below_0.65"] == pytest.approx(6 / 7)
    assert summary["empty_truth"] == 2
    assert summary["empty_prediction"] == 3
    assert summary["undefined_distances"] == 4
    # 30 + 10 pixels in both; 105 true and 65 predicted ones in all.
    assert summary["pooled_dice"] == pytest.approx(2 * 40 / 170)


def test_summarise_counts_what_it_leaves_out():
    rows = some_rows()
    summary = summaries.summarise(rows)
    defined = [row["hd95"] for row in rows[:3]]
    assert summary["hd95"]["mean"] == pytest.approx(np.mean(defined))
    assert summary["hd95"]["undefined"] == 4
    assert summary["area_ratio"]["undefined"] == 1
    assert summary["dice"]["undefined"] == 0
    only_empty = summaries.summarise(rows[3:])
    assert only_empty["hd95"] == {"mean": None, "median": None, "interval": None, "undefined": 4}


def test_summarise_is_repeatable_and_goes_into_json():
    rows = some_rows()
    summary = summaries.summarise(rows)
    assert json.loads(json.dumps(summary, allow_nan=False)) == summary
    assert summaries.summarise([row | {"name": "x"} for row in rows]) == summary


def test_pooled_dice_is_that_of_one_picture_made_of_all():
    rng = np.random.default_rng(2)
    pairs = [(rng.random((2, 20, 30)) < share).astype(np.uint8) for share in (0.1, 0.5, 0.9)]
    together = metrics.score_pair(*np.concatenate(pairs, axis=1))
    rows = [metrics.score_pair(*one) for one in pairs]
    assert summaries.summarise(rows)["pooled_dice"] == pytest.approx(together["dice"])
    assert summaries.summarise([some_rows()[3]])["pooled_dice"] == 1


def test_summarise_refuses_an_empty_set():
    with pytest.raises(ValueError, match="empty"):
        summaries.summarise([])


# --- two models ---------------------------------------------------------------------------------


def test_compare_paired_by_hand():
    a = np.array([0.9, 0.8, 0.7, 0.6, 0.5, 0.4])
    b = a - [0.01, 0.02, 0.03, 0.04, 0.05, 0.06]
    result = summaries.compare_paired(a, b)
    assert result["mean_difference"] == pytest.approx(0.035)
    assert result["interval"][0] < 0.035 < result["interval"][1]
    assert result["p_value"] == pytest.approx(2 / 2**6)  # all six signs alike, either way
    mirrored = summaries.compare_paired(b, a)
    assert mirrored["mean_difference"] == pytest.approx(-0.035)
    assert mirrored["p_value"] == result["p_value"]


def test_compare_paired_of_equal_scores():
    scores = [0.9, 0.8, 0.7]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        result = summaries.compare_paired(scores, scores)
        # 0.1 + 0.2 is not 0.3 in floating point, and no difference either.
        rounding = summaries.compare_paired([0.1 + 0.2] * 9 + [0.5], [0.3] * 9 + [0.5])
    assert result == {
        "count": 3,
        "undefined": 0,
        "mean_difference": 0.0,
        "interval": [0.0, 0.0],
        "p_value": 1.0,
    }
    assert rounding["p_value"] == 1


def exact_pratt_p_value(difference):
    """Two-sided signed-rank test over all sign patterns, zeros ranked and then left out."""
    from scipy.stats import rankdata

    ranks = rankdata(np.abs(difference))[difference != 0]
    signs = difference[difference != 0] > 0
    sums = [ranks[list(s)].sum() for s in itertools.product((False, True), repeat=ranks.size)]
    distance = abs(ranks[signs].sum() - ranks.sum() / 2)
    return np.mean(np.abs(np.array(sums) - ranks.sum() / 2) >= distance - 1e-9)


def test_compare_paired_handles_ties_and_zeros():
    difference = np.array([0.1, 0.1, -0.1, 0, 0, -0.2, 0.2, 0.3, 0.4, 0.5, 0])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        result = summaries.compare_paired(0.5 + difference, np.full(11, 0.5))
    assert result["count"] == 11
    assert result["p_value"] == pytest.approx(exact_pratt_p_value(difference))
    without_zeros = exact_pratt_p_value(difference[difference != 0])
    assert result["p_value"] != pytest.approx(without_zeros)  # else zeros were not tried


def test_compare_paired_rejects_about_5_times_in_100_without_a_difference():
    rng = np.random.default_rng(6)
    rejected = [
        summaries.compare_paired(*rng.normal(0.8, 0.1, (2, 60)))["p_value"] < 0.05
        for _ in range(200)
    ]
    assert sum(rejected) <= 20
    better = rng.normal(0.8, 0.1, 60)
    assert summaries.compare_paired(better, better - rng.normal(0.02, 0.02, 60))["p_value"] < 1e-4


def test_compare_paired_counts_undefined_scores():
    result = summaries.compare_paired([1.0, np.nan, 3.0, 5.0], [0.5, 1.0, np.nan, 4.0])
    assert (result["count"], result["undefined"]) == (2, 2)
    assert result["mean_difference"] == pytest.approx(0.75)
    with pytest.raises(ValueError, match="nothing to compare"):
        summaries.compare_paired([np.nan], [1.0])
    with pytest.raises(ValueError, match="same pictures"):
        summaries.compare_paired([1.0, 0.5], [1.0])


# --- strata -------------------------------------------------------------------------------------


def test_strata_by_lesion_size():
    sizes = [0, 4, 5, 9, 10, 19, 20, 39, 40, 100]
    rows = [metrics.score_pair(*pair(size, size, size)) for size in sizes]
    result = summaries.strata(rows, "lesion_size")
    assert [part["name"] for part in result] == [name for _, name in summaries.SIZE_STRATA]
    assert [part["count"] for part in result] == [1, 1, 2, 2, 2, 2]


def test_strata_by_frame():
    inside = np.zeros((10, 10), np.uint8)
    inside[4:6, 4:6] = 1
    cut = np.roll(inside, 4, axis=0)
    rows = [
        metrics.score_pair(*masks)
        for masks in ((inside, inside), (cut, inside), (inside, inside), (cut, cut))
    ]
    result = summaries.strata(rows, "touches_frame")
    assert [(part["name"], part["count"], part["mean_dice"]) for part in result] == [
        ("inside the frame", 2, 1.0),
        ("cut by the frame", 2, 0.5),
    ]
    assert result[1]["interval"] == list(summaries.bootstrap_interval([0.0, 1.0]))
    assert [part["name"] for part in summaries.strata(rows[:1], "touches_frame")] == [
        "inside the frame"
    ]


def test_strata_by_metadata_loses_no_picture():
    values = ["nv", "mel", "nv", "", None, float("nan"), " mel ", "nv", "bkl"]
    row = some_rows()[0]
    rows = [row | {"dx": value} for value in values] + [row]
    result = summaries.strata(rows, "dx")
    assert [(part["name"], part["count"]) for part in result] == [
        ("nv", 3),
        ("mel", 2),
        ("bkl", 1),
        ("unknown", 4),
    ]
    with pytest.raises(ValueError, match="'site'"):
        summaries.strata(rows, "site")


# --- calibration --------------------------------------------------------------------------------


def test_calibrated_probabilities_lie_on_the_diagonal():
    rng = np.random.default_rng(0)
    calibration = summaries.Calibration()
    for shape in ((300, 400), (500, 200), (640, 480)):
        probability = rng.random(shape, np.float32)
        calibration.update((rng.random(shape) < probability).astype(np.uint8), probability)
    curve = calibration.curve()
    assert calibration.expected_calibration_error() < 0.005
    np.testing.assert_allclose(curve["frequency"], curve["probability"], atol=0.02)
    assert curve["pixels"].sum() == 120_000 + 100_000 + 307_200
    assert all(len(values) == 15 for values in curve.values())
    assert (curve["lower"] <= curve["probability"]).all()
    assert (curve["probability"] <= curve["upper"]).all()


def test_overconfident_probabilities_show_their_error():
    rng = np.random.default_rng(1)
    truth = (rng.random((400, 400)) < 0.7).astype(np.uint8)
    calibration = summaries.Calibration()
    calibration.update(truth, np.full(truth.shape, 0.9, np.float32))
    error = calibration.expected_calibration_error()
    assert error == pytest.approx(0.9 - truth.mean(), abs=1e-6)


def test_calibration_by_hand_and_as_a_stream():
    truth = np.array([[0, 1, 1, 1]], np.uint8)
    probability = np.array([[0.0, 0.2, 0.21, 1.0]], np.float32)
    at_once, streamed = summaries.Calibration(), summaries.Calibration()
    at_once.update(truth, probability)
    for column in range(4):
        streamed.update(truth[:, column : column + 1], probability[:, column : column + 1])
    # Bin 3 is [0.2, 0.267): two pixels, .205 predicted, all lesion. The others are right.
    for calibration in (at_once, streamed):
        assert calibration.expected_calibration_error() == pytest.approx(2 / 4 * (1 - 0.205))
        pixels = calibration.curve()["pixels"]
        assert pixels[[0, 3, 14]].tolist() == [1, 2, 1]
        assert np.isnan(calibration.curve()["frequency"][1])


def test_calibration_refuses_what_it_cannot_count():
    calibration = summaries.Calibration()
    with pytest.raises(ValueError, match="no pixels"):
        calibration.expected_calibration_error()
    truth = np.zeros((3, 3), np.uint8)
    with pytest.raises(ValueError, match=r"0\.\.1"):
        calibration.update(truth, np.full((3, 3), np.nan, np.float32))
    with pytest.raises(ValueError, match="own size"):
        calibration.update(truth, np.zeros((3, 4), np.float32))


def test_an_interval_of_one_picture_is_not_written():
    assert in_brackets(0.8, 0.75, 0.85) == "0.800 [0.750, 0.850]"
    assert in_brackets(0.8, 0.8, 0.8) == "0.800"
