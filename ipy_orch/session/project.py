"""Where a project says that its definitions are: ``pyproject.toml``, ``dg.toml`` or ``workspace.yaml``, found upwards.

Our own table is ``[tool.ipy_orch]``; Dagster's ``[tool.dg]``, ``[tool.dagster]`` and ``workspace.yaml`` say the same in
other words. Nothing is imported or run here.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

import yaml

from ipy_orch.errors import DagsterInvariantViolationError, closest

__all__ = ["STORE", "Location", "Project", "find_project", "location_of", "read_project"]

Kind: TypeAlias = Literal["notebook", "module", "file"]

STORE: Final = ".ipy_orch"
KEYS: Final = ("notebook", "module", "file", "store")
EXAMPLE: Final = (
    'e.g. `[tool.ipy_orch]` with `module = "shop.definitions"`, `file = "definitions.py"` or `notebook = ...`'
)


@dataclass(frozen=True)
class Location:
    """Say where definitions are.

    Args:
        target: the dotted name of a module, or the path of a file or notebook.
        folder: from which its code runs, and where modules are looked for.
        attribute: the variable that holds the Definitions; "" looks for it.
        name: by which a person tells it from others.
        python: the Python of its environment, where the file says one.
    """

    kind: Kind
    target: str
    folder: Path
    attribute: str = ""
    name: str = ""
    python: str = ""

    @property
    def label(self) -> str:
        """Return the name that a person gave it, or what it is."""
        return self.name or (self.target if self.kind == "module" else Path(self.target).name)


@dataclass(frozen=True)
class Project:
    """Be what a project's file says.

    Args:
        file: which one.
        locations: at least one.
        store: the folder of the state.
    """

    file: Path
    locations: tuple[Location, ...]
    store: Path

    @property
    def folder(self) -> Path:
        """Return the folder of the project."""
        return self.file.parent

    def only(self) -> Location:
        """Return the location, where there is one.

        Raises:
            DagsterInvariantViolationError: where there are several, naming them.
        """
        if len(self.locations) > 1:
            names = ", ".join(f"`{one.label}`" for one in self.locations)
            raise DagsterInvariantViolationError(
                f"{self.file.name} names {len(self.locations)} places with definitions: {names}",
                where=str(self.file),
                hint=f"say which: {spelled(self.locations[0])}",
            )
        return self.locations[0]


def spelled(location: Location) -> str:
    """Return how a location is given on the command line."""
    return f"`-m {location.target}`" if location.kind == "module" else f"`{location.target}`"


def location_of(path: Path) -> Location:
    """Return the location of a file or notebook by its name.

    Raises:
        DagsterInvariantViolationError: when it isn't there, or is neither.
    """
    if path.is_dir():
        raise DagsterInvariantViolationError(f"`{path}` is a folder", hint="name a notebook or a Python file in it")
    if path.suffix not in (".py", ".ipynb"):
        raise DagsterInvariantViolationError(f"`{path}` is neither a notebook (.ipynb) nor a Python file (.py)")
    if not path.is_file():
        near = closest(path.name, (one.name for one in path.parent.glob(f"*{path.suffix}")))
        raise DagsterInvariantViolationError(f"there is no file `{path}`", hint=near)
    whole = path.resolve()
    return Location("notebook" if path.suffix == ".ipynb" else "file", str(whole), whole.parent)


def find_project(start: Path) -> Project | None:
    """Return the project that a folder is in: what the nearest file above it says that says anything.

    Raises:
        DagsterInvariantViolationError: when such a file can't be read, or says what makes no sense.
    """
    for folder in (start, *start.parents):
        for name, read in READERS.items():
            file = folder / name
            if file.is_file() and (found := read(file)) is not None:
                return found
    return None


def read_project(path: Path) -> Project:
    """Return what a file of a project says, or the files of a folder.

    Raises:
        DagsterInvariantViolationError: when it isn't there, or says nothing of definitions.
    """
    folder = path if path.is_dir() else path.parent
    names = [*READERS] if path.is_dir() else [path.name]
    for name in names:
        read = READERS.get(name) or (workspace if path.suffix in (".yaml", ".yml") else None)
        if read is not None and (folder / name).is_file() and (found := read((folder / name).resolve())) is not None:
            return found
    if not path.exists():
        near = closest(path.name, (one.name for one in folder.glob("*.*")))
        raise DagsterInvariantViolationError(f"there is no file `{path}`", hint=near)
    raise DagsterInvariantViolationError(
        f"`{path}` names no code locations", hint="it is a `workspace.yaml`, or a `pyproject.toml` with `[tool.dg]`"
    )


# -- the files --------------------------------------------------------------------------------------------------------


def pyproject(file: Path) -> Project | None:
    """Return what ``pyproject.toml`` says, or None where it has no table of ours or Dagster's."""
    tool = toml(file).get("tool", {})
    if "ipy_orch" in tool:
        return own_table(table_in(tool, "ipy_orch", file), file)
    if "dg" in tool:
        return dg(table_in(tool, "dg", file), file)
    if "dagster" in tool:
        return project(file, modules_of(table_in(tool, "dagster", file), file))
    return None


def dg_toml(file: Path) -> Project | None:
    """Return what ``dg.toml`` says."""
    return dg(toml(file), file)


def own_table(table: Mapping[str, Any], file: Path) -> Project:
    """Return what our own table says."""
    for key in table:
        if key not in KEYS:
            raise wrong(file, f"`[tool.ipy_orch]` has no `{key}`", closest(key, KEYS) or f"it has {', '.join(KEYS)}")
    for key, value in table.items():
        if not isinstance(value, str) or not value:
            raise wrong(file, f"`{key}` in `[tool.ipy_orch]` is a text, not {value!r}", EXAMPLE)
    found = [location(file, kind, table[kind]) for kind in ("notebook", "module", "file") if kind in table]
    if len(found) != 1:
        told = "says no place" if not found else "says more than one place"
        raise wrong(file, f"`[tool.ipy_orch]` {told} with definitions", EXAMPLE)
    return project(file, found, table.get("store", STORE))


