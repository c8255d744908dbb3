"""The proof of an export: a clean process imports what was written, and finds what the notebook defines and makes."""

from __future__ import annotations

import importlib.util
import inspect
import json
import os
import pickle
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ipy_orch.errors import DagsterInvalidDefinitionError
from ipy_orch.export.deployments import VARIABLE
from ipy_orch.export.edits import parts_of
from ipy_orch.export.module import Module
from ipy_orch.export.proof import facts as program
from ipy_orch.export.proof.comparing import difference
from ipy_orch.export.proof.rounds import Rehearsal
from ipy_orch.model.env import redact
from ipy_orch.session.scan import Scanned

__all__ = ["Asked", "Staged", "prove"]

SECONDS: Final = 600
# What ipy_orch can and Dagster can't, and what isn't set, as errors say it; and what to do.
BEYOND: Final = (
    (
        re.compile(r"Unable to resolve config type <class '(?:\w+\.)*(\w+)'>"),
        "Dagster has no field of type {}: annotate it `str`, and give it EnvVar(NAME)",
    ),
    (
        re.compile(r'Value "(\w+)" is wrapped with EnvVar\(\)'),
        "Dagster's configure_at_launch takes no EnvVar in a list or a dict: give {} a field of its own",
    ),
    (
        re.compile(r'environment variable [`"](\w+)[`"] (?:which is not|isn\'t) set'),
        "set {} in the shell, or the kernel, from which you export: what a cell sets isn't in the module",
    ),
)
WORDS: Final = {"reads": "reads", "group": "is in group", "partitions": "has partitions"}


@dataclass(frozen=True)
class Staged:
    """Be an export that lies in a folder of its own, and isn't in its place yet.

    Args:
        root: the folder from which it is imported.
        module: the dotted name of what holds ``defs``.
    """

    root: Path
    module: str


@dataclass(frozen=True)
class Asked:
    """Say what is to be proven.

    Args:
        folders: where the notebook finds its own modules.
        values: makes the notebook's values; None where they aren't compared.
        late: whether that takes long: the module is loaded first, then.
    """

    folders: tuple[Path, ...] = ()
    values: Callable[[], Rehearsal] | None = None
    late: bool = False


def prove(staged: Staged, module: Module, asked: Asked) -> list[str]:
    """Prove an export, and return what couldn't be.

    Raises:
        DagsterInvalidDefinitionError: when the process finds something else, naming the cell.
    """
    if sys.platform in {"emscripten", "wasi"}:
        return ["a browser has no processes, so nothing has loaded the module yet"]
    if module.target == "dagster" and importlib.util.find_spec("dagster") is None:
        if asked.values is not None:
            told = "dagster isn't installed here, so nothing can be verified"
            raise DagsterInvalidDefinitionError(told, hint="pip install dagster, or export without `--verify`")
        return ["dagster isn't installed here, so nothing has loaded the module yet"]
    if asked.values is None or asked.late:
        checked(asked_of(staged, module, asked.folders), module)
    if asked.values is None:
        return []
    made = asked.values()
    order = {"rounds": made.rounds, "dynamic": made.dynamic}
    answer = checked(asked_of(staged, module, asked.folders, order), module)
    compare_values(made.values, answer["values"], module)
    return [*made.told, *(f"not compared: {one}" for one in answer["told"])]


def checked(answer: Mapping[str, Any], module: Module) -> Mapping[str, Any]:
    """Return what a clean process says of a module that defines what the notebook does.

    Raises:
        DagsterInvalidDefinitionError: for another one, or one that fails.
    """
    if "error" in answer:
        raise failed(answer, module)
    compare_facts(program.facts(module.scanned.as_definitions()), answer["facts"], module)
    return answer


def asked_of(
    staged: Staged, module: Module, folders: tuple[Path, ...], run: Mapping[str, Any] | None = None
) -> Mapping[str, Any]:
    """Return what a clean process says of a module, in the environment that is in use here.

    Args:
        run: what is materialized, see :func:`~ipy_orch.export.proof.facts.values`.

    Raises:
        DagsterInvalidDefinitionError: when it says nothing.
    """
    path = [str(staged.root), *map(str, folders)]
    told = {"framework": module.target, "module": staged.module, "path": path, "run": run is not None, **(run or {})}
    order = json.dumps(told)
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder, "answer")
        command = [sys.executable, "-P", "-c", inspect.getsource(program), order, str(out)]
        chosen = {VARIABLE: module.deployments.in_use} if module.deployments.written else {}
        environment = {**os.environ, **chosen, "DAGSTER_DISABLE_TELEMETRY": "yes", "PYTHONDONTWRITEBYTECODE": "1"}
        home = folders[0] if folders else staged.root
        done = subprocess.run(  # noqa: S603 - our own program
            command, cwd=home, env=environment, capture_output=True, text=True, check=False, timeout=SECONDS
        )
        if not out.is_file():
            last = done.stderr.strip().rpartition("\n")[2]
            what = f"the module can't be proven: the process that imports it ended with {done.returncode}"
            raise DagsterInvalidDefinitionError(what, hint=last or "try to import it")
        found: Mapping[str, Any] = pickle.loads(out.read_bytes())
        return found


