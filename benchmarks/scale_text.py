"""The text of files/scale.md: `scale.md` of this folder with the numbers of a measurement."""

from pathlib import Path

from benchmarks import failures, scale_plan
from benchmarks.failures import HOUR, WORKERS
from benchmarks.scale_plan import BEFORE, EPOCHS
from lesion.callbacks import CHECKPOINT_SECONDS

TEMPLATE = Path(__file__).with_name("scale.md")


def describe(results: dict) -> str:
    """Return the text, made of what `scale.py` has written to results.json."""
    measured, largest = results["measured"], scale_plan.gpu_job(results, WORKERS[-1])
    serial, restart = scale_plan.serial_parts(results), scale_plan.restart_seconds(results)
    before = sum(serial[name] for name in BEFORE)
    feed = sum(scale_plan.law_of(results, name)["a picture, ms"] for name in ("decode", "augment"))
    rate = scale_plan.GPU_BATCH / largest.step
    numbers = {
        "plan": scale_plan,
        "failures": failures,
        "results": results,
        "training": measured["training"],
        "largest": largest,
        "date": results["created"][:10],
        "checkpoint_seconds": CHECKPOINT_SECONDS,
        "stages": table(stage_rows(results)),
        "memory": table(memory_rows(results)),
        "processes": table(process_rows(results)) or "Not measured.",
        "gpus": table(gpu_rows(results, sum(serial.values()))),
        "simulated_training": table(training_rows(results)),
        "simulated_prediction": table(prediction_rows(results)),
        "before": duration(before),
        "before_share": before / restart,
        "serial": duration(sum(serial.values())),
        "after": duration(serial["choose the mask rule"] + serial["score the test"]),
        "recognise": duration(serial["recognise"]),
        "recognise_power": scale_plan.law_of(results, "recognise")["power"],
        "restart": duration(restart),
        "inputs_gb": memory_at(results["memory"][0], results["planned"]) / 1e3,
        "split_mb": megabytes(results, "inputs", "split.json, bytes"),
        "seen_mb": megabytes(results, "inputs", "pictures.npz, bytes"),
        "lesions_mb": megabytes(results, "prediction", "lesions.csv, bytes"),
        "rate": rate,
        "feed": feed,
        "feeding_cores": rate * feed / 1e3,
        "exchange_share": largest.exchange / (largest.step + largest.exchange),
        "millions": measured["training"]["parameters"] / 1e6,
        "gradient_mb": 4 * measured["training"]["parameters"] / 1e6,
        "checkpoint_mb": measured["training"]["checkpoint, bytes"] / 1e6,
        "steps": scale_plan.steps_an_epoch(results, WORKERS[-1]),
        "most": WORKERS[-1],
        "batch": WORKERS[-1] * scale_plan.GPU_BATCH,
        "hardware_hours": failures.HARDWARE / HOUR,
    }
    return TEMPLATE.read_text(encoding="utf-8").format(**numbers)


def megabytes(results: dict, process: str, name: str) -> float:
    """Return the size in MB that a file would have for the pictures that are planned for."""
    measured = results["measured"][process]
    return measured[name] / measured["pictures"] * results["planned"] / 1e6


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
    """Return rows as a table of Markdown; "" without rows."""
    if not rows:
        return ""
    lines = [list(rows[0]), ["---"] * len(rows[0]), *(list(row.values()) for row in rows)]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines)


def stage_rows(results: dict) -> list[dict]:
    """Return a line a stage: what a picture takes, how that grows, what the planned ones take."""
    rows = []
    for law in results["laws"]:
        own = [row for row in results["rows"] if row["stage"] == law["stage"]]
        last = max(own, key=lambda row: row["all"])
        count = last["all"] / last["pictures"] * results["planned"]
        planned = scale_plan.seconds_of(results, law["stage"], count)
        rows.append(
            {
                "stage": f"{law['process']}: {law['stage']}",
                "pictures, of a set of": f"{last['handled']:,} of {last['pictures']:,}",
                "ms a picture": f"{law['a picture, ms']:.3g} ± {law['a picture, +-']:.1g}",
                "grows as": f"n^{law['power']:.2f}",
                f"of {results['planned']:,}": duration(planned),
            }
        )
    return rows


def memory_rows(results: dict) -> list[dict]:
    """Return a line a process: its peak memory on each set, and of those planned for."""
    planned = results["planned"]
    return [
        {
            "process": row["process"],
            "peak, MB (pictures)": ", ".join(
                f"{peak:,.0f} ({int(size):,})" for size, peak in row["peaks, MB"].items()
            ),
            "KB a picture": f"{row['a picture, KB']:.2g} ± {row['a picture, +-']:.1g}",
            f"of {planned:,}, GB": f"{memory_at(row, planned) / 1e3:.1f}",
        }
        for row in results["memory"]
    ]


def process_rows(results: dict) -> list[dict]:
    """Return a line for each number of processes."""
    return [
        {
            **{name: row[name] for name in ("work", "processes")},
            "pictures/s": f"{row['pictures/s']:.1f}" if row["pictures/s"] else "not measured",
        }
        for row in results["processes"]
    ]


def gpu_rows(results: dict, serial: float) -> list[dict]:
    """Return a line for each number of GPUs: time and cost of a training.

    Args:
        serial: seconds of what one process does alone.
    """
    rows = []
    for row in results["simulated"]["training"]:
        if row["failures of"] != "hardware alone":
            continue
        job = scale_plan.gpu_job(results, row["workers"])
        epoch = scale_plan.steps_an_epoch(results, row["workers"]) * job.step / row["efficiency"]
        hours = (EPOCHS * epoch + serial) / HOUR
        gpu_hours = hours * row["workers"]
        rows.append(
            {
                "GPUs": row["workers"],
                "step + exchange, ms": f"{1e3 * job.step:.0f} + {1e3 * job.exchange:.0f}",
                "epoch": duration(epoch),
                f"{EPOCHS} epochs": duration(EPOCHS * epoch),
                "with what one process does": duration(HOUR * hours),
                "GPU hours": f"{gpu_hours:.1f}",
                "USD": f"{gpu_hours * scale_plan.GPU_PRICE:,.0f}",
            }
        )
    return rows


def training_rows(results: dict) -> list[dict]:
    """Return a line for each simulated training."""
    return [
        {
            "failures of": row["failures of"],
            "GPUs": row["workers"],
            "between failures": duration(HOUR * row["hours between failures"]),
            "without failures": f"{row['without failures']:.3f}",
            "efficiency": f"{row['efficiency']:.3f}",
            "at the best interval": f"{row['best efficiency']:.3f}",
            "best interval": duration(row["best interval, s"]),
            "Young": duration(row["Young, s"]),
            "Daly": duration(row["Daly, s"]),
        }
        for row in results["simulated"]["training"]
    ]


def prediction_rows(results: dict) -> list[dict]:
    """Return a line for each simulated prediction, and its cost."""
    return [
        {
            "failures of": row["failures of"],
            "cores": row["workers"],
            "time": duration(row["seconds"]),
            "efficiency": f"{row['efficiency']:.3f}",
            "workers failed": row["failures"],
            "pictures begun again": f"{row['redone']:,}",
            "USD": f"{row['seconds'] * row['workers'] / HOUR * scale_plan.CORE_PRICE:.2f}",
        }
        for row in results["simulated"]["prediction"]
    ]
