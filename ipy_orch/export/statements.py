"""The top-level statements of plain cells: what each reads, binds and changes, and whether a module can hold it.

An import of several names becomes several statements, so that each name is taken along by itself. Lines of IPython
(magics, shell) become statements too: they are in nobody's way until something needs what they define.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from ipy_orch.authoring.cells.changes import changed
from ipy_orch.authoring.cells.free_names import free_names
from ipy_orch.authoring.cells.quoted import names_in_strings
from ipy_orch.authoring.cells.statements import awaits
from ipy_orch.session.cellbook import Cell

__all__ = ["Place", "Statement", "is_plain_import", "statements_of"]

Place = tuple[int, int]


@dataclass(frozen=True, eq=False)
class Statement:
    """Be one statement of a plain cell.

    Args:
        place: when it ran: the cell's turn, then its line in the cell.
        label: the cell, as Jupyter names it.
        text: as it was written, with the comments right above it.
        lines: first and last line in the cell.
        reads: name -> line, of names that it reads while it runs.
        late: name -> line, of names that functions of it read when they are called.
        quoted: names in strings, of annotations and SQL, say, which may be names of the notebook or not.
        binds: names that it binds, perhaps only in some case.
        surely: those that it binds in any case, so that what they were before doesn't matter.
        changes: names whose value it changes without binding them.
        trouble: what in it can't be in a module, or "".
        trouble_line: where that is.
    """

    place: Place
    label: str
    node: ast.stmt
    text: str
    lines: tuple[int, int]
    reads: dict[str, int] = field(default_factory=dict)
    late: dict[str, int] = field(default_factory=dict)
    quoted: frozenset[str] = frozenset()
    binds: frozenset[str] = frozenset()
    surely: frozenset[str] = frozenset()
    changes: frozenset[str] = frozenset()
    trouble: str = ""
    trouble_line: int = 0

    @property
    def is_import(self) -> bool:
        """Tell whether it is an import of one name."""
        return isinstance(self.node, ast.Import | ast.ImportFrom)

    @property
    def is_block(self) -> bool:
        """Tell whether it defines a function or a class, which stand apart in a module."""
        return isinstance(self.node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)


def statements_of(cell: Cell) -> list[Statement]:
    """Return the statements of a plain cell; none where even IPython couldn't read it."""
    code, tree = parsed(cell.text)
    if tree is None:
        return []
    lines = code.splitlines()
    found: list[Statement] = []
    after = 0
    for node in tree.body:
        for one in single_imports(node):
            found.append(statement(one, lines, after, cell, len(found)))
        after = node.end_lineno or node.lineno
    return found


def statement(node: ast.stmt, lines: Sequence[str], after: int, cell: Cell, number: int) -> Statement:
    """Return one statement; the comments above it begin after the line ``after``."""
    names = free_names([node])
    trouble, defined, line = ipython_use(node)
    if not trouble and awaits(ast.Module([node], [])):
        trouble, line = "top-level `await`", first_line(node)
    return Statement(
        place=(cell.order, number),
        label=cell.label,
        node=node,
        text=ast.unparse(node) if isinstance(node, ast.Import | ast.ImportFrom) else written(node, lines, after),
        lines=(first_line(node), node.end_lineno or node.lineno),
        reads=dict(names.read),
        late={**names.late, **declared_global(node)},
        quoted=frozenset(quoted_names(node)),
        binds=(names.bound - {"*"}) | defined,
        surely=surely_bound(node),
        changes=frozenset(changed(node)) - names.bound,
        trouble=trouble,
        trouble_line=line,
    )


# -- text -> tree ------------------------------------------------------------------------------------------------------


def parsed(text: str) -> tuple[str, ast.Module | None]:
    """Return a cell's code and its tree; where it isn't Python, as IPython turns it into Python."""
    try:
        return text, ast.parse(text)
    except SyntaxError:
        from IPython.core.inputtransformer2 import TransformerManager

    try:
        # IPython drops blank lines on top: they are put back, so that line numbers stay the cell's.
        top = len(text) - len(text.lstrip("\n"))
        code = "\n" * top + TransformerManager().transform_cell(text)  # type: ignore[no-untyped-call]
        return code, ast.parse(code)
    except SyntaxError:
        return text, None


def single_imports(node: ast.stmt) -> Iterator[ast.stmt]:
    """Yield an import as one import for each name, and any other statement as it is."""
    if isinstance(node, ast.Import):
        for alias in node.names:
            yield ast.copy_location(ast.Import([alias]), node)
    elif isinstance(node, ast.ImportFrom):
        for alias in node.names:
            yield ast.copy_location(ast.ImportFrom(node.module, [alias], node.level), node)
    else:
        yield node


def is_plain_import(node: ast.stmt) -> bool:
    """Tell whether a statement is ``import a`` or ``import a.b``: several of them share one name."""
    return isinstance(node, ast.Import) and node.names[0].asname is None


def first_line(node: ast.stmt) -> int:
    """Return the line on which a statement begins, decorators included."""
    decorators: list[ast.expr] = getattr(node, "decorator_list", [])
    return min([node.lineno, *(one.lineno for one in decorators)])


