"""CVAT, Label Studio, VIA and ImageJ: shapes as the tools draw them, and their ways to name."""

import csv
import json
import shutil
import sys
import zipfile

import numpy as np
import pytest
from annotated import (
    HEIGHT,
    OUTLINE,
    TOOL_FILES,
    WIDTH,
    found_in,
    pictures_in,
    tool_mask,
    write_json,
)
from pycocotools import mask as coco
from roifile import ROI_TYPE, ImagejRoi

from lesion.console import InputError

SHAPE = (HEIGHT, WIDTH)
Y, X = np.mgrid[:HEIGHT, :WIDTH] + 0.5  # centres of pixels


def filled(outline=OUTLINE):
    flat = [float(value) for point in outline for value in point]
    return coco.decode(coco.frPyObjects([flat], *SHAPE))[..., 0]


def ellipse(cx, cy, rx, ry, degrees=0):
    """The pixels whose centre is in an ellipse that is turned clockwise on the screen."""
    cos, sin = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    along, across = (X - cx) * cos + (Y - cy) * sin, (Y - cy) * cos - (X - cx) * sin
    return ((along / rx) ** 2 + (across / ry) ** 2 <= 1).astype(np.uint8)


def only_mask(found, *classes):
    (annotation,) = found.by_picture.values()
    return annotation.mask(*SHAPE, classes)


def assert_same(mask, truth, share=0.01):
    assert truth.any()
    assert (mask != truth).sum() <= share * truth.sum()


# --- CVAT ---------------------------------------------------------------------------------------


def test_cvat_of_datumaro(tmp_path):
    pictures = pictures_in(tmp_path / "images", "none.png", "polygon.png", "ring.png")
    shutil.copy(TOOL_FILES / "cvat" / "default.xml", tmp_path / "annotations.xml")
    found = found_in(tmp_path)
    masks = {picture.stem: found.by_picture[picture].mask(*SHAPE) for picture in pictures}
    assert_same(masks["polygon"], tool_mask("polygon"), 0.002)
    assert (masks["ring"] == tool_mask("ring")).all()
    assert not masks["none"].any()
    assert found.layout == "CVAT XML"
    assert found.problems == found.remarks == []


def cvat_xml(folder, shapes, name="a.png"):
    text = (
        '<?xml version="1.0" encoding="utf-8"?><annotations><version>1.1</version>'
        f'<image id="0" name="{name}" width="{WIDTH}" height="{HEIGHT}">{shapes}</image>'
        "</annotations>"
    )
    (folder / "annotations.xml").write_text(text)


@pytest.mark.parametrize(
    ("element", "truth"),
    [
        (
            '<ellipse label="lesion" cx="40" cy="30" rx="25" ry="12" rotation="30"/>',
            ellipse(40, 30, 25, 12, 30),
        ),
        (
            '<mask label="lesion" rle="1, 2, 3" left="5" top="7" width="3" height="2"/>',
            (np.isin(X, (6.5, 7.5)) & (Y == 7.5)).astype(np.uint8),
        ),
        (
            '<polygon label="lesion" points="10,10;40,10;40,30;10,30"/>'
            '<box label="lesion" xtl="50" ytl="20" xbr="70" ybr="30" rotation="90"/>',
            (
                ((abs(X - 25) < 15) & (abs(Y - 20) < 10)) | ((abs(X - 60) < 5) & (abs(Y - 25) < 10))
            ).astype(np.uint8),
        ),
    ],
    ids=["ellipse", "mask", "box"],
)
def test_cvat_shapes(tmp_path, element, truth):
    pictures_in(tmp_path, "a.png")
    cvat_xml(tmp_path, element)
    assert_same(only_mask(found_in(tmp_path)), truth)


def test_cvat_of_boxes_and_of_video(tmp_path):
    pictures_in(tmp_path, "a.png")
    cvat_xml(tmp_path, '<box label="lesion" xtl="1" ytl="2" xbr="30" ybr="20"/>')
    assert "CVAT XML: every shape of 1 picture(s) is a rectangle" in found_in(tmp_path).problems[0]
    cvat_xml(tmp_path, '<points label="lesion" points="1,2"/>')
    assert "(points): a.png" in found_in(tmp_path).problems[0]
    path = tmp_path / "annotations.xml"
    path.write_text('<annotations><track id="0" label="lesion"/></annotations>')
    assert "CVAT for video" in found_in(tmp_path).problems[0]


