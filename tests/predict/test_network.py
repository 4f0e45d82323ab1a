"""Predictions: reload, sizes, channels, thresholds, and what cannot be loaded."""

import json
import pickle
import shutil
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

from lesion.console import InputError
from lesion.inputs.reading import read_image
from lesion.masks import draw_outline
from lesion.options import SHIPPED_WEIGHTS
from lesion.parallel import in_order
from lesion.predict.ensemble import join
from lesion.predict.files import predict_files
from lesion.predict.network import Network, load_network, start_from
from lesion.training import save_model
from unet import build, unet_lite

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.usefixtures("narrow")


def test_save_reload_predict_is_identical(tmp_path, drawn_folder):
    keras.utils.set_random_seed(1)
    network = Network(build("lean", (48, 48, 3)), 48)
    picture = read_image(drawn_folder / "image" / "0.png")
    before = network.predict(picture).probability
    save_model(network.model, tmp_path / "model.keras", {"threshold": 0.37})
    again = load_network(tmp_path / "model.keras")
    assert again.threshold == 0.37
    np.testing.assert_array_equal(again.predict(picture).probability, before)


def test_probability_has_the_pictures_own_size_in_any_company():
    network = Network(build("lean", (32, 32, 1)), 32)
    random = np.random.default_rng(0)
    sizes = [(32, 32), (31, 90), (1, 1), (200, 7)] * 3
    pictures = [random.integers(0, 256, (*size, 1), np.uint8) for size in sizes]
    together = list(in_order(network.predict, pictures))
    assert [prediction.probability.shape for prediction in together] == sizes
    assert [prediction.mask.shape for prediction in together] == sizes
    for picture, prediction in zip(pictures, together, strict=True):
        probability = prediction.probability
        assert (probability.dtype, prediction.mask.dtype) == (np.float32, np.uint8)
        assert 0 <= probability.min() <= probability.max() <= 1
        alone = network.predict(picture).probability
        np.testing.assert_allclose(alone, probability, atol=1e-5)


class Columns:
    """Says what a pixel's column and brightness are, as no trained network would."""

    input_shape = (None, 4, 4, 3)
    columns = np.array([0, 0.25, 0.75, 1], np.float32)[:, None]

    def predict_on_batch(self, inputs):
        return inputs[..., :1] * self.columns


def test_four_mirrored_views_are_averaged_and_their_masks_compared_with_the_written_one():
    white = np.full((4, 4, 3), 255, np.uint8)
    prediction = Network(Columns(), 4, threshold=0.5).predict(white)
    np.testing.assert_array_equal(prediction.probability, np.full((4, 4), 0.5, np.float32))
    assert prediction.mask.sum() == 16
    # Each view alone finds two of the four columns: Dice 2 * 8 / (16 + 8) with the whole.
    assert prediction.evidence.agreement == pytest.approx(2 / 3)
    assert prediction.quality == 0  # a mask of the whole picture tells nothing from anything
    assert prediction.unfamiliar is None
    assert prediction.parts == 1
    assert Network(Columns(), 4, threshold=0.51).predict(white).quality == 0  # an empty mask


def test_views_are_turned_back_onto_the_picture():
    picture = np.zeros((4, 4, 3), np.uint8)
    picture[1, 2] = 255  # once column 2, which says 0.75, and mirrored column 1, which says 0.25
    probability = Network(Columns(), 4).predict(picture).probability
    assert probability[1, 2] == 0.5
    assert np.count_nonzero(probability) == 1


class Brightness(Columns):
    columns = 1


def test_parts_are_counted_before_the_largest_is_kept():
    picture = np.zeros((4, 4, 3), np.uint8)
    picture[0, :2] = picture[2:, 2:] = 255
    for one_lesion, pixels in ((False, 6), (True, 4)):
        prediction = Network(Brightness(), 4, one_lesion=one_lesion).predict(picture)
        assert (prediction.parts, prediction.mask.sum(), prediction.quality) == (2, pixels, 1)


def test_colour_is_made_gray_and_gray_repeated_where_the_network_asks_for_it(drawn_folder):
    class Gray(Brightness):
        input_shape = (None, 4, 4, 1)

    path = drawn_folder / "image" / "2.png"
    colour, gray = read_image(path, 3), read_image(path, 1)
    for model, wanted in ((Gray(), gray), (Brightness(), np.repeat(gray, 3, axis=2))):
        expected = Network(model, 4).predict(wanted).probability
        given = Network(model, 4).predict(colour if model.input_shape[-1] == 1 else gray)
        np.testing.assert_array_equal(given.probability, expected)


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_a_network_in_mixed_precision_predicts(policy, tmp_path):
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        inputs = keras.Input((32, 32, 3))
        outputs = keras.layers.Conv2D(1, 3, padding="same", activation="sigmoid")(inputs)
        models = {"lean": build("lean", (32, 32, 3)), "own": keras.Model(inputs, outputs)}
    finally:
        keras.config.set_dtype_policy(before)
    picture = np.random.default_rng(0).integers(0, 256, (40, 50, 3), np.uint8)
    for name, model in models.items():
        save_model(model, tmp_path / f"{name}.keras", {"threshold": 0.5})
        probability = load_network(tmp_path / f"{name}.keras").predict(picture).probability
        assert (probability.shape, probability.dtype) == ((40, 50), np.float32)
        assert 0 <= probability.min() <= probability.max() <= 1


