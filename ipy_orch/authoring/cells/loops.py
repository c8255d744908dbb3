"""Definitions that a loop makes and doesn't keep: a variable holds the last one only."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from ipy_orch.authoring.cells.statements import own_nodes

__all__ = ["lost_in_loops"]

DEFINING = (ast.FunctionDef, ast.AsyncFunctionDef)
INNER = (*DEFINING, ast.ClassDef, ast.Lambda)  # which `own_nodes` doesn't look into
LOOPS = (ast.For, ast.AsyncFor, ast.While)


def lost_in_loops(tree: ast.Module) -> dict[str, str]:
    r"""Return what a cell's loops make by a decorator or a call and nothing in their loop reads.

    What is only put into an item, which may be one of a dict, comes with the variable that holds that.

    >>> lost_in_loops(ast.parse("for name in names:\n    @asset(name=name)\n    def one(): ..."))
    {'one': ''}
    >>> lost_in_loops(ast.parse("for name in names:\n    one = made(name)\n    kept[name] = one"))
    {'one': 'kept'}
    """
    found: dict[str, str] = {}
    for loop in own_nodes(tree.body):
        if isinstance(loop, LOOPS) and not runs_once(loop):
            nodes = [*own_nodes(ast.iter_child_nodes(loop))]
            put = dict(items_in(nodes))
            read = {name for name, node in reads_in(nodes) if node not in put}
            holders = {name: put[node] for name, node in reads_in(nodes) if node in put}
            found |= {name: holders.get(name, "") for name in made_in(nodes) if name not in read}
    return found


def runs_once(loop: ast.For | ast.AsyncFor | ast.While) -> bool:
    """Tell whether a loop goes round once whatever happens: it ends with ``break``, or goes over one thing."""
    over = loop.iter.elts if isinstance(loop, ast.For) and isinstance(loop.iter, ast.List | ast.Tuple | ast.Set) else ()
    return isinstance(loop.body[-1], ast.Break) or (len(over) == 1 and not isinstance(over[0], ast.Starred))


def made_in(nodes: Iterable[ast.AST]) -> Iterator[str]:
    """Yield the names that hold what a decorator or a call gives."""
    for node in nodes:
        match node:
            case ast.FunctionDef(name, decorator_list=[_, *_]) | ast.AsyncFunctionDef(name, decorator_list=[_, *_]):
                yield name
            case ast.Assign([ast.Name(name)], ast.Call()):
                yield name


def items_in(nodes: Iterable[ast.AST]) -> Iterator[tuple[ast.AST, str]]:
    """Yield the reads of names that only put them into an item, each with the variable that has the item."""
    for node in nodes:
        match node:
            case ast.Assign([ast.Subscript(ast.Name(holder))], ast.Name() as read):
                yield read, holder


def reads_in(nodes: Iterable[ast.AST]) -> Iterator[tuple[str, ast.AST]]:
    """Yield the names that are read, also in functions; but that a function reads itself doesn't keep it."""
    for node in nodes:
        own = node.name if isinstance(node, DEFINING) else ""
        for one in ast.walk(node) if isinstance(node, INNER) else [node]:
            if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Load) and one.id != own:
                yield one.id, one
