"""From what `scale.py` has measured to a plan: its numbers and its text.

    results["simulated"] = simulated(results)     # the tables of failures.py
    text = describe(results)                      # scale.md of this folder with its numbers

What is measured is taken from the results; everything else is an assumption, a constant here with
its source.
"""

import math
import sys
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from benchmarks import failures, scale_stages
from benchmarks.failures import HOUR, WORKERS, Job
from lesion.callbacks import CHECKPOINT_SECONDS

TEMPLATE = Path(__file__).with_name("scale.md")
EPOCHS = 11  # as `make weights` has; more pictures need no more passes
GPU_BATCH = 64  # pictures a step of one GPU
# EfficientNet-B0, the encoder's family, in training at 224 pixels and mixed precision on one V100
# of 32 GB: R. Wightman, gist.github.com/rwightman/bb59f9e245162cee0e38bd66bd8cd77f (2021).
# Our network is taken to run at the same rate of operations.
GPU, GPU_RATE = "V100 (32 GB)", 1557  # pictures/s
GPU_GFLOP = 2 * 0.39  # of a forward pass of B0: Tan & Le 2019, arXiv:1905.11946, table 2
FORWARD = 1 / 3  # of the operations of a training step, which has a backward pass, too
NETWORK = 25e9 / 8  # bytes/s of each machine: Ethernet of 25 Gbit/s
GPU_PRICE = 3.06  # USD an hour: AWS p3.2xlarge, one V100 (16 GB), us-east-1; not looked up
# USD an hour: an eighth of AWS c5.2xlarge, us-east-1, an example in Amazon's documentation:
# docs.aws.amazon.com/autoscaling/ec2/userguide/weights-spot-price-per-unit-hour-example.html
CORE_PRICE = 0.34 / 8
BEFORE = ("find and pair", "divide", "fingerprint", "check", "record the split")
AFTER = ("choose the mask rule", "remember", "fit the disc", "score", "recognise")
PREDICTED = ("network, four views", "write results")
WRITTEN = (("inputs", "split.json"), ("inputs", "pictures.npz"), ("prediction", "lesions.csv"))
ENOUGH = 10_000  # test pictures


def planned(results: dict, stages: Iterable[str]) -> float:
    """Return the seconds that stages take for the pictures planned for."""
    return sum(results["laws"][stage]["planned, s"] for stage in stages)


def after(results: dict) -> float:
    """Return the seconds of what one process does alone after the last step."""
    laws = results["laws"]
    estimate = laws["score"]["a picture, ms"] * laws["choose the mask rule"]["planned"] / 1e3
    return planned(results, AFTER) + estimate  # which looks at as many and scores them, too


def restart(results: dict) -> float:
    """Return the seconds of `--resume` until it trains again: all files are looked at anew."""
    own = ("starting Keras", "building and first step", "checkpoint read")
    seconds = (results["measured"]["training"][f"{name}, seconds"] for name in own)
    return planned(results, BEFORE) + sum(seconds)


def gpu_rate(results: dict) -> float:
    """Return how many pictures a second one GPU trains on."""
    return GPU_RATE * GPU_GFLOP / results["measured"]["training"]["GFLOP of a forward pass"]


def steps_an_epoch(results: dict, workers: int) -> int:
    """Return how many steps so many GPUs need for the training part once."""
    return math.ceil(results["laws"]["train"]["planned"] / (workers * GPU_BATCH))


def gpu_job(results: dict, workers: int) -> Job:
    """Return a training on so many GPUs; its machines never fail."""
    measured, step = results["measured"]["training"], GPU_BATCH / gpu_rate(results)
    # A ring sends and receives each gradient twice but for one share (Patarasuk & Yuan 2009).
    exchange = 4 * measured["parameters"] * 2 * (workers - 1) / workers / NETWORK
    epoch = steps_an_epoch(results, workers) * (step + exchange)
    return Job(
        workers,
        step,
        np.array(measured["steps, share of the mean"]),
        exchange,
        math.inf,
        # A checkpoint is written after an epoch, and no sooner than so after the one before.
        math.ceil(CHECKPOINT_SECONDS / epoch) * epoch,
        measured["checkpoint written, seconds"],
        restart(results),
    )


def simulated(results: dict) -> dict[str, list[dict]]:
    """Return the tables of `failures.study`, those of prediction with their cost."""
    pictures, training = results["planned"], results["measured"]["training"]
    prediction = {
        "pictures": pictures,
        "seconds": planned(results, PREDICTED) * results["cores"] / pictures,
        "spread": np.array(training["steps, share of the mean"]),
        "restart": training["starting Keras, seconds"],
    }
    tables = failures.study({n: gpu_job(results, n) for n in WORKERS}, prediction)
    for row in tables["prediction"]:
        row["USD"] = row["hours"] * row["cores"] * CORE_PRICE
    return tables


