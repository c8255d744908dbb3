"""The policies and rules that Dagster had before conditions: each rule stands for a condition."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from functools import reduce
from operator import or_
from typing import Any, ClassVar, Final

from ipy_orch.errors import CheckError
from ipy_orch.model.conditions.condition import AutomationCondition, BuiltinAutomationCondition, as_policy
from ipy_orch.model.conditions.factories import make
from ipy_orch.model.conditions.relatives import AnyDepsCondition

__all__ = [
    "AutoMaterializeAssetPartitionsFilter",
    "AutoMaterializePolicy",
    "AutoMaterializePolicyType",
    "AutoMaterializeRule",
    "RuleCondition",
    "modern_options",
]


class AutoMaterializePolicyType(Enum):
    """Tell policies that act on missing and updated assets from those that don't."""

    EAGER = "EAGER"
    LAZY = "LAZY"


@dataclass(frozen=True)
class AutoMaterializeAssetPartitionsFilter:
    """Say which updates of parents count: those by runs with these tags."""

    latest_run_required_tags: Mapping[str, str] | None = None

    @property
    def description(self) -> str:
        """Return it for people."""
        tags = self.latest_run_required_tags or {}
        return "made by a run with " + ", ".join(f"`{tag}: {value}`" for tag, value in tags.items())

    def __hash__(self) -> int:
        return hash(tuple(sorted((self.latest_run_required_tags or {}).items())))


@dataclass(frozen=True)
class AutoMaterializeRule:
    """Be one reason to materialize an asset, or to leave it.

    Args:
        kind: the name of the function that makes it.
        said: its arguments that aren't as by default.
    """

    kind: str
    said: tuple[tuple[str, Any], ...] = ()
    skips: ClassVar[str] = "skip_"

    @property
    def is_skip(self) -> bool:
        """Tell whether it is a reason to leave the asset."""
        return self.kind.startswith(self.skips)

    @property
    def description(self) -> str:
        """Return it for people."""
        return self.kind.replace("_", " ")

    def to_asset_condition(self) -> RuleCondition:
        """Return the rule as a condition."""
        return RuleCondition(self, condition_of(self))

    def __repr__(self) -> str:
        name = "".join(word.title() for word in self.kind.split("_"))
        return f"{name}Rule({', '.join(f'{key}={value!r}' for key, value in self.said)})"

    @staticmethod
    def materialize_on_cron(
        cron_schedule: str, timezone: str = "UTC", all_partitions: bool = False
    ) -> AutoMaterializeRule:
        """Materialize after each tick of a schedule."""
        cron = (("cron_schedule", cron_schedule), ("timezone", timezone))
        return AutoMaterializeRule("materialize_on_cron", (*cron, ("all_partitions", all_partitions)))

    @staticmethod
    def materialize_on_missing() -> AutoMaterializeRule:
        """Materialize what was never made."""
        return AutoMaterializeRule("materialize_on_missing")

    @staticmethod
    def materialize_on_parent_updated(
        updated_parent_filter: AutoMaterializeAssetPartitionsFilter | None = None,
    ) -> AutoMaterializeRule:
        """Materialize when a parent was updated."""
        said = () if updated_parent_filter is None else (("updated_parent_filter", updated_parent_filter),)
        return AutoMaterializeRule("materialize_on_parent_updated", said)

    @staticmethod
    def materialize_on_required_for_freshness() -> AutoMaterializeRule:
        """Materialize what a freshness policy downstream asks for; nothing asks nowadays."""
        return AutoMaterializeRule("materialize_on_required_for_freshness")

    @staticmethod
    def skip_on_backfill_in_progress(all_partitions: bool = False) -> AutoMaterializeRule:
        """Leave what a backfill is making."""
        return AutoMaterializeRule(
            "skip_on_backfill_in_progress", (("all_partitions", True),) if all_partitions else ()
        )

    @staticmethod
    def skip_on_not_all_parents_updated(require_update_for_all_parent_partitions: bool = False) -> AutoMaterializeRule:
        """Leave what has a parent that wasn't updated since."""
        every = require_update_for_all_parent_partitions
        said = (("require_update_for_all_parent_partitions", True),) if every else ()
        return AutoMaterializeRule("skip_on_not_all_parents_updated", said)

    @staticmethod
    def skip_on_not_all_parents_updated_since_cron(cron_schedule: str, timezone: str = "UTC") -> AutoMaterializeRule:
        """Leave what has a parent that wasn't updated since the newest tick."""
        cron = (("cron_schedule", cron_schedule), ("timezone", timezone))
        return AutoMaterializeRule("skip_on_not_all_parents_updated_since_cron", cron)

    @staticmethod
    def skip_on_parent_missing() -> AutoMaterializeRule:
        """Leave what has a parent that was never made."""
        return AutoMaterializeRule("skip_on_parent_missing")

    @staticmethod
    def skip_on_parent_outdated() -> AutoMaterializeRule:
        """Leave what has a parent that is behind its own parents."""
        return AutoMaterializeRule("skip_on_parent_outdated")

    @staticmethod
    def skip_on_required_but_nonexistent_parents() -> AutoMaterializeRule:
        """Leave what reads partitions that aren't there."""
        return AutoMaterializeRule("skip_on_required_but_nonexistent_parents")

    @staticmethod
    def skip_on_run_in_progress() -> AutoMaterializeRule:
        """Leave what a run is making."""
        return AutoMaterializeRule("skip_on_run_in_progress")


