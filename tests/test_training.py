"""Training: schedule, callbacks, what a run leaves behind, and that it can be repeated."""

import json

import keras
import numpy as np
import pytest

from data import make_dataset, make_training_dataset
from lesion import training
from lesion.inputs.splitting import load_split
from lesion.predict.network import load_network
from lesion.storage import read_table
from lesion.training import compile_model, fit, save_model
from unet import NETWORKS, build


def train_briefly(folder, run, epochs=3, network="lean", **options):
    keras.utils.set_random_seed(0)
    split = load_split(folder, seed=0, test=0)
    data, counter = make_training_dataset(split.train, 32, 4, seed=0)
    validation = make_dataset(split.validation, 32, 4)
    model = build(network, (32, 32, 3))
    compile_model(model, "bce", epochs, len(data))
    run.mkdir(exist_ok=True)
    return model, validation, fit(model, data, counter, validation, epochs, run, **options)


def test_learning_rate_warms_up_and_falls():
    model = build("lean", (32, 32, 3))
    compile_model(model, "bce_dice", epochs=10, steps_per_epoch=20)
    schedule = model.optimizer._learning_rate
    rates = [float(schedule(step)) for step in range(201)]
    peak = NETWORKS["lean"].learning_rate
    assert np.argmax(rates) == 20
    assert rates[20] == pytest.approx(peak)
    assert rates[0] == pytest.approx(peak / 50)
    assert rates[200] == pytest.approx(peak / 100)
    assert (np.diff(rates[20:]) <= 0).all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"loss": "l2"}, "unknown loss"),
        ({"epochs": 0}, "at least 1 epoch"),
        ({"learning_rate": -1.0}, "positive"),
    ],
)
def test_compile_refuses_nonsense(change, message):
    arguments = {"loss": "bce", "epochs": 1, "steps_per_epoch": 1, **change}
    with pytest.raises(ValueError, match=message):
        compile_model(build("lean", (32, 32, 3)), **arguments)


def test_history_best_weights_and_repetition(drawn_folder, tmp_path):
    model, validation, history = train_briefly(drawn_folder, tmp_path / "a")
    assert [row["epoch"] for row in history] == [1, 2, 3]
    assert read_table(tmp_path / "a" / "history.csv") == history
    assert any((tmp_path / "a" / "tensorboard").rglob("events*"))

    # The model holds the weights of the best epoch, not of the last.
    best = max(row["val_dice"] for row in history)
    scores = model.evaluate(validation, return_dict=True, verbose=0)
    assert scores["dice"] == pytest.approx(best, abs=1e-5)

    again, _, history_again = train_briefly(drawn_folder, tmp_path / "b")
    assert history_again == history
    for one, other in zip(model.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("name", ["lean", "lite", "classic"])
def test_an_interrupted_run_ends_as_if_it_had_not_been(name, drawn_folder, tmp_path, monkeypatch):
    monkeypatch.setattr(training, "CHECKPOINT_SECONDS", 0)
    options = {"network": name, "epochs": 4, "patience": 2}
    whole, _, history = train_briefly(drawn_folder, tmp_path / "whole", **options)

    # Stopped in the middle of the third epoch, as by kill -9: nothing is tidied up.
    run = tmp_path / "cut"

    def stop(self, batch, logs=None):
        if (run / "history.csv").exists() and len(read_table(run / "history.csv")) == 2:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(training._ProgressBar, "on_train_batch_end", stop)
        with pytest.raises(KeyboardInterrupt):
            train_briefly(drawn_folder, run, **options)
    assert len(read_table(run / "history.csv")) == 2

    options["resume"] = True
    resumed, _, history_resumed = train_briefly(drawn_folder, run, **options)
    assert history_resumed == history
    assert read_table(run / "history.csv") == history
    for one, other in zip(whole.get_weights(), resumed.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)

    # Once more: it has ended, so nothing is trained again.
    finished, _, history_again = train_briefly(drawn_folder, run, **options)
    assert history_again == history
    np.testing.assert_array_equal(finished.get_weights()[0], whole.get_weights()[0])


def test_a_checkpoint_of_another_network_is_refused(drawn_folder, tmp_path, monkeypatch):
    monkeypatch.setattr(training, "CHECKPOINT_SECONDS", 0)
    train_briefly(drawn_folder, tmp_path / "run", epochs=1)
    with pytest.raises(ValueError, match="another network"):
        train_briefly(drawn_folder, tmp_path / "run", network="classic", resume=True)


def test_early_stopping_ends_the_run(drawn_folder, tmp_path, monkeypatch):
    # With a learning rate of next to nothing, validation Dice cannot keep rising.
    monkeypatch.setitem(NETWORKS, "lean", NETWORKS["lean"]._replace(learning_rate=1e-12))
    history = train_briefly(drawn_folder, tmp_path / "run", epochs=30, patience=2)[2]
    assert len(history) < 30


def test_run_folder_is_complete_and_reloads(trained):
    for name in ("model.keras", "model.json", "split.json", "history.csv", "scores.csv"):
        assert (trained / name).stat().st_size > 0, name
    assert not (trained / training.CHECKPOINT).exists()
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
