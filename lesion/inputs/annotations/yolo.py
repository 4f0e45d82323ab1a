"""YOLO-seg: a text beside each picture, a line for each outline: class x1 y1 x2 y2 ... from 0 to 1.

https://docs.ultralytics.com/datasets/segment: an empty text says that there is nothing. The classes
have numbers; their names are in data.yaml, classes.txt or obj.names.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import yaml

from lesion.inputs.annotations.entry import Drawn, Entry, Found
from lesion.inputs.annotations.names import PictureIndex
from lesion.inputs.annotations.rasterise import area_truncated, points_of
from lesion.inputs.annotations.shapes import Shape

LAYOUT = "YOLO-seg texts"
TABLES = ("data.yaml", "data.yml", "dataset.yaml", "classes.txt", "obj.names")
LEVELS = 3  # folders above a text in which the names are looked for: data/train/labels/x.txt
MOST_BYTES = 10_000_000
MOST_CLASSES = 10_000
LARGEST = 2  # a share; whatever lies outside of the picture is told when it is drawn


def entries(paths: Sequence[Path], index: PictureIndex, found: Found) -> Iterator[Entry]:
    """Yield an entry for each text that is called as a picture and holds outlines.

    In a folder without any line of YOLO a text is something else; in one with such lines an empty
    text is a picture without a lesion, and any other text is damaged.
    """
    by_folder = defaultdict(dict)
    for path in paths:
        if path.suffix.lower() == ".txt" and index.find(str(path.with_suffix("")), path):
            by_folder[path.parent][path] = _rows(path)
    names = {}
    for folder, texts in by_folder.items():
        if not any(texts.values()):
            continue
        names[folder] = _names(folder, found)
        for path, rows in texts.items():
            read = partial(_read, rows, names[folder])
            yield Entry(path, LAYOUT, (str(path.with_suffix("")),), read)


def _rows(path):
    """Return the lines of a text as lists of numbers, None if it holds anything else."""
    try:
        if path.stat().st_size > MOST_BYTES:
            return None
        lines = path.read_text(encoding="utf-8-sig").splitlines()
        rows = [np.array(line.split(), np.float64) for line in lines if line.strip()]
    except (OSError, ValueError):
        return None
    return rows if all(len(row) > 4 and row[0] in range(MOST_CLASSES) for row in rows) else None


def _read(rows, names):
    if rows is None:
        raise ValueError("a line is not a class's number followed by x y pairs")
    drawn = Drawn()
    for row in rows:
        if len(row) == 5:
            drawn.left_out["box"] += 1
            continue
        if len(row) % 2 == 0:  # Ultralytics adds the confidence to what it predicts
            raise ValueError("a line has a number too many, as predictions with a confidence have")
        points = points_of(row[1:])
        if points.max() > LARGEST:
            raise ValueError("the numbers are pixels, not shares of width and height from 0 to 1")
        label = names.get(int(row[0]), str(int(row[0])))
        kind = "four corners" if len(points) == 4 else ""
        drawn.shapes.append(Shape(label, area_truncated(points), kind))
    return drawn


def _names(folder, found):
    """Return {number: name} of the classes, from the nearest table of names."""
    for directory in (folder, *list(folder.parents)[:LEVELS]):
        for path in (directory / name for name in TABLES):
            if not path.is_file():
                continue
            found.used.add(path)
            try:
                text = path.read_text(encoding="utf-8-sig")
                if path.suffix in (".yaml", ".yml"):
                    table = yaml.safe_load(text)["names"]
                    pairs = table.items() if isinstance(table, dict) else enumerate(table)
                    return {int(number): str(name) for number, name in pairs}
                return dict(enumerate(line.strip() for line in text.splitlines()))
            except (OSError, ValueError, TypeError, KeyError, RecursionError, yaml.YAMLError):
                found.problems.append(
                    f"{path}: names no classes as YOLO does; write `names: [lesion]` into it"
                )
                return {}
    return {}
