"""Imports: ipy_orch and what is harmless are imported, modules beside the notebook are read, all others are unknown."""

from __future__ import annotations

import ast
import importlib
import sys
import types
from collections.abc import Sequence
from importlib.machinery import PathFinder
from pathlib import Path
from typing import Any

from ipy_orch.export.reading.frames import Frame
from ipy_orch.export.reading.trusted import is_trusted, may_import
from ipy_orch.export.reading.unknown import TooLong, Unknown, Untold

__all__ = ["bind_import", "bind_import_from", "bound", "public_names", "source_of"]


def bind_import(node: ast.Import, frame: Frame) -> None:
    """Read ``import a.b as c``."""
    for one in node.names:
        if one.asname:
            frame.set(one.asname, module(one.name, frame))
        else:
            top = one.name.partition(".")[0]
            module(one.name, frame)
            frame.set(top, module(top, frame))


def bind_import_from(node: ast.ImportFrom, frame: Frame) -> None:
    """Read ``from a import b``."""
    home = node.module or ""
    if node.level and frame.module != "__main__":
        parts = frame.module.split(".")
        home = ".".join([*parts[: len(parts) - node.level], *([home] if home else [])])
    found = module(home, frame)
    for one in node.names:
        if one.name == "*":
            bind_all(home, found, frame)
        else:
            frame.set(one.asname or one.name, member(found, home, one.name, frame))


def member(found: Any, home: str, name: str, frame: Frame) -> Any:
    """Return one name of a module."""
    if isinstance(found, Unknown):
        return Unknown(f"{home}.{name}")
    if is_trusted(home) and not may_import(home, name):
        return Unknown(f"{home}.{name}")
    value = getattr(found, name, None)
    if value is None and not hasattr(found, name):
        value = module(f"{home}.{name}", frame)
    if isinstance(value, types.ModuleType) and not (
        is_trusted(value.__name__) or value.__name__ in frame.world.modules
    ):
        return Unknown(f"{home}.{name}")
    return value


def bind_all(home: str, found: Any, frame: Frame) -> None:
    """Bind what ``from a import *`` brings."""
    if isinstance(found, Unknown):
        for name in public_names(home):
            frame.set(name, Unknown(f"{home}.{name}", home))
        return
    for name in getattr(found, "__all__", [one for one in vars(found) if not one.startswith("_")]):
        frame.set(name, getattr(found, name))


def module(name: str, frame: Frame) -> Any:
    """Return a module."""
    if is_trusted(name):
        return importlib.import_module(name)
    world = frame.world
    if name in world.modules:
        return world.modules[name]
    path = beside(name, world.folder)
    return Unknown(name) if path is None else read_module(name, path, frame)


def beside(name: str, folder: Path | None) -> Path | None:
    """Return the file of a module that lies beside the notebook."""
    if folder is None or not name:
        return None
    place = folder.joinpath(*name.split("."))
    return next((one for one in (place.with_suffix(".py"), place / "__init__.py") if one.is_file()), None)


def read_module(name: str, path: Path, frame: Frame) -> Any:
    """Return a module of the user's, read as the notebook is."""
    from ipy_orch.export.reading.blocks import run

    made = frame.world.modules[name] = types.ModuleType(name)
    names = vars(made)
    try:
        tree = ast.parse(path.read_text(encoding="utf-8"))
    except (SyntaxError, UnicodeDecodeError, OSError):
        return Unknown(name)
    inner = Frame(frame.world, names, names, None, f"<{name}>", name)
    for node in tree.body:
        try:
            run([node], inner)
        except (Untold, TooLong):
            raise
        except Exception:  # noqa: BLE001, S112 - what it defined until then counts
            continue
    return made


# -- names of a module that isn't imported -----------------------------------------------------------------------------


def public_names(name: str) -> list[str]:
    """Return the names that ``from module import *`` brings, from its text; the module isn't imported."""
    if name in sys.builtin_module_names or (
        (loaded := sys.modules.get(name)) is not None and name in sys.stdlib_module_names
    ):
        loaded = importlib.import_module(name)
        return [one for one in getattr(loaded, "__all__", dir(loaded)) if not one.startswith("_")]
    path = source_of(name)
    if path is None:
        return []
    try:
        tree = ast.parse(path.read_text(encoding="utf-8"))
    except (SyntaxError, UnicodeDecodeError, OSError):
        return []
    return said_public(tree) or [one for one in bound(tree) if not one.startswith("_")]


def source_of(name: str, more: Sequence[str] = ()) -> Path | None:
    """Return the file of an installed module, found without importing the packages around it.

    Args:
        more: folders that are looked into, too.
    """
    where: list[str] | None = [*more, *sys.path] if more else None
    spec = None
    for n in range(1, len(name.split(".")) + 1):
        spec = PathFinder.find_spec(".".join(name.split(".")[:n]), where)
        if spec is None:
            return None
        where = list(spec.submodule_search_locations or [])
    origin = spec.origin if spec is not None else None
    return Path(origin) if origin and origin.endswith(".py") else None


def said_public(tree: ast.Module) -> list[str]:
    """Return ``__all__``, as far as it is written out."""
    found: list[str] = []
    for node in tree.body:
        targets = (
            node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AugAssign) else []
        )
        if any(isinstance(one, ast.Name) and one.id == "__all__" for one in targets):
            values = getattr(getattr(node, "value", None), "elts", [])
            found += [one.value for one in values if isinstance(one, ast.Constant) and isinstance(one.value, str)]
    return found


def bound(tree: ast.Module) -> list[str]:
    """Return the names that a module binds."""
    from ipy_orch.authoring.cells.free_names import free_names

    return sorted(free_names(tree).bound)
