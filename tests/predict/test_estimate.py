"""The quality estimate of one picture: evidence, distance, and what never gets a high one."""

import json

import numpy as np
import pytest

from lesion.predict.estimate import Evidence, QualityEstimate, evidence_of, judge


def estimate(weights=(2, 0, 0, 0), limit=3.0):
    """Know features around (0, 1), which vary twice as much in the first direction."""
    return QualityEstimate(
        weights=np.array(weights, np.float64),
        limit=limit,
        mean=np.array([0, 1], np.float32),
        scale=np.ones(2, np.float32),
        directions=np.array([[1, 0]], np.float32),
        variances=np.array([4], np.float32),
        rest=1.0,
        pictures=100,
    )


def evidence(features=(0, 1), agreement=0.9, overlap=0.8, area=0.3):
    return Evidence(agreement, overlap, area, np.array(features, np.float32))


def test_overlap_is_the_dice_to_expect_of_the_probabilities():
    probability = np.zeros((2, 5), np.float32)
    probability[0] = (1.0, 0.8, 0.6, 0.4, 0.2)
    mask = (probability >= 0.5).astype(np.uint8)
    found = evidence_of(probability, mask, 0.7, None)
    assert found.overlap == pytest.approx(2 * 2.4 / (3 + 3))
    assert (found.agreement, found.area, found.features) == (0.7, 0.3, None)
    assert evidence_of(probability, mask * 0, 0.0, None).overlap == 0


def test_distance_is_mahalanobis_to_what_was_learnt_from():
    features = np.array([[0, 1], [2, 4], [-2, 1]], np.float32)
    expected = np.sqrt([0, (4 / 4 + 9) / 2, (4 / 4) / 2])
    np.testing.assert_allclose(estimate().distance(features), expected, rtol=1e-6)


def test_the_quality_is_a_logistic_regression_within_the_limit():
    quality, unfamiliar = judge(evidence((2, 4)), estimate((0.5, 1, -1, 2)))
    value = 0.5 + np.log(0.9 / 0.1) - np.log(0.8 / 0.2) + 2 * np.log(np.sqrt(5))
    assert (quality, unfamiliar) == (pytest.approx(1 / (1 + np.exp(-value))), False)


def test_no_high_quality_where_the_network_has_not_learnt_from_such():
    for away, most in ((4.5, 0.5), (9, 0.3), (90, 0.03)):
        quality, unfamiliar = judge(evidence((0, 1 + away)), estimate())
        assert unfamiliar is True
        assert 0 < quality < most
    assert judge(evidence((0, 1 + 4)), estimate())[0] > 0.8


@pytest.mark.parametrize("known", [None, estimate()])
def test_nothing_and_everything_are_no_lesion(known):
    assert judge(evidence(area=0), known)[0] == 0
    assert judge(evidence(area=1), known)[0] == 0
    assert 0 < judge(evidence(area=0.99), known)[0] < 0.6 < judge(evidence(area=0.97), known)[0]


def test_without_estimate_or_features_the_quality_is_the_agreement():
    assert judge(evidence(), None) == (0.9, None)
    assert judge(evidence()._replace(features=None), estimate()) == (0.9, None)
    assert judge(evidence((0, 1, 2)), estimate()) == (0.9, None)  # of another network


def test_an_estimate_is_the_same_after_being_kept_as_json():
    kept = estimate((0.1, 0.2, 0.3, -0.4))
    again = QualityEstimate.from_dict(json.loads(json.dumps(kept.to_dict())))
    assert judge(evidence((1, 2)), again) == judge(evidence((1, 2)), kept)
    assert again.pictures == 100
