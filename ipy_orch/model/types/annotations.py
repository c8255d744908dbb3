"""The type that an annotation means.

``resolve_dagster_type`` makes one from a Python annotation: classes are checked by ``isinstance``, ``list[int]`` and
its kin with their elements, data frames by their pandera schema or their pydantic row model. Other annotations are
refused, as Dagster does, so that what runs here runs there.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from weakref import WeakKeyDictionary

from ipy_orch.errors import CheckError, DagsterInvalidDefinitionError
from ipy_orch.model.metadata.value import MetadataValue
from ipy_orch.model.policies import Failure
from ipy_orch.model.tables import typed
from ipy_orch.model.types.composed import DictType, ListType, OptionalType, SetType, TupleType
from ipy_orch.model.types.dagster_type import (
    ANYTHING,
    BUILTINS,
    DICT,
    SCALARS,
    SET,
    TUPLE,
    DagsterType,
    DagsterTypeKind,
    Nothing,
    PythonObjectDagsterType,
    TypeCheck,
    TypeHintInferredDagsterType,
)
from ipy_orch.model.types.frames import COLUMN_SCHEMA, FrameType
from ipy_orch.model.types.pandera import PanderaType, pandera_source
from ipy_orch.model.types.row_models import RowModelType, is_row_model

__all__ = [
    "Any",
    "Bool",
    "DagsterType",
    "DagsterTypeKind",
    "Dict",
    "Float",
    "Int",
    "List",
    "Nothing",
    "Optional",
    "PythonObjectDagsterType",
    "Set",
    "String",
    "Tuple",
    "TypeCheck",
    "check_dagster_type",
    "column_schema_of",
    "make_python_type_usable_as_dagster_type",
    "resolve_dagster_type",
    "types_by_key",
]

# Dagster's names of the scalar types are names of Python's.
Int = int
Float = float
String = str
Bool = bool


@dataclass(frozen=True)
class TypeMaker:
    """Make a composed type by indexing, as ``List[int]``; bare, stand for the type of any elements."""

    name: str
    arity: int | None
    make: Callable[..., DagsterType]
    bare: Callable[[], DagsterType]

    def __repr__(self) -> str:
        return self.name

    def __getitem__(self, parts: Any) -> DagsterType:
        if parts is None:
            raise CheckError(f"`{self.name}[None]` isn't a type; hint: `{self.name}[Any]`")
        given = parts if isinstance(parts, tuple) else (parts,)
        if self.arity is not None and len(given) != self.arity:
            raise DagsterInvalidDefinitionError(f"`{self.name}` takes {self.arity} types, not {len(given)}")
        return self.make(*map(resolve_dagster_type, given))


def bare_optional() -> DagsterType:
    """Refuse an Optional of nothing in particular."""
    raise DagsterInvalidDefinitionError("`Optional` alone isn't a type", hint="`Optional[Int]`")


Optional = TypeMaker("Optional", 1, OptionalType, bare_optional)
List = TypeMaker("List", 1, ListType, lambda: ListType(ANYTHING))
Set = TypeMaker("Set", 1, SetType, lambda: SET)
Dict = TypeMaker("Dict", 2, DictType, lambda: DICT)
Tuple = TypeMaker("Tuple", None, lambda *parts: TupleType(parts), lambda: TUPLE)


# -- from annotations

MAKERS: Final[Mapping[Any, TypeMaker]] = {list: List, set: Set, dict: Dict, tuple: Tuple}
# Read-only sequences and mappings are checked as the builtin that steps hand on.
ORIGINS: Final[Mapping[Any, TypeMaker]] = {**MAKERS, Sequence: List, Mapping: Dict}

registered: Final[WeakKeyDictionary[type, DagsterType]] = WeakKeyDictionary()


def resolve_dagster_type(annotation: Any) -> DagsterType:
    """Return the type that an annotation, a class or a DagsterType stands for.

    ``Output[int]``, ``MaterializeResult[int]`` and ``list[DynamicOutput[int]]`` stand for the value they carry.

    Raises:
        DagsterInvalidDefinitionError: for an annotation that can't be checked, such as ``int | str``.

    >>> resolve_dagster_type(list[int] | None)
    OptionalType([Int]?)
    """
    if isinstance(annotation, DagsterType):
        return annotation
    if isinstance(annotation, TypeMaker):
        return annotation.bare()
    if annotation is type(None):
        return Nothing
    if annotation is None or annotation is Any or carries(annotation):
        return ANYTHING
    table = frame_type(annotation)
    if table is not None:
        return table
    return generic_type(annotation) if typing.get_origin(annotation) else class_type(annotation)


def frame_type(annotation: Any) -> FrameType | None:
    """Return the type of the data frames that an annotation describes by a pandera schema or a pydantic row model."""
    if isinstance(annotation, type) and annotation in registered:
        return None
    schema = pandera_source(annotation)
    if schema is not None:
        return PanderaType(schema)
    return RowModelType(annotation) if is_row_model(annotation) else None


def class_type(cls: Any) -> DagsterType:
    """Return the type of a class."""
    if not isinstance(cls, type):
        raise unknown(cls)
    if cls in MAKERS:
        return MAKERS[cls].bare()
    if issubclass(cls, DagsterType):
        raise CheckError(f"`{cls.__name__}` is a class of types; hint: give an instance of it")
    return SCALARS.get(cls) or registered.get(cls) or TypeHintInferredDagsterType(cls)


def generic_type(annotation: Any) -> DagsterType:
    """Return the type of an annotation with parameters, or of one from ``typing`` without."""
    origin, parts = typing.get_origin(annotation), typing.get_args(annotation)
    if origin in (typing.Union, types.UnionType) and len(parts) == 2 and type(None) in parts:
        return Optional[next(part for part in parts if part is not type(None))]
    if carries(origin):
        return resolve_dagster_type(parts[0])
    if origin not in ORIGINS or Ellipsis in parts:
        raise unknown(annotation)
    if origin is list and parts and carries(typing.get_origin(parts[0]) or parts[0]):
        return resolve_dagster_type(parts[0])
    return ORIGINS[origin][parts] if parts else ORIGINS[origin].bare()


def carries(cls: Any) -> bool:
    """Tell whether a class is a result that stands for the value it carries; see ``model.results``."""
    return isinstance(cls, type) and cls.__dict__.get("carries_value", False)


def unknown(annotation: Any) -> DagsterInvalidDefinitionError:
    """Return the error for an annotation that can't be checked."""
    text = annotation.__name__ if isinstance(annotation, type) and not typing.get_args(annotation) else str(annotation)
    return DagsterInvalidDefinitionError(
        f"`{text}` can't be checked as the type of a value", hint="`Any`, or `PythonObjectDagsterType((int, str))`"
    )


