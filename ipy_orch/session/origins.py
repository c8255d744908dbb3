"""How values came to be that no plain cell makes: those of assets, and of modules of the user's own.

What such a name holds, and what it would hold after "restart and run all", may differ: an asset isn't up to date, a
module's file was edited after it was loaded.
"""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterator, Mapping
from importlib.machinery import ModuleSpec
from types import FunctionType, ModuleType
from typing import Any, Final

from ipy_orch.events.ledger import Ledger
from ipy_orch.model.keys import AssetKey
from ipy_orch.planning.code.files import file_text
from ipy_orch.planning.code.modules import is_local_module
from ipy_orch.session.cellbook import Origins
from ipy_orch.session.names import Names

__all__ = ["SessionOrigins"]

FOLLOWED: Final = (FunctionType, ModuleType, type)  # recipes hold their code


class SessionOrigins(Origins):
    """Look at the session's variables, its ledger, and the modules that are loaded."""

    def __init__(self, namespace: Mapping[str, Any], names: Names, ledger: Ledger) -> None:
        self.namespace, self.names, self.ledger = namespace, names, ledger
        self.loaded: dict[str, tuple[ModuleSpec | None, tuple[str, tuple[str, ...]]]] = {}

    # -- assets -------------------------------------------------------------------------------------------------------

    def key(self, name: str) -> AssetKey | None:
        """Return the asset whose value a variable holds, or will when a cell reads it."""
        key, value = self.names.bound.get(name, (None, None))
        if key is not None and self.namespace.get(name) is value:
            return key
        return self.names.elsewhere.get(name) or self.names.evicted.get(name)

    def of_asset(self, name: str) -> str:
        """Return the data version of an asset, or those of its partitions."""
        key = self.key(name)
        if key is None:
            return ""
        made = self.ledger.materialized
        alone = made.get((key, None))
        if alone is not None:
            return alone.data_version
        return " ".join(sorted(f"{place[1]} {one.data_version}" for place, one in made.items() if place[0] is key))

    # -- modules ------------------------------------------------------------------------------------------------------

    def of_module(self, name: str, *, now: bool) -> str:
        """Return what the files say of a module and those that it imports, as they are now or were when loaded."""
        found: dict[str, str] = {}
        front = [name]
        while front:
            one = front.pop()
            module = sys.modules.get(one)
            if one in found or one == "__main__" or module is None or not is_local_module(module):
                continue
            said = file_text(module)
            found[one], imports = said if now else self.when_loaded(module, said)
            front.extend(imports)
        return " ".join(f"{one} {told}" for one, told in sorted(found.items()))

    def when_loaded(self, module: ModuleType, said: tuple[str, tuple[str, ...]]) -> tuple[str, tuple[str, ...]]:
        """Return what the file of a module said when it was loaded: loading it again gives it another spec."""
        spec = vars(module).get("__spec__")
        known = self.loaded.get(module.__name__)
        if known is None or known[0] is not spec:
            known = self.loaded[module.__name__] = (spec, said)
        return known[1]

    def is_current(self, name: str, module: str) -> bool:
        """Tell whether a name imported from a module holds what the module holds, or is followed by itself."""
        value = self.namespace.get(name)
        if isinstance(value, FOLLOWED):
            return True
        is_edited = self.of_module(module, now=True) != self.of_module(module, now=False)
        return not is_edited and any(one is value for one in vars(sys.modules[module]).values())

    def starred(self, module: str) -> Collection[str]:
        """Return the names that ``from module import *`` has brought."""
        own = vars(sys.modules[module]) if module in sys.modules else {}
        return [name for name in public(own) if name in self.namespace and self.namespace[name] is own.get(name)]


def public(own: Mapping[str, Any]) -> Iterator[str]:
    """Yield the names that a module gives to ``import *``."""
    said = own.get("__all__")
    yield from said if isinstance(said, list | tuple) else (name for name in own if not name.startswith("_"))
