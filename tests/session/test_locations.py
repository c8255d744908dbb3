"""Code locations: definitions in another process, read and made here; most tests share one process."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from ipy_orch import AutomationCondition
from ipy_orch.errors import (
    DagsterError,
    DagsterExecutionInterruptedError,
    DagsterInvalidDefinitionError,
    DagsterInvariantViolationError,
)
from ipy_orch.model.keys import AssetKey
from ipy_orch.session.locations.files import Closed
from ipy_orch.session.recipes import told_elsewhere
from ipy_orch.session.report import Report
from ipy_orch.session.session import Session
from tests.session.notebook import Notebook

OTHER_PANDAS = "3.0.0"

SHOP = '''
import os, time
import pandas as pd
from ipy_orch import (
    AssetCheckResult, AssetOut, AssetSpec, AutomationCondition, Config, DailyPartitionsDefinition, MaterializeResult,
    MetadataValue, Output,
    asset, asset_check, graph_asset, multi_asset, op,
)

rates = AssetSpec("rates", description="what home knows")

class Limit(Config):
    rows: int = 2

class Model:
    def __init__(self, rows):
        self.rows = rows

@asset(kinds={"pandas"}, owners=["team:shop"], tags={"tier": "1"}, metadata={"unit": "eur"})
def orders(context, config: Limit):
    """What was ordered."""
    print("making orders")
    context.log.warning("careful")
    when = pd.date_range("2024-01-01", periods=config.rows, tz="Europe/Berlin")
    return pd.DataFrame({"id": range(config.rows), "name": ["é"] * config.rows, "when": when})

@asset(group_name="mart", automation_condition=AutomationCondition.eager())
def total(orders, rates):
    return orders.id.sum() * rates["eur"]

@asset
def model(orders):
    return Model(len(orders))

@asset
def score(model):
    return model.rows

@asset
def bad(orders):
    return fail(orders)

def fail(orders):
    raise ValueError("no such order")

@asset
def told():
    return MaterializeResult(metadata={"rows": 3, "link": MetadataValue.url("https://example.org")})

@multi_asset(outs={"left": AssetOut(is_required=False), "right": AssetOut(is_required=False)}, can_subset=True)
def pair(context):
    for name in sorted(context.op_execution_context.selected_output_names):
        yield Output(name, name)

@op
def one():
    return 1

@op
def more(one):
    return one + 1

@graph_asset
def two():
    return more(one())

@asset(partitions_def=DailyPartitionsDefinition(start_date="2024-01-01", end_date="2024-01-04"))
def day(context):
    return context.partition_key

@asset(partitions_def=DailyPartitionsDefinition(start_date="2024-01-01", end_date="2024-01-04"))
def upper(day):
    return f"<{day}>"

@asset
def slow():
    time.sleep(60)

@asset
def killer():
    os._exit(7)

@asset_check(asset=orders, blocking=True)
def has_rows(orders):
    return AssetCheckResult(passed=len(orders) > 0, metadata={"rows": len(orders)})
'''


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a file with definitions."""
    path = tmp_path_factory.mktemp("shop") / "shop.py"
    path.write_text(SHOP)
    return path


@pytest.fixture(scope="module")
def shared(shop: Path) -> Iterator[Notebook]:
    """Return a notebook with a code location, which tests leave as it is."""
    home = Notebook()
    home.session.code_locations.add("shop", file=shop)
    home.cell("rates", '#| asset: rates\n{"eur": 10}')
    yield home
    home.session.code_locations.close()


@pytest.fixture
def home() -> Iterator[Notebook]:
    """Return a notebook of its own."""
    made = Notebook()
    yield made
    made.session.code_locations.close()


def words(session: Session) -> dict[str, str]:
    """Return how each asset stands."""
    return {key.label: status.word for key, status in session.statuses(session.scan()).items()}


def only_error(report: Report) -> BaseException:
    """Return the exception of a run that has one."""
    [error] = report.errors.values()
    return error


# -- what there is -----------------------------------------------------------------------------------------------------


