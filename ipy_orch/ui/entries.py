"""Metadata and output of steps as plain text, tables and images: nothing of it can be active in a browser."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, Literal, TypeAlias
from urllib.parse import urlsplit

from ipy_orch.execution.capture import Chunk
from ipy_orch.model.metadata.plain import metadata_or_text
from ipy_orch.model.metadata.scalars import FloatMetadataValue, IntMetadataValue, JsonMetadataValue, UrlMetadataValue
from ipy_orch.model.metadata.tables import (
    TableColumnLineageMetadataValue,
    TableMetadataValue,
    TableSchemaMetadataValue,
)
from ipy_orch.model.metadata.value import MetadataValue
from ipy_orch.session.words import lineage_lines, metadata_shown
from ipy_orch.ui.preview import scalar
from ipy_orch.ui.protocol import Entry, OutputChunk

__all__ = ["Image", "chunks_of", "entries_of", "image_in", "link", "number_of"]

Image: TypeAlias = tuple[Literal["image/png", "image/jpeg", "image/svg+xml"], str]

LONGEST: Final = 20_000
MOST_ROWS: Final = 200
MOST_CHUNKS: Final = 500
MOST_IMAGE: Final = 8_000_000  # characters of base64
IMAGES: Final[tuple[Literal["image/png", "image/jpeg", "image/svg+xml"], ...]] = (
    "image/png",
    "image/jpeg",
    "image/svg+xml",
)


def entries_of(metadata: Mapping[str, Any]) -> list[Entry]:
    """Return metadata for people."""
    return [entry_of(str(name), value) for name, value in metadata.items() if not str(name).startswith("ipy_orch/")]


def entry_of(name: str, value: Any) -> Entry:
    """Return one entry of metadata."""
    made = value if isinstance(value, MetadataValue) else metadata_or_text(value)
    if isinstance(made, TableMetadataValue):
        columns = [column.name for column in made.schema.columns] if made.schema is not None else []
        rows = [[scalar(record.data.get(column)) for column in columns] for record in made.records[:MOST_ROWS]]
        return Entry(name=name, type=made.kind, columns=columns, rows=rows)
    if isinstance(made, TableSchemaMetadataValue):
        described = [[column.name, column.type, column.description] for column in made.schema.columns]
        return Entry(name=name, type=made.kind, columns=["column", "type", "description"], rows=described)
    if isinstance(made, TableColumnLineageMetadataValue):
        traced = [[*pair] for pair in lineage_lines(made.lineage)]
        return Entry(name=name, type=made.kind, columns=["column", "from"], rows=traced)
    href = link(made.value) if isinstance(made, UrlMetadataValue) else ""
    return Entry(name=name, type=made.kind, text=cut(text_of(made)), href=href)


def text_of(value: MetadataValue) -> str:
    """Return a value of metadata as text."""
    if isinstance(value, JsonMetadataValue):
        return json.dumps(value.value, indent=2, ensure_ascii=False, default=str)
    inside = metadata_shown(value)
    return "" if inside is None else str(inside)


def number_of(value: Any) -> float | None:
    """Return metadata that is a number, or None."""
    if not isinstance(value, IntMetadataValue | FloatMetadataValue) or value.value is None:
        return None
    number = scalar(float(value.value))
    return number if isinstance(number, float) else None


def link(url: Any) -> str:
    """Return an address that may be a link, else "".

    >>> link("https://example.org/a"), link("javascript:alert(1)"), link(" JavaScript:x")
    ('https://example.org/a', '', '')
    """
    text = str(url or "").strip()
    try:
        parts = urlsplit(text)
    except ValueError:
        return ""
    return text if parts.scheme in ("http", "https") and parts.netloc and text.isprintable() else ""


def cut(text: str, longest: int = LONGEST) -> str:
    """Return a text, its end left out where it's too long."""
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


# -- output -----------------------------------------------------------------------------------------------------------


def chunks_of(output: Iterable[Chunk]) -> list[OutputChunk]:
    """Return what a step printed and displayed; of very much, the end."""
    return [chunk_of(chunk) for chunk in [*output][-MOST_CHUNKS:]]


def chunk_of(chunk: Chunk) -> OutputChunk:
    """Return one stretch of output."""
    details = chunk.data or {}
    if chunk.kind == "display":
        image = image_in(details)
        if image is not None:
            return OutputChunk(kind="display", mime=image[0], data=image[1])
        return OutputChunk(kind="display", text=cut(joined(details.get("text/plain", ""))))
    return OutputChunk(kind=chunk.kind, text=tail(chunk.text), level=str(details.get("level", "")))


def tail(text: str) -> str:
    """Return the end of a text, where what went wrong stands."""
    return text if len(text) <= LONGEST else f"…{text[-LONGEST + 1 :]}"


def image_in(data: Mapping[str, Any]) -> Image | None:
    """Return the image in a display, as base64; it is for an <img>, where no script of it runs."""
    return next(images_in(data), None)


def images_in(data: Mapping[str, Any]) -> Iterator[Image]:
    """Yield the images in a display."""
    for mime in IMAGES:
        content = data.get(mime)
        if isinstance(content, bytes):
            content = base64.b64encode(content).decode()
        elif content and mime == "image/svg+xml":
            content = base64.b64encode(joined(content).encode()).decode()
        text = joined(content or "").replace("\n", "")
        if text and len(text) <= MOST_IMAGE:
            yield mime, text


def joined(content: Any) -> str:
    """Return a display's content as one text, which may be a list of lines."""
    return content if isinstance(content, str) else "".join(map(str, content)) if isinstance(content, list) else ""
