"""Run config against what can be configured: every problem with its path, then one validated config per op.

Reads no environment variable before a value is asked for: recipes are made of the names.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final, TypeAlias

from pydantic import ValidationError

from ipy_orch.errors import DagsterError, closest
from ipy_orch.model.config.classes import Config, RunConfig, annotated_field, shape_of
from ipy_orch.model.config.configured import ConfigMapping
from ipy_orch.model.config.schema import (
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
)
from ipy_orch.model.io import io_config_fields
from ipy_orch.model.resources.recipes import resource_recipe
from ipy_orch.model.resources.resource import as_resource

__all__ = ["NestedOps", "Resolved", "RunConfiguration", "config_parts", "op_field", "resolve_run_config"]

LegacySchema: TypeAlias = Any
NO_CONFIG = Field(ANY, is_required=False)
ANYTHING: Final[Mapping[str, None]] = {}
SECTIONS = ("ops", "resources", "loggers", "execution", "inputs")
ENTRY = ("config", "inputs", "outputs")


Inputs: TypeAlias = Mapping[str, Field | str | None]


@dataclass(frozen=True)
class OneOp:
    """Stand in ``ops`` for an op of which run config may say more than its config.

    Args:
        config: a Config class, a schema, or None for an op that takes any.
        inputs: input -> what run config says instead of an upstream; or the IO manager that loads it, which may have a
            config of its own; or None for anything.
        outputs: output -> the IO manager that stores it.
    """

    config: Any = None
    inputs: Inputs = field(default_factory=dict)
    outputs: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class NestedOps:
    """Stand in ``ops`` for a graph: the config of the ops in it, under ``ops.<graph>.ops``.

    Args:
        mapping: makes that of other config, under ``ops.<graph>.config``.
        others: nodes that don't run now; what is said of them is passed over.
    """

    ops: Mapping[str, Any]
    inputs: Inputs = field(default_factory=dict)
    mapping: ConfigMapping | None = None
    others: frozenset[str] = frozenset()


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
        return None if self.checked is None else self.schema.config_type.value(self.checked)

    @cached_property
    def plain(self) -> Any:
        """Return the config as plain data with the defaults, ``context.op_config``."""
        return None if self.checked is None else self.schema.config_type.plain(self.checked)

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

    def input_value(self, at: str, name: str) -> Any:
        """Return what run config says of an input of an op or graph, or MISSING."""
        return self.entries[at].inputs.get(name, MISSING) if at in self.entries else MISSING

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
        return None if checked is None else made.config_type.plain(checked)

    def resource_parts(self, key: str) -> list[ConfigPart]:
        """Return one entry per field of a resource's config, for the recipes of its users."""
        return resource_recipe(self.definitions[key], self.written(key)).fields

    def written(self, key: str) -> Any:
        """Return what run config gives to a resource, or MISSING."""
        return (self.resources.get(key) or {}).get("config", MISSING)


RunConfiguration: TypeAlias = Resolved


def resolve_run_config(
    run_config: Mapping[str, Any] | RunConfig | None,
    ops: NestedOps | Mapping[str, type[Config] | LegacySchema | OneOp | NestedOps | None],
    resources: Mapping[str, Any] | None = None,
    *,
    needed: Collection[str] | None = None,
    read_env: bool = True,
) -> Resolved:
    """Return run config that was checked against what the ops and resources take.

    Args:
        ops: by name the Config class, another annotation, a schema, None for an op that takes any, or more than that:
            OneOp, NestedOps. Or the graph of a job.
        resources: by key.
        needed: the ops that will run; the others' config is checked only where it is given. All by default.
        read_env: whether to make the needed ops' values now, so that a missing environment variable and the user's
            own validators are heard of before anything runs.

    Raises:
        DagsterInvalidConfigError: with every problem and its path.
        pydantic.ValidationError: when a Config class refuses a value.
    """
    root = ops if isinstance(ops, NestedOps) else NestedOps(ops)
    return Checking(resources or {}, needed).resolved(plain_run_config(run_config), root, read_env=read_env)


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


