"""What the levels of masks mean, judged over all masks of a data folder together.

verdict = judge_looks([look_at_levels(path, read_levels(path)) for path in masks], PLAIN)

The mask of one picture often cannot tell whether 255 is the lesion, its uncertain border or one
class of several; all masks of a folder can. What remains ambiguous is refused in one line: a guess
would train a network on it.
"""

import os
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from lesion.inputs.legend import Legend, Level
from lesion.inputs.looks import Look
from lesion.inputs.real_levels import (
    BLACK,
    HIGHEST_CLASS,
    WHITE,
    is_spoilt,
    is_white,
    levels_in,
    real_levels,
    with_common_colours,
)

NEARLY_SAME = 0.95  # gray levels that differ less are no classes
ODD_SHARE = 0.1  # at most so many of the masks are odd ones among the others
FEWEST_OTHERS = 3
NOISE = 0.04  # share of white up to which a level may be noise
SHOWN_LEVELS = 8
REMEDY = "save it with 0 for background and 255 for the lesion"


@dataclass
class Verdict:
    """How the masks of a folder are to be read.

    Attributes:
        legends: {file: Legend} with the levels that it is known to hold.
        problems: {file: line} of the others.
        ways: {file: words for its levels} of those that hold background and lesion.
    """

    legends: dict[Path, Legend] = field(default_factory=dict)
    problems: dict[Path, str] = field(default_factory=dict)
    ways: dict[Path, str] = field(default_factory=dict)

    def refuse(self, looks: Sequence[Look], finding: str, remedy: str = REMEDY) -> None:
        """Give masks one problem in common, a line of text."""
        more = f" and {len(looks) - 1} more" if len(looks) > 1 else ""
        line = f"{looks[0].path}{more}: {finding}; {remedy}"
        self.problems |= dict.fromkeys((look.path for look in looks), line)


def judge_looks(looks: Sequence[Look], legend: Legend) -> Verdict:
    """Judge masks of one folder together.

    * Masks of background and one level more are lesion where that level is. Other values are
      passed over where they are no level: at borders, as resizing and JPEG leave them, and in noise
      without a region of its own.
    * 0/1 and 0/255, each in files of its own, are both read; so is one file of another gray level
      among all others.
    * More levels are a class map, whether one file holds them or several: refused, unless the
      legend names what is lesion, or leaves one level besides those that are ignored.
    * A photograph or an overlay is refused.

    Args:
        looks: of every mask.
        legend: what the person said.
    """
    verdict = Verdict()
    if pictures := [look for look in looks if look.photograph]:
        finding = "looks like a photograph, an overlay or probabilities, not like a mask"
        verdict.refuse(pictures, finding, "put the mask of 0 and 255 in its place")
    for group in by_kind(looks):
        _judge_kind(group, legend, verdict)
    return verdict


def by_kind(looks: Sequence[Look]) -> list[list[Look]]:
    """Return masks in groups of which the levels may be compared, without photographs."""
    kinds = defaultdict(list)
    for look in looks:
        if not look.photograph:
            kinds[look.kind].append(look)
    return list(kinds.values())


def shown_levels(looks: Sequence[Look], levels: Sequence[Level]) -> str:
    """Return levels of masks with their share of all pixels, for a line of text."""
    counts = _pixels(looks)
    shown = [f"{_described(level)} ({counts[level] / counts.total():.2%})" for level in levels]
    return ", ".join(shown[:SHOWN_LEVELS]) + (", ..." if len(levels) > SHOWN_LEVELS else "")


def _judge_kind(looks, legend, verdict):
    """Judge masks of which the levels may be compared."""
    if looks[0].kind == "many colours":
        looks = with_common_colours(looks)
    real = real_levels(looks)
    ignored = tuple(level for level in real if _is_named(level, legend.ignore_level))
    if legend.lesion_level:
        named = legend.lesion_level + legend.ignore_level
        named = [level for look in looks for level in look.counts if _is_named(level, named)]
        classes = [
            level for look in looks for level in look.counts if level.place[0] <= HIGHEST_CLASS
        ]
        known = tuple(dict.fromkeys([*real, *named, *classes]))
        verdict.legends |= {look.path: replace(legend, known=known) for look in looks}
        return
    background = _background(real, looks[0].kind)
    held = {
        look.path: [level for level in levels_in(look, real) if level not in (background, *ignored)]
        for look in looks
    }
    _forget_noise(looks, held)
    looks = _without_odd_ones(looks, held, verdict)
    levels = Counter(level for look in looks for level in held[look.path])
    if _is_class_map(looks, held, levels):
        _refuse_classes(looks, [level for level in real if level not in ignored], verdict)
        return
    usual = [level for level, _ in levels.most_common(1)]
    for look in looks:
        lesion = held[look.path] or usual
        known = tuple(filter(None, (background, *lesion, *ignored)))
        if is_spoilt(look, known):
            finding = f"most of it is far from the levels {_names(known)} that it should hold"
            verdict.refuse([look], finding, "put the mask in its place, saved as PNG")
            continue
        names = tuple(level.name for level in lesion)
        verdict.legends[look.path] = replace(legend, lesion_level=names, known=known)
        if background and held[look.path]:
            white = is_white(lesion[0], look.kind)
            verdict.ways[look.path] = "0 and 255" if white else _names((background, *lesion))


