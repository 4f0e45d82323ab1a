"""What of a job is done stays on disk, and only the same job goes on with it."""

from contextlib import suppress

import numpy as np
import pytest

from lesion.console import InputError
from lesion.journal import NAME, Journal

JOB = {"threshold": 0.5, "names": ("a", "b")}


def interrupt(folder, rows, **options):
    with suppress(KeyboardInterrupt), Journal(folder, JOB, **options) as done:
        for name, row in rows.items():
            done[name] = row
        raise KeyboardInterrupt


def test_rows_outlive_an_interruption_as_they_were(tmp_path):
    rows = {"a": {"area": 0.1, "parts": np.int64(2), "mm": None}, "ä/b": {"dice": float("nan")}}
    interrupt(tmp_path, rows)
    with Journal(tmp_path, JOB, resume=True) as done:
        assert dict(done) == {"a": rows["a"], "ä/b": pytest.approx(rows["ä/b"], nan_ok=True)}
        done["c"] = {}
        assert (tmp_path / NAME).read_bytes().count(b"\n") == 4
    assert not any(tmp_path.iterdir())


def test_a_line_cut_by_a_kill_counts_as_not_written(tmp_path):
    interrupt(tmp_path, {"a": {"area": 1}})
    journal = tmp_path / NAME
    whole = journal.read_bytes()
    journal.write_bytes(whole + b'["b", {"area"')
    interrupt(tmp_path, {"c": {"area": 2}}, resume=True)
    assert journal.read_bytes() == whole + b'["c", {"area": 2}]\n'


def test_another_job_does_not_go_on_with_it(tmp_path):
    interrupt(tmp_path, {"a": {"area": 1}})
    with pytest.raises(InputError, match=r"begun with other threshold: give the same again"):
        Journal(tmp_path, JOB | {"threshold": 0.6}, resume=True).__enter__()
    (tmp_path / NAME).write_bytes(b"not ours")
    with pytest.raises(InputError, match=r"cannot be read"):
        Journal(tmp_path, JOB, resume=True).__enter__()


def test_without_rows_nothing_is_left(tmp_path):
    interrupt(tmp_path, {})
    assert not any(tmp_path.iterdir())
