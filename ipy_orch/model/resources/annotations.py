"""Annotations that say "a resource": of a function's parameters, and of the fields of other resources."""

from __future__ import annotations

import inspect
import types
from typing import TYPE_CHECKING, Annotated, Any, TypeVar, Union, get_args, get_origin

from pydantic.fields import FieldInfo
from pydantic_core import CoreSchema, core_schema

from ipy_orch.errors import DagsterInvalidDefinitionError

__all__ = ["ResourceDependency", "ResourceParam", "is_dependency", "is_resource_annotation"]

T = TypeVar("T")
GIVES_ITSELF = "__gives_itself__"  #: of a class of resources: whether steps get the instance itself


class DependencyMark:
    """Mark a field as a resource that another one needs; pydantic takes any value for it."""

    def __init__(self, annotation: Any = Any) -> None:
        self.annotation = annotation

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> CoreSchema:
        return core_schema.any_schema()


class ParamMark:
    """Mark a function's parameter as a resource."""

    def __repr__(self) -> str:
        return "resource"


PARAM = ParamMark()
ResourceParam = Annotated[T, PARAM]  #: annotates a parameter that takes a plain object as a resource


if TYPE_CHECKING:
    ResourceDependency = Annotated[T, DependencyMark()]
else:

    class ResourceDependency:
        """Annotate a field of a resource that takes another resource, or a plain object: ``ResourceDependency[T]``."""

        def __class_getitem__(cls, annotation: Any) -> Any:
            return Annotated[Any, DependencyMark(annotation)]

        @classmethod
        def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> CoreSchema:
            return core_schema.any_schema()


def is_dependency(info: FieldInfo) -> bool:
    """Tell whether a field of a resource holds another resource."""
    if any(isinstance(mark, DependencyMark) for mark in info.metadata) or info.annotation is ResourceDependency:
        return True
    members = (
        get_args(info.annotation) if get_origin(info.annotation) in (Union, types.UnionType) else (info.annotation,)
    )
    return any(inspect.isclass(member) and hasattr(member, GIVES_ITSELF) for member in members)


def is_resource_annotation(annotation: Any) -> bool:
    """Tell whether a parameter with this annotation takes a resource.

    Raises:
        DagsterInvalidDefinitionError: for a class of resources whose instances give another object to user code.
    """
    if get_origin(annotation) is Annotated:
        return any(isinstance(mark, ParamMark) for mark in get_args(annotation)[1:])
    if not inspect.isclass(annotation):
        return False
    gives_itself = getattr(annotation, GIVES_ITSELF, None)
    if gives_itself is False:
        raise DagsterInvalidDefinitionError(
            f"`{annotation.__name__}` makes another object than itself for user code, so it can't annotate a parameter",
            hint="`ResourceParam[the type of that object]`, or `ResourceParam[Any]`",
        )
    return bool(gives_itself)
