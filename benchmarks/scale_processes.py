"""Training by 1, 2 and 4 processes and prediction on as many cores, through `segment.py` itself."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.scale_stages import BATCH, TRAINED_SIZE

SEGMENT = Path(__file__).resolve().parents[1] / "segment.py"
COUNTS = (1, 2, 4)
TRAINED = "lean"  # whose graph JAX compiles sooner than that of "lite"
EPOCHS = 2  # of which the first, which builds graphs, is not timed
PREDICTED = 50, 200  # pictures that are done when the clock starts, and when it stops
PATIENCE = 300  # seconds that a command may take
LOOK = 0.02  # seconds between two looks at what it has written


def measure(folder: Path, pictures: int) -> list[dict]:
    """Time both kinds of work on the set of so many pictures; [] if that is 0.

    Args:
        folder: holds the set, and gets what the commands write.

    Returns:
        A row each: work, processes, pictures/s; None where the command could not do it in time.
    """
    data, rows = folder / str(pictures), []
    cores = sorted(os.sched_getaffinity(0))
    for work in ("train", "predict --engine threads", "predict --engine ray") if pictures else ():
        for count in COUNTS:
            out = folder / f"{work.replace(' ', '-')}-{count}"
            if work == "train":
                # Of one process, too, by JAX: what several train with.
                words = [work, "--data", data, "--model", TRAINED, "--size", TRAINED_SIZE]
                words += ["--batch", BATCH, "--epochs", EPOCHS, "--test", 0, "--out", out]
                words += ["--processes", count] if count > 1 else []
                rate = rate_of(words, cores, lambda out=out: epochs(out), (1, EPOCHS))
                rate = rate and rate * pictures
            elif count <= len(cores):  # one process a core is Ray's rule
                words = [*work.split(), data / "image", "--out", out]
                rate = rate_of(words, cores[:count], lambda out=out: masks(out), PREDICTED)
            else:
                continue
            rows.append({"work": work, "processes": count, "pictures/s": rate})
    return rows


def epochs(run: Path) -> int:
    """Return how many epochs a training has ended."""
    history = run / "history.csv"
    return history.read_text(encoding="utf-8").count("\n") - 1 if history.is_file() else 0


def masks(out: Path) -> int:
    """Return how many pictures are predicted."""
    return sum(1 for _ in out.glob("*_mask.png"))


def rate_of(
    words: list, cores: list[int], done: Callable[[], int], between: tuple[int, int]
) -> float | None:
    """Run segment.py until enough is done; return how much that is a second, None if it ends first.

    Args:
        words: of its command line.
        cores: that it may use.
        done: counts.
        between: counts at which the clock starts and stops.
    """
    process = subprocess.Popen(
        [sys.executable, SEGMENT, *map(str, words)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=os.environ | {"KERAS_BACKEND": "jax"},
        start_new_session=True,
        preexec_fn=lambda: os.sched_setaffinity(0, cores),
    )
    start, began = time.perf_counter(), None
    try:
        while process.poll() is None and time.perf_counter() - start < PATIENCE:
            now, count = time.perf_counter(), done()
            if began is None and count >= between[0]:
                began = now, count
            if count >= between[1]:
                return (count - began[1]) / (now - began[0]) if count > began[1] else None
            time.sleep(LOOK)
        return None
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGINT)
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
        process.wait()
