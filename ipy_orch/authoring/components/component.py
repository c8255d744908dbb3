"""`Component`: a class whose instances build definitions."""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

from pydantic import BaseModel

from ipy_orch.authoring.components.resolvable import Resolvable
from ipy_orch.errors import CheckError, DagsterInvalidDefinitionError, closest
from ipy_orch.model.definitions import Definitions
from ipy_orch.model.port import Port

if TYPE_CHECKING:
    from ipy_orch.authoring.components.load_contexts import ComponentLoadContext

__all__ = ["Component", "ComponentTypeSpec"]

context_for_test: Port[[], Any] = Port("ipy_orch.authoring.components.tree")
from_text: Port[..., Any] = Port("ipy_orch.authoring.components.declared")

PRODUCED: Final = ("asset", "asset_check", "job", "resource", "schedule", "sensor")


@dataclass(frozen=True, kw_only=True)
class ComponentTypeSpec:
    """Describe a component type to people.

    Args:
        produces: kinds of definitions that it builds.
    """

    description: str | None = None
    tags: Sequence[str] | None = None
    owners: Sequence[str] | None = None
    metadata: Mapping[str, Any] | None = None
    produces: Sequence[str] | None = None

    def __post_init__(self) -> None:
        for kind in self.produces or ():
            if kind not in PRODUCED:
                hint = closest(kind, PRODUCED) or f"one of {', '.join(PRODUCED)}"
                raise CheckError(f"`{kind}` is no kind of definition\n  hint: {hint}")


class Component(ABC):
    """Build definitions from attributes.

    With `Resolvable` as another base class its fields can be written in YAML.

    Example:
        >>> from ipy_orch import AssetSpec, Definitions, Model, Resolvable
        >>> class Report(Component, Model, Resolvable):
        ...     name: str
        ...     def build_defs(self, context):
        ...         return Definitions([AssetSpec(self.name)])
        >>> report = Report.from_attributes_dict(attributes={"name": "sales_{{ 1 + 1 }}"})
        >>> report.name
        'sales_2'
    """

    @abstractmethod
    def build_defs(self, context: ComponentLoadContext) -> Definitions:
        """Return the definitions."""

    @classmethod
    def get_schema(cls) -> type[BaseModel] | None:
        """Return the model of the attributes, where it isn't that of a Resolvable."""
        return None

    @classmethod
    def get_model_cls(cls) -> type[BaseModel] | None:
        """Return the model of the attributes; None where the component takes none."""
        if issubclass(cls, Resolvable):
            return cls.model()
        return cls.get_schema()

    @classmethod
    def get_spec(cls) -> ComponentTypeSpec:
        """Return what people should know of the type."""
        return ComponentTypeSpec()

    @classmethod
    def get_description(cls) -> str | None:
        """Return the description of the type: that of its spec, else the docstring."""
        return cls.get_spec().description or inspect.getdoc(cls)

    @classmethod
    def get_additional_scope(cls) -> Mapping[str, Any]:
        """Return more names for templates in the attributes."""
        return {}

    @classmethod
    def get_code_references_for_yaml(
        cls,
        yaml_path: Path,
        source_position: Any,
        context: ComponentLoadContext,  # noqa: ARG003 - Dagster's argument; subclasses may use it
    ) -> Sequence[Any]:
        """Return where the code is of assets that a YAML file made: the line of its `attributes`."""
        from ipy_orch.model.code_references import LocalFileCodeReference

        return [LocalFileCodeReference(file_path=str(yaml_path), line_number=source_position)]

    @classmethod
    def load(cls, attributes: BaseModel | None, context: ComponentLoadContext) -> Self:
        """Return an instance of attributes that fit the model.

        Raises:
            ResolutionException: when one can't be resolved.
        """
        if issubclass(cls, Resolvable):
            given = attributes if attributes is not None else cls.model()()
            return cls.resolve_from_model(context.resolution_context, given)
        return cls()

    @classmethod
    def from_attributes_dict(cls, *, attributes: dict[str, Any], context: ComponentLoadContext | None = None) -> Self:
        """Return an instance of attributes in a dict, as they would stand in YAML.

        Raises:
            DagsterInvalidDefinitionError: when they aren't those that it takes, with the closest name.
            ResolutionException: when one can't be resolved.
        """
        made: Self = from_text(cls, attributes, context if context is not None else context_for_test())
        return made

    @classmethod
    def from_yaml_path(cls, yaml_path: Path, context: ComponentLoadContext | None = None) -> Component:
        """Return the component that a YAML file describes, with the type that it names.

        Raises:
            DagsterInvalidDefinitionError: when the file holds another type, several components, or is wrong.
        """
        from ipy_orch.authoring.components.declared import read_declared

        given = context if context is not None else context_for_test()
        found = read_declared(yaml_path.read_text(encoding="utf-8"), str(yaml_path))
        if len(found) != 1:
            raise DagsterInvalidDefinitionError(
                f"there are {len(found)} components in it, not one", where=str(yaml_path)
            )
        made: Component = found[0].load(given)
        if not isinstance(made, cls):
            told = f"it holds a `{type(made).__name__}`, not a `{cls.__name__}`"
            raise DagsterInvalidDefinitionError(told, where=str(yaml_path))
        return made
