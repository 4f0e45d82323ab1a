"""Lesions, for the drawn dermoscopy pictures of `lesion.drawn`.

A lesion is a field `inside` in units of its own radius: about 1 in the middle, 0 at the border,
negative outside. Pigment, texture and mask (`scene.annotate`) are all read from that one field, so
they agree.
"""

import math
from typing import NamedTuple

import cv2
import numpy as np

from lesion.drawn.kinds import Kind
from lesion.drawn.skin import COLUMN, cells_of, fractal, log_uniform, noise, ridges, spots

# Share of the picture that lesions cover: quantiles, from specks to larger than the picture.
AREA_QUANTILES = (0.0, 0.05, 0.10, 0.25, 0.50, 0.75, 0.90, 0.96, 1.0)
AREAS = (0.005, 0.018, 0.03, 0.065, 0.16, 0.37, 0.62, 0.85, 1.4)


class Place(NamedTuple):
    """Where a lesion lies: centre and mean radius as fractions of the width, its field `inside`,
    and the polar angle of every pixel around the centre."""

    x: float
    y: float
    radius: float
    inside: np.ndarray
    angle: np.ndarray


def smoothstep(field: np.ndarray) -> np.ndarray:
    """0 below 0, 1 above 1 and an S between them."""
    field = np.clip(field, 0, 1)
    return field * field * (3 - 2 * field)


def place_lesion(rng: np.random.Generator, size: int, kind: Kind) -> Place:
    """Choose size, position and outline of a lesion; some are cut by the frame or exceed it."""
    # Lesions that hardly show are seldom huge: there the whole picture would look like skin.
    most = 0.8 if kind.density[1] < 0.3 else 1.0
    area = float(np.interp(most * rng.random(), AREA_QUANTILES, AREAS))
    radius = math.sqrt(area / math.pi) * (1 + 0.35 * max(0.0, area - 0.45))
    spread = (0.045 if rng.random() < 0.7 else 0.13) + 0.12 * max(0.0, radius - 0.35)
    x, y = 0.5 + rng.normal(0, spread, 2)
    longer = math.sqrt(1 / np.clip(rng.normal(0.78, 0.14), 0.4, 1))
    turn = rng.uniform(0, math.pi)
    ramp = (np.arange(size, dtype=np.float32) + 0.5) / size
    across, down = np.meshgrid(ramp - np.float32(x), ramp - np.float32(y))
    angle = cv2.phase(across, down)

    # Bend the plane, then measure: an ellipse, sometimes two or three grown together.
    bumps = 1 / radius  # noise cells for two bumps across the lesion
    bend = np.float32(rng.uniform(0.02, 0.15) * radius)
    across += bend * noise(rng, size, bumps)
    down += bend * noise(rng, size, bumps)
    cosine, sine = math.cos(turn), math.sin(turn)
    u = (cosine * across + sine * down) / np.float32(radius * longer)
    v = (cosine * down - sine * across) / np.float32(radius / longer)
    inside = 1 - cv2.magnitude(u, v)
    if rng.random() < 0.15:  # squarish
        inside = 0.7 * inside + 0.3 * (1 - 1.1 * (u**4 + v**4) ** 0.25)
    for _ in range(rng.integers(1, 3) if rng.random() < 0.3 else 0):
        away, way = rng.uniform(0.5, 0.95), rng.uniform(0, 2 * math.pi)
        lobe = rng.uniform(0.35, 0.75)
        other = cv2.magnitude(u - away * math.cos(way), v - away * math.sin(way))
        other = np.float32(lobe) - other
        # A smooth maximum, so that the waist is rounded.
        blend = np.clip(0.5 + (inside - other) / 0.4, 0, 1)
        inside = other + (inside - other) * blend + 0.2 * blend * (1 - blend)
    rough = 0.7 * rng.uniform(*kind.rough)
    inside += np.float32(rough) * fractal(rng, size, 1.5 * bumps, 5, rng.uniform(0.4, 0.7))
    if rng.random() < 0.25:  # notches bitten out of the border
        bites = np.clip(fractal(rng, size, 3 * bumps, 3, 0.6) - 1, 0, 1)
        inside -= np.float32(rng.uniform(0.15, 0.5)) * bites
    if rng.random() < 0.12:  # streaks: the border runs out in rays
        rays = rng.standard_normal(int(rng.integers(24, 60))).astype(np.float32)
        rays[-1] = rays[0]
        spokes = np.interp(angle.ravel() / (2 * math.pi), np.linspace(0, 1, len(rays)), rays)
        inside += np.float32(rng.uniform(0.04, 0.14)) * spokes.reshape(angle.shape)
    return Place(x, y, radius, np.ascontiguousarray(inside, np.float32), angle)


