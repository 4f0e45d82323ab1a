"""Open one picture file of any kind, whole and upright, or say in one line why it cannot be.

What a file is, is decided by its content, never by its suffix. Every failure is one InputError or
FileNotFoundError of the form "file: finding; remedy".
"""

import os
import warnings
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from PIL import ExifTags, Image, ImageOps, features

from lesion.console import InputError
from lesion.inputs import dicom
from lesion.inputs.depth import from_values, with_deep_colour
from lesion.inputs.orientation import TURNS, UPRIGHT, turn
from lesion.masks import PREDICTED

MAX_PIXELS = 150_000_000  # a 12,000 x 12,000 scan passes; a decompression bomb does not
MAX_BYTES = 1_000_000_000
READ_FORMATS = ("PNG", "JPEG", "BMP", "DIB", "TIFF", "GIF", "WEBP", "AVIF", "PPM")
HEIF_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
AVIF_BRANDS = (b"avif", b"avis")
PHOTOMETRIC = ExifTags.Base.PhotometricInterpretation
KIND_BYTES = 132  # that tell the kind of a file

# `decode` refuses what is too large or damaged; Pillow's warnings on top would only be noise.
Image.MAX_IMAGE_PIXELS = MAX_PIXELS
warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)

TEXT_OF_PREDICTIONS = PREDICTED[1].encode("latin-1")
BEGINNING = 4096  # bytes; Pillow writes the text of a PNG or JPEG right behind its header


def is_predicted(path: Path) -> bool:
    """Whether a file is a PNG or JPEG that `predict` wrote, by the text in its beginning."""
    try:
        if not path.is_file():  # to open a pipe would wait for somebody to write into it
            return False
        with path.open("rb", buffering=0) as file:
            return TEXT_OF_PREDICTIONS in file.read(BEGINNING)
    except (OSError, ValueError):
        return False  # who reads the picture will say what is wrong with it


@dataclass(frozen=True)
class Header:
    """What the beginning of a file tells.

    Attributes:
        deep: its values may be.
        orientation: the rotation note, 1 to 8.
        shape: (height, width) as stored.
    """

    deep: bool
    orientation: int
    shape: tuple[int, int]

    @property
    def pixels(self) -> int:
        """How many there are."""
        return self.shape[0] * self.shape[1]


def decode(path):
    """Return the one complete, upright Pillow picture in `path`."""
    return _read(path, _decode_stream)


def look(path):
    """Return the Header of a picture file; raise as `decode`, but for damage further on."""
    return _read(path, _look_at_stream)


def _read(path, read):
    shown = os.fsencode(path).decode("utf-8", "backslashreplace")
    if shown != str(path):  # no results can be written under such a name
        raise InputError(f"{shown}: the name is not valid UTF-8; rename the file")
    try:
        special = path.is_fifo() or path.is_char_device() or path.is_block_device()
        file = None if special else path.open("rb")
    except FileNotFoundError:
        raise FileNotFoundError(f"{path}: no such file; check the path") from None
    except (OSError, ValueError) as error:  # a folder, no permission, a loop of links, a NUL
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"{path}: cannot be opened ({reason}); check the path") from None
    if special:
        raise InputError(f"{path}: is a pipe or a device; copy the picture into a file")
    with file:
        size = file.seek(0, 2)
        file.seek(0)
        if size == 0:
            raise InputError(f"{path}: the file is empty (0 bytes); copy it again")
        if size > MAX_BYTES:
            raise InputError(
                f"{path}: the file has {size:,} bytes, more than the limit of {MAX_BYTES:,}; "
                "save a smaller picture"
            )
        too_large = f"more than the limit of {MAX_PIXELS // 1_000_000} megapixels; save it smaller"
        try:
            return read(path, file)
        except (Image.DecompressionBombError, Image.DecompressionBombWarning):
            raise InputError(f"{path}: the picture has {too_large}") from None
        except Image.UnidentifiedImageError:
            raise InputError(
                f"{path}: the content is no PNG, JPEG, BMP or TIFF picture of a common kind; "
                "save it as 8-bit PNG"
            ) from None
        except InputError:
            raise
        # Decoders report damage by whatever they stumble over: OSError, SyntaxError,
        # struct.error, IndexError, EOFError, zlib.error, MemoryError and more.
        except Exception as error:
            raise _damaged(path, error) from None


def _decode_stream(path, file):
    beginning = _beginning(file)
    if dicom.is_dicom(path, beginning):
        return from_values(path, *dicom.read_values(path, _open_dicom(path, file)))
    picture = _open(path, file, beginning)
    deep, note = _is_deep_colour(picture), _rotation_note(picture)
    white_is_zero = picture.format == "TIFF" and picture.tag_v2.get(PHOTOMETRIC) == 0
    picture.load()
    upright = ImageOps.exif_transpose(picture)
    if deep:  # a TIFF is turned by OpenCV, as by Pillow, while it is loaded
        return _deep_colour(path, file, upright, UPRIGHT if picture.format == "TIFF" else note)
    if white_is_zero and upright.mode.startswith("I"):  # Pillow turns only 8-bit values over
        return from_values(path, np.asarray(upright), 16, white_is_zero)
    return upright


