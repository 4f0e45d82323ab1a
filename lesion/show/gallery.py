"""Rows and columns of pictures: pairs, augmentations, predictions, outlines."""

import textwrap
from collections.abc import Sequence

import cv2
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patheffects import withStroke

from lesion.masks import COLOURS, draw_outline
from lesion.show.style import SAVED_DPI, SCREEN_DPI, WIDTH, shorten

COLUMNS = {  # of a table of predictions, between the picture and the outlines
    "truth": "label",
    "probability": "probability",
    "prediction": "prediction",
    "other": "another model's",
}


def as_picture(array: np.ndarray, side: int) -> np.ndarray:
    """Turn uint8, or float in [0, 1], (H, W), (H, W, 1) or (H, W, 3) into a uint8 panel."""
    array = np.asarray(array)
    if array.dtype.kind == "f":
        array = np.rint(255 * np.clip(array, 0, 1)).astype(np.uint8)
    return _resize(array[..., 0] if array.ndim == 3 and array.shape[2] == 1 else array, side)


def as_mask(array: np.ndarray, side: int) -> np.ndarray:
    """Turn a mask, (H, W) or (H, W, 1), of any type into a uint8 panel of 0 and 1, its lesion."""
    array = (np.asarray(array) == 1).astype(np.float32)
    return (_resize(array.reshape(array.shape[:2]), side) >= 0.5).astype(np.uint8)


def _resize(array, side):
    """Resize to `side` pixels, the longer one, as it is shown: all outlines are equally thick."""
    height, width = array.shape[:2]
    scale = side / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return cv2.resize(array, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)


