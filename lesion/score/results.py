"""What the rows of a scored set come to: a summary, files, a table.

summary = write_scores(run, rows, {"set": "test"}, calibration)
print(describe(summary))
"""

from collections.abc import Sequence
from pathlib import Path

from lesion.console import counted
from lesion.score.evaluation import HUMAN, MODEL, of_method
from lesion.score.quality import FLAGGED_SHARE, assess_quality
from lesion.score.summaries import (
    FAILURE_DICE,
    SHARE_FAILED,
    Calibration,
    compare_paired,
    strata,
    summarise,
)
from lesion.storage import write_json, write_table

# Scores that tell how far people agree, and what they are called.
PEOPLE = {"dice": "Dice", "thresholded_jaccard": "thresholded Jaccard"}
STRATA = ("lesion_size", "touches_frame", "dx", "localization")


def format_table(rows: Sequence[dict]) -> str:
    """Return a list of dicts as text in aligned columns."""
    lines = [list(rows[0]), *([str(value) for value in row.values()] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(f"{cell:>{width}}" for cell, width in zip(line, widths, strict=True))
        for line in lines
    )


def summarise_methods(rows: Sequence[dict]) -> dict:
    """Summarise each method, and how much better the network is than each of the others.

    Returns:
        dict: "methods" name -> `summaries.summarise`; "model_minus" other method -> paired
        difference of Dice, on the pictures that the other method has;
        "strata" column -> list of parts, of the network's rows; "quality" -> how well the quality
        estimate finds the network's failures, see `quality.assess_quality`; "people", where some
        pictures have a second annotator: "count" of these and, on them alone, "second annotator"
        and "network", each against the first annotator: score of PEOPLE -> mean and interval.
    """
    methods = list(dict.fromkeys(row["method"] for row in rows))
    model = of_method(rows)
    dice = [row["dice"] for row in model]
    people = {"people": _beside_people(model, of_method(rows, HUMAN))} if HUMAN in methods else {}
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
    } | people


def _difference(model, others):
    by_name = {row["name"]: row["dice"] for row in model}
    return compare_paired([by_name[row["name"]] for row in others], [r["dice"] for r in others])


def _beside_people(model, human):
    """Return how two annotators agree, and the network with the first, on the same pictures."""
    names = {row["name"] for row in human}
    compared = {HUMAN: human, "network": [row for row in model if row["name"] in names]}
    summaries = {who: summarise(rows) for who, rows in compared.items()}
    return {"count": len(human)} | {
        who: {score: {key: summary[score][key] for key in ("mean", "interval")} for score in PEOPLE}
        for who, summary in summaries.items()
    }


def describe_people(people: dict) -> str:
    """Return in words what `summarise_methods` says of two annotators and the network."""
    scores = {
        who: ", ".join(
            f"{words} {mean_with_interval(people[who][score])}" for score, words in PEOPLE.items()
        )
        for who in (HUMAN, "network")
    }
    return (
        f"second annotator against the first, {counted(people['count'])}: {scores[HUMAN]}; "
        f"the network on the same: {scores['network']}"
    )


def mean_with_interval(score: dict) -> str:
    """Return the mean of a summarised score with its 95 % interval, in words."""
    return in_brackets(score["mean"], *score["interval"])


def in_brackets(mean: float, lower: float, upper: float) -> str:
    """Return a mean with its interval behind it, unless that is a point, as of one picture."""
    return f"{mean:.3f}" + (f" [{lower:.3f}, {upper:.3f}]" if lower < upper else "")


def summarise_calibration(calibration: Calibration) -> dict:
    """Return expected calibration error and bins that hold pixels, ready for JSON."""
    columns = {key: values.tolist() for key, values in calibration.curve().items()}
    bins = [
        dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)
    ]
    return {
        "expected_calibration_error": calibration.expected_calibration_error(),
        "bins": [part for part in bins if part["pixels"]],
    }


def write_scores(
    directory: str | Path,
    rows: Sequence[dict],
    about: dict,
    calibration: Calibration | None = None,
) -> dict:
    """Write scores.csv (one line for each picture and method) and scores.json (the summaries).

    Args:
        directory: existing folder.
        rows: what `evaluate` returned.
        about: what was scored (weights, set, threshold), put first into scores.json.
        calibration: what `evaluate` filled, or None to leave it out.

    Returns:
        the content of scores.json.
    """
    summary = {**about, **summarise_methods(rows)}
    if calibration is not None:
        summary["calibration"] = summarise_calibration(calibration)
    write_table(Path(directory) / "scores.csv", rows)
    write_json(Path(directory) / "scores.json", summary)
    return summary


def describe(summary: dict) -> str:
    """Return the summary as text: means with 95 % intervals, a line a method, and more."""
    methods = summary["methods"]
    count = methods[MODEL]["count"]
    width = max(len(name) for name in methods)
    lines = [
        f"{counted(count)}, each scored at its own size; means over pictures [95 % interval]",
        f"{'':{width}}  {'Dice':^20}  {'Jaccard':^20}  Dice < {FAILURE_DICE}",
    ]
    for name, scores in methods.items():
        columns = [mean_with_interval(scores[key]) for key in ("dice", "jaccard")]
        lines.append(
            f"{name:{width}}  {columns[0]:20}  {columns[1]:20}  {scores[SHARE_FAILED]:8.1%}"
        )
        if scores["count"] < count:
            lines[-1] += f"   ({counted(scores['count'])})"
    pooled = ", ".join(f"{name} {scores['pooled_dice']:.3f}" for name, scores in methods.items())
    lines.append(f"pooled Dice, the pixels of all pictures counted together: {pooled}")
    if "people" in summary:
        lines.append(describe_people(summary["people"]))
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
