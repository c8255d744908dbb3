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
