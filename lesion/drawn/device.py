"""What lies on the skin: hairs, ruler, ink, gel, glare, patches, frame.

For the drawn pictures of `lesion.drawn`. Pictures here are float32 (S, S, 3) RGB in 0..1, changed
in place where a function returns nothing. Lengths are fractions of the picture's width.
"""

import math

import cv2
import numpy as np

from lesion.drawn.canvas import Canvas, curve, paint, pick
from lesion.drawn.skin import fractal, log_uniform, noise, spots

HAIR_COLOURS = ((40, 26, 20), (70, 45, 32), (25, 22, 24), (110, 80, 60), (120, 70, 45))
LIGHT_HAIR_COLOURS = ((235, 230, 222), (215, 200, 175), (250, 248, 246))
INK_COLOURS = ((88, 50, 140), (110, 70, 150), (60, 45, 120), (40, 60, 150), (70, 40, 90))
PATCH_COLOURS = (
    (95, 190, 185), (255, 120, 80), (250, 150, 40), (240, 205, 70),
    (40, 80, 190), (70, 160, 90), (200, 60, 60), (150, 90, 160),
)  # fmt: skip


def draw_hairs(rng: np.random.Generator, picture: np.ndarray) -> None:
    """Hairs: a few strays, a combed bunch, a thicket, or shaved stubs; dark or light."""
    size = len(picture)
    style = rng.choice(("stray", "bunch", "thicket", "stubs"), p=(0.4, 0.27, 0.13, 0.2))
    canvas, shadow = Canvas(size), Canvas(size)
    width = log_uniform(rng, 0.003, 0.009)
    angle, bend = rng.uniform(0, 2 * math.pi), rng.uniform(0.1, 1.6)
    middle = rng.uniform(0.05, 0.95, 2)
    count = {"stray": (1, 8), "bunch": (5, 30), "thicket": (20, 70), "stubs": (4, 40)}[style]
    for _ in range(rng.integers(*count)):
        own = width * rng.uniform(0.6, 1.3)
        strength = rng.uniform(0.5, 1.0)
        if style == "stubs":
            start, heading = rng.uniform(0, 1, 2), rng.normal(angle, 0.7)
            points = curve(rng, start, heading, rng.uniform(0.01, 0.06), 0.4)
        else:
            loose = {"stray": 3.0, "bunch": 0.25, "thicket": 0.5}[style]
            scatter = {"stray": 0.45, "bunch": 0.25, "thicket": 0.5}[style]
            heading = rng.normal(angle, loose)
            length = rng.uniform(0.3, 1.5) if style != "stray" else rng.uniform(0.15, 1.2)
            way = np.array([math.cos(heading), math.sin(heading)])
            start = middle + rng.uniform(-scatter, scatter, 2) * 1.4 - way * length / 2
            points = curve(rng, start, heading, length, bend)
        canvas.line(points, own, strength)
        shadow.line(points + 0.006, 2 * own, strength)
    light = rng.random() < 0.15
    colour = pick(rng, LIGHT_HAIR_COLOURS if light else HAIR_COLOURS)
    if not light and rng.random() < 0.4:
        picture *= 1 - np.float32(rng.uniform(0.05, 0.25)) * shadow.coverage()
    paint(picture, canvas.coverage() * np.float32(rng.uniform(0.55, 1.0)), colour)


def draw_ruler(rng: np.random.Generator, picture: np.ndarray) -> None:
    """A millimetre scale: a line with ticks and its label, or ticks along an edge."""
    size = len(picture)
    canvas = Canvas(size)
    angle = rng.normal(0, 0.25) if rng.random() < 0.85 else rng.uniform(0, 2 * math.pi)
    way = np.array([math.cos(angle), math.sin(angle)])
    up = np.array([way[1], -way[0]]) * rng.choice((-1, 1), p=(0.2, 0.8))
    length = rng.uniform(0.5, 0.75) if rng.random() < 0.8 else rng.uniform(0.9, 1.5)
    if rng.random() < 0.8:
        middle = np.array([rng.uniform(0.25, 0.75), rng.uniform(0.7, 1.0)])
    else:
        middle = rng.uniform(0.05, 0.95, 2)
    start, width = middle - way * length / 2, rng.uniform(0.003, 0.007)
    canvas.line(np.array([start, start + way * length]), width)
    ticks = int(rng.choice((10, 20, 20, 40)))
    tall = rng.uniform(0.015, 0.035)
    for tick in range(ticks + 1):
        foot = start + way * (length * tick / ticks)
        height = tall * (1.5 if tick % 5 == 0 else 1.0)
        canvas.line(np.array([foot, foot + up * height]), width * 0.8)
    if rng.random() < 0.8:
        label = np.zeros_like(canvas.pixels)
        place = ((start - up * tall * 1.8) * 2 * size).astype(int)
        text = str(rng.choice(("mm", "MM", "10 mm", "1 cm")))
        scale = size / 128 * rng.uniform(0.32, 0.5)
        cv2.putText(label, text, place.tolist(), cv2.FONT_HERSHEY_SIMPLEX, scale, 255, 1, 16)
        turn = cv2.getRotationMatrix2D(place.tolist(), -math.degrees(angle), 1)
        label = cv2.warpAffine(label, turn, label.shape[::-1])
        canvas.pixels = np.maximum(canvas.pixels, label)
    shade = np.full(3, rng.uniform(0.1, 0.3), np.float32)
    paint(picture, canvas.coverage() * np.float32(rng.uniform(0.3, 0.95)), shade)


