"""Pictures and masks at the size that a network takes.

The same two functions serve training, evaluation and prediction, and need NumPy and OpenCV only, so
that predicting never has to load TensorFlow for them.
"""

import cv2
import numpy as np


def resize_image(picture, size):
    """Return a uint8 picture (H, W, C) as float32 (size, size, C) in [0, 1], its aspect squashed.

    What shrinks is averaged over areas, so nothing aliases; what grows is interpolated linearly.
    """
    return _resize(picture, size).astype(np.float32) / np.float32(255)


def resize_mask(mask, size):
    """Return a 0/1 mask (H, W) as float32 (size, size, 1) of 0 and 1: 1 where the lesion covers
    at least half of the new pixel.
    """
    return (_resize(mask[..., None] * np.uint8(255), size) >= 128).astype(np.float32)


def _resize(array, size):
    height, width, channels = array.shape
    if height > size or width > size:
        smaller = min(width, size), min(height, size)
        array = cv2.resize(array, smaller, interpolation=cv2.INTER_AREA)
    array = cv2.resize(array, (size, size), interpolation=cv2.INTER_LINEAR)
    return array.reshape(size, size, channels)
