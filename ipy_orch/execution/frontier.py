"""The order in which steps run, as a pure state machine.

A frontier knows which step comes after which and where each one stands. It starts nothing, waits for nothing and looks
at no clock: whoever drives it takes steps, runs them, and says how they went. So it is tested without threads, and the
same rules hold for every executor.

States
------

::

                       take                done
     waiting ----> ready ----> running ----------> done
        |  ^                    |  |  |-- fail --> failed
        |  '------ retry -------'  |  '-- leave -> left
        |                          '----- skip --> skipped
        |
        |-- something before it failed or was skipped --> skipped
        '-- cancel, also when it was ready -------------> cancelled

``waiting``
    Something before it isn't done, or it is to be tried again and its time hasn't come.
``ready``
    All before it is done. ``take`` hands it out.
``running``
    Handed out. It leaves this state only by ``done``, ``fail``, ``skip`` or ``retry``; ``cancel`` leaves it alone,
    because a function that runs can't be unrun.
``left``
    Didn't run after all, because an output before it was left out. What waits for it goes on and sees for itself.
``done``, ``left``, ``failed``, ``skipped``, ``cancelled``
    Final. The frontier is finished when every step is in one of these.

Inside
------

A step is known by its rank, its place in the order of preference: the mapping's own, or by priority. For each rank:

``_needs``    the ranks before it.
``_feeds``    the ranks after it, the same edges turned round.
``_missing``  how many of those before it aren't done. At zero the step goes from waiting to ready.
``_state``    the state.

``_ready`` is a heap of ranks, so the order of taking is the order of preference and the same in every run. ``_retries``
is a heap of (time, rank). Each edge is walked once when a step is done and at most once when steps are skipped: all in
all O(V + E), plus the heap's logarithm. Nothing recurses, so a chain may have any length.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable, Mapping, Sequence
from heapq import heapify, heappop, heappush
from typing import Final, Generic, Literal, TypeAlias, TypeVar

from ipy_orch.errors import DagsterInvalidDefinitionError, DagsterInvariantViolationError, closest

__all__ = ["Frontier", "State"]

State: TypeAlias = Literal["waiting", "ready", "running", "done", "left", "failed", "skipped", "cancelled"]

FINAL: Final[frozenset[State]] = frozenset({"done", "left", "failed", "skipped", "cancelled"})
PASSED: Final[frozenset[State]] = frozenset({"done", "left"})
SHOWN: Final = 12  # steps of a cycle that a message names

K = TypeVar("K")


class Frontier(Generic[K]):
    """Tell which steps may run now.

    Args:
        after: step -> the steps that come before it; all of them are keys too.
        priority: step -> number; among ready steps the higher goes first. The order of ``after`` settles the rest.

    Raises:
        DagsterInvalidDefinitionError: when steps wait for each other, or for one that isn't there.

    >>> frontier = Frontier({"raw": [], "orders": ["raw"], "report": ["orders"]})
    >>> frontier.take()
    ['raw']
    >>> frontier.done("raw")
    >>> frontier.take()
    ['orders']
    >>> frontier.fail("orders")
    ['report']
    >>> frontier.finished
    True
    """

    def __init__(self, after: Mapping[K, Collection[K]], priority: Mapping[K, float] | None = None) -> None:
        order = sorted(after, key=lambda key: -priority.get(key, 0)) if priority else after
        self._keys: list[K] = list(order)
        self._rank: dict[K, int] = {key: rank for rank, key in enumerate(self._keys)}
        self._needs: list[tuple[int, ...]] = [ranks(key, after[key], self._rank) for key in self._keys]
        refuse_cycle(self._needs, self._keys)
        self._feeds: list[list[int]] = turned(self._needs)
        self._missing: list[int] = [len(needs) for needs in self._needs]
        self._state: list[State] = ["waiting" if missing else "ready" for missing in self._missing]
        self._ready: list[int] = [rank for rank, missing in enumerate(self._missing) if not missing]
        self._running: dict[int, None] = {}
        self._retries: list[tuple[float, int]] = []
        self._culprit: dict[int, int] = {}
        self._open = len(self._keys)
        self._cancelled = False

    # -- what may run

    def take(self, limit: int | None = None, now: float = 0.0) -> list[K]:
        """Hand out ready steps, in the order of preference; they are running from here on.

        Args:
            limit: at most so many; None for all.
            now: the time, in the seconds of ``retry``.
        """
        if self._retries:
            self._wake(now)
        ready, states, keys = self._ready, self._state, self._keys
        if limit is None or limit >= len(ready):
            taken = sorted(ready)
            ready.clear()
        else:
            taken = [heappop(ready) for _ in range(max(limit, 0))]
        for rank in taken:
            states[rank] = "running"
            self._running[rank] = None
        return [keys[rank] for rank in taken]

    def next_retry(self) -> float | None:
        """Return the time at which the next step that waits to be tried again may be taken, or None."""
        return self._retries[0][0] if self._retries else None

    def _wake(self, now: float) -> None:
        while self._retries and self._retries[0][0] <= now:
            _, rank = heappop(self._retries)
            self._state[rank] = "ready"
            heappush(self._ready, rank)

    # -- how it went

    def done(self, key: K) -> None:
        """Record that a running step is done; what waited for it alone is ready.

        Raises:
            DagsterInvariantViolationError: when it isn't running.
        """
        rank = self._leave_running(key)
        self._state[rank] = "done"
        self._open -= 1
        missing, states = self._missing, self._state
        for below in self._feeds[rank]:
            missing[below] -= 1
            if not missing[below] and states[below] == "waiting":
                states[below] = "ready"
                heappush(self._ready, below)

    def leave(self, key: K) -> None:
        """Record that a running step isn't run after all; what waited for it alone is ready.

        Raises:
            DagsterInvariantViolationError: when it isn't running.
        """
        self.done(key)
        self._state[self._rank[key]] = "left"

    def fail(self, key: K) -> list[K]:
        """Record that a running step failed, and return the steps that are skipped because of it.

        Raises:
            DagsterInvariantViolationError: when it isn't running.
        """
        rank = self._leave_running(key)
        self._state[rank] = "failed"
        self._open -= 1
        return self._skip_below(rank, culprit=rank)

    def skip(self, key: K, because: K | None = None) -> list[K]:
        """Record that a step isn't going to be done, and return those downstream that are skipped with it.

        A step that was skipped or cancelled before stays as it is.

        Args:
            key: a step that is waiting, ready or running.
            because: the step to blame; by default ``key`` itself is to blame for those downstream.

        Raises:
            DagsterInvariantViolationError: when it is done or failed.
        """
        rank = self._known(key)
        if self._state[rank] in ("skipped", "cancelled"):
            return []
        if self._state[rank] in FINAL:
            raise DagsterInvariantViolationError(
                f"the step `{key}` is {self._state[rank]}: it can't be skipped any more"
            )
        self._withdraw(rank)
        self._state[rank] = "skipped"
        self._open -= 1
        if because is not None:
            self._culprit[rank] = self._known(because)
        return self._skip_below(rank, culprit=self._culprit.get(rank, rank))

    def retry(self, key: K, at: float) -> None:
        """Record that a running step is to be tried again, not before the time ``at``; never, when cancelled.

        Raises:
            DagsterInvariantViolationError: when it isn't running.
        """
        rank = self._leave_running(key)
        if self._cancelled:
            self._state[rank] = "cancelled"
            self._open -= 1
        else:
            self._state[rank] = "waiting"
            heappush(self._retries, (at, rank))

    def cancel(self) -> list[K]:
        """Cancel every step that isn't running or final, for good, and return them."""
        self._cancelled = True
        stopped = [rank for rank, state in enumerate(self._state) if state in ("waiting", "ready")]
        for rank in stopped:
            self._state[rank] = "cancelled"
        self._open -= len(stopped)
        self._ready.clear()
        self._retries.clear()
        return [self._keys[rank] for rank in stopped]

    def expand(self, key: K, new: Mapping[K, Collection[K]], gather: Mapping[K, Collection[K]] | None = None) -> None:
        """Add steps that a running step turns out to need, as dynamic outputs do.

        Nothing changes when an error is raised.

        Args:
            key: a running step; every new step comes after it.
            new: new step -> the steps before it, new ones or old.
            gather: waiting step -> the new steps that it must wait for as well.

        Raises:
            DagsterInvalidDefinitionError: when a new step is there already, or steps would wait for each other.
            DagsterInvariantViolationError: when ``key`` isn't running, or a gathering step isn't waiting.
        """
        parent = self._expect(key, "running")
        keys, ranked = self._with_new(new)
        needs = [*self._needs, *(tuple({parent, *ranks(one, new[one], ranked)}) for one in new)]
        gathered = {self._expect_gathering(one): ranks(one, more, ranked) for one, more in (gather or {}).items()}
        for rank, more in gathered.items():
            needs[rank] = tuple({*needs[rank], *more})
        refuse_cycle(needs, keys)
        first = len(self._keys)
        self._keys, self._rank, self._needs, self._feeds = keys, ranked, needs, turned(needs)
        self._open += len(new)
        self._state += ["cancelled" if self._cancelled else "waiting"] * len(new)
        self._missing += [0] * len(new)
        if self._cancelled:
            self._open -= len(new)
        self._settle([*gathered, *range(first, len(keys))])

    def _with_new(self, new: Iterable[K]) -> tuple[list[K], dict[K, int]]:
        keys, ranked = list(self._keys), dict(self._rank)
        for one in new:
            if one in ranked:
                raise DagsterInvalidDefinitionError(f"the step `{one}` is there already")
            ranked[one] = len(keys)
            keys.append(one)
        return keys, ranked

    def _settle(self, changed: Iterable[int]) -> None:
        """Bring steps whose needs changed into the state that these needs imply."""
        lost: dict[int, int] = {}
        for rank in changed:
            self._missing[rank] = sum(self._state[need] not in PASSED for need in self._needs[rank])
            for need in self._needs[rank]:
                if self._state[need] in ("failed", "skipped"):
                    lost.setdefault(rank, self._culprit.get(need, need))
        for rank, culprit in lost.items():
            if self._state[rank] == "waiting":
                self.skip(self._keys[rank], because=self._keys[culprit])

    # -- where things stand

    @property
    def finished(self) -> bool:
        """Tell whether every step is in a final state."""
        return not self._open

    @property
    def waiting(self) -> list[K]:
        """Return the waiting steps, in the order of preference."""
        return [self._keys[rank] for rank, state in enumerate(self._state) if state == "waiting"]

    @property
    def ready(self) -> list[K]:
        """Return the ready steps, in the order of preference."""
        return [self._keys[rank] for rank in sorted(self._ready)]

    @property
    def running(self) -> list[K]:
        """Return the running steps, in the order in which they were taken."""
        return [self._keys[rank] for rank in self._running]

    def state(self, key: K) -> State:
        """Return where a step stands."""
        return self._state[self._known(key)]

    def culprit(self, key: K) -> K | None:
        """Return the step because of which a step was skipped, or None."""
        culprit = self._culprit.get(self._known(key))
        return None if culprit is None else self._keys[culprit]

    def __repr__(self) -> str:
        counts = {state: self._state.count(state) for state in dict.fromkeys(self._state)}
        return f"Frontier({', '.join(f'{many} {state}' for state, many in counts.items())})"

    # -- steps on their way

    def _known(self, key: K) -> int:
        try:
            return self._rank[key]
        except KeyError:
            hint = closest(str(key), map(str, self._keys))
            raise DagsterInvariantViolationError(f"there is no step `{key}`", hint=hint) from None

    def _expect(self, key: K, state: State) -> int:
        rank = self._known(key)
        if self._state[rank] != state:
            raise DagsterInvariantViolationError(f"the step `{key}` is {self._state[rank]}, not {state}")
        return rank

    def _expect_gathering(self, key: K) -> int:
        rank = self._expect(key, "waiting")
        if not self._missing[rank]:
            raise DagsterInvariantViolationError(f"the step `{key}` waits to be tried again: it has what it gathers")
        return rank

    def _leave_running(self, key: K) -> int:
        rank = self._expect(key, "running")
        del self._running[rank]
        return rank

    def _withdraw(self, rank: int) -> None:
        """Take a step out of whatever it stands in."""
        self._running.pop(rank, None)
        if self._state[rank] == "ready":
            self._ready.remove(rank)
            heapify(self._ready)
        elif any(waiting == rank for _, waiting in self._retries):
            self._retries = [(at, waiting) for at, waiting in self._retries if waiting != rank]
            heapify(self._retries)

    def _skip_below(self, rank: int, culprit: int) -> list[K]:
        """Skip what waits for a step, and what waits for that, and return it in the order of preference."""
        skipped: list[int] = []
        queue = deque([rank])
        while queue:
            for below in self._feeds[queue.popleft()]:
                if self._state[below] == "waiting":
                    self._state[below] = "skipped"
                    self._culprit[below] = culprit
                    skipped.append(below)
                    queue.append(below)
        self._open -= len(skipped)
        return [self._keys[below] for below in sorted(skipped)]


