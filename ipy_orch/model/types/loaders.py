"""How a value of a type is made from run config, for inputs that nothing is connected to.

Every loader has a schema, which checks what was written, and a function from the checked config to the value:

    Int               5                       {"value": 5}        {"json": {"path": ...}}     {"pickle": {"path": ...}}
    list[Int]         [5, {"value": 6}]
    dict[str, Int]    {"a": 5}
    Any                                       {"value": ...}      {"json": {"path": ...}}     {"pickle": {"path": ...}}
"""

from __future__ import annotations

import json
import pickle
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from ipy_orch.errors import CheckError
from ipy_orch.model.config.schema import (
    Array,
    ConfigType,
    Findings,
    Map,
    Noneable,
    Permissive,
    ScalarUnion,
    Selector,
    StringSource,
    config_type,
)

__all__ = ["DagsterTypeLoader"]


class DagsterTypeLoader(ABC):
    """Make values of a type from config; derive from it, or decorate a function with ``@dagster_type_loader``."""

    @property
    @abstractmethod
    def schema_type(self) -> ConfigType:
        """Return what the config must look like."""

    def construct_from_config_value(self, context: Any, config_value: Any) -> Any:  # noqa: ARG002 - for subclasses
        """Return the value that checked config stands for.

        Args:
            context: a ``DagsterTypeLoaderContext``.
            config_value: what :attr:`schema_type` let pass, with defaults and environment variables filled in.
        """
        return config_value

    def required_resource_keys(self) -> frozenset[str]:
        """Return the resources that the loader finds at its context."""
        return frozenset()


class FunctionLoader(DagsterTypeLoader):
    """Make values by calling a function.

    Args:
        schema: any spelling of a config schema.
        function: ``(context, config)`` -> value.
        required_resource_keys: what it finds at ``context.resources``.

    Raises:
        DagsterInvalidConfigDefinitionError: when the schema isn't one.
    """

    def __init__(
        self, schema: Any, function: Callable[[Any, Any], Any], required_resource_keys: Iterable[str] | None = None
    ) -> None:
        self._schema = config_type(schema)
        self.function = function
        self._required = frozenset(required_resource_keys or ())
        self.__doc__ = function.__doc__

    @property
    def schema_type(self) -> ConfigType:
        """Return what the config must look like."""
        return self._schema

    def construct_from_config_value(self, context: Any, config_value: Any) -> Any:
        """Return what the function makes of the config."""
        return self.function(context, config_value)

    def required_resource_keys(self) -> frozenset[str]:
        """Return the resources that the function finds at its context."""
        return self._required


# -- of values, written out or in a file


def forms(value: ConfigType) -> Selector:
    """Return the schema of a value that is written out or kept in a file."""
    path = {"path": StringSource}
    return Selector({"value": value, "json": path, "pickle": path})


def read_form(_context: Any, config: Mapping[str, Any]) -> Any:
    """Return the value that one of the :func:`forms` stands for; a JSON file holds it under ``value``."""
    [(form, said)] = config.items()
    if form == "value":
        return said
    data = Path(said["path"]).read_bytes()
    return json.loads(data)["value"] if form == "json" else pickle.loads(data)


def read_scalar(context: Any, config: Any) -> Any:
    """Return a scalar that is written as it is or in one of the :func:`forms`."""
    return read_form(context, config) if isinstance(config, Mapping) else config


def scalar_loader(value: ConfigType) -> DagsterTypeLoader:
    """Return the loader of numbers, texts or truth values."""
    schema = ScalarUnion(value, forms(value))
    schema.label = value.label  # the other forms would hide what is wanted
    return FunctionLoader(schema, read_scalar)


ANYTHING_LOADER: Final = FunctionLoader(forms(config_type(Any)), read_form)
MAPPING_LOADER: Final = FunctionLoader(Permissive(), lambda _, config: config)
SCALAR_LOADERS: Final[Mapping[type, DagsterTypeLoader]] = {
    one: scalar_loader(config_type(one)) for one in (int, float, str, bool)
}


