"""Which picture an annotation tool means by the name it wrote down.

Tools record names with folders of another computer, escaped for the web, in another letter case,
behind an upload's number (Label Studio) or with a hash (Roboflow).
"""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable
from itertools import takewhile
from pathlib import Path
from urllib.parse import unquote, urlsplit

SUFFIX = re.compile(r"\.(jpe?g|jpe|jfif|png|bmp|tiff?|webp|gif|heic|heif|avif|dcm)$")
UPLOAD = re.compile(r"^[0-9a-f]{8}-")  # Label Studio, before the name of an uploaded file
HASHED = re.compile(r"_(jpe?g|png|bmp|tiff?|webp)\.rf\.[0-9a-z]+(?=\.[a-z]+$|$)")  # Roboflow

PARTS = {"train": 0, "training": 0, "val": 1, "valid": 1, "validation": 1, "test": 2, "testing": 2}


class PictureIndex:
    """The pictures of a folder, found by the names that annotation tools give them."""

    def __init__(self, pictures: Iterable[Path]):
        self._by_name, self._by_alias = defaultdict(list), defaultdict(list)
        self._by_stem, self._by_stem_alias = defaultdict(list), defaultdict(list)
        self._by_folder = defaultdict(list)
        for picture in pictures:
            name = _folded(picture.name)
            self._by_name[name].append(picture)
            self._by_folder[picture.parent].append(picture)
            self._by_stem[_stem(name)].append(picture)
            if (alias := _alias(name)) != name:
                self._by_alias[alias].append(picture)
                self._by_stem_alias[_stem(alias)].append(picture)

    def in_folder(self, folder: Path) -> list[Path]:
        """Return the pictures of a folder itself."""
        return self._by_folder.get(folder, [])

    def find(self, name: str, path: Path) -> list[Path]:
        """Return the pictures that a name recorded in a file may mean: one, none, or several.

        The file name decides; where several folders hold it, as many of the recorded folders as
        fit, then the way from the file. A name's additions are taken off on one side only: two
        pictures that differ in nothing else are not the same.

        Args:
            name: as recorded.
            path: the file. One that is called instances_train means no picture in val/.
        """
        for text in dict.fromkeys((_path(name), unquote(_path(name)))):
            *folders, last = re.split(r"[\\/]", _folded(text))
            alias, stem = _alias(last), _stem(last)
            for table, key in (
                (self._by_name, last),
                (self._by_name, alias),
                (self._by_alias, last),
                (self._by_stem, stem),
                (self._by_stem, _stem(alias)),
                (self._by_stem_alias, stem),
            ):
                found = [p for p in table.get(key, ()) if not _of_other_parts(p, path)]
                if key and found:
                    return _nearest(found, folders, path.parent.parts)
        return []


def names_picture(text: str) -> bool:
    """Whether a text ends as the names of pictures do."""
    return SUFFIX.search(_folded(_path(text))) is not None


def _path(name):
    """Return the path within an address."""
    if "?d=" in name:  # Label Studio's local files
        return name.partition("?d=")[2]
    return urlsplit(name).path if re.match(r"[a-z][a-z0-9+.-]*://", name) else name


def _folded(name):
    return unicodedata.normalize("NFC", name).casefold().strip()


def _stem(name):
    return SUFFIX.sub("", name)


def _alias(name):
    """Return a name without what an upload added."""
    name = UPLOAD.sub("", name)
    if HASHED.search(name):
        suffix = HASHED.search(name).group(1)
        return f"{HASHED.split(name)[0]}.{suffix}"
    return name


def _nearest(pictures, folders, way):
    """Return those of several pictures whose folders fit the recorded ones and the way best."""

    def fit(picture):
        own = picture.parent.parts
        return _common(map(_folded, reversed(own)), reversed(folders)), _common(own, way)

    best = max(map(fit, pictures)) if len(pictures) > 1 else None
    return [picture for picture in pictures if best in (None, fit(picture))]


def _common(parts, others):
    """Return how many parts two paths have in common, from their beginning."""
    same = (one == other for one, other in zip(parts, others, strict=False))
    return sum(1 for _ in takewhile(bool, same))


def _of_other_parts(picture, path):
    """Whether a file and a picture lie on two sides of a division, by their names."""
    beginning = _common(picture.parts, path.parts)
    sides = [
        {PARTS[word] for part in p.parts[beginning:] for word in re.findall("[a-z]+", part.lower())
         if word in PARTS}
        for p in (picture.parent, path)
    ]  # fmt: skip
    return bool(sides[0] and sides[1] and not sides[0] & sides[1])
