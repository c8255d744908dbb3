"""Values in files behind the session's memory: whole or not at all, trusted only when they are this user's."""

from __future__ import annotations

import os
import pickle
import time
from pathlib import Path
from typing import Any

import pytest

from ipy_orch.execution.iomanagers import DiskStore, SessionIOManager
from ipy_orch.execution.iomanagers.disk import ABANDONED, SMALL
from ipy_orch.model.env import SECRETS
from ipy_orch.model.keys import AssetKey

A, B = AssetKey("a"), AssetKey(["a", "b"])
LARGE = list(range(SMALL))


class Bomb:
    """A pickle that does harm when it is loaded."""

    def __reduce__(self) -> Any:
        return os.mkdir, (os.environ["BOMB"],)


@pytest.fixture
def disk(tmp_path: Path) -> DiskStore:
    """Return a store in an empty folder."""
    return DiskStore(tmp_path / "values")


def file_of(disk: DiskStore, key: AssetKey = A, version: str = "1") -> Path:
    """Return the file of a value."""
    found = disk.find(key, None, version)
    assert found is not None
    return found[0]


def forgetful(disk: DiskStore) -> DiskStore:
    """Return the same store as another kernel sees it."""
    return DiskStore(disk.folder, disk.forms)


# -- storing -----------------------------------------------------------------------------------------------------------


def test_each_version_is_a_file(disk: DiskStore) -> None:
    """By asset, partition and data version; nothing is taken for anything else."""
    for key, partition, version in [
        (A, None, "1"),
        (A, None, "2"),
        (A, "all", "1"),
        (B, None, "1"),
        (A, "2026/01", "1"),
    ]:
        assert disk.save(key, partition, version, (key, partition, version)) == ""
    again = forgetful(disk)
    assert again.load(A, None, "2") == (A, None, "2")
    assert again.load(A, "all", "1") == (A, "all", "1")
    assert again.load(A, "2026/01", "1") == (A, "2026/01", "1")
    assert again.load(B, None, "1") == (B, None, "1")
    assert not again.has(B, None, "2")
    assert not again.has(AssetKey("a/b"), None, "1")


@pytest.mark.parametrize("name", ["..", ".", "/etc/passwd", "a\0b", "ü" * 300, "con", ""])
def test_no_name_leads_out_of_the_folder(disk: DiskStore, name: str) -> None:
    """Whatever characters keys, partitions and versions have."""
    assert disk.save(AssetKey([name, name]), name, name, 1) == ""
    assert disk.load(AssetKey([name, name]), name, name) == 1
    assert [path.parent.parent for path in disk.folder.rglob("*.pickle")] == [disk.folder]


def test_what_cannot_be_pickled_says_why(disk: DiskStore) -> None:
    """And leaves no file, not even that of a value of the same version."""
    disk.save(A, None, "1", 1)
    assert "can't be pickled" in disk.save(A, None, "1", lambda: 1)
    assert not disk.has(A, None, "1")
    assert [path for path in disk.folder.rglob("*") if path.is_file()] == []


def test_an_older_version_goes_when_the_new_one_is_a_fact(disk: DiskStore) -> None:
    """Not when it is written: a kill in between must leave the old value. One more is kept for other kernels."""
    for version in "123":
        disk.save(A, None, version, version)
    assert disk.has(A, None, "1")
    for version in "123":
        disk.settle(A, None, version)
    assert [disk.has(A, None, version) for version in "123"] == [False, True, True]
    disk.settle(A, None, "2")
    assert [disk.has(A, None, version) for version in "23"] == [True, True]


def test_drop(disk: DiskStore) -> None:
    """One partition, or all that is there of an asset."""
    for partition in (None, "x", "xy"):
        disk.save(A, partition, "1", 1)
    disk.save(B, None, "1", 1)
    disk.drop(A, "x")
    assert [disk.has(A, one, "1") for one in (None, "x", "xy")] == [True, False, True]
    disk.drop(A)
    assert [disk.has(A, one, "1") for one in (None, "xy")] == [False, False]
    assert disk.has(B, None, "1")


def test_sweep(disk: DiskStore) -> None:
    """What no fact speaks of goes after a day."""
    for version in "123":
        disk.save(A, None, version, 1)
    old = time.time() - 2 * ABANDONED
    for version in "12":
        os.utime(file_of(disk, version=version), (old, old))
    disk.sweep([(A, None, "1")])
    assert [disk.has(A, None, version) for version in "123"] == [True, False, True]


