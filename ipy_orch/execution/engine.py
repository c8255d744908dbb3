"""Run a plan: one loop that asks the frontier for ready steps, hands them to an executor and settles what comes back.

    plan -> Frontier --take--> start: load inputs, build the context, submit --> executor: step.call
              ^                                                                      |
              '------ done / fail / retry <-- settle: check, store, append events <--'

The loop runs in the calling thread; only ``step.call`` runs elsewhere. An interrupt stores nothing half done: values
are stored here, whole, after their function has returned. Loading is in inputs.py, storing in storing.py.
"""

from __future__ import annotations

import queue
import time
import uuid
from collections.abc import Collection, Iterable, Mapping
from concurrent.futures import Future
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Final

from ipy_orch.errors import (
    DagsterAssetCheckFailedError,
    DagsterExecutionInterruptedError,
    DagsterInvalidDefinitionError,
    DagsterMaxRetriesExceededError,
)
from ipy_orch.events.types import (
    RunFinished,
    RunStarted,
    StepFailed,
    StepRetrying,
    StepSkipped,
    StepStarted,
    StepSucceeded,
)
from ipy_orch.execution import capture
from ipy_orch.execution.contexts.contexts import AssetCheckExecutionContext, AssetExecutionContext, OpExecutionContext
from ipy_orch.execution.contexts.partitions import several_read
from ipy_orch.execution.failures import add_hint, describe
from ipy_orch.execution.frontier import Frontier
from ipy_orch.execution.hooks import call_hooks
from ipy_orch.execution.inputs import Loader
from ipy_orch.execution.iomanagers import SessionIOManager
from ipy_orch.execution.load import load_value
from ipy_orch.execution.outputs import Harvest, gather
from ipy_orch.execution.step import Outcome, Work, arguments, call
from ipy_orch.execution.storing import Finished, Storing, recipe_of
from ipy_orch.execution.wiring import wiring
from ipy_orch.execution.workers.away import Away, belongings_of
from ipy_orch.execution.workers.executors import InlineExecutor
from ipy_orch.execution.workers.lanes import Lanes, Place
from ipy_orch.execution.world import OpenRun, RunResult, World
from ipy_orch.model.assets import AssetsDefinition
from ipy_orch.model.graphs.graph import Node
from ipy_orch.model.keys import AssetCheckKey, AssetKey, labels
from ipy_orch.model.ops import IO_MANAGER
from ipy_orch.model.policies import Failure, RetryRequested
from ipy_orch.planning.calls import outputs_in
from ipy_orch.planning.plan import Plan, Step
from ipy_orch.planning.staleness import version_for
from ipy_orch.planning.steps import keys_here

__all__ = ["RunResult", "World", "run"]

HEARTBEAT: Final = 0.1  # seconds; no wait is longer, so that a cancel is heard and Ctrl-C isn't held back
PATIENCE: Final = 2.0  # seconds that an interrupted run waits for its workers
GRAIN: Final = 0.005  # seconds between two looks at them
NO_MORE: Final = frozenset({IO_MANAGER})  # what most steps need, and no function asks for


def run(plan: Plan, world: World) -> RunResult:
    """Run a plan and return what came of it; user errors are in the result.

    Raises:
        KeyboardInterrupt: when interrupted, after the log is closed and nothing is left running.
        DagsterExecutionInterruptedError: when cancelled; likewise.
        DagsterInvalidConfigError: when a resource's config isn't valid; no step has run then.
    """
    return Runner(plan, world).run()


@dataclass(slots=True, eq=False)
class Ended:
    """Be what is known of an attempt at a step when it has ended.

    Args:
        seconds: what its function took.
        chunks: what it printed and displayed.
        context: None where the step failed before its function was called.
        harvest: what it made; None where that isn't known.
    """

    seconds: float = 0.0
    chunks: tuple[capture.Chunk, ...] = ()
    context: OpExecutionContext | None = None
    harvest: Harvest | None = None


