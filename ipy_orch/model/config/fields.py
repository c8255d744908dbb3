"""One field of a schema: its type, whether it must be given, and its default."""

from __future__ import annotations

import enum
import json
from collections.abc import Mapping
from typing import Any

from ipy_orch.errors import CheckError, DagsterInvalidConfigDefinitionError, DagsterInvalidDefinitionError
from ipy_orch.model.config.findings import MISSING, Findings, Path, short
from ipy_orch.model.config.scalars import Enum
from ipy_orch.model.config.types import config_type, variable_of
from ipy_orch.model.env import SECRETS, holds_placeholder

__all__ = ["Field"]


class Field:
    """One field of a schema: its type, whether it must be given, and its default.

    Args:
        config: a Python type, a schema, or a dict of fields.
        default_value: the value of a field that is left out, in its written form.
        is_required: whether it must be given; by default, when neither a default nor an empty value stands for it.

    Raises:
        DagsterInvalidConfigDefinitionError: for what can't be a schema, and a default of a required field.
        DagsterInvalidConfigError: when the default doesn't fit the type.
    """

    def __init__(
        self,
        config: Any,
        default_value: Any = MISSING,
        is_required: bool | None = None,
        description: str | None = None,
        *,
        is_secret: bool = False,
    ) -> None:
        self.config_type = config_type(config)
        self.default = default_value
        self.description, self.is_secret = description, is_secret
        self.supplied = False  #: whether checking gives the default explicitly (else the user's class fills it in)
        if is_required and self.default_provided:
            raise DagsterInvalidConfigDefinitionError("a required field can't have a default")
        missing = not self.default_provided and self.config_type.implicit() is MISSING
        self.is_required = missing if is_required is None else is_required
        self.explicit = is_required is not None
        self.check_default()

    @property
    def default_provided(self) -> bool:
        """Tell whether the field has a default of its own."""
        return self.default is not MISSING

    @property
    def default_value(self) -> Any:
        """Return the default, in its written form.

        Raises:
            CheckError: when there is none.
        """
        standing = self.default if self.default_provided else self.config_type.implicit()
        if standing is MISSING or self.is_required:
            raise CheckError("this field has no default")
        return standing

    @property
    def default_value_as_json_str(self) -> str:
        """Return the default as JSON."""
        return json.dumps(self.default_value)

    def as_field(self) -> Field:
        """Return itself; the schema of a definition is a field."""
        return self

    def check_default(self) -> None:
        """Refuse a default that doesn't fit the type."""
        if isinstance(self.default, enum.Enum) and isinstance(self.config_type, Enum) and self.default_provided:
            raise DagsterInvalidDefinitionError(
                f"the default of a field is written as config is, not `{self.default}`", hint=f'"{self.default.name}"'
            )
        if self.default_provided:
            findings = Findings()
            self.check(self.default, ("default_value",), findings)
            findings.raise_any("the default doesn't fit the field's type")

    def check(self, value: Any, at: Path = (), findings: Findings | None = None) -> Any:
        """Return the checked form of a written value; given fields are laid over the fields of the default.

        Raises:
            DagsterInvalidConfigError: when no ``findings`` are given to collect the problems.
        """
        found = Findings() if findings is None else findings
        hidden, found.hidden = found.hidden, found.hidden or self.is_secret
        if self.is_secret and not holds_placeholder(value) and variable_of(value) is None:
            SECRETS.add(value)
        try:
            checked = self.config_type.check(self.overlaid(value), at, found)
        finally:
            found.hidden = hidden
        if findings is None:
            found.raise_any("the config doesn't fit its schema")
        return checked

    def check_or_default(self, value: Any, at: Path, findings: Findings) -> Any:
        """Return the checked form of a value that may be MISSING; None when nothing stands for it."""
        if value is MISSING and self.is_required and self.config_type.has_fields:
            value = {}  # each missing field is named
        if value is MISSING and self.is_required:
            findings.add(at, f"missing, {self.config_type.expected} is needed")
        elif value is MISSING:
            value = self.default if self.default_provided or self.explicit else self.config_type.implicit()
        return None if value is MISSING else self.check(value, at, findings)

    def overlaid(self, value: Any) -> Any:
        """Return the given mapping over the default's, when the type has fields."""
        return overlay(self.default, value) if self.config_type.overlays and self.default_provided else value

    def filled(self, written: Any) -> Any:
        """Return a written value, or MISSING, with the defaults of what it leaves out."""
        given = self.overlaid(written)
        if given is MISSING:
            given = self.default if self.default_provided or self.explicit else self.config_type.implicit()
        return MISSING if given is MISSING else self.config_type.filled(given)

    def filling(self) -> Any:
        """Return the checked form of a value left out, or MISSING when nothing stands for it."""
        written = self.default if self.default_provided or self.explicit else self.config_type.implicit()
        if written is MISSING or self.is_required:
            return MISSING
        return self.config_type.full(self.config_type.check(written, (), Findings()))

    def __repr__(self) -> str:
        default = f", default={short(self.default)}" if self.default_provided and not self.is_secret else ""
        return f"Field({self.config_type.label}{default}, is_required={self.is_required})"


def overlay(default: Any, value: Any) -> Any:
    """Return ``value`` with what only ``default`` has, mapping by mapping.

    >>> overlay({"a": 1, "b": {"c": 2}}, {"b": {"d": 3}})
    {'a': 1, 'b': {'c': 2, 'd': 3}}
    """
    if not isinstance(default, Mapping) or not isinstance(value, Mapping):
        return value
    return {**default, **{key: overlay(default.get(key), item) for key, item in value.items()}}
