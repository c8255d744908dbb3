"""The definitions of a code location as they stand at home: each asks the location to make what it makes."""

from __future__ import annotations

import ast
import builtins
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from ipy_orch.errors import DagsterUserCodeExecutionError
from ipy_orch.model.asset_ports import AssetIn
from ipy_orch.model.assets import AssetChecksDefinition, AssetsDefinition, external
from ipy_orch.model.checks import AssetCheckSpec
from ipy_orch.model.config.schema import Permissive, config_field
from ipy_orch.model.keys import AssetKey
from ipy_orch.model.metadata.value import MetadataValue
from ipy_orch.model.ops import NO_VALUE, In, OpDefinition, Out
from ipy_orch.model.results import AssetCheckResult, AssetCheckSeverity, DataVersion, Output
from ipy_orch.model.serdes import deserialize_value
from ipy_orch.model.specs import AssetDep, AssetSpec
from ipy_orch.model.types.annotations import Nothing
from ipy_orch.session.executors import LOCATION
from ipy_orch.session.locations.wire import Answered, CheckTold, DefinitionTold, Printed, Raised, SpecTold
from ipy_orch.session.recipes import ELSEWHERE

__all__ = ["Ask", "definition_of", "error_of", "external_of", "repeat"]

#: makes what is asked for: context, values of inputs by asset, the definition -> what came of it, values by asset
Ask = Callable[[Any, Mapping[str, Any], DefinitionTold], tuple[Answered, dict[str, Any]]]

LEVELS: Final = frozenset({"debug", "info", "warning", "error", "critical"})


# -- definitions -------------------------------------------------------------------------------------------------------


def definition_of(told: DefinitionTold, location: str, ask: Ask) -> AssetsDefinition:
    """Return the definition that asks a location to make what one of its own makes."""
    keys = {name: AssetKey.from_user_string(one.key) for name, one in told.assets.items()}
    checks = {name: check_of(one) for name, one in told.checks.items()}
    op = OpDefinition(
        computing(told, ask),
        op_name(told, location),
        {one.name: In(Nothing if one.is_nothing else NO_VALUE) for one in told.inputs},
        {
            **{name: out_of(one, optional=told.can_subset) for name, one in told.assets.items()},
            **{name: Out(Nothing, is_required=not told.can_subset) for name in checks},
        },
        tags={LOCATION: location},
        config_type=config_field(Permissive()) if told.takes_config else None,
    )
    vars(op.compute_fn)[ELSEWHERE] = told.parts
    inputs = {one.name: AssetKey.from_user_string(one.key) for one in told.inputs}
    kind = AssetsDefinition if keys else AssetChecksDefinition
    return kind(
        op,
        [spec_of(one, location) for one in told.assets.values()],
        inputs,
        keys,
        checks,
        {one.name: AssetIn(inputs[one.name], partition_mapping=unpacked(one.mapping)) for one in told.inputs},
        can_subset=told.can_subset,
        origin=f"code location `{location}`",
    )


def op_name(told: DefinitionTold, location: str) -> str:
    """Return the name of the step: that of the asset, where there is one only, else with the location's."""
    alone = len(told.assets) == 1 and not told.checks.keys() - told.assets.keys()
    keys = {AssetKey.from_user_string(one.key).to_python_identifier() for one in told.assets.values()}
    return told.name if alone and keys == {told.name} else f"{location}__{told.name}"


def out_of(told: SpecTold, *, optional: bool) -> Out:
    """Return the output that an asset is."""
    return Out(Nothing if told.is_nothing else Any, is_required=not (optional or told.skippable))


def spec_of(told: SpecTold, location: str) -> AssetSpec:
    """Return the spec of an asset, in the group of its location."""
    return AssetSpec(
        AssetKey.from_user_string(told.key),
        deps=[AssetDep(AssetKey.from_user_string(key), partition_mapping=unpacked(cut)) for key, cut in told.deps],
        description=told.description,
        metadata=told.metadata,
        skippable=told.skippable,
        group_name=f"{location}/{told.group}" if told.group else location,
        owners=told.owners,
        tags=told.tags,
        partitions_def=unpacked(told.partitions),
        automation_condition=unpacked(told.condition),
    )


