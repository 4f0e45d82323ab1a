"""Weights that get a quality estimate afterwards, and what predictions then say of pictures."""

import json
import shutil

import pytest

from lesion.predict.network import load_network
from lesion.score import estimation
from lesion.storage import read_table
from tools.estimate import main
from tools.publish import publish


@pytest.fixture
def weights(trained, tmp_path):
    """Published weights that know nothing of quality, as an earlier version wrote them."""
    return publish(trained, tmp_path / "files" / "small")


def test_published_weights_learn_which_pictures_are_unlike_the_training(
    weights, trained, drawn_folder, monkeypatch, tmp_path, run_command
):
    picture = drawn_folder / "image" / "0.png"
    before = run_command("predict", picture, "--weights", weights, "--out", tmp_path / "a")
    assert before[0] == 0
    assert read_table(tmp_path / "a" / "lesions.csv")[0]["unfamiliar"] == ""
    monkeypatch.setattr(estimation, "LEAST_PICTURES", 12)
    split = json.loads((trained / "split.json").read_text())
    split["validation"] += split["train"] + split["test"]  # two would be too few to learn from
    split["train"], split["test"] = [], []
    weights.with_name("split.json").write_text(json.dumps(split))
    assert main([str(weights), str(drawn_folder)]) == 0
    network = load_network(weights)
    assert type(network.model).__name__ == "LitertModel"  # made anew, named in the .json
    assert network.estimate.pictures == 12
    command = ["predict", drawn_folder / "image", "--weights", weights, "--out"]
    assert "unlike" not in run_command(*command, tmp_path / "b")[1]
    settings = json.loads(weights.with_suffix(".json").read_text())
    settings["quality_estimate"]["limit"] = 1e-3  # as if the drawn pictures were no drawn ones
    weights.with_suffix(".json").write_text(json.dumps(settings))
    code, output, _ = run_command(*command, tmp_path / "c")
    assert code == 0
    assert "unlike the pictures that the network was trained on, 12 of 12: 0, 1, 2" in output
    for folder, unfamiliar, most in (("b", 0, 1), ("c", 1, 0.5)):
        rows = read_table(tmp_path / folder / "lesions.csv")
        assert [row["unfamiliar"] for row in rows] == [unfamiliar] * 12
        assert all(row["quality"] <= most for row in rows)
        mask = tmp_path / folder / "0_mask.png"
        assert mask.read_bytes() == (tmp_path / "a" / "0_mask.png").read_bytes()


def test_pictures_that_were_not_kept_apart_are_refused(weights, drawn_folder, tmp_path, capsys):
    other = shutil.copytree(drawn_folder, tmp_path / "other")
    (other / "image" / "0.png").unlink()
    assert main([str(weights), str(other)]) == 2
    assert "name the folders it was trained with" in capsys.readouterr().err
    assert main([str(weights), str(drawn_folder)]) == 2  # two validation pictures
    assert "are needed" in capsys.readouterr().err
    assert "quality_estimate" not in json.loads(weights.with_suffix(".json").read_text())
