"""What the levels of masks mean is judged over a whole folder: read rightly, or named."""

import io
import shutil

import cv2
import numpy as np
import pytest
from picture_files import write_picture
from PIL import Image

from lesion.inputs import check_pairs, filter_pairs, find_pairs, read_pair
from lesion.inputs.legend import PLAIN, Legend
from lesion.masks import IGNORED

SIZE = 96, 72  # width, height
COLOURS = [0, 0, 0, 255, 0, 0, 0, 255, 0, 0, 0, 255]


def blob(number, radius=18, size=SIZE):
    """The mask of a lesion, 0 and 1, each with a place and a size of its own."""
    y, x = np.mgrid[: size[1], : size[0]]
    scale = size[0] / SIZE[0]
    centre = np.array([38 + 3 * (number % 6), 32 + 2 * (number % 5)]) * scale
    far = (x - centre[0]) ** 2 + 1.3 * (y - centre[1]) ** 2
    return (far < ((radius + number % 4) * scale) ** 2).astype(np.uint8)


def grown(mask, pixels=1):
    return cv2.dilate(mask, np.ones((2 * pixels + 1,) * 2, np.uint8))


def ring(mask, pixels=1):
    return grown(mask, pixels) - mask


def blobs(count=8, **options):
    return [blob(number, **options) for number in range(count)]


def jpeg(mask, quality):
    buffer = io.BytesIO()
    Image.fromarray(mask).save(buffer, "JPEG", quality=quality)
    return np.array(Image.open(buffer))


def palette(mask, colours=COLOURS):
    picture = Image.fromarray(mask).convert("P")
    picture.putpalette(colours + [0] * (768 - len(colours)))
    return picture


def brought(folder, masks, suffix="png", **options):
    """Write pictures, and masks as they are given: arrays or Pillow pictures."""
    (folder / "label").mkdir(parents=True)
    for number, mask in enumerate(masks):
        mask = mask if isinstance(mask, Image.Image) else Image.fromarray(mask)
        mask.save(folder / "label" / f"m{number}.{suffix}", **options)
        write_picture(folder / "image" / f"m{number}.png", mask.size)
    return folder


def judged(folder, legend=PLAIN):
    return check_pairs(find_pairs(folder), progress=False, legend=legend)


def truths(report):
    return [read_pair(pair)[1] for pair in report.folder.pairs]


def assert_read(folder, expected, legend=PLAIN, wrong=0.0, remarks=()):
    """Each mask is read as expected but for this share of pixels, and is told of as it is read."""
    report = judged(folder, legend)
    assert report.problems == []
    for words, remark in zip(remarks, report.remarks, strict=True):
        assert words in remark
    for read, truth, finding in zip(truths(report), expected, report.findings, strict=True):
        assert np.mean(read != truth) <= wrong
        counted = read[read != IGNORED]
        assert finding.coverage == pytest.approx((counted == 1).mean())
    return report


def assert_refused(folder, *words, count=1, legend=PLAIN):
    report = judged(folder, legend)
    assert len(report.problems) == count
    for word in words:
        assert word in report.problems[0], report.problems
    return report


# --- one level of lesion ------------------------------------------------------------------------


@pytest.mark.parametrize("level", [1, 2, 100, 128, 255])
def test_any_one_level_beside_black_is_lesion(tmp_path, level):
    masks = blobs()
    assert_read(brought(tmp_path / "a", [mask * np.uint8(level) for mask in masks]), masks)


@pytest.mark.parametrize("quality", [20, 50, 75, 95])
@pytest.mark.parametrize("level", [100, 255])
def test_jpeg_masks(tmp_path, quality, level):
    masks = blobs()
    masks[0][:] = 0
    masks[1][:] = 0
    masks[1][30:33, 30:33] = 1
    written = [mask * np.uint8(level) for mask in masks]
    folder = brought(tmp_path / "a", written, "jpg", quality=quality)
    assert_read(folder, masks, wrong=0.005, remarks=["empty mask: m0"])


@pytest.mark.parametrize("quality", [50, 90])
def test_jpeg_masks_in_colour(tmp_path, quality):
    masks = blobs(size=(240, 180))
    for colour in ([255, 255, 255], [200, 30, 30]):
        written = [mask[..., None] * np.array(colour, np.uint8) for mask in masks]
        folder = brought(tmp_path / str(colour[1]), written, "jpg", quality=quality)
        assert_read(folder, masks, wrong=0.01)


