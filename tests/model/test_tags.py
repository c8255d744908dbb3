"""Tags: which are well formed, which are warned of, and where."""

from __future__ import annotations

import pytest

import ipy_orch as dg
from ipy_orch.model.tags import json_tags


@pytest.mark.parametrize("key", ["a", "team.x", "a/b", "dagster/partition/day", "x" * 63])
def test_keys_of_runs(key: str, recwarn: pytest.WarningsRecorder) -> None:
    """What is well formed is taken without a word."""
    assert json_tags({key: "1"}, "job `j`") == {key: "1"}
    assert not recwarn.list


@pytest.mark.parametrize("key", ["a&", "a/b/c", "a b", "", "x" * 64])
def test_a_key_that_dagster_is_going_to_refuse(key: str) -> None:
    """It is kept, and warned of at the line that says it."""
    with pytest.warns(DeprecationWarning, match="Non-compliant tag keys") as warned:

        @dg.job(tags={key: "yes"})
        def j() -> None:
            pass

    assert warned[0].filename == __file__
    assert j.execute_in_process().dagster_run.tags[key] == "yes"
