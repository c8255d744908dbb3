"""Which modules are the user's own, and what the source of one says as a whole.

The notebook and *local* modules are followed into their source. Installed ones (the standard library, packages) count
by name, and by version where one is pinned.
"""

from __future__ import annotations

import ast
import os
import sys
import sysconfig
import types
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from importlib.machinery import ModuleSpec
from pathlib import Path
from typing import Any, Final

from ipy_orch.planning.code.source import FUTURE, Source, parse, texts
from ipy_orch.planning.code.trees import Imported, imported

__all__ = [
    "ModuleText",
    "imported_modules",
    "is_installed_function",
    "is_local_class",
    "is_local_module",
    "read_module",
    "values_now",
]

_HEAP_TYPE: Final = 1 << 9
_OURS: Final = __name__.partition(".")[0]


@lru_cache(maxsize=1)
def _installed_roots() -> tuple[str, ...]:
    """Return the folders of the standard library, its zip file, and ipy_orch's own folder."""
    library = {sysconfig.get_path(name) for name in ("stdlib", "platstdlib")}
    version = f"{sys.version_info.major}{sys.version_info.minor}"
    library |= {str(Path(prefix) / f"python{version}.zip") for prefix in (sys.base_prefix, sys.prefix)}
    library.add(str(Path(__file__).parent.parent))
    folders = {*library, *(os.path.realpath(folder) for folder in library)}
    return tuple(sorted(folder.rstrip(os.sep) + os.sep for folder in folders))


@lru_cache(maxsize=4096)
def is_installed_file(filename: str) -> bool:
    """Tell whether a file belongs to the standard library or an installed package."""
    if filename.startswith("<frozen "):
        return True
    parts = Path(filename).parts
    return "site-packages" in parts or "dist-packages" in parts or filename.startswith(_installed_roots())


def is_local_module(module: types.ModuleType) -> bool:
    """Tell whether a module is the user's own: its file is neither in the standard library nor installed.

    >>> is_local_module(ast)
    False
    """
    own = vars(module)
    name = str(own.get("__name__"))
    if name == "__main__":
        return True
    if name.partition(".")[0] in sys.stdlib_module_names or name.partition(".")[0] == _OURS:
        return False
    file = own.get("__file__")
    if isinstance(file, str):
        return not is_installed_file(file)
    folders = list(own.get("__path__") or ())
    return not folders or not all(is_installed_file(os.path.join(folder, "")) for folder in folders)  # noqa: PTH118


def is_installed_function(function: types.FunctionType) -> bool:
    """Tell whether a function was written in an installed module, whatever a decorator says of it."""
    filename = function.__code__.co_filename
    if not filename.startswith("<"):
        return is_installed_file(filename)
    module = sys.modules.get(str(function.__globals__.get("__name__")))
    return filename.startswith("<frozen ") or (
        module is not None and vars(module) is function.__globals__ and not is_local_module(module)
    )


def is_local_class(cls: type) -> bool:
    """Tell whether a class is of the notebook or of a local module."""
    if not cls.__flags__ & _HEAP_TYPE:
        return False
    module = sys.modules.get(cls.__module__)
    return module is None or cls.__module__ == "builtins" or is_local_module(module)


# The source of a module as a whole


@dataclass(frozen=True, slots=True)
class ModuleText:
    """Say what a module's source is.

    Args:
        name: of the module.
        digest: of its tree.
        text: its normalised source.
        imports: the names of all modules that it imports.
        local: whether it is the user's own; else only its name counts.
        missing: why there is no source, or "".
    """

    name: str
    digest: str = ""
    text: str = ""
    imports: tuple[str, ...] = ()
    local: bool = True
    missing: str = ""


