"""Another definition, made from one: with other specs, attributes or keys."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from ipy_orch.errors import CheckError, DagsterInvalidDefinitionError
from ipy_orch.model.asset_specs import nothing_inputs
from ipy_orch.model.keys import AssetCheckKey, AssetKey
from ipy_orch.model.ops import In, OpDefinition
from ipy_orch.model.specs import DEFAULT_GROUP, AssetDep, AssetSpec

if TYPE_CHECKING:
    from ipy_orch.model.assets import AssetsDefinition

__all__ = ["attributed", "renamed", "respecified"]

D = TypeVar("D", bound="AssetsDefinition")


def respecified(definition: D, fn: Callable[[AssetSpec], AssetSpec]) -> D:
    """Return a copy in which each spec is ``fn(spec)``.

    Raises:
        DagsterInvalidDefinitionError: when ``fn`` returns another key or drops a dependency that is an argument.
        CheckError: when it adds a dependency to the assets of a graph.
    """
    specs = tuple(checked_spec(definition, spec, fn(spec)) for spec in definition.asset_specs)
    node = definition.op_def
    if node is None or specs == definition.asset_specs:
        return definition.replaced(asset_specs=specs)
    inputs, ins = rewired(definition, specs)
    if isinstance(node, OpDefinition):
        return definition.replaced(asset_specs=specs, keys_by_input_name=inputs, op_def=node.with_replaced(ins=ins))
    if inputs.keys() - definition.keys_by_input_name.keys():
        raise CheckError(f"`{definition.label}` is made by a graph: what it depends on are the graph's inputs")
    return definition.replaced(asset_specs=specs)


def checked_spec(definition: AssetsDefinition, old: AssetSpec, new: AssetSpec) -> AssetSpec:
    """Return the new spec when it keeps what the op needs."""
    if not isinstance(new, AssetSpec):
        raise CheckError(f"the function returns an AssetSpec, not {new!r}")
    if old.key != new.key:
        raise DagsterInvalidDefinitionError(
            f"`{old.key.label}` can't become `{new.key.label}` here", hint="use `with_attributes`"
        )
    arguments = {key for name, key in definition.keys_by_input_name.items() if not definition.op.ins[name].is_nothing}
    lost = {d.asset_key for d in old.deps} & arguments - {d.asset_key for d in new.deps}
    if lost:
        raise DagsterInvalidDefinitionError(
            f"`{min(lost).label}` is an argument of the function: it can't be dropped", where=definition.label
        )
    return new


def rewired(definition: AssetsDefinition, specs: Iterable[AssetSpec]) -> tuple[dict[str, AssetKey], dict[str, In]]:
    """Return input -> asset and input -> port, with ports that only order steps for new dependencies."""
    checked = [dep for spec in definition.all_check_specs_by_output_name.values() for dep in spec.additional_deps]
    needed = {dep.asset_key: None for dep in [*(dep for spec in specs for dep in spec.deps), *checked]}
    ins = {
        name: port
        for name, port in definition.op.ins.items()
        if not port.is_nothing or definition.keys_by_input_name.get(name) in needed
    }
    inputs = {name: key for name, key in definition.keys_by_input_name.items() if name in ins}
    new = [AssetDep(key) for key in needed if key not in inputs.values() and key not in definition.asset_deps]
    for name, (port, key) in nothing_inputs(new, ins).items():
        ins[name], inputs[name] = port, key
    return inputs, ins


def attributed(
    definition: D,
    groups: Mapping[AssetKey, str],
    tags: Mapping[AssetKey, Mapping[str, str]],
    metadata: Mapping[AssetKey | AssetCheckKey, Mapping[str, Any]],
    condition: Any,
) -> D:
    """Return a copy with other groups, tags, metadata and automation conditions, of the assets that are named.

    Raises:
        DagsterInvalidDefinitionError: when an asset has a group already.
    """
    for spec in definition.asset_specs:
        if spec.key in groups and spec.group_name not in (DEFAULT_GROUP, groups[spec.key]):
            raise DagsterInvalidDefinitionError(
                f"`{spec.key.label}` is in group `{spec.group_name}` already", where=definition.origin
            )

    def changed(spec: AssetSpec) -> AssetSpec:
        said = condition.get(spec.key) if isinstance(condition, Mapping) else condition
        return spec.replace_attributes(
            group_name=groups.get(spec.key, spec.group_name),
            tags=tags.get(spec.key, ...),
            metadata=metadata.get(spec.key, ...),
            automation_condition=... if said is None else said,
        )

    checks = {
        name: spec.with_metadata(metadata[spec.key]) if spec.key in metadata else spec
        for name, spec in definition.all_check_specs_by_output_name.items()
    }
    return definition.replaced(
        asset_specs=tuple(map(changed, definition.asset_specs)), all_check_specs_by_output_name=checks
    )


def renamed(definition: D, keys: Mapping[AssetKey, AssetKey]) -> D:
    """Return a copy in which old keys are new ones, wherever they stand."""
    if not keys:
        return definition

    def new(key: AssetKey) -> AssetKey:
        return keys.get(key, key)

    named = {name: one.with_key(new(one.key_for(name))) for name, one in definition.asset_ins.items()}
    chosen, checks = definition.selected, definition.selected_checks
    return definition.replaced(
        asset_specs=tuple(spec.renamed(keys) for spec in definition.asset_specs),
        keys_by_input_name={name: new(key) for name, key in definition.keys_by_input_name.items()},
        all_keys_by_output_name={name: new(key) for name, key in definition.all_keys_by_output_name.items()},
        all_check_specs_by_output_name={
            name: one.renamed(keys) for name, one in definition.all_check_specs_by_output_name.items()
        },
        asset_ins=named,
        selected=None if chosen is None else frozenset(map(new, chosen)),
        selected_checks=None
        if checks is None
        else frozenset(key.replace_asset_key(new(key.asset_key)) for key in checks),
    )
