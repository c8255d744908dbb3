"""The wire between kernel and view: messages that the kernel sends, commands that a view may send.

Everything is JSON. A view in the browser is a stranger: each of its commands is read by :func:`read_command`, has no
field that isn't declared here, and no size that isn't bounded here. What the kernel sends leaves out whatever has its
default (:func:`wire`), so that ten thousand assets are a small message. ``labextension/src/protocol.ts`` is generated
from these classes (generate_protocol.py), docstrings included.

Assets are named by their key, spelled ``a/b``. Texts are plain text, never HTML. Times are seconds since the epoch,
durations are seconds.
"""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, JsonValue, StringConstraints, TypeAdapter

__all__ = [
    "COMMANDS",
    "MESSAGES",
    "Answer",
    "Bin",
    "Cancel",
    "Cell",
    "Change",
    "ChangedCell",
    "CheckConfig",
    "CheckDetails",
    "CheckState",
    "Code",
    "Column",
    "Command",
    "Compare",
    "Comparison",
    "ConfigChecked",
    "DetailsCommand",
    "DetailsMessage",
    "DropPreset",
    "Entry",
    "ErrorText",
    "Finding",
    "FormCommand",
    "FormField",
    "FormMessage",
    "Group",
    "ImageValue",
    "Job",
    "Materialize",
    "Message",
    "NoValue",
    "Node",
    "OutputChunk",
    "Patch",
    "Plot",
    "Point",
    "Profile",
    "ProfileCommand",
    "Refresh",
    "Refused",
    "RowsCommand",
    "RowsMessage",
    "RunCommand",
    "RunLine",
    "RunMessage",
    "RunState",
    "SavePreset",
    "Section",
    "Select",
    "Selected",
    "Snapshot",
    "Sort",
    "Status",
    "StepState",
    "TableValue",
    "TextValue",
    "Toast",
    "UsePreset",
    "Value",
    "Why",
    "read_command",
    "wire",
]

MOST_IDS: Final = 20_000
MOST_ROWS: Final = 1_000
MOST_CONFIG: Final = 200_000  # characters of YAML

Word: TypeAlias = Literal["", "missing", "fresh", "stale", "failed", "evicted", "external", "waiting", "running"]
RunWord: TypeAlias = Literal["running", "success", "failure", "canceled"]
StepWord: TypeAlias = Literal[
    "waiting", "running", "retrying", "success", "failure", "skipped", "unchanged", "canceled"
]
Verdict: TypeAlias = Literal["passed", "warned", "failed", "raised", "not run"]
Scalar: TypeAlias = bool | int | float | str | None

Name = Annotated[str, StringConstraints(min_length=1, max_length=1_000)]
Names = Annotated[list[Name], Field(max_length=MOST_IDS)]
Text = Annotated[str, StringConstraints(max_length=10_000)]
Yaml = Annotated[str, StringConstraints(max_length=MOST_CONFIG)]


class Wire(BaseModel):
    """Be a value on the wire."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Answer(Wire):
    """Be what the kernel sends; ``request`` is the number that the command had which it answers, else 0."""

    request: int = 0


# -- the graph --------------------------------------------------------------------------------------------------------


class Progress(Wire):
    """Say how far a step is: when it started, and how long it took the last time (0: not known)."""

    started: float
    expected: float = 0.0
    attempt: int = 0


class Status(Wire):
    """Say how an asset stands.

    ``missing`` without a reason is never materialized; ``waiting`` and ``running`` are those of a run that goes on.
    ``cached``: the last run that asked for it found it fresh and didn't run it.
    """

    word: Word = ""
    reason: str = ""
    progress: Progress | None = None
    cached: bool = False


class CheckState(Wire):
    """Say how a check stands."""

    name: str
    status: Verdict = "not run"
    blocking: bool = False


class Cell(Wire):
    """Be the cell that defines an asset: its label as Jupyter shows it, and its id where the front end gave one."""

    label: str
    id: str = ""


class Node(Wire):
    """Be an asset in the graph. ``label`` is given where it isn't the last part of the id."""

    id: str
    label: str = ""
    group: str = "default"
    kind: Literal["asset", "external"] = "asset"
    kinds: tuple[str, ...] = ()
    tags: dict[str, str] = {}
    owners: tuple[str, ...] = ()
    description: str = Field(default="", description="The first line of it; all of it is in the details.")
    status: Status = Status()
    checks: tuple[CheckState, ...] = ()
    partitioned: bool = False
    configurable: bool = Field(default=False, description="It, or a resource it uses, takes config.")
    cell: Cell | None = None


class Group(Wire):
    """Be a group of assets, and how many it has."""

    name: str
    count: int


