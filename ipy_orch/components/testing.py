"""What tests of components need: projects in a temporary folder, and components of real ones."""

from __future__ import annotations

import importlib
import inspect
import random
import string
import sys
import tempfile
import textwrap
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import yaml

from ipy_orch.authoring.components.component import Component
from ipy_orch.authoring.components.load import (
    components_at,
    get_all_components_defs_within_project,
    get_component_defs_within_project,
)
from ipy_orch.authoring.components.scaffolding import ScaffoldRequest, scaffolder_of
from ipy_orch.authoring.components.tree import ComponentTree
from ipy_orch.authoring.components.type_names import full_name
from ipy_orch.model.definitions import Definitions

__all__ = [
    "DefsFolderSandbox",
    "DefsPathSandbox",
    "copy_code_to_file",
    "create_defs_folder_sandbox",
    "get_all_components_defs_within_project",
    "get_component_defs_within_project",
    "get_module_path",
    "get_original_module_name",
    "random_importable_name",
    "scaffold_defs_sandbox",
]

Format = Literal["yaml", "python"]


@dataclass(frozen=True)
class DefsFolderSandbox:
    """Be a project in a temporary folder, with an empty ``defs`` folder to begin with."""

    project_root: Path
    defs_folder_path: Path
    project_name: str

    @contextmanager
    def build_component_tree(self, code_location_name: str | None = None) -> Iterator[ComponentTree]:
        """Give the tree of the project as it is now; its modules are forgotten afterwards."""
        with importable(self.project_root / "src", self.project_name):
            module = importlib.import_module(f"{self.project_name}.defs")
            yield ComponentTree(module, self.project_root, code_location_name=code_location_name)

    @contextmanager
    def build_all_defs(self) -> Iterator[Definitions]:
        """Give the definitions of the project."""
        with self.build_component_tree() as tree:
            yield tree.build_defs()

    @contextmanager
    def load_component_and_build_defs(self, defs_path: Path) -> Iterator[tuple[Component, Definitions]]:
        """Give the component in a folder, and its definitions."""
        with self.build_component_tree() as tree:
            yield components_at(tree, Path(defs_path))[0]

    def scaffold_component(
        self,
        component_cls: Any,
        defs_path: Path | str | None = None,
        scaffold_params: dict[str, Any] | None = None,
        scaffold_format: Format = "yaml",
        defs_yaml_contents: dict[str, Any] | None = None,
    ) -> Path:
        """Write the files of a component; return its folder.

        Args:
            defs_path: where in the ``defs`` folder; under a new name by default.
            defs_yaml_contents: what stands in its YAML, instead of what its scaffolder writes.
        """
        folder = self.defs_folder_path / (defs_path if defs_path is not None else random_importable_name())
        folder.mkdir(parents=True, exist_ok=True)
        if defs_yaml_contents is None:
            scaffold(component_cls, folder, self.project_root, scaffold_params or {}, scaffold_format)
        else:
            write_yaml(folder, defs_yaml_contents)
        return folder

    @contextmanager
    def swap_defs_file(self, defs_path: Path, defs_yaml_contents: dict[str, Any] | None) -> Iterator[None]:
        """Have another YAML in a folder for a while."""
        file = Path(defs_path) if Path(defs_path).suffix else Path(defs_path) / "defs.yaml"
        before = file.read_text(encoding="utf-8") if file.is_file() else None
        try:
            if defs_yaml_contents is None:
                file.unlink(missing_ok=True)
            else:
                write_yaml(file.parent, defs_yaml_contents)
            yield
        finally:
            file.unlink(missing_ok=True)
            if before is not None:
                file.write_text(before, encoding="utf-8")


@dataclass(frozen=True)
class DefsPathSandbox:
    """Be a project in a temporary folder with one component.

    Args:
        defs_folder_path: the folder of the component.
    """

    sandbox: DefsFolderSandbox
    defs_folder_path: Path

    @contextmanager
    def load(self, component_body: Mapping[str, Any] | None = None) -> Iterator[tuple[Component, Definitions]]:
        """Give the component and its definitions.

        Args:
            component_body: what stands in its YAML, instead of what is there.
        """
        if component_body is not None:
            write_yaml(self.defs_folder_path, component_body)
        with self.sandbox.load_component_and_build_defs(self.defs_folder_path) as found:
            yield found


@contextmanager
def create_defs_folder_sandbox(*, project_name: str | None = None) -> Iterator[DefsFolderSandbox]:
    """Give a project in a temporary folder, which is gone afterwards."""
    name = project_name or random_importable_name()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        defs = root / "src" / name / "defs"
        defs.mkdir(parents=True)
        (defs.parent / "__init__.py").touch()
        (root / "pyproject.toml").write_text(f'[tool.dg.project]\nroot_module = "{name}"\n', encoding="utf-8")
        yield DefsFolderSandbox(root, defs, name)


@contextmanager
def scaffold_defs_sandbox(
    *,
    component_cls: type,
    component_path: Path | str | None = None,
    scaffold_params: dict[str, Any] | None = None,
    scaffold_format: Format = "yaml",
    project_name: str | None = None,
) -> Iterator[DefsPathSandbox]:
    """Give a project in a temporary folder with the files of one component."""
    with create_defs_folder_sandbox(project_name=project_name) as sandbox:
        folder = sandbox.scaffold_component(component_cls, component_path, scaffold_params, scaffold_format)
        yield DefsPathSandbox(sandbox, folder)


def scaffold(cls: type, folder: Path, root: Path, params: Mapping[str, Any], form: Format) -> None:
    """Have a component's scaffolder write its files."""
    scaffolder = scaffolder_of(cls)
    given = scaffolder.get_scaffold_params()(**params)
    scaffolder.scaffold(ScaffoldRequest(full_name(cls), folder, form, root, given))


def write_yaml(folder: Path, contents: Mapping[str, Any]) -> None:
    """Write the YAML of a folder."""
    text = yaml.safe_dump(dict(contents), sort_keys=False)
    (folder / "defs.yaml").write_text(text, encoding="utf-8")


@contextmanager
def importable(folder: Path, name: str) -> Iterator[None]:
    """Have the modules of a folder importable for a while, and forget those of a package afterwards."""
    sys.path.insert(0, str(folder))
    importlib.invalidate_caches()
    try:
        yield
    finally:
        sys.path.remove(str(folder))
        for module in [one for one in sys.modules if one == name or one.startswith(f"{name}.")]:
            del sys.modules[module]


def copy_code_to_file(fn: Callable[..., Any], file_path: Path) -> None:
    """Write the body of a function as a module."""
    lines = inspect.getsource(fn).splitlines()
    start = next(number for number, line in enumerate(lines) if line.rstrip().endswith(":")) + 1
    file_path.write_text(textwrap.dedent("\n".join(lines[start:])) + "\n", encoding="utf-8")


def random_importable_name(length: int = 8) -> str:
    """Return a name for a module that is most likely free."""
    return "".join(random.choices(string.ascii_lowercase, k=length))  # noqa: S311 - a name, no secret


def get_module_path(defs_module_name: str, component_path: Path) -> str:
    """Return the module that a folder below a package is.

    >>> get_module_path("shop.defs", Path("sales/daily"))
    'shop.defs.sales.daily'
    """
    return ".".join([defs_module_name, *component_path.parts])


def get_original_module_name(cls: type) -> str:
    """Return the name of a class with its module."""
    return f"{cls.__module__}.{cls.__qualname__}"
