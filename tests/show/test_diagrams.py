"""Diagrams: their numbers come from the network and from the scoring."""

import functools
import re

import keras
import pytest
from keras import layers

import unet
from lesion import show
from lesion.show.diagrams import short_count
from lesion.show.graph import read_graph
from unet import CLASSIC_WIDTHS, LEAN_WIDTHS, LITE_WIDTHS

build = functools.cache(unet.build)  # building the classic network takes seconds


def all_texts(figure):
    found = [text.get_text() for axis in figure.axes for text in axis.texts]
    return found + [text.get_text() for legend in figure.legends for text in legend.get_texts()]


def toy(input_shape):
    """A network as somebody may add it: layers without names, a gate, other operations."""
    images = keras.Input(input_shape)
    fine = layers.Conv2D(4, 5, padding="same", activation="relu")(images)
    gate = layers.Dense(4, "sigmoid")(layers.GlobalAveragePooling2D(keepdims=True)(fine))
    fine = layers.Multiply()([gate, fine])
    coarse = layers.AveragePooling2D(2)(fine)
    coarse = layers.SeparableConv2D(8, 3, padding="same")(coarse)
    x = layers.UpSampling2D(2, interpolation="bilinear")(coarse)
    x = layers.Concatenate()([layers.Conv2D(2, 1)(fine), x])
    x = layers.Conv2D(6, 3, padding="same")(x)
    return keras.Model(images, layers.Conv2D(1, 1, activation="sigmoid")(x), name="toy")


@pytest.fixture
def with_toy(monkeypatch):
    monkeypatch.setattr(unet, "build", build)
    monkeypatch.setitem(unet.NETWORKS, "toy", unet.Entry(toy, "bce", 1e-3, 32))


@pytest.mark.parametrize(
    ("name", "side"), [*((name, 64) for name in [*unet.NETWORKS, "toy"]), ("lean", 100)]
)
def test_stages_account_for_every_parameter_and_skip(name, side, with_toy):
    model = build(name, (side, side, 3))  # 100 is padded to 128, and cropped at the end
    stages = read_graph(model).stages
    assert sum(stage.parameters for stage in stages) == model.count_params()
    assert stages[0].side == stages[-1].side == side
    assert (stages[0].features, stages[-1].features) == ([3], [1])
    inner = list(enumerate(stages))[1:-1]
    deepest = min(inner, key=lambda numbered: numbered[1].side)[0]
    for number, stage in inner:
        # The U: each stage on the way up takes over from the one of its side on the way down.
        assert stage.sources == ([] if number <= deepest else [2 * deepest - number])
        assert bool(stage.joined) == bool(stage.sources)
        assert all(stages[source].side == stage.side for source in stage.sources)


@pytest.mark.parametrize(("name", "widths"), [("lean", LEAN_WIDTHS), ("classic", CLASSIC_WIDTHS)])
def test_stages_have_the_widths_of_their_level(name, widths):
    stages = read_graph(build(name, (64, 64, 3))).stages[1:-1]
    levels = [*range(len(widths)), *reversed(range(len(widths) - 1))]
    first = 32 if name == "lean" else 64
    assert [stage.side for stage in stages] == [first // 2**level for level in levels]
    assert [set(stage.features) for stage in stages] == [{widths[level]} for level in levels]
    both = 2 if name == "classic" else 1
    up = levels[len(widths) :]
    assert [s.joined for s in stages[len(widths) :]] == [both * widths[level] for level in up]


def test_the_bottlenecks_of_lite_are_shown_at_their_stages():
    stages = read_graph(build("lite", (64, 64, 3))).stages[1:-1]
    shown = [(stage.side, stage.features) for stage in stages[:5]]
    assert shown[:3] == [(32, [32, 16]), (16, [24, 24]), (8, [40, 40])]
    assert shown[3] == (4, [80] * 3 + [112] * 3)
    assert shown[4] == (2, [192] * 4 + [320] + [LITE_WIDTHS[-1]] * 2)
    assert stages[-1].features == [LITE_WIDTHS[0]] * 2


def test_a_network_that_somebody_adds_is_read_without_names(with_toy):
    graph = read_graph(build("toy", (32, 32, 1)))
    read = [(stage.side, stage.features, stage.joined) for stage in graph.stages[1:-1]]
    assert read == [(32, [4], 0), (16, [8], 0), (32, [6], 2 + 8)]
    assert graph.slab == "a slab: 3×3 or 5×5 convolution; 3×3 SeparableConv2D; ReLU"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("classic", ["2×2 max-pooling", "2×2 transposed convolution", "skip, concatenated"]),
        ("lean", ["3×3 convolution, stride 2", "nearest upsampling", "skip, added"]),
        ("lite", ["3×3 or 5×5 depthwise convolution, stride 2", "skip, added"]),
        ("toy", ["2×2 AveragePooling2D", "bilinear upsampling", "1×1 convolution, sigmoid"]),
    ],
)
def test_architecture_shows_sizes_features_and_operations(name, words, with_toy):
    figure = show.architecture(name, (64, 64, 3))
    found = all_texts(figure)
    model = build(name, (64, 64, 3))
    assert f"{model.name}: {short_count(model.count_params())} parameters" in found
    legend = " | ".join(found).replace("\n", " ")
    assert all(text in legend for text in words), legend
    assert "picture\n64 px" in found
    figure.draw_without_rendering()
    for text in figure.axes[0].texts:
        box = text.get_window_extent()
        assert figure.bbox.x0 <= box.x0, text.get_text()
        assert box.x1 <= figure.bbox.x1, text.get_text()
        assert not box.overlaps(figure.legends[0].get_window_extent()), text.get_text()


def test_counts_are_written_with_three_digits():
    assert [short_count(n) for n in (65, 999, 3904, 4_161_233)] == ["65", "999", "3.9 k", "4.16 M"]


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
