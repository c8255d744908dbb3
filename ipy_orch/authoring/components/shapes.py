"""What an annotation says: what may be written for it, and how that becomes the value.

Simple types are written as they are, or as a template; Resolvable classes as their fields; lists, dicts and unions
as those of what they hold. ``Annotated[T, Resolver(...)]`` says it itself.
"""

from __future__ import annotations

import datetime as dt
import decimal
import enum
import pathlib
import types
import typing
from collections import abc
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, Union

from pydantic import BaseModel, TypeAdapter, ValidationError

from ipy_orch.authoring.components.resolver import Resolver
from ipy_orch.authoring.components.templates import is_template
from ipy_orch.errors import DagsterError, ResolutionException

if typing.TYPE_CHECKING:
    from ipy_orch.authoring.components.context import ResolutionContext

__all__ = ["Shape", "declared_resolver", "shape_of"]

SIMPLE: Final = (
    *(str, int, float, bool, bytes, type(None), decimal.Decimal, pathlib.Path, enum.Enum),
    *(dt.date, dt.datetime, dt.time, dt.timedelta),
)
CONTAINERS: Final = (list, tuple, set, frozenset, dict, abc.Sequence, abc.Mapping, abc.Set, abc.Iterable)
LISTS: Final = (list, tuple, set, frozenset, abc.Sequence, abc.Iterable, abc.Collection)
DICTS: Final = (dict, abc.Mapping)
UNIONS: Final = (Union, types.UnionType)
# Class -> the name of the annotation that says how it is written; filled where those are defined.
SUGGESTIONS: dict[type, str] = {}


@dataclass(frozen=True)
class Shape:
    """Be how a field is written and resolved.

    Args:
        written: the type of what is written, for the model.
        resolve: makes the value.
        is_simple: whether nothing but templates is resolved in it.
        takes_template: whether a template may stand for the whole.
    """

    written: Any
    resolve: Callable[[ResolutionContext, Any], Any]
    is_simple: bool = False
    takes_template: bool = True


def declared_resolver(annotation: Any) -> Resolver | None:
    """Return the resolver that an annotation names."""
    if typing.get_origin(annotation) is typing.Annotated:
        return next((one for one in annotation.__metadata__ if isinstance(one, Resolver)), None)
    return None


def shape_of(annotation: Any, name: str, owner: str) -> Shape:
    """Return the shape of an annotation.

    Args:
        name: of the field.
        owner: of the field, for messages.

    Raises:
        ResolutionException: when it doesn't say how to resolve the field, with what to write instead.
    """
    if (resolver := declared_resolver(annotation)) is not None:
        return of_resolver(resolver, annotation, name, owner)
    if is_simple(annotation):
        return Shape(annotation, simple(annotation), is_simple=True)
    if isinstance(annotation, type) and typing.get_origin(annotation) is None:
        return of_class(annotation, name, owner)
    return of_parts(annotation, typing.get_origin(annotation), typing.get_args(annotation), name, owner)


def of_parts(annotation: Any, origin: Any, args: Sequence[Any], name: str, owner: str) -> Shape:
    """Return the shape of an annotation with others inside.

    Raises:
        ResolutionException: when it doesn't say how to resolve the field.
    """
    if origin is typing.Annotated:
        return shape_of(args[0], name, owner)
    if origin in UNIONS:
        return of_union(args, name, owner)
    if origin in LISTS:
        return of_list(annotation, origin, args, name, owner)
    if origin in DICTS:
        return of_dict(args, name, owner)
    raise unknown(annotation, name, owner)


def unknown(annotation: Any, name: str, owner: str) -> ResolutionException:
    """Return the error of an annotation that doesn't say how to resolve a field."""
    known = SUGGESTIONS.get(annotation) if isinstance(annotation, type) else None
    hint = (
        f"annotate it as `{known}`"
        if known
        else ("make it a Resolvable, or write `Annotated[T, Resolver(function, model_field_type=...)]`")
    )
    shown = getattr(annotation, "__name__", str(annotation))
    return ResolutionException(f"field `{name}` of {owner} is a `{shown}`, which can't be written in YAML", hint=hint)


# -- simple ones ------------------------------------------------------------------------------------------------------


