"""Definitions that are configured beforehand: their config is given, or made of other config.

A :class:`~ipy_orch.model.config.mappings.ConfigMapping` does the latter. It stands in three places: on a graph or job,
whose ops it configures; in a :class:`MappedType`, the config type of a configured op; and in a configured resource.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from inspect import isclass, signature
from typing import Any, TypeGuard, TypeVar

from ipy_orch.errors import DagsterInvalidDefinitionError
from ipy_orch.model.config.classes import annotated_field
from ipy_orch.model.config.mappings import ConfigMapping, config_mapping, function_name, mapping_of, written_form
from ipy_orch.model.config.schema import ANY, MISSING, ConfigPart, ConfigType, Field, Findings, Path
from ipy_orch.model.env import holds_placeholder

__all__ = [
    "ConfigMapping",
    "MappedType",
    "config_mapping",
    "configured",
    "configured_mapping",
    "configured_name",
    "configured_node",
    "configured_type",
]

N = TypeVar("N", bound=Any)


class Unwritten(enum.Enum):
    """Be the type of UNWRITTEN, which stands for outer config that was left out and may be."""

    UNWRITTEN = "UNWRITTEN"


@dataclass
class Outer:
    """Be the checked form of a configured definition's config: its outer config, checked.

    Args:
        checked: the outer config.
        inner: what the function made of it, checked, when it was called.
    """

    checked: Any
    inner: Any = MISSING


class MappedType(ConfigType):
    """Be the config type of a configured definition: it accepts the outer config, and user code gets the inner one.

    Args:
        inner: the schema of the definition before it was configured.
        config_or_config_fn: the inner config, or a function that makes it.
        config_schema: of the outer config that the function takes.
        where: what is configured, for messages.

    Raises:
        DagsterInvalidConfigError: when inner config that is given doesn't fit.
    """

    def __init__(self, inner: Field, config_or_config_fn: Any, config_schema: Any = None, where: str = "") -> None:
        self.inner, self.where = inner, where
        self.mapping = mapping_of(config_or_config_fn, config_schema)
        self.constant = not callable(config_or_config_fn)
        self.outer = self.mapping.config_schema
        self.label, self.expected = self.outer.config_type.label, self.outer.config_type.expected
        if self.constant:
            self.mapped(None)  # refuses what doesn't fit

    @property
    def fields(self) -> Mapping[str, Field]:
        """Return the fields of the outer config."""
        fields: Mapping[str, Field] = getattr(self.outer.config_type, "fields", {})
        return fields

    def check(self, value: Any, at: Path, findings: Findings) -> Any:
        """Return the checked form."""
        return Outer(self.mapping.check(MISSING if value is Unwritten.UNWRITTEN else value, at, findings))

    def implicit(self) -> Any:
        """Return the written value that stands for one left out, or MISSING."""
        return MISSING if self.outer.is_required else Unwritten.UNWRITTEN

    def full(self, checked: Any) -> Any:
        """Return the value with the outer config's defaults."""
        held = checked.checked
        return Outer(None if held is None else self.outer.config_type.full(held))

    def told(self, checked: Any) -> Any:
        """Return the outer config as written data."""
        return None if checked.checked is None else self.outer.config_type.told(checked.checked)

    def inner_checked(self, checked: Any) -> Any:
        """Return the inner config, checked; environment variables in the outer one are read.

        Raises:
            DagsterInvalidConfigError: when it doesn't fit.
            DagsterConfigMappingFunctionError: when the function raises.
        """
        if checked.inner is MISSING:
            checked.inner = self.mapped(checked.checked)
        return checked.inner

    def mapped(self, outer: Any) -> Any:
        """Return the inner config, checked, that the function makes of the outer one."""
        findings = Findings()
        made = self.mapping.of_checked(outer, self.where)
        written = MISSING if made is None else self.inner.config_type.dump(made, given_only=True)
        inner = self.inner.check_or_default(written, ("config",), findings)
        what = "the config" if self.constant else f"what `{self.mapping.name}` makes"
        findings.raise_any(f"{what} doesn't fit the definition that is configured", self.where)
        return inner

    def plain(self, checked: Any) -> Any:
        """Return the inner config as plain data."""
        inner = self.inner_checked(checked)
        return None if inner is None else self.inner.config_type.plain(inner)

    def value(self, checked: Any) -> Any:
        """Return the inner config as user code gets it."""
        inner = self.inner_checked(checked)
        return None if inner is None else self.inner.config_type.value(inner)

    def parts(self, checked: Any, name: str) -> Iterator[ConfigPart]:
        """Yield the entries for a recipe: of the inner config, or, where variables are read, of what makes it."""
        if holds_placeholder(checked.checked):
            yield from self.outer.config_type.parts(checked.checked, name)
            yield (
                f"{name}.mapping" if name else "mapping",
                self.mapping.config_fn,
                function_name(self.mapping.config_fn),
            )
            return
        inner = self.inner_checked(checked)
        if inner is not None:
            yield from self.inner.config_type.parts(self.inner.config_type.full(inner), name)


