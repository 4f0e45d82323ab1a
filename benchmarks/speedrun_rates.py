"""How fast things run: the sections predict and efficiency of `speedrun.py`."""

import itertools
import statistics
import subprocess
import sys
import tempfile
import time
from math import prod
from pathlib import Path

import numpy as np
from keras import layers, ops

from benchmarks.speedrun_clock import CLASSIC_SIZE, Task, compiled_lean, random_batch, step_seconds
from lesion.console import InputError
from lesion.inputs.pairing import find_parts
from lesion.inputs.reading import read_image
from lesion.predict.network import Network, load_network
from unet import build

ROOT = Path(__file__).resolve().parents[1]
ROUNDS = 3
PICTURES, CLASSIC_PICTURES = 64, 4
COLD_STARTS = 3
SIZE, BATCH = 128, 16
STEPS_A_ROUND, PRODUCTS_A_ROUND = 5, 10
MATRIX = 2048  # rows and columns


def seconds_of(work):
    """Seconds that one call takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


# ---------------------------------------------------------------------------------- prediction


def one_at_a_time(network, pictures):
    """Predict as for somebody who gives one picture after the other."""
    return [network.predict(picture) for picture in pictures]


def all_at_once(network, pictures):
    """Predict as for somebody who gives a folder."""
    return list(network.predict_many(pictures))


def predict(data, weights):
    """Pictures a second against the classic network, and what one picture takes from the shell."""
    network = load_network(weights)
    files = [pair.image for folder in find_parts(data).values() for pair in folder.pairs]
    if not files:
        raise InputError(f"{data}: holds no picture: name a folder with some")
    pictures = [read_image(file, network.channels) for file in files[:PICTURES]]
    classic = build("classic", (CLASSIC_SIZE, CLASSIC_SIZE, network.channels))
    contenders = {
        "pictures/s": (network, pictures),
        "classic pictures/s": (Network(classic, CLASSIC_SIZE), pictures[:CLASSIC_PICTURES]),
    }
    rows = []
    for way in (one_at_a_time, all_at_once):
        rates = {name: [] for name in contenders}
        for turn in range(ROUNDS + 1):  # in turns, so that all see the same machine
            for name, (contender, some) in contenders.items():
                seconds = seconds_of(lambda c=contender, s=some, way=way: way(c, s))
                if turn:  # the first one builds the graph
                    rates[name].append(len(some) / seconds)
        row = {name: statistics.median(values) for name, values in rates.items()}
        ratios = [ours / other for ours, other in zip(*rates.values(), strict=True)]
        words = way.__name__.replace("_", " ")
        rows.append({"pictures given": words, **row, "ratio": statistics.median(ratios)})
    return {
        "weights": str(weights),
        "pictures": len(pictures),
        "median size of a picture": median_size(pictures),
        "rates": rows,
        **cold_starts(files[0], weights),
    }


def median_size(pictures):
    """Height x width, each the median, in words."""
    height, width = np.median([picture.shape[:2] for picture in pictures], axis=0)
    return f"{height:g} x {width:g}"


def cold_starts(picture, weights):
    """Seconds from typing `segment.py predict` to the mask, and of importing TensorFlow alone."""
    seconds = {"predict": [], "import": []}
    with tempfile.TemporaryDirectory() as folder:
        for turn in range(COLD_STARTS):
            command = [ROOT / "segment.py", "predict", picture, "--weights", weights]
            commands = {
                "predict": [*command, "--out", f"{folder}/{turn}"],
                "import": ["-c", "import tensorflow"],
            }
            for name, words in commands.items():
                run = [sys.executable, *map(str, words)]
                seconds[name].append(
                    seconds_of(lambda run=run: subprocess.run(run, check=True, capture_output=True))
                )
    return {
        "cold start of segment.py predict, seconds": statistics.median(seconds["predict"]),
        "import tensorflow alone, seconds": statistics.median(seconds["import"]),
    }


# ---------------------------------------------------------------------------------- efficiency


def forward_flops(model):
    """Operations of one forward pass of one picture: two for each weight at each place it is used.

    Convolutions only (2 k k c_in c_out h w; by channel without c_out): the rest is small beside
    them, and left out in favour of nobody.
    """
    total = 0
    for layer in model.layers:
        if isinstance(layer, layers.Conv2DTranspose):
            places = layer.input.shape[1:3]
        elif isinstance(layer, (layers.Conv2D, layers.DepthwiseConv2D)):
            places = layer.output.shape[1:3]
        else:
            continue
        total += 2 * prod(layer.kernel.shape) * prod(places)
    return total


def efficiency():
    """The lean network's training against multiplying matrices, the most a machine can do."""
    task = Task([], SIZE, BATCH, channels=3, loss="bce_dice")
    model = compiled_lean(task, steps=ROUNDS * STEPS_A_ROUND)
    step_flops = 3 * forward_flops(model) * BATCH
    batches = itertools.repeat(random_batch(SIZE, BATCH, task.channels))
    matrix = ops.convert_to_tensor(np.random.default_rng(0).random((MATRIX, MATRIX), np.float32))

    def multiply():
        return float(ops.matmul(matrix, matrix)[0, 0])  # a number: no backend can put it off

    multiply()
    rows = []
    for _ in range(ROUNDS):  # in turns, so that both see the same machine
        step = statistics.median(step_seconds(model, batches, STEPS_A_ROUND))
        product = min(seconds_of(multiply) for _ in range(PRODUCTS_A_ROUND))
        training, peak = step_flops / step / 1e9, 2 * MATRIX**3 / product / 1e9
        row = {"training GFLOP/s": training, "matrix product GFLOP/s": peak}
        rows.append({**row, "share": training / peak})
    return {
        "GFLOP of a forward pass of one picture": forward_flops(model) / 1e9,
        "GFLOP of a training step, 3 forward passes a picture": step_flops / 1e9,
        "rounds": rows,
        "share, median": statistics.median(row["share"] for row in rows),
    }
