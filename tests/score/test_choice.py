"""Threshold and one-lesion chosen on validation pictures, in one pass."""

import numpy as np
import pytest
from brightness import Brightness
from PIL import Image

from lesion.inputs.pairing import Pair, find_pairs
from lesion.masks import largest_component, mask_at
from lesion.predict.network import Network, load_network
from lesion.score import choice, evaluation
from lesion.score.choice import THRESHOLDS, best_threshold, choose_mask_rule, dice_both_ways
from lesion.score.evaluation import evaluate, of_method, predict_pairs
from lesion.score.metrics import score_pair


@pytest.fixture
def write_pair(tmp_path):
    """Write a pair of a probability and a truth, as a picture that `Brightness` turns into it."""

    def write(name, probability, truth):
        image, mask = tmp_path / f"{name}.png", tmp_path / f"{name}_mask.png"
        gray = np.rint(255 * probability).astype(np.uint8)
        Image.fromarray(np.repeat(gray[..., None], 3, axis=2)).save(image)
        Image.fromarray(truth * np.uint8(255)).save(mask)
        return Pair(name, image, mask)

    return write


@pytest.fixture
def spot():
    """A lesion of 25 pixels, found with 0.7; its rim of 24 more is given 0.3, a glint 0.9."""
    truth, probability = np.zeros((16, 16), np.uint8), np.zeros((16, 16), np.float32)
    truth[5:10, 5:10] = 1
    probability[4:11, 4:11], probability[5:10, 5:10] = 0.3, 0.7
    probability[0, :5] = 0.9
    return truth, probability


def test_dice_both_ways_by_hand(spot):
    every, largest = dice_both_ways(*spot)
    at = {threshold: index for index, threshold in enumerate(THRESHOLDS)}
    assert every[at[0.2]] == pytest.approx(2 * 25 / (25 + 49 + 5))
    assert every[at[0.5]] == pytest.approx(2 * 25 / (25 + 25 + 5))
    assert every[at[0.8]] == 0  # the glint alone
    assert largest[at[0.2]] == pytest.approx(2 * 25 / (25 + 49))
    assert largest[at[0.5]] == 1


def test_the_choice_is_the_best_of_both_ways_and_each_picture_is_predicted_once(write_pair, spot):
    truth, probability = spot
    two = np.zeros((16, 16), np.uint8)
    two[2:6, 2:6] = two[9:15, 9:15] = 1
    with_glint = write_pair("1", probability, truth)
    with_two_lesions = write_pair("2", 0.6 * two, two)
    for pairs, one_lesion in (([with_glint], True), ([with_two_lesions], False)):
        model = Brightness(16)
        rule = choose_mask_rule(Network(model, 16), pairs, progress=False)
        assert model.pictures == 1
        assert (rule.one_lesion, rule.validation_dice, rule.curve.max()) == (one_lesion, 1, 1)
        assert (rule.gain > 0) == one_lesion
        assert str(f"{rule.gain:+.4f}") in str(rule)
    assert rule.threshold == 0.5  # of many that are equally good the nearest to it
    assert rule.gain == pytest.approx(2 * 36 / (36 + 52) - 1)


def test_the_mean_is_that_of_evaluating_with_the_rule(trained, drawn_folder, monkeypatch):
    network = load_network(trained / "model.keras")
    pairs = find_pairs(drawn_folder).labelled
    assert len(pairs) < choice.FEWEST
    assert choose_mask_rule(network, pairs, progress=False).threshold == 0.5
    monkeypatch.setattr(choice, "FEWEST", len(pairs))
    rule = choose_mask_rule(network, pairs, progress=False)
    network.threshold, network.one_lesion = rule.threshold, rule.one_lesion
    rows = of_method(evaluate(network, pairs, progress=False))
    assert rule.validation_dice == pytest.approx(np.mean([row["dice"] for row in rows]), abs=1e-9)
    predicted = [(t, p.probability) for *_, t, p in predict_pairs(network, pairs, progress=False)]
    dice = []
    for threshold in THRESHOLDS:
        masks = [mask_at(probability, threshold) for _, probability in predicted]
        masks = [largest_component(mask) if rule.one_lesion else mask for mask in masks]
        scores = [score_pair(t, m)["dice"] for (t, _), m in zip(predicted, masks, strict=True)]
        dice.append(scores)
    np.testing.assert_allclose(rule.curve, np.mean(dice, axis=1), rtol=1e-12)
    assert rule.threshold == best_threshold(np.transpose(dice))


