"""Comparing saved networks: names, which pictures are fair, tables, and the command."""

import json
import shutil

import numpy as np
import pytest

from lesion import comparison
from lesion.comparison import COMPARED, common_pairs, compare, compare_pairwise, model_names
from lesion.inputs.pairing import find_pairs
from lesion.inputs.splitting import Split
from lesion.predict.network import load_network
from lesion.score.results import format_table
from lesion.storage import read_table
from segment import main


def run(*arguments):
    return main([str(argument) for argument in arguments])


@pytest.fixture
def other(trained, tmp_path):
    """A run folder with the same network and another threshold, split as given by `change`."""

    def make(change=None, threshold=0.9):
        folder = tmp_path / "other"
        folder.mkdir()
        shutil.copy(trained / "model.keras", folder)
        settings = json.loads((trained / "model.json").read_text())
        (folder / "model.json").write_text(json.dumps({**settings, "threshold": threshold}))
        split = json.loads((trained / "split.json").read_text())
        if change is not None:
            (folder / "split.json").write_text(json.dumps(change(split)))
        return folder / "model.keras"

    return make


def test_names_are_the_shortest_that_differ():
    assert model_names(["runs/a/model.keras", "runs/b/model.keras"]) == ["a", "b"]
    assert model_names(["1/a/model.keras", "2/a/model.keras"]) == ["1/a", "2/a"]
    assert model_names(["files/lean.keras", "runs/a/model.keras"]) == ["lean", "a"]
    assert model_names(["a.keras", "a/model.keras"]) == ["a.keras", "a/model.keras"]
    for weights in (["a.keras"], ["a.keras", "a.keras"], ["a.keras", "b/../a.keras"]):
        with pytest.raises(ValueError, match="two or more different"):
            model_names(weights)


def test_only_pictures_that_all_kept_apart(drawn_folder, tmp_path):
    every = find_pairs(drawn_folder).labelled
    weights = []
    for run_name, test in (("a", every[:5]), ("b", every[3:8]), ("c", every[4:])):
        (tmp_path / run_name).mkdir()
        train = [pair for pair in every if pair not in test]
        Split(train[1:], train[:1], test, drawn_folder).write(tmp_path / run_name / "split.json")
        weights.append(tmp_path / run_name / "model.keras")
    pairs, set_name, notes = common_pairs(drawn_folder, weights[:2])
    assert [pair.name for pair in pairs] == ["3", "4"]
    assert (set_name, notes) == ("test", [])
    assert [pair.name for pair in common_pairs(drawn_folder, weights)[0]] == ["4"]

    unknown = tmp_path / "elsewhere.keras"
    pairs, set_name, notes = common_pairs(drawn_folder, [unknown, weights[0]])
    assert [pair.name for pair in pairs] == ["0", "1", "2", "3", "4"]
    assert set_name == "test"
    assert len(notes) == 1
    assert str(unknown) in notes[0]


def test_nothing_in_common_is_refused(trained, drawn_folder, other, tmp_path, capsys):
    def exchange(split):
        return {**split, "test": split["train"][:2], "train": split["test"]}

    out = tmp_path / "out"
    weights = [trained / "model.keras", other(exchange)]
    assert run("compare", "--data", drawn_folder, "--weights", *weights, "--out", out) == 2
    assert "no picture is left" in capsys.readouterr().err
    assert not out.exists()


