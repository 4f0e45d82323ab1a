"""Outlines of masks over pictures."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lesion.masks import COLOURS, draw_outline


def disc(height, width, row, column, radius):
    rows, columns = np.mgrid[:height, :width]
    return (np.hypot(rows - row, columns - column) <= radius).astype(np.uint8)


def border_pixels(mask):
    """Pixels with a 4-neighbour of the other kind, on either side; beyond the frame is outside."""
    padded = np.pad(mask, 1)
    kernel = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))
    return (cv2.dilate(padded, kernel) != cv2.erode(padded, kernel))[1:-1, 1:-1]


@settings(max_examples=60, deadline=None)
@given(
    height=st.integers(24, 220),
    width=st.integers(24, 220),
    row=st.floats(0, 1),
    column=st.floats(0, 1),
    radius=st.floats(0.02, 0.8),
    gray_level=st.integers(0, 255),
)
def test_only_pixels_near_the_border_change_and_all_on_it_do(
    height, width, row, column, radius, gray_level
):
    mask = disc(height, width, row * height, column * width, radius * min(height, width))
    picture = np.full((height, width, 3), gray_level, np.uint8)
    drawn = draw_outline(picture, {"truth": mask})
    changed = (drawn != picture).any(axis=2)
    border = border_pixels(mask)
    # Half of 1.5 pixels, the halo, the soft edge, and the slight rounding of corners.
    reach = cv2.dilate(border.astype(np.uint8), np.ones((7, 7), np.uint8)) > 0
    assert not changed[~reach].any()
    if mask.any():
        missed = border & ~changed
        assert missed.sum() <= 0.1 * border.sum()


def test_thickness_follows_the_size_of_the_picture():
    def line_width(side):
        mask = np.zeros((side, side), np.uint8)
        mask[:, side // 2 :] = 1
        drawn = draw_outline(np.zeros((side, side, 3), np.uint8), {"#ffffff": mask})
        # Across the vertical border, away from the line along the frame.
        return drawn[side // 4, side // 4 : -side // 4, 0].sum() / 255

    assert line_width(900) == pytest.approx(900 / 150, abs=0.1)
    assert line_width(1800) == pytest.approx(1800 / 150, abs=0.1)
    assert line_width(60) == pytest.approx(1.5, abs=0.1)


def test_all_foreground_is_outlined_along_the_frame_and_none_not_at_all():
    picture = np.full((50, 70, 3), 128, np.uint8)
    full = draw_outline(picture, {"truth": np.ones((50, 70), np.uint8)})
    assert (full[0] != 128).any(axis=1).all()
    assert (full[5:-5, 5:-5] == 128).all()
    assert np.array_equal(draw_outline(picture, {"truth": np.zeros((50, 70), np.uint8)}), picture)
    assert np.array_equal(draw_outline(picture, {"truth": None}), picture)


def test_an_island_of_one_pixel_is_visible():
    mask = np.zeros((64, 64), np.uint8)
    mask[20, 30] = 1
    drawn = draw_outline(np.full((64, 64, 3), 200, np.uint8), {"prediction": mask}).astype(int)
    assert np.abs(drawn[20, 30] - 200).max() > 60


def test_where_two_outlines_coincide_both_stay_visible():
    mask = disc(300, 300, 150, 150, 80)
    drawn = draw_outline(
        np.full((300, 300, 3), 190, np.uint8), {"truth": mask, "prediction": mask}
    ).astype(int)
    for name in ("truth", "prediction"):
        colour = np.array(list(bytes.fromhex(COLOURS[name][1:])))
        close = np.abs(drawn - colour).max(axis=2) < 40
        assert close.sum() > 2 * np.pi * 80 * 0.8, name


@pytest.mark.parametrize("colour", sorted(COLOURS))
@pytest.mark.parametrize("gray_level", range(0, 256, 51))
def test_every_colour_stands_out_from_every_background(colour, gray_level):
    picture = np.full((256, 256, 3), gray_level, np.uint8)
    mask = disc(256, 256, 128, 128, 60)
    drawn = draw_outline(picture, {colour: mask}).astype(int)
    near = cv2.dilate(border_pixels(mask).astype(np.uint8), np.ones((7, 7), np.uint8)) > 0
    assert np.abs(drawn[near] - gray_level).max() > 60


def test_gray_pictures_give_the_same_as_the_same_gray_in_rgb():
    random = np.random.default_rng(0)
    gray = random.integers(0, 256, (60, 80), dtype=np.uint8)
    mask = disc(60, 80, 30, 40, 15)
    expected = draw_outline(np.repeat(gray[..., None], 3, axis=2), {"truth": mask})
    assert np.array_equal(draw_outline(gray, {"truth": mask}), expected)
    assert np.array_equal(draw_outline(gray[..., None], {"truth": mask}), expected)
    assert expected.shape == (60, 80, 3)
    assert expected.dtype == np.uint8


def test_the_picture_passed_in_is_not_changed_and_masks_may_be_0_255_or_bool():
    picture = np.full((60, 80, 3), 90, np.uint8)
    mask = disc(60, 80, 30, 40, 15)
    drawn = draw_outline(picture, [(mask, "#E69F00")])
    assert (picture == 90).all()
    assert np.array_equal(drawn, draw_outline(picture, {"prediction": mask * 255}))
    assert np.array_equal(drawn, draw_outline(picture, {"prediction": mask.astype(bool)}))


def test_wrong_input_is_named():
    picture, mask = np.zeros((20, 30, 3), np.uint8), np.ones((20, 30), np.uint8)
    with pytest.raises(ValueError, match=r"float32.*expected uint8"):
        draw_outline(picture.astype(np.float32), {"truth": mask})
    with pytest.raises(ValueError, match=r"\(30, 20\).*\(20, 30\)"):
        draw_outline(picture, {"truth": mask.T})
    with pytest.raises(ValueError, match="threshold"):
        draw_outline(picture, {"truth": mask * 0.5})