def test_no_name_holds_a_secret(disk: DiskStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """A partition may be named like one."""
    monkeypatch.setattr(SECRETS, "labels", dict(SECRETS.labels))
    monkeypatch.setattr(SECRETS, "pattern", SECRETS.pattern)
    SECRETS.add("hunter22", "PASSWORD")
    disk.save(AssetKey("of_hunter22"), "hunter22", "hunter22", 1)
    assert disk.load(AssetKey("of_hunter22"), "hunter22", "hunter22") == 1
    assert "hunter22" not in str([*disk.folder.rglob("*")])


# -- trusting ----------------------------------------------------------------------------------------------------------


def truncate(path: Path) -> None:
    """Cut the end off."""
    path.write_bytes(path.read_bytes()[:-20])


def empty(path: Path) -> None:
    """Leave nothing."""
    path.write_bytes(b"")


def flip(path: Path) -> None:
    """Change one bit."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def foreign(path: Path) -> None:
    """Put somebody's pickle there."""
    path.write_bytes(pickle.dumps(Bomb()))


def open_to_all(path: Path) -> None:
    """Put one there that anybody may write to."""
    path.write_bytes(pickle.dumps(Bomb()))
    path.chmod(0o666)


def folder(path: Path) -> None:
    """Put a folder there."""
    path.unlink()
    path.mkdir()


def gone(path: Path) -> None:
    """Take it away."""
    path.unlink()


@pytest.mark.parametrize("harm", [truncate, empty, flip, foreign, open_to_all, folder, gone])
@pytest.mark.parametrize("value", [[1, 2], LARGE], ids=["small", "large"])
def test_a_damaged_or_foreign_file_is_not_loaded(
    disk: DiskStore, harm: Any, value: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is as if it weren't there: KeyError, a note, and no code of it is run."""
    monkeypatch.setenv("BOMB", str(tmp_path / "bomb"))
    disk.save(A, None, "1", value)
    harm(file_of(disk))
    again = forgetful(disk)
    with pytest.raises(KeyError):
        again.load(A, None, "1")
    assert not again.has(A, None, "1")
    assert not (tmp_path / "bomb").exists()
    assert bool(again.damaged) is (harm is not gone)
    if harm is not folder:
        assert again.save(A, None, "1", value) == ""
        assert again.load(A, None, "1") == value


def test_a_small_damaged_file_is_known_before_it_is_loaded(disk: DiskStore) -> None:
    """So that a plan says what will be made again."""
    disk.save(A, None, "1", [1, 2])
    flip(file_of(disk))
    assert not forgetful(disk).has(A, None, "1")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root gives files away")
def test_another_users_file_is_not_loaded(disk: DiskStore) -> None:
    """Whoever owns it could have written it."""
    disk.save(A, None, "1", 1)
    os.chown(file_of(disk), 12345, 12345)
    assert not forgetful(disk).has(A, None, "1")


def test_files_are_for_their_owner_only(disk: DiskStore) -> None:
    """Values may be anything."""
    disk.save(A, None, "1", 1)
    assert file_of(disk).stat().st_mode & 0o077 == 0
    assert disk.folder.stat().st_mode & 0o077 == 0


def test_a_class_that_is_not_here_yet(disk: DiskStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its value is computed again; the file isn't harmed."""
    monkeypatch.setitem(globals(), "Later", type("Later", (), {"__module__": __name__, "__qualname__": "Later"}))
    disk.save(A, None, "1", globals()["Later"]())
    monkeypatch.delitem(globals(), "Later")
    again = forgetful(disk)
    with pytest.raises(KeyError):
        again.load(A, None, "1")
    assert "a class that isn't here" in again.damaged["a"]
    assert disk.has(A, None, "1")


# -- behind the memory -------------------------------------------------------------------------------------------------


@pytest.fixture
def store(disk: DiskStore) -> SessionIOManager:
    """Return a session's store for two values of a megabyte, with a disk behind it."""
    made = SessionIOManager(2_500_000)
    made.disk, made.current = disk, lambda _key, _partition: "1"
    return made


def test_an_evicted_value_is_loaded_again(store: SessionIOManager) -> None:
    """It counts as kept, and memory stays within its limit."""
    for name in "abcde":
        store.put(AssetKey(name), None, bytearray(1_000_000), version="1")
    assert store.total_bytes <= 2_500_000
    assert all(store.has(AssetKey(name), None, "1") for name in "abcde")
    assert len(store.get(AssetKey("a"))) == 1_000_000
    assert store.total_bytes <= 2_500_000


def test_memory_is_bounded_during_a_run(store: SessionIOManager) -> None:
    """A run's pins hold only what can't be loaded again; what a widget or a cell holds stays."""
    for name in "abcde":
        store.pin(AssetKey(name), "run", loosely=True)
    store.pin(AssetKey("a"), "widget")
    for name in "abcde":
        store.put(AssetKey(name), None, bytearray(1_000_000), version="1")
    assert store.total_bytes <= 2_500_000
    assert store.entry(AssetKey("a")) is not None
    assert all(len(store.get(AssetKey(name))) == 1_000_000 for name in "abcde")


def test_what_no_file_has_is_held_during_a_run(store: SessionIOManager) -> None:
    """Else its readers would find nothing."""
    values = {name: [lambda: 1, bytearray(1_000_000)] for name in "abcd"}
    for name, value in values.items():
        store.pin(AssetKey(name), "run", loosely=True)
        store.put(AssetKey(name), None, value, version="1")
    assert all(store.entry(AssetKey(name)) is not None for name in values)
    assert set(store.memory_only) == set(values)
    store.release("run")
    assert store.total_bytes <= 2_500_000


def test_each_reader_has_a_value_of_its_own(store: SessionIOManager) -> None:
    """Also of what was loaded."""
    store.put(A, None, [1], version="1")
    store.clear()
    store.get(A).append(2)
    assert store.get(A) == [1]


def test_forgetting_forgets_on_disk(store: SessionIOManager, disk: DiskStore) -> None:
    """Or it would be back after a restart."""
    store.put(A, None, 1, version="1")
    store.drop(A)
    assert not store.has(A, None, "1")
    assert not disk.has(A, None, "1")