def test_weights_that_answer_with_no_number_are_refused():
    class Diverged(Brightness):
        columns = np.nan

    with pytest.raises(InputError, match=r"no number.*train again"):
        Network(Diverged(), 4).predict(np.zeros((4, 4, 3), np.uint8))


def test_a_network_without_a_sigmoid_is_refused():
    class Logits(Brightness):
        columns = 4

    with pytest.raises(InputError, match=r"values from 4 to 4, .* no probabilities: let a sigmoid"):
        Network(Logits(), 4).predict(np.full((4, 4, 3), 255, np.uint8))


def test_weights_that_are_no_numbers_are_named_before_a_picture_is_read(tmp_path):
    inputs = keras.Input((32, 32, 3))
    model = keras.Model(inputs, keras.layers.Conv2D(1, 1, activation="sigmoid")(inputs))
    weights = model.get_weights()
    for bad in (np.nan, np.inf):
        model.set_weights([weights[0], weights[1] * 0 + bad])
        save_model(model, tmp_path / "own.keras", {"threshold": 0.5})
        with pytest.raises(InputError, match=r"own\.keras: holds weights that are no numbers"):
            load_network(tmp_path / "own.keras")


def test_a_mask_is_at_least_the_threshold_everywhere(trained, drawn_folder, tmp_path):
    network = load_network(trained / "model.keras")
    path = drawn_folder / "image" / "1.png"
    probability = network.predict(read_image(path)).probability
    network.threshold, network.one_lesion = float(np.quantile(probability, 0.7)), False
    (row,), _ = predict_files(network, [path], tmp_path, overlay="png")
    assert row["area"] == pytest.approx(0.3, abs=0.01)
    overlay = read_image(tmp_path / "1_overlay.png")
    mask = (probability >= np.float32(network.threshold)).astype(np.uint8)
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


@pytest.mark.parametrize(
    "content",
    [
        *("{", "[]", "{}", '{"threshold": 2}', '{"threshold": "high"}'),
        '{"threshold": 0.5, "quality_estimate": {"weights": [1, 2, 3, 4]}}',
    ],
)
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


def test_a_training_may_start_from_an_encoder_alone():
    path = ROOT / "files" / "lite_imagenet.keras"
    model = unet_lite((32, 32, 3))
    before = {layer.name: layer.get_weights() for layer in model.layers}
    start_from(model, path)
    encoder = keras.saving.load_model(path)
    names = {layer.name for layer in encoder.layers}
    assert {"stem_conv", "bottom_block15_narrow_norm"} <= names
    assert not any(name.startswith("up") for name in names)
    for layer in model.layers:
        source = encoder.get_layer(layer.name).get_weights() if layer.name in names else None
        for value, other in zip(layer.get_weights(), source or before[layer.name], strict=True):
            np.testing.assert_array_equal(value, other)
    assert np.abs(model.get_layer("stem_conv").get_weights()[0]).max() > 0
    for other in (build("lean", (32, 32, 3)), unet_lite((32, 32, 1))):
        with pytest.raises(ValueError, match=r"lite_imagenet\.keras"):
            start_from(other, path)


def test_a_training_may_start_from_saved_weights_at_another_size(trained):
    model = build("lean", (48, 40, 3))
    start_from(model, trained / "model.keras")
    saved = load_network(trained / "model.keras").model
    for one, other in zip(model.get_weights(), saved.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    with pytest.raises(ValueError, match="another network"):
        start_from(build("lean", (32, 32, 1)), trained / "model.keras")


@pytest.mark.slow
def test_networks_go_to_another_process_as_they_are(trained, drawn_folder, tmp_path):
    """Keras' among them, whose layers are known there only once they are imported."""
    network = join([load_network(trained / "model.keras"), load_network(SHIPPED_WEIGHTS)])
    network.threshold = 0.4
    path = drawn_folder / "image" / "1.png"
    prediction = network.predict(read_image(path))
    (tmp_path / "network").write_bytes(pickle.dumps(network))
    script = (
        "import pickle, sys; from lesion.inputs.reading import read_image; "
        "network = pickle.load(open(sys.argv[1], 'rb')); "
        "prediction = network.predict(read_image(sys.argv[2])); "
        "print(prediction.quality, prediction.mask.sum(), network.threshold)"
    )
    command = [sys.executable, "-c", script, tmp_path / "network", path]
    told = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT).stdout
    assert told.split() == [str(prediction.quality), str(prediction.mask.sum()), "0.4"]
