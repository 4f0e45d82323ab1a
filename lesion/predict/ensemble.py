"""Several networks that predict as one: the average of their probabilities.

network = join([load_network(path) for path in ("fold1/model.keras", "fold2/model.keras")])
prediction = network.predict(read_image("lesion.jpg"))
"""

from collections.abc import Sequence

import cv2
import numpy as np

from lesion.predict.network import Network


class Ensemble(Network):
    """Two or more networks whose probabilities are averaged, with the face of a single one.

    Source: deep ensembles, Lakshminarayanan et al. 2017, arXiv:1612.01474. The quality estimate is
    the agreement with the mirrored views of all members. May be used by several threads at once,
    as its members may.

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

    def views_of(self, picture: np.ndarray) -> np.ndarray:
        """Return the probabilities of the four views of M members: float32 (4 M, S, S)."""
        size = self.image_size, self.image_size
        return np.stack(
            [
                cv2.resize(view, size, interpolation=cv2.INTER_LINEAR)
                for member in self.members
                for view in member.views_of(picture)
            ]
        )


def join(networks: Sequence[Network]) -> Network:
    """Return the `Ensemble` of several networks, or the only one."""
    return Ensemble(networks) if len(networks) > 1 else networks[0]
