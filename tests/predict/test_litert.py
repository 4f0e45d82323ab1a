"""LiteRT: what it predicts, when it is used, and what it spares."""

import json
import shutil
import subprocess
import sys
from functools import partial
from pathlib import Path

import keras
import numpy as np
import pytest

from lesion.export.conversion import to_litert
from lesion.inputs.pairing import find_pairs
from lesion.inputs.reading import read_image
from lesion.masks import mask_at
from lesion.predict.features import with_features
from lesion.predict.litert import LitertModel
from lesion.predict.network import Network, load_keras_network, load_network, start_from
from lesion.score.evaluation import evaluate, of_method
from lesion.training import save_model
from tools.publish import publish
from unet import unet, unet_lite

ROOT = Path(__file__).parents[2]
small_unet = partial(unet, widths=(8, 16))
TOLERANCE = 0.01
PREDICTING = """
import sys
from segment import main

code = main(sys.argv[1:])
print(sorted({"tensorflow", "keras", "matplotlib"} & set(sys.modules)))
sys.exit(code)
"""


def network_of(build, seed=0, size=64, channels=3):
    """A small network whose weights are as uneven as those of a trained one, in half floats."""
    keras.utils.set_random_seed(seed)
    model = build((size, size, channels))
    random = np.random.default_rng(seed)
    uneven = [
        weight * random.uniform(0.7, 1.3, weight.shape) + random.uniform(0, 0.1) * (weight.ndim < 2)
        for weight in model.get_weights()
    ]
    model.set_weights([weight.astype(np.float16).astype(np.float32) for weight in uneven])
    return Network(model, size)


@pytest.fixture(scope="module")
def published(tmp_path_factory, drawn_folder):
    """A folder with small.keras, small.tflite and small.json."""
    folder = tmp_path_factory.mktemp("litert")
    network = network_of(small_unet)
    probability = network.predict(read_image(drawn_folder / "image" / "0.png")).probability
    settings = {"threshold": float(np.median(probability)), "image_size": 64}
    (folder / "run").mkdir()
    save_model(network.model, folder / "run" / "model.keras", settings)
    publish(folder / "run", folder / "files" / "small")
    return folder / "files"


@pytest.fixture
def weights(published, tmp_path):
    """The path of a copy of small.keras, with the other two files beside it."""
    return shutil.copytree(published, tmp_path / "weights") / "small.keras"


@pytest.mark.parametrize("build", [small_unet, pytest.param(unet_lite, marks=pytest.mark.slow)])
def test_both_runtimes_predict_the_same(build):
    network = network_of(build)
    litert = LitertModel(to_litert(network, "float16"))
    assert litert.input_shape == network.model.input_shape == (None, 64, 64, 3)
    assert litert.output_shape == network.model.output_shape == (None, 64, 64, 1)
    pictures = np.random.default_rng(1).random((3, 64, 64, 3), np.float32)
    expected, features = with_features(network.model).predict_on_batch(pictures)
    given, given_features = litert.predict_on_batch(pictures)
    np.testing.assert_allclose(given_features, features, rtol=0.01, atol=0.01)
    assert given.dtype == np.float32
    # Not exactly: batch normalisation becomes part of the weights, which then are half floats.
    assert np.abs(given - expected).mean() < 1e-3
    np.testing.assert_allclose(given, expected, atol=TOLERANCE)
    threshold = np.median(expected)
    differ = mask_at(given, threshold) != mask_at(expected, threshold)
    assert np.abs(expected[differ] - threshold).max(initial=0) < TOLERANCE
    assert differ.mean() < 0.01
    assert expected.std() > TOLERANCE  # else the comparison would say nothing


def test_sizes_that_need_padding_and_gray_pictures():
    network = network_of(small_unet, size=40, channels=1)
    pictures = np.random.default_rng(1).random((2, 40, 40, 1), np.float32)
    litert = LitertModel(to_litert(network, "float16"))
    expected = network.model.predict_on_batch(pictures)
    np.testing.assert_allclose(litert.predict_on_batch(pictures)[0], expected, atol=TOLERANCE)


