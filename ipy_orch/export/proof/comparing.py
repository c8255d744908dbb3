"""Values of two processes, compared as a person would: equal data is equal, numbers to their last digits but a few."""

from __future__ import annotations

import math
import sys
from typing import Any, Final

__all__ = ["difference"]

CLOSE: Final = 1e-9


def difference(one: Any, other: Any) -> str:  # noqa: PLR0911 - a table
    """Return how two values differ, "" where they don't.

    >>> difference([1, 2.0], [1, 2.0 + 1e-15]), difference({"a": 1}, {"a": 2})
    ('', "['a']: 1 and 2")
    """
    if type(one) is not type(other) and not (is_number(one) and is_number(other)):
        return f"{type(one).__name__} and {type(other).__name__}"
    if is_number(one):
        return "" if same_number(one, other) else f"{one!r} and {other!r}"
    if isinstance(one, list | tuple):
        if len(one) != len(other):
            return f"{len(one)} and {len(other)} items"
        pairs = enumerate(zip(one, other, strict=True))
        return next((f"[{n}]{colon(told)}" for n, (a, b) in pairs if (told := difference(a, b))), "")
    if isinstance(one, dict):
        if one.keys() != other.keys():
            return f"keys {sorted(map(repr, one))} and {sorted(map(repr, other))}"
        return next((f"[{key!r}]{colon(told)}" for key in one if (told := difference(one[key], other[key]))), "")
    return of_library(one, other)


def colon(told: str) -> str:
    """Return what differs, behind where it is."""
    return told if told.startswith("[") else f": {told}"


def is_number(value: Any) -> bool:
    """Tell whether a value is a number, and no bool."""
    return isinstance(value, int | float | complex) and not isinstance(value, bool)


def same_number(one: Any, other: Any) -> bool:
    """Tell whether two numbers are one, up to how they were added up."""
    if isinstance(one, complex) or isinstance(other, complex):
        return bool(abs(one - other) <= CLOSE * max(abs(one), abs(other), 1))
    return bool(one != one and other != other) or math.isclose(one, other, rel_tol=CLOSE, abs_tol=1e-12)  # noqa: PLR0124 - NaN


def of_library(one: Any, other: Any) -> str:
    """Return how two frames, arrays or other values differ, as their own library tells."""
    library = type(one).__module__.partition(".")[0]
    check = {"pandas": of_pandas, "numpy": of_numpy, "polars": of_polars}.get(library, of_others)
    try:
        return check(one, other)
    except AssertionError as error:
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        return " · ".join(lines[:3]) or "they differ"


def of_pandas(one: Any, other: Any) -> str:
    """Return how two pandas objects differ."""
    testing = sys.modules["pandas"].testing
    name = {"DataFrame": "frame", "Series": "series"}.get(type(one).__name__)
    if name is None:
        return of_others(one, other) if not hasattr(one, "dtype") else differs(testing.assert_index_equal, one, other)
    return differs(getattr(testing, f"assert_{name}_equal"), one, other)


def of_numpy(one: Any, other: Any) -> str:
    """Return how two arrays differ."""
    numpy = sys.modules["numpy"]
    if one.shape != other.shape or one.dtype != other.dtype:
        return f"{one.dtype}{one.shape} and {other.dtype}{other.shape}"
    if one.dtype.kind in "fc":
        return differs(lambda a, b: numpy.testing.assert_allclose(a, b, rtol=CLOSE), one, other)
    return differs(numpy.testing.assert_array_equal, one, other)


def of_polars(one: Any, other: Any) -> str:
    """Return how two polars objects differ."""
    import importlib

    testing = importlib.import_module("polars.testing")
    name = {"DataFrame": "frame", "LazyFrame": "frame", "Series": "series"}.get(type(one).__name__)
    return differs(getattr(testing, f"assert_{name}_equal"), one, other) if name else of_others(one, other)


def differs(check: Any, one: Any, other: Any) -> str:
    """Return nothing where a check of a library passes."""
    check(one, other)
    return ""


def of_others(one: Any, other: Any) -> str:
    """Return how two values of any type differ."""
    equal = one.equals(other) if hasattr(one, "equals") else one == other
    return "" if bool(equal) else f"{shortened(one)} and {shortened(other)}"


def shortened(value: Any) -> str:
    """Return a value in few words."""
    told = repr(value)
    return told if len(told) <= 60 else f"{told[:57]}..."
