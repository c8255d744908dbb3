"""Components that run something for their assets and checks: a function, a Python script, a script under uv."""

from __future__ import annotations

import importlib
import os
import shlex
import shutil
import subprocess
import sys
from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from ipy_orch.authoring.assets import define_multi_asset
from ipy_orch.authoring.checks import define_multi_check
from ipy_orch.authoring.components.component import Component
from ipy_orch.authoring.components.context import ResolutionContext
from ipy_orch.authoring.components.resolvable import Resolvable
from ipy_orch.authoring.components.resolver import Model, Resolver
from ipy_orch.authoring.components.specs import OpSpec, ResolvedAssetCheckSpec, ResolvedAssetSpec
from ipy_orch.authoring.signature import read_signature
from ipy_orch.errors import DagsterInvalidDefinitionError, DagsterInvariantViolationError, ResolutionException
from ipy_orch.model.assets import AssetsDefinition
from ipy_orch.model.definitions import Definitions
from ipy_orch.model.ops import Signature
from ipy_orch.model.policies import Failure

if TYPE_CHECKING:
    from ipy_orch.authoring.components.load_contexts import ComponentLoadContext

__all__ = [
    "ExecutableComponent",
    "FunctionComponent",
    "FunctionSpec",
    "PythonScriptComponent",
    "ScriptSpec",
    "UvRunComponent",
]


class ExecutableComponent(Component, Model, Resolvable):
    """Make assets and checks by running one thing.

    Args:
        assets: that it makes.
        checks: that it makes; without `assets` they are of assets that others make.
    """

    assets: list[ResolvedAssetSpec] | None = None
    checks: list[ResolvedAssetCheckSpec] | None = None

    @property
    @abstractmethod
    def op_spec(self) -> OpSpec:
        """Return what is said of the op."""

    @abstractmethod
    def function(self, component_load_context: ComponentLoadContext) -> Callable[..., Any]:
        """Return the function that runs; its parameters are those of an asset's."""

    @cached_property
    def resource_keys(self) -> set[str]:
        """Return the resources that it needs."""
        return set()

    def build_underlying_assets_def(self, component_load_context: ComponentLoadContext) -> AssetsDefinition:
        """Return the definition of the assets and checks.

        Raises:
            DagsterInvalidDefinitionError: when there are neither.
        """
        about, function = self.op_spec, self.function(component_load_context)
        said: dict[str, Any] = {
            "name": about.name or getattr(function, "__name__", None) or type(self).__name__,
            "description": about.description,
            "op_tags": about.tags,
            "pool": about.pool,
            "required_resource_keys": self.resource_keys,
        }
        if self.assets:
            return define_multi_asset(
                function,
                specs=self.assets,
                check_specs=self.checks,
                backfill_policy=about.backfill_policy,
                **said,
            )
        if self.checks:
            return define_multi_check(function, specs=self.checks, **said)
        raise DagsterInvalidDefinitionError(
            f"`{type(self).__name__}` has neither assets nor checks", hint="assets: [{key: NAME}]"
        )

    def build_defs(self, context: ComponentLoadContext) -> Definitions:
        """Return the definitions."""
        made = self.build_underlying_assets_def(context)
        return Definitions([made]) if self.assets else Definitions(asset_checks=[made])


# -- functions --------------------------------------------------------------------------------------------------------


def named_function(context: ResolutionContext, written: str) -> Callable[..., Any]:
    """Return the function of a name: ``module.function``, or ``.module.function`` from the defs folder.

    Raises:
        ResolutionException: when there's none.
    """
    load_context: Any = context.scope.get("context")
    name = written
    if written.startswith("."):
        if load_context is None:
            raise ResolutionException(f"`{written}` is relative, and there is no folder that it could be from")
        name = f"{load_context.defs_module_name}{written}"
        here = load_context.normalize_component_type_str(written)
        if not is_module(name.rpartition(".")[0]) and is_module(here.rpartition(".")[0]):
            name = here
    home, _, last = name.rpartition(".")
    if not home or not is_module(home):
        told = f"there is no module `{home or written}`"
        raise ResolutionException(told, hint="package.module.function, or `.module.function` from the folder")
    found = getattr(importlib.import_module(home), last, None)
    if not callable(found):
        raise ResolutionException(f"module `{home}` has no function `{last}`")
    return found  # type: ignore[no-any-return]  # a variable of a module


def is_module(name: str) -> bool:
    """Tell whether a module can be imported; an error inside it is its own."""
    try:
        importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{name}.".startswith(f"{error.name}."):
            raise
        return False
    return True


ResolvedCallable = Annotated[
    Callable[..., Any], Resolver(named_function, model_field_type=str, description="The function, `module.name`.")
]