def ranks(key: K, before: Iterable[K], rank: Mapping[K, int]) -> tuple[int, ...]:
    """Return the ranks of the steps before ``key``, each once.

    Raises:
        DagsterInvalidDefinitionError: when one of them isn't there.
    """
    try:
        return tuple({rank[one]: None for one in before})
    except KeyError as error:
        missing = error.args[0]
        raise DagsterInvalidDefinitionError(
            f"the step `{key}` comes after `{missing}`, which isn't there", hint=closest(str(missing), map(str, rank))
        ) from None


def turned(needs: Sequence[tuple[int, ...]]) -> list[list[int]]:
    """Return for each rank the ranks after it."""
    feeds: list[list[int]] = [[] for _ in needs]
    for rank, before in enumerate(needs):
        for one in before:
            feeds[one].append(rank)
    return feeds


def refuse_cycle(needs: Sequence[tuple[int, ...]], keys: Sequence[object]) -> None:
    """Do nothing when the steps can be put in order (Kahn's algorithm).

    Raises:
        DagsterInvalidDefinitionError: when they can't, with the steps of one cycle.
    """
    feeds, missing = turned(needs), [len(before) for before in needs]
    free = [rank for rank, many in enumerate(missing) if not many]
    for rank in free:  # grows while it is read
        for below in feeds[rank]:
            missing[below] -= 1
            if not missing[below]:
                free.append(below)
    if len(free) < len(keys):
        raise DagsterInvalidDefinitionError(
            f"steps wait for each other: {way_round(needs, missing, keys)}", hint="remove one of these dependencies"
        )


def way_round(needs: Sequence[tuple[int, ...]], missing: Sequence[int], keys: Sequence[object]) -> str:
    """Return the steps of one cycle in the order in which they would run.

    Every step that Kahn's algorithm leaves over has another such step before it, so walking back must come round.
    """
    rank = next(rank for rank, many in enumerate(missing) if many)
    seen: dict[int, int] = {}
    path: list[int] = []
    while rank not in seen:
        seen[rank] = len(path)
        path.append(rank)
        rank = next(one for one in needs[rank] if missing[one])
    cycle = path[seen[rank] :][::-1]
    start = cycle.index(min(cycle))
    names = [f"`{keys[one]}`" for one in (*cycle[start:], *cycle[: start + 1])]
    if len(names) > SHOWN:
        names[SHOWN // 2 : -SHOWN // 2] = [f"… {len(names) - SHOWN} more …"]
    return " → ".join(names)
