"""Why an asset is stale: what has changed since its value was made, as a difference one can read."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ipy_orch.events.ledger import Ledger
from ipy_orch.events.types import Materialized, Part, Recipe
from ipy_orch.model.env import redact
from ipy_orch.model.keys import AssetKey
from ipy_orch.planning.graph import AssetGraph
from ipy_orch.planning.partitioning import Reading
from ipy_orch.planning.plan import Knowledge, Plan
from ipy_orch.planning.staleness import Status, changes, combined
from ipy_orch.session.cellbook import Behind

__all__ = ["Change", "Why", "explain"]


@dataclass(frozen=True)
class Change:
    """Be one thing that has changed: its kind, its name, and the lines of the difference."""

    kind: str
    name: str
    lines: tuple[str, ...]


@dataclass(frozen=True)
class Why:
    """Be the answer: the status, what has changed, which plain cells are behind, and what to do."""

    key: AssetKey
    status: Status
    changes: tuple[Change, ...] = ()
    upstream: tuple[str, ...] = ()
    behind: tuple[Behind, ...] = ()
    hint: str = ""
    notes: tuple[str, ...] = field(default=())
    partition: str | None = None

    @property
    def name(self) -> str:
        """Return the asset, with the partition that is explained."""
        return self.key.label if self.partition is None else f"{self.key.label}[{self.partition}]"

    def __str__(self) -> str:
        lines = [f"{self.name} is {self.status}"]
        for change in self.changes:
            lines.append(f"  {change.kind} {change.name}".rstrip())
            lines.extend(f"    {line}" for line in change.lines)
        lines.extend(f"  because {one}" for one in self.upstream)
        lines.extend(f"  {one}" for one in (*self.behind, *self.notes))
        if self.hint:
            lines.append(f"  hint: {self.hint}")
        return redact("\n".join(lines))

    __repr__ = __str__


def explain(
    key: AssetKey,
    graph: AssetGraph,
    ledger: Ledger,
    planned: Plan,
    statuses: Mapping[AssetKey, Status],
    knowledge: Knowledge,
    behind: Sequence[Behind],
    partition: str | None = None,
) -> Why:
    """Return why an asset, or a partition of it, stands as it does."""
    status = statuses.get(key, Status("external"))
    made = ledger.materialized.get((key, partition))
    ways = tuple(f"{dep.label} is {statuses[dep]}" for dep in stale_upstream(key, graph, statuses))
    if made is None:
        can_be = graph.makers[key].is_materializable and status.word != "fresh"
        hint = way_out(key, status, partition) if can_be else ""
        return Why(key, status, (), ways, tuple(behind), hint, partition=partition)
    recipe = now(key, graph, ledger, planned, knowledge, made)
    found = tuple(change(kind, name, old, new) for kind, name, old, new in changes(made.recipe, recipe))
    hint = way_out(key, status, partition) if status.word != "fresh" else ""
    return Why(key, status, found, ways, tuple(behind), hint, partition=partition)


def way_out(key: AssetKey, status: Status, partition: str | None) -> str:
    """Return what to type next."""
    if partition is not None:
        return f"`%materialize {key.label} --partition {partition}`, or `%backfill {key.label}`"
    opened = f"`%open {key.label}` gets its inputs to try its body with, " if status.word == "failed" else ""
    return f"{opened}`%materialize {key.label}`{' runs it again' if opened else ''}"


def stale_upstream(key: AssetKey, graph: AssetGraph, statuses: Mapping[AssetKey, Status]) -> list[AssetKey]:
    """Return the direct inputs that aren't fresh."""
    fine = ("fresh", "external", "evicted")
    return [dep for dep in graph.in_order(graph.upstream[key]) if dep in statuses and statuses[dep].word not in fine]


def now(
    key: AssetKey, graph: AssetGraph, ledger: Ledger, planned: Plan, knowledge: Knowledge, made: Materialized
) -> Recipe:
    """Return the recipe of today, of all that is made with the asset; the version of an input that will run is told."""
    keys, reading = planned.request.keys, None
    if made.partition is not None:
        reading = Reading.of_assets(graph.makers[key], keys, graph).at(made.partition)
    own = keys.intersection(reading.links if reading is not None else ())  # it may read itself
    read = {dep for one in keys for dep in graph.upstream[one]} - keys | own
    before = {part.name: part.digest for part in made.recipe if part.kind == "input"}
    running = set(planned.keys)
    inputs = [
        Part(
            "input",
            dep.label,
            "will run"
            if dep in running
            else version_of_input(dep, reading, ledger) or before.get(dep.label, "external"),
        )
        for dep in graph.in_order(read)
    ]
    return (*knowledge.parts(graph.makers[key]), *inputs)


def version_of_input(key: AssetKey, reading: Reading | None, ledger: Ledger) -> str | None:
    """Return the version of what is read of an asset, None where it isn't known."""
    partitions = reading.all(key) if reading is not None else None
    if partitions is None:
        return ledger.data_version(key)
    versions = [ledger.data_version(key, one) for one in partitions]
    return combined([one for one in versions if one is not None]) if all(versions) else None


def change(kind: str, name: str, old: Part | None, new: Part | None) -> Change:
    """Return one change with its difference."""
    if kind == "input":
        return Change(
            "input", name, ("new",) if old is None else ("no longer read",) if new is None else ("its value changed",)
        )
    before, after = (part.text if part is not None else "" for part in (old, new))
    if before == after:  # what it is says no more, and what can't be followed is never twice the same
        return Change(kind, name, (after if kind == "unknown" else "changed",))
    if "\n" not in before + after:
        lines = [f"- {before}"] * bool(before) + [f"+ {after}"] * bool(after)
    else:
        lines = list(difflib.unified_diff(before.splitlines(), after.splitlines(), lineterm="", n=1))[2:]
    return Change(kind, name, tuple(lines))
