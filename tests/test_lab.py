"""The main notebook with somebody before it: a figure that grows, a panel, a browser, mistakes."""

import shutil
import time
from pathlib import Path

import nbformat
import pytest
from lab import opened

ROOT = Path(__file__).parents[1]
MAIN = ROOT / "notebooks" / "skin_lesion_segmentation.ipynb"
SMALL = """
import functools
small = functools.partial(unet.unet, widths=(4,))
unet.NETWORKS["lite"] = unet.NETWORKS["lite"]._replace(build=small, start=None)
EPOCHS, IMAGE_SIZE, DATA = 9999, 32, "drawn"  # more than pass until it is stopped
"""
TRAIN = "trained = workflow.Training"


@pytest.fixture
def place(tmp_path, drawn_folder):
    """A project of its own around the main notebook, and where its cells are: words -> number."""
    (tmp_path / "notebooks").mkdir()
    for name in ("unet.py", "data.py", "lesion", "files", "test"):
        (tmp_path / name).symlink_to(ROOT / name)
    shutil.copytree(drawn_folder, tmp_path / "drawn")
    notebook = nbformat.read(MAIN, as_version=4)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = []
    nbformat.write(notebook, tmp_path / "notebooks" / "main.ipynb")

    def number(words):
        kinds = enumerate(notebook.cells)
        return next(i for i, c in kinds if c.cell_type == "code" and words in c.source)

    return tmp_path, number


def printed(outputs):
    return "".join(o["text"] for o in outputs if o["output_type"] == "stream")


def error_of(outputs):
    """Return the one line that a cell ended in."""
    (error,) = [o for o in outputs if o["output_type"] == "error"]
    (line,) = error["traceback"]
    return line


def pictures(outputs):
    return [o["data"] for o in outputs if o["output_type"] == "display_data" and
            {"image/jpeg", "image/png"} & set(o["data"])]  # fmt: skip


@pytest.mark.slow
def test_somebody_trains_stops_browses_and_trains_on(place, browser):
    folder, number = place
    with opened(browser, folder, "notebooks/main.ipynb") as lab:
        lab.run(number("%matplotlib"))
        assert "name 'split' is not defined: run the cells above" in error_of(
            lab.run(number(TRAIN))
        )
        lab.run(number("EPOCHS = "))
        lab.type(SMALL)
        lab.type('DATA = "nowhere"')
        assert "nowhere: no such folder" in error_of(lab.run(number("split = inputs.load")))
        lab.type('DATA = "drawn"')
        lab.run(number("split = inputs.load"))

        # One figure, which changes while it trains.
        lab.start(number(TRAIN))
        seen = set()
        for _ in range(2000):
            shown = pictures(lab.outputs(number(TRAIN)))
            assert len(shown) <= 1
            seen |= {data.get("image/jpeg") for data in shown}
            if len(seen) >= 3:
                break
            time.sleep(0.2)
        assert len(seen) >= 3
        lab.page.screenshot(path=folder / "growing.png")
        lab.stop()
        lab.wait()
        outputs = lab.outputs(number(TRAIN))
        assert "stopped by hand after epoch" in printed(outputs)
        (figure,) = pictures(outputs)
        assert "image/png" in figure

        # Leafing through: another threshold, other words.
        for words in ("trained.finish()", "workflow.score(", "show.browse"):
            lab.run(number(words))
        words = lab.page.locator(".widget-html", has_text="at threshold").last
        before = words.inner_text()
        lab.page.locator(".widget-hslider", has_text="threshold").locator(".noUi-handle").focus()
        lab.page.keyboard.press("ArrowRight")
        lab.page.wait_for_function(
            "before => !document.body.innerText.includes(before)", arg=before
        )
        lab.page.screenshot(path=folder / "browser.png")

        # The panel trains on.
        lab.run(number("panel.Panel"))
        lab.page.get_by_label("EPOCHS").fill("2")
        lab.page.keyboard.press("Tab")
        lab.page.get_by_role("button", name="train on").click()
        rows = lab.page.locator(".widget-html table tr")
        rows.nth(2).wait_for(timeout=300_000)
        assert "model.keras" in rows.nth(2).inner_text()
        lab.wait()
        lab.page.screenshot(path=folder / "panel.png")
