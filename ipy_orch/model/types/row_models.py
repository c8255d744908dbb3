"""pydantic models as types of tables: each row of a frame is validated as one instance.

A missing value is None to the model, so a field that may be missing is annotated ``float | None``. Numbers, truth
values and times aren't read from texts, as pydantic would: the frame goes on as it is, whatever the model would have
made of it.
"""

from __future__ import annotations

import datetime as dt
import types
import typing
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, Final, Literal, TypeAlias, TypeGuard

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from ipy_orch.errors import CheckError
from ipy_orch.model.config.annotations import is_config_class
from ipy_orch.model.tables import TableColumn, TableColumnConstraints, TableSchema
from ipy_orch.model.types.dagster_type import DagsterType, TypeCheck
from ipy_orch.model.types.frames import Broken, FrameType, verdict_of

__all__ = ["RowModelType", "is_row_model", "row_model_to_dagster_type"]

Model: TypeAlias = type[BaseModel]
Row: TypeAlias = Mapping[str, Any]

CHUNK: Final = 5_000  #: rows that are dictionaries at one time
KEPT: Final = 20  #: failing rows of each rule that are kept

#: what a value of these fields isn't read from
NOT_FROM: Final[Mapping[Any, tuple[type, ...]]] = {
    int: (str, bytes),
    float: (str, bytes),
    bool: (str, bytes),
    dt.date: (str, bytes, int, float),
    dt.datetime: (str, bytes, int, float),
}
#: the constraints of a field, and how each is said
CONSTRAINTS: Final[Mapping[str, str]] = {
    "gt": "> {}",
    "ge": ">= {}",
    "lt": "< {}",
    "le": "<= {}",
    "multiple_of": "multiple of {}",
    "min_length": "length >= {}",
    "max_length": "length <= {}",
    "pattern": "matches {!r}",
}


def is_row_model(annotation: Any) -> TypeGuard[Model]:
    """Tell whether an annotation is a pydantic model that can describe rows; a ``Config`` doesn't."""
    return isinstance(annotation, type) and issubclass(annotation, BaseModel) and not is_config_class(annotation)


def row_model_to_dagster_type(model: Model, name: str | None = None, description: str | None = None) -> DagsterType:
    """Return a type of the pandas or polars frames whose rows are instances of a pydantic model.

    The model itself also stands for a type wherever one is expected; that type lets a single instance pass, too.

    Args:
        model: its fields are the columns; ``extra="forbid"`` refuses others.
        name: by default the model's.
        description: by default the model's docstring.

    Raises:
        CheckError: for anything else.
    """
    if not is_row_model(model):
        raise CheckError(f"`model` must be a class derived from `pydantic.BaseModel`, not {model!r}")
    return RowModelType(model, name or model.__name__, description)


class RowModelType(FrameType):
    """Be the type of the frames whose rows are instances of a pydantic model.

    Args:
        model: the class.
        name: makes it a type of frames only; without, it also is the type of a single instance.
    """

    def __init__(self, model: Model, name: str | None = None, description: str | None = None) -> None:
        self.model, self.admits_instance = model, name is None
        super().__init__(
            model,
            TableSchema([column_of(name_of(field, info), info) for field, info in model.model_fields.items()]),
            key=f"_TypeHintInferred[{model.__module__}.{model.__name__}]",
            called=model.__name__,
            name=name,
            description=description or doc_of(model),
            typing_type=model if name is None else Any,
        )

    @cached_property
    def adapter(self) -> TypeAdapter[list[Any]]:
        """Return what validates a list of rows."""
        return TypeAdapter(list[self.model])  # type: ignore[name-defined]

    def check(self, _context: Any, value: Any) -> TypeCheck:
        """Return whether ``value`` is a frame of such rows, or one of them."""
        if self.admits_instance and isinstance(value, self.model):
            return TypeCheck(success=True)
        if not is_frame(value):
            wanted = f"a data frame of `{self.called}`" + (" or one instance" if self.admits_instance else "")
            hint = "; `.collect()` gives one" if hasattr(value, "collect") else ""
            return TypeCheck(success=False, description=f"{wanted} is wanted, not a `{type(value).__name__}`{hint}")
        broken = list(self.broken_columns([str(column) for column in value.columns])) or self.broken_rows(value)
        return verdict_of(broken) if broken else self.passed()

    def broken_columns(self, there: Sequence[str]) -> Iterator[Broken]:
        """Yield what is wrong with a frame's columns, whatever its rows hold."""
        names = {name_of(field, info): info for field, info in self.model.model_fields.items()}
        yield from (Broken(name, "the column is there twice") for name in names if there.count(name) > 1)
        for name, info in names.items():
            if info.is_required() and name not in there:
                yield Broken(name, "the column is missing")
        if self.model.model_config.get("extra") == "forbid":
            yield from (Broken(name, "the model has no such field") for name in there if name not in names)

    def broken_rows(self, frame: Any) -> list[Broken]:
        """Return the rules that rows break."""
        found: dict[tuple[str, str], list[tuple[Any, Any]]] = {}
        for place, column, rule, value in self.complaints(frame):
            found.setdefault((column, rule), []).append((place, value))
        labels = getattr(frame, "index", range(len(frame)))
        return [
            Broken(column, rule, [(labels[place], value) for place, value in rows[:KEPT]], len(rows))
            for (column, rule), rows in found.items()
        ]

    def complaints(self, frame: Any) -> Iterator[tuple[int, str, str, Any]]:
        """Yield place of the row, column, rule and value, for each value that breaks a rule."""
        fields = {name_of(field, info): core_of(info.annotation) for field, info in self.model.model_fields.items()}
        known = frame[[column for column in frame.columns if column in fields]]
        for start in range(0, len(known), CHUNK):
            rows = rows_of(known[start : start + CHUNK])
            for place, column, rule, value in (*wrong_kinds(rows, fields), *self.invalid(rows)):
                yield start + place, column, rule, value

    def invalid(self, rows: list[Row]) -> Iterator[tuple[int, str, str, Any]]:
        """Yield what pydantic complains of."""
        try:
            self.adapter.validate_python(rows)
        except ValidationError as error:
            for one in error.errors(include_url=False, include_context=False):
                place, *path = one["loc"]
                value = one["input"] if path else ""
                yield int(place), ".".join(map(str, path)), rule_of(one["msg"], one["input"]), value


