"""What happened, as facts. Nothing else is kept: status, progress, tables and history are folds over these.

Each event is a frozen dataclass with a ``kind``; times are seconds since the epoch, durations are seconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, TypeAlias

from ipy_orch.events.chunks import Chunk
from ipy_orch.model.keys import AssetCheckKey, AssetKey
from ipy_orch.model.results import AssetCheckEvaluation, AssetMaterialization, AssetObservation, ExpectationResult
from ipy_orch.model.wire import Wired

__all__ = [
    "Checked",
    "Event",
    "Expected",
    "Fact",
    "Forgotten",
    "HookRan",
    "InputLoaded",
    "Logged",
    "Materialized",
    "Observed",
    "OutputStored",
    "Part",
    "PartitionsChanged",
    "Recipe",
    "ResourceFailed",
    "RunFinished",
    "RunStarted",
    "StepFailed",
    "StepRetrying",
    "StepSkipped",
    "StepStarted",
    "StepSucceeded",
    "Switched",
    "Ticked",
    "TypeChecked",
]

Metadata: TypeAlias = Annotated[Mapping[str, Any], Wired]


@dataclass(frozen=True, slots=True, order=True)
class Part:
    """One thing a value depends on.

    Args:
        kind: ``code``, ``global``, ``closure``, ``default``, ``config``, ``resource``, ``input``, ``source``, ``env``,
            ``partition``, or ``unknown`` for what can't be followed (``text`` says why, and the step runs again).
        name: the name a person knows it by, e.g. ``clean`` or ``limit``.
        digest: hex digest of its content, equal over kernels and hash seeds.
        text: normalised source or a short repr, for the differences that ``%why`` shows; never a secret.
    """

    kind: str
    name: str
    digest: str
    text: str = ""


Recipe: TypeAlias = tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Fact:
    """Be what all events share: the run, the time, and the step (empty for the run itself)."""

    kind: ClassVar[str]
    run_id: str
    at: float
    step: str = ""


@dataclass(frozen=True, slots=True)
class RunStarted(Fact):
    """A run began, with this many steps; ``what`` is what was asked for, in the words of the asker."""

    kind = "run started"
    what: str = ""
    steps: Mapping[str, str] = field(default_factory=dict)
    keys: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RunFinished(Fact):
    """A run ended: ``success``, ``failure`` or ``canceled``."""

    kind = "run finished"
    status: str = "success"
    seconds: float = 0.0
    message: str = ""


@dataclass(frozen=True, slots=True)
class StepStarted(Fact):
    """A step began; ``reason`` is why it had to."""

    kind = "step started"
    reason: str = ""
    attempt: int = 0


@dataclass(frozen=True, slots=True)
class InputLoaded(Fact):
    """A step's input was loaded through an IO manager or taken from a step before."""

    kind = "input loaded"
    name: str = ""
    key: AssetKey | None = None
    manager: str = ""
    metadata: Metadata = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class OutputStored(Fact):
    """A step's output was stored by an IO manager."""

    kind = "output stored"
    name: str = "result"
    key: AssetKey | None = None
    manager: str = ""
    metadata: Metadata = field(default_factory=dict)
    mapping_key: str | None = None


@dataclass(frozen=True, slots=True)
class Materialized(Fact):
    """An asset has a new value.

    Args:
        version: digest of the recipe, known before running.
        data_version: what downstream depends on: the version, or the ``DataVersion`` that was returned.
        said: whether ``data_version`` was returned by the asset.
        recipe: all that the value depends on.
        seconds: duration of its step.
        nbytes: size in memory, or 0 where it isn't known.
        shape: rows and columns, where it has them.
        output: what the step printed and displayed, in chunks.
    """

    kind = "materialized"
    materialization: AssetMaterialization = None  # type: ignore[assignment]  # required, but follows a default
    partition: str | None = None
    version: str = ""
    data_version: str = ""
    said: bool = False
    recipe: Recipe = ()
    seconds: float = 0.0
    nbytes: int = 0
    shape: tuple[int, ...] | None = None
    manager: str = ""
    output: tuple[Chunk, ...] = ()

    @property
    def key(self) -> AssetKey:
        """Return the asset."""
        return self.materialization.asset_key


@dataclass(frozen=True, slots=True)
class Observed(Fact):
    """An asset that is made elsewhere was looked at."""

    kind = "observed"
    observation: AssetObservation = None  # type: ignore[assignment]
    partition: str | None = None
    data_version: str | None = None

    @property
    def key(self) -> AssetKey:
        """Return the asset."""
        return self.observation.asset_key


@dataclass(frozen=True, slots=True)
class Checked(Fact):
    """A check gave its verdict."""

    kind = "checked"
    evaluation: AssetCheckEvaluation = None  # type: ignore[assignment]
    partition: str | None = None
    version: str = ""
    recipe: Recipe = ()
    blocking: bool = False
    seconds: float = 0.0
    output: tuple[Chunk, ...] = ()

    @property
    def key(self) -> AssetCheckKey:
        """Return the check."""
        return self.evaluation.asset_check_key


