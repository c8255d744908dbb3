"""Errors for people: the user's frames and none of ours.

    IPython's run_code | the cell | run_cell_magic ... | ours ... | the user's function ...
    kept, not shown      dropped where a magic is called  dropped   shown

``sys.last_traceback`` becomes what is shown, so that ``%debug`` and ``%tb`` see the same.
"""

from __future__ import annotations

import linecache
import os
import sys
import sysconfig
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any, Final

import IPython
from IPython.core import ultratb
from IPython.core.error import UsageError
from IPython.core.interactiveshell import InteractiveShell

from ipy_orch.authoring.cells.cells import is_definition_cell
from ipy_orch.errors import DagsterError
from ipy_orch.execution.isolation.sealing import explain
from ipy_orch.model.env import redact, redact_all
from ipy_orch.notebook.config_errors import explained, refused_by
from ipy_orch.notebook.hints import Hints
from ipy_orch.notebook.patches import Patch

__all__ = ["Canceled", "Tracebacks", "cleaned", "is_users", "usage"]

OURS: Final = f"{Path(__file__).parents[1]}{os.sep}"
SHELL: Final = f"{Path(IPython.__file__).parent}{os.sep}"
SCHEME: Final = ("stdlib", "platstdlib", "purelib", "platlib")
MOST_HEAD: Final = 100
LIBRARIES: Final = tuple(f"{sysconfig.get_path(name)}{os.sep}" for name in SCHEME)


class Canceled(KeyboardInterrupt):
    """Tell in one line that a run was canceled, and while which steps ran."""

    def __init__(self, steps: Sequence[str] = ()) -> None:
        self.steps = list(steps)
        names = ", ".join(f"`{step}`" for step in self.steps)
        super().__init__(f"canceled{f' while {names} ran' if names else ''}: nothing was stored of it")

    def _render_traceback_(self) -> list[str]:
        """Return what IPython shows in the place of a traceback."""
        return [str(self)]


def usage(error: DagsterError) -> UsageError:
    """Return an error of a magic's line as IPython shows such: a message and no traceback."""
    return UsageError(redact(f"{error.message}{f' ({error.hint})' if error.hint else ''}"))


class Tracebacks:
    """Stand in front of the shell's ``showtraceback`` and take our frames out of what it shows."""

    def __init__(self, ip: InteractiveShell, hints: Hints) -> None:
        self.ip, self.hints = ip, hints
        self.patches = [Patch(ip, "showtraceback", self.shown), Patch(ip, "_showtraceback", self.sent)]
        if hasattr(ultratb, "get_line_number_of_frame"):
            self.patches.append(Patch(ultratb, "get_line_number_of_frame", length))

    def remove(self) -> None:
        """Let tracebacks be shown as before."""
        for patch in self.patches:
            patch.remove()

    def shown(
        self,
        behind: Callable[..., None],
        exc_tuple: tuple[type[BaseException], BaseException, TracebackType | None] | None = None,
        *args: Any,
        **kwargs: Any,
    ) -> None:
        """Show an exception without our frames; one of ours that no user code led to, as its message."""
        found = exc_tuple or sys.exc_info()
        error = found[1]
        if error is not None and (cls := refused_by(error)) is not None:
            explained(error, cls)
            found = exc_tuple = (type(error), error, error.__traceback__)
        in_body = error is not None and any(has_ours(one.__traceback__) for one in chain(error))
        if error is not None and not isinstance(error, DagsterError):
            passed = [link.tb_frame for link in frames(error.__traceback__) if is_of_user(link)]
            note(error, self.hints.of(error, passed, in_body=in_body))
        if error is None or not in_body:
            behind(exc_tuple, *args, **kwargs)
            return
        for one in chain(error):
            one.__traceback__ = cleaned(one.__traceback__)
            note(one, explain(one))
            hide_secrets(one)
        if isinstance(error, DagsterError) and not any(is_users(one.__traceback__) for one in chain(error)):
            self.show_message(error)
            return
        if isinstance(error, SyntaxError):
            kwargs = {**kwargs, "running_compiled_code": False}
        behind((type(error), error, error.__traceback__), *args, **kwargs)

    def sent(self, behind: Callable[..., None], kind: type[BaseException], error: Any, lines: Sequence[str]) -> None:
        """Send a traceback to the front end; a verbose one has the values of variables in it."""
        text = str(error)
        told = error if redact(text) == text else Told(redact(text))
        behind(kind, told, [redact(line) for line in lines])

    def show_message(self, error: DagsterError) -> None:
        """Show the message of an error, and let ``%tb`` show the same."""
        sys.last_type, sys.last_value, sys.last_traceback = type(error), error, error.__traceback__
        if sys.version_info >= (3, 12):
            sys.last_exc = error
        head, *rest = str(error).splitlines() or [""]
        lines = [f"\x1b[31m{type(error).__name__}\x1b[39m: {head}", *rest]
        self.ip._showtraceback(type(error), error, lines)  # noqa: SLF001 - the hook that kernels replace


