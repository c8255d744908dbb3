"""``@dagster_type_loader`` and ``@usable_as_dagster_type``: a function makes values, a class names a type."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from typing import Any, TypeVar, overload

from ipy_orch.errors import DagsterInvalidDefinitionError
from ipy_orch.model.types.annotations import make_python_type_usable_as_dagster_type
from ipy_orch.model.types.dagster_type import PythonObjectDagsterType
from ipy_orch.model.types.loaders import DagsterTypeLoader, FunctionLoader

__all__ = ["dagster_type_loader", "usable_as_dagster_type"]

C = TypeVar("C", bound=type)
Load = Callable[[Any, Any], Any]


def dagster_type_loader(
    config_schema: Any, required_resource_keys: Iterable[str] | None = None
) -> Callable[[Load], FunctionLoader]:
    """Make a loader of a function from config to a value.

    Args:
        config_schema: what the config must look like.
        required_resource_keys: what the function finds at ``context.resources``.

    Raises:
        DagsterInvalidDefinitionError: when the function doesn't take a context and the config.

    Example:
        >>> @dagster_type_loader({"rows": int})
        ... def zeros(context, config):
        ...     return [0] * config["rows"]
        >>> zeros.construct_from_config_value(None, {"rows": 2})
        [0, 0]
    """

    def decorate(function: Load) -> FunctionLoader:
        refuse_other_parameters(function)
        return FunctionLoader(config_schema, function, required_resource_keys)

    return decorate


def refuse_other_parameters(function: Load) -> None:
    """Refuse a function that can't be called with a context and a config."""
    name = getattr(function, "__name__", repr(function))
    parameters = list(inspect.signature(function).parameters)
    try:
        inspect.signature(function).bind(None, None)
    except TypeError:
        raise DagsterInvalidDefinitionError(
            f"the loader `{name}` must take a context and the config, not ({', '.join(parameters)})",
            hint=f"`def {name}(context, config): ...`",
        ) from None


@overload
def usable_as_dagster_type(name: C) -> C: ...
@overload
def usable_as_dagster_type(
    name: str | None = None, description: str | None = None, loader: DagsterTypeLoader | None = None
) -> Callable[[C], C]: ...
def usable_as_dagster_type(
    name: str | C | None = None, description: str | None = None, loader: DagsterTypeLoader | None = None
) -> C | Callable[[C], C]:
    """Decorate a class so that annotations with it mean a type with a name, description and loader.

    Args:
        name: what the type is called, by default as the class; or the class, when the decorator is used without ``()``.
        description: a sentence for readers.
        loader: how an instance is made from config.
    """

    def decorate(cls: C) -> C:
        called = name if isinstance(name, str) else cls.__name__
        made = PythonObjectDagsterType(cls, name=called, description=description, loader=loader)
        make_python_type_usable_as_dagster_type(cls, made)
        return cls

    return decorate(name) if isinstance(name, type) else decorate
