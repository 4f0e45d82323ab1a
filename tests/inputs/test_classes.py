"""Which classes of shapes are lesion, through `check` and with --lesion-class."""

import json
import shutil

import numpy as np
import pytest
from annotated import (
    HEIGHT,
    OUTLINE,
    TOOL_FILES,
    WIDTH,
    coco_json,
    labelme_json,
    pictures_in,
    tool_mask,
    write_json,
)
from picture_files import write_mask, write_pairs

from lesion.console import InputError
from lesion.inputs.checks import check, check_pairs
from lesion.inputs.filtering import filter_pairs, load_splits
from lesion.inputs.legend import Legend
from lesion.inputs.pairing import find_pairs
from lesion.inputs.reading import read_pair

SMALL = [[80, 5], [92, 5], [92, 15], [80, 15]]
FLAT = [value for point in OUTLINE for value in point]


def labelled(folder, *labels):
    """Write a.png and b.png with a shape of each class."""
    pictures_in(folder, "a.png", "b.png")
    places = [OUTLINE, SMALL]
    for name in "ab":
        shapes = [(label, places[number % 2]) for number, label in enumerate(labels)]
        write_json(folder / f"{name}.json", labelme_json(f"{name}.png", *shapes))
    return folder


def lesion_classes(folder, *classes):
    report = check_pairs(find_pairs(folder), progress=False, legend=Legend(lesion_class=classes))
    return report, [pair.legend.lesion_class for pair in report.folder.pairs]


def test_one_class_is_lesion(tmp_path):
    report, _ = lesion_classes(labelled(tmp_path, "mole", "Mole "))
    assert report.problems == report.remarks == []
    assert "classes   mole (4)" in report.lines()


def test_several_classes_are_a_problem_until_some_are_chosen(tmp_path):
    labelled(tmp_path, "lesion", "ruler")
    report, _ = lesion_classes(tmp_path)
    assert report.problems == [
        f"{tmp_path}: the shapes are of 2 classes: lesion (2), ruler (2); say which are lesion: "
        "--lesion-class NAME ..."
    ]
    report, classes = lesion_classes(tmp_path, "Ruler")
    assert report.problems == []
    assert classes == [("Ruler",)] * 2
    assert read_pair(report.folder.pairs[0])[1].sum() < 0.05 * HEIGHT * WIDTH
    report, _ = lesion_classes(tmp_path, "lesion", "ruler")
    assert report.problems == report.remarks == []


@pytest.mark.parametrize("names", [("leison",), ("lesion", "leison")])
def test_unknown_classes(tmp_path, names):
    labelled(tmp_path, "lesion", "ruler")
    with pytest.raises(InputError, match=r"of the class leison; there are lesion \(2\), ruler"):
        lesion_classes(tmp_path, *names)


def test_classes_of_masks(tmp_path):
    write_pairs(tmp_path, ["1", "2"])
    with pytest.raises(InputError, match="class lesion; there are no shapes, only mask files"):
        lesion_classes(tmp_path, "lesion")


@pytest.mark.parametrize("background", ["_background_", "skin", "Background"])
def test_one_class_beside_a_background(tmp_path, background):
    labelled(tmp_path, "lesion", background)
    report, classes = lesion_classes(tmp_path)
    assert report.problems == []
    assert report.remarks == [f"of the classes lesion (2), {background} (2), lesion is lesion"]
    assert classes == [("lesion",)] * 2
    mask = read_pair(report.folder.pairs[0])[1]
    assert mask.mean() == report.findings[0].coverage
    assert not mask[5:15, 80:92].any()


@pytest.mark.parametrize("labels", [("skin",), ("skin", "background"), ("a", "b", "skin")])
def test_a_background_that_is_not_clear(tmp_path, labels):
    report, _ = lesion_classes(labelled(tmp_path, *labels))
    assert "say which are lesion: --lesion-class NAME ..." in report.problems[0]


def test_a_hole_of_labelme(tmp_path):
    pictures_in(tmp_path, "a.png")
    hole = [[40, 20], [50, 20], [50, 30], [40, 30]]
    shapes = [("lesion", OUTLINE), ("_background_", hole)]
    write_json(tmp_path / "a.json", labelme_json("a.png", *shapes))
    report, _ = lesion_classes(tmp_path)
    mask = read_pair(report.folder.pairs[0])[1]
    assert not mask[20:31, 40:51].any()
    assert mask[19, 45] == 1


def test_masks_of_cvat_are_chosen_by_class(tmp_path):
    shutil.copytree(TOOL_FILES / "voc", tmp_path, dirs_exist_ok=True)
    pictures_in(tmp_path / "JPEGImages", "polygon.png", "ring.png")
    report, _ = lesion_classes(tmp_path)
    assert report.problems == [
        f"{tmp_path}: the shapes are of 2 classes: lesion (2), hair (1); say which are lesion: "
        "--lesion-class NAME ..."
    ]
    report, _ = lesion_classes(tmp_path, "lesion")
    assert report.problems == []
    ring = next(pair for pair in report.folder.pairs if pair.name == "ring")
    assert (read_pair(ring)[1] == tool_mask("ring")).all()


