"""What a run finds around it, what comes of it, and the run itself while it is going on."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ipy_orch.events.chunks import Chunk
from ipy_orch.events.ledger import Ledger
from ipy_orch.events.log import EventLog
from ipy_orch.events.types import Event, Logged, ResourceFailed, TypeChecked
from ipy_orch.execution.capture import STEP, Sink, capture
from ipy_orch.execution.contexts.contexts import OpExecutionContext
from ipy_orch.execution.contexts.io import OutputContext
from ipy_orch.execution.contexts.logs import StepLog
from ipy_orch.execution.contexts.resources import NO_RESOURCES
from ipy_orch.execution.isolation.sealing import Sealed
from ipy_orch.execution.loggers import RunLoggers, open_loggers
from ipy_orch.execution.records.dagster_run import EPHEMERAL_JOB, RunInfo
from ipy_orch.execution.resources import ResourceScope
from ipy_orch.execution.types import TypeCheckContext, refuse, verdict_on
from ipy_orch.execution.wiring import Outlet
from ipy_orch.model.assets import AssetsDefinition
from ipy_orch.model.console_loggers import BUILTIN
from ipy_orch.model.env import SECRETS
from ipy_orch.model.jobs import JobDefinition
from ipy_orch.model.keys import AssetKey
from ipy_orch.model.loggers import LoggerDefinition
from ipy_orch.model.resources.resource import as_resource
from ipy_orch.model.types.annotations import DagsterType, TypeCheck
from ipy_orch.planning.config import Resolved
from ipy_orch.planning.plan import Step

if TYPE_CHECKING:
    from ipy_orch.execution.workers.lanes import Place

__all__ = ["OpenRun", "Outputs", "RunResult", "World"]


@dataclass
class Outputs:
    """Hold what the ops of a run made: for its other ops, and for a run that goes on where it ended.

    Args:
        kept: values that no IO manager of the user's has, by step, output and mapping key.
        mapping_keys: of dynamic outputs.
        left_out: outputs that weren't made.
        done: steps that aren't run, because what they made is there -> the run that made it.
    """

    kept: dict[tuple[str, str, str | None], Sealed] = field(default_factory=dict)
    mapping_keys: dict[tuple[str, str], tuple[str, ...]] = field(default_factory=dict)
    left_out: set[tuple[str, str]] = field(default_factory=set)
    done: Mapping[str, str] = field(default_factory=dict)


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
        apart: step -> where it runs, of those that say so themselves.
        makers: asset -> definition, of all assets, so that inputs from outside the plan find their IO manager.
        keep_values: keep what steps returned in the result, as Dagster's in-process execution does.
        measure: look at values' sizes and shapes.
        tee: whether a step's output appears live as well, in the cell that runs.
        show: shows what a step printed in another process, where its output appears live.
        on_step: returns a context manager for each step, entered where its function runs (rich displays ...); not
            asked by executors of other processes.
        cancel: set it to end the run.
        instance: what ``context.instance`` is.
        job: whose run it is, if it's one's.
        loggers: name -> logger; those that run config names get what steps log.
        console: makes what gets it where run config names none.
        outputs: what ops make; of an earlier run, where this one goes on with it.
    """

    log: EventLog
    ledger: Ledger
    resources: Mapping[str, Any] = field(default_factory=dict)
    config: Resolved | None = None
    executor: Executor | None = None
    workers: int = 1
    apart: Mapping[str, Place] = field(default_factory=dict)
    makers: Mapping[AssetKey, AssetsDefinition] = field(default_factory=dict)
    keep_values: bool = False
    measure: bool = True
    tee: Callable[[Step], bool] = lambda _step: False
    show: Callable[[Step, Sequence[Chunk]], None] | None = None
    on_step: Callable[[Step], AbstractContextManager[Any]] | None = None
    cancel: threading.Event = field(default_factory=threading.Event)
    run_id: str = ""
    job_name: str = EPHEMERAL_JOB
    tags: Mapping[str, str] = field(default_factory=dict)
    instance: Any = None
    job: JobDefinition | None = None
    loggers: Mapping[str, LoggerDefinition] = field(default_factory=dict)
    console: Callable[[RunInfo], RunLoggers] = RunLoggers
    outputs: Outputs = field(default_factory=Outputs)


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


