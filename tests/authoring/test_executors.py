"""The decorator that makes executors."""

from __future__ import annotations

from ipy_orch.authoring.executors import executor
from ipy_orch.model.executors import ExecutorRequirement


def test_without_arguments():
    """The name and the documentation are the function's."""

    @executor
    def threads(context):
        """Run on threads."""

    assert (threads.name, threads.description, threads.requirements) == ("threads", "Run on threads.", ())


def test_with_arguments():
    """Options are the definition's."""

    @executor("mine", {"threads": int}, [ExecutorRequirement.PERSISTENT_OUTPUTS])
    def threads(context):
        return context.executor_config

    assert (threads.name, threads.requirements) == ("mine", [ExecutorRequirement.PERSISTENT_OUTPUTS])
    assert threads.created({"threads": 2}) == {"threads": 2}
