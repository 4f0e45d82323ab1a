"""Start Keras without noise on the screen.

TensorFlow writes start-up notes to the process's error stream before any of its settings for
logging can take effect, so that stream is closed for the moment of the import. Errors are not
lost: they are raised as exceptions, not written.
"""

import os
import sys

from lesion.console import without_errors_shown


def start_keras():
    """Import Keras and its backend quietly; a second call does nothing. Takes seconds."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    if "keras" in sys.modules:
        return
    with without_errors_shown():
        import keras

        keras.ops.zeros(1)  # the backend's devices are looked up, and reported on, at first use