class Runner:
    """Hold the state of one run; see the module's docstring."""

    def __init__(self, plan: Plan, world: World) -> None:
        self.plan, self.world = plan, world
        self.open = OpenRun(world, world.run_id or str(uuid.uuid4()), plan.request.partition)
        self.result, self.run_id, self.emit = self.open.result, self.open.run_id, self.open.emit
        self.steps = {step.name: step for step in (*plan.every_step, *plan.others)}
        self.frontier: Frontier[str] = Frontier({step.name: step.after for step in plan.steps})
        self.here = Place(world.executor or InlineExecutor(), world.workers)
        self.apart = {**world.apart}  #: where steps run that say so themselves
        self.lanes = Lanes(self.here, self.apart) if self.apart else None
        self.loader, self.storing = Loader(self.open, self.steps, self.here, self.apart), Storing(self.open)
        self.finished: queue.SimpleQueue[tuple[str, Future[Outcome]]] = queue.SimpleQueue()
        self.works: dict[str, Work] = {}
        self.attempts: dict[str, int] = {}
        self.graphs_unchanged: dict[tuple[str, str | None], bool] = {}
        self.said_in_graphs: dict[tuple[AssetsDefinition, str | None], tuple[capture.Chunk, ...]] = {}
        self.config = world.config if world.config is not None and world.config.entries else None

    def run(self) -> RunResult:
        """Run all steps that can run."""
        began = time.perf_counter()
        self.start_run()
        try:
            with capture.installed(), self.scope():
                self.loop()
        except (KeyboardInterrupt, DagsterExecutionInterruptedError):
            self.abandon()
            self.end_run("canceled", began)
            raise
        except BaseException as error:
            self.abandon()
            self.end_run("failure", began, describe(error).line)
            raise
        self.end_run("failure" if self.result.errors else "success", began)
        return self.result

    def loop(self) -> None:
        """Start what is ready and settle what has finished, until nothing is left."""
        frontier = self.frontier
        while not frontier.finished:
            if self.world.cancel.is_set():
                raise DagsterExecutionInterruptedError
            if self.lanes is not None:
                self.start_apart(self.lanes)
                continue
            for name in frontier.take(self.here.slots - len(self.works), time.monotonic()):
                self.start(self.steps[name])
            self.settle_next()

    def start_apart(self, lanes: Lanes) -> None:
        """Start what is ready where each has its own place, and settle all that has finished in any of them."""
        lanes.add(self.frontier.take(now=time.monotonic()))
        while names := lanes.take(self.works):
            for name in names:
                self.start(self.steps[name])
        self.settle_next()
        while not self.finished.empty():
            self.settle_next()

    def settle_next(self) -> None:
        """Wait for a step to finish, or until a step's retry is due, but never so long that a cancel goes unheard."""
        if not self.works:
            due = self.frontier.next_retry()
            if due is not None and not self.frontier.ready:
                self.world.cancel.wait(min(HEARTBEAT, max(0.0, due - time.monotonic())))
            return
        try:
            name, future = self.finished.get(timeout=HEARTBEAT)
        except queue.Empty:
            return
        if not self.world.cancel.is_set():  # what comes after a cancel may have met half of an edit: it isn't stored
            self.settle(self.steps[name], future)

    # -- the run ------------------------------------------------------------------------------------------------------

    def start_run(self) -> None:
        """Say that the run begins."""
        steps = [step for step in self.plan.steps if step.name not in self.world.outputs.done]
        reasons = {step.name: str(step.reason) for step in steps}
        keys = {step.name: tuple(labels(step.keys or step.checks)) for step in steps}
        self.emit(RunStarted(self.run_id, time.time(), "", self.plan.request.what, reasons, keys, self.world.tags))
        if self.world.instance is not None:
            self.world.instance.began(self.open.info)

    def end_run(self, status: str, began: float, message: str = "") -> None:
        """Say how the run ended."""
        self.result.status, self.result.seconds = status, time.perf_counter() - began
        text = message or "; ".join(f"{name}: {describe(error).line}" for name, error in self.result.errors.items())
        self.emit(RunFinished(self.run_id, time.time(), "", status, self.result.seconds, text))

    def scope(self) -> AbstractContextManager[Any]:
        """Return the resources that the steps need, set up for the run, with the IO managers of what they load."""
        required: set[str] = set()
        for step in self.plan.every_step:
            if step.name in self.world.outputs.done:
                continue
            is_away = self.apart.get(step.name, self.here).is_away
            required |= keys_here(step) if is_away else step.required_resource_keys
            required |= self.loader.required(step)
        return self.open.scope(required)

    def abandon(self) -> None:
        """Stop whatever still runs, and wait a little for it."""
        self.frontier.cancel()
        for executor in {place.executor for place in (self.here, *self.apart.values())}:
            if isinstance(executor, Away):
                executor.interrupt()
        for work in self.works.values():
            work.running.interrupt()
        deadline = time.monotonic() + PATIENCE
        while any(work.running.busy for work in self.works.values()) and time.monotonic() < deadline:
            time.sleep(GRAIN)

    # -- starting a step ----------------------------------------------------------------------------------------------

    def start(self, step: Step) -> None:
        """Load a step's inputs and submit its function; skip it where they turned out unchanged, or aren't there."""
        if step.name in self.world.outputs.done:
            self.reuse(step)
            return
        if self.open.outputs_left_out and (gone := self.loader.left_out(step)):
            self.leave(step, f"{gone} was left out")
            return
        if step.conditional and self.unchanged(step):
            self.skip_unchanged(step)
            return
        attempt = self.attempts.get(step.name, 0)
        self.emit(StepStarted(self.run_id, time.time(), step.name, str(step.reason), attempt))
        try:
            work = self.work(step, attempt)
        except Exception as error:
            self.retry_or_fail(step, error, Ended())
            return
        self.submit(step, work)

    def reuse(self, step: Step) -> None:
        """Pass over a step of which an earlier run has made all that it makes."""
        if step.name in self.plan.mapped:
            self.expand(step)
        self.frontier.done(step.name)

    def submit(self, step: Step, work: Work) -> None:
        """Hand a step's function to the executor."""
        self.works[step.name] = work  # it stays there when an interrupt comes now: it may be running already
        future = self.apart.get(step.name, self.here).executor.submit(call, work)
        future.add_done_callback(lambda done: self.finished.put((step.name, done)))

    def work(self, step: Step, attempt: int) -> Work:
        """Return the call of a step: its function with inputs, context, config and resources."""
        op = step.op
        inputs = self.loader.load_all(step)
        config = self.config.op_config(step.place) if self.config is not None else None
        context = self.context(step, config, attempt)
        place = self.apart.get(step.name, self.here)
        if place.is_away:
            return self.work_away(step, inputs, context, config)
        if step.required_resource_keys != NO_MORE:
            context.resources = self.open.namespace(step.required_resource_keys)
        positional, named = arguments(op.signature, inputs, context=context, config=config, resources=self.open.objects)
        sink = capture.Sink(tee=self.world.tee(step), tell=context.emit)
        around = self.world.on_step(step) if self.world.on_step is not None and place.is_local else None
        return Work(op.compute_fn, named, sink, positional=positional, context=context, around=around)

    def work_away(self, step: Step, inputs: Mapping[str, Any], context: OpExecutionContext, config: Any) -> Work:
        """Return the call of a step in another process; its function takes its resources along."""
        call = step.op.signature
        positional, named = arguments(replace(call, resources={}), inputs, context=context, config=config)
        taken = belongings_of(step.op, self.world) if step.op.required_resource_keys else None
        work = Work(step.op.compute_fn, named, positional=positional, context=context, belongings=taken)
        work.stays = not self.world.keep_values and self.may_stay(step)
        return work

    def may_stay(self, step: Step) -> bool:
        """Tell whether a step's value needn't come to the kernel: it is one asset, whose type and manager don't ask."""
        only = wiring(step).only
        if only is None or only.key is None or wiring(step).forms or only.port.is_dynamic or not only.type.is_any:
            return False
        manager = self.open.objects[only.manager]
        return step.reading is None and type(manager) is SessionIOManager and manager.disk is None

    def context(self, step: Step, config: Any, attempt: int) -> OpExecutionContext:
        """Return the context of a step."""
        kind, node = self.kind_of(step)
        return kind(
            step.op,
            self.open.info,
            step.definition,
            step.keys,
            step.checks,
            config,
            partition=step.partition if step.partition is not None else self.plan.request.partition,
            step=step.name,
            attempt=attempt,
            reading=step.reading,
            emit=self.open.logger(step),
            mapping_key=step.mapping_key,
            node=node,
            job=self.world.job,
            load=self.load,
            ports=None if step.definition is None else wiring(step),
        )

    def kind_of(self, step: Step) -> tuple[type[OpExecutionContext], Node | None]:
        """Return the kind of context that a step's function gets, and the node that its op is in a graph."""
        known: tuple[type[OpExecutionContext], Node | None] | None = step.call.memo.get("context")
        if known is None:
            known = step.call.memo["context"] = context_class(step), node_of(step)
        return known

    def load(self, key: AssetKey, partition: str | None) -> Any:
        """Return the value of an asset that is no input.

        Raises:
            KeyError: when there's no such asset.
        """
        world = self.world
        if key not in world.makers:
            raise KeyError(f"there is no asset `{key.label}`")
        return load_value(key, world.makers[key], world.resources, world.config, partition, world.instance)

    # -- conditional steps --------------------------------------------------------------------------------------------

    def unchanged(self, step: Step) -> bool:
        """Tell whether what a step would make is there already.

        The ops of a graph run together or not at all: the first to be asked decides, before any of them has run.
        """
        if not step.scope or step.definition is None:
            return self.is_there(step, step.keys, step.checks)
        place = (step.scope, step.partition)
        if place not in self.graphs_unchanged:
            whole = step.definition
            self.graphs_unchanged[place] = self.is_there(step, whole.keys, whole.check_keys)
        return self.graphs_unchanged[place]

    def is_there(self, step: Step, keys: Collection[AssetKey], checks: Collection[AssetCheckKey]) -> bool:
        """Tell whether assets, or checks where there are none, are what they would be if they were made now."""
        recipe, ledger, partition = recipe_of(step, self.open), self.world.ledger, step.partition
        made = [(key.label, ledger.materialized.get((key, partition))) for key in keys]
        checked = [(key.label, ledger.checked.get((key, partition))) for key in checks if not keys]
        facts = [*made, *checked]
        return all(fact is not None and fact.version == version_for(recipe, name, partition) for name, fact in facts)

    def skip_unchanged(self, step: Step) -> None:
        """Skip a step whose inputs turned out unchanged."""
        self.emit(StepSkipped(self.run_id, time.time(), step.name, "inputs unchanged", step.keys, unchanged=True))
        self.frontier.done(step.name)

    # -- settling a step ----------------------------------------------------------------------------------------------

    def settle(self, step: Step, future: Future[Outcome]) -> None:
        """Take in what came of a step's function."""
        work = self.works.pop(step.name)
        try:
            outcome = future.result()
        except Exception as error:
            self.retry_or_fail(step, error, Ended(context=work.context))
            return
        sink = outcome.sink or work.sink
        chunks = tuple(sink.chunks()) if sink is not None else ()
        for chunk in chunks:
            if chunk.text:
                self.open.retell(step.name, chunk)
        if chunks and work.sink is None and self.world.show is not None:  # it ran in another process
            self.world.show(step, chunks)
        ended = Ended(outcome.seconds, chunks, work.context)
        if outcome.error is not None and self.delay(step, outcome.error) is not None:
            self.retry_or_fail(step, outcome.error, ended)
            return
        self.store(step, outcome, ended)

    def store(self, step: Step, outcome: Outcome, ended: Ended) -> None:
        """Store what a step made, also what it had made when it raised for good."""
        error = outcome.error
        try:
            ended.harvest = gather(wiring(step), outcome)
            context = ended.context or self.context(step, None, 0)
            recipe = recipe_of(step, self.open)
            chunks = self.with_others(step, ended.chunks) if step.scope else ended.chunks
            finished = Finished(step, context, recipe, ended.seconds, chunks, error is not None)
            blocked = self.storing.store_all(finished, ended.harvest)
        except Exception as raised:
            self.retry_or_fail(step, error or raised, ended)
            return
        error = error or blocked
        if error is not None:
            self.retry_or_fail(step, error, ended)
            return
        self.emit(StepSucceeded(self.run_id, time.time(), step.name, ended.seconds))
        if step.call.hooks:
            call_hooks(step, self.open, ended.context, ended.harvest)
        if step.name in self.plan.mapped:
            self.expand(step)
        self.frontier.done(step.name)

    def with_others(self, step: Step, chunks: tuple[capture.Chunk, ...]) -> tuple[capture.Chunk, ...]:
        """Return what an op of a graph printed, behind what the others did that are done and make no asset."""
        if step.definition is None:
            return chunks
        place = (step.definition, step.partition)
        said = (*self.said_in_graphs.get(place, ()), *chunks)
        self.said_in_graphs[place] = () if step.keys or step.checks else said
        return said

    def leave(self, step: Step, why: str) -> None:
        """Leave a step out for which an input is missing; what reads it sees for itself."""
        for outlet in wiring(step).outlets.values():
            self.open.leave_out(step.name, outlet)
        self.emit(StepSkipped(self.run_id, time.time(), step.name, why, step.keys))
        if step.name in self.plan.mapped:
            self.expand(step)
        self.frontier.leave(step.name)

    # -- dynamic outputs ----------------------------------------------------------------------------------------------

    def expand(self, step: Step) -> None:
        """Add the steps that are mapped over a step's dynamic outputs, and have what collects wait for them."""
        copies = {
            copy.name: copy
            for template in self.plan.mapped[step.name]
            for key in self.keys_for(template)
            for copy in [mapped_copy(template, key, self.steps)]
        }
        self.steps.update(copies)
        gather: dict[str, list[str]] = {}
        for template in self.plan.mapped[step.name]:
            names = [f"{template.name}[{key}]" for key in self.keys_for(template)]
            if template.name in self.apart:
                self.apart.update(dict.fromkeys(names, self.apart[template.name]))
            for reader in self.readers.get(template.name, ()):
                if self.frontier.state(reader) == "waiting":
                    gather.setdefault(reader, []).extend(names)
        self.frontier.expand(step.name, {name: copy.after for name, copy in copies.items()}, gather)

    def keys_for(self, template: Step) -> tuple[str, ...]:
        """Return the keys for each of which a mapped step is called."""
        over = template.call.mapped
        return self.open.mapping_keys.get((template.scope + over.call, over.output), ()) if over is not None else ()

    @cached_property
    def readers(self) -> dict[str, list[str]]:
        """Return mapped step -> the steps that collect from its copies."""
        found: dict[str, list[str]] = {}
        for step in self.plan.steps:
            for source in step.call.sources.values():
                for one in outputs_in(source):
                    found.setdefault(step.scope + one.call, []).append(step.name)
        return found

    # -- failing ------------------------------------------------------------------------------------------------------

    def retry_or_fail(self, step: Step, error: BaseException, ended: Ended) -> None:
        """Try a step again where its policy or its error says so, else fail it."""
        delay = self.delay(step, error)
        if delay is None:
            self.fail(step, used_up(step, error) if isinstance(error, RetryRequested) else error, ended)
            return
        self.open.take_phase()  # the next attempt, or another step, may fail elsewhere
        attempt = self.attempts[step.name] = self.attempts.get(step.name, 0) + 1
        line = describe(error.__cause__ or error).line
        self.emit(StepRetrying(self.run_id, time.time(), step.name, attempt, delay, line))
        self.frontier.retry(step.name, time.monotonic() + delay)

    def delay(self, step: Step, error: BaseException) -> float | None:
        """Return the seconds until a step's next attempt, or None when there's none."""
        return retry_delay(step, error, self.attempts.get(step.name, 0) + 1)

    def fail(self, step: Step, error: BaseException, ended: Ended) -> None:
        """Fail a step and skip what is downstream."""
        self.result.errors[step.name] = error
        add_hint(error, several_read(step.reading))
        told = describe(error)
        skipped = self.frontier.fail(step.name)
        self.emit(
            StepFailed(
                run_id=self.run_id,
                at=time.time(),
                step=step.name,
                error=told.line,
                traceback=told.traceback,
                keys=(*step.keys, *self.lost_with(step, skipped)),
                checks=step.checks,
                partition=step.partition,
                seconds=ended.seconds,
                phase=self.open.take_phase(),
                metadata=dict(getattr(error, "metadata", None) or {}),
                output=ended.chunks,
                partitions=step.reading.partitions if step.partition is None and step.reading is not None else (),
            )
        )
        call_hooks(step, self.open, ended.context, ended.harvest, error)
        for below in skipped:
            why, keys = f"{step.name} failed", self.steps[below].keys
            self.emit(StepSkipped(self.run_id, time.time(), below, why, keys, culprit=step.name))

    def lost_with(self, failed: Step, skipped: Iterable[str]) -> list[AssetKey]:
        """Return the assets of a graph that other ops of it were to make, and can't now: they have failed with it."""
        rest = [self.steps[name] for name in skipped] if failed.scope else []
        return [key for step in rest if step.scope == failed.scope for key in step.keys]