def test_its_assets_are_a_group_of_the_lineage(shared: Notebook) -> None:
    """Specs come along; what it only knows of is home's."""
    graph = shared.session.scan().graph
    spec = graph.spec(AssetKey("orders"))
    assert (spec.group_name, spec.description, spec.owners) == ("shop", "What was ordered.", ("team:shop",))
    assert spec.kinds == {"pandas"}
    assert spec.metadata == {"unit": "eur"}
    assert graph.spec(AssetKey("total")).group_name == "shop/mart"
    assert graph.spec(AssetKey("total")).automation_condition == AutomationCondition.eager()
    assert graph.upstream[AssetKey("total")] == {AssetKey("orders"), AssetKey("rates")}
    assert graph.maker(AssetKey("rates")).origin != "code location `shop`"
    [row] = shared.session.code_locations.rows()
    assert (row["location"], row["status"], row["code"], row["assets"]) == ("shop", "loaded", "shop.py", 13)


def test_the_table_lists_locations(shared: Notebook) -> None:
    """By name."""
    table = shared.session.code_locations.list()
    assert list(table.index) == ["shop"]
    assert table.loc["shop", "environment"] == "this one"


# -- values ------------------------------------------------------------------------------------------------------------


def test_values_go_both_ways(shared: Notebook) -> None:
    """Home reads a frame as it was made there, and is read there."""
    value = shared.session.value("orders")
    when = pd.date_range("2024-01-01", periods=2, tz="Europe/Berlin")
    pd.testing.assert_frame_equal(value, pd.DataFrame({"id": [0, 1], "name": ["é", "é"], "when": when}))
    report = shared.cell("more", "#| asset: more\ntotal + len(orders)")
    assert report.success
    assert shared.session.value("more") == 12


def test_a_check_runs_there(shared: Notebook) -> None:
    """And gives its verdict here."""
    report = shared.session.materialize("orders", force=True)
    assert "checks 1/1" in str(report)
    check = next(row for row in shared.session.checks().reset_index().to_dict("records") if row["check"] == "has_rows")
    assert (check["status"], check["found"]) == ("passed", "rows=2")


def test_output_comes_under_its_step(shared: Notebook) -> None:
    """Prints and logs."""
    report = shared.session.materialize("orders", force=True)
    assert report.result is not None
    logged = [one for one in report.result.events if one.kind == "logged"]
    heard = [(one.step, one.stream, one.level.lower(), one.text) for one in logged]
    assert ("orders", "log", "warning", "careful") in heard
    assert any(text == ("orders", "stdout", "", "making orders\n") for text in heard)


def test_what_home_cannot_read_goes_back(shared: Notebook) -> None:
    """An instance of a class of the location is closed here, and open there."""
    value = shared.session.value("model")
    assert isinstance(value, Closed)
    with pytest.raises(DagsterInvariantViolationError, match="`model` is a `Model` that can't be read here: No module"):
        _ = value.rows
    assert shared.session.value("score") == 2


def test_reading_a_value_imports_nothing_of_the_users(home: Notebook, tmp_path: Path, monkeypatch: Any) -> None:
    """A module that could be imported here as well runs there only, until somebody imports it."""
    code = "from ipy_orch import asset\nclass Thing:\n    pass\n@asset\ndef thing():\n    return Thing()\n"
    (tmp_path / "lonely.py").write_text(code)
    monkeypatch.syspath_prepend(tmp_path)
    home.session.code_locations.add("lonely", file=tmp_path / "lonely.py")
    value = home.session.value("thing")
    assert isinstance(value, Closed)
    assert value.why == "its class is in `lonely`, which isn't imported here"
    assert "lonely" not in sys.modules


def test_what_it_cannot_read_is_refused(shared: Notebook) -> None:
    """With the name of the asset."""
    shared.cell("class", "class Rate:\n    pass")
    before = shared.session.book.cells["rates"].text
    try:
        shared.cell("rates", "#| asset: rates\nRate()")
        report = shared.session.materialize("total")
        assert "`rates`" in str(only_error(report))
    finally:
        shared.cell("rates", before)


