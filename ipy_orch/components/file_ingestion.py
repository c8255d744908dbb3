"""Files that a pattern finds become assets: one each, or one with a partition for each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

from ipy_orch.authoring.assets import define_asset
from ipy_orch.components.files import FILES, FileComponent, folder_of, library, name_of, refuse_same, shown_path, text
from ipy_orch.errors import DagsterInvalidDefinitionError
from ipy_orch.model.assets import AssetsDefinition
from ipy_orch.model.definitions import Definitions
from ipy_orch.model.keys import AssetKey
from ipy_orch.model.ops import Signature
from ipy_orch.model.partitions.definition import StaticPartitionsDefinition
from ipy_orch.model.policies import Failure

if TYPE_CHECKING:
    from ipy_orch.authoring.components.load_contexts import ComponentLoadContext

__all__ = ["FileIngestionComponent"]

WHO: Final = "FileIngestionComponent"
CONTEXT: Final = "context"
FORMATS: Final = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".parquet": "parquet",
    ".json": "json",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
}
# Format -> the function of pandas that reads it, and what it's told beside the options.
READERS: Final[Mapping[str, tuple[str, Mapping[str, Any]]]] = {
    "csv": ("read_csv", {}),
    "tsv": ("read_csv", {"sep": "\t"}),
    "parquet": ("read_parquet", {}),
    "json": ("read_json", {}),
    "jsonl": ("read_json", {"lines": True}),
}


class FileIngestionComponent(FileComponent):
    """Make a table of each file that a pattern finds, as a pandas DataFrame; a file that has changed is read again.

    Args:
        path: the pattern, from the folder of the YAML or notebook.
        format: of the files; by default what their names say.
        asset: the name of one asset with a partition per file; by default each file is an asset.
        options: for pandas' reader, e.g. ``{"sep": ";"}``.
    """

    path: Annotated[str, text("A file, or a pattern of files.", ["data/*.csv"])]
    format: Annotated[
        Literal["csv", "tsv", "parquet", "json", "jsonl"] | None, text("What they hold, where their names don't say.")
    ] = None
    asset: Annotated[str | None, text("One asset of this name with a partition per file, instead of one each.")] = None
    options: Annotated[Mapping[str, Any] | None, text("For pandas' reader.", [{"sep": ";"}])] = None

    def build_defs(self, context: ComponentLoadContext) -> Definitions:
        """Return an asset for each file, or one with a partition for each.

        Raises:
            DagsterInvalidDefinitionError: when the pattern finds nothing, or a format isn't known.
        """
        files = self.found(folder_of(context))
        formats = {one: self.format_of(one) for one in files}
        if self.asset is not None:
            return Definitions([self.partitioned(self.asset, formats)])
        return Definitions([self.single(one, form) for one, form in formats.items()])

    def found(self, folder: Path) -> list[Path]:
        """Return the files, by name.

        Raises:
            DagsterInvalidDefinitionError: when there's none.
        """
        whole = Path(self.path)
        home = Path(whole.anchor) if whole.is_absolute() else folder
        pattern = str(whole.relative_to(whole.anchor)) if whole.is_absolute() else self.path
        files = sorted(one for one in home.glob(pattern) if one.is_file() and not one.name.startswith("."))
        if not files:
            raise DagsterInvalidDefinitionError(f"`{self.path}` finds no file", where=str(folder))
        refuse_same(files)
        return files

    def format_of(self, file: Path) -> str:
        """Return what a file holds.

        Raises:
            DagsterInvalidDefinitionError: when its name doesn't say.
        """
        suffixes = [one.lower() for one in file.suffixes]
        plain = suffixes[-2] if suffixes[-1:] == [".gz"] and len(suffixes) > 1 else (suffixes or [""])[-1]
        found = self.format or FORMATS.get(plain)
        if found is None:
            told = f"the name of `{shown_path(file)}` doesn't say what it holds"
            raise DagsterInvalidDefinitionError(told, hint=f"format: {' | '.join(READERS)}")
        return found

    def single(self, file: Path, form: str) -> AssetsDefinition:
        """Return the asset of one file."""
        place, options = shown_path(file), {**(self.options or {})}

        def read_file() -> Any:
            return read(place, form, options)

        return self.made(read_file, self.key_of(file), [place], Signature(read_file))

    def partitioned(self, name: str, formats: Mapping[Path, str]) -> AssetsDefinition:
        """Return the asset with a partition per file."""
        places, options = {name_of(one): (shown_path(one), form) for one, form in formats.items()}, self.options or {}

        def read_partition(context: Any) -> Any:
            return read(*places[context.partition_key], options)

        key = AssetKey([*self.prefix, *AssetKey.from_user_string(name).path])
        paths, cut = [place for place, _ in places.values()], StaticPartitionsDefinition([*places])
        return self.made(read_partition, key, paths, Signature(read_partition, CONTEXT), partitions_def=cut)

    def made(
        self, function: Callable[..., Any], key: AssetKey, paths: list[str], signature: Signature, **more: Any
    ) -> AssetsDefinition:
        """Return an asset that observes files."""
        about = f"`{paths[0]}`" if len(paths) == 1 else f"{len(paths)} files like `{self.path}`"
        return define_asset(
            function,
            key=key,
            description=about,
            metadata={FILES: paths},
            signature=signature,
            origin=self.path,
            **self.said(kinds=["pandas"]),
            **more,
        )


def read(place: str, form: str, options: Mapping[str, Any]) -> Any:
    """Return a file as a DataFrame.

    Raises:
        Failure: when it's gone, or holds something else.
    """
    pandas = library("pandas", WHO, "parquet")
    name, usual = READERS[form]
    try:
        return getattr(pandas, name)(place, **{**usual, **options})
    except FileNotFoundError:
        raise Failure(f"there is no file `{place}` any more: run the cell of its component again") from None
    except (ValueError, TypeError) as error:
        raise Failure(f"`{place}` can't be read as {form}: {error}") from error
