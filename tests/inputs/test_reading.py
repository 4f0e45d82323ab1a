"""read_image and read_mask: every kind of file, and every file that is none."""

import io

import cv2
import numpy as np
import pytest
from bad_files import png_claiming
from hypothesis import given, settings
from hypothesis import strategies as st
from picture_files import square_mask, write_picture
from PIL import Image

from lesion.inputs.reading import read_image, read_mask

# pytest shows every warning anew, also those of Pillow that reading.py switches off.
pytestmark = pytest.mark.filterwarnings("ignore")

NOISE = np.random.default_rng(7).integers(0, 256, (20, 30, 3), dtype=np.uint8)
GRAY = NOISE[..., 0]
MASK = square_mask((30, 20))


def save(path, array, mode=None, **options):
    picture = Image.fromarray(array)
    (picture.convert(mode) if mode else picture).save(path, **options)
    return path


# --- pictures -----------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", ["png", "PNG", "bmp", "tif", "tiff", "TIF"])
def test_lossless_formats_give_the_exact_pixels(tmp_path, suffix):
    path = save(tmp_path / f"x.{suffix}", NOISE)
    picture = read_image(path)
    assert picture.dtype == np.uint8
    np.testing.assert_array_equal(picture, NOISE)
    assert picture.flags.writeable


def test_jpeg_and_cmyk_jpeg_give_nearly_the_same_colours(tmp_path):
    smooth = cv2.GaussianBlur(NOISE, (0, 0), 4)
    for mode in ("RGB", "CMYK"):
        path = save(tmp_path / f"{mode}.jpg", smooth, mode, quality=98)
        assert np.abs(read_image(path).astype(int) - smooth).mean() < 4


def test_content_decides_what_a_file_is(tmp_path):
    path = tmp_path / "x.jpg"
    save(path, NOISE, format="PNG")
    np.testing.assert_array_equal(read_image(path), NOISE)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA"])
def test_modes_become_rgb_or_gray(tmp_path, mode):
    path = save(tmp_path / "x.png", NOISE, mode)
    colour, gray = read_image(path), read_image(path, channels=1)
    assert colour.shape == (20, 30, 3)
    assert gray.shape == (20, 30, 1)
    expected = np.asarray(Image.fromarray(NOISE).convert(mode).convert("RGB"))
    np.testing.assert_array_equal(colour, expected)
    assert np.abs(gray[..., 0].astype(int) - expected @ [0.299, 0.587, 0.114]).max() <= 1


@pytest.mark.parametrize("transparency", [3, bytes(range(16))])
def test_palette_transparency_is_dropped(tmp_path, transparency):
    quantised = Image.fromarray(NOISE).quantize(16)
    quantised.save(tmp_path / "x.png", transparency=transparency)
    np.testing.assert_array_equal(read_image(tmp_path / "x.png"), quantised.convert("RGB"))


@pytest.mark.parametrize("name", ["x.png", "x.tif"])
def test_16_bit_gray_keeps_its_upper_byte(tmp_path, name):
    path = save(tmp_path / name, GRAY.astype(np.uint16) * 256 + 77)
    np.testing.assert_array_equal(read_image(path, channels=1)[..., 0], GRAY)
    np.testing.assert_array_equal(read_image(path)[..., 2], GRAY)


def test_16_bit_storage_of_8_bit_values_is_kept(tmp_path):
    path = save(tmp_path / "x.png", GRAY.astype(np.uint16))
    np.testing.assert_array_equal(read_image(path, channels=1)[..., 0], GRAY)


def test_big_endian_and_16_bit_colour(tmp_path):
    big_endian = (GRAY.astype(">u2") * np.uint16(257)).astype(">u2").tobytes()
    Image.frombytes("I;16B", (30, 20), big_endian).save(tmp_path / "a.tif")
    np.testing.assert_array_equal(read_image(tmp_path / "a.tif")[..., 0], GRAY)
    cv2.imwrite(str(tmp_path / "b.png"), NOISE[..., ::-1].astype(np.uint16) * 257)
    np.testing.assert_array_equal(read_image(tmp_path / "b.png"), NOISE)


