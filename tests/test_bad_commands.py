"""Bad options, weights and output folders, a full disk, too little memory.

As in test_bad_inputs.py: a mistake ends in exit code 2 and one line that says what to do, and
leaves nothing half-written behind.
"""

import json
import shutil
import subprocess
import sys
import zipfile
from contextlib import contextmanager
from pathlib import Path

import bad_files as bad
import h5py
import keras
import numpy as np
import pytest
import tensorflow as tf
from bad_files import put
from PIL import Image

from lesion.inputs.reading import read_mask
from lesion.options import SHIPPED_WEIGHTS
from lesion.training import History, save_model
from segment import main
from unet import build

ROOT = Path(__file__).parents[1]
pytestmark = [pytest.mark.filterwarnings("ignore"), pytest.mark.usefixtures("narrow")]


@pytest.fixture
def data(tmp_path):
    return bad.good_folder(tmp_path / "data")


# --- options ------------------------------------------------------------------------------------

OPTIONS = [
    ("epochs 0", "train --epochs 0", "--epochs: '0' is not a whole number from 1 to"),
    (
        "negative epochs",
        "train --epochs -3",
        "--epochs: '-3' is not a whole number from 1 to 1,000,000",
    ),
    ("epochs without end", "train --epochs 1000000000", "--epochs: '1000000000' is not"),
    (
        "epochs in words",
        "train --epochs many",
        "--epochs: 'many' is not a whole number from 1 to 1,000,000",
    ),
    (
        "half an epoch",
        "train --epochs 0.5",
        "--epochs: '0.5' is not a whole number from 1 to 1,000,000",
    ),
    ("size 0", "train --size 0", "--size: '0' is not a whole number from 16 to 2,048"),
    ("negative size", "train --size -128", "--size: '-128' is not a whole number"),
    ("tiny size", "train --size 7", "--size: '7' is not a whole number from 16 to 2,048"),
    ("absurd size", "train --size 99999", "--size: '99999' is not a whole number"),
    ("batch of none", "train --batch 0", "--batch: '0' is not a whole number from 1 to"),
    (
        "absurd batch",
        "train --batch 9999999",
        "--batch: '9999999' is not a whole number from 1 to 1,000,000",
    ),
    (
        "negative seed",
        "train --seed -1",
        "--seed: '-1' is not a whole number from 0 to 4,294,967,295",
    ),
    ("absurd seed", f"train --seed {2**32}", "is not a whole number from 0 to 4,294,967,295"),
    ("two channels", "train --channels 2", "--channels: invalid choice: 2 (choose from 1, 3)"),
    ("unknown network", "train --model huge", "--model: invalid choice: 'huge'"),
    ("unknown loss", "train --loss l2", "--loss: invalid choice: 'l2'"),
    ("unknown part", "evaluate --data . --weights w --out o --part all3", "--part: invalid choice"),
    ("scale 0", "predict a.png --weights w --out o --mm-per-pixel 0", "'0' is not a number from"),
    (
        "scale NaN",
        "predict a.png --weights w --out o --mm-per-pixel nan",
        "'nan' is not a number from",
    ),
    (
        "threshold 1",
        "predict a.png --threshold 1",
        "--threshold: '1' is not a number from 0.001 to 0.999",
    ),
    ("unknown option", "train --epoch-count 3", "unrecognized arguments: --epoch-count 3"),
    ("unknown command", "segment lesion.png", "COMMAND: invalid choice: 'segment'"),
    ("no command", "", "required: COMMAND"),
    ("check of nothing", "check", "required: DIR"),
    ("no pictures", "predict --weights w --out o", "required: PATH"),
    ("no weights to compare", "compare --data . --out o", "required: --weights"),
    ("no data to score", "evaluate --weights w --out o", "required: --data"),
]


