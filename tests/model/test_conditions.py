"""Automation conditions as values: combined, named, told apart, written as text."""

from __future__ import annotations

from datetime import timedelta

import pytest

from ipy_orch import (
    AssetSelection,
    AutoMaterializePolicy,
    AutoMaterializeRule,
    AutomationCondition,
    deserialize_value,
    serialize_value,
)
from ipy_orch.errors import CheckError
from ipy_orch.model.conditions.operators import AndAutomationCondition

AC = AutomationCondition
NAMED = (
    AC.eager(),
    AC.on_missing(),
    AC.on_cron("@daily", "Europe/Berlin"),
    AC.in_latest_time_window(timedelta(hours=2)),
    AC.any_deps_match(AC.missing()) & ~AC.check_passed(),
    AC.executed_with_tags(tag_keys={"a"}, tag_values={"b": "c"}),
    AC.freshness_failed() | AC.code_version_changed().newly_true(),
)


@pytest.mark.parametrize("condition", NAMED, ids=lambda one: one.title)
def test_a_condition_survives_its_text(condition: AutomationCondition) -> None:
    """What is read back is equal, has the same id and the same hash."""
    again = deserialize_value(serialize_value(condition), AutomationCondition)
    assert again == condition
    assert again.get_unique_id() == condition.get_unique_id()
    assert hash(again) == hash(condition)


def test_unlabelled_ones_of_a_kind_are_taken_apart() -> None:
    """What has a label stays whole."""
    left, right = AC.missing() & AC.in_progress(), AC.newly_updated() & AC.newly_requested()
    assert len((left & right).children) == 4
    assert len((left & right.with_label("two")).children) == 3


def test_labels_are_part_of_a_condition() -> None:
    """Two that differ only in their label differ; their ids don't, so that nothing that is remembered is lost."""
    one, other = AC.missing().with_label("a"), AC.missing().with_label("b")
    assert one != other
    assert one.get_unique_id() == other.get_unique_id()


def test_replace_by_name_and_by_value() -> None:
    """Every occurrence is replaced, however deep."""
    eager = AC.eager().replace("newly_updated", AC.data_version_changed())
    assert eager != AC.eager()
    assert eager.get_label() == "eager"
    assert AC.any_deps_match(AC.missing()).replace(AC.missing(), AC.in_progress()) == AC.any_deps_match(
        AC.in_progress()
    )


def test_without_leaves_an_operand_out() -> None:
    """At least two must be left, and it must be one of them."""
    three = AC.missing() & AC.in_progress() & AC.newly_updated()
    assert three.without(AC.in_progress()) == AC.missing() & AC.newly_updated()
    with pytest.raises(CheckError, match="fewer than 2"):
        three.without(AC.missing()).without(AC.newly_updated())
    with pytest.raises(CheckError, match="isn't an operand"):
        three.without(AC.eager())
    with pytest.raises(CheckError, match="isn't a conjunction"):
        AC.missing().without(AC.missing())


def test_a_selection_reaches_what_asks_for_dependencies() -> None:
    """And adds to what was selected before."""
    one, other = AssetSelection.assets("a"), AssetSelection.assets("b")
    condition = (AC.any_deps_match(AC.missing()) | ~AC.all_deps_match(AC.missing())).allow(one)
    assert condition == AC.any_deps_match(AC.missing()).allow(one) | ~AC.all_deps_match(AC.missing()).allow(one)
    assert condition.allow(other).children[0].name.startswith("ANY_DEPS_MATCH(allow_selection=")
    with pytest.raises(CheckError, match="AssetSelection"):
        AC.any_deps_missing().ignore("a")


def test_what_is_no_condition_is_refused() -> None:
    """By the operators, and by those that take a condition."""
    with pytest.raises(CheckError, match="isn't one"):
        AC.missing() & "eager"
    with pytest.raises(CheckError, match="isn't an automation condition"):
        AC.any_deps_match("eager")
    with pytest.raises(CheckError, match="five fields"):
        AC.on_cron("every day")


def test_a_condition_of_ones_own_combines() -> None:
    """It needs ``evaluate`` and nothing else."""

    class Odd(AutomationCondition):
        def evaluate(self, context):
            raise NotImplementedError

    both = Odd() & AC.missing()
    assert isinstance(both, AndAutomationCondition)
    assert both.keeps_state
    assert not both.is_serializable
    assert Odd().with_label("odd").title == "odd"


def test_ids_don_t_change_from_process_to_process() -> None:
    """Nor with this package: what was remembered under one is found again."""
    condition = AC.any_deps_match(AC.missing())
    same = condition.ignore(AssetSelection.assets("a"))
    ids = {"parent_unique_id": None, "index": None, "target_key": None}
    assert condition.get_node_unique_id(**ids) == same.get_node_unique_id(**ids) == "80f87fb32baaf7ce3f65f68c12d3eb11"


def test_rules_of_former_policies() -> None:
    """They are added, replaced and taken away, and each stands for a condition."""
    policy = AutoMaterializePolicy.eager().without_rules(AutoMaterializeRule.materialize_on_missing())
    wider = policy.with_rules(AutoMaterializeRule.skip_on_backfill_in_progress(all_partitions=True))
    assert AutoMaterializeRule.skip_on_backfill_in_progress() not in wider.rules
    assert policy.to_automation_condition().has_rule_condition
    with pytest.raises(CheckError, match="do not exist"):
        policy.without_rules(AutoMaterializeRule.materialize_on_missing())
