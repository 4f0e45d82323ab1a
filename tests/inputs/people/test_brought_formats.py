"""Kinds of files: what is read, what is named; bits of deep pictures; rotation notes."""

import numpy as np
import pytest
from bring import ANY, Table, draw, encoded, plain, white
from PIL import Image, features

formats, deep, turned = Table(), Table(), Table()
TEN = range(10)


# --- suffixes -------------------------------------------------------------------------------------


@formats("either", says=r"heic")
def a_phone_and_a_browser(folder):
    """Also plain JPEG called .jfif and .jpe, as Chrome saves it, and a JPEG called .heic."""
    ends = (".jpg", ".JPG", ".jpeg", ".jpg", ".jfif", ".jpe", ".webp", ".heic")
    for k, end in enumerate(ends):
        picture, mask = draw(k)
        content = encoded(picture, "WEBP" if end == ".webp" else "JPEG", quality=95)
        folder.file(f"image/m{k}{end}", content)
        folder.file(f"label/m{k}.png", white(mask))
        folder.truth[f"image/m{k}{end}"] = mask
        folder.shown[f"image/m{k}{end}"] = picture


def all_of(suffix, **options):
    def make(folder):
        for k in TEN:
            folder.pair(k, f"image/m{k}{suffix}", f"label/m{k}.png", **options)
            folder.shown[f"image/m{k}{suffix}"] = draw(k)[0]

    return make


for its_suffix in ("png", "bmp", "tif", "TIFF", "webp", "jfif", "jpe", "jpg"):
    its_row = all_of(f".{its_suffix}")
    its_row.__name__ = f"pictures_{its_suffix}"
    formats()(its_row)

if features.check("avif"):
    its_row = all_of(".avif", quality=95)
    its_row.__name__ = "pictures_avif"
    formats("either", says=r"avif")(its_row)


@formats("either", says=r"heic")
def pictures_heic(folder):
    pillow_heif = pytest.importorskip("pillow_heif")
    pillow_heif.register_heif_opener()
    all_of(".heic", quality=95)(folder)


def masks_of(suffix, save=white):
    def make(folder):
        folder.pairs(TEN, "image/m{}.jpg", f"label/m{{}}{suffix}", save)

    return make


def lossless(mask):
    return Image.fromarray(white(mask)).convert("RGB")


for its_suffix in ("gif", "bmp", "tif", "GIF"):
    its_row = masks_of(f".{its_suffix}")
    its_row.__name__ = f"masks_{its_suffix}"
    formats()(its_row)


@formats()
def masks_webp(folder):
    for k in TEN:
        mask = folder.picture(k, f"image/m{k}.jpg")
        folder.file(f"label/m{k}.webp", lossless(mask), lossless=True)
        folder.truth[f"image/m{k}.jpg"] = mask


@formats()
def masks_gif_with_a_palette_of_two(folder):
    def save(mask):
        picture = Image.fromarray(mask)
        picture.putpalette([0, 0, 0, 255, 255, 255])
        return picture

    masks_of(".gif", save)(folder)


@formats("named", says=r"m3\.gif")
def an_animated_mask(folder):
    folder.pairs(TEN, "image/m{}.jpg", "label/m{}.gif")
    frames = [Image.fromarray(white(draw(k)[1])) for k in range(3, 6)]
    folder.file("label/m3.gif", frames[0], save_all=True, append_images=frames[1:])


# --- nothing is passed over in silence ------------------------------------------------------------


def beside(its_name, files, says, right="understood"):
    """A row: ten good pairs, and {path: content} that is no part of them."""

    def make(folder):
        folder.pairs(TEN, "image/m{}.jpg", "label/m{}.png")
        for path, content in files.items():
            folder.file(path, content)

    make.__name__ = its_name
    formats(right, says=says, always=right == "either")(make)