def failed(answer: Mapping[str, Any], module: Module) -> DagsterInvalidDefinitionError:
    """Return the error for a module that can't be imported, loaded or run."""
    what = {"import": "can't be imported", "load": f"isn't valid for {module.target}", "run": "fails"}[answer["step"]]
    where = ""
    if answer["at"]:
        name, line = answer["at"]
        where = cell_at(answer["text"], Path(name).name, line, module)
    error, _, own = answer["error"].partition("\n  hint: ")  # as an error of ours is told
    error = re.split(r"\n(?:\S+: .*\n)?Stack Trace:", error)[0]
    told = f"in a clean process the module {what}: {' '.join(error.split())}"
    return DagsterInvalidDefinitionError(told, where=where, hint=hint_for(answer, own.partition("\n")[0]))


def hint_for(answer: Mapping[str, Any], own: str) -> str:
    """Return what to do about a module that fails in a clean process.

    Args:
        own: the hint of the error itself.
    """
    for pattern, hint in BEYOND:
        if named := pattern.search(answer["error"]):
            return hint.format(named[1])
    if own:
        return own
    if answer["step"] != "import":
        return "correct the cell, then export again"
    return "what it needs is in this kernel only: import it, or define it, in a cell"


def cell_at(text: str, name: str, line: int, module: Module) -> str:
    """Return the cell of a line of a module, and the line."""
    parts = {module.part(piece): piece.label for piece in module.pieces}
    above = [one for one in parts_of(text) if one.line <= line]
    told = f"line {line} of `{name}`"
    return f"{parts[above[-1].part]}, {told}" if above and above[-1].part in parts else told


# -- the graph ---------------------------------------------------------------------------------------------------------


def compare_facts(own: Mapping[str, Any], found: Mapping[str, Any], module: Module) -> None:
    """Refuse a module that defines something else than the notebook.

    Raises:
        DagsterInvalidDefinitionError: naming the first difference, and its cell.
    """
    for key in sorted({*own["assets"], *found["assets"]}):
        here, there = own["assets"].get(key), found["assets"].get(key)
        if here is None or there is None:
            only = "notebook" if there is None else "module"
            raise unlike(f"the {only} alone defines asset `{key}`", cell_of_asset(key, module.scanned))
        for word in WORDS:
            if here[word] != there[word]:
                both = f"{said(here[word])} in the notebook and {said(there[word])} in the module"
                raise unlike(f"asset `{key}` {WORDS[word]} {both}", cell_of_asset(key, module.scanned))
    for kind in ("checks", "jobs", "schedules", "sensors"):
        for name in sorted({*own[kind]} ^ {*found[kind]}):
            only = "notebook" if name in own[kind] else "module"
            raise unlike(
                f"the {only} alone defines {kind.removesuffix('s')} `{name}`", cell_named(name, module.scanned)
            )
    for name, here in own["jobs"].items():
        if here != found["jobs"][name]:
            told = f"job `{name}` runs {said(here)} in the notebook and {said(found['jobs'][name])} in the module"
            raise unlike(told, cell_named(name, module.scanned))


def unlike(told: str, where: str) -> DagsterInvalidDefinitionError:
    """Return the error for a module that isn't the notebook."""
    hint = "run the notebook from top to bottom, then export"
    return DagsterInvalidDefinitionError(f"the module isn't the notebook: {told}", where=where, hint=hint)


def said(value: Any) -> str:
    """Return a fact in words.

    >>> said(["a", "b"]), said([]), said("raw")
    ('`a`, `b`', 'nothing', '`raw`')
    """
    names = value if isinstance(value, list) else [value] if value else []
    return ", ".join(f"`{one}`" for one in names) or "nothing"


def cell_of_asset(key: str, scanned: Scanned) -> str:
    """Return the cell of an asset."""
    found = (cell.label for one, cell in scanned.cells.items() if key in map(program.named, one.keys))
    return next(found, "")


def cell_named(name: str, scanned: Scanned) -> str:
    """Return the cell of a job, or of a check."""
    if (job := scanned.places_of_jobs.get(name)) is not None:
        return job.cell.label if job.cell is not None else ""
    checks = ((check, cell) for one, cell in scanned.cells.items() for check in one.check_keys)
    return next((c.label for check, c in checks if f"{program.named(check.asset_key)}:{check.name}" == name), "")


# -- the values --------------------------------------------------------------------------------------------------------


def compare_values(own: Mapping[str, Any], found: Mapping[str, Any], module: Module) -> None:
    """Refuse a module that makes something else than the notebook.

    Raises:
        DagsterInvalidDefinitionError: naming the first difference, and its cell.
    """
    for name, here in own.items():
        if name in found and (told := difference(here, found[name])):
            kind, _, key = name.partition(" ")
            where = (
                cell_of_asset(key.partition("[")[0], module.scanned)
                if kind == "asset"
                else cell_named(key.partition(":")[0], module.scanned)
            )
            raise DagsterInvalidDefinitionError(
                redact(f"the module makes another value than the notebook of {kind} `{key}`: {told}"),
                where=where,
                hint="a value that isn't the same twice (time, chance) can't be verified; else restart and run all",
            )
