"""The command line: what it writes, and that a mistake ends in one line and exit code 2."""

import json
import shutil
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import unet
from lesion import callbacks, inputs, predict, workflow
from lesion.drawn.scene import write_pairs
from lesion.inputs.reading import read_image, read_mask
from lesion.inputs.splitting import load_split
from lesion.predict.network import load_network
from lesion.score.evaluation import MODEL
from lesion.score.metrics import score_pair
from lesion.settings import FINE_TUNING, Settings
from lesion.show import FIGURES
from lesion.storage import read_table
from segment import RUNS, create_parser, main

pytestmark = pytest.mark.usefixtures("narrow")

ROOT = Path(__file__).parents[1]


def run(*arguments):
    return main([str(argument) for argument in arguments])


class Brightness:
    """A network for which bright is lesion."""

    input_shape = (None, 32, 32, 3)

    def predict_on_batch(self, inputs):
        return inputs[..., :1]


def failure(capsys, *arguments):
    """Runs a command that must fail; returns its one line."""
    capsys.readouterr()
    assert run(*arguments) == 2
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error: ")]
    assert len(lines) == 1
    return lines[0]


def test_check_says_what_was_found(drawn_folder, capsys):
    assert run("check", drawn_folder) == 0
    output = capsys.readouterr().out
    assert "12, of which 12 with a mask" in output
    assert "64 x 64" in output


def test_check_of_a_bad_folder_exits_with_one(drawn_folder, tmp_path, capsys):
    for part in ("image", "label"):
        (tmp_path / part).mkdir()
    (tmp_path / "image" / "0.png").write_bytes((drawn_folder / "image" / "0.png").read_bytes())
    (tmp_path / "label" / "0.png").write_bytes(b"no picture")
    assert run("check", tmp_path) == 1
    assert "0.png" in capsys.readouterr().out


def test_scores_name_every_test_picture_and_the_baselines(trained):
    split = json.loads((trained / "split.json").read_text())
    rows = read_table(trained / "scores.csv")
    summary = json.loads((trained / "scores.json").read_text())
    assert summary["set"] == "test"
    methods = list(summary["methods"])
    assert len(methods) == 4
    assert len(rows) == len(split["test"]) * len(methods)
    ours = [row["dice"] for row in rows if row["method"] == methods[0]]
    assert summary["methods"][methods[0]]["dice"]["mean"] == pytest.approx(np.mean(ours))


@pytest.mark.slow
def test_evaluate_takes_the_pictures_that_were_kept_apart(trained, drawn_folder, tmp_path, capsys):
    out = tmp_path / "scores"
    weights = trained / "model.keras"
    assert run("evaluate", "--data", drawn_folder, "--weights", weights, "--out", out) == 0
    assert read_table(out / "scores.csv") == read_table(trained / "scores.csv")
    everything = tmp_path / "all"
    arguments = ["--data", drawn_folder, "--weights", weights, "--out", everything]
    assert run("evaluate", *arguments, "--part", "all") == 0
    assert len(read_table(everything / "scores.csv")) == 12 * 4


def test_predict_writes_masks_at_the_pictures_own_size(trained, drawn_folder, tmp_path):
    pictures = tmp_path / "in"
    pictures.mkdir()
    large = Image.open(drawn_folder / "image" / "3.png").resize((150, 100))
    large.save(pictures / "ä spot.JPG", format="JPEG")
    large.convert("L").save(pictures / "gray.png")
    out = tmp_path / "out"
    one = drawn_folder / "image" / "5.png"
    command = ["predict", pictures, one, "--weights", trained / "model.keras", "--out", out]
    assert run(*command, "--mm-per-pixel", 0.02) == 0
    names = sorted(path.name for path in out.iterdir())
    stems = ["5", "gray", "ä spot"]
    pictures = [f"{stem}_{kind}" for stem in stems for kind in ("mask.png", "overlay.jpg")]
    assert names == sorted([*pictures, "lesions.csv"])
    lesions = {row["name"]: row for row in read_table(out / "lesions.csv")}
    for stem in ("gray", "ä spot"):
        mask = read_mask(out / f"{stem}_mask.png")
        assert lesions[stem]["area"] == pytest.approx(mask.mean())
        assert 0 <= lesions[stem]["quality"] <= 1
        pixels, squares = lesions[stem]["area_pixels"], lesions[stem]["area_mm2"]
        assert squares == ("" if pixels == "" else pytest.approx(0.0004 * pixels, abs=1e-4))
    with Image.open(out / "ä spot_mask.png") as mask:
        assert mask.size == (150, 100)
        assert mask.mode == "L"
        assert set(np.unique(mask)) <= {0, 255}
    network = load_network(trained / "model.keras")
    expected = network.predict(read_image(one)).mask
    np.testing.assert_array_equal(read_mask(out / "5_mask.png"), expected)


