"""baselines.py: each mask is what its name says, and scores what such a mask is known to score."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

from lesion.score import baselines, metrics


def disc(shape, centre, radius):
    rows, columns = np.ogrid[: shape[0], : shape[1]]
    inside = np.hypot(rows - centre[0], columns - centre[1]) <= radius
    return inside.astype(np.uint8)


def picture_of(mask, seed=0, skin=(220, 180, 160), lesion=(110, 70, 50)):
    """A dark lesion on light skin, with noise."""
    rng = np.random.default_rng(seed)
    flat = np.where(mask[..., None], lesion, skin) + rng.normal(0, 12, (*mask.shape, 3))
    return np.clip(flat, 0, 255).astype(np.uint8)


def dice(truth, prediction):
    return metrics.score_pair(truth, prediction)["dice"]


# --- all foreground -----------------------------------------------------------------------------


def test_all_foreground():
    mask = baselines.all_foreground((4, 6, 3))
    assert mask.dtype == np.uint8
    assert mask.shape == (4, 6)
    assert mask.all()


# --- centred disc -------------------------------------------------------------------------------


def test_disc_mask_is_centred_and_scales_with_the_picture():
    half = baselines.CentredDisc(0.3)
    for shape in ((60, 80), (61, 33), (240, 320, 3)):
        mask = half.mask(shape)
        assert mask.dtype == np.uint8
        assert mask.shape == shape[:2]
        np.testing.assert_array_equal(mask, mask[::-1, ::-1])
    assert half.mask((400, 400)).mean() == pytest.approx(np.pi * 0.3**2, rel=0.01)


def test_fit_finds_the_disc_that_drew_the_masks():
    shapes = ((60, 80), (90, 90), (100, 64))
    masks = [baselines.CentredDisc(0.25).mask(shape) for shape in shapes]
    fitted = baselines.CentredDisc.fit(masks)
    assert fitted.radius == pytest.approx(0.25, abs=0.01)
    assert all(dice(mask, fitted.mask(mask.shape)) > 0.97 for mask in masks)


def test_fit_takes_the_best_of_all_radii():
    rng = np.random.default_rng(0)
    masks = [disc((40, 56), rng.uniform(10, 40, 2), rng.uniform(4, 18)) for _ in range(12)] + [
        np.zeros((40, 56), np.uint8)
    ]
    means = [
        np.mean([dice(mask, baselines.CentredDisc(radius).mask(mask.shape)) for mask in masks])
        for radius in baselines.RADII
    ]
    fitted = baselines.CentredDisc.fit(iter(masks))
    assert fitted.radius == baselines.RADII[int(np.argmax(means))]
    assert fitted == baselines.CentredDisc.fit(masks)


def test_fit_counts_pixels_at_the_radius_as_the_mask_does():
    # 5 pixels from the centre of 25x25 are exactly the radius 0.2.
    exact = baselines.CentredDisc(0.2)
    mask = exact.mask((25, 25))
    assert mask[12].sum() == 11
    assert baselines.CentredDisc.fit([mask]) == exact


def test_fit_can_cover_the_whole_picture():
    mask = np.ones((30, 80), np.uint8)
    assert baselines.CentredDisc.fit([mask]).mask(mask.shape).all()


def test_fit_refuses_a_set_without_lesions():
    with pytest.raises(ValueError, match="no lesion"):
        baselines.CentredDisc.fit([])


# --- Otsu ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(96, 128), (200, 160)])
def test_otsu_finds_a_dark_lesion(shape):
    truth = disc(shape, (shape[0] * 0.45, shape[1] * 0.55), 0.2 * shape[0])
    mask = baselines.otsu_largest_component(picture_of(truth))
    assert mask.dtype == np.uint8
    assert dice(truth, mask) > 0.95


def test_otsu_keeps_one_region_without_holes():
    truth = disc((128, 128), (60, 50), 24)
    with_others = truth | disc((128, 128), (110, 110), 8)
    pierced = with_others & ~disc((128, 128), (60, 50), 8)
    mask = baselines.otsu_largest_component(picture_of(pierced))
    assert ndimage.label(mask)[1] == 1
    assert mask[60, 50] == 1
    assert dice(truth, mask) > 0.95


def test_otsu_leaves_out_the_black_corners_of_a_dermatoscope():
    truth = disc((128, 128), (64, 64), 22)
    corners = 1 - disc((128, 128), (64, 64), 60)
    assert corners.sum() > 2 * truth.sum()
    picture = picture_of(truth)
    picture[corners == 1] = 5
    assert dice(truth, baselines.otsu_largest_component(picture)) > 0.8


def test_otsu_keeps_a_lesion_that_fills_a_corner():
    truth = disc((128, 160), (0, 0), 70)
    assert dice(truth, baselines.otsu_largest_component(picture_of(truth))) > 0.9


def test_otsu_reads_gray_pictures_alike():
    truth = disc((96, 96), (48, 48), 20)
    gray = picture_of(truth).mean(axis=2).astype(np.uint8)
    expected = baselines.otsu_largest_component(gray)
    assert dice(truth, expected) > 0.95
    np.testing.assert_array_equal(baselines.otsu_largest_component(gray[..., None]), expected)


@pytest.mark.parametrize("value", [0, 255])
def test_otsu_of_a_single_colour_is_empty(value):
    assert not baselines.otsu_largest_component(np.full((20, 30, 3), value, np.uint8)).any()


def test_otsu_of_the_smallest_pictures():
    for shape in ((1, 1, 3), (1, 2, 3), (2, 2, 3)):
        picture = np.arange(np.prod(shape), dtype=np.uint8).reshape(shape)
        assert baselines.otsu_largest_component(picture).shape == shape[:2]


# --- all of them --------------------------------------------------------------------------------


def test_the_table_holds_masks_of_the_pictures_own_size():
    truth = disc((50, 70), (25, 35), 15)
    table = baselines.baseline_table(baselines.CentredDisc(0.25))
    assert list(table) == ["all foreground", "best centred disc", "Otsu + largest component"]
    for baseline in table.values():
        mask = baseline(picture_of(truth))
        assert mask.dtype == np.uint8
        assert mask.shape == truth.shape
        assert dice(truth, mask) > 0.3


def test_scores_on_real_skin(shared_data):
    folder = shared_data / "isic2018"
    names = [Path(name).stem for name in (folder / "val.txt").read_text().split()][::4]

    def read_truth(name):
        mask = Image.open(folder / "masks" / f"{name}_segmentation.png").convert("L")
        return (np.asarray(mask) > 127).astype(np.uint8)

    table = baselines.baseline_table(baselines.CentredDisc.fit(map(read_truth, names)))
    mean = dict.fromkeys(table, 0.0)
    for name in names:
        picture = np.asarray(Image.open(folder / "images" / f"{name}.jpg").convert("RGB"))
        for label, baseline in table.items():
            mean[label] += dice(read_truth(name), baseline(picture)) / len(names)
    # Measured on all 259: .394, .531 and .720.
    assert mean["all foreground"] == pytest.approx(0.394, abs=0.06)
    assert mean["best centred disc"] == pytest.approx(0.531, abs=0.06)
    assert mean["Otsu + largest component"] == pytest.approx(0.720, abs=0.06)
