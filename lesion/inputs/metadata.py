"""Tables beside the pictures: which pictures show one lesion or one patient, and their parts."""

import csv
import io
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from lesion.console import InputError
from lesion.inputs.folders import few
from lesion.inputs.naming import key_of
from lesion.inputs.places import PARTS

NAMES = {"ham10000_metadata.csv", "ham10000_metadata", "metadata.csv"}  # surely meant for us
SUFFIXES = {".csv", ".tsv", ".tab"}
SEPARATORS = ",;\t|"
# Columns as they are called without blanks, signs and capitals; the first that is there counts.
PICTURE_COLUMNS = ("imageid", "isicid", "imgid", "image", "imagename", "filename", "file")
LESION_COLUMNS = ("lesionid", "lesion")
PATIENT_COLUMNS = ("patientid", "patient", "subjectid")
PART_COLUMNS = ("split", "set", "subset", "partition", "part", "fold", "usage")
MISSING = {"", "na", "n/a", "#n/a", "nan", "none", "null", "nil", "unknown", "missing", "-", "?"}


@dataclass
class Metadata:
    """The tables of a data folder, put together.

    Attributes:
        rows: {index of the picture: row, a dict by column name}.
        groups: {index of the picture: lesion or patient}, without those of which nothing is known.
        parts: {index of the picture: what its table says of its part}.
        used: the files that were read.
        unit: "lesions" or "patients", by which pictures are grouped, or "".
        problems, remarks: a line each.
    """

    rows: dict[int, dict] = field(default_factory=dict)
    groups: dict[int, str] = field(default_factory=dict)
    parts: dict[int, str] = field(default_factory=dict)
    used: list[Path] = field(default_factory=list)
    unit: str = ""
    problems: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)


def read_metadata(files: Iterable[Path], pictures: Sequence[Path]) -> Metadata:
    """Read every table among `files` that names pictures and their lesions or patients.

    Cells are compared as people mean them: blanks around them, no-break blanks and letter case do
    not count; NA, unknown and their like are empty. A picture is named with or without suffix and
    folder. Of lesion and patient the coarser one groups.

    Args:
        files: of any kind, by name and content those that are tables are taken.
        pictures: files; the result counts them by index.

    Raises:
        InputError: a table that is called as one of metadata cannot be read, or a picture belongs
            to two lesions.
    """
    found = Metadata()
    lesions, patients, repeated = {}, {}, set()
    for path in files:
        surely = path.name.casefold() in NAMES
        if path.suffix.lower() not in SUFFIXES and not surely:
            continue
        columns, rows = _read(path, surely)
        picture, lesion, patient, part = (
            _column(columns, known)
            for known in (PICTURE_COLUMNS, LESION_COLUMNS, PATIENT_COLUMNS, PART_COLUMNS)
        )
        if picture is None or not (lesion or patient or part):
            if surely:
                found.problems.append(
                    f"{path}: has the columns {', '.join(columns) or '(none)'} but not image_id "
                    "and lesion_id; without them every picture counts as a lesion of its own"
                )
                found.used.append(path)
            continue
        keys = _keys(pictures, path.parent)
        named = [(_index(row[picture], keys), row) for row in rows]
        if rows and all(index is None for index, _ in named):
            line = f"{path}: names none of the pictures, such as {rows[0][picture]!r}"
            (found.problems if surely else found.remarks).append(
                f"{line}; write their file names into the column {picture}"
            )
        found.used.append(path)
        for index, row in named:
            if index is None:
                continue
            if index in found.rows:
                repeated.add(index)
            found.rows[index] = found.rows.get(index, {}) | row
            if lesion:
                _enter(lesions, index, row[lesion], path, pictures)
            if patient:
                _enter(patients, index, row[patient], path, pictures)
            if part:
                found.parts[index] = row[part]
    if lesions or patients:
        _group(found, lesions, patients, pictures)
    if repeated:
        found.remarks.append(f"more than one row of metadata: {_few(pictures, repeated)}")
    return found


def part_named(text: str) -> str:
    """Return "train", "validation" or "test" for what a table calls a part, "" otherwise."""
    word = text.strip().casefold()
    return next((part for part, names in PARTS.items() if word in names), "")


def _few(pictures, indices):
    return few([pictures[index].name for index in sorted(indices)])


