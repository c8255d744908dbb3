"""A notebook as a code location, in a kernel of its own: its cells define, and make nothing."""

from __future__ import annotations

from IPython.core.getipython import get_ipython

from ipy_orch.errors import DagsterInvariantViolationError
from ipy_orch.notebook.extension import DOORS
from ipy_orch.notebook.headless import begin
from ipy_orch.session.locations import serving
from ipy_orch.session.session import Session

__all__ = ["prepare", "session_of_notebook"]


@serving.prepare_notebook.supply
def prepare() -> None:
    """Have the cells that come register assets, and run none of them."""
    begin(None, None, only_register=True)


@serving.notebook_session.supply
def session_of_notebook() -> Session:
    """Return the session of the notebook whose cells have run.

    Raises:
        DagsterInvariantViolationError: when no cell loaded the extension, or none defines anything.
    """
    ip = get_ipython()
    door = DOORS.get(ip) if ip is not None else None
    if door is None:
        raise DagsterInvariantViolationError(
            "the notebook has no session: none of its cells loads ipy_orch",
            hint="`%load_ext ipy_orch` in its first cell",
        )
    scanned = door.session.scan()
    for error in scanned.broken.values():
        raise error
    if not scanned.definitions and not scanned.found_jobs:
        raise DagsterInvariantViolationError("the notebook holds no definitions", hint="`%%asset NAME` in a cell")
    return door.session