def retry_delay(step: Step, error: BaseException, attempt: int) -> float | None:
    """Return the seconds until the next attempt, or None when there's none.

    Args:
        attempt: the number of the next attempt, from 1.
    """
    if isinstance(error, RetryRequested):
        return (error.seconds_to_wait or 0.0) if attempt <= error.max_retries else None
    policy = step.call.retry_policy
    if policy is None or attempt > policy.max_retries or isinstance(error, DagsterAssetCheckFailedError):
        return None
    if isinstance(error, Failure) and not error.allow_retries:
        return None
    return policy.calculate_delay(attempt)


def used_up(step: Step, error: RetryRequested) -> BaseException:
    """Return with what a step fails that asked to be tried again once too often: why it asked, where it said so."""
    if error.__cause__ is not None:
        return error.__cause__
    told = DagsterMaxRetriesExceededError(
        f"`{step.name}` asked for another attempt after `max_retries={error.max_retries}`",
        hint="RetryRequested(max_retries=...), or raise what is wrong",
    )
    told.__cause__ = error
    return told.with_traceback(error.__traceback__)


KINDS: Final[dict[str, type[OpExecutionContext]]] = {
    one.__name__: one for one in (OpExecutionContext, AssetExecutionContext, AssetCheckExecutionContext)
}


