"""Bit depth and rotation notes, judged over all pictures of a folder."""

import numpy as np
import pytest
from PIL import Image

from lesion.inputs import check, find_pairs, read_pair
from lesion.inputs.annotations import Annotation, Shape
from lesion.inputs.checks import check_pairs
from lesion.inputs.filtering import filter_pairs
from lesion.inputs.findings import Finding, Source
from lesion.inputs.legend import PLAIN
from lesion.inputs.orientation import TURNS, judge_turns, stored_size, turn, turn_evidence
from lesion.inputs.pairing import Pair
from lesion.inputs.reading import read_image, read_truth
from lesion.inputs.stored import common_bits, judge_bits, judge_rotation
from lesion.masks import IGNORED

INVERSE = {note: note for note in TURNS} | {
    6: 8,
    8: 6,
}  # what makes an upright picture a stored one
TURNED = "masks turned as the rotation notes of their pictures say"


def lesion(seed=0, size=(96, 72), contrast=60):
    """An upright picture of skin with a dark spot that is in no middle, and its mask."""
    rng = np.random.default_rng(seed)
    width, height = size
    y, x = np.mgrid[:height, :width]
    mask = ((x - 0.3 * width) / 20) ** 2 + ((y - 0.3 * height) / 14) ** 2 < 1
    picture = (
        np.array((200, 160, 140)) - contrast * mask[..., None] + rng.normal(0, 6, (*mask.shape, 3))
    )
    return picture.clip(0, 255).astype(np.uint8), mask.astype(np.uint8)


def write(folder, name, picture, mask, note=1, mask_note=1):
    """Write arrays as they are stored, with rotation notes."""
    for part, array, value in (("image", picture, note), ("label", mask * 255, mask_note)):
        (folder / part).mkdir(parents=True, exist_ok=True)
        exif = Image.Exif()
        exif[274] = value
        Image.fromarray(array).save(folder / part / f"{name}.png", exif=exif)


def write_folder(folder, notes, stored_masks, size=(96, 72), contrast=60):
    """Write a pair for each note; return the upright masks by name."""
    truth = {}
    for number, note in enumerate(notes):
        picture, mask = lesion(number, size, contrast)
        truth[str(number)] = mask
        stored = turn(mask, INVERSE[note]) if stored_masks else mask
        write(folder, number, turn(picture, INVERSE[note]), stored, note)
    return truth


def read_all(folder):
    report = check_pairs(find_pairs(folder), progress=False)
    return report, {pair.name: read_pair(pair)[1] for pair in report.folder.pairs}


def same(masks, truth):
    return all(np.array_equal(masks[name], truth[name]) for name in truth)


# --- arrays -------------------------------------------------------------------------------------


@pytest.mark.parametrize("note", TURNS)
def test_turning_a_stored_picture_makes_it_upright(note):
    picture = np.arange(24, dtype=np.uint8).reshape(2, 4, 3)
    stored = turn(picture, INVERSE[note])
    assert stored.shape[:2] == stored_size(picture.shape, note)
    np.testing.assert_array_equal(turn(stored, note), picture)


def test_evidence_says_which_mask_fits():
    picture, mask = lesion()
    other = turn(mask, 3)
    assert turn_evidence(picture, other, mask) > 0.8
    assert turn_evidence(picture, mask, other) < -0.8
    assert turn_evidence(picture, mask, other) == -turn_evidence(picture, other, mask)
    ignoring = np.where(mask == 1, 1, IGNORED).astype(np.uint8)
    assert turn_evidence(picture, turn(ignoring, 3), ignoring) > 0.8


def test_there_is_no_evidence_where_there_is_no_choice():
    picture, mask = lesion()
    assert turn_evidence(picture, mask, mask.copy()) is None
    assert turn_evidence(picture, mask * 0, mask * 0) is None
    assert turn_evidence(picture[:1, :1], mask[:1, :1], mask[:1, :1]) is None


@pytest.mark.parametrize(
    ("evidences", "verdict"),
    [
        ([], None),
        ([0.8], None),  # one picture is too few
        ([0.95], True),  # but for one as clear as a drawing
        ([0.5, 0.5], True),
        ([-0.5, -0.5], False),
        ([0.9, -0.9], None),
        ([0.3, 0.4, 0.4, -0.1], True),
        ([0.9, 0.9, 0.9, -0.3, -0.3, -0.3], None),  # as many speak against it
        ([0.05] * 40, None),  # what masks of other pictures come to
    ],
)
def test_a_verdict_needs_a_clear_majority_and_margin(evidences, verdict):
    assert judge_turns(evidences) is verdict


