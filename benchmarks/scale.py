"""How time and memory grow with the number of pictures, and with the number of processes.

    python -m benchmarks.scale --out runs/scale            # some 15 minutes on two quiet cores
    python -m benchmarks.scale --out runs/quick --quick    # the same with few pictures

Sets of 1,000 to 100,000 drawn pictures (`scale_sets.py`) go through each stage of check, train and
predict (`scale_stages.py`), every set in processes of its own; what would take too long has a
sample, and the table says so. Writes results.json, scale.png and scale.md into --out, a new folder,
and without --quick files/scale.json, Images/scale.png and files/scale.md, which are made of it:
a plan for a million pictures, with what `failures.py` simulates.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks import scale_laws, scale_processes, scale_sets
from lesion import console
from lesion.console import Parser, usable_cores

ROOT = Path(__file__).resolve().parents[1]
FULL = {
    "inputs": (1_000, 3_000, 9_000, 100_000),
    "training": (1_000, 3_000, 9_000, 100_000),
    "prediction": (1_000, 5_000, 20_000),
    "sample": 200,  # pictures of a stage that would take too long
    "twice": 1_000,  # sets up to this size are measured twice
    "processes": 1_000,  # pictures that 1, 2 and 4 processes train on
    "planned": 1_000_000,
}
QUICK = {
    "inputs": (60, 120),
    "training": (60,),
    "prediction": (20, 40, 60),
    "sample": 20,
    "twice": 0,
    "processes": 0,
    "planned": 1_000,
}
PUBLISHED = {"results.json": "files/scale.json", "scale.md": "files/scale.md"}
PUBLISHED |= {"scale.png": "Images/scale.png"}


def measure_sets(folder: Path, plan: dict) -> tuple[list[dict], dict]:
    """Make the sets in a folder and run every process on each of them.

    Returns:
        (a row a stage, process and set; what else each process measured on its largest set).
    """
    works = [(name, size) for name in ("inputs", "training", "prediction") for size in plan[name]]
    sizes = sorted({size for _, size in works})
    whole = scale_sets.write_set(folder / "whole", sizes[-1])
    sets = {size: scale_sets.write_part(whole, folder / str(size), size) for size in sizes}
    rows, measured = [], {}
    for process, size in works:
        for _ in range(2 if size <= plan["twice"] else 1):
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


def laws_of(rows: list[dict]) -> list[dict]:
    """Return a row a stage: milliseconds a picture with interval, and how time grows."""
    laws = []
    for name in dict.fromkeys(row["stage"] for row in rows):
        own = [row for row in rows if row["stage"] == name]
        law = scale_laws.fit([r["handled"] for r in own], [r["seconds"] for r in own])
        whole = [r["seconds"] * r["all"] / r["handled"] for r in own]
        laws.append(
            {
                "stage": name,
                "process": own[0]["process"],
                "sampled": any(r["handled"] < r["all"] for r in own),
                "constant, s": law.constant,
                "constant, +-": law.constant_error,
                "a picture, ms": 1e3 * law.slope,
                "a picture, +-": 1e3 * law.slope_error,
                "power": scale_laws.power([r["all"] for r in own], whole),
            }
        )
    return laws


def memory_of(rows: list[dict]) -> list[dict]:
    """Return a row a process: its peak memory in MB without pictures, and KB for each of them."""
    memory = []
    for name in dict.fromkeys(row["process"] for row in rows):
        peaks = {}
        for row in rows:
            if row["process"] == name:
                peaks[row["pictures"]] = max(row["peak_mb"], peaks.get(row["pictures"], 0))
        law = scale_laws.fit(list(peaks), list(peaks.values()))
        memory.append(
            {
                "process": name,
                "peaks, MB": {str(size): peak for size, peak in peaks.items()},
                "constant, MB": law.constant,
                "a picture, KB": 1e3 * law.slope,
                "a picture, +-": 1e3 * law.slope_error,
            }
        )
    return memory


def measure(arguments):
    """Measure, fit, simulate, draw and write."""
    from benchmarks import scale_figure, scale_plan, scale_text
    from benchmarks.speedrun import show
    from lesion.runs import claim_folder, describe_environment, releasing
    from lesion.storage import replacing, write_json

    plan = QUICK if arguments.quick else FULL
    with releasing(claim_folder(arguments.out)) as out:
        with tempfile.TemporaryDirectory(dir=out) as folder:
            rows, measured = measure_sets(Path(folder), plan)
            processes = scale_processes.measure(Path(folder), plan)
        results = {**describe_environment(), "cores": usable_cores(), "planned": plan["planned"]}
        results |= {"rows": rows, "measured": measured}
        results |= {"laws": laws_of(rows), "memory": memory_of(rows), "processes": processes}
        results["simulated"] = scale_plan.simulated(results)
        write_json(out / "results.json", results)
        scale_figure.draw(results, out / "scale.png")
        with replacing(out / "scale.md") as temporary:
            temporary.write_text(scale_text.describe(results), encoding="utf-8")
        if not arguments.quick:
            for name, place in PUBLISHED.items():
                shutil.copyfile(out / name, ROOT / place)
    tables = {name: results[name] for name in ("laws", "memory", "processes")}
    show({name: rows for name, rows in (tables | results["simulated"]).items() if rows})


def main(argv: list[str] | None = None) -> int:
    """Run the command; return its exit code, 2 after a mistake of the user."""
    parser = Parser(description=__doc__.partition("\n")[0])
    parser.add_argument("--out", metavar="DIR", type=Path, required=True, help="a new folder")
    parser.add_argument("--quick", action="store_true", help="few pictures, to try it")
    return console.run(parser, measure, argv)


if __name__ == "__main__":
    sys.exit(main())
