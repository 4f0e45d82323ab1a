"""How long the page takes from a picture to its outline, to one at another threshold, for many.

    python -m benchmarks.page           # the drawn test pictures, at 768x560

Over HTTP from this machine, with upload and answer, without what the browser does to show it. The
memory is that of one process that serves and asks.
"""

import resource
import sys
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np
from gradio_client import Client, handle_file
from PIL import Image

from lesion.app import page
from lesion.app.pictures import MOST_FILES
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


def write_many(paths, folder):
    """Write as many pictures as the page takes at once, each shifted by some pixels of its own."""
    many = []
    for number in range(MOST_FILES):
        picture = np.roll(read_image(paths[number % len(paths)]), number + 1, axis=1)
        many.append(Path(folder) / f"shifted{number}.jpg")
        Image.fromarray(picture).save(many[-1], quality=95)
    return many


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
        given = [handle_file(path) for path in write_many(paths, folder)]
        began = time.perf_counter()
        choices = Client(address, verbose=False, download_files=False).predict(
            weights, given, None, api_name="/add"
        )[3]["choices"]
        seconds = time.perf_counter() - began
        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024  # KB on Linux
        print(f"{len(choices)} of {len(given)} at once: {seconds:.1f} s, {most} MB at most")
    return 0


if __name__ == "__main__":
    sys.exit(main())
