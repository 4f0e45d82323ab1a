"""The quality estimate: how good is a mask, judged without the truth, and is such a picture known?

    evidence = evidence_of(probability, mask, agreement(mask, masks_of_views), features)
    quality, unfamiliar = judge(evidence, estimate)

`score.estimation` learns a `QualityEstimate` from validation pictures. Without one, as after a
training on a few pictures, the quality is how well the mirrored views agree.
"""

import base64
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np

CLIPPED = 0.002  # nearer to 0 or 1, agreement and overlap do not count as more than that
UNFAMILIAR_MOST = 0.5  # no higher is the quality where the network has not learnt from such
ROOM = 0.02  # of the picture has to be left for skin, or the mask tells nothing from anything


class Evidence(NamedTuple):
    """What speaks for and against a mask, without the truth.

    Attributes:
        agreement: 0..1, see `agreement`.
        overlap: 0..1, the Dice to expect if the probabilities were true: 2 sum(p m) / sum(p + m)
            with the probability p and the mask m of each pixel; 0 where the mask is empty.
        area: share of the picture that the mask covers.
        features: float32 (F,) of `features.with_features`, averaged over the views, or None.
    """

    agreement: float
    overlap: float
    area: float
    features: np.ndarray | None


def agreement(mask: np.ndarray, others: Iterable[np.ndarray]) -> float:
    """Return in 0..1 the mean Dice of a mask with those of its mirrored views.

    An empty mask gets 0, even where all views agree on it: every picture is taken of a lesion, so
    "nothing there" is what somebody should look at.

    Source of the idea: test-time augmentation as a measure of aleatoric uncertainty, Wang et al.
    2019, arXiv:1807.07356.

    Args:
        mask: 0/1 (H, W).
        others: one or more of that size, of single views turned back onto the picture.

    Raises:
        ValueError: there is no other mask.
    """
    mask, dice = np.asarray(mask, bool), []
    pixels = np.count_nonzero(mask)
    for other in others:
        other = np.asarray(other, bool)
        both = np.count_nonzero(mask & other)
        dice.append(2 * both / max(1, pixels + np.count_nonzero(other)))
    if not dice:
        raise ValueError("agreement is between masks: give that of one view at least")
    return float(np.mean(dice))


def evidence_of(probability, mask, agreed: float, features: np.ndarray | None) -> Evidence:
    """Return the `Evidence` of a mask, uint8 0/1 (H, W), made of a probability, float32 (H, W)."""
    pixels = np.count_nonzero(mask)
    both = cv2.mean(probability, mask)[0] * pixels
    overlap = 2 * both / max(pixels + cv2.sumElems(probability)[0], 1)
    return Evidence(agreed, min(overlap, 1.0), pixels / mask.size, features)


@dataclass(frozen=True)
class QualityEstimate:
    """What validation pictures taught about a network: the Dice to expect, and what it has seen.

    The quality is the mean of a logistic regression on the logits of agreement and overlap and on
    the logarithm of the distance (a share as outcome: Papke & Wooldridge 1996, Journal of Applied
    Econometrics 11). The distance is Mahalanobis', of the features to those of the validation
    pictures, under probabilistic PCA (Tipping & Bishop 1999, Journal of the Royal Statistical
    Society B 61), divided by the root of their number: about 1 for pictures like those.

    Attributes:
        weights: float64 (4,): constant, agreement, overlap, distance.
        limit: distance that 99 % of the validation pictures do not exceed.
        mean, scale: float32 (F,), of each feature.
        directions: float32 (K, F), orthogonal, in which the scaled features vary most.
        variances: float32 (K,), along each of them.
        rest: variance along every other direction.
        pictures: number of validation pictures.
    """

    weights: np.ndarray
    limit: float
    mean: np.ndarray
    scale: np.ndarray
    directions: np.ndarray
    variances: np.ndarray
    rest: float
    pictures: int

    def distance(self, features: np.ndarray) -> np.ndarray:
        """Return the distance of pictures' features, float32 (..., F): float (...), 0 or more."""
        centred = (features - self.mean) / self.scale
        along = centred @ self.directions.T
        beside = np.maximum((centred**2).sum(-1) - (along**2).sum(-1), 0)
        squared = (along**2 / self.variances).sum(-1) + beside / self.rest
        return np.sqrt(squared / centred.shape[-1])

    def expected_dice(self, evidence: Evidence) -> float:
        """Return the Dice in 0..1 that validation pictures with such evidence had on average."""
        values = regressors(evidence, self.distance(evidence.features))
        return float(1 / (1 + np.exp(-values @ self.weights)))

    def to_dict(self) -> dict:
        """Return what `from_dict` takes, ready for JSON: arrays of half floats as base64 text."""
        arrays = {name: _pack(getattr(self, name)) for name in ARRAYS}
        numbers = {"limit": self.limit, "rest": self.rest, "pictures": self.pictures}
        return {"weights": self.weights.tolist(), **numbers, **arrays}

    @classmethod
    def from_dict(cls, content: dict) -> "QualityEstimate":
        """Make one of what `to_dict` returned; ValueError, TypeError or KeyError if it is not."""
        arrays = {name: _unpack(content[name]) for name in ARRAYS}
        count = arrays["mean"].size
        arrays["directions"] = arrays["directions"].reshape(arrays["variances"].size, count)
        weights = np.array(content["weights"], np.float64).reshape(4)
        limit, rest = float(content["limit"]), float(content["rest"])
        return cls(weights, limit, rest=rest, pictures=int(content["pictures"]), **arrays)


ARRAYS = ("mean", "scale", "directions", "variances")


def _pack(array):
    return base64.b64encode(array.astype("<f2").tobytes()).decode("ascii")


def _unpack(text):
    return np.frombuffer(base64.b64decode(text), "<f2").astype(np.float32)


def regressors(evidence: Evidence, distance: float) -> np.ndarray:
    """Return what the quality is computed from: float64 (4,), the first a constant 1."""
    shares = np.clip([evidence.agreement, evidence.overlap], CLIPPED, 1 - CLIPPED)
    return np.array([1.0, *np.log(shares / (1 - shares)), np.log(max(distance, CLIPPED))])


def judge(evidence: Evidence, estimate: QualityEstimate | None) -> tuple[float, bool | None]:
    """Return the quality of a mask in 0..1, and whether the picture is unlike all learnt from.

    Where it is, the quality is at most UNFAMILIAR_MOST, and less the further away the picture is.
    A mask that is empty, or covers all of the picture, gets 0. Without an estimate, or the features
    that it is about, the quality is the agreement, and whether the picture is known is None.
    """
    told_apart = min(1.0, (1 - evidence.area) / ROOM) if evidence.area else 0.0
    if estimate is None or np.shape(evidence.features) != estimate.mean.shape:
        return float(evidence.agreement * told_apart), None
    quality = estimate.expected_dice(evidence)
    distance = float(estimate.distance(evidence.features))
    unfamiliar = distance > estimate.limit
    if unfamiliar:
        quality = min(quality, UNFAMILIAR_MOST) * estimate.limit / distance
    return float(quality * told_apart), bool(unfamiliar)
