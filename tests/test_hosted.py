"""Colab and Kaggle: the notebook alone fetches the project, and installs what is missing."""

import shutil
import subprocess
from pathlib import Path

import nbclient
import nbformat
import pytest

from lesion import startup

ROOT = Path(__file__).parents[1]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


def test_only_what_is_missing_is_installed(tmp_path, monkeypatch):
    calls = []
    monkeypatch.setattr(subprocess, "run", lambda command, **_: calls.append(command))
    requirements = tmp_path / "requirements.txt"
    requirements.write_text("# a comment\n\nnumpy>=99\nPyYAML\nno-such_package.at-all>=1,<2\n")
    startup.install_missing(requirements)
    assert calls == []  # not at home
    monkeypatch.setenv("KAGGLE_KERNEL_RUN_TYPE", "Interactive")
    startup.install_missing(requirements)
    (command,) = calls
    assert command[-1] == "no-such_package.at-all>=1,<2"
    assert "numpy>=99" not in command
    assert "PyYAML" not in command


@pytest.mark.slow
@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="this is no git repository to clone")
@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_alone_fetches_the_project(notebook, drawn_folder, tmp_path, monkeypatch):
    """Up to the check of the data, which lie elsewhere and stay as they are; HEAD is fetched."""
    hosted, data = tmp_path / "content", tmp_path / "input"
    (hosted / "google" / "colab").mkdir(parents=True)
    (hosted / "google" / "colab" / "__init__.py").touch()
    shutil.copytree(drawn_folder, data)
    before = {path: path.stat().st_mtime_ns for path in (data, *data.rglob("*"))}
    # Not the project of these tests but the one that is fetched.
    monkeypatch.delenv("PYTHONPATH", raising=False)
    cells = [cell.source for cell in nbformat.read(notebook, 4).cells if cell.cell_type == "code"]
    setup = next(source for source in cells if "REPOSITORY = " in source)
    sources = [
        "import google.colab",
        setup.replace('"URL"', repr(ROOT.as_uri())),
        setup.replace('"URL"', '"nowhere"'),  # run again, it is there
        f"import unet\nprint(os.getcwd(), unet.__file__)\nprint(inputs.check({str(data)!r}))",
    ]
    alone = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(s) for s in sources])
    client = nbclient.NotebookClient(
        alone, timeout=300, kernel_name="python3", resources={"metadata": {"path": str(hosted)}}
    )
    client.execute()
    said = "".join(out.text for out in alone.cells[-1].outputs if out.name == "stdout")
    fetched = hosted / "lesion-segmentation"
    assert said.splitlines()[0] == f"{fetched} {fetched / 'unet.py'}"
    assert "12 with a mask" in said
    assert {path: path.stat().st_mtime_ns for path in (data, *data.rglob("*"))} == before
