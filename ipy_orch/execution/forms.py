"""In which form a function hands over its outputs: as its return annotation says, ``Output[int]`` or ``int``.

Whoever reads ``-> Output[int]`` may rely on getting an ``Output``, and on getting none where it isn't said.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, get_args, get_origin

from ipy_orch.errors import DagsterInvariantViolationError
from ipy_orch.model.ops import NO_VALUE, RESULT, OpDefinition
from ipy_orch.model.results import DynamicOutput, Output

__all__ = ["dynamic_items", "forms_of", "refuse_form"]

SILENT: Final = (NO_VALUE, None, Any)


def forms_of(op: OpDefinition) -> Mapping[str, bool]:
    """Return output -> whether it is handed over as an ``Output``; without those of which no annotation says it."""
    annotation = op.signature.annotations.get("return", NO_VALUE)
    names = list(op.outs)
    if len(names) == 1:
        return form(names[0], annotation)
    parts = get_args(annotation) if get_origin(annotation) is tuple else ()
    if len(parts) != len(names):
        return {}
    return {name: one for place, part in zip(names, parts, strict=True) for name, one in form(place, part).items()}


def form(name: str, annotation: Any) -> dict[str, bool]:
    """Return the form of one output, as a part of :func:`forms_of`."""
    origin = get_origin(annotation) or annotation
    if origin is Output:
        return {name: True}
    is_value = isinstance(origin, type) and origin.__module__ == "builtins" and annotation not in SILENT
    return {name: False} if is_value and origin not in (list, tuple, type(None), object) else {}


def refuse_form(op: OpDefinition, name: str, value: Any, forms: Mapping[str, bool]) -> None:
    """Refuse a value in another form than its annotation's.

    Raises:
        DagsterInvariantViolationError: naming the output.
    """
    wanted = forms.get(name)
    if wanted is None or wanted == isinstance(value, Output):
        return
    got = "an `Output`" if isinstance(value, Output) else f"a `{type(value).__name__}`"
    said = "an `Output`" if wanted else "a value, and no `Output`"
    raise DagsterInvariantViolationError(
        f"output `{name}` of `{op.name}` is annotated as {said}, and {got} was returned",
        hint="`-> Output[...]` with `return Output(...)`, or both without",
    )


def dynamic_items(value: Any, name: str, op: OpDefinition) -> Sequence[Any]:
    """Return the elements of the value of a dynamic output: a list of DynamicOutputs.

    Raises:
        DagsterInvariantViolationError: for anything else, and for one that names another output.
    """
    items = list(value) if isinstance(value, list | tuple) else [value]
    for item in items:
        if not isinstance(item, DynamicOutput):
            got = "None" if item is None else f"a `{type(item).__name__}`"
            raise DagsterInvariantViolationError(
                f"the value of a dynamic output, `{name}` of `{op.name}`, is a list of DynamicOutputs, not {got}",
                hint="DynamicOutput(value, mapping_key=...)",
            )
        if item.output_name not in (RESULT, name):
            raise DagsterInvariantViolationError(f"`{op.name}` returned `{item.output_name}` in the place of `{name}`")
    return [DynamicOutput(one.value, one.mapping_key, name, metadata=one.metadata) for one in items]
