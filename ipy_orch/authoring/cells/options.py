"""The options of the cells of assets, checks and ops: one table each, read by ``%%`` lines and by ``#|`` alike."""

from __future__ import annotations

import math
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, Literal

from ipy_orch.errors import DagsterInvalidDefinitionError, closest
from ipy_orch.model.executors import EXECUTOR

__all__ = ["ASSET_OPTIONS", "CHECK_OPTIONS", "OP_OPTIONS", "Option", "parse_line", "parse_yaml", "place_tags"]

Kind = Literal["text", "list", "map", "flag", "number"]


@dataclass(frozen=True)
class Option:
    """Describe an option.

    Args:
        name: its name in ``#|`` lines; ``--name`` with dashes in ``%%`` lines.
        kind: text, number, flag, a list (may be given several times), or a map of ``key=value``.
        help: one line.
        metavar: what stands for the value in help.
    """

    name: str
    kind: Kind
    help: str
    metavar: str = ""

    @property
    def flag(self) -> str:
        """Return the spelling on a ``%%`` line."""
        return "--" + self.name.replace("_", "-")


METADATA: Final = Option("metadata", "map", "facts about it", "KEY=VALUE")
TAGS: Final = Option("tags", "map", "labels", "KEY=VALUE")
CONFIG: Final = Option("config", "text", "the Config class of the name `config` in the body", "CLASS")
CODE_VERSION: Final = Option("code_version", "text", "opts out of the computed code version", "TEXT")
RETRYING: Final = (
    Option("retries", "number", "how often to try again when it raises", "N"),
    Option("retry_delay", "number", "seconds between attempts", "SECONDS"),
)
POOL: Final = Option("pool", "text", "the pool that limits how many run at once, under Dagster", "NAME")
PLACE: Final = Option(
    "executor", "text", "where a session runs it, unlike the others: processes, dask, a variable ...", "WHERE"
)
RUN: Final = Option("run", "flag", "run it now (--no-run: only register it)")

ASSET_OPTIONS: Final = (
    Option("group", "text", "the group it is drawn in", "NAME"),
    Option("deps", "list", "assets it depends on without reading them", "ASSET"),
    Option("kinds", "list", "technologies, e.g. duckdb", "KIND"),
    TAGS,
    Option("owners", "list", "e-mail address or team:name", "OWNER"),
    Option("description", "text", "what it is; by default the cell's docstring", "TEXT"),
    METADATA,
    CONFIG,
    Option("files", "list", "files it reads: it is stale when one of them changes", "PATH"),
    Option("env", "list", "environment variables it reads: it is stale when one changes", "NAME"),
    Option("io_manager", "text", "the resource that stores it; by default the session's memory", "NAME"),
    Option("partitions", "text", "what it is cut into: daily:2024-01-01, static:a,b, dynamic:NAME, a variable", "HOW"),
    Option("partition", "text", "the partition that running the cell makes; by default the last one", "KEY"),
    Option("partition_mapping", "map", "which partitions of an input are read: all, last, same, -6..0", "INPUT=HOW"),
    Option("backfill", "text", "how many partitions one call makes: a number, or all", "N"),
    Option("automation", "text", "when it runs by itself: eager, on_missing, on_cron:@daily, a variable", "WHEN"),
    Option("freshness", "text", "how old it may be: 24h, 24h,12h to warn, cron:@daily,6h, a variable", "AGE"),
    CODE_VERSION,
    *RETRYING,
    POOL,
    PLACE,
    RUN,
)
CHECK_OPTIONS: Final = (
    Option("name", "text", "the name of the check", "NAME"),
    Option("blocking", "flag", "when it fails, what is downstream of the asset doesn't run"),
    Option("severity", "text", "ERROR or WARN", "LEVEL"),
    Option("description", "text", "what must hold", "TEXT"),
    METADATA,
    Option("deps", "list", "other assets it depends on without reading them", "ASSET"),
    PLACE,
    CONFIG,
    RUN,
)
OP_OPTIONS: Final = (
    Option("out", "list", "names of several outputs; the cell ends with a tuple of them", "NAME"),
    Option("deps", "list", "inputs that it waits for without reading them", "NAME"),
    TAGS,
    Option("description", "text", "what it does; by default the cell's docstring", "TEXT"),
    *RETRYING,
    CODE_VERSION,
    POOL,
    PLACE,
)


def place_tags(options: Mapping[str, Any]) -> dict[str, str]:
    """Return the tag of an op that says where it runs, where the options say so.

    >>> place_tags({"executor": "dask"}), place_tags({})
    ({'ipy_orch/executor': 'dask'}, {})
    """
    return {EXECUTOR: options["executor"]} if options.get("executor") else {}


