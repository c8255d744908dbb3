"""What is followed into its source, what counts by name, and how values that hold functions are hashed."""

from __future__ import annotations

import functools
import sys
import types
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from ipy_orch.events.types import Part
from ipy_orch.planning.code import anatomy as anatomies
from ipy_orch.planning.code.anatomy import Anatomy, Child, ModuleName, Opaque
from ipy_orch.planning.code.classes import of_class, of_config_class
from ipy_orch.planning.code.modules import is_installed_function, is_local_class, is_local_module
from ipy_orch.planning.hashing.hashing import Digester, Unhashable, digest, short

__all__ = ["Following", "OnObject"]

OnObject = Callable[[str, Any], "Part | None"]
"""Asked about each object that code reads by a name: the part it becomes, or None for the usual."""

_SINGLEDISPATCH = functools.singledispatch.__code__.co_filename


class Following:
    """Take functions, classes and modules apart, and digest values with those inside; remember all of it.

    Args:
        on_object: is asked about each named object first.
        pins: the version of each installed package that counts.
    """

    def __init__(self, on_object: OnObject | None, pins: Mapping[str, str]) -> None:
        self._on_object = on_object
        self._pins = dict(pins)
        self._anatomies: dict[int, tuple[object, Anatomy | None]] = {}
        self._texts: dict[str, Anatomy | str] = {}
        self._values: dict[int, tuple[object, str, str, list[object]]] = {}
        self._digester = Digester(self._follow)
        self._met: dict[int, object] = {}

    def answer(self, child: Child) -> Part | None:
        """Return what the session makes of a named object."""
        return self._on_object(child.asked, child.value) if self._on_object is not None and child.asked else None

    # Functions, classes and modules

    def anatomy(self, value: Any) -> Anatomy | None:
        """Return what a function, class or module is made of, or None if it counts by name or is something else."""
        known = self._anatomies.get(id(value))
        if known is None:
            known = self._anatomies[id(value)] = value, self._dissected(value)
        return known[1]

    def _dissected(self, value: Any) -> Anatomy | None:
        if isinstance(value, types.FunctionType):
            return self._wrapper(value) if is_installed_function(value) else anatomies.of_function(value)
        if issubclass(type(value), type):
            return self._class(value, of_class(value)) if is_local_class(value) else None
        if isinstance(value, types.ModuleType):
            return anatomies.of_module(value) if is_local_module(value) else None
        return None

    def config_class(self, cls: type) -> Anatomy:
        """Return what a class of the user's own, which config fills, is made of; its defaults count as config."""
        return self._class(cls, of_config_class(cls))

    def _class(self, cls: type, anatomy: Anatomy) -> Anatomy:
        """Return the anatomy of a class whose text names bases, metaclass, and functions that aren't the user's."""
        foreign = [each for each in anatomy.children if self._is_foreign(each.value)]
        anatomy.text += "".join(f"\n    {each.name} = {self.label(each.value)}" for each in foreign)
        bases = ", ".join(self.label(base) for base in cls.__bases__)
        kind = "" if type(cls) is type else f", metaclass={self.label(type(cls))}"
        anatomy.text = f"class {anatomy.name}({bases}{kind}):\n{anatomy.text}"
        anatomy.digest = digest(anatomy.text)
        left_out = {id(each) for each in foreign}
        anatomy.children = [each for each in anatomy.children if id(each) not in left_out]
        return anatomy

    def _is_foreign(self, value: object) -> bool:
        """Tell whether a base, metaclass or method counts by its name."""
        if isinstance(value, types.FunctionType):
            return self.anatomy(value) is None
        return isinstance(value, type) and not is_local_class(value)

    def _wrapper(self, function: types.FunctionType) -> Anatomy | None:
        """Return the anatomy of a wrapper that a library put around functions of the user, if it is one."""
        cells = list(anatomies.held(function, "", frozenset()))
        code, registry = function.__code__, getattr(function, "registry", None)
        if code.co_filename == _SINGLEDISPATCH and isinstance(registry, Mapping):
            cells = [Child("closure", "registry", dict(registry))]
        elif not any(self._leads_to_user(cell.value) for cell in cells):
            return None
        name = f"{function.__globals__.get('__name__')}.{code.co_qualname}".replace("<locals>.", "")
        children = [Child(cell.kind, f"{name}.{cell.name}", cell.value) for cell in cells]
        return Anatomy(name, digest(name + self._pin(name)), name, children)

    def _leads_to_user(self, value: object) -> bool:
        _, inner = anatomies.peel(value)
        if isinstance(inner, types.MethodType):
            inner = inner.__func__
        if isinstance(inner, types.FunctionType):
            return not is_installed_function(inner) or self.anatomy(inner) is not None
        return is_local_class(inner if isinstance(inner, type) else type(inner))

    def text(self, name: str) -> Anatomy | str:
        """Return the anatomy of a module's source, or what to call the module if it counts by name."""
        if name not in self._texts:
            found = anatomies.of_text(name)
            self._texts[name] = found + self._pin(name) if isinstance(found, str) else found
        return self._texts[name]

    def label(self, value: Any) -> str:
        """Name a function, class or module, with its version where that is pinned."""
        if isinstance(value, types.ModuleType):
            return f"module {value.__name__}{self._pin(value.__name__)}"
        module = str(getattr(value, "__module__", None) or "")
        name = str(getattr(value, "__qualname__", value.__name__)).replace("<locals>.", "")
        return anatomies.prefix(module) + name + self._pin(module)

    def _pin(self, module: str) -> str:
        root = module.partition(".")[0]
        return f" {self._pins[root]}" if root in self._pins else ""

    # Values

    def value(self, value: object) -> tuple[str, str, list[object]]:
        """Return the digest of a value, a short text, and all functions and classes in it that are followed.

        Raises:
            Unhashable: it, or something in it, can't be followed.
        """
        known = self._values.get(id(value))
        if known is None:
            self._met = {}
            hashed = self._digester.digest(value)
            known = self._values[id(value)] = value, hashed, short(value), list(self._met.values())
        return known[1:]

    def _follow(self, value: Any) -> tuple[str, Sequence[object]]:
        """Tell the digester what a function, class or module inside of a value depends on."""
        anatomy = self.anatomy(value)
        if anatomy is None:
            if _is_compiled_here(value):
                raise Unhashable(f"`{self.label(value)}` is compiled: its source can't be followed")
            return self.label(value), ()
        if anatomy.missing:
            raise Unhashable(anatomy.missing)
        self._met[id(value)] = value
        children = [each for child in anatomy.children for each in (child.kind, child.name, self._stand_in(child))]
        return f"{anatomy.name} {anatomy.digest}", children

    def _stand_in(self, child: Child) -> object:
        part = self.answer(child)
        if part is not None:
            return part.kind, part.name, part.digest
        if isinstance(child.value, Opaque):
            raise Unhashable(child.value.reason)
        if isinstance(child.value, ModuleName):
            return sorted(self._imported(child.value.name))
        return child.value

    def _imported(self, name: str) -> Iterator[str]:
        """Yield name and digest of a module and of all local ones that it imports."""
        pending, seen = [name], {name}
        while pending:
            found = self.text(pending.pop())
            if isinstance(found, str):
                yield found
                continue
            if found.missing:
                raise Unhashable(found.missing)
            yield f"{found.name} {found.digest}"
            new = {child.value.name for child in found.children} - seen
            pending += new
            seen |= new


def _is_compiled_here(value: Any) -> bool:
    """Tell whether a function comes from a compiled extension of the user's own."""
    module = sys.modules.get(str(getattr(value, "__module__", None)))
    return not isinstance(value, type | types.FunctionType | types.ModuleType) and (
        module is not None and is_local_module(module)
    )
