"""`pip install .`: the command of the package in an environment of its own, in another folder."""

import shutil
import subprocess
import sys
import sysconfig
import tomllib
from pathlib import Path

import pytest

from segment import main

ROOT = Path(__file__).parents[1]
NO_INDEX = ("No matching distribution", "Failed to establish", "Failed to resolve", "NewConnection")


def test_every_file_of_requirements_can_be_asked_for():
    """As `pip install .[dev]`; setuptools takes no file that refers to another one."""
    dynamic = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["dynamic"]
    named = [extra["file"] for extra in dynamic["optional-dependencies"].values()]
    paths = sorted(ROOT.glob("requirements-*.txt"))
    assert sorted(named) == [path.name for path in paths]
    for path in (ROOT / dynamic["dependencies"]["file"], *paths):
        assert not any(line.startswith("-") for line in path.read_text().splitlines()), path


@pytest.mark.slow
def test_the_installed_command_predicts_as_the_checkout_does(tmp_path, monkeypatch):
    source, environment = tmp_path / "source", tmp_path / "venv"
    source.mkdir()
    for path in [
        *ROOT.glob("*.py"),
        *ROOT.glob("*.t*"),
        *map(ROOT.joinpath, ("README.md", "LICENSE")),
    ]:
        shutil.copy(path, source)
    for folder in ("lesion", "files"):
        shutil.copytree(ROOT / folder, source / folder)
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", environment], check=True)
    # The packages that it needs are there already, and large.
    there = sysconfig.get_path("purelib", vars={"base": str(environment)})
    Path(there, "more.pth").write_text(sysconfig.get_path("purelib"))
    pip = [sys.executable, "-m", "pip", "--python", environment / "bin" / "python"]
    install = [*pip, "install", "--quiet", "--no-deps", source]
    done = subprocess.run(install, capture_output=True, text=True)
    if any(words in done.stderr for words in NO_INDEX):
        pytest.skip("setuptools, with which a package is built, cannot be fetched here")
    assert done.returncode == 0, done.stderr
    monkeypatch.chdir(tmp_path)
    shutil.rmtree(source)
    picture = ROOT / "test" / "image" / "5.png"
    command = [environment / "bin" / "lesion-segment", "predict", picture, "--out", "installed"]
    subprocess.run(command, check=True)
    assert main(["predict", str(picture), "--out", "checkout"]) == 0
    masks = [Path(name, "5_mask.png").read_bytes() for name in ("installed", "checkout")]
    assert masks[0] == masks[1]
