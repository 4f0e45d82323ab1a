"""Make the weights of a run small enough to be passed on: half precision, compressed.

    python -m tools.publish runs/drawn files/lean_drawn --license mit

writes files/lean_drawn.keras, .tflite and .json. Each weight is rounded to the nearest half float
but stays a float32 in the .keras file, whose empty bits then compress away: the result is a Keras
file of 45 % the size, to be loaded with `unet.py` at hand, whose layers it names. The .tflite file
holds the same network for LiteRT, in half floats that are computed with in float32, and needs no
code of this project. The .json file tells how to make masks of what they predict, and by its
digests which pictures were kept apart from training; .pictures.npz tells pictures that were not.
"""

import json
import sys
import tempfile
import zipfile
from pathlib import Path

import keras
import numpy as np

from lesion.console import InputError, Parser, run
from lesion.export.conversion import to_litert
from lesion.export.recipe import licence_of
from lesion.inputs.seen import SeenPictures
from lesion.predict.litert import HASHES
from lesion.predict.network import load_keras_network
from lesion.storage import replacing, sha256, write_json

# The command and the data folder stay at home: they name somebody's paths.
PUBLISHED = (
    *("model", "image_size", "channels", "loss", "epochs", "batch_size", "learning_rate", "seed"),
    *("validation", "test"),
    *("threshold", "one_lesion", "validation_dice", "centred_disc_radius"),
    *("calibration", "quality_estimate"),
    *("created", "git_commit", "versions"),
)

# What an earlier Keras, such as Colab's 3.10, does not know of layers and stops at; all of it is
# left at its default here.
NEWER = ("input_axes", "output_axes", "renorm", "renorm_clipping", "renorm_momentum")


def publish(folder: str | Path, target: str | Path, licence: str | None = None) -> Path:
    """Write `target`.keras, .tflite, .pictures.npz and .json from the folder of a training.

    Args:
        licence: of the weights, as model cards name it; None: that of those they began from.

    Raises:
        InputError, FileNotFoundError: as `load_network`, or a weight is too large for half
            precision.
    """
    network = load_keras_network(Path(folder) / "model.keras")
    path = Path(target).with_suffix(".keras")
    save_small(network.model, path)
    with replacing(path.with_suffix(".tflite")) as temporary:
        temporary.write_bytes(to_litert(network, "float16"))
    settings = {key: network.settings[key] for key in PUBLISHED if key in network.settings}
    if licence := licence or licence_of(network.settings):
        settings["license"] = licence
    split = Path(folder) / "split.json"
    if split.is_file():
        content = json.loads(split.read_text(encoding="utf-8"))
        settings["split_digests"] = content.get("digests", [])
    path.with_suffix(".pictures.npz").unlink(missing_ok=True)  # those of earlier weights
    if seen := SeenPictures.read(Path(folder) / "model.keras"):
        seen.write(path)
    # Last, because it is what makes the two files a pair: see `litert`.
    settings |= {key: sha256(path.with_suffix(s).read_bytes()) for s, key in HASHES.items()}
    write_json(path.with_suffix(".json"), settings)
    return path


def save_small(model: keras.Model, path: str | Path) -> None:
    """Write a .keras file of a model whose weights are rounded to half floats, in place, too.

    Keras 3.10 can load it, too.

    Raises:
        InputError: a weight is too large for half precision.
    """
    path = Path(path)
    rounded = [w.astype(np.float16).astype(np.float32) for w in model.get_weights()]
    if not all(np.isfinite(weight).all() for weight in rounded):
        raise InputError(f"{path}: a weight is beyond 65504, the largest half-precision number")
    model.set_weights(rounded)
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch, replacing(path) as compressed:
        plain = Path(scratch) / "plain.keras"
        model.save(plain)
        with (
            zipfile.ZipFile(plain) as source,
            zipfile.ZipFile(compressed, "w", zipfile.ZIP_LZMA) as archive,
        ):
            for name in source.namelist():
                content = source.read(name)
                archive.writestr(name, _for_older(content) if name == "config.json" else content)


def _for_older(config):
    """Return a model's configuration, JSON, without what is NEWER."""
    return json.dumps(
        json.loads(config, object_hook=lambda d: {k: v for k, v in d.items() if k not in NEWER})
    )


def command(arguments):
    path = publish(arguments.run, arguments.target, arguments.license)
    for written in (path, path.with_suffix(".tflite")):
        print(f"{written}: {written.stat().st_size / 1e6:.1f} MB")


def main(argv=None):
    parser = Parser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path, help="folder of a training")
    parser.add_argument("target", type=Path, help="where to, without a suffix")
    parser.add_argument("--license", metavar="NAME", help="of the weights, such as cc-by-nc-4.0")
    return run(parser, command, argv)


if __name__ == "__main__":
    sys.exit(main())
