"""Repositories: definitions found by name."""

from __future__ import annotations

import pytest

from ipy_orch.authoring.assets import asset
from ipy_orch.authoring.checks import asset_check
from ipy_orch.errors import CheckError, DagsterInvalidDefinitionError, DagsterInvariantViolationError
from ipy_orch.model.asset_jobs import define_asset_job
from ipy_orch.model.assets import SourceAsset
from ipy_orch.model.definitions import Definitions
from ipy_orch.model.graphs.graph import GraphDefinition
from ipy_orch.model.io import IOManager, io_manager
from ipy_orch.model.keys import AssetCheckKey, AssetKey
from ipy_orch.model.repository import RepositoryDefinition, create_repository_using_definitions_args


@asset
def orders():
    """Be an asset."""
    return 1


@asset_check(asset=orders)
def unique():
    """Be a check."""


DEFS = Definitions(
    [orders, SourceAsset("raw")],
    asset_checks=[unique],
    jobs=[define_asset_job("nightly")],
    resources={"db": 5},
    metadata={"team": "core"},
)


def test_what_a_definitions_holds():
    """Jobs, assets, checks, resources and metadata are found in its repository."""
    repository = DEFS.get_repository_def()

    assert (repository.job_names, repository.has_job("nightly")) == (["__ASSET_JOB", "nightly"], True)
    assert [job.name for job in repository.get_all_jobs()] == repository.job_names
    assert repository.get_implicit_global_asset_job_def() is repository.get_job("__ASSET_JOB")
    assert repository.get_implicit_asset_job_names() == ["__ASSET_JOB"]
    assert repository.assets_defs_by_key[orders.key] is orders
    assert list(repository.source_assets_by_key) == [AssetKey("raw")]
    assert repository.asset_checks_defs_by_key == {AssetCheckKey(orders.key, "unique"): unique}
    assert repository.get_top_level_resources() == {"db": 5}
    assert repository.metadata == DEFS.metadata
    repository.load_all_definitions()


def test_a_part_of_a_job():
    """A selection gives the job's part, none the job itself."""
    repository = DEFS.get_repository_def()

    part = repository.get_maybe_subset_job_def("nightly", asset_selection={orders.key}, asset_check_selection=[])
    assert (part.layer.executable_asset_keys, part.layer.executable_check_keys) == ({orders.key}, frozenset())
    assert repository.get_maybe_subset_job_def("nightly") is repository.get_job("nightly")
    with pytest.raises(DagsterInvariantViolationError, match="did you mean `nightly`"):
        repository.get_job("nightl")


def test_what_external_assets_lack():
    """Jobs aren't given while an asset that none of them runs can't be loaded."""

    @io_manager(required_resource_keys={"lake"})
    def manager(): ...

    repository = Definitions([SourceAsset("raw", io_manager_def=manager)]).get_repository_def()

    with pytest.raises(DagsterInvalidDefinitionError, match="`lake`"):
        repository.get_all_jobs()


def test_jobs_are_made_once_when_asked_for():
    """A function makes its job, which must be one, under its name."""
    made = []

    def job(name):
        made.append(name)
        return GraphDefinition(name).to_job()

    lazy = {"first": lambda: job("first"), "second": lambda: job("first"), "third": lambda: GraphDefinition("third")}
    repository = RepositoryDefinition("shop", Definitions(), lazy_jobs=lazy)

    assert (repository.has_job("first"), made) == (True, [])
    assert repository.get_job("first") is repository.get_job("first")
    assert made == ["first"]
    with pytest.raises(DagsterInvalidDefinitionError, match="job `second` makes the job `first`"):
        repository.get_job("second")
    with pytest.raises(CheckError):
        repository.get_job("third")


def test_values_are_loaded():
    """A loader asks for values on one instance, through the IO manager of the asset."""

    class Told(IOManager):
        def handle_output(self, context, obj): ...

        def load_input(self, context):
            return context.asset_key.to_user_string(), context.definition_metadata, context.dagster_type

    @asset
    def trips(): ...

    @asset(resource_defs={"io_manager": Told()})
    def carried(): ...

    repository = create_repository_using_definitions_args("shop", assets=[trips], resources={"io_manager": Told()})
    alone = create_repository_using_definitions_args("alone", assets=[carried])

    assert alone.load_asset_value("carried")[0] == "carried"
    assert repository.load_asset_value("trips")[:2] == ("trips", {})
    with repository.get_asset_value_loader() as loader:
        _, metadata, kind = loader.load_asset_value("trips", metadata={"unit": "m"}, python_type=int)
    assert (metadata, kind.typing_type) == ({"unit": "m"}, int)


def test_nothing_is_there_twice():
    """A repository of a Definitions is refused when two assets, checks or jobs have one name."""

    @asset(name="orders")
    def other(): ...

    def check():
        @asset_check(asset=orders, name="fine")
        def fine(): ...

        return fine

    one, jobs = check(), [GraphDefinition("nightly").to_job() for _ in range(2)]
    for twice, what in [
        (Definitions([orders, other]), "asset `orders` is defined twice"),
        (Definitions([orders], asset_checks=[check(), check()]), "check `orders:fine` is defined twice"),
        (Definitions(jobs=jobs), "two jobs are named `nightly`"),
    ]:
        with pytest.raises(DagsterInvalidDefinitionError, match=what):
            twice.get_repository_def()
    assert Definitions([orders, orders], asset_checks=[one, one]).get_repository_def()
    with pytest.raises(DagsterInvalidDefinitionError, match="defined twice"):
        create_repository_using_definitions_args("shop", assets=[orders, other])
