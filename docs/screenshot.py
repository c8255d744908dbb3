"""Take the picture of the README: the quickstart in JupyterLab after an edit, with the lineage beside it.

python docs/screenshot.py [PLACE]       what `make test` has installed, and a Chromium
"""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Final

from PIL import Image
from playwright.sync_api import sync_playwright

ROOT: Final = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests.browser import conftest as driving  # noqa: E402 - the way in which the tests drive a browser
from tests.browser.page import OpenNotebook  # noqa: E402
from tests.conftest import find_chromium  # noqa: E402

SIZE: Final = (1500, 900)
COLORS: Final = 128
EDITED: Final = "LATE = 30  # minutes"
WAIT: Final = 30_000


@contextmanager
def server(home: Path) -> Iterator[driving.Server]:
    """Run a Jupyter server with the quickstart, away from the settings of who runs it."""
    running = driving.Server(f"http://127.0.0.1:{driving._free_port()}/", secrets.token_hex(16), home / "notebooks")
    running.root.mkdir()
    shutil.copy(ROOT / "notebooks" / "quickstart.ipynb", running.root)
    driving._silence_news(home / "settings")
    names = ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR", "JUPYTERLAB_WORKSPACES_DIR")
    os.environ.update({name: str(home / name) for name in names}, JUPYTERLAB_SETTINGS_DIR=str(home / "settings"))
    os.environ["JUPYTER_PATH"] = str(ROOT / "labextension" / "share" / "jupyter")
    log = home / "server.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            driving._server_command(running), cwd=running.root, stdout=output, stderr=output, start_new_session=True
        )
        try:
            driving._wait_for(running, process, log)
            yield running
        finally:
            driving._end(process)


def arrange(notebook: OpenNotebook) -> None:
    """Run all, make an edit whose consequences are seen, and open the lineage."""
    notebook.command("application:toggle-left-area")
    notebook.run_all(timeout=240)
    edited = next(place for place, source in enumerate(notebook.sources()) if source.startswith("LATE = "))
    notebook.edit(edited, notebook.source(edited).replace("LATE = 15  # minutes", EDITED))
    notebook.run_cell(edited)
    notebook.command("ipy-orch:show-lineage")
    panel = notebook.page.locator("#ipy-orch-lineage")
    panel.get_by_role("button", name="Stale: ").first.wait_for(timeout=WAIT)
    handle = notebook.page.locator("#jp-main-split-panel > .lm-SplitPanel-handle:visible").last.bounding_box()
    if handle is not None:
        notebook.page.mouse.move(handle["x"] + 1, 400)
        notebook.page.mouse.down()
        notebook.page.mouse.move(SIZE[0] * 0.5, 400, steps=5)
        notebook.page.mouse.up()
    panel.get_by_role("button", name="Show all (0)").first.click()
    notebook.select(edited)
    notebook.page.evaluate("i => orch.panel.content.scrollToItem(i, 'start')", edited)
    notebook.page.wait_for_timeout(1500)  # what moves comes to rest


def main(place: Path) -> None:
    """Write the picture."""
    chromium = find_chromium()
    if chromium is None:
        sys.exit("no Chromium found; IPY_ORCH_CHROMIUM=/path/to/it names one")
    with tempfile.TemporaryDirectory() as folder, server(Path(folder)) as running, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=driving.FLAGS)
        context = browser.new_context(viewport={"width": SIZE[0], "height": SIZE[1]})
        notebook = driving._open(running, context, "quickstart.ipynb", "lab")
        try:
            arrange(notebook)
            taken = notebook.page.screenshot()
        except Exception:
            notebook.screenshot(place.with_suffix(".failed.png"))
            raise
        finally:
            notebook.close()
            browser.close()
    Image.open(BytesIO(taken)).convert("RGB").quantize(COLORS).save(place, optimize=True)
    print(place, place.stat().st_size // 1000, "kB")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs" / "lineage.png")