beside("raw_photographs", {f"image/x{k}.cr2": b"II*\0raw" for k in range(2)}, r"2 .*\.cr2")
beside("films", {"image/x.mp4": b"film", "image/y.MOV": b"film"}, r"(mp4.*mov)|(mov.*mp4)")
beside("layers_of_a_paint_program", {"image/x.psd": b"8BPS"}, r"\.psd")
beside("arrays", {"label/x.npy": b"\x93NUMPY"}, r"\.npy")
beside("archives", {"image/more.zip": b"PK"}, r"\.zip")
beside("volumes", {"label/case.nii.gz": b"\x1f\x8b"}, r"nii")
beside("scans", {"image/slide.svs": b"II*\0"}, r"\.svs")
beside("drawings", {"label/x.svg": b"<svg/>"}, r"\.svg")
beside("a_picture_without_a_suffix", {"image/IMG_1": encoded(draw(77)[0])}, r"IMG_1", "either")
SPARE = encoded(draw(78)[0], "JPEG")
beside("pictures_of_another_folder", {"others/x.jpg": SPARE}, r"others|x\.jpg", "either")
beside("pictures_beside_the_folders", {"x.jpg": SPARE}, r"x\.jpg|1 \.jpg", "either")
beside("superpixels", {f"image/m{k}_superpixels.png": encoded(draw(k)[0]) for k in TEN}, ())


@formats("named", says=r"\.(cr2|nef)")
def nothing_but_raw_photographs(folder):
    for k in TEN:
        folder.file(f"image/m{k}.{'cr2' if k % 2 else 'nef'}", b"II*\0raw")
        folder.file(f"label/m{k}.png", white(draw(k)[1]))


@formats("named", says=r"\.npy")
def masks_as_arrays(folder):
    for k in TEN:
        folder.picture(k, f"image/m{k}.jpg")
        folder.file(f"label/m{k}.npy", b"\x93NUMPY")


@formats("named", says=r"\.mat")
def masks_of_matlab(folder):
    for k in TEN:
        folder.picture(k, f"image/m{k}.jpg")
        folder.file(f"label/m{k}.mat", b"MATLAB 5.0")


# --- bits -----------------------------------------------------------------------------------------


def of_bits(its_name, bits, highest=None, says=(), right="understood"):
    """Gray pictures of so many bits; the highest value of the folder shows how many."""

    def make(folder):
        highest_value = highest or 2**bits - 1
        for k in TEN:
            picture, _ = draw(k)
            gray = picture.mean(axis=2)
            values = np.rint(gray / gray.max() * highest_value).astype(np.uint16)
            folder.pair(k, f"image/m{k}.png", f"label/m{k}.png", drawn=values)
            expected = values * (255 / (2**bits - 1))
            folder.shown[f"image/m{k}.png"] = np.repeat(expected[..., None], 3, axis=2)

    make.__name__ = its_name
    deep(right, says=says)(make)


of_bits("bits_8", 8)
of_bits("bits_10", 10)
of_bits("bits_12", 12)
of_bits("bits_14", 14)
of_bits("bits_16", 16)
of_bits("bits_12_not_quite_full", 12, 3500)
of_bits("bits_16_not_quite_full", 16, 52000)


@deep()
def one_dark_picture_of_12_bits(folder):
    """Alone it would look like one of 10 bits."""
    for k in TEN:
        picture, _ = draw(k)
        gray = picture.mean(axis=2) / 255
        values = np.rint(gray * (600 if k == 4 else 4095)).astype(np.uint16)
        folder.pair(k, f"image/m{k}.tif", f"label/m{k}.png", drawn=values)
        expected = values * (255 / 4095)
        folder.shown[f"image/m{k}.tif"] = np.repeat(expected[..., None], 3, axis=2)


@deep("either", says=r"\bm4\b", always=True)
def one_picture_of_8_bits_among_12(folder):
    """Or a very dark one of 12: nobody can tell."""
    for k in TEN:
        gray = draw(k)[0].mean(axis=2) / 255
        values = np.rint(gray * (250 if k == 4 else 4095)).astype(np.uint16)
        folder.pair(k, f"image/m{k}.tif", f"label/m{k}.png", drawn=values)


