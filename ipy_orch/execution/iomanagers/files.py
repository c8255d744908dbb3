"""Values as files below a folder, each a pickle."""

from __future__ import annotations

import atexit
import functools
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

from pydantic import Field as PydanticField
from pydantic import PrivateAttr

from ipy_orch.errors import DagsterInvariantViolationError
from ipy_orch.execution.iomanagers.addresses import (
    escaped,
    identifier,
    is_nothing,
    label,
    loaded,
    only_partition,
    partition_parts,
)
from ipy_orch.execution.iomanagers.drafts import make_way
from ipy_orch.execution.iomanagers.pickles import read_pickle, write_pickle
from ipy_orch.model.io import ConfigurableIOManager, IOManager, IOManagerDefinition
from ipy_orch.model.metadata.value import MetadataValue
from ipy_orch.model.resources.resource import InitResourceContext
from ipy_orch.model.results import AssetMaterialization

__all__ = ["CustomPathIOManager", "FilesystemIOManager", "custom_path_fs_io_manager", "default_folder", "fs_io_manager"]


class FilesystemIOManager(ConfigurableIOManager):
    """Keep each value as a pickle below a folder: ``base_dir/asset/key``, ``base_dir/asset/key/partition``.

    A value is replaced at once or not at all, also when the kernel is killed while it writes. Because loading a pickle
    runs code, files that another user owns, or that anybody may write to, are refused.

    Args:
        base_dir: the folder; made when it isn't there. By default the storage folder of the instance that the run
            belongs to, or ``$DAGSTER_HOME/storage``, or else a temporary folder that goes with this process.
    """

    base_dir: str | None = PydanticField(default=None, description="The folder below which values are kept.")
    _default: str | None = PrivateAttr(default=None)

    def setup_for_execution(self, context: InitResourceContext) -> None:
        """Find the default folder."""
        folder = getattr(context.instance, "storage_directory", None)
        self._default = folder() if callable(folder) else None

    def path(self, context: Any, partition: str | None = None) -> Path:
        """Return the file of a value."""
        if context.has_asset_key:
            parts = [escaped(part) for part in context.asset_key.path]
        else:
            parts = [escaped(str(part)) for part in identifier(context)]
        return Path(self.base_dir or self._default or default_folder()).joinpath(
            *parts, *([] if partition is None else partition_parts(partition))
        )

    def has_output(self, context: Any) -> bool:
        """Tell whether the value of an output is there."""
        return self.path(context, only_partition(context)).is_file()

    def handle_output(self, context: Any, obj: object) -> None:
        """Store the value of an output, and add its path to the metadata.

        Raises:
            DagsterInvariantViolationError: when it can't be pickled, or the folder can't be written to.
        """
        if is_nothing(context):
            return
        partition = only_partition(context)
        path = self.path(context, partition)
        if partition is not None:
            make_way(self.path(context), label(context))
        write_pickle(path, obj, label(context))
        if obj is not None:
            context.add_output_metadata({"path": MetadataValue.path(str(path))})

    def load_input(self, context: Any) -> object:
        """Return the stored value of an input; a dict by partition when there are several.

        Raises:
            DagsterInvariantViolationError: when the file is damaged or not to be trusted.
            FileNotFoundError: when nothing is stored.
        """
        return loaded(context, lambda partition: read_pickle(self.path(context, partition), label(context)))


fs_io_manager = IOManagerDefinition(
    FilesystemIOManager.from_resource_context,
    config_schema=FilesystemIOManager.to_config_schema(),
    description="Keeps values as pickles below a folder.",
)


class CustomPathIOManager(IOManager):
    """Keep each value as a pickle in the file that its output's metadata names: ``Out(metadata={"path": "a/b"})``."""

    def __init__(self, base_dir: str) -> None:
        self.base_dir = base_dir

    def handle_output(self, context: Any, obj: object) -> None:
        """Store the value of an output, and say where.

        Raises:
            DagsterInvariantViolationError: when no path is told, or it can't be stored.
        """
        path = self.path(context)
        write_pickle(path, obj, label(context))
        parts = [context.job_name, context.step_key, context.name]
        context.log_event(AssetMaterialization(parts, metadata={"path": MetadataValue.path(str(path.absolute()))}))

    def load_input(self, context: Any) -> object:
        """Return the stored value of an input.

        Raises:
            FileNotFoundError: when nothing is stored.
        """
        return read_pickle(self.path(context.upstream_output), label(context))

    def path(self, context: Any) -> Path:
        """Return the file of an output.

        Raises:
            DagsterInvariantViolationError: when no path is told.
        """
        told = (context.definition_metadata or {}).get("path")
        if not isinstance(told, str):
            raise DagsterInvariantViolationError(
                f"`{label(context)}` has no path to be stored in", hint='Out(metadata={"path": "a/b"})'
            )
        return Path(self.base_dir) / told


custom_path_fs_io_manager = IOManagerDefinition(
    lambda context: CustomPathIOManager(context.resource_config["base_dir"]),
    config_schema={"base_dir": str},
    description="Keeps values as pickles in the files that outputs name.",
)


@functools.cache
def default_folder() -> str:
    """Return the folder of values for which none was chosen."""
    home = os.environ.get("DAGSTER_HOME")
    if home:
        return os.path.join(home, "storage")  # noqa: PTH118 - configuration is text
    folder = tempfile.mkdtemp(prefix="ipy_orch-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder
