"""Values are kept for a run, in files, or in the session; whole, private, and within a limit."""

from __future__ import annotations

import contextlib
import gc
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import psutil
import pytest

from ipy_orch import (
    OutputContext,
    build_init_resource_context,
    build_input_context,
    build_output_context,
    custom_path_fs_io_manager,
)
from ipy_orch.errors import DagsterInvariantViolationError
from ipy_orch.execution.iomanagers import (
    FilesystemIOManager,
    InMemoryIOManager,
    SessionIOManager,
    default_folder,
    fs_io_manager,
    machine_memory,
    mem_io_manager,
)
from ipy_orch.execution.iomanagers.drafts import ABANDONED
from ipy_orch.execution.iomanagers.pickles import read_pickle, write_pickle
from ipy_orch.execution.sizes import nbytes, shape
from ipy_orch.model.keys import AssetKey
from ipy_orch.model.resources.resource import InitResourceContext
from ipy_orch.model.types.annotations import Nothing

ROOT = Path(__file__).parents[2]
MB = 1 << 20


@dataclass
class Context:
    """Tell an IO manager what a real context tells."""

    key: AssetKey | None = None
    partitions: list[str] | None = None
    step_key: str = "step"
    name: str = "result"
    run_id: str = "run"
    data_version: str | None = None
    dagster_type: Any = None
    upstream_output: Any = None
    definition_metadata: dict[str, Any] = field(default_factory=dict)
    added: dict[str, Any] = field(default_factory=dict)

    @property
    def has_asset_key(self) -> bool:
        return self.key is not None

    @property
    def asset_key(self) -> AssetKey:
        assert self.key is not None
        return self.key

    @property
    def has_partition_key(self) -> bool:
        return self.partitions is not None

    has_asset_partitions = has_partition_key

    @property
    def asset_partition_keys(self) -> list[str]:
        return self.partitions or []

    def get_identifier(self) -> list[str]:
        return [self.run_id, self.step_key, self.name]

    def add_output_metadata(self, metadata: dict[str, Any]) -> None:
        self.added.update(metadata)


def orders(**rest: Any) -> Context:
    """Return a context of the asset `orders`."""
    return Context(AssetKey("orders"), **rest)


# ---- all of them