def _enter(groups, index, cell, path, pictures):
    """Note the lesion or patient of a picture; it has one only."""
    value = " ".join(cell.split())
    if value.casefold() in MISSING:
        return
    known = groups.setdefault(index, value)
    if known.casefold() != value.casefold():
        raise InputError(
            f"{path}: {pictures[index].stem} belongs to two lesions, {known} and {value}; keep the "
            "right row, since the split goes by lesion"
        )


def _group(found, lesions, patients, pictures):
    """Join the pictures that share a lesion or a patient; each group has the coarser one's name."""
    found.unit = "patients" if patients else "lesions"
    leader = {}  # of each lesion and patient, the group that it was joined to

    def lead(name):
        while leader.setdefault(name, name) != name:
            name = leader[name]
        return name

    first = {}  # spelling
    own = {}
    for index in range(len(pictures)):
        names = []
        for rank, groups in enumerate((patients, lesions)):
            if index in groups:
                names.append((rank, groups[index].casefold()))
                first.setdefault(names[-1], groups[index])
        if not names:
            continue
        own[index] = names[0]
        one, *other = sorted(lead(name) for name in names)
        for name in other:
            leader[name] = one
    found.groups = {index: first[lead(name)] for index, name in own.items()}
    nameless = set(range(len(pictures))) - set(found.groups)
    if nameless:
        word = "patient_id or lesion_id" if patients else "lesion_id"
        tables = ", ".join(path.name for path in found.used)
        found.remarks.append(
            f"no {word} in {tables}: {_few(pictures, nameless)}; each counts as a lesion of its own"
        )


def _column(columns, known):
    """Return the column that is called as one of the known ones, as it is written, or None."""
    plain = {re.sub(r"[^a-z]", "", name.casefold()): name for name in reversed(columns)}
    return next((plain[name] for name in known if name in plain), None)


def _key(name):
    """Return a picture's name without suffix and what people add by chance."""
    name = re.sub(r"(?i)\.(jpe?g|png|bmp|tiff?|webp|gif|jfif|heic|dcm)$", "", name.strip("\"' "))
    return key_of(name).casefold()


def _index(cell, keys):
    """Return the index of the picture that a cell names, by folder and name or name alone."""
    folders = [part for part in re.split(r"[/\\]", " ".join(cell.split())) if part]
    for name in ("/".join(folders[-2:]), *folders[-1:]):
        if (index := keys.get(_key(name))) is not None:
            return index
    return None


def _keys(pictures, folder):
    """Return {name: index} of the pictures below a table's folder, or of all if there are none.

    Names of several pictures are left out, but for those with the folder's; numbers count without
    their leading zeros, too.
    """
    here = [index for index, path in enumerate(pictures) if folder in path.parents]
    names = defaultdict(list)
    for index in here or range(len(pictures)):
        path = pictures[index]
        key = _key(f"{path.stem}.png")
        names[key].append(index)
        names[_key(f"{path.parent.name}/{path.stem}.png")].append(index)
        if key.isdecimal() and str(int(key)) != key:
            names[str(int(key))].append(index)
    return {name: found[0] for name, found in names.items() if len(found) == 1}


def _read(path, surely):
    """Return (columns, rows) of a table; none of one that cannot be read and may be anything."""
    try:
        content = path.read_bytes()
        encoding = "utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
        text = content.decode(encoding)
        lines = text.splitlines()
        separator = None
        if lines and re.fullmatch(r"sep=.", lines[0].strip('"')):  # a line for Excel
            separator = lines[0].strip('"')[-1]
            text = text.partition("\n")[2]
        head = text.partition("\n")[0]
        separator = separator or max(SEPARATORS, key=head.count)
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
        columns = [unicodedata.normalize("NFKC", cell).strip() for cell in next(reader, [])]
        rows = [
            dict(zip(columns, [*map(str.strip, cells), *[""] * len(columns)], strict=False))
            for cells in reader
            if any(cell.strip() for cell in cells)
        ]
        return [name for name in columns if name], rows
    except (OSError, UnicodeError, csv.Error) as error:
        if not surely:
            return [], []
        raise InputError(
            f"{path}: cannot be read as a table ({error}); save it as CSV in UTF-8"
        ) from None
