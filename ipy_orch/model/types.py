"""What a value must be: types that check values when steps hand them on.

A DagsterType is a name and a check. ``resolve_dagster_type`` makes one from a Python annotation: classes are checked
by ``isinstance``, ``list[int]`` and its kin with their elements. Annotations beyond those are refused, as Dagster does,
so that what runs here runs there.
"""

from __future__ import annotations

import inspect
import types
import typing
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, ClassVar, TypeVar, cast
from weakref import WeakKeyDictionary

from ipy_orch.errors import CheckError, DagsterInvalidDefinitionError, DagsterInvariantViolationError
from ipy_orch.model.metadata import MetadataValue, normalize_metadata
from ipy_orch.model.policies import Failure
from ipy_orch.model.tables import Brief, filled, typed

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
    "make_python_type_usable_as_dagster_type",
    "resolve_dagster_type",
    "usable_as_dagster_type",
]

# Dagster's names of the scalar types are names of Python's.
Int = int
Float = float
String = str
Bool = bool

C = TypeVar("C", bound=type)
# As values, to be indexed at run time; the older spellings compare equal to what Dagster reports.
UNION: Any = typing.Union
LIST_OF: Any = typing.List  # noqa: UP006
SET_OF: Any = typing.Set  # noqa: UP006
DICT_OF: Any = typing.Dict  # noqa: UP006
TUPLE_OF: Any = typing.Tuple  # noqa: UP006


@dataclass(frozen=True, repr=False)
class TypeCheck(Brief):
    """Tell whether a value is of a type, with a description and metadata.

    Raises:
        CheckError: when ``success`` isn't a bool.
    """

    success: bool
    description: str | None = None
    metadata: Mapping[str, MetadataValue] = field(default_factory=dict)

    def __post_init__(self) -> None:
        typed(self.success, bool, "success")
        typed(self.description, (str, type(None)), "description")
        object.__setattr__(self, "metadata", normalize_metadata(filled(self.metadata, dict)))


class DagsterTypeKind(Enum):
    """Tell the builtin sorts of types apart."""

    ANY = "ANY"
    SCALAR = "SCALAR"
    LIST = "LIST"
    NOTHING = "NOTHING"
    NULLABLE = "NULLABLE"
    REGULAR = "REGULAR"


class DagsterType:
    """Name a check of values.

    Args:
        type_check_fn: ``(context, value)`` -> bool or :class:`TypeCheck`.
        key: what the type is known by inside, the name by default.
        name: what it is called.
        is_builtin: whether it isn't the user's.
        description: a sentence for readers.
        loader: how a value is made from config.
        required_resource_keys: the resources that the check finds at its context.
        kind: the sort of type.
        typing_type: the Python annotation that says the same.
        metadata: more about it.

    Raises:
        CheckError: without key and name, or when an argument has the wrong type.
        DagsterInvalidDefinitionError: when the check doesn't take two arguments.
    """

    def __init__(
        self,
        type_check_fn: Callable[[Any, Any], TypeCheck | bool],
        key: str | None = None,
        name: str | None = None,
        is_builtin: bool = False,
        description: str | None = None,
        loader: Any = None,
        required_resource_keys: set[str] | None = None,
        kind: DagsterTypeKind = DagsterTypeKind.REGULAR,
        typing_type: Any = Any,
        metadata: Mapping[str, Any] | None = None,
    ) -> None:
        if key is None and name is None:
            raise CheckError("a type needs a `name` or a `key`")
        self.key: str = typed(name if key is None else key, str, "key")
        self.name: str | None = typed(name, (str, type(None)), "name")
        self.type_check_fn = two_argument(type_check_fn, self.display_name)
        self.is_builtin, self.kind, self.loader, self.typing_type = is_builtin, kind, loader, typing_type
        self.description: str | None = typed(description, (str, type(None)), "description")
        self.required_resource_keys = frozenset(required_resource_keys or ())
        self.metadata = normalize_metadata(metadata or {})

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.display_name})"

    def type_check(self, context: Any, value: Any) -> TypeCheck:
        """Return whether ``value`` is of this type.

        Raises:
            DagsterInvariantViolationError: when the check returns neither a bool nor a TypeCheck.
        """
        found = self.type_check_fn(context, value)
        if not isinstance(found, TypeCheck | bool):
            raise DagsterInvariantViolationError(
                f"the check of type `{self.display_name}` returned {found!r} of type `{type(found).__name__}`",
                hint="return a bool or a `TypeCheck`",
            )
        return found if isinstance(found, TypeCheck) else TypeCheck(found)

    @property
    def has_unique_name(self) -> bool:
        """Tell whether the type has a name of its own; ``list[int]`` hasn't."""
        return self.name is not None

    @property
    def unique_name(self) -> str:
        """Return the name.

        Raises:
            CheckError: when it has none.
        """
        if self.name is None:
            raise CheckError(f"the type `{self.display_name}` has no name of its own")
        return self.name

    @property
    def display_name(self) -> str:
        """Return what people call the type, such as ``[Int]``."""
        return self.name or self.key

    @property
    def is_nothing(self) -> bool:
        """Tell whether no value is passed at all."""
        return self.kind is DagsterTypeKind.NOTHING

    @property
    def is_any(self) -> bool:
        """Tell whether every value passes."""
        return self.kind is DagsterTypeKind.ANY

    @property
    def inner_types(self) -> Sequence[DagsterType]:
        """Return the types that this one is made of, and those that they are made of."""
        return []

    @property
    def type_param_keys(self) -> list[str]:
        """Return the keys of the types that this one is made of."""
        return [inner.key for inner in self.inner_types]

    @property
    def supports_fan_in(self) -> bool:
        """Tell whether an input of this type takes several outputs."""
        return self.is_nothing or self.is_any

    def get_inner_type_for_fan_in(self) -> DagsterType:
        """Return the type of each output, when the input takes several.

        Raises:
            CheckError: when it doesn't.
        """
        if not self.supports_fan_in:
            raise CheckError(f"the type `{self.display_name}` doesn't take several outputs")
        return self


