"""Why an asset is stale: what has changed since its value was made, as a difference one can read."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ipy_orch.events.ledger import Ledger
from ipy_orch.events.types import Materialized, Part, Recipe
from ipy_orch.model.keys import AssetKey
from ipy_orch.planning.graph import AssetGraph
from ipy_orch.planning.plan import Knowledge, Plan
from ipy_orch.planning.staleness import Status, changes
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

    def __str__(self) -> str:
        lines = [f"{self.key} is {self.status}"]
        for change in self.changes:
            lines.append(f"  {change.kind} {change.name}".rstrip())
            lines.extend(f"    {line}" for line in change.lines)
        lines.extend(f"  because {one}" for one in self.upstream)
        lines.extend(f"  {one}" for one in (*self.behind, *self.notes))
        if self.hint:
            lines.append(f"  hint: {self.hint}")
        return "\n".join(lines)

    __repr__ = __str__


def explain(
    key: AssetKey,
    graph: AssetGraph,
    ledger: Ledger,
    planned: Plan,
    statuses: Mapping[AssetKey, Status],
    knowledge: Knowledge,
    behind: Sequence[Behind],
) -> Why:
    """Return why an asset stands as it does."""
    status = statuses.get(key, Status("external"))
    made = ledger.materialized.get((key, None))
    ways = tuple(f"{dep} is {statuses[dep]}" for dep in stale_upstream(key, graph, statuses))
    if made is None:
        hint = way_out(key, status) if graph.makers[key].is_materializable else ""
        return Why(key, status, (), ways, tuple(behind), hint)
    recipe = now(key, graph, ledger, planned, knowledge, made)
    found = tuple(change(kind, name, old, new) for kind, name, old, new in changes(made.recipe, recipe))
    hint = way_out(key, status) if status.word != "fresh" else ""
    return Why(key, status, found, ways, tuple(behind), hint)


def way_out(key: AssetKey, status: Status) -> str:
    """Return what to type next."""
    opened = f"`%open {key}` gets its inputs to try its body with, " if status.word == "failed" else ""
    return f"{opened}`%materialize {key}`{' runs it again' if opened else ''}"


def stale_upstream(key: AssetKey, graph: AssetGraph, statuses: Mapping[AssetKey, Status]) -> list[AssetKey]:
    """Return the direct inputs that aren't fresh."""
    fine = ("fresh", "external", "evicted")
    return [dep for dep in graph.in_order(graph.upstream[key]) if dep in statuses and statuses[dep].word not in fine]


def now(
    key: AssetKey, graph: AssetGraph, ledger: Ledger, planned: Plan, knowledge: Knowledge, made: Materialized
) -> Recipe:
    """Return the recipe of today; the version of an input that will run is told as such."""
    before = {part.name: part.digest for part in made.recipe if part.kind == "input"}
    running = set(planned.keys)
    inputs = [
        Part(
            "input",
            str(dep),
            "will run" if dep in running else ledger.data_version(dep) or before.get(str(dep), "external"),
        )
        for dep in graph.in_order(graph.upstream[key])
    ]
    return (*knowledge.parts(graph.makers[key]), *inputs)


def change(kind: str, name: str, old: Part | None, new: Part | None) -> Change:
    """Return one change with its difference."""
    if kind == "input":
        return Change(
            "input", name, ("new",) if old is None else ("no longer read",) if new is None else ("its value changed",)
        )
    before, after = (part.text if part is not None else "" for part in (old, new))
    if "\n" not in before + after:
        lines = [f"- {before}"] * bool(before) + [f"+ {after}"] * bool(after)
    else:
        lines = list(difflib.unified_diff(before.splitlines(), after.splitlines(), lineterm="", n=1))[2:]
    return Change(kind, name, tuple(lines) or ("changed",))
