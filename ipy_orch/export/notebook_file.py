"""The file of a notebook: its cells, read and written without any library of Jupyter's.

Only what the format's fourth version says is relied on; all that isn't known is kept as it is.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from ipy_orch.errors import DagsterInvalidDefinitionError, DagsterInvariantViolationError
from ipy_orch.export.files import replace_file

__all__ = ["FileCell", "NotebookFile", "read_notebook", "write_notebook"]

KERNEL: Final = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}


@dataclass(frozen=True)
class FileCell:
    """Be a cell in a file.

    Args:
        kind: ``code``, ``markdown`` or ``raw``.
        key: its id, "" where the file is older than ids.
        rest: all else that the file says of it.
    """

    kind: str
    text: str
    key: str = ""
    rest: Mapping[str, Any] = field(default_factory=dict)

    @property
    def metadata(self) -> Mapping[str, Any]:
        """Return what the file says of the cell beside its text."""
        found = self.rest.get("metadata")
        return found if isinstance(found, Mapping) else {}

    def with_text(self, text: str) -> FileCell:
        """Return the cell with another text, and without the outputs of the old one."""
        if text == self.text:
            return self
        fresh: dict[str, Any] = {"outputs": [], "execution_count": None} if self.kind == "code" else {}
        return replace(self, text=text, rest={**self.rest, **fresh})


@dataclass(frozen=True)
class NotebookFile:
    """Be a notebook in a file."""

    cells: tuple[FileCell, ...]
    rest: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, cells: Iterable[FileCell]) -> NotebookFile:
        """Return a new notebook."""
        return cls(tuple(cells), {"metadata": KERNEL, "nbformat": 4, "nbformat_minor": 5})

    @property
    def data(self) -> dict[str, Any]:
        """Return the notebook as JSON has it."""
        with_ids = self.rest.get("nbformat_minor", 0) >= 5
        return {**self.rest, "cells": [cell_data(one, with_ids=with_ids) for one in self.cells]}


def cell_data(cell: FileCell, *, with_ids: bool) -> dict[str, Any]:
    """Return a cell as JSON has it."""
    fresh: dict[str, Any] = {
        "metadata": {},
        **({"outputs": [], "execution_count": None} if cell.kind == "code" else {}),
    }
    own = {"cell_type": cell.kind, **({"id": cell.key} if cell.key and with_ids else {})}
    return {**fresh, **cell.rest, **own, "source": cell.text.splitlines(keepends=True)}


def read_notebook(path: Path) -> NotebookFile:
    """Return the notebook in a file.

    Raises:
        DagsterInvariantViolationError: when there's no such file.
        DagsterInvalidDefinitionError: when it is no notebook, or one of an older format.
    """
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise DagsterInvariantViolationError(f"there is no notebook `{path.name}`", hint="look at the path") from None
    except OSError as error:
        told = f"`{path.name}` can't be read: {error.strerror or error}"
        raise DagsterInvariantViolationError(told, hint="look at the path") from None
    except ValueError:
        data = None
    return parse_notebook(data, path.name)


def parse_notebook(data: Any, name: str) -> NotebookFile:
    """Return the notebook that JSON holds.

    Raises:
        DagsterInvalidDefinitionError: when it is no notebook, or one of an older format.
    """
    if not isinstance(data, dict) or not isinstance(data.get("cells"), list):
        old = isinstance(data, dict) and "worksheets" in data
        hint = "`jupyter nbconvert --to notebook` makes a new one of it" if old else "give it a file that Jupyter saved"
        told = f"`{name}` is a notebook of an old format" if old else f"`{name}` isn't a notebook"
        raise DagsterInvalidDefinitionError(told, hint=hint)
    cells = [cell_of(one) for one in data["cells"] if isinstance(one, dict)]
    return NotebookFile(tuple(cells), {key: value for key, value in data.items() if key != "cells"})


def cell_of(data: Mapping[str, Any]) -> FileCell:
    """Return a cell as JSON has it."""
    source = data.get("source", "")
    text = source if isinstance(source, str) else "".join(map(str, source))
    rest = {key: value for key, value in data.items() if key not in ("cell_type", "id", "source")}
    return FileCell(str(data.get("cell_type", "code")), text, str(data.get("id", "")), rest)


def write_notebook(path: Path, notebook: NotebookFile) -> None:
    """Write a notebook, whole or not at all; the same cells give the same bytes."""
    text = json.dumps(notebook.data, indent=1, ensure_ascii=False, sort_keys=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    replace_file(path, f"{text}\n".encode())
