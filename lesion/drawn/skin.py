"""Noise fields and the skin around a lesion, for the drawn dermoscopy pictures of `lesion.drawn`.

Colour is optical density: a picture is `exp(-density)` per channel, so pigment on skin darkens it
as a filter does and shades mix the way pigments do. Every layer adds to one column of a stack of
pigment maps, shape (len(PIGMENTS), S, S); `pigment_colours` gives the RGB density of each column.

Lengths are fractions of the picture's width unless a name ends in `_pixels`.
"""

import math

import cv2
import numpy as np

PIGMENTS = ("skin_brown", "blood", "shade", "brown", "second_brown", "black", "blue", "pale")
COLUMN = {name: column for column, name in enumerate(PIGMENTS)}

# Mean red, green, blue (0..255) of plain skin and how often to draw it. The first seven are
# the usual looks of dermatoscope pictures; the last three are darker skins, rarer in public sets.
SKIN_TONES = (
    (0.06, (139, 115, 103)),
    (0.17, (183, 149, 136)),
    (0.16, (178, 168, 163)),
    (0.13, (162, 134, 121)),
    (0.07, (200, 112, 88)),
    (0.17, (224, 207, 200)),
    (0.16, (215, 172, 158)),
    (0.03, (226, 164, 104)),
    (0.03, (136, 96, 74)),
    (0.02, (98, 68, 54)),
)


def log_uniform(rng: np.random.Generator, low: float, high: float) -> float:
    """A draw whose logarithm is uniform between `low` and `high`, both above 0."""
    return float(np.exp(rng.uniform(math.log(low), math.log(high))))


def noise(
    rng: np.random.Generator,
    size: int,
    cells: float,
    stretch: float = 1.0,
    angle: float | None = None,
) -> np.ndarray:
    """Smooth random field of about unit variance, float32 (size, size).

    `cells` is the number of bumps across the picture; `stretch` > 1 elongates them along `angle`
    (radians, drawn when None). Drawn coarse and enlarged: a slow field needs few pixels.
    """
    shrink = 4 if cells * stretch <= size / 16 else 2 if cells * stretch <= size / 8 else 1
    coarse = size // shrink
    angle = rng.uniform(0, math.pi) if angle is None else angle
    along, across = cells / stretch / coarse, cells / coarse
    count = math.ceil(cells * 1.42) + 5
    grid = rng.standard_normal((count, math.ceil(cells / stretch * 1.42) + 5), dtype=np.float32)
    cosine, sine = math.cos(angle), math.sin(angle)
    matrix = np.array([[cosine * along, sine * along, 0], [-sine * across, cosine * across, 0]])
    middle = (coarse - 1) / 2
    centre = np.array([(grid.shape[1] - 1) / 2, (grid.shape[0] - 1) / 2]) + rng.uniform(
        -0.5, 0.5, 2
    )
    matrix[:, 2] = centre - matrix[:, :2] @ (middle, middle)
    field = cv2.warpAffine(
        grid,
        matrix,
        (coarse, coarse),
        flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REFLECT_101,
    )
    if shrink > 1:
        field = cv2.resize(field, (size, size), interpolation=cv2.INTER_CUBIC)
    return field * np.float32(1.35)


def fractal(
    rng: np.random.Generator, size: int, cells: float, octaves: int, persistence: float = 0.5
) -> np.ndarray:
    """Sum of `octaves` noise fields, each twice as fine and `persistence` times as strong."""
    field, strength, power = np.zeros((size, size), np.float32), 1.0, 0.0
    for _ in range(octaves):
        if cells > size / 2:
            break
        field += np.float32(strength) * noise(rng, size, cells)
        power += strength**2
        cells, strength = cells * 2, strength * persistence
    return field / np.float32(math.sqrt(power or 1.0))


