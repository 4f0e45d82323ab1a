"""Label Studio: a JSON of tasks, full or "MIN", and its brush masks as PNGs called by task.

https://labelstud.io/guide/export: coordinates are percents; a brush is run lengths of bits, see
`unpack`. Its SDK decodes them too, but needs thirty packages.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import numpy as np

from lesion.inputs.annotations.entry import Drawn, Entry, Found, size_of
from lesion.inputs.annotations.names import names_picture
from lesion.inputs.annotations.rasterise import (
    area,
    bitmap,
    ellipse,
    points_of,
    rectangle,
    turned,
)
from lesion.inputs.annotations.shapes import UNNAMED, Shape
from lesion.inputs.decoding import MAX_PIXELS, convert, decode
from lesion.inputs.folders import few

LAYOUT = "Label Studio JSON"
PERCENT = (100, 100)
MASK_NAME = re.compile(r"task-(\d+)-annotation-(\d+)-by-[^-]*-[^-]+-(.+)-\d+\.png$", re.IGNORECASE)
SEVERAL = (
    "has several annotations, of which the one marked as ground truth, else the latest, is taken"
)


def claims(content: object) -> bool:
    """Whether a JSON is an export of Label Studio: full, "MIN", or one annotation of a storage."""
    if isinstance(content, dict):
        return isinstance(content.get("result"), list) and isinstance(content.get("task"), dict)
    if not isinstance(content, list) or not content or not isinstance(content[0], dict):
        return False
    task = content[0]
    full = isinstance(task.get("data"), dict) and ("annotations" in task or "completions" in task)
    return full or ("annotation_id" in task and "id" in task)


def entries(path: Path, content: list | dict) -> Iterator[Entry]:
    """Yield an entry for each task that was annotated, with or without regions."""
    for task in _tasks(content):
        if answers := _answers(task):
            read = partial(_read, max(answers, key=_standing)["result"], len(answers) > 1)
            yield Entry(path, LAYOUT, _names(task), read)


def task_names(content: list | dict) -> dict[int, tuple[str, ...]]:
    """Return {number of the task: what it may call its picture, () where it holds the regions}."""
    return {int(t["id"]): () if _answers(t) else _names(t) for t in _tasks(content)}


def _tasks(content):
    if isinstance(content, dict):
        return [content["task"] | {"annotations": [content]}]
    return content


def _answers(task):
    """Return the annotations of a task, those of several people or none."""
    answers = task.get("annotations", task.get("completions"))
    if answers is None:  # "MIN": what was drawn stands under the names of the tags
        lists = [value for value in task.values() if isinstance(value, list)]
        answers = [{"result": [region for regions in lists for region in regions]}]
    return [answer for answer in answers if not answer.get("was_cancelled")]


def _standing(answer):
    return bool(answer.get("ground_truth")), str(answer.get("updated_at")), answer.get("id", 0)


def _names(task):
    values = [task.get("file_upload"), *task.get("data", task).values()]
    return tuple(value for value in values if isinstance(value, str) and names_picture(value))


def _read(result, several):
    drawn = Drawn(remark=SEVERAL if several else "")
    labels, regions = defaultdict(list), {}
    for number, item in enumerate(result):
        value = item.get("value", item)
        # Where outline and class are two tags, they are two items of one id.
        key = item.get("id", number)
        for name, listed in value.items():
            if name.endswith("labels") and isinstance(listed, list):
                labels[key] += [str(label) for label in listed]
        if {"points", "rle", "radiusX", "x"} & value.keys():
            regions.setdefault(key, (item, value))
    for key, (item, value) in regions.items():
        if item.get("image_rotation"):
            raise ValueError("the picture was turned in the tool; turn it back and draw again")
        drawn.size = drawn.size or size_of(item.get("original_height"), item.get("original_width"))
        kind, draw = _draw(value, drawn.size)
        if draw is None:
            drawn.left_out[kind] += 1
        else:
            drawn.shapes += [Shape(label, draw, kind) for label in labels[key] or [UNNAMED]]
    return drawn


def _draw(value, size):
    """Return (kind of shape, what draws it or None)."""
    if "points" in value:
        return "", area([points_of(value["points"])], PERCENT)
    if "rle" in value:
        height, width = size  # which the run lengths do not tell
        return "", partial(_draw_brush, bytes(value["rle"]), height, width)
    if "radiusX" in value:
        numbers = [float(value[name]) for name in ("x", "y", "radiusX", "radiusY")]
        return "", area([_turned(ellipse(*numbers), *numbers[:2], value, size)], PERCENT)
    if "height" in value:
        x, y, width, height = (float(value[name]) for name in ("x", "y", "width", "height"))
        corners = rectangle(x, y, x + width, y + height)
        return "box", area([_turned(corners, x, y, value, size)], PERCENT)
    return "point", None


def _turned(points, x, y, value, size):
    """Turn percents as the tool does: in pixels, which need not be square in percents."""
    degrees = float(value.get("rotation") or 0)
    if not degrees:
        return points
    pixels = np.array(size[::-1]) / 100
    return turned(points * pixels, x * pixels[0], y * pixels[1], degrees) / pixels


def _draw_brush(packed, height, width, *shape):
    alpha = unpack(packed, height * width * 4).reshape(height, width, 4)[..., 3]
    return bitmap((alpha >= max(1, alpha.max() / 2)).astype(np.uint8))(*shape)


def unpack(packed: bytes, length: int) -> np.ndarray:
    """Return the values (RGBA, one after another) in a brush's run lengths, uint8 (length,).

    The bits: 32 for the length, 5 for the bits of a value less 1, four times 4 for the bits of a
    count less 1; then runs: 1 for a repeated value (0 for single ones), 2 that choose the bits of
    the count, the count less 1, the value or values.

    Raises:
        ValueError: they are cut off, or of another length.
    """
    bits = bin(int.from_bytes(b"\1" + packed))[3:]
    position = 0

    def take(count):
        nonlocal position
        position += count
        if position > len(bits):
            raise ValueError("the run lengths of a brush are cut off")
        return int(bits[position - count : position], 2)

    if take(32) != length or length > 4 * MAX_PIXELS:
        raise ValueError("the run lengths of a brush are of another picture's size")
    value_bits = take(5) + 1
    count_bits = [take(4) + 1 for _ in range(4)]
    values, filled = np.zeros(length, np.uint8), 0
    while filled < length:
        repeated = take(1)
        end = min(length, filled + take(count_bits[take(2)]) + 1)
        if repeated:
            values[filled:end] = take(value_bits) & 255
        else:
            values[filled:end] = [take(value_bits) & 255 for _ in range(filled, end)]
        filled = end
    return values


def is_task_mask(path: Path) -> bool:
    """Whether a file is called as the masks are that Label Studio writes."""
    return MASK_NAME.match(path.name) is not None


def mask_entries(
    masks: Sequence[Path], names: dict[int, tuple[str, ...]], found: Found
) -> Iterator[Entry]:
    """Yield an entry for each task of which there are PNGs.

    Args:
        masks: picture files that are masks; those called otherwise are passed over.
        names: of `task_names`, of all exports in the folder.
        found: gets a problem for PNGs whose task is in no export.
    """
    by_task, unknown = defaultdict(lambda: defaultdict(list)), []
    for path in masks:
        if match := MASK_NAME.match(path.name):
            task, annotation, label = int(match[1]), int(match[2]), match[3]
            found.used.add(path)
            if task in names:
                by_task[task][annotation].append((path, label))
            else:
                unknown.append(path)
    if unknown:
        found.problems.append(
            f"{unknown[0].parent}: {len(unknown)} masks of Label Studio are called by their tasks "
            f"({few([path.name for path in unknown[:1]])}), which does not say which picture is "
            "meant; put the JSON export of the same project beside them"
        )
    for task, annotations in by_task.items():
        if not names[task]:  # the export itself holds these regions
            continue
        latest = annotations[max(annotations)]
        read = partial(_open, latest, len(annotations) > 1)
        yield Entry(latest[0][0], "Label Studio PNGs", names[task], read)


def _open(masks, several):
    shapes = [Shape(label, partial(_draw_png, path)) for path, label in masks]
    return Drawn(shapes, remark=SEVERAL if several else "")


def _draw_png(path, *shape):
    return bitmap((np.array(convert(path, decode(path), "L")) > 127).astype(np.uint8))(*shape)
