"""What `scale.py` times, a process of its own for each set: its stages, and its peak memory.

    python -m benchmarks.scale_stages inputs FOLDER SAMPLE

prints one line of JSON: {"rows": [a stage each], "measured": {what else is to be known}}. A row
holds stage, process, pictures (of the set), all (that the stage has to do with), handled (of
these; fewer where a sample has to do), seconds and peak_mb (the most that the process has held so
far). Files come from the memory of the system: what a disk adds is not in here.
"""

import json
import resource
import statistics
import sys
import tempfile
import time
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np

from lesion import startup
from lesion.inputs.checks import look_at
from lesion.inputs.filtering import filter_pictures, filter_split
from lesion.inputs.pairing import find_parts
from lesion.inputs.pictures import find_pictures
from lesion.inputs.seen import SeenPictures
from lesion.inputs.split import Split
from lesion.inputs.splitting import draw
from lesion.options import SHIPPED_WEIGHTS
from lesion.parallel import in_order

SHARE = 0.2  # of validation and of test, as `segment.py train` takes them
TRAINED, BATCH = "lite", 16
TRAINED_SIZE = 64  # pixels a side: a ninth of the time that the network's own size takes
OWN_SIZE = 192  # that size: pictures are decoded and augmented, and FLOPs counted, at it
JUDGED = 60  # pairs that say how the masks of a set are to be read
LONGER = 32  # times the sample are trained on and validated at most
STEPS_KEPT = 200  # training steps that tell how much one differs from another


class Clock:
    """Times the stages of one process.

    Args:
        process: what it does, a word.
        pictures: number in the set.
    """

    def __init__(self, process: str, pictures: int):
        self.process, self.pictures, self.rows = process, pictures, []

    @contextmanager
    def stage(self, name: str, handled: int, whole: int | None = None):
        """Time the block: it does with `handled` pictures what is to be done with `whole`."""
        start = time.perf_counter()
        yield
        seconds = time.perf_counter() - start
        row = {"stage": name, "process": self.process, "pictures": self.pictures}
        row |= {"all": whole or handled, "handled": handled, "seconds": seconds}
        self.rows.append(row | {"peak_mb": peak_mb()})


def peak_mb() -> float:
    """Return the most memory that this process has held so far, in MB."""
    status = Path("/proc/self/status")
    if status.is_file():  # what `getrusage` tells begins with what the parent process held
        return int(status.read_text().partition("VmHWM:")[2].split()[0]) / 1e3
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1e6 if sys.platform == "darwin" else 1e3)


def spread(items: list, count: int) -> list:
    """Return at most `count` of the items, evenly spread."""
    return [items[i] for i in np.linspace(0, len(items) - 1, min(count, len(items))).astype(int)]


def inputs(folder: Path, sample: int) -> dict:
    """Time what is done with the files of a data folder before and after a training."""
    count = sum(1 for _ in (folder / "image").iterdir())
    clock = Clock("inputs", count)
    with clock.stage("find and pair", count):
        pairs = find_parts(folder)[""].labelled
    with clock.stage("divide", count):
        split = Split(*draw(pairs, 0, SHARE, SHARE, folder), folder)
    with clock.stage("fingerprint", count):
        split.digests = [split.digest()]
    with clock.stage("check", count):
        split = filter_split(split, progress=False)
    with tempfile.TemporaryDirectory() as out:
        record, weights = Path(out, "split.json"), Path(out, "model.keras")
        with clock.stage("record the split", count):
            split.write(record)
        with clock.stage("remember", len(split.train) + len(split.validation)):
            seen = SeenPictures.of(split)
            seen.write(weights)
        sizes = {"split.json": record, "pictures.npz": weights.with_suffix(".pictures.npz")}
        sizes = {name: path.stat().st_size for name, path in sizes.items()}
    with clock.stage("recognise", len(split.test)):
        seen.find(split.test)
    return {"rows": clock.rows, "measured": {f"{n}, bytes": size for n, size in sizes.items()}}


def judged_pairs(folder: Path) -> list:
    """Return the pairs of a set, which say how they are to be read.

    `filter_split` would look at all of them again; the masks of a set are copies of a few.
    """
    pairs = find_parts(folder)[""].labelled
    legend = look_at(spread(pairs, JUDGED), progress=False)[0][0].legend
    return [replace(pair, legend=legend) for pair in pairs]


