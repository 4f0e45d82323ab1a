"""What a reader hands on: which picture a file speaks of, and how to read its shapes."""

import struct
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from lesion.inputs.annotations.shapes import Annotation, Shape


@dataclass
class Drawn:
    """The shapes of one picture.

    Attributes:
        shapes: those that enclose an area.
        size: (height, width) of the picture that they were drawn on, None where it is not told.
        left_out: how many there are besides, by kind: boxes, lines, points.
        remark: what to know of this picture.
    """

    shapes: list[Shape] = field(default_factory=list)
    size: tuple[int, int] | None = None
    left_out: Counter = field(default_factory=Counter)
    remark: str = ""


@dataclass(frozen=True)
class Entry:
    """One picture in one file.

    Attributes:
        path: the file.
        layout: its format in words.
        names: what it calls the picture; the first that is found counts.
        read: gives what was drawn; raises one of `MISTAKES` for damaged content.
    """

    path: Path
    layout: str
    names: tuple[str, ...]
    read: Callable[[], Drawn]


@dataclass
class Found:
    """What `find_annotations` found.

    Attributes:
        by_picture: the annotation of each picture that has one.
        used: the files that were understood, also those that `problems` speaks of.
        layout: the formats in words, "" if there is none.
        problems: lines on what needs a remedy.
        remarks: lines on what is worth a look.
    """

    by_picture: dict[Path, Annotation] = field(default_factory=dict)
    used: set[Path] = field(default_factory=set)
    layout: str = ""
    problems: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)


# What walking through damaged content raises.
MISTAKES = (ArithmeticError, AttributeError, EOFError, LookupError, OSError, RuntimeError)
MISTAKES += (SyntaxError, TypeError, ValueError, struct.error, zipfile.BadZipFile, zlib.error)
LONGEST = 200  # letters of a text out of a file, in a line


def reason(error: Exception) -> str:
    """Return in words what is wrong with damaged content."""
    if isinstance(error, KeyError):
        return f"lacks {error}"
    if isinstance(error, RecursionError):
        return "is nested too deeply"
    return shown(str(error)) or type(error).__name__


def shown(text: str) -> str:
    """Return a text out of a file as a line may hold it."""
    return " ".join(text.split())[:LONGEST]


def size_of(height: object, width: object) -> tuple[int, int] | None:
    """Return (height, width) as recorded, None where a tool left them out or 0."""
    if height is None or width is None:
        return None
    size = int(height), int(width)
    return size if min(size) > 0 else None
