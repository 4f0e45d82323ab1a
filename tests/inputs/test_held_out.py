"""Which pictures a network may be scored on, and what is said of those it may have seen."""

import json
import shutil
from dataclasses import replace

import pytest
from picture_files import write_pairs

from lesion.console import InputError
from lesion.inputs import load_split, load_splits, select_common, select_pairs
from lesion.options import SHIPPED_WEIGHTS

UNKNOWN = "may have been trained on some of them"


@pytest.fixture
def data(tmp_path):
    return write_pairs(tmp_path / "data", range(20))


@pytest.fixture
def run(data, tmp_path):
    """The folder of a training on this data, as far as it tells what was trained on."""
    folder = tmp_path / "run"
    folder.mkdir()
    load_splits([data], 5, 0.1, 0.3).write(folder / "split.json")
    return folder


def published(path, **record):
    """Weights without a split.json, of which only what is recorded counts here."""
    path.parent.mkdir(exist_ok=True)
    path.with_suffix(".json").write_text(json.dumps(record))
    return path


def names(pairs):
    return [pair.name for pair in pairs]


def test_the_split_beside_the_weights_counts(data, run):
    expected = load_split(data, 5, 0.1, 0.3)
    chosen = select_pairs(data, run / "model.keras")
    assert (chosen.set_name, chosen.kept_apart) == ("test", True)
    assert names(chosen.pairs) == names(expected.test)
    assert "with these pictures kept apart" in chosen.remark
    for part, words in (("train", "was trained on these"), ("all", "trained on some of these")):
        chosen = select_pairs(data, run / "model.keras", part)
        assert not chosen.kept_apart
        assert words in chosen.remark
    assert len(chosen.pairs) == 20


def test_pictures_of_a_split_that_are_gone_are_told_of(data, run, capsys):
    gone = load_split(data, 5, 0.1, 0.3).train[0]
    gone.image.unlink()
    gone.mask.unlink()
    select_pairs(data, run / "model.keras")
    assert "note: " in (told := capsys.readouterr().out)
    assert "names 1 picture(s)" in told


def test_a_damaged_split_is_no_split_of_other_data(data, run):
    for content in ("{", "[]", '{"train": ["a"]}', '{"train": 1, "validation": 2, "test": 3}'):
        (run / "split.json").write_text(content)
        with pytest.raises(InputError, match=r"split.json: is no split file .*restore"):
            select_pairs(data, run / "model.keras")


def test_a_sound_split_of_other_data_is_passed_over(data, run, tmp_path):
    other = write_pairs(tmp_path / "other", range(30, 40))
    chosen = select_pairs(other, run / "model.keras")
    assert (chosen.set_name, len(chosen.pairs), chosen.kept_apart) == ("whole set", 10, False)
    assert UNKNOWN in chosen.remark


def test_published_weights_know_the_data_they_were_trained_on(data, tmp_path):
    split = load_splits([data], 5, 0.1, 0.3)
    record = {"seed": 5, "validation": 0.1, "test": 0.3, "split_digests": split.digests}
    weights = published(tmp_path / "files" / "a.keras", **record)
    # Neither the place of the folder nor the names of its sub-folders count.
    moved = data.rename(tmp_path / "elsewhere")
    (moved / "image").rename(moved / "images")
    chosen = select_pairs(moved, weights)
    assert (chosen.set_name, chosen.kept_apart) == ("test", True)
    assert names(chosen.pairs) == names(split.test)
    assert "with these pictures kept apart" in chosen.remark
    assert "trained on some of these" in select_pairs(moved, weights, "all").remark

    (moved / "images" / "3.png").write_bytes((moved / "images" / "4.png").read_bytes())
    chosen = select_pairs(moved, weights)
    assert (chosen.set_name, chosen.kept_apart) == ("whole set", False)
    assert UNKNOWN in chosen.remark


