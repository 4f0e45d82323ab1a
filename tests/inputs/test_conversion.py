"""`segment.py convert`: into plain image/ + label/, to annotation tools, and back again."""

import json
import os
import shutil

import cv2
import numpy as np
import pytest
from annotated import HEIGHT, OUTLINE, TOOL_FILES, WIDTH, pictures_in, tool_mask, write_json
from annotated import labelme_json as labelme
from picture_files import square_mask, write_mask, write_pairs, write_picture
from PIL import Image
from pycocotools.coco import COCO

from lesion.inputs.conversion import convert
from lesion.inputs.legend import Legend
from lesion.inputs.pairing import find_pairs, find_parts
from lesion.inputs.reading import read_image, read_pair, read_second_truth, read_truth
from lesion.masks import IGNORED, PREDICTED

SIZE = (WIDTH, HEIGHT)


def blobs(seed, share=0.4):
    """A mask of several regions, some with holes, some of a few pixels."""
    noise = np.random.default_rng(seed).standard_normal((HEIGHT, WIDTH)).astype(np.float32)
    smooth = cv2.GaussianBlur(noise, (0, 0), 1 + seed % 4)
    return (smooth > np.quantile(smooth, 1 - share)).astype(np.uint8)


def masks_in(folder):
    pairs = find_pairs(folder).labelled
    return {pair.name: read_pair(pair)[1] for pair in pairs}


def files_in(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*")
                  if path.is_file())  # fmt: skip


# --- there and back -----------------------------------------------------------------------------

MASKS = {
    "blobs": blobs(1),
    "many": blobs(4, 0.1),
    "smooth": blobs(3, 0.6),
    "full": np.ones((HEIGHT, WIDTH), np.uint8),
    "empty": np.zeros((HEIGHT, WIDTH), np.uint8),
    "ring": tool_mask("ring"),
    "dots": (np.arange(HEIGHT * WIDTH).reshape(HEIGHT, WIDTH) % 1000 == 7).astype(np.uint8),
}


@pytest.mark.parametrize("to", ["coco", "labelme", "yolo"])
def test_there_and_back(tmp_path, run_command, to):
    data = tmp_path / "data"
    for name, mask in MASKS.items():
        write_picture(data / "image" / f"{name}.png", SIZE)
        write_mask(data / "label" / f"{name}.png", SIZE, mask)
    there, back = tmp_path / "there", tmp_path / "back"
    code, output, _ = run_command("convert", data, "--to", to, "--out", there)
    assert code == 0
    assert f"7 pictures with their masks\nall is in {there}" in output
    assert ("the same pictures for training and validation" in output) == (to == "yolo")
    assert run_command("convert", there, "--out", back)[0] == 0
    for name, mask in masks_in(back).items():
        assert (mask != MASKS[name]).sum() <= 0.01 * MASKS[name].sum(), name
    assert masks_in(back).keys() == MASKS.keys()
    for name in MASKS:
        copied = (back / "image" / f"{name}.png").read_bytes()
        assert copied == (data / "image" / f"{name}.png").read_bytes()


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("to", ["coco", "labelme", "yolo"])
def test_any_mask_comes_back(tmp_path, to, seed):
    mask = blobs(seed, 0.05 + 0.15 * seed)
    write_picture(tmp_path / "image" / "a.png", SIZE)
    write_mask(tmp_path / "label" / "a.png", SIZE, mask)
    convert(tmp_path, tmp_path / "out", to)
    assert (masks_in(tmp_path / "out")["a"] != mask).sum() <= 0.01 * mask.sum()


def test_coco_as_its_own_library_reads_it(tmp_path):
    write_picture(tmp_path / "image" / "a.png", SIZE)
    write_mask(tmp_path / "label" / "a.png", SIZE, MASKS["blobs"])
    convert(tmp_path, tmp_path / "out", "coco")
    coco = COCO(tmp_path / "out" / "annotations" / "instances_default.json")
    union = np.zeros((HEIGHT, WIDTH), np.uint8)
    for region in coco.loadAnns(coco.getAnnIds()):
        drawn = coco.annToMask(region)
        assert region["area"] == drawn.sum()
        left, top, width, height = region["bbox"]
        y, x = np.nonzero(drawn)
        assert left <= x.min() + 0.5
        assert x.max() + 0.5 <= left + width
        assert top <= y.min() + 0.5
        assert y.max() + 0.5 <= top + height
        union |= drawn
    assert (union != MASKS["blobs"]).sum() <= 0.01 * union.sum()


