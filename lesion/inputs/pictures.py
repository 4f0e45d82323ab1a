"""Picture files to predict: found in folders, and named so that no result overwrites another.

pictures, passed_over = find_pictures(["my_pictures", "one_more.jpg"])
names = distinct_names(pictures)
"""

import os
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path

from lesion.console import InputError
from lesion.inputs.decoding import is_predicted
from lesion.inputs.folders import stem_of
from lesion.inputs.pairing import pictures_below
from lesion.inputs.remote import pictures_at, url_of


def find_pictures(paths: Iterable[str | Path]) -> tuple[list[Path], list[str]]:
    """Return (picture files that `paths` name in the order given, lines on what is passed over).

    Of a folder: the pictures that `find_pairs` would find, in natural order. A file is taken as
    it is, whatever its suffix, unless `predict` wrote it. For URLs see `remote.pictures_at`.

    Raises:
        FileNotFoundError: a path does not exist.
        InputError: a folder holds no picture, or nothing was named but what `predict` wrote.
    """
    pictures, passed_over = {}, []
    for given in paths:
        if not str(given):  # as of a variable that is not set; Path("") would be this folder
            raise FileNotFoundError("one of the paths is empty; name a picture or a folder")
        path = Path(given).expanduser()
        if url := url_of(given):
            found, lines = pictures_at(url)
            passed_over += [line for line in lines if line not in passed_over]
        elif os.path.isdir(path):
            found, lines = pictures_below(path)
            passed_over += [line for line in lines if line not in passed_over]
        elif not os.path.lexists(path):
            raise FileNotFoundError(f"{path}: no such file or folder; check the path")
        elif is_predicted(path):
            passed_over.append(f"{path}: was written by predict; give the picture it was made of")
            continue
        else:
            found = [path]
        for picture, place in zip(found, _places(found), strict=True):
            pictures.setdefault(place / picture.name, picture)  # named by itself and by its folder
    if not pictures:
        raise InputError(passed_over[0])
    return list(pictures.values()), passed_over


def distinct_names(paths: Sequence[Path]) -> list[str]:
    """Return a name for each file, under which what is made of it overwrites nothing.

    The stems, where no two are alike. Else, if alike ones lie in different folders, the paths below
    the folder that holds them all, with forward slashes and without suffix; and the whole file name
    for those that only the suffix tells apart. What is left, as A.png and a.png, which many file
    systems take for the same, is numbered.

    Args:
        paths: files, each named once.
    """
    places = _places(paths)
    by_stem = defaultdict(set)
    for path, place in zip(paths, places, strict=True):
        by_stem[_folded(stem_of(path))].add(place)
    folders = [Path()] * len(paths)
    if any(len(several) > 1 for several in by_stem.values()):
        folders = _below_common(places)
    names = [
        (folder / stem_of(path)).as_posix() for folder, path in zip(folders, paths, strict=True)
    ]
    for _ in range(2):  # the second time for a.jpg.png beside a.jpg and a.png
        count = Counter(map(_folded, names))
        whole = [(folder / p.name).as_posix() for folder, p in zip(folders, paths, strict=True)]
        names = [w if count[_folded(n)] > 1 else n for n, w in zip(names, whole, strict=True)]
    return _numbered(names)


def _numbered(names):
    """Return the names with -2, -3, ... behind those that are there before."""
    count = Counter(map(_folded, names))
    taken, numbered = {name for name in count if count[name] == 1}, []
    for name in names:
        number, candidate = 1, name
        while count[_folded(name)] > 1 and _folded(candidate) in taken:
            number += 1
            candidate = f"{name}-{number}"
        taken.add(_folded(candidate))
        numbered.append(candidate)
    return numbered


def _places(paths):
    """Return the folder of each file, the same one however it was reached."""
    real = cache(lambda parent: Path(os.path.realpath(parent)))  # links are followed once a folder
    return [real(path.parent) for path in paths]


def _below_common(places):
    """Return the paths of folders below the one that holds them all."""
    try:
        top = os.path.commonpath(places)
    except ValueError:  # on two Windows drives
        return [Path(place.name) for place in places]
    return [place.relative_to(top) for place in places]


def _folded(name):
    """Return what is the same for names that some file system takes for the same."""
    return unicodedata.normalize("NFC", name).casefold()