def is_frame(value: Any) -> bool:
    """Tell whether a value is a frame whose rows are in memory, of pandas' or polars' kind."""
    return hasattr(value, "to_dicts") or (hasattr(value, "notna") and hasattr(value, "columns"))


def rows_of(frame: Any) -> list[Row]:
    """Return the rows of a frame as dictionaries of Python's own values, with None for what is missing."""
    if hasattr(frame, "to_dicts"):
        return list(frame.to_dicts())
    return list(frame.astype(object).where(frame.notna(), None).to_dict("records"))


def wrong_kinds(rows: Iterable[Row], fields: Mapping[str, Any]) -> Iterator[tuple[int, str, str, Any]]:
    """Yield values that pydantic would convert, although the frame keeps them as they are."""
    refused = {name: NOT_FROM[kind] for name, kind in fields.items() if kind in NOT_FROM}
    for place, row in enumerate(rows):
        for name, kinds in refused.items():
            value = row.get(name)
            if isinstance(value, kinds):
                yield place, name, f"{fields[name].__name__}, not {type(value).__name__}", value


def rule_of(message: str, value: Any) -> str:
    """Return pydantic's message as a rule.

    >>> rule_of("Input should be greater than 0", -1)
    'greater than 0'
    """
    if value is None:
        return "not null"
    return message.removeprefix("Value error, ").removeprefix("Input should be ")


# -- what a model says, in words


def name_of(field: str, info: FieldInfo) -> str:
    """Return the column of a field: its alias, else its name."""
    return info.validation_alias if isinstance(info.validation_alias, str) else field


def doc_of(model: Model) -> str | None:
    """Return the class's own docstring."""
    return model.__dict__.get("__doc__")


def core_of(annotation: Any) -> Any:
    """Return an annotation without its ``| None``, when one is left.

    >>> core_of(float | None)
    <class 'float'>
    """
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        rest = [part for part in typing.get_args(annotation) if part is not type(None)]
        return rest[0] if len(rest) == 1 else annotation
    return annotation


def column_of(name: str, info: FieldInfo) -> TableColumn:
    """Return a field as a column with its type and constraints."""
    words = [
        said.format(value)
        for rule in info.metadata
        for attribute, said in CONSTRAINTS.items()
        if (value := getattr(rule, attribute, None)) is not None
    ]
    nullable = info.annotation is None or type(None) in typing.get_args(info.annotation)
    return TableColumn(
        name,
        type=text_of(core_of(info.annotation)),
        description=info.description,
        constraints=TableColumnConstraints(
            nullable=nullable, other=words if info.is_required() else [*words, "may be left out"]
        ),
    )


def text_of(annotation: Any) -> str:
    """Return the text of a type.

    >>> text_of(Literal["a", "b"]), text_of(list[int])
    ("'a' | 'b'", 'list[int]')
    """
    if typing.get_origin(annotation) is Literal:
        return " | ".join(map(repr, typing.get_args(annotation)))
    plain = isinstance(annotation, type) and not typing.get_args(annotation)
    return annotation.__name__ if plain else str(annotation).replace("typing.", "")
