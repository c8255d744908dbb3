"""Storing what a step made: values through IO managers, and the facts about assets and checks into the log."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ipy_orch.errors import DagsterAssetCheckFailedError, DagsterInvariantViolationError
from ipy_orch.events.types import Checked, Expected, Logged, Materialized, Observed, OutputStored, Part, Recipe
from ipy_orch.execution.capture import Chunk
from ipy_orch.execution.contexts.contexts import OpExecutionContext
from ipy_orch.execution.contexts.io import OutputContext
from ipy_orch.execution.iomanagers import SessionIOManager
from ipy_orch.execution.isolation.sealing import copied, refuse_iterator, seal
from ipy_orch.execution.outputs import Harvest, Made
from ipy_orch.execution.sizes import nbytes, shape
from ipy_orch.execution.wiring import Outlet, Wiring, wiring
from ipy_orch.execution.world import OpenRun
from ipy_orch.model.checks import AssetCheckSpec
from ipy_orch.model.keys import AssetCheckKey, AssetKey
from ipy_orch.model.metadata.plain import normalize_metadata
from ipy_orch.model.partitions.multi import MultiPartitionsDefinition
from ipy_orch.model.results import (
    CODE_VERSION_TAG,
    AssetCheckEvaluation,
    AssetCheckResult,
    AssetCheckSeverity,
    AssetMaterialization,
    AssetObservation,
    DataVersion,
    ExpectationResult,
    TargetMaterialization,
)
from ipy_orch.model.specs import AssetSpec
from ipy_orch.model.types.frames import COLUMN_SCHEMA
from ipy_orch.planning.plan import Step
from ipy_orch.planning.staleness import combined, version_for, version_of

__all__ = ["Finished", "Storing", "recipe_of"]


@dataclass(slots=True, eq=False)
class Finished:
    """Be a step whose function has ended.

    Args:
        recipe: all that its values depend on.
        seconds: what its function took.
        chunks: what it printed and displayed.
        failed: whether it raised after it had yielded something.
    """

    step: Step
    context: OpExecutionContext
    recipe: Recipe
    seconds: float = 0.0
    chunks: tuple[Chunk, ...] = ()
    failed: bool = False


class Storing:
    """Store what the steps of one run made."""

    def __init__(self, run: OpenRun) -> None:
        self.run = run

    def store_all(self, finished: Finished, harvest: Harvest) -> DagsterAssetCheckFailedError | None:
        """Store the outputs, append the verdicts, and return the error of blocking checks that failed.

        Raises:
            DagsterTypeCheckDidNotPass: when a value isn't of the type that its output declares.
            DagsterInvariantViolationError: when a value can be read only once.
            Exception: what an IO manager raises.
        """
        step, ports = finished.step, wiring(finished.step)
        outlets: list[tuple[Outlet, Made, str | None]] = [
            (ports.outlets[name], made, None) for name, made in harvest.outputs.items()
        ]
        if harvest.mapped:
            outlets += [
                (ports.outlets[name], made, key) for name, many in harvest.mapped.items() for key, made in many.items()
            ]
        if harvest.remark:
            self.run.say(step.name, "log", harvest.remark, "WARNING")
        for outlet, made, mapping_key in outlets:
            self.check_output(finished, outlet, made, mapping_key)
        if harvest.events or finished.context.events:
            self.report(step, (*finished.context.events, *harvest.events), finished.recipe)
        for place, (outlet, made, mapping_key) in enumerate(outlets, 1):
            if place < len(outlets) and made.has_value and may_edit(self.run.objects[outlet.manager]):
                made.value = copied(made.value)  # a later output may hold the same object, or a part of it
            if outlet.key is None or outlet.spec is None:
                self.store_output(finished, outlet, made, mapping_key)
            else:
                self.store(finished, outlet, outlet.key, outlet.spec, made)
        if len(harvest.outputs) != len(ports.outlets):
            self.note_left_out(finished, ports, harvest)
        failed = [verdict for key, verdict in harvest.verdicts.items() if self.check(finished, key, verdict)]
        return blocking_error(failed) if failed else None

    def check_output(self, finished: Finished, outlet: Outlet, made: Made, mapping_key: str | None) -> None:
        """Refuse a value that can't be stored, before anything of the step is.

        Raises:
            DagsterInvariantViolationError: for a value that can be read only once.
            DagsterTypeCheckDidNotPass: for a value of another type than the declared one.
        """
        if made.has_value:
            refuse_iterator(made.value, outlet.label)
        if not outlet.type.is_any and (made.has_value or made.value is not None):
            what = f"asset `{outlet.label}`" if outlet.key is not None else f"output `{outlet.label}`"
            port = ("output", outlet.name, mapping_key)
            verdict = self.run.check_type(finished.step.name, outlet.type, made.value, what, port)
            if verdict is not None and COLUMN_SCHEMA in verdict.metadata:
                made.metadata = {COLUMN_SCHEMA: verdict.metadata[COLUMN_SCHEMA], **made.metadata}

    def note_left_out(self, finished: Finished, ports: Wiring, harvest: Harvest) -> None:
        """Remember which outputs were left out, and which keys dynamic outputs have."""
        run, name = self.run, finished.step.name
        for output, outlet in ports.outlets.items():
            if outlet.port.is_dynamic:
                run.mapping_keys[name, output] = tuple(harvest.mapped.get(output, ()))
                if not (outlet.port.is_required or run.mapping_keys[name, output]):
                    run.leave_out(name, outlet)
            elif output not in harvest.outputs:
                run.leave_out(name, outlet)

    # -- an output that is no asset -----------------------------------------------------------------------------------

    def store_output(self, finished: Finished, outlet: Outlet, made: Made, mapping_key: str | None) -> None:
        """Hand an output to its IO manager; the session's own keeps it for as long as the run."""
        step, run = finished.step, self.run
        added = finished.context.output_metadata.get((outlet.name, mapping_key), {})
        metadata = {**made.metadata, **normalize_metadata(added)}
        if run.world.keep_values:
            keep(run.result.values, (step.name, outlet.name), mapping_key, made.value)
        told: Mapping[str, Any] = {}
        if made.has_value and type(run.objects[outlet.manager]) is SessionIOManager:
            run.kept[step.name, outlet.name, mapping_key] = seal(made.value, outlet.label)
        elif made.has_value:
            context = run.output_context(step, outlet, mapping_key, metadata, finished.context)
            self.handle(step, outlet, context, made.value)
            told = context.added
        manager = outlet.manager if made.has_value else ""
        stored = OutputStored(
            run.run_id, time.time(), step.name, outlet.name, None, manager, {**metadata, **told}, mapping_key
        )
        run.emit(stored)

    def handle(self, step: Step, outlet: Outlet, context: OutputContext, value: Any) -> None:
        """Have an IO manager store a value, with what it yields."""
        with self.run.during("store"):
            context.receive(self.run.objects[outlet.manager].handle_output(context, value))
        self.report(step, context.logged, ())

    # -- an asset -----------------------------------------------------------------------------------------------------

    def store(self, finished: Finished, outlet: Outlet, key: AssetKey, spec: AssetSpec, made: Made) -> None:
        """Hand one output to its IO manager and say that the asset is materialized, or that it was observed."""
        step, world = finished.step, self.run.world
        added = finished.context.output_metadata.get((outlet.name, None))
        metadata = {**made.metadata, **normalize_metadata(added)} if added else made.metadata
        made.said = made.said or finished.context.data_versions.get(key)
        if step.definition is not None and step.definition.is_observable:
            self.observe(step, key, made, metadata)
            return
        partitions = step.partitions
        recipes = [self.recipe(finished, partition) for partition in partitions]
        versions = [self.versions(finished, outlet, made, *one) for one in zip(recipes, partitions, strict=True)]
        if len(partitions) > 1 and self.keeps_each(outlet, made, partitions):
            self.keep_each(finished, outlet, key, made.value, [version for _, version in versions])
            context = None
        else:
            data_version = versions[0][1]
            context = self.hand_over(finished, outlet, key, made, data_version, metadata) if made.has_value else None
        if context is not None and context.added:
            metadata = {**metadata, **context.added}
        if world.keep_values:
            self.run.result.values[step.name, outlet.name] = made.value
        sized = world.measure and made.has_value
        by_partition = finished.context.partition_metadata
        tags = made.tags or {}
        if spec.code_version:
            tags = {CODE_VERSION_TAG: spec.code_version, **tags}
        for partition, recipe, (version, versioned) in zip(partitions, recipes, versions, strict=True):
            said = by_partition.get((key, partition or "")) if by_partition else None
            told = {**metadata, **normalize_metadata(said)} if said else metadata
            self.run.emit(
                Materialized(
                    run_id=self.run.run_id,
                    at=time.time(),
                    step=step.name,
                    materialization=AssetMaterialization.of_parts(
                        key, spec.description, told, partition, with_dimensions(spec.partitions_def, partition, tags)
                    ),
                    partition=partition,
                    version=version,
                    data_version=versioned,
                    said=made.said is not None,
                    recipe=recipe,
                    seconds=finished.seconds,
                    nbytes=nbytes(made.value) if sized else 0,
                    shape=shape(made.value) if sized else None,
                    manager=outlet.manager,
                    output=finished.chunks,
                )
            )
        if context is not None:
            stored = (outlet.name, key, outlet.manager, context.added)
            self.run.emit(OutputStored(self.run.run_id, time.time(), step.name, *stored))

    def recipe(self, finished: Finished, partition: str | None) -> Recipe:
        """Return all that one of the partitions depends on that a step makes."""
        step = finished.step
        alone = step.reading is None or len(step.partitions) == 1
        return finished.recipe if alone else recipe_of(step, self.run, partition)

    def versions(
        self, finished: Finished, outlet: Outlet, made: Made, recipe: Recipe, partition: str | None
    ) -> tuple[str, str]:
        """Return the version of what was made, and the version that downstream depends on.

        What a step made before it raised has no version, so that it is made again.
        """
        version = version_for(recipe, outlet.label, partition)
        data_version = version_of((), version, self.run.run_id) if finished.step.fresh_version else version
        return "" if finished.failed else version, made.said.value if made.said is not None else data_version

    def observe(self, step: Step, key: AssetKey, made: Made, metadata: Mapping[str, Any]) -> None:
        """Say that an asset was looked at."""
        version = made.value if isinstance(made.value, DataVersion) else made.said
        said = version.value if version is not None else None
        for partition in step.partitions:
            seen = AssetObservation(key, metadata=metadata, partition=partition, tags=made.tags or {})
            self.run.emit(Observed(self.run.run_id, time.time(), step.name, seen, partition, said))

    def keeps_each(self, outlet: Outlet, made: Made, partitions: Sequence[str | None]) -> bool:
        """Tell whether the session's own store is to keep the values of several partitions, given by their keys."""
        if not made.has_value or type(self.run.objects[outlet.manager]) is not SessionIOManager:
            return False
        if isinstance(made.value, Mapping) and made.value.keys() == set(partitions):
            return True
        raise DagsterInvariantViolationError(
            f"one value can't be kept for the {len(partitions)} partitions of `{outlet.label}`",
            hint="return a dict with a value for each of `context.partition_keys`, or None",
        )

    def keep_each(
        self, finished: Finished, outlet: Outlet, key: AssetKey, values: Mapping[str, Any], versions: Sequence[str]
    ) -> None:
        """Have the session's own store keep the value of each partition."""
        store = self.run.objects[outlet.manager]
        seconds = finished.seconds / len(versions)
        for partition, version in zip(finished.step.partitions, versions, strict=True):
            kept = (key, partition, values[partition or ""])
            store.put(*kept, version=version, seconds=seconds, name=outlet.label)

    def hand_over(
        self,
        finished: Finished,
        outlet: Outlet,
        key: AssetKey,
        made: Made,
        data_version: str,
        metadata: Mapping[str, Any],
    ) -> OutputContext | None:
        """Have the IO manager store a value, and return the context in which it did; the session's own needs none."""
        step, manager = finished.step, self.run.objects[outlet.manager]
        # the session's own store takes it by key, see inputs.py
        alone = step.reading is None or len(step.partitions) == 1
        if alone and type(manager) is SessionIOManager:
            kept = (key, step.partition, made.value)
            manager.put(*kept, version=data_version, seconds=finished.seconds, name=outlet.label)
            return None
        context = self.run.output_context(step, outlet, None, metadata, finished.context)
        context.data_version, context.seconds = data_version, finished.seconds
        self.handle(step, outlet, context, made.value)
        return context

    # -- other facts --------------------------------------------------------------------------------------------------

    def report(self, step: Step, events: Iterable[Any], recipe: Recipe) -> None:
        """Say that the user's code made or observed an asset by itself."""
        run_id = self.run.run_id
        for event in events:
            now = time.time()
            if isinstance(event, AssetMaterialization):
                version = version_of(recipe, event.asset_key.label)
                self.run.emit(
                    Materialized(run_id, now, step.name, event, event.partition, version, version, recipe=recipe)
                )
            elif isinstance(event, AssetObservation):
                self.run.emit(Observed(run_id, now, step.name, event, event.partition, event.data_version))
            elif isinstance(event, ExpectationResult):
                self.run.emit(Expected(run_id, now, step.name, event))
            else:
                self.run.emit(Logged(run_id, now, step.name, "event", "", repr(event)))

    def target(self, key: AssetKey, partition: str | None) -> TargetMaterialization | None:
        """Return which materialization a check of an asset looks at, None where there is none."""
        made = self.run.world.ledger.materialized.get((key, partition))
        number = getattr(self.run.world.instance, "number_of", lambda _: 0)
        return TargetMaterialization(number(made), made.run_id, made.at) if made is not None else None

    def check(self, finished: Finished, key: AssetCheckKey, verdict: AssetCheckResult) -> bool:
        """Append a verdict; tell whether it is a failure that blocks."""
        spec = wiring(finished.step).checks[key]
        for partition in finished.step.partitions:
            self.say_verdict(finished, spec, verdict, partition)
            if spec.partitions_def is None:
                break
        return spec.blocking and not verdict.passed and verdict.severity == AssetCheckSeverity.ERROR

    def say_verdict(
        self, finished: Finished, spec: AssetCheckSpec, verdict: AssetCheckResult, partition: str | None
    ) -> None:
        """Append a verdict on an asset, or on a partition of it; a check without partitions has one for all."""
        step, of = finished.step, partition if spec.partitions_def is not None else None
        recipe = finished.recipe if of is None else self.recipe(finished, of)
        evaluation = AssetCheckEvaluation(
            spec.asset_key,
            spec.name,
            verdict.passed,
            verdict.metadata,
            self.target(spec.asset_key, partition),
            severity=verdict.severity,
            description=verdict.description,
            blocking=spec.blocking,
            partition=of,
        )
        self.run.emit(
            Checked(
                run_id=self.run.run_id,
                at=time.time(),
                step=step.name,
                evaluation=evaluation,
                partition=of,
                version="" if finished.failed else version_for(recipe, spec.key.label, of),
                recipe=recipe,
                blocking=spec.blocking,
                seconds=finished.seconds,
                output=finished.chunks,
            )
        )


