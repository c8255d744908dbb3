"""The verbs of a session as questions, and their answers as plain data: what the shell prints, or gives out as JSON.

The session may be in this process, with a module's definitions, or in a notebook's kernel; the answers are the same.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from ipy_orch.errors import DagsterInvariantViolationError, IsolationWarning, StoreWarning
from ipy_orch.events.types import Checked, StepFailed
from ipy_orch.model.env import redact_all
from ipy_orch.model.keys import AssetKey, labels
from ipy_orch.planning.plan import Plan
from ipy_orch.session import rows
from ipy_orch.session.jobs.launched import job_rows
from ipy_orch.session.report import Report
from ipy_orch.session.scan import Scanned
from ipy_orch.session.session import Session
from ipy_orch.ui.headlines import Headline, headline
from ipy_orch.ui.pictures import lineage_dot, lineage_svg, lineage_text

__all__ = ["ANSWER", "Answer", "ask", "kept"]

ANSWER: Final = "application/vnd.ipy_orch.answer+json"  #: as which a kernel sends one
Answer = dict[str, Any]
Verb = Callable[..., Answer]


def ask(session: Session, verb: str, options: Mapping[str, Any], hear: Callable[[Headline], object]) -> Answer:
    """Return the answer to a question, as JSON has it.

    Args:
        options: those of the verb; ``store`` is the folder of log and values, which verbs that only read use where it
            is there, and the others make as soon as nothing is wrong with what was asked.
        hear: is called with a headline of each event while something runs.

    Raises:
        DagsterError: when it can't be answered; nothing was written then.
        KeyboardInterrupt: when interrupted.
    """

    def tell(event: Any) -> None:
        if (told := headline(event)) is not None:
            hear(told)

    notes: list[str] = []
    options = dict(options)
    store = options.pop("store", None)
    if store is not None and verb in WRITING:
        CHECKED[verb](session, **options)
    if store is not None and (verb in WRITING or Path(store).is_dir()):
        notes += keep(session, store)
    stop = session.log.listen(tell)
    try:
        with our_warnings(notes):
            answer = VERBS[verb](session, **options)
    finally:
        stop()
    answer["notices"] = [*notes, *answer.get("notices", ())]
    plain: Answer = redact_all(json.loads(json.dumps(answer, default=str)))
    return plain


@contextmanager
def our_warnings(notes: list[str]) -> Iterator[None]:
    """Have our warnings be notices; as warnings they would show a line of ours."""
    with warnings.catch_warnings():
        behind = warnings.showwarning

        def show(message: Any, category: type[Warning], *place: Any, **more: Any) -> None:
            if issubclass(category, IsolationWarning | StoreWarning):
                notes.append(" · ".join(line.strip() for line in str(message).splitlines()))
            else:
                behind(message, category, *place, **more)

        warnings.showwarning = show
        yield


def keep(session: Session, store: str) -> list[str]:
    """Have a session keep log and values in a folder, unless it has one already; return why it can't."""
    if session.persistence.folder is not None:
        return []
    why = session.persistence.use(store)
    if why and not Path(store).is_dir():
        raise DagsterInvariantViolationError(why.partition(". ")[0], hint="`--store DIR` names another folder")
    session.settings.store = str(store) if not why else ""
    return [why] if why else []


# -- reading ----------------------------------------------------------------------------------------------------------


def listed(session: Session, selection: str | None = None) -> Answer:
    """Return what there is: assets and their checks; without a selection also jobs, schedules and sensors."""
    scanned = session.scan()
    keys = set(labels(session.resolve(scanned, selection) if selection is not None else scanned.graph.keys))
    assets = rows.assets(scanned, session.statuses(scanned), session.ledger)
    checks = rows.checks(scanned, session.ledger)
    return {
        "assets": [{**row, "kinds": [*row["kinds"]]} for row in assets if row["asset"] in keys],
        "checks": [row for row in checks if selection is None or row["asset"] in keys],
        "jobs": job_rows(scanned, session.launched, session.history.runs) if selection is None else [],
        "automations": automation_rows(scanned) if selection is None else [],
        "notices": [f"`{key.label}` is left out: {error.message}" for key, error in scanned.broken.items()],
    }


def automation_rows(scanned: Scanned) -> list[Answer]:
    """Return a row per schedule and sensor."""
    return [
        {"automation": name, "kind": found.kind, "cron": getattr(found.definition, "cron_schedule", None)}
        for name, found in sorted(scanned.automations.items())
    ]


def planned(session: Session, selection: str | None = None, **options: Any) -> Answer:
    """Return what would run, and why."""
    return told_plan(session.plan(selection, **options))


def told_plan(plan: Plan) -> Answer:
    """Return a plan as data."""
    steps = [
        {
            "step": step.name,
            "assets": labels(step.keys),
            "checks": [f"{check.asset_key.label}:{check.name}" for check in step.checks],
            "partitions": [one for one in step.partitions if one is not None],
            "reason": str(step.reason),
            "conditional": step.conditional,
            "after": sorted(step.after),
        }
        for step in plan.every_step
    ]
    made = set(plan.keys)
    fresh = [key.label for key in plan.looked_at if key in plan.request.keys and key not in made]
    return {"steps": steps, "fresh": fresh}


