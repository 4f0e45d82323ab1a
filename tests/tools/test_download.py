"""The download, with Kaggle replaced: which files it asks for, once, and what a failure says."""

import inspect

import kagglehub
import pytest

from tools.download import METADATA_FILE, download_ham10000


def test_downloads_once_and_metadata_last(tmp_path, monkeypatch):
    asked = []

    def fetch(handle, path=None, *, force_download=False, output_dir=None):
        asked.append((handle, path))
        folder = tmp_path / "ham"
        assert output_dir == str(folder)
        assert force_download or not folder.exists()  # else kagglehub refuses a folder with files
        folder.mkdir(exist_ok=True)
        (folder / (path or "images.txt")).write_text("content")

    monkeypatch.setattr(kagglehub, "dataset_download", fetch)
    assert download_ham10000(tmp_path / "ham") == tmp_path / "ham"
    assert [path for _, path in asked] == [None, METADATA_FILE]
    download_ham10000(tmp_path / "ham")
    assert len(asked) == 2


def test_kagglehub_takes_these_arguments():
    given = inspect.signature(kagglehub.dataset_download).parameters
    assert {"path", "force_download", "output_dir"} <= set(given)


def test_failure_says_how_to_go_on(tmp_path, monkeypatch):
    def fetch(*arguments, **options):
        raise ConnectionError("no route to host")

    monkeypatch.setattr(kagglehub, "dataset_download", fetch)
    with pytest.raises(ValueError, match=r"no route to host.*by hand"):
        download_ham10000(tmp_path / "ham")
