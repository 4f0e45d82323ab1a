"""What processes that train together tell each other, and a model that one of them asks alone.

    split = distribution.shared(lambda: inputs.load(settings))
    model = distribution.part(model)

Without others, see `lesion.processes`, all of it does nothing.
"""

import pickle
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import keras
import numpy as np

from lesion import processes
from lesion.console import InputError

Value = TypeVar("Value")


def shared(make: Callable[[], Value]) -> Value:
    """Return what `make` returns in the leading process, in all of them; it is called there only.

    So a data folder is looked through once, and all divide it alike.

    Raises:
        What `make` raises, in the leading process. The others end with it.
    """
    if not processes.several():
        return make()
    from jax.experimental.multihost_utils import broadcast_one_to_all

    content = np.frombuffer(pickle.dumps(make()) if processes.leads() else b"", np.uint8)
    size = int(broadcast_one_to_all(np.int32(content.size)))
    if not processes.leads():
        content = np.zeros(size, np.uint8)
    return pickle.loads(np.asarray(broadcast_one_to_all(content), np.uint8).tobytes())


def check_same(number: int, otherwise: str) -> None:
    """Raise InputError with these words if the processes have not all the same number."""
    if not processes.several():
        return
    from jax.experimental.multihost_utils import process_allgather

    if len(set(process_allgather(np.int32(number)).tolist())) > 1:
        raise InputError(otherwise)


def alone(model):
    """Return a model that this process may ask on its own: the very model, or of several a copy.

    A distributed `keras.Model` answers only where all processes ask it at the same time.
    """
    return _Copy(model) if processes.several() else model


class _Copy:
    """Answers with the weights that a distributed model has at that moment."""

    def __init__(self, model):
        self.model = model
        with _undistributed():
            self.copy = keras.models.clone_model(model)

    def updated(self):
        with _undistributed():
            self.copy.set_weights(self.model.get_weights())
        return self.copy

    def predict_on_batch(self, x):
        copy = self.updated()
        with _undistributed():
            return copy.predict_on_batch(x)


@contextmanager
def _undistributed() -> Iterator[None]:
    distribution = keras.distribution.distribution()
    keras.distribution.set_distribution(None)
    try:
        yield
    finally:
        keras.distribution.set_distribution(distribution)


def part(model: keras.Model | None = None) -> keras.Model | None:
    """End the work of several processes; return the model as the leading one goes on with it.

    Raises:
        SystemExit: in the other processes, which have nothing to do any more.
    """
    if not processes.several():
        return model
    if model is not None and processes.leads():
        model = _Copy(model).updated()
    processes.disband()
    return model
