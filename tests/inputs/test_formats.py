"""Kinds of picture files beside PNG and JPEG, deep values, and packages that may be missing."""

import io
import sys
import zlib

import cv2
import numpy as np
import pillow_heif
import pytest
import tifffile
from bad_files import dicom, encoded
from picture_files import square_mask
from PIL import Image
from pydicom.data import get_testdata_file

from lesion.inputs import find_pairs, find_pictures
from lesion.inputs.decoding import look
from lesion.inputs.orientation import turn
from lesion.inputs.pictures import distinct_names
from lesion.inputs.reading import read_image, read_image_and_bits, read_mask
from lesion.inputs.stored import common_bits

pytestmark = pytest.mark.filterwarnings("ignore")

NOISE = np.random.default_rng(7).integers(0, 256, (20, 30, 3), dtype=np.uint8)
SMOOTH = cv2.GaussianBlur(NOISE, (0, 0), 4)
GRAY = NOISE[..., 0]
DEEP = np.random.default_rng(8).integers(0, 4096, (20, 30, 3), dtype=np.uint16)
DEEP[0, 0] = 4095
MASK = square_mask((30, 20))


def write(path, content):
    path.write_bytes(content if isinstance(content, bytes) else encoded("PNG", content))
    return path


def heic(picture, **options):
    buffer = io.BytesIO()
    pillow_heif.from_pillow(Image.fromarray(picture)).save(buffer, quality=-1, **options)
    return buffer.getvalue()


def close(picture, expected, tolerance=4):
    return np.abs(picture.astype(int) - expected).mean() < tolerance


# --- kinds --------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", ["png", "jpg"])
@pytest.mark.parametrize(
    ("kind", "options"),
    [("WEBP", {"lossless": True}), ("WEBP", {"quality": 95}), ("AVIF", {"quality": 95})],
)
def test_webp_and_avif(tmp_path, kind, options, suffix):
    path = write(tmp_path / f"x.{suffix}", encoded(kind, SMOOTH, **options))
    assert close(read_image(path), SMOOTH, 1e-9 if "lossless" in options else 4)


def test_heic(tmp_path):
    assert close(read_image(write(tmp_path / "x.heic", heic(SMOOTH))), SMOOTH)


def test_a_heic_picture_is_turned_once(tmp_path):
    exif = Image.Exif()
    exif[274] = 6
    path = write(tmp_path / "x.heic", heic(SMOOTH, exif=exif.tobytes()))
    assert close(read_image(path), turn(SMOOTH, 6))


def test_the_palette_of_a_gif(tmp_path):
    quantised = Image.fromarray(NOISE).quantize(16)
    path = write(tmp_path / "x.gif", encoded("GIF", quantised))
    np.testing.assert_array_equal(read_image(path), np.asarray(quantised.convert("RGB")))


@pytest.mark.parametrize("kind", ["GIF", "WEBP"])
def test_masks(tmp_path, kind):
    options = {"lossless": True} if kind == "WEBP" else {}
    path = write(tmp_path / "x.gif", encoded(kind, MASK * np.uint8(255), **options))
    np.testing.assert_array_equal(read_mask(path), MASK)


def test_a_gif_mask_whose_palette_is_exchanged(tmp_path):
    picture = Image.fromarray(1 - MASK).convert("P")
    picture.putpalette([255, 255, 255, 0, 0, 0])
    path = write(tmp_path / "x.gif", encoded("GIF", picture))
    np.testing.assert_array_equal(read_mask(path), MASK)


def test_suffixes_that_count_as_pictures(tmp_path):
    names = ["a.jfif", "b.JPE", "c.webp", "d.heic", "e.HEIF", "f.avif", "g.gif", "h.dcm", "i.dicom"]
    names += ["j.PPM", "k.pgm"]
    for name in names:
        write(tmp_path / name, encoded("JPEG"))
    assert [path.name for path in find_pictures([tmp_path])[0]] == names


def test_portable_maps(tmp_path):
    path = write(tmp_path / "x.ppm", encoded("PPM", NOISE))
    np.testing.assert_array_equal(read_image(path), NOISE)
    path.write_bytes(b"P5 3 1 4095\n" + np.array([0, 2048, 4095], ">u2").tobytes())
    assert read_image(path, 1).ravel().tolist() == [0, 128, 255]
    path.write_bytes(b"P1 3 1\n0 1 1\n")  # in bit maps 1 is black
    assert read_image(path, 1).ravel().tolist() == [255, 0, 0]


