"""Where values are kept: for one run, in files, or in the session.

An IO manager stores what a step returned and loads it for the steps downstream: ``handle_output(context, value)`` and
``load_input(context)``. Whatever it keeps, each reader gets a value of its own (see isolation/). Those that keep
tables, and need pyarrow or DuckDB for it, are on the floor above, in storage/.
"""

from ipy_orch.execution.iomanagers.disk import DiskStore, Form, PickleForm, Unfit
from ipy_orch.execution.iomanagers.files import (
    FilesystemIOManager,
    custom_path_fs_io_manager,
    default_folder,
    fs_io_manager,
)
from ipy_orch.execution.iomanagers.memory import InMemoryIOManager, mem_io_manager
from ipy_orch.execution.iomanagers.session_store import Entry, SessionIOManager, machine_memory

__all__ = [
    "DiskStore",
    "Entry",
    "FilesystemIOManager",
    "Form",
    "InMemoryIOManager",
    "PickleForm",
    "SessionIOManager",
    "Unfit",
    "custom_path_fs_io_manager",
    "default_folder",
    "fs_io_manager",
    "machine_memory",
    "mem_io_manager",
]
