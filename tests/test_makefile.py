"""What `make` would do, without doing it."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def recipe(folder, seed):
    """The commands of `make weights` with a seed, in a folder that holds the Makefile."""
    command = ["make", "-n", "weights", f"SEED={seed}", "ISIC=x", "HAM10000=y", "PAD_UFES=z"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True).stdout


@pytest.mark.skipif(not shutil.which("make"), reason="make is not installed")
def test_weights_of_another_seed_are_trained_and_published_anew(tmp_path):
    for name in ("Makefile", "requirements.txt"):
        shutil.copy(ROOT / name, tmp_path)
    reports = re.compile(r"test -f (\S+/report.html)")
    ended = reports.findall(recipe(tmp_path, 0))
    assert len(ended) == 3
    for report in ended:
        (tmp_path / report).parent.mkdir(parents=True)
        (tmp_path / report).touch()
    other = recipe(tmp_path, 1)
    assert not any((tmp_path / report).exists() for report in reports.findall(other))
    assert not any(str(Path(report).parent) in other for report in ended)