def test_xml_that_is_no_cvat(tmp_path):
    pictures_in(tmp_path, "a.png")
    (tmp_path / "a.xml").write_text("<annotation><filename>a.png</filename></annotation>")
    (tmp_path / "b.xml").write_text("<broken")
    assert found_in(tmp_path).used == set()


@pytest.mark.parametrize(
    "content",
    [
        "<annotations><image",
        '<!DOCTYPE a [<!ENTITY b "cccc">]><annotations><image name="&b;"/></annotations>',
        "<annotations><image/></annotations>",
        '<annotations><image name="a.png"><polygon label="x"/></image></annotations>',
        '<annotations><image name="a.png"><polygon label="x" points="1,2"/></image></annotations>',
        '<annotations><image name="a.png"><mask label="x" rle="4" left="0" top="0" width="9" '
        'height="9"/></image></annotations>',
        '<annotations><image name="a.png" width="9" height="9"><mask label="x" rle="81" left="5" '
        'top="0" width="9" height="9"/></image></annotations>',
        '<annotations><image name="a.png"><ellipse label="x" cx="nan" cy="1" rx="1" ry="1"/>'
        "</image></annotations>",
    ],
)
def test_damaged_cvat(tmp_path, content):
    pictures_in(tmp_path, "a.png")
    (tmp_path / "a.xml").write_text(content)
    found = found_in(tmp_path)
    (line,) = found.problems
    assert line.startswith(str(tmp_path / "a.xml"))
    assert found.by_picture == {}


def cvat_masks(folder):
    shutil.copytree(TOOL_FILES / "voc", folder, dirs_exist_ok=True)
    return pictures_in(folder / "JPEGImages", "none.jpg", "polygon.jpg", "ring.jpg")


def found_with_labelmap(folder):
    masks = sorted(folder.glob("SegmentationClass/*.png"))
    return found_in(folder, masks)


def test_cvat_masks_of_datumaro(tmp_path):
    none, polygon, ring = cvat_masks(tmp_path)
    found = found_with_labelmap(tmp_path)
    assert_same(found.by_picture[polygon].mask(*SHAPE), tool_mask("polygon"), 0.002)
    assert (found.by_picture[ring].mask(*SHAPE, ("lesion",)) == tool_mask("ring")).all()
    assert found.by_picture[ring].mask(*SHAPE, ("hair",)).sum() == 70
    assert none not in found.by_picture
    assert found.by_picture[ring].path == tmp_path / "SegmentationClass" / "ring.png"
    assert {tmp_path / "labelmap.txt", found.by_picture[ring].path} <= found.used
    assert found.problems == []


def test_a_colour_that_labelmap_does_not_name(tmp_path):
    cvat_masks(tmp_path)
    (tmp_path / "labelmap.txt").write_text("background:0,0,0::\nlesion:250,50,83::\n")
    (problem,) = found_with_labelmap(tmp_path).problems
    assert "the colour (51, 221, 255) is not in labelmap.txt" in problem
    (tmp_path / "labelmap.txt").write_text("lesion:red::\n")
    found = found_with_labelmap(tmp_path)  # the masks are masks without it
    assert "is no table of colours" in found.remarks[0]
    assert found.by_picture == {}


# --- Label Studio -------------------------------------------------------------------------------

PNG = "task-12-annotation-7-by-1-tag-lesion-0.png"


@pytest.mark.parametrize("name", ["full.json", "min.json"])
@pytest.mark.parametrize("picture", ["mole.png", "0a1b2c3d-mole.jpg"])
def test_label_studio_of_its_sdk(tmp_path, name, picture):
    pictures_in(tmp_path, picture)
    shutil.copy(TOOL_FILES / "label_studio" / name, tmp_path / "project-1.json")
    found = found_in(tmp_path)
    assert (only_mask(found, "lesion") == tool_mask("brush")).all()
    hair = filled([[9.6, 7.2], [28.8, 9], [19.2, 28.8]])
    assert_same(only_mask(found, "hair"), hair)
    assert found.layout == "Label Studio JSON"
    assert found.problems == found.remarks == []


