"""Connections to the world outside: what a resource is, before a run opens it.

Three spellings are one thing to the rest of the system, which asks them only what :class:`Resource` lists: an instance
of a :class:`ConfigurableResource`, a :class:`ResourceDefinition` round a function, and a :class:`PartialResource`
whose config comes with the run. Any other object is a resource that is ready, see :func:`as_resource`. Opening and
closing them in the right order is the work of execution/resources.py.
"""

from __future__ import annotations

import functools
import inspect
import logging
import types
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, ContextDecorator, contextmanager
from dataclasses import dataclass
from typing import (
    TYPE_CHECKING,
    Annotated,
    Any,
    ClassVar,
    Generic,
    Protocol,
    Self,
    TypeVar,
    Union,
    get_args,
    get_origin,
    runtime_checkable,
)

from pydantic import PrivateAttr
from pydantic.fields import FieldInfo
from pydantic_core import CoreSchema, core_schema

from ipy_orch.errors import (
    CheckError,
    DagsterConfigMappingFunctionError,
    DagsterError,
    DagsterInvalidConfigError,
    DagsterInvalidDefinitionError,
    DagsterInvalidInvocationError,
    DagsterUnknownResourceError,
    closest,
)
from ipy_orch.model.config import Config, ConfigMap, annotated_field, construct, shape_of
from ipy_orch.model.port import Port
from ipy_orch.model.schema import (
    ANY,
    MISSING,
    Field,
    Findings,
    config_field,
    env_form,
    resolve,
)

__all__ = [
    "ConfigurableLegacyResourceAdapter",
    "ConfigurableResource",
    "ConfigurableResourceFactory",
    "IAttachDifferentObjectToOpContext",
    "InitResourceContext",
    "PartialResource",
    "Resource",
    "ResourceDefinition",
    "ResourceDependency",
    "ResourceParam",
    "ScopedResources",
    "as_resource",
    "is_resource_annotation",
    "make_values_resource",
    "resource",
]

T = TypeVar("T")

NO_CONFIG = Field(ANY, is_required=False)
LOG = logging.getLogger("ipy_orch")

#: opens one resource outside a run: (resource, written config or MISSING, context or None) -> context manager
open_resource: Port[..., AbstractContextManager[Any]] = Port("ipy_orch.execution.resources")


@runtime_checkable
class Resource(Protocol):
    """Be what the rest of the system may ask of a resource; a user's fields can't have these names."""

    @property
    def __config_field__(self) -> Field:
        """Return what run config may set, with what is set already as defaults."""

    @property
    def __required_keys__(self) -> frozenset[str]:
        """Return the keys of the resources that this one finds in its context."""

    def __nested__(self) -> Mapping[str, Any]:
        """Return the resources that fields of this one hold, by field."""

    def __open__(
        self, context: InitResourceContext, checked: Any, nested: Mapping[str, Any]
    ) -> AbstractContextManager[Any]:
        """Return a context manager of what steps get: set up on entering, torn down on leaving.

        Args:
            context: of this resource, with its config.
            checked: the same config with the names of environment variables still in it.
            nested: the opened resources of the fields.
        """


# ---------------------------------------------------------------------------------- annotations


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
    return any(inspect.isclass(member) and issubclass(member, ConfigurableResourceFactory) for member in members)


def is_resource_annotation(annotation: Any) -> bool:
    """Tell whether a parameter with this annotation takes a resource.

    Raises:
        DagsterInvalidDefinitionError: for a class of resources whose instances give another object to user code.
    """
    if get_origin(annotation) is Annotated:
        return any(isinstance(mark, ParamMark) for mark in get_args(annotation)[1:])
    if not inspect.isclass(annotation):
        return False
    if issubclass(annotation, ConfigurableResourceFactory) and annotation.__gives_itself__:
        return True
    if issubclass(annotation, ConfigurableResourceFactory | ResourceDefinition):
        raise DagsterInvalidDefinitionError(
            f"`{annotation.__name__}` makes another object than itself for user code, so it can't annotate a parameter",
            hint="`ResourceParam[the type of that object]`, or `ResourceParam[Any]`",
        )
    return False


