"""Published weights: small, ordinary, and as good as what they were made from."""

import json
import zipfile
from pathlib import Path

import numpy as np

from lesion.inputs import SeenPictures, read_image, select_pairs
from lesion.predict.network import load_network
from tools.publish import NEWER, publish


def test_published_weights_predict_the_same(trained, drawn_folder, tmp_path):
    path = publish(trained, tmp_path / "files" / "small")
    assert path.stat().st_size < 0.6 * (trained / "model.keras").stat().st_size
    with zipfile.ZipFile(path) as archive:
        config = archive.read("config.json").decode()
    assert '"class_name": "Conv2D"' in config
    assert not [key for key in NEWER if f'"{key}"' in config]  # an earlier Keras would stop at
    original, published = load_network(trained / "model.keras"), load_network(path)
    assert published.threshold == original.threshold
    assert str(drawn_folder) not in path.with_suffix(".json").read_text()  # somebody's path
    chosen = select_pairs(drawn_folder, path)  # there is no split.json beside it
    assert chosen.kept_apart
    seen, expected = SeenPictures.read(path), SeenPictures.read(trained / "model.keras")
    np.testing.assert_array_equal(seen.table, expected.table)
    assert len(seen.table) == 12 - len(chosen.pairs)
    test = json.loads((trained / "split.json").read_text())["test"]
    assert [pair.image.name for pair in chosen.pairs] == [Path(name).name for name in test]
    picture = read_image(drawn_folder / "image" / "0.png")
    np.testing.assert_allclose(
        published.predict(picture).probability, original.predict(picture).probability, atol=5e-3
    )
