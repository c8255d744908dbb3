"""Names inside strings that libraries look up where they're called: tables of SQL, and ``@name`` of pandas.

``duckdb.sql("select * from orders")`` finds the data frame in the variable ``orders`` of its caller, and
``df.query("a > @low")`` the variable ``low``. Python's own names of such code say nothing of them. Whether a name found
here is meant is for the asker: it may also be that of a table in a database.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from typing import Final

from ipy_orch.authoring.cells.statements import last_name

__all__ = ["LOOKING_UP", "names_in_strings"]

_TABLES: Final = re.compile(
    r"""\b(?:from|join)\s+((?:"?\w+"?(?:\s+(?:as\s+)?\w+)?\s*,\s*)*"?\w+"?)(?![\w.("])""", re.IGNORECASE
)
_VARIABLES: Final = re.compile(r"@([^\W\d]\w*)")
_SQL: Final = (_TABLES,)
_CALLS: Final = {
    "sql": _SQL,
    "execute": _SQL,
    "from_query": _SQL,
    "query": (_TABLES, _VARIABLES),
    "eval": (_VARIABLES,),
}
LOOKING_UP: Final = frozenset(_CALLS)  #: the last names of functions that do so


def names_in_strings(body: Iterable[ast.AST]) -> frozenset[str]:
    '''Return the names that the strings in calls like ``duckdb.sql(...)`` and ``df.query(...)`` mean.

    A string counts where it stands in such a call, or in what a variable that the call is given was assigned.

    >>> code = """q = "select * from a, b x join c"; con.sql(q); df.query("n > @low")"""
    >>> sorted(names_in_strings(ast.parse(code).body))
    ['a', 'b', 'c', 'low']
    '''
    nodes = [one for node in body for one in ast.walk(node)]
    calls = [one for one in nodes if isinstance(one, ast.Call) and last_name(one.func) in _CALLS]
    assigned = _assigned(nodes) if calls else {}
    return frozenset(name for call in calls for name in _of_call(call, assigned))


def _of_call(call: ast.Call, assigned: dict[str, list[ast.expr]]) -> Iterator[str]:
    """Yield the names in the strings that a call is given."""
    for text in _texts([*call.args, *(word.value for word in call.keywords)], assigned):
        for pattern in _CALLS[last_name(call.func)]:
            for found in pattern.findall(text):
                firsts = (one.split()[0].strip('"') for one in found.split(","))
                yield from (name for name in firsts if name.isidentifier())


def _texts(given: list[ast.expr], assigned: dict[str, list[ast.expr]]) -> Iterator[str]:
    """Yield the strings in expressions, and in what the variables that they name were assigned."""
    front, seen = given, set[str]()
    while front:
        for one in ast.walk(front.pop()):
            if isinstance(one, ast.Constant) and isinstance(one.value, str):
                yield one.value
            elif isinstance(one, ast.Name) and one.id not in seen:
                seen.add(one.id)
                front.extend(assigned.get(one.id, ()))


def _assigned(nodes: Iterable[ast.AST]) -> dict[str, list[ast.expr]]:
    """Return variable -> what it is assigned."""
    found: dict[str, list[ast.expr]] = {}
    for node in nodes:
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        value = getattr(node, "value", None)
        for target in targets:
            if isinstance(target, ast.Name) and isinstance(value, ast.expr):
                found.setdefault(target.id, []).append(value)
    return found
