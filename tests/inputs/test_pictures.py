"""find_pictures and distinct_names: what is to be predicted, and what its results are called."""

import os
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st
from picture_files import write_mask, write_picture
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from lesion.console import InputError
from lesion.inputs.filtering import filter_pictures
from lesion.inputs.pictures import distinct_names, find_pictures
from lesion.masks import PREDICTED


def write_prediction(path):
    """Write a mask as `predict` does."""
    text = PngInfo()
    text.add_text(*PREDICTED)
    Image.open(write_mask(path)).save(path, pnginfo=text)
    return path


def test_files_and_folders_in_the_order_given(tmp_path):
    folder, file = tmp_path / "a", write_picture(tmp_path / "x.JPG")
    for name in ("10.png", "9.png", "9_predict.png"):
        write_picture(folder / name)
    (tmp_path / "link").symlink_to(folder)
    pictures, passed_over = find_pictures([file, folder, tmp_path / "link", folder / "10.png"])
    assert [path.name for path in pictures] == ["x.JPG", "9.png", "10.png"]
    assert passed_over == []
    with pytest.raises(FileNotFoundError, match="no such file or folder"):
        find_pictures([tmp_path / "missing.png"])
    with pytest.raises(FileNotFoundError, match="one of the paths is empty"):
        find_pictures([file, ""])
    (tmp_path / "c").mkdir()
    with pytest.raises(InputError, match=r"the folder is empty; put .* pictures into it$"):
        find_pictures([tmp_path / "c"])


def test_what_predict_wrote_is_no_picture_even_if_it_is_named(tmp_path):
    picture, mask = write_picture(tmp_path / "x.png"), write_prediction(tmp_path / "renamed.png")
    pictures, (line,) = find_pictures([mask, picture])
    assert pictures == [picture]
    assert line == f"{mask}: was written by predict; give the picture it was made of"
    with pytest.raises(InputError, match=r"renamed\.png: was written by predict; give"):
        find_pictures([mask])


def test_a_pipe_is_named_and_not_waited_for(tmp_path):
    pipe = tmp_path / "pipe.png"
    os.mkfifo(pipe)
    (found,), _ = find_pictures([pipe])
    with pytest.raises(InputError, match=r"pipe\.png: is a pipe or a device; copy"):
        filter_pictures([found])


@pytest.mark.parametrize(
    ("paths", "names"),
    [
        ("a.jpg b.png", "a b"),
        ("x.jpg x_mask.png", "x x_mask"),  # x_mask.png of x, x_mask_mask.png of x_mask
        ("nevus/1.jpg melanoma/1.jpg nevus/2.jpg", "nevus/1 melanoma/1 nevus/2"),
        ("in/1.jpg in/sub/1.jpg", "1 sub/1"),
        ("train/image/0.png test/image/0.png", "train/image/0 test/image/0"),
        ("a.jpg a.png b.png", "a.jpg a.png b"),
        ("a.jpg a.png a.jpg.png", "a.jpg a.png a.jpg.png"),
        ("n/a.jpg n/a.png m/a.png", "n/a.jpg n/a.png m/a"),
        ("A.png a.png b.png", "A.png a.png-2 b"),
        ("Nevus/1.png nevus/1.png", "Nevus/1.png nevus/1.png-2"),
        ("a.png A.png a.png-2.png", "a.png A.png-3 a.png-2"),
        ("\u00e4.png a\u0308.png", "\u00e4.png a\u0308.png-2"),  # composed and not: one on a Mac
        ("a a.b a.b.c", "a a.b a.b.c"),
    ],
)
def test_names_of_results(paths, names):
    assert distinct_names([Path("/data", path) for path in paths.split()]) == names.split()


ENDINGS = st.sampled_from(["", ".png", ".jpg", ".PNG", "-2", ".png-2", ".png.png"])
PARTS = st.sampled_from(["a", "A", "b", "\u00e4", "a\u0308", "a_mask"])


@examples(max_examples=300, deadline=None)
@given(st.sets(st.tuples(st.lists(PARTS, max_size=2), PARTS, ENDINGS).map(
    lambda parts: "/".join([*parts[0], parts[1] + parts[2]])), max_size=12))  # fmt: skip
def test_no_result_overwrites_another_on_any_file_system(paths):
    names = distinct_names([Path("/data", path) for path in sorted(paths)])
    results = [f"{name}_{kind}" for name in names for kind in ("mask.png", "overlay.jpg")]
    folded = {unicodedata.normalize("NFD", result).upper() for result in results}
    assert len(folded) == 2 * len(paths)
    assert all(".." not in Path(name).parts and not Path(name).is_absolute() for name in names)
