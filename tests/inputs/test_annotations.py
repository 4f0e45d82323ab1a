"""COCO, labelme and YOLO-seg: regions as their own tools draw them, and whose picture they are."""

import json

import cv2
import numpy as np
import pytest
from annotated import (
    HEIGHT,
    OUTLINE,
    TOOL_FILES,
    WIDTH,
    coco_json,
    found_in,
    labelme_json,
    pictures_in,
    tool_mask,
    write_json,
)
from picture_files import write_picture
from pycocotools import mask as coco

from lesion.console import InputError
from lesion.inputs.annotations import find_annotations

SHAPE = (HEIGHT, WIDTH)
FLAT = [value for point in OUTLINE for value in point]
BOX = [[5, 6], [30, 20]]


def copy(name, folder):
    (folder / name.rpartition("/")[2]).write_bytes((TOOL_FILES / name).read_bytes())


def only_mask(found, *classes, shape=SHAPE):
    (annotation,) = found.by_picture.values()
    return annotation.mask(*shape, classes)


# --- files of the tools -------------------------------------------------------------------------


def test_coco_of_datumaro(tmp_path):
    pictures = pictures_in(tmp_path, "none.png", "polygon.png", "ring.png")
    copy("coco/instances_default.json", tmp_path)
    found = found_in(tmp_path)
    masks = {picture.stem: found.by_picture[picture].mask(*SHAPE) for picture in pictures}
    # Its corners are written as float32, which moves a pixel of the edge.
    assert (masks["polygon"] != tool_mask("polygon")).sum() <= 2
    assert (masks["ring"] == tool_mask("ring")).all()
    assert not masks["none"].any()  # listed without a region: no lesion
    assert found.layout == "COCO JSON"
    assert found.used == {tmp_path / "instances_default.json"}
    assert found.problems == found.remarks == []
    assert [shape.label for shape in found.by_picture[pictures[1]].shapes] == ["lesion"]


def test_labelme_of_labelme(tmp_path):
    pictures_in(tmp_path, "mole.png")
    copy("labelme/mole.json", tmp_path)
    found = found_in(tmp_path)
    assert (only_mask(found) == tool_mask("mole")).all()
    assert found.layout == "labelme JSON"


# --- the same outline in each format ------------------------------------------------------------


@pytest.mark.parametrize("kind", ["polygon", "flat", "counts", "compressed", "two parts"])
def test_coco_regions(tmp_path, kind):
    pictures_in(tmp_path, "a.png")
    packed = coco.merge(coco.frPyObjects([FLAT], *SHAPE))
    truth = coco.decode(packed)
    columns = np.r_[[0], truth.ravel(order="F"), [0]]
    edges = np.flatnonzero(np.diff(columns))
    counts = np.diff(np.r_[0, edges, truth.size]).tolist()
    other = [80, 5, 90, 5, 90, 15, 80, 15]
    regions = {
        "polygon": [FLAT],
        "flat": FLAT,
        "counts": {"size": SHAPE, "counts": counts},
        "compressed": {"size": SHAPE, "counts": packed["counts"].decode()},
        "two parts": [FLAT, other],
    }
    write_json(tmp_path / "a.json", coco_json(["a.png"], [("a.png", "lesion", regions[kind])]))
    if kind == "two parts":
        truth[5:15, 80:90] = 1
    assert (only_mask(found_in(tmp_path)) == truth).all()


@pytest.mark.parametrize("seed", range(20))
def test_compressed_run_lengths_of_any_mask(tmp_path, seed):
    random = np.random.default_rng(seed)
    truth = (random.random(SHAPE) < random.random()).astype(np.uint8)
    packed = coco.encode(np.asfortranarray(truth))["counts"].decode()
    pictures_in(tmp_path, "a.png")
    region = {"size": SHAPE, "counts": packed}
    write_json(tmp_path / "a.json", coco_json(["a.png"], [("a.png", "lesion", region)]))
    assert (only_mask(found_in(tmp_path)) == truth).all()


