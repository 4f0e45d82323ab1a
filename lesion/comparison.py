"""Two or more saved networks on the same pictures, none of which any of them was trained on.

pairs, set_name, notes = common_pairs("my_data", ["runs/a/model.keras", "runs/b/model.keras"])
print(describe(compare({"a": network_a, "b": network_b}, pairs, set_name, directory)))
"""

from collections.abc import Sequence
from itertools import combinations
from pathlib import Path

import numpy as np

from lesion import show
from lesion.console import InputError, counted
from lesion.inputs import EVERY_PAIR, Pair, select_common
from lesion.predict.network import Network
from lesion.runs import describe_environment
from lesion.score.evaluation import MODEL, evaluate, of_method
from lesion.score.results import format_table, in_brackets
from lesion.score.summaries import compare_paired, summarise
from lesion.storage import write_json, write_table

COMPARED = ("dice", "jaccard", "thresholded_jaccard", "sensitivity", "specificity")
MEANS = ("dice", "jaccard", "thresholded_jaccard", "hd95", "surface_dice")
ENDS = ("", "_from", "_to")
DIGITS = 4  # after the point, of what is written
P_DIGITS = 2  # that count, of p values


def model_names(weights: Sequence[str | Path]) -> list[str]:
    """Return what to call networks that are told apart by their paths: the shortest that differs.

    Every training writes a model.keras, so the name is that of its folder; where folders have the
    same name too, as much of the path as it takes.

    Raises:
        ValueError: fewer than two files, or one is given twice.
    """
    paths = [Path(path).resolve() for path in weights]
    if len(paths) < 2 or len(set(paths)) < len(paths):
        raise InputError(
            f"{', '.join(map(str, weights))}: a comparison needs two or more different weights"
        )
    named = [path.parent if path.name == "model.keras" else path.with_suffix("") for path in paths]
    for depth in range(1, max(len(path.parts) for path in named) + 1):
        names = ["/".join(path.parts[-depth:]) for path in named]
        if len(set(names)) == len(names):
            return names
    return [str(path) for path in weights]  # a folder a/ with model.keras beside a file a.keras


def common_pairs(directory, weights):
    """Choose the pairs of a data folder on which all networks may be scored.

    Args and Raises: as `inputs.select_common`.

    Returns:
        (list of `inputs.Pair`, words for the set, list of remarks that a reader must know: which
        networks may have been trained on some of the pictures).
    """
    chosen = select_common(directory, weights)
    return chosen.pairs, chosen.set_name, [] if chosen.kept_apart else [chosen.remark]


def compare(
    networks: dict[str, Network], pairs: Sequence[Pair], set_name: str, directory: str | Path
) -> dict:
    """Score networks on the same pairs; write tables and figures.

    Written are scores.csv (a line for each picture and method), models.csv (means with their 95 %
    intervals), comparison.csv (paired differences), comparison.json (all of it) and figures/.

    Args:
        networks, pairs, set_name: as `score` takes them.
        directory: existing folder.

    Returns:
        the content of comparison.json.
    """
    content, methods = score(networks, pairs, set_name)
    directory = Path(directory)
    write_table(directory / "scores.csv", [row for scored in methods.values() for row in scored])
    write_table(directory / "models.csv", content["models"])
    write_table(directory / "comparison.csv", content["differences"])
    write_json(directory / "comparison.json", content)
    _draw(list(networks), methods, set_name, directory / "figures")
    return content


def score(
    networks: dict[str, Network], pairs: Sequence[Pair], set_name: str
) -> tuple[dict, dict[str, list[dict]]]:
    """Score networks on the same pairs, and write nothing.

    Args:
        networks: by name, two or more.
        pairs: with masks.
        set_name: words for the set.

    Returns:
        what comparison.json holds: set, pictures, models, differences (see `compare_pairwise`), the
        environment; and the rows of `score.evaluate` of each network, then of each baseline.
    """
    rows, baselines = {}, []
    for name, network in networks.items():
        scored = evaluate(network, pairs)
        rows[name] = [{**row, "method": name} for row in of_method(scored)]
        if len({row["method"] for row in scored}) > len({row["method"] for row in baselines}) + 1:
            baselines = [row for row in scored if row["method"] != MODEL]
    methods = dict(rows)
    for method in dict.fromkeys(row["method"] for row in baselines):
        methods[method] = of_method(baselines, method)
    content = {
        "set": set_name,
        "pictures": len(pairs),
        **describe_environment(),
        "models": [_means(name, scored) for name, scored in methods.items()],
        "differences": [_rounded(line) for line in compare_pairwise(rows)],
    }
    return content, methods


