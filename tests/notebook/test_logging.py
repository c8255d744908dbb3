"""What steps log appears in the cells of their assets."""

from __future__ import annotations

from tests.notebook.conftest import Notebook

RAW = """%%asset raw
context.log.info("got %d rows", 3)
context.log.debug("of no interest here")
get_dagster_logger("prices").warning("one is negative")
[1, 2, 3]"""
LINES = "INFO got 3 rows\nWARNING one is negative\n"


def test_records_are_among_what_a_step_prints(notebook: Notebook) -> None:
    """They appear live and again where the value is kept, from INFO on, in the cell of their asset alone."""
    notebook.good("from ipy_orch import get_dagster_logger")
    assert notebook.good(RAW, "raw").stdout == LINES
    assert notebook.good(RAW, "raw").stdout == LINES
    assert notebook.good("%%asset top\ncontext.log.info('at the top')\nsum(raw)", "top").stdout == "INFO at the top\n"
    changed = RAW.replace("[1, 2", "[2, 2")
    notebook.session.settings.autorun = False
    notebook.good(changed, "raw")
    notebook.session.settings.autorun = True
    assert notebook.good("%materialize top").stdout.count("rows") == 0, "of no asset of this cell"


def test_each_record_is_one_fact(notebook: Notebook) -> None:
    """What a cell shows of a record makes no second one."""
    notebook.good("from ipy_orch import get_dagster_logger")
    notebook.good(RAW, "raw")
    told = [(one.stream, one.level, one.text) for one in notebook.session.log if one.kind == "logged"]
    assert sorted(told) == [
        ("log", "DEBUG", "of no interest here"),
        ("log", "INFO", "got 3 rows"),
        ("log", "WARNING", "one is negative"),
    ]


def test_records_of_checks_and_of_what_fails(notebook: Notebook) -> None:
    """A check's are shown with it, and those from before an error, too."""
    notebook.good("%%asset a\n1", "a")
    assert notebook.good("%%asset_check a fits\ncontext.log.info('looked')\nTrue", "fits").stdout == "INFO looked\n"
    assert notebook.run("%%asset b\ncontext.log.error('so far')\n1 / 0", "b").stdout == "ERROR so far\n"


def test_loggers_that_run_config_names_take_their_place(notebook: Notebook) -> None:
    """A job that chooses its loggers is told through them alone."""
    notebook.good("%%op one\ncontext.log.info('in an op')\n1", "one")
    notebook.good("from ipy_orch import job\n@job\ndef daily():\n    one()", "job")
    assert "INFO in an op\n" in notebook.good("%launch daily").stdout
    chosen = notebook.good("%launch daily --config \"{'loggers': {'console': {}}}\"")
    assert "INFO in an op\n" not in chosen.stdout
    assert "INFO - daily" in chosen.stderr


def test_a_secret_stays_hidden(notebook: Notebook, monkeypatch) -> None:
    """Records show no secret, live and again."""
    monkeypatch.setenv("LOG_TOKEN", "correct-horse-battery")
    notebook.good("from ipy_orch import EnvVar\ntoken = EnvVar('LOG_TOKEN')")
    cell = "%%asset a\ncontext.log.info(f'with {token.get_value()}')\n1"
    for _ in range(2):
        told = notebook.good(cell, "a").stdout
        assert told.startswith("INFO with ")
        assert "horse" not in told


def test_records_of_steps_in_processes(notebook: Notebook) -> None:
    """They come when the step is over, each once, at the level that the logger has here; warnings do, too."""
    notebook.good("from ipy_orch import get_dagster_logger\nimport warnings\nlog = get_dagster_logger()")
    cell = """%%asset away --executor processes
log.info("one")
context.log.warning("two")
print("three")
log.warning("four")
warnings.warn("five")
1"""
    for _ in range(2):
        told = notebook.good(cell, "away")
        assert told.stdout == "INFO one\nWARNING two\nthree\nWARNING four\n"
        assert told.stderr == "UserWarning: five\n"
    texts = [one.text for one in notebook.session.log if one.kind == "logged" and one.stream == "log"]
    assert sorted(texts) == ["four", "one", "two"]


