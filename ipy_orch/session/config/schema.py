"""What can be configured for an asset, and run config to begin with. Opens nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import yaml

from ipy_orch.model.assets import AssetsDefinition
from ipy_orch.model.config.schema import (
    MISSING,
    Array,
    ConfigType,
    Enum,
    Field,
    Findings,
    Map,
    Noneable,
    Selector,
    Shape,
    short,
    variable_of,
)
from ipy_orch.model.graphs.graph import GraphDefinition
from ipy_orch.model.keys import AssetKey
from ipy_orch.model.resources.resource import as_resource
from ipy_orch.planning.calls import calls_of
from ipy_orch.planning.config import op_field
from ipy_orch.planning.hashing.rendering import looks_secret
from ipy_orch.session.config.resources import CREDENTIALS, HIDDEN, Entry, entries_of, entry_of, field_at, first
from ipy_orch.session.scan import Scanned, uses

__all__ = ["ConfigSchema", "config_schema"]

Place: TypeAlias = tuple[str, ...]

HIDING: Final = r"\1***"
SAMPLES: Final[Mapping[str, Any]] = {"int": 1, "float": 1.0, "bool": True, "str": "...", "Any": {}}


@dataclass(frozen=True)
class Line:
    """Be one field that can be configured.

    Args:
        path: in run config, e.g. ``ops.orders.config.limit``.
        kind: its type, in words.
        default: what it is when nothing is said, as text; "" where something must be said.
        value: what it is now, as text, never a secret's.
        source: where that is from.
    """

    path: str
    kind: str
    default: str
    value: str
    source: str
    description: str = ""

    @property
    def otherwise(self) -> str:
        """Return the default where the value is another."""
        return self.default if self.source != "default" and self.default != self.value else ""

    def __str__(self) -> str:
        now = " ".join(part for part in (self.value and f"= {self.value}", f"({self.source})") if part)
        said = [self.kind, now, f"default {self.otherwise}" if self.otherwise else "", self.description]
        return f"{self.path}: " + " · ".join(part for part in said if part)


@dataclass(frozen=True)
class ConfigSchema:
    """Be the answer: the fields, upstream of them those of the resources used, and an example of run config."""

    key: AssetKey
    fields: tuple[Line, ...]
    example: str

    @property
    def yaml(self) -> str:
        """Return the example, or what there is to say where nothing can be configured."""
        return self.example or "# nothing to configure\n"

    def __str__(self) -> str:
        if not self.fields:
            return f"{self.key.label} has nothing to configure"
        lines = [f"{self.key.label} can be configured:", *(f"  {line}" for line in self.fields), "", "e.g."]
        return "\n".join([*lines, *(f"  {line}" for line in self.example.splitlines())])

    __repr__ = __str__


def config_schema(key: AssetKey, scanned: Scanned, given: Mapping[str, Any]) -> ConfigSchema:
    """Return what can be configured for an asset.

    Args:
        given: the run config of the session.
    """
    maker = scanned.graph.makers[key]
    lines: list[Line] = []
    tree: dict[str, Any] = {}
    for place, made in op_fields(maker):
        written = at(given, place)
        lines.extend(line_of(".".join(place), entry, made) for entry in op_entries(made, written))
        put(tree, place, (made, written))
    for name in sorted(uses(maker, scanned.graph) & scanned.resources.keys()):
        place, made = ("resources", name, "config"), as_resource(scanned.resources[name]).__config_field__
        written = at(given, place)
        entries = entries_of(scanned.resources[name], written, {})
        own = [entry for entry in entries if entry.made is not None and configurable(entry, made)]
        lines.extend(line_of(".".join(place), entry, made) for entry in own)
        if own:
            put(tree, place, (made, written))
    return ConfigSchema(key, tuple(lines), "".join(f"{line}\n" for line in written_lines(tree)))


def op_fields(maker: AssetsDefinition) -> Iterator[tuple[Place, Field]]:
    """Yield where in run config the ops of a definition have their config, and what it may be."""
    if not maker.is_executable:
        return
    if maker.op.config_type is not None:
        yield ("ops", maker.op.name, "config"), op_field(maker.op.config_type)
        return
    for call in calls_of(maker) if isinstance(maker.op, GraphDefinition) else ():
        if call.op.config_type is not None:
            steps = [step for name in (maker.op.name, *call.path) for step in ("ops", name)]
            yield (*steps, "config"), op_field(call.op.config_type)


def at(given: Any, place: Place) -> Any:
    """Return what run config says at a place, or MISSING."""
    for step in place:
        given = given.get(step, MISSING) if isinstance(given, Mapping) else MISSING
    return given


def put(tree: dict[str, Any], place: Place, leaf: Any) -> None:
    """Put a leaf into a tree of dicts."""
    *above, last = place
    for step in above:
        tree = tree.setdefault(step, {})
    tree[last] = leaf


def written_lines(tree: Mapping[str, Any], *, samples: bool = True) -> Iterator[str]:
    """Yield the lines of YAML for a tree whose leaves are fields and what is given for them.

    Args:
        samples: whether what must still be given has a value that would fit; else that stands in the comment.
    """
    for name, below in tree.items():
        if isinstance(below, Mapping):
            yield f"{flow(name)}:"
            yield from (f"  {line}" for line in written_lines(below, samples=samples))
        else:
            made, written = below
            yield from f"{flow(name)}:{block(made, written, samples)}".splitlines()


def configurable(entry: Entry, made: Field) -> bool:
    """Tell whether run config can set what an entry shows, which it can't in a resource inside."""
    fields: Mapping[str, Field] | None = getattr(made.config_type, "fields", None)
    return entry.source != "plain object" and (fields is None or first(entry.path) in fields)


