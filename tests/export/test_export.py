"""Exports: their own runtimes give the masks of Keras, and what does not is not written."""

import json
import shutil
import subprocess
import sys

import cv2
import keras
import numpy as np
import pytest
import requests

import unet
from lesion.export import conversion, writing
from lesion.export.checking import Comparison
from lesion.export.recipe import licence_of
from lesion.inputs.reading import read_image
from lesion.predict.network import load_keras_network
from lesion.score.metrics import score_pair
from lesion.storage import write_json
from lesion.training import save_model

RUNTIMES = {"litert": "ai_edge_litert", "onnx": "onnxruntime", "saved_model": "tensorflow"}
EXAMPLE = """
import runpy, sys

example, *pictures = sys.argv[1:]
for picture in pictures:
    sys.argv[1:] = picture, picture.replace(".png", "_mask.png")
    runpy.run_path(example)
print(*{"lesion", "unet", "keras", "tensorflow", "ai_edge_litert", "onnxruntime"} & {*sys.modules})
"""
SIZES = {"large": (90, 61), "small": (20, 24), "wide": (70, 17)}  # width, height; the network's: 32


@pytest.fixture(scope="module")
def pictures(drawn_folder, tmp_path_factory):
    """A drawn picture in sizes that are shrunk, grown, or both."""
    folder = tmp_path_factory.mktemp("pictures")
    picture = cv2.imread(str(drawn_folder / "image" / "0.png"))
    for name, size in SIZES.items():
        cv2.imwrite(str(folder / f"{name}.png"), cv2.resize(picture, size))
    return {name: folder / f"{name}.png" for name in SIZES}


@pytest.fixture(scope="module")
def weights(trained, pictures, tmp_path_factory):
    """A tiny trained network, whose threshold divides pictures in two."""
    path = tmp_path_factory.mktemp("weights") / "model.keras"
    shutil.copy(trained / "model.keras", path)
    prediction = load_keras_network(trained / "model.keras").predict(read_image(pictures["large"]))
    threshold = float(np.quantile(prediction.probability, 0.7))
    settings = json.loads((trained / "model.json").read_text())
    settings |= {"threshold": threshold, "one_lesion": True, "license": "cc-by-nc-4.0"}
    write_json(path.with_suffix(".json"), settings)
    return path


@pytest.fixture
def export(weights, drawn_folder, tmp_path, run_command):
    """Exports those weights into a new folder; returns (folder, what was printed)."""

    def run(kind, *options):
        for package in conversion.ONNX_PACKAGES if kind in ("onnx", "web") else ():
            pytest.importorskip(package)
        out = tmp_path / "_".join([kind, *options])
        command = ["export", "--format", kind, *options, "--data", drawn_folder, "--out", out]
        code, output, errors = run_command(*command, "--weights", weights)
        assert (code, errors) == (0, [])
        return out, output

    return run


def check_masks(masks, weights, pictures):
    network = load_keras_network(weights)
    for name, path in pictures.items():
        expected = network.predict(read_image(path)).mask
        assert 0.02 < expected.mean() < 0.98
        assert score_pair(expected, masks[name].astype(np.uint8))["dice"] >= 0.999, name


@pytest.mark.parametrize("kind", RUNTIMES)
def test_the_example_makes_the_same_masks_in_the_bare_runtime(
    kind, export, weights, pictures, tmp_path
):
    folder, output = export(kind)
    assert "(+0.0000)" in output
    assert "that of the weights: cc-by-nc-4.0, for non-commercial use only" in output
    copies = [shutil.copy(picture, tmp_path) for picture in pictures.values()]
    command = [sys.executable, "-c", EXAMPLE, folder / "example.py", *copies]
    result = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=True)
    imported = set(result.stdout.split())
    assert RUNTIMES[kind] in imported
    assert not imported & {"lesion", "unet"}
    assert kind == "saved_model" or len(imported) == 1  # TensorFlow brings Keras along
    masks = {name: read_image(tmp_path / f"{name}_mask.png", 1)[..., 0] > 0 for name in pictures}
    check_masks(masks, weights, pictures)
    recipe = json.loads((folder / "model.json").read_text())
    assert (recipe["image_size"], recipe["channels"], recipe["one_lesion"]) == (32, 3, True)
    assert recipe["checked"]["difference"] < 1e-4
    assert recipe["license"] == "cc-by-nc-4.0"
    if kind == "onnx":
        import onnx

        stored = {
            entry.key: entry.value for entry in onnx.load(folder / "model.onnx").metadata_props
        }
        assert float(stored["threshold"]) == recipe["threshold"]
        assert json.loads(stored["steps"]) == recipe["steps"]
        assert stored["license"] == recipe["license"]


def test_a_licence_binds_what_was_trained_on_from_such_weights(tmp_path):
    settings = {"start_from": "random"}
    assert licence_of(settings) is None
    for name in "abc":  # c began from b, and b from a
        write_json(tmp_path / f"{name}.json", settings)
        settings = {"start_from": str(tmp_path / f"{name}.keras")}
    assert licence_of(settings) is None
    write_json(tmp_path / "a.json", {"license": "cc-by-nc-4.0"})
    assert licence_of(settings) == "cc-by-nc-4.0"
    write_json(tmp_path / "a.json", settings)  # somebody named a folder anew: a began from c
    assert licence_of(settings) is None
    (tmp_path / "c.json").unlink()
    assert licence_of(settings) is None


