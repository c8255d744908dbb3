"""Run a plan: one loop that asks the frontier for ready steps, hands them to an executor and settles what comes back.

    plan -> Frontier --take--> start: load inputs, build the context, submit --> executor: step.call
              ^                                                                      |
              '------ done / fail / retry <-- settle: check, store, append events <--'

The loop runs in the calling thread; only ``step.call`` runs elsewhere. An interrupt stores nothing half done: values are
stored here, whole, after their function has returned.
"""

from __future__ import annotations

import queue
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from concurrent.futures import Executor, Future
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any

from ipy_orch.errors import DagsterAssetCheckFailedError, DagsterExecutionInterruptedError, DagsterTypeCheckDidNotPass
from ipy_orch.events.ledger import Ledger
from ipy_orch.events.log import EventLog
from ipy_orch.events.types import (
    Checked,
    Event,
    InputLoaded,
    Logged,
    Materialized,
    Observed,
    OutputStored,
    Part,
    Recipe,
    RunFinished,
    RunStarted,
    StepFailed,
    StepRetrying,
    StepSkipped,
    StepStarted,
    StepSucceeded,
)
from ipy_orch.execution import capture
from ipy_orch.execution.contexts import (
    AssetCheckExecutionContext,
    AssetExecutionContext,
    InputContext,
    NoResources,
    OutputContext,
    RunInfo,
)
from ipy_orch.execution.executors import InlineExecutor
from ipy_orch.execution.failures import describe
from ipy_orch.execution.frontier import Frontier
from ipy_orch.execution.isolation import refuse_iterator
from ipy_orch.execution.outputs import Harvest, gather
from ipy_orch.execution.resources import ResourceScope
from ipy_orch.execution.sizes import nbytes, shape
from ipy_orch.execution.step import Outcome, Work, arguments, call
from ipy_orch.model.assets import AssetsDefinition
from ipy_orch.model.env import redact
from ipy_orch.model.keys import AssetKey
from ipy_orch.model.metadata import normalize_metadata
from ipy_orch.model.ops import NO_VALUE, type_of
from ipy_orch.model.policies import Failure, RetryRequested
from ipy_orch.model.results import (
    AssetCheckEvaluation,
    AssetCheckResult,
    AssetCheckSeverity,
    AssetMaterialization,
    AssetObservation,
    DataVersion,
    Output,
)
from ipy_orch.model.types import check_dagster_type
from ipy_orch.planning.config import Resolved
from ipy_orch.planning.plan import Plan, Step
from ipy_orch.planning.staleness import version_of

__all__ = ["RunResult", "World", "run"]

NO_RESOURCES = NoResources()


@dataclass
class World:
    """Be what a run finds around it.

    Args:
        log: takes the events.
        ledger: the latest facts; it listens to the log.
        resources: key -> resource, the IO managers among them.
        config: validated run config.
        executor: where steps run; None means the calling thread.
        workers: how many run at once.
        makers: asset -> definition, of all assets, so that inputs from outside the plan find their IO manager.
        keep_values: keep what steps returned in the result, as Dagster's in-process execution does.
        measure: look at values' sizes and shapes.
        on_step: returns a context manager around each step, in the kernel's thread (rich displays ...).
        cancel: set it to end the run.
    """

    log: EventLog
    ledger: Ledger
    resources: Mapping[str, Any] = field(default_factory=dict)
    config: Resolved | None = None
    executor: Executor | None = None
    workers: int = 1
    makers: Mapping[AssetKey, AssetsDefinition] = field(default_factory=dict)
    keep_values: bool = False
    measure: bool = True
    tee: Callable[[Step], bool] = lambda _step: False
    on_step: Callable[[Step], AbstractContextManager[Any]] | None = None
    cancel: threading.Event = field(default_factory=threading.Event)
    run_id: str = ""
    job_name: str = "materialize"
    tags: Mapping[str, str] = field(default_factory=dict)
    instance: Any = None


@dataclass
class RunResult:
    """Be what came of a run: ``success``, ``failure`` or ``canceled``, its events, and the exceptions by step."""

    run_id: str
    status: str = "success"
    seconds: float = 0.0
    events: list[Event] = field(default_factory=list)
    errors: dict[str, BaseException] = field(default_factory=dict)
    values: dict[tuple[str, str], Any] = field(default_factory=dict)

    @property
    def success(self) -> bool:
        """Tell whether all went well."""
        return self.status == "success"


