"""Jobs of assets as definitions: what they keep, how they're resolved, and what is refused."""

from __future__ import annotations

import pytest

from ipy_orch import (
    AssetCheckKey,
    AssetKey,
    AssetSelection,
    AssetSpec,
    Definitions,
    JobDefinition,
    RetryPolicy,
    RunConfig,
    asset,
    asset_check,
    define_asset_job,
    multi_asset,
)
from ipy_orch.errors import (
    CheckError,
    DagsterInvalidDefinitionError,
    DagsterInvalidSubsetError,
    DagsterInvariantViolationError,
)
from ipy_orch.planning.jobs import plan_job


@asset
def raw():
    """Return where it all comes from."""
    return 1


@asset
def orders(raw):
    """Read the raw."""
    return raw + 1


@asset
def report(orders):
    """Read the orders."""
    return orders + 1


@asset_check(asset=orders)
def positive(orders):
    """Tell whether there are any."""
    return orders > 0


def keys(job: JobDefinition) -> set[str]:
    """Return the assets that a job runs."""
    return {key.label for key in job.asset_layer.executable_asset_keys}


def retries(job: JobDefinition) -> dict[str, RetryPolicy | None]:
    """Return how often each step of a job is tried again."""
    return {step.name: step.call.retry_policy for step in plan_job(job).steps}


@pytest.mark.parametrize(
    ("selection", "expected"),
    [
        (None, {"raw", "orders", "report"}),
        ("orders", {"orders"}),
        ("+orders", {"raw", "orders"}),
        (["raw", "report"], {"raw", "report"}),
        ([orders], {"orders"}),
        (AssetSelection.assets("raw").downstream(), {"raw", "orders", "report"}),
        (AssetSelection.all_asset_checks(), set()),
    ],
)
def test_a_job_runs_what_it_selects(selection, expected):
    """Whatever becomes a selection can be given."""
    defs = Definitions([raw, orders, report], asset_checks=[positive], jobs=[define_asset_job("nightly", selection)])
    assert keys(defs.resolve_job_def("nightly")) == expected


def test_checks_of_selected_assets_belong_to_the_job():
    """They do unless the selection says otherwise."""
    jobs = [
        define_asset_job("with_checks", "orders"),
        define_asset_job("without", AssetSelection.assets("orders").without_checks()),
    ]
    defs = Definitions([raw, orders], asset_checks=[positive], jobs=jobs)
    assert defs.resolve_job_def("with_checks").asset_layer.executable_check_keys == {
        AssetCheckKey(AssetKey("orders"), "positive")
    }
    assert not defs.resolve_job_def("without").asset_layer.executable_check_keys


def test_what_was_said_is_kept():
    """Tags, metadata, description and the like are on the resolved job."""
    job = define_asset_job(
        "nightly",
        description="every night",
        tags={"team": "sales"},
        metadata={"rows": 3},
        op_retry_policy=RetryPolicy(max_retries=2),
        config=RunConfig(),
        owners=["team:sales"],
    )
    made = Definitions([raw], jobs=[job]).resolve_job_def("nightly")
    assert (made.description, made.tags, made.run_tags) == ("every night", {"team": "sales"}, {"team": "sales"})
    assert made.metadata["rows"].value == 3
    assert list(made.owners) == ["team:sales"]
    assert retries(made) == {"raw": RetryPolicy(max_retries=2)}
    assert repr(made) == "<JobDefinition nightly>"


def test_tags_of_runs_replace_those_of_the_job():
    """Where they're given, also when there are none."""
    job = define_asset_job("nightly", tags={"team": "sales"}, run_tags={})
    assert Definitions([raw], jobs=[job]).resolve_job_def("nightly").run_tags == {}


def test_an_ops_own_retry_policy_stays():
    """The job's is for the ops that have none."""

    @asset(retry_policy=RetryPolicy(max_retries=7))
    def stubborn():
        return 1

    job = define_asset_job("nightly", op_retry_policy=RetryPolicy(max_retries=1))
    made = Definitions([raw, stubborn], jobs=[job]).resolve_job_def("nightly")
    assert retries(made) == {"raw": RetryPolicy(max_retries=1), "stubborn": RetryPolicy(max_retries=7)}