def test_published_are_three_files_that_name_each_other(published, capsys):
    names = {path.name for path in published.iterdir()}
    assert names == {"small.keras", "small.tflite", "small.json"}
    assert {"keras_sha256", "tflite_sha256"} <= json.loads(
        (published / "small.json").read_text()
    ).keys()
    # Leave to compute in half precision would make masks depend on the processor.
    assert b"reduced_precision_support" not in (published / "small.tflite").read_bytes()
    network = load_network(published / "small.keras")
    assert isinstance(network.model, LitertModel)
    assert (network.image_size, network.channels) == (64, 3)
    assert capsys.readouterr().err == ""


def test_weights_to_go_on_from_are_those_of_keras(weights):
    assert isinstance(load_keras_network(weights).model, keras.Model)
    model = small_unet((32, 32, 3))
    start_from(model, weights)
    saved = load_keras_network(weights).model.get_weights()
    np.testing.assert_array_equal(model.get_weights()[0], saved[0])


def stale(weights):
    network_of(small_unet, seed=1).model.save(weights)


def damaged(weights):
    litert = weights.with_suffix(".tflite")
    litert.write_bytes(litert.read_bytes()[:5000])


def replaced(weights):
    weights.with_suffix(".tflite").write_bytes(to_litert(network_of(small_unet, seed=1), "float16"))


def without_hashes(weights):
    weights.with_suffix(".json").write_text('{"threshold": 0.5}')


@pytest.mark.parametrize("spoil", [stale, damaged, replaced, without_hashes])
def test_what_was_not_published_together_is_not_used(spoil, weights, capsys):
    spoil(weights)
    network = load_network(weights)
    assert isinstance(network.model, keras.Model)
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("note: small.tflite is not used")
    own = keras.saving.load_model(weights, compile=False)
    np.testing.assert_array_equal(network.model.get_weights()[0], own.get_weights()[0])


def test_what_litert_cannot_run_is_left_to_keras(weights, monkeypatch, capsys):
    def refuse(self, content):
        raise RuntimeError("an operation is unknown\nto this version")

    monkeypatch.setattr(LitertModel, "__init__", refuse)
    assert isinstance(load_network(weights).model, keras.Model)
    (line,) = capsys.readouterr().err.splitlines()
    assert "an operation is unknown); Keras" in line


def test_without_litert_keras_predicts(weights, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "ai_edge_litert.interpreter", None)
    assert isinstance(load_network(weights).model, keras.Model)
    assert capsys.readouterr().err == ""


def test_scores_are_the_same(published, drawn_folder):
    pairs = find_pairs(drawn_folder).labelled
    rows = []
    for load in (load_network, load_keras_network):
        network = load(published / "small.keras")
        rows.append(of_method(evaluate(network, pairs, progress=False)))
    for by_litert, by_keras in zip(*rows, strict=True):
        assert by_litert["dice"] == pytest.approx(by_keras["dice"], abs=0.01)
        assert by_litert["quality"] == pytest.approx(by_keras["quality"], abs=0.01)


def test_predicting_imports_neither_tensorflow_nor_keras(published, drawn_folder, tmp_path):
    picture = drawn_folder / "image" / "0.png"
    command = [sys.executable, "-c", PREDICTING, "predict", picture, "--out", tmp_path / "out"]
    command += ["--weights", published / "small.keras"]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.splitlines()[-1] == "[]"
    assert (tmp_path / "out" / "0_mask.png").is_file()


def test_the_rooms_of_prediction_and_scores_load_neither():
    code = """
import sys
from lesion import predict, score

assert all(hasattr(room, name) for room in (predict, score) for name in room.__all__)
print({"tensorflow", "keras", "matplotlib"} & set(sys.modules))
"""
    command = [sys.executable, "-c", code]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert result.stdout == "set()\n"
