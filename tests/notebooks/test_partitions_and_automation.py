"""The notebook about partitions and automation: run from top to bottom, and what it tells the reader to try."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import nbformat
import pandas as pd
import pytest

from tests.flights import table
from tests.notebooks.kernels import NOTEBOOKS, Ran, fresh_kernel, shown, told

NOTEBOOK = NOTEBOOKS / "partitions_and_automation.ipynb"
SAID = """
import json, ipy_orch
_session = ipy_orch.session()
print(json.dumps({
    "late": int(delays[delays["date"] < "2013-01-04"]["late"].sum()),
    "january": delays[delays["date"] < "2013-02-01"].groupby("origin")["late"].sum().to_dict(),
    "month": _session.value("months", partition="2013-03-01").to_dict("index"),
    "week": _session.value("week", partition="2013-01-07"),
    "busiest": _session.value("busiest", partition="JFK|2013-01-02").to_dict(),
    "reported": reported.groupby("date").size().to_dict(),
    "avoid": avoid,
}))
"""
ELSEWHERE = """
import json
from datetime import datetime
import dagster as dg
from definitions import defs

dg.Definitions.validate_loadable(defs)
assets, instance = {str(one.key.path[0]): one for one in defs.assets}, dg.DagsterInstance.ephemeral()
storage = {"io_manager": dg.FilesystemIOManager(base_dir="stored")}


def made(name, **given):
    run = dg.materialize(defs.assets, selection=[name], instance=instance, resources=storage, **given)
    return run.output_for_node(name)


with instance:
    asked = defs.get_schedule_def("mornings").evaluate_tick(
        dg.build_schedule_context(
            instance, scheduled_execution_time=datetime(2013, 2, 2, 6), repository_def=defs.get_repository_def()
        )
    )
    for name in ("flights", "hours"):
        made(name)
    days = [made("delays", partition_key=f"2013-01-{day:02}") for day in range(1, 4)]
    print(json.dumps({
        "asked": [one.partition_key for one in asked.run_requests],
        "late": int(sum(day["late"].sum() for day in days)),
        "busiest": made("busiest", partition_key="JFK|2013-01-02").to_dict(),
        "avoid": made("avoid"),
        "condition": assets["avoid"].specs_by_key[assets["avoid"].key].automation_condition.get_label(),
        "sensors": sorted(one.name for one in defs.sensors),
    }))
"""


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ran]:
    """Run all cells in a fresh kernel."""
    with fresh_kernel(tmp_path_factory.mktemp("partitions")) as kernel:
        yield Ran(kernel, kernel.run_all(NOTEBOOK))


@pytest.fixture(scope="module")
def flights() -> pd.DataFrame:
    """Return the flights of the year, from the file."""
    return table("flights").assign(late=lambda flown: flown["dep_delay"] > 15)


def said(ran: Ran) -> dict[str, Any]:
    """Return values of the session."""
    found: dict[str, Any] = json.loads(ran.kernel.run(SAID).outputs[0].text)
    return found


def test_no_cell_complains(ran: Ran) -> None:
    """Nothing writes to stderr, and there is no notice."""
    for name, cell in ran.cells.items():
        assert not any(one.get("name") == "stderr" for one in cell.outputs), (name, shown(cell))
        assert "note:" not in shown(cell), name


def test_the_values_are_those_of_the_file(ran: Ran, flights: pd.DataFrame) -> None:
    """Days, months, weeks, pairs and hours beside a computation in one piece."""
    found = said(ran)
    january, march = flights[flights["month"] == 1], flights[flights["month"] == 3]
    assert found["january"] == january.groupby("origin")["late"].sum().to_dict()
    assert {name: row["flights"] for name, row in found["month"].items()} == march["origin"].value_counts().to_dict()
    assert {name: row["late"] for name, row in found["month"].items()} == march.groupby("origin")[
        "late"
    ].sum().to_dict()
    assert found["week"] == january[january["day"] <= 7]["late"].sum()
    day = january[(january["day"] == 2) & (january["origin"] == "JFK")]
    assert sorted(found["busiest"].values()) == sorted(day["dest"].value_counts().head(3))
    assert found["reported"] == {"2013-01-01": 842, "2013-01-02": 943}
    by_hour = flights.groupby("hour")["late"].mean()
    assert found["avoid"] == by_hour[by_hour > 0.33].index.tolist()


def test_what_ran_by_itself(ran: Ran) -> None:
    """The daemon ran the two files once, the schedule's day is there, and the edit was followed without a run."""
    table = shown(ran.cells["ticks"])
    assert "success, success" in table
    assert "the inbox is empty" in table
    assert "would skip: the inbox is empty" in shown(ran.cells["tick-arrivals"])
    assert "delays · 2013-02-01 · 3 × 4" in shown(ran.cells["tick-run"])
    assert shown(ran.cells["look"]) == "[19, 20, 21]"
    assert "✗ avoid · eager" in shown(ran.cells["conditions"])
    assert "1 schedule, 1 sensor" in shown(ran.cells["export"])


def test_the_mistakes(ran: Ran) -> None:
    """A key that isn't there, and a dict taken for a table, get the answers that the text promises."""
    line, answer = told(NOTEBOOK, "1-mistakes")
    assert answer in ran.kernel.fails(line)
    broken = ran.cells["months"].source.replace("pd.concat(delays.values())", "delays")
    assert told(NOTEBOOK, "3-dict")[0] in ran.kernel.fails(broken)
    ran.kernel.run(ran.cells["months"].source)


def test_the_edit(ran: Ran) -> None:
    """What section 4 tells the reader to do says what it says; set back, the days are fresh that nobody made again."""
    kernel, late = ran.kernel, ran.cells["late"].source
    kernel.run(late.replace("15", "30"))
    ask, answer = told(NOTEBOOK, "4-edit")
    assert shown(kernel.run(ask)) == answer
    kernel.run(late)
    assert "stale" not in shown(kernel.run("%partitions delays"))


def test_dagster_gets_the_same(ran: Ran) -> None:
    """The exported module is validated, ticks and materializes in a clean interpreter with the session's values."""
    command = [sys.executable, "-c", ELSEWHERE]
    done = subprocess.run(command, cwd=ran.kernel.folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    there, here = json.loads(done.stdout.splitlines()[-1]), said(ran)
    assert there["asked"] == ["2013-02-01"]
    assert there["late"] == here["late"]
    assert there["busiest"] == here["busiest"]
    assert there["avoid"] == here["avoid"]
    assert (there["condition"], there["sensors"]) == ("eager", ["arrivals"])


def test_is_saved_clean() -> None:
    """The saved outputs have no paths of a machine and no errors; each cell has a name for an id."""
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    nbformat.validate(notebook)
    assert set(notebook.metadata) == {"kernelspec", "language_info"}
    text = NOTEBOOK.read_text()
    for path in ("/tmp", "/root", "/home", "/work"):
        assert path not in text
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert not any(output.output_type == "error" for cell in cells for output in cell.outputs)
    assert any(cell.outputs for cell in cells)
    assert not any(re.fullmatch(r"[0-9a-f]{6,}", cell.id) for cell in notebook.cells)
