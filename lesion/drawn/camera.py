"""The camera of a dermatoscope: lens, sensor and JPEG, for the drawn pictures of `lesion.drawn`."""

import cv2
import numpy as np

from lesion.drawn.skin import log_uniform


def draw_lens(rng: np.random.Generator, picture: np.ndarray) -> None:
    """The vignette of the lens: the light falls off from the middle."""
    size = len(picture)
    centre = np.float32(0.5 + rng.normal(0, 0.08, 2))
    ramp = (np.arange(size, dtype=np.float32) + 0.5) / size
    squares = np.square(ramp - centre[0])[:, None] + np.square(ramp - centre[1])
    fall = log_uniform(rng, 0.02, 0.5) if rng.random() < 0.85 else rng.uniform(0.5, 1.8)
    picture *= np.exp(-np.float32(fall) * squares ** np.float32(rng.choice((1.0, 2.0))))[..., None]


def develop(rng: np.random.Generator, picture: np.ndarray) -> np.ndarray:
    """White balance, exposure, contrast, saturation, blur, sharpening, sensor noise, JPEG.

    Returns uint8 (S, S, 3).
    """
    if rng.random() < 0.5:
        picture = picture * np.exp(rng.normal(0, 0.04, 3) + rng.normal(0, 0.05)).astype(np.float32)
    if rng.random() < 0.5:  # contrast about the skin's own level
        level = np.float32(np.median(picture[::4, ::4]))
        picture = level + (picture - level) * np.float32(log_uniform(rng, 0.75, 1.25))
    if rng.random() < 0.5:
        gray = picture.mean(2, keepdims=True)
        picture = gray + (picture - gray) * np.float32(log_uniform(rng, 0.65, 1.4))
    if rng.random() < 0.4:
        picture = cv2.GaussianBlur(picture, (0, 0), log_uniform(rng, 0.002, 0.008) * len(picture))
    elif rng.random() < 0.3:
        soft = cv2.GaussianBlur(picture, (0, 0), 0.008 * len(picture))
        picture = picture + np.float32(rng.uniform(0.2, 0.7)) * (picture - soft)
    grain = rng.standard_normal((*picture.shape[:2], 1), dtype=np.float32)
    picture = picture + np.float32(log_uniform(rng, 0.001, 0.008)) * grain
    pixels = np.clip(picture * 255 + 0.5, 0, 255).astype(np.uint8)
    if rng.random() < 0.5:
        quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(35, 96))]
        coded = cv2.imencode(".jpg", cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR), quality)[1]
        pixels = cv2.cvtColor(cv2.imdecode(coded, cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)
    return pixels
