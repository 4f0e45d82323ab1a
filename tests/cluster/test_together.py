"""A training by several processes is that of one; when one of them fails, all end in one line."""

import importlib.util
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from lesion import processes
from lesion.drawn.scene import write_pairs
from lesion.launcher import STOPPING
from lesion.storage import read_table

ROOT = Path(__file__).parents[2]
SCRIPT = Path(__file__).with_name("small_training.py")
VARIABLES = {name for pair in processes.VARIABLES for name in pair}
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(importlib.util.find_spec("jax") is None, reason="JAX is not installed"),
]


@pytest.fixture(scope="module")
def folder(shared_folder):
    return shared_folder("together", lambda path: write_pairs(17, path, size=32, first_seed=40))


@pytest.fixture(scope="module")
def alone(folder, shared_folder):
    """The run folder of a training by one process: 10 training and 5 validation pictures."""

    def train(out):
        result = finished(start(folder, out))
        assert result[0] == 0, result
        assert "10 pairs for training, 5 for validation, 2 for test" in result[1]

    return shared_folder("alone", train)


def start(folder, out, *more, **variables):
    options = ["--data", folder, "--model", "lean", "--size", 32, "--batch", 4, "--epochs", 3]
    shares = ["--validation", 0.3, "--test", 0.1, "--out", out]
    environment = {name: value for name, value in os.environ.items() if name not in VARIABLES}
    environment |= {"KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu", "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(
        [str(word) for word in (sys.executable, SCRIPT, "train", *options, *shares, *more)],
        cwd=ROOT,
        env=environment | variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finished(process):
    """Return (exit code, standard output, lines that tell an error) once a process has ended."""
    output, errors = process.communicate(timeout=300)
    assert "Traceback" not in errors, errors
    return process.returncode, output, [line for line in errors.splitlines() if "error" in line]


def history(out, names=""):
    rows = read_table(out / "history.csv")
    return np.array([[float(row[name]) for name in row if names in name] for row in rows])


def assert_nobody_left(out):
    """No process is left that has the folder on its command line."""
    texts = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            texts.append(path.read_bytes())
        except OSError:  # ended in the meantime
            continue
    assert not [text for text in texts if os.fsencode(out) in text]


@pytest.mark.parametrize("count", [2, 4])
def test_together_as_alone(folder, alone, tmp_path, count):
    out = tmp_path / "out"
    code, output, errors = finished(start(folder, out, "--processes", count))
    assert (code, errors) == (0, [])
    assert output.startswith("10 pairs for training")
    assert f"results are in {out}" in output
    assert {path.name for path in out.iterdir()} == {path.name for path in alone.iterdir()}
    # Four processes take the last two pictures of an epoch twice, which nothing but the mean over
    # the epoch shows; two divide them.
    names = "" if count == 2 else "val_"
    np.testing.assert_allclose(history(out, names), history(alone, names), rtol=2e-4)
    one, other = (read_table(run / "scores.csv") for run in (out, alone))
    assert [row["name"] for row in one] == [row["name"] for row in other]
    np.testing.assert_allclose([r["dice"] for r in one], [r["dice"] for r in other], atol=1e-2)
    assert_nobody_left(out)


def test_killed_and_gone_on_with_by_another_number(folder, alone, tmp_path):
    out = tmp_path / "out"
    code, _, errors = finished(start(folder, out, "--processes", 2, TEST_KILLED="1"))
    assert code == 2
    (line,) = errors
    assert "process 1 of 2 was killed (SIGKILL)" in line
    assert f"--resume --out {out}" in line
    assert_nobody_left(out)
    assert len(history(out)) == 2

    code, output, errors = finished(start(folder, out, "--resume"))
    assert (code, errors) == (0, [])
    assert "going on after epoch 2" in output
    np.testing.assert_allclose(history(out), history(alone), rtol=2e-4)


def test_started_by_others_and_one_lost(folder, tmp_path):
    """As mpirun starts them: each says for itself what it misses."""
    out, address = tmp_path / "out", f"127.0.0.1:{free_port()}"
    first, second = (
        start(
            folder,
            out,
            OMPI_COMM_WORLD_SIZE="2",
            OMPI_COMM_WORLD_RANK=str(index),
            TEST_KILLED="1",
            **{processes.ADDRESS: address},
        )
        for index in (0, 1)
    )
    assert second.wait(300) == -signal.SIGKILL
    code, output, (line,) = finished(first)
    assert code == 2
    assert "process 0 of 2 has lost the others" in line
    assert f"--resume --out {out}" in line
    assert output.count("pairs for training") == 1
    assert (out / "checkpoint.npz").is_file()


def test_interrupted(folder, tmp_path):
    out = tmp_path / "out"
    launcher = start(folder, out, "--processes", 2, "--epochs", 99999)
    for _ in range(1200):
        if (out / "history.csv").is_file() and len(history(out)) > 1:
            break
        time.sleep(0.1)
    launcher.send_signal(signal.SIGINT)
    asked = time.monotonic()
    code, _, errors = finished(launcher)
    assert time.monotonic() - asked < STOPPING  # it stopped, and was not killed
    assert (code, errors) == (130, [])
    assert (out / "checkpoint.npz").is_file()
    assert_nobody_left(out)


def test_nobody_else_comes(folder, tmp_path):
    first, second = (
        start(
            folder,
            tmp_path / f"out{index}",
            TEST_WAIT="5",
            **{
                processes.COUNT: "2",
                processes.INDEX: str(index),
                processes.ADDRESS: f"127.0.0.1:{free_port()}",  # of its own: they never meet
            },
        )
        for index in (0, 1)
    )
    for index, process in enumerate((first, second)):
        code, _, (line,) = finished(process)
        assert code == 2
        assert f"process {index} of 2: the others did not come within 5 s" in line


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]
