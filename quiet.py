"""Import this before Keras: TensorFlow's start-up notes then stay off the screen.

TensorFlow writes them to the process's error stream before any of its settings for logging can
take effect, so that stream is closed for the moment of the import. Errors are not lost: they are
raised as exceptions, not written.
"""

import os
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

if "keras" not in sys.modules:
    sys.stderr.flush()
    _stream, _nothing = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(_nothing, 2)
        import keras

        keras.ops.zeros(1)  # the backend's devices are looked up, and reported on, at first use
    finally:
        os.dup2(_stream, 2)
        os.close(_stream)
        os.close(_nothing)
