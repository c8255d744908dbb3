"""Going on from a run that failed: which of its steps needn't run again.

A step that succeeded is passed over, unless its code, its config, or a resource or asset that it reads has changed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from uuid import uuid4

from ipy_orch.errors import DagsterError
from ipy_orch.events.ledger import Ledger
from ipy_orch.events.runs import Run
from ipy_orch.events.types import Part
from ipy_orch.execution.world import Outputs
from ipy_orch.model.keys import AssetKey
from ipy_orch.planning.calls import FromAsset, FromConfig, flat, outputs_in, shape_of
from ipy_orch.planning.hashing.hashing import digest
from ipy_orch.planning.plan import Plan, Step
from ipy_orch.session.jobs.launched import Launched
from ipy_orch.session.recipes import Recipes

__all__ = ["carried", "done", "marks_of", "outside"]


def marks_of(planned: Plan, recipes: Recipes, ledger: Ledger) -> dict[str, str]:
    """Return step -> digest of all that its outcome depends on beside what other steps make."""
    read = outside(planned)
    return {step.name: mark_of(step, recipes, versions_read(step, read, ledger)) for step in planned.every_step}


def versions_read(step: Step, read: set[AssetKey], ledger: Ledger) -> dict[AssetKey, str | None]:
    """Return the versions of the assets that a step reads and the run doesn't make, or of the partitions it reads."""
    found: dict[AssetKey, str | None] = {}
    for key in read_by(step) & read:
        partitions = step.reading.all(key) if step.reading is not None else None
        versions = [ledger.data_version(key, one) for one in (partitions if partitions is not None else (None,))]
        found[key] = versions[0] if len(versions) == 1 else digest(versions)
    return found


def done(
    planned: Plan, marks: Mapping[str, str], last: Launched, run: Run, is_gone: Callable[[Step], bool]
) -> dict[str, str]:
    """Return the steps that needn't run again -> the run that made what they make.

    Those that have changed since, or whose values are gone, run again, and so does what is downstream of them.
    """
    made = dict(last.outputs.done)
    made |= {name: last.run_id for name, step in run.steps.items() if step.status == "success"}
    steps = list(planned.every_step)
    again = {step.name for step in steps if last.marks.get(step.name) != marks[step.name] or is_gone(step)}
    redone = below(steps, again)
    return {name: run_id for name, run_id in made.items() if name.partition("[")[0] not in redone}


def mark_of(step: Step, recipes: Recipes, versions: Mapping[AssetKey, str | None]) -> str:
    """Return a digest of all that the outcome of a step depends on beside what other steps make.

    Args:
        versions: of assets that are read and not made.
    """
    reads = [(key.label, versions[key]) for key in sorted(read_by(step)) if key in versions]
    if step.definition is not None:
        return digest([reads, [(part.kind, part.name, part.digest) for part in step.parts]])
    try:
        parts = [*recipes.code_of(step.op), *resource_parts(step, recipes), *recipes.inputs_of(step.call)]
    except DagsterError:
        return uuid4().hex
    config = recipes.config.op_parts(step.place) if recipes.config is not None else []
    told = [(part.kind, part.name, part.digest) for part in parts]
    return digest([reads, told, [(name, text) for name, _, text in config], shape_of([step.call])])


def resource_parts(step: Step, recipes: Recipes) -> Iterator[Part]:
    """Yield the parts of the resources that an op takes."""
    for key in sorted(step.op.required_resource_keys):
        yield from recipes.resource(key)


def carried(outputs: Outputs, done: Mapping[str, str]) -> Outputs:
    """Return of the outputs of an earlier run those of the steps that aren't run again."""
    return Outputs(
        {place: value for place, value in outputs.kept.items() if place[0] in done},
        {place: keys for place, keys in outputs.mapping_keys.items() if place[0] in done},
        {place for place in outputs.left_out if place[0] in done},
        done,
    )


def read_by(step: Step) -> set[AssetKey]:
    """Return the assets that a step reads."""
    found = {*step.inputs}
    for source in step.call.sources.values():
        for one in flat(source):
            key = one.key if isinstance(one, FromAsset) else one.asset if isinstance(one, FromConfig) else None
            found |= {key} if key is not None else set()
    return found


def outside(planned: Plan) -> set[AssetKey]:
    """Return the assets that a plan reads and doesn't make."""
    return {key for step in planned.every_step for key in read_by(step)} - {*planned.keys}


def below(steps: Sequence[Step], names: Iterable[str]) -> set[str]:
    """Return steps and all that read what they make, at any distance."""
    before = {step.name: {*step.after, *(place for place in makers_for(step))} for step in steps}
    found, size = set(names), -1
    while len(found) > size:
        size = len(found)
        found |= {name for name, needs in before.items() if needs & found}
    return found


def makers_for(step: Step) -> Iterator[str]:
    """Yield the steps whose outputs a step takes, also those that run once for each key."""
    for source in step.call.sources.values():
        yield from (step.scope + one.call for one in outputs_in(source))
