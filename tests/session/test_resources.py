"""What `%resources` and `%config_schema` say."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from ipy_orch.errors import DagsterInvariantViolationError
from tests.session.notebook import Notebook

CELL = """
import enum
from typing import Literal
from ipy_orch import Config, ConfigurableIOManager, ConfigurableResource, EnvVar, ResourceParam
from ipy_orch import asset, asset_check, resource
from pydantic import Field, SecretStr

class Retry(Config):
    times: int = 3

class Db(ConfigurableResource):
    path: str = Field(description="where it is")
    user: str = "me"
    token: str = EnvVar("DB_TOKEN")
    host: str = EnvVar("DB_HOST")
    hosts: list[str] = []
    key: SecretStr = SecretStr("k3yk3yk3y")
    url: str = "postgresql://me:pa55word@host/db"
    retry: Retry = Retry()

class Warehouse(ConfigurableResource):
    db: Db
    layer: str = "main"

class Api(ConfigurableResource):
    page: int = 10
    token: str

class Shelf(ConfigurableIOManager):
    folder: str
    def handle_output(self, context, obj): ...
    def load_input(self, context): ...

class Mode(enum.Enum):
    FAST = "fast"

class Orders(Config):
    limit: int = Field(10, description="how many")
    mode: Mode
    kind: Literal["new", "old"]
    note: str | None = None
    password: SecretStr | None = None

@resource(config_schema={"size": int})
def pool(context): return context.resource_config["size"]

class Client: ...

client = Client()
db = Db(path="dev.db", hosts=[EnvVar("DB_HOST"), "b"])
warehouse = Warehouse(db=db)
apart = Warehouse(db=Db(path="inner.db"))
api = Api.configure_at_launch(page=5)
shelf = Shelf(folder="values")

@asset(io_manager_key="shelf")
def orders(config: Orders, warehouse: Warehouse, client: ResourceParam[Client]): ...

@asset(required_resource_keys={"pool", "nobodys", "api"})
def other(context): ...

@asset_check(asset=orders)
def paid(db: Db): ...
"""


@pytest.fixture
def nb(monkeypatch: pytest.MonkeyPatch) -> Notebook:
    """Return a notebook with resources of each kind."""
    monkeypatch.setenv("DB_TOKEN", "t0ken-value")
    monkeypatch.delenv("DB_HOST", raising=False)
    notebook = Notebook(run=False)
    notebook.cell("c", CELL)
    return notebook


@pytest.fixture
def table(nb: Notebook) -> Any:
    """Return the table."""
    return nb.session.resources()


@pytest.mark.parametrize(
    ("resource", "field", "value", "source"),
    [
        ("db", "path", "'dev.db'", "literal"),
        ("db", "user", "'me'", "default"),
        ("db", "token", "", "environment DB_TOKEN"),
        ("db", "hosts[0]", "", "environment DB_HOST"),
        ("db", "hosts[1]", "'b'", "literal"),
        ("db", "key", "[secret]", "default"),
        ("db", "url", "'postgresql://me:***@host/db'", "default"),
        ("db", "retry.times", "3", "default"),
        ("warehouse", "layer", "'main'", "default"),
        ("warehouse", "db", "Db", "resource db"),
        ("apart", "db.path", "'inner.db'", "literal"),
        ("apart", "db.token", "", "environment DB_TOKEN"),
        ("api", "page", "5", "literal"),
        ("api", "token", "", "launch time"),
        ("client", "", "", "plain object"),
        ("pool", "size", "", "launch time"),
        ("nobodys", "", "", "nothing provides it"),
    ],
)
def test_where_a_value_comes_from(table: Any, resource: str, field: str, value: str, source: str) -> None:
    """Each field has a row: its value, and whether that is a literal, a default, a variable's, or comes later."""
    row = table.loc[(resource, field)]
    assert (row["value"], row["from"]) == (value, source)


def test_whether_variables_are_set(table: Any) -> None:
    """And nothing of what they hold."""
    assert table.loc[("db", "token"), "variable"] == "set"
    assert table.loc[("db", "host"), "variable"] == "not set"
    assert table.loc[("db", "path"), "variable"] == ""
    assert "t0ken-value" not in table.to_csv() + repr(table) + table._repr_html_()


@pytest.mark.parametrize(
    ("resource", "users"),
    [
        (("warehouse", "layer"), "orders"),
        (("db", "path"), "orders:paid, resource warehouse"),
        (("shelf", "folder"), "orders (IO)"),
        (("client", ""), "orders"),
        (("apart", "layer"), ""),
        (("nobodys", ""), "other"),
    ],
)
def test_who_uses_it(table: Any, resource: tuple[str, str], users: str) -> None:
    """Assets, checks, other resources, and the assets whose values it keeps."""
    assert table.loc[resource, "used by"] == users


def test_types_and_descriptions(table: Any) -> None:
    """As the class says them."""
    assert table.loc[("db", "path"), "type"] == "str"
    assert table.loc[("db", "path"), "description"] == "where it is"
    assert table.loc[("db", "hosts[0]"), "type"] == "list[str]"
    assert set(table.loc["pool"]["class"]) == {"pool"}


