"""The lineage as DOT, SVG and text."""

from __future__ import annotations

import shutil
import xml.etree.ElementTree as ET
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipy_orch.model.assets import AssetChecksDefinition, AssetsDefinition, external
from ipy_orch.model.checks import AssetCheckSpec
from ipy_orch.model.keys import AssetCheckKey, AssetKey
from ipy_orch.model.ops import OpDefinition, Signature
from ipy_orch.model.specs import AssetSpec
from ipy_orch.planning.graph import AssetGraph
from ipy_orch.planning.staleness import Status
from ipy_orch.ui import drawing
from ipy_orch.ui.cards import Card, Edge, Picture, picture
from ipy_orch.ui.pictures import lineage_dot, lineage_svg, lineage_text
from ipy_orch.ui.placing import Box, Curve, Placed, Point, Size, in_columns

needs_dot = pytest.mark.skipif(shutil.which("dot") is None, reason="Graphviz' dot isn't installed")
SVG = "{http://www.w3.org/2000/svg}"

HOSTILE = [
    "<img src=x onerror=alert(1)>",
    "</script><script>alert(1)</script>",
    "</title></text></svg><a href='javascript:alert(1)'>",
    'quote" onload="alert(1)',
    "it's",
    "&lt;b&gt; &amp; ]]> <!--",
    "<<b>html</b>>",
    "back\\N\\G\\l\\",
    "\x1b[31mred\x1b[0m",
    "two\nlines\r\ttab",
    "\u202eright to left",
    "javascript:alert(1)",
    "nul\x00\ud800",
]


def made(
    key: str | list[str], deps: tuple[str, ...] = (), group: str | None = None, kinds: set[str] | None = None
) -> AssetsDefinition:
    """Return the definition of one asset."""
    spec = AssetSpec(AssetKey(key) if isinstance(key, list) else key, deps=deps, group_name=group, kinds=kinds)
    return AssetsDefinition(
        OpDefinition(name="made", signature=Signature(lambda: None)), (spec,), keys_by_output_name={"o": spec.key}
    )


def check(asset: str, name: str) -> AssetChecksDefinition:
    """Return a definition of one check."""
    spec = AssetCheckSpec(name, asset=asset)
    return AssetChecksDefinition(
        OpDefinition(name=name, signature=Signature(lambda: None)), check_specs_by_output_name={"c": spec}
    )


GRAPH = AssetGraph.of(
    [
        external(AssetSpec("source", group_name="sources")),
        made("flights", ("source",), "ingest", {"pandas"}),
        made("weather", ("source",), "ingest"),
        made("delays", ("flights", "weather"), "marts", {"duckdb", "sql"}),
        made("carriers", ("delays",), "marts"),
        made("report", ("carriers", "flights")),
        check("flights", "unique"),
        check("flights", "complete"),
        check("delays", "positive"),
    ]
)
STATUS = {
    AssetKey("source"): Status("external"),
    AssetKey("flights"): Status("fresh"),
    AssetKey("weather"): Status("evicted"),
    AssetKey("delays"): Status("stale", "code changed: clean"),
    AssetKey("carriers"): Status("failed", "ZeroDivisionError: division by zero"),
    AssetKey("report"): Status("missing", "never materialized"),
}
CHECKS: dict[AssetCheckKey, str | bool] = {
    AssetCheckKey(AssetKey("flights"), "unique"): True,
    AssetCheckKey(AssetKey("flights"), "complete"): "warned",
}


def test_text() -> None:
    """The text has each asset once, below its last input, with the other inputs behind an arrow."""
    assert lineage_text(GRAPH, STATUS, CHECKS).splitlines() == [
        "6 assets: 1 failed, 1 stale, 1 missing, 1 evicted, 1 fresh, 1 external",
        "◇ source · external",
        "├─ ● flights · fresh  [pandas]  ✓ 1  ! 1",
        "└─ ◌ weather · evicted",
        "   └─ ▲ delays · stale: code changed: clean  [duckdb, sql]  ? 1  ← flights",
        "      └─ ✗ carriers · failed: ZeroDivisionError: division by zero",
        "         └─ ○ report · missing: never materialized  ← flights",
    ]


def test_text_without_status() -> None:
    """Without statuses only names and inputs are shown."""
    graph = AssetGraph.of([made("a"), made("b", ("a",)), made("c", ("a", "b"))])
    assert lineage_text(graph).splitlines() == ["3 assets", "a", "└─ b", "   └─ c  ← a"]
    assert lineage_text(AssetGraph.of([])) == "0 assets"


def test_text_of_a_long_chain() -> None:
    """A deep lineage stays readable: from some depth on it isn't indented further."""
    graph = AssetGraph.of([made(f"a{n}", (f"a{n - 1}",) if n else ()) for n in range(300)])
    lines = lineage_text(graph).splitlines()
    assert len(lines) == 301
    assert max(map(len, lines)) < 100


