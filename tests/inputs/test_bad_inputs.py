"""Bad data folders and bad pictures, and what each public command must make of them.

Each row of the tables: what is wrong, how to make it so in a good folder of six pairs, what the
one line must name, and the exit code of each command: 0 it is handled, 1 `check` has found a
problem, 2 the command refuses in one line and leaves nothing behind.
"""

import io
import shutil
from contextlib import redirect_stderr, redirect_stdout

import bad_files as bad
import numpy as np
import pytest
from bad_files import encoded, put, remove, rename, replace, steps
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from lesion.storage import read_table
from segment import main

pytestmark = pytest.mark.filterwarnings("ignore")

NOWHERE = {"check": 2, "train": 2, "evaluate": 2, "predict": 2}  # nothing to start with
REFUSED = {"check": 2, "train": 2, "evaluate": 2}
PROBLEM = {"check": 1, "train": 2, "evaluate": 2}
PICTURE = {**PROBLEM, "predict": 2}
FINE = {"check": 0, "train": 0}

TEXT = "this is not a picture"
JPEG = encoded("JPEG")
FRAMES = [Image.fromarray(bad.NOISE[::-1]), Image.fromarray(bad.NOISE[:, ::-1])]
ANIMATED = encoded("GIF", save_all=True, append_images=FRAMES)
MOVING = encoded("WEBP", save_all=True, append_images=FRAMES)
APNG = encoded("PNG", save_all=True, append_images=FRAMES)
GIF_MASK = encoded("GIF", bad.MASK * np.uint8(255))
PAGES = encoded("TIFF", save_all=True, append_images=FRAMES)
BLACK, WHITE = np.zeros_like(bad.MASK), np.full_like(bad.MASK, 255)
LESIONS = [f"{n},lesion {n},nv" for n in range(1, 7)]
LONG = "n" * 250

FOLDERS = [
    ("missing folder", bad.gone, "data|no such f|check the path", NOWHERE),
    ("empty folder", bad.emptied(), "data|is empty|put ", NOWHERE),
    ("file for a folder", bad.file_instead, "data|is a file|give the folder", REFUSED),
    ("folder that links to itself", bad.looping, "data|cannot be opened|check the path", REFUSED),
    ("text files only", steps(bad.emptied(), put("a.txt", TEXT)), ".txt|put PNG", NOWHERE),
    ("masks only", bad.emptied("image"), "no pictures|into image/", NOWHERE),
    ("no masks at all", bad.emptied("label"), "data|no picture|mask",
     {"check": 0, "train": 2, "evaluate": 2}),
    ("empty mask folder", remove(*(f"label/{n}.png" for n in range(1, 7))), "picture|a mask",
     PROBLEM),
    ("mask without its picture", remove("image/3.png"), "3.png|without a picture|add", PROBLEM),
    ("picture without its mask", remove("label/3.png"), "3.png|without a mask|add", PROBLEM),
    ("two masks of one name", put("label/3.bmp", encoded("BMP", WHITE)), "3.bmp|several|keep",
     PROBLEM),
    ("two pictures of one name", put("image/3.jpg", JPEG), "3.jpg|name", PROBLEM),
    ("sizes that differ", put("label/3.png", bad.MASK[:9] * 255), "3.png|40 x 9|save", PROBLEM),
    ("animated GIF beside the pictures", put("image/7.gif", ANIMATED), "7.gif|animated GIF|save",
     {"check": 1}),
    ("two pairs", bad.only(2), "data|too few|add pairs", {"check": 0, "train": 2}),
    ("one pair", bad.only(1), "data|too few|add pairs", {"check": 0, "train": 2}),
    ("every mask black", bad.every_mask(0), "every|empty|draw", {"check": 1, "train": 2}),
    ("every mask white", bad.every_mask(255), "every|full|draw", {"check": 1, "train": 2}),
    ("mask of classes", put("label/3.png", bad.MASK * 2 + (bad.NOISE[..., 0] > 99)),
     "3.png|levels 0|as no other|save", PROBLEM),
    ("mask of one gray", put("label/3.png", BLACK + 90), "3.png|level 90 alone|save", PROBLEM),
    ("mask that is text", put("label/3.png", TEXT), "3.png|no PNG|save", PROBLEM),
    ("mask with NaN", replace("label/3.png", "label/3.tif", bad.float_tiff(np.nan)),
     "3.tif|NaN|replace", PROBLEM),
    ("metadata without ids", bad.metadata("1,nv", columns="name,dx"), "image_id|without", PROBLEM),
    ("picture of two lesions", bad.metadata(*LESIONS, "2,lesion 9,nv"),
     "metadata.csv|two lesions|keep", REFUSED),
    ("metadata not in UTF-8", put("metadata.csv", "image_id,lesion_id\n1,ä".encode("latin-1")),
     "metadata.csv|cannot be read|save", REFUSED),
    ("list with unknown name", put("train.txt", "1\n99"), "train.txt|99|list names", {"train": 2}),
    ("empty list", put("train.txt", ""), "train.txt|is empty|list names", {"train": 2}),
    ("name in two lists", steps(put("train.txt", "1\n2\n3"), put("test.txt", "3")),
     "test.txt|also in train.txt|one list", {"train": 2}),
    ("lesion on two sides", steps(put("train.txt", "1\n2\n3"), put("test.txt", "4"),
     bad.metadata(*LESIONS[:3], "4,lesion 1,nv", *LESIONS[4:])),
     "two sides|lesion 1", {"check": 0, "train": 2}),
    ("train and test share a picture",
     bad.two_parts(bad.copy("train/image/2.png", "test/image/7.png")),
     "train and test share|2 is 7|remove", {"check": 1, "train": 0}),
]  # fmt: skip

