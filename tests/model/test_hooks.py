"""Hooks as values."""

from __future__ import annotations

import pytest

from ipy_orch.errors import CheckError, DagsterInvalidDefinitionError
from ipy_orch.model.hooks import HookDefinition


def test_a_hook_is_a_value():
    """Two hooks of one name and function are one in a set."""

    def tell(context, events): ...

    one = HookDefinition(name="tell", hook_fn=tell, required_resource_keys={"chat"})

    assert {one, HookDefinition(name="tell", hook_fn=tell, required_resource_keys=["chat"])} == {one}


def test_what_can_be_no_hook():
    """Names are well formed, and the function can be called."""
    with pytest.raises(DagsterInvalidDefinitionError, match="`a b` can't be a name of a hook"):
        HookDefinition(name="a b", hook_fn=print)
    with pytest.raises(CheckError, match="`hook_fn` is a function"):
        HookDefinition(name="tell", hook_fn=5)


def test_as_a_decorator():
    """A hook sets itself on whatever takes hooks."""

    class Job:
        def with_hooks(self, hooks):
            return self, hooks

    hook, job = HookDefinition(name="tell", hook_fn=print), Job()

    assert hook(job) == (job, {hook})
