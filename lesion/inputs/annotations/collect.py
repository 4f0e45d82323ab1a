"""Give what was drawn to its pictures, and collect what there is to say on it."""

from collections import Counter, defaultdict
from pathlib import Path

import numpy as np

from lesion.inputs.annotations.entry import MISTAKES, Entry, Found, reason, shown
from lesion.inputs.annotations.names import PictureIndex
from lesion.inputs.annotations.shapes import Annotation
from lesion.inputs.folders import few
from lesion.storage import same_content


class Collected:
    """The entries found so far, and what there is to say on them."""

    def __init__(self, found: Found, index: PictureIndex):
        self.found, self.index = found, index
        self.layouts = {}  # of pictures
        self.bad = defaultdict(list)  # layout -> lines
        self.absent = defaultdict(list)  # (layout, path) -> names
        self.left_out = defaultdict(Counter)  # layout -> kinds of shapes
        self.without_area = defaultdict(list)  # layout -> files and pictures
        self.remarked = defaultdict(list)  # (path, remark) -> pictures
        self.listed = Counter()  # path -> entries

    def add(self, entry: Entry) -> None:
        """Read an entry and give it to its picture."""
        self.found.used.add(entry.path)
        self.listed[entry.path] += 1
        matches = next(filter(None, (self.index.find(n, entry.path) for n in entry.names)), [])
        name = shown(Path(entry.names[0].replace("\\", "/")).name)
        if not matches:
            self.absent[entry.layout, entry.path].append(name)
            return
        if not all(same_content(matches[0], other) for other in matches[1:]):
            places = " and ".join(str(path) for path in matches[:2])
            self._refuse(entry, f"{name} may be {places}; give them different names")
            return
        try:
            with np.errstate(all="ignore"):  # what is not finite is found in the end
                drawn = entry.read()
        except MISTAKES as error:
            finding = f"the annotation of {name} is damaged ({reason(error)})"
            self._refuse(entry, f"{finding}; draw it again")
            return
        if drawn.remark:
            self.remarked[entry.path, drawn.remark].append(matches[0].name)
        self.left_out[entry.layout] += drawn.left_out
        if drawn.left_out and not drawn.shapes:
            self.without_area[entry.layout].append((entry.path, matches[0].name))
            return
        annotation = Annotation(entry.path, tuple(drawn.shapes), name, drawn.size)
        for picture in matches:
            other = self.found.by_picture.setdefault(picture, annotation)
            if other is not annotation:
                what = f"{other.path} annotates too; keep one of the two"
                self._refuse(entry, f"annotates {picture.name}, which {what}")
                return
            self.layouts[picture] = entry.layout

    def _refuse(self, entry, finding):
        self.bad[entry.layout].append(f"{entry.path}: {finding}")

    def conclude(self) -> None:
        """Write down the layout, the problems and the remarks."""
        found = self.found
        boxes = self._without_boxes()
        for layout, lines in self.bad.items():
            more = f" (and {len(lines) - 1} more of {layout})" if len(lines) > 1 else ""
            found.problems.append(f"{lines[0]}{more}")
        self._say_absent()
        for (path, remark), names in self.remarked.items():
            found.remarks.append(f"{path}: {few(names)} {remark}")
        for layout, rows in self.without_area.items():
            kinds = shown(" and ".join(sorted(self.left_out[layout])))
            names = [name for _, name in rows]
            found.problems.append(
                f"{rows[0][0]}: {len(names)} picture(s) have only shapes that enclose no lesion "
                f"({kinds}): {few(names)}; draw the outlines of the lesions"
            )
        for layout, kinds in self.left_out.items():
            if kinds and layout in self.layouts.values():
                listed = ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items()))
                found.remarks.append(
                    f"{layout}: shapes that enclose no area are left out: {shown(listed)}"
                )
        for layout, pictures in boxes.items():
            found.problems.append(
                f"{layout}: every shape of {len(pictures)} picture(s) is a rectangle, a box around "
                "a lesion rather than its outline; draw the outlines"
            )
        found.layout = " and ".join(dict.fromkeys(self.layouts.values()))

    def _without_boxes(self):
        """Take out the layouts that hold nothing but boxes; return {layout: their pictures}."""
        kinds = defaultdict(set)
        for picture, annotation in self.found.by_picture.items():
            kinds[self.layouts[picture]] |= {shape.kind for shape in annotation.shapes}
        for layout, seen in kinds.items():
            if "four corners" in seen and not seen - {"four corners", "box"}:
                self.found.remarks.append(
                    f"{layout}: every outline has four corners, as boxes around lesions have"
                )
        boxes = {layout: [] for layout, seen in kinds.items() if seen == {"box"}}
        for picture, layout in list(self.layouts.items()):
            if layout in boxes:
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
