"""What the page makes of uploaded files: the same as the command, and words for what is bad."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lesion.app import models, pictures
from lesion.app.texts import LANGUAGES, MEASURES, language_of, measures
from lesion.console import InputError
from lesion.inputs import find_pairs, read_image, read_pair
from lesion.masks import draw_outline
from lesion.predict import load_network, predict_files
from lesion.score.metrics import dice
from lesion.storage import read_table


@pytest.fixture(scope="module")
def weights(trained):
    return str(trained / "model.keras")


@pytest.fixture(scope="module")
def images(drawn_folder):
    return [pair.image for pair in find_pairs(drawn_folder).pairs[:3]]


def test_another_threshold_is_shown_without_asking_the_network_again(weights, images, monkeypatch):
    network, picture = load_network(weights), read_image(images[0])
    asked = []
    answer_to = type(network).answer_to
    monkeypatch.setattr(
        type(network), "answer_to", lambda self, given: asked.append(1) or answer_to(self, given)
    )
    pictures._answer.cache_clear()
    for threshold in (None, 0.2, 0.7):
        found = pictures.predict(weights, images[0], threshold)[1]
        network.threshold = threshold or network.threshold
        expected = network.conclude(*answer_to(network, picture), picture.shape[:2])
        assert np.array_equal(found.mask, expected.mask)
        assert found.quality == expected.quality
    assert len(asked) == 1
    assert pictures.network_of(weights).threshold == load_network(weights).threshold


def test_a_new_picture_is_decoded_once(weights, images, monkeypatch):
    decoded = []
    monkeypatch.setattr(
        pictures, "read_image", lambda path: decoded.append(path) or read_image(path)
    )
    pictures._answer.cache_clear()
    seen, _ = pictures.look_through(weights, images)
    assert sorted(decoded) == sorted(images)
    network = load_network(weights)
    expected = [network.predict(read_image(path)).quality for path in images]
    assert [one.quality for one in seen] == expected


def test_what_is_shown_is_what_the_command_writes(weights, images, tmp_path):
    threshold = load_network(weights).threshold
    for name in ("page", "command"):
        (tmp_path / name).mkdir()
    shown = pictures.show(weights, images[0], threshold, tmp_path / "page")
    predict_files(load_network(weights), images[:1], tmp_path / "command", probability=True)
    for path in (tmp_path / "command").iterdir():
        assert path.read_bytes() == (tmp_path / "page" / path.name).read_bytes(), path.name
    assert [shown.mask.name, shown.table.name] == [f"{images[0].stem}_mask.png", "lesions.csv"]
    record = json.loads(shown.record.read_text())
    assert record["area_pixels"] == read_table(shown.table)[0]["area_pixels"]
    assert record["threshold"] == threshold
    assert measures(shown.row, "pt")[0][0] == "área"


def test_bad_files_are_left_out_in_words_that_tell_no_folder(weights, images, tmp_path):
    bad = {"note.jpg": b"no picture", "empty.png": b"", "cut.png": images[0].read_bytes()[:400]}
    for name, content in bad.items():
        (tmp_path / name).write_bytes(content)
    predict_files(load_network(weights), images[:1], tmp_path)
    written = next(tmp_path.glob("*_overlay.jpg"))
    given = [images[0], *(tmp_path / name for name in bad), written, images[1]]
    seen, problems = pictures.look_through(weights, given)
    assert [one.path for one in seen] == [str(images[0]), str(images[1])]
    assert [line.split(":")[0] for line in problems] == [*bad, written.name]
    assert "was written by predict" in problems[-1]
    assert not any(str(tmp_path) in line for line in problems)


@pytest.mark.parametrize(("limit", "value"), [("MOST_PIXELS", 64 * 64 - 1), ("MOST_BYTES", 500)])
def test_too_large_a_file_is_refused_before_it_is_decoded(images, monkeypatch, limit, value):
    monkeypatch.setattr(pictures, limit, value)
    monkeypatch.setattr(pictures, "read_image", lambda path: pytest.fail("was decoded"))
    with pytest.raises(InputError, match="save it smaller"):
        pictures.read(images[0])


def test_header_tells_pixels_of_every_kind(tmp_path):
    from lesion.inputs.decoding import look

    for kind in ("png", "jpg", "tif", "bmp", "webp"):
        path = tmp_path / f"a.{kind}"
        Image.new("RGB", (30, 20)).save(path)
        assert look(path).pixels == 600, kind


def test_every_text_is_there_in_both_languages():
    english, portuguese = LANGUAGES["en"], LANGUAGES["pt"]
    assert english.keys() == portuguese.keys()
    for key, words in english.items():
        fields = [text.count("{") for text in (words, portuguese[key])]
        assert fields[0] == fields[1], key
        assert words != portuguese[key] or key in ("model",), key
    assert all(len(names) == 2 for names in MEASURES.values())
    assert [language_of(a) for a in ("pt-BR,en;q=0.5", "en,pt", "de", None)] == [
        *("pt", "en", "en", "en")
    ]


def test_models_to_choose_from_are_named_once(trained, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run = Path("runs/mine")
    run.mkdir(parents=True)
    shutil.copy(trained / "model.keras", run)
    given = [tmp_path / "runs/mine/model.keras", trained / "model.keras"]
    found = models.find_weights(given)
    assert found == list(map(str, given))
    assert [name for name, _ in models.names_of(found)] == ["mine", "tiny"]
    assert models.names_of(["files/lite.keras"]) == [("lite", "files/lite.keras")]


def test_two_models_on_a_folder_and_on_a_picture(trained, drawn_folder, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    for name in ("model.keras", "split.json"):
        shutil.copy(trained / name, other)
    settings = json.loads((trained / "model.json").read_text())
    (other / "model.json").write_text(json.dumps({**settings, "threshold": 0.9}))
    weights = [str(trained / "model.keras"), str(other / "model.keras")]
    found = models.compare_on_folder(weights, drawn_folder)
    assert found.names == ["tiny", "other"]
    test_pictures = json.loads((trained / "split.json").read_text())["test"]
    assert set(found.dice) == set(found.pairs) == {Path(name).stem for name in test_pictures}
    gaps = [abs(a - b) for a, b in found.dice.values()]
    assert gaps == sorted(gaps, reverse=True)
    name, pair = next(iter(found.pairs.items()))
    first, second = models.draw_compared(found, name)
    assert first.shape == second.shape == read_image(pair.image).shape
    # What is shown beside the scores is of the networks scored, whatever is chosen by now.
    picture, truth = read_pair(pair)
    for drawn, one, scored in zip((first, second), weights, found.dice[name], strict=True):
        mask = load_network(one).predict(picture).mask
        assert scored == pytest.approx(dice(truth, mask))
        assert np.array_equal(drawn, draw_outline(picture, {"truth": truth, "prediction": mask}))
    drawn, agreement = models.compare_on_picture([weights[0]] * 2, pair.image)
    assert np.array_equal(*drawn)
    assert agreement == 1
    with pytest.raises(InputError, match="two or more different"):
        models.compare_on_folder([weights[0]] * 2, drawn_folder)
    with pytest.raises(InputError, match="no folder was named"):
        models.compare_on_folder(weights, None)
