"""The speed-run counts and plans as it says, and each section runs on small drawn data."""

import itertools
import json
import shutil
from functools import partial

import keras
import numpy as np
import pytest

import unet
from benchmarks import speedrun
from benchmarks import speedrun_clock as clock
from benchmarks import speedrun_rates as rates
from benchmarks import speedrun_training as sections
from lesion.inputs.pairing import find_pairs
from lesion.inputs.reading import read_pair, resize_image, resize_mask
from lesion.training import save_model


@pytest.fixture(autouse=True)
def tiny(monkeypatch):
    """Sizes at which every section takes seconds."""
    monkeypatch.setattr(unet, "CLASSIC_WIDTHS", (4, 4))
    small = unet.NETWORKS["lean"]._replace(build=partial(unet.unet, widths=(4,)))
    monkeypatch.setitem(unet.NETWORKS, "lean", small)
    for module, constants in {
        clock: {"CLASSIC_SIZE": 32, "CLASSIC_BATCH": 1, "TIMED_STEPS": 1, "PLANNING_STEPS": 2},
        sections: {
            "EM_SIZE": 32,
            "ISIC_TRAINING": {**sections.ISIC_TRAINING, "size": 32, "batch": 2, "kind": "lean"},
            "FINETUNE_STEPS": 2,
            "FINETUNE_BATCH": 2,
            "POLICIES": ("float32",),
        },
        rates: {
            "PICTURES": 2,
            "ROUNDS": 1,
            "COLD_STARTS": 1,
            "SIZE": 32,
            "BATCH": 2,
            "STEPS_A_ROUND": 1,
            "PRODUCTS_A_ROUND": 2,
            "MATRIX": 64,
        },
    }.items():
        for name, value in constants.items():
            monkeypatch.setattr(module, name, value)


@pytest.fixture
def listed_folder(drawn_folder, tmp_path):
    """The drawn pairs with the lists train.txt and val.txt."""
    folder = tmp_path / "listed"
    shutil.copytree(drawn_folder, folder)
    (folder / "train.txt").write_text("".join(f"{number}\n" for number in range(9)))
    (folder / "val.txt").write_text("9\n10\n")
    return folder


@pytest.fixture
def weights(tmp_path):
    """A saved network that has learnt nothing."""
    path = tmp_path / "narrow.keras"
    save_model(unet.build("lean", (32, 32, 3)), path, {"model": "lean", "threshold": 0.5})
    return path


@pytest.fixture
def results(tmp_path):
    """Runs a section; returns the content of its results.json."""

    def run(*arguments):
        out = tmp_path / "results"
        speedrun.main([str(argument) for argument in (*arguments, "--out", out)])
        return json.loads((out / "results.json").read_text())

    return run


@pytest.fixture
def three_steps(monkeypatch):
    """Whatever the budget, three steps are planned: tests must not depend on a machine's speed."""
    monkeypatch.setattr(clock, "plan_steps", lambda *seconds: 3)


@pytest.fixture
def refused(capsys):
    """Runs a section that must end in exit code 2 and one line; returns the line."""

    def run(*arguments):
        capsys.readouterr()
        try:
            code = speedrun.main([str(argument) for argument in arguments])
        except SystemExit as exit_:  # of a mistyped option
            code = exit_.code
        assert code == 2
        lines = [line for line in capsys.readouterr().err.splitlines() if "error" in line]
        assert len(lines) == 1
        return lines[0]

    return run


def task(pairs, **options):
    return clock.Task(pairs, **{"size": 32, "batch": 2, "channels": 3, "loss": "bce", **options})


def test_operations_are_those_counted_by_hand():
    inputs = keras.Input((8, 6, 3))
    x = keras.layers.Conv2D(5, 3, strides=2, padding="same")(inputs)  # 4 x 3 places
    x = keras.layers.BatchNormalization()(x)
    x = keras.layers.DepthwiseConv2D(3, padding="same")(x)
    x = keras.layers.Conv2DTranspose(2, 2, strides=2)(x)
    by_hand = (
        2 * 3 * 3 * 3 * 5 * (4 * 3)  # convolution
        + 2 * 3 * 3 * 5 * (4 * 3)  # each channel by itself
        + 2 * 2 * 2 * 5 * 2 * (4 * 3)  # transposed: used at each place of what comes in
    )
    assert rates.forward_flops(keras.Model(inputs, x)) == by_hand


