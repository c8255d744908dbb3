"""Steps behave alike wherever they run: in the calling thread, on threads, in processes, on dask, on ipyparallel."""

from __future__ import annotations

import time
import traceback
from pathlib import Path

import pytest

from ipy_orch.errors import DagsterExecutionInterruptedError
from ipy_orch.events.types import Logged, StepRetrying
from ipy_orch.execution.workers.afar import SealedAfar
from ipy_orch.session.executors import NoSuchExecutor
from tests.session.notebook import Notebook

AWAY = ["processes", "dask", "ipyparallel"]
PLACES = ["inline", "threads", *AWAY]
SOON = 10.0  # seconds

HEAD = "import os, time\nfrom pathlib import Path\nfrom ipy_orch import *"
WORK = """
class Db(ConfigurableResource):
    path: str
    token: str
    def setup_for_execution(self, context): self._opened = os.getpid()
    def read(self): return [self.path] * 2, self._opened == os.getpid()

class Size(Config):
    rows: int = 2

def double(values): return values * 2

@asset
def raw(context: AssetExecutionContext, config: Size, db: ResourceParam[Db]):
    values, is_open = db.read()
    print(f"read with {db.token}")
    context.log.info(f"open: {is_open}")
    context.add_output_metadata({"rows": config.rows})
    return double(values)

@asset_check(asset=raw)
def raw_ok(raw): return AssetCheckResult(passed=len(raw) == 4, metadata={"n": len(raw)})

@asset
def emptied(raw):
    raw.clear()
    return raw

@asset
def counted(raw): return len(raw)

@asset
def both(emptied, counted): return emptied, counted
"""


@pytest.fixture(scope="module")
def dask_client():
    """Start a dask cluster of two processes."""
    from distributed import Client, LocalCluster

    cluster = LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None, silence_logs=50)
    with cluster, Client(cluster) as client:
        yield client


@pytest.fixture(scope="module")
def engines():
    """Start an ipyparallel cluster of three engines."""
    import ipyparallel

    with ipyparallel.Cluster(n=3, log_level=50) as client:
        client.wait_for_engines(3)
        yield client


@pytest.fixture
def notebook(request):
    """Return a notebook whose session runs its steps in the place that the test is about."""
    place = request.getfixturevalue("place")
    made = Notebook(run=False)
    made.session.settings.executor = place
    made.session.settings.workers = 2 if place in ("threads", "processes") else 1
    if place in ("dask", "ipyparallel"):
        made.namespace["client"] = request.getfixturevalue("dask_client" if place == "dask" else "engines")
    made.cell("head", HEAD)
    return made


def logged(notebook, step):
    """Return what a step printed and logged."""
    return "".join(e.text for e in notebook.session.log if isinstance(e, Logged) and e.step == step)


@pytest.mark.parametrize("place", PLACES)
def test_a_run(notebook, monkeypatch, place):
    """Values, order, isolation, checks, config, metadata, resources, prints and secrets are as in the kernel."""
    monkeypatch.setenv("DB_TOKEN", "t0ken-t0ken")
    notebook.cell("work", WORK)
    notebook.cell("db", "db = Db(path='x', token=EnvVar('DB_TOKEN'))")
    client = notebook.namespace.get("client")  # its workers have an environment of their own
    if place == "dask":
        client.run(set_token)
    elif place == "ipyparallel":
        client[:].apply_sync(set_token)

    report = notebook.session.materialize(config={"ops": {"raw": {"config": {"rows": 7}}}})

    assert report.success, report
    assert [notebook.value(name) for name in ("raw", "counted", "both")] == [["x"] * 4, 4, ([], 4)]
    made = {event.key.path[-1]: event for event in notebook.session.ledger.materialized.values()}
    assert made["raw"].materialization.metadata["rows"].value == 7
    assert list(notebook.session.checks().status) == ["passed"]
    assert "read with [DB_TOKEN]" in logged(notebook, "raw")
    assert "open: True" in logged(notebook, "raw")
    assert logged(notebook, "counted") == ""
    assert "t0ken" not in repr(list(notebook.session.log))
    assert not notebook.session.plan().steps


