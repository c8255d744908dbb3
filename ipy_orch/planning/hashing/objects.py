"""How Python's own objects are taken apart to be hashed, by type.

Anything else is taken apart the way ``pickle`` would: by class, arguments and state.
"""

from __future__ import annotations

import copyreg
import enum
import functools
import io
import sys
import types
from collections.abc import Callable, Sequence
from typing import Any, Final, ForwardRef, Protocol, TypeAlias

from ipy_orch.planning.hashing import arrays
from ipy_orch.planning.hashing.atoms import ATOMS, Content, Steps, Unhashable, items, label
from ipy_orch.planning.hashing.rendering import is_secret

__all__ = ["CODE", "Alone", "Expander", "Follow", "expander_of", "type_name"]

Follow: TypeAlias = Callable[[Any], "tuple[str, Sequence[object]] | None"]
"""For a function, class or module: its own digest and everything it depends on; None for "by its name"."""

CODE: Final = (type, types.FunctionType, types.ModuleType)

_SHELL: Final = frozenset({"IPython", "ipykernel", "traitlets"})


class Alone:
    """Wrap an element of a set: what is met in it must not depend on the elements before it."""

    __slots__ = ("item",)

    def __init__(self, item: object) -> None:
        self.item = item


class Follows(Protocol):
    """Be the digester, as far as an expander sees it."""

    follow: Follow | None

    def derived(self, cls: type) -> frozenset[str]:
        """Return the names of attributes that follow from the rest of the state."""
        ...


Expander: TypeAlias = Callable[["Follows", Any], Content]


def type_name(cls: type) -> str:
    """Return the full name of a class.

    >>> type_name(int), type_name(enum.Enum)
    ('int', 'enum.Enum')
    """
    return cls.__qualname__ if cls.__module__ == "builtins" else f"{cls.__module__}.{cls.__qualname__}"


def _sequence(_: Follows, value: Any) -> Steps:
    return type(value).__name__.encode() + (yield from items(value))


def _mapping(_: Follows, value: Any) -> Steps:
    flat = [side for pair in value.items() for side in pair]
    return b"dict" + (yield from items(flat))


def _set(_: Follows, value: Any) -> Steps:
    parts = []
    for item in value:
        atom = ATOMS.get(type(item))
        parts.append(atom(item) if atom else (yield Alone(item)))
    return b"%b%d{" % (type(value).__name__.encode(), len(parts)) + b"".join(sorted(parts))


def _code(digester: Follows, value: Any) -> Content:
    """Encode a function, class or module as ``follow`` says, else by its name."""
    followed = digester.follow(value) if digester.follow else None
    if followed is None:
        return label("code", getattr(value, "__module__", ""), getattr(value, "__qualname__", value.__name__))
    own, children = followed
    return _together(label("code", own), children) if children else label("code", own)


def _together(head: bytes, children: Sequence[object]) -> Steps:
    return head + (yield from items(children))


def _builtin(digester: Follows, value: Any) -> Content:
    """Encode a function written in C; a bound one with the object it is bound to."""
    owner = value.__self__
    if owner is None or isinstance(owner, types.ModuleType):
        return _code(digester, value)
    return _together(label("builtin", value.__name__), [owner])


def _method(_: Follows, value: Any) -> Steps:
    return _together(label("method"), [value.__func__, value.__self__])


def _wrapped(_: Follows, value: Any) -> Steps:
    inner = getattr(value, "__wrapped__", None) or value.__func__
    return _together(label(type(value).__name__), [inner])


def _property(_: Follows, value: Any) -> Steps:
    return _together(label("property"), [value.fget, value.fset, value.fdel])


def _cached_property(_: Follows, value: Any) -> Steps:
    return _together(label("cached_property"), [value.func])


def _slot(_: Follows, value: Any) -> Steps:
    return _together(label("slot", value.__name__), [value.__objclass__])


def _secret(_: Follows, value: Any) -> Content:
    return label("secret", type_name(type(value)))


def _by_type(_: Follows, value: Any) -> Content:
    return label("instance", type_name(type(value)))


def _enum(_: Follows, value: Any) -> Steps:
    return _together(label("enum", value._name_), [type(value), value._value_])


def _dask(_: Follows, value: Any) -> Steps:
    return _together(label("dask", type_name(type(value))), [value.__dask_tokenize__()])


def _memoryview(_: Follows, value: memoryview) -> Steps:
    return _together(label("memoryview", value.format, value.shape), [value.tobytes()])


def _view(_: Follows, value: Any) -> Steps:
    return _together(label(type(value).__name__), list(value))


