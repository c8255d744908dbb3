"""What came of an execution in this process, under Dagster's names: a view of the events."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any

from ipy_orch.errors import DagsterInvariantViolationError, closest
from ipy_orch.events.types import StepFailed, StepSkipped
from ipy_orch.execution.records.dagster_events import DagsterEvent, DagsterEventType, dagster_events
from ipy_orch.execution.world import RunResult
from ipy_orch.model.graphs.graph import GraphDefinition
from ipy_orch.model.jobs import JobDefinition
from ipy_orch.model.keys import AssetKey, labels
from ipy_orch.model.ops import RESULT
from ipy_orch.model.results import AssetCheckEvaluation, AssetMaterialization, AssetObservation, ExpectationResult

__all__ = ["DagsterEvent", "DagsterEventType", "ExecuteInProcessResult"]


class ExecuteInProcessResult:
    """Answer what an execution did; see Dagster's class of this name.

    Args:
        result: of the engine.
        output_keys: asset -> (step, output).
        load: returns the stored value of an asset that the run didn't keep.
        job: whose run it was, if it was one's.
        graphs: name -> graph, of the graphs at the top that assets are made by.
        top: the graph that was run, where one was.
    """

    def __init__(
        self,
        result: RunResult,
        output_keys: Mapping[AssetKey, tuple[str, str]],
        load: Callable[[AssetKey], Any],
        run: Any = None,
        job: JobDefinition | None = None,
        graphs: Mapping[str, GraphDefinition] | None = None,
        top: GraphDefinition | None = None,
    ) -> None:
        self.result, self.output_keys, self.load = result, output_keys, load
        self.dagster_run, self.job_def = run, job
        self.graphs, self.top = graphs or {}, top

    @property
    def success(self) -> bool:
        """Tell whether all went well."""
        return self.result.success

    @property
    def run_id(self) -> str:
        """Return the run's id."""
        return self.result.run_id

    @cached_property
    def all_events(self) -> Sequence[DagsterEvent]:
        """Return all events."""
        return list(dagster_events(self.result.events, getattr(self.dagster_run, "job_name", None)))

    @property
    def all_node_events(self) -> Sequence[DagsterEvent]:
        """Return the events of steps."""
        return [event for event in self.all_events if event.step_key is not None]

    def filter_events(self, event_filter: Callable[[DagsterEvent], bool]) -> Sequence[DagsterEvent]:
        """Return the events for which the function is true."""
        return [event for event in self.all_events if event_filter(event)]

    def events_for_node(self, node_name: str) -> Sequence[DagsterEvent]:
        """Return the events of one op, or of all in a graph."""
        return [event for event in self.all_events if is_within(event.step_key, node_name)]

    def of_type(self, kind: DagsterEventType) -> list[DagsterEvent]:
        """Return the events of one kind."""
        return [event for event in self.all_events if event.event_type is kind]

    def only(self, kind: DagsterEventType) -> DagsterEvent:
        """Return the event of a kind of which a run has one.

        Raises:
            DagsterInvariantViolationError: when this one hasn't.
        """
        for event in self.of_type(kind):
            return event
        raise DagsterInvariantViolationError(
            f"run `{self.run_id}` has no event `{kind.value}`", hint=f"it ended as `{self.result.status}`"
        )

    def get_step_success_events(self) -> Sequence[DagsterEvent]:
        """Return the successes of steps."""
        return self.of_type(DagsterEventType.STEP_SUCCESS)

    def get_step_failure_events(self) -> Sequence[DagsterEvent]:
        """Return the failures of steps."""
        return self.of_type(DagsterEventType.STEP_FAILURE)

    def get_step_skipped_events(self) -> Sequence[DagsterEvent]:
        """Return the steps that were skipped."""
        return self.of_type(DagsterEventType.STEP_SKIPPED)

    def get_run_failure_event(self) -> DagsterEvent:
        """Return the failure of the run."""
        return self.only(DagsterEventType.RUN_FAILURE)

    def get_run_success_event(self) -> DagsterEvent:
        """Return the success of the run."""
        return self.only(DagsterEventType.RUN_SUCCESS)

    def get_failed_step_keys(self) -> set[str]:
        """Return the steps that failed."""
        return set(self.result.errors)

    def get_asset_materialization_events(self) -> Sequence[DagsterEvent]:
        """Return the materializations."""
        return self.of_type(DagsterEventType.ASSET_MATERIALIZATION)

    def get_asset_materialization_planned_events(self) -> Sequence[DagsterEvent]:
        """Return the announcements of materializations; a run in this process has none, as in Dagster."""
        return self.of_type(DagsterEventType.ASSET_MATERIALIZATION_PLANNED)

    def get_asset_observation_events(self) -> Sequence[DagsterEvent]:
        """Return the observations."""
        return self.of_type(DagsterEventType.ASSET_OBSERVATION)

    def get_asset_check_evaluations(self) -> Sequence[AssetCheckEvaluation]:
        """Return the verdicts of checks."""
        return [event.event_specific_data for event in self.of_type(DagsterEventType.ASSET_CHECK_EVALUATION)]

    def asset_materializations_for_node(self, node_name: str) -> Sequence[AssetMaterialization]:
        """Return the materializations by one op."""
        return [
            event.materialization
            for event in self.get_asset_materialization_events()
            if is_within(event.step_key, node_name)
        ]

    def asset_observations_for_node(self, node_name: str) -> Sequence[AssetObservation]:
        """Return the observations by one op."""
        found = (event for event in self.get_asset_observation_events() if is_within(event.step_key, node_name))
        return [event.event_specific_data.asset_observation for event in found]

    def expectation_results_for_node(self, node_name: str) -> Sequence[ExpectationResult]:
        """Return the expectations that an op reported."""
        found = (event for event in self.events_for_node(node_name) if event.is_expectation_result)
        return [event.event_specific_data.expectation_result for event in found]

    def compute_events_for_handle(self, handle: Any) -> Sequence[DagsterEvent]:
        """Return the events of one op."""
        return self.events_for_node(str(handle))

    def has_event(self, node_name: str, kind: DagsterEventType) -> bool:
        """Tell whether a node has an event of a kind."""
        return any(event.event_type is kind for event in self.events_for_node(node_name))

    def is_node_success(self, node_str: str) -> bool:
        """Tell whether an op succeeded."""
        return self.has_event(node_str, DagsterEventType.STEP_SUCCESS)

    def is_node_failed(self, node_str: str) -> bool:
        """Tell whether an op failed."""
        return self.has_event(node_str, DagsterEventType.STEP_FAILURE)

    def is_node_skipped(self, node_str: str) -> bool:
        """Tell whether an op was skipped."""
        return self.has_event(node_str, DagsterEventType.STEP_SKIPPED)

    def is_node_untouched(self, node_str: str) -> bool:
        """Tell whether nothing is known of an op."""
        return not self.events_for_node(node_str)

    def failure_data_for_node(self, node_str: str) -> Any:
        """Return what an op's failure says, None when it didn't fail."""
        found = [one for one in self.events_for_node(node_str) if one.event_type is DagsterEventType.STEP_FAILURE]
        return found[0].event_specific_data if found else None

    def retry_attempts_for_node(self, node_str: str) -> int:
        """Return how many times an op was tried again."""
        return sum(one.event_type is DagsterEventType.STEP_RESTARTED for one in self.events_for_node(node_str))

    def output_for_node(self, node_str: str, output_name: str = RESULT) -> Any:
        """Return what an op or graph returned; by mapping key, where it was called for each key of a dynamic output.

        Args:
            node_str: its name, with those of the graphs around it: ``outer.inner``.

        Raises:
            DagsterInvariantViolationError: when it has no such output, or it wasn't made.
        """
        place = self.leaf(node_str, output_name)
        values = self.result.values
        if place in values:
            return values[place]
        copies = {
            key: values[step, name] for step, name in values if name == place[1] and (key := key_in(step, place[0]))
        }
        if copies:
            return copies
        known = [f"{step}.{name}" for step, name in values]
        raise DagsterInvariantViolationError(
            f"there is no output `{output_name}` of `{node_str}`", hint=closest(f"{node_str}.{output_name}", known)
        )

    def output_value(self, output_name: str = RESULT) -> Any:
        """Return an output of the graph that was run.

        Raises:
            DagsterInvariantViolationError: when it has no such output, or it wasn't made.
        """
        if self.top is None or output_name not in self.top.outs:
            known = ", ".join(self.top.outs) if self.top is not None else ""
            raise DagsterInvariantViolationError(
                f"what was run has no output `{output_name}`", hint=f"it has {known or 'none'}"
            )
        return self.output_for_node("", output_name)

    def leaf(self, node: str, output: str) -> tuple[str, str]:
        """Return the op that makes an output of a node, and the op's own name for it."""
        path = node.split(".") if node else []
        definition: Any = self.top
        if definition is None and path:
            definition = self.graphs.get(path[0])
        for name in path if self.top is not None else path[1:]:
            inside = isinstance(definition, GraphDefinition) and definition.has_node_named(name)
            definition = definition.node_named(name).definition if inside else None
        while isinstance(definition, GraphDefinition) and output in definition.outs:
            mapping = next(one for one in definition.output_mappings if one.graph_output_name == output)
            path.append(mapping.mapped_node_name)
            output = mapping.mapped_node_output_name
            definition = definition.node_named(mapping.mapped_node_name).definition
        return ".".join(path), output

    def asset_value(self, asset_key: Any) -> Any:
        """Return the value of an asset.

        Raises:
            DagsterInvariantViolationError: when the run didn't make it.
        """
        key = AssetKey.from_coercible(asset_key)
        if key not in self.output_keys:
            raise DagsterInvariantViolationError(
                f"this run doesn't make `{key.label}`", hint=closest(key.label, labels(self.output_keys))
            )
        place = self.output_keys[key]
        if place not in self.result.values and place[0] in self.lost:
            raise DagsterInvariantViolationError(
                f"this run didn't make `{key.label}`", hint="`result.all_events` says why"
            )
        return self.result.values[place] if place in self.result.values else self.load(key)

    @property
    def lost(self) -> set[str]:
        """Return the steps that failed, and those that weren't begun."""
        return {event.step for event in self.result.events if isinstance(event, StepFailed | StepSkipped)}


def is_within(step: str | None, node: str) -> bool:
    """Tell whether a step is that of a node, one of its copies, or in the node's graph."""
    return step is not None and (step == node or step.startswith((f"{node}[", f"{node}.")))


def key_in(step: str, name: str) -> str:
    """Return the mapping key of a step that is a copy of the one of this name, else ""."""
    return step[len(name) + 1 : -1] if step.startswith(f"{name}[") and step.endswith("]") else ""