def op_entries(made: Field, written: Any) -> Iterator[Entry]:
    """Yield the values of an op's config as they would be now, and those that are missing."""
    fields: Mapping[str, Field] = getattr(inner(made.config_type), "fields", {})
    given = set(written if isinstance(written, Mapping) else ())
    checked = made.check_or_default(written, (), Findings())
    shown = set()
    kind = made.config_type
    for path, digestable, text in kind.parts(kind.full(checked), "") if checked is not None else ():
        shown.add(first(path))
        source = "run config" if first(path) in given or (not fields and written is not MISSING) else "default"
        yield entry_of(path, digestable, text, source, field_at(made, path) if fields else made)
    for name, field in fields.items():
        if name not in shown:
            yield Entry(name, "", "needed" if field.is_required else "default", "", field)
    if not fields and made.is_required and not shown:
        yield Entry("", "", "needed", "", made)


def line_of(prefix: str, entry: Entry, made: Field) -> Line:
    """Return the line of one value."""
    field = entry.made
    path = f"{prefix}.{entry.path}" if entry.path else prefix
    if field is None:
        return Line(path, "", "", entry.value, entry.source)
    source = f"{entry.source}, not set" if entry.is_set is False else entry.source
    is_whole = entry.path == first(entry.path)
    default = default_text(field, entry.path) if is_whole and not made.default_provided else ""
    return Line(path, words(field), default, entry.value, source, field.description or "" if is_whole else "")


def words(field: Field) -> str:
    """Return a field's type in a few words."""
    kind = field.config_type
    return "secret" if field.is_secret else kind.label if len(kind.label) <= 60 else f"{kind.label[:59]}…"


def default_text(field: Field, path: str) -> str:
    """Return a field's default as text."""
    if not field.default_provided or field.is_required:
        return ""
    if field.is_secret or looks_secret(path):
        return HIDDEN
    variable = variable_of(field.default)
    return f"environment {variable}" if variable else CREDENTIALS.sub(HIDING, short(field.default))


# -- the example ------------------------------------------------------------------------------------------------------