def test_loggers_that_are_chosen_are_told_alone_of_steps_in_processes(notebook: Notebook) -> None:
    """Each record once, as of steps here."""
    notebook.good("%%op one\ncontext.log.info('in an op')\n1", "one")
    notebook.good("from ipy_orch import job\n@job\ndef daily():\n    one()", "job")
    assert "INFO in an op\n" in notebook.good("%launch daily --executor processes").stdout
    chosen = notebook.good("%launch daily --executor processes --config \"{'loggers': {'console': {}}}\"")
    assert "in an op" not in chosen.stdout
    assert chosen.stderr.count("in an op") == 1


def test_a_script_in_a_cell(notebook: Notebook) -> None:
    """What ``materialize`` runs tells it as in a script: on standard error alone, in order, once."""
    cell = """from ipy_orch import asset, get_dagster_logger, materialize
@asset
def a(context):
    get_dagster_logger().info("one")
    context.log.info("two")
    get_dagster_logger().warning("three")"""
    notebook.good(cell, "a")
    told = notebook.good("ran = materialize([a])")
    assert told.stdout == ""
    assert [line.rpartition(" - ")[2] for line in told.stderr.splitlines()] == ["one", "two", "three"]


GRAPH = """from ipy_orch import graph_asset, op
@op
def first(context):
    print("printed")
    context.log.info("one")
    return 1
@op
def second(context, x):
    context.log.info("two")
    return x
@graph_asset
def g():
    return second(first())"""
TOGETHER = """from ipy_orch import AssetSpec, MaterializeResult, multi_asset
@multi_asset(specs=[AssetSpec("a"), AssetSpec("b")])
def both(context):
    context.log.info("made")
    return MaterializeResult(asset_key="a"), MaterializeResult(asset_key="b")"""


def test_records_of_all_ops_of_a_graph(notebook: Notebook) -> None:
    """What the ops of a graph print and log is in the cell of its asset, live and again."""
    for _ in range(2):
        assert notebook.good(GRAPH, "g").stdout == "printed\nINFO one\nINFO two\n"


def test_records_of_assets_that_are_made_together(notebook: Notebook) -> None:
    """They are shown again once."""
    for _ in range(2):
        assert notebook.good(TOGETHER, "both").stdout == "INFO made\n"


def test_records_of_what_surrounds_steps(notebook: Notebook) -> None:
    """Those of IO managers, hooks and resources appear where a step's do, live; they're no output of it."""
    notebook.good("""from ipy_orch import IOManager, job, op, resource, success_hook
@resource
def depot(context):
    context.log.info("opens")
    yield 1
    context.log.info("closes")
class Kept(IOManager):
    def handle_output(self, context, obj):
        context.log.info("stores")
    def load_input(self, context):
        return 3
kept = Kept()
@success_hook
def hook(context):
    context.log.info("hooked")
@op(required_resource_keys={"depot"})
def one(context):
    context.log.info("done")
@job(hooks={hook}, resource_defs={"depot": depot})
def daily():
    one()""")
    assert [notebook.good("%%asset a --io-manager kept\n4", "a").stdout for _ in range(2)] == ["INFO stores\n", ""]
    assert notebook.good("%launch daily").stdout == "INFO opens\nINFO done\nINFO hooked\nINFO closes\n"


def test_an_empty_record_and_one_with_a_traceback(notebook: Notebook) -> None:
    """Live they look as they do later."""
    cell = """%%asset a
context.log.info("")
try:
    1 / 0
except ZeroDivisionError:
    context.log.exception("no %(what)s", {"what": "luck"})
1"""
    live = notebook.good(cell, "a").stdout
    assert live.startswith("INFO \nERROR no luck\nTraceback")
    assert live.endswith("ZeroDivisionError: division by zero\n")
    assert notebook.good(cell, "a").stdout == live


def test_records_of_a_tick(notebook: Notebook) -> None:
    """They are among what a sensor prints, a line each."""
    notebook.good("""from ipy_orch import SkipReason, asset, get_dagster_logger, sensor
@asset
def raw():
    return 1
@sensor(target=[raw])
def looks(context):
    get_dagster_logger().info("one")
    context.log.info("two")
    context.log.warning("three")
    context.log.debug("of no interest here")
    print("four")
    return SkipReason("nothing new")""")
    told = notebook.good("%tick looks").shown[-1]
    assert told.endswith("note: INFO one\nINFO two\nWARNING three\nfour")
