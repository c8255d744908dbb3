"""Why an asset stands as it does, and which plain cells are behind what it depends on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from ipy_orch.errors import DagsterError
from ipy_orch.model.assets import AssetsDefinition
from ipy_orch.model.definitions import Definitions
from ipy_orch.model.env import redact
from ipy_orch.model.graphs.graph import GraphDefinition
from ipy_orch.model.keys import AssetKey
from ipy_orch.planning.lineage import made_together
from ipy_orch.planning.partition_statuses import PartitionStatuses
from ipy_orch.planning.plan import Plan, Request
from ipy_orch.session.cellbook import Behind
from ipy_orch.session.config.environments import cell_name
from ipy_orch.session.partitions.choosing import cut_of, keys_in
from ipy_orch.session.partitions.status import not_partitioned
from ipy_orch.session.refusals import survey_of_all
from ipy_orch.session.scan import Scanned
from ipy_orch.session.why import Why, explain

if TYPE_CHECKING:
    from ipy_orch.session.session import Session

__all__ = ["behind", "why"]

BAD: Final = ("failed", "stale")
HOLDERS: Final = (AssetsDefinition, Definitions)


def why(session: Session, name: Any, partition: str | None = None) -> Why:
    """Return what has changed since an asset's value was made. Reads only: nothing is run.

    Args:
        partition: of a partitioned asset; by default the first that was made and isn't fresh, else the last one.
    """
    scanned, ledger = session.scan(), session.ledger
    key = session.key(name, scanned)
    config = session.planning.configured(scanned)
    knowledge = session.planning.knowledge(scanned, config)
    with session.instance.looking():
        found = survey_of_all(scanned.graph, ledger, knowledge)
        if partition is not None and key not in found.partitions:
            raise not_partitioned(key)
        status, one = found.assets.get(key), None
        if key in found.partitions:
            cut = found.partitions[key]
            is_fine = partition is None and status is not None and status.word == "fresh"
            one = None if is_fine else partition_to_explain(cut, partition)
            status = cut.status(one) if one is not None else status
        keys = made_together(scanned.graph, key)
        request = Request(keys, of_asset=dict.fromkeys(keys, () if one is None else (one,)))
        planned = session.planning.planned(scanned, request, config)
    told = {**found.assets, **({} if status is None else {key: status})}
    made = explain(key, scanned.graph, ledger, planned, told, knowledge, behind(session, planned, scanned), one)
    notes = others(found.partitions[key], one) if partition is None and one is not None else ()
    return replace(made, notes=(*notes, *given_before(session, key, scanned.graph.makers[key])))


def given_before(session: Session, key: AssetKey, maker: AssetsDefinition) -> tuple[str, ...]:
    """Return what run config was given for an asset, which stays for the session."""
    said = (session.run_config.get("ops") or {}).get(maker.op.name) if maker.is_executable else None
    if not isinstance(said, Mapping) or not said:
        return ()
    fields = said.get("config", said)
    told = ", ".join(f"{name}: {one}" for name, one in fields.items()) if isinstance(fields, Mapping) else fields
    return (
        f"config that was given, and stays: {redact(str(told))} (`%materialize {key.label} --config {{}}` drops it)",
    )


def others(found: PartitionStatuses, told: str) -> tuple[str, ...]:
    """Return how many other partitions aren't fresh, where one stands for all."""
    counts = {word: len([one for one in found.known if one != told and found.status(one).word == word]) for word in BAD}
    parts = [f"{many:,} {word}" for word, many in counts.items() if many]
    return (f"and so are others: {', '.join(parts)} (`%partitions`)",) if parts else ()


def partition_to_explain(found: PartitionStatuses, asked: str | None) -> str | None:
    """Return the partition that is asked for, else the first that there is something to tell of."""
    if asked is not None:
        return keys_in(asked, found.cut)[0]
    first = next((one for one in found.keys if found.status(one).word in BAD), None)
    return first if first is not None else next(iter(reversed(found.keys)), None)


def behind(session: Session, planned: Plan, scanned: Scanned) -> list[Behind]:
    """Return the plain cells that are behind and on which what was asked for depends."""
    names = names_of(session, {scanned.graph.makers[key] for key in planned.looked_at})
    names |= roots(session, planned.looked_at)
    if swapped := names & session.environments.overlay.keys():
        names = names - swapped | {cell_name(session.environments.current)}
    names, stale = with_assets(session, planned, scanned, names)
    return session.book.behind(sorted(names), stale)


def with_assets(session: Session, planned: Plan, scanned: Scanned, names: set[str]) -> tuple[set[str], set[str]]:
    """Return names, and those that assets depend on which plain cells have read for them; and the stale of these."""
    looked_at, stale = set(planned.looked_at), set[str]()
    while True:
        read = {name: key for name in session.book.reads(names) if (key := session.origins.key(name)) is not None}
        new = {key for key in read.values() if key in scanned.graph.makers and cut_of(key, scanned.graph) is None}
        new -= looked_at
        if not new:
            return names, stale
        looked_at |= new
        found = plan_of(session, scanned, new)
        if found is not None:
            looked_at |= {*found.looked_at}
            stale |= {name for name, key in read.items() if key in found.keys}
            names = names | roots(session, found.looked_at)


def plan_of(session: Session, scanned: Scanned, keys: set[AssetKey]) -> Plan | None:
    """Return what would bring assets up to date, None where that can't be said."""
    try:
        return session.planning.planned(scanned, Request(frozenset(keys)), session.planning.configured(scanned))
    except DagsterError:
        return None


def roots(session: Session, keys: Iterable[AssetKey]) -> set[str]:
    """Return the variables that the recipes of assets name."""
    made = (session.ledger.latest.get(key) for key in keys)
    return {root(part.name) for one in made if one is not None for part in one.recipe if part.kind != "input"}


def names_of(session: Session, makers: set[AssetsDefinition]) -> set[str]:
    """Return the variables that hold definitions: their cells read names while they ran, and wired graphs."""
    held = {name for name, value in session.namespace.items() if isinstance(value, HOLDERS) and holds(value, makers)}
    return held | {one.op.compute_fn.__name__ for one in makers if isinstance(one.op_def, GraphDefinition)}


def holds(value: AssetsDefinition | Definitions, makers: set[AssetsDefinition]) -> bool:
    """Tell whether a variable's value is one of some definitions, or a Definitions with one of them."""
    return value in makers if isinstance(value, AssetsDefinition) else not makers.isdisjoint(value.definitions)


def root(name: str) -> str:
    """Return the variable that a part of a recipe is from.

    >>> root("db.path"), root("db: Database.query")
    ('db', 'db')
    """
    return name.partition(":")[0].partition(".")[0]
