"""Values as files on any file system that fsspec knows, through universal-pathlib: local, S3, GCS, memory ...

What the files hold is a subclass's business: it writes one value to one path, and reads it.
"""

from __future__ import annotations

import asyncio
import inspect
from abc import abstractmethod
from collections.abc import Awaitable, Mapping, Sequence
from pathlib import Path, PurePath, PurePosixPath
from typing import Any

from ipy_orch.errors import DagsterInvariantViolationError
from ipy_orch.execution.iomanagers.addresses import is_nothing, label
from ipy_orch.model.io import IOManager
from ipy_orch.model.metadata.value import MetadataValue
from ipy_orch.storage.extras import needed

__all__ = ["UPathIOManager", "path_of"]


def path_of(text: str, options: Mapping[str, Any] | None = None) -> Any:
    """Return a path: pathlib's for a local folder, universal-pathlib's for ``s3://...`` and the like.

    Raises:
        DagsterInvariantViolationError: when universal-pathlib is needed, or what it needs, and isn't installed.

    >>> path_of("data/orders").name
    'orders'
    """
    if "://" not in text:
        return Path(text).expanduser()
    upath = needed("upath", f"`{text}`", "parquet")
    try:
        path = upath.UPath(text, **(options or {}))
        path.fs  # noqa: B018 - imports what the protocol needs
    except (ValueError, ImportError) as error:
        raise DagsterInvariantViolationError(
            f"`{text}` can't be opened: {error}", hint="install the package for that protocol, e.g. s3fs for s3://"
        ) from error
    return path


def relative_parts(path: PurePath | Any) -> tuple[str, ...]:
    """Return the parts of a path as those below a folder: a path from the root can't lead out of it.

    >>> relative_parts(PurePosixPath("/etc/passwd")), relative_parts(PurePosixPath("orders/daily"))
    (('%2Fetc', 'passwd'), ('orders', 'daily'))
    """
    parts = tuple(part for part in path.parts if part != "/")
    return ("%2F" + parts[0], *parts[1:]) if parts and path.is_absolute() else parts


