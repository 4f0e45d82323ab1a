"""report.html: complete, self-contained, safe with any name, and a browser shows it."""

import re
import subprocess
from html.parser import HTMLParser

import pytest

from lesion import show
from lesion.inputs.pairing import find_pairs
from lesion.predict.network import load_network
from lesion.report import SECTIONS, write_report
from lesion.score.evaluation import MODEL, evaluate, of_method
from lesion.score.results import write_scores
from lesion.score.summaries import Calibration
from lesion.show.figures import Row
from lesion.show.style import plot_figure

VOID = {"meta", "img", "br"}


class Page(HTMLParser):
    """Counts the elements of a page, and fails where one is not closed."""

    def __init__(self, text):
        super().__init__()
        self.open, self.count, self.addresses, self.text = [], {}, [], ""
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        self.count[tag] = self.count.get(tag, 0) + 1
        self.addresses += [value for name, value in attributes if name in ("src", "href")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


@pytest.fixture(scope="module")
def page(trained):
    return (trained / "report.html").read_text(encoding="utf-8")


def test_a_training_leaves_a_whole_report(page, trained):
    parsed = Page(page)
    assert parsed.count["h1"] == 1
    assert parsed.count["img"] == len(show.FIGURES)
    for name, figure in show.FIGURES.items():
        assert (trained / "figures" / f"{name}.png").is_file()
        assert figure.caption in parsed.text
    for words in (MODEL, "Otsu", "Surface", "calibration error", "flagging at random", "Dice"):
        assert words in parsed.text


def test_it_loads_nothing(page):
    addresses = Page(page).addresses
    assert addresses
    assert all(address.startswith("data:image/png;base64,") for address in addresses)
    assert "http" not in re.sub(r"base64,[^\"]*", "", page)
    assert "<script" not in page


def test_names_and_metadata_are_text_never_markup(trained, drawn_folder, tmp_path):
    network = load_network(trained / "model.keras")
    calibration = Calibration()
    pairs = find_pairs(drawn_folder).labelled[:3]
    rows = evaluate(network, pairs, progress=False, calibration=calibration)
    evil = '<script>alert("1")</script>&'
    for row in rows:
        row |= {"name": evil + row["name"], "dx": evil}
    summary = write_scores(tmp_path, rows, {"set": evil}, calibration)
    write_report(tmp_path / "report.html", show.Scored(network, pairs, "", rows, summary), {})
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    parsed = Page(page)
    assert "script" not in parsed.count
    assert evil in parsed.text
    assert "img" not in parsed.count


def test_undefined_scores_are_dashes(trained, drawn_folder, tmp_path):
    network = load_network(trained / "model.keras")
    network.threshold = 1.01  # finds nothing, so that no border distance is defined
    pairs = find_pairs(drawn_folder).labelled[:3]
    rows = evaluate(network, pairs, progress=False)
    assert all(row["dice"] == 0 and row["quality"] == 0 for row in of_method(rows))
    summary = write_scores(tmp_path, rows, {"set": "test"})
    write_report(tmp_path / "report.html", show.Scored(network, pairs, "", rows, summary), {})
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "–" in page
    assert "nan" not in Page(page).text.lower()
    assert "None" not in page


def test_another_figure_is_a_function_and_its_row(trained, drawn_folder, tmp_path, monkeypatch):
    network, pairs = load_network(trained / "model.keras"), find_pairs(drawn_folder).labelled[:3]
    rows = evaluate(network, pairs, progress=False)
    scored = show.Scored(
        network, pairs, "test", rows, write_scores(tmp_path, rows, {"set": "test"})
    )
    for name in list(show.FIGURES):
        monkeypatch.delitem(show.FIGURES, name)
    monkeypatch.setitem(
        show.FIGURES, "new", Row(lambda of: plot_figure(2)[0], "strata", "New one.")
    )
    monkeypatch.setitem(show.FIGURES, "none", Row(lambda of: None, "strata", "Nothing to show."))
    figures = show.draw_all(scored, tmp_path)
    assert figures == {"new": tmp_path / "new.png"}
    write_report(tmp_path / "report.html", scored, figures)
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "Nothing to show." not in page
    assert page.index("Where it is good") < page.index("New one.") < page.index("when it is wrong")


def test_every_figure_belongs_to_a_section_of_the_report():
    assert {figure.section for figure in show.FIGURES.values()} <= set(SECTIONS)


@pytest.mark.slow
def test_a_browser_shows_it(trained, tmp_path, chromium_path):
    command = [
        *(chromium_path, "--headless", "--no-sandbox", "--disable-gpu", "--window-size=390,844"),
        *(f"--user-data-dir={tmp_path / 'profile'}", "--dump-dom", "--virtual-time-budget=5000"),
        (trained / "report.html").as_uri(),
    ]
    result = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    assert result.stdout.count("<img") == len(show.FIGURES)
    assert "<h1>" in result.stdout
