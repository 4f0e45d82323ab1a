"""Drawings that explain: the networks, and what Dice and IoU measure.

    show.save(show.architecture("lean"), "Images/architecture_lean.png")
    show.save(show.dice_explained(), "Images/dice_explained.png")

Every number in them is read from the network that `unet.build` makes or computed by
`metrics.score_pair`; none is typed here.
"""

import textwrap

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import FancyArrowPatch, Patch, Rectangle

from lesion.masks import COLOURS, draw_outline
from lesion.score.metrics import score_pair
from lesion.show.graph import read_graph
from lesion.show.style import SCREEN_DPI, WIDTH

ENCODER, DECODER, JOINED, PLAIN, GRAY = "#56B4E9", "#E69F00", "#F7DFA8", "#DDDDDD", "#555555"
SHRINK, GROW, SKIP, FINISH = "#D55E00", "#009E73", "#0072B2", "#CC79A7"
SLAB_GAP = 0.5  # units
SHARED, MISSED, EXTRA = "#A9D8C6", "#BCD9EC", "#F8E0B0"
# Inches: between stages at least, a slab's unit of width at most, at the sides, between the rows,
# above and below the network.
STAGE_GAP, UNIT, MARGIN, ROW_GAP, HEAD, FOOT = 0.36, 0.1, 0.45, 0.55, 1.35, 1.5


# ------------------------------------------------------------------------------------ networks


def architecture(name: str, input_shape: tuple | None = None) -> Figure:
    """Draw a network as the U it is named after, with its sizes, features and parameters.

    Args:
        name: of `unet.NETWORKS`.
        input_shape: (height, width, channels) it is built for, a square; None takes the usual one.

    Raises:
        ValueError: unknown name or shape.
    """
    import unet  # not earlier: it loads Keras, which no other figure needs

    side = unet.NETWORKS[name].image_size if name in unet.NETWORKS else None
    model = unet.build(name, input_shape or (side, side, 3))
    graph = read_graph(model)
    stages = graph.stages
    # A row for each halving of the picture's side, a column for each stage.
    rows = [max(0, round(np.log2(stages[0].side / stage.side))) for stage in stages]
    heights = [1.15 * 0.72**row for row in range(max(rows) + 1)]
    tops = [-sum(heights[:row]) - ROW_GAP * row for row in range(len(heights))]
    floor = tops[-1] - heights[-1] - FOOT
    figure = Figure((WIDTH, HEAD - floor), dpi=SCREEN_DPI, facecolor="white")
    axis = figure.add_axes((0, 0, 1, 1))
    axis.set(xlim=(0, WIDTH), ylim=(floor, HEAD))
    axis.axis("off")

    deepest = max(range(len(stages)), key=rows.__getitem__)
    widths = [_slab_widths(stage) for stage in stages]
    room, gaps = WIDTH - 2 * MARGIN, len(stages) - 1
    unit = min(UNIT, (room - STAGE_GAP * gaps) / sum(map(sum, widths)))
    gap = (room - unit * sum(map(sum, widths))) / gaps
    boxes, x = [], MARGIN
    for number, (stage, row) in enumerate(zip(stages, rows, strict=True)):
        end = {0: "picture", len(stages) - 1: "probability"}.get(number)
        colour = PLAIN if end else ENCODER if number <= deepest else DECODER
        right = x + unit * (sum(widths[number]) - SLAB_GAP)
        box = (x, right, tops[row], tops[row] - heights[row])
        _draw_stage(axis, stage, box, unit, colour)
        _label_stage(axis, stage, box, end, number < deepest)
        boxes.append(box)
        x = right + unit * SLAB_GAP + gap
    _draw_arrows(axis, stages, rows, boxes)
    title = f"{model.name}: {short_count(model.count_params())} parameters"
    axis.text(WIDTH / 2, HEAD - 0.1, title, ha="center", va="top", fontsize=13)
    key = "above a stage: its features; below: side of its feature maps, number of parameters"
    note = "\n".join([*textwrap.wrap(graph.slab, 110), key])
    axis.text(WIDTH / 2, HEAD - 0.4, note, ha="center", va="top", fontsize=9, color=GRAY)
    _explain(figure, graph)
    return figure


