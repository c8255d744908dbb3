"""Where values are kept: for one run, in files, or in the session.

An IO manager stores what a step returned and loads it for the steps downstream: ``handle_output(context, value)`` and
``load_input(context)``. Whatever it keeps, each reader gets a value of its own (see isolation.py).
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import heapq
import math
import os
import pickle
import shutil
import tempfile
import threading
import time
import zlib
from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import count
from pathlib import Path
from typing import IO, Any, TypeAlias

from pydantic import Field as PydanticField
from pydantic import PrivateAttr

from ipy_orch.errors import DagsterInvariantViolationError
from ipy_orch.execution.isolation import Sealed, seal
from ipy_orch.model.io import ConfigurableIOManager, IOManager, IOManagerDefinition
from ipy_orch.model.metadata import MetadataValue
from ipy_orch.model.resources import InitResourceContext

__all__ = [
    "Entry",
    "FilesystemIOManager",
    "InMemoryIOManager",
    "SessionIOManager",
    "fs_io_manager",
    "mem_io_manager",
]

Slot: TypeAlias = tuple[Hashable, str | None]


# ------------------------------------------------------------------------------------------------ what a context says


def _name(context: Any) -> str:
    """Return the asset's name, or the step's and the output's, for messages."""
    return str(context.asset_key) if context.has_asset_key else f"{context.step_key}.{context.name}"


def _identifier(context: Any) -> tuple[object, ...]:
    """Return what tells a value from all others: the input of an op is found under the output that it comes from."""
    upstream = None if context.has_asset_key else getattr(context, "upstream_output", None)
    return tuple((upstream or context).get_identifier())


def _is_nothing(context: Any) -> bool:
    return bool(getattr(getattr(context, "dagster_type", None), "is_nothing", False))


def _partitions(context: Any) -> list[str | None]:
    """Return the partitions that a context is about, ``[None]`` without partitions."""
    if not (context.has_asset_key and getattr(context, "has_asset_partitions", context.has_partition_key)):
        return [None]
    keys = getattr(context, "asset_partition_keys", None)
    return [context.partition_key] if keys is None else list(keys)


def _only_partition(context: Any) -> str | None:
    partitions = _partitions(context)
    if len(partitions) != 1:
        raise DagsterInvariantViolationError(
            f"one value can't be stored for {len(partitions)} partitions of `{_name(context)}`",
            hint="return None from the asset and store the partitions there",
        )
    return partitions[0]


def _loaded(context: Any, load: Callable[[str | None], Any]) -> Any:
    """Load the one value, or a dict of the values by partition when there are several."""
    partitions = _partitions(context)
    may_miss = (getattr(context, "definition_metadata", None) or {}).get("allow_missing_partitions", False)
    values = {}
    for partition in partitions:
        try:
            values[partition] = load(partition)
        except (FileNotFoundError, KeyError):
            if partition is None or not may_miss:
                raise
    return values if len(partitions) > 1 else next(iter(values.values()), None)


# ------------------------------------------------------------------------------------------------ one run


class InMemoryIOManager(IOManager):
    """Keep values in a dict, ``values``, for as long as this object lives."""

    def __init__(self) -> None:
        self.values: dict[tuple[object, ...], object] = {}

    def handle_output(self, context: Any, obj: object) -> None:
        """Keep the value of an output."""
        self.values[_identifier(context)] = obj

    def load_input(self, context: Any) -> object:
        """Return a copy of the value of an input, so that its reader may edit it."""
        return seal(self.values[_identifier(context)], _name(context)).open()


mem_io_manager = IOManagerDefinition(
    lambda _context: InMemoryIOManager(), description="Keeps values in memory for one run."
)


# ------------------------------------------------------------------------------------------------ files