def read_module(name: str) -> ModuleText:
    """Return what the source of a module says; nothing is imported.

    A module that isn't loaded yet gives the same answer as after it was.
    """
    module = sys.modules.get(name)
    if name == "__main__":
        return ModuleText(name, missing="what `__main__` holds can't be followed")
    if name.partition(".")[0] in sys.stdlib_module_names or (module is not None and not is_local_module(module)):
        return ModuleText(name, local=False)
    file, folder = _place_of(name, module)
    if file is not None:
        return ModuleText(name, local=False) if is_installed_file(file) else _read_file(name, module, file)
    if folder:
        return ModuleText(name, digest="a folder")
    if module is None:
        return ModuleText(name, digest="not found", local=False)
    return ModuleText(name, missing=f"the source of module `{name}` isn't available")


def _read_file(name: str, module: types.ModuleType | None, file: str) -> ModuleText:
    """Return what a local module's file says; if the module is loaded, what it said then."""
    for text in texts(file, vars(module) if module else {}):
        source = parse(text)
        if source is not None and (module is None or _is_loaded_from(module, source, text)):
            return _read(name, file, text)
    return ModuleText(name, missing=f"the source of module `{name}` has changed since it was loaded; load it again")


def _place_of(name: str, module: types.ModuleType | None) -> tuple[str | None, bool]:
    """Return the file of a module, and whether it is a package."""
    if module is not None:
        file = vars(module).get("__file__")
        return (file if isinstance(file, str) else None), "__path__" in vars(module)
    spec = _find_spec(name)
    if spec is None:
        return None, False
    return (spec.origin if spec.has_location else None), spec.submodule_search_locations is not None


def _find_spec(name: str) -> ModuleSpec | None:
    """Find a module as ``import`` would, but import no package on the way."""
    path: list[str] | None = None
    spec: ModuleSpec | None = None
    parts = name.split(".")
    for end in range(1, len(parts) + 1):
        spec = _ask_finders(".".join(parts[:end]), path)
        if spec is None or (end < len(parts) and spec.submodule_search_locations is None):
            return None
        path = list(spec.submodule_search_locations or ())
    return spec


def _ask_finders(name: str, path: list[str] | None) -> ModuleSpec | None:
    for finder in sys.meta_path:
        find = getattr(finder, "find_spec", None)
        try:
            spec = find(name, path) if find is not None else None
        except (ImportError, ValueError):
            continue
        if isinstance(spec, ModuleSpec):
            return spec
    return None


def _is_loaded_from(module: types.ModuleType, source: Source, text: str) -> bool:
    """Tell whether a loaded module was loaded from this text: its functions and literals are the same, also now."""
    own = vars(module)
    codes = [code for code in _codes_of(own) if code.co_filename == own.get("__file__")]
    flagged = {code.co_flags: parse(text, code.co_flags & FUTURE) for code in codes}
    if any(found is None or found.find(code) is None for code in codes for found in [flagged[code.co_flags]]):
        return False
    bound = _bound(source.tree)
    return all(_is_same(own.get(name), literal) for name, literal in _literals(source.tree, bound)) and all(
        isinstance(each := own.get(name), types.FunctionType) and each.__globals__ is own
        for name in _functions(source.tree, bound)
    )


def _codes_of(own: Mapping[str, Any]) -> Iterator[types.CodeType]:
    for value in list(own.values()):
        if isinstance(value, types.FunctionType):
            yield value.__code__
        elif isinstance(value, type) and value.__module__ == own.get("__name__"):
            yield from (each.__code__ for each in vars(value).values() if isinstance(each, types.FunctionType))


def _bound(tree: ast.Module) -> Counter[str]:
    """Count how often a module's text binds each name, wherever that is; ``*`` stands for all that an import brings."""
    names = Counter[str]()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            names[node.id] += 1
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names[node.name] += 1
        elif isinstance(node, ast.alias):
            names[node.asname or node.name.partition(".")[0]] += 1
    return names


def _functions(tree: ast.Module, bound: Counter[str]) -> Iterator[str]:
    """Yield the functions that a module's text defines once, and doesn't decorate."""
    for node in tree.body:
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) or node.decorator_list:
            continue
        if bound[node.name] == 1 and "*" not in bound:
            yield node.name


