"""An exported file beside the network it was made of: the same answers, how fast, at what cost.

result = compare(network, exported, pairs)
print(result)
result.judge("float16")
"""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import mean, median
from time import perf_counter
from typing import NamedTuple

import numpy as np
from tqdm import tqdm

from lesion.console import InputError
from lesion.inputs.pairing import Pair
from lesion.inputs.reading import read_pair
from lesion.predict.features import split_answer
from lesion.predict.network import Network
from lesion.score import metrics

RANDOM_PICTURES = 4


class Tolerance(NamedTuple):
    """By how much an export may differ from Keras."""

    difference: float  # largest of any probability
    dice: float  # least mean Dice of its masks with those of Keras


# Rounding of float32 stays below 1e-5, of half floats in most networks below 0.02; at the border,
# where a probability is steep, 8 bits may move it by a pixel, so there the mask is what counts.
TOLERANCES = {
    "float32": Tolerance(1e-3, 0.99),
    "float16": Tolerance(0.05, 0.99),
    "int8": Tolerance(1.0, 0.95),
}


@dataclass(frozen=True)
class Comparison:
    """What a comparison found.

    Attributes:
        pictures: number of labelled pictures.
        difference, random_difference: largest of the probabilities, on these and on random ones.
        masks_dice, lowest_masks_dice: mean and lowest Dice of the masks with those of Keras.
        dice, keras_dice: mean Dice with the labels.
        milliseconds, keras_milliseconds: median for a picture, all four views, side by side.
    """

    pictures: int
    difference: float
    random_difference: float
    masks_dice: float
    lowest_masks_dice: float
    dice: float
    keras_dice: float
    milliseconds: float
    keras_milliseconds: float

    def __str__(self):
        return (
            f"largest difference of probabilities: {self.difference:.2g}, "
            f"on random pictures {self.random_difference:.2g}\n"
            f"Dice of the masks with those of Keras: {self.masks_dice:.4f}, "
            f"lowest {self.lowest_masks_dice:.4f}\n"
            f"Dice with the labels: {self.dice:.4f}, Keras {self.keras_dice:.4f} "
            f"({self.dice - self.keras_dice:+.4f})\n"
            f"time for a picture: {self.milliseconds:.0f} ms, "
            f"Keras {self.keras_milliseconds:.0f} ms"
        )

    def judge(self, precision: str) -> None:
        """Raise InputError if the difference is more than a precision excuses."""
        most = TOLERANCES[precision]
        differences = self.difference, self.random_difference
        # Written so that nan, which compares false with everything, fails too.
        if all(d <= most.difference for d in differences) and self.masks_dice >= most.dice:
            return
        advice = "" if precision == "float32" else f"; export without --{precision}"
        raise InputError(
            f"the export was refused: its probabilities differ from those of Keras by up to "
            f"{max(differences):.2g} (allowed: {most.difference:g}), the Dice of its masks with "
            f"those of Keras is {self.masks_dice:.3f} (least: {most.dice}){advice}"
        )


def compare(
    network: Network, exported: Network, pairs: Sequence[Pair], progress: bool = True
) -> Comparison:
    """Predict labelled and random pictures with both, one picture after the other.

    Args:
        network: with its `keras.Model`.
        exported: the same with an exported model.
        pairs: with masks.
        progress: shows a bar.

    Raises:
        InputError: as `read_pair` and `Network.predict`.
    """
    both, size = (network, exported), network.image_size
    noise = np.random.default_rng(0).random(
        (RANDOM_PICTURES, size, size, network.channels), np.float32
    )
    answers = [split_answer(each.model.predict_on_batch(noise))[0] for each in both]
    # What a runtime prepares at its first picture is not the time of a picture.
    first = read_pair(pairs[0])[0]
    for each in both:
        each.predict(first)
    differences, of_masks, of_labels, times = [], [], [], []
    for pair in tqdm(pairs, "checking", unit="picture", disable=not progress):
        picture, truth = read_pair(pair)
        predictions, took = zip(*(_timed(each, picture) for each in both), strict=True)
        masks = [prediction.mask for prediction in predictions]
        differences.append(_difference(*(prediction.probability for prediction in predictions)))
        of_masks.append(metrics.dice(*masks))
        of_labels.append([metrics.dice(truth, mask) for mask in masks])
        times.append(took)
    keras_dice, dice = map(mean, zip(*of_labels, strict=True))
    keras_time, time = map(median, zip(*times, strict=True))
    return Comparison(
        pictures=len(pairs),
        difference=max(differences),
        random_difference=_difference(*answers),
        masks_dice=mean(of_masks),
        lowest_masks_dice=min(of_masks),
        dice=dice,
        keras_dice=keras_dice,
        milliseconds=1000 * time,
        keras_milliseconds=1000 * keras_time,
    )


def _timed(network, picture):
    start = perf_counter()
    prediction = network.predict(picture)
    return prediction, perf_counter() - start


def _difference(one, other):
    return float(np.abs(one - other).max())
