"""The cells of schedules and sensors: options on the first line, and below what is asked when they tick.

    %%schedule weekdays --cron "0 9 * * 1-5" --job report
    RunRequest(tags={"day": f"{context.scheduled_execution_time:%Y-%m-%d}"})

    %%sensor new_files --job load --every 60
    [RunRequest(name) for name in sorted(os.listdir("inbox"))]

The body is the body of a function; its value is the last expression. A schedule without a body runs its job as it is.
"""

from __future__ import annotations

import ast
import keyword
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from types import FunctionType
from typing import Any, Final

from ipy_orch.authoring.cells.cells import CellText, compiled, function_tree, valid_part
from ipy_orch.authoring.cells.options import Option, parse_line
from ipy_orch.authoring.schedules import schedule
from ipy_orch.authoring.sensors import asset_sensor, sensor
from ipy_orch.errors import DagsterInvalidDefinitionError
from ipy_orch.model.asset_jobs import define_asset_job
from ipy_orch.model.automation.functions import TickFunction
from ipy_orch.model.automation.requests import RunRequest, SensorResult, SkipReason
from ipy_orch.model.automation.schedules import ScheduleDefinition
from ipy_orch.model.automation.sensors import SensorDefinition
from ipy_orch.model.keys import AssetKey

__all__ = [
    "GIVEN",
    "KINDS",
    "SCHEDULE_OPTIONS",
    "SENSOR_OPTIONS",
    "AutomationCell",
    "define",
    "parameters",
    "read_automation_cell",
    "resources_read",
]

JOB: Final = Option("job", "text", "the job that it runs", "JOB")
TARGET: Final = Option("target", "text", "the assets that it runs, instead of a job", "SELECTION")
SAID: Final = Option("description", "text", "what it is for", "TEXT")
SCHEDULE_OPTIONS: Final = (
    Option("cron", "text", "when: minute, hour, day of month, month, day of week; or @daily and the like", "CRON"),
    JOB,
    TARGET,
    Option("timezone", "text", "where the clock hangs, e.g. Europe/Berlin; by default UTC", "ZONE"),
    SAID,
    Option("tags", "map", "labels", "KEY=VALUE"),
)
SENSOR_OPTIONS: Final = (
    JOB,
    TARGET,
    Option("every", "number", "seconds until it is asked again, 30 by default", "SECONDS"),
    Option("asset", "text", "ask it once for each new materialization of this asset, as `asset_event`", "ASSET"),
    SAID,
    Option("tags", "map", "labels", "KEY=VALUE"),
)
KINDS: Final = {"schedule": SCHEDULE_OPTIONS, "sensor": SENSOR_OPTIONS}
#: names that a body may use although no cell imports them
GIVEN: Final[Mapping[str, Any]] = {one.__name__: one for one in (RunRequest, SkipReason, SensorResult)}
CONTEXT, EVENT = "context", "asset_event"
EXAMPLES: Final = {
    "schedule": '%%schedule nightly --cron "0 3 * * *" --job JOB',
    "sensor": "%%sensor new_files --job JOB",
}


@dataclass(frozen=True)
class AutomationCell:
    """Be the cell of a schedule or sensor as it was written.

    Args:
        source: its body, as that of a function.
    """

    kind: str
    name: str
    options: Mapping[str, Any]
    source: CellText

    @property
    def has_body(self) -> bool:
        """Tell whether anything is asked when it ticks."""
        return bool(self.source.tree.body)

    @property
    def job_of_target(self) -> str:
        """Return the name of the job that stands for the target of a sensor of an asset."""
        return f"{self.name}_job"

    @property
    def arguments(self) -> dict[str, Any]:
        """Return the arguments of the decorator beside the cron schedule and the asset, under Dagster's names."""
        said = {
            "job_name": self.options.get("job"),
            "target": self.options.get("target"),
            "execution_timezone": self.options.get("timezone"),
            "minimum_interval_seconds": self.options.get("every"),
            "description": self.options.get("description"),
            "tags": self.options.get("tags"),
        }
        return {name: value for name, value in said.items() if value is not None}


