"""Masks, overlays and lesions.csv: one decoding a picture, whole results or none."""

import threading
import time
from pathlib import Path

import bad_files as bad
import numpy as np
import pytest
from PIL import Image

from lesion.console import InputError
from lesion.inputs import decoding
from lesion.inputs.decoding import is_predicted
from lesion.inputs.pairing import find_parts
from lesion.inputs.pictures import find_pictures
from lesion.inputs.reading import read_image, read_mask
from lesion.parallel import pictures_at_once
from lesion.predict import files
from lesion.predict.files import predict_files
from lesion.predict.network import Network, load_network
from lesion.storage import read_table


class Brightness:
    """A network for which bright is lesion."""

    input_shape = (None, 32, 32, 3)

    def predict_on_batch(self, inputs):
        return inputs[..., :1]


@pytest.fixture
def images(tmp_path):
    """Three pictures with two bright spots each, the second one damaged."""
    picture = np.zeros((32, 32, 3), np.uint8)
    picture[4:12, 4:12] = picture[20:24, 20:24] = 255
    paths = [tmp_path / f"{name}.png" for name in "abc"]
    for path in paths:
        Image.fromarray(picture).save(path)
    paths[1].write_bytes(bad.encoded("PNG")[:900])
    return paths


@pytest.fixture
def out(tmp_path):
    folder = tmp_path / "out"
    folder.mkdir()
    return folder


def test_parts_are_those_before_the_largest_is_kept(images, out):
    for one_lesion, pixels in ((True, 64), (False, 64 + 16)):
        network = Network(Brightness(), 32, one_lesion=one_lesion)
        (row,), left_out = predict_files(network, images[:1], out)
        assert (row["parts"], row["area"], left_out) == (2, pixels / 32**2, [])
        assert row["area_pixels"] == 64  # of the largest alone, in either case
        assert read_table(out / "lesions.csv")[0]["parts"] == 2


def test_masks_and_overlays_say_that_they_were_predicted(images, out):
    predict_files(Network(Brightness(), 32), images[:1], out)
    assert all(map(is_predicted, out.glob("a_*")))
    copy = out / "under_another_name.PNG"
    copy.write_bytes((out / "a_mask.png").read_bytes())
    assert is_predicted(copy)
    others = images[0], images[1], out / "lesions.csv", out, out / "missing.png"
    assert not any(map(is_predicted, others))


def test_a_damaged_file_leaves_no_results_or_is_left_out(images, out):
    network = Network(Brightness(), 32)
    with pytest.raises(InputError, match=r"b\.png: the picture is damaged.*--skip-bad"):
        predict_files(network, images, out)
    assert list(out.iterdir()) == []
    rows, left_out = predict_files(network, images, out, skip_bad=True)
    assert [row["name"] for row in rows] == ["a", "c"]
    assert len(left_out) == 1
    assert "b.png: the picture is damaged" in left_out[0]
    masks = {"a_mask.png", "a_overlay.jpg", "c_mask.png", "c_overlay.jpg"}
    assert {path.name for path in out.iterdir()} == masks | {"lesions.csv"}
    with pytest.raises(InputError, match="nothing is left"):
        predict_files(network, images[1:2], out, skip_bad=True)


def test_each_picture_is_decoded_once(run_command, trained, drawn_folder, tmp_path, monkeypatch):
    decoded, decode = [], decoding._decode_stream

    def counting(path, file):
        decoded.append(path.name)
        return decode(path, file)

    monkeypatch.setattr(decoding, "_decode_stream", counting)
    arguments = ["--weights", trained / "model.keras", "--out", tmp_path / "out"]
    code, _, errors = run_command("predict", drawn_folder / "image", *arguments)
    assert (code, errors) == (0, [])
    assert sorted(decoded) == sorted(path.name for path in (drawn_folder / "image").iterdir())