# ---------------------------------------------------------------------------------- contexts


class IAttachDifferentObjectToOpContext:
    """Let ``context.resources.x`` give another object than a parameter ``x``: for code that moves to the new style."""

    def get_object_to_set_on_execution_context(self) -> Any:
        """Return what ``context.resources`` gives."""
        raise NotImplementedError


class ScopedResources:
    """Give resources as attributes, only those that were asked for.

    >>> ScopedResources({"db": 1}).db
    1
    """

    def __init__(self, objects: Mapping[str, Any]) -> None:
        self._objects = dict(objects)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name == "_objects":
            raise AttributeError(name)
        if name not in self._objects:
            near = closest(name, self._objects) or f'required_resource_keys={{"{name}"}}'
            raise DagsterUnknownResourceError(f"resource `{name}` isn't required here", hint=near)
        return attached(self._objects[name])

    def _asdict(self) -> dict[str, Any]:
        return {key: attached(value) for key, value in self._objects.items()}

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self._objects]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ScopedResources) and self._objects == other._objects

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"Resources({', '.join(self._objects)})"


def attached(value: Any) -> Any:
    """Return what ``context.resources`` gives for an opened resource."""
    if isinstance(value, IAttachDifferentObjectToOpContext):
        return value.get_object_to_set_on_execution_context()
    return value


class InitResourceContext:
    """Tell a resource that is being opened about its config, its own resources and the run.

    Args:
        resource_config: the config, resolved.
        resources: those that the definition requires.
        resource_def: the resource that is being opened.
        run: what the engine knows of the run, None outside one.
    """

    def __init__(
        self,
        resource_config: Any = None,
        resources: ScopedResources | None = None,
        resource_def: Any = None,
        run: Any = None,
        instance: Any = None,
        log: Any = None,
        all_resource_defs: Mapping[str, Any] | None = None,
    ) -> None:
        self.resource_config, self.resource_def, self.run = resource_config, resource_def, run
        self.log = log if log is not None else LOG
        self.instance = instance if instance is not None else getattr(run, "instance", None)
        self.all_resource_defs = dict(all_resource_defs or {})
        self._resources = resources

    @property
    def resources(self) -> ScopedResources:
        """Return the resources that this one requires, as attributes."""
        return self._resources if self._resources is not None else ScopedResources({})

    @property
    def run_id(self) -> str | None:
        """Return the id of the run, None outside one."""
        return getattr(self.run, "run_id", None)

    @property
    def dagster_run(self) -> Any:
        """Return the run, under Dagster's name."""
        return self.run

    @property
    def log_manager(self) -> Any:
        """Return the logger, under Dagster's other name."""
        return self.log

    def replace_config(self, config: Any) -> InitResourceContext:
        """Return the same context with another config."""
        return InitResourceContext(
            config, self.resources, self.resource_def, self.run, self.instance, self.log, self.all_resource_defs
        )


# ---------------------------------------------------------------------------------- resources as classes


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
    instance = cls.model_validate({**(context.resource_config or {}), **given}).with_resource_context(context)
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


def yields(function: Any) -> bool:
    """Tell whether a function is a generator function, or one behind ``@contextmanager``."""
    return inspect.isgeneratorfunction(inspect.unwrap(function))


@contextmanager
def entered(value: Any) -> Iterator[Any]:
    """Yield what a function made: itself, or what a generator or a ``@contextmanager`` function yields.

    Other context managers, such as a connection, are the user's to enter.
    """
    if inspect.isgenerator(value):
        with contextmanager(lambda: value)() as made:
            yield made
    elif isinstance(value, AbstractContextManager) and isinstance(value, ContextDecorator):
        with value as made:
            yield made
    else:
        yield value


