"""From uploaded files to outlines: what the page's first tab does, without a page.

seen, problems = look_through(weights, paths)       # quality of each, and what is wrong with others
shown = show(weights, paths[0], threshold, folder)  # files to look at and to download, numbers

A network is asked once about a picture; its answer is kept, a few hundred kilobytes, so that
another threshold costs no prediction.
"""

from collections.abc import Sequence
from contextlib import closing
from copy import copy
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import NamedTuple

import numpy as np

from lesion.console import InputError
from lesion.inputs import read_image
from lesion.inputs.decoding import is_predicted, look
from lesion.parallel import LARGE, in_order
from lesion.predict import Network, Prediction, describe, load_network, write_prediction
from lesion.storage import write_json, write_table

MOST_FILES = 100  # at once, in one browser
MOST_BYTES = 50 << 20  # of one file
MOST_PIXELS = 50_000_000  # of one picture; some 30 bytes of memory are needed for each
KEPT_ANSWERS = 128  # of 0.6 MB at 192 pixels a side, of all browsers together
KEPT_NETWORKS = 4
# Below it a person should look: about the Dice of a Jaccard index of 0.65, under which the ISIC
# challenge counts an outline as failed.
LOW_QUALITY = 0.8

_loading = Lock()


class Seen(NamedTuple):
    """A picture that a network was asked about.

    Attributes:
        path: of the file, unique.
        name: of the file, for people.
        quality, unfamiliar: as in `predict.Prediction`, at the threshold of the network.
    """

    path: str
    name: str
    quality: float
    unfamiliar: bool | None


class Shown(NamedTuple):
    """Files made of one picture, and what they show.

    Attributes:
        mask, overlay, probability, table, record: `Path` of PNG, JPEG, PNG, CSV and JSON.
        row: line of lesions.csv, see `predict.predict_files`.
    """

    mask: Path
    overlay: Path
    probability: Path
    table: Path
    record: Path
    row: dict


def network_of(weights: str | Path) -> Network:
    """Return the network of a weights file, loaded once.

    Raises:
        FileNotFoundError, InputError: as `predict.load_network`.
    """
    with _loading:  # once, also if many ask at the same time
        return _loaded(str(weights))


@lru_cache(KEPT_NETWORKS)
def _loaded(weights):
    return load_network(weights)


@lru_cache(KEPT_ANSWERS)
def _answer(weights, path):
    """Return (probabilities of the views, features, (height, width) of the picture)."""
    picture = read(path)
    with LARGE.use(picture.shape[0] * picture.shape[1]):
        return *network_of(weights).answer_to(picture), picture.shape[:2]


def read(path: str | Path) -> np.ndarray:
    """Return an uploaded picture, uint8 RGB (H, W, 3); what is wrong names the file alone.

    Raises:
        InputError, FileNotFoundError: as `inputs.read_image`; or it is larger than MOST_BYTES or
            MOST_PIXELS.
    """
    path = Path(path)
    try:
        if is_predicted(path):
            raise InputError(f"{path}: was written by predict; give the picture it was made of")
        pixels = look(path).pixels
        if pixels > MOST_PIXELS or path.stat().st_size > MOST_BYTES:
            raise InputError(
                f"{path}: has {pixels / 1e6:.0f} megapixels and {path.stat().st_size >> 20} MB, "
                f"the page takes {MOST_PIXELS // 10**6} and {MOST_BYTES >> 20}; save it smaller, "
                "or use segment.py predict"
            )
        return read_image(path)
    except (InputError, FileNotFoundError) as error:  # where uploads lie is nobody's business
        raise InputError(str(error).replace(str(path), path.name)) from None


def predict(
    weights: str | Path, path: str | Path, threshold: float | None = None
) -> tuple[np.ndarray, Prediction]:
    """Return (picture uint8 RGB (H, W, 3), what the network says of it).

    Args:
        weights: path of the network.
        path: of the picture.
        threshold: probability from which a pixel is lesion; None for the network's own.

    Raises:
        InputError, FileNotFoundError: as `read` and `network_of`.
    """
    return read(path), _conclude(weights, path, threshold)


def _conclude(weights, path, threshold=None):
    """Return what the network says of a picture; one that it was asked about is not read again."""
    views, features, (height, width) = _answer(str(weights), str(path))
    network = copy(network_of(weights))
    network.threshold = threshold or network.threshold
    with LARGE.use(height * width):
        return network.conclude(views, features, (height, width))


def look_through(weights: str | Path, paths: Sequence[str | Path]) -> tuple[list[Seen], list[str]]:
    """Predict pictures, several at once; return (those, a line for each that cannot be read).

    Raises:
        InputError, FileNotFoundError: as `network_of`.
    """
    network_of(weights)

    def work(path):
        try:
            prediction = _conclude(weights, path)
        except InputError as error:
            return str(error)
        return Seen(str(path), Path(path).name, prediction.quality, prediction.unfamiliar)

    with closing(in_order(work, paths)) as results:
        found = list(results)
    return [one for one in found if isinstance(one, Seen)], [
        one for one in found if isinstance(one, str)
    ]


def show(weights: str | Path, path: str | Path, threshold: float, folder: Path) -> Shown:
    """Write into a folder what there is to see and to download of one picture.

    Args:
        weights, path, threshold: as `predict` takes them.
        folder: new or empty.

    Raises:
        InputError: as `predict`.
    """
    picture, prediction = predict(weights, path, threshold)
    name = Path(path).stem
    files = write_prediction(folder, name, picture, prediction, probability=True)
    row = describe(name, picture, prediction)
    table, record = folder / "lesions.csv", folder / f"{name}.json"
    write_table(table, [row])
    write_json(record, {**row, "threshold": threshold, "weights": Path(weights).name})
    return Shown(*files, table, record, row)
