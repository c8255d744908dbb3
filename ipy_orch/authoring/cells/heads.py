"""The head of an op's cell: its name and, as in Python, its parameters.

    %%op clean(raw, limit: int = 10) -> int --retries 2

An op has no assets to read, so what goes in is written down; what stands there is the signature of the function.
"""

from __future__ import annotations

import ast
import re

from ipy_orch.errors import DagsterInvalidDefinitionError

__all__ = ["signature_of", "split_head"]

_HEAD = re.compile(r"^\s*([^\s(]*)\s*(.*?)\s*$", re.DOTALL)
_OPTIONS = re.compile(r"(?:^|\s)--\w")
EXAMPLE = "%%op clean(raw, limit: int = 10)"


def split_head(line: str, where: str = "") -> tuple[str, str, str]:
    """Return the name, the signature and the options of a ``%%op`` line.

    >>> split_head("clean(raw, limit: int = 10) -> int --retries 2")
    ('clean', '(raw, limit: int = 10) -> int', '--retries 2')
    >>> split_head("fetch")
    ('fetch', '()', '')

    Raises:
        DagsterInvalidDefinitionError: when there's no name, or the parameters aren't Python's.
    """
    ends = [*(found.start() for found in _OPTIONS.finditer(line)), len(line)]
    for end in ends:
        found = _HEAD.match(line[:end])
        if found and found[1] and is_signature(found[2] or "()"):
            return found[1], found[2] or "()", line[end:].strip()
    raise wrong(line[: ends[0]], where)


def wrong(head: str, where: str) -> DagsterInvalidDefinitionError:
    """Return the error for a head that can't be read."""
    found = _HEAD.match(head)
    name, rest = (found[1], found[2]) if found else ("", "")
    if not name:
        return DagsterInvalidDefinitionError("`%%op` needs a name", where=where, hint=EXAMPLE)
    if not rest.startswith("("):
        inner = ", ".join(part.strip() for part in rest.replace(",", " ").split())
        inner = rest.strip(", ") if ":" in rest or "=" in rest else inner
        hint = f"%%op {name}({inner})" if is_signature(f"({inner})") else EXAMPLE
        return DagsterInvalidDefinitionError(f"the parameters of op `{name}` stand in brackets", where=where, hint=hint)
    told = f"`{rest}` isn't a list of parameters as Python writes them"
    return DagsterInvalidDefinitionError(told, where=where, hint=EXAMPLE)


def is_signature(text: str) -> bool:
    """Tell whether a text is parameters in brackets, perhaps with what is returned, and nothing else."""
    try:
        signature_of(text)
    except (SyntaxError, ValueError):
        return False
    return True


def signature_of(text: str) -> ast.FunctionDef:
    """Return a function without a body that has this signature.

    Raises:
        SyntaxError: when it isn't one.
    """
    if not text.startswith("("):
        raise SyntaxError(text)
    tree = ast.parse(f"def _{text}: pass")
    function = tree.body[0]
    if len(tree.body) != 1 or not isinstance(function, ast.FunctionDef) or not isinstance(function.body[0], ast.Pass):
        raise SyntaxError(text)
    return function