@pytest.mark.parametrize("factor", [2, 3, 4])
def test_averaged_masks(tmp_path, factor):
    large = blobs(size=(SIZE[0] * factor, SIZE[1] * factor))
    small = [cv2.resize(m * np.uint8(255), SIZE, interpolation=cv2.INTER_AREA) for m in large]
    assert len(np.unique(small)) > 3
    assert_read(brought(tmp_path / "a", small), [mask >= 128 for mask in small])


def test_one_small_averaged_lesion_in_each(tmp_path):
    large = blobs(size=(SIZE[0] * 2, SIZE[1] * 2), radius=2)
    small = [cv2.resize(m * np.uint8(255), SIZE, interpolation=cv2.INTER_AREA) for m in large]
    assert_read(brought(tmp_path / "a", small), [mask >= 128 for mask in small])


@pytest.mark.parametrize("way", [cv2.INTER_LINEAR, cv2.INTER_CUBIC, cv2.INTER_LANCZOS4])
@pytest.mark.parametrize("size", [(70, 50), (240, 180)])
def test_resized_masks(tmp_path, way, size):
    masks = [cv2.resize(mask * np.uint8(255), size, interpolation=way) for mask in blobs()]
    assert_read(brought(tmp_path / "a", masks), [mask >= 128 for mask in masks])


def test_averaged_masks_in_colour(tmp_path):
    for colour in ([255, 255, 255], [255, 0, 0], [0, 200, 60]):
        large = [m[..., None] * np.array(colour, np.uint8) for m in blobs(size=(192, 144))]
        small = [cv2.resize(mask, SIZE, interpolation=cv2.INTER_AREA) for mask in large]
        folder = brought(tmp_path / str(colour), small)
        half = max(colour) / 2
        assert_read(folder, [mask.max(axis=2) >= half for mask in small], wrong=0.03)


def test_one_pixel_wide_lesions_and_specks_of_white_are_lesion(tmp_path):
    masks = blobs()
    masks[3][:] = 0
    masks[3][20, 20] = masks[3][40:42, 41] = 1
    assert_read(brought(tmp_path / "a", [mask * np.uint8(255) for mask in masks]), masks)


def test_a_palette_of_one_colour(tmp_path):
    masks = blobs()
    assert_read(brought(tmp_path / "a", map(palette, masks)), masks)
    pink = [palette(mask, [0, 0, 0, 255, 0, 200]) for mask in masks]
    assert_read(brought(tmp_path / "b", pink), masks)
    # A palette without colours: the indices are all that there is.
    assert_read(brought(tmp_path / "c", [palette(mask, [0] * 6) for mask in masks]), masks)


def test_noise_in_an_empty_mask_is_empty(tmp_path):
    masks = blobs()
    masks[2][:] = masks[3][:] = 0
    written = [mask * np.uint8(255) for mask in masks]
    written[2][10, 10:14] = 1, 2, 3, 1
    written[3][[5, 9, 30], [7, 60, 31]] = 1
    assert_read(brought(tmp_path / "a", written), masks, remarks=["empty mask: m2, m3"])


# --- two ways of writing -------------------------------------------------------------------------


def test_one_and_255_in_files_of_their_own_are_both_read(tmp_path):
    masks = blobs()
    levels = [1, 255, 255, 1, 1, 255, 255, 255]
    written = [mask * np.uint8(level) for mask, level in zip(masks, levels, strict=True)]
    folder = brought(tmp_path / "a", written)
    expected = "0 and 1 in m0, m3, m4; 0 and 255 in the other 5"
    assert_read(folder, masks, remarks=[expected])


def test_a_full_mask_of_ones_among_white_masks(tmp_path):
    masks = blobs()
    masks[4][:] = 1
    written = [mask * np.uint8(255) for mask in masks]
    written[4][:] = 1
    remarks = ["0 and 1 in m4; 0 and 255 in the other 7", "full mask: m4"]
    assert_read(brought(tmp_path / "a", written), masks, remarks=remarks)


def test_one_mask_of_another_gray_is_remarked(tmp_path):
    masks = blobs()
    written = [mask * np.uint8(255) for mask in masks]
    written[6] = masks[6] * np.uint8(128)
    assert_read(brought(tmp_path / "a", written), masks, remarks=["0 and 128 in m6"])


def test_deep_white_masks_are_as_white_as_others(tmp_path):
    masks = blobs()
    written = [mask * np.uint8(255) for mask in masks]
    written[6] = masks[6] * np.uint16(65535)
    assert_read(brought(tmp_path / "a", written), masks)


