"""Training: schedule, callbacks, what a run leaves behind, and that it can be repeated."""

import json
from functools import partial

import keras
import numpy as np
import pytest

import unet
from data import TrainingData, ValidationData
from lesion import callbacks, training
from lesion.console import InputError
from lesion.inputs.splitting import load_split
from lesion.predict.network import load_network
from lesion.training import compile_model, fit, save_model
from unet import NETWORKS, build

# The same layers as the networks of these names, but few enough to be compiled in a moment.
SMALL = {
    "lean": partial(unet.unet, widths=(4,)),
    "classic": unet.unet_classic,
}


def train_briefly(folder, run, epochs=3, network="lean", **options):
    keras.utils.set_random_seed(0)
    split = load_split(folder, seed=0, test=0)
    data = TrainingData(split.train, 32, 4, seed=0)
    validation = ValidationData(split.validation, 32, 4)
    model = SMALL[network]((32, 32, 3))
    rate = options.pop("learning_rate", NETWORKS[network].learning_rate)
    compile_model(model, "bce", epochs, len(data), rate, averaging=0.2)
    run.mkdir(exist_ok=True)
    return model, validation, fit(model, data, validation, epochs, run, **options)


def interrupted_in(monkeypatch, epoch):
    """Press Ctrl-C in the second step of an epoch (from 1)."""

    def stop(self, batch, logs=None):
        if batch == 1 and self.text.startswith(f"epoch {epoch}/"):
            raise KeyboardInterrupt

    monkeypatch.setattr(callbacks.ProgressBar, "on_train_batch_end", stop)


def test_learning_rate_warms_up_and_falls():
    model = build("lean", (32, 32, 3))
    peak = NETWORKS["lean"].learning_rate
    compile_model(model, "bce_dice", epochs=10, steps_per_epoch=20, learning_rate=peak)
    schedule = model.optimizer._learning_rate
    rates = [float(schedule(step)) for step in range(201)]
    assert np.argmax(rates) == 20
    assert rates[20] == pytest.approx(peak)
    assert rates[0] == pytest.approx(peak / 50)
    assert rates[200] == pytest.approx(peak / 100)
    assert (np.diff(rates[20:]) <= 0).all()


@pytest.mark.slow
def test_history_best_weights_and_repetition(drawn_folder, tmp_path):
    model, validation, history = train_briefly(drawn_folder, tmp_path / "a", patience=3)
    assert history.epoch == [1, 2, 3]
    assert not history.interrupted
    assert training.History.read(tmp_path / "a").history == history.history
    assert any((tmp_path / "a" / "tensorboard").rglob("events*"))

    # The model holds the weights of the best epoch, not of the last.
    _, best = history.kept
    scores = model.evaluate(validation, return_dict=True, verbose=0)
    assert scores["dice"] == pytest.approx(best, abs=1e-5)

    again, _, history_again = train_briefly(drawn_folder, tmp_path / "b", patience=3)
    assert history_again.history == history.history
    for one, other in zip(model.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["lean", "classic"])  # without and with dropout, whose seeds move
