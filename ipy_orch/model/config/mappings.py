"""Functions that make config of other config, with the schema of what they take."""

from __future__ import annotations

from collections.abc import Callable
from inspect import isclass, signature
from typing import Any, overload

from ipy_orch.errors import CheckError, DagsterConfigMappingFunctionError, DagsterError
from ipy_orch.model.config.classes import Config, annotated_field, construct, shape_of
from ipy_orch.model.config.run_config import RunConfig, written_entries
from ipy_orch.model.config.schema import ANY, MISSING, Field, Findings, Path

__all__ = ["ConfigMapping", "config_mapping", "function_name", "mapping_of", "written_form"]


class ConfigMapping:
    """Make the config of the ops in a graph or job, or of a definition, from other config.

    Args:
        config_fn: takes the outer config, a Config when its parameter is annotated with one, else plain data; returns
            config for what is inside: ``{op: {"config": ...}}`` for a graph, run config for a job.
        config_schema: of the outer config, when the parameter isn't annotated with a Config class.
        receive_processed_config_values: False gives the function the outer config as it was written, e.g. the names of
            an enum's members in the place of members.

    Raises:
        CheckError: when the function hasn't exactly one parameter, or both kinds of schema are given.

    >>> ConfigMapping(lambda outer: {"double": {"config": outer["size"]}}, {"size": int}).inner({"size": 3})
    {'double': {'config': 3}}
    """

    def __init__(
        self,
        config_fn: Callable[[Any], Any],
        config_schema: Any = None,
        receive_processed_config_values: bool | None = None,
    ) -> None:
        if not callable(config_fn):
            raise CheckError(f"`config_fn` must be a function, got `{config_fn!r}`")
        self.config_fn, self.receive_processed_config_values = config_fn, receive_processed_config_values
        self.config_class = config_parameter(config_fn)
        if self.config_class is not None and config_schema is not None:
            raise CheckError(f"`{function_name(config_fn)}` has a Config parameter, so it takes no config_schema")
        given = self.config_class or config_schema
        self.config_schema = Field(ANY, is_required=False) if given is None else annotated_field(given)

    @property
    def name(self) -> str:
        """Return the name of the function."""
        return function_name(self.config_fn)

    def check(self, written: Any, at: Path, findings: Findings) -> Any:
        """Return the checked form of the outer config, which may be MISSING."""
        return self.config_schema.check_or_default(written, at, findings)

    def checked(self, written: Any, where: str = "", at: Path = ("config",)) -> Any:
        """Return the checked form of the outer config, which may be MISSING.

        Raises:
            DagsterInvalidConfigError: when it doesn't fit.
        """
        findings = Findings()
        checked = self.check(written, at, findings)
        findings.raise_any(f"what `{self.name}` takes doesn't fit its schema", where)
        return checked

    def inner(self, written: Any = MISSING, where: str = "", at: Path = ("config",)) -> Any:
        """Return config for what is inside, in its written form, for outer config as written.

        Environment variables in the outer config are read.

        Args:
            written: the outer config, or MISSING.
            where: of what this is the mapping, for messages.
            at: where in run config the outer config stands, for messages.

        Raises:
            DagsterInvalidConfigError: when the outer config doesn't fit.
            DagsterConfigMappingFunctionError: when the function raises.
        """
        checked = self.checked(written, where, at)
        unprocessed = self.receive_processed_config_values is False
        made = (
            self.called(self.config_schema.filled(written), where) if unprocessed else self.of_checked(checked, where)
        )
        return written_form(made)

    def of_checked(self, checked: Any, where: str = "") -> Any:
        """Return what the function makes of the outer config in its checked form.

        Raises:
            DagsterInvalidConfigError: when an environment variable isn't set.
            DagsterConfigMappingFunctionError: when the function raises.
        """
        if self.config_class is not None:
            return self.called(construct(self.config_class, checked or {}), where)
        return self.called(None if checked is None else self.config_schema.config_type.plain(checked), where)

    def called(self, outer: Any, where: str) -> Any:
        """Return what the function makes of the outer config."""
        try:
            return self.config_fn(outer)
        except DagsterError:
            raise
        except Exception as error:
            raise DagsterConfigMappingFunctionError(
                f"the config mapping `{self.name}` raised {type(error).__name__}", where=where
            ) from error

    def resolve_from_unvalidated_config(self, config: Any) -> Any:
        """Return the inner config for outer config as written, under Dagster's name."""
        return self.inner(config)

    def resolve_from_validated_config(self, config: Any) -> Any:
        """Return the inner config for outer config that was checked, under Dagster's name."""
        return written_form(self.called(config, ""))

    def __repr__(self) -> str:
        return f"<config mapping {self.name}>"


def written_form(made: Any) -> Any:
    """Return what a mapping's function made as plain data."""
    if isinstance(made, RunConfig):
        return {key: part for key, part in made.written(given_only=True).items() if part}
    if isinstance(made, Config):
        return shape_of(type(made)).dump(made, given_only=True)
    return written_entries(made, given_only=True) if type(made) is dict else made


def config_parameter(function: Callable[..., Any]) -> type[Config] | None:
    """Return the Config class that annotates the one parameter of a function, if any.

    Raises:
        CheckError: when the function hasn't exactly one parameter.
    """
    try:
        known = signature(function, eval_str=False).parameters.values()
    except ValueError:  # a function of C code
        return None
    parameters = [one for one in known if one.kind is not one.VAR_KEYWORD]
    if len(parameters) != 1:
        raise CheckError(f"`{function_name(function)}` must have exactly one parameter, the config")
    annotation = parameters[0].annotation
    if isinstance(annotation, str):
        annotation = getattr(function, "__globals__", {}).get(annotation)
    return annotation if isclass(annotation) and issubclass(annotation, Config) else None


def function_name(function: object) -> str:
    """Return the name of a function, or its repr."""
    return getattr(function, "__name__", repr(function))


@overload
def config_mapping(config_fn: Callable[[Any], Any], /) -> ConfigMapping: ...


@overload
def config_mapping(
    config_fn: None = None, /, *, config_schema: Any = None, receive_processed_config_values: bool | None = None
) -> Callable[[Callable[[Any], Any]], ConfigMapping]: ...


def config_mapping(
    config_fn: Callable[[Any], Any] | None = None,
    /,
    *,
    config_schema: Any = None,
    receive_processed_config_values: bool | None = None,
) -> Any:
    """Make a :class:`ConfigMapping` of a function, for ``@job(config=...)`` and ``@graph(config=...)``.

    Example:
        >>> @config_mapping(config_schema={"size": int})
        ... def simple(outer):
        ...     return {"double": {"config": {"number": outer["size"]}}}
        >>> simple.inner({"size": 3})
        {'double': {'config': {'number': 3}}}
    """
    if config_fn is not None:
        return ConfigMapping(config_fn, config_schema, receive_processed_config_values)
    return lambda function: ConfigMapping(function, config_schema, receive_processed_config_values)


def mapping_of(config_or_config_fn: Any, config_schema: Any = None) -> ConfigMapping:
    """Return the mapping that a function or given config stands for."""
    if callable(config_or_config_fn):
        return ConfigMapping(config_or_config_fn, config_schema)

    def given(_outer: Any) -> Any:
        return config_or_config_fn

    return ConfigMapping(given, config_schema)
