"""Training: compile a network, fit it with callbacks, save it.

    compile_model(model, "bce_dice", epochs=60, steps_per_epoch=len(training_data), 2e-3)
    history = fit(model, training_data, validation_data, epochs=60, run=run)
    save_model(model, run / "model.keras", about)

`lesion.workflow.Training` does all of this for a split and its settings.
"""

import json
from pathlib import Path

import keras
import numpy as np
from tqdm import tqdm

from lesion import processes
from lesion.callbacks import (
    CHECKPOINT,
    BestEpoch,
    BetweenBatches,
    ProgressBar,
    SetEpoch,
    WriteProgress,
    read_checkpoint,
)
from lesion.console import InputError
from lesion.storage import read_table, replacing, write_json
from unet import LOSSES, dice_metrics

WARM_UP = 0.1  # share of all steps
WEIGHT_DECAY = 1e-2


class History:
    """What a training went through, as Keras' own History tells it.

    Attributes:
        history: dict of column -> list with a value an epoch: loss, dice, val_loss, val_dice, ...
        epoch: list of the epochs' numbers, from 1.
        interrupted: whether somebody stopped the training, which can then be gone on with.
        last_counts: whether the last epoch's weights are kept, and not those of the best one.
    """

    def __init__(self, rows, interrupted=False, last_counts=False):
        names = [name for name in (rows[0] if rows else {}) if name != "epoch"]
        self.history = {name: [row[name] for row in rows] for name in names}
        self.epoch = [int(row["epoch"]) for row in rows]
        self.interrupted, self.last_counts = interrupted, last_counts

    @classmethod
    def read(cls, run):
        """Return the history that a training left in its run folder."""
        rows = read_table(Path(run) / "history.csv")
        rows = [{name: float(value) for name, value in row.items()} for row in rows]
        return cls(rows, last_counts=_no_patience(run))

    @property
    def kept(self):
        """(number of the epoch whose weights are kept, its validation Dice)."""
        dice = self.history["val_dice"]
        position = len(dice) - 1 if self.last_counts else int(np.argmax(dice))
        return self.epoch[position], dice[position]


def _no_patience(run):
    path = Path(run) / "parameters.json"
    return path.is_file() and json.loads(path.read_text(encoding="utf-8"))["patience"] is None


def compile_model(
    model, loss, epochs, steps_per_epoch, learning_rate, averaging=0.0, extra_metrics=()
):
    """Compile with AdamW, whose learning rate warms up linearly and then falls as a cosine.

    Args:
        model: a `keras.Model` of `unet.build`.
        loss: a name of `unet.LOSSES`.
        epochs, steps_per_epoch: planned length of the run; the cosine ends there.
        learning_rate: peak.
        averaging: share of all steps that the running average of the weights looks back on, which
            is what counts in the end (Polyak & Juditsky 1992); 0 for the last weights themselves.
        extra_metrics: besides `unet.dice_metrics`.
    """
    steps = epochs * steps_per_epoch
    warm_up = min(int(WARM_UP * steps), 500)
    schedule = keras.optimizers.schedules.CosineDecay(
        initial_learning_rate=learning_rate / 50 if warm_up else learning_rate,
        warmup_target=learning_rate if warm_up else None,
        warmup_steps=warm_up,
        decay_steps=max(1, steps - warm_up),
        alpha=0.01,
    )
    optimizer = keras.optimizers.AdamW(
        schedule,
        weight_decay=WEIGHT_DECAY,
        use_ema=averaging > 0,
        ema_momentum=1 - 1 / max(1, averaging * steps),
    )
    metrics = [*dice_metrics(), *extra_metrics]
    # Weighted where the data bring weights, see `data.ValidationData`.
    model.compile(optimizer=optimizer, loss=LOSSES[loss], weighted_metrics=metrics)
    # Built here, not in the first step: what makes variables is traced by TensorFlow a second time.
    model.optimizer.build(model.trainable_variables)


