"""Decoded pairs on disk: the same to the bit, never out of date, torn or in the way."""

import errno
import json
import os
import shutil
import subprocess
import sys
import time
from dataclasses import replace
from itertools import count
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from picture_files import write_mask, write_pairs, write_picture
from PIL import Image

import data
from lesion.inputs import cache
from lesion.inputs.annotations import Annotation, Shape
from lesion.inputs.cache import OVERHEAD, PARTS, STAYS, Kept, kept_on_disk
from lesion.inputs.legend import Legend, Level
from lesion.inputs.pairing import Pair, find_pairs
from lesion.inputs.reading import load_pair

ROOT = Path(__file__).parents[2]
LEVELS = tuple(Level(str(value), (float(value),) * 3) for value in (0, 128, 255))
LEGEND = Legend(lesion_level=("255",), ignore_level=("128",), known=LEVELS)


@pytest.fixture
def decoded(monkeypatch):
    """The names of the pairs that are decoded."""
    names = []

    def load(pair, *more):
        names.append(pair.name)
        return load_pair(pair, *more)

    monkeypatch.setattr(cache, "load_pair", load)
    return names


@pytest.fixture
def pairs(tmp_path):
    return find_pairs(write_pairs(tmp_path / "pairs", "abcdefgh", (40, 30))).pairs


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "cache").mkdir()
    return tmp_path / "cache"


def same(one, other):
    """Whether two loaded pairs are the same to the bit."""
    return all(a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
               for a, b in zip(one, other, strict=True))  # fmt: skip


def entries(folder):
    return sorted(path for path in folder.glob("??/*") if path.is_file())


def age(path, seconds):
    used = time.time() - seconds
    os.utime(path, (used, used))


# --- what it is for -----------------------------------------------------------------------------


