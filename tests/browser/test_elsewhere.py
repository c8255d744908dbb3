"""The saved picture on pages that trust nobody and have no kernel: what nbconvert cleans, and what strips all styles.

GitHub can't be reached from a test. It is known to show notebooks through nbconvert and a cleaner that takes scripts
and styles away, SVG sometimes as an image, sometimes put into the page (jupyter/nbconvert#1894, jupyter/nbviewer#1037).
"""

from __future__ import annotations

from pathlib import Path

import bleach
import nbformat
import pytest
from nbclient import NotebookClient
from nbconvert import HTMLExporter
from nbformat import NotebookNode
from playwright.sync_api import BrowserContext, Page

pytestmark = pytest.mark.browser

CELLS = (
    "%load_ext ipy_orch",
    "%%asset orders --group raw\norders = [3, 4]",
    "%%asset total --group mart\ntotal = sum(orders)",
    "%%asset late --group mart\nlate = total / 0",
    "%%asset_check total is_large\ntotal > 5",
    "%lineage",
)
SHAPES = ["svg", "g", "rect", "path", "circle", "text", "tspan", "title"]
NOT_KEPT = {"style", "class", "id", "role"}


@pytest.fixture(scope="module")
def saved() -> NotebookNode:
    """Return a notebook that was run and saved."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in CELLS])
    NotebookClient(notebook, timeout=60, allow_errors=True, store_widget_state=False).execute()
    return notebook


def shown(browser: BrowserContext, file: Path, html: str) -> Page:
    """Return a page that shows HTML, from a file and nothing else."""
    file.write_text(f"<!doctype html><meta charset='utf-8'>{html}", encoding="utf-8")
    page = browser.new_page()
    fetched: list[str] = []
    page.on("request", lambda request: fetched.append(request.url))
    page.goto(file.as_uri())
    page.screenshot(path=file.with_suffix(".png"))
    assert [url for url in fetched if not url.startswith(("file:", "data:"))] == []
    return page


def test_cleaned_by_nbconvert(saved: NotebookNode, browser: BrowserContext, tmp_path: Path) -> None:
    """The picture is there, as an image, and no script is."""
    html, _ = HTMLExporter(sanitize_html=True, template_name="basic").from_notebook_node(saved)
    assert "<script" not in html
    page = shown(browser, tmp_path / "cleaned.html", html)
    picture = page.locator(".output_svg img")
    assert picture.evaluate(
        "image => image.decode().then(() => [image.naturalWidth > 300, image.naturalHeight > 60])"
    ) == [True, True]
    page.close()


def test_without_styles(saved: NotebookNode, browser: BrowserContext, tmp_path: Path) -> None:
    """Put into the page, without styles and classes, cards are white and texts dark; each status is told in words."""
    svg = "".join(output.data["image/svg+xml"] for output in saved.cells[-1].outputs if "image/svg+xml" in output.data)
    bare = bleach.clean(svg, tags=SHAPES, attributes=lambda _tag, name, _value: name not in NOT_KEPT, strip=True)
    assert "class=" not in bare
    page = shown(browser, tmp_path / "bare.html", bare)
    colours = "all => all.map(one => getComputedStyle(one).fill)"
    fills = page.locator("rect").evaluate_all(colours)
    assert fills.count("rgb(255, 255, 255)") == 3
    assert "rgb(0, 0, 0)" not in fills + page.locator("path, circle, text").evaluate_all(colours)
    assert "sans-serif" in page.locator("text").first.evaluate("text => getComputedStyle(text).fontFamily")
    words = page.locator("text").all_text_contents()
    assert {"raw", "orders", "fresh", "mart", "total", "late", "failed: ZeroDivisionError: division …"} <= set(words)
    page.close()
