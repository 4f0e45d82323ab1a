"""Masks for pictures, at each picture's own size, from a saved network.

network = load_network("runs/.../model.keras")
probability = predict_probability(network, read_image("lesion.jpg", network.channels))
mask = network.mask_of(probability)
"""

import importlib
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import cv2
import numpy as np

from lesion import startup
from lesion.console import InputError
from lesion.inputs.resizing import resize_image
from lesion.masks import largest_component, mask_at
from lesion.predict.litert import load_light

INPUTS_AT_ONCE = 8
# Axes (rows, columns) along which a picture is mirrored: as it is, left-right, up-down, both. A
# lesion has no up and no down, so a mask that changes with them was not seen but guessed.
FLIPS = ((), (1,), (0,), (0, 1))


@dataclass
class Network:
    """A trained model with what its predictions need.

    Attributes:
        model: `keras.Model` or `light.LightModel`, float32 (N, S, S, C) in [0, 1] -> probability
            (N, S, S, 1).
        image_size: S in pixels.
        threshold: a pixel is foreground from this probability on; chosen on validation pictures.
        one_lesion: only the largest piece of a mask counts, without holes; chosen there too.
        settings: everything recorded with the weights.
    """

    model: object
    image_size: int
    threshold: float = 0.5
    one_lesion: bool = False
    settings: dict = field(default_factory=dict)

    @property
    def channels(self):
        return self.model.input_shape[-1]

    def mask_of(self, probability):
        """The mask, uint8 (H, W) of 0 and 1, that a probability (H, W) stands for."""
        mask = mask_at(probability, self.threshold)
        return largest_component(mask) if self.one_lesion else mask


def load_network(path):
    """Loads a .keras file, or the .tflite beside it, and the .json of the same name.

    The .tflite is taken where it was published with the .keras file and LiteRT is installed: it
    predicts the same, and neither TensorFlow nor Keras is imported, which takes seconds. Keras'
    safe mode is on: a file that carries code is refused, not run.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is not a U-Net of this project, or its .json cannot be read.
    """
    path = _existing(path)
    return _network(load_light(path) or _load_model(path), path)


def load_keras_network(path):
    """As `load_network`, always with a `keras.Model`, for those who change or save the weights."""
    path = _existing(path)
    return _network(_load_model(path), path)


def _existing(path):
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such weights file: give the model.keras of a run")
    if path.suffix != ".keras":
        raise InputError(f"{path}: weights must be a .keras file, such as the model.keras of a run")
    return path


def _network(model, path):
    settings = _read_settings(path.with_suffix(".json"))
    size = model.input_shape[1] or settings.get("image_size") or 128
    threshold, one_lesion = float(settings.get("threshold", 0.5)), settings.get("one_lesion", False)
    return Network(model, int(size), threshold, one_lesion is True, settings)


def _load_model(path):
    # Imported no earlier, because predicting with a .tflite needs none of it.
    startup.start_keras()

    import keras

    importlib.import_module("unet")  # registers the layers, so that files load without more ado

    try:
        model = keras.saving.load_model(path, compile=False, safe_mode=True)
    except Exception as error:  # a damaged file fails in as many ways as there are formats inside
        reason = str(error).strip().splitlines()[0][:200] if str(error).strip() else type(error)
        raise InputError(
            f"{path}: cannot be loaded as a Keras model ({reason}): it may be damaged or come "
            "from another program; train again or give another file"
        ) from error
    inputs, outputs = model.input_shape, model.output_shape
    if not (
        isinstance(inputs, tuple)
        and isinstance(outputs, tuple)
        and len(inputs) == len(outputs) == 4
        and inputs[1] == inputs[2]
        and inputs[1:3] == outputs[1:3]
        and inputs[3] in (1, 3)
        and outputs[3] == 1
    ):
        raise InputError(
            f"{path}: maps {inputs} to {outputs}; expected a network from square pictures with 1 "
            "or 3 channels to one probability a pixel: give the model.keras of a run"
        )
    return model


