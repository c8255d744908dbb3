"""What a cell stands for as plain Python, where it isn't: an op's cell is a decorated function, ``%job`` an assignment.

The cell book and the export know only that Python. So the three spellings of an op are one, in versions, in what is
told to be behind, and in the module.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final

from ipy_orch.authoring.cells.cells import CellText, head_of, read_cell
from ipy_orch.authoring.cells.free_names import free_names
from ipy_orch.authoring.cells.ops import takes_context
from ipy_orch.authoring.cells.options import Option, parse_line
from ipy_orch.errors import DagsterError, DagsterInvalidDefinitionError
from ipy_orch.export.automation_cells import automation_text, read_automation_call
from ipy_orch.export.component_cells import component_text, read_component_call
from ipy_orch.export.op_cells import job_text, op_text
from ipy_orch.session.config.run_config import read_run_config

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


def written_plain(text: str, resources: Collection[str] = (), namespace: Collection[str] = ()) -> Written:
    """Return a plain cell with its ``%job`` and ``%schedule`` lines, and that of a component, as what they stand for.

    Args:
        resources: the keys of the notebook's, which the cell of a schedule or sensor may read.
        namespace: the notebook's variables.
    """
    if "run_cell_magic('s" in text and (made := written_automation(text, resources, namespace)) is not None:
        return made
    if "run_cell_magic('component'" in text and (found := written_component(text)) is not None:
        return found
    if "run_line_magic('job'" not in text and "run_line_magic('schedule'" not in text:
        return Written(text)
    tree = ast.parse(text)
    lines = text.split("\n")
    own = free_names(tree).bound
    for node in reversed(tree.body):
        if (plain := line_text(node)) is not None:
            lines[node.lineno - 1 : node.end_lineno] = plain.rstrip().split("\n")
    return Written("\n".join(lines), frozenset({"define_asset_job", "ScheduleDefinition"} - own))


def line_text(node: ast.stmt) -> str | None:
    """Return the assignment that a ``%job`` or ``%schedule`` line stands for; None for any other statement."""
    if (one := read_automation_call(node)) is not None:
        return automation_text(one, ())
    line = job_line(node)
    try:
        said = read_job_line(line) if line is not None else None
        return job_text(said.name, said.arguments) if said is not None else None
    except DagsterError:
        return None


def written_component(text: str) -> Written | None:
    """Return the cell of a component as the assignment that it stands for; None where it isn't one."""
    said = next(filter(None, map(read_component_call, ast.parse(text).body)), None)
    if said is None:
        return None
    made = component_text(said)
    return Written(made, frozenset(free_names(ast.parse(made)).imports), f"component:{said.name}")


def written_automation(text: str, resources: Collection[str], namespace: Collection[str]) -> Written | None:
    """Return the cell of a schedule or sensor as the definition that it stands for; None where it isn't one."""
    said = next(filter(None, map(read_automation_call, ast.parse(text).body)), None)
    if said is None:
        return None
    made = automation_text(said, resources, namespace)
    return Written(made, frozenset(free_names(ast.parse(made)).imports), f"{said.kind}:{said.name}")


def job_line(node: ast.stmt) -> str | None:
    """Return the line of a statement that is ``%job``, as IPython writes it, else None."""
    match node:
        case ast.Expr(
            ast.Call(func=ast.Attribute(attr="run_line_magic"), args=[ast.Constant("job"), ast.Constant(str(line))])
        ):
            return line
    return None
