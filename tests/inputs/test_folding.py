"""Folds: each picture in one test, no lesion on two sides, equal shares, the same in any order."""

import shutil
from collections import Counter
from pathlib import Path

import pytest
from picture_files import write_pairs

from lesion.console import InputError
from lesion.inputs import load_folds
from lesion.inputs.folding import draw_folds
from lesion.inputs.pairing import Pair
from lesion.settings import Settings

ROOT = Path("folder")
SIDES = ("train", "validation", "test")


def lesions(sizes, diagnoses=("",)):
    """Pairs of lesions with so many pictures each; the diagnoses take turns."""
    return [
        Pair(f"p{n}_{k}", Path(f"p{n}_{k}.png"), Path("m.png"), f"g{n}", metadata=known)
        for n, size in enumerate(sizes)
        for known in [{"dx": diagnoses[n % len(diagnoses)]} if any(diagnoses) else {}]
        for k in range(size)
    ]


def names(folds):
    return [[[pair.name for pair in side] for side in fold] for fold in folds]


def test_each_pair_is_tested_once_and_no_lesion_divided():
    pairs = lesions([1, 2, 3, 4] * 6)
    folds = draw_folds(pairs, [0.1] * len(pairs), 4, 0, 0.2, ROOT)
    tested = [pair.name for _, _, test in folds for pair in test]
    assert sorted(tested) == sorted(pair.name for pair in pairs)
    for sides in folds:
        assert sum(map(len, sides)) == len(pairs) == 60
        assert [len(side) for side in sides[1:]] == pytest.approx([12, 15], abs=2)
        groups = [{pair.group for pair in side} for side in sides]
        assert sum(map(len, groups)) == len(set.union(*groups)) == 24


def test_neither_the_order_of_the_pairs_nor_anything_but_the_seed_counts():
    pairs, coverages = lesions([1, 2] * 8), [n / 24 for n in range(24)]
    folds = draw_folds(pairs, coverages, 3, 7, 0.2, ROOT)
    assert names(draw_folds(pairs[::-1], coverages[::-1], 3, 7, 0.2, ROOT)) == names(folds)
    assert names(draw_folds(pairs, coverages, 3, 8, 0.2, ROOT)) != names(folds)


def test_folds_share_diagnoses_or_sizes_equally():
    pairs = lesions([1] * 40, ("nv", "nv", "nv", "mel"))
    for _, _, test in draw_folds(pairs, [0.1] * 40, 5, 0, 0.2, ROOT):
        assert Counter(pair.metadata["dx"] for pair in test) == {"nv": 6, "mel": 2}
    pairs = lesions([1] * 30)  # without a diagnosis: ten small, ten middling and ten large ones
    for _, _, test in draw_folds(pairs, [n / 30 for n in range(30)], 5, 0, 0.2, ROOT):
        assert Counter(int(pair.group[1:]) // 10 for pair in test) == {0: 2, 1: 2, 2: 2}


def test_diagnoses_that_all_are_rare_are_no_obstacle():
    pairs = lesions([1] * 5, "abcde")
    assert [len(fold[2]) for fold in draw_folds(pairs, [0.1] * 5, 5, 0, 0.2, ROOT)] == [1] * 5


@pytest.mark.parametrize(("sizes", "count"), [([1, 1, 1], 2), ([1] * 5, 6), ([9, 1, 1, 1], 2)])
def test_too_few_lesions_are_refused(sizes, count):
    pairs = lesions(sizes)  # with this seed, the large one is a fold of its own
    with pytest.raises(InputError, match=rf"{len(sizes)} lesion\(s\).* too few for {count} folds"):
        draw_folds(pairs, [0.1] * len(pairs), count, 4, 0.2, ROOT)


def test_what_the_data_call_test_stays_apart_and_copies_count_once(tmp_path, capsys):
    write_pairs(tmp_path / "train", [f"a{n}" for n in range(12)])
    write_pairs(tmp_path / "test", ["t0", "t1"])
    pictures = tmp_path / "train" / "image"
    shutil.copy(pictures / "a3.png", pictures / "a4.png")
    shutil.copy(tmp_path / "test" / "image" / "t1.png", pictures / "a5.png")
    settings = Settings(data=tmp_path, test=1 / 3)
    folds = load_folds(settings, 3, progress=False)
    told = capsys.readouterr().out
    assert "2 pictures that the data call test stay apart" in told
    assert "is the same as" in told
    assert "and 1 more" in told
    used = [{pair.name for side in SIDES for pair in getattr(fold, side)} for fold in folds]
    assert used[0] == used[1] == used[2]
    assert len(used[0]) == 10
    assert not {"t0", "t1", "a5"} & used[0]
    assert sum(len(fold.test) for fold in folds) == 10
    assert all(fold.made_with["test"] == settings.test for fold in folds)