@pytest.mark.parametrize("scale", [1, 1 / 255])
def test_float_tiff_of_either_range(tmp_path, scale):
    save(tmp_path / "x.tif", GRAY.astype(np.float32) * np.float32(scale))
    np.testing.assert_array_equal(read_image(tmp_path / "x.tif", channels=1)[..., 0], GRAY)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_rotation_is_applied_to_pictures_and_masks(tmp_path, orientation):
    turn = {
        1: lambda a: a,
        2: np.fliplr,
        3: lambda a: np.rot90(a, 2),
        4: np.flipud,
        5: lambda a: a.swapaxes(0, 1),
        6: lambda a: np.rot90(a, -1),
        7: lambda a: np.rot90(a, 2).swapaxes(0, 1),
        8: np.rot90,
    }[orientation]
    exif = Image.Exif()
    exif[274] = orientation
    save(tmp_path / "x.png", NOISE, exif=exif)
    np.testing.assert_array_equal(read_image(tmp_path / "x.png"), turn(NOISE))
    save(tmp_path / "m.png", MASK * np.uint8(255), exif=exif)
    np.testing.assert_array_equal(read_mask(tmp_path / "m.png"), turn(MASK))


def test_unreadable_exif_does_not_cost_the_picture(tmp_path):
    save(tmp_path / "x.jpg", NOISE, exif=b"Exif\0\0II*\0\x08\0\0\0\xff\xff\x12\x01\x03\x00")
    assert read_image(tmp_path / "x.jpg").shape == (20, 30, 3)


def test_single_pixel_and_unusual_names(tmp_path):
    for name in ("ü 日本 $(x).png", "n" * 240 + ".png"):
        assert read_image(write_picture(tmp_path / name, size=(1, 1))).shape == (1, 1, 3)


def test_channels_other_than_1_or_3_are_refused(tmp_path):
    with pytest.raises(ValueError, match="channels is 2"):
        read_image(save(tmp_path / "x.png", NOISE), channels=2)


# --- files that are no picture ------------------------------------------------------------------


def encoded(picture_format, **options):
    buffer = io.BytesIO()
    Image.fromarray(NOISE).save(buffer, picture_format, **options)
    return buffer.getvalue()


OTHERS = [Image.fromarray(NOISE[::-1]), Image.fromarray(NOISE[:, ::-1])]
BAD_FILES = {
    "zero bytes": (b"", "empty"),
    "text": (b"This is not a picture.\n", "no PNG, JPEG, BMP or TIFF"),
    "truncated JPEG": (encoded("JPEG")[:500], "damaged or incomplete"),
    "JPEG header only": (encoded("JPEG")[:60], "damaged or incomplete"),
    "truncated PNG": (encoded("PNG")[:900], "damaged or incomplete"),
    "PNG with a wrong byte": (encoded("PNG").replace(b"IDAT", b"IDAT\x00", 1), "damaged"),
    "truncated BMP": (encoded("BMP")[:300], "damaged or incomplete"),
    "truncated TIFF": (encoded("TIFF")[:300], "damaged or incomplete"),
    "animated GIF": (encoded("GIF", save_all=True, append_images=OTHERS), "an animated GIF"),
    "animated PNG": (
        encoded("PNG", save_all=True, append_images=OTHERS),
        "an animated PNG picture of 3",
    ),
    "animated WebP": (encoded("WEBP", save_all=True, append_images=OTHERS), "an animated WEBP"),
    "TIFF of pages": (encoded("TIFF", save_all=True, append_images=OTHERS), "holds 3 pictures"),
    "20000 x 20000": (png_claiming(20000, 20000), "150 megapixels"),
    "14000 x 14000": (png_claiming(14000, 14000), "14000 x 14000 pixels"),
    "decompression bomb": (png_claiming(2**31 - 1, 2**31 - 1), "150 megapixels"),
    "no width": (png_claiming(0, 20), "no PNG, JPEG, BMP or TIFF|damaged"),
}


