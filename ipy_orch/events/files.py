"""Files of one's own: replaced at once, and not believed when somebody else can have written them."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterable
from pathlib import Path

__all__ = ["doubt", "lines_of", "replace_whole"]


def doubt(status: os.stat_result) -> str:
    """Return why a file or folder isn't to be trusted, "" when it is this user's and nobody else may write to it."""
    if not hasattr(os, "geteuid"):
        return ""
    if status.st_uid != os.geteuid():
        return "it belongs to another user"
    return "everybody may write to it" if status.st_mode & 0o002 else ""


def replace_whole(path: Path, lines: Iterable[bytes]) -> None:
    """Write a file in the place of another: whoever reads sees the old one or the new.

    Raises:
        OSError: when it can't be written; the old one is intact then.
    """
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        with open(draft, "xb", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
            file.writelines(lines)
        draft.replace(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise


def lines_of(path: Path) -> list[bytes]:
    """Return the lines of a file without a last one that is torn; none of one that isn't to be trusted.

    Raises:
        OSError: when it can't be read.
    """
    with path.open("rb") as file:
        content = b"" if doubt(os.fstat(file.fileno())) else file.read()
    *whole, _torn = content.split(b"\n")
    return whole
