"""What ``context.resources`` is where none are required."""

from __future__ import annotations

from typing import Any, Final

from ipy_orch.errors import DagsterUnknownResourceError

__all__ = ["NO_RESOURCES"]


class NoResources:
    """Be ``context.resources`` where none are required."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        raise DagsterUnknownResourceError(
            f"resource `{name}` isn't required here", hint=f'required_resource_keys={{"{name}"}}'
        )


NO_RESOURCES: Final = NoResources()
