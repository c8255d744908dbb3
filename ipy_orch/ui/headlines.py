"""What a run says of itself while it goes on, a short mapping per event: for whoever watches from another process."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from ipy_orch.events.types import (
    Checked,
    Event,
    Materialized,
    RunFinished,
    RunStarted,
    StepFailed,
    StepRetrying,
    StepSkipped,
    StepStarted,
    StepSucceeded,
)
from ipy_orch.session.report import facts
from ipy_orch.session.rows import word_of
from ipy_orch.session.words import metadata_shown

__all__ = ["HEADLINE", "Headline", "headline"]

Headline = Mapping[str, Any]

HEADLINE: Final = "application/vnd.ipy_orch.headline+json"  #: as which a kernel sends one


def headline(event: Event) -> Headline | None:
    """Return what to say of an event, as JSON has it; None where that's nothing.

    ``what`` is ``run`` and ``end``, ``start``, ``done`` and ``retry`` of a step, or the word for a line that stays:
    ``ran``, ``failed``, ``skipped``, and the verdicts ``passed`` and ``warned``.
    """
    told: Headline | None = None
    match event:
        case RunStarted():
            told = {"what": "run", "steps": len(event.steps)}
        case RunFinished():
            told = {"what": "end"}
        case StepStarted():
            told = {"what": "start", "step": event.step}
        case StepSucceeded():
            told = {"what": "done", "step": event.step}
        case StepRetrying():
            told = of_step("retry", event, f"tried again: {event.error}")
        case StepFailed():
            told = of_step("failed", event, f"failed: {event.error}")
        case StepSkipped():
            told = of_step("skipped", event, f"skipped: {event.reason}")
        case Materialized():
            name = event.key.label if event.partition is None else f"{event.key.label}[{event.partition}]"
            told = {"what": "ran", "name": name, "text": " · ".join(facts(event))}
        case Checked():
            told = checked(event)
        case _:
            pass
    return told


def of_step(what: str, event: Event, text: str) -> Headline:
    """Return a line that stays, of a step."""
    return {"what": what, "step": event.step, "name": event.step, "text": (text.splitlines() or [""])[0]}


def checked(event: Checked) -> Headline:
    """Return what to say of a verdict."""
    verdict = event.evaluation
    found = [f"{name}={metadata_shown(value)}" for name, value in verdict.metadata.items()]
    told = [word_of(verdict), *filter(None, [verdict.description]), *found]
    return {
        "what": word_of(verdict),
        "name": f"{verdict.asset_key.label}:{verdict.check_name}",
        "text": " · ".join(told).replace("\n", " ")[:200],
    }
