"""The lineage widget in JupyterLab: seen, clicked, canceled, configured, typed in."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, Locator, expect

from tests.browser.conftest import ADDRESS, Server
from tests.browser.page import OpenNotebook
from tests.flights import CELL as FLOWN

pytestmark = pytest.mark.browser

LOAD = "%load_ext ipy_orch"
ORDERS = "#| asset: orders\n#| run: false\nprint('made orders')\n[3, 1, 2]"
TOTAL = "#| asset: total\n#| run: false\nsum(orders)"
SHOW = "%lineage"
HARMLESS = ("reading 'schema'", "filebrowser:open-path")
PICTURE = "img[src*='ipy-orch-lineage']"
VIEW = "application/vnd.jupyter.widget-view+json"
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


def expect_drawn(widget: Locator) -> None:
    """Wait until the graph's canvas has the page's light colour around cards that stand out from it."""
    canvas = widget.locator(".ipyo-canvas").element_handle()
    widget.page.wait_for_function(DRAWN, arg=canvas, timeout=WAIT)


DRAWN = """canvas => {
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  const colours = new Set(new Uint32Array(data.buffer));
  return Math.min(data[0], data[1], data[2]) > 230 && colours.size > 8;
}"""


def errors(notebook: OpenNotebook) -> list[str]:
    """Return the errors of the page, without the two that Notebook 7 has of its own."""
    return [error for error in notebook.page_errors if not any(known in error for known in HARMLESS)]


def test_see_click_edit(lab: Callable[..., OpenNotebook], tmp_path: Path) -> None:
    """The graph comes, a click runs all, the assets' own cells show it, and an edit spreads without a click."""
    notebook = lab([LOAD, ORDERS, TOTAL, SHOW, "total"])
    notebook.run_all()
    widget = view(notebook)
    expect_counts(widget, Never_materialized=2)
    expect_drawn(widget)
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


@pytest.mark.parametrize("subshells", ["perCommTarget", "disabled"])
def test_cancel_while_a_cell_runs(lab: Callable[..., OpenNotebook], subshells: str) -> None:
    """A step of a cell that waits in C is canceled by a click, as by Ctrl-C; without subshells by an interrupt."""
    slow = "#| asset: slow\nimport time\nprint('begun', flush=True)\ntime.sleep(40)\n1"
    notebook = lab([LOAD, SHOW, slow, "1 + 1"])
    notebook.page.evaluate("word => { orch.kernel.commsOverSubshells = word }", subshells)
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
from ipy_orch import Config, ConfigurableResource, asset, define_asset_job, session

class Limits(Config):
    limit: int = Field(default=3, gt=0, description="how many")

class Shop(ConfigurableResource):
    name: str = "corner"

shop = Shop()
daily = define_asset_job("daily", selection=["goods"])
session().environment("prod", {"shop": Shop(name="mall")})"""
CONFIGURED = """%%asset goods --config Limits --no-run
f"{config.limit} from {shop.name}\""""


def test_configure_and_run(lab: Callable[..., OpenNotebook], tmp_path: Path) -> None:
    """A wrong value is told at its field and can't be run; a right one, and a resource's, are what the step gets.

    What was typed survives Escape; then a job is launched with config of its own, in another environment.
    """
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
    notebook.page.keyboard.press("Escape")
    expect(launchpad).to_have_count(0)
    widget.get_by_role("button", name="Configure").click()
    expect(launchpad.get_by_label("limit", exact=True)).to_have_value("-5")
    launchpad.get_by_label("limit", exact=True).fill("7")
    launchpad.get_by_label("name", exact=True).fill("market")
    expect(launchpad.locator(".ipyo-verdict")).to_contain_text("Valid", timeout=WAIT)
    expect(launchpad.get_by_label("YAML")).to_have_value(re.compile("market"))
    notebook.screenshot(tmp_path / "launchpad.png")
    run.click()
    expect_counts(widget, Fresh=1)
    notebook.wait_text(2, "7 from market")
    notebook.run_cell(4)
    notebook.wait_text(4, "7 from market")
    widget.get_by_label("Environment").select_option("prod")
    expect_counts(widget, Stale=1)
    widget.get_by_role("button", name="Job daily").click()
    widget.get_by_role("button", name="Configure…").click()
    launchpad.get_by_label("limit", exact=True).fill("9")
    expect(launchpad.locator(".ipyo-verdict")).to_contain_text("Valid", timeout=WAIT)
    launchpad.get_by_label("name", exact=True).fill("mall")
    expect(launchpad.locator(".ipyo-verdict")).to_contain_text("Valid", timeout=WAIT)
    launchpad.get_by_role("button", name="Launch", exact=True).click()
    expect_counts(widget, Fresh=1)
    notebook.wait_text(2, "9 from mall")
    assert errors(notebook) == []