def test_label_studio_masks_without_the_export(tmp_path):
    pictures_in(tmp_path / "images", "0a1b2c3d-mole.png")
    mask = tmp_path / "masks" / PNG
    mask.parent.mkdir()
    shutil.copy(TOOL_FILES / "label_studio" / PNG, mask)
    found = found_in(tmp_path, [mask])
    assert found.by_picture == {}
    assert found.used == {mask}
    assert found.problems == [
        f"{mask.parent}: 1 masks of Label Studio are called by their tasks ({PNG}), which does not "
        "say which picture is meant; put the JSON export of the same project beside them"
    ]


@pytest.mark.parametrize("answered", [True, False])
def test_label_studio_masks_beside_the_export(tmp_path, answered):
    pictures_in(tmp_path / "images", "0a1b2c3d-mole.png")
    mask = tmp_path / "masks" / PNG
    mask.parent.mkdir()
    shutil.copy(TOOL_FILES / "label_studio" / PNG, mask)
    tasks = json.loads((TOOL_FILES / "label_studio" / "full.json").read_text())
    if not answered:
        tasks[0]["annotations"] = []
    export = write_json(tmp_path / "export.json", tasks)
    found = found_in(tmp_path, [mask])
    assert (only_mask(found, "lesion") == tool_mask("brush")).all()
    assert found.used >= {mask} | ({export} if answered else set())
    assert found.problems == []


def task(*regions, number=1, name="a.png", **answer):
    result = [
        {"id": f"r{index}", "type": "x", "original_width": WIDTH, "original_height": HEIGHT,
         "image_rotation": 0, "from_name": "tag", "to_name": "image"} | region
        for index, region in enumerate(regions)
    ]  # fmt: skip
    answers = [{"id": 1, "result": result, "was_cancelled": False} | answer]
    return {"id": number, "annotations": answers, "data": {"patient": "1", "image": f"/d/{name}"}}


def percent(outline):
    return [[x * 100 / WIDTH, y * 100 / HEIGHT] for x, y in outline]


POLYGON = {"value": {"points": percent(OUTLINE), "polygonlabels": ["lesion"]}}
OVAL = {"x": 50, "y": 50, "radiusX": 25, "radiusY": 20, "rotation": 40, "ellipselabels": ["lesion"]}
BOX = {"x": 50, "y": 25, "width": 25, "height": 25, "rotation": 90, "rectanglelabels": ["lesion"]}


@pytest.mark.parametrize(
    ("regions", "truth"),
    [
        ([POLYGON], filled()),
        ([{"value": OVAL}], ellipse(48, 36, 24, 14.4, 40)),
        # Turned about its upper left corner: it comes to lie on its side to the left of it.
        (
            [POLYGON, {"value": BOX}],
            filled() | ((X > 30) & (X < 48) & (Y > 18) & (Y < 42)).astype(np.uint8),
        ),
        (
            [
                {"id": "one", "value": {"points": percent(OUTLINE)}},
                {"id": "one", "value": {"points": percent(OUTLINE), "labels": ["lesion"]}},
            ],
            filled(),
        ),
    ],
    ids=["polygon", "ellipse", "rectangle", "two tags"],
)
def test_label_studio_regions(tmp_path, regions, truth):
    pictures_in(tmp_path, "a.png", "1.png")
    write_json(tmp_path / "export.json", [task(*regions)])
    found = found_in(tmp_path)
    assert {p.name: {s.label for s in a.shapes} for p, a in found.by_picture.items()} == {
        "a.png": {"lesion"}
    }
    assert_same(only_mask(found, "lesion"), truth)


def test_tasks_without_an_answer(tmp_path):
    skipped, empty = pictures_in(tmp_path, "skipped.png", "empty.png", "waiting.png")[:2]
    waiting = task(name="waiting.png")
    waiting["annotations"] = []
    tasks = [task(POLYGON, name="skipped.png", was_cancelled=True), task(name="empty.png"), waiting]
    write_json(tmp_path / "export.json", tasks)
    found = found_in(tmp_path)
    assert list(found.by_picture) == [empty]
    assert skipped not in found.by_picture
    assert found.by_picture[empty].shapes == ()


def test_several_answers_to_a_task(tmp_path):
    pictures_in(tmp_path, "a.png")
    tasks = task(POLYGON, updated_at="2026-01-01")
    tasks["annotations"] += task({"value": OVAL}, updated_at="2026-02-01")["annotations"]
    write_json(tmp_path / "export.json", [tasks])
    found = found_in(tmp_path)
    assert_same(only_mask(found), ellipse(48, 36, 24, 14.4, 40))
    assert "a.png has several annotations, of which the one marked as ground" in found.remarks[0]
    tasks["annotations"][0]["ground_truth"] = True
    write_json(tmp_path / "export.json", [tasks])
    assert_same(only_mask(found_in(tmp_path)), filled())


@pytest.mark.parametrize(
    "value",
    [
        {"points": [[1, 2]]},
        {"points": "x"},
        {"rle": [1, 2, 3], "format": "rle"},
        {"rle": [1000], "format": "rle"},
        {"rle": "x", "format": "rle"},
        {"x": 1, "y": 1, "radiusX": "a", "radiusY": 1},
        {"x": 1, "y": 1, "width": 2, "height": None},
        {"points": [[500, 1], [1, 500], [2, 2]]},
    ],
)
def test_damaged_regions_of_label_studio(tmp_path, value):
    pictures_in(tmp_path, "a.png")
    write_json(tmp_path / "export.json", [task({"value": value | {"labels": ["lesion"]}})])
    found = found_in(tmp_path)
    lines = found.problems
    for annotation in found.by_picture.values():
        with pytest.raises(InputError) as error:
            annotation.mask(*SHAPE)
        lines = [*lines, str(error.value)]
    (line,) = lines
    assert line.startswith(str(tmp_path / "export.json"))
    assert "a.png" in line


# --- VIA ----------------------------------------------------------------------------------------


def via_picture(*shapes, name="a.png", attributes=None):
    attributes = {"lesion": "nevus"} if attributes is None else attributes
    regions = [{"shape_attributes": s, "region_attributes": attributes} for s in shapes]
    return {"filename": name, "size": 1234, "regions": regions, "file_attributes": {}}


VIA_POLYGON = {
    "name": "polygon",
    "all_points_x": [x for x, _ in OUTLINE],
    "all_points_y": [y for _, y in OUTLINE],
}
VIA_SHAPES = [
    (VIA_POLYGON, filled()),
    ({"name": "circle", "cx": 40, "cy": 30, "r": 20.5}, ellipse(40, 30, 20.5, 20.5)),
    (
        {"name": "ellipse", "cx": 40, "cy": 30, "rx": 25, "ry": 12, "theta": 0.5},
        ellipse(40, 30, 25, 12, np.degrees(0.5)),
    ),
]


@pytest.mark.parametrize(("shape", "truth"), VIA_SHAPES, ids=["polygon", "circle", "ellipse"])
@pytest.mark.parametrize("form", ["annotations", "project", "numbered", "csv"])
def test_via(tmp_path, shape, truth, form):
    picture, other = pictures_in(tmp_path, "a.png", "none.png")
    content = {"a.png1234": via_picture(shape), "none.png99": via_picture(name="none.png")}
    if form == "numbered":
        for entry in content.values():
            entry["regions"] = {str(n): region for n, region in enumerate(entry["regions"])}
    if form == "project":
        content = {"_via_settings": {}, "_via_img_metadata": content, "_via_attributes": {}}
    if form == "csv":
        with (tmp_path / "via.csv").open("w", newline="") as file:
            writer = csv.writer(file)
            columns = "filename file_size file_attributes region_count region_id"
            writer.writerow([*columns.split(), "region_shape_attributes", "region_attributes"])
            writer.writerow(["a.png", 1234, "{}", 1, 0, json.dumps(shape), '{"lesion":"nevus"}'])
            writer.writerow(["none.png", 99, "{}", 0, 0, "{}", "{}"])
    else:
        write_json(tmp_path / "via.json", content)
    found = found_in(tmp_path)
    assert_same(found.by_picture[picture].mask(*SHAPE, ("nevus",)), truth)
    assert found.by_picture[other].shapes == ()
    assert found.problems == []
    assert found.layout == ("VIA CSV" if form == "csv" else "VIA JSON")


