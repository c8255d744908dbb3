"""The frontier: small graphs by hand, random ones by rule, no threads and no clock."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ipy_orch.errors import DagsterInvalidDefinitionError, DagsterInvariantViolationError
from ipy_orch.execution.frontier import FINAL, Frontier

DIAMOND = {"raw": [], "left": ["raw"], "right": ["raw"], "both": ["left", "right"]}


def run(frontier: Frontier[Any]) -> list[list[Any]]:
    """Do everything, and return what was taken together."""
    waves = []
    while wave := frontier.take():
        waves.append(wave)
        for step in wave:
            frontier.done(step)
    return waves


@pytest.mark.parametrize(
    ("after", "waves"),
    [
        ({}, []),
        ({"a": []}, [["a"]]),
        ({"b": [], "a": []}, [["b", "a"]]),
        ({"b": ["a"], "a": []}, [["a"], ["b"]]),
        (DIAMOND, [["raw"], ["left", "right"], ["both"]]),
        ({"a": [], "b": ["a", "a"]}, [["a"], ["b"]]),
    ],
    ids=str,
)
def test_steps_run_after_what_they_need(after, waves):
    """In the order of the mapping where they are free to."""
    frontier = Frontier(after)
    assert run(frontier) == waves
    assert frontier.finished


def test_priority_goes_first():
    """Then the order of the mapping."""
    frontier = Frontier({"a": [], "b": [], "c": [], "d": ["b"]}, priority={"c": 5, "d": 9, "b": -1})
    assert run(frontier) == [["c", "a", "b"], ["d"]]


def test_a_limit_leaves_the_rest():
    """What isn't taken stays ready."""
    frontier = Frontier({"a": [], "b": [], "c": []})
    assert frontier.take(limit=2) == ["a", "b"]
    assert (frontier.ready, frontier.running, frontier.take(limit=0)) == (["c"], ["a", "b"], [])
    assert frontier.take(limit=5) == ["c"]


def test_where_things_stand():
    """Each state has its list, each step its state."""
    frontier = Frontier(DIAMOND)
    assert (frontier.ready, frontier.waiting) == (["raw"], ["left", "right", "both"])
    frontier.take()
    frontier.done("raw")
    frontier.take(limit=1)
    assert [frontier.state(step) for step in DIAMOND] == ["done", "running", "ready", "waiting"]
    assert repr(frontier) == "Frontier(1 done, 1 running, 1 ready, 1 waiting)"
    assert not frontier.finished


def test_failure_skips_what_is_downstream():
    """And nothing else; each skipped step knows whom to blame."""
    frontier = Frontier({**DIAMOND, "other": ["right"], "last": ["both"]})
    frontier.take()
    frontier.done("raw")
    frontier.take()
    assert frontier.fail("left") == ["both", "last"]
    assert frontier.culprit("last") == "left"
    assert frontier.culprit("left") is None
    frontier.done("right")
    assert run(frontier) == [["other"]]
    assert frontier.finished


def test_two_failures_blame_the_first():
    """A step is skipped once."""
    frontier = Frontier({"a": [], "b": [], "c": ["a", "b"]})
    frontier.take()
    assert frontier.fail("a") == ["c"]
    assert frontier.fail("b") == []
    assert frontier.culprit("c") == "a"


@pytest.mark.parametrize("state", ["waiting", "ready", "running", "to be retried"])
def test_skip_from_any_open_state(state):
    """A step whose input never came is skipped wherever it stands."""
    frontier = Frontier({"a": [], "b": ["a"], "c": ["b"]})
    if state != "waiting":
        frontier.take()
        frontier.done("a")
    if state in ("running", "to be retried"):
        frontier.take()
    if state == "to be retried":
        frontier.retry("b", at=1.0)
    assert frontier.skip("b", because="a") == ["c"]
    assert (frontier.culprit("b"), frontier.culprit("c")) == ("a", "a")
    assert frontier.skip("b") == []
    assert run(frontier) == ([["a"]] if state == "waiting" else [])
    assert frontier.finished
    assert frontier.next_retry() is None


def test_skip_blames_the_step_itself_by_default():
    """Downstream, that is."""
    frontier = Frontier({"a": [], "b": ["a"]})
    assert frontier.skip("a") == ["b"]
    assert (frontier.culprit("a"), frontier.culprit("b")) == (None, "a")


