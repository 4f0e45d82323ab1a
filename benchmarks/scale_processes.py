"""Training by 1, 2 and 4 processes and prediction on as many cores, through `segment.py` itself."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.scale_stages import BATCH, TRAINED_SIZE

SEGMENT = Path(__file__).resolve().parents[1] / "segment.py"
COUNTS = (1, 2, 4)
TRAINED = "lean"  # whose graph JAX compiles sooner than that of "lite"
TRAINING = {"KERAS_BACKEND": "jax"}  # for one process, too: what several of them train with
EPOCHS = 3  # of which the first, which builds graphs, is not timed
PREDICTED = 50, 250  # pictures that are done when the clock starts, and when it stops
PATIENCE = 300  # seconds that a command may take
LOOK = 0.02  # seconds between two looks at what it has written


def measure(folder: Path, pictures: int) -> list[dict]:
    """Time both kinds of work on the set of so many pictures; [] if that is 0.

    Args:
        folder: holds the set, and gets what the commands write.

    Returns:
        A row each: work, processes, pictures/s; None where the command could not do it in time.
    """
    if not pictures:
        return []
    data, rows = folder / str(pictures), []
    for count in COUNTS:
        rate = training(data, count, pictures)
        rows.append({"work": "train", "processes": count, "pictures/s": rate})
    for engine in ("threads", "ray"):
        for count in COUNTS:
            if count <= len(os.sched_getaffinity(0)):  # one process a core is Ray's rule
                rate = prediction(data, engine, count)
                work = f"predict --engine {engine}"
                rows.append({"work": work, "processes": count, "pictures/s": rate})
    return rows


def training(data: Path, count: int, pictures: int) -> float | None:
    """Return how many pictures are trained and validated on in a second after the first epoch."""
    out = data.with_name(f"train-{count}")
    words = ["train", "--data", data, "--model", TRAINED, "--size", TRAINED_SIZE, "--batch", BATCH]
    words += ["--epochs", EPOCHS, "--test", 0, "--out", out]
    words += ["--processes", count] if count > 1 else []
    history = out / "history.csv"

    def epochs():
        return history.read_text(encoding="utf-8").count("\n") - 1 if history.is_file() else 0

    with command(words, out.with_suffix(".log"), TRAINING) as process:
        return rate_of(process, epochs, 1, EPOCHS, pictures)


def prediction(data: Path, engine: str, count: int) -> float | None:
    """Return how many pictures are predicted in a second, once that is going, on some cores."""
    out = data.with_name(f"{engine}-{count}")
    words = ["predict", data / "image", "--engine", engine, "--out", out]

    def masks():
        return sum(1 for _ in out.glob("*_mask.png"))

    with command(words, out.with_suffix(".log"), {}, count) as process:
        return rate_of(process, masks, *PREDICTED, 1)


def rate_of(
    process: subprocess.Popen, done: Callable[[], int], first: int, last: int, pictures: int
) -> float | None:
    """Return pictures a second between two states of a command, None if it ends before."""
    start, began = time.perf_counter(), None
    while process.poll() is None and time.perf_counter() - start < PATIENCE:
        now, count = time.perf_counter(), done()
        if began is None and count >= first:
            began = now, count
        if count >= last:
            return (count - began[1]) * pictures / (now - began[0]) if count > began[1] else None
        time.sleep(LOOK)
    return None


@contextmanager
def command(words: list, log: Path, variables: dict, cores: int = 0) -> Iterator[subprocess.Popen]:
    """Run segment.py for as long as the `with` lasts, in a process group of its own.

    Args:
        words: of its command line.
        log: file that gets what it prints.
        variables: of its environment.
        cores: that it may use, 0 for all.
    """
    own = sorted(os.sched_getaffinity(0))[: cores or None]
    with log.open("w") as file:
        process = subprocess.Popen(
            [sys.executable, SEGMENT, *map(str, words)],
            stdout=file,
            stderr=file,
            env=os.environ | variables,
            start_new_session=True,
            preexec_fn=lambda: os.sched_setaffinity(0, own),
        )
    try:
        yield process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGINT)
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
        process.wait()
