"""Training: compile a network, fit it with callbacks, save it.

compile_model(model, loss="bce_dice", epochs=60, steps_per_epoch=len(training_data))
history = fit(model, training_data, counter, validation_data, epochs=60, run=run)
save_model(model, run / "model.keras", settings)
"""

import json
import sys
import time
from pathlib import Path

import keras
import numpy as np
from keras import ops
from tqdm import tqdm

from lesion.console import InputError
from lesion.storage import replacing, write_json, write_table
from unet import LOSSES, NETWORKS, dice_metrics

CHECKPOINT = "checkpoint.npz"
CHECKPOINT_SECONDS = 30  # between checkpoints: short epochs would be slowed down by writing
WARM_UP = 0.1  # share of all steps
WEIGHT_DECAY = 1e-2


def compile_model(model, loss, epochs, steps_per_epoch, learning_rate=None, extra_metrics=()):
    """Compiles with AdamW, whose learning rate warms up linearly and then falls as a cosine.

    Args:
        model: a `keras.Model` of `unet.build`.
        loss: "bce" (binary cross-entropy), "dice" (1 - soft Dice) or "bce_dice" (their sum).
        epochs, steps_per_epoch: planned length of the run; the cosine ends there.
        learning_rate: peak; None takes the network's own (`unet.NETWORKS`).
        extra_metrics: besides `unet.dice_metrics`.

    Raises:
        ValueError: the loss is unknown, or a number is not positive.
    """
    if loss not in LOSSES:
        raise InputError(f"unknown loss {loss!r}: choose one of {', '.join(LOSSES)}")
    if epochs < 1 or steps_per_epoch < 1:
        raise InputError(f"epochs is {epochs}: train for at least 1 epoch on at least 1 picture")
    peak = learning_rate
    if peak is None:
        peak = NETWORKS[model.name.removeprefix("unet_")].learning_rate
    if not peak > 0:
        raise InputError(f"learning rate is {peak}: must be positive")
    steps = epochs * steps_per_epoch
    warm_up = min(int(WARM_UP * steps), 500)
    schedule = keras.optimizers.schedules.CosineDecay(
        initial_learning_rate=peak / 50 if warm_up else peak,
        warmup_target=peak if warm_up else None,
        warmup_steps=warm_up,
        decay_steps=max(1, steps - warm_up),
        alpha=0.01,
    )
    optimizer = keras.optimizers.AdamW(schedule, weight_decay=WEIGHT_DECAY)
    metrics = [*dice_metrics(), *extra_metrics]
    model.compile(optimizer=optimizer, loss=LOSSES[loss], metrics=metrics)


class _SetEpoch(keras.callbacks.Callback):
    """Tells the training data which epoch it is: order and augmentation follow from that."""

    def __init__(self, counter):
        super().__init__()
        self.counter = counter

    def on_epoch_begin(self, epoch, logs=None):
        self.counter.epoch = epoch


class _BestEpoch(keras.callbacks.EarlyStopping):
    """Keras' early stopping on validation Dice, which a resumed run can carry on."""

    STATE = ("best", "best_epoch", "wait", "stopped_epoch")

    def __init__(self, patience, checkpoint):
        super().__init__("val_dice", mode="max", patience=patience, restore_best_weights=True)
        self.checkpoint = checkpoint

    def on_train_begin(self, logs=None):
        super().on_train_begin(logs)
        for name in self.STATE if self.checkpoint else ():
            setattr(self, name, self.checkpoint["state"][name])
        if self.checkpoint:
            self.best_weights = self.checkpoint["best_weights"]


class _WriteProgress(keras.callbacks.Callback):
    """After an epoch: history.csv, and now and then all that is needed to go on from there."""

    def __init__(self, run, rows, best):
        super().__init__()
        self.run, self.rows, self.best = Path(run), rows, best
        self.written = time.monotonic()

    def on_epoch_end(self, epoch, logs=None):
        self.rows.append({"epoch": epoch + 1, **{key: float(v) for key, v in logs.items()}})
        write_table(self.run / "history.csv", self.rows)
        if time.monotonic() - self.written >= CHECKPOINT_SECONDS:
            self.write_checkpoint()
            self.written = time.monotonic()

    def write_checkpoint(self):
        """Writes one file, whole or not at all: a kill can never pair two different epochs."""
        state = {name: getattr(self.best, name) for name in _BestEpoch.STATE}
        about = {"rows": self.rows, "state": {key: float(v) for key, v in state.items()}}
        arrays = {"about": np.array(json.dumps(about))}
        groups = {
            "model": self.model.variables,
            "optimizer": self.model.optimizer.variables,
            "best": self.best.best_weights,
        }
        for name, values in groups.items():
            arrays |= {f"{name}/{i}": ops.convert_to_numpy(v) for i, v in enumerate(values)}
        with replacing(self.run / CHECKPOINT) as temporary:
            np.savez(temporary, **arrays)


