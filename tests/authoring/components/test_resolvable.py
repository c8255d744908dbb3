"""Attributes become values, as annotations say."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from enum import Enum
from typing import Annotated, Any, Literal

import pytest
from pydantic import ValidationError

from ipy_orch import (
    AssetKey,
    AssetSpec,
    DailyPartitionsDefinition,
    Injected,
    Model,
    Resolvable,
    ResolvedAssetCheckSpec,
    ResolvedAssetKey,
    ResolvedAssetSpec,
    Resolver,
)
from ipy_orch.errors import ResolutionException


class Level(Enum):
    LOW = "low"
    HIGH = "high"


@dataclass
class Part(Resolvable):
    size: Annotated[int, Resolver(lambda context, text: int(text.strip("k")) * 1000, model_field_type=str)]


class Plain(Model):
    name: str


@dataclass
class Whole(Resolvable):
    name: str
    limit: int = 1
    level: Level = Level.LOW
    day: dt.date | None = None
    kind: Literal["a", "b"] = "a"
    parts: list[Part] = field(default_factory=list)
    by_name: dict[str, Part] = field(default_factory=dict)
    plain: Plain | None = None
    either: Part | str = "none"
    object: Injected[Any] = None


def test_fields_are_resolved_at_any_depth() -> None:
    """Templates, enums, dates, lists, dicts, unions and plain models."""
    made = Whole.resolve_from_yaml(
        """
        name: "{{ who }}_x"
        limit: "{{ '7' }}"
        level: high
        day: 2024-01-02
        kind: b
        parts: [{size: 2k}, {size: "{{ size }}"}]
        by_name: {a: {size: 3k}}
        plain: {name: "{{ who }}"}
        either: {size: 4k}
        object: "{{ thing }}"
        """,
        scope={"who": "me", "size": "5k", "thing": AssetKey("a")},
    )
    assert made == Whole(
        "me_x",
        7,
        Level.HIGH,
        dt.date(2024, 1, 2),
        "b",
        [Part(2000), Part(5000)],
        {"a": Part(3000)},
        Plain(name="me"),
        Part(4000),
        AssetKey("a"),
    )


def test_what_is_left_out_is_the_classes_default() -> None:
    """Each instance has its own."""
    one, other = Whole.resolve_from_dict({"name": "a"}), Whole.resolve_from_dict({"name": "a"})
    assert one == Whole("a")
    assert one.parts is not other.parts


def test_an_annotated_init_says_it_too() -> None:
    """Annotations of the class itself say nothing then."""

    class Person(Resolvable):
        other: str

        def __init__(self, name: str, *args: Any, age: int = 3, **kwargs: Any) -> None:
            self.name, self.age = name, age

    made = Person.resolve_from_dict({"name": "Rei", "age": "{{ 3 + 4 }}"})
    assert (made.name, made.age) == ("Rei", 7)


def test_a_resolver_can_take_the_whole_model() -> None:
    """And have another name for what is written."""

    @dataclass
    class Path(Resolvable):
        folder: str
        whole: Annotated[
            str,
            Resolver.from_model(
                lambda _, model: f"{model.folder}/{model.file}", model_field_name="file", model_field_type=str
            ),
        ]

    assert Path.resolve_from_dict({"folder": "a", "file": "b"}).whole == "a/b"


def test_what_is_passed_through_keeps_its_templates() -> None:
    """For text that something else fills in."""

    @dataclass
    class Query(Resolvable):
        text: Annotated[str, Resolver.passthrough()]

    assert Query.resolve_from_dict({"text": "select {{ x }}"}).text == "select {{ x }}"


@pytest.mark.parametrize(
    ("annotation", "told"),
    [
        (AssetKey, "ResolvedAssetKey"),
        (AssetSpec, "ResolvedAssetSpec"),
        (object, "Resolvable"),
        (tuple[int, Part], "Resolvable"),
        (list[Annotated[str, Resolver.from_model(lambda _, model: model)]], "from_model"),
    ],
    ids=str,
)
def test_an_annotation_that_says_nothing_is_refused(annotation: Any, told: str) -> None:
    """With what to write instead."""

    class Owner(Resolvable):
        def __init__(self, thing): ...

    Owner.__init__.__annotations__["thing"] = annotation
    with pytest.raises(ResolutionException, match=r"thing|field") as caught:
        Owner.model()
    assert told in str(caught.value)


def test_keys_of_dicts_are_text() -> None:
    """YAML's fields are."""

    @dataclass
    class Bad(Resolvable):
        by_number: dict[int, Part]

    with pytest.raises(ResolutionException, match="by_number"):
        Bad.model()


def test_a_resolver_on_a_plain_model_is_refused() -> None:
    """It would be ignored silently."""

    class Hidden(Model):
        size: Annotated[int, Resolver(lambda _, value: value + 1)]

    @dataclass
    class Owner(Resolvable):
        hidden: Hidden

    with pytest.raises(ResolutionException, match="Hidden"):
        Owner.model()


def test_text_that_does_not_fit_is_refused_at_its_line() -> None:
    """Whether a template stands for it or not."""
    for text in ("name: a\nlimit: x\n", "name: a\nlimit: '{{ name }}'\n"):
        with pytest.raises(ResolutionException, match="integer") as caught:
            Whole.resolve_from_yaml(text, scope={"name": "x"})
        assert caught.value.where == "<string>:2, field `limit`"


def test_fields_that_are_not_there_are_refused() -> None:
    """By pydantic, as anywhere."""
    with pytest.raises(ValidationError, match="nmae"):
        Whole.resolve_from_dict({"nmae": "a"})


def test_an_error_of_a_resolver_names_the_field() -> None:
    """And is its cause."""
    with pytest.raises(ResolutionException, match="ValueError") as caught:
        Whole.resolve_from_yaml("name: a\nparts:\n  - size: 1k\n  - size: many\n")
    assert caught.value.where == "<string>:4, field `parts.1.size`"
    assert isinstance(caught.value.__cause__, ValueError)


def test_specs_are_written_in_full() -> None:
    """Keys, dependencies, tags of numbers, partitions."""

    @dataclass
    class Owner(Resolvable):
        spec: ResolvedAssetSpec
        check: ResolvedAssetCheckSpec
        keys: list[ResolvedAssetKey]

    made = Owner.resolve_from_yaml(
        """
        spec:
          key: shop/orders
          deps: [raw, "{{ other }}"]
          tags: {tier: 1}
          kinds: [duckdb]
          owners: ["team:shop"]
          partitions_def: {type: daily, start_date: "2024-01-01"}
        check: {name: small, asset: shop/orders, blocking: true}
        keys: [a/b]
        """,
        scope={"other": "c/d"},
    )
    assert made.spec.key == AssetKey(["shop", "orders"])
    assert [dep.asset_key for dep in made.spec.deps] == [AssetKey("raw"), AssetKey(["c", "d"])]
    assert made.spec.tags["tier"] == "1"
    assert made.spec.partitions_def == DailyPartitionsDefinition("2024-01-01")
    assert (made.check.blocking, made.keys) == (True, [AssetKey(["a", "b"])])


def test_the_schema_is_that_of_what_is_written() -> None:
    """Forms and language servers read it."""
    schema = Whole.model().model_json_schema()
    assert schema["required"] == ["name"]
    assert {one["type"] for one in schema["properties"]["limit"]["anyOf"]} == {"integer", "string"}
    assert schema["additionalProperties"] is False
