"""Pictures are known again that weights have seen, whatever they are called and however saved."""

import shutil
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from lesion.console import InputError
from lesion.drawn.scene import write_pairs
from lesion.inputs import Split, filter_pairs, find_pairs, refuse_seen, remark_on
from lesion.inputs.seen import NO_NUMBER, SeenPictures, isic_number, perceptual_hash


@pytest.fixture(scope="module")
def pairs(tmp_path_factory):
    """Eight drawn pairs: six were trained on, one chosen on, the last is new."""
    folder = tmp_path_factory.mktemp("drawn")
    write_pairs(8, folder, size=96, first_seed=900)
    return find_pairs(folder).labelled


@pytest.fixture
def weights(pairs, tmp_path):
    SeenPictures.of(Split(pairs[:6], pairs[6:7], pairs[7:])).write(tmp_path / "model.keras")
    return tmp_path / "model.keras"


def names(pairs):
    return [pair.name for pair in pairs]


CHANGES = {
    "half-sized JPEG": lambda picture: picture.resize((48, 48), Image.Resampling.BOX),
    "larger": lambda picture: picture.resize((200, 200)),
    "wider, of which it is the middle": lambda picture: wider(picture),
    "lighter": lambda picture: picture.point(lambda value: min(255, value + 15)),
}


def wider(picture):
    whole = Image.new("RGB", (160, 96), (90, 60, 50))
    whole.paste(picture, (32, 0))
    return whole


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_a_copy_is_known_again_and_another_picture_is_not(change, pairs, weights, tmp_path):
    copies = []
    for number, pair in enumerate(pairs):
        path = tmp_path / f"copy_{number}.jpg"
        change(Image.open(pair.image).convert("RGB")).save(path, quality=75)
        copies.append(replace(pair, name=path.stem, image=path))
    trained, chosen = SeenPictures.read(weights).find(copies)
    assert (trained, chosen) == (names(copies[:6]), ["copy_6"])


def test_the_hash_is_the_signs_of_the_lowest_frequencies():
    rows, columns = np.indices((32, 32)) + 0.5
    # One cosine along the columns, one along the rows: frequencies (0, 1) and (3, 0) of the DCT.
    wave = np.cos(np.pi * columns / 32) + 0.7 * np.cos(3 * np.pi * rows / 32)
    picture = np.repeat(np.rint(128 + 60 * wave)[..., None], 3, axis=2).astype(np.uint8)
    bits = np.unpackbits(np.frombuffer(perceptual_hash(picture), np.uint8))
    # Ordered by row + column, then row: (0, 1), (1, 0), (0, 2), (1, 1), (2, 0), (0, 3) ... (3, 0).
    assert len(bits) == 128
    assert (bits[0], bits[8]) == (1, 1)
    bits = np.unpackbits(np.frombuffer(perceptual_hash(255 - picture), np.uint8))
    assert (bits[0], bits[8]) == (0, 0)


def test_the_number_of_the_isic_archive_counts_in_every_data_set(pairs, weights, tmp_path):
    numbered = tmp_path / "ISIC_0024306.jpg"
    shutil.copy(pairs[0].image, numbered)
    seen = SeenPictures.of(Split([replace(pairs[0], image=numbered)], [], []))
    other = tmp_path / "isic-0024306_cropped.png"
    shutil.copy(pairs[7].image, other)
    assert seen.find([replace(pairs[7], image=other)]) == (["7"], [])
    assert seen.find([pairs[7]]) == ([], [])
    assert isic_number(tmp_path / "ISIC_00243061.jpg") == NO_NUMBER  # a longer number is another
    # Pictures without one are not all the same.
    assert SeenPictures.read(weights).find([pairs[7]]) == ([], [])


def test_what_weights_began_from_counts(pairs, weights):
    later = SeenPictures.of(Split(pairs[6:7], pairs[5:6], []))
    joined = later.joined(SeenPictures.read(weights))
    assert joined.find(pairs) == (names(pairs[:7]), [])
    assert joined.complete
    unknown = later.joined(None)
    assert not unknown.complete
    unknown.write(weights)
    assert not SeenPictures.read(weights).complete
    assert "began from weights that do not say" in remark_on([weights], pairs, "by split")


def test_what_is_said(pairs, weights, tmp_path):
    seen = "6 of 8 pictures were trained on by"
    told = remark_on([weights], pairs, "by split")
    assert told.startswith(seen)
    assert "looks tell: 0, 1, 2, 3, 4 and 1 more" in told
    assert "chosen on 1 of them" in told
    assert "by split" not in told
    assert "was not trained on this picture" in remark_on([weights], pairs[7:], "by split")
    other = tmp_path / "other.keras"
    assert remark_on([other], pairs, "by split") == "by split"
    both = remark_on([weights, other], pairs, "by split")
    assert seen in both
    assert both.endswith("; by split")
    assert remark_on([weights, other], pairs[7:], "") == ""


def test_a_test_is_refused_unless_all_of_it_is_new(pairs, weights, tmp_path):
    refuse_seen([weights, tmp_path / "unknown.keras"], pairs[7:])
    with pytest.raises(InputError, match=r"1 of the 2 pictures .* chosen on \(6\)"):
        refuse_seen([tmp_path / "unknown.keras", weights], pairs[6:])


def test_pictures_are_decoded_once(pairs, weights, monkeypatch):
    looked_at, _ = filter_pairs(pairs[0].source, pairs, progress=False)
    monkeypatch.setattr("lesion.inputs.seen.read_image", None)
    assert SeenPictures.read(weights).find(looked_at) == (names(pairs[:6]), ["6"])


def test_a_damaged_file_is_named(weights):
    path = weights.with_name("model.pictures.npz")
    for content in (b"", b"PK\x03\x04 no archive", path.read_bytes()[:200]):
        path.write_bytes(content)
        with pytest.raises(InputError, match=r"model.pictures.npz: .*restore it, or delete"):
            SeenPictures.read(weights)
    with path.open("wb") as file:
        np.savez(file, number=[1])
    with pytest.raises(InputError, match="restore it"):
        SeenPictures.read(weights)


@pytest.mark.slow
def test_native_pictures_are_known_by_their_crops(shared_data):
    """Of ISIC pictures as they were taken, and the 512x512 squares from their middles."""
    crops = {pair.name: pair for pair in find_pairs(shared_data / "isic2018").labelled}
    native = find_pairs(shared_data / "isic_native").labelled
    seen = SeenPictures.of(Split([crops[pair.name] for pair in native], [], []))
    seen.table["number"] = NO_NUMBER
    assert seen.find(native) == (names(native), [])
    assert seen.find(find_pairs(shared_data / "pad_ufes").labelled) == ([], [])
