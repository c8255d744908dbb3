"""Whether run config fits a job, and all that it then says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ipy_orch.model.config.classes import RunConfig
from ipy_orch.model.config.schema import Findings
from ipy_orch.model.jobs import JobDefinition
from ipy_orch.model.ops import IO_MANAGER
from ipy_orch.model.resources.resource import as_resource
from ipy_orch.planning.config import Entry, Resolved, resolve_run_config
from ipy_orch.planning.job_config import job_tree, run_config_of

__all__ = ["validate_run_config"]


def validate_run_config(
    job_def: JobDefinition, run_config: Mapping[str, Any] | RunConfig | None = None
) -> dict[str, Any]:
    """Return run config of a job with its defaults; environment variables stay names. Runs nothing.

    Raises:
        DagsterInvalidConfigError: with every problem and its path.

    Example:
        >>> from ipy_orch import job, op
        >>> @op(config_schema={"size": int})
        ... def sized(context): ...
        >>> @job
        ... def small():
        ...     sized()
        >>> validate_run_config(small, {"ops": {"sized": {"config": {"size": 3}}}})["ops"]
        {'sized': {'config': {'size': 3}, 'inputs': {}, 'outputs': None}}
    """
    resources = {IO_MANAGER: None, **job_def.resource_defs}
    given = run_config_of(job_def, run_config)
    resolved = resolve_run_config(given, job_tree(job_def), resources, read_env=False)
    return {
        "ops": ops_of(resolved),
        "resources": resources_of(resolved),
        "loggers": dict(resolved.given.get("loggers") or {}),
        "execution": dict(resolved.given.get("execution") or {}),
    }


def ops_of(resolved: Resolved) -> dict[str, Any]:
    """Return the part of the ops, those in graphs under their graph."""
    ops: dict[str, Any] = {}
    for path, entry in resolved.entries.items():
        *graphs, name = path.split(".")
        inside = ops
        for graph in graphs:
            inside = inside.setdefault(graph, {}).setdefault("ops", {})
        if name:
            inside.setdefault(name, {}).update(entry_of(entry))
    return ops


def entry_of(entry: Entry) -> dict[str, Any]:
    """Return what run config says of one op."""
    config = None if entry.checked is None else entry.schema.config_type.told(entry.checked)
    told = {"inputs": dict(entry.inputs), "outputs": entry.outputs or None}
    return told if config is None else {"config": config, **told}


def resources_of(resolved: Resolved) -> dict[str, Any]:
    """Return the part of the resources.

    Raises:
        DagsterInvalidConfigError: when one lacks config.
    """
    findings, told = Findings(), {}
    for key, resource in resolved.definitions.items():
        schema = as_resource(resource).__config_field__
        checked = schema.check_or_default(resolved.written(key), ("resources", key, "config"), findings)
        told[key] = {"config": None if checked is None else schema.config_type.told(checked)}
    findings.raise_any("the run config doesn't fit")
    return told
