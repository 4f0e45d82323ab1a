"""Records elsewhere: the lines of CONTRIBUTING.md, in the offline modes of both packages."""

import os
import re
import subprocess
import sys
from pathlib import Path

import keras
import pytest

from lesion import inputs, workflow
from lesion.settings import Settings

ROOT = Path(__file__).parents[1]
pytestmark = pytest.mark.usefixtures("narrow")


def test_further_callbacks_hear_of_every_epoch(tmp_path, drawn_folder):
    settings, heard = Settings(data=drawn_folder, epochs=2, image_size=32), []
    trained = workflow.Training(inputs.load(settings), settings, tmp_path / "run")
    further = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: heard.append(logs))
    history = trained.fit(callbacks=[further]).history
    assert [logs["val_dice"] for logs in heard] == pytest.approx(history["val_dice"])


def train_as_written(package, drawn_folder):
    """Run the lines of CONTRIBUTING.md with this package; return (their names, the training)."""
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "CONTRIBUTING.md").read_text(), re.DOTALL)
    lines = next(block for block in blocks if f"import {package}" in block)
    settings = Settings(data=drawn_folder, epochs=2, image_size=32)
    names = {"trained": workflow.Training(inputs.load(settings), settings, "runs/mine")}
    exec(lines, names)
    return names, names["trained"]


def test_weights_and_biases(tmp_path, drawn_folder, monkeypatch):
    wandb = pytest.importorskip("wandb", reason="wandb is not installed")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WANDB_SILENT", "true")
    logged = []
    own = wandb.Run.log
    monkeypatch.setattr(wandb.Run, "log", lambda run, row, *more, **options: (
        logged.append(row), own(run, row, *more, **options)))  # fmt: skip
    _, trained = train_as_written("wandb", drawn_folder)
    dice = [row["epoch/val_dice"] for row in logged if "epoch/val_dice" in row]
    assert dice == pytest.approx(trained.history.history["val_dice"])
    assert list(tmp_path.glob("wandb/offline-run-*/*.wandb"))


def test_mlflow(tmp_path, drawn_folder, monkeypatch):
    pytest.importorskip("mlflow", reason="mlflow is not installed")
    monkeypatch.chdir(tmp_path)
    names, trained = train_as_written("mlflow", drawn_folder)
    client = names["mlflow"].MlflowClient()
    (run,) = client.search_runs(["0"])
    history = client.get_metric_history(run.info.run_id, "val_dice")
    assert [m.value for m in history] == pytest.approx(trained.history.history["val_dice"])
    assert run.info.status == "FINISHED"


def test_neither_is_imported_unless_asked_for():
    lines = "import segment, sys; from lesion import workflow; print(*sys.modules)"
    environment = os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"}
    command = [sys.executable, "-c", lines]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    loaded = set(done.stdout.split())
    assert "keras" in loaded
    assert not loaded & {"wandb", "mlflow"}
