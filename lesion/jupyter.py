"""What a notebook needs besides its cells: mistakes in one line, figures that grow and that speak.

jupyter.show_mistakes_in_one_line()
show, live = jupyter.screen()
"""

import inspect
import sys
from collections.abc import Callable

from lesion.console import one_line

LONGEST_ALT = 300  # letters


def get_ipython():
    """Return the running IPython, or None, without importing it where nobody has."""
    ipython = sys.modules.get("IPython")
    return ipython.get_ipython() if ipython else None


def somebody_looks() -> bool:
    """Return whether this runs in a notebook that somebody has open.

    A front end that can be asked for input has somebody before it; `make run`, papermill and
    nbconvert, which execute a notebook on their own, say that they cannot.
    """
    parent = getattr(get_ipython(), "get_parent", dict)()
    return bool(parent.get("content", {}).get("allow_stdin"))


def screen() -> tuple[Callable[[bytes, str], None] | None, bool]:
    """Return what shows a picture in the place of the one before, and whether somebody looks at it.

    The function takes the bytes of a PNG or JPEG and a text for who cannot see it; it is None
    outside notebooks.
    """
    if not hasattr(get_ipython(), "kernel"):
        return None, False
    from IPython.display import Image, display

    handle = None

    def show(data, alt):
        nonlocal handle
        picture = Image(data, alt=alt)
        if handle is None:
            handle = display(picture, display_id=True)
        else:
            handle.update(picture)

    return show, somebody_looks()


def describe_figures():
    """Give every Matplotlib figure that a notebook shows its own words as alternative text."""
    from IPython.core.pylabtools import print_figure
    from matplotlib.figure import Figure

    def png(figure):
        return print_figure(figure, "png"), {"alt": words_of(figure)}

    get_ipython().display_formatter.formatters["image/png"].for_type(Figure, png)


def words_of(figure) -> str:
    """Return what a figure says in its titles, each once, or else inside its axes, as a line."""
    titles = [figure.get_suptitle(), *(axis.get_title() for axis in figure.axes)]
    if not any(titles):
        titles = [text.get_text() for axis in figure.axes for text in axis.texts]
    lines = dict.fromkeys(" ".join(title.split()) for title in titles)
    words = "; ".join(filter(None, lines))
    return words if len(words) <= LONGEST_ALT else f"{words[: LONGEST_ALT - 1]}…"


def print_source(function: Callable):
    """Print the code of a function."""
    print(inspect.getsource(function))


def show_mistakes_in_one_line():
    """Let a notebook show a mistake of the user in one line, not in sixty.

    So it does where somebody stops the kernel, or where a cell uses a name that only a cell further
    up would have made. Every other error keeps its traceback.
    """
    get_ipython().set_custom_exc((Exception, KeyboardInterrupt), _show_error)


def _show_error(shell, kind, error, traceback, tb_offset=None):
    """IPython's handler of an error: still an error to whoever runs the notebook, but short."""
    text = _one_line(error, traceback, shell)
    if text is None:
        lines = shell.InteractiveTB.structured_traceback(kind, error, traceback, tb_offset)
    else:
        lines = [f"\x1b[1;31merror:\x1b[0m {text}"]
    shell._showtraceback(kind, error, lines)


def _one_line(error, traceback, shell):
    if isinstance(error, KeyboardInterrupt):
        return "stopped by hand"
    if isinstance(error, NameError):
        while traceback.tb_next:
            traceback = traceback.tb_next
        if traceback.tb_frame.f_globals is shell.user_ns:  # in a cell, not in a module
            return (
                f"{error}: run the cells above first, from the top (menu Run, Run All Above "
                "Selected Cell); or is it misspelt?"
            )
    return one_line(error)