def set_token():
    """Set the variable in the process of a worker."""
    import os

    os.environ["DB_TOKEN"] = "t0ken-t0ken"


@pytest.mark.parametrize("place", PLACES)
def test_errors_and_retries(notebook, tmp_path, place):
    """An error shows the user's line and skips what is downstream; a policy's retry stores once."""
    notebook.cell("p", f"mark = Path({str(tmp_path / 'mark')!r})")
    notebook.cell(
        "a",
        "@asset(retry_policy=RetryPolicy(2))\ndef flaky():\n    if not mark.exists():\n"
        "        mark.touch()\n        raise OSError('once')\n    return 1",
    )
    notebook.cell("b", "def half(x):\n    return x / 0\n\n@asset\ndef broken(flaky):\n    return half(flaky)")
    notebook.cell("c", "@asset\ndef below(broken): return 1\n\n@asset\ndef beside(flaky): return flaky + 1")

    report = notebook.session.materialize()

    assert {str(line.key): line.status for line in report.lines} == {
        "flaky": "ran",
        "beside": "ran",
        "broken": "failed",
        "below": "skipped",
    }
    assert [event.step for event in notebook.session.log if isinstance(event, StepRetrying)] == ["flaky"]
    error = report.errors["broken"]
    assert isinstance(error, ZeroDivisionError)
    assert [frame.name for frame in traceback.extract_tb(error.__traceback__)][-2:] == ["broken", "half"]
    assert notebook.value("beside") == 2


@pytest.mark.parametrize("place", PLACES)
def test_a_cancel(notebook, tmp_path, place):
    """It stops what runs within seconds; nothing of it is stored, and the next run is like any other."""
    began = tmp_path / "began"
    notebook.cell("p", f"began = Path({str(began)!r})")
    text = "@asset\ndef slow():\n    began.touch()\n    while {forever}: time.sleep(0.01)\n    return 1"
    notebook.cell("a", text.format(forever="True"))
    run = notebook.session.submit()
    wait_for(began.exists)
    asked = time.monotonic()
    notebook.session.cancel()
    with pytest.raises(DagsterExecutionInterruptedError):
        run.future.result(SOON)
    assert time.monotonic() - asked < SOON
    assert not notebook.session.ledger.materialized
    notebook.cell("a", text.format(forever="False"))
    assert notebook.value("slow") == 1


@pytest.mark.parametrize("place", AWAY)
def test_a_worker_that_dies(notebook, tmp_path, place):
    """The step is run again on another one, and the others' values stay."""
    notebook.cell("p", f"died = Path({str(tmp_path / 'died')!r})")
    notebook.cell(
        "a",
        "@asset\ndef first(): return 1\n\n@asset\ndef deadly(first):\n    if not died.exists():\n"
        "        died.touch()\n        os._exit(1)\n    return first + 1",
    )
    report = notebook.session.materialize()
    assert report.success, report
    assert notebook.value("deadly") == 2


@pytest.mark.parametrize("place", PLACES)
def test_partitions(notebook, place):
    """Each partition is a step of its own, with its key in its context."""
    notebook.cell(
        "a",
        "@asset(partitions_def=StaticPartitionsDefinition(list('abc')))\n"
        "def letters(context): return context.partition_key * 2",
    )
    assert notebook.session.backfill("letters").success
    assert [notebook.session.value("letters", partition=key) for key in "abc"] == ["aa", "bb", "cc"]


@pytest.mark.parametrize("place", ["dask", "ipyparallel"])
def test_an_edited_module(notebook, tmp_path, monkeypatch, place):
    """Workers that outlive a run get the user's modules as they are in the kernel now."""
    import importlib
    import sys

    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    module = tmp_path / "orch_local_rates.py"
    module.write_text("RATE = 2\ndef apply(x): return x * RATE\n")
    notebook.cell("i", "import orch_local_rates as rates")
    notebook.cell("a", "@asset\ndef priced(): return rates.apply(10)")
    assert notebook.value("priced") == 20
    module.write_text("RATE = 30\ndef apply(x): return x * RATE\n")
    importlib.reload(sys.modules["orch_local_rates"])
    assert notebook.value("priced") == 300
    del sys.modules["orch_local_rates"]


