"""Draw dermoscopy pictures with their lesion masks, so that the project runs without any data set.

Nothing here is a photograph: `skin`, `lesion`, `device` and `camera` draw what their names say,
`annotate` the mask. The same seed gives the same bytes. Hairs, rulers, ink, bubbles, patches,
frames, freckles and satellites are never in the mask.
"""

import multiprocessing
import os
from functools import partial
from pathlib import Path

import cv2
import numpy as np
from tqdm import tqdm

from lesion.console import InputError
from lesion.drawn.camera import develop, draw_lens
from lesion.drawn.canvas import paint
from lesion.drawn.device import draw_device, place_occluders
from lesion.drawn.kinds import choose_kind
from lesion.drawn.lesion import Place, draw_lesion, draw_neighbours, place_lesion
from lesion.drawn.skin import PIGMENTS, draw_skin, pigment_colours, skin_base
from lesion.masks import largest_component

PROJECT = Path(__file__).resolve().parents[2]
EMBEDDED_SIZE = 256
EMBEDDED_COUNT = 30
EMBEDDED_SEEDS = {"train": 0, "test": 1_000_000}  # the first seed of each folder
SMALLEST_SHARE = 0.003  # of the picture that a lesion covers
PARALLEL_FROM = 64  # pictures; below, starting workers takes longer than drawing


def annotate(rng: np.random.Generator, size: int, place: Place, reach: float) -> np.ndarray:
    """The mask an annotator draws: uint8 (S, S) of 0/1, one component without holes.

    Three hands, as in public sets: the pigment's own edge followed closely, a smooth line a little
    outside it, and a generous polygon around it.
    """
    field = place.inside + np.float32(reach)
    hand = rng.random()
    margin = rng.uniform(-0.08, 0.0)  # how far outside `inside == 0` the line runs, in radii
    if hand > 0.45:
        softness = max(0.6, rng.uniform(0.04, 0.16) * place.radius * size)
        field = cv2.GaussianBlur(field, (0, 0), softness)
        margin = rng.uniform(-0.05, 0.05) if hand < 0.8 else rng.uniform(0.03, 0.22)
    margin += float(np.clip(0.2 * (place.radius - 0.33), -0.05, 0.05))  # large ones more loosely
    mask = largest_component((field > -margin).astype(np.uint8))
    if hand > 0.8 and mask.any():
        outlines = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)[0]
        outline = max(outlines, key=len)[:, 0]
        corners = min(len(outline), int(rng.integers(9, 24)))
        steps = np.linspace(0, len(outline), corners, endpoint=False).astype(int)
        mask = np.zeros_like(mask)
        cv2.fillPoly(mask, [outline[steps]], 1)
    return mask


def draw_picture(seed: int, size: int = 256) -> tuple[np.ndarray, np.ndarray]:
    """Draw picture number `seed`.

    Returns RGB, uint8 (size, size, 3), and its mask, uint8 (size, size) of 0/1. Equal
    arguments give equal bytes. Raises InputError for a size under 32 pixels.
    """
    return draw_scene(seed, size)


def draw_scene(seed: int, size: int, distractors: bool = True) -> tuple[np.ndarray, np.ndarray]:
    """`draw_picture`, with a choice to leave out all that is neither skin, lesion nor frame.

    The mask is the same with and without distractors: the tests compare the two.
    """
    if size < 32:
        raise InputError(f"size is {size}: a picture needs at least 32 pixels a side")
    streams = [np.random.default_rng(child) for child in np.random.SeedSequence(seed).spawn(4)]
    lesion_rng, skin_rng, device_rng, annotator_rng = streams

    stack = np.zeros((len(PIGMENTS), size, size), np.float32)
    colours, base = pigment_colours(skin_rng), skin_base(skin_rng)
    draw_skin(skin_rng, size, stack)
    mask = np.zeros((size, size), np.uint8)
    while mask.mean() < SMALLEST_SHARE:  # a lesion may fall outside the frame: place another
        kind = choose_kind(lesion_rng)
        place = place_lesion(lesion_rng, size, kind)
        lesion = np.zeros_like(stack)
        reach = draw_lesion(lesion_rng, size, kind, place, lesion)
        occluders = place_occluders(device_rng, size, place.x, place.y, place.radius)
        hidden = np.zeros((size, size, 1), np.float32)
        for coverage, _ in occluders:
            hidden = np.maximum(hidden, coverage)
        mask = annotate(annotator_rng, size, place, reach) * (hidden[..., 0] < 0.5)
    stack += lesion
    if distractors:
        draw_neighbours(skin_rng, size, place, reach, stack)

    picture = np.exp(-absorb(stack, colours, base))
    draw_lens(device_rng, picture)
    if distractors:
        draw_device(device_rng, picture, place.x, place.y, place.radius)
    for coverage, colour in occluders:
        paint(picture, coverage, colour)
    return develop(device_rng, picture), mask.astype(np.uint8)