class PartialResource(Generic[T]):
    """Be a resource whose config, or a part of it, comes with the run: ``MyResource.configure_at_launch()``."""

    def __init__(self, resource_cls: type[Any], data: Mapping[str, Any]) -> None:
        self.resource_cls, self.data = resource_cls, dict(data)
        shape_of(resource_cls)

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


# ---------------------------------------------------------------------------------- resources as functions


class ResourceDefinition:
    """Be a resource made by a function of an :class:`InitResourceContext`, or of nothing.

    Args:
        resource_fn: returns the object, or yields it once and cleans up afterwards.
        config_schema: of ``context.resource_config``.
        required_resource_keys: of the resources in ``context.resources``.
    """

    def __init__(
        self,
        resource_fn: Callable[..., Any],
        config_schema: Any = None,
        description: str | None = None,
        required_resource_keys: Iterable[str] | None = None,
        version: str | None = None,
    ) -> None:
        self.resource_fn = resource_fn
        self.config_schema = NO_CONFIG if config_schema is None else annotated_field(config_schema)
        self.description, self.version = description, version
        self._required_resource_keys = frozenset(required_resource_keys or ())

    @property
    def __config_field__(self) -> Field:
        """Return what run config may set."""
        return self.config_schema

    @property
    def required_resource_keys(self) -> frozenset[str]:
        """Return the keys of the resources that the function finds in its context."""
        return self._required_resource_keys

    @property
    def __required_keys__(self) -> frozenset[str]:
        return self.required_resource_keys

    def __nested__(self) -> Mapping[str, Any]:
        """Return nothing: a function has no fields."""
        return {}

    def __open__(
        self,
        context: InitResourceContext,
        checked: Any,
        nested: Mapping[str, Any],
    ) -> AbstractContextManager[Any]:
        """Open what the function makes."""
        return opened_function(self, context)

    def configured(
        self, config_or_config_fn: Any, config_schema: Any = None, description: str | None = None
    ) -> ResourceDefinition:
        """Return the same resource with its config given, or made by a function of other config."""
        return ConfiguredResource(self, config_or_config_fn, config_schema, description)

    def get_resource_definition(self) -> ResourceDefinition:
        """Return itself."""
        return self

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the function as it is, with a context made by ``build_init_resource_context``, for tests.

        Raises:
            DagsterInvalidInvocationError: when the context is missing and needed, or given and not taken.
            DagsterInvalidConfigError: when the context's config doesn't fit.
            DagsterInvalidDefinitionError: when the context lacks a required resource.
        """
        parameter = context_parameter(self.resource_fn)
        if parameter is None:
            if args or kwargs:
                raise DagsterInvalidInvocationError(
                    "this resource's function takes no context", hint="call it without one"
                )
            return self.resource_fn()
        if not args and parameter not in kwargs:
            raise DagsterInvalidInvocationError(
                f"this resource's function takes a context, `{parameter}`",
                hint="`build_init_resource_context()`, or None",
            )
        given: InitResourceContext | None = args[0] if args else kwargs[parameter]
        return self.invoked(given)

    def invoked(self, given: InitResourceContext | None) -> Any:
        """Return the function's value for a context that a test made, or None."""
        if given is None and self.required_resource_keys:
            raise DagsterInvalidInvocationError("this resource requires others, so it needs a context")
        if given is None and self.__config_field__.is_required:
            raise DagsterInvalidInvocationError("this resource has config, so it needs a context")
        context = given if given is not None else InitResourceContext()
        checked = checked_config(self, MISSING if context.resource_config is None else context.resource_config)
        have = context.resources._asdict()
        for key in sorted(self.required_resource_keys - have.keys()):
            raise DagsterInvalidDefinitionError(f"resource `{key}` is required here and nothing provides it")
        return call_resource_function(self, context.replace_config(config_value(self, checked)))

    @staticmethod
    def hardcoded_resource(value: Any, description: str | None = None) -> ResourceDefinition:
        """Return a resource that is the object given."""
        return HardcodedResource(value, description)

    @staticmethod
    def none_resource(description: str | None = None) -> ResourceDefinition:
        """Return a resource that is None."""
        return HardcodedResource(None, description)

    @staticmethod
    def string_resource(description: str | None = None) -> ResourceDefinition:
        """Return a resource that is the string in its config."""
        return ResourceDefinition(config_of, str, description)

    @staticmethod
    def mock_resource(description: str | None = None) -> ResourceDefinition:
        """Return a resource that is a ``MagicMock``, a new one per run."""
        return ResourceDefinition(mock_object, description=description)

    def __repr__(self) -> str:
        return f"<resource {getattr(self.resource_fn, '__name__', '')}>"