class FilesystemIOManager(ConfigurableIOManager):
    """Keep each value as a pickle below a folder: ``base_dir/asset/key``, ``base_dir/asset/key/partition``.

    A value is replaced at once or not at all, also when the kernel is killed while it writes. Because loading a pickle
    runs code, files that another user owns, or that anybody may write to, are refused.

    Args:
        base_dir: the folder; made when it isn't there. By default the storage folder of the instance that the run
            belongs to, or ``$DAGSTER_HOME/storage``, or else a temporary folder that goes with this process.
    """

    base_dir: str | None = PydanticField(default=None, description="The folder below which values are kept.")
    _default: str | None = PrivateAttr(default=None)

    def setup_for_execution(self, context: InitResourceContext) -> None:
        """Find the default folder."""
        folder = getattr(context.instance, "storage_directory", None)
        self._default = folder() if callable(folder) else None

    def path(self, context: Any, partition: str | None = None) -> Path:
        """Return the file of a value."""
        if context.has_asset_key:
            parts = [_escaped(part) for part in context.asset_key.path]
        else:
            parts = [_escaped(str(part)) for part in _identifier(context)]
        return Path(self.base_dir or self._default or default_folder()).joinpath(
            *parts, *([] if partition is None else _partition_parts(partition))
        )

    def has_output(self, context: Any) -> bool:
        """Tell whether the value of an output is there."""
        return self.path(context, _only_partition(context)).is_file()

    def handle_output(self, context: Any, obj: object) -> None:
        """Store the value of an output, and add its path to the metadata.

        Raises:
            DagsterInvariantViolationError: when it can't be pickled, or the folder can't be written to.
        """
        if _is_nothing(context):
            return
        partition = _only_partition(context)
        path = self.path(context, partition)
        if partition is not None:
            _make_way(self.path(context), _name(context))
        write_pickle(path, obj, _name(context))
        if obj is not None:
            context.add_output_metadata({"path": MetadataValue.path(str(path))})

    def load_input(self, context: Any) -> object:
        """Return the stored value of an input; a dict by partition when there are several.

        Raises:
            DagsterInvariantViolationError: when the file is damaged or not to be trusted.
            FileNotFoundError: when nothing is stored.
        """
        return _loaded(context, lambda partition: read_pickle(self.path(context, partition), _name(context)))


fs_io_manager = IOManagerDefinition(
    FilesystemIOManager.from_resource_context,
    config_schema=FilesystemIOManager.to_config_schema(),
    description="Keeps values as pickles below a folder.",
)


@functools.cache
def default_folder() -> str:
    """Return the folder of values for which none was chosen."""
    home = os.environ.get("DAGSTER_HOME")
    if home:
        return os.path.join(home, "storage")  # noqa: PTH118 - configuration is text
    folder = tempfile.mkdtemp(prefix="ipy_orch-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def _escaped(part: str) -> str:
    """Return one part of a key as the name of one file or folder.

    >>> _escaped("orders"), _escaped(".."), _escaped("/etc/passwd")
    ('orders', '%2E%2E', '%2Fetc%2Fpasswd')
    """
    name = part.replace("/", "%2F").replace(os.sep, "%5C").replace("\0", "%00")
    return name.replace(".", "%2E") if not name.strip(".") else name


def _partition_parts(partition: str) -> list[str]:
    """Return the path of a partition; the dimensions of a multi-partition are folders, in the order of their names.

    >>> _partition_parts("2026-01-01"), _partition_parts("/a/../b")
    (['2026-01-01'], ['%2Fa', '%2E%2E', 'b'])
    """
    dimensions = getattr(partition, "keys_by_dimension", None)
    text = "/".join(dimensions[name] for name in sorted(dimensions)) if dimensions else str(partition)
    parts = [_escaped(part) for part in text.split("/") if part] or [""]
    parts[0] = "%2F" + parts[0] if text.startswith("/") else parts[0] or "%"
    return parts


def _make_way(folder: Path, name: str) -> None:
    """Remove the file of an asset that had no partitions before: a folder takes its place."""
    with _writing(folder, name):
        if folder.is_file():
            folder.unlink()


# ---- pickles on disk

SEAL = b"ipyorch1"  # after the pickle, followed by its CRC-32: pickle.load() of anybody stops before it
TRAILER = len(SEAL) + 4
CHUNK = 1 << 20
ABANDONED = 3600  # seconds after which an unfinished file belongs to nobody


def write_pickle(path: Path, value: object, name: str) -> None:
    """Store ``value`` in a file, replacing the old one at once: whoever reads sees the old value or the new one.

    Raises:
        DagsterInvariantViolationError: when ``value`` can't be pickled, or the file can't be written.
    """
    with _writing(path, name):
        path.parent.mkdir(parents=True, exist_ok=True)
        _sweep(path.parent)
        descriptor, draft = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".tmp", dir=path.parent)
        try:
            with os.fdopen(descriptor, "wb") as file:
                _dump(value, file, name)
                file.flush()
                os.fsync(file.fileno())
            Path(draft).replace(path)
        except BaseException:
            Path(draft).unlink(missing_ok=True)
            raise
        _sync(path.parent)


