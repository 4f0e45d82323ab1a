"""The pictures that weights have seen in their training, and whether others are among them.

    SeenPictures.of(split).write("runs/mine/model.keras")   # as runs/mine/model.pictures.npz
    trained, chosen = SeenPictures.read("runs/mine/model.keras").find(pairs)

Some 18 bytes tell a picture from others: its number in the ISIC archive, which it keeps in every
data set, and a perceptual hash, which it keeps when it is saved anew, at another size, or as the
square in its middle. A copy that was squeezed, mirrored or cropped otherwise is not known again
unless by its number.
"""

import re
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import cv2
import numpy as np

from lesion.console import InputError
from lesion.inputs.pairing import Pair
from lesion.inputs.reading import read_image
from lesion.inputs.split import Split
from lesion.storage import replacing

SIDE, BITS = 32, 128  # pixels that a picture is made small to, frequencies of which the signs count
# Bits by which two hashes of one picture may differ. Among 11,343 pictures of ISIC 2018, HAM10000
# and PAD-UFES, 11 of 64 million pairs that are not of one lesion differ by no more, and these are
# one picture under two numbers, some in other colours; the first two that only look alike differ by
# 12. Of 600 copies, saved anew as JPEG all were within it, and half-sized as well 96 %.
TOLERANCE = 10
ISIC_NUMBER = re.compile(r"(?i)isic[_-]?(\d{7})(?!\d)")
NO_NUMBER = -1
COLUMNS = np.dtype([("number", "<i4"), ("low", "<u8"), ("high", "<u8"), ("trained", "?")])


def perceptual_hash(picture: np.ndarray) -> bytes:
    """Return 16 bytes that hardly change when a picture is saved anew or at another size.

    They are the signs of the lowest frequencies of the square in its middle, made gray and small
    (Zauner 2010, Implementation and Benchmarking of Perceptual Image Hash Functions, the DCT hash;
    the sign instead of the median).

    Args:
        picture: uint8 (H, W, 3).
    """
    height, width = picture.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    square = picture[top : top + side, left : left + side]
    small = cv2.resize(square, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    frequencies = cv2.dct(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY).astype(np.float32))
    return np.packbits(frequencies[_lowest()] > 0).tobytes()


@cache
def _lowest():
    """Return (rows, columns) of the lowest frequencies, without that of the mean brightness."""
    rows, columns = np.indices((SIDE, SIDE)).reshape(2, -1)
    order = np.lexsort((rows, rows + columns))[1 : BITS + 1]
    return rows[order], columns[order]


def isic_number(path: Path) -> int:
    """Return the number that the ISIC archive gave a picture, from its file name, or NO_NUMBER."""
    found = ISIC_NUMBER.search(path.name)
    return int(found[1]) if found else NO_NUMBER


@dataclass
class SeenPictures:
    """The pictures of a training.

    Attributes:
        table: array of COLUMNS, a row a picture; "trained" where it was trained on, else epoch and
            threshold were chosen on it.
        complete: False where the training began from weights that do not say what they have seen.
    """

    table: np.ndarray
    complete: bool = True

    @classmethod
    def of(cls, split: Split) -> "SeenPictures":
        """Return the training and validation pictures of a split.

        Those that nobody has looked at yet, as `filter_split` does, are read for it.

        Raises:
            InputError, FileNotFoundError: as `read_image`.
        """
        rows = [(*_row(pair), False) for pair in split.validation]
        rows += [(*_row(pair), True) for pair in split.train]
        return cls(np.unique(np.array(rows, COLUMNS)))

    @classmethod
    def read(cls, weights: str | Path) -> "SeenPictures | None":
        """Return what lies beside weights, None if nothing does.

        Raises:
            InputError: the file is none of `write`.
        """
        path = _beside(weights)
        if not path.is_file():
            return None
        try:
            with np.load(path) as content:
                table = np.empty(len(content["number"]), COLUMNS)
                for name in COLUMNS.names:
                    table[name] = content[name]
                return cls(table, bool(content["complete"]))
        except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile) as error:
            raise InputError(
                f"{path}: does not hold the pictures that {weights} has seen "
                f"({type(error).__name__}); restore it, or delete it to do without"
            ) from None

    def write(self, weights: str | Path) -> None:
        """Write it beside weights: a.pictures.npz for a.keras."""
        columns = {name: self.table[name] for name in COLUMNS.names}
        with replacing(_beside(weights)) as temporary:
            np.savez_compressed(temporary, complete=self.complete, **columns)

    def joined(self, earlier: "SeenPictures | None") -> "SeenPictures":
        """Return what weights have seen that began from others; None for those that do not say."""
        if earlier is None:
            return SeenPictures(self.table, complete=False)
        table = np.unique(np.concatenate([self.table, earlier.table]))
        return SeenPictures(table, self.complete and earlier.complete)

    def find(self, pairs: Iterable[Pair]) -> tuple[list[str], list[str]]:
        """Return the names of (pairs that were trained on, others that something was chosen on).

        Raises:
            InputError, FileNotFoundError: as `of`.
        """
        trained, chosen = [], []
        for pair in pairs:
            number, low, high = _row(pair)
            bits = np.bitwise_count(self.table["low"] ^ np.uint64(low))
            bits += np.bitwise_count(self.table["high"] ^ np.uint64(high))
            known = bits <= TOLERANCE
            if number != NO_NUMBER:
                known |= self.table["number"] == number
            if self.table["trained"][known].any():
                trained.append(pair.name)
            elif known.any():
                chosen.append(pair.name)
        return trained, chosen


def _row(pair):
    """Return (number, low and high half of the hash) of a picture."""
    digest = pair.perceptual_hash or perceptual_hash(read_image(pair.image, bits=pair.bits))
    return isic_number(pair.image), *np.frombuffer(digest, "<u8").tolist()


def _beside(weights):
    return Path(weights).with_suffix(".pictures.npz")
