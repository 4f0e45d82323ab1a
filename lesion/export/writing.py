"""Write an export, check it, and keep it only if it answers as Keras does.

lines = export("files/lite.keras", "litert", "runs/export", precision="float16")
"""

import os
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import numpy as np

from lesion.console import InputError
from lesion.export import conversion, web
from lesion.export.checking import compare
from lesion.export.recipe import as_text, recipe_of, write_example
from lesion.export.runtimes import OnnxModel, SavedModel
from lesion.inputs import filter_pairs, select_pairs
from lesion.inputs.legend import PLAIN, Legend
from lesion.inputs.pairing import Pair
from lesion.inputs.reading import read_image, resize_image
from lesion.predict.litert import LitertModel
from lesion.predict.network import Network, load_keras_network
from lesion.storage import sha256, write_json

DRAWN = Path(__file__).parents[2]  # its train/ and test/ hold drawn pairs
MOST_SAMPLES = 32  # pictures that 8-bit integers take their ranges from


def _write_litert(network, path, precision, samples):
    path.write_bytes(conversion.to_litert(network, precision, samples))


def _write_onnx(network, path, precision, samples):
    conversion.to_onnx(network, path, precision, samples)
    onnx, *_ = conversion.need("onnx")
    model = onnx.load(path)
    onnx.helper.set_model_props(model, as_text(recipe_of(network, "onnx", precision)))
    onnx.save(model, path)


def _write_saved_model(network, path, precision, samples):
    conversion.to_saved_model(network, path)


class Format(NamedTuple):
    """What is written for a runtime.

    Attributes:
        name: of the file or folder.
        precisions: those of `conversion.PRECISIONS` that it knows.
        packages: which it needs besides the project's own.
        write: function of network, path, precision and representative pictures.
        load: function of the path, gives a model that a `Network` can predict with.
    """

    name: str
    precisions: tuple[str, ...]
    packages: tuple[str, ...]
    write: Callable
    load: Callable


ONNX = Format("model.onnx", conversion.PRECISIONS, conversion.ONNX_PACKAGES, _write_onnx, OnnxModel)
FORMATS = {
    "litert": Format(
        "model.tflite",
        conversion.PRECISIONS,
        (),
        _write_litert,
        lambda path: LitertModel(path.read_bytes()),
    ),
    "onnx": ONNX,
    "saved_model": Format("model", ("float32",), (), _write_saved_model, SavedModel),
    "web": ONNX,  # which a page then holds
}


def export(
    weights: str | Path,
    kind: str,
    out: str | Path,
    data: str | Path | None = None,
    precision: str = "float32",
    skip_bad: bool = False,
    legend: Legend = PLAIN,
) -> list[str]:
    """Write a network for another runtime into a folder, or nothing if its answers differ.

    Args:
        weights: path of a .keras file.
        kind: key of FORMATS.
        out: folder.
        data: folder of labelled pictures to check it on: their test or validation part, or
            all where nothing divides them, but for those of the training part that "int8" takes
            its ranges from. None for the drawn pictures of the project.
        precision: one of `conversion.PRECISIONS`.
        skip_bad, legend: as in `inputs.filter_pairs`.

    Returns:
        lines on what was found and written.

    Raises:
        InputError, FileNotFoundError: the weights or data are of no use, the format does not know
            the precision, a package is missing, or the answers differ from those of Keras.
    """
    chosen, out = FORMATS[kind], Path(out)
    if precision not in chosen.precisions:
        raise InputError(
            f"a {kind} cannot be made smaller: leave out --{precision}, or take --format litert "
            "or onnx"
        )
    conversion.need(*chosen.packages)
    runtime = web.fetch_runtime() if kind == "web" else None
    network = load_keras_network(weights)
    pairs, samples = choose_pictures(network, weights, data, precision, skip_bad, legend)
    with TemporaryDirectory(dir=out, prefix=".") as scratch:
        path = Path(scratch) / chosen.name
        chosen.write(network, path, precision, samples)
        found = compare(network, replace(network, model=chosen.load(path)), pairs)
        found.judge(precision)
        recipe = recipe_of(network, kind, precision)
        if kind == "web":
            path = web.write_page(path, recipe, runtime)
        else:
            write_example(kind, scratch)
        made = {"weights_sha256": sha256(Path(weights).read_bytes()), "checked": asdict(found)}
        write_json(Path(scratch) / "model.json", recipe | made)
        size = _size(path)
        for name in os.listdir(scratch):
            os.replace(Path(scratch) / name, out / name)
    return [
        f"checked against Keras on {found.pictures} labelled pictures, predicted with both in turn",
        str(found),
        f"{out / path.name}: {size / 1e6:.1f} MB; {weights}: {_size(weights) / 1e6:.1f} MB",
        *_say_licence(recipe.get("license")),
    ]


def _say_licence(licence):
    if licence is None:
        return []
    bounds = ", for non-commercial use only" if "-nc" in licence else ""
    return [f"licence, that of the weights: {licence}{bounds}"]


def choose_pictures(
    network: Network,
    weights: str | Path,
    data: str | Path | None,
    precision: str,
    skip_bad: bool = False,
    legend: Legend = PLAIN,
) -> tuple[list[Pair], list[np.ndarray]]:
    """Choose what an export is checked on, and what its 8-bit integers take their ranges from.

    Args and Raises: as `export`.

    Returns:
        pairs to check on; float32 (S, S, C) pictures of others, none unless for "int8".
    """
    if data is not None:
        checked, ranged = (data, None), (data, "train")
    elif (DRAWN / "test" / "label").is_dir():
        checked, ranged = (DRAWN / "test", "all"), (DRAWN / "train", "all")
    else:
        raise InputError("there are no drawn pictures beside the program: name others with --data")

    def good(directory, part, most=None):
        pairs = select_pairs(directory, weights, part).pairs
        pairs = pairs[:: -(-len(pairs) // most)] if most else pairs
        return filter_pairs(directory, pairs, skip_bad, legend=legend)[0]

    used = good(*ranged, MOST_SAMPLES) if precision == "int8" else []
    images = {pair.image for pair in used}
    pairs = [pair for pair in good(*checked) if pair.image not in images]
    if not pairs:
        raise InputError(
            f"{data}: nothing is left to check the export on beside the {len(used)} pictures that "
            "8-bit integers take their ranges from: add labelled ones"
        )
    size = network.image_size
    pictures = (read_image(pair.image, network.channels, pair.bits) for pair in used)
    return pairs, [resize_image(picture, size) for picture in pictures]


def _size(path):
    """Return the bytes of a file, or of all files in a folder."""
    path = Path(path)
    files = [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]
    return sum(file.stat().st_size for file in files)
