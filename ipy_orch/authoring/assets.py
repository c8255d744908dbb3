"""``@asset`` and ``@multi_asset``: functions become definitions."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from typing import Any, overload

from ipy_orch.authoring.ports import outputs, value_annotation
from ipy_orch.authoring.signature import read_signature
from ipy_orch.errors import CheckError, DagsterInvalidDefinitionError, closest
from ipy_orch.model.asset_ports import AssetIn, AssetOut
from ipy_orch.model.asset_specs import distinct_specs, manager_in
from ipy_orch.model.assets import MATERIALIZATION, AssetsDefinition
from ipy_orch.model.checks import AssetCheckSpec
from ipy_orch.model.conditions.policies import modern_options
from ipy_orch.model.config.schema import config_field
from ipy_orch.model.keys import AssetKey, FrozenList
from ipy_orch.model.ops import IO_MANAGER, NO_VALUE, RESULT, In, OpDefinition, Out, Signature
from ipy_orch.model.results import AssetCheckResult, MaterializeResult, ObserveResult
from ipy_orch.model.specs import DAGSTER_TYPE, DEFAULT_GROUP, AssetDep, AssetSpec, distinct_deps, refuse_others
from ipy_orch.model.tags import COMPUTE_KIND, valid_tags
from ipy_orch.model.types.annotations import Nothing, column_schema_of

__all__ = ["asset", "multi_asset"]

Function = Callable[..., Any]


@overload
def asset(compute_fn: Function, /) -> AssetsDefinition: ...
@overload
def asset(compute_fn: None = None, /, **options: Any) -> Callable[[Function], AssetsDefinition]: ...
def asset(compute_fn: Function | None = None, /, **options: Any) -> Any:
    """Make an asset of a function: its name is the asset's, its parameters are the assets that it reads.

    Args:
        compute_fn: the function, when the decorator is used without arguments.
        **options: those of :func:`define_asset`.

    Returns:
        An AssetsDefinition, or a decorator that makes one.

    Example:
        >>> @asset
        ... def raw():
        ...     return [1, 2]
        >>> @asset(group_name="ingest")
        ... def orders(raw):
        ...     return raw[:1]
        >>> orders.asset_deps
        {AssetKey(['orders']): {AssetKey(['raw'])}}
    """
    if compute_fn is not None:
        return define_asset(compute_fn)
    said = modern_options(options)
    check_options("asset", define_asset, said)
    return lambda function: define_asset(function, **said)


def define_asset(
    function: Function,
    *,
    name: str | None = None,
    key: Any = None,
    key_prefix: str | Sequence[str] | None = None,
    ins: Mapping[str, AssetIn] | None = None,
    deps: Iterable[Any] | None = None,
    non_argument_deps: Iterable[Any] | None = None,
    metadata: Mapping[str, Any] | None = None,
    tags: Mapping[str, str] | None = None,
    description: str | None = None,
    config_schema: Any = None,
    required_resource_keys: Iterable[str] | None = None,
    resource_defs: Mapping[str, Any] | None = None,
    hooks: Iterable[Any] | None = None,
    io_manager_def: Any = None,
    io_manager_key: str | None = None,
    dagster_type: Any = NO_VALUE,
    partitions_def: Any = None,
    op_tags: Mapping[str, Any] | None = None,
    group_name: str | None = None,
    output_required: bool = True,
    automation_condition: Any = None,
    freshness_policy: Any = None,
    backfill_policy: Any = None,
    retry_policy: Any = None,
    code_version: str | None = None,
    check_specs: Sequence[AssetCheckSpec] | None = None,
    owners: Sequence[str] | None = None,
    kinds: Iterable[str] | None = None,
    compute_kind: str | None = None,
    pool: str | None = None,
    is_virtual: bool = False,
    signature: Signature | None = None,
    origin: str = "",
    execution: str = MATERIALIZATION,
) -> AssetsDefinition:
    """Return the asset that ``function`` computes; the arguments are those of Dagster's ``@asset``.

    Args:
        function: computes the value.
        signature: how it is called, where that isn't to be read from it (a cell's body).
        origin: the place that messages name.

    Raises:
        DagsterInvalidDefinitionError: when the arguments contradict each other or the function.
    """
    asset_key = key_for(function, name, key, key_prefix)
    where = origin or f"asset `{asset_key.label}`"
    call = signature or read_signature(function, what=where)
    if io_manager_def is not None and io_manager_key is not None:
        raise DagsterInvalidDefinitionError("give `io_manager_def` or `io_manager_key`, not both", where=where)
    manager = io_manager_key or (f"{asset_key.to_python_identifier()}__io_manager" if io_manager_def else IO_MANAGER)
    resources = {**(resource_defs or {}), **({manager: io_manager_def} if io_manager_def else {})}
    loaded = loaded_inputs(call, ins or {}, where)
    waited = distinct_deps([*(deps or ()), *(non_argument_deps or ())], where)
    refuse_overlap(loaded, waited, where)
    refuse_two_kinds(compute_kind, kinds, where)
    spec = AssetSpec(
        asset_key,
        deps=joined(loaded, waited),
        description=description or inspect.getdoc(function),
        metadata={**column_schema_of(value_type(call, dagster_type)), **(metadata or {})},
        skippable=not output_required,
        group_name=DEFAULT_GROUP if group_name is None else group_name,
        code_version=code_version,
        automation_condition=automation_condition,
        owners=owners,
        tags=tags,
        kinds=kinds,
        partitions_def=partitions_def,
        freshness_policy=freshness_policy,
        is_virtual=is_virtual,
    )
    valid_tags(spec.tags, where)
    checks = own_checks(check_specs or (), {asset_key}, where)
    out = Out(value_type(call, dagster_type), description, output_required, manager, metadata, code_version)
    op = OpDefinition(
        name=asset_key.to_python_identifier(),
        signature=call,
        ins={**value_ins(call, loaded), **nothing_ins(waited, loaded)},
        outs={RESULT: out, **{name: Out(Nothing) for name in checks}},
        description=spec.description,
        config_type=config_type(call, config_schema, where),
        required_resource_keys=needed_resources(call, required_resource_keys, resource_defs, where),
        tags={**compute_kind_tag(compute_kind), **(op_tags or {})},
        retry_policy=retry_policy,
        code_version=code_version,
        pool=pool,
    )
    return AssetsDefinition(
        op,
        (spec,),
        input_keys(loaded, waited),
        {RESULT: asset_key},
        checks,
        loaded,
        resources,
        backfill_policy=backfill_policy,
        hook_defs=hooks,
        origin=origin,
        execution_type=execution,
    )


def multi_asset(**options: Any) -> Callable[[Function], AssetsDefinition]:
    """Make several assets of one function; the options are those of :func:`define_multi_asset`."""
    check_options("multi_asset", define_multi_asset, options)
    return lambda function: define_multi_asset(function, **options)


def define_multi_asset(
    function: Function,
    *,
    outs: Mapping[str, AssetOut] | None = None,
    name: str | None = None,
    ins: Mapping[str, AssetIn] | None = None,
    deps: Iterable[Any] | None = None,
    non_argument_deps: Iterable[Any] | None = None,
    description: str | None = None,
    config_schema: Any = None,
    required_resource_keys: Iterable[str] | None = None,
    internal_asset_deps: Mapping[str, set[AssetKey]] | None = None,
    partitions_def: Any = None,
    hooks: Iterable[Any] | None = None,
    backfill_policy: Any = None,
    op_tags: Mapping[str, Any] | None = None,
    can_subset: bool = False,
    resource_defs: Mapping[str, Any] | None = None,
    group_name: str | None = None,
    retry_policy: Any = None,
    code_version: str | None = None,
    specs: Sequence[AssetSpec] | None = None,
    check_specs: Sequence[AssetCheckSpec] | None = None,
    compute_kind: str | None = None,
    pool: str | None = None,
    allow_arbitrary_check_specs: bool = False,
    signature: Signature | None = None,
    origin: str = "",
    execution: str = MATERIALIZATION,
) -> AssetsDefinition:
    """Return the assets that ``function`` computes; the arguments are those of Dagster's ``@multi_asset``.

    Args:
        outs: output name -> AssetOut, when values go through IO managers.
        specs: the assets, when the function stores them itself.
        internal_asset_deps: output name -> the assets it depends on, when not each depends on every input.
        can_subset: the function yields only what ``context.selected_asset_keys`` names.
        allow_arbitrary_check_specs: ``check_specs`` may be of assets that aren't made here.

    Raises:
        DagsterInvalidDefinitionError: when the arguments contradict each other or the function.
        DagsterInvariantViolationError: when the annotation of several outputs has another number of them.
    """
    where = origin or f"multi_asset `{name or function.__name__}`"
    if outs is not None and specs is not None:
        raise DagsterInvalidDefinitionError("a multi_asset has `outs` or `specs`, one of the two", where=where)
    if specs is not None and (deps or non_argument_deps or internal_asset_deps):
        raise DagsterInvalidDefinitionError("with `specs`, dependencies belong to each spec", where=where)
    refuse_others(specs or (), AssetSpec, f"{where}: `specs`", "an AssetSpec")
    call = signature or read_signature(function, what=where)
    loaded = loaded_inputs(call, ins or {}, where)
    waited = distinct_deps([*(deps or ()), *(non_argument_deps or ())], where)
    refuse_overlap(loaded, [*waited, *(dep for spec in specs or () for dep in spec.deps)], where)
    ports, made = (
        multi_outs(outs, loaded, waited, internal_asset_deps or {}, partitions_def)
        if outs is not None
        else multi_specs(specs or (), partitions_def, can_subset)
    )
    made = {
        port: spec_with_defaults(spec, group_name, code_version, compute_kind, where) for port, spec in made.items()
    }
    keys = {port: spec.key for port, spec in made.items()}
    refuse_unused(loaded, made.values(), where)
    outside = {dep.asset_key: dep for spec in made.values() for dep in spec.deps if dep.asset_key not in keys.values()}
    waited = FrozenList({**{dep.asset_key: dep for dep in waited}, **outside}.values())
    about = {spec.asset_key for spec in check_specs or ()} if allow_arbitrary_check_specs else set(keys.values())
    checks = own_checks(check_specs or (), about, where)
    ports = {**ports, **{port: Out(Nothing, is_required=not can_subset) for port in checks}}
    op = OpDefinition(
        name=name or function.__name__,
        signature=call,
        ins={**value_ins(call, loaded), **nothing_ins(waited, loaded)},
        outs=ports if outs is None else outputs(call, ports, where),
        description=description or inspect.getdoc(function),
        config_type=config_type(call, config_schema, where),
        required_resource_keys=needed_resources(call, required_resource_keys, resource_defs, where),
        tags={**compute_kind_tag(compute_kind), **(op_tags or {})},
        retry_policy=retry_policy,
        code_version=code_version,
        pool=pool,
    )
    return AssetsDefinition(
        op,
        made.values(),
        input_keys(loaded, waited),
        keys,
        checks,
        loaded,
        resource_defs,
        can_subset,
        backfill_policy=backfill_policy,
        hook_defs=hooks,
        origin=origin,
        execution_type=execution,
    )


# -- the parts --------------------------------------------------------------------------------------------------------


def check_options(what: str, function: Function, options: Mapping[str, Any]) -> None:
    """Refuse an option that the decorator doesn't have, with the closest one."""
    known = keywords_of(function)
    for option in options:
        if option not in known:
            hint = closest(option, known)
            raise TypeError(f"@{what} has no argument `{option}`" + (f"\n  hint: {hint}" if hint else ""))


