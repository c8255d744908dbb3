"""``materialize``: Dagster's function of this name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ipy_orch.authoring.assets import asset, multi_asset
from ipy_orch.authoring.sources import observable_source_asset
from ipy_orch.errors import (
    CheckError,
    DagsterInvalidConfigError,
    DagsterInvalidDefinitionError,
    DagsterInvalidInvocationError,
    DagsterInvariantViolationError,
)
from ipy_orch.execution.iomanagers import FilesystemIOManager, InMemoryIOManager
from ipy_orch.execution.materialize import materialize, materialize_to_memory
from ipy_orch.execution.providing import with_resources
from ipy_orch.model.asset_ports import AssetIn
from ipy_orch.model.config.classes import Config, RunConfig
from ipy_orch.model.definitions import Definitions
from ipy_orch.model.env import EnvVar
from ipy_orch.model.io import IOManager, io_manager
from ipy_orch.model.keys import AssetKey
from ipy_orch.model.ops import Out
from ipy_orch.model.resources.resource import ConfigurableResource, resource
from ipy_orch.model.results import AssetMaterialization, DataVersion, MaterializeResult, Output
from ipy_orch.model.specs import AssetSpec


class Ingest(Config):
    limit: int = 10


class Database(ConfigurableResource):  # type: ignore[type-arg]
    path: str


class Store(ConfigurableResource):  # type: ignore[type-arg]
    database: Database


@asset
def raw(config: Ingest) -> int:
    """Give the limit."""
    return config.limit


@asset
def double(raw: int) -> int:
    """Double it."""
    return 2 * raw


@asset(required_resource_keys={"db"})
def uses_db(context: Any) -> Any:
    """Give the resource."""
    return context.resources.db


class Recorder(IOManager):
    """Write down what is asked."""

    def __init__(self) -> None:
        self.stored: list[Any] = []
        self.loaded: list[Any] = []
        self.values: dict[Any, Any] = {}

    def handle_output(self, context: Any, obj: Any) -> None:
        """Keep the value and the context."""
        self.stored.append(context)
        self.values[context.asset_key] = obj
        context.add_output_metadata({"kept": True})

    def load_input(self, context: Any) -> Any:
        """Give the value."""
        self.loaded.append(context)
        return self.values[context.asset_key]


def test_config_goes_to_its_op() -> None:
    """Run config is checked before anything runs."""
    config = RunConfig(ops={"raw": Ingest(limit=4)})
    assert materialize([raw, double], run_config=config).output_for_node("double") == 8
    with pytest.raises(DagsterInvalidConfigError):
        materialize([raw], run_config={"ops": {"raw": {"config": {"limit": "many"}}}})


def test_selection_loads_what_was_made_before(tmp_path: Path) -> None:
    """An asset that isn't selected is loaded."""
    store = FilesystemIOManager(base_dir=str(tmp_path))
    materialize([raw, double], resources={"io_manager": store})
    result = materialize([raw, double], resources={"io_manager": store}, selection=["double"])
    assert result.output_for_node("double") == 20
    assert [event.step_key for event in result.get_step_success_events()] == ["double"]


def test_errors_are_raised_unless_told_otherwise() -> None:
    """What the user's function raised comes out as it is."""

    @asset
    def bad() -> None:
        raise KeyError("column")

    with pytest.raises(KeyError, match="column"):
        materialize_to_memory([bad])
    assert not materialize_to_memory([bad], raise_on_error=False).success


def test_only_assets_and_checks() -> None:
    """A plain function is refused."""
    with pytest.raises(CheckError):
        materialize([lambda: 1])


def test_external_assets_are_loaded_not_run() -> None:
    """A spec stands for an asset that is made elsewhere."""
    store = Recorder()
    store.values[AssetKey("raw")] = 21
    result = materialize([AssetSpec("raw"), double], resources={"io_manager": store})
    assert result.output_for_node("double") == 42


# -- IO managers


def test_contexts_of_an_io_manager() -> None:
    """It learns asset, step, type, metadata and run; what it adds is in the materialization."""
    store = Recorder()

    @asset(metadata={"owner": "me"})
    def made(context: Any) -> int:
        context.add_output_metadata({"rows": 1})
        return 1

    @asset(ins={"made": AssetIn(metadata={"columns": 2})})
    def read(made: int) -> int:
        return made

    result = materialize([made, read], resources={"io_manager": store})
    output, source = store.stored[0], store.loaded[0]
    assert (output.asset_key, output.step_key, output.name, output.run_id) == (
        AssetKey("made"),
        "made",
        "result",
        result.run_id,
    )
    assert output.definition_metadata["owner"] == "me" or output.definition_metadata["owner"].value == "me"
    assert output.output_metadata["rows"].value == 1
    assert output.dagster_type.display_name == "Int"
    assert source.definition_metadata["columns"] == 2
    assert source.upstream_output.step_key == "made"
    assert source.upstream_output.name == "result"
    assert list(source.get_identifier()) == list(output.get_identifier())
    (materialization,) = result.asset_materializations_for_node("made")
    assert {"rows", "kept"} == set(materialization.metadata)


