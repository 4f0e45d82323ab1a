"""`make run` without make: parameters, and mistakes in one line."""

from pathlib import Path

import nbformat
import pytest

from tools import notebook as run_notebook

ROOT = Path(__file__).parents[2]
MAIN = ROOT / "notebooks" / "skin_lesion_segmentation.ipynb"


def test_parameters_become_numbers_or_text(caplog):
    given = ["EPOCHS=300", "LEARNING_RATE=1e-3", "DATA=2024", "SEED=0", "PATIENCE=None"]
    given += ["START_FROM=files/lite.keras", "MODEL=lite"]
    assert run_notebook.read_parameters(MAIN, given) == {
        "EPOCHS": 300,
        "LEARNING_RATE": 1e-3,
        "DATA": "2024",
        "SEED": 0,
        "PATIENCE": None,
        "START_FROM": "files/lite.keras",
        "MODEL": "lite",
    }
    assert not caplog.records  # papermill says so where it cannot parse a constant's line


@pytest.mark.parametrize("wrong", ["EPOCH=3", "EPOCHS", "=3", "RUN_FOLDER=x"])
def test_unknown_constants_are_refused(wrong, capsys):
    assert run_notebook.main([str(MAIN), wrong]) == 2
    line = capsys.readouterr().err
    assert line.startswith("error: ")
    assert "EPOCHS" in line


def write_notebook(path, *sources):
    cells = [nbformat.v4.new_code_cell(source) for source in sources]
    cells[0].metadata["tags"] = ["parameters"]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel}), path)


@pytest.mark.slow
def test_a_run_and_a_mistake(tmp_path, monkeypatch, capsys, caplog):
    monkeypatch.setattr(run_notebook, "PROJECT", tmp_path)
    notebook = tmp_path / "small.ipynb"
    constants = "N = 1\nRUN_FOLDER = None"
    count = "open(f'{RUN_FOLDER}/n', 'w').write(str(N)); print('Counted')"
    figure = "%matplotlib inline\nimport matplotlib.pyplot as p\np.figure().add_subplot();"
    write_notebook(notebook, constants, count, figure)
    assert run_notebook.main([str(notebook), "N=7"]) == 0
    lines = [r.getMessage().strip() for r in caplog.records if r.name == "papermill"]
    assert lines == ["Counted"]  # neither papermill nor the figure
    (run,) = (tmp_path / "runs").iterdir()
    assert (run / "n").read_text() == "7"
    assert (run / "notebook.ipynb").is_file()

    mistake = "class InputError(ValueError): ...\nraise InputError('x.png: is no picture')"
    write_notebook(notebook, constants, mistake)
    capsys.readouterr()
    assert run_notebook.main([str(notebook)]) == 2
    assert "error: x.png: is no picture\n" in capsys.readouterr().err
