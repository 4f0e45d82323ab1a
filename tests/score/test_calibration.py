"""calibration.py: another rule where a few pictures prove it, none where they do not."""

import json
import shutil

import numpy as np
import pytest
from brightness import Brightness
from PIL import Image

from lesion.console import InputError
from lesion.inputs import Pair, SeenPictures, Split, remark_on
from lesion.options import SHIPPED_WEIGHTS
from lesion.predict.estimate import QualityEstimate
from lesion.predict.litert import load_litert
from lesion.predict.network import Network, load_network
from lesion.score.calibration import Rule, calibrate, cross_validate, save_calibrated
from lesion.score.choice import THRESHOLDS
from lesion.storage import write_json
from lesion.training import save_model

GRID = np.array([0.3, 0.5, 0.7])
BEFORE = Rule(0.5, True)


def scores(*gains):
    """Dice of lesions that gain so much at 0.7, and lose as much at 0.3, on 0.8 at 0.5."""
    rows = [[0.8 - gain, 0.8, 0.8 + gain] for gain in gains]
    return np.array([[np.subtract(row, 0.2), row] for row in rows])


def test_each_lesion_is_scored_with_a_rule_chosen_on_the_others():
    found = cross_validate(scores(*[0.02] * 6), GRID, BEFORE, 9)
    assert (found.before, found.after, found.evident) == (BEFORE, Rule(0.7, True), True)
    assert (found.pictures, found.lesions, found.chance) == (9, 6, 0)
    assert (found.dice_before, found.dice_after) == pytest.approx((0.8, 0.82))
    assert found.gain_interval == pytest.approx((0.02, 0.02))
    # One lesion proves nothing: chosen on the five others, its rule is the present one.
    found = cross_validate(scores(0.1, 0, 0, 0, 0, 0), GRID, BEFORE, 6)
    assert (found.dice_after, found.evident) == (found.dice_before, False)


def test_one_failure_neither_decides_nor_is_it_hidden():
    nine = [0.02] * 9
    # Limited to 0.03 the failure leaves a mean gain of 0.015, and 0.7 stays the choice; with nine
    # lesions left out one by one, too. The mean Dice, which falls, does not allow it.
    found = cross_validate(scores(*nine, -0.3), GRID, BEFORE, 10)
    assert (found.after, found.evident) == (Rule(0.7, True), False)
    assert found.dice_after - found.dice_before == pytest.approx((0.18 - 0.3) / 10)
    assert cross_validate(scores(*nine, -0.1), GRID, BEFORE, 10).evident


def test_what_changes_nothing_leaves_the_rule():
    found = cross_validate(np.full((8, 2, 3), 0.9), GRID, BEFORE, 8)
    assert (found.after, found.evident, found.chance) == (BEFORE, False, 1)


def test_all_parts_are_kept_where_that_is_better():
    several = scores(*[0] * 6)[:, ::-1]  # the largest part alone costs 0.2
    assert cross_validate(several, GRID, BEFORE, 6).after == Rule(0.5, False)


@pytest.fixture
def write_pairs(tmp_path):
    """Write hills of brightness, of which a mask holds what is brighter than its outline's level.

    The hill falls from 1 by 1/32 a pixel. Pictures 2 k and 2 k + 1 show one lesion.
    """

    def write(outlines):
        (tmp_path / "image").mkdir()
        (tmp_path / "label").mkdir()
        rows, columns = np.mgrid[:64, :64]
        pairs, table = [], ["image_id,lesion_id"]
        for number, outline in enumerate(outlines):
            centre = 24 + number % 16
            hill = np.clip(1 - np.hypot(rows - centre, columns - 32) / 32, 0, 1)
            paths = [tmp_path / folder / f"{number}.png" for folder in ("image", "label")]
            gray = np.rint(255 * hill).astype(np.uint8)
            Image.fromarray(np.repeat(gray[..., None], 3, axis=2)).save(paths[0])
            Image.fromarray(np.uint8(255) * (hill >= outline)).save(paths[1])
            pairs.append(Pair(str(number), *paths, group=f"lesion {number // 2}"))
            table.append(f"{number},lesion {number // 2}")
        (tmp_path / "metadata.csv").write_text("\n".join(table))
        return pairs

    return write


def test_pictures_are_predicted_once_and_lesions_counted(write_pairs):
    pairs = write_pairs([0.7] * 12)
    model = Brightness(64)
    found = calibrate(Network(model, 64), pairs, progress=False)
    assert (model.pictures, found.pictures, found.lesions) == (12, 12, 6)
    assert (found.after.threshold, found.evident) == (pytest.approx(0.7, abs=0.021), True)
    with pytest.raises(InputError, match=r"8 picture\(s\) of 4 lesion\(s\).*label at least 5"):
        calibrate(Network(model, 64), pairs[:8])
    assert model.pictures == 12


