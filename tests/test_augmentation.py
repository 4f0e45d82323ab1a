"""augment: picture and mask move together, the mask stays a mask, the same seed repeats."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data import augment, move, recolour


def blob(size, channels=3):
    """A soft-edged, asymmetric shape as picture (size, size, channels) and its mask."""
    mask = np.zeros((size, size), np.float32)
    cv2.ellipse(mask, (size * 2 // 5, size // 2), (size // 4, size // 6), 25, 0, 360, 1.0, -1)
    cv2.circle(mask, (size * 3 // 4, size // 4), size // 12, 1.0, -1)
    return np.repeat(mask[..., None], channels, axis=2), mask[..., None]


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32), st.sampled_from([1, 3]), st.sampled_from([1, 2, 16, 65, 128]))
def test_shapes_ranges_and_levels(seed, channels, size):
    image, mask = blob(size, channels)
    before = image.copy(), mask.copy()
    new_image, new_mask = augment(image, mask, np.random.default_rng(seed))
    assert new_image.shape == image.shape
    assert new_mask.shape == mask.shape
    assert new_image.dtype == new_mask.dtype == np.float32
    assert new_image.min() >= 0
    assert new_image.max() <= 1
    assert set(np.unique(new_mask)) <= {0, 1}
    np.testing.assert_array_equal(image, before[0])
    np.testing.assert_array_equal(mask, before[1])


@pytest.mark.parametrize("seed", range(40))
def test_picture_and_mask_move_together(seed):
    image, mask = blob(128)
    moved, moved_mask = move(image, mask, np.random.default_rng(seed))
    # The picture is the mask itself, so it must still be after any flip, turn or deformation.
    np.testing.assert_array_equal(moved[..., :1] >= 0.5, moved_mask == 1)


def test_moves_are_of_every_kind():
    size = 64
    _, mask = blob(size)
    y, x = np.mgrid[:size, :size].astype(np.float32) / size
    coordinates = np.stack([x, y, np.zeros_like(x)], axis=-1)
    turned, mirrored, sizes, shifts = set(), set(), [], []
    for seed in range(300):
        moved, moved_mask = move(coordinates, mask, np.random.default_rng(seed))
        middle = moved[24:40, 24:40]
        x_right, y_right = (middle[:, -1] - middle[:, 0]).mean(axis=0)[:2]
        x_down, y_down = (middle[-1] - middle[0]).mean(axis=0)[:2]
        turned.add(int(np.degrees(np.arctan2(y_right, x_right)) // 45))
        mirrored.add(x_right * y_down - x_down * y_right > 0)
        sizes.append(moved_mask.mean() / mask.mean())
        shifts.append(middle.mean(axis=(0, 1))[:2] - 0.5)
    assert len(turned) == 8
    assert mirrored == {True, False}
    assert min(sizes) < 0.7
    assert max(sizes) > 1.4
    assert np.abs(shifts).max() < 0.35  # the lesion is not thrown out of the picture
    assert np.std(shifts, axis=0).min() > 0.03


def test_colour_changes_the_picture_and_leaves_it_in_place():
    image = 0.8 - 0.5 * cv2.GaussianBlur(blob(64)[0], (0, 0), 2)
    likeness = []
    for seed in range(40):
        changed = recolour(image, np.random.default_rng(seed))
        assert np.abs(changed - image).mean() > 1e-3
        likeness.append(np.corrcoef(changed[..., 1].ravel(), image[..., 1].ravel())[0, 1])
    assert np.median(likeness) > 0.9


def test_same_generator_state_same_result():
    image, mask = blob(64)
    results = [augment(image, mask, np.random.default_rng(seed)) for seed in (5, 5, 6)]
    np.testing.assert_array_equal(results[0][0], results[1][0])
    np.testing.assert_array_equal(results[0][1], results[1][1])
    assert np.abs(results[0][0] - results[2][0]).max() > 0.1


def test_empty_and_full_masks_stay_so():
    image = np.full((32, 32, 3), 0.5, np.float32)
    for value in (0, 1):
        mask = np.full((32, 32, 1), value, np.float32)
        for seed in range(10):
            assert np.all(augment(image, mask, np.random.default_rng(seed))[1] == value)


def test_different_sizes_are_refused():
    with pytest.raises(ValueError, match=r"picture \(8, 8\) and mask \(8, 9\) differ"):
        augment(
            np.zeros((8, 8, 3), np.float32),
            np.zeros((8, 9, 1), np.float32),
            np.random.default_rng(0),
        )


def test_without_strength_only_flips_and_quarter_turns_remain():
    image, mask = blob(64)
    versions = [np.rot90(side, turns) for side in (mask, mask[:, ::-1]) for turns in range(4)]
    found = set()
    for seed in range(60):
        same, same_mask = augment(image, mask, np.random.default_rng(seed), strength=0.0)
        (which,) = [i for i, version in enumerate(versions) if (version == same_mask).all()]
        assert np.abs(same[..., :1] - versions[which]).max() < 1e-3
        found.add(which)
    assert found == set(range(8))


def test_strength_is_a_factor_on_how_far_things_move():
    image, mask = blob(64)
    bent = [
        np.mean([move(image, mask, np.random.default_rng(s), k)[1].mean() for s in range(60)])
        for k in (0, 1)
    ]
    assert bent[0] == pytest.approx(mask.mean())
    spread = [
        np.std([recolour(image, np.random.default_rng(s), k).mean() for s in range(60)])
        for k in (0, 0.5, 1, 2)
    ]
    assert spread[0] == pytest.approx(0, abs=1e-6)
    assert spread[1] < 0.7 * spread[2] < 0.7 * 0.9 * spread[3]
