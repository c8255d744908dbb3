"""A module or file becomes the namespace of a session: what a notebook's cells would have put there.

Importing a module runs its code, as any import does; nothing is materialized. Code versions follow the local modules
that it imports, as in a notebook.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import sys
import traceback
from collections.abc import Iterator, Mapping
from importlib.abc import MetaPathFinder
from pathlib import Path
from types import ModuleType, TracebackType
from typing import Any, Final

from ipy_orch.errors import DagsterError, DagsterInvariantViolationError, closest
from ipy_orch.model.definitions import Definitions
from ipy_orch.model.env import redact
from ipy_orch.planning.code.modules import is_installed_file
from ipy_orch.session.config.environments import DEFAULT, can_name
from ipy_orch.session.project import Location
from ipy_orch.session.session import Session

__all__ = ["place_of", "session_of"]

DAGSTER: Final = "dagster"
OURS: Final = str(Path(__file__).parents[1])


def session_of(location: Location, *, at_home: bool = False) -> Session:
    """Return a session, in memory, with the definitions of a module or file, and the environments it has.

    Args:
        at_home: whether it shares values with the notebook that it may be exported from, where both have the same code.

    Raises:
        DagsterInvariantViolationError: when it can't be imported, with the line; or holds no definitions.
        DagsterError: what its definitions are refused for.
    """
    with importing(location):
        module = loaded(location)
        session = Session(chosen(module, location))
        session.is_of_module = at_home
        scanned = session.scan()
        session.environments.take(*deployments_in(module, session))
    if not scanned.definitions and not scanned.found_jobs:
        raise DagsterInvariantViolationError(
            f"`{location.label}` holds no definitions",
            hint="it needs assets, checks or jobs, or a `Definitions` of them",
        )
    return session


def chosen(module: ModuleType, location: Location) -> dict[str, Any]:
    """Return the variables that a session scans: those that hold a Definitions, or else all."""
    own = {name: value for name, value in vars(module).items() if not name.startswith("__")}
    if location.attribute:
        if location.attribute not in own:
            near = closest(location.attribute, own)
            raise DagsterInvariantViolationError(f"{location.label} has no variable `{location.attribute}`", hint=near)
        return {location.attribute: own[location.attribute]}
    return {name: value for name, value in own.items() if isinstance(value, Definitions)} or own


# -- environments -----------------------------------------------------------------------------------------------------


def deployments_in(module: ModuleType, session: Session) -> tuple[Mapping[str, Mapping[str, Any]], str]:
    """Return environment -> its resources, and the one in use: of a dict of dicts, those that the definitions have.

    Dagster's guide has environments so, and exports; which of them is in use, the module has found out by itself.
    """
    bundles = [one for one in session.namespace.values() if isinstance(one, Definitions)]
    own = {key: one for bundle in bundles for key, one in bundle.resources.items()}
    for value in vars(module).values():
        if isinstance(value, Mapping):
            named = {name: one for name, one in value.items() if can_name(name) and isinstance(one, Mapping)}
            in_use = [name for name, one in named.items() if one and all(own.get(key) is one[key] for key in one)]
            if in_use:
                return named, max(in_use, key=lambda name: len(named[name]))
    return {}, DEFAULT


# -- importing --------------------------------------------------------------------------------------------------------


def loaded(location: Location) -> ModuleType:
    """Import what a location names."""
    if location.kind == "module":
        return importlib.import_module(location.target)
    path = Path(location.target)
    name, folder = dotted(path)
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))
    known = sys.modules.get(name)
    if known is not None and Path(str(getattr(known, "__file__", ""))) == path:
        return known
    if "." in name:
        return importlib.import_module(name)
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        sys.modules.pop(name, None)
        if known is not None:
            sys.modules[name] = known
        raise
    return module


def dotted(path: Path) -> tuple[str, Path]:
    """Return the name of a file as a module, and the folder in which that is its name: above all packages it is in."""
    parts, folder = [path.stem], path.parent
    while (folder / "__init__.py").is_file():
        parts, folder = [folder.name, *parts], folder.parent
    return ".".join(parts if path.stem != "__init__" else parts[:-1]), folder


@contextlib.contextmanager
def importing(location: Location) -> Iterator[None]:
    """Look for modules in a location's folder, and tell in one message what went wrong.

    Raises:
        DagsterInvariantViolationError: in the place of what the module raised, which is its cause.
    """
    for folder in (location.folder / "src", location.folder):
        if folder.is_dir() and str(folder) not in sys.path:
            sys.path.insert(0, str(folder))
    finder, known = WithoutDagster(), sys.modules.pop(DAGSTER, None)
    sys.meta_path.insert(0, finder)
    try:
        yield
    except (KeyboardInterrupt, GeneratorExit):
        raise
    except ImportsDagster as error:
        raise dagster_met(location, error) from None
    except DagsterError as error:
        if not error.where and (place := place_of(error)):
            raise error.at(place).with_traceback(error.__traceback__) from None
        raise
    except BaseException as error:  # SystemExit, too: what is imported doesn't end the process
        raise told(location, error) from error
    finally:
        sys.meta_path.remove(finder)
        if known is not None:
            sys.modules[DAGSTER] = known


def told(location: Location, error: BaseException) -> DagsterInvariantViolationError:
    """Return the error for a module that can't be imported."""
    if isinstance(error, ModuleNotFoundError) and location.kind == "module":
        missing = str(error.name)
        if location.target == missing or location.target.startswith(f"{missing}."):
            near = closest(missing, (one.stem for one in location.folder.glob("*") if one.suffix in ("", ".py")))
            return DagsterInvariantViolationError(
                f"there is no module `{location.target}`",
                hint=near or f"it is looked for in {location.folder}, in its `src`, and among installed packages",
            )
    what = error.msg if isinstance(error, SyntaxError) else error
    said = redact(f"{type(error).__name__}: {what}".splitlines()[0].removesuffix(": "))
    return DagsterInvariantViolationError(f"`{location.label}` can't be imported: {said}", where=place_of(error))


