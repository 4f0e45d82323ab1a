"""The download, with Kaggle replaced: which files it asks for, once, and what a failure says."""

import kagglehub
import pytest

from download import METADATA_FILE, download_ham10000


def test_downloads_once_and_metadata_last(tmp_path, monkeypatch):
    asked = []

    def fetch(handle, path=None, output_dir=None):
        asked.append((handle, path))
        folder = tmp_path / "ham"
        assert output_dir == str(folder)
        folder.mkdir(exist_ok=True)
        (folder / (path or "images.txt")).write_text("content")

    monkeypatch.setattr(kagglehub, "dataset_download", fetch)
    assert download_ham10000(tmp_path / "ham") == tmp_path / "ham"
    assert [path for _, path in asked] == [None, METADATA_FILE]
    download_ham10000(tmp_path / "ham")
    assert len(asked) == 2


def test_failure_says_how_to_go_on(tmp_path, monkeypatch):
    def fetch(*arguments, **options):
        raise ConnectionError("no route to host")

    monkeypatch.setattr(kagglehub, "dataset_download", fetch)
    with pytest.raises(ValueError, match=r"no route to host.*by hand"):
        download_ham10000(tmp_path / "ham")
