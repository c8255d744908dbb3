"""What can't be asked of a notebook as it stands, and what may surprise in what was asked."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Final

from ipy_orch.errors import DagsterInvalidDefinitionError, closest
from ipy_orch.model.keys import AssetKey
from ipy_orch.planning.graph import ancestors
from ipy_orch.planning.plan import Plan
from ipy_orch.session import rows
from ipy_orch.session.scan import Scanned

__all__ = ["hints_of_notebooks", "refuse_broken", "refuse_unknown_inputs", "surprises"]

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
            if (
                dep not in known
                and not maker.op.ins[argument].is_nothing
                and not maker.op.ins[argument].has_default_value
            ):
                hint = closest(str(dep), map(str, known)) or f"`%%asset {dep}` in a cell above"
                where = maker.origin or rows.cell_label(scanned, maker)
                raise DagsterInvalidDefinitionError(
                    f"`{key}` reads `{dep}`, which nothing defines", where=where, hint=hint
                )


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
