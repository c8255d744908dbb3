"""What may be called while a notebook is only read: what makes values and definitions, and does nothing else.

A notebook that is read may be a stranger's, so this is a list of what is let in, not of what is kept out. Of ipy_orch
that is all that defines: the classes and functions of the model and of authoring, and the constructors of the shipped
classes. What runs, loads or asks (``materialize``, ``load_assets_from_modules``, ``session``) is unknown. A new kind of
definition is let in by its module, see ``DEFINING``.
"""

from __future__ import annotations

import builtins
import datetime as dt
import decimal
import fractions
import re
import types
from collections.abc import Mapping
from pathlib import PurePath
from typing import Any, Final

from ipy_orch.model.assets import AssetsDefinition
from ipy_orch.model.graphs.graph import GraphDefinition
from ipy_orch.model.graphs.invocations import PendingNodeInvocation
from ipy_orch.model.jobs import JobDefinition
from ipy_orch.model.ops import OpDefinition

__all__ = [
    "BUILTINS",
    "INVOKED",
    "READ",
    "is_defining",
    "is_harmless",
    "is_of_text",
    "is_trusted",
    "may_import",
    "may_read",
]

READ: Final = "__read_from_text__"
"""The mark of functions and classes that were made of text: calling them reads their bodies."""

CALLED: Final[Mapping[str, frozenset[str]]] = {
    module: frozenset(names.split())
    for module, names in {
        "__future__": "",
        "abc": "ABC abstractmethod",
        "collections": "ChainMap Counter OrderedDict defaultdict deque namedtuple",
        "collections.abc": "",
        "dataclasses": "dataclass field",
        "datetime": "date datetime time timedelta timezone",
        "decimal": "Decimal",
        "enum": "auto unique",
        "fractions": "Fraction",
        "functools": "cache cached_property lru_cache partial total_ordering wraps",
        "itertools": "accumulate chain combinations groupby islice pairwise permutations product starmap zip_longest",
        "math": "ceil cos exp fabs floor fsum hypot isclose isfinite isnan log log10 log2 sin sqrt tan trunc",
        "pathlib": "Path PurePath PurePosixPath PureWindowsPath",
        "pydantic": (
            "BaseModel ConfigDict Field PrivateAttr SecretStr computed_field conint confloat conlist constr "
            "field_serializer field_validator model_serializer model_validator root_validator validator"
        ),
        "re": "compile escape",
        "string": "",
        "textwrap": "dedent indent",
        "types": "SimpleNamespace",
        "typing": "NewType ParamSpec TypeVar cast final overload",
        "typing_extensions": "NewType ParamSpec TypeVar cast final overload override",
    }.items()
}
"""Modules outside ipy_orch that are imported, and what of them is called."""

# What of pydantic is no function: the types that it checks by looking at a value alone.
PYDANTIC_TYPES: Final = frozenset(
    {
        *("FutureDate", "NegativeFloat", "NegativeInt", "NonNegativeFloat", "NonNegativeInt", "PastDate"),
        *("PositiveFloat", "PositiveInt", "StrictBool", "StrictFloat", "StrictInt", "StrictStr", "ValidationError"),
    }
)

DEFINING: Final = (
    "ipy_orch.authoring",
    "ipy_orch.model",
    *(f"ipy_orch.planning.selection.{room}" for room in ("selection", "assets", "checks", "lineage", "operators")),
    "ipy_orch.execution.providing",
)
REACHING: Final = ("ipy_orch.model.port", "ipy_orch.model.late")
"""What of these imports the modules that it is told to."""
MAKING: Final = ("ipy_orch.storage", "ipy_orch.execution.iomanagers", "ipy_orch.components")
"""Where only classes are called, and none of their methods."""

ACTING: Final = (
    "execute",
    "materialize",
    "load_",
    "evaluate",
    "invoke",
    "get_",
    "resolve",
    "config_from_",
    "build_defs",
)
ACTS: Final = frozenset({"run", "session", "launch", "submit", "file_relative_path", "scaffold"})
CLOCKS: Final = frozenset({"now", "today", "utcnow", "fromtimestamp", "utcfromtimestamp", "cwd", "home"})

