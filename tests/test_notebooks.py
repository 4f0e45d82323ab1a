"""The notebooks run from top to bottom, and do what a learner expects who does not."""

import json
import shutil
from pathlib import Path

import nbclient
import nbformat
import papermill
import pytest

from lesion.storage import read_table

ROOT = Path(__file__).parents[1]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
MAIN = ROOT / "notebooks" / "skin_lesion_segmentation.ipynb"
QUICK = {"EPOCHS": 2, "IMAGE_SIZE": 48}


def execute(name, folder, **parameters):
    """Run a notebook in `folder`; return its run folder, all that it printed, its pictures."""
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
    run, text, pictures = execute(MAIN.name, tmp_path)
    scores = json.loads((run / "scores.json").read_text())
    assert scores["set"] == "test"
    assert f"{scores['methods']['U-Net']['dice']['mean']:.3f}" in text
    assert len(read_table(run / "history.csv")) == 2
    assert len(read_table(run / "scores.csv")) == 30 * len(scores["methods"])
    for name in ("model.keras", "model.json", "split.json", "report.html"):
        assert (run / name).is_file()
    figures = {path.stem for path in (run / "figures").glob("*.png")}
    assert {"curves", "scores", "lowest", "highest"} <= figures
    assert pictures >= 10
    assert "oneDNN" not in text
    assert "def unet_lite(" in text  # the code of the network is shown


@pytest.mark.slow
def test_main_notebook_on_gray_pictures_with_unlabelled_ones(tmp_path, drawn_folder):
    from PIL import Image

    data = tmp_path / "data"
    shutil.copytree(drawn_folder, data / "train")
    (data / "test").mkdir()
    with Image.open(drawn_folder / "image" / "0.png") as picture:
        picture.convert("L").save(data / "test" / "0.png")
    shutil.copy(drawn_folder / "label" / "0.png", data / "test" / "0_predict.png")
    run, text, _ = execute(MAIN.name, tmp_path, DATA=str(data), CHANNELS=1)
    assert json.loads((run / "scores.json").read_text())["set"] == "validation"
    assert "every picture of this folder has a label" not in text


class Learner:
    """Somebody at the main notebook, in a kernel of its own, who runs cells in any order."""

    def __init__(self, client):
        self.client, self.cells = client, client.nb.cells

    def run(self, words):
        """Run the code cell that holds these words; return what it printed and its errors."""
        found = [c for c in self.cells if c.cell_type == "code" and words in c.source]
        return self.type(found[0].source)

    def type(self, source):
        """Run a cell that the learner adds at the end; return what it printed and its errors."""
        self.cells.append(nbformat.v4.new_code_cell(source))
        self.client.execute_cell(self.cells[-1], len(self.cells) - 1)
        outputs = self.cells[-1].outputs
        text = "".join(o["text"] for o in outputs if o["output_type"] == "stream")
        return text, [o["traceback"] for o in outputs if o["output_type"] == "error"]


STOP_IN_THE_THIRD_EPOCH = """
import os, signal
from lesion import callbacks
begin = callbacks.SetEpoch.on_epoch_begin

def press_stop(self, epoch, logs=None):
    begin(self, epoch, logs)
    if epoch == 2:
        callbacks.SetEpoch.on_epoch_begin = begin
        os.kill(os.getpid(), signal.SIGINT)

callbacks.SetEpoch.on_epoch_begin = press_stop
"""
SMALL_NETWORK = """
import functools
small = functools.partial(unet.unet, widths=(4, 8))
unet.NETWORKS["lite"] = unet.NETWORKS["lite"]._replace(build=small, start=None)
"""
TRAIN, SPLIT, FINISH = "trained = workflow.Training", "split = inputs.load", "trained.finish()"
SHOW_TRAINED = "print(trained.run, history.epoch, history.history['loss'])"


@pytest.mark.slow
def test_a_learner_runs_cells_again_out_of_order_and_stops_them(drawn_folder, tmp_path):
    notebook = nbformat.read(MAIN, as_version=4)
    place = {"metadata": {"path": str(ROOT)}}
    client = nbclient.NotebookClient(notebook, timeout=300, allow_errors=True, resources=place)
    with client.setup_kernel():
        learner = Learner(client)
        for words in ("%matplotlib", "EPOCHS = "):
            assert learner.run(words)[1] == []
        learner.type(f"os.chdir({str(tmp_path)!r}){SMALL_NETWORK}")

        # A constant of the wrong kind is named, in one line.
        learner.type('EPOCHS = "10"')
        (traceback,) = learner.run("print(settings)")[1]
        assert len(traceback) == 1
        assert "EPOCHS is '10': give a whole number" in traceback[0]
        learner.type(f"DATA, EPOCHS, IMAGE_SIZE = {str(drawn_folder)!r}, 3, 32")
        for words in ("print(settings)", SPLIT, TRAIN):
            assert learner.run(words)[1] == []
        first = learner.type(SHOW_TRAINED)[0].split()

        # Only the training cell again: another folder, the same beginning.
        assert learner.run(TRAIN)[1] == []
        again = learner.type(SHOW_TRAINED)[0].split()
        assert again[0] != first[0]
        assert again[1:] == first[1:]

        # A constant changed afterwards: what was trained is recorded, not what would be next.
        learner.type('MODEL, IMAGE_SIZE = "classic", 48')
        assert learner.run(FINISH)[1] == []
        recorded = json.loads((tmp_path / again[0] / "model.json").read_text())
        assert (recorded["model"], recorded["image_size"]) == ("lite", 32)

        # A size changed without the data cells: the training cell makes its data anew.
        learner.type('MODEL = "lite"')
        assert learner.run(TRAIN)[1] == []
        assert learner.type("print(trained.model.input_shape)")[0].strip() == "(None, 48, 48, 3)"

        # Another seed belongs to another split.
        learner.type("SEED = 1")
        (traceback,) = learner.run(TRAIN)[1]
        assert len(traceback) == 1
        assert "SEED was 0 when the pictures were divided" in traceback[0]
        learner.type("SEED, IMAGE_SIZE, EPOCHS = 0, 32, 4")

        # Stopped by hand: a sentence, the best epoch, and both ways on.
        learner.type(STOP_IN_THE_THIRD_EPOCH)
        text, errors = learner.run(TRAIN)
        assert errors == []
        assert "stopped by hand after epoch 2 of 4" in text
        for words in ("show.curves", FINISH):
            assert learner.run(words)[1] == []
        text, errors = learner.type("history = trained.fit()\nprint(history.epoch)")
        assert errors == []
        assert "[1, 2, 3, 4]" in text


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
    imports = 0
    for cell in notebook.cells:
        if cell.cell_type == "code":
            lines = [line for line in cell.source.splitlines() if line]
            imports += sum(line.startswith(("import ", "from ")) for line in lines)
            assert len(lines) <= 10 or "sys.path" in cell.source or cell in tagged, cell.source
        assert not any(o["output_type"] == "error" for o in cell.get("outputs", []))
    assert imports <= 8
    assert path.stat().st_size < 1_500_000
    # No path of the machine it was run on.
    assert "/home/" not in path.read_text()
    assert "/tmp/" not in path.read_text()


def test_notebook_without_real_pictures_has_no_outputs():
    notebook = nbformat.read(ROOT / "notebooks" / "ham10000.ipynb", as_version=4)
    assert all(not cell.get("outputs") for cell in notebook.cells)
