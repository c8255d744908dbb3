"""What a value must be: a name and a check.

``DagsterType`` is what all types are; here are also those whose check looks at nothing but the value's class.
Types made of others are in ``composed_types``, those of data frames in ``frame_types``; ``types`` finds the one that an
annotation means.
"""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final, cast

from ipy_orch.errors import CheckError, DagsterInvalidDefinitionError, DagsterInvariantViolationError
from ipy_orch.model.metadata.plain import normalize_metadata
from ipy_orch.model.metadata.value import MetadataValue
from ipy_orch.model.tables import Brief, filled, typed
from ipy_orch.model.types.loaders import ANYTHING_LOADER, MAPPING_LOADER, SCALAR_LOADERS, DagsterTypeLoader, loader_of

__all__ = ["DagsterType", "DagsterTypeKind", "Nothing", "PythonObjectDagsterType", "TypeCheck"]

# As a value, to be indexed at run time.
UNION: Any = typing.Union


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
        required_resource_keys: the resources that the check finds at ``context.resources``.
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
        loader: DagsterTypeLoader | None = None,
        required_resource_keys: AbstractSet[str] | None = None,
        kind: DagsterTypeKind = DagsterTypeKind.REGULAR,
        typing_type: Any = Any,
        metadata: Mapping[str, Any] | None = None,
    ) -> None:
        if key is None and name is None:
            raise CheckError("a type needs a `name` or a `key`")
        self.key: str = typed(name if key is None else key, str, "key")
        self.name: str | None = typed(name, (str, type(None)), "name")
        self.type_check_fn = two_argument(type_check_fn, self.display_name)
        self.is_builtin, self.kind, self.typing_type = is_builtin, kind, typing_type
        self.loader = loader_of(loader, self.display_name)
        self.description: str | None = typed(description, (str, type(None)), "description")
        self.required_resource_keys: frozenset[str] = frozenset(required_resource_keys or ())
        self.metadata = normalize_metadata(metadata or {})

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.display_name})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, DagsterType) and self.key == other.key

    def __hash__(self) -> int:
        return hash(self.key)

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
        """Return the keys of the types that this one is directly made of."""
        return []

    @property
    def loader_required_resource_keys(self) -> frozenset[str]:
        """Return the resources that making a value from config needs."""
        return self.loader.required_resource_keys() if self.loader is not None else frozenset()

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
        loader=SCALAR_LOADERS[python_type],
    )


def nothing_check(_context: Any, value: Any) -> TypeCheck:
    """Return whether nothing was passed."""
    if value is None:
        return TypeCheck(success=True)
    return TypeCheck(success=False, description=f"Value must be None or unset, got a {type(value).__name__}")


ANYTHING: Final = DagsterType(
    lambda _, __: True, name="Any", is_builtin=True, kind=DagsterTypeKind.ANY, loader=ANYTHING_LOADER
)
Nothing: Final = DagsterType(
    nothing_check, name="Nothing", is_builtin=True, kind=DagsterTypeKind.NOTHING, typing_type=type(None)
)
SCALARS: Final[Mapping[Any, DagsterType]] = {
    int: scalar("Int", int, "int"),
    float: scalar("Float", float, "float"),
    str: scalar("String", str, "string"),
    bool: scalar("Bool", bool, "bool"),
}
BUILTINS: Final = (ANYTHING, *SCALARS.values(), Nothing)

DICT: Final = PythonObjectDagsterType(dict, key="PythonDict", loader=MAPPING_LOADER, description="A Python dictionary")
SET: Final = PythonObjectDagsterType(set, key="PythonSet", description="A Python set")
TUPLE: Final = PythonObjectDagsterType(tuple, key="PythonTuple", description="A Python tuple")
