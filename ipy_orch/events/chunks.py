"""What a step printed and displayed, in chunks, as events hold it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypeAlias

from ipy_orch.model.wire import Wired

__all__ = ["Chunk", "Kind"]

Kind: TypeAlias = Literal["stdout", "stderr", "display", "warning", "log"]


@dataclass(frozen=True)
class Chunk:
    """Be one stretch of a step's output.

    Args:
        kind: ``stdout``, ``stderr``, ``display``, ``warning`` or ``log``. A notebook shows the first four, and the log
            records of ``context.log``; others are shown by whatever handler prints them.
        text: what was written; of a warning and a record, the message.
        data: of a display, MIME type -> content; of a warning and a record, the details.
        metadata: of a display, as it came; ``dropped`` where output was left out.
    """

    kind: Kind
    text: str = ""
    data: Annotated[Mapping[str, Any] | None, Wired] = None
    metadata: Annotated[Mapping[str, Any] | None, Wired] = None

    @property
    def size(self) -> int:
        """Return the characters of text and the bytes or characters of data."""
        contents = (self.data or {}).values()
        return len(self.text) + sum(len(one) if isinstance(one, str | bytes) else len(repr(one)) for one in contents)