def dg(table: Mapping[str, Any], file: Path) -> Project | None:
    """Return what Dagster's ``dg`` table says: of one project, or of a workspace of several."""
    if table.get("directory_type") == "workspace":
        listed = table_in(table, "workspace", file).get("projects", [])
        paths = [file.parent / str(one.get("path", ".")) for one in listed if isinstance(one, Mapping)]
        inner = [found for path in paths if (found := nearest(path)) is not None]
        return project(file, [one for found in inner for one in found.locations]) if inner else None
    said = table_in(table, "project", file)
    module = said.get("code_location_target_module") or (
        f"{said['root_module']}.definitions" if said.get("root_module") else ""
    )
    if not module:
        raise wrong(file, "`[tool.dg.project]` names no `root_module`", EXAMPLE)
    return project(file, [location(file, "module", str(module), name=str(said.get("code_location_name", "")))])


def nearest(folder: Path) -> Project | None:
    """Return what the files of one folder say."""
    for name, read in READERS.items():
        if (folder / name).is_file() and (found := read(folder / name)) is not None:
            return found
    return None


def modules_of(table: Mapping[str, Any], file: Path) -> Iterator[Location]:
    """Yield what Dagster's older table names: a module, or several."""
    if "module_name" in table:
        yield location(file, "module", str(table["module_name"]), name=str(table.get("code_location_name", "")))
    listed = table.get("modules", [])
    for one in listed if isinstance(listed, list) else []:
        yield location(file, "module", str(one.get("name") if isinstance(one, Mapping) else one))


def workspace(file: Path) -> Project | None:
    """Return what ``workspace.yaml`` says of Python files and modules, or None where it is another tool's."""
    try:
        read = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise wrong(file, f"it can't be read: {first_line(error)}") from None
    if not isinstance(read, Mapping) or "load_from" not in read:
        return None
    listed = read["load_from"]
    if not isinstance(listed, list):
        raise wrong(file, "`load_from` is a list", "e.g. `load_from: [{python_file: definitions.py}]`")
    return project(file, [one for entry in listed for one in entries(entry, file)])


def entries(entry: Any, file: Path) -> Iterator[Location]:
    """Yield the location of an entry of ``load_from``; those on other machines are left out."""
    for kind, said in entry.items() if isinstance(entry, Mapping) else ():
        if kind not in ENTRIES:
            continue
        field, own = ENTRIES[kind]
        told = {field: said} if isinstance(said, str) else said
        if not isinstance(told, Mapping) or not told.get(field):
            raise wrong(file, f"`{kind}` has no `{field}`")
        folder = file.parent / str(told.get("working_directory", "."))
        at = folder if kind == "python_file" and "working_directory" in told else file.parent
        yield location(
            file,
            own,
            str(at / told[field]) if own == "file" else str(told[field]),
            folder=folder,
            attribute=str(told.get("attribute", "")),
            name=str(told.get("location_name", "")),
            python=str(told.get("executable_path", "")),
        )


ENTRIES: Final[Mapping[str, tuple[str, Kind]]] = {
    "python_file": ("relative_path", "file"),
    "python_module": ("module_name", "module"),
    "python_package": ("package_name", "module"),
}
READERS: Final[Mapping[str, Callable[[Path], Project | None]]] = {
    "pyproject.toml": pyproject,
    "dg.toml": dg_toml,
    "workspace.yaml": workspace,
}


# -- the parts --------------------------------------------------------------------------------------------------------


def project(file: Path, locations: Any, store: str = STORE) -> Project:
    """Return a project.

    Raises:
        DagsterInvariantViolationError: without a location.
    """
    found = tuple(locations)
    if not found:
        raise wrong(file, "it names no module or file with definitions", EXAMPLE)
    return Project(file, found, file.parent / Path(store).expanduser())


def location(file: Path, kind: Any, target: str, *, folder: Path | None = None, **more: str) -> Location:
    """Return a location that a file names, its path as seen from that file.

    Raises:
        DagsterInvariantViolationError: for a path where there's no file.
    """
    if kind == "module":
        return Location(kind, target, folder or file.parent, **more)
    path = file.parent / target
    if not path.is_file():
        raise wrong(file, f"there is no file `{target}`, which it names")
    whole = path.resolve()
    return Location(kind, str(whole), folder or whole.parent, **more)


def toml(file: Path) -> dict[str, Any]:
    """Return a TOML file.

    Raises:
        DagsterInvariantViolationError: when it can't be read.
    """
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise wrong(file, f"it can't be read: {first_line(error)}") from None


def table_in(holder: Mapping[str, Any], name: str, file: Path) -> Mapping[str, Any]:
    """Return a table of a file.

    Raises:
        DagsterInvariantViolationError: when it isn't one.
    """
    found = holder.get(name, {})
    if not isinstance(found, Mapping):
        raise wrong(file, f"`{name}` is a table, not {found!r}", EXAMPLE)
    return found


def wrong(file: Path, what: str, hint: str = "") -> DagsterInvariantViolationError:
    """Return the error for a file of a project."""
    return DagsterInvariantViolationError(f"{file.name}: {what}", where=str(file), hint=hint)


def first_line(error: Exception) -> str:
    """Return the first line of what a parser says."""
    return (str(error).splitlines() or [type(error).__name__])[0]
