"""Masks, overlays and lesions.csv for picture files."""

import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from tqdm import tqdm

from lesion.console import InputError
from lesion.inputs.filtering import NOTHING_LEFT, advice
from lesion.inputs.pictures import distinct_names
from lesion.inputs.reading import read_image
from lesion.inputs.stored import common_bits
from lesion.masks import PREDICTED, draw_outline
from lesion.predict.description import describe_lesion
from lesion.predict.network import Network
from lesion.storage import replacing, write_table


def predict_files(
    network: Network,
    images: Sequence[str | Path],
    directory: str | Path,
    mm_per_pixel: float | None = None,
    skip_bad: bool = False,
) -> tuple[list[dict], list[str]]:
    """Write `<name>_mask.png` and `<name>_overlay.png` for each picture file, and lesions.csv.

    The names are those of `inputs.distinct_names`: stems or, where stems are alike, paths, whose
    folders are made below `directory`. Each file is decoded once, right before it is predicted, so
    that damage is found no earlier; one of 16 bits also before, to scale all of them alike. Without
    `skip_bad` the first damaged file ends it, and what was written before is removed: a folder of
    results holds all that was asked for, or nothing.

    Args:
        network: makes the masks.
        images: paths of pictures, as of `inputs.find_pictures`; `inputs.filter_pictures` finds in
            a moment what is no picture at all.
        directory: where results go; must exist.
        mm_per_pixel: side of a pixel in millimetres, the same in all pictures; None if not known.
        skip_bad: leave damaged files out instead.

    Returns:
        (lines of lesions.csv as dicts, one a picture: name, height, width (pixels), area (share of
        the picture), quality (`Prediction.quality`), then what `description.describe_lesion` says
        of the mask, but for parts, which is `Prediction.parts`;
        a line for each file that was left out).

    Raises:
        InputError: a file is damaged and `skip_bad` is off, or no file is left.
    """
    images, directory = [Path(image) for image in images], Path(directory)
    rows, left_out, written, bits = [], [], [], common_bits(images)
    names = zip(images, distinct_names(images), strict=True)
    for image, name in tqdm(names, total=len(images), unit="picture", disable=len(images) < 2):
        try:
            picture = read_image(image, bits=bits.get(image))
        except (InputError, FileNotFoundError) as error:
            if skip_bad:
                left_out.append(str(error))
                continue
            _remove(written, directory)
            raise InputError(f"{error}{advice()}") from None
        prediction = network.predict(picture)
        written += [directory / f"{name}_{kind}.png" for kind in ("mask", "overlay")]
        _save(written[-2], prediction.mask * np.uint8(255))  # which viewers show as black and white
        _save(written[-1], draw_outline(picture, {"prediction": prediction.mask}))
        rows.append(_describe(name, picture, prediction, mm_per_pixel))
    if not rows:
        raise InputError(f"{left_out[0]}; {NOTHING_LEFT}")
    write_table(directory / "lesions.csv", rows)
    share = [row["area"] for row in rows]
    if max(share) == 0 or min(share) == 1:
        print(
            f"warning: every mask is all {'background' if max(share) == 0 else 'foreground'}: "
            "are these weights meant for such pictures?",
            file=sys.stderr,
        )
    return rows, left_out


def _remove(paths, directory):
    """Remove files, and the folders below `directory` that are empty then."""
    for path in paths:
        path.unlink()
    folders = {folder for path in paths for folder in path.relative_to(directory).parents}
    for folder in sorted(folders - {Path()}, key=lambda folder: -len(folder.parts)):
        with suppress(OSError):  # somebody else's files are in it
            (directory / folder).rmdir()


def _save(path, picture):
    """Write a uint8 picture, (H, W) gray or (H, W, 3) RGB, as PNG that says where it comes from."""
    text = PngInfo()
    text.add_text(*PREDICTED)
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as temporary:
        Image.fromarray(picture).save(temporary, format="PNG", pnginfo=text)


def _describe(name, picture, prediction, mm_per_pixel):
    """Return the line of lesions.csv of one picture."""
    height, width = prediction.mask.shape
    row = {"name": name, "height": height, "width": width, "area": float(prediction.mask.mean())}
    row["quality"] = prediction.quality
    for key, value in describe_lesion(prediction.mask, picture, mm_per_pixel).items():
        row[key] = round(value, 4) if isinstance(value, float) else value
    # The mask holds no more than one of them where only the largest was kept.
    return row | {"parts": prediction.parts}