@pytest.mark.parametrize(("typed", "words"), [pytest.param(*row[1:], id=row[0]) for row in OPTIONS])
def test_bad_option(typed, words, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as stopped:
        main(typed.split())
    assert stopped.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: ")
    assert words in line
    assert list(tmp_path.iterdir()) == []


# --- weights ------------------------------------------------------------------------------------


def network_file(make_outputs, shape=(32, 32, 3)):
    def make(path, trained):
        inputs = keras.Input(shape)
        save_model(keras.Model(inputs, make_outputs(inputs)), path, {"threshold": 0.5})

    return make


def with_settings(text):
    def make(path, trained):
        shutil.copy(trained / "model.keras", path)
        path.with_suffix(".json").write_text(text)

    return make


def zip_of_text(path, trained):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("notes.txt", "no model")


def hdf5(path, trained):
    with h5py.File(path, "w") as file:
        file["weights"] = np.zeros(3)


def same(inputs):
    return keras.layers.Conv2D(1, 1, activation="sigmoid")(inputs)


def beginning(path, trained):
    path.write_bytes((trained / "model.keras").read_bytes()[:5000])


WEIGHTS = [
    ("missing", "w.keras", lambda path, trained: None, "no such weights file|give the model.keras"),
    ("a folder", "w.keras", lambda path, trained: path.mkdir(), "no such weights file|give"),
    ("another suffix", "w.h5", hdf5, ".keras file"),
    ("empty", "w.keras", lambda path, trained: path.touch(), "cannot be loaded|give another"),
    ("text", "w.keras", lambda path, trained: path.write_text("x"), "cannot be loaded|give"),
    ("truncated", "w.keras", beginning, "cannot be loaded|damaged|give another"),
    ("zip of other things", "w.keras", zip_of_text, "cannot be loaded|give another"),
    ("HDF5 inside", "w.keras", hdf5, "cannot be loaded|give another"),
    ("network for numbers", "w.keras", network_file(keras.layers.Dense(2), (8,)), "expected|give"),
    ("four channels", "w.keras", network_file(same, (32, 32, 4)), "32, 4|1 or 3 channels"),
    ("two classes", "w.keras", network_file(keras.layers.Conv2D(2, 1)), "32, 2|one probability"),
    ("not square", "w.keras", network_file(same, (32, 64, 3)), "32, 64, 3|square"),
    ("smaller output", "w.keras",
     network_file(lambda x: same(keras.layers.AveragePooling2D(2)(x))), "16, 16, 1|expected|give"),
    ("code inside", "w.keras", network_file(keras.layers.Lambda(lambda x: x[..., :1])),
     "cannot be loaded"),
    ("settings damaged", "w.keras", with_settings("{"), "w.json|settings|restore it"),
    ("settings empty", "w.keras", with_settings("{}"), "w.json|settings|restore it"),
    ("settings not a table", "w.keras", with_settings("[]"), "w.json|settings|restore it"),
    ("threshold 2", "w.keras", with_settings('{"threshold": 2}'), "w.json|between 0 and 1|restore"),
    ("threshold NaN", "w.keras", with_settings('{"threshold": NaN}'), "w.json|between|restore"),
    ("disc in words", "w.keras",
     with_settings('{"threshold": 0.5, "centred_disc_radius": "big"}'), "w.json|restore"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "make", "words"), [pytest.param(*row[1:], id=row[0]) for row in WEIGHTS]
)
def test_bad_weights(name, make, words, refused, data, trained, tmp_path):
    path, out = tmp_path / name, tmp_path / "out"
    make(path, trained)
    for command in (["predict", data / "image"], ["evaluate", "--data", data]):
        refused(f"{tmp_path}/w.|{words}", *command, "--weights", path, "--out", out)
        assert not out.exists()


def test_gray_weights_take_colour_and_the_reverse(run_command, data, trained, tmp_path):
    put("image/7.png", bad.NOISE[..., 0])(data)
    save_model(build("lean", (32, 32, 1)), tmp_path / "gray.keras", {"threshold": 0.5})
    for weights in (tmp_path / "gray.keras", trained / "model.keras"):
        out = tmp_path / weights.stem
        code, _, errors = run_command("predict", data / "image", "--weights", weights, "--out", out)
        assert (code, errors) == (0, [])
        assert len(list(out.glob("*_mask.png"))) == 7


# --- output -------------------------------------------------------------------------------------


def occupied(path):
    path.mkdir()
    (path / "mine.txt").write_text("mine")


OUTPUTS = [
    ("a file", "out", lambda path: path.write_text("mine"), "out|cannot write|another folder"),
    ("below a file", "file/out", lambda path: path.parent.write_text("mine"), "cannot write"),
    ("holds files", "out", occupied, "out|already holds files|new folder"),
    ("name too long", "n" * 300, lambda path: None, "too long|another folder"),
    ("link to itself", "out", lambda path: path.symlink_to(path), "out|cannot write|another"),
]


@pytest.mark.parametrize(
    ("name", "make", "words"), [pytest.param(*row[1:], id=row[0]) for row in OUTPUTS]
)
def test_bad_output(name, make, words, refused, data, trained, tmp_path, planned):
    out = tmp_path / name
    make(out)
    before = sorted(tmp_path.rglob("*"))
    weights = ["--weights", trained / "model.keras"]
    refused(words, "predict", data / "image", *weights, "--out", out)
    refused(words, "evaluate", "--data", data, *weights, "--out", out)
    refused(words, "train", "--data", data, "--out", out)
    assert sorted(tmp_path.rglob("*")) == before
    assert planned == []


@pytest.fixture
def nothing_read(monkeypatch):
    """No picture may be decoded."""

    def read(*arguments):
        raise AssertionError("a picture was read before the mistake was found")

    monkeypatch.setattr("lesion.inputs.reading.decode", read)


def test_an_occupied_folder_is_reported_before_a_picture_is_read(
    nothing_read, refused, data, trained, tmp_path
):
    out = tmp_path / "out"
    out.mkdir()
    (out / "thesis.txt").touch()
    one = ["--weights", trained / "model.keras"]
    words = "out|already holds files|new folder"
    refused(words, "predict", data / "image", *one, "--out", out)
    refused(words, "evaluate", "--data", data, *one, "--out", out)
    refused(words, "compare", "--data", data, *one, SHIPPED_WEIGHTS, "--out", out)
    refused(words, "train", "--data", data, "--out", out)
    refused(words, "train", "--data", data, "--resume", "--out", out)
    refused("--resume needs --out", "train", "--data", data, "--resume")


def test_a_folder_without_masks_is_refused_before_keras_is_loaded(tmp_path):
    Image.new("RGB", (32, 32)).save(tmp_path / "a.png")
    code = """
import sys
from segment import main

data, out, *weights = sys.argv[1:]
for command in ("evaluate", "calibrate", "train", "train --folds 2", "train --processes 2"):
    assert main([*command.split(), "--data", data, "--out", out]) == 2
assert main(["compare", "--weights", *weights, "--data", data, "--out", out]) == 2
print({"tensorflow", "keras", "jax"} & set(sys.modules))
"""
    weights = [SHIPPED_WEIGHTS, SHIPPED_WEIGHTS.with_name("lean_drawn.keras")]
    command = [sys.executable, "-c", code, tmp_path, tmp_path / "out", *weights]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert (result.returncode, result.stdout) == (0, "set()\n"), result.stderr
    assert result.stderr.count("has a mask") == 6
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]


