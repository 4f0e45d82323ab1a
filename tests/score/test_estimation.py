"""What is learnt from validation pictures: calibrated qualities, a limit, and when nothing is."""

import numpy as np
import pytest

from lesion.inputs.pairing import find_pairs
from lesion.predict.estimate import Evidence, judge
from lesion.predict.network import load_network
from lesion.score import estimation, evaluation
from lesion.score.estimation import fit_estimate, learn


def drawn_evidence(count, seed, moved=0.0):
    """Evidence of made-up pictures, and Dice that follow from agreement and overlap by a law."""
    random = np.random.default_rng(seed)
    agreement, overlap = random.uniform(0.5, 0.99, (2, count))
    features = random.normal(0, np.linspace(3, 0.1, 20), (count, 20)) + 5 + moved
    logits = 0.4 + 0.7 * np.log(agreement / (1 - agreement)) + 0.3 * np.log(overlap / (1 - overlap))
    dice = random.beta(10 / (1 + np.exp(-logits)), 10 / (1 + np.exp(logits)))
    parts = zip(agreement, overlap, features.astype(np.float32), strict=True)
    return [Evidence(a, o, 0.2, f) for a, o, f in parts], dice


def test_the_law_behind_the_scores_is_found_and_holds_for_new_pictures():
    learnt = learn(*drawn_evidence(2000, 0))
    np.testing.assert_allclose(learnt.weights, [0.4, 0.7, 0.3, 0], atol=0.1)
    evidence, dice = drawn_evidence(2000, 1)
    quality, unfamiliar = np.array([judge(one, learnt) for one in evidence]).T
    assert unfamiliar.mean() == pytest.approx(0.01, abs=0.01)
    familiar = unfamiliar == 0
    for low in (0.5, 0.6, 0.7, 0.8, 0.9):  # of those with an estimate of 0.7, the mean Dice is 0.7
        chosen = familiar & (quality >= low) & (quality < low + 0.1)
        assert quality[chosen].mean() == pytest.approx(dice[chosen].mean(), abs=0.03)


def test_other_pictures_are_unfamiliar():
    learnt = learn(*drawn_evidence(200, 0))
    # Further off by what is much in the directions that hardly vary, and little in the others.
    assert all(judge(one, learnt)[1] for one in drawn_evidence(50, 2, moved=2.0)[0])


def test_an_even_sample_of_a_network_s_pictures_is_learnt_from(trained, drawn_folder, monkeypatch):
    network, pairs = load_network(trained / "model.keras"), find_pairs(drawn_folder).labelled
    assert network.estimate is None
    assert fit_estimate(network, pairs, progress=False) is None  # 12 are too few
    monkeypatch.setattr(estimation, "LEAST_PICTURES", 10)
    monkeypatch.setattr(evaluation, "MOST_PICTURES", 11)
    learnt = fit_estimate(network, pairs, progress=False)
    assert learnt.pictures == 11
    assert learnt.mean.shape == (4,)  # the features of the narrow network
