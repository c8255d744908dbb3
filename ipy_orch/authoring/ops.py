"""``@op``: a function becomes a step that isn't an asset."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar, overload

from ipy_orch.authoring.ports import inputs, outputs
from ipy_orch.authoring.signature import read_signature
from ipy_orch.errors import CheckError, closest
from ipy_orch.model.config.schema import config_field
from ipy_orch.model.ops import In, OpDefinition, Out

__all__ = ["op"]

Function = Callable[..., Any]
T = TypeVar("T")


@overload
def op(compute_fn: Function, /) -> OpDefinition: ...
@overload
def op(compute_fn: None = None, /, **options: Any) -> Callable[[Function], OpDefinition]: ...
def op(compute_fn: Function | None = None, /, **options: Any) -> Any:
    """Make an op of a function: its parameters are the inputs.

    Args:
        compute_fn: the function, when the decorator is used without arguments.
        **options: those of :func:`define_op`.

    Returns:
        An OpDefinition, or a decorator that makes one.

    Example:
        >>> @op
        ... def double(number: int) -> int:
        ...     return 2 * number
        >>> double(3)
        6
    """
    if compute_fn is not None:
        return define_op(compute_fn)
    refuse_unknown(options)
    return lambda function: define_op(function, **options)


def define_op(
    function: Function,
    *,
    name: str | None = None,
    description: str | None = None,
    ins: Mapping[str, In] | None = None,
    out: Out | Mapping[str, Out] | None = None,
    config_schema: Any = None,
    required_resource_keys: Iterable[str] | None = None,
    tags: Mapping[str, Any] | None = None,
    version: str | None = None,
    retry_policy: Any = None,
    code_version: str | None = None,
    pool: str | None = None,
) -> OpDefinition:
    """Return the op of ``function``; the arguments are those of Dagster's ``@op``.

    Args:
        function: computes the outputs.
        ins: input name -> In; the others are read from the parameters.
        out: one output, or several by name; by default one, typed as annotated.

    Raises:
        DagsterInvalidDefinitionError: when the arguments contradict the function.
        DagsterInvariantViolationError: when the annotation of several outputs has another number of them.
        CheckError: when the config's schema, or resources, are given in two ways.
    """
    label = name or function.__name__
    where = f"op `{label}`"
    call = read_signature(function, what=where)
    if call.config is not None and config_schema is not None:
        raise CheckError(f"{where}: give a parameter `config` or `config_schema`, not both")
    if call.resources and required_resource_keys:
        raise CheckError(f"{where}: resources are parameters or in `required_resource_keys`, not both")
    made = OpDefinition(
        name=label,
        signature=call,
        ins=inputs(call, ins or {}, where),
        outs=outputs(call, out, where, code_version or version),
        description=description or documented(function),
        config_type=call.config_type if config_schema is None else config_field(config_schema),
        required_resource_keys=frozenset(required_resource_keys or ()),
        tags=tags,
        retry_policy=retry_policy,
        code_version=code_version or version,
        pool=pool,
    )
    return presented(made, function)


def refuse_unknown(options: Mapping[str, Any]) -> None:
    """Refuse an option that the decorator doesn't have.

    Raises:
        TypeError: as for any function, with the closest option.
    """
    known = set(inspect.signature(define_op).parameters) - {"function"}
    for option in options.keys() - known:
        near = closest(option, known)
        raise TypeError(f"`@op` has no argument `{option}`" + (f"\n  hint: {near}" if near else ""))


def presented(made: T, function: Function) -> T:
    """Return an op, graph or job that ``help`` and ``?`` show like its function."""
    vars(made).update(__doc__=function.__doc__, __name__=getattr(function, "__name__", ""))
    return made


def documented(function: Function) -> str | None:
    """Return the docstring of the function itself, without its indentation."""
    text = getattr(function, "__doc__", None)
    return inspect.cleandoc(text) if isinstance(text, str) else None