def test_preview_of_a_large_table(lab: Callable[..., OpenNotebook], tmp_path: Path) -> None:
    """336,776 rows, on a dark page: the first is there, and the last ones come when one scrolls to them."""
    flights = f"#| asset: flights\n{FLOWN}\ntable"
    notebook = lab([LOAD, flights, SHOW])
    notebook.command("apputils:change-theme", theme="JupyterLab Dark")
    notebook.run_all()
    widget = view(notebook)
    expect(widget.locator(".ipyo-view")).to_have_attribute("data-theme", "dark")
    notebook.page.evaluate("orch.panel.content.scrollToItem?.(2)")
    widget.get_by_role("button", name="List", exact=True).click()
    widget.get_by_role("row").filter(has_text="flights").first.click()
    expect(widget.locator(".ipyo-preview")).to_contain_text("336,776", timeout=WAIT)
    table = widget.locator(".ipyo-preview regular-table")
    expect(table.get_by_role("cell", name="517").first).to_be_visible(timeout=WAIT)
    table.evaluate("element => { element.scrollTop = element.scrollHeight }")
    expect(table.get_by_role("rowheader", name=re.compile("^336,?775$"))).to_be_visible(timeout=WAIT)
    notebook.screenshot(tmp_path / "preview.png")
    notebook.command("apputils:change-theme", theme="JupyterLab Light")
    expect(widget.locator(".ipyo-view")).to_have_attribute("data-theme", "light")
    assert errors(notebook) == []


MANY = """from ipy_orch import AssetKey, asset
def made(i):
    deps = [AssetKey(f"a{i - 40 + k}") for k in (0, 7)] if i >= 40 else []
    return asset(name=f"a{i}", group_name=f"g{i // 50}", deps=deps, code_version="1")(lambda: 1)
many = [made(i) for i in range(2_000)]"""


def test_two_thousand_assets_fold_and_unfold(lab: Callable[..., OpenNotebook], tmp_path: Path) -> None:
    """They open folded, unfold and fold at a key, also while a cell runs, and the drawing keeps its pace."""
    busy = "import time; print('busy', flush=True); time.sleep(40)"
    notebook = lab([LOAD, "%config Orch.autorun = False", MANY, SHOW, busy])
    for index in range(4):
        notebook.run_cell(index)
    widget = view(notebook)
    expect_counts(widget, Never_materialized=2000)
    notebook.run_cell(4, wait=False)
    notebook.wait_text(4, "busy")
    notebook.page.evaluate("orch.panel.content.scrollToItem?.(3)")
    notebook.page.evaluate("window.ipyoTimes = []")
    canvas = widget.locator(".ipyo-canvas")
    canvas.focus()
    canvas.press("]")
    took = "() => window.ipyoTimes.find(one => one.name === 'layout')?.ms"
    notebook.page.wait_for_function(took)
    notebook.screenshot(tmp_path / "unfolded.png")
    assert notebook.page.evaluate(took) < 1_500
    assert notebook.page.evaluate(PACE) < 16
    canvas.press("l")
    rows = widget.get_by_role("treegrid")
    expect(rows).to_have_attribute("aria-rowcount", str(2_000 + 40 + 1))
    rows.press("l")
    canvas.press("[")
    canvas.press("l")
    expect(rows).to_have_attribute("aria-rowcount", str(40 + 1))
    assert notebook.page.evaluate("orch.pending") == 1
    notebook.interrupt()
    assert errors(notebook) == []


# milliseconds that a frame's drawing takes while the view is moved, the middle of thirty
PACE = """async () => {
  const canvas = document.querySelector(".ipyo-canvas");
  window.ipyoTimes.length = 0;
  for (let i = 0; i < 30; i++) {
    const key = i % 2 ? "ArrowLeft" : "ArrowRight";
    canvas.dispatchEvent(new KeyboardEvent("keydown", {key, shiftKey: true, bubbles: true}));
    await new Promise(requestAnimationFrame);
  }
  const draws = window.ipyoTimes.filter(one => one.name === "draw").map(one => one.ms).sort((a, b) => a - b);
  return draws[draws.length >> 1];
}"""


