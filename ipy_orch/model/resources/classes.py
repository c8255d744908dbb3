"""Resources written as classes: fields are their config, methods are for the steps that use them."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, Self, TypeVar

from pydantic import PrivateAttr

from ipy_orch.errors import CheckError
from ipy_orch.model.config.classes import Config, construct, shape_of, warn_of_strangers
from ipy_orch.model.config.instances import validated
from ipy_orch.model.config.schema import MISSING, Field, env_form
from ipy_orch.model.resources.annotations import is_dependency
from ipy_orch.model.resources.contexts import InitResourceContext
from ipy_orch.model.resources.functions import (
    ConfiguredResource,
    ResourceDefinition,
    WrappedResource,
    call_resource_function,
    entered,
    open_resource,
    yields,
)

__all__ = [
    "ConfigurableLegacyResourceAdapter",
    "ConfigurableResource",
    "ConfigurableResourceFactory",
    "PartialResource",
    "closes",
    "dependencies",
    "nested_in",
]


T = TypeVar("T")


@dataclass(frozen=True)
class Ready:
    """Carry an opened resource into a field past pydantic's validation."""

    value: Any


class ConfigurableResourceFactory(Config, Generic[T]):
    """Be a resource written as a class whose instances make the object that steps get (see ``create_resource``)."""

    __gives_itself__: ClassVar[bool] = False  #: whether steps get the instance itself

    _resource_context: Any = PrivateAttr(default=None)

    @classmethod
    def __takes_config__(cls, name: str) -> bool:
        """Tell whether run config may set this field, which it can't for another resource."""
        return not is_dependency(cls.model_fields[name])

    @classmethod
    def __admit__(cls, name: str, value: Any) -> Any:
        """Return an opened resource, or a resource where one is expected; else MISSING."""
        if isinstance(value, Ready):
            return value.value
        resources = isinstance(value, PartialResource | ResourceDefinition | ConfigurableResourceFactory)
        return value if resources and is_dependency(cls.model_fields[name]) else MISSING

    # -------------------------------------------------------------------- for the user's class

    def create_resource(self, context: InitResourceContext) -> Any:
        """Return, or yield once, the object that steps get."""
        raise NotImplementedError(f"`{type(self).__name__}` needs a method `create_resource(self, context)`")

    def setup_for_execution(self, context: InitResourceContext) -> None:
        """Set up before the first step that needs the resource; keep what is made in private attributes."""

    def teardown_after_execution(self, context: InitResourceContext) -> None:
        """Clean up after the last step, also after a failure and an interrupt."""

    @contextmanager
    def yield_for_execution(self, context: InitResourceContext) -> Iterator[Any]:
        """Set up, yield what steps get, clean up; override it in the place of the two methods above."""
        self.setup_for_execution(context)
        try:
            with entered(self.create_resource(context)) as value:
                yield value
        finally:
            self.teardown_after_execution(context)

    def get_resource_context(self) -> InitResourceContext:
        """Return the context that the resource was opened with.

        Raises:
            CheckError: before it is opened.
        """
        context: InitResourceContext | None = self._resource_context
        if context is None:
            raise CheckError(f"`{type(self).__name__}` has no context before a run has opened it")
        return context

    # -------------------------------------------------------------------- what a run asks

    @property
    def __config_field__(self) -> Field:
        """Return what run config may set, with this instance's values as defaults."""
        shape = shape_of(type(self))
        return Field(shape.bound(shape.dump(self, given_only=True)))

    @property
    def __required_keys__(self) -> frozenset[str]:
        """Return nothing: what an instance needs, its fields hold."""
        return frozenset()

    def __nested__(self) -> dict[str, Any]:
        """Return the resources that fields hold."""
        return nested_in({name: getattr(self, name) for name in dependencies(type(self))})

    @contextmanager
    def __open__(self, context: InitResourceContext, checked: Any, nested: Mapping[str, Any]) -> Iterator[Any]:
        """Open a copy with the run's config; this instance stays as it is."""
        plain = {name: getattr(self, name) for name in dependencies(type(self)) if name in self.model_fields_set}
        with opened_instance(type(self), checked, {**plain, **nested}, context) as value:
            yield value

    def get_resource_definition(self) -> ResourceDefinition:
        """Return the resource in the form of a :class:`ResourceDefinition`."""
        return WrappedResource(self)

    # -------------------------------------------------------------------- outside a run

    @classmethod
    def configure_at_launch(cls, **values: Any) -> PartialResource[Self]:
        """Return a resource whose other fields come with the run's config."""
        return PartialResource(cls, values)

    @classmethod
    def configured_class(cls, function: Callable[[Any], Any], **options: Any) -> ResourceDefinition:
        """Return the resource that takes its config from a function of other config."""
        return ConfiguredResource(PartialResource(cls, {}), function, **options)

    def process_config_and_initialize_cm(self) -> AbstractContextManager[Self]:
        """Return a context manager that opens the resource as a run would, with those in its fields."""
        return open_resource(self)

    def process_config_and_initialize(self) -> Self:
        """Return the resource opened; one that needs no cleaning up.

        Raises:
            CheckError: when it does.
        """
        refuse_teardown(self, "process_config_and_initialize")
        return self.process_config_and_initialize_cm().__enter__()

    @classmethod
    def from_resource_context_cm(
        cls, context: InitResourceContext, nested_resources: Mapping[str, Any] | None = None
    ) -> AbstractContextManager[Any]:
        """Return a context manager that opens a resource of this class with the config of ``context``."""
        return opened_from_context(cls, context, nested_resources or context.resources._asdict())

    @classmethod
    def from_resource_context(
        cls, context: InitResourceContext, nested_resources: Mapping[str, Any] | None = None
    ) -> Any:
        """Return what a resource of this class with the config of ``context`` gives; one without cleaning up.

        Raises:
            CheckError: when the class has a teardown.
        """
        refuse_teardown(cls, "from_resource_context")
        return cls.from_resource_context_cm(context, nested_resources).__enter__()

    def with_resource_context(self, context: InitResourceContext) -> Self:
        """Return a copy that has this context."""
        bound = self.model_copy()
        bound._resource_context = context  # noqa: SLF001 - a copy of ourselves
        return bound

    def with_replaced_resource_context(self, context: InitResourceContext) -> Self:
        """Return a copy that has this context."""
        return self.with_resource_context(context)


