"""Loaders made of functions, and classes that name a type."""

from __future__ import annotations

import json
import pickle
from itertools import count
from types import SimpleNamespace
from typing import Any, Dict  # noqa: UP035

import pytest

from ipy_orch.authoring.types import dagster_type_loader, usable_as_dagster_type
from ipy_orch.errors import (
    CheckError,
    DagsterInvalidConfigDefinitionError,
    DagsterInvalidConfigError,
    DagsterInvalidDefinitionError,
)
from ipy_orch.execution.types import (
    DagsterTypeLoaderContext,
    TypeCheckContext,
    check_type,
    load_from_config,
    verdict_on,
)
from ipy_orch.model.types.annotations import DagsterType, PythonObjectDagsterType, resolve_dagster_type
from ipy_orch.model.types.loaders import DagsterTypeLoader


def loaded(annotation, written):
    """Return what an input of this type is, when config says `written`."""
    return load_from_config(resolve_dagster_type(annotation), written, "input `x`")


@pytest.mark.parametrize(
    ("annotation", "written", "value"),
    [
        (int, 5, 5),
        (int, {"value": 5}, 5),
        (float, 3, 3.0),
        (str, "a", "a"),
        (bool, {"value": False}, False),
        (int | None, None, None),
        (int | None, {"value": 1}, 1),
        (list[int], [1, {"value": 2}], [1, 2]),
        (list, [{"value": "a"}], ["a"]),
        (set[str], ["a", {"value": "b"}], {"a", "b"}),
        (tuple[str, int], [{"value": "a"}, 1], ("a", 1)),
        (dict, {"a": {"b": 1}}, {"a": {"b": 1}}),
        (Dict[str, int], {"a": 1, "b": {"value": 2}}, {"a": 1, "b": 2}),  # noqa: UP006
        (dict[str, Any], {"a": {"value": [1]}}, {"a": [1]}),
        (Any, {"value": None}, None),
        (Any, {"value": {"a": 1}}, {"a": 1}),
    ],
    ids=str,
)
def test_builtin_types_are_made_from_config(annotation, written, value):
    """Plain, under `value`, and part by part."""
    assert loaded(annotation, written) == value


@pytest.mark.parametrize(
    ("annotation", "written", "path"),
    [
        (int, "five", "input `x`"),
        (int, None, "input `x`"),
        (int, {"value": "five"}, "input `x`.value"),
        (str, {"value": None}, "input `x`.value"),
        (int, {"valeu": 5}, "valeu"),
        (list[int], [1, "two"], r"input `x`\[1\]"),
        (set[str], {"a"}, "a list"),
        (tuple[int, int], [1], "a list of 2"),
        (dict[str, Any], {"a": "b"}, "input `x`.a"),
        (Any, "a", "`value`, `json`, `pickle`"),
    ],
    ids=str,
)
def test_config_that_does_not_fit_says_where(annotation, written, path):
    """The path of the part that is wrong."""
    with pytest.raises(DagsterInvalidConfigError, match=path):
        loaded(annotation, written)


def test_values_are_read_from_files(tmp_path):
    """A JSON file holds the value under a name, a pickle holds it bare."""
    (tmp_path / "x.json").write_text(json.dumps({"value": 2}))
    (tmp_path / "x.pickle").write_bytes(pickle.dumps([1, 2]))
    assert loaded(int, {"json": {"path": str(tmp_path / "x.json")}}) == 2
    assert loaded(Any, {"pickle": {"path": str(tmp_path / "x.pickle")}}) == [1, 2]


@pytest.mark.parametrize(
    "annotation", [object, dict[int, int], list[object], tuple[int, object], set, tuple, object | None], ids=str
)
def test_types_without_a_loader_say_so(annotation):
    """Config can't hold any object."""
    with pytest.raises(DagsterInvalidDefinitionError, match="loader"):
        loaded(annotation, 1)


def test_a_loader_is_a_function_of_context_and_config():
    """Defaults are filled in before it is called, and its resources are known."""

    @dagster_type_loader({"rows": int, "fill": str}, required_resource_keys={"store"})
    def letters(context, config):
        return [config["fill"]] * config["rows"] + context.resources.store

    context = DagsterTypeLoaderContext(None, SimpleNamespace(run_id="1"), resources=SimpleNamespace(store=["z"]))
    kind = DagsterType(lambda _, value: isinstance(value, list), name="Letters", loader=letters)
    assert load_from_config(kind, {"rows": 2, "fill": "a"}, "input `x`", context) == ["a", "a", "z"]
    assert kind.loader_required_resource_keys == {"store"}
    assert resolve_dagster_type(list[int]).loader_required_resource_keys == frozenset()


def test_a_loader_of_ones_own_class():
    """The schema is a property, the value a method."""

    class Upper(DagsterTypeLoader):
        @property
        def schema_type(self):
            return resolve_dagster_type(str).loader.schema_type

        def construct_from_config_value(self, context, config_value):
            return config_value.upper()

    kind = PythonObjectDagsterType(str, name="Upper", loader=Upper())
    assert load_from_config(kind, "abc", "input `x`") == "ABC"


def test_parts_bring_their_loaders_resources():
    """A list of them needs what one of them needs."""

    @dagster_type_loader(str, required_resource_keys={"store"})
    def stored(_, config):
        return config

    @usable_as_dagster_type(loader=stored)
    class Stored:
        pass

    kind = resolve_dagster_type(dict[str, list[Stored | None]])
    assert kind.loader_required_resource_keys == {"store"}


@pytest.mark.parametrize("function", [lambda config: config, lambda: 1, lambda a, b, c: a], ids=count())
def test_loaders_take_two_arguments(function):
    """A context, and the config."""
    with pytest.raises(DagsterInvalidDefinitionError, match="context"):
        dagster_type_loader(str)(function)


def test_wrong_loaders():
    """A schema must be one, and a bare function is no loader."""
    with pytest.raises(DagsterInvalidConfigDefinitionError):
        dagster_type_loader(object())(lambda context, config: config)
    with pytest.raises(CheckError, match="dagster_type_loader"):
        DagsterType(lambda _, __: True, name="x", loader=lambda _, __: 1)


def test_what_user_code_raises_says_where():
    """The exception stays the user's, with a note."""

    def check(_, value):
        raise ZeroDivisionError

    @dagster_type_loader(int)
    def broken(_, config):
        raise ZeroDivisionError

    kind = DagsterType(check, name="Never", loader=broken)
    for call in (lambda: check_type(kind, 1, "output `y`"), lambda: load_from_config(kind, 1, "input `x`")):
        with pytest.raises(ZeroDivisionError) as caught:
            call()
        assert "`Never`" in caught.value.__notes__[0]


def test_checks_see_the_run():
    """Its id, the resources that the type requires, and its log."""
    said = []
    context = TypeCheckContext("r1", SimpleNamespace(most=3), lambda level, text: said.append((level, text)))

    def few(context, value):
        context.log.warning("%s rows in %s", len(value), context.run_id)
        return len(value) <= context.resources.most

    kind = DagsterType(few, name="Few", required_resource_keys={"most"})
    assert verdict_on(kind, [1, 2], "output `y`", context).success
    assert not verdict_on(kind, [1, 2, 3, 4], "output `y`", context).success
    assert said[0] == ("WARNING", "2 rows in r1")
    assert resolve_dagster_type(list[int]).required_resource_keys == frozenset()