@cache
def keywords_of(function: Function) -> tuple[str, ...]:
    """Return the arguments that a function takes by name only."""
    return tuple(p.name for p in inspect.signature(function).parameters.values() if p.kind is p.KEYWORD_ONLY)


def key_for(function: Function, name: str | None, key: Any, key_prefix: str | Sequence[str] | None) -> AssetKey:
    """Return the asset's key.

    Raises:
        DagsterInvalidDefinitionError: when ``key`` comes with ``name`` or ``key_prefix``.
    """
    if key is not None and (name or key_prefix):
        raise DagsterInvalidDefinitionError(
            "give `key`, or `name` and `key_prefix`", where=f"asset `{function.__name__}`"
        )
    if key is not None:
        return AssetKey.from_coercible(key)
    prefix = [key_prefix] if isinstance(key_prefix, str) else list(key_prefix or ())
    return AssetKey([*prefix, name or function.__name__])


def loaded_inputs(call: Signature, ins: Mapping[str, AssetIn], where: str) -> dict[str, AssetIn]:
    """Return argument -> how it is loaded, of all arguments and of ``ins`` that aren't arguments but Nothing.

    Raises:
        DagsterInvalidDefinitionError: when ``ins`` names what isn't a parameter.
    """
    loaded = {name: AssetIn.from_coercible(ins[name]) if name in ins else AssetIn() for name in call.inputs}
    for name, one in ins.items():
        if name not in loaded:
            said = AssetIn.from_coercible(one)
            if not call.keywords and said.dagster_type is not Nothing:
                raise DagsterInvalidDefinitionError(
                    f"`ins` names `{name}`, which isn't a parameter of the function",
                    where=where,
                    hint=closest(name, call.inputs),
                )
            loaded[name] = said
    return loaded


