"""The README's figures, drawn for a small project of its own."""

import numpy as np
import pytest
from PIL import Image

from lesion.inputs.pairing import find_pairs
from lesion.predict.network import Network
from lesion.score.evaluation import evaluate
from lesion.score.results import write_scores
from lesion.storage import write_table
from lesion.training import save_model
from tools import figures as make_figures
from tools.figures import example_pairs, find_run, main
from unet import NETWORKS, build

EXPLANATIONS = {*(f"architecture_{name}.png" for name in NETWORKS), "dice_explained.png"}
WITHOUT_A_RUN = {"example_pairs.png", "outlines.png"}
OF_A_RUN = {"curves.png", "scores.png", "predictions.png", "growth.webp"}


def write_pairs(folder, count):
    rows, columns = np.mgrid[:48, :48]
    for index in range(1, count + 1):
        mask = (np.hypot(rows - 20, columns - 24) < 5 + index).astype(np.uint8)
        picture = np.stack([210 - 110 * mask] * 3, axis=2).astype(np.uint8)
        for name, array in (("image", picture), ("label", mask * 255)):
            (folder / name).mkdir(parents=True, exist_ok=True)
            Image.fromarray(array).save(folder / name / f"{index}.png")


def write_run(run, pairs, data):
    run.mkdir(parents=True)
    network = Network(build("lean", (32, 32, 3)), 32)
    rows = evaluate(network, pairs, progress=False)
    write_scores(run, rows, {"set": "test"})
    write_table(
        run / "history.csv",
        [{"epoch": i, "loss": 1, "dice": 0.5, "val_loss": 1, "val_dice": 0.4} for i in (1, 2)],
    )
    save_model(network.model, run / "model.keras", {"threshold": 0.5, "data": data})
    (run / "figures").mkdir()
    (run / make_figures.GROWTH).write_bytes(b"an animation")


@pytest.fixture
def project(narrow, tmp_path, monkeypatch):
    monkeypatch.setattr(make_figures, "PROJECT", tmp_path)
    write_pairs(tmp_path / "train", 9)
    write_pairs(tmp_path / "test", 4)
    shipped = tmp_path / make_figures.SHIPPED
    shipped.parent.mkdir()
    save_model(build("lean", (32, 32, 3)), shipped, {"threshold": 0.5})
    return tmp_path


def test_every_figure_of_the_readme_is_drawn_from_the_newest_run(project, monkeypatch, capsys):
    # The networks' diagrams have tests of their own, and the classic network takes its time.
    monkeypatch.setattr(make_figures, "explanations", lambda: iter(()))
    assert main([]) == 0
    assert {path.name for path in (project / "Images").iterdir()} == WITHOUT_A_RUN
    assert "no run" in capsys.readouterr().out

    (project / "runs" / "unfinished").mkdir(parents=True)
    (project / "runs" / "unfinished" / "history.csv").touch()
    assert find_run(project / "runs") is None
    write_run(project / "runs" / "other", find_pairs(project / "test").labelled, ["elsewhere"])
    assert find_run(project / "runs") is None
    write_run(project / "runs" / "mine", find_pairs(project / "test").labelled, [str(project)])
    assert main([]) == 0
    drawn = {path.name for path in (project / "Images").iterdir()}
    assert drawn == WITHOUT_A_RUN | OF_A_RUN
    assert (project / "Images" / "growth.webp").read_bytes() == b"an animation"
    assert "mine" in capsys.readouterr().out


def test_a_run_of_before_is_found_too(project):
    pairs = find_pairs(project / "test").labelled
    write_run(project / "runs" / "two", pairs, [".", "elsewhere"])
    assert find_run(project / "runs") is None
    write_run(project / "runs" / "yesterday", pairs, ".")
    assert find_run(project / "runs").name == "yesterday"


def test_outlines_are_the_highest_the_middle_and_the_lowest_dice(project):
    figure = make_figures.outlines(project / make_figures.SHIPPED, project / "test")
    dice = [float(axis.get_title().split("Dice ")[1]) for axis in figure.axes]
    assert len(dice) == 3
    assert dice == sorted(dice, reverse=True)
    assert "4 drawn test pictures" in figure.get_suptitle()
    assert "files/lite.keras" in figure.get_suptitle()


def test_explanations_are_named_as_the_readme_names_them(monkeypatch):
    monkeypatch.setattr(make_figures.show, "architecture", lambda name: None)
    assert {name for name, _ in make_figures.explanations()} == EXPLANATIONS


def test_a_folder_that_is_no_run_is_refused_in_one_line(project, capsys):
    assert main(["--run", str(project / "train")]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert str(project / "train") in error
    assert "history.csv" in error
    assert not (project / "Images").exists()


def test_example_pairs_are_spread_over_the_folder(project):
    write_pairs(project / "many", 14)
    titles = [axis.get_title() for axis in example_pairs(project / "many").axes]
    assert titles[:6] == ["1", "3", "5", "7", "9", "11"]