def check_of(told: CheckTold) -> AssetCheckSpec:
    """Return the spec of a check."""
    return AssetCheckSpec(
        told.name,
        asset=AssetKey.from_user_string(told.asset),
        description=told.description,
        additional_deps=[AssetKey.from_user_string(key) for key in told.deps],
        blocking=told.blocking,
        metadata=told.metadata,
        partitions_def=unpacked(told.partitions),
    )


def external_of(told: SpecTold, location: str) -> AssetsDefinition:
    """Return an asset that a location only knows of."""
    return external(spec_of(told, location))


def unpacked(text: str | None) -> Any:
    """Return partitions, a mapping of them, or an automation condition."""
    return None if text is None else deserialize_value(text)


# -- computing ---------------------------------------------------------------------------------------------------------


def computing(told: DefinitionTold, ask: Ask) -> Callable[[Any, Mapping[str, Any]], Iterator[Any]]:
    """Return what a step of this definition does."""
    output_of = {one.key: name for name, one in told.assets.items()}
    assets = {one.name: one.key for one in told.inputs if not one.is_nothing}

    def compute(context: Any, inputs: Mapping[str, Any]) -> Iterator[Any]:
        answer, values = ask(context, {assets[name]: value for name, value in inputs.items()}, told)
        for made in answer.made:
            version = DataVersion(made.data_version) if made.data_version is not None else None
            yield Output(values.get(made.key), output_of[made.key], plain(made.metadata), version)
        for one in answer.verdicts:
            yield AssetCheckResult(
                passed=one.passed,
                asset_key=AssetKey.from_user_string(one.asset),
                check_name=one.name,
                severity=AssetCheckSeverity[one.severity],
                description=one.description,
                metadata=plain(one.metadata),
            )

    return compute


def plain(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """Return metadata that a step can hand on; what home's own run says again is left out."""
    return {name: value for name, value in metadata.items() if isinstance(value, MetadataValue | str | int | float)}


def repeat(told: Printed, context: Any) -> None:
    """Print or log here what a step printed or logged there."""
    if told.stream == "log" and told.level.lower() in LEVELS:
        context.log.log(told.level.upper(), told.text)
    else:
        (sys.stderr if told.stream == "stderr" else sys.stdout).write(told.text)


# -- errors ------------------------------------------------------------------------------------------------------------


class RaisedElsewhere(Exception):
    """Be the base of exceptions whose class is only in their code location; each has that one's name."""


def error_of(told: Raised, location: str) -> BaseException:
    """Return the exception that stands for one of a location, with the user's frames as a note."""
    kind = getattr(builtins, told.kind, None) if told.module == "builtins" else None
    message = "\n".join(filter(None, [told.message, indented("where", told.where), indented("hint", told.hint)]))
    error: BaseException
    if isinstance(kind, type) and issubclass(kind, Exception):
        try:
            error = kind(key_in(message) if issubclass(kind, KeyError) else message)
        except TypeError:  # a class with arguments of its own, as UnicodeDecodeError
            error = DagsterUserCodeExecutionError(f"{told.kind}: {message}")
    else:
        error = type(told.kind, (RaisedElsewhere,), {"__module__": told.module})(message)
    error.add_note(f"in code location `{location}`" + (f":\n{told.traceback.rstrip()}" if told.traceback else ""))
    return error


def key_in(message: str) -> Any:
    """Return the key that the message of a KeyError shows; the message itself where it shows none.

    >>> key_in("'file'"), key_in("no such file")
    ('file', 'no such file')
    """
    try:
        return ast.literal_eval(message)
    except (SyntaxError, ValueError):
        return message


def indented(name: str, text: str) -> str:
    """Return a line of an error's message."""
    return f"  {name}: {text}" if text else ""