def draw_ink(
    rng: np.random.Generator, picture: np.ndarray, x: float, y: float, reach: float
) -> None:
    """Pen marks: dots, crosses, dashes or an arc around the lesion at x, y; ink creeps into
    furrows, so strokes have fringes and gaps."""
    size = len(picture)
    canvas = Canvas(size)
    style = rng.choice(("dots", "crosses", "arc", "scribble"), p=(0.3, 0.2, 0.35, 0.15))
    width = rng.uniform(0.012, 0.06)
    around = reach * rng.uniform(1.1, 1.8) + 0.05 + width / 2
    turn = rng.uniform(0, 2 * math.pi)
    strokes = []
    if style == "arc":
        for _ in range(rng.integers(1, 4)):
            sweep = np.linspace(0, rng.uniform(0.4, 2.5), 24) + rng.uniform(0, 2 * math.pi)
            radius = around * (1 + 0.06 * np.cumsum(rng.normal(0, 0.5, 24)))
            strokes.append(np.stack([x + radius * np.cos(sweep), y + radius * np.sin(sweep)], 1))
    elif style == "scribble":
        heading = rng.uniform(0, 2 * math.pi)
        strokes.append(curve(rng, rng.uniform(0, 1, 2), heading, rng.uniform(0.2, 0.7), 2))
    else:
        for number in range(rng.integers(2, 7)):
            place = turn + number * rng.normal(1.3, 0.3)
            at = np.array([x, y]) + around * np.array([math.cos(place), math.sin(place)])
            arm = width * (0.4 if style == "dots" else 1.5)
            for heading in rng.uniform(0, math.pi, 1 if style == "dots" else 2):
                step = arm * np.array([math.cos(heading), math.sin(heading)])
                strokes.append(np.array([at - step, at + step]))
    fringes, combed = rng.uniform(0, 4), rng.random() < 0.5  # ink creeps along the furrows
    for points in strokes:
        canvas.line(points, width)
        for _ in range(int((4 + len(points)) * fringes)):
            foot = points[rng.integers(len(points))] + rng.normal(0, 0.4 * width, 2)
            heading = turn + (rng.normal(0, 0.5) if combed else rng.uniform(0, 2 * math.pi))
            canvas.line(curve(rng, foot, heading, rng.uniform(0.6, 1.6) * width, 0.5), 0.004)
    grain = np.clip(rng.uniform(0.4, 1.3) + 0.5 * noise(rng, size, rng.uniform(30, 60)), 0, 1)
    coverage = canvas.coverage() * grain[..., None] * np.float32(rng.uniform(0.3, 0.95))
    picture *= 1 - coverage * (1 - pick(rng, INK_COLOURS))


def draw_bubbles(rng: np.random.Generator, picture: np.ndarray) -> None:
    """Gel bubbles: rings, brighter on one side, darker on the other; sometimes one large one."""
    size = len(picture)
    bright, dark = Canvas(size), Canvas(size)
    largest = log_uniform(rng, 0.008, 0.05)
    cluster = rng.uniform(0, 1, 2)
    for _ in range(rng.integers(1, 25)):
        x, y = cluster + rng.normal(0, 0.25, 2)
        radius = largest * rng.uniform(0.3, 1)
        dark.circle(x, y, radius, 0.004, 150)
        bright.circle(x + 0.1 * radius, y + 0.1 * radius, 0.8 * radius, 0.003, 110)
        bright.circle(x - 0.4 * radius, y - 0.4 * radius, max(0.2 * radius, 0.003), None, 230)
    if rng.random() < 0.2:
        (x, y), radius = rng.uniform(-0.1, 1.1, 2), rng.uniform(0.06, 0.2)
        dark.circle(x, y, radius, 0.008, 90)
        bright.circle(x, y, 0.94 * radius, 0.006, 160)
        for dot in np.arange(0, 2 * math.pi, 0.45):
            at = radius * 0.75
            bright.circle(x + at * math.cos(dot), y + at * math.sin(dot), 0.008, None, 200)
    picture *= 1 - np.float32(rng.uniform(0.1, 0.5)) * dark.coverage()
    paint(picture, bright.coverage() * np.float32(rng.uniform(0.3, 0.9)), np.ones(3))


