"""The networks: size, shapes, Dice by hand, saving, and another backend."""

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

from benchmarks.membrane import batch_dice
from unet import (
    LOSSES,
    NETWORKS,
    bce_dice_loss,
    build,
    dice_metrics,
    hard_dice,
    hard_iou,
    soft_dice,
    unet,
    unet_classic,
)

ROOT = Path(__file__).parents[1]


def as_array(tensor):
    return keras.ops.convert_to_numpy(tensor)


def some_pictures(shape, seed=0):
    return np.random.default_rng(seed).random(shape, np.float32)


def test_classic_is_the_network_of_the_tutorials():
    model = unet_classic((64, 64, 1))
    # 31,030,593: the count that model.summary() of the 30-picture notebook prints.
    assert model.count_params() == 31_030_593
    convolutions = [layer for layer in model.layers if type(layer) is keras.layers.Conv2D]
    assert [layer.filters for layer in convolutions[:10:2]] == [64, 128, 256, 512, 1024]
    drops = [layer.rate for layer in model.layers if isinstance(layer, keras.layers.Dropout)]
    assert drops == [0.1, 0.1, 0.2, 0.2, 0.3, 0.2, 0.2, 0.1, 0.1]
    assert sum(isinstance(x, keras.layers.Conv2DTranspose) for x in model.layers) == 4
    assert sum(isinstance(x, keras.layers.Concatenate) for x in model.layers) == 4


@pytest.mark.parametrize("name", ["lean", "lite"])
def test_fits_ten_megabytes_in_half_precision(name):
    assert build(name, (128, 128, 3)).count_params() * 2 < 10e6


def test_the_encoder_of_lite_is_that_of_efficientnet_lite0():
    model = build("lite", (64, 64, 3))
    # 4,652,008 as published, less the head: a 1x1 convolution from 320 to 1,280 with its
    # normalisation and a classifier of 1,000 classes; moving averages are no parameters there.
    encoder = [layer for layer in model.layers if re.search("stem_|block", layer.name)]
    weights = sum(int(np.prod(x.shape)) for layer in encoder for x in layer.trainable_weights)
    assert weights == 4_652_008 - (320 * 1280 + 2 * 1280) - (1280 * 1000 + 1000)


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("shape", [(64, 64, 3), (50, 75, 1), (None, None, 3), (1, 1, 1)])
def test_any_size_gives_a_probability_for_each_pixel(name, shape):
    model = build(name, shape)
    height, width = shape[0] or 37, shape[1] or 90
    pictures = some_pictures((2, height, width, shape[2]))
    probability = as_array(model(pictures, training=False))
    assert probability.shape == (2, height, width, 1)
    assert probability.dtype == np.float32
    assert (probability >= 0).all()
    assert (probability <= 1).all()


@pytest.mark.parametrize("shape", [(64, 64), (64, 64, 2), (64, 64, 4)])
def test_wrong_channels_are_named(shape):
    with pytest.raises(ValueError, match="channels"):
        unet(shape)


def test_unknown_name_lists_the_known_ones():
    with pytest.raises(ValueError, match="'huge'.*" + ", ".join(NETWORKS)):
        build("huge", (64, 64, 3))


def test_dice_against_hand_computed_values():
    truth = np.zeros((3, 2, 2, 1), np.float32)
    prediction = np.zeros((3, 2, 2, 1), np.float32)
    truth[0, 0], prediction[0, :, 0] = 1, 0.8  # two true pixels, two predicted, one in common
    truth[1], prediction[1] = 1, 1  # all found
    # the third: nothing to find, nothing found
    np.testing.assert_allclose(as_array(hard_dice(truth, prediction)), [0.5, 1, 1], rtol=1e-6)
    np.testing.assert_allclose(as_array(hard_iou(truth, prediction)), [1 / 3, 1, 1], rtol=1e-6)
    by_hand = [(2 * 0.8 + 1) / (2 + 1.6 + 1), 1, 1]
    np.testing.assert_allclose(as_array(soft_dice(truth, prediction)), by_hand, rtol=1e-6)
    pooled = (2 * (0.8 + 4) + 1) / ((2 + 4) + (1.6 + 4) + 1)
    np.testing.assert_allclose(float(batch_dice(truth, prediction)), pooled, rtol=1e-6)
    cross_entropy = -(np.log(0.8) + np.log(0.2) + np.log(1e-7)) / 4  # Keras clips 0 to 1e-7
    loss = as_array(bce_dice_loss(truth, prediction))[0]
    np.testing.assert_allclose(loss, cross_entropy + 1 - by_hand[0], rtol=1e-4)


