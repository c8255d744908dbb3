"""Values between two environments, in files: tables as Parquet where that is exact, all others as pickles.

Parquet is the same for every version of pandas. A pickle may not be readable elsewhere: then it stays closed, and can
be handed back to where it came from.
"""

from __future__ import annotations

import os
import pickle
import platform
import sys
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final, NoReturn

from ipy_orch.errors import DagsterInvariantViolationError
from ipy_orch.execution.iomanagers import PickleForm
from ipy_orch.execution.iomanagers.disk import Unfit
from ipy_orch.execution.iomanagers.drafts import replacing
from ipy_orch.planning.code.modules import is_installed_file
from ipy_orch.session.locations.wire import File
from ipy_orch.storage.tables import TableForm, has_pyarrow

__all__ = ["Closed", "has_pyarrow", "read_file", "write_file"]

TABLE, PICKLE = TableForm(), PickleForm()
FORMS: Final = {one.suffix: one for one in (TABLE, PICKLE)}


class ClosedError(DagsterInvariantViolationError, AttributeError):
    """Tell that a value can only be read where it was made."""


class Closed:
    """Be a value that can't be read here; the environment it came from can.

    Args:
        name: the asset's.
        file: what is known of the file that it came in.
        data: its content.
        why: it can't be read.
    """

    __slots__ = ("data", "file", "name", "why")

    def __init__(self, name: str, file: File, data: bytes, why: str) -> None:
        self.name, self.file, self.data, self.why = name, file, data, why

    def __deepcopy__(self, memo: Any) -> Closed:
        return self  # nobody can change it

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.name, self.file, self.data, self.why)

    def __repr__(self) -> str:
        return f"<`{self.name}`: a {self.file.kind} that isn't read here: {self.why}>"

    def __getattr__(self, name: str) -> NoReturn:
        if name.startswith("_"):
            raise AttributeError(name)
        raise ClosedError(
            f"`{self.name}` is a {self.file.kind} that can't be read here: {self.why}",
            hint="let an asset of its code location turn it into a data frame or plain data",
        )


def write_file(value: Any, name: str, folder: Path, *, tables: bool) -> File:
    """Write the value of an asset to a new file.

    Args:
        tables: whether the reader can read Parquet.

    Raises:
        DagsterInvariantViolationError: when it can't be pickled.
    """
    stem = folder / f"{len(os.listdir(folder))}-{os.getpid()}"  # noqa: PTH208 - only how many there are
    if isinstance(value, Closed):
        path = stem.with_suffix(value.file.form)
        path.write_bytes(value.data)
        return File(name, str(path), value.file.form, value.file.kind, value.file.versions)
    for form in (TABLE, PICKLE) if tables else (PICKLE,):
        if not form.takes(value):
            continue
        path = stem.with_suffix(form.suffix)
        try:
            with replacing(path, name, lasting=False) as file:
                form.write(value, file, name)
        except Unfit:
            continue
        return File(name, str(path), form.suffix, f"`{type(value).__name__}`", versions_of(value))
    raise AssertionError("a pickle takes any value")


def read_file(file: File, *, imports: bool = True) -> Any:
    """Return the value in a file, closed where it can't be read here.

    Args:
        imports: whether a class may be looked for in modules of the user's that aren't imported yet, whose code would
            run.
    """
    path = Path(file.path)
    try:
        if imports or file.form != PICKLE.suffix:
            return FORMS[file.form].read(path, file.key)
        with path.open("rb") as opened:
            return Careful(opened).load()
    except Exception as error:  # whatever somebody's class raises
        told = str(getattr(error, "message", error)) or type(error).__name__
        why = told.partition("isn't here: ")[2] or told
        here = versions_of_package(file.versions)
        other = f"; it is from {file.versions}, and here is {here}" if here != file.versions else ""
        return Closed(file.key, file, path.read_bytes(), f"{why.splitlines()[0]}{other}")


class Careful(pickle.Unpickler):
    """Read a pickle without importing modules of the user's, whose code would run."""

    def find_class(self, module: str, name: str) -> Any:
        """Return a class of a module that is imported already, or of a library.

        Raises:
            ImportError: for others.
        """
        if module not in sys.modules and not is_installed(module):
            raise ImportError(f"its class is in `{module}`, which isn't imported here")
        return super().find_class(module, name)


def is_installed(module: str) -> bool:
    """Tell whether a module is a library, or isn't there at all."""
    top = module.partition(".")[0]
    try:
        spec = find_spec(top)
    except (ImportError, ValueError):
        return True
    place = (spec.origin or "") if spec is not None else ""
    return spec is None or place in ("built-in", "frozen") or is_installed_file(place)


def versions_of(value: Any) -> str:
    """Return the versions of Python and of the package that a value's class is from.

    >>> versions_of(1).partition(" ")[0]
    'Python'
    """
    package = type(value).__module__.partition(".")[0]
    return versions(package)


def versions_of_package(told: str) -> str:
    """Return the versions that are here of what versions were told of."""
    return versions(told.partition(" with ")[2].partition(" ")[0])


def versions(package: str) -> str:
    """Return the version of Python, and that of a package, where it has one."""
    python = f"Python {platform.python_version()}"
    if not package or package in sys.stdlib_module_names:
        return python
    try:
        return f"{python} with {package} {metadata.version(package)}"
    except metadata.PackageNotFoundError:
        return python
