"""Where the steps of a run run."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor

import pytest

from ipy_orch.errors import DagsterUnmetExecutorRequirementsError
from ipy_orch.execution.workers.places import executor_of
from ipy_orch.model.executors import (
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
