"""The commands on JAX, on a machine that has no TensorFlow."""

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from lesion.storage import read_table

ROOT = Path(__file__).parents[2]
SCRIPT = Path(__file__).with_name("small_training.py")
MIXED = """
import runpy, sys, keras
keras.config.set_dtype_policy("mixed_bfloat16")
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(importlib.util.find_spec("jax") is None, reason="JAX is not installed"),
]


def run(*words, **variables):
    environment = {**os.environ, "KERAS_BACKEND": "jax", **variables}
    arguments = [str(word) for word in (sys.executable, *words)]
    result = subprocess.run(
        arguments, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


def test_trained_scored_and_predicted_without_tensorflow(drawn_folder, tmp_path):
    (tmp_path / "absent" / "tensorflow").mkdir(parents=True)
    (tmp_path / "absent" / "tensorflow" / "__init__.py").write_text("raise ImportError('absent')")
    variables = {"PYTHONPATH": f"{tmp_path / 'absent'}{os.pathsep}{ROOT}", "JAX_PLATFORMS": "cpu"}
    options = ["--data", drawn_folder, "--model", "lean", "--size", 32, "--epochs", 2]
    out = tmp_path / "run"
    run(SCRIPT, "train", *options, "--out", out, **variables)
    assert len(read_table(out / "history.csv")) == 2
    assert not (out / "tensorboard").exists()
    weights = ["--weights", out / "model.keras"]
    run(SCRIPT, "evaluate", "--data", drawn_folder, *weights, "--out", tmp_path / "s", **variables)
    first, second = (read_table(folder / "scores.csv") for folder in (out, tmp_path / "s"))
    assert [row["dice"] for row in second] == [row["dice"] for row in first]
    pictures = sorted((drawn_folder / "image").iterdir())[:2]
    run(SCRIPT, "predict", *pictures, *weights, "--out", tmp_path / "masks", **variables)
    assert len(list((tmp_path / "masks").glob("*_mask.png"))) == 2


@pytest.mark.skipif(shutil.which("nvidia-smi") is None, reason="there is no NVIDIA GPU")
def test_half_floats_on_a_gpu(drawn_folder, tmp_path):
    code = "import jax, sys; sys.exit(jax.default_backend() != 'gpu')"
    if subprocess.run([sys.executable, "-c", code], timeout=120).returncode:
        pytest.skip("JAX sees no GPU")
    options = ["--data", drawn_folder, "--model", "lean", "--size", 32, "--epochs", 2]
    words = "-c", MIXED, SCRIPT, "train", *options, "--out", tmp_path / "run"
    run(*words, PYTHONPATH=str(ROOT))
    assert all(0 < float(row["loss"]) < 10 for row in read_table(tmp_path / "run" / "history.csv"))