def absorb(stack: np.ndarray, colours: np.ndarray, base: np.ndarray) -> np.ndarray:
    """RGB density (S, S, 3) of the pigment maps on skin of density `base`. Summed one by one, not
    as a matrix product: there the rounding can depend on how many threads share the work."""
    density = np.empty((*stack.shape[1:], 3), np.float32)
    for channel in range(3):
        plane = np.full(stack.shape[1:], base[channel], np.float32)
        for pigment, amount in zip(colours[:, channel], stack, strict=True):
            plane += pigment * amount
        density[..., channel] = plane
    return density


def write_pair(number: int, directory: Path, size: int, first_seed: int) -> None:
    """Write `image/N.png` and `label/N.png` (0/255) for picture `first_seed + number`."""
    picture, mask = draw_picture(first_seed + number, size)
    for folder, pixels in (("image", picture[..., ::-1]), ("label", mask * 255)):
        target = directory / folder / f"{number}.png"
        unfinished = target.with_suffix(".part")
        coded = cv2.imencode(".png", pixels, [cv2.IMWRITE_PNG_COMPRESSION, 9])[1]
        unfinished.write_bytes(coded.tobytes())
        os.replace(unfinished, target)


def write_pairs(
    count: int, directory: Path, size: int = EMBEDDED_SIZE, first_seed: int = 0
) -> None:
    """Draw pictures `first_seed` ... `first_seed + count - 1` into `directory`.

    Writes `image/0.png` and `label/0.png` (0/255) up to number `count - 1`, on two processes when
    there are many.

    Raises:
        InputError: a count below 1, a size under 32, a negative seed, or a `directory` that is a
            file or holds anything: nothing is overwritten.
    """
    directory = Path(directory)
    if count < 1:
        raise InputError(f"count is {count}: give the number of pictures to draw, 1 or more")
    if size < 32:
        raise InputError(f"size is {size}: a picture needs at least 32 pixels a side")
    if first_seed < 0:
        raise InputError(f"seed is {first_seed}: give 0 or more")
    if directory.exists() and (not directory.is_dir() or any(directory.iterdir())):
        raise InputError(f"{directory} is not an empty folder: name a new one")
    for folder in ("image", "label"):
        (directory / folder).mkdir(parents=True)
    write = partial(write_pair, directory=directory, size=size, first_seed=first_seed)
    if count < PARALLEL_FROM:
        for number in tqdm(range(count), unit="picture"):
            write(number)
        return
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        for _ in tqdm(pool.imap(write, range(count), 16), total=count, unit="picture"):
            pass


def write_embedded(directory: Path = PROJECT) -> None:
    """Draw the pairs that come with the project: `train/` and `test/` in `directory`, 30 each,
    from different seeds. Raises InputError where either is there."""
    for folder in EMBEDDED_SEEDS:
        if (directory / folder).exists():
            raise InputError(f"{directory / folder} exists: move it away, or name another --out")
    for folder, first_seed in EMBEDDED_SEEDS.items():
        write_pairs(EMBEDDED_COUNT, directory / folder, EMBEDDED_SIZE, first_seed)
