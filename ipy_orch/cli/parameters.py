"""Parameters of a notebook, as papermill has them: assignments in a cell after the one that is tagged `parameters`."""

from __future__ import annotations

import ast
import keyword
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

import nbformat
import yaml

from ipy_orch.authoring.cells.free_names import free_names
from ipy_orch.errors import DagsterInvariantViolationError, closest

__all__ = ["inject", "read_parameters"]

DEFAULTS: Final = "parameters"
INJECTED: Final = "injected-parameters"
HEAD: Final = "# Parameters"


class Values(yaml.SafeLoader):
    """Read what JSON has; a date stays the text that it is, as papermill leaves it."""


Values.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in known if not tag.endswith(":timestamp")]
    for first, known in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def read_parameters(pairs: Iterable[tuple[str, str]], file: Path | None) -> dict[str, Any]:
    """Return parameters by name; the values of pairs are read as YAML, and win over those of a file.

    Raises:
        DagsterInvariantViolationError: for a name that no variable can have, or what isn't YAML.
    """
    given = from_file(file) if file is not None else {}
    for name, text in pairs:
        given[name] = from_yaml(text, f"the value of `{name}`")
    for name in given:
        if not name.isidentifier() or keyword.iskeyword(name):
            raise DagsterInvariantViolationError(
                f"`{name}` can't be the name of a parameter", hint="e.g. `-p limit 10`"
            )
    return given


def from_file(file: Path) -> dict[str, Any]:
    """Return the parameters of a YAML or JSON file."""
    try:
        read = from_yaml(file.read_text(encoding="utf-8"), f"`{file.name}`", "a line per parameter, e.g. `limit: 10`")
    except (OSError, UnicodeDecodeError) as error:
        told = getattr(error, "strerror", None) or "it isn't text"
        raise DagsterInvariantViolationError(f"`{file}` can't be read: {told}") from None
    if not isinstance(read, Mapping):
        raise DagsterInvariantViolationError(
            f"`{file.name}` has no parameters", hint="it is a mapping, e.g. `limit: 10`"
        )
    return {str(name): value for name, value in read.items()}


def from_yaml(text: str, what: str, hint: str = "quote it once more") -> Any:
    """Return what YAML says, in plain types.

    Raises:
        DagsterInvariantViolationError: when it isn't YAML.
    """
    try:
        return yaml.load(text, Loader=Values)  # noqa: S506 - it is a SafeLoader
    except yaml.YAMLError as error:
        told = getattr(error, "problem", None) or "it ends too early"
        raise DagsterInvariantViolationError(f"{what} isn't YAML: {told}", hint=hint) from None


def inject(notebook: Any, parameters: Mapping[str, Any]) -> None:
    """Put a cell with parameters after the one tagged `parameters`, or before all others where none is.

    A cell that an earlier injection made is replaced.

    Raises:
        DagsterInvariantViolationError: for a name that the tagged cell doesn't have, with the closest.
    """
    cells: list[Any] = [cell for cell in notebook.cells if INJECTED not in tags(cell)]
    place = next((number for number, cell in enumerate(cells) if DEFAULTS in tags(cell)), None)
    if place is not None:
        refuse_unknown(cells[place].source, parameters)
    source = "\n".join([HEAD, *(f"{name} = {literal(value)}" for name, value in parameters.items())])
    cell = nbformat.v4.new_code_cell(source, metadata={"tags": [INJECTED]})  # type: ignore[no-untyped-call]
    if (notebook.nbformat, notebook.nbformat_minor) < (4, 5):
        del cell["id"]
    cells.insert(0 if place is None else place + 1, cell)
    notebook.cells = cells


def tags(cell: Any) -> list[str]:
    """Return the tags of a cell."""
    return list(cell.metadata.get("tags", []))


def refuse_unknown(source: str, parameters: Mapping[str, Any]) -> None:
    """Refuse a parameter for which the notebook has no default: it is misspelt, most likely."""
    try:
        known = free_names(ast.parse(source)).bound
    except SyntaxError:
        return
    for name in parameters:
        if name not in known:
            near = closest(name, known) or f"it has {', '.join(sorted(known)) or 'none'}"
            raise DagsterInvariantViolationError(f"the notebook has no parameter `{name}`", hint=near)


def literal(value: Any) -> str:
    """Return a value of YAML as Python.

    >>> literal({"a": [1, True, None]}), literal(float("inf"))
    ("{'a': [1, True, None]}", "float('inf')")
    """
    match value:
        case dict():
            return "{" + ", ".join(f"{literal(key)}: {literal(one)}" for key, one in value.items()) + "}"
        case list():
            return f"[{', '.join(map(literal, value))}]"
        case float() if value != value or value in (float("inf"), float("-inf")):  # noqa: PLR0124 - not a number
            return f"float({str(value)!r})"
        case _:
            return repr(value)