def test_a_folder_is_removed_again_when_a_later_mistake_ends_the_command(
    refused, data, trained, tmp_path
):
    put("image/3.png", "text")(data)
    out = tmp_path / "new" / "out"
    one = ["--weights", trained / "model.keras"]
    refused("3.png|no PNG", "predict", data / "image", *one, "--out", out)
    refused("3.png|no PNG", "evaluate", "--data", data, *one, "--out", out)
    refused("3.png|no PNG", "compare", "--data", data, *one, SHIPPED_WEIGHTS, "--out", out)
    refused("3.png|no PNG", "train", "--data", data, "--out", out)
    refused("none.keras", "train", "--data", data, "--start-from", "none.keras", "--out", out)
    assert not (tmp_path / "new").exists()


def test_a_damaged_split_is_told_of(refused, data, trained, tmp_path):
    weights = shutil.copy(trained / "model.keras", tmp_path)
    shutil.copy(trained / "model.json", tmp_path)
    (tmp_path / "split.json").write_text("{")
    more = ["--weights", weights, "--out", tmp_path / "out"]
    refused("split.json|is no split file|restore", "evaluate", "--data", data, *more)


def test_read_only_output(refused, data, trained, tmp_path, monkeypatch):
    def refuse(path, *more, **options):
        raise PermissionError(30, "Read-only file system", str(path))

    monkeypatch.setattr("pathlib.Path.touch", refuse)  # root may write everywhere: it is played
    weights = ["--weights", trained / "model.keras"]
    words = "out|Read-only file system|another folder"
    refused(words, "predict", data / "image", *weights, "--out", tmp_path / "out")
    assert not (tmp_path / "out").exists()


@contextmanager
def room_for(size):
    """No file can grow beyond `size` bytes: writing fails as it does on a full disk."""
    resource = pytest.importorskip("resource")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


def test_full_disk_while_predicting(refused, data, trained, tmp_path):
    out = tmp_path / "out"
    for size, file in ((50, ".done.jsonl"), (1000, "1_overlay.jpg")):
        assert not out.exists()
        with room_for(size):
            words = f"{file}|cannot be written (File too large)|free space"
            refused(words, "predict", data / "image", "--weights", trained / "model.keras",
                    "--out", out)  # fmt: skip
    (mask,) = out.iterdir()  # what is there is whole
    assert read_mask(mask).shape == (30, 40)


def test_full_disk_while_scoring(refused, drawn_folder, trained, tmp_path):
    out = tmp_path / "out"
    with room_for(50):
        refused(".done.jsonl|cannot be written|free space", "evaluate", "--data", drawn_folder,
                "--weights", trained / "model.keras", "--out", out)  # fmt: skip
    assert not out.exists()


def test_full_disk_while_saving_the_network(refused, data, tmp_path, monkeypatch):
    monkeypatch.setattr("lesion.workflow.fit", lambda *arguments, **options: History([]))
    out = tmp_path / "out"
    with room_for(50_000):
        refused("model.keras|cannot be written|free space", "train", "--data", data,
                "--size", 32, "--out", out)  # fmt: skip
    for path in out.iterdir():  # what is there is whole
        if path.name == "model.pictures.npz":
            np.load(path)
        else:
            assert path.suffix == ".json"
            json.loads(path.read_text())


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (MemoryError(), "memory|smaller --size or --batch"),
        (
            tf.errors.ResourceExhaustedError(None, None, "OOM when allocating tensor"),
            "memory|--size",
        ),
        (RuntimeError("RESOURCE_EXHAUSTED: Out of memory allocating 9 bytes."), "memory|--size"),
        (tf.errors.ResourceExhaustedError(None, None, "x.v2; No space left"), "x.v2|free space"),
        (OSError(28, "No space left on device"), "No space left on device"),
    ],
)
def test_machine_at_its_limits(error, words, refused, data, tmp_path, monkeypatch):
    def fail(*arguments, **options):
        raise error

    monkeypatch.setattr("lesion.workflow.train", fail)
    refused(words, "train", "--data", data, "--out", tmp_path / "out")
