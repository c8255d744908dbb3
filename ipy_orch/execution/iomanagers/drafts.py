"""Files that are replaced at once: whoever reads sees the old content or the new, also after a kill in between."""

from __future__ import annotations

import contextlib
import os
import secrets
import time
from collections.abc import Iterator
from functools import lru_cache, partial
from pathlib import Path
from typing import IO

from ipy_orch.errors import DagsterInvariantViolationError

__all__ = ["ABANDONED", "make_way", "reason", "replacing", "writing"]

ABANDONED = 3600  # seconds after which an unfinished file belongs to nobody


@contextlib.contextmanager
def replacing(path: Path, name: str, mode: int = 0o600, *, lasting: bool = True) -> Iterator[IO[bytes]]:
    """Have a file to write to, which takes the place of ``path`` when the block ends well.

    Args:
        name: what is stored, for messages.
        mode: who may read and write the file, before the process's mask.
        lasting: wait until the disk has it, so that a power failure can't take it, either.

    Raises:
        DagsterInvariantViolationError: when the file can't be written.
    """
    with writing(path, name):
        path.parent.mkdir(parents=True, exist_ok=True)
        sweep(path.parent)
        draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
        try:
            with open(draft, "xb", opener=partial(os.open, mode=mode)) as file:
                yield file
                file.flush()
                if lasting:
                    os.fsync(file.fileno())
            draft.replace(path)
        except BaseException:
            draft.unlink(missing_ok=True)
            raise
        if lasting:
            sync(path.parent)


@contextlib.contextmanager
def writing(path: Path, name: str) -> Iterator[None]:
    """Turn errors of the file system into one that names the asset, the path and the way out."""
    try:
        yield
    except OSError as error:
        hint = "choose a folder you may write to"
        if isinstance(error, (NotADirectoryError, IsADirectoryError, FileExistsError)):
            hint = "a file and a folder can't have one name: rename the asset, or choose another `base_dir`"
        raise DagsterInvariantViolationError(
            f"`{name}` can't be stored: {reason(error)}", where=str(path), hint=hint
        ) from error


def make_way(folder: Path, name: str) -> None:
    """Remove the file of an asset that had no partitions before: a folder takes its place."""
    with writing(folder, name):
        if folder.is_file():
            folder.unlink()


def reason(error: OSError) -> str:
    """Return what the file system says, as part of a sentence."""
    return (error.strerror or str(error)).lower()


@lru_cache(maxsize=4096)  # once per folder and process: looking at each write would cost the square of the values
def sweep(folder: Path) -> None:
    """Remove unfinished files of killed kernels from a folder."""
    for draft in folder.glob(".*.tmp"):
        with contextlib.suppress(OSError):
            if time.time() - draft.stat().st_mtime > ABANDONED:
                draft.unlink()


def sync(folder: Path) -> None:
    """Write the new name of a file to disk too; not every system lets one open a folder."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