def condition_of(rule: AutoMaterializeRule) -> AutomationCondition:
    """Return the condition that a rule stands for; what nothing asks for nowadays is never true."""
    said = dict(rule.said)
    cron = [said[word] for word in ("cron_schedule", "timezone") if word in said]
    made = MEANINGS.get(rule.kind)
    return made(cron, said) if made is not None else make("missing") & ~make("missing")


MEANINGS: Final[Mapping[str, Callable[[Sequence[str], Mapping[str, Any]], AutomationCondition]]] = {
    "materialize_on_cron": lambda cron, _: make("since_last_handled", make("cron_tick_passed", *cron)),
    "materialize_on_missing": lambda *_: make("missing"),
    "materialize_on_parent_updated": lambda _, said: parent_updated(said.get("updated_parent_filter")),
    "skip_on_backfill_in_progress": lambda *_: make("backfill_in_progress"),
    "skip_on_run_in_progress": lambda *_: make("run_in_progress"),
    "skip_on_not_all_parents_updated_since_cron": lambda cron, _: ~make("all_deps_updated_since_cron", *cron),
    "skip_on_not_all_parents_updated": lambda *_: (
        ~make("all_deps_match", make("newly_updated") | make("will_be_requested"))
    ),
    "skip_on_parent_missing": lambda *_: make("any_deps_missing"),
    "skip_on_parent_outdated": lambda *_: make(
        "any_deps_match", make("since_last_handled", make("any_deps_updated")) & ~make("will_be_requested")
    ),
}


def parent_updated(only: AutoMaterializeAssetPartitionsFilter | None) -> AutomationCondition:
    """Return that a parent was updated, perhaps only by runs with tags, since the asset was requested."""
    if only is None:
        return make("since_last_handled", make("any_deps_updated"))
    tagged = make("executed_with_tags", None, only.latest_run_required_tags)
    return make("since_last_handled", AnyDepsCondition((make("newly_updated") & tagged) | make("will_be_requested")))


@dataclass(frozen=True, eq=False)
class RuleCondition(BuiltinAutomationCondition):
    """Be a rule among conditions.

    Args:
        operand: the condition that it stands for.
    """

    rule: AutoMaterializeRule
    operand: AutomationCondition

    @property
    def name(self) -> str:
        """Return the rule's name."""
        return repr(self.rule)

    @property
    def description(self) -> str:
        """Return the rule for people."""
        return self.rule.description

    @property
    def has_rule_condition(self) -> bool:
        """Tell that it is one."""
        return True


EAGER_RULES = frozenset(
    {
        AutoMaterializeRule.materialize_on_missing(),
        AutoMaterializeRule.materialize_on_parent_updated(),
        AutoMaterializeRule.materialize_on_required_for_freshness(),
        AutoMaterializeRule.skip_on_parent_outdated(),
        AutoMaterializeRule.skip_on_parent_missing(),
        AutoMaterializeRule.skip_on_required_but_nonexistent_parents(),
        AutoMaterializeRule.skip_on_backfill_in_progress(),
    }
)
LAZY = EAGER_RULES - {AutoMaterializeRule.materialize_on_missing(), AutoMaterializeRule.materialize_on_parent_updated()}


