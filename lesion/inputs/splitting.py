"""Divide the pairs of a data folder into training, validation and test, lesion by lesion."""

import os
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from lesion.console import InputError
from lesion.inputs.folders import few, natural_key, stem_of
from lesion.inputs.pairing import DataFolder, find_parts
from lesion.inputs.places import id_list
from lesion.inputs.split import PARTS, Split
from lesion.settings import Settings


def load_split(
    directory: str | Path,
    seed: int = Settings.seed,
    validation: float = Settings.validation,
    test: float = Settings.test,
) -> Split:
    """Return the Split of a data folder, made of the pairs that have a mask.

    * `directory` is divided, see `find_parts`: its parts are kept; without one for validation the
      share `validation` of the training part is set apart.
    * It holds id lists `train.txt`, `val.txt`, `test.txt` (one picture name a line), itself or in
      a folder for lists: these are the parts; without `val.txt` the share `validation` of
      `train.txt` is set apart, without `test.txt` there is no test.
    * It looks divided in a way that is not understood: the share `validation` is drawn, and there
      is no test, which would not be the one that was meant.
    * Otherwise the shares `validation` and `test` (0 to below 1) are drawn from all pairs.

    What is drawn depends on the seed and the names only. All pictures of one lesion go to the same
    side, every share above 0 gets at least one lesion, and each list is in natural order.

    Raises:
        InputError: the shares leave nothing to train on, there are fewer lesions than sides, or a
            list names an unknown picture.
        FileNotFoundError: there is no such folder.
    """
    if not (0 <= validation < 1 and 0 <= test < 1 and validation + test < 1):
        raise InputError(
            f"validation {validation} and test {test} are no shares of a whole; "
            "both must be 0 or more and their sum below 1"
        )
    root = Path(directory)
    folders = find_parts(root)
    told = {
        kind: [line for folder in folders.values() for line in getattr(folder, kind)]
        for kind in ("problems", "remarks", "passed_over")
    }
    parts = _given_parts(folders)
    if "" in folders:
        told["remarks"] += division_remarks(folders[""])
    if "train" not in parts:
        folder = folders[""]
        if folder.division:
            test = 0
        drawn = draw(parts[""], seed, validation, test, folder.root)
        return Split(*drawn, root, **told)
    if "validation" not in parts:
        parts["train"], parts["validation"], _ = draw(parts["train"], seed, validation, 0, root)
    split = Split(parts["train"], parts["validation"], parts.get("test", []), root, **told)
    if lesions := on_two_sides(split):
        split.problems.append(
            f"{root}: {len(lesions)} lesion(s) are on two sides of the given split "
            f"({', '.join(lesions[:5])}); scores will look too good"
        )
    return split


def load_splits(
    directories: Sequence[str | Path],
    seed: int = Settings.seed,
    validation: float = Settings.validation,
    test: float = Settings.test,
) -> Split:
    """Return one Split of several data folders, each divided by `load_split`, with `digests`.

    A folder named twice counts twice in training, once in validation and test: so a small data set
    can hold its own beside a large one. Raises as `load_split`, and InputError for no folder or
    folders without a common parent (on two Windows drives).
    """
    if not directories:
        raise InputError("no data folder was named; name one or more")
    shares = seed, validation, test
    if len(directories) == 1:
        split = load_split(directories[0], *shares)
        split.digests = [split.digest()]
        return split
    paths = [Path(directory).resolve() for directory in directories]
    splits = {path: load_split(path, *shares) for path in paths}
    try:
        root = Path(os.path.commonpath(splits))
    except ValueError as error:
        raise InputError(f"{paths[0]} and the others: {error}; copy them to one drive") from None
    return Split(
        train=[pair for path in paths for pair in splits[path].train],
        validation=[pair for split in splits.values() for pair in split.validation],
        test=[pair for split in splits.values() for pair in split.test],
        root=root,
        problems=[line for split in splits.values() for line in split.problems],
        remarks=[line for split in splits.values() for line in split.remarks],
        passed_over=[line for split in splits.values() for line in split.passed_over],
        digests=[split.digest() for split in splits.values()],
    )


def has_lists(folder: DataFolder) -> bool:
    """Whether a data folder holds id lists that divide it."""
    return id_list(folder.root, "train") is not None


def division_remarks(folder: DataFolder) -> list[str]:
    """Return lines on how a data folder is divided that a person would not expect."""
    if not has_lists(folder):
        return [_not_understood(folder.division)] if folder.division else []
    try:
        listed = {pair.image for pairs in _id_lists(folder).values() for pair in pairs}
    except InputError:  # training ends with it
        return []
    names = [pair.name for pair in folder.labelled if pair.image not in listed]
    return [f"in none of the id lists, so not used: {few(names)}"] if names else []


