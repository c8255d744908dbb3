"""Where the steps of a run run."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor

import pytest

from ipy_orch import job
from ipy_orch.errors import DagsterInvalidConfigError, DagsterUnmetExecutorRequirementsError
from ipy_orch.execution.workers.executors import ContextThreads, InlineExecutor
from ipy_orch.execution.workers.lanes import Lanes, Place
from ipy_orch.execution.workers.places import executor_of, place_of_job
from ipy_orch.model.executors import (
    Executor,
    ExecutorDefinition,
    as_executor,
    in_process_executor,
    multiprocess_executor,
)


@pytest.mark.parametrize("definition", [None, in_process_executor])
def test_the_calling_thread(definition):
    """It is what a job without an executor, and one in this process, run on."""
    with executor_of(definition) as place:
        assert place is None


def test_what_a_run_made_is_shut_down():
    """An executor that was there before is left as it is."""
    pools = [ThreadPoolExecutor(3), ThreadPoolExecutor(3)]
    with executor_of(ExecutorDefinition("made", executor_creation_fn=lambda context: pools[0])) as place:
        assert place.executor.submit(int).result() == 0
        assert place.slots == 3
    with executor_of(as_executor(pools[1])) as place:
        assert place.executor.submit(int).result() == 0

    with pytest.raises(RuntimeError, match="shutdown"):
        pools[0].submit(print)
    assert pools[1].submit(int).result() == 0
    pools[1].shutdown()


def test_what_is_no_executor_of_python():
    """It is refused when a run would need it."""
    definition = ExecutorDefinition("made", executor_creation_fn=lambda context: 5)
    with pytest.raises(DagsterUnmetExecutorRequirementsError, match="`int`"), executor_of(definition):
        pass


def test_processes():
    """What a cell defines runs in another process, and what it returns comes back."""

    class Answer:
        def __init__(self, process):
            self.process = process

    with executor_of(multiprocess_executor, {"max_concurrent": 1}) as place:
        answer = place.executor.submit(lambda offset: Answer(os.getpid() + offset), 0).result(60)

    assert place.is_away
    assert answer.process != os.getpid()


def test_lanes():
    """Steps wait for their own place, in their order; those of the calling thread come last, one at a time."""
    here, pool = Place(InlineExecutor()), Place(ContextThreads(2), 2)
    lanes = Lanes(here, dict.fromkeys("bcd", pool))
    lanes.add("abcde")
    assert lanes.take([]) == ["b", "c", "a"]
    assert lanes.take("bca") == []
    assert lanes.take("ca") == ["d"]
    lanes.add("b")
    assert lanes.take("c") == ["b", "e"]


def test_a_job_that_says_where():
    """Its executor counts, else the config of Dagster's own; what isn't known in run config is refused."""

    @job
    def plain(): ...

    pool = ThreadPoolExecutor(1)
    config = {"execution": {"config": {"multiprocess": {"max_concurrent": 2}}}}
    with place_of_job(plain, config) as place:
        assert (place.is_away, place.slots) == (True, 2)
    with place_of_job(plain.with_executor_def(pool), {}) as place:
        assert place.executor.submit(int).result() == 0
    with place_of_job(plain.with_executor_def(in_process_executor), {}) as place:
        assert place is None
    with pytest.raises(DagsterInvalidConfigError, match="holds `config`"), place_of_job(plain, {"execution": 1}):
        pass
    walks = ExecutorDefinition("walks", executor_creation_fn=lambda context: Walking())
    with (
        pytest.raises(DagsterUnmetExecutorRequirementsError, match="walks Dagster's plan"),
        place_of_job(plain.with_executor_def(walks), {}),
    ):
        pass
    pool.shutdown()


class Walking(Executor):
    """Be an executor of Dagster's kind."""

    retries = None

    def execute(self, plan_context, execution_plan):
        raise NotImplementedError
