"""The files of a definitions module: one file, or those of a package in the order in which they need each other.

Nothing is imported: a module is found as Python would find it, and read.
"""

from __future__ import annotations

import ast
import os
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ipy_orch.errors import DagsterInvalidDefinitionError, DagsterInvariantViolationError, closest
from ipy_orch.export.reading.modules import source_of

__all__ = ["SourceFile", "Sources", "find_sources"]

FOLDERS: Final = ("load_from_defs_folder", "load_defs")


@dataclass(frozen=True)
class SourceFile:
    """Be a file of a module.

    Args:
        module: its dotted name, for a file alone its stem.
    """

    path: Path
    module: str
    text: str

    @property
    def tree(self) -> ast.Module:
        """Return its syntax tree.

        Raises:
            DagsterInvalidDefinitionError: when it isn't Python.
        """
        try:
            return ast.parse(self.text)
        except SyntaxError as error:
            where = f"`{self.path.name}`, line {error.lineno}"
            raise DagsterInvalidDefinitionError(
                f"this isn't Python: {error.msg}", where=where, hint="correct the file"
            ) from None


@dataclass(frozen=True)
class Sources:
    """Be the files of a definitions module, each after those that it needs.

    Args:
        package: the dotted name of the package that they are in, "" for a file alone.
    """

    files: tuple[SourceFile, ...]
    package: str = ""

    @property
    def entry(self) -> SourceFile:
        """Return the file with ``defs``."""
        return self.files[-1]

    @property
    def title(self) -> str:
        """Return what a notebook of it is called."""
        return self.package.rpartition(".")[2] or self.entry.path.stem

    def is_inside(self, module: str) -> bool:
        """Tell whether a module is one of these files, or the package around them."""
        return bool(self.package) and (module == self.package or module.startswith(f"{self.package}."))


def find_sources(source: str | os.PathLike[str]) -> Sources:
    """Return the files of a module that is named by a path or as one imports it.

    Raises:
        DagsterInvariantViolationError: when there's no such module.
        DagsterInvalidDefinitionError: when a file isn't Python.
    """
    place = Path(source)
    if place.suffix == ".py" or place.exists():
        return of_path(place)
    if not all(part.isidentifier() for part in str(source).split(".")):
        told = f"there is no file `{place.name}`"
        near = closest(place.name, (one.name for one in place.parent.glob("*"))) if place.parent.is_dir() else ""
        raise DagsterInvariantViolationError(told, hint=near or "look at the path")
    found = source_of(str(source), [str(Path.cwd()), str(Path.cwd() / "src")])
    if found is None:
        raise DagsterInvariantViolationError(f"there is no module `{source}`", hint="look at its name, or give a path")
    return of_path(found)


def of_path(place: Path) -> Sources:
    """Return the files of a module, of a package, or of a project."""
    if place.is_dir():
        place = entry_of(place)
    if not place.is_file():
        near = closest(place.name, (one.name for one in place.parent.glob("*.py"))) if place.parent.is_dir() else ""
        raise DagsterInvariantViolationError(f"there is no file `{place.name}`", hint=near or "look at the path")
    if place.suffix != ".py":
        raise DagsterInvariantViolationError(f"`{place.name}` isn't a Python file", hint="definitions.py")
    top = place.absolute().parent
    if not (top / "__init__.py").is_file():
        return Sources((read(place, place.stem),))
    while (top.parent / "__init__.py").is_file():
        top = top.parent
    package = ".".join(place.absolute().parent.relative_to(top.parent).parts)
    name = package if place.name == "__init__.py" else f"{package}.{place.stem}"
    found: dict[str, SourceFile] = {}
    gather(name, top.parent, package, found, ())
    return Sources(tuple(found.values()), package)


def entry_of(folder: Path) -> Path:
    """Return the file with the definitions of a package or project.

    Raises:
        DagsterInvariantViolationError: when there's none.
    """
    choices = [folder / "definitions.py"]
    project = folder / "pyproject.toml"
    if project.is_file():
        said: Any = tomllib.loads(project.read_text(encoding="utf-8")).get("tool", {}).get("dg", {}).get("project", {})
        if root := said.get("root_module"):
            choices += [folder / "src" / root / "definitions.py", folder / root / "definitions.py"]
    choices += [*sorted(folder.glob("src/*/definitions.py")), *sorted(folder.glob("*/definitions.py"))]
    choices += [folder / "__init__.py"]
    found = next((one for one in choices if one.is_file()), None)
    if found is None:
        told = f"the folder `{folder.name}` holds no definitions"
        raise DagsterInvariantViolationError(told, hint="name the file, e.g. definitions.py")
    return found


def read(path: Path, module: str) -> SourceFile:
    """Return a file.

    Raises:
        DagsterInvariantViolationError: when it can't be read.
        DagsterInvalidDefinitionError: when it isn't Python.
    """
    try:
        made = SourceFile(path, module, path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise DagsterInvariantViolationError(f"`{path.name}` can't be read: {error}", hint="look at the file") from None
    _ = made.tree
    return made


def gather(module: str, root: Path, package: str, found: dict[str, SourceFile], around: tuple[str, ...]) -> None:
    """Put a file of a package behind those that it imports."""
    path = file_of(module, root)
    if path is None or module in found or module in around:
        return
    file = read(path, module)
    for name in [*imported(file, package), *in_folder(file, path)]:
        gather(name, root, package, found, (*around, module))
    found[module] = file


def file_of(module: str, root: Path) -> Path | None:
    """Return the file of a module of a package."""
    place = root.joinpath(*module.split("."))
    return next((one for one in (place.with_suffix(".py"), place / "__init__.py") if one.is_file()), None)


def imported(file: SourceFile, package: str) -> Iterator[str]:
    """Yield the modules of its own package that a file imports."""
    for node in ast.walk(file.tree):
        if isinstance(node, ast.ImportFrom):
            home = absolute(node, file)
            if home == package or home.startswith(f"{package}."):
                yield home
                yield from (f"{home}.{one.name}" for one in node.names)
        elif isinstance(node, ast.Import):
            yield from (one.name for one in node.names if one.name.startswith(f"{package}."))


def absolute(node: ast.ImportFrom, file: SourceFile) -> str:
    """Return the module that an import is from, whole where it is relative."""
    if not node.level:
        return node.module or ""
    parts = file.module.split(".")
    keep = len(parts) - node.level + (1 if file.path.name == "__init__.py" else 0)
    return ".".join([*parts[:keep], *([node.module] if node.module else [])])


def in_folder(file: SourceFile, path: Path) -> Sequence[str]:
    """Return the modules of the folder that a file loads as a whole."""
    called = {
        getattr(one.func, "attr", getattr(one.func, "id", ""))
        for one in ast.walk(file.tree)
        if isinstance(one, ast.Call)
    }
    folder = path.parent / "defs"
    if not called & {*FOLDERS} or not folder.is_dir():
        return []
    home = file.module.rpartition(".")[0]
    names = [one.relative_to(path.parent).with_suffix("").parts for one in sorted(folder.rglob("*.py"))]
    return [f"{home}.{'.'.join(parts)}" for parts in names if parts[-1] != "__init__"]