@deep()
def twelve_bits_in_two_folders_of_parts(folder):
    for part, ks, highest in (("train", range(6), 4095), ("test", range(6, 10), 4000)):
        for k in ks:
            values = np.rint(draw(k)[0].mean(axis=2) / 255 * highest).astype(np.uint16)
            path = f"{part}/image/m{k}.png"
            folder.pair(k, path, f"{part}/label/m{k}.png", drawn=values, part=part)
            expected = values * (255 / 4095)
            folder.shown[path] = np.repeat(expected[..., None], 3, axis=2)


def dicom(picture, **tags):
    """The bytes of a single-frame photograph in DICOM, as a dermatoscope's program sends it."""
    import io

    from pydicom.dataset import FileDataset, FileMetaDataset
    from pydicom.uid import ExplicitVRLittleEndian, generate_uid

    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.77.1.4"  # VL photographic
    meta.MediaStorageSOPInstanceUID = generate_uid()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data = FileDataset(None, {}, file_meta=meta, preamble=b"\0" * 128)
    data.SOPClassUID, data.SOPInstanceUID = meta.MediaStorageSOPClassUID, generate_uid()
    data.Rows, data.Columns = picture.shape[:2]
    data.SamplesPerPixel = picture.shape[2] if picture.ndim == 3 else 1
    data.PhotometricInterpretation = "RGB" if picture.ndim == 3 else "MONOCHROME2"
    data.BitsAllocated = picture.dtype.itemsize * 8
    data.BitsStored, data.HighBit, data.PixelRepresentation = data.BitsAllocated, 7, 0
    data.PlanarConfiguration = 0
    for name, value in tags.items():
        setattr(data, name, value)
    data.HighBit = data.BitsStored - 1
    data.PixelData = picture.tobytes()
    buffer = io.BytesIO()
    data.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


@deep("either", says=r"\.dcm|dicom")
def dicom_in_colour(folder):
    pytest.importorskip("pydicom")
    for k in TEN:
        picture, mask = draw(k)
        folder.file(f"image/m{k}.dcm", dicom(picture))
        folder.file(f"label/m{k}.png", white(mask))
        folder.truth[f"image/m{k}.dcm"], folder.shown[f"image/m{k}.dcm"] = mask, picture


@deep("either", says=r"\.dcm|dicom")
def dicom_of_12_gray_bits(folder):
    pytest.importorskip("pydicom")
    for k in TEN:
        picture, mask = draw(k)
        values = np.rint(picture.mean(axis=2) / 255 * 4095).astype(np.uint16)
        folder.file(f"image/m{k}.dcm", dicom(values, BitsStored=12))
        folder.file(f"label/m{k}.png", white(mask))
        expected = np.repeat(values[..., None] * (255 / 4095), 3, axis=2)
        folder.truth[f"image/m{k}.dcm"], folder.shown[f"image/m{k}.dcm"] = mask, expected


# --- rotation notes -------------------------------------------------------------------------------

NOTES = {2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180,
         4: Image.Transpose.FLIP_TOP_BOTTOM, 5: Image.Transpose.TRANSPOSE,
         6: Image.Transpose.ROTATE_90, 7: Image.Transpose.TRANSVERSE,
         8: Image.Transpose.ROTATE_270}  # fmt: skip  # from upright to what the file holds