def _look_at_stream(path, file):
    beginning = _beginning(file)
    if dicom.is_dicom(path, beginning):
        dataset = _open_dicom(path, file, stop_before_pixels=True)
        return Header(dataset.BitsAllocated > 8, UPRIGHT, (dataset.Rows, dataset.Columns))
    picture = _open(path, file, beginning)
    deep = picture.mode.startswith("I") or _is_deep_colour(picture)
    return Header(deep, _rotation_note(picture), (picture.height, picture.width))


def _beginning(file):
    beginning = file.read(KIND_BYTES)
    file.seek(0)
    return beginning


def _rotation_note(picture):
    note = picture.getexif().get(ExifTags.Base.Orientation, UPRIGHT)
    return note if note in TURNS else UPRIGHT


def _open(path, file, beginning):
    """Return the lazy Pillow picture in a file, after looking at its kind and size."""
    picture = _open_heif(path, file, beginning) or Image.open(file, formats=READ_FORMATS)
    _check_size(path, *picture.size)
    frames = getattr(picture, "n_frames", 1)
    if frames > 1 and picture.format in ("GIF", "WEBP", "PNG", "AVIF"):
        raise InputError(
            f"{path}: the file is an animated {picture.format} picture of {frames} frames; save "
            "the right one as PNG"
        )
    if frames > 1 and picture.format != "MPO":  # an MPO is a photograph with its preview
        raise InputError(
            f"{path}: the file holds {frames} pictures; save each one in a file of its own"
        )
    return picture


def _check_size(path, width, height):
    if width * height > MAX_PIXELS:
        raise InputError(
            f"{path}: the picture has {width} x {height} pixels, more than the limit of "
            f"{MAX_PIXELS // 1_000_000} megapixels; save it smaller"
        )


def _open_heif(path, file, beginning):
    """Return the lazy picture in a HEIF file, None for a file of another kind."""
    brand = beginning[8:12] if beginning[4:8] == b"ftyp" else b""
    # mif1 and msf1 say only how a file is built; the brands that follow say how it is coded.
    if brand in AVIF_BRANDS or (brand in HEIF_BRANDS and b"avif" in beginning):
        if features.check("avif"):
            return None
        raise InputError(
            f"{path}: the file is an AVIF picture, for which this Pillow was built without a "
            "decoder; `pip install --upgrade --force-reinstall pillow`, or save it as PNG"
        )
    if brand not in HEIF_BRANDS:
        return None
    try:
        from pillow_heif import HeifImageFile
    except ImportError:
        raise InputError(
            f"{path}: the file is a HEIC picture, which needs a package: "
            "`pip install pillow-heif`, or save it as JPEG or PNG"
        ) from None
    return HeifImageFile(file)


def _open_dicom(path, file, **options):
    dataset = dicom.open_dataset(path, file, **options)
    _check_size(path, dataset.Columns, dataset.Rows)
    return dataset


def _is_deep_colour(picture):
    """Whether a file, opened but not loaded, has more than 8 bits in several channels."""
    if picture.mode.startswith(("I", "F")):
        return False
    if picture.format == "TIFF":
        return max(picture.tag_v2.get(ExifTags.Base.BitsPerSample, (1,))) > 8
    return picture.format == "PNG" and ";16" in str(picture.tile)


def _deep_colour(path, file, upright, note):
    """Return an upright picture with the whole values of its colours in `info`."""
    file.seek(0)
    values = cv2.imdecode(np.frombuffer(file.read(), np.uint8), cv2.IMREAD_UNCHANGED)
    if values is not None and values.dtype == np.uint16 and values.ndim == 3:
        values = np.concatenate([values[..., 2::-1], values[..., 3:]], axis=2)  # from BGR
        values = turn(values, note)
        if np.array_equal(values[..., :3] >> 8, np.asarray(upright.convert("RGB"))):
            return with_deep_colour(values)
    raise InputError(
        f"{path}: the colours have more than 8 bits in a way that cannot be read; save it as "
        "8-bit or 16-bit RGB PNG"
    )


def _damaged(path, error):
    reason = " ".join(str(error).split()) or type(error).__name__
    return InputError(f"{path}: the picture is damaged or incomplete ({reason}); copy it again")


def convert(path, picture, mode):
    try:
        if picture.mode in ("P", "PA") or "transparency" in picture.info:
            picture = picture.convert("RGBA")  # resolves every kind of palette transparency
        return picture.convert(mode)
    except ValueError:
        raise InputError(
            f"{path}: the colour mode {picture.mode} cannot be read; save it as RGB or gray"
        ) from None