@pytest.fixture
def large(monkeypatch, tmp_path):
    """Make every set too large for the memory; return the folder of the cache."""
    monkeypatch.setattr(data, "KEPT_BYTES", 0)
    monkeypatch.setenv("LESION_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def epoch(dataset):
    return list(dataset)


def test_a_second_epoch_never_decodes(pairs, large, decoded, capsys):
    training = data.TrainingData(pairs, 16, 3)
    first = epoch(training)
    assert sorted(decoded) == list("abcdefgh")
    epoch(training)
    training.epoch = 0
    assert all(map(same, epoch(training), first))
    epoch(data.TrainingData(pairs[:5], 16, 2, seed=1))  # another training
    x, y = epoch(data.ValidationData(pairs, 16, 8))[0]
    assert len(decoded) == 8
    for index, pair in enumerate(pairs):
        assert same((x[index], y[index]), load_pair(pair, 16))
    line = capsys.readouterr().out
    assert line.count("note: ") == 1  # which names the folder and how to do without
    assert str(large / "decoded") in line
    assert "LESION_CACHE=" in line
    assert (large / "decoded").stat().st_mode & 0o777 == 0o700


def test_small_sets_and_an_empty_name_leave_the_disk_alone(pairs, monkeypatch, tmp_path, decoded):
    monkeypatch.setattr(cache, "user_cache_path", lambda name: tmp_path / "own")
    monkeypatch.delenv("LESION_CACHE")
    epoch(data.ValidationData(pairs, 16, 3))
    monkeypatch.setattr(data, "KEPT_BYTES", 0)
    monkeypatch.setenv("LESION_CACHE", "")
    for _ in range(2):
        epoch(data.ValidationData(pairs, 16, 3))
    assert not (tmp_path / "own").exists()
    monkeypatch.delenv("LESION_CACHE")
    epoch(data.ValidationData(pairs, 16, 3))
    assert len(entries(tmp_path / "own" / "decoded")) == 8
    assert kept_on_disk().limit == 10e9


# --- the same numbers ---------------------------------------------------------------------------

numbers = count()


@settings(
    deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    shape=st.tuples(st.integers(1, 40), st.integers(1, 40)),
    size=st.integers(1, 48),
    channels=st.sampled_from([1, 3]),
    seed=st.integers(0, 2**32 - 1),
)
def test_what_comes_back_is_the_same_to_the_bit(tmp_path, decoded, shape, size, channels, seed):
    rng, name = np.random.default_rng(seed), str(next(numbers))
    picture, mask = tmp_path / f"{name}.png", tmp_path / f"{name}_mask.png"
    Image.fromarray(rng.integers(0, 256, (*shape, 3), dtype=np.uint8)).save(picture)
    Image.fromarray(rng.choice(np.array([0, 128, 255], np.uint8), shape)).save(mask)
    pair = Pair(name, picture, mask, legend=LEGEND)
    (tmp_path / "cache").mkdir(exist_ok=True)
    kept = Kept(tmp_path / "cache")
    truth = load_pair(pair, size, channels)
    before = len(decoded)
    for _ in range(3):
        assert same(kept(pair, size, channels), truth)
    assert len(decoded) == before + 1


def test_every_value_of_a_picture_comes_back():
    values = np.arange(256, dtype=np.uint8).reshape(16, 16, 1)
    scaled = values.astype(np.float32) / np.float32(255)
    assert np.array_equal(np.rint(scaled * 255).astype(np.uint8), values)


def test_what_would_not_come_back_the_same_is_not_stored(pairs, folder, monkeypatch):
    fine = np.full((4, 4, 3), 0.3, np.float32), np.zeros((4, 4, 1), np.float32)
    monkeypatch.setattr(cache, "load_pair", lambda *_: fine)
    assert same(Kept(folder)(pairs[0], 4), fine)
    assert entries(folder) == []


# --- never out of date --------------------------------------------------------------------------


def rewrite_picture(pair):
    write_picture(pair.image, (40, 30), seed=99)
    return pair


def touch(pair):
    os.utime(pair.image, ns=(0, pair.image.stat().st_mtime_ns + 1))
    return pair


def rewrite_mask(pair):
    write_mask(pair.mask, (40, 30), np.eye(30, 40, dtype=np.uint8))
    return pair


def second_file(pair):
    more = write_mask(pair.mask.with_name("more.png"), (40, 30), np.eye(30, 40, dtype=np.uint8))
    return replace(pair, more_masks=(more,))


CHANGES = {
    "picture": (rewrite_picture, 16, 3),
    "time of the picture": (touch, 16, 3),
    "mask": (rewrite_mask, 16, 3),
    "one more mask": (second_file, 16, 3),
    "legend": (lambda pair: replace(pair, legend=Legend(lesion_level=("0",))), 16, 3),
    "bits": (lambda pair: replace(pair, bits=12), 16, 3),
    "turned mask": (lambda pair: replace(pair, turn_mask=True), 16, 3),
    "size": (lambda pair: pair, 17, 3),
    "channels": (lambda pair: pair, 16, 1),
}


@pytest.mark.parametrize("what", CHANGES)
def test_whatever_changes_is_decoded_anew(pairs, folder, decoded, what):
    change, size, channels = CHANGES[what]
    kept = Kept(folder)
    kept(pairs[0], 16, 3)
    changed = change(pairs[0])
    for _ in range(2):
        assert same(kept(changed, size, channels), load_pair(changed, size, channels))
    assert decoded == ["a", "a"]


def test_other_code_or_libraries_decode_anew(pairs, folder, decoded, monkeypatch):
    Kept(folder)(pairs[0], 16)
    cache._code.cache_clear()
    monkeypatch.setattr("lesion.inputs.cache.metadata.version", lambda name: "0")
    Kept(folder)(pairs[0], 16)
    cache._code.cache_clear()
    assert decoded == ["a", "a"]


def test_shapes_of_an_annotation_tool_are_compared_by_what_they_cover(pairs, folder, decoded):
    def annotated(column):
        def draw(height, width):
            return np.eye(width, dtype=np.uint8)[[column] * height]

        annotation = Annotation(pairs[0].mask, (Shape("lesion", draw),), "a.png")
        return replace(pairs[0], annotation=annotation)

    kept = Kept(folder)
    for column in (0, 0, 1, 1):  # each time read anew from its file, as by another process
        assert same(kept(annotated(column), 40), load_pair(annotated(column), 40))
    assert decoded == ["a", "a"]


def test_a_picture_that_is_replaced_while_it_is_read_is_not_kept(pairs, folder, monkeypatch):
    def replaced_meanwhile(pair, *more):
        loaded = load_pair(pair, *more)
        rewrite_picture(pair)
        return loaded

    monkeypatch.setattr(cache, "load_pair", replaced_meanwhile)
    Kept(folder)(pairs[0], 16)
    assert entries(folder) == []


# --- damage -------------------------------------------------------------------------------------


def flip(content):
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]


def as_file(save):
    def damaged(content, tmp_path):
        with (tmp_path / "other").open("wb") as file:
            save(file)
        return (tmp_path / "other").read_bytes()

    return damaged


