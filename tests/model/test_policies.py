"""Policies: how often, how long to wait, how many partitions."""

from __future__ import annotations

import pickle

import pytest

from ipy_orch.errors import CheckError, DagsterInvalidDefinitionError
from ipy_orch.model.metadata.value import MetadataValue
from ipy_orch.model.policies import (
    BackfillPolicy,
    BackfillPolicyType,
    Backoff,
    Failure,
    Jitter,
    RetryPolicy,
    RetryRequested,
)


@pytest.mark.parametrize(
    ("policy", "delays"),
    [
        (RetryPolicy(), [0, 0, 0]),
        (RetryPolicy(delay=2), [2, 2, 2]),
        (RetryPolicy(delay=2, backoff=Backoff.LINEAR), [2, 4, 6]),
        (RetryPolicy(delay=2, backoff=Backoff.EXPONENTIAL), [2, 6, 14]),
        (RetryPolicy(delay=0.5, backoff=Backoff.EXPONENTIAL), [0.5, 1.5, 3.5]),
    ],
    ids=repr,
)
def test_delays_grow(policy, delays):
    """The delay after attempts 1, 2 and 3."""
    assert [policy.calculate_delay(attempt) for attempt in (1, 2, 3)] == delays


@pytest.mark.parametrize(("jitter", "low", "high"), [(Jitter.FULL, 0, 6), (Jitter.PLUS_MINUS, 4, 8)])
def test_jitter_stays_in_its_bounds(jitter, low, high):
    """Full: anywhere below the delay; plus-minus: one plain delay to each side."""
    policy = RetryPolicy(delay=2, backoff=Backoff.LINEAR, jitter=jitter)
    delays = [policy.calculate_delay(3) for _ in range(200)]
    assert low <= min(delays) < max(delays) <= high


@pytest.mark.parametrize("change", [{"backoff": Backoff.LINEAR}, {"jitter": Jitter.FULL}])
def test_what_changes_a_delay_needs_one(change):
    """A backoff of no delay is a mistake."""
    with pytest.raises(DagsterInvalidDefinitionError, match="delay"):
        RetryPolicy(**change)


@pytest.mark.parametrize("wrong", [{"max_retries": "x"}, {"delay": "x"}, {"delay": 1, "backoff": "LINEAR"}])
def test_policy_checks_types(wrong):
    """Strings aren't numbers and not members of an enum."""
    with pytest.raises(CheckError):
        RetryPolicy(**wrong)


def test_policies_are_values():
    """Equal by content, usable as keys, brief to read."""
    assert len({RetryPolicy(2, 1.5), RetryPolicy(2, 1.5)}) == 1
    assert repr(RetryPolicy(max_retries=3)) == "RetryPolicy(max_retries=3)"


def test_retry_requested_carries_its_wish():
    """The engine reads both, also from another process."""
    request = pickle.loads(pickle.dumps(RetryRequested(max_retries=3, seconds_to_wait=1.5)))
    assert (request.max_retries, request.seconds_to_wait) == (3, 1.5)
    assert RetryRequested().max_retries == 1
    with pytest.raises(CheckError):
        RetryRequested(None)


def test_failure_carries_description_and_metadata():
    """Metadata is normalised, retries are allowed unless said otherwise."""
    failure = pickle.loads(pickle.dumps(Failure("bad", {"rows": 3}, allow_retries=False)))
    assert (str(failure), failure.description, failure.allow_retries) == ("bad", "bad", False)
    assert failure.metadata == {"rows": MetadataValue.int(3)}
    assert (Failure().description, Failure().metadata, Failure().allow_retries) == (None, {}, True)
    with pytest.raises(CheckError):
        Failure(1)


def test_backfill_policies():
    """One run for all, or runs of so many partitions."""
    assert BackfillPolicy.single_run().policy_type is BackfillPolicyType.SINGLE_RUN
    assert BackfillPolicy.multi_run(5).policy_type is BackfillPolicyType.MULTI_RUN
    assert BackfillPolicy.multi_run() == BackfillPolicy(max_partitions_per_run=1)
    assert str(BackfillPolicy.single_run()) == "BackfillPolicy.single_run()"
    with pytest.raises(CheckError):
        BackfillPolicy.multi_run(max_partitions_per_run=None)
