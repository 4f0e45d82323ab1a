"""Scores of a set: rows, files, comparison of models, and which pictures may be scored."""

import json
import shutil

import numpy as np
import pytest

from data import find_pairs
from evaluation import (
    MODEL,
    compare_models,
    describe,
    evaluate,
    fit_disc,
    format_table,
    of_method,
    predictions_of,
    validation_curve,
    write_scores,
)
from metrics import THRESHOLDS, mask_at, score_pair
from prediction import load_network, predict_probability
from reading import read_image, read_mask
from workflow import select_pairs


@pytest.fixture(scope="module")
def network(trained):
    return load_network(trained / "model.keras")


@pytest.fixture(scope="module")
def pairs(drawn_folder):
    return find_pairs(drawn_folder).labelled


@pytest.fixture(scope="module")
def rows(network, pairs):
    return evaluate(network, pairs, fit_disc(pairs), progress=False)


def test_rows_agree_with_scoring_each_pair_by_hand(network, pairs, rows):
    ours = of_method(rows)
    assert [row["name"] for row in ours] == [pair.name for pair in pairs]
    for pair, row in zip(pairs, ours, strict=True):
        probability = predict_probability(network, read_image(pair.image))
        expected = score_pair(read_mask(pair.mask), mask_at(probability, network.threshold))
        assert row["dice"] == pytest.approx(expected["dice"], abs=2e-3)  # batched: rounding


def test_curve_at_the_threshold_is_the_mean_dice(network, pairs, rows):
    curve = validation_curve(network, pairs, progress=False)
    position = int(np.argmin(np.abs(THRESHOLDS - network.threshold)))
    assert curve[position] == pytest.approx(np.mean([r["dice"] for r in of_method(rows)]), abs=1e-6)


def test_files_and_table(rows, tmp_path):
    summary = write_scores(tmp_path, rows, {"set": "test"})
    assert json.loads((tmp_path / "scores.json").read_text()) == summary
    text = describe(summary)
    for method in summary["methods"]:
        assert method in text
    assert f"{summary['methods'][MODEL]['dice']['mean']:.3f}" in text


def test_comparison_of_a_model_with_itself_is_zero(rows):
    table = compare_models("a", of_method(rows), "b", of_method(rows))
    assert all(row["difference"] == 0 and row["p"] == 1 for row in table)
    assert format_table(table).count("\n") == len(table)


def test_comparison_refuses_other_pictures(rows):
    ours = of_method(rows)
    with pytest.raises(ValueError, match="same pictures"):
        compare_models("a", ours, "b", ours[::-1])


def test_panels_follow_the_order_asked_for(network, pairs, rows):
    chosen = sorted(of_method(rows), key=lambda row: row["dice"])[:3]
    panels = predictions_of(network, pairs, chosen)
    assert [panel["name"] for panel in panels] == [row["name"] for row in chosen]
    for panel in panels:
        dice = score_pair(panel["truth"], panel["prediction"])["dice"]
        assert dice == pytest.approx(panel["dice"], abs=2e-3)


def test_only_pictures_that_were_kept_apart_are_scored(trained, drawn_folder, tmp_path):
    weights = trained / "model.keras"
    own = json.loads((trained / "split.json").read_text())
    chosen, set_name = select_pairs(drawn_folder, weights)
    assert set_name == "test"
    assert [pair.image.name for pair in chosen] == [name.split("/")[-1] for name in own["test"]]
    assert len(select_pairs(drawn_folder, weights, "all")[0]) == 12

    foreign = tmp_path / "foreign"
    shutil.copytree(drawn_folder, foreign)
    for folder in ("image", "label"):
        (foreign / folder / "0.png").rename(foreign / folder / "new.png")
    chosen, set_name = select_pairs(foreign, tmp_path / "elsewhere.keras")
    assert set_name == "every pair"
    assert len(chosen) == 12
