"""What is kept of an executed notebook: one bar a cell, and figures without a strange colour."""

import io

import numpy as np
from PIL import Image

from lesion.masks import COLOURS
from tools.keep_outputs import fewer_colours, merge_streams, trim


def printed(text, name="stderr"):
    return {"output_type": "stream", "name": name, "text": text}


def test_a_bar_that_goes_on_below_a_figure_is_kept_once():
    figure = {"output_type": "display_data", "data": {}}
    outputs = [
        printed("a note\n", "stdout"),
        printed("\repoch 1:  50%|██  | 1/2"),
        figure,
        printed("\repoch 2: 100%|████| 2/2"),
        printed("done\n", "stdout"),
        printed("\n"),
    ]
    kept = [trim(output).get("text") for output in merge_streams(outputs)]
    assert kept == ["a note\n", None, "epoch 2: 100%|████| 2/2", "done\n", "\n"]


def test_a_figure_keeps_its_white_and_its_lines_and_gets_no_other_colour():
    rows, columns = np.mgrid[:200, :300].astype(np.uint8)
    skin = np.stack([140 + rows // 2, 100 + columns // 4, 90 + rows // 3], axis=2)
    skin[:20], skin[100:102] = 255, list(bytes.fromhex(COLOURS["truth"][1:]))
    png = io.BytesIO()
    Image.fromarray(skin).save(png, "PNG")
    small = Image.open(io.BytesIO(fewer_colours(png.getvalue())))
    error = np.abs(np.asarray(small.convert("RGB"), int) - skin)
    assert small.mode == "P"
    assert error[:20].max() == error[100:102].max() == 0
    assert error.max() < 20
