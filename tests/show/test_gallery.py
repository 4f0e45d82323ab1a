"""Rows and columns of pictures: what each shows, that nothing is cut off, the same file again."""

import numpy as np
import pytest
from figure_checks import check_files, check_layout, legend_texts

from lesion import show


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
    "outlines": lambda: show.outlines(
        [prediction_row(LONG), *[prediction_row(str(i)) for i in range(4)]], "Test set, " * 12
    ),
    "one outline": lambda: show.outlines([prediction_row(truth=None, dice=None)]),
}


@pytest.mark.parametrize("name", FIGURES)
def test_no_text_is_cut_off_or_runs_into_the_legend(name):
    check_layout(FIGURES[name]())


@pytest.mark.parametrize("name", ["pairs", "predictions", "outlines"])
def test_the_same_data_gives_the_same_bytes_and_no_date(name, tmp_path):
    check_files(FIGURES[name], tmp_path)


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
    assert second.get_text() == "second"
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


def test_outlines_name_each_picture_and_its_dice():
    figure = show.outlines([prediction_row("first", 0.1234), prediction_row("second", 0.9)])
    assert [axis.get_title() for axis in figure.axes] == ["first: Dice 0.123", "second: Dice 0.900"]
    assert legend_texts(figure) == ["label", "prediction"]
    alone = show.outlines([prediction_row(truth=None, dice=None)])
    assert [axis.get_title() for axis in alone.axes] == ["7"]
    assert legend_texts(alone) == ["prediction"]


@pytest.mark.parametrize(
    "plot",
    [lambda: show.pairs([], [], []), lambda: show.predictions([]), lambda: show.outlines([])],
)
def test_nothing_to_show_is_said(plot):
    with pytest.raises(ValueError, match="there is no"):
        plot()