def describe(results: dict) -> str:
    """Return the text of files/scale.md, made of what `scale.py` has measured."""
    training, laws, largest = results["measured"]["training"], results["laws"], WORKERS[-1]
    before, rate, gpus = planned(results, BEFORE), gpu_rate(results), gpu_rows(results)
    serial, job = before + after(results), gpu_job(results, largest)
    numbers = {
        "plan": sys.modules[__name__],
        "stage": scale_stages,
        "results": results,
        "laws": laws,
        "training": training,
        "date": results["created"][:10],
        "stages": table(stage_rows(results)),
        "memory": table(memory_rows(results)),
        "processes": table(results["processes"]) or "Not measured.",
        "gpus": table(gpus),
        "simulated_training": table(results["simulated"]["training"]),
        "simulated_prediction": table(results["simulated"]["prediction"]),
        "before": duration(before),
        "after": duration(serial - before),
        "serial": duration(serial),
        "alone": [serial / HOUR / row["hours in all"] for row in gpus],
        "score": duration(laws["score"]["planned, s"]),
        "enough": duration(laws["score"]["a picture, ms"] * ENOUGH / 1e3),
        "restart": duration(restart(results)),
        "looking": before / restart(results),
        "rate": rate,
        "cores": {
            stage: rate * (laws[stage]["a picture, ms"] + laws["augment"]["a picture, ms"]) / 1e3
            for stage in ("decode", "read from the cache")
        },
        "gradient_mb": 4 * training["parameters"] / 1e6,
        "checkpoint_mb": training["checkpoint, bytes"] / 1e6,
        "exchanged": job.exchange / (job.step + job.exchange),
        "most": largest,
        "batch": largest * GPU_BATCH,
        "steps": steps_an_epoch(results, largest),
        "inputs_gb": results["memory"][0]["planned, GB"],
        "mb": {
            name: found[f"{name}, bytes"] / found["pictures"] * results["planned"] / 1e6
            for process, name in WRITTEN
            for found in [results["measured"][process]]
        },
    }
    return TEMPLATE.read_text(encoding="utf-8").format(**numbers)


def stage_rows(results: dict) -> list[dict]:
    """Return a line a stage: what a picture takes, how that grows, what the planned ones take."""
    return [
        {
            "stage": f"{law['process']}: {stage}",
            "pictures, of a set of": f"{law['handled']:,} of {law['pictures']:,}",
            "ms a picture": f"{law['a picture, ms']:.3g} ± {law['a picture, +-']:.1g}",
            "grows as": f"n^{law['power']:.2f}",
            f"of {results['planned']:,}": duration(law["planned, s"]),
        }
        for stage, law in results["laws"].items()
    ]


def memory_rows(results: dict) -> list[dict]:
    """Return a line a process: its peak memory on each set, and of those planned for."""
    return [
        {
            "process": row["process"],
            "peak, MB (pictures)": ", ".join(
                f"{peak:,.0f} ({int(size):,})" for size, peak in row["peaks, MB"].items()
            ),
            "KB a picture": f"{row['a picture, KB']:.2g} ± {row['a picture, +-']:.1g}",
            f"of {results['planned']:,}, GB": row["planned, GB"],
        }
        for row in results["memory"]
    ]


def gpu_rows(results: dict) -> list[dict]:
    """Return a line for each number of GPUs: time and cost of a training."""
    rows, serial = [], planned(results, BEFORE) + after(results)
    for told in results["simulated"]["training"][: len(WORKERS)]:  # which fail least
        job = gpu_job(results, told["GPUs"])
        epoch = steps_an_epoch(results, job.workers) * job.step / told["efficiency"]
        validated = results["laws"]["validate"]["planned"] / (gpu_rate(results) * job.workers)
        epoch += FORWARD * validated
        hours = (EPOCHS * epoch + serial) / HOUR
        rows.append(
            {
                "GPUs": job.workers,
                "step + exchange, ms": f"{1e3 * job.step:.0f} + {1e3 * job.exchange:.0f}",
                "epoch, s": epoch,
                f"{EPOCHS} epochs, min": EPOCHS * epoch / 60,
                "hours in all": hours,
                "GPU hours": hours * job.workers,
                "USD": hours * job.workers * GPU_PRICE,
            }
        )
    return rows


def duration(seconds: float) -> str:
    """Return a time as people write it."""
    for unit, size in (("h", HOUR), ("min", 60.0)):
        if seconds >= 2 * size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.0f} s" if seconds >= 10 else f"{seconds:.1f} s"


def table(rows: list[dict]) -> str:
    """Return rows as a table of Markdown, numbers of three digits; "" without rows."""

    def cell(value):
        if isinstance(value, float):
            return f"{value:,.0f}" if value >= 99.95 else f"{value:#.3g}"
        return "not measured" if value is None else str(value)

    lines = [list(rows[0]), ["---"] * len(rows[0])] if rows else []
    lines += [list(map(cell, row.values())) for row in rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
