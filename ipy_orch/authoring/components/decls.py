"""What stands where in a defs folder, before anything of it is loaded.

A folder is its ``defs.yaml``, else its ``definitions.py`` (where that ends the search), else what is in it.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from ipy_orch.authoring.components.component import Component
from ipy_orch.authoring.components.declared import Declared, read_declared
from ipy_orch.authoring.components.folder import (
    CompositeYamlComponent,
    DefsFolderComponent,
    PythonFileComponent,
)
from ipy_orch.authoring.components.functions import called, is_component_instance
from ipy_orch.authoring.components.load_contexts import ComponentDeclLoadContext, ComponentLoadContext
from ipy_orch.authoring.components.places import ComponentPath

__all__ = ["ComponentDecl", "DefsFolderDecl", "PythonFileDecl", "RootDecl", "YamlFileDecl", "find_decl"]

YAML_NAMES: Final = ("defs.yaml", "defs.yml", "component.yaml")
KEYWORD_FILE: Final = "definitions.py"


@dataclass(frozen=True)
class ComponentDecl:
    """Be something found at a place.

    Args:
        context: of the place.
    """

    context: ComponentDeclLoadContext
    loc: ComponentPath

    def load_context(self) -> ComponentLoadContext:
        """Return the context that what is loaded here gets."""
        return ComponentLoadContext.from_decl_load_context(self.context.for_component_loc(self.loc), self)

    def load(self) -> Component:
        """Return the component."""
        raise NotImplementedError

    def parts(self) -> Iterator[ComponentDecl]:
        """Yield what is inside it."""
        return iter(())

    def type_hint(self) -> type | None:
        """Return the class that it will be, where that is known without loading it."""
        return None

    def all(self) -> Iterator[ComponentDecl]:
        """Yield it, and what is inside it at any depth."""
        yield self
        for part in self.parts():
            yield from part.all()

    def iterate_loc_component_decl_pairs(self) -> Iterator[tuple[ComponentPath, ComponentDecl]]:
        """Yield place and decl, of it and of what is inside it."""
        for one in self.all():
            yield one.loc, one


@dataclass(frozen=True)
class RootDecl(ComponentDecl):
    """Be all that a tree holds."""

    decls: Sequence[ComponentDecl] = ()

    def parts(self) -> Iterator[ComponentDecl]:
        """Yield the defs folder, where there's anything in it."""
        return iter(self.decls)

    def load(self) -> Component:
        """Return the component of the defs folder."""
        tree = self.context.component_tree
        return DefsFolderComponent(self.loc.file_path, {one.loc: tree.load_structural(one) for one in self.decls})


@dataclass(frozen=True)
class DefsFolderDecl(ComponentDecl):
    """Be a folder that is what is in it."""

    children: Mapping[Path, ComponentDecl] = field(default_factory=dict)

    def parts(self) -> Iterator[ComponentDecl]:
        """Yield its files and folders."""
        return iter(self.children.values())

    def load(self) -> Component:
        """Return the folder with the components in it."""
        tree = self.context.component_tree
        return DefsFolderComponent(
            self.loc.file_path, {path: tree.load_structural(one) for path, one in self.children.items()}
        )

    def type_hint(self) -> type | None:
        """Return the class of folders."""
        return DefsFolderComponent


@dataclass(frozen=True)
class YamlFileDecl(ComponentDecl):
    """Be a folder that is what its YAML says."""

    file: Path = Path()

    @cached_property
    def declared(self) -> Sequence[Declared]:
        """Return what each document declares."""
        return read_declared(self.file.read_text(encoding="utf-8"), str(self.file))

    def parts(self) -> Iterator[ComponentDecl]:
        """Yield its documents."""
        for number, one in enumerate(self.declared):
            yield YamlDocumentDecl(self.context, ComponentPath(self.loc.file_path, number), one, self.file)

    def load(self) -> Component:
        """Return the components of its documents."""
        tree = self.context.component_tree
        return CompositeYamlComponent({one.loc: tree.load_structural(one) for one in self.parts()})


