"""What a cell stands for as plain Python, where it isn't: an op's cell is a decorated function, ``%job`` an assignment.

The cell book and the export know only that Python. So the three spellings of an op are one, in versions, in what is
told to be behind, and in the module.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from ipy_orch.authoring.cells import CellText, head_of, read_cell
from ipy_orch.authoring.free_names import free_names
from ipy_orch.authoring.op_cells import takes_context
from ipy_orch.authoring.options import Option, parse_line
from ipy_orch.errors import DagsterError, DagsterInvalidDefinitionError
from ipy_orch.export.op_cells import job_text, op_text
from ipy_orch.session.run_config import read_run_config

__all__ = ["JOB_OPTIONS", "JobLine", "Written", "is_op_cell", "read_job_line", "words", "written_op", "written_plain"]

JOB_OPTIONS: Final = (
    Option("config", "text", "what its runs get where they aren't given any: YAML or a file of it", "YAML"),
    Option("description", "text", "what it is for", "TEXT"),
    Option("tags", "map", "labels, which its runs get, too", "KEY=VALUE"),
)
OPERATORS: Final = frozenset({"and", "or", "not", "AND", "OR", "NOT"})


@dataclass(frozen=True)
class Written:
    """Be the Python that a cell stands for.

    Args:
        imported: names that it imports for itself: the notebook doesn't have them from it.
        key: of the cell, where the front end gives it no id; "" for that of any plain cell.
    """

    text: str
    imported: frozenset[str] = frozenset()
    key: str = ""


@dataclass(frozen=True)
class JobLine:
    """Be what a ``%job`` line says.

    Args:
        selection: as a selection string, None for all assets.
    """

    name: str
    selection: str | None
    config: Mapping[str, Any] | None
    description: str | None
    tags: Mapping[str, str] | None

    @property
    def arguments(self) -> dict[str, Any]:
        """Return the arguments of ``define_asset_job`` beside the name."""
        said = {"selection": self.selection, "config": self.config, "description": self.description, "tags": self.tags}
        return {name: value for name, value in said.items() if value is not None}


def words(line: str) -> str | None:
    """Return a selection as a selection string, or None for all; several names mean all of them.

    >>> words("a b"), words("+a and group:x"), words("")
    ('a or b', '+a and group:x', None)
    """
    parts = line.split()
    if len(parts) < 2 or OPERATORS & set(parts) or any(char in line for char in "()\"'"):
        return line.strip() or None
    return " or ".join(part.rstrip(",") for part in parts)


# -- ops --------------------------------------------------------------------------------------------------------------


def is_op_cell(text: str) -> bool:
    """Tell whether a cell begins as that of an op."""
    head = head_of(text.split("\n"))
    return head is not None and head.kind == "op"


def written_op(raw: str, namespace: Mapping[str, Any]) -> Written | None:
    """Return the function that an op's cell stands for; None where it can't be one, which running it says."""
    try:
        source = read_cell(raw)
        assert source is not None
        return of_op(source, namespace)
    except (DagsterError, SyntaxError):
        return None


def of_op(source: CellText, namespace: Mapping[str, Any]) -> Written:
    """Return the function of an op's cell."""
    text = op_text(source, context=takes_context(source, namespace))
    return Written(text, frozenset(free_names(ast.parse(text)).imports), f"op:{source.name}")


# -- jobs -------------------------------------------------------------------------------------------------------------


def read_job_line(line: str) -> JobLine:
    """Return what a ``%job`` line says.

    Raises:
        DagsterInvalidDefinitionError: when the name is missing, or an option is wrong.
        DagsterInvalidConfigError: when the config isn't YAML.
    """
    found, options = parse_line(line, JOB_OPTIONS)
    if not found:
        raise DagsterInvalidDefinitionError("`%job` needs a name", hint="%job nightly group:sales")
    name, *selection = found
    config = read_run_config(options["config"]).data if "config" in options else None
    return JobLine(name, words(" ".join(selection)), config, options.get("description"), options.get("tags"))


def written_plain(text: str) -> Written:
    """Return a plain cell with its ``%job`` lines as the assignments that they stand for."""
    if "run_line_magic('job'" not in text:
        return Written(text)
    tree = ast.parse(text)
    lines = text.split("\n")
    own = free_names(tree).bound
    for node in reversed(tree.body):
        if (line := job_line(node)) is not None:
            try:
                said = read_job_line(line)
                made = job_text(said.name, said.arguments)
            except DagsterError:
                continue
            lines[node.lineno - 1 : node.end_lineno] = made.split("\n")
    return Written("\n".join(lines), frozenset({"define_asset_job"} - own))


def job_line(node: ast.stmt) -> str | None:
    """Return the line of a statement that is ``%job``, as IPython writes it, else None."""
    match node:
        case ast.Expr(
            ast.Call(func=ast.Attribute(attr="run_line_magic"), args=[ast.Constant("job"), ast.Constant(str(line))])
        ):
            return line
    return None