def picture_grid(rows: int, columns: int, shape: tuple, title: str, legend: list, row_gap: float):
    """Lay out panels of equal size; return the figure, its axes by row, and a panel's pixels.

    Args:
        shape: (height, width) of the panels, in any unit.
        legend: (words, colour) of the outlines over the panels; a colour is a key of `COLOURS` or
            "#rrggbb".
        row_gap: inches above each row, for its titles.
    """
    gap, margin = 0.08, 0.15
    panel_width = min((WIDTH - 2 * margin) / columns - gap, 2.6)
    panel_height = panel_width * shape[0] / shape[1]
    width = max(2 * margin + columns * (panel_width + gap), 5.0)
    lines = textwrap.wrap(title, int(10 * width))
    letters = sum(8 + len(text) for text, _ in legend)
    legend_lines = 1 + (letters > 13 * width)
    top, bottom = 0.2 + 0.22 * len(lines), 0.2 + 0.22 * legend_lines
    height = top + rows * (panel_height + row_gap) + bottom
    figure = Figure((width, height), dpi=SCREEN_DPI, facecolor="white")
    figure.suptitle("\n".join(lines), y=1 - 0.12 / height, va="top", fontsize=12)
    left = (width - columns * (panel_width + gap) + gap) / 2
    axes = np.empty((rows, columns), object)
    for row, column in np.ndindex(rows, columns):
        x = left + column * (panel_width + gap)
        y = bottom + (rows - 1 - row) * (panel_height + row_gap)
        box = (x / width, y / height, panel_width / width, panel_height / height)
        axes[row, column] = figure.add_axes(box)
        axes[row, column].set(xticks=[], yticks=[])
        for spine in axes[row, column].spines.values():
            spine.set_edgecolor("#999999")
    edge = [withStroke(linewidth=4.5, foreground="#999999")]  # for pale colours on white
    handles = [
        Line2D([], [], color=COLOURS.get(c, c), lw=3, label=text, path_effects=edge)
        for text, c in legend
    ]
    figure.legend(
        handles=handles,
        loc="lower center",
        ncols=-(-len(handles) // legend_lines),
        frameon=False,
    )
    return figure, axes, round(SAVED_DPI * max(panel_width, panel_height))


def tallest_shape(pictures: Sequence) -> tuple[int, int]:
    """Return the shape (height, width) of the picture that is tallest for its width."""
    return max((np.shape(picture)[:2] for picture in pictures), key=lambda s: s[0] / s[1])


def show_panel(axis: Axes, panel: np.ndarray | None, title: str) -> None:
    """Show a picture as it is, or a float mask or probability with 0 black and 1 white."""
    axis.set_title(title, fontsize=9, color="#333333", pad=4)
    if panel is None:
        axis.set_facecolor("#EEEEEE")
        axis.text(0.5, 0.5, f"no {title}", ha="center", va="center", transform=axis.transAxes)
    elif panel.ndim == 2:
        axis.imshow(panel, cmap="gray", vmin=0, vmax=255 if panel.dtype == np.uint8 else 1)
    else:
        axis.imshow(panel)


def pairs(
    pictures: Sequence, masks: Sequence, names: Sequence, set_name: str = "training"
) -> Figure:
    """Show pictures above their masks and above the masks' outlines: three rows of panels.

    Args:
        pictures: sequence of pictures, uint8 or float in [0, 1], (H, W), (H, W, 1) or (H, W, 3).
        masks: their masks of 0 and 1, (H, W) or (H, W, 1).
        names: their names, written above each column.
        set_name: "training", "validation" or "test".
    """
    columns = list(zip(pictures, masks, names, strict=True))
    if not columns:
        raise ValueError("there is no pair to show")
    figure, axes, side = picture_grid(
        3,
        len(columns),
        tallest_shape(pictures),
        f"Pairs of the {set_name} set: picture, label, and the label's outline over the picture",
        [("outline of the label", "truth")],
        row_gap=0.28,
    )
    characters = side // 9
    for (picture, mask, name), column in zip(columns, axes.T, strict=True):
        picture, mask = as_picture(picture, side), as_mask(mask, side)
        show_panel(column[0], picture, shorten(str(name), characters))
        show_panel(column[1], mask.astype(np.float32), f"{100 * mask.mean():.0f} % lesion")
        show_panel(column[2], draw_outline(picture, {"truth": mask}), "outline")
    return figure


def augmentations(
    picture: np.ndarray, mask: np.ndarray, augmented: Sequence, set_name: str = "training"
) -> Figure:
    """Show one picture and versions of it that training sees; the outline has to move along.

    Args:
        picture, mask: the pair as it is, as in `pairs`.
        augmented: sequence of (picture, mask), the same pair augmented.
    """
    versions = [(picture, mask), *augmented]
    columns = min(4, len(versions))
    figure, axes, side = picture_grid(
        -(-len(versions) // columns),
        columns,
        np.shape(picture)[:2],
        f"One pair of the {set_name} set and what augmentation makes of it",
        [("outline of the label", "truth")],
        row_gap=0.28,
    )
    for axis in axes.flat[len(versions) :]:
        axis.remove()
    for index, (axis, (picture, mask)) in enumerate(zip(axes.flat, versions, strict=False)):
        drawn = draw_outline(as_picture(picture, side), {"truth": as_mask(mask, side)})
        show_panel(axis, drawn, f"augmented {index}" if index else "as it is")
    return figure


def predictions(rows: list[dict], title: str = "Pictures of the test set") -> Figure:
    """Show picture, label, prediction and both outlines over the picture, a row a picture.

    Args:
        rows: dicts with `name`, `picture` (uint8), `prediction` (mask) and, where there is one,
            `truth` (mask), `dice`, `probability` (float (H, W) in [0, 1]) and `other` (another
            model's mask).
        title: names the set and the order, such as "Test set, lowest Dice first".

    Columns that no row has anything for are left out.
    """
    if not rows:
        raise ValueError("there is no prediction to show")
    middle = {key: words for key, words in COLUMNS.items() if any(_has(row, key) for row in rows)}
    shape = tallest_shape([row["picture"] for row in rows])
    figure, axes, side = picture_grid(
        len(rows), 2 + len(middle), shape, title, _outlines_of(rows), row_gap=0.5
    )
    for row, line in zip(rows, axes, strict=True):
        show_panel(line[0], as_picture(row["picture"], side), "picture")
        for axis, (key, words) in zip(line[1:-1], middle.items(), strict=True):
            show_panel(axis, _gray(row, key, side), words)
        show_panel(line[-1], _outlined(row, side), "outlines")
        line[0].annotate(
            shorten(str(row["name"]), 60) + _dice_in_words(row, "   "),
            (0, 1),
            xycoords="axes fraction",
            xytext=(0, 19),
            textcoords="offset points",
            fontweight="bold",
        )
    return figure


def outlines(rows: list[dict], title: str = "Pictures of the test set") -> Figure:
    """Show the outlines of label and prediction over each picture, three pictures a row.

    Args:
        rows, title: as `predictions` takes them.
    """
    if not rows:
        raise ValueError("there is no prediction to show")
    columns = min(3, len(rows))
    shape = tallest_shape([row["picture"] for row in rows])
    lines = -(-len(rows) // columns)
    figure, axes, side = picture_grid(lines, columns, shape, title, _outlines_of(rows), row_gap=0.3)
    for axis in axes.flat[len(rows) :]:
        axis.remove()
    for axis, row in zip(axes.flat, rows, strict=False):
        name = shorten(str(row["name"]), side // 12)
        show_panel(axis, _outlined(row, side), name + _dice_in_words(row, ": "))
    return figure


def _has(row, key):
    return row.get(key) is not None


def _gray(row, key, side):
    """A mask or probability of a row in black and white; None where it has none."""
    if not _has(row, key):
        return None
    if key == "probability":
        return as_picture(row[key], side)
    return as_mask(row[key], side).astype(np.float32)


def _dice_in_words(row, before):
    """What follows the name of a row; nothing where it has no score."""
    return f"{before}Dice {row['dice']:.3f}" if _has(row, "dice") else ""


def _outlines_of(rows):
    """What the outlines over these pictures are, and their colours, for `picture_grid`."""
    words = {
        "truth": "label",
        "prediction": "prediction",
        "other": "another model's prediction",
    }
    return [(text, key) for key, text in words.items() if any(_has(row, key) for row in rows)]


def _outlined(row, side):
    """The picture of a row with the outlines of its masks, the prediction's on top."""
    masks = {
        key: as_mask(row[key], side) for key in ("other", "truth", "prediction") if _has(row, key)
    }
    return draw_outline(as_picture(row["picture"], side), masks)
