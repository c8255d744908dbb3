"""A year of daily backfill over three assets beside a plain loop; and ten thousand partitions of one.

    python -m tests.benchmarks.backfill

Times are seconds of this process's processor, the best of three, so that a busy machine says the same as an idle one.
"""

from __future__ import annotations

import gc
import tempfile
import time
from collections.abc import Callable
from datetime import date, timedelta

from tests.session.notebook import Notebook

DAYS = "daily:2023-01-01..2023-12-31"
HOURS = "hourly:2023-01-01..2024-02-21-15:00"
YEAR = [str(date(2023, 1, 1) + timedelta(days=day)) for day in range(365)]


def best(verb: Callable[[], object], times: int = 3) -> float:
    """Return the shortest time that a call takes."""
    found = []
    for _ in range(times):
        gc.collect()
        began = time.process_time()
        verb()
        found.append(time.process_time() - began)
    return min(found)


def plain_loop() -> dict[str, int]:
    """Make the same values by hand."""
    found = {}
    for day in YEAR:
        raw = [day] * 10
        orders = [one for one in raw if one]
        found[day] = len(orders)
    return found


def year(store: str = "") -> Notebook:
    """Return a notebook of three daily assets."""
    nb = Notebook(run=False, store=store)
    nb.cell("r", f"%%asset raw --partitions {DAYS}\n[context.partition_key] * 10")
    nb.cell("o", f"%%asset orders --partitions {DAYS}\n[one for one in raw if one]")
    nb.cell("s", f"%%asset sales --partitions {DAYS}\nlen(orders)")
    return nb


def filled(nb: Notebook, workers: int) -> None:
    """Make the year."""
    told = nb.session.backfill("sales", workers=workers)
    assert told.success
    assert len(told.plan.steps) == 3 * 365


def first(workers: int, *, on_disk: bool = False) -> float:
    """Return how long the first backfill of a year takes."""
    found = []
    for _ in range(3):
        with tempfile.TemporaryDirectory() as folder:
            nb = year(folder if on_disk else "")
            found.append(best(lambda nb=nb: filled(nb, workers), 1))  # type: ignore[misc]
            nb.session.persistence.close()
    return min(found)


def main() -> None:
    """Print a line per figure."""
    steps = 3 * 365
    rows = [("a plain loop", best(plain_loop))]
    rows += [(f"backfill, {workers} worker{'s' * (workers > 1)}", first(workers)) for workers in (1, 4)]
    rows.append(("backfill, 4 workers, with a store", first(4, on_disk=True)))
    nb = year()
    filled(nb, 1)
    rows.append(("a second one: nothing due", best(lambda: nb.session.backfill("sales"))))
    for name, seconds in rows:
        print(f"{name:36} {1000 * seconds:8.1f} ms {1e6 * seconds / steps:8.1f} µs a step")
    nb = Notebook(run=False)
    nb.cell("h", f"%%asset hour --partitions {HOURS}\ncontext.partition_key")
    session = nb.session
    print(f"{'10,000 partitions: backfill':36} {1000 * best(lambda: session.backfill('hour'), 1):8.1f} ms")
    for name, verb in {
        "their status": lambda: session.statuses(session.scan()),
        "as ranges": lambda: session.partition_view("hour"),
        "one of them": lambda: session.materialize("hour", partition="2024-01-01-00:00", force=True),
    }.items():
        print(f"{f'10,000 partitions: {name}':36} {1000 * best(verb):8.1f} ms")


if __name__ == "__main__":
    main()
