"""The features of a picture: of which layers, for every network, and what stays the same."""

import keras
import numpy as np
import pytest

import unet
from lesion.predict.features import split_answer, with_features

WIDTHS = {
    "lean": 64 + 128 + 192 + 192,
    "lite": 24 + 40 + 112 + 192,
    "classic": 128 + 256 + 512 + 1024,
}


@pytest.mark.parametrize("name", sorted(unet.NETWORKS))
def test_features_are_averages_of_what_goes_across_and_probabilities_stay(name):
    keras.utils.set_random_seed(0)
    model = unet.build(name, (32, 32, 3))
    pictures = np.random.default_rng(0).random((2, 32, 32, 3), np.float32)
    probabilities, features = split_answer(with_features(model).predict_on_batch(pictures))
    np.testing.assert_array_equal(probabilities, model.predict_on_batch(pictures))
    assert features.shape == (2, WIDTHS[name])
    coarsest = [layer for layer in model.layers if layer.name.startswith("bottom")][-1]
    values = keras.Model(model.input, coarsest.output).predict_on_batch(pictures)
    width = values.shape[-1]
    np.testing.assert_allclose(features[:, :width], values.mean(axis=(1, 2)), rtol=1e-3, atol=1e-5)


def test_a_model_of_another_kind_stays_as_it_is():
    inputs = keras.Input((8, 8, 3))
    model = keras.Model(inputs, keras.layers.Conv2D(1, 1, name="bottom")(inputs))
    assert with_features(model) is model
    answer = np.zeros((1, 8, 8, 1), np.float16)
    probabilities, features = split_answer(answer)
    assert (probabilities.dtype, features) == (np.float32, None)
