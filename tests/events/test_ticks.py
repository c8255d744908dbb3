"""The fold over ticks, and what of a long log is kept of them."""

from __future__ import annotations

from ipy_orch.events.compaction import Record, compacted
from ipy_orch.events.ticks import Ticks
from ipy_orch.events.types import Event, Switched, Ticked


def tick(name: str, at: float, **said: object) -> Ticked:
    """Return a tick."""
    return Ticked("", at, "", name, **said)  # type: ignore[arg-type]


def test_the_fold_knows_where_each_goes_on() -> None:
    """Cursor, moment, switch and run keys, by name."""
    ticks = Ticks(
        [
            Switched("", 1.0, "", "a", True),
            tick("a", 2.0, moment=1.5, run_keys=("x",), cursor="1"),
            tick("a", 3.0, run_keys=("y",), cursor="2"),
            tick("b", 4.0),
            Switched("", 5.0, "", "b", False),
        ]
    )
    one = ticks.of("a")
    assert (one.on, one.since, one.moment, one.cursor, one.run_keys) == (True, 1.0, 1.5, "2", {"x", "y"})
    assert (ticks.of("b").on, ticks.of("c").on, ticks.of("c").last) == (False, None, None)
    assert [event.at for event in ticks.all] == [4.0, 3.0, 2.0]


def test_run_keys_are_never_dropped_from_a_log() -> None:
    """Of other ticks the newest are kept, of switches the last."""
    events: list[Event] = [Switched("", 0.0, "", "a", True), Switched("", 0.5, "", "a", False)]
    events += [tick("a", float(number), run_keys=(f"key {number}",)) for number in range(1, 301)]
    events += [tick("b", float(number), message=str(number)) for number in range(1, 301)]
    kept = [record.event for record in compacted([Record(event, b"") for event in events])]
    before, after = Ticks(events), Ticks(kept)
    assert after.of("a").run_keys == before.of("a").run_keys
    assert after.of("a").on is False
    assert after.of("b").last == before.of("b").last
    assert len(kept) == 1 + 300 + 100
