"""Find what was drawn in annotation tools, in any of their formats, and whose picture it is."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

from lesion.inputs.annotations import coco, cvat, imagej, label_studio, labelme, via, yolo
from lesion.inputs.annotations.collect import Collected
from lesion.inputs.annotations.entry import MISTAKES, Entry, Found, reason
from lesion.inputs.annotations.names import PictureIndex
from lesion.inputs.decoding import MAX_BYTES

JSON_FORMATS = (coco, labelme, label_studio, via)


def find_annotations(
    files: Sequence[Path], pictures: Sequence[Path], masks: Sequence[Path] = ()
) -> Found:
    """Return what annotation files say of pictures.

    What a file is, is decided by its content. A picture that a file lists without any shape has no
    lesion; one that no file lists has no annotation.

    Args:
        files: of a data folder, those that are no pictures.
        pictures: of that folder.
        masks: picture files of it that are masks. Those that Label Studio wrote are given to their
            pictures; with any others, what is wrong with annotations is remarked, else a problem.
    """
    found, index = Found(), PictureIndex(pictures)
    collected = Collected(found, index)
    mask_entries = list(cvat.mask_entries(files, found))
    explained = {entry.path for entry in mask_entries}
    has_masks = any(m not in explained and not label_studio.is_task_mask(m) for m in masks)
    tasks = {}  # of Label Studio
    for path in files:
        try:
            for entry in _entries(path, found, tasks):
                collected.add(entry)
        except MISTAKES as error:
            if has_masks and path not in found.used:
                continue  # it may be anything
            found.used.add(path)
            found.problems.append(
                f"{path}: the annotations are damaged ({reason(error)}); export them again"
            )
    for entries in (
        yolo.entries(files, index, found),
        imagej.entries(files, index, found),
        mask_entries,
        label_studio.mask_entries(masks, tasks, found),
    ):
        for entry in entries:
            collected.add(entry)
    collected.conclude()
    if has_masks:  # which count before shapes
        found.remarks, found.problems = [*found.problems, *found.remarks], []
    return found


def _entries(path: Path, found: Found, tasks: dict) -> Iterator[Entry]:
    """Yield the entries of a file that may be of several pictures."""
    suffix = path.suffix.lower()
    if suffix == ".xml" and path.stat().st_size <= MAX_BYTES:
        yield from cvat.entries(path, found)
    elif suffix == ".csv":
        yield from via.csv_entries(path, found)
    elif suffix == ".json":
        content = _read_json(path)
        format_ = next((format_ for format_ in JSON_FORMATS if format_.claims(content)), None)
        if format_ is not None:
            found.used.add(path)
            idle = True
            for entry in format_.entries(path, content):
                idle = False
                yield entry
            if idle:
                found.remarks.append(f"{path}: {format_.LAYOUT} without a finished annotation")
        if format_ is label_studio:
            tasks |= label_studio.task_names(content)


def _read_json(path):
    """Return the content of a JSON, None where it holds several, one a line."""
    if path.stat().st_size > MAX_BYTES:
        raise ValueError(f"more than {MAX_BYTES:,} bytes")
    try:
        return json.loads(path.read_bytes())
    except json.JSONDecodeError as error:
        if error.msg == "Extra data":
            return None
        raise