def note(orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    return exif


def rotated(
    folder, orientation, mask_is, ks=TEN, size=(36, 48), paint=None, mask_note=None, suffix="png"
):
    """Pictures stored turned, with a note; their masks are upright, or turned as the file is."""
    for k in ks:
        upright, mask = draw(k, size, centre=(0.3, 0.3 + 0.02 * k))
        if paint:
            upright = paint(upright, mask)
        way = NOTES[orientation]
        stored = Image.fromarray(upright).transpose(way)
        drawn = Image.fromarray(white(mask))
        drawn = drawn.transpose(way) if mask_is == "stored" else drawn
        path = f"image/m{k}.png"
        folder.file(path, stored, exif=note(orientation))
        options = {"exif": note(mask_note)} if mask_note else {}
        folder.file(f"label/m{k}.{suffix}", drawn, **options)
        folder.truth[path], folder.shown[path] = mask, upright


for its_note in NOTES:

    def upright_masks(folder, orientation=its_note):
        rotated(folder, orientation, "upright")

    def masks_as_stored(folder, orientation=its_note):
        rotated(folder, orientation, "stored")

    upright_masks.__name__ = f"upright_masks_note_{its_note}"
    masks_as_stored.__name__ = f"masks_as_stored_note_{its_note}"
    turned()(upright_masks)
    turned("either", says=r"rotat|turn", always=True)(masks_as_stored)


@turned(says=r"rotat|turn")
def masks_as_stored_of_another_size(folder):
    rotated(folder, 6, "stored")


@turned("either", says=r"rotat|turn", always=True)
def square_pictures_masks_as_stored(folder):
    rotated(folder, 6, "stored", size=(40, 40))


@turned()
def square_pictures_upright_masks(folder):
    rotated(folder, 6, "upright", size=(40, 40))


@turned()
def notes_in_pictures_and_masks(folder):
    rotated(folder, 3, "stored", mask_note=3)


@turned("either", says=r"rotat|turn", always=True)
def a_few_pictures_with_a_note(folder):
    rotated(folder, 3, "stored", ks=range(4))
    for k in range(4, 10):
        folder.pair(k, f"image/m{k}.png", f"label/m{k}.png")


@turned("named", says=r"rotat|turn")
def nothing_to_see_in_the_pictures(folder):
    """No edge anywhere: which way the masks are meant, nobody can tell."""

    def flat(picture, mask):
        noise = np.random.default_rng(list(picture[0, 0])).integers(150, 190, picture.shape)
        return noise.astype(np.uint8)

    rotated(folder, 3, "stored", paint=flat)
    for path in list(folder.truth):
        folder.truth[path] = ANY


@turned("named", says=r"20 x 20")
def sizes_that_differ_for_another_reason(folder):
    """A note, and masks of neither size."""
    rotated(folder, 6, "stored")
    for k in TEN:
        folder.file(f"label/m{k}.png", plain(np.zeros((20, 20), np.uint8)))
        folder.truth[f"image/m{k}.png"] = ANY


@formats.parametrize
def test_formats(row, judge):
    judge(row)


@deep.parametrize
def test_bits(row, judge):
    judge(row)


@turned.parametrize
def test_rotation_notes(row, judge):
    judge(row)


def test_predict_on_what_a_phone_sends(brought, run_command, scored, tmp_path):
    ends = {".jpg": "JPEG", ".JPG": "JPEG", ".jfif": "JPEG", ".webp": "WEBP", ".tif": "TIFF"}
    for k, (end, kind) in enumerate(ends.items()):
        brought.picture(k, f"m{k}{end}", format=kind)
    brought.file("m9.heic", b"\0\0\0\x18ftypheic")
    brought.file("film.mov", b"film")
    out = tmp_path / "out"
    code, output, errors = run_command("predict", brought.root, "--out", out, "--skip-bad")
    assert code == 0, errors
    assert len(list(out.glob("*_mask.png"))) == len(ends)
    assert ".mov" in output
    assert ".heic" in output


def test_predict_on_odd_shapes(brought, run_command, scored, tmp_path):
    sizes = {"a": (16, 16), "b": (1, 1), "c": (40, 3000), "d": (3000, 40)}
    for name, size in sizes.items():
        brought.file(f"{name}.png", draw(0, size, radius=4)[0])
    picture, mask = draw(1, (240, 320))
    gray = Image.fromarray(picture).convert("L")
    brought.file("e.png", Image.merge("LA", [gray, Image.fromarray(255 - white(mask))]))
    brought.file("f.jpg", Image.fromarray(picture).convert("CMYK"))
    brought.file("g.jpg", picture, progressive=True)
    out = tmp_path / "out"
    code, _, errors = run_command("predict", brought.root, "--out", out)
    assert code == 0, errors
    found = {p.name[0]: Image.open(p).size[::-1] for p in out.glob("*_mask.png")}
    assert found == sizes | dict.fromkeys("efg", (240, 320))
