"""Pickles on disk: written whole, with a checksum, and not read when somebody else can have written them."""

from __future__ import annotations

import os
import pickle
import zlib
from pathlib import Path
from typing import IO, Any

from ipy_orch.errors import DagsterInvariantViolationError
from ipy_orch.events.files import doubt
from ipy_orch.execution.iomanagers.drafts import reason, replacing

__all__ = ["dump", "is_sealed", "read_pickle", "write_pickle"]

SEAL = b"ipyorch1"  # after the pickle, followed by its CRC-32: pickle.load() of anybody stops before it
TRAILER = len(SEAL) + 4
CHUNK = 1 << 20


def write_pickle(path: Path, value: object, name: str) -> None:
    """Store ``value`` in a file, replacing the old one at once: whoever reads sees the old value or the new one.

    Raises:
        DagsterInvariantViolationError: when ``value`` can't be pickled, or the file can't be written.
    """
    with replacing(path, name) as file:
        dump(value, file, name)


def read_pickle(path: Path, name: str) -> Any:
    """Return the value stored in a file.

    Raises:
        DagsterInvariantViolationError: when the file is truncated, corrupt, or not this user's.
        FileNotFoundError: when there is none.
    """
    try:
        file = path.open("rb")
    except FileNotFoundError:
        raise FileNotFoundError(f"`{name}` isn't stored in {path}\n  hint: materialize it first") from None
    except OSError as error:
        raise DagsterInvariantViolationError(f"`{name}` can't be read: {reason(error)}", where=str(path)) from error
    with file:
        trust(file, path, name)
        try:
            compare_sum(file)
            return pickle.load(file)
        except (AttributeError, ImportError) as error:
            raise DagsterInvariantViolationError(
                f"`{name}` is of a class that isn't here: {error}",
                where=str(path),
                hint="run the cell that defines it, or install its package",
            ) from error
        except Exception as error:
            raise DagsterInvariantViolationError(
                f"the file of `{name}` is truncated or corrupt: {str(error) or type(error).__name__}",
                where=str(path),
                hint=f"materialize `{name}` again",
            ) from error


class Summed:
    """Be a file that knows the CRC-32 of what was written."""

    def __init__(self, file: IO[bytes]) -> None:
        self.file = file
        self.crc = 0

    def write(self, data: Any) -> int:
        self.crc = zlib.crc32(data, self.crc)
        return self.file.write(data)


def dump(value: object, file: IO[bytes], name: str) -> None:
    """Write a value and its checksum to an open file.

    Raises:
        DagsterInvariantViolationError: when it can't be pickled.
    """
    summed = Summed(file)
    try:
        pickle.dump(value, summed, protocol=5)
    except (OSError, KeyboardInterrupt):
        raise
    except Exception as error:
        why = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise DagsterInvariantViolationError(
            f"`{name}` is a `{type(value).__name__}` that can't be pickled: {why}",
            hint="keep it in memory with InMemoryIOManager(), or return what it is made from",
        ) from error
    file.write(SEAL + summed.crc.to_bytes(4, "big"))


def is_sealed(file: IO[bytes]) -> bool:
    """Tell whether a file ends as those that :func:`dump` has written to the end."""
    size = file.seek(0, os.SEEK_END)
    file.seek(max(size - TRAILER, 0))
    sealed = file.read(len(SEAL)) == SEAL
    file.seek(0)
    return sealed


def compare_sum(file: IO[bytes]) -> None:
    """Compare the pickle with its checksum, if it has one: a bit that flipped in a number breaks no pickle.

    Raises:
        ValueError: when they differ.
    """
    size = file.seek(0, os.SEEK_END)
    file.seek(max(size - TRAILER, 0))
    trailer = file.read()
    file.seek(0)
    if not trailer.startswith(SEAL):
        return
    crc, left = 0, size - TRAILER
    while left > 0:
        chunk = file.read(min(left, CHUNK))
        crc, left = zlib.crc32(chunk, crc), left - len(chunk)
    if crc != int.from_bytes(trailer[len(SEAL) :], "big"):
        raise ValueError("its checksum differs")
    file.seek(0)


def trust(file: IO[bytes], path: Path, name: str) -> None:
    """Refuse a pickle that somebody else can have written.

    Raises:
        DagsterInvariantViolationError: when another user owns the file, or everybody may write to it.
    """
    why = doubt(os.fstat(file.fileno()))
    if not why:
        return
    raise DagsterInvariantViolationError(
        f"the file of `{name}` isn't loaded, because {why} and loading a pickle runs code",
        where=str(path),
        hint="give FilesystemIOManager a `base_dir` of your own, or take the file over if you trust it",
    )