def _not_understood(division):
    return (
        f"{division}: looks like a division of the pictures that is not understood, so none of "
        "them is called a test; name folders train/, val/, test/ or write train.txt, val.txt and "
        "test.txt"
    )


def _given_parts(folders):
    """Return {part: pairs with a mask} as the folder itself gives them; {"": pairs} if it does not.

    Args:
        folders: what `find_parts` returned.
    """
    folder = folders.get("", folders.get("train"))
    if not folder.labelled:
        raise InputError(
            f"{folder.root}: {folder.layout}: no picture has a mask; put the masks into label/ "
            "beside image/, each with its picture's name"
            + "".join(f" (passed over: {line})" for line in folder.passed_over)
        )
    if "" in folders and (lists := _id_lists(folder)):
        return lists
    return {part: found.labelled for part, found in folders.items()}


def on_two_sides(split: Split) -> list[str]:
    """Return the names of the lesions that have pictures on more than one side of a split."""
    sides = [{pair.group for pair in pairs if pair.group != pair.name} for pairs in (
        split.train, split.validation, split.test)]  # fmt: skip
    return sorted((sides[0] & sides[1]) | (sides[0] & sides[2]) | (sides[1] & sides[2]))


def draw(pairs, seed, validation, test, root):
    """Return (train, validation, test) of pairs, drawn by group and each in `pair_order`.

    The groups, in natural order, are shuffled by the seed; each goes to test, else to validation,
    as long as it brings that side nearer to its share, else to training.
    """
    groups = {}
    for pair in pairs:
        groups.setdefault(pair.group, []).append(pair)
    wanted = {"test": test * len(pairs), "validation": validation * len(pairs)}
    wanted = {side: max(1, round(count)) for side, count in wanted.items() if count > 0}
    if len(groups) <= len(wanted):
        *first, last = ["training", *reversed(wanted)]
        raise InputError(
            f"{root}: holds {len(groups)} lesion(s) with a mask, too few to divide into "
            f"{', '.join(first)} and {last}; add pairs, {len(wanted) + 1} at least"
        )
    sides = {"train": [], **{side: [] for side in wanted}}
    names = sorted(groups, key=natural_key)
    for position in np.random.default_rng(seed).permutation(len(names)):
        group = groups[names[position]]
        side = next((s for s, count in wanted.items() if len(group) <= 2 * count), "train")
        sides[side].append(group)
        if side in wanted:
            wanted[side] -= len(group)
    for side in sides.values():  # a few large groups can leave a side empty
        if not side:
            giver = max(sides.values(), key=len)
            giver.sort(key=len)
            side.append(giver.pop(0))
    return tuple(
        sorted((p for group in sides.get(side, []) for p in group), key=pair_order)
        for side in PARTS
    )


def pair_order(pair):
    """The natural order of pairs, as a key to sort by."""
    return natural_key(pair.name)


def _by_name(folder):
    """Return {what a list may call a picture: pair}, without names that two pictures share."""
    names = defaultdict(set)
    for pair in folder.pairs:
        path = pair.image.relative_to(folder.root).as_posix()
        for name in (pair.name, stem_of(pair.image), pair.image.name, path):
            names[name].add(pair)
    return {name: found.pop() for name, found in names.items() if len(found) == 1}


def _id_lists(folder):
    """Return {part: pairs} from the id lists in a folder; empty without train.txt."""
    by_name = _by_name(folder)
    parts, owner = {}, {}
    for part in PARTS:
        path = id_list(folder.root, part)
        if path is None:
            continue
        try:
            lines = path.read_text(encoding="utf-8-sig").split("\n")
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f"{path}: cannot be read ({error}); save it as UTF-8 text") from None
        ids = list(dict.fromkeys(line.strip() for line in lines if line.strip()))
        unknown = [i for i in ids if i not in by_name or by_name[i].mask is None]
        if unknown or not ids:
            names_unknown = f"names {len(unknown)} id(s) without picture and mask ({few(unknown)})"
            raise InputError(
                f"{path}: {names_unknown if ids else 'is empty'}; list names of pictures in this "
                "folder, one a line"
            )
        twice = [i for i in ids if owner.setdefault(by_name[i].name, path) != path]
        if twice:
            raise InputError(
                f"{path}: {len(twice)} id(s) are also in {owner[by_name[twice[0]].name].name}"
                f" ({few(twice)}); a picture belongs to one list"
            )
        parts[part] = sorted({by_name[i].name: by_name[i] for i in ids}.values(), key=pair_order)
    return parts if "train" in parts else {}
