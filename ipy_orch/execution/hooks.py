"""Calling the hooks of a step when it has ended."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from ipy_orch.events.types import Event, HookRan, StepStarted
from ipy_orch.execution.contexts.contexts import OpExecutionContext
from ipy_orch.execution.contexts.hooks import EndedStep, run_hooks
from ipy_orch.execution.outputs import Harvest
from ipy_orch.execution.records.dagster_events import dagster_events
from ipy_orch.execution.world import OpenRun
from ipy_orch.model.graphs.graph import Node
from ipy_orch.model.metadata.plain import normalize_metadata
from ipy_orch.planning.plan import Step

__all__ = ["call_hooks"]


def call_hooks(
    step: Step,
    run: OpenRun,
    context: OpExecutionContext | None,
    harvest: Harvest | None = None,
    error: BaseException | None = None,
) -> None:
    """Call the hooks of a step, and say what came of each; nothing that they raise changes what the step came to.

    Args:
        context: None where the step failed before its function was called.
        harvest: what the step made.
        error: what it raised.
    """
    if not step.call.hooks:
        return
    ended = ended_step(step, run, context, harvest or Harvest(), error)
    events = list(dagster_events(events_of(step.name, run.result.events)))
    for outcome in run_hooks(step.call.hooks, ended, events, run.namespace):
        run.emit(HookRan(run.run_id, time.time(), step.name, outcome.name, outcome.status, outcome.error))


def events_of(step: str, events: Sequence[Event]) -> list[Event]:
    """Return the events of a step that has just ended; those of other steps, before it began, aren't looked at."""
    found: list[Event] = []
    for event in reversed(events):
        if event.step == step:
            found.append(event)
            if isinstance(event, StepStarted) and not event.attempt:
                break
    return found[::-1]


def ended_step(
    step: Step, run: OpenRun, context: OpExecutionContext | None, harvest: Harvest, error: BaseException | None
) -> EndedStep:
    """Return what hooks may learn of a step."""
    values = {name: made.value for name, made in harvest.outputs.items()}
    mapped = {name: {key: made.value for key, made in many.items()} for name, many in harvest.mapped.items()}
    return EndedStep(
        run_id=run.run_id,
        job_name=run.info.job_name,
        step_key=step.name,
        op=Node(step.call.path[-1], step.op, step.call.tags, step.call.hooks, step.call.retry_policy),
        op_config=context.op_config if context is not None else None,
        exception=error,
        outputs={**values, **mapped},
        output_metadata=metadata_by_output(context, harvest),
        instance=run.info.instance,
        run_config=run.info.config,
        emit=run.aside(step),
    )


def metadata_by_output(context: OpExecutionContext | None, harvest: Harvest) -> Mapping[str, Any]:
    """Return output -> the metadata that the function gave it or added to it; by key for a dynamic output."""
    given: dict[tuple[str, str | None], Mapping[str, Any]] = {
        **{(name, None): made.metadata for name, made in harvest.outputs.items()},
        **{(name, key): made.metadata for name, many in harvest.mapped.items() for key, made in many.items()},
    }
    added = context.output_metadata if context is not None else {}
    found: dict[str, Any] = {}
    for place in dict.fromkeys((*given, *added)):
        metadata = normalize_metadata({**given.get(place, {}), **added.get(place, {})})
        if metadata:
            put(found, place, metadata)
    return found


def put(found: dict[str, Any], place: tuple[str, str | None], metadata: Mapping[str, Any]) -> None:
    """Put the metadata of an output in its place."""
    name, key = place
    if key is None:
        found[name] = metadata
    else:
        found.setdefault(name, {})[key] = metadata