def training(folder: Path, sample: int) -> dict:
    """Time an epoch, or a sample of one, and what a training does around its epochs."""
    start = time.perf_counter()
    startup.start_keras()
    from benchmarks import speedrun_rates
    from benchmarks.speedrun_clock import Task, compiled, endless_batches, step_seconds
    from data import ValidationData, augment, load_pair
    from lesion.predict.network import Network
    from lesion.score.choice import choose_mask_rule

    measured = {"starting Keras, seconds": time.perf_counter() - start}
    pairs = judged_pairs(folder)
    train, validation, _ = draw(pairs, 0, SHARE, SHARE, folder)
    clock = Clock("training", len(pairs))
    few = spread(train, sample)
    with clock.stage("decode", len(few), len(train)):
        loaded = [load_pair(pair, OWN_SIZE) for pair in few]
    with clock.stage("augment", len(few), len(train)):
        for number, pair in enumerate(loaded):
            augment(*pair, np.random.default_rng(number))
    del loaded
    task = Task(train, TRAINED_SIZE, BATCH, 3, "bce_dice", kind=TRAINED)
    steps = min(len(train), max(BATCH, LONGER * sample)) // BATCH
    start = time.perf_counter()
    model, batches = compiled(task, steps), endless_batches(task)
    model.train_on_batch(*next(batches))
    measured["building and first step, seconds"] = time.perf_counter() - start
    with clock.stage("train", steps * BATCH, len(train)):
        seconds = step_seconds(model, batches, steps - 1)
    few = spread(validation, LONGER * sample)
    model.evaluate(ValidationData(few[: BATCH + 1], TRAINED_SIZE, BATCH), verbose=0)  # its graphs
    with clock.stage("validate", len(few), len(validation)):
        model.evaluate(ValidationData(few, TRAINED_SIZE, BATCH), verbose=0)
    few, network = spread(validation, sample), Network(model, TRAINED_SIZE)
    choose_mask_rule(network, few[:1], progress=False)
    with clock.stage("choose the mask rule", len(few), len(validation)):
        choose_mask_rule(network, few, progress=False)
    measured |= checkpoint(model)
    apart = np.array(seconds[-STEPS_KEPT:]) / statistics.median(seconds)
    measured |= {
        "step, seconds": statistics.median(seconds),
        "steps, share of the median": np.round(apart, 3).tolist(),
        "parameters": model.count_params(),
        "GFLOP of a forward pass": forward_gflop(),
        "matrix product, GFLOP/s": speedrun_rates.multiplied(),
    }
    return {"rows": clock.rows, "measured": measured}


def forward_gflop() -> float:
    """Return the operations of one forward pass of one picture at the network's own size."""
    from benchmarks.speedrun_rates import forward_flops
    from unet import build

    return forward_flops(build(TRAINED, (OWN_SIZE, OWN_SIZE, 3))) / 1e9


def checkpoint(model) -> dict:
    """Return what a checkpoint of a compiled model costs to write and to read, and its bytes."""
    from lesion.callbacks import CHECKPOINT, BestEpoch, WriteProgress, read_checkpoint

    logs = {"loss": 1.0, "val_loss": 1.0, "val_dice": 0.5}
    best = BestEpoch(None, None)
    for callback in (best.average, best):
        callback.set_model(model)
    best.on_train_begin()
    best.on_epoch_end(0, logs)
    with tempfile.TemporaryDirectory() as out:
        progress = WriteProgress(out, [], best)
        progress.set_model(model)
        start = time.perf_counter()
        progress.on_epoch_end(0, logs)
        progress.write_checkpoint()
        written = time.perf_counter()
        read_checkpoint(Path(out, CHECKPOINT), model)
        return {
            "checkpoint written, seconds": written - start,
            "checkpoint read, seconds": time.perf_counter() - written,
            "checkpoint, bytes": Path(out, CHECKPOINT).stat().st_size,
        }


def prediction(folder: Path, sample: int) -> dict:
    """Time `segment.py predict` on a folder: all of it but the network, which has a sample.

    What a picture costs the network cannot depend on how many there are; so every picture gets
    the answer to the first one, and all else is done with it.
    """
    from lesion.inputs.reading import read_image
    from lesion.predict.files import predict_files
    from lesion.predict.network import load_network

    count = sum(1 for _ in (folder / "image").iterdir())
    clock = Clock("prediction", count)
    with clock.stage("find pictures", count):
        paths, _ = find_pictures([folder])
    with clock.stage("read headers", count):
        paths, _ = filter_pictures(paths)
    network = load_network(SHIPPED_WEIGHTS)
    few = list(map(read_image, spread(paths, sample)))
    answer = network.answer_to(few[0])
    with clock.stage("network, four views", len(few), count):
        for _ in in_order(network.answer_to, few):
            pass
    network.answer_to = lambda picture: answer
    with tempfile.TemporaryDirectory() as out:
        with clock.stage("write results", count):
            predict_files(network, paths, out)
        size = Path(out, "lesions.csv").stat().st_size
    return {"rows": clock.rows, "measured": {"lesions.csv, bytes": size}}


PROCESSES = {work.__name__: work for work in (inputs, training, prediction)}


def main(argv: list[str]) -> None:
    """Run a process named on the command line, and print what it has measured."""
    name, folder, sample = argv
    print(json.dumps(PROCESSES[name](Path(folder), int(sample))))


if __name__ == "__main__":
    main(sys.argv[1:])