def ridges(rng: np.random.Generator, size: int, cells: float, width_pixels: float) -> np.ndarray:
    """Thin winding lines (0..1), where a noise field crosses zero: vessels, fissures, cracks."""
    field = noise(rng, size, cells) * np.float32(size / cells / 2.6 / max(width_pixels, 0.5))
    return np.exp(-np.square(field))


def cells_of(
    rng: np.random.Generator, size: int, spacing: float, jitter: float = 0.45
) -> tuple[np.ndarray, np.ndarray]:
    """Random cells on a jittered hexagonal grid.

    Returns the distance to the nearest cell centre in units of `spacing`, float32 (size, size), and
    the cell's number at every pixel, int32 (size, size).
    """
    step = max(spacing * size, 2.5)
    rows, columns = math.ceil(size / step / 0.866) + 2, math.ceil(size / step) + 2
    row, column = np.mgrid[:rows, :columns]
    x = (column - 0.5 + 0.5 * (row % 2)) * step + rng.uniform(-jitter, jitter, row.shape) * step
    y = (row - 0.5) * 0.866 * step + rng.uniform(-jitter, jitter, row.shape) * step
    inside = (x >= 0) & (y >= 0) & (x < size) & (y < size)
    away = np.ones((size, size), np.uint8)
    away[y[inside].astype(int), x[inside].astype(int)] = 0
    away[rng.integers(size), rng.integers(size)] = 0  # never without any centre
    distance, number = cv2.distanceTransformWithLabels(
        away, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    return distance / np.float32(step), number


def spots(
    rng: np.random.Generator,
    size: int,
    spacing: float,
    radius: float,
    density: float,
    wobble: float = 0.0,
) -> np.ndarray:
    """Soft spots (0..1) of random size: `density` is the share of cells that hold one, `radius` the
    largest radius in units of `spacing`, `wobble` how irregular their outlines are."""
    distance, number = cells_of(rng, size, spacing, 0.8)
    count = int(number.max()) + 1
    reach = rng.uniform(0.35, 1.0, count) * radius * (rng.random(count) < density)
    strength = rng.uniform(0.4, 1.0, count).astype(np.float32)
    if wobble:
        distance = distance + np.float32(wobble * radius) * noise(rng, size, 1.5 / spacing)
    reach = np.maximum(reach, 1e-3).astype(np.float32)[number]
    # Faded towards the edge of the cell, where a neighbour would cut the spot off.
    fade = np.clip((0.65 - distance) * 5, 0, 1)
    return np.clip(1.3 * (1 - np.square(distance / reach)), 0, 1) * fade * strength[number]


def pigment_colours(rng: np.random.Generator) -> np.ndarray:
    """RGB density of one unit of each pigment, float32 (len(PIGMENTS), 3), varied a little.

    Melanin absorbs blue most, blood green and blue; the deep pigment of blue-gray areas scatters
    blue back, so that red is lost most; pale scars and scale take density away.
    """
    colours = np.array(
        [
            (0.40, 0.75, 1.05),
            (0.06, 0.80, 0.72),
            (1.0, 1.0, 1.0),
            (rng.uniform(0.24, 0.62), 1.0, rng.uniform(1.15, 1.8)),
            (rng.uniform(0.2, 0.7), 1.0, rng.uniform(1.0, 1.8)),
            (1.15, 1.25, 1.2),
            (1.25, rng.uniform(0.85, 1.3), rng.uniform(0.4, 0.85)),
            (-0.35, -0.8, -1.0),
        ]
    )
    return (colours * rng.uniform(0.9, 1.1, colours.shape)).astype(np.float32)


def skin_base(rng: np.random.Generator) -> np.ndarray:
    """RGB density of plain skin, float32 (3,), from light to dark."""
    weights = np.array([weight for weight, _ in SKIN_TONES])
    tone = SKIN_TONES[rng.choice(len(SKIN_TONES), p=weights / weights.sum())][1]
    density = -np.log(np.array(tone) / 255)
    return (density - 0.11 + rng.normal(0, 0.05) + rng.normal(0, 0.03, 3)).astype(np.float32)


def draw_skin(rng: np.random.Generator, size: int, stack: np.ndarray) -> None:
    """Add skin to `stack` (pigments, S, S) in place: mottling, furrows, pores, vessels, freckles,
    uneven light. Nothing drawn here belongs to a lesion."""
    brown, blood = stack[COLUMN["skin_brown"]], stack[COLUMN["blood"]]
    shade = stack[COLUMN["shade"]]

    # Mottling of every scale, and light that falls off towards a side.
    shade += log_uniform(rng, 0.005, 0.035) * fractal(rng, size, 1.5, 3, 0.6)
    blood += log_uniform(rng, 0.007, 0.06) * fractal(rng, size, rng.uniform(2, 8), 3, 0.6)
    brown += log_uniform(rng, 0.004, 0.045) * fractal(rng, size, rng.uniform(3, 12), 3, 0.7)
    slope = rng.normal(0, 0.06 if rng.random() < 0.7 else 0.2, 2)
    ramp = np.linspace(-0.5, 0.5, size, dtype=np.float32)
    shade += np.float32(slope[0]) * ramp[:, None] + np.float32(slope[1]) * ramp

    if rng.random() < 0.2:  # flushed or tanned areas with no edge to speak of
        column = brown if rng.random() < 0.5 else blood
        column += np.float32(log_uniform(rng, 0.04, 0.15)) * fractal(rng, size, 2, 2, 0.4)

    # Furrows: two sets of long fine valleys that cross.
    angle = rng.uniform(0, math.pi)
    strength = log_uniform(rng, 0.002, 0.03)
    for turn in (0.0, rng.uniform(0.7, 1.6))[: 1 + (rng.random() < 0.6)]:
        valleys = noise(rng, size, rng.uniform(25, 60), rng.uniform(2.5, 7), angle + turn)
        shade += np.float32(strength) * np.abs(valleys)
        blood += np.float32(strength * rng.uniform(0, 0.6)) * valleys

    if rng.random() < 0.05:  # a fold or the rim of an ear: light on one side, dark on the other
        height = noise(rng, size, rng.uniform(1, 2.5)) + rng.uniform(-1, 1)
        step = height * np.float32(rng.uniform(2, 8))
        shade += np.float32(rng.uniform(0.05, 0.3)) * step * np.exp(-0.5 * np.square(step))
        blood += np.float32(rng.uniform(0, 0.2)) * np.exp(-np.square(step))

    if rng.random() < 0.3:  # pores, darker or lighter than the skin
        sign = rng.choice((-0.6, 1.0))
        pores = spots(rng, size, log_uniform(rng, 0.02, 0.06), 0.3, 0.7)
        brown += np.float32(sign * log_uniform(rng, 0.03, 0.15)) * pores
    if rng.random() < 0.35:  # fine vessels
        patch = np.clip(noise(rng, size, 4) + rng.uniform(-0.3, 0.6), 0, 1.5)
        width = rng.uniform(0.002, 0.006) * size
        vessels = ridges(rng, size, rng.uniform(7, 22), width)
        blood += np.float32(log_uniform(rng, 0.03, 0.25)) * patch * vessels
    if rng.random() < 0.3:  # sun damage: blotches and freckles
        blotches = np.clip(fractal(rng, size, rng.uniform(4, 12), 3, 0.6) - 0.5, 0, 2)
        brown += np.float32(log_uniform(rng, 0.02, 0.14)) * blotches
    if rng.random() < 0.35:
        freckles = spots(rng, size, log_uniform(rng, 0.05, 0.16), 0.45, rng.uniform(0.05, 0.5), 0.3)
        brown += np.float32(log_uniform(rng, 0.06, 0.35)) * freckles
    shade += np.float32(log_uniform(rng, 0.003, 0.02)) * fractal(rng, size, size / 5, 2, 0.8)
