"""The clock of the speed-run: what a classic picture costs, how many steps a budget buys.

    unit = classic_picture(3)                        # seconds
    model, steps, trials = plan(task, budget * unit)
    for step, seconds in timed_training(model, endless_batches(task), steps):
        ...                                          # the clock stands still in here

A *classic picture* (cp) is the time of one training picture of the 31-million-parameter network of
the tutorials, 512x512 pixels in batches of 4, on this machine and in this run. So a result in cp
can be compared between machines, and with what the same time would have bought the first system.
"""

import gc
import itertools
import statistics
import time
from contextlib import contextmanager
from dataclasses import dataclass

import keras
import numpy as np
from keras import ops
from tqdm import tqdm

from data import TrainingData
from lesion.console import InputError
from lesion.predict.network import start_from
from lesion.training import compile_model
from unet import NETWORKS, build, unet

CLASSIC_SIZE, CLASSIC_BATCH = 512, 4
TIMED_STEPS = 3
PLANNING_STEPS = 10
# A machine is never equally fast twice: planned to the full, half of the runs would overspend.
PLANNED_SHARE = 0.97


@dataclass(frozen=True)
class Task:
    """What a network is trained on and how; None stands for what `training` and `unet` choose."""

    pairs: list
    size: int  # pixels a side
    batch: int
    channels: int
    loss: str
    seed: int = 0
    learning_rate: float | None = None
    widths: tuple | None = None
    kind: str = "lean"
    averaging: float = 0.0

    @property
    def pictures_a_step(self):
        return min(self.batch, len(self.pairs))

    @property
    def input_shape(self):
        return self.size, self.size, self.channels


def endless_batches(task):
    """Augmented batches of a task without end, all of the same size.

    The incomplete batch at the end of an epoch is left out: TensorFlow would build its graph anew
    for it, on the clock. The order changes with the epoch, and so do the pictures left out.
    """
    training = TrainingData(task.pairs, task.size, task.batch, task.channels, task.seed)
    batches = itertools.chain.from_iterable(itertools.repeat(training))  # each time an epoch
    return (batch for batch in batches if len(batch[0]) == task.pictures_a_step)


def random_batch(size, count, channels):
    """A batch of noise with noisy masks, float32: what a step costs does not depend on the data."""
    rng = np.random.default_rng(0)
    x = rng.random((count, size, size, channels), np.float32)
    return x, (rng.random((count, size, size, 1)) < 0.5).astype(np.float32)


def step_seconds(model, batches, steps):
    """Seconds of each of some training steps, after one step without clock that builds the graph.

    Args:
        model: compiled; is trained.
        batches: iterator of (x, y); the time to get them counts.
        steps: how many to time.
    """
    model.train_on_batch(*next(batches))
    seconds = []
    for _ in range(steps):
        start = time.perf_counter()
        model.train_on_batch(*next(batches))
        seconds.append(time.perf_counter() - start)
    return seconds


def classic_picture(channels):
    """Seconds of one classic picture, gray (1 channel) or RGB (3): the unit of all results."""
    model = build("classic", (CLASSIC_SIZE, CLASSIC_SIZE, channels))
    compile_model(model, "bce", 1, TIMED_STEPS, NETWORKS["classic"].learning_rate)
    batches = itertools.repeat(random_batch(CLASSIC_SIZE, CLASSIC_BATCH, channels))
    seconds = statistics.median(step_seconds(model, batches, TIMED_STEPS)) / CLASSIC_BATCH
    del model
    gc.collect()  # gigabytes, which what comes next may need
    print(f"1 classic picture (cp) = {seconds:.3g} s", flush=True)
    return seconds


@contextmanager
def _policy(name):
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(name)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def network_of(task, size=None):
    """The network of a task, from random weights, for pictures of another size if given."""
    shape = (size or task.size, size or task.size, task.channels)
    return unet(shape, task.widths) if task.widths else build(task.kind, shape)


def compiled(task, steps, policy="float32"):
    """The network of a task, from its own start; its learning rate falls over the steps."""
    own = NETWORKS[task.kind]
    with _policy(policy):
        model = network_of(task)
    if own.start:
        start_from(model, own.start)
    rate = task.learning_rate or own.learning_rate
    compile_model(model, task.loss, 1, steps, rate, task.averaging)
    return model


def plan_steps(seconds_a_step, seconds):
    """How many steps are planned for some seconds.

    Raises:
        InputError: not a single one.
    """
    steps = int(PLANNED_SHARE * seconds / seconds_a_step)
    if steps < 1:
        raise InputError(
            f"the budget of {seconds:.3g} s does not last for one training step of "
            f"{seconds_a_step:.3g} s: give a larger --budget"
        )
    return steps


def plan(task, seconds, policies=("float32",)):
    """Plans a training of a task's network that takes the given time.

    Some steps of throw-away networks tell how long a step takes with each dtype policy. The
    fastest one is taken.

    Returns:
        (compiled model, number of steps, dict of policy -> seconds a step, the fastest first).

    Raises:
        ValueError: the time is too short for a step.
    """
    trials = {}
    for policy in policies:
        model = compiled(task, PLANNING_STEPS, policy)
        measured = step_seconds(model, endless_batches(task), PLANNING_STEPS)
        trials[policy] = statistics.fmean(measured)
    trials = dict(sorted(trials.items(), key=lambda item: item[1]))
    policy, fastest = next(iter(trials.items()))
    steps = plan_steps(fastest, seconds)
    keras.utils.set_random_seed(task.seed)
    return compiled(task, steps, policy), steps, trials


def _build_graph(model, batch):
    """One training step that leaves no trace but the graph that TensorFlow has built for it."""
    model.optimizer.build(model.trainable_variables)
    variables = [*model.variables, *model.optimizer.variables]
    before = [np.array(ops.convert_to_numpy(variable)) for variable in variables]
    model.train_on_batch(*batch)
    for variable, value in zip(variables, before, strict=True):
        variable.assign(value)


def timed_training(model, batches, steps):
    """Trains a compiled model; building the graph is not timed, as it is not for the unit.

    Args:
        model: compiled for so many steps.
        batches: iterator of (x, y); the time to get them counts.
        steps: how many.

    Yields:
        (steps done, seconds spent) after each step. While the caller has it, the clock rests.
    """
    _build_graph(model, next(batches))
    spent = 0.0
    for step in tqdm(range(1, steps + 1), unit="step", mininterval=5):
        start = time.perf_counter()
        model.train_on_batch(*next(batches))
        spent += time.perf_counter() - start
        yield step, spent


def train(model, batches, steps):
    """`timed_training` to its end, whose average of the weights counts: the seconds it took."""
    seconds = max(seconds for _, seconds in timed_training(model, batches, steps))
    if model.optimizer.use_ema:
        model.optimizer.finalize_variable_values(model.trainable_variables)
    return seconds
