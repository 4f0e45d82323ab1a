"""Bad pictures given to `predict`, and what --skip-bad leaves out of every command."""

from pathlib import Path

import bad_files as bad
import pytest
from bad_files import put, remove, rename, steps

from lesion.storage import read_table

pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture
def data(tmp_path):
    return bad.good_folder(tmp_path / "data")


@pytest.mark.parametrize(
    ("make", "paths", "words"),
    [
        (bad.unchanged, ["image/99.png"], "99.png|no such file|check the path"),
        (bad.unchanged, ["image/1.png", ""], "one of the paths is empty|name a picture"),
        (put("image/3.png", "text"), ["image/1.png", "image/3.png"], "3.png|no PNG|--skip-bad"),
        (put("notes.txt", "text"), ["notes.txt"], "notes.txt|no PNG|--skip-bad"),
        (rename("3", "n" * 250), ["image"], "nnn.png|no room|shorten"),
        (steps(put("image/3.png", b""), put("image/4.png", b"")), ["image"],
         "3.png|and 1 more|--skip-bad"),
    ],
)  # fmt: skip
def test_bad_pictures_to_predict(make, paths, words, refused, data, trained, tmp_path):
    make(data)
    arguments = [*(path and data / path for path in paths), "--weights", trained / "model.keras"]
    refused(words, "predict", *arguments, "--out", tmp_path / "out")
    assert not (tmp_path / "out").exists()


# --- --skip-bad ---------------------------------------------------------------------------------

SPOIL = steps(
    put("image/1.png", "text"),
    put("image/2.png", bad.encoded("PNG")[:900]),
    put("label/3.png", bad.MASK[:9]),
    remove("label/4.png"),
    put("label/9.png", bad.MASK),
)


def test_predict_goes_on_past_bad_pictures_and_lists_them(run_command, data, trained, tmp_path):
    SPOIL(data)
    rename_to = "n" * 250
    (data / "image" / "6.png").rename(data / "image" / f"{rename_to}.png")
    out = tmp_path / "out"
    arguments = ["--weights", trained / "model.keras", "--out", out, "--skip-bad"]
    code, output, errors = run_command("predict", data / "image", *arguments)
    assert (code, errors) == (0, [])
    assert {path.name.split("_")[0] for path in out.glob("*_mask.png")} == {"3", "4", "5"}
    end = output.partition("left out")[2].splitlines()[1:]
    assert [Path(line.split(": ")[0]).stem for line in end] == [rename_to, "1", "2"]


def test_evaluate_goes_on_past_bad_pairs_and_lists_them(run_command, data, trained, tmp_path):
    SPOIL(data)
    bad.metadata("6,lesion 6,0.7", columns="image_id,lesion_id,dice")(data)
    out = tmp_path / "out"
    arguments = ["--weights", trained / "model.keras", "--out", out, "--skip-bad"]
    code, output, errors = run_command("evaluate", "--data", data, *arguments)
    assert (code, errors) == (0, [])
    rows = read_table(out / "scores.csv")
    assert {row["name"] for row in rows} == {"5", "6"}
    assert all(row["dice"] != 0.7 for row in rows)  # the metadata do not replace a score
    assert {row["lesion_id"] for row in rows} == {"", "lesion 6"}
    end = output.partition("left out")[2].splitlines()[1:]
    named = [Path(line.split(": ")[0].split(" and ")[0]).name for line in end]
    assert named == ["9.png", "4.png", "1.png", "2.png", "3.png"]


def test_train_goes_on_past_bad_pairs_and_lists_them(run_command, refused, data, planned, tmp_path):
    SPOIL(data)
    (data / "train.txt").write_text("1\n2\n3\n5\n")
    (data / "test.txt").write_text("6\n")
    command = ["train", "--data", data, "--out", tmp_path / "out"]
    refused("9.png|and 3 more|segment.py check|--skip-bad", *command)
    assert planned == []
    (data / "val.txt").write_text("6\n")
    refused("val.txt|also in|one list", *command, "--skip-bad")
    (data / "val.txt").write_text("3\n")
    (data / "train.txt").write_text("1\n2\n5\n")
    refused("no pair is left of its validation part|40 x 9", *command, "--skip-bad")
    put("label/3.png", bad.MASK)(data)
    code, output, errors = run_command(*command, "--skip-bad")
    assert (code, errors) == (0, [])
    (split,) = planned
    assert [pair.name for pair in split.train + split.validation + split.test] == ["5", "3", "6"]
    assert "image/1.png: the content is no PNG" in output.partition("left out")[2]


def test_nothing_is_listed_where_nothing_is_bad(run_command, data, planned, tmp_path):
    code, output, _ = run_command("train", "--data", data, "--out", tmp_path / "out", "--skip-bad")
    assert code == 0
    assert "left out" not in output


def test_nothing_left_is_refused(refused, data, trained, tmp_path):
    for number in range(1, 7):
        put(f"image/{number}.png", b"")(data)
    arguments = ["--weights", trained / "model.keras", "--out", tmp_path / "out", "--skip-bad"]
    refused("1.png|is empty|nothing is left", "predict", data / "image", *arguments)
    refused("1.png|is empty|nothing is left", "evaluate", "--data", data, *arguments)
    assert not (tmp_path / "out").exists()