def read_pickle(path: Path, name: str) -> Any:
    """Return the value stored in a file.

    Raises:
        DagsterInvariantViolationError: when the file is truncated, corrupt, or not this user's.
        FileNotFoundError: when there is none.
    """
    try:
        file = path.open("rb")
    except FileNotFoundError:
        raise FileNotFoundError(f"`{name}` isn't stored in {path}\n  hint: materialize it first") from None
    except OSError as error:
        raise DagsterInvariantViolationError(f"`{name}` can't be read: {_reason(error)}", where=str(path)) from error
    with file:
        _trust(file, path, name)
        try:
            _check(file)
            return pickle.load(file)
        except (AttributeError, ImportError) as error:
            raise DagsterInvariantViolationError(
                f"`{name}` is of a class that isn't here: {error}",
                where=str(path),
                hint="run the cell that defines it, or install its package",
            ) from error
        except Exception as error:
            raise DagsterInvariantViolationError(
                f"the file of `{name}` is truncated or corrupt: {str(error) or type(error).__name__}",
                where=str(path),
                hint=f"materialize `{name}` again",
            ) from error


class _Summed:
    """Be a file that knows the CRC-32 of what was written."""

    def __init__(self, file: IO[bytes]) -> None:
        self.file = file
        self.crc = 0

    def write(self, data: Any) -> int:
        self.crc = zlib.crc32(data, self.crc)
        return self.file.write(data)


def _dump(value: object, file: IO[bytes], name: str) -> None:
    summed = _Summed(file)
    try:
        pickle.dump(value, summed, protocol=5)
    except (OSError, KeyboardInterrupt):
        raise
    except Exception as error:
        why = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise DagsterInvariantViolationError(
            f"`{name}` is a `{type(value).__name__}` that can't be pickled: {why}",
            hint="keep it in memory with InMemoryIOManager(), or return what it is made from",
        ) from error
    file.write(SEAL + summed.crc.to_bytes(4, "big"))


def _check(file: IO[bytes]) -> None:
    """Compare the pickle with its checksum, if it has one: a bit that flipped in a number breaks no pickle.

    Raises:
        ValueError: when they differ.
    """
    size = file.seek(0, os.SEEK_END)
    file.seek(max(size - TRAILER, 0))
    trailer = file.read()
    file.seek(0)
    if not trailer.startswith(SEAL):
        return
    crc, left = 0, size - TRAILER
    while left > 0:
        chunk = file.read(min(left, CHUNK))
        crc, left = zlib.crc32(chunk, crc), left - len(chunk)
    if crc != int.from_bytes(trailer[len(SEAL) :], "big"):
        raise ValueError("its checksum differs")
    file.seek(0)


def _trust(file: IO[bytes], path: Path, name: str) -> None:
    """Refuse a pickle that somebody else can have written.

    Raises:
        DagsterInvariantViolationError: when another user owns the file, or everybody may write to it.
    """
    if not hasattr(os, "geteuid"):
        return
    status = os.fstat(file.fileno())
    if status.st_uid != os.geteuid():
        why = "it belongs to another user"
    elif status.st_mode & 0o002:
        why = "everybody may write to it"
    else:
        return
    raise DagsterInvariantViolationError(
        f"the file of `{name}` isn't loaded, because {why} and loading a pickle runs code",
        where=str(path),
        hint="give FilesystemIOManager a `base_dir` of your own, or take the file over if you trust it",
    )


@contextlib.contextmanager
def _writing(path: Path, name: str) -> Iterator[None]:
    """Turn errors of the file system into one that names the asset, the path and the way out."""
    try:
        yield
    except OSError as error:
        hint = "choose a folder you may write to: FilesystemIOManager(base_dir=...)"
        if isinstance(error, (NotADirectoryError, IsADirectoryError, FileExistsError)):
            hint = "a file and a folder can't have one name: rename the asset, or choose another `base_dir`"
        raise DagsterInvariantViolationError(
            f"`{name}` can't be stored: {_reason(error)}", where=str(path), hint=hint
        ) from error


def _reason(error: OSError) -> str:
    return (error.strerror or str(error)).lower()


@lru_cache(maxsize=4096)  # once per folder and process: looking at each write would cost the square of the values
def _sweep(folder: Path) -> None:
    """Remove unfinished files of killed kernels from a folder."""
    for draft in folder.glob(".*.tmp"):
        with contextlib.suppress(OSError):
            if time.time() - draft.stat().st_mtime > ABANDONED:
                draft.unlink()