PICTURES = [
    ("truncated JPEG", replace("image/3.png", "image/3.jpg", JPEG[:700]), "3.jpg|damaged|copy"),
    ("truncated PNG", put("image/3.png", encoded("PNG")[:900]), "3.png|damaged|copy"),
    ("zero bytes", put("image/3.png", b""), "3.png|empty|copy"),
    ("text named .png", put("image/3.png", TEXT), "3.png|no PNG|save"),
    ("animated GIF named .png", put("image/3.png", ANIMATED), "3.png|animated GIF|save"),
    ("animated WebP", replace("image/3.png", "image/3.webp", MOVING), "3.webp|animated WEBP|save"),
    ("animated PNG", put("image/3.png", APNG), "3.png|animated PNG|save"),
    ("DICOM without a picture", replace("image/3.png", "image/3.dcm", bad.dicom()),
     "3.dcm|no picture|save"),
    ("TIFF of three pages", replace("image/3.png", "image/3.tif", PAGES), "3.tif|3 pictures|save"),
    ("20000 x 20000", put("image/3.png", bad.png_claiming(20000, 20000)), "3.png|150 mega|save"),
    ("decompression bomb", put("image/3.png", bad.png_claiming(2**31 - 1, 2**31 - 1)),
     "3.png|150 megapixels|save"),
    ("NaN in a float TIFF", replace("image/3.png", "image/3.tif", bad.float_tiff(np.nan)),
     "3.tif|NaN|replace"),
    ("inf in a float TIFF", replace("image/3.png", "image/3.tif", bad.float_tiff(np.inf)),
     "3.tif|infinite|replace"),
    ("file of a gigabyte", bad.grow("image/3.png", 1_000_000_001), "3.png|limit|smaller"),
    ("link to nowhere", bad.link("image/3.png", "nowhere.png"), "3.png|no such file|check"),
    ("link to itself", bad.link("image/3.png", "3.png"), "3.png|links|check"),
    ("name that is not UTF-8", bad.strange_name, r"l\xe4sion.png|not valid UTF-8|rename"),
]  # fmt: skip
FOLDERS += [(*row, PICTURE) for row in PICTURES]

