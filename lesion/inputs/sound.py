"""Look at every input before a command starts: a bad file then costs seconds, not a training.

split, left_out = sound_split(load_split("my_data"), skip_bad=False)
pairs, left_out = sound_pairs("my_data", pairs, skip_bad=True)
pictures, left_out = sound_pictures(paths, skip_bad=True)

What counts as bad is what `checks.check_pairs` calls a problem. Without `skip_bad` the first
problem ends the command; with it, what is bad is left out, and the lines that say so returned.
"""

import os
from dataclasses import replace
from pathlib import Path

from lesion.console import InputError
from lesion.inputs.checks import check_pairs
from lesion.inputs.pairing import DataFolder, Pair
from lesion.inputs.splitting import find_parts

LONGEST_STEM = 255 - len("_overlay.png")  # bytes; file systems allow 255 for a name


def sound_split(split, skip_bad=False, progress=True):
    """Returns a split without its bad pairs.

    A training picture that is also a validation or test picture, pixel by pixel, is left out too
    and a note says so: a score on what was trained on is no score.

    Args:
        split: `data.Split`.
        skip_bad: leave bad pairs out instead of raising.
        progress: shows a bar.

    Returns:
        (new `data.Split`, list of lines: the problems that were passed over).

    Raises:
        ValueError: there is a problem and `skip_bad` is off; nothing sound is left of a part; or
            the masks of all training pairs are empty, or all are full.
    """
    pairs = split.train + split.validation + split.test
    findings, left_out = _look(pairs, split.problems, skip_bad, split.root, progress)
    parts, owners, copies = {}, {}, []
    for part in ("test", "validation", "train"):
        given = getattr(split, part)
        parts[part] = []
        for pair in given:
            finding = findings[pair.image]
            if finding.problem:
                continue
            owner_part, owner = owners.setdefault(finding.fingerprint, (part, pair))
            if owner_part == part:
                parts[part].append(pair)
            else:
                copies.append(f"{pair.image} is the same as {owner.image} of the {owner_part} part")
        if given and not parts[part]:
            raise InputError(
                f"{split.root}: no pair is left of its {part} part "
                f"({(copies or left_out)[-1]}); add pairs or name others in id lists"
            )
    if copies:
        more = f" and {len(copies) - 1} more" if len(copies) > 1 else ""
        print(f"note: left out, so that scores stay honest: {copies[0]}{more}")
    coverages = {findings[pair.image].coverage for pair in parts["train"]}
    if coverages in ({0.0}, {1.0}):
        word = "empty" if coverages == {0.0} else "full"
        raise InputError(
            f"{split.root}: every training mask is {word}, from which nothing can be learnt; "
            "draw the lesions into them"
        )
    return replace(split, **parts), left_out


def sound_pairs(directory, pairs, skip_bad=False, progress=True):
    """Returns (the sound ones of `pairs` of a data folder, lines on the rest); as `sound_split`."""
    problems = [line for folder in find_parts(directory).values() for line in folder.problems]
    return _sound(pairs, *_look(pairs, problems, skip_bad, directory, progress))


def sound_pictures(paths, skip_bad=False, progress=True):
    """Returns (those of `paths` that can be read as pictures, lines on the rest).

    Raises ValueError as `sound_split` does.
    """
    pairs, problems = [], []
    for path in map(Path, paths):
        if len(os.fsencode(path.stem)) > LONGEST_STEM:
            problems.append(f"{path}: the name leaves no room for `_overlay.png`; shorten it")
        else:
            pairs.append(Pair(path.stem, path))
    sound, left_out = _sound(pairs, *_look(pairs, problems, skip_bad, None, progress))
    return [pair.image for pair in sound], left_out


def _sound(pairs, findings, left_out):
    sound = [pair for pair in pairs if not findings[pair.image].problem]
    if not sound:
        raise InputError(f"{left_out[0]}; and nothing is left without what is bad")
    return sound, left_out


def _look(pairs, problems, skip_bad, directory, progress):
    """Return ({picture path: Finding}, all problems); the first problem unless skip_bad."""
    report = check_pairs(DataFolder(Path(), "", pairs, []), progress and len(pairs) > 1)
    findings = {pair.image: found for pair, found in zip(pairs, report.findings, strict=True)}
    lines = problems + [finding.problem for finding in report.findings if finding.problem]
    if lines and not skip_bad:
        raise InputError(lines[0] + _advice(len(lines) - 1, directory))
    return findings, lines


def _advice(more, directory):
    if not more:
        return "; or pass --skip-bad to go on without it"
    listing = f": run `segment.py check {directory}`" if directory else ""
    return f" (and {more} more{listing}); or pass --skip-bad to go on without them"
