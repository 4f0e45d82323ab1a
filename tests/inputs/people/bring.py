"""Write the folders that people bring, small, each picture with its truth; tables of them.

    names = Table()

    @names(says="united")
    def two_masks_of_one_picture(folder):
        folder.pair(1, "a.png", "a_mask.png")

A row is a function that writes into a `Brought`, and what is right for it, see `Row`.
"""

import io
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lesion.inputs import read_pair

SIZE = (36, 48)  # height, width
ANY = "any mask"  # as truth: of this picture nobody says what is right
REFUSED = "no mask"  # as truth: whoever takes it for truth has guessed
SUFFIX_FORMATS = {".jfif": "JPEG", ".jpe": "JPEG", ".heic": "HEIF", ".dcm": "PNG"}


def draw(k, size=SIZE, centre=None, radius=None):
    """Return a skin-like picture, uint8 (H, W, 3), with a dark lesion, and its mask of 0 and 1.

    k: every number from 0 to 99 gives another picture and another mask.
    centre: (x, y) as shares of width and height. radius: in pixels.
    """
    height, width = size
    centre = centre or (0.3 + 0.05 * (k % 7), 0.35 + 0.05 * (k % 5))
    radius = radius or min(size) * (0.16 + 0.02 * (k % 4))
    y, x = np.mgrid[:height, :width]
    mask = (x - centre[0] * width) ** 2 + 1.3 * (y - centre[1] * height) ** 2 < radius**2
    picture = np.full((height, width, 3), (222.0, 178, 158))
    picture[mask] = (110, 68, 52)
    picture += np.random.default_rng(k).normal(0, 5, picture.shape)
    return picture.clip(0, 255).astype(np.uint8), mask.astype(np.uint8)


def white(mask):
    """0 and 255, as most programs save masks."""
    return mask * np.uint8(255)


def plain(mask):
    """0 and 1, which look black."""
    return mask


def palette(*colours):
    """Return what saves levels as indices of a palette: black, then these (red, green, blue)."""

    def save(levels):
        picture = Image.fromarray(levels)
        picture.putpalette([*(0, 0, 0), *sum(colours, ())])
        return picture

    return save


def ring(mask, width=1):
    """Return the pixels around a mask of 0 and 1, that many pixels wide."""
    grown = mask
    for _ in range(width):
        shifts = [np.roll(grown, shift, axis) for axis in (0, 1) for shift in (-1, 1)]
        grown = np.maximum.reduce([grown, *shifts])
    return grown - mask


