"""How the partitions of one asset stand."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from ipy_orch.ui.protocol.envelope import Answer, Wire

__all__ = ["PartitionStatus", "PartitionsMessage"]


class PartitionStatus(Wire):
    """Be a way in which partitions stand; ``word`` is as that of an asset."""

    word: Literal["missing", "fresh", "stale", "failed", "evicted", "external"]
    reason: str = ""


class PartitionsMessage(Answer):
    """Be how all partitions of an asset stand, in order; of two dimensions a grid, row by row.

    ``runs`` are pairs of how many neighbours stand alike and how, a position in ``statuses``. Ten thousand partitions
    that stand alike are one pair.
    """

    kind: Literal["partitions"] = "partitions"
    id: str
    cut: str = Field(default="", description="How it is partitioned, in words.")
    stamp: str = Field(default="", description="Of the keys: keys and rows are left out where the command knew it.")
    dimensions: list[str] = Field(default=[], description="The names of two dimensions, that of the rows first.")
    rows: list[str] = Field(default=[], description="The keys of the first of two dimensions.")
    keys: list[str] = Field(default=[], description="The keys; of two dimensions, those of the second.")
    statuses: list[PartitionStatus] = []
    runs: list[tuple[int, int]] = []
