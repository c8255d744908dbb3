"""Wrong values for the fields of a Config or a resource: pydantic's error, where it was made, with the field meant."""

from __future__ import annotations

from collections.abc import Iterable
from types import TracebackType
from typing import Any

from pydantic import BaseModel, ValidationError

from ipy_orch.errors import closest
from ipy_orch.model.config.annotations import is_config

__all__ = ["explained", "refused_by"]


def refused_by(error: BaseException | None) -> type[BaseModel] | None:
    """Return the Config or resource class that refused the values it was called with, None for any other error."""
    if not isinstance(error, ValidationError):
        return None
    link = last(error.__traceback__)
    made = link.tb_frame.f_locals.get("self") if link is not None else None
    return type(made) if is_config(made) else None


def explained(error: BaseException, cls: type[BaseModel]) -> BaseException:
    """Return the error without pydantic's frames, and with a hint for each field that there isn't."""
    known = [info.alias or name for name, info in cls.model_fields.items()]
    for name in strangers(error, known):
        hint = closest(name, known) or f"`{cls.__name__}` has {', '.join(f'`{field}`' for field in known)}"
        error.add_note(f"hint: no field `{name}`: {hint}")
    error.__traceback__ = without_last(error.__traceback__)
    return error


def strangers(error: BaseException, known: Iterable[str]) -> list[str]:
    """Return the names that were given and are no fields: one of them may be what is missing under its right name."""
    problems = error.errors() if isinstance(error, ValidationError) else []
    found = {str(one["loc"][-1]) for one in problems if one["type"] == "extra_forbidden"}
    link = last(error.__traceback__)
    if link is not None and any(one["type"] == "missing" for one in problems):
        found |= set(link.tb_frame.f_locals.get("data") or ()) - set(known)
    return sorted(found)


def last(tb: TracebackType | None) -> TracebackType | None:
    """Return the innermost link of a traceback."""
    while tb is not None and tb.tb_next is not None:
        tb = tb.tb_next
    return tb


def without_last(tb: TracebackType | None) -> TracebackType | None:
    """Return a traceback without its innermost link, where it has another."""
    if tb is None or tb.tb_next is None:
        return tb
    rest: Any = without_last(tb.tb_next) if tb.tb_next.tb_next is not None else None
    return TracebackType(rest, tb.tb_frame, tb.tb_lasti, tb.tb_lineno)
