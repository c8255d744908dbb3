"""Conditions beside real dagster's: random definitions, updates and evaluations must request the same."""

from __future__ import annotations

import logging
import random
from datetime import UTC, datetime, timedelta
from types import ModuleType
from typing import Any

import dagster
import pytest
import time_machine

import ipy_orch
from ipy_orch.planning.conditions.cursor import AutomationCursor

STEPS = 6
START = datetime(2024, 1, 4, 0, 20, tzinfo=UTC)
PARTS = {"static": ["a", "b", "c"], "daily": ["2024-01-02", "2024-01-03"]}


def leaf(rng: random.Random, ac: Any) -> Any:
    """Return a condition without others in it, or a whole policy."""
    makers = [ac.missing, ac.newly_updated, ac.newly_requested, ac.in_latest_time_window, ac.any_deps_updated]
    makers += [ac.any_deps_missing, ac.will_be_requested, ac.initial_evaluation, ac.execution_failed, ac.newly_missing]
    makers += [ac.eager, ac.on_missing, ac.in_progress, ac.code_version_changed, ac.any_downstream_conditions]
    makers += [ac.all_deps_blocking_checks_passed, lambda: ac.cron_tick_passed("0 * * * *")]
    makers += [lambda: ac.on_cron("0 * * * *"), lambda: ac.all_deps_updated_since_cron("*/30 * * * *")]
    return rng.choice(makers)()


def condition(rng: random.Random, ac: Any, depth: int) -> Any:
    """Return a condition of some depth."""
    kind = rng.randrange(9) if depth else 8
    if kind == 8:
        return leaf(rng, ac)
    one = condition(rng, ac, depth - 1)
    if kind < 3:
        other = condition(rng, ac, depth - 1)
        return (one & other, one | other, one.since(other))[kind]
    return (~one, one.newly_true(), ac.any_deps_match(one), ac.all_deps_match(one), one.since_last_handled())[kind - 3]


def definitions(seed: int, framework: ModuleType) -> tuple[Any, dict[str, str]]:
    """Return a few assets that depend on each other, and how each is partitioned."""
    rng, made, cuts = random.Random(seed), [], {}
    for number in range(rng.randint(2, 5)):
        deps = [f"a{other}" for other in range(number) if rng.random() < 0.5]
        cut = cuts[f"a{number}"] = rng.choice(["", "", "static", "daily"])
        partitions = {
            "": None,
            "static": framework.StaticPartitionsDefinition(PARTS["static"]),
            "daily": framework.DailyPartitionsDefinition("2024-01-01"),
        }[cut]
        said = condition(rng, framework.AutomationCondition, rng.randint(0, 3)) if rng.random() < 0.8 else None

        def function() -> None: ...

        options = {"deps": deps, "partitions_def": partitions, "automation_condition": said}
        made.append(framework.asset(name=f"a{number}", **options)(function))
    return framework.Definitions(assets=made), cuts


def story(seed: int, framework: ModuleType) -> list[dict[str, set[str]]]:
    """Return what each evaluation of a story requests."""
    defs, cuts = definitions(seed, framework)
    instance, rng, now, cursor = framework.DagsterInstance.ephemeral(), random.Random(-seed), START, None
    found = []
    for _ in range(STEPS):
        for _ in range(rng.randrange(3)):
            name = rng.choice(sorted(cuts))
            partition = rng.choice(PARTS[cuts[name]]) if cuts[name] else None
            now += timedelta(seconds=rng.randint(1, 50))
            with time_machine.travel(now, tick=False):
                instance.report_runless_asset_event(framework.AssetMaterialization(name, partition=partition))
        now += timedelta(minutes=rng.randint(1, 40))
        with time_machine.travel(now, tick=False):
            result = framework.evaluate_automation_conditions(defs, instance, evaluation_time=now, cursor=cursor)
        asked = {name: result.get_requested_partitions(framework.AssetKey(name)) for name in cuts}
        found.append({name: set(map(str, partitions)) for name, partitions in asked.items()})
        cursor = result.cursor
        if framework is ipy_orch:
            cursor = AutomationCursor.from_text(cursor.to_text())
    return found


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("seed", range(1, 15))
def test_the_same_is_requested(seed: int) -> None:
    """Of each asset and partition, in each evaluation of a story; ours goes through its text in between."""
    logging.disable(logging.CRITICAL)
    try:
        assert story(seed, ipy_orch) == story(seed, dagster)
    finally:
        logging.disable(logging.NOTSET)
