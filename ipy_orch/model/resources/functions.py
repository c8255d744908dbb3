"""Resources that a function makes, and those that are ready, configured beforehand, or a class in this form."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, ContextDecorator, contextmanager
from typing import Any, ClassVar, TypeVar

from ipy_orch.errors import DagsterInvalidDefinitionError, DagsterInvalidInvocationError
from ipy_orch.model.config.annotations import annotated_field, is_config_class
from ipy_orch.model.config.configured import MappedType
from ipy_orch.model.config.schema import ANY, MISSING, Field, Findings, Path, config_field
from ipy_orch.model.port import Port
from ipy_orch.model.resources.contexts import InitResourceContext

__all__ = [
    "ConfiguredResource",
    "HardcodedResource",
    "ResourceDefinition",
    "WrappedResource",
    "call_resource_function",
    "checked_config",
    "config_value",
    "decorated",
    "entered",
    "is_schema_class",
    "make_values_resource",
    "open_resource",
    "resource",
    "yields",
]


NO_CONFIG = Field(ANY, is_required=False)
#: opens one resource outside a run: (resource, written config or MISSING, context or None) -> context manager
open_resource: Port[..., AbstractContextManager[Any]] = Port("ipy_orch.execution.resources")


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


class ResourceDefinition:
    """Be a resource made by a function of an :class:`InitResourceContext`, or of nothing.

    Args:
        resource_fn: returns the object, or yields it once and cleans up afterwards.
        config_schema: of ``context.resource_config``.
        required_resource_keys: of the resources in ``context.resources``.
    """

    __gives_itself__: ClassVar[bool] = False  #: whether steps get the definition itself

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
        self.mapped = MappedType(inner.__config_field__, config_or_fn, config_schema)
        function = getattr(inner, "resource_fn", no_function)
        super().__init__(function, Field(self.mapped), description, required_resource_keys=inner.__required_keys__)

    def __nested__(self) -> Mapping[str, Any]:
        """Return what the resource's fields hold."""
        nested: Mapping[str, Any] = self.inner.__nested__()
        return nested

    def inner_config(self, checked: Any) -> Any:
        """Return the checked config of the resource for checked outer config.

        Raises:
            DagsterInvalidConfigError: when it doesn't fit.
            DagsterConfigMappingFunctionError: when the function raises.
        """
        return self.mapped.inner_checked(checked)

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


def checked_config(resource: Any, written: Any, at: Path = ("config",)) -> Any:
    """Return the checked form of a resource's config.

    Raises:
        DagsterInvalidConfigError: when it doesn't fit.
    """
    findings = Findings()
    checked = resource.__config_field__.check_or_default(written, at, findings)
    findings.raise_any("the config of a resource doesn't fit its schema")
    return checked


def config_value(resource: Any, checked: Any) -> Any:
    """Return what ``context.resource_config`` holds: defaults filled in, environment variables read."""
    return None if checked is None else resource.__config_field__.config_type.plain(checked)


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
    return inspect.isclass(schema) and (schema in (str, int, float, bool, dict, list) or is_config_class(schema))


D = TypeVar("D", bound=ResourceDefinition)


def decorated(definition: D, function: Callable[..., Any]) -> D:
    """Return the definition with the function's name and documentation."""
    functools.update_wrapper(definition, function)
    return definition


def make_values_resource(**fields: Any) -> ResourceDefinition:
    """Return a resource that is its config: a dict of these fields, or anything when there are none."""
    return ResourceDefinition(config_of, config_field(fields) if fields else ANY)
