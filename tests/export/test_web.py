"""The page that needs no server, in a browser without a network, and its JavaScript in Node."""

import base64
import json
import shutil
import subprocess
import tarfile

import cv2
import numpy as np
import pytest
from PIL import Image

from lesion.console import InputError
from lesion.export import conversion, web
from lesion.export.recipe import TEMPLATES
from lesion.inputs.reading import read_image, resize_image
from lesion.masks import PREDICTED, largest_component
from lesion.predict.network import load_network
from lesion.score.metrics import score_pair

USED = ("package/dist/ort.wasm.bundle.min.mjs", "package/dist/ort-wasm-simd-threaded.")  # of 33 MB
CASES = """
import { readFileSync } from "node:fs";
import { largestComponent, resize } from "RECIPE";

const { pictures, masks } = JSON.parse(readFileSync(0));
const bytes = (text) => Uint8Array.from(Buffer.from(text, "base64"));
console.log(JSON.stringify({
  pictures: pictures.map(([data, ...size]) => [...resize(bytes(data), ...size)]),
  masks: masks.map(([data, ...size]) => [...largestComponent(bytes(data), ...size)]),
}));
"""


@pytest.fixture(scope="module")
def node():
    found = shutil.which("node")
    if found is None:
        pytest.skip("no Node on this machine")
    return found


@pytest.fixture(scope="module")
def runtime():
    """The package onnxruntime-web, fetched once."""
    for package in conversion.ONNX_PACKAGES:
        pytest.importorskip(package)
    try:
        return web.fetch_runtime()
    except InputError as error:
        pytest.skip(f"onnxruntime-web cannot be fetched: {error}")


@pytest.fixture(scope="module")
def weights(trained, drawn_folder, tmp_path_factory):
    """A tiny trained network, whose threshold divides pictures in two."""
    path = tmp_path_factory.mktemp("weights") / "model.keras"
    shutil.copy(trained / "model.keras", path)
    settings = json.loads((trained / "model.json").read_text())
    prediction = load_network(trained / "model.keras").predict(
        read_image(drawn_folder / "image" / "0.png")
    )
    threshold = float(np.quantile(prediction.probability, 0.7))
    settings |= {"threshold": threshold, "one_lesion": True, "license": "cc-by-nc-4.0"}
    path.with_suffix(".json").write_text(json.dumps(settings))
    return path


