"""``--freshness`` on the line of a cell: what it says, and what it can't be."""

from __future__ import annotations

from datetime import timedelta

import pytest

from ipy_orch import FreshnessPolicy
from ipy_orch.authoring.cells.freshness import freshness_of
from ipy_orch.errors import DagsterInvalidDefinitionError

DAILY = FreshnessPolicy.time_window(timedelta(days=1))


@pytest.mark.parametrize(
    ("said", "policy"),
    [
        ("24h", FreshnessPolicy.time_window(timedelta(hours=24))),
        ("1d12h, 90min", FreshnessPolicy.time_window(timedelta(hours=36), timedelta(minutes=90))),
        ("cron:@daily,6h", FreshnessPolicy.cron("@daily", timedelta(hours=6))),
        ("cron:0 9,17 * * *@Asia/Tokyo,2h", FreshnessPolicy.cron("0 9,17 * * *", timedelta(hours=2), "Asia/Tokyo")),
        ("daily", DAILY),
    ],
)
def test_a_policy_is_read(said: str, policy: FreshnessPolicy) -> None:
    """A time window, with a warning or without, deadlines, a variable."""
    assert freshness_of({"freshness": said}, {"daily": DAILY}, "Cell In[1]") == policy


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("24", "doesn't say how old"),
        ("1h,2h", "`warn_window`"),
        ("30s", "doesn't say how old"),
        ("0m", "at least a minute"),
        ("cron:@daily", "doesn't say how old"),
        ("cron:0 9 * *,1h", "isn't a cron schedule"),
        ("cron:@daily@Europe/Berln,1h", "Europe/Berln"),
        ("cron:@hourly,2h", "longer than the shortest time"),
        ("daly", "did you mean `daily`"),
    ],
)
def test_what_is_no_policy_is_refused(said: str, told: str) -> None:
    """With the cell, and what to write."""
    with pytest.raises(DagsterInvalidDefinitionError, match=told) as caught:
        freshness_of({"freshness": said}, {"daily": DAILY}, "Cell In[1]")
    assert caught.value.where == "Cell In[1]"