def inner(kind: ConfigType) -> ConfigType:
    """Return the type inside an optional one."""
    return kind.inner_type if isinstance(kind, Noneable) else kind


def block(made: Field, written: Any, samples: bool) -> str:
    """Return YAML for a field, to stand behind ``config:``: a block for what has fields, else one line."""
    kind = inner(made.config_type)
    given = written if isinstance(written, Mapping) else {}
    if not isinstance(kind, Shape) or not kind.fields:
        return value_text(made, written, "", samples)
    lines = [field_line(name, field, given.get(name, MISSING), samples) for name, field in kind.fields.items()]
    return "".join(f"\n  {line}" for line in lines)


def field_line(name: str, field: Field, written: Any, samples: bool) -> str:
    """Return YAML for one field, or a comment where it is best left as it is."""
    value = value_text(field, written, name, samples)
    hidden = is_hidden(field, name) and not field.is_required
    text = f"{flow(name)}:{CREDENTIALS.sub(HIDING, value)}"
    return f"# {text}" if hidden or CREDENTIALS.search(value) else text


def value_text(field: Field, written: Any, name: str, samples: bool) -> str:
    """Return what stands behind the colon: a value and a comment."""
    value = flow(sample(field, written, name))
    waits = not samples and field.is_required and written is MISSING
    return comment(field, f", e.g. {value}") if waits else f" {value}{comment(field)}"


def sample(field: Field, written: Any, name: str = "") -> Any:
    """Return a value that fits: the one that was given, else the default, else one of the type."""
    if is_hidden(field, name):
        return {"env": variable_of(written) or variable_of(field.default) or (name or "SECRET").upper()}
    if written is not MISSING:
        return written
    return field.default if field.default_provided and not field.is_required else sample_of(field.config_type)


def is_hidden(field: Field, name: str) -> bool:
    """Tell whether a field is a secret, by its schema or by its name."""
    return field.is_secret or (looks_secret(name) and inner(field.config_type).label == "str")


def sample_of(kind: ConfigType) -> Any:
    """Return a value of a type."""
    match kind:
        case Noneable():
            return None
        case Array():
            return [sample_of(kind.inner_type)]
        case Map():
            return {"name": sample_of(kind.inner_type)}
        case Selector():
            name, field = next(iter(kind.fields.items()))
            return {name: sample(field, MISSING, name)}
        case Shape():
            return {name: sample(field, MISSING, name) for name, field in kind.fields.items() if field.is_required}
        case _:
            return sample_choice(kind)


def sample_choice(kind: ConfigType) -> Any:
    """Return the first of a type's choices, or any value of a plain type."""
    members = getattr(getattr(kind, "python_enum", None), "__members__", None)
    choices = members or getattr(kind, "choices", None)
    if isinstance(kind, Enum):
        return kind.enum_values[0].config_value
    if isinstance(choices, Mapping) and not members:  # a union of classes
        name, shape = next(iter(choices.items()))
        return {name: sample_of(shape)}
    return next(iter(choices)) if choices else SAMPLES.get(kind.label, "...")


def flow(value: Any) -> str:
    """Return a value as YAML in one line.

    >>> flow({"a": [1, "b"]}), flow("...")
    ('{a: [1, b]}', "'...'")
    """
    try:
        text = yaml.safe_dump(plain(value), default_flow_style=True, width=10_000, sort_keys=False, allow_unicode=True)
    except yaml.YAMLError:
        text = yaml.safe_dump(str(value), default_flow_style=True, width=10_000)
    return text.removesuffix("...\n").strip()


def plain(value: Any) -> Any:
    """Return data without subclasses of dict and list, which YAML has no form for."""
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, list | tuple) else value


def comment(field: Field, example: str = "") -> str:
    """Return what a field is, as a comment."""
    told = [words(field), f"needed{example}" if field.is_required else "", " ".join((field.description or "").split())]
    return "  # " + " · ".join(part for part in told if part)
