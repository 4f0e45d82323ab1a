"""Small drawn data and one tiny trained network, shared by the tests."""

import os
from pathlib import Path

os.environ.setdefault("MPLBACKEND", "Agg")

import pytest

import quiet  # noqa: F401  before anything imports Keras

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="session")
def shared_data():
    """Folder with the public research data; it stands beside the project on some machines only."""
    folder = ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("the public research data are not on this machine")
    return folder


@pytest.fixture(scope="session")
def drawn_folder(tmp_path_factory):
    """A folder with 12 drawn pairs of 64x64 pixels, in image/ and label/."""
    from synthetic import write_pairs

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