def draw_lesion(
    rng: np.random.Generator, size: int, kind: Kind, place: Place, stack: np.ndarray
) -> float:
    """Add the lesion to `stack` (pigments, S, S) in place.

    Returns how far beyond `inside == 0` the faint outer zone reaches, in radii (0 without one).
    """
    inside, bumps = place.inside, 1 / place.radius
    column = {name: stack[number] for name, number in COLUMN.items()}

    fuzz = 1.7 * log_uniform(rng, *kind.fuzz)
    width = np.float32(fuzz) * np.exp(np.float32(0.5) * noise(rng, size, 1.5 * bumps))
    body = smoothstep((inside + 0.25 * width) / width)
    spread = spread_pigment(rng, size, kind, place)
    density = log_uniform(rng, *kind.density)
    brown = spread * np.float32(density)
    brown *= texture(rng, size, kind, place)

    share = smoothstep(0.5 + 0.7 * noise(rng, size, 1.2 * bumps)) * (rng.random() < 0.6)
    body = np.maximum(body, np.float32(rng.uniform(0, 0.2)) * smoothstep((inside + 0.45) / 0.6))
    column["brown"] += body * brown * (1 - share)
    column["second_brown"] += body * brown * share
    redness = rng.uniform(*kind.redness)
    column["blood"] += np.float32(redness) * body * np.exp(0.3 * noise(rng, size, 2 * bumps))

    draw_other_colours(rng, size, kind, place, column)
    if rng.random() < kind.warty:
        draw_warts(rng, size, place, body, column)
    if rng.random() < kind.crust:
        draw_crust(rng, size, place, body, column)
    if redness > 0.1 and rng.random() < 0.5:  # vessels in the lesion
        lines = ridges(rng, size, rng.uniform(3, 7) * bumps, rng.uniform(0.004, 0.01) * size)
        column["blood"] += np.float32(rng.uniform(0.1, 0.4)) * body * lines
    if rng.random() < 0.25:
        draw_relief(rng, size, place, body, column)

    reach = 0.0
    if rng.random() < kind.halo:
        reach = rng.uniform(0.1, 0.5)
        rim = smoothstep((inside + reach) / rng.uniform(0.12, 0.4))
        rim = rim * np.exp(0.25 * fractal(rng, size, 2 * bumps, 3, 0.6))
        column["brown"] += np.float32(rng.uniform(0.12, 0.4) * min(density, 0.9)) * rim
        column["blood"] += np.float32(rng.uniform(0, 0.1)) * rim
    return reach


def spread_pigment(rng: np.random.Generator, size: int, kind: Kind, place: Place) -> np.ndarray:
    """Return how the pigment is spread over the lesion, float32 (S, S) about 1.

    Even, darkest in the middle, off the middle, or as a ring; mottled, sometimes in islands.
    """
    style, bumps = rng.random(), 1 / place.radius
    core = np.clip(place.inside, 0, 1)
    if style < 0.35:
        spread = np.ones_like(place.inside)
    elif style < 0.6:
        spread = rng.uniform(0.3, 0.8) + 0.9 * smoothstep(core * rng.uniform(1, 2))
    elif style < 0.88:
        spread = np.exp(0.45 * noise(rng, size, 0.8 * bumps))
    else:
        spread = 1.2 - rng.uniform(0.4, 1.0) * smoothstep(2 * core - 0.3)
    mottle = rng.uniform(*kind.mottle)
    uneven = fractal(rng, size, rng.uniform(1, 3) * bumps, 5, rng.uniform(0.45, 0.7))
    spread = spread * np.exp(np.float32(0.8 * mottle) * uneven)
    if rng.random() < kind.patchy:
        islands = fractal(rng, size, rng.uniform(1, 3) * bumps, 4, 0.6)
        least = rng.uniform(0.05, 0.5)
        spread *= least + (1 - least) * smoothstep(islands * rng.uniform(0.35, 1.1) + 0.5)
    return spread


