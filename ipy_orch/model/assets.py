"""Assets: what is computed, from what, by which op.

One class for every spelling: ``@asset``, ``@multi_asset``, external assets, checks that are steps of their own. It ties
the ports of an op to keys: inputs to the assets they load, outputs to the assets and checks they make.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from ipy_orch.errors import (
    CheckError,
    DagsterInvalidDefinitionError,
    DagsterInvalidSubsetError,
    DagsterInvariantViolationError,
)
from ipy_orch.model.checks import AssetCheckSpec
from ipy_orch.model.keys import AssetCheckKey, AssetKey, FrozenList
from ipy_orch.model.ops import IO_MANAGER, NO_VALUE, In, OpDefinition, Out, invoke, set_all
from ipy_orch.model.specs import DEFAULT_GROUP, IO_MANAGER_KEY, KIND, AssetDep, AssetSpec, kind_tags, valid_tags
from ipy_orch.model.types import Nothing

__all__ = ["AssetChecksDefinition", "AssetIn", "AssetOut", "AssetsDefinition", "SourceAsset"]

MATERIALIZATION, OBSERVATION, EXTERNAL = "MATERIALIZATION", "OBSERVATION", "UNEXECUTABLE"


@dataclass(frozen=True, eq=False, init=False)
class AssetIn:
    """Say which asset an argument loads, and how.

    Args:
        key: the asset; by default the one named like the argument.
        key_prefix: put before the argument's name to make the key.
        input_manager_key: the resource that loads it instead of the asset's own IO manager.
        partition_mapping: which partitions of it are loaded.
        dagster_type: ``Nothing`` makes it a dependency that isn't loaded.
    """

    key: AssetKey | None
    metadata: Mapping[str, Any] | None
    key_prefix: tuple[str, ...] | None
    input_manager_key: str | None
    partition_mapping: Any
    dagster_type: Any

    def __init__(
        self,
        key: Any = None,
        metadata: Mapping[str, Any] | None = None,
        key_prefix: str | Sequence[str] | None = None,
        input_manager_key: str | None = None,
        partition_mapping: Any = None,
        dagster_type: Any = NO_VALUE,
    ) -> None:
        if key is not None and key_prefix is not None:
            raise CheckError("give `key` or `key_prefix`, not both")
        prefix = (key_prefix,) if isinstance(key_prefix, str) else tuple(key_prefix) if key_prefix else None
        asset_key = AssetKey.from_coercible_or_definition(key) if key is not None else None
        set_all(self, (asset_key, metadata, prefix, input_manager_key, partition_mapping, dagster_type))

    @staticmethod
    def from_coercible(arg: Any) -> AssetIn:
        """Return ``arg`` as an AssetIn."""
        return arg if isinstance(arg, AssetIn) else AssetIn(key=arg)

    def key_for(self, argument: str) -> AssetKey:
        """Return the asset that the argument of this name loads."""
        return self.key or AssetKey([*(self.key_prefix or ()), argument])


@dataclass(frozen=True, eq=False, init=False)
class AssetOut:
    """Describe one asset of a ``@multi_asset``; the arguments are those of AssetSpec and Out."""

    key: AssetKey | None
    key_prefix: tuple[str, ...]
    dagster_type: Any
    description: str | None
    is_required: bool
    io_manager_key: str
    metadata: Mapping[str, Any]
    group_name: str | None
    code_version: str | None
    automation_condition: Any
    owners: FrozenList[str]
    tags: Mapping[str, str]
    kinds: frozenset[str]
    backfill_policy: Any
    freshness_policy: Any
    is_virtual: bool

    def __init__(
        self,
        key_prefix: str | Sequence[str] | None = None,
        key: Any = None,
        dagster_type: Any = NO_VALUE,
        description: str | None = None,
        is_required: bool = True,
        io_manager_key: str | None = None,
        metadata: Mapping[str, Any] | None = None,
        group_name: str | None = None,
        code_version: str | None = None,
        automation_condition: Any = None,
        backfill_policy: Any = None,
        owners: Sequence[str] | None = None,
        tags: Mapping[str, str] | None = None,
        kinds: Iterable[str] | None = None,
        freshness_policy: Any = None,
        is_virtual: bool = False,
    ) -> None:
        if key is not None and key_prefix:
            raise CheckError("give `key` or `key_prefix`, not both")
        prefix = (key_prefix,) if isinstance(key_prefix, str) else tuple(key_prefix or ())
        asset_key = AssetKey.from_coercible(key) if key is not None else None
        values = (asset_key, prefix, dagster_type, description, is_required, io_manager_key or IO_MANAGER)
        labels = (dict(metadata or {}), group_name, code_version, automation_condition, FrozenList(owners or ()))
        rest = (dict(tags or {}), frozenset(kinds or ()), backfill_policy, freshness_policy, is_virtual)
        set_all(self, (*values, *labels, *rest))
        valid_tags({**kind_tags(kinds), **self.to_spec(AssetKey("out"), ()).tags}, f"AssetOut({asset_key or ''})")

    def to_out(self) -> Out:
        """Return the op's port."""
        return Out(
            self.dagster_type, self.description, self.is_required, self.io_manager_key, self.metadata, self.code_version
        )

    def to_spec(self, key: AssetKey, deps: Iterable[Any], partitions_def: Any = None) -> AssetSpec:
        """Return the spec of the asset under ``key``."""
        return AssetSpec(
            key,
            deps=deps,
            description=self.description,
            metadata=self.metadata,
            skippable=not self.is_required,
            group_name=self.group_name,
            code_version=self.code_version,
            automation_condition=self.automation_condition,
            owners=self.owners,
            tags=self.tags,
            kinds=self.kinds,
            partitions_def=partitions_def,
            freshness_policy=self.freshness_policy,
            is_virtual=self.is_virtual,
        )

    @staticmethod
    def from_spec(
        spec: AssetSpec, dagster_type: Any = NO_VALUE, is_required: bool = True, io_manager_key: str | None = None
    ) -> AssetOut:
        """Return an AssetOut that says what ``spec`` says."""
        tags = {tag: value for tag, value in spec.tags.items() if not tag.startswith(KIND)}
        return AssetOut(
            key=spec.key,
            dagster_type=dagster_type,
            description=spec.description,
            is_required=is_required,
            io_manager_key=io_manager_key,
            metadata=spec.metadata,
            group_name=spec.group_name,
            code_version=spec.code_version,
            automation_condition=spec.automation_condition,
            owners=spec.owners,
            tags=tags,
            kinds=spec.kinds,
            freshness_policy=spec.freshness_policy,
            is_virtual=spec.is_virtual,
        )


