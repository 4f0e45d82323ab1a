"""The description of a lesion: known shapes, units, and what turning and scaling must do."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage
from skimage.color import rgb2lab
from skimage.measure import perimeter_crofton

from lesion.masks import largest_component
from lesion.predict.colours import COLOURS
from lesion.predict.description import asymmetry, describe_lesion

SKIN, BROWN = (220, 170, 150), COLOURS["dark brown"]


def disc(radius=40, side=128, centre=None):
    rows, columns = np.mgrid[:side, :side]
    row, column = (side / 2, side / 2) if centre is None else centre
    return (np.hypot(rows - row, columns - column) <= radius).astype(np.uint8)


def ellipse(long, short, angle, side=200):
    rows, columns = np.mgrid[:side, :side] - side / 2
    u = columns * np.cos(angle) + rows * np.sin(angle)
    v = rows * np.cos(angle) - columns * np.sin(angle)
    return ((u / long) ** 2 + (v / short) ** 2 <= 1).astype(np.uint8)


def paint(mask, colour=BROWN):
    return np.where(mask[..., None] > 0, colour, SKIN).astype(np.uint8)


def describe(mask, colour=BROWN, **options):
    return describe_lesion(mask, paint(mask, colour), **options)


def blob(seed, side=96):
    """A random lesion of a few discs, not symmetric."""
    random = np.random.default_rng(seed)
    mask = np.zeros((side, side), np.uint8)
    for _ in range(4):
        mask |= disc(random.uniform(9, 20), side, random.uniform(side * 0.35, side * 0.65, 2))
    return mask


def test_a_disc():
    row = describe(disc(40))
    assert row["parts"] == 1
    assert row["touches_frame"] == 0
    assert row["area_pixels"] == pytest.approx(np.pi * 40**2, rel=0.01)
    for key in ("equivalent_diameter", "largest_diameter", "smallest_diameter"):
        assert row[f"{key}_pixels"] == pytest.approx(80, rel=0.02)
    assert row["perimeter_pixels"] == pytest.approx(2 * np.pi * 40, rel=0.02)
    assert row["asymmetry_long_axis"] < 0.02
    assert row["asymmetry_short_axis"] < 0.02
    assert row["border_irregularity"] == pytest.approx(1, abs=0.03)
    assert row["convexity"] > 0.97


@settings(max_examples=15, deadline=None)
@given(st.floats(0, np.pi))
def test_an_ellipse_at_any_angle_is_symmetric_and_has_its_diameters(angle):
    row = describe(ellipse(70, 35, angle))
    assert row["largest_diameter_pixels"] == pytest.approx(140, rel=0.02)
    assert row["smallest_diameter_pixels"] == pytest.approx(70, rel=0.03)
    assert max(row["asymmetry_long_axis"], row["asymmetry_short_axis"]) < 0.03
    assert 1.05 < row["border_irregularity"] < 1.3  # 1.19 by Ramanujan's perimeter


def test_a_half_disc_is_symmetric_about_one_axis_only():
    mask = disc(60, 160)
    mask[80:] = 0
    row = describe(mask)
    assert row["asymmetry_short_axis"] < 0.02
    assert row["asymmetry_long_axis"] > 0.1


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 3))
def test_quarter_turns_change_nothing(seed, turns):
    mask = blob(seed)
    first, turned = describe(mask), describe(np.rot90(mask, turns).copy())
    for key, value in first.items():
        if isinstance(value, float | int):
            assert turned[key] == pytest.approx(value, rel=1e-3, abs=0.03), key


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([2, 3]))
def test_scaling_changes_sizes_and_nothing_else(seed, factor):
    mask = blob(seed)
    first = describe(mask)
    scaled = describe(np.kron(mask, np.ones((factor, factor), np.uint8)))
    assert scaled["area_pixels"] == factor**2 * first["area_pixels"]
    for key in ("equivalent_diameter", "largest_diameter", "smallest_diameter"):
        assert scaled[f"{key}_pixels"] == pytest.approx(factor * first[f"{key}_pixels"])
    assert scaled["convexity"] == pytest.approx(first["convexity"])
    assert scaled["asymmetry_long_axis"] == pytest.approx(first["asymmetry_long_axis"], abs=0.04)
    assert scaled["colours"] == first["colours"]


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000))
def test_ranges(seed):
    row = describe(blob(seed))
    assert 0 < row["convexity"] <= 1
    assert row["border_irregularity"] > 0.97
    assert 0 <= row["asymmetry_long_axis"] <= 1
    assert row["smallest_diameter_pixels"] <= row["largest_diameter_pixels"]
    assert row["area_pixels"] <= row["largest_diameter_pixels"] ** 2


def test_notches_make_the_border_irregular():
    mask = disc(40)
    for angle in np.linspace(0, 2 * np.pi, 8, endpoint=False):
        centre = (64 + 40 * np.sin(angle), 64 + 40 * np.cos(angle))
        mask &= 1 - disc(6, 128, centre)
    row = describe(mask)
    assert row["border_irregularity"] > 1.5
    assert row["convexity"] < 0.95


def test_millimetres_stand_beside_pixels():
    row = describe(disc(40), mm_per_pixel=0.05)
    assert row["largest_diameter_mm"] == pytest.approx(0.05 * row["largest_diameter_pixels"])
    assert row["area_mm2"] == pytest.approx(0.0025 * row["area_pixels"])
    assert not any(key.endswith(("_mm", "_mm2")) for key in describe(disc(40)))
    for scale in (0, -1, float("nan"), float("inf")):
        with pytest.raises(ValueError, match="mm per pixel"):
            describe(disc(40), mm_per_pixel=scale)


def test_the_largest_part_is_described():
    mask = disc(30) | disc(5, 128, (10, 10))
    row = describe(mask)
    assert row["parts"] == 2
    assert row["area_pixels"] == np.count_nonzero(disc(30))


def test_holes_are_filled():
    holed = disc(40)
    holed[60:64, 50:54] = 0
    assert describe(holed)["area_pixels"] == describe(disc(40))["area_pixels"]
    assert describe(holed)["perimeter_pixels"] == describe(disc(40))["perimeter_pixels"]


def test_what_is_cut_by_the_frame_says_so():
    assert describe(disc(30, 128, (10, 64)))["touches_frame"] == 1
    row = describe(np.ones((20, 30), np.uint8))
    assert row["convexity"] == pytest.approx(1)
    assert row["largest_diameter_pixels"] == pytest.approx(np.hypot(20, 30))
    assert row["smallest_diameter_pixels"] == pytest.approx(20)


def test_an_empty_mask_has_the_same_columns_without_values():
    row = describe(np.zeros((40, 40), np.uint8), mm_per_pixel=0.1)
    assert list(row) == list(describe(disc(), mm_per_pixel=0.1))
    assert row.pop("parts") == row.pop("touches_frame") == 0
    assert set(row.values()) == {None}


def test_one_pixel_is_no_error():
    mask = np.zeros((9, 9), np.uint8)
    mask[4, 4] = 1
    row = describe(mask)
    assert row["area_pixels"] == 1
    assert row["largest_diameter_pixels"] == pytest.approx(np.sqrt(2))
    assert asymmetry(mask) == (0, 0)


@pytest.mark.parametrize("name", COLOURS)
def test_each_colour_is_recognised(name):
    row = describe(disc(), COLOURS[name])
    assert row["colours"] == name
    assert row["colour_count"] == 1
    assert (row["mean_red"], row["mean_green"], row["mean_blue"]) == COLOURS[name]


def test_colours_are_counted_from_a_share_on_and_white_is_lighter_than_skin():
    mask = disc()
    picture = paint(mask)
    picture[:64][mask[:64] > 0] = COLOURS["black"]
    assert describe_lesion(mask, picture)["colours"] == "dark brown; black"
    picture[60:64, 60:64] = COLOURS["white"]  # a glint
    assert describe_lesion(mask, picture)["colour_count"] == 2
    pale = (210, 205, 200)
    bright = np.where(mask[..., None] > 0, pale, (250, 240, 235)).astype(np.uint8)
    assert describe_lesion(mask, bright)["colour_count"] == 0


def test_a_picture_of_another_size_is_refused():
    with pytest.raises(ValueError, match="do not fit"):
        describe_lesion(disc(), np.zeros((10, 10, 3), np.uint8))


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.booleans())
def test_values_are_those_of_scikit_image_over_the_whole_picture(seed, cut):
    random = np.random.default_rng(seed)
    mask = blob(seed)
    if cut:
        mask = mask[random.integers(10, 40) :, : random.integers(60, 90)].copy()
    lesion = largest_component(mask)
    picture = random.integers(0, random.integers(2, 256), (*mask.shape, 3), np.uint8)
    row = describe_lesion(mask, picture)
    colours = rgb2lab(picture)[lesion > 0]
    for key, value in zip(("lightness", "a", "b"), colours.mean(axis=0), strict=True):
        assert row[f"mean_{key}"] == pytest.approx(value, abs=1e-4)
    assert row["perimeter_pixels"] == pytest.approx(perimeter_crofton(lesion, directions=4))
    shades = rgb2lab(np.array([list(COLOURS.values())], np.uint8))[0]
    nearest = np.argmin(((colours[:, None] - shades) ** 2).sum(axis=2), axis=1)
    skin = picture[mask == 0]
    lightness = np.median(rgb2lab(skin[None])[0, :, 0])
    counted = (nearest != 0) | (colours[:, 0] > lightness)
    shares = np.bincount(nearest[counted], minlength=6) / len(colours)
    # Of 2,000 pixels one may lie between two shades to the last digit of float32.
    assert set(np.array(list(COLOURS))[shares >= 0.051]) <= set(row["colours"].split("; "))
    assert set(np.array(list(COLOURS))[shares < 0.049]).isdisjoint(row["colours"].split("; "))
    assert asymmetry(lesion) == pytest.approx(tuple(folded(lesion)), abs=2 / lesion.sum())
    assert (row["asymmetry_long_axis"], row["asymmetry_short_axis"]) == asymmetry(lesion)


def folded(lesion):
    """Asymmetry by its definition, a pixel of the whole picture after the other."""
    points = np.argwhere(lesion).astype(np.float64)
    offsets = points - points.mean(axis=0)
    _, axes = np.linalg.eigh(offsets.T @ offsets)
    for axis in axes.T[::-1]:
        mirrored = 2 * np.outer(offsets @ axis, axis) - offsets + points.mean(axis=0)
        hit = ndimage.map_coordinates(lesion, mirrored.T, order=0, mode="constant", cval=0)
        yield 1 - np.count_nonzero(hit) / len(points)