def draw_other_colours(
    rng: np.random.Generator, size: int, kind: Kind, place: Place, column: dict
) -> None:
    """A second and third colour, each in its own part of the lesion."""
    bumps = 1 / place.radius
    for name, chance, low, high in (
        ("black", kind.black, 0.15, 0.8),
        ("blue", kind.blue, 0.1, 0.55),
        ("pale", kind.pale, 0.08, 0.4),
        ("blood", 0.5 * kind.pale, 0.08, 0.35),
    ):
        if rng.random() < chance:
            part = fractal(rng, size, rng.uniform(0.7, 2.5) * bumps, 4, 0.6)
            part = smoothstep((part - rng.uniform(-0.4, 0.9)) / rng.uniform(0.7, 2.0))
            part *= smoothstep((place.inside - rng.uniform(0, 0.2)) / 0.25)
            amount = np.float32(rng.uniform(low, high))
            if name in ("pale", "blood"):  # where it heals, the pigment goes
                for pigment in ("brown", "second_brown", "black"):
                    column[pigment] *= 1 - np.float32(min(1.0, 1.6 * amount)) * part
            column[name] += amount * part


def draw_relief(
    rng: np.random.Generator, size: int, place: Place, body: np.ndarray, column: dict
) -> None:
    """A raised lesion, lit from one side."""
    angle = rng.uniform(0, 2 * math.pi)
    slope = cv2.GaussianBlur(body, (0, 0), max(1.0, 0.1 * place.radius * size))
    relief = math.cos(angle) * cv2.Sobel(slope, cv2.CV_32F, 1, 0)
    relief += math.sin(angle) * cv2.Sobel(slope, cv2.CV_32F, 0, 1)
    column["shade"] += np.float32(rng.uniform(0.01, 0.06) * place.radius * size / 8) * relief


def texture(rng: np.random.Generator, size: int, kind: Kind, place: Place) -> np.ndarray | float:
    """Factor on the brown pigment: network, globules or dots, float32 (S, S) about 1."""
    factor: np.ndarray | float = 1.0
    where = smoothstep(0.6 + noise(rng, size, 1.2 / place.radius))
    if rng.random() < kind.network:
        spacing = np.clip(place.radius * rng.uniform(0.08, 0.18), 0.02, 0.05)
        distance, _ = cells_of(rng, size, spacing, 0.3)
        mesh = smoothstep((distance - 0.2) / 0.4) - 0.5
        factor = factor + np.float32(rng.uniform(0.1, 0.5)) * where * mesh
    if rng.random() < kind.globules:
        spacing = np.clip(place.radius * rng.uniform(0.08, 0.25), 0.02, 0.08)
        clods = spots(rng, size, spacing, 0.55, rng.uniform(0.3, 0.95), 0.2) - 0.25
        factor = factor + np.float32(rng.uniform(0.15, 0.7)) * where * clods
    return np.maximum(factor, 0.1)


