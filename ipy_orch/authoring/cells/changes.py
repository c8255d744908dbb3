"""Which names a statement changes the values of, without binding them, as far as syntax tells."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Final

from ipy_orch.authoring.cells.statements import own_nodes

__all__ = ["changed"]

# Methods that change what they are called on. A notebook that changes a value by a method of its own name is beyond
# what syntax tells.
CHANGING: Final = frozenset(
    {
        *(
            "add",
            "append",
            "appendleft",
            "clear",
            "discard",
            "extend",
            "extendleft",
            "insert",
            "pop",
            "popitem",
            "popleft",
        ),
        *("difference_update", "intersection_update", "symmetric_difference_update", "update"),
        *("register", "remove", "reverse", "set", "setdefault", "sort"),
        *("basicConfig", "filterwarnings", "seed", "setLevel", "setlocale", "simplefilter", "use"),
    }
)
CHANGING_PREFIXES: Final = ("add_", "set_", "register_")
CHANGING_ARGUMENT: Final = frozenset(
    {
        *("delattr", "heapify", "heappop", "heappush", "insort", "setattr", "shuffle"),
        "make_python_type_usable_as_dagster_type",
    }
)


def changed(node: ast.stmt) -> Iterator[str]:
    """Yield the names whose value a statement changes: items, attributes, and methods known to change."""
    for decorator in getattr(node, "decorator_list", []):
        method = decorator.func if isinstance(decorator, ast.Call) else decorator
        if isinstance(method, ast.Attribute) and is_changing(method.attr):
            yield from root(method.value)
    for one in own_nodes([node]):
        if isinstance(one, ast.Attribute | ast.Subscript) and isinstance(one.ctx, ast.Store | ast.Del):
            yield from root(one.value)
        elif isinstance(one, ast.Call):
            yield from changed_by_call(one)


def changed_by_call(call: ast.Call) -> Iterator[str]:
    """Yield the name whose value a call changes."""
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    if name in CHANGING_ARGUMENT:
        for given in (*call.args[:1], *(word.value for word in call.keywords if word.arg == "python_type")):
            yield from root(given)
    in_place = any(word.arg == "inplace" and getattr(word.value, "value", None) is True for word in call.keywords)
    if isinstance(call.func, ast.Attribute) and (in_place or is_changing(name)):
        yield from root(call.func.value)


def is_changing(method: str) -> bool:
    """Tell whether a method changes its object, by its name."""
    return method in CHANGING or method.startswith(CHANGING_PREFIXES)


def root(node: ast.expr) -> Iterator[str]:
    """Yield the name that ``a.b[c].d`` begins with; never that of ``sys.path``, which is about this machine."""
    chain = node
    while isinstance(chain, ast.Attribute | ast.Subscript):
        if isinstance(chain, ast.Attribute) and chain.attr == "path" and getattr(chain.value, "id", "") == "sys":
            return
        chain = chain.value
    if isinstance(chain, ast.Name):
        yield chain.id
