"""What is known of one asset: how it came about, its history, its value, row by row."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from ipy_orch.ui.protocol.envelope import Answer, Scalar, Wire
from ipy_orch.ui.protocol.graph import Cell, Status, StepWord, Verdict

__all__ = [
    "Bin",
    "Change",
    "ChangedCell",
    "CheckDetails",
    "Code",
    "Column",
    "Comparison",
    "DetailsMessage",
    "Entry",
    "ErrorText",
    "ImageValue",
    "NoValue",
    "OutputChunk",
    "Plot",
    "Point",
    "Profile",
    "RowsMessage",
    "RunLine",
    "TableValue",
    "TextValue",
    "Value",
    "Why",
]


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
    is_index: bool = Field(default=False, description="labels of the rows, no column that counts; blank where unnamed")
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
