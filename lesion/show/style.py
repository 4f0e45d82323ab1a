"""What all figures share: sizes, axes, legends, and how a figure becomes a file."""

from pathlib import Path

from matplotlib.figure import Figure

from lesion.storage import replacing

WIDTH = 9.0  # inches; shown at 900 pixels its 10-point text is easily read
SCREEN_DPI = 100
SAVED_DPI = 120


def save(figure, path):
    """Writes a figure as PNG, whole or not at all, and returns its `Path`.

    Nothing but the picture is stored - no date, no software version.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as temporary:
        figure.savefig(temporary, format="png", dpi=SAVED_DPI, metadata={"Software": None})
    return path


def plot_figure(height, panels=1, **options):
    """Makes a figure of 1 row of `panels` axes with a quiet style; returns both."""
    figure = Figure((WIDTH, height), dpi=SCREEN_DPI, facecolor="white", layout="constrained")
    figure.get_layout_engine().set(w_pad=0.1, h_pad=0.08)
    axes = figure.subplots(1, panels, squeeze=False, **options)[0]
    for axis in axes:
        axis.spines[["top", "right"]].set_visible(False)
        axis.grid(color="#DDDDDD", linewidth=0.8)
        axis.set_axisbelow(True)
    return figure, axes


def legend_below(figure, axis):
    """Puts the legend of `axis` under the figure, where it can hide no data."""
    handles, labels = axis.get_legend_handles_labels()
    figure.legend(
        handles, labels, loc="outside lower center", ncols=min(4, len(labels)), frameon=False
    )


def shorten(text, length):
    """Cuts the middle out of a text that is longer than `length` characters."""
    if len(text) <= length:
        return text
    half = max(1, (length - 1) // 2)
    return f"{text[:half]}…{text[-half:]}"