@pytest.mark.parametrize(("name", "value"), [("two", 2), ("left", "left"), ("right", "right"), ("told", None)])
def test_each_spelling_can_be_made(shared: Notebook, name: str, value: object) -> None:
    """Graphs, parts of a multi_asset, results without a value."""
    assert shared.session.materialize(name).success
    if value is not None:
        assert shared.session.value(name) == value


def test_a_copy_keeps_what_its_code_depends_on(shared: Notebook) -> None:
    """A part of it, and one with other metadata: its code is the location's, wherever the definition came from."""
    maker = shared.session.scan().graph.maker(AssetKey("left"))
    told = told_elsewhere(maker)
    assert told
    assert told_elsewhere(maker.subset_for([AssetKey("left")])) == told
    assert told_elsewhere(maker.map_asset_specs(lambda spec: spec.merge_attributes(metadata={"x": 1}))) == told


def test_metadata_of_a_result_comes_along(shared: Notebook) -> None:
    """With its types."""
    shared.session.materialize("told")
    metadata = shared.session.ledger.latest[AssetKey("told")].materialization.metadata
    assert metadata["rows"].value == 3
    assert type(metadata["link"]).__name__ == "UrlMetadataValue"


def test_partitions(shared: Notebook) -> None:
    """One by one, and what they read."""
    assert shared.session.materialize("upper", partition="2024-01-02").success
    assert shared.session.value("upper", "2024-01-02") == "<2024-01-02>"
    shared.session.backfill("day")
    assert shared.session.value("day", by_key=True) == {f"2024-01-0{n}": f"2024-01-0{n}" for n in (1, 2, 3)}


def test_config_goes_there(shared: Notebook) -> None:
    """And makes its asset stale; what doesn't fit is told."""
    shared.session.materialize("orders", config={"ops": {"orders": {"config": {"rows": 3}}}})
    assert len(shared.session.value("orders")) == 3
    report = shared.session.materialize("orders", config={"ops": {"orders": {"config": {"rows": "many"}}}})
    assert "rows" in str(only_error(report))
    shared.session.materialize("orders", config={"ops": {"orders": {"config": {"rows": 2}}}})
    assert len(shared.session.value("orders")) == 2


def test_an_error_has_the_users_frames(shared: Notebook) -> None:
    """Those of the location, and none of ours."""
    error = only_error(shared.session.materialize("bad"))
    assert isinstance(error, ValueError)
    assert str(error) == "no such order"
    [note] = error.__notes__
    assert note.startswith("in code location `shop`:")
    assert [line.split(", in ")[1] for line in note.splitlines() if ", in " in line] == ["bad", "fail"]
    assert "ipy_orch" not in note


def test_a_cancelled_step_ends_there(shared: Notebook) -> None:
    """And the location goes on."""
    one = shared.session.submit("slow")
    location = shared.session.code_locations.known["shop"]
    assert location.process is not None
    while not location.process.lock.locked():
        time.sleep(0.02)
    time.sleep(0.3)
    started = time.perf_counter()
    one.cancel()
    with pytest.raises(DagsterExecutionInterruptedError):
        one.result(20)
    assert time.perf_counter() - started < 10
    assert shared.session.value("two") == 2
    assert not location.error


def test_two_steps_at_once_take_turns(shared: Notebook) -> None:
    """A location has one process."""
    report = shared.session.materialize("left or two or told or score", force=True, workers=3)
    assert report.success


def test_its_steps_run_there_wherever_the_others_do(shared: Notebook) -> None:
    """A location has a process already, which no other one asks."""
    shared.cell("here", "#| asset: where\nimport os\n(two, os.getpid())")
    report = shared.session.materialize("two or where", force=True, executor="processes", workers=2)
    assert report.success, report
    two, process = shared.session.value("where")
    assert two == 2
    assert process != os.getpid()


# -- reload, crash -----------------------------------------------------------------------------------------------------

SMALL = "from ipy_orch import asset\n\n@asset\ndef a():\n    return 1\n\n@asset\ndef b(a):\n    return a + 1\n"


