"""Parquet files: where they are, whose they are, and what is said of damaged ones."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl
import pytest
from pydantic import ValidationError
from upath import UPath

from ipy_orch import DagsterInstance, ParquetIOManager, asset, build_output_context, materialize
from ipy_orch.errors import DagsterInvariantViolationError
from tests.storage.tables import load, store

FRAME = pd.DataFrame({"x": [1, 2]})


def manager_at(folder: Path) -> ParquetIOManager:
    """Return an IO manager of a folder."""
    return ParquetIOManager(base_path=str(folder))


def test_one_file_per_asset(tmp_path: Path) -> None:
    """Named like the key; readable by everybody's tools, and as far as the process's mask says, by everybody."""
    said = store(manager_at(tmp_path), FRAME, ["raw", "orders"])
    path = tmp_path / "raw" / "orders.parquet"
    assert said["path"] == str(path)
    assert said["size_bytes"] == path.stat().st_size
    assert pd.read_parquet(path).equals(FRAME)
    assert stat.S_IMODE(path.stat().st_mode) & 0o400
    assert [one.name for one in path.parent.iterdir()] == ["orders.parquet"]


@pytest.mark.parametrize("key", [["..", "orders"], ["/etc", "passwd"], ["a/../../b"], ["dotted.name"]])
def test_no_key_leads_out_of_the_folder(key: list[str], tmp_path: Path) -> None:
    """Whatever an asset or partition is named."""
    manager = manager_at(tmp_path / "in")
    store(manager, FRAME, key)
    store(manager, FRAME, key, partition_key="../../up")
    assert load(manager, key=key).equals(FRAME)
    assert {path.name for path in tmp_path.iterdir()} == {"in"}


def test_files_elsewhere() -> None:
    """On a file system that fsspec knows; drafts don't stay."""
    manager = ParquetIOManager(base_path="memory://shop/tables")
    said = store(manager, FRAME)
    assert said["path"] == "memory://shop/tables/orders.parquet"
    assert [path.name for path in UPath("memory://shop/tables").iterdir()] == ["orders.parquet"]
    with pytest.raises(FileNotFoundError, match=r"`nope` isn't stored in memory://"):
        load(manager, key="nope")


def test_files_where_an_upload_takes_time(tmp_path: Path) -> None:
    """On a file system that shows half a file, the upload goes beside and is renamed."""
    manager = ParquetIOManager(base_path=f"file://{tmp_path}")
    for value in (FRAME, FRAME * 2):
        store(manager, value)
        assert load(manager).equals(value)
    assert [path.name for path in tmp_path.iterdir()] == ["orders.parquet"]


def test_a_protocol_that_nobody_knows() -> None:
    """The address is named."""
    with pytest.raises(DagsterInvariantViolationError, match=r"(?s)`nosuch://bucket` can't be opened.*hint: install"):
        store(ParquetIOManager(base_path="nosuch://bucket"), FRAME)


def test_a_foreign_file_is_pandas(tmp_path: Path) -> None:
    """A file that another tool wrote is read like one of ours."""
    pl.DataFrame({"x": [1, 2]}).write_parquet(tmp_path / "orders.parquet")
    got = load(manager_at(tmp_path))
    assert isinstance(got, pd.DataFrame)
    assert got.equals(FRAME)


@pytest.mark.parametrize("damage", ["flip", "cut", "text", "empty"])
def test_a_damaged_file(damage: str, tmp_path: Path) -> None:
    """A flipped bit too is seen; the error names asset, file and what to do."""
    manager, path = manager_at(tmp_path), tmp_path / "orders.parquet"
    store(manager, FRAME)
    whole = bytearray(path.read_bytes())
    whole[30] ^= 1
    path.write_bytes({"flip": whole, "cut": whole[:-20], "text": b"hello" * 9, "empty": b""}[damage])
    with pytest.raises(DagsterInvariantViolationError, match=r"(?s)`orders` .*damaged.*orders\.parquet.*materialize"):
        load(manager)


def test_a_folder_one_may_not_write_to(tmp_path: Path) -> None:
    """The error names the asset and the path."""
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(DagsterInvariantViolationError, match=r"(?s)`orders` can't be stored.*hint:"):
        store(manager_at(tmp_path / "file"), FRAME)


def test_a_lazy_frame_that_fails_leaves_the_old_file(tmp_path: Path) -> None:
    """It is computed while it is written; its error is the user's."""
    manager = manager_at(tmp_path)
    store(manager, FRAME)

    def fail(frame: pl.DataFrame) -> pl.DataFrame:
        raise ZeroDivisionError("mine")

    with pytest.raises(Exception, match="mine"):
        store(manager, pl.LazyFrame({"x": [1]}).map_batches(fail))
    assert load(manager).equals(FRAME)
    assert len(list(tmp_path.iterdir())) == 1


def test_partitions(tmp_path: Path) -> None:
    """One file each; several come as one table, or as a dict where the reader asks for one or for nothing."""
    manager = manager_at(tmp_path)
    for number, day in enumerate(["2026-01-01", "2026-01-02"]):
        store(manager, pd.DataFrame({"x": [number]}), partition_key=day)
    assert (tmp_path / "orders" / "2026-01-01.parquet").is_file()
    assert load(manager, partition_key="2026-01-02")["x"].tolist() == [1]

    def both(kind: Any) -> Any:
        context = build_output_context(asset_key="orders")
        context.partitions = ["2026-01-01", "2026-01-02"]
        context.dagster_type = type("Asked", (), {"typing_type": kind})
        return manager.load_input(context)

    assert both(pl.DataFrame).to_dicts() == [{"x": 0}, {"x": 1}]
    assert list(both(None)) == list(both(dict[str, pd.DataFrame])) == ["2026-01-01", "2026-01-02"]
    assert isinstance(both(dict[str, pl.DataFrame])["2026-01-01"], pl.DataFrame)


def test_the_default_folder_is_the_instance_s(tmp_path: Path) -> None:
    """As for pickles."""

    @asset
    def orders():
        return FRAME

    with DagsterInstance.ephemeral(str(tmp_path)) as instance:
        materialize([orders], resources={"io_manager": ParquetIOManager()}, instance=instance)
    assert (tmp_path / "storage" / "orders.parquet").is_file()


def test_fields_are_checked() -> None:
    """A misspelt field isn't dropped."""
    with pytest.raises((ValidationError, Exception), match="base_pat"):
        ParquetIOManager(base_pat="x")  # type: ignore[call-arg]
