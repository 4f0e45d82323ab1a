"""The page itself: in a browser from upload to saved correction, and with many people at once."""

import re
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import pytest

pytest.importorskip("gradio", reason="gradio is not installed (requirements-app.txt)")

import gradio as gr

from lesion.app import compare, outline, page, painter, wiring
from lesion.app.corrections import to_canvas
from lesion.app.texts import LANGUAGES
from lesion.console import InputError
from lesion.inputs import find_pairs, read_image, read_mask, read_pair
from lesion.options import SHIPPED_WEIGHTS
from lesion.predict import load_network

ROOT = Path(__file__).parents[2]
LOCAL = ("127.0.0.1", "localhost", "::1")
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]
UPLOADS = 16  # many times those that are answered at once
MOST_MEMORY = 1000  # MB, of the process that serves; with 50 uploads 500 measured


@pytest.fixture
def drawn():
    return [pair.image for pair in find_pairs(ROOT / "test").pairs[:3]]


def test_what_was_painted_is_read_and_nonsense_is_refused():
    mask = np.zeros((20, 30), np.uint8)
    mask[5:10, 5:20] = 1
    value = painter.to_value(to_canvas(np.zeros((20, 30, 3), np.uint8), mask), {})
    assert np.array_equal(painter.painted_mask(value, (20, 30)), mask)
    for wrong in (None, {}, {"mask": "data:,x"}, {"mask": value["picture"]}):
        with pytest.raises(InputError, match="did not arrive whole"):
            painter.painted_mask(wrong, (20, 30))
    with pytest.raises(InputError, match="instead of"):
        painter.painted_mask(value, (20, 31))


def test_an_outline_not_to_be_trusted_is_said_to_be():
    row = {"area": 0.1, "quality": 0.95, "unfamiliar": 0, "touches_frame": 0}
    assert "warning" not in outline.judgement(row, "en")
    low = outline.judgement({**row, "quality": 0.5}, "en")
    assert "may be wrong" in low
    assert "0.50" in low
    assert "do not rely" in outline.judgement({**row, "unfamiliar": 1, "quality": 0.3}, "en")
    assert "visible part" in outline.judgement({**row, "touches_frame": 1}, "en")
    assert "Nenhuma" in outline.judgement({**row, "area": 0.0}, "pt")


