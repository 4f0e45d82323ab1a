"""How long the page takes from a picture to its outline, and to one at another threshold.

    python -m benchmarks.page           # the drawn test pictures, at 768x560

Over HTTP from this machine, with upload and answer, without what the browser does to show it.
"""

import sys
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np
from gradio_client import Client, handle_file
from PIL import Image

from lesion.app import page
from lesion.inputs import find_pictures, read_image
from lesion.options import SHIPPED_WEIGHTS

SIZE = (768, 560)
TEST = Path(__file__).parents[1] / "test" / "image"


def milliseconds(work, items):
    """Return (median, 90th percentile) of the time that `work` takes for an item."""
    taken = []
    for item in items:
        began = time.perf_counter()
        work(item)
        taken.append(1e3 * (time.perf_counter() - began))
    return np.percentile(taken, (50, 90))


def main():
    with (
        tempfile.TemporaryDirectory() as folder,
        page.serve([str(SHIPPED_WEIGHTS)], str(Path(folder) / "corrected")) as address,
    ):
        paths = []
        for picture in find_pictures([TEST])[0]:
            paths.append(Path(folder) / f"{picture.stem}.jpg")
            Image.fromarray(cv2.resize(read_image(picture), SIZE)).save(paths[-1], quality=95)
        client = Client(address, verbose=False, download_files=False)
        weights = str(SHIPPED_WEIGHTS)

        def outline(path):
            return client.predict(weights, [handle_file(path)], None, api_name="/add")

        shown = outline(paths[0])[3]["value"]

        def move(threshold):
            client.predict(weights, shown, threshold, api_name="/draw")

        for name, work, items in (
            ("a picture", outline, paths[1:]),
            ("another threshold", move, np.linspace(0.1, 0.9, 30).tolist()),
        ):
            print("{}: median {:.0f} ms, 90 % within {:.0f} ms".format(
                name, *milliseconds(work, items)))  # fmt: skip
    return 0


if __name__ == "__main__":
    sys.exit(main())