def test_predict_says_where_it_kept_the_largest_lesion_only(tmp_path, capsys, monkeypatch):
    picture = np.zeros((32, 32, 3), np.uint8)
    picture[4:12, 4:12] = picture[20:24, 20:24] = 255
    for name in ("one", "two"):
        Image.fromarray(picture).save(tmp_path / f"{name}.png")
        picture[20:24, 20:24] = 0
    for one_lesion, option, pixels in (
        (True, [], 64),
        (True, ["--all-lesions"], 80),
        (False, [], 80),
    ):
        network = predict.Network(Brightness(), 32, one_lesion=one_lesion)
        monkeypatch.setattr(predict, "load_network", lambda path, made=network: made)
        out = tmp_path / f"out{one_lesion}{pixels}"
        assert (
            run("predict", tmp_path / "one.png", tmp_path / "two.png", "--out", out, *option) == 0
        )
        told = capsys.readouterr().out
        assert ("kept the largest of 2 parts" in told) == (pixels == 64)
        assert ("1 of 2 masks hold the largest of several parts only" in told) == (pixels == 64)
        assert read_mask(out / "one_mask.png").sum() == pixels
        rows = read_table(out / "lesions.csv")
        assert [(row["parts"], row["quality"]) for row in rows] == [(2, 1), (1, 1)]


def test_results_are_never_overwritten(trained, drawn_folder, capsys):
    before = (trained / "model.keras").read_bytes()
    line = failure(capsys, "train", "--data", drawn_folder, "--epochs", 1, "--out", trained)
    assert "already holds files" in line
    assert (trained / "model.keras").read_bytes() == before


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["check", "NOWHERE"], "NOWHERE"),
        (["train", "--data", "NOWHERE", "--out", "OUT"], "NOWHERE"),
        (["predict", "NOWHERE", "--weights", "WEIGHTS", "--out", "OUT"], "NOWHERE"),
        (["predict", "PICTURE", "--weights", "NOWHERE", "--out", "OUT"], "NOWHERE"),
        (["predict", "PICTURE", "--weights", "PICTURE", "--out", "OUT"], ".keras"),
        (["predict", "PICTURE", "--weights", "BROKEN", "--out", "OUT"], "cannot be loaded"),
        (["predict", "TEXT", "--weights", "WEIGHTS", "--out", "OUT"], "text.png"),
        (["predict", "EMPTY", "--weights", "WEIGHTS", "--out", "OUT"], "is empty"),
        (["evaluate", "--data", "EMPTY", "--weights", "WEIGHTS", "--out", "OUT"], "empty"),
    ],
)
def test_mistakes_end_in_one_line(arguments, expected, trained, drawn_folder, tmp_path, capsys):
    places = {
        "NOWHERE": tmp_path / "NOWHERE",
        "OUT": tmp_path / "out",
        "WEIGHTS": trained / "model.keras",
        "PICTURE": drawn_folder / "image" / "0.png",
        "BROKEN": tmp_path / "broken.keras",
        "TEXT": tmp_path / "text.png",
        "EMPTY": tmp_path / "empty",
    }
    places["BROKEN"].write_bytes((trained / "model.keras").read_bytes()[:5000])
    places["TEXT"].write_text("not a picture")
    places["EMPTY"].mkdir()
    line = failure(capsys, *(places.get(argument, argument) for argument in arguments))
    assert expected in line
    out = places["OUT"]
    assert not out.exists() or not any(path.suffix == ".png" for path in out.iterdir())