def test_the_command(tmp_path, run_command):
    labelled(tmp_path, "lesion", "ruler")
    code, output, _ = run_command("check", tmp_path)
    assert code == 1
    assert output.count("say which are lesion") == 1
    code, output, _ = run_command("check", tmp_path, "--lesion-class", "lesion")
    assert code == 0
    assert "layout    labelme JSON" in output
    code, _, errors = run_command("check", tmp_path, "--lesion-class", "nevus")
    assert code == 2
    assert "there are lesion (2), ruler (2)" in errors[0]


def test_filtered_pairs_know_their_class(tmp_path):
    labelled(tmp_path, "lesion", "skin")
    pairs, left_out = filter_pairs(tmp_path, find_pairs(tmp_path).labelled, progress=False)
    assert [pair.legend.lesion_class for pair in pairs] == [("lesion",)] * 2
    assert left_out == []


# --- annotations in whole folders ---------------------------------------------------------------


def test_a_picture_made_smaller_is_remarked(tmp_path):
    pictures_in(tmp_path, "a.png", size=(48, 36))
    pictures_in(tmp_path, "b.png")
    for name in "ab":
        content = labelme_json(f"{name}.png", ("lesion", OUTLINE))
        write_json(tmp_path / f"{name}.json", content)
    report, _ = lesion_classes(tmp_path)
    assert report.problems == []
    assert report.remarks == [
        "shapes are scaled to the size of the picture: a (96 x 72 to 48 x 36)"
    ]


def test_a_mask_file_counts_before_shapes(tmp_path):
    pictures_in(tmp_path / "image", "a.png")
    write_mask(tmp_path / "label" / "a.png", (WIDTH, HEIGHT))
    write_json(tmp_path / "image" / "a.json", labelme_json("a.png", ("lesion", OUTLINE)))
    folder = find_pairs(tmp_path)
    assert folder.pairs[0].annotation is None
    assert "labelme JSON: 1 picture(s) have a mask file" in folder.remarks[0]


def test_parts_with_one_file_each(tmp_path):
    for part in ("train", "valid", "test"):
        pictures = [f"{part}_{number}.jpg" for number in range(3)]
        pictures_in(tmp_path / part, *pictures)
        regions = [(name, "lesion", [FLAT]) for name in pictures]
        write_json(tmp_path / part / "_annotations.coco.json", coco_json(pictures, regions))
    result = check(tmp_path, progress=False)
    assert result.passed, str(result)
    assert str(result).count("layout    COCO JSON") == 3
    split = load_splits([tmp_path])
    assert [len(part) for part in (split.train, split.validation, split.test)] == [3, 3, 3]


def test_exact_copies_of_a_picture_are_annotated_once(tmp_path):
    (one,) = pictures_in(tmp_path / "images" / "one", "a.png")
    (tmp_path / "images" / "two").mkdir()
    shutil.copy(one, tmp_path / "images" / "two")
    write_json(tmp_path / "all.json", coco_json(["a.png"], [("a.png", "lesion", [FLAT])]))
    folder = find_pairs(tmp_path)
    assert folder.problems == []
    assert [pair.mask.name for pair in folder.pairs] == ["all.json"]


def test_masks_of_label_studio_among_the_pictures(tmp_path):
    pictures_in(tmp_path, "0a1b2c3d-mole.png")
    tasks = json.loads((TOOL_FILES / "label_studio" / "full.json").read_text())
    tasks[0]["annotations"][0]["result"].pop()
    name = "task-12-annotation-7-by-1-tag-lesion-0.png"
    shutil.copy(TOOL_FILES / "label_studio" / name, tmp_path)
    write_json(tmp_path / "export.json", tasks)
    (pair,) = find_pairs(tmp_path).pairs
    assert (read_pair(pair)[1] == tool_mask("brush")).all()
    assert np.unique(read_pair(pair)[1]).tolist() == [0, 1]


def test_shapes_in_a_folder_of_their_own(tmp_path):
    pictures_in(tmp_path / "imgs", "a.png")
    content = labelme_json("..\\imgs\\a.png", ("lesion", OUTLINE))
    write_json(tmp_path / "jsons" / "a.json", content)
    write_json(tmp_path / "jsons" / "settings.json", {"theme": "dark"})
    folder = find_pairs(tmp_path)
    assert folder.layout == "labelme JSON"
    assert [pair.mask.name for pair in folder.labelled] == ["a.json"]
    assert folder.passed_over == ["1 .json: neither pictures nor masks"]
