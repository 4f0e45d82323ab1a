"""`predict` on folders as people have them: every file gets a mask, or a line that says why not."""

import shutil

import numpy as np
import pytest
from PIL import Image

from lesion import inputs, predict
from lesion.inputs.reading import read_mask
from lesion.predict.network import Network
from lesion.storage import read_table


class Brightness:
    """A network for which bright is lesion."""

    input_shape = (None, 32, 32, 3)

    def predict_on_batch(self, inputs):
        return inputs[..., :1]


@pytest.fixture(autouse=True)
def network(monkeypatch):
    """What is loaded in place of any weights."""
    network = Network(Brightness(), 32)
    monkeypatch.setattr(predict, "load_network", lambda path: network)
    return network


def write(path, rows=8, **options):
    """Write a dark picture with so many bright rows of 32."""
    path.parent.mkdir(parents=True, exist_ok=True)
    picture = np.zeros((32, 32, 3), np.uint8)
    picture[:rows] = 255
    Image.fromarray(picture).save(path, **options)
    return path


def names(out):
    return {str(path.relative_to(out))[: -len("_mask.png")] for path in out.rglob("*_mask.png")}


def test_every_picture_of_a_phone_gets_a_mask_or_a_line(run_command, tmp_path):
    folder, out = tmp_path / "DCIM 1", tmp_path / "out"
    for number, ending in enumerate((".jpg", ".JPG", ".jfif", ".jpe", ".webp")):
        kind = "WEBP" if ending == ".webp" else "JPEG"
        write(folder / f"IMG_{number}{ending}", format=kind)
    write(folder / "more" / "IMG_9.jpg")
    for name in ("IMG_1.MOV", "IMG_1.AAE", "IMG_2.dng"):
        (folder / name).write_bytes(b"what a phone keeps beside its pictures")
    code, output, errors = run_command("predict", folder, "--out", out)
    assert (code, errors) == (0, [])
    assert names(out) == {f"IMG_{number}" for number in range(5)}
    told = "\n".join(line for line in output.splitlines() if line.startswith("passed over: "))
    for words in ("1 .jpg", ".mov", ".aae", ".dng"):
        assert words in told

    (folder / "IMG_5.heic").write_bytes(b"no picture")
    code, output, (error,) = run_command("predict", folder, "--out", tmp_path / "none")
    assert code == 2
    assert "IMG_5.heic: " in error
    code, output, _ = run_command("predict", folder, "--out", tmp_path / "rest", "--skip-bad")
    assert (code, len(names(tmp_path / "rest"))) == (0, 5)
    assert "IMG_5.heic: " in output


@pytest.mark.parametrize("place", ["masks", "images", "results", "."])
def test_predicting_again_takes_no_earlier_result_for_a_picture(run_command, tmp_path, place):
    folder, count = tmp_path / "pictures", 3
    for number in range(count):
        write(folder / f"{number}.png")
    first = tmp_path / "first" if place == "." else folder / place
    assert run_command("predict", folder, "--out", first)[0] == 0
    if place == ".":
        shutil.copytree(first, folder, dirs_exist_ok=True)
    elif place == "results":  # renamed, and without what else lies beside them
        first = first.rename(folder / "label")
        (first / "lesions.csv").unlink()
        for path in first.glob("*_overlay.*"):
            path.unlink()
        for path in list(first.iterdir()):
            path.rename(path.with_name(path.name.replace("_mask", "")))
    code, output, _ = run_command("predict", folder, "--out", tmp_path / "again")
    assert (code, names(tmp_path / "again")) == (0, {str(number) for number in range(count)})
    assert "passed over: " in output
    assert "written by predict" in output
    assert inputs.find_pairs(folder).labelled == []


def test_predictions_in_a_folder_for_masks_are_no_truth(run_command, refused, tmp_path):
    folder = tmp_path / "data"
    for number in range(5):
        write(folder / f"{number}.png", rows=number + 1)
    assert run_command("predict", folder, "--out", folder / "masks")[0] == 0
    output = run_command("check", folder)[1]
    assert "pictures  5, of which 0 with a mask" in output
    assert "5 *_mask.png, 5 *_overlay.jpg" in output
    refused("data|no picture has a mask", "train", "--data", folder, "--out", tmp_path / "run")


def test_pictures_of_one_name_in_several_folders(run_command, tmp_path):
    folder, out = tmp_path / "image", tmp_path / "out"
    for number in range(3):
        write(folder / "melanoma" / f"{number:03}.png", rows=8)
        write(folder / "nevus" / f"{number:03}.jpg", rows=16, quality=95)
    for paths in ([folder], [folder / "melanoma", folder / "nevus"]):
        code, output, errors = run_command("predict", *paths, "--out", out)
        assert (code, errors) == (0, [])
        expected = {f"{kind}/{n:03}" for kind in ("melanoma", "nevus") for n in range(3)}
        rows = {row["name"]: row for row in read_table(out / "lesions.csv")}
        assert names(out) == set(rows) == expected
        for name, row in rows.items():
            assert row["area"] == (0.25 if "melanoma" in name else 0.5)
            assert read_mask(out / f"{name}_mask.png").mean() == row["area"]
        assert "nevus/001: lesion covers 50.0%" in output
        shutil.rmtree(out)


def test_a_folder_of_results_inside_the_only_folder_of_pictures(run_command, tmp_path):
    write(tmp_path / "download" / "photos" / "1.png")
    for name in ("out", "images"):  # a folder that is there changes how the others are seen
        out = tmp_path / "download" / name
        assert run_command("predict", tmp_path / "download", "--out", out)[0] == 0
        assert names(out) == {"1"}
        shutil.rmtree(out)
