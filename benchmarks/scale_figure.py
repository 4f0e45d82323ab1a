"""The figure of `scale.py`: time a picture and memory against the number of pictures."""

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import NullFormatter

from lesion.show.style import GUIDE, plot_figure, save

HEIGHT = 9.0  # inches, of two rows with their legends
PANELS = {
    "inputs": "The data, before and after a training",
    "training": "Training",
    "prediction": "Prediction",
}
# Okabe and Ito's colours, which people who see no red or no green tell apart; shapes besides.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
SHAPES = "os^Dv<>"
PICTURES = "pictures in the set"


def draw(results: dict, path: Path) -> None:
    """Draw what `scale.py` measured into a PNG file."""
    figure, axes = plot_figure(HEIGHT, panels=2, rows=2)
    for axis, (process, title) in zip(axes, PANELS.items(), strict=False):
        draw_times(axis, results, process)
        axis.set_title(f"{title}\nhollow: of a sample; line: a + b n", fontsize=10)
    draw_memory(axes[-1], results["memory"])
    axes[-1].set_title("Peak memory of a process\nline: a + b n", fontsize=10)
    for axis in axes:
        axis.set(xscale="log", yscale="log", xlabel=PICTURES)
        axis.xaxis.set_major_formatter("{x:,.0f}")
        axis.yaxis.set_major_formatter("{x:,g}")
        for own in (axis.xaxis, axis.yaxis):
            own.set_minor_formatter(NullFormatter())
        columns = 2 if axis is not axes[-1] else 1
        axis.legend(
            loc="upper center",
            bbox_to_anchor=(0.5, -0.16),
            ncols=columns,
            frameon=False,
            fontsize=9,
        )
    save(figure, path)


def draw_times(axis: Axes, results: dict, process: str) -> None:
    """Draw milliseconds a picture of each stage of a process, and the law that was fitted."""
    laws = [law for law in results["laws"] if law["process"] == process]
    for law, colour, shape in zip(laws, COLOURS, SHAPES, strict=False):
        rows = [row for row in results["rows"] if row["stage"] == law["stage"]]
        sizes = np.array([row["pictures"] for row in rows])
        times = np.array([1e3 * row["seconds"] / row["handled"] for row in rows])
        whole = np.array([row["handled"] == row["all"] for row in rows])
        axis.plot(sizes[whole], times[whole], shape, color=colour, markersize=6)
        axis.plot(sizes[~whole], times[~whole], shape, color=colour, markersize=6, mfc="white")
        # Where it is of samples, how many they were says nothing of the set.
        constant = 0 if law["sampled"] else 1e3 * law["constant, s"]
        share = rows[-1]["all"] / rows[-1]["pictures"]
        at = np.geomspace(sizes.min(), sizes.max(), 100)
        line = constant / (share * at) + law["a picture, ms"]
        axis.plot(at, np.where(line > 0, line, np.nan), color=colour, linewidth=1.2)
        power = f", n^{law['power']:.2f}"
        axis.plot([], [], f"{shape}-", color=colour, markersize=6, label=law["stage"] + power)
    axis.set_ylabel("time a picture (ms)")


def draw_memory(axis: Axes, memory: list[dict]) -> None:
    """Draw the peak memory of each process, and the law that was fitted."""
    for row, colour, shape in zip(memory, COLOURS, SHAPES, strict=False):
        peaks = row["peaks, MB"]
        sizes = np.array([int(size) for size in peaks])
        law = f"{row['process']}: {row['a picture, KB']:.2g} KB a picture"
        axis.plot(sizes, list(peaks.values()), shape, color=colour, markersize=6, label=law)
        at = np.geomspace(sizes.min(), sizes.max(), 100)
        axis.plot(at, row["constant, MB"] + row["a picture, KB"] * at / 1e3, **GUIDE | {
            "color": colour, "linestyle": "-"})  # fmt: skip
    axis.set_ylabel("peak memory (MB)")