def test_yolo_as_ultralytics_draws_it(tmp_path):
    pictures_in(tmp_path / "images", "a.png", "none.png", "other.png")
    folder = tmp_path / "labels"
    folder.mkdir()
    shares = np.array(OUTLINE) / (WIDTH, HEIGHT)
    (folder / "a.txt").write_text("1 " + " ".join(f"{value:.6f}" for value in shares.ravel()))
    (folder / "none.txt").write_text("")
    (tmp_path / "data.yaml").write_text("names:\n  0: hair\n  1: lesion\nnc: 2\n")
    found = found_in(tmp_path)
    by_name = {picture.stem: annotation for picture, annotation in found.by_picture.items()}
    truth = cv2.fillPoly(np.zeros(SHAPE, np.uint8), [np.array(OUTLINE).astype(np.int32)], 1)
    assert abs(int(by_name["a"].mask(*SHAPE).sum()) - int(truth.sum())) < 0.01 * truth.sum()
    assert by_name["a"].shapes[0].label == "lesion"
    assert not by_name["none"].mask(*SHAPE).any()
    assert set(by_name) == {"a", "none"}  # a picture without a text has no mask
    assert found.layout == "YOLO-seg texts"
    assert tmp_path / "data.yaml" in found.used


def test_labelme_without_shapes_is_a_picture_without_a_lesion(tmp_path):
    pictures_in(tmp_path, "a.png")
    write_json(tmp_path / "a.json", labelme_json("a.png"))
    assert not only_mask(found_in(tmp_path)).any()


# --- whose picture ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("recorded", "picture"),
    [
        ("a.png", "a.png"),
        ("A.PNG", "a.png"),
        ("..\\images\\a.png", "a.png"),
        ("C:\\Users\\me\\a.png", "a.png"),
        ("/elsewhere/moles/mole%201.png", "mole 1.png"),
        ("https://host/bucket/mole%201.png?X-Amz=7", "mole 1.png"),
        ("/data/local-files/?d=moles/a.png", "a.png"),
        ("/data/upload/3/0a1b2c3d-a.png", "a.png"),
        ("a.png", "0a1b2c3d-a.png"),
        ("a.jpg", "a.png"),
        ("a_png.rf.0123456789abcdef.jpg", "a.png"),
        ("100%.png", "100%.png"),
        ("é.png", "é.png"),
    ],
)
def test_recorded_names(tmp_path, recorded, picture):
    (path,) = pictures_in(tmp_path, picture)
    write_json(tmp_path / "notes.json", coco_json([recorded]))
    found = found_in(tmp_path)
    assert list(found.by_picture) == [path], found.problems


@pytest.mark.parametrize(
    ("recorded", "picture"),
    [
        ("20240101-a.png", "20240102-a.png"),
        ("a_png.rf.0123.jpg", "a_png.rf.4567.jpg"),
        ("b.png", "a.png"),
        ("", "a.png"),
    ],
)
def test_other_names(tmp_path, recorded, picture):
    pictures_in(tmp_path, picture)
    write_json(tmp_path / "notes.json", coco_json([recorded]))
    found = found_in(tmp_path)
    assert found.by_picture == {}
    assert "the picture it annotates is not in this folder" in found.problems[0]


def test_folders_tell_pictures_of_one_name_apart(tmp_path):
    one, two = (
        write_picture(tmp_path / name / "0.png", (WIDTH, HEIGHT), seed)
        for seed, name in enumerate(("one", "two"))
    )
    write_json(tmp_path / "all.json", coco_json(["one/0.png", "two/0.png"],
                                                [("two/0.png", "lesion", [FLAT])]))  # fmt: skip
    found = found_in(tmp_path)
    assert [len(found.by_picture[picture].shapes) for picture in (one, two)] == [0, 1]
    write_json(tmp_path / "all.json", coco_json(["0.png"]))
    assert "0.png may be " in found_in(tmp_path).problems[0]


def test_a_file_of_one_part_says_nothing_of_another(tmp_path):
    train, val = (pictures_in(tmp_path / "images" / part, "0.png")[0] for part in ("train", "val"))
    for part, regions in (("train", []), ("val", [("0.png", "lesion", [FLAT])])):
        path = tmp_path / "annotations" / f"instances_{part}2017.json"
        write_json(path, coco_json(["0.png"], regions))
    found = found_in(tmp_path)
    assert [len(found.by_picture[picture].shapes) for picture in (train, val)] == [0, 1]
    assert found.problems == []


