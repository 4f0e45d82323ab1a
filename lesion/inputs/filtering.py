"""Leave bad pairs and pictures out before anything is done with the others, or stop at the first.

split = load(settings)
pairs, left_out = filter_pairs("my_data", pairs, skip_bad=True)
pictures, left_out = filter_pictures(paths)

A bad file then costs seconds, not a training. Bad is what `checks.check_pairs` calls a problem.
"""

import os
from collections.abc import Iterable
from dataclasses import replace
from itertools import chain
from pathlib import Path

from lesion.console import InputError, note
from lesion.inputs.checks import look_at, problems_of
from lesion.inputs.folders import few
from lesion.inputs.folding import draw_folds
from lesion.inputs.held_out import unique_names
from lesion.inputs.legend import PLAIN, Legend
from lesion.inputs.pairing import Pair, find_parts
from lesion.inputs.pictures import distinct_names
from lesion.inputs.reading import check_header
from lesion.inputs.remote import url_of
from lesion.inputs.seen import SeenPictures
from lesion.inputs.split import PARTS, Split
from lesion.inputs.splitting import load_splits, on_two_sides
from lesion.settings import LEGEND, Settings

LONGEST_STEM = 255 - len("_probability.png")  # bytes; file systems allow 255 for a name
NOTHING_LEFT = "and nothing is left without what is bad"


def load(settings: Settings, skip_bad: bool = False, progress: bool = True) -> Split:
    """Return the split that a training with these settings takes: `load_splits`, then filtered.

    Args:
        settings: its data, seed and shares of validation and test count here.
        skip_bad, progress: as in `filter_split`, which also tells what is raised.
    """
    split = load_splits(settings.data, settings.seed, settings.validation, settings.test)
    split = filter_split(split, skip_bad, progress, legend_of(settings))
    for remark in split.remarks:
        note(remark)
    return replace(split, made_with=_made_with(settings))


def load_folds(
    settings: Settings, count: int, skip_bad: bool = False, progress: bool = True
) -> list[Split]:
    """Return `count` splits for cross-validation: each good pair is in the test of one of them.

    They are drawn as `draw_folds` says. What the data themselves call test stays apart, and their
    other parts are divided anew. A picture that is there twice, pixel by pixel, counts once.

    Args:
        settings: its data, seed and share of validation count here.
        skip_bad, progress: as in `filter_split`.

    Raises:
        InputError: as `filter_split`, or there are too few lesions.
    """
    whole = load_splits(settings.data, settings.seed, settings.validation, 0)
    apart = {pair.image for pair in whole.test}
    # Test pictures come first: of two copies that one stays.
    pairs = {pair.image: pair for pair in whole.test + whole.validation + whole.train}
    pairs = unique_names(list(pairs.values()))
    legend = legend_of(settings)
    seen, left_out = _look(pairs, whole.problems, skip_bad, whole.root, progress, legend)
    owners, copies, kept, coverages = {}, [], [], []
    for pair, finding in seen.values():
        if finding.problem:
            continue
        owner = owners.setdefault(finding.fingerprint, pair)
        if owner is not pair:
            copies.append(f"{pair.image} is the same as {owner.image}")
        elif pair.image not in apart:
            kept.append(pair)
            coverages.append(finding.coverage)
    for remark in whole.remarks:
        note(remark)
    if apart:
        note(f"{len(apart)} pictures that the data call test stay apart; the folds are of the rest")
    _tell_copies(copies)
    _check_coverages(coverages, whole.root)
    parts = draw_folds(kept, coverages, count, settings.seed, settings.validation, whole.root)
    folds = [replace(whole, **dict(zip(PARTS, part, strict=True))) for part in parts]
    for remark in _alike(folds):
        note(remark)
    made = {"made_with": _made_with(settings), "left_out": left_out}
    return [replace(fold, digests=[fold.digest()], **made) for fold in folds]


def _made_with(settings):
    names = ("data", "seed", "validation", "test", *LEGEND)
    return {name: getattr(settings, name) for name in names}


def _tell_copies(copies):
    if copies:
        more = f" and {len(copies) - 1} more" if len(copies) > 1 else ""
        note(f"left out, so that scores stay honest: {copies[0]}{more}")


def _check_coverages(coverages, root):
    if set(coverages) in ({0.0}, {1.0}):
        word = "empty" if 0.0 in coverages else "full"
        raise InputError(
            f"{root}: every training mask is {word}, from which nothing can be learnt; "
            "draw the lesions into them"
        )


def legend_of(settings: Settings) -> Legend:
    """Return what the constants of a run, or options of these names, say on levels and classes."""
    return Legend(*(tuple(getattr(settings, name)) for name in LEGEND))


