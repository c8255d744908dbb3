"""Why an asset stands as it does, and which plain cells are behind what it depends on."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from ipy_orch.model.assets import AssetsDefinition
from ipy_orch.model.definitions import Definitions
from ipy_orch.model.graphs.graph import GraphDefinition
from ipy_orch.planning.partition_statuses import PartitionStatuses
from ipy_orch.planning.plan import Plan, Request
from ipy_orch.planning.survey import survey
from ipy_orch.session.cellbook import Behind
from ipy_orch.session.config.environments import cell_name
from ipy_orch.session.partitions.choosing import keys_in
from ipy_orch.session.partitions.status import not_partitioned
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
        found = survey(scanned.graph, ledger, knowledge)
        if partition is not None and key not in found.partitions:
            raise not_partitioned(key)
        status, one = found.assets.get(key), None
        if key in found.partitions:
            cut = found.partitions[key]
            is_fine = partition is None and status is not None and status.word == "fresh"
            one = None if is_fine else partition_to_explain(cut, partition)
            status = cut.status(one) if one is not None else status
        request = Request(frozenset({key}), of_asset={key: () if one is None else (one,)})
        planned = session.planning.planned(scanned, request, config)
    told = {**found.assets, **({} if status is None else {key: status})}
    made = explain(key, scanned.graph, ledger, planned, told, knowledge, behind(session, planned, scanned), one)
    return made if partition is not None or one is None else replace(made, notes=others(found.partitions[key], one))


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
    for key in planned.looked_at:
        made = session.ledger.latest.get(key)
        names |= {root(part.name) for part in (made.recipe if made is not None else ()) if part.kind != "input"}
    if swapped := names & session.environments.overlay.keys():
        names = names - swapped | {cell_name(session.environments.current)}
    return session.book.behind(sorted(names))


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
