"""What a module defines and makes, as plain data: asked in a process of its own, for ipy_orch as for dagster.

This file is also the program of that process, so it imports nothing but Python itself:

    python -P -c <this text> '{"framework": "dagster", "module": "definitions", "path": [...], "run": false}' OUT

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
DRAWN = ("altair", "bokeh", "holoviews", "matplotlib", "plotly", "seaborn")
"""Plots hold ids and whole canvases: that there is one is all that is compared."""
DEEPEST = 12
MOST = 50_000
PACKAGES = "site-packages"


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


def values(framework: Any, defs: Any, order: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Return the values that a clean process makes of assets and of all jobs of ops, and what isn't run.

    Args:
        order: ``rounds``, each a partition or None and the assets that are materialized together, and ``dynamic``,
            the keys of dynamic partitions by name.
    """
    assets = defs.assets or ()
    keys = {named(key): key for one in assets if getattr(one, "is_executable", False) for key in one.keys}
    instance = framework.DagsterInstance.ephemeral()
    for name, those in order["dynamic"].items():
        instance.add_dynamic_partitions(name, those)
    resources = {"io_manager": shelf(framework), **(defs.resources or {})}
    found: dict[str, Any] = {}
    told: list[str] = []
    for partition, names in order["rounds"]:
        chosen = [keys[name] for name in names]
        made = framework.materialize(
            assets, selection=chosen, partition_key=partition, instance=instance, resources=resources
        )
        for name in names:
            try:
                found[place(name, partition)] = plain(made.asset_value(keys[name]))
            except Exception as error:  # noqa: BLE001 - an asset that returned nothing, or a result of its own kind
                told.append(f"`{name}` has no value ({type(error).__name__})")
    for job in defs.jobs or ():
        resolved = defs.resolve_job_def(job.name)
        if not assets_run_by(resolved):
            try:
                found |= outputs(resolved)
            except Exception as error:  # noqa: BLE001 - config that nobody gave, most likely
                told.append(f"job `{job.name}` isn't run: {type(error).__name__}")
    return found, [*dict.fromkeys(told)]


def place(name: str, partition: str | None) -> str:
    """Return what the value of an asset, or of one of its partitions, is called."""
    return f"asset {name}" if partition is None else f"asset {name}[{partition}]"


def shelf(framework: Any) -> Any:
    """Return an IO manager that keeps values from run to run, each reader a copy of its own, as files would."""

    class Shelf(framework.IOManager):  # type: ignore[name-defined, misc, unused-ignore]
        def __init__(self) -> None:
            self.kept: dict[Any, tuple[bool, Any]] = {}

        def handle_output(self, context: Any, obj: Any) -> None:
            where = (tuple(context.asset_key.path), of_run(context)) if context.has_asset_key else of_op(context)
            try:
                self.kept[where] = (True, pickle.dumps(obj))
            except Exception:  # noqa: BLE001 - what can't be pickled is handed on as it is
                self.kept[where] = (False, obj)

        def load_input(self, context: Any) -> Any:
            above = context.upstream_output
            if context.has_asset_key:
                path = tuple(context.asset_key.path)
                if not context.has_asset_partitions:
                    return self.load((path, None))
                values = {one: self.load((path, str(one))) for one in context.asset_partition_keys}
                return values if len(values) != 1 else next(iter(values.values()))
            return self.load((tuple(above.asset_key.path), of_run(above)) if above.has_asset_key else of_op(above))

        def load(self, where: Any) -> Any:
            pickled, value = self.kept[where]
            return pickle.loads(value) if pickled else value

    return Shelf()


def of_run(context: Any) -> str | None:
    """Return the partition that an output of an asset is for."""
    return str(context.asset_partition_key) if context.has_asset_partitions else None


def of_op(context: Any) -> tuple[Any, ...]:
    """Return what tells the output of an op from all others."""
    return tuple(context.get_identifier())


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


def plain(value: Any) -> Any:
    """Return a value in types that another process knows: objects of the notebook's own classes as what they hold."""
    return flat(value, (), [MOST])


def flat(value: Any, around: tuple[int, ...], left: list[int]) -> Any:  # noqa: PLR0911 - a table
    """Return a part of a value; what holds itself, and what is too deep or too much, is told by its type.

    Args:
        around: the ids of what holds the part.
        left: how many parts may follow.
    """
    if value is None or isinstance(value, bool | int | float | complex | str | bytes):
        return value
    package = type(value).__module__.partition(".")[0]
    if package in FOREIGN:
        return value
    left[0] -= 1
    if package in DRAWN or len(around) > DEEPEST or id(value) in around or left[0] < 0:
        return ("object", type(value).__name__)
    inner = (*around, id(value))
    if isinstance(value, Mapping):
        return ("mapping", [(flat(key, inner, left), flat(one, inner, left)) for key, one in value.items()])
    if isinstance(value, list | tuple):
        return [flat(one, inner, left) for one in value]
    if isinstance(value, set | frozenset):
        return ("set", sorted((flat(one, inner, left) for one in value), key=repr))
    if isinstance(getattr(value, "__dict__", None), dict) and not callable(value):
        inside = sorted(vars(value).items())
        return ("object", type(value).__name__, [(name, flat(one, inner, left)) for name, one in inside])
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
            found["values"], found["told"] = values(framework, defs, order)
    except BaseException as error:  # noqa: BLE001 - whatever a module may raise is the answer
        root = error.__cause__ if found["step"] == "run" and error.__cause__ is not None else error
        last = traceback.extract_tb(root.__traceback__)
        own = [one for one in last if one.filename.startswith(tuple(order["path"])) and PACKAGES not in one.filename]
        lines = [(one.filename, one.lineno) for one in own]
        found["error"] = f"{type(root).__name__}: {root}".strip().rstrip(":")
        cause = f"{error.__cause__ or ''}".partition("\n")[0]
        found["error"] += f": {cause}" if cause and cause not in found["error"] else ""
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
