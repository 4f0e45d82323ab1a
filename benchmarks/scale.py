"""How time and memory grow with the number of pictures, and with the number of processes.

    python -m benchmarks.scale --out runs/scale            # some 16 minutes on two quiet cores
    python -m benchmarks.scale --out runs/quick --quick    # the same with few pictures
    python -m benchmarks.scale --out runs/text --measured files/scale.json    # the text anew

Sets of 1,000 to 100,000 drawn pictures go through each stage of check, train and predict
(`scale_stages.py`), every set in processes of its own, and one through `segment.py` on several
(`scale_processes.py`). Writes results.json, scale.png and scale.md into --out, a new folder, and
without --quick files/scale.json, Images/scale.png and files/scale.md, which are made of it: a plan
for a million pictures (`scale_report.py`), with what `failures.py` simulates.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from matplotlib.ticker import NullFormatter
from scipy import stats

from benchmarks import scale_processes
from benchmarks.scale_stages import write_part, write_set
from lesion import console
from lesion.console import Parser, usable_cores
from lesion.startup import start_keras

ROOT = Path(__file__).resolve().parents[1]
FULL = {
    "inputs": (1_000, 3_000, 9_000, 100_000),
    "training": (1_000, 3_000, 9_000, 100_000),
    "prediction": (1_000, 1_000, 5_000, 20_000),  # of three sets a line has next to no interval
    "sample": 200,  # pictures of a stage that would take too long
    "processes": 1_000,  # pictures that 1, 2 and 4 processes train on
    "planned": 1_000_000,
}
QUICK = {
    "inputs": (60, 120),
    "training": (60,),
    "prediction": (20, 40),
    "sample": 20,
    "processes": 0,
    "planned": 1_000,
}
PUBLISHED = {"results.json": "files/scale.json", "scale.md": "files/scale.md"}
PUBLISHED |= {"scale.png": "Images/scale.png"}
SUPERLINEAR = 1.1  # power of the number of pictures, from which a stage goes on with it
HEIGHT = 9.5  # inches of the figure, with its legends
# Okabe and Ito's, which people who see no red or no green tell apart; shapes besides.
COLOURS = "#0072B2 #D55E00 #009E73 #CC79A7 #E69F00 #56B4E9 #000000 #888888".split()  # noqa: SIM905
MARKS = [{"marker": m, "color": c} for m, c in zip("os^Dv<>P", COLOURS, strict=True)]


def measure_sets(folder: Path, plan: dict) -> tuple[list[dict], dict]:
    """Make the sets in a folder and run every process on each of them.

    Returns:
        (a row a stage, process and set; what else each process measured on its largest set).
    """
    works = [(name, size) for name in ("inputs", "training", "prediction") for size in plan[name]]
    sizes = sorted({size for _, size in works})
    whole = write_set(folder / "whole", sizes[-1])
    sets = {size: write_part(whole, folder / str(size), size) for size in sizes}
    rows, measured = [], {}
    for process, size in works:
        found = run_process(process, sets[size], plan["sample"])
        rows += found["rows"]
        measured[process] = found["measured"] | {"pictures": size}
    return rows, measured


def run_process(process: str, folder: Path, sample: int) -> dict:
    """Run a process of `scale_stages.py` on a set; return what it prints."""
    command = [sys.executable, "-m", "benchmarks.scale_stages", process, folder, sample]
    print(f"{process}: {int(folder.name):,} pictures", flush=True)
    done = subprocess.run(
        list(map(str, command)),
        cwd=ROOT,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"LESION_CACHE": ""},  # every picture is decoded, in each set
    )
    return json.loads(done.stdout.splitlines()[-1])


def laws_of(rows: list[dict], planned: int) -> dict[str, dict]:
    """Return the law of each stage: a picture's time with interval, and what the planned take.

    That goes by the law; where all of a set were handled and that grew faster, by its power.
    """
    from lesion.score.evaluation import MOST_PICTURES

    laws = {}
    for stage in dict.fromkeys(row["stage"] for row in rows):
        own = [row for row in rows if row["stage"] == stage]
        last = max(own, key=lambda row: row["pictures"])
        constant, slope, error = fit([r["handled"] for r in own], [r["seconds"] for r in own])
        growth = power(
            [r["all"] for r in own], [r["seconds"] * r["all"] / r["handled"] for r in own]
        )
        count = round(max(r["all"] / r["pictures"] for r in own) * planned)
        if stage == "choose the mask rule":
            count = min(count, MOST_PICTURES)
        seconds = max(0.0, constant + slope * count)
        if growth > SUPERLINEAR and last["handled"] == last["all"]:
            seconds = last["seconds"] * (count / last["all"]) ** growth
        laws[stage] = {name: last[name] for name in ("process", "pictures", "handled")} | {
            "a picture, ms": 1e3 * slope,
            "a picture, +-": 1e3 * error,
            "power": growth,
            "planned": count,
            "planned, s": seconds,
        }
    return laws


def fit(counts: list[int], seconds: list[float]) -> tuple[float, float, float]:
    """Fit seconds = constant + slope * count; return constant, slope, half its 95 % interval.

    What is fitted is the time of one picture, slope + constant / count, so that a set counts no
    more for being large. Of fewer than three different counts slope is the mean of that time.
    """
    counts, each = np.array(counts), np.array(seconds) / counts
    if len(set(counts)) < 3:
        error = stats.sem(each) * student(len(each) - 1) if len(each) > 1 else np.nan
        return 0.0, float(each.mean()), float(error)
    line = stats.linregress(1 / counts, each)
    error = line.intercept_stderr * student(len(each) - 2)
    return float(line.slope), float(line.intercept), float(error)


def student(freedom: int) -> float:
    """Return how many standard errors a 95 % interval reaches either way; nan without freedom."""
    return float(stats.t.ppf(0.975, freedom)) if freedom > 0 else np.nan


def power(counts: list[int], values: list[float]) -> float:
    """Return by which power of the count a value grows from the last but one count to the last.

    1 is linear; no number where there is one count only. Of several values of one count the
    smallest tells: noise only adds.
    """
    least = {}
    for count, value in zip(counts, values, strict=True):
        least[count] = min(value, least.get(count, value))
    if len(least) < 2:
        return np.nan
    (low, first), (high, last) = sorted(least.items())[-2:]
    return float(np.log(last / first) / np.log(high / low))


def memory_of(rows: list[dict], planned: int) -> list[dict]:
    """Return a row a process: its peak memory, and by a line through that for a picture and all."""
    memory = []
    for name in dict.fromkeys(row["process"] for row in rows):
        peaks = {}
        for row in rows:
            if row["process"] == name:
                peaks[row["pictures"]] = max(row["peak_mb"], peaks.get(row["pictures"], 0))
        constant, slope, error = max(peaks.values()), 0.0, np.nan
        if len(peaks) > 1:
            line = stats.linregress(list(peaks), list(peaks.values()))
            constant, slope = float(line.intercept), float(line.slope)
            error = float(line.stderr) * student(len(peaks) - 2)
        memory.append(
            {
                "process": name,
                "peaks, MB": {str(size): peak for size, peak in peaks.items()},
                "a picture, KB": 1e3 * slope,
                "a picture, +-": 1e3 * error,
                "planned, GB": (constant + slope * planned) / 1e3,
            }
        )
    return memory


def draw(results: dict, path: Path) -> None:
    """Draw milliseconds a picture of each stage, and the peak memory of each process, as PNG."""
    from lesion.show.style import plot_figure, save

    figure, axes = plot_figure(HEIGHT, panels=2, rows=2)
    for axis, memory in zip(axes, results["memory"], strict=False):
        own = [row for row in results["rows"] if row["process"] == memory["process"]]
        for stage, mark in zip(dict.fromkeys(row["stage"] for row in own), MARKS, strict=False):
            rows = [row for row in own if row["stage"] == stage]
            times = [1e3 * row["seconds"] / row["handled"] for row in rows]
            label = f"{stage}, n^{results['laws'][stage]['power']:.2f}"
            axis.plot([row["pictures"] for row in rows], times, **mark, label=label)
        axis.set(title=memory["process"].capitalize(), ylabel="time a picture (ms)")
    for row, mark in zip(results["memory"], MARKS, strict=False):
        label = f"{row['process']}: {row['a picture, KB']:.2g} KB a picture"
        sizes = list(map(int, row["peaks, MB"]))
        axes[-1].plot(sizes, list(row["peaks, MB"].values()), **mark, label=label)
    axes[-1].set(title="Memory of each process", ylabel="peak memory (MB)")
    for axis in axes:
        axis.set(xscale="log", yscale="log", xlabel="pictures in the set")
        for own, form in ((axis.xaxis, "{x:,.0f}"), (axis.yaxis, "{x:,g}")):
            own.set_major_formatter(form)
            own.set_minor_formatter(NullFormatter())
        place = {"loc": "upper center", "bbox_to_anchor": (0.5, -0.16), "frameon": False}
        axis.legend(**place, ncols=1 if axis is axes[-1] else 2, fontsize=9)
    save(figure, path)


def measure(arguments):
    """Measure, fit, simulate, draw and write."""
    start_keras()
    from benchmarks import scale_report
    from lesion.runs import claim_folder, describe_environment, releasing
    from lesion.storage import replacing, write_json

    plan = QUICK if arguments.quick else FULL
    with releasing(claim_folder(arguments.out)) as out:
        if arguments.measured:
            results = json.loads(arguments.measured.read_text(encoding="utf-8"))
        else:
            with tempfile.TemporaryDirectory(dir=out) as folder:
                rows, measured = measure_sets(Path(folder), plan)
                processes = scale_processes.measure(Path(folder), plan["processes"])
            results = describe_environment() | {"cores": usable_cores(), "planned": plan["planned"]}
            results |= {"rows": rows, "measured": measured, "processes": processes}
            write_json(out / "results.json", results)  # for --measured, whatever comes now
        rows, planned = results["rows"], results["planned"]
        results |= {"laws": laws_of(rows, planned), "memory": memory_of(rows, planned)}
        results["simulated"] = scale_report.simulated(results)
        write_json(out / "results.json", results)
        draw(results, out / "scale.png")
        text = scale_report.describe(results)
        with replacing(out / "scale.md") as temporary:
            temporary.write_text(text, encoding="utf-8")
        if not arguments.quick:
            for name, place in PUBLISHED.items():
                shutil.copyfile(out / name, ROOT / place)
    print(text)


def main(argv: list[str] | None = None) -> int:
    """Run the command; return its exit code, 2 after a mistake of the user."""
    parser = Parser(description=__doc__.partition("\n")[0])
    parser.add_argument("--out", metavar="DIR", type=Path, required=True, help="a new folder")
    parser.add_argument("--quick", action="store_true", help="few pictures, to try it")
    parser.add_argument("--measured", metavar="FILE", type=Path, help="a results.json to tell of")
    return console.run(parser, measure, argv)


if __name__ == "__main__":
    sys.exit(main())
