"""Environments: named resources in the place of the notebook's own, and what becomes stale by them."""

from __future__ import annotations

import pytest

from ipy_orch.errors import DagsterInvalidDefinitionError, DagsterInvariantViolationError
from tests.session.notebook import Notebook

CLASSES = """
from ipy_orch import ConfigurableIOManager, ConfigurableResource, asset, asset_check, ResourceParam
SHELVES = "made by the tests"
class Db(ConfigurableResource):
    path: str
    def read(self):
        return self.path
class OtherDb(ConfigurableResource):
    url: str
    def read(self):
        return self.url
class Warehouse(ConfigurableResource):
    db: Db
    layer: str = "main"
class Shelf(ConfigurableIOManager):
    name: str
    def handle_output(self, context, obj):
        import builtins
        vars(builtins).setdefault("SHELF", {})[self.name, context.asset_key] = obj
    def load_input(self, context):
        import builtins
        return builtins.SHELF[self.name, context.asset_key]
"""


@pytest.fixture
def nb(monkeypatch: pytest.MonkeyPatch) -> Notebook:
    """Return a notebook with a database, and one asset that uses it."""
    monkeypatch.setattr("builtins.SHELF", {}, raising=False)
    notebook = Notebook()
    notebook.cell("classes", CLASSES)
    notebook.cell("db", "db = Db(path='dev.db')")
    notebook.cell("raw", "%%asset raw\ndb.read()")
    return notebook


def environment(nb: Notebook, text: str, key: str = "env") -> None:
    """Run a cell that calls the session, which a notebook would find by itself."""
    nb.namespace["session"] = nb.session
    nb.cell(key, text)


def made(nb: Notebook, selection: str | None = None, **options: object) -> list[str]:
    """Return the assets that a request makes."""
    return [key.label for key in nb.session.materialize(selection, **options).materialized]


def stale(nb: Notebook, name: str = "raw") -> str:
    """Return why an asset is stale."""
    return str(nb.session.assets().loc[name, "reason"])


# -- why --------------------------------------------------------------------------------------------------------------


def test_changed_config_makes_users_stale(nb: Notebook) -> None:
    """The reason names the field; undone, the value is good again."""
    nb.cell("db", "db = Db(path='other.db')")
    assert stale(nb) == "resource config changed: db.path"
    nb.cell("db", "db = Db(path='dev.db')")
    assert made(nb) == []


def test_another_class_is_another_resource(nb: Notebook) -> None:
    """The reason names the resource, not each method."""
    nb.cell("db", "db = OtherDb(url='dev.db')")
    assert stale(nb) == "resource changed: db"


def test_a_field_of_a_nested_resource(nb: Notebook) -> None:
    """What is inside counts, by its path."""
    nb.cell("w", "warehouse = Warehouse(db=db)")
    nb.cell("deep", "%%asset deep\nwarehouse.db.read()")
    nb.cell("db", "db = Db(path='other.db')")
    assert stale(nb, "deep") == ""  # the warehouse holds the old one, and its cell is behind
    assert [one.name for one in nb.session.all_behind()] == ["warehouse"]
    nb.cell("w", "warehouse = Warehouse(db=db)")
    assert stale(nb, "deep") == "resource config changed: warehouse.db.path"


def test_the_io_manager_of_an_asset(nb: Notebook) -> None:
    """A value that was stored elsewhere isn't there: its asset is stale, and what reads it."""
    nb.cell("io", "io_manager = Shelf(name='one')")
    nb.cell("total", "%%asset total\nraw + '!'")
    assert nb.value("total") == "dev.db!"
    nb.cell("io", "io_manager = Shelf(name='two')")
    assert stale(nb) == stale(nb, "total") == "resource config changed: io_manager.name"
    assert made(nb) == ["raw", "total"]
    assert nb.value("total") == "dev.db!"


def test_an_io_manager_that_comes_and_goes(nb: Notebook) -> None:
    """The session's own store and a resource are never taken for each other."""
    nb.cell("io", "io_manager = Shelf(name='one')")
    assert stale(nb) == "resource changed: io_manager"
    assert made(nb) == ["raw"]
    del nb.namespace["io_manager"]
    assert made(nb) == ["raw"]