def test_a_retry_waits_for_its_time():
    """The time is handed in, never looked up."""
    frontier = Frontier({"a": [], "b": ["a"], "c": []})
    frontier.take()
    frontier.retry("a", at=10.0)
    frontier.retry("c", at=5.0)
    assert (frontier.next_retry(), frontier.take(now=4.9)) == (5.0, [])
    assert frontier.take(now=5.0) == ["c"]
    assert frontier.next_retry() == 10.0
    assert frontier.take(now=99.0) == ["a"]
    assert frontier.next_retry() is None
    frontier.done("a")
    assert frontier.take() == ["b"]


def test_cancel_stops_all_that_does_not_run():
    """What runs may finish, and what it would have made ready stays cancelled."""
    frontier = Frontier({"a": [], "b": [], "c": ["a"], "d": ["b"], "e": []})
    assert frontier.take(limit=2) == ["a", "b"]
    assert frontier.cancel() == ["c", "d", "e"]
    frontier.done("a")
    assert frontier.fail("b") == []
    assert [frontier.state(step) for step in "abcde"] == ["done", "failed", "cancelled", "cancelled", "cancelled"]
    assert (frontier.take(), frontier.finished, frontier.skip("c")) == ([], True, [])


def test_cancel_stops_retries():
    """Those that wait, and those asked for afterwards."""
    frontier = Frontier({"a": [], "b": []})
    frontier.take()
    frontier.retry("a", at=1.0)
    assert frontier.cancel() == ["a"]
    frontier.retry("b", at=1.0)
    assert (frontier.state("b"), frontier.next_retry(), frontier.take(now=9.0)) == ("cancelled", None, [])
    assert frontier.finished


@pytest.mark.parametrize("verb", ["done", "fail", "retry"])
def test_only_running_steps_end(verb):
    """A mistake of the driver is named at once."""
    frontier = Frontier({"orders": []})
    arguments = (1.0,) if verb == "retry" else ()
    with pytest.raises(DagsterInvariantViolationError, match="`orders` is ready"):
        getattr(frontier, verb)("orders", *arguments)
    with pytest.raises(DagsterInvariantViolationError, match="did you mean `orders`"):
        getattr(frontier, verb)("oders", *arguments)


def test_what_is_done_cannot_be_skipped():
    """Its value exists."""
    frontier = Frontier({"a": []})
    run(frontier)
    with pytest.raises(DagsterInvariantViolationError, match="done"):
        frontier.skip("a")


@pytest.mark.parametrize(
    ("after", "message"),
    [
        ({"a": ["a"]}, "`a` → `a`"),
        ({"a": ["c"], "b": ["a"], "c": ["b"], "d": ["c"], "e": []}, "`a` → `b` → `c` → `a`"),
        ({step: [(step - 1) % 100] for step in range(100)}, "… 89 more …"),
    ],
    ids=["self", "three", "hundred"],
)
def test_cycles_are_named(after, message):
    """In the order in which they would run."""
    with pytest.raises(DagsterInvalidDefinitionError, match="wait for each other") as caught:
        Frontier(after)
    assert message in str(caught.value)


def test_missing_steps_are_named():
    """With the one that was meant, perhaps."""
    with pytest.raises(DagsterInvalidDefinitionError, match="did you mean `orders`"):
        Frontier({"orders": [], "report": ["oders"]})


def test_a_long_chain_neither_recurses_nor_takes_long():
    """Running it, failing it, and finding its ends tied together."""
    many = 20_000
    chain = {step: [step - 1] if step else [] for step in range(many)}
    assert len(run(Frontier(chain))) == many
    frontier = Frontier(chain)
    frontier.take()
    assert len(frontier.fail(0)) == many - 1
    with pytest.raises(DagsterInvalidDefinitionError):
        Frontier({**chain, 0: [many - 1]})


# -- steps that appear while running


def expanded() -> Frontier[str]:
    """Return a frontier whose `split` runs and has become two parts that `total` gathers."""
    frontier = Frontier({"split": [], "total": ["split"], "end": ["total"]})
    frontier.take()
    frontier.expand("split", {"part a": [], "part b": [], "sum a": ["part a"]}, {"total": ["sum a", "part b"]})
    return frontier


def test_new_steps_run_before_what_gathers_them():
    """And after the step that asked for them."""
    frontier = expanded()
    assert frontier.take() == []
    frontier.done("split")
    assert run(frontier) == [["part a", "part b"], ["sum a"], ["total"], ["end"]]
    assert frontier.finished


def test_new_steps_fail_like_others():
    """What gathers them is skipped."""
    frontier = expanded()
    frontier.done("split")
    frontier.take()
    assert frontier.fail("part b") == ["total", "end"]
    frontier.done("part a")
    assert run(frontier) == [["sum a"]]
    assert frontier.finished


