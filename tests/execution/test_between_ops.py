"""What passes between ops: one reader's edits never reach another, secrets never show, memory is given back."""

from __future__ import annotations

import gc
import logging
import weakref
from typing import Any

import pytest

from ipy_orch import (
    AssetOut,
    Config,
    DagsterType,
    FilesystemIOManager,
    IOManager,
    Out,
    TypeCheck,
    asset,
    failure_hook,
    graph,
    job,
    logger,
    materialize,
    mem_io_manager,
    multi_asset,
    op,
    success_hook,
)
from ipy_orch.events.ledger import Ledger
from ipy_orch.events.log import EventLog
from ipy_orch.execution.engine import World, run
from ipy_orch.execution.iomanagers import SessionIOManager
from ipy_orch.planning.jobs import plan_job
from tests.execution.ops import gathered, three

SECRET = "hunter2-is-secret"


@op
def numbers():
    """Return what everybody reads."""
    return [[1], [2]]


@op
def spoiling(rows):
    """Edit in place, at two depths."""
    rows[0].append(9)
    rows.append("spoiled")
    return rows


@op
def reading(rows, _after):
    """Return what it got."""
    return rows


@job
def shared():
    """Read the same value before, while and after another op edits its own."""
    rows = numbers()
    first = spoiling.alias("first")(rows)
    second = spoiling.alias("second")(rows)
    reading.alias("late")(rows, gathered([first, second]))
    three().map(lambda number: spoiling.alias("copy")(reading.alias("each")(rows, number)))


def in_session(job_def: Any) -> dict[tuple[str, str], Any]:
    """Run a job where the session's store keeps what passes between its ops."""
    return run(plan_job(job_def), world()).values


def world() -> World:
    """Return a world as a session makes it."""
    log, ledger = EventLog(), Ledger()
    log.listen(ledger.apply)
    return World(log, ledger, {"io_manager": SessionIOManager(1 << 20)}, keep_values=True)


@pytest.mark.parametrize("store", ["session", "memory", "files"])
def test_an_edit_in_place_reaches_nobody(store, tmp_path):
    """Whichever IO manager carries the values."""
    if store == "session":
        values = in_session(shared)
    else:
        manager = mem_io_manager if store == "memory" else FilesystemIOManager(base_dir=str(tmp_path))
        values = shared.execute_in_process(resources={"io_manager": manager}).result.values
    spoiled = [[1, 9], [2], "spoiled"]
    assert values["first", "result"] == values["second", "result"] == spoiled
    assert values["late", "result"] == [[1], [2]]
    assert [values[f"copy[n{number}]", "result"] for number in range(3)] == [spoiled] * 3


class Spoiling(IOManager):
    """Edit in place what it is given."""

    def __init__(self):
        self.values = {}

    def handle_output(self, context, obj):
        """Keep it, edited."""
        obj.append("spoiled")
        self.values[context.asset_key] = obj

    def load_input(self, context):
        """Return it."""
        return self.values[context.asset_key]


def test_each_output_is_stored_by_itself():
    """What an IO manager does to one output reaches no other that holds the same object, wherever that is kept."""
    outs = {name: AssetOut(io_manager_key=key) for name, key in (("a", "one"), ("b", "io_manager"), ("c", "two"))}

    @multi_asset(outs=outs)
    def three_of_one():
        rows = [1]
        return rows, {"rows": rows}, rows

    @asset
    def read(a, b, c):
        return a, b, c

    managers = {"one": Spoiling(), "io_manager": mem_io_manager, "two": Spoiling()}
    result = materialize([three_of_one, read], resources=managers)
    assert result.asset_value("read") == ([1, "spoiled"], {"rows": [1]}, [1, "spoiled"])


def test_values_are_given_back_after_the_run():
    """Nothing holds what passed between ops, where the result doesn't keep it."""

    class Big:
        """Be something that can be watched."""

    made: list[weakref.ref[Big]] = []

    @op
    def big():
        value = Big()
        made.append(weakref.ref(value))
        return value

    @op
    def small(value):
        made.append(weakref.ref(value))
        return 1

    @job
    def passing():
        small(big())

    around = world()
    around.keep_values = False
    result = run(plan_job(passing), around)
    del around
    gc.collect()
    assert result.success
    assert [ref() for ref in made] == [None, None]


# -- secrets ----------------------------------------------------------------------------------------------------------


class Login(Config):
    """Hold a secret."""

    password: str


@op
def entered(config: Login) -> str:
    """Return what it shouldn't."""
    return config.password


@success_hook
def careless(context):
    """Tell the secret."""
    raise RuntimeError(f"{context.op_output_values} {context.op_config}")


@failure_hook
def careless_too(context):
    """Tell the secret of a failure."""
    raise RuntimeError(str(context.op_exception))


def never_passes(_context: Any, value: object) -> TypeCheck:
    """Tell the value that is of the wrong type."""
    return TypeCheck(success=False, description=f"wrong: {value}", metadata={"seen": str(value)})


@op
def talking(context, word):
    """Print and log what it got, and raise it."""
    context.log.warning(word)
    print(word)
    context.add_output_metadata({"word": word})
    raise ValueError(word)


@op(out=Out(DagsterType(never_passes, "Never")))
def typed(word):
    """Return what its type refuses with its value."""
    return word


@logger
def listening(_context):
    """Return a logger whose records pytest catches."""
    return logging.getLogger("ipy_orch.tests.between")


@job(hooks={careless, careless_too}, logger_defs={"listening": listening})
def leaking():
    """Carry a secret from op to op, and tell it wherever possible."""
    word = entered()
    talking(word)
    typed(word)


CONFIG = {"ops": {"entered": {"config": {"password": {"env": "X_PASSWORD"}}}}, "loggers": {"listening": {}}}


def test_a_secret_is_in_no_event(monkeypatch, caplog):
    """Whether it is a value, config, a hook's error, a log record, a type's description or the error itself."""
    monkeypatch.setenv("X_PASSWORD", SECRET)
    result = leaking.execute_in_process(run_config=CONFIG, raise_on_error=False)
    assert set(result.get_failed_step_keys()) == {"talking", "typed"}
    assert SECRET not in repr(result.result.events)
    assert SECRET not in repr([(one.event_specific_data, one.message) for one in result.all_events])
    assert SECRET not in repr(result.dagster_run)
    assert SECRET not in "".join(record.getMessage() for record in caplog.records)
    assert sum(one.is_hook_errored for one in result.all_events) == 3


def test_a_secret_given_as_a_value_is_kept_for_the_run_alone(monkeypatch):
    """It is a value of the op like any other, and whoever has the result may read it."""
    monkeypatch.setenv("X_PASSWORD", SECRET)

    @graph
    def plain():
        return entered()

    assert plain.execute_in_process(run_config={"ops": CONFIG["ops"]}).output_value() == SECRET
