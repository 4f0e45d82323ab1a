"""The weights that come with the project: size, loading, both runtimes, and real lesions."""

import json
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import skimage

from lesion.inputs.pairing import find_pairs
from lesion.inputs.reading import read_pair
from lesion.inputs.splitting import load_split
from lesion.options import SHIPPED_WEIGHTS
from lesion.predict.litert import LitertModel
from lesion.predict.network import load_keras_network, load_network
from lesion.score.evaluation import predict_pairs
from lesion.score.metrics import dice
from tools.publish import NEWER

ROOT = Path(__file__).parents[2]
SHIPPED = [ROOT / "files" / f"{name}.keras" for name in ("lean_drawn", "lite")]


def mean_dice(network, pairs):
    predicted = predict_pairs(network, pairs, progress=False)
    return np.mean([dice(truth, prediction.mask) for _, _, truth, prediction in predicted])


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_weights_are_small_and_come_with_settings_and_a_model_card(path):
    assert path.stat().st_size <= 10e6
    settings = json.loads(path.with_suffix(".json").read_text())
    assert 0 < settings["threshold"] < 1
    card = path.with_suffix(".md").read_text()
    for words in ("licence", "## Intended use", "## Known failures", "commit"):
        assert words in card
    assert "/work" not in json.dumps(settings)
    half = [w.astype(np.float16) == w for w in load_keras_network(path).model.get_weights()]
    assert all(same.all() for same in half)


def test_weights_hold_nothing_that_an_earlier_keras_stops_at():
    files = list((ROOT / "files").glob("*.keras"))
    assert files
    for path in files:
        with zipfile.ZipFile(path) as archive:
            config = archive.read("config.json").decode()
        assert not [key for key in NEWER if f'"{key}"' in config], path.name


@pytest.mark.slow
def test_weights_load_with_unet_alone():
    code = """
import sys, keras, unet
for path in sys.argv[1:]:
    model = keras.saving.load_model(path, compile=False, safe_mode=True)
    assert model.output_shape == (*model.input_shape[:3], 1)
assert not {"lesion", "data"} & set(sys.modules)
"""
    command = [sys.executable, "-c", code, *SHIPPED]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr[-1000:]


@pytest.mark.slow
def test_the_default_runs_without_keras_and_makes_the_same_masks():
    by_litert, by_keras = load_network(SHIPPED_WEIGHTS), load_keras_network(SHIPPED_WEIGHTS)
    assert isinstance(by_litert.model, LitertModel)
    assert (by_litert.threshold, by_litert.one_lesion) == (by_keras.threshold, by_keras.one_lesion)
    for pair in find_pairs(ROOT / "test").labelled[:10]:
        picture, _ = read_pair(pair)
        one, other = (n.predict(picture).probability for n in (by_litert, by_keras))
        assert np.abs(one - other).max() < 0.05, pair.name
        # Before components are counted, where a pixel can decide which of two is the larger one.
        masks = [replace(by_litert, one_lesion=False).mask_of(p) for p in (one, other)]
        assert (masks[0] != masks[1]).mean() < 2e-3, pair.name


@pytest.mark.slow
def test_the_default_finds_real_lesions(shared_data):
    """Guards against a broken file, some points below what the model card says."""
    network = load_network(SHIPPED_WEIGHTS)
    isic = load_split(shared_data / "isic2018").validation
    assert mean_dice(network, isic[::3]) > 0.87
    ham10000 = load_split(shared_data / "ham10000", seed=0, validation=0.1, test=0.1).test
    assert mean_dice(network, ham10000[::6]) > 0.9


def test_the_default_says_that_it_has_not_learnt_from_faces_and_noise():
    network = load_network(SHIPPED_WEIGHTS)
    if network.estimate is None:
        pytest.skip("files/lite.json holds no quality estimate yet")
    noise = np.random.default_rng(0).integers(0, 256, (200, 260, 3)).astype(np.uint8)
    for picture in (skimage.data.astronaut(), skimage.data.coffee(), noise):
        prediction = network.predict(picture)
        assert prediction.unfamiliar
        assert prediction.quality <= 0.5
    pictures = [read_pair(pair)[0] for pair in find_pairs(ROOT / "test").labelled]
    assert np.mean([network.predict(picture).unfamiliar for picture in pictures]) < 0.2