def length(behind: Callable[[FrameType], int], frame: FrameType) -> int:
    """Return how many lines the file of a frame has; of an asset's cell, which is in no file, its own.

    IPython takes a file that it can't open for one that is too long to parse, and then shows what `inspect` takes for
    the function's lines: of a cell that's the body of a function, its first line.
    """
    lines = linecache.getlines(frame.f_code.co_filename)
    return len(lines) if is_definition_cell("".join(lines[:MOST_HEAD])) else behind(frame)


def chain(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an exception and those it came from."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        for one in getattr(error, "exceptions", ()):
            yield from chain(one)
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def note(error: BaseException, hint: str | None) -> None:
    """Add what to do about an error, once."""
    if hint and hint not in getattr(error, "__notes__", ()):
        error.add_note(hint)


class Told(Exception):
    """Stand for an exception that makes its message itself, with the message without secrets."""


def hide_secrets(error: BaseException) -> None:
    """Take the values of secrets out of an exception: its arguments, its notes, and what its message is made of."""
    hidden = redact_all(error.args)
    if hidden != error.args:
        error.args = hidden
    for name in (*vars(error), "filename", "filename2", "strerror"):
        value = getattr(error, name, None)
        clean = redact_all(value) if isinstance(value, str | list | tuple | dict) else value
        if clean != value:
            with suppress(Exception):
                setattr(error, name, clean)


def frames(tb: TracebackType | None) -> Iterator[TracebackType]:
    """Yield the links of a traceback, outermost first."""
    while tb is not None:
        yield tb
        tb = tb.tb_next


def file_of(link: TracebackType) -> str:
    """Return the file of a frame."""
    return link.tb_frame.f_code.co_filename


def has_ours(tb: TracebackType | None) -> bool:
    """Tell whether a traceback has a frame of ours."""
    return any(file_of(link).startswith(OURS) for link in frames(tb))


def is_users(tb: TracebackType | None) -> bool:
    """Tell whether a traceback has a frame of the user's, beside the first, which is IPython's."""
    return any(is_of_user(link) for link in list(frames(tb))[1:])


def is_of_user(link: TracebackType) -> bool:
    """Tell whether a frame is one of the user's code: not ours, not IPython's, no library's."""
    return not file_of(link).startswith((OURS, SHELL, *LIBRARIES))


def cleaned(tb: TracebackType | None) -> TracebackType | None:
    """Return a traceback without our frames, nor those of the magic that led to them.

    The first link is one of IPython's, as it always is: IPython leaves it out by itself.
    """
    links = list(frames(tb))
    first = next((number for number, link in enumerate(links) if file_of(link).startswith(OURS)), None)
    if first is None:
        return tb
    head = links[1:first]
    if any(file_of(link).startswith(SHELL) for link in head):
        head = []
    bottom = links[0].tb_frame
    rebuilt: TracebackType | None = None
    for link in reversed([*head, *users(links[max(first, 1) :])]):
        rebuilt = TracebackType(rebuilt, link.tb_frame, link.tb_lasti, link.tb_lineno)
    while bottom.f_back is not None and not bottom.f_code.co_filename.startswith(SHELL):
        bottom = bottom.f_back
    return TracebackType(rebuilt, bottom, bottom.f_lasti, bottom.f_lineno)


def users(links: Sequence[TracebackType]) -> Iterator[TracebackType]:
    """Yield the links that aren't ours, nor of a library by which we came to the user's code."""
    called_by_us: list[TracebackType] = []
    is_ours = True
    for link in links:
        if file_of(link).startswith(OURS):
            is_ours, called_by_us = True, []
        elif is_ours and file_of(link).startswith(LIBRARIES):
            called_by_us.append(link)
        else:
            is_ours, called_by_us = False, []
            yield link
    yield from called_by_us
