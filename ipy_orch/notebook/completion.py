"""Completion of names and options on the lines of our magics and directives."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final
from zoneinfo import available_timezones

from IPython.core.completer import CompletionContext, SimpleCompletion, context_matcher
from IPython.core.interactiveshell import InteractiveShell

from ipy_orch.authoring.cells.automation import KINDS
from ipy_orch.authoring.cells.conditions import CRON, PLAIN
from ipy_orch.authoring.cells.options import ASSET_OPTIONS, CHECK_OPTIONS, OP_OPTIONS, Option
from ipy_orch.automation.automations import MISSED
from ipy_orch.errors import DagsterError
from ipy_orch.export.written import JOB_OPTIONS
from ipy_orch.model.conditions.condition import AutomationCondition
from ipy_orch.model.freshness import FreshnessPolicy
from ipy_orch.model.keys import labels
from ipy_orch.model.partitions.definition import PartitionsDefinition
from ipy_orch.session.components import component_words
from ipy_orch.session.session import Session

__all__ = ["complete", "register"]

FLAGS: Final = {
    "materialize": ["--partition", "--force", "--config", "--env", "--workers", "--checks-only"],
    "backfill": ["--partitions", "--missing", "--failed", "--force", "--resume", "--env", "--workers"],
    "partitions": ["--status", "--add", "--remove"],
    "export": ["--for", "--package", "--force"],
    "job": [option.flag for option in JOB_OPTIONS],
    "launch": ["--partition", "--config", "--op-selection", "--env", "--workers", "--from-failure"],
    "why": ["--partition"],
    "tick": ["--at", "--run"],
    "daemon": ["--missed"],
    "open": ["--partition"],
    "resources": ["--env"],
    "config_schema": ["--env"],
}
CELLS: Final = {"asset": ASSET_OPTIONS, "asset_check": CHECK_OPTIONS, "op": OP_OPTIONS, **KINDS}
DIRECTIVES: Final = {"asset": ASSET_OPTIONS, "check": CHECK_OPTIONS, "op": OP_OPTIONS}
SELECTING: Final = ("materialize", "backfill", "forget", "lineage", "job")
KINDS_OF_PARTITIONS: Final = ("daily:", "hourly:", "weekly:", "monthly:", "static:", "dynamic:", "cron:")
OR_VARIABLE: Final[Mapping[str, tuple[Sequence[str], type]]] = {
    "partitions": (KINDS_OF_PARTITIONS, PartitionsDefinition),
    "automation": ((*PLAIN, f"{CRON}:@daily"), AutomationCondition),
    "freshness": (("24h", "24h,12h", "cron:@daily,6h"), FreshnessPolicy),
}  #: what begins the value of an option that may be a variable as well
MOST_PARTITIONS: Final = 50  #: of an asset, the newest, that are offered

_CELL = re.compile(r"^%%(asset|asset_check|op|schedule|sensor)\s+(.*)$")
_LINE = re.compile(
    r"^\s*%{0,2}(materialize|backfill|partitions|why|open|forget|lineage|export|use|resources|config_schema|job|launch)"
    r"\s+(.*)$"
)
_LOCATION = re.compile(r"^\s*%code_location\s+(.*)$")
_TICK = re.compile(r"^\s*%(tick|ticks|automations|daemon)\s+(.*)$")
_DIRECTIVE = re.compile(r"^#\|\s*(.*)$")
_KIND = re.compile(r"^\s*#\|\s*(asset|check|op)\s*:", re.MULTILINE)


def complete(session: Session, text: str, line_number: int, line: str) -> list[str] | None:
    """Return the words that can stand at the end of ``line``; None where the line isn't ours.

    Args:
        text: the whole cell.
        line: the current line up to the cursor.
    """
    if line_number == 0 and (cell := _CELL.match(line)):
        return fitting(line, of_cell(session, cell[1], cell[2]))
    known: Iterable[str] | None = component_words(session.namespace, text, line_number, line)
    if found := _TICK.match(line):
        known = of_tick(session, found[1], found[2])
    if found := _LOCATION.match(line):
        known = of_location(session, found[1])
    if known is not None:
        return fitting(line, known)
    if found := _LINE.match(line):
        if not line.lstrip().startswith("%") and line_number:
            return None
        return fitting(line, of_line(session, found[1], found[2]))
    if (found := _DIRECTIVE.match(line)) and (kind := _KIND.search(text) or _DIRECTIVE.match(text)):
        return fitting(line, of_directive(session, kind[1], found[1]))
    return None


def fitting(line: str, words: Iterable[str]) -> list[str]:
    """Return the words that begin as the last one of the line."""
    last = re.split(r"[\s,]", line)[-1]
    return [word for word in dict.fromkeys(words) if word.startswith(last)]


def of_cell(session: Session, magic: str, rest: str) -> Iterator[str]:
    """Yield what can follow on a ``%%asset`` or ``%%asset_check`` line."""
    before = rest.split()[: -1 if rest and not rest[-1].isspace() else None]
    option = by_flag(CELLS[magic], before[-1] if before else "")
    if option is not None and option.kind != "flag":
        yield from values(session, option)
        return
    if not before and magic == "asset_check":
        yield from names(session)
    elif before:
        given = {word.partition("=")[0] for word in before}
        repeatable = ("list", "map")
        for one in CELLS[magic]:
            flag = "--no-run" if one.name == "run" else one.flag
            if flag not in given or one.kind in repeatable:
                yield flag


def of_location(session: Session, rest: str) -> Iterator[str]:
    """Yield what can follow on a ``%code_location`` line."""
    before = rest.split()[: -1 if rest and not rest[-1].isspace() else None]
    if not before:
        yield from ("add", "list", "reload", "remove")
    elif before[0] in ("reload", "remove"):
        yield from session.code_locations.known
    elif before[0] == "add":
        flags = ("--module", "--file", "--notebook", "--workspace", "--kernel", "--python", "--attribute")
        yield from (flag for flag in flags if flag not in before)


def by_flag(options: Iterable[Option], flag: str) -> Option | None:
    """Return the option of a flag."""
    return next((option for option in options if option.flag == flag), None)


def values(session: Session, option: Option) -> Iterator[str]:
    """Yield known values of an option."""
    match option.name:
        case "deps":
            yield from names(session)
        case "group":
            yield from groups(session)
        case "severity":
            yield from ("ERROR", "WARN")
        case "partitions" | "automation" | "freshness":
            words, kind = OR_VARIABLE[option.name]
            yield from words
            yield from (name for name, one in session.namespace.items() if isinstance(one, kind))
        case "io_manager":
            yield from sorted(scanned(session, lambda found: found.resources) or ())
        case "job":
            jobs = scanned(session, lambda found: found.places_of_jobs) or {}
            yield from (name for name, one in jobs.items() if not one.location)
        case "target" | "asset":
            yield from names(session)
        case "timezone":
            yield from sorted(available_timezones())
        case "config":
            yield from (name for name, one in session.namespace.items() if is_config(name, one))
        case _:
            return


def of_tick(session: Session, magic: str, rest: str) -> Iterator[str]:
    """Yield what can follow on the line of a magic of schedules and sensors."""
    before = rest.split()[: -1 if rest and not rest[-1].isspace() else None]
    if rest.rsplit(" ", maxsplit=1)[-1].startswith("-"):
        yield from FLAGS.get(magic, ())
    elif magic == "daemon":
        yield from MISSED if before[-1:] == ["--missed"] else ("start", "stop", "status")
    elif magic == "automations" and not before:
        yield from ("on", "off")
    elif magic == "automations" or not before:
        yield from scanned(session, lambda found: found.all_automations) or ()


def of_line(session: Session, magic: str, rest: str) -> Iterator[str]:
    """Yield what can follow on the line of a line magic."""
    last = rest.rsplit(" ", maxsplit=1)[-1]
    if magic in FLAGS and last.startswith("-"):
        yield from FLAGS[magic]
        return
    if magic == "use" or "--env" in (rest.split()[-1:] if rest[-1:].isspace() else rest.split()[-2:-1]):
        yield from session.environments.names
        return
    before = rest.split()[: -1 if rest and not rest[-1].isspace() else None]
    if before and before[-1] in ("--partition", "--partitions"):
        yield from partitions(session, before[0])
        return
    if magic == "launch":
        yield from launchable(session, rest)
        return
    if magic == "resources" or (magic == "job" and not before):
        return  # the first word after `%job` is the name of the new one
    if magic == "export":
        if rest.split()[-1:] == ["--for"] or rest.split()[-2:-1] == ["--for"]:
            yield from ("dagster", "ipy_orch")
        return
    yield from names(session)
    if magic in SELECTING:
        yield from (f"group:{group}" for group in groups(session))
        yield from (f"+{name}" for name in names(session) if last.startswith("+"))


def partitions(session: Session, name: str) -> list[str]:
    """Return the newest partitions of an asset, the last one first."""
    found = scanned(session, lambda known: known)
    key = found.names.get(name) if found is not None else None
    cut = found.graph.spec(key).partitions_def if key is not None and key in found.graph.makers else None
    if cut is None:
        return []
    with session.instance.looking():
        return [*reversed(cut.get_partition_keys()[-MOST_PARTITIONS:])]


def launchable(session: Session, rest: str) -> Iterator[str]:
    """Yield what can follow after ``%launch``: a job, or ops of the job after ``--op-selection``."""
    before = rest.split()[: -1 if rest and not rest[-1].isspace() else None]
    jobs = scanned(session, lambda found: found.jobs) or {}
    if not before:
        yield from jobs
    elif before[-1] == "--op-selection" and before[0] in jobs:
        yield from (node.name for node in getattr(getattr(jobs[before[0]], "graph_def", None), "nodes", ()))


def of_directive(session: Session, kind: str, rest: str) -> Iterator[str]:
    """Yield what can follow in a ``#|`` line."""
    name, colon, _ = rest.partition(":")
    if colon:
        option = next((one for one in DIRECTIVES.get(kind, ASSET_OPTIONS) if one.name == name.strip()), None)
        if name.strip() == "check":
            yield from names(session)
        elif option is not None and option.kind == "flag":
            yield from ("true", "false")
        elif option is not None:
            yield from values(session, option)
        return
    if kind not in DIRECTIVES:
        yield from ("asset:", "check:", "op:")
        return
    yield from (f"{option.name}:" for option in DIRECTIVES[kind])


