"""What a step hands back: values, materializations, observations, check results.

All are frozen and equal by value. Metadata is normalised when it is given, except in :class:`MaterializeResult` and
:class:`ObserveResult`, which keep what the asset wrote so that a test of the function can compare it.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Annotated, Any, ClassVar, Generic, Self, TypeVar

from ipy_orch.errors import CheckError, DagsterInvariantViolationError, closest
from ipy_orch.model.keys import AssetCheckKey, AssetKey, CoercibleToAssetKey, valid_name
from ipy_orch.model.metadata.plain import checked_raw, normalize_metadata
from ipy_orch.model.metadata.value import MetadataValue
from ipy_orch.model.ops import NO_VALUE, RESULT
from ipy_orch.model.tables import Brief, filled, listed, typed
from ipy_orch.model.tags import valid_tags
from ipy_orch.model.wire import Wired, wired

__all__ = [
    "CODE_VERSION_TAG",
    "DATA_VERSION_TAG",
    "INPUT_VERSION_TAG",
    "SAID_VERSION_TAG",
    "AssetCheckEvaluation",
    "AssetCheckResult",
    "AssetCheckSeverity",
    "AssetMaterialization",
    "AssetObservation",
    "DataProvenance",
    "DataVersion",
    "DynamicOutput",
    "ExpectationResult",
    "MaterializeResult",
    "ObserveResult",
    "Output",
    "TargetMaterialization",
]

T_co = TypeVar("T_co", covariant=True)

DATA_VERSION_TAG = "dagster/data_version"
CODE_VERSION_TAG = "dagster/code_version"
INPUT_VERSION_TAG = "dagster/input_data_version/"  #: before the key of the input
SAID_VERSION_TAG = "dagster/data_version_is_user_provided"
WRITTEN = (DATA_VERSION_TAG, CODE_VERSION_TAG, INPUT_VERSION_TAG, "dagster/partition/")  #: how such tags begin


class WithMetadata(Brief):
    """Be something that carries normalised metadata."""

    metadata: Mapping[str, MetadataValue]

    def with_metadata(self, metadata: Mapping[str, Any] | None) -> Self:
        """Return a copy with this metadata instead."""
        return replace(self, metadata=filled(metadata, dict))  # type: ignore[type-var]  # all below are dataclasses


def settle(instance: Any, **values: Any) -> None:
    """Put checked values into a frozen dataclass, in its ``__post_init__``."""
    for name, value in values.items():
        object.__setattr__(instance, name, value)


def optional(value: Any, wanted: type, what: str) -> Any:
    """Return ``value`` when it is None or an instance of ``wanted``."""
    return typed(value, (wanted, type(None)), what)


def metadata_of(metadata: Any) -> dict[str, MetadataValue]:
    """Return metadata normalised, none for None."""
    return normalize_metadata(filled(metadata, dict))


def tags_of(tags: Any) -> dict[str, str] | None:
    """Return well-formed tags, None for None; those that a run writes hold versions and keys of any form."""
    if tags is None:
        return None
    given = typed(tags, Mapping, "tags")
    valid_tags({key: one for key, one in given.items() if not (isinstance(one, str) and str(key).startswith(WRITTEN))})
    return dict(given)


def key_of_event(asset_key: CoercibleToAssetKey) -> AssetKey:
    """Return the key that an event names; a string is split where it isn't letters, digits or underscores.

    >>> key_of_event("sales/orders")
    AssetKey(['sales', 'orders'])
    """
    if isinstance(asset_key, str):
        return AssetKey([part for part in re.split(r"[^A-Za-z0-9_]", asset_key) if part])
    return asset_key if isinstance(asset_key, AssetKey) else AssetKey(asset_key)


def key_or_none(asset_key: CoercibleToAssetKey | None) -> AssetKey | None:
    """Return the key that a result names, None for None."""
    return asset_key if asset_key is None or isinstance(asset_key, AssetKey) else AssetKey(asset_key)


# -- values


@dataclass(frozen=True)
class DataVersion:
    """Name the content of a value: equal names promise equal content."""

    value: str

    def __post_init__(self) -> None:
        typed(self.value, str, "value")


@dataclass(frozen=True, kw_only=True)
class DataProvenance:
    """Tell what a value was made from."""

    code_version: str
    input_data_versions: Mapping[AssetKey, DataVersion]
    input_storage_ids: Mapping[AssetKey, int | None] = field(default_factory=dict)
    is_user_provided: bool = False


@dataclass(frozen=True, repr=False)
class Output(WithMetadata, Generic[T_co]):
    """Hand a value on, with metadata, tags or a data version.

    Args:
        value: what the step made.
        output_name: which of its outputs it is.
        metadata: what is said about the value.
        data_version: a name for its content; steps downstream are skipped when it is as before.
        tags: labels of the materialization.

    Raises:
        CheckError: when an argument has the wrong type.
        DagsterInvalidDefinitionError: when a tag isn't well formed.
        DagsterInvalidMetadata: when a value can't be metadata.
    """

    carries_value: ClassVar[bool] = True

    value: T_co
    output_name: str = RESULT
    metadata: Mapping[str, MetadataValue] = field(default_factory=dict)
    data_version: DataVersion | None = None
    tags: Mapping[str, str] | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        typed(self.output_name, str, "output_name")
        optional(self.data_version, DataVersion, "data_version")
        settle(self, metadata=metadata_of(self.metadata), tags=tags_of(self.tags))


@dataclass(frozen=True, repr=False)
class DynamicOutput(WithMetadata, Generic[T_co]):
    """Hand on one of several values whose number is known only when the step runs.

    Args:
        value: what the step made.
        mapping_key: tells this value from the others; letters, digits and underscores.
        output_name: which of the step's outputs it is.
        metadata: what is said about the value.
    """

    carries_value: ClassVar[bool] = True

    value: T_co
    mapping_key: str
    output_name: str = RESULT
    metadata: Mapping[str, MetadataValue] = field(default_factory=dict)

    def __post_init__(self) -> None:
        valid_name(typed(self.mapping_key, str, "mapping_key"), "mapping key")
        typed(self.output_name, str, "output_name")
        settle(self, metadata=metadata_of(self.metadata))


# -- events that a step reports


@dataclass(frozen=True, repr=False, init=False)
class AssetEvent(WithMetadata):
    """Be a report about an asset.

    Args:
        asset_key: which one.
        description: a sentence for readers.
        metadata: what is said about the value.
        partition: the part of the asset concerned.
        tags: labels.
    """

    asset_key: AssetKey
    description: str | None = None
    metadata: Mapping[str, MetadataValue] = field(default_factory=dict)
    partition: str | None = None
    tags: Mapping[str, str] | None = None

    def __init__(
        self,
        asset_key: CoercibleToAssetKey,
        description: str | None = None,
        metadata: Mapping[str, Any] | None = None,
        partition: str | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> None:
        settle(
            self,
            asset_key=key_of_event(asset_key),
            description=optional(description, str, "description"),
            metadata=metadata_of(metadata),
            partition=optional(partition, str, "partition"),
            tags=tags_of(tags),
        )

    _fields: ClassVar = ("asset_key", "description", "metadata", "partition", "tags")  #: as a named tuple says it

    @classmethod
    def of_parts(
        cls,
        asset_key: AssetKey,
        description: str | None,
        metadata: Mapping[str, MetadataValue],
        partition: str | None,
        tags: Mapping[str, str] | None,
    ) -> Self:
        """Return a report of parts that are well-formed; they aren't looked at again, as the engine makes thousands."""
        made, put = object.__new__(cls), object.__setattr__
        put(made, "asset_key", asset_key)  # one by one: a dict of its own would be one more object to keep for each
        put(made, "description", description)
        put(made, "metadata", metadata)
        put(made, "partition", partition)
        put(made, "tags", tags)
        return made

    @property
    def label(self) -> str:
        """Return the path of the asset."""
        return " ".join(self.asset_key.path)


