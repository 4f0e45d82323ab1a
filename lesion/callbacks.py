"""What happens around the epochs of a training: the best weights, checkpoints, the progress bar."""

import json
import math
import signal
import sys
import time
from pathlib import Path
from threading import current_thread, main_thread

import keras
import numpy as np
from keras import ops
from tqdm import tqdm

from lesion import distribution, processes
from lesion.console import InputError
from lesion.storage import replacing, write_table

CHECKPOINT = "checkpoint.npz"
CHECKPOINT_SECONDS = 30  # between checkpoints: short epochs would be slowed down by writing


class SetEpoch(keras.callbacks.Callback):
    """Tells the training data which epoch it is: order and augmentation follow from that."""

    def __init__(self, training_data):
        super().__init__()
        self.training_data = training_data

    def on_epoch_begin(self, epoch, logs=None):
        self.training_data.epoch = epoch


class BetweenBatches(keras.callbacks.Callback):
    """Lets Ctrl-C take effect between two batches, in a `with`; a second one acts at once.

    On JAX, inside of a step, it would break Keras, which has taken the weights out of the network,
    or be lost in NumPy, which waits there for the numbers of other processes.
    """

    def __init__(self):
        super().__init__()
        self.asked, self.before = False, None

    def __enter__(self):
        if keras.backend.backend() == "jax" and current_thread() is main_thread():
            self.before = signal.signal(signal.SIGINT, self._ask)
        return self

    def __exit__(self, kind, error, trace):
        if self.before:
            signal.signal(signal.SIGINT, self.before)

    def _ask(self, number, frame):
        self.asked = True
        signal.signal(signal.SIGINT, self.before)

    def on_train_batch_end(self, batch, logs=None):
        if self.asked:
            raise KeyboardInterrupt

    on_test_batch_end = on_train_batch_end


class AverageWeights(keras.callbacks.Callback):
    """Validates the running average of the weights that the optimizer keeps (`use_ema`).

    Weights themselves jump about with each batch; their average stands where they jump around.
    What trains on is unchanged to the bit.
    """

    def show(self):
        """Put the average into the model."""
        if self.model.optimizer.use_ema:
            variables = self.model.trainable_variables
            self.own = [ops.copy(variable) for variable in variables]
            self.model.optimizer.finalize_variable_values(variables)
            if keras.backend.backend() == "jax":  # whose validation takes over what it is given
                for variable in variables:
                    variable.assign(ops.copy(variable))

    def hide(self):
        """Put the weights that are trained back."""
        if self.model.optimizer.use_ema:
            for variable, value in zip(self.model.trainable_variables, self.own, strict=True):
                variable.assign(value)

    def on_test_begin(self, logs=None):
        self.show()

    def on_test_end(self, logs=None):
        self.hide()


class BestEpoch(keras.callbacks.EarlyStopping):
    """Keras' early stopping on validation Dice, which a resumed run can carry on.

    Without patience each epoch counts as better than those before it, and none ends the training.
    An epoch whose loss is no finite number is never the best, and ends the training.
    """

    STATE = ("best", "best_epoch", "wait", "stopped_epoch")

    def __init__(self, patience, checkpoint):
        super().__init__("val_dice", mode="max", patience=patience or 0, restore_best_weights=True)
        self.average, self.last_counts = AverageWeights(), patience is None
        self.checkpoint, self.diverged = checkpoint, False

    def on_train_begin(self, logs=None):
        super().on_train_begin(logs)
        if self.checkpoint:
            for name in self.STATE:
                setattr(self, name, self.checkpoint["state"][name])
            self.best_weights = self.checkpoint["best_weights"]

    def on_train_batch_end(self, batch, logs=None):
        if not math.isfinite(logs["loss"]):
            self.diverged = self.model.stop_training = True

    def on_epoch_end(self, epoch, logs=None):
        self.diverged |= not all(math.isfinite(logs[key]) for key in ("loss", "val_loss"))
        if self.diverged:
            self.model.stop_training = True
        else:
            if self.last_counts:
                self.best = -math.inf
            self.average.show()  # which is what was validated
            super().on_epoch_end(epoch, logs)
            self.average.hide()

    def restore(self):
        """Put the best epoch's weights back, as Keras does only at a regular end."""
        if self.best_weights is not None:
            self.model.set_weights(self.best_weights)


