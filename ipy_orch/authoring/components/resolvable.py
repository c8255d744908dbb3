"""A class whose fields are written as attributes: its model is derived from the annotations."""

from __future__ import annotations

import dataclasses
import inspect
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from ipy_orch.authoring.components.context import ResolutionContext
from ipy_orch.authoring.components.documents import read_documents
from ipy_orch.authoring.components.form_config import ComponentFormConfig
from ipy_orch.authoring.components.resolver import Resolver
from ipy_orch.authoring.components.shapes import Shape, declared_resolver, shape_of
from ipy_orch.errors import ResolutionException

__all__ = ["Resolvable", "attributes_of"]

T = TypeVar("T")
UNSET: Any = PydanticUndefined


class Resolvable:
    """Make instances from attributes: of a dataclass, a pydantic model, or a class with an annotated ``__init__``.

    Each annotation says what may be written: plain types and templates, other Resolvable classes, lists and dicts of
    them, or ``Annotated[T, Resolver(...)]``.

    Example:
        >>> @dataclasses.dataclass
        ... class Source(Resolvable):
        ...     path: str
        ...     limit: int = 10
        >>> Source.resolve_from_yaml("path: data/{{ name }}.csv", scope={"name": "flights"})
        Source(path='data/flights.csv', limit=10)
    """

    @classmethod
    def model(cls) -> type[BaseModel]:
        """Return the pydantic model of what is written.

        Raises:
            ResolutionException: when a field's annotation doesn't say how to resolve it.
        """
        return model_of(cls)

    @classmethod
    def get_form_config(cls) -> ComponentFormConfig | None:
        """Return hints for forms."""
        return None

    @classmethod
    def resolve_from_model(cls, context: ResolutionContext, model: BaseModel) -> Self:
        """Return an instance of what was written.

        Raises:
            ResolutionException: when a field can't be resolved.
        """
        arguments = arguments_of(cls, context, model)
        try:
            return cls(**arguments)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            inner = context.at_path(str(first["loc"][0])) if first["loc"] else context
            told = f"`{cls.__name__}` can't be made: {first['msg']}"
            raise ResolutionException(told, where=inner.where) from None

    @classmethod
    def resolve_from_yaml(cls, yaml: str, *, scope: Mapping[str, Any] | None = None) -> Self:
        """Return an instance of a YAML text.

        Args:
            scope: more names for templates.

        Raises:
            ResolutionException: when a field can't be resolved.
            ValidationError: when the fields aren't those of the model.
        """
        found = read_documents(yaml, "<string>")
        context = ResolutionContext.default(found[0].lines if found else None).with_scope(**(scope or {}))
        return cls.resolve_from_model(context, cls.model().model_validate(found[0].value if found else {}))

    @classmethod
    def resolve_from_dict(cls, dictionary: dict[str, Any]) -> Self:
        """Return an instance of attributes in a dict.

        Raises:
            ResolutionException: when a field can't be resolved.
            ValidationError: when the fields aren't those of the model.
        """
        return cls.resolve_from_model(ResolutionContext.default(), cls.model().model_validate(dictionary))


@dataclass(frozen=True)
class Attribute:
    """Be one field of a Resolvable class.

    Args:
        annotation: what it holds.
        default: how pydantic writes it; UNSET where it must be given.
        info: what pydantic knows of it besides.
    """

    name: str
    annotation: Any
    default: Any = UNSET
    default_factory: Any = None
    info: FieldInfo | None = None

    @property
    def resolver(self) -> Resolver | None:
        """Return the resolver that the annotation names."""
        return declared_resolver(self.annotation)

    @property
    def written(self) -> str:
        """Return the name under which it's written."""
        named = self.resolver.model_field_name if self.resolver is not None else None
        return named or self.name

    @property
    def has_default(self) -> bool:
        """Tell whether it may be left out."""
        return self.default is not UNSET or self.default_factory is not None


# -- fields -----------------------------------------------------------------------------------------------------------


def attributes_of(cls: type) -> dict[str, Attribute]:
    """Return the fields of a class.

    Raises:
        ResolutionException: when it's no dataclass, no pydantic model, and has no annotated ``__init__``.
    """
    if issubclass(cls, BaseModel):
        return {name: of_pydantic(name, info) for name, info in cls.model_fields.items()}
    if dataclasses.is_dataclass(cls):
        hints = hints_of(cls)
        return {one.name: of_dataclass(one, hints) for one in dataclasses.fields(cls) if one.init}
    if "__init__" in vars(cls) or any("__init__" in vars(one) for one in cls.__mro__[1:-1]):
        return of_init(cls)
    raise ResolutionException(
        f"the fields of `{cls.__name__}` can't be told",
        hint="make it a dataclass, a `Model`, or a class with an annotated `__init__`",
    )


def of_pydantic(name: str, info: FieldInfo) -> Attribute:
    """Return a field of a pydantic model."""
    resolvers = [one for one in info.metadata if isinstance(one, Resolver)]
    annotation = Annotated[info.annotation, resolvers[0]] if resolvers else info.annotation
    return Attribute(name, annotation, info.default, info.default_factory, info)