def test_a_reload_makes_stale_what_was_edited(home: Notebook, tmp_path: Path) -> None:
    """And nothing else; a broken edit leaves what was made."""
    path = tmp_path / "small.py"
    path.write_text(SMALL + "\n@asset\ndef c():\n    return 3\n")
    locations = home.session.code_locations
    locations.add("small", file=path)
    home.cell("d", "#| asset: d\nb + c")
    path.write_text(path.read_text().replace("a + 1", "a + 10"))
    assert set(words(home.session).values()) == {"fresh"}
    locations.reload("small")
    assert words(home.session) == {"a": "fresh", "b": "stale", "c": "fresh", "d": "stale"}
    assert "+ return a + 10" in str(home.session.why("b"))
    assert home.session.value("d") == 14
    path.write_text("def broken(:\n")
    with pytest.raises(DagsterInvariantViolationError, match="can't be imported: SyntaxError"):
        locations.reload("small")
    assert words(home.session)["a"] == "failed"
    assert "location unavailable" in str(home.session.statuses(home.session.scan())[AssetKey("a")])
    assert home.session.value("d") == 14
    path.write_text(SMALL)
    locations.reload("small")
    assert words(home.session)["a"] == "fresh"
    assert "c" not in locations.rows()
    locations.remove("small")
    assert "b" not in {key.label for one in home.session.scan().definitions for key in one.keys}


def test_a_crash_is_survived(home: Notebook, shop: Path) -> None:
    """Its assets say so, what is made elsewhere goes on, a reload brings it back."""
    session = home.session
    session.code_locations.add("shop", file=shop)
    home.cell("x", "#| asset: x\n1")
    assert session.value("two") == 2
    report = session.materialize("killer")
    assert "its process ended while it made `killer` (exit code 7)" in str(only_error(report))
    assert "%code_location reload shop" in str(only_error(report))
    status = session.statuses(session.scan())[AssetKey("orders")]
    assert (status.word, status.reason[:20]) == ("failed", "location unavailable")
    assert session.code_locations.rows()[0]["status"] == "unavailable"
    assert session.materialize("x", force=True).success
    assert session.value("two") == 2
    assert "is unavailable" in str(only_error(session.materialize("orders")))
    session.code_locations.reload("shop")
    assert words(session)["two"] == "fresh"
    assert session.materialize("orders").success


def test_a_process_that_is_killed_shows(home: Notebook, tmp_path: Path) -> None:
    """As soon as one looks, with nothing running."""
    (tmp_path / "small.py").write_text(SMALL)
    one = home.session.code_locations.add("small", file=tmp_path / "small.py")
    assert one.process is not None
    os.kill(one.process.manager.provisioner.pid, signal.SIGKILL)
    deadline = time.monotonic() + 5
    while words(home.session)["a"] != "failed" and time.monotonic() < deadline:
        time.sleep(0.05)
    assert home.session.code_locations.rows()[0]["reason"] == "its process ended (signal 9)"


# -- ways to add -------------------------------------------------------------------------------------------------------


