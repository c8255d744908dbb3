"""Definitions that a loop makes and doesn't keep: a variable holds the last one only."""

from __future__ import annotations

import ast

from ipy_orch.authoring.cells.statements import own_nodes

__all__ = ["lost_in_loops"]

DEFINING = (ast.FunctionDef, ast.AsyncFunctionDef)
LOOPS = (ast.For, ast.AsyncFor, ast.While)


def lost_in_loops(tree: ast.Module) -> list[str]:
    r"""Return the decorated functions that a cell's loops define, and that nothing in their loop reads.

    >>> lost_in_loops(ast.parse("for name in names:\n    @asset(name=name)\n    def one(): ..."))
    ['one']
    """
    found: dict[str, None] = {}
    for loop in own_nodes(tree.body):
        if isinstance(loop, LOOPS):
            nodes = [*own_nodes(loop.body)]
            read = {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}
            made = [node for node in nodes if isinstance(node, DEFINING) and node.decorator_list]
            found |= dict.fromkeys(node.name for node in made if node.name not in read)
    return list(found)
