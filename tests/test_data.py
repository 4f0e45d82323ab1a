"""Datasets: finite, ordered, repeatable; validation untouched, errors still readable."""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import numpy as np
import pytest
from picture_files import write_mask, write_pairs, write_picture
from PIL import Image

from data import TrainingData, ValidationData, pipeline_error
from lesion.inputs.pairing import find_pairs
from lesion.inputs.reading import read_image, read_mask, read_pair, resize_image, resize_mask
from lesion.processes import Share


@pytest.fixture(scope="module")
def pairs(tmp_path_factory):
    return find_pairs(write_pairs(tmp_path_factory.mktemp("pairs"), range(7), (40, 30))).pairs


def passed(dataset):
    """One pass over a dataset as two arrays."""
    return tuple(np.concatenate(arrays) for arrays in zip(*dataset, strict=True))


# --- sizes --------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(40, 30), (1, 1), (3, 200), (200, 3), (8, 8), (500, 700)])
@pytest.mark.parametrize("channels", [1, 3])
def test_resized_shapes_ranges_and_means(shape, channels):
    rng = np.random.default_rng(1)
    picture = rng.integers(0, 256, (*shape, channels), dtype=np.uint8)
    resized = resize_image(picture, 8)
    assert resized.shape == (8, 8, channels)
    assert resized.dtype == np.float32
    assert 0 <= resized.min() <= resized.max() <= 1
    mask = resize_mask(np.ones(shape, np.uint8), 8)
    assert mask.shape == (8, 8, 1)
    assert mask.dtype == np.float32
    assert np.all(mask == 1)
    assert not resize_mask(np.zeros(shape, np.uint8), 8).any()


def test_shrinking_averages_areas_also_where_the_other_side_grows():
    stripes = np.zeros((4, 64, 1), np.uint8)
    stripes[:, ::2] = 200
    np.testing.assert_allclose(resize_image(stripes, 8), 100 / 255, atol=1 / 255)


def test_half_covered_pixels_belong_to_the_mask():
    mask = np.zeros((4, 4), np.uint8)
    mask[0, 0] = mask[0, 1] = mask[2, 2] = 1
    assert resize_mask(mask, 2)[..., 0].tolist() == [[1, 0], [0, 0]]


def test_same_size_keeps_every_value():
    picture = np.arange(64, dtype=np.uint8).reshape(8, 8, 1) * 4
    np.testing.assert_array_equal(np.rint(resize_image(picture, 8) * 255), picture)


# --- datasets -----------------------------------------------------------------------------------


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("augment", [False, True])
def test_finite_batches_of_the_right_shapes(pairs, channels, augment):
    arguments = pairs, 16, 3, channels
    dataset = TrainingData(*arguments) if augment else ValidationData(*arguments)
    assert len(dataset) == 3
    batches = list(dataset)
    assert [len(x) for x, _ in batches] == [3, 3, 1]
    for x, y in batches:
        assert x.shape[1:] == (16, 16, channels)
        assert y.shape[1:] == (16, 16, 1)
        assert x.dtype == y.dtype == np.float32
        assert 0 <= x.min() <= x.max() <= 1
        assert set(np.unique(y)) <= {0, 1}


def test_validation_is_the_files_in_order_and_never_changes(pairs):
    dataset = ValidationData(pairs, 16, 4)
    first, second = passed(dataset), passed(dataset)
    for one, other in zip(first, second, strict=True):
        np.testing.assert_array_equal(one, other)
    for index, pair in enumerate(pairs):
        np.testing.assert_array_equal(first[0][index], resize_image(read_image(pair.image), 16))
        np.testing.assert_array_equal(first[1][index], resize_mask(read_mask(pair.mask), 16))


def test_training_differs_between_epochs_and_repeats_for_the_seed(pairs):
    training = TrainingData(pairs, 16, 4, seed=9)
    assert len(training) == 2
    epochs = [passed(training) for _ in range(3)]
    assert training.epoch == 3
    assert np.abs(epochs[0][0] - epochs[1][0]).mean() > 0.02

    again = TrainingData(pairs, 16, 2, seed=9)  # batches cut differently
    again.epoch = 2  # as a resumed training begins
    for one, other in zip(passed(again), epochs[2], strict=True):
        np.testing.assert_array_equal(one, other)
    again.epoch = 0
    np.testing.assert_array_equal(passed(again)[0], epochs[0][0])

    other_seed = TrainingData(pairs, 16, 4, seed=10)
    assert np.abs(passed(other_seed)[0] - epochs[0][0]).mean() > 0.02


def test_training_does_not_depend_on_the_number_of_threads(pairs, monkeypatch):
    expected = passed(TrainingData(pairs, 16, 4, seed=1))
    monkeypatch.setattr("lesion.parallel.usable_cores", lambda: 16)
    for one, other in zip(passed(TrainingData(pairs, 16, 4, seed=1)), expected,
                          strict=True):  # fmt: skip
        np.testing.assert_array_equal(one, other)


def test_pictures_of_one_epoch_are_changed_differently(tmp_path):
    for name in ("a", "b", "c"):
        write_picture(tmp_path / "image" / f"{name}.png", (16, 16), seed=1)
        write_mask(tmp_path / "label" / f"{name}.png", (16, 16))
    x, _ = passed(TrainingData(find_pairs(tmp_path).pairs, 16, 4))
    assert min(np.abs(x[i] - x[j]).mean() for i, j in ((0, 1), (1, 2), (0, 2))) > 0.02


