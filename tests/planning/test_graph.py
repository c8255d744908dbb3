"""Who depends on whom."""

from __future__ import annotations

import pytest

from ipy_orch.authoring.assets import asset, multi_asset
from ipy_orch.authoring.checks import asset_check
from ipy_orch.authoring.sources import observable_source_asset
from ipy_orch.errors import DagsterInvalidDefinitionError, DagsterInvariantViolationError
from ipy_orch.model.asset_ports import AssetOut
from ipy_orch.model.assets import AssetsDefinition, SourceAsset, external
from ipy_orch.model.keys import AssetKey
from ipy_orch.model.partitions.definition import StaticPartitionsDefinition
from ipy_orch.model.specs import AssetDep, AssetSpec
from ipy_orch.planning.graph import AssetGraph, ancestors, descendants, topological


def keys(text: str) -> tuple[AssetKey, ...]:
    """Return keys of one part."""
    return tuple(map(AssetKey, text.split()))


def named(name: str, *deps: object, origin: str = "") -> AssetsDefinition:
    """Return an asset."""

    def function(): ...

    return asset(name=name, deps=deps)(function).replaced(origin=origin)


@pytest.fixture
def diamond() -> AssetGraph:
    """Return raw -> (left, right) -> top, given upside down."""
    return AssetGraph.of([named("top", "left", "right"), named("right", "raw"), named("left", "raw"), named("raw")])


def test_order(diamond: AssetGraph):
    """Maps are in order of lineage, otherwise as named."""
    assert diamond.keys == keys("raw left right top")
    assert diamond.in_order(keys("top raw")) == list(keys("raw top"))
    assert diamond.upstream[AssetKey("top")] == set(keys("left right"))
    assert diamond.downstream[AssetKey("raw")] == set(keys("left right"))


@pytest.mark.parametrize(
    ("start", "depth", "found"),
    [("top", None, "raw left right top"), ("top", 1, "left right top"), ("top", 0, "top"), ("raw", None, "raw")],
)
def test_ancestors(diamond: AssetGraph, start: str, depth: int | None, found: str):
    """Ancestors are within so many steps, with the start."""
    assert ancestors(diamond.upstream, keys(start), depth) == set(keys(found))


def test_descendants(diamond: AssetGraph):
    """Descendants are the same, downwards."""
    assert descendants(diamond, keys("left")) == set(keys("left top"))
    assert descendants(diamond, keys("raw"), 1) == set(keys("raw left right"))


def test_named_assets_are_external():
    """What is only named in dependencies is there, with what the dependencies say of it."""
    graph = AssetGraph.of([named("a", AssetDep("x", metadata={"m": 1})), named("b", "x")])
    assert graph.keys == keys("x a b")
    assert graph.maker(AssetKey("x")).is_auto_created_stub
    assert graph.spec(AssetKey("x")).metadata == {"m": 1, "dagster/auto_created_stub_asset": True}
    assert graph.materializable_keys == graph.executable_keys == keys("a b")


def test_named_assets_are_said_once():
    """Two dependencies can't say different things of one asset."""
    with pytest.raises(DagsterInvalidDefinitionError):
        AssetGraph.of([named("a", AssetDep("x", metadata={"m": 1})), named("b", AssetDep("x", metadata={"m": 2}))])


def test_a_check_names_its_asset():
    """A check of an asset that nothing makes brings it into the graph."""

    @asset_check(asset="orders", additional_deps=["raw"])
    def unique(): ...

    graph = AssetGraph.of([unique])
    assert graph.keys == keys("orders raw")
    assert graph.checks_of == {AssetKey("orders"): (unique.check_key,)}
    assert graph.check_makers[unique.check_key] is unique


def test_kinds_of_assets():
    """External assets aren't run, observed ones aren't materialized."""

    @observable_source_asset
    def seen(): ...

    graph = AssetGraph.of([seen, external(AssetSpec("spec")), named("made", "seen", "spec")])
    assert graph.executable_keys == keys("seen made")
    assert graph.materializable_keys == keys("made")


@pytest.mark.parametrize("first", [True, False])
def test_a_source_gives_way(first: bool):
    """A SourceAsset beside the definition that makes the asset is no double."""
    pair = [SourceAsset("a"), named("a")]
    graph = AssetGraph.of(pair if first else pair[::-1])
    assert graph.maker(AssetKey("a")).is_executable


