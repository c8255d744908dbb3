"""Steps behave alike wherever they run: in the calling thread, on threads, in processes, on dask, on ipyparallel."""

from __future__ import annotations

import os
import time
import traceback
from contextlib import suppress
from pathlib import Path

import pytest

from ipy_orch.errors import (
    DagsterExecutionInterruptedError,
    DagsterInvalidConfigError,
    DagsterInvariantViolationError,
)
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

    cluster = LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0", silence_logs=50)
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

    assert {line.key.label: line.status for line in report.lines} == {
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
    wait_for(lambda: is_idle(notebook.namespace.get("client")))
    assert not notebook.session.ledger.materialized
    notebook.cell("a", text.format(forever="False"))
    assert notebook.value("slow") == 1


def is_idle(client):
    """Tell whether nothing runs on a cluster."""
    if hasattr(client, "processing"):
        return not any(client.run(running_there).values())
    return client is None or not any(one["tasks"] for key, one in client.queue_status().items() if key != "unassigned")


def running_there():
    """Return the calls that run on this worker."""
    from ipy_orch.execution.workers.away import RUNNING

    return [*RUNNING]


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
@pytest.mark.parametrize("error", ["BaseException('gone')", "GeneratorExit()", "KeyboardInterrupt()"])
def test_what_is_no_exception(notebook, place, error):
    """It ends the run wherever it is raised, and the next run goes well."""
    notebook.cell("a", f"@asset\ndef fatal(): raise {error}\n\n@asset\ndef fine(): return 1")
    with pytest.raises(BaseException) as raised:
        notebook.session.materialize("fatal")
    assert repr(raised.value) == error
    assert next(reversed(notebook.session.history.runs.values())).status in ("failure", "canceled")
    assert notebook.value("fine") == 1


@pytest.mark.parametrize("place", AWAY)
def test_what_ends_a_pickle(notebook, place):
    """A value whose pickling raises anything at all fails its step."""
    notebook.cell(
        "a",
        "class Odd:\n    def __reduce__(self): raise SystemExit(3)\n\n@asset\ndef odd(): return Odd()\n\n"
        "@asset\ndef fine(): return 1",
    )
    assert "can't come back" in str(notebook.session.materialize("odd").errors["odd"])
    assert notebook.value("fine") == 1


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
    with suppress(
        TimeoutError
    ):  # of a nanny that missed the end of its worker: values are gone and workers come even so
        dask_client.restart(timeout=10, wait_for_workers=False)
    dask_client.wait_for_workers(1, timeout=60)
    wait_for(lambda: [step.name for step in notebook.session.plan("big").steps] == ["big"])
    assert notebook.value("big").sum() == 1 << 20


OWN = """
%%asset raw
t0 = time.monotonic()
while not mark.exists() and time.monotonic() - t0 < 20: time.sleep(0.01)
os.getpid(), threading.current_thread().name, mark.exists()
---
%%asset big --executor dask
np.ones(1 << 20)
---
#| asset: half
#| executor: dask
big[: 1 << 19]
---
%%asset told --executor processes
mark.touch()
print("told")
os.getpid()
---
%%asset last --executor cluster
len(half), told, raw, os.getpid()
---
%%asset_check last --executor threads
threading.current_thread() is not threading.main_thread()
"""


def own_places(notebook, tmp_path, dask_client, engines):
    """Fill a notebook with assets each of which says where it runs."""
    notebook.namespace.update(client=dask_client, cluster=engines)
    notebook.cell("head", f"{HEAD}\nimport threading\nimport numpy as np\nmark = Path({str(tmp_path / 'mark')!r})")
    for number, text in enumerate(OWN.split("---")):
        notebook.cell(f"cell {number}", text.strip())


def test_places_of_their_own(tmp_path, dask_client, engines):
    """Steps run where they say, the others where the run does, all at once; the place is no part of a version."""
    notebook = Notebook(run=False)
    own_places(notebook, tmp_path, dask_client, engines)
    session, here = notebook.session, os.getpid()

    report = session.materialize()  # `raw` blocks the kernel's thread until `told`, which is elsewhere, has begun

    assert report.success, report
    half, told, raw, last = notebook.value("last")
    assert raw == (here, "MainThread", True)
    assert half == 1 << 19
    assert len({here, told, last}) == 3
    assert logged(notebook, "told") == "told\n"
    assert list(session.checks().status) == ["passed"]
    scanned = session.scan()
    sealed = [session.store.entry(session.key(name, scanned)).sealed for name in ("big", "half", "told")]
    assert [isinstance(one, SealedAfar) for one in sealed] == [True, True, False]
    notebook.cell("cell 3", OWN.split("---")[3].replace("processes", "threads").strip())
    assert not session.plan().steps
    report = session.materialize("raw told last", force=True, executor="threads")
    assert report.success, report
    _, told, (raw, thread, _), last = notebook.value("last")
    assert (told, raw) == (here, here)
    assert last != here
    assert thread != "MainThread"


def test_a_place_that_is_not_there():
    """It is one error that names the step, before anything runs; what fails elsewhere fails alone."""
    notebook = Notebook(run=False)
    notebook.cell("head", HEAD)
    notebook.cell("a", "%%asset first\n1")
    notebook.cell("b", "%%asset second --executor proceses\nfirst / 0")
    notebook.cell("c", "@asset(op_tags={'ipy_orch/executor': 'threads'})\ndef third(first): return first + 1")
    with pytest.raises(NoSuchExecutor, match="`second`") as caught:
        notebook.session.materialize()
    assert "did you mean `processes`" in caught.value.hint
    assert not notebook.session.ledger.materialized
    notebook.cell("b", "%%asset second --executor processes\nfirst / 0")
    report = notebook.session.materialize()
    assert {line.key.label: line.status for line in report.lines} == {
        "first": "ran",
        "second": "failed",
        "third": "ran",
    }
    assert isinstance(report.errors["second"], ZeroDivisionError)


def test_a_cancel_reaches_all_places(tmp_path, dask_client):
    """What runs in the run's own thread, in processes and on dask ends; nothing is stored, and the places go on."""
    notebook = Notebook(run=False)
    notebook.namespace.update(client=dask_client)
    notebook.cell("head", f"{HEAD}\nfolder = Path({str(tmp_path)!r})")
    text = "%%asset slow_{0} --executor {0}\n(folder / '{0}').touch()\nwhile {1}: time.sleep(0.01)\nos.getpid()"
    places = ["inline", "processes", "dask"]
    for place in places:
        notebook.cell(place, text.format(place, "True"))
    run = notebook.session.submit()
    wait_for(lambda: all((tmp_path / place).exists() for place in places), 30)
    notebook.session.cancel()
    with pytest.raises(DagsterExecutionInterruptedError):
        run.future.result(SOON)
    wait_for(lambda: is_idle(dask_client))
    assert not notebook.session.ledger.materialized
    for place in places:
        notebook.cell(place, text.format(place, "False"))
    assert len({notebook.value(f"slow_{place}") for place in places}) == 3


def test_a_client_for_an_address(dask_client):
    """There is one as long as the session, whose steps find each other's values; a closed one is replaced."""
    notebook = Notebook(run=False)
    said = f"dask:{dask_client.scheduler.address}"
    notebook.cell("head", f"{HEAD}\nimport numpy as np")
    notebook.cell("a", f"%%asset big --executor {said}\nnp.ones(1 << 18)")
    notebook.cell("b", f"%%asset total --executor {said}\nbig.sum()")
    clients = notebook.session.running.clients

    assert notebook.value("big").sum() == 1 << 18
    first = clients.known[said]
    assert notebook.value("total") == 1 << 18
    assert clients.known == {said: first}
    first.close()
    assert notebook.session.materialize("total", force=True).success
    second = clients.known[said]
    assert second is not first
    assert second.status == "running"
    clients.close()
    assert second.status == "closed"
    assert not clients.known


JOBS = """
@op
def one():
    print("one ran")
    return os.getpid()

@op(tags={"ipy_orch/executor": "inline"})
def two(x): return x, os.getpid()

@job(executor_def=multiprocess_executor, config={"execution": {"config": {"max_concurrent": 1}}})
def work(): two(one())

@job
def plain(): two(one())

@executor(config_schema={"processes": int})
def mine(context): return ProcessPoolExecutor(context.executor_config["processes"])

held = ThreadPoolExecutor(1, thread_name_prefix="held")
nightly = define_asset_job("nightly", executor_def=mine)
defs = Definitions(jobs=[plain], executor=held)

@asset
def where(): return os.getpid(), threading.current_thread().name
"""


def test_the_executor_of_a_job(capsys):
    """A launch runs where the job, or the Definitions that hold it, say; what is said with the launch wins."""
    notebook = Notebook(run=False)
    notebook.cell(
        "head",
        f"{HEAD}\nimport threading\nfrom concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor\n{JOBS}",
    )
    session, here = notebook.session, os.getpid()

    first, second = session.launch("work").output_for_node("two")
    assert first != here == second
    assert "one ran\n" in capsys.readouterr().out
    assert session.launch("work", executor="inline").output_for_node("two") == (here, here)
    assert session.launch("plain").output_for_node("two") == (here, here)
    with pytest.raises(DagsterInvalidConfigError, match="`max_concurrent`"):
        session.launch("work", config={"execution": {"config": {"max_concurrnt": 1}}})
    with pytest.raises(DagsterInvalidConfigError, match="holds `config`"):
        session.launch("work", config={"execution": {"multiprocess": {}}})
    with pytest.raises(DagsterInvariantViolationError, match="succeeded"):
        session.launch("work", from_failure=True)  # a launch that was refused is none
    with pytest.raises(DagsterInvalidConfigError, match="processes"):
        session.launch("nightly")
    report = session.submit_job("nightly", config={"execution": {"config": {"processes": 1}}}).result(60)
    assert report.success, report
    assert notebook.value("where")[0] != here
    notebook.cell("d", "nightly = define_asset_job('nightly')\ndefs = Definitions(jobs=[nightly], executor=held)")
    assert session.launch("nightly").success
    assert notebook.value("where") == (here, "held_0")
    assert notebook.namespace["held"].submit(int).result() == 0
    notebook.namespace["held"].shutdown()