def of_dataclass(one: dataclasses.Field[Any], hints: Mapping[str, Any]) -> Attribute:
    """Return a field of a dataclass."""
    missing = dataclasses.MISSING
    default = UNSET if one.default is missing else one.default
    factory = None if one.default_factory is missing else one.default_factory
    info = default if isinstance(default, FieldInfo) else None
    if info is not None:
        return Attribute(one.name, hints[one.name], info.default, info.default_factory, info)
    return Attribute(one.name, hints[one.name], default, factory)


def of_init(cls: type) -> dict[str, Attribute]:
    """Return the parameters of ``__init__``.

    Raises:
        ResolutionException: when one is positional only, or has no annotation.
    """
    initial: Any = cls.__init__  # type: ignore[misc]  # of the class itself, not of an instance
    hints = hints_of(initial)
    found = {}
    for name, one in list(inspect.signature(initial).parameters.items())[1:]:
        if one.kind in (one.VAR_POSITIONAL, one.VAR_KEYWORD):
            continue
        if one.kind is one.POSITIONAL_ONLY:
            raise ResolutionException(f"`{name}` of `{cls.__name__}` is positional only, and attributes have names")
        if name not in hints:
            raise ResolutionException(f"`{name}` of `{cls.__name__}.__init__` has no annotation")
        found[name] = Attribute(name, hints[name], UNSET if one.default is one.empty else one.default)
    return found


def hints_of(of: Any) -> dict[str, Any]:
    """Return annotations as objects, also those that are written as text.

    Raises:
        ResolutionException: when one names what isn't there.
    """
    try:
        return typing.get_type_hints(of, include_extras=True)
    except NameError as error:
        raise ResolutionException(
            f"an annotation of `{getattr(of, '__qualname__', of)}` names `{error.name}`, which isn't in its module"
        ) from None


# -- the model --------------------------------------------------------------------------------------------------------


def kept(name: str, make: Callable[[type], T]) -> Callable[[type], T]:
    """Keep what is made of a class with the class: one of a cell that runs again goes with it."""

    def found(cls: type) -> T:
        if name not in vars(cls):
            setattr(cls, name, make(cls))
        result: T = vars(cls)[name]
        return result

    return found


def make_shapes(cls: type) -> dict[str, tuple[Attribute, Shape]]:
    """Return how each field of a class is written and resolved.

    Raises:
        ResolutionException: when an annotation doesn't say it.
    """
    if not issubclass(cls, BaseModel) and issubclass(cls, tuple):
        raise ResolutionException(
            f"`{cls.__name__}` is a named tuple", hint="make it a dataclass or a `Model` to be Resolvable"
        )
    return {
        name: (one, shape_of(one.annotation, name, f"`{cls.__name__}`")) for name, one in attributes_of(cls).items()
    }


shapes_of = kept("__attribute_shapes__", make_shapes)


def make_model(cls: type) -> type[BaseModel]:
    """Return the model of what is written for a class."""
    fields: dict[str, Any] = {}
    for one, shape in shapes_of(cls).values():
        written = shape.written if shape.written is str or not shape.takes_template else shape.written | str
        fields[one.written] = (written, info_of(one))
    made: type[BaseModel] = create_model(
        f"{cls.__name__}Model", __config__=ConfigDict(extra="forbid", arbitrary_types_allowed=True), **fields
    )
    made.__doc__ = inspect.getdoc(cls) if cls.__doc__ else None
    made.__module__ = cls.__module__
    return made


model_of = kept("__attributes_model__", make_model)


def info_of(one: Attribute) -> FieldInfo:
    """Return what the model says of a field: its default, and what its resolver or its class says."""
    resolver, info = one.resolver, one.info
    said: dict[str, Any] = {}
    if info is not None and info.description:
        said["description"] = info.description
    if info is not None and info.examples:
        said["examples"] = info.examples
    if resolver is not None:
        extra = {**(resolver.json_schema_extra or {})}
        if resolver.form_config is not None:
            extra.update(resolver.form_config.to_field_json_schema_extra())
        more = {"description": resolver.description, "examples": resolver.examples, "json_schema_extra": extra}
        said |= {name: value for name, value in more.items() if value}
    if one.default_factory is not None or (one.has_default and not plain(one.default)):
        return typing.cast("FieldInfo", Field(default=None, **said))
    return typing.cast("FieldInfo", Field(default=... if one.default is UNSET else one.default, **said))


def plain(value: Any) -> bool:
    """Tell whether a default can stand in the model as it is."""
    return value is None or isinstance(value, str | int | float | bool)


def arguments_of(cls: type, context: ResolutionContext, model: BaseModel) -> dict[str, Any]:
    """Return the arguments of a class, resolved; what wasn't written is left to the class's own defaults.

    Raises:
        ResolutionException: when a field can't be resolved.
    """
    found: dict[str, Any] = {}
    for name, (one, shape) in shapes_of(cls).items():
        of_whole = one.resolver is not None and one.resolver.resolves_from_parent_object
        if one.written not in model.model_fields_set and one.has_default and not of_whole:
            continue
        written = model if of_whole else getattr(model, one.written)
        found[name] = shape.resolve(context.at_path(one.written), written)
    return found