def test_selection() -> None:
    """What isn't selected isn't shown; a lineage that goes through it is a hidden edge."""
    shown = picture(GRAPH, selection=map(AssetKey, ("carriers", "source", "flights")))
    assert [card.title for card in shown.cards] == ["source", "flights", "carriers"]
    assert set(shown.edges) == {Edge(0, 1), Edge(0, 2, hidden=True), Edge(1, 2, hidden=True)}
    assert "style=dotted" in lineage_dot(GRAPH, selection=[AssetKey("flights"), AssetKey("carriers")])


def test_cards() -> None:
    """A card says what is known of the asset, and draws no box around the default group."""
    shown = picture(GRAPH, STATUS, CHECKS)
    cards = {card.title: card for card in shown.cards}
    assert cards["flights"] == Card("flights", "fresh", "", "ingest", ("pandas",), (("passed", 1), ("warned", 1)))
    assert cards["report"].group == ""
    assert list(shown.groups) == ["sources", "ingest", "marts"]
    assert picture(GRAPH).cards[0].word == "external"


def test_many_assets_fold_to_groups() -> None:
    """Above three hundred assets a card stands for a group, with its worst status."""
    graph = AssetGraph.of([made(f"a{n}", (f"a{n // 2}",) if n else (), f"g{n % 3}") for n in range(301)])
    status = {key: Status("failed" if key.label == "a7" else "fresh") for key in graph.keys}
    shown = picture(graph, status)
    assert [(card.title, card.word, card.reason) for card in shown.cards] == [
        ("g0 (101 assets)", "fresh", ""),
        ("g1 (100 assets)", "failed", "1 failed, 99 fresh"),
        ("g2 (100 assets)", "fresh", ""),
    ]
    assert "by group" in shown.title
    assert lineage_text(graph, status).count("\n") == 3


def test_dot() -> None:
    """The graph names its nodes by number and leads from left to right; status is text, shape and colour."""
    source = lineage_dot(GRAPH, STATUS, CHECKS)
    assert "rankdir=LR" in source
    assert "label=ingest" in source
    assert '"flights\\l● fresh\\lpandas   ✓ 1  ! 1\\l"' in source
    assert "shape=octagon" in source
    assert source.count("->") == 7


@pytest.mark.parametrize("text", HOSTILE)
def test_dot_is_inert(text: str) -> None:
    """No name, kind, group or reason is a command or HTML to Graphviz."""
    key = AssetKey([text])
    source = lineage_dot(AssetGraph.of([made([text], kinds={text})]), {key: Status("stale", text)})
    assert not any(char in source for char in "\x1b\x00\r\u202e\ud800")
    assert "label=<" not in source
    label = source[source.index('label="') + 7 : source.index('\\l" color')]
    assert set(label.replace("\\\\", "").replace('\\"', "").replace("\\l", "")) & {"\\", '"'} == set()


@needs_dot
@pytest.mark.parametrize("text", HOSTILE)
def test_svg_is_inert(text: str) -> None:
    """Whatever people write is text in the SVG."""
    status = {AssetKey([text]): Status("failed", text)}
    found = lineage_svg(AssetGraph.of([made([text], kinds={text}), made("b", group="g")]), status)
    assert_inert(found)


@pytest.mark.parametrize("text", HOSTILE)
def test_drawing_is_inert(text: str) -> None:
    """The drawing escapes what reaches it, also where it wasn't made plain before."""
    text = text.replace("\x00", "").replace("\x1b", "").replace("\ud800", "")
    card = Card(text, text, text, text, (text,), (("passed", 1),))
    found = drawing.svg(Picture((card,), (), text), Placed(300, 100, {0: (150, 50)}, {text: (0, 0, 300, 100)}, ()))
    assert_inert(found)
    assert " ".join(text.split()) in " ".join("".join(ET.fromstring(found).itertext()).split())


def assert_inert(found: str) -> None:
    """Check that an SVG is well formed and holds nothing that runs, links or is fetched."""
    root = ET.fromstring(found)
    tags = {element.tag.removeprefix(SVG) for element in root.iter()}
    assert tags <= {"svg", "title", "style", "g", "rect", "path", "circle", "text", "tspan"}
    names = {name for element in root.iter() for name in element.attrib}
    assert not any(name.startswith("on") or "href" in name for name in names)
    assert {element.get("class") for element in root.iter()} <= {
        None,
        *("ipy-orch-lineage", "card", "title", "small", "kind", "group", "group-name", "edge", "head", "hollow"),
    }
    assert "url(" not in found
    assert "\x1b" not in found


@needs_dot
def test_svg() -> None:
    """The SVG shows each asset with its status in words and as a shape, groups as boxes and checks as numbers."""
    found = lineage_svg(GRAPH, STATUS, CHECKS)
    assert_inert(found)
    root = ET.fromstring(found)
    texts = ["".join(element.itertext()) for element in root.iter(f"{SVG}text")]
    for text in ("source", "flights", "ingest", "stale: code changed: clean", "missing: never materialized", "pandas"):
        assert text in texts
    assert {"✓ 11 passed", "! 11 warned", "? 11 not run"} <= set(texts)
    classes = [element.get("class") for element in root.iter()]
    assert (classes.count("card"), classes.count("group"), classes.count("edge")) == (6, 3, 7)
    assert any(element.get("stroke-dasharray") for element in root.iter(f"{SVG}rect"))
    assert "background" not in found