@pytest.mark.parametrize(("seconds_a_step", "seconds"), [(0.1, 10), (3.0, 10), (0.7, 1)])
def test_planned_steps_stay_within_the_budget_and_nearly_use_it(seconds_a_step, seconds):
    steps = clock.plan_steps(seconds_a_step, seconds)
    assert steps * seconds_a_step <= seconds
    assert (steps + 1) * seconds_a_step > clock.PLANNED_SHARE * seconds


def test_budget_below_one_step_is_refused():
    with pytest.raises(ValueError, match="larger --budget"):
        clock.plan_steps(2.0, 1.0)


def test_classic_picture_takes_time_and_less_than_its_batch(monkeypatch):
    monkeypatch.setattr(clock, "step_seconds", lambda *arguments: [4.0, 8.0, 9.0])
    monkeypatch.setattr(clock, "CLASSIC_BATCH", 4)
    assert clock.classic_picture(1) == 2.0


@pytest.mark.parametrize("channels", [1, 3])
def test_measured_classic_picture_is_positive(channels):
    assert clock.classic_picture(channels) > 0


@pytest.mark.parametrize(("batch", "expected"), [(4, 4), (50, 12)])
def test_batches_never_end_and_are_all_full(drawn_folder, batch, expected):
    pairs = find_pairs(drawn_folder).labelled[:-1] if batch == 4 else find_pairs(drawn_folder).pairs
    batches = itertools.islice(clock.endless_batches(task(pairs, batch=batch)), 6)
    assert [len(x) for x, _ in batches] == [expected] * 6


def test_building_the_graph_changes_nothing():
    model = clock.compiled(task([]), steps=3)
    model.optimizer.build(model.trainable_variables)

    def state():
        return [np.array(value) for value in (*model.weights, *model.optimizer.variables)]

    before = state()
    clock._build_graph(model, clock.random_batch(32, 2, 3))
    for old, new in zip(before, state(), strict=True):
        np.testing.assert_array_equal(old, new)
    model.train_on_batch(*clock.random_batch(32, 2, 3))
    assert any((old != new).any() for old, new in zip(before, state(), strict=True))


def test_clock_rests_while_the_caller_works(monkeypatch):
    now = iter(range(100))
    monkeypatch.setattr(clock.time, "perf_counter", lambda: float(next(now)))
    model = clock.compiled(task([]), steps=3)
    batches = itertools.repeat(clock.random_batch(32, 2, 3))
    monkeypatch.setattr(clock, "tqdm", lambda numbers, **options: numbers)
    spent = []
    for _, seconds in clock.timed_training(model, batches, 3):
        next(now)
        spent.append(seconds)
    assert spent == [1.0, 2.0, 3.0]


def test_fastest_policy_is_taken_and_the_global_one_is_left_alone(drawn_folder, monkeypatch):
    seconds = {"float32": 2.0, "mixed_bfloat16": 1.0}
    monkeypatch.setattr(
        clock, "step_seconds", lambda model, *more: [seconds[model.layers[2].dtype_policy.name]]
    )
    policies = ("float32", "mixed_bfloat16")
    model, steps, trials = clock.plan(task(find_pairs(drawn_folder).pairs), 100, policies)
    assert list(trials.items()) == [("mixed_bfloat16", 1.0), ("float32", 2.0)]
    assert steps == 97
    assert model.layers[2].compute_dtype == "bfloat16"
    assert keras.config.dtype_policy().name == "float32"


@pytest.mark.slow
def test_em(drawn_folder, results, three_steps):
    found = results("em", "--data", drawn_folder, "--budget", 2)
    last = found["evaluations"][-1]
    assert 0 < last["cp"] == pytest.approx(last["seconds"] / found["seconds of a classic picture"])
    assert all(0 <= row["soft Dice"] <= 1 for row in found["evaluations"])
    assert [row["pictures"] for row in found["evaluations"]] == [0.5, 1, 1.5]  # in quarters
    assert {"cp until 0.9188", "best soft Dice within 2 cp"} <= set(found)


