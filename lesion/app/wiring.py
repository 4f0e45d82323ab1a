"""What the tabs share: texts by the browser's language, mistakes in words, folders for files."""

import inspect
import tempfile
from collections.abc import Callable, Sequence
from functools import wraps
from pathlib import Path

import gradio as gr
import numpy as np
from markupsafe import Markup, escape
from PIL import Image

from lesion.app.painter import data_url
from lesion.app.texts import LANGUAGES, Told, language_of, words
from lesion.console import one_line, usable_cores
from lesion.page import framed

translate = gr.I18n(**LANGUAGES, **{f"pt-{land}": LANGUAGES["pt"] for land in ("BR", "PT")})

# Whoever asks while as many are being answered waits in the queue.
PREDICTING = {"concurrency_id": "predict", "concurrency_limit": usable_cores()}
SIDE = 1024  # pixels; files to download have all of them
# A slider that is being dragged: the last position counts, and nothing flickers.
SLIDING = {"trigger_mode": "always_last", "show_progress": "hidden"}


def language(request: gr.Request) -> str:
    """Return "en" or "pt", by what the browser asks for."""
    return language_of(request.headers.get("accept-language"))


def in_words(handler: Callable) -> Callable:
    """Make an event's function tell mistakes of the user on the page, in one line each.

    Where the browser speaks another language, what is told in English is said to be so.
    """

    def told(error, values):
        line = one_line(error)
        if line is None:
            raise error
        spoken = next((language(one) for one in values if isinstance(one, gr.Request)), "en")
        if not isinstance(error, Told):
            line = escape(words("says", spoken)) + english(line)
        return gr.Error(str(escape(line)), duration=None, print_exception=False)

    if inspect.isgeneratorfunction(handler):

        @wraps(handler)
        def answer(*values):
            try:
                yield from handler(*values)
            except Exception as error:
                raise told(error, values) from None
    else:

        @wraps(handler)
        def answer(*values):
            try:
                return handler(*values)
            except Exception as error:
                raise told(error, values) from None

    return answer


def english(line: str) -> Markup:
    """Return a line of the program, which speaks English, as HTML that names the language."""
    return Markup('<span lang="en">{}</span>').format(line)


def status(*lines: str, warnings: Sequence[str] = ()) -> str:
    """Return lines, text or `english`, as HTML that a screen reader speaks when they change.

    Warnings stand out.
    """
    kinds = [("note", line) for line in lines] + [("warning", line) for line in warnings]
    said = "".join(f'<p class="{kind}">{escape(line)}</p>' for kind, line in kinds if line)
    return f'<div role="status">{said}</div>'


def figure(picture: Path | np.ndarray, caption: str) -> str:
    """Return a picture as HTML with words below it, at most SIDE pixels large.

    Args:
        picture: file, or uint8 (H, W, 3).
        caption: what it is, also for who cannot see it.
    """
    image = Image.fromarray(picture) if isinstance(picture, np.ndarray) else Image.open(picture)
    image.thumbnail((SIDE, SIDE))
    kind = "PNG" if image.mode == "L" else "JPEG"
    return framed(data_url(np.asarray(image), kind), caption)


def side_by_side(*figures: str) -> str:
    """Return figures as HTML, in a row where there is room, else below each other."""
    return f'<div class="figures">{"".join(figures)}</div>'


def new_folder() -> Path:
    """Return a new folder beside the uploads, which is removed with them."""
    return Path(tempfile.mkdtemp(dir=gr.utils.get_upload_folder()))