@needs_dot
def test_svg_of_edge_cases() -> None:
    """No asset, one asset and folded groups that lead back and forth can be drawn."""
    cycle = AssetGraph.of([made(f"a{n}", (f"a{n // 2}",) if n else (), f"g{n % 3}") for n in range(301)])
    for graph in (AssetGraph.of([]), AssetGraph.of([made("a")]), cycle):
        found = lineage_svg(graph)
        assert_inert(found)


@pytest.fixture
def no_dot(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have no Graphviz but its Python package."""
    monkeypatch.setenv("PATH", "")


@pytest.mark.usefixtures("no_dot")
def test_svg_without_dot() -> None:
    """Without the executable the same cards, boxes and arrows are drawn, in columns of our own."""
    assert "digraph" in lineage_dot(GRAPH)
    found = lineage_svg(GRAPH, STATUS, CHECKS)
    assert_inert(found)
    classes = [element.get("class") for element in ET.fromstring(found).iter()]
    assert (classes.count("card"), classes.count("group"), classes.count("edge")) == (6, 3, 7)


@pytest.mark.usefixtures("no_dot")
def test_svg_of_edge_cases_without_dot() -> None:
    """No asset, one asset, a long chain with arrows over all of it, and folded groups that lead back and forth."""
    cycle = AssetGraph.of([made(f"a{n}", (f"a{n // 2}",) if n else (), f"g{n % 3}") for n in range(301)])
    chain = AssetGraph.of([made(f"a{n}", ("a0", f"a{n - 1}") if n > 1 else ("a0",) * n) for n in range(200)])
    for graph in (AssetGraph.of([]), AssetGraph.of([made("a")]), chain, cycle):
        assert_inert(lineage_svg(graph))


@given(st.data())
def test_columns(data: st.DataObject) -> None:
    """Arrows lead to the right, nothing overlaps, and a group's box holds its cards and no others."""
    groups = data.draw(st.lists(st.sampled_from(["", "a", "b", "c"]), min_size=1, max_size=25))
    pairs = st.tuples(*[st.integers(0, len(groups) - 1)] * 2).filter(lambda pair: pair[0] < pair[1])
    edges = data.draw(st.sets(pairs, max_size=40)) if len(groups) > 1 else set()
    shown = Picture(tuple(Card("x", group=group) for group in groups), tuple(Edge(*pair) for pair in sorted(edges)))
    high = data.draw(st.lists(st.sampled_from([34, 48, 68]), min_size=len(groups), max_size=len(groups)))
    sizes = [(120, height) for height in high]
    placed = in_columns(shown, sizes)
    cards = [rectangle(placed.cards[number], size) for number, size in enumerate(sizes)]
    assert all(placed.cards[edge.tail][0] < placed.cards[edge.head][0] for edge in shown.edges)
    assert not any(overlap(one, other) for one, other in combinations(cards, 2))
    assert not any(overlap(one, other) for one, other in combinations(placed.boxes.values(), 2))
    for number, card in enumerate(cards):
        assert {group for group, box in placed.boxes.items() if overlap(card, box)} == {groups[number]} - {""}
    assert all(x >= 0 and x + width <= placed.width and y + height <= placed.height for x, y, width, height in cards)
    for edge, curve in zip(shown.edges, placed.curves, strict=True):
        assert curve.tip[1] == placed.cards[edge.head][1]
        assert not any(passes(curve, card) for number, card in enumerate(cards) if number not in (edge.tail, edge.head))


def rectangle(middle: Point, size: Size) -> Box:
    """Return left, top, width and height of a card."""
    return middle[0] - size[0] / 2, middle[1] - size[1] / 2, *size


def overlap(one: Box, other: Box) -> bool:
    """Tell whether two rectangles share some room."""
    return all(one[i] < other[i] + other[i + 2] and other[i] < one[i] + one[i + 2] for i in (0, 1))


def passes(curve: Curve, card: Box) -> bool:
    """Tell whether a corner of an arrow is inside of a card: lanes lead around."""
    return any(overlap((x - 1, y, 2, 0.1), card) for x, y in curve.points[3::3])


@pytest.mark.parametrize("length", [10, 30, 300])
def test_cards_hold_their_text(length: int) -> None:
    """A text that is too long is cut to the room that a card has."""
    shown = Picture((Card("m" * length, "stale", "W" * length, kinds=("k" * length,)),), ())
    ((width, _),) = drawing.sizes(shown)
    assert width <= drawing.WIDEST
    assert drawing.wide(drawing.title_of(shown.cards[0]), drawing.TITLE, bold=True) <= width
    assert drawing.wide(drawing.status_of(shown.cards[0]), drawing.SMALL) <= width
