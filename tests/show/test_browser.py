"""Leafing through scored pictures: order, threshold, and what an unattended notebook gets."""

import io

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from lesion import jupyter, show
from lesion.inputs.pairing import find_pairs
from lesion.masks import COLOURS
from lesion.predict.network import Network
from lesion.score.evaluation import evaluate
from lesion.show.browser import ORDERS, Browser

SIZE = 32
LEVELS = (60, 120, 180, 240)  # of a lesion's rings, from the outside in


class Brightness:
    """A model for which bright is lesion."""

    input_shape = (None, SIZE, SIZE, 3)

    def predict_on_batch(self, inputs):
        return inputs[..., :1]


@pytest.fixture
def scored(tmp_path):
    """A network, three pairs of which each has a smaller lesion, and their rows."""
    rings = np.zeros((SIZE, SIZE), np.uint8)
    for inset, level in enumerate(LEVELS, start=1):
        rings[4 * inset - 2 : 2 - 4 * inset, 4 * inset - 2 : 2 - 4 * inset] = level
    for number, level in enumerate(LEVELS[:3]):
        arrays = {"image": np.stack([rings] * 3, axis=2), "label": 255 * (rings >= level)}
        for folder, array in arrays.items():
            (tmp_path / folder).mkdir(exist_ok=True)
            Image.fromarray(array.astype(np.uint8)).save(tmp_path / folder / f"{number}.png")
    network, pairs = Network(Brightness(), SIZE, threshold=0.5), find_pairs(tmp_path).labelled
    return network, pairs, evaluate(network, pairs, progress=False)


def test_a_turned_threshold_changes_mask_and_dice_at_once(scored):
    pytest.importorskip("ipywidgets")
    network, *_ = scored
    browser = Browser(*scored)
    sides = [28, 20, 12, 4]  # of the rings, pixels
    browser.order.value = "highest Dice first"
    assert "<b>2</b>: Dice 1.000 at threshold 0.50" in browser.words.value
    before = np.asarray(Image.open(io.BytesIO(browser.image.value)))
    assert before.shape[1] == pytest.approx(4 * before.shape[0] + 24, abs=4)

    browser.threshold.value = 0.9
    dice = 2 * sides[3] ** 2 / (sides[3] ** 2 + sides[2] ** 2)
    assert f"Dice {dice:.3f} at threshold 0.90; 1.000 as scored" in browser.words.value
    after = np.asarray(Image.open(io.BytesIO(browser.image.value)))
    width = before.shape[0] + 8
    panels = [(before[:, i * width :], after[:, i * width :]) for i in range(4)]
    same = [bool((a[:, : width - 8] == b[:, : width - 8]).all()) for a, b in panels]
    assert same == [True, True, False, False]  # picture, probability, mask, outlines
    orange = np.array(list(bytes.fromhex(COLOURS["prediction"][1:])))
    assert (after[:, 3 * width :] == orange).all(axis=2).any()

    assert network.threshold == 0.5
    browser.place.value = 3
    assert "<b>0</b>" in browser.words.value


def test_the_order_is_what_it_says(scored):
    pytest.importorskip("ipywidgets")
    browser = Browser(*scored)
    assert "<b>0</b>" in browser.words.value  # the lowest Dice comes first
    for words in ORDERS:
        browser.order.value = words
        assert 0 <= float(browser.words.value.split("Dice ")[1].split()[0]) <= 1


def test_where_nobody_looks_it_is_a_figure(scored, monkeypatch):
    figure = show.browse(*scored)
    assert isinstance(figure, Figure)
    assert "highest, the middle and the lowest Dice" in figure.get_suptitle()
    monkeypatch.setattr(jupyter, "somebody_looks", lambda: True)
    pytest.importorskip("ipywidgets")
    assert len(show.browse(*scored).children) == 5
