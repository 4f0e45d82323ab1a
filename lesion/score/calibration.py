"""Threshold and clean-up that fit one's own annotators, from a few labelled pictures.

found = calibrate(network, pairs)
if found.evident:
    save_calibrated("files/lite.keras", network.settings, found, pairs, folder)

Nothing is trained: other annotators draw tighter or wider outlines, and the same probabilities, cut
elsewhere, follow them.
"""

import shutil
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from lesion.console import InputError
from lesion.inputs.pairing import Pair
from lesion.inputs.seen import SeenPictures
from lesion.inputs.split import Split
from lesion.predict.network import Network
from lesion.score.choice import THRESHOLDS, dice_both_ways
from lesion.score.evaluation import map_pairs
from lesion.score.summaries import bootstrap_interval, resampled_means
from lesion.storage import replacing, write_json

COPIED = (".keras", ".tflite")  # beside the .json of weights
FEWEST = 5  # lesions; fewer agree with each other by chance
FOLDS = 20  # of the cross-validation, or as many as there are lesions
# Both were chosen on validation pictures of ISIC 2018, outlines as they are, tighter and wider.
LIMIT = 0.03  # of Dice, or a typical gain: none counts for more, else one failure decides for ten
CAUTION = 0.01  # of Dice: lost for a distance of 1 to the present rule, as if by one more lesion
CHANCE = 0.05  # of such a gain where there is none: what is more likely is no evidence


class Rule(NamedTuple):
    """How masks are made of probabilities, see `Network`."""

    threshold: float
    one_lesion: bool

    def __str__(self):
        kept = "the largest part alone" if self.one_lesion else "all parts"
        return f"threshold {self.threshold:.2f}, {kept}"


@dataclass(frozen=True)
class Calibrated:
    """What `calibrate` found; Dice are means over lesions, a lesion's pictures averaged first.

    Attributes:
        before, after: the network's own rule, and the one that fits these pictures better.
        pictures, lesions: how many.
        dice_before: with the first rule.
        dice_after: of each lesion with a rule that was chosen on others.
        gain_interval: of the difference, lesions resampled in pairs: 95 % bootstrap.
        chance: how likely such a gain is without any reason: share of resampled means, of gains
            within LIMIT, that are not above 0.
    """

    before: Rule
    after: Rule
    pictures: int
    lesions: int
    dice_before: float
    dice_after: float
    gain_interval: tuple[float, float]
    chance: float

    @property
    def evident(self) -> bool:
        """Whether the pictures show that another rule is better."""
        better = self.dice_after > self.dice_before and self.after != self.before
        return better and self.chance < CHANCE

    @property
    def gain(self) -> str:
        """The gain with its interval, in words."""
        lower, upper = self.gain_interval
        return (
            f"{self.dice_after - self.dice_before:+.4f} [{lower:+.4f}, {upper:+.4f}] "
            f"(chance {self.chance:.3f})"
        )

    def __str__(self):
        return (
            f"mean Dice of {self.lesions} lesions with the rule of the weights "
            f"({self.before}): {self.dice_before:.4f}\n"
            f"with a rule chosen on the others (cross-validated): {self.dice_after:.4f}\n"
            f"gain, 95 % interval, and how likely it is by chance: {self.gain}\n"
            f"chosen on all: {self.after}"
        )


def calibrate(network: Network, pairs: Sequence[Pair], progress: bool = True) -> Calibrated:
    """Find the rule that fits some pairs, and whether they prove that it is better.

    Each picture is predicted once.

    Args:
        network: with the rule that it came with.
        pairs: with masks, that it was not trained on.
        progress: shows a bar.

    Raises:
        InputError: they show fewer than FEWEST lesions; or as `map_pairs`.
    """
    lesions = defaultdict(list)
    for index, pair in enumerate(pairs):
        lesions[pair.group].append(index)
    if len(lesions) < FEWEST:
        raise InputError(
            f"{len(pairs)} picture(s) of {len(lesions)} lesion(s) cannot tell one rule from "
            f"another: label at least {FEWEST}, better 20, or name another --part"
        )
    before = Rule(network.threshold, network.one_lesion)
    thresholds = np.union1d(THRESHOLDS, [before.threshold])

    def work(pair, picture, truth, prediction):
        return dice_both_ways(truth, prediction.probability, thresholds)

    scores = np.stack(list(map_pairs(work, network, pairs, progress)))
    scores = np.stack([scores[indices].mean(axis=0) for indices in lesions.values()])
    return cross_validate(scores, thresholds, before, len(pairs))


def cross_validate(
    scores: np.ndarray, thresholds: np.ndarray, before: Rule, pictures: int
) -> Calibrated:
    """Choose a rule, and score each lesion with one that was chosen on others.

    Args:
        scores: float (lesions, 2, T), Dice as of `dice_both_ways`.
        thresholds: (T,), that of `before` among them.
        before: the present rule.
        pictures: how many there are of these lesions.
    """
    index = int(np.flatnonzero(thresholds == before.threshold)[0])
    present = int(before.one_lesion) * len(thresholds) + index
    gains = scores.reshape(len(scores), -1)
    own = gains[:, present]
    gains = gains - own[:, None]
    logits = np.log(thresholds / (1 - thresholds))
    changed = np.array([[before.one_lesion], [not before.one_lesion]], float)
    distance = (changed + (logits - logits[index]) ** 2).ravel()

    def choose(some):
        limit = max(LIMIT, np.median(some.max(axis=1)))
        gain = np.clip(some, -limit, limit).mean(axis=0)
        # Of a present rule that is as good as any the distance is 0, so it stays.
        return int(np.argmax(gain - CAUTION * distance / len(some)))

    fold = np.arange(len(gains)) % min(len(gains), FOLDS)
    gain = np.empty(len(gains))
    for one in np.unique(fold):
        gain[fold == one] = gains[fold == one, choose(gains[fold != one])]
    largest, index = divmod(choose(gains), len(thresholds))
    return Calibrated(
        before,
        Rule(float(thresholds[index]), bool(largest)),
        pictures,
        len(gains),
        float(own.mean()),
        float((own + gain).mean()),
        bootstrap_interval(gain),
        float(np.mean(resampled_means(np.clip(gain, -LIMIT, LIMIT)) <= 0)),
    )


def save_calibrated(
    weights: str | Path,
    settings: dict,
    found: Calibrated,
    pairs: Sequence[Pair],
    directory: str | Path,
) -> Path:
    """Write weights as model.keras that carry the rule found; return the path.

    The files stay byte for byte what they were, so that the hashes in the .json hold for a .tflite
    too. What tells which pictures were trained on goes along, with those that the rule was found
    on.

    Args:
        weights: the .keras file that was calibrated.
        settings: what was recorded with it.
        found: its rule and how it was found go into model.json.
        pairs: that it was found on.
        directory: a folder that exists.
    """
    weights, path = Path(weights), Path(directory) / "model.keras"
    copies = {weights.with_suffix(suffix): path.with_suffix(suffix) for suffix in COPIED}
    copies[weights.with_name("split.json")] = path.with_name("split.json")
    for source, copy in copies.items():
        if source.is_file():
            with replacing(copy) as temporary:
                shutil.copyfile(source, temporary)
    SeenPictures.of(Split([], list(pairs), [])).joined(SeenPictures.read(weights)).write(path)
    about = asdict(found) | {"before": found.before._asdict(), "after": found.after._asdict()}
    write_json(path.with_suffix(".json"), settings | found.after._asdict() | {"calibration": about})
    return path
