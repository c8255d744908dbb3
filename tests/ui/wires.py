"""A session with a view at the other end of the wire, which keeps what it is told."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from ipy_orch.session.session import Session
from ipy_orch.ui.bridge import View, bridge_to
from ipy_orch.ui.commands import Commands
from ipy_orch.ui.protocol import MESSAGES

WAIT = 20.0


class Wire:
    """Be what stands for a browser: send commands, and wait for messages."""

    def __init__(self, session: Session, selection: Any = None) -> None:
        self.session = session
        self.told: list[dict[str, Any]] = []
        self.bridge = bridge_to(session)
        self.view = View(self.hear, selection)
        self.commands = Commands(self.bridge, self.view)
        self.bridge.join(self.view)

    def hear(self, message: dict[str, Any]) -> None:
        """Keep a message, which must be one of the protocol's."""
        MESSAGES.validate_python(message)
        self.told.append(message)

    def send(self, kind: str, **fields: Any) -> None:
        """Send a command."""
        self.commands.receive({"kind": kind, **fields})

    def ask(self, kind: str, **fields: Any) -> dict[str, Any]:
        """Send a command and return its answer."""
        number = len(self.told) + 1000
        self.send(kind, request=number, **fields)
        return self.wait(lambda message: message.get("request") == number)

    def wait(self, found: Callable[[dict[str, Any]], Any]) -> dict[str, Any]:
        """Return the first message of which something is true."""
        deadline = time.monotonic() + WAIT
        while time.monotonic() < deadline:
            for message in [*self.told]:
                if found(message):
                    return message
            time.sleep(0.005)
        raise AssertionError(f"no such message: {self.told}")

    def wait_for(self, kind: str, **fields: Any) -> dict[str, Any]:
        """Return the first message of a kind with certain content."""
        return self.wait(lambda one: one["kind"] == kind and all(one.get(k) == v for k, v in fields.items()))

    def states(self) -> dict[str, dict[str, Any]]:
        """Return id -> how it stands, as a view would have it now."""
        found: dict[str, dict[str, Any]] = {}
        for message in [*self.told]:
            if message["kind"] in ("snapshot", "patch"):
                found.update({node["id"]: node for node in message.get("nodes", ())})
        return found

    def words(self) -> dict[str, str]:
        """Return id -> status."""
        return {id_: node.get("status", {}).get("word", "") for id_, node in self.states().items()}

    def until(self, **words: str) -> None:
        """Wait until assets stand so."""
        self.wait(lambda _: {id_: self.words().get(id_) for id_ in words} == words)

    def close(self) -> None:
        """Go away."""
        self.commands.close()
        self.bridge.leave(self.view)


@contextmanager
def wired(session: Session, selection: Any = None) -> Iterator[Wire]:
    """Have a view that has its first snapshot."""
    wire = Wire(session, selection)
    try:
        wire.ask("refresh")
        yield wire
    finally:
        wire.close()