class WriteProgress(keras.callbacks.Callback):
    """After an epoch: history.csv, and now and then all that is needed to go on from there.

    Of several processes the leading one writes; the others keep the rows as well.
    """

    def __init__(self, run, rows, best):
        super().__init__()
        self.run, self.rows, self.best = Path(run), rows, best
        self.written, self.waiting = time.monotonic(), None

    def on_epoch_end(self, epoch, logs=None):
        if self.best.diverged:
            return
        self.rows.append({"epoch": epoch + 1, **{key: float(v) for key, v in logs.items()}})
        if not processes.leads():
            return
        write_table(self.run / "history.csv", self.rows)
        self.waiting = self._snapshot()
        if time.monotonic() - self.written >= CHECKPOINT_SECONDS:
            self.write_checkpoint()

    def _snapshot(self):
        state = {name: float(getattr(self.best, name)) for name in BestEpoch.STATE}
        arrays = {"about": np.array(json.dumps({"rows": self.rows, "state": state}))}
        groups = {
            "model": self.model.variables,
            "optimizer": self.model.optimizer.variables,
            "best": self.best.best_weights,
        }
        for name, values in groups.items():
            # Copied: on a CPU the array may be the variable's own memory, which trains on.
            arrays |= {f"{name}/{i}": np.array(ops.convert_to_numpy(v)) for i, v in
                       enumerate(values)}  # fmt: skip
        return arrays

    def write_checkpoint(self):
        """Write the last whole epoch as one file: a kill can never pair two different epochs."""
        if self.waiting:
            with replacing(self.run / CHECKPOINT) as temporary:
                np.savez(temporary, **self.waiting)
        self.written, self.waiting = time.monotonic(), None


def read_checkpoint(path, model):
    """Puts a checkpoint's weights and optimizer state into a compiled model; returns the rest.

    None without a checkpoint. Several processes have to see the same one.
    """
    distribution.check_same(
        path.is_file() and path.stat().st_size,
        f"{path}: not every process sees the same: let --out be a folder that all machines share",
    )
    if not path.is_file():
        return None
    with np.load(path, allow_pickle=False) as file:
        about = json.loads(str(file["about"]))
        groups = {
            name: [file[f"{name}/{i}"] for i in range(sum(k.startswith(f"{name}/") for k in file))]
            for name in ("model", "optimizer", "best")
        }
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


class ProgressBar(keras.callbacks.Callback):
    """One bar for the whole run: readable in a terminal, a notebook and a log file alike."""

    def __init__(self, epochs, steps_per_epoch, first_epoch):
        super().__init__()
        self.total, self.done = epochs * steps_per_epoch, first_epoch * steps_per_epoch
        self.epochs, self.bar, self.seen, self.text = epochs, None, {}, ""

    def on_epoch_begin(self, epoch, logs=None):
        self.text = f"epoch {epoch + 1}/{self.epochs}"

    def on_train_batch_end(self, batch, logs=None):
        self.done += 1
        if self.bar is None:
            # Begun only now: the first step builds the graph, which says nothing of the others.
            # A log file gets a line for each refresh: few of them.
            interval = 0.5 if sys.stderr.isatty() else 5
            self.bar = tqdm(total=self.total, initial=self.done, unit="step",
                            mininterval=interval, maxinterval=2 * interval)  # fmt: skip
        else:
            self.bar.update()
        self.bar.set_description(self.text, refresh=False)
        self.bar.set_postfix({"loss": logs["loss"], **self.seen}, refresh=False)

    def on_epoch_end(self, epoch, logs=None):
        names = {"dice": "Dice", "val_dice": "validation Dice"}
        self.seen = {names[key]: value for key, value in logs.items() if key in names}

    def close(self):
        """End the bar where the training ended, also early: none is left at 89 %."""
        if self.bar is not None:
            self.bar.total = self.bar.n
            self.bar.close()
