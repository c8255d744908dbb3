"""Cells that look as if they were to be an asset, a check or an op, and aren't: a word misspelt, a colon left out.

Quarto, nbdev and others have directives of their own; only what is nearly one of ours is told.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import get_close_matches
from typing import Final

from ipy_orch.authoring.cells.cells import head_of

__all__ = ["misspelt_directive"]

OURS: Final = ("asset", "check", "op")
NEAR: Final = 0.75  #: of `assets` and `aset`; Quarto's `asis` and `echo` are further away
LEAST: Final = 4  #: letters of a word that may be misspelt: many short words are near `op`

_LINE: Final = re.compile(r"^#\s*\|\s*(?P<word>[A-Za-z_]+)\s*(?P<mark>[:=]?)\s*(?P<rest>\S.*)?$")


def misspelt_directive(text: str) -> str:
    r"""Return what is wrong with a directive of a cell that is a plain one, and what to write; "" where nothing is.

    >>> misspelt_directive("#| aset: orders\n1")
    '`#| aset: orders` says nothing, and the cell runs as any other: did you mean `#| asset: orders`?'
    >>> misspelt_directive("#| echo: false\n#| label: fig-1\n1")
    ''
    """
    lines = text.split("\n")
    if text.lstrip().startswith("%%") or head_of(lines) is not None:
        return ""
    top = top_of(lines)
    for number, line in enumerate(lines):
        found = _LINE.match(line.rstrip())
        meant = word_meant(found["word"]) if found is not None else ""
        if found is None or not meant or not (found["mark"] or line.startswith("#|")):
            continue
        exact = f"#| {meant}: {(found['rest'] or 'NAME').strip()}"
        if number < top:
            return f"`{line.strip()}` says nothing, and the cell runs as any other: did you mean `{exact}`?"
        if line.startswith("#|") and found["word"] == meant and found["mark"] == ":":
            return f"`{line.strip()}` in line {number + 1} says nothing: it stands on top of its cell, above all code"
    return ""


def top_of(lines: Sequence[str]) -> int:
    """Return how many lines stand above the code of a cell: comments, directives, blank ones."""
    code = (number for number, line in enumerate(lines) if line.strip() and not line.startswith("#"))
    return next(code, len(lines))


def word_meant(word: str) -> str:
    """Return the word of ours that a word is, or nearly is; "" for others.

    >>> word_meant("assets"), word_meant("Check"), word_meant("ops"), word_meant("export"), word_meant("output")
    ('asset', 'check', 'op', '', '')
    """
    plain = word.lower()
    if plain in OURS or plain == "ops":
        return plain.removesuffix("s")
    near = get_close_matches(plain, OURS, n=1, cutoff=NEAR) if len(plain) >= LEAST else []
    return near[0] if near else ""
