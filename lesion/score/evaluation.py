"""Scores of a network on pairs, each at its own size, beside baselines that learned nothing.

network.threshold = best_threshold(validation_curve(network, split.validation))
rows = evaluate(network, split.test, fit_disc(split.train))
summary = write_scores(run, rows)
print(describe(summary))
"""

from collections import deque
from dataclasses import replace
from pathlib import Path

import numpy as np
from tqdm import tqdm

from lesion.inputs.reading import read_image, read_mask, read_pair
from lesion.masks import mask_at
from lesion.predict.network import FLIPS, agreement, at_own_size, predict_probability, predict_views
from lesion.score.baselines import CentredDisc, baseline_table
from lesion.score.metrics import dice_at_thresholds, score_pair, threshold_curve
from lesion.score.quality import FLAGGED_SHARE, assess_quality
from lesion.score.summaries import FAILURE_DICE, compare_paired, strata, summarise
from lesion.storage import write_json, write_table

MODEL = "U-Net"
HUMAN = "second annotator"
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
    for pair, picture, truth, views in _predict_views(network, pairs, progress, flips=((),)):
        yield pair, picture, truth, at_own_size(views[0], picture)


def _predict_views(network, pairs, progress, flips):
    """As `predict_pairs`, with the views of `prediction.predict_views` for the probability."""
    waiting = deque()

    def pictures():
        for pair in tqdm(pairs, desc="predicting", unit="picture", disable=not progress):
            picture, truth = read_pair(pair, network.channels)
            waiting.append((pair, truth))
            yield picture

    for picture, views in predict_views(network, pictures(), flips):
        pair, truth = waiting.popleft()
        yield pair, picture, truth, views


def validation_curve(network, pairs, progress=True):
    """Mean Dice on validation pairs at each of `metrics.THRESHOLDS`: float64 (T,)."""
    predicted = predict_pairs(network, pairs, progress)
    return threshold_curve((truth, probability) for _, _, truth, probability in predicted)


def gain_of_one_lesion(network, pairs, progress=True):
    """Mean Dice on validation pairs that is won by keeping the largest piece of each mask only."""
    gains = []
    for _, _, truth, probability in predict_pairs(network, pairs, progress):
        masks = [replace(network, one_lesion=choice).mask_of(probability) for choice in (1, 0)]
        one, every = (dice_at_thresholds(truth, np.float32(mask), [0.5])[0] for mask in masks)
        gains.append(one - every)
    return float(np.mean(gains))


def fit_disc(pairs):
    """Fits the centred disc, a baseline, on the masks of training pairs."""
    return CentredDisc.fit(read_mask(pair.mask) for pair in pairs)


def disc_of(network):
    """The centred disc of a network's training masks; None for foreign weights without one."""
    radius = network.settings.get("centred_disc_radius")
    return None if radius is None else CentredDisc(float(radius))


def evaluate(network, pairs, disc, progress=True, calibration=None):
    """Scores the network and every baseline on each pair, at the picture's own size.

    Args:
        network: a `prediction.Network`; its threshold makes masks of probabilities.
        pairs: list of `data.Pair` with masks.
        disc: `CentredDisc` fitted on training masks.
        progress: shows a bar.
        calibration: `summaries.Calibration` that counts the network's probabilities, or None.

    Returns:
        list of dicts, one for each picture and method: name, method (MODEL, a baseline's name, or
        HUMAN for a second annotator's mask where the picture has one: human against human), then
        `metrics.score_pair`, quality (`quality.agreement` of the network's masks of the picture
        and its mirror images; None for the others), then the picture's metadata if any.
    """
    rows = []
    for pair, picture, truth, views in _predict_views(network, pairs, progress, FLIPS):
        probability = at_own_size(views[0], picture)
        if calibration is not None:
            calibration.update(truth, probability)
        quality = {MODEL: agreement(mask_at(views, network.threshold))}
        masks = {MODEL: network.mask_of(probability)}
        masks |= {name: draw(picture) for name, draw in baseline_table(disc).items()}
        if pair.second_mask is not None:
            masks[HUMAN] = _second_mask(pair, truth)
        for method, mask in masks.items():
            row = {"name": pair.name, "method": method, **score_pair(truth, mask)}
            row["quality"] = quality.get(method)
            # A metadata file may have a column "name" or "quality" too.
            rows.append(row | {k: v for k, v in pair.metadata.items() if k not in row})
    return rows