def test_the_command_writes_tables_and_figures(trained, drawn_folder, other, tmp_path, capsys):
    out = tmp_path / "out"
    weights = [trained / "model.keras", other()]
    assert run("compare", "--data", drawn_folder, "--weights", *weights, "--out", out) == 0
    output = capsys.readouterr().out
    assert "may have been trained on some" in output  # the other one came without its split
    table = read_table(out / "comparison.csv")
    assert [line["score"] for line in table] == list(COMPARED)
    rows = read_table(out / "scores.csv")
    test_pictures = json.loads((trained / "split.json").read_text())["test"]
    assert len(rows) == len(test_pictures) * 5  # two networks, three baselines
    mean = {
        name: np.mean([row["dice"] for row in rows if row["method"] == name])
        for name in ("tiny", "other")
    }
    assert table[0]["mean_a"] == pytest.approx(mean["tiny"], abs=1e-4)
    assert table[0]["difference"] == pytest.approx(mean["tiny"] - mean["other"], abs=1e-4)
    assert {path.name for path in (out / "figures").iterdir()} == {
        "scores.png",
        "comparison.png",
    }
    content = json.loads((out / "comparison.json").read_text())
    assert content["set"] == "test"
    assert [line["method"] for line in content["models"]][:2] == ["tiny", "other"]


def test_three_networks_are_compared_two_by_two(trained, drawn_folder, tmp_path):
    networks = {}
    for name, threshold in (("a", 0.3), ("b", 0.5), ("c", 0.7)):
        networks[name] = load_network(trained / "model.keras")
        networks[name].threshold = threshold
    table = compare(networks, find_pairs(drawn_folder).labelled[:4], "test", tmp_path)[
        "differences"
    ]
    pairs = [(line["model_a"], line["model_b"]) for line in table if line["score"] == "dice"]
    assert pairs == [("a", "b"), ("a", "c"), ("b", "c")]
    assert len(read_table(tmp_path / "models.csv")) == 6
    names = {path.name for path in (tmp_path / "figures").iterdir()}
    assert names == {"scores.png", *(f"comparison_{number}.png" for number in (1, 2, 3))}


def test_holm_corrects_for_the_number_of_pairs():
    random = np.random.default_rng(0)

    def rows(mean):
        values = np.clip(mean + random.normal(0, 0.05, 30), 0, 1)
        return [{"name": str(i), **dict.fromkeys(COMPARED, v)} for i, v in enumerate(values)]

    table = compare_pairwise({"a": rows(0.8), "b": rows(0.8), "c": rows(0.6)})
    assert len(table) == 3 * len(COMPARED)
    dice = sorted((line for line in table if line["score"] == "dice"), key=lambda x: x["p"])
    assert [(line["model_a"], line["model_b"]) for line in dice][-1] == ("a", "b")
    assert dice[0]["p_holm"] == pytest.approx(3 * dice[0]["p"], rel=0.1)
    assert dice[2]["p_holm"] == pytest.approx(max(dice[2]["p"], dice[1]["p_holm"]), rel=0.1)
    two = compare_pairwise({"a": rows(0.8), "b": rows(0.7)})
    assert all(line["p"] == line["p_holm"] for line in two)


def rows_of(values):
    return [{"name": str(i), **dict.fromkeys(COMPARED, v)} for i, v in enumerate(values)]


def test_holm_corrects_exact_p_values_which_are_rounded_when_written(monkeypatch):
    p_values = iter([p for p in (0.0116, 0.2, 0.9) for _ in COMPARED])
    found = {"mean_difference": 0.0, "interval": [-1.0, 1.0]}
    monkeypatch.setattr(
        comparison, "compare_paired", lambda a, b: {**found, "p_value": next(p_values)}
    )
    table = compare_pairwise({name: rows_of([0.5]) for name in "abc"})
    assert table[0]["p_holm"] == 3 * 0.0116
    written = comparison._rounded(table[0])
    assert (written["p"], written["p_holm"]) == (0.012, 0.035)  # 3 * 0.012 would be 0.036


def test_comparison_of_a_model_with_itself_is_zero():
    rows = rows_of([0.2, 0.9, 0.5])
    table = compare_pairwise({"a": rows, "b": rows})
    assert all(row["difference"] == 0 and row["p"] == 1 for row in table)
    assert format_table(table).count("\n") == len(table)


def test_comparison_refuses_other_pictures():
    rows = rows_of([0.2, 0.9, 0.5])
    with pytest.raises(ValueError, match="same pictures"):
        compare_pairwise({"a": rows, "b": rows[::-1]})