@dataclass(frozen=True, repr=False, init=False)
class AssetMaterialization(AssetEvent):
    """Report that an asset was made."""

    @staticmethod
    def file(
        path: str, description: str | None = None, asset_key: CoercibleToAssetKey | None = None
    ) -> AssetMaterialization:
        """Return the report of a file, by default named by its path."""
        key = path if asset_key is None else asset_key
        return AssetMaterialization(key, description, {"path": MetadataValue.path(path)})


@dataclass(frozen=True, repr=False, init=False)
class AssetObservation(AssetEvent):
    """Report what is known of an asset that wasn't made here; a tag may name the version of its data."""

    @property
    def data_version(self) -> str | None:
        """Return the version of the observed data."""
        return (self.tags or {}).get(DATA_VERSION_TAG)


@dataclass(frozen=True, repr=False)
class ExpectationResult(WithMetadata):
    """Report whether something that a step expects holds."""

    success: bool
    label: str = "result"
    description: str | None = None
    metadata: Mapping[str, MetadataValue] = field(default_factory=dict)

    def __post_init__(self) -> None:
        typed(self.success, bool, "success")
        optional(self.description, str, "description")
        label = typed(filled(self.label, lambda: "result"), str, "label")
        settle(self, label=label, metadata=metadata_of(self.metadata))