def two_argument(check: Any, name: str) -> Callable[[Any, Any], Any]:
    """Return ``check`` when it can be called as ``check(context, value)``."""
    if not callable(check):
        raise CheckError(f"`type_check_fn` of type `{name}` must be a function, not {check!r}")
    try:
        inspect.signature(check).bind(None, None)
    except TypeError as error:
        raise DagsterInvalidDefinitionError(
            f"`type_check_fn` of type `{name}` must take two arguments: {error}", hint="`lambda context, value: ...`"
        ) from None
    except ValueError:
        pass  # a builtin that doesn't tell its signature
    return cast("Callable[[Any, Any], Any]", check)


# -- classes


class PythonObjectDagsterType(DagsterType):
    """Check that a value is an instance of a class, or of one of several.

    >>> PythonObjectDagsterType((int, float)).unique_name
    'Union[int, float]'
    """

    def __init__(
        self, python_type: type | tuple[type, ...], key: str | None = None, name: str | None = None, **rest: Any
    ) -> None:
        self.python_type = python_type
        for one in self.python_types:
            if not isinstance(one, type):
                raise CheckError(f"`python_type` must be a class, not {one!r}")
        name = name or self.type_str
        annotation = UNION[self.python_types]
        super().__init__(**{"typing_type": annotation, **rest, "type_check_fn": self._check, "key": key, "name": name})

    @property
    def python_types(self) -> tuple[type, ...]:
        """Return the classes, also when it is one."""
        return self.python_type if isinstance(self.python_type, tuple) else (self.python_type,)

    @property
    def type_str(self) -> str:
        """Return the classes' names as an annotation."""
        names = ", ".join(one.__name__ for one in self.python_types)
        return f"Union[{names}]" if isinstance(self.python_type, tuple) else names

    def _check(self, _context: Any, value: Any) -> TypeCheck:
        return instance_check(value, self.python_types, self.type_str)


def instance_check(value: Any, wanted: type | tuple[type, ...], called: str) -> TypeCheck:
    """Return whether ``value`` is an instance of ``wanted``, in the words of a person."""
    if isinstance(value, wanted):
        return TypeCheck(success=True)
    return TypeCheck(
        success=False, description=f'Value "{short(value)}" of python type "{type(value).__name__}" must be a {called}.'
    )


def short(value: Any, most: int = 100) -> str:
    """Return the text of ``value`` for a message, at most ``most`` characters of it."""
    text = str(value) if isinstance(value, str | int | float | bool | type(None)) else f"<{type(value).__name__}>"
    return text if len(text) <= most else f"{text[:most]}…"


