"""Predictions without TensorFlow: the .tflite file that `tools.publish` writes, run by LiteRT.

    model = load_litert("files/lite.keras")     # None where only Keras can do it
    probabilities, features = split_answer(model.predict_on_batch(pictures))     # of features.py

TensorFlow and Keras take seconds to start, LiteRT a few milliseconds, and on a CPU it also predicts
faster. The .keras file stays the one that is named everywhere; its twin is used where it can be.
"""

import json
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Lock

import numpy as np

from lesion.console import usable_cores, without_errors_shown
from lesion.storage import sha256

# What the .json of published weights calls the SHA-256 of each of the two files.
HASHES = {".keras": "keras_sha256", ".tflite": "tflite_sha256"}


class LitertModel:
    """What a `keras.Model` does for a `Network`, done by LiteRT in float32 on all cores.

    Attributes:
        input_shape: (None, S, S, C).
        output_shape: (None, S, S, 1).

    Raises:
        ValueError, RuntimeError: LiteRT cannot run this, or it is no network of that shape.
        ImportError: LiteRT is not installed.
    """

    def __init__(self, content: bytes):
        """content: bytes of a .tflite file."""
        # Optional at run time: where there is no LiteRT, Keras does the work.
        from ai_edge_litert.interpreter import Interpreter

        self._new = partial(Interpreter, model_content=content, num_threads=1)
        self._starting, self._free = Lock(), SimpleQueue()
        first = self._start()
        self._free.put(first)
        self._cores = ThreadPoolExecutor(usable_cores())
        (given,), made = first.get_input_details(), first.get_output_details()
        # First the probabilities, then the features, which files of earlier versions lack.
        made = sorted(made, key=lambda output: -len(output["shape"]))
        one, *inputs = map(int, given["shape"])
        outputs = [int(side) for side in made[0]["shape"][1:]]
        square = len(inputs) == 3 and inputs[0] == inputs[1] and inputs[2] in (1, 3)
        if one != 1 or not square or outputs != [*inputs[:2], 1]:
            raise ValueError(f"maps {inputs} to {outputs}, not square pictures to probabilities")
        self.input_shape, self.output_shape = (None, *inputs), (None, *outputs)
        self._input, self._outputs = given["index"], [output["index"] for output in made]

    def __reduce__(self):  # to another process goes the file
        return LitertModel, (self._new.keywords["model_content"],)

    def _start(self):
        # One at a time, as the error stream is closed; LiteRT reports there what it uses.
        with self._starting, without_errors_shown():
            interpreter = self._new()
            interpreter.allocate_tensors()
        return interpreter

    def _run(self, picture):
        try:
            interpreter = self._free.get_nowait()
        except Empty:  # never more of them than cores
            interpreter = self._start()
        try:
            interpreter.set_tensor(self._input, picture[None])
            interpreter.invoke()
            return [interpreter.get_tensor(output)[0] for output in self._outputs]
        finally:
            self._free.put(interpreter)

    def predict_on_batch(self, pictures: np.ndarray) -> list[np.ndarray]:
        """Map float32 (N, S, S, C) in [0, 1] to probabilities (N, S, S, 1) and features (N, F).

        Both are float32; a file of earlier versions gives the probabilities alone.

        Each core takes one picture after the other, which needs less talk between them than
        sharing one out. May be called by several threads at once.
        """
        return [np.stack(made) for made in zip(*self._cores.map(self._run, pictures), strict=True)]


def load_litert(path: str | Path) -> LitertModel | None:
    """Return the `LitertModel` of a .keras file, or None where Keras has to be used.

    The .tflite must be beside the .keras file, and the .json beside both must name these two files
    by their SHA-256: so neither a damaged one nor one of other weights is ever run. One that is
    there and not fit for use is named in a note.
    """
    path = Path(path)
    litert = path.with_suffix(".tflite")
    try:
        content = litert.read_bytes()
        found = {".keras": sha256(path.read_bytes()), ".tflite": sha256(content)}
    except OSError:
        return None
    if _recorded(path.with_suffix(".json")) != found:
        reason = f"{path.with_suffix('.json').name} does not name it and {path.name} as published"
    else:
        try:
            return LitertModel(content)
        except ImportError:
            return None
        except (ValueError, RuntimeError) as error:
            reason = str(error).partition("\n")[0]
    print(f"note: {litert.name} is not used ({reason}); Keras predicts instead", file=sys.stderr)
    return None


def _recorded(path):
    try:
        settings = json.loads(path.read_text(encoding="utf-8"))
        return {suffix: settings[key] for suffix, key in HASHES.items()}
    except (OSError, ValueError, TypeError, KeyError):
        return None  # what is wrong with the settings, `network` says
