"""What a step prints, warns, logs and displays goes to the step, never to a stranger's cell.

A context variable names the :class:`Sink` of the step that runs. ``sys.stdout`` and ``sys.stderr`` are replaced, once
per run, by streams that ask for it at each write; without a sink they do what the stream behind them does, but for the
secrets in it. So steps on several threads, or tasks of one loop, are told apart, and a cell that runs at the same time
prints as always.

====================  ==================================================================================
what                  how it comes here
====================  ==================================================================================
print, stderr         the replaced streams; handlers of ``logging`` that hold the streams behind them follow
warnings              ``warnings.showwarning``
records of logging    the record factory: each record that passes its logger's level, as a fact with its
                      level, beside the text that a handler may print of it; those of
                      ``get_dagster_logger`` are told at once, as those of ``context.log``
``context.log``       :func:`note`: it is a fact at once, and among the output as well
rich displays         the notebook floor puts them into :func:`current_sink`
====================  ==================================================================================

A thread that a step starts has a context of its own, so its output isn't the step's, unless what it runs is
:func:`wrap` ped. Neither is what a hook, a resource or an IO manager prints. What C code writes to the file descriptors
isn't seen.
"""

from __future__ import annotations

import contextvars
import functools
import io
import logging
import sys
import threading
import warnings
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import replace
from typing import Any, Final, Literal, ParamSpec, TextIO, TypeVar, cast

from ipy_orch.events.chunks import Chunk, Kind
from ipy_orch.model.console_loggers import BUILTIN
from ipy_orch.model.env import redact

__all__ = [
    "STEP",
    "Chunk",
    "Sink",
    "capture",
    "current_sink",
    "install",
    "installed",
    "message_of",
    "note",
    "routed",
    "uninstall",
    "unrecorded",
    "wrap",
]

P = ParamSpec("P")
R = TypeVar("R")

LIMIT: Final = 8_000_000
STEP: Final = "ipy_orch.step"  #: the logger's name in the chunks of ``context.log``
PIECES: Final = 32  # how finely the end of a long output is kept