def _slab_widths(stage):
    """Relative widths of a stage's slabs, each with the gap behind it.

    They grow with the square root of the features: from 3 to 1024 they span too much.
    """
    slabs = [*([stage.joined] if stage.joined else []), *stage.features]
    return [SLAB_GAP + 1 + np.sqrt(features) / 4 for features in slabs]


def short_count(number: int) -> str:
    """Write a number of parameters with three digits: 31.0 M, 412 k, 65."""
    for unit, name in ((1e6, " M"), (1e3, " k")):
        if number >= unit:
            return f"{number / unit:.3g}{name}"
    return f"{number}"


def _draw_stage(axis, stage, box, unit, colour):
    """Draw the feature maps of a stage into its box: left, right, top, bottom."""
    left, _, top, bottom = box
    for number, width in enumerate(_slab_widths(stage)):
        face = JOINED if stage.joined and number == 0 else colour
        size = (unit * (width - SLAB_GAP), top - bottom)
        axis.add_patch(Rectangle((left, bottom), *size, fc=face, ec=GRAY, lw=0.8))
        left += unit * width


def _label_stage(axis, stage, box, end, shrinks):
    """Write features, side and parameters of a stage, or the name of an end of the network."""
    left, right, top, bottom = box
    above = f"{end}\n{stage.side} px" if end else f"{stage.features[-1]}"
    axis.text((left + right) / 2, top + 0.06, above, ha="center", va="bottom", fontsize=9)
    if not end:
        below = f"{stage.side} px\n{short_count(stage.parameters)}"
        x, align = (right, "right") if shrinks else (left, "left")  # where no arrow passes
        axis.text(x, bottom - 0.06, below, ha=align, va="top", fontsize=8, color=GRAY)


def _draw_arrows(axis, stages, rows, boxes):
    """Draw what leads from a stage to the next, and the skips."""

    def arrow(start, end, colour, style="-"):
        options = {"arrowstyle": "-|>", "mutation_scale": 13, "lw": 1.6, "shrinkA": 3, "shrinkB": 3}
        axis.add_patch(FancyArrowPatch(start, end, color=colour, linestyle=style, **options))

    middles = [(top + bottom) / 2 for _, _, top, bottom in boxes]
    for number in range(1, len(stages)):
        before, box, middle = boxes[number - 1], boxes[number], middles[number]
        start, end = (before[1], middles[number - 1]), (box[0], middle)
        down = rows[number] - rows[number - 1]
        if number == len(stages) - 1:
            arrow(start, end, FINISH)
        elif down > 0:
            arrow((before[1], before[3] + 0.08), end, SHRINK)
        elif down < 0:
            arrow(start, (box[0], box[3] + 0.08), GROW)
        else:
            arrow(start, end, GRAY)
        for source in stages[number].sources:
            arrow((boxes[source][1], middle), end, SKIP, "--")


def _explain(figure, graph):
    """Put the legend of a network's drawing under it."""
    arrows = {SHRINK: graph.shrink, GROW: graph.grow, FINISH: graph.finish}
    skip = {SKIP: f"skip, {graph.skip}"} if graph.skip else {}
    handles = [
        Line2D(
            [],
            [],
            color=colour,
            lw=2,
            ls="--" if colour == SKIP else "-",
            label=textwrap.fill(words, 40),
        )
        for colour, words in (arrows | skip).items()
        if words
    ]
    patches = {"encoder": ENCODER, "decoder": DECODER}
    patches |= {"where the skip comes in": JOINED} if skip else {}
    handles += [Patch(fc=colour, ec=GRAY, label=words) for words, colour in patches.items()]
    figure.legend(handles=handles, loc="lower center", ncols=3, frameon=False, fontsize=9)


