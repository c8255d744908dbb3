"""The marks of an exported module: which cell each of its definitions is from, and how it left the notebook.

They stand below the code, so that the code itself looks as anybody's does:

    # The cells of the notebook, by which edits here find their way back (`ipy-orch import`):
    #   8f14e45f: LIMIT 0a3b1c, rounded 9e107d

By the digests an import tells on which side a definition was edited. They are of what was *exported*, in a form that
neither comments' spacing nor a formatter changes, and so they are the same whatever spelling a cell has.
"""

from __future__ import annotations

import ast
import inspect
import io
import re
import tokenize
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Final

__all__ = ["IMPORTS", "Mark", "digest_of", "footer", "mark_id", "name_of", "read_footer", "without_footer"]

HEADING: Final = "# The cells of the notebook, by which edits here find their way back (`ipy-orch import`):"
LINE: Final = re.compile(r"^#   ([\w-]+): (.*)$")
IMPORTS: Final = "imports"
LAYOUT: Final = frozenset({"ctx", "kind", "type_comment", "type_ignores"})


@dataclass(frozen=True)
class Mark:
    """Be what a module says of one cell.

    Args:
        key: the cell's id; what stands apart from the rest of its cell has a number behind it.
        parts: name and digest of each definition from it, in the module's order.
    """

    key: str
    parts: tuple[tuple[str, str], ...]

    def __str__(self) -> str:
        told = ", ".join(f"{name} {digest}".rstrip() for name, digest in self.parts)
        return f"#   {self.key}: {told}"


def footer(marks: Sequence[Mark]) -> str:
    """Return the marks as the end of a module, nothing where there are none."""
    return "\n".join([HEADING, *map(str, marks)]) + "\n" if marks else ""


def read_footer(text: str) -> list[Mark]:
    """Return the marks at the end of a module, none where it has none."""
    _, found, below = text.rpartition(f"\n{HEADING}\n")
    lines = filter(None, map(LINE.match, below.splitlines())) if found else ()
    return [Mark(line[1], tuple(part(one) for one in line[2].split(", "))) for line in lines]


def part(text: str) -> tuple[str, str]:
    """Return name and digest of one definition."""
    name, _, digest = text.partition(" ")
    return name, digest


def without_footer(text: str) -> str:
    """Return a module without its marks."""
    above, found, _ = text.rpartition(f"\n{HEADING}\n")
    return f"{above.rstrip()}\n" if found else text


def mark_id(key: str, name: str) -> str:
    """Return the id of a cell; where a front end gave it none, one that its first definition makes.

    >>> mark_id("8f14e45f", "orders"), mark_id("asset:orders", "orders")
    ('8f14e45f', 'f85164bc')
    """
    if re.fullmatch(r"[\w-]{1,64}", key):
        return key
    return blake2b(name.encode(), digest_size=4).hexdigest()


def name_of(node: ast.stmt, binds: Iterable[str] = (), changes: Iterable[str] = ()) -> str:
    """Return how a statement is called in the marks: like what it binds, else like what it changes."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return node.name
    return min(binds, default="") or f"{min(changes, default='')}+"


def digest_of(text: str) -> str:
    r"""Return a digest of a definition that layout doesn't change.

    >>> digest_of("x = 'a' # b") == digest_of("x = \"a\"  #  b"), digest_of("x = 1") == digest_of("x = 2")
    (True, False)
    """
    tree = ast.parse(text)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and (
            said := ast.get_docstring(node)
        ):
            first = node.body[0]
            assert isinstance(first, ast.Expr)
            first.value = ast.Constant(inspect.cleandoc(said).strip())
    return blake2b("\0".join([dumped(tree), *comments(text)]).encode(), digest_size=3).hexdigest()


def dumped(node: Any) -> str:
    """Return a syntax tree as text, the same in every version of Python that can read it."""
    if isinstance(node, list):
        return f"[{','.join(map(dumped, node))}]"
    if not isinstance(node, ast.AST):
        return repr(node)
    said = [(name, value) for name, value in ast.iter_fields(node) if value not in (None, []) and name not in LAYOUT]
    return f"{type(node).__name__}({','.join(f'{name}={dumped(value)}' for name, value in said)})"


def comments(text: str) -> list[str]:
    """Return the comments of a text."""
    tokens = tokenize.generate_tokens(io.StringIO(f"{text}\n").readline)
    return [one.string.strip("# \t") for one in tokens if one.type == tokenize.COMMENT]
