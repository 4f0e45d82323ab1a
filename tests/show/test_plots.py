"""Figures: what each shows, that nothing is cut off, and that the same data gives the same file."""

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from matplotlib.colors import to_hex
from PIL import Image

from lesion import show
from lesion.masks import COLOURS

PROJECT = Path(__file__).parents[2]


def pair(height=40, width=40, channels=3, seed=0):
    random = np.random.default_rng(seed)
    rows, columns = np.mgrid[:height, :width]
    mask = (np.hypot(rows - height / 2, columns - width / 2) < height / 4).astype(np.uint8)
    picture = 200 - 120 * mask[..., None] + random.integers(0, 20, (height, width, channels))
    return picture.astype(np.uint8), mask


def prediction_row(name="7", dice=0.5, **changes):
    picture, mask = pair()
    row = {"name": name, "picture": picture, "truth": mask, "prediction": mask, "dice": dice}
    return {**row, **changes}


def history(epochs=12):
    e = np.arange(1, epochs + 1)
    columns = {"loss": 1 / e, "val_loss": 1.2 / e, "dice": 1 - 0.9 / e, "val_dice": 1 - 1 / e}
    columns["val_dice"][epochs // 2] = 0.99
    return {**columns, "iou": columns["dice"] / 2, "val_iou": columns["val_dice"] / 2}


def texts(axis):
    return [axis.get_title(), axis.get_xlabel(), axis.get_ylabel()]


def legend_texts(figure):
    return [text.get_text() for legend in figure.legends for text in legend.get_texts()]


RANDOM = np.random.default_rng(1)
SCORES = {"lean": RANDOM.beta(18, 2, 30), "classic": RANDOM.beta(16, 3, 30)}
BASELINES = {"all foreground": RANDOM.beta(3, 4, 30), "Otsu + largest component": np.zeros(30)}
LONG = "a_very_long_name_" * 8

FIGURES = {
    "pairs": lambda: show.pairs(*zip(*[pair(seed=i) for i in range(6)], strict=True), [LONG] * 6),
    "one gray pair": lambda: show.pairs([pair(channels=1)[0]], [pair()[1]], ["1"], "test"),
    "augmentations": lambda: show.augmentations(*pair(), [pair(seed=i) for i in range(5)]),
    "predictions": lambda: show.predictions(
        [prediction_row(LONG, probability=pair()[1] * 0.7), prediction_row(truth=None, dice=None)],
        "Test set, a long title that has to be broken over lines: " + "lowest Dice first, " * 5,
    ),
    "one unlabelled prediction": lambda: show.predictions([prediction_row(truth=None, dice=None)]),
    "coverage": lambda: show.mask_coverage(
        {"training": [0.1, 0.2, 0.25], "validation": [0.5], "test": [0.0, 1.0]}
    ),
    "curves": lambda: show.curves(history()),
    "zoomed curves": lambda: show.curves(history(40), ("dice", "iou"), zoom=True),
    "one epoch": lambda: show.curves(history(1)),
    "threshold": lambda: show.threshold([0.1, 0.5, 0.9], [0.6, 0.8, 0.7], 0.5),
    "scores": lambda: show.score_distribution(SCORES, BASELINES),
    "score of one picture": lambda: show.score_distribution({LONG: [0.4]}),
    "comparison": lambda: show.comparison("lean", SCORES["lean"], LONG, SCORES["classic"]),
}
SAVED = ("pairs", "predictions", "curves", "scores", "comparison")
PLOTS = ("coverage", "curves", "zoomed curves", "one epoch", "threshold", "comparison")


@pytest.mark.parametrize("name", FIGURES)
def test_no_text_is_cut_off_or_runs_into_the_legend(name):
    figure = FIGURES[name]()
    figure.draw_without_rendering()
    page = figure.bbox
    legends = [legend.get_window_extent() for legend in figure.legends]
    boxes = [text.get_window_extent() for text in figure.texts]  # the figure's own title
    boxes += [axis.get_tightbbox() for axis in figure.axes] + legends
    for box in boxes:
        assert page.x0 <= box.x0
        assert page.y0 <= box.y0
        assert box.x1 <= page.x1
        assert box.y1 <= page.y1
    for axis in figure.axes:
        assert not any(axis.get_tightbbox().overlaps(legend) for legend in legends)
        labels = [axis.title, axis.xaxis.label, axis.yaxis.label, *axis.texts]
        assert all(label.get_fontsize() >= 8 for label in [*labels, *axis.get_xticklabels()])


@pytest.mark.parametrize("name", PLOTS)
def test_every_panel_of_a_plot_has_a_title_and_labelled_axes(name):
    for axis in FIGURES[name]().axes:
        assert all(texts(axis)), texts(axis)


@pytest.mark.parametrize("name", SAVED)
def test_the_same_data_gives_the_same_bytes_and_no_date(name, tmp_path):
    first, second = (show.save(FIGURES[name](), tmp_path / f"{i}.png") for i in (1, 2))
    assert first.read_bytes() == second.read_bytes()
    with Image.open(first) as image:
        assert set(image.info) <= {"dpi"}
        assert image.width >= 600


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


# ------------------------------------------------------------------------------------ pictures


def test_pairs_show_three_panels_each_and_the_share_of_the_mask():
    figure = FIGURES["pairs"]()
    assert len(figure.axes) == 18
    assert "training set" in figure.get_suptitle()
    titles = [axis.get_title() for axis in figure.axes]
    share = f"{100 * pair()[1].mean():.0f} % lesion"
    assert titles.count(share) == 6
    assert all("…" in title for title in titles[:6])


def test_masks_are_drawn_from_black_0_to_white_1_even_where_they_hold_one_value():
    empty = np.zeros((40, 40), np.uint8)
    figure = show.predictions([prediction_row(truth=empty, prediction=empty + 1)])
    images = {axis.get_title(): axis.images[0] for axis in figure.axes}
    assert images["label"].get_clim() == images["prediction"].get_clim() == (0, 1)
    assert images["label"].get_array().max() == 0
    assert images["prediction"].get_array().min() == 1


@pytest.mark.parametrize(
    ("changes", "headings"),
    [
        ({}, ["picture", "label", "prediction", "outlines"]),
        ({"truth": None, "dice": None}, ["picture", "prediction", "outlines"]),
        (
            {"probability": np.full((40, 40), 0.3, np.float32)},
            ["picture", "label", "probability", "prediction", "outlines"],
        ),
        (
            # Predictions that come with a data set may have a size of their own.
            {"truth": None, "dice": None, "other": np.eye(20, dtype=np.uint8)},
            ["picture", "prediction", "another model's", "outlines"],
        ),
    ],
)
def test_columns_of_predictions(changes, headings):
    figure = show.predictions([prediction_row(**changes), prediction_row(**changes)])
    assert [axis.get_title() for axis in figure.axes] == 2 * headings
    assert ("label" in legend_texts(figure)) == ("label" in headings)


def test_row_titles_of_predictions_name_the_picture_and_its_dice():
    figure = show.predictions(
        [prediction_row("first", 0.1234), prediction_row("second", None, truth=None)]
    )
    first, second = figure.axes[0].texts[0], figure.axes[4].texts[0]
    assert first.get_text() == "first   Dice 0.123"
    assert second.get_text() == "second   no label to score"
    assert figure.axes[5].texts[0].get_text() == "no label"


def test_pictures_of_different_sizes_share_a_figure():
    small, large = pair(30, 30), pair(300, 200, channels=1, seed=1)
    figure = show.pairs([small[0], large[0]], [small[1], large[1]], ["small", "large"])
    shapes = [axis.images[0].get_array().shape[:2] for axis in figure.axes[-2:]]
    assert max(shapes[0]) == max(shapes[1])


def test_augmentations_accept_network_arrays_and_move_the_outline_with_the_picture():
    picture, mask = pair()
    moved = np.roll(picture, 8, axis=1) / np.float32(255), np.roll(mask, 8, axis=1)[..., None]
    figure = show.augmentations(picture, mask, [(moved[0], moved[1].astype(np.float32))])
    assert [axis.get_title() for axis in figure.axes] == ["as it is", "augmented 1"]
    drawn = [axis.images[0].get_array().astype(int) for axis in figure.axes]
    step = 8 * drawn[0].shape[1] // 40
    assert np.abs(drawn[0][:, :-step] - drawn[1][:, step:]).mean() < 3


@pytest.mark.parametrize("plot", [lambda: show.pairs([], [], []), lambda: show.predictions([])])
def test_nothing_to_show_is_said(plot):
    with pytest.raises(ValueError, match="there is no"):
        plot()


# --------------------------------------------------------------------------------------- plots


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
    assert "chosen: 0.40, mean Dice 0.800" in legend_texts(figure)
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
