"""The lineage as a still picture: for Graphviz, as SVG, and as text.

All three show the same cards and edges (cards.py). Names of nodes, classes and colours never come from people.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Final

from ipy_orch.model.keys import AssetKey
from ipy_orch.planning.graph import AssetGraph
from ipy_orch.ui import drawing
from ipy_orch.ui.cards import Card, Picture, Statuses, Verdicts, picture, shortened
from ipy_orch.ui.placing import by_dot, in_columns

if TYPE_CHECKING:
    import graphviz  # type: ignore[import-untyped]

__all__ = ["lineage_dot", "lineage_svg", "lineage_text"]

DEEPEST: Final = 20
"""From this depth on the text tree isn't indented further."""


def lineage_dot(
    graph: AssetGraph,
    status: Statuses | None = None,
    checks: Verdicts | None = None,
    selection: Iterable[AssetKey] | None = None,
) -> str:
    """Return the lineage in Graphviz' language, from left to right.

    Args:
        graph: all assets.
        status: how each asset stands; what isn't in it is shown without a status.
        checks: check -> ``passed``, ``warned`` or ``failed`` (or a bool); a check that isn't in it was not run.
        selection: the assets to show; None for all. Above 300 assets, groups are shown instead.
    """
    return str(digraph(picture(graph, status, checks, selection)).source)


def lineage_svg(
    graph: AssetGraph,
    status: Statuses | None = None,
    checks: Verdicts | None = None,
    selection: Iterable[AssetKey] | None = None,
) -> str:
    """Return the lineage as SVG; the arguments are those of the DOT.

    ``dot`` of Graphviz says where things are, if it's there. The SVG has a transparent background, follows the theme of
    JupyterLab where it's part of its page, and holds no script, no link and nothing that is fetched.
    """
    shown = picture(graph, status, checks, selection)
    said = layout(digraph(shown))
    where = by_dot(said, shown) if said is not None else in_columns(shown, drawing.sizes(shown))
    return drawing.svg(shown, where)


def lineage_text(
    graph: AssetGraph,
    status: Statuses | None = None,
    checks: Verdicts | None = None,
    selection: Iterable[AssetKey] | None = None,
) -> str:
    """Return the lineage as a text tree: each asset once, below its last input; an arrow names the other ones."""
    shown = picture(graph, status, checks, selection)
    return "\n".join([shown.title, *tree(shown)])


# -- for Graphviz -----------------------------------------------------------------------------------------------------

FONT: Final = "Helvetica,Arial,sans-serif"
STYLES: Final = {
    "fresh": {"style": "rounded"},
    "stale": {"shape": "note", "style": "solid"},
    "missing": {"style": "rounded,dotted"},
    "failed": {"shape": "octagon", "style": "bold"},
    "evicted": {"style": "rounded,dotted"},
    "external": {"style": "rounded,dashed"},
}


def digraph(shown: Picture) -> graphviz.Digraph:
    """Return the picture as a graph of Graphviz; the sizes of nodes are those that the SVG draws."""
    import graphviz

    drawn = graphviz.Digraph("lineage", graph_attr=GRAPH_STYLE, node_attr=NODE_STYLE, edge_attr=EDGE_STYLE)
    nodes = [attributes(card, size) for card, size in zip(shown.cards, drawing.sizes(shown), strict=True)]
    for number, (group, members) in enumerate(shown.groups.items()):
        with drawn.subgraph(name=f"cluster_{number}") as box:
            box.attr(label=graphviz.escape(shortened(group, 40)), style="rounded", margin="11")
            for member in members:
                box.node(f"n{member}", **nodes[member])
    for number, card in enumerate(shown.cards):
        if not card.group:
            drawn.node(f"n{number}", **nodes[number])
    for edge in shown.edges:
        # only between groups do edges lead back; those find their own way
        ports = {"tailport": "e", "headport": "w"} if edge.tail < edge.head else {}
        drawn.edge(f"n{edge.tail}", f"n{edge.head}", style="dotted" if edge.hidden else "solid", **ports)
    return drawn