class Job(Wire):
    """Be a job and the assets it selects, as positions in ``nodes``; none for a job of ops."""

    name: str
    description: str = ""
    nodes: list[int] = []


class StepState(Wire):
    """Say how a step of a run goes, for the timeline; ``ids`` are the assets that it makes or checks."""

    name: str
    ids: list[str] = []
    status: StepWord = "waiting"
    reason: str = ""
    started: float | None = None
    seconds: float = 0.0
    message: str = ""


class RunState(Wire):
    """Say how a run goes: while it runs, steps that only wait aren't in ``steps``."""

    run_id: str
    what: str = ""
    status: RunWord = "running"
    started: float
    seconds: float = 0.0
    message: str = ""
    total: int = 0
    done: int = 0
    failed: int = 0
    canceling: bool = False
    steps: list[StepState] = []


class Snapshot(Answer):
    """Be all that the graph shows. Nodes stand in order of lineage; edges are pairs of positions in ``nodes``."""

    kind: Literal["snapshot"] = "snapshot"
    version: int
    nodes: list[Node] = []
    edges: list[tuple[int, int]] = []
    groups: list[Group] = []
    jobs: list[Job] = []
    run: RunState | None = None
    environment: str = ""
    environments: list[str] = []
    shown: list[str] | None = Field(default=None, description="The ids this view was opened for; null for all.")
    problem: str = Field(default="", description="Why the notebook can't be read as a graph now, e.g. a cycle.")


class NodePatch(Wire):
    """Be what has changed of a node: both fields are whole."""

    id: str
    status: Status = Status()
    checks: tuple[CheckState, ...] = ()


class Patch(Answer):
    """Be what has changed since the version before, at most ten times a second.

    ``run`` has only those steps that changed: they are merged by name where ``run_id`` is the one that is shown, else
    the run takes its place. Where the structure has changed a whole snapshot is sent instead. A view that has another
    version than ``base`` sends ``refresh``.
    """

    kind: Literal["patch"] = "patch"
    version: int
    base: int
    nodes: list[NodePatch] = []
    run: RunState | None = None


# -- details ----------------------------------------------------------------------------------------------------------


class Code(Wire):
    """Be the code of an asset: the cell's, or the function's."""

    text: str
    language: str = "python"
    where: str = ""


class Change(Wire):
    """Be one thing that has changed since the value was made; its lines begin with ``-``, ``+`` or a blank."""

    kind: str
    name: str
    lines: list[str] = []


class Why(Wire):
    """Say why an asset stands as it does."""

    changes: list[Change] = []
    upstream: list[str] = []
    notes: list[str] = []
    hint: str = ""


class Entry(Wire):
    """Be one entry of metadata. ``href`` is http or https, or isn't there."""

    name: str
    type: str = "text"
    text: str = ""
    href: str = ""
    columns: list[str] = []
    rows: list[list[Scalar]] = []


class CheckDetails(Wire):
    """Be a check with its last result."""

    name: str
    status: Verdict = "not run"
    blocking: bool = False
    severity: str = ""
    description: str = ""
    metadata: list[Entry] = []
    when: float | None = None
    seconds: float | None = None
    error: str = ""


class Point(Wire):
    """Be a number of a materialization."""

    when: float
    value: float
    run_id: str = ""


class Plot(Wire):
    """Be the history of a numeric metadata entry, oldest first."""

    name: str
    points: list[Point]


class RunLine(Wire):
    """Be what a run did to an asset, newest first."""

    run_id: str
    status: StepWord
    when: float | None = None
    seconds: float = 0.0
    reason: str = ""
    message: str = ""


class OutputChunk(Wire):
    """Be a stretch of what the step printed, warned, logged or displayed; of a display an image, or its text."""

    kind: Literal["stdout", "stderr", "display", "warning", "log"]
    text: str = ""
    level: str = ""
    mime: Literal["", "image/png", "image/jpeg", "image/svg+xml"] = ""
    data: str = Field(default="", description="base64, for an <img> and for nothing else")


class ErrorText(Wire):
    """Be an error: its line, and the user's frames."""

    line: str
    traceback: str = ""
    when: float | None = None


class Bin(Wire):
    """Be a bar of a histogram, or one of the most frequent values."""

    label: str
    count: int


class Column(Wire):
    """Be a column. All but name and type come with the profile: null is not known yet, or means nothing here."""

    name: str
    type: str
    role: Literal["number", "text", "bool", "time", "other"] = "other"
    nulls: int | None = None
    distinct: int | None = None
    min: Scalar = None
    max: Scalar = None
    mean: float | None = None
    bins: list[Bin] = Field(default=[], description="of numbers and times, from min to max")
    top: list[Bin] = Field(default=[], description="of text and bools, the most frequent first")


