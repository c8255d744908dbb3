"""Conditions and freshness policies go along into the module, and real dagster has the same."""

from __future__ import annotations

import datetime as dt

import dagster
import pytest

from tests.export.notebooks import Notebook


@pytest.mark.filterwarnings("ignore")
def test_conditions_and_policies_are_dagster_s() -> None:
    """Those on the line of a cell, those of a variable, and those of a decorator."""
    notebook = Notebook(
        "from datetime import timedelta\nfrom ipy_orch import AutomationCondition, FreshnessPolicy, asset",
        "quiet = AutomationCondition.eager() & ~AutomationCondition.any_deps_in_progress()",
        "%%asset raw --automation 'on_cron:0 6 * * *'\n1",
        "%%asset clean --automation quiet\nraw + 1",
        "%%asset report --automation eager\nclean + 1",
        "hourly = FreshnessPolicy.time_window(timedelta(hours=2))",
        "%%asset a --freshness 1d12h,12h\n1",
        "%%asset b --freshness 'cron:0 9 * * 1-5@Europe/Berlin,90m'\n1",
        "%%asset c --freshness hourly\n1",
        "@asset(freshness_policy=FreshnessPolicy.time_window(timedelta(hours=1)))\ndef page(report):\n    return 1",
    )
    names: dict[str, object] = {"__name__": "exported"}
    exec(notebook.export(), names)
    defs = names["defs"]
    assert isinstance(defs, dagster.Definitions)
    dagster.Definitions.validate_loadable(defs)
    ac = dagster.AutomationCondition
    said = {spec.key.to_user_string(): spec for spec in defs.resolve_all_asset_specs()}
    assert said["raw"].automation_condition == ac.on_cron("0 6 * * *")
    assert said["clean"].automation_condition == ac.eager() & ~ac.any_deps_in_progress()
    assert said["report"].automation_condition == ac.eager()
    assert said["page"].freshness_policy is not None
    policy, span = dagster.FreshnessPolicy, dt.timedelta
    assert said["a"].freshness_policy == policy.time_window(span(hours=36), span(hours=12))
    assert said["b"].freshness_policy == policy.cron("0 9 * * 1-5", span(minutes=90), "Europe/Berlin")
    assert said["c"].freshness_policy == policy.time_window(span(hours=2))
