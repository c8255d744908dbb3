"""Stand in front of a method of one object, and step aside again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

__all__ = ["Patch"]


class Patch:
    """Have calls of ``owner.name(...)`` made as ``function(behind, ...)``, where ``behind`` is what was there.

    Removing it restores the object; where somebody else has stood in front since, it only lets everything through.

    >>> class Bell:
    ...     def ring(self): return "ding"
    >>> bell = Bell()
    >>> patch = Patch(bell, "ring", lambda behind: behind() * 2)
    >>> bell.ring()
    'dingding'
    >>> patch.remove()
    >>> bell.ring(), vars(bell)
    ('ding', {})
    """

    def __init__(self, owner: Any, name: str, function: Callable[..., Any]) -> None:
        self.owner, self.name, self.function = owner, name, function
        self.had_own = name in vars(owner)
        self.behind = getattr(owner, name)
        self.active = True
        self.front = self.call
        setattr(owner, name, self.front)

    def call(self, *args: Any, **kwargs: Any) -> Any:
        """Call the function, or what is behind once removed."""
        if not self.active:
            return self.behind(*args, **kwargs)
        return self.function(self.behind, *args, **kwargs)

    def remove(self) -> None:
        """Step aside."""
        self.active = False
        if vars(self.owner).get(self.name) is not self.front:
            return
        if self.had_own:
            setattr(self.owner, self.name, self.behind)
        else:
            delattr(self.owner, self.name)
