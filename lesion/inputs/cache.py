"""Decoded, resized pairs on disk, for sets too large for the memory: decoded once, not every epoch.

    load = kept_on_disk()                # then as `load_pair`
    picture, mask = load(pair, 192, 3)

Epochs, trainings and processes share the entries. They lie in the user's own cache folder or in the
one that the environment variable LESION_CACHE names, such as the local disk of a cluster's node;
LESION_CACHE= (empty) keeps nothing. Pictures of patients may be among them: a new folder is for its
owner's eyes alone.

An entry is a file, named by a hash of all that decides what it holds: paths, sizes and times of
picture and mask, what the mask's levels mean, the size wanted, the code that reads. So what changed
is decoded anew, and a rename makes an entry whole or absent for all who look, on network disks too.
SQLite (diskcache) and LMDB must not lie there, and HDF5 has one writer; diskcache and joblib hold
pickles, which run whatever somebody put into a shared folder; Zarr would write the same files. An
.npz holds arrays only, with checksums.

An epoch asks for every entry once. Were the least recently used removed for new ones, a set that is
larger than the cache would always miss; so what was used within a day stays, and what finds no room
is decoded each time. The entries take no more than half of the disk space that is free without
them, and in the user's own folder `OWN_LIMIT`. A cache that fails is said once and done without.
"""

import errno
import hashlib
import math
import os
import shutil
import time
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from importlib import metadata
from pathlib import Path
from threading import Lock

import numpy as np
from platformdirs import user_cache_path

from lesion.console import InputError, note
from lesion.inputs.decoding import look
from lesion.inputs.orientation import stored_size
from lesion.inputs.pairing import Pair
from lesion.inputs.reading import load_pair, read_truth
from lesion.storage import replacing

VARIABLE = "LESION_CACHE"
OWN_LIMIT = 10 * 1000**3  # bytes in the user's own folder: nobody can see how much a quota leaves
PARTS = 256  # folders, and as many equal parts of the room: to count one tells of all
OVERHEAD = 5120  # bytes of a file beside the numbers, at most: headers, the rest of a block
STAYS = 24 * 3600  # seconds since an entry was used in which it is not removed for another one
NOTED = 3600  # seconds after which a use is noted again
LIBRARIES = ("pillow", "opencv-python-headless", "numpy", "pillow-heif", "pydicom")  # that decode

_saying, _said = Lock(), set()  # the folders of which this process has said what is wrong

Load = Callable[[Pair, int, int], tuple[np.ndarray, np.ndarray]]


def kept_on_disk() -> Load:
    """Return `load_pair`, which finds on disk what it, or another process, has read before."""
    named = os.environ.get(VARIABLE)
    if named == "":
        return load_pair
    folder = Path(named).expanduser() if named else user_cache_path("lesion-segment")
    kept = Kept(folder / "decoded", math.inf if named else OWN_LIMIT)
    try:
        kept.folder.mkdir(0o700, parents=True)
    except FileExistsError:
        pass
    except OSError as error:
        kept.give_up(error)
    else:
        note(
            f"decoded pictures are kept in {kept.folder} for further epochs and trainings; "
            f"{VARIABLE}=FOLDER moves them, {VARIABLE}= keeps none"
        )
    return kept