BUILTINS: Final[dict[str, Any]] = {
    name: getattr(builtins, name)
    for name in (
        *("abs", "all", "any", "bool", "bytes", "callable", "chr", "classmethod", "complex", "dict", "divmod"),
        *("enumerate", "filter", "float", "format", "frozenset", "hash", "int", "isinstance", "issubclass"),
        *("iter", "len", "list", "map", "max", "min", "next", "object", "ord", "property", "range", "repr"),
        *("reversed", "round", "set", "slice", "sorted", "staticmethod", "str", "sum", "tuple", "type", "zip"),
        *("Ellipsis", "NotImplemented"),
    )
} | {
    name: value
    for name, value in vars(builtins).items()
    if isinstance(value, type) and issubclass(value, BaseException)
}
PLAIN: Final = (
    *(str, bytes, int, float, complex, bool, tuple, list, dict, set, frozenset, range, slice, type(None)),
    *(dt.date, dt.time, dt.timedelta, dt.tzinfo, decimal.Decimal, fractions.Fraction),
    *(re.Pattern, re.Match, PurePath, types.SimpleNamespace),
)
INVOKED: Final = (AssetsDefinition, OpDefinition, GraphDefinition, JobDefinition, PendingNodeInvocation)
INNARDS: Final = (
    *(types.GeneratorType, types.CoroutineType, types.AsyncGeneratorType),
    *(types.FrameType, types.TracebackType, types.CodeType),
)
OF_TUPLES: Final = frozenset({"_asdict", "_fields", "_make", "_replace"})


def is_of_text(function: Any) -> bool:
    """Tell whether a function or class was made of text."""
    owner = getattr(function, "__func__", function)
    return isinstance(owner, type | types.FunctionType) and READ in vars(owner)


def is_defining(function: Any) -> bool:
    """Tell whether something of ipy_orch defines, and doesn't run anything."""
    name = getattr(function, "__name__", "") or ""
    if name.startswith(ACTING) or name in ACTS:
        return False
    home = home_of(function)
    if home.startswith(MAKING):
        return isinstance(function, type)
    return home.startswith(DEFINING) and not home.startswith(REACHING)


def home_of(function: Any) -> str:
    """Return the module of a function, of the class of a method, or of that of an object that is called."""
    owner = getattr(function, "__self__", None)
    if owner is not None and not isinstance(owner, type | types.ModuleType):
        home = getattr(getattr(function, "__func__", None), "__module__", None) or type(owner).__module__
    else:
        home = getattr(function, "__module__", None) or type(function).__module__
    return str(home)


def is_harmless(function: Any) -> bool:
    """Tell whether something of Python's own, or a method of a plain value, does nothing but give a value."""
    name, owner = str(getattr(function, "__name__", "")), getattr(function, "__self__", None)
    if name in CLOCKS:
        return False
    if BUILTINS.get(name) is function:
        return True
    if owner is not None and not isinstance(owner, types.ModuleType):
        kind = owner if isinstance(owner, type) else type(owner)
        pure = not issubclass(kind, PurePath) or hasattr(PurePath, name)
        return issubclass(kind, PLAIN) and pure and not name.startswith("__")
    return any(
        name in names and getattr(MODULES.get(module), name, None) is function for module, names in CALLED.items()
    )


class Modules(dict[str, Any]):
    """Hold the modules of ``CALLED``, each imported when it is asked for."""

    def __missing__(self, name: str) -> Any:
        import importlib

        self[name] = importlib.import_module(name)
        return self[name]

    def get(self, name: str, default: Any = None) -> Any:
        """Return a module."""
        return self[name] if name in CALLED else default


MODULES: Final = Modules()


def may_import(module: str, name: str) -> bool:
    """Tell whether a name may be taken from a trusted module."""
    return module != "pydantic" or name in CALLED["pydantic"] | PYDANTIC_TYPES


def may_read(value: Any, name: str) -> bool:
    """Tell whether reading an attribute gives nothing that could be used to run anything."""
    if isinstance(value, types.ModuleType):
        return is_trusted(value.__name__) and not name.startswith("_") and may_import(value.__name__, name)
    if isinstance(value, INNARDS):
        return False
    if name.startswith("_"):
        own = READ in vars(type(value)) or is_of_text(value)
        return name in ("__name__", "__doc__", *OF_TUPLES) or (own and not name.startswith("__"))
    return True


def is_trusted(module: str) -> bool:
    """Tell whether a module may be imported while a notebook is read."""
    return module in CALLED or module == "ipy_orch" or module.startswith("ipy_orch.")
