"""What the levels of masks and the classes of annotations mean, where a person has said so."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Legend:
    """Which levels or classes are lesion, and which count for nothing.

    Attributes:
        lesion_level: names of levels that are lesion: gray values ("255"), indices of a palette
            ("1") or colours ("#ff0000"); empty for the rule of `reading.read_mask`.
        ignore_level: names of levels that count neither in the loss nor in scores.
        lesion_class: names of classes of annotations that are lesion; empty for all of them.
    """

    lesion_level: tuple[str, ...] = ()
    ignore_level: tuple[str, ...] = ()
    lesion_class: tuple[str, ...] = ()


PLAIN = Legend()  # masks of lesion and background
