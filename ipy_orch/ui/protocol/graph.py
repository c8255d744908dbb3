"""What the graph shows: the snapshot, and the patches that follow it."""

from __future__ import annotations

from typing import Literal, TypeAlias

from pydantic import Field

from ipy_orch.ui.protocol.envelope import Answer, Wire

__all__ = [
    "Cell",
    "CheckState",
    "Freshness",
    "Group",
    "Job",
    "Node",
    "NodePatch",
    "Patch",
    "Progress",
    "RunState",
    "RunWord",
    "Snapshot",
    "Status",
    "StepState",
    "StepWord",
    "Verdict",
    "Word",
]

Word: TypeAlias = Literal["", "missing", "fresh", "stale", "failed", "evicted", "external", "waiting", "running"]
RunWord: TypeAlias = Literal["running", "success", "failure", "canceled"]
StepWord: TypeAlias = Literal[
    "waiting", "running", "retrying", "success", "failure", "skipped", "unchanged", "canceled"
]
Verdict: TypeAlias = Literal["passed", "warned", "failed", "raised", "not run"]


class Progress(Wire):
    """Say how far a step is: when it started, and how long it took the last time (0: not known)."""

    started: float
    expected: float = 0.0
    attempt: int = 0


class Status(Wire):
    """Say how an asset stands.

    ``missing`` without a reason is never materialized; ``waiting`` and ``running`` are those of a run that goes on.
    ``cached``: the last run that asked for it found it fresh and didn't run it. ``partitions``: how many of those of a
    partitioned asset stand how.
    """

    word: Word = ""
    reason: str = ""
    progress: Progress | None = None
    cached: bool = False
    partitions: dict[str, int] = {}


class Freshness(Wire):
    """Say how old an asset may be, and how it does by that; from ``until`` on it is overdue."""

    word: Literal["fresh", "warning", "overdue", "unknown"]
    policy: str
    updated: float | None = None
    until: float | None = None


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
    freshness: Freshness | None = None
    partitioned: bool = False
    configurable: bool = Field(default=False, description="It, or a resource it uses, takes config.")
    automated: bool = Field(default=False, description="It has an automation condition.")
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
    of_ops: bool = Field(default=False, description="It runs ops, which are in no graph of assets.")
    cell: Cell | None = None


class StepState(Wire):
    """Say how a step of a run goes, for the timeline; ``ids`` are the assets that it makes or checks."""

    name: str
    ids: list[str] = []
    status: StepWord = "waiting"
    reason: str = ""
    started: float | None = None
    seconds: float = 0.0
    message: str = ""
    checks: list[CheckState] = Field(default=[], description="Those of its checks that didn't pass.")


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
    checks_failed: int = 0
    checks_warned: int = 0
    canceling: bool = False
    in_cell: bool = Field(default=False, description="It runs in a cell, on the kernel's main thread.")
    steps: list[StepState] = []


class Snapshot(Answer):
    """Be all that the graph shows. Nodes stand in order of lineage; edges are pairs of positions in ``nodes``."""

    kind: Literal["snapshot"] = "snapshot"
    version: int
    nodes: list[Node] = []
    edges: list[tuple[int, int]] = []
    groups: list[Group] = []
    jobs: list[Job] = []
    automations: int = Field(default=0, description="How many schedules and sensors there are.")
    run: RunState | None = None
    environment: str = ""
    environments: list[str] = []
    shown: list[str] | None = Field(default=None, description="The ids this view was opened for; null for all.")
    problem: str = Field(default="", description="Why the notebook can't be read as a graph now, e.g. a cycle.")


class NodePatch(Wire):
    """Be what has changed of a node: each field is whole."""

    id: str
    status: Status = Status()
    checks: tuple[CheckState, ...] = ()
    freshness: Freshness | None = None


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
