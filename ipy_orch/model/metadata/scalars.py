"""Metadata that holds a plain value: a text, a link, a path, JSON, a number, a moment, nothing."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ipy_orch.model.metadata.value import DagsterInvalidMetadata, MetadataValue, optional
from ipy_orch.model.tables import typed

__all__ = [
    "BoolMetadataValue",
    "CodeLocationReconstructionMetadataValue",
    "FloatMetadataValue",
    "IntMetadataValue",
    "JsonMetadataValue",
    "MarkdownMetadataValue",
    "NotebookMetadataValue",
    "NullMetadataValue",
    "PathMetadataValue",
    "TextMetadataValue",
    "TimestampMetadataValue",
    "UrlMetadataValue",
]

# `field()` without arguments: else a field inherits as its default the constructor that has its name.


@dataclass(frozen=True, repr=False)
class TextMetadataValue(MetadataValue, kind="text"):
    """Hold a short text."""

    text: str | None = field(default="")  # type: ignore[assignment]  # Dagster's field has the constructor's name

    def __post_init__(self) -> None:
        optional(self.text, str, "text")

    @property
    def value(self) -> str | None:
        """Return the text."""
        return self.text


@dataclass(frozen=True, repr=False)
class UrlMetadataValue(MetadataValue, kind="url"):
    """Hold a link."""

    url: str | None = field(default="")  # type: ignore[assignment]

    def __post_init__(self) -> None:
        optional(self.url, str, "url")

    @property
    def value(self) -> str | None:
        """Return the address."""
        return self.url


@dataclass(frozen=True, repr=False, init=False)
class PathMetadataValue(MetadataValue, kind="path"):
    """Hold a path of the file system."""

    fspath: str

    def __init__(self, path: str | os.PathLike[str] | None = "") -> None:
        given = typed(path if path is not None else "", (str, os.PathLike), "path")
        object.__setattr__(self, "fspath", os.fspath(given))

    @property
    def value(self) -> str:
        """Return the path as a string."""
        return self.fspath

    @property
    def path(self) -> str:  # type: ignore[override]
        """Return the path as a string, under Dagster's other name."""
        return self.fspath

    @classmethod
    def _from_payload(cls, payload: dict[str, Any]) -> PathMetadataValue:
        return cls(payload["fspath"])


@dataclass(frozen=True, repr=False, init=False)
class NotebookMetadataValue(PathMetadataValue, kind="notebook"):
    """Hold the path of a notebook."""


@dataclass(frozen=True, repr=False)
class JsonMetadataValue(MetadataValue, kind="json"):
    """Hold what JSON can; tuples become lists, keys strings and enums their values.

    Raises:
        DagsterInvalidMetadata: when JSON can't hold it.
    """

    data: Any

    def __post_init__(self) -> None:
        if self.data is not None:
            typed(self.data, (Mapping, Sequence), "data")
        try:
            data = json.loads(json.dumps(self.data))
        except (TypeError, ValueError, RecursionError) as error:
            raise DagsterInvalidMetadata(f"JSON can't hold this value: {error}") from error
        object.__setattr__(self, "data", data)

    @property
    def value(self) -> Any:
        """Return the data."""
        return self.data


@dataclass(frozen=True, repr=False)
class MarkdownMetadataValue(MetadataValue, kind="md"):
    """Hold Markdown."""

    md_str: str | None = ""

    def __post_init__(self) -> None:
        optional(self.md_str, str, "md_str")

    @property
    def value(self) -> str | None:
        """Return the Markdown."""
        return self.md_str


@dataclass(frozen=True, repr=False)
class FloatMetadataValue(MetadataValue, kind="float"):
    """Hold a float."""

    value: float | None = field()

    def __post_init__(self) -> None:
        optional(self.value, float, "value")

    def _payload(self) -> dict[str, Any]:
        # JSON has no nan and no inf: they travel as words that `float` reads.
        finite = self.value is None or math.isfinite(self.value)
        return {"value": self.value if finite else str(self.value)}

    @classmethod
    def _from_payload(cls, payload: dict[str, Any]) -> FloatMetadataValue:
        value = payload["value"]
        return cls(None if value is None else float(value))


@dataclass(frozen=True, repr=False)
class IntMetadataValue(MetadataValue, kind="int"):
    """Hold an int."""

    value: int | None = field()

    def __post_init__(self) -> None:
        optional(self.value, int, "value")


@dataclass(frozen=True, repr=False)
class BoolMetadataValue(MetadataValue, kind="bool"):
    """Hold a bool."""

    value: bool | None = field()

    def __post_init__(self) -> None:
        optional(self.value, bool, "value")


@dataclass(frozen=True, repr=False)
class TimestampMetadataValue(MetadataValue, kind="timestamp"):
    """Hold a moment, in seconds since 1970 (UTC)."""

    value: float = field()

    def __post_init__(self) -> None:
        typed(self.value, float, "value")

    @classmethod
    def _from_payload(cls, payload: dict[str, Any]) -> TimestampMetadataValue:
        return cls(float(payload["value"]))


@dataclass(frozen=True, repr=False)
class NullMetadataValue(MetadataValue, kind="null"):
    """Stand for None."""

    @property
    def value(self) -> None:
        """Return None."""
        return


@dataclass(frozen=True, repr=False)
class CodeLocationReconstructionMetadataValue(MetadataValue, kind="code_location_reconstruction"):
    """Hold text that a code location needs to be built again."""

    data: str

    def __post_init__(self) -> None:
        typed(self.data, str, "data")

    @property
    def value(self) -> str:
        """Return the text."""
        return self.data
