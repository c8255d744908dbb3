"""Where attributes are resolved: the names that templates can use, and the place in the YAML."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from ipy_orch.authoring.components.documents import FieldPath, Lines
from ipy_orch.authoring.components.templates import default_scope, is_template, rendered
from ipy_orch.errors import DagsterInvariantViolationError, ResolutionException, closest

__all__ = ["ResolutionContext"]


@dataclass(frozen=True)
class ResolutionContext:
    """Resolve attributes: templates become what they stand for.

    Args:
        scope: name -> value, for templates.
        path: of the field that is resolved.
        source_position_tree: the lines of the YAML's fields.
        stash: what a resolver of an outer field left for those of inner ones.

    Example:
        >>> ResolutionContext(scope={"day": "monday"}).resolve_value({"name": "sales_{{ day }}"})
        {'name': 'sales_monday'}
    """

    scope: Mapping[str, Any] = field(default_factory=dict)
    path: FieldPath = ()
    source_position_tree: Lines | None = None
    stash: Mapping[str, Any] = field(default_factory=dict)

    @staticmethod
    def default(source_position_tree: Lines | None = None) -> ResolutionContext:
        """Return one in which templates can use ``env``, ``dg``, ``datetime`` and ``automation_condition``."""
        return ResolutionContext(scope=default_scope(), source_position_tree=source_position_tree)

    def with_scope(self, **additional_scope: Any) -> ResolutionContext:
        """Return one with more names for templates."""
        return replace(self, scope={**self.scope, **additional_scope})

    def with_source_position_tree(self, source_position_tree: Lines) -> ResolutionContext:
        """Return one that knows the lines of the fields."""
        return replace(self, source_position_tree=source_position_tree)

    def with_stashed_value(self, key: str, value: Any) -> ResolutionContext:
        """Return one that holds a value for resolvers of inner fields."""
        return replace(self, stash={**self.stash, key: value})

    def at_path(self, path_part: str | int) -> ResolutionContext:
        """Return one for a field inside this one."""
        return replace(self, path=(*self.path, path_part))

    @property
    def where(self) -> str:
        """Return the place of the field, for messages."""
        return (self.source_position_tree or Lines()).where(self.path)

    def resolve_value(self, val: Any, as_type: type | None = None) -> Any:
        """Return a value with its templates resolved, at any depth.

        Args:
            as_type: what it has to be then.

        Raises:
            ResolutionException: when a template can't be resolved, or it isn't of this type.
        """
        found = self.resolved(val)
        if as_type is not None and not isinstance(found, as_type):
            told = f"`{val}` stands for {type(found).__name__} `{found!r}`, not {as_type.__name__}"
            raise ResolutionException(told, where=self.where)
        return found

    def resolved(self, value: Any) -> Any:
        """Return a value with its templates resolved."""
        if is_template(value):
            try:
                return rendered(value, self.scope)
            except ResolutionException as error:
                raise error.at(self.where) from error.__cause__
        if isinstance(value, Mapping):
            return {key: self.at_path(key).resolved(one) for key, one in value.items()}
        if isinstance(value, list | tuple):
            return type(value)([self.at_path(number).resolved(one) for number, one in enumerate(value)])
        if isinstance(value, BaseModel):
            changed = {name: self.at_path(name).resolved(getattr(value, name)) for name in value.model_fields_set}
            return value.model_copy(update=changed)
        return value

    def resolve_source_relative_path(self, value: str) -> Path:
        """Return a path that is meant from the folder of the YAML.

        Raises:
            DagsterInvariantViolationError: when the attributes aren't from a file.
        """
        if self.source_position_tree is None or not self.source_position_tree.name:
            raise DagsterInvariantViolationError(f"`{value}` is relative to a YAML file, and there is none")
        return Path(self.source_position_tree.name).parent / value

    def build_resolve_fn_exc(self, fmt_exc: list[str], field_name: str, model: BaseModel) -> ResolutionException:
        """Return the error of a resolver that raised."""
        told = f"the resolver of `{field_name}` of {type(model).__name__} raised: {fmt_exc[-1].strip()}"
        return ResolutionException(told, where=self.where, hint=closest(field_name, type(model).model_fields))
