"""Drawings that explain: the two networks, and what Dice and IoU measure.

    save(architecture("lean"), "Images/architecture_lean.png")
    save(dice_explained(), "Images/dice_explained.png")

Every number in them is read from the network that `unet.build` makes or computed by
`metrics.score_pair`; none is typed here.
"""

import re

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import FancyArrowPatch, Patch, Rectangle

from lesion.masks import COLOURS, draw_outline
from lesion.score.metrics import score_pair
from lesion.show.style import SCREEN_DPI, WIDTH

ENCODER, DECODER, JOINED, PLAIN, GRAY = "#56B4E9", "#E69F00", "#F7DFA8", "#DDDDDD", "#555555"
SHRINK, GROW, SKIP, FINISH = "#D55E00", "#009E73", "#0072B2", "#CC79A7"
SHARED, MISSED, EXTRA = "#A9D8C6", "#BCD9EC", "#F8E0B0"
SLAB_GAP, SLAB_WIDTH, STAGE_GAP, MARGIN = 0.05, 0.08, 0.36, 0.45  # inches


# ------------------------------------------------------------------------------------ networks


def read_architecture(model):
    """Reads what its diagram shows from a network of `unet.build`, by the names of its layers.

    Args:
        model: a `keras.Model` of known, square input size.

    Returns:
        dict: `stages`, in the order of computation, each a dict of name, side (pixels), features
        (what each 3x3 convolution or bottleneck at that side puts out), joined (features where the
        skip comes in, else 0) and parameters; and in words `shrink`, `grow`, `skip`, `finish` and
        `block`, the operations.
    """

    def stage(name, side=0, features=()):
        return {
            "name": name,
            "side": side,
            "features": list(features),
            "joined": 0,
            "parameters": 0,
        }

    stages = {"picture": stage("picture", model.input_shape[1], [model.input_shape[3]])}
    for layer in model.layers:
        match = re.match(r"stem|down\d+|bottom|up\d+", layer.name)
        if match:
            current = stages.setdefault(match[0], stage(match[0]))
        elif len(stages) > 1:  # behind the last stage: what turns features into a probability
            current = stages.setdefault("probability", stage("probability"))
        else:
            continue
        current["parameters"] += layer.count_params()
        if layer.name.endswith("_skip"):
            current["joined"] = layer.output.shape[-1]
        if type(layer).__name__ == "Conv2D" and (
            (layer.kernel_size == (3, 3) and (layer.strides == (1, 1) or match[0] == "stem"))
            or re.search(r"block\d+_narrow_conv", layer.name)
        ):
            current["features"].append(layer.output.shape[-1])
            current["side"] = layer.output.shape[1]
    stages["probability"].update(side=model.output_shape[1], features=[model.output_shape[3]])

    names = {layer.name for layer in model.layers}
    kinds = {type(layer).__name__ for layer in model.layers}
    rates = [layer.rate for layer in model.layers if type(layer).__name__ == "Dropout"]
    block = "a block: two 3×3 convolutions, ReLU"
    block += ", batch normalisation" if "BatchNormalization" in kinds else ""
    block += ", the input of the block added" if "up0_add" in names else ""
    block += f", dropout {min(rates):g} to {max(rates):g}" if rates else ""
    shrink = "2×2 max-pooling" if "down0_pool" in names else "3×3 convolution, stride 2"
    if "DepthwiseConv2D" in kinds:
        block = (
            "encoder: bottlenecks of EfficientNet-Lite0: widen 1×1, filter each channel, narrow 1×1"
        )
        block += "; decoder: blocks of two 3×3 convolutions"
        shrink = "the bottleneck's filter with stride 2"
    copied = "up0_nearest" in names
    upsampled = "bilinear upsampling, " if "full_size" in names else ""
    return {
        "stages": list(stages.values()),
        "shrink": shrink,
        "grow": "1×1 convolution, nearest upsampling" if copied else "2×2 transposed convolution",
        "skip": "skip, " + ("concatenated" if "Concatenate" in kinds else "added"),
        "finish": f"1×1 convolution, {upsampled}sigmoid",
        "block": block,
    }


def _short_count(number):
    """Writes a number of parameters with three digits: 31.0 M, 412 k, 65."""
    for unit, name in ((1e6, " M"), (1e3, " k")):
        if number >= unit:
            return f"{number / unit:.3g}{name}"
    return f"{number}"


def _draw_stage(axis, stage, left, top, height, scale):
    """Draws the feature maps of a stage from x = left; returns its box (left, right, top, bottom).

    A slab's width grows with the square root of its features: from 3 to 1024 they span too much.
    """
    ends = stage["name"] in ("picture", "probability")
    colour = PLAIN if ends else DECODER if stage["joined"] else ENCODER
    slabs = [(stage["joined"], JOINED)] if stage["joined"] else []
    slabs += [(features, colour) for features in stage["features"]]
    right = left - SLAB_GAP
    for features, face in slabs:
        corner, width = (right + SLAB_GAP, top - height), SLAB_WIDTH + scale * np.sqrt(features)
        axis.add_patch(Rectangle(corner, width, height, fc=face, ec=GRAY, lw=0.8))
        right += SLAB_GAP + width
    side, middle = f"{stage['side']} px", (left + right) / 2
    above = f"{stage['name']}\n{side}" if ends else f"{stage['features'][-1]}"
    axis.text(middle, top + 0.06, above, ha="center", va="bottom", fontsize=9)
    if not ends:
        below = f"{side}\n{_short_count(stage['parameters'])}"
        axis.text(middle, top - height - 0.06, below, ha="center", va="top", fontsize=8, color=GRAY)
    return left, right, top, top - height


