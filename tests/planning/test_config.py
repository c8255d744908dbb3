"""Run config against ops and resources, and what recipes say of it."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import Field as PydanticField
from pydantic import SecretStr, ValidationError, field_validator

from ipy_orch.errors import DagsterInvalidConfigError
from ipy_orch.model.config.classes import Config, RunConfig
from ipy_orch.model.config.schema import Field
from ipy_orch.model.env import EnvVar
from ipy_orch.model.resources.resource import ConfigurableResource
from ipy_orch.planning.config import NestedOps, config_parts, resolve_run_config


class Inner(Config):
    size: int = 1


class Ingest(Config):
    limit: int
    name: str = "orders"
    inner: Inner = Inner()
    items: list[Inner] = []


class Login(Config):
    user: str = EnvVar("LOGIN_USER")
    password: SecretStr = SecretStr("literal-secret")
    key: str = PydanticField("marked-secret", json_schema_extra={"dagster__is_secret": True})
    hosts: list[str] = ["a", "b"]


class Database(ConfigurableResource):
    host: str
    port: int = 5432


def test_each_op_gets_its_config():
    """An instance of its class, data for a schema, a plain value, anything or nothing without a schema."""
    ops = {"a": Ingest, "b": {"n": Field(int, default_value=2)}, "c": int, "d": None, "e": None}
    given = {"ops": {"a": {"config": {"limit": 5}}, "c": {"config": 3}, "d": {"config": {"any": [1]}}}}
    resolved = resolve_run_config(given, ops)
    assert resolved.op_config("a") == Ingest(limit=5)
    assert [resolved.op_config(name) for name in "bcde"] == [{"n": 2}, 3, {"any": [1]}, None]
    assert resolved.op_data("a") == {"limit": 5, "name": "orders", "inner": {"size": 1}, "items": []}
    assert resolved.given == given


def test_a_run_config_object_is_the_same():
    """Models in the place of data."""
    config = RunConfig(ops={"a": Ingest(limit=5)}, resources={"db": Database(host="h")})
    resolved = resolve_run_config(config, {"a": Ingest}, {"db": Database.configure_at_launch()})
    assert resolved.op_config("a") == Ingest(limit=5)
    assert resolved.resources == {"db": {"config": {"host": "h"}}}
    assert resolved.resource_config("db") == {"host": "h", "port": 5432}


def test_nothing_is_needed_without_required_fields():
    """No run config is enough for configs with defaults."""
    assert resolve_run_config(None, {"a": Inner, "b": None}).op_config("a") == Inner()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"opps": {}}, "opps: unknown (did you mean `ops`?)"),
        ({"a": {"config": {}}}, "a: unknown (write it under `ops.a.config`)"),
        ({"ops": {"aa": {}}}, "ops.aa: unknown"),
        ({"ops": {"a": {"limit": 5}}}, "ops.a.limit: unknown (write it under `config`: `config: {limit: ...}`)"),
        ({"ops": {"a": 5}}, "ops.a: expected a mapping"),
        ({"ops": {"a": {"config": {"limit": "5"}}}}, "ops.a.config.limit: expected an integer, got '5' (str)"),
        ({"ops": {"a": {"config": {"limt": 5}}}}, "ops.a.config.limt: unknown field (did you mean `limit`?)"),
        ({"ops": {"a": {"config": {}}}}, "ops.a.config.limit: missing"),
        ({}, "ops.a.config.limit: missing, an integer is needed"),
        ({"ops": {"a": {"config": {"limit": 1, "items": [{"sze": 1}]}}}}, "ops.a.config.items[0].sze: unknown field"),
        ({"resources": {"dbb": {}}}, "resources.dbb: unknown (did you mean `db`?)"),
        ({"resources": {"db": {"host": "x"}}}, "resources.db.host: unknown"),
        ({"resources": {"db": {"config": {"host": 1}}}}, "resources.db.config.host: expected a string"),
    ],
)
def test_each_problem_has_its_path(given, message):
    """Where it is, what was expected, what to write."""
    with pytest.raises(DagsterInvalidConfigError) as caught:
        resolve_run_config(given, {"a": Ingest}, {"db": Database(host="h")})
    assert message in str(caught.value)


def test_all_problems_come_together():
    """One error for the whole of it."""
    given = {"ops": {"a": {"config": {"limit": "x", "nme": 1}}}, "resources": {"nothing": {}}}
    with pytest.raises(DagsterInvalidConfigError) as caught:
        resolve_run_config(given, {"a": Ingest}, {})
    assert str(caught.value).count("\n  - ") == 3


def test_only_the_needed_ops_must_be_complete():
    """The others are checked where something is given for them."""
    ops = {"a": Ingest, "b": Ingest}
    needed = {"ops": {"b": {"config": {"limit": 1}}}}
    assert resolve_run_config(needed, ops, needed={"b"}).op_config("b").limit == 1
    with pytest.raises(DagsterInvalidConfigError):
        resolve_run_config({"ops": {"a": {"config": {}}, **needed["ops"]}}, ops, needed={"b"})


def test_variables_are_read_at_the_end_or_not_at_all(monkeypatch):
    """A plan needs only their names; a run hears of a missing one before it starts."""
    monkeypatch.delenv("LOGIN_USER", raising=False)
    lazy = resolve_run_config({}, {"login": Login}, read_env=False)
    assert lazy.op_parts("login")[0] == ("user", ("env", "LOGIN_USER"), 'EnvVar("LOGIN_USER")')
    with pytest.raises(DagsterInvalidConfigError, match="LOGIN_USER"):
        resolve_run_config({}, {"login": Login})
    monkeypatch.setenv("LOGIN_USER", "jane-the-user")
    assert lazy.op_config("login").user == "jane-the-user"


def test_a_users_validator_is_heard_before_anything_runs():
    """The error is pydantic's, with a note of the op, and without the value."""

    class Strict(Config):
        name: str

        @field_validator("name")
        @classmethod
        def check(cls, value: str) -> str:
            raise ValueError("must contain a space")

    with pytest.raises(ValidationError, match="must contain a space") as caught:
        resolve_run_config({"ops": {"a": {"config": {"name": "zzzz"}}}}, {"a": Strict})
    assert caught.value.__notes__ == ["where: config of `a`"]
    assert "zzzz" not in str(caught.value)


