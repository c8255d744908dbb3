"""The JupyterLab extension in JupyterLab and Notebook 7: badges, the panel, commands, the outline, settings."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.conftest import Server
from tests.browser.page import OpenNotebook

pytestmark = pytest.mark.browser

Lab = Callable[..., OpenNotebook]

LOAD = "%load_ext ipy_orch"
ORDERS = "#| asset: orders\n[3, 1, 2]"
TOTAL = "%%asset total\nsum(orders)"
CHECK = "#| check: total\ntotal < 10"
HARMLESS = ("reading 'schema'", "filebrowser:open-path")
WAIT = 20_000


def badge(notebook: OpenNotebook, index: int) -> Locator:
    """Return the badge of a cell."""
    return notebook.page.locator(f".jp-Cell[data-windowed-list-index='{index}'] .ipyo-badge")


def expect_badge(notebook: OpenNotebook, index: int, word: str, told: str = "") -> None:
    """Wait until the badge of a cell has a word, and says more to who asks."""
    found = badge(notebook, index)
    expect(found.locator(".ipyo-badge-word")).to_have_text(word, timeout=WAIT)
    if told:
        expect(found).to_have_attribute("title", re.compile(re.escape(told)), timeout=WAIT)


def panel(notebook: OpenNotebook) -> Locator:
    """Return the panel."""
    return notebook.page.locator("#ipy-orch-lineage")


def button(notebook: OpenNotebook) -> Locator:
    """Return the button in the toolbar of the active cell, where it's seen."""
    return notebook.page.locator(".jp-cell-toolbar [data-jp-item-name='ipy-orch-materialize']:visible")


def wait_until(notebook: OpenNotebook, true: Callable[[], bool]) -> None:
    """Wait until something is true on this side of the page."""
    deadline = time.monotonic() + WAIT / 1000
    while not true():
        assert time.monotonic() < deadline
        notebook.page.wait_for_timeout(50)


def errors(notebook: OpenNotebook) -> list[str]:
    """Return the errors of the page, without the two that Notebook 7 has of its own."""
    return [error for error in notebook.page_errors if not any(known in error for known in HARMLESS)]


@pytest.mark.parametrize("flavour", ["lab", "notebook"])
def test_a_badge_follows_its_asset(lab: Lab, flavour: str, tmp_path: Path) -> None:
    """Not run, fresh, edited, stale with the reason, check failed; and the toolbar's button cures what is stale."""
    notebook = lab([LOAD, ORDERS, TOTAL, CHECK, "x = 1"], flavour)
    expect_badge(notebook, 1, "Not run")
    notebook.run_all()
    expect_badge(notebook, 1, "Fresh", "orders: Fresh")
    expect_badge(notebook, 2, "Fresh")
    notebook.edit(1, ORDERS.replace("2]", "20]"))
    expect_badge(notebook, 1, "Edited", "not run since")
    notebook.run_cell(1)
    expect_badge(notebook, 1, "Fresh")
    expect_badge(notebook, 2, "Stale", "inputs changed: orders")
    notebook.select(4)
    expect(button(notebook)).to_have_count(0)
    notebook.select(2)
    expect(button(notebook)).to_have_count(1)
    notebook.screenshot(tmp_path / "badges.png")
    button(notebook).click()
    expect_badge(notebook, 2, "Check failed", "total_check")
    assert badge(notebook, 4).count() == badge(notebook, 3).count() == 0
    assert errors(notebook) == []


@pytest.mark.parametrize("flavour", ["lab", "notebook"])
def test_a_badge_says_that_its_asset_runs_and_fails(lab: Lab, flavour: str) -> None:
    """A run that was started by a command is seen while another cell keeps the kernel busy, and can be canceled."""
    slow = "#| asset: slow\n#| run: false\nimport time\nfor _ in range(400):\n    time.sleep(0.05)\n1"
    fails = "#| asset: fails\n#| run: false\n1 / 0"
    busy = "import time\nprint('busy', flush=True)\ntime.sleep(15)"
    notebook = lab([LOAD, slow, fails, busy], flavour)
    for index in range(3):
        notebook.run_cell(index)
    expect_badge(notebook, 2, "Never materialized")
    notebook.select(2)
    notebook.page.keyboard.press("Alt+Shift+M")
    expect_badge(notebook, 2, "Failed", "ZeroDivisionError")
    notebook.run_cell(3, wait=False)
    notebook.wait_text(3, "busy")
    notebook.select(1)
    notebook.command("ipy-orch:materialize-cell")
    expect_badge(notebook, 1, "Running")
    notebook.command("ipy-orch:cancel")
    expect_badge(notebook, 1, "Never materialized")
    notebook.interrupt()
    assert errors(notebook) == []


