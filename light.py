"""Predictions without TensorFlow: the .tflite file that `publish.py` writes, run by LiteRT.

    model = load_light("files/lean_drawn.keras")     # None where only Keras can do it
    probability = model.predict_on_batch(pictures)

TensorFlow and Keras take seconds to start, LiteRT a few milliseconds, and on a CPU it also predicts
faster. The .keras file stays the one that is named everywhere; its twin is used where it can be.
"""

import hashlib
import json
import os
import sys
from pathlib import Path

import numpy as np

from console import without_errors_shown

# What the .json of published weights calls the SHA-256 of each of the two files.
HASHES = {".keras": "keras_sha256", ".tflite": "tflite_sha256"}


class LightModel:
    """What a `keras.Model` does for `prediction`, done by LiteRT in float32 on all cores.

    Attributes:
        input_shape: (None, S, S, C).
        output_shape: (None, S, S, 1).

    Raises:
        ValueError, RuntimeError: LiteRT cannot run this, or it is no network of that shape.
        ImportError: LiteRT is not installed.
    """

    def __init__(self, content):
        """content: bytes of a .tflite file."""
        # Optional at run time: where there is no LiteRT, Keras does the work.
        from ai_edge_litert.interpreter import Interpreter

        with without_errors_shown():  # LiteRT reports what it uses; what fails is raised
            self._interpreter = Interpreter(model_content=content, num_threads=os.cpu_count())
            self._interpreter.allocate_tensors()
        (given,), (made,) = (
            self._interpreter.get_input_details(),
            self._interpreter.get_output_details(),
        )
        one, *inputs = map(int, given["shape"])
        outputs = [int(side) for side in made["shape"][1:]]
        square = len(inputs) == 3 and inputs[0] == inputs[1] and inputs[2] in (1, 3)
        if one != 1 or not square or outputs != [*inputs[:2], 1]:
            raise ValueError(f"maps {inputs} to {outputs}, not square pictures to probabilities")
        self.input_shape, self.output_shape = (None, *inputs), (None, *outputs)
        self._input, self._output = given["index"], made["index"]

    def predict_on_batch(self, pictures):
        """Maps float32 (N, S, S, C) in [0, 1] to probabilities, float32 (N, S, S, 1)."""
        outputs = np.empty((len(pictures), *self.output_shape[1:]), np.float32)
        # One by one: on a CPU that is no slower than a batch, and the file needs one size only.
        for picture, output in zip(pictures, outputs, strict=True):
            self._interpreter.set_tensor(self._input, picture[None])
            self._interpreter.invoke()
            output[...] = self._interpreter.get_tensor(self._output)[0]
        return outputs


def load_light(path):
    """Returns the `LightModel` of a .keras file, or None where Keras has to be used.

    The .tflite must be beside the .keras file, and the .json beside both must name these two files
    by their SHA-256: so neither a damaged one nor one of other weights is ever run. One that is
    there and not fit for use is named in a note.
    """
    path = Path(path)
    light = path.with_suffix(".tflite")
    try:
        content = light.read_bytes()
        found = {".keras": sha256(path.read_bytes()), ".tflite": sha256(content)}
    except OSError:
        return None
    if _recorded(path.with_suffix(".json")) != found:
        reason = f"{path.with_suffix('.json').name} does not name it and {path.name} as published"
    else:
        try:
            return LightModel(content)
        except ImportError:
            return None
        except (ValueError, RuntimeError) as error:
            reason = str(error).partition("\n")[0]
    print(f"note: {light.name} is not used ({reason}); Keras predicts instead", file=sys.stderr)
    return None


def sha256(content):
    """The SHA-256 of bytes, as hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()


def _recorded(path):
    try:
        settings = json.loads(path.read_text(encoding="utf-8"))
        return {suffix: settings[key] for suffix, key in HASHES.items()}
    except (OSError, ValueError, TypeError, KeyError):
        return None  # what is wrong with the settings, `prediction` says
