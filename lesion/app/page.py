"""The page as a whole: three tabs, one look, and nothing that leaves the machine.

with serve(["files/lite.keras"], "runs/corrected") as address: ...
"""

import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

# Read when Gradio is imported: without them it tells its makers of each start.
os.environ |= {"GRADIO_ANALYTICS_ENABLED": "False", "HF_HUB_OFFLINE": "1"}

import gradio as gr
from starlette.middleware import Middleware

from lesion.app import compare, correct, outline
from lesion.app.models import find_weights, names_of
from lesion.app.pictures import MOST_BYTES, network_of
from lesion.app.wiring import translate
from lesion.console import InputError

KEPT = 4 * 3600  # seconds that uploads, and what was made of them, are kept
CLEANED = 600  # seconds between looks at what is older
WAITING = 200  # events in the queue; who comes later is asked to try again
SESSIONS = 50  # browsers that are remembered
# Whatever a version of Gradio may ask for: the browser talks to this address alone.
POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; "
    "style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; media-src 'self' data: blob:; "
    "font-src 'self' data:; worker-src 'self' blob:; connect-src 'self' data: blob:; "
    "form-action 'self'; frame-ancestors 'self'"
)
FONTS = ("system-ui", "sans-serif")
THEME = gr.themes.Base(
    primary_hue="blue", neutral_hue="slate", font=FONTS, font_mono=("ui-monospace", "monospace")
).set(  # contrasts of WCAG 2.1, level AA
    body_text_color_subdued="*neutral_600",
    body_text_color_subdued_dark="*neutral_300",
    button_primary_background_fill="*primary_700",
    button_primary_background_fill_hover="*primary_800",
    link_text_color="*primary_700",
    link_text_color_dark="*primary_300",
    color_accent="*primary_700",
)
CSS = """
.dark { --color-accent: #93c5fd; }
.warning { font-weight: 600; border-left: .3rem solid #d55e00; padding-left: .6rem; }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(12rem, 1fr)); gap: 1rem; }
.figures figure { margin: 0; } .figures img { width: 100%; margin: 0; }
.gradio-container .prose :is(table, tr) { border: 0 !important; }
.gradio-container .prose table { width: auto; font-variant-numeric: tabular-nums; }
.gradio-container .prose caption { text-align: left; font-weight: 600; padding: .3rem 0; }
.gradio-container .prose :is(th, td) { padding: .2rem 1rem .2rem 0; text-align: right;
    border: 0; border-bottom: 1px solid var(--border-color-primary); }
.gradio-container .prose th:first-child { text-align: left; }
.gradio-container .prose tbody th { font-weight: 400; }
"""
# Gradio translates itself, but calls every page English.
SCRIPT = "() => { document.documentElement.lang = navigator.language; }"


class OnlyHere:
    """ASGI middleware that tells the browser to load from, and send to, this address alone."""

    def __init__(self, app):
        self.app = app

    async def __call__(self, scope, receive, send):
        async def with_policy(message):
            if message["type"] == "http.response.start":
                message["headers"] = [
                    *message["headers"],
                    (b"content-security-policy", POLICY.encode()),
                    (b"referrer-policy", b"no-referrer"),
                ]
            await send(message)

        await self.app(scope, receive, with_policy)


LAUNCHED = {
    "max_file_size": MOST_BYTES,
    "state_session_capacity": SESSIONS,
    "prevent_thread_lock": True,
    "quiet": True,
    "share": False,
    "ssr_mode": False,
    "pwa": False,
    "mcp_server": False,
    "footer_links": [],
    "app_kwargs": {"middleware": [Middleware(OnlyHere)]},
    "i18n": translate,
    "theme": THEME,
    "css": CSS,
    "js": SCRIPT,
}


def build(
    weights: Sequence[str], corrected: str, data: Sequence[str] = (), local: bool = True
) -> gr.Blocks:
    """Return the page, ready to be launched.

    Args:
        weights: files to choose from besides those in runs/; the first is chosen.
        corrected: folder that corrected pairs are saved in.
        data: labelled folders to choose from.
        local: whether only people at this machine see the page, who may name any folder.
    """

    def models():
        choices = names_of(find_weights(weights))
        return [gr.Dropdown(choices=choices) for _ in every]

    choices = names_of(find_weights(weights))

    def choose(key, number=0):
        value = choices[min(number, len(choices) - 1)][1]
        return gr.Dropdown(choices, value=value, label=translate(key), elem_id=key)

    with gr.Blocks(title="U-Net", delete_cache=(CLEANED, KEPT), analytics_enabled=False) as page:
        seen = gr.State([], time_to_live=KEPT)
        gr.Markdown(translate("title"), elem_id="title")
        gr.Markdown(translate("about"))
        model = choose("model")
        with gr.Tab(translate("outline")):
            switched = outline.build(seen, model)
        with gr.Tab(translate("correct")) as tab:
            trained = correct.build(tab, switched, seen, model, corrected)
        with gr.Tab(translate("compare")):
            with gr.Row():
                two = [choose("first"), choose("second", 1)]
            compare.build(two, [*data, corrected], local)
        gr.Markdown(translate("kept"))
        every = [model, *two]
        page.load(models, None, every)
        trained.then(models, None, every)
    return page.queue(max_size=WAITING)


@contextmanager
def serve(
    weights: Sequence[str],
    corrected: str,
    data: Sequence[str] = (),
    host: str = "127.0.0.1",
    port: int | None = None,
) -> Iterator[str]:
    """Serve the page while a `with` lasts; give its address.

    Args:
        weights, corrected, data: as `build` takes them.
        host: address to listen on; another than this machine's own shows the page to others.
        port: None for a free one, from 7860 on.

    Raises:
        InputError, FileNotFoundError: the first weights cannot be loaded, or the page cannot be
            served there.
    """
    network_of(weights[0])  # what is wrong with it is said now, and the first picture is quick
    with tempfile.TemporaryDirectory(prefix="lesion-page-") as uploads:
        os.environ["GRADIO_TEMP_DIR"] = uploads
        page = build(weights, corrected, data, host in ("127.0.0.1", "localhost", "::1"))
        try:
            _, address, _ = page.launch(server_name=host, server_port=port, **LAUNCHED)
        except OSError:
            where = f"{host}:{port}" if port else host
            raise InputError(
                f"{where}: the page cannot be served there; give another --port or --host"
            ) from None
        try:
            yield address
        finally:
            correct.retraining.stop()
            page.close(verbose=False)
