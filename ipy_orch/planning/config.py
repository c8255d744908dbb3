"""Run config against what can be configured: every problem with its path, then one validated config per op.

Reads no environment variable before a value is asked for: recipes are made of the names.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeAlias

from pydantic import ValidationError

from ipy_orch.errors import closest
from ipy_orch.model.config import Config, ConfigShape, RunConfig, annotated_field, construct, shape_of
from ipy_orch.model.resource_recipes import resource_recipe
from ipy_orch.model.resources import as_resource
from ipy_orch.model.schema import (
    ANY,
    MISSING,
    ConfigPart,
    ConfigType,
    Field,
    Findings,
    Noneable,
    Path,
    config_type,
    env_form,
    part_of,
    resolve,
)

__all__ = ["NestedOps", "Resolved", "RunConfiguration", "config_parts", "op_field", "resolve_run_config"]

LegacySchema: TypeAlias = Any
NO_CONFIG = Field(ANY, is_required=False)
SECTIONS = ("ops", "resources", "loggers", "execution", "inputs")
ENTRY = ("config", "inputs", "outputs", "ops")


@dataclass(frozen=True)
class NestedOps:
    """Stand in ``ops`` for a graph: the config of the ops in it, under ``ops.<graph>.ops``."""

    ops: Mapping[str, Any]


@dataclass(frozen=True)
class Entry:
    """One op's part of run config: what is configurable, and what was given, checked."""

    schema: Field
    checked: Any
    inputs: Mapping[str, Any] = field(default_factory=dict)
    outputs: Any = field(default_factory=dict)

    @cached_property
    def value(self) -> Any:
        """Return what the op gets: an instance of its Config class, or plain data."""
        kind = inner_type(self.schema.config_type)
        if self.checked is None:
            return None
        if isinstance(kind, ConfigShape):
            return construct(kind.config_class, self.checked)
        return resolve(kind.full(self.checked))

    @cached_property
    def plain(self) -> Any:
        """Return the config as plain data with the defaults, ``context.op_config``."""
        return None if self.checked is None else resolve(self.schema.config_type.full(self.checked))

    def parts(self) -> list[ConfigPart]:
        """Return one entry per field for a recipe."""
        if self.checked is None:
            return []
        kind = self.schema.config_type
        return config_entries(kind, kind.full(self.checked))


def inner_type(kind: ConfigType) -> ConfigType:
    """Return the type inside an optional one."""
    return kind.inner_type if isinstance(kind, Noneable) else kind


@dataclass(frozen=True)
class Resolved:
    """Hold run config that fits. An op in a graph is named by its path, ``graph.op``.

    Args:
        given: the run config as plain data.
        entries: by op.
        definitions: the resources, by key.
    """

    given: Mapping[str, Any] = field(default_factory=dict)
    entries: Mapping[str, Entry] = field(default_factory=dict)
    definitions: Mapping[str, Any] = field(default_factory=dict)

    def op_config(self, op: str) -> Any:
        """Return what an op gets as its config: a Config instance, plain data, or None.

        Raises:
            DagsterInvalidConfigError: when an environment variable isn't set.
            pydantic.ValidationError: when the op's Config class refuses a value.
        """
        entry = self.entries.get(op)
        if entry is None:
            return None
        try:
            return entry.value
        except ValidationError as error:
            error.add_note(f"where: config of `{op}`")
            raise

    def op_data(self, op: str) -> Any:
        """Return an op's config as plain data, defaults filled in."""
        return self.entries[op].plain if op in self.entries else None

    def op_parts(self, op: str) -> list[ConfigPart]:
        """Return one entry per field of an op's config, for its recipe: (dotted name, what to digest, text)."""
        return self.entries[op].parts() if op in self.entries else []

    def op_inputs(self, op: str) -> Mapping[str, Any]:
        """Return the values that run config gives to an op's inputs."""
        return self.entries[op].inputs if op in self.entries else {}

    def op_outputs(self, op: str) -> Any:
        """Return the config of an op's outputs, for their IO managers."""
        return self.entries[op].outputs if op in self.entries else {}

    @property
    def resources(self) -> Mapping[str, Any]:
        """Return the part that a ResourceScope takes, ``{key: {"config": ...}}``."""
        resources: Mapping[str, Any] = self.given.get("resources") or {}
        return resources

    def resource_config(self, key: str) -> Any:
        """Return a resource's config as plain data, defaults filled in, environment variables read."""
        made = as_resource(self.definitions[key]).__config_field__
        checked = made.check_or_default(self.written(key), ("resources", key, "config"), Findings())
        return None if checked is None else resolve(made.config_type.full(checked))

    def resource_parts(self, key: str) -> list[ConfigPart]:
        """Return one entry per field of a resource's config, for the recipes of its users."""
        return resource_recipe(self.definitions[key], self.written(key)).fields

    def written(self, key: str) -> Any:
        """Return what run config gives to a resource, or MISSING."""
        return (self.resources.get(key) or {}).get("config", MISSING)


RunConfiguration: TypeAlias = Resolved


def resolve_run_config(
    run_config: Mapping[str, Any] | RunConfig | None,
    ops: Mapping[str, type[Config] | LegacySchema | None],
    resources: Mapping[str, Any] | None = None,
    *,
    needed: Collection[str] | None = None,
    read_env: bool = True,
) -> Resolved:
    """Return run config that was checked against what the ops and resources take.

    Args:
        ops: by name the Config class, another annotation, a schema, or None for an op that takes any.
        resources: by key.
        needed: the ops that will run; the others' config is checked only where it is given. All by default.
        read_env: whether to make the needed ops' values now, so that a missing environment variable and the user's
            own validators are heard of before anything runs.

    Raises:
        DagsterInvalidConfigError: with every problem and its path.
        pydantic.ValidationError: when a Config class refuses a value.
    """
    given = plain_run_config(run_config)
    findings = Findings()
    refuse_unknown(given, SECTIONS, (), findings, inside=ops)
    entries = check_ops(section(given, "ops", (), findings), ops, ("ops",), findings, needed)
    check_resources(section(given, "resources", (), findings), resources or {}, findings)
    findings.raise_any("the run config doesn't fit")
    resolved = Resolved(given, entries, dict(resources or {}))
    if read_env:
        for op in entries if needed is None else needed:
            resolved.op_config(op)
    return resolved


