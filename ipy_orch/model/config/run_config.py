"""The config of one run: of its ops, resources and loggers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ipy_orch.model.config.annotations import is_config

__all__ = ["RunConfig", "written_entries"]


@dataclass
class RunConfig:
    """Hold the config of a run: one Config or dict per op (an asset's op has its name), resource and logger.

    >>> RunConfig(ops={"orders": {"config": {"limit": 5}}}).to_config_dict()["ops"]
    {'orders': {'config': {'limit': 5}}}
    """

    ops: Mapping[str, Any] = field(default_factory=dict)
    resources: Mapping[str, Any] = field(default_factory=dict)
    loggers: Mapping[str, Any] = field(default_factory=dict)
    execution: Any = field(default_factory=dict)

    def to_config_dict(self) -> dict[str, Any]:
        """Return the config as plain data; a placeholder becomes ``{"env": NAME}``."""
        return self.written()

    def written(self, *, given_only: bool = False) -> dict[str, Any]:
        """Return the config as plain data, of models all fields or only those that were given."""
        execution = self.execution or {}
        return {
            "loggers": written_entries(self.loggers, given_only),
            "resources": written_entries(self.resources, given_only),
            "ops": written_entries(self.ops, given_only),
            "execution": written_entry(execution, given_only),
        }


def written_entries(entries: Mapping[str, Any] | None, given_only: bool) -> dict[str, Any]:
    """Return the entries of one part of run config as plain data."""
    return {name: written_entry(entry, given_only) for name, entry in (entries or {}).items()}


def written_entry(entry: Any, given_only: bool) -> Any:
    """Return ``{"config": ...}`` for a model; a mapping as it is, with the models in it written."""
    if is_config(entry):
        return {"config": type(entry).__config_type__().dump(entry, given_only=given_only)}
    if type(entry) is dict:
        return {key: written_member(key, item, given_only) for key, item in entry.items()}
    return entry


def written_member(key: Any, item: Any, given_only: bool) -> Any:
    """Return a member of an entry: under ``config`` a model as its fields, else as an entry."""
    if key == "config" and is_config(item):
        return type(item).__config_type__().dump(item, given_only=given_only)
    return item if key == "config" else written_entry(item, given_only)
