"""What the files of modules say now, whether that is what was loaded or not."""

from __future__ import annotations

import ast
import types
from functools import lru_cache
from hashlib import blake2b
from pathlib import Path

from ipy_orch.planning.code.modules import imported_modules
from ipy_orch.planning.code.source import on_disk, parse
from ipy_orch.planning.code.trees import imported

__all__ = ["file_text"]


def file_text(module: types.ModuleType) -> tuple[str, tuple[str, ...]]:
    """Return a digest of what the file of a module says now, without comments and layout, and what that imports."""
    file = vars(module).get("__file__")
    if not isinstance(file, str):
        return "", ()
    try:
        stat = Path(file).stat()
    except OSError:
        return "gone", ()
    package = module.__name__ if "__path__" in vars(module) else module.__name__.rpartition(".")[0]
    return _file_text(file, package, stat.st_mtime_ns, stat.st_size)


@lru_cache(maxsize=1024)
def _file_text(file: str, package: str, changed: int, size: int) -> tuple[str, tuple[str, ...]]:
    text = on_disk(file, changed, size)
    source = parse(text) if text is not None else None
    if source is None:
        return f"{changed} {size}", ()
    dump = ast.dump(source.tree).encode("utf-8", "surrogatepass")
    return blake2b(dump, digest_size=16).hexdigest(), imported_modules(tuple(imported(source.tree.body)), package)