def _read_checkpoint(path, model):
    """Puts a checkpoint's weights and optimizer state into a compiled model; returns the rest."""
    with np.load(path, allow_pickle=False) as file:
        about = json.loads(str(file["about"]))
        groups = {
            name: [file[f"{name}/{i}"] for i in range(sum(k.startswith(f"{name}/") for k in file))]
            for name in ("model", "optimizer", "best")
        }
    model.optimizer.build(model.trainable_variables)
    targets = {"model": model.variables, "optimizer": model.optimizer.variables}
    for name, variables in targets.items():
        shapes = [tuple(variable.shape) for variable in variables]
        if shapes != [value.shape for value in groups[name]]:
            raise InputError(
                f"{path}: is of another network: resume with the options the run was started with"
            )
        for variable, value in zip(variables, groups[name], strict=True):
            variable.assign(value)
    return {**about, "best_weights": groups["best"]}


class _ProgressBar(keras.callbacks.Callback):
    """One bar for the whole run: readable in a terminal, a notebook and a log file alike."""

    def __init__(self, epochs, steps_per_epoch, first_epoch):
        super().__init__()
        self.epochs, self.steps, self.first_epoch = epochs, steps_per_epoch, first_epoch
        self.seen = {}

    def on_train_begin(self, logs=None):
        # A log file gets a line for each refresh: few of them.
        interval = 0.5 if sys.stderr.isatty() else 5
        self.bar = tqdm(
            total=self.epochs * self.steps,
            initial=self.first_epoch * self.steps,
            unit="step",
            mininterval=interval,
            maxinterval=2 * interval,
        )

    def on_epoch_begin(self, epoch, logs=None):
        self.bar.set_description(f"epoch {epoch + 1}/{self.epochs}", refresh=False)

    def on_train_batch_end(self, batch, logs=None):
        self.bar.set_postfix({"loss": logs["loss"], **self.seen}, refresh=False)
        self.bar.update()

    def on_epoch_end(self, epoch, logs=None):
        names = {"dice": "Dice", "val_dice": "validation Dice"}
        self.seen = {names[key]: value for key, value in logs.items() if key in names}

    def on_train_end(self, logs=None):
        self.bar.close()


def fit(model, training_data, counter, validation_data, epochs, run, patience=None, resume=False):
    """Trains a compiled model; leaves it with the weights of its best validation epoch.

    Every half minute, at the end of an epoch, the whole state goes to checkpoint.npz.

    Args:
        model: compiled by `compile_model`.
        training_data, counter: what `data.make_training_dataset` gives.
        validation_data: `tf.data.Dataset` that is never augmented.
        epochs: most epochs to train.
        run: the run folder; history.csv, checkpoint.npz and tensorboard/ are written there.
        patience: stop after so many epochs without a better validation Dice; None never stops
            early, but still restores the best epoch.
        resume: go on from the checkpoint of an interrupted run, if there is one, and end as if it
            had never been interrupted.

    Returns:
        list of dicts, one an epoch: epoch (from 1), loss, dice, val_loss, val_dice, ...

    Raises:
        ValueError: the checkpoint is of another network.
    """
    path = Path(run) / CHECKPOINT
    checkpoint = _read_checkpoint(path, model) if resume and path.is_file() else None
    rows = checkpoint["rows"] if checkpoint else []
    if checkpoint and (checkpoint["state"]["stopped_epoch"] > 0 or len(rows) >= epochs):
        model.set_weights(checkpoint["best_weights"])
        return rows
    if rows:
        print(f"going on after epoch {len(rows)}")
    best = _BestEpoch(epochs if patience is None else patience, checkpoint)
    callbacks = [
        _SetEpoch(counter),
        best,
        _WriteProgress(run, rows, best),
        keras.callbacks.TensorBoard(log_dir=str(Path(run) / "tensorboard"), write_graph=False),
        keras.callbacks.TerminateOnNaN(),
        _ProgressBar(epochs, len(training_data), len(rows)),
    ]
    model.fit(
        training_data,
        validation_data=validation_data,
        epochs=epochs,
        initial_epoch=len(rows),
        callbacks=callbacks,
        shuffle=False,  # the dataset shuffles itself, reproducibly
        verbose=0,
    )
    return rows


def save_model(model, path, settings):
    """Saves a model whole or not at all, with its settings as JSON beside it.

    The checkpoint of its training, if one is in that folder, has served its purpose and goes.

    Args:
        model: any `keras.Model`.
        path: ends in .keras; the settings go to the same name with .json.
        settings: dict; `prediction.load_model` needs its "threshold".
    """
    path = Path(path)
    write_json(path.with_suffix(".json"), settings)
    with replacing(path) as temporary:
        model.save(temporary)
    path.with_name(CHECKPOINT).unlink(missing_ok=True)
