"""What the levels of masks and the classes of annotations mean, where a person has said so."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from lesion.masks import IGNORED


class Level(NamedTuple):
    """One of the values that a mask consists of.

    Attributes:
        name: as people write it: a gray value ("255"), the index of a palette of colours ("1"),
            a colour ("#ff0000").
        place: red, green and blue, or a gray value three times, by which near levels are told
            from far ones.
    """

    name: str
    place: tuple[float, float, float]

    @property
    def hexadecimal(self) -> str:
        """The colour as "#rrggbb"."""
        return "#" + "".join(f"{min(round(value), 255):02x}" for value in self.place)

    def is_called(self, name: str) -> bool:
        """Whether a person means this level: by its name, or by its colour with or without #."""
        return name == self.name or f"#{name.casefold().lstrip('#')}" == self.hexadecimal


@dataclass(frozen=True)
class Legend:
    """Which levels or classes are lesion, and which count for nothing.

    Attributes:
        lesion_level: names of levels that are lesion; empty to judge by the levels themselves.
        ignore_level: names of levels that count neither in the loss nor in scores.
        lesion_class: names of classes of annotations that are lesion; empty for all of them.
        known: the levels of which the masks of a folder really consist, where that has been judged.
            Every other value, at borders and in noise, counts as the nearest of them. With these,
            no lesion_level means that nothing is lesion.
    """

    lesion_level: tuple[str, ...] = ()
    ignore_level: tuple[str, ...] = ()
    lesion_class: tuple[str, ...] = ()
    known: tuple[Level, ...] = ()

    def nearest(self, levels: list[Level]) -> list[Level]:
        """Return the known level that each of these counts as; of two equally near the brighter."""
        known = sorted(self.known, key=lambda level: sum(level.place), reverse=True)
        places = np.array([level.place for level in known], float)
        distances = [np.square(places - level.place).sum(axis=1) for level in levels]
        return [known[int(np.argmin(row))] for row in distances]

    def value_of(self, level: Level) -> int:
        """Return what a pixel of this level is in a mask: 0, 1 (lesion) or IGNORED."""
        if any(level.is_called(name) for name in self.ignore_level):
            return IGNORED
        return int(self.names_lesion(level))

    def names_lesion(self, level: Level) -> bool:
        """Whether a level is one of those that are named as lesion."""
        return any(level.is_called(name) for name in self.lesion_level)


PLAIN = Legend()  # masks of lesion and background