GRAPH_STYLE: Final = {
    "rankdir": "LR",
    "bgcolor": "transparent",
    "nodesep": "0.2",
    "ranksep": "0.85",
    "nslimit": "2",  # else 200 assets in a row with long arrows take minutes instead of half a second
    "fontname": FONT,
    "fontsize": "11",
    "fontcolor": drawing.GREY,
    "color": drawing.GREY,
    "labeljust": "l",
    "margin": "0",
}
NODE_STYLE: Final = {"shape": "box", "fontname": FONT, "fontsize": "10", "fixedsize": "true", "fontcolor": drawing.GREY}
EDGE_STYLE: Final = {"color": drawing.GREY, "arrowsize": "0.6"}


def attributes(card: Card, size: tuple[int, int]) -> dict[str, str]:
    """Return what Graphviz needs to know of a card; what people wrote is plain text to it."""
    import graphviz

    lines = [card.title, f"{card.sign} {card.status}" if card.status else "", footer(card)]
    # `\l` ends a line at the left; `escape` makes a backslash in a name a backslash and no command
    label = "".join(f"{graphviz.escape(shortened(line, 40))}\\l" for line in lines if line)
    return {
        "label": graphviz.nohtml(label),
        "width": f"{size[0] / 72:.3f}",
        "height": f"{size[1] / 72:.3f}",
        "color": drawing.COLOURS.get(card.word, drawing.GREY),
        **STYLES.get(card.word, {}),
    }


def footer(card: Card) -> str:
    """Return kinds and checks on one line."""
    return "   ".join(filter(None, [" ".join(card.kinds), card.checks_text]))


def layout(drawn: graphviz.Digraph) -> str | None:
    """Return where ``dot`` puts nodes and edges, as JSON, or None where it's missing or fails."""
    import graphviz

    try:
        return str(drawn.pipe(format="json0", encoding="utf-8", quiet=True))
    except (graphviz.ExecutableNotFound, graphviz.CalledProcessError, OSError):  # the last: no processes, in a browser
        return None


# -- as text ----------------------------------------------------------------------------------------------------------


def tree(shown: Picture) -> Iterator[str]:
    """Yield a line for each card, below its last input."""
    inputs: dict[int, list[int]] = {number: [] for number in range(len(shown.cards))}
    for edge in shown.edges:
        inputs[edge.head].append(edge.tail)
    parents = {number: parent_of(number, tails) for number, tails in inputs.items()}
    below: dict[int | None, list[int]] = {}
    for number, parent in parents.items():
        below.setdefault(parent, []).append(number)
    waiting = [(number, "", "") for number in reversed(below.get(None, []))]
    while waiting:
        number, branch, indent = waiting.pop()
        others = [shown.cards[tail].title for tail in inputs[number] if tail != parents[number]]
        yield branch + line_of(shown.cards[number], others)
        children = below.get(number, [])
        waiting += [(child, *branches(indent, last=child == children[-1])) for child in reversed(children)]


def parent_of(number: int, tails: Sequence[int]) -> int | None:
    """Return the input a card stands below: the last one before it (between folded groups there may be cycles)."""
    return max((tail for tail in tails if tail < number), default=None)


def branches(indent: str, *, last: bool) -> tuple[str, str]:
    """Return what stands before a child, and before the children of that child."""
    branch = f"{indent}{'└─ ' if last else '├─ '}"
    deep = len(indent) >= 3 * DEEPEST
    return branch, indent if deep else f"{indent}{'   ' if last else '│  '}"


def line_of(card: Card, others: Sequence[str]) -> str:
    """Return a card as a line."""
    name = f"{card.sign} {card.title}" if card.word else card.title
    status = f"{name} · {card.status}" if card.status else name
    also = f"← {', '.join(others)}" if others else ""
    return "  ".join(filter(None, [status, f"[{', '.join(card.kinds)}]" if card.kinds else "", card.checks_text, also]))
