"""Every figure of the project, as Matplotlib figures that belong to nobody.

    figure = show.curves(history)       # a notebook shows it when it is the cell's last line
    show.save(figure, "curves.png")     # the same data gives the same bytes

No function touches `pyplot`: there is no current figure to leak, no window, no back end to choose.
(A notebook needs `%matplotlib inline` once to display figures made this way.)
"""

from lesion.show.browser import browse
from lesion.show.diagrams import architecture, dice_explained
from lesion.show.errors import border_errors, reliability, risk_coverage, size_against_dice
from lesion.show.figures import FIGURES, Scored, draw_all
from lesion.show.gallery import augmentations, outlines, pairs, predictions
from lesion.show.plots import comparison, curves, mask_coverage, score_distribution, threshold
from lesion.show.style import save

__all__ = [
    "FIGURES",
    "Scored",
    "architecture",
    "augmentations",
    "border_errors",
    "browse",
    "comparison",
    "curves",
    "dice_explained",
    "draw_all",
    "mask_coverage",
    "outlines",
    "pairs",
    "predictions",
    "reliability",
    "risk_coverage",
    "save",
    "score_distribution",
    "size_against_dice",
    "threshold",
]
