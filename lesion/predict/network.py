"""Masks for pictures, at each picture's own size, from a saved network.

network = load_network("runs/.../model.keras")
prediction = network.predict(read_image("lesion.jpg"))
prediction.mask, prediction.quality

Every mask of the project, whoever asks for it, is made by `Network.predict`.
"""

import importlib
import json
import sys
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from lesion import startup
from lesion.console import InputError
from lesion.inputs.reading import resize_image
from lesion.masks import largest_component, mask_at, window_of
from lesion.predict.estimate import Evidence, QualityEstimate, agreement, evidence_of, judge
from lesion.predict.features import Answering
from lesion.predict.litert import load_litert

# Axes (rows, columns) along which a picture is mirrored: as it is, left-right, up-down, both. A
# lesion has no up and no down, so a mask that changes with them was not seen but guessed.
VIEWS = ((), (1,), (0,), (0, 1))
ROUNDING = 0.01  # by which a probability may leave 0..1; half floats have three digits
UNUSABLE = "its weights are damaged or its training failed; train again or give others"


@dataclass(frozen=True)
class Prediction:
    """What a network says of one picture, at the picture's own size.

    Attributes:
        probability: float32 (H, W) in [0, 1], of "lesion" for each pixel.
        mask: uint8 (H, W) of 0 and 1.
        quality: estimate in 0..1 of the mask's Dice, see `estimate.judge`.
        parts: connected components (8 neighbours) before the largest was kept.
        unfamiliar: whether the picture is unlike all that the network was trained on; None where
            its weights do not tell.
        evidence: what the quality was judged by.
    """

    probability: np.ndarray
    mask: np.ndarray
    quality: float
    parts: int
    unfamiliar: bool | None
    evidence: Evidence