def explained(session: Session, asset: str) -> Answer:
    """Return why an asset stands as it does."""
    why = session.why(asset)
    return {
        "asset": why.key.label,
        "partition": why.partition,
        "status": why.status.word,
        "reason": why.status.reason,
        "changes": [{"kind": one.kind, "name": one.name, "lines": [*one.lines]} for one in why.changes],
        "upstream": [*why.upstream],
        "notices": [*map(str, why.behind), *why.notes],
    }


def pictured(session: Session, selection: str | None = None, form: str = "text") -> Answer:
    """Return the lineage as a picture: ``text``, ``dot`` or ``svg``; and as data."""
    scanned = session.scan()
    keys = session.resolve(scanned, selection) if selection is not None else frozenset(scanned.graph.keys)
    status = session.statuses(scanned)
    drawn = FORMS[form](scanned.graph, status, rows.verdicts(session.ledger), keys)
    ordered: list[AssetKey] = scanned.graph.in_order(keys)
    nodes = [
        {
            "asset": key.label,
            "status": status[key].word if key in status else "external",
            "reads": labels(scanned.graph.in_order(scanned.graph.upstream[key])),
        }
        for key in ordered
    ]
    return {"picture": drawn, "assets": nodes}


# -- running ----------------------------------------------------------------------------------------------------------


def materialized(session: Session, selection: str | None = None, **options: Any) -> Answer:
    """Bring assets up to date, and return what came of it."""
    return told_report(session, session.materialize(selection, **options))


def checked(session: Session, selection: str | None = None, **options: Any) -> Answer:
    """Run the checks of assets, and return what came of it."""
    return told_report(session, session.check(selection, **options))


def summed_up(session: Session) -> Answer:
    """Return how all assets and checks stand after the cells of a notebook have run."""
    return listed(session)


def told_report(session: Session, report: Report) -> Answer:
    """Return a report as data, with the verdicts of the checks of its assets."""
    scanned = session.scan()
    looked = {*labels(report.plan.looked_at), *labels(report.plan.request.keys)}
    judged = {*judged_in(report)}
    verdicts = [
        {**row, "earlier": row["status"] != "not run" and f"{row['asset']}:{row['check']}" not in judged}
        for row in rows.checks(scanned, session.ledger)
        if row["asset"] in looked
    ]
    return {
        "success": report.success and not failing(verdicts),
        "run_id": report.result.run_id if report.result is not None else None,
        "status": report.result.status if report.result is not None else "nothing to do",
        "assets": [{"asset": line.name, "status": line.status, "text": kept(line.text)} for line in report.lines],
        "checks": verdicts,
        "errors": errors_of(session, report),
        "notices": [*report.notices],
    }


def judged_in(report: Report) -> Iterator[str]:
    """Yield the checks that gave a verdict in a run, or raised; those of what is fresh did so in an earlier one."""
    for event in report.result.events if report.result is not None else ():
        keys = [event.key] if isinstance(event, Checked) else event.checks if isinstance(event, StepFailed) else ()
        yield from (f"{key.asset_key.label}:{key.name}" for key in keys)


def kept(text: str) -> str:
    """Return the text of a line; what a session would call its own is older than this one."""
    return text.replace("from this session", "unchanged", 1)


def errors_of(session: Session, report: Report) -> list[Answer]:
    """Return the exceptions of the user's code, with their frames; cells go by the names that Jupyter shows."""
    events = report.result.events if report.result is not None else ()
    labels = {f'File "{cell.filename}"': cell.label for cell in session.book.cells.values() if cell.filename}
    return [
        {"step": event.step, "error": event.error, "traceback": replaced(event.traceback, labels)}
        for event in events
        if isinstance(event, StepFailed)
    ]


def replaced(text: str, labels: Mapping[str, str]) -> str:
    """Return a text with other names."""
    for name, label in labels.items():
        text = text.replace(name, label)
    return text


def failing(checks: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return the checks that failed and don't only warn."""
    return [f"{row['asset']}:{row['check']}" for row in checks if row["status"] in ("failed", "raised")]


def check_request(session: Session, selection: str | None = None, **options: Any) -> None:
    """Refuse what can't be materialized as asked, before anything is written."""
    known = ("force", "config", "env", "partition")
    session.plan(selection, **{name: value for name, value in options.items() if name in known})


def check_selection(session: Session, selection: str | None = None, **options: Any) -> None:
    """Refuse a selection or environment that doesn't exist."""
    with session.within(options.get("env")):
        scanned = session.scan()
        keys = session.resolve(scanned, selection)
    if not any(check.asset_key in keys for check in scanned.graph.checks):
        what = f"of `{selection}`" if selection else "here"
        raise DagsterInvariantViolationError(f"there are no checks {what}", hint="`ipy-orch list` shows all checks")


FORMS: Final = {"text": lineage_text, "dot": lineage_dot, "svg": lineage_svg}
CHECKED: Final = {"materialize": check_request, "check": check_selection}
WRITING: Final = frozenset(CHECKED)
VERBS: Final[Mapping[str, Verb]] = {
    "list": listed,
    "plan": planned,
    "why": explained,
    "lineage": pictured,
    "materialize": materialized,
    "check": checked,
    "summary": summed_up,
}
