"""Files to begin with: what `scaffold_component` writes for a component type."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Generic, Literal, TypeVar

import yaml
from pydantic import BaseModel

from ipy_orch.errors import DagsterInvariantViolationError

__all__ = ["ScaffoldRequest", "Scaffolder", "scaffold_component", "scaffold_with", "scaffolder_of"]

P = TypeVar("P")
T = TypeVar("T", bound=type)
SCAFFOLDER: Final = "__scaffolder__"


class NoParameters(BaseModel):
    """Take no parameters."""


@dataclass(frozen=True)
class ScaffoldRequest(Generic[P]):
    """Ask for the files of a component.

    Args:
        type_name: of the component, in full.
        target_path: the folder.
        params: of the scaffolder.
        append: whether a YAML that is there gets one more document.
    """

    type_name: str
    target_path: Path
    scaffold_format: Literal["yaml", "python"]
    project_root: Path | None
    params: P
    append: bool = False


class Scaffolder(Generic[P]):
    """Write the files that a component begins with."""

    @classmethod
    def get_scaffold_params(cls) -> type[BaseModel]:
        """Return the model of its parameters."""
        return NoParameters

    def scaffold(self, request: ScaffoldRequest[P]) -> None:
        """Write the files: a ``defs.yaml`` with the type, by default."""
        scaffold_component(request, {})


def scaffold_with(scaffolder_cls: type[Scaffolder[Any]]) -> Callable[[T], T]:
    """Name the scaffolder of a component type."""

    def decorate(cls: T) -> T:
        setattr(cls, SCAFFOLDER, scaffolder_cls)
        return cls

    return decorate


def scaffolder_of(cls: type) -> Scaffolder[Any]:
    """Return the scaffolder of a component type."""
    made: Scaffolder[Any] = getattr(cls, SCAFFOLDER, Scaffolder)()
    return made


def scaffold_component(request: ScaffoldRequest[Any], yaml_attributes: Mapping[str, Any] | None = None) -> None:
    """Write a ``defs.yaml`` with the type and its attributes, or a ``component.py`` that returns the component.

    Raises:
        DagsterInvariantViolationError: when attributes are given for Python.
    """
    request.target_path.mkdir(parents=True, exist_ok=True)
    if request.scaffold_format == "python":
        if yaml_attributes:
            raise DagsterInvariantViolationError("attributes are written in YAML, and Python was asked for")
        module, _, name = request.type_name.rpartition(".")
        (request.target_path / "component.py").write_text(PYTHON.format(module=module, name=name), encoding="utf-8")
        return
    written = {"type": request.type_name, "attributes": dict(yaml_attributes or {})}
    text = yaml.safe_dump(written, sort_keys=False)
    file = request.target_path / "defs.yaml"
    if request.append and file.is_file():
        text = f"{file.read_text(encoding='utf-8').rstrip()}\n---\n{text}"
    file.write_text(text, encoding="utf-8")


PYTHON: Final = """\
from ipy_orch import ComponentLoadContext, component_instance
from {module} import {name}


@component_instance
def load(context: ComponentLoadContext) -> {name}:
    return {name}()
"""
