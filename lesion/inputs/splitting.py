"""Divide the pairs of a data folder into training, validation and test, lesion by lesion."""

import hashlib
import json
import os
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from lesion.console import InputError
from lesion.inputs.folders import data_root, existing_folder, list_folder, natural_key
from lesion.inputs.pairing import Pair, find_pairs
from lesion.storage import write_json

PART_FOLDERS = {
    "train": ("train", "training"),
    "validation": ("val", "valid", "validation"),
    "test": ("test", "testing"),
}


@dataclass
class Split:
    """Which pairs are for training, validation and test; each list in natural order.

    root: the data folder, as it was given. problems: the lines that `find_pairs` collected on the
    way, and any lesion that given id lists put on two sides.
    """

    train: list[Pair]
    validation: list[Pair]
    test: list[Pair]
    root: Path = Path()
    problems: list[str] = field(default_factory=list)

    def to_dict(self):
        """Return {"train": [...], "validation": [...], "test": [...], "fingerprints": {...}}.

        Pictures are named by their path below `root`, with forward slashes: the name alone would
        not do, since `train/` and `test/` may both hold a 0.png. The fingerprints tell another
        picture of the same name, in other data, from this one.
        """
        names, fingerprints = {}, {}
        for part in PART_FOLDERS:
            names[part] = []
            for pair in getattr(self, part):
                name = Path(os.path.relpath(pair.image, self.root)).as_posix()
                names[part].append(name)
                fingerprints[name] = _fingerprint(pair.image)
        return {**names, "fingerprints": fingerprints}

    def write(self, path):
        """Write the split as JSON, whole or not at all."""
        write_json(path, self.to_dict())

    @classmethod
    def read(cls, path, pairs):
        """Return the split that `write` wrote to `path`, made of the given pairs.

        The data may have moved: pictures are matched by the end of their path, and by content.
        Those that are not there any more are left out, and `problems` says so. Raises ValueError if
        the file is no split or none of its pictures is among the pairs.
        """
        try:
            content = json.loads(Path(path).read_text(encoding="utf-8"))
            names = {part: list(content[part]) for part in PART_FOLDERS}
            fingerprints = dict(content["fingerprints"])
        except FileNotFoundError:
            raise FileNotFoundError(f"{path}: no such file; check the path") from None
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise InputError(
                f"{path}: is no split file ({error}); give the split.json of a run"
            ) from None
        depths = {len(Path(name).parts) for listed in names.values() for name in listed}
        by_end = defaultdict(list)
        for pair in pairs:
            for depth in depths if pair.mask is not None else ():
                by_end["/".join(pair.image.absolute().parts[-depth:])].append(pair)
        found = {
            name: next(
                (p for p in by_end[name] if _fingerprint(p.image) == fingerprints.get(name)), None
            )
            for listed in names.values()
            for name in listed
        }
        unknown = [name for name, pair in found.items() if pair is None]
        problem = (
            f"{path}: names {len(unknown)} picture(s) for which the data folder has no "
            f"picture with a mask{_few(unknown)}"
        )
        if len(unknown) == len(found):
            raise InputError(f"{problem}; give the folder this split was made from")
        sides = {
            part: [found[name] for name in listed if found[name]] for part, listed in names.items()
        }
        return cls(**sides, problems=[f"{problem}; bring them back"] if unknown else [])


def _fingerprint(path):
    """Return a short text that tells a picture file from others: of its length and beginning."""
    try:
        with path.open("rb") as file:
            beginning = file.read(1 << 16)
        size = path.stat().st_size
    except OSError:
        return ""  # like no other; who reads the picture will say what is wrong with it
    return hashlib.sha256(beginning + str(size).encode()).hexdigest()[:16]


