"""Kill -9 at random moments, two processes at once, and a long run.

All that a killed process has written is looked at after each kill.
"""

import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from shutil import copytree

import numpy as np
import pytest
from PIL import Image

from lesion.predict.files import predict_files
from lesion.predict.network import load_network
from lesion.runs import LOCK
from lesion.storage import TEMPORARY, read_table
from segment import main

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]
KILLS = 10
PATIENCE = 120  # seconds that a child may take for anything
GROWTH = 20 * 2**20  # bytes that 400 predictions may add: less than their pictures have

NAMING = """
import sys
from lesion.runs import create_run_folder

print("ready", flush=True)
sys.stdin.readline()
print([str(create_run_folder(sys.argv[1], "lean")) for _ in range(50)], flush=True)
sys.stdin.readline()
"""

CLAIMING = """
import sys, time
from pathlib import Path
from lesion.runs import claim_folder

print("ready", flush=True)
start, won = float(sys.stdin.readline()), []
for number in range(50):
    while time.time() < start + number * 0.01:
        pass
    try:
        won.append(str(claim_folder(Path(sys.argv[1]) / str(number))))
    except ValueError:
        pass
print(won, flush=True)
sys.stdin.readline()
"""


@contextmanager
def child(*command):
    """A child process; killed at the end, if it still runs."""
    with subprocess.Popen(
        [sys.executable, *map(str, command)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def tell(process, line="go"):
    process.stdin.write(f"{line}\n")
    process.stdin.flush()


@pytest.fixture(scope="module")
def work():
    """Begin a function of killable.py in a process of its own; returns a `Work`."""
    with child(ROOT / "tests" / "killable.py") as server:

        def begin(*words):
            tell(server, json.dumps([str(word) for word in words]))
            return Work(server, int(server.stdout.readline()))

        yield begin


@dataclass
class Work:
    """A process that works until it ends or is killed."""

    server: subprocess.Popen
    number: int

    def exit_code(self):
        """Wait for its end."""
        return int(self.server.stdout.readline())

    def kill_once(self, condition, delay):
        """Kill it `delay` seconds after a condition has become true."""
        deadline = time.monotonic() + PATIENCE
        try:
            while not condition():
                assert time.monotonic() < deadline, "it shows no sign of life"
                time.sleep(0.002)
            time.sleep(delay)
        finally:
            os.kill(self.number, signal.SIGKILL)
        assert self.exit_code() == -signal.SIGKILL, "it ended before it was killed"


def state(path):
    return (path.stat().st_ino, path.stat().st_mtime_ns) if path.exists() else None


def kill_once_written(process, path, delay):
    """Kill it `delay` seconds after it has written `path` anew."""
    before = state(path)
    process.kill_once(lambda: state(path) != before, delay)


def check_whole(directory):
    """Opens every file of a folder that carries its final name."""
    for path in directory.rglob("*"):
        if path.is_dir() or "tensorboard" in path.parts:
            continue
        if path.name.startswith("."):
            assert path.name == LOCK or TEMPORARY.fullmatch(path.name), path
        elif path.suffix == ".csv":
            rows = read_table(path)
            assert rows, path
            assert all(None not in row and None not in row.values() for row in rows), path
        elif path.suffix == ".json":
            json.loads(path.read_text(encoding="utf-8"))
        elif path.suffix == ".npz":
            with np.load(path, allow_pickle=False) as file:
                assert all(file[name] is not None for name in file)
        elif path.suffix == ".keras":
            load_network(path)
        elif path.suffix in (".png", ".jpg", ".webp"):
            with Image.open(path) as picture:
                picture.load()
        elif path.suffix == ".html":
            assert path.read_text(encoding="utf-8").rstrip().endswith("</html>")
        else:
            raise AssertionError(f"{path}: an unknown file")


def hashes(directory):
    return {
        path: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in directory.rglob("*")
        if path.is_file()
    }


def test_a_training_killed_ten_times_ends_like_one_that_was_not(
    work, drawn_folder, trained, tmp_path
):
    """SIGKILL to `segment.py train --resume`, up to 0.3 s after an epoch's history.csv.

    The network is a small one, and a checkpoint is written after every epoch.
    """
    moments = random.Random(1)
    earlier = copytree(trained, tmp_path / "earlier")
    before = hashes(earlier)
    command = ["train", "--data", drawn_folder, "--epochs", 60, "--size", 32, "--resume", "--out"]
    run, undisturbed = tmp_path / "killed", tmp_path / "undisturbed"
    assert work(*command, undisturbed).exit_code() == 0
    histories = []
    for _ in range(KILLS):
        kill_once_written(work(*command, run), run / "history.csv", moments.uniform(0, 0.3))
        check_whole(run)
        assert hashes(earlier) == before
        histories.append((run / "history.csv").read_bytes())
    assert not (run / "model.keras").exists()
    assert work(*command, run).exit_code() == 0
    check_whole(run)
    assert hashes(earlier) == before
    for name in ("history.csv", "scores.csv"):
        assert (run / name).read_bytes() == (undisturbed / name).read_bytes()
    expected = (undisturbed / "history.csv").read_bytes()
    assert all(expected.startswith(history) for history in histories)


def test_a_training_killed_before_its_first_epoch_can_be_resumed(
    narrow, drawn_folder, tmp_path, capsys
):
    """Stopped where split.json is there and the file after it has not got its name yet."""
    out = tmp_path / "run"
    command = ["train", "--data", drawn_folder, "--epochs", 1, "--size", 32, "--out", out]
    command = [str(word) for word in command]

    def stop(*arguments):
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("lesion.workflow.write_json", stop)
        assert main(command) == 130
    assert [path.name for path in out.iterdir()] == ["split.json"]
    (out / f".{'0f' * 16}.json").write_text("{")
    assert main(command) == 2  # never without being asked to
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("lesion.workflow.TrainingData", stop)
        assert main([*command, "--resume"]) == 130, capsys.readouterr().err
    assert (out / "parameters.json").is_file()
    check_whole(out)


def test_weights_killed_while_they_are_saved_are_whole(work, tmp_path):
    """SIGKILL to a loop of `save_model` over the same file, up to 0.4 s after it was written."""
    moments = random.Random(2)
    weights = tmp_path / "model.keras"
    for _ in range(KILLS):
        kill_once_written(work("save", weights), weights, moments.uniform(0, 0.4))
        check_whole(tmp_path)


def test_masks_killed_while_they_are_written_are_whole(work, drawn_folder, tmp_path):
    """SIGKILL to a loop of `predict_files` into a folder, up to 0.4 s after its first mask."""
    moments = random.Random(3)
    for number in range(KILLS):
        out = tmp_path / str(number)
        out.mkdir()
        process = work("predict", drawn_folder / "image", out)
        process.kill_once(lambda out=out: any(out.glob("*_mask.png")), moments.uniform(0, 0.4))
        check_whole(out)


def at_once(script, directory):
    """Two children told when to go; returns the list of paths that each prints."""
    with (
        child("-c", script, directory) as first,
        child("-c", script, directory) as second,
    ):
        for process in (first, second):
            assert process.stdout.readline() == "ready\n"
        start = time.time() + 0.2
        for process in (first, second):
            tell(process, start)
        answers = [process.stdout.readline() for process in (first, second)]
        assert all(answers)
        return [json.loads(answer.replace("'", '"')) for answer in answers]


def test_trainings_begun_in_the_same_second_get_folders_of_their_own(tmp_path):
    first, second = at_once(NAMING, tmp_path / "runs")
    assert len(first) == len(second) == 50
    assert len({*first, *second}) == 100
    assert all(Path(path).is_dir() for path in (*first, *second))


def test_a_new_folder_is_claimed_by_one_process_only(tmp_path):
    first, second = at_once(CLAIMING, tmp_path)
    assert not {*first} & {*second}
    assert len({*first, *second}) == 50


def resident_bytes():
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="reads memory use from /proc")
def test_hundreds_of_predictions_do_not_add_up_in_memory(trained, drawn_folder, tmp_path):
    network = load_network(trained / "model.keras")
    images = []
    for source in (drawn_folder / "image").iterdir():
        images.append(tmp_path / source.name)
        with Image.open(source) as picture:
            picture.resize((160, 160)).save(images[-1])
    for number in range(500):
        if number == 100:
            before = resident_bytes()
        predict_files(network, [images[number % len(images)]], tmp_path)
    assert resident_bytes() - before < GROWTH