class TypeHintInferredDagsterType(DagsterType):
    """Check that a value is an instance of the class that an annotation names."""

    def __init__(self, python_type: type) -> None:
        self.python_type = python_type
        name = f"{python_type.__module__}.{python_type.__name__}"
        super().__init__(
            self._check,
            key=f"_TypeHintInferred[{name}]",
            description=f"DagsterType created from a type hint for the Python type {name}",
            typing_type=python_type,
        )

    @property
    def display_name(self) -> str:
        """Return the name of the class."""
        return self.python_type.__name__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, TypeHintInferredDagsterType) and self.python_type is other.python_type

    def __hash__(self) -> int:
        return hash(self.python_type)

    def _check(self, _context: Any, value: Any) -> TypeCheck:
        if typing.is_typeddict(self.python_type):
            return instance_check(value, dict, f"{self.display_name} (a dict)")
        return instance_check(value, self.python_type, self.display_name)


def scalar(name: str, python_type: type, called: str) -> DagsterType:
    """Return the type of numbers, texts or truth values."""
    return DagsterType(
        lambda _, value: instance_check(value, python_type, called),
        name=name,
        is_builtin=True,
        kind=DagsterTypeKind.SCALAR,
        typing_type=python_type,
    )


def nothing_check(_context: Any, value: Any) -> TypeCheck:
    """Return whether nothing was passed."""
    if value is None:
        return TypeCheck(success=True)
    return TypeCheck(success=False, description=f"Value must be None or unset, got a {type(value).__name__}")


ANYTHING = DagsterType(lambda _, __: True, name="Any", is_builtin=True, kind=DagsterTypeKind.ANY)
Nothing = DagsterType(
    nothing_check, name="Nothing", is_builtin=True, kind=DagsterTypeKind.NOTHING, typing_type=type(None)
)
DICT = PythonObjectDagsterType(dict, key="PythonDict", description="A Python dictionary")
SET = PythonObjectDagsterType(set, key="PythonSet", description="A Python set")
TUPLE = PythonObjectDagsterType(tuple, key="PythonTuple", description="A Python tuple")


# -- types made of others


class ComposedType(DagsterType):
    """Be made of other types; two are equal when their parts are."""

    sort: ClassVar[DagsterTypeKind] = DagsterTypeKind.REGULAR

    def __init__(self, parts: Sequence[DagsterType], key: str, display_name: str, typing_type: Any) -> None:
        for part in parts:
            if part.is_nothing:
                raise DagsterInvalidDefinitionError("`Nothing` can't be an element of another type")
        self.parts, self._display_name = tuple(parts), display_name
        super().__init__(self.check, key=key, kind=self.sort, typing_type=typing_type)

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self.parts == other.parts

    def __hash__(self) -> int:
        return hash((type(self), self.parts))

    @property
    def display_name(self) -> str:
        """Return what people call the type."""
        return self._display_name

    @property
    def inner_types(self) -> Sequence[DagsterType]:
        """Return the parts, each followed by its own parts."""
        return [inner for part in self.parts for inner in (part, *part.inner_types)]

    @property
    def inner_type(self) -> DagsterType:
        """Return the first part, for types that have one."""
        return self.parts[0]

    def check(self, context: Any, value: Any) -> TypeCheck:
        """Return whether ``value`` and its elements are of this type."""
        raise NotImplementedError


def each_check(context: Any, pairs: Iterable[tuple[DagsterType, Any]]) -> TypeCheck:
    """Return the first check that fails, or success."""
    for kind, value in pairs:
        found = kind.type_check(context, value)
        if not found.success:
            return found
    return TypeCheck(success=True)


class OptionalType(ComposedType):
    """Check that a value is None or of another type."""

    sort = DagsterTypeKind.NULLABLE

    def __init__(self, inner: DagsterType) -> None:
        annotation = UNION[inner.typing_type, None]
        super().__init__([inner], f"Optional.{inner.key}", f"{inner.display_name}?", annotation)

    def check(self, context: Any, value: Any) -> TypeCheck:
        """Return whether ``value`` is None or passes."""
        return TypeCheck(success=True) if value is None else self.inner_type.type_check(context, value)

    @property
    def supports_fan_in(self) -> bool:
        """Tell whether the inner type does."""
        return self.inner_type.supports_fan_in

    def get_inner_type_for_fan_in(self) -> DagsterType:
        """Return the inner type's."""
        return self.inner_type.get_inner_type_for_fan_in()