# --- rotation notes -----------------------------------------------------------------------------


@pytest.mark.parametrize("size", [(96, 72), (80, 80)])
@pytest.mark.parametrize("stored_masks", [True, False])
@pytest.mark.parametrize("notes", [[3] * 4, [6] * 4, [2, 4, 5, 7], [1, 1, 1, 3, 8, 6]])
def test_masks_are_read_as_their_pictures(tmp_path, notes, stored_masks, size):
    truth = write_folder(tmp_path, notes, stored_masks, size)
    report, masks = read_all(tmp_path)
    assert same(masks, truth)
    assert report.problems == []
    (remark,) = [line for line in report.remarks if "same mask" not in line]
    assert remark.startswith(TURNED if stored_masks else "masks fit their pictures")
    assert not any(pair.turn_mask for pair in report.folder.pairs if not stored_masks)


def test_two_annotators_each_with_a_way(tmp_path):
    """Sizes tell it for each picture."""
    truth = write_folder(tmp_path, [6, 6, 6, 8], True)
    for number in ("1", "2"):
        Image.fromarray(truth[number] * 255).save(tmp_path / "label" / f"{number}.png")
    report, masks = read_all(tmp_path)
    assert same(masks, truth)
    assert [remark.rpartition(": ")[2] for remark in report.remarks] == ["0, 3", "1, 2"]


def test_sizes_of_some_tell_for_all(tmp_path):
    truth = write_folder(tmp_path, [6, 8, 3], True, contrast=0)  # no edges
    report, masks = read_all(tmp_path)
    assert same(masks, truth)
    assert report.problems == []


def test_a_mask_whose_level_only_the_others_explain(tmp_path):
    truth = write_folder(tmp_path, [6, 8, 6, 8], True)
    for number, note in enumerate([6, 8, 6, 8]):
        stored = turn(truth[str(number)], INVERSE[note]) * 200
        stored[:] = stored if number else 200  # the lesion fills the first picture
        Image.fromarray(stored).save(tmp_path / "label" / f"{number}.png")
    truth["0"][:] = 1
    report, masks = read_all(tmp_path)
    assert same(masks, truth)
    assert report.problems == []


def test_what_cannot_be_told_is_a_problem(tmp_path):
    write_folder(tmp_path, [3, 3, 1], True, contrast=0)
    result = check(tmp_path, progress=False)
    assert not result.passed
    (problem,) = (line for line in result.lines if line.startswith("problem "))
    assert all(words in problem for words in ("2 picture(s)", "rotation note", "turn the masks"))
    assert "picture's size" not in problem
    pairs, left_out = filter_pairs(tmp_path, find_pairs(tmp_path).pairs, skip_bad=True)
    assert [pair.name for pair in pairs] == ["2"]
    assert len(left_out) == 1


def test_a_mask_that_is_turned_otherwise_is_remarked(tmp_path):
    write_folder(tmp_path, [3] * 6, True)
    picture, mask = lesion(6)
    write(tmp_path, "6", turn(picture, 3), mask, 3)
    report, _ = read_all(tmp_path)
    assert report.remarks[1] == "their masks seem to be turned otherwise: 6"


def test_masks_with_a_note_of_their_own_and_empty_ones(tmp_path):
    picture, mask = lesion()
    write(tmp_path, "a", turn(picture, 8), turn(mask, 8), 6, mask_note=6)
    write(tmp_path, "b", turn(lesion(1)[0], 3), mask * 0, 3)
    report, masks = read_all(tmp_path)
    assert same(masks, {"a": mask, "b": mask * 0})
    assert report.remarks == ["empty mask: b"]


def test_a_mask_that_fits_in_no_way(tmp_path):
    write_folder(tmp_path, [6, 6], True)
    Image.fromarray(np.zeros((9, 9), np.uint8)).save(tmp_path / "label" / "1.png")
    (problem,) = check_pairs(find_pairs(tmp_path), progress=False).problems
    assert "1.png: the mask has 9 x 9 pixels" in problem


def test_a_mask_that_lies_on_its_side(tmp_path):
    picture, mask = lesion()
    write(tmp_path, "a", picture, turn(mask, 6))
    (problem,) = check_pairs(find_pairs(tmp_path), progress=False).problems
    assert problem.endswith(
        "72 x 96 pixels, its picture 96 x 72; turn the mask as its picture is seen"
    )


