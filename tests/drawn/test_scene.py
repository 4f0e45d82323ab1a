"""The drawn pictures: repeatable, varied, fairly labelled, and nothing shared by train and test."""

import hashlib
import itertools
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from lesion.drawn import scene as synthetic
from lesion.drawn.__main__ import main
from lesion.drawn.scene import draw_picture, draw_scene, write_pairs

PROJECT = Path(__file__).parents[2]
FOLDERS = tuple(synthetic.EMBEDDED_SEEDS)


def digest(seed: int, size: int) -> str:
    picture, mask = draw_picture(seed, size)
    return hashlib.sha256(picture.tobytes() + mask.tobytes()).hexdigest()


def embedded(folder: str, kind: str) -> list[np.ndarray]:
    """The embedded pictures (BGR) or labels (gray) in order."""
    flag = cv2.IMREAD_COLOR if kind == "image" else cv2.IMREAD_UNCHANGED
    numbers = range(synthetic.EMBEDDED_COUNT)
    return [cv2.imread(str(PROJECT / folder / kind / f"{n}.png"), flag) for n in numbers]


def test_same_seed_gives_same_bytes_in_another_process():
    code = (
        "import hashlib\nfrom lesion.drawn import scene\n"
        "for seed in (3, 4):\n"
        "    p, m = scene.draw_picture(seed, 96)\n"
        "    print(hashlib.sha256(p.tobytes() + m.tobytes()).hexdigest())\n"
    )
    run = [sys.executable, "-c", code]
    other = subprocess.run(run, cwd=PROJECT, capture_output=True, text=True, check=True)
    assert other.stdout.split() == [digest(3, 96), digest(4, 96)]
    assert digest(3, 96) != digest(4, 96)


@pytest.mark.parametrize("size", [33, 64, 128])
def test_pictures_and_masks_are_well_formed(size):
    for seed in range(40, 60):
        picture, mask = draw_picture(seed, size)
        assert picture.shape == (size, size, 3)
        assert mask.shape == (size, size)
        assert picture.dtype == mask.dtype == np.uint8
        assert set(np.unique(mask)) <= {0, 1}
        assert mask.mean() >= synthetic.SMALLEST_SHARE
        assert picture.std() > 2


def test_lesions_and_skins_vary_as_widely_as_real_ones():
    pairs = [draw_picture(seed, 64) for seed in range(300, 420)]
    areas = [mask.mean() for _, mask in pairs]
    assert min(areas) < 0.03
    assert max(areas) > 0.8
    assert 0.1 < np.median(areas) < 0.3
    cut = [m[[0, -1]].any() or m[:, [0, -1]].any() for _, m in pairs]
    assert 0.1 < np.mean(cut) < 0.45
    skins = [np.median(p[m == 0].mean(1)) for p, m in pairs if m.mean() < 0.9]
    assert min(skins) < 110
    assert max(skins) > 210
    steps = [p[m == 0].mean() - p[m == 1].mean() for p, m in pairs if m.mean() < 0.9]
    assert np.mean(np.array(steps) > 0) > 0.85  # lesions are mostly darker than their skin
    assert sum(step < 10 for step in steps) > 5  # and some hardly differ


def test_distractors_change_the_picture_and_never_the_mask():
    changed = 0
    for seed in range(700, 720):
        picture, mask = draw_scene(seed, 64)
        bare, bare_mask = draw_scene(seed, 64, distractors=False)
        np.testing.assert_array_equal(mask, bare_mask)
        changed += not np.array_equal(picture, bare)
    assert changed > 10


def test_a_mask_is_one_component_unless_something_hides_its_middle():
    for seed in range(800, 815):
        scene = draw_scene(seed, 96)[1]
        components = cv2.connectedComponents(scene, connectivity=8)[0] - 1
        assert components <= 2  # a patch or the frame may cut one in two


@pytest.mark.parametrize("folder", FOLDERS)
def test_embedded_pairs_are_complete(folder):
    for kind in ("image", "label"):
        names = {path.name for path in (PROJECT / folder / kind).iterdir()}
        assert names == {f"{number}.png" for number in range(synthetic.EMBEDDED_COUNT)}
    assert {p.shape for p in embedded(folder, "image")} == {(256, 256, 3)}
    labels = embedded(folder, "label")
    assert {label.shape for label in labels} == {(256, 256)}
    assert all(set(np.unique(label)) <= {0, 255} and label.any() for label in labels)


def test_embedded_data_is_small():
    files = [p for folder in FOLDERS for p in (PROJECT / folder).rglob("*") if p.is_file()]
    assert sum(path.stat().st_size for path in files) <= 10_000_000


