"""The launchpad: what can be configured for a selection, as a form and as YAML, and presets. Opens nothing.

The values of secrets are in none of it; where one is from an environment variable, that has a name.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, TypeAlias

import yaml
from pydantic import ValidationError

from ipy_orch.errors import DagsterError, DagsterInvalidConfigError
from ipy_orch.model.config.schema import MISSING, Field
from ipy_orch.model.env import redact
from ipy_orch.model.keys import AssetKey
from ipy_orch.session.config.run_config import merged, read_run_config
from ipy_orch.session.config.schema import Line, Place, at, put, written_lines
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
from ipy_orch.ui.subjects import OfAssets, OfJob, Part, Subject

__all__ = ["Launchpad"]

Asked: TypeAlias = FormCommand | CheckConfig | SavePreset | UsePreset | DropPreset

MOST_PRESETS: Final = 100
PROBLEM: Final = re.compile(r"^ {2}- (?P<path>\S+?)(?: \((?:.*, )?line (?P<line>\d+)\))?: (?P<text>.*)$", re.MULTILINE)
WHERE: Final = re.compile(r"config of `(?P<op>[^`]+)`")
LINE: Final = re.compile(r"line (\d+)")


class Launchpad:
    """Answer what a view asks about config."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def answer(self, command: Asked, keys: Sequence[AssetKey] | None) -> Answer:
        """Return what a command asks for.

        Raises:
            DagsterError: when there's no such job or preset.
        """
        subject = self.subject(command, keys)
        presets = self.session.presets
        match command:
            case CheckConfig():
                return self.check(command, subject)
            case SavePreset():
                if len(presets) >= MOST_PRESETS and command.name not in presets:
                    raise DagsterInvalidConfigError("there are too many presets")
                presets[command.name] = written(command.config)
                return self.form(subject, preset=command.name)
            case UsePreset():
                if command.name not in presets:
                    raise DagsterInvalidConfigError("there is no such preset")
                return self.form(subject, preset=command.name)
            case DropPreset():
                presets.pop(command.name, None)
                return self.form(subject)
            case FormCommand():
                return self.form(subject)

    def subject(self, command: Asked, keys: Sequence[AssetKey] | None) -> Subject:
        """Return what the form is about."""
        scanned = self.session.scan()
        if command.job is not None:
            return OfJob(self.session, scanned, command.job)
        return OfAssets(self.session, scanned, [*scanned.graph.executable_keys] if keys is None else [*keys])

    def form(self, subject: Subject, preset: str = "") -> FormMessage:
        """Return the form of what can be configured.

        Args:
            preset: whose values are laid over those that are given.
        """
        over = read_run_config(self.session.presets[preset]).data if preset else {}
        given = merged(subject.given(), over)
        parts = subject.parts(given)
        tree: dict[str, Any] = {}
        for part in parts:
            put(tree, part.place, (part.made, part.written))
        return FormMessage(
            ids=subject.ids,
            sections=[section_of(part) for part in parts],
            values=values_of(given, parts),
            yaml=redact("".join(f"{line}\n" for line in written_lines(tree, samples=False))),
            findings=findings(subject, over, {}),
            presets=sorted(self.session.presets),
            preset=preset,
        )

    def check(self, command: CheckConfig, subject: Subject) -> ConfigChecked:
        """Return what is wrong with run config, and its other spelling."""
        try:
            text = read_run_config(command.config)
        except DagsterInvalidConfigError as error:
            found = LINE.search(error.where or "")
            line = int(found[1]) if found else None
            return ConfigChecked(ids=subject.ids, valid=False, findings=[Finding(message=error.message, line=line)])
        problems = findings(subject, text.data, text.lines)
        return ConfigChecked(
            ids=subject.ids,
            valid=not problems,
            findings=problems,
            values=values_of(text.data, subject.parts(text.data)),
            yaml=redact(written(command.config)),
        )


def findings(subject: Subject, data: Mapping[str, Any], lines: Mapping[str, int]) -> list[Finding]:
    """Return what is wrong with run config, at the fields; pydantic's own validators are asked, too."""
    try:
        subject.check(data)
    except DagsterInvalidConfigError as error:
        return [*findings_in(error, lines)]
    except ValidationError as error:
        return [*pydantic_findings(error, lines)]
    except DagsterError as error:
        return [Finding(message=redact(str(error)))]
    return []


def section_of(part: Part) -> Section:
    """Return a section of the form."""
    return Section(
        path=".".join(part.place),
        title=title_of(part.place),
        kind="op" if part.place[0] == "ops" else "resource",
        used_by=part.used_by,
        schema_=json_schema(part.made),
        fields=[field_of(line, part) for line in part.lines],
    )


def title_of(place: Place) -> str:
    """Return what a part is called.

    >>> title_of(("ops", "report", "ops", "clean", "config")), title_of(("ops", "add", "inputs", "left"))
    ('report.clean', 'add: input left')
    """
    if place[-2] == "inputs":
        return f"{title_of((*place[:-2], 'config'))}: input {place[-1]}"
    return ".".join(name for name in place[1:-1] if name != "ops")


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