def test_the_two_ways_are_compared_where_each_would_be_cut(monkeypatch):
    scores = np.full((6, 2, len(THRESHOLDS)), 0.7)
    scores[:, :, THRESHOLDS == 0.5] = [[0.8], [0.6]]
    scores[:, 1, -1] = 0.81  # the highest of all, at a threshold that six pictures do not choose
    monkeypatch.setattr(choice, "map_pairs", lambda *_: scores)
    rule = choose_mask_rule(None, [None] * 6)
    assert (rule.threshold, rule.one_lesion) == (0.5, False)
    assert (rule.validation_dice, rule.gain) == pytest.approx((0.8, -0.2))
    monkeypatch.setattr(choice, "FEWEST", 6)
    rule = choose_mask_rule(None, [None] * 6)
    assert (rule.threshold, rule.one_lesion) == (THRESHOLDS[-1], True)
    assert (rule.validation_dice, rule.gain) == pytest.approx((0.81, 0.01))


def test_best_threshold_takes_the_middle_of_what_is_as_good_as_the_best():
    count = len(THRESHOLDS)
    assert best_threshold(np.ones((3, count))) == 0.5
    assert best_threshold(np.arange(count)[None]) == THRESHOLDS[-1]
    # Two pictures that differ: at 0.8 one gains 0.3, the other loses 0.1. Mean difference to 0.5:
    # 0.1, its standard error 0.2 / sqrt(2) = 0.14. With 8 such pictures it is 0.07: 0.8 is better.
    dice = np.zeros((2, count))
    dice[:, THRESHOLDS == 0.5] = 0.5
    dice[:, THRESHOLDS == 0.8] = [[0.8], [0.4]]
    assert best_threshold(dice) == 0.5
    assert best_threshold(np.tile(dice, (4, 1))) == 0.8


def test_an_even_sample_of_very_many_chooses(write_pair, spot, monkeypatch, capsys):
    pairs = [write_pair(str(number), spot[1], spot[0]) for number in range(9)]
    monkeypatch.setattr(evaluation, "MOST_PICTURES", 3)
    assert [pair.name for pair in evaluation.even_sample(pairs)] == ["0", "4", "8"]
    assert evaluation.even_sample(pairs[:3]) == pairs[:3]
    model = Brightness(16)
    choose_mask_rule(Network(model, 16), pairs, progress=False)
    assert model.pictures == 3
    assert "3 of 9 validation pictures" in capsys.readouterr().out


def test_an_empty_validation_set_is_refused():
    with pytest.raises(ValueError, match="validation set is empty"):
        choose_mask_rule(Network(Brightness(16), 16), [])


def test_memory_holds_one_picture_at_a_time(write_pair, spot, monkeypatch):
    """No probability outlives its turn, whatever the number of pictures."""
    import gc
    import weakref

    alive = []
    both_ways = choice.dice_both_ways

    def watched(truth, probability):
        alive.append(weakref.ref(probability))
        gc.collect()
        assert sum(one() is not None for one in alive) <= 3
        return both_ways(truth, probability)

    monkeypatch.setattr(choice, "dice_both_ways", watched)
    pairs = [write_pair(str(number), spot[1], spot[0]) for number in range(8)]
    choose_mask_rule(Network(Brightness(16), 16), pairs, progress=False)
    assert len(alive) == 8