def test_the_io_manager_that_loads_an_external_asset(nb: Notebook) -> None:
    """Its config decides what is read."""
    nb.cell("src", "from ipy_orch import SourceAsset\nsource = SourceAsset('source', io_manager_key='shelf')")
    nb.cell("io", "shelf = Shelf(name='one')")
    nb.cell("fill", "import builtins\nbuiltins.SHELF.update({('one', source.key): 1, ('two', source.key): 2})")
    nb.cell("read", "%%asset read\nsource")
    nb.cell("io", "shelf = Shelf(name='two')")
    assert stale(nb, "read") == "resource config changed: shelf.name"
    assert nb.value("read") == 2


def test_run_config_of_a_resource(nb: Notebook) -> None:
    """Config given at launch counts as what the notebook says does."""
    nb.session.materialize(config={"resources": {"db": {"config": {"path": "launched.db"}}}})
    assert nb.value("raw") == "launched.db"
    nb.session.materialize(config={"resources": {"db": {"config": {"path": "again.db"}}}})
    assert nb.value("raw") == "again.db"


def test_a_plain_object_is_a_resource(nb: Notebook) -> None:
    """One without content that could be hashed counts by its cell: made anew, it is another one."""
    nb.cell("lock", "import threading\nlock = threading.Lock()")
    nb.cell("a", "@asset\ndef locked(lock: ResourceParam[object]): return str(type(lock))")
    assert made(nb, "locked") == ["locked"]
    assert made(nb, "locked") == []
    nb.cell("lock", "import threading\nlock = threading.Lock()")
    assert made(nb, "locked") == ["locked"]


def test_a_resource_that_can_t_be_torn_down(nb: Notebook) -> None:
    """The run has its values, and says what went wrong; the events have it as well."""
    bad = "class Bad(Db):\n    def teardown_after_execution(self, context):\n        raise OSError('still busy')"
    nb.cell("bad", f"{bad}\nbad = Bad(path='x')")
    nb.cell("a", "%%asset a --no-run\nbad.read()")
    report = nb.session.materialize("a")
    assert report.success
    assert report.notices == ["resource `bad` raised in its teardown: OSError: still busy"]
    events = nb.session.events()
    assert "bad, teardown: OSError: still busy" in list(events["text"])


# -- environments -----------------------------------------------------------------------------------------------------

PROD = "session.environment('prod', {'db': OtherDb(url='prod')})"


def test_one_run(nb: Notebook) -> None:
    """One run uses another environment, and afterwards its values aren't taken for the notebook's."""
    environment(nb, PROD)
    report = nb.session.materialize(env="prod")
    assert str(report).endswith("· resource changed: db · in prod")
    assert nb.namespace["raw"] == "prod"
    assert nb.session.environments.current == "default"
    assert stale(nb) == "resource changed: db"
    assert nb.value("raw") == "dev.db"


def test_switching(nb: Notebook) -> None:
    """`use` stays; what both environments agree on is computed once."""
    nb.cell("free", "%%asset free\n1")
    environment(nb, PROD)
    nb.session.use("prod")
    assert made(nb) == ["raw"]
    assert nb.value("raw") == "prod"
    nb.session.use("default")
    assert made(nb) == ["raw"]
    assert nb.value("raw") == "dev.db"


def test_use_with_resources(nb: Notebook) -> None:
    """It makes the environment, and switches to it."""
    nb.session.use("prod", {"db": nb.namespace["OtherDb"](url="prod")})
    assert nb.value("raw") == "prod"


def test_values_of_io_managers(nb: Notebook) -> None:
    """Each environment's IO manager has its own values, and none is read through the other's."""
    nb.cell("io", "io_manager = Shelf(name='dev')")
    nb.cell("total", "%%asset total\nraw + '!'")
    environment(nb, "session.environment('prod', {'io_manager': Shelf(name='prod')})")
    assert made(nb, env="prod") == ["raw", "total"]
    assert made(nb, env="prod") == []
    assert made(nb) == ["raw", "total"]
    import builtins

    assert sorted({shelf for shelf, _ in builtins.SHELF}) == ["dev", "prod"]  # type: ignore[attr-defined]


def test_a_resource_that_holds_a_swapped_one(nb: Notebook) -> None:
    """It holds the other environment's in that environment; the notebook's own stays as it is."""
    nb.cell("w", "warehouse = Warehouse(db=db)")
    nb.cell("deep", "%%asset deep\nwarehouse.db.read()")
    environment(nb, "session.environment('prod', {'db': Db(path='prod.db')})")
    nb.session.materialize("deep", env="prod")
    assert nb.namespace["deep"] == "prod.db"
    assert nb.namespace["warehouse"].db.path == "dev.db"
    assert nb.value("deep") == "dev.db"


