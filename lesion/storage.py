"""Files written whole or not at all: JSON, tables, anything that a library saves."""

import csv
import filecmp
import hashlib
import io
import json
import os
import re
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lesion.console import InputError

TEMPORARY = re.compile(r"\.[0-9a-f]{32}(\.\w+)?")  # what `replacing` leaves behind when killed

NAMES = {"name", "lesion_id", "image_id", "isic_id"}  # columns that are text, whatever they hold


@contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """Give a temporary path beside `path`, same suffix; rename it to `path` if all went well.

    So a reader never sees half a file, and a kill or a full disk leaves the old file as it was.

    Raises:
        InputError: `path` cannot be written; names it and the reason.
    """
    path = Path(path)
    temporary = path.with_name(f".{uuid.uuid4().hex}{path.suffix}")
    try:
        yield temporary
        os.replace(temporary, path)
    except OSError as error:  # libraries that write files often give no `strerror`
        reason = error.strerror or str(error).partition("\n")[0]
        raise InputError(
            f"{path}: cannot be written ({reason}): free space there or give another folder"
        ) from error
    finally:
        temporary.unlink(missing_ok=True)


def write_json(path: str | Path, content: object) -> None:
    """Write `content` as indented JSON; what JSON does not know (paths) is written as text."""
    with replacing(path) as temporary:
        text = json.dumps(content, indent=2, ensure_ascii=False, default=str)
        temporary.write_text(text + "\n", encoding="utf-8")


def write_table(path: str | Path, rows: list[dict]) -> None:
    """Write a list of dicts as CSV with a header; a key that a row lacks is an empty cell."""
    text = io.StringIO()
    if rows:
        names = list(dict.fromkeys(key for row in rows for key in row))
        writer = csv.DictWriter(text, fieldnames=names, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    with replacing(path) as temporary:
        temporary.write_text(text.getvalue(), encoding="utf-8")


def read_table(path: str | Path) -> list[dict]:
    """Read a CSV of `write_table`: list of dicts, numbers as float, other text as it is.

    Names stay text, and so does what would not come back the same: 007 is no number.
    """
    with Path(path).open(encoding="utf-8", newline="") as file:
        return [
            {key: text if key in NAMES else _number(text) for key, text in row.items()}
            for row in csv.DictReader(file)
        ]


def _number(text):
    try:
        value = float(text)
    except (TypeError, ValueError):  # a line with too few cells gives None
        return text
    written = str(int(value)) if value.is_integer() else repr(value)
    return value if text in (written, repr(value)) else text


def sha256(content: bytes) -> str:
    """Return the SHA-256 of bytes, as hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()


def same_content(path: str | Path, other: str | Path) -> bool:
    """Whether two files hold the same bytes; not where one cannot be read."""
    try:
        return filecmp.cmp(path, other, shallow=False)
    except OSError:
        return False