HANDLED = [  # what `check` remarks on it, and how many pairs `train` takes
    ("good", bad.unchanged, "", 6),
    ("missing ids", bad.metadata(*LESIONS[:4]), "no lesion_id in metadata.csv: 5.png", 6),
    ("repeated id", bad.metadata(*LESIONS, "2,lesion 2,nv"), "more than one row", 6),
    ("one mask black", put("label/3.png", BLACK), "empty mask: 3", 6),
    ("one mask white", put("label/3.png", WHITE), "full mask: 3", 6),
    ("inverted mask", put("label/3.png", 255 - bad.MASK * 255), "inverted|3", 6),
    ("mask with soft edges", put("label/3.png", bad.gray_mask()), "", 6),
    ("palette mask", put("label/3.png", bad.palette_mask()), "0 and 1 (#800000) in 3", 6),
    ("RGBA mask", put("label/3.png", bad.rgba_mask()), "", 6),
    ("16-bit mask", put("label/3.png", bad.MASK * np.uint16(65535)), "", 6),
    ("1-bit mask", put("label/3.png", Image.fromarray(bad.MASK * 255).convert("1")), "", 6),
    ("PNG named .jpg", replace("image/3.png", "image/3.jpg", encoded("PNG")), "", 6),
    ("CMYK JPEG", replace("image/3.png", "image/3.jpg",
                          encoded("JPEG", Image.fromarray(bad.NOISE).convert("CMYK"))), "", 6),
    ("1 x 1 pixel", steps(put("image/3.png", bad.NOISE[:1, :1]),
                          put("label/3.png", WHITE[:1, :1])), "full mask: 3", 6),
    ("name with accents", rename("3", "Größe 皮膚 ñ"), "", 6),
    ("name with spaces", rename("3", " my  spot (1) "), "", 6),
    ("name of 250 letters", rename("3", LONG), "", 6),
    ("upper-case suffix", rename("3", "3.PNG"), "", 6),
    ("hidden and system files", steps(*(put(f"{part}/{name}", TEXT)
     for part in (".", "image", "label")
     for name in (".DS_Store", "Thumbs.db", "desktop.ini", "._3.png", "__MACOSX/3.png"))), "", 6),
    ("WebP named .png", put("image/3.png", encoded("WEBP", lossless=True)), "", 6),
    ("GIF masks", steps(*(replace(f"label/{n}.png", f"label/{n}_mask.gif", GIF_MASK)
                          for n in range(1, 7))), "same mask for different pictures", 6),
    ("folder that links to its parent", bad.link("image/loop", "../../data"), "", 6),
    ("picture twice in training", bad.copy("image/1.png", "image/2.png"), "same picture: 1, 2", 6),
    ("picture in two parts", bad.copy("image/1.png", "image/4.png"), "same picture: 1, 4", 5),
    ("ids in upper and lower case", steps(rename("3", "isic_3"), put("x.csv", "")), "", 6),
]  # fmt: skip


def cases(rows):
    """One test for each row and command, named after both."""
    return [
        pytest.param(make, words, command, code, id=f"{name}-{command}")
        for name, make, words, codes in rows
        for command, code in codes.items()
    ]


@pytest.fixture
def folder(tmp_path):
    return bad.good_folder(tmp_path / "data")


@pytest.fixture(scope="session")
def weights(trained):
    """The trained network, loaded once for all tests."""
    from lesion.predict.network import load_network

    return trained / "model.keras", load_network(trained / "model.keras")


@pytest.fixture
def arguments(folder, weights, tmp_path, planned, monkeypatch):
    """Completes a command: its arguments are the folder, good weights and a new folder."""
    path, network = weights
    monkeypatch.setattr("lesion.predict.load_network", lambda path: network)
    data, weights = ["--data", folder], ["--weights", path]
    out = ["--out", tmp_path / "out"]

    def complete(command):
        pictures = [folder / "image" if (folder / "image").is_dir() else folder]
        return {
            "check": ["check", folder],
            "train": ["train", *data, *out],
            "evaluate": ["evaluate", *data, *weights, *out],
            "predict": ["predict", *pictures, *weights, *out],
        }[command]

    return complete


