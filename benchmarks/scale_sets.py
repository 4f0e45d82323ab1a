"""Sets of many pictures for `scale.py`: few drawn pairs, each under ever another light.

    whole = write_set(folder / "100000", 100_000)
    write_part(whole, folder / "1000", 1_000)

Each picture is another one, pixel by pixel and to a perceptual hash, as the checks of a training
demand; masks are hard links to the few that were drawn, and a part is one of links only.
"""

import os
from pathlib import Path

import cv2
import numpy as np

from lesion.drawn.scene import draw_picture
from lesion.parallel import in_order

DRAWN = 60  # pairs, of which the others are made
SIZE = 128  # pixels a side
LIGHT = 0.3  # by which the light changes, either way, at the points of a lattice of
LATTICE = 4  # points a side
QUALITY = 90  # of JPEG: some 6 kB a picture


def write_set(folder: Path, count: int, size: int = SIZE) -> Path:
    """Write `count` pairs as image/0000000.jpg and label/0000000.png; return the folder.

    Args:
        folder: a new one.
        size: pixels a side.
    """
    drawn = list(in_order(lambda seed: draw_picture(seed, size), range(min(DRAWN, count))))
    masks = folder.with_name(f"{folder.name}.masks")
    for path in (masks, folder / "image", folder / "label"):
        path.mkdir(parents=True)
    for number, (_, mask) in enumerate(drawn):
        cv2.imwrite(str(masks / f"{number}.png"), mask * np.uint8(255))

    def write(number):
        picture = relit(drawn[number % len(drawn)][0], number)
        image = folder / "image" / f"{number:07}.jpg"
        cv2.imwrite(str(image), picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
        os.link(masks / f"{number % len(drawn)}.png", folder / "label" / f"{number:07}.png")

    for _ in in_order(write, range(count)):
        pass
    return folder


def relit(picture: np.ndarray, number: int) -> np.ndarray:
    """Return a picture, uint8 (S, S, 3), under the light that has this number."""
    lattice = np.random.default_rng(number).uniform(-LIGHT, LIGHT, (LATTICE, LATTICE))
    light = cv2.resize(1 + lattice.astype(np.float32), picture.shape[1::-1])
    return np.clip(np.rint(picture * light[..., None]), 0, 255).astype(np.uint8)


def write_part(whole: Path, folder: Path, count: int) -> Path:
    """Link the first `count` pairs of a set into a new folder; return it."""
    for kind in ("image", "label"):
        (folder / kind).mkdir(parents=True)
        for path in sorted((whole / kind).iterdir())[:count]:
            os.link(path, folder / kind / path.name)
    return folder