def fit(
    model, training_data, validation_data, epochs, run, patience=None, resume=False, callbacks=()
):
    """Train a compiled model; leave it with the weights of the epoch that counts.

    Now and then, after an epoch, the whole state goes to checkpoint.npz. Ctrl-C, or the stop button
    of a notebook, ends it in good order: weights kept, checkpoint of the last whole epoch, a line.

    Args:
        model: compiled by `compile_model`.
        training_data: `data.TrainingData`.
        validation_data: `data.ValidationData`.
        epochs: most epochs to train.
        run: the run folder; history.csv, checkpoint.npz and tensorboard/ are written there.
        patience: stop after so many epochs without a better validation Dice, and keep the best
            one; None never stops early and keeps the last.
        resume: go on from an interrupted run's checkpoint, if it has one, to the same end.
        callbacks: more of Keras' callbacks; they hear of the end also of an interrupted training.

    Returns:
        `History`.

    Raises:
        InputError: the checkpoint is of another network, or the first loss no finite number.
        KeyboardInterrupt: stopped before the first epoch was complete.
    """
    checkpoint = read_checkpoint(Path(run) / CHECKPOINT, model) if resume else None
    rows = checkpoint["rows"] if checkpoint else []
    if checkpoint and (checkpoint["state"]["stopped_epoch"] > 0 or len(rows) >= epochs):
        model.set_weights(checkpoint["best_weights"])
        return History(rows, last_counts=patience is None)
    about = f"going on after epoch {len(rows)}; " if rows else ""
    tqdm.write(f"{about}the first step builds the graph, which can take a minute")
    best = BestEpoch(patience, checkpoint)
    progress = WriteProgress(run, rows, best)
    bar = ProgressBar(epochs, len(training_data), len(rows))
    own, interrupted = [best.average, best, progress, *_shown(run, bar)], False
    # The data shuffle themselves, reproducibly.
    options = {"epochs": epochs, "initial_epoch": len(rows), "shuffle": False, "verbose": 0}
    options["callbacks"] = [SetEpoch(training_data), *own, *callbacks]
    try:
        with BetweenBatches() as stop:
            options["callbacks"].append(stop)
            model.fit(training_data, validation_data=validation_data, **options)
    except KeyboardInterrupt:
        if not rows:
            raise
        _stop(progress, callbacks)
        interrupted = True
    except Exception as error:
        if processes.is_loss(error):
            progress.write_checkpoint()
        raise
    finally:
        bar.close()
    history = History(rows, interrupted, best.last_counts)
    best.restore()
    if line := _ending(history, best, epochs):
        tqdm.write(line)
    return history


def _shown(run, bar):
    """Return the callbacks that only tell: none in a process that helps another one.

    Records for TensorBoard are written by TensorFlow alone.
    """
    if not processes.leads():
        return []
    if keras.backend.backend() != "tensorflow":
        return [bar]
    directory = str(Path(run) / "tensorboard")
    return [keras.callbacks.TensorBoard(log_dir=directory, write_graph=False), bar]


def _stop(progress, callbacks):
    """End an interrupted training in good order: keep its last whole epoch, tell the others."""
    progress.write_checkpoint()
    for callback in callbacks:
        callback.on_train_end()
    if processes.several():  # without the others nothing can be put back into the network
        raise KeyboardInterrupt


def _ending(history, best, epochs):
    """What has to be said of an end that was not the planned one, or ""."""
    done = len(history.epoch)
    if best.diverged and not done:
        raise InputError(
            "the loss became infinite or no number in the first epoch: choose a smaller "
            "LEARNING_RATE, a fifth for example"
        )
    if not done:
        return ""
    kept = "the weights of epoch {}, validation Dice {:.3f}, are kept".format(*history.kept)
    if best.diverged:
        return (
            f"stopped in epoch {done + 1}: the loss became infinite or no number; {kept}. "
            "A smaller LEARNING_RATE trains steadily"
        )
    if history.interrupted:
        return f"stopped by hand after epoch {done} of {epochs}; {kept}"
    if done < epochs:
        return f"stopped early after epoch {done} of {epochs}, since nothing became better; {kept}"
    return ""


def save_model(model, path, about):
    """Save a model whole or not at all, with what is to be known of it as JSON beside it.

    The checkpoint of its training, if one is in that folder, has served its purpose and goes.

    Args:
        model: any `keras.Model`.
        path: ends in .keras; the rest goes to the same name with .json.
        about: dict; `predict.load_network` needs its "threshold".
    """
    path = Path(path)
    write_json(path.with_suffix(".json"), about)
    with replacing(path) as temporary:
        model.save(temporary)
    path.with_name(CHECKPOINT).unlink(missing_ok=True)
