"""``#| asset: NAME`` on top of a cell means ``%%asset NAME``, and leaves the cell valid Python."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from IPython.core.interactiveshell import InteractiveShell

__all__ = ["as_magic", "register"]

FIRST: Final = re.compile(r"^#\|\s*(asset|check)\s*:")
MAGICS: Final = {"asset": "asset", "check": "asset_check"}


def as_magic(lines: list[str]) -> list[str]:
    r"""Return the lines of a cell; where they begin with a directive, a call of the magic instead.

    >>> as_magic(["#| asset: orders\n", "1\n"])
    ["get_ipython().run_cell_magic('asset', '', '#| asset: orders\\n1\\n')\n"]
    """
    first = next((line for line in lines if line.strip()), "")
    found = FIRST.match(first)
    if found is None:
        return lines
    return [f"get_ipython().run_cell_magic({MAGICS[found[1]]!r}, '', {''.join(lines)!r})\n"]


# the test whether a cell is complete leaves such transformers out, and so sees the cell as it is
as_magic.has_side_effects = True  # type: ignore[attr-defined]


def register(ip: InteractiveShell) -> Callable[[], None]:
    """Have directives read; return what undoes it."""
    transformers = ip.input_transformers_cleanup
    transformers.append(as_magic)

    def undo() -> None:
        if as_magic in transformers:
            transformers.remove(as_magic)

    return undo
