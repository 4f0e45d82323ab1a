"""Several networks as one: what is averaged, and what the members may differ in."""

import numpy as np
import pytest

from lesion.predict import Ensemble, Network, join
from segment import RUNS, create_parser


class Constant:
    """Says one probability of every pixel of a picture of size x size."""

    def __init__(self, probability, size=4, channels=3):
        self.probability, self.input_shape = probability, (None, size, size, channels)

    def predict_on_batch(self, inputs):
        assert inputs.shape[1:] == self.input_shape[1:]
        return np.full((*inputs.shape[:3], 1), self.probability, np.float32)


class Columns(Constant):
    """Says 1 of the left half of what it sees."""

    def predict_on_batch(self, inputs):
        answer = np.zeros((*inputs.shape[:3], 1), np.float32)
        answer[:, :, : inputs.shape[2] // 2] = 1
        return answer


WHITE = np.full((6, 8, 3), 255, np.uint8)


def test_probabilities_are_averaged_whatever_the_members_see():
    members = [Network(Constant(0.25), 4), Network(Constant(0.75, 8, 1), 8)]
    network = join(members)
    assert network.image_size == 8
    np.testing.assert_array_equal(network.predict(WHITE).probability, np.full((6, 8), 0.5))
    assert join(members[:1]) is members[0]


def test_threshold_is_the_mean_and_one_lesion_what_most_have():
    def members(*choices):
        return [Network(Constant(0.5), 4, 0.2 * n, c) for n, c in enumerate(choices, 1)]

    three = Ensemble(members(True, True, False))
    assert (three.threshold, three.one_lesion) == (pytest.approx(0.4), True)
    assert not Ensemble(members(True, False)).one_lesion


def test_the_quality_counts_the_views_of_all_members():
    # The average is lesion where one of the two is sure. Of the eight views four find the half that
    # they see on the left (Dice 2 * 8 / (16 + 8) with the whole), four find everything.
    network = Ensemble([Network(Columns(0), 4), Network(Constant(1), 4)])
    prediction = network.predict(WHITE[:4, :4])
    assert prediction.mask.all()
    assert prediction.evidence.agreement == pytest.approx((4 * 2 / 3 + 4 * 1) / 8)


def test_settings_are_those_that_the_members_share():
    settings = {"model": "lean", "centred_disc_radius": 0.3}, {"model": "lean", "seed": 1}
    network = Ensemble([Network(Constant(0.5), 4, settings=one) for one in settings])
    assert network.settings == {"model": "lean"}


@pytest.mark.parametrize(
    "typed",
    [
        "p.png q --weights a.keras b.keras",
        "--weights a.keras b.keras p.png q",
        "--weights a.keras b.keras p.png --out o q",
        "p.png --weights a.keras b.keras q",
    ],
)
def test_pictures_may_stand_before_and_behind_the_weights(typed):
    arguments = create_parser("", RUNS).parse_args(["predict", *typed.split()])
    assert arguments.weights == ["a.keras", "b.keras"]
    assert arguments.paths == ["p.png", "q"]
