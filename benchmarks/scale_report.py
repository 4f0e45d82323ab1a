"""From what `scale.py` has measured to a plan: its numbers and its text.

    results["simulated"] = simulated(results)     # the tables of failures.py
    text = describe(results)                      # scale.md of this folder with its numbers

What is measured is taken from the results; everything else is an assumption, a constant here with
its source.
"""

import math
import sys
from pathlib import Path

import numpy as np

from benchmarks import failures
from benchmarks.failures import HOUR, WORKERS, Job
from lesion.callbacks import CHECKPOINT_SECONDS
from lesion.score.evaluation import MOST_PICTURES

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
GPU_PRICE = 3.06  # USD an hour: AWS p3.2xlarge, one V100, us-east-1; remembered, not looked up
# USD an hour: an eighth of AWS c5.2xlarge, us-east-1, an example in Amazon's documentation:
# docs.aws.amazon.com/autoscaling/ec2/userguide/weights-spot-price-per-unit-hour-example.html
CORE_PRICE = 0.34 / 8
BEFORE = ("find and pair", "divide", "fingerprint", "check", "record the split")
SAMPLED = "choose the mask rule"  # which looks at no more than MOST_PICTURES
AFTER = (SAMPLED, "remember", "fit the disc", "score", "recognise")
SUPERLINEAR = 1.1  # power of the number of pictures, from which a stage goes on with it
ENOUGH = 10_000  # test pictures


def law_of(results: dict, stage: str) -> dict:
    """Return the law of a stage."""
    return next(law for law in results["laws"] if law["stage"] == stage)


def largest_of(results: dict, stage: str) -> dict:
    """Return the row of a stage on the largest set."""
    return max((r for r in results["rows"] if r["stage"] == stage), key=lambda r: r["pictures"])


def count_of(results: dict, stage: str) -> int:
    """Return with how many of the planned pictures a stage has to do."""
    row = largest_of(results, stage)
    count = round(row["all"] / row["pictures"] * results["planned"])
    return min(count_of(results, "validate"), MOST_PICTURES) if stage == SAMPLED else count


def seconds_of(results: dict, stage: str, count: int | None = None) -> float:
    """Return the seconds that a stage takes for so many pictures, all planned ones without it.

    It goes by its law; where all of a set were handled and that grew faster, by its power instead.
    """
    law, last = law_of(results, stage), largest_of(results, stage)
    count = count_of(results, stage) if count is None else count
    if law["power"] > SUPERLINEAR and not law["sampled"]:
        return last["seconds"] * (count / last["all"]) ** law["power"]
    return max(0.0, law["constant, s"] + law["a picture, ms"] * count / 1e3)


def serial_seconds(results: dict) -> dict[str, float]:
    """Return the seconds of what one process does alone around a training."""
    seconds = {stage: seconds_of(results, stage) for stage in (*BEFORE, *AFTER)}
    sample = count_of(results, SAMPLED)
    return seconds | {"learn the quality estimate": seconds_of(results, "score", sample)}


def restart_seconds(results: dict) -> float:
    """Return what `--resume` takes until it trains again: all files are looked at anew."""
    measured = results["measured"]["training"]
    own = ("starting Keras, seconds", "building and first step, seconds")
    own += ("checkpoint read, seconds",)
    looked = sum(seconds_of(results, stage) for stage in BEFORE)
    return looked + sum(measured[name] for name in own)


def gpu_rate(results: dict) -> float:
    """Return how many pictures a second one GPU trains on."""
    return GPU_RATE * GPU_GFLOP / results["measured"]["training"]["GFLOP of a forward pass"]


def steps_an_epoch(results: dict, workers: int) -> int:
    """Return how many steps so many GPUs need for the training part once."""
    return math.ceil(count_of(results, "train") / (workers * GPU_BATCH))


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
        restart_seconds(results),
    )


def simulated(results: dict) -> dict[str, list[dict]]:
    """Return the tables of `failures.study`, those of prediction with their cost."""
    pictures, training = results["planned"], results["measured"]["training"]
    both = ("network, four views", "write results")
    spread = np.array(training["steps, share of the mean"])
    prediction = {
        "pictures": pictures,
        "seconds": sum(seconds_of(results, stage) for stage in both) / pictures
        * results["cores"],
        "spread": spread,
        "restart": training["starting Keras, seconds"],
    }  # fmt: skip
    tables = failures.study({n: gpu_job(results, n) for n in WORKERS}, prediction)
    for row in tables["prediction"]:
        row["USD"] = row["hours"] * row["cores"] * CORE_PRICE
    return tables


