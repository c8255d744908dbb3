"""What an asset is called and belongs to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from pydantic import BaseModel, TypeAdapter

from ipy_orch.errors import CheckError, DagsterInvalidDefinitionError, DagsterInvariantViolationError
from ipy_orch.model.asset_ports import AssetOut
from ipy_orch.model.assets import AssetsDefinition, SourceAsset
from ipy_orch.model.checks import AssetCheckSpec
from ipy_orch.model.keys import AssetKey
from ipy_orch.model.specs import AssetDep, AssetSpec


@dataclass(frozen=True)
class Mapping:
    """Be a partition mapping."""

    name: str


def test_a_spec_has_defaults():
    """A spec of a key alone is empty."""
    spec = AssetSpec("orders")
    assert (spec.key, spec.deps, spec.owners, spec.tags, spec.kinds) == (AssetKey("orders"), [], [], {}, set())
    assert (spec.group_name, spec.metadata, spec.skippable, spec.code_version) == (None, {}, False, None)


@pytest.mark.parametrize(
    ("argument", "value", "error"),
    [
        ("group_name", "", DagsterInvalidDefinitionError),
        ("group_name", "a-b", DagsterInvalidDefinitionError),
        ("group_name", "/a", DagsterInvalidDefinitionError),
        ("group_name", "a//b", DagsterInvalidDefinitionError),
        ("group_name", 1, CheckError),
        ("owners", ["someone"], DagsterInvalidDefinitionError),
        ("owners", ["a@b.c"], DagsterInvalidDefinitionError),
        ("owners", ["team:"], DagsterInvalidDefinitionError),
        ("owners", [1], CheckError),
        ("tags", {"a b": "x"}, DagsterInvalidDefinitionError),
        ("tags", {"a/b/c": "x"}, DagsterInvalidDefinitionError),
        ("tags", {"a": "x y"}, DagsterInvalidDefinitionError),
        ("tags", {"a": 1}, DagsterInvalidDefinitionError),
        ("kinds", {f"k{n}" for n in range(11)}, DagsterInvalidDefinitionError),
        ("kinds", "python", CheckError),
        ("deps", "orders", CheckError),
        ("deps", [1], CheckError),
        ("description", 1, CheckError),
        ("metadata", 1, CheckError),
        ("code_version", 1, CheckError),
    ],
)
def test_bad_attributes_are_refused(argument: str, value: Any, error: type[Exception]):
    """What isn't well formed is refused when the spec is made."""
    with pytest.raises(error):
        AssetSpec("orders", **{argument: value})


def test_good_attributes_are_kept():
    """Nested groups, teams, namespaced tags and kinds are well formed."""
    spec = AssetSpec(
        "orders",
        group_name="sales/daily",
        owners=["a.b@c-d.org", "team:x y"],
        tags={"ns/a": "", "b": "1.0"},
        kinds={"duckdb"},
    )
    assert spec.owners == ["a.b@c-d.org", "team:x y"]
    assert spec.tags == {"ns/a": "", "b": "1.0", "dagster/kind/duckdb": ""}
    assert spec.kinds == {"duckdb"}


def test_deps_are_coerced():
    """Keys, strings, specs, definitions and external assets can be depended on, each once."""
    spec = AssetSpec("a", deps=["b", AssetKey("c"), AssetSpec("d"), SourceAsset("e"), AssetDep("f"), ["g", "h"], "b"])
    assert spec.deps == [AssetDep(key) for key in ("b", "c", "d", "e", "f", ["g", "h"])]


def test_a_definition_of_several_stands_for_all_of_them():
    """Among deps, a definition of two assets is two dependencies; an AssetDep is one."""
    both = AssetsDefinition(specs=[AssetSpec("a"), AssetSpec("b")])
    assert AssetSpec("c", deps=[both]).deps == [AssetDep("a"), AssetDep("b")]
    with pytest.raises(DagsterInvalidDefinitionError):
        AssetDep(both)


def test_a_dep_of_a_dep_is_refused():
    """AssetDep takes an asset, from_coercible also a dep."""
    dep = AssetDep("a", partition_mapping=Mapping("last"))
    assert AssetDep.from_coercible(dep) is dep
    with pytest.raises(CheckError):
        AssetDep(dep)


