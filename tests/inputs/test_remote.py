"""Pictures at a URL are found as those of a folder, and fetched one by one."""

import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lesion.console import InputError
from lesion.inputs.pictures import distinct_names, find_pictures
from lesion.inputs.reading import read_image
from lesion.inputs.remote import local_copy, local_folder, url_of

fsspec = pytest.importorskip("fsspec", reason="fsspec is not installed: requirements-cluster.txt")


@pytest.fixture
def store(tmp_path):
    """A folder with pictures and other files, and its URL in a store of this process."""
    for name in ("image/10.png", "image/2.png", "image/sub/2.JPG", "label/2.png", "more.jpg"):
        path = tmp_path / "data" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((8, 8, 3), len(name), np.uint8)).save(path)
    (tmp_path / "data" / "notes.docx").write_bytes(b"no picture")
    memory = fsspec.filesystem("memory")
    memory.put(str(tmp_path / "data"), "/store", recursive=True)
    yield tmp_path / "data", "memory://store"
    memory.rm("/store", recursive=True)


def test_only_urls_are_urls():
    assert url_of("s3://bucket/a b/1.png") == url_of(Path("s3://bucket/a b/1.png"))
    assert url_of(Path("s3://bucket/1.png")) == "s3://bucket/1.png"
    assert url_of("file:///a/1.png") == url_of(Path("file:///a/1.png")) == "file:///a/1.png"
    assert not any(map(url_of, ("C:/a.png", "C:\\a.png", "/s3:/a.png", "a/b.png", "", "s3:a.png")))


@pytest.mark.parametrize("below", ["", "/image", "/image/sub"])
def test_pictures_are_those_of_the_folder_in_the_same_order(store, below):
    folder, url = store
    here, lines = find_pictures([f"{folder}{below}"])
    there, lines_there = find_pictures([url + below])
    assert [url_of(path) for path in there] == [
        f"{url}/{path.relative_to(folder)}" for path in here
    ]
    assert distinct_names(there) == distinct_names(here)
    assert lines_there == lines


def test_a_folder_by_its_file_url(store, tmp_path):
    folder, _ = store
    archive = shutil.make_archive(tmp_path / "all", "zip", folder)
    pictures, _ = find_pictures([f"file://{folder}/image"])
    assert len(pictures) == len(find_pictures([folder / "image"])[0])
    with local_copy(pictures[0]) as copy:
        assert read_image(copy).any()
    with pytest.raises(InputError, match="unpack it"):
        find_pictures([f"zip://::{archive}"])


def test_a_picture_is_there_while_it_is_read(store):
    folder, url = store
    (path,), _ = find_pictures([f"{url}/image/sub/2.JPG"])
    with local_copy(path) as copy:
        np.testing.assert_array_equal(read_image(copy), read_image(folder / "image/sub/2.JPG"))
    assert not copy.exists()
    with local_copy(folder / "more.jpg") as same:
        assert same == folder / "more.jpg"


def test_what_is_wrong_names_the_url(store):
    _, url = store
    memory = fsspec.filesystem("memory")
    memory.pipe("/store/damaged.png", b"no picture")
    memory.pipe("/store/only/notes.docx", b"no picture")
    for wanted, words in (
        (f"{url}/missing", f"^{url}/missing: no such file"),
        (f"{url}/only", f"^{url}/only: no picture found"),
        ("nosuch://bucket/a.png", r"^nosuch://bucket/a\.png: cannot be listed .*nosuch"),
    ):
        with pytest.raises((InputError, FileNotFoundError), match=words):
            find_pictures([wanted])
    with (
        pytest.raises(InputError, match=rf"^{url}/damaged\.png: the content is no PNG"),
        local_copy(Path(f"{url}/damaged.png")) as copy,
    ):
        read_image(copy)


def test_deep_pictures_are_refused_since_their_scale_is_that_of_all(store, tmp_path):
    _, url = store
    Image.fromarray(np.full((8, 8), 4095, np.uint16)).save(tmp_path / "deep.png")
    fsspec.filesystem("memory").put(str(tmp_path / "deep.png"), "/store/deep.png")
    with (
        pytest.raises(InputError, match=rf"^{url}/deep\.png: .* more than 8 bits"),
        local_copy(Path(f"{url}/deep.png")),
    ):
        pass


def test_a_data_folder_is_copied_and_removed(store, tmp_path):
    folder, url = store
    with local_folder(url, tmp_path / ".data") as copy:
        for path in folder.rglob("*.*"):
            assert (copy / path.relative_to(folder)).read_bytes() == path.read_bytes()
    assert not copy.exists()
    with local_folder(folder, tmp_path / ".data") as same:
        assert same == folder


def test_without_fsspec_a_line_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "fsspec", None)
    with pytest.raises(InputError, match=r"^s3://bucket: .*requirements-cluster\.txt"):
        find_pictures(["s3://bucket"])
