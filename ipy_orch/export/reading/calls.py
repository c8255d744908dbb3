"""Calls: those that define or only give a value are made, all others give something unknown."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from itertools import islice
from typing import Any, Final

from ipy_orch.authoring.composition import current
from ipy_orch.errors import DagsterError
from ipy_orch.export.reading.trusted import INVOKED, READ, is_defining, is_harmless, is_of_text
from ipy_orch.export.reading.unknown import Unknown, Untold, holds_unknown
from ipy_orch.model.resources.resource import ConfigurableResource, ConfigurableResourceFactory

__all__ = ["call"]

# What definitions are known by, and what reads what: these can't be left open.
TELLING: Final = frozenset(
    {
        *("additional_deps", "additional_ins", "asset", "asset_key", "assets", "check_specs", "deps", "group_name"),
        *("ins", "job", "jobs", "key", "key_prefix", "name", "outs", "partitions_def", "selection", "specs", "tag"),
    }
)
LONGEST: Final = 100_000
TOO_LONG: Final = object()


def call(  # noqa: PLR0911 - one way for each kind
    function: Any, args: Sequence[Any], words: Mapping[str, Any], node: ast.Call | None = None
) -> Any:
    """Return the value of a call, something unknown where only running it tells.

    Raises:
        Untold: when it defines something that depends on an unknown value.
        Exception: what a definition raises.
    """
    said = ast.unparse(node) if node is not None else getattr(function, "__name__", "a call")
    if isinstance(function, Unknown):
        inner = args[0] if len(args) == 1 and not words and hasattr(args[0], READ) else None
        return Unknown(said, function=inner)
    if isinstance(function, partial):
        return call(function.func, [*function.args, *args], {**function.keywords, **words}, node)
    if is_of_text(function):
        return of_text(function, args, words, said)
    if isinstance(function, INVOKED):
        return function(*args, **words) if current() is not None else Unknown(said)
    if is_defining(function):
        return defined(function, [bare(one) for one in args], words, said, node)
    if is_harmless(function) and may_take(function, args, words):
        given = [bounded(one) for one in args] if function not in (range, next) else args
        if not any(one is TOO_LONG for one in given):
            return function(*given, **words)
    return Unknown(said)


def bare(value: Any) -> Any:
    """Return the function below decorators that aren't known; they keep its signature, as a rule."""
    return value.function if isinstance(value, Unknown) and value.function is not None else value


def of_text(function: Any, args: Sequence[Any], words: Mapping[str, Any], said: str) -> Any:
    """Return what a function or class of the notebook gives; a generator gives what only running it tells."""
    if inspect.isgeneratorfunction(function) or inspect.iscoroutinefunction(function):
        return Unknown(said)
    if (
        isinstance(function, type)
        and issubclass(function, ConfigurableResourceFactory)
        and holds_unknown((args, words))
    ):
        return opened(function, words)
    try:
        return function(*args, **words)
    except (Untold, DagsterError):
        raise
    except Exception:
        if holds_unknown((list(args), dict(words))):
            return Unknown(said)
        raise


def opened(kind: type[Any], words: Mapping[str, Any]) -> Any:
    """Return a resource some of whose fields are unknown: which resources it holds is all that counts."""
    known = {name: value for name, value in words.items() if holds_unknown(value) is None}
    try:
        return kind(**known)
    except Exception:  # noqa: BLE001 - a field without a default, or one that is checked
        made: Any = object.__new__(kind)
        object.__setattr__(made, "__dict__", dict(known))
        for name in ("__pydantic_fields_set__", "__pydantic_private__", "__pydantic_extra__"):
            object.__setattr__(made, name, set() if name.endswith("set__") else None)
        return made


def defined(function: Any, args: Sequence[Any], words: Mapping[str, Any], said: str, node: ast.Call | None) -> Any:
    """Return what something of ipy_orch makes.

    Raises:
        Untold: when it depends on an unknown value.
    """
    hidden = holds_unknown((list(args), dict(words)))
    if hidden is None:
        return function(*args, **words)
    if isinstance(function, type) and issubclass(function, ConfigurableResource | ConfigurableResourceFactory):
        return opened(function, words)
    line = node.lineno if node is not None else 0
    telling = holds_unknown([list(args), {name: value for name, value in words.items() if name in TELLING}])
    kept = {name: value for name, value in words.items() if holds_unknown(value) is None}
    try:
        if telling is None:
            return function(*args, **kept)
        if isinstance(function, type):
            return function(*args, **words)
    except Exception as error:
        raise untold(telling or hidden, said, line) from error
    raise untold(telling or hidden, said, line)


def untold(hidden: Unknown, said: str, line: int) -> Untold:
    """Return the error for a definition that depends on an unknown value."""
    short = said if len(said) < 60 else f"{said[:57]}..."
    return Untold(f"`{short}` depends on `{hidden.said}`, which only running the notebook tells", line)


def may_take(function: Any, args: Sequence[Any], words: Mapping[str, Any]) -> bool:
    """Tell whether arguments are known, and small enough; what is called with them in turn must be let in, too."""
    owner = getattr(function, "__self__", None)
    if function is type and len(args) != 1:
        return False
    if not isinstance(owner, list | dict | set) and any(isinstance(one, Unknown) for one in (*args, *words.values())):
        return False
    large = (isinstance(one, int) and abs(one) > LONGEST for one in args)
    if (isinstance(owner, str | bytes) or function is bytes) and any(large):
        return False
    return all(may_call(one) for one in (*args, *words.values()) if callable(one))


def may_call(function: Any) -> bool:
    """Tell whether something may be called by what is called."""
    if isinstance(function, partial):
        return may_call(function.func)
    return is_of_text(function) or is_harmless(function) or isinstance(function, type) or is_defining(function)


def bounded(value: Any) -> Any:
    """Return an iterator as a list of what it gives; ``TOO_LONG`` where that is too much."""
    if isinstance(value, range):
        return value if len(value) <= LONGEST else TOO_LONG
    if not isinstance(value, Iterator):
        return value
    found = list(islice(value, LONGEST + 1))
    return found if len(found) <= LONGEST else TOO_LONG