def test_an_interrupted_run_ends_as_if_it_had_not_been(
    name, drawn_folder, tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr(unet, "CLASSIC_WIDTHS", (4, 4))
    options = {"network": name, "epochs": 4, "patience": 2}
    whole, _, history = train_briefly(drawn_folder, tmp_path / "whole", **options)

    run = tmp_path / "cut"
    with monkeypatch.context() as patch:
        interrupted_in(patch, epoch=3)
        stopped, validation, cut = train_briefly(drawn_folder, run, **options)
    assert cut.interrupted
    assert cut.history == {name: values[:2] for name, values in history.history.items()}
    assert training.History.read(run).epoch == [1, 2]
    assert "stopped by hand after epoch 2 of 4" in capsys.readouterr().out
    # What is left is the best epoch, not the last step.
    scores = stopped.evaluate(validation, return_dict=True, verbose=0)
    assert scores["dice"] == pytest.approx(cut.kept[1], abs=1e-5)

    options["resume"] = True
    resumed, _, history_resumed = train_briefly(drawn_folder, run, **options)
    assert history_resumed.history == history.history
    assert training.History.read(run).history == history.history
    for one, other in zip(whole.get_weights(), resumed.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)

    # Once more: it has ended, so nothing is trained again.
    finished, _, history_again = train_briefly(drawn_folder, run, **options)
    assert history_again.history == history.history
    np.testing.assert_array_equal(finished.get_weights()[0], whole.get_weights()[0])


@pytest.mark.slow
def test_a_checkpoint_of_another_network_is_refused(drawn_folder, tmp_path, monkeypatch):
    monkeypatch.setattr(callbacks, "CHECKPOINT_SECONDS", 0)
    monkeypatch.setattr(unet, "CLASSIC_WIDTHS", (4, 4))
    train_briefly(drawn_folder, tmp_path / "run", epochs=1)
    with pytest.raises(ValueError, match="another network"):
        train_briefly(drawn_folder, tmp_path / "run", network="classic", resume=True)


@pytest.mark.parametrize(("patience", "kept"), [(5, 1), (None, 3)])
def test_the_epoch_that_counts_is_the_best_or_without_patience_the_last(patience, kept):
    model = keras.Sequential([keras.layers.Input((1,)), keras.layers.Dense(1, use_bias=False)])
    model.compile("sgd", "mse")
    best, rows = callbacks.BestEpoch(patience, None), []
    for callback in (best, best.average):
        callback.set_model(model)
    best.on_train_begin()
    for epoch, dice in enumerate((0.9, 0.2, 0.5)):
        model.set_weights([np.full((1, 1), epoch + 1)])
        rows.append({"epoch": epoch + 1, "loss": 1.0, "val_loss": 1.0, "val_dice": dice})
        best.on_epoch_end(epoch, rows[-1])
    best.restore()
    assert model.get_weights()[0].item() == kept
    history = training.History(rows, last_counts=best.last_counts)
    assert history.kept == (kept, rows[kept - 1]["val_dice"])
    assert not model.stop_training


@pytest.mark.slow
def test_early_stopping_ends_the_run(drawn_folder, tmp_path, capsys):
    # With a learning rate of next to nothing, validation Dice cannot keep rising.
    options = {"learning_rate": 1e-12, "epochs": 30, "patience": 2}
    history = train_briefly(drawn_folder, tmp_path / "run", **options)[2]
    assert len(history.epoch) < 30
    output, errors = capsys.readouterr()
    assert f"stopped early after epoch {len(history.epoch)} of 30" in output
    assert "100%" in errors.splitlines()[-1]  # the bar is full, not left at 89 %


def explode(monkeypatch, epoch):
    """Let the loss become NaN in an epoch (from 1), as a learning rate that is too high does."""

    def begin(self, number, logs=None):
        self.training_data.epoch = number
        if number == epoch - 1:
            first = self.model.trainable_variables[0]
            first.assign(first * np.nan)

    monkeypatch.setattr(callbacks.SetEpoch, "on_epoch_begin", begin)


@pytest.mark.slow
def test_a_diverged_training_keeps_the_last_finite_weights(
    drawn_folder, tmp_path, monkeypatch, capsys
):
    explode(monkeypatch, epoch=3)
    model, validation, history = train_briefly(drawn_folder, tmp_path / "run", epochs=5)
    assert history.epoch == [1, 2]
    assert all(np.isfinite(weight).all() for weight in model.get_weights())
    scores = model.evaluate(validation, return_dict=True, verbose=0)
    assert scores["dice"] == pytest.approx(history.kept[1], abs=1e-5)
    assert "A smaller LEARNING_RATE" in capsys.readouterr().out


def test_a_training_that_diverges_at_once_says_what_to_do(drawn_folder, tmp_path, monkeypatch):
    explode(monkeypatch, epoch=1)
    with pytest.raises(InputError, match="smaller LEARNING_RATE"):
        train_briefly(drawn_folder, tmp_path / "run")


def test_run_folder_is_complete_and_reloads(trained):
    for name in ("model.keras", "model.json", "split.json", "history.csv", "scores.csv"):
        assert (trained / name).stat().st_size > 0, name
    assert not (trained / callbacks.CHECKPOINT).exists()
    settings = json.loads((trained / "model.json").read_text())
    network = load_network(trained / "model.keras")
    assert network.threshold == settings["threshold"]
    assert network.image_size == settings["image_size"] == 32
    assert settings["versions"]["keras"] == keras.__version__
    leftovers = [path.name for path in trained.iterdir() if path.name.startswith(".")]
    assert leftovers == []


def test_failed_save_leaves_the_old_model(tmp_path, monkeypatch):
    path = tmp_path / "model.keras"
    model = build("lean", (32, 32, 3))
    save_model(model, path, {"threshold": 0.5})
    before = path.read_bytes()

    def disk_full(self, filepath, **options):
        filepath.write_bytes(b"half a mo")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(keras.Model, "save", disk_full)
    with pytest.raises(ValueError, match=r"model\.keras: cannot be written .No space"):
        save_model(model, path, {"threshold": 0.7})
    assert path.read_bytes() == before
    assert sorted(file.name for file in tmp_path.iterdir()) == ["model.json", "model.keras"]
