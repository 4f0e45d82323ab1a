"""The figure of a growing training, painted anew in milliseconds.

board = Board(picture, truth, "dice", epochs=100)
pixels = board.paint(rows, probability, epoch=12, words="epoch 12 of 100")
"""

import cv2
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.ticker import MaxNLocator

from lesion.inputs.reading import resize_mask
from lesion.masks import COLOURS, IGNORED, draw_outline, mask_at
from lesion.score.metrics import dice
from lesion.show.gallery import as_mask, as_picture
from lesion.show.plots import METRIC_LABELS
from lesion.show.style import legend_below, plot_figure

FIRST_EPOCHS = 10  # that the axes begin with; they double when these are over


class Board:
    """Loss and a score against epoch, beside one picture with the outlines of truth and prediction.

    Axes, grid and words are drawn once and kept; only lines, picture and two titles are painted
    for each new state, unless an axis has to become longer.

    Args:
        picture: uint8 (H, W, C).
        truth: its mask, uint8 (H, W) of 0, 1 and IGNORED.
        metric: name of the score, a column of the rows.
        epochs: planned.
    """

    def __init__(self, picture: np.ndarray, truth: np.ndarray, metric: str, epochs: int):
        self.truth, self.epochs = truth, epochs
        self.figure, (*axes, self.panel) = plot_figure(3.9, 3)
        self.canvas, self.background = FigureCanvasAgg(self.figure), None
        self.axes = dict(zip(("loss", metric), axes, strict=True))
        self.lines = {}
        for name, axis in self.axes.items():
            label = METRIC_LABELS.get(name, name)
            axis.set(title=f"{label} against epoch", xlabel="epoch", ylabel=label, ylim=(0, 1))
            axis.xaxis.set_major_locator(MaxNLocator(6, integer=True))
            axis.set_xlim(0, min(epochs, FIRST_EPOCHS))
            for column, set_name in ((name, "training"), (f"val_{name}", "validation")):
                colour = COLOURS[set_name]
                # The legend's lines belong to the background, those of the data do not.
                axis.plot([], [], color=colour, linewidth=2, label=set_name)
                (self.lines[column],) = axis.plot([], [], color=colour, linewidth=2, animated=True)
        self._lay_out()
        # As many pixels as the panel has: they are copied there as they are.
        box = self.panel.get_window_extent()
        side = min(box.width, box.height * max(1, picture.shape[1] / picture.shape[0]))
        self.picture, self.outline = as_picture(picture, int(side)), as_mask(truth, int(side))
        height, width = self.outline.shape
        top, left = int(self.figure.bbox.height - box.y1), int((box.x0 + box.x1 - width) / 2)
        self.place = slice(top, top + height), slice(left, left + width)

    def _lay_out(self):
        self.panel.set(xticks=[], yticks=[], title=_title(None, None))
        self.panel.spines[:].set_visible(False)
        for colour, label in (("truth", "label's outline"), ("prediction", "predicted outline")):
            self.panel.plot([], [], color=COLOURS[colour], linewidth=3, label=label)
        self.title = self.figure.suptitle(" ", fontsize=12)
        legend_below(self.figure, self.axes["loss"], self.panel)
        self.figure.draw_without_rendering()  # lays out, which takes longer than all the rest
        self.figure.set_layout_engine("none")
        self.title.set_animated(True)
        self.panel.title.set_animated(True)

    def paint(
        self, rows: list[dict], probability: np.ndarray | None, epoch: int | None, words: str
    ) -> np.ndarray:
        """Return the figure as uint8 (H, W, 3).

        Args:
            rows: dicts of epoch, loss and score, and the same with val_ before for validation.
            probability: float32 (S, S) in [0, 1] for the picture; None before the first.
            epoch: that it was predicted in.
            words: title of the figure.
        """
        for column, line in self.lines.items():
            known = [row for row in rows if column in row]
            line.set_data([row["epoch"] for row in known], [row[column] for row in known])
            # A single epoch makes no line.
            line.set_marker("o" if len(known) == 1 else "")
        if self._longer_axes() or self.background is None:
            self.canvas.draw()
            self.background = self.canvas.copy_from_bbox(self.figure.bbox)
        self.canvas.restore_region(self.background)
        self.panel.set_title(_title(epoch, self._dice(probability)))
        self.title.set_text(words)
        renderer = self.canvas.get_renderer()
        for artist in (*self.lines.values(), self.panel.title, self.title):
            artist.draw(renderer)
        pixels = np.asarray(self.canvas.buffer_rgba())[..., :3].copy()
        pixels[self.place] = self._outlined(probability)
        return pixels

    def _longer_axes(self):
        """Let the axes hold what the lines do; return whether one had to change."""
        before = [(axis.get_xlim(), axis.get_ylim()) for axis in self.axes.values()]
        for column, line in self.lines.items():
            axis = self.axes[column.removeprefix("val_")]
            end, (x, y) = axis.get_xlim()[1], line.get_data()
            while len(x) and max(x) > end:
                end = min(2 * end, self.epochs) if end < self.epochs else max(x)
            axis.set_xlim(0, end)
            highest = np.max(y, initial=0, where=np.isfinite(y))
            if column.endswith("loss") and (
                highest > axis.get_ylim()[1] or self.background is None
            ):
                axis.set_ylim(0, 1.1 * highest or 1)
        return before != [(axis.get_xlim(), axis.get_ylim()) for axis in self.axes.values()]

    def _outlined(self, probability):
        masks = {"truth": self.outline}
        if probability is not None:
            size = self.picture.shape[1::-1]
            masks["prediction"] = mask_at(cv2.resize(probability, size), 0.5)
        return draw_outline(self.picture, masks)

    def _dice(self, probability):
        """Return the Dice of the picture, at the network's size."""
        if probability is None:
            return None
        truth = resize_mask(self.truth, len(probability))[..., 0]
        truth = np.where(truth < 0, IGNORED, truth).astype(np.uint8)
        return dice(truth, mask_at(probability, 0.5))


def _title(epoch, dice):
    return "a validation picture" if epoch is None else f"epoch {epoch}: Dice {dice:.2f}"