class OpenRun:
    """Be a run that is going on: the world around it, which run it is, its open resources, its events so far."""

    def __init__(self, world: World, run_id: str, partition: str | None = None) -> None:
        self.world, self.partition = world, partition
        self.result = RunResult(run_id)
        config = world.config.given if world.config is not None else {}
        layer = world.job.asset_layer if world.job is not None else None
        self.info = RunInfo(
            run_id,
            world.job_name,
            world.tags,
            config,
            world.instance,
            asset_selection=layer.asset_selection if layer is not None else frozenset(),
            asset_check_selection=layer.asset_check_selection if layer is not None else None,
        )
        chosen = config.get("loggers")
        self.loggers = open_loggers(world.loggers, chosen, self.info, world.job) if chosen else world.console(self.info)
        self.objects: Mapping[str, Any] = {}
        self.resources_of_managers: dict[str, Any] = {}
        self.configs_of_managers: dict[str, Any] = {}
        self.kept, self.mapping_keys = world.outputs.kept, world.outputs.mapping_keys
        self.phase = ""  #: what an IO manager was about when it raised
        self.outputs_left_out = world.outputs.left_out
        self.assets_left_out: set[AssetKey] = set()

    @property
    def run_id(self) -> str:
        """Return the id of the run."""
        return self.info.run_id

    def scope(self, required: Iterable[str]) -> ResourceScope:
        """Return the resources under these keys; they are open while it is entered."""
        config = self.world.config.resources if self.world.config is not None else {}
        scope = ResourceScope(
            self.world.resources,
            sorted(required),
            config,
            self.info,
            instance=self.world.instance,
            log=StepLog(self.aside(None)),
            on_teardown_error=self.teardown_failed,
        )
        self.objects = scope.objects
        self.namespace = scope.namespace
        return scope

    def teardown_failed(self, key: str, error: Exception) -> None:
        """Say that a resource couldn't be closed."""
        line = f"{type(error).__name__}: {error}"
        self.emit(ResourceFailed(self.run_id, time.time(), "", key, "teardown", line))

    def emit(self, event: Event) -> None:
        """Append an event, without the value of any secret wherever it stands in it."""
        told = event if SECRETS.pattern is None else SECRETS.redact_all(event)
        self.result.events.append(told)
        self.world.log.append(told)

    def check_type(
        self, step: str, kind: DagsterType, value: Any, what: str, port: tuple[str, str, str | None]
    ) -> TypeCheck | None:
        """Check a value's type, and say so where the check has something to tell; None where every value passes.

        Args:
            what: names the value in messages.
            port: ``input`` or ``output``, its name, and the mapping key of a dynamic output.

        Raises:
            DagsterTypeCheckDidNotPass: when it isn't of the type.
            Exception: what the check itself raises.
        """
        if kind.is_any:
            return None
        keys = kind.required_resource_keys
        resources = self.namespace(keys) if keys else NO_RESOURCES
        context = TypeCheckContext(self.run_id, resources, lambda level, text: self.say(step, "log", text, level))
        with self.during("check"):
            verdict = verdict_on(kind, value, what, context)
        if not verdict.success or verdict.metadata or verdict.description:
            said = (verdict.success, verdict.description, verdict.metadata)
            self.emit(TypeChecked(self.run_id, time.time(), step, *port, *said))
        refuse(verdict, kind, value, what)
        return verdict

    @contextmanager
    def during(self, phase: str) -> Iterator[None]:
        """Remember that an IO manager is at work; the mark stays when it raises."""
        self.phase = phase
        yield
        self.phase = ""

    def take_phase(self) -> str:
        """Return what an IO manager was about when it raised, and forget it."""
        phase, self.phase = self.phase, ""
        return phase

    def leave_out(self, step: str, outlet: Outlet) -> None:
        """Remember that an output wasn't made, so that what reads it isn't run."""
        self.outputs_left_out.add((step, outlet.name))
        if outlet.key is not None:
            self.assets_left_out.add(outlet.key)

    def say(self, step: str, stream: str, text: str, level: str = "") -> None:
        """Append what a step printed or logged, and hand a log record to the run's loggers."""
        if stream == "log":
            self.loggers.take(step, level, text)
        self.emit(Logged(self.run_id, time.time(), step, stream, level, text))

    def retell(self, step: str, chunk: Chunk) -> None:
        """Append what a step printed, warned or logged by Python's means; a logger of ours is told to the run's too."""
        about = chunk.data if chunk.kind == "log" and chunk.data is not None else {}
        if about.get("logger") == STEP:
            return  # it was appended when it came
        level = about.get("level", "")
        if about.get("logger", "").startswith(BUILTIN):
            self.loggers.take(step, level, chunk.text)
        self.emit(Logged(self.run_id, time.time(), step, chunk.kind, level, chunk.text))

    def logger(self, step: Step) -> Callable[[str, str], None]:
        """Return what takes the log records of a step."""
        return lambda level, text: self.say(step.name, "log", text, level)

    def aside(self, step: Step | None) -> Callable[[str, str], None]:
        """Return what takes the log records of an IO manager, a hook or a resource: they're no output of a step.

        Args:
            step: where it is live, they are; None for those that are of none.
        """

        def take(level: str, text: str) -> None:
            with capture(Sink(tee=True)) if step is None or self.world.tee(step) else nullcontext():
                self.say("" if step is None else step.name, "log", text, level)

        return take

    def output_context(
        self,
        step: Step,
        outlet: Outlet,
        mapping_key: str | None = None,
        metadata: Mapping[str, Any] | None = None,
        context: OpExecutionContext | None = None,
    ) -> OutputContext:
        """Return what an IO manager learns about an output.

        Args:
            metadata: what the step said of the value.
            context: of the step, where it has just run.
        """
        spec = outlet.spec
        return OutputContext(
            name=outlet.name,
            key=outlet.key,
            step_key=step.name,
            run_id=self.world.outputs.done.get(step.name, self.run_id),
            partition=self.partition_of(step),
            partitions=made_of(step) if spec is not None else None,
            definition_metadata=spec.metadata if spec is not None else outlet.port.metadata,
            dagster_type=outlet.type,
            resources=self.resources_for(outlet.manager),
            resource_config=self.config_of(outlet.manager),
            op_def=step.op,
            config=self.config_of_output(step, outlet.name),
            spec=spec,
            run=self.info,
            emit=self.aside(step),
            step=context,
            mapping_key=mapping_key,
            output_metadata=metadata or {},
        )

    def partition_of(self, step: Step) -> str | None:
        """Return the partition that a step runs for: the one that it makes, else that of the run."""
        return step.partition if step.partition is not None else self.partition

    def config_of_output(self, step: Step, name: str) -> Any:
        """Return what run config says of an output: a mapping, or a list of mappings with one output each."""
        config = self.world.config
        given = config.op_outputs(step.place) if config is not None else None
        entries: Iterable[Any] = given if isinstance(given, list) else [given or {}]
        return next((entry[name] for entry in entries if name in entry), None)

    def resources_for(self, manager: str) -> Any:
        """Return the resources that an IO manager requires."""
        if manager not in self.resources_of_managers:
            definition = self.world.resources.get(manager)
            keys = as_resource(definition).__required_keys__
            self.resources_of_managers[manager] = self.namespace(keys) if keys else NO_RESOURCES
        return self.resources_of_managers[manager]

    def config_of(self, manager: str) -> Any:
        """Return the config of an IO manager, as plain data."""
        if manager not in self.configs_of_managers:
            config = self.world.config
            known = config is not None and manager in config.definitions
            self.configs_of_managers[manager] = config.resource_config(manager) if config and known else None
        return self.configs_of_managers[manager]


def made_of(step: Step) -> Sequence[str] | None:
    """Return the partitions that a step makes; None where what it makes isn't partitioned, or nobody said which."""
    return None if step.reading is None else step.reading.partitions or None
