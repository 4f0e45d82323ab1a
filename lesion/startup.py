"""Start Keras without noise on the screen.

TensorFlow writes start-up notes to the process's error stream before any of its settings for
logging can take effect, so that stream is closed for the moment of the import. Errors are not
lost: they are raised as exceptions, not written.
"""

import ctypes
import importlib.metadata
import logging
import os
import re
import subprocess
import sys
from pathlib import Path

from lesion import processes
from lesion.console import usable_cores, without_errors_shown

# Numbers of glibc's malloc.h, and what they are set to here.
TRIM_THRESHOLD, MMAP_THRESHOLD = -1, -3
KEPT, LARGEST = 1 << 30, 32 << 20  # bytes; glibc takes no larger threshold than the second


def start_keras():
    """Import Keras and its backend without their notes; takes seconds, a second call nothing."""
    keep_memory()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    if "keras" in sys.modules:
        return
    several = processes.member() is not None
    if several:
        os.environ.setdefault("KERAS_BACKEND", "jax")
    with without_errors_shown():
        import keras

        if not several:  # JAX may not be used before the others are there
            keras.ops.zeros(1)  # the backend's devices are looked up, and reported on, at first use
    # Each of several networks builds a graph of its own, which TensorFlow warns of.
    logging.getLogger("tensorflow").setLevel(logging.ERROR)


def keep_memory():
    """Let freed memory stay with the process, up to a gigabyte, for what needs it next.

    A training frees and takes the same large blocks in each step. glibc gives them back to the
    system each time, which clears them page by page: a fifth to a third of the processor's time.
    Without glibc nothing happens.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if mallopt:
        mallopt(TRIM_THRESHOLD, KEPT)
        mallopt(MMAP_THRESHOLD, LARGEST)


def install_missing(requirements: str | Path = "requirements.txt") -> None:
    """Install what a hosted notebook lacks, and nothing elsewhere.

    Colab and Kaggle bring most packages, in versions that suit their processors: those stay.
    """
    if "google.colab" not in sys.modules and "KAGGLE_KERNEL_RUN_TYPE" not in os.environ:
        return
    lines = Path(requirements).read_text(encoding="utf-8").splitlines()
    wanted = [line for line in lines if line and not line.startswith("#")]
    missing = [line for line in wanted if not _is_installed(re.match(r"[\w.-]+", line)[0])]
    if missing:
        print("installing", *missing)
        subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", *missing], check=True)


def _is_installed(name):
    try:
        importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


def start_notebook():
    """Start Keras in a notebook, where mistakes are told in one line and figures in words, too."""
    start_keras()
    import keras

    from lesion import jupyter

    jupyter.show_mistakes_in_one_line()
    jupyter.describe_figures()
    print(f"Keras {keras.__version__} on {keras.backend.backend()}, {usable_cores()} cores")
