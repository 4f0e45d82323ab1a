"""The folder of results: claimed by one process, never overwritten, removed again if left empty.

with releasing(claim_folder("runs/mine")) as run:
    ...

The run folder of a training holds model.keras, model.json (every constant of the run and what was
chosen on validation), split.json, history.csv, scores.csv, scores.json, report.html, figures/ and
tensorboard/.
"""

import atexit
import importlib.metadata
import os
import platform
import shlex
import subprocess
import sys
import uuid
from collections.abc import Iterator, Set
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from filelock import FileLock, Timeout

from lesion.console import InputError
from lesion.storage import TEMPORARY

PACKAGES = (
    *("tensorflow", "jax", "keras", "ai-edge-litert", "numpy", "scipy", "opencv-python-headless"),
    *("pillow", "scikit-image", "scikit-learn"),
)
LOCK = ".lock"  # in a claimed folder; a killed process leaves it there, where it holds nobody back


@dataclass
class _Claim:
    """A folder that this process holds: its lock, and the folders that were made for it."""

    lock: FileLock
    made: list[Path]


_claims = {}  # by real path


def claim_folder(directory: str | Path, known: Set[str] = frozenset()) -> Path:
    """Create `directory` for results, or take it when it exists and is empty.

    Other processes are kept out until it is released, or this one ends in whatever way.

    Args:
        directory: folder.
        known: names of what may be in it all the same, left there by an earlier call.

    Raises:
        InputError: it holds files already (earlier results are never overwritten), is a file,
            cannot be written, or another process has claimed it.
    """
    directory = Path(directory)
    held = os.path.realpath(directory) in _claims
    try:
        made = [path for path in (directory, *directory.parents) if not path.exists()]
        directory.mkdir(parents=True, exist_ok=True)
        _hold(directory, made)
        if _names(directory) - known:
            raise InputError(
                f"{directory}: already holds files, which are never overwritten: give a new folder"
            )
        probe = directory / f".{uuid.uuid4().hex}"
        probe.touch()
        probe.unlink()
    except (OSError, InputError) as error:
        if not held:
            release(directory)
        if isinstance(error, InputError):
            raise
        raise InputError(
            f"{directory}: cannot write results there ({error.strerror}): give another folder"
        ) from error
    return directory


def resume_folder(directory: str | Path, left: str = "parameters.json") -> Path:
    """Claim the folder of an interrupted training or other job to go on in it, or a new one.

    Args:
        directory: folder.
        left: name of a file that the job leaves when it is interrupted.

    Raises:
        InputError: it holds files, but none that an interrupted job leaves, or another process
            works there.
    """
    directory = Path(directory)
    if not directory.is_dir():
        return claim_folder(directory)
    names = _names(directory)
    if left not in names and names - {"split.json"}:
        return claim_folder(directory)
    _hold(directory, [])
    return directory


def create_run_folder(parent: str | Path, name: str) -> Path:
    """Claim a new folder `parent/<date>-<time>-<name>`; a number is added when taken."""
    stamp = datetime.now().strftime("%Y%m%d-%H%M%S")
    for number in range(1, 1000):
        run = Path(parent) / (f"{stamp}-{name}" + (f"-{number}" if number > 1 else ""))
        made = [path for path in (run, *run.parents) if not path.exists()]
        try:
            run.mkdir(parents=True)
        except FileExistsError:
            continue
        except OSError as error:
            raise InputError(f"{run}: cannot create this folder ({error.strerror})") from error
        _hold(run, made)
        return run
    raise InputError(f"{parent}: cannot find a free name for a run folder")


def unused_folder(directory: str | Path | None = None) -> Path:
    """Return a folder for a notebook's next training: the one named, else a new one in runs/.

    Args:
        directory: folder; None, or one that holds a training already, stands for a new one.
    """
    if directory is None or (Path(directory) / "parameters.json").exists():
        return create_run_folder("runs", "notebook")
    return Path(directory)


@contextmanager
def releasing(directory: Path) -> Iterator[Path]:
    """Give a claimed folder to a `with` block and release it at the end, however that comes."""
    try:
        yield directory
    finally:
        release(directory)


def release(directory: Path) -> None:
    """Let other processes in again, and remove the folders made for a claim if they are empty."""
    claim = _claims.pop(os.path.realpath(directory), None)
    if claim is None:
        return
    with suppress(OSError):  # on Windows, where nobody can remove a file that is open
        (directory / LOCK).unlink()
    claim.lock.release()
    with suppress(OSError):  # as soon as one is not empty
        for path in claim.made:
            path.rmdir()


@atexit.register
def _release_all():
    for directory in list(_claims):
        release(Path(directory))


def _names(directory):
    """Return the names of what is in a folder, without the lock and what a kill left unfinished."""
    names = os.listdir(directory)
    return {name for name in names if name != LOCK and not TEMPORARY.fullmatch(name)}


def _hold(directory, made):
    """Keep other processes out of a folder; `made` are those to remove again, innermost first.

    Raises:
        InputError: another process holds it.
    """
    if os.path.realpath(directory) in _claims:
        return
    # Not bound to the thread: a notebook may claim in one and release in another.
    lock = FileLock(directory / LOCK, thread_local=False)
    try:
        lock.acquire(blocking=False)
    except Timeout as error:
        raise InputError(
            f"{directory}: another process is writing there: wait for its end or give a new folder"
        ) from error
    except OSError:
        pass  # a file system without locks
    _claims[os.path.realpath(directory)] = _Claim(lock, made)


def describe_environment() -> dict:
    """Return what a run is made with, for its record: versions, command, time and git commit."""
    versions = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            versions[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            versions[package] = None
    return {
        "created": datetime.now().astimezone().isoformat(timespec="seconds"),
        "command": shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]]),
        "git_commit": _git_commit(),
        "versions": versions,
    }


def _git_commit():
    root = Path(__file__).parents[1]
    if not (root / ".git").exists():  # installed, perhaps inside of somebody's own repository
        return None
    command = ["git", "-C", str(root), "describe", "--always", "--dirty", "--abbrev=12"]
    try:
        result = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):
        return None  # no git on this machine
    return result.stdout.strip()
