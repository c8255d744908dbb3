"""The verbs of a session that show something: tables and the picture of the lineage."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from ipy_orch.model.keys import AssetCheckKey, AssetKey
from ipy_orch.planning.graph import AssetGraph
from ipy_orch.planning.staleness import Status
from ipy_orch.session import session
from ipy_orch.session.locations import locations
from ipy_orch.ui import pictures, tables

__all__ = ["Lineage", "show_lineage", "show_table"]


@session.table.supply
@locations.table.supply
def show_table(kind: Literal["assets", "checks", "resources", "runs", "events"], rows: Iterable[Any]) -> Any:
    """Return rows as a DataFrame that shows itself in words."""
    from ipy_orch.ui.frames import Table

    return Table(getattr(tables, f"{kind}_table")(rows))


@dataclass(frozen=True)
class Lineage:
    """Be a picture of the lineage: SVG, and text for where there are no pictures."""

    svg: str
    text: str

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:  # noqa: ARG002 - IPython's arguments
        """Return what Jupyter shows; the picture as an image: SVG in HTML is stripped where nobody trusts it."""
        return {"text/plain": self.text, "image/svg+xml": self.svg}

    def __str__(self) -> str:
        return self.text

    __repr__ = __str__


@session.picture.supply
def show_lineage(
    graph: AssetGraph,
    status: Mapping[AssetKey, Status],
    checks: Mapping[AssetCheckKey, str],
    selection: Iterable[AssetKey] | None,
) -> Lineage:
    """Return the picture of a lineage."""
    shown = (graph, status, checks, selection)
    return Lineage(pictures.lineage_svg(*shown), pictures.lineage_text(*shown))
