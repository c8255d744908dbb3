"""Values of assets, from the session's own store or an IO manager of the user's; and letting go of them."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ipy_orch.errors import DagsterInvariantViolationError
from ipy_orch.events.types import Forgotten
from ipy_orch.execution.load import load_value
from ipy_orch.model.keys import AssetKey
from ipy_orch.model.partitions.definition import PartitionsDefinition
from ipy_orch.planning.partitioning import Reading
from ipy_orch.session.names import is_elsewhere
from ipy_orch.session.partitions.choosing import Which, cuts_of, keys_in
from ipy_orch.session.partitions.status import not_partitioned
from ipy_orch.session.partitions.values import whole
from ipy_orch.session.report import Report
from ipy_orch.session.scan import Scanned

if TYPE_CHECKING:
    from ipy_orch.session.session import Session

__all__ = ["Values"]


class Values:
    """Load the values of a session's assets."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def value(self, name: Any, partition: Which = None, *, by_key: bool = False) -> Any:
        """Return the value of an asset, brought up to date first; see :meth:`Session.value`."""
        session = self.session
        scanned = session.scan()
        key = session.key(name, scanned)
        cut = cuts_of([key], scanned.graph).get(key)
        if cut is not None:
            return self.value_of_partitions(scanned, key, cut, partition, by_key=by_key)
        if partition is not None and scanned.graph.spec(key).partitions_def is None:
            raise not_partitioned(key)
        if scanned.graph.makers[key].is_materializable:
            raise_first(session.materialize([key], what=f"value of {key.label}"))
        return self.load(scanned, key, partition if isinstance(partition, str) else None)

    def value_of_partitions(
        self, scanned: Scanned, key: AssetKey, cut: PartitionsDefinition, asked: Which, *, by_key: bool
    ) -> Any:
        """Return the value of a partition, or those of several as one.

        Raises:
            DagsterInvariantViolationError: when none was made, and nobody said which.
        """
        session = self.session
        with session.instance.looking():
            keys = self.made(key, cut) if asked is None else keys_in(asked, cut)
            alone = isinstance(asked, str) and len(keys) == 1 and ".." not in asked
            if not keys:
                last = cut.get_last_partition_key()
                hint = f"session.value({key.label!r}, {last!r}), or %backfill {key.label}" if last else ""
                raise DagsterInvariantViolationError(f"no partition of `{key.label}` has been made", hint=hint)
        raise_first(session.materialize([key], partition=keys, what=f"value of {key.label}"))
        if alone and not by_key:
            return self.load(scanned, key, keys[0])
        if by_key or not is_elsewhere(key, scanned.graph.makers[key], scanned):
            values = {one: self.load(scanned, key, one) for one in keys}
            return values if by_key else whole(values)
        found = self.load_elsewhere(scanned, key, keys)
        return whole(found) if isinstance(found, dict) and found.keys() == set(keys) else found

    def made(self, key: AssetKey, cut: PartitionsDefinition) -> tuple[str, ...]:
        """Return the partitions of an asset that were made, in order."""
        known = self.session.ledger.materialized
        return tuple(one for one in cut.get_partition_keys() if (key, one) in known)

    def load(self, scanned: Scanned, key: AssetKey, partition: str | None = None) -> Any:
        """Return a value that is kept, from the session or its IO manager; what a damaged file had is made again."""
        session, maker = self.session, scanned.graph.makers[key]
        if not is_elsewhere(key, maker, scanned):
            if session.persistence.is_lost(key, partition):
                session.materialize([key], partition=partition, what=f"value of {key.label}")
            if partition is not None and session.store.has(key, partition):
                return session.store.get(key, partition)
        return self.load_elsewhere(scanned, key, partition)

    def load_elsewhere(self, scanned: Scanned, key: AssetKey, partitions: str | Sequence[str] | None) -> Any:
        """Return a value as its IO manager has it; of several partitions as it gives them together."""
        session = self.session
        resources, config = {"io_manager": session.store, **scanned.resources}, session.planning.configured(scanned)
        return load_value(key, scanned.graph.makers[key], resources, config, partitions, session.instance)

    def recall(self, name: str) -> str:
        """Load what an IO manager of the user's keeps into its variable; return why not, where the asset is stale."""
        session = self.session
        scanned, key = session.scan(), session.names.elsewhere[name]
        if key in cuts_of([key], scanned.graph):
            return self.recall_partitions(scanned, key)
        reason = next((str(step.reason) for step in session.plan([key]).steps if key in step.keys), "")
        if not reason:
            session.names.place(key, self.load(scanned, key))
        return reason

    def recall_partitions(self, scanned: Scanned, key: AssetKey) -> str:
        """Load the partitions that were made as one value; return why not, where some aren't good any more."""
        found = self.session.planning.survey(scanned).partitions[key]
        bad = [f"{many:,} partitions {word}" for word, many in found.counts.items() if word in ("stale", "failed")]
        keys = [one for one in found.keys if found.status(one).word in ("fresh", "evicted")]
        if bad or not keys:
            return ", ".join(bad) or "no partition has been made"
        self.session.names.place(key, self.value(key, keys))
        return ""

    def open(self, name: Any, partition: str | None = None) -> dict[str, Any]:
        """Return an asset's inputs, config and resources by name, as its function would get them."""
        session = self.session
        scanned = session.scan()
        key = session.key(name, scanned)
        maker = scanned.graph.makers[key]
        partitions = self.read_by(scanned, key, partition)
        config = session.planning.configured(scanned, needed=[maker.op.name])
        inputs = {
            argument: self.value(dep, partitions.get(dep))
            for argument, dep in maker.keys_by_input_name.items()
            if not maker.op.ins[argument].is_nothing
        }
        call = maker.op.signature
        settings = {call.config: config.op_config(maker.op.name)} if call.config else {}
        resources = {name: scanned.resources[key] for name, key in call.resources.items()}
        return {**inputs, **settings, **resources}

    def read_by(self, scanned: Scanned, key: AssetKey, partition: str | None) -> Mapping[AssetKey, Which]:
        """Return which partitions of what it reads a partition reads; by default the last one."""
        cut = cuts_of([key], scanned.graph).get(key)
        with self.session.instance.looking():
            reading = Reading.of_assets(scanned.graph.makers[key], [key], scanned.graph)
            if cut is not None:
                reading = reading.at(*keys_in(partition or "last", cut))
            read = {dep: reading.all(dep) for dep in reading.links}
        return {dep: keys[0] if len(keys) == 1 else keys for dep, keys in read.items() if keys}

    def forget(self, selection: Any) -> list[AssetKey]:
        """Drop the values of assets and all that is known of them; they count as never materialized."""
        session = self.session
        keys = sorted(session.resolve(session.scan(), selection))
        for key in keys:
            session.store.drop(key)
            session.names.unbind(key)
            session.log.append(Forgotten("", time.time(), "", key))
        return keys


def raise_first(done: Report) -> None:
    """Raise what a function raised first, if one did.

    Raises:
        Exception: that.
    """
    for error in done.errors.values():
        raise error
