"""What a module defines and makes, as plain data: asked in a process of its own, for ipy_orch as for dagster.

This file is also the program of that process, so it imports nothing but Python itself:

    python -P -c <this text> '{"framework": "dagster", "module": "definitions", "path": [...], "run": true}' OUT

A new kind of definition that the proof is to compare enters in :func:`facts`.
"""

from __future__ import annotations

import importlib
import json
import logging
import pickle
import sys
import traceback
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

FOREIGN = ("pandas", "numpy", "polars", "pyarrow", "datetime", "decimal", "fractions", "uuid", "pathlib")
DEEPEST = 12


# -- what there is -----------------------------------------------------------------------------------------------------


def facts(defs: Any) -> dict[str, Any]:
    """Return the assets of definitions with what each reads, their checks and jobs."""
    return {
        "assets": dict(asset for one in defs.assets or () for asset in assets_of(one)),
        "checks": sorted(
            {check for one in (*(defs.assets or ()), *(defs.asset_checks or ())) for check in checks_of(one)}
        ),
        "jobs": {one.name: selected(defs, one) for one in defs.jobs or ()},
        "schedules": sorted(one.name for one in getattr(defs, "schedules", None) or ()),
        "sensors": sorted(one.name for one in getattr(defs, "sensors", None) or ()),
    }


def assets_of(one: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield each asset of a definition or spec with what it reads, its group and its partitions."""
    if not hasattr(one, "keys"):
        if hasattr(one, "deps"):
            yield (
                named(one.key),
                {
                    "reads": sorted(named(dep.asset_key) for dep in one.deps),
                    "group": one.group_name or "default",
                    "partitions": kind(one.partitions_def),
                },
            )
        return
    for key in one.keys:
        yield (
            named(key),
            {
                "reads": sorted(named(dep) for dep in one.asset_deps.get(key, ())),
                "group": one.group_names_by_key.get(key) or "default",
                "partitions": kind(one.partitions_def),
            },
        )


def named(key: Any) -> str:
    """Return a key as text, the same in both frameworks."""
    return "/".join(key.path)


def kind(value: Any) -> str:
    """Return the name of a value's type, "" for None."""
    return "" if value is None else type(value).__name__


def checks_of(one: Any) -> Iterator[str]:
    """Yield the checks of a definition."""
    for key in getattr(one, "check_keys", ()):
        yield f"{named(key.asset_key)}:{key.name}"


def selected(defs: Any, job: Any) -> list[str]:
    """Return the assets that a job runs, none for one of ops."""
    return assets_run_by(defs.resolve_job_def(job.name))


def assets_run_by(job: Any) -> list[str]:
    """Return the assets that a resolved job runs, none for one of ops."""
    layer = job.asset_layer
    return sorted(named(key) for key in layer.executable_asset_keys) if layer is not None else []


# -- what it makes -----------------------------------------------------------------------------------------------------


def values(framework: Any, defs: Any) -> tuple[dict[str, Any], list[str]]:
    """Return the values that a clean process makes of all assets and jobs of ops, and what isn't run."""
    assets = [one for one in defs.assets or () if getattr(one, "is_executable", False)]
    parted = [one for one in assets if one.partitions_def is not None]
    run = [one for one in assets if one.partitions_def is None]
    told = [f"`{named(key)}` has partitions" for one in parted for key in one.keys]
    found: dict[str, Any] = {}
    if run:
        resources = {"io_manager": framework.mem_io_manager, **(defs.resources or {})}
        made = framework.materialize([*run, *(one for one in defs.assets if one not in assets)], resources=resources)
        for key in (key for one in run for key in one.keys):
            try:
                found[f"asset {named(key)}"] = plain(made.asset_value(key))
            except Exception as error:  # noqa: BLE001 - an asset that returned nothing, or a result of its own kind
                told.append(f"`{named(key)}` has no value ({type(error).__name__})")
    for job in defs.jobs or ():
        resolved = defs.resolve_job_def(job.name)
        if not assets_run_by(resolved):
            try:
                found |= outputs(resolved)
            except Exception as error:  # noqa: BLE001 - config that nobody gave, most likely
                told.append(f"job `{job.name}` isn't run: {type(error).__name__}")
    return found, told


def outputs(job: Any) -> dict[str, Any]:
    """Return what the ops and graphs of a job give."""
    done = job.execute_in_process()
    found: dict[str, Any] = {}
    for name, node in job.graph.node_dict.items():
        ports = (
            getattr(node.definition, "output_dict", None) or getattr(node.definition, "outs", None) or {"result": None}
        )
        for port in ports:
            try:
                found[f"job {job.name}: {name}.{port}"] = plain(done.output_for_node(name, port))
            except Exception:  # noqa: BLE001, S112 - an output that wasn't made is one that isn't compared
                continue
    return found


def plain(value: Any, depth: int = 0) -> Any:  # noqa: PLR0911 - a table
    """Return a value in types that another process knows: objects of the notebook's own classes as what they hold."""
    if value is None or isinstance(value, bool | int | float | complex | str | bytes):
        return value
    if depth > DEEPEST:
        return ("deep", type(value).__name__)
    if type(value).__module__.partition(".")[0] in FOREIGN:
        return value
    if isinstance(value, Mapping):
        return ("mapping", [(plain(key, depth + 1), plain(one, depth + 1)) for key, one in value.items()])
    if isinstance(value, list | tuple):
        return [plain(one, depth + 1) for one in value]
    if isinstance(value, set | frozenset):
        return ("set", sorted((plain(one, depth + 1) for one in value), key=repr))
    if isinstance(getattr(value, "__dict__", None), dict) and not callable(value):
        inside = sorted(vars(value).items())
        return ("object", type(value).__name__, [(name, plain(one, depth + 1)) for name, one in inside])
    return ("object", type(value).__name__, [])


# -- the program -------------------------------------------------------------------------------------------------------


def main(order: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a module defines and makes, or what went wrong."""
    sys.path[:0] = order["path"]
    framework = importlib.import_module(order["framework"])
    found: dict[str, Any] = {}
    try:
        found["step"] = "import"
        defs = importlib.import_module(order["module"]).defs
        found["step"] = "load"
        framework.Definitions.validate_loadable(defs)
        found["facts"] = facts(defs)
        if order["run"]:
            found["step"] = "run"
            found["values"], found["told"] = values(framework, defs)
    except BaseException as error:  # noqa: BLE001 - whatever a module may raise is the answer
        root = error.__cause__ if found["step"] == "run" and error.__cause__ is not None else error
        last = traceback.extract_tb(root.__traceback__)
        lines = [(frame.filename, frame.lineno) for frame in last if frame.filename.startswith(tuple(order["path"]))]
        found["error"] = f"{type(root).__name__}: {root}".strip().rstrip(":")
        found["at"] = lines[-1] if lines else None
        found["text"] = Path(lines[-1][0]).read_text(encoding="utf-8") if lines else ""
    return found


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    answer = main(json.loads(sys.argv[1]))
    try:
        content = pickle.dumps(answer)
    except Exception:  # noqa: BLE001 - a value that can't leave its process
        answer["values"] = {name: repr(value) for name, value in answer["values"].items()}
        content = pickle.dumps(answer)
    Path(sys.argv[2]).write_bytes(content)
