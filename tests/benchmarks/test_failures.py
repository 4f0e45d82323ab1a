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
    job, segments = replace(JOB, restart=restart), 60_000
    found = failures.simulate_training(job, segments, seed=1)
    # J. T. Daly 2006, A higher order estimate of the optimum checkpoint interval for restart dumps,
    # Future Generation Computer Systems 22: the mean time, where failures strike restarts, too.
    expected = segments * 2000 * np.exp(restart / 2000) * np.expm1(210 / 2000)
    assert found["seconds"] == pytest.approx(expected, rel=0.02)
    # Each lasts as long as it does on average, so there are time / mean of them.
    assert found["failures"] == pytest.approx(found["seconds"] / 2000, rel=0.02)


def test_the_interval_of_young_is_as_good_as_any():
    assert failures.young(JOB) == np.sqrt(2 * 10 * 2000) == 200
    tried = [failures.efficiency(replace(JOB, interval=200.0 * share)) for share in (0.2, 1, 5)]
    assert max(tried) == tried[1]


def test_the_slowest_of_three_coins():
    assert failures.slowest(np.array([2.0, 1.0]), workers=3) == pytest.approx(2 - 1 / 8)
    assert failures.slowest(np.array([2.0, 1.0]), workers=1) == pytest.approx(1.5)


def test_prediction_without_failures_is_shared_out():
    found = failures.simulate_prediction(5 * failures.BLOCK, 2, 0.5, ALIKE, np.inf, 9.0)
    assert found["seconds"] == 3 * failures.BLOCK * 0.5
    assert found["efficiency"] == pytest.approx(5 / 6)
    assert (found["done"], found["redone"]) == (5 * failures.BLOCK, 0)


def test_no_worker_is_more_than_efficient():
    """However uneven blocks are, what they took is all the time of a worker that never waits."""
    uneven = np.array([0.5, 0.7, 1.8])
    found = failures.simulate_prediction(100 * failures.BLOCK, 1, 1.0, uneven, np.inf, 9.0)
    assert found["efficiency"] == pytest.approx(1, abs=1e-12)
    assert found["seconds"] != pytest.approx(100 * failures.BLOCK, rel=1e-3)


def test_pictures_of_killed_workers_are_done_once_more():
    pictures = 100 * failures.BLOCK + 7
    found = failures.simulate_prediction(pictures, 4, 1.0, ALIKE, 200.0, 30.0)
    assert found["failures"] > 10
    assert found["done"] == pictures
    assert 0 < found["redone"] <= found["failures"] * failures.BLOCK