def test_a_project_of_via_3(tmp_path):
    pictures = pictures_in(tmp_path, "a.png", "b.png", "none.png")
    numbers = [value for point in OUTLINE for value in point]
    shapes = {
        "1_x": {"vid": "1", "flg": 0, "z": [], "xy": [7, *numbers], "av": {"1": "0"}},
        "1_y": {"vid": "1", "flg": 0, "z": [], "xy": [], "av": {"1": "0"}},
        "2_z": {"vid": "2", "flg": 0, "z": [], "xy": [4, 40, 30, 25, 12], "av": {"1": "0"}},
        "2_p": {"vid": "2", "flg": 0, "z": [], "xy": [1, 40, 30], "av": {}},
    }
    numbered = list(enumerate(pictures, 1))
    content = {
        "project": {"pname": "moles"},
        "config": {},
        "attribute": {"1": {"aname": "kind", "type": 4, "options": {"0": "nevus"}}},
        "file": {str(n): {"fid": str(n), "fname": p.name} for n, p in numbered},
        "view": {str(n): {"fid_list": [str(n)]} for n, _ in numbered},
        "metadata": shapes,
    }
    write_json(tmp_path / "via.json", content)
    found = found_in(tmp_path)
    assert found.problems == []
    assert "1 point" in found.remarks[0]
    masks = [found.by_picture[picture].mask(*SHAPE, ("nevus",)) for picture in pictures]
    assert_same(masks[0], filled())
    assert_same(masks[1], ellipse(40, 30, 25, 12))
    assert not masks[2].any()


@pytest.mark.parametrize(
    ("attributes", "label"),
    [
        ({"type": {"lesion": True, "hair": False}}, "lesion"),
        ({"quality": "good", "class": "lesion"}, "lesion"),
        ({"what": "mole"}, "mole"),
        ({}, "unnamed"),
        ({"class": ""}, "unnamed"),
        ([], "unnamed"),
    ],
)
def test_classes_of_via(tmp_path, attributes, label):
    pictures_in(tmp_path, "a.png")
    content = {"a.png1": via_picture(VIA_POLYGON, attributes=attributes)}
    write_json(tmp_path / "via.json", content)
    (annotation,) = found_in(tmp_path).by_picture.values()
    assert [shape.label for shape in annotation.shapes] == [label]


@pytest.mark.parametrize(
    "shape",
    [
        {},
        {"name": "polygon"},
        {"name": "polygon", "all_points_x": [1, 2, 3], "all_points_y": [1, 2]},
        {"name": "circle", "cx": 1, "cy": "x", "r": 2},
        {"name": []},
        7,
    ],
)
def test_damaged_via(tmp_path, shape):
    pictures_in(tmp_path, "a.png")
    write_json(tmp_path / "via.json", {"a.png1": via_picture(shape)})
    found = found_in(tmp_path)
    (line,) = found.problems
    assert line.startswith(str(tmp_path / "via.json"))


# --- ImageJ -------------------------------------------------------------------------------------


def roi(outline=OUTLINE, name="", **options):
    return ImagejRoi.frompoints(np.array(outline, np.float32), name=name, **options).tobytes()


@pytest.mark.parametrize("file", ["a.roi", "A.roi", "a.png.roi", "a_RoiSet.zip", "RoiSet_a.zip",
                                  "a.zip", "a/RoiSet.zip", "a/0001-0002.roi"])  # fmt: skip
def test_regions_of_imagej(tmp_path, file):
    picture = pictures_in(tmp_path, "a.png", "b.png")[0]
    path = tmp_path / file
    path.parent.mkdir(exist_ok=True)
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("0001-0002.roi", roi())
            archive.writestr("0003-0004.roi", roi([[80, 5], [92, 5], [86, 15]]))
        truth = filled() | filled([[80, 5], [92, 5], [86, 15]])
    else:
        path.write_bytes(roi())
        truth = filled()
    found = found_in(tmp_path)
    assert list(found.by_picture) == [picture]
    assert_same(only_mask(found), truth)
    assert {shape.label for shape in found.by_picture[picture].shapes} == {"unnamed"}
    assert found.layout == "ImageJ regions"
    assert found.problems == []


def test_one_set_beside_one_picture(tmp_path):
    pictures_in(tmp_path, "a.png")
    with zipfile.ZipFile(tmp_path / "RoiSet.zip", "w") as archive:
        archive.writestr("lesion.roi", roi(name="lesion 1"))
    (annotation,) = found_in(tmp_path).by_picture.values()
    assert [shape.label for shape in annotation.shapes] == ["lesion"]
    pictures_in(tmp_path, "b.png")
    found = found_in(tmp_path)
    assert found.by_picture == {}
    assert "its name does not say which picture the regions are of" in found.problems[0]


