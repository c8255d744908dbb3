"""What tables look like: schema, records and where their columns come from."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import MISSING, dataclass, field, fields
from typing import Any

from ipy_orch.errors import CheckError
from ipy_orch.model.keys import AssetKey

__all__ = [
    "TableColumn",
    "TableColumnConstraints",
    "TableColumnDep",
    "TableColumnLineage",
    "TableConstraints",
    "TableRecord",
    "TableSchema",
]


class Brief:
    """Show in a repr only what differs from the default."""

    def __repr__(self) -> str:
        shown = (f"{spec.name}={value!r}" for spec, value in told(self))
        return f"{type(self).__name__}({', '.join(shown)})"


def told(instance: Any) -> Iterable[tuple[Any, Any]]:
    """Yield each field of a dataclass whose value isn't the default, with the value."""
    for spec in fields(instance):
        value = getattr(instance, spec.name)
        default = spec.default_factory() if spec.default_factory is not MISSING else spec.default
        if spec.repr and (default is MISSING or value != default):
            yield spec, value


def typed(value: Any, wanted: type | tuple[type, ...], what: str) -> Any:
    """Return ``value`` when it is an instance of ``wanted``.

    Raises:
        CheckError: otherwise.
    """
    if not isinstance(value, wanted):
        names = " or ".join(f"`{kind.__name__}`" for kind in (wanted if isinstance(wanted, tuple) else (wanted,)))
        raise CheckError(f"`{what}` must be {names}, not {value!r} of type `{type(value).__name__}`")
    return value


def filled(value: Any, default: Callable[[], Any]) -> Any:
    """Return ``value``, or a new default for None, which Dagster's signatures allow."""
    return default() if value is None else value


def listed(values: Any, wanted: type | tuple[type, ...], what: str) -> list[Any]:
    """Return ``values`` as a list when it is a sequence of instances of ``wanted``.

    Raises:
        CheckError: otherwise, also for a lone string.
    """
    if isinstance(values, str) or not isinstance(values, Sequence):
        raise CheckError(f"`{what}` must be a list, not {values!r} of type `{type(values).__name__}`")
    return [typed(value, wanted, f"{what}[{position}]") for position, value in enumerate(values)]


def texts(mapping: Any, what: str) -> dict[str, str]:
    """Return ``mapping`` as a dict when keys and values are strings.

    Raises:
        CheckError: otherwise.
    """
    items = typed(mapping, Mapping, what).items()
    return {typed(key, str, f"key of {what}"): typed(value, str, f"{what}[{key}]") for key, value in items}


@dataclass(frozen=True, repr=False)
class TableColumnConstraints(Brief):
    """Say what holds for the values of one column.

    Args:
        nullable: whether a value may be missing.
        unique: whether no value occurs twice.
        other: further constraints, in words.
    """

    nullable: bool = True
    unique: bool = False
    other: Sequence[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        typed(self.nullable, bool, "nullable")
        typed(self.unique, bool, "unique")
        object.__setattr__(self, "other", listed(filled(self.other, list), str, "other"))


@dataclass(frozen=True, repr=False)
class TableConstraints(Brief):
    """Say in words what holds for a table as a whole."""

    other: Sequence[str]

    def __post_init__(self) -> None:
        object.__setattr__(self, "other", listed(self.other, str, "other"))


@dataclass(frozen=True, repr=False)
class TableColumn(Brief):
    """Describe one column.

    Args:
        name: its name in the table.
        type: its type in the words of the table's own system, e.g. ``int64`` or ``varchar(20)``.
        description: a sentence for readers.
        constraints: what holds for its values.
        tags: labels.
    """

    name: str
    type: str = "string"
    description: str | None = None
    constraints: TableColumnConstraints = field(default_factory=TableColumnConstraints)
    tags: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        typed(self.name, str, "name")
        typed(self.type, str, "type")
        typed(self.description, (str, type(None)), "description")
        constraints = filled(self.constraints, TableColumnConstraints)
        object.__setattr__(self, "constraints", typed(constraints, TableColumnConstraints, "constraints"))
        object.__setattr__(self, "tags", texts(filled(self.tags, dict), "tags"))


@dataclass(frozen=True, repr=False)
class TableSchema(Brief):
    """Describe a table by its columns.

    >>> TableSchema.from_name_type_dict({"id": "int64"})
    TableSchema(columns=[TableColumn(name='id', type='int64')])
    """

    columns: Sequence[TableColumn]
    constraints: TableConstraints = field(default_factory=lambda: TableConstraints([]))

    def __post_init__(self) -> None:
        object.__setattr__(self, "columns", listed(self.columns, TableColumn, "columns"))
        constraints = filled(self.constraints, lambda: TableConstraints([]))
        object.__setattr__(self, "constraints", typed(constraints, TableConstraints, "constraints"))

    @staticmethod
    def from_name_type_dict(name_type_dict: Mapping[str, str]) -> TableSchema:
        """Return a schema of columns given as name -> type."""
        return TableSchema([TableColumn(name, type=kind) for name, kind in name_type_dict.items()])


@dataclass(frozen=True)
class TableRecord:
    """Hold one row: column name -> string, number, bool or None."""

    data: Mapping[str, str | int | float | bool | None]

    def __post_init__(self) -> None:
        for column, value in typed(self.data, Mapping, "data").items():
            typed(column, str, "column name")
            typed(value, (str, int, float, bool, type(None)), column)
        object.__setattr__(self, "data", dict(self.data))


@dataclass(frozen=True)
class TableColumnDep:
    """Name a column of an asset that another column is computed from."""

    asset_key: AssetKey
    column_name: str

    def __init__(self, asset_key: AssetKey | str | Sequence[str], column_name: str) -> None:
        key = asset_key if isinstance(asset_key, AssetKey) else AssetKey(asset_key)
        object.__setattr__(self, "asset_key", key)
        object.__setattr__(self, "column_name", typed(column_name, str, "column_name"))


@dataclass(frozen=True)
class TableColumnLineage:
    """Tell for each column which columns of other assets it is computed from."""

    deps_by_column: Mapping[str, Sequence[TableColumnDep]]

    def __post_init__(self) -> None:
        given = typed(self.deps_by_column, Mapping, "deps_by_column").items()
        deps = {
            typed(column, str, "column name"): listed(needed, TableColumnDep, f"deps_by_column[{column}]")
            for column, needed in given
        }
        object.__setattr__(self, "deps_by_column", deps)