def _second_mask(pair, truth):
    mask = read_mask(pair.second_mask)
    if mask.shape != truth.shape:
        raise ValueError(
            f"{pair.second_mask}: the second annotator's mask is {mask.shape} (height, width), the "
            f"first one's {truth.shape}; save both at the picture's size"
        )
    return mask


def of_method(rows, method=MODEL):
    """The rows of one method, in the order of the pictures."""
    return [row for row in rows if row["method"] == method]


def predictions_of(network, pairs, rows):
    """What `show.predictions` shows of some scored pictures, in the order of `rows`.

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
            "prediction": network.mask_of(probability),
        }
        for row, (pair, picture, truth, probability) in zip(rows, predicted, strict=True)
    ]


def predictions_without_truth(network, pairs):
    """What `show.predictions` shows of pictures that have no label.

    Another model's prediction that cannot be read as a mask is left out, and a note says so.

    Args:
        network: a `prediction.Network`.
        pairs: list of `data.Pair` whose mask is None.
    """
    panels = []
    for pair in pairs:
        picture = read_image(pair.image, network.channels)
        prediction = network.mask_of(predict_probability(network, picture))
        other = None
        if pair.prediction is not None:
            try:
                other = read_mask(pair.prediction)
            except ValueError as error:
                print(f"note: not shown: {error}")
        panels.append(
            {"name": pair.name, "picture": picture, "prediction": prediction, "other": other}
        )
    return panels


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
        dict: "methods" name -> summary; "model_minus" other method -> paired difference of Dice,
        on the pictures that the other method has;
        "strata" column -> list of parts, of the network's rows; "quality" -> how well the quality
        estimate finds the network's failures, see `quality.assess_quality`.
    """
    methods = list(dict.fromkeys(row["method"] for row in rows))
    model = of_method(rows)
    dice = [row["dice"] for row in model]
    return {
        "methods": {method: summarise(of_method(rows, method)) for method in methods},
        "model_minus": {
            method: _difference(model, of_method(rows, method))
            for method in methods
            if method != MODEL
        },
        "strata": {
            key: strata(model, key)
            for key in STRATA
            if key in ("lesion_size", "touches_frame") or any(key in row for row in model)
        },
        "quality": assess_quality([row["quality"] for row in model], dice),
    }


def _difference(model, others):
    by_name = {row["name"]: row["dice"] for row in model}
    return compare_paired([by_name[row["name"]] for row in others], [r["dice"] for r in others])


def summarise_calibration(calibration):
    """Expected calibration error, and the bins of the curve that hold pixels, ready for JSON."""
    columns = {key: values.tolist() for key, values in calibration.curve().items()}
    bins = [
        dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)
    ]
    return {
        "expected_calibration_error": calibration.expected_calibration_error(),
        "bins": [part for part in bins if part["pixels"]],
    }


def write_scores(directory, rows, about, calibration=None):
    """Writes scores.csv (one line for each picture and method) and scores.json (the summaries).

    Args:
        directory: existing folder.
        rows: what `evaluate` returned.
        about: dict of what was scored (weights, set, threshold), put first into scores.json.
        calibration: the `Calibration` that `evaluate` filled, or None to leave it out.

    Returns:
        the content of scores.json.
    """
    summary = {**about, **summarise_methods(rows)}
    if calibration is not None:
        summary["calibration"] = summarise_calibration(calibration)
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
        if scores["count"] < count:
            lines[-1] += f"   ({scores['count']} pictures)"
    if count >= 1 / FLAGGED_SHARE:
        quality = summary["quality"]
        lines.append(
            f"of the {quality['flagged']} pictures with the lowest quality estimate "
            f"{quality['failed_among_flagged']:.1%} have Dice < {FAILURE_DICE}, "
            f"of all {quality['failed_among_all']:.1%}"
        )
    if "calibration" in summary:
        error = summary["calibration"]["expected_calibration_error"]
        lines.append(f"expected calibration error of the pixels' probabilities {error:.3f}")
    return "\n".join(lines)