def test_config_of_resources_is_per_environment(nb: Notebook) -> None:
    """What was said of one environment's database says nothing of the other's."""
    environment(nb, PROD)
    nb.session.materialize(config={"resources": {"db": {"config": {"path": "x.db"}}}})
    nb.session.materialize(env="prod", config={"resources": {"db": {"config": {"url": "y"}}}})
    assert nb.namespace["raw"] == "y"
    assert nb.value("raw") == "x.db"


def test_a_helper_that_reads_a_swapped_resource(nb: Notebook) -> None:
    """It would go on reading the notebook's own, so it's refused."""
    nb.cell("h", "def helper():\n    return db.read()")
    nb.cell("a", "%%asset a\nhelper()")
    environment(nb, PROD)
    with pytest.raises(DagsterInvalidDefinitionError, match="reads the resource `db` through a helper"):
        nb.session.materialize("a", env="prod")
    assert nb.value("a") == "dev.db"


def test_names(nb: Notebook) -> None:
    """An unknown name is an error with the closest; so is what can't be typed."""
    environment(nb, PROD)
    with pytest.raises(DagsterInvariantViolationError, match=r"no environment `prd`(.|\n)*`prod`"):
        nb.session.use("prd")
    for name in ("default", "two words", "--x", ""):
        with pytest.raises(DagsterInvalidDefinitionError):
            nb.session.environment(name, {})
    with pytest.raises(DagsterInvalidDefinitionError, match="class, not a resource"):
        nb.session.environment("prod", {"db": nb.namespace["OtherDb"]})
    with pytest.raises(DagsterInvalidDefinitionError, match="dict by key"):
        nb.session.environment("prod", [1])  # type: ignore[arg-type]


def test_a_misspelt_key(nb: Notebook) -> None:
    """A swap that would do nothing is refused before it runs in the wrong place."""
    nb.cell("db", "database = Db(path='dev.db')")
    nb.cell("raw", "%%asset raw\ndatabase.read()")
    environment(nb, "session.environment('prod', {'databse': OtherDb(url='prod')})")
    with pytest.raises(DagsterInvalidDefinitionError, match=r"`databse`, which nothing uses(.|\n)*`database`"):
        nb.session.materialize(env="prod", force=True)


def test_the_cell_of_an_environment_is_behind(nb: Notebook) -> None:
    """A class edited after the environment was made: its cell is named."""
    environment(nb, PROD)
    nb.session.use("prod")
    nb.session.materialize()
    nb.cell("classes", CLASSES.replace("return self.url", "return self.url.upper()"))
    report = nb.session.materialize()
    assert any("is behind: it defines `environment prod` from `OtherDb`" in notice for notice in report.notices)
    environment(nb, PROD)
    nb.session.materialize()
    assert nb.namespace["raw"] == "PROD"


def test_an_environment_goes_with_its_cell(nb: Notebook) -> None:
    """A deleted or edited cell leaves no ghost."""
    environment(nb, PROD)
    nb.session.use("prod")
    nb.delete("env")
    assert nb.session.environments.names == ["default"]
    assert nb.value("raw") == "dev.db"
    environment(nb, PROD)
    assert nb.session.environments.names == ["default", "prod"]
    environment(nb, PROD.replace("'prod', {", "'staging', {"))
    assert nb.session.environments.names == ["default", "staging"]


def test_other_threads_keep_their_environment(nb: Notebook) -> None:
    """While one run uses another environment, what else is asked is answered for the one in use."""
    import threading

    environment(nb, PROD)
    seen = []
    with nb.session.within("prod"):
        thread = threading.Thread(target=lambda: seen.append(nb.session.environments.current))
        thread.start()
        thread.join()
        assert nb.session.environments.current == "prod"
    assert seen == ["default"]


def test_runs_and_events_tell_the_environment(nb: Notebook) -> None:
    """The first event of a run has it as a tag."""
    environment(nb, PROD)
    nb.session.materialize(env="prod")
    tags = [event.tags for event in nb.session.log if event.kind == "run started"]
    assert tags == [{}, {"environment": "prod"}]