def test_the_step_that_asked_may_still_fail():
    """All it asked for is skipped."""
    frontier = expanded()
    assert set(frontier.fail("split")) == {"part a", "part b", "sum a", "total", "end"}
    assert frontier.finished


def test_nothing_to_gather():
    """A list that turned out empty."""
    frontier = Frontier({"split": [], "total": ["split"]})
    frontier.take()
    frontier.expand("split", {}, {"total": []})
    frontier.done("split")
    assert run(frontier) == [["total"]]


def test_new_steps_may_need_old_ones():
    """Done, or never to be done."""
    frontier = Frontier({"old": [], "bad": [], "split": []})
    frontier.take()
    frontier.done("old")
    frontier.fail("bad")
    frontier.expand("split", {"good": ["old"], "lost": ["bad"], "lost too": ["lost"]})
    assert (frontier.state("lost"), frontier.state("lost too"), frontier.culprit("lost too")) == (
        "skipped",
        "skipped",
        "bad",
    )
    frontier.done("split")
    assert run(frontier) == [["good"]]
    assert frontier.finished


def test_expanding_after_cancel_adds_nothing_to_do():
    """The new steps are cancelled as well."""
    frontier = Frontier({"split": [], "total": ["split"]})
    frontier.take()
    frontier.cancel()
    frontier.expand("split", {"part": []})
    frontier.done("split")
    assert (frontier.state("part"), frontier.take(), frontier.finished) == ("cancelled", [], True)


@pytest.mark.parametrize(
    ("new", "gather", "error"),
    [
        ({"split": []}, {}, DagsterInvalidDefinitionError),
        ({"part": ["nowhere"]}, {}, DagsterInvalidDefinitionError),
        ({"part": ["part"]}, {}, DagsterInvalidDefinitionError),
        ({"part": ["end"]}, {"total": ["part"]}, DagsterInvalidDefinitionError),
        ({"part": []}, {"split": ["part"]}, DagsterInvariantViolationError),
        ({"part": []}, {"nowhere": ["part"]}, DagsterInvariantViolationError),
        ({"part": []}, {"tried": ["part"]}, DagsterInvariantViolationError),
    ],
    ids=["there already", "missing", "itself", "cycle", "running", "unknown", "tried before"],
)
def test_wrong_expansions_change_nothing(new, gather, error):
    """The run goes on as if they hadn't been asked for."""
    frontier = Frontier({"split": [], "total": ["split"], "end": ["total"], "tried": []})
    frontier.take()
    frontier.retry("tried", at=1.0)
    with pytest.raises(error):
        frontier.expand("split", new, gather)
    frontier.done("split")
    assert frontier.take() == ["total"]
    frontier.done("total")
    assert frontier.take(now=1.0) == ["end", "tried"]


def test_only_running_steps_expand():
    """A step that hasn't begun knows nothing yet."""
    with pytest.raises(DagsterInvariantViolationError, match="ready, not running"):
        Frontier({"split": []}).expand("split", {"part": []})


# -- leaving


def test_what_waits_for_a_step_that_is_left_goes_on():
    """Unlike after a failure; it sees for itself what is missing."""
    frontier = Frontier(DIAMOND)
    frontier.take()
    frontier.done("raw")
    frontier.take()
    frontier.leave("left")
    frontier.done("right")
    assert (frontier.state("left"), frontier.take(), frontier.culprit("both")) == ("left", ["both"], None)
    frontier.leave("both")
    assert (frontier.state("both"), frontier.finished) == ("left", True)


def test_only_what_runs_is_left():
    """And only once."""
    frontier = Frontier({"raw": [], "orders": ["raw"]})
    with pytest.raises(DagsterInvariantViolationError, match="waiting, not running"):
        frontier.leave("orders")
    frontier.take()
    frontier.leave("raw")
    with pytest.raises(DagsterInvariantViolationError, match="left, not running"):
        frontier.leave("raw")
    with pytest.raises(DagsterInvariantViolationError, match="left"):
        frontier.skip("raw")


def test_new_steps_may_need_what_was_left():
    """It counts as passed, like what is done."""
    frontier = Frontier({"gone": [], "split": [], "total": ["split"]})
    frontier.take()
    frontier.leave("gone")
    frontier.expand("split", {"part": ["gone"]}, {"total": ["part"]})
    frontier.leave("split")
    assert run(frontier) == [["part"], ["total"]]
    assert frontier.finished