class TableValue(Wire):
    """Be a value with rows and columns; ``total`` is null where counting the rows would compute them."""

    kind: Literal["table"]
    type: str
    total: int | None = None
    columns: list[Column]
    nbytes: int = 0
    rows: list[list[Scalar]] = Field(default=[], description="the first page")


class ImageValue(Wire):
    """Be an image or a plot, for an <img> and for nothing else."""

    kind: Literal["image"]
    type: str
    mime: Literal["image/png", "image/jpeg", "image/svg+xml"]
    data: str


class TextValue(Wire):
    """Be a value as text."""

    kind: Literal["text"]
    type: str
    text: str
    nbytes: int = 0
    cut: bool = False


class NoValue(Wire):
    """Say why there is no value to show, and whether ``load`` may bring it."""

    kind: Literal["none"]
    reason: str
    loadable: bool = False


Value: TypeAlias = Annotated[TableValue | ImageValue | TextValue | NoValue, Field(discriminator="kind")]


class DetailsMessage(Answer):
    """Be all that is known of an asset. ``value`` is what there is in memory; nothing is computed for it."""

    kind: Literal["details"] = "details"
    id: str
    version: int = Field(description="of the graph, when this was read")
    description: str = ""
    code: Code | None = None
    cell: Cell | None = None
    group: str = "default"
    kinds: list[str] = []
    tags: dict[str, str] = {}
    owners: list[str] = []
    partitions: str = ""
    resources: list[str] = []
    io_manager: str = ""
    upstream: list[str] = []
    downstream: list[str] = []
    status: Status = Status()
    why: Why | None = None
    checks: list[CheckDetails] = []
    metadata: list[Entry] = Field(default=[], description="of the last materialization")
    definition_metadata: list[Entry] = []
    plots: list[Plot] = []
    runs: list[RunLine] = []
    when: float | None = None
    seconds: float | None = None
    nbytes: int = 0
    shape: list[int] = []
    data_version: str = ""
    output: list[OutputChunk] = []
    error: ErrorText | None = None
    value: Value | None = None
    comparable: bool = Field(default=False, description="The value before this one is still there.")


class RowsMessage(Answer):
    """Be rows ``start`` to ``stop`` of a table; a text that was cut ends with ``…``."""

    kind: Literal["rows"] = "rows"
    id: str
    start: int
    stop: int
    total: int | None = None
    rows: list[list[Scalar]]


class Profile(Answer):
    """Be the statistics of columns."""

    kind: Literal["profile"] = "profile"
    id: str
    columns: list[Column]
    sampled: int | None = Field(default=None, description="How many rows were looked at, where not all were.")
    total: int | None = Field(default=None, description="How many rows there are, where that is known now.")


class ChangedCell(Wire):
    """Be a cell that has changed."""

    row: int
    column: str
    before: Scalar
    after: Scalar


class Comparison(Answer):
    """Compare a table with the one before. ``reason`` says why it can't be, else it's empty."""

    kind: Literal["comparison"] = "comparison"
    id: str
    reason: str = ""
    rows: tuple[int, int] | None = Field(default=None, description="before, after")
    added: list[str] = []
    removed: list[str] = []
    retyped: list[tuple[str, str, str]] = Field(default=[], description="column, type before, type after")
    changed: dict[str, int] = Field(default={}, description="column -> cells that differ, of the rows that both have")
    examples: list[ChangedCell] = []


class RunMessage(Answer):
    """Be a run with all its steps."""

    kind: Literal["run"] = "run"
    run: RunState


class Selected(Answer):
    """Be the assets that a selection names, or what is wrong with it."""

    kind: Literal["selected"] = "selected"
    text: str
    ids: list[str] = []
    problem: str = ""
    hint: str = ""


# -- the launchpad ----------------------------------------------------------------------------------------------------


class FormField(Wire):
    """Say of one field where its value comes from; a secret's value is nowhere, its variable's name is.

    ``path`` is in run config, e.g. ``ops.orders.config.limit``.
    """

    path: str
    type: str = ""
    value: str = ""
    default: str = ""
    source: str = ""
    variable: str = ""
    is_set: bool | None = None
    secret: bool = False
    required: bool = False
    description: str = ""


class Section(Wire):
    """Be a part of the form: the config of one op or resource. ``path`` is e.g. ``ops.orders.config``."""

    path: str
    title: str
    kind: Literal["op", "resource"]
    used_by: list[str] = []
    schema_: dict[str, JsonValue] = Field(alias="schema", description="JSON Schema")
    fields: list[FormField] = []

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True, serialize_by_alias=True)


class Finding(Wire):
    """Be something wrong: at a field, or in a line of the YAML."""

    path: str = ""
    message: str
    line: int | None = None


