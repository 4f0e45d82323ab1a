"""What a given time of training buys: the sections em, isic and finetune of `speedrun.py`."""

import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import keras
import numpy as np
from PIL import Image

from benchmarks.membrane import (
    SEED_NOTEBOOK_BEST,
    VALIDATION_PAIRS,
    batch_dice,
    find_slices,
)
from benchmarks.speedrun_clock import (
    Task,
    classic_picture,
    endless_batches,
    network_of,
    plan,
    timed_training,
    train,
)
from data import ValidationData
from lesion.console import InputError, usable_cores
from lesion.inputs.pairing import Pair
from lesion.inputs.reading import read_pair, resize_image, resize_mask
from lesion.inputs.splitting import load_split
from lesion.predict.network import Network, load_keras_network, start_from
from lesion.score.evaluation import predict_pairs
from lesion.score.metrics import dice
from lesion.score.summaries import bootstrap_interval
from lesion.settings import FINE_TUNING
from lesion.training import compile_model
from unet import NETWORKS, build

THRESHOLD = 0.5  # of all networks here: none is chosen on the pictures that are scored
EM_SIZE = 512
EM_TRAINING = {"batch": 2, "channels": 1, "loss": "dice", "learning_rate": 4e-3}
EM_EVALUATIONS = 20
ISIC_TRAINING = {
    "size": 96,
    "batch": 16,
    "channels": 3,
    "loss": "bce_dice",
    "kind": "lite",
    "averaging": 0.1,
}
POLICIES = ("float32", "mixed_bfloat16")
FINETUNE_STEPS, FINETUNE_BATCH = 150, 8
MOST_SCORED = 500  # pictures


def prepared(pairs, folder, channels, change):
    """Copies of pairs as the training wants them, so that it need not make them in every epoch.

    Args:
        pairs: list of `data.Pair`.
        folder: where the copies go, as PNG.
        channels: 1 gray, 3 RGB.
        change: (picture uint8 (H, W, C), 0/1 mask (H, W)) -> list of such (picture, mask).

    Returns:
        (list of `data.Pair`, seconds it took).
    """
    start = time.perf_counter()

    def copy(pair):
        copies = []
        for number, arrays in enumerate(change(*read_pair(pair, channels))):
            paths = [Path(folder) / f"{pair.name}_{number}_{kind}.png" for kind in "xy"]
            for path, array in zip(paths, arrays, strict=True):
                Image.fromarray(array).save(path, compress_level=1)
            copies.append(Pair(pair.name, *paths, pair.group))
        return copies

    with ThreadPoolExecutor(usable_cores()) as pool:
        copies = [one for several in pool.map(copy, pairs) for one in several]
    return copies, time.perf_counter() - start