def draw_warts(
    rng: np.random.Generator, size: int, place: Place, body: np.ndarray, column: dict
) -> None:
    """Milia-like cysts (light), plugs (dark) and fissures of a seborrhoeic keratosis."""
    spacing = np.clip(place.radius * rng.uniform(0.12, 0.3), 0.025, 0.1)
    if rng.random() < 0.6:
        cysts = body * spots(rng, size, spacing, 0.35, rng.uniform(0.15, 0.6))
        column["pale"] += np.float32(rng.uniform(0.1, 0.35)) * cysts
    if rng.random() < 0.6:
        plugs = body * spots(rng, size, spacing, 0.4, rng.uniform(0.1, 0.6), 0.2)
        column["second_brown"] += np.float32(rng.uniform(0.1, 0.5)) * plugs
    if rng.random() < 0.5:
        lines = ridges(
            rng, size, rng.uniform(2, 5) / place.radius, rng.uniform(0.006, 0.015) * size
        )
        column["brown"] += np.float32(rng.uniform(-0.3, 0.4)) * body * lines
    column["shade"] += np.float32(rng.uniform(0, 0.2)) * body


def draw_crust(
    rng: np.random.Generator, size: int, place: Place, body: np.ndarray, column: dict
) -> None:
    """Crust (orange to dark red, sharp), white scale, or a raw ulcer, in a part of the lesion."""
    field = fractal(rng, size, rng.uniform(2, 6) / place.radius, 4, 0.8)
    flakes = body * smoothstep((field - rng.uniform(0.3, 1.3)) / rng.uniform(0.4, 1.4))
    which = rng.random()
    if which < 0.4:
        column["second_brown"] += np.float32(rng.uniform(0.2, 0.8)) * flakes
        column["blood"] += np.float32(rng.uniform(0, 0.5)) * flakes
    elif which < 0.75:
        column["pale"] += np.float32(rng.uniform(0.15, 0.6)) * flakes
        column["shade"] -= np.float32(rng.uniform(0, 0.15)) * flakes
    else:
        column["blood"] += np.float32(rng.uniform(0.2, 0.7)) * flakes


def draw_neighbours(
    rng: np.random.Generator, size: int, place: Place, reach: float, stack: np.ndarray
) -> None:
    """Add what lies around the lesion and is not part of it: satellites, redness, pale ring."""
    inside = place.inside + np.float32(reach)
    outside = smoothstep((-0.3 - inside) / 0.25)  # keeps clear of the border
    bumps = 1 / place.radius
    if rng.random() < 0.25:
        spacing = rng.uniform(0.12, 0.35)
        others = spots(rng, size, spacing, rng.uniform(0.1, 0.4), rng.uniform(0.05, 0.35), 0.3)
        pigment = rng.choice(("brown", "second_brown", "blood"))
        stack[COLUMN[pigment]] += np.float32(log_uniform(rng, 0.08, 0.6)) * outside * others
    if rng.random() < 0.12:  # another mole, often cut by the frame
        ramp = (np.arange(size, dtype=np.float32) + 0.5) / size
        way, radius = rng.uniform(0, 2 * math.pi), log_uniform(rng, 0.03, 0.2)
        away = max(place.radius * 1.4 + radius, rng.uniform(0.3, 0.65))
        across = ramp - np.float32(place.x + away * math.cos(way))
        down = ramp - np.float32(place.y + away * math.sin(way))
        distance = cv2.magnitude(*np.meshgrid(across, down)) / np.float32(radius)
        mole = outside * smoothstep((1 - distance + 0.15 * fractal(rng, size, 1 / radius, 3)) / 0.4)
        amount = np.float32(log_uniform(rng, 0.15, 1.2))
        stack[COLUMN["brown"]] += amount * mole * np.exp(0.2 * noise(rng, size, 2 / radius))
    if rng.random() < 0.27:
        flush = np.clip(1 + (inside - 0.1) / rng.uniform(0.5, 1.5), 0, 1)
        flush = flush * (inside < 0.3) * np.exp(0.4 * noise(rng, size, bumps))
        flush = cv2.GaussianBlur(flush.astype(np.float32), (0, 0), 0.02 * size)
        stack[COLUMN["blood"]] += np.float32(rng.uniform(0.02, 0.2)) * flush
    elif rng.random() < 0.12:
        even = cv2.GaussianBlur(inside, (0, 0), 0.2 * place.radius * size)
        ring = np.exp(-np.square((even + rng.uniform(0.1, 0.4)) / 0.2))
        stack[COLUMN["pale"]] += np.float32(rng.uniform(0.03, 0.25)) * ring