def test_ops_in_graphs_have_paths():
    """`ops.graph.ops.op.config`, asked for by `graph.op`."""
    ops = {"graph": NestedOps({"a": Inner, "deeper": NestedOps({"b": Inner})})}
    given = {"ops": {"graph": {"ops": {"deeper": {"ops": {"b": {"config": {"size": 7}}}}}}}}
    resolved = resolve_run_config(given, ops)
    assert resolved.op_config("graph.deeper.b") == Inner(size=7)
    assert resolved.op_config("graph.a") == Inner()
    with pytest.raises(DagsterInvalidConfigError, match=r"ops\.graph\.ops\.a\.config\.sze"):
        resolve_run_config({"ops": {"graph": {"ops": {"a": {"config": {"sze": 1}}}}}}, ops)


def test_inputs_and_outputs_come_through():
    """Values for inputs and config for outputs are kept for those who know them."""
    given = {"ops": {"a": {"inputs": {"x": {"value": 5}}, "outputs": {"result": {"path": "p"}}}}}
    resolved = resolve_run_config(given, {"a": None})
    assert resolved.op_inputs("a") == {"x": {"value": 5}}
    assert resolved.op_outputs("a") == {"result": {"path": "p"}}


# --------------------------------------------------------------------------------------- recipes


def test_parts_of_a_config():
    """One entry per field, dotted; lists of plain values stay whole."""
    config = Ingest(limit=5, items=[Inner(size=2)])
    assert config_parts(config) == [
        ("limit", 5, "5"),
        ("name", "orders", "'orders'"),
        ("inner.size", 1, "1"),
        ("items[0].size", 2, "2"),
    ]


@pytest.mark.parametrize("config", [None, {}])
def test_no_config_has_no_parts(config: Any):
    """Nothing to depend on."""
    assert config_parts(config) == []


def test_parts_of_plain_data():
    """A dict has an entry per key, another value is one entry."""
    assert config_parts({"a": 1, "b": [1]}) == [("a", 1, "1"), ("b", [1], "[1]")]
    assert config_parts(5) == [("config", 5, "5")]
    assert resolve_run_config({"ops": {"a": {"config": 5}}}, {"a": int}).op_parts("a") == [("config", 5, "5")]


def test_parts_name_secrets_and_are_the_same_before_and_after(monkeypatch):
    """Names in the place of values, for the config as given and for the instance that the run had."""
    monkeypatch.setenv("LOGIN_USER", "jane-the-user")
    expected = [
        ("user", ("env", "LOGIN_USER"), 'EnvVar("LOGIN_USER")'),
        ("password", ("secret", "password"), "[secret]"),
        ("key", ("secret", "key"), "[secret]"),
        ("hosts", ["a", "b"], "['a', 'b']"),
    ]
    resolved = resolve_run_config({}, {"login": Login})
    assert resolved.op_parts("login") == expected
    assert config_parts(Login()) == config_parts(resolved.op_config("login")) == expected


def test_parts_of_a_resource_follow_run_config():
    """A launch-time value is part of its users' recipes."""
    resolved = resolve_run_config({"resources": {"db": {"config": {"port": 1}}}}, {}, {"db": Database(host="h")})
    assert resolved.resource_parts("db") == [("host", "h", "'h'"), ("port", 1, "1")]