def refuse_overlap(loaded: Mapping[str, AssetIn], waited: Iterable[AssetDep], where: str) -> None:
    """Refuse an argument that is in ``deps`` too, when its AssetIn says more than the asset and who loads it."""
    deps = {dep.asset_key for dep in waited}
    for name, one in loaded.items():
        plain = one.dagster_type is NO_VALUE and not (one.metadata or one.key_prefix or one.partition_mapping)
        named = {one.key_for(name), AssetKey(name)} if one.key is None else {one.key}
        if not plain and named & deps:
            raise DagsterInvalidDefinitionError(
                f"`{min(named & deps).label}` is in `deps` and in `ins`, each saying how it is read",
                where=where,
                hint="leave it out of `deps`",
            )


def joined(loaded: Mapping[str, AssetIn], waited: Iterable[AssetDep]) -> list[AssetDep]:
    """Return the dependencies of arguments and of ``deps``; where one is both, ``deps`` says which partitions."""
    said = {dep.asset_key: dep for dep in waited}
    read = {
        one.key_for(name): AssetDep(one.key_for(name), partition_mapping=one.partition_mapping)
        for name, one in loaded.items()
    }
    return list({**read, **said}.values())


def refuse_unused(loaded: Mapping[str, AssetIn], specs: Iterable[AssetSpec], where: str) -> None:
    """Refuse an argument that no asset depends on."""
    read = {dep.asset_key for spec in specs for dep in spec.deps}
    for name, one in loaded.items():
        if one.key_for(name) not in read:
            raise DagsterInvalidDefinitionError(
                f"the function loads `{one.key_for(name).label}`, which no asset of it depends on",
                where=where,
                hint=f'AssetSpec(..., deps=["{one.key_for(name).label}"])',
            )