def test_commands_read_what_check_found(tmp_path):
    truth = write_folder(tmp_path, [3] * 4, True)
    pairs, _ = filter_pairs(tmp_path, find_pairs(tmp_path).pairs)
    assert same({pair.name: read_pair(pair)[1] for pair in pairs}, truth)


def test_some_pairs_are_judged_by_their_whole_folder(tmp_path):
    truth = write_folder(tmp_path, [3] * 6, True, contrast=25)
    chosen = find_pairs(tmp_path).pairs[:1]  # of which alone it could not be told
    (pair,), left_out = filter_pairs(tmp_path, chosen)
    assert (pair.turn_mask, left_out) == (True, [])
    np.testing.assert_array_equal(read_pair(pair)[1], truth[pair.name])


@pytest.mark.parametrize(("note", "size_told"), [(6, True), (6, False), (3, False)])
def test_shapes_drawn_on_the_stored_picture(tmp_path, note, size_told):
    pairs, truth = [], write_folder(tmp_path, [note] * 3, False)
    for pair in find_pairs(tmp_path).pairs:
        stored = turn(truth[pair.name], INVERSE[note])

        def draw(height, width, stored=stored):
            canvas = np.zeros((height, width), np.uint8)
            rows, columns = (min(pair) for pair in zip(stored.shape, canvas.shape, strict=True))
            canvas[:rows, :columns] = stored[:rows, :columns]
            return canvas

        drawn = Annotation(
            pair.mask, (Shape("lesion", draw),), "", stored.shape if size_told else None
        )
        pairs.append(Pair(pair.name, pair.image, pair.mask, annotation=drawn))
    folder = find_pairs(tmp_path)
    folder.pairs[:] = pairs
    report = check_pairs(folder, progress=False)
    assert report.problems == []
    assert [remark.startswith(TURNED) for remark in report.remarks] == [True]
    for pair in report.folder.pairs:
        shape = read_image(pair.image).shape
        np.testing.assert_array_equal(read_truth(pair, shape), truth[pair.name])


def test_judges_leave_ordinary_folders_alone(tmp_path):
    pairs = [Pair("a", tmp_path / "a.png"), Pair("b", tmp_path / "b.png")]
    source = Source(tmp_path, pairs, [Finding("a"), Finding("b", problem="damaged")])
    for judge in (judge_bits, judge_rotation):
        judge(source, PLAIN)
    assert source.pairs == pairs
    assert source.remarks == []


# --- bit depth ----------------------------------------------------------------------------------


def deep(path, highest):
    path.parent.mkdir(parents=True, exist_ok=True)
    values = np.linspace(0, highest, 12 * 8).round().astype(np.uint16).reshape(8, 12)
    Image.fromarray(values).save(path)
    return path


def test_the_bits_of_a_folder_are_its_highest_ones(tmp_path):
    for number, highest in enumerate((1000, 3000, 4095)):
        write(tmp_path, number, *lesion(number, (12, 8)))
        deep(tmp_path / "image" / f"{number}.png", highest)
    write(tmp_path, "8 bits", *lesion(9, (12, 8)))
    report = check_pairs(find_pairs(tmp_path), progress=False)
    assert [pair.bits for pair in report.folder.pairs] == [12, 12, 12, None]
    assert [int(read_pair(pair)[0].max()) for pair in report.folder.pairs[:3]] == [62, 187, 255]
    assert "12-bit values in 16-bit files: 3 picture(s)" in report.remarks


def test_another_camera_in_the_same_folder(tmp_path):
    paths = [deep(tmp_path / f"{highest}.png", highest) for highest in (200, 3000, 4095, 60000)]
    assert common_bits(paths) == dict(zip(paths, (8, 12, 12, 16), strict=True))
    report = check_pairs(find_pairs(tmp_path), progress=False)
    assert [pair.bits for pair in report.folder.pairs] == [8, 12, 12, 16]
    assert report.remarks[0] == "12-bit values in 16-bit files: 2 picture(s)"
    assert report.remarks[1].startswith("taken as 8-bit values, unlike")
    assert report.remarks[1].endswith(": 200")


@pytest.mark.parametrize("highest", [255, 65535])
def test_no_remark_on_full_scale(tmp_path, highest):
    deep(tmp_path / "a.png", highest)
    assert check_pairs(find_pairs(tmp_path), progress=False).remarks == []