class FunctionSpec(OpSpec):
    """Be what is written of a function that runs."""

    type: Literal["function"] = "function"
    fn: ResolvedCallable


class FunctionComponent(ExecutableComponent):
    """Make assets and checks by a function.

    Args:
        execution: the function, or what is said of it.
    """

    execution: FunctionSpec | ResolvedCallable

    @property
    def op_spec(self) -> OpSpec:
        """Return what is said of the op."""
        return self.execution if isinstance(self.execution, FunctionSpec) else OpSpec()

    def function(self, component_load_context: ComponentLoadContext) -> Callable[..., Any]:  # noqa: ARG002
        """Return the function.

        Raises:
            DagsterInvalidDefinitionError: when a parameter is neither context, config nor a resource.
        """
        found = self.execution.fn if isinstance(self.execution, FunctionSpec) else self.execution
        extra = self.signature_of(found).inputs
        if extra:
            told = f"`{getattr(found, '__name__', found)}` takes `{extra[0]}`, neither context, config nor a resource"
            raise DagsterInvalidDefinitionError(told, hint=f"{extra[0]}: ResourceParam[...]")
        return found

    def signature_of(self, function: Callable[..., Any]) -> Signature:
        """Return how the function is called."""
        return read_signature(function, what=f"`{getattr(function, '__name__', function)}`")


# -- scripts ----------------------------------------------------------------------------------------------------------


class ScriptSpec(OpSpec):
    """Be what is written of a script that runs."""

    type: Literal["script"] = "script"
    path: str
    args: list[str] | str | None = None

    @staticmethod
    def with_script_stem_as_default_name(script_runner_exe: ScriptSpec) -> ScriptSpec:
        """Return it named like its file, where it has no name."""
        name = script_runner_exe.name or Path(script_runner_exe.path).stem
        return script_runner_exe.model_copy(update={"name": name})

    @property
    def arguments(self) -> list[str]:
        """Return what follows the script in its command."""
        return shlex.split(self.args) if isinstance(self.args, str) else [*(self.args or ())]


class PythonScriptComponent(ExecutableComponent):
    """Make assets and checks by a Python script, which runs in a process of its own.

    What it prints is shown as the step's output; it fails where the script does. The script stores what it makes.

    Args:
        execution: the script, from the folder of the YAML, and its arguments.
    """

    execution: ScriptSpec

    @property
    def op_spec(self) -> OpSpec:
        """Return what is said of the op, named like the script by default."""
        return ScriptSpec.with_script_stem_as_default_name(self.execution)

    def command(self, script: str) -> list[str]:
        """Return the command that runs the script."""
        return [sys.executable, script]

    def function(self, component_load_context: ComponentLoadContext) -> Callable[..., Any]:
        """Return the function that runs the script."""
        folder = component_load_context.path
        script = (folder if folder.is_dir() else folder.parent) / self.execution.path

        def run_script(context: Any) -> None:
            if not script.is_file():
                raise Failure(f"there is no script `{script.name}` in `{script.parent}`")
            command = [*self.command(script.name), *self.execution.arguments]
            run_in_process(command, script.parent, {"DAGSTER_RUN_ID": str(context.run_id)})

        return run_script


class UvRunComponent(PythonScriptComponent):
    """Make assets and checks by a Python script under ``uv run``, which brings what the script's header asks for."""

    def command(self, script: str) -> list[str]:
        """Return the command that runs the script.

        Raises:
            DagsterInvariantViolationError: when uv isn't installed.
        """
        uv = shutil.which("uv")
        if uv is None:
            raise DagsterInvariantViolationError("`uv` isn't installed", hint="pip install uv")
        return [uv, "run", "--script", script]


def run_in_process(command: list[str], folder: Path, env: Mapping[str, str] | None = None) -> None:
    """Run a command; what it prints goes to stdout line by line.

    Raises:
        Failure: when it fails, with its last lines.
    """
    last: list[str] = []
    for line in lines_of(command, folder, {**os.environ, **(env or {})}, last):
        print(line)  # noqa: T201 - it's the step's output, which the engine captures
    if last and last[0] != "0":
        raise Failure(f"`{shlex.join(command[-1:])}` ended with exit status {last[0]}")


def lines_of(command: list[str], folder: Path, env: Mapping[str, str], status: list[str]) -> Iterator[str]:
    """Yield the lines that a command prints; its exit status is put into ``status``."""
    with subprocess.Popen(  # noqa: S603 - the component's own script
        command, cwd=folder, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, encoding="utf-8"
    ) as process:
        assert process.stdout is not None
        try:
            for line in process.stdout:
                yield line.rstrip("\n")
        except BaseException:
            process.kill()
            raise
    status.append(str(process.returncode))