def may_edit(manager: Any) -> bool:
    """Tell whether an IO manager may change what it is given in place: our own ones never do."""
    return type(manager).__module__.partition(".")[0] != "ipy_orch"


def keep(values: dict[tuple[str, str], Any], place: tuple[str, str], mapping_key: str | None, value: Any) -> None:
    """Keep what a step returned; of a dynamic output, by its keys."""
    if mapping_key is None:
        values[place] = value
    else:
        values.setdefault(place, {})[mapping_key] = value


def with_dimensions(cut: Any, partition: str | None, tags: Mapping[str, str]) -> Mapping[str, str]:
    """Return the tags of what was made of a partition: where that has two dimensions, also its key in each."""
    if partition is None or not isinstance(cut, MultiPartitionsDefinition):
        return tags
    return {**cut.dimension_tags(partition), **tags}


def recipe_of(step: Step, run: OpenRun, partition: str | None = None) -> Recipe:
    """Return all that a step's values depend on, or one partition of them, with the versions that inputs have now."""
    versions = run.world.ledger.data_version
    if step.reading is None:
        return (*step.parts, *[Part("input", key.label, versions(key) or "external") for key in step.inputs])
    chosen = step.reading.partitions if partition is None else (partition,)
    read = [(key, step.reading.of(key, *chosen)) for key in step.inputs]
    known = [
        (key, [versions(key, one) or "external" for one in ((None,) if some is None else some)]) for key, some in read
    ]
    return (*step.parts, *[Part("input", key.label, combined(some)) for key, some in known])


def blocking_error(failed: list[AssetCheckResult]) -> DagsterAssetCheckFailedError:
    """Return the error of blocking checks that failed."""
    names = ", ".join(
        f"`{verdict.asset_key.label if verdict.asset_key else '?'}:{verdict.check_name}`" for verdict in failed
    )
    return DagsterAssetCheckFailedError(f"blocking check failed: {names}", hint="`%checks` shows what it found")
