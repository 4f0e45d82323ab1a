"""Plots: what each shows, that nothing is cut off, and that the same data gives the same file."""

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from figure_checks import check_files, check_layout, legend_texts
from matplotlib.colors import to_hex

from lesion import show
from lesion.masks import COLOURS
from lesion.show.board import Board

PROJECT = Path(__file__).parents[2]


def history(epochs=12):
    e = np.arange(1, epochs + 1)
    columns = {"loss": 1 / e, "val_loss": 1.2 / e, "dice": 1 - 0.9 / e, "val_dice": 1 - 1 / e}
    columns["val_dice"][epochs // 2] = 0.99
    return {**columns, "iou": columns["dice"] / 2, "val_iou": columns["val_dice"] / 2}


def texts(axis):
    return [axis.get_title(), axis.get_xlabel(), axis.get_ylabel()]


RANDOM = np.random.default_rng(1)
SCORES = {"lean": RANDOM.beta(18, 2, 30), "classic": RANDOM.beta(16, 3, 30)}
BASELINES = {"all foreground": RANDOM.beta(3, 4, 30), "Otsu + largest component": np.zeros(30)}
LONG = "a_very_long_name_" * 8


def growing():
    """The figure of a training of 100 epochs at its end."""
    board = Board(np.zeros((8, 8, 3), np.uint8), np.eye(8, dtype=np.uint8), "dice", 100)
    rows = [{"epoch": epoch, "loss": 1 / epoch, "dice": 0.5} for epoch in range(1, 101)]
    board.paint(rows, np.eye(8, dtype=np.float32), 100, "epoch 100 of 100")
    return board.figure


FIGURES = {
    "coverage": lambda: show.mask_coverage(
        {"training": [0.1, 0.2, 0.25], "validation": [0.5], "test": [0.0, 1.0]}
    ),
    "curves": lambda: show.curves(history()),
    "zoomed curves": lambda: show.curves(history(40), ("dice", "iou"), zoom=True),
    "one epoch": lambda: show.curves(history(1)),
    "threshold": lambda: show.threshold([0.1, 0.5, 0.9], [0.6, 0.8, 0.7], 0.5),
    "scores": lambda: show.score_distribution(SCORES, BASELINES),
    "score of one picture": lambda: show.score_distribution({LONG: [0.4]}),
    "growing": growing,
    "comparison": lambda: show.comparison("lean", SCORES["lean"], LONG, SCORES["classic"]),
}
SAVED = ("curves", "scores", "comparison")
PLOTS = ("coverage", "curves", "zoomed curves", "one epoch", "threshold", "comparison")


@pytest.mark.parametrize("name", FIGURES)
def test_no_text_is_cut_off_or_runs_into_the_legend(name):
    check_layout(FIGURES[name]())


@pytest.mark.parametrize("name", PLOTS)
def test_every_panel_of_a_plot_has_a_title_and_labelled_axes(name):
    for axis in FIGURES[name]().axes:
        assert all(texts(axis)), texts(axis)


@pytest.mark.parametrize("name", SAVED)
def test_the_same_data_gives_the_same_bytes_and_no_date(name, tmp_path):
    check_files(FIGURES[name], tmp_path)


def test_a_figure_that_cannot_be_written_leaves_the_old_file(tmp_path):
    path = show.save(FIGURES["threshold"](), tmp_path / "new folder" / "threshold.png")
    before = path.read_bytes()
    broken = FIGURES["threshold"]()
    broken.axes[0].set_title("$\\frac{$")  # not mathematics: drawing fails
    with pytest.raises(ValueError, match="frac"):
        show.save(broken, path)
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


def test_neither_pyplot_nor_keras_is_loaded():
    code = (
        "import sys\n"
        "from lesion import show\n"
        "sys.exit(' '.join({'matplotlib.pyplot', 'keras', 'tensorflow'} & set(sys.modules)) or 0)"
    )
    run = [sys.executable, "-c", code]
    result = subprocess.run(run, cwd=PROJECT, check=False, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr


def lines_by_label(axis):
    return {line.get_label(): line for line in axis.lines}


def test_curves_name_training_and_validation_and_mark_the_best_epoch():
    columns = history()
    figure = show.curves(columns)
    loss, dice = figure.axes
    assert texts(loss) == ["Loss against epoch", "epoch", "Loss"]
    assert texts(dice) == ["Dice against epoch", "epoch", "Dice"]
    assert dice.get_ylim() == (0, 1)
    for axis, name in ((loss, "loss"), (dice, "dice")):
        lines = lines_by_label(axis)
        assert np.array_equal(lines["training"].get_ydata(), columns[name])
        assert np.array_equal(lines["validation"].get_ydata(), columns[f"val_{name}"])
        assert to_hex(lines["training"].get_color()).upper() == COLOURS["training"]
        assert to_hex(lines["validation"].get_color()).upper() == COLOURS["validation"]
        assert any(set(line.get_xdata()) == {7} for line in axis.lines)
    expected = ["training", "validation", "best epoch 7, validation Dice 0.990"]
    assert legend_texts(figure) == expected


def test_curves_are_the_same_from_columns_from_rows_of_a_csv_and_from_what_fit_returns(tmp_path):
    columns = {"epoch": np.arange(1, 13), **history()}
    rows = [{key: str(values[i]) for key, values in columns.items()} for i in range(12)]
    files = [
        show.save(show.curves(given), tmp_path / f"{number}.png").read_bytes()
        for number, given in enumerate((columns, rows, SimpleNamespace(history=columns)))
    ]
    assert files[0] == files[1] == files[2]


def test_zoomed_loss_starts_after_the_first_epochs():
    figure = show.curves(history(40), zoom=True)
    lines = lines_by_label(figure.axes[0])
    assert lines["training"].get_xdata()[0] == 5
    assert lines_by_label(figure.axes[1])["training"].get_xdata()[0] == 1
    assert "zoomed" in figure.axes[0].get_title()
    assert figure.axes[0].get_ylim()[1] < 0.3


def test_curves_without_validation_or_with_a_diverged_loss_are_drawn():
    figure = show.curves({"loss": [1.0, 0.5], "dice": [0.2, 0.4]})
    assert legend_texts(figure) == ["training", "best epoch 2, training Dice 0.400"]
    show.curves({"loss": [np.nan], "dice": [np.nan]}).draw_without_rendering()


def test_a_history_without_epochs_or_columns_is_refused():
    with pytest.raises(ValueError, match="no epoch"):
        show.curves([])
    with pytest.raises(ValueError, match="'iou'"):
        show.curves({"loss": [1.0], "dice": [0.5]}, ("dice", "iou"))


def test_coverage_is_in_percent_of_each_set():
    figure = FIGURES["coverage"]()
    (axis,) = figure.axes
    for container in axis.containers:
        assert sum(bar.get_height() for bar in container) == pytest.approx(100)
    assert legend_texts(figure)[0] == "training: 3, median 20 %"


def test_threshold_marks_the_chosen_one_with_its_dice():
    figure = show.threshold([0.2, 0.4, 0.6], [0.5, 0.8, 0.7], 0.4)
    assert "used: 0.40, mean Dice 0.800" in legend_texts(figure)
    assert "validation" in figure.axes[0].get_title()


def test_scores_show_every_picture_and_the_mean_models_first():
    figure = FIGURES["scores"]()
    (axis,) = figure.axes
    labels = [label.get_text() for label in axis.get_yticklabels()]
    names = [label.split("\n")[0] for label in labels]
    assert names == ["lean", "classic", "all foreground", "Otsu + largest component"]
    assert f"mean {SCORES['lean'].mean():.3f}" in labels[0]
    assert [len(points.get_offsets()) for points in axis.collections] == [30] * 4
    assert "test set" in axis.get_title()
    assert axis.get_ylim()[0] > axis.get_ylim()[1]  # the first is at the top


def test_comparison_counts_who_is_better():
    figure = show.comparison("a", [0.9, 0.8, 0.5, 0.5], "b", [0.7, 0.7, 0.6, 0.5], "validation")
    assert legend_texts(figure) == ["a better: 2", "b better or equal: 2"]
    assert "mean difference +0.050" in figure.axes[1].get_title()
    assert "validation set" in figure.get_suptitle()
    with pytest.raises(ValueError, match="same pictures"):
        show.comparison("a", [0.9], "b", [0.7, 0.7])