def test_texts_of_yolo_belong_to_the_pictures_of_their_part(tmp_path):
    text = "0 " + " ".join(map(str, (np.array(OUTLINE) / (WIDTH, HEIGHT)).ravel()))
    for part, content in (("train", text), ("valid", f"{text}\n{text}")):
        pictures_in(tmp_path / part / "images", "0.png")
        (tmp_path / part / "labels").mkdir()
        (tmp_path / part / "labels" / "0.txt").write_text(content)
    counts = {p.parts[-3]: len(a.shapes) for p, a in found_in(tmp_path).by_picture.items()}
    assert counts == {"train": 1, "valid": 2}


def test_an_excerpt_of_a_data_set_is_remarked(tmp_path):
    pictures_in(tmp_path, "a.png")
    write_json(tmp_path / "all.json", coco_json(["a.png", "b.png", "c.png"]))
    found = found_in(tmp_path)
    assert found.problems == []
    assert "2 of the 3 pictures" in found.remarks[0]


def test_a_picture_that_two_files_annotate(tmp_path):
    pictures_in(tmp_path, "a.png")
    write_json(tmp_path / "a.json", labelme_json("a.png", ("lesion", OUTLINE)))
    write_json(tmp_path / "coco.json", coco_json(["a.png"]))
    (problem,) = found_in(tmp_path).problems
    assert "a.json annotates too; keep one of the two" in problem


# --- sizes --------------------------------------------------------------------------------------


def test_a_picture_made_smaller_since(tmp_path):
    pictures_in(tmp_path, "a.png", size=(48, 36))
    write_json(tmp_path / "a.json", labelme_json("a.png", ("lesion", [[10, 10], [50, 10], [50, 40],
                                                                      [10, 40]])))  # fmt: skip
    mask = only_mask(found_in(tmp_path), shape=(36, 48))
    truth = np.zeros((36, 48), np.uint8)
    truth[5:21, 5:26] = 1
    assert (mask == truth).all()


def test_a_picture_of_another_form(tmp_path):
    pictures_in(tmp_path, "a.png", size=(72, 96))
    write_json(tmp_path / "a.json", labelme_json("a.png", ("lesion", OUTLINE)))
    with pytest.raises(InputError, match="drawn on 96 x 72 pixels, the picture has 72 x 96; give"):
        only_mask(found_in(tmp_path), shape=(96, 72))


def test_points_outside_of_the_picture(tmp_path):
    pictures_in(tmp_path, "a.png")
    content = labelme_json("a.png", ("lesion", [[5, 5], [900, 5], [5, 700]]))
    write_json(tmp_path / "a.json", content)
    with pytest.raises(InputError, match="900, 5 lies outside of the picture's 96 x 72 pixels"):
        only_mask(found_in(tmp_path))


# --- what is no outline -------------------------------------------------------------------------


def test_boxes_of_yolo_are_named(tmp_path):
    (picture,) = pictures_in(tmp_path, "a.png")
    (tmp_path / "a.txt").write_text("0 0.5 0.5 0.25 0.25\n")
    found = found_in(tmp_path)
    assert found.by_picture == {}
    assert "1 picture(s) have only shapes that enclose no lesion (box): a.png" in found.problems[0]
    assert found_in(tmp_path, [picture]).problems == []


def test_boxes_of_coco_are_named(tmp_path):
    pictures_in(tmp_path, "a.png", "b.png")
    content = coco_json(["a.png", "b.png"], [("a.png", "lesion", []), ("b.png", "lesion", [FLAT])])
    write_json(tmp_path / "a.json", content)
    found = found_in(tmp_path)
    assert [picture.name for picture in found.by_picture] == ["b.png"]
    assert "1 picture(s) have only shapes that enclose no lesion (box): a.png" in found.problems[0]


def test_a_folder_of_rectangles_is_named(tmp_path):
    pictures_in(tmp_path, "a.png", "b.png")
    for name in "ab":
        content = labelme_json(f"{name}.png", ("lesion", BOX, "rectangle"))
        write_json(tmp_path / f"{name}.json", content)
    found = found_in(tmp_path)
    assert found.by_picture == {}
    assert found.problems == [
        "labelme JSON: every shape of 2 picture(s) is a rectangle, a box around a lesion rather "
        "than its outline; draw the outlines"
    ]


