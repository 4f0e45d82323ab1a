"""Measure whether the data pipeline keeps up with the network, and what memory it takes.

    python -m benchmarks.pipeline --data DIR            # pictures per second, side by side
    python -m benchmarks.pipeline --data DIR --memory   # peak memory, 1,000 and all
    python -m benchmarks.pipeline --data DIR --cache    # what decoded pictures on disk save

DIR is a folder of pictures and masks. Speed: decoding and augmentation (batches of 16, 128 x 128)
against training steps of the lean network on a batch that is already in memory, in turns, so that
both see the same machine. Memory: one short epoch at 64 x 64 in a fresh process for each size.
Cache: pictures read at 192 x 192 without it, for the first time with it and again, in turns; then
the processor time, which other programs hardly change, of augmented batches without and with it and
of a training step of the lite network.
"""

import argparse
import itertools
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
BATCH_SIZE = 16
ROUNDS = 5


def compiled_model(size, name="lean"):
    from unet import build

    model = build(name, (size, size, 3))
    model.compile("adam", "binary_crossentropy")
    return model


def pictures_per_second(work, seconds):
    """Call `work` until `seconds` are over; each call handles one batch."""
    start, batches = time.perf_counter(), 0
    while (passed := time.perf_counter() - start) < seconds:
        work()
        batches += 1
    return batches * BATCH_SIZE / passed


def feeding_rate(dataset, seconds):
    """Pictures per second that the dataset yields once its buffers are running."""
    batches = itertools.chain.from_iterable(itertools.repeat(dataset))
    next(batches)
    return pictures_per_second(lambda: next(batches), seconds)


def measure_speed(pairs, seconds):
    from data import TrainingData

    dataset = TrainingData(pairs, 128, BATCH_SIZE)
    model = compiled_model(128)
    x, y = next(iter(dataset))
    model.train_on_batch(x, y)  # traces the step
    ratios = []
    for number in range(1, ROUNDS + 1):
        fed = feeding_rate(dataset, seconds)
        trained = pictures_per_second(lambda: model.train_on_batch(x, y), seconds)
        ratios.append(fed / trained)
        print(
            f"round {number}: pipeline {fed:6.1f} pictures/s, training {trained:6.1f} pictures/s, "
            f"ratio {ratios[-1]:.1f}",
            flush=True,
        )
    print(f"median ratio {statistics.median(ratios):.1f} (wanted: at least 3)")


def train_once(pairs):
    """Train one epoch and print the peak resident memory of this process in MB."""
    from data import TrainingData

    dataset = TrainingData(pairs, 64, BATCH_SIZE)
    compiled_model(64).fit(dataset, epochs=1, verbose=0, shuffle=False)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(peak / (1024 * 1024 if sys.platform == "darwin" else 1024))


def measure_memory(directory, counts):
    peaks = []
    for count in counts:
        start = time.perf_counter()
        command = [
            sys.executable,
            "-m",
            "benchmarks.pipeline",
            "--data",
            str(directory),
            "--train-on",
            str(count),
        ]
        output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        peaks.append(float(output.split()[-1]))
        took = time.perf_counter() - start
        print(f"{count:6,} pictures: peak {peaks[-1]:.0f} MB ({took:.0f} s)", flush=True)
    print(f"ratio {peaks[-1] / peaks[0]:.3f} (wanted: at most 1.2)")


def measure_cache(pairs):
    """Print pictures per second without, with a new and with a filled cache."""
    import data

    data.KEPT_BYTES = 0  # as if the set were too large for the memory
    size, median = 192, statistics.median
    model = compiled_model(size, "lite")
    with tempfile.TemporaryDirectory() as parent:
        rates = {"without": [], "first epoch": [], "later": []}
        for number in range(ROUNDS):
            for name, column in rates.items():
                os.environ["LESION_CACHE"] = f"{parent}/{number}" if name != "without" else ""
                start = time.perf_counter()
                for _ in data.ValidationData(pairs, size, BATCH_SIZE):
                    pass
                column.append(len(pairs) / (time.perf_counter() - start))
        print(f"{len(pairs):,} pictures at {size} x {size}, read alone, pictures/s (medians):")
        for name, column in rates.items():
            ratios = [own / plain for own, plain in zip(column, rates["without"], strict=True)]
            print(f"  {name:12} {median(column):7.1f}, {median(ratios):.2f} times as many")
        costs = {}
        for name in ("without", "later"):
            os.environ["LESION_CACHE"] = f"{parent}/0" if name == "later" else ""
            epochs = itertools.repeat(data.TrainingData(pairs, size, BATCH_SIZE))
            feed = itertools.chain.from_iterable(epochs)
            batch = next(feed)
            costs[f"feed {name}"] = processor_seconds(lambda feed=feed: next(feed), 40)
        model.train_on_batch(*batch)  # traces the step
        costs["training step"] = processor_seconds(lambda: model.train_on_batch(*batch), 10)
    print("training of the lite network, processor time a picture:")
    for name, cost in costs.items():
        share = cost / costs["training step"]
        print(f"  {name:13} {1000 * cost:6.1f} ms, {share:.1%} of the step")


def processor_seconds(work, batches):
    """Call `work` for each of some batches; return its processor time a picture."""
    start = time.process_time()
    for _ in range(batches):
        work()
    return (time.process_time() - start) / (batches * BATCH_SIZE)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, metavar="DIR")
    parser.add_argument("--memory", action="store_true", help="measure memory instead of speed")
    parser.add_argument("--cache", action="store_true", help="measure decoded pictures on disk")
    parser.add_argument("--seconds", type=float, default=4, help="of each measurement (4)")
    parser.add_argument("--train-on", type=int, help=argparse.SUPPRESS)  # what the children run
    arguments = parser.parse_args()

    from lesion.inputs.pairing import find_pairs

    pairs = find_pairs(arguments.data).labelled
    if arguments.train_on:
        train_once(pairs[: arguments.train_on])
    elif arguments.memory:
        measure_memory(arguments.data, (min(1000, len(pairs)), len(pairs)))
    elif arguments.cache:
        measure_cache(pairs)
    else:
        measure_speed(pairs, arguments.seconds)


if __name__ == "__main__":
    main()
