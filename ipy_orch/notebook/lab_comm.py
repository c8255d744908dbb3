"""The kernel's end of the comm that the JupyterLab extension talks over (labextension/src/lab).

It is opened when the extension is loaded, and stays as long as that: a page that is loaded again, and another one that
shows the same notebook, find it among the kernel's comms and speak on it. The protocol is the widget's (ui/protocol).
Nothing is worked out, and hardly anything imported, before a page has spoken.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from IPython.core.interactiveshell import InteractiveShell

from ipy_orch.session.session import Session

if TYPE_CHECKING:
    from ipy_orch.ui.commands import Commands

__all__ = ["TARGET", "LabComm", "register"]

TARGET: Final = "ipy_orch"


class LabComm:
    """Be what pages talk to: all of them over one comm, as one view of the session."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.commands: Commands | None = None
        self.comm = self.opened(primary=True)

    def opened(self, *, primary: bool) -> Any:
        """Return a comm.

        Args:
            primary: pages are told of it; else they find it when they ask for the kernel's comms.
        """
        from comm import create_comm, get_comm_manager

        comm = create_comm(target_name=TARGET, primary=primary)
        get_comm_manager().register_comm(comm)
        comm.on_msg(self.received)
        comm.on_close(self.left)
        return comm

    def received(self, message: dict[str, Any]) -> None:
        """Obey a command; the first one makes this a view of the session."""
        if self.commands is None:
            self.commands = self.joined()
        self.commands.receive(message["content"]["data"])

    def joined(self) -> Commands:
        """Begin to tell what happens in the session."""
        from ipy_orch.ui.bridge import View, bridge_to
        from ipy_orch.ui.commands import Commands
        from ipy_orch.ui.kernels import follow_cells, stay_on_subshell

        stay_on_subshell(self.comm)
        bridge, view = bridge_to(self.session), View(self.comm.send)
        bridge.join(view)
        follow_cells(bridge)
        return Commands(bridge, view)

    def leave(self) -> None:
        """Tell nothing any more."""
        if self.commands is not None:
            self.commands.close()
            self.commands.bridge.leave(self.commands.view)
            self.commands = None

    def left(self, _message: Any = None) -> None:
        """Have another comm ready where a front end has closed this one, as those do that don't know its target."""
        self.leave()
        self.comm = self.opened(primary=False)

    def close(self) -> None:
        """Close the comm, which tells the pages that the extension is gone."""
        self.leave()
        self.comm.close()


def register(ip: InteractiveShell, session: Session) -> Callable[[], None]:
    """Open the comm where there is a kernel that has comms; return what closes it."""
    if getattr(ip, "kernel", None) is None:
        return lambda: None
    return LabComm(session).close
