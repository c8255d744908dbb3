"""All components of a defs folder: found, loaded and built once each."""

from __future__ import annotations

import importlib
import sys
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any, Final, TypeVar

from ipy_orch.authoring.components.component import Component, context_for_test
from ipy_orch.authoring.components.context import ResolutionContext
from ipy_orch.authoring.components.decls import ComponentDecl, PythonFileDecl, RootDecl, YamlDocumentDecl, find_decl
from ipy_orch.authoring.components.folder import CompositeYamlComponent, DefsFolderComponent, PythonFileComponent
from ipy_orch.authoring.components.load_contexts import ComponentDeclLoadContext, ComponentLoadContext
from ipy_orch.authoring.components.places import ComponentPath
from ipy_orch.errors import ComponentTreeException, DagsterInvalidDefinitionError, DagsterInvariantViolationError
from ipy_orch.model.definitions import Definitions

__all__ = ["ComponentTree"]

T = TypeVar("T")
STRUCTURE: Final = (DefsFolderComponent, CompositeYamlComponent, PythonFileComponent)


@dataclass(frozen=True, eq=False)
class ComponentTree:
    """Find, load and build the components of a defs folder.

    Args:
        defs_module: the package that the folder is.
        project_root: of the project, for paths in attributes.
        terminate_autoloading_on_keyword_files: whether a folder with ``definitions.py`` is only that file.
        code_location_name: of what is loaded.
    """

    defs_module: ModuleType
    project_root: Path
    terminate_autoloading_on_keyword_files: bool | None = None
    code_location_name: str | None = None
    decls: dict[str, RootDecl] = field(default_factory=dict, init=False, repr=False)
    loaded: dict[ComponentPath, Component] = field(default_factory=dict, init=False, repr=False)
    built: dict[ComponentPath, Definitions] = field(default_factory=dict, init=False, repr=False)
    building: list[ComponentPath] = field(default_factory=list, init=False, repr=False)
    whole: list[Definitions] = field(default_factory=list, init=False, repr=False)

    @staticmethod
    def from_module(defs_module: ModuleType, project_root: Path) -> ComponentTree:
        """Return the tree of a package."""
        return ComponentTree(defs_module, project_root)

    @classmethod
    def for_project(cls, path_within_project: Path) -> ComponentTree:
        """Return the tree of the project that a path is in, as its ``pyproject.toml`` or ``dg.toml`` says.

        Raises:
            DagsterInvalidDefinitionError: when there's none, or it doesn't say it.
        """
        root, module = project_of(path_within_project)
        return cls(imported(module, root), root)

    @staticmethod
    def for_test() -> ComponentTree:
        """Return a tree with nothing in it, in the current folder."""
        module = ModuleType("defs")
        module.__path__ = [str(Path.cwd())]
        return ComponentTree(module, Path.cwd())

    # -- where --------------------------------------------------------------------------------------------------------

    @property
    def defs_module_name(self) -> str:
        """Return the name of the package."""
        return self.defs_module.__name__

    @property
    def defs_module_path(self) -> Path:
        """Return the folder."""
        paths = list(getattr(self.defs_module, "__path__", ()))
        return Path(paths[0]) if paths else Path(str(self.defs_module.__file__)).parent

    @property
    def decl_load_context(self) -> ComponentDeclLoadContext:
        """Return the context of the whole folder, before anything is loaded."""
        return ComponentDeclLoadContext(
            project_root=self.project_root,
            defs_module_path=self.defs_module_path,
            defs_module_name=self.defs_module_name,
            resolution_context=ResolutionContext.default(),
            component_tree=self,
            terminate_autoloading_on_keyword_files=self.terminate_autoloading_on_keyword_files is not False,
            component_loc=ComponentPath(self.defs_module_path),
        )

    @property
    def load_context(self) -> ComponentLoadContext:
        """Return the context of the whole folder."""
        return ComponentLoadContext.from_decl_load_context(self.decl_load_context, None)

    # -- finding ------------------------------------------------------------------------------------------------------

    def find_root_decl(self) -> RootDecl:
        """Return what the folder holds; nothing is loaded."""
        if "root" not in self.decls:
            context = self.decl_load_context
            found = find_decl(context, self.defs_module_path)
            self.decls["root"] = RootDecl(context, ComponentPath(self.defs_module_path), [found] if found else [])
        return self.decls["root"]

    def find_decl_at_path(self, defs_path: Any) -> ComponentDecl:
        """Return what stands at a place.

        Raises:
            DagsterInvariantViolationError: when nothing does.
        """
        place = ComponentPath.from_resolvable(self.defs_module_path, defs_path)
        whole = place.file_path == self.defs_module_path and place.instance_key is None
        for one in self.find_root_decl().all():
            if one.loc == place and not (whole and isinstance(one, RootDecl)):
                return one
        keyword = ComponentPath(place.file_path / "definitions.py", place.instance_key)
        for one in self.find_root_decl().all():
            if one.loc == keyword:
                return one
        raise DagsterInvariantViolationError(
            f"there is no component at `{place.shown(self.defs_module_path)}`", where=str(self.defs_module_path)
        )

    # -- loading ------------------------------------------------------------------------------------------------------

    def load_structural(self, decl: ComponentDecl) -> Component:
        """Return what a decl stands for, loading it once.

        Raises:
            ComponentTreeException: naming the place, when it can't be loaded.
        """
        if decl.loc not in self.loaded:
            self.loaded[decl.loc] = self.told(decl.loc, "loaded", decl.load)
        return self.loaded[decl.loc]

    def load_structural_component_at_loc(self, loc: Any) -> Component:
        """Return what is at a place: a component, or what holds those of a file or folder."""
        return self.load_structural(self.find_decl_at_path(loc))

    def load_root_component(self) -> Component:
        """Return the component of the whole folder, with all in it loaded."""
        return self.load_structural(self.find_root_decl())

    def load_component(self, defs_path: Any, expected_type: type[T] | None = None) -> Any:
        """Return the one component at a place.

        Raises:
            DagsterInvariantViolationError: when there are several, or it is of another type.
        """
        found = self.load_structural_component_at_loc(defs_path)
        inside = leaves(found) if expected_type not in STRUCTURE else []
        if len(inside) > 1 and not isinstance(found, DefsFolderComponent):
            told = f"there are {len(inside)} components at `{defs_path}`"
            raise DagsterInvariantViolationError(told, hint=f"`{defs_path}[0]` is the first")
        one = inside[0] if len(inside) == 1 else found
        if expected_type is not None and not isinstance(one, expected_type):
            told = f"the component at `{defs_path}` is a `{type(one).__name__}`, not a `{expected_type.__name__}`"
            raise DagsterInvariantViolationError(told)
        return one

    def get_all_components(self, of_type: type[T]) -> list[T]:
        """Return the components of a type; only those are loaded that may be of it."""
        found = [
            self.load_structural(one)
            for one in self.find_root_decl().all()
            if (hint := one.type_hint()) is not None and issubclass(hint, of_type)
        ]
        return [one for one in found if isinstance(one, of_type)]

    # -- building -----------------------------------------------------------------------------------------------------

    def build_defs(self, loc: Any = None) -> Definitions:
        """Return the definitions of a place, or of the whole folder.

        Raises:
            ComponentTreeException: naming the place, when it can't be loaded or built.
        """
        if loc is None:
            if not self.whole:
                made = [self.built_of(one) for one in self.find_root_decl().decls]
                self.whole.append((made[0] if made else Definitions()).replaced(component_tree=self))
            return self.whole[0]
        return self.built_of(self.find_decl_at_path(loc))

    build_defs_at_path = build_defs

    def built_of(self, decl: ComponentDecl) -> Definitions:
        """Return the definitions of a decl, building them once.

        Raises:
            ComponentTreeException: when it can't be built; also where it is asked for while it's being built.
        """
        if decl.loc in self.built:
            return self.built[decl.loc]
        if decl.loc in self.building:
            names = " needs ".join(f"`{one.shown(self.defs_module_path)}`" for one in [*self.building, decl.loc])
            raise ComponentTreeException(f"components need each other's definitions: {names}")
        component = self.load_structural(decl)
        self.building.append(decl.loc)
        try:
            made = self.told(decl.loc, "built", lambda: self.processed(decl, component))
        finally:
            self.building.pop()
        self.built[decl.loc] = made
        return made

    def processed(self, decl: ComponentDecl, component: Component) -> Definitions:
        """Return the definitions of a component, after what its YAML says to do with them."""
        context = decl.load_context()
        made = component.build_defs(context)
        if not isinstance(made, Definitions):
            told = f"`{type(component).__name__}.build_defs` returned {type(made).__name__}, not Definitions"
            raise DagsterInvalidDefinitionError(told)
        for process in decl.declared.post_processors(context) if isinstance(decl, YamlDocumentDecl) else ():
            made = process(made)
        return made

    def build_structural(self, place: Any, component: Component, context: ComponentLoadContext) -> Definitions:
        """Return the definitions of a part of what holds others."""
        where = place if isinstance(place, ComponentPath) else ComponentPath(place)
        for one in self.find_root_decl().all():
            if one.loc == where and self.loaded.get(where) is component:
                return self.built_of(one)
        return component.build_defs(context.for_component_loc(where))

    def has_built_all_defs(self) -> bool:
        """Tell whether everything has been built."""
        return all(one.loc in self.built for one in self.find_root_decl().decls)

    def is_fully_loaded(self) -> bool:
        """Tell whether everything has been loaded."""
        return all(one.loc in self.loaded for one in self.find_root_decl().decls)

    def told(self, loc: ComponentPath, what: str, do: Callable[[], T]) -> T:
        """Do something; an error is told of the place.

        Raises:
            ComponentTreeException: for an error that isn't told of one yet.
        """
        try:
            return do()
        except ComponentTreeException:
            raise
        except Exception as error:
            place = loc.shown(self.defs_module_path)
            raise ComponentTreeException(f"component `{place}` can't be {what}: {error}") from error

    def to_string_representation(self) -> str:
        """Return a picture of the folder, as text."""
        decl = next(iter(self.find_root_decl().decls), None)
        return "\n".join(drawn(decl)) if decl is not None else ""