def is_simple(annotation: Any) -> bool:
    """Tell whether nothing but templates has to be resolved in it.

    >>> is_simple(int), is_simple(dict[str, list[int] | None]), is_simple(AssertionError)
    (True, True, False)
    """
    if annotation in (Any, None) or annotation in CONTAINERS or isinstance(annotation, typing.TypeVar):
        return True
    origin, args = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is None:
        return isinstance(annotation, type) and is_simple_class(annotation)
    if origin is typing.Annotated:
        return declared_resolver(annotation) is None and is_simple(args[0])
    inside = origin in UNIONS or origin in CONTAINERS or origin in LISTS
    return origin is Literal or (inside and all(one is Ellipsis or is_simple(one) for one in args))


def is_simple_class(cls: type) -> bool:
    """Tell whether values of a class are written as they are."""
    return not issubclass(cls, tuple) and (issubclass(cls, SIMPLE) or typing.is_typeddict(cls))


def simple(annotation: Any) -> Callable[[ResolutionContext, Any], Any]:
    """Return what resolves templates in a value; text becomes a number, a date ... where that's asked for."""
    adapter: TypeAdapter[Any] = TypeAdapter(annotation)

    def resolve(context: ResolutionContext, written: Any) -> Any:
        found = context.resolve_value(written)
        if not isinstance(written, str) or not isinstance(found, str):
            return found
        try:
            return adapter.validate_python(found)
        except ValidationError as error:
            stands = f"`{written}` stands for `{found}`" if is_template(written) else f"`{found}`"
            said = error.errors()[0]["msg"]
            told = f"{stands} isn't right: {said[:1].lower()}{said[1:]}"
            raise ResolutionException(told, where=context.where) from None

    return resolve


# -- those that say how -----------------------------------------------------------------------------------------------


def of_resolver(resolver: Resolver, annotation: Any, name: str, owner: str) -> Shape:
    """Return the shape of ``Annotated[T, Resolver(...)]``."""
    inner = annotation.__origin__
    if resolver.is_default and resolver.model_field_type is None:
        return shape_of(inner, name, owner)
    if resolver.is_default and is_resolvable(resolver.model_field_type):
        return replaced(shape_of(resolver.model_field_type, name, owner))
    written = resolver.model_field_type if resolver.model_field_type is not None else inner
    return Shape(written, resolver.resolve)


def replaced(shape: Shape) -> Shape:
    """Return a shape that lets a template stand for the finished object."""
    return Shape(shape.written, injecting(shape.resolve))


def injecting(resolve: Callable[[ResolutionContext, Any], Any]) -> Callable[[ResolutionContext, Any], Any]:
    """Return a resolver that takes what a template stands for as the value."""

    def resolve_or_inject(context: ResolutionContext, written: Any) -> Any:
        return context.resolve_value(written) if is_template(written) else resolve(context, written)

    return resolve_or_inject


# -- classes ----------------------------------------------------------------------------------------------------------


def is_resolvable(annotation: Any) -> bool:
    """Tell whether it's a Resolvable class."""
    from ipy_orch.authoring.components.resolvable import Resolvable

    return isinstance(annotation, type) and issubclass(annotation, Resolvable)


def of_class(cls: type, name: str, owner: str) -> Shape:
    """Return the shape of a class: its fields, where it's a Resolvable; a plain model as it is.

    Raises:
        ResolutionException: when it's neither.
    """
    if is_resolvable(cls):
        resolvable: Any = cls
        return Shape(resolvable.model(), injecting(resolvable.resolve_from_model))
    if issubclass(cls, BaseModel):
        refuse_hidden_resolvers(cls, owner)
        return Shape(cls, lambda context, written: context.resolve_value(written), is_simple=True)
    raise unknown(cls, name, owner)


