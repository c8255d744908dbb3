"""What keeps values between steps: IO managers, and the definitions and decorators that make them resources.

An IO manager stores what a step returned (``handle_output``) and loads it for the steps downstream (``load_input``).
The contexts that it gets are in execution/contexts/contexts.py, the managers that come with the package in
execution/iomanagers.py.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from typing import Any, ClassVar, TypeVar

from ipy_orch.model.config.classes import annotated_field
from ipy_orch.model.config.schema import Field
from ipy_orch.model.resources.resource import (
    ConfigurableResourceFactory,
    ConfiguredResource,
    HardcodedResource,
    InitResourceContext,
    ResourceDefinition,
    WrappedResource,
    call_resource_function,
    decorated,
    is_schema_class,
)

__all__ = [
    "ConfigurableIOManager",
    "ConfigurableIOManagerFactory",
    "ConfigurableInputManager",
    "ConfigurableLegacyIOManagerAdapter",
    "IOManager",
    "IOManagerDefinition",
    "InputManager",
    "InputManagerDefinition",
    "input_manager",
    "io_config_fields",
    "io_manager",
]

T = TypeVar("T")


class InputManager(ABC):
    """Load the inputs of steps."""

    @abstractmethod
    def load_input(self, context: Any) -> Any:
        """Return the value of an input.

        Args:
            context: an ``InputContext``: the asset or the output upstream, metadata, type, partition.
        """


class IOManager(InputManager):
    """Store the outputs of steps, and load them as inputs."""

    @abstractmethod
    def load_input(self, context: Any) -> Any:
        """Return the value that ``handle_output`` stored."""

    @abstractmethod
    def handle_output(self, context: Any, obj: Any) -> None:
        """Store the value of an output.

        Args:
            context: an ``OutputContext``: the asset or the step and output, metadata, type, partition.
            obj: the value.
        """


class InputManagerDefinition(ResourceDefinition):
    """Be the resource that makes an :class:`InputManager`, with the schema of the config that inputs may have."""

    def __init__(
        self,
        resource_fn: Callable[..., Any],
        config_schema: Any = None,
        description: str | None = None,
        input_config_schema: Any = None,
        required_resource_keys: Iterable[str] | None = None,
        version: str | None = None,
    ) -> None:
        super().__init__(resource_fn, config_schema, description, required_resource_keys, version)
        self.input_config_schema = schema_field(input_config_schema)

    def configured(
        self, config_or_config_fn: Any, config_schema: Any = None, description: str | None = None
    ) -> InputManagerDefinition:
        """Return the same resource with its config given, or made by a function of other config."""
        return ConfiguredInputManager(self, config_or_config_fn, config_schema, description)


class IOManagerDefinition(InputManagerDefinition):
    """Be the resource that makes an :class:`IOManager`, with the schemas of the config of inputs and outputs."""

    def __init__(
        self,
        resource_fn: Callable[..., Any],
        config_schema: Any = None,
        description: str | None = None,
        required_resource_keys: Iterable[str] | None = None,
        version: str | None = None,
        input_config_schema: Any = None,
        output_config_schema: Any = None,
    ) -> None:
        super().__init__(resource_fn, config_schema, description, input_config_schema, required_resource_keys, version)
        self.output_config_schema = schema_field(output_config_schema)

    def configured(
        self, config_or_config_fn: Any, config_schema: Any = None, description: str | None = None
    ) -> IOManagerDefinition:
        """Return the same resource with its config given, or made by a function of other config."""
        return ConfiguredIOManager(self, config_or_config_fn, config_schema, description)

    @staticmethod
    def hardcoded_io_manager(value: IOManager, description: str | None = None) -> IOManagerDefinition:
        """Return the resource that is the IO manager given."""
        return HardcodedIOManager(value, description)


class ConfiguredInputManager(ConfiguredResource, InputManagerDefinition):
    """Be an input manager whose config is given; what inputs may say stays what it was."""

    def __init__(
        self, inner: Any, config_or_fn: Any, config_schema: Any = None, description: str | None = None
    ) -> None:
        ConfiguredResource.__init__(self, inner, config_or_fn, config_schema, description or inner.description)
        self.input_config_schema, _ = io_config_fields(inner)


class ConfiguredIOManager(ConfiguredInputManager, IOManagerDefinition):
    """Be an IO manager whose config is given; what inputs and outputs may say stays what it was."""

    def __init__(
        self, inner: Any, config_or_fn: Any, config_schema: Any = None, description: str | None = None
    ) -> None:
        super().__init__(inner, config_or_fn, config_schema, description)
        _, self.output_config_schema = io_config_fields(inner)


class HardcodedIOManager(HardcodedResource, IOManagerDefinition):
    """Be an IO manager, ready, as a resource."""

    def __init__(self, value: IOManager, description: str | None = None) -> None:
        IOManagerDefinition.__init__(self, lambda _context: value, description=description)
        self.value = value


class WrappedIOManager(WrappedResource, IOManagerDefinition):
    """Be an IO manager written as a class, in the form of a definition."""

    def __init__(self, inner: ConfigurableIOManagerFactory[Any]) -> None:
        WrappedResource.__init__(self, inner)
        self.input_config_schema = schema_field(inner.input_config_schema())
        self.output_config_schema = schema_field(inner.output_config_schema())


def schema_field(schema: Any) -> Field | None:
    """Return a schema as a field, None for None."""
    return None if schema is None else annotated_field(schema)


class ConfigurableIOManagerFactory(ConfigurableResourceFactory[T]):
    """Be a class of resources whose instances make an IO manager (see ``create_io_manager``)."""

    def create_io_manager(self, context: InitResourceContext) -> Any:
        """Return the IO manager."""
        raise NotImplementedError(f"`{type(self).__name__}` needs a method `create_io_manager(self, context)`")

    def create_resource(self, context: InitResourceContext) -> Any:
        """Return the IO manager."""
        return self.create_io_manager(context)

    @classmethod
    def input_config_schema(cls) -> Any:
        """Return the schema of the config that an input may have, None for none."""
        return None

    @classmethod
    def output_config_schema(cls) -> Any:
        """Return the schema of the config that an output may have, None for none."""
        return None

    def get_resource_definition(self) -> IOManagerDefinition:
        """Return the resource in the form of an :class:`IOManagerDefinition`."""
        return WrappedIOManager(self)


class ConfigurableIOManager(ConfigurableIOManagerFactory[Any], IOManager):
    """Be an IO manager written as a class: fields are its config.

    >>> class Shelf(ConfigurableIOManager):
    ...     folder: str
    ...     def handle_output(self, context, obj): ...
    ...     def load_input(self, context): ...
    >>> Shelf(folder="values")
    Shelf(folder='values')
    """

    __gives_itself__: ClassVar[bool] = True

    def create_io_manager(self, context: InitResourceContext) -> Any:  # noqa: ARG002 - for subclasses
        """Return the IO manager itself."""
        return self


class ConfigurableInputManager(ConfigurableIOManagerFactory[Any], InputManager):
    """Be an input manager written as a class: fields are its config."""

    __gives_itself__: ClassVar[bool] = True

    def create_io_manager(self, context: InitResourceContext) -> Any:  # noqa: ARG002 - for subclasses
        """Return the input manager itself."""
        return self


class ConfigurableLegacyIOManagerAdapter(ConfigurableIOManagerFactory[Any]):
    """Give the fields of a class as config to an IO manager written as a function."""

    @property
    def wrapped_io_manager(self) -> IOManagerDefinition:
        """Return the definition that the config goes to."""
        raise NotImplementedError

    def create_io_manager(self, context: InitResourceContext) -> Any:
        """Return the IO manager that the definition's function makes."""
        return call_resource_function(self.wrapped_io_manager, context)


