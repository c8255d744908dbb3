"""Names of assets and of checks: frozen, ordered, equal by value."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import FrozenInstanceError, dataclass
from functools import cached_property, total_ordering
from typing import Any, SupportsIndex, TypeAlias, TypeVar, overload
from unicodedata import combining, normalize
from weakref import WeakValueDictionary

from ipy_orch.errors import CheckError, DagsterInvalidDefinitionError, DagsterInvariantViolationError

CoercibleToAssetKey: TypeAlias = "AssetKey | str | Sequence[str]"

NAME = re.compile(r"^[A-Za-z0-9_]+$")
PART = re.compile(r"(?:^|/)((?:\\.?|[^/\\])*)")  # up to a slash that isn't escaped

T = TypeVar("T")

KNOWN: WeakValueDictionary[tuple[str, ...], AssetKey] = WeakValueDictionary()


@total_ordering
class AssetKey:
    """Name an asset by a path, such as ``orders`` or ``sales/orders``.

    There is one object per path, so that keys are compared and hashed by identity: planning does it a million times.

    Args:
        path: a string, which is one part (:meth:`from_user_string` splits ``a/b``), or a sequence of parts.

    Raises:
        CheckError: when ``path`` isn't a string or a sequence of strings, or is empty.
    """

    path: tuple[str, ...]

    def __new__(cls, path: Any) -> AssetKey:  # noqa: PYI034 - keys are not made to be subclassed
        """Return the key of this path."""
        parts = (path,) if isinstance(path, str) else tuple(path) if isinstance(path, Iterable) else ()
        if not parts or not all(isinstance(part, str) for part in parts):
            raise CheckError(f"an asset key is a string or a sequence of strings, not {path!r}")
        known = KNOWN.get(parts)
        if known is not None:
            return known
        made = super().__new__(cls)
        object.__setattr__(made, "path", FrozenList(parts))
        return KNOWN.setdefault(parts, made)

    def __setattr__(self, name: str, value: object) -> None:
        raise FrozenInstanceError(f"a key is frozen: `{name}` can't be set")

    def __reduce__(self) -> tuple[type[AssetKey], tuple[tuple[str, ...]]]:
        return AssetKey, (tuple(self.path),)

    def __copy__(self) -> AssetKey:
        return self

    def __deepcopy__(self, _memo: object) -> AssetKey:
        return self

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: object, _handler: object) -> Any:
        """Read and write a key as the list of its parts, where pydantic does it."""
        from pydantic_core import core_schema

        written = core_schema.plain_serializer_function_ser_schema(lambda key: list(key.path), when_used="json")
        return core_schema.no_info_plain_validator_function(cls.from_coercible, serialization=written)

    def __lt__(self, other: AssetKey) -> bool:
        return self.path < other.path

    def __repr__(self) -> str:
        return f"AssetKey({list(self.path)!r})"

    @cached_property
    def label(self) -> str:
        """Be what :meth:`to_user_string` returns: ``str(key)`` is Dagster's, ``AssetKey(['a', 'b'])``."""
        return "/".join(part.replace("\\", "\\\\").replace("/", "\\/") for part in self.path)

    @property
    def parts(self) -> Sequence[str]:
        """Return the path as a sequence of strings."""
        return self.path

    def to_user_string(self) -> str:
        """Return ``a/b``, the spelling of selections and messages; a slash inside a part is escaped.

        >>> AssetKey(["sales", "orders"]).to_user_string()
        'sales/orders'
        """
        return self.label

    def to_escaped_user_string(self) -> str:
        """Return the same as :meth:`to_user_string`, under Dagster's other name."""
        return self.label

    def to_string(self) -> str:
        """Return the path as a JSON list."""
        return json.dumps(list(self.path))

    def to_python_identifier(self, suffix: str | None = None) -> str:
        """Return ``a__b``, a name for a variable or an op.

        >>> AssetKey(["sales", "orders"]).to_python_identifier("v2")
        'sales__orders__v2'
        """
        parts = [*self.path, suffix] if suffix is not None else self.path
        return "__".join(parts).replace("-", "_").replace(".", "_")

    @staticmethod
    def from_user_string(text: str) -> AssetKey:
        """Return the key spelled ``a/b``.

        >>> AssetKey.from_user_string("sales/orders").path
        ('sales', 'orders')
        """
        return AssetKey([re.sub(r"\\(.)", r"\1", part) for part in PART.findall(text)])

    from_escaped_user_string = from_user_string

    @staticmethod
    def from_coercible(key: Any) -> AssetKey:
        """Return ``key`` as an AssetKey: a key, a string (one part, as in Dagster), or a sequence of parts."""
        return key if isinstance(key, AssetKey) else AssetKey(key)

    @staticmethod
    def from_coercible_or_definition(arg: Any) -> AssetKey:
        """Return the key of a definition or spec, or ``arg`` as a key."""
        key = getattr(arg, "key", None)
        return key if isinstance(key, AssetKey) else AssetKey.from_coercible(arg)

    @staticmethod
    def from_db_string(text: str | None) -> AssetKey | None:
        """Return the key that :meth:`to_string` wrote, None for None."""
        if not text:
            return None
        return AssetKey(json.loads(text)) if text.startswith("[") else AssetKey(re.split(r"[^A-Za-z0-9_\-]", text))

    def with_prefix(self, prefix: str | Sequence[str]) -> AssetKey:
        """Return this key below ``prefix``.

        >>> AssetKey("orders").with_prefix("sales")
        AssetKey(['sales', 'orders'])
        """
        return AssetKey([*([prefix] if isinstance(prefix, str) else prefix), *self.path])

    def has_prefix(self, prefix: Sequence[str]) -> bool:
        """Tell whether the path begins with ``prefix``."""
        return self.path[: len(prefix)] == tuple(prefix)


