"""Partitions and automations in the lineage widget: chosen by keys and by mouse, materialized, switched on, ticked."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Locator, expect

from tests.browser.page import OpenNotebook
from tests.browser.test_lineage import LOAD, SHOW, WAIT, errors, pytestmark, serious, view

__all__ = ["pytestmark"]

SALES = """from ipy_orch import *
@asset(
    partitions_def=DailyPartitionsDefinition("2024-01-01", end_date="2024-02-01"),
    automation_condition=AutomationCondition.eager(),
)
def sales(context):
    if context.partition_key == "2024-01-05":
        raise ValueError("no such file")
    return context.partition_key"""
REGIONAL = """@asset(partitions_def=MultiPartitionsDefinition({
    "day": DailyPartitionsDefinition("2024-01-01", end_date="2024-01-16"),
    "region": StaticPartitionsDefinition(["east", "north", "south"]),
}))
def regional(context):
    return context.partition_key"""
NIGHTLY = """@schedule(cron_schedule="30 2 * * *", target="sales")
def nightly(context):
    return RunRequest(partition_key="2024-01-20")"""


def opened(lab: Callable[..., OpenNotebook]) -> tuple[OpenNotebook, Locator]:
    """Return a notebook of partitioned assets and a schedule, and its widget."""
    notebook = lab([LOAD, SALES, REGIONAL, NIGHTLY, SHOW])
    notebook.run_all()
    return notebook, view(notebook)


def details(widget: Locator, name: str) -> Locator:
    """Open the details of an asset; return them."""
    widget.get_by_role("button", name="List", exact=True).click()
    widget.get_by_role("row").filter(has_text=name).first.click()
    side = widget.get_by_label(f"Details of {name}")
    expect(side.get_by_role("slider")).to_be_visible(timeout=WAIT)
    return side


def test_choose_and_materialize(lab: Callable[..., OpenNotebook], tmp_path: Path) -> None:
    """A range by keys, then a rectangle of a grid by mouse; what failed is told with its partition."""
    notebook, widget = opened(lab)
    page = notebook.page
    side = details(widget, "sales")
    bar = side.get_by_role("slider")
    bar.focus()
    for key in ["ArrowRight", "ArrowRight", "ArrowRight", *["Shift+ArrowRight"] * 4]:
        page.keyboard.press(key)
    expect(side.get_by_role("textbox", name="Chosen partitions")).to_have_value("2024-01-03..2024-01-07")
    page.keyboard.press("Enter")
    legend = side.get_by_role("list", name="Partitions by status")
    expect(legend).to_contain_text("fresh 5", timeout=WAIT)
    expect(legend).to_contain_text("failed 1")
    expect(legend).to_contain_text("missing 25")
    expect(widget.locator(".ipyo-run")).to_contain_text("Failed", timeout=WAIT)  # what its end adds moves what is below
    bar.focus()
    for key in ["ArrowLeft", "ArrowLeft"]:
        page.keyboard.press(key)
    expect(bar).to_have_attribute("aria-valuetext", "2024-01-05, failed, ValueError: no such file")
    expect(side.get_by_text("2024-01-05: ValueError: no such file")).to_be_visible(timeout=WAIT)
    notebook.screenshot(tmp_path / "bar.png")
    page.keyboard.press("Escape")
    side.get_by_role("button", name="Missing 25").click()
    expect(legend).to_contain_text("fresh 30", timeout=WAIT)

    side = details(widget, "regional")
    box = side.get_by_role("slider").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] * 1.5 / 15, box["y"] + box["height"] * 0.5 / 3)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 5.5 / 15, box["y"] + box["height"] * 1.5 / 3, steps=4)
    page.mouse.up()
    expect(side.get_by_role("textbox", name="Chosen partitions")).to_have_value("2024-01-02..2024-01-06|east..north")
    side.get_by_role("button", name="Materialize 10").click()
    expect(side.get_by_role("list", name="Partitions by status")).to_contain_text("fresh 11", timeout=WAIT)
    notebook.screenshot(tmp_path / "grid.png")
    assert serious(notebook) == []
    assert errors(notebook) == []


def test_switch_on_and_tick(lab: Callable[..., OpenNotebook], tmp_path: Path) -> None:
    """A schedule is switched on and ticks by a click; its run and tick are seen, and the daemon starts and stops."""
    notebook, widget = opened(lab)
    widget.get_by_role("button", name="Automations", exact=True).click()
    row = widget.get_by_role("row").filter(has_text="nightly")
    expect(row).to_contain_text("every day at 02:30", timeout=WAIT)
    switch = row.get_by_role("switch", name="nightly on")
    switch.click()
    expect(switch).to_have_attribute("aria-checked", "true", timeout=WAIT)
    expect(row).to_contain_text("in ")
    row.get_by_role("button", name="Tick now").click()
    expect(row).to_contain_text("requested", timeout=WAIT)
    expect(row.get_by_role("img", name="run success")).to_be_visible(timeout=WAIT)
    row.get_by_role("button", name="nightly", exact=True).click()
    expect(widget.get_by_role("list", name="Ticks of nightly")).to_contain_text("requested 1 run", timeout=WAIT)
    widget.get_by_role("button", name="Start", exact=True).click()
    expect(widget.get_by_text("The daemon runs")).to_be_visible(timeout=WAIT)
    notebook.screenshot(tmp_path / "automations.png")
    assert serious(notebook) == []
    widget.get_by_role("button", name="Stop", exact=True).click()
    expect(widget.get_by_text("The daemon is stopped")).to_be_visible(timeout=WAIT)
    widget.get_by_role("button", name="Graph", exact=True).click()
    assert errors(notebook) == []
