"""Definitions of executors."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from ipy_orch.errors import CheckError, DagsterInvalidConfigError
from ipy_orch.model.executors import (
    Executor,
    ExecutorDefinition,
    ExecutorRequirement,
    as_executor,
    in_process_executor,
    multi_or_in_process_executor,
    multiple_process_executor_requirements,
    multiprocess_executor,
)


class OfDagster(Executor):
    """Be an executor as one would write it for Dagster."""

    retries = None

    def execute(self, plan_context, execution_plan):
        yield from ()


def test_requirements():
    """They are a list, or depend on the config."""
    fixed = ExecutorDefinition("fixed", requirements=[ExecutorRequirement.NON_EPHEMERAL_INSTANCE])
    depending = ExecutorDefinition("depending", requirements=lambda config: config["needs"])

    assert fixed.get_requirements({}) == [ExecutorRequirement.NON_EPHEMERAL_INSTANCE]
    assert depending.get_requirements({"needs": []}) == []
    assert multi_or_in_process_executor.get_requirements({"in_process": {}}) == ()
    assert multiprocess_executor.get_requirements({}) == multiple_process_executor_requirements()


def test_what_the_function_learns():
    """It gets the config with defaults, the job and its own definition."""
    seen = []
    definition = ExecutorDefinition("mine", {"threads": int}, executor_creation_fn=seen.append)
    definition.configured({"threads": 3}, name="three").created(job="job", instance="instance")

    (context,) = seen
    assert (context.executor_config, context.job, context.instance) == ({"threads": 3}, "job", "instance")
    assert context.executor_def.name == "three"
    with pytest.raises(DagsterInvalidConfigError, match="threads"):
        definition.created({})


def test_anything_that_can_be_one():
    """Executors of Python and of Dagster's shape become definitions; nothing else does."""
    pool, own = ThreadPoolExecutor(1), OfDagster()

    assert as_executor(in_process_executor) is in_process_executor
    assert as_executor(pool).created() is pool
    assert as_executor(own).executor_creation_fn(None) is own
    with pytest.raises(CheckError):
        as_executor("threads")


def test_executors_that_are_there():
    """Their config is checked, and the calling thread needs none of them."""
    assert in_process_executor.created() is None
    assert multi_or_in_process_executor.created({"in_process": {}}) is None
    with pytest.raises(DagsterInvalidConfigError, match="max_concurent"):
        multiprocess_executor.created({"max_concurent": 2})
    with pytest.raises(DagsterInvalidConfigError):
        multi_or_in_process_executor.created({"in_process": {}, "multiprocess": {}})
