"""A shell without a front end: cells are run as a kernel runs them, and what they show is kept."""

from __future__ import annotations

import atexit
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from IPython.core.displaypub import DisplayPublisher
from IPython.core.interactiveshell import InteractiveShell
from traitlets import List, Type
from traitlets.config import Config

import ipy_orch
from ipy_orch.session.session import Session

ANSI = re.compile(r"\x1b\[[0-9;]*m")


class Publisher(DisplayPublisher):
    """Keep what is displayed."""

    displayed = List()

    def publish(self, data: Any, metadata: Any = None, **kwargs: Any) -> None:
        """Keep a display; an update takes the place of what it updates."""
        name = (kwargs.get("transient") or {}).get("display_id")
        if kwargs.get("update"):
            self.displayed = [(n, data if n == name else d) for n, d in self.displayed]
        else:
            self.displayed.append((name, data))


class Shell(InteractiveShell):
    """Keep tracebacks and displays."""

    display_pub_class = Type(Publisher)
    tracebacks = List()

    def enable_gui(self, gui: str | None = None) -> None:
        """Have no window system."""

    def _showtraceback(self, etype: Any, evalue: Any, stb: list[str]) -> None:
        self.tracebacks.append(ANSI.sub("", self.InteractiveTB.stb2text(stb)))


@dataclass
class Ran:
    """What came of a cell: prints, displays (as plain text, and whole), Out, the traceback, the exception."""

    stdout: str
    stderr: str
    displays: list[dict[str, Any]]
    out: Any
    traceback: str
    error: BaseException | None

    @property
    def shown(self) -> list[str]:
        """Return the displays as plain text."""
        return [data.get("text/plain", "") for data in self.displays]

    @property
    def status(self) -> str:
        """Return the last display, without durations."""
        return re.sub(r"[\d.]+ m?s\b", "T", self.shown[-1])


@dataclass
class Notebook:
    """Run cells one after the other in one shell."""

    ip: Shell
    capsys: pytest.CaptureFixture[str]
    numbers: dict[str, int] = field(default_factory=dict)

    def run(self, text: str, cell_id: str | None = None) -> Ran:
        """Run a cell."""
        self.ip.display_pub.displayed, self.ip.tracebacks = [], []
        self.capsys.readouterr()
        result = self.ip.run_cell(text, store_history=True, cell_id=cell_id)
        said = self.capsys.readouterr()
        error = result.error_before_exec or result.error_in_exec
        displays = [data for _, data in self.ip.display_pub.displayed]
        return Ran(said.out, said.err, displays, result.result, "\n".join(self.ip.tracebacks), error)

    def good(self, text: str, cell_id: str | None = None) -> Ran:
        """Run a cell that must not fail."""
        ran = self.run(text, cell_id)
        assert ran.error is None, ran.traceback or ran.stderr
        assert not ran.traceback, ran.traceback
        return ran

    @property
    def session(self) -> Session:
        """Return the session."""
        return ipy_orch.session()

    @property
    def variables(self) -> dict[str, Any]:
        """Return the namespace."""
        return self.ip.user_ns


@pytest.fixture
def bare(capsys: pytest.CaptureFixture[str]) -> Iterator[Notebook]:
    """Return a fresh notebook without the extension."""
    InteractiveShell.clear_instance()
    config = Config(HistoryManager={"hist_file": ":memory:"})
    ip = Shell.instance(config=config, user_ns={})
    try:
        yield Notebook(ip, capsys)
    finally:
        ipy_orch.unload_ipython_extension(ip)
        atexit.unregister(ip.atexit_operations)
        ip.atexit_operations()
        ip.restore_sys_module_state()
        Shell.clear_instance()


@pytest.fixture
def notebook(bare: Notebook) -> Notebook:
    """Return a fresh notebook with the extension loaded."""
    bare.good("%load_ext ipy_orch")
    return bare