@pytest.mark.parametrize(
    ("package", "content", "words"),
    [
        ("pillow_heif", heic(SMOOTH), "a HEIC picture|`pip install pillow-heif`"),
        ("pydicom", dicom(GRAY), "is DICOM|`pip install pydicom`"),
    ],
)
def test_a_missing_package_is_named(tmp_path, monkeypatch, package, content, words):
    path = write(tmp_path / "x.png", content)
    monkeypatch.setitem(sys.modules, package, None)  # as if it were not installed
    for read in (read_image, look):
        with pytest.raises(ValueError, match=words.split("|")[0]) as caught:
            read(path)
        assert words.split("|")[1] in str(caught.value)
        assert "\n" not in str(caught.value)


def test_a_pillow_without_avif(tmp_path, monkeypatch):
    path = write(tmp_path / "x.avif", encoded("AVIF"))
    monkeypatch.setattr("PIL.features.check", lambda name: False)
    with pytest.raises(ValueError, match=r"an AVIF picture.*`pip install .*pillow`"):
        read_image(path)


# --- deep values --------------------------------------------------------------------------------


@pytest.mark.parametrize("bits", [8, 10, 12, 14, 16])
def test_the_highest_value_shows_the_bits(tmp_path, bits):
    values = np.array([[0, 1, (1 << bits) // 2, (1 << bits) - 1]], np.uint16)
    path = write(tmp_path / "x.png", values)
    expected = [0, 1 if bits == 8 else 0, 128, 255]
    picture, own = read_image_and_bits(path, 1)
    assert (picture.ravel().tolist(), own) == (expected, bits)


@pytest.mark.parametrize(
    ("highest", "bits"), [(255, 8), (256, 10), (1023, 10), (1024, 12), (4096, 14), (16384, 16)]
)
def test_values_between_two_depths(tmp_path, highest, bits):
    path = write(tmp_path / "x.png", np.array([[0, highest]], np.uint16))
    assert read_image_and_bits(path)[1] == bits
    assert read_image(path).max() == highest >> (bits - 8)


def test_pictures_of_one_camera_are_scaled_alike(tmp_path):
    dark = write(tmp_path / "dark.png", np.array([[0, 200, 400]], np.uint16))
    bright = write(tmp_path / "bright.png", np.array([[0, 400, 4000]], np.uint16))
    shallow = write(tmp_path / "shallow.png", NOISE)
    assert common_bits([shallow, tmp_path / "none.png"]) == {}
    assert common_bits([dark, bright, shallow]) == {dark: 12, bright: 12}
    assert read_image(dark, 1, bits=12).ravel().tolist() == [0, 12, 25]
    assert read_image(bright, 1, bits=12).ravel().tolist() == [0, 25, 250]
    assert read_image(bright, 1, bits=8).ravel().tolist() == [0, 25, 250]  # never cut off
    np.testing.assert_array_equal(read_image(shallow, bits=12), NOISE)


def test_eight_bit_values_in_deep_files_stay(tmp_path):
    path = tmp_path / "x.png"
    cv2.imwrite(str(path), NOISE[..., ::-1].astype(np.uint16))
    np.testing.assert_array_equal(read_image(path), NOISE)
    mask = np.repeat(MASK[..., None], 3, axis=2)
    for value in (1, 255, 4095, 65535):
        cv2.imwrite(str(path), mask * np.uint16(value))
        np.testing.assert_array_equal(read_mask(path), MASK)
    cut_out = np.dstack([np.zeros_like(mask), MASK * np.uint8(255)])
    for scale in (1, 257):
        cv2.imwrite(str(path), cut_out * np.uint16(scale))
        np.testing.assert_array_equal(read_mask(path), MASK)


def png(rows, kind):
    """A 16-bit PNG of (H, W, channels) with a colour type for which OpenCV writes none."""
    height, width = rows.shape[:2]
    header = b"".join(n.to_bytes(4, "big") for n in (width, height)) + bytes([16, kind, 0, 0, 0])
    data = zlib.compress(b"".join(b"\0" + row.astype(">u2").tobytes() for row in rows))
    chunks = ((b"IHDR", header), (b"IDAT", data), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        len(content).to_bytes(4, "big") + name + content
        + zlib.crc32(name + content).to_bytes(4, "big")
        for name, content in chunks
    )  # fmt: skip


def tiff(values, **options):
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, values, photometric="rgb", **options)
    return buffer.getvalue()


OPAQUE = np.full((20, 30, 1), 65535, np.uint16)


@pytest.mark.parametrize(
    "content",
    [
        png(DEEP, 2),
        png(np.dstack([DEEP, OPAQUE]), 6),
        tiff(DEEP),
        tiff(DEEP, byteorder=">"),
        tiff(DEEP, byteorder=">", compression="zlib"),
    ],
    ids=["RGB", "RGBA", "TIFF", "big-endian TIFF", "big-endian compressed TIFF"],
)
def test_deep_colours_keep_their_contrast(tmp_path, content):
    path = write(tmp_path / "x.png", content)
    assert look(path).deep
    picture, bits = read_image_and_bits(path)
    assert bits == 12
    np.testing.assert_array_equal(picture, DEEP >> 4)


def test_deep_gray_with_transparency(tmp_path):
    path = write(tmp_path / "x.png", png(np.dstack([DEEP[..., 0], OPAQUE]), 4))
    np.testing.assert_array_equal(read_image(path, 1)[..., 0], DEEP[..., 0] >> 4)


@pytest.mark.parametrize("note", range(1, 9))
@pytest.mark.parametrize("kind", ["png", "tif"])
def test_deep_colours_are_turned_upright(tmp_path, note, kind):
    path = tmp_path / f"x.{kind}"
    if kind == "tif":
        write(path, tiff(DEEP, extratags=[(274, "H", 1, note, True)]))
    else:
        exif = Image.Exif()
        exif[274] = note
        chunk = exif.tobytes()[6:]
        chunk = len(chunk).to_bytes(4, "big") + b"eXIf" + chunk + (
            zlib.crc32(b"eXIf" + chunk).to_bytes(4, "big"))  # fmt: skip
        content = png(DEEP, 2)
        write(path, content[:33] + chunk + content[33:])
    assert look(path).orientation == note
    np.testing.assert_array_equal(read_image(path), turn(DEEP >> 4, note))


def test_planes_that_no_decoder_reads_are_refused(tmp_path):
    planes = np.ascontiguousarray(DEEP.transpose(2, 0, 1))
    path = write(tmp_path / "x.tif", tiff(planes, planarconfig="separate"))
    with pytest.raises(ValueError, match=r"more than 8 bits .* save it as 8-bit or 16-bit RGB PNG"):
        read_image(path)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("compression", [None, "zlib"])
def test_tiff_in_which_zero_is_white(tmp_path, dtype, compression):
    path = tmp_path / "x.tif"
    for bits in (8, 12) if dtype is np.uint16 else (8,):
        values = (GRAY.astype(np.uint16) << (bits - 8)).astype(dtype)
        values[0, 0] = (1 << bits) - 1
        tifffile.imwrite(path, values, photometric="miniswhite", compression=compression)
        np.testing.assert_array_equal(read_image(path, 1)[..., 0], 255 - (values >> (bits - 8)))
        tifffile.imwrite(path, (1 - MASK).astype(dtype) * dtype(255), photometric="miniswhite")
        np.testing.assert_array_equal(read_mask(path), MASK)


# --- DICOM --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["x.dcm", "x.DICOM", "x.png", "IM000001", "1.2.840.10008.77"])
def test_the_name_of_a_dicom_file_does_not_matter(tmp_path, name):
    write(tmp_path / "DICOMDIR", dicom())
    path = write(tmp_path / name, dicom(NOISE, "RGB"))
    assert find_pictures([tmp_path])[0] == [path]
    np.testing.assert_array_equal(read_image(path), NOISE)


@pytest.mark.parametrize("name", ["a{}", "1.2.840.{}"])
def test_pairs_with_dicom_pictures_without_suffix(tmp_path, name):
    for part in ("image", "label"):
        (tmp_path / part).mkdir()
    names = [name.format(number) for number in range(3)]
    for number, one in enumerate(names):
        write(tmp_path / "image" / one, dicom(NOISE + np.uint8(number), "RGB"))
        write(tmp_path / "label" / f"{one}.png", MASK * 255)
    folder = find_pairs(tmp_path)
    assert folder.problems == []
    assert [(pair.name, pair.mask.name) for pair in folder.pairs] == [
        (one, f"{one}.png") for one in names
    ]
    assert distinct_names(find_pictures([tmp_path / "image"])[0]) == names


@pytest.mark.parametrize("bits", [8, 10, 12, 16])
def test_gray_dicom(tmp_path, bits):
    dtype = np.uint8 if bits == 8 else np.uint16
    values = (GRAY.astype(np.uint16) << (bits - 8)).astype(dtype)
    path = write(tmp_path / "x.dcm", dicom(values, bits=bits))
    assert look(path).deep == (bits > 8)
    np.testing.assert_array_equal(read_image(path, 1)[..., 0], GRAY)
    inverted = ((1 << bits) - 1 - values.astype(int)).astype(dtype)
    path = write(tmp_path / "x.dcm", dicom(inverted, "MONOCHROME1", bits))
    np.testing.assert_array_equal(read_image(path, 1)[..., 0], GRAY)


def test_deep_colours_in_dicom(tmp_path):
    path = write(tmp_path / "x.dcm", dicom(DEEP, "RGB", bits=12))
    np.testing.assert_array_equal(read_image(path), DEEP >> 4)


def test_a_dark_dicom_has_the_bits_that_it_states(tmp_path):
    path = write(tmp_path / "x.dcm", dicom(np.array([[0, 400]], np.uint16), bits=12))
    assert read_image_and_bits(path, 1)[1] == 12
    assert read_image(path).max() == 25


@pytest.mark.parametrize(
    "name",
    ["+eb+cy+n1", "+eb+cy+n2", "+eb+cy+np", "+eb+cy+s2", "+eb+cy+s4"],
)
def test_colours_of_dicom_written_by_others(name):
    expected = read_image(get_testdata_file("SC_rgb_dcmtk_+eb+cr.dcm", download=False))
    np.testing.assert_array_equal(expected[5, 50], (255, 0, 0))  # its first bar is red
    picture = read_image(get_testdata_file(f"SC_rgb_dcmtk_{name}.dcm", download=False))
    assert close(picture, expected)


def test_a_palette_in_dicom(tmp_path):
    entries = np.array([0, 65535, 0x8000], np.uint16)
    more = {
        f"{colour}PaletteColorLookupTableDescriptor": [3, 0, 16] for colour in ("Red", "Green")
    } | {"BluePaletteColorLookupTableDescriptor": [3, 0, 16]}
    for shift, colour in enumerate(("Red", "Green", "Blue")):
        more[f"{colour}PaletteColorLookupTableData"] = np.roll(entries, shift).tobytes()
    indices = np.array([[0, 1], [2, 0]], np.uint8)
    path = write(tmp_path / "x.dcm", dicom(indices, "PALETTE COLOR", **more))
    first, second, third = [0, 128, 255], [255, 0, 128], [128, 255, 0]
    assert read_image(path).tolist() == [[first, second], [third, first]]


def test_dicom_without_its_preamble(tmp_path):
    content = dicom(NOISE, "RGB")[132:]
    np.testing.assert_array_equal(read_image(write(tmp_path / "x.dcm", content)), NOISE)


@pytest.mark.parametrize(
    ("content", "finding"),
    [
        (dicom(), r"holds no picture \(Encapsulated PDF Storage\); save"),
        (dicom(np.zeros((2, 4, 6), np.uint8)[0], NumberOfFrames=12), "holds 12 frames; save"),
        (dicom(NOISE, "YBR_PARTIAL_422"), "interpretation is YBR_PARTIAL_422.*; save"),
        (dicom(GRAY, "CMYK"), "interpretation is CMYK.*; save"),
        (dicom(GRAY)[:-300], "damaged or incomplete"),
        (dicom(np.zeros((4, 6), np.uint8), Rows=20000, Columns=20000), "20000 x 20000.*megapixels"),
        (dicom(np.full((4, 6), 70000, np.uint32), bits=32), "from 70000 to 70000; scale"),
    ],
    ids=["PDF", "frames", "YBR", "CMYK", "truncated", "large", "32 bits"],
)
def test_dicom_that_is_no_picture(tmp_path, content, finding):
    path = write(tmp_path / "x.dcm", content)
    with pytest.raises(ValueError, match=finding) as caught:
        read_image(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)


def test_a_compression_that_needs_another_package(monkeypatch):
    path = get_testdata_file("SC_rgb_jls_lossy_line.dcm", download=False)
    message = "Unable to decompress because all plugins are missing dependencies:\n\tgdcm"

    def refuse(dataset):
        raise RuntimeError(message)

    monkeypatch.setattr("pydicom.pixels.pixel_array", refuse)
    with pytest.raises(
        ValueError, match=r"compressed as JPEG-LS.*`pip install pylibjpeg"
    ) as caught:
        read_image(path)
    assert "\n" not in str(caught.value)