class Kept:
    """`load_pair` with a folder of entries, which threads and processes share.

    Attributes:
        folder: of the entries, in `PARTS` folders.
        limit: bytes that they may take at most; half of the free disk is never exceeded.
    """

    def __init__(self, folder: Path, limit: float = math.inf):
        self.folder, self.limit = folder, limit
        self._storing, self._full = True, set()

    def __call__(self, pair: Pair, image_size: int, channels: int = 3):
        """Return what `load_pair` returns, to the bit; raise what it raises."""
        path = self._path(pair, image_size, channels)
        if path and (found := _read(path, (image_size, image_size, channels))):
            return found
        loaded = load_pair(pair, image_size, channels)
        # Of a file that was replaced meanwhile nobody knows which one was read.
        if self._storing and path and path == self._path(pair, image_size, channels):
            self._store(path, loaded)
        return loaded

    def give_up(self, error: Exception) -> None:
        """Store nothing any more; say why, unless something was said before."""
        self._storing = False
        cause = error.__cause__ or error
        if isinstance(cause, OSError) and cause.errno in (errno.ENOSPC, errno.EDQUOT):
            # Half of what is free was left, so this is a quota. The run needs the room itself.
            with suppress(OSError):
                for entry in _entries(self.folder, "??/*"):
                    entry.unlink(missing_ok=True)
        self._say(f"cannot be written ({getattr(cause, 'strerror', None) or cause})")

    def _say(self, finding):
        with _saying:
            if self.folder not in _said:
                _said.add(self.folder)
                note(
                    f"{self.folder}: {finding}, so pictures are decoded anew in each epoch; "
                    f"{VARIABLE} names another folder"
                )

    def _path(self, pair, image_size, channels):
        """Return where the entry of a pair belongs, None where its files cannot be looked at."""
        try:
            if pair.annotation:  # of shapes that were drawn only the result can be compared
                header = look(pair.image)
                truth = read_truth(pair, stored_size(header.shape, header.orientation))
                files, drawn = [pair.image], hashlib.sha256(truth).hexdigest()
            else:
                files, drawn = [pair.image, pair.mask, *pair.more_masks], ""
            stats = [(os.path.abspath(file), os.stat(file)) for file in files]
        except (OSError, InputError):  # `load_pair` will say it
            return None
        seen = [(name, stat.st_size, stat.st_mtime_ns) for name, stat in stats]
        all_of_it = (seen, drawn, pair.bits, pair.turn_mask, pair.legend, image_size, channels)
        digest = hashlib.sha256(repr((_code(), *all_of_it)).encode()).hexdigest()[:32]
        size = image_size**2 * (channels + 1) + OVERHEAD
        return self.folder / digest[:2] / f"{digest}.{size}"

    def _store(self, path, loaded):
        codes = np.rint(loaded[0] * 255).astype(np.uint8), loaded[1].astype(np.int8)
        if any(a.tobytes() != b.tobytes() for a, b in zip(_numbers(*codes), loaded, strict=True)):
            return  # it would not come back the same
        try:
            path.parent.mkdir(exist_ok=True)
            if self._has_room(path):
                with replacing(path) as temporary, temporary.open("wb") as file:
                    np.savez(file, picture=codes[0], mask=codes[1])
        except (OSError, InputError) as error:
            self.give_up(error)

    def _has_room(self, path):
        """Whether there is room for an entry, once what nobody used for long is removed for it."""
        if path.parent in self._full:
            return False
        room = min(self.limit, shutil.disk_usage(self.folder).free) / PARTS - _bytes_of(path.name)
        taken = sum(map(_bytes_of, os.listdir(path.parent)))
        if taken > room:
            for used, entry in _by_last_use(path.parent):
                if taken <= room or time.time() - used < STAYS:
                    break
                entry.unlink(missing_ok=True)
                taken -= _bytes_of(entry.name)
        if taken > room:
            self._full.add(path.parent)
            self._say("has no room for all of this set")
        return taken <= room


@cache
def _code():
    """Return what tells apart the versions of all that makes arrays of files."""
    digest = hashlib.sha256()
    for module in sorted(Path(__file__).parent.rglob("*.py")):
        digest.update(module.read_bytes())
    for library in LIBRARIES:
        with suppress(metadata.PackageNotFoundError):
            digest.update(f"{library} {metadata.version(library)}".encode())
    return digest.hexdigest()


def _read(path, shape):
    """Return the (picture, mask) of an entry, None where there is none or it is damaged."""
    try:
        with path.open("rb") as file:
            used = os.fstat(file.fileno()).st_mtime
            with np.load(file) as content:
                codes = content["picture"], content["mask"]
    except Exception:  # which one, depends on the damage; the picture itself is still there
        return None
    if [array.shape for array in codes] != [shape, (*shape[:2], 1)]:
        return None
    if time.time() - used > NOTED:
        with suppress(OSError):
            os.utime(path)
    return _numbers(*codes)


def _numbers(picture, mask):
    """Return the codes of an entry as `load_pair` gives them."""
    return picture.astype(np.float32) / np.float32(255), mask.astype(np.float32)


def _bytes_of(name):
    """Return the bytes in the name of an entry, even an unfinished one: faster than to ask."""
    size = name.rpartition(".")[2]
    return int(size) if size.isdecimal() else 0


def _by_last_use(folder):
    """Return (time, path) of the entries in a folder, in that order."""
    entries = []
    for path in _entries(folder, "*"):
        with suppress(FileNotFoundError):  # another process removed it
            entries.append((path.stat().st_mtime, path))
    return sorted(entries)


def _entries(folder, pattern):
    """Return the paths of entries, and of no file that is somebody else's."""
    return [path for path in folder.glob(pattern) if _bytes_of(path.name)]