def _literals(tree: ast.Module, bound: Counter[str]) -> Iterator[tuple[str, object]]:
    """Yield the names that a module's text sets once, to a literal, and doesn't fill afterwards."""
    filled = set(_filled(tree))
    for node in tree.body:
        literal = _literal(node.value) if isinstance(node, ast.Assign) else None
        if isinstance(node, ast.Assign) and literal is not None:
            names = [one.id for one in node.targets if isinstance(one, ast.Name) and bound[one.id] == 1]
            is_fixed = isinstance(node.value, ast.Constant)
            yield from ((name, literal[0]) for name in names if is_fixed or name not in filled)


def _literal(node: ast.expr) -> tuple[object] | None:
    """Return a literal; none for an empty container, which others are to fill."""
    if isinstance(node, ast.Constant):
        return (node.value,)
    try:
        value = ast.literal_eval(node) if isinstance(node, ast.List | ast.Tuple | ast.Dict | ast.Set) else None
    except (ValueError, TypeError):
        return None
    return (value,) if value else None


def _filled(tree: ast.Module) -> Iterator[str]:
    """Yield the names whose values a module may itself change: by an item, a method, or a function that gets them."""
    for node in ast.walk(tree):
        changed: list[ast.expr] = []
        if isinstance(node, ast.Subscript | ast.Attribute) and not isinstance(node.ctx, ast.Load):
            changed = [node.value]
        elif isinstance(node, ast.Call):
            owner = node.func.value if isinstance(node.func, ast.Attribute) else node.func
            changed = [owner, *node.args, *(each.value for each in node.keywords)]
        yield from (each.id for each in changed if isinstance(each, ast.Name))


def _is_same(value: object, literal: object) -> bool:
    return type(value) is type(literal) and bool(value == literal)


@lru_cache(maxsize=256)
def _read(name: str, file: str, text: str) -> ModuleText:
    source = parse(text)
    assert source is not None
    package = name if Path(file).stem == "__init__" else name.rpartition(".")[0]
    return ModuleText(
        name,
        digest=blake2b(ast.dump(source.tree).encode("utf-8", "surrogatepass"), digest_size=16).hexdigest(),
        text=ast.unparse(source.tree),
        imports=imported_modules(tuple(imported(source.tree.body)), package),
    )


def values_now(module: types.ModuleType) -> dict[str, Any]:
    """Return what a module holds now and its source doesn't tell: neither its functions, nor what is installed."""
    own = vars(module)
    if own.get("__name__") == "__main__":
        return {}
    return {name: value for name, value in own.items() if not name.startswith("__") and not _is_told(value, own)}


def _is_told(value: object, own: Mapping[str, Any]) -> bool:
    if isinstance(value, types.FunctionType):
        return value.__globals__ is own
    if isinstance(value, types.ModuleType):
        return not is_local_module(value)
    cls = value if isinstance(value, type) else type(value)
    return cls.__module__.partition(".")[0] == _OURS or (isinstance(value, type) and not is_local_class(value))


def imported_modules(statements: tuple[Imported, ...], package: str) -> tuple[str, ...]:
    """Return the full names of the modules that import statements load, packages on the way included.

    >>> imported_modules((Imported("os.path"), Imported("", ("sibling",), 1)), "pkg")
    ('os', 'os.path', 'pkg')
    """
    found: set[str] = set()
    for module, names, level in statements:
        start = package.rsplit(".", level - 1)[0] if level > 1 else package if level else ""
        base = ".".join(part for part in (start, module) if part)
        found |= {f"{base}.{name}" for name in names if _is_module(f"{base}.{name}")}
        parts = base.split(".")
        found |= {".".join(parts[:end]) for end in range(1, len(parts) + 1)}
    return tuple(sorted(found - {""}))


def _is_module(name: str) -> bool:
    """Tell whether ``from package import name`` takes a module; only asked where the answer matters."""
    if name.partition(".")[0] in sys.stdlib_module_names:
        return False
    spec = None if name in sys.modules else _find_spec(name)
    return name in sys.modules or spec is not None
