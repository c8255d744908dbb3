"""The content of arrays and data frames, taken apart by what they look like: none of their libraries is imported.

Two values are alike if type, names, order, dtypes, index and every element are; how memory is laid out (chunks,
strides, blocks, what lies under a null) doesn't count. All NaN are one NaN.
"""

from __future__ import annotations

import importlib.util
import sys
import types
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from hashlib import blake2b
from typing import Any, TypeAlias

from ipy_orch.planning.code.modules import is_local_module
from ipy_orch.planning.hashing.atoms import Steps, Unhashable, items, label

__all__ = ["expander"]

Expander: TypeAlias = Callable[[Any], Steps]

_SPARSE_PARTS = ("data", "indices", "indptr", "coords", "row", "col", "offsets", "rows")


def expander(cls: type) -> Expander | None:
    """Return how values of a class are taken apart, or None if it is no array or frame."""
    for base in cls.__mro__:
        root = base.__module__.partition(".")[0]
        found = _KINDS.get((root, base.__name__)) or _kind_of_library(root, base)
        if found is not None:
            return found
    return None


def _kind_of_library(root: str, base: type) -> Expander | None:
    """Recognise what has many class names: extension arrays, sparse matrices, arrow arrays."""
    if root == "scipy" and hasattr(base, "nnz") and hasattr(base, "format"):
        return _sparse
    if root == "pyarrow" and base.__name__.endswith("Scalar"):
        return _arrow_scalar
    return None


def _all(head: bytes, parts: Iterable[Steps]) -> Steps:
    chunks = [head]
    for part in parts:
        chunks.append((yield from part))  # noqa: PERF401 - no comprehension may yield
    return b"|".join(chunks)


def _named(value: Any, *libraries: str) -> Steps:
    """Encode the class: by name for the libraries' own, as code for one that derives from them."""
    cls = type(value)
    if cls.__module__.partition(".")[0] in libraries:
        return label(cls.__name__)
    return (yield cls)


# numpy


def _ndarray(value: Any) -> Steps:
    np = sys.modules["numpy"]
    if isinstance(value, np.ma.MaskedArray):
        return (yield from _all(b"masked", [_plain(value.filled()), _plain(np.ma.getmaskarray(value))]))
    if type(value) in {np.ndarray, np.memmap}:
        return (yield from _plain(value))
    own = getattr(value, "__dict__", None) or None
    return (yield from _all(b"", [_named(value, "numpy"), _plain(np.asarray(value)), items([own])]))


def _scalar(value: Any) -> Steps:
    return b"scalar" + (yield from _plain(sys.modules["numpy"].asarray(value)))


def _plain(array: Any) -> Steps:
    """Encode an array: dtype, shape, then each element in C order."""
    kind = array.dtype
    head = label("array", kind.str, array.shape)
    if kind.names:
        head += label(*kind.names)
        return (yield from _all(head, [_plain(array[name]) for name in kind.names]))
    if kind.kind in "OT":
        return head + (yield from items(array.ravel().tolist()))
    if kind.char in "gG":  # long doubles have bytes that mean nothing
        return head + (yield from items([repr(number) for number in array.ravel()]))
    return head + _buffer(array)


def _buffer(array: Any) -> bytes:
    """Return the digest of an array's elements."""
    np = sys.modules["numpy"]
    if array.size == 0 or array.dtype.itemsize == 0:
        return b""
    flat = np.ascontiguousarray(array).reshape(-1)
    if flat.dtype.kind == "c":
        flat = flat.view(flat.real.dtype)
    if flat.dtype.kind == "f":
        nan = np.isnan(flat)
        if nan.any():
            flat = np.where(nan, flat.dtype.type(np.nan), flat)
    return blake2b(flat.view(np.uint8), digest_size=16).digest()


def _sparse(value: Any) -> Steps:
    """Encode a scipy matrix by its parts; what it remembers about itself (sorted or not) doesn't count."""
    if value.format == "dok":
        return (yield from _all(label("dok", value.shape, value.dtype), [items([dict(value.items())])]))
    names = [name for name in _SPARSE_PARTS if name in vars(value)]
    parts = [items([getattr(value, name)]) for name in names]
    return (yield from _all(label(type(value).__name__, value.format, value.shape, *names), parts))


