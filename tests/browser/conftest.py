"""Drive a real JupyterLab or Notebook 7 in Chromium.

One server for all of these tests, a browser for each file, a fresh notebook and kernel for each test. What a cell
printed is read from the notebook's shared model, since the page holds only the cells in view.
"""

from __future__ import annotations

import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import nbformat
import pytest
from playwright.sync_api import BrowserContext, sync_playwright

from tests.browser.page import SCRIPT, OpenNotebook

Flavour = Literal["lab", "notebook"]
FLAGS = [
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
    "--no-first-run",
    "--no-sandbox",
]
ADDRESS = {"lab": "lab/tree/{name}?reset&token={token}", "notebook": "notebooks/{name}?token={token}"}
NO_NEWS = {"fetchNews": "false", "checkForUpdates": False, "doNotDisturbMode": True}


@dataclass(frozen=True)
class Server:
    """A running Jupyter server: where it answers, and the folder that it serves."""

    url: str
    token: str
    root: Path


@pytest.fixture(scope="session")
def server(jupyter_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Run a Jupyter server for JupyterLab and Notebook 7 on a free port, and end it afterwards."""
    running = Server(f"http://127.0.0.1:{_free_port()}/", secrets.token_hex(16), tmp_path_factory.mktemp("notebooks"))
    _silence_news(jupyter_home / "settings")
    log = jupyter_home / "server.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            _server_command(running), cwd=running.root, stdout=output, stderr=output, start_new_session=True
        )
        try:
            _wait_for(running, process, log)
            yield running
        finally:
            _end(process)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _silence_news(settings: Path) -> None:
    """Turn off the question about news, which would cover the page."""
    path = settings / "@jupyterlab" / "apputils-extension" / "notification.jupyterlab-settings"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(NO_NEWS), encoding="utf-8")


def _server_command(server: Server) -> list[str]:
    port = server.url.rstrip("/").rpartition(":")[2]
    return [
        *(sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--ip=127.0.0.1", f"--port={port}"),
        f"--IdentityProvider.token={server.token}",
        f"--ServerApp.root_dir={server.root}",
        "--ServerApp.port_retries=0",
        "--LabApp.expose_app_in_browser=True",
        "--JupyterNotebookApp.expose_app_in_browser=True",
    ]


def _wait_for(server: Server, process: subprocess.Popen[bytes], log: Path, timeout: float = 60) -> None:
    """Wait until the server answers; show its log where it doesn't."""
    until = time.monotonic() + timeout
    while time.monotonic() < until and process.poll() is None:
        try:
            with urllib.request.urlopen(f"{server.url}api/status?token={server.token}", timeout=5):
                return
        except OSError:
            time.sleep(0.1)
    pytest.fail(
        f"the Jupyter server did not start:\n{log.read_text(encoding='utf-8', errors='replace')}", pytrace=False
    )


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the server as a service manager would (it ends its kernels), and its process group if it hangs."""
    process.terminate()
    try:
        process.wait(timeout=15)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[BrowserContext]:
    """Run Chromium for the tests of one file; its pages share one cache.

    Not for the whole session: Playwright keeps an event loop in the main thread as long as it runs, where tests of
    other files have loops of their own.
    """
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield running.new_context(viewport={"width": 1400, "height": 1000})
        running.close()


@pytest.fixture
def lab(
    server: Server, browser: BrowserContext, request: pytest.FixtureRequest, tmp_path: Path
) -> Iterator[Callable[..., OpenNotebook]]:
    """Return ``lab(cells, flavour="lab")``, which opens a fresh notebook and waits for its kernel."""
    opened: list[OpenNotebook] = []

    def open_one(cells: Sequence[str | nbformat.NotebookNode], flavour: Flavour = "lab") -> OpenNotebook:
        notebook = _open(server, browser, _write(server.root, cells), flavour)
        opened.append(notebook)
        return notebook

    yield open_one
    failed = request.node.stash.get(FAILED, False)
    for number, notebook in enumerate(opened):
        if failed:
            print("the page looked like", notebook.screenshot(tmp_path / f"failed-{number}.png"))
        notebook.close()


def _write(root: Path, cells: Sequence[str | nbformat.NotebookNode]) -> str:
    """Write a notebook of these cells (a string is a code cell) under a new name."""
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(cell) if isinstance(cell, str) else cell for cell in cells],
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
    )
    name = f"{secrets.token_hex(4)}.ipynb"
    nbformat.write(notebook, root / name)
    return name


def _open(server: Server, browser: BrowserContext, name: str, flavour: Flavour) -> OpenNotebook:
    """Open a notebook in a new page and wait until its kernel is idle."""
    page = browser.new_page()
    page.add_init_script(SCRIPT)
    notebook = OpenNotebook(page, name)
    page.on("pageerror", lambda error: notebook.page_errors.append(str(error)))
    page.goto(server.url + ADDRESS[flavour].format(name=name, token=server.token))
    page.wait_for_selector(".jp-NotebookPanel .jp-Cell", timeout=60_000)
    notebook.wait_idle()
    return notebook


FAILED = pytest.StashKey[bool]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Remember that a test failed, so that its page is kept as a picture."""
    report = yield
    if report.when == "call":
        item.stash[FAILED] = report.failed
    return report
