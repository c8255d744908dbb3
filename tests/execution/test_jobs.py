"""Running jobs of assets: the same run as ``materialize``'s, with what the job adds."""

from __future__ import annotations

import pytest

from ipy_orch import (
    AssetKey,
    Config,
    DagsterInstance,
    Definitions,
    RetryPolicy,
    asset,
    asset_check,
    define_asset_job,
    materialize,
    multi_asset,
)
from ipy_orch.errors import DagsterInvalidConfigError, DagsterInvalidSubsetError
from ipy_orch.model.specs import AssetSpec


class Limits(Config):
    """Say how many."""

    limit: int
    least: int = 0


@asset
def raw():
    """Return where it all comes from."""
    return [1, 2, 3]


@asset
def some(raw, config: Limits):
    """Read the raw ones."""
    return [one for one in raw if one >= config.least][: config.limit]


@asset_check(asset=some)
def enough(some):
    """Tell whether there are two."""
    return len(some) > 1


CONFIG = {"ops": {"some": {"config": {"limit": 2}}}}
CONFIGURED = define_asset_job("configured", [raw, some], config=CONFIG)


def test_a_job_runs_its_assets_and_checks():
    """Values stay in memory, and the result is that of ``materialize``."""
    job = Definitions([raw, some], asset_checks=[enough], jobs=[CONFIGURED]).resolve_job_def("configured")
    result = job.execute_in_process()
    assert result.success
    assert result.output_for_node("some") == [1, 2]
    assert result.asset_value("raw") == [1, 2, 3]
    assert [one.passed for one in result.get_asset_check_evaluations()] == [True]
    assert result.job_def is job


def test_given_config_takes_the_place_of_the_jobs():
    """Section by section; and it is checked before anything runs."""
    job = Definitions([raw, some], jobs=[CONFIGURED]).resolve_job_def("configured")
    given = {"ops": {"some": {"config": {"limit": 1, "least": 2}}}}
    assert job.execute_in_process(run_config=given).output_for_node("some") == [2]
    with pytest.raises(DagsterInvalidConfigError):
        job.execute_in_process(run_config={"ops": {"some": {"config": {"limit": "many"}}}})


def test_the_run_has_the_jobs_name_and_tags():
    """Tags that are given come on top."""
    job = define_asset_job("nightly", tags={"team": "sales", "level": "1"})
    with DagsterInstance.ephemeral() as instance:
        made = Definitions([raw], jobs=[job]).resolve_job_def("nightly")
        result = made.execute_in_process(instance=instance, run_id="first", tags={"level": "2"})
        run = instance.get_run_by_id("first")
    assert result.run_id == "first"
    assert run is not None
    assert (run.job_name, run.tags) == ("nightly", {"team": "sales", "level": "2"})


def test_some_assets_of_a_job():
    """The others aren't run; what the job doesn't have is refused."""
    job = Definitions([raw, some], jobs=[CONFIGURED, define_asset_job("raw_only", "raw")]).resolve_job_def("configured")
    result = job.execute_in_process(asset_selection=[AssetKey("raw")])
    assert [event.asset_key for event in result.all_events if event.is_step_materialization] == [AssetKey("raw")]
    with pytest.raises(DagsterInvalidSubsetError, match="raw"):
        job.execute_in_process(asset_selection=[AssetKey("row")])
    assert job.get_subset(asset_selection=["raw"]).run_tags == job.run_tags


def test_a_part_that_cant_be_made_alone_isnt_run():
    """It is refused before anything runs."""

    @multi_asset(specs=[AssetSpec("a"), AssetSpec("b")])
    def both(): ...

    job = Definitions([both]).resolve_implicit_global_asset_job_def()
    with pytest.raises(DagsterInvalidSubsetError):
        job.execute_in_process(asset_selection=["a"])


def test_resources_of_the_run_take_the_place_of_the_jobs():
    """Those of the Definitions are there otherwise."""

    @asset(required_resource_keys={"place"})
    def where(context):
        return context.resources.place

    job = Definitions([where], resources={"place": "here"}).resolve_implicit_global_asset_job_def()
    assert job.execute_in_process().output_for_node("where") == "here"
    assert job.execute_in_process(resources={"place": "there"}).output_for_node("where") == "there"


def test_retries_of_the_job():
    """An op without a policy of its own is tried again."""
    tries = []

    @asset
    def shaky():
        tries.append(1)
        if len(tries) == 1:
            raise OSError
        return 1

    job = define_asset_job("nightly", op_retry_policy=RetryPolicy(max_retries=1))
    assert Definitions([shaky], jobs=[job]).resolve_job_def("nightly").execute_in_process().success
    assert len(tries) == 2


def test_an_error_is_in_the_result_where_it_isnt_raised():
    """As with ``materialize``."""

    @asset
    def broken():
        raise OSError

    job = Definitions([broken]).resolve_implicit_global_asset_job_def()
    assert not job.execute_in_process(raise_on_error=False).success
    with pytest.raises(OSError):
        job.execute_in_process()


def test_a_value_is_loaded_from_the_instance_of_its_run():
    """``materialize`` stores in the instance's folder where no IO manager is given."""
    with DagsterInstance.ephemeral() as instance:
        materialize([raw], instance=instance)
        assert Definitions([raw]).load_asset_value("raw", instance=instance) == [1, 2, 3]