def describe(content: dict) -> str:
    """Return what `compare` found as text: a table of the models, and one of their differences."""
    models = [
        {"method": line["method"]}
        | {key: in_brackets(*(line[f"{key}{end}"] for end in ENDS)) for key in ("dice", "jaccard")}
        for line in content["models"]
    ]
    return "\n".join(
        [
            f"{content['set']}: {counted(content['pictures'])}, means over pictures with 95 % "
            "intervals",
            format_table(models),
            "paired differences, first model minus second [95 % interval], Wilcoxon test",
            format_table(content["differences"]),
        ]
    )


def compare_pairwise(rows: dict[str, list[dict]]) -> list[dict]:
    """Compare every two models on the same pictures, with p values corrected for their number.

    Args:
        rows: dict of model name -> its rows of `score.evaluate`, in the same order of pictures.

    Returns:
        list of dicts, one for each two models and score: model_a, model_b, score, mean_a, mean_b,
        difference (mean of a - b), from, to (its 95 % interval), p (`summaries.compare_paired`),
        and p_holm: p corrected for all pairs of models of that score (Holm 1979, Scandinavian
        Journal of Statistics 6); the same as p for two models.

    Raises:
        ValueError: two models were not scored on the same pictures.
    """
    table = []
    for a, b in combinations(rows, 2):
        if [row["name"] for row in rows[a]] != [row["name"] for row in rows[b]]:
            raise ValueError(f"{a} and {b} were not scored on the same pictures")
        for score in COMPARED:
            values = {name: [row[score] for row in rows[name]] for name in (a, b)}
            paired = compare_paired(values[a], values[b])
            line = {"model_a": a, "model_b": b, "score": score}
            line |= {"mean_a": float(np.mean(values[a])), "mean_b": float(np.mean(values[b]))}
            line["difference"] = paired["mean_difference"]
            line["from"], line["to"] = paired["interval"]
            table.append(line | {"p": paired["p_value"]})
    for score in COMPARED:
        lines = sorted((line for line in table if line["score"] == score), key=lambda x: x["p"])
        highest = 0.0
        for done, line in enumerate(lines):
            highest = max(highest, min(1.0, (len(lines) - done) * line["p"]))
            line["p_holm"] = highest
    return table


def _rounded(line):
    """Return a line of `compare_pairwise` as it is written; p values have digits that count."""
    rounded = {}
    for key, value in line.items():
        if key in ("p", "p_holm"):
            rounded[key] = float(f"{value:.{P_DIGITS}g}")
        else:
            rounded[key] = round(value, DIGITS) if isinstance(value, float) else value
    return rounded


def _means(name, rows):
    summary = summarise(rows)
    line = {"method": name, "pictures": summary["count"]}
    for key in MEANS:
        values = (summary[key]["mean"], *(summary[key]["interval"] or (None, None)))
        rounded = (value if value is None else round(value, DIGITS) for value in values)
        line |= dict(zip((f"{key}{end}" for end in ENDS), rounded, strict=True))
    share = {key: value for key, value in summary.items() if key.startswith("share_")}
    return line | {key: round(value, DIGITS) for key, value in share.items()}


def _draw(names, methods, set_name, directory):
    set_name = "whole" if set_name == EVERY_PAIR else set_name
    dice = {name: [row["dice"] for row in scored] for name, scored in methods.items()}
    models = {name: dice.pop(name) for name in names}
    show.save(show.score_distribution(models, dice, set_name), directory / "scores.png")
    for number, (a, b) in enumerate(combinations(models, 2), 1):
        figure = show.comparison(a, models[a], b, models[b], set_name)
        name = "comparison.png" if len(models) == 2 else f"comparison_{number}.png"
        show.save(figure, directory / name)
