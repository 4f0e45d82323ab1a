"""Scores of a network on pairs, each at its own size, beside baselines that learned nothing.

network.threshold = best_threshold(validation_curve(network, split.validation))
rows = evaluate(network, split.test, fit_disc(split.train))
summary = write_scores(run, rows)
print(describe(summary))
"""

from collections import deque
from pathlib import Path

import numpy as np
from tqdm import tqdm

from baselines import CentredDisc, baseline_table
from data import read_mask, read_pair
from metrics import mask_at, score_pair, threshold_curve
from prediction import predict_probabilities
from runs import write_json, write_table
from summaries import compare_paired, strata, summarise

MODEL = "U-Net"
COMPARED = ("dice", "jaccard", "thresholded_jaccard", "sensitivity", "specificity")
STRATA = ("lesion_size", "touches_frame", "dx", "localization")


def predict_pairs(network, pairs, progress=True):
    """Reads and predicts pairs one after the other, whatever their number.

    Args:
        network: a `prediction.Network`.
        pairs: list of `data.Pair` with masks.
        progress: shows a bar.

    Yields:
        (pair, picture uint8 (H, W, C), truth mask (H, W) of 0 and 1, probability float32 (H, W)).

    Raises:
        ValueError: a file cannot be read, or picture and mask differ in size.
    """
    waiting = deque()

    def pictures():
        for pair in tqdm(pairs, desc="predicting", unit="picture", disable=not progress):
            picture, truth = read_pair(pair, network.channels)
            waiting.append((pair, picture, truth))
            yield picture

    for probability in predict_probabilities(network, pictures()):
        yield *waiting.popleft(), probability


def validation_curve(network, pairs, progress=True):
    """Mean Dice on validation pairs at each of `metrics.THRESHOLDS`: float64 (T,)."""
    predicted = predict_pairs(network, pairs, progress)
    return threshold_curve((truth, probability) for _, _, truth, probability in predicted)


def fit_disc(pairs):
    """Fits the centred disc, a baseline, on the masks of training pairs."""
    return CentredDisc.fit(read_mask(pair.mask) for pair in pairs)


def evaluate(network, pairs, disc, progress=True):
    """Scores the network and every baseline on each pair, at the picture's own size.

    Args:
        network: a `prediction.Network`; its threshold makes masks of probabilities.
        pairs: list of `data.Pair` with masks.
        disc: `CentredDisc` fitted on training masks.
        progress: shows a bar.

    Returns:
        list of dicts, one for each picture and method: name, method (MODEL or a baseline's name),
        then `metrics.score_pair`, then the picture's metadata if it has any.
    """
    rows = []
    for pair, picture, truth, probability in predict_pairs(network, pairs, progress):
        masks = {MODEL: mask_at(probability, network.threshold)}
        masks |= {name: draw(picture) for name, draw in baseline_table(disc).items()}
        for method, mask in masks.items():
            scores = score_pair(truth, mask)
            rows.append({"name": pair.name, "method": method, **scores, **pair.metadata})
    return rows


def of_method(rows, method=MODEL):
    """The rows of one method, in the order of the pictures."""
    return [row for row in rows if row["method"] == method]


def predictions_of(network, pairs, rows):
    """What `panels.plot_predictions` shows of some scored pictures, in the order of `rows`.

    Args:
        network: a `prediction.Network`.
        pairs: list of `data.Pair` that holds those pictures.
        rows: rows of `evaluate`, such as the four with the lowest Dice.
    """
    by_name = {pair.name: pair for pair in pairs}
    chosen = [by_name[row["name"]] for row in rows]
    predicted = predict_pairs(network, chosen, progress=False)
    return [
        {
            "name": pair.name,
            "dice": row["dice"],
            "picture": picture,
            "truth": truth,
            "prediction": mask_at(probability, network.threshold),
        }
        for row, (pair, picture, truth, probability) in zip(rows, predicted, strict=True)
    ]


def compare_models(name_a, rows_a, name_b, rows_b):
    """Two models on the same pictures, score by score.

    Args:
        name_a, name_b: what to call them.
        rows_a, rows_b: rows of `evaluate` of one method each, in the same order of pictures.

    Returns:
        list of dicts, one a score: its mean for each model, the mean paired difference (a - b),
        the ends of its 95 % interval, and the p-value of `summaries.compare_paired`.

    Raises:
        ValueError: the two do not hold the same pictures.
    """
    if [row["name"] for row in rows_a] != [row["name"] for row in rows_b]:
        raise ValueError(f"{name_a} and {name_b} were not scored on the same pictures")
    table = []
    for score in COMPARED:
        a, b = ([row[score] for row in rows] for rows in (rows_a, rows_b))
        paired = compare_paired(a, b)
        low, high = paired["interval"]
        table.append(
            {
                "score": score,
                name_a: round(float(np.mean(a)), 4),
                name_b: round(float(np.mean(b)), 4),
                "difference": round(paired["mean_difference"], 4),
                "from": round(low, 4),
                "to": round(high, 4),
                "p": float(f"{paired['p_value']:.2g}"),
            }
        )
    return table


def format_table(rows):
    """A list of dicts as text in aligned columns."""
    lines = [list(rows[0]), *([str(value) for value in row.values()] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(f"{cell:>{width}}" for cell, width in zip(line, widths, strict=True))
        for line in lines
    )


def summarise_methods(rows):
    """`summaries.summarise` of each method, and how much better the network is than each baseline.

    Returns:
        dict: "methods" name -> summary; "model_minus" baseline -> paired difference of Dice;
        "strata" column -> list of parts, of the network's rows.
    """
    methods = list(dict.fromkeys(row["method"] for row in rows))
    model = of_method(rows)
    dice = [row["dice"] for row in model]
    return {
        "methods": {method: summarise(of_method(rows, method)) for method in methods},
        "model_minus": {
            method: compare_paired(dice, [row["dice"] for row in of_method(rows, method)])
            for method in methods
            if method != MODEL
        },
        "strata": {
            key: strata(model, key)
            for key in STRATA
            if key in ("lesion_size", "touches_frame") or key in model[0]
        },
    }


def write_scores(directory, rows, about):
    """Writes scores.csv (one line for each picture and method) and scores.json (the summaries).

    Args:
        directory: existing folder.
        rows: what `evaluate` returned.
        about: dict of what was scored (weights, set, threshold), put first into scores.json.

    Returns:
        the content of scores.json.
    """
    summary = {**about, **summarise_methods(rows)}
    write_table(Path(directory) / "scores.csv", rows)
    write_json(Path(directory) / "scores.json", summary)
    return summary


def describe(summary):
    """The summary as a text table: per-picture means with 95 % intervals, a line a method."""
    methods = summary["methods"]
    count = methods[MODEL]["count"]
    width = max(len(name) for name in methods)
    lines = [
        f"{count} pictures, each scored at its own size; means over pictures [95 % interval]",
        f"{'':{width}}  {'Dice':^20}  {'Jaccard':^20}  Dice < 0.5",
    ]
    for name, scores in methods.items():
        columns = [
            "{:.3f} [{:.3f}, {:.3f}]".format(scores[key]["mean"], *scores[key]["interval"])
            for key in ("dice", "jaccard")
        ]
        failed = scores["share_dice_below_0.5"]
        lines.append(f"{name:{width}}  {columns[0]:20}  {columns[1]:20}  {failed:8.1%}")
    return "\n".join(lines)