@pytest.mark.parametrize("case", BAD_FILES)
@pytest.mark.parametrize("read", [read_image, read_mask])
def test_bad_files_end_in_one_clear_line(tmp_path, case, read):
    content, finding = BAD_FILES[case]
    path = tmp_path / "bad file.png"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=finding) as caught:
        read(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    assert "; " in message
    assert "\n" not in message


def test_missing_file_folder_loop_and_impossible_names(tmp_path):
    with pytest.raises(FileNotFoundError, match="no such file"):
        read_image(tmp_path / "x.png")
    with pytest.raises(ValueError, match="cannot be opened"):
        read_image(tmp_path)
    (tmp_path / "loop.png").symlink_to(tmp_path / "loop.png")
    with pytest.raises(ValueError, match="symbolic links"):
        read_image(tmp_path / "loop.png")
    with pytest.raises(ValueError, match="too long"):
        read_image(tmp_path / ("n" * 300 + ".png"))
    with pytest.raises(ValueError, match="null byte"):
        read_image("a\0.png")


def test_file_without_read_permission(tmp_path, monkeypatch):
    def refuse(*arguments):
        raise PermissionError(13, "Permission denied")

    path = save(tmp_path / "x.png", NOISE)
    monkeypatch.setattr("pathlib.Path.open", refuse)  # root may read everything, so it is played
    with pytest.raises(ValueError, match="Permission denied"):
        read_image(path)


@pytest.mark.parametrize(
    ("values", "finding"),
    [
        (np.where(GRAY > 200, np.nan, GRAY / 255), "NaN or infinite"),
        (np.where(GRAY > 200, np.inf, GRAY / 255), "NaN or infinite"),
        (GRAY - 300.0, "from -300 to"),
        (GRAY * 1000.0, "scale them to 0-1 or 0-255"),
    ],
)
def test_float_values_without_a_meaning_are_refused(tmp_path, values, finding):
    save(tmp_path / "x.tif", values.astype(np.float32))
    for read in (read_image, read_mask):
        with pytest.raises(ValueError, match=finding):
            read(tmp_path / "x.tif")


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(["PNG", "JPEG", "BMP", "TIFF", "GIF", "WEBP", "AVIF"]),
    st.lists(st.tuples(st.integers(0, 2000), st.integers(0, 255)), min_size=1, max_size=8),
    st.integers(0, 2200),
)
def test_damaged_bytes_give_a_picture_or_a_value_error(tmp_path_factory, kind, changes, length):
    data = bytearray(encoded(kind))
    for position, value in changes:
        data[position % len(data)] = value
    path = tmp_path_factory.getbasetemp() / "fuzzed.png"
    path.write_bytes(data[: max(1, length)])
    for read in (read_image, read_mask):
        message = None
        try:
            read(path)
        except ValueError as error:
            message = str(error)
        assert message is None or message.startswith(f"{path}: ")
        assert "\n" not in (message or "")


# --- masks --------------------------------------------------------------------------------------


def palette_mask(colours):
    picture = Image.fromarray(MASK).convert("P")
    picture.putpalette([value for colour in colours for value in colour])
    return picture


def rgba_mask(colour, alpha):
    layers = [np.broadcast_to(np.asarray(c, np.uint8), MASK.shape) for c in (*colour, alpha)]
    return Image.fromarray(np.ascontiguousarray(np.stack(layers, axis=-1)))