# ---------------------------------------------------------------------------------------- Dice


def _disc(size, row, column, radius):
    """Return a round mask: uint8 (size, size) of 0 and 1."""
    rows, columns = np.mgrid[:size, :size]
    return (np.hypot(rows - row, columns - column) <= radius).astype(np.uint8)


def _paint_regions(axis, truth, prediction, title):
    """Paint shared, missed and extra pixels of two masks, with both outlines."""
    painted = np.full((*truth.shape, 3), 255, np.uint8)
    for region, colour in (
        (truth & prediction, SHARED),
        (truth & ~prediction & 1, MISSED),
        (prediction & ~truth & 1, EXTRA),
    ):
        painted[region > 0] = list(bytes.fromhex(colour[1:]))
    axis.imshow(draw_outline(painted, {"truth": truth, "prediction": prediction}))
    axis.set(xticks=[], yticks=[], title=title)
    axis.title.set_fontsize(10)
    axis.spines[:].set_color("#BBBBBB")


def dice_explained() -> Figure:
    """Draw what Dice and IoU measure: the shared area, the formulas and three worked examples."""
    size, middle, shift = 400, 200, 40
    large, small = _disc(size, middle, 180, 130), _disc(size, middle, 180, 50)
    examples = {
        f"large lesion, {shift} pixels off": (large, np.roll(large, shift, 1)),
        f"small lesion, {shift} pixels off": (small, np.roll(small, shift, 1)),
        "everything called lesion": (large, np.ones_like(large)),
    }
    figure = Figure((WIDTH, 7.6), dpi=SCREEN_DPI, facecolor="white", layout="constrained")
    figure.get_layout_engine().set(w_pad=0.1, h_pad=0.1)
    axes = figure.subplot_mosaic([["regions", "words", "words"], [*examples]])
    figure.suptitle("Dice and IoU: how much two masks share", fontsize=13)

    label, prediction = _disc(size, 210, 160, 115), _disc(size, 180, 250, 105)
    _paint_regions(axes["regions"], label, prediction, "label A and prediction B")
    for x, y, text in ((99, 235, "missed"), (205, 200, "shared"), (308, 155, "extra")):
        axes["regions"].text(x, y, text, ha="center", va="center")
    words = axes["words"]
    words.axis("off")
    formulas = (
        (0.87, r"$\mathrm{Dice} = \frac{2\,|A \cap B|}{|A| + |B|}$", 20),
        (0.70, "twice the shared pixels, divided by the pixels of both masks together", 10),
        (0.49, r"$\mathrm{IoU} = \frac{|A \cap B|}{|A \cup B|}$", 20),
        (0.32, "the shared pixels, divided by the pixels in either mask (Jaccard index)", 10),
        (0.12, "1: the same mask; 0: nothing shared. IoU = Dice / (2 − Dice)", 10),
    )
    for y, text, points in formulas:
        words.text(0.02, y, text, fontsize=points, va="center", transform=words.transAxes)
    for title, (truth, predicted) in examples.items():
        _paint_regions(axes[title], truth, predicted, title)
        score = score_pair(truth, predicted)
        shared = score["intersection_pixels"]
        axes[title].set_xlabel(
            f"A {score['true_pixels']:,}, B {score['predicted_pixels']:,}, "
            f"shared {shared:,} pixels\n"
            f"Dice {score['dice']:.3f}, IoU {score['jaccard']:.3f}",
            fontsize=9,
        )
    handles = [
        Line2D([], [], color=COLOURS["truth"], lw=3, label="label A"),
        Line2D([], [], color=COLOURS["prediction"], lw=3, label="prediction B"),
        Patch(fc=SHARED, label="shared"),
        Patch(fc=MISSED, label="missed: in A only"),
        Patch(fc=EXTRA, label="extra: in B only"),
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=5, frameon=False, fontsize=9)
    return figure
