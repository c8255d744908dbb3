"""Measure what it costs to evaluate the automation conditions of many assets, beside dagster.

    python tests/benchmarks/conditions.py [ipy_orch] [dagster]

Each peer runs in a process of its own. The graph is 1,000 assets with two dependencies each, all with the condition
``eager``; 10,000 partitions are those of one asset. Figures are processor time, the best of a few evaluations: other
work on the machine counts less that way. "Nothing to do" has seen nothing new since the last evaluation, "one root
updated" requests all that is downstream, and "all updated" has a new value of each asset.
"""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from datetime import UTC, datetime
from importlib import import_module
from typing import Any

SIZE, PASSES = 1_000, {"ipy_orch": 5, "dagster": 1}
PEERS = tuple(PASSES)


def assets_of(framework: Any) -> Any:
    """Return the definitions: a tree in which each asset also reads the tenth before it."""
    made = []
    for number in range(SIZE):

        def function() -> None: ...

        deps = [f"a{other}" for other in {(number - 1) // 2, number - 10} if 0 <= other < number]
        condition = framework.AutomationCondition.eager()
        made.append(framework.asset(name=f"a{number}", deps=deps, automation_condition=condition)(function))
    return framework.Definitions(assets=made)


def timed(look: Callable[[], Any], passes: int) -> float:
    """Return the least processor time of some passes, in seconds."""
    found = []
    for _ in range(passes):
        began = time.process_time()
        look()
        found.append(time.process_time() - began)
    return min(found)


def measure(name: str) -> dict[str, float]:
    """Return seconds by row, of one peer in this process."""
    framework, passes = import_module(name), PASSES[name]
    instance = framework.DagsterInstance.ephemeral()
    defs, cursor = assets_of(framework), None

    def look() -> Any:
        nonlocal cursor
        result = framework.evaluate_automation_conditions(defs, instance, cursor=cursor)
        cursor = result.cursor
        return result

    found = {"first": timed(look, 1), "nothing to do": timed(look, passes)}
    instance.report_runless_asset_event(framework.AssetMaterialization("a0"))
    found["one root updated"] = timed(look, 1)
    look()
    for number in range(SIZE):
        instance.report_runless_asset_event(framework.AssetMaterialization(f"a{number}"))
    found["all updated"] = timed(look, 1)
    found["10,000 partitions, eager"] = partitioned(framework, passes)
    return found


def partitioned(framework: Any, passes: int) -> float:
    """Return what evaluating an asset of 10,000 partitions costs that reads another one of as many."""
    hourly = framework.HourlyPartitionsDefinition("2023-01-01-00:00", end_date="2024-02-21-16:00")

    @framework.asset(partitions_def=hourly)
    def up() -> None: ...

    @framework.asset(partitions_def=hourly, deps=[up], automation_condition=framework.AutomationCondition.eager())
    def down() -> None: ...

    instance, cursor = framework.DagsterInstance.ephemeral(), None
    defs, now = framework.Definitions(assets=[up, down]), datetime(2024, 3, 1, tzinfo=UTC)

    def look() -> None:
        nonlocal cursor
        result = framework.evaluate_automation_conditions(defs, instance, evaluation_time=now, cursor=cursor)
        cursor = result.cursor

    look()
    instance.report_runless_asset_event(framework.AssetMaterialization("up", partition="2024-02-21-15:00"))
    return timed(look, passes)


def main(peers: list[str]) -> None:
    """Measure the peers and print a table."""
    found = {}
    for peer in peers:
        done = subprocess.run([sys.executable, __file__, "--one", peer], check=True, capture_output=True, text=True)
        found[peer] = json.loads(done.stdout.splitlines()[-1])
    rows = list(found[peers[0]])
    print(f"| {'':26} | " + " | ".join(f"{peer:>10}" for peer in peers) + " |")
    print(f"|{'-' * 28}|" + "|".join(f"{'-' * 11}:" for _ in peers) + "|")
    for row in rows:
        print(f"| {row:26} | " + " | ".join(f"{found[peer][row] * 1e3:7,.1f} ms" for peer in peers) + " |")


if __name__ == "__main__":
    os.environ["DAGSTER_DISABLE_TELEMETRY"] = "yes"
    if sys.argv[1:2] == ["--one"]:
        warnings.simplefilter("ignore")
        logging.disable(logging.CRITICAL)
        print(json.dumps(measure(sys.argv[2])))
    else:
        main(sys.argv[1:] or list(PEERS))
