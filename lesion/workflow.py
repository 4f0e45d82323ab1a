"""Whole runs, for the command line: the steps that the notebook shows one by one.

train(load_split("my_data"), run, epochs=60)      # trains, chooses a threshold, scores, saves
pairs, set_name = select_pairs("my_data", "runs/mine/model.keras")
score(network, pairs, set_name, directory)
"""

import json
import os
from dataclasses import replace
from pathlib import Path

import keras

from data import make_dataset, make_training_dataset
from lesion import show
from lesion.console import InputError
from lesion.inputs.splitting import Split, find_parts, load_split
from lesion.predict.network import Network, load_network, start_from
from lesion.report import write_report
from lesion.runs import describe_environment
from lesion.score.choice import choose_mask_rule
from lesion.score.evaluation import (
    MODEL,
    evaluate,
    fit_disc,
    of_method,
    predictions_of,
)
from lesion.score.results import describe, write_scores
from lesion.score.summaries import Calibration
from lesion.settings import FINE_TUNING
from lesion.storage import read_table, write_json
from lesion.training import (
    CHECKPOINT,
    compile_model,
    fit,
    save_model,
)
from unet import NETWORKS, build

EVERY_PAIR = "every pair"  # what a set is called that is no part of a split
SHOWN = 4  # pictures in a figure of the worst or the best
PATIENCE = 0.4  # of all epochs without a better validation Dice end a training


def train(split, run, model="lean", epochs=60, image_size=128, batch_size=8, loss=None, channels=3,
          seed=0, weights=None):  # fmt: skip
    """Trains a network on a split, chooses its threshold on validation, scores it, saves all.

    A folder that holds the beginning of the same training is gone on with from its last checkpoint
    and ends as if it had never been interrupted.

    Args:
        split: `data.Split` with training and validation pairs; without test pairs the scores are
            those of the validation pairs, and say so.
        run: existing folder, see `runs`.
        model: "lean", "lite" or "classic".
        loss: "bce", "dice", "bce_dice" or None for the network's own.
        epochs, image_size (pixels a side), batch_size, channels (1 gray, 3 RGB), seed: as named.
        weights: saved network of the same kind to start from; None starts from random weights.

    Returns:
        `prediction.Network`.

    Raises:
        ValueError: a file cannot be read, or the folder holds another training.
    """
    settings = {
        "model": model,
        "image_size": image_size,
        "channels": channels,
        "loss": loss or NETWORKS[model].loss,
        "epochs": epochs,
        "batch_size": batch_size,
        "learning_rate": NETWORKS[model].learning_rate * (FINE_TUNING if weights else 1),
        "patience": max(5, round(PATIENCE * epochs)),
        "seed": seed,
        "data": str(Path(split.root).resolve()),
        "start_from": str(Path(weights).resolve()) if weights else "scratch",
    }
    _record(run, settings, split)
    print(
        f"{len(split.train)} pairs for training, {len(split.validation)} for validation, "
        f"{len(split.test)} for test"
    )
    if (run / "model.keras").exists():  # stopped while it was being scored
        network, history = load_network(run / "model.keras"), read_table(run / "history.csv")
    else:
        unet, history = _fit(split, run, settings)
        network = finish(unet, split, settings, run)
    pairs, set_name = (split.test, "test") if split.test else (split.validation, "validation")
    show.save(show.curves(history), run / "figures" / "curves.png")
    score(network, _unique_names(pairs, split.root), set_name, run)
    return network


def _fit(split, run, settings):
    """Trains from the beginning or from the checkpoint in `run`; returns (model, history)."""
    keras.utils.set_random_seed(settings["seed"])
    size, batch_size, channels = (settings[k] for k in ("image_size", "batch_size", "channels"))
    epochs, patience = settings["epochs"], settings["patience"]
    training_data, counter = make_training_dataset(
        split.train, size, batch_size, channels, settings["seed"]
    )
    validation_data = make_dataset(split.validation, size, batch_size, channels)
    model = build(settings["model"], (size, size, channels))
    if settings["start_from"] != "scratch" and not (run / CHECKPOINT).exists():
        start_from(model, settings["start_from"])
    rate = settings["learning_rate"]
    compile_model(model, settings["loss"], epochs, len(training_data), rate)
    history = fit(
        model, training_data, counter, validation_data, epochs, run, patience, resume=True
    )
    return model, history


def _record(run, settings, split):
    """Writes what a training is into its folder, or checks that it is the one begun there."""
    path = run / "parameters.json"
    if path.is_file():
        if (run / "report.html").exists():  # what is written last
            raise InputError(
                f"{run}: this training has ended: score its model.keras with segment.py evaluate"
            )
        begun = json.loads(path.read_text(encoding="utf-8"))
        other = [key for key, value in settings.items() if begun.get(key) != value]
        if other:
            begun_with = ", ".join(f"{key} {begun.get(key)}" for key in other)
            raise InputError(f"{run}: this training was begun with {begun_with}: resume with that")
        if json.loads((run / "split.json").read_text(encoding="utf-8")) != split.to_dict():
            raise InputError(
                f"{run}: the pictures in {settings['data']} have changed since this training "
                "was begun: bring them back, or begin anew in another folder"
            )
        return
    split.write(run / "split.json")
    write_json(path, {**settings, **describe_environment()})


