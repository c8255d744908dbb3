"""The op: a function with named inputs and outputs. Everything executable is one.

An asset's computation is an op, a check's is an op; only where inputs come from and where outputs go differs.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Final

from ipy_orch.errors import CheckError, DagsterInvalidDefinitionError, DagsterInvariantViolationError, closest
from ipy_orch.model.config.configured import configured_node
from ipy_orch.model.graphs.invocations import Invocable
from ipy_orch.model.keys import AssetKey, valid_name
from ipy_orch.model.policies import RetryPolicy
from ipy_orch.model.port import Port
from ipy_orch.model.tags import json_tags
from ipy_orch.model.types.annotations import DagsterType, Nothing, resolve_dagster_type

__all__ = ["NO_VALUE", "DynamicOut", "In", "OpDefinition", "Out", "Signature"]

RESULT: Final = "result"
IO_MANAGER: Final = "io_manager"
POOL_TAG: Final = "dagster/concurrency_key"


class NoValue:
    """Mark that no default was given; None is a default like any other."""

    def __repr__(self) -> str:
        return "NO_VALUE"

    def __reduce__(self) -> str:
        return "NO_VALUE"


NO_VALUE: Final = NoValue()

invoke: Port[..., Any] = Port("ipy_orch.execution.invoke")


@dataclass(frozen=True, eq=False)
class Signature:
    """Tell how a function wants to be called; read by ``authoring.signature`` alone.

    Args:
        function: the user's function.
        context: the name of its context parameter, or None.
        config: the name of its config parameter, or None.
        config_type: what that parameter is annotated with: a Config class, or a plain type such as ``dict``.
        resources: parameter name -> resource key.
        inputs: the other parameters, in order: values that come from upstream.
        defaults: input -> default value.
        annotations: parameter name (and ``return``) -> annotation, resolved where it could be.
        keywords: whether the function takes ``**kwargs``, which then receives inputs that aren't parameters.
    """

    function: Callable[..., Any]
    context: str | None = None
    config: str | None = None
    config_type: Any = None
    resources: Mapping[str, str] = field(default_factory=dict)
    inputs: tuple[str, ...] = ()
    defaults: Mapping[str, Any] = field(default_factory=dict)
    annotations: Mapping[str, Any] = field(default_factory=dict)
    keywords: bool = False

    @cached_property
    def parameters(self) -> frozenset[str]:
        """Return the names of all parameters."""
        special = {name for name in (self.context, self.config) if name is not None}
        return frozenset({*self.inputs, *self.resources, *special})


@dataclass(frozen=True, eq=False, init=False)
class In:
    """Describe an input of an op.

    Args:
        dagster_type: a DagsterType or a Python type; ``Nothing`` orders steps without passing a value.
        default_value: used where nothing is connected.
        asset_key: the asset to load where nothing is connected.
        input_manager_key: the resource that loads it instead of the upstream's IO manager.
    """

    dagster_type: Any
    description: str | None
    default_value: Any
    metadata: Mapping[str, Any]
    asset_key: AssetKey | None
    asset_partitions: Any
    input_manager_key: str | None

    def __init__(
        self,
        dagster_type: Any = NO_VALUE,
        description: str | None = None,
        default_value: Any = NO_VALUE,
        metadata: Mapping[str, Any] | None = None,
        asset_key: AssetKey | None = None,
        asset_partitions: Any = None,
        input_manager_key: str | None = None,
    ) -> None:
        declared = dagster_type if dagster_type is NO_VALUE else resolve_dagster_type(dagster_type)
        values = (declared, description, default_value, dict(metadata or {}), asset_key, asset_partitions)
        set_all(self, (*values, input_manager_key))

    @property
    def has_default_value(self) -> bool:
        """Tell whether a default was given."""
        return self.default_value is not NO_VALUE

    @property
    def is_nothing(self) -> bool:
        """Tell whether the input only orders steps."""
        return self.dagster_type is Nothing


@dataclass(frozen=True, eq=False, init=False)
class Out:
    """Describe an output of an op.

    Args:
        dagster_type: a DagsterType or a Python type.
        is_required: False lets the op finish without it; what depends on it is then skipped.
        io_manager_key: the resource that stores the value.
        code_version: opts out of the computed code version.
    """

    dagster_type: Any
    description: str | None
    is_required: bool
    io_manager_key: str
    metadata: Mapping[str, Any]
    code_version: str | None

    def __init__(
        self,
        dagster_type: Any = NO_VALUE,
        description: str | None = None,
        is_required: bool | None = None,
        io_manager_key: str | None = None,
        metadata: Mapping[str, Any] | None = None,
        code_version: str | None = None,
    ) -> None:
        declared = dagster_type if dagster_type is NO_VALUE else resolve_dagster_type(dagster_type)
        required = True if is_required is None else is_required
        set_all(
            self, (declared, description, required, io_manager_key or IO_MANAGER, dict(metadata or {}), code_version)
        )

    @property
    def is_dynamic(self) -> bool:
        """Tell whether the output is mapped over; a plain one isn't."""
        return False

    @property
    def is_nothing(self) -> bool:
        """Tell whether no value is stored."""
        return self.dagster_type is Nothing


