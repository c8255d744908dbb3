"""No secret in what is kept of a step: its output, its errors, its metadata."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from ipy_orch.execution.capture import Chunk
from ipy_orch.model.env import SECRETS, redact

__all__ = ["redacted"]


def redacted(chunks: Iterable[Chunk]) -> tuple[Chunk, ...]:
    """Return a step's output without the value of any secret: in text, in displays, in their metadata.

    >>> redacted([Chunk("stdout", "hello")])
    (Chunk(kind='stdout', text='hello', data=None, metadata=None),)
    """
    if SECRETS.pattern is None:
        return tuple(chunks)
    return tuple(
        replace(
            chunk,
            text=redact(chunk.text),
            data=SECRETS.redact_all(chunk.data),
            metadata=SECRETS.redact_all(chunk.metadata),
        )
        for chunk in chunks
    )
