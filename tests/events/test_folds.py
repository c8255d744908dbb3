"""Ledger and runs are folds: what they hold follows from the events alone."""

from __future__ import annotations

from ipy_orch.events.ledger import Ledger
from ipy_orch.events.runs import Runs
from ipy_orch.events.types import (
    Checked,
    Forgotten,
    Materialized,
    Observed,
    RunFinished,
    RunStarted,
    StepFailed,
    StepRetrying,
    StepSkipped,
    StepStarted,
    StepSucceeded,
)
from ipy_orch.model.keys import AssetCheckKey, AssetKey
from ipy_orch.model.results import AssetCheckEvaluation, AssetMaterialization, AssetObservation

A = AssetKey("a")


def made(version: str, partition: str | None = None) -> Materialized:
    """Return a materialization of `a`."""
    return Materialized("r", 1.0, "a", AssetMaterialization(A), partition, version, version)


def test_the_latest_value_counts() -> None:
    """Per asset and partition."""
    ledger = Ledger([made("1"), made("2"), made("3", "monday")])
    assert ledger.data_version(A) == "2"
    assert ledger.data_version(A, "monday") == "3"
    assert ledger.data_version(A, "tuesday") is None


def test_a_failure_stays_until_the_next_success() -> None:
    """And the old value stays known beside it."""
    ledger = Ledger([made("1"), StepFailed("r", 2.0, "a", "ValueError: x", "", (A,))])
    assert ledger.failed[A, None].error == "ValueError: x"
    assert ledger.data_version(A) == "1"
    ledger.apply(made("2"))
    assert not ledger.failed


def test_an_observation_is_a_version() -> None:
    """Where nothing was materialized."""
    ledger = Ledger([Observed("r", 1.0, "a", AssetObservation(A), None, "seen")])
    assert ledger.data_version(A) == "seen"


def test_a_run_knows_verdicts_that_are_not_good() -> None:
    """By step, of its last attempt; the step succeeds all the same."""

    def verdict(name: str, passed: bool) -> Checked:
        return Checked("r", 2.0, "a", AssetCheckEvaluation(A, name, passed))

    runs = Runs([RunStarted("r", 1.0, "", "all", {"a": ""}), StepStarted("r", 1.5, "a")])
    for event in (verdict("good", True), verdict("bad", False), StepRetrying("r", 3.0, "a", 1, "ValueError", 0.0)):
        runs.apply(event)
    assert [one.check_name for one in runs.runs["r"].unpassed["a"]] == ["bad"]
    for event in (StepStarted("r", 4.0, "a"), verdict("worse", False), StepSucceeded("r", 5.0, "a", 1.0)):
        runs.apply(event)
    assert [one.check_name for one in runs.runs["r"].unpassed["a"]] == ["worse"]
    assert runs.runs["r"].count("success") == 1


def test_a_canceled_step_took_as_long_as_it_ran() -> None:
    """One that waited took no time."""
    runs = Runs([RunStarted("r", 1.0, "", "all", {"a": "", "b": ""}), StepStarted("r", 1.5, "a")])
    runs.apply(RunFinished("r", 5.0, "", "canceled", 4.0))
    steps = runs.runs["r"].steps
    assert [(step.status, step.seconds) for step in steps.values()] == [("canceled", 3.5), ("canceled", 0.0)]


def test_forgetting_drops_checks_too() -> None:
    """All that is known of the asset."""
    verdict = Checked("r", 1.0, "k", AssetCheckEvaluation(A, "k", True))
    ledger = Ledger([made("1"), verdict])
    assert (AssetCheckKey(A, "k"), None) in ledger.checked
    ledger.apply(Forgotten("", 0.0, "", A))
    assert not ledger.materialized
    assert not ledger.checked


def test_a_run_tells_how_its_steps_go() -> None:
    """From waiting over running to an end."""
    runs = Runs([RunStarted("r", 1.0, "", "all", {"a": "never materialized", "b": "", "c": ""})])
    run = runs.runs["r"]
    assert run.count("waiting") == 3
    runs.apply(StepStarted("r", 1.0, "a", "why"))
    assert run.running == ["a"]
    runs.apply(StepRetrying("r", 1.0, "a", 1, 0.5, "ValueError: x"))
    assert run.steps["a"].status == "retrying"
    runs.apply(StepSucceeded("r", 2.0, "a", 1.0))
    runs.apply(StepFailed("r", 2.0, "b", "ValueError: x"))
    runs.apply(RunFinished("r", 3.0, "", "failure", 2.0, "b: ValueError: x"))
    assert (run.status, run.seconds) == ("failure", 2.0)
    assert {name: step.status for name, step in run.steps.items()} == {"a": "success", "b": "failure", "c": "canceled"}


def test_unchanged_isn_t_skipped() -> None:
    """A step whose inputs turned out unchanged is told apart from one that couldn't run."""
    runs = Runs([RunStarted("r", 1.0, "", "all", {"a": "", "b": ""})])
    runs.apply(StepSkipped("r", 1.0, "a", "inputs unchanged", (A,), unchanged=True))
    runs.apply(StepSkipped("r", 1.0, "b", "a failed", ()))
    assert [step.status for step in runs.runs["r"].steps.values()] == ["unchanged", "skipped"]


def test_only_the_newest_runs_are_kept() -> None:
    """Oldest first out."""
    runs = Runs([RunStarted(str(number), 1.0) for number in range(5)], kept=2)
    assert list(runs.runs) == ["3", "4"]