def place_of(error: BaseException) -> str:
    """Return the file and line of the user's code that an error is from, "" where there is none."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{Path(error.filename).name}, line {error.lineno}"
    return last_place(error.__traceback__)


def last_place(tb: TracebackType | None) -> str:
    """Return file and line of the last frame that is the user's own."""
    frames = [frame for frame in traceback.extract_tb(tb) if is_users(frame.filename)]
    return f"{Path(frames[-1].filename).name}, line {frames[-1].lineno}" if frames else ""


def is_users(filename: str) -> bool:
    """Tell whether a file is neither ours nor installed, nor a part of Python."""
    return not (filename.startswith(("<", OURS)) or is_installed_file(filename))


# -- Dagster's own modules --------------------------------------------------------------------------------------------


class ImportsDagster(ModuleNotFoundError):
    """Tell that a module imports dagster; code that tries to, and goes on without, goes on."""


class WithoutDagster(MetaPathFinder):
    """Refuse to import dagster: its definitions aren't ours, however alike they read."""

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> None:  # noqa: ARG002 - the import system's arguments
        """Refuse it, and leave all other modules to the others."""
        if fullname == DAGSTER:
            raise ImportsDagster("it imports dagster", name=fullname)


def dagster_met(location: Location, error: ImportsDagster) -> DagsterInvariantViolationError:
    """Return the error for a module that imports dagster, with what to do."""
    source = Path(location.target).name if location.kind == "file" else location.target
    return DagsterInvariantViolationError(
        f"`{location.label}` imports dagster, whose definitions ipy_orch can't run",
        where=last_place(error.__traceback__),
        hint="write `from ipy_orch import ...` for `from dagster import ...`: the names are the same; "
        f"or `ipy-orch import {source} NOTEBOOK.ipynb` makes a notebook of it",
    )