def config_of(context: InitResourceContext) -> Any:
    """Return the config of a context."""
    return context.resource_config


def mock_object() -> Any:
    """Return a new mock; the library is for tests only, and slow to import."""
    from unittest import mock

    return mock.MagicMock()


def no_function() -> None:
    """Stand for the function of a resource that is a class."""


class HardcodedResource(ResourceDefinition):
    """Be a resource that is an object, ready."""

    def __init__(self, value: Any, description: str | None = None) -> None:
        super().__init__(lambda _context: value, description=description)
        self.value = value

    def __repr__(self) -> str:
        return f"<resource of type {type(self.value).__name__}>"


class WrappedResource(ResourceDefinition):
    """Be a resource written as a class, in the form of a definition."""

    def __init__(self, inner: Any) -> None:
        super().__init__(self.never, inner.__config_field__, inner.__doc__)
        self.inner = inner

    def never(self, context: InitResourceContext) -> Any:
        """Open the resource outside a run, for a direct call."""
        return open_resource(self.inner, context=context)

    def __nested__(self) -> Mapping[str, Any]:
        """Return what the resource's fields hold."""
        nested: Mapping[str, Any] = self.inner.__nested__()
        return nested

    def __open__(
        self, context: InitResourceContext, checked: Any, nested: Mapping[str, Any]
    ) -> AbstractContextManager[Any]:
        """Open the resource."""
        opened: AbstractContextManager[Any] = self.inner.__open__(context, checked, nested)
        return opened


class ConfiguredResource(ResourceDefinition):
    """Be a resource whose config is given, or made by a function of other config."""

    def __init__(
        self, inner: Any, config_or_fn: Any, config_schema: Any = None, description: str | None = None, **_options: Any
    ) -> None:
        self.inner = inner
        self.map = ConfigMap(config_or_fn, config_schema) if callable(config_or_fn) else None
        self.constant = None if callable(config_or_fn) else config_or_fn
        outer = self.map.field if self.map is not None else NO_CONFIG
        super().__init__(getattr(inner, "resource_fn", no_function), outer, description, inner.__required_keys__)

    def __nested__(self) -> Mapping[str, Any]:
        """Return what the resource's fields hold."""
        nested: Mapping[str, Any] = self.inner.__nested__()
        return nested

    def inner_config(self, checked: Any) -> Any:
        """Return the checked config of the resource for checked outer config.

        Raises:
            DagsterConfigMappingFunctionError: when the function raises.
        """
        if self.map is None:
            return checked_config(self.inner, self.constant)
        try:
            written = self.map(checked)
        except DagsterError:
            raise
        except Exception as error:
            raise DagsterConfigMappingFunctionError("the function that makes a resource's config raised") from error
        return checked_config(self.inner, written)

    def __open__(
        self, context: InitResourceContext, checked: Any, nested: Mapping[str, Any]
    ) -> AbstractContextManager[Any]:
        """Open the resource with the inner config."""
        inner = self.inner_config(checked)
        opened: AbstractContextManager[Any]
        opened = self.inner.__open__(context.replace_config(config_value(self.inner, inner)), inner, nested)
        return opened

    def invoked(self, given: InitResourceContext | None) -> Any:
        """Call the function with the inner config."""
        context = given if given is not None else InitResourceContext()
        outer = checked_config(self, MISSING if context.resource_config is None else context.resource_config)
        inner = self.inner_config(outer)
        return call_resource_function(self, context.replace_config(config_value(self.inner, inner)))


