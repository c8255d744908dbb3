"""What a view may send. Each has the fields declared here, and no others."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, JsonValue, StringConstraints

from ipy_orch.ui.protocol.envelope import Asked, Name, Names, Text, Wire, Yaml

__all__ = [
    "AutomationsCommand",
    "Backfill",
    "Cancel",
    "CheckConfig",
    "Compare",
    "ConditionCommand",
    "DaemonCommand",
    "DetailsCommand",
    "DropPreset",
    "FormCommand",
    "JobCommand",
    "Launch",
    "Materialize",
    "PartitionsCommand",
    "ProfileCommand",
    "Refresh",
    "RowsCommand",
    "RunCommand",
    "SavePreset",
    "Select",
    "Sort",
    "Switch",
    "TickNow",
    "TicksCommand",
    "UseEnvironment",
    "UsePreset",
]


class Refresh(Asked):
    """Ask for a whole snapshot; the first thing that a view sends."""

    kind: Literal["refresh"]


class Materialize(Asked):
    """Run: the assets of ``ids``, else those of ``selection``, else all; with them whatever is missing before them.

    ``downstream`` adds all that depends on them, ``upstream`` has what they depend on forced as well, ``stale`` keeps
    only those that aren't fresh, ``force`` runs also what is fresh. ``config`` is run config as YAML or as data.
    ``partitions`` are keys, ranges ``a..b`` with both ends, or of two dimensions ``a..b|c..d``.
    """

    kind: Literal["materialize"]
    ids: Names | None = None
    selection: Text | None = None
    stale: bool = False
    upstream: bool = False
    downstream: bool = False
    force: bool = False
    checks_only: bool = False
    partitions: Names | None = None
    config: Yaml | dict[Name, JsonValue] | None = None
    env: Name | None = Field(default=None, description="the environment for this run, one of the snapshot's")


class Backfill(Asked):
    """Bring partitions of assets up to date, or of those only what is ``missing`` or ``failed``, or ``all`` by force.

    ``partitions`` are as those of materialize; null for all.
    """

    kind: Literal["backfill"]
    ids: Annotated[Names, Field(min_length=1)]
    partitions: Names | None = None
    only: Literal["stale", "missing", "failed", "all"] = "stale"


class Launch(Asked):
    """Run a job: all that it selects, whatever is fresh; ``config`` is laid over the job's own.

    ``from_failure`` runs only what failed or didn't run the last time, and what has changed since.
    """

    kind: Literal["launch"]
    name: Name
    config: Yaml | dict[Name, JsonValue] | None = None
    env: Name | None = Field(default=None, description="the environment for this run, one of the snapshot's")
    from_failure: bool = False


class UseEnvironment(Asked):
    """Switch to another environment: one of the snapshot's."""

    kind: Literal["use_environment"]
    name: Name


class Cancel(Asked):
    """End the run that goes on."""

    kind: Literal["cancel"]


class Select(Asked):
    """Ask which assets a selection string names, e.g. ``+orders and group:shop``."""

    kind: Literal["select"]
    text: Text


class DetailsCommand(Asked):
    """Ask for all that is known of an asset.

    ``load``: the person asks for a value that isn't in memory; it is loaded by the asset's own IO manager, whose code
    runs. Send it for a button only.
    """

    kind: Literal["details"]
    id: Name
    load: bool = False


class PartitionsCommand(Asked):
    """Ask how the partitions of an asset stand; ``known`` is the stamp of the keys that the view has."""

    kind: Literal["partitions"]
    id: Name
    known: Text = ""


class ConditionCommand(Asked):
    """Ask why the automation condition of an asset is true or not."""

    kind: Literal["condition"]
    id: Name


class Sort(Wire):
    """Be an order of rows."""

    column: Name
    descending: bool = False


class RowsCommand(Asked):
    """Ask for rows ``start`` to ``stop`` of a value, at most a thousand."""

    kind: Literal["rows"]
    id: Name
    start: int = Field(ge=0, lt=2**53)
    stop: int = Field(ge=0, lt=2**53)
    sort: Sort | None = None


class ProfileCommand(Asked):
    """Ask for the statistics of a table's columns: null for all."""

    kind: Literal["profile"]
    id: Name
    columns: Annotated[list[Name], Field(max_length=1_000)] | None = None


class Compare(Asked):
    """Ask what has changed in a table since the materialization before."""

    kind: Literal["compare"]
    id: Name


class RunCommand(Asked):
    """Ask for a run with all its steps."""

    kind: Literal["run"]
    run_id: Name


class JobCommand(Asked):
    """Ask for all that is known of a job."""

    kind: Literal["job"]
    name: Name


class AutomationsCommand(Asked):
    """Ask for all schedules and sensors."""

    kind: Literal["automations"]


class TicksCommand(Asked):
    """Ask for the ticks of a schedule or sensor."""

    kind: Literal["ticks"]
    name: Name


class Switch(Asked):
    """Switch a schedule or sensor on or off; answered by all of them."""

    kind: Literal["switch"]
    name: Name
    on: bool


class TickNow(Asked):
    """Let a schedule or sensor tick, and run what it asks for; answered by all of them. Its code runs."""

    kind: Literal["tick"]
    name: Name


class DaemonCommand(Asked):
    """Start or stop the daemon; answered by all schedules and sensors."""

    kind: Literal["daemon"]
    what: Literal["start", "stop"]


class FormCommand(Asked):
    """Ask what can be configured for assets, null for all; with ``job``, for that job, whatever ``ids`` says."""

    kind: Literal["form"]
    ids: Names | None = None
    job: Name | None = None


class CheckConfig(Asked):
    """Ask whether run config is valid for assets, and for the other spelling of it."""

    kind: Literal["check_config"]
    ids: Names | None = None
    job: Name | None = None
    config: Yaml | dict[Name, JsonValue]


class SavePreset(Asked):
    """Keep run config under a name, in the session; answered by a form."""

    kind: Literal["save_preset"]
    name: Annotated[str, StringConstraints(min_length=1, max_length=100, strip_whitespace=True)]
    ids: Names | None = None
    job: Name | None = None
    config: Yaml | dict[Name, JsonValue]


class UsePreset(Asked):
    """Ask for the form of assets with a preset's values."""

    kind: Literal["use_preset"]
    name: Name
    ids: Names | None = None
    job: Name | None = None


class DropPreset(Asked):
    """Forget a preset; answered by a form."""

    kind: Literal["drop_preset"]
    name: Name
    ids: Names | None = None
    job: Name | None = None
