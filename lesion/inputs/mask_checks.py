"""What is wrong with masks, or worth a look: one by one, and over all of a data folder."""

import math
from collections import defaultdict
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

import numpy as np

from lesion.console import InputError
from lesion.inputs.findings import Finding, Source
from lesion.inputs.folders import few
from lesion.inputs.judging import by_kind, judge_looks, shown_levels
from lesion.inputs.legend import PLAIN, Legend
from lesion.inputs.levels import read_levels
from lesion.inputs.looks import look_at_levels, renamed
from lesion.inputs.orientation import UPRIGHT, stored_size
from lesion.inputs.pairing import Pair
from lesion.inputs.reading import read_truth, size_problem
from lesion.inputs.real_levels import real_levels
from lesion.inputs.stored import own_turn, read_both_ways

# So many masks that are the same, pixel by pixel, are no chance.
FEWEST_SAME = 3
SAME_SHARE = 0.3


def look_at_masks(pair: Pair, finding: Finding, picture: np.ndarray) -> None:
    """Read the mask files of a pair and complete the finding of its picture, uint8 (H, W, 3).

    Raises:
        InputError, FileNotFoundError: a file cannot be read.
    """
    if pair.second_mask is not None:
        finding.second_look = look_at_levels(pair.second_mask, read_levels(pair.second_mask))
    if pair.annotation is not None:
        mask, finding.turn_evidence = read_both_ways(pair, picture)
        finding.set_mask(mask)
    elif pair.mask is not None:
        paths = (pair.mask, *pair.more_masks)
        finding.looks = tuple(look_at_levels(path, read_levels(path)) for path in paths)
        note = own_turn(pair)
        stored = stored_size(finding.size, note)
        for look in finding.looks:
            if look.shape not in (finding.size, stored):
                problem = size_problem(look.path, finding.size, look.shape)
                finding.problem = finding.problem or problem
        if note != UPRIGHT and not finding.problem:
            finding.turn_evidence = _turn_evidence(pair, finding, picture, stored)


def _turn_evidence(pair, finding, picture, stored):
    """Return whether the masks have to be turned, see `stored.read_both_ways`."""
    sizes = {look.shape for look in finding.looks}
    if stored != finding.size and len(sizes) == 1:
        return math.inf if sizes == {stored} else -math.inf
    with suppress(InputError):  # whether levels can be understood is judged later
        return read_both_ways(pair, picture)[1]


def check_levels(sources: Sequence[Source], legend: Legend) -> None:
    """Raise an InputError, which lists what there is, for a level that occurs in no mask.

    Each data folder with masks must have one of the levels that are lesion.
    """
    looks = {source.path: list(_looks(source)) for source in sources}
    for path, own in looks.items():
        if legend.lesion_level and own and not any(map(legend.names_lesion, _levels(own))):
            raise InputError(f"{path}: {_absent(legend.lesion_level, own)}")
    every = [look for own in looks.values() for look in own]
    for name in legend.lesion_level + legend.ignore_level:
        if not any(level.is_called(name) for level in _levels(every)):
            where = ", ".join(map(str, looks))
            raise InputError(f"{where}: {_absent([name], every)}")


def _looks(source):
    return (look for found in source.findings for look in found.looks)


def _levels(looks):
    return dict.fromkeys(level for look in looks for level in look.counts)


def _absent(names, looks):
    listed = ", ".join(shown_levels(group, real_levels(group)) for group in by_kind(looks))
    return f"no mask holds the level {' or '.join(names)}; name one of {listed or 'none'}"


def judge_masks(source: Source, legend: Legend) -> None:
    """Judge what the levels of all masks of a folder mean; a judge, see `findings.Source`."""
    verdict = judge_looks(list(_looks(source)), legend)
    second = [found.second_look for found in source.findings if found.second_look]
    second = judge_looks(second, legend)
    for number, (pair, found) in enumerate(zip(source.pairs, source.findings, strict=True)):
        if found.second_look:
            pair = _with_legend(pair, found, (found.second_look,), second, "second_legend")
        if found.looks:
            pair = _with_legend(pair, found, found.looks, verdict, "legend")
            _cover(pair, found)
        source.pairs[number] = pair
    source.remarks += _remarks(source, verdict)


def _with_legend(pair, found, looks, verdict, name):
    """Return the pair with the legend of its mask files, or set the problem of its finding."""
    problems = [verdict.problems[look.path] for look in looks if look.path in verdict.problems]
    # An empty mask goes with any other.
    telling = [look for look in looks if look.path in verdict.ways] or looks
    legends = {verdict.legends.get(look.path, PLAIN) for look in telling}
    if len(legends) > 1:
        others = ", ".join(look.path.name for look in looks[1:])
        problems.append(
            f"{looks[0].path}: holds other levels than {others}, of one picture; save them alike"
        )
    if problems:
        found.problem = found.problem or problems[0]
        return pair
    return replace(pair, **{name: legends.pop()})


def _cover(pair, found):
    if found.problem or found.size is None:
        return
    if len(found.looks) > 1:
        found.set_mask(read_truth(pair, found.size))
        return
    (look,) = found.looks
    levels = list(look.counts)
    values = list(map(pair.legend.value_of, pair.legend.nearest(levels)))
    meaning = dict(zip(levels, values, strict=True))
    pixels = renamed(look.counts, meaning)
    frame = sorted({meaning[level] for level in look.frame})
    found.set_counts(pixels.get(0, 0), pixels.get(1, 0), frame)


def _remarks(source, verdict):
    """Return what is worth a look in masks that can be read."""
    named = [
        (pair.name, found.coverage, look)
        for pair, found in zip(source.pairs, source.findings, strict=True)
        for look in found.looks
        if not found.problem
    ]
    remarks, ways = [], defaultdict(list)
    for name, _, look in named:
        if look.path in verdict.ways:
            ways[verdict.ways[look.path]].append(name)
    if len(ways) > 1:
        (usual, others), *rare = sorted(ways.items(), key=lambda item: -len(item[1]))
        listed = "; ".join(f"{way} in {few(names)}" for way, names in rare)
        remarks.append(
            f"masks hold different levels, each is read by its own: {listed}; {usual} in the "
            f"other {len(others)}"
        )
    # Where most is lesion, the line is what is left of the skin.
    if lines := [name for name, share, look in named if look.line and (share or 0) < 0.5]:
        remarks.append(f"mask looks like an outline, not filled: {few(lines)}")
    remarks += _remarks_on_same(source)
    return remarks


def _remarks_on_same(source):
    """Return a line for each mask that several different pictures have in common."""
    same = defaultdict(dict)
    drawn = 0
    for pair, found in zip(source.pairs, source.findings, strict=True):
        if found.looks and found.coverage and found.coverage < 1:
            drawn += 1
            masks = tuple(look.fingerprint for look in found.looks)
            same[masks].setdefault(found.fingerprint, pair.name)
    return [
        f"the same mask for different pictures: {few(list(names.values()))}"
        for names in same.values()
        if len(names) >= max(FEWEST_SAME, SAME_SHARE * drawn)
    ]
