"""What a view needs of the kernel that it talks to: to hear when a cell has run, and to be answered while one runs."""

from __future__ import annotations

from typing import Any

from IPython.core.getipython import get_ipython

from ipy_orch.ui.bridge import Bridge

__all__ = ["follow_cells", "stay_on_subshell"]


def follow_cells(bridge: Bridge) -> None:
    """Have the graph read again when a cell has run."""
    ip = get_ipython()
    if ip is None or bridge.cell_ran is not None:
        return
    bridge.cell_ran = ran = lambda _result=None: bridge.mark(whole=True)
    ip.events.register("post_run_cell", ran)
    bridge.at_close.append(lambda: ip.events.unregister("post_run_cell", ran))


def stay_on_subshell(comm: Any) -> None:
    """Have a comm's messages handled where the front end sends them.

    ipykernel 7.4 sends them to the shell that published on the comm last: after one message from the main thread, a
    click on Cancel would wait for the cell that it is to cancel.
    """
    if hasattr(comm, "_reply_subshell_for"):
        comm._reply_subshell_for = lambda _data, default: default  # noqa: SLF001 - there's no public way
