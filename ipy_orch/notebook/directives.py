"""``#| asset: NAME`` on top of a cell means ``%%asset NAME``, and leaves the cell valid Python."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from IPython.core.interactiveshell import InteractiveShell

from ipy_orch.authoring.cells.cells import head_of
from ipy_orch.authoring.cells.misspelt import misspelt_directive

__all__ = ["as_magic", "register"]

MAGICS: Final = {"asset": "asset", "check": "asset_check", "op": "op"}


def as_magic(lines: list[str]) -> list[str]:
    r"""Return the lines of a cell; where they begin with a directive, a call of the magic instead.

    Also where comments stand above a magic, which IPython itself knows on the first line only.

    >>> as_magic(["#| asset: orders\n", "1\n"])
    ["get_ipython().run_cell_magic('asset', '', '#| asset: orders\\n1\\n')\n"]
    >>> as_magic(["# paid\n", "%%asset orders\n", "1\n"])
    ["get_ipython().run_cell_magic('asset', 'orders', '1\\n')\n"]
    >>> as_magic(['%%schedule nightly --cron "0 3 * * *" --job load\n'])
    ['%schedule nightly --cron "0 3 * * *" --job load\n']
    """
    if lines and lines[0].startswith("%%schedule ") and not "".join(lines[1:]).strip():
        return [lines[0][1:], *lines[1:]]  # IPython refuses a cell magic without a body
    head = head_of(lines)
    if head is None or (head.magic is not None and head.start == 0):
        return lines
    if head.magic is not None:
        return [call(head.kind, head.magic, lines[head.end :])]
    return [call(MAGICS[head.kind], "", lines)]


def call(magic: str, line: str, body: list[str]) -> str:
    """Return a line that calls a cell magic."""
    return f"get_ipython().run_cell_magic({magic!r}, {line!r}, {''.join(body)!r})\n"


# the test whether a cell is complete leaves such transformers out, and so sees the cell as it is
as_magic.has_side_effects = True  # type: ignore[attr-defined]


def register(ip: InteractiveShell, tell: Callable[[str], None]) -> Callable[[], None]:
    """Have directives read, and those told that nearly are one; return what undoes it."""
    transformers = ip.input_transformers_cleanup
    transformers.append(as_magic)

    def look(info: Any) -> None:
        if not info.silent and (told := misspelt_directive(info.raw_cell or "")):
            tell(told)

    ip.events.register("pre_run_cell", look)

    def undo() -> None:
        ip.events.unregister("pre_run_cell", look)
        if as_magic in transformers:
            transformers.remove(as_magic)

    return undo