def _forward(_: Follows, value: ForwardRef) -> Content:
    return label("forward", value.__forward_arg__)


def _reduced(digester: Follows, value: Any) -> Content:
    """Encode any other object by what ``pickle`` would be told about it."""
    reducer = copyreg.dispatch_table.get(type(value))
    try:
        made = reducer(value) if reducer else value.__reduce_ex__(4)
    except Exception as error:
        if _is_compiled(value):
            return _code(digester, value)
        name = type_name(type(value))
        raise Unhashable(f"a `{name}` has no content that can be hashed ({error})") from error
    if isinstance(made, str):
        return _code(digester, value) if _is_compiled(value) else label("global", type_name(type(value)), made)
    return _rebuilt(digester, value, made)


def _is_compiled(value: Any) -> bool:
    """Tell whether a value is a function of a compiled extension, which has a type of its own."""
    return callable(value) and isinstance(getattr(value, "__qualname__", None), str)


def _rebuilt(digester: Follows, value: Any, made: Sequence[Any]) -> Steps:
    function, args, state, listed, mapped = (*made, None, None, None, None)[:5]
    head = b"new" if function is copyreg.__newobj__ else b"by" + (yield function)  # type: ignore[attr-defined]
    chunks = [head, (yield from items(args or ()))]
    chunks.append((yield from _state(digester, type(value), state)))
    chunks.append((yield from items(listed or ())))
    chunks.append((yield from items([side for pair in mapped or () for side in pair])))
    return b"".join(chunks)


def _state(digester: Follows, cls: type, state: Any) -> Steps:
    """Encode an object's state."""
    if getattr(cls, "__getstate__", None) is not object.__getstate__ or "__reduce__" in vars(cls):
        return b"state" + (yield from items([state]))
    own, slots = state if isinstance(state, tuple) and len(state) == 2 else (state, None)
    if not isinstance(own, dict | None):
        return b"state" + (yield from items([state]))
    attributes = {**(own or {}), **(slots or {})}
    skipped = digester.derived(cls)
    flat = [side for name, value in attributes.items() if name not in skipped for side in (name, value)]
    return b"attributes" + (yield from items(flat))


def _refuse(reason: str) -> Expander:
    def expander(_: Follows, value: Any) -> Content:
        raise Unhashable(reason.format(type_name(type(value))))

    return expander


_ONCE = _refuse("a `{}` can be read only once; make a list of it")
_FILE = _refuse("a `{}` is an open file; give its path or its content")

_EXACT: dict[type, Expander] = {
    list: _sequence,
    tuple: _sequence,
    dict: _mapping,
    types.MappingProxyType: _mapping,
    set: _set,
    frozenset: _set,
    type({}.keys()): _view,
    type({}.values()): _view,
    type({}.items()): _view,
    memoryview: _memoryview,
    types.FunctionType: _code,
    types.ModuleType: _code,
    types.BuiltinFunctionType: _builtin,
    types.MethodType: _method,
    type(functools.lru_cache(abs)): _wrapped,
    staticmethod: _wrapped,
    classmethod: _wrapped,
    property: _property,
    functools.cached_property: _cached_property,
    types.MethodDescriptorType: _slot,
    types.WrapperDescriptorType: _slot,
    types.ClassMethodDescriptorType: _slot,
    types.GetSetDescriptorType: _slot,
    types.MemberDescriptorType: _slot,
    ForwardRef: _forward,
    types.CodeType: _refuse("a `{}` object is compiled code without its source"),
}


def expander_of(cls: type) -> Expander:
    """Return how instances of a class are taken apart: by the class, else by what it derives from."""
    if cls in _EXACT:
        return _EXACT[cls]
    for fits, expander in _RULES:
        if fits(cls):
            return expander
    array = arrays.expander(cls)
    if array is not None:
        return lambda _, value: array(value)
    if hasattr(cls, "__next__") or hasattr(cls, "__anext__"):
        return _ONCE
    return _reduced


_RULES: tuple[tuple[Callable[[type], bool], Expander], ...] = (
    (lambda cls: issubclass(cls, CODE), _code),
    (lambda cls: issubclass(cls, enum.Enum), _enum),
    (is_secret, _secret),
    (lambda cls: cls.__module__.partition(".")[0] == "dask" and hasattr(cls, "__dask_tokenize__"), _dask),
    (lambda cls: issubclass(cls, io.IOBase), _FILE),
    (lambda cls: issubclass(cls, types.CoroutineType), _ONCE),
    (lambda cls: cls.__module__.partition(".")[0] in _SHELL and "IPython" in sys.modules, _by_type),
)