def _ufunc(value: Any) -> Steps:
    """Encode a universal function by its name, if a package gives it; nothing tells what another one calls.

    Raises:
        Unhashable: it is nowhere to be found by its name, as one of ``np.frompyfunc``.
    """
    loaded: list[object] = list(sys.modules.values())
    modules = [module for module in loaded if isinstance(module, types.ModuleType)]
    if not any(vars(one).get(value.__name__) is value and not is_local_module(one) for one in modules):
        raise Unhashable("a `numpy.ufunc` that was made of a function can't be told from another one")
    return label("ufunc") + (yield from items([value.__name__]))


# pandas


def _frame(value: Any) -> Steps:
    columns = [_column(series.array) for _, series in value.items()]
    head = label("frame", value.shape)
    parts = [_named(value, "pandas"), _index(value.columns), _index(value.index), *columns, *_beside(value)]
    return (yield from _all(head, parts))


def _series(value: Any) -> Steps:
    parts = [_named(value, "pandas"), items([value.name]), _index(value.index), _column(value.array)]
    return (yield from _all(b"series", [*parts, *_beside(value)]))


def _beside(value: Any) -> Iterator[Steps]:
    """Yield what a frame or series holds beside its data, if anything: attributes, flags, what a subclass adds."""
    kept = {name: getattr(value, name, None) for name in type(value)._metadata if name != "_name"}  # noqa: SLF001
    if value.attrs:
        yield items([b"attrs", value.attrs])
    if not value.flags.allows_duplicate_labels:
        yield items([b"no duplicate labels"])
    if kept:
        yield items([b"kept", kept])


def _index(value: Any) -> Steps:
    head = label(type(value).__name__, value.dtype, getattr(value, "freq", None))
    names = items(list(value.names))
    if type(value).__name__ == "RangeIndex":
        return (yield from _all(head, [names, items([value.start, value.stop, value.step])]))
    if type(value).__name__ == "MultiIndex":
        levels = [_index(value.get_level_values(number)) for number in range(value.nlevels)]
        return (yield from _all(head, [names, *levels]))
    return (yield from _all(head, [names, _column(value.array)]))


def _column(array: Any) -> Steps:
    """Encode an extension array of pandas by what it is made of."""
    head = label("column", repr(array.dtype), len(array))
    return head + (yield from _made_of(array))


def _made_of(array: Any) -> Steps:
    for fits, taken_apart in _COLUMNS:
        if all(hasattr(array, name) for name in fits):
            return (yield from taken_apart(array))
    return b"objects" + (yield from items(array.to_numpy(dtype=object).tolist()))


def _categorical(array: Any) -> Steps:
    codes = sys.modules["numpy"].asarray(array.codes)
    return (yield from _all(label(array.ordered), [_index(array.categories), _plain(codes)]))


def _masked(array: Any) -> Steps:
    """Encode integers or booleans with a mask; what lies under it doesn't count."""
    mask, data = array._mask, array._data  # noqa: SLF001 - there is no public way without a copy as objects
    shown = sys.modules["numpy"].where(mask, data.dtype.type(0), data)
    return (yield from _all(b"", [_plain(shown), _plain(mask)]))


_COLUMNS: tuple[tuple[tuple[str, ...], Expander], ...] = (
    (("categories",), _categorical),
    (("asi8",), lambda array: _plain(array.asi8)),
    (("_pa_array",), lambda array: _arrow(array._pa_array)),  # noqa: SLF001 - (the same)
    (("_mask", "_data"), _masked),
    (("_ndarray",), lambda array: _plain(array._ndarray)),  # noqa: SLF001 - (the same)
)
"""How the kinds of column are recognised, in this order."""


# pyarrow


def _arrow_table(value: Any) -> Steps:
    columns = [_arrow(value.column(number)) for number in range(value.num_columns)]
    schema = label(type(value).__name__, value.shape, value.schema.to_string(truncate_metadata=False))
    return (yield from _all(schema, columns))


def _arrow_scalar(value: Any) -> Steps:
    return label("arrow", value.type) + (yield from items([value.as_py()]))


def _arrow(array: Any) -> Steps:
    """Encode an arrow array, whatever its chunks and offsets are."""
    if hasattr(array, "combine_chunks"):
        array = array.combine_chunks()
    if hasattr(array, "chunks"):
        array = sys.modules["pyarrow"].concat_arrays(array.chunks)
    head = label("arrow", array.type, len(array))
    return head + (yield from _arrow_values(array))


