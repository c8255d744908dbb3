"""What user code learns about the step that it runs in."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, Self

from ipy_orch.errors import DagsterInvariantViolationError, closest
from ipy_orch.execution.contexts.current import CURRENT
from ipy_orch.execution.contexts.handles import NodeHandle
from ipy_orch.execution.contexts.logs import StepLog, no_log
from ipy_orch.execution.contexts.partitions import PartitionedContext, StepPartitions
from ipy_orch.execution.contexts.resources import NO_RESOURCES
from ipy_orch.execution.records.dagster_run import RunInfo
from ipy_orch.model.assets import AssetsDefinition
from ipy_orch.model.config.annotations import is_config
from ipy_orch.model.keys import AssetCheckKey, AssetKey
from ipy_orch.model.metadata.plain import normalize_metadata
from ipy_orch.model.ops import RESULT, OpDefinition
from ipy_orch.model.results import (
    CODE_VERSION_TAG,
    INPUT_VERSION_TAG,
    SAID_VERSION_TAG,
    DataProvenance,
    DataVersion,
)

if TYPE_CHECKING:
    from ipy_orch.execution.wiring import Wiring
    from ipy_orch.model.graphs.graph import Node
    from ipy_orch.model.jobs import JobDefinition
    from ipy_orch.planning.partitioning import Reading

__all__ = ["AssetCheckExecutionContext", "AssetExecutionContext", "OpExecutionContext"]


#: what a function tells its context
TOLD: Final = ("output_metadata", "partition_metadata", "data_versions", "events", "made")


class OpExecutionContext(PartitionedContext):
    """Tell an op about its run, its config and its resources, and take the metadata of its outputs."""

    def __init__(
        self,
        op: OpDefinition | None,
        run: RunInfo,
        definition: AssetsDefinition | None = None,
        keys: Sequence[AssetKey] = (),
        checks: Sequence[AssetCheckKey] = (),
        config: Any = None,
        resources: Any = NO_RESOURCES,
        partition: str | None = None,
        step: str = "",
        attempt: int = 0,
        emit: Callable[[str, str], None] = no_log,
        mapping_key: str | None = None,
        node: Node | None = None,
        job: JobDefinition | None = None,
        load: Callable[[AssetKey, str | None], Any] | None = None,
        ports: Wiring | None = None,
        reading: Reading | None = None,
    ) -> None:
        self.bound_op = op
        self.node, self.job, self.load = node, job, load
        self.ports = ports
        self.run = run
        self.step_key = step
        self.retry_number = attempt
        self.config = config
        self.resources = resources
        self.definition = definition
        self.keys = keys
        self.checks = checks
        self.partition, self.reading = partition, reading
        self.emit = emit
        self.mapping_key = mapping_key
        self.output_metadata: dict[tuple[str, str | None], dict[str, Any]] = {}
        self.partition_metadata: dict[tuple[AssetKey, str], dict[str, Any]] = {}
        self.data_versions: dict[AssetKey, DataVersion] = {}
        self.events: list[Any] = []
        self.made: set[tuple[str, str | None]] = set()  #: outputs that were yielded, with their mapping keys

    def __getstate__(self) -> dict[str, Any]:
        """Return what goes along to another process: not the log, the values and resources of this one."""
        here = {"emit": no_log, "load": None, "ports": None, "job": None, "resources": NO_RESOURCES}
        return {**vars(self), **here, "run": replace(self.run, instance=None)}

    def told(self) -> dict[str, Any]:
        """Return what a function told it, to tell another one the same."""
        return {name: getattr(self, name) for name in TOLD}

    def take(self, told: Mapping[str, Any]) -> None:
        """Take in what a function told another one."""
        self.output_metadata.update(told["output_metadata"])
        self.partition_metadata.update(told["partition_metadata"])
        self.data_versions.update(told["data_versions"])
        self.events += told["events"]
        self.made |= told["made"]

    @classmethod
    def get(cls) -> Self:
        """Return the context of the step that runs here, where the function didn't ask for it.

        Raises:
            DagsterInvariantViolationError: when no step runs here, or one of another kind.
        """
        context = CURRENT.get()
        if not isinstance(context, cls):
            raise DagsterInvariantViolationError(f"no step with an `{cls.__name__}` runs here")
        return context

    # -- the run --

    @property
    def dagster_run(self) -> RunInfo:
        """Return the run, under Dagster's other name."""
        return self.run

    @property
    def run_id(self) -> str:
        """Return the id of the run."""
        return self.run.run_id

    @property
    def run_config(self) -> Mapping[str, Any]:
        """Return the run config."""
        return self.run.config

    @property
    def run_tags(self) -> Mapping[str, str]:
        """Return the tags of the run."""
        return self.run.tags

    @property
    def job_name(self) -> str:
        """Return the name of the job."""
        return self.run.job_name

    @property
    def instance(self) -> Any:
        """Return the instance that keeps the events."""
        return self.run.instance

    @property
    def log(self) -> StepLog:
        """Return a logger whose records become events of the step."""
        return StepLog(self.emit)

    def has_tag(self, key: str) -> bool:
        """Tell whether the run has a tag."""
        return key in self.run.tags

    def get_tag(self, key: str) -> str | None:
        """Return a tag of the run."""
        return self.run.tags.get(key)

    # -- the op --

    @property
    def op(self) -> Any:
        """Return the op, in its place in a graph where it is in one: with its alias and the tags it has there.

        Raises:
            DagsterInvariantViolationError: for a context made for a test, before something is called with it.
        """
        return self.node if self.node is not None else self.op_def

    @property
    def op_def(self) -> OpDefinition:
        """Return the op.

        Raises:
            DagsterInvariantViolationError: for a context made for a test, before something is called with it.
        """
        if self.bound_op is None:
            raise DagsterInvariantViolationError("nothing runs in this context now", hint="call an op or asset with it")
        return self.bound_op

    @property
    def job_def(self) -> JobDefinition:
        """Return the job.

        Raises:
            DagsterInvariantViolationError: when it isn't a job that runs.
        """
        if self.job is None:
            raise DagsterInvariantViolationError("what runs here is no job", hint="`job_name` says what it is")
        return self.job

    @property
    def op_handle(self) -> NodeHandle:
        """Return the place of the op in the graphs around it."""
        return NodeHandle.of(self.step_key or self.op_def.name)

    @property
    def node_handle(self) -> NodeHandle:
        """Return the same, under Dagster's other name."""
        return self.op_handle

    def describe_op(self) -> str:
        """Return what runs, in words."""
        return f"op '{self.op_def.name}'"

    @property
    def op_config(self) -> Any:
        """Return the op's config, as plain data, with all defaults."""
        if not is_config(self.config):
            return self.config
        kind = type(self.config).__config_type__()
        return kind.filled(kind.dump(self.config))

    # -- the assets --

    @property
    def assets_def(self) -> AssetsDefinition:
        """Return the definition that runs.

        Raises:
            DagsterInvariantViolationError: in an op that makes no assets.
        """
        if self.definition is None:
            raise DagsterInvariantViolationError(f"`{self.op_def.name}` isn't the op of an asset")
        return self.definition

    @property
    def has_assets_def(self) -> bool:
        """Tell whether the op makes assets."""
        return self.definition is not None

    @property
    def asset_key(self) -> AssetKey:
        """Return the asset that runs.

        Raises:
            DagsterInvariantViolationError: when several do.
        """
        keys = sorted(self.assets_def.keys)
        if len(keys) != 1:
            raise DagsterInvariantViolationError(
                f"`.asset_key` is for one asset, and {len(keys)} run", hint="use `.selected_asset_keys`"
            )
        return keys[0]

    @property
    def selected_asset_keys(self) -> set[AssetKey]:
        """Return the assets that are to be made."""
        return set(self.keys)

    @property
    def selected_asset_check_keys(self) -> set[AssetCheckKey]:
        """Return the checks that are to be made."""
        return set(self.checks)

    @property
    def selected_output_names(self) -> set[str]:
        """Return the outputs that are to be yielded: of assets, those selected."""
        return set(self.op_def.outs) if self.ports is None else self.ports.wanted

    @property
    def is_subset(self) -> bool:
        """Tell whether only a part of the definition runs."""
        return self.assets_def.is_subset

    def asset_key_for_output(self, output_name: str = RESULT) -> AssetKey:
        """Return the asset of an output.

        Raises:
            DagsterInvariantViolationError: when it makes none.
        """
        known = self.assets_def.node_keys_by_output_name if self.ports is None else self.ports.key_of_output
        return found(known, output_name, f"an asset at output `{output_name}`")

    def asset_key_for_input(self, input_name: str) -> AssetKey:
        """Return the asset of an input.

        Raises:
            DagsterInvariantViolationError: when it loads none.
        """
        known = self.assets_def.node_keys_by_input_name if self.ports is None else self.ports.input_keys
        return found(known, input_name, f"an asset at input `{input_name}`")

    def output_for_asset_key(self, asset_key: AssetKey) -> str:
        """Return the output of an asset."""
        return self.assets_def.get_output_name_for_asset_key(asset_key)

    @property
    def partitioning(self) -> StepPartitions:
        """Return which partitions run, and which of the inputs they read."""
        return StepPartitions(self)

    # -- what the step says of its outputs --

    def add_output_metadata(
        self,
        metadata: Mapping[str, Any],
        output_name: str | None = None,
        mapping_key: str | None = None,
    ) -> None:
        """Add metadata to an output; the name may be left out where there is one.

        Args:
            mapping_key: of a dynamic output.

        Raises:
            DagsterInvariantViolationError: for an output that doesn't exist, or none named of several, or a mapping key
                that is missing or isn't wanted.
            DagsterInvalidMetadata: when a value can't be metadata.
        """
        name = output_name or self.only_output()
        if name not in self.op_def.outs:
            raise DagsterInvariantViolationError(
                f"`{self.op_def.name}` has no output `{name}`", hint=closest(name, self.op_def.outs)
            )
        if self.op_def.outs[name].is_dynamic != (mapping_key is not None):
            said = "is dynamic: say of which key" if mapping_key is None else "isn't dynamic: it has no keys"
            raise DagsterInvariantViolationError(
                f"output `{name}` of `{self.op_def.name}` {said}", hint="mapping_key=..."
            )
        if (name, mapping_key) in self.made:
            raise DagsterInvariantViolationError(
                f"output `{name}` of `{self.op_def.name}` was yielded before", hint="add the metadata first"
            )
        normalize_metadata(metadata)
        self.output_metadata.setdefault((name, mapping_key), {}).update(metadata)

    def only_output(self) -> str:
        """Return the name of the only output that carries a value or an asset.

        Raises:
            DagsterInvariantViolationError: when there are several.
        """
        names = [
            name
            for name in self.op_def.outs
            if self.definition is None or name not in self.definition.all_check_specs_by_output_name
        ]
        if len(names) != 1:
            raise DagsterInvariantViolationError(
                f"`{self.op_def.name}` has {len(names)} outputs: say which one", hint="output_name=..."
            )
        return names[0]

    def get_output_metadata(self, output_name: str, mapping_key: str | None = None) -> Mapping[str, Any] | None:
        """Return the metadata added so far."""
        return self.output_metadata.get((output_name, mapping_key))

    def get_mapping_key(self) -> str | None:
        """Return for which key of a dynamic output the op is called, None when it isn't mapped."""
        return self.mapping_key

    def add_asset_metadata(
        self,
        metadata: Mapping[str, Any],
        asset_key: Any = None,
        partition_key: str | None = None,
    ) -> None:
        """Add metadata to the materialization of an asset; the key may be left out where there is one.

        Args:
            partition_key: one of several partitions that run.

        Raises:
            DagsterInvariantViolationError: for an asset or a partition that isn't made here.
        """
        key = AssetKey.from_coercible(asset_key) if asset_key is not None else self.asset_key
        if key not in self.assets_def.keys:
            raise DagsterInvariantViolationError(f"`{key.label}` isn't made by `{self.op_def.name}`")
        if partition_key is None:
            self.add_output_metadata(metadata, self.output_for_asset_key(key))
            return
        if partition_key not in self.partition_keys:
            raise DagsterInvariantViolationError(f"partition `{partition_key}` isn't made by this run")
        normalize_metadata(metadata)
        self.partition_metadata.setdefault((key, partition_key), {}).update(metadata)

    def set_data_version(self, asset_key: AssetKey, data_version: DataVersion) -> None:
        """Name the content of what an asset's value will be, where its Output doesn't."""
        self.data_versions[asset_key] = data_version

    def get_asset_provenance(self, asset_key: AssetKey) -> DataProvenance | None:
        """Return from which versions an asset was made last, None where it never was."""
        record = self.instance.get_latest_materialization_event(asset_key) if self.instance is not None else None
        made = record.asset_materialization if record is not None else None
        return None if made is None or made.tags is None else provenance_in(made.tags)

    def log_event(self, event: Any) -> None:
        """Record a materialization, observation or expectation."""
        self.events.append(event)

    def has_events(self) -> bool:
        """Tell whether something was recorded that is still to be told."""
        return bool(self.events)

    def consume_events(self) -> Iterator[Any]:
        """Take out what was recorded; it isn't told of any more."""
        while self.events:
            yield self.events.pop(0)

    def note(self, item: Any) -> Any:
        """Take note of what the function yielded, in order with what it logs, and return it."""
        name = getattr(item, "output_name", None)
        if name is not None:
            self.made.add((name, getattr(item, "mapping_key", None)))
        return item

    def load_asset_value(
        self,
        asset_key: Any,
        *,
        python_type: Any = None,  # noqa: ARG002 - for type checkers
        partition_key: str | None = None,
    ) -> Any:
        """Return the value of an asset that is no input, from its IO manager.

        Raises:
            KeyError: when there's no such asset.
            DagsterInvariantViolationError: outside of a run.
        """
        if self.load is None:
            raise DagsterInvariantViolationError("only a run can load assets", hint="call the function with the value")
        return self.load(AssetKey.from_coercible(asset_key), partition_key or self.partition)


