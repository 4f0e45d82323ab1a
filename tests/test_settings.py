"""One dataclass for every constant: the same defaults and the same training everywhere."""

import ast
from dataclasses import fields
from pathlib import Path

import nbformat
import papermill
import pytest

import segment
import unet
from lesion import inputs, runs, workflow
from lesion.console import InputError
from lesion.settings import FINE_TUNING, LEGEND, Settings
from lesion.training import History

ROOT = Path(__file__).parents[1]
MAIN = ROOT / "notebooks" / "skin_lesion_segmentation.ipynb"


def constants_of(notebook):
    found = papermill.inspect_notebook(str(notebook))
    return {name: ast.literal_eval(about["default"]) for name, about in found.items()}


def test_the_notebooks_constants_are_the_settings():
    constants = constants_of(MAIN)
    assert constants.pop("RUN_FOLDER") is None
    # What levels mean is asked for by `check` where it matters; few folders need it.
    expected = {constant.name for constant in fields(Settings)} - set(LEGEND)
    assert {name.lower() for name in constants} == expected
    assert Settings.from_constants(constants) == Settings()


def test_the_other_notebooks_constants_are_settings_too():
    own = {"RUN_FOLDER", "OTHER_WEIGHTS", "ACCEPT_LICENCE"}
    names = {constant.name.upper() for constant in fields(Settings)}
    assert constants_of(ROOT / "notebooks" / "ham10000.ipynb").keys() <= names | own


def test_what_is_none_becomes_the_networks_own(tmp_path):
    for name, network in unet.NETWORKS.items():
        complete = Settings(model=name, epochs=100).complete()
        assert (complete.loss, complete.image_size) == (network.loss, network.image_size)
        assert complete.learning_rate == network.learning_rate
        assert (complete.patience, complete.patient().patience) == (None, 40)
    weights = tmp_path / "model.keras"
    weights.touch()
    given = Settings(start_from=weights, loss="dice", image_size=64, patience=3).complete()
    assert given.learning_rate == unet.NETWORKS["lite"].learning_rate * FINE_TUNING
    assert (given.loss, given.image_size, given.patience) == ("dice", 64, 3)
    assert given.patient().patience == 3
    assert Settings(epochs=3).patient().patience == 5


@pytest.mark.parametrize("start_from", ["random", "scratch", "none", ""])
def test_every_word_for_random_weights(start_from):
    assert Settings(model="lite", start_from=start_from).complete().start_from == "random"


def test_a_network_has_a_start_of_its_own():
    assert Settings(model="lean").complete().start_from == "random"
    own = Settings(model="lite").complete()
    assert Path(own.start_from).resolve() == ROOT / "files" / "lite_imagenet.keras"
    assert own.learning_rate == unet.NETWORKS["lite"].learning_rate
    assert own.complete() == own
    assert Settings(model="lite", channels=1).complete().start_from == "random"  # has no colours


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"epochs": "10"}, "EPOCHS is '10': give a whole number from 1 to 1,000,000"),
        ({"epochs": "abc"}, "EPOCHS is 'abc'"),
        ({"epochs": 2.5}, "EPOCHS is 2.5"),
        ({"epochs": True}, "EPOCHS is True"),
        ({"batch_size": 0}, "BATCH_SIZE is 0"),
        ({"image_size": 8}, "IMAGE_SIZE is 8: give a whole number from 16 to 2,048 or None"),
        ({"channels": 2}, "CHANNELS is 2: give 3 for colour or 1 for gray"),
        ({"learning_rate": 0}, "LEARNING_RATE is 0"),
        ({"learning_rate": float("nan")}, "LEARNING_RATE is nan"),
        ({"validation": 0}, "VALIDATION is 0"),
        ({"validation": 0.5, "test": 0.5}, "VALIDATION is 0.5 and TEST 0.5"),
        ({"patience": 0}, "PATIENCE is 0"),
        ({"seed": -1}, "SEED is -1"),
        ({"data": 5}, "DATA is 5"),
        ({"data": ()}, "DATA is ()"),
        ({"model": None}, "MODEL is None"),
        ({"model": "resnet"}, "MODEL is 'resnet': choose one of lean, lite, classic"),
        ({"loss": "l2"}, "LOSS is 'l2': choose one of bce, dice, bce_dice"),
        ({"start_from": 1}, "START_FROM is 1"),
        ({"start_from": "no.keras"}, "no.keras: no such weights file: give START_FROM"),
    ],
)
def test_a_wrong_constant_is_named_before_the_data_is_read(wrong, words):
    with pytest.raises((InputError, FileNotFoundError)) as caught:
        Settings(**wrong).complete()
    assert str(caught.value).startswith(words)


def test_command_line_and_notebook_train_the_same(narrow, drawn_folder, tmp_path):
    arguments = ["train", "--data", drawn_folder, "--epochs", 1, "--size", 32]
    assert segment.main([str(a) for a in [*arguments, "--out", tmp_path / "command"]]) == 0

    notebook = nbformat.read(MAIN, as_version=4)
    changed = {"DATA": str(drawn_folder), "EPOCHS": 1, "IMAGE_SIZE": 32}
    names = {**constants_of(MAIN), **changed, "RUN_FOLDER": str(tmp_path / "notebook")}
    names |= {"Settings": Settings, "inputs": inputs, "runs": runs, "workflow": workflow}
    for words in ("settings = Settings", "split = inputs.load", "trained.fit()"):
        cell = next(c for c in notebook.cells if c.cell_type == "code" and words in c.source)
        exec(cell.source, names)
    assert History.read(tmp_path / "command").history == names["history"].history
    split = [(tmp_path / run / "split.json").read_text() for run in ("command", "notebook")]
    assert split[0] == split[1]


def test_names_are_one_or_several():
    constants = {"LESION_LEVEL": 1, "IGNORE_LEVEL": ["255", " #ff0000"], "LESION_CLASS": None}
    settings = Settings.from_constants(constants)
    assert settings.lesion_level == ("1",)
    assert settings.ignore_level == ("255", "#ff0000")
    assert settings.lesion_class == Settings().lesion_class == ()
