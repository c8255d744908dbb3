"""The lineage widget in Notebook 7: all of what issue 5 wants of it, in one page and one kernel."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Locator, expect

from tests.browser.page import OpenNotebook
from tests.browser.test_lineage import (
    CONFIG,
    CONFIGURED,
    LOAD,
    MANY,
    SHOW,
    TOTAL,
    WAIT,
    errors,
    expect_counts,
    expect_drawn,
    pytestmark,
    view,
)
from tests.flights import CELL as FLOWN

__all__ = ["pytestmark"]

ORDERS = "#| asset: orders\n#| run: false\nimport time\nprint('made orders', flush=True)\ntime.sleep(1.5)\n[3, 1, 2]"
SLOW = "#| asset: slow\n#| run: false\nimport time\nfor _ in range(4000):\n    time.sleep(0.01)\n1"
FLIGHTS = f"#| asset: flights\n#| run: false\n{FLOWN}\ntable"
BUSY = "import time\nprint('busy', flush=True)\ntime.sleep(60)"
CELLS = [LOAD, CONFIG, CONFIGURED, ORDERS, TOTAL, FLIGHTS, SLOW, SHOW, BUSY, "%config Orch.autorun = False\n" + MANY]
SHOWN, IS_BUSY, DEFINES_MANY = 7, 8, 9


def test_all_of_it(lab: Callable[..., OpenNotebook], tmp_path: Path) -> None:
    """Opened, run, canceled, edited, configured, scrolled, typed in, folded: as in JupyterLab."""
    notebook = lab(CELLS, "notebook")
    for index in range(SHOWN + 1):
        notebook.run_cell(index)
    widget = view(notebook)
    expect_counts(widget, Never_materialized=5)
    notebook.page.evaluate("index => orch.panel.content.scrollToItem?.(index)", SHOWN)
    expect_drawn(widget)
    run_and_watch(notebook, widget)
    cancel_while_busy(notebook, widget)
    edit_a_cell(notebook, widget)
    configure(notebook, widget)
    notebook.screenshot(tmp_path / "configured.png")
    by_keys(notebook, widget)
    scroll_a_preview(notebook, widget)
    notebook.screenshot(tmp_path / "preview.png")
    fold_two_thousand(notebook, widget)
    notebook.screenshot(tmp_path / "unfolded.png")
    assert errors(notebook) == []


def select(widget: Locator, name: str) -> Locator:
    """Select an asset in the list; return the button that runs what is selected."""
    widget.get_by_role("button", name="List", exact=True).click()
    widget.get_by_role("row").filter(has_text=name).first.click()
    expect(widget.get_by_role("region")).to_have_attribute("aria-label", f"Details of {name}")
    return widget.locator(".ipyo-split button").first


def run_and_watch(notebook: OpenNotebook, widget: Locator) -> None:
    """Run what is selected by a click: it is seen running, then fresh, and its output is in its own cell."""
    select(widget, "orders").click()
    expect_counts(widget, Running=1)
    expect_counts(widget, Fresh=1)
    notebook.wait_text(3, "made orders")
    select(widget, "total").click()
    expect_counts(widget, Fresh=2)


def cancel_while_busy(notebook: OpenNotebook, widget: Locator) -> None:
    """Click twice while another cell holds the main thread: both clicks are heard."""
    notebook.run_cell(IS_BUSY, wait=False)
    notebook.wait_text(IS_BUSY, "busy")
    select(widget, "slow").click()
    expect_counts(widget, Running=1)
    widget.get_by_role("button", name="Cancel").first.click()
    expect_counts(widget, Never_materialized=3)
    assert notebook.page.evaluate("orch.pending") == 1
    notebook.interrupt()
    notebook.wait_idle()


def edit_a_cell(notebook: OpenNotebook, widget: Locator) -> None:
    """Edit and run a cell: what reads it is stale as well, without a click, and both run at one."""
    notebook.edit(3, ORDERS.replace("2]", "2, 4]").replace("1.5", "0"))
    notebook.run_cell(3)
    expect_counts(widget, Stale=2)
    select(widget, "total").click()
    expect_counts(widget, Fresh=2)
    notebook.wait_text(4, "10")


def configure(notebook: OpenNotebook, widget: Locator) -> None:
    """Type a wrong value, which can't be run; a right one, and another one of a resource, are what the step gets."""
    select(widget, "goods")
    widget.get_by_role("button", name="Configure").first.click()
    launchpad = widget.locator(".ipyo-launch")
    launchpad.get_by_label("limit", exact=True).fill("-5")
    expect(launchpad.get_by_role("alert")).to_contain_text("greater than 0", timeout=WAIT)
    run = launchpad.get_by_role("button", name="Materialize", exact=True)
    expect(run).to_be_disabled()
    launchpad.get_by_label("limit", exact=True).fill("7")
    launchpad.get_by_label("name", exact=True).fill("market")
    expect(launchpad.locator(".ipyo-verdict")).to_contain_text("Valid", timeout=WAIT)
    run.click()
    notebook.wait_text(2, "7 from market")


