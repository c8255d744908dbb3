"""Ops that are tried again: by policy, by request, each copy for itself."""

from __future__ import annotations

from typing import Any

import pytest

from ipy_orch import (
    Failure,
    GraphDefinition,
    In,
    IOManager,
    Nothing,
    RetryPolicy,
    RetryRequested,
    graph,
    job,
    op,
)
from ipy_orch.errors import DagsterMaxRetriesExceededError
from tests.execution.ops import one


def test_an_op_may_ask_to_be_tried_again():
    """As often as it says."""
    tried = []

    @op
    def stubborn():
        tried.append(1)
        if len(tried) < 3:
            raise RetryRequested(max_retries=2)
        return len(tried)

    @graph
    def only():
        return stubborn()

    result = only.execute_in_process()
    assert (result.output_value(), result.retry_attempts_for_node("stubborn")) == (3, 2)


@pytest.mark.parametrize(
    ("own", "node", "around", "tries"),
    [(2, None, None, 3), (2, 1, None, 2), (None, None, 1, 2), (2, None, 1, 3), (None, None, None, 1)],
    ids=["op", "node before op", "graph around", "op before graph", "none"],
)
def test_the_nearest_retry_policy_holds(own, node, around, tries):
    """That of the node, then of the op, then of the graphs around it."""
    tried = []

    def policy(many: int | None) -> RetryPolicy | None:
        return None if many is None else RetryPolicy(max_retries=many)

    @op(retry_policy=policy(own))
    def broken():
        tried.append(1)
        raise OSError

    @graph
    def inner():
        (broken if node is None else broken.with_retry_policy(policy(node)))()

    @graph
    def outer():
        (inner if around is None else inner.with_retry_policy(policy(around)))()

    outer.execute_in_process(raise_on_error=False)
    assert len(tried) == tries


def test_a_failure_that_allows_no_retries():
    """It isn't tried again, whatever the policy says."""
    tried = []

    @op(retry_policy=RetryPolicy(max_retries=3))
    def broken():
        tried.append(1)
        raise Failure("no use", allow_retries=False)

    @graph
    def only():
        broken()

    assert not only.execute_in_process(raise_on_error=False).success
    assert len(tried) == 1


class Shaky(IOManager):
    """Fail to load once, then load."""

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}
        self.loads = 0

    def handle_output(self, context: Any, obj: Any) -> None:
        """Keep a value."""
        self.values[context.step_key] = obj

    def load_input(self, context: Any) -> Any:
        """Return a value, the second time."""
        self.loads += 1
        if self.loads == 1:
            raise OSError("line is down")
        return self.values[context.upstream_output.step_key]


def test_an_error_of_a_load_is_forgotten_when_the_load_is_tried_again():
    """What another step raises meanwhile is its own, and no error of an IO manager."""

    @op(retry_policy=RetryPolicy(max_retries=1, delay=0.05))
    def patient(number):
        return number

    @op(ins={"after": In(Nothing)})
    def broken():
        raise ValueError("own")

    @job(resource_defs={"io_manager": Shaky()})
    def tries():
        number = one()
        patient(number)
        broken(number)

    result = tries.execute_in_process(raise_on_error=False)
    assert result.output_for_node("patient") == 1
    assert result.failure_data_for_node("broken").error.cls_name == "DagsterExecutionStepExecutionError"


def test_a_request_that_was_used_up():
    """Why the op asked is raised; where it didn't say, that it asked once too often."""

    def asking(cause):
        @op
        def step():
            raise RetryRequested(max_retries=1) from cause

        return GraphDefinition("asking", node_defs=[step])

    with pytest.raises(DagsterMaxRetriesExceededError, match=r"`step` asked for another attempt.*max_retries=1"):
        asking(None).execute_in_process()
    with pytest.raises(ZeroDivisionError):
        asking(ZeroDivisionError("no")).execute_in_process()