class UPathIOManager(IOManager):
    r"""Keep each value in a file below ``base_path``: ``key/of/asset``, and ``key/of/asset/partition``.

    A subclass says what a file holds: ``dump_to_path(context, value, path)`` and ``load_from_path(context, path)``,
    which may be async; then the partitions of one input are loaded together. Several partitions come as a dict; one
    that isn't there is left out when the input's metadata has ``allow_missing_partitions``.

    Args:
        base_path: the folder; the current one by default.

    >>> class Lines(UPathIOManager):
    ...     extension = ".txt"
    ...     def dump_to_path(self, context, obj, path):
    ...         path.write_text("\n".join(obj))
    ...     def load_from_path(self, context, path):
    ...         return path.read_text().splitlines()
    """

    extension: str | None = None  # of each file, with its dot

    def __init__(self, base_path: Any = None) -> None:
        if self.extension and "." not in self.extension:
            raise DagsterInvariantViolationError(
                f"the extension of `{type(self).__name__}` is {self.extension!r}, without a dot",
                hint=f'extension = ".{self.extension}"',
            )
        self._base_path = needed("upath", "UPathIOManager", "parquet").UPath(".") if base_path is None else base_path

    # -- what a subclass says ------------------------------------------------------------------------------------------

    @abstractmethod
    def dump_to_path(self, context: Any, obj: Any, path: Any) -> None:
        """Write a value to a file, whose folder is there."""

    @abstractmethod
    def load_from_path(self, context: Any, path: Any) -> Any:
        """Return the value in a file; raise FileNotFoundError when there's none."""

    def get_metadata(self, context: Any, obj: Any) -> Mapping[str, Any]:  # noqa: ARG002 - for subclasses
        """Return what the materialization is to say of a value, beside its path."""
        return {}

    def make_directory(self, path: Any) -> None:
        """Make a folder and those above it."""
        path.mkdir(parents=True, exist_ok=True)

    def unlink(self, path: Any) -> None:
        """Remove a file."""
        path.unlink()

    def path_exists(self, path: Any) -> bool:
        """Tell whether there's a file or folder."""
        return bool(path.exists())

    def get_loading_input_log_message(self, path: Any) -> str:
        """Return what is logged before a value is read."""
        return f"reading {path}"

    def get_writing_output_log_message(self, path: Any) -> str:
        """Return what is logged before a value is written."""
        return f"writing {path}"

    def get_loading_input_partition_log_message(self, path: Any, partition_key: str) -> str:
        """Return what is logged before a partition is read."""
        return f"reading partition {partition_key} from {path}"

    def get_missing_partition_log_message(self, partition_key: str) -> str:
        """Return what is logged when a partition isn't there and may be missing."""
        return f"partition {partition_key} isn't stored; left out, as `allow_missing_partitions` says"

    # -- where ---------------------------------------------------------------------------------------------------------

    @property
    def root(self) -> Any:
        """Return the folder below which everything is."""
        return self._base_path

    @property
    def fs(self) -> Any:
        """Return the fsspec file system."""
        own = getattr(self.root, "fs", None)
        return needed("fsspec", "UPathIOManager", "parquet").filesystem("file") if own is None else own

    @property
    def storage_options(self) -> dict[str, Any]:
        """Return the options that the file system was made with."""
        return dict(getattr(self.root, "storage_options", None) or {})

    def get_asset_relative_path(self, context: Any) -> Any:
        """Return the path of an asset below the root, without partition and extension."""
        return PurePosixPath(*context.asset_key.path)

    def get_op_output_relative_path(self, context: Any) -> Any:
        """Return the path of an output that isn't an asset, below the root."""
        return PurePosixPath(*context.get_identifier())

    def make_safe_partition_path(self, base_path: Any, partition: str) -> Any:
        """Return the path of a partition below that of its asset; one that begins with a slash stays below."""
        return base_path / ("%2F" + partition[1:] if partition.startswith("/") else partition)

    def get_path_for_partition(self, context: Any, path: Any, partition: str) -> Any:  # noqa: ARG002 - for subclasses
        """Return the path of a partition, without extension.

        Args:
            path: of the asset.
            partition: its key; the keys of several dimensions are joined by slashes, in the order of their names.
        """
        return self.make_safe_partition_path(path, partition)

    def _get_path(self, context: Any) -> Any:
        """Return the file of an unpartitioned value; subclasses of Dagster's class call it by this name."""
        return self._with_extension(self._get_path_without_extension(context))

    def _get_path_without_extension(self, context: Any) -> Any:
        relative = self.get_asset_relative_path if context.has_asset_key else self.get_op_output_relative_path
        return self.root.joinpath(*relative_parts(relative(context)))

    def _with_extension(self, path: Any) -> Any:
        return path.with_name(path.name + self.extension) if self.extension else path

    def _get_paths_for_partitions(self, context: Any) -> dict[str, Any]:
        folder = self._get_path_without_extension(context)
        return {
            key: self._with_extension(self.get_path_for_partition(context, folder, joined(key)))
            for key in context.asset_partition_keys
        }

    def has_output(self, context: Any) -> bool:
        """Tell whether the value of an output is there."""
        return self.path_exists(self.output_path(context))

    def output_path(self, context: Any) -> Any:
        """Return the file that an output belongs in.

        Raises:
            DagsterInvariantViolationError: when it is of several partitions.
        """
        if not context.has_asset_partitions:
            return self._get_path(context)
        paths = self._get_paths_for_partitions(context)
        if len(paths) != 1:
            raise DagsterInvariantViolationError(
                f"one value can't be stored for {len(paths)} partitions of `{label(context)}`",
                hint="return None from the asset and store the partitions there",
            )
        return next(iter(paths.values()))

    # -- storing and loading -------------------------------------------------------------------------------------------

    def handle_output(self, context: Any, obj: Any) -> None:
        """Store the value of an output, and add its path to the metadata.

        Raises:
            DagsterInvariantViolationError: when it is of several partitions.
        """
        if is_nothing(context):
            return
        path = self.output_path(context)
        if context.has_asset_partitions:
            self.make_way(path.parent)
        self.make_directory(path.parent)
        context.log.debug(self.get_writing_output_log_message(path))
        self.dump_to_path(context=context, obj=obj, path=path)
        where = {"path": MetadataValue.path(str(path))} if obj is not None else {}
        context.add_output_metadata({**where, **self.get_metadata(context=context, obj=obj)})

    def make_way(self, folder: Any) -> None:
        """Remove the file of an asset that had no partitions before: a folder takes its place."""
        if folder.is_file():
            self.unlink(folder)

    def load_input(self, context: Any) -> Any:
        """Return the stored value of an input; a dict by partition when there are several, None when there are none.

        Raises:
            FileNotFoundError: when nothing is stored.
            RuntimeError: when partitions that are loaded together can't be.
        """
        if not (context.has_asset_key and context.has_asset_partitions):
            path = self._get_path(context)
            context.log.debug(self.get_loading_input_log_message(path))
            return awaited(self.load_from_path(context=context, path=path))
        if not context.asset_partition_keys:
            return None
        if inspect.iscoroutinefunction(self.load_from_path):
            return self.load_partitions_async(context)
        return self.load_partitions(context)

    def load_partitions(self, context: Any) -> Any:
        """Return the value of one partition, or those of several by key."""
        found = {}
        for key, path in self._get_paths_for_partitions(context).items():
            context.log.debug(self.get_loading_input_partition_log_message(path, key))
            try:
                found[key] = self.load_from_path(context=context, path=path)
            except FileNotFoundError:
                if not may_miss(context):
                    raise
                context.log.warning(self.get_missing_partition_log_message(key))
        if len(context.asset_partition_keys) == 1:
            return next(iter(found.values()), None)
        return {key: value for key, value in found.items() if value is not None}

    def load_partitions_async(self, context: Any) -> Any:
        """Return the value of one partition, or those of several by key, loaded at the same time."""
        paths = self._get_paths_for_partitions(context)
        calls = [self.load_from_path(context=context, path=path) for path in paths.values()]
        found = dict(zip(paths, awaited(gathered(calls)), strict=True))
        errors = {key: one for key, one in found.items() if isinstance(one, BaseException)}
        for key, error in list(errors.items()):
            if isinstance(error, FileNotFoundError) and may_miss(context):
                context.log.warning(self.get_missing_partition_log_message(key))
                del errors[key]
        if errors:
            key, error = next(iter(errors.items()))
            raise RuntimeError(
                f"{len(errors)} of {len(paths)} partitions of `{label(context)}` can't be loaded, e.g. {key}: {error}"
            ) from error
        loaded = {key: one for key, one in found.items() if one is not None and not isinstance(one, BaseException)}
        return loaded if len(paths) > 1 else next(iter(loaded.values()), None)


def joined(partition: str) -> str:
    """Return a partition's key as a path: the keys of several dimensions in the order of their names."""
    dimensions = getattr(partition, "keys_by_dimension", None)
    return "/".join(dimensions[name] for name in sorted(dimensions)) if dimensions else str(partition)


def may_miss(context: Any) -> bool:
    """Tell whether a reader goes on without partitions that aren't there."""
    return bool((context.definition_metadata or {}).get("allow_missing_partitions", False))


async def gathered(calls: Sequence[Awaitable[Any]]) -> list[Any]:
    """Return the results of several calls, or what they raised."""
    return await asyncio.gather(*calls, return_exceptions=True)


def awaited(value: Any) -> Any:
    """Return a value, or the result of a coroutine; in a notebook, whose loop is busy, on a thread of its own."""
    if not inspect.iscoroutine(value):
        return value
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(value)
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(1, thread_name_prefix="ipy_orch-load") as pool:
        return pool.submit(asyncio.run, value).result()