@pytest.mark.parametrize(
    "arguments",
    [
        ["train", "--epochs", "0"],
        ["train", "--epochs", "-3"],
        ["train", "--epochs", "many"],
        ["train", "--size", "7"],
        ["train", "--size", "99999"],
        ["train", "--model", "huge"],
        ["train", "--batch", "0"],
        ["train", "--nonsense"],
        ["predict"],
        ["predict", "a.png", "--weights", "w", "--out", "o", "--mm-per-pixel", "0"],
        ["predict", "a.png", "--weights", "w", "--out", "o", "--mm-per-pixel", "nan"],
        ["compare", "--data", "a", "--weights", "--out", "o"],
        ["fly"],
        [],
    ],
)
def test_bad_options_exit_with_two(arguments, capsys):
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == 2
    assert "error: " in capsys.readouterr().err


def test_constants_have_the_defaults_of_the_settings_and_an_option_each():
    typed = vars(create_parser("", RUNS).parse_args(["train"]))
    names = {constant.name for constant in fields(Settings)}
    assert Settings(**{name: typed[name] for name in names}) == Settings()
    words = "--data a b --size 64 --batch 4 --epochs 3 --model lite --start-from w.keras"
    words += " --loss dice --channels 1 --seed 5 --learning-rate 0.01 --validation 0.1 --test 0.3"
    typed = vars(create_parser("", RUNS).parse_args(["train", *words.split(), "--patience", "2"]))
    expected = Settings(
        **{"data": ("a", "b"), "image_size": 64, "batch_size": 4, "epochs": 3, "model": "lite"},
        **{"start_from": "w.keras", "loss": "dice", "channels": 1, "seed": 5, "patience": 2},
        **{"learning_rate": 0.01, "validation": 0.1, "test": 0.3},
    )
    assert Settings(**{name: typed[name] for name in names}) == expected


@pytest.mark.slow
def test_evaluate_says_what_it_knows_of_the_pictures(trained, drawn_folder, tmp_path, capsys):
    command = ["evaluate", "--data", drawn_folder, "--part", "test"]
    assert run(*command, "--weights", trained / "model.keras", "--out", tmp_path / "a") == 0
    assert "was trained on none of these" in capsys.readouterr().out
    for name in ("model.keras", "model.json"):
        shutil.copy(trained / name, tmp_path)
    assert run(*command, "--weights", tmp_path / "model.keras", "--out", tmp_path / "b") == 0
    assert "may have been trained on some of them" in capsys.readouterr().out


def test_paths_may_be_given_as_text(trained, drawn_folder, tmp_path):
    copy = shutil.copytree(trained, tmp_path / "copy")  # stopped while it was being scored
    (copy / "report.html").unlink()
    settings = Settings(data=str(drawn_folder), epochs=2, image_size=32)
    workflow.train(inputs.load(settings, progress=False), settings, str(copy))
    assert (copy / "report.html").is_file()
    network = predict.load_network(str(trained / "model.keras"))
    picture = str(drawn_folder / "image" / "0.png")
    predict.predict_files(network, [picture], str(tmp_path))
    assert (tmp_path / "0_mask.png").is_file()


@pytest.mark.slow
def test_as_a_command_it_prints_no_noise(trained, drawn_folder, tmp_path):
    picture = drawn_folder / "image" / "0.png"
    command = [sys.executable, "segment.py", "predict", picture]
    command += ["--weights", trained / "model.keras", "--out", tmp_path / "out"]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert result.returncode == 0, result.stderr
    assert result.stderr == ""
    assert len(result.stdout.splitlines()) == 2


@pytest.mark.slow
def test_resume_goes_on_and_refuses_another_training(
    drawn_folder, trained, tmp_path, capsys, monkeypatch
):
    monkeypatch.setattr(callbacks, "CHECKPOINT_SECONDS", 0)
    out = tmp_path / "run"
    command = ["train", "--data", drawn_folder, "--epochs", 2, "--size", 32, "--out", out]

    def stop(self, epoch, logs=None):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(callbacks.ProgressBar, "on_epoch_end", stop)
        assert run(*command) == 130
    assert (out / callbacks.CHECKPOINT).is_file()
    assert "resume with that" in failure(capsys, *command, "--resume", "--seed", 1)

    # Stopped once more, between training and scoring: that goes on too, without training again.
    with monkeypatch.context() as patch:
        patch.setattr(workflow, "score", lambda *arguments: stop(None, None))
        assert run(*command, "--resume") == 130
    assert not (out / "scores.csv").exists()
    with monkeypatch.context() as patch:
        patch.setattr(workflow, "fit", None)
        assert run(*command, "--resume") == 0
    for name in ("history.csv", "scores.csv"):
        assert (out / name).read_bytes() == (trained / name).read_bytes()
    assert {path.stem for path in (out / "figures").iterdir()} == {*FIGURES, "growth"}
    assert "has ended" in failure(capsys, *command, "--resume")


