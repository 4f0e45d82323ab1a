"""check_pairs: what a folder holds, and what in it would spoil a training."""

import shutil

import numpy as np
import pytest
from picture_files import square_mask, write_mask, write_pairs, write_picture

from lesion.inputs.checks import check, check_pairs, shared_pictures
from lesion.inputs.pairing import find_pairs


def report_on(directory):
    return check_pairs(find_pairs(directory), progress=False)


def test_a_sound_folder_is_described(tmp_path):
    write_pairs(tmp_path, ["1", "2"], (20, 10))
    write_picture(tmp_path / "image" / "3.png", (40, 30))
    write_mask(tmp_path / "label" / "3.png", (40, 30), square_mask((40, 30))[::-1, ::-1])
    (tmp_path / "metadata.csv").write_text("image_id,lesion_id\n1,A\n2,A\n3,B\n")
    report = report_on(tmp_path)
    assert report.problems == report.remarks == []
    text = "\n".join(report.lines())
    assert f"folder    {tmp_path}" in text
    assert "layout    image/ + label/, lesions from metadata.csv" in text
    assert "pictures  3, of which 3 with a mask" in text
    assert "lesions   2" in text
    assert "sizes     20 x 10 to 40 x 30 pixels, 2 different sizes" in text
    low, high = square_mask((20, 10)).mean(), square_mask((40, 30)).mean()
    assert f"masks     cover {min(low, high):.1%} to {max(low, high):.1%}" in text
    assert text.endswith("problems  none")


def test_every_fault_is_found(tmp_path):
    write_pairs(tmp_path, [str(n) for n in range(1, 9)])
    (tmp_path / "image" / "1.png").write_text("no picture")
    write_mask(tmp_path / "label" / "2.png", (5, 5))
    write_mask(tmp_path / "label" / "3.png", mask=np.zeros((10, 12), np.uint8))
    write_mask(tmp_path / "label" / "4.png", mask=np.ones((10, 12), np.uint8))
    write_mask(tmp_path / "label" / "5.png", mask=1 - square_mask())
    shutil.copy(tmp_path / "image" / "6.png", tmp_path / "image" / "7.png")
    (tmp_path / "label" / "8.png").unlink()
    (tmp_path / "label" / "6.png").write_bytes(b"")
    report = report_on(tmp_path)
    assert [line.split(": ")[1].split(";")[0] for line in report.problems] == [
        "picture without a mask",
        "the content is no PNG, JPEG, BMP or TIFF picture of a common kind",
        "the mask has 5 x 5 pixels, its picture 12 x 10",
        "the file is empty (0 bytes)",
    ]
    assert report.remarks == [
        "empty mask: 3",
        "full mask: 4",
        "mask looks inverted (its whole frame is lesion): 5",
        "the same picture: 6, 7",
    ]
    assert report.lines()[-1] == "problems  4"
    assert all("\n" not in line for line in report.lines())


def test_masks_that_all_are_empty_or_full_are_a_problem(tmp_path):
    for value, word in ((0, "empty"), (1, "full")):
        folder = write_pairs(tmp_path / word, ["1", "2"])
        for name in ("1", "2"):
            mask = np.full((10, 12), value, np.uint8)
            write_mask(folder / "label" / f"{name}.png", mask=mask)
        (problem,) = report_on(folder).problems
        assert f"every mask is {word}" in problem


def test_pictures_alone_and_nothing_readable(tmp_path):
    write_picture(tmp_path / "a.png")
    report = report_on(tmp_path)
    assert report.problems == []
    assert "pictures  1, of which 0 with a mask" in report.lines()
    (tmp_path / "a.png").write_bytes(b"")
    assert report_on(tmp_path).lines()[-1] == "problems  1"


def test_pictures_and_lesions_on_two_sides_are_found(tmp_path):
    for part, rows in (("train", "1,A\n2,B\n"), ("test", "7,B\n8,D\n")):
        write_pairs(tmp_path / part, [line[0] for line in rows.split()])
        (tmp_path / part / "metadata.csv").write_text("image_id,lesion_id\n" + rows)
    reports = {part: report_on(tmp_path / part) for part in ("train", "test")}
    assert shared_pictures(reports) == ["train and test share 1 lesion(s): B"]
    shutil.copy(tmp_path / "train" / "image" / "1.png", tmp_path / "test" / "image" / "8.png")
    reports["test"] = report_on(tmp_path / "test")
    assert shared_pictures(reports)[0] == "train and test share 1 picture(s): 1 is 8"


def test_check_tells_of_every_part_and_of_several_folders(tmp_path):
    for part, names in (("train", "123"), ("test", "45")):
        write_pairs(tmp_path / "a" / part, names)
    write_pairs(tmp_path / "b", "678")
    result = check([tmp_path / "a", str(tmp_path / "b")], progress=False)
    assert result.passed
    text = str(result)
    assert [line for line in result.lines if line.startswith("==")] == ["== train", "== test"]
    assert all(f"folder    {tmp_path / name}" in text for name in ("a/train", "a/test", "b"))
    shutil.copy(tmp_path / "a/train/image/2.png", tmp_path / "b/image/7.png")
    for folder, rows in (("a/train", "3,L\n"), ("b", "6,M\n8,L\n")):
        (tmp_path / folder / "metadata.csv").write_text("image_id,lesion_id\n" + rows)
    result = check([tmp_path / "a", tmp_path / "b"], progress=False)
    assert result.passed  # it may be meant
    both = f"remark    {tmp_path / 'a'} train and {tmp_path / 'b'} share 1"
    assert result.lines[-2:] == [f"{both} picture(s): 2 is 7", f"{both} lesion(s): L"]
    shutil.copy(tmp_path / "a/train/image/1.png", tmp_path / "a/test/image/4.png")
    result = check(tmp_path / "a", progress=False)
    assert not result.passed
    assert "train and test share 1 picture(s): 1 is 4; remove them" in result.lines[-1]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["ham10000", "isic2018", "isic_native"])
def test_real_data_has_no_problem(name, shared_data):
    report = report_on(shared_data / name)
    assert report.problems == []
    assert all(0 < finding.coverage <= 1 for finding in report.findings)
    assert 0.1 < np.median([finding.coverage for finding in report.findings]) < 0.4