def _sync(folder: Path) -> None:
    """Write the new name of a file to disk too; not every system lets one open a folder."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


# ------------------------------------------------------------------------------------------------ the session


@dataclass(slots=True, eq=False)
class Entry:
    """Say what the session keeps of one asset (and partition), and at what price.

    Args:
        bytes: the memory it takes, an estimate.
        seconds: what computing it took.
        stored: when, as time.time() gives it.
        rank: the lower, the sooner it is evicted.
    """

    key: Hashable
    partition: str | None
    version: str | None
    bytes: int
    seconds: float
    stored: float
    sealed: Sealed = field(repr=False)
    rank: float = 0.0
    serial: int = field(default=0, repr=False)

    @property
    def worth(self) -> float:
        """Return the seconds that each byte saves; a millisecond stands for the cost of any step."""
        return (self.seconds + 1e-3) / max(self.bytes, 1)


class SessionIOManager(IOManager):
    """Keep values across runs, up to a limit in bytes, the least worth keeping going first.

    Which one that is, is decided as in GreedyDual-Size (Cao and Irani, 1997): a value's rank is the seconds per byte
    that it saves, above the rank of what was evicted last; so a value that nobody reads sinks below fresh ones. Pinned
    values stay, whatever the limit. What was put last isn't evicted on its own account: somebody is about to read it.
    A value larger than the limit drives out nothing; it is kept until the next one comes.

    Safe to use from several threads. ``on_evict`` holds functions that are called with the key and partition of
    what was evicted, outside of the lock.

    Args:
        limit_bytes: by default a quarter of the machine's memory.
    """

    def __init__(self, limit_bytes: int | None = None) -> None:
        self.on_evict: list[Callable[[Any, str | None], None]] = []
        self._limit = machine_memory() // 4 if limit_bytes is None else limit_bytes
        self._entries: dict[Slot, Entry] = {}
        self._pins: dict[Hashable, set[Hashable]] = {}
        self._queue: list[tuple[float, int, Slot]] = []  # ranks as they were: an entry's own rank may have risen since
        self._serial = count()
        self._floor = 0.0  # the rank of what was evicted last
        self._total = 0
        self._lock = threading.RLock()

    # -- Dagster's protocol --

    def handle_output(self, context: Any, obj: object) -> None:
        """Keep the value of an output, with the data version that the context tells."""
        if _is_nothing(context):
            return
        version, seconds = getattr(context, "data_version", None), getattr(context, "seconds", 0.0)
        self.put(_key(context), _only_partition(context), obj, version=version, seconds=seconds, name=_name(context))

    def load_input(self, context: Any) -> object:
        """Return the value of an input; a dict by partition when there are several.

        Raises:
            DagsterInvariantViolationError: when it isn't kept, or no longer.
        """
        try:
            return _loaded(context, lambda partition: self.get(_key(context), partition))
        except KeyError:
            name = _name(context)
            raise DagsterInvariantViolationError(
                f"the session doesn't keep a value of `{name}`", hint=f"materialize `{name}` first"
            ) from None

    # -- values --

    def put(
        self,
        key: Hashable,
        partition: str | None,
        value: object,
        *,
        version: str | None = None,
        seconds: float = 0.0,
        name: str = "",
    ) -> None:
        """Keep a value in place of the former one, and evict others while the total is above the limit.

        Args:
            version: the data version, for :meth:`has`.
            seconds: what computing it took.
            name: for a warning when the value can't be isolated.
        """
        sealed = seal(value, name or str(key))
        entry = Entry(key, partition, version, sealed.nbytes, seconds, time.time(), sealed)
        slot = (key, partition)
        with self._lock:
            former = self._remove(slot)
            entry.serial = next(self._serial)
            entry.rank = self._rank(entry)
            self._entries[slot] = entry
            self._total += entry.bytes
            self._enqueue(slot, entry)
            evicted = self._make_room(spared=entry) if self._total > self._limit else ()
        del former  # here, not under the lock: it may run anybody's __del__
        self._tell(evicted)

    def get(self, key: Hashable, partition: str | None = None) -> Any:
        """Return a value of one's own.

        Raises:
            KeyError: when it isn't kept, or no longer.
        """
        with self._lock:
            entry = self._entries[key, partition]
            entry.rank = self._rank(entry)
        return entry.sealed.open()

    def has(self, key: Hashable, partition: str | None = None, version: str | None = None) -> bool:
        """Tell whether a value is kept, and of this version if one is given."""
        entry = self._entries.get((key, partition))
        return entry is not None and (version is None or entry.version == version)

    def drop(self, key: Hashable, partition: str | None = None) -> None:
        """Let go of a value, or of all partitions of an asset; pins don't hold it."""
        with self._lock:
            slots = [slot for slot in self._entries if slot[0] == key and partition in (None, slot[1])]
            dropped = [self._remove(slot) for slot in slots]
        del dropped

    def clear(self) -> None:
        """Let go of every value; pins and listeners stay."""
        with self._lock:
            dropped, self._entries, self._queue, self._total = self._entries, {}, [], 0
        del dropped

    def entries(self) -> list[Entry]:
        """Return what is kept, the least worth keeping first."""
        with self._lock:
            return sorted(self._entries.values(), key=lambda entry: entry.rank)

    # -- memory --

    @property
    def total_bytes(self) -> int:
        """Return the memory that the values take together; what two frames share counts twice."""
        return self._total

    @property
    def limit_bytes(self) -> int:
        """Return the limit; setting a lower one evicts at once."""
        return self._limit

    @limit_bytes.setter
    def limit_bytes(self, limit: int) -> None:
        self._limit = limit
        self.evict()

    def pin(self, key: Hashable, owner: Hashable) -> None:
        """Keep every partition of an asset until ``owner`` (a run, a widget) unpins it; it needn't be there yet."""
        with self._lock:
            self._pins.setdefault(key, set()).add(owner)

    def unpin(self, key: Hashable, owner: Hashable) -> None:
        """Take back a pin, if there is one."""
        with self._lock:
            owners = self._pins.get(key, set())
            owners.discard(owner)
            if owners:
                return
            self._pins.pop(key, None)
        self.evict()

    def release(self, owner: Hashable) -> None:
        """Take back all pins of one owner."""
        with self._lock:
            for key in [key for key, owners in self._pins.items() if owner in owners]:
                self._pins[key].discard(owner)
                if not self._pins[key]:
                    del self._pins[key]
        self.evict()

    def is_pinned(self, key: Hashable) -> bool:
        """Tell whether anybody holds this asset."""
        return key in self._pins

    def evict(self) -> None:
        """Evict while the total is above the limit."""
        with self._lock:
            evicted = self._make_room() if self._total > self._limit else ()
        self._tell(evicted)

    # -- inside; all but _tell under the lock --

    def _rank(self, entry: Entry) -> float:
        return -math.inf if entry.bytes > self._limit else self._floor + entry.worth

    def _remove(self, slot: Slot) -> Entry | None:
        entry = self._entries.pop(slot, None)
        if entry is not None:
            self._total -= entry.bytes
        return entry

    def _enqueue(self, slot: Slot, entry: Entry) -> None:
        heapq.heappush(self._queue, (entry.rank, entry.serial, slot))
        if len(self._queue) > 2 * len(self._entries) + 64:  # most of it is about entries that were replaced
            self._queue = [(entry.rank, entry.serial, slot) for slot, entry in self._entries.items()]
            heapq.heapify(self._queue)

    def _make_room(self, spared: Entry | None = None) -> list[Entry]:
        """Evict the lowest ranks until the rest fits; an entry too large for the limit doesn't drive out others."""
        self._total = sum(entry.bytes for entry in self._entries.values())  # exact again after an interrupt in between
        aside = spared.bytes if spared is not None and spared.bytes > self._limit else 0
        evicted: list[Entry] = []
        kept: list[Entry] = []
        while self._total - aside > self._limit and self._queue:
            rank, serial, slot = heapq.heappop(self._queue)
            entry = self._entries.get(slot)
            if entry is None or entry.serial != serial:
                continue
            if entry is spared or entry.key in self._pins:
                kept.append(entry)
            elif entry.rank > rank:
                self._enqueue(slot, entry)
            else:
                self._remove(slot)
                self._floor = max(self._floor, rank)
                evicted.append(entry)
        for entry in kept:
            self._enqueue((entry.key, entry.partition), entry)
        return evicted

    def _tell(self, evicted: Iterable[Entry]) -> None:
        for entry in evicted:
            for listener in list(self.on_evict):
                listener(entry.key, entry.partition)


def _key(context: Any) -> Hashable:
    key: Hashable = context.asset_key if context.has_asset_key else _identifier(context)
    return key


def machine_memory() -> int:
    """Return the memory of the machine, or of the container that this runs in, in bytes."""
    try:
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):
        memory = 8 << 30  # a system that doesn't tell
    for file in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        with contextlib.suppress(OSError, ValueError):
            memory = min(memory, int(Path(file).read_text(encoding="ascii")))
    return memory
