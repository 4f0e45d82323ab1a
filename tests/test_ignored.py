"""Pixels that the truth ignores: -1 in training, from the mask's file to the loss."""

import keras
import numpy as np
import pytest
from keras import ops
from picture_files import write_picture
from PIL import Image

import unet
from data import augment, load_pair, move
from lesion.inputs.legend import Legend
from lesion.inputs.pairing import Pair
from lesion.inputs.reading import resize_mask
from lesion.masks import IGNORED

PER_PICTURE = (unet.soft_dice, unet.hard_dice, unet.hard_iou, unet.dice_loss, unet.bce_dice_loss)


@pytest.fixture
def batch():
    rng = np.random.default_rng(3)
    truth = rng.integers(0, 2, (3, 8, 6, 1)).astype("float32")
    return truth, rng.uniform(0.01, 0.99, truth.shape).astype("float32")


@pytest.mark.parametrize("function", PER_PICTURE)
def test_losses_and_metrics_are_those_of_the_other_pixels(function, batch):
    truth, prediction = batch
    expected = np.array(function(truth[:, :, :4], prediction[:, :, :4]))
    truth[:, :, 4:] = -1
    np.testing.assert_allclose(np.array(function(truth, prediction)), expected, rtol=1e-5)
    before = np.array(function(truth, prediction))
    prediction[:, :, 4:] = 1 - prediction[:, :, 4:]
    np.testing.assert_array_equal(np.array(function(truth, prediction)), before)


def test_the_cross_entropy_of_a_picture_is_the_mean_of_the_other_pixels(batch):
    truth, prediction = batch
    truth[0, 2:] = truth[1, :, 5:] = -1
    entropy = -np.where(truth == 1, np.log(prediction), np.log(1 - prediction))
    entropy[truth < 0] = np.nan
    found = np.array(unet.bce_loss(truth, prediction))
    assert found.shape == (3, 8, 6)
    assert not found[truth[..., 0] < 0].any()
    np.testing.assert_allclose(found.mean(axis=(1, 2)), np.nanmean(entropy, axis=(1, 2, 3)), 1e-5)


def test_nothing_ignored_gives_the_plain_losses_to_the_bit(batch):
    truth, prediction = batch
    plain = keras.losses.binary_crossentropy(truth, prediction)
    np.testing.assert_array_equal(np.array(unet.bce_loss(truth, prediction)), np.array(plain))
    both = ops.sum(truth * prediction, axis=(1, 2, 3))
    sizes = ops.sum(truth, axis=(1, 2, 3)) + ops.sum(prediction, axis=(1, 2, 3))
    dice = 1.0 - (2.0 * both + 1.0) / (sizes + 1.0)
    np.testing.assert_array_equal(np.array(unet.dice_loss(truth, prediction)), np.array(dice))
    expected = ops.mean(plain, axis=(1, 2)) + dice
    np.testing.assert_array_equal(np.array(unet.bce_dice_loss(truth, prediction)), expected)


@pytest.mark.parametrize("loss", list(unet.LOSSES))
def test_training_learns_nothing_from_ignored_pixels(loss, batch):
    truth, prediction = batch
    layer = keras.layers.Conv2D(1, 1, activation="sigmoid")
    model = keras.Sequential([keras.Input(prediction.shape[1:]), layer])
    model.compile(keras.optimizers.SGD(1.0), unet.LOSSES[loss], metrics=unet.dice_metrics())
    before = [np.array(weight) for weight in model.get_weights()]
    assert np.isfinite(model.train_on_batch(prediction, np.full_like(truth, -1))).all()
    for weight, was in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(weight, was)
    model.train_on_batch(prediction, truth)
    assert any((w != was).any() for w, was in zip(model.get_weights(), before, strict=True))


def test_resizing_counts_what_is_not_ignored():
    small = np.array([[1, 1, IGNORED, 0], [0, 0, 1, 0]], np.uint8)
    large = np.kron(small, np.ones((2, 2), np.uint8))
    np.testing.assert_array_equal(
        resize_mask(large, 4)[::2, :, 0], np.where(small == IGNORED, -1, small.astype(int))
    )


@pytest.mark.parametrize(
    ("pixels", "expected"),
    [
        ([1, 0, 0, 0], 0),
        ([1, 1, 0, 0], 1),
        ([1, 0, 0, IGNORED], 0),  # a third of what counts
        ([1, 1, 0, IGNORED], 1),
        ([1, 0, IGNORED, IGNORED], -1),
        ([0, 0, 0, IGNORED], 0),
    ],
)
def test_a_smaller_pixel_is_what_most_of_it_is(pixels, expected):
    mask = np.array(pixels, np.uint8).reshape(2, 2)
    assert resize_mask(mask, 1).tolist() == [[[expected]]]


def test_augmentation_moves_ignored_pixels_along():
    image = np.zeros((32, 32, 3), np.float32)
    y, x = np.mgrid[:32, :32]
    distance = np.hypot(x - 14, y - 17)
    mask = np.where(distance < 6, 1, np.where(distance < 10, -1, 0)).astype(np.float32)[..., None]
    image[..., 0], image[..., 1] = mask[..., 0] == 1, mask[..., 0] == -1
    kept = mask.copy()
    for seed in range(10):
        moved, changed = move(image, mask, np.random.default_rng(seed))
        assert set(np.unique(changed)) <= {-1, 0, 1}
        sure = np.abs(moved[..., 1] - 0.5) > 0.05
        assert ((changed[..., 0] == -1) == (moved[..., 1] > 0.5))[sure].all()
        certain = (moved[..., 0] > 0.99) | (moved[..., :2].sum(axis=2) < 0.01)
        assert np.mean((changed[..., 0] == 1)[certain] == (moved[..., 0] > 0.5)[certain]) == 1
        # The same change as without: only the mask differs.
        plain, _ = move(image, np.maximum(mask, 0), np.random.default_rng(seed))
        np.testing.assert_array_equal(moved, plain)
        assert augment(image, mask, np.random.default_rng(seed))[1].dtype == np.float32
    np.testing.assert_array_equal(mask, kept)


def test_a_level_that_is_ignored_reaches_the_loss(tmp_path):
    mask = np.zeros((16, 16), np.uint8)
    mask[4:12, 4:12], mask[6:10, 6:10] = 255, 1
    Image.fromarray(mask).save(tmp_path / "m.png")
    picture = write_picture(tmp_path / "x.png", (16, 16))
    pair = Pair("x", picture, tmp_path / "m.png", legend=Legend(("1",), ("255",)))
    _, y = load_pair(pair, 8)
    expected = np.zeros((8, 8), np.float32)
    expected[2:6, 2:6], expected[3:5, 3:5] = -1, 1
    np.testing.assert_array_equal(y[..., 0], expected)
