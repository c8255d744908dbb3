"""The decorator that makes repositories."""

from __future__ import annotations

import pytest

from ipy_orch.authoring.assets import asset
from ipy_orch.authoring.graphs import graph
from ipy_orch.authoring.ops import op
from ipy_orch.authoring.repository import repository
from ipy_orch.errors import CheckError, DagsterInvalidDefinitionError
from ipy_orch.model.asset_jobs import define_asset_job
from ipy_orch.model.executors import in_process_executor


@asset
def orders():
    """Be an asset."""


@op(required_resource_keys={"db"})
def load():
    """Be an op that needs a resource."""


@graph
def loading():
    """Hold an op that needs a resource."""
    load()


@graph
def nothing():
    """Hold no op."""


def test_a_list():
    """Assets, jobs and graphs may be in lists in it; the name and the documentation are the function's."""

    @repository(default_executor_def=in_process_executor, metadata={"team": "core"})
    def shop():
        """Hold the shop."""
        return [[orders, define_asset_job("nightly")], nothing]

    assert (shop.name, shop.description) == ("shop", "Hold the shop.")
    assert shop.job_names == ["__ASSET_JOB", "nightly", "nothing"]
    assert {job.executor_def for job in shop.get_all_jobs()} == {in_process_executor}
    assert shop.metadata["team"].value == "core"


def test_jobs_by_name():
    """A dict has jobs, graphs, and functions that make a job later."""

    @repository(name="other")
    def shop():
        return {"jobs": {"nothing": nothing, "later": lambda: nothing.to_job(name="later")}}

    assert (shop.name, shop.job_names) == ("other", ["nothing", "later"])
    assert shop.get_job("later").name == "later"


@pytest.mark.parametrize(
    ("returned", "message"),
    [
        (["job"], "is no asset, check, job, graph"),
        ([[[orders]]], "is no asset, check, job, graph"),
        ({"jobs": {"daily": 5}}, "`daily` is no job"),
        ({"job": {}}, "has jobs, schedules, sensors"),
        (5, "returns a list or a dict"),
        ([nothing, nothing.to_job()], "two jobs are named `nothing`"),
        ([loading], "`db`"),
        ([define_asset_job("nightly", "order")], "order"),
        ([orders, asset(name="orders")(lambda: 1)], "orders"),
    ],
)
def test_what_is_refused_at_once(returned, message):
    """What can't be right is told where the repository is defined."""
    with pytest.raises(DagsterInvalidDefinitionError, match=message):

        @repository
        def shop():
            return returned


def test_arguments_are_refused():
    """The function takes none."""
    with pytest.raises(CheckError):

        @repository
        def shop(argument):
            return []