def test_pictures_of_one_name_have_results_of_their_own(images, out):
    folder, network = images[0].parent, Network(Brightness(), 32)
    paths = [folder / "melanoma" / "1.png", folder / "nevus" / "1.png", folder / "nevus" / "1.bmp"]
    for number, path in enumerate(paths):
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(np.full((32, 32, 3), 255 * (number == 1), np.uint8)).save(path)
    names = ["melanoma/1", "nevus/1.png", "nevus/1.bmp"]
    rows, _ = predict_files(network, paths, out)
    assert [(row["name"], row["area"]) for row in rows] == list(zip(names, (0, 1, 0), strict=True))
    assert [row["name"] for row in read_table(out / "lesions.csv")] == names
    for name, level in zip(names, (0, 255, 0), strict=True):
        with Image.open(out / f"{name}_mask.png") as mask:
            assert mask.getextrema() == (level, level)
        assert (out / f"{name}_overlay.jpg").is_file()


def test_folders_made_for_results_go_with_them(images, out):
    (images[0].parent / "sub").mkdir()
    images[1].rename(images[0].parent / "sub" / "a.png")
    paths = [images[0], images[2], images[0].parent / "sub" / "a.png"]
    again = [images[0].parent / "sub" / "c.png", *paths]
    again[0].write_bytes(images[2].read_bytes())
    with pytest.raises(InputError, match="is damaged"):
        predict_files(Network(Brightness(), 32), again, out)
    assert list(out.iterdir()) == []


def test_pictures_of_odd_shapes_and_modes_get_masks_of_their_own_size(tmp_path, out):
    sizes = {"dot": (1, 1), "small": (16, 16), "wide": (3000, 40), "tall": (40, 3000)}
    colours = Image.fromarray(np.random.default_rng(0).integers(0, 256, (30, 50, 3), np.uint8))
    pictures = {f"{name}.png": colours.resize(size) for name, size in sizes.items()}
    pictures |= {"cmyk.jpg": colours.convert("CMYK"), "progressive.jpg": colours}
    pictures |= {f"{mode}.png": colours.convert(mode) for mode in ("1", "L", "LA", "P", "RGBA")}
    for name, picture in pictures.items():
        picture.save(tmp_path / name, progressive=name == "progressive.jpg")
    paths = [tmp_path / name for name in pictures]
    rows, left_out = predict_files(Network(Brightness(), 32), paths, out)
    assert ([row["name"] for row in rows], left_out) == ([path.stem for path in paths], [])
    for name, picture in pictures.items():
        for kind in ("mask.png", "overlay.jpg"):
            with Image.open(out / f"{Path(name).stem}_{kind}") as result:
                assert result.size == picture.size


def test_pictures_of_one_camera_are_scaled_alike(tmp_path, out):
    values = np.zeros((32, 32), np.uint16)
    for name, highest in (("bright", 4095), ("dim", 1000)):  # 12 bits, and 10 by its own values
        values[8:16] = highest
        Image.fromarray(values).save(tmp_path / f"{name}.png")
    paths = [tmp_path / "bright.png", tmp_path / "dim.png"]
    network = Network(Brightness(), 32, threshold=0.5)
    rows, _ = predict_files(network, paths, out)
    assert [row["area"] for row in rows] == [0.25, 0]
    rows, _ = predict_files(network, paths[1:], out)
    assert [row["area"] for row in rows] == [0.25]


def test_overlays_are_jpeg_or_png_or_left_out(images, out):
    network = Network(Brightness(), 32)
    expected = {"jpg": {"a_overlay.jpg"}, "png": {"a_overlay.png"}, "none": set()}
    for overlay, names in expected.items():
        predict_files(network, images[:1], out, overlay=overlay)
        assert {path.name for path in out.iterdir()} == names | {"a_mask.png", "lesions.csv"}
        for name in names:
            with Image.open(out / name) as drawn:
                assert (drawn.format, drawn.size) == (
                    {"jpg": "JPEG", "png": "PNG"}[overlay],
                    (32, 32),
                )
            (out / name).unlink()


