"""report.html: all scores and figures of a scored set in one file that needs nothing else.

write_report(run / "report.html", scored, show.draw_all(scored, run / "figures"))

The page holds its figures, loads nothing from anywhere, and is plain HTML for a browser of any age.
"""

import base64
import html
from pathlib import Path

from lesion import show
from lesion.runs import describe_environment
from lesion.score.evaluation import HUMAN, MODEL, of_method
from lesion.score.metrics import JACCARD_THRESHOLD, SURFACE_TOLERANCE
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
STYLE = """
body { margin: 0; background: #fff; color: #1b1b1b; font: 1rem/1.5 system-ui, sans-serif; }
main { max-width: 60rem; margin: 0 auto; padding: 1rem; }
h1 { font-size: 1.6rem; line-height: 1.2; } h2 { font-size: 1.25rem; margin-top: 2.5rem; }
.scroll { overflow-x: auto; margin: 1rem 0; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .9rem; }
caption { text-align: left; font-weight: 600; padding: .3rem 0; }
th, td { padding: .3rem .7rem; border-bottom: 1px solid #ddd; text-align: right; }
th:first-child { text-align: left; min-width: 9rem; overflow-wrap: anywhere; }
thead th { vertical-align: bottom; border-bottom: 2px solid #888; }
tbody tr.model { background: #fff4dd; }
td { white-space: nowrap; }
td small { color: #555; display: block; }
figure { margin: 1.5rem 0; } figcaption, footer { color: #555; font-size: .9rem; }
figure img { width: 100%; min-width: 36rem; max-width: 56rem; height: auto; }
footer { border-top: 1px solid #ddd; margin-top: 3rem; overflow-wrap: anywhere; }
"""


def write_report(path: Path, scored: show.Scored, figures: dict[str, Path]) -> None:
    """Write the page, whole or not at all.

    Args:
        path: of the file, `report.html`.
        scored: `show.Scored`, the set the page is about.
        figures: dict of name -> PNG file, as `show.draw_all` returns; each goes to the section that
            its row in `show.FIGURES` names.
    """
    count = scored.summary["methods"][MODEL]["count"]
    body = [f"<h1>Segmentation of {count} pictures: {_text(scored.summary['set'])}</h1>"]
    for section, write in SECTIONS.items():
        body += write(scored)
        body += [
            _figure(figures[name], show.FIGURES[name].caption)
            for name in figures
            if show.FIGURES[name].section == section
        ]
    page = (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>Segmentation of {count} pictures</title>\n<style>{STYLE}</style>\n</head>\n"
        "<body>\n<main>\n" + "\n".join(body) + "\n</main>\n</body>\n</html>\n"
    )
    with replacing(path) as temporary:
        temporary.write_text(page, encoding="utf-8")


def _text(value):
    """Text that is safe in HTML, whatever a file or a metadata column is called."""
    return html.escape(str(value))


def _number(value, digits=3):
    return "–" if value is None or value != value else f"{value:.{digits}f}"


def _percent(share):
    return "–" if share is None else f"{100 * share:.1f} %"


def _with_interval(mean, interval, digits=3):
    """A table cell: the mean, and its interval in small print; ready-made HTML."""
    if mean is None:
        return "–"
    low, high = (_number(end, digits) for end in interval)
    return f"{_number(mean, digits)}<small>{low} to {high}</small>"


def _table(caption, lines, marked=None):
    """A table of dicts that share their keys; the first column names the line.

    First-column values are text and escaped here; the others are ready-made HTML.
    """
    first, *others = lines[0]
    head = "".join(f'<th scope="col">{_text(name)}</th>' for name in (first, *others))
    body = []
    for line in lines:
        cells = "".join(f"<td>{line[name]}</td>" for name in others)
        mark = ' class="model"' if line[first] == marked else ""
        body.append(f'<tr{mark}><th scope="row">{_text(line[first])}</th>{cells}</tr>')
    return (
        f'<div class="scroll"><table><caption>{_text(caption)}</caption>\n<thead><tr>{head}</tr>'
        f"</thead>\n<tbody>\n" + "\n".join(body) + "\n</tbody></table></div>"
    )


def _figure(path, caption):
    data, words = base64.b64encode(Path(path).read_bytes()).decode("ascii"), _text(caption)
    return (
        f'<figure><div class="scroll"><img alt="{words}" src="data:image/png;base64,{data}"></div>'
        f"<figcaption>{words}</figcaption></figure>"
    )