class DynamicOut(Out):
    """Describe an output of which there are several values, as many as the op finds: it yields DynamicOutputs.

    In the body of a graph, ``.map(...)`` runs nodes once for each value, and ``.collect()`` makes a list of them.
    """

    @property
    def is_dynamic(self) -> bool:
        """Tell whether the output is mapped over."""
        return True


@dataclass(frozen=True, eq=False)
class NamedPort:
    """Be an input or output of an op together with its name; it answers what its port does."""

    name: str
    port: In | Out
    dagster_type: DagsterType

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(self.port, name)


def set_all(instance: Any, values: Sequence[Any]) -> None:
    """Fill a frozen dataclass that has an ``__init__`` of its own, in the order of its fields."""
    vars(instance).update(zip(instance.__dataclass_fields__, values, strict=True))


@dataclass(frozen=True, eq=False, init=False)
class OpDefinition(Invocable):
    """Be a named function with ports; two are the same only when they are one object. ``@op`` makes one of a function.

    Args:
        compute_fn: a generator of Outputs that takes the context and a dict of inputs; else there's a ``signature``.
        name: letters, digits and underscores.
        ins: input name -> In; those annotated with a type carry it.
        outs: output name -> Out.
        config_schema: a Config class or a schema, None for no config; also as ``config_type``.
        required_resource_keys: resources it needs beyond its parameters'.
        version: the older name of ``code_version``.
        signature: a function, and how it is called.

    Raises:
        DagsterInvalidDefinitionError: for a name, port or pool that isn't well formed.
        CheckError: without a function.
    """

    name: str
    signature: Signature
    ins: Mapping[str, In]
    outs: Mapping[str, Out]
    description: str | None
    config_type: Any
    required_resource_keys: frozenset[str]
    tags: Mapping[str, str]
    retry_policy: RetryPolicy | None
    code_version: str | None
    pool: str | None

    def __init__(
        self,
        compute_fn: Callable[..., Any] | None = None,
        name: str = "",
        ins: Mapping[str, In] | None = None,
        outs: Mapping[str, Out] | None = None,
        description: str | None = None,
        config_schema: Any = None,
        required_resource_keys: Iterable[str] | None = None,
        tags: Mapping[str, Any] | None = None,
        version: str | None = None,
        retry_policy: RetryPolicy | None = None,
        code_version: str | None = None,
        pool: str | None = None,
        *,
        signature: Signature | None = None,
        config_type: Any = None,
    ) -> None:
        inlets = ins if ins is not None else {}
        call = signature or bare_signature(name, compute_fn, inlets)
        outlets = outs if outs is not None else {RESULT: Out()} if signature is None else {}
        valid_name(name, "name of an op")
        for port in (*inlets, *outlets):
            valid_name(port, f"input or output of `{name}`")
        said = json_tags(tags, f"op `{name}`") if tags else {}
        needed = frozenset(required_resource_keys or ()) | frozenset(call.resources.values())
        wanted = config_type if config_type is not None else config_schema
        values = (name, call, inlets, outlets, description, wanted, needed, said)
        set_all(self, (*values, retry_policy, code_version or version, valid_pool(pool, said, name)))

    @property
    def compute_fn(self) -> Callable[..., Any]:
        """Return the user's function."""
        return self.signature.function

    @property
    def node_type_str(self) -> str:
        """Return Dagster's word for the kind of node."""
        return "op"

    @property
    def version(self) -> str | None:
        """Return the code version, under its older name."""
        return self.code_version

    @property
    def positional_inputs(self) -> tuple[str, ...]:
        """Return the inputs in the order in which they're given by position."""
        return self.signature.inputs

    @property
    def ins_with_values(self) -> tuple[str, ...]:
        """Return the names of the inputs that carry a value."""
        return tuple(name for name, port in self.ins.items() if not port.is_nothing)

    @property
    def input_defs(self) -> Sequence[NamedPort]:
        """Return the inputs with their names and types."""
        return [
            NamedPort(name, port, type_of(port, self.signature.annotations.get(name, NO_VALUE)))
            for name, port in self.ins.items()
        ]

    @property
    def output_defs(self) -> Sequence[NamedPort]:
        """Return the outputs with their names and types."""
        return [NamedPort(name, port, type_of(port)) for name, port in self.outs.items()]

    def output(self, name: str) -> Out:
        """Return an output by name.

        Raises:
            DagsterInvalidDefinitionError: when there's none of this name.
        """
        if name not in self.outs:
            raise DagsterInvalidDefinitionError(
                f"`{self.name}` has no output `{name}`", hint=closest(name, self.outs) or f"it has {sorted(self.outs)}"
            )
        return self.outs[name]

    def with_replaced(self, **changes: Any) -> OpDefinition:
        """Return a copy with some fields replaced."""
        return replace(self, **changes)

    def configured(
        self,
        config_or_config_fn: Any,
        name: str | None = None,
        config_schema: Any = None,
        description: str | None = None,
    ) -> OpDefinition:
        """Return a copy that has its config already, or makes it from another one."""
        return configured_node(self, config_or_config_fn, name, config_schema, description)


