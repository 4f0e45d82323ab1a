"""load_split: every pair on one side, no lesion on two, the same for the same seed."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st
from picture_files import write_mask, write_pairs, write_picture
from PIL import Image

from lesion import inputs
from lesion.drawn.scene import write_pairs as write_drawn_pairs
from lesion.inputs import splitting
from lesion.inputs.folders import natural_key
from lesion.inputs.pairing import Pair, find_pairs, find_parts
from lesion.inputs.splitting import Split, load_split, load_splits
from lesion.settings import LEGEND, Settings

SIDES = ("train", "validation", "test")


def names(split):
    return {side: [pair.name for pair in getattr(split, side)] for side in SIDES}


def pairs_in_groups(sizes):
    return [
        Pair(f"p{group}_{number}", Path(f"p{group}_{number}.png"), Path("m.png"), f"g{group}")
        for group, size in enumerate(sizes)
        for number in range(size)
    ]


@examples(max_examples=300, deadline=None)
@given(
    st.lists(st.integers(1, 30), min_size=3, max_size=60),
    st.integers(0, 2**32),
    st.floats(0, 0.49),
    st.floats(0, 0.49),
)
def test_every_pair_on_one_side_and_no_lesion_on_two(sizes, seed, validation, test):
    pairs = pairs_in_groups(sizes)
    sides = splitting.draw(pairs, seed, validation, test, "folder")
    assert sorted(p.name for side in sides for p in side) == sorted(p.name for p in pairs)
    groups = [{pair.group for pair in side} for side in sides]
    assert sum(map(len, groups)) == len(sizes)
    for side, share in zip(sides, (1 - validation - test, validation, test), strict=True):
        assert bool(side) == (share > 0)
        assert [p.name for p in side] == sorted((p.name for p in side), key=natural_key)
        # A lesion joins only if that brings the side nearer; a side's only lesion may be larger.
        if side is not sides[0] and len({pair.group for pair in side}) > 1:
            assert len(side) < 2 * max(1, round(share * len(pairs)))


@examples(max_examples=50, deadline=None)
@given(st.integers(0, 1000), st.randoms())
def test_split_depends_on_seed_and_names_only(seed, random):
    pairs = pairs_in_groups([1, 3, 2, 1, 1, 4, 1, 2, 5, 1])
    shuffled = random.sample(pairs, len(pairs))
    assert splitting.draw(pairs, seed, 0.2, 0.2, "") == splitting.draw(shuffled, seed, 0.2, 0.2, "")


def test_single_pictures_are_split_in_exact_shares(tmp_path):
    write_pairs(tmp_path, range(40))
    split = load_split(tmp_path, seed=3, validation=0.25, test=0.1)
    assert [len(getattr(split, side)) for side in SIDES] == [26, 10, 4]
    assert names(split) == names(load_split(tmp_path, seed=3, validation=0.25, test=0.1))
    assert names(split) != names(load_split(tmp_path, seed=4, validation=0.25, test=0.1))
    assert all(side == sorted(side, key=natural_key) for side in names(split).values())
    assert len(load_split(tmp_path, validation=0, test=0).train) == 40


def test_pictures_without_mask_are_not_split(tmp_path):
    write_pairs(tmp_path, range(5))
    write_picture(tmp_path / "image" / "5.png")
    split = load_split(tmp_path)
    assert {p.name for p in split.train + split.validation + split.test} == set("01234")
    assert "picture without a mask" in split.problems[0]


@pytest.mark.parametrize("count", [1, 2])
def test_too_few_lesions_for_three_sides(tmp_path, count):
    write_pairs(tmp_path, range(count))
    with pytest.raises(ValueError, match=f"holds {count} lesion.s. with a mask.*3 at least"):
        load_split(tmp_path)


@pytest.mark.parametrize("shares", [(-0.1, 0.1), (0.5, 0.5), (1, 0), (0.1, 1.5)])
def test_shares_that_are_none(tmp_path, shares):
    with pytest.raises(ValueError, match="no shares of a whole"):
        load_split(tmp_path, 0, *shares)


def test_folder_without_masks_or_of_another_kind(tmp_path):
    write_picture(tmp_path / "1.png")
    with pytest.raises(ValueError, match="no picture has a mask; put the masks"):
        load_split(tmp_path)
    with pytest.raises(FileNotFoundError, match="no such folder"):
        load_split(tmp_path / "missing")


# --- given parts --------------------------------------------------------------------------------


def test_train_and_test_folders(tmp_path):
    write_pairs(tmp_path / "train", range(10))
    write_pairs(tmp_path / "Test", range(3))
    write_picture(tmp_path / "Test" / "image" / "3.png")
    split = load_split(tmp_path, validation=0.2)
    assert [len(getattr(split, side)) for side in SIDES] == [8, 2, 3]
    assert {pair.image.parts[-3] for pair in split.train + split.validation} == {"train"}
    assert {pair.image.parts[-3] for pair in split.test} == {"Test"}
    assert list(find_parts(tmp_path)) == ["train", "test"]

    write_pairs(tmp_path / "val", range(4))
    split = load_split(tmp_path, validation=0.2)
    assert [len(getattr(split, side)) for side in SIDES] == [10, 4, 3]


def test_test_folder_without_truth_gives_no_test(tmp_path):
    write_pairs(tmp_path / "data" / "train", range(10))
    write_picture(tmp_path / "data" / "test" / "1.png")
    write_mask(tmp_path / "data" / "test" / "1_predict.png")
    split = load_split(tmp_path)
    assert [len(getattr(split, side)) for side in SIDES] == [8, 2, 0]


def test_train_folder_needs_masks(tmp_path):
    write_picture(tmp_path / "train" / "1.png")
    write_pairs(tmp_path / "test", range(3))
    with pytest.raises(ValueError, match="train: pictures, no masks: no picture has"):
        load_split(tmp_path)


def test_id_lists_are_obeyed(tmp_path):
    write_pairs(tmp_path, range(12))
    (tmp_path / "train.txt").write_text("\ufeff10\n9\n\n 8.png \n7\r\n")
    (tmp_path / "val.txt").write_text("1\n")
    expected = {"train": ["7", "8", "9", "10"], "validation": ["1"], "test": []}
    assert names(load_split(tmp_path)) == expected
    (tmp_path / "test.txt").write_text("3\n2")
    assert names(load_split(tmp_path)) == expected | {"test": ["2", "3"]}
    (tmp_path / "val.txt").unlink()
    split = load_split(tmp_path, validation=0.25)
    assert [len(getattr(split, side)) for side in SIDES] == [3, 1, 2]
    assert sorted(p.name for p in split.train + split.validation) == ["10", "7", "8", "9"]


@pytest.mark.parametrize(
    ("train", "validation", "finding"),
    [
        ("1\n2\nnone\nneither\n", "3", r"train.txt: names 2 id.s. without.*\(none, neither\)"),
        ("1\n9\n", "3", r"train.txt: names 1 id.s. without picture and mask \(9\)"),
        ("1\n2\n", "2\n3\n", r"val.txt: 1 id.s. are also in train.txt \(2\)"),
        ("\n", "2\n", "train.txt: is empty"),
        ("1\n\udcff\n", "2\n", "train.txt: cannot be read"),
    ],
)
def test_wrong_id_lists_are_named(tmp_path, train, validation, finding):
    write_pairs(tmp_path, range(5))
    write_picture(tmp_path / "image" / "9.png")
    (tmp_path / "train.txt").write_text(train, errors="surrogateescape")
    (tmp_path / "val.txt").write_text(validation)
    with pytest.raises(ValueError, match=finding):
        load_split(tmp_path)


def test_several_folders_are_one_split_and_each_keeps_its_own_division(tmp_path):
    for folder in ("a", "b"):
        write_pairs(tmp_path / folder, range(12))
    (tmp_path / "a" / "train.txt").write_text("1\n2\n3\n")
    (tmp_path / "a" / "val.txt").write_text("4\n")
    a, b = load_split(tmp_path / "a", 7), load_split(tmp_path / "b", 7)
    both = load_splits([tmp_path / "a", tmp_path / "b", tmp_path / "a"], 7)
    assert both.train == a.train + b.train + a.train  # named twice, there twice
    assert both.validation == a.validation + b.validation
    assert both.test == a.test + b.test
    assert both.root == tmp_path
    # Pictures of the same name in two folders are told apart in the file, and found again.
    both.write(tmp_path / "split.json")
    found = Split.read(tmp_path / "split.json", find_pairs(tmp_path / "b").pairs)
    assert found.train == b.train
    assert found.validation == b.validation
    assert names(load_splits([tmp_path / "b"], 7)) == names(b)
    with pytest.raises(ValueError, match="no data folder"):
        load_splits([])


def test_load_gives_the_split_of_the_settings_without_copies(tmp_path, capsys):
    write_pairs(tmp_path / "a", range(20))
    write_pairs(tmp_path / "b", range(20, 40))
    settings = Settings(data=(tmp_path / "a", tmp_path / "b"), seed=3, validation=0.1, test=0.3)
    split = inputs.load(settings, progress=False)
    expected = load_splits(settings.data, 3, 0.1, 0.3)
    assert names(split) == names(expected)
    made_with = {"data": settings.data, "seed": 3, "validation": 0.1, "test": 0.3}
    assert split.made_with == made_with | dict.fromkeys(LEGEND, ())
    twin, original = split.train[0].image, split.test[0].image
    twin.write_bytes(original.read_bytes())
    without = inputs.load(settings, progress=False)
    assert without.train == split.train[1:]
    assert without.test == split.test
    assert f"note: left out, so that scores stay honest: {twin}" in capsys.readouterr().out


def test_what_several_folders_have_on_two_sides_is_told(tmp_path, capsys):
    """The second folder holds pictures of the first, half as large."""
    a, b = tmp_path / "a", tmp_path / "b"
    write_drawn_pairs(12, a, size=96, first_seed=300)
    for file in [f"{kind}/{number}.png" for kind in ("image", "label") for number in range(7)]:
        (b / file).parent.mkdir(parents=True, exist_ok=True)
        Image.open(a / file).resize((48, 48), Image.Resampling.NEAREST).save(b / file)
    for folder, *parts in ((a, "012345", "678", "9"), (b, "346", "0", "12")):
        for name, ids in zip(("train", "val", "test"), parts, strict=True):
            (folder / f"{name}.txt").write_text("\n".join(ids))
        (folder / "metadata.csv").write_text("image_id,lesion_id\n0,A\n1,B\n2,C\n3,D\n")
    inputs.load(Settings(data=(a, b)), progress=False)
    told = capsys.readouterr().out
    assert "note: 3 lesion(s) of different folders are on two sides: A, B, C; unless" in told
    assert "note: 4 picture(s) for validation or test are probably on another side, too" in told
    assert "looks tell: 6, 0, 1, 2;" in told
    inputs.load(Settings(data=a), progress=False)
    assert "side" not in capsys.readouterr().out


def test_given_lists_that_divide_a_lesion_are_reported(tmp_path):
    write_pairs(tmp_path, range(4))
    (tmp_path / "metadata.csv").write_text("image_id,lesion_id\n0,A\n1,A\n2,B\n3,C\n")
    (tmp_path / "train.txt").write_text("0\n2")
    (tmp_path / "val.txt").write_text("1")
    (problem,) = load_split(tmp_path).problems
    assert "1 lesion(s) are on two sides of the given split (A)" in problem


# --- the file -----------------------------------------------------------------------------------


def test_written_split_is_read_back_also_after_a_move(tmp_path):
    write_pairs(tmp_path / "data" / "train", range(10))
    write_pairs(tmp_path / "data" / "test", range(3))
    split = load_split(tmp_path / "data", seed=1)
    split.write(tmp_path / "split.json")
    assert list(tmp_path.glob("*.part")) == []
    written = json.loads((tmp_path / "split.json").read_text())
    assert written["test"] == [f"test/image/{n}.png" for n in range(3)]

    (tmp_path / "data").rename(tmp_path / "moved")
    pairs = [p for part in find_parts(tmp_path / "moved").values() for p in part.pairs]
    again = Split.read(tmp_path / "split.json", pairs)
    assert names(again) == names(split)
    assert all("moved" in pair.image.parts and pair.image.exists() for pair in again.test)


def test_other_pictures_of_the_same_names_are_told_apart(tmp_path):
    for folder in ("a", "b"):
        write_pairs(tmp_path / folder, range(6))
    # The two folders of the project itself: both hold 0.png, 1.png, ...
    for path in (tmp_path / "b" / "image").iterdir():
        path.write_bytes(path.read_bytes() + folder.encode())
    load_split(tmp_path / "a").write(tmp_path / "split.json")
    others = find_pairs(tmp_path / "b").pairs
    assert Split.read(tmp_path / "split.json", others) is None
    mixed = others + find_pairs(tmp_path / "a").pairs
    again = Split.read(tmp_path / "split.json", mixed)
    assert all(pair.image.parts[-3] == "a" for pair in again.train + again.validation + again.test)


def test_split_file_that_does_not_fit(tmp_path):
    write_pairs(tmp_path, range(5))
    pairs = find_pairs(tmp_path).pairs
    load_split(tmp_path).write(tmp_path / "split.json")
    again = Split.read(tmp_path / "split.json", pairs[:2])
    assert len(again.train + again.validation + again.test) == 2
    assert "names 3 picture(s) for which" in again.problems[0]
    for content in ("[]", "{}", "no JSON", '{"train": 5, "validation": [], "test": []}'):
        (tmp_path / "split.json").write_text(content)
        with pytest.raises(ValueError, match="is no split file"):
            Split.read(tmp_path / "split.json", pairs)
    with pytest.raises(FileNotFoundError, match="no such file"):
        Split.read(tmp_path / "none.json", pairs)


def test_a_split_tells_which_truth_was_changed_since(tmp_path):
    write_pairs(tmp_path, range(4))
    write_mask(tmp_path / "label_2" / "0.png")
    drawn, added = tmp_path / "drawn.json", tmp_path / "added.png"
    drawn.write_text("[1]")
    write_mask(added)
    pairs = [
        *find_pairs(tmp_path).pairs[:2],
        Pair("2", tmp_path / "image" / "2.png", drawn),  # as all files, read to their end
        Pair("3", tmp_path / "image" / "3.png", drawn, more_masks=(added,)),
    ]
    split = Split(pairs[:2], pairs[2:], [], tmp_path)
    split.write(tmp_path / "split.json")
    assert split.changes(tmp_path / "split.json") == ""

    def changed_with(path, data):
        before = path.read_bytes()
        assert len(data) == len(before)
        path.write_bytes(data)
        changes = split.changes(tmp_path / "split.json")
        path.write_bytes(before)
        return changes

    for path in (tmp_path / "label" / "0.png", tmp_path / "label_2" / "0.png"):
        data = path.read_bytes()
        one = "the masks of 1 picture(s) have changed (image/0.png)"
        assert changed_with(path, data[:-1] + bytes([data[-1] ^ 1])) == one
    assert "of 2 picture(s) have changed (image/2.png, image/3.png)" in changed_with(drawn, b"[2]")
    data = added.read_bytes()
    assert "1 picture(s) have changed (image/3.png)" in changed_with(added, bytes(len(data)))
    image = tmp_path / "image" / "0.png"
    assert changed_with(image, bytes(image.stat().st_size)) == "the pictures have changed"
    assert Split(pairs[1:2], pairs[2:], [], tmp_path).changes(tmp_path / "split.json") == (
        "the pictures have changed"
    )

    # Splits of earlier versions say nothing of masks.
    written = json.loads((tmp_path / "split.json").read_text())
    del written["masks"]
    (tmp_path / "split.json").write_text(json.dumps(written))
    assert changed_with(drawn, b"[2]") == ""


# --- real data ----------------------------------------------------------------------------------


def test_ham10000_by_lesion(shared_data):
    split = load_split(shared_data / "ham10000", seed=0, validation=0.1, test=0.1)
    assert sum(len(getattr(split, side)) for side in SIDES) == 9019
    assert len(split.validation) == len(split.test) == 902
    lesions = [{pair.group for pair in getattr(split, side)} for side in SIDES]
    assert sum(map(len, lesions)) == len(set.union(*lesions)) == 6723


def test_isic_lists_and_membranes(shared_data):
    split = load_split(shared_data / "isic2018")
    assert [len(getattr(split, side)) for side in SIDES] == [1815, 259, 0]
    listed = (shared_data / "isic2018" / "val.txt").read_text().split()
    assert {pair.name for pair in split.validation} == set(listed)
    split = load_split(shared_data / "em_membrane", validation=0.1)
    assert [len(getattr(split, side)) for side in SIDES] == [27, 3, 0]
    assert all(pair.mask.parent.name == "label" for pair in split.train)