def configured_type(
    config_type: Any, config_or_config_fn: Any, config_schema: Any = None, *, where: str = ""
) -> MappedType:
    """Return the config type of an op, logger or executor when it is configured.

    Args:
        config_type: that of the definition now: a Config class, a schema, or None for one that takes any.
        config_or_config_fn: its config, or a function that makes it from other config.
        config_schema: of that other config.
        where: what is configured, for messages.
    """
    field = Field(ANY, is_required=False) if config_type is None else field_of(config_type)
    return MappedType(field, config_or_config_fn, config_schema, where)


def field_of(config_type: Any) -> Field:
    """Return the field of a config type's spelling."""
    return config_type if isinstance(config_type, Field) else annotated_field(config_type)


def configured_mapping(
    mapping: ConfigMapping | None, config_or_config_fn: Any, config_schema: Any = None, *, where: str = ""
) -> ConfigMapping:
    """Return the config mapping of a graph when it is configured: the outer function, then the graph's own.

    Raises:
        DagsterInvalidDefinitionError: when the graph has no mapping of its own.
        DagsterInvalidConfigError: when config that is given doesn't fit the graph's own mapping.
    """
    if mapping is None:
        raise DagsterInvalidDefinitionError(
            "only a graph with a config mapping can be configured", where=where, hint="`@graph(config=...)`"
        )
    first = mapping_of(config_or_config_fn, config_schema)
    if not callable(config_or_config_fn):
        mapping.checked(config_or_config_fn, where)

    def both(outer: Any) -> Any:
        return mapping.inner(written_form(first.called(outer, where)), where)

    composed = ConfigMapping(both, first.config_schema)
    composed.config_class = first.config_class
    return composed


def configured_name(configurable: Any, config_or_config_fn: Any) -> str:
    """Return the name of a configured definition that wasn't given one: that of the function.

    Raises:
        DagsterInvalidDefinitionError: when there's no function.
    """
    if not callable(config_or_config_fn):
        raise DagsterInvalidDefinitionError(
            f"`{configurable.name}`, configured, needs a name of its own", hint='`.configured(..., name="...")`'
        )
    return function_name(config_or_config_fn)


def configured_node(
    definition: N,
    config_or_config_fn: Any,
    name: str | None = None,
    config_schema: Any = None,
    description: str | None = None,
) -> N:
    """Return an op or graph that has its config already, or makes it from other config.

    Raises:
        DagsterInvalidDefinitionError: for a graph without a config mapping, and when there's no name.
        DagsterInvalidConfigError: when config that is given doesn't fit.
    """
    named = name or configured_name(definition, config_or_config_fn)
    where = f"{definition.node_type_str} `{named}`"
    changes = {"name": named, "description": description or definition.description}
    if definition.node_type_str == "graph":
        mapping = configured_mapping(definition.config_mapping, config_or_config_fn, config_schema, where=where)
        return definition.with_replaced(config_mapping=mapping, **changes)  # type: ignore[no-any-return]
    kind = configured_type(definition.config_type, config_or_config_fn, config_schema, where=where)
    return definition.with_replaced(config_type=kind, **changes)  # type: ignore[no-any-return]


def configured(configurable: Any, config_schema: Any = None, **options: Any) -> Callable[[Any], Any]:
    """Be a decorator whose function gives the config of ``configurable``: an op, graph, resource, IO manager, logger.

    Config itself can be given in the place of a function.

    Args:
        configurable: the definition, or a class of resources.
        config_schema: of the outer config that the function takes.
        options: what the definition's own ``configured`` takes, e.g. ``name``.
    """

    def decorate(config_or_config_fn: Any) -> Any:
        of_class = getattr(configurable, "configured_class", None) if isclass(configurable) else None
        if of_class is not None:
            return of_class(config_or_config_fn, config_schema=config_schema, **options)
        if "name" not in options and takes_name(configurable):
            options["name"] = configured_name(configurable, config_or_config_fn)
        return configurable.configured(config_or_config_fn, config_schema=config_schema, **options)

    return decorate


def takes_name(configurable: Any) -> TypeGuard[Any]:
    """Tell whether the definition's ``configured`` takes a name."""
    return "name" in signature(configurable.configured).parameters
