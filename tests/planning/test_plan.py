"""Planning by tables: what runs and why, given a graph, a ledger and what was asked for."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ipy_orch.authoring.assets import asset, multi_asset
from ipy_orch.authoring.checks import asset_check
from ipy_orch.errors import DagsterInvalidDefinitionError, DagsterInvalidSubsetError, DagsterInvariantViolationError
from ipy_orch.events.ledger import Ledger
from ipy_orch.events.types import Materialized, Part, Recipe
from ipy_orch.model.asset_ports import AssetOut
from ipy_orch.model.assets import AssetsDefinition
from ipy_orch.model.keys import AssetKey
from ipy_orch.model.results import AssetMaterialization
from ipy_orch.planning.graph import AssetGraph
from ipy_orch.planning.plan import Knowledge, Plan, Request, plan
from ipy_orch.planning.staleness import difference, version_of
from ipy_orch.planning.survey import statuses


def named(name: str, *reads: str) -> AssetsDefinition:
    """Return an asset that depends on others."""
    return asset(name=name, deps=list(reads))(lambda: 1)


DIAMOND = AssetGraph.of([named("top"), named("left", "top"), named("right", "top"), named("end", "left", "right")])


def parts(codes: dict[str, str]) -> Callable[[AssetsDefinition], Recipe]:
    """Return what gives each definition the code version named, by default "1"."""
    return lambda one: (Part("code", "", codes.get(one.op.name, "1")),)


def ledger_of(graph: AssetGraph, codes: dict[str, str] | None = None, said: dict[str, str] | None = None) -> Ledger:
    """Return the ledger in which all assets are made with these codes; ``said`` are versions that assets returned."""
    ledger = Ledger()
    for key in graph.keys:
        maker = graph.makers[key]
        inputs = [Part("input", dep.label, ledger.data_version(dep) or "") for dep in sorted(graph.upstream[key])]
        recipe = (*parts(codes or {})(maker), *inputs)
        version = version_of(recipe, key.label)
        data_version = (said or {}).get(key.label, version)
        made = AssetMaterialization(key)
        ledger.apply(
            Materialized("r", 1.0, maker.op.name, made, None, version, data_version, key.label in (said or {}), recipe)
        )
    return ledger


def asked(*names: str, force: bool = False, upstream: bool = True) -> Request:
    """Return a request."""
    keys = frozenset(map(AssetKey, names))
    return Request(keys, force=keys if force else frozenset(), upstream=upstream)


def shown(found: Plan) -> list[str]:
    """Return steps with their reasons."""
    return [f"{step.name}: {step.reason}" for step in found.steps]


TABLE = [
    ("all is fresh", {}, asked("end"), set(), []),
    ("the code of the top", {"top": "2"}, asked("end"), set(), ["top: code changed", "left: inputs changed: top"]),
    ("only a branch", {"left": "2"}, asked("end"), set(), ["left: code changed", "end: inputs changed: left"]),
    ("unselected ones are left alone", {"right": "2"}, asked("left"), set(), []),
    ("forced", {}, asked("left", force=True), set(), ["left: forced"]),
    ("a value that is gone and not wanted", {}, asked("end"), {"top"}, []),
    ("a value that is gone and asked for", {}, asked("top"), {"top"}, ["top: value no longer in memory"]),
    (
        "a value that is gone and wanted",
        {"left": "2"},
        asked("left"),
        {"top"},
        ["top: value no longer in memory", "left: code changed"],
    ),
]


@pytest.mark.parametrize(("name", "codes", "request_", "gone", "expected"), TABLE, ids=[row[0] for row in TABLE])
def test_what_runs(name: str, codes: dict[str, str], request_: Request, gone: set[str], expected: list[str]) -> None:
    """Each row of the table."""
    assert name
    knowledge = Knowledge(parts(codes), lambda key, _partition, _version: key.label not in gone)
    found = shown(plan(DIAMOND, ledger_of(DIAMOND), request_, knowledge))
    assert found[: len(expected)] == expected
    assert bool(found) == bool(expected)


def test_never_materialized() -> None:
    """An empty ledger runs all, upstream first."""
    found = plan(DIAMOND, Ledger(), asked("end"), Knowledge(parts({})))
    assert [step.name for step in found.steps] == ["top", "left", "right", "end"]
    assert found.steps[3].after == {"left", "right"}


def test_forced_counts_as_new_downstream() -> None:
    """The person forces because something undeclared changed."""
    knowledge = Knowledge(parts({}))
    request_ = Request(frozenset(DIAMOND.keys), force=frozenset({AssetKey("top")}))
    found = plan(DIAMOND, ledger_of(DIAMOND), request_, knowledge)
    assert shown(found)[:2] == ["top: forced", "left: inputs changed: top"]


def test_a_version_that_was_returned_makes_what_follows_conditional() -> None:
    """Whether the inputs have changed is known once the asset has run."""
    ledger = ledger_of(DIAMOND, said={"top": "as ever"})
    found = plan(DIAMOND, ledger, asked("end"), Knowledge(parts({"top": "2"})))
    assert shown(found)[1] == "left: inputs may change: top"
    assert all(step.conditional for step in found.steps[1:])
    assert not found.steps[0].conditional


def test_always_runs_what_is_selected_and_nothing_else() -> None:
    """As Dagster's materialize does."""
    request_ = Request(frozenset({AssetKey("left")}), upstream=False, always=True)
    assert shown(plan(DIAMOND, ledger_of(DIAMOND), request_)) == ["left: asked for"]


