"""Tags: which are well formed, and what isn't a string written as one."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Final

from ipy_orch.errors import CheckError, DagsterInvalidDefinitionError, warn

__all__ = ["COMPUTE_KIND", "KIND", "json_tags", "valid_tags"]

KIND: Final = "dagster/kind/"
COMPUTE_KIND: Final = "dagster/compute_kind"  #: of an op, where its assets have no kinds
OWN: Final = ("dagster/", ".dagster/")
TAG_KEY: Final = re.compile(r"^([A-Za-z0-9_.-]{1,63}/)?[A-Za-z0-9_.-]{1,63}$")
TAG_VALUE: Final = re.compile(r"^[A-Za-z0-9_.-]{0,63}$")


def valid_tags(tags: Mapping[Any, Any] | None, where: str = "") -> dict[str, str]:
    """Return the tags when each key and value is well formed; those that keep kinds are let pass.

    Raises:
        DagsterInvalidDefinitionError: otherwise.
    """
    for key, value in (tags or {}).items():
        if not isinstance(key, str) or not TAG_KEY.match(key.removeprefix(KIND)):
            raise DagsterInvalidDefinitionError(
                f"`{key}` can't be a tag: letters, digits, `_`, `-`, `.` and one `/`, at most 63 characters",
                where=where,
            )
        if not isinstance(value, str):
            raise DagsterInvalidDefinitionError(f"the value of tag `{key}` is a string, not {value!r}", where=where)
        if not TAG_VALUE.match(value):
            raise DagsterInvalidDefinitionError(
                f"`{value}` can't be the value of tag `{key}`: letters, digits, `_`, `-` and `.`, at most 63",
                where=where,
            )
    return dict(tags or {})


def json_tags(tags: Mapping[str, Any] | None, where: str) -> dict[str, str]:
    """Return tags as strings; what isn't one is written as JSON.

    Raises:
        DagsterInvalidDefinitionError: for a value that JSON can't say.
        CheckError: for a key that isn't a string.

    >>> json_tags({"team": "data", "limits": {"cpu": 2}}, "")
    {'team': 'data', 'limits': '{"cpu": 2}'}
    """
    if strange := [key for key in tags or () if not key_of(key).startswith(OWN) and not TAG_KEY.match(key)]:
        told = "letters, digits, `_`, `-`, `.` and one `/`, at most 63 characters"
        warn(f"Non-compliant tag keys like {strange} are deprecated: {told} ({where})", DeprecationWarning)
    return {key: value if isinstance(value, str) else in_json(key, value, where) for key, value in (tags or {}).items()}


def key_of(key: Any) -> str:
    """Return a tag's key when it is a string."""
    if not isinstance(key, str):
        raise CheckError(f"the key of a tag is a string, not {key!r}")
    return key


def in_json(key: str, value: Any, where: str) -> str:
    """Return a value as JSON that reads back the same.

    Raises:
        DagsterInvalidDefinitionError: when there is none.
    """
    try:
        text = json.dumps(value)
        if json.loads(text) == value:
            return text
    except (TypeError, ValueError):
        pass
    raise DagsterInvalidDefinitionError(
        f"the value of tag `{key}` is a string or what JSON can say, not {value!r}", where=where
    )
