"""Events as lines of JSON and back, through pydantic: ``["materialized",{"run_id":...}]``, the kind first.

A line holds no secret that this process knows of, and no more of a step's output than is worth keeping.
"""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache
from typing import Any, Final, get_args

from ipy_orch.events.chunks import Chunk
from ipy_orch.events.types import Checked, Event, Logged, Materialized, StepFailed
from ipy_orch.model.env import SECRETS
from ipy_orch.model.wire import printable

__all__ = ["decoded", "encoded"]

MOST_OUTPUT: Final = 2_000_000  # characters of a step's output, and bytes of its displays
LEFT_OUT: Final = "\n… too long to be kept: what followed is left out here …\n"


@cache
def adapters() -> dict[str, Any]:
    """Return what writes and reads the events of each kind."""
    from pydantic import ConfigDict, TypeAdapter

    config = ConfigDict(ser_json_inf_nan="constants")
    pairs: dict[str, Any] = {one.kind: tuple.__class_getitem__((str, one)) for one in get_args(Event)}
    return {kind: TypeAdapter(pair, config=config) for kind, pair in pairs.items()}


def encoded(event: Event) -> bytes:
    """Return an event as one line.

    Raises:
        ValueError: when JSON can't hold it.
    """
    line = written(shortened(event))
    pattern = SECRETS.pattern
    if pattern is not None and pattern.search(line.decode("utf-8")):
        line = written(SECRETS.redact_all(shortened(event)))
    return line + b"\n"


def written(event: Event) -> bytes:
    """Return an event as JSON; lone surrogates in its texts become escapes."""
    adapter, pair = adapters()[event.kind], (event.kind, event)
    try:
        line: bytes = adapter.dump_json(pair, warnings=False, fallback=plain)
    except (UnicodeEncodeError, ValueError):
        data = printable(adapter.dump_python(pair, mode="json", warnings=False, fallback=plain))
        line = json.dumps(data, separators=(",", ":")).encode("ascii")
    return line


def plain(value: Any) -> Any:
    """Return a number of numpy's as Python's, anything else as text."""
    return value.item() if hasattr(value, "item") else str(value)


def decoded(line: bytes) -> Event | None:
    """Return the event of a line, None for what isn't one, or is of a kind that isn't known here.

    >>> decoded(b'["run started",{"run_id":"1","at":2.0}]').at
    2.0
    >>> decoded(b'["run star') is None
    True
    """
    end = line.find(b'"', 2)
    adapter = adapters().get(line[2:end].decode("utf-8", "replace")) if line.startswith(b'["') and end > 0 else None
    if adapter is None:
        return None
    try:
        event: Event = adapter.validate_json(line)[1]
    except Exception:  # noqa: BLE001 - whatever somebody's file makes a constructor raise
        return None
    return event


def shortened(event: Event) -> Event:
    """Return an event with as much of its output as is kept."""
    if isinstance(event, Logged):
        if len(event.text) <= MOST_OUTPUT:
            return event
        return replace(event, text=event.text[:MOST_OUTPUT] + LEFT_OUT)
    if not isinstance(event, (Materialized, Checked, StepFailed)) or not event.output:
        return event
    if sum(chunk.size for chunk in event.output) <= MOST_OUTPUT:
        return event
    return replace(event, output=first_of(event.output))


def first_of(chunks: tuple[Chunk, ...]) -> tuple[Chunk, ...]:
    """Return the first chunks of an output, and one that says that others followed."""
    room, kept = MOST_OUTPUT, list[Chunk]()
    for chunk in chunks:
        if chunk.size > room:
            kept += [replace(chunk, text=chunk.text[:room])] if not chunk.data else []
            break
        kept.append(chunk)
        room -= chunk.size
    return (*kept, Chunk("stderr", LEFT_OUT))