class FormMessage(Answer):
    """Be the form of what can be configured for a selection.

    ``values`` is run config as given so far (without secrets), ``yaml`` the same with defaults and comments.
    """

    kind: Literal["form"] = "form"
    ids: list[str]
    sections: list[Section] = []
    values: dict[str, JsonValue] = {}
    yaml: str = ""
    findings: list[Finding] = []
    presets: list[str] = []
    preset: str = ""


class ConfigChecked(Answer):
    """Be the verdict on run config, and the same config in both spellings; ``values`` is null where YAML is none."""

    kind: Literal["config"] = "config"
    ids: list[str]
    valid: bool
    findings: list[Finding] = []
    values: dict[str, JsonValue] | None = None
    yaml: str = ""


class Refused(Answer):
    """Say that a command was not obeyed; nothing has run."""

    kind: Literal["refused"] = "refused"
    command: str = ""
    why: str
    hint: str = ""


class Toast(Answer):
    """Say something in passing."""

    kind: Literal["toast"] = "toast"
    level: Literal["info", "success", "warning", "error"] = "info"
    text: str


Message: TypeAlias = Annotated[
    Snapshot
    | Patch
    | DetailsMessage
    | RowsMessage
    | Profile
    | Comparison
    | RunMessage
    | Selected
    | FormMessage
    | ConfigChecked
    | Refused
    | Toast,
    Field(discriminator="kind"),
]


# -- commands ---------------------------------------------------------------------------------------------------------


class Asked(Wire):
    """Be what a view sends; an answer to it repeats the number.

    Two views of one widget hear each other's answers: each begins at a number taken by chance.
    """

    request: int = Field(default=0, ge=0, lt=2**53)


class Refresh(Asked):
    """Ask for a whole snapshot; the first thing that a view sends."""

    kind: Literal["refresh"]


class Materialize(Asked):
    """Run: the assets of ``ids``, else those of ``selection``, else all; with them whatever is missing before them.

    ``downstream`` adds all that depends on them, ``upstream`` has what they depend on forced as well, ``stale`` keeps
    only those that aren't fresh, ``force`` runs also what is fresh. ``config`` is run config as YAML or as data.
    """

    kind: Literal["materialize"]
    ids: Names | None = None
    selection: Text | None = None
    stale: bool = False
    upstream: bool = False
    downstream: bool = False
    force: bool = False
    checks_only: bool = False
    config: Yaml | dict[Name, JsonValue] | None = None
    env: Name | None = Field(default=None, description="the environment for this run, one of the snapshot's")


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


class FormCommand(Asked):
    """Ask what can be configured for assets: null for all."""

    kind: Literal["form"]
    ids: Names | None = None


class CheckConfig(Asked):
    """Ask whether run config is valid for assets, and for the other spelling of it."""

    kind: Literal["check_config"]
    ids: Names | None = None
    config: Yaml | dict[Name, JsonValue]


class SavePreset(Asked):
    """Keep run config under a name, in the session; answered by a form."""

    kind: Literal["save_preset"]
    name: Annotated[str, StringConstraints(min_length=1, max_length=100, strip_whitespace=True)]
    ids: Names | None = None
    config: Yaml | dict[Name, JsonValue]


class UsePreset(Asked):
    """Ask for the form of assets with a preset's values."""

    kind: Literal["use_preset"]
    name: Name
    ids: Names | None = None


class DropPreset(Asked):
    """Forget a preset; answered by a form."""

    kind: Literal["drop_preset"]
    name: Name
    ids: Names | None = None


Command: TypeAlias = Annotated[
    Refresh
    | Materialize
    | Cancel
    | Select
    | DetailsCommand
    | RowsCommand
    | ProfileCommand
    | Compare
    | RunCommand
    | FormCommand
    | CheckConfig
    | SavePreset
    | UsePreset
    | DropPreset,
    Field(discriminator="kind"),
]

COMMANDS: Final[TypeAdapter[Command]] = TypeAdapter(Command)
MESSAGES: Final[TypeAdapter[Message]] = TypeAdapter(Message)


def read_command(content: Any) -> Command:
    """Return a command that a view has sent.

    Raises:
        ValidationError: when it is none.

    >>> read_command({"kind": "cancel"})
    Cancel(request=0, kind='cancel')
    """
    return COMMANDS.validate_python(content)


def wire(message: Answer) -> dict[str, Any]:
    """Return a message as JSON data, without what has its default.

    >>> wire(Toast(text="done"))
    {'text': 'done', 'kind': 'toast'}
    """
    data: dict[str, Any] = message.model_dump(mode="json", exclude_defaults=True)
    data["kind"] = getattr(message, "kind")  # noqa: B009 - each message has one, their parent hasn't
    return data
