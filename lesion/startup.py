"""Start Keras without noise on the screen.

TensorFlow writes start-up notes to the process's error stream before any of its settings for
logging can take effect, so that stream is closed for the moment of the import. Errors are not
lost: they are raised as exceptions, not written.
"""

import os
import sys

from lesion.console import InputError, usable_cores, without_errors_shown


def start_keras():
    """Import Keras and its backend without their notes; takes seconds, a second call nothing."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    if "keras" in sys.modules:
        return
    with without_errors_shown():
        import keras

        keras.ops.zeros(1)  # the backend's devices are looked up, and reported on, at first use


def start_notebook():
    """Start Keras, and let a notebook show a mistake of the user in one line, not in sixty.

    Stopping the kernel by hand is shown in one line too. Every other error keeps its traceback.
    """
    start_keras()
    import keras
    from IPython import get_ipython

    shown = (InputError, FileNotFoundError, KeyboardInterrupt)
    get_ipython().set_custom_exc(shown, _show_in_one_line)
    print(f"Keras {keras.__version__} on {keras.backend.backend()}, {usable_cores()} cores")


def _show_in_one_line(shell, kind, error, traceback, tb_offset=None):
    """IPython's handler of an error: still an error to whoever runs the notebook, but short."""
    text = str(error) or "stopped by hand"
    shell._showtraceback(kind, error, [f"\x1b[1;31merror:\x1b[0m {text}"])
