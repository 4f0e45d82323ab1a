"""How fast things run: the sections predict and efficiency of `speedrun.py`."""

import itertools
import statistics
import subprocess
import sys
import tempfile
import time
from functools import partial
from math import prod
from pathlib import Path

import numpy as np
from keras import layers, ops

from benchmarks.speedrun_clock import Task, compiled, random_batch, step_seconds
from lesion.console import InputError, usable_cores
from lesion.inputs.pairing import find_parts
from lesion.inputs.reading import read_image
from lesion.parallel import in_order
from lesion.predict.files import predict_files
from lesion.predict.network import load_network

ROOT = Path(__file__).resolve().parents[1]
ROUNDS = 3
PICTURES = 100
COLD_STARTS = 3
SIZE, BATCH = 128, 16
STEPS_A_ROUND, PRODUCTS_A_ROUND = 5, 10
MATRIX = 2048  # rows and columns


def seconds_of(work):
    """Seconds that one call takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def multiplied():
    """The rate at which float32 matrices are multiplied, GFLOP/s: the most a machine can do."""
    matrix = ops.convert_to_tensor(np.random.default_rng(0).random((MATRIX, MATRIX), np.float32))

    def multiply():
        return float(ops.matmul(matrix, matrix)[0, 0])  # a number: no backend can put it off

    multiply()
    return 2 * MATRIX**3 / min(seconds_of(multiply) for _ in range(PRODUCTS_A_ROUND)) / 1e9


def cost_of(work):
    """Seconds that one call takes by the clock, and seconds of all cores together."""
    spent, seconds = time.process_time(), seconds_of(work)
    return seconds, time.process_time() - spent


# ---------------------------------------------------------------------------------- prediction


def end_to_end(network, files):
    """What `segment.py predict` does: from picture files to masks, overlays and lesions.csv."""
    with tempfile.TemporaryDirectory() as folder:
        predict_files(network, files, folder)


def bare(network, files):
    """What no prediction can do without: decoding, and the network's four views."""
    for _ in in_order(lambda file: network.answer_to(read_image(file)), files):
        pass


def predict(data, weights):
    """Pictures a second, against those of the bare work; and one picture from the shell."""
    network = load_network(weights)
    files = [pair.image for folder in find_parts(data).values() for pair in folder.pairs]
    if not files:
        raise InputError(f"{data}: holds no picture: name a folder with some")
    files = files[:PICTURES]
    bare(network, files[:1])  # the first one builds the graph
    rows = []
    for _ in range(ROUNDS):  # in turns, so that all see the same machine
        wall, processor = zip(
            *(cost_of(partial(work, network, files)) for work in WAYS), strict=True
        )
        row = {}
        for work, seconds, spent in zip(WAYS, wall, processor, strict=True):
            name = work.__name__.replace("_", " ")
            row |= {f"{name}, pictures/s": len(files) / seconds}
            row |= {f"{name}, processor ms a picture": 1000 * spent / len(files)}
        row |= {"ratio": wall[0] / wall[1], "processor ratio": processor[0] / processor[1]}
        rows.append({**row, "matrix product GFLOP/s": multiplied()})
    return {
        "weights": str(weights),
        "pictures": len(files),
        "cores": usable_cores(),
        "median size of a picture": median_size(map(read_image, files)),
        "rounds": rows,
        "median": {key: statistics.median(row[key] for row in rows) for key in rows[0]},
        **cold_starts(files[0], weights),
    }


WAYS = (end_to_end, bare)


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
    model = compiled(task, steps=ROUNDS * STEPS_A_ROUND)
    step_flops = 3 * forward_flops(model) * BATCH
    batches = itertools.repeat(random_batch(SIZE, BATCH, task.channels))
    rows = []
    for _ in range(ROUNDS):  # in turns, so that both see the same machine
        step = statistics.median(step_seconds(model, batches, STEPS_A_ROUND))
        training, peak = step_flops / step / 1e9, multiplied()
        row = {"training GFLOP/s": training, "matrix product GFLOP/s": peak}
        rows.append({**row, "share": training / peak})
    return {
        "GFLOP of a forward pass of one picture": forward_flops(model) / 1e9,
        "GFLOP of a training step, 3 forward passes a picture": step_flops / 1e9,
        "rounds": rows,
        "share, median": statistics.median(row["share"] for row in rows),
    }
