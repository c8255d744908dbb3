"""Syntax trees: what counts of them, what they import, which files and variables they read by name."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterable, Iterator
from typing import Final, NamedTuple, TypeAlias

from ipy_orch.authoring.cells.statements import last_name

__all__ = ["OF_DEFINITION", "Imported", "imported", "normalise", "notices", "signature", "unseen"]

_Documented: TypeAlias = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef

_FILE_CALLS: Final = frozenset({"open", "fromfile", "genfromtxt", "loadtxt"})
_FILE_METHODS: Final = frozenset({"open", "read_text", "read_bytes"})
OF_DEFINITION: Final = frozenset({"assets_def", "op_def"})  #: attributes of a context: the definition that runs
_UNSEEN: Final = OF_DEFINITION | {"__globals__", "__subclasses__", "f_globals", "f_locals", "user_global_ns", "user_ns"}


class Imported(NamedTuple):
    """Be an import statement: ``from ..pkg import name`` is ``("pkg", ("name",), 2)``."""

    module: str
    names: tuple[str, ...] = ()
    level: int = 0


def normalise(tree: ast.AST) -> None:
    """Take from a tree, in place, what doesn't count: docstrings, and what a formatter may change."""
    for node in ast.walk(tree):
        if isinstance(node, _Documented):
            _drop_docstring(node)
        elif isinstance(node, ast.Constant):
            node.kind = None
        elif isinstance(node, ast.Delete):
            node.targets = list(_flat(node.targets))
        elif isinstance(node, ast.Assign) and isinstance(node.value, ast.Lambda):
            _name_lambda(node)


def _drop_docstring(node: _Documented) -> None:
    first = node.body[0] if node.body else None
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str):
        node.body[:1] = [] if len(node.body) > 1 else [ast.Pass()]


def _flat(targets: Iterable[ast.expr]) -> Iterator[ast.expr]:
    """Yield the targets of ``del (a, b)`` as those of ``del a, b``."""
    for target in targets:
        if isinstance(target, ast.Tuple | ast.List):
            yield from _flat(target.elts)
        else:
            yield target


def _name_lambda(node: ast.Assign) -> None:
    """Give a lambda, for people, the name of the variable it is assigned to."""
    if len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
        node.value.assigned = node.targets[0].id  # type: ignore[attr-defined]


def signature(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) -> str:
    """Return the parameters of a function as text; their defaults are looked at by value instead."""
    args = node.args
    shape = ast.arguments(args.posonlyargs, args.args, args.vararg, args.kwonlyargs, [], args.kwarg, [])
    returns = ast.dump(node.returns) if not isinstance(node, ast.Lambda) and node.returns else ""
    return f"{isinstance(node, ast.AsyncFunctionDef)} {ast.dump(shape)} {returns}"


def imported(body: Iterable[ast.AST]) -> Iterator[Imported]:
    """Yield the imports in statements, those through ``importlib`` too."""
    for node in _walk(body):
        if isinstance(node, ast.Import):
            yield from (Imported(alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield Imported(node.module or "", tuple(alias.name for alias in node.names), node.level)
        elif isinstance(node, ast.Call) and last_name(node.func) == "import_module":
            yield from (Imported(name) for name in _literal(node.args) if not name.startswith("."))
        elif isinstance(node, ast.Subscript) and _is_modules(node.value):
            yield from (Imported(name) for name in _literal([node.slice]))


def notices(body: Iterable[ast.AST]) -> Iterator[str]:
    """Yield the files and environment variables that statements read by a literal name.

    >>> list(notices(ast.parse("pd.read_csv('a.csv'); os.environ['HOME']").body))
    ['file `a.csv`', 'environment variable `HOME`']
    """
    for node in _walk(body):
        if isinstance(node, ast.Call):
            yield from (f"file `{name}`" for name in _file(node))
            yield from (f"environment variable `{name}`" for name in _called_variable(node))
        elif isinstance(node, ast.Subscript) and _is_environ(node.value) and isinstance(node.ctx, ast.Load):
            yield from (f"environment variable `{name}`" for name in _literal([node.slice]))


def unseen(body: Iterable[ast.AST], names: Collection[str]) -> Iterator[str]:
    """Yield what statements reach objects by that they don't name: attributes, ``sys.modules``.

    Args:
        names: globals that are read, whose docstring counts where it is.

    >>> list(unseen(ast.parse("[c.k for c in Base.__subclasses__()]").body, ()))
    ['__subclasses__']
    """
    body = list(body)
    fine = {id(part) for node in _walk(body) for part in _without_content(node)}
    for node in _walk(body):
        if not isinstance(node, ast.Attribute):
            continue
        if node.attr in _UNSEEN:
            yield node.attr
        elif _is_modules(node) and id(node) not in fine:
            yield "sys.modules"
        elif node.attr == "__doc__" and not (isinstance(node.value, ast.Name) and node.value.id in names):
            yield "__doc__"


def _without_content(node: ast.AST) -> Iterator[ast.AST]:
    """Yield the ``sys.modules`` of which only a name is asked, or a module that is named, which is an import."""
    if isinstance(node, ast.Compare):
        yield from node.comparators
    elif isinstance(node, ast.Subscript) and any(_literal([node.slice])):
        yield node.value


def _is_modules(node: ast.expr) -> bool:
    return isinstance(node, ast.Attribute) and node.attr == "modules" and last_name(node.value) == "sys"


def _walk(body: Iterable[ast.AST]) -> Iterator[ast.AST]:
    for statement in body:
        yield from ast.walk(statement)


def _file(call: ast.Call) -> Iterator[str]:
    name, path = last_name(call.func), _path(call.func)
    if path is not None and name in _FILE_METHODS:
        return _literal(() if _writes(name, call.args[:1]) else path.args)
    reads = name in _FILE_CALLS or name.startswith(("read_", "scan_")) or _is_numpy_load(call.func)
    return _literal(call.args[:1] if reads and not _writes(name, call.args[1:2]) else ())


def _path(method: ast.expr) -> ast.Call | None:
    """Return the ``Path(...)`` whose method this is."""
    owner = method.value if isinstance(method, ast.Attribute) else None
    return owner if isinstance(owner, ast.Call) and last_name(owner.func) == "Path" else None


def _writes(name: str, mode: Iterable[ast.expr]) -> bool:
    return name == "open" and any(set(text) & set("wax") for text in _literal(mode))


def _called_variable(call: ast.Call) -> Iterator[str]:
    func = call.func
    got = isinstance(func, ast.Attribute) and func.attr == "get" and _is_environ(func.value)
    if got or last_name(func) == "getenv":
        yield from _literal(call.args[:1])


def _is_numpy_load(node: ast.expr) -> bool:
    return isinstance(node, ast.Attribute) and node.attr == "load" and last_name(node.value) in {"np", "numpy"}


def _is_environ(node: ast.expr) -> bool:
    return last_name(node) == "environ"


def _literal(nodes: Iterable[ast.expr]) -> Iterator[str]:
    """Yield the first node's text, if it is a string literal."""
    for node in list(nodes)[:1]:
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
