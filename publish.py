"""Makes the weights of a run small enough to be passed on: half precision, compressed.

    python publish.py runs/drawn files/lean_drawn

writes files/lean_drawn.keras and files/lean_drawn.json. Each weight is rounded to the nearest half
float but stays a float32 in the file, whose empty bits then compress away: the result is an
ordinary Keras file of 45 % the size, which loads without any other code.
"""

import sys
import tempfile
import zipfile
from pathlib import Path

import quiet  # noqa: F401  keeps TensorFlow's start-up notes off the screen

import numpy as np

from console import Parser
from prediction import load_network
from runs import replacing, write_json

# The command and the data folder stay at home: they name somebody's paths.
PUBLISHED = (
    *("model", "image_size", "channels", "loss", "epochs", "batch_size", "seed"),
    *("threshold", "validation_dice", "centred_disc_radius", "created", "git_commit", "versions"),
)


def publish(run, target):
    """Writes `target`.keras and `target`.json from a run folder.

    Raises:
        ValueError, FileNotFoundError: as `prediction.load_network`, or a weight is too large for
            half precision.
    """
    network = load_network(Path(run) / "model.keras")
    weights = network.model.get_weights()
    rounded = [weight.astype(np.float16).astype(np.float32) for weight in weights]
    if not all(np.isfinite(weight).all() for weight in rounded):
        raise ValueError(f"{run}: a weight is beyond 65504, the largest half-precision number")
    network.model.set_weights(rounded)
    path = Path(target).with_suffix(".keras")
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, replacing(path) as compressed:
        plain = Path(folder) / "plain.keras"
        network.model.save(plain)
        with (
            zipfile.ZipFile(plain) as source,
            zipfile.ZipFile(compressed, "w", zipfile.ZIP_LZMA) as archive,
        ):
            for name in source.namelist():
                archive.writestr(name, source.read(name))
    settings = {key: network.settings[key] for key in PUBLISHED if key in network.settings}
    write_json(path.with_suffix(".json"), settings)
    return path


def main():
    parser = Parser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path, help="folder of a training")
    parser.add_argument("target", type=Path, help="where to, without a suffix")
    arguments = parser.parse_args()
    try:
        path = publish(arguments.run, arguments.target)
    except (ValueError, FileNotFoundError) as error:
        parser.error(str(error))
    print(f"{path}: {path.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    sys.exit(main())