def test_doubles_name_both_places():
    """Two definitions of one asset, or of one check, are an error."""
    with pytest.raises(DagsterInvalidDefinitionError, match=r"In\[1\] and In\[2\]"):
        AssetGraph.of([named("a", origin="In[1]"), named("a", origin="In[2]")])
    with pytest.raises(DagsterInvalidDefinitionError, match="twice"):
        AssetGraph.of([external(AssetSpec("a")), named("a")])
    assert AssetGraph.of([external(AssetSpec("a")), external(AssetSpec("a"))]).keys == keys("a")
    checks = [asset_check(asset="a", name="c")(lambda: True) for _ in range(2)]
    with pytest.raises(DagsterInvalidDefinitionError, match="check `a:c`"):
        AssetGraph.of(checks)


def test_cycles_are_walked():
    """The message goes along the circle and names the cells."""
    cells = [named("a", "c", origin="In[1]"), named("b", "a", origin="In[2]"), named("c", "b", origin="In[3]")]
    with pytest.raises(DagsterInvalidDefinitionError) as caught:
        AssetGraph.of(cells)
    assert "`a` ← `c` ← `b` ← `a`" in caught.value.message
    assert all(place in caught.value.where for place in ("In[1]", "In[2]", "In[3]"))


def test_a_definition_may_be_on_both_sides():
    """Assets made together may have one that is made elsewhere between them."""

    @multi_asset(
        outs={"a": AssetOut(), "b": AssetOut()},
        internal_asset_deps={"a": set(), "b": {AssetKey("x")}},
        can_subset=True,
        deps=["x"],
    )
    def both(): ...

    assert AssetGraph.of([both, named("x", "a")]).keys == keys("a x b")


def test_unknown_assets():
    """The closest name is offered."""
    with pytest.raises(DagsterInvariantViolationError, match="did you mean `orders`"):
        AssetGraph.of([named("orders")]).maker(AssetKey("oders"))


def test_long_chains():
    """Ten thousand in a row need no recursion."""
    chain = {number: [number - 1] if number else [] for number in reversed(range(10_000))}
    assert topological(chain) == list(range(10_000))


def test_a_node_tells_its_place_and_what_its_spec_says():
    """Asked of the graph by key, as Dagster's is."""
    graph = AssetGraph.of([external(AssetSpec("a", group_name="g")), external(AssetSpec("b", deps=["a"]))])
    node = graph.get(AssetKey("a"))
    assert (node.key, node.group_name, node.is_external, node.is_partitioned) == (AssetKey("a"), "g", True, False)
    assert (node.is_materializable, node.is_observable, node.is_executable) == (False, False, False)
    assert (node.parent_keys, node.child_keys, node.check_keys) == (set(), {AssetKey("b")}, set())
    assert graph.asset_dep_graph["upstream"][AssetKey("b")] == {AssetKey("a")}
    assert graph.get_all_asset_keys() == {AssetKey("a"), AssetKey("b")}
    assert graph.has(AssetKey("a"))
    assert not graph.has(AssetKey("c"))
    with pytest.raises(AttributeError):
        node.nothing_of_the_kind  # noqa: B018


def test_kinds_of_assets_by_dagsters_names():
    """What is made, observed and external; levels, groups and nodes."""
    landing = observable_source_asset(key="landing", group_name="src")(lambda: None)
    clean = asset(name="clean", deps=["landing", "raw"], kinds={"k"})(lambda: None)
    days = StaticPartitionsDefinition(["a"])
    top = asset(name="top", deps=["clean", "between"], partitions_def=days)(lambda: None)
    graph = AssetGraph.of([top, clean, landing, external(AssetSpec("between", deps=["clean"])), named("alone")])
    assert graph.materializable_asset_keys == set(keys("clean top alone"))
    assert graph.observable_asset_keys == set(keys("landing"))
    assert graph.external_asset_keys == set(keys("landing raw between"))
    assert graph.executable_asset_keys == set(keys("clean top alone landing"))
    assert graph.unpartitioned_asset_keys == set(graph.keys) - set(keys("top"))
    assert graph.root_materializable_asset_keys == set(keys("clean alone"))
    levels = ["alone landing raw", "clean", "between", "top"]
    assert graph.toposorted_asset_keys_by_level == [list(keys(level)) for level in levels]
    assert graph.toposorted_asset_keys == list(keys(" ".join(levels)))
    assert graph.all_group_names == {"src", "default"}
    assert graph.asset_keys_for_group("src") == set(keys("landing"))
    assert [node.key for node in graph.asset_nodes] == list(graph.keys)
    node = graph.get(AssetKey("clean"))
    assert (node.kinds, node.backfill_policy, node.to_asset_spec()) == ({"k"}, None, clean.get_asset_spec())
