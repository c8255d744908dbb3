"""What the shipped components share: the files of a folder, and the assets that are named like them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

from ipy_orch.authoring.components.component import Component
from ipy_orch.authoring.components.resolvable import Resolvable
from ipy_orch.authoring.components.resolver import Model, Resolver
from ipy_orch.errors import DagsterInvalidDefinitionError, DagsterInvariantViolationError, closest
from ipy_orch.model.keys import AssetKey

if TYPE_CHECKING:
    from ipy_orch.authoring.components.load_contexts import ComponentLoadContext

__all__ = ["FILES", "FileComponent", "files_in", "folder_of", "library", "name_of", "refuse_same", "shown_path", "text"]

FILES: Final = "ipy_orch/files"  # metadata whose files a session observes: an asset is stale when one has changed


def text(description: str, examples: list[Any] | None = None) -> Resolver:
    """Return the usual resolver, with a description for the schema."""
    return Resolver.default(description=description, examples=examples)


class FileComponent(Component, Model, Resolvable):
    """Make assets that are named like files.

    Args:
        group_name: of all of them.
        key_prefix: put before their keys.
        tags: of all of them.
        owners: of all of them.
    """

    group_name: Annotated[str | None, text("The group that they are shown in.")] = None
    key_prefix: Annotated[str | list[str] | None, text("Put before their keys.")] = None
    tags: Annotated[Mapping[str, str] | None, text("Labels of all of them.")] = None
    owners: Annotated[Sequence[str] | None, text("E-mail addresses, or `team:name`.")] = None

    @property
    def prefix(self) -> list[str]:
        """Return what stands before the keys."""
        said = self.key_prefix
        return said.split("/") if isinstance(said, str) else [*(said or ())]

    def key_of(self, file: Path) -> AssetKey:
        """Return the key of the asset that a file is."""
        return AssetKey([*self.prefix, name_of(file)])

    def said(self, *, kinds: Iterable[str]) -> dict[str, Any]:
        """Return the arguments that all the assets have in common."""
        return {"group_name": self.group_name, "tags": self.tags, "owners": self.owners, "kinds": set(kinds)}


def name_of(file: Path) -> str:
    """Return the name of a file as that of an asset.

    >>> name_of(Path("sql/daily orders.v2.sql"))
    'daily_orders_v2'
    """
    plain = re.sub(r"\W+", "_", file.stem).strip("_")
    return f"_{plain}" if plain[:1].isdigit() else plain


def folder_of(context: ComponentLoadContext) -> Path:
    """Return the folder that paths in attributes are meant from."""
    return context.path if context.path.is_dir() else context.path.parent


def files_in(context: ComponentLoadContext, folder: str, pattern: str) -> list[Path]:
    """Return the files of a folder, by name.

    Raises:
        DagsterInvalidDefinitionError: when there's no such folder, with the closest, or no such file in it, or two
            files stand for one name.
    """
    home = folder_of(context)
    place = home / folder
    if not place.is_dir():
        near = closest(folder, [one.name for one in home.iterdir() if one.is_dir()]) if home.is_dir() else ""
        raise DagsterInvalidDefinitionError(f"there is no folder `{folder}`", where=str(home), hint=near)
    found = sorted(one for one in place.glob(pattern) if one.is_file() and not one.name.startswith("."))
    if not found:
        kinds = sorted({f"*{one.suffix}" for one in place.iterdir() if one.suffix})
        hint = f"it has {', '.join(map('`{}`'.format, kinds))}" if kinds else ""
        raise DagsterInvalidDefinitionError(f"no file of `{folder}` is like `{pattern}`", where=str(home), hint=hint)
    refuse_same(found)
    return found


def refuse_same(files: Iterable[Path]) -> None:
    """Refuse two files whose assets would have one name.

    Raises:
        DagsterInvalidDefinitionError: naming both.
    """
    seen: dict[str, Path] = {}
    for one in files:
        if (other := seen.setdefault(name_of(one), one)) is not one:
            told = f"`{other.name}` and `{one.name}` are both the asset `{name_of(one)}`"
            raise DagsterInvalidDefinitionError(told, where=str(one.parent), hint="rename one")


def shown_path(file: Path) -> str:
    """Return a path from the current folder where it's in it, so that none of this machine is written anywhere."""
    whole, here = file.resolve(), Path.cwd()
    return whole.relative_to(here).as_posix() if whole.is_relative_to(here) else str(whole)


def library(module: str, who: str, extra: str) -> Any:
    """Return a module that is installed only where somebody chose to.

    Raises:
        DagsterInvariantViolationError: when it isn't installed, with what to type.
    """
    try:
        return import_module(module)
    except ImportError as error:
        raise DagsterInvariantViolationError(
            f"`{who}` needs `{module}`, which can't be imported: {error}", hint=f"pip install 'ipy-orch[{extra}]'"
        ) from error