def test_lines_and_points_are_left_out(tmp_path):
    pictures_in(tmp_path, "a.png", "b.png")
    line = ("ruler", BOX, "line")
    write_json(tmp_path / "a.json", labelme_json("a.png", ("lesion", OUTLINE), line))
    write_json(tmp_path / "b.json", labelme_json("b.png", line))
    found = found_in(tmp_path)
    assert [picture.name for picture in found.by_picture] == ["a.png"]
    assert "(line): b.png" in found.problems[0]
    assert found.remarks == ["labelme JSON: shapes that enclose no area are left out: 2 line"]


def test_predictions_with_a_confidence_are_no_truth(tmp_path):
    pictures_in(tmp_path, "a.png")
    (tmp_path / "a.txt").write_text("0 0.1 0.1 0.5 0.1 0.5 0.5 0.87\n")
    found = found_in(tmp_path)
    assert found.by_picture == {}
    assert "a number too many, as predictions" in found.problems[0]


def test_points_among_the_parts_of_a_region(tmp_path):
    pictures_in(tmp_path, "a.png", "b.png")
    regions = [("a.png", "lesion", [FLAT, [5, 5], [6, 6, 9, 9]]), ("b.png", "lesion", [[5, 5]])]
    write_json(tmp_path / "all.json", coco_json(["a.png", "b.png"], regions))
    found = found_in(tmp_path)
    assert only_mask(found).sum() == coco.decode(coco.frPyObjects([FLAT], *SHAPE)).sum()
    assert "(line): b.png" in found.problems[0]


def test_regions_without_categories(tmp_path):
    pictures_in(tmp_path, "a.png")
    content = coco_json(["a.png"], [("a.png", "lesion", [FLAT])])
    del content["categories"]
    write_json(tmp_path / "all.json", content)
    (annotation,) = found_in(tmp_path).by_picture.values()
    assert [shape.label for shape in annotation.shapes] == ["category 1"]


def test_beside_masks_nothing_is_a_problem(tmp_path):
    (mask,) = pictures_in(tmp_path / "label", "a.png")
    pictures_in(tmp_path / "image", "a.png")
    write_json(tmp_path / "coco.json", coco_json(["b.png"]))
    (tmp_path / "broken.json").write_text("{")
    (tmp_path / "a.txt").write_text("0 0.5 0.5 0.25 0.25\n")
    found = found_in(tmp_path, [mask])
    assert found.problems == []
    assert len(found.remarks) == 2
    assert tmp_path / "broken.json" not in found.used


# --- what is no annotation ----------------------------------------------------------------------


def test_other_files_are_none(tmp_path):
    pictures_in(tmp_path, "a.png", "1.png")
    write_json(tmp_path / "package.json", {"name": "a", "version": "1.0"})
    write_json(tmp_path / "dataset.json", {"channel_names": {"0": "R"}, "labels": {"lesion": 1}})
    write_json(tmp_path / "a.json", ["a.png"])
    captions = {"images": [], "annotations": [{"image_id": 1, "caption": "a mole"}]}
    write_json(tmp_path / "captions.json", captions)
    (tmp_path / "lines.json").write_text('{"a": 1}\n{"a": 2}\n')
    (tmp_path / "1.txt").write_text("a note on the picture")
    (tmp_path / "train.txt").write_text("1\na\n")
    found = found_in(tmp_path)
    assert (found.by_picture, found.used, found.problems, found.layout) == ({}, set(), [], "")


# --- damaged files ------------------------------------------------------------------------------

DEEP = "[" * 100_000
NO_AREA = [1, 2, 3, 4]
HUGE = {"size": [10**9, 10**9], "counts": [10**18]}
BAD_REGIONS = [
    [NO_AREA],
    [["x"] * 6],
    [[float("nan")] * 6],
    [[1, 2, 3, 4, 5, 10**400]],
    [[1, 2, 3, 4, 5, 6, 7]],
    [{}],
    "lesion",
    7,
    {"size": SHAPE, "counts": [5, 5]},
    {"size": SHAPE, "counts": [-5, 5 + HEIGHT * WIDTH]},
    {"size": SHAPE, "counts": ""},
    {"size": SHAPE, "counts": "zzzz"},
    {"size": SHAPE, "counts": "~" * 99},
    {"size": SHAPE, "counts": "é"},
    {"size": SHAPE, "counts": None},
    {"size": [5, 5], "counts": [25]},
    {"size": 5, "counts": [25]},
    {"counts": [25]},
    HUGE,
]