def test_resume_refuses_masks_that_were_redrawn(drawn_folder, tmp_path, capsys, monkeypatch):
    data, out = shutil.copytree(drawn_folder, tmp_path / "data"), tmp_path / "run"
    command = ["train", "--data", data, "--epochs", 2, "--size", 32, "--out", out]

    def stop(training):
        raise KeyboardInterrupt

    monkeypatch.setattr(workflow.Training, "fit", stop)
    assert run(*command) == 130
    for path in (data / "label").iterdir():
        Image.fromarray(read_mask(path)[::-1] * np.uint8(255)).save(path)
    line = failure(capsys, *command, "--resume")
    assert "the masks of 12 picture(s) have changed" in line
    assert "begin anew in another folder" in line

    # What an earlier version began is gone on with: it knew fewer constants, and no masks.
    for name, key in (("split", "masks"), ("parameters", "start_from")):
        content = json.loads((out / f"{name}.json").read_text())
        del content[key]
        (out / f"{name}.json").write_text(json.dumps(content))
    assert run(*command, "--resume") == 130


@pytest.mark.slow
def test_training_on_several_folders_from_saved_weights(drawn_folder, trained, tmp_path, capsys):
    more, out = tmp_path / "more", tmp_path / "run"
    write_pairs(12, more, size=48, first_seed=900)
    same = load_split(drawn_folder)  # the same numbers in each part, of other pictures
    for file, part in (("train", same.train), ("val", same.validation), ("test", same.test)):
        (more / f"{file}.txt").write_text("\n".join(pair.name for pair in part))
    command = ["train", "--data", drawn_folder, more, "--size", 32, "--epochs", 1, "--out", out]
    assert run(*command, "--start-from", trained / "model.keras") == 0
    settings = json.loads((out / "model.json").read_text())
    assert settings["start_from"] == str(trained / "model.keras")
    rate = unet.NETWORKS["lite"].learning_rate * FINE_TUNING
    assert settings["learning_rate"] == rate
    split = json.loads((out / "split.json").read_text())
    roots = {Path(name).parts[-3] for name in split["train"]}
    assert roots == {drawn_folder.name, "more"}
    # Both folders hold a 0, a 1, ...: each scored picture is named apart from the others.
    scored = [row["name"] for row in read_table(out / "scores.csv") if row["method"] == MODEL]
    assert len(set(scored)) == len(scored) == len(split["test"])
    # From there, not from scratch: the first loss is that of a network that has learnt already.
    first, last = (read_table(folder / "history.csv")[0]["loss"] for folder in (trained, out))
    assert last < first

    other = ["--model", "classic", "--start-from", trained / "model.keras"]
    assert "is another network" in failure(capsys, *command[:-1], tmp_path / "other", *other)


def test_resume_needs_a_folder_of_a_training(drawn_folder, tmp_path, capsys):
    (tmp_path / "thesis.txt").write_text("mine")
    line = failure(capsys, "train", "--data", drawn_folder, "--resume", "--out", tmp_path)
    assert "already holds files" in line
    assert "needs --out" in failure(capsys, "train", "--data", drawn_folder, "--resume")


def test_results_go_to_a_new_folder_unless_one_is_named(
    trained, drawn_folder, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    picture = drawn_folder / "image" / "0.png"
    for _ in range(2):
        assert run("predict", picture, "--weights", trained / "model.keras") == 0
    folders = list((tmp_path / "runs").glob("*-masks*"))
    assert len(folders) == 2
    assert all((folder / "0_mask.png").is_file() for folder in folders)


def test_the_weights_that_come_with_the_project_find_a_drawn_lesion(tmp_path):
    picture = ROOT / "test" / "image" / "5.png"
    assert run("predict", picture, "--out", tmp_path / "out") == 0
    truth = read_mask(ROOT / "test" / "label" / "5.png")
    assert score_pair(truth, read_mask(tmp_path / "out" / "5_mask.png"))["dice"] > 0.8
