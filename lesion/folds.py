"""Cross-validation: a training for each fold, then every picture scored by who has not seen it.

    train(inputs.load_folds(settings, 5), settings, run)

`run` gets fold1/, fold2/, ..., each the run folder of an ordinary training, and scores.csv,
scores.json, figures/ and report.html on the test pictures of all of them.
"""

from collections.abc import Sequence
from functools import cache
from pathlib import Path

import keras
import numpy as np

from lesion import show, workflow
from lesion.inputs import Split, warning_on
from lesion.predict.network import load_network
from lesion.report import write_report
from lesion.score.evaluation import of_method, predictions_of
from lesion.score.results import describe, write_scores
from lesion.settings import Settings
from lesion.storage import read_table


def train(splits: Sequence[Split], settings: Settings, run: str | Path) -> dict:
    """Train on one split after the other and score all their test pictures together.

    A folder that holds the beginning of the same trainings is gone on with: folds that are trained
    are passed over.

    Args:
        splits: what `inputs.load_folds` returned for these settings.
        settings: complete.
        run: folder for the results, made where it is missing.

    Returns:
        the content of scores.json.

    Raises:
        InputError: as `workflow.Training`.
        KeyboardInterrupt: stopped by hand; it can be gone on with.
    """
    run, count = Path(run), len(splits)
    folders = [run / f"fold{number}" for number in range(1, count + 1)]
    workflow.refuse_ended(run)
    workflow.record(run, settings, None, count)
    # Before the first is trained, so that a later start cannot divide the pictures otherwise.
    for split, folder in zip(splits, folders, strict=True):
        workflow.record(folder, workflow.settle(settings, split), split)
    for split, folder in zip(splits, folders, strict=True):
        ended = (folder / "report.html").exists()
        print(f"{folder.name} of {count}" + (" is trained already" if ended else ""))
        if not ended:
            keras.utils.clear_session()  # frees the network of the fold before
            workflow.train(split, settings, folder)
    return _score(splits, folders, run)


def _score(splits, folders, run):
    """Put the scores of all folds together, in a report of their own too."""
    rows = [
        {**row, "fold": number}
        for number, folder in enumerate(folders, 1)
        for row in read_table(folder / "scores.csv")
    ]
    dice = [
        float(np.mean([row["dice"] for row in of_method(rows) if row["fold"] == number]))
        for number in range(1, len(folders) + 1)
    ]
    seen = [
        warning_on([folder / "model.keras"], split.test)
        for folder, split in zip(folders, splits, strict=True)
    ]
    remark = "; ".join(filter(None, seen))
    clause = "" if remark else ", each scored by the network that has not seen it"
    about = {
        "set": f"{len(folders)} folds{clause}",
        **({"remark": remark} if remark else {}),
        "dice_of_folds": dice,
        "standard_deviation_of_folds": float(np.std(dice, ddof=1)),
    }
    summary = write_scores(run, rows, about)
    print(f"{about['set']}: {describe(summary)}")
    print(
        f"mean Dice of each fold: {', '.join(f'{mean:.3f}' for mean in dice)}; "
        f"standard deviation {about['standard_deviation_of_folds']:.3f}"
    )
    pairs = [pair for split in splits for pair in split.test]
    network = cache(lambda fold: load_network(folders[fold - 1] / "model.keras"))
    scored = _Scored(network, pairs, "whole", rows, summary)
    write_report(run / "report.html", scored, show.draw_all(scored, run / "figures"))
    return summary


class _Scored(show.Scored):
    """Pictures of all folds; `network` is a function of a fold's number, which loads its own."""

    def predicted(self, rows):
        return [
            shown
            for row in rows
            for shown in predictions_of(self.network(row["fold"]), self.pairs, [row])
        ]
