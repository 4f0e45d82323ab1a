"""Figures of errors: what they show, on perfect, ordinary and empty predictions."""

import numpy as np
import pytest
from figure_checks import check_layout
from matplotlib.figure import Figure

from lesion import show
from lesion.masks import IGNORED
from lesion.score.metrics import border_distances, border_pixels
from lesion.score.results import summarise_calibration
from lesion.score.summaries import Calibration
from lesion.show import errors

RANDOM = np.random.default_rng(3)
DICE = np.clip(RANDOM.beta(9, 1.5, 200) - (RANDOM.random(200) < 0.08) * 0.6, 0, 1)
QUALITY = np.clip(DICE + RANDOM.normal(0, 0.08, 200), 0, 1)
SHARE = RANDOM.beta(1.2, 5, 200)


def disc(centre, radius, side=80):
    rows, columns = np.mgrid[:side, :side]
    return (np.hypot(rows - side / 2, columns - centre) < radius).astype(np.uint8)


def row(name, truth, prediction):
    picture = (200 - 120 * truth[..., None] * np.ones(3)).astype(np.uint8)
    both = {"truth": truth, "prediction": prediction}
    return {"name": name, "picture": picture, "dice": 0.5, **both}


def calibration(error=0.0):
    counted = Calibration()
    probability = RANDOM.random((200, 200)).astype(np.float32)
    truth = (RANDOM.random((200, 200)) < np.clip(probability + error, 0, 1)).astype(np.uint8)
    counted.update(truth, probability)
    return summarise_calibration(counted)


EMPTY = np.zeros((80, 80), np.uint8)
ROWS = [
    row("shifted", disc(36, 20), disc(44, 20)),
    row("too small", disc(40, 25), disc(40, 15)),
    row("a name that is far too long to stand above a panel" * 2, disc(40, 20), disc(40, 20)),
    row("nothing found", disc(40, 20), EMPTY),
]
FIGURES = {
    "reliability": lambda: show.reliability(calibration(0.1), "test"),
    "risk": lambda: show.risk_coverage(QUALITY, DICE),
    "risk of one": lambda: show.risk_coverage([1.0], [1.0]),
    "size": lambda: show.size_against_dice(SHARE, DICE),
    "size of two": lambda: show.size_against_dice([0.8, 0.95], [0.9, 0.8]),
    "size with an empty truth": lambda: show.size_against_dice([0, 0.1, 0.5, 1], [0, 1, 0.5, 0.9]),
    "borders": lambda: show.border_errors(ROWS),
    "no borders": lambda: show.border_errors(ROWS[-1:]),
}


@pytest.mark.parametrize("name", FIGURES)
def test_every_figure_is_drawn_with_titles_and_axes_named(name):
    figure = FIGURES[name]()
    assert isinstance(figure, Figure)
    check_layout(figure)
    for axis in figure.axes:
        assert axis.get_title()
        assert "borders" in name or (axis.get_xlabel() and axis.get_ylabel())


def test_reliability_shows_the_bins_and_the_error():
    summary = calibration(0.2)
    figure = show.reliability(summary)
    line = figure.axes[0].lines[1]
    np.testing.assert_allclose(line.get_ydata(), [part["frequency"] for part in summary["bins"]])
    legend = " ".join(text.get_text() for text in figure.legends[0].get_texts())
    assert f"{summary['expected_calibration_error']:.3f}" in legend
    with pytest.raises(ValueError, match="no pixel"):
        show.reliability({"bins": [], "expected_calibration_error": 0})


def test_calibrated_probabilities_lie_on_the_line():
    assert calibration(0.0)["expected_calibration_error"] < 0.02
    assert calibration(0.2)["expected_calibration_error"] > 0.1


def test_a_median_spans_its_class_and_the_first_begins_at_the_smallest_lesion():
    (axis,) = show.size_against_dice([0.02, 0.066, 0.3], [0.5, 0.6, 0.9]).axes
    spans = [line.get_xdata().tolist() for line in axis.lines]
    np.testing.assert_allclose(spans, [[2 / 1.1, 5], [5, 10], [20, 40]])


def test_border_errors_have_the_sign_of_the_mistake():
    small = show.border_errors([row("small", disc(40, 25), disc(40, 15))])
    large = show.border_errors([row("large", disc(40, 15), disc(40, 25))])
    for figure in (small, large):
        words = figure.axes[0].get_title()
        # 10 of 113 pixels of the diagonal, all around
        mean = float(words.split("mean ")[1].split(" %")[0])
        assert 8 < mean < 10
    pixels = [figure.axes[0].images[0].get_array().astype(int) for figure in (small, large)]
    orange = [np.sum((p[..., 0] - p[..., 2]) > 100) for p in pixels]
    assert orange[1] > 100 > 10 > orange[0]


def test_border_pixels_are_those_of_the_scores_also_where_the_truth_ignores():
    truth, prediction = disc(36, 20), disc(44, 20)
    truth[:, 60:] = IGNORED
    error = errors._border_error(truth, prediction)
    border = np.isfinite(error)
    assert np.array_equal(np.argwhere(border), border_pixels(prediction == 1))
    _, distance = border_distances(truth, prediction)
    assert np.allclose(np.abs(error[border]), 100 * distance / np.hypot(80, 80))
    assert not error[:, 60:][border[:, 60:]].any()  # as it is predicted there, so it is
    assert error[border].min() < 0 < error[border].max()


def test_a_perfect_border_has_no_error():
    figure = show.border_errors([row("same", disc(40, 20), disc(40, 20))])
    assert "mean 0.0 %, largest 0.0 %" in figure.axes[0].get_title()


@pytest.mark.parametrize(
    "draw", [lambda: show.border_errors([]), lambda: show.size_against_dice([], [])]
)
def test_nothing_to_show_is_refused(draw):
    with pytest.raises(ValueError, match="no p"):
        draw()
