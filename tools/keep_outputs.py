"""Put the outputs of an executed notebook into the one that is committed, trimmed.

    python -m tools.keep_outputs runs/.../notebook.ipynb notebooks/skin_lesion_segmentation.ipynb

For the notebook on the embedded, drawn pictures only: real ones may not be passed on. Of a progress
bar the last state is kept; times, paths and whatever the run added are left out. Figures get the
256 colours that suit them, which makes them a third as large.
"""

import base64
import io
import json
import sys
from pathlib import Path

import nbformat
import numpy as np
from PIL import Image

from lesion.console import InputError, Parser, run
from lesion.storage import replacing

PROJECT = Path(__file__).resolve().parents[1]


def trim(output):
    """Return an output without counters and earlier states of a progress bar, figures small."""
    figure = output.get("data", {}).get("image/png")
    if figure:
        small = base64.b64encode(fewer_colours(base64.b64decode(figure)))
        output["data"]["image/png"] = small.decode()
    if output["output_type"] == "stream":
        lines = [line.rsplit("\r", 1)[-1] for line in output["text"].split("\n")]
        output["text"] = "\n".join(lines)
    elif "execution_count" in output:
        output["execution_count"] = None
    return output


def fewer_colours(png):
    """Return a PNG of 256 colours, of one of any number, as bytes."""
    picture, small = Image.open(io.BytesIO(png)).convert("RGB"), io.BytesIO()
    # Lines are thin, but their colours mean something: rare colours have to be among the 256.
    plain = picture.quantize(256, Image.Quantize.MAXCOVERAGE, kmeans=2)
    dithered = picture.quantize(palette=plain)  # skin has more colours than are left for it
    exact = (np.asarray(plain.convert("RGB")) == np.asarray(picture)).all(axis=2)
    dithered.paste(plain, mask=Image.fromarray(exact))
    dithered.save(small, "PNG", optimize=True)
    return small.getvalue()


def is_bar(output, stream):
    """Whether an output is a progress bar on a stream, whose line the next "\r" there rewrites."""
    return output.get("name") == stream and "\n" not in output["text"] and "%|" in output["text"]


def merge_streams(outputs):
    """Join what was printed to the same stream in several goes; a bar goes on in its next one."""
    merged = []
    for output in outputs:
        if output["output_type"] == "stream" and output["text"].startswith("\r"):
            merged = [o for o in merged if not is_bar(o, output["name"])]
        last = merged[-1] if merged else {}
        if output["output_type"] == "stream" and output["name"] == last.get("name"):
            last["text"] += output["text"]
        else:
            merged.append(output)
    return merged


def keep_outputs(executed_path, notebook_path):
    """Copy trimmed outputs, cell by cell.

    Raises:
        InputError: the two notebooks differ in their cells, or the run was not on the embedded
            pictures.
    """
    executed = nbformat.read(executed_path, as_version=4)
    notebook = nbformat.read(notebook_path, as_version=4)
    settings = json.loads((Path(executed_path).parent / "model.json").read_text(encoding="utf-8"))
    if settings["data"] != [str(PROJECT)]:
        raise InputError(f"{executed_path}: ran on {settings['data']}, not on the drawn pictures")
    tags = "injected-parameters"
    cells = [c for c in executed.cells if tags not in c.metadata.get("tags", [])]
    if [cell.source for cell in cells] != [cell.source for cell in notebook.cells]:
        raise InputError(f"{executed_path}: was run with other cells than {notebook_path} has now")
    folder, neutral = Path(executed_path).parent.as_posix(), "runs/example"
    for cell, source in zip(notebook.cells, cells, strict=True):
        if cell.cell_type == "code":
            cell.execution_count = None
            cell.outputs = [trim(output) for output in merge_streams(source.outputs)]
            for output in cell.outputs:
                if output["output_type"] == "stream":
                    output["text"] = output["text"].replace(folder, neutral)
    with replacing(notebook_path) as temporary:
        nbformat.write(notebook, temporary)


def main(argv=None):
    parser = Parser(description=__doc__.splitlines()[0])
    parser.add_argument("executed", type=Path)
    parser.add_argument("notebook", type=Path)
    return run(parser, lambda given: keep_outputs(given.executed, given.notebook), argv)


if __name__ == "__main__":
    sys.exit(main())
