"""``@asset_check`` and ``@multi_asset_check``: functions become checks."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from ipy_orch.authoring.assets import (
    check_options,
    config_type,
    input_keys,
    loaded_inputs,
    needed_resources,
    nothing_ins,
    value_ins,
)
from ipy_orch.authoring.signature import read_signature
from ipy_orch.errors import DagsterInvalidDefinitionError
from ipy_orch.model.asset_ports import AssetIn
from ipy_orch.model.assets import AssetChecksDefinition
from ipy_orch.model.checks import AssetCheckSpec
from ipy_orch.model.keys import AssetKey
from ipy_orch.model.ops import OpDefinition, Out, Signature
from ipy_orch.model.specs import AssetDep, distinct_deps, key_of
from ipy_orch.model.types.annotations import Nothing

__all__ = ["asset_check", "multi_asset_check"]

Function = Callable[..., Any]


def asset_check(**options: Any) -> Callable[[Function], AssetChecksDefinition]:
    """Make a check of a function; the options are those of :func:`define_check`.

    The function returns an AssetCheckResult, or a bool, or a bool with metadata.

    Example:
        >>> @asset_check(asset="orders")
        ... def has_rows(orders):
        ...     return len(orders) > 0
        >>> has_rows.check_key.to_user_string()
        'orders:has_rows'
    """
    check_options("asset_check", define_check, options)
    if callable(options.get("asset")) and not hasattr(options["asset"], "keys"):
        raise DagsterInvalidDefinitionError("a check names its asset", hint='@asset_check(asset="orders")')
    return lambda function: define_check(function, **options)


def define_check(
    function: Function,
    *,
    asset: Any,
    name: str | None = None,
    description: str | None = None,
    blocking: bool = False,
    additional_ins: Mapping[str, AssetIn] | None = None,
    additional_deps: Iterable[Any] | None = None,
    required_resource_keys: Iterable[str] | None = None,
    resource_defs: Mapping[str, Any] | None = None,
    config_schema: Any = None,
    compute_kind: str | None = None,  # noqa: ARG001 - Dagster's argument; a check has no kinds
    op_tags: Mapping[str, Any] | None = None,
    retry_policy: Any = None,
    metadata: Mapping[str, Any] | None = None,
    automation_condition: Any = None,
    pool: str | None = None,
    partitions_def: Any = None,
    signature: Signature | None = None,
    origin: str = "",
) -> AssetChecksDefinition:
    """Return the check that ``function`` makes; the arguments are those of Dagster's ``@asset_check``.

    Args:
        asset: the asset checked; the parameter that isn't in ``additional_ins`` receives its value.
        blocking: when it fails as an error, what is downstream of the asset doesn't run.

    Raises:
        DagsterInvalidDefinitionError: when the arguments contradict each other or the function.
    """
    asset_key = key_of(asset)
    check_name = name or function.__name__
    where = origin or f"check `{asset_key.label}:{check_name}`"
    call = signature or read_signature(function, what=where)
    loaded = check_inputs(call, asset_key, additional_ins or {}, where)
    others = [AssetDep(one.key_for(arg)) for arg, one in loaded.items() if one.key_for(arg) != asset_key]
    waited = distinct_deps(additional_deps or (), where)
    if any(dep.asset_key == asset_key for dep in waited):
        raise DagsterInvalidDefinitionError(
            f"the check's own asset `{asset_key.label}` is in `additional_deps`",
            where=where,
            hint="leave it out: a check depends on it",
        )
    spec = AssetCheckSpec(
        check_name,
        asset=asset_key,
        description=description or inspect.getdoc(function),
        additional_deps=[*others, *waited],
        blocking=blocking,
        metadata=metadata,
        automation_condition=automation_condition,
        partitions_def=partitions_def,
    )
    unread = [] if any(one.key_for(arg) == asset_key for arg, one in loaded.items()) else [AssetDep(asset_key)]
    op = OpDefinition(
        name=spec.get_python_identifier(),
        signature=call,
        ins={**value_ins(call, loaded), **nothing_ins([*unread, *waited], loaded)},
        outs={spec.get_python_identifier(): Out(Nothing)},
        description=spec.description,
        config_type=config_type(call, config_schema, where),
        required_resource_keys=needed_resources(call, required_resource_keys, resource_defs, where),
        tags=dict(op_tags or {}),
        retry_policy=retry_policy,
        pool=pool,
    )
    return AssetChecksDefinition(
        op,
        (),
        input_keys(loaded, [*unread, *waited]),
        check_specs_by_output_name={spec.get_python_identifier(): spec},
        asset_ins=loaded,
        resource_defs=resource_defs,
        origin=origin,
    )


def check_inputs(call: Signature, asset_key: AssetKey, ins: Mapping[str, AssetIn], where: str) -> dict[str, AssetIn]:
    """Return argument -> how it is loaded; the argument that isn't in ``additional_ins`` is the asset checked.

    Raises:
        DagsterInvalidDefinitionError: when more than one argument is left for the asset.
    """
    loaded = loaded_inputs(call, ins, where)
    for argument in ins:
        if AssetIn.from_coercible(ins[argument]).key_for(argument) == asset_key:
            raise DagsterInvalidDefinitionError(
                f"`additional_ins` names the checked asset `{asset_key.label}` itself", where=where
            )
    free = [argument for argument in loaded if argument not in ins]
    if len(free) > 1:
        raise DagsterInvalidDefinitionError(
            f"a check loads its own asset, and this one has {len(free)} parameters: {', '.join(free)}",
            where=where,
            hint=f'additional_ins={{"{free[-1]}": AssetIn("{free[-1]}")}}',
        )
    return {**loaded, **{argument: AssetIn(key=asset_key) for argument in free}}


def multi_asset_check(**options: Any) -> Callable[[Function], AssetChecksDefinition]:
    """Make several checks of one function; the options are those of :func:`define_multi_check`."""
    check_options("multi_asset_check", define_multi_check, options)
    return lambda function: define_multi_check(function, **options)


def define_multi_check(
    function: Function,
    *,
    specs: Sequence[AssetCheckSpec],
    name: str | None = None,
    description: str | None = None,
    can_subset: bool = False,
    compute_kind: str | None = None,  # noqa: ARG001 - Dagster's argument; a check has no kinds
    op_tags: Mapping[str, Any] | None = None,
    resource_defs: Mapping[str, Any] | None = None,
    required_resource_keys: Iterable[str] | None = None,
    retry_policy: Any = None,
    config_schema: Any = None,
    ins: Mapping[str, Any] | None = None,
    pool: str | None = None,
    origin: str = "",
) -> AssetChecksDefinition:
    """Return the checks that ``function`` yields as AssetCheckResult; the arguments are those of Dagster's.

    Raises:
        DagsterInvalidDefinitionError: when an argument loads an asset that no spec is about.
    """
    where = origin or f"multi_asset_check `{name or function.__name__}`"
    call = read_signature(function, what=where)
    loaded = loaded_inputs(call, {n: AssetIn.from_coercible(one) for n, one in (ins or {}).items()}, where)
    about = [AssetDep(spec.asset_key) for spec in specs] + [dep for spec in specs for dep in spec.additional_deps]
    read = {one.key_for(argument) for argument, one in loaded.items()}
    foreign = read - {dep.asset_key for dep in about}
    if foreign:
        raise DagsterInvalidDefinitionError(
            f"no spec is about `{min(foreign).label}`, which the function loads", where=where
        )
    waited = [dep for dep in {dep.asset_key: dep for dep in about}.values() if dep.asset_key not in read]
    op = OpDefinition(
        name=name or function.__name__,
        signature=call,
        ins={**value_ins(call, loaded), **nothing_ins(waited, loaded)},
        outs={spec.get_python_identifier(): Out(Nothing, is_required=not can_subset) for spec in specs},
        description=description or inspect.getdoc(function),
        config_type=config_type(call, config_schema, where),
        required_resource_keys=needed_resources(call, required_resource_keys, resource_defs, where),
        tags=dict(op_tags or {}),
        retry_policy=retry_policy,
        pool=pool,
    )
    return AssetChecksDefinition(
        op,
        (),
        input_keys(loaded, waited),
        check_specs_by_output_name={spec.get_python_identifier(): spec for spec in specs},
        asset_ins=loaded,
        resource_defs=resource_defs,
        can_subset=can_subset,
        origin=origin,
    )