def test_one_class_map_among_white_masks_is_one_problem(tmp_path):
    masks = blobs()
    written = [mask * np.uint8(255) for mask in masks]
    written[5] = masks[5] + grown(masks[5], 6)
    report = assert_refused(brought(tmp_path / "a", written), "m5.png", "levels 0 (", "2 (")
    assert sum(bool(finding.problem) for finding in report.findings) == 1


# --- class maps ---------------------------------------------------------------------------------


def classes(levels, wide=5, size=SIZE):
    """Masks whose lesions have a core of another level than the rest."""
    table = np.array(levels, np.uint8)
    return [table[mask + grown(mask, wide)] for mask in blobs(size=size)]


@pytest.mark.parametrize("levels", [(0, 1, 2), (0, 128, 255), (0, 2, 1), (0, 255, 1), (0, 85, 170)])
def test_class_maps_are_refused_in_one_line(tmp_path, levels):
    folder = brought(tmp_path / "a", classes(levels))
    words = [f"{level} (" for level in levels]
    assert_refused(folder, f"{folder / 'label'}: ", "--lesion-level", *words)


def test_the_line_gives_levels_with_their_share(tmp_path):
    mask = np.zeros((10, 10), np.uint8)
    mask[:5, :4], mask[5:, :5] = 1, 2
    folder = brought(tmp_path / "a", [mask, mask.T.copy()])
    assert_refused(folder, "0 (55.00%), 1 (20.00%), 2 (25.00%)", "as --lesion-level 2 ")


@pytest.mark.parametrize("levels", [(0, 1, 255), (0, 255, 1), (0, 255, 128), (0, 2, 100)])
@pytest.mark.parametrize("wide", [1, 2, 3])
def test_a_ring_around_the_lesion_is_no_lesion(tmp_path, levels, wide):
    lesion, void = levels[1:]
    masks = blobs()
    written = [m * np.uint8(lesion) + ring(m, wide) * np.uint8(void) for m in masks]
    folder = brought(tmp_path / "a", written)
    assert_refused(folder, f"{lesion} (", f"{void} (")
    named = Legend(lesion_level=(str(lesion),), ignore_level=(str(void),))
    expected = [mask + ring(mask, wide) * np.uint8(IGNORED) for mask in masks]
    assert_read(folder, expected, named)
    # To say what is ignored is enough: one level remains.
    assert_read(folder, expected, Legend(ignore_level=(str(void),)))
    assert_read(folder, masks, Legend(lesion_level=(str(lesion),)))


def test_classes_in_files_of_their_own_are_classes(tmp_path):
    masks = blobs()
    for name, pair in (("gray", (1, 2)), ("wide", (100, 200))):
        written = [m * np.uint8(pair[n % 2]) for n, m in enumerate(masks)]
        assert_refused(brought(tmp_path / name, written), "--lesion-level")
    written = [palette(m * np.uint8(1 + n % 2)) for n, m in enumerate(masks)]
    assert_refused(brought(tmp_path / "palette", written), "1 (#ff0000)", "2 (#00ff00)")
    written = [m[..., None] * np.array([[255, 0, 0], [0, 130, 0]][n % 2], np.uint8)
               for n, m in enumerate(masks)]  # fmt: skip
    assert_refused(brought(tmp_path / "colours", written), "#ff0000 (", "#008200 (")


def test_one_file_of_another_class_is_a_class(tmp_path):
    masks = blobs()
    written = [mask * np.uint8(1 + (number == 5)) for number, mask in enumerate(masks)]
    assert_refused(brought(tmp_path / "gray", written), "--lesion-level")
    written = [palette(mask) for mask in written]
    assert_refused(brought(tmp_path / "palette", written), "--lesion-level")


@pytest.mark.parametrize("quality", [60, 90])
def test_class_maps_saved_as_jpeg(tmp_path, quality):
    masks = classes((0, 128, 255), wide=40, size=(384, 288))
    folder = brought(tmp_path / "a", masks, "jpg", quality=quality)
    assert_refused(folder, "--lesion-level 1")
    report = judged(folder, Legend(lesion_level=("255",)))
    for read, mask in zip(truths(report), masks, strict=True):
        assert np.mean(read != (mask == 255)) < 0.02


