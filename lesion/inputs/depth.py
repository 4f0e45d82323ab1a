"""Pictures with more than 8 bits: their values, and how many bits these have."""

import numpy as np
from PIL import Image

from lesion.console import InputError

DEPTHS = (8, 10, 12, 14, 16)  # bits of the values that cameras store
# Key of `picture.info`: a deep colour picture's uint16 values (H, W, 3), for which Pillow has no
# mode; what it holds instead is their upper bytes.
DEEP_COLOUR = "deep colour"
STATED_BITS = "bits"  # key of `picture.info`: how many bits a DICOM file says its values have


def with_deep_colour(values):
    """Return the picture of uint16 (H, W, 3 or 4); of 8-bit values in 16 bits, these."""
    colours, alpha = values[..., :3], values[..., 3:]
    layers = [part if part.max(initial=0) <= 255 else part >> 8 for part in (colours, alpha)]
    picture = Image.fromarray(np.concatenate(layers, axis=2).astype(np.uint8))
    if layers[0] is not colours:
        picture.info[DEEP_COLOUR] = colours
    return picture


def from_values(path, values, stated_bits, white_is_zero):
    """Return the picture of an array of whole numbers, (H, W) or (H, W, 3)."""
    _check_range(path, values.min(), values.max(), 65535)
    stated_bits = stated_bits if stated_bits < 16 else 0  # 16 says nothing
    if white_is_zero:
        highest = (1 << max(stated_bits, _depth(values))) - 1
        values = (highest - values.astype(np.int32)).astype(values.dtype)
    if values.dtype == np.uint8:
        return Image.fromarray(values)
    values = values.astype(np.uint16)
    picture = Image.fromarray(values) if values.ndim == 2 else with_deep_colour(values)
    picture.info[STATED_BITS] = stated_bits
    return picture


def deep_values(path, picture):
    """Return (values, full scale) of a 16-bit, 32-bit or floating point gray picture."""
    values = np.asarray(picture)
    low, high = values.min(), values.max()
    if not (np.isfinite(low) and np.isfinite(high)):
        raise InputError(f"{path}: the picture holds NaN or infinite values; replace them")
    floating = np.issubdtype(values.dtype, np.floating)
    _check_range(path, low, high, 255 if floating else 65535)
    if floating:
        return values, 1 if high <= 1 else 255
    return values.astype(np.uint16), 255 if high <= 255 else 65535


def _check_range(path, low, high, limit):
    if low < 0 or high > limit:
        wanted = "0-1 or 0-255" if limit == 255 else "0-255 or 0-65535"
        raise InputError(f"{path}: the values go from {low:g} to {high:g}; scale them to {wanted}")


def stored_values(path, picture):
    """Return the values of a picture with more than 8 bits, (H, W) or (H, W, 3); else None."""
    if picture.mode.startswith("I"):
        return deep_values(path, picture)[0]
    return picture.info.get(DEEP_COLOUR)


def bit_depth(picture, values):
    """Return how many bits the `stored_values` of a picture have: 8, 10, 12, 14 or 16.

    That is what its highest value shows; a DICOM file states more.
    """
    return max(_depth(values), picture.info.get(STATED_BITS, 0))


def _depth(values):
    bits = int(values.max()).bit_length()
    return next(depth for depth in DEPTHS if bits <= depth)
