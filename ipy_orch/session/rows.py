"""Rows of the tables: folds over the events as plain mappings, without pandas."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from ipy_orch.events.ledger import Ledger
from ipy_orch.events.log import EventLog
from ipy_orch.events.types import Logged, Materialized, ResourceFailed
from ipy_orch.model.assets import AssetsDefinition
from ipy_orch.model.checks import AssetCheckSpec
from ipy_orch.model.keys import AssetCheckKey, AssetKey, labels
from ipy_orch.model.results import AssetCheckEvaluation, AssetCheckSeverity
from ipy_orch.model.specs import DEFAULT_GROUP
from ipy_orch.planning.freshness import Freshness, freshness_report
from ipy_orch.planning.staleness import Status
from ipy_orch.session.report import checks_text
from ipy_orch.session.scan import Scanned
from ipy_orch.session.words import metadata_shown

__all__ = ["assets", "checks", "events", "verdicts"]

Row = dict[str, Any]


def assets(scanned: Scanned, statuses: Mapping[AssetKey, Status], ledger: Ledger) -> list[Row]:
    """Return a row per asset, upstream first."""
    found = [asset_row(key, scanned, statuses, ledger) for key in scanned.graph.keys]
    fresh = freshness_report(scanned.graph, ledger, datetime.now(UTC))
    return [{**row, "freshness": words_of(fresh, row["asset"])} for row in found] if fresh else found


def words_of(fresh: Mapping[AssetKey, Freshness], name: str) -> str:
    """Return how fresh an asset is, "" where nothing asks for it."""
    one = fresh.get(AssetKey.from_user_string(name))
    return one.word if one is not None else ""


def asset_row(key: AssetKey, scanned: Scanned, statuses: Mapping[AssetKey, Status], ledger: Ledger) -> Row:
    """Return the row of an asset."""
    spec = scanned.graph.spec(key)
    status = statuses.get(key, Status("external"))
    made = ledger.latest.get(key)
    return {
        "asset": key.label,
        "status": status.word,
        "reason": reason_text(status),
        "group": spec.group_name or DEFAULT_GROUP,
        "kinds": scanned.graph.kinds(key),
        "checks": checks_text(key, scanned.graph, ledger).removeprefix("checks "),
        "description": spec.description or "",
        "reads": ", ".join(labels(scanned.graph.in_order(scanned.graph.upstream[key]))),
        "partitions": partitions_text(status),
        "shape": made.shape if made is not None and made.partition is None else None,
        "bytes": made.nbytes if made is not None else None,
        "seconds": made.seconds if made is not None else None,
        "when": made.at if made is not None else None,
        "cell": cell_label(scanned, scanned.graph.makers[key]),
    }


def reason_text(status: Status) -> str:
    """Return why an asset stands so, without the count of fresh partitions, which has a column of its own."""
    if status.partitions is None:
        return status.reason
    return " · ".join(part for part in status.reason.split(" · ") if not part.endswith(" fresh"))


def partitions_text(status: Status) -> str:
    """Return ``31/365`` where an asset is partitioned: how many are fresh."""
    if status.partitions is None:
        return ""
    counts, total = status.partitions
    return f"{dict(counts).get('fresh', 0):,}/{total:,}"


def cell_label(scanned: Scanned, maker: AssetsDefinition) -> str:
    """Return the label of the cell that a definition is from."""
    cell = scanned.cells.get(maker)
    return cell.label if cell is not None else ""


def checks(scanned: Scanned, ledger: Ledger) -> list[Row]:
    """Return a row per check, by asset in order of lineage."""
    order = scanned.graph.position
    specs = sorted(scanned.graph.checks.values(), key=lambda spec: (order.get(spec.asset_key, -1), spec.name))
    return [check_row(spec, ledger) for spec in specs]


def check_row(spec: AssetCheckSpec, ledger: Ledger) -> Row:
    """Return the row of a check: its last verdict, or the error when it raised since."""
    row: Row = {
        "check": spec.name,
        "asset": spec.asset_key.label,
        "blocking": spec.blocking,
        "description": spec.description or "",
    }
    raised, last = ledger.raised.get((spec.key, None)), ledger.checked.get((spec.key, None))
    if raised is not None:
        return {**row, "status": "raised", "reason": raised.error, "seconds": raised.seconds, "when": raised.at}
    if last is None:
        return {**row, "status": "not run"}
    verdict = last.evaluation
    told = {
        "status": word_of(verdict),
        "severity": verdict.severity.value,
        "description": verdict.description or row["description"],
        "metadata": {name: metadata_shown(value) for name, value in verdict.metadata.items()},
    }
    return {**row, **told, "seconds": last.seconds, "when": last.at}


def verdicts(ledger: Ledger) -> dict[AssetCheckKey, str]:
    """Return check -> ``passed``, ``warned`` or ``failed``, of the checks that ran; one that raised has failed."""
    given = {check: word_of(last.evaluation) for (check, _), last in ledger.checked.items()}
    return {**given, **{check: "failed" for check, _ in ledger.raised}}


def word_of(verdict: AssetCheckEvaluation) -> str:
    """Return a verdict in one word."""
    if verdict.passed:
        return "passed"
    return "warned" if verdict.severity is AssetCheckSeverity.WARN else "failed"


def events(log: EventLog, run_id: str | None) -> list[Row]:
    """Return a row per event, oldest first."""
    chosen = [event for event in log if run_id is None or event.run_id.startswith(run_id)]
    return [
        {"at": event.at, "run_id": event.run_id, "step": event.step, "kind": event.kind, "text": message(event)}
        for event in chosen
    ]


def message(event: Any) -> str:
    """Return an event's message."""
    match event:
        case Logged():
            return f"{event.level or event.stream}: {event.text.rstrip()}"
        case Materialized():
            return event.key.label
        case ResourceFailed():
            return f"{event.name}, {event.phase}: {event.error}"
        case _:
            for name in ("error", "reason", "status", "name"):
                if text := getattr(event, name, ""):
                    return str(text)
            evaluation = getattr(event, "evaluation", None)
            return (
                f"{evaluation.check_name}: {'passed' if evaluation.passed else 'failed'}"
                if evaluation is not None
                else ""
            )
