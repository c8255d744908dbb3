"""The ports of a graph, of those of its nodes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ipy_orch.model.ops import NO_VALUE, DynamicOut, In, Out

if TYPE_CHECKING:
    from ipy_orch.model.graphs.graph import Node
    from ipy_orch.model.graphs.mappings import InputMapping, OutputMapping

__all__ = ["outer_in", "outer_out"]


def outer_in(nodes: Mapping[str, Node], mappings: Sequence[InputMapping]) -> In:
    """Return the port of an input: typed as said, else as the nodes' inputs that it is, where these agree.

    Args:
        mappings: those of the one input, at least one.
    """
    first = mappings[0]
    inner = [nodes[one.mapped_node_name].definition.ins[one.mapped_node_input_name] for one in mappings]
    types = [inner_type(nodes[one.mapped_node_name], one) for one in mappings]
    said = next((one.dagster_type for one in mappings if one.dagster_type and not one.dagster_type.is_any), None)
    agreed = types[0] if all(one is types[0] or one == types[0] for one in types) else Any
    return replace(
        inner[0],
        dagster_type=said or agreed,
        description=first.graph_input_description or inner[0].description,
        default_value=inner[0].default_value if all(port.has_default_value for port in inner) else NO_VALUE,
    )


def inner_type(node: Node, mapping: InputMapping) -> Any:
    """Return the type of a node's input, or of its elements when the mapping is to one of several."""
    kind = node.definition.input_def_named(mapping.mapped_node_input_name).dagster_type
    return kind.get_inner_type_for_fan_in() if mapping.fan_in_index is not None else kind


def outer_out(nodes: Mapping[str, Node], mapping: OutputMapping) -> Out:
    """Return the port of an output: typed as said, else as the node's output that it is."""
    inner = nodes[mapping.mapped_node_name].definition.outs[mapping.mapped_node_output_name]
    said = mapping.dagster_type
    form = DynamicOut if inner.is_dynamic or mapping.from_dynamic_mapping else Out
    return form(
        said if said is not None and not said.is_any else inner.dagster_type,
        mapping.graph_output_description or inner.description,
        inner.is_required,
        inner.io_manager_key,
        inner.metadata,
        inner.code_version,
    )
