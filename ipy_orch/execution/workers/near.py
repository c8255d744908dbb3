"""Steps on a dask cluster, beside the values that they read: what is large stays with the worker that made it.

    worker A: run_near --> Kept(what came of it, the value) --told--> kernel: outcome, with an Afar for the value
    worker B: run_near(input=Kept) <-- dask carries it from A to B, and not at all where B is A

On the worker, too, a value is sealed when it is kept and opened for each reader.
"""

from __future__ import annotations

import pickle
from concurrent.futures import Future
from dataclasses import replace
from typing import Any, Final

from ipy_orch.execution.isolation.sealing import Sealed, seal
from ipy_orch.execution.sizes import nbytes, shape
from ipy_orch.execution.step import Outcome, Work
from ipy_orch.execution.workers.afar import Afar
from ipy_orch.execution.workers.away import Away, carried_out, sent

__all__ = ["Near"]

LEAST: Final = 1 << 20  # bytes; what is smaller comes along with what is told of it


class Near(Away):
    """Run steps on a dask cluster, next to the values that they read.

    Args:
        client: a ``distributed.Client``.
        more: as for :class:`Away`.
    """

    def __init__(self, client: Any, **more: Any) -> None:
        super().__init__(client.get_executor(pure=False), **more)
        self.client = client
        self.tasks: dict[str, tuple[Any, Any]] = {}  #: of the calls that aren't over

    def has(self, value: Afar) -> bool:
        """Tell whether a value is on this cluster, so that its steps can be given it there."""
        return value.future.client is self.client

    def send(self, token: str, packed: bytes, work: Work, future: Future[Any]) -> None:
        """Submit a parcel as a task that depends on the values it reads on the cluster."""
        afar = {name: value for name, value in work.arguments.items() if isinstance(value, Afar)}
        inputs = {f"input_{name}": value.future for name, value in afar.items()}
        try:
            kept = self.client.submit(run_near, packed, stays=work.stays, pure=False, **inputs)
            light = self.client.submit(told, kept, pure=False)
        except Exception as error:
            self.finish(token, future, error=error)
            return
        self.tasks[token] = kept, light
        light.add_done_callback(lambda done: self.receive(Here(done, kept, self.client), token, packed, work, future))

    def finish(self, token: str, *args: Any, **kwargs: Any) -> None:
        """Say that a call is over."""
        self.tasks.pop(token, None)
        super().finish(token, *args, **kwargs)

    def withdraw(self) -> None:
        """Have what waits on the cluster not begin."""
        self.client.cancel([one for pair in [*self.tasks.values()] for one in pair])

    def packed(self, work: Work, token: str) -> bytes:
        """Return a parcel without the values that the cluster has."""
        here = {name: value for name, value in work.arguments.items() if not isinstance(value, Afar)}
        return super().packed(replace(work, arguments=here), token)


class Here(Future[Any]):
    """Be what a worker tells of a step, with the value that it keeps in the place of its size and shape."""

    def __init__(self, light: Any, kept: Any, client: Any) -> None:
        self.light, self.kept, self.client = light, kept, client

    def result(self, timeout: float | None = None) -> Any:
        """Return the outcome, as bytes where nothing stayed there."""
        packed, facts = self.light.result(timeout)
        if facts is None:
            return packed
        outcome: Outcome = pickle.loads(packed)
        outcome.produced = (Afar(self.kept, self.fetch, *facts),)
        return outcome

    def fetch(self) -> Any:
        """Return a copy of the value that stayed there."""
        return self.client.submit(value_of, self.kept, pure=False).result()


# -- on the worker -----------------------------------------------------------------------------------------------------


class Kept:
    """Be what came of a step: its outcome as bytes, and the value that stays."""

    def __init__(self, packed: bytes, sealed: Sealed | None) -> None:
        self.packed, self.sealed = packed, sealed

    def __reduce__(self) -> tuple[Any, ...]:
        return kept_again, (self.packed, None if self.sealed is None else (self.sealed.private,))

    def __sizeof__(self) -> int:
        return len(self.packed) + (0 if self.sealed is None else self.sealed.nbytes)


def kept_again(packed: bytes, value: tuple[Any] | None) -> Kept:
    """Return what another worker had."""
    return Kept(packed, None if value is None else seal(value[0]))


def run_near(packed: bytes, *, stays: bool, **inputs: Kept) -> Kept:
    """Run a step, with inputs that the cluster has."""
    here = {name.removeprefix("input_"): value_of(kept) for name, kept in inputs.items()}
    outcome, name = carried_out(packed, here)
    value = outcome.produced[0] if stays and outcome.error is None and len(outcome.produced) == 1 else None
    if value is None or outcome.yielded or nbytes(value) < LEAST:
        return Kept(sent(outcome, name), None)
    outcome.produced = ()
    return Kept(sent(outcome, name), seal(value, name))


def told(kept: Kept) -> tuple[bytes, tuple[int, tuple[int, ...] | None] | None]:
    """Return what is told of a step, with size and shape of the value that stays."""
    if kept.sealed is None:
        return kept.packed, None
    return kept.packed, (kept.sealed.nbytes, shape(kept.sealed.private))


def value_of(kept: Kept) -> Any:
    """Return the value that a step made, a reader's own."""
    return kept.sealed.open() if kept.sealed is not None else None