def test_embedded_pairs_are_what_the_program_draws():
    # Not to the bit: another processor may round an exponential differently.
    for folder, first_seed in synthetic.EMBEDDED_SEEDS.items():
        for number in (0, 17):
            picture, mask = draw_picture(first_seed + number, synthetic.EMBEDDED_SIZE)
            stored = embedded(folder, "image")[number][..., ::-1]
            assert np.abs(stored.astype(int) - picture).mean() < 1
            assert np.mean((embedded(folder, "label")[number] > 0) != mask) < 0.002


def test_no_test_picture_repeats_a_training_picture():
    ranges = [range(first, first + synthetic.EMBEDDED_COUNT) for first in
              synthetic.EMBEDDED_SEEDS.values()]  # fmt: skip
    assert not set(ranges[0]) & set(ranges[1])
    train, test = (embedded(folder, "image") for folder in FOLDERS)
    digests = [{hashlib.sha256(p.tobytes()).digest() for p in side} for side in (train, test)]
    assert [len(side) for side in digests] == [synthetic.EMBEDDED_COUNT] * 2
    assert not digests[0] & digests[1]
    labels = [{hashlib.sha256(p.tobytes()).digest() for p in embedded(f, "label")} for f in FOLDERS]
    assert not labels[0] & labels[1]

    def fingerprint(picture: np.ndarray) -> np.ndarray:
        small = cv2.resize(picture, (32, 32), interpolation=cv2.INTER_AREA).astype(float)
        small -= small.mean((0, 1))
        return small.ravel() / np.linalg.norm(small)

    for one, other in itertools.product(train, test):
        for turned in (other, other[:, ::-1], np.rot90(other), np.rot90(other, 2)):
            assert fingerprint(one) @ fingerprint(turned) < 0.97
    blurred = cv2.GaussianBlur(train[0], (0, 0), 2)  # the measure does see a near copy
    assert fingerprint(train[0]) @ fingerprint(blurred) > 0.97


def test_many_pictures_on_two_processes_equal_the_same_drawn_here(tmp_path):
    count = synthetic.PARALLEL_FROM
    write_pairs(count, tmp_path / "out", size=32, first_seed=5)
    for number in (0, count - 1):
        picture, mask = draw_picture(5 + number, 32)
        stored = cv2.imread(str(tmp_path / "out" / "image" / f"{number}.png"))
        np.testing.assert_array_equal(stored[..., ::-1], picture)
        label = cv2.imread(str(tmp_path / "out" / "label" / f"{number}.png"), cv2.IMREAD_UNCHANGED)
        np.testing.assert_array_equal(label, mask * 255)
    assert len(list((tmp_path / "out").rglob("*.*"))) == 2 * count  # nothing unfinished left


def test_command_line_draws(tmp_path):
    main(["--count", "2", "--out", str(tmp_path / "new"), "--size", "64", "--seed", "9"])
    stored = cv2.imread(str(tmp_path / "new" / "image" / "1.png"))
    np.testing.assert_array_equal(stored[..., ::-1], draw_picture(10, 64)[0])


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["--count", "-3", "--out", "new"], "-3"),
        (["--count", "0", "--out", "new"], "0"),
        (["--count", "many", "--out", "new"], "many"),
        (["--count", "2"], "--out"),
        (["--out", "new"], "--count"),
        (["--count", "2", "--out", "new", "--size", "8"], "8"),
        (["--count", "2", "--out", "new", "--seed", "-1"], "-1"),
        (["--count", "2", "--out", "full"], "full"),
        (["--count", "2", "--out", "full/kept.txt"], "kept.txt"),
        (["--embedded", "--out", "full"], "train"),
        (["--embedded", "--count", "2"], "--count"),
    ],
)
def test_mistakes_end_with_code_2_and_one_line(arguments, named, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "full" / "train").mkdir(parents=True)
    kept = tmp_path / "full" / "kept.txt"
    kept.write_text("mine")
    try:
        code = main(arguments)
    except SystemExit as stop:  # of a mistyped option
        code = stop.code
    assert code == 2
    message = capsys.readouterr().err
    assert message.count("\n") == 1
    assert named in message
    assert kept.read_text() == "mine"
    assert not (tmp_path / "new").exists()
    assert sorted(p.name for p in (tmp_path / "full").iterdir()) == ["kept.txt", "train"]


def test_draw_picture_refuses_a_tiny_size():
    with pytest.raises(ValueError, match="8"):
        draw_picture(0, 8)
