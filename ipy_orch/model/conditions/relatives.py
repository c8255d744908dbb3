"""Conditions that ask for what is around a target: its dependencies, its checks, what is downstream, a job's roots."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

from ipy_orch.errors import CheckError
from ipy_orch.model.conditions.condition import AutomationCondition, BuiltinAutomationCondition, digest
from ipy_orch.model.keys import AssetCheckKey, AssetKey

__all__ = [
    "AllChecksCondition",
    "AllDepsCondition",
    "AllJobRootAssetsMatchCondition",
    "AnyChecksCondition",
    "AnyDepsCondition",
    "AnyDownstreamConditionsCondition",
    "AnyJobRootAssetsMatchCondition",
    "ChecksAutomationCondition",
    "DepsAutomationCondition",
    "DownstreamConditionWrapperCondition",
    "EntityMatchesCondition",
    "JobRootAssetsAutomationCondition",
    "contains_job_root_assets_condition",
]


@dataclass(frozen=True, eq=False)
class EntityMatchesCondition(BuiltinAutomationCondition):
    """Be true of the partitions that belong to those of another asset or check of which a condition is true."""

    key: AssetKey | AssetCheckKey
    operand: AutomationCondition

    @property
    def name(self) -> str:
        """Return the other one's key."""
        return self.key.to_user_string()


@dataclass(frozen=True, eq=False)
class Around(BuiltinAutomationCondition):
    """Ask for several around the target; ``allow_selection`` and ``ignore_selection`` say which."""

    operand: AutomationCondition
    allow_selection: Any = field(default=None, kw_only=True)
    ignore_selection: Any = field(default=None, kw_only=True)
    word: ClassVar[str]

    @property
    def base_name(self) -> str:
        """Return the name without what is selected."""
        return self.word

    @property
    def said(self) -> list[str]:
        """Return what is said more closely, for the name."""
        selections = {"allow_selection": self.allow_selection, "ignore_selection": self.ignore_selection}
        return [f"{name}={one}" for name, one in selections.items() if one is not None]

    @property
    def name(self) -> str:
        """Return the name with what is said more closely."""
        return f"{self.word}({','.join(self.said)})" if self.said else self.word

    def get_node_unique_id(self, *, parent_unique_id: str | None, index: int | None, target_key: Any) -> str:  # noqa: ARG002
        """Return an id that stays when another selection is made."""
        return digest(parent_unique_id, index, self.word)

    def allow(self, selection: Any) -> AutomationCondition:
        """Return a copy that looks only at what is selected here, or was before."""
        refuse_other(selection)
        return replace(
            self, allow_selection=selection if self.allow_selection is None else selection | self.allow_selection
        )

    def ignore(self, selection: Any) -> AutomationCondition:
        """Return a copy that doesn't look at what is selected here, or was before."""
        refuse_other(selection)
        return replace(
            self, ignore_selection=selection if self.ignore_selection is None else selection | self.ignore_selection
        )


@dataclass(frozen=True, eq=False)
class DepsAutomationCondition(Around):
    """Ask for the dependencies.

    Args:
        resolves_virtual_deps: look through virtual ones at what they depend on.
    """

    resolves_virtual_deps: bool = field(default=False, kw_only=True)

    @property
    def said(self) -> list[str]:
        """Return what is said more closely, for the name."""
        return [*super().said, *(["resolves_virtual_deps=True"] if self.resolves_virtual_deps else [])]

    def resolve_through_virtual(self, value: bool = True) -> AutomationCondition:
        """Return a copy that looks through virtual dependencies at what they depend on."""
        return replace(self, resolves_virtual_deps=value)


@dataclass(frozen=True, eq=False)
class AnyDepsCondition(DepsAutomationCondition):
    """Be true when the operand is true of a dependency."""

    word = "ANY_DEPS_MATCH"
    operator: ClassVar[str] = "or"

    @property
    def description(self) -> str:
        """Return for people when it is true."""
        return "this, of a dependency"


@dataclass(frozen=True, eq=False)
class AllDepsCondition(DepsAutomationCondition):
    """Be true when the operand is true of each dependency."""

    word = "ALL_DEPS_MATCH"
    operator: ClassVar[str] = "and"


@dataclass(frozen=True, eq=False)
class ChecksAutomationCondition(Around):
    """Ask for the checks of an asset, or for those that block."""

    blocking_only: bool = field(default=False, kw_only=True)

    @property
    def said(self) -> list[str]:
        """Return what is said more closely, for the name."""
        return [*(["blocking_only=True"] if self.blocking_only else []), *super().said]


@dataclass(frozen=True, eq=False)
class AnyChecksCondition(ChecksAutomationCondition):
    """Be true when the operand is true of a check."""

    word = "ANY_CHECKS_MATCH"
    operator: ClassVar[str] = "or"


@dataclass(frozen=True, eq=False)
class AllChecksCondition(ChecksAutomationCondition):
    """Be true when the operand is true of each check."""

    word = "ALL_CHECKS_MATCH"
    operator: ClassVar[str] = "and"


@dataclass(frozen=True, eq=False)
class AnyDownstreamConditionsCondition(BuiltinAutomationCondition):
    """Be true when the condition of something downstream, evaluated here, is."""

    operator: ClassVar[str] = "or"

    @property
    def name(self) -> str:
        """Return ``ANY_DOWNSTREAM_CONDITIONS``."""
        return "ANY_DOWNSTREAM_CONDITIONS"

    @property
    def description(self) -> str:
        """Return for people when it is true."""
        return "the condition of something downstream, evaluated here"

    @property
    def keeps_state(self) -> bool:  # a property, as the conditions downstream are unknown
        """Tell that what is downstream may have to be evaluated each time."""
        return True


@dataclass(frozen=True, eq=False)
class DownstreamConditionWrapperCondition(BuiltinAutomationCondition):
    """Be the condition of some assets downstream."""

    downstream_keys: tuple[AssetKey, ...]
    operand: AutomationCondition

    @property
    def name(self) -> str:
        """Return their keys."""
        return ", ".join(key.to_user_string() for key in self.downstream_keys)


@dataclass(frozen=True, eq=False)
class JobRootAssetsAutomationCondition(BuiltinAutomationCondition):
    """Ask for the assets of a job that depend on no other of it."""

    operand: AutomationCondition
    word: ClassVar[str]

    @property
    def name(self) -> str:
        """Return the name."""
        return self.word


@dataclass(frozen=True, eq=False)
class AnyJobRootAssetsMatchCondition(JobRootAssetsAutomationCondition):
    """Be true when the operand is true of one of them."""

    word = "ANY_JOB_ROOT_ASSETS_MATCH"
    operator: ClassVar[str] = "or"


@dataclass(frozen=True, eq=False)
class AllJobRootAssetsMatchCondition(JobRootAssetsAutomationCondition):
    """Be true when the operand is true of each of them."""

    word = "ALL_JOB_ROOT_ASSETS_MATCH"
    operator: ClassVar[str] = "and"


def contains_job_root_assets_condition(condition: AutomationCondition) -> bool:
    """Tell whether a condition asks, somewhere, for the assets of a job."""
    return isinstance(condition, JobRootAssetsAutomationCondition) or any(
        map(contains_job_root_assets_condition, condition.children)
    )


def refuse_other(selection: Any) -> None:
    """Refuse what isn't a selection of assets.

    Raises:
        CheckError: otherwise.
    """
    if not hasattr(selection, "resolve_checks"):
        raise CheckError(f"`selection` is an AssetSelection, not {selection!r}")
