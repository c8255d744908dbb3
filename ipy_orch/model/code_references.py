"""Where the code of an asset is: files, addresses, and how paths turn into those of a repository."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ipy_orch.model.metadata.value import MetadataValue
from ipy_orch.model.tables import Brief, listed

__all__ = [
    "AnchorBasedFilePathMapping",
    "CodeReferencesMetadataValue",
    "FilePathMapping",
    "LocalFileCodeReference",
    "UrlCodeReference",
]


@dataclass(frozen=True, kw_only=True, repr=False)
class LocalFileCodeReference(Brief):
    """Point at a line of a local file."""

    file_path: str
    line_number: int | None = None
    label: str | None = None

    @property
    def source(self) -> str:
        """Return the path."""
        return self.file_path


@dataclass(frozen=True, kw_only=True, repr=False)
class UrlCodeReference(Brief):
    """Point at code on the web."""

    url: str
    label: str | None = None

    @property
    def source(self) -> str:
        """Return the address."""
        return self.url


@dataclass(frozen=True, kw_only=True, repr=False)
class CodeReferencesMetadataValue(MetadataValue, kind="code_references"):
    """Hold where the code of an asset is."""

    code_references: list[LocalFileCodeReference | UrlCodeReference]

    def __post_init__(self) -> None:
        wanted = (LocalFileCodeReference, UrlCodeReference)
        object.__setattr__(self, "code_references", listed(self.code_references, wanted, "code_references"))

    @property
    def value(self) -> CodeReferencesMetadataValue:
        """Return this."""
        return self

    def _payload(self) -> dict[str, Any]:
        return {"code_references": [asdict(reference) for reference in self.code_references]}

    @classmethod
    def _from_payload(cls, payload: dict[str, Any]) -> CodeReferencesMetadataValue:
        made = [
            UrlCodeReference(**of) if "url" in of else LocalFileCodeReference(**of) for of in payload["code_references"]
        ]
        return cls(code_references=made)


class FilePathMapping(ABC):
    """Turn the path of a local file into its path in a repository."""

    @abstractmethod
    def convert_to_source_control_path(self, local_path: Path) -> str:
        """Return the path in the repository."""


@dataclass(frozen=True)
class AnchorBasedFilePathMapping(FilePathMapping):
    """Map paths by one file or folder that is known in both places."""

    local_file_anchor: Path
    file_anchor_path_in_repository: str

    def convert_to_source_control_path(self, local_path: Path) -> str:
        """Return the path in the repository.

        >>> mapping = AnchorBasedFilePathMapping(Path("/home/me/project"), "src")
        >>> mapping.convert_to_source_control_path(Path("/home/me/project/orders.py"))
        'src/orders.py'
        """
        way = os.path.relpath(local_path, self.local_file_anchor)
        return Path(os.path.normpath(Path(self.file_anchor_path_in_repository) / way)).as_posix()