def refuse_two_kinds(compute_kind: str | None, kinds: Iterable[str] | None, where: str) -> None:
    """Refuse a kind that is said in two ways."""
    if compute_kind and kinds:
        raise DagsterInvalidDefinitionError("give `kinds` or `compute_kind`, not both", where=where)


def compute_kind_tag(compute_kind: str | None) -> dict[str, str]:
    """Return the tag of an op that keeps its kind, as Dagster had them before an asset had kinds."""
    return {COMPUTE_KIND: compute_kind} if compute_kind else {}


def needed_resources(
    call: Signature, said: Iterable[str] | None, carried: Mapping[str, Any] | None, where: str
) -> frozenset[str]:
    """Return the resources that were asked for by ``required_resource_keys``, and those that the definition carries.

    Raises:
        DagsterInvalidDefinitionError: when parameters ask for some too.
    """
    if said and call.resources:
        raise DagsterInvalidDefinitionError(
            "resources are parameters of the function or in `required_resource_keys`, not both", where=where
        )
    return frozenset([*(said or ()), *(carried or ())])


def value_ins(call: Signature, loaded: Mapping[str, AssetIn]) -> dict[str, In]:
    """Return the ports of the arguments."""
    return {
        name: In(
            one.dagster_type if one.dagster_type is not NO_VALUE else call.annotations.get(name, NO_VALUE),
            default_value=call.defaults.get(name, NO_VALUE),
            metadata=one.metadata,
            input_manager_key=one.input_manager_key,
        )
        for name, one in loaded.items()
    }


