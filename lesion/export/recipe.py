"""What an exported file does not say by itself: how pictures become its input and answers a mask.

`recipe_of` gives that as JSON; `write_example` a program that does it, with the runtime alone.
"""

import json
from contextlib import suppress
from pathlib import Path

from lesion.predict.network import VIEWS, Network
from lesion.settings import RANDOM

TEMPLATES = Path(__file__).parent / "templates"

# How each runtime is imported and called by the example, whose `views` are (4, S, S, C).
CALLS = {
    "litert": (
        "LiteRT",
        "from ai_edge_litert.interpreter import Interpreter",
        """\
run = Interpreter(str(here / "model.tflite")).get_signature_runner()
answers = [run(x=view[None])["output_0"][0] for view in views]""",
    ),
    "onnx": (
        "ONNX Runtime",
        "import onnxruntime",
        """\
session = onnxruntime.InferenceSession(here / "model.onnx")
(answers,) = session.run(["probability"], {"picture": views})""",
    ),
    "saved_model": (
        "TensorFlow",
        "import tensorflow as tf",
        """\
model = tf.saved_model.load(str(here / "model"))
answers = model.signatures["serving_default"](picture=tf.constant(views))["probability"].numpy()""",
    ),
}


def recipe_of(network: Network, kind: str, precision: str) -> dict:
    """Return what has to be known to use an export of a network, ready for JSON.

    `steps` says it in words, in the order in which it is done; the other values are for programs.
    """
    size, colour, litert = network.image_size, network.channels == 3, kind == "litert"
    count = 1 if litert else "N"
    licence = licence_of(network.settings)
    return {
        "format": kind,
        "network": network.settings.get("model"),
        "precision": precision,
        "image_size": size,
        "channels": network.channels,
        "views": VIEWS,
        "threshold": network.threshold,
        "one_lesion": network.one_lesion,
        "steps": [
            "picture: 8 bits, turned upright, "
            + ("channels red, green, blue" if colour else "gray: 0.299 R + 0.587 G + 0.114 B"),
            f"resize to {size} x {size}, whatever its aspect: sides that are longer by averaging "
            "over areas (cv2.INTER_AREA), then sides that are shorter linearly (cv2.INTER_LINEAR)",
            f"input: values / 255, float32 in 0..1, ({count}, {size}, {size}, {network.channels}), "
            "that is picture, row, column, channel; nothing is subtracted",
            "views: the picture as it is and mirrored along the axes (0: rows, 1: columns) that "
            "`views` lists; each answer is mirrored back, and the four are averaged",
            f"output: probability of lesion, float32 in 0..1, ({count}, {size}, {size}, 1)"
            + (", as output_0; another one, if any, is for a quality estimate" if litert else ""),
            "resize the average to the size of the picture, linearly (cv2.INTER_LINEAR)",
            f"mask: 1 where the probability is at least {network.threshold:.6g}",
            "then keep the connected component (8 neighbours) whose outline encloses most, with "
            "its holes filled"
            if network.one_lesion
            else "all components of the mask are kept",
        ],
        "use": "for learning and research; not a medical device",
        **({"license": licence} if licence else {}),
    }


def licence_of(settings: dict) -> str | None:
    """Return the licence of weights, such as "cc-by-nc-4.0", or None where nothing tells one.

    It is recorded with them, or with those that their training began from, which bind it, too.

    Args:
        settings: what was recorded with the weights, see `Network`.
    """
    followed = set()
    while "license" not in settings:
        record = Path(settings.get("start_from") or RANDOM).with_suffix(".json")
        if record in followed:
            return None
        followed.add(record)
        settings = {}
        with suppress(OSError, ValueError):  # random, or weights that are gone
            settings = json.loads(record.read_text(encoding="utf-8"))
    return str(settings["license"])


def write_example(kind: str, folder: str | Path) -> None:
    """Write example.py, and for ONNX also example.mjs with the recipe.mjs that it uses."""
    folder = Path(folder)
    text = (TEMPLATES / "example.txt").read_text(encoding="utf-8")
    for placeholder, replacement in zip(("RUNTIME", "IMPORT", "ANSWER"), CALLS[kind], strict=True):
        text = text.replace(placeholder, replacement)
    (folder / "example.py").write_text(text, encoding="utf-8")
    if kind == "onnx":
        for name in ("example.mjs", "recipe.mjs"):
            content = (TEMPLATES / name).read_text(encoding="utf-8")
            (folder / name).write_text(content, encoding="utf-8")


def as_text(recipe: dict) -> dict[str, str]:
    """Return a recipe for metadata that hold text alone: other values as JSON."""
    return {
        key: value if isinstance(value, str) else json.dumps(value) for key, value in recipe.items()
    }
