"""The measurements of scale are fitted, simulated and written as they say."""

import json
from pathlib import Path

import numpy as np
import pytest
import scipy.optimize
import scipy.stats

from benchmarks import scale, scale_laws, scale_sets
from lesion.inputs import load_split
from lesion.inputs.filtering import filter_split


def test_the_law_of_exact_times_is_exact():
    law = scale_laws.fit([1, 10, 100], [2.5, 7.0, 52.0])
    assert law.constant == pytest.approx(2.0)
    assert law.slope == pytest.approx(0.5)
    assert law.slope_error == pytest.approx(0.0, abs=1e-9)
    assert law.at(1000) == pytest.approx(502.0)


def test_the_interval_is_that_of_weighted_least_squares():
    counts, times = np.array([1, 3, 9, 9, 100.0]), np.array([1.1, 2.7, 9.9, 8.6, 108.0])
    law = scale_laws.fit(counts, times)
    best, covariance = scipy.optimize.curve_fit(
        lambda n, a, b: a + b * n, counts, times, sigma=times
    )
    errors = scipy.stats.t.ppf(0.975, len(times) - 2) * np.sqrt(np.diag(covariance))
    assert (law.constant, law.slope) == pytest.approx(tuple(best), rel=1e-5)
    assert (law.constant_error, law.slope_error) == pytest.approx(tuple(errors), rel=1e-3)


def test_samples_of_one_size_give_the_mean_and_its_interval():
    law = scale_laws.fit([100, 100, 100], [1.0, 2.0, 3.0])
    assert (law.constant, law.slope) == (0, pytest.approx(0.02))
    assert law.slope_error == pytest.approx(4.303 * 0.01 / np.sqrt(3))


def test_the_power_of_what_compares_each_with_each_is_two():
    # The slower one of two measurements says nothing.
    assert scale_laws.power([10, 10, 100], [3.0, 1.0, 100.0]) == pytest.approx(2.0)


def test_no_picture_of_a_set_is_a_copy(tmp_path):
    folder = scale_sets.write_set(tmp_path / "whole", 2 * scale_sets.DRAWN, size=32)
    part = scale_sets.write_part(folder, tmp_path / "part", 90)
    split = load_split(part)
    filtered = filter_split(split, progress=False)  # leaves copies out
    assert len(filtered.train) == len(split.train) == 54
    assert len(filtered.validation) == len(filtered.test) == 18


@pytest.mark.slow
def test_the_whole_benchmark_in_short(tmp_path):
    published = [scale.ROOT / place for place in scale.PUBLISHED.values()]
    before = [path.read_bytes() for path in published if path.is_file()]
    assert scale.main(["--out", str(tmp_path / "out"), "--quick"]) == 0
    assert before == [path.read_bytes() for path in published if path.is_file()]
    results = json.loads((tmp_path / "out" / "results.json").read_text(encoding="utf-8"))
    sizes = {row["pictures"] for row in results["rows"] if row["stage"] == "check"}
    assert sizes == set(scale.QUICK["inputs"])
    for row in results["rows"]:
        assert 0 < row["handled"] <= row["all"] <= row["pictures"]
    text = (tmp_path / "out" / "scale.md").read_text(encoding="utf-8")
    assert "{" not in text
    assert {path.name for path in Path(tmp_path, "out").iterdir()} == set(scale.PUBLISHED)
