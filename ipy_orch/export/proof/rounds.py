"""What is materialized to compare values, and in which order: all assets, of those with partitions one partition each.

The other process has nothing of the notebook's, so it also makes each partition that those are made of: a plan without
a ledger says which.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from ipy_orch.errors import DagsterError
from ipy_orch.events.ledger import Ledger
from ipy_orch.export.proof import facts
from ipy_orch.model.keys import AssetKey
from ipy_orch.model.partitions.definition import PartitionsDefinition
from ipy_orch.model.partitions.dynamic import DynamicPartitionsDefinition
from ipy_orch.model.partitions.multi import MultiPartitionsDefinition
from ipy_orch.planning.graph import AssetGraph, ancestors
from ipy_orch.planning.plan import Plan, Request, plan
from ipy_orch.session.partitions.choosing import cuts_of
from ipy_orch.session.scan import Scanned
from ipy_orch.session.session import Session

__all__ = ["Rehearsal", "Rounds", "rounds_of"]

MOST: Final = 100  #: partitions that are made to compare one asset


@dataclass(frozen=True)
class Rehearsal:
    """Be the values that a notebook makes, and how another process is to make them.

    Args:
        values: by name, as :func:`~ipy_orch.export.proof.facts.values` names them.
        rounds: what is materialized together: a partition, or None, and assets by name.
        dynamic: name -> the keys of partitions that come and go.
        told: what isn't compared, and which partitions are.
    """

    values: Mapping[str, Any]
    rounds: tuple[tuple[str | None, tuple[str, ...]], ...]
    dynamic: Mapping[str, list[str]] = field(default_factory=dict)
    told: tuple[str, ...] = ()


@dataclass(frozen=True)
class Rounds:
    """Be what is materialized.

    Args:
        asked: what is compared: a partition, or None, and the assets.
    """

    asked: tuple[tuple[str | None, tuple[AssetKey, ...]], ...]
    rounds: tuple[tuple[str | None, tuple[str, ...]], ...]
    dynamic: Mapping[str, list[str]]
    told: tuple[str, ...]


def rounds_of(session: Session, scanned: Scanned) -> Rounds:
    """Return what of a session is materialized to be compared: the partition made last, else the first."""
    graph = scanned.graph
    keys = graph.in_order(graph.materializable_keys)
    with session.instance.looking():
        cuts = cuts_of(keys, graph)
        chosen: dict[AssetKey, tuple[str, ...]] = {}
        told: list[str] = []
        for key, cut in cuts.items():
            last = session.ledger.latest.get(key)
            found, why = choice(key, cut, last.partition if last is not None else None, graph)
            if found is None:
                told.append(why)
            else:
                chosen[key] = (found,)
        at = ", ".join(f"`{key.label}` at `{one}`" for key, (one,) in chosen.items())
        told[:0] = [f"of what is partitioned, one partition is compared: {at}"] if at else []
        whole = [key for key in keys if key not in cuts]
        if cuts:
            left = [key for key in whole if reads_partitions(key, cuts, graph) and (why := hurdle({key: ()}, graph))]
            told += [f"not compared: `{key.label}` {hurdle({key: ()}, graph)}" for key in left]
            whole = [key for key in whole if key not in left]
        planned = planned_anew(dict.fromkeys(whole, ()) | chosen, graph)
        names = {name for cut in cuts.values() for name in dynamic_names(cut)}
        dynamic = {name: [*session.instance.get_dynamic_partitions(name)] for name in sorted(names)}
    asked = [(None, tuple(whole)), *((one, (key,)) for key, (one,) in chosen.items())]
    return Rounds(tuple(one for one in asked if one[1]), merged(planned), dynamic, tuple(told))


def choice(key: AssetKey, cut: PartitionsDefinition, made: str | None, graph: AssetGraph) -> tuple[str | None, str]:
    """Return the partition of an asset that is compared, and why none is."""
    keys = cut.get_partition_keys()
    if not keys:
        return None, f"not compared: `{key.label}` has no partitions yet"
    why = ""
    for one in [made] if made in keys else [keys[0], keys[-1]]:
        assert one is not None
        why = hurdle({key: (one,)}, graph)
        if not why:
            return one, ""
    return None, f"not compared: `{key.label}` {why}"


def hurdle(wanted: Mapping[AssetKey, tuple[str, ...]], graph: AssetGraph) -> str:
    """Return why assets aren't made to be compared, "" when they are."""
    try:
        planned = planned_anew(wanted, graph)
    except DagsterError as error:
        return f"can't be made: {error.message}"
    many = sum(step.partition is not None for step in planned.steps)
    return f"is made of {many:,} partitions, which takes long" if many > MOST else ""


def planned_anew(wanted: Mapping[AssetKey, tuple[str, ...]], graph: AssetGraph) -> Plan:
    """Return the plan of who has nothing yet.

    Args:
        wanted: asset -> its partitions, none where it has none.
    """
    parted = {key: those for key, those in wanted.items() if those}
    return plan(graph, Ledger(), Request(frozenset(wanted), of_asset=parted))


def reads_partitions(key: AssetKey, cuts: Iterable[AssetKey], graph: AssetGraph) -> bool:
    """Tell whether an asset is made of partitions, directly or not."""
    return not ancestors(graph.upstream, frozenset([key])).isdisjoint(cuts)


def merged(planned: Plan) -> tuple[tuple[str | None, tuple[str, ...]], ...]:
    """Return the steps of a plan as runs: what is in the same partition, and follows each other, is one."""
    last: dict[tuple[str | None, Any], int] = {}
    for number, step in enumerate(planned.steps):
        if step.definition is not None and step.definition.has_keys:
            last[step.partition, step.definition] = number
    rounds: list[tuple[str | None, list[str]]] = []
    for partition, definition in sorted(last, key=last.__getitem__):
        if not rounds or rounds[-1][0] != partition:
            rounds.append((partition, []))
        rounds[-1][1].extend(facts.named(key) for key in sorted(definition.keys))
    return tuple((partition, tuple(names)) for partition, names in rounds)


def dynamic_names(cut: PartitionsDefinition) -> Iterable[str]:
    """Return the names of the dynamic partitions in a definition."""
    if isinstance(cut, MultiPartitionsDefinition):
        return [name for one in cut.partitions_defs for name in dynamic_names(one.partitions_def)]
    return [cut.name] if isinstance(cut, DynamicPartitionsDefinition) and cut.name else []