def written(node: ast.stmt, lines: Sequence[str], after: int) -> str:
    """Return the text of a statement with the comments right above it and the one behind it."""
    start, end = first_line(node), node.end_lineno or node.lineno
    column = 0 if start < node.lineno else characters(lines[start - 1], node.col_offset)
    own = [*lines[start - 1 : end]]
    last = characters(lines[end - 1], node.end_col_offset or 0)
    rest = own[-1][last:].strip()
    own[-1] = own[-1][:last] + (f"  {rest}" if rest.startswith("#") else "")
    own[0] = own[0][column:]
    above: list[str] = []
    for line in reversed(lines[after : start - 1]):
        if not line.startswith("#") or line.startswith(("#|", "# %%")):
            break
        above.insert(0, line.rstrip())
    return "\n".join([*above, *own])


def characters(line: str, offset: int) -> int:
    """Return an offset in bytes, as syntax trees count, in characters."""
    return len(line.encode()[:offset].decode())


# -- what a statement binds, reads and changes -------------------------------------------------------------------------


def surely_bound(node: ast.stmt) -> frozenset[str]:
    """Return the names that a statement binds whatever happens in it."""
    match node:
        case ast.If():
            return surely_all(node.body) & surely_all(node.orelse)
        case ast.Try() | ast.TryStar():
            ways = [surely_all([*node.body, *node.orelse]), *(surely_all(one.body) for one in node.handlers)]
            return frozenset.intersection(*ways) | surely_all(node.finalbody)
        case ast.With() | ast.AsyncWith():
            targets = [one.optional_vars for one in node.items if one.optional_vars is not None]
            return surely_all(node.body) | {n.id for t in targets for n in ast.walk(t) if isinstance(n, ast.Name)}
        case ast.For() | ast.AsyncFor() | ast.While() | ast.Match():
            return frozenset()
        case ast.AnnAssign(value=None):
            return frozenset()
    return frozenset() if is_plain_import(node) else free_names([node]).bound


def surely_all(body: Iterable[ast.stmt]) -> frozenset[str]:
    """Return the names that a list of statements binds whatever happens."""
    return frozenset().union(*map(surely_bound, body))


def declared_global(node: ast.stmt) -> dict[str, int]:
    """Return the names that functions of a statement declare ``global``: they exist before."""
    return {name: one.lineno for one in ast.walk(node) if isinstance(one, ast.Global) for name in one.names}


def quoted_names(node: ast.stmt) -> Iterator[str]:
    """Yield the names in annotations written as strings, which frameworks read when they run, and in SQL and the like.

    >>> sorted(quoted_names(ast.parse("def f(x: 'pd.DataFrame') -> 'int': ...").body[0]))
    ['int', 'pd']
    """
    yield from names_in_strings([node]) - {one.arg for one in ast.walk(node) if isinstance(one, ast.arg)}
    for one in ast.walk(node):
        for annotation in (getattr(one, "annotation", None), getattr(one, "returns", None)):
            for text in ast.walk(annotation) if isinstance(annotation, ast.expr) else ():
                if isinstance(text, ast.Constant) and isinstance(text.value, str):
                    yield from names_in(text.value)


def names_in(text: str) -> list[str]:
    """Return the names of an expression, none where it isn't one."""
    try:
        return [one.id for one in ast.walk(ast.parse(text, mode="eval")) if isinstance(one, ast.Name)]
    except SyntaxError:
        return []


# -- IPython -----------------------------------------------------------------------------------------------------------


def ipython_use(node: ast.stmt) -> tuple[str, frozenset[str], int]:
    """Return the magic or shell line of a statement as a person wrote it, the names that its code defines, its line."""
    names = [one for one in ast.walk(node) if isinstance(one, ast.Name) and one.id == "get_ipython"]
    if not names:
        return "", frozenset(), 0
    told, defined = "`get_ipython`", frozenset[str]()
    for call in ast.walk(node):
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and is_get_ipython(call.func.value):
            told, code = spelled(call.func.attr, [getattr(arg, "value", "") for arg in call.args])
            defined |= defined_by(code)
    return told, defined, min(one.lineno for one in names)


def is_get_ipython(node: ast.expr) -> bool:
    """Tell whether an expression is ``get_ipython()``."""
    return isinstance(node, ast.Call) and getattr(node.func, "id", "") == "get_ipython"


def spelled(method: str, args: Sequence[str]) -> tuple[str, str]:
    """Return a call of IPython as a magic or shell line, and the code that it runs."""
    match method, list(args):
        case ("run_line_magic", [name, line, *_]):
            return f"`%{name} {line}`".replace(" `", "`"), line
        case ("run_cell_magic", [name, _, body, *_]):
            return f"`%%{name}`", body
        case ("system" | "getoutput", [line, *_]):
            return f"`!{line}`", ""
    return "`get_ipython`", ""


def defined_by(code: str) -> frozenset[str]:
    """Return the names that a magic's code defines, where it is Python (``%%time`` and the like)."""
    try:
        return free_names(ast.parse(code)).bound
    except SyntaxError:
        return frozenset()
