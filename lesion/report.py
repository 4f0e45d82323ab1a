"""report.html: all scores and figures of a scored set in one file that needs nothing else.

write_report(run / "report.html", scored, show.draw_all(scored, run / "figures"))

The page holds its figures, loads nothing from anywhere, and is plain HTML for a browser of any age.
"""

from pathlib import Path

from lesion import show
from lesion.console import counted
from lesion.page import STYLE, figure, number, percent, table, text, with_interval
from lesion.runs import describe_environment
from lesion.score.challenge import headline
from lesion.score.evaluation import HUMAN, MODEL, of_method
from lesion.score.metrics import JACCARD_THRESHOLD, SURFACE_TOLERANCE
from lesion.score.results import describe_people
from lesion.score.summaries import FAILURE_DICE, SHARE_FAILED
from lesion.storage import replacing

WORST = 10  # lines in the table of the worst pictures

SCORE_WORDS = {
    "dice": "Dice",
    "jaccard": "Jaccard",
    "thresholded_jaccard": "thresholded Jaccard",
    "sensitivity": "sensitivity",
    "specificity": "specificity",
    "hd95": "HD95 (pixels)",
    "average_surface_distance": "mean border distance (pixels)",
    "surface_dice": "surface Dice",
    "area_ratio": "area ratio",
}
STRATA_WORDS = {
    "lesion_size": "Size of the lesion",
    "touches_frame": "Is the lesion cut by the frame?",
    "dx": "Diagnosis",
    "localization": "Site on the body",
}


def write_report(path: Path, scored: show.Scored, figures: dict[str, Path]) -> None:
    """Write the page, whole or not at all.

    Args:
        path: of the file, `report.html`.
        scored: `show.Scored`, the set the page is about.
        figures: dict of name -> PNG file, as `show.draw_all` returns; each goes to the section that
            its row in `show.FIGURES` names.
    """
    count = scored.summary["methods"][MODEL]["count"]
    body = [f"<h1>Segmentation of {counted(count)}: {text(scored.summary['set'])}</h1>"]
    for section, write in SECTIONS.items():
        body += write(scored)
        body += [
            figure(figures[name], show.FIGURES[name].caption)
            for name in figures
            if show.FIGURES[name].section == section
        ]
    page = (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>Segmentation of {counted(count)}</title>\n<style>{STYLE}</style>\n</head>\n"
        "<body>\n<main>\n" + "\n".join(body) + "\n</main>\n</body>\n</html>\n"
    )
    with replacing(path) as temporary:
        temporary.write_text(page, encoding="utf-8")


def _result(scored):
    """The result in sentences, for who reads no further."""
    if "protocol" in scored.summary:
        yield f"<p><strong>{text(headline(scored.summary))}</strong></p>"
    methods = scored.summary["methods"]
    ours = methods[MODEL]
    low, high = ours["dice"]["interval"]
    yield (
        f"<p><strong>Mean Dice {number(ours['dice']['mean'])}</strong> (95 % interval "
        f"{number(low)} to {number(high)}); {percent(ours[SHARE_FAILED])} "
        f"of the pictures failed (Dice below {FAILURE_DICE})."
    )
    baselines = {
        name: scores["dice"]["mean"]
        for name, scores in methods.items()
        if name not in (MODEL, HUMAN)
    }
    if baselines:
        best = max(baselines, key=baselines.get)
        difference = scored.summary["model_minus"][best]
        low, high = difference["interval"]
        yield (
            f"The best method without learning, {text(best)}, reaches {number(baselines[best])}; "
            f"network minus that: {difference['mean_difference']:+.3f} ({low:+.3f} to {high:+.3f})."
        )
    if "people" in scored.summary:
        yield f"</p><p>Between people: {text(describe_people(scored.summary['people']))}."
    if "remark" in scored.summary:
        yield f"</p><p>{text(scored.summary['remark'])}."
    yield (
        "</p><p>For research and teaching only. This is not a medical device; do not base "
        "health decisions on it.</p>"
    )


