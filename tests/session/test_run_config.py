"""Run config as YAML and files, and where in it something is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from ipy_orch import AssetKey, DagsterRunStatus, RunConfig, RunsFilter
from ipy_orch.errors import DagsterInvalidConfigError, DagsterInvariantViolationError
from ipy_orch.events.types import RunStarted
from ipy_orch.session.config.run_config import read_run_config
from tests.session.notebook import Notebook

CELL = """
from ipy_orch import Config, ConfigurableResource, asset
class Size(Config):
    limit: int = 10
    names: list[str] = []
class Db(ConfigurableResource):
    path: str = "dev.db"
db = Db()
@asset
def orders(config: Size, db: Db):
    return config.limit, db.path
"""
TEXT = "ops:\n  orders:\n    config:\n      limit: 5\nresources:\n  db:\n    config:\n      path: x.db\n"


@pytest.fixture
def nb() -> Notebook:
    """Return a notebook with an asset that has config."""
    notebook = Notebook(run=False)
    notebook.cell("c", CELL)
    return notebook


def test_the_forms(nb: Notebook, tmp_path: Path) -> None:
    """A mapping, a RunConfig, YAML, a path and the name of a file mean the same."""
    file = tmp_path / "run.yaml"
    file.write_text(TEXT)
    data = {"ops": {"orders": {"config": {"limit": 5}}}, "resources": {"db": {"config": {"path": "x.db"}}}}
    namespace = nb.namespace
    python = RunConfig(ops={"orders": namespace["Size"](limit=5)}, resources={"db": namespace["Db"](path="x.db")})
    for given in (data, python, TEXT, file, str(file)):
        nb.session.materialize("orders", config=given, force=True)
        assert nb.value("orders") == (5, "x.db")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("limit: 5", "limit: five", r"ops.orders.config.limit \(line 4\): expected an integer, got 'five'"),
        ("limit: 5", "limt: 5", r"ops.orders.config.limt \(line 4\): unknown field \(did you mean `limit`\?\)"),
        ("limit: 5", "names: [a, 5]", r"ops.orders.config.names\[1\] \(line 4\): expected a string"),
        ("  orders:", "  order:", r"ops.order \(line 2\): unknown \(did you mean `orders`\?\)"),
        ("path: x.db", "path: 7", r"resources.db.config.path \(line 8\): expected a string, got 7"),
        ("    config:\n      path: x.db", "    config: 3", r"resources.db.config \(line 7\)"),
    ],
)
def test_errors_name_path_type_field_and_line(nb: Notebook, old: str, new: str, message: str) -> None:
    """What is wrong, where in run config, and on which line."""
    with pytest.raises(DagsterInvalidConfigError, match=message):
        nb.session.materialize("orders", config=TEXT.replace(old, new))
    assert nb.session.run_config == {}


def test_errors_name_the_file(nb: Notebook, tmp_path: Path) -> None:
    """By its name, without the folders of this machine."""
    file = tmp_path / "run.yaml"
    file.write_text(TEXT.replace("5", "five"))
    with pytest.raises(DagsterInvalidConfigError, match=r"limit \(run.yaml, line 4\)") as caught:
        nb.session.materialize("orders", config=file)
    assert str(tmp_path) not in str(caught.value)


def test_one_line_has_no_numbers(nb: Notebook) -> None:
    """They would all be 1."""
    with pytest.raises(DagsterInvalidConfigError, match=r"ops\.orders\.config\.limit: expected"):
        nb.session.materialize("orders", config="{ops: {orders: {config: {limit: five}}}}")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{a: [1}", "isn't YAML.*\n.*line 1, column 7"),
        ("a: 1\na: 2", "`a` is given twice\n.*line 2"),
        ("- 1", "is a mapping"),
        ("5", "is a mapping"),
        ("nope.yaml", "there is no file `nope.yaml`"),
        (Path("nope"), "there is no file `nope`"),
    ],
)
def test_what_is_no_run_config(text: str | Path, message: str) -> None:
    """The message says what it should be."""
    with pytest.raises(DagsterInvalidConfigError, match=message):
        read_run_config(text)


def test_a_message_repeats_no_text() -> None:
    """There may be a secret in it."""
    with pytest.raises(DagsterInvalidConfigError) as caught:
        read_run_config("password: hunter2hunter2\n  x: [")
    assert "hunter2" not in str(caught.value)


def test_empty_text_is_no_config() -> None:
    """As is a file of comments."""
    assert read_run_config("# nothing\n").data == read_run_config(None).data == {}


def test_the_instance_knows_the_config_of_a_run(nb: Notebook) -> None:
    """As long as the kernel lives; what happened isn't taken back, and an asset that is wiped is stale again."""
    session = nb.session
    session.materialize(config=TEXT)
    (run,) = session.instance.get_runs(RunsFilter(statuses=[DagsterRunStatus.SUCCESS]))
    assert run.run_config == {
        "ops": {"orders": {"config": {"limit": 5}}},
        "resources": {"db": {"config": {"path": "x.db"}}},
    }
    assert not any("limit" in repr(event) for event in session.log if isinstance(event, RunStarted))
    with pytest.raises(DagsterInvariantViolationError, match="can't be deleted"):
        session.instance.delete_run(run.run_id)
    with pytest.raises(DagsterInvariantViolationError, match="backfills"):
        session.instance.get_backfills()

    assert session.materialize(config=TEXT).materialized == []
    session.instance.wipe_assets([AssetKey("orders")])
    assert session.instance.get_asset_keys() == []
    assert session.materialize(config=TEXT).materialized == [AssetKey("orders")]