@pytest.mark.slow
@pytest.mark.parametrize("precision", ["float16", "int8"])
@pytest.mark.parametrize("kind", ["litert", "onnx"])
def test_smaller_weights_are_smaller_and_say_what_they_cost(kind, precision, export):
    folder, output = export(kind, f"--{precision}")
    checked = json.loads((folder / "model.json").read_text())["checked"]
    assert f"({checked['dice'] - checked['keras_dice']:+.4f})" in output
    assert precision in stored_types(folder)


def test_no_picture_is_both_measured_and_used_for_the_ranges(trained, drawn_folder, tmp_path):
    alone = shutil.copy(trained / "model.keras", tmp_path)  # nobody knows what it was trained on
    network = load_keras_network(alone)
    pairs, samples = writing.choose_pictures(network, alone, drawn_folder, "int8")
    assert 0 < len(samples) < 12
    assert samples[0].shape == (32, 32, 3)
    assert len(pairs) == 12 - len(samples)
    assert len(writing.choose_pictures(network, alone, drawn_folder, "float32")[0]) == 12


def stored_types(folder):
    """The types of the largest arrays that a file holds."""
    if (folder / "model.onnx").exists():
        import onnx

        arrays = map(onnx.numpy_helper.to_array, onnx.load(folder / "model.onnx").graph.initializer)
        sizes = [(array.size, array.dtype.name) for array in arrays]
    else:
        from ai_edge_litert.interpreter import Interpreter

        tensors = Interpreter(str(folder / "model.tflite")).get_tensor_details()
        # All but what is computed for a picture, which is as large as one.
        tensors = [t for t in tensors if 32 not in t["shape"] and 16 not in t["shape"]]
        sizes = [(int(np.prod(t["shape"])), t["dtype"].__name__) for t in tensors]
    return {dtype for size, dtype in sizes if size == max(sizes)[0]}


def narrowed(layer):
    """Return a new layer with a sixteenth of the features: converted in a tenth of the time."""
    config = layer.get_config()
    if "filters" in config:
        config["filters"] = max(1, config["filters"] // 16)
    return layer.__class__.from_config(config)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "channels"), [("lean", 1), ("lite", 3), ("classic", 1)])
@pytest.mark.parametrize("kind", ["litert", "onnx"])
def test_every_network_can_be_exported(kind, name, channels, tmp_path, drawn_folder, run_command):
    for package in conversion.ONNX_PACKAGES if kind == "onnx" else ():
        pytest.importorskip(package)
    keras.utils.set_random_seed(0)
    model = unet.build(name, (48, 48, channels))  # no multiple of 32: it is padded and cropped
    model = keras.models.clone_model(model, clone_function=narrowed)
    save_model(model, tmp_path / "model.keras", {"threshold": 0.5, "image_size": 48, "model": name})
    command = ["export", "--format", kind, "--weights", tmp_path / "model.keras"]
    code, _, errors = run_command(*command, "--data", drawn_folder, "--out", tmp_path / "out")
    assert (code, errors) == (0, [])
    recipe = json.loads((tmp_path / "out" / "model.json").read_text())
    assert recipe["channels"] == channels


def test_an_export_that_answers_otherwise_is_not_written(
    weights, drawn_folder, tmp_path, refused, monkeypatch
):
    convert = conversion.to_litert

    def spoilt(network, *options):
        network = load_keras_network(weights)
        network.model.set_weights([1.1 * weight for weight in network.model.get_weights()])
        return convert(network, *options)

    monkeypatch.setattr(conversion, "to_litert", spoilt)
    command = ["export", "--format", "litert", "--weights", weights, "--data", drawn_folder]
    refused("export was refused|differ from those of Keras", *command, "--out", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_the_tolerance_looks_at_probabilities_and_masks():
    same = dict.fromkeys(Comparison.__dataclass_fields__, 1.0) | {"difference": 0.0}
    Comparison(**same | {"random_difference": 0.0009}).judge("float32")
    Comparison(**same | {"random_difference": 0.7, "masks_dice": 0.96}).judge("int8")
    for wrong, precision in (
        ({"random_difference": 0.002}, "float32"),
        ({"random_difference": float("nan")}, "float32"),
        ({"random_difference": 0.06}, "float16"),
        ({"random_difference": 0.0, "masks_dice": 0.98}, "float16"),
        ({"random_difference": 0.0, "masks_dice": 0.94}, "int8"),
    ):
        with pytest.raises(ValueError, match="refused"):
            Comparison(**same | wrong).judge(precision)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--format", "saved_model", "--int8"], "saved_model|leave out --int8"),
        (["--format", "onnx", "--weights", "none.keras"], "none.keras|no such weights"),
        (["--format", "litert", "--data", "nowhere"], "nowhere"),
    ],
)
def test_mistakes_are_told_in_a_line(options, words, tmp_path, refused, monkeypatch):
    refused(words, "export", *options, "--out", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_missing_package_is_named_with_what_installs_it(tmp_path, refused, monkeypatch):
    monkeypatch.setitem(sys.modules, "tf2onnx", None)
    refused(
        "tf2onnx|requirements-export.txt", "export", "--format", "onnx", "--out", tmp_path / "o"
    )


def test_a_runtime_that_cannot_be_fetched_is_named(tmp_path, refused, monkeypatch):
    for package in conversion.ONNX_PACKAGES:
        pytest.importorskip(package)

    def unreachable(*arguments, **options):
        raise requests.ConnectionError("no route to host")

    monkeypatch.setattr("pooch.retrieve", unreachable)
    refused("onnxruntime-web|no route", "export", "--format", "web", "--out", tmp_path / "out")
    assert not (tmp_path / "out").exists()