def test_outlines_have_few_points(tmp_path):
    y, x = np.mgrid[:600, :800]
    disc = ((x - 400) ** 2 + (y - 300) ** 2 < 200**2).astype(np.uint8)
    write_picture(tmp_path / "image" / "a.png", (800, 600))
    write_mask(tmp_path / "label" / "a.png", (800, 600), disc)
    convert(tmp_path, tmp_path / "out", "labelme")
    (shape,) = json.loads((tmp_path / "out" / "a.json").read_text())["shapes"]
    assert len(shape["points"]) < 80


# --- what is written ----------------------------------------------------------------------------


def test_shapes_become_masks(tmp_path):
    pictures_in(tmp_path / "data", "polygon.jpg", "ring.jpg", "none.jpg")
    shutil.copy(TOOL_FILES / "cvat" / "default.xml", tmp_path / "data")
    lines = convert(tmp_path / "data", tmp_path / "out")
    assert lines == ["3 pictures with their masks"]
    assert files_in(tmp_path / "out") == [
        f"{folder}/{name}.{suffix}"
        for folder, suffix in (("image", "jpg"), ("label", "png"))
        for name in ("none", "polygon", "ring")
    ]
    mask = np.array(Image.open(tmp_path / "out" / "label" / "ring.png"))
    assert (mask == tool_mask("ring") * 255).all()


def test_chosen_classes(tmp_path, run_command):
    pictures_in(tmp_path / "data", "a.png")
    ruler = [[80, 5], [92, 5], [92, 15]]
    write_json(tmp_path / "data" / "a.json", labelme("a.png", ("mole", OUTLINE), ("ruler", ruler)))
    code, _, errors = run_command("convert", tmp_path / "data", "--out", tmp_path / "out")
    assert code == 2
    assert "--lesion-class NAME" in errors[0]
    assert not (tmp_path / "out").exists()
    command = ["convert", tmp_path / "data", "--lesion-class", "mole", "--out", tmp_path / "out"]
    assert run_command(*command)[0] == 0
    assert not masks_in(tmp_path / "out")["a"][:20, 75:].any()


def test_pictures_that_other_tools_show_otherwise(tmp_path):
    note = Image.Exif()
    note[0x0112] = 6
    write_picture(tmp_path / "image" / "turned.jpg", (40, 30), exif=note)
    write_mask(tmp_path / "label" / "turned.png", (30, 40))
    deep = (np.arange(1200).reshape(30, 40) * 3).astype(np.uint16)  # of 12 bits
    Image.fromarray(deep).save(tmp_path / "image" / "deep.png")
    write_mask(tmp_path / "label" / "deep.png", (40, 30))
    write_picture(tmp_path / "image" / "web.webp", (40, 30))
    write_mask(tmp_path / "label" / "web.png", (40, 30))
    convert(tmp_path, tmp_path / "out")
    pairs = {pair.name: pair for pair in find_pairs(tmp_path / "out").labelled}
    assert {pair.image.name for pair in pairs.values()} == {"turned.png", "deep.png", "web.png"}
    upright = read_image(tmp_path / "image" / "turned.jpg")
    assert (read_image(pairs["turned"].image) == upright).all()
    assert (read_pair(pairs["turned"])[1] == square_mask((30, 40))).all()
    assert np.array(Image.open(pairs["deep"].image)).max() == 3597 >> 4


def test_parts_stay_parts_and_lesions_lesions(tmp_path):
    for part in ("train", "val", "test"):
        names = [f"{part}{number}" for number in range(3)]
        write_pairs(tmp_path / part, names)
        rows = "".join(f"{name},lesion of {part},mole\n" for name in names)
        text = f"image_id,lesion_id,kind\n{rows}"
        (tmp_path / part / "metadata.csv").write_text(text)
    before = find_parts(tmp_path)
    convert(tmp_path, tmp_path / "out")
    after = find_parts(tmp_path / "out")
    assert after.keys() == before.keys() == {"train", "validation", "test"}
    for part in before:
        for old, new in zip(before[part].pairs, after[part].pairs, strict=True):
            assert (old.name, old.group) == (new.name, new.group)
            assert new.metadata["kind"] == "mole"


