"""Masks, overlays and lesions.csv for picture files."""

import sys
from collections.abc import Callable, Iterator, MutableMapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from tqdm import tqdm

from lesion.console import InputError
from lesion.inputs.filtering import NOTHING_LEFT, advice
from lesion.inputs.pictures import distinct_names
from lesion.inputs.reading import read_image
from lesion.inputs.remote import local_copy
from lesion.inputs.stored import common_bits
from lesion.masks import PREDICTED, draw_outline
from lesion.parallel import LARGE, in_order
from lesion.predict.description import describe_lesion
from lesion.predict.network import Network, Prediction
from lesion.storage import replacing, write_table


def predict_files(
    network: Network,
    images: Sequence[str | Path],
    directory: str | Path,
    mm_per_pixel: float | None = None,
    skip_bad: bool = False,
    overlay: str = "jpg",
    probability: bool = False,
    engine: Callable[..., Iterator] = in_order,
    done: MutableMapping[str, dict] | None = None,
    keep: bool = False,
) -> tuple[list[dict], list[str]]:
    """Write `<name>_mask.png` and `<name>_overlay.jpg` for each picture file, and lesions.csv.

    The names are those of `inputs.distinct_names`: stems or, where stems are alike, paths, whose
    folders are made below `directory`. Each file is decoded once, right before it is predicted, so
    that damage is found no earlier; one of 16 bits also before, to scale all of them alike. Without
    `skip_bad` the first damaged file ends it, and what was written before is removed.

    Args:
        network: makes the masks.
        images: paths of pictures, as `inputs.find_pictures` and `inputs.filter_pictures` give them.
        directory: where results go; must exist.
        mm_per_pixel: side of a pixel in millimetres, the same in all pictures; None if not known.
        skip_bad: leave damaged files out instead.
        overlay: "jpg" or "png", the suffix of the picture with the outline, or "none".
        probability: write `<name>_probability.png`, too: 8 bits, 0 to 255 for 0 to 1.
        engine: works on many, as `parallel.in_order` does; the results do not depend on it.
        done: lines by name of pictures whose results are there already, which are passed over; gets
            the others, each once its files are written. A `journal.Journal` keeps them on disk.
        keep: leave what was written, also before a damaged file.

    Returns:
        (lines of lesions.csv as dicts, one a picture, in their order: name, height, width (pixels),
        area (share of the picture), quality, unfamiliar (1, 0, None) and parts as in `Prediction`,
        the rest as `description.describe_lesion` says; a line for each file that was left out).

    Raises:
        InputError: a file is damaged and `skip_bad` is off, or no file is left.
    """
    images, directory = [Path(image) for image in images], Path(directory)
    names, done = distinct_names(images), {} if done is None else done
    missing = [one for one in zip(images, names, strict=True) if one[1] not in done]
    work = _Work(network, mm_per_pixel, skip_bad, overlay, probability, common_bits(images))
    written, quiet = [], len(missing) < 2
    try:
        with closing(engine(work, missing)) as results:
            bar = tqdm(results, total=len(missing), unit="picture", disable=quiet)
            left_out = _take(bar, directory, done, written)
    except _Damaged as error:
        if not keep:
            _remove(written, directory)
            done.clear()
        raise InputError(f"{error}{advice()}") from None
    rows = [done[name] for name in names if name in done]
    if not rows:
        raise InputError(f"{left_out[0]}; {NOTHING_LEFT}")
    write_table(directory / "lesions.csv", rows)
    _warn_if_useless([row["area"] for row in rows])
    return rows, left_out


def _take(results, directory, done, written):
    """Write the results as they come; return the lines on what is left out."""
    left_out = []
    for result in results:
        if isinstance(result, str):
            left_out.append(result)
        else:
            row, files = result
            written += _write(directory, row["name"], files)
            done[row["name"]] = row
    return left_out


def _warn_if_useless(areas):
    if max(areas) == 0 or min(areas) == 1:
        print(
            f"warning: every mask is all {'background' if max(areas) == 0 else 'foreground'}: "
            "are these weights meant for such pictures?",
            file=sys.stderr,
        )


