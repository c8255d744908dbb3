"""What a plan is made of: the request, its steps, each one call of one op, and the order among them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from ipy_orch.events.types import Recipe
from ipy_orch.model.assets import AssetsDefinition
from ipy_orch.model.keys import AssetCheckKey, AssetKey
from ipy_orch.model.ops import NO_VALUE, In, OpDefinition, Out
from ipy_orch.planning.calls import Call, FromConfig
from ipy_orch.planning.partitioning import Reading
from ipy_orch.planning.staleness import Reason

__all__ = ["Plan", "Request", "Step", "apart"]


@dataclass(frozen=True, slots=True)
class Request:
    """Say what is wanted.

    Args:
        keys: the assets.
        checks: the checks; None for all checks of the assets that run.
        force: run these although they are fresh; their values count as new for what is downstream.
        upstream: bring missing and stale ancestors up to date first.
        always: run what is asked for without looking at the ledger, as Dagster's ``materialize`` does.
        partition: the partition of what is partitioned.
        what: the request in the asker's words.
        partitions: those of what is partitioned, where they are several.
        of_asset: asset -> its partitions, where those of assets differ.
    """

    keys: frozenset[AssetKey]
    checks: frozenset[AssetCheckKey] | None = None
    force: frozenset[AssetKey] = frozenset()
    upstream: bool = True
    always: bool = False
    partition: str | None = None
    what: str = ""
    partitions: tuple[str, ...] = ()
    of_asset: Mapping[AssetKey, tuple[str, ...]] = field(default_factory=dict, compare=False)

    @property
    def chosen(self) -> tuple[str, ...]:
        """Return the partitions of what is partitioned."""
        return self.partitions or (() if self.partition is None else (self.partition,))

    def chosen_of(self, key: AssetKey) -> tuple[str, ...]:
        """Return the partitions of an asset that is partitioned."""
        found = self.of_asset.get(key)
        return self.chosen if found is None else found


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """Be one call of one op: which assets and checks it makes, why, and after which steps.

    Args:
        definition: whose assets and checks these are; None in a job of ops.
        keys: the assets that this call makes: of a definition with a graph, not all of them.
        parts: what it depends on beside its inputs; the inputs' versions are added when it runs.
        inputs: the assets that the definition reads.
        partition: which one of what it makes is made, where that is one.
        conditional: it is skipped when its inputs turn out unchanged.
        fresh_version: what it makes counts as new even if the recipe is the same.
        scope: what stands before the names of the calls of the same graph.
        mapping_key: which of the values of a dynamic output it is called for.
        reading: which partitions it makes, and which of its inputs it reads; None where nothing has partitions.
    """

    name: str
    call: Call
    definition: AssetsDefinition | None
    keys: tuple[AssetKey, ...]
    checks: tuple[AssetCheckKey, ...]
    reason: Reason
    after: frozenset[str]
    parts: Recipe = ()
    inputs: tuple[AssetKey, ...] = ()
    partition: str | None = None
    conditional: bool = False
    fresh_version: bool = False
    scope: str = ""
    mapping_key: str | None = None
    reading: Reading | None = None

    @property
    def partitions(self) -> tuple[str | None, ...]:
        """Return which partitions of what it makes are made; only None, where it isn't partitioned."""
        return (self.partition,) if self.reading is None else self.reading.partitions or (None,)

    @property
    def op(self) -> OpDefinition:
        """Return what is called."""
        return self.call.op

    @property
    def place(self) -> str:
        """Return where run config has its part: the dotted path below ``ops``."""
        node = self.definition.op_def if self.definition is not None else None
        return self.call.name if node is None or node is self.call.op else f"{node.name}.{self.call.name}"

    @property
    def required_resource_keys(self) -> frozenset[str]:
        """Return the resources that loading, computing, storing and hooks need, IO managers included."""
        known: frozenset[str] | None = self.call.memo.get("resources")
        if known is None:
            known = self.call.memo["resources"] = required_keys(self)
        return known


def required_keys(step: Step) -> frozenset[str]:
    """Return the resources that a step needs."""
    call, definition, op = step.call, step.definition, step.call.op
    hooks = (hook.required_resource_keys for hook in call.hooks)
    if definition is not None and definition.op_def is op:
        return definition.required_resource_keys.union(type_keys(call), *hooks)
    managers = {port.io_manager_key for port in op.outs.values() if not port.is_nothing}
    if definition is not None:
        managers |= {definition.get_io_manager_key_for_asset_key(key) for key in step.keys}
    loaders = {port.input_manager_key for port in op.ins.values() if port.input_manager_key}
    return op.required_resource_keys.union(managers, loaders, type_keys(call), *hooks)


def keys_here(step: Step) -> set[str]:
    """Return the resources that loading, storing and hooks need, without those that only the function does."""
    hooks = (hook.required_resource_keys for hook in step.call.hooks)
    managers = {port.io_manager_key for port in step.op.outs.values() if not port.is_nothing}
    if step.definition is not None:
        managers |= {step.definition.get_io_manager_key_for_asset_key(key) for key in step.keys}
    return managers.union(type_keys(step.call), *hooks)


def type_keys(call: Call) -> Iterator[str]:
    """Yield the resources that checking the values of a call takes, and making those that config gives."""
    ports: tuple[In | Out, ...] = (*call.op.ins.values(), *call.op.outs.values())
    for port in ports:
        if port.dagster_type is not NO_VALUE:
            yield from port.dagster_type.required_resource_keys
    for name, source in call.sources.items():
        if isinstance(source, FromConfig) and call.op.ins[name].dagster_type is not NO_VALUE:
            yield from call.op.ins[name].dagster_type.loader_required_resource_keys


@dataclass(frozen=True)
class Plan:
    """Be the steps, upstream first, and the assets that were looked at.

    Args:
        mapped: step with a dynamic output -> the steps that are called for each key of it, made when it is known.
        others: steps that aren't run, whose outputs an earlier run has made.
    """

    steps: tuple[Step, ...]
    request: Request
    looked_at: tuple[AssetKey, ...] = ()
    mapped: Mapping[str, tuple[Step, ...]] = field(default_factory=dict)
    others: tuple[Step, ...] = ()

    @property
    def keys(self) -> tuple[AssetKey, ...]:
        """Return the assets that will be made, upstream first."""
        return tuple(dict.fromkeys(key for step in self.steps for key in step.keys))

    @property
    def every_step(self) -> Iterator[Step]:
        """Return the steps, and those that are mapped over dynamic outputs, once each."""
        yield from self.steps
        for steps in self.mapped.values():
            yield from steps

    def __len__(self) -> int:
        return len(self.steps)


def apart(steps: Sequence[Step]) -> tuple[tuple[Step, ...], dict[str, tuple[Step, ...]]]:
    """Return the steps that are there from the beginning, and those mapped over a dynamic output, by its step.

    What collects from mapped steps comes after the step with the dynamic output; the engine lets it wait for more.
    """
    over = {step.name: step.scope + step.call.mapped.call for step in steps if step.call.mapped is not None}
    if not over:
        return tuple(steps), {}
    mapped: dict[str, tuple[Step, ...]] = {}
    for step in steps:
        if step.name in over:
            mapped[over[step.name]] = (*mapped.get(over[step.name], ()), step)
    first = [step for step in steps if step.name not in over]
    return tuple(replace(step, after=frozenset(over.get(one, one) for one in step.after)) for step in first), mapped
