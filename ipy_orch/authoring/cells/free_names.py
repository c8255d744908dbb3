"""Which names a cell reads from outside and which it binds, in the order in which Python meets them.

A name counts as read from outside when its first use is a read. Names that functions of the cell read count at the end,
because their bodies run later; but the body of a graph or job runs where it stands: its decorator calls it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

__all__ = ["FreeNames", "free_names"]

COMPOSING: Final = frozenset({"graph", "graph_asset", "graph_multi_asset", "job", "repository"})
NODES: Final = COMPOSING | {"asset", "multi_asset", "op"}


@dataclass(frozen=True)
class FreeNames:
    """Be the names of a piece of code.

    Args:
        read: name -> line of its first read, of names read while the code runs.
        late: the same for names that only functions of it read, when they are called.
        bound: names that it binds.
        readers: function or class -> names that its body reads later.
        composed: those of ``read`` that nothing but the bodies of graphs and jobs reads: they are wired, not called.
        nodes: functions that are ops, graphs or assets.
        imports: name -> what it was imported as, of names that nothing else binds.
    """

    read: dict[str, int]
    late: dict[str, int]
    bound: frozenset[str]
    readers: dict[str, frozenset[str]] = field(default_factory=dict)
    composed: frozenset[str] = frozenset()
    nodes: frozenset[str] = frozenset()
    imports: dict[str, str] = field(default_factory=dict)

    @property
    def free(self) -> dict[str, int]:
        """Return all names that come from outside."""
        return {**self.late, **self.read}


def free_names(tree: ast.AST | Iterable[ast.stmt]) -> FreeNames:
    r"""Return the names of a module or of a list of statements.

    >>> found = free_names(ast.parse("y = x + 1\ndef f():\n    return z + y"))
    >>> found.read, found.late, sorted(found.bound)
    ({'x': 1}, {'z': 3}, ['f', 'y'])
    """
    scope = Scope()
    scope.run(tree.body if isinstance(tree, ast.Module) else tree)  # type: ignore[arg-type]
    read = {**scope.composed, **scope.read}
    late = {name: line for name, line in scope.late.items() if name not in scope.bound and name not in read}
    composed = frozenset(scope.composed.keys() - scope.read.keys())
    known = (scope.readers, composed, frozenset(scope.nodes), scope.imports)
    return FreeNames(read, late, frozenset(scope.bound), *known)


class Scope(ast.NodeVisitor):
    """Walk statements in the order of evaluation, noting reads and bindings."""

    def __init__(self, hidden: Iterable[str] = ()) -> None:
        self.read: dict[str, int] = {}
        self.late: dict[str, int] = {}
        self.bound: set[str] = set()
        self.hidden = set(hidden)
        self.outer: set[str] = set()
        self.readers: dict[str, frozenset[str]] = {}
        self.composed: dict[str, int] = {}
        self.nodes: set[str] = set()
        self.imports: dict[str, str] = {}

    def run(self, body: Iterable[ast.AST]) -> Scope:
        """Walk a list of nodes."""
        for node in body:
            self.visit(node)
        return self

    def bind(self, name: str | None) -> None:
        """Note that a name is bound; one declared ``global`` or ``nonlocal`` counts as read from outside."""
        if name in self.outer:
            self.read.setdefault(name, 0)
        elif name:
            self.bound.add(name)
            self.imports.pop(name, None)

    def visit_Name(self, node: ast.Name) -> None:
        if not isinstance(node.ctx, ast.Store) and node.id not in self.bound and node.id not in self.hidden:
            self.read.setdefault(node.id, node.lineno)
        if not isinstance(node.ctx, ast.Load):  # `del x` makes x a local variable too
            self.bind(node.id)

    def visit_Global(self, node: ast.Global | ast.Nonlocal) -> None:
        self.outer.update(node.names)

    visit_Nonlocal = visit_Global  # noqa: N815

    def visit_Assign(self, node: ast.Assign) -> None:
        self.run([node.value, *node.targets])

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        if isinstance(node.target, ast.Name):
            self.visit(ast.copy_location(ast.Name(node.target.id, ast.Load()), node.target))
        self.run([node.value, node.target])

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        self.run([one for one in (node.annotation, node.value, node.target) if one is not None])

    def visit_NamedExpr(self, node: ast.NamedExpr) -> None:
        self.run([node.value, node.target])

    def visit_For(self, node: ast.For | ast.AsyncFor) -> None:
        self.run([node.iter, node.target, *node.body, *node.orelse])

    visit_AsyncFor = visit_For  # noqa: N815

    def visit_Import(self, node: ast.Import | ast.ImportFrom) -> None:
        for alias in node.names:
            name = (alias.asname or alias.name).split(".")[0]
            before = self.imports.get(name, "")
            is_only_imported = name not in self.bound or before
            self.bind(name)
            if is_only_imported and name in self.bound:
                module = f"{'.' * node.level}{node.module or ''}" if isinstance(node, ast.ImportFrom) else ""
                self.imports[name] = f"{before}{module} {ast.unparse(alias)}; "

    visit_ImportFrom = visit_Import  # noqa: N815

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> None:
        if node.type is not None:
            self.visit(node.type)
        self.bind(node.name)
        self.run(node.body)

    def visit_MatchAs(self, node: ast.MatchAs) -> None:
        if node.pattern is not None:
            self.visit(node.pattern)
        self.bind(node.name)

    def visit_MatchStar(self, node: ast.MatchStar) -> None:
        self.bind(node.name)

    def visit_MatchMapping(self, node: ast.MatchMapping) -> None:
        self.run([*node.keys, *node.patterns])
        self.bind(node.rest)

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        self.run([*node.decorator_list, *defaults(node.args)])
        own = type_names(node)
        self.within(own, [*hints(node.args), *([node.returns] if node.returns is not None else [])])
        decorators = {last_name(one) for one in node.decorator_list}
        if decorators & NODES:
            self.nodes.add(node.name)
        if decorators & COMPOSING:
            found = Scope(parameters(node.args) | own).run(node.body).from_outside
            self.note(self.composed, {name: line for name, line in found.items() if name not in self.bound})
        self.bind(node.name)
        self.later(node.name, node.body, parameters(node.args) | own)

    visit_AsyncFunctionDef = visit_FunctionDef  # noqa: N815

    def visit_Lambda(self, node: ast.Lambda) -> None:
        self.run(defaults(node.args))
        self.later("", [node.body], parameters(node.args))

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        self.run(node.decorator_list)
        self.within(type_names(node), [*node.bases, *node.keywords])
        inner = Scope(type_names(node)).run(node.body)
        self.note(
            self.read, {n: line for n, line in inner.read.items() if n not in self.bound and n not in self.hidden}
        )
        self.note(self.late, inner.late)
        self.readers[node.name] = frozenset({*inner.late, *self.readers.get(node.name, ())})
        self.bind(node.name)

    def visit_ListComp(self, node: ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp) -> None:
        targets = {n.id for one in node.generators for n in ast.walk(one.target) if isinstance(n, ast.Name)}
        self.visit(node.generators[0].iter)
        inner = Scope(self.hidden | targets)
        inner.bound = set(self.bound) - targets
        for number, one in enumerate(node.generators):
            inner.run([*([one.iter] if number else []), *one.ifs])
        inner.run([node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt])
        self.note(self.read, inner.read)
        self.note(self.late, {name: line for name, line in inner.late.items() if name not in targets})
        self.bound |= inner.bound - targets

    visit_SetComp = visit_ListComp  # noqa: N815
    visit_GeneratorExp = visit_ListComp  # noqa: N815
    visit_DictComp = visit_ListComp  # noqa: N815

    def within(self, names: set[str], nodes: Iterable[ast.AST]) -> None:
        """Walk nodes that see some more names than the rest."""
        new = names - self.hidden
        self.hidden |= new
        self.run(nodes)
        self.hidden -= new

    def later(self, name: str, body: Sequence[ast.AST], hidden: set[str]) -> None:
        """Note what a function reads when it is called."""
        found = Scope(hidden).run(body).from_outside
        self.note(self.late, found)
        if name:
            self.readers[name] = frozenset({*found, *self.readers.get(name, ())})

    @property
    def from_outside(self) -> dict[str, int]:
        """Return all names that a function's body takes from outside, now or later."""
        inside = self.hidden | self.bound
        return {name: line for name, line in {**self.late, **self.read}.items() if name not in inside}

    @staticmethod
    def note(into: dict[str, int], found: dict[str, int]) -> None:
        """Add names that aren't there yet."""
        for name, line in found.items():
            into.setdefault(name, line)


def every(args: ast.arguments) -> list[ast.arg]:
    """Return all parameters of a function."""
    starred = [one for one in (args.vararg, args.kwarg) if one is not None]
    return [*args.posonlyargs, *args.args, *args.kwonlyargs, *starred]


def parameters(args: ast.arguments) -> set[str]:
    """Return the names of a function's parameters."""
    return {one.arg for one in every(args)}


def defaults(args: ast.arguments) -> list[ast.expr]:
    """Return the default values of a function's parameters."""
    return [*args.defaults, *(one for one in args.kw_defaults if one is not None)]


def hints(args: ast.arguments) -> list[ast.expr]:
    """Return the annotations of a function's parameters."""
    return [one.annotation for one in every(args) if one.annotation is not None]


def last_name(decorator: ast.expr) -> str:
    """Return the name of what decorates.

    >>> last_name(ast.parse("dg.job(tags={})", mode="eval").body)
    'job'
    """
    called = decorator.func if isinstance(decorator, ast.Call) else decorator
    return str(getattr(called, "attr", getattr(called, "id", "")))


def type_names(node: ast.AST) -> set[str]:
    """Return the names of a definition's type parameters (Python 3.12)."""
    return {one.name for one in getattr(node, "type_params", ())}