def bare_signature(name: str, compute_fn: Callable[..., Any] | None, ins: Mapping[str, In]) -> Signature:
    """Return how a function is called that takes the context and a dict of inputs, and yields Outputs.

    Raises:
        CheckError: when there is none.
    """
    if not callable(compute_fn):
        raise CheckError(f"op `{name}` has no function: `compute_fn` is {compute_fn!r}")

    def body(context: Any, **inputs: Any) -> Any:
        made = compute_fn(context, inputs)
        if isinstance(made, Iterator | AsyncIterator | Awaitable):
            return made
        raise DagsterInvariantViolationError(
            f"the `compute_fn` of op `{name}` yields Outputs, and returned {made!r}",
            hint="`@op` makes an op of a function that returns its value",
        )

    named = tuple(key for key, port in ins.items() if not port.is_nothing)
    return Signature(body, context="context", inputs=named, keywords=True)


def valid_pool(pool: str | None, tags: Mapping[str, str], name: str) -> str | None:
    """Return the pool when it is a word, and the one that the tags name.

    Raises:
        DagsterInvalidDefinitionError: otherwise.
    """
    if not pool:
        return pool
    if not re.match(r"^\S+$", pool):
        raise DagsterInvalidDefinitionError(f"`{pool}` can't be a pool: it is a word", where=f"op `{name}`")
    if tags.get(POOL_TAG, pool) != pool:
        raise DagsterInvalidDefinitionError(
            f"two pools are said: `{pool}`, and `{tags[POOL_TAG]}` in the tag `{POOL_TAG}`", where=f"op `{name}`"
        )
    return pool


def type_of(port: In | Out, annotation: Any = NO_VALUE) -> DagsterType:
    """Return the type of a port: the declared one, else that of the function's annotation, else Any."""
    declared = port.dagster_type
    if declared is not NO_VALUE:
        return declared  # type: ignore[no-any-return]
    return resolve_dagster_type(Any if annotation is NO_VALUE else annotation)
