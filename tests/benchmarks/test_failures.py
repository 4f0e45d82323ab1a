"""The simulation of failures agrees with what can be computed."""

from dataclasses import replace

import numpy as np
import pytest

from benchmarks import failures
from benchmarks.failures import Job

pytest.importorskip("simpy", reason="simpy is not installed: requirements-dev.txt")

ALIKE = np.ones(1)
JOB = Job(8, 1.0, ALIKE, 0.0, 8 * 2000.0, 200.0, 10.0, 100.0)


def test_without_failures_time_is_work_exchange_and_checkpoints():
    job = replace(JOB, mean_time=np.inf, exchange=0.25, interval=250.0)
    found = failures.simulate_training(job, segments=3)
    assert found == {"seconds": 3 * (200 * 1.25 + 10), "efficiency": 600 / 780, "failures": 0}


@pytest.mark.parametrize("restart", [0.0, 100.0, 3000.0])
def test_with_steps_alike_the_mean_time_is_dalys(restart):
    job, segments = replace(JOB, restart=restart), 6000
    found = failures.simulate_training(job, segments, seed=1)
    assert found["seconds"] == pytest.approx(failures.expected_seconds(job, segments), rel=0.04)
    # Each lasts as long as it does on average, so there are time / mean of them.
    assert found["failures"] == pytest.approx(found["seconds"] / 2000, rel=0.08)


def test_the_best_intervals_are_those_of_young_and_daly():
    assert failures.young(JOB) == 200
    assert failures.daly(JOB) == pytest.approx(200 * (1 + 0.05 / 3 + 0.0025 / 9) - 10)
    assert failures.daly(replace(JOB, checkpoint=5000.0)) == 2000


def test_the_slowest_of_three_coins():
    assert failures.slowest(np.array([2.0, 1.0]), workers=3) == pytest.approx(2 - 1 / 8)
    assert failures.slowest(np.array([2.0, 1.0]), workers=1) == pytest.approx(1.5)


def test_prediction_without_failures_is_shared_out():
    found = failures.simulate_prediction(5 * failures.BLOCK, 2, 0.5, ALIKE, np.inf, 9.0)
    assert found["seconds"] == 3 * failures.BLOCK * 0.5
    assert found["efficiency"] == pytest.approx(5 / 6)
    assert (found["done"], found["redone"]) == (5 * failures.BLOCK, 0)


def test_pictures_of_killed_workers_are_done_once_more():
    pictures = 100 * failures.BLOCK + 7
    found = failures.simulate_prediction(pictures, 4, 1.0, ALIKE, 200.0, 30.0)
    assert found["failures"] > 10
    assert found["done"] == pictures
    assert 0 < found["redone"] <= found["failures"] * failures.BLOCK
