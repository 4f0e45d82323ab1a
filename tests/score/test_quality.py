"""The quality estimate without truth, and the measures of how good it is."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lesion.predict.estimate import agreement
from lesion.score.quality import assess_quality, risk_coverage

SCORES = st.lists(st.tuples(st.integers(0, 20), st.integers(0, 20)), min_size=1, max_size=40).map(
    lambda pairs: np.array(pairs).T / 20
)


def square(top, size=10, side=40):
    mask = np.zeros((side, side), np.uint8)
    mask[top : top + size, 10 : 10 + size] = 1
    return mask


def test_agreement_is_the_mean_dice_with_the_other_views():
    assert agreement(square(5), [square(5)] * 4) == 1
    assert agreement(square(5), [square(25)]) == 0
    assert agreement(square(5), [square(10), square(5)]) == pytest.approx((0.5 + 1) / 2)


def test_a_mask_that_finds_nothing_is_never_called_good():
    empty = np.zeros((40, 40), np.uint8)
    assert agreement(empty, [empty] * 4) == 0
    assert agreement(square(5), [empty]) == 0


def test_a_mask_alone_agrees_with_nothing():
    with pytest.raises(ValueError, match="one view at least"):
        agreement(square(5), [])


def test_a_perfect_estimate_flags_the_failures():
    dice = np.array([0.1, 0.3] + [0.9] * 18)
    report = assess_quality(dice, dice)
    assert report["flagged"] == 2
    assert report["failed_among_flagged"] == 1
    assert report["failed_among_all"] == pytest.approx(0.1)
    assert report["failures_flagged"] == 1
    assert report["rank_correlation"] == pytest.approx(1)
    assert report["area_under_risk_coverage"] == report["area_at_best"]


def test_a_constant_estimate_is_worth_as_much_as_chance():
    dice = np.array([0.1, 0.3] + [0.9] * 18)
    for order in (1, -1):  # whatever the order of the pictures
        report = assess_quality(np.full(20, 0.7), dice[::order])
        assert report["failed_among_flagged"] == pytest.approx(report["failed_among_all"])
        assert report["area_under_risk_coverage"] == pytest.approx(report["area_at_random"])
        assert report["rank_correlation"] is None


def test_an_estimate_the_wrong_way_round_is_worse_than_chance():
    dice = np.linspace(0, 1, 50)
    report = assess_quality(-dice, dice)
    assert report["failed_among_flagged"] == 0
    assert report["area_under_risk_coverage"] > report["area_at_random"]


def test_risk_and_coverage_by_hand():
    coverage, risk = risk_coverage([0.2, 0.9, 0.5], [0.4, 1.0, 0.7])
    np.testing.assert_allclose(coverage, [1 / 3, 2 / 3, 1])
    np.testing.assert_allclose(risk, [0, 0.15, 0.3])


@settings(max_examples=80, deadline=None)
@given(SCORES)
def test_areas_are_between_best_and_worst_and_the_curve_ends_at_the_mean(scores):
    quality, dice = scores
    report = assess_quality(quality, dice)
    low, high = report["area_at_best"], assess_quality(-dice, dice)["area_under_risk_coverage"]
    assert low - 1e-9 <= report["area_under_risk_coverage"] <= high + 1e-9
    assert report["curve"][-1]["coverage"] == 1
    assert report["curve"][-1]["risk"] == pytest.approx(report["area_at_random"])
    assert 1 <= report["flagged"] <= dice.size
    assert json.loads(json.dumps(report, allow_nan=False)) == report


@settings(max_examples=40, deadline=None)
@given(SCORES, st.randoms(use_true_random=False))
def test_nothing_depends_on_the_order_of_the_pictures(scores, random):
    order = list(range(scores.shape[1]))
    random.shuffle(order)
    first, second = assess_quality(*scores), assess_quality(*scores[:, order])
    for key in ("failed_among_flagged", "area_under_risk_coverage", "area_at_best"):
        assert first[key] == pytest.approx(second[key])


@pytest.mark.parametrize(
    ("quality", "dice"), [([], []), ([1], [1, 1]), ([np.nan], [1]), ([1], [np.nan])]
)
def test_what_cannot_be_assessed_is_refused(quality, dice):
    with pytest.raises(ValueError, match=r"needed|finite"):
        assess_quality(quality, dice)
