"""What to do about failure, and how a backfill is cut into runs."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from ipy_orch.errors import DagsterInvalidDefinitionError
from ipy_orch.model.metadata.plain import normalize_metadata
from ipy_orch.model.metadata.value import MetadataValue
from ipy_orch.model.tables import Brief, typed

__all__ = ["BackfillPolicy", "BackfillPolicyType", "Backoff", "Failure", "Jitter", "RetryPolicy", "RetryRequested"]


class Backoff(Enum):
    """Say how the delay between attempts grows."""

    LINEAR = "LINEAR"
    EXPONENTIAL = "EXPONENTIAL"

    def grow(self, delay: float, attempt: int) -> float:
        """Return the delay before the next attempt, in seconds, when ``attempt`` (1, 2 ...) has failed."""
        return delay * (attempt if self is Backoff.LINEAR else 2**attempt - 1)


class Jitter(Enum):
    """Say how the delay between attempts is made irregular, so that many steps don't retry at once."""

    FULL = "FULL"
    PLUS_MINUS = "PLUS_MINUS"

    def shake(self, grown: float, delay: float) -> float:
        """Return a random delay: anywhere below ``grown``, or as far from it as one plain ``delay``."""
        if self is Jitter.FULL:
            return random.random() * grown  # noqa: S311 - no secret
        return grown + random.uniform(-delay, delay)  # noqa: S311


@dataclass(frozen=True, repr=False)
class RetryPolicy(Brief):
    """Say how often a failed step is tried again, and after how long.

    Args:
        max_retries: attempts after the first one.
        delay: seconds before the next attempt.
        backoff: how the delay grows from one attempt to the next.
        jitter: how it is made irregular.

    Raises:
        CheckError: when an argument has the wrong type.
        DagsterInvalidDefinitionError: for a backoff or jitter without a delay.
    """

    max_retries: int = 1
    delay: float | None = None
    backoff: Backoff | None = None
    jitter: Jitter | None = None

    def __post_init__(self) -> None:
        typed(self.max_retries, int, "max_retries")
        typed(self.delay, (int, float, type(None)), "delay")
        typed(self.backoff, (Backoff, type(None)), "backoff")
        typed(self.jitter, (Jitter, type(None)), "jitter")
        if self.delay is None and (self.backoff or self.jitter):
            change = "backoff" if self.backoff else "jitter"
            raise DagsterInvalidDefinitionError(f"`{change}` changes a `delay`, which isn't given", hint="`delay=1`")

    def calculate_delay(self, attempt_num: int) -> float:
        """Return the seconds to wait after the failure of an attempt (1, 2 ...).

        >>> RetryPolicy(max_retries=3, delay=2, backoff=Backoff.EXPONENTIAL).calculate_delay(3)
        14
        """
        delay = self.delay or 0
        grown = self.backoff.grow(delay, attempt_num) if self.backoff else delay
        return self.jitter.shake(grown, delay) if self.jitter else grown


class RetryRequested(Exception):
    """Be raised by a step that wants to be tried again.

    Args:
        max_retries: attempts after the first one.
        seconds_to_wait: before the next attempt.
    """

    def __init__(self, max_retries: int | None = 1, seconds_to_wait: float | None = None) -> None:
        super().__init__()
        self.max_retries: int = typed(max_retries, int, "max_retries")
        self.seconds_to_wait: float | None = typed(seconds_to_wait, (int, float, type(None)), "seconds_to_wait")

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.max_retries, self.seconds_to_wait)


class Failure(Exception):
    """Be raised by a step that fails in a known way.

    Args:
        description: what went wrong, for people.
        metadata: more about it.
        allow_retries: False when trying again can't help, whatever the retry policy.
    """

    def __init__(
        self,
        description: str | None = None,
        metadata: Mapping[str, Any] | None = None,
        allow_retries: bool | None = None,
    ) -> None:
        super().__init__(typed(description, (str, type(None)), "description"))
        self.description = description
        self.metadata: dict[str, MetadataValue] = {} if metadata is None else normalize_metadata(metadata)
        self.allow_retries = True if allow_retries is None else allow_retries

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.description, self.metadata, self.allow_retries)


class BackfillPolicyType(Enum):
    """Tell one run for all partitions from several."""

    SINGLE_RUN = "SINGLE_RUN"
    MULTI_RUN = "MULTI_RUN"


@dataclass(frozen=True)
class BackfillPolicy:
    """Say how many partitions one run of a backfill takes; None takes them all.

    >>> BackfillPolicy.multi_run(max_partitions_per_run=10).policy_type.value
    'MULTI_RUN'
    """

    max_partitions_per_run: int | None = 1

    @staticmethod
    def single_run() -> BackfillPolicy:
        """Return the policy of one run for all partitions."""
        return BackfillPolicy(None)

    @staticmethod
    def multi_run(max_partitions_per_run: int = 1) -> BackfillPolicy:
        """Return the policy of runs of at most so many partitions.

        Raises:
            CheckError: when the number isn't an int.
        """
        return BackfillPolicy(typed(max_partitions_per_run, int, "max_partitions_per_run"))

    @property
    def policy_type(self) -> BackfillPolicyType:
        """Tell whether one run takes all partitions."""
        return BackfillPolicyType.MULTI_RUN if self.max_partitions_per_run else BackfillPolicyType.SINGLE_RUN

    def __str__(self) -> str:
        many = self.max_partitions_per_run
        return f"BackfillPolicy.multi_run(max_partitions_per_run={many})" if many else "BackfillPolicy.single_run()"