@pytest.fixture(params=["memory", "files", "session"])
def manager(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    """Return one IO manager after another."""
    kinds = {"memory": InMemoryIOManager, "session": SessionIOManager}
    return FilesystemIOManager(base_dir=str(tmp_path)) if request.param == "files" else kinds[request.param]()


def test_readers_have_values_of_their_own(manager: Any) -> None:
    """What one reader or the producer does to a value, no other reader sees."""
    value = {"rows": [1], "table": pd.DataFrame({"x": [1, 2]})}
    manager.handle_output(orders(), value)
    reader = manager.load_input(orders())
    reader["rows"].append(2)
    reader["table"].loc[0, "x"] = 9
    again = manager.load_input(orders())
    assert (again["rows"], again["table"]["x"].tolist()) == ([1], [1, 2])


def test_outputs_of_ops(manager: Any) -> None:
    """The input of an op is found under the output that it comes from."""
    manager.handle_output(Context(step_key="make"), [1])
    assert manager.load_input(Context(step_key="use", upstream_output=Context(step_key="make"))) == [1]


def test_none_is_a_value(manager: Any) -> None:
    """None is stored like any other value."""
    context = orders()
    manager.handle_output(context, None)
    assert manager.load_input(orders()) is None
    assert context.added == {}


def test_partitions(manager: Any) -> None:
    """Partitions are stored one by one; several are loaded as a dict, missing ones only where that is allowed."""
    manager.handle_output(orders(partitions=["a"]), 1)
    manager.handle_output(orders(partitions=["b"]), 2)
    assert manager.load_input(orders(partitions=["a"])) == 1
    assert manager.load_input(orders(partitions=["a", "b"])) == {"a": 1, "b": 2}
    assert manager.load_input(orders(partitions=[])) is None
    with pytest.raises((FileNotFoundError, DagsterInvariantViolationError), match="orders"):
        manager.load_input(orders(partitions=["a", "c"], run_id="later"))
    allowed = {"allow_missing_partitions": True}
    assert manager.load_input(orders(partitions=["a", "c"], run_id="later", definition_metadata=allowed)) == {"a": 1}
    assert manager.load_input(orders(partitions=["c"], run_id="later", definition_metadata=allowed)) is None
    if not isinstance(manager, InMemoryIOManager):  # as Dagster's, it keeps that for the run
        with pytest.raises(DagsterInvariantViolationError, match="2 partitions"):
            manager.handle_output(orders(partitions=["a", "b"]), 1)


def test_nothing_is_not_stored(tmp_path: Path) -> None:
    """An output that is declared to be nothing isn't stored."""
    FilesystemIOManager(base_dir=str(tmp_path)).handle_output(orders(dagster_type=Nothing), None)
    session = SessionIOManager()
    session.handle_output(orders(dagster_type=Nothing), None)
    assert list(tmp_path.iterdir()) == []
    assert not session.has(AssetKey("orders"))


# ---- files


def test_where_files_are(tmp_path: Path) -> None:
    """The path is the key's, then the partition's; the metadata tell it, and anybody's pickle reads it."""
    store = FilesystemIOManager(base_dir=str(tmp_path / "new" / "folder"))
    context = Context(AssetKey(["sales", "orders"]), partitions=["2026-01-01"])
    store.handle_output(context, [1, 2])
    path = tmp_path / "new" / "folder" / "sales" / "orders" / "2026-01-01"
    assert pickle.loads(path.read_bytes()) == [1, 2]
    assert context.added["path"].value == str(path)
    assert store.has_output(context)
    store.handle_output(Context(), 5)
    assert (tmp_path / "new" / "folder" / "run" / "step" / "result").is_file()


def test_default_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without `base_dir` values go to $DAGSTER_HOME/storage, or to a temporary folder."""
    default_folder.cache_clear()
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    assert FilesystemIOManager().path(orders()) == tmp_path / "storage" / "orders"
    default_folder.cache_clear()
    monkeypatch.delenv("DAGSTER_HOME")
    assert FilesystemIOManager().path(orders()).parent.is_dir()


def test_definitions(tmp_path: Path) -> None:
    """Both managers are there as definitions; that of files takes its folder from config or from the instance."""

    class Instance:
        def storage_directory(self) -> str:
            return str(tmp_path / "of the instance")

    assert isinstance(mem_io_manager.resource_fn(InitResourceContext()), InMemoryIOManager)
    store = fs_io_manager.resource_fn(InitResourceContext({"base_dir": str(tmp_path)}))
    assert store.path(orders()) == tmp_path / "orders"
    store = FilesystemIOManager()
    store.setup_for_execution(InitResourceContext(instance=Instance()))
    assert store.path(orders()) == tmp_path / "of the instance" / "orders"


@pytest.mark.parametrize(
    ("partition", "place"),
    [
        ("/etc/passwd", "%2Fetc/passwd"),
        ("../../escape", "%2E%2E/%2E%2E/escape"),
        ("a/./b", "a/%2E/b"),
        ("my..backup", "my..backup"),
        ("", "%"),
        ("/", "%2F"),
    ],
)
def test_no_key_leads_out_of_the_folder(partition: str, place: str, tmp_path: Path) -> None:
    """Partition keys and asset keys are names below the folder, whatever they are made of."""
    store = FilesystemIOManager(base_dir=str(tmp_path))
    context = Context(AssetKey(["..", "/etc", "orders"]), partitions=[partition])
    store.handle_output(context, 1)
    assert (tmp_path / "%2E%2E" / "%2Fetc" / "orders" / place).is_file()
    assert store.load_input(context) == 1


def test_kill_while_writing_leaves_the_old_value(tmp_path: Path) -> None:
    """A kernel killed in the middle of a write (kill -9) leaves the old value, whole; its draft goes later."""
    path = tmp_path / "orders"
    write_pickle(path, "old", "orders")
    script = f"""
import sys, time
sys.path.insert(0, {str(ROOT)!r})
from pathlib import Path
from ipy_orch.execution.iomanagers.pickles import write_pickle
class Slow:
    def __reduce__(self):
        print("half", flush=True)
        time.sleep(60)
        return (int, ())
write_pickle(Path({str(path)!r}), [b"x" * 5_000_000, Slow()], "orders")
"""
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "half\n"
        child.send_signal(getattr(signal, "SIGKILL", signal.SIGTERM))
    assert read_pickle(path, "orders") == "old"
    (draft,) = tmp_path.glob(".orders.*.tmp")
    write_pickle(path, "new", "orders")
    assert draft.exists()  # it might be another kernel's, writing right now
    os.utime(draft, (time.time() - 2 * ABANDONED,) * 2)
    again = script.partition("class Slow")[0] + f'write_pickle(Path({str(path)!r}), "newer", "orders")'
    subprocess.run([sys.executable, "-c", again], check=True)  # the next kernel sweeps
    assert [file.name for file in tmp_path.iterdir()] == ["orders"]
    assert read_pickle(path, "orders") == "newer"


def test_a_value_that_fails_to_pickle_leaves_the_old_one(tmp_path: Path) -> None:
    """An error in the middle of a write leaves the old value and no draft."""
    path = tmp_path / "orders"
    write_pickle(path, "old", "orders")
    deep: list[Any] = []
    for _ in range(50_000):
        deep = [deep]
    for value in ([b"x" * MB, lambda: 1], threading.Lock(), deep):
        with pytest.raises(DagsterInvariantViolationError, match=r"(?s)`orders` is a .* can't be pickled.*hint:"):
            write_pickle(path, value, "orders")
    while deep:
        deep = deep.pop()
    assert [file.name for file in tmp_path.iterdir()] == ["orders"]
    assert read_pickle(path, "orders") == "old"


def test_an_interrupt_leaves_the_old_value(tmp_path: Path) -> None:
    """Ctrl-C in the middle of a write comes through as itself, and leaves the old value."""

    class Interrupts:
        def __reduce__(self) -> Any:
            raise KeyboardInterrupt

    path = tmp_path / "orders"
    write_pickle(path, "old", "orders")
    with pytest.raises(KeyboardInterrupt):
        write_pickle(path, Interrupts(), "orders")
    assert [file.name for file in tmp_path.iterdir()] == ["orders"]


@pytest.mark.parametrize("keep", [0, 1, 10, 1000, 70_000])
def test_truncated_file(keep: int, tmp_path: Path) -> None:
    """A file that ends early is reported with its path and what to do."""
    store = FilesystemIOManager(base_dir=str(tmp_path))
    store.handle_output(orders(), np.arange(10_000.0))
    path = tmp_path / "orders"
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(
        DagsterInvariantViolationError, match=r"(?s)`orders` is truncated or corrupt.*hint: mat"
    ) as caught:
        store.load_input(orders())
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("place", [0, 500, 40_000])
def test_corrupt_file(place: int, tmp_path: Path) -> None:
    """One wrong bit is found, also where it would only change a number."""
    path = tmp_path / "orders"
    write_pickle(path, np.arange(10_000.0), "orders")
    data = bytearray(path.read_bytes())
    data[place] ^= 1
    path.write_bytes(data)
    with pytest.raises(DagsterInvariantViolationError, match="truncated or corrupt"):
        read_pickle(path, "orders")


def test_files_of_others_formats(tmp_path: Path) -> None:
    """A plain pickle, as Dagster writes it, is read; text is not."""
    path = tmp_path / "orders"
    path.write_bytes(pickle.dumps([1, 2]))
    path.chmod(0o600)
    assert read_pickle(path, "orders") == [1, 2]
    path.write_bytes(b"hello")
    with pytest.raises(DagsterInvariantViolationError, match="corrupt"):
        read_pickle(path, "orders")


def test_a_class_that_is_gone(tmp_path: Path) -> None:
    """A value whose class isn't defined any more asks for the cell that defines it."""
    path = tmp_path / "orders"
    path.write_bytes(pickle.dumps(Context()).replace(b"Context", b"Kontext"))
    path.chmod(0o600)
    with pytest.raises(DagsterInvariantViolationError, match=r"(?s)class that isn't here.*Kontext.*run the cell"):
        read_pickle(path, "orders")


def test_missing_file(tmp_path: Path) -> None:
    """What was never stored says so."""
    with pytest.raises(FileNotFoundError, match="`orders` isn't stored"):
        FilesystemIOManager(base_dir=str(tmp_path)).load_input(orders())


def boobytrap(path: Path) -> Path:
    """Write a pickle that makes a file when it is loaded."""

    class Trap:
        def __reduce__(self) -> Any:
            return (Path.touch, (path.with_name("sprung"),))

    path.write_bytes(pickle.dumps(Trap()))
    path.chmod(0o600)
    return path


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="files have no owners here")
def test_a_pickle_of_another_user_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A pickle that another user owns isn't loaded: nothing in it runs."""
    path = boobytrap(tmp_path / "orders")
    me = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: me + 1)
    with pytest.raises(DagsterInvariantViolationError, match="belongs to another user"):
        read_pickle(path, "orders")
    assert not (tmp_path / "sprung").exists()


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="files have no modes here")
def test_a_pickle_that_everybody_may_write_to_is_refused(tmp_path: Path) -> None:
    """A pickle that is world-writable isn't loaded either, and what we write is for its owner only."""
    path = boobytrap(tmp_path / "orders")
    path.chmod(0o666)
    with pytest.raises(DagsterInvariantViolationError, match="everybody may write"):
        read_pickle(path, "orders")
    assert not (tmp_path / "sprung").exists()
    write_pickle(path, 1, "orders")
    assert path.stat().st_mode & 0o077 == 0


def read_only_folder(tmp_path: Path) -> Path:
    """Return a folder in which not even root can write, or skip."""
    folder = tmp_path / "read_only"
    folder.mkdir(mode=0o500)
    if os.access(folder, os.W_OK):  # root may write anywhere, but not here:
        folder = Path("/sys/kernel")
    if not folder.is_dir() or (hasattr(os, "geteuid") and os.geteuid() == 0 and os.name != "posix"):
        pytest.skip("no folder is read-only for this user")
    return folder


def test_read_only_folder(tmp_path: Path) -> None:
    """A folder that can't be written to is named, with what to do."""
    folder = read_only_folder(tmp_path)
    with pytest.raises(DagsterInvariantViolationError) as caught:
        FilesystemIOManager(base_dir=str(folder)).handle_output(orders(), 1)
    message = str(caught.value)
    assert "`orders` can't be stored" in message
    assert str(folder) in message
    assert "hint: choose a folder you may write to" in message


def test_a_file_where_a_folder_should_be(tmp_path: Path) -> None:
    """The asset `a/b` can't be stored below the file of the asset `a`; partitions of `a` take the file's place."""
    store = FilesystemIOManager(base_dir=str(tmp_path))
    store.handle_output(Context(AssetKey("a")), 1)
    with pytest.raises(DagsterInvariantViolationError, match="one name"):
        store.handle_output(Context(AssetKey(["a", "b"])), 1)
    store.handle_output(Context(AssetKey("a"), partitions=["x"]), 2)
    assert store.load_input(Context(AssetKey("a"), partitions=["x"])) == 2
    with pytest.raises(DagsterInvariantViolationError, match="one name"):
        store.handle_output(Context(AssetKey("a")), 1)
    with pytest.raises(DagsterInvariantViolationError, match="can't be read"):
        store.load_input(Context(AssetKey("a")))


