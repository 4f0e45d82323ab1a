"""Read single-frame DICOM: dermoscopy and photographs (VL Photographic Image), through pydicom.

pydicom is installed by those who need it. What can be said without it is said in one line.
"""

import warnings

import numpy as np

from lesion.console import InputError

SUFFIXES = (".dcm", ".dicom")
MAGIC = b"DICM"  # after a preamble of 128 bytes
FIRST_GROUPS = (b"\x02\x00", b"\x08\x00")  # with which old files without a preamble begin
# Beside palettes; the others are of films, or have been withdrawn.
INTERPRETATIONS = ("MONOCHROME1", "MONOCHROME2", "RGB")
INTERPRETATIONS += ("YBR_FULL", "YBR_FULL_422", "YBR_ICT", "YBR_RCT")  # which pydicom makes RGB
REMEDY = "save the picture as PNG"

warnings.filterwarnings("ignore", category=UserWarning, module=r"pydicom")


def is_dicom(path, beginning):
    """Whether a file is DICOM, by its first 132 bytes; without a preamble by its suffix, too."""
    old = beginning[:2] in FIRST_GROUPS and path.suffix.lower() in SUFFIXES
    return beginning[128:132] == MAGIC or old


def is_unnamed_dicom(path):
    """Whether a file has no suffix that would say it, but begins as DICOM, as archives store it.

    The number at the end of an identifier (1.2.840.10008) is no suffix; DICOMDIR is an index.
    """
    suffix = path.suffix[1:]
    if (suffix and not suffix.isdigit()) or path.name.upper() == "DICOMDIR":
        return False
    try:
        with path.open("rb") as file:
            return file.read(132)[128:] == MAGIC
    except OSError:
        return False


def open_dataset(path, file, **options):
    """Return the pydicom Dataset in a file, which is one picture; options: for `dcmread`."""
    try:
        import pydicom
    except ImportError:
        raise InputError(
            f"{path}: the file is DICOM, which needs a package: `pip install pydicom`, or {REMEDY}"
        ) from None
    dataset = pydicom.dcmread(file, force=True, **options)
    if "Rows" not in dataset or "Columns" not in dataset:
        kind = getattr(dataset.get("SOPClassUID"), "name", "a kind that it does not name")
        raise InputError(f"{path}: the DICOM file holds no picture ({kind}); {REMEDY}")
    frames = int(dataset.get("NumberOfFrames") or 1)
    if frames > 1:
        raise InputError(f"{path}: the DICOM file holds {frames} frames; save the right one as PNG")
    return dataset


def read_values(path, dataset):
    """Return (values of a picture, (H, W) or (H, W, 3) RGB; their bits; whether 0 is white)."""
    from pydicom.pixels import apply_color_lut, pixel_array
    from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian

    if "PixelData" not in dataset:
        raise InputError(f"{path}: the DICOM file holds no pixels; export it again")
    if "TransferSyntaxUID" not in dataset.file_meta:
        implicit, _ = dataset.original_encoding
        syntax = ImplicitVRLittleEndian if implicit else ExplicitVRLittleEndian
        dataset.file_meta.TransferSyntaxUID = syntax
    syntax = dataset.file_meta.TransferSyntaxUID
    try:
        values = pixel_array(dataset)  # YBR becomes RGB
    except (RuntimeError, NotImplementedError) as error:
        if not any(words in str(error) for words in ("missing dependencies", "not support")):
            raise  # damage
        raise InputError(
            f"{path}: the DICOM file is compressed as {syntax.name}, which needs a package: "
            f"`pip install pylibjpeg[all]`, or {REMEDY}"
        ) from None
    kind, bits = dataset.PhotometricInterpretation, dataset.BitsStored
    if kind == "PALETTE COLOR":
        values = apply_color_lut(values, dataset)
        return (values >> 8 if values.max() > 255 else values).astype(np.uint8), 8, False
    if kind not in INTERPRETATIONS:
        raise InputError(
            f"{path}: the DICOM file's photometric interpretation is {kind}, which cannot be read; "
            f"{REMEDY}"
        )
    return values, bits, kind == "MONOCHROME1"