class Sink:
    """Collect the output of one step.

    Of an output beyond the limit the beginning and the end are kept, with a line that says what is missing.

    Args:
        tee: whether what is written appears live as well, in the cell that runs.
        limit: how much is kept, in characters of text and bytes of what is displayed.
        tell: takes level and text of each record of a logger of ours, when it comes; the step logs it.

    >>> sink = Sink()
    >>> sink.write("stdout", "a")
    >>> sink.write("stdout", "b")
    >>> sink.chunks()
    [Chunk(kind='stdout', text='ab', data=None, metadata=None)]
    """

    __slots__ = ("_end", "_end_size", "_lock", "_lost", "_lost_displays", "_room", "_start", "limit", "tee", "tell")

    def __init__(
        self, *, tee: bool = False, limit: int = LIMIT, tell: Callable[[str, str], None] | None = None
    ) -> None:
        self.tee, self.limit, self.tell = tee, limit, tell
        self._lock = threading.Lock()
        self.clear()

    def __reduce__(self) -> tuple[Any, ...]:
        # Into another process and back, with what it holds; only this process has the cell to be live in.
        return restored, (self.limit, self.chunks())

    def clear(self) -> None:
        """Forget what was collected, as ``clear_output`` does."""
        with self._lock:
            self._start: list[Piece] = []
            self._end: deque[Piece] = deque()
            self._room = self.limit - self.limit // 2
            self._end_size = self._lost = self._lost_displays = 0

    def write(self, kind: Literal["stdout", "stderr"], text: str) -> None:
        """Add what was written to a stream."""
        with self._lock:
            now, later = text[: self._room], text[self._room :]
            if now:
                append_text(self._start, kind, now)
                self._room -= len(now)
            if later:
                self._room = 0
                self._write_end(kind, later)

    def put(self, chunk: Chunk) -> None:
        """Add a display, a warning or a record."""
        size = chunk.size
        with self._lock:
            if size <= self._room:
                self._start.append(Piece(chunk.kind, chunk))
                self._room -= size
                return
            self._room = 0
            if size > self.limit // 2:
                self._lose(Piece(chunk.kind, chunk))
                return
            self._end.append(Piece(chunk.kind, chunk))
            self._end_size += size
            self._trim()

    def display(self, data: Mapping[str, Any], metadata: Mapping[str, Any] | None = None) -> None:
        """Add a rich display, MIME type -> content."""
        self.put(Chunk("display", data=dict(data), metadata=dict(metadata or {})))

    def chunks(self) -> list[Chunk]:
        """Return what was collected, adjacent text as one chunk; a line that overwrites itself as its last state."""
        with self._lock:
            start, end = [piece.chunk() for piece in self._start], [piece.chunk() for piece in self._end]
            gap = self._gap()
        return [settled(chunk) for chunk in joined([*start, *gap, *end])]

    def _write_end(self, kind: Kind, text: str) -> None:
        half, step = self.limit // 2, max(self.limit // PIECES, 1)
        if len(text) > half:
            self._lost += len(text) - half
            text = text[len(text) - half :]
        for at in range(0, len(text), step):
            append_text(self._end, kind, text[at : at + step], most=step)
        self._end_size += len(text)
        self._trim()

    def _trim(self) -> None:
        while self._end_size > self.limit // 2:
            first = self._end.popleft()
            self._end_size -= first.size
            self._lose(first)

    def _lose(self, piece: Piece) -> None:
        self._lost_displays += piece.whole is not None
        self._lost += piece.size if piece.whole is None else 0

    def _gap(self) -> list[Chunk]:
        what = [f"{self._lost:,} characters"] if self._lost else []
        what += [f"{self._lost_displays:,} displays, warnings or log records"] if self._lost_displays else []
        if not what:
            return []
        text = f"\n… {' and '.join(what)} left out here …\n"
        return [Chunk("stderr", text, metadata={"dropped": self._lost, "dropped_displays": self._lost_displays})]


def restored(limit: int, chunks: Iterable[Chunk]) -> Sink:
    """Return a sink that holds ``chunks``."""
    sink = Sink(limit=limit)
    for chunk in chunks:
        sink.put(chunk)
    return sink


class Piece:
    """Be a growing stretch of text, or a chunk that came whole."""

    __slots__ = ("kind", "size", "text", "whole")

    def __init__(self, kind: Kind, whole: Chunk | None = None) -> None:
        self.kind, self.whole = kind, whole
        self.text = io.StringIO(newline="")
        self.size = whole.size if whole else 0

    def chunk(self) -> Chunk:
        """Return the piece as a chunk."""
        return self.whole or Chunk(self.kind, self.text.getvalue())


def append_text(pieces: list[Piece] | deque[Piece], kind: Kind, text: str, most: int = sys.maxsize) -> None:
    """Add text to the last piece when it is of this kind and stays within ``most`` characters, else as a new one."""
    last = pieces[-1] if pieces else None
    if last is None or last.kind != kind or last.whole or last.size + len(text) > most:
        last = Piece(kind)
        pieces.append(last)
    last.text.write(text)
    last.size += len(text)


def joined(chunks: Iterable[Chunk]) -> list[Chunk]:
    """Return the chunks with adjacent text of one stream in one; a line that says what is missing stands alone."""
    whole: list[Chunk] = []
    parts: list[str] = []
    for chunk in chunks:
        plain = chunk.kind in ("stdout", "stderr") and chunk.metadata is None
        if plain and parts and whole[-1].kind == chunk.kind:
            parts.append(chunk.text)
            continue
        if len(parts) > 1:
            whole[-1] = replace(whole[-1], text="".join(parts))
        whole.append(chunk)
        parts = [chunk.text] if plain else []
    if len(parts) > 1:
        whole[-1] = replace(whole[-1], text="".join(parts))
    return whole


