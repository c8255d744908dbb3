"""``@op``: a function becomes a step that isn't an asset."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import Any, get_args, get_origin, overload

from ipy_orch.authoring.signature import read_signature
from ipy_orch.errors import CheckError, DagsterInvalidDefinitionError, DagsterInvariantViolationError, closest
from ipy_orch.model.ops import NO_VALUE, RESULT, In, OpDefinition, Out, Signature
from ipy_orch.model.results import MaterializeResult, ObserveResult, Output

__all__ = ["op"]

Function = Callable[..., Any]


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
        CheckError: when the config's schema is given twice.
    """
    label = name or function.__name__
    where = f"op `{label}`"
    call = read_signature(function, what=where)
    if call.config is not None and config_schema is not None:
        raise CheckError(f"{where}: give a parameter `config` or `config_schema`, not both")
    return OpDefinition(
        name=label,
        signature=call,
        ins=inputs(call, ins or {}, where),
        outs=outputs(call, out, where),
        description=description or inspect.getdoc(function),
        config_type=call.config_type if call.config is not None else config_schema,
        required_resource_keys=frozenset(required_resource_keys or ()),
        tags=dict(tags or {}),
        retry_policy=retry_policy,
        code_version=code_version or version,
        pool=pool,
    )


def refuse_unknown(options: Mapping[str, Any]) -> None:
    """Refuse an option that the decorator doesn't have.

    Raises:
        TypeError: as for any function, with the closest option.
    """
    known = set(inspect.signature(define_op).parameters) - {"function"}
    for option in options.keys() - known:
        near = closest(option, known)
        raise TypeError(f"`@op` has no argument `{option}`" + (f"\n  hint: {near}" if near else ""))


def inputs(call: Signature, given: Mapping[str, In], where: str) -> dict[str, In]:
    """Return the ports of the parameters, and of what is only waited for.

    Raises:
        DagsterInvalidDefinitionError: for an input that is no parameter.
    """
    for name, port in given.items():
        if name not in call.inputs and not port.is_nothing and not call.keywords:
            raise DagsterInvalidDefinitionError(
                f"the input `{name}` is no parameter of the function",
                where=where,
                hint=closest(name, call.inputs) or "an input that only waits is `In(Nothing)`",
            )
    read = {name: port_of(call, name, given.get(name, In())) for name in call.inputs}
    return {**read, **{name: port for name, port in given.items() if name not in read}}


def port_of(call: Signature, name: str, port: In) -> In:
    """Return an input with the type and default that its parameter has, where it has none of its own."""
    typed = port.dagster_type is not NO_VALUE
    return In(
        port.dagster_type if typed else call.annotations.get(name, NO_VALUE),
        port.description,
        port.default_value if port.has_default_value else call.defaults.get(name, NO_VALUE),
        port.metadata,
        port.asset_key,
        port.asset_partitions,
        port.input_manager_key,
    )


def outputs(call: Signature, out: Out | Mapping[str, Out] | None, where: str) -> dict[str, Out]:
    """Return the outputs with the types that the function's annotation gives them."""
    annotation = call.annotations.get("return", NO_VALUE)
    if out is None or isinstance(out, Out):
        return {RESULT: typed_out(out or Out(), value_annotation(annotation))}
    if len(out) == 1:
        return {name: typed_out(one, value_annotation(annotation)) for name, one in out.items()}
    annotations = parts_of(annotation, len(out), where)
    return {name: typed_out(one, part) for (name, one), part in zip(out.items(), annotations, strict=True)}


def typed_out(port: Out, annotation: Any) -> Out:
    """Return an output of its declared type, else of the annotation's."""
    if port.dagster_type is not NO_VALUE:
        return port
    return Out(annotation, port.description, port.is_required, port.io_manager_key, port.metadata, port.code_version)


def value_annotation(annotation: Any) -> Any:
    """Return the annotation of the value itself: ``int`` of ``Output[int]``, none of an iterator's."""
    origin = get_origin(annotation) or annotation
    if origin in (Output, MaterializeResult, ObserveResult):
        inner = get_args(annotation)
        return inner[0] if inner else NO_VALUE
    if getattr(origin, "__name__", "") in (
        "Iterator",
        "Generator",
        "Iterable",
        "AsyncIterator",
        "AsyncGenerator",
        "DynamicOutput",
    ):
        return NO_VALUE
    return NO_VALUE if annotation is None or annotation is type(None) else annotation


def parts_of(annotation: Any, count: int, where: str) -> list[Any]:
    """Return the annotations of several outputs, from that of a tuple.

    Raises:
        DagsterInvariantViolationError: when the tuple's number of elements is another.
    """
    elements = get_args(annotation)
    if get_origin(annotation) is not tuple or Ellipsis in elements:
        return [NO_VALUE] * count
    if len(elements) != count:
        raise DagsterInvariantViolationError(
            f"the annotation is a tuple of {len(elements)}, and there are {count} outputs", where=where
        )
    return [value_annotation(element) for element in elements]