def context_class(step: Step) -> type[OpExecutionContext]:
    """Return the kind of context that a step's function gets."""
    call = step.op.signature
    asked = KINDS.get(getattr(call.annotations.get(call.context or ""), "__name__", ""))
    if step.definition is None:
        refuse_asset_context(step, asked)
        return OpExecutionContext
    if asked is not None:
        return asked
    if step.definition.op_def is not step.op:
        return OpExecutionContext
    return AssetExecutionContext if step.keys else AssetCheckExecutionContext


def refuse_asset_context(step: Step, asked: type[OpExecutionContext] | None) -> None:
    """Refuse an op that wants to know of an asset, where it makes none.

    Raises:
        DagsterInvalidDefinitionError: naming the op.
    """
    if asked not in (None, OpExecutionContext):
        raise DagsterInvalidDefinitionError(
            f"`{step.name}` makes no asset, and its context is annotated with `{asked.__name__}`",
            hint="OpExecutionContext",
        )


def node_of(step: Step) -> Node | None:
    """Return the node that a step's op is in a graph, None for the op of an asset."""
    call = step.call
    if step.definition is not None and step.definition.op_def is step.op:
        return None
    return Node(call.path[-1], call.op, call.tags, call.hooks, call.retry_policy)


def mapped_copy(template: Step, key: str, steps: Mapping[str, Step]) -> Step:
    """Return the step that is called for one key of a dynamic output."""
    after = (f"{name}[{key}]" if steps[name].call.mapped is not None else name for name in template.after)
    return replace(template, name=f"{template.name}[{key}]", after=frozenset(after), mapping_key=key)
