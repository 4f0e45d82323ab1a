"""What a network has made of a whole picture on its way down, beside the probabilities.

    ask = Answering(model)
    probabilities, features = ask(pictures)

Pictures that a network has learnt from lie close together there, unlike those of something else.
"""

import importlib
import pickle
from contextlib import nullcontext
from threading import Lock

import numpy as np

from lesion import startup
from lesion.predict.litert import LitertModel

OWN = "unet_"  # how the names of this project's networks begin
COARSEST = "bottom"  # and those of their layers between encoder and decoder


def with_features(model):
    """Return a `keras.Model` that also gives each picture's features: float32 (N, F).

    They are what the encoder hands over to the decoder at each level but the finest, and what the
    decoder starts from, averaged over the picture: the finer ones tell skin from other matter,
    the coarser ones lesions from other things. The probabilities stay the same. A model without
    such layers is returned as it is.
    """
    if not getattr(model, "name", "").startswith(OWN):
        return model
    import keras  # there already, as the model is one of its own

    layers = {layer.name: layer for layer in model.layers}
    coarsest = [layer.output for name, layer in layers.items() if name.startswith(COARSEST)]
    handed_over, level = coarsest[-1:], 1
    while f"up{level}_skip" in layers:
        # As it was before a convolution gave it the decoder's width, if there is one.
        side = layers.get(f"up{level}_side_conv")
        handed_over.append(side.input if side else layers[f"up{level}_skip"].input[1])
        level += 1
    if not handed_over:
        return model
    average = keras.layers.GlobalAveragePooling2D(dtype="float32")
    features = keras.ops.concatenate([average(values) for values in handed_over], axis=-1)
    return keras.Model(model.input, [model.output, features])


def split_answer(answer) -> tuple[np.ndarray, np.ndarray | None]:
    """Return what a model answers as float32: probabilities (N, S, S, 1), features (N, F) or None.

    Half floats, which a network in mixed precision answers with, are unknown to OpenCV.
    """
    several = answer if isinstance(answer, list | tuple) else [answer]
    probabilities, *features = (np.asarray(part).astype(np.float32) for part in several)
    return probabilities, features[0] if features else None


class Answering:
    """A model of a network, asked for probabilities and features; may be by several threads.

    To another process goes the model that was given, and the rest is made anew there.

    Attributes:
        given: see `network.Network`; None for one that nobody asks.
    """

    def __init__(self, model):
        self.given, self._model = model, with_features(model)
        # Keras does not promise that a model may be used by several threads at once.
        self._turn = nullcontext() if isinstance(model, LitertModel) else Lock()

    def __reduce__(self):
        if type(self.given).__module__.startswith("keras"):
            return _unpickled, (pickle.dumps(self.given),)
        return Answering, (self.given,)

    def __call__(self, pictures: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
        """Return what `split_answer` does, of float32 (N, S, S, C) in [0, 1]."""
        with self._turn:
            return split_answer(self._model.predict_on_batch(pictures))


def _unpickled(model):
    startup.start_keras()
    importlib.import_module("unet")  # registers the layers that a Keras model may be made of
    return Answering(pickle.loads(model))