def test_a_blocking_check_holds_back_what_is_downstream() -> None:
    """A check that doesn't block holds nothing back."""
    blocking = asset_check(asset="top", name="gate", blocking=True)(lambda: True)
    loose = asset_check(asset="top", name="loose")(lambda: True)
    graph = AssetGraph.of([named("top"), named("end", "top"), blocking, loose])
    steps = {step.name: step for step in plan(graph, Ledger(), asked("end"), Knowledge(parts({}))).steps}
    assert steps["end"].after == {"top", "top_gate"}
    assert steps["top_loose"].after == {"top"}


def test_a_part_of_what_is_made_together_is_refused() -> None:
    """Unless the function can leave some out."""

    def both() -> tuple[int, int]:
        return 1, 2

    together = multi_asset(outs={"a": AssetOut(), "b": AssetOut()})(both)
    with pytest.raises(DagsterInvalidSubsetError, match="made together"):
        plan(AssetGraph.of([together]), Ledger(), asked("a"))
    apart = multi_asset(outs={"a": AssetOut(is_required=False), "b": AssetOut(is_required=False)}, can_subset=True)(
        both
    )
    found = plan(AssetGraph.of([apart]), Ledger(), asked("a"))
    assert [step.keys for step in found.steps] == [(AssetKey("a"),)]


def test_an_ancestor_made_together_brings_its_neighbours() -> None:
    """What reads one of them runs the whole function."""

    def both() -> tuple[int, int]:
        return 1, 2

    together = multi_asset(outs={"a": AssetOut(), "b": AssetOut()})(both)
    found = plan(AssetGraph.of([named("end", "a"), together]), Ledger(), asked("end"))
    assert [{one.label for one in step.keys} for step in found.steps] == [{"a", "b"}, {"end"}]


def test_an_unknown_asset_gets_the_closest() -> None:
    """With a hint."""
    with pytest.raises(DagsterInvariantViolationError, match="hint: did you mean `left`"):
        plan(DIAMOND, Ledger(), asked("lefft"))


def test_a_cycle_is_walked() -> None:
    """The message says who reads whom."""
    with pytest.raises(DagsterInvalidDefinitionError, match="circle"):
        AssetGraph.of([named("a", "b"), named("b", "c"), named("c", "a")])


def test_a_chain_of_ten_thousand() -> None:
    """No recursion anywhere."""
    graph = AssetGraph.of([named("s0"), *(named(f"s{n}", f"s{n - 1}") for n in range(1, 10_000))])
    assert len(plan(graph, Ledger(), asked("s9999"), Knowledge(parts({})))) == 10_000


def test_statuses() -> None:
    """Fresh, stale with its reason, missing."""
    ledger = ledger_of(DIAMOND)
    ledger.forget(AssetKey("end"))
    found = statuses(DIAMOND, ledger, Knowledge(parts({"left": "2"})))
    assert {key.label: str(status) for key, status in found.items()} == {
        "top": "fresh",
        "left": "stale (code changed)",
        "right": "fresh",
        "end": "missing (never materialized)",
    }


def test_the_first_reason_is_the_one_a_person_wants() -> None:
    """Code before config before inputs."""
    old = (Part("code", "f", "1"), Part("config", "n", "1"), Part("input", "raw", "1"))
    new = (Part("code", "f", "2"), Part("config", "n", "2"), Part("input", "raw", "2"))
    assert str(difference(old, new)) == "code changed: f"
    assert str(difference(old, (old[0], *new[1:]))) == "config changed: n"
    assert difference(old, old) is None
