"""What of a long job is done, kept on disk as it goes: who was killed goes on from there.

    with Journal(directory, {"weights": digest}, resume) as done:
        for name in names:
            if name not in done:
                done[name] = {"dice": score(name)}

What stands in it is done for good: an entry is made when all that belongs to it has been written.
"""

import json
from contextlib import suppress
from pathlib import Path

from lesion.console import InputError
from lesion.storage import replacing

NAME = ".done.jsonl"  # in the folder of the results, as long as some are missing


class Journal(dict):
    """Rows, ready for JSON, by name; each is on disk once it is set.

    The file holds a line that says what job it is, then one for each row, [name, row]. Leaving the
    `with` without an error, or without rows, removes it.

    Args:
        directory: of the results, existing.
        about: what the job is, ready for JSON; another one cannot go on with it.
        resume: go on with what is there, if anything is.

    Raises:
        InputError: what is there belongs to another job or is none of ours, or there is no room.
    """

    def __init__(self, directory: str | Path, about: dict, resume: bool = False):
        super().__init__()
        self._path, self._resume = Path(directory) / NAME, resume
        self._about = json.loads(json.dumps(about))

    def __enter__(self):
        if not (self._resume and self._path.exists()):
            with replacing(self._path) as temporary:
                temporary.write_bytes(_line(self._about))
        length = self._read()
        self._file = self._path.open("ab")
        self._file.truncate(length)
        return self

    def __exit__(self, kind, error, trace):
        with suppress(OSError):  # what the disk had no room for is told already
            self._file.close()
        if error is None or not self:
            self._path.unlink()

    def __setitem__(self, name, row):
        try:
            self._file.write(_line([name, row]))
            self._file.flush()  # so it outlives the process
        except OSError as error:
            raise InputError(
                f"{self._path}: cannot be written ({error.strerror}): free space there or give "
                "another folder"
            ) from error
        super().__setitem__(name, row)

    def _read(self):
        """Take over what is there; return its length in bytes, without a line that has no end."""
        length = 0
        with self._path.open("rb") as file:
            for line in file:
                if length and not line.endswith(b"\n"):  # killed in the midst of it
                    break
                try:
                    content = json.loads(line)
                except ValueError as error:
                    raise InputError(
                        f"{self._path}: cannot be read ({error}): give a new folder"
                    ) from None
                if length:
                    self.update([content])
                else:
                    self._compare(content)
                length += len(line)
        return length

    def _compare(self, about):
        if other := [key for key in self._about if about.get(key) != self._about[key]]:
            raise InputError(
                f"{self._path.parent}: was begun with other {', '.join(other)}: give the same "
                "again, or a new folder"
            )


def _line(content):
    # NumPy's numbers are written as Python's.
    return json.dumps(content, default=lambda number: number.item()).encode() + b"\n"
