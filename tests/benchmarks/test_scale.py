"""The measurements of scale are fitted, simulated and written as they say."""

import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks import scale, scale_stages
from lesion.inputs import load_split
from lesion.inputs.filtering import filter_split


def test_the_law_of_exact_times_is_exact():
    assert scale.fit([1, 10, 100], [2.5, 7.0, 52.0]) == pytest.approx((2.0, 0.5, 0.0), abs=1e-6)


def test_the_interval_is_that_of_students_t():
    # Times of a picture 1.1, 0.9, 1.1 against 1 / n = 1, 1/2, 0: the line is level at 31/30, its
    # residuals are 1, -2, 1 fifteenths, and the variance at the end 1/n = 0 is 5/6 of theirs.
    constant, slope, error = scale.fit([1, 2, 10**9], [1.1, 1.8, 1.1e9])
    assert (constant, slope) == pytest.approx((0, 31 / 30), abs=1e-6)
    assert error == pytest.approx(12.706 * np.sqrt(5 / 6 * 6 / 15**2), rel=1e-4)


def test_samples_of_one_size_give_the_mean_and_its_interval():
    constant, slope, error = scale.fit([100, 100, 100], [1.0, 2.0, 3.0])
    assert (constant, slope) == (0, pytest.approx(0.02))
    assert error == pytest.approx(4.303 * 0.01 / np.sqrt(3), rel=1e-3)


def test_the_power_of_what_compares_each_with_each_is_two():
    # The slower one of two measurements says nothing.
    assert scale.power([10, 10, 100], [3.0, 1.0, 100.0]) == pytest.approx(2.0)


def test_what_grows_faster_than_its_pictures_is_planned_by_its_power():
    def rows(stage, seconds):
        told = {"stage": stage, "process": "inputs", "peak_mb": 1.0}
        sizes = zip((10, 100, 1000), seconds, strict=True)
        return [told | {"pictures": n, "all": n, "handled": n, "seconds": s} for n, s in sizes]

    measured = rows("check", (3.0, 12.0, 102.0)) + rows("divide", (0.01, 1.0, 100.0))
    laws = scale.laws_of(measured, planned=10_000)
    assert laws["check"]["planned, s"] == pytest.approx(2 + 0.1 * 10_000)
    assert laws["divide"]["planned, s"] == pytest.approx(10_000)


def test_no_picture_of_a_set_is_a_copy(tmp_path):
    folder = scale_stages.write_set(tmp_path / "whole", 2 * scale_stages.DRAWN, size=32)
    part = scale_stages.write_part(folder, tmp_path / "part", 90)
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
    assert {"decode", "read from the cache"} <= set(results["laws"])
    text = (tmp_path / "out" / "scale.md").read_text(encoding="utf-8")
    assert "{" not in text
    assert {path.name for path in Path(tmp_path, "out").iterdir()} == set(scale.PUBLISHED)