def test_result_without_a_value_goes_to_no_io_manager() -> None:
    """The asset is materialized nevertheless."""
    store = Recorder()

    @asset
    def stored() -> MaterializeResult[Any]:
        return MaterializeResult(metadata={"rows": 1})

    result = materialize([stored], resources={"io_manager": store})
    assert store.stored == []
    assert len(result.get_asset_materialization_events()) == 1


def test_io_manager_may_yield_what_it_did() -> None:
    """Metadata and reports may be yielded while storing."""

    class Yielding(Recorder):
        def handle_output(self, context: Any, obj: Any) -> Any:
            yield {"size": 1}
            yield AssetMaterialization("file")

    result = materialize([raw], resources={"io_manager": Yielding()})
    made = [event.materialization for event in result.get_asset_materialization_events()]
    assert [one.asset_key for one in made] == [AssetKey("file"), AssetKey("raw")]
    assert made[1].metadata["size"].value == 1


def test_io_manager_gets_its_resources_and_config() -> None:
    """A manager's own resources and config are in its contexts."""
    store = Recorder()

    @io_manager(config_schema={"folder": str}, required_resource_keys={"db"}, output_config_schema={"name": str})
    def manager(_context: Any) -> Recorder:
        return store

    config = {
        "resources": {"io_manager": {"config": {"folder": "values"}}},
        "ops": {"raw": {"outputs": {"result": {"name": "x"}}}},
    }
    materialize([raw], resources={"io_manager": manager, "db": 5}, run_config=config)
    (context,) = store.stored
    assert context.resources.db == 5
    assert context.resource_config == {"folder": "values"}
    assert context.config == {"name": "x"}


def test_input_manager_of_an_argument() -> None:
    """An argument can be loaded by another resource than its asset's."""
    other = Recorder()
    other.values[AssetKey("raw")] = 100

    @asset(ins={"raw": AssetIn(input_manager_key="other")})
    def reader(raw: int) -> int:
        return raw

    assert materialize([raw, reader], resources={"other": other}).output_for_node("reader") == 100


def test_observations_of_a_loading() -> None:
    """Metadata that is added while loading is an observation of the asset."""

    class Observing(Recorder):
        def load_input(self, context: Any) -> Any:
            context.add_input_metadata({"rows": 7}, description="seen")
            return super().load_input(context)

    result = materialize([raw, double], resources={"io_manager": Observing()})
    (seen,) = result.asset_observations_for_node("double")
    assert (seen.asset_key, seen.metadata["rows"].value, seen.description) == (AssetKey("raw"), 7, "seen")


def test_memory_takes_no_io_manager() -> None:
    """There's no place for one."""
    with pytest.raises(DagsterInvariantViolationError):
        materialize_to_memory([raw], resources={"io_manager": InMemoryIOManager()})


# -- resources


def test_missing_resource_is_named_before_anything_runs() -> None:
    """The hint has the closest key."""
    with pytest.raises(DagsterInvalidDefinitionError, match="did you mean `dbs`"):
        materialize_to_memory([uses_db], resources={"dbs": 1})


def test_resource_given_and_carried_is_refused() -> None:
    """A definition that carries its own can't get another."""
    carried = uses_db.with_resources({"db": Database(path="a")})
    with pytest.raises(DagsterInvalidInvocationError):
        materialize_to_memory([carried], resources={"db": Database(path="b")})


def test_with_resources() -> None:
    """Definitions carry what they need, configured, and what that needs."""

    @resource(config_schema={"size": int}, required_resource_keys={"path"})
    def pool(context: Any) -> Any:
        return context.resources.path, context.resource_config["size"]

    (made,) = with_resources([uses_db], {"db": pool, "path": "p", "unused": 1}, {"db": {"config": {"size": 3}}})
    assert set(made.resource_defs) == {"db", "path"}
    assert materialize_to_memory([made]).output_for_node("uses_db") == ("p", 3)


