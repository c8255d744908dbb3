"""Assets, checks, partitions and ops as they are written in attributes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, TypeAlias

from ipy_orch.authoring.components.context import ResolutionContext
from ipy_orch.authoring.components.resolvable import Resolvable
from ipy_orch.authoring.components.resolver import Injected, Model, Resolver
from ipy_orch.authoring.components.shapes import SUGGESTIONS
from ipy_orch.model.checks import AssetCheckSpec
from ipy_orch.model.keys import AssetKey
from ipy_orch.model.partitions.definition import PartitionsDefinition, StaticPartitionsDefinition
from ipy_orch.model.partitions.time import TimeWindowPartitionsDefinition
from ipy_orch.model.partitions.usual import (
    DailyPartitionsDefinition,
    HourlyPartitionsDefinition,
    WeeklyPartitionsDefinition,
)
from ipy_orch.model.policies import BackfillPolicy
from ipy_orch.model.specs import AssetDep, AssetSpec

__all__ = [
    "AssetAttributesModel",
    "AssetSpecKwargs",
    "AssetSpecUpdateKwargs",
    "OpSpec",
    "ResolvedAssetAttributes",
    "ResolvedAssetCheckSpec",
    "ResolvedAssetKey",
    "ResolvedAssetSpec",
    "ResolvedPartitionsDefinition",
    "SharedAssetKwargs",
    "resolve_asset_spec",
]


def asset_key(context: ResolutionContext, written: str) -> AssetKey:
    """Return a key of ``a/b``."""
    return AssetKey.from_user_string(context.resolve_value(written, as_type=str))


def say(text: str) -> Resolver:
    """Return the usual resolver, with a description for the schema."""
    return Resolver.default(description=text)


ResolvedAssetKey: TypeAlias = Annotated[
    AssetKey,
    Resolver(asset_key, model_field_type=str, description="The key of an asset, `a/b` for a prefix."),
]
SUGGESTIONS[AssetKey] = "ResolvedAssetKey"


# -- partitions -------------------------------------------------------------------------------------------------------


class HourlyPartitionsDefinitionModel(Resolvable, Model):
    """Hours from a start."""

    type: Literal["hourly"] = "hourly"
    start_date: str
    end_date: str | None = None
    timezone: str | None = None
    minute_offset: int = 0


class DailyPartitionsDefinitionModel(Resolvable, Model):
    """Days from a start."""

    type: Literal["daily"] = "daily"
    start_date: str
    end_date: str | None = None
    timezone: str | None = None
    minute_offset: int = 0
    hour_offset: int = 0


class WeeklyPartitionsDefinitionModel(Resolvable, Model):
    """Weeks from a start."""

    type: Literal["weekly"] = "weekly"
    start_date: str
    end_date: str | None = None
    timezone: str | None = None
    minute_offset: int = 0
    hour_offset: int = 0
    day_offset: int = 0


class TimeWindowPartitionsDefinitionModel(Resolvable, Model):
    """Windows between the ticks of a cron schedule."""

    type: Literal["time_window"] = "time_window"
    start_date: str
    end_date: str | None = None
    timezone: str | None = None
    fmt: str
    cron_schedule: str


class StaticPartitionsDefinitionModel(Resolvable, Model):
    """Partitions with names of their own."""

    type: Literal["static"] = "static"
    partition_keys: Sequence[str]


PartitionsModel = (
    HourlyPartitionsDefinitionModel
    | DailyPartitionsDefinitionModel
    | WeeklyPartitionsDefinitionModel
    | TimeWindowPartitionsDefinitionModel
    | StaticPartitionsDefinitionModel
)
WINDOWS: dict[str, Any] = {
    "hourly": HourlyPartitionsDefinition,
    "daily": DailyPartitionsDefinition,
    "weekly": WeeklyPartitionsDefinition,
}


def partitions(context: ResolutionContext, written: Any) -> PartitionsDefinition | None:
    """Return the partitions definition of a model of one."""
    if written is None:
        return None
    said = {name: value for name, value in context.resolve_value(written.model_dump()).items() if value is not None}
    match said.pop("type"):
        case "static":
            return StaticPartitionsDefinition(**said)
        case "time_window":
            names = {"start_date": "start", "end_date": "end"}
            return TimeWindowPartitionsDefinition(**{names.get(name, name): value for name, value in said.items()})
        case kind:
            made: PartitionsDefinition = WINDOWS[kind](**said)
            return made


ResolvedPartitionsDefinition: TypeAlias = Annotated[
    PartitionsDefinition | None,
    Resolver(
        partitions,
        model_field_type=PartitionsModel | str | None,
        description="Its partitions: `type` hourly, daily, weekly, time_window or static.",
        examples=[{"type": "daily", "start_date": "2024-01-01"}, {"type": "static", "partition_keys": ["a", "b"]}],
    ),
]


# -- assets -----------------------------------------------------------------------------------------------------------


def texts(context: ResolutionContext, written: Mapping[str, Any]) -> Mapping[str, str]:
    """Return tags, their values as text: YAML takes `1` for a number."""
    return {str(key): str(value) for key, value in context.resolve_value(written).items()}


def dependencies(context: ResolutionContext, written: Sequence[str]) -> list[AssetDep]:
    """Return dependencies of keys."""
    found = [context.at_path(number).resolve_value(one) for number, one in enumerate(written)]
    return [AssetDep(AssetKey.from_user_string(one) if isinstance(one, str) else one) for one in found]


@dataclass
class SharedAssetKwargs(Resolvable):
    """Be what may be written of any asset, beside its key."""

    deps: Annotated[
        Sequence[AssetDep],
        Resolver(
            dependencies,
            model_field_type=Sequence[str] | str | None,
            description="Keys of assets that it depends on.",
            examples=[["raw_orders", "shop/customers"]],
        ),
    ] = field(default_factory=list)
    description: Annotated[str | None, say("What it is, in a sentence; Markdown.")] = None
    metadata: Annotated[Mapping[str, Any], say("Facts about it, by name.")] = field(default_factory=dict)
    group_name: Annotated[str | None, say("The group that it's shown in.")] = None
    skippable: Annotated[bool, say("Whether its step may finish without making it.")] = False
    code_version: Annotated[str | None, say("Opts out of the computed code version.")] = None
    owners: Annotated[Sequence[str], say("E-mail addresses, or `team:name`.")] = field(default_factory=list)
    tags: Annotated[
        Mapping[str, str],
        Resolver(
            texts,
            model_field_type=Mapping[str, str | int | float | bool] | str,
            description="Labels: letters, digits, `_`, `-` and `.`.",
            examples=[{"tier": "prod"}],
        ),
    ] = field(default_factory=dict)
    kinds: Annotated[Sequence[str], say("Technologies, e.g. `duckdb`; ten at most.")] = field(default_factory=list)
    automation_condition: Annotated[
        Any,
        Resolver.default(
            model_field_type=str | None,
            description="When it is materialized by itself.",
            examples=["{{ automation_condition.eager() }}"],
        ),
    ] = None
    partitions_def: ResolvedPartitionsDefinition = None
    freshness_policy: Annotated[
        Any,
        Resolver.default(model_field_type=str | None, description="How old it may get; a template that gives one."),
    ] = None


@dataclass(kw_only=True)
class AssetSpecKwargs(SharedAssetKwargs):
    """Be what is written of an asset."""

    key: ResolvedAssetKey


@dataclass
class AssetSpecUpdateKwargs(SharedAssetKwargs):
    """Be what is written of assets that exist, or that a tool names: it changes them."""

    key: Annotated[
        AssetKey | None,
        Resolver(asset_key, model_field_type=str | None, description="The new key, mostly a template."),
    ] = None
    key_prefix: Annotated[
        Any,
        Resolver.default(model_field_type=str | Sequence[str] | None, description="Put before the key."),
    ] = None


@dataclass
class AssetsDefUpdateKwargs(SharedAssetKwargs):
    """Be what post-processing may change of assets."""


AssetAttributesModel: Any = AssetSpecUpdateKwargs.model()


def resolve_asset_spec(context: ResolutionContext, model: Any) -> AssetSpec:
    """Return the spec of an asset that was written."""
    return AssetSpec(**vars(AssetSpecKwargs.resolve_from_model(context, model)))


def written_attributes(context: ResolutionContext, model: Any) -> dict[str, Any]:
    """Return only those attributes that were written, resolved."""
    made = vars(AssetSpecUpdateKwargs.resolve_from_model(context, model))
    return {name: made[name] for name in model.model_fields_set}


ResolvedAssetSpec: TypeAlias = Annotated[
    AssetSpec, Resolver(resolve_asset_spec, model_field_type=AssetSpecKwargs.model(), description="An asset.")
]
ResolvedAssetAttributes: TypeAlias = Annotated[
    dict[str, Any],
    Resolver(written_attributes, model_field_type=AssetAttributesModel, description="What to say of the assets."),
]
SUGGESTIONS[AssetSpec] = "ResolvedAssetSpec"


# -- checks and ops ---------------------------------------------------------------------------------------------------


@dataclass
class AssetCheckSpecKwargs(Resolvable):
    """Be what is written of a check."""

    name: Annotated[str, say("Letters, digits and underscores.")]
    asset: ResolvedAssetKey
    additional_deps: list[ResolvedAssetKey] = field(default_factory=list)
    description: Annotated[str | None, say("What it checks.")] = None
    blocking: Annotated[bool, say("Whether its failure stops what is downstream.")] = False
    metadata: Annotated[Mapping[str, Any], say("Facts about it, by name.")] = field(default_factory=dict)
    automation_condition: Injected[Any] = None


def resolve_check_spec(context: ResolutionContext, model: Any) -> AssetCheckSpec:
    """Return the spec of a check that was written."""
    return AssetCheckSpec(**vars(AssetCheckSpecKwargs.resolve_from_model(context, model)))


ResolvedAssetCheckSpec: TypeAlias = Annotated[
    AssetCheckSpec,
    Resolver(resolve_check_spec, model_field_type=AssetCheckSpecKwargs.model(), description="A check."),
]
SUGGESTIONS[AssetCheckSpec] = "ResolvedAssetCheckSpec"


class SingleRunBackfillPolicyModel(Model):
    """One run for all partitions."""

    type: Literal["single_run"] = "single_run"


class MultiRunBackfillPolicyModel(Model):
    """Runs of at most so many partitions."""

    type: Literal["multi_run"] = "multi_run"
    max_partitions_per_run: int = 1


def backfill_policy(context: ResolutionContext, written: Any) -> BackfillPolicy | None:
    """Return the backfill policy of a model of one."""
    if written is None or isinstance(written, SingleRunBackfillPolicyModel):
        return None if written is None else BackfillPolicy.single_run()
    return BackfillPolicy.multi_run(context.resolve_value(written.max_partitions_per_run))


class OpSpec(Model, Resolvable):
    """Be what is written of the op that makes a component's assets."""

    name: str | None = None
    tags: dict[str, Any] | None = None
    description: str | None = None
    pool: str | None = None
    backfill_policy: Annotated[
        BackfillPolicy | None,
        Resolver(
            backfill_policy,
            model_field_type=SingleRunBackfillPolicyModel | MultiRunBackfillPolicyModel | None,
            description="How many partitions one run of a backfill takes.",
        ),
    ] = None
