"""Hooks and loggers of runs."""

from __future__ import annotations

import logging
from typing import Any

from ipy_orch import (
    DynamicOut,
    DynamicOutput,
    Out,
    Output,
    failure_hook,
    graph,
    job,
    logger,
    op,
    success_hook,
)
from tests.execution.ops import more, one, three


def test_hooks_hear_how_each_op_ended():
    """With what it made, also before it raised; each copy by itself, and none for what was never begun."""
    heard: list[Any] = []

    @success_hook
    def good(context):
        heard.append((context.step_key, context.op_output_values))

    @failure_hook
    def bad(context):
        heard.append((context.step_key, type(context.op_exception), context.op_output_values))

    @op(out={"a": Out(), "b": Out()})
    def half():
        yield Output(1, "a")
        raise ValueError

    @job(hooks={good, bad})
    def hooked():
        first, _ = half()
        more.alias("lost")(first)
        three().map(more)

    hooked.execute_in_process(raise_on_error=False)
    assert sorted(heard, key=str) == [
        ("half", ValueError, {"a": 1}),
        *((f"more[n{number}]", {"result": number + 1}) for number in range(3)),
        ("three", {"result": {"n0": 0, "n1": 1, "n2": 2}}),
    ]


def test_hooks_hear_metadata():
    """What an output came with, and what the context added to it; by key for a dynamic one."""
    heard: dict[str, Any] = {}

    @success_hook
    def tell(context):
        heard[context.op.name] = context.op_output_metadata

    @op(out={"a": Out(), "b": Out()})
    def plain(context):
        context.add_output_metadata({"added": 1}, "a")
        yield Output(1, "a", metadata={"given": 2})
        yield Output(1, "b")

    @op(out=DynamicOut())
    def many(context):
        context.add_output_metadata({"added": 3}, mapping_key="k")
        yield DynamicOutput(1, "k", metadata={"given": 4})

    @job(hooks={tell})
    def hooked():
        plain()
        many()

    hooked.execute_in_process()
    assert {name: value.value for name, value in heard["plain"].pop("a").items()} == {"given": 2, "added": 1}
    assert {name: value.value for name, value in heard["many"]["result"]["k"].items()} == {"given": 4, "added": 3}
    assert heard["plain"] == {}


def test_hooks_of_a_node_and_of_a_graph():
    """A hook of a graph is that of all ops in it."""
    heard = []

    @success_hook
    def tell(context):
        heard.append(context.step_key)

    @graph
    def inner():
        return more(one())

    @graph
    def outer():
        more.alias("plain")(inner.with_hooks({tell})())
        one.alias("hooked").with_hooks({tell})()

    outer.execute_in_process()
    assert sorted(heard) == ["hooked", "inner.more", "inner.one"]


def test_a_hook_that_raises_changes_nothing():
    """It is an event, and the op has succeeded."""

    @success_hook
    def broken(context):
        raise RuntimeError(context.op.name)

    @job(hooks={broken})
    def hooked():
        more(one())

    result = hooked.execute_in_process()
    assert result.success
    assert [event.step_key for event in result.all_events if event.event_type_value == "HOOK_ERRORED"] == [
        "one",
        "more",
    ]


def test_loggers_get_what_ops_log():
    """Those that run config names, with the step."""
    records: list[logging.LogRecord] = []

    class Listener(logging.Handler):
        """Keep the records."""

        def emit(self, record: logging.LogRecord) -> None:
            """Keep one."""
            records.append(record)

    @logger
    def listening(_context):
        made = logging.getLogger("ipy_orch.tests.listening")
        made.setLevel(logging.INFO)
        made.addHandler(Listener())
        return made

    @op
    def talking(context):
        context.log.info("hello")
        context.log.debug("not heard")

    @job(logger_defs={"listening": listening, "silent": listening})
    def talks():
        talking()

    talks.execute_in_process(run_config={"loggers": {"listening": {}}})
    assert ["talking - hello" in record.getMessage() for record in records] == [True]