def test_ignored_pixels_and_second_masks(tmp_path, run_command):
    mask = square_mask()
    mask[8:] = 2
    write_picture(tmp_path / "image" / "a.png")
    write_mask(tmp_path / "label" / "a.png")
    Image.fromarray(mask).save(tmp_path / "label" / "a.png")
    write_mask(tmp_path / "label_2" / "a.png")
    Image.fromarray(mask * (mask == 1)).save(tmp_path / "label_2" / "a.png")
    levels = ["--lesion-level", 1, "--ignore-level", 2]
    code, output, _ = run_command("convert", tmp_path, *levels, "--out", tmp_path / "out")
    assert code == 0
    assert "1 masks have ignored pixels: use them with --lesion-level 255 --ignore-level" in output
    (pair,) = find_pairs(tmp_path / "out").pairs
    legend = Legend(("255",), ("128",))
    pair = type(pair)(**{**vars(pair), "legend": legend})
    truth = read_truth(pair, (10, 12))
    assert (truth == np.where(mask == 2, IGNORED, mask)).all()
    assert (read_second_truth(pair, (10, 12)) == (mask == 1)).all()
    _, output, _ = run_command(
        "convert", tmp_path, *levels, "--to", "yolo", "--out", tmp_path / "y"
    )
    assert "1 masks have ignored pixels, which this format cannot hold" in output


def test_pictures_of_one_name_in_several_folders(tmp_path):
    for name in ("nevus", "melanoma"):
        write_picture(tmp_path / "image" / name / "1.png", SIZE, seed=len(name))
        write_mask(tmp_path / "label" / name / "1.png", SIZE, blobs(len(name)))
    for to in (None, "coco", "labelme", "yolo"):
        out = tmp_path / f"out_{to}"
        convert(tmp_path, out, to)
        masks = masks_in(out)
        for name in ("nevus", "melanoma"):
            truth = blobs(len(name))
            assert (masks[f"{name}/1"] != truth).sum() <= 0.01 * truth.sum(), to


# --- predictions to correct ---------------------------------------------------------------------


def predicted(folder, name, mask):
    from PIL.PngImagePlugin import PngInfo

    text = PngInfo()
    text.add_text(*PREDICTED)
    folder.mkdir(exist_ok=True)
    Image.fromarray(mask * np.uint8(255)).save(folder / f"{name}_mask.png", pnginfo=text)
    write_picture(folder / f"{name}_overlay.png", SIZE)


@pytest.mark.parametrize("to", ["coco", "labelme", "yolo"])
def test_predictions_are_corrected_in_a_tool(tmp_path, run_command, to):
    pictures_in(tmp_path / "pictures", "a.jpg", "b.jpg", "c.jpg")
    for name in "ab":
        predicted(tmp_path / "masks", name, MASKS["ring"])
    command = ["convert", tmp_path / "pictures", "--predictions", tmp_path / "masks"]
    code, output, _ = run_command(*command, "--to", to, "--out", tmp_path / "out")
    assert code == 0
    assert "2 pictures with their masks\nleft out, without a mask: c" in output
    masks = masks_in(tmp_path / "out")
    assert masks.keys() == {"a", "b"}
    assert (masks["a"] != MASKS["ring"]).sum() <= 0.01 * MASKS["ring"].sum()


def test_predictions_are_no_truth(tmp_path, refused):
    pictures_in(tmp_path / "pictures", "a.jpg")
    predicted(tmp_path / "masks", "b", MASKS["ring"])
    command = ["convert", tmp_path / "pictures", "--predictions", tmp_path / "masks"]
    refused("--predictions needs --to|corrected", *command, "--out", tmp_path / "out")
    refused("holds no mask that predict made|a_mask.png", *command, "--to", "coco", "--out",
            tmp_path / "out")  # fmt: skip
    assert not (tmp_path / "out").exists()


# --- all or nothing -----------------------------------------------------------------------------


def test_a_damaged_picture_leaves_nothing(tmp_path, run_command, refused):
    write_pairs(tmp_path / "data", ["1", "2", "3"])
    (tmp_path / "data" / "image" / "2.png").write_bytes(b"")
    command = ["convert", tmp_path / "data", "--out", tmp_path / "out"]
    refused("2.png: the file is empty|--skip-bad", *command)
    assert not (tmp_path / "out").exists()
    code, output, _ = run_command(*command, "--skip-bad")
    assert code == 0
    assert "left out: " in output
    assert masks_in(tmp_path / "out").keys() == {"1", "3"}
    refused("already holds files", *command)


def test_a_full_disk_leaves_nothing(tmp_path, monkeypatch, refused):
    write_pairs(tmp_path / "data", ["1", "2"])

    def full(*arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(shutil, "copyfile", full)
    refused("No space left", "convert", tmp_path / "data", "--out", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_folder_without_masks(tmp_path, refused):
    pictures_in(tmp_path / "data", "a.png")
    refused(
        "the folder holds pictures alone; add their masks",
        "convert",
        tmp_path / "data",
        "--out",
        tmp_path / "out",
    )
    assert os.listdir(tmp_path) == ["data"]
