"""The sets of `scale.py`, and what it times on each in a process of its own: stages, peak memory.

    python -m benchmarks.scale_stages inputs FOLDER SAMPLE

prints one line of JSON: {"rows": [a stage each], "measured": {what else is to be known}}. A row
holds stage, process, pictures (of the set), all (that the stage has to do with), handled (of
these; fewer where a sample has to do), seconds and peak_mb (the most that the process has held so
far). Files come from the memory of the system: what a disk adds is not in here.
"""

import json
import os
import sys
import tempfile
import time
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from lesion import startup
from lesion.drawn.scene import draw_picture
from lesion.inputs.cache import Kept
from lesion.inputs.checks import look_at
from lesion.inputs.filtering import filter_pictures, filter_split
from lesion.inputs.pairing import find_parts
from lesion.inputs.pictures import find_pictures
from lesion.inputs.seen import SeenPictures
from lesion.inputs.split import Split
from lesion.inputs.splitting import draw
from lesion.options import SHIPPED_WEIGHTS
from lesion.parallel import in_order
from lesion.settings import Settings

TRAINED, BATCH = "lite", 16
TRAINED_SIZE = 64  # pixels a side: a ninth of the time that the network's own size takes
OWN_SIZE = 192  # that size, at which everything but the steps is measured
JUDGED = 60  # pairs that say how the masks of a set are to be read
LONGER = 12  # times the sample are trained on and validated at most
SHORTER = 4  # times fewer than the sample are predicted and scored
DRAWN, SIZE = 60, 128  # pairs that the others are made of, pixels a side
LIGHT = 0.3  # by which the light changes, either way, at the points of a lattice of
LATTICE = 4  # points a side
QUALITY = 90  # of JPEG: some 6 kB a picture


def write_set(folder: Path, count: int, size: int = SIZE) -> Path:
    """Write `count` pairs as image/0000000.jpg and label/0000000.png; return the folder.

    They are few drawn pairs, each under ever another light: another picture, pixel by pixel and to
    a perceptual hash, as the checks of a training demand. Masks are hard links.

    Args:
        folder: a new one.
        size: pixels a side.
    """
    drawn = list(in_order(lambda seed: draw_picture(seed, size), range(min(DRAWN, count))))
    masks = folder.with_name(f"{folder.name}.masks")
    for path in (masks, folder / "image", folder / "label"):
        path.mkdir(parents=True)
    for number, (_, mask) in enumerate(drawn):
        cv2.imwrite(str(masks / f"{number}.png"), mask * np.uint8(255))

    def write(number):
        lattice = np.random.default_rng(number).uniform(1 - LIGHT, 1 + LIGHT, (LATTICE, LATTICE))
        light = cv2.resize(lattice.astype(np.float32), (size, size))
        picture = cv2.multiply(
            drawn[number % len(drawn)][0][..., ::-1], cv2.merge([light] * 3), dtype=cv2.CV_8U
        )
        image = folder / "image" / f"{number:07}.jpg"
        cv2.imwrite(str(image), picture, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
        os.link(masks / f"{number % len(drawn)}.png", folder / "label" / f"{number:07}.png")

    for _ in in_order(write, range(count)):
        pass
    return folder


def write_part(whole: Path, folder: Path, count: int) -> Path:
    """Link the first `count` pairs of a set into a new folder; return it."""
    for kind, suffix in (("image", ".jpg"), ("label", ".png")):
        (folder / kind).mkdir(parents=True)
        for name in (f"{number:07}{suffix}" for number in range(count)):
            os.link(whole / kind / name, folder / kind / name)
    return folder


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
    """Return the most memory that this process has held so far, in MB, as Linux tells it."""
    # What `getrusage` tells begins with what the parent process held.
    return int(Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0]) / 1e3


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
        split = Split(*draw(pairs, 0, Settings.validation, Settings.test, folder), folder)
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
        sizes = {f"{name}, bytes": path.stat().st_size for name, path in sizes.items()}
    with clock.stage("recognise", len(split.test)):
        seen.find(split.test)
    return {"rows": clock.rows, "measured": sizes}


def judged_pairs(folder: Path) -> list:
    """Return the pairs of a set, which say how they are to be read.

    `filter_split` would look at all of them again; the masks of a set are copies of a few.
    """
    pairs = find_parts(folder)[""].labelled
    legend = look_at(spread(pairs, JUDGED), progress=False)[0][0].legend
    return [replace(pair, legend=legend) for pair in pairs]


def training(folder: Path, sample: int) -> dict:
    """Time a sample of an epoch, and what a training does around its epochs."""
    start = time.perf_counter()
    startup.start_keras()
    from benchmarks import speedrun_rates
    from benchmarks.speedrun_clock import Task, compiled, endless_batches, step_seconds
    from data import ValidationData
    from lesion.predict.network import Network
    from lesion.score.choice import choose_mask_rule
    from lesion.score.evaluation import MOST_PICTURES, evaluate, fit_disc
    from unet import build

    measured = {"starting Keras, seconds": time.perf_counter() - start}
    pairs = judged_pairs(folder)
    train, validation, test = draw(pairs, 0, Settings.validation, Settings.test, folder)
    clock = Clock("training", len(pairs))
    feed(clock, train, sample)
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
    own = build(TRAINED, (OWN_SIZE, OWN_SIZE, 3))
    own.set_weights(model.get_weights())
    network, few = Network(own, OWN_SIZE), spread(validation, sample // SHORTER)
    choose_mask_rule(network, few[:1], progress=False)
    with clock.stage("choose the mask rule", len(few), min(len(validation), MOST_PICTURES)):
        choose_mask_rule(network, few, progress=False)
    few = spread(test, sample // SHORTER)
    with clock.stage("score", len(few), len(test)):
        evaluate(network, few, progress=False)
    few = spread(train, sample)
    with clock.stage("fit the disc", len(few), len(train)):
        fit_disc(few)
    measured |= checkpoint(model)
    measured |= {
        "steps, share of the mean": np.round(seconds / np.mean(seconds), 3).tolist(),
        "parameters": model.count_params(),
        "GFLOP of a forward pass": speedrun_rates.forward_flops(own) / 1e9,
        "matrix product, GFLOP/s": speedrun_rates.multiplied(),
    }
    return {"rows": clock.rows, "measured": measured}


def feed(clock: Clock, train: list, sample: int) -> None:
    """Time what one core does for a picture before it is trained on."""
    from data import augment, load_pair

    few = spread(train, sample)
    with clock.stage("decode", len(few), len(train)):
        loaded = [load_pair(pair, OWN_SIZE) for pair in few]
    with tempfile.TemporaryDirectory() as folder:
        load = Kept(Path(folder))
        for pair in few:
            load(pair, OWN_SIZE)
        with clock.stage("read from the cache", len(few), len(train)):
            for pair in few:
                load(pair, OWN_SIZE)
    with clock.stage("augment", len(few), len(train)):
        for number, pair in enumerate(loaded):
            augment(*pair, np.random.default_rng(number))


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
    few = list(map(read_image, spread(paths, sample // SHORTER)))
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
