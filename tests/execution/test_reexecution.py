"""Jobs through an instance, and going on from a run of one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from ipy_orch import (
    DagsterInstance,
    DagsterInvariantViolationError,
    DynamicOut,
    DynamicOutput,
    ReexecutionOptions,
    build_reconstructable_job,
    execute_job,
    instance_for_test,
    job,
    op,
    reconstructable,
)
from ipy_orch.errors import CheckError, DagsterExecutionStepNotFoundError, DagsterRunNotFoundError

CALLS: list[Any] = []
BROKEN: set[Any] = set()


@op(out=DynamicOut())
def numbers() -> Iterator[Any]:
    """Yield three numbers."""
    CALLS.append("numbers")
    for number in (1, 2, 3):
        yield DynamicOutput(number, f"n{number}")


@op
def times_ten(number: int) -> int:
    """Return ten times the number."""
    CALLS.append(number)
    if number in BROKEN:
        raise ValueError(number)
    return 10 * number


@op(config_schema={"plus": int})
def total(context: Any, several: list[int]) -> int:
    """Return the sum and what config adds."""
    CALLS.append("total")
    return sum(several) + int(context.op_config["plus"])


@job
def fan() -> None:
    """Add ten times each number."""
    total(numbers().map(times_ten).collect())


def not_a_job() -> int:
    """Return no job."""
    return 1


CONFIG = {"ops": {"total": {"config": {"plus": 1}}}}


@pytest.fixture
def instance() -> Iterator[DagsterInstance]:
    """Return a fresh instance; nothing was called yet, and nothing is broken."""
    CALLS.clear()
    BROKEN.clear()
    with instance_for_test() as made:
        yield made


def test_a_run_through_an_instance(instance: DagsterInstance) -> None:
    """The instance knows the run; values can be asked for."""
    with execute_job(reconstructable(fan), instance, CONFIG, tags={"a": "b"}) as result:
        assert result.output_for_node("total") == 61
    run = instance.get_run_by_id(result.run_id)
    assert run is not None
    assert run.is_success
    assert run.tags["a"] == "b"


def test_from_failure_runs_what_failed(instance: DagsterInstance) -> None:
    """Of the calls for each key only the one that failed, then what comes after it, with the first run's config."""
    BROKEN.add(2)
    first = execute_job(reconstructable(fan), instance, CONFIG)
    assert not first.success
    again = execute_job(
        reconstructable(fan), instance, reexecution_options=ReexecutionOptions.from_failure(first.run_id, instance)
    )
    assert not again.success
    CALLS.clear()
    BROKEN.clear()
    options = ReexecutionOptions.from_failure(again.run_id, instance)
    last = execute_job(reconstructable(fan), instance, reexecution_options=options)
    assert last.output_for_node("total") == 61
    assert CALLS == [2, "total"]
    run = instance.get_run_by_id(last.run_id)
    assert run is not None
    assert (run.parent_run_id, run.root_run_id) == (again.run_id, first.run_id)
    with pytest.raises(DagsterInvariantViolationError, match="didn't fail"):
        ReexecutionOptions.from_failure(last.run_id, instance)


@pytest.mark.parametrize(
    ("selection", "called"),
    [
        (["total"], ["total"]),
        (["times_ten[n2]"], [2]),
        (["times_ten[?]"], [1, 2, 3]),
        (["times_ten[n1]+"], [1, "total"]),
        (["*total"], ["numbers", 1, 2, 3, "total"]),
        (["numbers"], ["numbers"]),
        ([], ["numbers", 1, 2, 3, "total"]),
    ],
)
def test_selected_steps(instance: DagsterInstance, selection: list[str], called: list[Any]) -> None:
    """Steps that are selected run again; the rest is loaded."""
    first = execute_job(reconstructable(fan), instance, CONFIG)
    CALLS.clear()
    options = ReexecutionOptions(first.run_id, selection)
    assert execute_job(reconstructable(fan), instance, CONFIG, reexecution_options=options, raise_on_error=True).success
    assert called == CALLS


def test_what_cannot_be(instance: DagsterInstance) -> None:
    """Unknown runs and steps, and what is no job that can be found again."""
    with pytest.raises(DagsterRunNotFoundError):
        execute_job(reconstructable(fan), instance, reexecution_options=ReexecutionOptions("no", []))
    first = execute_job(reconstructable(fan), instance, CONFIG)
    with pytest.raises(DagsterExecutionStepNotFoundError, match="totl"):
        execute_job(reconstructable(fan), instance, reexecution_options=ReexecutionOptions(first.run_id, ["totl"]))
    with pytest.raises(CheckError):
        execute_job(fan, instance)  # type: ignore[arg-type]
    with pytest.raises(DagsterInvariantViolationError, match="lambda"):
        reconstructable(lambda: fan)
    with pytest.raises(DagsterInvariantViolationError, match="a job is wanted"):
        reconstructable(not_a_job).get_definition()


def test_a_function_of_a_module() -> None:
    """A job is found by module and function, with arguments."""
    assert build_reconstructable_job(__name__, "make", (), {"which": fan}).job_name == "fan"


def make(which: Any) -> Any:
    """Return a job."""
    return which
