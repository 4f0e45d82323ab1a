"""Bring a data folder of any kind into plain `image/` + `label/`, or into an annotation tool.

lines = convert("from_cvat", "plain")
lines = convert("my_pictures", "to_correct", to="coco", predictions="masks")
"""

import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image
from tqdm import tqdm

from lesion.console import InputError
from lesion.inputs.annotations.export import IGNORED_LEVEL, TARGETS, Plain
from lesion.inputs.decoding import look
from lesion.inputs.filtering import filter_pairs
from lesion.inputs.folders import few
from lesion.inputs.legend import PLAIN, Legend
from lesion.inputs.orientation import UPRIGHT
from lesion.inputs.pairing import Pair, find_parts
from lesion.inputs.pictures import distinct_names, find_pictures
from lesion.inputs.reading import read_image, read_second_truth, read_truth
from lesion.masks import IGNORED
from lesion.storage import write_table

COPIED = {".png", ".jpg", ".jpeg"}  # suffixes of pictures that every tool opens as they are


def convert(
    directory: str | Path,
    out: str | Path,
    to: str | None = None,
    predictions: str | Path | None = None,
    skip_bad: bool = False,
    legend: Legend = PLAIN,
) -> list[str]:
    """Write the pairs of a data folder, part by part, in another format.

    Pictures that are no PNG or JPEG, are deep or have a rotation note are written as upright PNG.
    Metadata that group pictures go with the plain format.

    Args:
        directory: the data folder; with `predictions` one of pictures.
        out: an empty folder, in which all is written in the end or nothing.
        to: key of `TARGETS`; None for plain `image/` + `label/`.
        predictions: folder of the masks that `predict` made of these pictures, to be corrected.
        skip_bad: leave bad pairs out.
        legend: what levels and classes mean.

    Returns:
        lines on what was written and what was left out.

    Raises:
        InputError, FileNotFoundError: as `find_parts` and `filter_pairs`; nothing has a mask; or
            predictions are to be written as truth.
    """
    if predictions is not None:
        if to is None:
            raise InputError(
                "--predictions needs --to: what a network predicted is no truth until somebody "
                "corrected it in a tool"
            )
        parts, lines = {"": _predicted(directory, predictions)}, []
    else:
        parts, lines = _judged(directory, skip_bad, legend)
    with _staging(Path(out)) as staged:
        for part, (pairs, bare) in parts.items():
            target = TARGETS.get(to, Plain)(staged / part)
            lines = [*_write_part(target, pairs), *lines]
            if bare:
                lines.append(f"left out, without a mask: {few(bare)}")
    return lines


def _judged(directory, skip_bad, legend):
    """Return ({part: (pairs with a mask, names of those without)}, lines on bad ones)."""
    folders = find_parts(directory)
    labelled = [pair for folder in folders.values() for pair in folder.labelled]
    if not labelled:
        root = next(iter(folders.values())).root
        raise InputError(f"{root}: the folder holds pictures alone; add their masks in label/")
    good, left_out = filter_pairs(directory, labelled, skip_bad, legend=legend)
    judged = {pair.image: pair for pair in good}
    parts = {}
    for part, folder in folders.items():
        pairs = [judged[pair.image] for pair in folder.labelled if pair.image in judged]
        parts[part] = pairs, [pair.name for pair in folder.pairs if pair.mask is None]
    return parts, [f"left out: {line}" for line in left_out]


def _predicted(directory, predictions):
    """Return (pairs of pictures and predicted masks, names of pictures without one)."""
    pictures, _ = find_pictures([directory])
    pairs, bare = [], []
    for picture, name in zip(pictures, distinct_names(pictures), strict=True):
        mask = Path(predictions) / f"{name}_mask.png"
        if mask.is_file():
            pairs.append(Pair(name, picture, mask))
        else:
            bare.append(name)
    if not pairs:
        raise InputError(
            f"{predictions}: holds no mask that predict made of a picture in {directory} "
            f"({few([f'{name}_mask.png' for name in bare])}); give the folder that it wrote"
        )
    return pairs, bare


def _write_part(target, pairs):
    """Write the pairs of one part; return lines on them."""
    ignored = 0
    for pair in tqdm(pairs, desc="converting", unit="picture", disable=len(pairs) < 2):
        name, shape = write_picture(pair, target.folder / target.pictures)
        mask = read_truth(pair, shape)
        ignored += bool((mask == IGNORED).any())
        if target.holds_ignored:
            target.add(name, mask)
            if pair.second_mask:
                target.add(name, read_second_truth(pair, shape), "label_2")
        else:
            target.add(name, (mask == 1).astype(np.uint8))
    target.finish()
    if target.holds_ignored and any(pair.group != pair.name for pair in pairs):
        rows = [{"image_id": p.name, "lesion_id": p.group} | _other(p.metadata) for p in pairs]
        write_table(target.folder / "metadata.csv", rows)
    lines = [*target.remarks, f"{len(pairs)} pictures with their masks"]
    if ignored and target.holds_ignored:
        levels = f"--lesion-level 255 --ignore-level {IGNORED_LEVEL}"
        lines.append(f"{ignored} masks have ignored pixels: use them with {levels}")
    elif ignored:
        lines.append(f"{ignored} masks have ignored pixels, which this format cannot hold")
    return lines


def _other(row):
    return {key: value for key, value in row.items() if key not in ("image_id", "lesion_id")}


def write_picture(pair: Pair, folder: Path) -> tuple[str, tuple]:
    """Write a picture as every tool shows it; return (its name there, its shape).

    PNG and JPEG are copied as they are; what is deep or has a rotation note, and every other kind
    of file, becomes an upright PNG.
    """
    picture, header = read_image(pair.image, bits=pair.bits), look(pair.image)
    suffix = pair.image.suffix.lower()
    as_it_is = suffix in COPIED and not header.deep and header.orientation == UPRIGHT
    name = pair.name + (suffix if as_it_is else ".png")
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    if as_it_is:
        shutil.copyfile(pair.image, folder / name)
    else:
        Image.fromarray(picture).save(folder / name)
    return name, picture.shape


@contextmanager
def _staging(out: Path) -> Iterator[Path]:
    """Give a hidden folder whose content moves into `out` if all went well, and is removed else."""
    staged = out / f".{uuid.uuid4().hex}"
    staged.mkdir(parents=True)
    try:
        yield staged
        for path in staged.iterdir():
            path.rename(out / path.name)
    except OSError as error:
        raise InputError(f"{out}: cannot write there ({error.strerror}); give another") from error
    finally:
        shutil.rmtree(staged, ignore_errors=True)
