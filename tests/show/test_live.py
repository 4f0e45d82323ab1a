"""The growing figure of a training: whose weights it shows, how often, and what it leaves."""

import keras
import numpy as np
import pytest
from PIL import Image

from lesion import jupyter
from lesion.callbacks import AverageWeights
from lesion.show import live
from lesion.show.live import Growth

SIZE = 8
RANDOM = np.random.default_rng(0)
PICTURE = RANDOM.integers(0, 256, (SIZE, SIZE, 3), dtype=np.uint8)
TRUTH = (PICTURE[..., 0] < 100).astype(np.uint8)
X = RANDOM.random((8, SIZE, SIZE, 3), dtype=np.float32)
Y = (X[..., :1] < 0.4).astype(np.float32)


def train(*callbacks, epochs=2, **options):
    """Fit a network of one layer, with its weights averaged; return it."""
    keras.utils.set_random_seed(0)
    layers = [keras.Input((SIZE, SIZE, 3)), keras.layers.Conv2D(1, 1, activation="sigmoid")]
    model = keras.Sequential(layers)
    optimizer = keras.optimizers.SGD(5.0, use_ema=True, ema_momentum=0.7)
    model.compile(optimizer, "binary_crossentropy", metrics=["accuracy"])
    options = {"validation_data": (X, Y), **options}
    model.fit(X, Y, 4, epochs, verbose=0, callbacks=[*callbacks], **options)
    return model


def levels_of(model):
    probability = model.predict(PICTURE[None] / np.float32(255), verbose=0)[0, ..., 0]
    return np.rint(255 * probability)


class LastWeights(keras.callbacks.Callback):
    """What the last step left, in whose place Keras puts the average at the end of fit."""

    def on_train_batch_end(self, batch, logs=None):
        self.weights = self.model.get_weights()


