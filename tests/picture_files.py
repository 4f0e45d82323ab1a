"""Write small pictures and masks for the tests."""

import numpy as np
from PIL import Image


def write_picture(path, size=(12, 10), seed=None, **options):
    """Write noise as RGB; size is (width, height). Without a seed, the name chooses the noise."""
    path.parent.mkdir(parents=True, exist_ok=True)
    seed = list(path.name.encode()) if seed is None else seed
    noise = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    Image.fromarray(noise).save(path, **options)
    return path


def square_mask(size=(12, 10)):
    """A mask (height, width) of 0 and 1 with a rectangle in the upper left part."""
    mask = np.zeros((size[1], size[0]), np.uint8)
    mask[1 : size[1] // 2 + 1, 1 : size[0] // 2] = 1
    return mask


def write_mask(path, size=(12, 10), mask=None):
    """Write a mask with 0 and 255."""
    path.parent.mkdir(parents=True, exist_ok=True)
    mask = square_mask(size) if mask is None else mask
    Image.fromarray(mask * np.uint8(255)).save(path)
    return path


def write_pairs(folder, names, size=(12, 10)):
    """Write image/NAME.png and label/NAME.png for each name; one pixel tells masks apart."""
    for number, name in enumerate(names):
        write_picture(folder / "image" / f"{name}.png", size)
        mask = square_mask(size)
        mask[-2, -2 - number % (size[0] // 2)] = number > 0
        write_mask(folder / "label" / f"{name}.png", size, mask)
    return folder