def quadrants(picture, mask):
    """A picture as four: more steps for the same pixels, and nothing is lost by resizing."""
    halves = [slice(None, EM_SIZE // 2), slice(EM_SIZE // 2, EM_SIZE)]
    picture, mask = _squeeze(resize_image(picture, EM_SIZE)), _squeeze(resize_mask(mask, EM_SIZE))
    return [(picture[y, x], mask[y, x]) for y in halves for x in halves]


def shrunken(picture, mask):
    """A picture at the size of the training: what is read in every epoch is read faster."""
    size = ISIC_TRAINING["size"]
    return [(_squeeze(resize_image(picture, size)), _squeeze(resize_mask(mask, size)))]


def _squeeze(values):
    """Float32 in [0, 1] as uint8, of one channel as (H, W): as a PNG file holds it."""
    return np.rint(values * 255).astype(np.uint8).squeeze()


def em(data, budget):
    """The first system's protocol (see membrane.py): soft Dice against classic pictures spent."""
    pairs = find_slices(data)
    if len(pairs) <= VALIDATION_PAIRS:
        raise InputError(
            f"{data}: holds {len(pairs)} pairs: {VALIDATION_PAIRS} are for validation, so "
            f"{VALIDATION_PAIRS + 1} are needed at least"
        )
    held_out = pairs[-VALIDATION_PAIRS:]
    x, y = next(iter(ValidationData(held_out, EM_SIZE, VALIDATION_PAIRS, channels=1)))
    unit = classic_picture(1)
    rows = []
    with tempfile.TemporaryDirectory() as temporary:
        parts, preparing = prepared(pairs[:-VALIDATION_PAIRS], temporary, 1, quadrants)
        task = Task(parts, size=EM_SIZE // 2, **EM_TRAINING)
        model, steps, trials = plan(task, budget * unit - preparing, POLICIES)
        show_trials(trials)
        twin = network_of(task, EM_SIZE)  # predicts whole pictures, in float32
        evaluate_at = set(np.linspace(1, steps, min(steps, EM_EVALUATIONS)).round().astype(int))
        for step, training in timed_training(model, endless_batches(task), steps):
            if step in evaluate_at:
                twin.set_weights(model.get_weights())
                dice = float(batch_dice(y, twin.predict_on_batch(x)))
                seconds = preparing + training
                row = {"cp": seconds / unit, "seconds": seconds}
                seen = step * task.pictures_a_step / 4  # quadrants
                rows.append({**row, "pictures": seen, "soft Dice": dice})
    reached = [row["cp"] for row in rows if row["soft Dice"] >= SEED_NOTEBOOK_BEST]
    within = [row["soft Dice"] for row in rows if row["cp"] <= budget]
    return {
        "seconds of a classic picture": unit,
        "trained in": next(iter(trials)),
        "evaluations": rows,
        f"cp until {SEED_NOTEBOOK_BEST}": min(reached, default=None),
        f"best soft Dice within {budget:g} cp": max(within, default=None),
        "soft Dice at the end": rows[-1]["soft Dice"],
        "soft Dice of an all-white answer": float(batch_dice(y, np.ones_like(y))),
    }


def show_trials(trials):
    """Prints what a step takes with each dtype policy; the first is the one that was taken."""
    for number, (name, seconds) in enumerate(trials.items()):
        print(f"{name}: {seconds:.3g} s a step{', taken' * (number == 0)}", flush=True)


def dice_scores(model, size, pairs):
    """Return the Dice of each pair at its own size, at THRESHOLD.

    Args:
        model: `keras.Model`.
        size: pixels a side of what it takes.
        pairs: list of `inputs.Pair` with masks.
    """
    network = Network(model, size, THRESHOLD)
    predicted = predict_pairs(network, pairs, progress=False)
    return [dice(truth, prediction.mask) for _, _, truth, prediction in predicted]


def mean_and_interval(scores):
    """Mean of Dice scores with the ends of its 95 % bootstrap interval, as part of a table."""
    low, high = bootstrap_interval(scores)
    return {"Dice": float(np.mean(scores)), "from": low, "to": high}


def isic(data, budget, seed=0):
    """From ImageNet's encoder to per-picture Dice on the validation pictures, within a budget."""
    split = load_split(data, validation=0.1, test=0.1)
    unit = classic_picture(3)
    with tempfile.TemporaryDirectory() as temporary:
        copies, preparing = prepared(split.train, temporary, 3, shrunken)
        task = Task(copies, seed=seed, **ISIC_TRAINING)
        model, steps, trials = plan(task, budget * unit - preparing, POLICIES)
        show_trials(trials)
        training = train(model, endless_batches(task), steps)
    twin = network_of(task)  # predicts in float32, whatever it was trained in
    twin.set_weights(model.get_weights())
    scores = dice_scores(twin, task.size, split.validation)
    return {
        "seconds of a classic picture": unit,
        "seed": seed,
        "trained in": next(iter(trials)),
        "seconds a step": trials,
        "budget, cp": budget,
        "spent, cp": (preparing + training) / unit,
        "spent, seconds": preparing + training,
        "of these for shrinking the pictures once": preparing,
        "steps": steps,
        "pictures seen": steps * task.pictures_a_step,
        "pictures scored": len(split.validation),
        "scores": mean_and_interval(scores),
    }


def some(pairs, count):
    """The first pairs of a shuffle that is always the same."""
    order = np.random.default_rng(0).permutation(len(pairs))
    return [pairs[index] for index in order[:count]]


def finetune(data, weights, pictures):
    """A few pictures of one's own: saved weights as they are, trained on, and random ones instead.

    The pictures must not be among those that the weights were made from; nothing checks that.
    """
    network = load_keras_network(weights)
    kind = network.model.name.removeprefix("unet_")
    if kind not in NETWORKS:
        raise InputError(f"{weights}: is no network of this project: give the model.keras of a run")
    split = load_split(data, validation=0.1, test=0.1)
    training, validation = some(split.train, pictures), some(split.validation, MOST_SCORED)
    task = Task(training, network.image_size, FINETUNE_BATCH, network.channels, NETWORKS[kind].loss)
    unit = classic_picture(3)

    def row(name, model, seconds, steps):
        scores = dice_scores(model, task.size, validation)
        spent = {"cp": seconds / unit, "seconds": seconds, "pictures": steps * task.pictures_a_step}
        return {"weights": name, **mean_and_interval(scores), **spent}

    rows = [row("as they are", network.model, 0.0, 0)]
    peak = NETWORKS[kind].learning_rate
    for name, rate in (("fine-tuned", peak * FINE_TUNING), ("from random ones", peak)):
        keras.utils.set_random_seed(task.seed)
        model = build(kind, task.input_shape)
        if name == "fine-tuned":
            start_from(model, weights)
        compile_model(model, task.loss, 1, FINETUNE_STEPS, rate)
        seconds = train(model, endless_batches(task), FINETUNE_STEPS)
        rows.append(row(name, model, seconds, FINETUNE_STEPS))
    return {
        "seconds of a classic picture": unit,
        "weights": str(weights),
        "steps": FINETUNE_STEPS,
        "pictures trained on": len(training),
        "pictures scored": len(validation),
        "scores": rows,
    }
