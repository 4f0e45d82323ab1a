"""Which mask belongs to which picture, by one rule for the names of a whole folder."""

import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

from lesion.inputs.folders import stem_of

MASK_WORDS = (
    "segmentations?|segmented|seg|masks?|labels?|lesions?|gt|ground[ _-]?truth|truth|annotations?|"
    "annot|manual|targets?|binary|gtfine[ _-]?labelids"
)
PICTURE_WORDS = (
    "dermoscopic[ _-]?image|images?|img|pictures?|pic|photo|input|data|original|orig|downsampled|"
    "resized|rgb|leftimg8bit|training|train|test|val"
)
# What may stand before a name that goes on with a number: mask_1 for image_1.
MASK_HEADS = "segmentation|seg|mask|label|gt|ground[ _-]?truth|annotation|target|manual"
PICTURE_HEADS = "image|img|picture|pic|photo|input|data|original|orig|rgb"
CHANNEL = "_0000"  # nnU-Net's ending of the first, and here only, channel of a picture


def _tail(words):
    """Match a name that ends in one of these words, apart or in capitals, perhaps with a number."""
    apart = rf"(?:[ _.-]+|(?<=[0-9)]))(?:{words})"
    joined = "Mask|Seg|Segmentation|Label"
    return re.compile(
        rf"(?P<core>.*?[^ _.-])(?i:{apart})(?P<number>[ _.-]?[0-9]{{1,3}})?"
        rf"|(?P<core2>.*[a-z0-9])(?:{joined})(?P<number2>[ _.-]?[0-9]{{1,3}})?"
    )


MASK_TAIL, PICTURE_TAIL = _tail(MASK_WORDS), _tail(PICTURE_WORDS)
MASK_HEAD, PICTURE_HEAD = (
    re.compile(rf"(?:{heads})(?:[ _.-]+|(?=[0-9]))(?P<core>.+)", re.IGNORECASE)
    for heads in (MASK_HEADS, PICTURE_HEADS)
)


class Naming(NamedTuple):
    """How the masks of a folder are named after its pictures.

    Attributes:
        keys: the picture's key of each mask stem; a mask of no picture has its own.
        picture_key: takes the stem of a picture and gives its key.
        plain: masks are called as their pictures are, or end in a word for a mask.
        unites: several masks may belong to one picture.
    """

    keys: dict[str, str]
    picture_key: Callable[[str], str]
    plain: bool = True
    unites: bool = False


def key_of(stem: str) -> str:
    """Return the name by which files are matched: composed accents, ISIC ids in upper case."""
    stem = unicodedata.normalize("NFC", stem)
    return stem.upper() if re.match(r"isic_[0-9]+", stem, re.IGNORECASE) else stem


def without_ending(stem: str, keys: Iterable[str]) -> str:
    """Return the key of the picture that a mask belongs to; cut only what has to be.

    Args:
        stem: of the mask.
        keys: of the pictures; a container.
    """
    if key_of(stem) in keys:
        return key_of(stem)
    cut = _cut(MASK_TAIL, stem, numbered=False)
    return key_of(cut) if cut else key_of(stem)


def looks_like_mask(stem: str) -> bool:
    """Whether a name among pictures begins or ends as those of masks do."""
    return bool(_cut(MASK_TAIL, stem) or MASK_HEAD.fullmatch(stem))


def find_naming(masks: Sequence[Path], pictures: Sequence[Path]) -> Naming:
    """Return the first rule by which every mask finds its picture, else the plain one.

    The rules: the picture's stem, perhaps with a word for a mask behind it; its stem in another
    letter case; its whole file name; the same with a number behind the word, several masks of one
    picture; what is left of its name, or of both, without the words for masks and pictures at
    their ends.

    Args:
        masks, pictures: files.
    """
    stems = dict.fromkeys(stem_of(path) for path in masks)
    own = {key_of(stem_of(path)) for path in pictures}
    plain = Naming({stem: without_ending(stem, own) for stem in stems}, key_of)
    if set(plain.keys.values()) <= own:
        return plain
    return next((found for found in _rules(stems, pictures) if found), plain)


def _rules(stems, pictures):
    """Yield the Naming of each rule beside the plain one, None where it does not explain all."""
    ending = partial(_cut, MASK_TAIL, numbered=False)
    mask, numbered_mask = _core(MASK_TAIL, MASK_HEAD, numbered=False), _core(MASK_TAIL, MASK_HEAD)
    picture = _core(PICTURE_TAIL, PICTURE_HEAD)
    yield _try(lambda stem: ending(stem) or stem, str, stems, pictures)
    yield _whole_names(ending, stems, pictures)
    yield _try(mask, str, stems, pictures)
    yield _try(lambda stem: _cut(MASK_TAIL, stem) or stem, key_of, stems, pictures, unites=True)
    yield _try(mask, picture, stems, pictures)
    yield _try(numbered_mask, picture, stems, pictures, unites=True)


def _whole_names(ending, stems, pictures):
    """Return the Naming of masks that are called after whole files: m1.jpg.png for m1.jpg."""
    names = {path.name.casefold(): stem_of(path) for path in pictures}
    keys = {}
    for stem in stems:
        name = next((n for n in (stem, ending(stem)) if n.casefold() in names), None)
        if name:
            keys[stem] = key_of(names[name.casefold()])
    if len(keys) == len(stems) and len({stem_of(path) for path in pictures}) == len(names):
        return Naming(keys, key_of, plain=False)
    return None


def _try(mask_key, picture_key, stems, pictures, unites=False):
    """Return the Naming of a rule if it explains all masks, else None."""
    folded = {stem_of(path): key_of(picture_key(stem_of(path))).casefold() for path in pictures}
    keys = {stem: key_of(mask_key(stem)).casefold() for stem in stems}
    several = len(set(keys.values())) < len(keys)
    if (
        len(set(folded.values())) < len(folded)  # two pictures would share a name
        or not set(keys.values()) <= set(folded.values())
        or (several and not unites)
    ):
        return None
    return Naming(
        keys, lambda stem: key_of(picture_key(stem)).casefold(), plain=False, unites=several
    )


def _cut(pattern, stem, numbered=True):
    """Return a stem without the word at its end, "" if there is none."""
    match = pattern.fullmatch(stem)
    if not match:
        return ""
    core, number = (match["core"], match["number"]) if match["core"] else (
        match["core2"], match["number2"])  # fmt: skip
    return "" if number and not numbered else core


def _core(tail, head, numbered=True):
    """Return the function that takes the words at both ends off a stem."""

    def core(stem):
        if head is PICTURE_HEAD:
            stem = stem.removesuffix(CHANNEL)
        while cut := _cut(tail, stem, numbered and head is MASK_HEAD):
            stem = cut
        match = head.fullmatch(stem)
        return match["core"] if match else stem

    return core
