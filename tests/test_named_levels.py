"""--lesion-level and --ignore-level, from the command line to the files of a run."""

import json

import cv2
import numpy as np
import pytest
from PIL import Image

from lesion import inputs
from lesion.settings import Settings
from lesion.storage import read_table

NAMED = ("--lesion-level", 1, "--ignore-level", 255)


@pytest.fixture
def void(drawn_folder, tmp_path):
    """The drawn pairs, their masks of 1 with a ring of 255 around it."""
    folder = tmp_path / "void"
    (folder / "label").mkdir(parents=True)
    (folder / "image").symlink_to(drawn_folder / "image")
    for path in (drawn_folder / "label").iterdir():
        mask = (np.asarray(Image.open(path)) > 0).astype(np.uint8)
        ring = cv2.dilate(mask, np.ones((5, 5), np.uint8)) - mask
        Image.fromarray(mask + ring * np.uint8(255)).save(folder / "label" / path.name)
    return folder


def test_every_command_asks_what_is_lesion(void, trained, refused, run_command, tmp_path):
    words = "levels 0 (|1 (|255 (|--lesion-level 1|--ignore-level 255"
    refused(words, "train", "--data", void, "--out", tmp_path / "out")
    weights = ("--weights", trained / "model.keras")
    refused(words, "evaluate", "--data", void, *weights, "--out", tmp_path / "out")
    refused(words, "evaluate", "--data", void, *weights, "--out", tmp_path / "out", "--skip-bad")
    code, output, _ = run_command("check", void)
    assert code == 1
    assert output.count("problem   ") == 1
    code, output, _ = run_command("check", void, *NAMED)
    assert code == 0
    refused("no mask holds the level 7|0 (|1 (|255 (", "check", void, "--lesion-level", 7)


@pytest.mark.slow
def test_levels_go_from_the_options_into_the_record(
    void, narrow, run_command, refused, tmp_path, monkeypatch
):
    run = tmp_path / "run"
    command = ["train", "--data", void, "--epochs", 1, "--size", 32, "--out", run]

    def stop(*arguments, **options):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("lesion.workflow.choose_mask_rule", stop)
        assert run_command(*command, *NAMED)[0] == 130
    begun = json.loads((run / "parameters.json").read_text())
    assert (begun["lesion_level"], begun["ignore_level"]) == (["1"], ["255"])
    again = (*command, "--resume", "--lesion-level", 1)
    refused("begun with ignore_level ['255']|resume with that", *again)
    assert run_command(*command, "--resume", *NAMED)[0] == 0
    record = json.loads((run / "model.json").read_text())
    assert (record["lesion_level"], record["ignore_level"]) == (["1"], ["255"])

    out = tmp_path / "scores"
    evaluate = ("evaluate", "--data", void, "--weights", run / "model.keras", "--out", out)
    assert run_command(*evaluate, *NAMED)[0] == 0
    assert read_table(out / "scores.csv") == read_table(run / "scores.csv")
    for row in read_table(out / "scores.csv"):
        mask = np.asarray(Image.open(void / "label" / f"{row['name']}.png"))
        assert float(row["true_pixels"]) == (mask == 1).sum()
        assert float(row["picture_pixels"]) == (mask != 255).sum()


def test_levels_are_constants_of_a_notebook(void):
    constants = {"DATA": str(void), "LESION_LEVEL": 1, "IGNORE_LEVEL": "255"}
    settings = Settings.from_constants(constants)
    split = inputs.load(settings, progress=False)
    assert split.made_with["lesion_level"] == ("1",)
    _, truth = inputs.read_pair(split.train[0])
    assert np.unique(truth).tolist() == [0, 1, 255]
