"""Measure the lineage view in a real Chromium: ``python tests/benchmarks/lineage/measure.py [100 1000 10000]``.

What is shown is the built widget of ``ipy_orch/ui/static``. Milliseconds; "draw" is the time that the view itself
spends on a frame while it is dragged, "frame" the time from frame to frame: medians, and 95th percentiles in brackets.
"""

from __future__ import annotations

import functools
import http.server
import shutil
import sys
import threading
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

ROOT = Path(__file__).parents[3]
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

HEADS = [
    *("assets", "message", "layout", "first paint", "pan: draw / frame", "all in sight: draw / frame"),
    *("unfold all: layout", "until drawn", "all in sight: draw / frame", "near: draw / frame"),
]


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Serve files without a log."""

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


def main(*counts: str) -> None:
    """Print a table."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(ROOT)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}/tests/benchmarks/lineage/page.html"
    print(f"| {' | '.join(HEADS)} |\n{'|---' * len(HEADS)}|")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        for count in counts or ("100", "500", "1000", "10000"):
            page = browser.new_page(viewport={"width": 1240, "height": 680})
            page.on("pageerror", lambda error: print("error:", error))
            page.goto(f"{address}?assets={count}")
            found = page.evaluate("async () => await globalThis.measured")
            print(line(found))
            page.close()
        browser.close()
    server.shutdown()


def line(found: dict[str, Any]) -> str:
    """Return a line of the table."""

    def pan(name: str) -> str:
        one = found[name]
        return f"{one['draw']:.1f} ({one['draw95']:.1f}) / {one['gap']:.1f} ({one['gap95']:.1f})"

    cells = [
        f"{found['assets']:,}",
        f"{found['bytes'] / 1000:,.0f} kB",
        f"{found['layout']:.0f}",
        f"{found['firstPaint']:.0f}",
        pan("first"),
        pan("fit"),
        f"{found['unfoldedLayout']:.0f}",
        f"{found['unfold']:.0f}",
        pan("unfoldedFit"),
        pan("unfoldedNear"),
    ]
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    main(*sys.argv[1:])
