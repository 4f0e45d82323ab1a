"""From files to batches: the one way in which pictures reach a network.

    split = load_split("train", seed=0)
    training_data, counter = make_training_dataset(split.train, image_size=128, batch_size=16)
    validation_data = make_dataset(split.validation, image_size=128, batch_size=16)

What finds, divides, reads and resizes the files is named here too, so that `data` is the only
module to import: see `pairing.py`, `splitting.py`, `reading.py` and `resizing.py`.
"""

import os
import re

import cv2
import numpy as np
import tensorflow as tf

from augmentation import augment as augment_pair
from folders import natural_key
from pairing import DataFolder, Pair, find_pairs, find_pictures
from reading import read_image, read_mask
from resizing import resize_image, resize_mask
from splitting import Split, find_parts, load_split, load_splits

__all__ = [
    "DataFolder",
    "EpochCounter",
    "Pair",
    "Split",
    "find_pairs",
    "find_parts",
    "find_pictures",
    "load_split",
    "load_splits",
    "make_dataset",
    "make_training_dataset",
    "natural_key",
    "pipeline_error",
    "read_image",
    "read_mask",
    "read_pair",
    "resize_image",
    "resize_mask",
]


class EpochCounter:
    """The number of the epoch that the next pass over a training dataset will be (from 0).

    It counts by itself. A callback that sets `epoch` in `on_epoch_begin` makes a resumed training
    see exactly the pictures that an uninterrupted one would have seen.
    """

    def __init__(self):
        self.epoch = 0


def make_dataset(pairs, image_size, batch_size, channels=3, augment=False, seed=0):
    """Return a finite tf.data.Dataset of (x, y) batches, read from the files as they are needed.

    x: float32 (B, S, S, channels) in [0, 1]; y: float32 (B, S, S, 1) of 0 and 1; the last batch
    may be smaller. augment=False, for validation and test: in the order given, never changed.
    augment=True: as `make_training_dataset`, without its counter.
    Raises ValueError for no pairs, a pair without a mask, or sizes below 1.
    """
    if augment:
        return make_training_dataset(pairs, image_size, batch_size, channels, seed)[0]
    _check_arguments(pairs, image_size, batch_size, channels)

    def passes():
        return ((0, index) for index in range(len(pairs)))

    def load(epoch, index):
        return _load(pairs[index], image_size, channels)

    return _stream(passes, load, len(pairs), image_size, batch_size, channels)


def make_training_dataset(pairs, image_size, batch_size, channels=3, seed=0):
    """Return (dataset, EpochCounter): as `make_dataset`, shuffled and augmented anew each epoch.

    The order and every change depend on (seed, epoch, index of the pair) alone, never on the
    number of threads. Iterating the dataset starts the epoch `counter.epoch` and adds one to it.
    """
    _check_arguments(pairs, image_size, batch_size, channels)
    counter = EpochCounter()

    def passes():
        epoch = counter.epoch
        counter.epoch = epoch + 1
        # The trailing numbers keep this stream apart from those of the single pictures.
        order = np.random.default_rng([seed, epoch, 0, 1]).permutation(len(pairs))
        return ((epoch, index) for index in order)

    def load(epoch, index):
        image, mask = _load(pairs[index], image_size, channels)
        return augment_pair(image, mask, np.random.default_rng([seed, epoch, index, 2]))

    return _stream(passes, load, len(pairs), image_size, batch_size, channels), counter


def pipeline_error(error):
    """Return the one line that a reader raised inside a dataset, or None if there is none.

    TensorFlow wraps what fails in its threads in an error of its own, message and traceback.
    """
    found = re.search(r"(?:ValueError|FileNotFoundError): (.+)", str(error))
    return found.group(1).strip() if found else None


def _check_arguments(pairs, image_size, batch_size, channels):
    if not pairs:
        raise ValueError("there are no pairs to make a dataset of; check the split")
    if image_size < 1 or batch_size < 1 or channels not in (1, 3):
        raise ValueError(
            f"image size {image_size}, batch size {batch_size}, channels {channels}: "
            "sizes must be 1 or more, channels 1 or 3"
        )
    for pair in pairs:
        if pair.mask is None:
            raise ValueError(f"{pair.image}: has no mask; leave the picture out or add its mask")


def read_pair(pair, channels=3):
    """Return (picture, mask) of a pair at their own size, from `read_image` and `read_mask`.

    Raises ValueError, besides what those raise, if the two differ in size.
    """
    picture, mask = read_image(pair.image, channels), read_mask(pair.mask)
    if picture.shape[:2] != mask.shape:
        raise ValueError(
            f"{pair.mask}: the mask has {mask.shape[1]} x {mask.shape[0]} pixels, its picture "
            f"{picture.shape[1]} x {picture.shape[0]}; save the mask at the picture's size"
        )
    return picture, mask


def _load(pair, image_size, channels):
    picture, mask = read_pair(pair, channels)
    return resize_image(picture, image_size), resize_mask(mask, image_size)


def _stream(passes, load, count, image_size, batch_size, channels):
    cv2.setNumThreads(1)  # the parallel map below already keeps every core busy
    threads = min(max(os.cpu_count() or 2, 2), 16)

    def load_one(epoch, index):
        x, y = tf.numpy_function(
            lambda e, i: load(int(e), int(i)), [epoch, index], (tf.float32, tf.float32)
        )
        x.set_shape((image_size, image_size, channels))
        y.set_shape((image_size, image_size, 1))
        return x, y

    scalar = tf.TensorSpec((), tf.int64)
    dataset = tf.data.Dataset.from_generator(passes, output_signature=(scalar, scalar))
    dataset = dataset.apply(tf.data.experimental.assert_cardinality(count))
    dataset = dataset.map(load_one, num_parallel_calls=threads, deterministic=True)
    return dataset.batch(batch_size).prefetch(2)