@pytest.mark.parametrize(("make", "words", "command", "code"), cases(FOLDERS))
def test_bad_folder(
    make, words, command, code, arguments, refused, run_command, folder, planned, tmp_path
):
    make(folder)
    if code == 2:
        refused(words, *arguments(command))
        assert not (tmp_path / "out").exists()
        assert planned == []
        return
    actual, output, errors = run_command(*arguments(command))
    assert (actual, errors) == (code, [])
    if code == 1:
        problems = [line for line in output.splitlines() if line.startswith("problem ")]
        assert any(all(word in line for word in words.split("|")) for line in problems), problems


@pytest.mark.parametrize(
    ("make", "remark", "count"), [pytest.param(*row[1:], id=row[0]) for row in HANDLED]
)
def test_handled(make, remark, count, arguments, run_command, folder, planned):
    make(folder)
    code, output, errors = run_command(*arguments("check"))
    assert (code, errors) == (0, []), output
    assert all(word in output for word in remark.split("|"))
    assert ("remark " in output) == bool(remark)
    code, _, errors = run_command(*arguments("train"))
    assert (code, errors) == (0, [])
    (split,) = planned
    assert len(split.train + split.validation + split.test) == count


def test_folder_that_may_not_be_read(arguments, refused, tmp_path, monkeypatch):
    def refuse(path):
        raise PermissionError(13, "Permission denied", str(path))

    for command in NOWHERE:
        complete = arguments(command)
        with monkeypatch.context() as patch:
            patch.setattr("pathlib.Path.iterdir", refuse)  # root may read everything: it is played
            refused("data|cannot be listed (Permission denied)|check the rights", *complete)
        assert not (tmp_path / "out").exists()


ONE_MASK = {  # the same mask in every kind of file
    "1.png": Image.fromarray(bad.MASK * np.uint8(255)),
    "2.png": Image.fromarray(bad.MASK),
    "3.png": bad.palette_mask(),
    "4.png": bad.rgba_mask(),
    "5.png": Image.fromarray(bad.MASK * np.uint16(65535)),
    "6.png": bad.gray_mask(),
}


def test_every_kind_of_mask_gives_the_same_score(arguments, run_command, folder, tmp_path):
    for name, mask in ONE_MASK.items():
        put(f"image/{name}", bad.NOISE)(folder)
        put(f"label/{name}", mask)(folder)
    code, _, errors = run_command(*arguments("evaluate"))
    assert (code, errors) == (0, [])
    rows = read_table(tmp_path / "out" / "scores.csv")
    for key in ("true_pixels", "dice", "jaccard"):
        scores = {method: set() for method in {row["method"] for row in rows}}
        for row in rows:
            scores[row["method"]].add(row[key])
        assert len(rows) == 6 * len(scores)
        assert {len(values) for values in scores.values()} == {1}


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(["image/3.png", "label/3.png", "metadata.csv", "train.txt"]),
    st.sampled_from(
        [b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0", b"BM", b"II*\0", b"image_id,"]
    ),
    st.binary(max_size=300),
)
def test_any_bytes_are_read_or_refused_in_one_line(tmp_path_factory, path, start, content):
    folder = tmp_path_factory.getbasetemp() / "fuzzed"
    if not folder.exists():
        bad.good_folder(folder)
    untouched = (folder / path).read_bytes() if (folder / path).exists() else None
    put(path, start + content)(folder)
    try:
        for command in (["check", folder], ["train", "--data", folder, "--out", folder / "out"]):
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr("lesion.workflow.train", lambda *arguments, **options: None)
                errors = io.StringIO()
                with redirect_stderr(errors), redirect_stdout(io.TextIOWrapper(io.BytesIO())):
                    code = main([str(argument) for argument in command])
            lines = [line for line in errors.getvalue().splitlines() if "error" in line]
            assert code in (0, 1, 2)
            assert len(lines) == (code == 2)
    finally:
        (folder / path).unlink()
        if untouched is not None:
            (folder / path).write_bytes(untouched)
        shutil.rmtree(folder / "out", ignore_errors=True)