def leaves(component: Component) -> list[Component]:
    """Return the components that a folder, a YAML or a module holds at any depth; one that holds none is itself."""
    match component:
        case DefsFolderComponent(children=children) | CompositeYamlComponent(children=children):
            return [leaf for one in children.values() for leaf in leaves(one)]
        case PythonFileComponent(components=components):
            return [leaf for one in components.values() for leaf in leaves(one)]
    return [component]


@context_for_test.supply
def load_context_for_test() -> ComponentLoadContext:
    """Return the context of a component that is in no folder."""
    return ComponentTree.for_test().load_context


# -- drawing ----------------------------------------------------------------------------------------------------------


def drawn(decl: ComponentDecl) -> list[str]:
    """Return the lines of what is inside a decl."""
    parts = [part for part in decl.parts() if not isinstance(part, YamlDocumentDecl) or part.loc.instance_key]
    lines: list[str] = []
    for number, part in enumerate(parts):
        last = number == len(parts) - 1
        name = part.loc.file_path.relative_to(decl.loc.file_path).as_posix() if part.loc.instance_key is None else ""
        lines.append(f"{'└' if last else '├'}── {name or part.loc.instance_key}")
        inner = [] if isinstance(part, PythonFileDecl) else drawn(part)
        lines += [f"{' ' if last else '│'}   {line}" for line in inner]
    return lines