def draw_figures(network, pairs, set_name, rows, summary, directory):
    """Draws the figures of a scored set as PNG files.

    Args:
        network, pairs: what was scored.
        set_name: "training", "validation" or "test", or other words for the set.
        rows, summary: what `evaluation.evaluate` and `evaluation.write_scores` returned.
        directory: where the files go; made if missing.

    Returns:
        dict of name -> `Path`; the names are among `report.FIGURE_WORDS`.
    """
    set_name = "whole" if set_name == EVERY_PAIR else set_name
    model = of_method(rows)
    dice = {
        method: [row["dice"] for row in of_method(rows, method)] for method in summary["methods"]
    }
    ours = dice.pop(MODEL)
    share = [row["true_pixels"] / row["picture_pixels"] for row in model]
    figures = {
        "scores": show.score_distribution({MODEL: ours}, dice, set_name),
        "quality": show.risk_coverage([row["quality"] for row in model], ours, set_name),
        "size": show.size_against_dice(share, ours, set_name),
    }
    if "calibration" in summary:
        figures["reliability"] = show.reliability(summary["calibration"], set_name)
    ranking = sorted(model, key=lambda row: row["dice"])
    for name, chosen in (("lowest", ranking[:SHOWN]), ("highest", ranking[::-1][:SHOWN])):
        panels = predictions_of(network, pairs, chosen)
        figures[name] = show.predictions(panels, f"{set_name} set, {name} Dice first")
        if name == "lowest":
            title = f"Border errors, {set_name} set, lowest Dice first"
            figures["borders"] = show.border_errors(panels, title)
    return {
        name: show.save(figure, Path(directory) / f"{name}.png") for name, figure in figures.items()
    }


def finish(model, split, settings, run):
    """Chooses on validation pairs how masks are made of probabilities; saves model and settings.

    Returns:
        `prediction.Network`, as `load_network(run / "model.keras")` would give it.
    """
    network = Network(model, settings["image_size"])
    rule = choose_mask_rule(network, split.validation, progress=False)
    network.threshold, network.one_lesion = rule.threshold, rule.one_lesion
    print(rule)
    network.settings = {
        **settings,
        "threshold": network.threshold,
        "one_lesion": network.one_lesion,
        "validation_dice": rule.validation_dice,
        "centred_disc_radius": fit_disc(split.train).radius,
        **describe_environment(),
    }
    save_model(model, Path(run) / "model.keras", network.settings)
    return network


def score(network, pairs, set_name, directory):
    """Scores pairs, writes the scores, figures/ and report.html into a folder, prints the table.

    Returns:
        (rows of `evaluation.evaluate`, content of scores.json).
    """
    calibration = Calibration()
    rows = evaluate(network, pairs, calibration=calibration)
    about = {"set": set_name, "threshold": network.threshold, "image_size": network.image_size}
    summary = write_scores(directory, rows, about, calibration)
    print(f"{set_name}: {describe(summary)}")
    figures = draw_figures(network, pairs, set_name, rows, summary, Path(directory) / "figures")
    curves = Path(directory) / "figures" / "curves.png"  # of the training, if it was here
    figures |= {"curves": curves} if curves.is_file() else {}
    write_report(Path(directory) / "report.html", rows, summary, figures)
    return rows, summary


def select_pairs(directory, weights, part=None):
    """The pairs of a data folder that a network may be scored on, and what to call them.

    Args:
        directory: data folder.
        weights: path of the network; a split.json beside it tells which pairs it was trained on.
        part: "train", "validation", "test" or "all"; None takes the test part where the folder or
            the network's own split names one, and else every pair.

    Returns:
        (list of `data.Pair`, words for the set).

    Raises:
        ValueError: the part has no pairs.
    """
    folders = find_parts(directory)
    every = [pair for folder in folders.values() for pair in folder.labelled]
    split = None
    if part != "all":
        split = own_split(weights, every)
        for problem in split.problems if split else ():
            print(f"note: {problem}")
        split = split or _given_split(directory, folders, part)
    if split is None:
        part, pairs = "all", every
    else:
        part = part or ("test" if split.test else "validation")
        pairs = getattr(split, part)
    if not pairs:
        where = "folder" if part == "all" else f"{part} part"
        remedy = "add masks" if part == "all" else "add masks or name another --part"
        raise InputError(f"{directory}: no picture of this {where} has a mask; {remedy}")
    return _unique_names(pairs, directory), {"all": EVERY_PAIR}.get(part, part)


def _unique_names(pairs, directory):
    """The pairs, named by their paths where two folders, as train/ and test/, both hold a 0."""
    if len({pair.name for pair in pairs}) == len(pairs):
        return pairs
    paths = [Path(os.path.relpath(pair.image, directory)).with_suffix("") for pair in pairs]
    return [replace(pair, name=path.as_posix()) for pair, path in zip(pairs, paths, strict=True)]


def own_split(weights, pairs):
    """The split beside a network's file, which it was trained with; None if of other pairs."""
    path = Path(weights).with_name("split.json")
    if not path.is_file():
        return None
    return Split.read(path, pairs)


def _given_split(directory, folders, part):
    """The split that the folder itself gives, by sub-folders or id lists."""
    has_lists = "" in folders and (folders[""].root / "train.txt").is_file()
    if part is None and "" in folders and not has_lists:
        return None
    return load_split(directory)