class InputFunction(InputManager):
    """Be the input manager whose ``load_input`` is a function of the context, or of nothing.

    The function may also return an input manager, which is asked then.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function

    def load_input(self, context: Any) -> Any:
        """Return what the function returns, or what the input manager loads that it returns."""
        found = call_resource_function(ResourceDefinition(self.function), context)
        return found.load_input(context) if isinstance(found, InputManager) else found


def io_manager(
    config_schema: Any = None,
    description: str | None = None,
    output_config_schema: Any = None,
    input_config_schema: Any = None,
    required_resource_keys: Iterable[str] | None = None,
    version: str | None = None,
) -> Any:
    """Make an IO manager resource of a function that returns an :class:`IOManager`."""
    if callable(config_schema) and not is_schema_class(config_schema):
        return decorated(IOManagerDefinition(config_schema), config_schema)

    def decorate(function: Callable[..., Any]) -> IOManagerDefinition:
        made = IOManagerDefinition(
            function,
            config_schema,
            description,
            required_resource_keys,
            version,
            input_config_schema,
            output_config_schema,
        )
        return decorated(made, function)

    return decorate


def input_manager(
    config_schema: Any = None,
    description: str | None = None,
    input_config_schema: Any = None,
    required_resource_keys: Iterable[str] | None = None,
    version: str | None = None,
) -> Any:
    """Make an input manager resource of a function that takes an ``InputContext`` and returns the input's value."""
    if callable(config_schema) and not is_schema_class(config_schema):
        return input_manager()(config_schema)

    def decorate(function: Callable[..., Any]) -> InputManagerDefinition:
        manager = InputFunction(function)
        made = InputManagerDefinition(
            lambda _context: manager, config_schema, description, input_config_schema, required_resource_keys, version
        )
        return decorated(made, function)

    return decorate


def io_config_fields(resource: Any) -> tuple[Field | None, Field | None]:
    """Return the schemas of the config that the inputs and the outputs of an IO manager may have, None for none."""
    schemas = [getattr(resource, name, None) for name in ("input_config_schema", "output_config_schema")]
    fields = [
        schema_field(schema() if callable(schema) and not isinstance(schema, type) else schema) for schema in schemas
    ]
    return fields[0], fields[1]