def check_dagster_type(dagster_type: Any, value: Any) -> TypeCheck:
    """Return whether ``value`` is of a type, for tests of a type.

    >>> check_dagster_type(list[int], [1, "2"]).success
    False
    """
    try:
        return resolve_dagster_type(dagster_type).type_check(None, value)
    except Failure as failure:
        return TypeCheck(success=False, description=failure.description)


def make_python_type_usable_as_dagster_type(python_type: type, dagster_type: DagsterType) -> None:
    """Let annotations with a class mean a type of yours.

    Raises:
        DagsterInvalidDefinitionError: when the class already means another one.
    """
    given = registered.setdefault(typed(python_type, type, "python_type"), dagster_type)
    if given is not dagster_type:
        raise DagsterInvalidDefinitionError(
            f"the class `{python_type.__name__}` already means the type `{given.display_name}`"
        )


def column_schema_of(declared: Any) -> dict[str, MetadataValue]:
    """Return the metadata that an asset shows for the type of its value: the columns, where it is a table.

    Args:
        declared: a type or an annotation, or what stands for neither.

    >>> column_schema_of(int)
    {}
    """
    found = declared if isinstance(declared, DagsterType) else frame_type(declared) or ANYTHING
    return {COLUMN_SCHEMA: found.metadata[COLUMN_SCHEMA]} if COLUMN_SCHEMA in found.metadata else {}


def types_by_key(found: Iterable[DagsterType]) -> dict[str, DagsterType]:
    """Return the builtin types and those of a job's ports, with all they are made of, by key.

    Raises:
        DagsterInvalidDefinitionError: when two of them have the same name of their own.
    """
    by_key: dict[str, DagsterType] = {one.key: one for one in BUILTINS}
    by_name: dict[str, DagsterType] = {one.unique_name: one for one in BUILTINS}
    for one in (inner for outer in found for inner in (outer, *outer.inner_types)):
        by_key[one.key] = one
        if one.has_unique_name and by_name.setdefault(one.unique_name, one) is not one:
            raise DagsterInvalidDefinitionError(
                f"two types have the name `{one.unique_name}`", hint="define it once, or give one of them another name"
            )
    return by_key