class _Damaged(InputError):
    """A picture cannot be read."""


@dataclass
class _Work:
    """Makes the results of one picture, in whatever thread or process; see `predict_files`.

    Attributes:
        bits: of 16-bit files, see `stored.common_bits`.
    """

    network: Network
    mm_per_pixel: float | None
    skip_bad: bool
    overlay: str
    probability: bool
    bits: dict[Path, int]

    def __call__(self, one):
        """Return (line of lesions.csv, files by ending) of (path, name), or why it is left out."""
        image, name = one
        try:
            with local_copy(image) as path:
                picture = read_image(path, bits=self.bits.get(image))
        except (InputError, FileNotFoundError) as error:
            if self.skip_bad:
                return str(error)
            raise _Damaged(str(error)) from None
        with LARGE.use(picture.shape[0] * picture.shape[1]):
            prediction = self.network.predict(picture)
            row = describe(name, picture, prediction, self.mm_per_pixel)
            return row, _files_of(picture, prediction, self.overlay, self.probability)


def write_prediction(
    directory: Path,
    name: str,
    picture: np.ndarray,
    prediction: Prediction,
    overlay: str = "jpg",
    probability: bool = False,
) -> list[Path]:
    """Write the mask of one picture, and what else is wanted; return the paths, the mask's first.

    Args:
        name: begins the names of the files, may hold folders.
        picture: uint8 RGB (H, W, 3) that was predicted.
        directory, overlay, probability: as `predict_files` takes them.
    """
    return _write(directory, name, _files_of(picture, prediction, overlay, probability))


def _files_of(picture, prediction, overlay, probability):
    """Return the files that are wanted of one picture: ending of the name -> content."""
    contents = {"mask.png": prediction.mask * np.uint8(255)}  # for viewers, black and white
    if overlay != "none":
        contents[f"overlay.{overlay}"] = draw_outline(picture, {"prediction": prediction.mask})
    if probability:
        contents["probability.png"] = np.rint(255 * prediction.probability).astype(np.uint8)
    return {ending: _encoded(array, ending[-3:]) for ending, array in contents.items()}


def _encoded(picture, suffix):
    """Return the file of a uint8 picture, gray or RGB, that says where it comes from."""
    text = PngInfo()
    text.add_text(*PREDICTED)
    options = {
        "png": {"format": "PNG", "pnginfo": text, "compress_level": 1},
        "jpg": {"format": "JPEG", "comment": PREDICTED[1], "quality": 90, "subsampling": 0},
    }
    file = BytesIO()
    Image.fromarray(picture).save(file, **options[suffix])
    return file.getvalue()


def _write(directory, name, files):
    """Write the files of one picture, each whole or not at all; return their paths."""
    paths = [directory / f"{name}_{ending}" for ending in files]
    for path, content in zip(paths, files.values(), strict=True):
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as temporary:
            temporary.write_bytes(content)
    return paths


def _remove(paths, directory):
    """Remove files, and the folders below `directory` that are empty then."""
    for path in paths:
        path.unlink()
    folders = {folder for path in paths for folder in path.relative_to(directory).parents}
    for folder in sorted(folders - {Path()}, key=lambda folder: -len(folder.parts)):
        with suppress(OSError):  # somebody else's files are in it
            (directory / folder).rmdir()


def describe(
    name: str, picture: np.ndarray, prediction: Prediction, mm_per_pixel: float | None = None
) -> dict:
    """Return the line of lesions.csv of one picture, see `predict_files`."""
    height, width = prediction.mask.shape
    row = {"name": name, "height": height, "width": width, "area": float(prediction.mask.mean())}
    row["quality"] = prediction.quality
    row["unfamiliar"] = None if prediction.unfamiliar is None else int(prediction.unfamiliar)
    for key, value in describe_lesion(prediction.mask, picture, mm_per_pixel).items():
        row[key] = round(value, 4) if isinstance(value, float) else value
    # The mask holds no more than one of them where only the largest was kept.
    return row | {"parts": prediction.parts}