def test_ovals_and_rings_of_imagej(tmp_path):
    pictures_in(tmp_path, "a.png", "b.png")
    oval = ImagejRoi()
    oval.roitype, oval.left, oval.top, oval.right, oval.bottom = ROI_TYPE.OVAL, 10, 12, 70, 52
    (tmp_path / "a.roi").write_bytes(oval.tobytes())
    ring = ImagejRoi()
    ring.roitype, ring.shape_roi_size = ROI_TYPE.RECT, 1
    ring.left, ring.top, ring.right, ring.bottom = 10, 10, 50, 40
    path = []
    for corners in ([(10, 10), (50, 10), (50, 40), (10, 40)], [(20, 20), (40, 20), (40, 30),
                                                               (20, 30)]):  # fmt: skip
        for number, corner in enumerate(corners):
            path += [0 if number == 0 else 1, *corner]
        path.append(4)
    ring.multi_coordinates = np.array(path, np.float32)
    ring.shape_roi_size = len(path)
    (tmp_path / "b.roi").write_bytes(ring.tobytes())
    found = found_in(tmp_path)
    masks = {picture.stem: a.mask(*SHAPE) for picture, a in found.by_picture.items()}
    assert_same(masks["a"], ellipse(40, 32, 30, 20))
    assert masks["b"].sum() == 40 * 30 - 20 * 10
    assert masks["b"][25, 30] == 0


def test_without_the_packages(tmp_path, monkeypatch):
    pictures_in(tmp_path, "a.png", "b.png")
    (tmp_path / "a.roi").write_bytes(roi())
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    found = found_in(tmp_path)
    assert found.by_picture == {}
    assert found.problems == [f"{tmp_path / 'a.roi'}: needs a package: `pip install roifile`"]
    write_json(tmp_path / "via.json", {"b1": via_picture(VIA_POLYGON, name="b.png")})
    monkeypatch.setitem(sys.modules, "pycocotools", None)
    with pytest.raises(InputError, match=r"via\.json: b\.png: .* `pip install pycocotools`"):
        only_mask(found_in(tmp_path))


def test_lines_of_imagej(tmp_path):
    pictures_in(tmp_path, "a.png")
    region = ImagejRoi.frompoints(np.array(OUTLINE, np.float32))
    region.roitype = ROI_TYPE.FREELINE
    (tmp_path / "a.roi").write_bytes(region.tobytes())
    assert "(freeline): a.png" in found_in(tmp_path).problems[0]


@pytest.mark.parametrize("content", [b"", b"Iout", b"nonsense", roi()[:70], roi()[:100]])
@pytest.mark.parametrize("name", ["a.roi", "a_RoiSet.zip"])
def test_damaged_imagej(tmp_path, content, name):
    pictures_in(tmp_path, "a.png")
    path = tmp_path / name
    path.write_bytes(content)
    found = found_in(tmp_path)
    (line,) = found.problems
    assert line.startswith(str(path))
    assert found.by_picture == {}


# --- any damage ---------------------------------------------------------------------------------

WRONG = (None, [], {}, "x", -1, 1e308, float("nan"), 10**30, True, [[[]]], {"a": 1}, "")


def places(content, way=()):
    """Yield the way to everything in a JSON, of long lists to the beginning."""
    items = content.items() if isinstance(content, dict) else ()
    items = enumerate(content[:3]) if isinstance(content, list) else items
    for key, value in items:
        yield (*way, key)
        yield from places(value, (*way, key))


FILES = ["coco/instances_default", "labelme/mole", "label_studio/full", "label_studio/min"]


@pytest.mark.parametrize("file", [*FILES, ""])
def test_whatever_is_exchanged_ends_in_lines(tmp_path, file):
    pictures_in(tmp_path, "mole.png", "polygon.png", "ring.png", "none.png")
    via = {"m1": via_picture(VIA_POLYGON, name="mole.png")}
    whole = (TOOL_FILES / f"{file}.json").read_text() if file else json.dumps(via)
    for number, way in enumerate(places(json.loads(whole))):
        content = inside = json.loads(whole)
        for key in way[:-1]:
            inside = inside[key]
        inside[way[-1]] = WRONG[number % len(WRONG)]
        write_json(tmp_path / "notes.json", content)
        found = found_in(tmp_path)
        for annotation in found.by_picture.values():
            try:
                assert annotation.mask(*SHAPE).max() <= 1
            except InputError as error:
                found.problems.append(str(error))
        assert all("\n" not in line and len(line) < 600 for line in found.problems)
