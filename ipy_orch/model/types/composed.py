"""Types made of other types: optional values, lists, sets, dictionaries and tuples, checked element by element."""

from __future__ import annotations

import typing
from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

from ipy_orch.errors import DagsterInvalidDefinitionError
from ipy_orch.model.types.dagster_type import SCALARS, UNION, DagsterType, DagsterTypeKind, TypeCheck, instance_check
from ipy_orch.model.types.loaders import (
    DagsterTypeLoader,
    ElementsLoader,
    OptionalLoader,
    PlacesLoader,
    ValuesLoader,
)

__all__ = ["DictType", "ListType", "OptionalType", "SetType", "TupleType"]

# As values, to be indexed at run time; the older spellings compare equal to what Dagster reports.
LIST_OF: Any = typing.List  # noqa: UP006
SET_OF: Any = typing.Set  # noqa: UP006
DICT_OF: Any = typing.Dict  # noqa: UP006
TUPLE_OF: Any = typing.Tuple  # noqa: UP006


class ComposedType(DagsterType):
    """Be made of other types; two are equal when their parts are."""

    sort: ClassVar[DagsterTypeKind] = DagsterTypeKind.REGULAR

    def __init__(
        self,
        parts: Sequence[DagsterType],
        key: str,
        display_name: str,
        typing_type: Any,
        loader: DagsterTypeLoader | None,
    ) -> None:
        for part in parts:
            if part.is_nothing:
                raise DagsterInvalidDefinitionError("`Nothing` can't be an element of another type")
        self.parts, self._display_name = tuple(parts), display_name
        needed = frozenset[str]().union(*(part.required_resource_keys for part in parts))
        super().__init__(
            self.check,
            key=key,
            kind=self.sort,
            typing_type=typing_type,
            loader=loader,
            required_resource_keys=needed,
        )

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
    def type_param_keys(self) -> list[str]:
        """Return the keys of the parts."""
        return [part.key for part in self.parts]

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
        loader = OptionalLoader(inner.loader) if inner.loader is not None else None
        super().__init__([inner], f"Optional.{inner.key}", f"{inner.display_name}?", annotation, loader)

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
        loader = ElementsLoader(inner.loader, list) if inner.loader is not None else None
        super().__init__([inner], f"List.{inner.key}", f"[{inner.display_name}]", LIST_OF[inner.typing_type], loader)

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
        loader = ElementsLoader(inner.loader, set) if inner.loader is not None else None
        annotation = SET_OF[inner.typing_type]
        super().__init__([inner], f"TypedPythonSet.{inner.key}", f"Set[{inner.display_name}]", annotation, loader)

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
        textual = key_type is SCALARS[str]  # other keys can't be written in config
        loader = ValuesLoader(value_type.loader) if textual and value_type.loader is not None else None
        super().__init__(parts, f"TypedPythonDict.{key_type.key}.{value_type.key}", name, annotation, loader)

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
        loaders = [part.loader for part in parts if part.loader is not None]
        loader = PlacesLoader(loaders) if len(loaders) == len(parts) else None
        super().__init__(parts, f"TypedPythonTuple{'.'.join(part.key for part in parts)}", name, annotation, loader)

    def check(self, context: Any, value: Any) -> TypeCheck:
        """Return whether ``value`` is a tuple of that length and its elements pass."""
        whole = instance_check(value, tuple, "tuple")
        if not whole.success:
            return whole
        if len(value) != len(self.parts):
            said = f"Tuple with key {self.key} requires {len(self.parts)} entries, received {len(value)} values"
            return TypeCheck(success=False, description=said)
        return each_check(context, zip(self.parts, value, strict=True))