@pytest.mark.parametrize("region", BAD_REGIONS, ids=range(len(BAD_REGIONS)))
def test_damaged_regions_of_coco(tmp_path, region):
    pictures_in(tmp_path, "a.png", "b.png")
    content = coco_json(["a.png", "b.png"], [("a.png", "lesion", region)])
    write_json(tmp_path / "all.json", content)
    found = found_in(tmp_path)
    lines = found.problems
    for annotation in found.by_picture.values():
        try:
            annotation.mask(*SHAPE)
        except InputError as error:
            lines = [*lines, str(error)]
    (line,) = lines
    assert line.startswith(str(tmp_path / "all.json"))
    assert "a.png" in line
    assert "\n" not in line


@pytest.mark.parametrize(
    "content",
    [
        DEEP,
        '{"a":' * 100_000,
        "",
        "{",
        '{"images": [], "annotations": [], "categories": [7]}',
        '{"images": [7], "annotations": [], "categories": []}',
        '{"images": [{"id": [], "file_name": "a.png"}], "annotations": [], "categories": []}',
        '{"images": [{"id": 1, "file_name": "a.png"}, {"id": 1, "file_name": "b.png"}], '
        '"annotations": [], "categories": []}',
        '{"images": [], "annotations": [{"image_id": 1}], "categories": []}',
        '{"imagePath": "a.png", "shapes": 7}',
        '{"imagePath": "a.png", "shapes": [7]}',
        '{"imagePath": "a.png", "shapes": [{"label": "x", "points": [[1, 2]]}]}',
        '{"imagePath": "a.png", "shapes": [{"label": "x", "shape_type": "mask", "mask": "eHg=",'
        ' "points": [[1, 2], [3, 4]]}]}',
        '{"imagePath": "a.png", "shapes": [], "imageHeight": "x", "imageWidth": 1}',
        '{"imagePath": "a.png", "shapes": [], "imageHeight": Infinity, "imageWidth": 1}',
    ],
    ids=range(15),
)
def test_damaged_files(tmp_path, content):
    pictures_in(tmp_path, "a.png")
    (tmp_path / "a.json").write_text(content)
    found = found_in(tmp_path)
    (line,) = found.problems
    assert line.startswith(str(tmp_path / "a.json"))
    assert found.by_picture == {}
    assert "\n" not in line


def test_a_damaged_text_of_yolo(tmp_path):
    pictures_in(tmp_path, "a.png", "b.png", "c.png")
    (tmp_path / "a.txt").write_text("0 0.1 0.1 0.5 0.1 0.5 0.5\n")
    (tmp_path / "b.txt").write_text("0 0.1 0.1 0.5 nan 0.5 0.5\n")
    (tmp_path / "c.txt").write_text("0 10 10 50 10 50 50\n")
    (tmp_path / "data.yaml").write_text("names: {[}")
    found = found_in(tmp_path)
    assert {picture.name for picture in found.by_picture} == {"a.png"}
    assert [line.partition(": ")[0] for line in found.problems] == [
        str(tmp_path / "data.yaml"),
        str(tmp_path / "b.txt"),
    ]
    assert found.problems[1].endswith("(and 1 more of YOLO-seg texts)")
    (tmp_path / "b.txt").unlink()
    assert "pixels, not shares" in found_in(tmp_path).problems[1]


# --- many ---------------------------------------------------------------------------------------


def test_ten_thousand_pictures_in_one_file(tmp_path):
    names = [f"ISIC_{number:07}.jpg" for number in range(10_000)]
    content = coco_json(names, [(name, "lesion", [FLAT]) for name in names])
    path = write_json(tmp_path / "all.json", content)
    found = find_annotations([path], [tmp_path / name for name in names])
    assert len(found.by_picture) == len(names)
    assert json.loads(path.read_text())["images"]