def run(plan: Plan, world: World) -> RunResult:
    """Run a plan and return what came of it; user errors are in the result.

    Raises:
        KeyboardInterrupt: when interrupted, after the log is closed and nothing is left running.
        DagsterInvalidConfigError: when a resource's config isn't valid; no step has run then.
    """
    return Runner(plan, world).run()


class Runner:
    """Hold the state of one run; see the module's docstring."""

    def __init__(self, plan: Plan, world: World) -> None:
        self.plan, self.world = plan, world
        self.steps = {step.name: step for step in plan.steps}
        self.frontier: Frontier[str] = Frontier({step.name: step.after for step in plan.steps})
        self.result = RunResult(world.run_id or uuid.uuid4().hex)
        self.info = RunInfo(self.result.run_id, world.job_name, world.tags, config_of(world.config), world.instance)
        self.finished: queue.SimpleQueue[tuple[str, Future[Outcome]]] = queue.SimpleQueue()
        self.works: dict[str, Work] = {}
        self.contexts: dict[str, AssetExecutionContext] = {}
        self.attempts: dict[str, int] = {}
        self.executor = world.executor or InlineExecutor()
        self.slots = world.workers if world.workers > 1 else (1 if isinstance(self.executor, InlineExecutor) else 10_000)

    def run(self) -> RunResult:
        """Run all steps that can run."""
        began = time.perf_counter()
        self.start_run()
        interrupted: BaseException | None = None
        try:
            with capture.installed(), self.scope() as self.resources:
                self.loop()
        except (KeyboardInterrupt, DagsterExecutionInterruptedError) as error:
            interrupted = error
        except Exception as error:
            self.end_run("failure", began, describe(error).line)
            raise
        if interrupted is not None or self.world.cancel.is_set():
            self.abandon()
            self.end_run("canceled", began)
            if interrupted is not None:
                raise interrupted
            return self.result
        self.end_run("failure" if self.result.errors else "success", began)
        return self.result

    def loop(self) -> None:
        """Start what is ready and settle what has finished, until nothing is left."""
        frontier = self.frontier
        while not frontier.finished:
            if self.world.cancel.is_set():
                raise DagsterExecutionInterruptedError
            for name in frontier.take(self.slots - len(self.works), time.monotonic()):
                self.start(self.steps[name])
            self.settle_next()

    def settle_next(self) -> None:
        """Wait for a step to finish, or until a step's retry is due, but never so long that a cancel goes unheard."""
        if not self.works:
            due = self.frontier.next_retry()
            if due is not None and not self.frontier.ready:
                self.world.cancel.wait(min(0.1, max(0.0, due - time.monotonic())))
            return
        try:
            name, future = self.finished.get(timeout=0.1)
        except queue.Empty:
            return
        self.settle(self.steps[name], future)

    # -- the run ------------------------------------------------------------------------------------------------------

    def start_run(self) -> None:
        """Say that the run begins."""
        reasons = {step.name: str(step.reason) for step in self.plan.steps}
        keys = {step.name: tuple(map(str, step.keys or step.checks)) for step in self.plan.steps}
        self.emit(RunStarted(self.result.run_id, time.time(), "", self.plan.request.what, reasons, keys, self.world.tags))

    def end_run(self, status: str, began: float, message: str = "") -> None:
        """Say how the run ended."""
        self.result.status, self.result.seconds = status, time.perf_counter() - began
        text = message or "; ".join(f"{name}: {describe(error).line}" for name, error in self.result.errors.items())
        self.emit(RunFinished(self.result.run_id, time.time(), "", status, self.result.seconds, redact(text)))

    def scope(self) -> AbstractContextManager[Any]:
        """Return the resources that the steps need, set up for the run."""
        required = {key for step in self.plan.steps for key in self.required(step)}
        config = self.world.config.resources if self.world.config is not None else {}
        return ResourceScope(self.world.resources, sorted(required), config, self.info)

    def required(self, step: Step) -> set[str]:
        """Return the resources of a step, with the IO managers of what it loads."""
        loaders = {self.manager_key(step, name, key) for name, key in self.value_inputs(step)}
        return {*step.definition.required_resource_keys, *loaders}

    def emit(self, event: Event) -> None:
        """Append an event."""
        self.result.events.append(event)
        self.world.log.append(event)

    def abandon(self) -> None:
        """Stop whatever still runs, and wait a little for it."""
        self.frontier.cancel()
        for work in self.works.values():
            work.running.interrupt()
        deadline = time.monotonic() + 2
        while self.works and time.monotonic() < deadline:
            try:
                name, _ = self.finished.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                break
            self.works.pop(name, None)

    # -- starting a step ----------------------------------------------------------------------------------------------

    def start(self, step: Step) -> None:
        """Load a step's inputs and submit its function; skip it where its inputs turned out unchanged."""
        if step.conditional and self.unchanged(step):
            self.skip_unchanged(step)
            return
        attempt = self.attempts.get(step.name, 0)
        self.emit(StepStarted(self.result.run_id, time.time(), step.name, str(step.reason), attempt))
        try:
            work = self.work(step, attempt)
        except Exception as error:  # noqa: BLE001 - an IO manager or resource of the user's
            self.fail(step, error, 0.0)
            return
        self.works[step.name] = work
        around = self.world.on_step(step) if self.world.on_step is not None else nullcontext()
        try:
            with around:
                future = self.executor.submit(call, work)
        except BaseException:
            del self.works[step.name]
            raise
        future.add_done_callback(lambda done: self.finished.put((step.name, done)))

    def work(self, step: Step, attempt: int) -> Work:
        """Return the call of a step: its function with inputs, context, config and resources."""
        op = step.definition.op
        inputs = {name: self.load(step, name, key) for name, key in self.value_inputs(step)}
        config = self.world.config.op_config(op.name) if self.world.config is not None else None
        keys = op.required_resource_keys
        context = self.contexts[step.name] = self.context(step, config, attempt)
        if keys:
            context.resources = self.resources.namespace(keys)
        positional, named = arguments(
            op.signature,
            {name: value for name, value in inputs.items() if value is not NO_VALUE},
            context=context,
            config=config,
            resources=self.resources.objects if keys else None,
        )
        return Work(op.compute_fn, named, capture.Sink(tee=self.world.tee(step)), positional=positional)

    def context(self, step: Step, config: Any, attempt: int) -> AssetExecutionContext:
        """Return the context of a step."""
        kind = AssetExecutionContext if step.keys else AssetCheckExecutionContext
        return kind(
            step.definition.op,
            self.info,
            definition=step.definition,
            keys=step.keys,
            checks=step.checks,
            config=config,
            resources=NO_RESOURCES,
            partition=step.partition,
            step=step.name,
            attempt=attempt,
            emit=lambda level, text: self.emit(
                Logged(self.result.run_id, time.time(), step.name, "log", level, redact(text))
            ),
        )

    def value_inputs(self, step: Step) -> list[tuple[str, AssetKey]]:
        """Return the inputs that are loaded, with their assets."""
        definition = step.definition
        ins = definition.op.ins
        return [(name, key) for name, key in definition.keys_by_input_name.items() if not ins[name].is_nothing]

    def load(self, step: Step, name: str, key: AssetKey) -> Any:
        """Return the value of an input, or NO_VALUE to leave the function's default in place."""
        port = step.definition.op.ins[name]
        maker = self.world.makers.get(key)
        if port.has_default_value and (maker is None or not maker.is_executable):
            return NO_VALUE
        manager_key = self.manager_key(step, name, key)
        manager = self.resources.objects[manager_key]
        context = self.input_context(step, name, key, maker)
        value = manager.load_input(context)
        check_type(type_of(port), value, f"input `{name}` of `{step.name}`")
        metadata = dict(context.added)
        self.emit(InputLoaded(self.result.run_id, time.time(), step.name, name, key, manager_key, metadata))
        return value

    def manager_key(self, step: Step, name: str, key: AssetKey) -> str:
        """Return the resource that loads an input."""
        said = step.definition.op.ins[name].input_manager_key
        maker = self.world.makers.get(key)
        return said or (maker.get_io_manager_key_for_asset_key(key) if maker is not None else "io_manager")

    def input_context(self, step: Step, name: str, key: AssetKey, maker: AssetsDefinition | None) -> InputContext:
        """Return what an IO manager learns about an input."""
        upstream = OutputContext(
            name=maker.output_of.get(key, "result") if maker is not None else "result",
            step_key=maker.op.name if maker is not None and maker.is_executable else "",
            run_id=self.result.run_id,
            key=key,
            partition=step.partition,
            definition_metadata=maker.specs_by_key[key].metadata if maker is not None and key in maker.specs_by_key else {},
        )
        port = step.definition.op.ins[name]
        return InputContext(
            name=name,
            step_key=step.name,
            run_id=self.result.run_id,
            key=key,
            partition=step.partition,
            definition_metadata=port.metadata,
            dagster_type=type_of(port),
            resources=NO_RESOURCES,
            op_def=step.definition.op,
            data_version=self.world.ledger.data_version(key, step.partition),
            upstream_output=upstream,
        )

    # -- conditional steps --------------------------------------------------------------------------------------------

    def recipe(self, step: Step) -> Recipe:
        """Return all that the step's values depend on, with the versions that its inputs have now."""
        versions = self.world.ledger.data_version
        inputs = (Part("input", str(key), versions(key, step.partition) or "external") for key in step.inputs)
        return (*step.parts, *inputs)

    def unchanged(self, step: Step) -> bool:
        """Tell whether what the step would make is there already."""
        recipe, ledger = self.recipe(step), self.world.ledger
        made = (ledger.materialized.get((key, step.partition)) for key in step.keys)
        checked = (ledger.checked.get((check, step.partition)) for check in (step.checks if not step.keys else ()))
        names = step.keys or step.checks
        facts = [*made, *checked]
        return all(fact is not None and fact.version == version_of(recipe, str(n)) for fact, n in zip(facts, names, strict=True))

    def skip_unchanged(self, step: Step) -> None:
        """Leave a step out whose inputs turned out unchanged."""
        self.emit(StepSkipped(self.result.run_id, time.time(), step.name, "inputs unchanged", step.keys, unchanged=True))
        self.frontier.done(step.name)

    # -- settling a step ----------------------------------------------------------------------------------------------

    def settle(self, step: Step, future: Future[Outcome]) -> None:
        """Take in what came of a step's function."""
        work = self.works.pop(step.name)
        try:
            outcome = future.result()
        except Exception as error:  # noqa: BLE001 - the executor itself failed: a worker died, a value can't be sent
            self.fail(step, error, 0.0)
            return
        chunks = tuple(work.sink.chunks()) if work.sink is not None else ()
        for chunk in chunks:
            if chunk.text:
                self.emit(Logged(self.result.run_id, time.time(), step.name, chunk.kind, "", redact(chunk.text)))
        error = outcome.error
        try:
            harvest = gather(step, outcome)
            blocked = self.store_all(step, harvest, outcome, chunks)
        except (KeyboardInterrupt, DagsterExecutionInterruptedError):
            raise
        except Exception as raised:  # noqa: BLE001 - an IO manager of the user's, or a wrong output
            error, blocked = error or raised, None
        error = error or blocked
        if error is not None:
            self.retry_or_fail(step, error, outcome.seconds)
            return
        self.emit(StepSucceeded(self.result.run_id, time.time(), step.name, outcome.seconds))
        self.frontier.done(step.name)
        self.skip_what_reads(step, harvest)

    def store_all(self, step: Step, harvest: Harvest, outcome: Outcome, chunks: tuple[Any, ...]) -> Exception | None:
        """Store the outputs, append the verdicts, and return the error of a blocking check that failed."""
        recipe = self.recipe(step)
        for name, output in harvest.outputs.items():
            self.store(step, name, output, recipe, outcome.seconds, chunks)
        for event in (*harvest.events, *self.contexts[step.name].events):
            self.emit_user_event(step, event, recipe)
        failed = [v for v in harvest.verdicts.values() if self.check(step, v, recipe, outcome.seconds, chunks)]
        return blocking_error(failed) if failed else None

    def store(
        self, step: Step, name: str, output: Output[Any], recipe: Recipe, seconds: float, chunks: tuple[Any, ...]
    ) -> None:
        """Hand one output to its IO manager and say that the asset is materialized."""
        definition, run_id = step.definition, self.result.run_id
        key = definition.keys_by_output_name[name]
        port = definition.op.outs[name]
        if not port.is_nothing:
            refuse_iterator(output.value, str(key))
            check_type(type_of(port), output.value, f"asset `{key}`")
        version = version_of(recipe, str(key))
        data_version = said_version(output) or (version_of(recipe, str(key), run_id) if step.fresh_version else version)
        metadata = {**(output.metadata or {}), **normalize_metadata(self.contexts[step.name].output_metadata.get(name, {}))}
        manager_key = definition.get_io_manager_key_for_asset_key(key)
        if definition.is_observable:
            tags = {**(output.tags or {})}
            seen = AssetObservation(key, metadata=metadata, tags=tags)
            self.emit(Observed(run_id, time.time(), step.name, seen, step.partition, said_version(output)))
            return
        if not port.is_nothing:
            metadata = self.hand_over(step, name, key, output, manager_key, data_version, seconds, metadata)
        spec = definition.specs_by_key[key]
        made = AssetMaterialization(
            key, description=spec.description, metadata=metadata, partition=step.partition, tags=output.tags or {}
        )
        if self.world.keep_values:
            self.result.values[step.name, name] = output.value
        sized = self.world.measure and not port.is_nothing
        self.emit(
            Materialized(
                run_id,
                time.time(),
                step.name,
                made,
                step.partition,
                version,
                data_version,
                said_version(output) is not None,
                recipe,
                seconds,
                nbytes(output.value) if sized else 0,
                shape(output.value) if sized else None,
                manager_key,
                chunks,
            )
        )

    def hand_over(
        self,
        step: Step,
        name: str,
        key: AssetKey,
        output: Output[Any],
        manager_key: str,
        data_version: str,
        seconds: float,
        metadata: dict[str, Any],
    ) -> dict[str, Any]:
        """Have the IO manager store a value, and return the metadata with what the manager added."""
        op = step.definition.op
        context = OutputContext(
            name=name,
            step_key=step.name,
            run_id=self.result.run_id,
            key=key,
            partition=step.partition,
            definition_metadata=step.definition.specs_by_key[key].metadata,
            dagster_type=type_of(op.outs[name]),
            resources=NO_RESOURCES,
            op_def=op,
            data_version=data_version,
            seconds=seconds,
            output_metadata=metadata,
        )
        self.resources.objects[manager_key].handle_output(context, output.value)
        self.emit(OutputStored(self.result.run_id, time.time(), step.name, name, key, manager_key, context.added))
        for event in context.logged:
            self.emit_user_event(step, event, ())
        return {**metadata, **context.added}

    def emit_user_event(self, step: Step, event: Any, recipe: Recipe) -> None:
        """Say that the user's code made or observed an asset by itself."""
        run_id, now = self.result.run_id, time.time()
        if isinstance(event, AssetMaterialization):
            version = version_of(recipe, str(event.asset_key))
            self.emit(Materialized(run_id, now, step.name, event, event.partition, version, version, recipe=recipe))
        elif isinstance(event, AssetObservation):
            self.emit(Observed(run_id, now, step.name, event, event.partition))
        else:
            self.emit(Logged(run_id, now, step.name, "event", "", repr(event)))

    def check(
        self, step: Step, verdict: AssetCheckResult, recipe: Recipe, seconds: float, chunks: tuple[Any, ...]
    ) -> bool:
        """Append a verdict; tell whether it is a failure that blocks."""
        spec = next(s for s in step.definition.check_specs if (s.asset_key, s.name) == (verdict.asset_key, verdict.check_name))
        evaluation = AssetCheckEvaluation(
            spec.asset_key,
            spec.name,
            verdict.passed,
            verdict.metadata,
            severity=verdict.severity,
            description=verdict.description,
            blocking=spec.blocking,
            partition=step.partition,
        )
        version = version_of(recipe, str(spec.key))
        self.emit(
            Checked(
                self.result.run_id,
                time.time(),
                step.name,
                evaluation,
                step.partition,
                version,
                recipe,
                spec.blocking,
                seconds,
                chunks,
            )
        )
        failed = not evaluation.passed and evaluation.severity == AssetCheckSeverity.ERROR
        return failed and spec.blocking

    def skip_what_reads(self, step: Step, harvest: Harvest) -> None:
        """Skip the steps that read an output which the step left out."""
        left_out = {key for name, key in step.definition.keys_by_output_name.items() if name not in harvest.outputs}
        if not left_out:
            return
        for other in self.plan.steps:
            if left_out & {*other.inputs, *other.definition.keys_by_input_name.values()} and other is not step:
                self.skip(other.name, f"{min(map(str, left_out))} was left out")

    def skip(self, name: str, why: str) -> None:
        """Skip a step and what is downstream of it."""
        if self.frontier.state(name) not in ("waiting", "ready"):
            return
        for below in (name, *self.frontier.skip(name)):
            self.emit(StepSkipped(self.result.run_id, time.time(), below, why, self.steps[below].keys))

    # -- failing ------------------------------------------------------------------------------------------------------

    def retry_or_fail(self, step: Step, error: BaseException, seconds: float) -> None:
        """Try a step again where its policy or its error says so, else fail it."""
        attempt = self.attempts.get(step.name, 0) + 1
        delay = retry_delay(step, error, attempt)
        if delay is None:
            self.fail(step, error.__cause__ or error if isinstance(error, RetryRequested) else error, seconds)
            return
        self.attempts[step.name] = attempt
        line = describe(error.__cause__ or error).line
        self.emit(StepRetrying(self.result.run_id, time.time(), step.name, attempt, delay, redact(line)))
        self.frontier.retry(step.name, time.monotonic() + delay)

    def fail(self, step: Step, error: BaseException, seconds: float) -> None:
        """Fail a step and skip what is downstream."""
        self.result.errors[step.name] = error
        told = describe(error)
        self.emit(
            StepFailed(
                self.result.run_id,
                time.time(),
                step.name,
                redact(told.line),
                redact(told.traceback),
                step.keys,
                step.partition,
                seconds,
                dict(getattr(error, "metadata", None) or {}),
            )
        )
        for below in self.frontier.fail(step.name):
            why = f"{step.name} failed"
            self.emit(StepSkipped(self.result.run_id, time.time(), below, why, self.steps[below].keys))


