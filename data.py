"""From pairs to batches: resize, augment, and the training and validation data that fit() takes.

    training = data.TrainingData(split.train, image_size=128, batch_size=8)
    validation = data.ValidationData(split.validation, image_size=128, batch_size=8)
    model.fit(training, validation_data=validation, shuffle=False)

Augmentation changes a picture and its mask together, as another look at the same lesion might have
been: one resampling carries both through the same flip, quarter turn, rotation, scale, shift and
elastic deformation; colour, contrast, light, blur and noise then touch the picture only. All chance
comes from the generator that is passed in.
"""

import re
from functools import cache

import cv2
import numpy as np

from lesion.batches import Batches, WeightedBatches
from lesion.console import InputError
from lesion.inputs.cache import kept_on_disk
from lesion.inputs.reading import load_pair
from lesion.processes import WHOLE

ROTATION = 45.0  # degrees either way; with quarter turns every angle occurs
SCALE = 0.3  # size changes by a factor of up to exp(0.3) = 1.35 either way
STRETCH = 0.3  # width against height, exp(0.3) = 1.35 either way: 4:3 made a square is 1.33
SHIFT = 0.12  # of the picture's side, either way
ELASTIC = 0.025  # standard deviation of the displacement, of the picture's side
KEPT_BYTES = 1 << 28  # of decoded pairs in memory; of more, what was decoded is kept on disk
ELASTIC_GRID = 5  # control points a side: deformations are as wide as a lesion's lobes


class TrainingData(Batches):
    """Batches of training pairs, shuffled and augmented anew each epoch.

    Each is x, float32 (B, S, S, channels) in [0, 1], and y, float32 (B, S, S, 1) of 0, 1 and -1
    (ignored); the last one may be smaller. The order and every change depend on (seed, epoch,
    index of the pair) alone, never on the number of threads or processes: a training that sets
    `epoch` goes on with exactly the pictures that an uninterrupted one would have seen.

    Raises:
        InputError: no pairs, a pair without a mask, a size below 1, or as `Batches`.
    """

    def __init__(
        self, pairs, image_size, batch_size, channels=3, seed=0, strength=1.0, share=WHOLE
    ):
        _check_arguments(pairs, image_size, batch_size, channels)
        super().__init__(len(pairs), batch_size, share)
        self.seed, self.strength = seed, strength
        self.load_own = _loader(pairs, image_size, channels)

    def order(self, epoch):
        # The trailing numbers keep this stream apart from those of the single pictures.
        return np.random.default_rng([self.seed, epoch, 0, 1]).permutation(self.count)

    def load(self, epoch, index):
        rng = np.random.default_rng([self.seed, epoch, index, 2])
        return augment(*self.load_own(index), rng, self.strength)


class ValidationData(WeightedBatches):
    """Batches of pairs as `TrainingData` gives them, but in the order given and never changed."""

    def __init__(self, pairs, image_size, batch_size, channels=3, share=WHOLE):
        _check_arguments(pairs, image_size, batch_size, channels)
        super().__init__(len(pairs), batch_size, share)
        self.load_own = _loader(pairs, image_size, channels)

    def load(self, epoch, index):
        return self.load_own(index)


def pipeline_error(error):
    """Return the one line that a reader raised inside `fit`, or None if there is none.

    TensorFlow wraps what fails in its threads in an error of its own, message and traceback.
    """
    if isinstance(error, InputError | FileNotFoundError):
        return str(error)
    found = re.search(r"(?:InputError|FileNotFoundError): (.+)", str(error))
    return found.group(1).strip() if found else None


def _check_arguments(pairs, image_size, batch_size, channels):
    if not pairs:
        raise InputError("there are no pairs to make a dataset of; check the split")
    if image_size < 1 or batch_size < 1 or channels not in (1, 3):
        raise InputError(
            f"image size {image_size}, batch size {batch_size}, channels {channels}: "
            "sizes must be 1 or more, channels 1 or 3"
        )
    for pair in pairs:
        if pair.mask is None:
            raise InputError(f"{pair.image}: has no mask; leave the picture out or add its mask")


def _loader(pairs, image_size, channels):
    """Return the function from the index of a pair to `load_pair`, which decodes each pair once."""
    bytes_in_all = len(pairs) * image_size**2 * (channels + 1) * np.float32().itemsize
    few = bytes_in_all <= KEPT_BYTES
    load_once = load_pair if few else kept_on_disk()

    def load(index):
        return load_once(pairs[index], image_size, channels)

    return cache(load) if few else load


def augment(image, mask, rng, strength=1.0):
    """Return a changed (image, mask) of the same shapes and types; the inputs stay as they are.

    image: float32 (S, S, C) in [0, 1], C = 1 or 3. mask: float32 (S, S, 1) of 0, 1 and -1 where it
    is ignored, and so is the result. rng: numpy Generator; the same state gives the same result.
    strength: 0 or more, a factor on the range of every change; quarter turns and flips, which a
    lesion knows no difference of, remain at 0.
    Raises ValueError if the two differ in height or width.
    """
    if image.shape[:2] != mask.shape[:2]:
        raise ValueError(
            f"picture {image.shape[:2]} and mask {mask.shape[:2]} differ in size; "
            "resize both to the same size first"
        )
    image, mask = move(image, mask, rng, strength)
    return recolour(image, rng, strength), mask


