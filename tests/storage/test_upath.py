"""UPathIOManager: a subclass says what a file holds, the rest is done for it."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path, PurePosixPath
from typing import Any

import pytest
from pydantic import PrivateAttr
from upath import UPath

from ipy_orch import (
    ConfigurableIOManager,
    InitResourceContext,
    UPathIOManager,
    asset,
    build_input_context,
    build_output_context,
    materialize,
)
from ipy_orch.errors import DagsterInvariantViolationError


class Json(UPathIOManager):
    extension = ".json"

    def dump_to_path(self, context: Any, obj: Any, path: Any) -> None:
        path.write_text(json.dumps(obj))

    def load_from_path(self, context: Any, path: Any) -> Any:
        return json.loads(path.read_text())

    def get_metadata(self, context: Any, obj: Any) -> dict[str, Any]:
        return {"length": len(obj)}


class Async(ConfigurableIOManager, UPathIOManager):
    folder: str
    _base_path: Any = PrivateAttr()
    _open: int = PrivateAttr(default=0)
    _most: int = PrivateAttr(default=0)

    def setup_for_execution(self, context: InitResourceContext) -> None:
        self._base_path = UPath(self.folder)

    def dump_to_path(self, context: Any, obj: Any, path: Any) -> None:
        path.write_text(obj)

    async def load_from_path(self, context: Any, path: Any) -> Any:
        self._open += 1
        self._most = max(self._most, self._open)
        await asyncio.sleep(0.01)
        self._open -= 1
        return path.read_text()


def ready(folder: Path) -> Async:
    """Return an async manager as it is in a run."""
    manager = Async(folder=str(folder))
    manager._base_path = UPath(folder)
    return manager


def reading(*partitions: str, **metadata: Any) -> Any:
    """Return a context that reads partitions of `orders`."""
    context = build_input_context(asset_key="orders", metadata=metadata)
    context.partitions = list(partitions)
    return context


@pytest.mark.parametrize("base", ["local", "memory"])
def test_values_in_files(base: str, tmp_path: Path) -> None:
    """Of assets and of ops, with the path and the subclass's own metadata."""
    root = UPath(tmp_path) if base == "local" else UPath("memory://json")
    manager = Json(root)
    made = build_output_context(asset_key=["raw", "orders"])
    assert not manager.has_output(made)
    manager.handle_output(made, [1, 2])
    assert manager.has_output(made)
    assert made.get_logged_metadata()["length"].value == 2
    assert made.get_logged_metadata()["path"].value == str(root / "raw" / "orders.json")
    assert manager.load_input(build_input_context(asset_key=["raw", "orders"])) == [1, 2]
    output = build_output_context("step", "result", run_id="run", mapping_key="one")
    manager.handle_output(output, "x")
    assert (root / "run" / "step" / "result" / "one.json").exists()
    assert manager.load_input(build_input_context(upstream_output=output)) == "x"


def test_partitions(tmp_path: Path) -> None:
    """One as itself, several as a dict, none as None; dots in their names are no extensions."""
    manager = Json(UPath(tmp_path))
    for part in ("0.0-to-1.0", "b/c", "/etc"):
        manager.handle_output(build_output_context(asset_key="orders", partition_key=part), part)
    assert (tmp_path / "orders" / "%2Fetc.json").exists()
    assert manager.load_input(reading("b/c")) == "b/c"
    assert manager.load_input(reading("0.0-to-1.0", "/etc")) == {"0.0-to-1.0": "0.0-to-1.0", "/etc": "/etc"}
    assert manager.load_input(reading()) is None
    several = build_output_context(asset_key="orders")
    several.partitions = ["a", "b"]
    with pytest.raises(DagsterInvariantViolationError, match=r"2 partitions of `orders`.*\n.*return None"):
        manager.handle_output(several, 1)


def test_missing_partitions(tmp_path: Path) -> None:
    """They are an error, unless the input says that they may be missing."""
    for manager in (Json(UPath(tmp_path)), ready(tmp_path)):
        manager.handle_output(build_output_context(asset_key="orders", partition_key="a"), "1")
        with pytest.raises((FileNotFoundError, RuntimeError)):
            manager.load_input(reading("a", "b"))
        assert list(manager.load_input(reading("a", "b", allow_missing_partitions=True))) == ["a"]
        assert manager.load_input(reading("b", allow_missing_partitions=True)) is None


def test_async_partitions_are_loaded_together(tmp_path: Path) -> None:
    """Also when a loop runs already, as in a notebook."""
    manager = ready(tmp_path)
    for part in "abc":
        manager.handle_output(build_output_context(asset_key="orders", partition_key=part), part)
    assert manager.load_input(reading("a", "b", "c")) == {"a": "a", "b": "b", "c": "c"}
    assert manager._most == 3

    async def in_a_notebook() -> Any:
        return manager.load_input(reading("a"))

    assert asyncio.run(in_a_notebook()) == "a"


def test_in_a_run(tmp_path: Path) -> None:
    """As a configurable resource, with an async loader."""

    @asset
    def orders():
        return "x"

    @asset
    def total(orders):
        return orders * 2

    result = materialize([orders, total], resources={"io_manager": Async(folder=str(tmp_path))})
    assert result.output_for_node("total") == "xx"


def test_an_asset_gets_partitions(tmp_path: Path) -> None:
    """The file that it had makes way for a folder."""

    class Plain(Json):
        extension = None

    manager = Plain(UPath(tmp_path))
    manager.handle_output(build_output_context(asset_key="orders"), "whole")
    manager.handle_output(build_output_context(asset_key="orders", partition_key="a"), "part")
    assert manager.load_input(reading("a")) == "part"


def test_paths_of_one_s_own(tmp_path: Path) -> None:
    """A subclass may name the files; a path from the root stays below the base."""

    class Own(Json):
        def get_asset_relative_path(self, context: Any) -> Any:
            return PurePosixPath("/versions") / context.asset_key.path[-1]

    manager = Own(UPath(tmp_path))
    manager.handle_output(build_output_context(asset_key="orders"), "x")
    assert (tmp_path / "%2Fversions" / "orders.json").exists()
    assert manager.fs.exists(str(tmp_path))
    assert Json(UPath("memory://a", auto_mkdir=True)).storage_options == {"auto_mkdir": True}


def test_an_extension_without_a_dot() -> None:
    """It is refused, with what to write."""

    class Wrong(Json):
        extension = "json"

    with pytest.raises(DagsterInvariantViolationError, match=r'hint: extension = "\.json"'):
        Wrong()
