"""Folders for results: claimed by one process, given as text or path, removed if left empty."""

import subprocess
import sys
from pathlib import Path

import pytest

from lesion.console import InputError
from lesion.runs import (
    LOCK,
    claim_folder,
    create_run_folder,
    describe_environment,
    release,
    releasing,
    resume_folder,
)

ROOT = Path(__file__).parents[1]


def claim_elsewhere(folder):
    """Claim a folder in another process; returns what it said of a mistake."""
    code = (
        "import sys; from lesion.runs import claim_folder, InputError\n"
        "try: claim_folder(sys.argv[1])\n"
        "except InputError as error: print(error)"
    )
    command = [sys.executable, "-c", code, folder]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout


def test_a_claimed_folder_is_closed_to_other_processes_until_it_is_released(tmp_path):
    out = claim_folder(str(tmp_path / "out"))
    assert out == tmp_path / "out"
    assert "another process is writing there" in claim_elsewhere(out)
    assert claim_folder(out) == out  # the same process may ask again
    release(out)
    assert not out.exists()
    assert claim_elsewhere(out) == ""
    assert not out.exists()  # the process has ended without a result


def test_a_folder_left_empty_is_removed_with_those_made_for_it(tmp_path):
    deep = tmp_path / "a" / "b" / "c"
    with pytest.raises(KeyError), releasing(claim_folder(deep)):
        raise KeyError
    assert list(tmp_path.iterdir()) == []
    with releasing(claim_folder(deep)) as out:
        (out / "scores.csv").touch()
    assert [path.name for path in deep.iterdir()] == ["scores.csv"]  # and no lock
    own = tmp_path / "mine"
    own.mkdir()
    with releasing(claim_folder(own)):
        pass
    assert list(own.iterdir()) == []  # not made here, so not removed


def test_an_occupied_folder_is_refused_and_left_as_it_was(tmp_path):
    (tmp_path / "thesis.txt").touch()
    for claim in (claim_folder, resume_folder):
        with pytest.raises(InputError, match="already holds files"):
            claim(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_what_a_killed_process_left_keeps_nobody_out(tmp_path):
    (tmp_path / LOCK).touch()
    (tmp_path / f".{'0f' * 16}.json").write_text("{")
    with releasing(claim_folder(tmp_path)):
        pass


def test_an_interrupted_training_is_taken_up_and_another_folder_is_new(tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "parameters.json").touch()
    with releasing(resume_folder(str(tmp_path / "run"))) as run:
        assert run == tmp_path / "run"
    with releasing(resume_folder(tmp_path / "new")) as run:
        assert run.is_dir()


def test_run_folders_of_one_second_get_numbers(tmp_path):
    first, second = (create_run_folder(str(tmp_path / "runs"), "lean") for _ in range(2))
    assert first != second
    for run in (second, first):  # the first has made runs/
        release(run)
    assert list(tmp_path.iterdir()) == []


def test_the_record_names_every_package_that_computes():
    versions = describe_environment()["versions"]
    assert {"ai-edge-litert", "scipy", "numpy", "keras", "tensorflow"} <= set(versions)
    assert all(versions.values())
