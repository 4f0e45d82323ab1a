"""Correct masks by brush, keep them as truth, train on them: what the page's second tab does.

canvas = to_canvas(picture, mask)               # picture and mask to paint on
mask = from_canvas(mask, canvas.mask, painted)
save(folder, path, mask)                        # image/ and label/, ready for `segment.py train`
for progress in Retraining().train(weights, folder, epochs=10): ...
"""

import hashlib
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

from lesion.app.models import RUNS
from lesion.app.pictures import network_of
from lesion.console import InputError
from lesion.inputs import Pair, read_mask
from lesion.inputs.annotations.export import Plain
from lesion.inputs.conversion import write_picture
from lesion.runs import create_run_folder, release
from lesion.storage import read_table

CANVAS = 1024  # pixels of the longer side that is painted on; phones have little memory
PROJECT = Path(__file__).parents[2]
POLL = 1.0  # seconds between looks at a training


class Canvas(NamedTuple):
    """What is painted on, no larger than CANVAS.

    Attributes:
        picture: uint8 RGB (h, w, 3).
        mask: uint8 0/1 (h, w).
    """

    picture: np.ndarray
    mask: np.ndarray


def to_canvas(picture: np.ndarray, mask: np.ndarray) -> Canvas:
    """Return a picture, uint8 RGB (H, W, 3), and its mask of 0 and 1 (H, W) to paint on."""
    height, width = mask.shape
    scale = min(1, CANVAS / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return Canvas(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), _resize(mask, size))


def from_canvas(mask: np.ndarray, before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """Return a mask with what was painted and erased; all other pixels stay as they were.

    Args:
        mask: uint8 0/1 (H, W) that the canvas was made of.
        before, after: uint8 0/1 (h, w), the mask of the canvas and what was made of it.
    """
    changed, after = (_resize(one, mask.shape[::-1]) for one in (before ^ after, after))
    return np.where(changed == 1, after, mask)


def _resize(mask, size):
    """Return a mask of 0 and 1 at (width, height); a pixel that is half lesion is lesion."""
    if mask.shape == size[::-1]:
        return mask
    shrinks = size[0] < mask.shape[1]
    how = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return (cv2.resize(mask.astype(np.float32), size, interpolation=how) >= 0.5).astype(np.uint8)


def label_of(folder: str | Path, path: str | Path) -> Path:
    """Return where the corrected mask of a picture lies, or will lie.

    The name holds a part of the SHA-256 of the file: the same picture has one mask, and no other
    picture of that name takes its place.
    """
    path = Path(path)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()[:8]
    return Path(folder) / "label" / f"{path.stem}-{digest}.png"


def saved_mask(folder: str | Path, path: str | Path) -> np.ndarray | None:
    """Return the mask that was saved for a picture, uint8 0/1 (H, W), or None."""
    label = label_of(folder, path)
    return (read_mask(label) == 1).astype(np.uint8) if label.is_file() else None


def save(folder: str | Path, path: str | Path, mask: np.ndarray) -> int:
    """Keep a picture and its corrected mask; return how many are in the folder now.

    Args:
        folder: gets `image/` and `label/`, as `segment.py train --data` takes them.
        path: of the picture.
        mask: uint8 0/1 (H, W), of the upright picture.

    Raises:
        InputError: they cannot be written.
    """
    label = label_of(folder, path)
    try:
        name, _ = write_picture(Pair(label.stem, Path(path)), Path(folder) / "image")
        Plain(Path(folder)).add(name, mask)
    except OSError as error:
        raise InputError(f"{folder}: cannot be written ({error.strerror}); free space") from None
    return count(folder)


def count(folder: str | Path) -> int:
    """Return how many corrected masks are in a folder."""
    return len(list(Path(folder).glob("label/*.png")))


# What a shell starts in the background ignores Ctrl-C, and so would all that it starts itself.
TRAIN = (
    "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler); "
    "import segment; sys.exit(segment.main(['train', *sys.argv[1:]]))"
)


ENDING = 10  # seconds that a training has to end in good order, before it is asked again


class Progress(NamedTuple):
    """How far a training is.

    Attributes:
        run: its run folder.
        epoch: of `epochs`, how many are over.
        dice: validation Dice of the last one, None before the first.
        state: "running", "done" or "stopped".
    """

    run: Path
    epoch: int
    epochs: int
    dice: float | None
    state: str


class Retraining:
    """One training at a time, in a process of its own: it can be stopped, and gives memory back."""

    def __init__(self):
        self._process, self._stopped = None, False

    def train(self, weights: str | Path, folder: str | Path, epochs: int) -> Iterator[Progress]:
        """Train a network on from its weights on a folder of corrected masks.

        It is `segment.py train`, with a new run folder in runs/.

        Args:
            weights: path of the network to begin from.
            folder: with `image/` and `label/`, three pairs at least.
            epochs: passes over them.

        Raises:
            InputError: a training is going on, nothing was saved, or what that command says.
        """
        if self._process:
            raise InputError("a training is going on: wait for its end, or stop it")
        if not count(folder):
            raise InputError(f"{folder}: holds no corrected picture yet; save some first")
        run = create_run_folder(RUNS, "corrected")
        release(run)  # for the process that trains, which claims it
        command = [sys.executable, "-c", TRAIN, *_options(weights, folder, epochs)]
        with tempfile.TemporaryFile("w+") as output:
            command += ["--out", str(run.resolve())]
            process = subprocess.Popen(command, cwd=PROJECT, stdout=output, stderr=output)
            self._process, self._stopped = process, False
            try:
                while process.poll() is None:
                    yield _progress(run, epochs, "running")
                    time.sleep(POLL)
            finally:
                self.stop()
                self._process = None
            if process.returncode and not self._stopped:
                raise InputError(_reason(output))
            yield _progress(run, epochs, "stopped" if process.returncode else "done")

    def stop(self) -> None:
        """End a training that is going on, in good order; its folder can be gone on with."""
        process = self._process
        while process and process.poll() is None:
            self._stopped = True
            process.send_signal(signal.SIGINT)
            with suppress(subprocess.TimeoutExpired):  # one that has hardly begun may miss it
                process.wait(ENDING)


def _options(weights, folder, epochs):
    network = network_of(weights)
    return [
        *("--data", str(Path(folder).resolve()), "--start-from", str(Path(weights).resolve())),
        *("--epochs", str(epochs), "--size", str(network.image_size)),
        *("--channels", str(network.channels), "--model", network.settings.get("model", "lite")),
    ]


def _progress(run, epochs, state):
    path = run / "history.csv"
    rows = read_table(path) if path.is_file() else []
    return Progress(run, len(rows), epochs, rows[-1]["val_dice"] if rows else None, state)


def _reason(output):
    """Return the line in which a command said why it failed, else its last one."""
    output.seek(0)
    lines = [line.strip() for line in output if line.strip()] or ["the training failed"]
    told = [line.removeprefix("error: ") for line in lines if line.startswith("error: ")]
    return (told or lines)[-1]
