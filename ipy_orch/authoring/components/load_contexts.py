"""What a component knows while it's loaded and builds: where it is, and the tree that it's part of."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, Self

from ipy_orch.authoring.components.context import ResolutionContext
from ipy_orch.authoring.components.documents import Lines
from ipy_orch.authoring.components.places import ComponentPath
from ipy_orch.model.definitions import Definitions

if TYPE_CHECKING:
    from ipy_orch.authoring.components.component import Component
    from ipy_orch.authoring.components.tree import ComponentTree

__all__ = ["ComponentDeclLoadContext", "ComponentLoadContext"]


@dataclass(frozen=True)
class ComponentDeclLoadContext:
    """Be where something of a defs folder is, before it is loaded.

    Args:
        defs_module_path: the folder that holds everything.
        defs_module_name: the module that it is.
        component_loc: the place in the folder.
    """

    project_root: Path
    defs_module_path: Path
    defs_module_name: str
    resolution_context: ResolutionContext
    component_tree: ComponentTree
    terminate_autoloading_on_keyword_files: bool
    component_loc: ComponentPath

    @property
    def path(self) -> Path:
        """Return the folder or file of the component."""
        return self.component_loc.file_path

    @property
    def component_path(self) -> ComponentPath:
        """Return the place of the component."""
        return self.component_loc

    def for_component_loc(self, component_loc: ComponentPath) -> Self:
        """Return the context of another place; what it depends on is noted for that place."""
        return replace(self, component_loc=component_loc)

    def for_path(self, path: Path) -> Self:
        """Return the context of another file or folder."""
        return self.for_component_loc(ComponentPath(path))

    def with_rendering_scope(self, rendering_scope: Mapping[str, Any]) -> Self:
        """Return one with more names for templates."""
        return replace(self, resolution_context=self.resolution_context.with_scope(**rendering_scope))

    def with_source_position_tree(self, source_position_tree: Lines) -> Self:
        """Return one that knows the lines of the YAML's fields."""
        return replace(self, resolution_context=self.resolution_context.with_source_position_tree(source_position_tree))

    def defs_relative_module_name(self, path: Path) -> str:
        """Return the module that a file or folder of the defs folder is."""
        relative = path.resolve().relative_to(self.defs_module_path.resolve())
        parts = [part.removesuffix(".py") for part in relative.parts if part != "__init__.py"]
        return ".".join([self.defs_module_name, *parts])

    def load_defs_relative_python_module(self, path: Path) -> ModuleType:
        """Return a file or folder of the defs folder as a module, importing it."""
        return importlib.import_module(self.defs_relative_module_name(path))

    def normalize_component_type_str(self, type_str: str) -> str:
        """Return a type's name in full, where it is relative (``.MyComponent``)."""
        if not type_str.startswith("."):
            return type_str
        folder = self.path if self.path.is_dir() else self.path.parent
        return f"{self.defs_relative_module_name(folder)}{type_str}"

    def load_component(self, defs_path: Any, expected_type: type | None = None) -> Any:
        """Return the component at a place of the tree."""
        return self.component_tree.load_component(defs_path, expected_type)

    def load_structural_component_at_loc(self, loc: Any) -> Component:
        """Return what is loaded at a place: a component, or what holds those of a file or folder."""
        return self.component_tree.load_structural_component_at_loc(loc)

    load_structural_component_at_path = load_structural_component_at_loc


@dataclass(frozen=True)
class ComponentLoadContext(ComponentDeclLoadContext):
    """Be what a component gets when it's loaded and when it builds its definitions.

    Args:
        component_decl: what was found at the place.
    """

    component_decl: Any = None

    @staticmethod
    def from_decl_load_context(
        decl_load_context: ComponentDeclLoadContext, component_decl: Any
    ) -> ComponentLoadContext:
        """Return the context of what was found somewhere."""
        held = {one.name: getattr(decl_load_context, one.name) for one in fields(ComponentDeclLoadContext)}
        return ComponentLoadContext(**held, component_decl=component_decl)

    def build_defs(self, loc: Any) -> Definitions:
        """Return the definitions of another component of the tree, as ``my_folder`` or a path."""
        return self.component_tree.build_defs(loc)
