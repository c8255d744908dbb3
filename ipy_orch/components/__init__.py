"""Components: the framework under one name, and three types that are useful in notebooks.

`SqlFolderComponent` makes an asset of each SQL file in a folder, `NotebookFolderComponent` one of each notebook,
`FileIngestionComponent` one of each file that a pattern finds.
"""

from __future__ import annotations

from ipy_orch.authoring.components.component import Component, ComponentTypeSpec
from ipy_orch.authoring.components.context import ResolutionContext
from ipy_orch.authoring.components.executable import (
    FunctionComponent,
    FunctionSpec,
    PythonScriptComponent,
    ScriptSpec,
    UvRunComponent,
)
from ipy_orch.authoring.components.folder import DefinitionsComponent, DefsFolderComponent
from ipy_orch.authoring.components.form_config import ComponentFormConfig
from ipy_orch.authoring.components.functions import component_instance, definitions
from ipy_orch.authoring.components.load import (
    build_component_defs,
    build_defs_for_component,
    component_defs,
    get_all_components_defs_within_project,
    get_component_defs_within_project,
    load_defs,
    load_from_defs_folder,
)
from ipy_orch.authoring.components.load_contexts import ComponentDeclLoadContext, ComponentLoadContext
from ipy_orch.authoring.components.post_processing import AssetPostProcessor
from ipy_orch.authoring.components.resolvable import Resolvable
from ipy_orch.authoring.components.resolver import Injected, Model, Resolver
from ipy_orch.authoring.components.scaffolding import Scaffolder, ScaffoldRequest, scaffold_component, scaffold_with
from ipy_orch.authoring.components.specs import (
    AssetAttributesModel,
    OpSpec,
    ResolvedAssetAttributes,
    ResolvedAssetCheckSpec,
    ResolvedAssetKey,
    ResolvedAssetSpec,
    ResolvedPartitionsDefinition,
)
from ipy_orch.authoring.components.sql import SqlComponent, TemplatedSqlComponent
from ipy_orch.authoring.components.state import (
    DefsStateConfig,
    DefsStateConfigArgs,
    ResolvedDefsStateConfig,
    StateBackedComponent,
)
from ipy_orch.authoring.components.template_vars import template_var
from ipy_orch.authoring.components.tree import ComponentTree
from ipy_orch.components.file_ingestion import FileIngestionComponent
from ipy_orch.components.notebook_folder import NotebookFolderComponent
from ipy_orch.components.sql_folder import SqlFolderComponent

__all__ = [
    "AssetAttributesModel",
    "AssetPostProcessor",
    "Component",
    "ComponentDeclLoadContext",
    "ComponentFormConfig",
    "ComponentLoadContext",
    "ComponentTree",
    "ComponentTypeSpec",
    "DefinitionsComponent",
    "DefsFolderComponent",
    "DefsStateConfig",
    "DefsStateConfigArgs",
    "FileIngestionComponent",
    "FunctionComponent",
    "FunctionSpec",
    "Injected",
    "Model",
    "NotebookFolderComponent",
    "OpSpec",
    "PythonScriptComponent",
    "ResolutionContext",
    "Resolvable",
    "ResolvedAssetAttributes",
    "ResolvedAssetCheckSpec",
    "ResolvedAssetKey",
    "ResolvedAssetSpec",
    "ResolvedDefsStateConfig",
    "ResolvedPartitionsDefinition",
    "Resolver",
    "ScaffoldRequest",
    "Scaffolder",
    "ScriptSpec",
    "SqlComponent",
    "SqlFolderComponent",
    "StateBackedComponent",
    "TemplatedSqlComponent",
    "UvRunComponent",
    "build_component_defs",
    "build_defs_for_component",
    "component_defs",
    "component_instance",
    "definitions",
    "get_all_components_defs_within_project",
    "get_component_defs_within_project",
    "load_defs",
    "load_from_defs_folder",
    "scaffold_component",
    "scaffold_with",
    "template_var",
]
