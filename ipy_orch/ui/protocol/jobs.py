"""What is known of one job."""

from __future__ import annotations

from typing import Literal

from ipy_orch.ui.protocol.details import Code
from ipy_orch.ui.protocol.envelope import Answer, Wire
from ipy_orch.ui.protocol.graph import Cell, RunWord

__all__ = ["JobMessage", "JobOp", "JobRun"]


class JobOp(Wire):
    """Be an op of a job, by its path in it, and the ops whose outputs it reads."""

    name: str
    after: list[str] = []


class JobRun(Wire):
    """Be a run of a job, newest first."""

    run_id: str
    status: RunWord
    when: float
    seconds: float = 0.0
    message: str = ""


class JobMessage(Answer):
    """Be all that is known of a job; ``ids`` are its assets, ``ops`` those of a job of ops."""

    kind: Literal["job"] = "job"
    name: str
    description: str = ""
    cell: Cell | None = None
    code: Code | None = None
    tags: dict[str, str] = {}
    ids: list[str] = []
    ops: list[JobOp] = []
    runs: list[JobRun] = []
    resumable: bool = False
    problem: str = ""
