"""Turn arrays as the rotation note of a picture (EXIF orientation, 1 to 8) says."""

import numpy as np

UPRIGHT = 1  # the note of a picture that is stored as it is seen
TURNS = {  # what makes a stored picture upright
    1: lambda array: array,
    2: np.fliplr,
    3: lambda array: np.rot90(array, 2),
    4: np.flipud,
    5: lambda array: array.swapaxes(0, 1),
    6: lambda array: np.rot90(array, -1),
    7: lambda array: np.rot90(array, 2).swapaxes(0, 1),
    8: np.rot90,
}


def turn(array: np.ndarray, note: int) -> np.ndarray:
    """Return an array (H, W) or (H, W, C) as a viewer shows a picture with this rotation note."""
    return np.ascontiguousarray(TURNS[note](array))
