"""The instance of a session, ``context.instance``: its log, runs and dynamic partitions under Dagster's names."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from typing import Any

from ipy_orch.errors import CheckError, DagsterInvariantViolationError
from ipy_orch.events.ledger import Ledger
from ipy_orch.events.log import EventLog
from ipy_orch.events.runs import Runs
from ipy_orch.events.types import Event, PartitionsChanged
from ipy_orch.execution.records.instance import DagsterInstance
from ipy_orch.model.partitions.contexts import partition_loading_context
from ipy_orch.model.partitions.definition import valid_keys

__all__ = ["SessionInstance"]


class SessionInstance(DagsterInstance):
    """Answer from what a session keeps. Dynamic partitions are events like any other, so they outlive the kernel."""

    storage_directory = None  # type: ignore[assignment]  # IO managers of files go where they would without an instance

    def __init__(self, log: EventLog, ledger: Ledger, history: Runs) -> None:
        super().__init__()
        self.log, self.ledger, self.history = log, ledger, history

    def looking(self) -> AbstractContextManager[Any]:
        """Have partitions be looked at with the dynamic ones of the session, while a block runs."""
        return partition_loading_context(dynamic_partitions_store=self)

    def number_of(self, event: Event) -> int:  # noqa: ARG002 - nobody asks for it in a session, and looking is slow
        """Return no number: the log of a session is as long as its life."""
        return 0

    def delete_run(self, run_id: str) -> None:
        """Refuse: what happened in a session isn't changed.

        Raises:
            DagsterInvariantViolationError: always.
        """
        told = f"run `{run_id}` can't be deleted: a session keeps what happened"
        raise DagsterInvariantViolationError(told, hint="`wipe_assets`, or `%forget`, to have an asset made again")

    def get_backfills(self, *_: Any, **__: Any) -> list[Any]:
        """Refuse: those of a session aren't Dagster's.

        Raises:
            DagsterInvariantViolationError: always.
        """
        raise DagsterInvariantViolationError(
            "a session tells of its backfills otherwise", hint="`session().backfills()`"
        )

    # -- dynamic partitions -------------------------------------------------------------------------------------------

    def add_dynamic_partitions(self, partitions_def_name: str, partition_keys: Sequence[str]) -> None:
        """Add keys to the partitions of a name; those that are there stay where they are.

        Raises:
            DagsterInvalidDefinitionError: when a key can't be one.
            CheckError: when they aren't a list of strings.
        """
        if isinstance(partition_keys, str):
            raise CheckError(f"`partition_keys` is a list of strings, not the string {partition_keys!r}")
        known = self.known(partitions_def_name)
        new = tuple(key for key in dict.fromkeys(valid_keys(partition_keys)) if key not in known)
        if new:
            self.log.append(PartitionsChanged("", time.time(), "", partitions_def_name, added=new))

    def delete_dynamic_partition(self, partitions_def_name: str, partition_key: str) -> None:
        """Take a key away; one that isn't there is passed over."""
        self.delete_dynamic_partitions(partitions_def_name, [partition_key])

    def delete_dynamic_partitions(self, partitions_def_name: str, partition_keys: Sequence[str]) -> None:
        """Take keys away."""
        known = self.known(partitions_def_name)
        gone = tuple(key for key in partition_keys if key in known)
        if gone:
            self.log.append(PartitionsChanged("", time.time(), "", partitions_def_name, removed=gone))

    def get_dynamic_partitions(self, partitions_def_name: str) -> Sequence[str]:
        """Return the keys, in the order in which they were added."""
        return list(self.known(partitions_def_name))

    def has_dynamic_partition(self, partitions_def_name: str, partition_key: str) -> bool:
        """Tell whether there is a key."""
        return partition_key in self.known(partitions_def_name)

    def get_existing_dynamic_partitions(self, partitions_def_name: str, partition_keys: Iterable[str]) -> set[str]:
        """Return those of some keys that are there."""
        return set(partition_keys) & self.known(partitions_def_name).keys()

    def known(self, name: str) -> dict[str, PartitionsChanged]:
        """Return the keys of a name, and what added each."""
        return self.ledger.partitions.get(name, {})