def _scores(scored):
    methods = scored.summary["methods"]
    yield "<h2>Scores, beside methods that learn nothing</h2>"
    yield (
        "<p>Each picture is scored at its own size; means over pictures with their 95 % bootstrap "
        "intervals. The interval covers the choice of pictures, not that of the training.</p>"
    )
    yield table(
        "Mean of each score",
        [
            {"method": name}
            | {
                words: with_interval(
                    scores[key]["mean"], scores[key]["interval"], 1 if "pixels" in words else 3
                )
                for key, words in SCORE_WORDS.items()
            }
            for name, scores in methods.items()
        ],
        MODEL,
    )
    yield table(
        "Failures, and scores that count pixels instead of pictures",
        [
            {
                "method": name,
                f"Dice below {FAILURE_DICE}": percent(scores[SHARE_FAILED]),
                f"Jaccard below {JACCARD_THRESHOLD}": percent(
                    scores[f"share_jaccard_below_{JACCARD_THRESHOLD}"]
                ),
                "pictures": scores["count"],
                "median Dice": number(scores["dice"]["median"]),
                "pooled Dice": number(scores["pooled_dice"]),
                "empty predictions": scores["empty_prediction"],
                "distances undefined": scores["undefined_distances"],
            }
            for name, scores in methods.items()
        ],
        MODEL,
    )


def _stratum(part):
    mean = with_interval(part["mean_dice"], part["interval"])
    return {"pictures": part["name"], "number": part["count"], "mean Dice": mean}


def _strata(scored):
    yield '<h2>Where it is good and where not</h2>\n<div class="beside">'
    for key, parts in scored.summary["strata"].items():
        yield table(STRATA_WORDS.get(key, key), [_stratum(part) for part in parts])
    yield "</div>"


def _calibration(scored):
    if "calibration" not in scored.summary:
        return
    error = scored.summary["calibration"]["expected_calibration_error"]
    yield "<h2>Can the probabilities be believed?</h2>"
    yield (
        f"<p>Expected calibration error {number(error)}: on average over all pixels, the "
        "predicted probability of lesion is that far from how often there is lesion.</p>"
    )


def _quality(scored):
    quality = scored.summary["quality"]
    yield "<h2>Does it know when it is wrong?</h2>"
    yield (
        "<p>Quality estimate without truth: the Dice to expect of a mask, learnt from validation "
        "pictures, or, where they were too few, its mean Dice with the masks of the mirrored "
        f"picture. Of the {quality['flagged']} pictures with the lowest estimates, "
        f"<strong>{percent(quality['failed_among_flagged'])}</strong> failed (Dice below "
        f"{FAILURE_DICE}); of all pictures, {percent(quality['failed_among_all'])}, which is what "
        "flagging at random would find.</p>"
    )
    words = {
        "failures_flagged": ("share of the failed pictures that are flagged", percent),
        "mean_estimate": ("mean estimate", number),
        "mean_dice": ("mean Dice", number),
        "area_under_risk_coverage": ("area under the risk-coverage curve", number),
        "area_at_random": ("the same at random", number),
        "area_at_best": ("the same, ordered by Dice, the best possible", number),
        "rank_correlation": ("rank correlation of estimate and Dice", number),
    }
    lines = [{"": line, "value": form(quality[key])} for key, (line, form) in words.items()]
    yield table("How good the estimate is", lines)


def _pictures(scored):
    worst = sorted(of_method(scored.rows), key=lambda row: row["dice"])[:WORST]
    yield "<h2>Worst and best pictures</h2>"
    yield table(
        f"The {len(worst)} pictures with the lowest Dice",
        [
            {
                "picture": row["name"],
                "Dice": number(row["dice"]),
                "HD95 (pixels)": number(row["hd95"], 1),
                "area ratio": number(row["area_ratio"], 2),
                "lesion (% of the picture)": percent(row["true_pixels"] / row["picture_pixels"]),
                "quality estimate": number(row["quality"]),
            }
            for row in worst
        ],
    )


def _notes(scored):
    yield "<h2>How this was computed</h2>"
    yield (
        "<p>Empty masks: overlap scores are 1 where both masks are empty and 0 where one is; "
        "distances to a border that does not exist are undefined, counted and left out of the "
        f"mean. Thresholded Jaccard is 0 below {JACCARD_THRESHOLD}. Surface Dice forgives "
        f"{100 * SURFACE_TOLERANCE:g} % of the picture's diagonal.</p>"
    )
    known = {
        key: value
        for key, value in scored.summary.items()
        if key != "remark" and not isinstance(value, dict | list)
    }
    facts = "; ".join(f"{text(key)} {text(value)}" for key, value in known.items())
    made = describe_environment()
    yield (
        f"<footer><p>{facts}. Written {text(made['created'])} by {text(made['command'])}.</p>"
        "</footer>"
    )


SECTIONS = {  # name, by which `show.FIGURES` puts its figures here -> what writes it
    "result": _result,
    "scores": _scores,
    "pictures": _pictures,
    "strata": _strata,
    "calibration": _calibration,
    "quality": _quality,
    "notes": _notes,
}
