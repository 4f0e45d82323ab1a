"""The official test of ISIC 2018 task 1, on a replica of its archive made of drawn pictures."""

import json
import shutil

import numpy as np
import pytest
from PIL import Image

from lesion.inputs.held_out import select_test
from lesion.inputs.reading import read_image
from lesion.predict.network import load_network
from lesion.score import challenge
from lesion.score.evaluation import MODEL
from lesion.score.results import in_brackets
from lesion.storage import read_table

PICTURES, MASKS = "ISIC2018_Task1-2_Test_Input", "ISIC2018_Task1_Test_GroundTruth"


@pytest.fixture
def archive(drawn_folder, tmp_path):
    """A folder with the two of the test, as they are unpacked, and 12 pictures instead of 1,000."""
    for folder in (PICTURES, MASKS):
        (tmp_path / "isic" / folder).mkdir(parents=True)
        for name in ("ATTRIBUTION.txt", "LICENSE.txt"):
            (tmp_path / "isic" / folder / name).write_text("who made it, and what is allowed")
    for number in range(12):
        with Image.open(drawn_folder / "image" / f"{number}.png") as picture:
            picture.save(tmp_path / "isic" / PICTURES / f"ISIC_{12169 + number:07d}.jpg")
        mask = tmp_path / "isic" / MASKS / f"ISIC_{12169 + number:07d}_segmentation.png"
        shutil.copy(drawn_folder / "label" / f"{number}.png", mask)
    return tmp_path / "isic"


@pytest.fixture
def weights(trained, tmp_path):
    """The weights of a run, as they are passed on: nothing says what they were trained on."""
    for suffix in ("keras", "json"):
        shutil.copy(trained / f"model.{suffix}", tmp_path / f"passed_on.{suffix}")
    return tmp_path / "passed_on.keras"


def score(run_command, archive, weights, out, *options):
    command = ("evaluate", "--protocol", "isic2018", "--data", archive, "--weights", weights)
    return run_command(*command, "--out", out, *options)


def test_the_number_is_that_of_the_official_scorer(
    run_command, archive, weights, tmp_path, monkeypatch
):
    monkeypatch.setattr(challenge, "PICTURES", 12)
    code, output, _ = score(run_command, archive, weights, tmp_path / "out")
    assert code == 0
    headline = next(line for line in output.splitlines() if "thresholded Jaccard" in line)
    assert headline.startswith("ISIC 2018 task 1, official test of 12 pictures: ")
    assert output.index(headline) < output.index("Dice")
    summary = json.loads((tmp_path / "out" / "scores.json").read_text())
    own = summary["methods"][MODEL]["thresholded_jaccard"]
    assert in_brackets(own["mean"], *own["interval"]) in headline
    assert headline in (tmp_path / "out" / "report.html").read_text()
    assert len({row["name"] for row in read_table(tmp_path / "out" / "scores.csv")}) == 12

    segmentation = pytest.importorskip("isic_challenge_scoring.segmentation")
    network = load_network(weights)
    (tmp_path / "masks").mkdir()
    for path in (archive / PICTURES).glob("*.jpg"):
        mask = network.predict(read_image(path)).mask
        Image.fromarray(mask * np.uint8(255)).save(tmp_path / "masks" / f"{path.stem}.png")
    official = segmentation.SegmentationScore.from_dir(archive / MASKS, tmp_path / "masks")
    assert own["mean"] == pytest.approx(official.overall, abs=1e-6)


def test_another_number_of_pictures_is_not_the_official_test(
    run_command, archive, weights, tmp_path
):
    (archive / PICTURES / "ISIC_0012169.jpg").rename(archive / PICTURES / "mole.jpg")
    mask = archive / MASKS / "ISIC_0012169_segmentation.png"
    mask.rename(archive / MASKS / "mole_segmentation.png")
    _, output, _ = score(run_command, archive, weights, tmp_path / "out")
    missing = (
        "it has 1,000 pictures, these are 12; 1 of these have no name of the ISIC archive: mole"
    )
    assert f"note: this is not the official test of ISIC 2018 task 1: {missing}" in output
    assert f"NOT THE OFFICIAL TEST of ISIC 2018 task 1 ({missing}): thresholded Jaccard" in output
    assert "NOT THE OFFICIAL TEST" in (tmp_path / "out" / "report.html").read_text()
    assert json.loads((tmp_path / "out" / "scores.json").read_text())["shortfall"] == missing


def test_the_test_is_taken_out_of_all_archives_side_by_side(archive, tmp_path):
    for part in (PICTURES, MASKS):
        training = archive / part.replace("Test", "Training")
        training.mkdir()
        for path in sorted((archive / part).glob("ISIC*"))[:3]:
            shutil.copy(path, training / path.name.replace("ISIC_001", "ISIC_000"))
    chosen = select_test(archive, [tmp_path / "elsewhere.keras"])
    assert [pair.name for pair in chosen.pairs] == [f"ISIC_{12169 + n:07d}" for n in range(12)]


def test_weights_that_have_seen_its_pictures_are_refused(refused, archive, trained, tmp_path):
    command = ("evaluate", "--protocol", "isic2018", "--out", tmp_path / "o", "--data", archive)
    words = "of the 12 pictures of this test were trained or chosen on|give weights that have seen"
    refused(words, *command, "--weights", trained / "model.keras")


def test_what_is_no_test_is_refused(refused, archive, weights, tmp_path):
    command = ("evaluate", "--protocol", "isic2018", "--weights", weights, "--out", tmp_path / "o")
    (archive / MASKS / "ISIC_0012170_segmentation.png").unlink()
    refused("ISIC_0012170.jpg|without a mask|--skip-bad", *command, "--data", archive)
    shutil.rmtree(archive / MASKS)
    refused("holds no test pictures with masks", *command, "--data", archive)
