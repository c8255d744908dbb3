"""%resources, %config_schema, %use, and the config and environment of %materialize."""

from __future__ import annotations

from pathlib import Path

import pytest

from ipy_orch.notebook.completion import complete
from tests.notebook.conftest import Notebook

CELL = """
import ipy_orch
from ipy_orch import Config, ConfigurableResource, ConfigurableIOManager, EnvVar, asset
class Db(ConfigurableResource):
    path: str
    token: str = EnvVar("SOME_TOKEN")
    def setup_for_execution(self, context):
        if self.path == "bad.db":
            raise OSError("no such disk")
class Size(Config):
    limit: int = 10
db = Db(path="dev.db")
"""
RAW = "%%asset raw --config Size\n(db.path, config.limit)"
PROD = "ipy_orch.session().environment('prod', {'db': Db(path='prod.db')})"


@pytest.fixture
def nb(notebook: Notebook, monkeypatch: pytest.MonkeyPatch) -> Notebook:
    """Return a notebook with a resource, an asset and an environment."""
    monkeypatch.setenv("SOME_TOKEN", "t0ken-value")
    for number, cell in enumerate([CELL, RAW, PROD]):
        notebook.good(cell, str(number))
    return notebook


def test_resources(nb: Notebook) -> None:
    """A DataFrame, also of another environment."""
    frame = nb.good("%resources").out
    assert frame.loc[("db", "path"), "value"] == "'dev.db'"
    assert frame.loc[("db", "token"), "from"] == "environment SOME_TOKEN"
    assert nb.good("%resources --env prod").out.loc[("db", "path"), "value"] == "'prod.db'"


def test_config_schema(nb: Notebook) -> None:
    """What can be configured, as text, as HTML, and as YAML."""
    schema = nb.good("%config_schema raw").out
    assert "ops.raw.config.limit: int · = 10 (default)" in repr(schema)
    html = nb.ip.display_formatter.format(schema)[0]["text/html"]
    assert "<td" in html
    assert "limit: 10" in html
    nb.good(f"%%materialize raw\n{schema.yaml}")
    assert nb.variables["raw"] == ("dev.db", 10)


def test_config_of_a_line_a_file_and_a_cell(nb: Notebook, tmp_path: Path) -> None:
    """YAML in the line, in a file, and below `%%materialize`."""
    text = "ops:\n  raw:\n    config:\n      limit: {}\n"
    nb.good('%materialize raw --config "ops: {raw: {config: {limit: 1}}}"')
    assert nb.variables["raw"] == ("dev.db", 1)
    (tmp_path / "run.yaml").write_text(text.format(2))
    nb.good(f"%materialize raw --config {tmp_path / 'run.yaml'}")
    assert nb.variables["raw"] == ("dev.db", 2)
    nb.good(f"%%materialize raw\n{text.format(3)}")
    assert nb.variables["raw"] == ("dev.db", 3)


@pytest.mark.parametrize(
    ("cell", "messages"),
    [
        ("%%materialize raw\nops:\n  raw:\n    config:\n      limt: 1", ["raw.config.limt (line 4)", "`limit`"]),
        ("%%materialize raw\nops:\n  raw:\n    config:\n      limit: a", ["limit (line 4)", "expected an integer"]),
        ("%%materialize raw --config '{}'\nops: {}", ["in the cell or in --config"]),
        ("%%materialize raw\n[", ["isn't YAML"]),
        ("%materialize raw --env prd", ["no environment `prd`", "`prod`"]),
        ("%use prd", ["no environment `prd`", "`prod`"]),
        ("%resources --env prd", ["no environment `prd`"]),
        ("%config_schema rwa", ["no asset `rwa`", "`raw`"]),
        ("%config_schema", ["needs more: asset", "`%config_schema ASSET`"]),
    ],
)
def test_misuse(nb: Notebook, cell: str, messages: list[str]) -> None:
    """What is typed wrongly gets a short message with the place and the closest name, and no traceback."""
    ran = nb.run(cell)
    assert ran.error is not None
    assert not ran.traceback
    assert all(message in ran.stderr for message in messages), ran.stderr
    assert nb.variables["raw"] == ("dev.db", 10)


def test_one_run_in_another_environment(nb: Notebook) -> None:
    """The line says where; a cell that reads the value afterwards is told that it isn't this environment's."""
    ran = nb.good("%materialize raw --env prod")
    assert ran.shown[-1].endswith("· resource config changed: db.path · in prod")
    assert nb.variables["raw"][0] == "prod.db"
    ran = nb.good("raw")
    assert "note: `raw` is stale: resource config changed: db.path (`%materialize raw`)" in ran.shown
    nb.good("%materialize raw")
    assert nb.good("raw").out == ("dev.db", 10)