def scanned(session: Session, read: Callable[[Any], Any]) -> Any:
    """Return what ``read`` finds in a scan, or None while the notebook contradicts itself."""
    try:
        return read(session.scan())
    except DagsterError:
        return None


def names(session: Session) -> list[str]:
    """Return the names of all assets."""
    return labels(scanned(session, lambda found: found.graph.keys) or ())


def groups(session: Session) -> list[str]:
    """Return the names of the groups."""
    specs = scanned(session, lambda found: [found.graph.spec(key) for key in found.graph.keys]) or ()
    return sorted({spec.group_name for spec in specs if spec.group_name})


def is_config(name: str, value: Any) -> bool:
    """Tell whether a variable is a Config class."""
    return (
        not name.startswith("_")
        and isinstance(value, type)
        and any(base.__name__ == "Config" for base in value.__mro__)
    )


def register(ip: InteractiveShell, session: Session) -> Callable[[], None]:
    """Add a matcher to the shell's completer; return what undoes it."""

    @context_matcher()  # type: ignore[untyped-decorator]
    def ipy_orch_matcher(context: CompletionContext) -> Any:
        line = context.text_until_cursor
        words = complete(session, context.full_text, context.cursor_line, line)
        if not words:
            return {"completions": [], "suppress": False}
        fragment = context.token
        start = len(re.split(r"[\s,]", line)[-1]) - len(fragment)
        shown = [SimpleCompletion(word[max(start, 0) :], type="param") for word in words]
        return {"completions": shown, "suppress": True, "ordered": True, "matched_fragment": fragment}

    completer: Any = ip.Completer
    completer.custom_matchers.append(ipy_orch_matcher)

    def undo() -> None:
        if ipy_orch_matcher in completer.custom_matchers:
            completer.custom_matchers.remove(ipy_orch_matcher)

    return undo
