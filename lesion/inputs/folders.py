"""Folders as people see them: in natural order, hidden files and an archive's own folder gone."""

import re
from collections.abc import Sequence
from pathlib import Path

from lesion.console import InputError
from lesion.inputs.dicom import is_unnamed_dicom
from lesion.inputs.places import describe

PICTURE_SUFFIXES = {".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".bmp", ".tif", ".tiff", ".gif"}
PICTURE_SUFFIXES |= {
    ".webp",
    ".avif",
    ".pbm",
    ".pgm",
    ".ppm",
    ".pnm",
    ".heic",
    ".heif",
    ".hif",
    ".dcm",
    ".dicom",
}
# How the names of what systems keep for themselves begin; the last three at the top of a drive.
SYSTEM_NAMES = (
    ".",
    "__MACOSX",
    "@eaDir",
    "$RECYCLE.BIN",
    "System Volume Information",
    "lost+found",
)
MAX_DEPTH = 6  # sub-folders below the given one; published data sets need 4


def natural_key(name: str) -> tuple:
    """Return a sorting key that reads digits as numbers: 2 comes before 10."""
    parts = re.split(r"([0-9]+)", str(name))
    parts[1::2] = map(int, parts[1::2])
    parts[0::2] = map(str.casefold, parts[0::2])
    return parts, str(name)


def few(names: Sequence[str]) -> str:
    """Return the first five names and how many more there are, for a line of text."""
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")


def existing_folder(directory: str | Path) -> Path:
    """Return `directory` as a Path; raise FileNotFoundError or InputError if it is no folder."""
    if not str(directory):  # as of a variable that is not set; Path("") would be this folder
        raise FileNotFoundError("the name of the folder is empty; give the folder of the pictures")
    root = Path(directory).expanduser()
    try:
        root.stat()
    except FileNotFoundError:
        raise FileNotFoundError(f"{root}: no such folder; check the path") from None
    except (OSError, ValueError) as error:  # a loop of links, a name too long, a NUL in it
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"{root}: cannot be opened ({reason}); check the path") from None
    if not root.is_dir():
        raise InputError(f"{root}: is a file; give the folder that holds the pictures")
    return root


def list_folder(folder: Path) -> list[Path]:
    """Return the entries of a folder in natural order, without hidden and system ones."""
    try:
        entries = list(folder.iterdir())
    except OSError as error:
        raise InputError(
            f"{folder}: cannot be listed ({error.strerror}); check the rights of the folder"
        ) from None
    visible = [path for path in entries if not path.name.startswith(SYSTEM_NAMES)]
    return sorted(visible, key=lambda path: natural_key(path.name))


def stem_of(path: Path) -> str:
    """Return a file's name without suffix; a number in the place of one is none, see `dicom`."""
    return path.name if path.suffix[1:].isdigit() else path.stem


def is_picture_file(path: Path) -> bool:
    """Whether a path counts as a picture, by its suffix in any letter case or as DICOM without."""
    named = path.suffix.lower() in PICTURE_SUFFIXES
    return not path.is_dir() and (named or is_unnamed_dicom(path))


def data_root(root: Path) -> Path:
    """Return the folder that holds the data: archives often unpack as a folder in a folder."""
    for _ in range(MAX_DEPTH):
        entries = list_folder(root)
        if len(entries) != 1 or not entries[0].is_dir():
            break  # what lies beside may be a table, a list or annotations
        inner = entries[0]
        below = [path for path in list_folder(inner) if path.is_dir()]
        if describe(inner.name).role and not any(describe(path.name).named for path in below):
            break  # this is image/ or label/ itself
        root = inner
    return root