def test_javascript_resizes_and_cleans_as_python_does(node, tmp_path):
    random = np.random.default_rng(0)
    sizes = [(90, 61, 3, 32), (20, 24, 1, 32), (70, 17, 3, 32), (32, 32, 1, 32), (1, 5, 1, 32)]
    pictures = [
        random.integers(0, 256, (height, width, channels), np.uint8)
        for width, height, channels, _ in sizes
    ]
    nested = np.zeros((40, 50), np.uint8)
    nested[3:30, 4:30] = 1
    nested[6:27, 7:27] = 0  # a hole that reaches a corner of the next, and holds an island
    nested[12:20, 12:20] = 1
    nested[30:38, 30:48] = 1  # touches by a corner
    noise = (random.random((40, 50)) > 0.6).astype(np.uint8)
    full, empty = np.ones((40, 50), np.uint8), np.zeros((40, 50), np.uint8)
    masks = [nested, np.flipud(nested[:30]).copy(), noise, full, empty]

    def packed(array, *size):
        return [base64.b64encode(array.tobytes()).decode(), *size]

    given = {
        "pictures": [packed(p, *size) for p, size in zip(pictures, sizes, strict=True)],
        "masks": [packed(mask, *mask.shape[::-1]) for mask in masks],
    }
    script = tmp_path / "cases.mjs"
    script.write_text(CASES.replace("RECIPE", (TEMPLATES / "recipe.mjs").as_uri()))
    done = subprocess.run([node, script], input=json.dumps(given), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    made = json.loads(done.stdout)
    for picture, values in zip(pictures, made["pictures"], strict=True):
        expected = resize_image(picture, 32)
        # Where OpenCV's integers round a value the other way, it is off by one level of 255.
        np.testing.assert_allclose(np.reshape(values, expected.shape), expected, atol=1.01 / 255)
        assert np.abs(values - expected.ravel()).mean() < 0.2 / 255
    for mask, kept in zip(masks, made["masks"], strict=True):
        np.testing.assert_array_equal(np.reshape(kept, mask.shape), largest_component(mask))


def exported(kind, weights, drawn_folder, out, run_command):
    command = ["export", "--format", kind, "--weights", weights, "--data", drawn_folder]
    code, _, errors = run_command(*command, "--out", out)
    assert (code, errors) == (0, [])
    return out


@pytest.mark.slow
def test_the_example_for_javascript_makes_the_same_mask_in_node(
    node, runtime, weights, drawn_folder, tmp_path, run_command
):
    folder = exported("onnx", weights, drawn_folder, tmp_path / "out", run_command)
    with tarfile.open(runtime) as package:
        wanted = [m for m in package if m.name.startswith(USED) or m.name == "package/package.json"]
        package.extractall(tmp_path, wanted, filter="data")
    (folder / "node_modules").mkdir()
    (tmp_path / "package").rename(folder / "node_modules" / "onnxruntime-web")
    picture = Image.open(drawn_folder / "image" / "0.png").resize((90, 61))
    picture.save(tmp_path / "picture.ppm")
    command = [node, folder / "example.mjs", tmp_path / "picture.ppm", tmp_path / "mask.pgm"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-1000:]
    mask = (read_image(tmp_path / "mask.pgm", 1)[..., 0] > 0).astype(np.uint8)
    expected = load_network(weights).predict(np.asarray(picture.convert("RGB"))).mask
    assert score_pair(expected, mask)["dice"] >= 0.999


@pytest.fixture
def browser_page(browser):
    """A page of the browser without a network; its requests are in `requests`."""
    page = browser.new_context(offline=True).new_page()
    page.requests = []
    page.on("request", lambda request: page.requests.append(request.url))
    page.set_default_timeout(120_000)
    return page


@pytest.mark.slow
def test_the_page_outlines_a_dropped_picture_without_any_request(
    runtime, weights, drawn_folder, tmp_path, run_command, browser_page
):
    folder = exported("web", weights, drawn_folder, tmp_path / "out", run_command)
    assert {path.name for path in folder.iterdir()} == {"outline.html", "model.json"}
    page, network = browser_page, load_network(weights)
    page.goto((folder / "outline.html").as_uri())
    page.get_by_text("Ready.").wait_for()
    assert page.get_by_text("The network: cc-by-nc-4.0.").is_visible()
    picture = cv2.imread(str(drawn_folder / "image" / "0.png"))
    cv2.imwrite(str(tmp_path / "large.png"), cv2.resize(picture, (190, 121)))
    turned = Image.open(tmp_path / "large.png")
    turned.getexif()[0x0112] = 6  # to be seen a quarter turn clockwise
    turned.save(tmp_path / "turned.jpg", quality=95, exif=turned.getexif())
    for name, least in (("large.png", 0.999), ("turned.jpg", 0.99)):
        path = tmp_path / name
        drop(page, path)
        page.locator("#status", has_text=f"{name}: the lesion covers").wait_for()
        with page.expect_download() as download:
            page.get_by_role("button", name="Save the mask").click()
        assert download.value.suggested_filename == f"{path.stem}_mask.png"
        saved = Image.open(download.value.path())
        assert saved.info[PREDICTED[0]] == PREDICTED[1]  # so that it is never taken for truth
        mask = (np.asarray(saved.convert("L")) > 0).astype(np.uint8)
        assert score_pair(network.predict(read_image(path)).mask, mask)["dice"] >= least
    (tmp_path / "text.png").write_text("no picture")
    drop(page, tmp_path / "text.png")
    page.get_by_text("text.png: no picture that this browser can read").wait_for()
    assert not any(url.startswith(("http", "ws")) for url in page.requests)


def drop(page, path):
    """Drop a file onto the page, as a person does with the mouse."""
    transfer = page.evaluate_handle(
        """([name, content]) => {
          const bytes = Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0));
          const transfer = new DataTransfer();
          transfer.items.add(new File([bytes], name));
          return transfer;
        }""",
        [path.name, base64.b64encode(path.read_bytes()).decode()],
    )
    page.dispatch_event("#drop", "drop", {"dataTransfer": transfer})