def _arrow_values(array: Any) -> Steps:
    types = sys.modules["pyarrow"].types
    kind = array.type
    nulls = _numbers(array.is_null())
    if types.is_dictionary(kind):
        return (yield from _arrow(array.dictionary_decode()))
    if types.is_struct(kind):
        return (yield from _all(nulls, [_arrow(part) for part in array.flatten()]))
    if types.is_list(kind) or types.is_large_list(kind):
        return (yield from _all(nulls, [_arrow(array.value_lengths()), _arrow(array.flatten())]))
    if types.is_integer(kind) or types.is_floating(kind) or types.is_boolean(kind) or types.is_temporal(kind):
        plain = _arrow_numbers(array)
        if plain is not None:
            return nulls + _numbers(plain)
    if types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind):
        return nulls + _arrow_text(array)
    return (yield from items(array.to_pylist()))


def _arrow_numbers(array: Any) -> Any:
    """Return numbers of a plain type with 0 for each null, or None where there is no such type."""
    pa = sys.modules["pyarrow"]
    if pa.types.is_float16(array.type) or pa.types.is_interval(array.type):
        return None
    if pa.types.is_temporal(array.type):
        array = array.view(getattr(pa, f"int{array.type.bit_width}")())
    return array.fill_null(False if pa.types.is_boolean(array.type) else 0) if array.null_count else array


def _numbers(array: Any) -> bytes:
    return _buffer(array.to_numpy(zero_copy_only=False))


def _arrow_text(array: Any) -> bytes:
    """Return the digest of strings: their lengths, and all of them in one."""
    pa, np = sys.modules["pyarrow"], sys.modules["numpy"]
    if not len(array):
        return b""
    array = array.cast(pa.large_string())
    array = array.fill_null("") if array.null_count else array
    _, offsets, data = array.buffers()
    ends = np.frombuffer(offsets, dtype=np.int64)[array.offset : array.offset + len(array) + 1]
    text = memoryview(data)[ends[0] : ends[-1]] if data is not None else b""
    return _buffer(np.diff(ends)) + blake2b(text, digest_size=16).digest()


# polars


@cache
def _has_arrow() -> bool:
    return importlib.util.find_spec("pyarrow") is not None


def _polars_frame(value: Any) -> Steps:
    return (yield from _all(label("polars", value.shape), [_polars_series(series) for series in value.get_columns()]))


def _polars_series(value: Any) -> Steps:
    head = label("polars", value.name, repr(value.dtype), len(value))
    if _has_arrow() and "Object" not in repr(value.dtype):
        return head + (yield from _arrow(value.to_arrow()))
    return head + (yield from items(value.to_list()))


_POLARS_PYTHON = (b"OpaquePython", b"PLPYFN", b"PLPYUDF", b"PythonScan")
"""How a serialised plan of polars says that a pickled function follows; of no version in particular."""


def _without_python(plan: bytes) -> bytes:
    """Return a serialised plan.

    Raises:
        Unhashable: it calls a function, whose code and globals can't be seen in it.
    """
    if any(mark in plan for mark in _POLARS_PYTHON):
        raise Unhashable("a lazy frame that calls a Python function can't be told from another one")
    return plan


def _polars_lazy(value: Any) -> Steps:
    return label("lazy") + (yield from items([_without_python(value.serialize())]))


def _polars_expression(value: Any) -> Steps:
    return label("expression") + (yield from items([_without_python(value.meta.serialize())]))


_KINDS: dict[tuple[str, str], Expander] = {
    ("numpy", "ndarray"): _ndarray,
    ("numpy", "generic"): _scalar,
    ("numpy", "ufunc"): _ufunc,
    ("pandas", "DataFrame"): _frame,
    ("pandas", "Series"): _series,
    ("pandas", "Index"): _index,
    ("pandas", "ExtensionArray"): _column,
    ("pyarrow", "Table"): _arrow_table,
    ("pyarrow", "RecordBatch"): _arrow_table,
    ("pyarrow", "Array"): _arrow,
    ("pyarrow", "ChunkedArray"): _arrow,
    ("polars", "DataFrame"): _polars_frame,
    ("polars", "Series"): _polars_series,
    ("polars", "LazyFrame"): _polars_lazy,
    ("polars", "Expr"): _polars_expression,
}