def test_metadata_can_be_replaced():
    """``with_metadata`` gives a copy."""
    job = define_asset_job("nightly", metadata={"a": 1})
    assert job.with_metadata({}).metadata == {}
    assert job.metadata == {"a": 1}


def test_the_job_of_all_assets_is_always_there():
    """It is where something computes an asset or a check, beside those given."""
    defs = Definitions([raw, orders], jobs=[define_asset_job("nightly")])
    assert defs.has_implicit_global_asset_job_def()
    assert [job.name for job in defs.resolve_all_job_defs()] == ["__ASSET_JOB", "nightly"]
    assert keys(defs.resolve_implicit_global_asset_job_def()) == {"raw", "orders"}
    assert defs.get_job_def("nightly") is defs.resolve_job_def("nightly")
    assert not Definitions([AssetSpec("elsewhere")]).has_implicit_global_asset_job_def()


@pytest.mark.parametrize(
    ("jobs", "says"),
    [
        ([define_asset_job("nightly", "ordrs")], "orders"),
        ([define_asset_job("nightly"), define_asset_job("nightly")], "two jobs are named `nightly`"),
        ([define_asset_job("__ASSET_JOB")], "__ASSET_JOB"),
    ],
)
def test_what_contradicts_itself_is_refused(jobs, says):
    """It is when the jobs are asked for, and by ``validate_loadable``."""
    defs = Definitions([raw, orders], jobs=jobs)
    with pytest.raises(DagsterInvalidDefinitionError, match=says):
        defs.resolve_all_job_defs()
    with pytest.raises(DagsterInvalidDefinitionError):
        Definitions.validate_loadable(defs)


def test_a_part_that_cant_be_made_alone_is_refused():
    """The cause says which definition it is."""

    @multi_asset(specs=[AssetSpec("a"), AssetSpec("b")])
    def both(): ...

    defs = Definitions([both], jobs=[define_asset_job("nightly", "a")])
    with pytest.raises(DagsterInvalidDefinitionError) as caught:
        defs.resolve_job_def("nightly")
    assert isinstance(caught.value.__cause__, DagsterInvalidSubsetError)


def test_an_input_that_nothing_makes_is_refused():
    """A job can't be run without it."""
    with pytest.raises(DagsterInvalidDefinitionError, match="`raw`"):
        Definitions([orders], jobs=[define_asset_job("nightly")]).resolve_job_def("nightly")


def test_a_resource_of_another_asset_doesnt_count():
    """What one definition carries isn't the others'."""

    @asset(required_resource_keys={"db"})
    def reader():
        return 1

    @asset(resource_defs={"db": object()})
    def owner():
        return 1

    with pytest.raises(DagsterInvalidDefinitionError, match="`db`"):
        Definitions([reader, owner]).resolve_all_job_defs()


def test_an_unknown_name_is_met_with_the_closest():
    """Likewise an unknown op."""
    defs = Definitions([raw], jobs=[define_asset_job("nightly")])
    with pytest.raises(DagsterInvariantViolationError, match="nightly"):
        defs.resolve_job_def("nightli")
    with pytest.raises(DagsterInvariantViolationError, match="raw"):
        defs.resolve_job_def("nightly").node_named("row")


@pytest.mark.parametrize("wrong", [{"name": "a b"}, {"name": "a", "tags": {"a": 1}}])
def test_names_and_tags_are_checked_at_once(wrong):
    """Without the assets, as soon as the job is defined."""
    with pytest.raises(DagsterInvalidDefinitionError):
        define_asset_job(**wrong)


def test_types_are_checked_at_once():
    """Of the config, of the selection, and of what a Definitions gets."""
    with pytest.raises(CheckError):
        define_asset_job("nightly", config="limit: 3")
    with pytest.raises(DagsterInvalidSubsetError):
        define_asset_job("nightly", 3)
    with pytest.raises(CheckError):
        Definitions(jobs=["nightly"])


def test_the_ports_of_an_op_with_their_names():
    """Each says its type, and what else its In or Out says."""

    @asset(deps=[raw])
    def sized(orders: int) -> None: ...

    (waited,) = [port for port in sized.op.input_defs if port.is_nothing]
    assert waited.name == "raw"
    assert [port.dagster_type.unique_name for port in sized.op.input_defs if port.name == "orders"] == ["Int"]
    assert [port.name for port in sized.op.output_defs] == ["result"]