def refuse_hidden_resolvers(cls: type[BaseModel], owner: str, seen: frozenset[type] = frozenset()) -> None:
    """Refuse a plain model with a field that only a Resolvable resolves.

    Raises:
        ResolutionException: naming it.
    """
    for name, info in cls.model_fields.items():
        if any(isinstance(one, Resolver) for one in info.metadata):
            told = f"`{cls.__name__}`, which {owner} holds, has a Resolver on `{name}` and isn't Resolvable"
            raise ResolutionException(told, hint=f"class {cls.__name__}(Model, Resolvable)")
        for inner in parts_of(info.annotation):
            if isinstance(inner, type) and issubclass(inner, BaseModel) and not is_resolvable(inner):
                if inner not in seen:
                    refuse_hidden_resolvers(inner, f"`{cls.__name__}`", seen | {cls})
            elif inner is not Ellipsis:
                shape_of(inner, name, f"`{cls.__name__}`")


def parts_of(annotation: Any) -> list[Any]:
    """Return the types that a list, dict or union is made of, at any depth; a type alone is itself."""
    args = [one for one in typing.get_args(annotation) if one is not Ellipsis]
    if not args or is_simple(annotation):
        return [annotation]
    return [inner for one in args for inner in parts_of(one)]


# -- lists, dicts, unions ---------------------------------------------------------------------------------------------


def of_list(annotation: Any, origin: Any, args: Sequence[Any], name: str, owner: str) -> Shape:
    """Return the shape of a list, of what it holds.

    Raises:
        ResolutionException: for a tuple of several types, and for what the elements can't be.
    """
    if origin is tuple and not (len(args) == 2 and args[1] is Ellipsis):
        raise unknown(annotation, name, owner)
    refuse_whole(args[0], name, owner)
    inner = shape_of(args[0], name, owner)
    make: Any = origin if origin in (tuple, set, frozenset) else list

    def resolve(context: ResolutionContext, written: Any) -> Any:
        return make(inner.resolve(context.at_path(number), one) for number, one in enumerate(written))

    return Shape(list[inner.written], injecting(resolve))  # type: ignore[name-defined]  # made as the class is read


def of_dict(args: Sequence[Any], name: str, owner: str) -> Shape:
    """Return the shape of a dict, of what it holds.

    Raises:
        ResolutionException: when its keys aren't text.
    """
    if args[0] is not str:
        raise ResolutionException(f"the keys of field `{name}` of {owner} are `{args[0]}`, and have to be `str`")
    refuse_whole(args[1], name, owner)
    inner = shape_of(args[1], name, owner)

    def resolve(context: ResolutionContext, written: Mapping[str, Any]) -> Any:
        return {key: inner.resolve(context.at_path(key), one) for key, one in written.items()}

    return Shape(dict[str, inner.written], injecting(resolve))  # type: ignore[name-defined]  # as above


def of_union(args: Sequence[Any], name: str, owner: str) -> Shape:
    """Return the shape of a union: the first variant that what was written fits, and that resolves."""
    for one in args:
        refuse_whole(one, name, owner)
    shapes = [shape_of(one, name, owner) for one in args]

    def resolve(context: ResolutionContext, written: Any) -> Any:
        failures: list[str] = []
        for shape in shapes:
            if not fits(shape.written, written):
                continue
            try:
                return shape.resolve(context, written)
            except DagsterError as error:
                failures.append(error.message)
        told = f"none of the {len(shapes)} ways to write `{name}` resolves: {'; '.join(failures) or 'none fits'}"
        raise ResolutionException(told, where=context.where)

    return Shape(Union[tuple(shape.written for shape in shapes)], injecting(resolve))  # noqa: UP007 - a list of types


def fits(written: Any, value: Any) -> bool:
    """Tell whether what was written is of a variant's type; a model only is of its own class."""
    if isinstance(value, BaseModel):
        return isinstance(written, type) and isinstance(value, written)
    try:
        TypeAdapter(written, config=None).validate_python(value, strict=True)
    except ValidationError:
        return False
    return True


def refuse_whole(annotation: Any, name: str, owner: str) -> None:
    """Refuse a resolver of the whole model inside a list, dict or union: there's no one field to leave out.

    Raises:
        ResolutionException: naming the field.
    """
    resolver = declared_resolver(annotation)
    if resolver is not None and resolver.resolves_from_parent_object:
        raise ResolutionException(
            f"`Resolver.from_model` stands inside field `{name}` of {owner}, and can only be of the whole field",
            hint="Annotated[list[T], Resolver.from_model(function)]",
        )
