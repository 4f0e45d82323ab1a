"""Masks, overlays and lesions.csv for picture files."""

import sys

import numpy as np
from PIL import Image
from tqdm import tqdm

from lesion.inputs.reading import read_image
from lesion.masks import draw_outline
from lesion.predict.description import describe_lesion
from lesion.storage import replacing, write_table


def save_mask(path, mask):
    """Writes a 0/1 mask as a 0/255 PNG, which every viewer shows as black and white."""
    with replacing(path) as temporary:
        Image.fromarray(mask * np.uint8(255)).save(temporary, format="PNG")


def save_picture(path, picture):
    """Writes a uint8 RGB picture as PNG."""
    with replacing(path) as temporary:
        Image.fromarray(picture).save(temporary, format="PNG")


def predict_files(network, images, directory, mm_per_pixel=None):
    """Writes `<stem>_mask.png` and `<stem>_overlay.png` for each picture file, and lesions.csv.

    Args:
        network: a `Network`.
        images: paths of pictures, no two with the same stem: see `data.find_pictures`.
        directory: where results go; must exist.
        mm_per_pixel: side of a pixel in millimetres, the same in all pictures; None if not known.

    Returns:
        list of dicts, the lines of lesions.csv, one a picture: name, height, width (pixels), area
        (share of the picture), quality (`Prediction.quality`), then what
        `description.describe_lesion` says of the mask; parts is `Prediction.parts`.

    Raises:
        ValueError: a file is no picture.
    """
    rows = []
    for image in tqdm(images, unit="picture", disable=len(images) < 2):
        picture = read_image(image)
        prediction = network.predict(picture)
        mask = prediction.mask
        save_mask(directory / f"{image.stem}_mask.png", mask)
        overlay = draw_outline(picture, {"prediction": mask})
        save_picture(directory / f"{image.stem}_overlay.png", overlay)
        height, width = mask.shape
        row = {"name": image.stem, "height": height, "width": width, "area": float(mask.mean())}
        row["quality"] = prediction.quality
        for key, value in describe_lesion(mask, picture, mm_per_pixel).items():
            row[key] = round(value, 4) if isinstance(value, float) else value
        row["parts"] = prediction.parts  # the mask holds no more than one where it was cleaned
        rows.append(row)
    write_table(directory / "lesions.csv", rows)
    share = [row["area"] for row in rows]
    if rows and (max(share) == 0 or min(share) == 1):
        print(
            f"warning: every mask is all {'background' if max(share) == 0 else 'foreground'}: "
            "are these weights meant for such pictures?",
            file=sys.stderr,
        )
    return rows