@dataclass(frozen=True, eq=False)
class AssetsDefinition:
    """Tie an op to the assets and checks that it makes; without an op, describe external assets.

    Args:
        op: what computes, or None for external assets.
        asset_specs: one per asset, with its dependencies.
        keys_by_input_name: argument -> asset it loads (or, for ``Nothing``, waits for).
        keys_by_output_name: output -> asset.
        check_specs_by_output_name: output -> check.
        asset_ins: argument -> how it is loaded, where it was said.
        can_subset: whether the op can make some of its assets without the others.
        selected: the assets of a subset; None for all of them.
        selected_checks: the checks of a subset; None for all of them.
    """

    op_def: OpDefinition | None
    asset_specs: tuple[AssetSpec, ...] = ()
    keys_by_input_name: Mapping[str, AssetKey] = field(default_factory=dict)
    all_keys_by_output_name: Mapping[str, AssetKey] = field(default_factory=dict)
    all_check_specs_by_output_name: Mapping[str, AssetCheckSpec] = field(default_factory=dict)
    asset_ins: Mapping[str, AssetIn] = field(default_factory=dict)
    resource_defs: Mapping[str, Any] = field(default_factory=dict)
    can_subset: bool = False
    selected: frozenset[AssetKey] | None = None
    selected_checks: frozenset[AssetCheckKey] | None = None
    execution: str = MATERIALIZATION
    backfill_policy: Any = None
    hook_defs: frozenset[Any] = frozenset()
    origin: str = ""

    def __post_init__(self) -> None:
        keys = [spec.key for spec in self.asset_specs]
        if len(set(keys)) != len(keys):
            twice = next(key for key in keys if keys.count(key) > 1)
            raise DagsterInvalidDefinitionError(f"`{twice}` is made twice by one definition", where=self.origin)

    # -- what it makes ------------------------------------------------------------------------------------------------

    @cached_property
    def specs_by_key(self) -> Mapping[AssetKey, AssetSpec]:
        """Return key -> spec of the selected assets."""
        return {spec.key: spec for spec in self.asset_specs if self.selected is None or spec.key in self.selected}

    @property
    def specs(self) -> Sequence[AssetSpec]:
        """Return the specs of the selected assets."""
        return list(self.specs_by_key.values())

    @cached_property
    def keys(self) -> frozenset[AssetKey]:
        """Return the keys of the selected assets."""
        return frozenset(self.specs_by_key)

    @property
    def has_keys(self) -> bool:
        """Tell whether it makes assets at all, and not only checks."""
        return bool(self.specs_by_key)

    @property
    def key(self) -> AssetKey:
        """Return the key of a definition of one asset.

        Raises:
            DagsterInvariantViolationError: when it makes several.
        """
        if len(self.keys) != 1:
            raise DagsterInvariantViolationError(
                f"`.key` is for a definition of one asset, and this one has {len(self.keys)}", hint="use `.keys`"
            )
        return next(iter(self.keys))

    @cached_property
    def keys_by_output_name(self) -> Mapping[str, AssetKey]:
        """Return output -> selected asset."""
        return {name: key for name, key in self.all_keys_by_output_name.items() if key in self.specs_by_key}

    @property
    def node_keys_by_output_name(self) -> Mapping[str, AssetKey]:
        """Return output -> asset, of all assets that the op can make."""
        return self.all_keys_by_output_name

    @property
    def node_keys_by_input_name(self) -> Mapping[str, AssetKey]:
        """Return input -> asset."""
        return self.keys_by_input_name

    @cached_property
    def check_specs_by_output_name(self) -> Mapping[str, AssetCheckSpec]:
        """Return output -> selected check."""
        chosen = self.selected_checks
        specs = self.all_check_specs_by_output_name
        return {name: spec for name, spec in specs.items() if chosen is None or spec.key in chosen}

    @property
    def check_specs(self) -> Sequence[AssetCheckSpec]:
        """Return the selected checks."""
        return list(self.check_specs_by_output_name.values())

    @cached_property
    def check_keys(self) -> frozenset[AssetCheckKey]:
        """Return the keys of the selected checks."""
        return frozenset(spec.key for spec in self.check_specs_by_output_name.values())

    @property
    def asset_or_check_keys(self) -> frozenset[AssetKey | AssetCheckKey]:
        """Return all that the definition makes."""
        return self.keys | self.check_keys

    @property
    def check_key(self) -> AssetCheckKey:
        """Return the key of a definition of one check."""
        if len(self.check_keys) != 1:
            raise DagsterInvariantViolationError(f"`.check_key` is for one check, and this definition has {len(self.check_keys)}")
        return next(iter(self.check_keys))

    # -- what it needs ------------------------------------------------------------------------------------------------

    @property
    def op(self) -> OpDefinition:
        """Return the op.

        Raises:
            DagsterInvariantViolationError: for external assets.
        """
        if self.op_def is None:
            raise DagsterInvariantViolationError(f"`{self.label}` is external: nothing computes it")
        return self.op_def

    @property
    def node_def(self) -> OpDefinition:
        """Return the op, under Dagster's name for op or graph."""
        return self.op

    @property
    def computation(self) -> OpDefinition | None:
        """Return the op, or None for external assets."""
        return self.op_def

    @cached_property
    def asset_deps(self) -> Mapping[AssetKey, set[AssetKey]]:
        """Return asset -> the assets it depends on."""
        return {key: {dep.asset_key for dep in spec.deps} for key, spec in self.specs_by_key.items()}

    @cached_property
    def dependency_keys(self) -> frozenset[AssetKey]:
        """Return all assets that some asset or check of it depends on."""
        deps = {dep.asset_key for spec in self.specs for dep in spec.deps}
        checks = {dep.asset_key for spec in self.check_specs for dep in spec.additional_deps}
        return frozenset(deps | checks | ({spec.asset_key for spec in self.check_specs} - self.keys))

    @property
    def input_names(self) -> Iterable[str]:
        """Return the names of the arguments that assets are loaded into."""
        return self.keys_by_input_name.keys()

    @cached_property
    def required_resource_keys(self) -> frozenset[str]:
        """Return the resources that computing, loading and storing need, IO managers included."""
        if self.op_def is None:
            return frozenset()
        managers = {self.get_io_manager_key_for_asset_key(key) for key in self.keys}
        loaders = {port.input_manager_key for port in self.op_def.ins.values() if port.input_manager_key}
        return self.op_def.required_resource_keys | managers | loaders

    def get_io_manager_key_for_asset_key(self, key: AssetKey) -> str:
        """Return the resource that stores the asset."""
        said = self.specs_by_key[key].metadata.get(IO_MANAGER_KEY) if key in self.specs_by_key else None
        if said is not None:
            return str(getattr(said, "value", said))
        output = self.output_of.get(key)
        return self.op_def.outs[output].io_manager_key if self.op_def is not None and output else IO_MANAGER

    @cached_property
    def output_of(self) -> Mapping[AssetKey, str]:
        """Return asset -> output."""
        return {key: name for name, key in self.all_keys_by_output_name.items()}

    def get_output_name_for_asset_key(self, key: AssetKey) -> str:
        """Return the output that makes ``key``."""
        if key not in self.output_of:
            raise DagsterInvariantViolationError(f"`{self.label}` doesn't make `{key}`")
        return self.output_of[key]

    def get_output_name_for_asset_check_key(self, key: AssetCheckKey) -> str:
        """Return the output that makes the check ``key``."""
        return next(name for name, spec in self.all_check_specs_by_output_name.items() if spec.key == key)

    # -- what people say of it ----------------------------------------------------------------------------------------

    @property
    def label(self) -> str:
        """Return a name for messages."""
        names = [str(key) for key in sorted(self.keys)] or [str(key) for key in sorted(self.check_keys)]
        return names[0] if len(names) == 1 else f"{', '.join(names[:3])}{' ...' if len(names) > 3 else ''}"

    def get_asset_spec(self, key: AssetKey | None = None) -> AssetSpec:
        """Return the spec of ``key``, or of the only asset."""
        return self.specs_by_key[key or self.key]

    @property
    def group_names_by_key(self) -> Mapping[AssetKey, str]:
        """Return asset -> group, ``default`` where none was said."""
        return {key: spec.group_name or DEFAULT_GROUP for key, spec in self.specs_by_key.items()}

    @property
    def metadata_by_key(self) -> Mapping[AssetKey, Mapping[str, Any]]:
        """Return asset -> metadata."""
        return {key: spec.metadata for key, spec in self.specs_by_key.items()}

    @property
    def tags_by_key(self) -> Mapping[AssetKey, Mapping[str, str]]:
        """Return asset -> tags."""
        return {key: spec.tags for key, spec in self.specs_by_key.items()}

    @property
    def owners_by_key(self) -> Mapping[AssetKey, Sequence[str]]:
        """Return asset -> owners."""
        return {key: list(spec.owners) for key, spec in self.specs_by_key.items()}

    @property
    def descriptions_by_key(self) -> Mapping[AssetKey, str]:
        """Return asset -> description, of those that have one."""
        return {key: spec.description for key, spec in self.specs_by_key.items() if spec.description is not None}

    @property
    def code_versions_by_key(self) -> Mapping[AssetKey, str | None]:
        """Return asset -> the code version said, None where it's computed."""
        return {key: spec.code_version for key, spec in self.specs_by_key.items()}

    @property
    def automation_conditions_by_key(self) -> Mapping[AssetKey, Any]:
        """Return asset -> automation condition, of those that have one."""
        found = {key: spec.automation_condition for key, spec in self.specs_by_key.items()}
        return {key: condition for key, condition in found.items() if condition is not None}

    @property
    def partitions_def(self) -> Any:
        """Return the partitions that all assets of it share, or None."""
        found = [spec.partitions_def for spec in self.specs if spec.partitions_def is not None]
        return found[0] if found else None

    @property
    def execution_type(self) -> str:
        """Return what running it does: materialize, observe, or nothing."""
        return self.execution if self.op_def is not None else EXTERNAL

    @property
    def is_executable(self) -> bool:
        """Tell whether something computes it."""
        return self.op_def is not None

    @property
    def is_external(self) -> bool:
        """Tell whether nothing here materializes it."""
        return not self.is_materializable

    @property
    def is_materializable(self) -> bool:
        """Tell whether running it makes its assets."""
        return self.execution_type == MATERIALIZATION

    @property
    def is_observable(self) -> bool:
        """Tell whether running it observes its assets."""
        return self.execution_type == OBSERVATION

    @property
    def is_subset(self) -> bool:
        """Tell whether it's a part of what the op can make."""
        return self.selected is not None or self.selected_checks is not None

    # -- another one, from it -----------------------------------------------------------------------------------------

    def replaced(self, **changes: Any) -> AssetsDefinition:
        """Return a copy with some fields replaced."""
        return replace(self, **changes)

    def map_asset_specs(self, fn: Callable[[AssetSpec], AssetSpec]) -> AssetsDefinition:
        """Return a copy in which each spec is ``fn(spec)``; keys can't change this way.

        Raises:
            DagsterInvalidDefinitionError: when ``fn`` returns another key or drops a dependency that is an argument.
        """
        specs = tuple(self.checked_spec(spec, fn(spec)) for spec in self.asset_specs)
        return self.replaced(asset_specs=specs)

    def checked_spec(self, old: AssetSpec, new: AssetSpec) -> AssetSpec:
        """Return the new spec when it keeps what the op needs."""
        if old.key != new.key:
            raise DagsterInvalidDefinitionError(f"`{old.key}` can't become `{new.key}` here", hint="use `with_attributes`")
        arguments = set(self.keys_by_input_name.values())
        if {d.asset_key for d in old.deps} & arguments - {d.asset_key for d in new.deps}:
            raise DagsterInvalidDefinitionError("a dependency that is an argument of the function can't be dropped", where=self.label)
        return new

    def subset_for(
        self, selected_asset_keys: Iterable[AssetKey], selected_asset_check_keys: Iterable[AssetCheckKey] | None = None
    ) -> AssetsDefinition:
        """Return the part that makes these assets and checks.

        Raises:
            DagsterInvalidSubsetError: when the op can only make all of them at once.
        """
        keys = self.keys & frozenset(selected_asset_keys)
        wanted = None if selected_asset_check_keys is None else frozenset(selected_asset_check_keys)
        checks = frozenset(k for k in self.check_keys if (k in wanted if wanted is not None else k.asset_key in keys))
        if (keys, checks) == (self.keys, self.check_keys):
            return self
        if not self.can_subset:
            raise DagsterInvalidSubsetError(
                f"`{self.label}` are made together: a part of them can't be run alone",
                hint="select all of them, or give the decorator `can_subset=True` and yield what is selected",
            )
        return self.replaced(selected=keys, selected_checks=checks)

    def with_resources(self, resource_defs: Mapping[str, Any]) -> AssetsDefinition:
        """Return a copy that carries these resources; those it has already can't be replaced."""
        twice = sorted(key for key in resource_defs if self.resource_defs.get(key, resource_defs[key]) is not resource_defs[key])
        if twice:
            raise DagsterInvalidInvocation(self.label, twice)
        return self.replaced(resource_defs={**self.resource_defs, **resource_defs})

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the definition as the function it was made from; see ``build_asset_context``."""
        return invoke(self, args, kwargs)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.label}>"


def DagsterInvalidInvocation(label: str, keys: Sequence[str]) -> DagsterInvalidDefinitionError:  # noqa: N802
    """Return the error for a resource given twice."""
    return DagsterInvalidDefinitionError(f"`{label}` has a resource already for: {', '.join(keys)}")


@dataclass(frozen=True, eq=False, repr=False)
class AssetChecksDefinition(AssetsDefinition):
    """Be a definition that makes checks only."""

    @property
    def name(self) -> str:
        """Return the name of the only check."""
        return self.check_key.name

    @property
    def asset_key(self) -> AssetKey:
        """Return the asset of the only check."""
        return self.check_key.asset_key


class SourceAsset(AssetsDefinition):
    """Be an external asset by Dagster's older spelling; ``AssetSpec`` is the newer one."""

    def __init__(
        self,
        key: Any,
        metadata: Mapping[str, Any] | None = None,
        io_manager_key: str | None = None,
        io_manager_def: Any = None,
        description: str | None = None,
        partitions_def: Any = None,
        group_name: str | None = None,
        resource_defs: Mapping[str, Any] | None = None,
        tags: Mapping[str, str] | None = None,
        **_: Any,
    ) -> None:
        asset_key = AssetKey.from_coercible(key)
        manager = io_manager_key or (f"{asset_key.to_python_identifier()}__io_manager" if io_manager_def else None)
        resources = {**(resource_defs or {}), **({manager: io_manager_def} if io_manager_def else {})}
        spec = AssetSpec(
            asset_key,
            metadata={**(metadata or {}), **({IO_MANAGER_KEY: manager} if manager else {})},
            description=description,
            partitions_def=partitions_def,
            group_name=group_name,
            tags=tags,
        )
        AssetsDefinition.__init__(self, None, (spec,), resource_defs=resources)

    def __getattr__(self, name: str) -> Any:
        if name in AssetSpec.__dataclass_fields__:
            return getattr(self.get_asset_spec(), name)
        raise AttributeError(name)

    @property
    def io_manager_key(self) -> str:
        """Return the resource that loads it."""
        return self.get_io_manager_key_for_asset_key(self.key)


def external(spec: AssetSpec) -> AssetsDefinition:
    """Return the definition of an external asset."""
    return AssetsDefinition(None, (spec,))


def nothing_inputs(deps: Iterable[AssetDep], taken: Iterable[str] = ()) -> dict[str, tuple[In, AssetKey]]:
    """Return, for dependencies that aren't loaded, input name -> (port, key)."""
    used = set(taken)
    return {
        dep.asset_key.to_python_identifier(): (In(Nothing), dep.asset_key)
        for dep in deps
        if dep.asset_key.to_python_identifier() not in used
    }
