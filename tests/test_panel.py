"""The panel under a training: it trains on or anew, in a new folder each, and tells mistakes."""

import pytest

from lesion import inputs, jupyter, panel, runs, workflow
from lesion.console import InputError
from lesion.settings import Settings


@pytest.fixture
def trained(narrow, drawn_folder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    settings = Settings(data=drawn_folder, epochs=2, image_size=32, patience=7)
    return workflow.Training(inputs.load(settings), settings, tmp_path / "first")


@pytest.mark.slow
def test_train_on_and_start_anew(trained, monkeypatch, tmp_path):
    pytest.importorskip("ipywidgets")
    with pytest.raises(InputError, match="nothing is trained yet"):
        panel.Panel(trained)
    trained.fit()
    trained.finish()
    assert panel.Panel(trained).box is None  # nobody looks
    monkeypatch.setattr(jupyter, "somebody_looks", lambda: True)
    lab = panel.Panel(trained)
    lab.epochs.value, lab.size.value, lab.augmentation.value = 1, 64, 0.5
    lab.buttons[0].click()
    assert lab.trained.settings.start_from == str(trained.run / "model.keras")
    assert lab.trained.model.input_shape[1] == lab.network.image_size == 64
    assert bytes(lab.image.value).startswith(b"\x89PNG")
    on = lab.trained
    assert on.settings.patience == 7  # which was set
    lab.buttons[1].click()
    assert lab.trained.settings.start_from == "random"
    assert len({trained.run, on.run, lab.trained.run}) == 3
    assert (lab.trained.run / "figures" / "growth.webp").is_file()

    columns = ("begun from", "epochs", "size", "augmentation")
    assert [tuple(a[c] for c in columns) for a in lab.attempts] == [
        ("random", 2, 32, "1"),
        ("first/model.keras", 1, 64, "0.5"),
        ("random", 1, 64, "0.5"),
    ]
    assert lab.table.value.count("<tr>") == 4
    assert f"{lab.trained.rule.validation_dice:.3f}" in lab.table.value

    # A mistake is a line, and the buttons can be pressed again.
    def full(*arguments):
        raise InputError("runs: cannot be written; free space there")

    monkeypatch.setattr(runs, "unused_folder", full)
    lab.buttons[1].click()
    assert len(lab.attempts) == 3
    assert not any(button.disabled for button in lab.buttons)
