"""The Markdown above a cell is the description of its asset: in a module it is the docstring of the function.

An asset that says itself what it is, by a docstring or an option, keeps that.
"""

from __future__ import annotations

import ast
import inspect
import io
import os
import re
import tokenize
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from ipy_orch.errors import DagsterError
from ipy_orch.export.bodies import INDENT
from ipy_orch.export.layout import WIDTH
from ipy_orch.export.notebook_file import FileCell, read_notebook

__all__ = ["CONFLICT", "described", "docstring_lines", "notes_above", "plain_note", "saved_cells", "with_headings"]

DESCRIBED: Final = frozenset({"asset", "graph_asset"})
CONFLICT: Final = "ipy_orch_conflict"
HEADING: Final = re.compile(r"#{1,6}\s")


def notes_above(cells: Iterable[FileCell], keys: Mapping[int, str]) -> dict[str, str]:
    """Return cell -> the Markdown right above it.

    Args:
        keys: place of a code cell in the file -> its key in the cell book.
    """
    found: dict[str, str] = {}
    above: list[str] = []
    for number, cell in enumerate(cells):
        if cell.kind == "markdown":
            above += [] if CONFLICT in cell.metadata else [cell.text]
            continue
        if above and number in keys and (note := plain_note("\n\n".join(above))):
            found[keys[number]] = note
        above = []
    return found


def plain_note(markdown: str) -> str:
    r"""Return Markdown as a description: what stands below its last heading.

    >>> plain_note("Done.\n\n## Orders\n\nAll that is *paid*.  \nEach day.")
    'All that is *paid*.\nEach day.'
    """
    lines = [line.rstrip() for line in markdown.splitlines()]
    return inspect.cleandoc("\n".join(lines[end_of_headings(lines) :])).strip()


def end_of_headings(lines: Sequence[str]) -> int:
    """Return the line below the last heading."""
    found, fenced = 0, False
    for number, line in enumerate(lines, 1):
        fenced ^= line.lstrip().startswith("```")
        if not fenced and HEADING.match(line):
            found = number
    return found


def with_headings(old: str, note: str) -> str:
    r"""Return Markdown with what it had above its description, and another description.

    >>> with_headings("## Raw\n\nAll.", "Some.")
    '## Raw\n\nSome.'
    """
    lines = old.strip().splitlines()
    head = "\n".join(lines[: end_of_headings(lines)]).strip()
    return f"{head}\n\n{note}" if head else note


def saved_cells(namespace: Mapping[str, Any], known: Iterable[str]) -> tuple[FileCell, ...]:
    """Return the cells of the notebook as it was saved last, where the front end says where; else none.

    Args:
        known: the ids of the session's cells: a file with none of them is another notebook's.
    """
    told = (namespace.get("__vsc_ipynb_file__"), namespace.get("__session__"), os.environ.get("JPY_SESSION_NAME"))
    for name in (str(one) for one in told if one):
        for path in (Path(name), Path(Path(name).name)):  # a kernel starts in the folder of its notebook
            try:
                cells = read_notebook(path).cells if path.suffix == ".ipynb" else ()
            except (DagsterError, OSError):
                continue
            if {one.key for one in cells if one.key} & {*known}:
                return cells
    return ()


# -- into the function -------------------------------------------------------------------------------------------------


def described(text: str, note: str, name: str = "") -> str:
    """Return the text of functions in which an asset's has the note as its docstring, unless it says what it is.

    Args:
        name: of the function; by default the first that is an asset.
    """
    node = next((one for one in ast.parse(text).body if is_described(one, name)), None)
    if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) or says_itself(node):
        return text
    line = end_of_head(text, node)
    if line >= node.body[0].lineno:
        return text  # it is all on one line
    lines = text.split("\n")
    return "\n".join([*lines[:line], *docstring_lines(note), *lines[line:]])


def is_described(node: ast.stmt, name: str) -> bool:
    """Tell whether a statement is the function of an asset."""
    if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) or name not in ("", node.name):
        return False
    called = [one.func if isinstance(one, ast.Call) else one for one in node.decorator_list]
    return any(getattr(one, "attr", getattr(one, "id", "")) in DESCRIBED for one in called)


def says_itself(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Tell whether a function has a docstring, or a description in its decorator."""
    words = [word.arg for one in node.decorator_list if isinstance(one, ast.Call) for word in one.keywords]
    return ast.get_docstring(node) is not None or "description" in words or None in words


def end_of_head(text: str, node: ast.stmt) -> int:
    """Return the line on which the first line of a function ends."""
    depth = 0
    for token in tokenize.generate_tokens(io.StringIO(f"{text}\n").readline):
        if token.start < (node.lineno, node.col_offset) or token.type != tokenize.OP:
            continue
        depth += (token.string in "([{") - (token.string in ")]}")
        if token.string == ":" and depth == 0:
            return token.start[0]
    return node.lineno


def docstring_lines(note: str) -> list[str]:
    """Return a note as the docstring of a function.

    >>> [line.replace('"', "'") for line in docstring_lines("All of them.")]
    ["    '''All of them.'''"]
    """
    first, *rest = note.replace("\\", "\\\\").replace('"""', '\\"\\"\\"').split("\n")
    if not rest and not first.endswith('"') and len(first) <= WIDTH - len(INDENT) - 6:
        return [f'{INDENT}"""{first}"""']
    return [f'{INDENT}"""{first}', *(f"{INDENT}{line}" if line else "" for line in rest), f'{INDENT}"""']