@dataclass(frozen=True, slots=True)
class TypeChecked(Fact):
    """The check of a type found something worth telling: that a value isn't of it, or metadata.

    Args:
        port: ``input`` or ``output``.
        name: of the input or output.
    """

    kind = "type checked"
    port: str = "output"
    name: str = "result"
    mapping_key: str | None = None
    success: bool = True
    description: str | None = None
    metadata: Metadata = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Expected(Fact):
    """A step reported whether something is as it was expected to be."""

    kind = "expected"
    expectation: ExpectationResult = None  # type: ignore[assignment]


@dataclass(frozen=True, slots=True)
class Logged(Fact):
    """A step printed, displayed, warned or logged something."""

    kind = "logged"
    stream: str = "log"
    level: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class StepRetrying(Fact):
    """A step failed and will be tried again after ``delay`` seconds."""

    kind = "step retrying"
    attempt: int = 1
    delay: float = 0.0
    error: str = ""


@dataclass(frozen=True, slots=True)
class StepSucceeded(Fact):
    """A step finished."""

    kind = "step succeeded"
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class StepFailed(Fact):
    """A step raised; ``error`` is type and message, ``traceback`` the user's frames.

    ``keys`` and ``checks`` are the assets and verdicts that it should have made, ``partitions`` which of theirs, where
    they are several, ``output`` what it had printed and displayed, in chunks; ``phase`` is ``load`` or ``store`` where
    an IO manager raised, ``check`` where the check of a type did.
    """

    kind = "step failed"
    error: str = ""
    traceback: str = ""
    keys: tuple[AssetKey, ...] = ()
    partition: str | None = None
    seconds: float = 0.0
    metadata: Metadata = field(default_factory=dict)
    output: tuple[Chunk, ...] = ()
    checks: tuple[AssetCheckKey, ...] = ()
    phase: str = ""
    partitions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class StepSkipped(Fact):
    """A step did not run: the ``culprit`` upstream failed, an input was left out, or all turned out unchanged."""

    kind = "step skipped"
    reason: str = ""
    keys: tuple[AssetKey, ...] = ()
    unchanged: bool = False
    culprit: str = ""


@dataclass(frozen=True, slots=True)
class HookRan(Fact):
    """A hook was called after a step: ``completed``, ``skipped`` (the end wasn't one for it) or ``errored``."""

    kind = "hook ran"
    name: str = ""
    status: str = "completed"
    error: str = ""


@dataclass(frozen=True, slots=True)
class ResourceFailed(Fact):
    """A resource raised while it was torn down; the run goes on."""

    kind = "resource failed"
    name: str = ""
    phase: str = "teardown"
    error: str = ""


@dataclass(frozen=True, slots=True)
class Forgotten(Fact):
    """The user asked to forget what is known of an asset."""

    kind = "forgotten"
    key: AssetKey = None  # type: ignore[assignment]
    partition: str | None = None


@dataclass(frozen=True, slots=True)
class PartitionsChanged(Fact):
    """Dynamic partitions of a name were added, or taken away."""

    kind = "partitions changed"
    name: str = ""
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Ticked(Fact):
    """A schedule or sensor was asked what is to be run.

    Args:
        name: of the schedule or sensor.
        status: ``requested``, ``skipped``, ``failed``, or ``missed`` where its turn was over.
        moment: for which a schedule ticked; None for sensors.
        message: why it skipped, or the error.
        cursor: where a sensor goes on the next time.
        run_keys: of the runs that it asked for, as far as they have one.
        requested: how many runs it asked for, without those whose key had its run already.
        printed: what it printed.
    """

    kind = "ticked"
    name: str = ""
    status: str = "skipped"
    moment: float | None = None
    message: str = ""
    cursor: str | None = None
    run_keys: tuple[str, ...] = ()
    requested: int = 0
    seconds: float = 0.0
    printed: str = ""

    @property
    def tick(self) -> str:
        """Return what its runs name it by in their tags."""
        return f"{self.name}.{self.at:.6f}"


@dataclass(frozen=True, slots=True)
class Switched(Fact):
    """A person switched a schedule or sensor on or off."""

    kind = "switched"
    name: str = ""
    on: bool = False


Event: TypeAlias = (
    RunStarted
    | RunFinished
    | StepStarted
    | InputLoaded
    | OutputStored
    | Materialized
    | Observed
    | Checked
    | Expected
    | TypeChecked
    | Logged
    | StepRetrying
    | StepSucceeded
    | StepFailed
    | StepSkipped
    | HookRan
    | ResourceFailed
    | Forgotten
    | PartitionsChanged
    | Ticked
    | Switched
)
