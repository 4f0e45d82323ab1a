"""Find what was drawn in annotation tools, in any of their formats, and whose picture it is."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

from lesion.inputs.annotations import coco, labelme, yolo
from lesion.inputs.annotations.entry import MISTAKES, Entry, Found, reason
from lesion.inputs.annotations.names import PictureIndex
from lesion.inputs.annotations.shapes import Annotation
from lesion.inputs.decoding import MAX_BYTES
from lesion.inputs.folders import few

JSON_FORMATS = (coco, labelme)


def find_annotations(
    files: Sequence[Path], pictures: Sequence[Path], masks: Sequence[Path] = ()
) -> Found:
    """Return what annotation files say of pictures.

    What a file is, is decided by its content. A picture that a file lists without any shape has no
    lesion; one that no file lists has no annotation.

    Args:
        files: of a data folder, those that are no pictures.
        pictures: of that folder.
        masks: picture files of it that are masks; with any, boxes are remarked, else a problem.
    """
    found, index = Found(), PictureIndex(pictures)
    collected = _Collected(found, index)
    for entry in _entries(files, index, found):
        collected.add(entry)
    collected.conclude(bool(masks))
    return found


def _entries(files: Sequence[Path], index: PictureIndex, found: Found) -> Iterator[Entry]:
    for path in files:
        if path.suffix.lower() == ".json":
            yield from _json_entries(path, found)
    yield from yolo.entries(files, index, found)


def _json_entries(path, found):
    try:
        content = _read_json(path)
        for format_ in JSON_FORMATS:
            if format_.claims(content):
                found.used.add(path)
                yield from format_.entries(path, content)
                return
    except MISTAKES as error:
        found.used.add(path)
        found.problems.append(
            f"{path}: the annotations are damaged ({reason(error)}); export them again"
        )


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


class _Collected:
    """The entries found so far, and what there is to say on them."""

    def __init__(self, found, index):
        self.found, self.index = found, index
        self.layouts = {}  # of pictures
        self.bad = defaultdict(list)  # path -> reasons
        self.absent = defaultdict(list)  # (layout, path or None) -> names
        self.left_out = defaultdict(Counter)  # layout -> kinds of shapes
        self.without_area = defaultdict(list)  # layout -> pictures
        self.listed = Counter()  # path -> entries

    def add(self, entry: Entry) -> None:
        """Read an entry and give it to its picture."""
        self.found.used.add(entry.path)
        self.listed[entry.path] += 1
        matches = next(filter(None, (self.index.find(n, entry.path) for n in entry.names)), [])
        shown = Path(entry.names[0].replace("\\", "/")).name
        if not matches:
            self.absent[entry.layout, entry.path].append(shown)
            return
        if len(matches) > 1:
            places = " and ".join(str(path) for path in matches[:2])
            self.bad[entry.path].append(f"{shown} may be {places}; give them different names")
            return
        picture = matches[0]
        try:
            drawn = entry.read()
        except MISTAKES as error:
            self.bad[entry.path].append(
                f"the annotation of {shown} is damaged ({reason(error)}); draw it again"
            )
            return
        self.left_out[entry.layout] += drawn.left_out
        if drawn.left_out and not drawn.shapes:
            self.without_area[entry.layout].append(picture.name)
            return
        other = self.found.by_picture.get(picture)
        if other is not None:
            what = f"{other.path} annotates too; keep one of the two"
            self.bad[entry.path].append(f"annotates {picture.name}, which {what}")
            return
        annotation = Annotation(entry.path, tuple(drawn.shapes), shown, drawn.size)
        self.found.by_picture[picture] = annotation
        self.layouts[picture] = entry.layout

    def conclude(self, has_masks: bool) -> None:
        """Write down the layout, the problems and the remarks."""
        found = self.found
        boxes = self._without_boxes()
        for path, lines in self.bad.items():
            more = f" (and {len(lines) - 1} more in this file)" if len(lines) > 1 else ""
            found.problems.append(f"{path}: {lines[0]}{more}")
        self._say_absent()
        for layout, names in self.without_area.items():
            kinds = " and ".join(sorted(self.left_out[layout]))
            line = (
                f"{layout}: {len(names)} picture(s) have only shapes that enclose no lesion "
                f"({kinds}): {few(names)}; draw the outlines of the lesions"
            )
            (found.remarks if has_masks else found.problems).append(line)
        for layout, kinds in self.left_out.items():
            if kinds and layout in self.layouts.values():
                shown = ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items()))
                found.remarks.append(f"{layout}: shapes that enclose no area are left out: {shown}")
        if boxes:
            count = sum(map(len, boxes.values()))
            line = (
                f"{', '.join(boxes)}: every shape of {count} picture(s) is a rectangle, a box "
                "around a lesion rather than its outline; draw the outlines"
            )
            (found.remarks if has_masks else found.problems).append(line)
        found.layout = " and ".join(dict.fromkeys(self.layouts.values()))

    def _without_boxes(self):
        """Take out the layouts that hold nothing but boxes; return their pictures."""
        shapes = defaultdict(list)
        for picture, annotation in self.found.by_picture.items():
            shapes[self.layouts[picture]] += annotation.shapes
        only = {layout for layout, drawn in shapes.items() if drawn and all(s.box for s in drawn)}
        boxes = defaultdict(list)
        for picture, layout in list(self.layouts.items()):
            if layout in only:
                boxes[layout].append(picture)
                del self.layouts[picture], self.found.by_picture[picture]
        return boxes

    def _say_absent(self):
        """Say which pictures are not there: an excerpt of a data set is no mistake."""
        lonely = defaultdict(list)
        for (layout, path), names in self.absent.items():
            known = len(names) < self.listed[path] or layout in self.layouts.values()
            if known and self.listed[path] > 1:
                self.found.remarks.append(
                    f"{path}: {len(names)} of the {self.listed[path]} pictures that it lists are "
                    f"not in this folder ({few(names)})"
                )
            else:
                lonely[layout].append((path, names))
        for rows in lonely.values():
            names = [name for _, listed in rows for name in listed]
            more = f" (and {len(rows) - 1} more)" if len(rows) > 1 else ""
            self.found.problems.append(
                f"{rows[0][0]}{more}: the picture it annotates is not in this folder "
                f"({few(names)}); bring it back under that name"
            )