class FrozenList(tuple[T, ...]):
    """Be a tuple that compares equal to a list of the same elements: where Dagster holds a list, ours is frozen.

    With a list it adds up to a list, and its slices are of its own kind.

    >>> FrozenList(["a", "b"]) == ["a", "b"] == FrozenList(["a", "b"])
    True
    >>> FrozenList(["a", "b"])[:-1] + ["c"]
    ['a', 'c']
    """

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return tuple.__eq__(self, tuple(other) if isinstance(other, list) else other)

    def __ne__(self, other: object) -> bool:
        return not self == other

    __hash__ = tuple.__hash__

    @overload
    def __getitem__(self, index: SupportsIndex) -> T: ...
    @overload
    def __getitem__(self, index: slice) -> FrozenList[T]: ...
    def __getitem__(self, index: Any) -> Any:
        found = tuple.__getitem__(self, index)
        return FrozenList(found) if isinstance(index, slice) else found

    def __add__(self, other: Any) -> Any:
        if isinstance(other, list):
            return [*self, *other]
        both = tuple.__add__(self, other)
        return FrozenList(both) if isinstance(other, FrozenList) else both

    def __radd__(self, other: Any) -> Any:
        return [*other, *self] if isinstance(other, list) else NotImplemented


@dataclass(frozen=True, order=True)
class AssetCheckKey:
    """Name a check by its asset and its own name; equal by value."""

    asset_key: AssetKey
    name: str

    @cached_property
    def label(self) -> str:
        """Be what :meth:`to_user_string` returns."""
        return f"{self.asset_key.label}:{self.name}"

    def to_user_string(self) -> str:
        """Return ``asset:check``."""
        return self.label

    @staticmethod
    def from_user_string(text: str) -> AssetCheckKey:
        """Return the key spelled ``asset:check``."""
        asset, colon, name = text.rpartition(":")
        if not colon:
            raise DagsterInvariantViolationError(f"`{text}` isn't a check: write `asset:check`")
        return AssetCheckKey(AssetKey.from_user_string(asset), name)

    def with_asset_key_prefix(self, prefix: str | Sequence[str]) -> AssetCheckKey:
        """Return the same check on the asset below ``prefix``."""
        return AssetCheckKey(self.asset_key.with_prefix(prefix), self.name)

    def replace_asset_key(self, asset_key: AssetKey) -> AssetCheckKey:
        """Return the same check on another asset."""
        return AssetCheckKey(asset_key, self.name)

    def to_db_string(self) -> str:
        """Return the key as JSON."""
        return json.dumps({"asset_key": self.asset_key.to_string(), "check_name": self.name})


@dataclass(frozen=True, order=True)
class AssetJobKey:
    """Be the name of a job of assets, where it stands beside keys of assets and checks."""

    job_name: str

    @property
    def label(self) -> str:
        """Be the name."""
        return self.job_name

    def to_user_string(self) -> str:
        """Return the name."""
        return self.job_name

    @staticmethod
    def from_user_string(text: str) -> AssetJobKey:
        """Return the key of the job with this name."""
        return AssetJobKey(text)


class NameElsewhere(str):
    """Be the name of something in another code location, ``location/name``: no name of one's own can be like it."""

    __slots__ = ()


def valid_name(name: Any, what: str = "name") -> str:
    """Return ``name`` when it is ASCII letters, digits and underscores, or of another code location.

    Raises:
        DagsterInvalidDefinitionError: otherwise.
    """
    if not (isinstance(name, NameElsewhere) or (isinstance(name, str) and NAME.match(name))):
        raise DagsterInvalidDefinitionError(
            f"`{name}` can't be a {what}: only the letters A to Z, digits and underscores are allowed",
            hint=f"`{plain_name(str(name)) or 'orders_2'}`",
        )
    return name


def plain_name(name: str) -> str:
    """Return a valid name like one that isn't, "" where its letters are none of A to Z.

    >>> plain_name("my-name"), plain_name("caf\N{LATIN SMALL LETTER E WITH ACUTE}"), plain_name("-")
    ('my_name', 'cafe', '')
    """
    letters = "".join(one for one in normalize("NFKD", name) if not combining(one))
    is_like = letters.isascii() and any(map(str.isalnum, letters))
    return re.sub(r"\W", "_", letters) if is_like else ""


def labels(keys: Iterable[AssetKey | AssetCheckKey | AssetJobKey]) -> list[str]:
    """Return how each of the keys is written."""
    return [key.label for key in keys]