# -- of values made of others


class PartsLoader(DagsterTypeLoader):
    """Make a value of parts that have loaders of their own, whose resources it needs."""

    def __init__(self, schema: ConfigType, *parts: DagsterTypeLoader) -> None:
        self._schema, self.parts = schema, parts

    @property
    def schema_type(self) -> ConfigType:
        """Return what the config must look like."""
        return self._schema

    def required_resource_keys(self) -> frozenset[str]:
        """Return the resources of all parts."""
        return frozenset[str]().union(*(part.required_resource_keys() for part in self.parts))


class OptionalLoader(PartsLoader):
    """Make None of null, and anything else as the part does."""

    def __init__(self, part: DagsterTypeLoader) -> None:
        super().__init__(Noneable(part.schema_type), part)

    def construct_from_config_value(self, context: Any, config_value: Any) -> Any:
        """Return the value."""
        return None if config_value is None else self.parts[0].construct_from_config_value(context, config_value)


class ElementsLoader(PartsLoader):
    """Make a list or a set of a written list."""

    def __init__(self, part: DagsterTypeLoader, collect: Callable[[Iterable[Any]], Any]) -> None:
        super().__init__(Array(part.schema_type), part)
        self.collect = collect

    def construct_from_config_value(self, context: Any, config_value: Any) -> Any:
        """Return the collection."""
        return self.collect([self.parts[0].construct_from_config_value(context, one) for one in config_value])


class ValuesLoader(PartsLoader):
    """Make a dictionary with texts as keys."""

    def __init__(self, part: DagsterTypeLoader) -> None:
        super().__init__(Map(StringSource, part.schema_type), part)

    def construct_from_config_value(self, context: Any, config_value: Any) -> Any:
        """Return the dictionary."""
        make = self.parts[0].construct_from_config_value
        return {key: make(context, one) for key, one in config_value.items()}


class PlacesLoader(PartsLoader):
    """Make a tuple of a written list with one item for each place."""

    def __init__(self, parts: Sequence[DagsterTypeLoader]) -> None:
        super().__init__(Places([part.schema_type for part in parts]), *parts)

    def construct_from_config_value(self, context: Any, config_value: Any) -> Any:
        """Return the tuple."""
        pairs = zip(self.parts, config_value, strict=True)
        return tuple(part.construct_from_config_value(context, one) for part, one in pairs)


class Places(ConfigType):
    """Accept a list with one item for each place, each of the type of its place."""

    def __init__(self, types: Sequence[ConfigType]) -> None:
        self.types = tuple(types)
        self.expected = f"a list of {len(self.types)}"
        self.label = f"[{', '.join(one.label for one in self.types)}]"

    def check(self, value: Any, at: tuple[str | int, ...], findings: Findings) -> Any:
        """Return the checked form."""
        if not isinstance(value, list | tuple) or len(value) != len(self.types):
            findings.mismatch(at, f"{self.expected} ({self.label})", value)
            return value
        return [
            one.check(item, (*at, place), findings)
            for place, (one, item) in enumerate(zip(self.types, value, strict=True))
        ]

    def full(self, checked: Any) -> Any:
        """Return the value with its defaults."""
        return [one.full(item) for one, item in zip(self.types, checked, strict=True)]


def loader_of(loader: Any, type_name: str) -> DagsterTypeLoader | None:
    """Return ``loader`` when it is one or None.

    Raises:
        CheckError: for anything else, such as a plain function.
    """
    if loader is not None and not isinstance(loader, DagsterTypeLoader):
        raise CheckError(
            f"`loader` of type `{type_name}` must be a DagsterTypeLoader, not {loader!r}; "
            "hint: decorate the function with `@dagster_type_loader(config_schema)`"
        )
    return loader