class ConfigurableResource(ConfigurableResourceFactory[T], Generic[T]):
    """Be a resource written as a class: fields are its config, methods are for the steps that use it.

    >>> class Greeter(ConfigurableResource):
    ...     name: str
    ...     def greet(self) -> str:
    ...         return f"hello {self.name}"
    >>> Greeter(name="ada").greet()
    'hello ada'
    """

    __gives_itself__: ClassVar[bool] = True

    def create_resource(self, context: InitResourceContext) -> Any:  # noqa: ARG002 - for subclasses
        """Return the resource itself; override it to give steps another object."""
        return self


class ConfigurableLegacyResourceAdapter(ConfigurableResourceFactory[Any]):
    """Give the fields of a class as config to a resource written as a function."""

    @property
    def wrapped_resource(self) -> ResourceDefinition:
        """Return the definition that the config goes to."""
        raise NotImplementedError

    def create_resource(self, context: InitResourceContext) -> Any:
        """Return what the definition's function makes."""
        return call_resource_function(self.wrapped_resource, context)


def dependencies(cls: type[Config]) -> list[str]:
    """Return the fields of a class that hold other resources."""
    return [name for name, info in cls.model_fields.items() if is_dependency(info)]


def nested_in(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return those values that are resources, which a run opens; others are used as they are."""
    return {
        name: value
        for name, value in values.items()
        if isinstance(value, ConfigurableResourceFactory | PartialResource | ResourceDefinition)
    }


@contextmanager
def opened_instance(
    cls: type[ConfigurableResourceFactory[Any]],
    checked: Mapping[str, Any],
    nested: Mapping[str, Any],
    context: InitResourceContext,
) -> Iterator[Any]:
    """Yield what an instance with this config and these other resources gives."""
    keys = {name: info.alias or name for name, info in cls.model_fields.items()}
    ready = {keys[name]: Ready(value) for name, value in nested.items() if name in keys}
    instance = construct(cls, {**checked, **ready}).with_resource_context(context)
    with instance.yield_for_execution(context) as value:
        yield value


@contextmanager
def opened_from_context(
    cls: type[ConfigurableResourceFactory[Any]], context: InitResourceContext, nested: Mapping[str, Any]
) -> Iterator[Any]:
    """Yield what an instance with the config of a context gives; the config may be written or resolved."""
    names = dependencies(cls)
    given = {name: Ready(value) for name, value in nested.items() if name in names}
    instance = validated(cls, {**(context.resource_config or {}), **given}).with_resource_context(context)
    with instance.yield_for_execution(context) as value:
        yield value


def refuse_teardown(target: Any, method: str) -> None:
    """Refuse to open without closing what must be closed.

    Raises:
        CheckError: when it must be.
    """
    if closes(target):
        name = getattr(target, "__name__", type(target).__name__)
        raise CheckError(f"`{name}` must be closed after use: write `with ... .{method}_cm(...) as resource:`")


def closes(target: Any) -> bool:
    """Tell whether a resource, or a class of them, does anything when it is closed, or holds one that does."""
    if isinstance(target, PartialResource):
        return closes(target.resource_cls) or any(map(closes, target.__nested__().values()))
    if isinstance(target, ResourceDefinition):
        made = getattr(target, "inner", None)
        return closes(made) if made is not None else yields(target.resource_fn)
    cls: Any = target if inspect.isclass(target) else type(target)
    lifecycle = ("teardown_after_execution", "yield_for_execution")
    overridden = any(getattr(cls, name) is not getattr(ConfigurableResourceFactory, name) for name in lifecycle)
    nested = () if inspect.isclass(target) else target.__nested__().values()
    return overridden or yields(cls.create_resource) or any(map(closes, nested))


class PartialResource(Generic[T]):
    """Be a resource whose config, or a part of it, comes with the run: ``MyResource.configure_at_launch()``."""

    def __init__(self, resource_cls: type[Any], data: Mapping[str, Any]) -> None:
        self.resource_cls, self.data = resource_cls, dict(data)
        shape_of(resource_cls)
        warn_of_strangers(resource_cls, self.data)

    @functools.cached_property
    def __config_field__(self) -> Field:
        """Return what run config may set."""
        shape = shape_of(self.resource_cls)
        given = {key: env_form(self.data[name]) for key, name in shape.attributes.items() if name in self.data}
        given |= {key: env_form(self.data[key]) for key in shape.fields.keys() & self.data.keys()}
        written = {key: shape.fields[key].config_type.dump(value, given_only=True) for key, value in given.items()}
        return Field(shape.bound(written))

    @property
    def __required_keys__(self) -> frozenset[str]:
        """Return nothing: what it needs, its fields hold."""
        return frozenset()

    def __nested__(self) -> dict[str, Any]:
        """Return the resources that fields hold."""
        return nested_in({name: self.data[name] for name in dependencies(self.resource_cls) if name in self.data})

    @contextmanager
    def __open__(self, context: InitResourceContext, checked: Any, nested: Mapping[str, Any]) -> Iterator[Any]:
        """Open an instance with the run's config."""
        plain = {name: self.data[name] for name in dependencies(self.resource_cls) if name in self.data}
        with opened_instance(self.resource_cls, checked, {**plain, **nested}, context) as value:
            yield value

    def get_resource_definition(self) -> ResourceDefinition:
        """Return the resource in the form of a :class:`ResourceDefinition`."""
        return WrappedResource(self)

    def __repr__(self) -> str:
        return f"{self.resource_cls.__name__}.configure_at_launch({', '.join(self.data)})"
