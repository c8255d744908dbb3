"""What a session and a code location say to each other: JSON, which pydantic reads and writes.

home --Opening--> location --Described--> home            what is defined there, with fingerprints
home --Asked--> location --Printed, Answered--> home      make these assets; values go both ways in files
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Final, TypeVar, cast

from ipy_orch.events.types import Part
from ipy_orch.model.wire import Wired

__all__ = [
    "MESSAGE",
    "Answered",
    "Asked",
    "CheckTold",
    "DefinitionTold",
    "Described",
    "File",
    "InputTold",
    "Made",
    "Opening",
    "Printed",
    "Raised",
    "SpecTold",
    "Verdict",
    "decoded",
    "encoded",
]

T = TypeVar("T")

MESSAGE: Final = "application/vnd.ipy_orch.location+json"  #: as which a location's kernel sends one
ADAPTERS: Final[dict[type, Any]] = {}

Metadata = Annotated[Any, Wired]


@dataclass(frozen=True)
class Opening:
    """Say which definitions a location is to load; those of a notebook are there when its cells have run.

    Args:
        kind: ``module``, ``file`` or ``notebook``.
    """

    kind: str
    target: str
    folder: str
    attribute: str
    name: str


@dataclass(frozen=True)
class InputTold:
    """Be an input of a definition: the asset it loads, or only waits for; ``mapping`` says which partitions."""

    name: str
    key: str
    is_nothing: bool
    mapping: str | None


@dataclass(frozen=True)
class SpecTold:
    """Be what a location says of an asset; partitions and conditions are as ``serialize_value`` writes them."""

    key: str
    deps: tuple[tuple[str, str | None], ...]
    description: str | None
    group: str
    metadata: Metadata
    tags: Mapping[str, str]
    owners: tuple[str, ...]
    skippable: bool
    partitions: str | None
    condition: str | None = None
    is_nothing: bool = False


@dataclass(frozen=True)
class CheckTold:
    """Be what a location says of a check."""

    name: str
    asset: str
    description: str | None
    blocking: bool
    metadata: Metadata
    deps: tuple[str, ...]
    partitions: str | None


@dataclass(frozen=True)
class DefinitionTold:
    """Be a definition of a location: what it makes of what, and all that its code depends on there.

    Args:
        assets: by output.
        checks: by output.
        takes_config: whether a value for ``config`` is passed on.
    """

    name: str
    inputs: tuple[InputTold, ...]
    assets: Mapping[str, SpecTold]
    checks: Mapping[str, CheckTold]
    can_subset: bool
    takes_config: bool
    parts: tuple[Part, ...]


@dataclass(frozen=True)
class Described:
    """Be what a location defines, and which Python and packages it runs on."""

    python: str
    version: str
    definitions: tuple[DefinitionTold, ...]
    externals: tuple[SpecTold, ...]
    notices: tuple[str, ...]


@dataclass(frozen=True)
class File:
    """Be a file with the value of an asset; ``versions`` are those of the Python and the package that wrote it."""

    key: str
    path: str
    form: str
    kind: str
    versions: str


@dataclass(frozen=True)
class Asked:
    """Ask a location to make assets and checks of one definition.

    Args:
        inputs: what it reads, as files.
        folder: where the values go.
        tables: whether the asker reads Parquet.
        dynamic: the keys of dynamic partitions.
    """

    keys: tuple[str, ...]
    checks: tuple[tuple[str, str], ...]
    inputs: tuple[File, ...]
    folder: str
    tables: bool
    name: str
    config: Metadata = None
    partition: str | None = None
    dynamic: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Printed:
    """Be what a step printed or logged there."""

    stream: str
    level: str
    text: str


@dataclass(frozen=True)
class Made:
    """Be an asset that was made: its value, where it has one, and what was said of it."""

    key: str
    file: File | None
    metadata: Metadata
    data_version: str | None


@dataclass(frozen=True)
class Verdict:
    """Be the verdict of a check."""

    asset: str
    name: str
    passed: bool
    severity: str
    description: str | None
    metadata: Metadata


@dataclass(frozen=True)
class Raised:
    """Be an exception: the name of its type, its message, and the user's frames, if there are any."""

    kind: str
    module: str
    message: str
    traceback: str
    where: str = ""
    hint: str = ""


@dataclass(frozen=True)
class Answered:
    """Be what came of it."""

    made: tuple[Made, ...] = ()
    verdicts: tuple[Verdict, ...] = ()
    error: Raised | None = None


def adapter(cls: type) -> Any:
    """Return what writes and reads the messages of a class."""
    from pydantic import ConfigDict, TypeAdapter

    if cls not in ADAPTERS:
        several: Any = list.__class_getitem__(cls)
        ADAPTERS[cls] = TypeAdapter(several, config=ConfigDict(ser_json_inf_nan="constants"))
    return ADAPTERS[cls]


def encoded(message: Any) -> str:
    """Return a message as JSON.

    >>> encoded(Printed("stdout", "", "a"))
    '[{"stream":"stdout","level":"","text":"a"}]'
    """
    text: str = adapter(type(message)).dump_json([message], warnings=False, fallback=str).decode("utf-8")
    return text


def decoded(cls: type[T], text: str) -> T:
    """Return the message that JSON stands for.

    Raises:
        ValueError: when it is no such message.
    """
    [message] = adapter(cls).validate_json(text)
    return cast("T", message)
