"""Components whose definitions depend on state that is fetched once, and kept in a file."""

from __future__ import annotations

import asyncio
import enum
import inspect
from abc import abstractmethod
from collections.abc import Awaitable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

from ipy_orch.authoring.components.component import Component
from ipy_orch.authoring.components.resolvable import Resolvable
from ipy_orch.authoring.components.resolver import Model, Resolver
from ipy_orch.model.definitions import Definitions

if TYPE_CHECKING:
    from ipy_orch.authoring.components.load_contexts import ComponentLoadContext

__all__ = [
    "DefsStateConfig",
    "DefsStateConfigArgs",
    "DefsStateManagementType",
    "ResolvedDefsStateConfig",
    "StateBackedComponent",
]


class DefsStateManagementType(enum.Enum):
    """Tell where the state is kept; here all of them are folders of the project."""

    LOCAL_FILESYSTEM = "LOCAL_FILESYSTEM"
    VERSIONED_STATE_STORAGE = "VERSIONED_STATE_STORAGE"
    LEGACY_CODE_SERVER_SNAPSHOTS = "LEGACY_CODE_SERVER_SNAPSHOTS"


class DefsStateConfigArgs(Model, Resolvable):
    """Be what is written of a component's state.

    Args:
        key: the name of the state; by default that of the component.
        refresh_if_dev: fetch it when it isn't there yet.
    """

    key: str | None = None
    management_type: DefsStateManagementType = DefsStateManagementType.LOCAL_FILESYSTEM
    refresh_if_dev: bool = True

    @classmethod
    def local_filesystem(cls) -> DefsStateConfigArgs:
        """Return that of state in the project's folder."""
        return cls(management_type=DefsStateManagementType.LOCAL_FILESYSTEM)

    @classmethod
    def versioned_state_storage(cls) -> DefsStateConfigArgs:
        """Return that of state in a storage of versions."""
        return cls(management_type=DefsStateManagementType.VERSIONED_STATE_STORAGE)

    @classmethod
    def legacy_code_server_snapshots(cls) -> DefsStateConfigArgs:
        """Return that of state which lives as long as the process."""
        return cls(management_type=DefsStateManagementType.LEGACY_CODE_SERVER_SNAPSHOTS)


@dataclass(frozen=True)
class DefsStateConfig:
    """Say under which name a component's state is kept, and where."""

    key: str
    management_type: DefsStateManagementType
    refresh_if_dev: bool = True

    @classmethod
    def from_args(cls, args: DefsStateConfigArgs, default_key: str) -> DefsStateConfig:
        """Return it of what was written."""
        return cls(args.key or default_key, args.management_type, args.refresh_if_dev)


ResolvedDefsStateConfig: TypeAlias = Annotated[
    DefsStateConfigArgs,
    Resolver.default(model_field_type=DefsStateConfigArgs, description="Where the state is kept that it fetches."),
]


class StateBackedComponent(Component):
    """Build definitions from state, which is fetched once and kept below ``.local_defs_state`` of the project."""

    @property
    @abstractmethod
    def defs_state_config(self) -> DefsStateConfig:
        """Return under which name the state is kept."""

    @abstractmethod
    def write_state_to_path(self, state_path: Path) -> Awaitable[None] | None:
        """Fetch the state and write it to a file or folder."""

    @abstractmethod
    def build_defs_from_state(self, context: ComponentLoadContext, state_path: Path | None) -> Definitions:
        """Return the definitions of the state; None is that there's none yet."""

    def build_defs(self, context: ComponentLoadContext) -> Definitions:
        """Return the definitions; the state is fetched where it isn't there, and may be."""
        place = self.state_path(context.project_root)
        if not place.exists() and self.defs_state_config.refresh_if_dev:
            self.refresh_state(context.project_root)
        return self.build_defs_from_state(context, place if place.exists() else None)

    def refresh_state(self, project_root: Path) -> str:
        """Fetch the state again; return the name that it's kept under."""
        place = self.state_path(project_root)
        place.parent.mkdir(parents=True, exist_ok=True)
        waiting = self.write_state_to_path(place)
        if inspect.isawaitable(waiting):
            run_to_end(waiting)
        return self.defs_state_config.key

    def state_path(self, project_root: Path) -> Path:
        """Return where the state is kept."""
        safe = "".join(char if char.isalnum() or char in "-_." else "_" for char in self.defs_state_config.key)
        return project_root / ".local_defs_state" / safe / "state"


def run_to_end(waiting: Awaitable[None]) -> None:
    """Wait for it, also in a kernel, whose loop is running."""
    from threading import Thread

    async def wait() -> None:
        await waiting

    failed: list[BaseException] = []

    def run() -> None:
        try:
            asyncio.run(wait())
        except BaseException as error:  # noqa: BLE001 - raised again below
            failed.append(error)

    thread = Thread(target=run)
    thread.start()
    thread.join()
    if failed:
        raise failed[0]
