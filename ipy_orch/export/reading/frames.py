"""The names that a piece of code sees while it is read."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from ipy_orch.export.reading.trusted import BUILTINS
from ipy_orch.export.reading.unknown import TooLong, Unknown

__all__ = ["Frame", "World"]

STEPS: Final = 200_000


@dataclass
class World:
    """Be what all frames of one notebook share.

    Args:
        folder: where local modules are looked for; None looks for none.
        modules: local modules that were read.
        left: how many more steps may be taken: a notebook that computes for long is not read to its end.
    """

    folder: Path | None = None
    modules: dict[str, Any] = field(default_factory=dict)
    left: int = STEPS

    def step(self) -> None:
        """Count a step.

        Raises:
            TooLong: when there were too many.
        """
        self.left -= 1
        if self.left < 0:
            raise TooLong


@dataclass
class Frame:
    """Be the names of a module, class or function that is read.

    Args:
        outer: the frame of the function around, None for that of a module.
        filename: of the code, so that definitions are known by their cells.
        module: the name of the module.
        future: whether annotations are strings.
    """

    world: World
    names: MutableMapping[str, Any]
    top: MutableMapping[str, Any]
    outer: Frame | None = None
    filename: str = "<cell>"
    module: str = "__main__"
    is_class: bool = False
    declared: Mapping[str, Frame] = field(default_factory=dict)

    def get(self, name: str) -> Any:
        """Return what a name is, something unknown where that isn't told."""
        if name in self.declared:
            return self.declared[name].get(name)
        frame: Frame | None = self
        while frame is not None:
            if (frame is self or not frame.is_class) and name in frame.names:
                return frame.names[name]
            frame = frame.outer
        if name in self.top:
            return self.top[name]
        return BUILTINS.get(name, Unknown(name))

    def set(self, name: str, value: Any) -> None:
        """Bind a name."""
        self.declared.get(name, self).names[name] = value

    def declare(self, name: str, *, is_global: bool) -> None:
        """Have a name be that of an outer frame."""
        frame = self.outer
        while (
            frame is not None and (is_global or frame.is_class or name not in frame.names) and frame.outer is not None
        ):
            frame = frame.outer
        if frame is not None:
            self.declared = {**self.declared, name: frame}

    def inside(self, names: MutableMapping[str, Any], *, is_class: bool = False) -> Frame:
        """Return the frame of a function or class that is read in this one."""
        return Frame(self.world, names, self.top, self, self.filename, self.module, is_class)