def checked_config(resource: Any, written: Any, where: str = "") -> Any:
    """Return the checked form of a resource's config.

    Raises:
        DagsterInvalidConfigError: when it doesn't fit.
    """
    findings = Findings()
    checked = resource.__config_field__.check_or_default(written, ("config",), findings)
    try:
        findings.raise_any("the config of this resource doesn't fit its schema")
    except DagsterInvalidConfigError as error:
        raise DagsterInvalidConfigError(error.message, where=where) from None
    return checked


def config_value(resource: Any, checked: Any) -> Any:
    """Return what ``context.resource_config`` holds: defaults filled in, environment variables read."""
    return None if checked is None else resolve(resource.__config_field__.config_type.full(checked))


def context_parameter(function: Callable[..., Any]) -> str | None:
    """Return the name of the parameter that takes the context, None when there is none."""
    kinds = (
        inspect.Parameter.POSITIONAL_ONLY,
        inspect.Parameter.POSITIONAL_OR_KEYWORD,
        inspect.Parameter.VAR_POSITIONAL,
    )
    try:
        parameters = inspect.signature(function).parameters.values()
    except ValueError:  # a class of C code
        return None
    return next((parameter.name for parameter in parameters if parameter.kind in kinds), None)


def call_resource_function(definition: ResourceDefinition, context: InitResourceContext) -> Any:
    """Return what a resource's function makes."""
    if context_parameter(definition.resource_fn) is None:
        return definition.resource_fn()
    return definition.resource_fn(context)


@contextmanager
def opened_function(definition: ResourceDefinition, context: InitResourceContext) -> Iterator[Any]:
    """Yield what a resource's function makes; the function is called on entering."""
    with entered(call_resource_function(definition, context)) as value:
        yield value


def resource(
    config_schema: Any = None,
    description: str | None = None,
    required_resource_keys: Iterable[str] | None = None,
    version: str | None = None,
) -> Any:
    """Make a resource of a function that returns it, or yields it and cleans up.

    The function takes an :class:`InitResourceContext`, or nothing.
    """
    if callable(config_schema) and not is_schema_class(config_schema):
        return decorated(ResourceDefinition(config_schema), config_schema)

    def decorate(function: Callable[..., Any]) -> ResourceDefinition:
        doc = description or inspect.getdoc(function)
        return decorated(ResourceDefinition(function, config_schema, doc, required_resource_keys, version), function)

    return decorate


def is_schema_class(schema: Any) -> bool:
    """Tell whether a class stands for config (``@resource(str)``), not for the resource (``@resource class ...``)."""
    return inspect.isclass(schema) and (schema in (str, int, float, bool, dict, list) or issubclass(schema, Config))


D = TypeVar("D", bound=ResourceDefinition)


def decorated(definition: D, function: Callable[..., Any]) -> D:
    """Return the definition with the function's name and documentation."""
    functools.update_wrapper(definition, function)
    return definition


def make_values_resource(**fields: Any) -> ResourceDefinition:
    """Return a resource that is its config: a dict of these fields, or anything when there are none."""
    return ResourceDefinition(config_of, config_field(fields) if fields else ANY)


# ---------------------------------------------------------------------------------- any object


def as_resource(value: Any) -> Any:
    """Return ``value`` when it is a resource, else the resource that is this object.

    Raises:
        DagsterInvalidDefinitionError: for a class of resources that wasn't called.
    """
    if isinstance(value, ResourceDefinition | ConfigurableResourceFactory | PartialResource):
        return value
    if inspect.isclass(value) and issubclass(value, ConfigurableResourceFactory):
        raise DagsterInvalidDefinitionError(
            f"`{value.__name__}` is a class, not a resource",
            hint=f"`{value.__name__}(...)`, or `{value.__name__}.configure_at_launch()`",
        )
    return HardcodedResource(value)
