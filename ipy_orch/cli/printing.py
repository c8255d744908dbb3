"""What the shell prints: lines, tables and JSON; colours and a live line only where a person looks at it.

`NO_COLOR` is respected. Whatever users named enters as plain text.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from ipy_orch.session.words import human_bytes, human_seconds, human_shape
from ipy_orch.ui.cards import plain

__all__ = ["COLUMNS", "STYLES", "console", "counted", "heading", "say", "show_json", "show_rows", "worded"]

UNBOUND: Final = 10_000
LONGEST: Final = 60
STYLES: Final = {
    "ran": "green",
    "passed": "green",
    "fresh": "green",
    "success": "green",
    "failed": "bold red",
    "raised": "bold red",
    "failure": "bold red",
    "warned": "yellow",
    "stale": "yellow",
    "retry": "yellow",
    "skipped": "yellow",
    "canceled": "yellow",
    "missing": "dim",
    "not run": "dim",
}
#: the columns of each table
COLUMNS: Final = {
    "assets": ("asset", "status", "reason", "group", "kinds", "rows × columns", "size", "took", "checks"),
    "checks": ("check", "asset", "status", "found", "reason"),
    "jobs": ("job", "kind", "runs", "config needed", "problem"),
    "automations": ("automation", "kind", "cron"),
    "steps": ("step", "partitions", "reason"),
}


def console(*, stderr: bool = False) -> Console:
    """Return where to print; what isn't a terminal gets lines of any length, and no control codes."""
    file = sys.stderr if stderr else sys.stdout
    width = None if file.isatty() else UNBOUND
    console = Console(file=file, width=width, markup=False, highlight=False, emoji=False)
    if console.no_color:  # rich takes it for colours alone
        return Console(file=file, width=width, markup=False, highlight=False, emoji=False, color_system=None)
    return console


def say(text: str | Text = "", style: str = "", *, stderr: bool = False) -> None:
    """Print a text; a long line stays one."""
    shown = text if isinstance(text, Text) else Text(text, style=style)
    console(stderr=stderr).print(shown, soft_wrap=True)


def heading(title: str, told: str = "") -> None:
    """Print the title of a table."""
    say(Text.assemble("\n", (title, "bold"), f": {told}" if told else "", "\n"))


def show_json(data: Mapping[str, Any]) -> None:
    """Print data as JSON, whatever the terminal."""
    sys.stdout.write(json.dumps(data, indent=2, ensure_ascii=False, default=str) + "\n")


def show_rows(kind: str, rows: Iterable[Mapping[str, Any]]) -> None:
    """Print a table of aligned columns, without those that are empty."""
    told = [worded(row) for row in rows]
    names = [name for name in COLUMNS[kind] if any(row.get(name) for row in told)]
    table = Table(*names, box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for row in told:
        table.add_row(*(cell(name, str(row.get(name) or "")) for name in names))
    there = console()
    with there.capture() as captured:
        there.print(table)
    for line in captured.get().splitlines():
        sys.stdout.write(f"  {line.rstrip()}\n")


def cell(name: str, text: str) -> Text:
    """Return what stands in a cell of a table."""
    shown = plain(text)
    shown = shown if len(shown) <= LONGEST else f"{shown[: LONGEST - 1]}…"
    return Text(shown, style=STYLES.get(shown, "") if name == "status" else "", overflow="fold")


def worded(row: Mapping[str, Any]) -> dict[str, str]:
    """Return a row with its numbers in words.

    >>> worded({"asset": "orders", "shape": [3, 2], "bytes": 512, "seconds": 1.23, "metadata": {"n": 3}})
    {'asset': 'orders', 'rows × columns': '3 × 2', 'size': '512 B', 'took': '1.2 s', 'found': 'n=3'}
    """
    words: dict[str, Any] = {
        "rows × columns": human_shape(row.get("shape")),
        "size": human_bytes(row.get("bytes")),
        "took": human_seconds(row.get("seconds")),
        "when": f"{datetime.fromtimestamp(row['when']):%Y-%m-%d %H:%M:%S}" if row.get("when") else "",  # noqa: DTZ006 - for people
        "found": ", ".join(f"{name}={value}" for name, value in (row.get("metadata") or {}).items()),
        "config needed": row.get("needs"),
    }
    told = {
        key: ", ".join(map(str, value)) if isinstance(value, Sequence) and not isinstance(value, str) else str(value)
        for key, value in row.items()
        if value is not None and key not in ("shape", "bytes", "seconds", "when", "metadata", "needs")
    }
    return told | {name: text for name, text in words.items() if text}


def counted(number: int, what: str) -> str:
    """Return a number of things.

    >>> counted(1, "asset"), counted(2, "check")
    ('1 asset', '2 checks')
    """
    return f"{number:,} {what}{'' if number == 1 else 's'}"
