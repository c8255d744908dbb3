"""Values as short texts for people: nothing of the user's runs, and no secret is shown."""

from __future__ import annotations

import datetime as dt
import decimal
import enum
import fractions
import functools
import pathlib
import re
import sys
import types
import uuid
from collections.abc import Iterable
from typing import Any, Final

__all__ = ["is_secret", "looks_secret", "short"]

_MASK: Final = "**********"
_ITEMS: Final = 8
_LIBRARIES: Final = frozenset({"numpy", "pandas", "polars", "pyarrow", "scipy"})
_NO_ATTRIBUTES: Final = (_LIBRARIES | sys.stdlib_module_names | {"builtins", "dask"}) - {"types"}
_SECRET: Final = re.compile(r"passw(or)?d|passphrase|secret|token|api_?key|private_?key|credential", re.IGNORECASE)
_PLAIN: Final = (
    bool,
    float,
    complex,
    bytes,
    range,
    slice,
    dt.date,
    dt.time,
    dt.timedelta,
    dt.tzinfo,
    decimal.Decimal,
    fractions.Fraction,
    pathlib.PurePath,
    re.Pattern,
    uuid.UUID,
    type(None),
    type(...),
)


def short(value: object, limit: int = 200) -> str:
    """Return a short text for a value; never raises, and shows no secret.

    Args:
        value: anything.
        limit: at most so many characters.

    >>> short({"a": [1, 2, 3]})
    "{'a': [1, 2, 3]}"
    >>> short(list(range(100)), limit=30)
    '[0, 1, 2, 3, 4, 5, 6, 7, …]'
    """
    try:
        text = _render(value, 3, limit)
    except Exception:  # noqa: BLE001 - the value may be anything
        text = f"<{type(value).__name__}>"
    return text if len(text) <= limit else text[: max(limit - 1, 0)] + "…"


def looks_secret(name: object) -> bool:
    """Tell whether a variable, field or key of this name holds a secret, as far as one can tell.

    >>> looks_secret("API_KEY"), looks_secret("limit")
    (True, False)
    """
    return isinstance(name, str) and _SECRET.search(name) is not None


def is_secret(cls: type) -> bool:
    """Tell whether a class is pydantic's ``SecretStr`` or of its kin."""
    return any(base.__module__.startswith("pydantic") and hasattr(base, "get_secret_value") for base in cls.__mro__)


def _render(value: Any, depth: int, limit: int) -> str:
    cls = type(value)
    if is_secret(cls):
        return f"{cls.__name__}({_MASK!r})"
    if isinstance(value, str):
        return repr(str.__str__(value[: limit + 1]))
    if isinstance(value, int) and cls is not bool:
        return _integer(value)
    if cls in _PLAIN or any(cls.__module__ in {"pathlib", "zoneinfo"} and issubclass(cls, plain) for plain in _PLAIN):
        return repr(value[: limit + 1] if isinstance(value, bytes) else value)
    if isinstance(value, enum.Enum):
        return f"{cls.__name__}.{value._name_}"
    return _container(value, cls, depth, limit) or _named(value) or _frame(value, cls) or _object(value, depth, limit)


def _integer(value: int) -> str:
    if isinstance(value, enum.Enum):
        return f"{type(value).__name__}.{value._name_}"
    return int.__repr__(value) if value.bit_length() < 2000 else f"<int of {value.bit_length()} bits>"


def _container(value: Any, cls: type, depth: int, limit: int) -> str:
    if cls not in {list, tuple, dict, set, frozenset}:
        return ""
    if depth == 0:
        return f"<{cls.__name__} of {len(value)}>"
    if cls is dict:
        return "{" + _joined((_pair(k, v, depth, limit) for k, v in value.items()), len(value)) + "}"
    texts: Iterable[str] = (_render(item, depth - 1, limit) for item in value)
    if cls in {set, frozenset}:
        return "{" + _joined(sorted(texts), len(value)) + "}" if value else f"{cls.__name__}()"
    body = _joined(texts, len(value))
    if cls is tuple:
        return f"({body},)" if len(value) == 1 else f"({body})"
    return f"[{body}]"


def _pair(key: object, value: object, depth: int, limit: int) -> str:
    shown = repr(_MASK) if looks_secret(key) else _render(value, depth - 1, limit)
    return f"{_render(key, depth - 1, limit)}: {shown}"


def _joined(texts: Iterable[str], count: int) -> str:
    shown = [text for text, _ in zip(texts, range(_ITEMS), strict=False)]
    return ", ".join([*shown, "…"] if count > len(shown) else shown)


def _named(value: Any) -> str:
    """Name a function, class or module."""
    if isinstance(value, types.ModuleType):
        return f"<module {value.__name__}>"
    if isinstance(value, type | types.FunctionType | types.BuiltinFunctionType | types.MethodType):
        kind = "class" if isinstance(value, type) else "function"
        return f"<{kind} {value.__qualname__}>".replace("<locals>.", "")
    return ""


def _frame(value: Any, cls: type) -> str:
    """Give the shape of a data frame or array instead of its content."""
    roots = {base.__module__.partition(".")[0] for base in cls.__mro__}
    shape = getattr(value, "shape", None) if roots & _LIBRARIES else None
    if not isinstance(shape, tuple):
        return repr(value) if cls.__name__ in {"Timestamp", "Timedelta", "NaTType", "NAType"} else ""
    if not shape:
        return f"{cls.__name__}({value})"
    kind = getattr(value, "dtype", "")
    return f"<{cls.__name__} {' × '.join(f'{side:,}' for side in shape)}{f' {kind}' if kind else ''}>"


def _object(value: Any, depth: int, limit: int) -> str:
    """Show an object by its attributes, without its own ``__repr__``."""
    cls = type(value)
    if isinstance(value, functools.partial):
        return f"partial({_render(value.func, 1, limit)}, {_render(list(value.args), depth - 1, limit)}, …)"
    if cls.__module__ in {"typing", "types"}:
        return repr(value)
    state = _attributes(value)
    if not state or depth == 0 or cls.__module__.partition(".")[0] in _NO_ATTRIBUTES:
        return f"<{cls.__name__}>"
    shown = (
        f"{key}={_MASK!r}" if looks_secret(key) else f"{key}={_render(item, depth - 1, limit)}"
        for key, item in state.items()
    )
    return f"{cls.__name__}({_joined(shown, len(state))})"


def _attributes(value: object) -> dict[str, Any]:
    if isinstance(value, tuple):
        return dict(zip(getattr(value, "_fields", ()), value, strict=False))
    state = getattr(value, "__dict__", None)
    return {str(k): v for k, v in state.items() if not str(k).startswith("_")} if isinstance(state, dict) else {}
