"""The log on disk: JSON lines in a folder, a file for each kernel that writes.

    20261121-130455-4711-c0ffee.jsonl    what one kernel wrote; its .lock is held while that kernel lives
    facts-8badf00d.jsonl                 what was worth keeping of kernels that are gone

No two kernels write to one file, so none ever waits for another, and a kill tears the last line of its own file only,
which readers drop. Who starts reads all files, and puts those of dead kernels together into one. Only that takes a
lock (filelock's, which the system lets go when a kernel is killed), and so does telling the dead from the living.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import secrets
import threading
import time
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from ipy_orch.events.compaction import Record, compacted
from ipy_orch.events.files import lines_of, replace_whole
from ipy_orch.events.lines import decoded, encoded
from ipy_orch.events.types import (
    Checked,
    Event,
    Forgotten,
    Materialized,
    Observed,
    PartitionsChanged,
    RunFinished,
    RunStarted,
    StepFailed,
    Switched,
    Ticked,
)

__all__ = ["Journal"]

AT_ONCE: Final = (
    RunStarted,
    Materialized,
    Observed,
    Checked,
    StepFailed,
    Forgotten,
    PartitionsChanged,
    RunFinished,
    Ticked,
    Switched,
)
BUFFER: Final = 64_000  # bytes of events of other kinds that wait for the next of these
LONG: Final = 8_000_000  # bytes of a file that isn't compacted yet
PATIENCE: Final = 10.0  # seconds to wait for another kernel that starts at the same time
FACTS: Final = "facts-"


class Journal:
    """Write the events of one kernel, and read those of all.

    What was appended survives a kill of the kernel as soon as :meth:`append` has returned with a fact about an asset or
    a run; what happened within a step, with the next such fact.

    Args:
        folder: where the files are; made when it isn't there.
        long: bytes beyond which this kernel's own file is compacted, between two runs.
    """

    def __init__(self, folder: Path, long: int = LONG) -> None:
        self.folder, self.long = folder, long
        stamp = time.strftime("%Y%m%d-%H%M%S", time.gmtime())
        self.path = folder / f"{stamp}-{os.getpid()}-{secrets.token_hex(3)}.jsonl"
        self.unreadable = 0  #: lines that no event could be made of
        self.file = -1
        self.size, self.limit = 0, long
        self.waiting: list[bytes] = []
        self.held = 0
        self.torn = False
        self.process = os.getpid()
        self.alive: Any = None
        self.guard = threading.RLock()

    # -- opening ------------------------------------------------------------------------------------------------------

    def open(self) -> list[Event]:
        """Begin a file, and return what was written before, by this kernel or another, oldest first.

        Raises:
            OSError: when the folder can't be written to.
        """
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with self.alone() as alone:
            files = sorted(self.folder.glob("*.jsonl"))
            gone = [path for path in files if alone and not is_alive(path)]
            self.begin()
            records = self.read(files)
            if len(gone) > 1 or any(not path.name.startswith(FACTS) for path in gone):
                records = self.put_together(gone, files, records)
        close = weakref.WeakMethod(self.close)
        atexit.register(lambda: call(close))
        return [record.event for record in records]

    def begin(self) -> None:
        """Create this kernel's file, locked for as long as it lives."""
        self.file = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with contextlib.suppress(OSError, NotImplementedError):  # a file system without locks: nothing is put together
            lock = lock_on(lock_of(self.path))
            lock.acquire(timeout=0)
            self.alive = lock

    @contextlib.contextmanager
    def alone(self) -> Iterator[bool]:
        """Keep other kernels from starting meanwhile; yield False where that can't be had."""
        from filelock import Timeout

        lock = lock_on(self.folder / ".opening.lock")
        try:
            lock.acquire(timeout=PATIENCE)
        except (Timeout, OSError, NotImplementedError):
            yield False
            return
        try:
            yield True
        finally:
            lock.release()

    def read(self, files: list[Path]) -> list[Record]:
        """Return the events of several files, in the order in which they happened, each once."""
        found: dict[bytes, tuple[float, Record]] = {}
        for path in files:
            latest = 0.0
            with contextlib.suppress(OSError):
                for line in lines_of(path):
                    event = decoded(line)
                    if event is None:
                        self.unreadable += bool(line)
                        continue
                    latest = max(latest, event.at)  # clocks are set back; within a file, the order is what counts
                    found.setdefault(line, (latest, Record(event, line)))
        return [record for _, record in sorted(found.values(), key=lambda one: one[0])]

    def put_together(self, gone: list[Path], files: list[Path], records: list[Record]) -> list[Record]:
        """Replace the files of dead kernels by one with what is worth keeping of them."""
        theirs = records if len(gone) == len(files) else self.read(gone)
        kept = compacted(theirs)
        replace_whole(self.folder / f"{FACTS}{secrets.token_hex(4)}.jsonl", (one.line + b"\n" for one in kept))
        for path in gone:
            path.unlink(missing_ok=True)
            lock_of(path).unlink(missing_ok=True)
        return kept if theirs is records else records

    # -- writing ------------------------------------------------------------------------------------------------------

    def append(self, event: Event) -> None:
        """Write an event; one that is part of a step may wait for the next fact.

        Raises:
            OSError: when the disk doesn't take it.
        """
        try:
            line = encoded(event)
        except Exception:  # noqa: BLE001 - it holds values of users; the run that it tells of must go on
            return
        with self.guard:
            self.waiting.append(line)
            self.held += len(line)
            if isinstance(event, AT_ONCE) or self.held > BUFFER:
                self.flush()
            if isinstance(event, RunFinished) and self.size > self.limit:
                self.compact()

    def flush(self) -> None:
        """Hand what waits to the system.

        Raises:
            OSError: when the disk doesn't take it.
        """
        with self.guard:
            if not self.waiting or self.file < 0 or os.getpid() != self.process:
                return
            data = b"".join([b"\n" if self.torn else b"", *self.waiting])
            self.torn, done = True, 0
            try:
                while done < len(data):
                    done += os.write(self.file, data[done:])
                self.torn = False
            finally:
                self.waiting, self.held = [], 0
                self.size += done

    def compact(self) -> None:
        """Replace this kernel's file by one with what is worth keeping of it; where that can't be, it just grows."""
        with self.guard:
            kept = compacted(self.read([self.path]))
            with contextlib.suppress(OSError):
                replace_whole(self.path, (record.line + b"\n" for record in kept))
                former, self.file = self.file, os.open(self.path, os.O_WRONLY | os.O_APPEND)
                os.close(former)
                self.size = self.path.stat().st_size
            self.limit = max(self.long, 4 * self.size)

    def close(self) -> None:
        """Write what waits, and let go of the file; nothing is appended any more."""
        with self.guard:
            if self.file < 0 or os.getpid() != self.process:
                return
            with contextlib.suppress(OSError):
                self.flush()
            os.close(self.file)
            self.file = -1
            with contextlib.suppress(OSError):
                if not self.size:
                    self.path.unlink(missing_ok=True)
                if self.alive is not None:
                    self.alive.release()
                lock_of(self.path).unlink(missing_ok=True)


def call(method: weakref.WeakMethod[Any]) -> None:
    """Call a method of an object that may be gone."""
    found = method()
    if found is not None:
        found()


def lock_of(path: Path) -> Path:
    """Return the file whose lock says that the kernel that writes to ``path`` lives."""
    return path.with_name(f"{path.name}.lock")


def lock_on(path: Path) -> Any:
    """Return a lock that goes with the process."""
    from filelock import FileLock

    return FileLock(path, thread_local=False)


def is_alive(path: Path) -> bool:
    """Tell whether a kernel still writes to a file."""
    from filelock import Timeout

    if not lock_of(path).exists():
        return False
    lock = lock_on(lock_of(path))
    try:
        lock.acquire(timeout=0)
    except (Timeout, OSError, NotImplementedError):
        return True
    lock.release()
    return False