def test_class_maps_of_colours(tmp_path):
    table = np.array([[0, 0, 0], [255, 0, 0], [0, 0, 255]], np.uint8)
    masks = classes((0, 1, 2), wide=50, size=(384, 288))
    folder = brought(tmp_path / "a", [table[mask] for mask in masks])
    assert_refused(folder, "#ff0000 (", "#0000ff (", "--lesion-level ff0000")
    for name in ("ff0000", "#FF0000"):
        assert_read(folder, [mask == 1 for mask in masks], Legend(lesion_level=(name,)))
    both = Legend(lesion_level=("ff0000", "0000ff"))
    assert_read(folder, [mask > 0 for mask in masks], both)
    assert_refused(brought(tmp_path / "b", [table[mask] for mask in masks], "jpg"), "#0000f", "#f")


def test_a_background_that_is_not_black_is_asked_for(tmp_path):
    masks = blobs()
    for name, colours in (("red", [255, 255, 255, 255, 0, 0]), ("blue", [9, 99, 9, 0, 0, 255])):
        folder = brought(tmp_path / name, [palette(mask, colours) for mask in masks])
        assert_refused(folder, "--lesion-level")
        assert_read(folder, masks, Legend(lesion_level=("1",)))


def test_palettes_may_be_named_by_index_or_colour(tmp_path):
    masks = classes((0, 1, 2))
    folder = brought(tmp_path / "a", map(palette, masks))
    assert_refused(folder, "1 (#ff0000) (", "2 (#00ff00) (")
    for name in ("2", "00ff00"):
        assert_read(folder, [mask == 2 for mask in masks], Legend(lesion_level=(name,)))


def test_a_level_that_occurs_nowhere_is_refused_with_what_there_is(tmp_path):
    folder = brought(tmp_path / "a", classes((0, 1, 2)))
    for legend in (Legend(lesion_level=("3",)), Legend(("1",), ("255",)), Legend(("1", "7"))):
        with pytest.raises(ValueError, match=r"a: no mask holds the level (3|255|7); .*0 \(.*2 \("):
            judged(folder, legend)


def test_what_levels_mean_does_not_depend_on_the_part_that_is_scored(tmp_path):
    masks = blobs()
    written = [mask * np.uint8(1 + (number > 5)) for number, mask in enumerate(masks)]
    folder = brought(tmp_path / "a", written)
    pairs = find_pairs(folder).pairs[:3]
    with pytest.raises(ValueError, match="--lesion-level"):
        filter_pairs(folder, pairs, progress=False)
    named = Legend(lesion_level=("2",))
    good, _ = filter_pairs(folder, pairs, progress=False, legend=named)
    assert [pair.name for pair in good] == ["m0", "m1", "m2"]
    assert not any(read_pair(pair)[1].any() for pair in good)


# --- no masks -----------------------------------------------------------------------------------


def photograph(mask, seed=0):
    rng = np.random.default_rng(seed)
    picture = np.full((*mask.shape, 3), (222, 178, 158), float)
    picture[mask == 1] = (110, 68, 52)
    return np.clip(picture + rng.normal(0, 6, picture.shape), 0, 255).astype(np.uint8)


def overlay(mask):
    picture = photograph(mask)
    picture[ring(mask) == 1] = (255, 255, 0)
    return picture


def tinted(mask):
    picture = photograph(mask)
    picture[mask == 1] = (255, 0, 0)
    return picture


def cut_out(mask):
    return photograph(mask) * mask[..., None]


def gray_photograph(mask):
    return photograph(mask)[..., 1]


MADE = [photograph, overlay, tinted, cut_out, gray_photograph]


@pytest.mark.parametrize("make", MADE)
@pytest.mark.parametrize("count", [1, 3, 8])
@pytest.mark.parametrize("suffix", ["png", "jpg"])
def test_photographs_and_overlays_are_no_masks(tmp_path, make, count, suffix):
    written = [mask * np.uint8(255) for mask in blobs()]
    written[:count] = [make(mask) for mask in blobs()[:count]]
    report = judged(brought(tmp_path / "a", written, suffix))
    bad = {finding.name for finding in report.findings if finding.problem}
    assert bad == {f"m{number}" for number in range(count)}
    assert all("--lesion-level" not in problem for problem in report.problems)


@pytest.mark.parametrize("thickness", [1, 2, 3])
@pytest.mark.parametrize("gap", [0, 6])
def test_outlines_are_remarked(tmp_path, thickness, gap):
    written = []
    for mask in blobs():
        lines = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)[0]
        drawn = cv2.polylines(mask * 0, [lines[0][gap:]], gap == 0, 255, thickness)
        written.append(drawn)
    expected = "looks like an outline, not filled: m0, m1, m2, m3, m4 and 3 more"
    assert_read(brought(tmp_path / "a", written), [m > 0 for m in written], remarks=[expected])
    saved = brought(tmp_path / "b", written, "jpg", quality=95)
    assert any("looks like an outline" in remark for remark in judged(saved).remarks)


