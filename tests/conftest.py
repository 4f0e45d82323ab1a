"""Small drawn data and one tiny trained network, shared by the tests."""

import gc
import os
import shutil
from functools import partial
from pathlib import Path

os.environ.setdefault("MPLBACKEND", "Agg")
os.environ["LESION_CACHE"] = ""  # nothing in the folder of whoever runs the tests

import pytest
from filelock import FileLock


def pytest_collection(session):
    """Start Keras where tests are run, which a pytest that only hands them out does not need."""
    from lesion import startup

    startup.start_keras()
    gc.freeze()  # what is imported for good need not be looked through again after each module


@pytest.fixture(scope="module", autouse=True)
def _forget_models():
    """Free what the networks of a module of tests hold: gigabytes, over all modules."""
    import keras

    yield
    keras.utils.clear_session()  # collects garbage, too


def _narrow(patch):
    import unet
    from lesion.settings import Settings

    for name in ("lean", Settings.model):
        entry = unet.NETWORKS[name]._replace(build=partial(unet.unet, widths=(4,)), start=None)
        patch.setitem(unet.NETWORKS, name, entry)


@pytest.fixture
def narrow(monkeypatch):
    """Make "lean" and the default networks that are compiled in a tenth of the time."""
    _narrow(monkeypatch)


@pytest.fixture(scope="session")
def shared_data():
    """The folder with public research data that the environment variable LESION_DATA names."""
    folder = os.environ.get("LESION_DATA")
    if not folder or not Path(folder).is_dir():
        pytest.skip(f"LESION_DATA names no folder with the public research data: {folder!r}")
    return Path(folder)


@pytest.fixture(scope="session")
def shared_folder(tmp_path_factory):
    """Make a folder once for all processes that run tests at the same time."""
    here = tmp_path_factory.getbasetemp()
    parent = here.parent if "PYTEST_XDIST_WORKER" in os.environ else here

    def make_once(name, make):
        folder, made = parent / name, parent / f"{name}.made"
        with FileLock(parent / f"{name}.lock"):
            if not made.exists():
                make(folder)
                made.touch()
        return folder

    return make_once


@pytest.fixture(scope="session")
def drawn_folder(shared_folder):
    """A folder with 12 drawn pairs of 64x64 pixels, in image/ and label/."""
    from lesion.drawn.scene import write_pairs

    return shared_folder("drawn", lambda folder: write_pairs(12, folder, size=64, first_seed=500))


@pytest.fixture(scope="session")
def trained(drawn_folder, shared_folder):
    """The run folder of a narrow network trained for two epochs at 32x32 pixels."""
    from segment import main

    def train(run):
        command = ["train", "--data", drawn_folder, "--epochs", 2, "--size", 32, "--out", run]
        with pytest.MonkeyPatch.context() as patch:
            _narrow(patch)
            assert main([str(argument) for argument in command]) == 0

    return shared_folder("tiny", train)


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


@pytest.fixture(scope="session")
def chromium_path():
    """Path of the browser; skips the test where there is none."""
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None:
        pytest.skip("no chromium on this machine")
    return found


@pytest.fixture
def browser(chromium_path):
    """Headless Chromium, driven by Playwright."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with playwright.sync_playwright() as started:
        opened = started.chromium.launch(executable_path=chromium_path, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture
def planned(monkeypatch):
    """Takes the place of the training itself: the list of splits that were handed to it."""
    splits = []
    monkeypatch.setattr(
        "lesion.workflow.train", lambda split, *more, **options: splits.append(split)
    )
    return splits
