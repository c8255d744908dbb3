"""Values across runs: the session's own store, which is also its cache; with a disk behind it, across kernels."""

from __future__ import annotations

import contextlib
import heapq
import math
import os
import threading
import time
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any, TypeAlias

from ipy_orch.errors import DagsterInvariantViolationError
from ipy_orch.execution.iomanagers.addresses import identifier, is_nothing, label, loaded, only_partition
from ipy_orch.execution.iomanagers.disk import DiskStore
from ipy_orch.execution.isolation.sealing import Sealed, seal
from ipy_orch.execution.workers.afar import Afar, SealedAfar
from ipy_orch.model.io import IOManager
from ipy_orch.model.keys import AssetKey

__all__ = ["Entry", "SessionIOManager", "machine_memory"]

Slot: TypeAlias = tuple[Hashable, str | None]


@dataclass(slots=True, eq=False)
class Entry:
    """Say what the session keeps of one asset (and partition), and at what price.

    Args:
        bytes: the memory it takes, an estimate.
        seconds: what computing it took.
        stored: when, as time.time() gives it.
        rank: the lower, the sooner it is evicted.
        on_disk: whether a file has the value, too.
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
    on_disk: bool = False

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

    With a ``disk``, each value of a data version is also put into a file, an evicted one is loaded again from there,
    and pins that hold loosely don't hold what a file has. ``current`` tells which version of an asset is wanted then.

    Safe to use from several threads. ``on_evict`` holds functions that are called with the key and partition of
    what was evicted, outside of the lock.

    Args:
        limit_bytes: by default a quarter of the machine's memory.
    """

    def __init__(self, limit_bytes: int | None = None) -> None:
        self.on_evict: list[Callable[[Any, str | None], None]] = []
        self.disk: DiskStore | None = None
        self.current: Callable[[AssetKey, str | None], str | None] = lambda _key, _partition: None
        self.memory_only: dict[str, str] = {}  #: asset -> why no file has its value, until somebody tells it
        self._limit = machine_memory() // 4 if limit_bytes is None else limit_bytes
        self._entries: dict[Slot, Entry] = {}
        self._pins: dict[Hashable, set[Hashable]] = {}
        self._loose: set[Hashable] = set()
        self._queue: list[tuple[float, int, Slot]] = []  # ranks as they were: an entry's own rank may have risen since
        self._serial = count()
        self._floor = 0.0  # the rank of what was evicted last
        self._total = 0
        self._rooms = 0  #: how often room was made since the total was added up
        self._lock = threading.RLock()

    # -- Dagster's protocol --

    def handle_output(self, context: Any, obj: object) -> None:
        """Keep the value of an output, with the data version that the context tells."""
        if is_nothing(context):
            return
        version, seconds = getattr(context, "data_version", None), getattr(context, "seconds", 0.0)
        self.put(slot_key(context), only_partition(context), obj, version=version, seconds=seconds, name=label(context))

    def load_input(self, context: Any) -> object:
        """Return the value of an input; a dict by partition when there are several.

        Raises:
            DagsterInvariantViolationError: when it isn't kept, or no longer.
        """
        try:
            return loaded(context, lambda partition: self.get(slot_key(context), partition))
        except KeyError:
            name = label(context)
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
        sealed = SealedAfar(value) if isinstance(value, Afar) else seal(value, name or str(getattr(key, "label", key)))
        entry = Entry(key, partition, version, sealed.nbytes, seconds, time.time(), sealed)
        self.save(entry)
        self._admit(entry)

    def save(self, entry: Entry) -> None:
        """Put a value into a file, where there's a disk; note why where that can't be."""
        if self.disk is None or entry.version is None or not isinstance(entry.key, AssetKey):
            return
        why = self.disk.save(entry.key, entry.partition, entry.version, entry.sealed.private)
        entry.on_disk = not why
        if why:
            self.memory_only[entry.key.label] = why

    def ready(self, key: AssetKey, partition: str | None, version: str) -> bool:
        """Have a value of this version in memory, from its file if need be; tell whether it is."""
        entry = self._entries.get((key, partition))
        if entry is not None and entry.version == version and entry.sealed.is_there:
            return True
        try:
            self._recall(key, partition, version)
        except KeyError:
            return False
        return True

    def _recall(self, key: AssetKey, partition: str | None, version: str) -> Sealed:
        """Load a value from its file. It is worth the time that this takes, not the time that computing it took."""
        if self.disk is None:
            raise KeyError(key)
        began = time.perf_counter()
        sealed = seal(self.disk.load(key, partition, version), key.label)
        took = time.perf_counter() - began
        self._admit(Entry(key, partition, version, sealed.nbytes, took, time.time(), sealed, on_disk=True))
        return sealed

    def _admit(self, entry: Entry) -> None:
        slot = (entry.key, entry.partition)
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
            entry = self._entries.get((key, partition))
            if entry is not None:
                entry.rank = self._rank(entry)
        if entry is not None:
            return entry.sealed.open()
        version = self.current(key, partition) if isinstance(key, AssetKey) else None
        if version is None or not isinstance(key, AssetKey):
            raise KeyError(key)
        return self._recall(key, partition, version).open()

    def has(self, key: Hashable, partition: str | None = None, version: str | None = None) -> bool:
        """Tell whether a value is kept, in memory or in a file, and of this version if one is given."""
        entry = self._entries.get((key, partition))
        if entry is not None and (version is None or entry.version == version) and entry.sealed.is_there:
            return True
        if self.disk is None or not isinstance(key, AssetKey):
            return False
        wanted = version if version is not None else self.current(key, partition)
        return wanted is not None and self.disk.has(key, partition, wanted)

    def has_each(self, key: AssetKey) -> Callable[[str, str], bool]:
        """Return what tells whether a partition of an asset is kept in a version; for many of them, quickly."""
        entries = self._entries
        on_disk = self.disk.has_each(key) if self.disk is not None else None

        def has(partition: str, version: str) -> bool:
            entry = entries.get((key, partition))
            return (entry is not None and entry.version == version) or (
                on_disk is not None and on_disk(partition, version)
            )

        return has

    def entry(self, key: Hashable, partition: str | None = None) -> Entry | None:
        """Return what is in memory of a value, without opening it."""
        return self._entries.get((key, partition))

    def drop(self, key: Hashable, partition: str | None = None) -> None:
        """Let go of a value, or of all partitions of an asset, on disk too; pins don't hold it."""
        with self._lock:
            slots = [slot for slot in self._entries if slot[0] == key and partition in (None, slot[1])]
            dropped = [self._remove(slot) for slot in slots]
        del dropped
        if self.disk is not None and isinstance(key, AssetKey):
            self.disk.drop(key, partition)

    def clear(self) -> None:
        """Let go of every value in memory; pins and listeners stay."""
        with self._lock:
            dropped, self._entries, self._queue, self._total = self._entries, {}, [], 0
        del dropped

    def entries(self) -> list[Entry]:
        """Return what is in memory, the least worth keeping first."""
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

    def pin(self, key: Hashable, owner: Hashable, *, loosely: bool = False) -> None:
        """Keep every partition of an asset until ``owner`` (a run, a widget) unpins it; it needn't be there yet.

        Args:
            key: of an asset, or asset and partition to keep only that one.
            loosely: what a file has may go all the same: the owner can have it loaded again.
        """
        with self._lock:
            if loosely:
                self._loose.add(owner)
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
            self._loose.discard(owner)
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
        self._rooms += 1
        if self._rooms > len(self._entries):  # exact again after an interrupt in between; not for each of thousands
            self._total, self._rooms = sum(entry.bytes for entry in self._entries.values()), 0
        aside = spared.bytes if spared is not None and spared.bytes > self._limit else 0
        evicted: list[Entry] = []
        kept: list[Entry] = []
        while self._total - aside > self._limit and self._queue:
            rank, serial, slot = heapq.heappop(self._queue)
            entry = self._entries.get(slot)
            if entry is None or entry.serial != serial:
                continue
            if entry is spared or self._is_held(entry):
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

    def _is_held(self, entry: Entry) -> bool:
        """Tell whether pins hold a value: those that are loose only as long as no file has it."""
        owners = {*self._pins.get(entry.key, ()), *self._pins.get((entry.key, entry.partition), ())}
        if not owners:
            return False
        if not entry.on_disk or self.disk is None or not owners <= self._loose:
            return True
        return not (isinstance(entry.key, AssetKey) and self.disk.has(entry.key, entry.partition, entry.version or ""))

    def _tell(self, evicted: Iterable[Entry]) -> None:
        for entry in evicted:
            for listener in list(self.on_evict):
                listener(entry.key, entry.partition)


def slot_key(context: Any) -> Hashable:
    key: Hashable = context.asset_key if context.has_asset_key else identifier(context)
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
