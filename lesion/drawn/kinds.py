"""The kinds of lesions that `lesion.drawn` draws, and how often."""

from typing import NamedTuple

import numpy as np


class Kind(NamedTuple):
    """How one kind of lesion looks: ranges (low, high) and probabilities."""

    weight: float  # how often it is drawn
    density: tuple[float, float]  # of its main brown, log-uniform
    redness: tuple[float, float]  # density of blood in it
    fuzz: tuple[float, float]  # width of the border in radii, log-uniform
    rough: tuple[float, float]  # how irregular the border is, in radii
    mottle: tuple[float, float]  # unevenness of the pigment
    network: float
    globules: float
    halo: float  # a faint outer zone that belongs to the lesion
    patchy: float  # pigment in separate islands within one lesion
    black: float
    blue: float
    pale: float  # regression, scar
    warty: float  # cysts, plugs, fissures
    crust: float  # crust, scale, ulcer


KINDS = {
    "nevus": Kind(
        0.30, (0.3, 1.2), (0, 0.2), (0.10, 0.5), (0.03, 0.13), (0.05, 0.3),
        0.5, 0.3, 0.3, 0.08, 0.1, 0.08, 0.1, 0.05, 0.03,
    ),
    "dark": Kind(
        0.14, (0.8, 1.9), (0, 0.3), (0.05, 0.3), (0.04, 0.18), (0.05, 0.3),
        0.4, 0.2, 0.3, 0.1, 0.5, 0.2, 0.1, 0.05, 0.03,
    ),
    "melanoma": Kind(
        0.20, (0.35, 1.3), (0, 0.3), (0.06, 0.45), (0.08, 0.28), (0.2, 0.6),
        0.35, 0.35, 0.4, 0.35, 0.45, 0.45, 0.45, 0.05, 0.15,
    ),
    "keratosis": Kind(
        0.10, (0.2, 0.9), (0, 0.25), (0.03, 0.15), (0.06, 0.2), (0.15, 0.5),
        0.1, 0.2, 0.1, 0.15, 0.15, 0.2, 0.15, 0.9, 0.2,
    ),
    "pink": Kind(
        0.11, (0.02, 0.15), (0.1, 0.45), (0.08, 0.6), (0.04, 0.16), (0.1, 0.4),
        0.05, 0.1, 0.2, 0.15, 0.03, 0.08, 0.3, 0.05, 0.4,
    ),
    "lentigo": Kind(
        0.08, (0.12, 0.4), (0, 0.12), (0.05, 0.25), (0.06, 0.22), (0.15, 0.5),
        0.4, 0.1, 0.15, 0.3, 0.0, 0.03, 0.15, 0.05, 0.05,
    ),
    "blue": Kind(
        0.05, (0.1, 0.5), (0, 0.1), (0.1, 0.5), (0.03, 0.1), (0.05, 0.25),
        0.05, 0.05, 0.3, 0.05, 0.2, 1.0, 0.1, 0.0, 0.02,
    ),
    "faint": Kind(
        0.04, (0.06, 0.18), (0, 0.1), (0.1, 0.6), (0.05, 0.2), (0.1, 0.4),
        0.2, 0.1, 0.1, 0.2, 0.0, 0.03, 0.2, 0.1, 0.1,
    ),
}  # fmt: skip


def choose_kind(rng: np.random.Generator) -> Kind:
    """One of KINDS by weight."""
    kinds = list(KINDS.values())
    weights = np.array([kind.weight for kind in kinds])
    return kinds[rng.choice(len(kinds), p=weights / weights.sum())]
