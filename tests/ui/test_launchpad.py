"""What can be configured: as a form, as YAML, with its faults at the fields, and no secret in it."""

import json
from enum import Enum as PythonEnum
from typing import Literal

import pytest
import yaml
from pydantic import Field, SecretStr, field_validator

from ipy_orch import Config, ConfigurableResource, EnvVar, asset
from ipy_orch.model.config.fields import Field as ConfigField
from ipy_orch.model.config.schema import Selector
from ipy_orch.session.session import Session
from ipy_orch.ui.config_forms import json_schema
from tests.ui.wires import wired


class Colour(PythonEnum):
    """Two colours."""

    RED = "r"
    BLUE = "b"


class Inner(Config):
    """What is inside."""

    depth: int = Field(default=2, ge=0, le=9)


class Settings(Config):
    """How to load."""

    limit: int = Field(description="how many rows", gt=0)
    mode: Literal["fast", "slow"] = "fast"
    colour: Colour = Colour.RED
    inner: Inner = Inner()
    names: list[str] = []
    note: str | None = None

    @field_validator("note")
    @classmethod
    def polite(cls, value):
        """Refuse shouting."""
        if value and value.isupper():
            raise ValueError("don't shout")
        return value


class Database(ConfigurableResource):
    """Where to load from."""

    url: str
    password: str
    token: SecretStr = SecretStr("built-in-token")
    port: int = 5432


@pytest.fixture
def session(monkeypatch):
    """Return a session of an asset with config and a resource, and one without."""
    monkeypatch.setenv("DB_PASSWORD", "hunter22-value")

    @asset
    def orders(config: Settings, db: Database):
        return config.limit

    @asset
    def plain():
        return 1

    db = Database(url="postgresql://me:open-sesame@host/db", password=EnvVar("DB_PASSWORD"))
    return Session({"orders": orders, "plain": plain, "db": db})


@pytest.fixture
def view(session):
    """Return a view of it."""
    with wired(session) as one:
        yield one


def test_form_has_what_concerns_the_selection(view):
    """The op's config and the resource's, and nothing for an asset that takes none."""
    told = view.ask("form", ids=["orders"])
    assert [(one["path"], one["kind"], one["used_by"]) for one in told["sections"]] == [
        ("ops.orders.config", "op", ["orders"]),
        ("resources.db.config", "resource", ["orders"]),
    ]
    assert "sections" not in view.ask("form", ids=["plain"])
    assert len(view.ask("form")["sections"]) == 2


def test_schema_says_types_constraints_defaults_and_what_is_needed(view):
    """As JSON Schema, with pydantic's bounds."""
    schema = view.ask("form", ids=["orders"])["sections"][0]["schema"]
    assert schema["required"] == ["limit"]
    fields = schema["properties"]
    assert fields["limit"] == {
        "type": "integer",
        "description": "how many rows",
        "exclusiveMinimum": 0,
        "title": "Limit",
    }
    assert (fields["mode"]["enum"], fields["mode"]["default"]) == (["fast", "slow"], "fast")
    assert (fields["colour"]["enum"], fields["colour"]["default"]) == (["RED", "BLUE"], "RED")
    assert fields["inner"]["properties"]["depth"] | {"title": ""} == {
        "type": "integer",
        "default": 2,
        "minimum": 0,
        "maximum": 9,
        "title": "",
    }
    assert fields["names"]["items"] == {"type": "string"}
    assert fields["note"]["anyOf"][-1] == {"type": "null"}


def test_what_is_needed_is_told_from_the_beginning(view, session):
    """As a problem at its field; the YAML has no value that isn't sent."""
    told = view.ask("form", ids=["orders"])
    assert [one["path"] for one in told["findings"]] == ["ops.orders.config.limit"]
    assert "limit:  # int · needed, e.g. 1 · how many rows\n" in told["yaml"]
    assert yaml.safe_load(told["yaml"])["ops"]["orders"]["config"]["limit"] is None
    session.materialize("orders", config={"ops": {"orders": {"config": {"limit": 1}}}})
    assert "findings" not in view.ask("form", ids=["orders"])


def test_types_are_those_of_the_fields_inside_with_a_preset_too(view):
    """Of `inner.depth` its own type, of `inner` the class."""
    config = {"ops": {"orders": {"config": {"limit": 1, "inner": {"depth": 3}}}}}
    section = view.ask("save_preset", name="deep", ids=["orders"], config=config)["sections"][0]
    assert next(one["type"] for one in section["fields"] if one["path"].endswith("inner.depth")) == "int"
    assert section["schema"]["properties"]["inner"]["title"] == "Inner"