def test_two_kernels_one_store(tmp_path: Path) -> None:
    """Two writers at once leave one of the two values, and readers see whole values only."""
    path = tmp_path / "orders"
    values = {n: np.full(50_000, n) for n in (1, 2)}
    write_pickle(path, values[1], "orders")

    def write(n: int) -> None:
        for _ in range(20):
            write_pickle(path, values[n], "orders")

    writers = [threading.Thread(target=write, args=(n,)) for n in values]
    for writer in writers:
        writer.start()
    while any(writer.is_alive() for writer in writers):
        assert len(np.unique(read_pickle(path, "orders"))) == 1
    assert [file.name for file in tmp_path.iterdir()] == ["orders"]


# ---- the session


def megabytes(n: int) -> np.ndarray:
    """Return a value of so many megabytes."""
    return np.ones(n * MB, dtype="u1")


def names(session: SessionIOManager) -> set[Any]:
    """Return the keys that are kept."""
    return {entry.key for entry in session.entries()}


def test_values_and_versions() -> None:
    """A value is kept by key and partition, with its version; a new one replaces it."""
    session = SessionIOManager()
    session.put("a", None, [1], version="v1", seconds=2.0)
    session.put("a", "p", [2], version="v2")
    assert (session.get("a"), session.get("a", "p")) == ([1], [2])
    assert session.has("a")
    assert session.has("a", None, "v1")
    assert not session.has("a", None, "v2")
    assert not session.has("b")
    session.put("a", None, [3], version="v3")
    assert session.get("a") == [3]
    assert not session.has("a", version="v1")
    assert [(e.partition, e.version) for e in session.entries() if e.partition is None] == [(None, "v3")]
    session.drop("a", "p")
    assert session.has("a")
    session.put("a", "p", [2])
    session.drop("a")
    assert session.entries() == []
    assert session.total_bytes == 0
    with pytest.raises(KeyError):
        session.get("a")


