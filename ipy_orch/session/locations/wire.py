"""What a session and a code location say to each other: JSON, which pydantic reads and writes.

home --Opening--> location --Described--> home            what is defined there, with fingerprints
home --Asked--> location --Printed, Answered--> home      make these assets; values go both ways in files
home --Launched--> location --Printed, Answered--> home   run a job of ops; or only: what is its run config?
home --TickAsked--> location --Printed, TickTold--> home  what does a schedule or sensor want to run?
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Final, TypeVar, cast

from ipy_orch.events.types import Part
from ipy_orch.model.wire import Wired

__all__ = [
    "MESSAGE",
    "Answered",
    "Asked",
    "AutomationTold",
    "CheckTold",
    "DefinitionTold",
    "Described",
    "File",
    "InputTold",
    "JobTold",
    "Launched",
    "Made",
    "Opening",
    "Printed",
    "Raised",
    "RequestTold",
    "SpecTold",
    "TickAsked",
    "TickTold",
    "Verdict",
    "decoded",
    "encoded",
]

T = TypeVar("T")

MESSAGE: Final = "application/vnd.ipy_orch.location+json"  #: as which a location's kernel sends one
ADAPTERS: Final[dict[type, Any]] = {}

Metadata = Annotated[Any, Wired]


@dataclass(frozen=True)
class Opening:
    """Say which definitions a location is to load; those of a notebook are there when its cells have run.

    Args:
        kind: ``module``, ``file`` or ``notebook``.
    """

    kind: str
    target: str
    folder: str
    attribute: str
    name: str


@dataclass(frozen=True)
class InputTold:
    """Be an input of a definition: the asset it loads, or only waits for; ``mapping`` says which partitions."""

    name: str
    key: str
    is_nothing: bool
    mapping: str | None


@dataclass(frozen=True)
class SpecTold:
    """Be what a location says of an asset; partitions and conditions are as ``serialize_value`` writes them."""

    key: str
    deps: tuple[tuple[str, str | None], ...]
    description: str | None
    group: str
    metadata: Metadata
    tags: Mapping[str, str]
    owners: tuple[str, ...]
    skippable: bool
    partitions: str | None
    condition: str | None = None
    is_nothing: bool = False


@dataclass(frozen=True)
class CheckTold:
    """Be what a location says of a check."""

    name: str
    asset: str
    description: str | None
    blocking: bool
    metadata: Metadata
    deps: tuple[str, ...]
    partitions: str | None


@dataclass(frozen=True)
class DefinitionTold:
    """Be a definition of a location: what it makes of what, and all that its code depends on there.

    Args:
        assets: by output.
        checks: by output.
        takes_config: whether a value for ``config`` is passed on.
    """

    name: str
    inputs: tuple[InputTold, ...]
    assets: Mapping[str, SpecTold]
    checks: Mapping[str, CheckTold]
    can_subset: bool
    takes_config: bool
    parts: tuple[Part, ...]


@dataclass(frozen=True)
class JobTold:
    """Be what a location says of a job.

    Args:
        assets: that it runs; None for a job of ops.
        checks: as pairs of asset and name.
        config: what its runs get by themselves, where that can be said beforehand.
        is_asked: whether the config depends on the partition, and so the location is asked for it.
        retries: its retry policy, as ``serialize_value`` writes it.
        brought: whether only a schedule or sensor has it.
    """

    name: str
    assets: tuple[str, ...] | None
    checks: tuple[tuple[str, str], ...]
    description: str | None
    tags: Mapping[str, str]
    run_tags: Mapping[str, str] | None
    config: Metadata
    partitions: str | None
    is_asked: bool
    retries: str | None
    brought: bool


@dataclass(frozen=True)
class AutomationTold:
    """Be what a location says of a schedule or sensor.

    Args:
        kind: ``schedule``, ``sensor``, or ``conditions`` for a sensor that evaluates those of some assets.
        jobs: that it runs, by name.
        assets: that it may ask for, or whose conditions it evaluates; None where it says none.
        checks: likewise.
        crons: of a schedule.
        interval: of a sensor, in seconds.
        is_running: whether it is on by itself.
    """

    name: str
    kind: str
    jobs: tuple[str, ...]
    assets: tuple[str, ...] | None
    checks: tuple[tuple[str, str], ...]
    crons: tuple[str, ...]
    timezone: str | None
    interval: int | None
    is_running: bool
    description: str | None
    run_tags: Mapping[str, str]


@dataclass(frozen=True)
class Described:
    """Be what a location defines, and which Python and packages it runs on; ``resources`` are rows of a table."""

    python: str
    version: str
    definitions: tuple[DefinitionTold, ...]
    externals: tuple[SpecTold, ...]
    notices: tuple[str, ...]
    jobs: tuple[JobTold, ...] = ()
    automations: tuple[AutomationTold, ...] = ()
    resources: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True)
class File:
    """Be a file with the value of an asset; ``versions`` are those of the Python and the package that wrote it."""

    key: str
    path: str
    form: str
    kind: str
    versions: str


@dataclass(frozen=True)
class Asked:
    """Ask a location to make assets and checks of one definition.

    Args:
        inputs: what it reads, as files.
        folder: where the values go.
        tables: whether the asker reads Parquet.
        dynamic: the keys of dynamic partitions.
        job: of the location that runs, whose resource config counts.
    """

    keys: tuple[str, ...]
    checks: tuple[tuple[str, str], ...]
    inputs: tuple[File, ...]
    folder: str
    tables: bool
    name: str
    config: Metadata = None
    partition: str | None = None
    dynamic: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    job: str = ""


@dataclass(frozen=True)
class Launched:
    """Ask a location to run one of its jobs of ops, or to say its run config for a partition.

    Args:
        config: over the job's own.
        dynamic: the keys of dynamic partitions.
    """

    job: str
    config: Metadata = None
    partition: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    dynamic: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class TickAsked:
    """Ask what a schedule or sensor wants to run.

    Args:
        moment: for which a schedule is asked.
        last: when a sensor was asked the last time.
        since: when it was switched on.
        events: a file with what has happened since it was asked the last time, as lines.
        anew: whether that is all that has ever happened.
    """

    name: str
    kind: str
    moment: float | None
    cursor: str | None
    last: float | None
    since: float | None
    events: str
    anew: bool


@dataclass(frozen=True)
class RequestTold:
    """Be a request for a run."""

    run_key: str | None
    config: Metadata
    tags: Mapping[str, str]
    job: str | None
    assets: tuple[str, ...] | None
    stale_only: bool
    partition: str | None
    checks: tuple[tuple[str, str], ...] | None


@dataclass(frozen=True)
class TickTold:
    """Be what a schedule or sensor said.

    Args:
        reports: about assets, as ``serialize_value`` writes them.
        dynamic: whether to add, the name of dynamic partitions, and their keys.
        events: what it did to the instance, as lines.
    """

    requests: tuple[RequestTold, ...] = ()
    message: str | None = None
    cursor: str | None = None
    reports: tuple[str, ...] = ()
    dynamic: tuple[tuple[bool, str, tuple[str, ...]], ...] = ()
    events: tuple[str, ...] = ()
    zone: str = ""
    error: Raised | None = None


@dataclass(frozen=True)
class Printed:
    """Be what a step printed or logged there."""

    stream: str
    level: str
    text: str


@dataclass(frozen=True)
class Made:
    """Be an asset that was made: its value, where it has one, and what was said of it."""

    key: str
    file: File | None
    metadata: Metadata
    data_version: str | None


@dataclass(frozen=True)
class Verdict:
    """Be the verdict of a check."""

    asset: str
    name: str
    passed: bool
    severity: str
    description: str | None
    metadata: Metadata


@dataclass(frozen=True)
class Raised:
    """Be an exception: the name of its type, its message, and the user's frames, if there are any."""

    kind: str
    module: str
    message: str
    traceback: str
    where: str = ""
    hint: str = ""