def test_a_rule_of_its_own_is_among_those_compared(write_pairs):
    found = calibrate(Network(Brightness(64), 64, 0.5317), write_pairs([0.5317] * 10), False)
    assert 0.5317 not in THRESHOLDS
    assert (found.after, found.dice_before) == (Rule(0.5317, False), 1)


@pytest.fixture
def weights(tmp_path):
    """A saved network for which bright is lesion, cut at 0.5."""
    import keras

    inputs = keras.Input((64, 64, 3))
    layer = keras.layers.Conv2D(1, 1, use_bias=False, kernel_initializer="zeros")
    model = keras.Model(inputs, layer(inputs))
    model.set_weights([np.array([1, 0, 0], np.float32).reshape(1, 1, 3, 1)])
    path = tmp_path / "weights" / "gray.keras"
    path.parent.mkdir()
    save_model(model, path, {"threshold": 0.5, "one_lesion": True, "seed": 3})
    return path


def test_the_command_writes_weights_that_carry_what_it_found(
    run_command, write_pairs, weights, tmp_path
):
    pairs = write_pairs([0.65, 0.7, 0.75] * 4)
    out = tmp_path / "out"
    command = ["calibrate", "--data", tmp_path, "--weights", weights, "--out"]
    code, output, errors = run_command(*command, out)
    assert (code, errors) == (0, [])
    assert "quality estimate" not in output  # there is none
    settings = json.loads(weights.with_suffix(".json").read_text())
    one, two = np.ones(1), np.ones((1, 1))
    estimate = QualityEstimate(np.zeros(4), 1.0, one, one, two, one, 1.0, 50)
    write_json(weights.with_suffix(".json"), settings | {"quality_estimate": estimate.to_dict()})
    assert "quality estimate was learnt with the former" in run_command(*command, f"{out}2")[1]
    assert "mean Dice of 6 lesions with the rule of the weights (threshold 0.50" in output
    assert (out / "model.keras").read_bytes() == weights.read_bytes()
    network = load_network(out / "model.keras")
    assert f"chosen on all: threshold {network.threshold:.2f}, the largest part" in output
    assert (network.threshold, network.one_lesion) == (pytest.approx(0.7, abs=0.05), True)
    recorded = json.loads((out / "model.json").read_text())
    assert recorded["seed"] == 3
    found = recorded["calibration"]
    assert (found["before"], found["after"]["threshold"]) == (
        {"threshold": 0.5, "one_lesion": True},
        network.threshold,
    )
    assert found["dice_after"] > found["dice_before"] + 0.1
    assert (found["pictures"], found["lesions"]) == (12, 6)
    assert "its epoch and threshold were chosen on 12 of" in remark_on(
        [out / "model.keras"], pairs, ""
    )


def test_the_command_refuses_without_evidence_and_leaves_nothing(
    refused, write_pairs, weights, tmp_path
):
    write_pairs([0.49, 0.5, 0.51] * 4)
    out = tmp_path / "out"
    command = ["calibrate", "--data", tmp_path, "--weights", weights, "--out", out]
    refused("no evidence that another rule|keep the weights as they are|label more", *command)
    assert not out.exists()
    for number in range(8, 12):
        (tmp_path / "image" / f"{number}.png").unlink()
        (tmp_path / "label" / f"{number}.png").unlink()
    refused("8 picture(s) of 4 lesion(s)|label at least 5", *command)
    assert not out.exists()


def test_published_weights_stay_quick_and_know_what_they_have_seen(write_pairs, tmp_path):
    """The .tflite goes along and is trusted as before, and so does the split.json of a run."""
    trained, *chosen = write_pairs([0.7, 0.2, 0.5])
    for suffix in (".keras", ".json", ".tflite"):
        shutil.copy(SHIPPED_WEIGHTS.with_suffix(suffix), tmp_path)
    (tmp_path / "split.json").write_text("{}")
    SeenPictures.of(Split([trained], [], [])).write(tmp_path / SHIPPED_WEIGHTS.name)
    found = cross_validate(scores(*[0.02] * 6), GRID, BEFORE, 6)
    network = load_network(SHIPPED_WEIGHTS)
    out = tmp_path / "out"
    out.mkdir()
    path = save_calibrated(tmp_path / SHIPPED_WEIGHTS.name, network.settings, found, chosen, out)
    assert load_litert(path) is not None
    assert load_network(path).settings["threshold"] == 0.7
    assert (out / "split.json").read_text() == "{}"
    seen = SeenPictures.read(path)
    assert seen.find([trained, *chosen]) == (["0"], ["1", "2"])
    assert seen.complete
