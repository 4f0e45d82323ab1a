"""A notebook in JupyterLab in headless Chromium, driven as somebody before it would."""

import json
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager, suppress

NOTEBOOK = "window.jupyterapp.shell.currentWidget"
PATIENCE = 600  # seconds that a cell may take


@contextmanager
def jupyter_lab(folder):
    """Serve a folder to this machine alone; yield the address."""
    command = [sys.executable, "-m", "jupyter", "lab", "--no-browser", "--allow-root"]
    command += ["--expose-app-in-browser", "--ip=127.0.0.1", "--port=0", f"--notebook-dir={folder}"]
    command += ["--IdentityProvider.token=", "--LabApp.news_url=", "--ServerApp.port_retries=0"]
    with (folder / "server.log").open("w") as log:
        server = subprocess.Popen(command, stdout=log, stderr=log, cwd=folder)
    try:
        yield _address_in(folder / "server.log")
    finally:
        server.terminate()
        server.wait(timeout=60)


def _address_in(log):
    for _ in range(240):
        words = log.read_text().split()
        for address in [w for w in words if w.startswith("http://127.0.0.1:")]:
            with suppress(OSError):
                urllib.request.urlopen(address)
                return address.partition("/lab")[0]
        time.sleep(0.5)
    raise AssertionError(log.read_text())


class Lab:
    """The notebook that is open in the browser.

    Attributes:
        page: of Playwright.
    """

    def __init__(self, page):
        self.page = page
        page.wait_for_function(
            # The application is not there until its scripts have run.
            f"window.jupyterapp && {NOTEBOOK}?.sessionContext?.session?.kernel?.status == 'idle'",
            timeout=120_000,
        )

    def evaluate(self, words):
        return self.page.evaluate(words)

    def start(self, number):
        """Begin to run a cell, and do not wait for its end."""
        self.evaluate(f"() => {{ {_running(number)} }}")

    def run(self, number):
        """Run a cell to its end; return its outputs."""
        self.evaluate(f"() => {{ return {_running(number)} }}")  # a promise, which is waited for
        return self.outputs(number)

    def wait(self):
        """Wait until nothing runs."""
        idle = f"{NOTEBOOK}.sessionContext.session.kernel.status == 'idle'"
        self.page.wait_for_function(idle, timeout=1000 * PATIENCE)
        time.sleep(0.5)  # until what was printed last has arrived

    def type(self, source):
        """Run a new cell at the end; return its outputs."""
        count = self.evaluate(f"{NOTEBOOK}.content.widgets.length")
        cell = {"cell_type": "code", "source": source, "metadata": {}}
        self.evaluate(
            f"{NOTEBOOK}.content.model.sharedModel.insertCell({count}, {json.dumps(cell)})"
        )
        return self.run(count)

    def outputs(self, number):
        return self.evaluate(f"{NOTEBOOK}.content.widgets[{number}].outputArea.model.toJSON()")

    def stop(self):
        """Press the square button."""
        self.evaluate("() => { window.jupyterapp.commands.execute('notebook:interrupt-kernel'); }")


def _running(number):
    """Return the JavaScript that runs a cell."""
    return (
        f"({NOTEBOOK}.content.activeCellIndex = {number},"
        " window.jupyterapp.commands.execute('notebook:run-cell'))"
    )


@contextmanager
def opened(browser, folder, name):
    """Open a notebook of a folder in a browser of Playwright; give it as a `Lab`."""
    with jupyter_lab(folder) as address:
        page = browser.new_page(viewport={"width": 1200, "height": 1400})
        page.goto(f"{address}/lab/tree/{name}", timeout=120_000)
        yield Lab(page)
        page.close()