def draw_glare(rng: np.random.Generator, picture: np.ndarray) -> None:
    """Specks where dry skin or gel reflects the lamp, gathered in one area, and a faint sheen."""
    size = len(picture)
    area = np.clip(noise(rng, size, 2) + rng.uniform(-1, 0.5), 0, 1)
    specks = spots(rng, size, rng.uniform(0.015, 0.05), 0.3, rng.uniform(0.1, 0.6))
    sparks = np.clip(fractal(rng, size, size / 6, 2, 0.8) - 1.5, 0, 1)
    glare = area * np.maximum(specks, sparks * (rng.random() < 0.5))
    paint(picture, (glare * np.float32(rng.uniform(0.2, 0.9)))[..., None], np.ones(3))
    if rng.random() < 0.3:
        sheen = np.clip(noise(rng, size, 1.5), 0, 2) * np.float32(rng.uniform(0.02, 0.12))
        paint(picture, sheen[..., None], np.ones(3))


def draw_plate_edge(rng: np.random.Generator, picture: np.ndarray) -> None:
    """The rim of the contact plate or of a gel drop: a large faint arc with froth along it."""
    size = len(picture)
    x, y = 0.5 + rng.normal(0, 0.12, 2)
    ramp = (np.arange(size, dtype=np.float32) + 0.5) / size
    distance = cv2.magnitude(*np.meshgrid(ramp - np.float32(x), ramp - np.float32(y)))
    distance -= np.float32(rng.uniform(0.35, 0.65)) - 0.01 * noise(rng, size, 3)
    rim = np.exp(-np.square(distance / np.float32(rng.uniform(0.004, 0.015))))
    picture *= 1 - (np.float32(rng.uniform(-0.08, 0.2)) * rim)[..., None]
    picture *= 1 + (np.float32(rng.uniform(-0.1, 0.1)) * (distance > 0))[..., None]
    if rng.random() < 0.5:
        froth = np.clip(noise(rng, size, rng.uniform(25, 60)) - 0.3, 0, 1)
        froth *= np.exp(-np.square(distance / 0.04)) * np.clip(noise(rng, size, 3) + 0.3, 0, 1)
        paint(picture, (froth * np.float32(rng.uniform(0.3, 0.9)))[..., None], np.ones(3))


def place_occluders(rng: np.random.Generator, size: int, x: float, y: float, reach: float) -> list:
    """Opaque things that can hide skin, as (coverage (S, S, 1), colour): coloured patches at the
    side away from the lesion at x, y, the black round frame, dark or pale strips at an edge."""
    occluders = []
    if rng.random() < 0.11:
        canvas = Canvas(size)
        way, radius = rng.uniform(0, 2 * math.pi), rng.uniform(0.15, 0.45)
        away = max(reach * rng.uniform(0.9, 1.3) + radius, 0.5 + 0.4 * radius)
        centre_x, centre_y = x + away * math.cos(way), y + away * math.sin(way)
        if rng.random() < 0.75:
            canvas.circle(centre_x, centre_y, radius, None)
        else:
            corners = way + math.pi / 4 + np.arange(4) * math.pi / 2 + rng.normal(0, 0.1, 4)
            square = np.stack([np.cos(corners), np.sin(corners)], 1) * radius * 1.3
            canvas.polygon(square + np.array([centre_x, centre_y]))
        grain = 1 + rng.uniform(0.02, 0.12) * noise(rng, size, size / 3)[..., None]
        occluders.append((canvas.coverage(), pick(rng, PATCH_COLOURS) * grain))
        if rng.random() < 0.25:
            inner = Canvas(size)
            inner.circle(centre_x, centre_y, radius * rng.uniform(0.4, 0.7), None)
            occluders.append((inner.coverage(), pick(rng, PATCH_COLOURS) * grain))
    if rng.random() < 0.07:  # the round field of view
        centre, radius = 0.5 + rng.normal(0, 0.03, 2), rng.uniform(0.48, 0.72)
        ramp = (np.arange(size, dtype=np.float32) + 0.5) / size
        offset = np.meshgrid(ramp - np.float32(centre[0]), ramp - np.float32(centre[1]))
        soft = np.float32(log_uniform(rng, 0.004, 0.05))
        frame = np.clip((cv2.magnitude(*offset) - np.float32(radius)) / soft + 0.5, 0, 1)
        black = np.full(3, rng.uniform(0, 0.08), np.float32)
        occluders.append((frame[..., None], black))
    if rng.random() < 0.06:
        strip = np.zeros((size, size, 1), np.float32)
        strip[: max(1, round(size * log_uniform(rng, 0.005, 0.35)))] = 1
        strip = np.rot90(strip, rng.integers(4)).copy()
        shade = np.full(3, rng.uniform(0, 0.1) if rng.random() < 0.7 else 0.8, np.float32)
        occluders.append((strip, shade))
    return occluders


def draw_device(
    rng: np.random.Generator, picture: np.ndarray, x: float, y: float, reach: float
) -> None:
    """Everything a dermatoscope's picture shows on top of skin and lesion, each with its own
    probability; `x`, `y` and `reach` say where the lesion is, for the ink around it."""
    for chance, draw in (
        (0.10, draw_plate_edge),
        (0.45, draw_hairs),
        (0.10, draw_hairs),
        (0.25, draw_glare),
        (0.15, draw_bubbles),
        (0.25, draw_ruler),
    ):
        if rng.random() < chance:
            draw(rng, picture)
    if rng.random() < 0.15:
        draw_ink(rng, picture, x, y, reach)