@pytest.mark.parametrize("place", ["processes"])
def test_what_cannot_go_there(notebook, place):
    """It is named, with what to do; the session goes on."""
    notebook.cell("a", "@asset\ndef opened(): return 1\n\n@asset\ndef uses(opened): return lock is not None")
    notebook.cell("l", "import threading\nlock = threading.Lock()")
    report = notebook.session.materialize()
    assert "can't go to another process" in str(report.errors["uses"])
    assert "threads" in report.errors["uses"].hint
    assert notebook.session.value("opened") == 1


@pytest.mark.parametrize("place", ["processes"])
def test_what_cannot_come_back(notebook, place):
    """A value that can't be pickled is told as such, under its step."""
    notebook.cell("a", "import threading\n@asset\ndef made(): return threading.Lock()")
    report = notebook.session.materialize()
    assert "can't come back" in str(report.errors["made"])


@pytest.mark.parametrize(
    ("said", "word"),
    [("proceses", "did you mean `processes`"), ("nothing", "inline, threads"), ("dask:tcp://127.0.0.1:1", "scheduler")],
)
def test_no_such_place(said, word):
    """What isn't an executor is refused before anything runs."""
    notebook = Notebook(run=False)
    notebook.cell("a", f"{HEAD}\n@asset\ndef a(): return 1")
    with pytest.raises(NoSuchExecutor, match=r"executor|scheduler") as caught:
        notebook.session.materialize(executor=said)
    assert word in str(caught.value)
    assert not notebook.session.ledger.materialized


def test_an_executor_of_ones_own():
    """One in a variable is used and left running."""
    from concurrent.futures import ThreadPoolExecutor

    notebook = Notebook(run=False)
    notebook.cell("a", f"{HEAD}\n@asset\ndef a(): return 1")
    with ThreadPoolExecutor(2) as pool:
        notebook.namespace["pool"] = pool
        assert notebook.session.materialize(executor="pool").success
        assert pool.submit(int).result() == 0


def wait_for(done, seconds=SOON):
    """Wait until something is so."""
    end = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_the_place_is_no_part_of_a_version(tmp_path: Path) -> None:
    """What was made on a worker is fresh in the kernel."""
    notebook = Notebook(run=False)
    notebook.cell("a", f"{HEAD}\n@asset\ndef a(): return 1")
    assert notebook.session.materialize(executor="threads").success
    assert not notebook.session.plan().steps


@pytest.mark.parametrize("place", ["dask"])
def test_a_large_value_stays_where_it_is(notebook, dask_client, place):
    """What a dask worker made goes to the next step without the kernel, isolated; the kernel fetches it to read it."""
    notebook.cell("n", "import numpy as np")
    notebook.cell("a", "@asset\ndef big(): return np.ones(1 << 20)")
    notebook.cell("b", "@asset\ndef halved(big):\n    big = big.copy()\n    big /= 2\n    return big")
    notebook.cell("c", "@asset\ndef total(big, halved): return float(big.sum() + halved.sum())")

    assert notebook.session.materialize().success
    entry = notebook.session.store.entry(notebook.session.key("big", notebook.session.scan()))
    assert isinstance(entry.sealed, SealedAfar)
    assert notebook.session.ledger.materialized[entry.key, None].shape == (1 << 20,)
    assert notebook.session.ledger.materialized[entry.key, None].nbytes >= 8 << 20
    assert notebook.session.store.total_bytes < 1 << 20
    assert notebook.value("total") == 1.5 * (1 << 20)
    assert notebook.value("big").sum() == 1 << 20
    dask_client.restart()
    wait_for(lambda: [step.name for step in notebook.session.plan("big").steps] == ["big"])
    assert notebook.value("big").sum() == 1 << 20