def test_metrics_do_not_depend_on_the_batch_size():
    truth = (some_pictures((7, 16, 16, 1)) > 0.6).astype(np.float32)
    prediction = some_pictures((7, 16, 16, 1), seed=1)
    for metric in dice_metrics():
        results = []
        for size in (7, 1):
            metric.reset_state()
            for start in range(0, 7, size):
                metric.update_state(truth[start : start + size], prediction[start : start + size])
            results.append(float(metric.result()))
        assert results[0] == pytest.approx(results[1], abs=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("name", NETWORKS)
def test_saved_model_reloads_without_custom_objects(name, tmp_path):
    model = build(name, (32, 32, 3))
    model.compile("adam", LOSSES["bce_dice"], metrics=dice_metrics())
    model.optimizer.build(model.trainable_variables)
    random = np.random.default_rng(0)  # all weights are other ones, as after a training
    model.set_weights([w + random.uniform(0, 0.01, w.shape) for w in model.get_weights()])
    model.save(tmp_path / "model.keras")
    after = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True)
    for one, other in zip(model.get_weights(), after.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    pictures = some_pictures((4, 32, 32, 3))
    before, again = (as_array(network(pictures, training=False)) for network in (model, after))
    np.testing.assert_array_equal(again, before)
    assert after.loss is bce_dice_loss


STEP = """
import keras, numpy as np, unet
assert keras.backend.backend() == "{backend}"
for name in unet.NETWORKS:
    model = unet.build(name, (40, 32, 3))
    model.compile("adam", unet.bce_dice_loss, metrics=unet.dice_metrics())
    x = np.random.default_rng(0).random((2, 40, 32, 3), np.float32)
    y = (x[..., :1] > 0.5).astype("float32")
    before = model.get_weights()[0].copy()
    loss = model.train_on_batch(x, y)[0]
    assert np.isfinite(loss), loss
    assert not np.array_equal(before, model.get_weights()[0])
    assert model.predict_on_batch(x).shape == (2, 40, 32, 1)
print("stepped")
"""


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_a_training_step_on_another_backend(backend):
    if importlib.util.find_spec(backend) is None:
        pytest.skip(f"{backend} is not installed")
    environment = {**os.environ, "KERAS_BACKEND": backend, "JAX_PLATFORMS": "cpu"}
    result = subprocess.run(
        [sys.executable, "-c", STEP.format(backend=backend)],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert result.returncode == 0, result.stderr[-2000:]
    assert "stepped" in result.stdout


@pytest.mark.slow
@pytest.mark.parametrize("loss", list(LOSSES))
def test_lean_overfits_one_pair(loss):
    """A network that cannot learn one picture by heart is wired wrongly."""
    keras.utils.set_random_seed(0)
    rows, columns = np.mgrid[:64, :64]
    truth = (((rows - 30) / 14) ** 2 + ((columns - 36) / 20) ** 2 < 1).astype(np.float32)
    picture = np.stack([0.8 - 0.4 * truth, 0.6 - 0.3 * truth, 0.5 - 0.2 * truth], -1)
    picture += np.random.default_rng(0).normal(0, 0.05, picture.shape)
    x, y = picture[None].astype(np.float32), truth[None, :, :, None]
    model = build("lean", (64, 64, 3))
    model.compile(keras.optimizers.AdamW(2e-3), LOSSES[loss])
    for _ in range(60):
        model.train_on_batch(x, y)
    assert float(hard_dice(y, model.predict_on_batch(x))[0]) > 0.97
