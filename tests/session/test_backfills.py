"""Backfills: in the order of what reads what, in parallel, in groups, stopped and gone on with."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

import ipy_orch as o
from ipy_orch.errors import DagsterError
from ipy_orch.model.keys import AssetKey
from tests.session.notebook import Notebook

DAYS = "daily:2024-01-01..2024-01-20"


@pytest.fixture(autouse=True)
def _now() -> Iterator[None]:
    """Look at partitions as of a day in 2025."""
    with o.partition_loading_context(datetime(2025, 3, 1, tzinfo=UTC)):
        yield


@pytest.fixture
def nb() -> Notebook:
    """Return a notebook of daily assets, and a weekly one."""
    made = Notebook(run=False)
    made.cell("r", f"%%asset raw --partitions {DAYS}\n1")
    made.cell("o", f"%%asset orders --partitions {DAYS}\nraw + 1")
    made.cell("w", "%%asset weekly --partitions weekly:2024-01-07..2024-01-13\nsum(orders.values())")
    return made


def ran(nb: Notebook, runs: int = 1) -> list[str]:
    """Return the steps that ended well in the last runs, in their order."""
    last = [*nb.session.history.runs][-runs:]
    return [event.step for event in nb.session.log if event.kind == "step succeeded" and event.run_id in last]


def test_each_partition_comes_after_those_it_reads(nb: Notebook) -> None:
    """And soon after them, so that values needn't be kept for long."""
    assert nb.session.backfill("raw or orders or weekly", "2024-01-07..2024-01-13").success
    assert ran(nb)[:4] == ["raw[2024-01-07]", "orders[2024-01-07]", "raw[2024-01-08]", "orders[2024-01-08]"]
    assert len(ran(nb)) == 15
    assert nb.session.value("weekly", "2024-01-07") == 14


def test_keys_are_asked_for_by_their_names(nb: Notebook) -> None:
    """Also in the name of the run, and in what is written down to go on with."""
    assert nb.session.backfill([AssetKey("raw"), "orders"], "2024-01-07").success
    run = [*nb.session.history.runs.values()][-1]
    assert run.what == "backfill of raw, orders"
    said = json.loads(run.tags["ipy_orch/backfill"])["selection"]
    assert nb.session.resolve(nb.session.scan(), said) == {AssetKey("raw"), AssetKey("orders")}
    nb.cell("p", "%%asset plain\n1")
    with pytest.raises(DagsterError, match="`plain` has no partitions"):
        nb.session.backfill([AssetKey("plain")])


def test_partitions_downstream_of_those_asked_for(nb: Notebook) -> None:
    """A range of days means the weeks that read them."""
    told = nb.session.backfill("orders or weekly", "2024-01-08..2024-01-10")
    assert [line.key.label for line in told.lines] == ["raw", "orders", "weekly"]
    assert nb.session.partition_view("weekly").counts == {"fresh": 1, "missing": 1}


def test_many_at_once(nb: Notebook) -> None:
    """As many as there are workers, each value its own."""
    nb.cell("t", "import threading, time\nrunning, most = [], []")
    nb.cell(
        "r",
        f"%%asset raw --partitions {DAYS}\nrunning.append(1)\nmost.append(len(running))\ntime.sleep(0.02)\n"
        "running.pop()\ncontext.partition_key",
    )
    nb.cell("o", f"%%asset orders --partitions {DAYS}\nraw")
    assert nb.session.backfill("orders", workers=4).success
    assert 2 <= max(nb.namespace["most"]) <= 4
    found = nb.session.value("orders", by_key=True)
    assert all(key == value for key, value in found.items())
    assert len(found) == 20


@pytest.mark.parametrize(("policy", "calls"), [("all", [20]), ("8", [8, 8, 4]), ("1", [1] * 20)])
def test_how_many_one_call_makes(policy: str, calls: list[int]) -> None:
    """As the asset's policy says; a dict gives each partition its value, and a failure is of all of a call."""
    nb = Notebook(run=False)
    made = "made = {key: int(key[-2:]) for key in context.partition_keys}"
    body = f"{made}\nmade if len(made) > 1 else made[context.partition_key]"
    nb.cell("b", f"%%asset batch --partitions {DAYS} --backfill {policy}\n{body}")
    nb.cell("d", f"%%asset after --partitions {DAYS}\nbatch * 2")
    assert nb.session.backfill("after").success
    sizes = Counter(event.step for event in nb.session.log if event.kind == "materialized")
    assert [many for step, many in sizes.items() if step.startswith("batch")] == calls
    assert nb.session.value("after", "2024-01-09") == 18
    assert nb.session.backfill("after").result is None


def test_one_value_for_several_partitions_is_refused() -> None:
    """Saying what to return; the partitions have failed, and are tried again."""
    nb = Notebook(run=False)
    nb.cell("b", "%%asset batch --partitions static:a,b --backfill all\n1")
    told = nb.session.backfill("batch")
    assert "return a dict with a value for each of `context.partition_keys`" in str(next(iter(told.errors.values())))
    assert nb.session.partition_view("batch").counts == {"failed": 2}
    nb.cell("b", "%%asset batch --partitions static:a,b --backfill all\n{'a': 1, 'b': 2}")
    assert nb.session.backfill("batch", failed=True).success
    assert nb.session.value("batch") == {"a": 1, "b": 2}