class ListType(ComposedType):
    """Check that a value is a list and its elements are of another type."""

    sort = DagsterTypeKind.LIST

    def __init__(self, inner: DagsterType) -> None:
        super().__init__([inner], f"List.{inner.key}", f"[{inner.display_name}]", LIST_OF[inner.typing_type])

    def check(self, context: Any, value: Any) -> TypeCheck:
        """Return whether ``value`` is a list of elements that pass."""
        whole = instance_check(value, list, "list")
        return each_check(context, ((self.inner_type, one) for one in value)) if whole.success else whole

    @property
    def supports_fan_in(self) -> bool:
        """Tell that a list takes several outputs."""
        return True

    def get_inner_type_for_fan_in(self) -> DagsterType:
        """Return the type of the elements."""
        return self.inner_type


class SetType(ComposedType):
    """Check that a value is a set and its elements are of another type."""

    def __init__(self, inner: DagsterType) -> None:
        super().__init__(
            [inner], f"TypedPythonSet.{inner.key}", f"Set[{inner.display_name}]", SET_OF[inner.typing_type]
        )

    def check(self, context: Any, value: Any) -> TypeCheck:
        """Return whether ``value`` is a set of elements that pass."""
        whole = instance_check(value, set, "set")
        return each_check(context, ((self.inner_type, one) for one in value)) if whole.success else whole


class DictType(ComposedType):
    """Check that a value is a dictionary and its keys and values are of other types."""

    def __init__(self, key_type: DagsterType, value_type: DagsterType) -> None:
        self.key_type, self.value_type = key_type, value_type
        parts = (key_type, value_type)
        name = f"Dict[{','.join(part.display_name for part in parts)}]"
        annotation = DICT_OF[key_type.typing_type, value_type.typing_type]
        super().__init__(parts, f"TypedPythonDict.{key_type.key}.{value_type.key}", name, annotation)

    def check(self, context: Any, value: Any) -> TypeCheck:
        """Return whether ``value`` is a dictionary of keys and values that pass."""
        whole = instance_check(value, dict, "dict")
        if not whole.success:
            return whole
        return each_check(context, (pair for item in value.items() for pair in zip(self.parts, item, strict=True)))


class TupleType(ComposedType):
    """Check that a value is a tuple and each of its elements of the type in its place."""

    def __init__(self, parts: Sequence[DagsterType]) -> None:
        name = f"Tuple[{','.join(part.display_name for part in parts)}]"
        annotation = TUPLE_OF[tuple(part.typing_type for part in parts)]
        super().__init__(parts, f"TypedPythonTuple{'.'.join(part.key for part in parts)}", name, annotation)

    def check(self, context: Any, value: Any) -> TypeCheck:
        """Return whether ``value`` is a tuple of that length and its elements pass."""
        whole = instance_check(value, tuple, "tuple")
        if not whole.success:
            return whole
        if len(value) != len(self.parts):
            said = f"Tuple with key {self.key} requires {len(self.parts)} entries, received {len(value)} values"
            return TypeCheck(success=False, description=said)
        return each_check(context, zip(self.parts, value, strict=True))


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

SCALARS: Mapping[Any, DagsterType] = {
    int: scalar("Int", int, "int"),
    float: scalar("Float", float, "float"),
    str: scalar("String", str, "string"),
    bool: scalar("Bool", bool, "bool"),
}
MAKERS: Mapping[Any, TypeMaker] = {list: List, set: Set, dict: Dict, tuple: Tuple}
# Read-only sequences and mappings are checked as the builtin that steps hand on.
ORIGINS: Mapping[Any, TypeMaker] = {**MAKERS, Sequence: List, Mapping: Dict}

registered: WeakKeyDictionary[type, DagsterType] = WeakKeyDictionary()


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
    return generic_type(annotation) if typing.get_origin(annotation) else class_type(annotation)


def class_type(cls: Any) -> DagsterType:
    """Return the type of a class."""
    if not isinstance(cls, type):
        raise unknown(cls)
    if cls in MAKERS:
        return MAKERS[cls].bare()
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


def usable_as_dagster_type(
    name: str | C | None = None, description: str | None = None, loader: Any = None
) -> C | Callable[[C], C]:
    """Decorate a class so that annotations with it mean a type with a name, description and loader."""

    def decorate(cls: C) -> C:
        called = name if isinstance(name, str) else cls.__name__
        made = PythonObjectDagsterType(cls, name=called, description=description, loader=loader)
        make_python_type_usable_as_dagster_type(cls, made)
        return cls

    return decorate(name) if isinstance(name, type) else decorate
