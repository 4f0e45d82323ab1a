"""Predictions: reload, sizes, channels, thresholds, and what cannot be loaded."""

import json
import shutil

import keras
import numpy as np
import pytest

from lesion.inputs.reading import read_image
from lesion.masks import draw_outline, mask_at
from lesion.predict.files import predict_files
from lesion.predict.network import (
    Network,
    load_network,
    predict_probabilities,
    predict_probability,
    start_from,
)
from lesion.training import save_model
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
    network.threshold, network.one_lesion = float(np.quantile(probability, 0.7)), False
    (row,) = predict_files(network, [path], tmp_path)
    assert row["area"] == pytest.approx(0.3, abs=0.01)
    overlay = read_image(tmp_path / "1_overlay.png")
    mask = mask_at(probability, network.threshold)
    np.testing.assert_array_equal(overlay, draw_outline(read_image(path), {"prediction": mask}))


def test_one_lesion_is_the_largest_component_without_its_holes(tmp_path):
    probability = np.zeros((20, 30), np.float32)
    probability[2:10, 2:12] = 0.9  # 80 pixels, with a hole of 4
    probability[5:7, 5:7] = 0.1
    probability[14:17, 20:25] = 0.8  # 15 pixels more
    model = build("lean", (32, 32, 3))
    network = Network(model, 32, threshold=0.5)
    assert network.mask_of(probability).sum() == 80 - 4 + 15
    network.one_lesion = True
    mask = network.mask_of(probability)
    assert (mask.dtype, mask.sum(), mask[5, 5], mask[15, 22]) == (np.uint8, 80, 1, 0)
    assert network.mask_of(np.zeros((20, 30), np.float32)).sum() == 0
    for choice in (True, False):
        save_model(model, tmp_path / "model.keras", {"threshold": 0.5, "one_lesion": choice})
        assert load_network(tmp_path / "model.keras").one_lesion is choice


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
