"""What came of a request, for people: one line per asset, with its reason."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from ipy_orch.events.ledger import Ledger
from ipy_orch.events.types import Materialized, ResourceFailed, StepFailed
from ipy_orch.execution.engine import RunResult
from ipy_orch.model.env import redact
from ipy_orch.model.keys import AssetKey, labels
from ipy_orch.planning.graph import AssetGraph
from ipy_orch.planning.plan import Plan
from ipy_orch.session.partitions.report import Counted, counted, several
from ipy_orch.session.words import human_seconds, human_shape

__all__ = ["Line", "Report", "first_line"]


@dataclass(frozen=True)
class Line:
    """Be the line of one asset, and the words for it.

    Args:
        status: ``ran``, ``fresh``, ``failed``, ``skipped`` or ``canceled``.
    """

    key: AssetKey
    status: str
    text: str

    @property
    def name(self) -> str:
        """Be the name of what the line is of."""
        return self.key.label

    def __str__(self) -> str:
        return f"{self.name} · {self.text}" if self.text else self.name


@dataclass
class Report:
    """Be what came of a request.

    Args:
        lines: one per asset that ran or was asked for, upstream first.
        notices: things to know: cells that are behind, scratch variables, files that aren't declared.
    """

    plan: Plan
    result: RunResult | None
    lines: list[Line] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)

    @property
    def success(self) -> bool:
        """Tell whether all went well."""
        return self.result is None or self.result.success

    @property
    def errors(self) -> Mapping[str, BaseException]:
        """Return the exceptions by step."""
        return self.result.errors if self.result is not None else {}

    @property
    def materialized(self) -> list[AssetKey]:
        """Return the assets that have new values."""
        return [line.key for line in self.lines if line.status == "ran" and isinstance(line.key, AssetKey)]

    def __str__(self) -> str:
        return redact("\n".join([*map(str, self.lines), *self.notices]))

    def __repr__(self) -> str:
        return str(self)


def report(
    plan: Plan, result: RunResult | None, graph: AssetGraph, ledger: Ledger, notices: list[str], environment: str = ""
) -> Report:
    """Return the report of a run, or of a request for which nothing had to run.

    Args:
        environment: that it was run in, "" for the notebook's own resources.
    """
    reasons = {key: str(step.reason) for step in plan.steps for key in step.keys}
    steps = {key: step.name for step in plan.steps for key in step.keys}
    failed = [event for event in (result.events if result else ()) if isinstance(event, StepFailed)]
    steps |= {key: event.step for event in failed for key in event.keys}  # of a graph, not the last op's
    ran = {event.key for event in (result.events if result else ()) if isinstance(event, Materialized)}
    keys = graph.in_order({*reasons, *plan.request.keys})
    cut = counted(plan, result) if graph.is_partitioned else {}
    lines = [
        line_of_partitions(key, cut[key], reasons, result, graph, ledger)
        if key in cut
        else line_of(key, key in ran, steps.get(key, ""), reasons, plan, result, graph, ledger)
        for key in keys
    ]
    if environment:
        lines = [replace(line, text=f"{line.text} · in {environment}".removeprefix(" · ")) for line in lines]
    return Report(plan, result, lines, [*notices, *torn_down_badly(result)])


def torn_down_badly(result: RunResult | None) -> list[str]:
    """Return a notice for each resource that raised while it was closed, which is no reason for a run to fail."""
    events = [event for event in (result.events if result else ()) if isinstance(event, ResourceFailed)]
    return [f"resource `{event.name}` raised in its {event.phase}: {event.error}" for event in events]


def line_of(
    key: AssetKey,
    ran: bool,
    step: str,
    reasons: Mapping[AssetKey, str],
    plan: Plan,
    result: RunResult | None,
    graph: AssetGraph,
    ledger: Ledger,
) -> Line:
    """Return the line of one asset."""
    made = ledger.materialized.get((key, plan.request.partition))
    if result is not None and step in result.errors:
        error = result.errors[step]
        return Line(key, "failed", f"failed: {type(error).__name__}: {first_line(error)}")
    if ran and made is not None:
        parts = [*facts(made), checks_text(key, graph, ledger), reads_text(key, graph), reasons.get(key, "")]
        return Line(key, "ran", " · ".join(part for part in parts if part))
    if key not in reasons:
        parts = ["from this session" if made is not None else "external", *(facts(made) if made else [])]
        return Line(key, "fresh", " · ".join([*parts, *filter(None, [checks_text(key, graph, ledger)])]))
    if result is not None and result.status == "canceled":
        return Line(key, "canceled", "canceled, nothing stored")
    return skipped_line(key, step, result)


def line_of_partitions(
    key: AssetKey,
    one: Counted,
    reasons: Mapping[AssetKey, str],
    result: RunResult | None,
    graph: AssetGraph,
    ledger: Ledger,
) -> Line:
    """Return the line of an asset of which partitions were asked for, or were read."""
    canceled = result is not None and result.status == "canceled"
    partition = one.only
    if partition is None:
        status = "canceled" if canceled and one.left and not one.failed else one.status
        return Line(key, status, several(one))
    made = ledger.materialized.get((key, partition))
    if one.failed:
        return Line(key, "failed", f"{partition} · failed: {one.failed[partition]}")
    if one.left:
        return Line(
            key, *(("canceled", f"{partition} · canceled") if canceled else ("skipped", f"{partition} · skipped"))
        )
    told = facts(made) if made is not None else []
    if one.ran:
        parts = [*told, checks_text(key, graph, ledger, partition), reads_text(key, graph), reasons.get(key, "")]
        return Line(key, "ran", " · ".join([partition, *filter(None, parts)]))
    word = "inputs unchanged, kept" if one.kept else "from this session"
    return Line(key, "fresh", " · ".join([partition, word, *told]))


def skipped_line(key: AssetKey, step: str, result: RunResult | None) -> Line:
    """Return the line of an asset whose step did not run."""
    skipped = [
        event for event in (result.events if result else ()) if event.kind == "step skipped" and event.step == step
    ]
    if skipped and getattr(skipped[0], "unchanged", False):
        return Line(key, "fresh", "inputs unchanged, kept")
    why = getattr(skipped[0], "reason", "") if skipped else "not run"
    return Line(key, "skipped", f"skipped: {why}")


def facts(made: Materialized) -> list[str]:
    """Return rows × columns and duration."""
    return [text for text in (human_shape(made.shape), human_seconds(made.seconds)) if text]


def checks_text(key: AssetKey, graph: AssetGraph, ledger: Ledger, partition: str | None = None) -> str:
    """Return ``checks 2/2``, with the names of those that failed."""
    checks, known = graph.checks_of.get(key, ()), ledger.checked
    verdicts = [known.get((check, partition)) or known.get((check, None)) for check in checks]
    given = [one.evaluation for one in verdicts if one is not None]
    if not given:
        return ""
    bad = [f"{'⚠' if one.severity.value == 'WARN' else '✗'} {one.check_name}" for one in given if not one.passed]
    return " ".join([f"checks {sum(one.passed for one in given)}/{len(given)}", *bad])


def reads_text(key: AssetKey, graph: AssetGraph) -> str:
    """Return ``reads raw``."""
    deps = sorted(labels(graph.upstream.get(key, ())))
    return f"reads {', '.join(deps)}" if deps else ""


def first_line(error: BaseException) -> str:
    """Return the first line of an error's message."""
    return redact((str(error).splitlines() or [""])[0])
