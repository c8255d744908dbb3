"""What a selection selects."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from ipy_orch.errors import CheckError, DagsterInvalidSubsetError
from ipy_orch.model.assets import AssetChecksDefinition, AssetsDefinition, external
from ipy_orch.model.checks import AssetCheckSpec
from ipy_orch.model.keys import AssetCheckKey, AssetKey
from ipy_orch.model.ops import OpDefinition, Signature
from ipy_orch.model.specs import AssetSpec
from ipy_orch.planning.graph import AssetGraph
from ipy_orch.planning.selection.selection import AssetSelection

S = AssetSelection


def key(text: str) -> AssetKey:
    """Return the key spelled ``a/b``."""
    return AssetKey.from_user_string(text)


def spec(asset: str, deps: tuple[str, ...] = (), **labels: Any) -> AssetSpec:
    """Return a spec; keys are spelled ``a/b``."""
    return AssetSpec(key(asset), deps=map(key, deps), **labels)


def made(*specs: AssetSpec, can_subset: bool = False) -> AssetsDefinition:
    """Return a definition that makes these assets together."""
    outputs = {one.key.to_python_identifier(): one.key for one in specs}
    op = OpDefinition(name="made", signature=Signature(lambda: None))
    return AssetsDefinition(op, specs, keys_by_output_name=outputs, can_subset=can_subset)


def check(asset: str, name: str) -> AssetChecksDefinition:
    """Return a definition of one check."""
    outputs = {"verdict": AssetCheckSpec(name, asset=key(asset))}
    return AssetChecksDefinition(
        OpDefinition(name=name, signature=Signature(lambda: None)), check_specs_by_output_name=outputs
    )


NOT_NULL = check("orders", "not_null")
DEFINITIONS = [
    external(spec("raw", group_name="ingest", tags={"tier": "1"}, owners=["team:data"])),
    made(spec("orders", ("raw", "rates"), group_name="ingest", tags={"tier": "1"}, kinds={"sql"})),
    made(spec("clean", deps=("orders",), group_name="ingest", owners=["me@here.org"])),
    made(spec("sales/daily", deps=("clean",), group_name="marts", tags={"tier": ""})),
    made(spec("sales/weekly", deps=("sales/daily",), group_name="marts", kinds={"sql", "plot"})),
    made(spec("left"), spec("right", deps=("clean",))),
    made(spec("near"), spec("far"), can_subset=True),
    NOT_NULL,
    check("orders", "unique"),
    check("raw", "exists"),
    check("sales/daily", "sums"),
]
GRAPH = AssetGraph.of(DEFINITIONS)
MADE = "clean far left near orders right sales/daily sales/weekly"
SOURCES = "rates raw"


def spelled(keys: Iterable[AssetKey | AssetCheckKey]) -> str:
    """Return keys as words in alphabetical order."""
    return " ".join(sorted(key.to_user_string() for key in keys))


def words(text: str) -> str:
    """Return the words in alphabetical order."""
    return " ".join(sorted(text.split()))


@pytest.mark.parametrize(
    ("selection", "expected"),
    [
        (S.all(), MADE),
        (S.all(include_sources=True), f"{MADE} {SOURCES}"),
        (S.keys("orders", "sales/daily"), "orders sales/daily"),
        (S.keys("raw"), "raw"),
        (S.keys(["sales", "daily"]), "sales/daily"),
        (S.keys(), ""),
        (S.assets(DEFINITIONS[5], "orders"), "left right orders"),
        (S.assets(AssetSpec("clean")), "clean"),
        (S.groups("ingest"), "orders clean"),
        (S.groups("ingest", "marts", include_sources=True), "raw orders clean sales/daily sales/weekly"),
        (S.groups("default"), "left right near far"),
        (S.groups(), ""),
        (S.tag("tier", "1"), "orders"),
        (S.tag("tier", "1", include_sources=True), "orders raw"),
        (S.tag_string("tier=1"), "orders"),
        (S.tag_string("tier"), "sales/daily"),
        (S.kind("sql"), "orders sales/weekly"),
        (S.kind(None), "clean sales/daily left right near far"),
        (S.owner("team:data"), "raw"),
        (S.owner("me@here.org"), "clean"),
        (S.key_prefixes("sales"), "sales/daily sales/weekly"),
        (S.key_prefixes(["sales", "daily"]), "sales/daily"),
        (S.key_prefixes("sal"), ""),
        (S.key_substring("s/w"), "sales/weekly"),
        (S.key_substring("r", include_sources=True), "orders raw rates right near far"),
    ],
)
def test_filters(selection: AssetSelection, expected: str) -> None:
    """A filter takes the assets it fits, external ones only when asked for."""
    assert spelled(selection.resolve(GRAPH)) == words(expected)


@pytest.mark.parametrize(
    ("selection", "expected"),
    [
        (S.keys("sales/daily").upstream(), "orders clean sales/daily"),
        (S.keys("sales/daily").upstream(1), "clean sales/daily"),
        (S.keys("sales/daily").upstream(0), "sales/daily"),
        (S.keys("sales/daily").upstream(include_self=False), "orders clean"),
        (S.groups("ingest").upstream(include_self=False), ""),
        (S.keys("raw").upstream(), ""),
        (S.keys("raw").downstream(), "raw orders clean sales/daily sales/weekly right"),
        (S.keys("orders").downstream(1), "orders clean"),
        (S.keys("orders").downstream(include_self=False), "clean sales/daily sales/weekly right"),
        (S.keys("sales/daily").upstream_source_assets(), "raw rates"),
        (S.keys("raw").upstream_source_assets(), "raw"),
        (S.keys("orders", "sales/daily").roots(), "orders"),
        (S.keys("orders", "sales/daily").sinks(), "sales/daily"),
        (S.all().roots(), "orders left near far"),
        (S.all().sinks(), "sales/weekly left right near far"),
        (S.keys("left", "near").required_multi_asset_neighbors(), "left right near"),
        (S.keys("raw", "orders").materializable(), "orders"),
    ],
)
def test_lineage(selection: AssetSelection, expected: str) -> None:
    """Layers, roots and sinks follow the lineage, also through assets that aren't selected."""
    assert spelled(selection.resolve(GRAPH)) == words(expected)


