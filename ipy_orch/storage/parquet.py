"""Tables as Parquet files, on the local disk or on any file system that fsspec knows."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, Any, ClassVar, Final

from pydantic import Field as PydanticField
from pydantic import PrivateAttr

from ipy_orch.errors import DagsterError, DagsterInvariantViolationError
from ipy_orch.execution.iomanagers import default_folder
from ipy_orch.execution.iomanagers.addresses import escaped, label, partition_parts
from ipy_orch.execution.iomanagers.drafts import replacing
from ipy_orch.model.io import ConfigurableIOManager
from ipy_orch.model.metadata.value import MetadataValue
from ipy_orch.model.resources.resource import InitResourceContext
from ipy_orch.storage.extras import needed
from ipy_orch.storage.frames import (
    MARK,
    Kind,
    as_table,
    columns_of,
    frame_of,
    kind_of,
    mark_of,
    said,
    stored_kind,
    table_metadata,
    wanted_kind,
    wants_dict,
)
from ipy_orch.storage.restoring import with_note, without_note
from ipy_orch.storage.upath import UPathIOManager, path_of

__all__ = ["ParquetIOManager"]

# File systems on which a file appears whole, when its upload ends; elsewhere it is uploaded beside and renamed.
OBJECT_STORES: Final = frozenset({"abfs", "abfss", "adl", "az", "gcs", "gs", "hf", "memory", "oci", "r2", "s3", "s3a"})


class ParquetIOManager(ConfigurableIOManager, UPathIOManager):
    """Keep each table as a Parquet file: ``base_path/key/of/asset.parquet``, or ``.../asset/partition.parquet``.

    Takes frames of pandas and polars (lazy ones too, which are written as they're computed) and Arrow tables. A reader
    gets the kind that its annotation asks for (``def top(orders: pl.DataFrame)``), or else what was stored, with index,
    categories, time zones and the like. ``AssetIn(metadata={"columns": [...]})`` reads some columns only. Several
    partitions come as one table to a reader annotated with a frame, else as a dict by partition.

    A file is replaced at once or not at all, also when the kernel is killed while it writes.

    Args:
        base_path: a folder, or an address such as ``s3://bucket/folder``; by default where the instance keeps values.
        compression: ``zstd``, ``snappy``, ``gzip``, ``lz4`` or ``none``.
        cloud_storage_options: what fsspec is to know of the address; credentials are best left to the environment.

    >>> ParquetIOManager(base_path="data/").root.name
    'data'
    """

    extension: ClassVar[str | None] = ".parquet"  # type: ignore[misc]

    base_path: str | None = PydanticField(default=None, description="The folder or address below which tables are.")
    compression: str = PydanticField(default="zstd", description="How the columns are compressed.")
    cloud_storage_options: dict[str, Any] = PydanticField(default={}, description="Options for fsspec.")
    _default: str | None = PrivateAttr(default=None)
    _stored: dict[str, Any] = PrivateAttr(default_factory=dict)

    def setup_for_execution(self, context: InitResourceContext) -> None:
        """Find the default folder."""
        folder = getattr(context.instance, "storage_directory", None)
        self._default = folder() if callable(folder) else None

    # -- where ---------------------------------------------------------------------------------------------------------

    @property
    def root(self) -> Any:
        """Return the folder below which the files are."""
        return path_of(self.base_path or self._default or default_folder(), self.cloud_storage_options)

    def get_asset_relative_path(self, context: Any) -> PurePosixPath:
        """Return the path of an asset below the root; no key leads out of it."""
        return PurePosixPath(*(escaped(part) for part in context.asset_key.path))

    def make_safe_partition_path(self, base_path: Any, partition: str) -> Any:
        """Return the path of a partition; no key leads out of the asset's folder."""
        return base_path.joinpath(*partition_parts(partition))

    # -- storing -------------------------------------------------------------------------------------------------------

    def handle_output(self, context: Any, obj: Any) -> None:
        """Store a table, and say its path, rows, columns and size.

        Raises:
            DagsterInvariantViolationError: when it is no table, or can't be written.
        """
        with unreachable(label(context), "stored"):
            super().handle_output(context, obj)

    def dump_to_path(self, context: Any, obj: Any, path: Any) -> None:
        """Write a table to a file, and remember what to say of it."""
        name = label(context)
        kind = kind_of(obj, name)
        parquet = needed("pyarrow.parquet", "ParquetIOManager", "parquet")
        with placed(path, name) as file:
            self.write(obj, kind, file, name)
            file.flush()
            found = parquet.read_metadata(file.name)
            size = os.fstat(file.fileno()).st_size
        self._stored[str(path)] = {
            **table_metadata(found.schema.to_arrow_schema(), found.num_rows),
            "size_bytes": MetadataValue.int(size),
        }

    def write(self, value: Any, kind: Kind, file: IO[bytes], name: str) -> None:
        """Write a table to an open file."""
        if kind == "polars-lazy":
            squeeze = "uncompressed" if self.compression == "none" else self.compression
            value.sink_parquet(file.name, compression=squeeze, metadata={MARK.decode(): mark_of(kind)})
            return
        parquet = needed("pyarrow.parquet", "ParquetIOManager", "parquet")
        table = with_note(as_table(value, kind, name))
        parquet.write_table(table, file, compression=self.compression, write_page_checksum=True)

    def get_metadata(self, context: Any, obj: Any) -> Mapping[str, Any]:  # noqa: ARG002 - known since it was written
        """Return rows, columns and size of what was written last."""
        stored: Mapping[str, Any] = self._stored.pop(str(self.output_path(context)), {})
        return stored

    # -- loading -------------------------------------------------------------------------------------------------------

    def load_partitions(self, context: Any) -> Any:
        """Return the table of one partition, one table of several, or a dict where the reader asks for one."""
        if wants_dict(context) or wanted_kind(context) is None or len(context.asset_partition_keys) < 2:
            return super().load_partitions(context)
        paths = self._get_paths_for_partitions(context).values()
        kind = wanted_kind(context)
        assert kind is not None
        tables = [self.read(context, path) for path in paths]
        together = needed("pyarrow", "ParquetIOManager", "parquet").concat_tables(tables, promote_options="permissive")
        return frame_of(together, kind)

    def load_from_path(self, context: Any, path: Any) -> Any:
        """Return the table in a file, as what the reader asks for.

        Raises:
            FileNotFoundError: when there's none.
            DagsterInvariantViolationError: when it isn't Parquet, is damaged, or lacks a column that is asked for.
        """
        kind = wanted_kind(context)
        if kind == "polars-lazy" and isinstance(path, Path):
            return self.scan(context, path)
        table = self.read(context, path)
        return frame_of(table, kind or stored_kind(table.schema.metadata))

    def scan(self, context: Any, path: Path) -> Any:
        """Return a lazy frame that reads the file when it is computed."""
        columns = self.read(context, path, rows=False).column_names
        return needed("polars", "a polars frame").scan_parquet(path).select(columns)

    def read(self, context: Any, path: Any, *, rows: bool = True) -> Any:
        """Return an Arrow table, or one without rows, which costs reading the file's end only."""
        parquet, name = needed("pyarrow.parquet", "ParquetIOManager", "parquet"), label(context)
        with opened(path, name) as stream:
            file = parquet.ParquetFile(stream, page_checksum_verification=True)
            columns = columns_of(context, file.schema_arrow.names, name)
            if not rows:
                empty = file.schema_arrow.empty_table()
                return empty if columns is None else empty.select(columns)
            return without_note(file.read(columns=columns, use_pandas_metadata=True))


@contextmanager
def placed(path: Any, name: str) -> Iterator[IO[bytes]]:
    """Have a local file to write to, which is at its path, whole, when the block ends well."""
    if isinstance(path, Path):
        with replacing(path, name, mode=0o666) as file:
            yield file
        return
    with tempfile.NamedTemporaryFile(prefix="ipy_orch-", suffix=".parquet") as file:
        yield file
        file.flush()
        upload(file.name, path)


def upload(local: str, path: Any) -> None:
    """Copy a file to a file system, so that it appears there at once."""
    if path.protocol in OBJECT_STORES:
        path.fs.put_file(local, path.path)
        return
    draft = path.with_name(f".{path.name}.tmp")
    path.fs.put_file(local, draft.path)
    path.fs.mv(draft.path, path.path)


@contextmanager
def opened(path: Any, name: str) -> Iterator[IO[bytes]]:
    """Have a stored file to read.

    Raises:
        FileNotFoundError: when there's none.
        DagsterInvariantViolationError: when it can't be opened, or what is read isn't Parquet.
    """
    arrow = needed("pyarrow", "ParquetIOManager", "parquet")
    try:
        with unreachable(name, "read"):
            stream = path.open("rb")
    except FileNotFoundError:
        raise FileNotFoundError(f"`{name}` isn't stored in {path}\n  hint: materialize it first") from None
    with stream:
        try:
            yield stream
        except (arrow.ArrowException, OSError) as error:
            raise DagsterInvariantViolationError(
                f"the file of `{name}` isn't Parquet, or is damaged: {said(error)}",
                where=str(path),
                hint=f"materialize `{name}` again",
            ) from error


@contextmanager
def unreachable(name: str, what: str) -> Iterator[None]:
    """Turn what a file system, or a library for it, raises into an error that names the asset."""
    try:
        yield
    except (DagsterError, FileNotFoundError):
        raise
    except OSError as error:
        hint = "look at `base_path`, and at the credentials in the environment"
        raise DagsterInvariantViolationError(f"`{name}` can't be {what}: {said(error)}", hint=hint) from error
