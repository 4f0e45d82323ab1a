"""The run folder: one new folder for each training.

A run folder holds model.keras, model.json (every parameter of the run and the threshold),
split.json, history.csv, scores.csv, scores.json, report.html, figures/ and tensorboard/.
"""

import fcntl
import importlib.metadata
import os
import platform
import shlex
import subprocess
import sys
import uuid
from datetime import datetime
from pathlib import Path

from lesion.console import InputError
from lesion.storage import TEMPORARY

PACKAGES = ("tensorflow", "keras", "numpy", "opencv-python-headless", "pillow", "scikit-image")
_held = {}  # (device, inode) of a folder -> open descriptor, which holds its lock


def _hold(directory):
    """Keeps other processes out of a folder until this one ends, in whatever way.

    Raises:
        ValueError: another process holds it.
    """
    descriptor = os.open(directory, os.O_RDONLY)
    about = os.fstat(descriptor)
    folder = (about.st_dev, about.st_ino)
    if folder in _held:
        os.close(descriptor)
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(descriptor)
        raise InputError(
            f"{directory}: another process is writing there: wait for its end or give a new folder"
        ) from error
    except OSError:  # a file system without locks
        os.close(descriptor)
        return
    _held[folder] = descriptor


def claim_folder(directory):
    """Creates `directory` for results, or takes it when it exists and is empty.

    Returns:
        Its `Path`.

    Raises:
        ValueError: it holds files already (earlier results are never overwritten), is a file,
            cannot be written, or another process has claimed it.
    """
    directory = Path(directory)
    try:
        directory.mkdir(parents=True, exist_ok=True)
        _hold(directory)
        occupied = any(directory.iterdir())
        probe = directory / f".{uuid.uuid4().hex}"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise InputError(
            f"{directory}: cannot write results there ({error.strerror}): give another folder"
        ) from error
    if occupied:
        raise InputError(
            f"{directory}: already holds files, which are never overwritten: give a new folder"
        )
    return directory


def resume_folder(directory):
    """Takes the folder of an interrupted training to go on in it, or a new one.

    Raises:
        ValueError: it holds files, but none that an interrupted training leaves, or another
            process is training there.
    """
    directory = Path(directory)
    if not directory.is_dir():
        return claim_folder(directory)
    names = {path.name for path in directory.iterdir() if not TEMPORARY.fullmatch(path.name)}
    if "parameters.json" not in names and names - {"split.json"}:
        return claim_folder(directory)
    _hold(directory)
    return directory


def create_run_folder(parent, name):
    """Creates a new, empty folder `parent/<date>-<time>-<name>`; a number is added when taken."""
    stamp = datetime.now().strftime("%Y%m%d-%H%M%S")
    for number in range(1, 1000):
        run = Path(parent) / (f"{stamp}-{name}" + (f"-{number}" if number > 1 else ""))
        try:
            run.mkdir(parents=True)
        except FileExistsError:
            continue
        except OSError as error:
            raise InputError(f"{run}: cannot create this folder ({error.strerror})") from error
        _hold(run)
        return run
    raise InputError(f"{parent}: cannot find a free name for a run folder")


def unused_folder(directory=None):
    """Return a folder for a notebook's next training: the one named, else a new one in runs/.

    Args:
        directory: folder; None, or one that holds a training already, stands for a new one.
    """
    if directory is None or (Path(directory) / "parameters.json").exists():
        return create_run_folder("runs", "notebook")
    return Path(directory)


def describe_environment():
    """What a run was made with: versions, command, time and git commit, for its record."""
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
    command = ["git", "-C", str(root), "describe", "--always", "--dirty", "--abbrev=12"]
    try:
        result = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):
        return None  # not a checkout, or no git on this machine
    return result.stdout.strip()