def test_switching(nb: Notebook) -> None:
    """`%use` lists, and switches until further notice; each status line says so."""
    assert nb.good("%use").shown == ["environment default · others: prod"]
    assert nb.good("%use prod").shown == ["environment prod · others: default"]
    ran = nb.good(RAW, "1")
    assert ran.shown[0] == "('prod.db', 10)"
    assert ran.shown[-1].endswith("· in prod")
    assert nb.good("%use default").shown == ["environment default · others: prod"]
    assert nb.good(RAW, "1").shown[0] == "('dev.db', 10)"


def test_the_magic_env_stays_ipython_s(nb: Notebook, monkeypatch: pytest.MonkeyPatch) -> None:
    """`%env` shows variables of the environment, as ever."""
    assert nb.good("%env SOME_TOKEN").out == "t0ken-value"


def test_export_takes_environments_along(nb: Notebook, tmp_path: Path) -> None:
    """The module has them, and nothing is told of them; that in use is its own."""
    place = tmp_path / "module.py"
    shown = nb.good(f"%export {place}").shown
    assert not any("note: " in one for one in shown)
    text = place.read_text()
    assert "dev.db" in text
    assert 'prod_resources = {"db": Db(path="prod.db")}' in text
    assert 'os.getenv("DAGSTER_DEPLOYMENT", "default")' in text
    nb.good(f"%use prod\n%export {place} --verify")
    assert place.read_text() == text.replace('"DAGSTER_DEPLOYMENT", "default"', '"DAGSTER_DEPLOYMENT", "prod"')


def test_export_says_what_it_leaves_out(nb: Notebook, tmp_path: Path) -> None:
    """An environment that no text says is told with what to write."""
    nb.good("for name in ('a', 'b'):\n    ipy_orch.session().environment(name, {'db': Db(path=name)})\n%use a")
    shown = nb.good(f"%export {tmp_path / 'module.py'}").shown
    told = (
        "note: environment `b` isn't in the module: its name is known only when a cell runs; write `ipy_orch.session()"
    )
    assert any(told in one for one in shown), shown
    assert 'os.getenv("DAGSTER_DEPLOYMENT", "default")' in (tmp_path / "module.py").read_text()


def test_a_resource_that_fails(nb: Notebook) -> None:
    """The error names the resource and the phase, the traceback shows the line of the user's."""
    ran = nb.run("db = Db(path='bad.db')\n%materialize raw", "9")
    assert "resource `db` raised while it was set up: OSError: no such disk" in ran.traceback
    assert 'raise OSError("no such disk")' in ran.traceback
    assert "ipy_orch/" not in ran.traceback


def test_values_of_the_users_own_io_manager(nb: Notebook) -> None:
    """They're loaded when a cell first reads the variable, and never stale ones."""
    nb.good(
        "class Shelf(ConfigurableIOManager):\n"
        "    name: str\n"
        "    def handle_output(self, context, obj):\n"
        "        import builtins\n"
        "        builtins.kept = obj\n"
        "    def load_input(self, context):\n"
        "        import builtins\n"
        "        return builtins.kept\n"
        "io_manager = Shelf(name='a')",
        "io",
    )
    nb.good(RAW, "1")
    assert "raw" not in nb.variables
    assert nb.good("raw").out == ("dev.db", 10)
    nb.good('%materialize raw --config "ops: {raw: {config: {limit: 7}}}"')
    assert nb.good("raw").out == ("dev.db", 7)
    nb.good("%materialize raw --env prod")
    ran = nb.run("raw")
    assert isinstance(ran.error, NameError)
    assert "`raw` isn't loaded: resource config changed: db.path (`%materialize raw`)" in ran.stderr


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("%materialize --e", ["--env"]),
        ("%materialize raw --env ", ["default", "prod"]),
        ("%materialize raw --env p", ["prod"]),
        ("%%materialize r", ["raw"]),
        ("%use ", ["default", "prod"]),
        ("%resources --env d", ["default"]),
        ("%resources ", []),
        ("%config_schema r", ["raw"]),
    ],
)
def test_completion(nb: Notebook, line: str, words: list[str]) -> None:
    """Names of environments where one is expected, names of assets elsewhere."""
    assert complete(nb.session, line, 0, line) == words


def test_help(nb: Notebook) -> None:
    """`?` shows the arguments."""
    for name in ("resources", "config_schema", "use", "materialize"):
        text = nb.ip.find_line_magic(name).__doc__
        assert f"%{name}" in text
    assert "%%materialize" in nb.ip.find_cell_magic("materialize").__doc__