def plain_run_config(run_config: Mapping[str, Any] | RunConfig | None) -> dict[str, Any]:
    """Return run config as plain data, without the parts that are empty."""
    given = run_config if isinstance(run_config, RunConfig) else None
    written = given.written(given_only=True) if given is not None else dict(run_config or {})  # type: ignore[arg-type]
    return {key: part for key, part in written.items() if part or key not in SECTIONS}


def section(given: Mapping[str, Any], key: str, at: Path, findings: Findings) -> Mapping[str, Any]:
    """Return a part of run config, which must be a mapping."""
    part = given.get(key)
    if part is not None and not isinstance(part, Mapping):
        findings.mismatch((*at, key), "a mapping", part)
    return part if isinstance(part, Mapping) else {}


def refuse_unknown(
    given: Mapping[str, Any],
    known: Iterable[str],
    at: Path,
    findings: Findings,
    *,
    inside: Mapping[str, Any] | None = None,
) -> None:
    """Note the keys that nothing takes, with the nearest that something does."""
    known = list(known)
    for key in given:
        if key not in known:
            moved = f"write it under `ops.{key}.config`" if key in (inside or {}) else ""
            findings.add((*at, str(key)), "unknown", moved or nearest(str(key), known))


def nearest(key: str, known: Collection[str]) -> str:
    """Return a hint with the closest of the known names, or all of them."""
    return closest(key, known) or f"known: {', '.join(known) or 'none'}"


def check_ops(
    given: Mapping[str, Any], ops: Mapping[str, Any], at: Path, findings: Findings, needed: Collection[str] | None
) -> dict[str, Entry]:
    """Return the entries of these ops and of those in graphs, by dotted path."""
    refuse_unknown(given, ops, at, findings)
    entries: dict[str, Entry] = {}
    prefix = ".".join(str(part) for part in at[1:] if part != "ops")
    for name, schema in ops.items():
        path = f"{prefix}.{name}" if prefix else name
        if isinstance(schema, NestedOps):
            inner = section(entry_of(given, name, (*at, name), findings), "ops", (*at, name), findings)
            entries.update(check_ops(inner, schema.ops, (*at, name, "ops"), findings, needed))
        elif needed is None or path in needed or name in given:
            entries[path] = check_op(entry_of(given, name, (*at, name), findings), schema, (*at, name), findings)
    return entries


def entry_of(given: Mapping[str, Any], name: str, at: Path, findings: Findings) -> Mapping[str, Any]:
    """Return what was given to one op, which must be a mapping."""
    return section(given, name, at[:-1], findings)


def check_op(given: Mapping[str, Any], schema: Any, at: Path, findings: Findings) -> Entry:
    """Return one op's entry."""
    made = op_field(schema)
    fields = getattr(inner_type(made.config_type), "fields", {})
    for key in given:
        if key not in ENTRY:
            hint = (
                f"write it under `{key and 'config'}`: `config: {{{key}: ...}}`"
                if key in fields
                else nearest(str(key), ENTRY)
            )
            findings.add((*at, str(key)), "unknown", hint)
    checked = made.check_or_default(given.get("config", MISSING), (*at, "config"), findings)
    return Entry(made, checked, given.get("inputs") or {}, given.get("outputs") or {})


def op_field(schema: Any) -> Field:
    """Return what an op's config may be; anything, when it has no schema."""
    return NO_CONFIG if schema is None else schema if isinstance(schema, Field) else annotated_field(schema)


def check_resources(given: Mapping[str, Any], resources: Mapping[str, Any], findings: Findings) -> None:
    """Note the problems in the config of resources; one that isn't configured may never be needed."""
    refuse_unknown(given, resources, ("resources",), findings)
    for key in given.keys() & resources.keys():
        entry = entry_of(given, key, ("resources", key), findings)
        refuse_unknown(entry, ("config",), ("resources", key), findings)
        if "config" in entry:
            field_of(resources[key]).check(entry["config"], ("resources", key, "config"), findings)


def field_of(resource: Any) -> Field:
    """Return what a resource's config may be."""
    made: Field = as_resource(resource).__config_field__
    return made


def config_parts(config: Any) -> list[ConfigPart]:
    """Return one entry per field of a config: (dotted name, what to digest, short text).

    An environment variable is given as ``("env", NAME)``, a secret field as ``("secret", path)``: never the value.

    >>> class Ingest(Config):
    ...     limit: int = 10
    >>> config_parts(Ingest())
    [('limit', 10, '10')]
    """
    if config is None:
        return []
    if isinstance(config, Config):
        shape = shape_of(type(config))
        checked = shape.check(shape.dump(config), (), Findings())
        return list(shape.parts(shape.full(checked), ""))
    kind = config_type({}) if isinstance(config, Mapping) else ANY
    return config_entries(kind, ANY.check(env_form(config), (), Findings()))


def config_entries(kind: ConfigType, checked: Any) -> list[ConfigPart]:
    """Return the entries of a checked value; one named `config` for a value without fields."""
    if isinstance(checked, Mapping) and kind is ANY:
        return [part_of(str(key), item) for key, item in checked.items()]
    return [(name or "config", item, text) for name, item, text in kind.parts(checked, "")]
