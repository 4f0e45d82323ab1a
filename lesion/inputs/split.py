"""The division of pairs into training, validation and test, and the file that keeps it."""

import hashlib
import json
import os
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from lesion.console import InputError
from lesion.inputs.folders import few
from lesion.inputs.pairing import Pair
from lesion.storage import write_json

PARTS = ("train", "validation", "test")


@dataclass
class Split:
    """Which pairs are for training, validation and test; each list in natural order.

    Attributes:
        train, validation, test: the pairs.
        root: the data folder as it was given, or the common parent of several.
        problems: the lines that `find_pairs` collected on the way, and any lesion that given id
            lists put on two sides.
        digests: of each folder's own division, see `digest`.
        made_with: the constants of `Settings` that it follows from, where `load` made it.
        remarks: what was understood of the folders and how, a line each.
        passed_over: a line for each kind of files that are not used.
        left_out: the problems that `filter_split` passed over.
    """

    train: list[Pair]
    validation: list[Pair]
    test: list[Pair]
    root: Path = Path()
    problems: list[str] = field(default_factory=list)
    digests: list[str] = field(default_factory=list)
    made_with: dict = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)
    passed_over: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)

    def to_dict(self) -> dict:
        """Return the parts, "fingerprints", "masks" and "digests" as JSON can hold them.

        Pictures are named by their path below `root`, with forward slashes: the name alone would
        not do, since `train/` and `test/` may both hold a 0.png. The fingerprints tell another
        picture of the same name, in other data, from this one; masks holds those of the truth.
        """
        names, fingerprints, masks = {}, {}, {}
        content = cache(_content)  # one file of annotations may hold the truth of every picture
        for part in PARTS:
            names[part] = []
            for pair in getattr(self, part):
                name = Path(os.path.relpath(pair.image, self.root)).as_posix()
                names[part].append(name)
                fingerprints[name] = _fingerprint(pair.image)
                masks[name] = "".join(map(content, _truth_files(pair)))
        return {**names, "fingerprints": fingerprints, "masks": masks, "digests": self.digests}

    def write(self, path: str | Path) -> None:
        """Write the split as JSON, whole or not at all."""
        write_json(path, self.to_dict())

    def changes(self, path: str | Path) -> str:
        """Return in words what is not as `write` wrote it to `path`; "" if nothing has changed.

        Raises:
            InputError, FileNotFoundError: as `read`.
        """
        begun, now = _load(path), self.to_dict()
        before, after = begun.pop("masks", None), now.pop("masks")
        if begun != now:
            return "the pictures have changed"
        if before is None or before == after:  # a split of earlier versions knows no masks
            return ""
        redrawn = [name for name, mask in after.items() if before.get(name) != mask]
        return f"the masks of {len(redrawn)} picture(s) have changed ({few(redrawn)})"

    def digest(self) -> str:
        """Return a short text that two splits share where each part holds the same pictures.

        Neither the place of the folder nor the names of its files change it.
        """
        parts = {part: sorted(_fingerprint(pair.image) for pair in getattr(self, part))
                 for part in PARTS}  # fmt: skip
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]

    @classmethod
    def read(cls, path: str | Path, pairs: Iterable[Pair]) -> "Split | None":
        """Return the split that `write` wrote to `path`, made of the given pairs.

        The data may have moved: pictures are matched by the end of their path, and by content.
        Those that are not there any more are left out, and `problems` says so.

        Returns:
            The split; None if none of its pictures is among the pairs, which are other data.

        Raises:
            InputError: the file is no split.
            FileNotFoundError: there is no such file.
        """
        names, fingerprints, digests = _read(path)
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
        if len(unknown) == len(found):
            return None
        problems = [
            f"{path}: names {len(unknown)} picture(s) for which the data folder has no picture "
            f"with a mask ({few(unknown)}); bring them back"
        ]
        sides = {
            part: [found[name] for name in listed if found[name]] for part, listed in names.items()
        }
        return cls(**sides, problems=problems if unknown else [], digests=digests)


def _read(path):
    """Return (names by part, fingerprints by name, digests) of a split file."""
    content = _load(path)
    try:
        names = {part: [str(name) for name in list(content[part])] for part in PARTS}
        return names, dict(content["fingerprints"]), list(content.get("digests", []))
    except (ValueError, KeyError, TypeError) as error:
        raise _no_split(path, error) from None


def _load(path):
    """Return the dict that a split file holds."""
    try:
        return dict(json.loads(Path(path).read_text(encoding="utf-8")))
    except FileNotFoundError:
        raise FileNotFoundError(f"{path}: no such file; check the path") from None
    except (OSError, ValueError, TypeError) as error:
        raise _no_split(path, error) from None


def _no_split(path, error):
    return InputError(
        f"{path}: is no split file ({type(error).__name__}: {error}); restore the split.json "
        "of the run, or delete it if the data are none that these weights were trained on"
    )


def _fingerprint(path):
    """Return a short text that tells a picture file from others: of its length and beginning."""
    try:
        with path.open("rb") as file:
            beginning = file.read(1 << 16)
        size = path.stat().st_size
    except OSError:
        return ""  # like no other; who reads the picture will say what is wrong with it
    return hashlib.sha256(beginning + str(size).encode()).hexdigest()[:16]


def _truth_files(pair):
    """Return every file that the truth of a pair is read from."""
    return [path for path in (pair.mask, *pair.more_masks, pair.second_mask) if path]


def _content(path):
    """Return a short text of all that a file holds: redrawn, a mask may keep its length."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()[:16]
    except OSError:
        return ""