def _forget_noise(looks, held):
    """Take a dark level that is alone beside background for noise, where all others hold white."""
    whites = [k for k in looks if any(is_white(level, k.kind) for level in held[k.path])]
    dark = [
        look
        for look in looks
        if look.kind in WHITE
        and [level.name != "1" and level.place[0] <= NOISE * WHITE[look.kind]
             for level in held[look.path]] == [True]
    ]  # fmt: skip
    if len(whites) >= FEWEST_OTHERS and len(dark) <= max(1, ODD_SHARE * len(looks)):
        held |= {look.path: [] for look in dark}


def _without_odd_ones(looks, held, verdict):
    """Refuse few masks that do not go with all others; return the others."""
    kind = looks[0].kind
    single = Counter(held[look.path][0] for look in looks if len(held[look.path]) == 1)
    several = [look for look in looks if len(held[look.path]) > 1]
    apart = all(
        is_white(level, kind) or not any(level in held[look.path] for look in several)
        for level in single
    )
    few_of_them = len(several) <= max(1, ODD_SHARE * len(looks))
    odd = several if apart and few_of_them and single.total() >= FEWEST_OTHERS else []
    for look in odd:
        levels = sorted({*held[look.path], *levels_in(look, list(look.counts))}, key=_place)
        verdict.refuse(
            [look], f"the mask holds the levels {shown_levels([look], levels)}, as no other does"
        )
    anchored = {level for look in looks if len(look.counts) > 1 for level in held[look.path]}
    for look in looks:
        levels = held[look.path]
        full = levels and (is_white(levels[0], kind) or levels[0].name == "1")
        if len(look.counts) == 1 and levels and levels[0] not in anchored and not full:
            odd.append(look)
            verdict.refuse([look], f"the mask holds the level {_names(levels)} alone")
    refused = {look.path for look in odd}  # there may be thousands
    return [look for look in looks if look.path not in refused]


def _is_class_map(looks, held, levels):
    if any(len(held[look.path]) > 1 for look in looks):
        return True
    kind = looks[0].kind if looks else ""
    if len(levels) < 2 or all(level.name == "1" or is_white(level, kind) for level in levels):
        return False
    (usual, number), *others = levels.most_common()
    one_odd = len(others) == 1 and others[0][1] == 1 and number >= FEWEST_OTHERS
    classes = all(level.place[0] <= HIGHEST_CLASS for level in levels)
    brightness = [level.place[0] for level in levels]
    if kind in WHITE and not classes and min(brightness) > NEARLY_SAME * max(brightness):
        return False
    return not one_odd or classes or not _is_gray(usual)


def _refuse_classes(looks, levels, verdict):
    """Refuse all masks in one line."""
    pixels = _pixels(looks)
    drawn = [level for level in levels if level.place != BLACK]
    lesion = max(drawn, key=lambda level: pixels[level])
    remedy = f"name what is lesion, as --lesion-level {_typed(lesion)}"
    if drawn[-1].name == "255" and drawn[-1] == min(drawn, key=lambda level: pixels[level]):
        remedy += f", and what counts for nothing, as --ignore-level {_typed(drawn[-1])}"
    remedy += f' (in a notebook LESION_LEVEL = "{_typed(lesion)}")'
    where = looks[0].path
    if len(looks) > 1:
        where = Path(os.path.commonpath([look.path.parent for look in looks]))
    line = (
        f"{where}: the masks hold the levels {shown_levels(looks, levels)}, not background and "
        f"lesion alone; {remedy}"
    )
    verdict.problems |= dict.fromkeys((look.path for look in looks), line)


def _background(real, kind):
    """Return the level that is background: black or, of two gray levels, a dark beside a light."""
    black = next((level for level in real if level.place == BLACK), None)
    if black or len(real) != 2 or kind not in WHITE:
        return black
    dark, light = real
    return (
        dark if dark.place[0] < WHITE[kind] / 4 and light.place[0] > WHITE[kind] * 3 / 4 else None
    )


def _place(level):
    return level.place


def _is_named(level, names):
    return any(level.is_called(name) for name in names)


def _described(level):
    return level.name if level.name == level.hexadecimal or _is_gray(level) else (
        f"{level.name} ({level.hexadecimal})")  # fmt: skip


def _pixels(looks):
    """Return how many pixels of each level there are in all."""
    pixels = Counter()
    for look in looks:
        pixels.update(look.counts)
    return pixels


def _is_gray(level):
    return level.place == (level.place[0],) * 3


def _typed(level):
    return level.name.lstrip("#")  # a shell takes what follows a # for a comment


def _names(levels):
    return " and ".join(map(_described, levels))