def filter_split(
    split: Split, skip_bad: bool = False, progress: bool = True, legend: Legend = PLAIN
) -> Split:
    """Return a split without its bad pairs; `left_out` tells which problems were passed over.

    Its pairs say how they are to be read.

    A training picture that is also a validation or test picture, pixel by pixel, is left out too
    and a note says so: a score on what was trained on is no score. Of pictures that are probably
    the same, and of lesions that several folders have in common, a remark tells.

    Args:
        split: what `load_split` or `load_splits` returned.
        skip_bad: leave bad pairs out instead of raising.
        progress: shows a bar.
        legend: what the person said on levels and classes.

    Raises:
        InputError: the legend does not fit; there is a problem and `skip_bad` is off; nothing is
            left of a part; or the masks of all training pairs are empty, or all are full.
    """
    pairs = list({pair.image: pair for part in PARTS for pair in getattr(split, part)}.values())
    seen, left_out = _look(pairs, split.problems, skip_bad, split.root, progress, legend)
    parts, owners, copies = {}, {}, []
    for part in ("test", "validation", "train"):
        given = getattr(split, part)
        parts[part] = []
        for pair, finding in (seen[pair.image] for pair in given):
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
    _tell_copies(copies)
    _check_coverages([seen[pair.image][1].coverage for pair in parts["train"]], split.root)
    split = replace(split, **parts, left_out=left_out)
    return replace(split, remarks=split.remarks + _lesions_shared(split) + _alike([split]))


def _lesions_shared(split):
    """Return a remark, or none, on lesions of several folders, which were divided one by one."""
    lesions = on_two_sides(split) if len(split.digests) > 1 else []
    return [
        f"{len(lesions)} lesion(s) of different folders are on two sides: {few(lesions)}; unless "
        "they have no more than their names in common, scores will look too good: put the pictures "
        "into one folder, which is divided by lesion"
    ] * bool(lesions)


def _alike(splits):
    """Return a remark, or none, on pictures that are probably on two sides of a split."""
    names = []
    for split in splits:
        for seen, part in ((replace(split, validation=[]), split.validation), (split, split.test)):
            names += chain.from_iterable(SeenPictures.of(seen).find(part))
    names = list(dict.fromkeys(names))
    return [
        f"{len(names)} picture(s) for validation or test are probably on another side, too, as "
        f"their ISIC numbers or their looks tell: {few(names)}; scores will look too good"
    ] * bool(names)


def filter_pairs(
    directory: str | Path,
    pairs: list[Pair],
    skip_bad: bool = False,
    progress: bool = True,
    legend: Legend = PLAIN,
) -> tuple[list[Pair], list[str]]:
    """Return (the good ones of `pairs` of a data folder, lines on the rest); as `filter_split`.

    All files of the folder are looked at: what a mask means is judged by all of them, as it was for
    the training.
    """
    folders, chosen = find_parts(directory).values(), {pair.image for pair in pairs}
    problems = [line for folder in folders for line in folder.problems]
    others = [p for folder in folders for p in folder.labelled if p.image not in chosen]
    seen, left_out = _look(pairs, problems, skip_bad, directory, progress, legend, others)
    good = [pair for pair, finding in seen.values() if not finding.problem]
    if not good:
        raise InputError(f"{left_out[0]}; {NOTHING_LEFT}")
    return good, left_out


def filter_pictures(
    paths: Iterable[str | Path], skip_bad: bool = False
) -> tuple[list[Path], list[str]]:
    """Return (those of `paths` that begin as a picture does, lines on the rest).

    Nothing is decoded: damage further on is found by who reads the pictures, which takes minutes
    for ten thousand of them and is not done twice.

    Raises:
        InputError: as `filter_split`.
    """
    paths = [Path(path) for path in paths]
    problems = {
        path: f"{path}: the name leaves no room for `_probability.png`; shorten it"
        for path, name in zip(paths, distinct_names(paths), strict=True)
        if len(os.fsencode(name.rpartition("/")[2])) > LONGEST_STEM
    }
    for path in paths:
        try:
            if not url_of(path):  # what lies there is fetched once, to be predicted
                check_header(path)
        except (InputError, FileNotFoundError) as error:
            problems.setdefault(path, str(error))
    lines = list(problems.values())
    if lines and not skip_bad:
        raise InputError(lines[0] + advice(len(lines) - 1))
    good = [path for path in paths if path not in problems]
    if not good:
        raise InputError(f"{lines[0]}; {NOTHING_LEFT}")
    return good, lines


def _look(pairs, problems, skip_bad, directory, progress, legend, others=()):
    """Return ({picture path: (judged pair, Finding)}, all problems); raise unless skip_bad.

    others: pairs by which the masks are judged, too, but whose problems are nobody's concern.
    """
    judged, findings, remarks = look_at([*pairs, *others], progress and len(pairs) > 1, legend)
    for remark in remarks:
        note(remark)
    findings = findings[: len(pairs)]
    lines = problems + problems_of(findings)
    if lines and not skip_bad:
        raise InputError(lines[0] + advice(len(lines) - 1, directory))
    return {pair.image: (pair, found) for pair, found in zip(judged, findings, strict=False)}, lines


def advice(more: int = 0, directory: str | Path | None = None) -> str:
    """Return what to add to a problem that ends a command: how to go on in spite of it.

    Args:
        more: how many problems there are besides.
        directory: the data folder that they are in, if they are.
    """
    option = "or pass --skip-bad (in a notebook skip_bad=True) to go on without"
    if not more:
        return f"; {option} it"
    listing = f": run `segment.py check {directory}`" if directory else ""
    return f" (and {more} more{listing}); {option} them"