def nothing_ins(waited: Iterable[AssetDep], loaded: Mapping[str, AssetIn]) -> dict[str, In]:
    """Return the ports that only order steps."""
    return {name: In(Nothing) for name in waiting_keys(waited, loaded)}


def waiting_keys(waited: Iterable[AssetDep], loaded: Mapping[str, AssetIn]) -> dict[str, AssetKey]:
    """Return port -> asset, of the assets that are waited for and not loaded."""
    read = {one.key_for(name) for name, one in loaded.items()}
    return {dep.asset_key.to_python_identifier(): dep.asset_key for dep in waited if dep.asset_key not in read}


def input_keys(loaded: Mapping[str, AssetIn], waited: Iterable[AssetDep]) -> dict[str, AssetKey]:
    """Return port -> asset."""
    return {**waiting_keys(waited, loaded), **{name: one.key_for(name) for name, one in loaded.items()}}


def value_type(call: Signature, said: Any) -> Any:
    """Return the type of an asset's value: as said, else as annotated, alone or in ``Output[...]``."""
    if said is not NO_VALUE:
        return said
    annotation = call.annotations.get("return", NO_VALUE)
    if annotation in (MaterializeResult, ObserveResult, AssetCheckResult):
        return Nothing
    return NO_VALUE if is_stream(annotation) else value_annotation(annotation)


def is_stream(annotation: Any) -> bool:
    """Tell whether an annotation is of what yields results, and says nothing of the value's own type."""
    origin = getattr(annotation, "__origin__", annotation)
    return getattr(origin, "__name__", "") in ("Iterator", "Generator", "Iterable", "AsyncIterator")


def config_type(call: Signature, schema: Any, where: str) -> Any:
    """Return the config's type: the parameter's annotation or ``config_schema``.

    Raises:
        DagsterInvalidDefinitionError: when both are given, and for what can't be a schema.
    """
    if call.config is not None and schema is not None:
        raise DagsterInvalidDefinitionError("give a parameter `config` or `config_schema`, not both", where=where)
    return call.config_type if schema is None else config_field(schema)


def own_checks(specs: Sequence[AssetCheckSpec], keys: set[AssetKey], where: str) -> dict[str, AssetCheckSpec]:
    """Return output -> check, of the checks that the asset's own function makes.

    Raises:
        DagsterInvalidDefinitionError: when one is of another asset, or two have one name.
        CheckError: for what isn't an AssetCheckSpec.
    """
    refuse_others(specs, AssetCheckSpec, f"{where}: `check_specs`", "an AssetCheckSpec")
    found: dict[str, AssetCheckSpec] = {}
    for spec in specs:
        if spec.asset_key not in keys:
            raise DagsterInvalidDefinitionError(
                f"check `{spec.name}` is of `{spec.asset_key.label}`, which isn't made here", where=where
            )
        if found.setdefault(spec.get_python_identifier(), spec) is not spec:
            raise DagsterInvalidDefinitionError(f"check `{spec.key.label}` is there twice", where=where)
    return found


