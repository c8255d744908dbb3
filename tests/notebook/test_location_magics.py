"""Code locations in cells: what the magic shows, what a mistake is told, what an error of theirs looks like."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from ipy_orch.notebook.completion import complete
from tests.notebook.conftest import Notebook

SHOP = """
import pandas as pd
from ipy_orch import RunRequest, asset, define_asset_job, job, op, sensor

@asset(description="What was ordered.")
def orders():
    print("making orders")
    return pd.DataFrame({"id": [1, 2], "name": ["a", "b"]})

@asset
def total(orders, rate):
    return int(orders.id.sum()) * rate

@asset
def bad(orders):
    row = orders.iloc[7]
    return row

@asset
def gone():
    import os
    os._exit(9)

@op
def move():
    print("moving")

@job
def moving():
    move()

nightly = define_asset_job("nightly", "orders")

@sensor(job=nightly)
def looking(context):
    return RunRequest(run_key="one")

@sensor(job=nightly)
def broken(context):
    return {}["file"]
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the current folder, with a file of definitions."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "shop.py").write_text(SHOP)
    return tmp_path


@pytest.fixture
def home(notebook: Notebook) -> Notebook:
    """Return a notebook with a code location."""
    notebook.good("%code_location add shop --file shop.py", "add")
    return notebook


def test_a_location_in_a_notebook(home: Notebook, folder: Path) -> None:
    """Added, listed, read, read from, made stale, crashed, brought back, exported, removed."""
    home.good("%%asset rate\n10", "rate")
    home.good("%%asset report\norders.assign(total=total)", "report")
    assert "stdout: making orders" in set(home.session.events()["text"])
    assert list(home.variables["report"].total) == [30, 30]
    assert home.good("%code_location", "list").out.loc["shop", "assets"] == 4

    failed = home.run("%materialize bad", "bad")
    assert "IndexError" in str(failed.traceback) + "".join(failed.shown)
    assert "in code location `shop`:" in failed.traceback
    assert "row = orders.iloc[7]" in failed.traceback
    assert "session/locations" not in failed.traceback

    assert list(home.good("%jobs", "jobs").out.index) == ["shop/moving", "shop/nightly"]
    assert "moving" in "".join(home.good("%launch shop/moving", "launch").shown)
    assert "shop/looking" in complete(home.session, "%tick sh", 0, "%tick sh")
    assert "job shop/nightly" in home.good("%tick shop/looking --run", "tick").shown[-1]
    failed = home.run("%tick shop/broken", "tick broken")
    assert 'return {}["file"]' in failed.traceback
    assert "session/locations" not in failed.traceback
    elsewhere = home.run("%schedule late --cron @daily --job shop/nightly", "late")
    assert "define the schedule where the job is" in elsewhere.stderr

    (folder / "shop.py").write_text(SHOP.replace("* rate", "* rate + 1"))
    assert home.good("%code_location reload shop", "reload").shown[-1].startswith("shop · 4 assets: bad, gone, orders")
    assert "code changed" in str(home.good("%why total", "why").out or home.good("%why total", "why").shown)

    assert "its process ended while it made `gone` (exit code 9)" in home.run("%materialize gone", "gone").traceback
    status = home.session.assets()["reason"]
    assert status["orders"].startswith("location unavailable: its process ended")
    assert home.good("report.shape", "read").out == (2, 3)
    home.good("%code_location reload shop", "again")
    home.good("%materialize report", "made")
    assert list(home.session.value("report").total) == [31, 31]

    home.good("%export shop_defs.py", "export")
    text = (folder / "shop_defs.py").read_text()
    assert "# Assets of the code location `shop` (shop.py): they are made there, and only known here." in text
    assert 'AssetSpec("orders", description="What was ordered.", group_name="shop")' in text
    assert "nightly" not in text
    listing = "print(sorted(k.to_user_string() for k in m.defs.resolve_asset_graph().get_all_asset_keys()))"
    told = f"import shop_defs as m; {listing}"
    home.good("%export dagster_defs.py --for dagster", "export dagster")
    for name in ("shop_defs", "dagster_defs"):
        code = told.replace("shop_defs", name)
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        assert done.stdout.strip() == "['bad', 'gone', 'orders', 'rate', 'report', 'total']"

    assert home.good("%code_location remove shop", "remove").shown == ["shop · removed"]
    assert "orders" not in home.session.assets().index or home.session.assets().loc["orders", "status"] == "external"


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("add", "a code location has a name"),
        ("add shop", "says no place with definitions"),
        ("add shop --file shap.py", "did you mean `shop.py`"),
        ("add shop --modle shop", "has no option `--modle` (did you mean `--module`?"),
        ("ad shop", "not `ad` (did you mean `add`?)"),
        ("reload", "`%code_location reload NAME` says which: there are none"),
        ("remove shop", "there is no code location `shop`"),
        ("list shop", "takes nothing else"),
        ("add --workspace nope.yaml", "there is no file `nope.yaml`"),
        ("add shop --workspace .", "names its locations itself"),
        ("add --workspace .", "names no code locations"),
    ],
)
def test_a_mistake_is_one_message(notebook: Notebook, line: str, told: str) -> None:
    """And no traceback of ours."""
    ran = notebook.run(f"%code_location {line}")
    assert told in ran.stderr + ran.traceback
    assert "Traceback" not in ran.stderr + ran.traceback
    assert notebook.session.code_locations.rows() == []


def test_a_broken_file_is_told_with_its_line(notebook: Notebook, folder: Path) -> None:
    """And nothing is added."""
    (folder / "broken.py").write_text("x = 1\ny = x / 0\n")
    ran = notebook.run("%code_location add broken --file broken.py")
    assert "ZeroDivisionError: division by zero" in ran.stderr
    assert "broken.py, line 2" in ran.stderr


def test_completion(home: Notebook) -> None:
    """Verbs, names, flags."""
    line = "%code_location re"
    assert complete(home.session, line, 0, line) == ["reload", "remove"]
    line = "%code_location reload s"
    assert complete(home.session, line, 0, line) == ["shop"]
    line = "%code_location add x --ker"
    assert complete(home.session, line, 0, line) == ["--kernel"]