def test_the_context_tells_the_version() -> None:
    """What handle_output stores has the context's data version; load_input says what isn't there."""
    session = SessionIOManager()
    session.handle_output(orders(data_version="v7"), 1)
    assert session.has(AssetKey("orders"), None, "v7")
    session.drop(AssetKey("orders"))
    with pytest.raises(DagsterInvariantViolationError, match=r"(?s)`orders`.*hint: materialize"):
        session.load_input(orders())


def test_eviction_by_bytes() -> None:
    """Above the limit values go until the rest fits, and listeners hear of each."""
    session = SessionIOManager(limit_bytes=10 * MB)
    gone: list[tuple[Any, str | None]] = []
    session.on_evict.append(lambda key, partition: gone.append((key, partition)))
    for n in range(5):
        session.put(f"a{n}", "p", megabytes(3), seconds=1)
    assert session.total_bytes <= 10 * MB
    assert gone == [("a0", "p"), ("a1", "p")]
    assert not session.has("a0", "p")
    with pytest.raises(KeyError):
        session.get("a0", "p")
    session.limit_bytes = 4 * MB
    assert [entry.key for entry in session.entries()] == ["a4"]


def test_what_is_cheap_goes_first() -> None:
    """Large values that are quickly computed go before small ones that took long."""
    session = SessionIOManager(limit_bytes=10 * MB)
    session.put("slow", None, megabytes(2), seconds=60)
    session.put("quick", None, megabytes(6), seconds=0.1)
    session.put("small", None, megabytes(1), seconds=5)
    session.put("next", None, megabytes(3), seconds=1)
    assert names(session) == {"slow", "small", "next"}


def test_what_is_read_stays() -> None:
    """Of equals the one that was read lately stays, and what is never read goes in the end."""
    session = SessionIOManager(limit_bytes=10 * MB)
    session.put("dear", None, megabytes(3), seconds=2)
    for n in range(20):
        session.put(f"a{n}", None, megabytes(3), seconds=1)
        if session.has("a0"):
            session.get("a0")
    assert "dear" not in names(session)
    session.put("read", None, megabytes(3), seconds=1)
    for n in range(10):
        session.get("read")
        session.put(f"b{n}", None, megabytes(3), seconds=1)
    assert "read" in names(session)


def test_pins_are_respected() -> None:
    """What a run or a widget has pinned stays, above the limit too, until the last owner lets go."""
    session = SessionIOManager(limit_bytes=5 * MB)
    session.pin("a", "run")
    session.pin("a", "widget")
    session.put("a", None, megabytes(4))
    session.put("b", None, megabytes(4), seconds=100)
    session.put("c", None, megabytes(4), seconds=100)
    assert names(session) == {"a", "c"}
    session.unpin("a", "run")
    session.unpin("a", "nobody")
    assert session.is_pinned("a")
    assert names(session) == {"a", "c"}
    session.release("widget")
    assert not session.is_pinned("a")
    assert names(session) == {"c"}
    session.pin("c", "run")
    session.drop("c")
    assert not session.has("c")


