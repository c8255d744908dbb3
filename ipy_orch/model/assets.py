"""Assets: what is computed, from what, by which op or graph.

One class for every spelling: ``@asset``, ``@multi_asset``, ``@graph_asset``, external assets, checks that are steps of
their own. It ties the ports of an op or graph to keys: inputs to the assets they load, outputs to the assets and checks
that they make.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, Self

from ipy_orch.errors import (
    CheckError,
    DagsterInvalidDefinitionError,
    DagsterInvalidInvocationError,
    DagsterInvalidSubsetError,
    DagsterInvariantViolationError,
)
from ipy_orch.model.asset_changes import attributed, renamed, respecified
from ipy_orch.model.asset_ports import AssetIn
from ipy_orch.model.asset_specs import (
    distinct_specs,
    in_some_group,
    input_keys,
    manager_in,
    output_keys,
    refuse_idle_nodes,
    refuse_reading_itself,
    refuse_two_mappings,
    refuse_unknown_outputs,
    specs_of_node,
)
from ipy_orch.model.asset_texts import Described
from ipy_orch.model.checks import AssetCheckSpec
from ipy_orch.model.graphs.graph import GraphDefinition, NodeDefinition
from ipy_orch.model.graphs.invocations import call
from ipy_orch.model.keys import AssetCheckKey, AssetKey
from ipy_orch.model.metadata.plain import normalize_metadata
from ipy_orch.model.ops import IO_MANAGER, OpDefinition, set_all
from ipy_orch.model.specs import IO_MANAGER_KEY, STUB, AssetSpec

__all__ = ["AssetChecksDefinition", "AssetsDefinition", "SourceAsset"]

MATERIALIZATION, OBSERVATION, EXTERNAL = "MATERIALIZATION", "OBSERVATION", "UNEXECUTABLE"


@dataclass(frozen=True, eq=False, init=False, repr=False)
class AssetsDefinition(Described):
    """Tie an op or graph to the assets and checks that it makes; without one, describe external assets.

    Args:
        node_def: the op or graph that computes, or None for external assets.
        specs: one per asset, with its dependencies; by default read from the op's outputs and the ``..._by_key`` maps.
        keys_by_input_name: argument -> asset it loads (or, for ``Nothing``, waits for).
        keys_by_output_name: output -> asset.
        check_specs_by_output_name: output -> check.
        asset_ins: argument -> how it is loaded, where it was said.
        can_subset: whether the op can make some of its assets without the others.
        selected_asset_keys: the assets of a subset; None for all of them.
        selected_asset_check_keys: the checks of a subset; None for all of them.
        execution_type: what running it does: materialize or observe.
        origin: the place that messages name.

    Raises:
        DagsterInvalidDefinitionError: when two specs of one key differ, or an asset depends on itself.
        CheckError: when arguments that belong to an op come without one.
    """

    op_def: NodeDefinition | None
    asset_specs: tuple[AssetSpec, ...]
    keys_by_input_name: Mapping[str, AssetKey]
    all_keys_by_output_name: Mapping[str, AssetKey]
    all_check_specs_by_output_name: Mapping[str, AssetCheckSpec]
    asset_ins: Mapping[str, AssetIn]
    resource_defs: Mapping[str, Any]
    can_subset: bool
    selected: frozenset[AssetKey] | None
    selected_checks: frozenset[AssetCheckKey] | None
    execution: str
    backfill_policy: Any
    hook_defs: frozenset[Any]
    origin: str

    def __init__(
        self,
        node_def: NodeDefinition | None = None,
        specs: Iterable[AssetSpec] | None = None,
        keys_by_input_name: Mapping[str, AssetKey] | None = None,
        keys_by_output_name: Mapping[str, AssetKey] | None = None,
        check_specs_by_output_name: Mapping[str, AssetCheckSpec] | None = None,
        asset_ins: Mapping[str, AssetIn] | None = None,
        resource_defs: Mapping[str, Any] | None = None,
        can_subset: bool = False,
        selected_asset_keys: Iterable[AssetKey] | None = None,
        selected_asset_check_keys: Iterable[AssetCheckKey] | None = None,
        execution_type: str = MATERIALIZATION,
        backfill_policy: Any = None,
        hook_defs: Iterable[Any] | None = None,
        origin: str = "",
        *,
        is_subset: bool = False,  # noqa: ARG002 - Dagster's argument; it follows from what is selected
        **by_key: Any,
    ) -> None:
        if node_def is None and (
            specs is None or by_key or keys_by_input_name or keys_by_output_name or can_subset or backfill_policy
        ):
            raise CheckError(
                "external assets have `specs` and resources, and nothing else: what computes them is `node_def`"
            )
        keys = dict(keys_by_output_name or {})
        made = (
            specs_of_node(node_def, keys, keys_by_input_name or {}, **by_key) if specs is None and node_def else specs
        )
        values = (
            node_def,
            tuple(made or ()),
            dict(keys_by_input_name or {}),
            keys,
            dict(check_specs_by_output_name or {}),
        )
        chosen = None if selected_asset_keys is None else frozenset(selected_asset_keys)
        checks = None if selected_asset_check_keys is None else frozenset(selected_asset_check_keys)
        how = (
            dict(asset_ins or {}),
            dict(resource_defs or {}),
            can_subset,
            chosen,
            checks,
            execution_type,
            backfill_policy,
        )
        set_all(self, (*values, *how, frozenset(hook_defs or ()), origin))
        if isinstance(node_def, GraphDefinition):
            refuse_idle_nodes(node_def)
        self.settle()

    @classmethod
    def from_op(cls, op_def: OpDefinition, **options: Any) -> Self:
        """Return the assets that an op's outputs are; a single ``result`` is named like the op.

        Args:
            **options: those of :meth:`from_node`.
        """
        return cls.from_node(op_def, **options)

    @classmethod
    def from_graph(cls, graph_def: GraphDefinition, **options: Any) -> Self:
        """Return the assets that a graph's outputs are; a single ``result`` is named like the graph.

        Args:
            **options: those of :meth:`from_node`.
        """
        return cls.from_node(graph_def, **options)

    @classmethod
    def from_node(
        cls,
        node_def: NodeDefinition,
        *,
        keys_by_input_name: Mapping[str, AssetKey] | None = None,
        keys_by_output_name: Mapping[str, AssetKey] | None = None,
        key_prefix: str | Sequence[str] | None = None,
        internal_asset_deps: Mapping[str, Iterable[AssetKey]] | None = None,
        group_name: str | None = None,
        partition_mappings: Mapping[str, Any] | None = None,
        partitions_def: Any = None,
        resource_defs: Mapping[str, Any] | None = None,
        can_subset: bool = False,
        backfill_policy: Any = None,
        check_specs: Iterable[AssetCheckSpec] | None = None,
        hook_defs: Iterable[Any] | None = None,
        **by_output_name: Mapping[str, Any] | None,
    ) -> Self:
        """Return the assets that the outputs of an op or graph are.

        Args:
            keys_by_input_name: by default each input loads the asset named like it.
            keys_by_output_name: by default each output is the asset named like it.
            key_prefix: put before the keys of the outputs.
            internal_asset_deps: output -> the assets it depends on, where these aren't all inputs.
            partition_mappings: input -> which partitions of it are loaded.
            check_specs: the checks that the other outputs are.
            by_output_name: ``metadata_by_output_name`` and the like, output -> what the spec says.

        Raises:
            CheckError: when keys are given for other ports than it has, or a node of the graph makes nothing of use.
        """
        checks = {spec.get_python_identifier(): spec for spec in check_specs or ()}
        plain = output_keys(node_def, keys_by_output_name or {}, checks)
        keys = {name: key.with_prefix(key_prefix or ()) for name, key in plain.items()}
        moved = {plain[name]: key for name, key in keys.items()}
        inputs = input_keys(node_def, keys_by_input_name or {})
        refuse_unknown_outputs(internal_asset_deps or {}, keys)
        internal = {keys[name]: {moved.get(k, k) for k in deps} for name, deps in (internal_asset_deps or {}).items()}
        if group_name is not None and by_output_name.get("group_names_by_output_name"):
            raise CheckError("give `group_name` or `group_names_by_output_name`, not both")
        said: dict[str, Any] = {
            what.replace("_by_output_name", "_by_key"): {keys[name]: one for name, one in given.items()}
            for what, given in by_output_name.items()
            if given
        }
        if group_name is not None:
            said["group_names_by_key"] = dict.fromkeys(keys.values(), group_name)
        return cls(
            node_def,
            None,
            inputs,
            keys,
            checks,
            resource_defs=resource_defs,
            can_subset=can_subset,
            backfill_policy=backfill_policy,
            hook_defs=hook_defs,
            asset_deps=internal,
            partitions_def=partitions_def,
            partition_mappings={inputs[name]: one for name, one in (partition_mappings or {}).items()},
            **said,
        )

    def settle(self) -> None:
        """Check the specs, leave out repeated ones, and put those without a group into the default one."""
        object.__setattr__(
            self, "asset_specs", tuple(map(in_some_group, distinct_specs(self.asset_specs, self.origin)))
        )
        if len(self.asset_specs) > 1:
            refuse_two_mappings(self.asset_specs, self.origin)
        if len(set(self.all_keys_by_output_name.values())) != len(self.all_keys_by_output_name):
            raise DagsterInvalidDefinitionError(f"two outputs of `{self.label}` make one asset", where=self.origin)
        for spec in self.asset_specs if self.op_def is not None else ():
            refuse_reading_itself(spec, self.origin)

    @cached_property
    def memo(self) -> dict[str, Any]:
        """Return where upper floors keep what they have worked out about this definition, each under its own name."""
        return {}

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
    def node_check_specs_by_output_name(self) -> Mapping[str, AssetCheckSpec]:
        """Return output -> check, of all checks that the op can make."""
        return self.all_check_specs_by_output_name

    @property
    def has_check_keys(self) -> bool:
        """Tell whether it makes checks."""
        return bool(self.check_keys)

    @property
    def asset_and_check_keys(self) -> frozenset[AssetKey | AssetCheckKey]:
        """Return all that the definition makes."""
        return self.keys | self.check_keys

    asset_or_check_keys = asset_and_check_keys

    @property
    def check_key(self) -> AssetCheckKey:
        """Return the key of a definition of one check."""
        if len(self.check_keys) != 1:
            raise DagsterInvariantViolationError(
                f"`.check_key` is for one check, and this definition has {len(self.check_keys)}"
            )
        return next(iter(self.check_keys))

    # -- what it needs ------------------------------------------------------------------------------------------------

    @property
    def op(self) -> NodeDefinition:
        """Return the op or graph.

        Raises:
            DagsterInvariantViolationError: for external assets.
        """
        if self.op_def is None:
            raise DagsterInvariantViolationError(f"`{self.label}` is external: nothing computes it")
        return self.op_def

    @property
    def node_def(self) -> NodeDefinition:
        """Return the op or graph, under Dagster's other name."""
        return self.op

    @property
    def computation(self) -> NodeDefinition | None:
        """Return the op or graph, or None for external assets."""
        return self.op_def

    @cached_property
    def asset_deps(self) -> Mapping[AssetKey, set[AssetKey]]:
        """Return asset -> the assets it depends on, also of assets that aren't selected."""
        return {spec.key: {dep.asset_key for dep in spec.deps} for spec in self.asset_specs}

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
        """Return the resources that computing, loading, storing and hooks need, IO managers included."""
        if self.op_def is None:
            return frozenset(manager_in(spec) for spec in self.specs) - {""}
        ops = [self.op_def] if isinstance(self.op_def, OpDefinition) else [*self.op_def.iterate_op_defs()]
        managers = {self.get_io_manager_key_for_asset_key(key) for key in self.keys}
        if ops != [self.op_def]:  # what goes from one op of a graph to another is stored as well
            managers |= {port.io_manager_key for op in ops for port in op.outs.values() if not port.is_nothing}
        loaders = {port.input_manager_key for op in ops for port in op.ins.values() if port.input_manager_key}
        hooks = {key for hook in self.hook_defs for key in hook.required_resource_keys}
        return self.op_def.required_resource_keys | managers | loaders | hooks

    def get_io_manager_key_for_asset_key(self, key: AssetKey) -> str:
        """Return the resource that stores the asset."""
        said = manager_in(self.specs_by_key[key]) if key in self.specs_by_key else ""
        if said:
            return said
        output = self.output_of.get(key)
        return self.op_def.outs[output].io_manager_key if self.op_def is not None and output else IO_MANAGER

    @cached_property
    def output_of(self) -> Mapping[AssetKey, str]:
        """Return asset -> output."""
        return {key: name for name, key in self.all_keys_by_output_name.items()}

    def get_output_name_for_asset_key(self, key: AssetKey) -> str:
        """Return the output that makes ``key``."""
        if key not in self.output_of:
            raise DagsterInvariantViolationError(f"`{self.label}` doesn't make `{key.label}`")
        return self.output_of[key]

    def get_output_name_for_asset_check_key(self, key: AssetCheckKey) -> str:
        """Return the output that makes the check ``key``."""
        return next(name for name, spec in self.all_check_specs_by_output_name.items() if spec.key == key)

    def get_spec_for_check_key(self, key: AssetCheckKey) -> AssetCheckSpec:
        """Return the spec of a check."""
        return self.all_check_specs_by_output_name[self.get_output_name_for_asset_check_key(key)]

    @property
    def label(self) -> str:
        """Return a name for messages."""
        names = [key.label for key in sorted(self.keys)] or [key.label for key in sorted(self.check_keys)]
        return names[0] if len(names) == 1 else f"{', '.join(names[:3])}{' ...' if len(names) > 3 else ''}"

    def get_asset_spec(self, key: AssetKey | None = None) -> AssetSpec:
        """Return the spec of ``key``, or of the only asset."""
        return self.specs_by_key[key or self.key]

    # -- what running it does -----------------------------------------------------------------------------------------

    @property
    def execution_type(self) -> str:
        """Return what running it does: materialize, observe, or nothing."""
        return self.execution if self.op_def is not None else EXTERNAL

    @property
    def is_executable(self) -> bool:
        """Tell whether something computes it."""
        return self.op_def is not None

    @property
    def is_auto_created_stub(self) -> bool:
        """Tell whether it stands for an asset that is only named in dependencies."""
        return any(STUB in spec.metadata for spec in self.asset_specs)

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

    def replaced(self, **changes: Any) -> Self:
        """Return a copy with some fields replaced."""
        made = object.__new__(type(self))
        set_all(made, [changes.get(name, getattr(self, name)) for name in self.__dataclass_fields__])
        made.settle()
        return made

    def get_attributes_dict(self) -> dict[str, Any]:
        """Return the arguments that make the same definition."""
        return {name: getattr(self, field) for name, field in zip(ARGUMENTS, self.__dataclass_fields__, strict=True)}

    def map_asset_specs(self, fn: Callable[[AssetSpec], AssetSpec]) -> Self:
        """Return a copy in which each spec is ``fn(spec)``; keys can't change this way.

        Raises:
            DagsterInvalidDefinitionError: when ``fn`` returns another key or drops a dependency that is an argument.
            CheckError: when it adds a dependency to the assets of a graph.
        """
        return respecified(self, fn)

    def with_attributes(
        self,
        *,
        asset_key_replacements: Mapping[AssetKey, AssetKey] | None = None,
        group_names_by_key: Mapping[AssetKey, str] | None = None,
        tags_by_key: Mapping[AssetKey, Mapping[str, str]] | None = None,
        metadata_by_key: Mapping[AssetKey | AssetCheckKey, Mapping[str, Any]] | None = None,
        automation_condition: Any = None,
        backfill_policy: Any = None,
        hook_defs: Iterable[Any] | None = None,
    ) -> Self:
        """Return a copy with other attributes; the maps name assets by their old keys.

        Args:
            asset_key_replacements: old key -> new key, of assets that it makes and of those it depends on.
            automation_condition: one for all assets, or key -> condition.

        Raises:
            DagsterInvalidDefinitionError: when an asset has a group already.
        """
        made = attributed(
            self, group_names_by_key or {}, tags_by_key or {}, metadata_by_key or {}, automation_condition
        ).replaced(
            backfill_policy=backfill_policy or self.backfill_policy,
            hook_defs=frozenset(hook_defs) if hook_defs is not None else self.hook_defs,
        )
        return renamed(made, asset_key_replacements or {})

    def with_hooks(self, hook_defs: Iterable[Any]) -> Self:
        """Return a copy with these hooks besides its own."""
        return self.replaced(hook_defs=self.hook_defs | frozenset(hook_defs))

    def to_source_assets(self) -> Sequence[SourceAsset]:
        """Return its assets as external ones, that another code location can load."""
        return [self.to_source_asset(key) for key in self.specs_by_key]

    def to_source_asset(self, key: Any = None) -> SourceAsset:
        """Return one of its assets as an external one."""
        spec = self.specs_by_key[AssetKey.from_coercible(key) if key is not None else self.key]
        manager = self.get_io_manager_key_for_asset_key(spec.key)
        return SourceAsset(
            spec.key,
            metadata=spec.metadata,
            io_manager_key=manager,
            description=spec.description,
            resource_defs={key: one for key, one in self.resource_defs.items() if key == manager},
            partitions_def=spec.partitions_def,
            group_name=spec.group_name,
            tags=spec.tags,
        )

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

    def with_resources(self, resource_defs: Mapping[str, Any]) -> Self:
        """Return a copy that carries these resources.

        Raises:
            DagsterInvalidInvocationError: when it carries another one of the same key.
        """
        twice = sorted(
            key for key in resource_defs if self.resource_defs.get(key, resource_defs[key]) is not resource_defs[key]
        )
        if twice:
            raise DagsterInvalidInvocationError(f"`{self.label}` has a resource already for: {', '.join(twice)}")
        return self.replaced(resource_defs={**self.resource_defs, **resource_defs})

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the definition as the function it was made from; see ``build_asset_context``."""
        return call(self, args, kwargs)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.label}>"


ARGUMENTS: Final = (
    "node_def",
    "specs",
    "keys_by_input_name",
    "keys_by_output_name",
    "check_specs_by_output_name",
    "asset_ins",
    "resource_defs",
    "can_subset",
    "selected_asset_keys",
    "selected_asset_check_keys",
    "execution_type",
    "backfill_policy",
    "hook_defs",
    "origin",
)


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
        resources = dict(resource_defs or {}) | ({str(manager): io_manager_def} if io_manager_def else {})
        spec = AssetSpec(
            asset_key,
            metadata={**(metadata or {}), **({IO_MANAGER_KEY: manager} if manager else {})},
            description=description,
            partitions_def=partitions_def,
            group_name=group_name,
            tags=tags,
        )
        super().__init__(None, (spec,), resource_defs=resources)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, SourceAsset):
            return NotImplemented
        return self.get_asset_spec() == other.get_asset_spec() and self.resource_defs == other.resource_defs

    def __hash__(self) -> int:
        return hash(self.key)

    def __getattr__(self, name: str) -> Any:
        if name in AssetSpec.__dataclass_fields__:
            return getattr(self.get_asset_spec(), name)
        raise AttributeError(name)

    @property
    def metadata(self) -> Mapping[str, Any]:
        """Return what was said of it, as MetadataValues."""
        return normalize_metadata(self.raw_metadata, allow_invalid=True)

    @property
    def raw_metadata(self) -> Mapping[str, Any]:
        """Return what was said of it, as it was said."""
        return {key: value for key, value in self.get_asset_spec().metadata.items() if key != IO_MANAGER_KEY}

    @property
    def io_manager_key(self) -> str:
        """Return the resource that loads it."""
        return self.get_io_manager_key_for_asset_key(self.key)

    def get_io_manager_key(self) -> str:
        """Return the key of the resource that loads it, under Dagster's other name."""
        return self.io_manager_key

    @property
    def io_manager_def(self) -> Any:
        """Return the IO manager that it carries, or None."""
        return self.resource_defs.get(self.io_manager_key)


def external(spec: AssetSpec) -> AssetsDefinition:
    """Return the definition of an external asset."""
    return AssetsDefinition(None, (spec,))