class AssetExecutionContext(OpExecutionContext):
    """Tell an asset's function about its step."""

    @property
    def op_execution_context(self) -> OpExecutionContext:
        """Return the context under Dagster's other name."""
        return self


class AssetCheckExecutionContext(AssetExecutionContext):
    """Tell a check's function about its step."""

    @property
    def check_specs(self) -> list[Any]:
        """Return the checks that run."""
        return list(self.assets_def.check_specs)

    @property
    def asset_check_spec(self) -> Any:
        """Return the only check that runs.

        Raises:
            DagsterInvariantViolationError: when several do.
        """
        if len(self.check_specs) != 1:
            raise DagsterInvariantViolationError(
                f"`.asset_check_spec` is for one check, and {len(self.check_specs)} run"
            )
        return self.check_specs[0]


def provenance_in(tags: Mapping[str, str]) -> DataProvenance:
    """Return from which versions something was made, as the tags of its materialization say."""
    read = {
        AssetKey.from_user_string(tag.removeprefix(INPUT_VERSION_TAG)): DataVersion(version)
        for tag, version in tags.items()
        if tag.startswith(INPUT_VERSION_TAG)
    }
    return DataProvenance(
        code_version=tags.get(CODE_VERSION_TAG, ""),
        input_data_versions=read,
        input_storage_ids=dict.fromkeys(read),
        is_user_provided=SAID_VERSION_TAG in tags,
    )


def found(known: Mapping[str, AssetKey], name: str, what: str) -> AssetKey:
    """Return the asset of a name.

    Raises:
        DagsterInvariantViolationError: when there's none.
    """
    if name not in known:
        raise DagsterInvariantViolationError(f"there isn't {what}", hint=closest(name, known))
    return known[name]