# -- checks


class AssetCheckSeverity(Enum):
    """Say how bad it is that a check fails."""

    WARN = "WARN"
    ERROR = "ERROR"


@dataclass(frozen=True, kw_only=True, repr=False)
class AssetCheckResult(WithMetadata):
    """Hand back the outcome of a check.

    Args:
        passed: whether what it promises holds; a numpy bool is refused, as Dagster does.
        asset_key: the asset, where the step checks several.
        check_name: the check, where the step makes several.
        metadata: what was found.
        severity: how bad a failure is.
        description: a sentence for readers.
    """

    passed: bool
    asset_key: AssetKey | None = None
    check_name: str | None = None
    metadata: Mapping[str, MetadataValue] = field(default_factory=dict)
    severity: AssetCheckSeverity = AssetCheckSeverity.ERROR
    description: str | None = None

    def __init__(
        self,
        *,
        passed: bool,
        asset_key: CoercibleToAssetKey | None = None,
        check_name: str | None = None,
        metadata: Mapping[str, Any] | None = None,
        severity: AssetCheckSeverity = AssetCheckSeverity.ERROR,
        description: str | None = None,
    ) -> None:
        settle(
            self,
            passed=typed(passed, bool, "passed"),
            asset_key=key_or_none(asset_key),
            check_name=optional(check_name, str, "check_name"),
            metadata=metadata_of(metadata),
            severity=typed(severity, AssetCheckSeverity, "severity"),
            description=optional(description, str, "description"),
        )

    def resolve_target_check_key(
        self, check_names_by_asset_key: Mapping[AssetKey, Collection[str]] | None
    ) -> AssetCheckKey:
        """Return the check that this is the result of; what it leaves out must be the only one of the step.

        Raises:
            DagsterInvariantViolationError: when the step has no such check, or several.
        """
        checks = {key.label: key for key in check_names_by_asset_key or ()}
        if not checks:
            raise DagsterInvariantViolationError(
                "a check result, but the step has no checks", hint="name it in `check_specs=[AssetCheckSpec(...)]`"
            )
        said = None if self.asset_key is None else self.asset_key.label
        asset = only(said, checks, "asset_key", "assets with checks")
        key = checks[asset]
        names = (check_names_by_asset_key or {})[key]
        return AssetCheckKey(key, only(self.check_name, names, "check_name", f"checks of `{asset}`"))


def only(said: str | None, known: Collection[str], argument: str, what: str) -> str:
    """Return the name that a check result says, or the only one there is.

    Raises:
        DagsterInvariantViolationError: when there is no such name, or none is said and there are several.
    """
    if said is None and len(known) > 1:
        listing = ", ".join(f"`{name}`" for name in sorted(known))
        raise DagsterInvariantViolationError(
            f"a check result without `{argument}`, but there are several {what}: {listing}",
            hint=f"`AssetCheckResult({argument}=...)`",
        )
    if said is not None and said not in known:
        listing = ", ".join(f"`{name}`" for name in sorted(known))
        raise DagsterInvariantViolationError(
            f"a check result for `{said}`, which isn't among the {what}: {listing}", hint=closest(said, known)
        )
    return next(iter(known)) if said is None else said


@wired("target")
@dataclass(frozen=True, slots=True)
class TargetMaterialization:
    """Say which materialization a check looked at.

    Args:
        storage_id: its number in the instance's log, 0 where there is no instance.
        timestamp: when it was made, in seconds since the epoch.
    """

    storage_id: int
    run_id: str
    timestamp: float


