"""Metadata that names something else: an asset, a job, a run, a pool, a function."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ipy_orch.model.keys import AssetKey
from ipy_orch.model.metadata.value import MetadataValue, optional
from ipy_orch.model.tables import typed

__all__ = [
    "DagsterAssetMetadataValue",
    "DagsterJobMetadataValue",
    "DagsterRunMetadataValue",
    "PoolMetadataValue",
    "PythonArtifactMetadataValue",
]


@dataclass(frozen=True, repr=False)
class PythonArtifactMetadataValue(MetadataValue, kind="python_artifact"):
    """Name a function or class."""

    module: str
    name: str

    def __post_init__(self) -> None:
        typed(self.module, str, "module")
        typed(self.name, str, "name")

    @property
    def value(self) -> PythonArtifactMetadataValue:
        """Return this."""
        return self


@dataclass(frozen=True, repr=False)
class DagsterRunMetadataValue(MetadataValue, kind="dagster_run"):
    """Refer to a run."""

    run_id: str

    def __post_init__(self) -> None:
        typed(self.run_id, str, "run_id")

    @property
    def value(self) -> str:
        """Return the run's id."""
        return self.run_id


@dataclass(frozen=True, repr=False)
class DagsterJobMetadataValue(MetadataValue, kind="job"):
    """Refer to a job."""

    job_name: str
    location_name: str
    repository_name: str | None = None

    def __post_init__(self) -> None:
        typed(self.job_name, str, "job_name")
        typed(self.location_name, str, "location_name")
        optional(self.repository_name, str, "repository_name")

    @property
    def value(self) -> DagsterJobMetadataValue:
        """Return this."""
        return self


@dataclass(frozen=True, repr=False)
class DagsterAssetMetadataValue(MetadataValue, kind="asset"):
    """Refer to an asset."""

    asset_key: AssetKey

    def __post_init__(self) -> None:
        typed(self.asset_key, AssetKey, "asset_key")

    @property
    def value(self) -> AssetKey:
        """Return the asset's key."""
        return self.asset_key

    def _payload(self) -> dict[str, Any]:
        return {"asset_key": list(self.asset_key.path)}

    @classmethod
    def _from_payload(cls, payload: dict[str, Any]) -> DagsterAssetMetadataValue:
        return cls(AssetKey(payload["asset_key"]))


@dataclass(frozen=True, repr=False, init=False)
class PoolMetadataValue(MetadataValue, kind="pool"):
    """Refer to a concurrency pool."""

    name: str

    def __init__(self, pool: str) -> None:
        object.__setattr__(self, "name", typed(pool, str, "pool"))

    @property
    def value(self) -> str:
        """Return the pool's name."""
        return self.name

    @property
    def pool(self) -> str:  # type: ignore[override]
        """Return the pool's name, under Dagster's other name."""
        return self.name

    @classmethod
    def _from_payload(cls, payload: dict[str, Any]) -> PoolMetadataValue:
        return cls(payload["name"])
