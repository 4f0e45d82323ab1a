"""Scores of a set: rows, files, comparison of models."""

import json
import shutil
from dataclasses import replace

import cv2
import numpy as np
import pytest
from PIL import Image

from lesion.inputs.pairing import find_pairs
from lesion.inputs.reading import read_image, read_mask
from lesion.predict.estimate import agreement
from lesion.predict.network import VIEWS, load_network
from lesion.score.evaluation import HUMAN, MODEL, evaluate, of_method, predict_pairs, predictions_of
from lesion.score.metrics import score_pair
from lesion.score.results import describe, in_brackets, write_scores
from lesion.score.summaries import Calibration
from lesion.storage import read_table


@pytest.fixture(scope="module")
def network(trained):
    return load_network(trained / "model.keras")


@pytest.fixture(scope="module")
def pairs(drawn_folder):
    return find_pairs(drawn_folder).labelled


@pytest.fixture(scope="module")
def rows(network, pairs):
    return evaluate(network, pairs, progress=False)


def test_rows_agree_with_scoring_each_pair_by_hand(network, pairs, rows):
    ours = of_method(rows)
    assert [row["name"] for row in ours] == [pair.name for pair in pairs]
    for pair, row in zip(pairs, ours, strict=True):
        prediction = network.predict(read_image(pair.image))
        expected = score_pair(read_mask(pair.mask), prediction.mask)
        assert row["dice"] == pytest.approx(expected["dice"], abs=2e-3)  # batched: rounding


def test_files_and_table(rows, tmp_path):
    summary = write_scores(tmp_path, rows, {"set": "test"})
    assert json.loads((tmp_path / "scores.json").read_text()) == summary
    assert "calibration" not in summary
    text = describe(summary)
    for method in summary["methods"]:
        assert method in text
    assert f"{summary['methods'][MODEL]['dice']['mean']:.3f}" in text
    ours = of_method(rows)
    counts = [
        sum(row[f"{key}_pixels"] for row in ours) for key in ("intersection", "true", "predicted")
    ]
    pooled = 2 * counts[0] / (counts[1] + counts[2])  # all pixels in one confusion matrix
    assert summary["methods"][MODEL]["pooled_dice"] == pytest.approx(pooled)
    assert f"pooled Dice, the pixels of all pictures counted together: {MODEL} {pooled:.3f}" in text


def test_calibration_counts_every_pixel_of_the_network(network, pairs, rows, tmp_path):
    counted = Calibration()
    again = evaluate(network, pairs[:3], progress=False, calibration=counted)
    by_hand = Calibration()
    for _, _, truth, prediction in predict_pairs(network, pairs[:3], progress=False):
        by_hand.update(truth, prediction.probability)
    summary = write_scores(tmp_path, again, {"set": "test"}, counted)
    expected = by_hand.expected_calibration_error()
    calibration = summary["calibration"]
    assert calibration["expected_calibration_error"] == pytest.approx(expected, abs=1e-4)
    assert sum(part["pixels"] for part in calibration["bins"]) == 3 * 64 * 64
    assert json.loads((tmp_path / "scores.json").read_text()) == summary
    assert "calibration error" in describe(summary)


def test_quality_is_the_agreement_of_the_mirrored_pictures_masks(network, pairs, rows, tmp_path):
    ours = of_method(rows)
    for pair, row in zip(pairs[:3], ours, strict=False):
        picture = read_image(pair.image)
        small = cv2.resize(picture, (32, 32), interpolation=cv2.INTER_AREA)
        masks = []
        for axes in VIEWS:
            inputs = np.flip(small, axes)[None].astype(np.float32) / 255
            output = np.asarray(network.model.predict_on_batch(inputs))[0, ..., 0]
            turned = np.ascontiguousarray(np.flip(output, axes))
            masks.append(network.mask_of(cv2.resize(turned, picture.shape[1::-1])))
        expected = agreement(network.predict(picture).mask, masks)
        assert row["quality"] == pytest.approx(expected, abs=0.01)
    assert all(row["quality"] is None for row in rows if row["method"] != MODEL)
    assert all(0 <= row["quality"] <= 1 for row in ours)
    summary = write_scores(tmp_path, rows, {"set": "test"})
    assert summary["quality"]["count"] == len(ours)
    assert summary["quality"]["flagged"] == 2


def test_a_metadata_column_never_replaces_a_score(network, pairs):
    pair = replace(pairs[0], metadata={"dice": "high", "name": "Anna", "dx": "nv"})
    row = of_method(evaluate(network, [pair], progress=False))[0]
    assert row["name"] == pair.name
    assert isinstance(row["dice"], float)
    assert row["dx"] == "nv"


def test_a_second_annotator_is_scored_against_the_first(network, drawn_folder, tmp_path):
    folder = tmp_path / "two"
    shutil.copytree(drawn_folder, folder)
    (folder / "label_2").mkdir()
    for name in ("1", "4"):
        mask = read_mask(folder / "label" / f"{name}.png")
        mask[: len(mask) // 2] = 0
        Image.fromarray(255 * mask).save(folder / "label_2" / f"{name}.png")
    two = find_pairs(folder)
    assert two.problems == []
    assert [pair.name for pair in two.pairs if pair.second_mask] == ["1", "4"]
    rows = evaluate(network, two.labelled[:5], progress=False)
    human = of_method(rows, HUMAN)
    assert [row["name"] for row in human] == ["1", "4"]
    first, second = (read_mask(folder / part / "4.png") for part in ("label", "label_2"))
    assert human[1]["dice"] == score_pair(first, second)["dice"]
    summary = write_scores(tmp_path, rows, {"set": "test"})
    assert summary["methods"][HUMAN]["count"] == summary["model_minus"][HUMAN]["count"] == 2
    assert "(2 pictures)" in describe(summary)
    people, ours = summary["people"], of_method(rows)
    assert people["count"] == 2
    for who, scored in ((HUMAN, human), ("network", [ours[1], ours[4]])):
        for score in ("dice", "thresholded_jaccard"):
            mean = np.mean([row[score] for row in scored])
            assert people[who][score]["mean"] == pytest.approx(mean)
            low, high = people[who][score]["interval"]
            words = score.replace("_j", " J").replace("dice", "Dice")
            assert f"{words} {in_brackets(mean, low, high)}" in describe(summary)

    Image.fromarray(np.zeros((9, 9), np.uint8)).save(folder / "label_2" / "1.png")
    with pytest.raises(ValueError, match=r"label_2.*1\.png: the mask has 9 x 9"):
        evaluate(network, find_pairs(folder).labelled[:5], progress=False)


def test_pictures_with_and_without_metadata_share_a_table(network, pairs, tmp_path):
    some = [pairs[0], replace(pairs[1], metadata={"dx": "nv"})]
    rows = evaluate(network, some, progress=False)
    summary = write_scores(tmp_path, rows, {"set": "test"})
    assert [part["name"] for part in summary["strata"]["dx"]] == ["nv", "unknown"]
    assert [row["dx"] for row in of_method(read_table(tmp_path / "scores.csv"))] == ["", "nv"]


def test_panels_follow_the_order_asked_for(network, pairs, rows):
    chosen = sorted(of_method(rows), key=lambda row: row["dice"])[:3]
    panels = predictions_of(network, pairs, chosen)
    assert [panel["name"] for panel in panels] == [row["name"] for row in chosen]
    for panel in panels:
        dice = score_pair(panel["truth"], panel["prediction"])["dice"]
        assert dice == pytest.approx(panel["dice"], abs=2e-3)
