"""How a function wants to be called: the only reader of signatures."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable, Mapping
from typing import Any, Final, get_type_hints

from ipy_orch.errors import DagsterInvalidConfigDefinitionError, DagsterInvalidDefinitionError, warn
from ipy_orch.model.config.annotations import annotated_field, is_config_class
from ipy_orch.model.config.schema import MISSING
from ipy_orch.model.ops import NO_VALUE, Signature
from ipy_orch.model.resources.resource import is_resource_annotation

__all__ = ["read_signature"]

CONTEXT: Final = frozenset({"context", "_context", "context_", "_"})
CONTEXT_TYPES: Final = frozenset({"OpExecutionContext", "AssetExecutionContext", "AssetCheckExecutionContext"})
CONFIG: Final = "config"


def read_signature(function: Callable[..., Any], *, what: str = "") -> Signature:
    """Return which parameters are the context, the config, resources, and inputs.

    Args:
        function: the user's function.
        what: names the definition in messages.

    Raises:
        DagsterInvalidDefinitionError: for ``*args``, positional-only parameters, a ``context`` that isn't the first or
            is annotated with something else.
        DagsterInvalidConfigDefinitionError: for a ``config`` that isn't annotated, or not with a type of config.
    """
    parameters = list(inspect.signature(function).parameters.values())
    annotations = resolved_annotations(function)
    context = context_name(parameters, annotations)
    if context is not None:
        refuse_context_type(annotations.get(context), what)
    rest = [parameter for parameter in parameters if parameter.name != context]
    refuse_unnamed(rest, what)
    refuse_special(rest, what)
    config = CONFIG if any(p.name == CONFIG and p.annotation is not p.empty for p in rest) else None
    resources = {p.name: p.name for p in rest if is_resource_annotation(annotations.get(p.name))}
    named = [p for p in rest if p.kind is not p.VAR_KEYWORD and p.name != config and p.name not in resources]
    warn_of_config(named, annotations, what)
    return Signature(
        function=function,
        context=context,
        config=config,
        config_type=config_type(next(p for p in rest if p.name == config), annotations) if config else None,
        resources=resources,
        inputs=tuple(p.name for p in named),
        defaults={p.name: p.default for p in named if p.default is not p.empty},
        annotations=annotations,
        keywords=any(p.kind is p.VAR_KEYWORD for p in rest),
    )


def config_type(parameter: inspect.Parameter, annotations: Mapping[str, Any]) -> Any:
    """Return what annotates the config, as a field where it has a default.

    Raises:
        DagsterInvalidConfigDefinitionError: when it can't be a type of config.
    """
    annotation = annotations.get(CONFIG)
    if annotation is None or not getattr(annotation, "__pydantic_complete__", True):  # names a class yet to come
        return annotation
    made = annotated_field(annotation, MISSING if parameter.default is parameter.empty else parameter.default)
    return made if made.default_provided else annotation


def warn_of_config(parameters: list[inspect.Parameter], annotations: Mapping[str, Any], what: str) -> None:
    """Warn of an input that is annotated as config: it would be loaded from an asset of that name."""
    for parameter in parameters:
        if is_config_class(annotations.get(parameter.name)):
            warn(
                f"the parameter `{parameter.name}` of {what} is annotated with a Config class and is an input: "
                f"the config is the parameter named `{CONFIG}`"
            )


def resolved_annotations(function: Callable[..., Any]) -> dict[str, Any]:
    """Return the annotations; one that can't be resolved alone stays out, the others are kept."""
    raw = dict(getattr(inspect.unwrap(function), "__annotations__", {}))
    try:
        return get_type_hints(function, include_extras=True)
    except Exception:  # noqa: BLE001 - a name under TYPE_CHECKING, or anything an annotation may evaluate to
        space = getattr(function, "__globals__", {})
        return {name: one for name, text in raw.items() if (one := resolve_one(text, space)) is not NO_VALUE}


def resolve_one(annotation: Any, space: Mapping[str, Any]) -> Any:
    """Return one annotation, evaluated where it's a string, or NO_VALUE."""
    if not isinstance(annotation, str):
        return annotation
    try:
        return typing.get_type_hints(
            type("_", (), {"__annotations__": {"x": annotation}}), dict(space), include_extras=True
        )["x"]
    except Exception:  # noqa: BLE001
        return NO_VALUE


def context_name(parameters: list[inspect.Parameter], annotations: Mapping[str, Any]) -> str | None:
    """Return the first parameter's name when it is a context by name or by annotation."""
    if not parameters:
        return None
    first = parameters[0]
    annotation = annotations.get(first.name, first.annotation)
    known = annotation.rpartition(".")[2] if isinstance(annotation, str) else getattr(annotation, "__name__", "")
    return first.name if first.name in CONTEXT or known in CONTEXT_TYPES else None


def refuse_context_type(annotation: Any, what: str) -> None:
    """Refuse a context that is annotated as something else.

    Raises:
        DagsterInvalidDefinitionError: naming the annotation.
    """
    if annotation is not Any and isinstance(annotation, type) and annotation.__name__ not in CONTEXT_TYPES:
        raise DagsterInvalidDefinitionError(
            f"the context is annotated with `{annotation.__name__}`",
            where=what,
            hint=f"it is one of {', '.join(sorted(CONTEXT_TYPES))}; an input has another name than `context`",
        )


def refuse_unnamed(parameters: list[inspect.Parameter], what: str) -> None:
    """Refuse parameters that can't be given by name."""
    for parameter in parameters:
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.POSITIONAL_ONLY):
            raise DagsterInvalidDefinitionError(
                f"parameter `{parameter}` can't be an input: inputs are given by name",
                where=what,
                hint="name each input",
            )


def refuse_special(parameters: list[inspect.Parameter], what: str) -> None:
    """Refuse a context that isn't the first parameter, and a config of no type."""
    for parameter in parameters:
        if parameter.name == "context":
            raise DagsterInvalidDefinitionError(
                "`context` is the first parameter", where=what, hint="def f(context, ...)"
            )
        if parameter.name == CONFIG and parameter.annotation is parameter.empty:
            raise DagsterInvalidConfigDefinitionError(
                "`config` needs a type", where=what, hint="def f(config: MyConfig), with `class MyConfig(Config): ...`"
            )