@pytest.mark.parametrize(
    ("selection", "expected"),
    [
        (S.keys("orders") | S.keys("clean"), "orders clean"),
        (S.groups("ingest") & S.kind("sql"), "orders"),
        (S.groups("ingest") - S.kind("sql"), "clean"),
        (~S.groups("ingest", "marts"), "left right near far"),
        (S.all() - S.all(), ""),
    ],
)
def test_operators(selection: AssetSelection, expected: str) -> None:
    """Operators are those of sets."""
    assert spelled(selection.resolve(GRAPH)) == words(expected)


@pytest.mark.parametrize(
    ("selection", "expected"),
    [
        (S.all(), "orders:not_null orders:unique sales/daily:sums"),
        (S.keys("orders"), "orders:not_null orders:unique"),
        (S.keys("raw"), "raw:exists"),
        (S.all_asset_checks(), "orders:not_null orders:unique sales/daily:sums raw:exists"),
        (S.checks_for_assets("orders", DEFINITIONS[3]), "orders:not_null orders:unique sales/daily:sums"),
        (S.checks_for_assets("nothing"), ""),
        (S.checks(NOT_NULL), "orders:not_null"),
        (S.checks(AssetCheckKey(AssetKey("raw"), "exists")), "raw:exists"),
        (S.all().without_checks(), ""),
        (S.all() - S.checks(NOT_NULL), "orders:unique sales/daily:sums"),
        (S.all().without_checks() | S.keys("orders"), "orders:not_null orders:unique"),
        (S.keys("orders") & S.checks(NOT_NULL), "orders:not_null"),
        (~S.keys("orders"), "sales/daily:sums"),
    ],
)
def test_checks(selection: AssetSelection, expected: str) -> None:
    """An asset brings its checks, unless they are taken away."""
    assert spelled(selection.resolve_checks(GRAPH)) == words(expected)


def test_checks_bring_no_asset() -> None:
    """A selection of checks selects no asset."""
    selection = S.all_asset_checks() | S.checks_for_assets("orders") | S.checks(NOT_NULL)
    assert selection.resolve(GRAPH) == set()


def test_against_definitions() -> None:
    """Definitions and specs stand for their graph."""
    assert spelled(S.keys("b").upstream().resolve([made(AssetSpec("b", deps=["a"])), made(AssetSpec("a"))])) == "a b"
    assert spelled(S.all(include_sources=True).resolve([AssetSpec("a")])) == "a"


