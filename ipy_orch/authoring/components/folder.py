"""Components that hold others: a folder, a YAML of several documents, a module."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, Self

from pydantic import BaseModel

from ipy_orch.authoring.components.component import Component, ComponentTypeSpec
from ipy_orch.authoring.components.functions import called, is_definitions
from ipy_orch.authoring.components.resolvable import Resolvable
from ipy_orch.authoring.components.resolver import Model
from ipy_orch.authoring.load import load_definitions_from_module
from ipy_orch.errors import DagsterInvalidDefinitionError
from ipy_orch.model.definitions import Definitions

if TYPE_CHECKING:
    from ipy_orch.authoring.components.load_contexts import ComponentLoadContext

__all__ = ["CompositeYamlComponent", "DefinitionsComponent", "DefsFolderComponent", "PythonFileComponent"]


class NoAttributes(Model):
    """Take no attributes."""


@dataclass
class DefsFolderComponent(Component):
    """Load what is in its folder: components, modules with definitions, folders of those.

    In a ``defs.yaml`` it is what `post_processing` of a whole folder is said of.

    Args:
        children: file or folder -> what it is.
    """

    path: Path = field(default_factory=Path)
    children: Mapping[Any, Component] = field(default_factory=dict)

    @classmethod
    def get_model_cls(cls) -> type[BaseModel] | None:
        """Return the model that has no fields."""
        return NoAttributes

    @classmethod
    def get_spec(cls) -> ComponentTypeSpec:
        """Return what it is."""
        return ComponentTypeSpec(description="All that is in the folder of this YAML.")

    @classmethod
    def load(cls, attributes: BaseModel | None, context: ComponentLoadContext) -> Self:  # noqa: ARG003 - it has none
        """Return the folder alone; the tree finds what is in it."""
        return cls(context.path)

    @classmethod
    def get(cls, context: ComponentLoadContext) -> DefsFolderComponent:
        """Return the folder at a place of the tree."""
        found = context.component_tree.load_component(context.path, DefsFolderComponent)
        assert isinstance(found, DefsFolderComponent)
        return found

    def build_defs(self, context: ComponentLoadContext) -> Definitions:
        """Return the definitions of all that is in it."""
        return merged_parts(self.children, context)

    def iterate_components(self) -> Iterator[Component]:
        """Yield the components in it, at any depth."""
        for _, one in self.iterate_path_component_pairs():
            yield one

    def iterate_path_component_pairs(self) -> Iterator[tuple[Any, Component]]:
        """Yield place and component of those in it, at any depth."""
        for place, one in self.children.items():
            yield place, one
            if isinstance(one, DefsFolderComponent):
                yield from one.iterate_path_component_pairs()


def merged_parts(children: Mapping[Any, Component], context: ComponentLoadContext) -> Definitions:
    """Return the definitions of several components, as the tree builds each once."""
    found = [context.component_tree.build_structural(place, one, context) for place, one in children.items()]
    return Definitions.merge(*found) if found else Definitions()


@dataclass
class CompositeYamlComponent(Component):
    """Hold the components of a YAML's documents."""

    children: Mapping[Any, Component] = field(default_factory=dict)

    @property
    def components(self) -> list[Component]:
        """Return them in order."""
        return [*self.children.values()]

    def build_defs(self, context: ComponentLoadContext) -> Definitions:
        """Return the definitions of all of them."""
        return merged_parts(self.children, context)


@dataclass
class PythonFileComponent(Component):
    """Hold a module: the components that its functions return, and its own definitions.

    Args:
        components: function -> what it returned.
    """

    module: ModuleType
    components: Mapping[str, Component] = field(default_factory=dict)

    def build_defs(self, context: ComponentLoadContext) -> Definitions:
        """Return its definitions and those of its components."""
        from ipy_orch.authoring.components.places import ComponentPath

        inner = {ComponentPath(context.path, name): one for name, one in self.components.items()}
        return Definitions.merge(definitions_of(self.module, context), merged_parts(inner, context))


class DefinitionsComponent(Component, Model, Resolvable):
    """Load the definitions of one Python file.

    Args:
        path: the file, from the folder of the YAML; ``definitions.py`` by default.
    """

    path: str | None = None

    def build_defs(self, context: ComponentLoadContext) -> Definitions:
        """Return the definitions of the file."""
        file = context.path / (self.path or "definitions.py")
        if not file.is_file():
            raise DagsterInvalidDefinitionError(f"there is no file `{self.path}`", where=str(context.path))
        return definitions_of(context.load_defs_relative_python_module(file), context)


def definitions_of(module: ModuleType, context: ComponentLoadContext) -> Definitions:
    """Return the definitions of a module: its Definitions or functions of one, else the assets, jobs ... in it.

    Raises:
        DagsterInvalidDefinitionError: when it has several Definitions.
    """
    given = {name: found for name, found in vars(module).items() if isinstance(found, Definitions)}
    functions = [found for found in vars(module).values() if is_definitions(found)]
    if len({id(one) for one in given.values()}) > 1:
        names = " and ".join(map("`{}`".format, given))
        raise DagsterInvalidDefinitionError(
            f"{names} are both Definitions, and a module has one", where=module.__name__, hint="Definitions.merge(...)"
        )
    if given:
        return next(iter(given.values()))
    if functions:
        return Definitions.merge(*(called(one, context) for one in functions))
    return load_definitions_from_module(module)
