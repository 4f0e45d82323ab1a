"""Scored pictures to leaf through, with a threshold to turn: for a notebook that somebody looks at.

show.browse(network, pairs, rows)
"""

import copy
import html
from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from lesion import jupyter
from lesion.masks import draw_outline
from lesion.score.evaluation import of_method, predict_pairs, predictions_of
from lesion.score.metrics import dice
from lesion.show.gallery import as_mask, as_picture, predictions
from lesion.show.style import encoded

SIDE, GAP = 260, 8  # pixels of a panel, and between two
REMEMBERED = 20  # pictures
ORDERS = {  # words -> key to sort the rows by
    "lowest Dice first": lambda row: row["dice"],
    "highest Dice first": lambda row: -row["dice"],
    "lowest quality estimate first": lambda row: row["quality"],
    "highest quality estimate first": lambda row: -row["quality"],
}


def browse(network, pairs: Sequence, rows: Sequence[dict]):
    """Return what lets somebody leaf through scored pictures, or a figure where nobody looks.

    Args:
        network: `predict.Network`; it keeps its threshold.
        pairs: that were scored.
        rows: of `score.evaluate`.

    Returns:
        `ipywidgets.VBox`; in a notebook that is executed on its own the `Figure` of the pictures
        with the highest, the middle and the lowest Dice.
    """
    if jupyter.somebody_looks():
        return Browser(network, pairs, rows).box
    return best_middle_worst(network, pairs, rows)


def best_middle_worst(network, pairs, rows) -> Figure:
    """Show the predictions of three pictures that stand for all."""
    ranking = sorted(of_method(rows), key=ORDERS["highest Dice first"])
    chosen = [ranking[place] for place in sorted({0, len(ranking) // 2, len(ranking) - 1})]
    title = "The pictures with the highest, the middle and the lowest Dice"
    return predictions(predictions_of(network, pairs, chosen), title)


class Browser:
    """Picture, probability, mask and outlines, redrawn at once as threshold or picture change.

    Attributes:
        box: the `ipywidgets.VBox` to show.
        order, place, threshold: its widgets: how pictures are sorted, which one (from 1), and the
            probability from which a pixel is lesion.
        image, words: what they show.
    """

    def __init__(self, network, pairs, rows):
        import ipywidgets as widgets  # not earlier: who only draws figures does without

        self.network = copy.copy(network)
        self.pairs = {pair.name: pair for pair in pairs}
        self.rows, self.seen = of_method(rows), {}
        wide = widgets.Layout(width="95%")
        self.order = widgets.Dropdown(options=list(ORDERS), description="order")
        self.place = widgets.IntSlider(1, 1, len(self.rows), description="picture", layout=wide)
        self.threshold = widgets.FloatSlider(
            network.threshold, min=0.01, max=0.99, step=0.01, description="threshold", layout=wide
        )
        self.image, self.words = widgets.Image(format="png"), widgets.HTML()
        self.box = widgets.VBox([self.order, self.place, self.threshold, self.words, self.image])
        for widget in (self.order, self.place, self.threshold):
            widget.observe(self._redraw, "value")
        self._redraw()

    def _redraw(self, change=None):
        row = sorted(self.rows, key=ORDERS[self.order.value])[self.place.value - 1]
        picture, truth, probability = self._predicted(row["name"])
        self.network.threshold = self.threshold.value
        mask = self.network.mask_of(probability)
        self.words.value = (
            f"<b>{html.escape(row['name'])}</b>: Dice {dice(truth, mask):.3f} at threshold "
            f"{self.threshold.value:.2f}; {row['dice']:.3f} as scored; quality estimate "
            f"{row['quality']:.2f}<br>picture, probability, mask; label's outline blue, predicted "
            "outline orange"
        )
        self.image.value = _panels(picture, truth, probability, mask)

    def _predicted(self, name):
        """Return a pair's picture as a panel, truth, probability; of the last few they are kept."""
        if name not in self.seen:
            while len(self.seen) >= REMEMBERED:
                self.seen.pop(next(iter(self.seen)))
            ((_, picture, truth, prediction),) = predict_pairs(
                self.network, [self.pairs[name]], progress=False
            )
            self.seen[name] = as_picture(picture, SIDE), truth, prediction.probability
        return self.seen[name]


def _panels(picture, truth, probability, mask):
    """Return the PNG of a picture's panel, probability, mask and outlines side by side."""
    predicted = as_mask(mask, SIDE)
    outlines = {"truth": as_mask(truth, SIDE), "prediction": predicted}
    shown = [picture, as_picture(probability, SIDE), 255 * predicted]
    panels = [draw_outline(panel, {}) for panel in shown] + [draw_outline(picture, outlines)]
    gap = np.full((panels[0].shape[0], GAP, 3), 255, np.uint8)
    row = np.hstack([part for panel in panels for part in (panel, gap)][:-1])
    return encoded(row)