def multi_outs(
    outs: Mapping[str, AssetOut],
    loaded: Mapping[str, AssetIn],
    waited: Sequence[AssetDep],
    internal: Mapping[str, set[AssetKey]],
    partitions_def: Any,
) -> tuple[dict[str, Out], dict[str, AssetSpec]]:
    """Return output -> port and output -> spec, of a multi_asset with ``outs``.

    Raises:
        DagsterInvalidDefinitionError: when ``internal_asset_deps`` names what doesn't exist.
    """
    keys = {name: out.key or AssetKey([*out.key_prefix, name]) for name, out in outs.items()}
    every = joined(loaded, waited)
    known = {dep.asset_key: dep for dep in every}
    for name, deps in internal.items():
        if name not in outs:
            raise DagsterInvalidDefinitionError(
                f"`internal_asset_deps` names no output: `{name}`", hint=closest(name, outs)
            )
        for key in deps:
            if key not in known and key not in keys.values():
                raise DagsterInvalidDefinitionError(
                    f"`internal_asset_deps` of `{name}` names `{key.label}`, which isn't an input or output"
                )
    chosen = {
        name: [known.get(k, AssetDep(k)) for k in sorted(internal[name])] if name in internal else every
        for name in outs
    }
    specs = {name: out.to_spec(keys[name], chosen[name], partitions_def) for name, out in outs.items()}
    return {name: out.to_out() for name, out in outs.items()}, specs


def multi_specs(
    specs: Sequence[AssetSpec], partitions_def: Any, can_subset: bool
) -> tuple[dict[str, Out], dict[str, AssetSpec]]:
    """Return output -> port and output -> spec, of a multi_asset with ``specs``.

    Raises:
        DagsterInvalidDefinitionError: when two of one key differ.
    """
    refuse_other_partitions(specs, partitions_def, can_subset)
    made = {spec.key.to_python_identifier(): with_partitions(spec, partitions_def) for spec in distinct_specs(specs)}
    return {name: port_of(spec, can_subset) for name, spec in made.items()}, made


def port_of(spec: AssetSpec, can_subset: bool) -> Out:
    """Return the output of a spec: nothing is stored, unless the spec names a type or an IO manager."""
    kind = spec.metadata.get(DAGSTER_TYPE, Any if manager_in(spec) else Nothing)
    return Out(kind, spec.description, not (spec.skippable or can_subset), manager_in(spec) or None, spec.metadata)


def refuse_other_partitions(specs: Sequence[AssetSpec], partitions_def: Any, can_subset: bool) -> None:
    """Refuse specs with other partitions than their multi_asset's, or with different ones that can't run apart.

    Raises:
        CheckError: when the multi_asset and some of its specs say different things.
        DagsterInvalidDefinitionError: when different ones can't run apart.
    """
    cuts = [spec.partitions_def for spec in specs]
    if partitions_def is not None and any(cuts) and any(one != partitions_def for one in cuts):
        raise CheckError(
            "`partitions_def` is given, and some specs have other partitions, or none: say it in one place"
        )
    if len(set(cuts) - {None}) > 1 and not can_subset:
        raise DagsterInvalidDefinitionError(
            "the specs have different partitions, which can't be made by one run", hint="`can_subset=True`"
        )


def with_partitions(spec: AssetSpec, partitions_def: Any) -> AssetSpec:
    """Return the spec with the partitions of its multi_asset, where it has none."""
    if partitions_def is None or spec.partitions_def is not None:
        return spec
    return spec.replace_attributes(partitions_def=partitions_def)


def spec_with_defaults(
    spec: AssetSpec, group_name: str | None, code_version: str | None, compute_kind: str | None, where: str
) -> AssetSpec:
    """Return the spec with what was said for all assets of a multi_asset.

    Raises:
        DagsterInvalidDefinitionError: when the group is said twice.
    """
    if group_name and spec.group_name:
        raise DagsterInvalidDefinitionError(f"the group of `{spec.key.label}` is said twice", where=where)
    changes: dict[str, Any] = {}
    if group_name:
        changes["group_name"] = group_name
    if code_version and not spec.code_version:
        changes["code_version"] = code_version
    refuse_two_kinds(compute_kind, spec.kinds, where)
    return spec.replace_attributes(**changes) if changes else spec
