"""From what `scale.py` has measured to a plan: what results["planned"] pictures would take.

    serial_parts(results)   # seconds of what one process does alone
    simulated(results)      # the tables of failures.py

What is measured is taken from the results; everything else is an assumption, a constant here with
its source.
"""

import math

import numpy as np

from benchmarks import failures, scale_laws
from benchmarks.failures import Job
from lesion.callbacks import CHECKPOINT_SECONDS
from lesion.settings import Settings

EPOCHS = 11  # as `make weights` has; more pictures need no more passes
GPU_BATCH = 64  # pictures a step of one GPU
# EfficientNet-B0, the encoder's family, in training at 224 pixels and mixed precision on one V100
# of 32 GB: R. Wightman, gist.github.com/rwightman/bb59f9e245162cee0e38bd66bd8cd77f (2021).
# Our network is taken to run at the same rate of operations.
GPU, GPU_RATE = "V100 (32 GB)", 1557  # pictures/s
GPU_GFLOP = 2 * 0.39  # of a forward pass of B0: Tan & Le 2019, arXiv:1905.11946, table 2
NETWORK = 25e9 / 8  # bytes/s of each machine: Ethernet of 25 Gbit/s
GPU_PRICE = 3.06  # USD an hour: list price of AWS p3.2xlarge, one V100, us-east-1
CORE_PRICE = 0.0425  # USD an hour: half of AWS c5.large, two virtual cores, us-east-1
BEFORE = ("find and pair", "divide", "fingerprint", "check", "record the split")


def law_of(results: dict, stage: str) -> dict:
    """Return the law of a stage."""
    return next(law for law in results["laws"] if law["stage"] == stage)


def seconds_of(results: dict, stage: str, count: float) -> float:
    """Return the seconds that a stage takes for so many pictures, by its law.

    A stage that grows faster than its pictures goes on with its power instead.
    """
    law = law_of(results, stage)
    if law["power"] > scale_laws.SUPERLINEAR:
        last = max((r for r in results["rows"] if r["stage"] == stage), key=lambda r: r["all"])
        return last["seconds"] * (count / last["all"]) ** law["power"]
    return max(0.0, law["constant, s"] + law["a picture, ms"] * count / 1e3)


def serial_parts(results: dict) -> dict:
    """Return the seconds of what one process does alone around a training."""
    pictures = results["planned"]
    validation, test = Settings.validation * pictures, Settings.test * pictures
    parts = {stage: seconds_of(results, stage, pictures) for stage in BEFORE}
    parts["remember"] = seconds_of(results, "remember", pictures - test)
    parts["choose the mask rule"] = seconds_of(results, "choose the mask rule", validation)
    parts["score the test"] = seconds_of(results, "network, four views", test)
    parts["recognise"] = seconds_of(results, "recognise", test)
    return parts


def restart_seconds(results: dict) -> float:
    """Return what `--resume` takes until it trains again: all files are looked at anew."""
    measured = results["measured"]["training"]
    own = ("starting Keras, seconds", "building and first step, seconds")
    own += ("checkpoint read, seconds",)
    looked = sum(seconds_of(results, stage, results["planned"]) for stage in BEFORE)
    return looked + sum(measured[name] for name in own)


def steps_an_epoch(results: dict, workers: int) -> int:
    """Return how many steps so many GPUs need for the training part once."""
    train = (1 - Settings.validation - Settings.test) * results["planned"]
    return math.ceil(train / (workers * GPU_BATCH))


def gpu_job(results: dict, workers: int) -> Job:
    """Return a training on so many GPUs; its machines never fail."""
    measured = results["measured"]["training"]
    rate = GPU_RATE * GPU_GFLOP / measured["GFLOP of a forward pass"]
    step = GPU_BATCH / rate
    # A ring sends and receives each gradient twice but for one share (Patarasuk & Yuan 2009).
    exchange = 4 * measured["parameters"] * 2 * (workers - 1) / workers / NETWORK
    epoch = steps_an_epoch(results, workers) * (step + exchange)
    return Job(
        workers,
        step,
        np.array(measured["steps, share of the median"]),
        exchange,
        math.inf,
        # A checkpoint is written after an epoch, and no sooner than so after the one before.
        math.ceil(CHECKPOINT_SECONDS / epoch) * epoch,
        measured["checkpoint written, seconds"],
        restart_seconds(results),
    )


def simulated(results: dict) -> dict:
    """Return the tables of `failures.study`."""
    pictures, training = results["planned"], results["measured"]["training"]
    both = ("network, four views", "write results")
    core = sum(seconds_of(results, stage, pictures) for stage in both) * results["cores"]
    prediction = {
        "pictures": pictures,
        "seconds": core / pictures,
        "spread": np.array(training["steps, share of the median"]),
        "restart": training["starting Keras, seconds"],
    }
    return failures.study({n: gpu_job(results, n) for n in failures.WORKERS}, prediction)