def test_the_yaml_names_the_variable_that_a_secret_is_from(view, session):
    """Not one made up from the field's name."""

    class Guarded(Config):
        password: str = EnvVar("DB_PASSWORD")

    @asset
    def guarded(config: Guarded):
        return 1

    session.namespace["guarded"] = guarded
    assert "password: {env: DB_PASSWORD}" in view.ask("form", ids=["guarded"])["yaml"]


def test_secrets_are_names_of_variables_never_values(view, session):
    """Neither in the schema nor in the values nor in the YAML; also what stands in an address."""
    session.materialize("orders", config={"ops": {"orders": {"config": {"limit": 1}}}})
    told = view.ask("form", ids=["orders"])
    fields = {one["path"].rpartition(".")[2]: one for one in told["sections"][1]["fields"]}
    assert (fields["password"]["variable"], fields["password"]["is_set"]) == ("DB_PASSWORD", True)
    assert fields["password"]["secret"]
    assert fields["token"]["secret"]
    text = json.dumps(view.told)
    for secret in ("hunter22", "open-sesame", "built-in-token"):
        assert secret not in text


def test_given_values_come_back(view, session):
    """What the session was given, with where each value is from."""
    session.materialize("orders", config={"ops": {"orders": {"config": {"limit": 5, "inner": {"depth": 3}}}}})
    told = view.ask("form", ids=["orders"])
    assert told["values"] == {"ops": {"orders": {"config": {"limit": 5, "inner": {"depth": 3}}}}}
    limit = next(one for one in told["sections"][0]["fields"] if one["path"].endswith(".limit"))
    assert (limit["value"], limit["source"]) == ("5", "run config")
    assert yaml.safe_load(told["yaml"])["ops"]["orders"]["config"]["limit"] == 5


@pytest.mark.parametrize("spelling", [lambda data: data, yaml.safe_dump])
def test_faults_are_at_their_fields(view, spelling):
    """Missing, of a wrong type, unknown: in data and in YAML alike."""
    config = {"ops": {"orders": {"config": {"mode": "medium", "limt": 3}}}}
    told = view.ask("check_config", ids=["orders"], config=spelling(config))
    assert not told["valid"]
    paths = {one["path"] for one in told["findings"]}
    assert {"ops.orders.config.limit", "ops.orders.config.mode", "ops.orders.config.limt"} <= paths


@pytest.mark.parametrize(
    ("field", "value", "path"),
    [
        ("limit", 0, "ops.orders.config.limit"),
        ("note", "LOUD", "ops.orders.config.note"),
        ("inner", {"depth": 10}, "ops.orders.config.inner.depth"),
    ],
)
def test_what_pydantic_finds_is_at_its_field(view, field, value, path):
    """Bounds, and validators of the user's."""
    config = {"ops": {"orders": {"config": {"limit": 1, field: value}}}}
    told = view.ask("check_config", ids=["orders"], config=config)
    assert [one["path"] for one in told["findings"]] == [path]


def test_what_is_not_yaml_has_its_line(view):
    """And the other spelling isn't touched."""
    told = view.ask("check_config", ids=["orders"], config="ops:\n  orders: {\n")
    assert (told["valid"], "values" in told) == (False, False)
    assert told["findings"][0]["line"] >= 2


def test_both_spellings_are_one_config(view):
    """YAML to data, and data to YAML."""
    config = {"ops": {"orders": {"config": {"limit": 4}}}}
    told = view.ask("check_config", ids=["orders"], config=yaml.safe_dump(config))
    assert (told["valid"], told["values"]) == (True, config)
    told = view.ask("check_config", ids=["orders"], config=config)
    assert yaml.safe_load(told["yaml"]) == config


def test_presets_are_kept_in_the_session(view):
    """Saved, listed, used, dropped."""
    config = {"ops": {"orders": {"config": {"limit": 40}}}}
    told = view.ask("save_preset", name=" many ", ids=["orders"], config=config)
    assert (told["presets"], told["preset"], told["values"]) == (["many"], "many", config)
    assert view.ask("form", ids=["orders"])["presets"] == ["many"]
    assert view.ask("use_preset", name="many", ids=["orders"])["values"] == config
    assert "presets" not in view.ask("drop_preset", name="many", ids=["orders"])


def test_a_resource_is_swapped_by_its_config(view, session):
    """A request with a resource's config runs with it."""
    seen = []

    @asset
    def reads(db: Database):
        seen.append(db.port)

    session.namespace["reads"] = reads
    view.ask("materialize", ids=["reads"], config={"resources": {"db": {"config": {"port": 1}}}})
    assert seen == [1]


def test_selectors_and_maps_of_the_legacy_schema():
    """A choice is one object of several; a map has values of one type."""
    schema = json_schema(ConfigField(Selector({"a": int, "b": {str: float}})))
    assert [one["title"] for one in schema["oneOf"]] == ["a", "b"]
    assert schema["oneOf"][1]["properties"]["b"]["additionalProperties"] == {"type": "number"}
