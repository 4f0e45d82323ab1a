"""What all figures share: sizes, axes, legends, and how a figure becomes a file."""

from itertools import chain
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from lesion.storage import replacing

WIDTH = 9.0  # inches; shown at 900 pixels its 10-point text is easily read
SCREEN_DPI = 100
SAVED_DPI = 120
GUIDE = {"color": "#555555", "linestyle": "--", "linewidth": 1.2}  # a line to read others by


def save(figure, path):
    """Write a figure as PNG, whole or not at all, and return its `Path`.

    Nothing but the picture is stored - no date, no software version.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as temporary:
        figure.savefig(temporary, format="png", dpi=SAVED_DPI, metadata={"Software": None})
    return path


def plot_figure(height, panels=1, **options):
    """Make a figure of 1 row of `panels` axes in the style of all plots; return both."""
    figure = Figure((WIDTH, height), dpi=SCREEN_DPI, facecolor="white", layout="constrained")
    figure.get_layout_engine().set(w_pad=0.1, h_pad=0.08)
    axes = figure.subplots(1, panels, squeeze=False, **options)[0]
    for axis in axes:
        axis.spines[["top", "right"]].set_visible(False)
        axis.grid(color="#DDDDDD", linewidth=0.8)
        axis.set_axisbelow(True)
    return figure, axes


def scatter(axis, x, y, colour, label=None, size=18):
    """Draw pictures as dots, the fainter the more there are, so that crowds stay visible."""
    opacity = float(np.clip(60 / max(1, len(x)), 0.2, 0.8))
    axis.scatter(x, y, s=size, color=colour, alpha=opacity, linewidths=0, label=label)


def legend_below(figure, *axes, columns=4):
    """Put the legend of the axes under the figure, where it can hide no data."""
    entries = [zip(*axis.get_legend_handles_labels(), strict=True) for axis in axes]
    handles, labels = zip(*chain.from_iterable(entries), strict=True)
    columns = min(columns, len(labels))
    figure.legend(handles, labels, loc="outside lower center", ncols=columns, frameon=False)


def shorten(text, length):
    """Cut the middle out of a text that is longer than `length` characters."""
    if len(text) <= length:
        return text
    half = max(1, (length - 1) // 2)
    return f"{text[:half]}…{text[-half:]}"
