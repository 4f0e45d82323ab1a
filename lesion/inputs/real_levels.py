"""Which levels masks really consist of, and which are only at borders, in noise or by JPEG.

real = real_levels(looks)           # of one folder and kind
levels_in(look, real)               # of one of its masks
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations

import numpy as np

from lesion.inputs.legend import Level
from lesion.inputs.levels import SAME_COLOUR
from lesion.inputs.looks import Look, renamed

BLACK = (0.0, 0.0, 0.0)
WHITE = {"gray values": 255, "16-bit gray values": 65535, "values from 0 to 1": 1}  # by kind
HIGHEST_CLASS = 20  # numbers up to this look like numbers of classes, not like gray values
# Of masks with many levels: what is less than this share of their even pixels is chance, and what
# is nearer than this share of their range to a level that is so much more frequent belongs to it.
EVEN_SHARE = 0.005
NEAR = 0.08
RARER = 0.05
# A level between two others is what resizing leaves at borders. One that is alone between them, in
# most masks and with so many pixels in each, was drawn there.
OVERSHOOT = 0.1
DRAWN_PIXELS = 8
FEWEST_PIXELS = 4  # of a lesion
SPOILT_SHARE = 0.5
SPOILT_PIXELS = 32  # JPEG makes as many gray around a lesion of a few pixels


def is_white(level: Level, kind: str) -> bool:
    """Whether a level is the highest that there is of its kind."""
    return level.place == (WHITE.get(kind, 255.0),) * 3


def real_levels(looks: Sequence[Look]) -> list[Level]:
    """Return the levels that masks of one folder and kind consist of.

    These form regions; or they are thin, but no mixture of two others as resizing makes them at
    borders, such as the 255 of a void ring around a lesion of level 1.
    """
    kind = looks[0].kind
    few = [look for look in looks if look.exact]
    regions = dict.fromkeys(level for look in looks for level in _regions(look))
    thin = list(dict.fromkeys(level for look in few for level in look.counts))
    thin = [level for level in thin if level not in regions]
    held = {level for look in looks for level in look.counts}
    if len(regions) < 2 and len(held) > 1:
        darkest, highest = (end(held, key=lambda level: level.place) for end in (min, max))
        if kind not in WHITE or highest.place[0] >= WHITE[kind] / 2:
            regions |= {highest: None, darkest: None}  # lesions of a few pixels, soft borders
    mixed = [level for level in thin if level not in regions and _is_mixed(level, regions)]
    drawn = [level for level in thin if level not in mixed]
    if len(mixed) == 1 and len(few) == len(looks) and _is_drawn(mixed[0], looks):
        drawn += mixed
    return sorted({*regions, *drawn}, key=lambda level: level.place)


def with_common_colours(looks: Sequence[Look]) -> list[Look]:
    """Return masks of many colours with one level for what JPEG made of one colour in each."""
    even, common = Counter(), {}
    for look in looks:
        even.update(look.counts.keys())
        even.update(look.even)
    for level, _ in even.most_common():
        same = (
            other
            for other in common.values()
            if np.linalg.norm(np.subtract(level.place, other.place)) <= SAME_COLOUR
        )
        common[level] = next(same, level)
    return [
        replace(
            look,
            counts=renamed(look.counts, common),
            even=renamed(look.even, common),
            frame=tuple(dict.fromkeys(common[level] for level in look.frame)),
        )
        for look in looks
    ]


def levels_in(look: Look, real: Sequence[Level]) -> list[Level]:
    """Return which of the real levels of its folder a mask holds."""
    held = set(look.counts if look.exact else _regions(look))
    alone = sum(level in held for level in real) < 2
    if alone and look.kind in WHITE and real[-1].place[0] >= WHITE[look.kind] / 2:
        # A lesion of a few pixels, none of which JPEG left even: nothing else comes so near.
        least = real[-1].place[0] - NEAR * WHITE[look.kind]
        if sum(n for level, n in look.counts.items() if level.place[0] >= least) >= FEWEST_PIXELS:
            held.add(real[-1])
    return [level for level in real if level in held]


def is_spoilt(look: Look, known: Sequence[Level]) -> bool:
    """Whether much of a mask is far from all levels that it should consist of."""
    places = np.array([level.place for level in known])
    span = np.linalg.norm(np.ptp(places, axis=0)) or 1.0
    far = beyond = beside = 0
    for level, count in look.counts.items():
        distances = np.linalg.norm(places - level.place, axis=1)
        far += count * (distances.min() > span / 4)
        beyond += count * (distances.min() > span * 0.6)  # farther than anything in between is
        beside += count * (distances.argmin() > 0)
    return beyond > SPOILT_PIXELS or far > max(SPOILT_PIXELS, SPOILT_SHARE * beside)


def _regions(look):
    """Return the levels of one mask that cover more than borders."""
    if look.exact:
        return list(look.even)
    least = EVEN_SHARE * sum(look.even.values())
    frequent = [(count, level) for level, count in look.even.items() if count >= least]
    places = np.array([level.place for level in look.counts])
    near = NEAR * np.linalg.norm(np.ptp(places, axis=0))
    return [
        level
        for count, level in frequent
        if not any(
            count < RARER * other and np.linalg.norm(np.subtract(place.place, level.place)) < near
            for other, place in frequent
        )
    ]


def _is_mixed(level, regions):
    """Whether a level lies between two others, or a little beyond."""
    for one, other in combinations(regions, 2):
        way, gone = np.subtract(other.place, one.place), np.subtract(level.place, one.place)
        share = float(gone @ way) / float(way @ way)
        away = np.linalg.norm(gone - share * way)
        if away <= OVERSHOOT * np.linalg.norm(way) and -OVERSHOOT <= share <= 1 + OVERSHOOT:
            return True
    return False


def _is_drawn(level, looks):
    """Whether most masks hold a level that lies alone between the others."""
    with_border = [look for look in looks if len(look.counts) > 1]
    drawn = [look for look in with_border if look.counts.get(level, 0) >= DRAWN_PIXELS]
    return 2 * len(drawn) > len(with_border)