@dataclass(frozen=True, repr=False)
class AssetCheckEvaluation(WithMetadata):
    """Report the outcome of a check as the log keeps it.

    Args:
        asset_key: the asset.
        check_name: the check.
        passed: whether what it promises holds.
        metadata: what was found.
        target_materialization_data: the materialization that was checked.
        severity: how bad a failure is.
        description: a sentence for readers.
        blocking: whether a failure stops what is downstream.
        partition: the part of the asset that was checked.
    """

    asset_key: AssetKey
    check_name: str
    passed: bool
    metadata: Mapping[str, MetadataValue] = field(default_factory=dict)
    target_materialization_data: Annotated[Any, Wired] = None
    severity: AssetCheckSeverity = AssetCheckSeverity.ERROR
    description: str | None = None
    blocking: bool | None = None
    partition: str | None = None

    def __post_init__(self) -> None:
        typed(self.asset_key, AssetKey, "asset_key")
        typed(self.check_name, str, "check_name")
        typed(self.passed, bool, "passed")
        typed(self.severity, AssetCheckSeverity, "severity")
        optional(self.description, str, "description")
        optional(self.blocking, bool, "blocking")
        optional(self.partition, str, "partition")
        settle(self, metadata=metadata_of(self.metadata))

    @property
    def asset_check_key(self) -> AssetCheckKey:
        """Return the key of the check."""
        return AssetCheckKey(self.asset_key, self.check_name)


# -- results of assets


@dataclass(frozen=True, repr=False)
class AssetResult(Brief):
    """Be what an asset hands back about itself.

    Args:
        asset_key: which asset, where the step makes several.
        metadata: what is said about it, as it was given.
        check_results: outcomes of checks that ran in the same step.
        data_version: a name for the content.
        tags: labels.
    """

    asset_key: AssetKey | None = None
    metadata: Mapping[str, Any] | None = None
    check_results: Sequence[AssetCheckResult] = field(default_factory=list)
    data_version: DataVersion | None = None
    tags: Mapping[str, str] | None = None

    def _settle(self) -> None:
        settle(
            self,
            asset_key=key_or_none(self.asset_key),
            metadata=checked_raw(self.metadata),
            check_results=listed(filled(self.check_results, list), AssetCheckResult, "check_results"),
            data_version=optional(self.data_version, DataVersion, "data_version"),
            tags=tags_of(self.tags),
        )

    def check_result_named(self, check_name: str) -> AssetCheckResult:
        """Return the result of a check.

        Raises:
            CheckError: when there is none of this name.
        """
        for result in self.check_results:
            if result.check_name == check_name:
                return result
        raise CheckError(f"no result of a check `{check_name}`")


@dataclass(frozen=True, repr=False, init=False)
class MaterializeResult(AssetResult, Generic[T_co]):
    """Hand back that an asset was made, and its value when the IO manager is to store one.

    >>> MaterializeResult(metadata={"rows": 3})
    MaterializeResult(metadata={'rows': 3})
    """

    carries_value: ClassVar[bool] = True

    value: T_co = NO_VALUE  # type: ignore[assignment]

    def __init__(
        self,
        asset_key: CoercibleToAssetKey | None = None,
        metadata: Mapping[str, Any] | None = None,
        check_results: Sequence[AssetCheckResult] | None = None,
        data_version: DataVersion | None = None,
        tags: Mapping[str, str] | None = None,
        value: T_co = NO_VALUE,  # type: ignore[assignment]
    ) -> None:
        given = {"asset_key": asset_key, "metadata": metadata, "check_results": check_results}
        settle(self, **given, data_version=data_version, tags=tags, value=value)
        self._settle()

    @property
    def has_value(self) -> bool:
        """Tell whether there is a value to store; None is one."""
        return not isinstance(self.value, type(NO_VALUE))  # a copy of it may come from another process


@dataclass(frozen=True, repr=False, init=False)
class ObserveResult(AssetResult):
    """Hand back what was observed of an asset."""

    def __init__(
        self,
        asset_key: CoercibleToAssetKey | None = None,
        metadata: Mapping[str, Any] | None = None,
        check_results: Sequence[AssetCheckResult] | None = None,
        data_version: DataVersion | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> None:
        given = {"asset_key": asset_key, "metadata": metadata, "check_results": check_results}
        settle(self, **given, data_version=data_version, tags=tags)
        self._settle()