def test_slim_and_several_lesions_are_no_outlines(tmp_path):
    y, x = np.mgrid[: SIZE[1], : SIZE[0]]
    masks = blobs()
    masks[1] = ((x - 48) ** 2 / 5 + (y - 30) ** 2 * 5 < 600).astype(np.uint8)
    masks[2] = np.zeros_like(masks[2])
    for place in (5, 30, 60, 90):
        masks[2][place % 60 : place % 60 + 4, place : place + 4] = 1
    assert_read(brought(tmp_path / "a", [mask * np.uint8(255) for mask in masks]), masks)


def test_a_rim_of_skin_around_a_lesion_is_no_outline(tmp_path):
    masks = blobs()
    masks[3] = np.ones_like(masks[3])
    masks[3][:2] = masks[3][:, :2] = 0
    assert_read(brought(tmp_path / "a", [mask * np.uint8(255) for mask in masks]), masks)


def test_one_mask_for_all_pictures_is_remarked(tmp_path):
    masks = [blob(1)] * 3
    folder = brought(tmp_path / "a", [mask * np.uint8(255) for mask in masks])
    assert_read(folder, masks, remarks=["the same mask for different pictures: m0, m1, m2"])
    assert_read(brought(tmp_path / "b", masks[:2]), masks[:2])
    masks = blobs()
    masks[2] = masks[5] = masks[7]
    remarks = ["the same mask for different pictures: m2, m5, m7"]
    assert_read(brought(tmp_path / "c", masks), masks, remarks=remarks)


def test_a_picture_that_is_there_three_times_has_one_mask(tmp_path):
    masks = [blob(1)] * 3
    folder = brought(tmp_path / "a", masks)
    for name in ("m1", "m2"):
        shutil.copy(folder / "image" / "m0.png", folder / "image" / f"{name}.png")
    assert_read(folder, masks, remarks=["the same picture: m0, m1, m2"])


def test_nearly_white_is_white(tmp_path):
    masks = blobs()
    written = [mask * np.uint8(255 - number % 2) for number, mask in enumerate(masks)]
    remarks = ["0 and 254 in m1, m3, m5, m7; 0 and 255 in the other 4"]
    assert_read(brought(tmp_path / "a", written), masks, remarks=remarks)


def test_a_thin_ring_in_a_jpeg_of_classes_is_no_lesion(tmp_path):
    masks = blobs(size=(384, 288))
    written = [mask + ring(mask) * np.uint8(255) for mask in masks]
    assert judged(brought(tmp_path / "a", written, "jpg")).problems


def test_soft_masks_are_no_masks_where_they_are_all_border(tmp_path):
    masks = blobs(size=(384, 288))
    slightly = [cv2.blur(mask * np.uint8(255), (9, 9)) for mask in masks]
    assert_read(brought(tmp_path / "a", slightly), [mask >= 128 for mask in slightly])
    much = [cv2.blur(mask * np.uint8(255), (61, 61)) for mask in masks]
    assert_refused(brought(tmp_path / "b", much), "m0.png and 7 more: looks like a photograph")


def test_the_line_proposes_the_largest_class(tmp_path):
    small = [grown(mask, 5) * np.uint8(2) - mask for mask in blobs()]
    assert_refused(brought(tmp_path / "a", small), "as --lesion-level 1 (")
    speckled = []
    for number, mask in enumerate(blobs()):
        noise = np.random.default_rng(number).random(mask.shape) < 0.01
        speckled.append(np.where(noise, 1, mask * np.uint8(255)))
    folder = brought(tmp_path / "b", speckled)
    assert_refused(folder, "as --lesion-level 255 (in a notebook")
    report = judged(folder, Legend(lesion_level=("255",)))
    for read, mask in zip(truths(report), speckled, strict=True):
        np.testing.assert_array_equal(read, mask == 255)


def test_a_plain_folder_gets_no_line_more(tmp_path):
    report = judged(brought(tmp_path / "a", [mask * np.uint8(255) for mask in blobs()]))
    assert [line.split()[0] for line in report.lines()] == [
        "folder", "layout", "pictures", "sizes", "masks", "problems",
    ]  # fmt: skip
