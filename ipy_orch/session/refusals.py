"""What can't be asked of a notebook as it stands, and what may surprise in what was asked."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Final
from uuid import uuid4

from ipy_orch.errors import DagsterInvalidDefinitionError, DagsterInvalidSubsetError, closest
from ipy_orch.events.ledger import Ledger
from ipy_orch.events.types import Part, Recipe
from ipy_orch.model.assets import AssetsDefinition
from ipy_orch.model.keys import AssetKey, labels
from ipy_orch.model.specs import DEFAULT_GROUP
from ipy_orch.planning.graph import AssetGraph, ancestors
from ipy_orch.planning.plan import Knowledge, Plan
from ipy_orch.planning.staleness import Status
from ipy_orch.planning.survey import Surveyed, survey
from ipy_orch.session import rows
from ipy_orch.session.scan import Scanned

__all__ = [
    "hints_of_notebooks",
    "refuse_broken",
    "refuse_unknown_groups",
    "refuse_unknown_inputs",
    "surprises",
    "survey_of_all",
]

GROUP: Final = re.compile(r"\bgroup:[\"']?(\w+)(?![\w*/])")  #: one name, no pattern
PROVIDED: Final = re.compile(r"resources=\{\"(\w+)\": \.\.\.\}")  #: how a script provides a resource


def surprises(scanned: Scanned, planned: Plan) -> list[str]:
    """Return what a person may not expect of the values of the cells that were asked for."""
    makers = [scanned.graph.makers[key] for key in scanned.graph.in_order(planned.request.keys)]
    sources = [scanned.cells[maker].source for maker in makers if maker in scanned.cells]
    return [source.surprise for source in sources if source is not None and source.kind == "asset" and source.surprise]


def refuse_broken(scanned: Scanned, keys: Iterable[AssetKey]) -> None:
    """Raise what is wrong with the first of these assets whose cell can't be a definition now."""
    for key in keys:
        if key in scanned.broken:
            raise scanned.broken[key]


def refuse_unknown_groups(scanned: Scanned, selection: object) -> None:
    """Refuse a selection of a group that no asset is in: it would select nothing, and say nothing.

    Raises:
        DagsterInvalidSubsetError: naming it, with the closest one.
    """
    named = GROUP.findall(selection) if isinstance(selection, str) else ()
    if not named:
        return
    groups = {scanned.graph.spec(key).group_name or DEFAULT_GROUP for key in scanned.graph.keys}
    for name in named:
        if name not in groups:
            hint = closest(name, groups) or f"there are {', '.join(sorted(groups))}"
            raise DagsterInvalidSubsetError(f"there is no group `{name}`", hint=hint if groups else "")


def refuse_unknown_inputs(scanned: Scanned, keys: Iterable[AssetKey]) -> None:
    """Refuse to plan what reads an asset that nothing defines, or one whose cell is wrong.

    Raises:
        DagsterInvalidDefinitionError: naming the reader, its cell, and the closest asset.
    """
    graph = scanned.graph
    concerned = ancestors(graph.upstream, keys)
    refuse_broken(scanned, graph.in_order(concerned))
    known = {key for one in scanned.definitions for key in one.keys}
    for key in concerned:
        maker = graph.makers[key]
        for argument, dep in maker.keys_by_input_name.items():
            if dep not in known and not maker.op.ins[argument].is_nothing:
                hint = closest(dep.label, labels(known)) or f"`%%asset {dep.label}` in a cell above"
                where = maker.origin or rows.cell_label(scanned, maker)
                raise DagsterInvalidDefinitionError(
                    f"`{key.label}` reads `{dep.label}`, which nothing defines", where=where, hint=hint
                )


def survey_of_all(graph: AssetGraph, ledger: Ledger, knowledge: Knowledge) -> Surveyed:
    """Return how each asset stands; one whose code can't be followed has failed, and keeps no other from being told."""
    refused: dict[AssetKey, Status] = {}

    def parts(definition: AssetsDefinition) -> Recipe:
        try:
            return knowledge.parts(definition)
        except DagsterInvalidDefinitionError as error:
            if definition.partitions_def is not None:
                raise  # the survey tells it of each partition
            refused.update(dict.fromkeys(definition.keys, Status("failed", error.message)))
            return (Part("unknown", "", uuid4().hex, error.message),)

    found = survey(graph, ledger, replace(knowledge, parts=parts))
    return replace(found, assets={**found.assets, **refused}) if refused else found


@contextmanager
def hints_of_notebooks(*, is_notebook: bool = True) -> Iterator[None]:
    """Have a missing resource's error say what to type in a notebook.

    Args:
        is_notebook: whether there are cells to type it in.

    Raises:
        DagsterInvalidDefinitionError: the same, with that hint.
    """
    try:
        yield
    except DagsterInvalidDefinitionError as error:
        key = PROVIDED.search(error.hint) if is_notebook else None
        if key is None:
            raise
        hint = f"run a cell with `{key[1]} = ...`: the resource is the variable of that name"
        raise DagsterInvalidDefinitionError(error.message, where=error.where, hint=hint) from None
