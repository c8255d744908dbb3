"""Hints for forms that are made of a component's schema."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

__all__ = ["ComponentFormConfig"]


@dataclass(frozen=True, kw_only=True)
class ComponentFormConfig:
    """Say how a form shows a component or one of its fields.

    Args:
        label: what the form calls it.
        editable: whether the form may change it.
        hidden: whether the form leaves it out.
        placeholder: shown in an empty field.
        multiline: whether text has several lines.
        widget: which control shows it.
        advanced: whether it is folded away at first.
        id_source: the field whose value names the instance.
    """

    label: str | None = None
    editable: bool = False
    hidden: bool | None = None
    placeholder: str | None = None
    multiline: bool | None = None
    widget: str | None = None
    advanced: bool | None = None
    id_source: str | None = None

    def to_field_json_schema_extra(self) -> dict[str, Any]:
        """Return it as part of a field's JSON schema."""
        said = {name: value for name, value in asdict(self).items() if value is not None and name != "editable"}
        widget = {"ui:widget": "textarea"} if said.pop("multiline", None) else {}
        return {**widget, **{f"ui:{name}": value for name, value in said.items()}}

    def to_component_json_schema_extra(self) -> dict[str, Any]:
        """Return it as part of a component's JSON schema."""
        return {"x-editable": self.editable, **self.to_field_json_schema_extra()}
