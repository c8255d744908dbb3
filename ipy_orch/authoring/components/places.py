"""Places in a defs folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = ["ComponentPath"]


@dataclass(frozen=True)
class ComponentPath:
    """Be the place of a component: a file or folder, and which one of those that it holds.

    Args:
        instance_key: the number of the YAML's document, or the name of the function.
    """

    file_path: Path
    instance_key: str | int | None = None

    @staticmethod
    def from_path(path: Path, instance_key: str | int | None = None) -> ComponentPath:
        """Return the place of a path."""
        return ComponentPath(path, instance_key)

    @staticmethod
    def from_resolvable(root: Path, place: Any) -> ComponentPath:
        """Return a place of what names one: a place, an absolute path, or one from the root.

        >>> ComponentPath.from_resolvable(Path("/defs"), "sales[1]")
        ComponentPath(file_path=PosixPath('/defs/sales'), instance_key=1)
        """
        if isinstance(place, ComponentPath):
            return place
        text, bracket, rest = str(place).partition("[")
        key: str | int | None = rest.rstrip("]") if bracket else None
        if isinstance(key, str) and key.isdigit():
            key = int(key)
        path = Path(text)
        return ComponentPath(path if path.is_absolute() else root / path, key)

    def without_instance_key(self) -> ComponentPath:
        """Return the place of the file or folder."""
        return ComponentPath(self.file_path)

    def shown(self, root: Path) -> str:
        """Return it from the root, for messages."""
        path = self.file_path
        text = path.relative_to(root).as_posix() if path.is_relative_to(root) else path.as_posix()
        return text if self.instance_key is None else f"{text}[{self.instance_key}]"