def test_probabilities_are_written_as_levels_that_nobody_takes_for_truth_or_a_picture(
    tmp_path, out, run_command, monkeypatch
):
    picture = np.zeros((32, 32, 3), np.uint8)
    picture[8:24, 8:24], picture[12:20, 12:20] = 100, 204
    Image.fromarray(picture).save(tmp_path / "a.png")
    network = Network(Brightness(), 32, threshold=0.5)
    monkeypatch.setattr("lesion.predict.load_network", lambda path: network)
    arguments = ["predict", tmp_path / "a.png", "--out", out]
    code, output, _ = run_command(*arguments, "--threshold", 0.3, "--probability")
    assert (code, "1 mask, overlay, probabilities and lesions.csv" in output) == (0, True)
    with Image.open(out / "a_probability.png") as levels:
        np.testing.assert_array_equal(np.asarray(levels), picture[..., 0])
    assert read_mask(out / "a_mask.png").sum() == 16**2  # with 0.5 it were the 8**2 inside

    Image.fromarray(picture).save(out / "a.png")  # as who predicts where the pictures are
    (folder,) = find_parts(out).values()
    assert [(pair.image.name, pair.mask) for pair in folder.pairs] == [("a.png", None)]
    assert find_pictures([out])[0] == [out / "a.png"]
    (out / "lesions.csv").unlink()
    (out / "a_overlay.jpg").unlink()
    assert find_pictures([out])[0] == [out / "a.png"]


class Slow(Brightness):
    """Brightness that lets later pictures overtake the first ones."""

    def predict_on_batch(self, inputs):
        time.sleep(0.05 * float(inputs.mean() < 0.5))
        return super().predict_on_batch(inputs)


def test_lines_keep_the_order_of_the_pictures_and_few_are_begun_early(tmp_path, out, monkeypatch):
    for number in range(24):
        picture = np.full((32, 32, 3), 255 * (number % 3 > 0), np.uint8)
        Image.fromarray(picture).save(tmp_path / f"{number}.png")
    begun, read = [], files.read_image

    def reading(path, **options):
        begun.append(path)
        written = len(list(out.glob("*_mask.png")))
        assert len(begun) - written <= 2 * pictures_at_once()
        return read(path, **options)

    monkeypatch.setattr(files, "read_image", reading)
    paths = [tmp_path / f"{number}.png" for number in range(24)]
    rows, _ = predict_files(Network(Slow(), 32), paths, out)
    assert [row["name"] for row in rows] == [path.stem for path in paths]
    assert [row["area"] for row in rows] == [float(n % 3 > 0) for n in range(24)]


def test_an_interruption_waits_for_what_was_begun_and_keeps_what_was_finished(
    images, out, monkeypatch
):
    def interrupted(rows, **options):
        yield next(iter(rows))
        raise KeyboardInterrupt

    monkeypatch.setattr(files, "tqdm", interrupted)
    before = threading.active_count()
    with pytest.raises(KeyboardInterrupt):
        predict_files(Network(Brightness(), 32), [images[0], images[2]], out)
    assert threading.active_count() == before
    names = {path.name for path in out.iterdir()}
    assert {"a_mask.png", "a_overlay.jpg"} <= names
    assert not any(name.startswith(".") for name in names)


def test_results_are_those_of_one_picture_after_the_other(trained, drawn_folder, tmp_path):
    """What several threads write is what `predict`, by itself, says of each picture."""
    network = load_network(trained / "model.keras")
    paths = sorted((drawn_folder / "image").iterdir())
    tables = []
    for run in ("first", "second"):
        (tmp_path / run).mkdir()
        rows, _ = predict_files(network, paths, tmp_path / run)
        tables.append(rows)
    assert tables[0] == tables[1]
    for path, row in zip(paths, tables[0], strict=True):
        prediction = network.predict(read_image(path))
        assert (row["quality"], row["parts"]) == (prediction.quality, prediction.parts)
        mask = read_mask(tmp_path / "first" / f"{path.stem}_mask.png")
        np.testing.assert_array_equal(mask, prediction.mask)
