"""How masks are made of probabilities, chosen on validation pictures.

rule = choose_mask_rule(network, split.validation)
network.threshold, network.one_lesion = rule.threshold, rule.one_lesion
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from lesion.console import note
from lesion.inputs.pairing import Pair
from lesion.masks import largest_component, mask_at
from lesion.predict.network import Network
from lesion.score.evaluation import even_sample, map_pairs
from lesion.score.metrics import dice, dice_at_thresholds

# A finer grid would choose between differences that no validation set can tell apart.
THRESHOLDS = np.round(np.arange(0.04, 0.961, 0.02), 2)
FEWEST = 20  # pictures that can say anything of a threshold or an epoch; fewer do so by chance


class MaskRule(NamedTuple):
    """What `choose_mask_rule` found.

    Attributes:
        threshold: a pixel is foreground from this probability on.
        one_lesion: whether only the largest component of each mask is to be kept.
        validation_dice: mean Dice per picture of masks made so.
        curve: float64 (T,), the same at each of THRESHOLDS, `one_lesion` as chosen.
        gain: what keeping the largest component changes in that mean, each way at a threshold of
            its own; above 0 if it was chosen.
    """

    threshold: float
    one_lesion: bool
    validation_dice: float
    curve: np.ndarray
    gain: float

    def __str__(self):
        kept = "all components are kept: keeping only the largest would change"
        if self.one_lesion:
            kept = "only the largest component is kept: that changes"
        return (
            f"threshold {self.threshold:.2f}: mean Dice {self.validation_dice:.3f} on validation\n"
            f"{kept} the mean Dice by {self.gain:+.4f}"
        )


def choose_mask_rule(network: Network, pairs: Sequence[Pair], progress: bool = True) -> MaskRule:
    """Choose threshold and one-lesion together, by the mean Dice of validation pictures.

    Fewer than FEWEST pictures leave the threshold at 0.5; of very many an even sample is taken.

    Each picture is read and predicted once, with the recipe of every later prediction, and scored
    both ways at every threshold before the next one comes: finding the largest component is far
    cheaper than predicting again, and keeping the probabilities would need memory without bound.

    Args:
        network: its own threshold and `one_lesion` do not matter.
        pairs: with masks, of the validation part.
        progress: shows a bar.

    Raises:
        ValueError: there are no pairs.
        InputError: a file cannot be read, or picture and mask differ in size.
    """
    if not pairs:
        raise ValueError("no pictures to choose a threshold on: the validation set is empty")

    def work(pair, picture, truth, prediction):
        return dice_both_ways(truth, prediction.probability)

    # (pictures, 2, T): some hundred numbers a picture
    sample = even_sample(pairs)
    if len(sample) < len(pairs):
        note(f"{len(sample):,} of {len(pairs):,} validation pictures choose how masks are made")
    scores = np.stack(list(map_pairs(work, network, sample, progress)))
    means = scores.mean(axis=0)
    enough = len(pairs) >= FEWEST
    thresholds = [best_threshold(scores[:, way]) if enough else 0.5 for way in (0, 1)]
    chosen = [int(np.flatnonzero(threshold == THRESHOLDS)[0]) for threshold in thresholds]
    every, largest = means[0, chosen[0]], means[1, chosen[1]]
    way = int(largest > every)
    gain = float(largest - every)
    return MaskRule(thresholds[way], bool(way), float(means[way, chosen[way]]), means[way], gain)


def dice_both_ways(
    truth: np.ndarray, probability: np.ndarray, thresholds: np.ndarray = THRESHOLDS
) -> np.ndarray:
    """Return the Dice of a picture at each of T ascending thresholds: float64 (2, T).

    The first row is of whole masks, the second of their largest components alone.
    """
    every = dice_at_thresholds(truth, probability, thresholds)
    largest = [
        dice(truth, largest_component(mask_at(probability, threshold))) for threshold in thresholds
    ]
    return np.stack([every, largest])


def best_threshold(dice: np.ndarray) -> float:
    """Return the one of THRESHOLDS to use: the nearest to 0.5 that is as good as the best.

    As good: its mean Dice is lower by no more than one standard error of the difference, picture by
    picture (Breiman et al. 1984). A few pictures then choose what is usual unless they speak
    clearly, and thousands choose the best.

    Args:
        dice: float (pictures, T), of each picture at each of THRESHOLDS.
    """
    mean = dice.mean(axis=0)
    loss = dice[:, [int(mean.argmax())]] - dice
    error = loss.std(axis=0) / np.sqrt(len(dice))
    good = THRESHOLDS[loss.mean(axis=0) <= error]
    return float(good[np.argmin(np.abs(good - 0.5))])