def retry_delay(step: Step, error: BaseException, attempt: int) -> float | None:
    """Return the seconds until the next attempt, or None when there's none.

    Args:
        attempt: the number of the next attempt, from 1.
    """
    if isinstance(error, RetryRequested):
        return (error.seconds_to_wait or 0.0) if attempt <= error.max_retries else None
    policy = step.definition.op.retry_policy
    if policy is None or attempt > policy.max_retries or isinstance(error, DagsterAssetCheckFailedError):
        return None
    if isinstance(error, Failure) and not error.allow_retries:
        return None
    return policy.calculate_delay(attempt)


def check_type(dagster_type: Any, value: Any, what: str) -> None:
    """Refuse a value that isn't of its declared type.

    Raises:
        DagsterTypeCheckDidNotPass: naming what and the type.
    """
    verdict = check_dagster_type(dagster_type, value)
    if not verdict.success:
        said = f": {verdict.description}" if verdict.description else ""
        raise DagsterTypeCheckDidNotPass(f"{what} isn't a `{dagster_type.display_name}` but a `{type(value).__name__}`{said}")


def said_version(output: Output[Any]) -> str | None:
    """Return the DataVersion that the asset returned, if it did."""
    said = output.data_version
    return said.value if isinstance(said, DataVersion) else None


def blocking_error(failed: list[AssetCheckResult]) -> DagsterAssetCheckFailedError:
    """Return the error of blocking checks that failed."""
    names = ", ".join(f"`{verdict.asset_key}:{verdict.check_name}`" for verdict in failed)
    return DagsterAssetCheckFailedError(f"blocking check failed: {names}", hint="`%checks` shows what it found")


def config_of(config: Resolved | None) -> Mapping[str, Any]:
    """Return the run config as it was given."""
    return config.given if config is not None else {}
