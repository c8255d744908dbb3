"""The built view: a script and its style, which the wheel holds and ``npm run build`` makes."""

from __future__ import annotations

from pathlib import Path
from typing import Final

__all__ = ["bundle_is_built", "script", "style"]

STATIC: Final = Path(__file__).parent / "static"
SCRIPT: Final = STATIC / "lineage.js"
STYLE: Final = STATIC / "lineage.css"


def bundle_is_built() -> bool:
    """Tell whether the view is there; a wheel has it, a fresh checkout may not."""
    return SCRIPT.is_file()


def script() -> str:
    """Return the view's script, "" where it isn't built."""
    return text_of(SCRIPT)


def style() -> str:
    """Return the view's style, "" where it isn't built."""
    return text_of(STYLE)


def text_of(path: Path) -> str:
    """Return what a file holds, "" where there's none."""
    return path.read_text(encoding="utf-8") if path.is_file() else ""