def test_badges_survive(lab: Lab) -> None:
    """After a rename, and after the page was loaded again, they are there; after a restart the cells have not run."""
    notebook = lab([LOAD, ORDERS, TOTAL])
    notebook.run_all()
    expect_badge(notebook, 2, "Fresh")
    notebook.page.evaluate("orch.panel.context.save().then(() => orch.panel.context.rename('renamed.ipynb'))")
    expect(notebook.page).to_have_title(re.compile("renamed"), timeout=WAIT)
    notebook.edit(1, ORDERS.replace("2]", "20]"))
    notebook.run_cell(1)
    expect_badge(notebook, 2, "Stale")
    notebook.page.evaluate("orch.panel.context.save()")
    notebook.page.goto(re.sub(r"/tree/[^?]*", "/tree/renamed.ipynb", notebook.page.url))
    notebook.page.wait_for_selector(".jp-NotebookPanel .jp-Cell", timeout=60_000)
    notebook.wait_idle()
    expect_badge(notebook, 1, "Fresh")
    expect_badge(notebook, 2, "Stale", "inputs changed: orders")
    notebook.restart()
    expect_badge(notebook, 2, "Not run")
    notebook.run_all()
    expect_badge(notebook, 2, "Fresh")
    assert errors(notebook) == []


@pytest.mark.parametrize("flavour", ["lab", "notebook"])
def test_the_panel(lab: Lab, server: Server, flavour: str, tmp_path: Path) -> None:
    """It stays out of the way without `ipy_orch`, loads it on a click, shows lineage and details, leads to the cell."""
    notebook = lab([ORDERS, TOTAL, "3"], flavour)
    hosts: set[str] = set()
    notebook.page.on("request", lambda request: hosts.add(urlsplit(request.url).netloc))
    notebook.command("ipy-orch:show-lineage")
    shown = panel(notebook)
    expect(shown).to_contain_text("isn’t loaded", timeout=WAIT)
    shown.get_by_role("button", name="%load_ext ipy_orch").click()
    expect(shown.locator(".ipyo-view")).to_be_visible(timeout=WAIT)
    assert notebook.source(0) == LOAD
    notebook.run_all()
    expect(shown.get_by_role("button", name="Fresh: 2. Select these.")).to_be_visible(timeout=WAIT)
    expect(shown.get_by_role("button", name="Draw from left to right")).to_be_visible()  # narrow
    assert shown.evaluate("panel => panel.getBoundingClientRect().right <= innerWidth")
    notebook.screenshot(tmp_path / "narrow.png")
    shown.get_by_role("button", name="List", exact=True).click()
    shown.get_by_role("row").filter(has_text="total").first.click()
    expect(shown.get_by_role("heading", name="total")).to_be_visible(timeout=WAIT)
    notebook.screenshot(tmp_path / "panel.png")
    notebook.select(3)
    shown.get_by_role("button", name=re.compile("Cell In")).click()
    notebook.page.wait_for_function("orch.panel.content.activeCellIndex === 2", timeout=WAIT)
    notebook.restart()
    expect(shown).to_contain_text("isn’t loaded", timeout=WAIT)
    assert hosts <= {urlsplit(server.url).netloc, ""}
    assert errors(notebook) == []