def _draw_arrow(axis, start, end, colour, style="-"):
    options = {"arrowstyle": "-|>", "mutation_scale": 13, "lw": 1.6, "shrinkA": 3, "shrinkB": 3}
    axis.add_patch(FancyArrowPatch(start, end, color=colour, linestyle=style, **options))


def architecture(name, input_shape=None):
    """Draws a network as the U it is named after, with its sizes, features and parameters.

    Args:
        name: "lean", "lite" or "classic".
        input_shape: (height, width, channels) it is built for, a square; None takes the usual one.

    Raises:
        ValueError: unknown name or shape.
    """
    import unet  # not earlier: it loads Keras, which no other figure needs

    side = unet.NETWORKS[name].image_size if name in unet.NETWORKS else None
    model = unet.build(name, input_shape or (side, side, 3))
    network = read_architecture(model)
    stages = network["stages"]
    # A row for each halving of the picture's side, a column for each stage.
    rows = [round(np.log2(stages[0]["side"] / stage["side"])) for stage in stages]
    heights = [1.15 * 0.72**row for row in range(max(rows) + 1)]
    tops = [-sum(heights[:row]) - 0.6 * row for row in range(len(heights))]
    slabs = [[*stage["features"], *([stage["joined"]] * bool(stage["joined"]))] for stage in stages]
    fixed = STAGE_GAP * (len(stages) - 1) + SLAB_GAP * sum(len(features) - 1 for features in slabs)
    fixed += SLAB_WIDTH * sum(len(features) for features in slabs) + 2 * MARGIN
    scale = (WIDTH - fixed) / sum(np.sqrt(f) for features in slabs for f in features)

    floor = tops[-1] - heights[-1] - 1.3
    figure = Figure((WIDTH, 1.3 - floor), dpi=SCREEN_DPI, facecolor="white")
    axis = figure.add_axes((0, 0, 1, 1))
    axis.set(xlim=(0, WIDTH), ylim=(floor, 1.3))
    axis.axis("off")
    boxes, x = {}, MARGIN
    for stage, row in zip(stages, rows, strict=True):
        box = _draw_stage(axis, stage, x, tops[row], heights[row], scale)
        boxes[stage["name"]] = box
        x = box[1] + STAGE_GAP

    def middle(box):
        return (box[2] + box[3]) / 2

    for before, stage, row, next_row in zip(stages, stages[1:], rows, rows[1:], strict=False):
        start, end = boxes[before["name"]], boxes[stage["name"]]
        if stage["name"] == "probability":
            _draw_arrow(axis, (start[1], middle(start)), (end[0], middle(end)), FINISH)
        elif next_row > row:
            _draw_arrow(axis, (start[1], start[3] + 0.08), (end[0], middle(end)), SHRINK)
        elif next_row < row:
            _draw_arrow(axis, (start[1], middle(start)), (end[0], end[3] + 0.08), GROW)
        else:
            _draw_arrow(axis, (start[1], middle(start)), (end[0], middle(end)), GRAY)
        if stage["joined"]:
            source = boxes[stage["name"].replace("up", "down")]
            _draw_arrow(axis, (source[1], middle(end)), (end[0], middle(end)), SKIP, "--")

    title = f"{model.name}: {model.count_params() / 1e6:.2f} million parameters"
    axis.text(WIDTH / 2, 1.2, title, ha="center", va="top", fontsize=13)
    key = "above a block: its features; below: side of its feature maps, number of parameters"
    note = f"{network['block']}\n{key}"
    axis.text(WIDTH / 2, 0.9, note, ha="center", va="top", fontsize=9, color=GRAY, linespacing=1.4)
    lines = {network["shrink"]: SHRINK, network["grow"]: GROW, network["finish"]: FINISH}
    handles = [Line2D([], [], color=c, lw=2, label=text) for text, c in lines.items()]
    handles.append(Line2D([], [], color=SKIP, lw=2, ls="--", label=network["skip"]))
    patches = {"encoder": ENCODER, "decoder": DECODER, "where the skip comes in": JOINED}
    handles += [Patch(fc=c, ec=GRAY, label=text) for text, c in patches.items()]
    figure.legend(handles=handles, loc="lower center", ncols=3, frameon=False, fontsize=9)
    return figure


# ---------------------------------------------------------------------------------------- Dice


def _disc(size, row, column, radius):
    """Returns a round mask: uint8 (size, size) of 0 and 1."""
    rows, columns = np.mgrid[:size, :size]
    return (np.hypot(rows - row, columns - column) <= radius).astype(np.uint8)


def _paint_regions(axis, truth, prediction, title):
    """Paints shared, missed and extra pixels of two masks, with both outlines."""
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


def dice_explained():
    """Draws what Dice and IoU measure: the shared area, the formulas and three worked examples."""
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
        (
            0.26,
            "the shared pixels, divided by the pixels in either mask (Jaccard index)",
            10,
        ),
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
