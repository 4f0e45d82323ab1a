"""One HTML file that outlines lesions in the browser alone: the network and its runtime are in it.

write_page("model.onnx", recipe, fetch_runtime())

The page needs no server and asks nobody for anything; its own policy forbids it every request.
"""

import base64
import gzip
import html
import json
import tarfile
from pathlib import Path

from lesion.console import InputError
from lesion.export.recipe import TEMPLATES
from lesion.masks import COLOURS, PREDICTED

# The package onnxruntime-web of the npm registry, MIT licence, 33 MB; fetched once.
RUNTIME_URL = "https://registry.npmjs.org/onnxruntime-web/-/onnxruntime-web-1.30.0.tgz"
RUNTIME_SHA256 = "d2228df7e4616bc3348bf504ee888f3bec43789a273f0a63f3e68d203ce3bf71"
PROGRAM, WASM = "package/dist/ort.wasm.bundle.min.mjs", "package/dist/ort-wasm-simd-threaded.wasm"


def fetch_runtime() -> Path:
    """Return the path of the package, a .tgz in the user's cache or fetched from the registry.

    Raises:
        InputError: it is not in the cache and cannot be fetched.
    """
    import pooch

    pooch.get_logger().setLevel("WARNING")
    try:
        return Path(
            pooch.retrieve(
                RUNTIME_URL,
                f"sha256:{RUNTIME_SHA256}",
                path=pooch.os_cache("skin-lesion-segmentation"),
                progressbar=True,
            )
        )
    except (OSError, ValueError) as error:
        raise InputError(
            f"{RUNTIME_URL}: cannot be had ({error}): the page needs it once, so try again with "
            "a connection"
        ) from error


def write_page(model: str | Path, recipe: dict, runtime: Path) -> Path:
    """Put an .onnx file, its recipe and the runtime into an outline.html beside it; return that."""
    model = Path(model)
    with tarfile.open(runtime) as package:
        program, wasm = (package.extractfile(name).read() for name in (PROGRAM, WASM))
    parts = {
        "ORT": program,
        "WASM": wasm,
        "MODEL": model.read_bytes(),
        "RECIPE_MJS": (TEMPLATES / "recipe.mjs").read_bytes(),
        "RECIPE": json.dumps(recipe).encode(),
    }
    text = (TEMPLATES / "page.html").read_text(encoding="utf-8")
    for name, content in parts.items():
        packed = base64.b64encode(gzip.compress(content, mtime=0)).decode("ascii")
        text = text.replace(f"{{{{{name}}}}}", packed)
    licence = f" The network: {html.escape(recipe['license'])}." if "license" in recipe else ""
    text = text.replace("{{LICENCE}}", licence).replace("{{COLOUR}}", COLOURS["prediction"])
    text = text.replace("{{SIGNATURE}}", "\\0".join(PREDICTED))
    page = model.with_name("outline.html")
    page.write_text(text, encoding="utf-8")
    model.unlink()
    return page
