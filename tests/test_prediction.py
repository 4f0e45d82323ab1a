"""Predictions: reload, sizes, channels, thresholds, and what cannot be loaded."""

import json
import shutil

import keras
import numpy as np
import pytest

from metrics import mask_at
from overlay import draw_outline
from prediction import (
    Network,
    load_network,
    predict_files,
    predict_probabilities,
    predict_probability,
    start_from,
)
from reading import read_image
from training import save_model
from unet import build


def test_save_reload_predict_is_identical(tmp_path, drawn_folder):
    keras.utils.set_random_seed(1)
    network = Network(build("lean", (48, 48, 3)), 48)
    picture = read_image(drawn_folder / "image" / "0.png")
    before = predict_probability(network, picture)
    save_model(network.model, tmp_path / "model.keras", {"threshold": 0.37})
    again = load_network(tmp_path / "model.keras")
    assert again.threshold == 0.37
    np.testing.assert_array_equal(predict_probability(again, picture), before)


def test_probability_has_the_pictures_own_size_in_any_batch():
    network = Network(build("lean", (32, 32, 1)), 32)
    random = np.random.default_rng(0)
    sizes = [(32, 32), (31, 90), (1, 1), (200, 7)] * 3
    pictures = [random.integers(0, 256, (*size, 1), np.uint8) for size in sizes]
    together = list(predict_probabilities(network, iter(pictures)))
    assert [probability.shape for probability in together] == sizes
    for picture, probability in zip(pictures, together, strict=True):
        assert probability.dtype == np.float32
        assert 0 <= probability.min() <= probability.max() <= 1
        alone = predict_probability(network, picture)
        np.testing.assert_allclose(alone, probability, atol=1e-5)


def test_a_mask_is_at_least_the_threshold_everywhere(trained, drawn_folder, tmp_path):
    network = load_network(trained / "model.keras")
    path = drawn_folder / "image" / "1.png"
    probability = predict_probability(network, read_image(path))
    network.threshold = float(np.quantile(probability, 0.7))
    (row,) = predict_files(network, [path], tmp_path)
    assert row["area"] == pytest.approx(0.3, abs=0.01)
    overlay = read_image(tmp_path / "1_overlay.png")
    mask = mask_at(probability, network.threshold)
    np.testing.assert_array_equal(overlay, draw_outline(read_image(path), {"prediction": mask}))


def test_empty_masks_are_warned_about(trained, drawn_folder, tmp_path, capsys):
    network = load_network(trained / "model.keras")
    network.threshold = 1.1
    predict_files(network, [drawn_folder / "image" / "1.png"], tmp_path)
    assert "every mask is all background" in capsys.readouterr().err


def test_without_its_settings_a_network_uses_one_half(trained, tmp_path, capsys):
    shutil.copy(trained / "model.keras", tmp_path / "alone.keras")
    assert load_network(tmp_path / "alone.keras").threshold == 0.5
    assert "threshold is 0.5" in capsys.readouterr().err


@pytest.mark.parametrize("content", ["{", "[]", "{}", '{"threshold": 2}', '{"threshold": "high"}'])
def test_damaged_settings_are_named(content, trained, tmp_path):
    shutil.copy(trained / "model.keras", tmp_path / "model.keras")
    (tmp_path / "model.json").write_text(content)
    with pytest.raises(ValueError, match=r"model\.json"):
        load_network(tmp_path / "model.keras")


def test_foreign_models_are_refused(tmp_path):
    inputs = keras.Input((8,))
    model = keras.Model(inputs, keras.layers.Dense(2)(inputs))
    save_model(model, tmp_path / "dense.keras", {"threshold": 0.5})
    with pytest.raises(ValueError, match="expected a network from square pictures"):
        load_network(tmp_path / "dense.keras")


def test_code_inside_weights_is_not_run(tmp_path):
    inputs = keras.Input((16, 16, 3))
    outputs = keras.layers.Lambda(lambda x: x[..., :1])(inputs)
    keras.Model(inputs, outputs).save(tmp_path / "lambda.keras")
    with pytest.raises(ValueError, match="cannot be loaded"):
        load_network(tmp_path / "lambda.keras")


def test_settings_keep_everything(trained):
    settings = json.loads((trained / "model.json").read_text())
    assert load_network(trained / "model.keras").settings == settings


def test_a_training_may_start_from_saved_weights_at_another_size(trained):
    model = build("lean", (48, 40, 3))
    start_from(model, trained / "model.keras")
    saved = load_network(trained / "model.keras").model
    for one, other in zip(model.get_weights(), saved.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    with pytest.raises(ValueError, match="another network"):
        start_from(build("lean", (32, 32, 1)), trained / "model.keras")