def test_quadrants_and_shrunken_copies_hold_the_same_pixels(drawn_folder, tmp_path):
    pairs = find_pairs(drawn_folder).labelled[:2]
    picture, mask = read_pair(pairs[1])
    copies, seconds = sections.prepared(pairs, tmp_path, 3, sections.shrunken)
    assert (len(copies), seconds > 0) == (2, True)
    small, small_mask = read_pair(copies[1])
    np.testing.assert_array_equal(resize_image(small, 32), resize_image(picture, 32))
    np.testing.assert_array_equal(resize_mask(small_mask, 32), resize_mask(mask, 32))

    copies, _ = sections.prepared(pairs, tmp_path, 1, sections.quadrants)
    quarters = [read_pair(copy, 1) for copy in copies[4:]]
    for part in (0, 1):
        upper, lower = (np.hstack([quarters[i][part], quarters[i + 1][part]]) for i in (0, 2))
        gray = read_pair(pairs[1], 1)[part]
        expected = (resize_mask if part else resize_image)(gray, 32).squeeze()
        given = np.vstack([upper, lower]).squeeze() / (1 if part else 255)
        np.testing.assert_allclose(given, expected, atol=1e-6)


@pytest.mark.slow
def test_isic(listed_folder, results, monkeypatch, three_steps):
    monkeypatch.setattr(sections, "POLICIES", ("mixed_bfloat16",))
    found = results("isic", "--data", listed_folder, "--budget", 3, "--seed", 1)
    assert found["trained in"] == "mixed_bfloat16"
    assert found["pictures seen"] == 2 * 3
    assert found["pictures scored"] == 2
    assert found["scores"]["from"] <= found["scores"]["Dice"] <= found["scores"]["to"]
    assert keras.config.dtype_policy().name == "float32"


@pytest.mark.slow
def test_finetune(listed_folder, weights, results):
    found = results("finetune", "--data", listed_folder, "--weights", weights, "--pictures", 5)
    assert found["pictures trained on"] == 5
    before, tuned, scratch = found["scores"]
    assert before["cp"] == 0 < min(tuned["cp"], scratch["cp"])
    assert tuned["pictures"] == scratch["pictures"] == 4


@pytest.mark.slow
def test_predict(drawn_folder, weights, results):
    found = results("predict", "--data", drawn_folder, "--weights", weights)
    (row,) = found["rounds"]
    assert found["median"] == row
    assert row["ratio"] == pytest.approx(row["bare, pictures/s"] / row["end to end, pictures/s"])
    assert min(row.values()) > 0
    assert found["pictures"] == 2
    assert found["median size of a picture"] == "64 x 64"
    assert found["cold start of segment.py predict, seconds"] > 0


@pytest.mark.slow
def test_efficiency(results):
    found = results("efficiency")
    assert found["share, median"] > 0
    assert found["GFLOP of a training step, 3 forward passes a picture"] == pytest.approx(
        3 * 2 * found["GFLOP of a forward pass of one picture"]
    )


def test_data_hands_over_to_the_pipeline_benchmark(drawn_folder, monkeypatch):
    from benchmarks import pipeline

    handed = []
    monkeypatch.setattr(pipeline, "measure_speed", lambda pairs, seconds: handed.append(pairs))
    speedrun.main(["data", "--data", str(drawn_folder)])
    assert len(handed[0]) == 12


@pytest.mark.parametrize(
    ("section", "words"),
    [
        (("em", "--data", "nowhere"), "nowhere"),
        (("em", "--data", "DRAWN", "--budget", "-1"), "-1"),
        (("isic", "--data", "DRAWN"), "--budget"),
        (("isic", "--data", "DRAWN", "--budget", "0.00001"), "larger --budget"),
        (("finetune", "--data", "DRAWN", "--weights", "none.keras"), "none.keras"),
        (("predict", "--data", "nowhere"), "nowhere"),
    ],
)
def test_mistakes_end_in_one_line(section, words, drawn_folder, tmp_path, refused):
    arguments = [drawn_folder if word == "DRAWN" else word for word in section]
    assert words in refused(*arguments, "--out", tmp_path / "new")


def test_em_needs_pictures_to_train_on(tmp_path, refused):
    from lesion.drawn.scene import write_pairs

    write_pairs(3, tmp_path / "three", size=32)
    arguments = ("em", "--data", tmp_path / "three", "--out", tmp_path / "new")
    assert "holds 3 pairs" in refused(*arguments)


def test_earlier_results_are_never_overwritten(tmp_path, refused):
    (tmp_path / "results.json").write_text("{}")
    assert "already holds files" in refused("efficiency", "--out", tmp_path)
