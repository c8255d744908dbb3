"""The launchpad: what can be configured for a selection, as a form and as YAML, and presets. Opens nothing.

The values of secrets are in none of it; where one is from an environment variable, that has a name.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

import yaml
from pydantic import ValidationError

from ipy_orch.errors import DagsterError, DagsterInvalidConfigError
from ipy_orch.model.config.schema import MISSING, Field
from ipy_orch.model.env import redact
from ipy_orch.model.keys import AssetKey
from ipy_orch.model.resources.resource import as_resource
from ipy_orch.session.config_schema import (
    Line,
    Place,
    at,
    config_schema,
    configurable,
    op_fields,
    put,
    written_lines,
)
from ipy_orch.session.resources import entries_of
from ipy_orch.session.run_config import merged, read_run_config
from ipy_orch.session.scan import Scanned, uses
from ipy_orch.session.session import Session
from ipy_orch.ui.config_forms import is_secret, json_schema, shown_values
from ipy_orch.ui.protocol import (
    Answer,
    CheckConfig,
    ConfigChecked,
    DropPreset,
    Finding,
    FormCommand,
    FormField,
    FormMessage,
    SavePreset,
    Section,
    UsePreset,
)

__all__ = ["Launchpad"]

Asked: TypeAlias = FormCommand | CheckConfig | SavePreset | UsePreset | DropPreset

MOST_PRESETS: Final = 100
PROBLEM: Final = re.compile(r"^ {2}- (?P<path>\S+?)(?: \((?:.*, )?line (?P<line>\d+)\))?: (?P<text>.*)$", re.MULTILINE)
WHERE: Final = re.compile(r"config of `(?P<op>[^`]+)`")
LINE: Final = re.compile(r"line (\d+)")


@dataclass
class Part:
    """Be one thing that takes config: where in run config, what it may be, and the assets concerned."""

    place: Place
    made: Field
    written: Any
    lines: list[Line] = field(default_factory=list)
    used_by: list[str] = field(default_factory=list)


class Launchpad:
    """Answer what a view asks about config."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def answer(self, command: Asked, keys: Sequence[AssetKey] | None) -> Answer:
        """Return what a command asks for."""
        scanned = self.session.scan()
        chosen = [*scanned.graph.executable_keys] if keys is None else [*keys]
        presets = self.session.presets
        match command:
            case CheckConfig():
                return self.check(command, scanned, chosen)
            case SavePreset():
                if len(presets) >= MOST_PRESETS and command.name not in presets:
                    raise DagsterInvalidConfigError("there are too many presets")
                presets[command.name] = written(command.config)
                return self.form(scanned, chosen, preset=command.name)
            case UsePreset():
                if command.name not in presets:
                    raise DagsterInvalidConfigError("there is no such preset")
                return self.form(scanned, chosen, preset=command.name)
            case DropPreset():
                presets.pop(command.name, None)
                return self.form(scanned, chosen)
            case FormCommand():
                return self.form(scanned, chosen)

    # -- the form -----------------------------------------------------------------------------------------------------

    def given(self) -> dict[str, Any]:
        """Return the run config that the session was given."""
        environments = self.session.environments
        return {**self.session.run_config, "resources": environments.configs.get(environments.current, {})}

    def form(self, scanned: Scanned, keys: Sequence[AssetKey], preset: str = "") -> FormMessage:
        """Return the form of what can be configured for assets.

        Args:
            preset: whose values are laid over those of the session.
        """
        over = read_run_config(self.session.presets[preset]).data if preset else {}
        given = merged(self.given(), over)
        parts = parts_of(scanned, keys, given)
        tree: dict[str, Any] = {}
        for part in parts:
            put(tree, part.place, (part.made, part.written))
        return FormMessage(
            ids=[str(key) for key in keys],
            sections=[section_of(part) for part in parts],
            values=values_of(given, parts),
            yaml=redact("".join(f"{line}\n" for line in written_lines(tree))),
            findings=self.findings(scanned, keys, over, {}) if preset else [],
            presets=sorted(self.session.presets),
            preset=preset,
        )

    # -- checking -----------------------------------------------------------------------------------------------------

    def check(self, command: CheckConfig, scanned: Scanned, keys: Sequence[AssetKey]) -> ConfigChecked:
        """Return what is wrong with run config, and its other spelling."""
        ids = [str(key) for key in keys]
        try:
            text = read_run_config(command.config)
        except DagsterInvalidConfigError as error:
            found = LINE.search(error.where or "")
            line = int(found[1]) if found else None
            return ConfigChecked(ids=ids, valid=False, findings=[Finding(message=error.message, line=line)])
        findings = self.findings(scanned, keys, text.data, text.lines)
        parts = parts_of(scanned, keys, text.data)
        return ConfigChecked(
            ids=ids,
            valid=not findings,
            findings=findings,
            values=values_of(text.data, parts),
            yaml=redact(written(command.config)),
        )

    def findings(
        self, scanned: Scanned, keys: Iterable[AssetKey], data: Mapping[str, Any], lines: Mapping[str, int]
    ) -> list[Finding]:
        """Return what is wrong with run config, at the fields; pydantic's own validators are asked, too."""
        makers = [scanned.graph.makers[key] for key in keys]
        needed = [maker.op.name for maker in makers if maker.is_executable]
        try:
            self.session.configured(scanned, data, needed)
        except DagsterInvalidConfigError as error:
            return [*findings_in(error, lines)]
        except ValidationError as error:
            return [*pydantic_findings(error, lines)]
        except DagsterError as error:
            return [Finding(message=redact(str(error)))]
        return []