@dataclass(frozen=True)
class Answered:
    """Be what came of it.

    Args:
        reports: what ops told of assets, as ``serialize_value`` writes it.
        config: the run config that was asked for.
    """

    made: tuple[Made, ...] = ()
    verdicts: tuple[Verdict, ...] = ()
    error: Raised | None = None
    reports: tuple[str, ...] = ()
    config: Metadata = None


def adapter(cls: type) -> Any:
    """Return what writes and reads the messages of a class."""
    from pydantic import ConfigDict, TypeAdapter

    if cls not in ADAPTERS:
        several: Any = list.__class_getitem__(cls)
        ADAPTERS[cls] = TypeAdapter(several, config=ConfigDict(ser_json_inf_nan="constants"))
    return ADAPTERS[cls]


def encoded(message: Any) -> str:
    """Return a message as JSON.

    >>> encoded(Printed("stdout", "", "a"))
    '[{"stream":"stdout","level":"","text":"a"}]'
    """
    text: str = adapter(type(message)).dump_json([message], warnings=False, fallback=str).decode("utf-8")
    return text


def decoded(cls: type[T], text: str) -> T:
    """Return the message that JSON stands for.

    Raises:
        ValueError: when it is no such message.
    """
    [message] = adapter(cls).validate_json(text)
    return cast("T", message)
