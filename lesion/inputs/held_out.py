"""Which pairs of a data folder a network may be scored on, and whether it was trained on them.

chosen = select_pairs("my_data", "runs/mine/model.keras")
print(chosen.set_name, len(chosen.pairs), chosen.remark)
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from lesion.console import InputError, note
from lesion.inputs.folders import few
from lesion.inputs.pairing import Pair, find_parts
from lesion.inputs.pictures import distinct_names
from lesion.inputs.seen import SeenPictures
from lesion.inputs.split import Split
from lesion.inputs.splitting import has_lists, load_split
from lesion.settings import Settings

EVERY_PAIR = "whole set"  # what a set is called that is no part of a split
EARLIER_SHARE = 0.1  # of validation and of test, where weights were saved without these


class Selection(NamedTuple):
    """Pairs to score a network on.

    Attributes:
        pairs: each with a mask and a name of its own.
        set_name: words for the set.
        kept_apart: whether it is known that none of them was trained on.
        remark: what is known about that, in one line.
    """

    pairs: list[Pair]
    set_name: str
    kept_apart: bool
    remark: str


def select_pairs(
    directory: str | Path, weights: str | Path, part: str | None = None, usual: str = "test"
) -> Selection:
    """Choose the pairs of a data folder that a network may be scored on.

    The division is the one that the network was trained with: that of the split.json beside it or,
    for published weights, the one drawn by the seed and the shares that are recorded with them.

    Args:
        directory: data folder.
        weights: path of the network.
        part: "train", "validation", "test" or "all"; None takes the usual one where the network
            or the folder says which pictures are in it, else every pair.
        usual: "test" to score; "validation" to choose, since what is chosen is not scored there.

    Raises:
        InputError: the part has no pairs, or the split.json is damaged.
    """
    folders = find_parts(directory)
    every = [pair for folder in folders.values() for pair in folder.labelled]
    split = own = own_split(directory, weights, every)
    if own is None and part != "all" and (part or _is_divided(folders)):
        split = load_split(directory, *_recorded(weights)[0])
    part = part or ("all" if split is None else usual if getattr(split, usual) else "validation")
    pairs = every if part == "all" else getattr(split, part)
    if not pairs:
        where = "folder" if part == "all" else f"{part} part"
        remedy = "add masks" if part == "all" else "add masks or name another --part"
        raise InputError(f"{directory}: no picture of this {where} has a mask; {remedy}")
    kept_apart = own is not None and part in ("validation", "test")
    if kept_apart:
        remark = f"{weights} was trained with these pictures kept apart"
    elif own is not None:
        remark = f"{weights} was trained on {'these' if part == 'train' else 'some of these'}"
    else:
        remark = _unknown(weights)
    set_name = EVERY_PAIR if part == "all" else part
    return Selection(unique_names(pairs), set_name, kept_apart, remark)


def select_common(
    directory: str | Path, weights: Sequence[str | Path], part: str | None = None
) -> Selection:
    """Choose the pairs that several networks may be scored on together.

    Each network brings those of `select_pairs`; what all of them bring remains, so that a picture
    that one of them was trained on is not called kept apart.

    Args:
        directory, part: as `select_pairs` takes them.
        weights: paths of the networks, one or more.

    Raises:
        InputError: as `select_pairs`, or no picture is left.
    """
    chosen = [select_pairs(directory, path, part) for path in weights]
    common = set.intersection(*({pair.image for pair in one.pairs} for one in chosen))
    if not common:
        raise InputError(
            f"{directory}: no picture is left that each of {', '.join(map(str, weights))} has kept "
            "apart; give data that none of them was trained on, or train them with one split"
        )
    # A part of a split beats the whole set, of which only that part remains.
    names = dict.fromkeys(one.set_name for one in chosen if one.set_name != EVERY_PAIR)
    kept_apart = all(one.kept_apart for one in chosen)
    return Selection(
        [pair for pair in chosen[0].pairs if pair.image in common],
        " and ".join(names) or EVERY_PAIR,
        kept_apart,
        "; ".join(one.remark for one in chosen if one.kept_apart == kept_apart),
    )


def select_test(directory: str | Path, weights: Sequence[str | Path]) -> Selection:
    """Choose the pairs of a challenge's test: of a divided folder the test part, else every pair.

    Raises:
        InputError: as `select_pairs`; or the folder is divided, and has no test.
    """
    folders = find_parts(directory)
    folder = folders.get("test", folders.get(""))
    if folder is None or not folder.labelled:
        raise InputError(
            f"{directory}: holds no test pictures with masks; name the folder that holds the two "
            "folders of the test, unpacked"
        )
    return Selection(
        unique_names(folder.labelled), "test", False, "; ".join(map(_unknown, weights))
    )


def remark_on(weights: Sequence[str | Path], pairs: Sequence[Pair], by_split: str) -> str:
    """Return what is known of whether networks were trained on pictures, in one line.

    The pictures that travel with weights tell it for each of the others, whatever its file and
    data set are called; weights without them know no more than how they were divided.

    Args:
        weights: paths of the networks, one or more.
        pairs: to be scored, best as `filter_pairs` returns them: their pictures are looked at.
        by_split: the remark of their `Selection`; "" if there is none.

    Raises:
        InputError, FileNotFoundError: as `SeenPictures.read`, `SeenPictures.find`.
    """
    records = [SeenPictures.read(path) for path in weights]
    if None in records:
        return "; ".join(filter(None, [warning_on(weights, pairs), by_split]))
    told = (_told(*one, pairs) for one in zip(weights, records, strict=True))
    return "; ".join(line for line, _ in told)


def warning_on(weights: Sequence[str | Path], pairs: Sequence[Pair]) -> str:
    """Return what `remark_on` says of networks that have seen pictures, or may have; else "".

    Those without a record of what they have seen are passed over.

    Args and Raises: as `remark_on`.
    """
    records = {path: SeenPictures.read(path) for path in weights}
    told = (_told(path, seen, pairs) for path, seen in records.items() if seen)
    return "; ".join(line for line, warns in told if warns)


def refuse_seen(weights: Sequence[str | Path], pairs: Sequence[Pair]) -> None:
    """Raise InputError if networks are known to have seen one of the pictures of a test.

    Args: as `remark_on`.
    """
    for path in weights:
        seen = SeenPictures.read(path)
        names = [name for names in seen.find(pairs) for name in names] if seen else []
        if names:
            raise InputError(
                f"{path}: {len(names):,} of the {len(pairs):,} pictures of this test were trained "
                f"or chosen on ({few(names)}), so that no score on it counts; give weights that "
                "have seen none of them"
            )


def _told(path, seen, pairs):
    """Return (what a network has seen of pictures in words, whether a reader must know it)."""
    trained, chosen = seen.find(pairs)
    line = f"{path} was trained on none of these {len(pairs):,} pictures"
    if len(pairs) == 1:
        line = f"{path} was not trained on this picture"
    if trained:
        line = (
            f"{len(trained):,} of {len(pairs):,} pictures were trained on by {path}, as their "
            f"ISIC numbers or their looks tell: {few(trained)}"
        )
    if chosen:
        line += f"; its epoch and threshold were chosen on {len(chosen):,} of them"
    if not seen.complete:
        line += "; it began from weights that do not say what they have seen"
    return line, bool(trained or not seen.complete)


def unique_names(pairs: list[Pair]) -> list[Pair]:
    """Return the pairs, with `distinct_names` where two folders, as train/ and test/, hold a 0."""
    if len({pair.name for pair in pairs}) == len(pairs):
        return pairs
    names = distinct_names([pair.image for pair in pairs])
    return [replace(pair, name=name) for pair, name in zip(pairs, names, strict=True)]


def _unknown(weights):
    return (
        f"{weights} does not come with a split of these pictures: it may have been trained on "
        "some of them"
    )


def own_split(directory, weights, pairs: Iterable[Pair]) -> Split | None:
    """Return the split that a network was trained with, or None if it was one of other pictures."""
    path = Path(weights).with_name("split.json")
    if path.is_file() and (split := Split.read(path, pairs)):
        for problem in split.problems:
            note(problem)
        return split
    constants, digests = _recorded(weights)
    if not digests:
        return None
    try:
        split = load_split(directory, *constants)
    except InputError:  # cannot be divided, so this is not what was trained on
        return None
    return split if split.digest() in digests else None


def _recorded(weights):
    """Return ((seed, share of validation, share of test), digests) recorded with weights."""
    try:
        record = dict(json.loads(Path(weights).with_suffix(".json").read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        record = {}  # who loads the weights says what is wrong with it
    shares = {name: record.get(name, EARLIER_SHARE) for name in ("validation", "test")}
    settings = Settings(seed=record.get("seed", Settings.seed), **shares)
    digests = record.get("split_digests", [])
    return (settings.seed, settings.validation, settings.test), digests


def _is_divided(folders):
    """Whether a data folder itself says which pictures are for what, by sub-folders or lists."""
    return "" not in folders or has_lists(folders[""])
