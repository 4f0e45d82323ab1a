"""Corrected masks: only what was painted changes, and a training takes the folder as it is."""

import numpy as np
import pytest
from PIL import Image

from lesion.app.corrections import (
    CANVAS,
    Retraining,
    count,
    from_canvas,
    label_of,
    save,
    saved_mask,
    to_canvas,
)
from lesion.console import InputError
from lesion.inputs import check, find_pairs, load_split, read_image, read_mask, read_pair
from lesion.options import SHIPPED_WEIGHTS

LEAN = SHIPPED_WEIGHTS.with_name("lean_drawn.keras")
UPRIGHT_TO_RIGHT = 6  # a rotation note: turn by a quarter


@pytest.mark.parametrize("shape", [(60, 80), (CANVAS, 700), (3000, 2000)])
def test_only_what_was_painted_changes(shape):
    random = np.random.default_rng(0)
    mask = (random.random(shape) > 0.5).astype(np.uint8)  # as fine as a mask can be
    canvas = to_canvas(np.zeros((*shape, 3), np.uint8), mask)
    assert max(canvas.mask.shape) == min(CANVAS, max(shape))
    assert canvas.picture.shape[:2] == canvas.mask.shape
    assert np.array_equal(from_canvas(mask, canvas.mask, canvas.mask), mask)

    nothing = np.zeros(shape, np.uint8)
    before = to_canvas(np.zeros((*shape, 3), np.uint8), nothing).mask
    after = before.copy()
    after[: len(after) // 2] = 1
    painted = from_canvas(nothing, before, after)
    assert painted[: shape[0] // 2 - 3].all()
    assert not painted[shape[0] // 2 + 3 :].any()
    assert not from_canvas(painted, after, before).any()


def test_saved_pairs_are_a_data_folder(drawn_folder, tmp_path):
    pairs = find_pairs(drawn_folder).pairs
    folder = tmp_path / "corrected"
    same_name = tmp_path / pairs[0].image.name
    Image.fromarray(255 - read_image(pairs[0].image)).save(same_name)
    turned = tmp_path / "turned.jpg"
    exif = Image.Exif()
    exif[0x0112] = UPRIGHT_TO_RIGHT
    Image.new("RGB", (40, 20), "gray").save(turned, exif=exif)
    masks = {}
    for number, path in enumerate([pairs[0].image, pairs[1].image, same_name, turned]):
        masks[path] = np.zeros(read_image(path).shape[:2], np.uint8)
        masks[path][5:15, 5 : 8 + number] = 1
        assert saved_mask(folder, path) is None
        assert save(folder, path, masks[path]) == number + 1
    again = masks[pairs[1].image]
    again[20:30, 20:30] = 1
    assert save(folder, pairs[1].image, again) == count(folder) == 4
    for path, mask in masks.items():
        assert np.array_equal(read_mask(label_of(folder, path)), mask)
        assert np.array_equal(saved_mask(folder, path), mask)
    assert check([folder]).passed
    split = load_split(folder)
    kept = [*split.train, *split.validation, *split.test]
    assert len(kept) == 4
    for picture, mask in map(read_pair, kept):
        assert picture.shape[:2] == mask.shape
        assert mask.sum() in {mask.sum() for mask in masks.values()}


def test_a_folder_that_cannot_be_written_is_told(drawn_folder, tmp_path):
    (tmp_path / "file").write_text("")
    path = find_pairs(drawn_folder).pairs[0].image
    with pytest.raises(InputError, match="cannot be written"):
        save(tmp_path / "file", path, np.zeros((64, 64), np.uint8))


@pytest.mark.slow
def test_a_training_on_corrected_pairs_gives_weights(drawn_folder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    pairs, folder = find_pairs(drawn_folder).labelled, tmp_path / "corrected"
    retraining = Retraining()
    with pytest.raises(InputError, match="save some first"):
        next(retraining.train(LEAN, folder, epochs=1))
    for pair in pairs[:5]:
        save(folder, pair.image, read_mask(pair.mask))
    with pytest.raises(InputError, match="argument --epochs"):  # what the command says
        list(retraining.train(LEAN, folder, epochs=0))
    steps = []
    for step in retraining.train(LEAN, folder, epochs=1):
        if not steps:
            with pytest.raises(InputError, match="a training is going on"):
                next(retraining.train(LEAN, folder, epochs=1))
        steps.append(step)
    assert [steps[0].state, steps[-1].state] == ["running", "done"]
    assert (steps[-1].epoch, steps[-1].epochs) == (1, 1)
    assert 0 <= steps[-1].dice <= 1
    assert (tmp_path / steps[-1].run / "model.keras").is_file()

    states = []
    for step in retraining.train(LEAN, folder, epochs=1000):
        states.append(step.state)
        retraining.stop()
    assert states[-1] == "stopped"