def find_parts(directory):
    """Return {part: DataFolder}: "train", "validation", "test" as far as sub-folders of such
    names exist (train/, val/ or validation/, test/), or {"": DataFolder} for a folder that is one
    data set. Raises as `find_pairs` does.
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


def load_split(directory, seed=0, validation=0.1, test=0.1):
    """Return the Split of a data folder, made of the pairs that have a mask.

    * `directory` has `train/` and `test/` (and perhaps `val/`): these are the parts; without
      `val/` the share `validation` of `train/` is set apart.
    * It holds id lists `train.txt`, `val.txt`, `test.txt` (one picture name a line): these are the
      parts; without `val.txt` the share `validation` of `train.txt` is set apart, without
      `test.txt` there is no test.
    * Otherwise the shares `validation` and `test` (0 to below 1) are drawn from all pairs.

    What is drawn depends on the seed and the names only. All pictures of one lesion go to the same
    side, every share above 0 gets at least one lesion, and each list is in natural order.
    Raises ValueError for shares that leave nothing to train on, fewer lesions than sides, or a
    list that names an unknown picture; FileNotFoundError if there is no such folder.
    """
    if not (0 <= validation < 1 and 0 <= test < 1 and validation + test < 1):
        raise InputError(
            f"validation {validation} and test {test} are no shares of a whole; "
            "both must be 0 or more and their sum below 1"
        )
    root = Path(directory)
    folders = find_parts(root)
    problems = [line for folder in folders.values() for line in folder.problems]
    if "" in folders:
        folder = folders[""]
        lists = _id_lists(folder)
        pairs = folder.labelled
        if not pairs:
            raise InputError(
                f"{folder.root}: {folder.layout}: no picture has a mask; put the masks into "
                "label/ beside image/, each with its picture's name"
            )
        if not lists:
            return Split(*_draw(pairs, seed, validation, test, folder.root), root, problems)
        parts = lists
    else:
        parts = {part: folder.labelled for part, folder in folders.items()}
        if not parts["train"]:
            raise InputError(
                f"{folders['train'].root}: {folders['train'].layout}: no picture has a mask; "
                "put the masks into label/ beside image/"
            )
    train_pairs = parts["train"]
    if "validation" not in parts:
        train_pairs, parts["validation"], _ = _draw(train_pairs, seed, validation, 0, root)
    split = Split(train_pairs, parts["validation"], parts.get("test", []), root, problems)
    if lesions := _on_two_sides(split):
        split.problems.append(
            f"{root}: {len(lesions)} lesion(s) are on two sides of the given split "
            f"({', '.join(lesions[:5])}); scores will look too good"
        )
    return split


def load_splits(directories, seed=0):
    """Return one Split of several data folders, each divided by `load_split`.

    A folder named twice counts twice in training, once in validation and test: so a small data set
    can hold its own beside a large one. Raises as `load_split`, and ValueError for no folder or
    folders without a common parent (on two Windows drives).
    """
    directories = [Path(directory) for directory in directories]
    if not directories:
        raise InputError("no data folder was named; name one or more")
    if len(directories) == 1:
        return load_split(directories[0], seed)
    splits = {directory.resolve(): load_split(directory.resolve(), seed)
              for directory in directories}  # fmt: skip
    return Split(
        train=[pair for directory in directories for pair in splits[directory.resolve()].train],
        validation=[pair for split in splits.values() for pair in split.validation],
        test=[pair for split in splits.values() for pair in split.test],
        root=Path(os.path.commonpath(splits)),
        problems=[line for split in splits.values() for line in split.problems],
    )


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
        for side in ("train", "validation", "test")
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
            what = f"names {len(unknown)} id(s) without picture and mask" if ids else "is empty"
            raise InputError(
                f"{path}: {what}{_few(unknown)}; list names of pictures in this folder, one a line"
            )
        twice = [i for i in ids if owner.setdefault(by_name[i].name, path) != path]
        if twice:
            raise InputError(
                f"{path}: {len(twice)} id(s) are also in {owner[by_name[twice[0]].name].name}"
                f"{_few(twice)}; a picture belongs to one list"
            )
        parts[part] = sorted({by_name[i].name: by_name[i] for i in ids}.values(), key=_pair_order)
    return parts if "train" in parts else {}


def _few(names):
    return f" ({', '.join(names[:5])}{', ...' * (len(names) > 5)})" if names else ""
