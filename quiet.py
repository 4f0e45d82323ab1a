"""Import this before Keras: TensorFlow's start-up notes then stay off the screen.

TensorFlow writes them to the process's error stream before any of its settings for logging can
take effect, so that stream is closed for the moment of the import. Errors are not lost: they are
raised as exceptions, not written.
"""

import os
import sys

from console import without_errors_shown

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

if "keras" not in sys.modules:
    with without_errors_shown():
        import keras

        keras.ops.zeros(1)  # the backend's devices are looked up, and reported on, at first use
