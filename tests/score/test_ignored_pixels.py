"""Pixels that the truth ignores count in no score: small masks, counted by hand."""

import numpy as np
import pytest

from lesion.masks import IGNORED
from lesion.score import metrics
from lesion.score.baselines import CentredDisc
from lesion.score.choice import THRESHOLDS, dice_both_ways
from lesion.score.summaries import Calibration
from lesion.show.errors import border_errors
from lesion.show.gallery import as_mask

# o: background, X: lesion, -: ignored
LETTERS = {"o": 0, "X": 1, "-": IGNORED}


def mask(*rows):
    return np.array([[LETTERS[letter] for letter in row] for row in rows], np.uint8)


TRUTH = mask("oX-X", "oX-o", "oo-o")
PREDICTION = mask("oXXo", "XXXo", "ooXX")


def test_scores_are_those_of_the_other_pixels():
    # Counted are 9 pixels: 3 of lesion, 4 predicted, of which 2 both.
    row = metrics.score_pair(TRUTH, PREDICTION)
    counts = ("true_pixels", "predicted_pixels", "intersection_pixels", "picture_pixels")
    assert [row[name] for name in counts] == [3, 4, 2, 9]
    assert row["dice"] == metrics.dice(TRUTH, PREDICTION) == pytest.approx(4 / 7)
    assert row["jaccard"] == pytest.approx(2 / 5)
    assert row["sensitivity"] == pytest.approx(2 / 3)
    assert row["specificity"] == pytest.approx(4 / 6)
    assert row["area_ratio"] == pytest.approx(4 / 3)
    without = np.delete(np.where(TRUTH == IGNORED, 0, TRUTH), 2, axis=1)
    expected = metrics.score_pair(without, np.delete(PREDICTION, 2, axis=1))
    for name in ("dice", "jaccard", "thresholded_jaccard", "sensitivity", "specificity"):
        assert row[name] == expected[name]


def test_what_is_predicted_where_it_is_ignored_changes_no_score():
    rows = []
    for value in (0, 1):
        prediction = np.where(TRUTH == IGNORED, value, PREDICTION).astype(np.uint8)
        row = metrics.score_pair(TRUTH, prediction)
        rows.append({key: row[key] for key in metrics.SCORES[:5] + metrics.COUNTS})
    assert rows[0] == rows[1]


def test_a_lesion_that_is_ignored_wholly_is_no_lesion():
    row = metrics.score_pair(mask("--o", "--o"), mask("XXo", "oXo"))
    assert (row["dice"], row["surface_dice"], row["area_ratio"]) == (1, 1, 1)
    assert np.isnan(row["hd95"])
    row = metrics.score_pair(mask("--o", "--o"), mask("XXX", "oXo"))
    assert (row["dice"], row["surface_dice"]) == (0, 0)


def test_the_frame_is_touched_by_lesion_alone():
    assert metrics.score_pair(mask("---", "-X-", "---"), mask(*["ooo"] * 3))["touches_frame"] == 0
    assert metrics.score_pair(mask("-X-", "-X-", "---"), mask(*["ooo"] * 3))["touches_frame"] == 1


def test_a_border_within_an_ignored_ring_is_right_wherever_it_runs():
    truth = mask("-----o", "-XXX-o", "-XXX-o", "-----o", "oooooo")
    for prediction in (
        mask("oooooo", "oXXXoo", "oXXXoo", "oooooo", "oooooo"),
        mask("XXXXXo", "XXXXXo", "XXXXXo", "XXXXXo", "oooooo"),
        mask("oooooo", "XXXXXo", "XXXXoo", "oooooo", "oooooo"),
    ):
        row = metrics.score_pair(truth, prediction)
        assert (row["dice"], row["hd95"], row["average_surface_distance"]) == (1, 0, 0)
    # One pixel beyond the ring: all border pixels of the truth are predicted, and it is 1 off.
    wide = mask("oooooo", "XXXXXX", "XXXXXo", "oooooo", "oooooo")
    from_truth, from_prediction = metrics.border_distances(truth, wide)
    assert from_truth.tolist() == [0] * 10
    assert sorted(from_prediction) == [0] * 10 + [1]


def test_thresholds_are_chosen_on_the_other_pixels():
    probability = np.array([[0.9, 0.7, 0.1], [0.2, 0.6, 0.8]], np.float32)
    truth = mask("X-o", "oX-")
    # At 0.15: X is found twice, and one o: 4 / 5; at 0.65 one X is missed: 2 / 3.
    dice = metrics.dice_at_thresholds(truth, probability, np.array([0.15, 0.5, 0.65]))
    np.testing.assert_allclose(dice, [4 / 5, 1, 2 / 3])
    every, largest = dice_both_ways(truth, probability)
    at_half = int(np.flatnonzero(THRESHOLDS == 0.5)[0])
    assert every[at_half] == largest[at_half] == 1


def test_calibration_counts_the_other_pixels():
    calibration, expected = Calibration(), Calibration()
    probability = np.array([[0.9, 0.7, 0.1], [0.2, 0.6, 0.8]], np.float32)
    calibration.update(mask("X-o", "oX-"), probability)
    expected.update(mask("Xo", "oX"), probability[[0, 0, 1, 1], [0, 2, 0, 1]].reshape(2, 2))
    for name, values in expected.curve().items():
        np.testing.assert_array_equal(calibration.curve()[name], values)
    assert calibration.curve()["pixels"].sum() == 4


def test_the_centred_disc_is_fitted_on_the_other_pixels():
    y, x = np.mgrid[:40, :40]
    distance = np.hypot(x - 19.5, y - 19.5)
    truth = (distance < 8).astype(np.uint8)
    ring = np.where((distance >= 8) & (distance < 15), IGNORED, truth).astype(np.uint8)
    assert CentredDisc.fit([ring]).mask((40, 40))[truth == 1].all()
    # Lesion beyond what is ignored: a disc over both loses nothing by what lies between.
    far = np.where(distance < 18, 1, 0).astype(np.uint8)
    ignoring = np.where((distance >= 8) & (distance < 15), IGNORED, far).astype(np.uint8)
    assert CentredDisc.fit([ignoring]) == CentredDisc.fit([far])


def test_nothing_ignored_changes_nothing():
    rng = np.random.default_rng(1)
    truth, prediction = (rng.integers(0, 2, (30, 40), np.uint8) for _ in range(2))
    assert metrics.score_pair(truth, prediction) == metrics.score_pair(
        truth.astype(bool), prediction
    )


def test_figures_show_lesion_alone():
    assert as_mask(mask("oX-"), 3).tolist() == [[0, 1, 0]]
    assert as_mask(np.array([[0, 1, -1]], np.float32), 3).tolist() == [[0, 1, 0]]
    truth = np.zeros((40, 40), np.uint8)
    truth[10:20, 10:20] = 1
    truth[20:30, 10:20] = IGNORED
    picture, prediction = np.zeros((40, 40, 3), np.uint8), np.zeros((40, 40), np.uint8)
    prediction[10:30, 10:20] = 1
    row = {"name": "x", "picture": picture, "truth": truth, "prediction": prediction, "dice": 1.0}
    title = border_errors([row]).axes[0].get_title()
    assert "mean 0.0 %, largest 0.0 %" in title