def settled(chunk: Chunk) -> Chunk:
    r"""Return the chunk with each line that overwrites itself (``\r``) as its last state, as a progress bar leaves it.

    >>> settled(Chunk("stderr", " 10%\r 50%\r100%\n")).text
    '100%\n'
    """
    if chunk.data is not None or "\r" not in chunk.text:
        return chunk
    lines = (line.rstrip("\r").rpartition("\r")[2] for line in chunk.text.split("\n"))
    return replace(chunk, text="\n".join(lines))


# -- which sink


_current: ContextVar[Sink | None] = ContextVar("ipy_orch_sink", default=None)
_unrecorded: ContextVar[bool] = ContextVar("ipy_orch_unrecorded", default=False)


def current_sink() -> Sink | None:
    """Return the sink of the step that runs in this context, or None."""
    return _current.get()


@contextmanager
def capture(sink: Sink | None) -> Iterator[Sink | None]:
    """Send the output of this context, and of the tasks it starts, to ``sink``; None lets it through as before."""
    token = _current.set(sink)
    try:
        yield sink
    finally:
        _current.reset(token)


def wrap(function: Callable[P, R]) -> Callable[P, R]:
    """Return ``function`` bound to this context, so that its output is this step's on whatever thread it is called.

    >>> import concurrent.futures
    >>> with capture(Sink()) as sink, concurrent.futures.ThreadPoolExecutor() as pool:
    ...     pool.submit(wrap(current_sink)).result() is sink
    True
    """
    context = contextvars.copy_context()

    @functools.wraps(function)
    def bound(*args: P.args, **kwargs: P.kwargs) -> R:
        # a copy for each call: one context can't be entered twice at once
        return context.copy().run(function, *args, **kwargs)

    return bound


# -- the places where output leaves Python


class RoutedStream:
    """Stand for ``sys.stdout`` or ``sys.stderr``: writes go to the current sink, all else to the stream behind."""

    def __init__(self, kind: Literal["stdout", "stderr"], behind: TextIO) -> None:
        self._kind: Literal["stdout", "stderr"] = kind
        self._behind = behind

    def write(self, text: str) -> int:
        """Write to the current sink; to the stream behind without one, or when the sink's output appears live."""
        if not isinstance(text, str):
            return self._behind.write(text)  # which says what is wrong with bytes
        sink = _current.get()
        if sink is not None:
            sink.write(self._kind, text)
        if sink is None or sink.tee:
            self._behind.write(redact(text))
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        """Write each of ``lines``."""
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        if name in ("_behind", "_kind"):  # a copy that has no attributes yet
            raise AttributeError(name)
        return getattr(self._behind, name)

    def __iter__(self) -> Iterator[str]:
        return iter(self._behind)

    def __repr__(self) -> str:
        return f"RoutedStream({self._behind!r})"