def describe(results: dict) -> str:
    """Return the text of files/scale.md, made of what `scale.py` has measured."""
    training, largest = results["measured"]["training"], gpu_job(results, WORKERS[-1])
    serial, rate, gpus = serial_seconds(results), gpu_rate(results), gpu_rows(results)
    before, restart = sum(serial[name] for name in BEFORE), restart_seconds(results)
    augment = law_of(results, "augment")["a picture, ms"]
    feed = {s: law_of(results, s)["a picture, ms"] for s in ("decode", "read from the cache")}
    numbers = {
        "plan": sys.modules[__name__],
        "results": results,
        "training": training,
        "parts": {s: count_of(results, s) for s in ("train", "validate", "score", SAMPLED)},
        "date": results["created"][:10],
        "stages": table(stage_rows(results)),
        "memory": table(memory_rows(results)),
        "processes": table(results["processes"]) or "Not measured.",
        "gpus": table(gpus),
        "simulated_training": table(results["simulated"]["training"]),
        "simulated_prediction": table(results["simulated"]["prediction"]),
        "before": duration(before),
        "after": duration(sum(serial.values()) - before),
        "score": duration(serial["score"]),
        "enough": duration(seconds_of(results, "score", ENOUGH)),
        "serial": duration(sum(serial.values())),
        "alone": [sum(serial.values()) / HOUR / row["hours in all"] for row in gpus],
        "restart": duration(restart),
        "before_share": before / restart,
        "rate": rate,
        "feed": feed,
        "cores": {stage: rate * (ms + augment) / 1e3 for stage, ms in feed.items()},
        "gradient_mb": 4 * training["parameters"] / 1e6,
        "exchange_share": largest.exchange / (largest.step + largest.exchange),
        "most": WORKERS[-1],
        "steps": steps_an_epoch(results, WORKERS[-1]),
        "batch": WORKERS[-1] * GPU_BATCH,
        "inputs_gb": memory_at(results["memory"][0], results["planned"]) / 1e3,
        "mb": megabytes(results),
    }
    return TEMPLATE.read_text(encoding="utf-8").format(**numbers)


def stage_rows(results: dict) -> list[dict]:
    """Return a line a stage: what a picture takes, how that grows, what the planned ones take."""
    rows = []
    for law in results["laws"]:
        last = largest_of(results, law["stage"])
        rows.append(
            {
                "stage": f"{law['process']}: {law['stage']}",
                "pictures, of a set of": f"{last['handled']:,} of {last['pictures']:,}",
                "ms a picture": f"{law['a picture, ms']:.3g} ± {law['a picture, +-']:.1g}",
                "grows as": f"n^{law['power']:.2f}",
                f"of {results['planned']:,}": duration(seconds_of(results, law["stage"])),
            }
        )
    return rows


def memory_rows(results: dict) -> list[dict]:
    """Return a line a process: its peak memory on each set, and of those planned for."""
    return [
        {
            "process": row["process"],
            "peak, MB (pictures)": ", ".join(
                f"{peak:,.0f} ({int(size):,})" for size, peak in row["peaks, MB"].items()
            ),
            "KB a picture": f"{row['a picture, KB']:.2g} ± {row['a picture, +-']:.1g}",
            f"of {results['planned']:,}, GB": memory_at(row, results["planned"]) / 1e3,
        }
        for row in results["memory"]
    ]


def gpu_rows(results: dict) -> list[dict]:
    """Return a line for each number of GPUs: time and cost of a training."""
    rows, serial = [], sum(serial_seconds(results).values())
    for told in results["simulated"]["training"][: len(WORKERS)]:  # which fail least
        job = gpu_job(results, told["GPUs"])
        epoch = steps_an_epoch(results, job.workers) * job.step / told["efficiency"]
        validated = count_of(results, "validate") / (gpu_rate(results) * job.workers)
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


def megabytes(results: dict) -> dict[str, float]:
    """Return what each file that was measured would have for the pictures planned for, in MB."""
    return {
        name.removesuffix(", bytes"): size / found["pictures"] * results["planned"] / 1e6
        for found in results["measured"].values()
        for name, size in found.items()
        if name.endswith(", bytes")
    } | {"checkpoint": results["measured"]["training"]["checkpoint, bytes"] / 1e6}


def memory_at(row: dict, pictures: int) -> float:
    """Return the peak memory in MB of a process for so many pictures."""
    return row["constant, MB"] + row["a picture, KB"] * pictures / 1e3


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
            return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
        return "not measured" if value is None else str(value)

    lines = [list(rows[0]), ["---"] * len(rows[0])] if rows else []
    lines += [list(map(cell, row.values())) for row in rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