def test_a_value_larger_than_the_limit() -> None:
    """It is kept for whoever is about to read it, drives out nothing else, and goes first."""
    session = SessionIOManager(limit_bytes=5 * MB)
    session.put("small", None, megabytes(1))
    session.put("huge", None, megabytes(8), seconds=1000)
    assert names(session) == {"small", "huge"}
    session.put("other", None, megabytes(1))
    assert names(session) == {"small", "other"}
    session.pin("huge", "run")
    session.put("huge", None, megabytes(8))
    session.put("more", None, megabytes(1))
    assert "huge" in names(session)
    session.unpin("huge", "run")
    assert "huge" not in names(session)


def test_an_evicted_value_is_freed() -> None:
    """Neither eviction, nor replacing, nor dropping leaves the value alive."""
    import weakref

    session = SessionIOManager(limit_bytes=2 * MB)
    session.put("a", None, megabytes(1))
    refs = [weakref.ref(session.entries()[0].sealed.private)]
    session.put("a", None, megabytes(1))
    refs.append(weakref.ref(session.entries()[0].sealed.private))
    session.put("b", None, megabytes(2))
    gc.collect()
    assert [ref() for ref in refs] == [None, None]


def test_a_thousand_puts_keep_memory_bounded() -> None:
    """Materializing one asset, or many, a thousand times takes no more memory than the limit."""
    session = SessionIOManager(limit_bytes=20 * MB)
    process = psutil.Process()
    for _ in range(20):
        session.put("a", None, pd.DataFrame({"x": megabytes(1)}))
    before = process.memory_info().rss
    for n in range(1000):
        session.put("a", None, pd.DataFrame({"x": megabytes(1)}), version=str(n))
        session.put(f"b{n}", None, {"x": megabytes(1)})
        session.get("a")
    gc.collect()
    assert process.memory_info().rss - before < 60 * MB
    assert session.total_bytes <= 20 * MB
    assert len(session._queue) < 200


def test_threads() -> None:
    """Threads that put, read and evict at once find whole values, and the sum stays right."""
    session = SessionIOManager(limit_bytes=300_000)
    errors: list[BaseException] = []

    def work(own: int) -> None:
        try:
            for n in range(200):
                session.put(f"a{n % 7}", None, np.full(10_000, n % 7), seconds=own)
                session.pin(f"a{n % 3}", own)
                with contextlib.suppress(KeyError):
                    assert set(session.get(f"a{n % 5}")) == {n % 5}
                session.unpin(f"a{n % 3}", own)
        except BaseException as error:
            errors.append(error)

    workers = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert errors == []
    assert session.total_bytes == sum(entry.bytes for entry in session.entries()) <= 300_000


def test_clear_and_default_limit() -> None:
    """Clearing lets everything go; the default limit is a quarter of the memory."""
    session = SessionIOManager()
    session.put("a", None, 1)
    session.clear()
    assert session.entries() == []
    assert session.limit_bytes == machine_memory() // 4 > 0


# ---- sizes


def test_sizes_of_values() -> None:
    """The estimate is near the truth for arrays, frames, text and containers."""
    import polars as pl
    import pyarrow as pa

    array = np.zeros(1_000_000)
    assert nbytes(array) == 8_000_000
    assert nbytes(array[:10]) == 8_000_000  # a view keeps it all alive
    assert nbytes([array, array[:10], array]) < 8_001_000
    assert nbytes(pa.array([1, 2, 3])) >= 24
    assert nbytes(pl.DataFrame({"a": [1.0] * 1000})) == 8000
    for table in (
        pd.DataFrame({"a": np.zeros(1000), "s": ["text"] * 1000}),
        pd.DataFrame({"o": pd.Series([f"some text {n}" for n in range(5000)], dtype=object)}),
        pd.DataFrame({"c": pd.Categorical(["u", "v"] * 500)}, index=[f"row {n}" for n in range(1000)]),
    ):
        assert nbytes(table) == pytest.approx(table.memory_usage(deep=True).sum(), rel=0.25)
    assert nbytes({n: str(n) * 250 for n in range(1000, 2000)}) == pytest.approx(1_100_000, rel=0.1)
    assert nbytes([[n] * 10 for n in range(100_000)]) == pytest.approx(20_000_000, rel=0.25)