def read_automation_cell(kind: str, line: str, body: str, where: str = "", text: str = "") -> AutomationCell:
    """Return the cell of a schedule or sensor.

    Args:
        kind: ``schedule`` or ``sensor``.
        body: with the lines above it blank, so that line numbers are the cell's.

    Raises:
        DagsterInvalidDefinitionError: when the name or the cron schedule is missing, or an option is wrong.
    """
    words, options = parse_line(line, KINDS[kind], where=where)
    if not words:
        raise DagsterInvalidDefinitionError(f"`%%{kind}` needs a name", where=where, hint=EXAMPLES[kind])
    name = words[0]
    if len(words) > 1:
        told = f"`%%{kind}` takes one name, not {len(words)}: {' '.join(words)}"
        hint = '--cron "0 3 * * *", in quotes' if kind == "schedule" else EXAMPLES[kind]
        raise DagsterInvalidDefinitionError(told, where=where, hint=hint)
    if not name.isidentifier() or not name.isascii() or keyword.iskeyword(name):
        told = f"`{name}` can't be the name of a {kind}"
        raise DagsterInvalidDefinitionError(told, where=where, hint=f"call it `{valid_part(name)}`")
    source = CellText(kind, AssetKey(name), options, body, where, text or body)
    made = AutomationCell(kind, name, options, source)
    refuse_incomplete(made, where)
    return made


def refuse_incomplete(cell: AutomationCell, where: str) -> None:
    """Refuse a cell that doesn't say enough.

    Raises:
        DagsterInvalidDefinitionError: with what to type.
    """
    kind, name, options = cell.kind, cell.name, cell.options
    told, hint = "", ""
    if kind == "schedule" and "cron" not in options:
        told, hint = f"`{name}` doesn't say when it ticks", f'%%schedule {name} --cron "0 3 * * *"'
    elif "job" in options and "target" in options:
        told, hint = f"`{name}` has a job and a target, which both say what it runs", "leave one out"
    elif kind == "schedule" and not {"job", "target"} & options.keys():
        told, hint = f"`{name}` doesn't say what it runs", "--job JOB, or --target SELECTION"
    elif kind == "sensor" and not cell.has_body:
        told, hint = (
            f"sensor `{name}` has no body to be asked",
            "[RunRequest(...)], or SkipReason(...), as its last line",
        )
    elif not isinstance(options.get("every", 1), int) or options.get("every", 1) < 1:
        told, hint = f"`--every` is a whole number of seconds, not {options['every']}", "--every 30"
    if told:
        raise DagsterInvalidDefinitionError(told, where=where, hint=hint)


def parameters(cell: AutomationCell) -> list[str]:
    """Return the parameters of the cell's function beside resources: the context, and the event of an asset."""
    free = cell.source.names.free
    if "asset" in cell.options:
        return [CONTEXT, EVENT] if {CONTEXT, EVENT} & free.keys() else []
    return [CONTEXT] if CONTEXT in free else []


def resources_read(cell: AutomationCell, resources: Collection[str]) -> list[str]:
    """Return the resources that a body reads: they are arguments of its function."""
    return sorted(name for name in cell.source.names.free if name in resources)


def define(
    cell: AutomationCell, resources: Collection[str], namespace: dict[str, Any], filename: str
) -> ScheduleDefinition | SensorDefinition:
    """Return the schedule or sensor of a cell.

    Args:
        resources: the keys of the notebook's.
        namespace: the globals of its function.
        filename: the cell's, so that tracebacks are the cell's.

    Raises:
        DagsterInvalidDefinitionError: for a cron expression or timezone that can't be one.
    """
    options, said = cell.options, cell.arguments
    if not cell.has_body:
        return ScheduleDefinition(cell.name, cron_schedule=options["cron"], **said)
    taken = resources_read(cell, resources)
    function = function_of(cell, [*parameters(cell), *taken], namespace, filename)
    if cell.kind == "schedule":
        made: Any = schedule(options["cron"], name=cell.name, **said)(function)
    elif "asset" in options:
        chosen = said.pop("target", None)  # which Dagster's decorator doesn't take
        job: dict[str, Any] = {"job": define_asset_job(cell.job_of_target, chosen)} if chosen is not None else {}
        made = asset_sensor(AssetKey.from_user_string(options["asset"]), name=cell.name, **said, **job)(function)
    else:
        made = sensor(name=cell.name, **said)(function)
    made.function = TickFunction(function, tuple(parameters(cell)), frozenset(taken))
    made.required_resource_keys = frozenset(taken)
    return made  # type: ignore[no-any-return]


def function_of(cell: AutomationCell, names: list[str], namespace: dict[str, Any], filename: str) -> FunctionType:
    """Return the function of a cell; what no cell imports of the framework it finds round it."""
    node = function_tree(cell.source, names)
    given = [name for name in GIVEN if name in cell.source.names.free and name not in namespace]
    around = ast.parse(f"def around({', '.join(given)}):\n    return {cell.name}").body[0]
    assert isinstance(around, ast.FunctionDef)
    around.body.insert(0, node)
    make = compiled(around, namespace, filename)
    made: FunctionType = make(*(GIVEN[name] for name in given))
    made.__module__ = namespace.get("__name__", "__main__")
    return made