def test_two_mappings_of_one_dep_are_refused():
    """A dependency has one partition mapping."""
    with pytest.raises(DagsterInvariantViolationError):
        AssetSpec("a", deps=["b", AssetDep("b", partition_mapping=Mapping("last"))])


def test_attributes_are_replaced():
    """What is given stands instead of the old; tags leave the kinds and kinds the tags."""
    spec = AssetSpec("a", deps=["x"], tags={"a": "b"}, kinds={"q"}, owners=["a@b.co"])
    assert spec.replace_attributes(key="b").key == AssetKey("b")
    assert spec.replace_attributes(kinds={"p"}).tags == {"a": "b", "dagster/kind/p": ""}
    assert spec.replace_attributes(tags={"n": "m"}).tags == {"n": "m", "dagster/kind/q": ""}
    assert spec.replace_attributes(tags=None).tags == {"dagster/kind/q": ""}
    assert spec.replace_attributes(deps=None).deps == []
    assert spec.replace_attributes(deps=...).deps == [AssetDep("x")]
    with pytest.raises(TypeError):
        spec.replace_attributes(nope=1)


def test_fields_are_replaced_under_the_older_name() -> None:
    """`_replace` is that of named tuples: the tags are all labels."""
    spec = AssetSpec("a", tags={"a": "b"}, kinds={"q"}, deps=["x"])
    assert spec._replace(group_name="g") == AssetSpec("a", tags={"a": "b"}, kinds={"q"}, deps=["x"], group_name="g")
    assert spec._replace(tags={"n": "m"}).tags == {"n": "m"}
    assert spec._replace(deps=spec.deps + [AssetDep("y")]).deps == [AssetDep("x"), AssetDep("y")]  # noqa: RUF005
    with pytest.raises(TypeError, match="nope"):
        spec._replace(nope=1)


def test_attributes_are_merged():
    """What is given comes to the old; an existing key takes the new value."""
    spec = AssetSpec("a", deps=["x"], tags={"a": "b"}, kinds={"q"}, owners=["a@b.co"], metadata={"m": 1})
    more = spec.merge_attributes(deps=["y"], tags={"a": "c"}, kinds={"p"}, owners=["team:t"], metadata={"n": 2})
    assert more.deps == [AssetDep("x"), AssetDep("y")]
    assert (more.tags["a"], more.kinds, more.owners, more.metadata) == (
        "c",
        {"p", "q"},
        ["a@b.co", "team:t"],
        {"m": 1, "n": 2},
    )


def test_keys_are_renamed_everywhere():
    """Renaming changes the asset's own key and those it depends on."""
    spec = AssetSpec("a", deps=["b", AssetDep("c", partition_mapping=Mapping("last"))])
    told = spec.renamed({AssetKey("a"): AssetKey("A"), AssetKey("c"): AssetKey("C")})
    assert told.key == AssetKey("A")
    assert told.deps == [AssetDep("b"), AssetDep("C", partition_mapping=Mapping("last"))]


def test_a_spec_names_its_io_manager():
    """The IO manager of a spec is kept with its metadata."""
    assert AssetSpec("a").with_io_manager_key("m").metadata == {"dagster/io_manager_key": "m"}


def test_pydantic_takes_specs():
    """A pydantic model can hold a spec."""

    class Holder(BaseModel):
        spec: AssetSpec

    spec = AssetSpec("a", deps=["b"], owners=["team:t"])
    assert TypeAdapter(Holder).validate_python(Holder(spec=spec)).spec is spec


@pytest.mark.parametrize("option", [{"automation_condition": "eager"}, {"freshness_policy": 3}])
def test_conditions_and_policies_are_theirs(option):
    """Of an asset, an output and a check; anything else is refused with what to write."""
    with pytest.raises(CheckError, match=r"is an? \w+, not .*\n  hint:"):
        AssetSpec("a", **option)
    with pytest.raises(CheckError, match="hint:"):
        AssetOut(**option)
    if "automation_condition" in option:
        with pytest.raises(CheckError, match="hint:"):
            AssetCheckSpec("a", asset="b", **option)