@pytest.mark.parametrize(
    ("selection", "hint"),
    [
        (S.keys("order"), "did you mean `orders`?"),
        (S.keys("daily"), "did you mean `sales/daily`?"),
        (S.keys("sale/daily"), "did you mean `sales/daily`?"),
        (S.keys("orders").upstream() | S.keys("cleen"), "did you mean `clean`?"),
        (S.from_string("key:cleen"), "did you mean `clean`?"),
    ],
)
def test_unknown_keys(selection: AssetSelection, hint: str) -> None:
    """A key that isn't there is an error with the closest ones, or left out where that was asked for."""
    with pytest.raises(DagsterInvalidSubsetError) as caught:
        selection.resolve(GRAPH)
    assert hint in str(caught.value)
    selection.resolve(GRAPH, allow_missing=True)


def test_unknown_checks() -> None:
    """A check that isn't there is an error with the closest one."""
    selection = S.checks(AssetCheckKey(AssetKey("orders"), "not_nul"))
    with pytest.raises(DagsterInvalidSubsetError, match="did you mean `orders:not_null`"):
        selection.resolve_checks(GRAPH)
    assert selection.resolve_checks(GRAPH, allow_missing=True) == set()


@pytest.mark.parametrize(
    ("text", "assets", "checks"),
    [
        ("orders", "orders", "orders:not_null orders:unique"),
        ("+sales/daily", "clean sales/daily", "sales/daily:sums"),
        ("*sales/daily", "orders clean sales/daily", "orders:not_null orders:unique sales/daily:sums"),
        ("+key:sales/daily and group:ingest", "orders clean", "orders:not_null orders:unique"),
        ("clean+2", "clean sales/daily sales/weekly right", "sales/daily:sums"),
        ("orders left, near", "orders left near", "orders:not_null orders:unique"),
        ("sales/*", "sales/daily sales/weekly", "sales/daily:sums"),
        ("key:r*", "raw rates right", "raw:exists"),
        ("key:nothing*", "", ""),
        ("group:ma*", "sales/daily sales/weekly", "sales/daily:sums"),
        ("not group:ingest", "sales/daily sales/weekly left right near far", "sales/daily:sums"),
        ("is:external", "raw rates", "raw:exists"),
        ("is:materializable and group:ingest", "orders clean", "orders:not_null orders:unique"),
        ("sinks(group:ingest)", "clean", ""),
        ("owner:team:data", "raw", "raw:exists"),
        ("kind:sql or tag:tier", "orders sales/weekly sales/daily", "orders:not_null orders:unique sales/daily:sums"),
        ("check:orders:unique", "", "orders:unique"),
        ("check:orders:*", "", "orders:not_null orders:unique"),
        ("orders and not check:*", "orders", ""),
        ("key_prefix:sales", "sales/daily sales/weekly", "sales/daily:sums"),
        ("key_substring:ea", "clean near", ""),
        ("upstream_source_assets(clean)", "raw rates", "raw:exists"),
    ],
)
def test_texts(text: str, assets: str, checks: str) -> None:
    """A text selects what it says, and what it is written as selects the same."""
    selection = S.from_string(text)
    for one in (selection, S.from_string(str(selection))):
        assert spelled(one.resolve(GRAPH)) == words(assets)
        assert spelled(one.resolve_checks(GRAPH)) == words(checks)


@pytest.mark.parametrize(
    ("selection", "text"),
    [
        (S.all(), "*"),
        (S.keys("a", "b/c"), 'key:"a" or key:"b/c"'),
        (S.keys(), "not *"),
        (S.groups("a", "b"), 'group:"a" or group:"b"'),
        (S.groups(), "group:<null>"),
        (S.tag("k", "v"), 'tag:"k"="v"'),
        (S.tag("k", ""), 'tag:"k"'),
        (S.kind(None), "kind:<null>"),
        (S.owner(""), 'owner:""'),
        (S.keys("a").upstream(), '+key:"a"'),
        (S.keys("a", "b").upstream(2), '2+(key:"a" or key:"b")'),
        (S.keys("a").downstream(3), 'key:"a"+3'),
        (S.keys("a").upstream().downstream(), '(+key:"a")+'),
        (S.keys("a").upstream(include_self=False), '+key:"a" and not key:"a"'),
        (S.keys("a").upstream(include_self=False) | S.keys("b"), '(+key:"a" and not key:"a") or key:"b"'),
        (S.keys("a").roots().sinks(), 'sinks(roots(key:"a"))'),
        (S.keys("a") - S.keys("b") - S.keys("c"), '(key:"a" and not key:"b") and not key:"c"'),
        (S.keys("a") | (S.keys("b") & S.keys("c")), 'key:"a" or (key:"b" and key:"c")'),
        (~S.keys("a", "b"), 'not (key:"a" or key:"b")'),
        (S.keys("a").without_checks(), 'key:"a" and not check:*'),
        (S.checks(AssetCheckKey(AssetKey("a"), "c")), 'check:"a:c"'),
        (S.keys("a").materializable(), 'materializable(key:"a")'),
        (S.key_prefixes(["a", "b"]), 'key_prefix:"a/b"'),
        (S.groups('say "hi"'), 'group:"say \\"hi\\""'),
        (S.keys(AssetKey(["a/b", "c"])), 'key:"a\\\\/b/c"'),
    ],
)
def test_written(selection: AssetSelection, text: str) -> None:
    """A selection is written in Dagster's syntax, and reads back as the same assets."""
    assert str(selection) == selection.to_selection_str() == text
    again = S.from_string(text)
    graph = AssetGraph.of([made(AssetSpec(AssetKey(["a/b", "c"]))), *map(made, map(spec, ("a", "b", "c")))])
    assert again.resolve(graph, allow_missing=True) == selection.resolve(graph, allow_missing=True)


