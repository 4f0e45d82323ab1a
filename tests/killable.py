"""A process that does its work in children, for tests that kill them: `python tests/killable.py`.

Each line of its input is a JSON list, the name of a function here and its arguments. It answers
with the number of a child that calls the function, and with the child's exit code once it ended.
Keras is imported and not used before: what has begun to use TensorFlow cannot be forked, and a
child that has it imported starts in a moment.
"""

import json
import os
import sys
from itertools import count
from pathlib import Path

import numpy as np

from lesion.console import without_errors_shown

with without_errors_shown():
    import keras

import unet
from lesion import callbacks, settings, training
from lesion.predict.files import predict_files
from lesion.predict.network import Network
from segment import main


def stub(shape):
    """A network that is soon compiled, yet large enough that writing it takes a while."""
    return keras.Sequential(
        [
            keras.layers.Input(shape),
            keras.layers.Conv2D(32, 8, strides=8, activation="relu"),
            keras.layers.Conv2D(256, 3, padding="same", activation="relu"),
            keras.layers.Conv2D(64, 3, padding="same", activation="relu"),
            keras.layers.UpSampling2D(8, interpolation="bilinear"),
            keras.layers.Conv2D(1, 3, padding="same", activation="sigmoid"),
        ],
        name="unet_lean",
    )


def train(*arguments):
    """Run `segment.py train` with a checkpoint after every epoch, never ending early."""
    unet.NETWORKS["lite"] = unet.NETWORKS["lite"]._replace(build=stub, start=None)
    settings.PATIENCE = 1
    callbacks.CHECKPOINT_SECONDS = 0
    return main(["train", *arguments])


def save(path):
    """Save a network over the same file again and again."""
    model = stub((32, 32, 3))
    for number in count():
        training.save_model(model, Path(path), {"threshold": 0.5, "number": number})


class Brightness:
    """In place of a model: what is dark is lesion."""

    input_shape = (None, 32, 32, 3)

    def predict_on_batch(self, inputs):
        return 1 - inputs.mean(axis=-1, keepdims=True).astype(np.float32)


def predict(images, out):
    """Predict the pictures of a folder again and again."""
    paths = sorted(Path(images).iterdir())
    while True:
        predict_files(Network(Brightness(), 32), paths, Path(out))


if __name__ == "__main__":
    for line in sys.stdin:
        name, *words = json.loads(line)
        child = os.fork()
        if child == 0:
            with open(os.devnull, "w") as sys.stdout:
                sys.exit(globals()[name](*words))
        print(child, flush=True)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