@dataclass(frozen=True)
class YamlDocumentDecl(ComponentDecl):
    """Be one document of a YAML."""

    declared: Declared
    file: Path

    def load(self) -> Component:
        """Return its component."""
        context = self.load_context()
        if self.is_folder():
            self.declared.load(context)  # so that what is wrong with its attributes is told
            return self.folder().load()
        return self.declared.load(context)

    def is_folder(self) -> bool:
        """Tell whether it stands for what else is in its folder."""
        return issubclass(self.declared.cls(self.load_context()), DefsFolderComponent)

    def folder(self) -> DefsFolderDecl:
        """Return what else is in its folder."""
        return folder_decl(self.context, self.loc.file_path)

    def parts(self) -> Iterator[ComponentDecl]:
        """Yield what else is in its folder, where it stands for that."""
        if self.is_folder():
            yield from self.folder().parts()

    def type_hint(self) -> type | None:
        """Return the class that its type names."""
        return self.declared.cls(self.load_context())


@dataclass(frozen=True)
class PythonFileDecl(ComponentDecl):
    """Be a module: the components that its functions return, and its definitions."""

    @cached_property
    def module(self) -> ModuleType:
        """Return the module, importing it."""
        return self.context.load_defs_relative_python_module(self.loc.file_path)

    def parts(self) -> Iterator[ComponentDecl]:
        """Yield the functions that return components."""
        for name, found in vars(self.module).items():
            if is_component_instance(found):
                yield FunctionDecl(self.context, ComponentPath(self.loc.file_path, name), found)

    def load(self) -> Component:
        """Return the components of its functions, and the module's own definitions."""
        tree = self.context.component_tree
        components = {str(one.loc.instance_key): tree.load_structural(one) for one in self.parts()}
        return PythonFileComponent(self.module, components)

    def type_hint(self) -> type | None:
        """Return the class of modules."""
        return PythonFileComponent


@dataclass(frozen=True)
class FunctionDecl(ComponentDecl):
    """Be a function that returns a component."""

    function: Callable[..., Any]

    def load(self) -> Component:
        """Return its component."""
        made: Component = called(self.function, self.load_context())
        return made

    def type_hint(self) -> type | None:
        """Return the class that it says to return."""
        said = inspect.signature(self.function, eval_str=True).return_annotation
        return said if isinstance(said, type) else None


# -- finding ----------------------------------------------------------------------------------------------------------


def find_decl(context: ComponentDeclLoadContext, path: Path) -> ComponentDecl | None:
    """Return what a file or folder is, or None where it's nothing that is loaded."""
    place = ComponentPath(path)
    if path.is_file():
        return PythonFileDecl(context.for_component_loc(place), place) if path.suffix == ".py" else None
    if (yaml := find_yaml(path)) is not None:
        return YamlFileDecl(context.for_component_loc(place), place, yaml)
    keyword = path / KEYWORD_FILE
    if context.terminate_autoloading_on_keyword_files and keyword.is_file():
        return PythonFileDecl(context.for_path(keyword), ComponentPath(keyword))
    found = folder_decl(context, path)
    return found if found.children else None


def find_yaml(folder: Path) -> Path | None:
    """Return the YAML of a folder that declares its components."""
    return next((folder / name for name in YAML_NAMES if (folder / name).is_file()), None)


def folder_decl(context: ComponentDeclLoadContext, folder: Path) -> DefsFolderDecl:
    """Return what is in a folder, whatever its YAML says."""
    inside = context.for_path(folder)
    found: dict[Path, ComponentDecl] = {}
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        if path.name.startswith((".", "__pycache__")):
            continue
        one = find_decl(inside, path)
        if one is not None:
            found[path] = one
    return DefsFolderDecl(inside, ComponentPath(folder), found)
