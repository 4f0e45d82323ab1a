"""Divide the pairs of a data folder into training, validation and test, lesion by lesion."""

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from lesion.console import InputError
from lesion.inputs.folders import data_root, existing_folder, few, list_folder, natural_key
from lesion.inputs.pairing import DataFolder, find_pairs
from lesion.inputs.split import PARTS, Split
from lesion.settings import Settings

PART_FOLDERS = {
    "train": ("train", "training"),
    "validation": ("val", "valid", "validation"),
    "test": ("test", "testing"),
}


def find_parts(directory: str | Path) -> dict[str, DataFolder]:
    """Return the parts of a data folder; raise as `find_pairs` does.

    Returns:
        {part: DataFolder}: "train", "validation", "test" as far as sub-folders of such names exist
        (train/, val/ or validation/, test/), or {"": DataFolder} for a folder that is one data set.
    """
    root = data_root(existing_folder(directory))
    by_name = {path.name.casefold(): path for path in list_folder(root) if path.is_dir()}
    folders = {
        part: next((by_name[name] for name in names if name in by_name), None)
        for part, names in PART_FOLDERS.items()
    }
    if folders["train"] and (folders["validation"] or folders["test"]):
        return {part: find_pairs(folder) for part, folder in folders.items() if folder}
    return {"": find_pairs(root)}


def load_split(
    directory: str | Path,
    seed: int = Settings.seed,
    validation: float = Settings.validation,
    test: float = Settings.test,
) -> Split:
    """Return the Split of a data folder, made of the pairs that have a mask.

    * `directory` has `train/` and `test/` (and perhaps `val/`): these are the parts; without
      `val/` the share `validation` of `train/` is set apart.
    * It holds id lists `train.txt`, `val.txt`, `test.txt` (one picture name a line): these are the
      parts; without `val.txt` the share `validation` of `train.txt` is set apart, without
      `test.txt` there is no test.
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
    problems = [line for folder in folders.values() for line in folder.problems]
    parts = _given_parts(folders)
    if "train" not in parts:
        drawn = _draw(parts[""], seed, validation, test, folders[""].root)
        return Split(*drawn, root, problems)
    if "validation" not in parts:
        parts["train"], parts["validation"], _ = _draw(parts["train"], seed, validation, 0, root)
    split = Split(parts["train"], parts["validation"], parts.get("test", []), root, problems)
    if lesions := _on_two_sides(split):
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
        digests=[split.digest() for split in splits.values()],
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
        )
    if "" in folders and (lists := _id_lists(folder)):
        return lists
    return {part: found.labelled for part, found in folders.items()}


def _on_two_sides(split):
    sides = [{pair.group for pair in pairs if pair.group != pair.name} for pairs in (
        split.train, split.validation, split.test)]  # fmt: skip
    return sorted((sides[0] & sides[1]) | (sides[0] & sides[2]) | (sides[1] & sides[2]))


def _draw(pairs, seed, validation, test, root):
    """Return (train, validation, test), drawn by group.

    The groups, in natural order, are shuffled by the seed; each goes to test, else to validation,
    as long as it brings that side nearer to its share, else to training.
    """
    groups = {}
    for pair in pairs:
        groups.setdefault(pair.group, []).append(pair)
    wanted = {"test": test * len(pairs), "validation": validation * len(pairs)}
    wanted = {side: max(1, round(count)) for side, count in wanted.items() if count > 0}
    if len(groups) <= len(wanted):
        raise InputError(
            f"{root}: holds {len(groups)} lesion(s) with a mask, too few to divide into training "
            f"and {' and '.join(reversed(wanted))}; add pairs, {len(wanted) + 1} at least"
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
        sorted((p for group in sides.get(side, []) for p in group), key=_pair_order)
        for side in PARTS
    )


def _pair_order(pair):
    return natural_key(pair.name)


def _id_lists(folder):
    """Return {part: pairs} from the id lists in a folder; empty without train.txt."""
    by_name = {pair.name: pair for pair in folder.pairs}
    by_name |= {pair.image.name: pair for pair in folder.pairs}
    parts, owner = {}, {}
    for part, names in PART_FOLDERS.items():
        path = next((p for n in names if (p := folder.root / f"{n}.txt").is_file()), None)
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
        parts[part] = sorted({by_name[i].name: by_name[i] for i in ids}.values(), key=_pair_order)
    return parts if "train" in parts else {}