def test_a_module(home: Notebook, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the current folder; only what its Definitions holds."""
    package = tmp_path / "depot"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "definitions.py").write_text(SMALL + "from ipy_orch import Definitions\ndefs = Definitions([a])\n")
    monkeypatch.chdir(tmp_path)
    home.session.code_locations.add("depot", module="depot.definitions")
    assert home.session.value("a") == 1
    assert set(words(home.session)) == {"a"}


def cells(*texts: str) -> dict[str, Any]:
    """Return a notebook of these cells."""
    found = [
        {"cell_type": "code", "id": f"c{n}", "metadata": {}, "outputs": [], "execution_count": None, "source": text}
        for n, text in enumerate(texts)
    ]
    return {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": found}


def test_a_notebook(home: Notebook, tmp_path: Path) -> None:
    """Its plain cells run, its asset cells wait until they are asked for."""
    path = tmp_path / "nightly.ipynb"
    mark = tmp_path / "made"
    path.write_text(
        json.dumps(
            cells(
                "%load_ext ipy_orch\nimport pathlib\nfrom ipy_orch import AssetSpec\nlimit = 5",
                'home_rate = AssetSpec("home_rate")',
                f"%%asset night\npathlib.Path({str(mark)!r}).write_text('x')\nlimit * home_rate",
                "%%asset later\nnight + 1",
            )
        )
    )
    home.cell("home_rate", "#| asset: home_rate\n2")
    home.session.code_locations.add("nightly", notebook=path)
    assert not mark.exists()
    assert home.session.value("later") == 11
    assert mark.exists()


def test_a_workspace(home: Notebook, tmp_path: Path) -> None:
    """Dagster's file names several, each with a Python of its own if it says one."""
    (tmp_path / "one.py").write_text("from ipy_orch import asset\n@asset\ndef first():\n    return 1\n")
    (tmp_path / "two.py").write_text("from ipy_orch import asset\n@asset\ndef second(first):\n    return first + 1\n")
    said = f"""
        load_from:
          - python_file: one.py
          - python_file:
              relative_path: two.py
              location_name: second place
              executable_path: {sys.executable}
        """
    (tmp_path / "workspace.yaml").write_text(textwrap.dedent(said))
    added = home.session.code_locations.add_project(tmp_path / "workspace.yaml")
    assert [one.name for one in added] == ["one", "second_place"]
    assert added[1].place.python == sys.executable
    assert home.session.value("second") == 2


# -- mistakes ----------------------------------------------------------------------------------------------------------

BAD: dict[str, tuple[dict[str, str], str]] = {
    "no place": ({}, "says no place with definitions"),
    "two places": ({"module": "a", "file": "b.py"}, "`--module` and `--file`"),
    "no file": ({"file": "shap.py"}, "there is no file `shap.py`\n  hint: did you mean `shop.py`?"),
    "a folder": ({"file": "."}, "is a folder"),
    "another kind": ({"file": "nb.ipynb"}, "`--notebook nb.ipynb`"),
    "no module": ({"module": "no_such"}, "there is no module `no_such`"),
    "no name of a module": ({"module": "shop.py"}, "`--file shop.py`"),
    "no kernel": ({"file": "shop.py", "kernel": "pythn3"}, "there is no kernel `pythn3`"),
    "no Python": ({"file": "shop.py", "python": "no/such/python"}, "the Python `no/such/python` isn't there"),
    "two environments": ({"file": "shop.py", "kernel": "a", "python": "b"}, "not both"),
    "another program": ({"file": "shop.py", "python": "/bin/false"}, "can't be used: its process ended"),
    "an error": ({"file": "raises.py"}, "ZeroDivisionError: division by zero"),
    "no definitions": ({"file": "empty.py"}, "holds no definitions"),
    "no variable": ({"file": "shop.py", "attribute": "dfs"}, "no variable `dfs`"),
    "no notebook": ({"notebook": "nb.ipynb"}, "`nb.ipynb` isn't a notebook"),
    "a notebook without us": ({"notebook": "plain.ipynb"}, "none of its cells loads ipy_orch"),
    "a cell that fails": ({"notebook": "fails.ipynb"}, "NameError: name 'nope' is not defined"),
    "it dies": ({"file": "dies.py"}, "its process ended while its code was loaded"),
}


@pytest.mark.parametrize(("said", "told"), BAD.values(), ids=BAD)
def test_a_mistake_is_told_and_adds_nothing(
    home: Notebook, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: dict[str, str], told: str
) -> None:
    """One message each, and no process is left."""
    files = {
        "shop.py": SMALL,
        "raises.py": "1 / 0\n",
        "empty.py": "x = 1\n",
        "dies.py": "import os\nos._exit(3)\n",
        "nb.ipynb": "{}",
        "plain.ipynb": json.dumps(cells("x = 1")),
        "fails.ipynb": json.dumps(cells("%load_ext ipy_orch", "nope")),
    }
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    monkeypatch.chdir(tmp_path)
    threads = threading.active_count()
    with pytest.raises(DagsterError) as caught:
        home.session.code_locations.add("loc", **said)
    assert told in str(caught.value)
    assert home.session.code_locations.rows() == []
    assert not home.session.scan().definitions
    assert threading.active_count() <= threads


@pytest.mark.parametrize(("name", "told"), [("a-b", "e.g. `a_b`"), ("", "can't be the name"), ("shop", "already")])
def test_a_bad_name_is_refused(shared: Notebook, shop: Path, name: str, told: str) -> None:
    """Before anything is started."""
    with pytest.raises(DagsterInvariantViolationError, match=told):
        shared.session.code_locations.add(name, file=shop)


def test_an_unknown_name_is_refused(shared: Notebook) -> None:
    """With the closest."""
    with pytest.raises(DagsterInvariantViolationError, match="did you mean `shop`"):
        shared.session.code_locations.reload("shp")


def test_an_asset_that_is_there_already_is_refused(shared: Notebook, tmp_path: Path) -> None:
    """Naming both places, whichever comes first."""
    path = tmp_path / "clash.py"
    path.write_text("from ipy_orch import asset\n@asset\ndef orders():\n    pass\n")
    with pytest.raises(DagsterInvalidDefinitionError) as caught:
        shared.session.code_locations.add("clash", file=path)
    assert "`shop`" in str(caught.value)
    assert "`clash`" in str(caught.value)
    assert list(shared.session.code_locations.known) == ["shop"]
    with pytest.raises(DagsterInvalidDefinitionError) as caught:
        shared.cell("clash", "#| asset: total\n1")
    shared.delete("clash")
    assert "Cell In[" in str(caught.value)
    assert "code location `shop`" in str(caught.value)


# -- another environment -----------------------------------------------------------------------------------------------


def made_environment(folder: Path, *, packages: bool) -> Path:
    """Make a virtual environment; with packages, it has this one's behind its own."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    python = folder / "bin" / "python"
    if packages:
        [site] = folder.glob("lib/python*/site-packages")
        (site / "behind.pth").write_text("\n".join(one for one in sys.path if one.endswith("site-packages")))
    return python


def test_an_environment_without_packages_is_told(home: Notebook, tmp_path: Path) -> None:
    """With what to type."""
    python = made_environment(tmp_path / "bare", packages=False)
    (tmp_path / "small.py").write_text(SMALL)
    with pytest.raises(DagsterInvariantViolationError) as caught:
        home.session.code_locations.add("small", file=tmp_path / "small.py", python=python)
    assert "has no `ipykernel`" in str(caught.value)
    assert f"`{python} -m pip install ipykernel`" in str(caught.value)


@pytest.fixture(scope="module")
def other_python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the Python of an environment with another version of pandas."""
    folder = tmp_path_factory.mktemp("env") / "other"
    python = made_environment(folder, packages=True)
    [site] = folder.glob("lib/python*/site-packages")
    install = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target", site, f"pandas=={OTHER_PANDAS}"]
    done = subprocess.run(install, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"pip can't install pandas {OTHER_PANDAS} here: {done.stderr.strip().splitlines()[-1]}")
    return python


def test_frames_between_two_versions_of_pandas(home: Notebook, tmp_path: Path, other_python: Path) -> None:
    """They come as they were made there, both ways, whatever is in their columns."""
    (tmp_path / "old.py").write_text(
        "import pandas as pd\nfrom ipy_orch import asset\n\n"
        "@asset\ndef version():\n    return pd.__version__\n\n"
        "@asset\ndef old(new):\n    return new.assign(seen=new.name.str.upper(), by=pd.__version__)\n\n"
        "@asset\ndef mixed():\n    return pd.DataFrame({'a': [{'x': 1}, None]})\n"
    )
    locations = home.session.code_locations
    locations.add("old", file=tmp_path / "old.py", python=other_python)
    assert home.session.value("version") == OTHER_PANDAS != pd.__version__
    home.cell("new", "import pandas as pd")
    home.cell("made", "#| asset: new\npd.DataFrame({'name': ['a', None], 'kind': pd.Categorical(['x', 'y'])})")
    value = home.session.value("old")
    assert list(value.seen.fillna("-")) == ["A", "-"]
    assert list(value.by) == [OTHER_PANDAS] * 2
    assert (str(value.kind.dtype), str(value.name.dtype)) == ("category", "str")
    assert home.session.value("mixed").a[0] == {"x": 1}