@pytest.mark.parametrize(
    "text", ["*", 'key:"a" or key:"b"', '2+group:"x"', 'not kind:"k"', 'roots(tag:"k"="v")', 'check:"a:c"']
)
def test_written_and_read(text: str) -> None:
    """What is written as it was read is the same by value."""
    assert str(S.from_string(text)) == text
    assert S.from_string(text) == S.from_string(str(S.from_string(text)))


def test_equality() -> None:
    """Selections compare by value; the order of operands doesn't matter, that of a difference does."""
    a, b, c = S.keys("a"), S.groups("b"), S.kind("c")
    assert (a | b) | c == a | (b | c) == c | b | a
    assert hash(a & b) == hash(b & a)
    assert a | b != a & b
    assert a - b != b - a
    assert S.keys("a").upstream(1) == S.from_string("+a")
    assert S.keys("a").upstream(1) != S.keys("a").upstream()


def test_union_in_a_list() -> None:
    """A list is a union, of texts, keys, definitions and selections alike."""
    several = ["+clean", AssetKey("left"), DEFINITIONS[3], S.keys("near"), AssetSpec("far"), NOT_NULL]
    selection = S.from_coercible(several)
    assert spelled(selection.resolve(GRAPH)) == "clean far left near orders sales/daily"
    assert spelled(S.from_coercible("orders").resolve(GRAPH)) == "orders"
    assert S.from_coercible([]) == S.keys()
    assert S.from_string(["a", "b"]) == S.keys("a", "b")


def test_wrong_arguments() -> None:
    """What isn't a selection is refused."""
    with pytest.raises(DagsterInvalidSubsetError, match="int"):
        S.from_coercible(3)  # type: ignore[arg-type]
    with pytest.raises(CheckError):
        _ = S.all() | "a"  # type: ignore[operator]
    with pytest.raises(CheckError):
        S.checks("a")
    with pytest.raises(DagsterInvalidSubsetError):
        S.all().upstream(-1)
    with pytest.raises(DagsterInvalidSubsetError, match="of which asset"):
        S.from_string("check:unique")


def test_sources_is_the_old_name() -> None:
    """The older name of `roots` works and says so."""
    with pytest.warns(DeprecationWarning, match="roots"):
        assert S.all().sources() == S.all().roots()


def test_own_selection() -> None:
    """A selection of one's own takes part in operators."""

    class Short(AssetSelection):
        def resolve_inner(self, asset_graph: AssetGraph, allow_missing: bool) -> set[AssetKey]:
            return {key for key in asset_graph.keys if len(key.to_user_string()) <= 4 or allow_missing}

    assert spelled((Short() & S.all()).resolve(GRAPH)) == "far left near"
    assert "Short" in str(Short())


def test_a_long_chain() -> None:
    """A chain of ten thousand assets has one root and one sink."""
    chain = [made(AssetSpec(f"a{n}", deps=[f"a{n - 1}"] if n else [])) for n in range(10_000)]
    graph = AssetGraph.of(chain)
    assert spelled(S.all().roots().resolve(graph)) == "a0"
    assert spelled(S.all().sinks().resolve(graph)) == "a9999"
    assert len(S.from_string("*a9999").resolve(graph)) == 10_000