def move(image, mask, rng, strength=1.0):
    """Return (image, mask) resampled through one random geometric change.

    Beyond the frame both are mirrored, so no invented border appears in either. The mask is
    interpolated like the picture and cut at one half, which moves its border by less than half a
    pixel, where nearest-neighbour sampling would fray it.
    """
    maps = _source_coordinates(image.shape[0], image.shape[1], rng, strength)
    how = {"interpolation": cv2.INTER_LINEAR, "borderMode": cv2.BORDER_REFLECT_101}
    both = cv2.remap(np.concatenate([image, np.maximum(mask, 0)], axis=2), *maps, **how)
    image, lesion = np.ascontiguousarray(both[..., :-1]), both[..., -1:]
    if not (mask < 0).any():
        return image, (lesion >= 0.5).astype(np.float32)
    ignored = cv2.remap((mask < 0).astype(np.float32), *maps, **how)[..., None]
    mask = np.where(ignored >= 0.5, -1, 2 * lesion >= 1 - ignored)
    return image, mask.astype(np.float32)


def _source_coordinates(height, width, rng, strength):
    """Return where each pixel of the result comes from: x and y, float32 (height, width)."""
    # Drawn first and scaled then: the same chance at any strength.
    angle = strength * np.deg2rad(rng.uniform(-ROTATION, ROTATION)) + rng.integers(4) * (np.pi / 2)
    logarithm = rng.uniform(-SCALE, SCALE) + rng.uniform(-STRETCH, STRETCH, 2) / 2
    scale = np.exp(strength * logarithm)
    scale *= rng.choice([-1.0, 1.0], 2)  # the two flips
    shift = strength * rng.uniform(-SHIFT, SHIFT, 2) * (width, height)
    cosine, sine = np.cos(angle), np.sin(angle)
    matrix = np.array([[cosine, -sine], [sine, cosine]]) * scale
    centre_x, centre_y = (width - 1) / 2, (height - 1) / 2
    x = np.arange(width, dtype=np.float32)[None, :] - np.float32(centre_x)
    y = np.arange(height, dtype=np.float32)[:, None] - np.float32(centre_y)
    matrix = matrix.astype(np.float32)
    map_x = matrix[0, 0] * x + matrix[0, 1] * y + np.float32(centre_x + shift[0])
    map_y = matrix[1, 0] * x + matrix[1, 1] * y + np.float32(centre_y + shift[1])
    if rng.random() < 0.7:
        deviation = strength * rng.uniform(0, ELASTIC) * np.array([width, height], np.float32)
        field = _smooth_field(height, width, 2, ELASTIC_GRID, rng) * deviation.astype(np.float32)
        map_x += field[..., 0]
        map_y += field[..., 1]
    return map_x, map_y


def _smooth_field(height, width, channels, grid, rng):
    """Return smooth normal noise, float32 (height, width, channels), from a grid x grid lattice."""
    coarse = rng.standard_normal((grid, grid, channels), dtype=np.float32)
    field = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    return field.reshape(height, width, channels)


def recolour(image, rng, strength=1.0):
    """Return the picture, float32 in [0, 1], under another light, camera and skin tone."""
    height, width, channels = image.shape
    result = image
    if channels == 3:
        gray = cv2.cvtColor(result, cv2.COLOR_RGB2GRAY)[..., None]
        saturation = np.float32(np.exp(strength * rng.normal(0, 0.25)))
        result = gray + saturation * (result - gray)
        balance = np.exp(strength * rng.normal(0, 0.07, 3))
        result = result * balance.astype(np.float32)
    contrast = np.float32(np.exp(strength * rng.normal(0, 0.15)))
    brightness = np.float32(strength * rng.normal(0, 0.06))
    middle = np.float32(result.mean())
    result = (result - middle) * contrast + (middle + brightness)
    if rng.random() < 0.5:
        light = _smooth_field(height, width, 1, 3, rng)
        result = result * (1 + np.float32(strength * rng.uniform(0, 0.15)) * light)
    result = np.clip(result, 0, 1)
    if rng.random() < 0.5:
        result = cv2.pow(result, float(np.exp(strength * rng.normal(0, 0.25))))
        result = result.reshape(image.shape)
    if rng.random() < 0.1:
        result = result * _vignette(height, width, rng, strength)
    if rng.random() < 0.2:
        sigma = strength * rng.uniform(0.3, 1.2) * max(height, width) / 128
        if sigma > 0:
            result = cv2.GaussianBlur(result, (0, 0), sigma).reshape(image.shape)
    if rng.random() < 0.3:
        noise = rng.standard_normal(result.shape, dtype=np.float32)
        result = result + np.float32(strength * rng.uniform(0, 0.04)) * noise
    return np.clip(result, 0, 1).astype(np.float32, copy=False)


def _vignette(height, width, rng, strength):
    """Return darkened corners as a factor, float32 (height, width, 1), as a dermatoscope's tube."""
    x = np.linspace(-1, 1, width, dtype=np.float32)[None, :] - np.float32(rng.normal(0, 0.08))
    y = np.linspace(-1, 1, height, dtype=np.float32)[:, None] - np.float32(rng.normal(0, 0.08))
    radius = np.sqrt(x * x + y * y)
    start, softness = rng.uniform(0.85, 1.25), rng.uniform(0.03, 0.5)
    shade = np.clip((radius - np.float32(start)) / np.float32(softness), 0, 1)
    depth = min(1.0, strength * rng.uniform(0.4, 1.0))
    return (1 - np.float32(depth) * shade)[..., None]