def test_the_recorded_seed_and_shares_divide_the_pictures(data, tmp_path):
    weights = published(tmp_path / "files" / "a.keras", seed=5, validation=0.1, test=0.3)
    chosen = select_pairs(data, weights, "test")
    assert names(chosen.pairs) == names(load_split(data, 5, 0.1, 0.3).test)
    assert UNKNOWN in chosen.remark
    earlier = published(tmp_path / "files" / "b.keras", seed=7)  # before shares were recorded
    chosen = select_pairs(data, earlier, "test")
    assert names(chosen.pairs) == names(load_split(data, 7, 0.1, 0.1).test)


def test_data_too_small_to_be_divided_is_scored_as_a_whole(tmp_path):
    write_pairs(tmp_path / "two", "12")
    weights = published(tmp_path / "files" / "a.keras", split_digests=["0"])
    assert len(select_pairs(tmp_path / "two", weights).pairs) == 2


def test_a_part_without_masks_is_refused(data, tmp_path):
    (data / "train.txt").write_text("1\n2\n3\n")
    (data / "val.txt").write_text("4\n")
    with pytest.raises(InputError, match="no picture of this test part has a mask; add masks or"):
        select_pairs(data, tmp_path / "elsewhere.keras", "test")
    assert names(select_pairs(data, tmp_path / "elsewhere.keras").pairs) == ["4"]


def test_of_several_networks_only_what_each_kept_apart_is_kept_apart(data, run, tmp_path):
    own = load_splits([data], 5, 0.1, 0.3)
    weights = [run / "model.keras", tmp_path / "other" / "model.keras"]
    weights[1].parent.mkdir()
    # A fold: its test part is what the first network was trained on.
    fold = replace(own, train=own.validation + own.test, validation=own.train[:1])
    replace(fold, test=own.train[1:]).write(weights[1].with_name("split.json"))
    with pytest.raises(InputError, match=r"no picture is left that each of .* has kept apart"):
        select_common(data, weights)
    chosen = select_common(data, weights, "all")
    assert (len(chosen.pairs), chosen.kept_apart) == (20, False)
    assert chosen.remark.count("was trained on some of these") == 2

    replace(fold, test=[*own.train[1:], own.test[0]]).write(weights[1].with_name("split.json"))
    chosen = select_common(data, weights)
    assert (names(chosen.pairs), chosen.kept_apart) == (names(own.test[:1]), True)


def test_pictures_of_one_name_in_two_parts_stay_apart(data, tmp_path):
    for part in ("train", "test"):
        shutil.copytree(data, tmp_path / "both" / part)
    chosen = select_pairs(tmp_path / "both", tmp_path / "elsewhere.keras", "all")
    assert len(set(names(chosen.pairs))) == len(chosen.pairs) == 40
    assert {"train/image/0", "test/image/0"} <= set(names(chosen.pairs))


@pytest.mark.slow
def test_the_shipped_weights_recognise_what_they_were_trained_on(shared_data):
    """Yesterday `evaluate --part test` took pictures of this data that had been trained on."""
    chosen = select_pairs(shared_data / "isic2018", SHIPPED_WEIGHTS)
    listed = (shared_data / "isic2018" / "val.txt").read_text().split()
    assert (chosen.set_name, chosen.kept_apart) == ("validation", True)
    assert set(names(chosen.pairs)) == set(listed)
    chosen = select_pairs(shared_data / "ham10000", SHIPPED_WEIGHTS)
    assert (chosen.set_name, chosen.kept_apart, len(chosen.pairs)) == ("test", True, 902)
    chosen = select_pairs(shared_data / "pad_ufes", SHIPPED_WEIGHTS)
    assert (chosen.set_name, chosen.kept_apart, len(chosen.pairs)) == ("test", True, 25)
    chosen = select_pairs(shared_data / "em_membrane", SHIPPED_WEIGHTS, "train")
    assert not chosen.kept_apart
    assert UNKNOWN in chosen.remark