@dataclass
class Network:
    """A trained model with what its predictions need; may be pickled.

    Attributes:
        model: `keras.Model` or `litert.LitertModel`, float32 (N, S, S, C) in [0, 1] -> probability
            (N, S, S, 1).
        image_size: S in pixels.
        threshold: a pixel is foreground from this probability on; chosen on validation pictures.
        one_lesion: only the largest component of a mask counts, without holes; chosen there too.
        settings: everything recorded with the weights.
        estimate: what was learnt of the quality of its masks, or None.
    """

    model: object
    image_size: int
    threshold: float = 0.5
    one_lesion: bool = False
    settings: dict = field(default_factory=dict)
    estimate: QualityEstimate | None = None

    def __post_init__(self):
        self._ask = Answering(self.model)

    def __getstate__(self):
        return vars(self) | {"model": None}

    def __setstate__(self, state):
        vars(self).update(state, model=state["_ask"].given)

    @property
    def channels(self) -> int:
        """1 for a network of gray pictures, 3 for one of RGB pictures."""
        return self.model.input_shape[-1]

    def mask_of(self, probability: np.ndarray) -> np.ndarray:
        """Return the mask, uint8 (H, W) of 0 and 1, that a probability (H, W) stands for."""
        mask = mask_at(probability, self.threshold)
        return largest_component(mask) if self.one_lesion else mask

    def predict(self, picture: np.ndarray) -> Prediction:
        """Predict one picture: four mirrored views, averaged; then threshold, one lesion.

        May be called by several threads at once.

        Args:
            picture: uint8 (H, W, 1 or 3), as `read_image` gives it; colour is made gray, or gray
                repeated, where the network asks for it.

        Raises:
            InputError: the network answers with what is no number, or no probability.
        """
        return self.conclude(*self.answer_to(picture), picture.shape[:2])

    def answer_to(self, picture: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
        """Return the probabilities of the four views, turned back: float32 (4, S, S).

        Also returns the mean of their features, see `features.with_features`: float32 (F,) or None.

        Args and Raises: as `predict`.
        """
        resized = resize_image(_with_channels(picture, self.channels), self.image_size)
        inputs = np.stack([np.flip(resized, axes) for axes in VIEWS])
        outputs, features = self._ask(inputs)
        outputs = outputs[..., 0]
        _check_probabilities(outputs)
        views = [np.flip(view, axes) for view, axes in zip(outputs, VIEWS, strict=True)]
        return np.stack(views), None if features is None else features.mean(axis=0)

    def conclude(self, views: np.ndarray, features, size: tuple[int, int]) -> Prediction:
        """Return what the two answers of `answer_to` say of a picture of (height, width) pixels.

        So another threshold can be tried without asking the network again.
        """
        probability = _resize_probability(views.mean(axis=0), size)
        mask = mask_at(probability, self.threshold)
        parts = cv2.connectedComponents(mask[window_of(mask, 0)], connectivity=8)[0] - 1
        mask = largest_component(mask) if self.one_lesion else mask
        # One view after the other: each may have the size of a large photograph.
        masks_of_views = (self.mask_of(_resize_probability(view, size)) for view in views)
        evidence = evidence_of(probability, mask, agreement(mask, masks_of_views), features)
        quality, unfamiliar = self.judge(evidence)
        return Prediction(probability, mask, quality, parts, unfamiliar, evidence)

    def judge(self, evidence: Evidence) -> tuple[float, bool | None]:
        """Return the quality of a mask in 0..1, and whether the picture is unfamiliar."""
        return judge(evidence, self.estimate)


def _check_probabilities(outputs):
    low, high = outputs.min(), outputs.max()
    if not np.isfinite((low, high)).all():
        raise InputError(f"the network answers with what is no number (NaN): {UNUSABLE}")
    if low < -ROUNDING or high > 1 + ROUNDING:
        raise InputError(
            f"the network answers with values from {low:.3g} to {high:.3g}, which are no "
            "probabilities: let a sigmoid be its last layer"
        )


def _with_channels(picture, channels):
    """Return a uint8 picture (H, W, 1 or 3) with that many channels."""
    if picture.shape[2] == channels:
        return picture
    if channels == 3:
        return np.repeat(picture, 3, axis=2)
    return np.asarray(Image.fromarray(picture).convert("L"))[..., None]  # as `read_image` does


def _resize_probability(probability, size):
    """Return a probability (S, S) stretched to (height, width): float32 in [0, 1]."""
    resized = cv2.resize(probability, size[::-1], interpolation=cv2.INTER_LINEAR)
    return np.clip(resized, 0.0, 1.0, out=resized)  # rounding may leave the range by a hair


def load_network(path: str | Path) -> Network:
    """Load a .keras file, or the .tflite beside it, and the .json of the same name.

    The .tflite is taken where it was published with the .keras file and LiteRT is installed: it
    predicts the same, and neither TensorFlow nor Keras is imported, which takes seconds. Keras'
    safe mode is on: a file that carries code is refused, not run.

    Raises:
        FileNotFoundError: there is no such file.
        InputError: it is not a U-Net of this project, or its .json cannot be read.
    """
    path = _existing(path)
    return _network(load_litert(path) or _load_model(path), path)


def load_keras_network(path: str | Path) -> Network:
    """Load always with a `keras.Model`, for those who change or save the weights."""
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
    estimate = _estimate(settings)
    return Network(model, int(size), threshold, one_lesion is True, settings, estimate)


def _estimate(settings):
    content = settings.get("quality_estimate")
    return None if content is None else QualityEstimate.from_dict(content)


def _load_model(path):
    model = _read_model(path)
    _check_model(model, path)
    return model


def _read_model(path):
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
    return model


def _check_model(model, path):
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
    if not all(np.isfinite(weights).all() for weights in model.get_weights()):
        raise InputError(f"{path}: holds weights that are no numbers (NaN): {UNUSABLE}")


def start_from(model, path: str | Path) -> None:
    """Give a new network the weights of a saved one of the same kind, to train on from there.

    Args:
        model: `keras.Model` of `unet.build`, of any picture size.
        path: .keras file of the same network and number of channels, or of its encoder alone.

    Raises:
        FileNotFoundError, InputError: as `load_network`, or the networks differ.
    """
    saved = _read_model(_existing(path))
    if saved.name == f"{model.name}_encoder" and saved.input_shape[-1] == model.input_shape[-1]:
        for layer in saved.layers:
            model.get_layer(layer.name).set_weights(layer.get_weights())
        return
    _check_model(saved, path)
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
        _estimate(settings)
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise InputError(
            f"{path}: not the settings of a network ({error}): restore it, or delete it to use "
            "the threshold 0.5"
        ) from error
    return settings
