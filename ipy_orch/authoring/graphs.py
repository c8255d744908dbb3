"""``@graph``: the body of a function, in which ops are called, becomes a graph."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any, overload

from ipy_orch.authoring.composition import Body, composing, parameters_of
from ipy_orch.authoring.handles import DynamicHandle, GraphInput, Handle
from ipy_orch.authoring.ops import documented, presented
from ipy_orch.authoring.ports import value_annotation
from ipy_orch.authoring.signature import resolved_annotations
from ipy_orch.errors import CheckError, DagsterInvalidDefinitionError, closest
from ipy_orch.model.config.configured import ConfigMapping
from ipy_orch.model.graphs.graph import GraphDefinition
from ipy_orch.model.graphs.mappings import GraphIn, GraphOut, InputMapping, OutputMapping
from ipy_orch.model.ops import NO_VALUE, RESULT
from ipy_orch.model.types.annotations import resolve_dagster_type

__all__ = ["graph"]

Function = Callable[..., Any]


@overload
def graph(compose_fn: Function, /) -> GraphDefinition: ...
@overload
def graph(
    compose_fn: None = None,
    /,
    *,
    name: str | None = None,
    description: str | None = None,
    ins: Mapping[str, GraphIn] | None = None,
    out: GraphOut | Mapping[str, GraphOut] | None = None,
    tags: Mapping[str, Any] | None = None,
    config: Any = None,
) -> Callable[[Function], GraphDefinition]: ...
def graph(
    compose_fn: Function | None = None,
    /,
    *,
    name: str | None = None,
    description: str | None = None,
    ins: Mapping[str, GraphIn] | None = None,
    out: GraphOut | Mapping[str, GraphOut] | None = None,
    tags: Mapping[str, Any] | None = None,
    config: Any = None,
) -> Any:
    """Make a graph of a function: the ops and graphs that its body calls are the nodes.

    The body runs once, now, and computes nothing: calls return outputs to hand to other calls.

    Args:
        compose_fn: the function, when the decorator is used without arguments.
        ins: descriptions of the inputs, which are the function's parameters.
        out: descriptions of the outputs; of several, the function returns a dict by name or a tuple.
        tags: of every run of it.
        config: config of its nodes as a dict, or a ConfigMapping that makes it of the graph's own.

    Returns:
        A GraphDefinition, or a decorator that makes one.

    Raises:
        DagsterInvalidDefinitionError: when a call doesn't fit what it calls, or a parameter isn't used.

    Example:
        >>> from ipy_orch.authoring.ops import op
        >>> @op
        ... def double(number):
        ...     return 2 * number
        >>> @graph
        ... def quadruple(number):
        ...     return double(double(number))
        >>> [node.name for node in quadruple.nodes]
        ['double', 'double_2']
    """

    def define(function: Function) -> GraphDefinition:
        return composed(
            function, "@graph", name=name, description=description, ins=ins, out=out, tags=tags, config=config
        )

    return define(compose_fn) if compose_fn is not None else define


def composed(
    function: Function,
    decorator: str,
    *,
    name: str | None = None,
    description: str | None = None,
    ins: Mapping[str, GraphIn] | None = None,
    out: GraphOut | Mapping[str, GraphOut] | None = None,
    tags: Mapping[str, Any] | None = None,
    config: Any = None,
) -> GraphDefinition:
    """Run the body of a function, and return the graph of its nodes."""
    if not callable(function):
        raise CheckError(f"`{decorator}` decorates a function, not {function!r}")
    label = name or function.__name__
    where = f"{decorator} `{label}`"
    inputs = graph_inputs(function, ins or {}, where)
    with composing(where) as body:
        returned = function(**{one.name: one for one in inputs.values()})
        outputs = output_mappings(returned, graph_outputs(function, out), where)
    made = GraphDefinition(
        label,
        description=description or documented(function),
        node_defs=distinct(body),
        dependencies=body.dependencies,
        input_mappings=used_inputs(inputs, body, where),
        output_mappings=outputs,
        config=as_mapping(config, where),
        tags=tags,
        input_assets=body.input_assets,
        composition_fn=function,
        positional_inputs=tuple(parameters_of(function, where)),
    )
    return presented(made, function)


def distinct(body: Body) -> list[Any]:
    """Return what the body called, each once.

    Raises:
        DagsterInvalidDefinitionError: when two are different and have one name.
    """
    found: dict[str, Any] = {}
    for one in body.node_defs:
        if found.setdefault(one.name, one) is not one:
            raise DagsterInvalidDefinitionError(
                f"two different definitions are named `{one.name}`", where=body.where, hint='`@op(name="...")`'
            )
    return list(found.values())


def as_mapping(config: Any, where: str) -> Any:
    """Return the config of a graph's nodes as a ConfigMapping.

    Raises:
        CheckError: for config of another type.
    """
    if config is None or hasattr(config, "config_fn"):
        return config
    if not isinstance(config, Mapping):
        raise CheckError(f"{where}: `config` is a dict or a ConfigMapping, not {config!r}")
    return ConfigMapping(config_fn=lambda _: config, config_schema=None)


# -- inputs -----------------------------------------------------------------------------------------------------------


def graph_inputs(function: Function, ins: Mapping[str, GraphIn], where: str) -> dict[str, GraphInput]:
    """Return the inputs of a graph: its function's parameters.

    Raises:
        DagsterInvalidDefinitionError: for one that is described and no parameter.
    """
    parameters = parameters_of(function, where)
    if not any(one.kind is one.VAR_KEYWORD for one in inspect.signature(function).parameters.values()):
        for name in ins:
            if name not in parameters:
                raise DagsterInvalidDefinitionError(
                    f"the input `{name}` is no parameter of the function", where=where, hint=closest(name, parameters)
                )
    known = {**dict.fromkeys(ins), **parameters}
    return {name: GraphInput(name, description_of(ins, name), typed(known[name])) for name in known}


def description_of(ins: Mapping[str, GraphIn], name: str) -> str | None:
    """Return what was said of an input."""
    return ins[name].description if name in ins else None


def typed(annotation: Any) -> Any:
    """Return the DagsterType of an annotation, None for none."""
    return None if annotation is None or annotation is NO_VALUE else resolve_dagster_type(annotation)


def used_inputs(inputs: Mapping[str, GraphInput], body: Body, where: str) -> list[InputMapping]:
    """Return where the graph's inputs go, in the order of the inputs.

    Raises:
        DagsterInvalidDefinitionError: for one that goes nowhere.
    """
    found: dict[str, list[InputMapping]] = {name: [] for name in inputs}
    for mapping in body.input_mappings:
        found.setdefault(mapping.graph_input_name, []).append(mapping)
    for name, mappings in found.items():
        if not mappings:
            raise DagsterInvalidDefinitionError(
                f"the input `{name}` isn't used", where=where, hint="hand it to an op, or leave it out"
            )
    return [mapping for mappings in found.values() for mapping in mappings]


# -- outputs ----------------------------------------------------------------------------------------------------------


def graph_outputs(
    function: Function, out: GraphOut | Mapping[str, GraphOut] | None
) -> tuple[dict[str, tuple[GraphOut, Any]], bool]:
    """Return output -> description and type, and whether they were said, so that each must be returned."""
    annotation = value_annotation(resolved_annotations(function).get("return", NO_VALUE), function.__name__)
    if out is None or isinstance(out, GraphOut):
        return {RESULT: (out or GraphOut(), typed(annotation))}, out is not None
    if len(out) == 1:
        return {name: (one, typed(annotation)) for name, one in out.items()}, True
    return {name: (one, None) for name, one in out.items()}, True


def output_mappings(
    returned: Any, declared: tuple[Mapping[str, tuple[GraphOut, Any]], bool], where: str
) -> list[OutputMapping]:
    """Return where the graph's outputs come from.

    Raises:
        DagsterInvalidDefinitionError: when what the body returned doesn't fit.
    """
    outs, said = declared
    by_name = returned_by_name(returned, list(outs), where)
    missing = [name for name in outs if name not in by_name] if said else []
    if missing:
        raise DagsterInvalidDefinitionError(
            f"the output `{missing[0]}` isn't returned", where=where, hint="return an output of a node for it"
        )
    return [
        OutputMapping(
            name,
            by_name[name].node_name,
            by_name[name].output_name,
            one.description,
            kind,
            isinstance(by_name[name], DynamicHandle),
        )
        for name, (one, kind) in outs.items()
        if name in by_name
    ]


def returned_by_name(returned: Any, names: list[str], where: str) -> Mapping[str, Handle]:
    """Return what the body returned by output.

    Raises:
        DagsterInvalidDefinitionError: when there are too many or too few, or something isn't an output of a node.
    """
    if returned is None:
        return {}
    if isinstance(returned, Handle):
        if len(names) != 1:
            raise DagsterInvalidDefinitionError(
                f"the body returns one output, and there are {len(names)}: {', '.join(names) or 'none'}",
                where=where,
                hint="return a dict by name",
            )
        return {names[0]: returned}
    if isinstance(returned, tuple) and all(isinstance(one, Handle) for one in returned):
        if len(returned) < len(names):
            raise DagsterInvalidDefinitionError(
                f"the body returns {len(returned)} outputs, and there are {len(names)}", where=where
            )
        return dict(zip(names, returned, strict=False))
    if isinstance(returned, Mapping):
        for name, one in returned.items():
            if name not in names:
                hint = closest(str(name), names) or f"it has {', '.join(names) or 'none'}"
                raise DagsterInvalidDefinitionError(f"there is no output `{name}`", where=where, hint=hint)
            if not isinstance(one, Handle):
                raise DagsterInvalidDefinitionError(
                    f"`{name}` is {one!r}, and no output of a node", where=where, hint="return what a call returned"
                )
        return returned
    raise DagsterInvalidDefinitionError(
        f"the body returns {returned!r}, and no output of a node", where=where, hint="return what a call returned"
    )
