"""Brush and eraser over a mask, as a component of the page.

Gradio's own ImageEditor loses a mask that it is given while its picture loads, and cannot be used
by keyboard; this one is a canvas over a picture.
"""

import base64
import io
from pathlib import Path

import gradio as gr
import numpy as np
from PIL import Image

from lesion.app.corrections import Canvas
from lesion.console import InputError
from lesion.masks import COLOURS

SCRIPT = Path(__file__).with_name("painter.js")
TEMPLATE = """
<div hidden>
  <div class="tools">
    <button type="button" name="brush"></button>
    <button type="button" name="eraser"></button>
    <button type="button" name="undo"></button>
    <label><span></span> <input type="range" min="3" max="80" value="20"></label>
  </div>
  <div class="stage">
    <img alt=""><canvas tabindex="0" role="application"></canvas><div class="ring" hidden></div>
  </div>
</div>
"""
STYLE = """
.tools { display: flex; flex-wrap: wrap; gap: .5rem; align-items: center; margin-bottom: .5rem; }
button { border: 2px solid currentColor; border-radius: .4rem; padding: .4rem .8rem; }
button[aria-pressed=true] { background: #1d4ed8; color: #fff; border-color: #1d4ed8; }
label { display: flex; gap: .5rem; align-items: center; }
.stage { position: relative; max-width: 45rem; line-height: 0; overflow: hidden; }
.stage img { width: 100%; margin: 0; }
canvas { position: absolute; inset: 0; width: 100%; height: 100%; opacity: .4; cursor: crosshair;
         touch-action: none; }
canvas:focus-visible { outline: 3px solid #1d4ed8; outline-offset: -3px; }
.ring { position: absolute; border: 2px solid #fff; outline: 1px solid #000; border-radius: 50%;
        pointer-events: none; }
.ring.down { border-style: dashed; }
"""


def painter(**options: object) -> gr.HTML:
    """Return the component; its value is what `to_value` makes and `painted_mask` reads."""
    return gr.HTML(
        None,
        html_template=TEMPLATE,
        css_template=STYLE,
        js_on_load=SCRIPT.read_text(encoding="utf-8"),
        apply_default_css=False,
        **options,
    )


def to_value(canvas: Canvas, texts: dict[str, str]) -> dict:
    """Return a picture and its mask for the component.

    Args:
        canvas: what is painted on.
        texts: of its buttons: "brush", "eraser", "undo", "size", "keys".
    """
    layer = np.zeros((*canvas.mask.shape, 4), np.uint8)
    layer[canvas.mask == 1] = (*bytes.fromhex(COLOURS["prediction"][1:]), 255)
    return {
        "picture": data_url(canvas.picture, "JPEG"),
        "mask": data_url(layer, "PNG"),
        "colour": COLOURS["prediction"],
        "texts": texts,
    }


def painted_mask(value: dict, size: tuple[int, int]) -> np.ndarray:
    """Return the mask that was painted, uint8 0/1 (h, w).

    Args:
        value: of the component.
        size: (height, width) that the mask must have.

    Raises:
        InputError: it is none of that size.
    """
    try:
        content = base64.b64decode(value["mask"].partition(",")[2])
        image = Image.open(io.BytesIO(content), formats=("PNG",))
        if image.size != size[::-1]:
            raise ValueError(f"{image.size} instead of {size[::-1]} pixels")
        return (np.asarray(image.convert("RGBA"))[..., 3] >= 128).astype(np.uint8)
    except (TypeError, KeyError, ValueError, OSError) as error:
        raise InputError(f"what was painted did not arrive whole ({error}): try again") from None


def data_url(picture: np.ndarray, kind: str) -> str:
    """Return a uint8 picture as a URL that holds all of it; `kind` is "JPEG" or "PNG"."""
    content = io.BytesIO()
    Image.fromarray(picture).save(content, kind, quality=90, compress_level=1)
    data = base64.b64encode(content.getvalue()).decode("ascii")
    return f"data:image/{kind.lower()};base64,{data}"
