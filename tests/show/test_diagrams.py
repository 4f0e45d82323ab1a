"""Diagrams: their numbers come from the network and from the scoring."""

import functools
import re

import pytest

import unet
from lesion import show
from lesion.show.diagrams import read_architecture
from unet import CLASSIC_WIDTHS, LEAN_WIDTHS, LITE_WIDTHS

build = functools.cache(unet.build)  # building the classic network takes seconds


def all_texts(figure):
    found = [text.get_text() for axis in figure.axes for text in axis.texts]
    return found + [text.get_text() for legend in figure.legends for text in legend.get_texts()]


@pytest.mark.parametrize(
    ("name", "side", "widths"), [("lean", 64, LEAN_WIDTHS), ("classic", 64, CLASSIC_WIDTHS)]
)
def test_stages_account_for_every_parameter_and_level(name, side, widths):
    model = build(name, (side, side, 3))
    network = read_architecture(model)
    stages = {stage["name"]: stage for stage in network["stages"]}
    assert sum(stage["parameters"] for stage in stages.values()) == model.count_params()
    first = side // 2 if name == "lean" else side
    for level, width in enumerate(widths[:-1]):
        for stage in (stages[f"down{level}"], stages[f"up{level}"]):
            assert stage["side"] == first // 2**level
            assert stage["features"] == [width, width]
        assert stages[f"up{level}"]["joined"] == (2 * width if name == "classic" else width)
    assert set(stages["bottom"]["features"]) == {widths[-1]}
    assert stages["picture"]["side"] == stages["probability"]["side"] == side


def test_the_bottlenecks_of_lite_are_shown_at_their_levels():
    model = build("lite", (64, 64, 3))
    stages = read_architecture(model)["stages"]
    assert sum(stage["parameters"] for stage in stages) == model.count_params()
    shown = {stage["name"]: (stage["side"], stage["features"]) for stage in stages}
    assert shown["stem"] == (32, [32])
    assert shown["down0"] == (32, [16])
    assert shown["down1"] == (16, [24, 24])
    assert shown["down3"] == (4, [80] * 3 + [112] * 3)
    assert shown["bottom"] == (2, [192] * 4 + [320] + [LITE_WIDTHS[-1]] * 2)
    assert shown["up0"] == (32, [LITE_WIDTHS[0]] * 2)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("classic", ["2×2 max-pooling", "2×2 transposed convolution", "skip, concatenated"]),
        ("lean", ["3×3 convolution, stride 2", "skip, added"]),
        ("lite", ["the bottleneck's filter with stride 2", "skip, added"]),
    ],
)
def test_architecture_shows_sizes_features_and_operations(name, words, monkeypatch):
    monkeypatch.setattr(unet, "build", build)
    figure = show.architecture(name, (64, 64, 3))
    found = all_texts(figure)
    parameters = build(name, (64, 64, 3)).count_params() / 1e6
    assert f"unet_{name}: {parameters:.2f} million parameters" in found
    assert set(words) <= set(found)
    assert "picture\n64 px" in found
    figure.draw_without_rendering()
    for text in figure.axes[0].texts:
        box = text.get_window_extent()
        assert figure.bbox.x0 <= box.x0, text.get_text()
        assert box.x1 <= figure.bbox.x1, text.get_text()
        assert not box.overlaps(figure.legends[0].get_window_extent()), text.get_text()


def test_an_unknown_network_is_named():
    with pytest.raises(ValueError, match="deep"):
        show.architecture("deep")


def test_worked_examples_follow_the_formulas():
    figure = show.dice_explained()
    captions = [axis.get_xlabel() for axis in figure.axes if axis.get_xlabel()]
    assert len(captions) == 3
    for caption in captions:
        numbers = re.findall(r"[\d.,]+\d", caption)
        a, b, shared, dice, iou = (float(number.replace(",", "")) for number in numbers)
        assert dice == pytest.approx(2 * shared / (a + b), abs=6e-4)
        assert iou == pytest.approx(shared / (a + b - shared), abs=6e-4)