class Route:
    """Know what was put in place of what, so that it can be put back."""

    def __init__(self) -> None:
        self.streams = {
            kind: RoutedStream(kind, getattr(sys, kind)) for kind in STREAMS if getattr(sys, kind) is not None
        }
        self.show_behind = warnings.showwarning
        self.record_behind = logging.getLogRecordFactory()
        for kind, stream in self.streams.items():
            setattr(sys, kind, stream)
            move_handlers(stream._behind, cast("TextIO", stream))  # noqa: SLF001 - a stream is this module's own
        self.show, self.record = self.show_warning, self.make_record  # kept: a bound method is new at each look
        warnings.showwarning = self.show
        logging.setLogRecordFactory(self.record)
        self.bare = logging.lastResort
        if self.bare is not None:
            self.bare.addFilter(is_unsaid)

    def put_back(self) -> None:
        """Undo what nobody has covered since; what somebody has lets everything through from here on."""
        for kind, stream in self.streams.items():
            if getattr(sys, kind) is stream:
                setattr(sys, kind, stream._behind)  # noqa: SLF001
            move_handlers(cast("TextIO", stream), stream._behind)  # noqa: SLF001
        if warnings.showwarning is self.show:
            warnings.showwarning = self.show_behind
        if logging.getLogRecordFactory() is self.record:
            logging.setLogRecordFactory(self.record_behind)
        if self.bare is not None:
            self.bare.removeFilter(is_unsaid)

    def show_warning(
        self,
        message: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        file: TextIO | None = None,
        line: str | None = None,
    ) -> None:
        """Put a warning into the current sink; show it as before without one, or when its output appears live."""
        sink = _current.get()
        if sink is not None and file is None:
            details = {"category": category.__name__, "filename": filename, "lineno": lineno}
            sink.put(Chunk("warning", str(message), details))
        if sink is None or sink.tee or file is not None:
            with capture(None):
                self.show_behind(redact(str(message)), category, filename, lineno, file, line)

    def make_record(self, *args: Any, **kwargs: Any) -> logging.LogRecord:
        """Make a record as before, and put its message into the current sink."""
        record = self.record_behind(*args, **kwargs)
        sink = _current.get()
        if (
            sink is not None and not _unrecorded.get() and record.name is not None
        ):  # `logging.makeLogRecord` begins with an empty one
            text = message_of(record)
            if sink.tell is not None and record.name.startswith(BUILTIN):
                note(record.levelname, text)
                sink.tell(record.levelname, text)
            else:
                sink.put(Chunk("log", text, {"level": record.levelname, "logger": record.name}))
        return record


def is_unsaid(record: logging.LogRecord) -> bool:
    """Tell whether nobody is told of a record but by what prints those that no handler takes."""
    sink = _current.get()
    return sink is None or sink.tell is None or _unrecorded.get() or not record.name.startswith(BUILTIN)


STREAMS: Final[tuple[Literal["stdout", "stderr"], ...]] = ("stdout", "stderr")


@contextmanager
def unrecorded() -> Iterator[None]:
    """Have records of logging become no facts, as long as the block runs: they tell of facts that are there already."""
    token = _unrecorded.set(True)
    try:
        yield
    finally:
        _unrecorded.reset(token)


def note(level: str, text: str) -> None:
    """Put a record of ``context.log`` into the current sink, if there's one."""
    sink = _current.get()
    if sink is not None:
        sink.put(Chunk("log", text, {"level": level, "logger": STEP}))


def message_of(record: logging.LogRecord) -> str:
    """Return the message of a record and its traceback; of a record whose arguments don't fit, the bare format."""
    try:
        message = record.getMessage()
    except Exception:
        message = record.msg if isinstance(record.msg, str) else f"<{type(record.msg).__name__}>"
    if isinstance(record.exc_info, tuple) and record.exc_info[0] is not None:
        message += "\n" + logging.Formatter().formatException(record.exc_info)
    return message


def move_handlers(old: TextIO, new: TextIO) -> None:
    """Let handlers of logging that print to one stream print to another."""
    loggers = [logging.root, *logging.root.manager.loggerDict.values()]
    for logger in loggers:
        for handler in getattr(logger, "handlers", ()):
            if isinstance(handler, logging.StreamHandler) and handler.stream is old:
                handler.setStream(new)


_lock = threading.Lock()
_route: Route | None = None
_users = 0


def install() -> None:
    """Begin to route output; each call needs an :func:`uninstall`."""
    global _route, _users  # noqa: PLW0603 - the streams are the process's
    with _lock:
        if not _users:
            _route = Route()
        _users += 1


def uninstall() -> None:
    """End routing output, when nobody else wants it; does nothing when it wasn't begun."""
    global _route, _users  # noqa: PLW0603
    with _lock:
        _users = max(_users - 1, 0)
        if not _users and _route is not None:
            _route.put_back()
            _route = None


def routed() -> bool:
    """Tell whether output is routed now: a run is going on, or a value is being loaded."""
    return _route is not None


@contextmanager
def installed() -> Iterator[None]:
    """Route output for as long as the block runs."""
    install()
    try:
        yield
    finally:
        uninstall()