def test_sizes_of_anything() -> None:
    """Cycles, modules, classes and objects that raise are no obstacle."""

    class Rude:
        __slots__ = ("held",)

        @property
        def nbytes(self) -> int:
            raise RuntimeError

        @property
        def shape(self) -> Any:
            raise RuntimeError

    rude = Rude()
    rude.held = np.zeros(1000)
    loop: list[Any] = [rude]
    loop.append(loop)
    assert 8000 < nbytes(loop) < 9000
    for value in (None, int, os, nbytes, lambda: 1, iter([1]), object()):
        assert nbytes(value) < 10_000
    assert shape(rude) is None


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (pd.DataFrame({"a": [1, 2, 3]}), (3, 1)),
        (pd.Series([1]), (1,)),
        (np.zeros((2, 3, 4)), (2, 3, 4)),
        (np.float64(1), None),
        ([1, 2], (2,)),
        ({"a": 1}, (1,)),
        ("text", None),
        (5, None),
        (None, None),
        (pd.DataFrame, None),
    ],
    ids=lambda value: type(value).__name__ + str(shape(value)),
)
def test_shape(value: object, expected: object) -> None:
    """Rows and columns are told where they make sense."""
    assert shape(value) == expected


def test_paths_that_outputs_name(tmp_path: Path) -> None:
    """`custom_path_fs_io_manager` keeps a value where its output's metadata says."""
    manager = custom_path_fs_io_manager(build_init_resource_context({"base_dir": str(tmp_path)}))
    output = build_output_context("make", metadata={"path": "a/b.pickle"})
    manager.handle_output(output, [1])
    assert pickle.loads((tmp_path / "a" / "b.pickle").read_bytes()) == [1]
    assert manager.load_input(build_input_context(upstream_output=output)) == [1]
    assert output.get_logged_events()[0].metadata["path"].value == str(tmp_path / "a" / "b.pickle")
    with pytest.raises(DagsterInvariantViolationError, match=r"no path.*\n.*metadata"):
        manager.handle_output(build_output_context("make"), [1])


# ---- the one in memory


def test_memory_is_read_by_other_runs() -> None:
    """An asset's value is found from any run, and replaces the former one; that of an op only from its own run."""
    keeper = InMemoryIOManager()

    def stored(run_id: str) -> OutputContext:
        return build_output_context(step_key="im", name="result", run_id=run_id, asset_key="im")

    for number, run_id in enumerate(["first", "second"]):
        keeper.handle_output(stored(run_id), number)
    assert keeper.load_input(build_input_context(asset_key="im", upstream_output=stored(""))) == 1
    assert keeper.values == {("second", "im", "result"): 1}
    op = build_output_context(step_key="one", name="result", run_id="first")
    keeper.handle_output(op, 5)
    assert keeper.load_input(build_input_context(upstream_output=op)) == 5
    with pytest.raises(DagsterInvariantViolationError, match=r"(?s)no value of.*materialize"):
        keeper.load_input(
            build_input_context(upstream_output=build_output_context(step_key="one", name="result", run_id="second"))
        )


def test_memory_of_several_partitions_at_once() -> None:
    """A dict by partition is found by partition; another value only by its run, and none of an earlier one is."""
    keeper = InMemoryIOManager()
    both = orders(partitions=["a", "b"])
    keeper.handle_output(both, {"a": [1], "b": [2]})
    assert keeper.load_input(orders(partitions=["b"])) == [2]
    keeper.load_input(orders(partitions=["b"])).append(9)
    assert keeper.load_input(both) == {"a": [1], "b": [2]}
    keeper.handle_output(both, "of both")
    assert keeper.load_input(both) == "of both"


def test_memory_is_out_of_the_producers_reach() -> None:
    """What the producer does to its object later, nobody sees."""
    keeper, value = InMemoryIOManager(), [1]
    keeper.handle_output(orders(), value)
    value.append(2)
    assert keeper.load_input(orders()) == [1]