def test_by_keyboard_alone(lab: Callable[..., OpenNotebook], tmp_path: Path) -> None:
    """All of it is reached by keys, and axe-core finds nothing serious on the way."""
    notebook = lab([LOAD, CONFIG, CONFIGURED, "%%asset twice --no-run\n2 * goods", SHOW])
    notebook.run_all()
    widget = view(notebook)
    notebook.page.evaluate("orch.panel.content.scrollToItem?.(4)")
    reached = tabbed(notebook, widget)
    wanted = ["Search assets", "Never materialized", "Environment", "Graph", "List", "Configure", "Materialize stale"]
    wanted += ["More ways to run", "Job daily", "Lineage graph", "Zoom out", "Show all", "Keys"]
    assert [name for name in wanted if not any(name in label for label in reached)] == []
    keyboard, found = notebook.page.keyboard, serious(notebook)
    widget.locator(".ipyo-canvas").focus()
    for key in ("ArrowRight", "Enter"):
        keyboard.press(key)
    expect(widget.get_by_role("region")).to_have_attribute("aria-label", "Details of goods")
    found += serious(notebook)
    keyboard.press("Escape")
    expect(widget.locator(".ipyo-canvas")).to_be_focused()
    keyboard.press("c")
    expect(widget.locator(".ipyo-launch").get_by_label("limit", exact=True)).to_be_focused(timeout=WAIT)
    found += serious(notebook)
    keyboard.press("Escape")
    expect(widget.locator(".ipyo-launch")).to_be_hidden()
    expect(widget.locator(".ipyo-canvas")).to_be_focused()
    for key in ("ArrowRight", "Space", "m"):
        keyboard.press(key)
    expect_counts(widget, Fresh=2)
    keyboard.press("t")
    expect(widget.get_by_role("list", name=re.compile("Timeline"))).to_be_visible()
    keyboard.press("l")
    rows = widget.get_by_role("treegrid")
    expect(rows).to_be_focused()
    for key in ("Home", "ArrowDown", "Enter"):
        keyboard.press(key)
    expect(widget.get_by_role("region")).to_be_visible()
    found += serious(notebook)
    keyboard.press("Escape")
    keyboard.press("?")
    expect(widget.get_by_role("dialog")).to_be_visible()
    found += serious(notebook)
    keyboard.press("Escape")
    expect(widget.get_by_role("dialog")).to_be_hidden()
    expect(rows).to_be_focused()
    keyboard.press("/")
    expect(widget.get_by_label("Search assets")).to_be_focused()
    keyboard.type("+twice")
    expect(widget.locator(".ipyo-search-found")).to_contain_text("2", timeout=WAIT)
    notebook.screenshot(tmp_path / "keyboard.png")
    assert found == []
    assert errors(notebook) == []


def tabbed(notebook: OpenNotebook, widget: Locator) -> list[str]:
    """Return what the keyboard's focus is on, from the search box on, one Tab after the other."""
    widget.locator("[data-search]").focus()
    label = "(e => e.closest('.ipyo') && (e.ariaLabel || e.innerText))(document.activeElement)"
    found: list[str] = []
    while (now := notebook.page.evaluate(label)) is not None and len(found) < 60:
        found.append(now)
        notebook.page.keyboard.press("Tab")
    return found


STILL = """() => document.getAnimations().every(one => {
  const ends = Number.isFinite(one.effect.getComputedTiming().endTime);
  return one.playState !== "running" || !ends || !one.effect.target?.closest(".ipyo");
})"""


def serious(notebook: OpenNotebook) -> list[str]:
    """Return what axe-core says of the widget as it is, if it is serious."""
    notebook.page.wait_for_function(STILL)  # what fades in has no contrast yet
    found = Axe().run(notebook.page, context=".jp-OutputArea-output .ipyo", options={"resultTypes": ["violations"]})
    return [
        f"{one['impact']}: {one['id']}: {node['target']}: {node['failureSummary']}"
        for one in found.response["violations"]
        if one["impact"] in ("serious", "critical")
        for node in one["nodes"]
    ]


