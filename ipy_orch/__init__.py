"""Turn the cells of a notebook into assets and checks, run what changed, and take it away as a Dagster module.

The names are Dagster's: replace ``ipy_orch`` by ``dagster`` in the imports, and it is Dagster code. In a notebook,
``%load_ext ipy_orch`` brings the magics; ``ipy_orch.session()`` has the same verbs as methods.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

import ipy_orch.model.conditions.storing
import ipy_orch.session  # first, so that loading it later doesn't take the place of the function `session` below
from ipy_orch.authoring.assets import asset, multi_asset
from ipy_orch.authoring.check_factories import build_column_schema_change_checks, build_metadata_bounds_checks
from ipy_orch.authoring.checks import asset_check, multi_asset_check
from ipy_orch.authoring.config_files import (
    config_from_files,
    config_from_pkg_resources,
    config_from_yaml_strings,
    file_relative_path,
)
from ipy_orch.authoring.emails import make_email_on_run_failure_sensor
from ipy_orch.authoring.executors import executor
from ipy_orch.authoring.freshness_checks import (
    build_last_update_freshness_checks,
    build_sensor_for_freshness_checks,
    build_time_partition_freshness_checks,
)
from ipy_orch.authoring.graph_assets import graph_asset, graph_multi_asset
from ipy_orch.authoring.graphs import graph
from ipy_orch.authoring.hooks import failure_hook, success_hook
from ipy_orch.authoring.jobs import job
from ipy_orch.authoring.load import (
    load_asset_checks_from_current_module,
    load_asset_checks_from_modules,
    load_asset_checks_from_package_module,
    load_asset_checks_from_package_name,
    load_assets_from_current_module,
    load_assets_from_modules,
    load_assets_from_package_module,
    load_assets_from_package_name,
    load_definitions_from_current_module,
    load_definitions_from_module,
    load_definitions_from_modules,
    load_definitions_from_package_module,
    load_definitions_from_package_name,
)
from ipy_orch.authoring.loggers import logger
from ipy_orch.authoring.ops import op
from ipy_orch.authoring.repository import repository
from ipy_orch.authoring.schedules import schedule
from ipy_orch.authoring.sensors import (
    asset_sensor,
    multi_asset_sensor,
    run_failure_sensor,
    run_status_sensor,
    sensor,
)
from ipy_orch.authoring.sources import multi_observable_source_asset, observable_source_asset
from ipy_orch.authoring.types import dagster_type_loader, usable_as_dagster_type
from ipy_orch.automation.contexts import (
    ScheduleEvaluationContext,
    SensorEvaluationContext,
    build_schedule_context,
    build_sensor_context,
)
from ipy_orch.automation.multi_asset import MultiAssetSensorEvaluationContext, build_multi_asset_sensor_context
from ipy_orch.automation.run_status import (
    RunFailureSensorContext,
    RunStatusSensorContext,
    build_run_status_sensor_context,
)
from ipy_orch.errors import (
    BetaWarning,
    CheckError,
    DagsterAssetCheckFailedError,
    DagsterConfigMappingFunctionError,
    DagsterError,
    DagsterExecutionInterruptedError,
    DagsterExecutionStepExecutionError,
    DagsterExecutionStepNotFoundError,
    DagsterInvalidConfigDefinitionError,
    DagsterInvalidConfigError,
    DagsterInvalidDefinitionError,
    DagsterInvalidInvocationError,
    DagsterInvalidSubsetError,
    DagsterInvariantViolationError,
    DagsterResourceFunctionError,
    DagsterRunNotFoundError,
    DagsterStepOutputNotFoundError,
    DagsterTypeCheckDidNotPass,
    DagsterTypeCheckError,
    DagsterUnknownPartitionError,
    DagsterUnknownResourceError,
    DagsterUnmetExecutorRequirementsError,
    DagsterUserCodeExecutionError,
    IsolationWarning,
)
from ipy_orch.execution.build import (
    build_asset_check_context,
    build_asset_context,
    build_input_context,
    build_op_context,
    build_output_context,
)
from ipy_orch.execution.contexts.contexts import AssetCheckExecutionContext, AssetExecutionContext, OpExecutionContext
from ipy_orch.execution.contexts.hooks import HookContext, build_hook_context
from ipy_orch.execution.contexts.io import InputContext, OutputContext
from ipy_orch.execution.iomanagers import (
    FilesystemIOManager,
    InMemoryIOManager,
    custom_path_fs_io_manager,
    fs_io_manager,
    mem_io_manager,
)
from ipy_orch.execution.load import AssetValueLoader
from ipy_orch.execution.loggers import DagsterLogManager
from ipy_orch.execution.materialize import materialize, materialize_to_memory
from ipy_orch.execution.providing import with_resources
from ipy_orch.execution.records.instance import (
    AssetPartitionStatus,
    AssetRecordsFilter,
    DagsterInstance,
    DagsterRun,
    DagsterRunStatus,
    EventLogEntry,
    EventLogRecord,
    EventRecordsFilter,
    EventRecordsResult,
    RunRecord,
    RunsFilter,
    RunStatusChangeRecordsFilter,
    instance_for_test,
)
from ipy_orch.execution.records.results import DagsterEvent, DagsterEventType, ExecuteInProcessResult
from ipy_orch.execution.reexecution import (
    JobExecutionResult,
    ReexecutionOptions,
    build_reconstructable_job,
    execute_job,
    reconstructable,
)
from ipy_orch.execution.resources import build_init_resource_context, build_resources
from ipy_orch.execution.types import DagsterTypeLoaderContext, TypeCheckContext
from ipy_orch.model.asset_jobs import define_asset_job
from ipy_orch.model.asset_ports import AssetIn, AssetOut
from ipy_orch.model.assets import AssetChecksDefinition, AssetsDefinition, SourceAsset
from ipy_orch.model.automation.asset_sensors import AssetSensorDefinition, MultiAssetSensorDefinition
from ipy_orch.model.automation.condition_sensors import AutomationConditionSensorDefinition
from ipy_orch.model.automation.partitioned import build_schedule_from_partitioned_job
from ipy_orch.model.automation.requests import RunRequest, SensorResult, SkipReason
from ipy_orch.model.automation.run_sensors import RunStatusSensorDefinition
from ipy_orch.model.automation.schedules import DefaultScheduleStatus, ScheduleDefinition
from ipy_orch.model.automation.sensors import DefaultSensorStatus, SensorDefinition, SensorReturnTypesUnion
from ipy_orch.model.checks import AssetCheckSpec
from ipy_orch.model.code_references import (
    AnchorBasedFilePathMapping,
    CodeReferencesMetadataValue,
    FilePathMapping,
    LocalFileCodeReference,
    UrlCodeReference,
)
from ipy_orch.model.conditions.condition import AutomationCondition
from ipy_orch.model.conditions.policies import (
    AutoMaterializeAssetPartitionsFilter,
    AutoMaterializePolicy,
    AutoMaterializeRule,
)
from ipy_orch.model.config.classes import Config, PermissiveConfig, RunConfig
from ipy_orch.model.config.configured import ConfigMapping, config_mapping, configured
from ipy_orch.model.config.schema import (
    Array,
    BoolSource,
    Enum,
    EnumValue,
    Field,
    IntSource,
    Map,
    Noneable,
    Permissive,
    ScalarUnion,
    Selector,
    Shape,
    StringSource,
)
from ipy_orch.model.console_loggers import (
    JsonLogFormatter,
    colored_console_logger,
    default_loggers,
    default_system_loggers,
    get_dagster_logger,
    json_console_logger,
)
from ipy_orch.model.definitions import Definitions, map_asset_specs
from ipy_orch.model.env import EnvVar
from ipy_orch.model.executors import (
    Executor,
    ExecutorDefinition,
    ExecutorRequirement,
    InitExecutorContext,
    in_process_executor,
    multi_or_in_process_executor,
    multiple_process_executor_requirements,
    multiprocess_executor,
)
from ipy_orch.model.freshness import FreshnessPolicy, LegacyFreshnessPolicy, apply_freshness_policy
from ipy_orch.model.graphs.graph import GraphDefinition
from ipy_orch.model.graphs.invocations import PendingNodeInvocation
from ipy_orch.model.graphs.mappings import (
    DependencyDefinition,
    GraphIn,
    GraphOut,
    InputMapping,
    MultiDependencyDefinition,
    NodeInvocation,
    OutputMapping,
)
from ipy_orch.model.hooks import HookDefinition, HookExecutionResult
from ipy_orch.model.io import (
    ConfigurableIOManager,
    ConfigurableIOManagerFactory,
    ConfigurableLegacyIOManagerAdapter,
    InputManager,
    InputManagerDefinition,
    IOManager,
    IOManagerDefinition,
    input_manager,
    io_manager,
)
from ipy_orch.model.jobs import JobDefinition
from ipy_orch.model.keys import AssetCheckKey, AssetJobKey, AssetKey
from ipy_orch.model.loggers import InitLoggerContext, LoggerDefinition, build_init_logger_context
from ipy_orch.model.metadata.plain import MetadataEntry
from ipy_orch.model.metadata.references import (
    DagsterAssetMetadataValue,
    DagsterJobMetadataValue,
    DagsterRunMetadataValue,
    PoolMetadataValue,
    PythonArtifactMetadataValue,
)
from ipy_orch.model.metadata.scalars import (
    BoolMetadataValue,
    FloatMetadataValue,
    IntMetadataValue,
    JsonMetadataValue,
    MarkdownMetadataValue,
    NotebookMetadataValue,
    NullMetadataValue,
    PathMetadataValue,
    TextMetadataValue,
    TimestampMetadataValue,
    UrlMetadataValue,
)
from ipy_orch.model.metadata.tables import TableColumnLineageMetadataValue, TableMetadataValue, TableSchemaMetadataValue
from ipy_orch.model.metadata.value import DagsterInvalidMetadata, MetadataValue
from ipy_orch.model.ops import DynamicOut, In, OpDefinition, Out
from ipy_orch.model.partitions.config import (
    PartitionedConfig,
    daily_partitioned_config,
    dynamic_partitioned_config,
    hourly_partitioned_config,
    monthly_partitioned_config,
    partitioned_config,
    static_partitioned_config,
    weekly_partitioned_config,
)
from ipy_orch.model.partitions.contexts import partition_loading_context
from ipy_orch.model.partitions.definition import (
    Partition,
    PartitionKeyRange,
    PartitionsDefinition,
    StaticPartitionsDefinition,
    TimeWindow,
)
from ipy_orch.model.partitions.dynamic import (
    AddDynamicPartitionsRequest,
    DeleteDynamicPartitionsRequest,
    DynamicPartitionsDefinition,
)
from ipy_orch.model.partitions.mappings import (
    AllPartitionMapping,
    IdentityPartitionMapping,
    LastPartitionMapping,
    PartitionMapping,
    SpecificPartitionsPartitionMapping,
    StaticPartitionMapping,
)
from ipy_orch.model.partitions.multi import MultiPartitionKey, MultiPartitionsDefinition
from ipy_orch.model.partitions.multi_mappings import (
    DimensionPartitionMapping,
    MultiPartitionMapping,
    MultiToSingleDimensionPartitionMapping,
)
from ipy_orch.model.partitions.time import TimeWindowPartitionsDefinition
from ipy_orch.model.partitions.time_mappings import TimeWindowPartitionMapping
from ipy_orch.model.partitions.usual import (
    DailyPartitionsDefinition,
    HourlyPartitionsDefinition,
    MonthlyPartitionsDefinition,
    WeeklyPartitionsDefinition,
)
from ipy_orch.model.policies import BackfillPolicy, Backoff, Failure, Jitter, RetryPolicy, RetryRequested
from ipy_orch.model.repository import RepositoryDefinition, create_repository_using_definitions_args
from ipy_orch.model.resources.resource import (
    ConfigurableResource,
    IAttachDifferentObjectToOpContext,
    InitResourceContext,
    ResourceDefinition,
    ResourceDependency,
    ResourceParam,
    make_values_resource,
    resource,
)
from ipy_orch.model.results import (
    AssetCheckEvaluation,
    AssetCheckResult,
    AssetCheckSeverity,
    AssetMaterialization,
    AssetObservation,
    DataProvenance,
    DataVersion,
    DynamicOutput,
    ExpectationResult,
    MaterializeResult,
    ObserveResult,
    Output,
)
from ipy_orch.model.serdes import deserialize_value, serialize_value
from ipy_orch.model.specs import AssetDep, AssetSpec
from ipy_orch.model.tables import (
    TableColumn,
    TableColumnConstraints,
    TableColumnDep,
    TableColumnLineage,
    TableConstraints,
    TableRecord,
    TableSchema,
)
from ipy_orch.model.types.annotations import (
    Any,
    Bool,
    DagsterType,
    Dict,
    Float,
    Int,
    List,
    Nothing,
    Optional,
    PythonObjectDagsterType,
    Set,
    String,
    Tuple,
    TypeCheck,
    check_dagster_type,
    make_python_type_usable_as_dagster_type,
)
from ipy_orch.model.types.loaders import DagsterTypeLoader
from ipy_orch.model.types.pandera import pandera_schema_to_dagster_type
from ipy_orch.model.types.row_models import row_model_to_dagster_type
from ipy_orch.planning.conditions.context import AutomationContext, AutomationResult
from ipy_orch.planning.conditions.ticks import EvaluateAutomationConditionsResult, evaluate_automation_conditions
from ipy_orch.planning.selection.selection import AssetSelection

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from ipy_orch.components import (
        AssetAttributesModel,
        Component,
        ComponentFormConfig,
        ComponentLoadContext,
        ComponentTree,
        ComponentTypeSpec,
        DefinitionsComponent,
        DefsFolderComponent,
        FunctionComponent,
        Injected,
        Model,
        PythonScriptComponent,
        ResolutionContext,
        Resolvable,
        ResolvedAssetCheckSpec,
        ResolvedAssetKey,
        ResolvedAssetSpec,
        Resolver,
        Scaffolder,
        ScaffoldRequest,
        SqlComponent,
        StateBackedComponent,
        TemplatedSqlComponent,
        UvRunComponent,
        build_component_defs,
        build_defs_for_component,
        component_defs,
        component_instance,
        definitions,
        get_all_components_defs_within_project,
        get_component_defs_within_project,
        load_defs,
        load_from_defs_folder,
        scaffold_component,
        scaffold_with,
        template_var,
    )
    from ipy_orch.session.session import Session
from ipy_orch.planning.validation import validate_run_config
from ipy_orch.storage.duckdb import DuckDBIOManager, DuckDBPandasIOManager, DuckDBPolarsIOManager
from ipy_orch.storage.parquet import ParquetIOManager
from ipy_orch.storage.upath import UPathIOManager

__all__ = [
    "AddDynamicPartitionsRequest",
    "AllPartitionMapping",
    "AnchorBasedFilePathMapping",
    "Any",
    "Array",
    "AssetAttributesModel",
    "AssetCheckEvaluation",
    "AssetCheckExecutionContext",
    "AssetCheckKey",
    "AssetCheckResult",
    "AssetCheckSeverity",
    "AssetCheckSpec",
    "AssetChecksDefinition",
    "AssetDep",
    "AssetExecutionContext",
    "AssetIn",
    "AssetJobKey",
    "AssetKey",
    "AssetMaterialization",
    "AssetObservation",
    "AssetOut",
    "AssetPartitionStatus",
    "AssetRecordsFilter",
    "AssetSelection",
    "AssetSensorDefinition",
    "AssetSpec",
    "AssetValueLoader",
    "AssetsDefinition",
    "AutoMaterializeAssetPartitionsFilter",
    "AutoMaterializePolicy",
    "AutoMaterializeRule",
    "AutomationCondition",
    "AutomationConditionSensorDefinition",
    "AutomationContext",
    "AutomationResult",
    "BackfillPolicy",
    "Backoff",
    "BetaWarning",
    "Bool",
    "BoolMetadataValue",
    "BoolSource",
    "CheckError",
    "CodeReferencesMetadataValue",
    "Component",
    "ComponentFormConfig",
    "ComponentLoadContext",
    "ComponentTree",
    "ComponentTypeSpec",
    "Config",
    "ConfigMapping",
    "ConfigurableIOManager",
    "ConfigurableIOManagerFactory",
    "ConfigurableLegacyIOManagerAdapter",
    "ConfigurableResource",
    "DagsterAssetCheckFailedError",
    "DagsterAssetMetadataValue",
    "DagsterConfigMappingFunctionError",
    "DagsterError",
    "DagsterEvent",
    "DagsterEventType",
    "DagsterExecutionInterruptedError",
    "DagsterExecutionStepExecutionError",
    "DagsterExecutionStepNotFoundError",
    "DagsterInstance",
    "DagsterInvalidConfigDefinitionError",
    "DagsterInvalidConfigError",
    "DagsterInvalidDefinitionError",
    "DagsterInvalidInvocationError",
    "DagsterInvalidMetadata",
    "DagsterInvalidSubsetError",
    "DagsterInvariantViolationError",
    "DagsterJobMetadataValue",
    "DagsterLogManager",
    "DagsterResourceFunctionError",
    "DagsterRun",
    "DagsterRunMetadataValue",
    "DagsterRunNotFoundError",
    "DagsterRunStatus",
    "DagsterStepOutputNotFoundError",
    "DagsterType",
    "DagsterTypeCheckDidNotPass",
    "DagsterTypeCheckError",
    "DagsterTypeLoader",
    "DagsterTypeLoaderContext",
    "DagsterUnknownPartitionError",
    "DagsterUnknownResourceError",
    "DagsterUnmetExecutorRequirementsError",
    "DagsterUserCodeExecutionError",
    "DailyPartitionsDefinition",
    "DataProvenance",
    "DataVersion",
    "DefaultScheduleStatus",
    "DefaultSensorStatus",
    "Definitions",
    "DefinitionsComponent",
    "DefsFolderComponent",
    "DeleteDynamicPartitionsRequest",
    "DependencyDefinition",
    "Dict",
    "DimensionPartitionMapping",
    "DuckDBIOManager",
    "DuckDBPandasIOManager",
    "DuckDBPolarsIOManager",
    "DynamicOut",
    "DynamicOutput",
    "DynamicPartitionsDefinition",
    "Enum",
    "EnumValue",
    "EnvVar",
    "EvaluateAutomationConditionsResult",
    "EventLogEntry",
    "EventLogRecord",
    "EventRecordsFilter",
    "EventRecordsResult",
    "ExecuteInProcessResult",
    "Executor",
    "ExecutorDefinition",
    "ExecutorRequirement",
    "ExpectationResult",
    "Failure",
    "Field",
    "FilePathMapping",
    "FilesystemIOManager",
    "Float",
    "FloatMetadataValue",
    "FreshnessPolicy",
    "FunctionComponent",
    "GraphDefinition",
    "GraphIn",
    "GraphOut",
    "HookContext",
    "HookDefinition",
    "HookExecutionResult",
    "HourlyPartitionsDefinition",
    "IAttachDifferentObjectToOpContext",
    "IOManager",
    "IOManagerDefinition",
    "IdentityPartitionMapping",
    "In",
    "InMemoryIOManager",
    "InitExecutorContext",
    "InitLoggerContext",
    "InitResourceContext",
    "Injected",
    "InputContext",
    "InputManager",
    "InputManagerDefinition",
    "InputMapping",
    "Int",
    "IntMetadataValue",
    "IntSource",
    "IsolationWarning",
    "Jitter",
    "JobDefinition",
    "JobExecutionResult",
    "JsonLogFormatter",
    "JsonMetadataValue",
    "LastPartitionMapping",
    "LegacyFreshnessPolicy",
    "Lineage",
    "List",
    "LocalFileCodeReference",
    "LoggerDefinition",
    "Map",
    "MarkdownMetadataValue",
    "MaterializeResult",
    "MetadataEntry",
    "MetadataValue",
    "Model",
    "MonthlyPartitionsDefinition",
    "MultiAssetSensorDefinition",
    "MultiAssetSensorEvaluationContext",
    "MultiDependencyDefinition",
    "MultiPartitionKey",
    "MultiPartitionMapping",
    "MultiPartitionsDefinition",
    "MultiToSingleDimensionPartitionMapping",
    "NodeInvocation",
    "Noneable",
    "NotebookMetadataValue",
    "Nothing",
    "NullMetadataValue",
    "ObserveResult",
    "OpDefinition",
    "OpExecutionContext",
    "Optional",
    "Out",
    "Output",
    "OutputContext",
    "OutputMapping",
    "ParquetIOManager",
    "Partition",
    "PartitionKeyRange",
    "PartitionMapping",
    "PartitionedConfig",
    "PartitionsDefinition",
    "PathMetadataValue",
    "PendingNodeInvocation",
    "Permissive",
    "PermissiveConfig",
    "PoolMetadataValue",
    "PythonArtifactMetadataValue",
    "PythonObjectDagsterType",
    "PythonScriptComponent",
    "ReexecutionOptions",
    "RepositoryDefinition",
    "ResolutionContext",
    "Resolvable",
    "ResolvedAssetCheckSpec",
    "ResolvedAssetKey",
    "ResolvedAssetSpec",
    "Resolver",
    "ResourceDefinition",
    "ResourceDependency",
    "ResourceParam",
    "RetryPolicy",
    "RetryRequested",
    "RunConfig",
    "RunFailureSensorContext",
    "RunRecord",
    "RunRequest",
    "RunStatusChangeRecordsFilter",
    "RunStatusSensorContext",
    "RunStatusSensorDefinition",
    "RunsFilter",
    "ScaffoldRequest",
    "Scaffolder",
    "ScalarUnion",
    "ScheduleDefinition",
    "ScheduleEvaluationContext",
    "Selector",
    "SensorDefinition",
    "SensorEvaluationContext",
    "SensorResult",
    "SensorReturnTypesUnion",
    "Set",
    "Shape",
    "SkipReason",
    "SourceAsset",
    "SpecificPartitionsPartitionMapping",
    "SqlComponent",
    "StateBackedComponent",
    "StaticPartitionMapping",
    "StaticPartitionsDefinition",
    "String",
    "StringSource",
    "TableColumn",
    "TableColumnConstraints",
    "TableColumnDep",
    "TableColumnLineage",
    "TableColumnLineageMetadataValue",
    "TableConstraints",
    "TableMetadataValue",
    "TableRecord",
    "TableSchema",
    "TableSchemaMetadataValue",
    "TemplatedSqlComponent",
    "TextMetadataValue",
    "TimeWindow",
    "TimeWindowPartitionMapping",
    "TimeWindowPartitionsDefinition",
    "TimestampMetadataValue",
    "Tuple",
    "TypeCheck",
    "TypeCheckContext",
    "UPathIOManager",
    "UrlCodeReference",
    "UrlMetadataValue",
    "UvRunComponent",
    "WeeklyPartitionsDefinition",
    "__version__",
    "apply_freshness_policy",
    "asset",
    "asset_check",
    "asset_sensor",
    "build_asset_check_context",
    "build_asset_context",
    "build_column_schema_change_checks",
    "build_component_defs",
    "build_defs_for_component",
    "build_hook_context",
    "build_init_logger_context",
    "build_init_resource_context",
    "build_input_context",
    "build_last_update_freshness_checks",
    "build_metadata_bounds_checks",
    "build_multi_asset_sensor_context",
    "build_op_context",
    "build_output_context",
    "build_reconstructable_job",
    "build_resources",
    "build_run_status_sensor_context",
    "build_schedule_context",
    "build_schedule_from_partitioned_job",
    "build_sensor_context",
    "build_sensor_for_freshness_checks",
    "build_time_partition_freshness_checks",
    "check_dagster_type",
    "colored_console_logger",
    "component_defs",
    "component_instance",
    "config_from_files",
    "config_from_pkg_resources",
    "config_from_yaml_strings",
    "config_mapping",
    "configured",
    "create_repository_using_definitions_args",
    "custom_path_fs_io_manager",
    "dagster_type_loader",
    "daily_partitioned_config",
    "default_loggers",
    "default_system_loggers",
    "define_asset_job",
    "definitions",
    "deserialize_value",
    "dynamic_partitioned_config",
    "evaluate_automation_conditions",
    "execute_job",
    "executor",
    "failure_hook",
    "file_relative_path",
    "fs_io_manager",
    "get_all_components_defs_within_project",
    "get_component_defs_within_project",
    "get_dagster_logger",
    "graph",
    "graph_asset",
    "graph_multi_asset",
    "hourly_partitioned_config",
    "in_process_executor",
    "input_manager",
    "instance_for_test",
    "io_manager",
    "job",
    "json_console_logger",
    "load_asset_checks_from_current_module",
    "load_asset_checks_from_modules",
    "load_asset_checks_from_package_module",
    "load_asset_checks_from_package_name",
    "load_assets_from_current_module",
    "load_assets_from_modules",
    "load_assets_from_package_module",
    "load_assets_from_package_name",
    "load_definitions_from_current_module",
    "load_definitions_from_module",
    "load_definitions_from_modules",
    "load_definitions_from_package_module",
    "load_definitions_from_package_name",
    "load_defs",
    "load_from_defs_folder",
    "load_ipython_extension",
    "logger",
    "make_email_on_run_failure_sensor",
    "make_python_type_usable_as_dagster_type",
    "make_values_resource",
    "map_asset_specs",
    "materialize",
    "materialize_to_memory",
    "mem_io_manager",
    "monthly_partitioned_config",
    "multi_asset",
    "multi_asset_check",
    "multi_asset_sensor",
    "multi_observable_source_asset",
    "multi_or_in_process_executor",
    "multiple_process_executor_requirements",
    "multiprocess_executor",
    "observable_source_asset",
    "op",
    "pandera_schema_to_dagster_type",
    "partition_loading_context",
    "partitioned_config",
    "reconstructable",
    "repository",
    "resource",
    "row_model_to_dagster_type",
    "run_failure_sensor",
    "run_status_sensor",
    "scaffold_component",
    "scaffold_with",
    "schedule",
    "sensor",
    "serialize_value",
    "session",
    "static_partitioned_config",
    "success_hook",
    "template_var",
    "unload_ipython_extension",
    "usable_as_dagster_type",
    "validate_run_config",
    "weekly_partitioned_config",
    "with_resources",
]

__version__ = "0.1.0"


# Components are a fifth of the code, and few modules use them: their names are looked up when they are used. Whatever
# of the names above hasn't been imported is one of them.


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module `ipy_orch` has no attribute `{name}`")
    return getattr(importlib.import_module("ipy_orch.components"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


# The notebook's door is opened when it is knocked at: a worker that imports an exported module needs no IPython.


def load_ipython_extension(ip: InteractiveShell) -> None:
    """Bring the magics into a notebook: ``%load_ext ipy_orch``. Runs nothing of the user's."""
    from ipy_orch.notebook.extension import load_ipython_extension as load

    load(ip)


def unload_ipython_extension(ip: InteractiveShell) -> None:
    """Take the magics away again, leaving nothing behind."""
    from ipy_orch.notebook.extension import unload_ipython_extension as unload

    unload(ip)


def Lineage(selection: object = None) -> object:  # noqa: N802 - it makes a widget
    """Show the lineage of this notebook's assets, or of a selection: ``Lineage("group:shop")``."""
    from ipy_orch.ui.lineage import lineage

    return lineage(session(), selection)


def session() -> Session:
    """Return the session of this notebook; its methods are the verbs of the magics."""
    from ipy_orch.notebook.extension import get_session

    return get_session()