class Checking:
    """Check run config; see :func:`resolve_run_config`."""

    def __init__(self, resources: Mapping[str, Any], needed: Collection[str] | None) -> None:
        self.resources, self.needed, self.findings = resources, needed, Findings()
        self.entries: dict[str, Entry] = {}

    def resolved(self, given: Mapping[str, Any], root: NestedOps, *, read_env: bool) -> Resolved:
        """Return the run config of a graph, or of loose ops."""
        sections = SECTIONS if root.inputs else tuple(one for one in SECTIONS if one != "inputs")
        refuse_unknown(given, sections, (), self.findings, inside=root.ops)
        ops = section(given, "ops", (), self.findings)
        if root.mapping is not None:
            ops = self.mapped(root.mapping, ops, ("ops",))
        self.check_ops(ops, root, ("ops",))
        if root.inputs:
            inputs = section(given, "inputs", (), self.findings)
            self.entries[""] = Entry(NO_CONFIG, None, self.checked_ports(inputs, root.inputs, ("inputs",)))
        check_resources(section(given, "resources", (), self.findings), self.resources, self.findings)
        self.findings.raise_any("the run config doesn't fit")
        resolved = Resolved(given, self.entries, dict(self.resources))
        if read_env:
            for op in self.entries if self.needed is None else self.needed:
                resolved.op_config(op)
        return resolved

    def check_ops(self, given: Mapping[str, Any], graph: NestedOps, at: Path) -> None:
        """Add the entries of a graph's ops and of those in graphs in it, by dotted path."""
        ops = graph.ops
        refuse_unknown({key: one for key, one in given.items() if key not in graph.others}, ops, at, self.findings)
        prefix = ".".join(str(part) for part in at[1:] if part != "ops")
        for name, schema in ops.items():
            path = f"{prefix}.{name}" if prefix else name
            if name in given or self.concerns(path):
                self.check_node(section(given, name, at, self.findings), schema, path, (*at, name))
            else:
                self.add_defaults(schema, path, (*at, name))

    def check_node(self, given: Mapping[str, Any], schema: Any, path: str, at: Path) -> None:
        """Add the entry of an op, or those of the ops in a graph."""
        if isinstance(schema, NestedOps):
            self.check_graph(given, schema, path, at)
        else:
            one = schema if isinstance(schema, OneOp) else OneOp(schema, ANYTHING)
            self.entries[path] = self.checked_op(given, one, at)

    def add_defaults(self, schema: Any, path: str, at: Path) -> None:
        """Add the entries that defaults give to what won't run, where they're enough: its recipe holds them."""
        alone = Checking(self.resources, None)
        try:
            alone.check_node({}, schema, path, at)
        except DagsterError:
            return
        if not alone.findings.problems:
            self.entries |= alone.entries

    def concerns(self, path: str) -> bool:
        """Tell whether an op, or one in a graph of this path, is going to run."""
        return self.needed is None or path in self.needed or any(one.startswith(f"{path}.") for one in self.needed)

    def check_graph(self, given: Mapping[str, Any], graph: NestedOps, path: str, at: Path) -> None:
        """Add the entries of the ops in a graph, and of its own inputs."""
        words = ("ops", "inputs", "outputs") if graph.mapping is None else ("config", "inputs", "outputs")
        refuse_unknown(given, words, at, self.findings)
        if graph.mapping is None:
            inner = section(given, "ops", at, self.findings)
        else:
            inner = self.mapped(graph.mapping, given, at)
        self.check_ops(inner, graph, (*at, "ops"))
        inputs = section(given, "inputs", at, self.findings)
        self.entries[path] = Entry(NO_CONFIG, None, self.checked_ports(inputs, graph.inputs, (*at, "inputs")))

    def mapped(self, mapping: ConfigMapping, given: Mapping[str, Any], at: Path) -> Mapping[str, Any]:
        """Return the config of the ops that a graph's mapping makes.

        Raises:
            DagsterInvalidConfigError: when the outer config doesn't fit.
            DagsterConfigMappingFunctionError: when the function raises.
        """
        self.findings.raise_any("the run config doesn't fit")
        made = mapping.inner(given.get("config", MISSING), f"`{'.'.join(map(str, at))}`", (*at, "config"))
        if not isinstance(made, Mapping):
            self.findings.mismatch((*at, "config"), "a mapping of ops", made)
            return {}
        return made

    def checked_op(self, given: Mapping[str, Any], op: OneOp, at: Path) -> Entry:
        """Return one op's entry."""
        made = op_field(op.config)
        fields = getattr(inner_type(made.config_type), "fields", {})
        for key in given:
            if key not in ENTRY:
                inside = f"write it under `config`: `config: {{{key}: ...}}`" if key in fields else ""
                self.findings.add((*at, str(key)), "unknown", inside or nearest(str(key), ENTRY))
        checked = made.check_or_default(given.get("config", MISSING), (*at, "config"), self.findings)
        inputs = section(given, "inputs", at, self.findings)
        ports = inputs if op.inputs is ANYTHING else self.checked_ports(inputs, op.inputs, (*at, "inputs"))
        return Entry(made, checked, ports, self.checked_outputs(given.get("outputs"), op, (*at, "outputs")))

    def checked_ports(self, given: Mapping[str, Any], ports: Inputs, at: Path) -> dict[str, Any]:
        """Return what run config says of inputs, checked: values as written, config of IO managers as data."""
        refuse_unknown(given, ports, at, self.findings)
        found = {}
        for name, port in ports.items():
            schema = io_config_fields(self.resources.get(port))[0] if isinstance(port, str) else port
            if isinstance(schema, Field):
                checked = schema.check_or_default(given.get(name, MISSING), (*at, name), self.findings)
                if isinstance(port, str):
                    found[name] = (
                        None if checked is None or self.findings.problems else schema.config_type.plain(checked)
                    )
                elif name in given:
                    found[name] = given[name]
            elif name in given and isinstance(port, str):
                self.findings.add((*at, name), "unknown", f"an output is connected to it, and `{port}` takes no config")
            elif name in given:
                found[name] = given[name]
        return found

    def checked_outputs(self, given: Any, op: OneOp, at: Path) -> Any:
        """Return what run config says of outputs: config for their IO managers, or of values' materializers."""
        for entry in given if isinstance(given, list) else [given or {}]:
            for name in entry if isinstance(entry, Mapping) and op.outputs else ():
                _, schema = io_config_fields(self.resources.get(op.outputs.get(name, "")))
                if name not in op.outputs:
                    self.findings.add((*at, name), "unknown", nearest(name, op.outputs))
                elif isinstance(schema, Field):
                    schema.check(entry[name], (*at, name), self.findings)
        return given or {}


def op_field(schema: Any) -> Field:
    """Return what an op's config may be; anything, when it has no schema."""
    return NO_CONFIG if schema is None else schema if isinstance(schema, Field) else annotated_field(schema)


def check_resources(given: Mapping[str, Any], resources: Mapping[str, Any], findings: Findings) -> None:
    """Note the problems in the config of resources; one that isn't configured may never be needed."""
    refuse_unknown(given, resources, ("resources",), findings)
    for key in given.keys() & resources.keys():
        entry = section(given, key, ("resources",), findings)
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
