"""Several networks that predict as one: the average of their probabilities.

network = join([load_network(path) for path in ("fold1/model.keras", "fold2/model.keras")])
prediction = network.predict(read_image("lesion.jpg"))
"""

from collections.abc import Sequence

import cv2
import numpy as np

from lesion.predict.estimate import Evidence
from lesion.predict.network import Network


class Ensemble(Network):
    """Two or more networks whose probabilities are averaged, with the face of a single one.

    Source: deep ensembles, Lakshminarayanan et al. 2017, arXiv:1612.01474. The quality is the mean
    of what its members make of the common mask and of its agreement with the mirrored views of all;
    a picture is unfamiliar if most of them say so. May be used by several threads at once, as its
    members may.

    Attributes:
        members: the networks; they may see pictures of different sizes and channels.
        image_size: the largest of theirs, in which their views are averaged.
        threshold: the mean of theirs.
        one_lesion: whether most of them keep the largest component alone.
        settings: what is the same in all of theirs.
    """

    def __init__(self, members: Sequence[Network]):
        sizes, thresholds, choices, settings = zip(
            *((m.image_size, m.threshold, m.one_lesion, m.settings) for m in members), strict=True
        )
        shared = {
            key: value
            for key, value in settings[0].items()
            if all(key in other and other[key] == value for other in settings)
        }
        most = sum(choices) > len(choices) / 2
        super().__init__(None, max(sizes), float(np.mean(thresholds)), most, shared)
        self.members = list(members)

    def answer_to(self, picture: np.ndarray) -> tuple[np.ndarray, list]:
        """Return the probabilities of the four views of M members: float32 (4 M, S, S).

        Also returns the features of each member, as `Network.answer_to` does.
        """
        size = self.image_size, self.image_size
        views, features = zip(*(member.answer_to(picture) for member in self.members), strict=True)
        resized = [cv2.resize(view, size) for own in views for view in own]
        return np.stack(resized), list(features)

    def judge(self, evidence: Evidence) -> tuple[float, bool | None]:
        """Return the quality in 0..1, and whether the picture is unfamiliar, see `estimate`."""
        own = zip(self.members, evidence.features, strict=True)
        judged = [member.judge(evidence._replace(features=features)) for member, features in own]
        quality, unfamiliar = zip(*judged, strict=True)
        told = [answer for answer in unfamiliar if answer is not None]
        return float(np.mean(quality)), sum(told) > len(told) / 2 if told else None


def join(networks: Sequence[Network]) -> Network:
    """Return the `Ensemble` of several networks, or the only one."""
    return Ensemble(networks) if len(networks) > 1 else networks[0]