HOSTILE = """import pandas as pd
from ipy_orch import *
bad = "<img src=x onerror='window.hacked=1'></script><script>window.hacked=1</script>\\x1b[31m[a](javascript:hacked=1)"

from pydantic import Field
class Limits(Config):
    note: str = Field(default=bad, description=bad)

class Shop(ConfigurableResource):
    name: str = bad

shop = Shop()
daily = define_asset_job("daily", selection="*", description=bad)
outside = AssetSpec(AssetKey(["out", bad]), kinds={bad}, description=bad)

@asset(description=bad, metadata={bad: bad, "url": MetadataValue.url("javascript:window.hacked=1")}, code_version="1")
def table():
    print(bad)
    return pd.DataFrame({bad: [bad, bad], "md": [1, 2]})

@asset_check(asset="table", description=bad)
def check(table):
    return AssetCheckResult(passed=False, description=bad, metadata={bad: MetadataValue.md(bad)})

@asset(code_version="1", deps=["table"])
def broken(config: Limits, shop: Shop):
    raise ValueError(bad)"""


def test_hostile_strings_are_text(lab: Callable[..., OpenNotebook]) -> None:
    """In keys, kinds, descriptions, metadata, columns, cells, verdicts, output, errors, config, jobs: it stays text."""
    notebook = lab([LOAD, "%config Orch.autorun = False", HOSTILE, SHOW])
    notebook.run_all()
    widget = view(notebook)
    notebook.page.evaluate("orch.panel.content.scrollToItem?.(3)")
    widget.get_by_role("button", name="Materialize stale").click()
    expect_counts(widget, Failed=1)
    widget.get_by_role("button", name="List", exact=True).click()
    for name in ("table", "broken", "out/"):
        widget.get_by_role("row").filter(has_text=name).first.click()
        expect(widget.locator(".ipyo-side-body")).to_contain_text("onerror", timeout=WAIT)
        inert(widget)
    widget.get_by_role("button", name="Job daily").click()
    expect(widget.locator(".ipyo-side-body")).to_contain_text("onerror", timeout=WAIT)
    widget.get_by_role("button", name="Configure…").click()
    expect(widget.locator(".ipyo-form")).to_contain_text("onerror", timeout=WAIT)
    expect(widget.get_by_label("YAML")).to_have_value(re.compile("onerror"))
    inert(widget)
    assert notebook.page.evaluate("window.hacked") is None
    assert errors(notebook) == []


def inert(widget: Locator) -> None:
    """Check that no text has become an element."""
    widget.page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    assert widget.locator("img[src='x'], script, iframe, [onerror], a[href^='javascript']").count() == 0


def test_a_saved_notebook_shows_a_picture(
    lab: Callable[..., OpenNotebook], server: Server, browser: BrowserContext, tmp_path: Path
) -> None:
    """The file holds a still SVG with statuses, and no code of the view; without its kernel that is what one sees.

    A stranger's notebook, in which JupyterLab shows no SVG, shows the same as text.
    """
    notebook = lab([LOAD, ORDERS, TOTAL, SHOW])
    notebook.run_all()
    view(notebook)
    live, still = (output["data"] for output in notebook.outputs(3))
    assert VIEW in live
    svg = "".join(still["image/svg+xml"])
    assert svg.startswith("<svg")
    assert "missing" in svg
    assert "<script" not in svg
    expect(notebook.page.locator(PICTURE)).to_be_hidden()
    notebook.command("docmanager:save")
    notebook.page.wait_for_function("!orch.panel.context.model.dirty")
    saved = nbformat.read(server.root / notebook.name, as_version=4)
    assert len(json.dumps(saved)) < 40_000
    for stranger, shown in ((False, PICTURE), (True, "pre:has-text('orders · missing: never materialized')")):
        if stranger:
            saved.cells.append(nbformat.v4.new_code_cell("# from elsewhere, so not trusted"))
        nbformat.write(saved, server.root / "reopened.ipynb")
        page = browser.new_page()
        page.goto(server.url + ADDRESS["lab"].format(name="reopened.ipynb", token=server.token))
        expect(page.locator(f".jp-OutputArea-output {shown}")).to_be_visible(timeout=60_000)
        assert page.locator(".ipyo").count() == 0
        page.screenshot(path=tmp_path / f"reopened-{stranger}.png")
        page.close()
