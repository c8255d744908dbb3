"""Definitions of components: of a folder, of a project, of one component."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from ipy_orch.authoring.components.component import Component
from ipy_orch.authoring.components.folder import CompositeYamlComponent, PythonFileComponent
from ipy_orch.authoring.components.load_contexts import ComponentLoadContext
from ipy_orch.authoring.components.places import ComponentPath
from ipy_orch.authoring.components.tree import ComponentTree
from ipy_orch.errors import DagsterInvalidDefinitionError, DagsterInvariantViolationError
from ipy_orch.model.definitions import Definitions

__all__ = [
    "build_component_defs",
    "build_defs_for_component",
    "component_defs",
    "get_all_components_defs_within_project",
    "get_component_defs_within_project",
    "load_defs",
    "load_from_defs_folder",
]


def load_defs(
    defs_root: ModuleType, project_root: Path | None = None, terminate_autoloading_on_keyword_files: bool = True
) -> Definitions:
    """Return the definitions of all that is in a package: components, and modules with definitions.

    Args:
        project_root: of the project; by default the folder above the package that holds a ``pyproject.toml``.
        terminate_autoloading_on_keyword_files: whether a folder with ``definitions.py`` is only that file.

    Raises:
        ComponentTreeException: naming the component that can't be loaded or built.
    """
    tree = ComponentTree(defs_root, Path.cwd(), terminate_autoloading_on_keyword_files)
    root = project_root if project_root is not None else project_above(tree.defs_module_path)
    return ComponentTree(defs_root, root, terminate_autoloading_on_keyword_files).build_defs()


def load_from_defs_folder(*, path_within_project: Path | None = None, project_root: Path | None = None) -> Definitions:
    """Return the definitions of a project's ``defs`` folder, found through its ``pyproject.toml``.

    Args:
        path_within_project: any file or folder of the project, mostly ``Path(__file__)``.
        project_root: the older name of it.

    Raises:
        DagsterInvalidDefinitionError: when it's in no project.
        ComponentTreeException: naming the component that can't be loaded or built.
    """
    path = path_within_project if path_within_project is not None else project_root
    if path is None:
        raise DagsterInvariantViolationError(
            "it isn't said where the project is", hint="load_from_defs_folder(path_within_project=Path(__file__))"
        )
    tree = ComponentTree.for_project(path)
    return ComponentTree(tree.defs_module, tree.project_root, False).build_defs()


def build_component_defs(components_root: Path) -> Definitions:
    """Return the definitions of a folder, which its parent on ``sys.path`` makes a package.

    Raises:
        DagsterInvalidDefinitionError: when it can't be imported.
        ComponentTreeException: naming the component that can't be loaded or built.
    """
    root = Path(components_root).resolve()
    return ComponentTree(module_at(root), root.parent).build_defs()


def build_defs_for_component(component: Component) -> Definitions:
    """Return the definitions of one component that is in no folder; its paths are from the current one."""
    return component_defs(component=component)


def component_defs(
    *,
    component: Component,
    resources: Mapping[str, Any] | None = None,
    context: ComponentLoadContext | None = None,
) -> Definitions:
    """Return the definitions of one component.

    Args:
        resources: that they get besides.
        context: where the component is; by default in the current folder.
    """
    made = component.build_defs(context if context is not None else context_at(Path.cwd()))
    return made.with_resources(resources) if resources else made


def context_at(folder: Path) -> ComponentLoadContext:
    """Return the context of a component that is in no tree, in a folder."""
    module = ModuleType("defs")
    module.__path__ = [str(folder)]
    return ComponentTree(module, folder).load_context


def get_component_defs_within_project(
    *, project_root: str | Path, component_path: str | Path, instance_key: int = 0
) -> tuple[Component, Definitions]:
    """Return one component of a project, and its definitions.

    Args:
        component_path: its folder, from the ``defs`` folder.
        instance_key: which one, where there are several.

    Raises:
        DagsterInvariantViolationError: when there aren't so many.
    """
    found = get_all_components_defs_within_project(project_root=project_root, component_path=component_path)
    if instance_key >= len(found):
        raise DagsterInvariantViolationError(f"there are {len(found)} components at `{component_path}`")
    return found[instance_key]


def get_all_components_defs_within_project(
    *, project_root: str | Path, component_path: str | Path
) -> list[tuple[Component, Definitions]]:
    """Return all components in one folder of a project, each with its definitions."""
    return components_at(ComponentTree.for_project(Path(project_root)), Path(component_path))


def components_at(tree: ComponentTree, path: Path) -> list[tuple[Component, Definitions]]:
    """Return the components at a place of a tree, each with its definitions."""
    whole = tree.load_structural_component_at_loc(path)
    place = tree.find_decl_at_path(path).loc.file_path
    if isinstance(whole, CompositeYamlComponent):
        return [(one, tree.build_defs(loc)) for loc, one in whole.children.items()]
    if isinstance(whole, PythonFileComponent) and whole.components:
        return [(one, tree.build_defs(ComponentPath(place, name))) for name, one in whole.components.items()]
    return [(whole, tree.build_defs(path))]


# -- modules ----------------------------------------------------------------------------------------------------------


def project_above(folder: Path) -> Path:
    """Return the folder above that holds a ``pyproject.toml``, else the one above."""
    return next((one for one in folder.parents if (one / "pyproject.toml").is_file()), folder.parent)


def module_at(folder: Path) -> ModuleType:
    """Return a folder as a package: under the longest name that ``sys.path`` gives it.

    Raises:
        DagsterInvalidDefinitionError: when it isn't there, or below nothing on ``sys.path``.
    """
    if not folder.is_dir():
        raise DagsterInvalidDefinitionError(f"there is no folder `{folder}`")
    homes = [Path(one).resolve() for one in sys.path if one]
    inside = sorted(
        (one for one in homes if folder.is_relative_to(one) and one != folder), key=lambda one: -len(one.parts)
    )
    if not inside:
        sys.path.append(str(folder.parent))
        inside = [folder.parent]
    return importlib.import_module(".".join(folder.relative_to(inside[0]).parts))