@pytest.mark.parametrize("growth_is_first", [True, False])
def test_the_weights_that_are_validated_are_shown_and_none_is_changed(growth_is_first):
    growth, average, last = Growth(PICTURE, TRUTH, "accuracy"), AverageWeights(), LastWeights()
    order = (growth, average) if growth_is_first else (average, growth)
    model, without = train(*order, last), train(average)
    for one, other in zip(model.get_weights(), without.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    shown = growth.probabilities[2].astype(float)
    assert np.abs(shown - levels_of(model)).max() <= 1
    model.set_weights(last.weights)
    assert np.abs(shown - levels_of(model)).max() > 10
    assert [row["epoch"] for row in growth.rows] == [1, 2]


def test_without_validation_the_weights_at_hand_are_shown():
    growth, last = Growth(PICTURE, TRUTH, "accuracy"), LastWeights()
    model = train(growth, last, validation_data=None)
    model.set_weights(last.weights)
    assert np.abs(growth.probabilities[2] - levels_of(model)).max() <= 1


def test_a_metric_that_the_model_lacks_is_named():
    with pytest.raises(ValueError, match=r"'dice': not among .*'accuracy'"):
        train(Growth(PICTURE, TRUTH))


class Clock:
    """A model and a time: a prediction takes as long as it is told to."""

    input_shape = (None, SIZE, SIZE, 3)

    def __init__(self, prediction):
        self.now, self.prediction = 0.0, prediction

    def monotonic(self):
        return self.now

    def predict_on_batch(self, x):
        self.now += self.prediction
        return x[..., :1]

    def run(self, growth, epochs, step, steps=4):
        growth.set_params({"epochs": epochs, "steps": steps})
        growth.set_model(self)
        growth.on_train_begin()
        for epoch in range(epochs):
            growth.on_epoch_begin(epoch)
            for batch in range(steps):
                self.now += step
                growth.on_train_batch_end(batch, {"loss": 1.0, "dice": 0.5})
            growth.on_test_batch_begin(0)
            growth.on_epoch_end(epoch, {"loss": 1 / (epoch + 1), "dice": 0.5, "val_dice": 0.4})
        growth.on_train_end()


def test_at_most_one_drawing_a_second(monkeypatch):
    clock, times = Clock(prediction=0.0), []
    monkeypatch.setattr(live, "time", clock)
    growth = Growth(PICTURE, TRUTH, screen=lambda data, words: times.append(clock.now))
    clock.run(growth, epochs=10, step=0.3)
    between = np.diff(times[:-1])  # the last one shows the end, whenever that comes
    assert (between >= 1).all()
    assert between.max() < 1.4
    assert len(growth.probabilities) == 10


def test_little_of_the_time_is_spent_here(monkeypatch):
    clock = Clock(prediction=0.5)
    monkeypatch.setattr(live, "time", clock)
    growth = Growth(PICTURE, TRUTH)
    clock.run(growth, epochs=50, step=1.0)  # a prediction takes an eighth of an epoch
    # The first and the last one are always made, here with one in .3 % of 200 seconds between them.
    assert len(growth.probabilities) == 2 + 1
    assert {1, 50} <= set(growth.probabilities)
    assert growth.spent == pytest.approx(0.5 * 3)


def test_predicting_leaves_time_for_drawing_when_epochs_are_short(monkeypatch):
    clock, times = Clock(prediction=0.02), []
    monkeypatch.setattr(live, "time", clock)

    def screen(data, words):
        clock.now += 0.1
        times.append(clock.now)

    growth = Growth(PICTURE, TRUTH, "dice", screen=screen)
    clock.run(growth, epochs=1000, step=0.02)  # a prediction takes a quarter of an epoch
    drawings, predictions = 2 + 2, 2 + 12  # of .3 % of 80 seconds each
    assert drawings - 1 <= len(times) <= drawings
    assert predictions - 1 <= len(growth.probabilities) <= predictions


@pytest.mark.parametrize(("somebody_looks", "at_least", "at_most"), [(False, 1, 1), (True, 5, 20)])
def test_a_notebook_that_nobody_looks_at_shows_it_once(
    somebody_looks, at_least, at_most, monkeypatch
):
    shown, clock = [], Clock(prediction=0.0)
    monkeypatch.setattr(live, "time", clock)
    monkeypatch.setattr(
        jupyter, "screen", lambda: (lambda *seen: shown.append(seen), somebody_looks)
    )
    clock.run(Growth(PICTURE, TRUTH), epochs=10, step=0.3)
    assert at_least <= len(shown) <= at_most
    data, words = shown[-1]
    assert data.startswith(b"\x89PNG")
    assert "10 epochs" in words
    assert "val_dice 0.400" in words


def test_the_growth_is_a_small_animation(tmp_path, monkeypatch):
    picture = RANDOM.integers(0, 256, (300, 400, 3), dtype=np.uint8)  # noise: nothing is larger
    growth = Growth(picture, (picture[..., 0] < 40).astype(np.uint8), file=tmp_path / "new/a.webp")
    clock = Clock(prediction=0.0)
    monkeypatch.setattr(live, "time", clock)
    clock.run(growth, epochs=250, step=1.0)
    assert growth.file.stat().st_size < live.LARGEST
    with Image.open(growth.file) as animation:
        assert animation.format == "WEBP"
        assert 10 < animation.n_frames <= live.PICTURES
        assert animation.size == (900, 390)
    assert [path.name for path in growth.file.parent.iterdir()] == ["a.webp"]


def test_a_training_that_goes_on_keeps_what_it_has_shown(monkeypatch):
    growth, clock = Growth(PICTURE, TRUTH), Clock(prediction=0.0)
    monkeypatch.setattr(live, "time", clock)
    clock.run(growth, epochs=3, step=1.0)
    growth.on_epoch_begin(2)  # the third epoch again
    assert [row["epoch"] for row in growth.rows] == [1, 2]
    assert set(growth.probabilities) == {1, 2}


@pytest.mark.parametrize(
    ("seconds", "done", "still", "words"),
    [
        (0, 0, 5, ""),
        (30, 2, 4, ", about 60 s left"),
        (60, 1, 3, ", about 3 min left"),
        (9, 3, 0, ""),
    ],
)
def test_time_left(seconds, done, still, words):
    assert live._time_left(seconds, done, still) == words