def parse_line(
    words: Sequence[str] | str, options: Sequence[Option], *, where: str = ""
) -> tuple[list[str], dict[str, Any]]:
    """Return the positional words and the options of a ``%%`` line.

    >>> parse_line("orders --group ingest --kinds duckdb --no-run", ASSET_OPTIONS)
    (['orders'], {'group': 'ingest', 'kinds': ['duckdb'], 'run': False})

    Raises:
        DagsterInvalidDefinitionError: for an unknown option, with the closest one, or one without its value.
    """
    rest = split(words, where) if isinstance(words, str) else list(words)
    by_flag = {option.flag: option for option in options}
    positional: list[str] = []
    found: dict[str, Any] = {}
    while rest:
        word, equals, value = rest.pop(0).partition("=")
        if not word.startswith("--"):
            positional.append(word + equals + value)
            continue
        negated = word.startswith("--no-") and word not in by_flag
        option = by_flag.get(f"--{word.removeprefix('--no-')}" if negated else word)
        if option is None or (negated and option.kind != "flag"):
            raise DagsterInvalidDefinitionError(
                f"there is no option `{word}`", where=where, hint=closest(word, by_flag)
            )
        if option.kind == "flag":
            if equals:
                raise DagsterInvalidDefinitionError(
                    f"`{word}` takes no value", where=where, hint=f"{word} or --no-{option.name}"
                )
            found[option.name] = not negated
            continue
        if not equals and not rest:
            raise DagsterInvalidDefinitionError(f"`{word}` needs a value: {option.help}", where=where)
        add(found, option, value if equals else rest.pop(0), where)
    return positional, found


def split(line: str, where: str) -> list[str]:
    """Return the words of a line; quotes keep words together.

    Raises:
        DagsterInvalidDefinitionError: when a quote isn't closed.
    """
    try:
        return shlex.split(line)
    except ValueError:
        raise DagsterInvalidDefinitionError(f"a quote isn't closed in `{line.strip()}`", where=where) from None


def add(found: dict[str, Any], option: Option, text: str, where: str) -> None:
    """Add one value of an option."""
    if option.kind == "list":
        found.setdefault(option.name, []).extend(part.strip() for part in text.split(",") if part.strip())
    elif option.kind == "map":
        key, equals, value = text.partition("=")
        if not equals:
            raise DagsterInvalidDefinitionError(f"`{option.flag}` takes key=value, not `{text}`", where=where)
        found.setdefault(option.name, {})[key] = value
    elif option.kind == "number":
        found[option.name] = number(text, option, where)
    else:
        found[option.name] = text


def number(text: Any, option: Option, where: str) -> float | int:
    """Return a number.

    Raises:
        DagsterInvalidDefinitionError: when it isn't one.
    """
    try:
        value = math.nan if isinstance(text, bool) else float(text)
    except (TypeError, ValueError):
        value = math.nan
    if not math.isfinite(value):
        raise DagsterInvalidDefinitionError(f"`{option.name}` is a number, not `{text}`", where=where)
    return int(value) if value.is_integer() else value


def parse_yaml(given: Mapping[str, Any], options: Sequence[Option], *, where: str = "") -> dict[str, Any]:
    """Return the options of ``#|`` lines, already read as YAML.

    >>> parse_yaml({"group": "ingest", "kinds": "duckdb"}, ASSET_OPTIONS)
    {'group': 'ingest', 'kinds': ['duckdb']}

    Raises:
        DagsterInvalidDefinitionError: for an unknown option or a value of the wrong kind.
    """
    known = {option.name: option for option in options}
    found: dict[str, Any] = {}
    for name, value in given.items():
        option = known.get(str(name).replace("-", "_"))
        if option is None:
            raise DagsterInvalidDefinitionError(
                f"there is no option `{name}`", where=where, hint=closest(str(name), known)
            )
        found[option.name] = fitting(value, option, where)
    return found


def fitting(value: Any, option: Option, where: str) -> Any:
    """Return a YAML value as the option wants it.

    Raises:
        DagsterInvalidDefinitionError: when it's of another kind, or missing.
    """
    match option.kind:
        case "list" if isinstance(value, list) and all(map(is_word, value)):
            return [str(one) for one in value]
        case "list" if isinstance(value, str):
            return value.replace(",", " ").split()
        case "map" if isinstance(value, Mapping):
            return {str(key): one for key, one in value.items()}
        case "flag" if isinstance(value, bool):
            return value
        case "number":
            return number(value, option, where)
        case "text" if is_word(value):
            return str(value)
    quoted = isinstance(value, bool) and option.kind == "text"
    hint = f'#| {option.name}: "{value}"' if quoted else f"{option.name}: {option.help}"
    raise DagsterInvalidDefinitionError(f"`{option.name}` is a {option.kind}, not `{value}`", where=where, hint=hint)


def is_word(value: Any) -> bool:
    """Tell whether a YAML value can be read as text: YAML makes numbers and dates of some words."""
    return isinstance(value, str | int | float | date) and not isinstance(value, bool)
