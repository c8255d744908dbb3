"""The inputs and outputs of an op, of what was said and of the function's annotations."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final, get_args, get_origin

from ipy_orch.errors import DagsterInvalidDefinitionError, DagsterInvariantViolationError, closest
from ipy_orch.model.ops import NO_VALUE, RESULT, DynamicOut, In, Out, Signature, type_of
from ipy_orch.model.results import AssetCheckResult, DynamicOutput, MaterializeResult, ObserveResult, Output
from ipy_orch.model.types.annotations import DagsterTypeKind, Nothing

__all__ = ["inputs", "outputs", "value_annotation"]

REPORTS: Final = (MaterializeResult, ObserveResult, AssetCheckResult)


# -- inputs -----------------------------------------------------------------------------------------------------------


def inputs(call: Signature, given: Mapping[str, In], where: str) -> dict[str, In]:
    """Return the ports of the parameters, and of what is only waited for.

    Raises:
        DagsterInvalidDefinitionError: for an input that is no parameter, and for a parameter that gets no value.
    """
    for name, port in given.items():
        if name not in call.inputs and not port.is_nothing and not call.keywords and name not in call.resources:
            raise DagsterInvalidDefinitionError(
                f"the input `{name}` is no parameter of the function",
                where=where,
                hint=closest(name, call.inputs) or "an input that only waits is `In(Nothing)`",
            )
    read = {name: port_of(call, name, given.get(name, In())) for name in call.inputs}
    for name, port in {**given, **read}.items():
        if port.has_default_value:
            refuse_bad_default(name, port, where)
    for name, port in read.items():
        if port.is_nothing:
            raise DagsterInvalidDefinitionError(
                f"the parameter `{name}` is of type `Nothing`, and gets no value",
                where=where,
                hint=f'an input that only waits is no parameter: `ins={{"{name}": In(Nothing)}}`',
            )
    waited = {name: port for name, port in given.items() if name not in read and name not in call.resources}
    return {**read, **waited}


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


def refuse_bad_default(name: str, port: In, where: str) -> None:
    """Refuse a default that isn't of the input's type, where that can be told without a run: for scalars.

    Raises:
        DagsterInvalidDefinitionError: also for a default of an input that only waits.
    """
    kind = type_of(port)
    if port.is_nothing:
        raise DagsterInvalidDefinitionError(f"the input `{name}` only waits, and has a default", where=where)
    if kind.kind is DagsterTypeKind.SCALAR and not kind.type_check(None, port.default_value).success:
        raise DagsterInvalidDefinitionError(
            f"the default of input `{name}` is {port.default_value!r}, and its type is `{kind.display_name}`",
            where=where,
        )


# -- outputs ----------------------------------------------------------------------------------------------------------


def outputs(
    call: Signature, out: Out | Mapping[str, Out] | None, where: str, code_version: str | None = None
) -> dict[str, Out]:
    """Return the outputs with the types that the function's annotation gives them.

    Args:
        code_version: of the outputs that say none.

    Raises:
        DagsterInvariantViolationError: when the annotation is of another number of outputs, or of one dynamic value.
        DagsterInvalidDefinitionError: for an annotation that is no type.
    """
    annotation = returned_annotation(call)
    if out is None:
        form = DynamicOut if is_list_of_dynamic(annotation) else Out
        return {RESULT: form(value_annotation(annotation, where), code_version=code_version)}
    outs = {RESULT: out} if isinstance(out, Out) else out
    parts = [annotation] if len(outs) == 1 else parts_of(annotation, len(outs), where)
    return {
        name: typed_out(one, value_annotation(part, where), code_version)
        for (name, one), part in zip(outs.items(), parts, strict=True)
    }


def returned_annotation(call: Signature) -> Any:
    """Return what the function's value is annotated with; what a generator is annotated with says nothing of it."""
    function = inspect.unwrap(call.function)
    generates = inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function)
    return NO_VALUE if generates else call.annotations.get("return", NO_VALUE)


def typed_out(port: Out, annotation: Any, code_version: str | None) -> Out:
    """Return an output of its declared type, else of the annotation's, and with a version where it has none."""
    typed = port.dagster_type if port.dagster_type is not NO_VALUE else annotation
    return replace(port, dagster_type=typed, code_version=port.code_version or code_version)


def is_list_of_dynamic(annotation: Any) -> bool:
    """Tell whether an annotation is ``list[DynamicOutput]``."""
    return get_origin(annotation) is list and bare(get_args(annotation)[0]) is DynamicOutput


def bare(annotation: Any) -> Any:
    """Return an annotation without what is in brackets."""
    return get_origin(annotation) or annotation


def value_annotation(annotation: Any, where: str = "") -> Any:
    """Return the annotation of the value itself: ``int`` of ``Output[int]`` and of ``list[DynamicOutput[int]]``.

    Raises:
        DagsterInvariantViolationError: for a DynamicOutput that isn't in a list.
    """
    if is_list_of_dynamic(annotation):
        return inner(get_args(annotation)[0])
    if bare(annotation) is DynamicOutput:
        raise DagsterInvariantViolationError(
            "the function is annotated with one DynamicOutput, and there may be any number",
            where=where,
            hint="return a `list[DynamicOutput[...]]`, or yield DynamicOutputs",
        )
    if bare(annotation) is Output or (bare(annotation) is MaterializeResult and get_args(annotation)):
        return value_annotation(inner(annotation), where)
    if bare(annotation) in REPORTS:
        return NO_VALUE
    return Nothing if annotation is None or annotation is type(None) else annotation


def inner(annotation: Any) -> Any:
    """Return what is in the brackets of a wrapper: the type of the value."""
    [kind, *_] = get_args(annotation) or [NO_VALUE]
    return kind


def parts_of(annotation: Any, count: int, where: str) -> list[Any]:
    """Return the annotations of several outputs, from that of a tuple; reports carry no values.

    Raises:
        DagsterInvariantViolationError: when it isn't one, or its number of elements is another.
    """
    if annotation is NO_VALUE or annotation is Any:
        return [NO_VALUE] * count
    elements = get_args(annotation)
    if bare(annotation) in REPORTS or (elements and all(one in REPORTS for one in elements)):
        return [None] * count
    if bare(annotation) is not tuple:
        raise DagsterInvariantViolationError(
            f"the annotation of {count} outputs is a tuple of theirs, not `{annotation}`", where=where
        )
    if len(elements) != count:
        raise DagsterInvariantViolationError(
            f"the annotation is a tuple of {len(elements)}, and there are {count} outputs", where=where
        )
    return list(elements)
