"""The one number that a challenge ranks by, as its official scorer computes it.

    about = {"protocol": "isic2018", "shortfall": shortfall(names)}
    print(headline(write_scores(directory, rows, about)))

ISIC 2018 task 1: 1,000 test pictures; the score of each is its Jaccard index, or 0 where that is
below 0.65, at the picture's own size; their mean ranks (Codella et al. 2019, arXiv:1902.03368).
"""

import re
from collections.abc import Sequence

from lesion.inputs.folders import few
from lesion.score.evaluation import MODEL
from lesion.score.metrics import JACCARD_THRESHOLD
from lesion.score.results import mean_with_interval

TITLE = "ISIC 2018 task 1"
PICTURES = 1000  # in its test
ISIC_ID = re.compile(r"ISIC_\d{7}")


def shortfall(names: Sequence[str]) -> str:
    """Return why pictures of these names are not the official test; "" if nothing speaks against.

    Which 1,000 they must be is not known here: a folder that lacks one and holds another is not
    found out.
    """
    others = [name for name in names if not ISIC_ID.fullmatch(name)]
    reasons = []
    if len(names) != PICTURES:
        reasons.append(f"it has {PICTURES:,} pictures, these are {len(names):,}")
    if others:
        reasons.append(f"{len(others):,} of these have no name of the ISIC archive: {few(others)}")
    return "; ".join(reasons)


def headline(summary: dict) -> str:
    """Return the challenge's score with its 95 % interval, and whether it may be cited as that.

    Args:
        summary: of `results.write_scores`, with the "shortfall" of the pictures that were scored.
    """
    score = summary["methods"][MODEL]["thresholded_jaccard"]
    below = f"Jaccard below {JACCARD_THRESHOLD} counted as 0"
    number = f"thresholded Jaccard {mean_with_interval(score)}, {below}"
    if summary["shortfall"]:
        return f"NOT THE OFFICIAL TEST of {TITLE} ({summary['shortfall']}): {number}"
    return f"{TITLE}, official test of {PICTURES:,} pictures: {number}"