# -- projects ---------------------------------------------------------------------------------------------------------


def project_of(path: Path) -> tuple[Path, str]:
    """Return the root of the project that a path is in, and the module with its definitions.

    Raises:
        DagsterInvalidDefinitionError: when there's none.
    """
    start = path.resolve()
    for folder in (start, *start.parents):
        settings = settings_of(folder)
        if settings is None:
            continue
        module = settings.get("defs_module") or (f"{root}.defs" if (root := settings.get("root_module")) else None)
        if module is None:
            told = "the project doesn't say which module holds its definitions"
            raise DagsterInvalidDefinitionError(told, where=str(folder), hint='[tool.dg.project]\nroot_module = "..."')
        return folder, str(module)
    raise DagsterInvalidDefinitionError(
        f"`{path}` is in no project", hint='a `pyproject.toml` with [tool.dg.project], root_module = "..."'
    )


def settings_of(folder: Path) -> Mapping[str, Any] | None:
    """Return the settings of the project in a folder, or None where it holds none."""
    for name, keys in (("dg.toml", ("project",)), ("pyproject.toml", ("tool", "dg", "project"))):
        file = folder / name
        if file.is_file():
            found: Any = tomllib.loads(file.read_text(encoding="utf-8"))
            for key in keys:
                found = found.get(key, {})
            if found:
                return found  # type: ignore[no-any-return]  # TOML is untyped
    return None


def imported(module: str, root: Path) -> ModuleType:
    """Return a module of a project; one that isn't installed is found in the project's folder, or its ``src``.

    Raises:
        DagsterInvalidDefinitionError: when it isn't there.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{module}.".startswith(f"{error.name}."):
            raise
        first = module.partition(".")[0]
        home = next((one for one in (root / "src", root) if (one / first).is_dir()), None)
        if home is None or str(home) in sys.path:
            raise DagsterInvalidDefinitionError(
                f"there is no module `{module}`", where=str(root), hint="pip install -e ."
            ) from None
    sys.path.insert(0, str(home))
    importlib.invalidate_caches()
    return importlib.import_module(module)
