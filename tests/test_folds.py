"""train --folds: what is gone on with, and scores by the network that has not seen a picture."""

import json

import numpy as np
import pytest

from lesion import workflow
from lesion.drawn.scene import write_pairs
from lesion.inputs import find_pairs, read_pair
from lesion.predict.network import load_network
from lesion.score.evaluation import MODEL
from lesion.score.metrics import score_pair
from lesion.settings import Settings
from lesion.storage import read_table
from segment import main

pytestmark = pytest.mark.usefixtures("narrow")


def run(*arguments):
    return main([str(argument) for argument in arguments])


def stop(*arguments):
    raise KeyboardInterrupt


@pytest.mark.slow
def test_two_folds_from_the_first_epoch_to_an_ensemble(tmp_path, monkeypatch, capsys):
    data, out = tmp_path / "data", tmp_path / "out"
    write_pairs(12, data, size=48, first_seed=40)
    command = ["train", "--data", data, "--epochs", 1, "--size", 32, "--out", out, "--folds", 2]

    def fail(*more):
        capsys.readouterr()
        assert run(*more) == 2
        return capsys.readouterr().err

    scored = []

    def score_the_first_alone(*arguments):
        scored.append(original(*arguments) if not scored else stop())

    original = workflow.score
    with monkeypatch.context() as patch:
        patch.setattr(workflow, "score", score_the_first_alone)
        assert run(*command) == 130
    first = (out / "fold1" / "model.keras").stat().st_mtime_ns
    assert "begun with test 0.5, folds 2" in fail(*command[:-1], 3, "--resume")
    assert "begun with test 0.5, folds 2" in fail(*command[:-2], "--resume")
    assert run(*command, "--resume") == 0
    assert (out / "fold1" / "model.keras").stat().st_mtime_ns == first
    told = capsys.readouterr().out
    assert "fold1 of 2 is trained already" in told
    assert "mean Dice of each fold" in told

    # Each picture once, with the score of the network whose test it was in.
    rows = [row for row in read_table(out / "scores.csv") if row["method"] == MODEL]
    pairs = {pair.name: pair for pair in find_pairs(data).labelled}
    assert sorted(row["name"] for row in rows) == sorted(pairs)
    for fold in (1, 2):
        folder = out / f"fold{fold}"
        split = json.loads((folder / "split.json").read_text())
        names = {row["name"] for row in rows if row["fold"] == fold}
        assert {f"image/{name}.png" for name in names} == set(split["test"])
        name = min(names)
        picture, truth = read_pair(pairs[name])
        dice = score_pair(truth, load_network(folder / "model.keras").predict(picture).mask)["dice"]
        assert dice == next(row["dice"] for row in rows if row["name"] == name)
    summary = json.loads((out / "scores.json").read_text())
    dice = [[row["dice"] for row in rows if row["fold"] == fold] for fold in (1, 2)]
    assert summary["methods"][MODEL]["dice"]["mean"] == pytest.approx(np.mean(np.concatenate(dice)))
    spread = abs(np.mean(dice[0]) - np.mean(dice[1])) / np.sqrt(2)
    assert summary["standard_deviation_of_folds"] == pytest.approx(spread)
    assert summary["set"] == "2 folds, each scored by the network that has not seen it"
    assert "remark" not in summary
    assert (out / "report.html").is_file()
    assert (out / "figures" / "lowest.png").is_file()
    assert "has ended" in fail(*command, "--resume")

    weights = [out / f"fold{fold}" / "model.keras" for fold in (1, 2)]
    evaluate = ["evaluate", "--data", data, "--weights", *weights, "--out", tmp_path / "scores"]
    assert "no picture is left" in fail(*evaluate)
    assert run("predict", data / "image" / "0.png", "--weights", *weights, "--out", out / "m") == 0
    assert (out / "m" / "0_mask.png").is_file()


@pytest.mark.slow
def test_weights_to_start_from_that_have_seen_test_pictures_are_told(
    trained, drawn_folder, tmp_path, capsys
):
    command = ["train", "--data", drawn_folder, "--epochs", 1, "--size", 32, "--folds", 2]
    assert run(*command, "--start-from", trained / "model.keras", "--out", tmp_path / "out") == 0
    told = capsys.readouterr().out
    seen = set(json.loads((trained / "split.json").read_text())["train"])
    remarks = []
    for folder in (tmp_path / "out" / "fold1", tmp_path / "out" / "fold2"):
        test = json.loads((folder / "split.json").read_text())["test"]
        line = f"{len(seen.intersection(test))} of {len(test)} pictures were trained on by {folder}"
        assert f"note: {line}" in told
        assert line in (folder / "report.html").read_text(encoding="utf-8")
        remarks.append(json.loads((folder / "scores.json").read_text())["remark"])
        assert remarks[-1].startswith(line)
    summary = json.loads((tmp_path / "out" / "scores.json").read_text())
    assert (summary["set"], summary["remark"]) == ("2 folds", "; ".join(remarks))


def test_bad_numbers_of_folds(refused, tmp_path):
    write_pairs(3, tmp_path / "data", size=32, first_seed=1)
    command = ["train", "--data", tmp_path / "data", "--out", tmp_path / "out", "--folds", 2]
    refused("3 lesion(s)|too few for 2 folds|add pairs", *command)
    refused("VALIDATION is 0.6|TEST 0.5|sum below 1", *command, "--validation", 0.6)
    assert not (tmp_path / "out").exists()
    assert "folds" not in vars(Settings())
