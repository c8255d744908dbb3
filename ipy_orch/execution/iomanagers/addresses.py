"""Where a value belongs, as a context tells it: the asset or output, and the partitions.

All IO managers ask here, also those that users write contexts for by hand: only what Dagster's contexts have is read.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from ipy_orch.errors import DagsterInvariantViolationError

__all__ = [
    "escaped",
    "identifier",
    "is_nothing",
    "label",
    "loaded",
    "only_partition",
    "partition_parts",
    "partitions_of",
]


def label(context: Any) -> str:
    """Return the asset's name, or the step's and the output's, for messages."""
    return str(context.asset_key.to_user_string()) if context.has_asset_key else f"{context.step_key}.{context.name}"


def identifier(context: Any) -> tuple[object, ...]:
    """Return what tells a value from all others: the input of an op is found under the output that it comes from."""
    upstream = None if context.has_asset_key else getattr(context, "upstream_output", None)
    return tuple((upstream or context).get_identifier())


def is_nothing(context: Any) -> bool:
    """Tell whether the declared type says that there's no value to keep."""
    return bool(getattr(getattr(context, "dagster_type", None), "is_nothing", False))


def partitions_of(context: Any) -> list[str | None]:
    """Return the partitions that a context is about, ``[None]`` without partitions."""
    if not (context.has_asset_key and getattr(context, "has_asset_partitions", context.has_partition_key)):
        return [None]
    keys = getattr(context, "asset_partition_keys", None)
    return [context.partition_key] if keys is None else list(keys)


def only_partition(context: Any) -> str | None:
    """Return the partition that a value is stored for, None without partitions.

    Raises:
        DagsterInvariantViolationError: when there isn't exactly one.
    """
    partitions = partitions_of(context)
    if len(partitions) != 1:
        raise DagsterInvariantViolationError(
            f"one value can't be stored for {len(partitions)} partitions of `{label(context)}`",
            hint="return None from the asset and store the partitions there",
        )
    return partitions[0]


def loaded(context: Any, load: Callable[[str | None], Any]) -> Any:
    """Load the one value, or a dict of the values by partition when there are several."""
    partitions = partitions_of(context)
    may_miss = (getattr(context, "definition_metadata", None) or {}).get("allow_missing_partitions", False)
    values = {}
    for partition in partitions:
        try:
            values[partition] = load(partition)
        except (FileNotFoundError, KeyError):
            if partition is None or not may_miss:
                raise
    return values if len(partitions) > 1 else next(iter(values.values()), None)


def escaped(part: str) -> str:
    """Return one part of a key as the name of one file or folder.

    >>> escaped("orders"), escaped(".."), escaped("/etc/passwd")
    ('orders', '%2E%2E', '%2Fetc%2Fpasswd')
    """
    name = part.replace("/", "%2F").replace(os.sep, "%5C").replace("\0", "%00")
    return name.replace(".", "%2E") if not name.strip(".") else name


def partition_parts(partition: str) -> list[str]:
    """Return the path of a partition; the dimensions of a multi-partition are folders, in the order of their names.

    >>> partition_parts("2026-01-01"), partition_parts("/a/../b")
    (['2026-01-01'], ['%2Fa', '%2E%2E', 'b'])
    """
    dimensions = getattr(partition, "keys_by_dimension", None)
    text = "/".join(dimensions[name] for name in sorted(dimensions)) if dimensions else str(partition)
    parts = [escaped(part) for part in text.split("/") if part] or [""]
    parts[0] = "%2F" + parts[0] if text.startswith("/") else parts[0] or "%"
    return parts