def parts_of(scanned: Scanned, keys: Iterable[AssetKey], given: Mapping[str, Any]) -> list[Part]:
    """Return what can be configured for assets, each thing once: their ops first, then the resources that they use."""
    ops: dict[Place, Part] = {}
    resources: dict[Place, Part] = {}
    for key in keys:
        maker = scanned.graph.makers[key]
        found: dict[Place, Field] = dict(op_fields(maker))
        for name in sorted(uses(maker, scanned.graph).keys() & scanned.resources.keys()):
            of_resource, made = ("resources", name, "config"), as_resource(scanned.resources[name]).__config_field__
            entries = entries_of(scanned.resources[name], at(given, of_resource), {})
            if any(entry.made is not None and configurable(entry, made) for entry in entries):
                found[of_resource] = made
        lines = config_schema(key, scanned, given).fields if found else ()
        for place, made in found.items():
            parts = ops if place[0] == "ops" else resources
            part = parts.setdefault(place, Part(place, made, at(given, place)))
            part.used_by.append(str(key))
            part.lines = part.lines or [line for line in lines if is_within(line.path, ".".join(place))]
    return [*ops.values(), *resources.values()]


def is_within(path: str, place: str) -> bool:
    """Tell whether a path is that of a place, or leads into it.

    >>> is_within("ops.a.config.limit", "ops.a.config"), is_within("ops.a.configs", "ops.a.config")
    (True, False)
    """
    return path == place or path.startswith((f"{place}.", f"{place}["))


def section_of(part: Part) -> Section:
    """Return a section of the form."""
    return Section(
        path=".".join(part.place),
        title=".".join(name for name in part.place[1:-1] if name != "ops"),
        kind="op" if part.place[0] == "ops" else "resource",
        used_by=part.used_by,
        schema_=json_schema(part.made),
        fields=[field_of(line, part) for line in part.lines],
    )


def field_of(line: Line, part: Part) -> FormField:
    """Return what the form says beside a field."""
    source, _, state = line.source.partition(", ")
    variable = source.removeprefix("environment ") if source.startswith("environment ") else ""
    name = line.path.rpartition(".")[2]
    fields: Mapping[str, Field] = getattr(part.made.config_type, "fields", {})
    secret = line.kind == "secret" or (name in fields and is_secret(fields[name], name))
    return FormField(
        path=line.path,
        type=line.kind,
        value="" if secret and not variable else line.value,
        default=line.default,
        source=source,
        variable=variable,
        is_set=(state != "not set") if variable else None,
        secret=secret,
        required=source in ("needed", "launch time"),
        description=line.description,
    )


def values_of(given: Mapping[str, Any], parts: Iterable[Part]) -> dict[str, Any]:
    """Return what was given for parts, as run config, without secrets."""
    values: dict[str, Any] = {}
    for part in parts:
        found = at(given, part.place)
        if found is not MISSING:
            put(values, part.place, shown_values(found, part.made.config_type))
    return values


def written(config: str | Mapping[str, Any]) -> str:
    """Return run config as YAML."""
    if isinstance(config, str):
        return config
    return str(yaml.safe_dump(dict(config), sort_keys=False, allow_unicode=True, default_flow_style=False))


def findings_in(error: DagsterInvalidConfigError, lines: Mapping[str, int]) -> Iterator[Finding]:
    """Yield the problems that an error lists, each with its path."""
    found = [*PROBLEM.finditer(error.message)]
    for one in found:
        yield Finding(path=one["path"], message=redact(one["text"]), line=line_at(one["path"], lines))
    if not found:
        yield Finding(message=redact(str(error)))


def pydantic_findings(error: ValidationError, lines: Mapping[str, int]) -> Iterator[Finding]:
    """Yield the problems that pydantic found in the config of an op."""
    notes = " ".join(getattr(error, "__notes__", ()))
    where = WHERE.search(notes)
    prefix = f"ops.{where['op'].replace('.', '.ops.')}.config" if where else ""
    for one in error.errors(include_url=False, include_input=False, include_context=False):
        inside = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in one["loc"])
        path = f"{prefix}{inside}".lstrip(".")
        yield Finding(path=path, message=redact(one["msg"]), line=line_at(path, lines))


def line_at(path: str, lines: Mapping[str, int]) -> int | None:
    """Return the line of YAML of a path, or that of the nearest that holds it."""
    steps = re.split(r"(?=[.\[])", path)
    holders: Iterator[str] = ("".join(steps[:length]) for length in range(len(steps), 0, -1))
    return next((lines[one] for one in holders if one in lines), None)