def test_a_taken_port_is_told_in_words(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with (
            pytest.raises(InputError, match="cannot be served there"),
            page.serve([str(SHIPPED_WEIGHTS)], str(tmp_path), port=port),
        ):
            pass


@pytest.mark.parametrize(
    ("accepted", "spoken", "before"),
    [("pt-BR,pt;q=0.9", "pt", "O programa diz, em inglês: "), ("de", "en", "")],
)
def test_a_mistake_told_in_english_is_marked_as_that(accepted, spoken, before):
    request = gr.Request(headers={"accept-language": accepted})

    def handler(path, request: gr.Request):
        raise InputError(f"{path}: is <no> picture")

    with pytest.raises(gr.Error) as raised:
        wiring.in_words(handler)("a.png", request)
    line = '<span lang="en">a.png: is &lt;no&gt; picture</span>'
    assert raised.value.message == before + line
    with pytest.raises(gr.Error) as raised:
        wiring.in_words(compare.draw_chosen)(None, "a.png", request)
    assert raised.value.message == LANGUAGES[spoken]["nothing"]


@pytest.fixture
def contacted(monkeypatch):
    """The addresses beyond this machine that the process asks for."""
    addresses, connect = [], socket.socket.connect

    def noted(self, address):
        if isinstance(address, tuple) and address[0] not in LOCAL:
            addresses.append(address)
        return connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", noted)
    return addresses


def assert_accessible(shown):
    """No violation of WCAG 2.1 level AA that axe-core can find."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    found = axe.Axe().run(shown, options={"runOnly": RULES}).response["violations"]
    assert [(one["id"], [node["html"] for node in one["nodes"]]) for one in found] == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("size", "scheme", "language"), [((1280, 900), "light", "en-US"), ((390, 844), "dark", "pt-BR")]
)
def test_from_upload_to_saved_correction(
    browser, contacted, drawn, tmp_path, size, scheme, language
):
    width, height = size
    (tmp_path / "note.png").write_text("no picture")
    corrected, weights = tmp_path / "corrected", [str(SHIPPED_WEIGHTS)]
    weights.append(str(SHIPPED_WEIGHTS.with_name("lean_drawn.keras")))
    with page.serve(weights, str(corrected), [str(ROOT / "test")]) as address:
        context = browser.new_context(
            viewport={"width": width, "height": height}, color_scheme=scheme, locale=language
        )
        context.set_default_timeout(120_000)
        shown, asked, errors = context.new_page(), [], []
        shown.on("request", lambda request: asked.append(request.url))
        shown.on("pageerror", lambda error: errors.append(str(error)))
        shown.goto(address)
        shown.set_input_files("#files input[type=file]", [*drawn, tmp_path / "note.png"])
        shown.wait_for_selector("#pictures img")
        assert "note.png: the content is no PNG" in shown.inner_text("#said [lang=en]")
        assert "Traceback" not in shown.content()
        assert_accessible(shown)

        before = shown.get_attribute("#pictures img", "src")
        shown.focus("#threshold input[type=range]")
        for _ in range(10):
            shown.keyboard.press("ArrowRight")
        shown.wait_for_function(
            "old => document.querySelector('#pictures img').src !== old", arg=before
        )
        with shown.expect_download() as download:
            shown.click("#get_mask")
        assert set(np.unique(read_mask(download.value.path()))) == {0, 1}

        correct(shown)
        assert_accessible(shown)
        shown.click("#save")
        shown.wait_for_function("document.querySelector('#corrected').innerText.includes(': 1.')")
        compare_models(shown, drawn[0])
        assert_accessible(shown)
        shown.click("#one button[aria-label]")  # takes the picture away
        shown.set_input_files("#one input[type=file]", tmp_path / "note.png")
        told = shown.locator(".toast-body [lang=en]")
        told.filter(has_text="note.png: the content is no PNG").wait_for()
        assert shown.evaluate("document.documentElement.scrollWidth") <= width
        assert shown.evaluate("document.documentElement.lang") == language
        assert shown.inner_text("h1") == LANGUAGES[language[:2]]["title"].removeprefix("# ")
        context.close()

    (pair,) = find_pairs(corrected).labelled
    picture, mask = read_pair(pair)
    predicted = load_network(SHIPPED_WEIGHTS).predict(picture).mask
    added, taken = (mask > predicted), (mask < predicted)
    assert added.sum() > 20
    assert taken.sum() == 0
    assert np.argwhere(added)[:, 0].max() < 0.3 * len(mask)  # where it was painted, nowhere else
    assert errors == []
    assert [url for url in asked if not url.startswith((address, "data:", "blob:"))] == []
    assert contacted == []


def correct(shown):
    """Paint a stroke by pointer and one by keyboard into the upper left, and take one back."""
    shown.get_by_role("tab").nth(1).click()
    shown.wait_for_selector("#editor [data-ready]")
    box = shown.locator("#editor canvas").bounding_box()
    x, y = box["x"] + 0.1 * box["width"], box["y"] + 0.1 * box["height"]
    shown.mouse.move(x, y)
    shown.mouse.down()
    shown.mouse.move(x + 30, y, steps=3)
    shown.mouse.up()
    painted = shown.evaluate("document.querySelector('#editor canvas').toDataURL()")
    shown.focus("#editor canvas")
    for key in ("Space", *["ArrowDown"] * 4, "Space"):
        shown.keyboard.press(key)
    shown.keyboard.press("Control+z")
    shown.wait_for_function(
        "old => document.querySelector('#editor canvas').toDataURL() === old", arg=painted
    )


def compare_models(shown, picture):
    """Compare two models on a picture."""
    shown.get_by_role("tab").nth(2).click()
    shown.set_input_files("#one input[type=file]", picture)
    shown.wait_for_selector("#sides img")
    assert "Dice" in shown.inner_text("#agree")


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")
def test_many_uploads_at_once_are_all_answered_right(drawn, tmp_path):
    from gradio_client import Client, handle_file

    pictures = []
    for number in range(UPLOADS):
        picture = cv2.resize(read_image(drawn[number % 3]), (768, 560))
        pictures.append(tmp_path / f"{number}.png")
        cv2.imwrite(str(pictures[-1]), np.roll(picture, 4 * number, axis=1)[..., ::-1])
    command = [sys.executable, "-m", "lesion.app", "--corrected", str(tmp_path / "corrected")]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            address = re.search(r"http://\S+", process.stdout.readline())[0]

            patient = {"verbose": False, "httpx_kwargs": {"timeout": 300}}
            clients = [
                Client(address, download_files=str(tmp_path / path.stem), **patient)
                for path in pictures
            ]

            def upload(client, path):
                given = {"weights": str(SHIPPED_WEIGHTS), "files": [handle_file(path)]}
                return client.predict(**given, camera=None, api_name="/add")

            began = time.monotonic()
            with ThreadPoolExecutor(UPLOADS) as pool:
                answers = list(pool.map(upload, clients, pictures))
            print(f"{time.monotonic() - began:.1f} s, {memory(process.pid)} MB at most")
            assert memory(process.pid) < MOST_MEMORY
        finally:
            process.terminate()
    network = load_network(SHIPPED_WEIGHTS)
    for path, answer in zip(pictures, answers, strict=True):
        (mask,) = [Path(one) for one in answer if str(one).endswith(f"{path.stem}_mask.png")]
        assert np.array_equal(read_mask(mask), network.predict(read_image(path)).mask)


def memory(pid):
    """Return the most memory in MB that a process has held."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+)", status)[1]) // 1024
