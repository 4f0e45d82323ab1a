"""What all figures share: sizes, axes, legends, and how a figure becomes a file."""

from collections.abc import Sequence
from itertools import chain
from pathlib import Path

import cv2
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lesion.storage import replacing

WIDTH = 9.0  # inches; shown at 900 pixels its 10-point text is easily read
SCREEN_DPI = 100
SAVED_DPI = 120
GUIDE = {"color": "#555555", "linestyle": "--", "linewidth": 1.2}  # a line to read others by


def save(figure: Figure, path: str | Path) -> Path:
    """Write a figure as PNG, whole or not at all, and return its `Path`.

    Nothing but the picture is stored - no date, no software version.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as temporary:
        figure.savefig(temporary, format="png", dpi=SAVED_DPI, metadata={"Software": None})
    return path


def encoded(pixels: np.ndarray, suffix: str = ".png") -> bytes:
    """Return a picture, uint8 RGB (H, W, 3), as the bytes of a file of the kind of a suffix."""
    return cv2.imencode(suffix, pixels[..., ::-1])[1].tobytes()


def plot_figure(height: float, panels: int = 1, rows: int = 1) -> tuple[Figure, Sequence[Axes]]:
    """Make a figure of rows of `panels` axes in the style of all plots; return it and the axes."""
    figure = Figure((WIDTH, height), dpi=SCREEN_DPI, facecolor="white", layout="constrained")
    figure.get_layout_engine().set(w_pad=0.1, h_pad=0.08)
    axes = figure.subplots(rows, panels, squeeze=False).ravel()
    for axis in axes:
        axis.spines[["top", "right"]].set_visible(False)
        axis.grid(color="#DDDDDD", linewidth=0.8)
        axis.set_axisbelow(True)
    return figure, axes


def scatter(
    axis: Axes, x: Sequence, y: Sequence, colour: str, label: str | None = None, size: float = 18
) -> None:
    """Draw pictures as dots, the fainter the more there are, so that crowds stay visible."""
    opacity = float(np.clip(60 / max(1, len(x)), 0.2, 0.8))
    axis.scatter(x, y, s=size, color=colour, alpha=opacity, linewidths=0, label=label)


def legend_below(figure: Figure, *axes: Axes, columns: int = 4) -> None:
    """Put the legend of the axes under the figure, where it can hide no data."""
    entries = [zip(*axis.get_legend_handles_labels(), strict=True) for axis in axes]
    handles, labels = zip(*chain.from_iterable(entries), strict=True)
    columns = min(columns, len(labels))
    figure.legend(handles, labels, loc="outside lower center", ncols=columns, frameon=False)


def shorten(text: str, length: int) -> str:
    """Cut the middle out of a text that is longer than `length` characters."""
    if len(text) <= length:
        return text
    half = max(1, (length - 1) // 2)
    return f"{text[:half]}…{text[-half:]}"
