"""The launchpad: the form of what can be configured, and the verdict on what was typed."""

from __future__ import annotations

from typing import Literal

from pydantic import ConfigDict, Field, JsonValue

from ipy_orch.ui.protocol.envelope import Answer, Wire

__all__ = [
    "ConfigChecked",
    "Finding",
    "FormField",
    "FormMessage",
    "Section",
]


class FormField(Wire):
    """Say of one field where its value comes from; a secret's value is nowhere, its variable's name is.

    ``path`` is in run config, e.g. ``ops.orders.config.limit``.
    """

    path: str
    type: str = ""
    value: str = ""
    default: str = ""
    source: str = ""
    variable: str = ""
    is_set: bool | None = None
    secret: bool = False
    required: bool = False
    description: str = ""


class Section(Wire):
    """Be a part of the form: the config of one op or resource. ``path`` is e.g. ``ops.orders.config``."""

    path: str
    title: str
    kind: Literal["op", "resource"]
    used_by: list[str] = []
    schema_: dict[str, JsonValue] = Field(alias="schema", description="JSON Schema")
    fields: list[FormField] = []

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True, serialize_by_alias=True)


class Finding(Wire):
    """Be something wrong: at a field, or in a line of the YAML."""

    path: str = ""
    message: str
    line: int | None = None


class FormMessage(Answer):
    """Be the form of what can be configured for a selection.

    ``values`` is run config as given so far (without secrets), ``yaml`` the same with defaults and comments.
    """

    kind: Literal["form"] = "form"
    ids: list[str]
    sections: list[Section] = []
    values: dict[str, JsonValue] = {}
    yaml: str = ""
    findings: list[Finding] = []
    presets: list[str] = []
    preset: str = ""


class ConfigChecked(Answer):
    """Be the verdict on run config, and the same config in both spellings; ``values`` is null where YAML is none."""

    kind: Literal["config"] = "config"
    ids: list[str]
    valid: bool
    findings: list[Finding] = []
    values: dict[str, JsonValue] | None = None
    yaml: str = ""