def scroll_a_preview(notebook: OpenNotebook, widget: Locator) -> None:
    """Scroll to the last of 336,776 rows: they come then."""
    select(widget, "flights")
    expect(widget.locator(".ipyo-preview")).to_contain_text("336,776", timeout=WAIT)
    table = widget.locator(".ipyo-preview regular-table")
    expect(table.get_by_role("cell", name="517").first).to_be_visible(timeout=WAIT)
    table.evaluate("element => { element.scrollTop = element.scrollHeight }")
    expect(table.get_by_role("rowheader", name=re.compile("^336,?775$"))).to_be_visible(timeout=WAIT)


def by_keys(notebook: OpenNotebook, widget: Locator) -> None:
    """Go from the list to an asset's details, to the graph, the help, the search and a run, without the mouse."""
    keyboard, canvas = notebook.page.keyboard, widget.locator(".ipyo-canvas")
    widget.get_by_role("treegrid").focus()
    for key in ("Home", "ArrowDown", "Enter"):
        keyboard.press(key)
    expect(widget.get_by_role("region")).to_have_attribute("aria-label", re.compile("Details of"))
    for key in ("Escape", "l"):
        keyboard.press(key)
    expect(canvas).to_be_focused()
    keyboard.press("?")
    expect(widget.get_by_role("dialog")).to_be_visible()
    for key in ("Escape", "/"):
        keyboard.press(key)
    expect(widget.get_by_label("Search assets")).to_be_focused()
    keyboard.type("+flights")
    expect(widget.locator(".ipyo-search-found")).to_contain_text("1", timeout=WAIT)
    for key in ("Enter", "Escape"):
        keyboard.press(key)
    for _ in range(30):
        keyboard.press("Tab")
        if canvas.evaluate("canvas => canvas === document.activeElement"):
            break
    keyboard.press("m")
    expect_counts(widget, Fresh=4)
    assert all("#| asset" in notebook.source(index) for index in (3, 4, 5, 6))  # no key was the notebook's


def fold_two_thousand(notebook: OpenNotebook, widget: Locator) -> None:
    """Run the cell that defines them: they come folded, unfold and fold at a key."""
    notebook.run_cell(DEFINES_MANY)
    expect_counts(widget, Never_materialized=2001)
    notebook.page.evaluate("index => orch.panel.content.scrollToItem?.(index)", SHOWN)
    widget.get_by_role("button", name="Graph", exact=True).click()
    canvas, rows = widget.locator(".ipyo-canvas"), widget.get_by_role("treegrid")
    for key, lines in (("]", 2005 + 41), ("[", 41)):
        canvas.focus()
        canvas.press(key)
        canvas.press("l")
        expect(rows).to_have_attribute("aria-rowcount", str(lines + 1))
        rows.press("l")
    canvas.press("]")
