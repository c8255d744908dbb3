"""Modules as ruff formats them, where it is installed; what is written without it is laid out the same way by hand."""

from __future__ import annotations

import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

from ipy_orch.export.layout import WIDTH

__all__ = ["formatted"]


@cache
def ruff() -> str:
    """Return the path of ruff, "" where there is none."""
    beside = Path(sys.executable).with_name("ruff")
    return str(beside) if beside.is_file() else shutil.which("ruff") or ""


def formatted(text: str) -> str:
    """Return a module in ruff's format, without anybody's settings; as it is where there's no ruff."""
    if not ruff():
        return text
    command = [ruff(), "format", "--isolated", "--line-length", str(WIDTH), "--stdin-filename", "definitions.py", "-"]
    try:
        done = subprocess.run(command, input=text.encode(), capture_output=True, check=True, timeout=60)  # noqa: S603
    except (OSError, subprocess.SubprocessError):
        return text
    return done.stdout.decode()