def test_the_panel_follows_the_notebook_in_front(lab: Lab, server: Server) -> None:
    """Each notebook has its own lineage, and keeps what was folded and opened in it."""
    notebook = lab([LOAD, ORDERS])
    other = server.root / "other.ipynb"
    other.write_bytes((server.root / notebook.name).read_bytes().replace(b"orders", b"people"))
    notebook.command("ipy-orch:show-outline")
    notebook.run_all()
    shown = panel(notebook)
    expect(shown.get_by_role("listitem").filter(has_text="orders")).to_be_visible(timeout=WAIT)
    notebook.page.evaluate("jupyterapp.commands.execute('docmanager:open', {path: 'other.ipynb'})")
    expect(shown).to_contain_text("isn’t loaded", timeout=WAIT)
    notebook.wait_idle()
    notebook.run_all()
    expect(shown.get_by_role("listitem").filter(has_text="people")).to_be_visible(timeout=WAIT)
    notebook.page.evaluate("orch.panel.sessionContext.shutdown().then(() => orch.panel.dispose())")
    expect(shown.get_by_role("listitem").filter(has_text="orders")).to_be_visible(timeout=WAIT)
    assert errors(notebook) == []


@pytest.mark.parametrize("flavour", ["lab", "notebook"])
def test_the_outline_by_keyboard(lab: Lab, flavour: str, tmp_path: Path) -> None:
    """Assets in order of lineage, the one of the active cell marked; arrows walk, Enter goes to the cell."""
    notebook = lab([LOAD, TOTAL, ORDERS, "x = 1"], flavour)
    for index in (0, 2, 1):
        notebook.run_cell(index)
    notebook.command("ipy-orch:show-outline")
    shown = panel(notebook)
    names = shown.locator(".ipyo-outline-id")
    expect(names).to_have_text(["orders", "total"], timeout=WAIT)
    notebook.select(3)
    names.first.focus()
    shown.locator(".ipyo-outline-name").first.focus()
    notebook.page.keyboard.press("ArrowDown")
    notebook.page.keyboard.press("Enter")
    notebook.page.wait_for_function("orch.panel.content.activeCellIndex === 1", timeout=WAIT)
    expect(shown.locator(".ipyo-outline-name[aria-current='true']")).to_contain_text("total")
    notebook.screenshot(tmp_path / "outline.png")
    assert errors(notebook) == []


@pytest.mark.parametrize("flavour", ["lab", "notebook"])
def test_into_an_asset_and_back(lab: Lab, flavour: str) -> None:
    """The name is the last variable's, and selected to be typed over; a plain cell again assigns it."""
    notebook = lab([LOAD, ORDERS, "total = sum(orders)", "%%asset mean\nsum(orders) / 3"], flavour)
    notebook.run_cell(0)
    notebook.run_cell(1)
    notebook.select(2)
    notebook.page.keyboard.press("Alt+Shift+T")
    expect(notebook.page.locator(".jp-mod-active .cm-content")).to_contain_text("#| asset: total")
    notebook.page.keyboard.type("sum_of_all")
    assert notebook.source(2) == "#| asset: sum_of_all\ntotal = sum(orders)"
    notebook.page.keyboard.press("Alt+Shift+T")
    assert notebook.source(2) == "total = sum(orders)"
    notebook.page.keyboard.press("Escape")
    notebook.select(3)
    notebook.command("ipy-orch:toggle-asset")
    notebook.wait_idle()
    assert notebook.source(3) == "mean = sum(orders) / 3"
    assert errors(notebook) == []


@pytest.mark.parametrize("flavour", ["lab", "notebook"])
def test_commands(lab: Lab, flavour: str, server: Server) -> None:
    """By keys and by name: stale and all, why, open inputs, the cell of an asset, export; the palette has them."""
    notebook = lab([LOAD, ORDERS + "\n# edit", TOTAL, "x = 1"], flavour)
    page = notebook.page
    notebook.run_all()
    notebook.edit(1, ORDERS.replace("2]", "20]"))
    notebook.run_cell(1)
    expect_badge(notebook, 2, "Stale")
    page.keyboard.press("Alt+Shift+S")
    expect_badge(notebook, 2, "Fresh")
    notebook.wait_text(2, "24")
    notebook.select(2)
    page.keyboard.press("Alt+Shift+W")
    expect(panel(notebook).get_by_role("heading", name="total")).to_be_visible(timeout=WAIT)
    notebook.select(2)
    notebook.command("ipy-orch:open-inputs")
    notebook.wait_text(3, "in your variables now")
    assert notebook.source(3) == "%open total"
    notebook.command("ipy-orch:go-to-cell")
    page.locator(".jp-Dialog input").fill("orders")
    page.keyboard.press("Enter")
    page.wait_for_function("orch.panel.content.activeCellIndex === 1", timeout=WAIT)
    page.keyboard.press("Alt+Shift+E")
    expect(page.locator(".jp-Dialog input")).to_have_value("definitions.py")
    page.locator(".jp-Dialog input").fill("out.py")
    page.keyboard.press("Enter")
    wait_until(notebook, (server.root / "out.py").is_file)
    assert "def total(orders)" in (server.root / "out.py").read_text(encoding="utf-8")
    assert errors(notebook) == []


