"""Run config as a person gives it: a mapping, YAML, or a file of it; and where in the YAML something is wrong."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import yaml

from ipy_orch.errors import DagsterInvalidConfigError
from ipy_orch.model.config.classes import RunConfig
from ipy_orch.planning.config import plain_run_config

__all__ = ["Given", "RunConfigText", "merged", "read_run_config"]

Given: TypeAlias = Mapping[str, Any] | RunConfig | str | Path | None

EXAMPLE = "'{ops: {orders: {config: {limit: 10}}}}'"
PROBLEM = re.compile(r"^ {2}- (?P<path>\S+): ", re.MULTILINE)


@dataclass(frozen=True)
class RunConfigText:
    """Be run config, and the line of each path of it where it was YAML.

    Args:
        data: as plain data.
        lines: dotted path -> line.
        name: of the file, or "".
    """

    data: dict[str, Any]
    lines: Mapping[str, int] = field(default_factory=dict)
    name: str = ""

    def place(self, path: str) -> str:
        """Return where a dotted path stands, or where the nearest that holds it does; "" in a single line."""
        if len(set(self.lines.values())) < 2 and not self.name:
            return ""
        steps = re.split(r"(?=[.\[])", path)
        holders = ("".join(steps[:length]) for length in range(len(steps), 0, -1))
        line = next((self.lines[one] for one in holders if one in self.lines), None)
        told = [self.name, f"line {line}" if line is not None else ""]
        return ", ".join(part for part in told if part)

    def located(self, error: DagsterInvalidConfigError) -> DagsterInvalidConfigError:
        """Return an error about the config in which each problem says where in the YAML it is."""

        def told(found: re.Match[str]) -> str:
            place = self.place(found["path"])
            return f"  - {found['path']} ({place}): " if place else found.group()

        message = PROBLEM.sub(told, error.message)
        return DagsterInvalidConfigError(message, where=error.where, hint=error.hint)


def read_run_config(given: Given) -> RunConfigText:
    """Return run config from a mapping, a RunConfig, YAML, or the path of a file of it.

    Raises:
        DagsterInvalidConfigError: when it is none of that, with the line.
    """
    if given is None or isinstance(given, Mapping | RunConfig):
        return RunConfigText(plain_run_config(given))
    text, name = text_of(given)
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        lines = dict(places(node, ""))
        data = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise not_yaml(error, name) from None
    if data is None:
        return RunConfigText({}, {}, name)
    if not isinstance(data, dict):
        raise DagsterInvalidConfigError(f"run config is a mapping, e.g. {EXAMPLE}", where=name)
    return RunConfigText(data, lines, name)


def text_of(given: str | Path) -> tuple[str, str]:
    """Return YAML, and the name of the file that it is from, or "".

    Raises:
        DagsterInvalidConfigError: when there is no such file.
    """
    text = str(given)
    may_be = isinstance(given, Path) or ("\n" not in text and len(text) < 1000 and not text.lstrip().startswith("{"))
    path = Path(text).expanduser()
    if may_be and path.is_file():
        return path.read_text(encoding="utf-8"), path.name
    if isinstance(given, Path) or (may_be and text.endswith((".yaml", ".yml"))):
        raise DagsterInvalidConfigError(f"there is no file `{text}`")
    return text, ""


def not_yaml(error: yaml.YAMLError, name: str) -> DagsterInvalidConfigError:
    """Return the error for what can't be read as YAML; its text isn't repeated, there may be secrets in it."""
    mark = getattr(error, "problem_mark", None)
    said = [part for part in (getattr(error, "context", None), getattr(error, "problem", None)) if part]
    line = f"line {mark.line + 1}, column {mark.column + 1}" if mark is not None else ""
    where = ", ".join(part for part in (name, line) if part)
    what = ", ".join(said) or "it ends too early"
    return DagsterInvalidConfigError(f"the run config isn't YAML: {what}", where=where)


def places(node: yaml.Node | None, path: str) -> Iterator[tuple[str, int]]:
    """Yield the dotted path and the line of each key and item.

    Raises:
        yaml.MarkedYAMLError: when a key is given twice, of which YAML takes the last without a word.
    """
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            name = str(key.value)
            if name in seen and name != "<<":
                raise yaml.MarkedYAMLError(problem=f"`{name}` is given twice", problem_mark=key.start_mark)
            seen.add(name)
            here = f"{path}.{name}" if path else name
            yield here, key.start_mark.line + 1
            yield from places(value, here)
    elif isinstance(node, yaml.SequenceNode):
        for number, item in enumerate(node.value):
            yield f"{path}[{number}]", item.start_mark.line + 1
            yield from places(item, f"{path}[{number}]")


def merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Return nested mappings merged, the second over the first.

    >>> merged({"ops": {"a": 1}}, {"ops": {"b": 2}})
    {'ops': {'a': 1, 'b': 2}}
    """
    both = {
        key: merged(base[key], value) if isinstance(value, Mapping) and isinstance(base.get(key), Mapping) else value
        for key, value in over.items()
    }
    return {**base, **both}