def test_with_resources_refuses_what_does_not_fit() -> None:
    """A missing resource, a conflict, config in a wrong form."""
    with pytest.raises(DagsterInvalidDefinitionError):
        with_resources([uses_db], {})
    with pytest.raises(DagsterInvalidInvocationError):
        with_resources(with_resources([uses_db], {"db": 1}), {"db": 2})
    with pytest.raises(DagsterInvalidInvocationError):
        with_resources([uses_db], {"db": Database(path="a")}, {"db": {"path": "b"}})
    with pytest.raises(DagsterInvalidConfigError):
        with_resources([uses_db], {"db": Database(path="a")}, {"db": {"config": {"pth": "b"}}})
    around = resource(required_resource_keys={"db"})(lambda _: 1)
    back = resource(required_resource_keys={"around"})(lambda _: 1)
    with pytest.raises(DagsterInvariantViolationError, match="needs itself"):
        with_resources([uses_db], {"db": back, "around": around})


def test_out_of_a_multi_asset_keeps_its_manager() -> None:
    """Each output may have an IO manager of its own."""
    from ipy_orch.model.asset_ports import AssetOut

    left, right = Recorder(), Recorder()

    @multi_asset(outs={"a": AssetOut(io_manager_key="left"), "b": AssetOut(io_manager_key="right")})
    def both() -> tuple[int, int]:
        return 1, 2

    materialize([both], resources={"left": left, "right": right})
    assert (left.values, right.values) == ({AssetKey("a"): 1}, {AssetKey("b"): 2})
    assert Out(io_manager_key="left").io_manager_key == "left"


def test_an_argument_that_nothing_makes_is_refused() -> None:
    """Before anything runs, with the closest name; a default is for calls of the function, not for runs."""

    @asset
    def misspelt(rwa: int) -> int:
        return rwa

    @asset
    def defaulted(limit: int = 3) -> int:
        return limit

    with pytest.raises(DagsterInvalidDefinitionError, match=r"loads `rwa`.*\n.*did you mean `raw`"):
        materialize([raw, misspelt], selection=["raw"])
    for run in (lambda: materialize([defaulted]), Definitions([defaulted]).resolve_implicit_global_asset_job_def):
        with pytest.raises(DagsterInvalidDefinitionError, match="loads `limit`, which nothing makes"):
            run()
    assert materialize_to_memory([defaulted, asset(name="limit")(lambda: 4)]).output_for_node("defaulted") == 4
    with pytest.raises(FileNotFoundError):
        materialize([defaulted, AssetSpec("limit")])
    assert defaulted() == 3


def test_observations_are_made_where_they_are_selected() -> None:
    """Or in the job of all assets, as in Dagster; what was seen has the version that the function returned."""

    @observable_source_asset
    def landing() -> DataVersion:
        return DataVersion("7")

    @asset(deps=[landing])
    def orders() -> int:
        return 1

    def seen(result: Any) -> list[str | None]:
        events = [one.event_specific_data for one in result.all_events if one.event_type_value == "ASSET_OBSERVATION"]
        return [one.asset_observation.data_version for one in events]

    assert seen(materialize_to_memory([landing, orders])) == []
    assert seen(materialize_to_memory([landing, orders], selection=["landing"])) == ["7"]
    job = Definitions([landing, orders]).resolve_implicit_global_asset_job_def()
    assert seen(job.execute_in_process()) == ["7"]


def test_config_of_a_resource_in_a_field_fails_the_run() -> None:
    """Run config can't say it; what it can say is refused before the run."""

    @asset
    def orders(store: Store) -> None: ...

    @asset
    def plain(database: Database) -> None: ...

    unset = Database(path=EnvVar("IPY_ORCH_TEST_UNSET"))
    assert not materialize([orders], resources={"store": Store(database=unset)}, raise_on_error=False).success
    with pytest.raises(DagsterInvalidConfigError, match="IPY_ORCH_TEST_UNSET"):
        materialize([orders], resources={"store": Store(database=unset)})
    with pytest.raises(DagsterInvalidConfigError, match="IPY_ORCH_TEST_UNSET"):
        materialize([plain], resources={"database": unset}, raise_on_error=False)


def test_tags_of_a_materialization_name_the_versions() -> None:
    """Of the code, of the data and of what was read; without a code version it's the run's id."""

    @asset(code_version="7")
    def first() -> int:
        return 1

    @asset
    def second(first: int) -> Output[int]:
        return Output(first, data_version=DataVersion("v"))

    result = materialize_to_memory([first, second])
    one, two = (event.materialization.tags for event in result.get_asset_materialization_events())
    assert one == {"dagster/code_version": "7", "dagster/data_version": one["dagster/data_version"]}
    assert two == {
        "dagster/code_version": result.run_id,
        "dagster/data_version": "v",
        "dagster/data_version_is_user_provided": "true",
        "dagster/input_data_version/first": one["dagster/data_version"],
    }
