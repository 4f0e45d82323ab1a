"""Kill -9 at random moments, two processes at once, and a long run.

A child is started ahead of its turn and waits until it is told to go, so that the slow imports of
several children overlap. All that a child writes is looked at after each kill.
"""

import hashlib
import json
import os
import random
import subprocess
import sys
import time
from collections import deque
from contextlib import contextmanager
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
GROWTH = 20 * 2**20  # bytes that 1,800 predictions may add

TRAINING = """
import sys
from lesion.startup import start_keras
start_keras()
import keras
from lesion import callbacks, workflow
from segment import main

def build(name, shape):  # soon compiled, and large enough that a checkpoint takes a while to write
    return keras.Sequential([
        keras.layers.Input(shape),
        keras.layers.Conv2D(32, 8, strides=8, activation="relu"),
        keras.layers.Conv2D(256, 3, padding="same", activation="relu"),
        keras.layers.Conv2D(64, 3, padding="same", activation="relu"),
        keras.layers.UpSampling2D(8, interpolation="bilinear"),
        keras.layers.Conv2D(1, 3, padding="same", activation="sigmoid"),
    ], name="unet_lean")

workflow.build = build
workflow.PATIENCE = 1  # never ends early
callbacks.CHECKPOINT_SECONDS = 0
sys.stdin.readline() or sys.exit("nobody is waiting")
sys.exit(main(sys.argv[1:]))
"""

SAVING = """
import sys
from itertools import count
from pathlib import Path
from lesion.startup import start_keras
start_keras()
from lesion.training import save_model
from unet import build

model = build("lean", (32, 32, 3))
sys.stdin.readline() or sys.exit("nobody is waiting")
for number in count():
    save_model(model, Path(sys.argv[1]), {"threshold": 0.5, "number": number})
"""

# No TensorFlow in here: a process that has begun to use it cannot be forked.
PREDICTING = """
import os, sys
from pathlib import Path
from lesion.predict.network import Network
from lesion.predict.files import predict_files

class Brightness:
    input_shape = (None, 32, 32, 3)
    def predict_on_batch(self, inputs):
        return 1 - inputs.mean(axis=-1, keepdims=True)

images = sorted(Path(sys.argv[1]).iterdir())
for line in sys.stdin:
    child = os.fork()
    if child == 0:
        while True:
            predict_files(Network(Brightness(), 32), images, Path(line.strip()))
    print(child, flush=True)
    os.waitpid(child, 0)
    print("ended", flush=True)
"""

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
def child(script, *arguments, output=subprocess.DEVNULL):
    """A child process with `script`; killed at the end, if it still runs."""
    command = [sys.executable, "-c", script, *map(str, arguments)]
    with subprocess.Popen(
        command,
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=output,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def tell(process, word="go"):
    process.stdin.write(f"{word}\n")
    process.stdin.flush()


def children(script, *arguments):
    """Endless children, told to go one after the other; the next one imports meanwhile."""
    waiting = deque()
    try:
        while True:
            while len(waiting) < 2:
                context = child(script, *arguments)
                waiting.append((context, context.__enter__()))
            context, process = waiting.popleft()
            try:
                tell(process)
                yield process
            finally:
                context.__exit__(None, None, None)
    finally:
        for context, _ in waiting:
            context.__exit__(None, None, None)


def state(path):
    return (path.stat().st_ino, path.stat().st_mtime_ns) if path.exists() else None


def wait_for(condition, process):
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert process.poll() is None, "the child ended before it was killed"
        assert time.monotonic() < deadline, "the child shows no sign of life"
        time.sleep(0.002)


def kill_once_written(process, path, delay):
    """Kills a child `delay` seconds after it has written `path` anew."""
    before = state(path)
    wait_for(lambda: state(path) != before, process)
    time.sleep(delay)
    assert process.poll() is None, "the child ended before it was killed"
    process.kill()
    process.wait()


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
        elif path.suffix == ".png":
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


def test_a_training_killed_ten_times_ends_like_one_that_was_not(drawn_folder, trained, tmp_path):
    """SIGKILL to `segment.py train --resume`, up to 0.3 s after an epoch's history.csv.

    The network is a small one, and a checkpoint is written after every epoch.
    """
    moments = random.Random(1)
    earlier = copytree(trained, tmp_path / "earlier")
    before = hashes(earlier)
    command = ["train", "--data", drawn_folder, "--epochs", 60, "--size", 32, "--resume", "--out"]
    run, undisturbed = tmp_path / "killed", tmp_path / "undisturbed"
    histories = []
    with child(TRAINING, *command, undisturbed) as reference:
        tell(reference)
        processes = children(TRAINING, *command, run)
        for _ in range(KILLS):
            kill_once_written(next(processes), run / "history.csv", moments.uniform(0, 0.3))
            check_whole(run)
            assert hashes(earlier) == before
            histories.append((run / "history.csv").read_bytes())
        assert not (run / "model.keras").exists()
        assert next(processes).wait(PATIENCE) == 0
        processes.close()
        assert reference.wait(PATIENCE) == 0
    check_whole(run)
    assert hashes(earlier) == before
    for name in ("history.csv", "scores.csv"):
        assert (run / name).read_bytes() == (undisturbed / name).read_bytes()
    expected = (undisturbed / "history.csv").read_bytes()
    assert all(expected.startswith(history) for history in histories)


def test_a_training_killed_before_its_first_epoch_can_be_resumed(drawn_folder, tmp_path, capsys):
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
        patch.setattr("lesion.workflow.make_training_dataset", stop)
        assert main([*command, "--resume"]) == 130, capsys.readouterr().err
    assert (out / "parameters.json").is_file()
    check_whole(out)


def test_weights_killed_while_they_are_saved_are_whole(tmp_path):
    """SIGKILL to a loop of `save_model` over the same file, up to 0.4 s after it was written."""
    moments = random.Random(2)
    weights = tmp_path / "model.keras"
    processes = children(SAVING, weights)
    for _ in range(KILLS):
        kill_once_written(next(processes), weights, moments.uniform(0, 0.4))
        check_whole(tmp_path)
    processes.close()


def test_masks_killed_while_they_are_written_are_whole(drawn_folder, tmp_path):
    """SIGKILL to a loop of `predict_files` into a folder, up to 0.4 s after its first mask."""
    moments = random.Random(3)
    with child(PREDICTING, drawn_folder / "image", output=subprocess.PIPE) as server:
        for number in range(KILLS):
            out = tmp_path / str(number)
            out.mkdir()
            tell(server, out)
            worker = int(server.stdout.readline())
            try:
                wait_for(lambda out=out: any(out.glob("*_mask.png")), server)
                time.sleep(moments.uniform(0, 0.4))
            finally:
                os.kill(worker, 9)
            assert server.stdout.readline() == "ended\n"
            check_whole(out)


def at_once(script, directory):
    """Two children told when to go; returns the list of paths that each prints."""
    with (
        child(script, directory, output=subprocess.PIPE) as first,
        child(script, directory, output=subprocess.PIPE) as second,
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
def test_two_thousand_predictions_do_not_add_up_in_memory(trained, drawn_folder, tmp_path):
    network = load_network(trained / "model.keras")
    images = sorted((drawn_folder / "image").iterdir())
    for number in range(2000):
        if number == 200:
            before = resident_bytes()
        predict_files(network, [images[number % len(images)]], tmp_path)
    assert resident_bytes() - before < GROWTH
