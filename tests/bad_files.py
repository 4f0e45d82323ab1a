"""Spoil a small data folder in one way; each function returns a step that does it."""

import io
import os
import shutil
import struct
import zlib

import numpy as np
from picture_files import square_mask, write_pairs
from PIL import Image

SIZE = (40, 30)  # width, height
MASK = square_mask(SIZE)
NOISE = np.random.default_rng(3).integers(0, 256, (SIZE[1], SIZE[0], 3), dtype=np.uint8)


def good_folder(folder):
    """Six pairs, 1 to 6, in image/ and label/."""
    return write_pairs(folder, "123456", SIZE)


def encoded(picture_format, picture=NOISE, **options):
    """The bytes of a picture file."""
    buffer = io.BytesIO()
    picture = picture if isinstance(picture, Image.Image) else Image.fromarray(picture)
    picture.save(buffer, picture_format, **options)
    return buffer.getvalue()


def png_claiming(width, height):
    """A PNG whose header claims a size that its content does not have."""
    data = bytearray(encoded("PNG"))
    data[16:24] = struct.pack(">II", width, height)
    data[29:33] = struct.pack(">I", zlib.crc32(data[12:29]))
    return bytes(data)


def dicom(values=None, interpretation="MONOCHROME2", bits=8, **more):
    """The bytes of a DICOM file; without values of one that holds a report and no picture.

    more: further data elements by keyword.
    """
    from pydicom import FileMetaDataset, uid
    from pydicom.dataset import Dataset

    dataset = Dataset()
    dataset.SOPClassUID = uid.EncapsulatedPDFStorage
    dataset.SOPInstanceUID = "1.2.3"
    if values is not None:
        dataset.SOPClassUID = uid.VLPhotographicImageStorage
        dataset.Rows, dataset.Columns = values.shape[:2]
        dataset.SamplesPerPixel = 1 if values.ndim == 2 else 3
        dataset.PlanarConfiguration = 0
        dataset.PhotometricInterpretation = interpretation
        dataset.BitsAllocated = 8 * values.itemsize
        dataset.BitsStored, dataset.HighBit = bits, bits - 1
        dataset.PixelRepresentation = 0
        dataset.PixelData = values.tobytes() + b"\0" * (values.nbytes % 2)
    for keyword, value in more.items():
        setattr(dataset, keyword, value)
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = uid.ExplicitVRLittleEndian
    buffer = io.BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def float_tiff(value):
    values = NOISE[..., 0] / np.float32(255)
    values[3, 4] = value
    return encoded("TIFF", values)


def palette_mask():
    mask = Image.fromarray(MASK).convert("P")
    mask.putpalette([0, 0, 0, 128, 0, 0])
    return mask


def rgba_mask():
    layers = [np.full_like(MASK, 255)] * 3 + [MASK * np.uint8(255)]
    return Image.fromarray(np.stack(layers, axis=-1))


def gray_mask():
    """A mask with soft edges, as resizing leaves them."""
    large = Image.fromarray(MASK * np.uint8(255)).resize((80, 60), Image.Resampling.BICUBIC)
    return large.resize(SIZE, Image.Resampling.BICUBIC)


# --- steps: called with the folder --------------------------------------------------------------


def unchanged(folder):
    """Change nothing."""


def steps(*several):
    def make(folder):
        for step in several:
            step(folder)

    return make


def put(path, content):
    """Write bytes, text or a picture (as PNG) to a path in the folder."""

    def make(folder):
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        data = content if isinstance(content, (bytes, str)) else encoded("PNG", content)
        target.write_bytes(data.encode() if isinstance(data, str) else data)

    return make


def remove(*paths):
    def make(folder):
        for path in paths:
            (folder / path).unlink()

    return make


def replace(path, new, content):
    """Put a file in the place of another."""
    return steps(remove(path), put(new, content))


def rename(name, new):
    """Give a pair another name; `new` may have its own suffix."""

    def make(folder):
        for part in ("image", "label"):
            source = folder / part / f"{name}.png"
            source.rename(source.with_name(new if "." in new else f"{new}.png"))

    return make


def link(path, target):
    def make(folder):
        (folder / path).unlink(missing_ok=True)
        (folder / path).symlink_to(target)

    return make


def every_mask(value):
    return steps(*(put(f"label/{n}.png", np.full_like(MASK, value)) for n in range(1, 7)))


def only(count):
    """Keep so many pairs."""
    return remove(*(f"{part}/{n}.png" for n in range(count + 1, 7) for part in ("image", "label")))


def emptied(*parts):
    """Remove sub-folders; without any, everything."""

    def make(folder):
        for path in list(folder.iterdir()):
            if not parts or path.name in parts:
                shutil.rmtree(path)

    return make


def gone(folder):
    shutil.rmtree(folder)


def file_instead(folder):
    shutil.rmtree(folder)
    folder.write_text("a file")


def looping(folder):
    shutil.rmtree(folder)
    folder.symlink_to(folder)


def metadata(*rows, columns="image_id,lesion_id,dx"):
    return put("metadata.csv", "\n".join([columns, *rows]))


def two_parts(*more):
    """Turn the folder into train/ and test/ with pairs of their own; then do more."""

    def make(folder):
        emptied()(folder)
        good_folder(folder / "train")
        for name in ("7", "8"):
            write_pairs(folder / "test", [name], SIZE)
        steps(*more)(folder)

    return make


def copy(source, target):
    return lambda folder: shutil.copy(folder / source, folder / target)


def strange_name(folder):
    """A picture whose name is not UTF-8, as old archives have them."""
    path = os.fsencode(folder / "image") + b"/l\xe4sion.png"
    shutil.copy(folder / "image" / "1.png", path)
    shutil.copy(folder / "label" / "1.png", path.replace(b"/image/", b"/label/"))


def grow(path, size):
    """Make a file so large; it takes no room on the disk."""
    return lambda folder: os.truncate(folder / path, size)