SMALL = np.zeros((2, 2, 3), np.uint8)
DAMAGES = {
    "empty": lambda content, _: b"",
    "zeros": lambda content, _: bytes(len(content)),
    "half": lambda content, _: content[: len(content) // 2],
    "one bit": lambda content, _: flip(content),
    "text": lambda content, _: b"no entry",
    "array": as_file(lambda file: np.save(file, SMALL)),
    "other size": as_file(lambda file: np.savez(file, picture=SMALL, mask=SMALL[..., :1])),
    "no mask": as_file(lambda file: np.savez(file, picture=SMALL)),
    "objects": as_file(lambda file: np.savez(file, picture=np.array([{}]), mask=np.array([{}]))),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_entry_is_decoded_anew_and_replaced(pairs, folder, tmp_path, decoded, damage):
    truth = Kept(folder)(pairs[0], 16)
    (entry,) = entries(folder)
    content = entry.read_bytes()
    entry.write_bytes(DAMAGES[damage](content, tmp_path))
    for _ in range(2):
        assert same(Kept(folder)(pairs[0], 16), truth)
    assert decoded == ["a", "a"]
    assert entry.stat().st_size == len(content)


def test_the_readers_line_is_the_same(pairs, folder):
    kept = Kept(folder)
    kept(pairs[0], 16)
    pairs[0].image.unlink()
    with pytest.raises(FileNotFoundError, match=r"a\.png: no such file; check the path"):
        kept(pairs[0], 16)
    pairs[1].mask.write_bytes(b"")
    with pytest.raises(ValueError, match="the file is empty"):
        kept(pairs[1], 16)


# --- many at once -------------------------------------------------------------------------------

WORKER = """
import json, random, sys
from pathlib import Path
from lesion.inputs.cache import Kept
from lesion.inputs.pairing import Pair
from lesion.inputs.reading import load_pair

folder, seed, rounds, files = json.loads(sys.argv[1])
pairs = [Pair(Path(image).stem, Path(image), Path(mask)) for image, mask in files]
truths = [load_pair(pair, 64) for pair in pairs]
kept, chance = Kept(Path(folder)), random.Random(seed)
print("ready", flush=True)
for _ in range(rounds):
    index = chance.randrange(len(pairs))
    if chance.random() < 0.3:  # what is there is written again and again
        kept._path(pairs[index], 64, 3).unlink(missing_ok=True)
    found = kept(pairs[index], 64)
    if any(a.tobytes() != b.tobytes() for a, b in zip(found, truths[index], strict=True)):
        sys.exit("another array")
"""


def test_processes_that_write_the_same_entries_and_are_killed_never_give_a_wrong_one(
    pairs, folder, capfd
):
    def start(seed, rounds):
        files = [(str(pair.image), str(pair.mask)) for pair in pairs]
        command = [sys.executable, "-c", WORKER, json.dumps([str(folder), seed, rounds, files])]
        return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)

    endless = [start(seed, 10**9) for seed in range(2)]
    bounded = [start(seed, 400) for seed in range(2, 4)]
    for process in endless + bounded:
        assert process.stdout.readline() == "ready\n"
    time.sleep(0.3)
    for process in endless:
        assert process.poll() is None
        process.kill()
        process.wait()
    for process in bounded:
        rest, _ = process.communicate(timeout=120)
        assert process.returncode == 0
        assert rest == ""  # no note, so nothing failed
    for pair in pairs:
        assert same(Kept(folder)(pair, 64), load_pair(pair, 64))


# --- bounds -------------------------------------------------------------------------------------


@pytest.fixture
def one_part(monkeypatch):
    """All entries in a row, so that a small cache is filled to the last one."""
    monkeypatch.setattr(cache, "PARTS", 1)


ENTRY = 16 * 16 * 4 + OVERHEAD


def test_what_is_there_stays_and_the_rest_is_decoded(pairs, folder, decoded, capsys, one_part,
                                                     monkeypatch):  # fmt: skip
    monkeypatch.setattr(Kept, "_path", in_one_part(Kept._path))
    kept = Kept(folder, 3 * ENTRY)
    for _ in range(3):
        for pair in pairs:
            assert same(kept(pair, 16), load_pair(pair, 16))
    assert decoded == [*"abcdefgh", *"defgh", *"defgh"]
    assert len(entries(folder)) == 3
    assert sum(path.stat().st_blocks * 512 for path in entries(folder)) <= 3 * ENTRY
    assert capsys.readouterr().out.count("no room for all of this set") == 1


def in_one_part(path_of):
    def path(self, *what):
        found = path_of(self, *what)
        return found and self.folder / "00" / found.name

    return path


def test_what_nobody_used_for_a_day_makes_room_the_longest_unused_first(
    pairs, folder, one_part, monkeypatch
):
    monkeypatch.setattr(Kept, "_path", in_one_part(Kept._path))
    kept = Kept(folder, 3 * ENTRY)
    paths = [kept._path(pair, 16, 3) for pair in pairs]
    for pair in pairs[:3]:
        kept(pair, 16)
    age(paths[0], STAYS + 20)
    age(paths[1], STAYS + 30)
    age(paths[2], STAYS + 10)
    kept(pairs[0], 16)  # used again
    kept(pairs[3], 16)
    assert entries(folder) == sorted([paths[0], paths[2], paths[3]])
    kept(pairs[4], 16)
    assert entries(folder) == sorted([paths[0], paths[3], paths[4]])
    kept(pairs[5], 16)
    assert entries(folder) == sorted([paths[0], paths[3], paths[4]])


def test_what_a_killed_process_left_counts_and_goes(pairs, folder, one_part, monkeypatch):
    monkeypatch.setattr(Kept, "_path", in_one_part(Kept._path))
    (folder / "00").mkdir()
    left = folder / "00" / f".{'0' * 32}.{ENTRY}"
    left.touch()
    kept = Kept(folder, ENTRY)
    kept(pairs[0], 16)
    assert entries(folder) == [left]
    age(left, STAYS + 1)
    kept = Kept(folder, ENTRY)
    kept(pairs[0], 16)
    assert entries(folder) == [kept._path(pairs[0], 16, 3)]


def test_half_of_the_free_disk_stays_free(pairs, folder, monkeypatch, decoded):
    disk = 6 * PARTS * ENTRY  # with nothing else on it

    def usage(path):
        taken = sum(int(entry.name.rpartition(".")[2]) for entry in entries(folder))
        return shutil._ntuple_diskusage(disk, taken, disk - taken * PARTS)

    monkeypatch.setattr("lesion.inputs.cache.shutil.disk_usage", usage)
    monkeypatch.setattr(Kept, "_path", in_one_part(Kept._path))
    kept = Kept(folder)
    for pair in pairs * 2:
        kept(pair, 16)
    assert len(entries(folder)) == 3


# --- never the reason that a training fails -----------------------------------------------------


@pytest.mark.parametrize("place", ["file", "below a file", "/proc"])
def test_where_no_folder_can_be_training_goes_on(pairs, tmp_path, monkeypatch, capsys, place):
    (tmp_path / "file").touch()
    if place == "file":
        (tmp_path / "a").mkdir()
        (tmp_path / "a" / "decoded").touch()
    folder = {"file": tmp_path / "a", "below a file": tmp_path / "file", "/proc": "/proc/1/a"}[
        place
    ]
    monkeypatch.setenv("LESION_CACHE", str(folder))
    monkeypatch.setattr(data, "KEPT_BYTES", 0)
    for dataset in (data.TrainingData(pairs, 16, 2), data.ValidationData(pairs, 16, 2)):
        for _ in range(2):
            assert sum(len(x) for x, _ in epoch(dataset)) == 8
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 1
    assert lines[0].startswith(f"note: {folder}")
    assert "cannot be written (" in lines[0]
    assert "LESION_CACHE names another folder" in lines[0]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_may_only_be_read_is_read(pairs, folder, decoded, capsys):
    kept = Kept(folder)
    for pair in pairs[:4]:
        kept(pair, 16)
    for path in (folder, *folder.iterdir()):
        path.chmod(0o500)
    for pair in pairs:
        assert same(Kept(folder)(pair, 16), load_pair(pair, 16))
    assert decoded == list("abcdefgh")
    assert capsys.readouterr().out.count("Permission denied") == 1


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EROFS])
def test_a_full_disk_or_quota_gets_its_room_back(pairs, folder, monkeypatch, capsys, number):
    kept, save, foreign = Kept(folder), np.savez, folder / "mine" / "notes.txt"
    foreign.parent.mkdir(parents=True)
    foreign.touch()

    def fill(file, **arrays):
        save(file, **arrays)
        if len(entries(folder)) > 4:
            raise OSError(number, os.strerror(number))

    monkeypatch.setattr("numpy.savez", fill)
    for _ in range(2):
        for pair in pairs:
            assert same(kept(pair, 16), load_pair(pair, 16))
    assert foreign.exists()
    foreign.unlink()
    assert len(entries(folder)) == (4 if number == errno.EROFS else 0)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 1
    assert f"cannot be written ({os.strerror(number)})" in lines[0]
