"""Bring a folder to the public commands, and judge what they make of it."""

import re
from pathlib import Path

import numpy as np
import pytest
from bring import Brought

from lesion.predict.network import Network


class Darkness:
    """A network for which dark is lesion: it finds what `bring.draw` draws."""

    input_shape = (None, 32, 32, 3)

    def predict_on_batch(self, inputs):
        return (inputs.mean(axis=-1, keepdims=True) < 0.5).astype(np.float32)


@pytest.fixture
def scored(monkeypatch):
    """Takes the place of scoring: the list of (name of the set, pairs) that were to be scored."""
    return play_scoring(monkeypatch)


def play_scoring(patch):
    sets = []
    patch.setattr("lesion.predict.load_network", lambda path: Network(Darkness(), 32))
    patch.setattr(
        "lesion.workflow.score",
        lambda network, pairs, name, out, *more, **working: sets.append((name, pairs)),
    )
    return sets


@pytest.fixture
def brought(tmp_path):
    return Brought(tmp_path / "data")


@pytest.fixture
def judge(run_command, planned, scored, brought, tmp_path):
    """Makes the folder of a row, runs check, train and evaluate on it, and judges the answers."""

    def run(row):
        brought.root.mkdir()
        row.make(brought)
        verdict(row, brought, *ask(run_command, row.options, tmp_path, planned, scored))

    return run


def ask(run, options, place, planned, scored):
    """Run check, train and evaluate on `place`/data.

    Args:
        run: as the fixture `run_command`.
        options: for each of the three.
        place: folder that holds data/; results go to out/ in it.
        planned, scored: the lists of these two fixtures.

    Returns:
        What `verdict` takes.
    """
    root, out = place / "data", place / "out"
    code, output, errors = run("check", root, *options)
    report = "\n".join([output, *errors]).replace(str(place), "...")
    train_code, _, errors = run("train", "--data", root, "--out", out / "run", *options)
    assert len(errors) == (train_code == 2), errors
    skipped = ["--skip-bad"] if train_code == 2 else []  # leaves out what is bad, guesses nothing
    if skipped:
        train_code = run("train", "--data", root, "--out", out / "more", *options, *skipped)[0]
    split = planned.pop() if train_code == 0 else None
    score_code, _, lines = run("evaluate", "--data", root, "--out", out / "scores", *options)
    assert len(lines) == (score_code == 2), lines
    chosen = scored.pop() if score_code == 0 else None
    shown = [line.replace(str(place), "...") for line in errors]
    return code, report, split, chosen, shown


def verdict(row, folder, code, report, split, chosen, errors):
    """Raise AssertionError unless a folder was understood rightly, or what is not was named.

    Args:
        row: `bring.Row`.
        folder: `bring.Brought`.
        code, report: of `check`.
        split: that `train` was about to train on, with --skip-bad if it refused without.
        chosen: (name of the set, pairs) that `evaluate` was about to score; None if it refused.
        errors: the one line of `train`, if it refused without --skip-bad.
    """
    shown = "\n".join([report, *errors])
    pairs = split.train + split.validation + split.test if split else []
    faults = folder.faults(pairs)
    if chosen:
        faults += folder.faults(chosen[1])
    if split and not errors:
        assert code == 0 or row.check_only, f"check finds a problem, train none:\n{shown}"
    if row.undivided and split and split.test:
        faults.append("a division that is not understood has a test part")
    if row.undivided and chosen and chosen[0] == "test":
        faults.append("pictures are scored as test")
    assert not faults, "\n".join(["misread:", *faults, shown])
    left = folder.left(split) if split and not errors else ["everything"]
    unsaid = [words for words in row.says if not re.search(words, shown, re.I | re.M)]
    told = f"not understood: {left}; not said: {unsaid}\n{shown}"
    if row.right == "understood":
        assert left + unsaid == [], told
        assert not (row.quiet and re.search("^(remark|problem |passed)", report, re.M)), shown
    elif row.right == "named":
        assert errors, f"trained on it:\n{shown}"
        assert not unsaid, told
    else:
        assert not (unsaid and (left or row.always)), told


def pytest_collection_modifyitems(items):
    # Hundreds of folders, each through every command: as a whole they take half a minute.
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.slow)
