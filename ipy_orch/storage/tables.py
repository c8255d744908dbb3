"""Tables of a session as Parquet files, where they come back exactly; all others are left to pickle.

A file is read again as soon as it is written, and compared with what was written: nothing about pandas' many types is
taken on trust. What Parquet would change is, among others, a frame with Python objects in its columns, with attributes,
with an index that has a frequency, with columns named by anything but text.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import IO, Any, Final

from ipy_orch.errors import DagsterError, DagsterInvariantViolationError
from ipy_orch.events.files import doubt
from ipy_orch.execution.iomanagers.disk import Unfit
from ipy_orch.storage.extras import needed
from ipy_orch.storage.frames import Kind, as_table, frame_of, kind_of_class, stored_kind
from ipy_orch.storage.restoring import with_note, without_note

__all__ = ["TableForm", "is_same"]

MAGIC: Final = b"PAR1"  # at both ends of a file, says the format
KINDS: Final = ("pandas", "polars", "pyarrow")


class TableForm:
    """Keep a frame of pandas or polars, or an Arrow table, as Parquet, if it comes back the same."""

    suffix = ".parquet"

    def takes(self, value: object) -> bool:
        """Tell whether a value is a table, and pyarrow there to write it; of a subclass, Parquet would lose the class.

        What isn't loaded yet has made no table.
        """
        kind = type(value)
        library = kind.__module__.partition(".")[0]
        if library not in sys.modules or kind_of_class(kind) not in KINDS:
            return False
        return kind.__name__ in ("DataFrame", "Table") and library in KINDS and has_pyarrow()

    def write(self, value: Any, file: IO[bytes], name: str) -> None:
        """Write a table, and read it again.

        Raises:
            Unfit: when it isn't the same.
        """
        arrow, parquet = needed("pyarrow", "keeping tables"), needed("pyarrow.parquet", "keeping tables")
        kind = kind_of_class(type(value))
        assert kind is not None
        if kind == "pandas" and is_doubtful(value):
            raise Unfit
        try:
            table = with_note(as_table(value, kind, name))
            parquet.write_table(table, file, compression="zstd", write_page_checksum=True)
            file.flush()
            again = frame_of(read(Path(file.name)), kind)
        except (DagsterError, arrow.ArrowException, TypeError, ValueError, KeyError) as error:
            again, why = None, error
        else:
            why = None
        if why is not None or not is_same(value, again, kind):
            raise Unfit from why

    def is_whole(self, file: IO[bytes], size: int) -> bool:
        """Tell whether a file begins and ends as Parquet does."""
        if size < 3 * len(MAGIC):
            return False
        begin = file.read(len(MAGIC))
        file.seek(-len(MAGIC), os.SEEK_END)
        return begin == MAGIC == file.read(len(MAGIC))

    def read(self, path: Path, name: str) -> Any:
        """Return the table in a file."""
        with path.open("rb") as file:
            why = doubt(os.fstat(file.fileno()))
        if why:
            raise DagsterInvariantViolationError(f"the file of `{name}` isn't loaded, because {why}", where=str(path))
        table = read(path)
        return frame_of(table, stored_kind(table.schema.metadata))


def has_pyarrow() -> bool:
    """Tell whether pyarrow can be imported."""
    try:
        needed("pyarrow.parquet", "keeping tables")
    except DagsterError:
        return False
    return True


def read(path: Path) -> Any:
    """Return the Arrow table in a file."""
    parquet = needed("pyarrow.parquet", "keeping tables")
    with path.open("rb") as stream:
        file = parquet.ParquetFile(stream, page_checksum_verification=True)
        return without_note(file.read(use_pandas_metadata=True))


def is_doubtful(frame: Any) -> bool:
    """Tell whether a pandas frame holds what equality can't compare: Python objects, where 1 == 1.0 == True."""
    indexes = [frame.index, frame.columns]
    levels = [level for one in indexes for level in getattr(one, "levels", [one])]
    kinds = [*frame.dtypes, *(one.dtype for one in levels)]
    inner = [getattr(kind, "categories", None) for kind in kinds]
    kinds += [one.dtype for one in inner if one is not None]
    return bool(frame.attrs) or not frame.flags.allows_duplicate_labels or any(str(kind) == "object" for kind in kinds)


def is_same(one: Any, other: Any, kind: Kind) -> bool:
    """Tell whether two tables of a library are the same to their last bit that one can ask for."""
    if type(one) is not type(other):
        return False
    if kind == "pyarrow":
        return bool(one.equals(other, check_metadata=True))
    if kind == "polars":
        return bool(one.schema == other.schema and one.equals(other, null_equal=True))
    return (
        list(one.dtypes) == list(other.dtypes)
        and all(map(is_same_index, (one.index, one.columns), (other.index, other.columns)))
        and bool(one.equals(other))
    )


def is_same_index(one: Any, other: Any) -> bool:
    """Tell whether two indexes of pandas are of one class, type, frequency and content, and have the same names."""
    told = [(type(each), getattr(each, "freq", None), list(each.names), str(each.dtype)) for each in (one, other)]
    levels = [getattr(each, "levels", ()) for each in (one, other)]
    return (
        told[0] == told[1]
        and one.dtype == other.dtype
        and bool(one.equals(other))
        and len(levels[0]) == len(levels[1])
        and all(map(is_same_index, *levels))
    )