def test_what_is_due(nb: Notebook) -> None:
    """By default what is missing, stale or failed; a person may ask for some of these, or for all."""
    session = nb.session
    session.backfill("raw", "2024-01-01..2024-01-03")
    nb.cell("r", f"%%asset raw --partitions {DAYS}\n2")
    session.backfill("raw", "2024-01-02..2024-01-05", missing=True)
    assert ran(nb) == ["raw[2024-01-04]", "raw[2024-01-05]"]
    session.backfill("raw", "2024-01-02..2024-01-05")
    assert ran(nb) == ["raw[2024-01-02]", "raw[2024-01-03]"]
    session.backfill("raw", "2024-01-04..2024-01-05", force=True)
    assert ran(nb) == ["raw[2024-01-04]", "raw[2024-01-05]"]
    assert str(session.backfill("raw", "2024-01-04..2024-01-05")) == "raw · nothing due"


# ---- stopping, and going on


def test_cancel_and_resume(nb: Notebook) -> None:
    """What had finished isn't run again, also where all was to be run although it is fresh."""
    session = nb.session
    session.backfill("raw")
    unlisten = session.log.listen(lambda event: session.cancel() if event.step == "raw[2024-01-07]" else None)
    with pytest.raises(o.DagsterExecutionInterruptedError):
        session.backfill("raw", force=True, workers=2)
    unlisten()
    finished = ran(nb)
    assert 5 <= len(finished) < 20
    assert session.backfill(resume=True).success
    assert sorted(ran(nb)) == sorted({f"raw[2024-01-{day:02}]" for day in range(1, 21)} - {*finished})
    with pytest.raises(DagsterError, match="came to its end"):
        session.backfill(resume=True)


def test_an_interrupt_leaves_no_thread_behind(nb: Notebook) -> None:
    """Ctrl-C stops at once, with four workers at work."""
    nb.cell("t", "import time")
    nb.cell("r", f"%%asset raw --partitions {DAYS}\ntime.sleep(0.05)\n1")
    before = threading.active_count()
    timer = threading.Timer(0.2, signal.raise_signal if os.name == "nt" else lambda *_: os.kill(os.getpid(), 2))
    timer.start()
    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        nb.session.backfill("raw", workers=4)
    assert time.monotonic() - began < 2
    timer.join()
    deadline = time.monotonic() + 2
    while threading.active_count() > before and time.monotonic() < deadline:
        time.sleep(0.01)
    assert threading.active_count() <= before
    counts = nb.session.partition_view("raw").counts
    assert 0 < counts["fresh"] < 20
    assert nb.session.backfill("raw").success


YEAR = '''
import json, sys, time
from tests.session.notebook import Notebook
store, notes = sys.argv[1:]
nb = Notebook(run=False, store=store)
nb.cell("n", f"""
import time
def note(name, key):
    with open({notes!r}, "a") as file:
        file.write(f"{{name}} {{key}}\\\\n")
""")
DAYS = "daily:2023-01-01..2023-12-31"
nb.cell("r", f"%%asset raw --partitions {DAYS}\\nnote('raw', context.partition_key)\\ncontext.partition_key")
nb.cell("o", f"%%asset orders --partitions {DAYS}\\nnote('orders', context.partition_key)\\n[raw]")
nb.cell("s", f"%%asset sales --partitions {DAYS}\\nnote('sales', context.partition_key)\\nlen(orders[0])")
print("ready", flush=True)
told = nb.session.backfill("sales", workers=4)
view = nb.session.partition_view("sales").counts
print(json.dumps({"success": told.success, "view": dict(view)}), flush=True)
'''


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no kill like it")
def test_a_year_killed_and_gone_on_with(tmp_path: Path) -> None:
    """Three assets, four workers: what had finished when the process was killed isn't run a second time."""
    store, notes = tmp_path / "store", tmp_path / "notes"
    command = [sys.executable, "-c", YEAR, str(store), str(notes)]
    root = str(Path(__file__).parents[2])
    environment = {**os.environ, "PYTHONPATH": root}
    for share in (200, 600):
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=tmp_path, env=environment) as one:
            deadline = time.monotonic() + 60
            while time.monotonic() < deadline and (not notes.exists() or notes.read_text().count("\n") < share):
                time.sleep(0.005)
            one.send_signal(signal.SIGKILL)
    told = subprocess.run(
        command, capture_output=True, text=True, cwd=tmp_path, env=environment, timeout=100, check=False
    )
    assert told.returncode == 0, told.stderr
    assert json.loads(told.stdout.splitlines()[-1]) == {"success": True, "view": {"fresh": 365}}
    runs = Counter(notes.read_text().splitlines())
    assert len(runs) == 3 * 365
    # each kill costs what the four workers were at, and what had ended and wasn't written yet
    assert sum(many - 1 for many in runs.values()) <= 2 * 8
    again = Notebook(run=False, store=str(store))
    finished = Counter(
        (event.key.label, event.partition) for event in again.session.log if event.kind == "materialized"
    )
    assert finished
    assert set(finished.values()) == {1}


# ---- many


def test_ten_thousand_partitions_stay_quick() -> None:
    """How they stand is known in less than the blink of an eye, and a backfill of nothing costs no more."""
    nb = Notebook(run=False)
    nb.cell("h", "%%asset hour --partitions hourly:2023-01-01..2024-02-21-15:00\ncontext.partition_key")
    session, key = nb.session, AssetKey("hour")
    assert session.backfill("hour").success
    nb.cell("h", "%%asset hour --partitions hourly:2023-01-01..2024-02-21-15:00\ncontext.partition_key * 2")
    for verb in (lambda: session.statuses(session.scan()), lambda: session.partition_view("hour")):
        best = min(timed(verb) for _ in range(3))
        assert best < 0.3, best  # some 50 ms on an idle machine
    assert str(session.statuses(session.scan())[key]) == "stale (0/10,000 fresh · 10,000 stale)"
    assert [(one.many, one.status.word) for one in session.partition_view("hour").ranges] == [(10_000, "stale")]


def timed(verb: Callable[[], object]) -> float:
    """Return how long a call takes."""
    began = time.process_time()
    verb()
    return time.process_time() - began
