"""Ops that tests of graphs are made of."""

from __future__ import annotations

from typing import Any

from ipy_orch import (
    DynamicOut,
    DynamicOutput,
    Out,
    Output,
    op,
)


@op
def one():
    """Return the smallest number."""
    return 1


@op
def more(number):
    """Add one."""
    return number + 1


@op
def gathered(numbers):
    """Return a list as it comes."""
    return list(numbers)


@op(out={"yes": Out(is_required=False), "no": Out(is_required=False)})
def fork():
    """Make one of two outputs."""
    yield Output(10, "yes")


@op(out=DynamicOut())
def three():
    """Make three values."""
    for number in range(3):
        yield DynamicOutput(number, f"n{number}")


@op(out=DynamicOut())
def none():
    """Make no value at all."""
    yield from ()


def steps(result: Any) -> dict[str, str]:
    """Return how each step ended."""
    ends = {"STEP_SUCCESS": "done", "STEP_FAILURE": "failed", "STEP_SKIPPED": "skipped"}
    return {one.step_key: ends[one.event_type_value] for one in result.all_events if one.event_type_value in ends}