def test_two_steps_expand_into_one_list():
    """What gathers from both waits for both, whichever comes first."""
    frontier = Frontier({"left": [], "right": [], "total": ["left", "right"]})
    frontier.take()
    frontier.expand("right", {"r1": [], "r2": ["r1"]}, {"total": ["r2"]})
    frontier.done("right")
    frontier.expand("left", {"l1": []}, {"total": ["l1"]})
    frontier.done("left")
    assert run(frontier) == [["r1", "l1"], ["r2"], ["total"]]


def test_a_new_step_is_tried_again_and_expands():
    """It is a step like any other."""
    frontier = Frontier({"split": [], "total": ["split"]})
    frontier.take()
    frontier.expand("split", {"part": []}, {"total": ["part"]})
    frontier.done("split")
    frontier.take()
    frontier.retry("part", at=1.0)
    assert (frontier.take(now=0.0), frontier.take(now=1.0)) == ([], ["part"])
    frontier.expand("part", {"deeper": []}, {"total": ["deeper"]})
    frontier.done("part")
    assert run(frontier) == [["deeper"], ["total"]]


# -- rules, on random graphs


@st.composite
def graphs(draw: st.DrawFn) -> dict[int, list[int]]:
    """Return a random graph without cycles, its steps in random order."""
    size = draw(st.integers(0, 12))
    edges = {step: draw(st.lists(st.integers(0, step - 1), max_size=4)) if step else [] for step in range(size)}
    return {step: edges[step] for step in draw(st.permutations(range(size)))}


def descendants(after: dict[int, list[int]], step: int) -> set[int]:
    """Return what comes after a step, the slow and obvious way."""
    found: set[int] = set()
    while more := {one for one, before in after.items() if found & set(before) or step in before} - found:
        found |= more
    return found


@given(graphs(), st.data())
def test_any_run_keeps_the_rules(after, data):
    """Nothing runs before what it needs, all ends in a final state, failure skips exactly what is downstream."""
    frontier = Frontier(after)
    lost: set[int] = set()
    now = 0.0
    tried = dict.fromkeys(after, 0)
    while not frontier.finished:
        for step in frontier.take(limit=data.draw(st.integers(0, 3)), now=now):
            assert all(frontier.state(need) in ("done", "left") for need in after[step])
            assert step not in lost
        now += 1.0
        for step in data.draw(st.lists(st.sampled_from(frontier.running), unique=True)) if frontier.running else []:
            end = data.draw(st.sampled_from(["done", "leave", "fail", "skip", "retry"]))
            if end == "retry" and tried[step] < 2:
                tried[step] += 1
                frontier.retry(step, at=now + data.draw(st.sampled_from([0.0, 1.0, 2.0])))
            elif end in ("fail", "skip"):
                skipped = set(getattr(frontier, end)(step))
                assert skipped == descendants(after, step) - lost
                assert all(frontier.culprit(one) == step for one in skipped)
                lost |= skipped | {step}
            else:
                (frontier.leave if end == "leave" else frontier.done)(step)
    assert {step for step in after if frontier.state(step) in ("done", "left")} == set(after) - lost
    assert all(frontier.state(step) in FINAL for step in after)
    assert [frontier.ready, frontier.running, frontier.waiting, frontier.next_retry()] == [[], [], [], None]


@given(graphs(), st.integers(0, 12))
def test_any_cancelled_run_ends(after, before):
    """Wherever it is cancelled, what runs may finish and then nothing is left."""
    frontier = Frontier(after)
    for step in frontier.take(limit=before):
        frontier.done(step)
    taken = frontier.take(limit=2)
    cancelled = set(frontier.cancel())
    for step in taken:
        frontier.done(step)
    assert frontier.finished
    assert cancelled == {step for step in after if frontier.state(step) != "done"}


@given(graphs(), graphs(), st.data())
@settings(max_examples=50)
def test_any_expansion_runs_in_order(after, more, data):
    """New steps among old ones keep the same rule."""
    frontier = Frontier({**after, "split": [], "total": ["split", *after]})
    new = {("new", step): [("new", need) for need in before] for step, before in more.items()}
    frontier.take()
    gather = data.draw(st.lists(st.sampled_from(list(new)), unique=True)) if new else []
    frontier.expand("split", new, {"total": gather})
    order = [*frontier.running]
    for step in order:
        frontier.done(step)
    order += [step for wave in run(frontier) for step in wave]
    place = {step: position for position, step in enumerate(order)}
    assert len(order) == len(after) + len(new) + 2
    assert all(place[need] < place[step] for step, before in {**after, **new}.items() for need in before)
    assert all(place[step] < place["total"] for step in [*after, *gather])
    assert all(place["split"] < place[step] for step in new)