VISIBLE = MASK * 255
SAME_MASK = {
    "0 and 255": Image.fromarray(MASK * np.uint8(255)),
    "0 and 1": Image.fromarray(MASK),
    "0 and 2": Image.fromarray(MASK * np.uint8(2)),
    "0 and 128": Image.fromarray(MASK * np.uint8(128)),
    "1 bit": Image.fromarray(MASK * np.uint8(255)).convert("1"),
    "16 bit": Image.fromarray(MASK * np.uint16(65535)),
    "16 bit, 0 and 1": Image.fromarray(MASK.astype(np.uint16)),
    "16 bit, dark": Image.fromarray(MASK * np.uint16(3000)),
    "float": Image.fromarray(MASK.astype(np.float32)),
    "palette": palette_mask([(0, 0, 0), (255, 255, 255)]),
    "red palette": palette_mask([(0, 0, 0), (128, 0, 0)]),
    "exchanged palette": Image.fromarray(1 - MASK).convert("P"),
    "RGB": Image.fromarray(MASK * np.uint8(255)).convert("RGB"),
    "blue": Image.merge("RGB", [Image.fromarray(MASK * np.uint8(v)) for v in (0, 0, 255)]),
    "gray with alpha": Image.fromarray(MASK * np.uint8(255)).convert("LA"),
    "opaque RGBA": rgba_mask((VISIBLE, VISIBLE, VISIBLE), 255),
    "white, cut out": rgba_mask((255, 255, 255), VISIBLE),
    "black, cut out": rgba_mask((0, 0, 0), VISIBLE),
}
SAME_MASK["exchanged palette"].putpalette([255, 255, 255, 0, 0, 0])


@pytest.mark.parametrize("kind", SAME_MASK)
def test_one_mask_in_every_kind_of_file(tmp_path, kind):
    path = tmp_path / ("x.tif" if SAME_MASK[kind].mode == "F" else "x.png")
    SAME_MASK[kind].save(path)
    mask = read_mask(path)
    assert mask.dtype == np.uint8
    np.testing.assert_array_equal(mask, MASK)


@pytest.mark.parametrize("value", [1, 255])
def test_one_level_is_empty_or_full(tmp_path, value):
    assert read_mask(save(tmp_path / "e.png", np.zeros((5, 4), np.uint8))).sum() == 0
    assert read_mask(save(tmp_path / "f.png", np.full((5, 4), value, np.uint8))).sum() == 20
    assert read_mask(save(tmp_path / "g.png", np.full((5, 4), 65535, np.uint16))).sum() == 20


def test_gray_levels_are_cut_at_half_of_full_scale(tmp_path):
    levels = np.array([[0, 1, 126, 127, 128, 129, 255]], np.uint8)
    expected = [[0, 0, 0, 0, 1, 1, 1]]
    assert read_mask(save(tmp_path / "a.png", levels)).tolist() == expected
    assert read_mask(save(tmp_path / "b.png", levels.astype(np.uint16) * 257)).tolist() == expected
    save(tmp_path / "c.tif", levels.astype(np.float32) / 255)
    assert read_mask(tmp_path / "c.tif").tolist() == expected


def test_jpeg_and_resizing_leave_the_mask_nearly_unchanged(tmp_path):
    large = cv2.resize(MASK * np.uint8(255), (300, 200), interpolation=cv2.INTER_NEAREST)
    save(tmp_path / "x.jpg", large, quality=60)
    save(tmp_path / "x.png", cv2.resize(large, (150, 100), interpolation=cv2.INTER_CUBIC))
    assert np.mean(read_mask(tmp_path / "x.jpg") != (large > 0)) < 0.005
    assert np.mean(read_mask(tmp_path / "x.png") != (large[::2, ::2] > 0)) < 0.005


@pytest.mark.parametrize(
    ("levels", "finding"),
    [
        ([0, 1, 2], r"levels 0 \(33.33%\), 1 \(33.33%\), 2 \(33.33%\), not .* --lesion-level 1 "),
        ([0, 3, 20], r"levels 0 \(.*, 3 \(.*, 20 \("),
        ([1, 2], r"levels 1 \(50.00%\), 2 \("),
        ([7], "level 7 alone; save"),
        ([200], "level 200 alone; save"),
        ([200, 250], r"levels 200 \(50.00%\), 250"),
        ([10, 100], r"levels 10 \(50.00%\), 100"),
        ([0, 60, 120], r"levels 0 \(33.33%\), 60 .*, 120"),
        ([76, 255], r"levels 76 \(50.00%\), 255"),
        (list(range(0, 100, 5)), "photograph"),
    ],
)
def test_ambiguous_levels_are_named_not_guessed(tmp_path, levels, finding):
    path = save(tmp_path / "x.png", np.array([levels], np.uint8))
    with pytest.raises(ValueError, match=finding) as caught:
        read_mask(path)
    assert str(caught.value).startswith(f"{path}: ")