@dataclass(frozen=True)
class AutoMaterializePolicy:
    """Say by rules, or by a condition, when an asset is materialized.

    Raises:
        CheckError: when both rules and a condition are given.
    """

    rules: frozenset[AutoMaterializeRule] = frozenset()
    max_materializations_per_minute: int | None = 1
    asset_condition: AutomationCondition | None = None

    def __init__(
        self,
        rules: Iterable[AutoMaterializeRule] = (),
        max_materializations_per_minute: int | None = 1,
        asset_condition: AutomationCondition | None = None,
    ) -> None:
        held = frozenset(rules)
        if held and asset_condition is not None:
            raise CheckError("a policy has rules or a condition, not both")
        object.__setattr__(self, "rules", held)
        object.__setattr__(self, "max_materializations_per_minute", max_materializations_per_minute)
        object.__setattr__(self, "asset_condition", asset_condition)

    @staticmethod
    def eager(max_materializations_per_minute: int | None = 1) -> AutoMaterializePolicy:
        """Return the policy to materialize what is missing, or has a parent that was updated."""
        return AutoMaterializePolicy(EAGER_RULES, max_materializations_per_minute)

    @staticmethod
    def lazy(max_materializations_per_minute: int | None = 1) -> AutoMaterializePolicy:
        """Return the policy to materialize what a freshness policy asks for."""
        return AutoMaterializePolicy(LAZY, max_materializations_per_minute)

    @staticmethod
    def from_automation_condition(automation_condition: AutomationCondition) -> AutoMaterializePolicy:
        """Return the policy of a condition."""
        return AutoMaterializePolicy(asset_condition=automation_condition, max_materializations_per_minute=None)

    @property
    def materialize_rules(self) -> frozenset[AutoMaterializeRule]:
        """Return the reasons to materialize."""
        return frozenset(rule for rule in self.rules if not rule.is_skip)

    @property
    def skip_rules(self) -> frozenset[AutoMaterializeRule]:
        """Return the reasons not to."""
        return self.rules - self.materialize_rules

    @property
    def policy_type(self) -> AutoMaterializePolicyType:
        """Tell whether updates of parents are a reason."""
        eager = AutoMaterializeRule.materialize_on_parent_updated() in self.rules
        return AutoMaterializePolicyType.EAGER if eager else AutoMaterializePolicyType.LAZY

    def with_rules(self, *rules_to_add: AutoMaterializeRule) -> AutoMaterializePolicy:
        """Return a copy with more rules; one takes the place of another of its kind."""
        kinds = {rule.kind for rule in rules_to_add}
        return replace(self, rules=frozenset({rule for rule in self.rules if rule.kind not in kinds} | {*rules_to_add}))

    def without_rules(self, *rules_to_remove: AutoMaterializeRule) -> AutoMaterializePolicy:
        """Return a copy without some rules.

        Raises:
            CheckError: when it doesn't have one of them.
        """
        unknown = sorted(repr(rule) for rule in set(rules_to_remove) - self.rules)
        if unknown:
            raise CheckError(f"Rules [{', '.join(unknown)}] do not exist in this policy")
        return replace(self, rules=self.rules - set(rules_to_remove))

    def to_automation_condition(self) -> AutomationCondition:
        """Return the policy as a condition: a reason to materialize, and none not to."""
        if self.asset_condition is not None:
            return self.asset_condition
        reasons = sorted(self.materialize_rules, key=repr)
        if not reasons:
            return AutoMaterializeRule.materialize_on_required_for_freshness().to_asset_condition()
        wanted = any_of(reasons)
        left = sorted(self.skip_rules, key=repr)
        return wanted & ~any_of(left) if left else wanted


def any_of(rules: Iterable[AutoMaterializeRule]) -> AutomationCondition:
    """Return that one of some rules applies."""
    conditions: list[AutomationCondition] = [rule.to_asset_condition() for rule in rules]
    return reduce(or_, conditions)


@as_policy.supply
def policy_of(condition: AutomationCondition) -> AutoMaterializePolicy:
    """Return a condition as a policy."""
    return AutoMaterializePolicy.from_automation_condition(condition)


def modern_options(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options of an asset with a condition in the place of a policy as Dagster had them before.

    Raises:
        CheckError: when both are given.

    >>> sorted(modern_options({"auto_materialize_policy": AutoMaterializePolicy.eager(), "name": "orders"}))
    ['automation_condition', 'name']
    """
    said = dict(options)
    policy, freshness = said.pop("auto_materialize_policy", None), said.pop("legacy_freshness_policy", None)
    if policy is not None:
        if said.get("automation_condition") is not None:
            raise CheckError("give `automation_condition` or `auto_materialize_policy`, not both")
        said["automation_condition"] = policy.to_automation_condition()
    if freshness is not None and said.get("freshness_policy") is None:
        said["freshness_policy"] = freshness
    return said