def test_every_epoch_shows_every_pair_once_in_a_new_order(tmp_path, monkeypatch):
    monkeypatch.setattr("data.augment", lambda image, mask, *_: (image, mask))
    for value in range(8):  # a pair's coverage says which one it is
        mask = np.zeros((4, 4), np.uint8)
        mask.flat[: value + 1] = 1
        write_picture(tmp_path / "image" / f"{value}.png", (4, 4))
        write_mask(tmp_path / "label" / f"{value}.png", (4, 4), mask)
    dataset = TrainingData(find_pairs(tmp_path).pairs, 4, 3)
    orders = [passed(dataset)[1].sum(axis=(1, 2, 3)).tolist() for _ in range(3)]
    assert all(sorted(order) == list(range(1, 9)) for order in orders)
    assert len({tuple(order) for order in orders}) == 3


def test_fit_gets_the_epoch_that_its_callback_sets(pairs, monkeypatch):
    seen = []

    def remember(image, mask, rng, strength):
        seen.append(rng.bit_generator.seed_seq.entropy[1])
        return image, mask

    monkeypatch.setattr("data.augment", remember)
    training = TrainingData(pairs, 8, 4)

    class SetEpoch(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            training.epoch = epoch

    model = keras.Sequential([keras.layers.Conv2D(1, 1, activation="sigmoid")])
    model.compile("adam", "binary_crossentropy")
    callbacks = [SetEpoch()]
    model.fit(training, initial_epoch=3, epochs=5, shuffle=False, callbacks=callbacks,
              verbose=0)  # fmt: skip
    # Keras takes a batch to build the model; what counts is what the epochs themselves saw.
    assert seen[-14:] == [3] * 7 + [4] * 7


@pytest.mark.parametrize("arguments", [(0, 4), (-5, 4), (16, 0), (16, 4, 2)])
def test_impossible_arguments(pairs, arguments):
    for make in (ValidationData, TrainingData):
        with pytest.raises(ValueError, match="sizes must be 1 or more"):
            make(pairs, *arguments)


def test_no_pairs_and_pairs_without_mask(tmp_path):
    with pytest.raises(ValueError, match="no pairs"):
        ValidationData([], 16, 4)
    write_picture(tmp_path / "1.png")
    with pytest.raises(ValueError, match=r"1\.png: has no mask"):
        ValidationData(find_pairs(tmp_path).pairs, 16, 4)


# --- of several processes -----------------------------------------------------------------------


@pytest.mark.parametrize(("processes", "devices"), [(2, 2), (4, 4), (2, 4)])
def test_parts_are_the_batch_of_one_process(pairs, processes, devices):
    whole = list(TrainingData(pairs, 16, 4, seed=1))
    shares = [Share(process, processes, devices) for process in range(processes)]
    parts = [list(TrainingData(pairs, 16, 4, seed=1, share=share)) for share in shares]
    for number, batch in enumerate(whole):
        copies = {4: 1, 3: devices}[len(batch[0])]  # the last three are taken so often
        for kind, array in enumerate(batch):
            together = [part[number][kind] for part in parts]
            assert len({len(part) for part in together}) == 1
            np.testing.assert_array_equal(
                np.concatenate(together), np.concatenate([array] * copies)
            )


def test_validation_counts_each_picture_once(pairs):
    means = passed(ValidationData(pairs, 16, 4))[0].mean(axis=(1, 2, 3))
    parts = [passed(ValidationData(pairs, 16, 4, share=Share(k, 2, 2))) for k in range(2)]
    x, _, weights = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    weighted = weights * x.mean(axis=(1, 2, 3))
    assert len(x) == 10
    assert weighted.mean() == pytest.approx(means.mean())  # as Keras averages a loss
    assert weighted.sum() / weights.sum() == pytest.approx(means.mean())  # and a metric


def test_a_batch_that_cannot_be_divided(pairs):
    with pytest.raises(ValueError, match=r"batch of 5 pictures .* 2 processes .* --batch 6"):
        TrainingData(pairs, 16, 5, share=Share(0, 2, 2))


# --- errors -------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", ["damaged", "missing", "size", "classes"])
def test_the_readers_line_survives_the_pipeline(tmp_path, fault):
    write_pairs(tmp_path, ["ä 1", "ä 2"], (16, 16))
    pairs = find_pairs(tmp_path).pairs
    bad = pairs[1].image if fault in ("damaged", "missing") else pairs[1].mask
    if fault == "damaged":
        bad.write_bytes(bad.read_bytes()[:200])
    elif fault == "missing":
        bad.unlink()
    elif fault == "size":
        write_mask(bad, (9, 16))
    else:
        Image.fromarray(np.tile(np.arange(4, dtype=np.uint8), (16, 4))).save(bad)
    expected = {
        "damaged": "the picture is damaged or incomplete",
        "missing": "no such file; check the path",
        "size": "the mask has 9 x 16 pixels, its picture 16 x 16; save the mask",
        "classes": "the masks hold the",
    }[fault]
    with pytest.raises((ValueError, FileNotFoundError), match=expected):
        read_pair(pairs[1])
    for dataset in (ValidationData(pairs, 16, 2), TrainingData(pairs, 16, 2)):
        with pytest.raises(Exception, match=expected) as caught:
            passed(dataset)
        line = pipeline_error(caught.value)
        assert line.startswith(f"{bad}: {expected}")
        assert "\n" not in line
    assert pipeline_error(RuntimeError("something else")) is None


def test_the_readers_line_survives_fit(tmp_path):
    write_pairs(tmp_path, ["1", "2"], (16, 16))
    pairs = find_pairs(tmp_path).pairs
    pairs[1].image.unlink()
    model = keras.Sequential([keras.layers.Conv2D(1, 1)])
    model.compile("sgd", "mse")
    with pytest.raises(Exception, match="no such file") as caught:
        model.fit(TrainingData(pairs, 16, 2), shuffle=False, verbose=0)
    assert pipeline_error(caught.value).startswith(f"{pairs[1].image}: no such file")