def test_config_given_for_runs(nb: Notebook) -> None:
    """It is named as such."""
    nb.session.planning.keep({"resources": {"api": {"config": {"token": "abc"}}}})
    row = nb.session.resources().loc[("api", "page")]
    assert row["from"] == "literal"
    assert nb.session.resources().loc[("api", "token"), "from"] == "run config"
    assert nb.session.resources().loc[("api", "token"), "value"] == "[secret]"  # by its name


# -- config -----------------------------------------------------------------------------------------------------------


def test_what_can_be_configured(nb: Notebook) -> None:
    """Each field of the asset and of its resources: path, type, value, where it is from, description."""
    schema = nb.session.config_schema("orders")
    lines = {line.path: line for line in schema.fields}
    limit = lines["ops.orders.config.limit"]
    assert (limit.kind, limit.default, limit.value, limit.source) == ("int", "10", "10", "default")
    assert limit.description == "how many"
    assert lines["ops.orders.config.mode"].kind == "FAST"
    assert lines["ops.orders.config.mode"].source == "needed"
    assert lines["ops.orders.config.kind"].kind == "'new' | 'old'"
    assert lines["resources.warehouse.config.layer"].value == "'main'"
    assert lines["resources.shelf.config.folder"].source == "literal"
    assert not any(path.startswith("resources.warehouse.config.db") for path in lines)  # not through the warehouse
    assert "pa55word" not in str(schema)


def test_the_example_fits(nb: Notebook) -> None:
    """What is shown to paste is valid, and holds no secret."""
    for name in ("orders", "other"):
        schema = nb.session.config_schema(name)
        nb.session.planning.configured(nb.session.scan(), yaml.safe_load(schema.yaml), [name])
        assert "k3yk3yk3y" not in schema.yaml
    assert "mode: FAST  # FAST · needed" in nb.session.config_schema("orders").yaml
    assert "# password: {env: PASSWORD}" in nb.session.config_schema("orders").yaml


def test_the_example_has_what_was_given(nb: Notebook) -> None:
    """So that one value of many can be changed."""
    nb.session.planning.keep({"ops": {"orders": {"config": {"limit": 3, "mode": "FAST", "kind": "old"}}}})
    schema = nb.session.config_schema("orders")
    assert "limit: 3" in schema.yaml
    line = next(line for line in schema.fields if line.path.endswith("kind"))
    assert (line.value, line.source) == ("'old'", "run config")


def test_nothing_to_configure(nb: Notebook) -> None:
    """It says so; an unknown asset is an error with the closest."""
    nb.cell("p", "@asset\ndef plain(): ...")
    assert str(nb.session.config_schema("plain")) == "plain has nothing to configure"
    with pytest.raises(DagsterInvariantViolationError, match="`orders`"):
        nb.session.config_schema("ordes")


def test_the_config_of_a_graph_s_ops(nb: Notebook) -> None:
    """Each op of a graph has its place in run config."""
    nb.cell(
        "g",
        "from ipy_orch import graph_asset, op\nclass Size(Config):\n    rows: int = 3\n"
        "@op\ndef one(config: Size):\n    return config.rows\n@op\ndef two(x):\n    return x + 1\n"
        "@graph_asset\ndef both():\n    return two(one())\n",
    )
    schema = nb.session.config_schema("both")
    assert [line.path for line in schema.fields] == ["ops.both.ops.one.config.rows"]
    nb.session.materialize("both", config=schema.yaml.replace("rows: 3", "rows: 5"))
    assert nb.value("both") == 6


def test_what_an_io_manager_keeps_is_no_change() -> None:
    """An `InMemoryIOManager` of the user's holds values after a run; that makes none of the assets stale."""
    notebook = Notebook()
    notebook.cell("1", "from ipy_orch import InMemoryIOManager, asset\nio_manager = InMemoryIOManager()")
    notebook.cell("2", "@asset\ndef a(): return 1")
    assert notebook.session.materialize().materialized
    assert not notebook.session.materialize().materialized


def test_an_io_manager_in_memory_serves_later_runs() -> None:
    """The values that an `InMemoryIOManager` of the user's has are found by later runs and cells, each its own."""
    notebook = Notebook()
    notebook.cell(
        "1", "from ipy_orch import *\nmine = InMemoryIOManager()\nparts = StaticPartitionsDefinition(['x', 'y'])"
    )
    notebook.cell("2", "@asset(io_manager_key='mine')\ndef a(): return [1]")
    notebook.cell(
        "3", "@asset(io_manager_key='mine', partitions_def=parts)\ndef p(context): return [context.partition_key]"
    )
    notebook.session.materialize("a")
    for key in ("x", "y"):
        notebook.session.materialize("p", partition=key)
    notebook.cell("4", "@asset\ndef b(a, p):\n    a.append(2)\n    p['x'].append(2)\n    return a, p")
    notebook.session.materialize("b")
    assert notebook.value("b") == ([1, 2], {"x": ["x", 2], "y": ["y"]})
    notebook.value("a").append(9)
    assert (notebook.value("a"), notebook.value("p")) == ([1], {"x": ["x"], "y": ["y"]})
