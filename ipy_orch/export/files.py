"""A module's file: written whole or not at all, and never over somebody else's."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Final

__all__ = ["OURS", "is_ours", "replace_file"]

OURS: Final = "# Written by ipy_orch"


def is_ours(place: Path) -> bool:
    """Tell whether a file begins as our modules do."""
    with place.open("rb") as file:
        return file.readline(200).startswith(OURS.encode())


def replace_file(place: Path, content: bytes) -> None:
    """Put content in the place of a file in one step, so that nobody ever reads half of it."""
    handle, temporary = tempfile.mkstemp(dir=place.parent, prefix=f".{place.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        Path(temporary).chmod(place.stat().st_mode & 0o777 if place.exists() else 0o666 & ~umask())
        Path(temporary).replace(place)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def umask() -> int:
    """Return the process's mask of permissions, which can only be read by setting it."""
    mask = os.umask(0o022)
    os.umask(mask)
    return mask
