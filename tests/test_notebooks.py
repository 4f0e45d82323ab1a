"""The notebooks run from top to bottom, as a person would run them, with few epochs."""

import json
import shutil
from pathlib import Path

import nbformat
import papermill
import pytest

from lesion.storage import read_table

ROOT = Path(__file__).parents[1]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
QUICK = {"EPOCHS": 2, "IMAGE_SIZE": 48}


def execute(name, folder, **parameters):
    """Runs a notebook in `folder`; returns its run folder and all the text it printed."""
    run = folder / "run"
    parameters = {**QUICK, "RUN_FOLDER": str(run), **parameters}
    notebook = papermill.execute_notebook(
        ROOT / "notebooks" / name,
        folder / "executed.ipynb",
        parameters=parameters,
        cwd=ROOT / "notebooks",
        progress_bar=False,
    )
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    text = "".join(o["text"] for o in outputs if o["output_type"] == "stream")
    pictures = sum("image/png" in output.get("data", {}) for output in outputs)
    return run, text, pictures


@pytest.mark.slow
def test_main_notebook_on_the_embedded_pictures(tmp_path):
    run, text, pictures = execute("skin_lesion_segmentation.ipynb", tmp_path)
    scores = json.loads((run / "scores.json").read_text())
    assert scores["set"] == "test"
    assert f"{scores['methods']['U-Net']['dice']['mean']:.3f}" in text
    assert len(read_table(run / "history.csv")) == 2
    assert len(read_table(run / "scores.csv")) == 30 * len(scores["methods"])
    for name in ("model.keras", "model.json", "split.json", "report.html"):
        assert (run / name).is_file()
    figures = {path.stem for path in (run / "figures").glob("*.png")}
    assert {
        "pairs",
        "augmentation",
        "curves",
        "threshold",
        "scores",
        "lowest",
        "highest",
    } <= figures
    assert pictures >= 9
    assert "oneDNN" not in text


@pytest.mark.slow
def test_main_notebook_on_gray_pictures_with_unlabelled_ones(tmp_path, drawn_folder):
    from PIL import Image

    data = tmp_path / "data"
    shutil.copytree(drawn_folder, data / "train")
    (data / "test").mkdir()
    with Image.open(drawn_folder / "image" / "0.png") as picture:
        picture.convert("L").save(data / "test" / "0.png")
    shutil.copy(drawn_folder / "label" / "0.png", data / "test" / "0_predict.png")
    run, *_ = execute("skin_lesion_segmentation.ipynb", tmp_path, DATA=str(data), CHANNELS=1)
    assert json.loads((run / "scores.json").read_text())["set"] == "validation"
    assert (run / "figures" / "unlabelled.png").is_file()


@pytest.mark.slow
def test_ham10000_notebook(tmp_path, drawn_folder, trained):
    data = tmp_path / "ham"
    (data / "images").mkdir(parents=True)
    (data / "masks").mkdir()
    rows = ["lesion_id,image_id,dx,dx_type,age,sex,localization"]
    for number in range(12):
        name = f"ISIC_{number:07}"
        shutil.copy(drawn_folder / "image" / f"{number}.png", data / "images" / f"{name}.png")
        mask = data / "masks" / f"{name}_segmentation.png"
        shutil.copy(drawn_folder / "label" / f"{number}.png", mask)
        rows.append(f"HAM_{number // 2},{name},nv,histo,50,male,back")
    (data / "HAM10000_metadata.csv").write_text("\n".join(rows) + "\n")
    other = str(trained / "model.keras")
    run, *_ = execute("ham10000.ipynb", tmp_path, DATA=str(data), OTHER_WEIGHTS=other)
    table = read_table(run / "comparison" / "comparison.csv")
    assert [row["score"] for row in table][:2] == ["dice", "jaccard"]
    split = json.loads((run / "split.json").read_text())
    parts = [split[part] for part in ("train", "validation", "test")]
    sides = [{int(name[-8:-4]) // 2 for name in names} for names in parts]
    assert sum(map(len, sides)) == len(set.union(*sides)) == 6
    assert (run / "comparison" / "figures" / "comparison.png").is_file()


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebooks_are_tidy(path):
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    tagged = [c for c in notebook.cells if "parameters" in c.metadata.get("tags", [])]
    assert len(tagged) == 1
    for cell in notebook.cells:
        assert not any(o["output_type"] == "error" for o in cell.get("outputs", []))
    assert path.stat().st_size < 3_000_000
    # No path of the machine it was run on.
    assert "/home/" not in path.read_text()
    assert "/tmp/" not in path.read_text()


def test_notebook_without_real_pictures_has_no_outputs():
    notebook = nbformat.read(ROOT / "notebooks" / "ham10000.ipynb", as_version=4)
    assert all(not cell.get("outputs") for cell in notebook.cells)