@dataclass
class Brought:
    """A folder with what is true of it; the keys are paths of pictures below `root`.

    Attributes:
        root: the folder.
        truth: {picture: uint8 mask of 0, 1 and 255, `ANY`, `REFUSED`, or None without one}.
        shown: {picture: uint8 (H, W, 3) that `read_image` must come close to}.
        parts: {picture: "train", "validation" or "test"} where the person has divided them.
        groups: {picture: lesion} where the person has said it.
        copies: {path: picture} of further files of the same picture.
        tolerance: share of the lesion that a mask may be wrong by, where a file is lossy.
    """

    root: Path
    truth: dict = field(default_factory=dict)
    shown: dict = field(default_factory=dict)
    parts: dict = field(default_factory=dict)
    groups: dict = field(default_factory=dict)
    copies: dict = field(default_factory=dict)
    tolerance: float = 0.0

    def file(self, path, content="", **options):
        """Write a text, bytes, an array or a Pillow picture; its suffix says how to encode it."""
        path = self.root / path
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, str):
            content = content.encode()
        if isinstance(content, bytes):
            path.write_bytes(content)
            return
        if isinstance(content, np.ndarray):
            content = Image.fromarray(content)
        if "format" not in options and path.suffix.lower() in SUFFIX_FORMATS:
            options["format"] = SUFFIX_FORMATS[path.suffix.lower()]
        content.save(path, **options)

    def picture(self, k, path, part=None, group=None, drawn=None, **options):
        """Write the picture `draw(k)`, or `drawn`, without a mask; return its mask."""
        picture, mask = draw(k)
        picture = picture if drawn is None else drawn
        self.file(path, picture, **options)
        self.truth[path] = None
        if part:
            self.parts[path] = part
        if group:
            self.groups[path] = group
        return mask

    def pair(self, k, path, mask_path, save=white, truth=None, **options):
        """Write a picture, and its mask as `save` makes it of 0 and 1; record the truth."""
        mask = self.picture(k, path, **options)
        self.file(mask_path, save(mask))
        self.truth[path] = mask if truth is None else truth

    def pairs(self, numbers, path, mask_path, save=white, **options):
        """Write several pairs; in the paths {} or {:03} stands for the number."""
        for k in numbers:
            self.pair(k, path.format(k), mask_path.format(k), save, **options)

    def name(self, pair):
        """Return the path of a pair's picture below the folder, as `truth` knows it."""
        path = pair.image.resolve().relative_to(self.root.resolve()).as_posix()
        return self.copies.get(path, path)

    def faults(self, pairs):
        """Return what is wrong with the pairs that a command took, as lines: misreadings."""
        lines, seen = [], set()
        for pair in pairs:
            name = self.name(pair)
            if name not in self.truth:
                lines.append(f"{name} is no picture of this folder")
            elif name in seen:
                lines.append(f"{name} is there twice")
            elif self.truth[name] is None:
                lines.append(f"{name} has no truth, but was given {pair.mask}")
            else:
                lines += self._wrong(name, pair)
            seen.add(name)
        return lines

    def _wrong(self, name, pair):
        picture, mask = read_pair(pair)
        truth = self.truth[name]
        if name in self.shown:
            # 8 levels: the loss of JPEG in these noisy pictures is 4.
            apart = np.abs(picture.astype(float) - self.shown[name]).mean()
            if (
                picture.shape != self.shown[name].shape or apart > 8
            ):  # levels; JPEG's loss on these noisy pictures is 4
                return [f"{name}: the picture differs by {apart:.0f} levels"]
        if truth is ANY:
            return []
        if truth is REFUSED:
            return [f"{name}: nobody knows what is lesion in {pair.mask.name}"]
        if mask.shape != truth.shape:
            return [f"{name}: the mask has the shape {mask.shape}, not {truth.shape}"]
        wrong = int((mask != truth).sum())
        if wrong > self.tolerance * max(30, truth.sum()):
            levels = dict(zip(*np.unique(mask, return_counts=True), strict=True))
            return [f"{name}: {wrong} pixels of {pair.mask.name} are wrong ({levels})"]
        return []

    def left(self, split):
        """Return what of the folder was not understood, as lines: it must be named."""
        placed = {}
        for part in ("train", "validation", "test"):
            placed |= {self.name(pair): (part, pair.group) for pair in getattr(split, part)}
        lines = [f"{name} is left out" for name, truth in self.truth.items()
                 if truth is not None and name not in placed]  # fmt: skip
        drawn = {("train", "validation")} if "validation" not in self.parts.values() else set()
        lines += [
            f"{name} of {part} is in {placed[name][0]}"
            for name, part in self.parts.items()
            if name in placed and placed[name][0] != part and (part, placed[name][0]) not in drawn
        ]
        if self.groups:
            apart = {name: self.groups.get(name, name) for name in placed}
            same = {(group, apart[name]) for name, (_, group) in placed.items()}
            if len(same) != len(set(apart.values())):
                lines.append(f"lesions are taken apart: {sorted(same)}")
            if len(same) != len({group for group, _ in same}):
                lines.append(f"lesions are thrown together: {sorted(same)}")
        return lines


@dataclass
class Row:
    """One folder of a table, and what is right for it.

    Attributes:
        make: writes it.
        right: "understood": every picture has its truth, its part and its lesion, and nothing
            stops a command. "named": training is refused, in words. "either": what is not
            understood is named.
        says: regular expressions (any letter case), each of which must be found in what `check`
            prints; for "either" only if something is not understood.
        always: also for "either" if all is understood.
        options: of `check`, `train` and `evaluate`.
        quiet: whether `check` has nothing to remark.
        check_only: a problem for `check` of which training makes the best.
        undivided: a division that was seen but not understood: no score is called "test".
    """

    make: Callable[[Brought], None]
    right: str = "understood"
    says: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    always: bool = False
    quiet: bool = False
    check_only: bool = False
    undivided: bool = False


class Table(list):
    """Rows, each added by a decorator that takes what `Row` takes."""

    def __call__(self, right="understood", says=(), options=(), **more):
        says = (says,) if isinstance(says, str) else says
        options = tuple(options.split()) if isinstance(options, str) else options

        def add(make):
            self.append(Row(make, right, says, options, **more))
            return make

        return add

    def parametrize(self, test):
        """Run a test for each row, named after its function."""
        names = [row.make.__name__ + "".join(row.options) for row in self]
        assert len(set(names)) == len(names), "two rows have one name"
        return pytest.mark.parametrize("row", self, ids=names)(test)


def encoded(picture, picture_format="PNG", **options):
    """Return the bytes of a picture file."""
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, picture_format, **options)
    return buffer.getvalue()
