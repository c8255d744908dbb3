"""Values that earlier runs stored, loaded outside a run."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ipy_orch import AssetSpec, Definitions, IOManager, asset, io_manager, resource


class Shelf(IOManager):
    def handle_output(self, context: Any, obj: Any) -> None: ...

    def load_input(self, context: Any) -> Any:
        kind = context.dagster_type.typing_type if context.dagster_type is not None else None
        return context.resources.db, context.resource_config["name"], context.metadata.get("columns"), kind


def test_resources_stay_open_until_the_end() -> None:
    """Each is opened once, when it is first needed, also when several IO managers need it."""
    seen: list[str] = []

    @resource
    @contextmanager
    def db() -> Iterator[str]:
        seen.append("open")
        yield "db"
        seen.append("closed")

    @io_manager(required_resource_keys={"db"}, config_schema={"name": str})
    def shelf() -> Shelf:
        return Shelf()

    @asset(io_manager_key="left")
    def orders() -> int:
        return 1

    shelves = {side: shelf.configured({"name": side}) for side in ("left", "right")}
    defs = Definitions(assets=[orders, AssetSpec("raw").with_io_manager_key("right")], resources={**shelves, "db": db})
    with defs.get_asset_value_loader() as loader:
        assert seen == []
        given = {"columns": ["x"]}
        assert loader.load_asset_value("orders", python_type=int, input_definition_metadata=given)[2:] == (["x"], int)
        assert loader.load_asset_value("raw")[0] == "db"
        assert loader.load_asset_value("orders")[0] == "db"
        assert seen == ["open"]
    assert seen == ["open", "closed"]
