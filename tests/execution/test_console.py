"""What a script sees of a run: what steps print and log, and what went wrong."""

from __future__ import annotations

import logging
import subprocess
import sys

import pytest

import ipy_orch as dg

Console = pytest.CaptureFixture[str]


def lines(console: Console) -> list[str]:
    """Return what each line on standard error says after its run's id."""
    return [line.rpartition(" - ")[2] for line in console.readouterr().err.splitlines()]


@dg.asset
def talks(context: dg.AssetExecutionContext) -> int:
    """Say something in each way."""
    print("printed")
    context.log.debug("logged")
    dg.get_dagster_logger("prices").info("by its name")
    return 1


@dg.op
def fails() -> int:
    """Fail."""
    raise ValueError("no")


@dg.op
def waits(x: int) -> int:
    """Be skipped."""
    return x


@dg.job
def nightly() -> None:
    """Fail at the first step."""
    waits(fails())


def test_a_script_sees_what_its_assets_say(capsys: Console) -> None:
    """Prints to standard output, records to standard error, each once; the events have them too, with their levels."""
    instance = dg.DagsterInstance.ephemeral()
    dg.materialize([talks], instance=instance)
    told = capsys.readouterr()
    assert told.out == "printed\n"
    assert [line.rpartition(" - ")[2] for line in told.err.splitlines()] == ["logged", "by its name"]
    assert " - ipy_orch - DEBUG - __ephemeral_asset_job__ - " in told.err
    logged = [event for event in instance.log if event.kind == "logged"]
    assert [(event.stream, event.level) for event in logged] == [
        ("log", "DEBUG"),
        ("log", "INFO"),
        ("stdout", ""),
    ]


def test_what_failed_is_told_where_nothing_is_raised(capsys: Console) -> None:
    """And what was skipped for it; where the error is raised, that says it."""
    assert not nightly.execute_in_process(raise_on_error=False).success
    assert lines(capsys) == [
        "Execution of step fails failed: ValueError: no",
        "Dependencies for step waits failed: fails. Not executing.",
    ]
    with pytest.raises(ValueError, match="no"):
        nightly.execute_in_process()
    assert lines(capsys) == []


def test_loggers_that_are_chosen_are_told_instead(capsys: Console) -> None:
    """Run config names them; a record that one writes is no second record of the step."""
    taken: list[str] = []

    @dg.logger
    def kept(_context: dg.InitLoggerContext) -> logging.Logger:
        made = logging.Logger("kept")  # noqa: LOG001
        made.addHandler(logging.NullHandler())
        made.addFilter(lambda record: taken.append(record.levelname) or True)
        return made

    @dg.op
    def says(context: dg.OpExecutionContext) -> None:
        context.log.warning("careful")

    @dg.job(logger_defs={"kept": kept})
    def j() -> None:
        says()

    instance = dg.DagsterInstance.ephemeral()
    j.execute_in_process({"loggers": {"kept": {}}}, instance)
    assert taken == ["WARNING"]
    assert lines(capsys) == []
    assert [event.text for event in instance.log if event.kind == "logged"] == ["careful"]


def test_a_none_that_is_passed_on_is_remarked(capsys: Console) -> None:
    """An output that may be left out is left out by not yielding it; returning nothing passes None on."""

    @dg.op(out=dg.Out(is_required=False))
    def maybe() -> int | None:
        return None

    @dg.job
    def j() -> None:
        maybe()

    assert j.execute_in_process().output_for_node("maybe") is None
    (told,) = lines(capsys)
    assert told.startswith("`maybe` returned None for the output `result`")


def test_a_log_has_records_beside_events() -> None:
    """With their level and text, in the order in which they came; a kind of event leaves them out."""
    instance = dg.DagsterInstance.ephemeral()
    run = dg.materialize([talks], instance=instance).run_id
    records = [entry for entry in instance.all_logs(run) if entry.dagster_event is None]
    assert [(entry.step_key, entry.level, entry.user_message) for entry in records] == [
        ("talks", logging.DEBUG, "logged"),
        ("talks", logging.INFO, "by its name"),
    ]
    kind = dg.DagsterEventType.ASSET_MATERIALIZATION
    assert [entry.dagster_event_type for entry in instance.all_logs(run, of_type=kind)] == [kind]


SCRIPT = """
import ipy_orch as dg
log = dg.get_dagster_logger()

@dg.asset
def a(context):
    log.warning("one")
    context.log.info("two")
    log.error("three")

dg.materialize([a])
log.warning("after it")
"""


def test_what_no_handler_takes_is_told_once() -> None:
    """Of a step in order with the rest, not bare as well; outside of steps as Python does."""
    ran = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True)
    lines = ran.stderr.splitlines()
    assert [line.rpartition(" - ")[2] for line in lines] == ["one", "two", "three", "after it"]
    assert [" - a - " in line for line in lines] == [True, True, True, False]


def test_records_as_logging_takes_them(capsys: Console) -> None:
    """Arguments by name, tracebacks, ``fatal`` and ``level``; a level that is none is told."""

    @dg.asset
    def a(context: dg.AssetExecutionContext) -> None:
        assert context.log.level == logging.NOTSET
        context.log.info("a %(x)s", {"x": 3})
        context.log.info("")
        context.log.fatal("the end")
        context.log.log("warning", "by name")
        error = KeyError("k")
        context.log.error("with", exc_info=error)
        with pytest.raises(dg.CheckError, match="no level `waring`; hint: did you mean `WARNING`"):
            context.log.log("waring", "x")
        with pytest.raises(TypeError):
            context.log.info("one %d", "x")
        try:
            raise error
        except KeyError:
            context.log.exception("caught")

    instance = dg.DagsterInstance.ephemeral()
    dg.materialize([a], instance=instance)
    told = [(event.level, event.text) for event in instance.log if event.kind == "logged"]
    assert told[:-1] == [
        ("INFO", "a 3"),
        ("INFO", ""),
        ("CRITICAL", "the end"),
        ("WARNING", "by name"),
        ("ERROR", "with\nKeyError: 'k'"),
    ]
    level, text = told[-1]
    assert (level, text.splitlines()[:2]) == ("ERROR", ["caught", "Traceback (most recent call last):"])
    assert capsys.readouterr().err.count("Traceback") == 1
