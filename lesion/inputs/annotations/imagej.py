"""ImageJ and Fiji: a .roi for each region, or a RoiSet.zip of several.

Read by roifile (BSD, 0.03 MB, needs NumPy only). Neither names its picture: it is the one whose
name the file, or its folder, has.
"""

import importlib.util
import re
import zipfile
from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import numpy as np

from lesion.inputs.annotations.entry import Drawn, Entry, Found
from lesion.inputs.annotations.names import PictureIndex
from lesion.inputs.annotations.rasterise import area, ellipse, points_of
from lesion.inputs.annotations.shapes import UNNAMED, Shape, class_key

LAYOUT = "ImageJ regions"
AREAS = {"POLYGON", "FREEHAND", "TRACED", "OVAL", "RECT"}
SET_WORD = re.compile(r"(^|[ _-]+)roi[ _-]?(set|s)?([ _-]+|$)", re.IGNORECASE)
NO_NAME = re.compile(r"[\d\s_.-]*")  # such as 0123-0456, which ImageJ gives
MOST_BYTES, MOST_REGIONS = 10_000_000, 10_000  # of one region, in one file


def entries(paths: Sequence[Path], index: PictureIndex, found: Found) -> Iterator[Entry]:
    """Yield an entry for each picture of which there are regions, in one file or several."""
    groups = defaultdict(list)
    for path in paths:
        if path.suffix.lower() == ".roi" or _holds_regions(path):
            found.used.add(path)
            if picture := _picture(path, index):
                groups[picture].append(path)
            else:
                found.problems.append(
                    f"{path}: its name does not say which picture the regions are of; "
                    "call it as the picture, such as mole_1.roi or mole_1_RoiSet.zip"
                )
    if groups and importlib.util.find_spec("roifile") is None:
        first, count = next(iter(groups.values()))[0], sum(map(len, groups.values()))
        more = f" and {count - 1} more" if count > 1 else ""
        found.problems.append(f"{first}{more}: needs a package: `pip install roifile`")
        return
    for picture, files in groups.items():
        yield Entry(files[0], LAYOUT, (str(picture),), partial(_read, files, picture.stem))


def _holds_regions(path):
    if path.suffix.lower() != ".zip":
        return False
    try:
        with zipfile.ZipFile(path) as archive:
            return any(name.lower().endswith(".roi") for name in archive.namelist())
    except (OSError, zipfile.BadZipFile):
        return "roi" in path.name.lower()  # a damaged one, which `_read` will say


def _picture(path, index):
    """Return the picture of a file, None where its name, and its folder's, say none or several."""
    for name in (path.stem, path.parent.name):
        for text in dict.fromkeys((name, SET_WORD.sub("", name))):
            found = index.find(str(path.parent / text), path) if text else []
            if len(found) == 1:
                return found[0]
    beside = index.in_folder(path.parent)
    return beside[0] if len(beside) == 1 else None


def _read(paths, stem):
    from roifile import ImagejRoi

    drawn = Drawn()
    for path in paths:
        for name, content in _contents(path):
            region = ImagejRoi.frombytes(content)
            shape = region.roitype.name
            if shape not in AREAS and region.multi_coordinates is None:
                drawn.left_out[shape.lower()] += 1
                continue
            kind = "box" if shape == "RECT" and not region.composite else ""
            label = _label(region.name or name, {stem, path.stem, Path(name).stem})
            drawn.shapes.append(Shape(label, area(_rings(region), even_odd=True), kind))
    return drawn


def _contents(path):
    """Yield (name, bytes) of each region in a file."""
    if path.suffix.lower() == ".roi":
        if path.stat().st_size > MOST_BYTES:
            raise ValueError(f"a region has more than {MOST_BYTES:,} bytes")
        yield path.name, path.read_bytes()
        return
    with zipfile.ZipFile(path) as archive:
        members = [m for m in archive.infolist() if m.filename.lower().endswith(".roi")]
        if len(members) > MOST_REGIONS or any(m.file_size > MOST_BYTES for m in members):
            raise ValueError("it holds more or larger regions than people draw")
        for member in members:
            yield member.filename, archive.read(member)


def _rings(region):
    if region.roitype.name == "OVAL" and region.multi_coordinates is None:
        rx, ry = (region.right - region.left) / 2, (region.bottom - region.top) / 2
        return [ellipse(region.left + rx, region.top + ry, rx, ry)]
    rings = [np.asarray(ring, np.float64) for ring in region.coordinates(multi=True)]
    return [points_of(ring) for ring in rings]


def _label(name, stems):
    """Return the class in a region's name, which ImageJ or the person gave it."""
    text = re.sub(r"\.roi$", "", name, flags=re.IGNORECASE)
    if NO_NAME.fullmatch(text) or class_key(text) in map(class_key, stems):
        return UNNAMED
    return re.sub(r"[\s_-]*\d+$", "", text) or UNNAMED