@pytest.mark.parametrize("flavour", ["lab", "notebook"])
def test_menus_and_palette(lab: Lab, flavour: str) -> None:
    """Export is in the File menu, what a cell can be is in its context menu, and the palette has all commands."""
    notebook = lab([LOAD, ORDERS], flavour)
    page = notebook.page
    notebook.run_all()
    expect_badge(notebook, 1, "Fresh")
    page.get_by_role("menuitem", name="File", exact=True).click()
    entries = page.locator(".lm-Menu-item")
    entries.filter(has_text="Export Assets As").hover()
    expect(entries.filter(has_text="Module for Dagster…")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    page.locator(".jp-Cell[data-windowed-list-index='1'] .cm-content").click(button="right")
    expect(entries.filter(has_text="Turn This Cell into a Plain One")).to_be_visible()
    expect(entries.filter(has_text="Open This Asset's Inputs")).to_be_visible()
    page.keyboard.press("Escape")
    notebook.command("apputils:activate-command-palette")
    page.keyboard.type("assets (ipy_orch)")
    found = page.locator(".lm-CommandPalette-item")
    expect(found.filter(has_text="Materialize This Cell's Asset")).to_be_visible()
    expect(found.filter(has_text="Export Assets As: Module for Dagster")).to_be_visible()
    page.keyboard.press("Escape")
    assert errors(notebook) == []


@pytest.mark.parametrize("flavour", ["lab", "notebook"])
def test_completion_of_names(lab: Lab, flavour: str) -> None:
    """Names of assets complete in `%%asset` lines and in `#|` lines."""
    notebook = lab([LOAD, ORDERS, "%%asset a --deps ord", "#| asset: b\n#| deps: ord"], flavour)
    notebook.run_cell(0)
    notebook.run_cell(1)
    for index, line in ((2, 0), (3, 1)):
        notebook.select(index)
        column = len(notebook.source(index).split("\n")[line])
        notebook.page.evaluate(
            "([line, column]) => { const {content} = orch.panel; content.mode = 'edit';"
            " content.activeCell.editor.focus(); content.activeCell.editor.setCursorPosition({line, column}) }",
            [line, column],
        )
        notebook.page.keyboard.press("Tab")
        expect(notebook.page.locator(".jp-Completer-item").filter(has_text="orders")).to_be_visible(timeout=WAIT)
        notebook.page.keyboard.press("Enter")
        notebook.page.wait_for_function(
            "([i]) => orch.cells[i].getSource().endsWith('orders')", arg=[index], timeout=WAIT
        )
        notebook.page.keyboard.press("Escape")
    assert errors(notebook) == []


@pytest.fixture
def settings(jupyter_home: Path) -> Iterator[Callable[[str], None]]:
    """Return what writes the extension's settings; they are taken away afterwards."""
    path = jupyter_home / "settings" / "ipy-orch" / "plugin.jupyterlab-settings"
    path.parent.mkdir(parents=True, exist_ok=True)

    def write(text: str) -> None:
        path.write_text(text, encoding="utf-8")

    yield write
    path.unlink(missing_ok=True)


@pytest.mark.parametrize("flavour", ["lab", "notebook"])
def test_settings(lab: Lab, flavour: str, settings: Callable[[str], None]) -> None:
    """No badges where they are off; the panel opens by itself where that is on, with the outline first."""
    settings('{"badges": false, "openPanel": true, "tab": "outline"}')
    notebook = lab([LOAD, ORDERS], flavour)
    expect(panel(notebook)).to_be_hidden()
    notebook.run_all()
    expect(panel(notebook).get_by_role("listitem").filter(has_text="orders")).to_be_visible(timeout=WAIT)
    assert badge(notebook, 1).count() == 0
    assert errors(notebook) == []