def start_from(model, path):
    """Gives a new network the weights of a saved one of the same kind, to train on from there.

    Args:
        model: `keras.Model` of `unet.build`, of any picture size.
        path: .keras file of the same network and number of channels.

    Raises:
        FileNotFoundError, ValueError: as `load_network`, or the networks differ.
    """
    saved = load_keras_network(path).model
    shapes = [[weight.shape for weight in network.get_weights()] for network in (saved, model)]
    if shapes[0] != shapes[1]:
        raise InputError(
            f"{path}: is another network ({saved.name}, {saved.input_shape[-1]} channels) than the "
            f"one to train ({model.name}, {model.input_shape[-1]} channels): choose the same kind"
        )
    model.set_weights(saved.get_weights())


def _read_settings(path):
    if not path.exists():
        print(f"note: no {path.name} beside the weights: the threshold is 0.5", file=sys.stderr)
        return {}
    try:
        settings = json.loads(path.read_text(encoding="utf-8"))
        if not 0 < float(settings["threshold"]) < 1:
            raise InputError("threshold must lie between 0 and 1")
        int(settings.get("image_size") or 0)
        float(settings.get("centred_disc_radius") or 0)
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise InputError(
            f"{path}: not the settings of a network ({error}): restore it, or delete it to use "
            "the threshold 0.5"
        ) from error
    return settings


def predict_probabilities(network, pictures):
    """Yields the probability of "lesion" for each pixel, picture by picture.

    Args:
        network: a `Network`.
        pictures: iterable of uint8 (H, W, C), as `read_image` gives them with the network's number
            of channels; sizes may differ. Read a few at a time, so any number will do.

    Yields:
        float32 (H, W) in [0, 1], at the picture's own size.
    """
    for picture, views in predict_views(network, pictures):
        yield at_own_size(views[0], picture)


def predict_views(network, pictures, flips=((),)):
    """Predicts mirror images of each picture in one batch with the picture itself.

    Args:
        network, pictures: as in `predict_probabilities`.
        flips: V tuples of the axes to mirror along, 0 rows and 1 columns, such as `quality.FLIPS`.

    Yields:
        (picture, its views: float32 (V, S, S) in [0, 1], the probability of each view, turned back
        onto the picture and at the network's size).
    """
    pictures = iter(pictures)
    while batch := list(islice(pictures, max(1, INPUTS_AT_ONCE // len(flips)))):
        resized = [resize_image(picture, network.image_size) for picture in batch]
        inputs = np.stack([np.flip(picture, axes) for picture in resized for axes in flips])
        outputs = np.asarray(network.model.predict_on_batch(inputs))[..., 0]
        for picture, views in zip(batch, np.split(outputs, len(batch)), strict=True):
            turned = [np.flip(view, axes) for view, axes in zip(views, flips, strict=True)]
            yield picture, np.stack(turned)


def at_own_size(probability, picture):
    """A probability (S, S) stretched over a picture (H, W, C): float32 (H, W) in [0, 1]."""
    height, width = picture.shape[:2]
    own_size = cv2.resize(probability, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.clip(own_size, 0.0, 1.0)  # rounding may leave the range by a hair


def predict_probability(network, picture):
    """`predict_probabilities` of a single picture: float32 (H, W) in [0, 1]."""
    return next(predict_probabilities(network, [picture]))


def agreement(masks: Sequence[np.ndarray]) -> float:
    """Quality estimate in 0..1: mean Dice of a mask with those of the mirrored pictures.

    An empty mask gets 0, even where all views agree on it: every picture is taken of a lesion, so
    "nothing there" is what somebody should look at.

    Source of the idea: test-time augmentation as a measure of aleatoric uncertainty, Wang et al.
    2019, arXiv:1807.07356.

    Args:
        masks: uint8 0/1 (H, W) each, two or more: the picture's own mask first, then those of its
            mirror images, turned back.

    Raises:
        ValueError: fewer than two masks.
    """
    own, *others = (np.asarray(mask, bool) for mask in masks)
    if not others:
        raise InputError("agreement is between masks: give that of one more view at least")
    area = np.count_nonzero(own)
    dice = [2 * np.count_nonzero(own & m) / max(1, area + np.count_nonzero(m)) for m in others]
    return float(np.mean(dice))