def _result(scored):
    """The result in sentences, for who reads no further."""
    methods = scored.summary["methods"]
    ours = methods[MODEL]
    low, high = ours["dice"]["interval"]
    yield (
        f"<p><strong>Mean Dice {_number(ours['dice']['mean'])}</strong> (95 % interval "
        f"{_number(low)} to {_number(high)}); {_percent(ours[SHARE_FAILED])} "
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
            f"The best method without learning, {_text(best)}, reaches {_number(baselines[best])}; "
            f"network minus that: {difference['mean_difference']:+.3f} ({low:+.3f} to {high:+.3f})."
        )
    if HUMAN in methods:
        human = methods[HUMAN]
        yield (
            f"Two annotators agree to a Dice of {_number(human['dice']['mean'])} on "
            f"{human['count']} pictures."
        )
    yield (
        "</p><p>For research and teaching only. This is not a medical device; nobody's health may "
        "be decided on with it.</p>"
    )


def _scores(scored):
    methods = scored.summary["methods"]
    yield "<h2>Scores, beside methods that learn nothing</h2>"
    yield (
        "<p>Each picture is scored at its own size; means over pictures with their 95 % bootstrap "
        "intervals. The interval covers the choice of pictures, not that of the training.</p>"
    )
    yield _table(
        "Mean of each score",
        [
            {"method": name}
            | {
                words: _with_interval(
                    scores[key]["mean"], scores[key]["interval"], 1 if "pixels" in words else 3
                )
                for key, words in SCORE_WORDS.items()
            }
            for name, scores in methods.items()
        ],
        MODEL,
    )
    yield _table(
        "Failures, and scores that count pixels instead of pictures",
        [
            {
                "method": name,
                f"Dice below {FAILURE_DICE}": _percent(scores[SHARE_FAILED]),
                f"Jaccard below {JACCARD_THRESHOLD}": _percent(
                    scores[f"share_jaccard_below_{JACCARD_THRESHOLD}"]
                ),
                "pictures": scores["count"],
                "median Dice": _number(scores["dice"]["median"]),
                "pooled Dice": _number(scores["pooled_dice"]),
                "empty predictions": scores["empty_prediction"],
                "distances undefined": scores["undefined_distances"],
            }
            for name, scores in methods.items()
        ],
        MODEL,
    )


def _stratum(part):
    mean = _with_interval(part["mean_dice"], part["interval"])
    return {"pictures": part["name"], "number": part["count"], "mean Dice": mean}


def _strata(scored):
    yield "<h2>Where it is good and where not</h2>"
    for key, parts in scored.summary["strata"].items():
        yield _table(STRATA_WORDS.get(key, key), [_stratum(part) for part in parts])


def _calibration(scored):
    if "calibration" not in scored.summary:
        return
    error = scored.summary["calibration"]["expected_calibration_error"]
    yield "<h2>Can the probabilities be believed?</h2>"
    yield (
        f"<p>Expected calibration error {_number(error)}: on average over all pixels, the "
        "predicted probability of lesion is that far from how often there is lesion.</p>"
    )


def _quality(scored):
    quality = scored.summary["quality"]
    yield "<h2>Does it know when it is wrong?</h2>"
    yield (
        "<p>Quality estimate without truth: mean Dice of a mask with the masks of the mirrored "
        f"picture. Of the {quality['flagged']} pictures with the lowest estimates, "
        f"<strong>{_percent(quality['failed_among_flagged'])}</strong> failed (Dice below "
        f"{FAILURE_DICE}); of all pictures, {_percent(quality['failed_among_all'])}, which is what "
        "flagging at random would find.</p>"
    )
    words = {
        "failures_flagged": ("share of the failed pictures that are flagged", _percent),
        "area_under_risk_coverage": ("area under the risk-coverage curve", _number),
        "area_at_random": ("the same at random", _number),
        "area_at_best": ("the same, ordered by Dice, the best possible", _number),
        "rank_correlation": ("rank correlation of estimate and Dice", _number),
    }
    lines = [{"": text, "value": form(quality[key])} for key, (text, form) in words.items()]
    yield _table("How good the estimate is", lines)


def _pictures(scored):
    worst = sorted(of_method(scored.rows), key=lambda row: row["dice"])[:WORST]
    yield "<h2>Worst and best pictures</h2>"
    yield _table(
        f"The {len(worst)} pictures with the lowest Dice",
        [
            {
                "picture": row["name"],
                "Dice": _number(row["dice"]),
                "HD95 (pixels)": _number(row["hd95"], 1),
                "area ratio": _number(row["area_ratio"], 2),
                "lesion (% of the picture)": _percent(row["true_pixels"] / row["picture_pixels"]),
                "quality estimate": _number(row["quality"]),
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
        key: value for key, value in scored.summary.items() if not isinstance(value, dict | list)
    }
    facts = "; ".join(f"{_text(key)} {_text(value)}" for key, value in known.items())
    made = describe_environment()
    yield (
        f"<footer><p>{facts}. Written {_text(made['created'])} by {_text(made['command'])}.</p>"
        "</footer>"
    )


SECTIONS = {  # name, by which `show.FIGURES` puts its figures here -> what writes it
    "result": _result,
    "scores": _scores,
    "strata": _strata,
    "calibration": _calibration,
    "quality": _quality,
    "pictures": _pictures,
    "notes": _notes,
}
