"""Small drawn data and one tiny trained network, shared by the tests."""

import os
from pathlib import Path

os.environ.setdefault("MPLBACKEND", "Agg")

import pytest

from lesion import startup

startup.start_keras()


@pytest.fixture(scope="session")
def shared_data():
    """The folder with public research data that the environment variable LESION_DATA names."""
    folder = os.environ.get("LESION_DATA")
    if not folder or not Path(folder).is_dir():
        pytest.skip(f"LESION_DATA names no folder with the public research data: {folder!r}")
    return Path(folder)


@pytest.fixture(scope="session")
def drawn_folder(tmp_path_factory):
    """A folder with 12 drawn pairs of 64x64 pixels, in image/ and label/."""
    from lesion.drawn.scene import write_pairs

    folder = tmp_path_factory.mktemp("drawn") / "pairs"
    write_pairs(12, folder, size=64, first_seed=500)
    return folder


@pytest.fixture(scope="session")
def trained(drawn_folder, tmp_path_factory):
    """The run folder of a network trained for two epochs at 32x32 pixels."""
    from segment import main

    run = tmp_path_factory.mktemp("runs") / "tiny"
    arguments = ["train", "--data", drawn_folder, "--epochs", 2, "--size", 32, "--out", run]
    assert main([str(argument) for argument in arguments]) == 0
    return run


@pytest.fixture
def run_command(capsys, monkeypatch):
    """Runs segment.py without a network; returns (exit code, standard output, error lines)."""
    from segment import main

    def no_network(*arguments):
        raise AssertionError("a command used the network without being asked to")

    def run(*arguments):
        capsys.readouterr()
        with monkeypatch.context() as patch:
            patch.setattr("socket.socket.connect", no_network)
            code = main([str(argument) for argument in arguments])
        output, errors = capsys.readouterr()
        assert "Traceback" not in output + errors
        return code, output, [line for line in errors.splitlines() if "error" in line.lower()]

    return run


@pytest.fixture
def refused(run_command):
    """Runs a command that must end in exit code 2 and one line with all of "these|words"."""

    def run(words, *arguments):
        code, _, errors = run_command(*arguments)
        assert code == 2
        assert len(errors) == 1
        assert errors[0].startswith("error: ")
        assert all(word in errors[0] for word in words.split("|")), errors[0]

    return run


@pytest.fixture
def planned(monkeypatch):
    """Takes the place of the training itself: the list of splits that were handed to it."""
    splits = []
    monkeypatch.setattr(
        "lesion.workflow.train", lambda split, *more, **options: splits.append(split)
    )
    return splits
