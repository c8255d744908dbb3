"""Loading what a step reads: each input through the IO manager that keeps its asset."""

from __future__ import annotations

import time
from typing import Any

from ipy_orch.events.types import InputLoaded, Observed
from ipy_orch.execution.io_contexts import InputContext, OutputContext
from ipy_orch.execution.iomanagers import SessionIOManager
from ipy_orch.execution.wiring import Inlet, check_type, wiring
from ipy_orch.execution.world import OpenRun
from ipy_orch.model.assets import AssetsDefinition
from ipy_orch.model.keys import AssetKey
from ipy_orch.model.ops import IO_MANAGER, NO_VALUE, RESULT
from ipy_orch.planning.plan import Step

__all__ = ["Loader", "upstream_context"]


class Loader:
    """Load the inputs of the steps of one run."""

    def __init__(self, run: OpenRun) -> None:
        self.run = run
        self.makers = run.world.makers
        self.managers: dict[AssetKey, str] = {}
        self.sources: dict[str, list[tuple[Inlet, str]]] = {}

    def required(self, step: Step) -> set[str]:
        """Return the IO managers that a step's inputs come from."""
        inlets = wiring(step.definition).inlets
        self.sources[step.name] = [(one, self.manager_of(one)) for one in inlets if not self.has_only_default(one)]
        return {manager for _, manager in self.sources[step.name]}

    def manager_of(self, inlet: Inlet) -> str:
        """Return the resource that loads an input."""
        if inlet.port.input_manager_key:
            return inlet.port.input_manager_key
        known = self.managers.get(inlet.key)
        if known is None:
            maker = self.makers.get(inlet.key)
            known = maker.get_io_manager_key_for_asset_key(inlet.key) if maker is not None else IO_MANAGER
            self.managers[inlet.key] = known
        return known

    def load_all(self, step: Step) -> dict[str, Any]:
        """Return the values of a step's inputs by name, without those that the function has a default for.

        Raises:
            DagsterTypeCheckDidNotPass: when a value isn't of the type that the input declares.
            Exception: what an IO manager raises.
        """
        return {inlet.name: self.load(step, inlet, manager) for inlet, manager in self.sources[step.name]}

    def has_only_default(self, inlet: Inlet) -> bool:
        """Tell whether nothing makes an input's asset, and the function knows what to take instead."""
        if not inlet.port.has_default_value:
            return False
        maker = self.makers.get(inlet.key)
        return maker is None or not maker.is_executable

    def load(self, step: Step, inlet: Inlet, name: str) -> Any:
        """Return the value of one input, which the IO manager ``name`` has.

        The session's own store is asked by key, and its values never left the memory: for a thousand small steps,
        contexts and events of loading would cost more than the steps.
        """
        manager = self.run.objects[name]
        value = self.kept(manager, inlet.key, step.partition) if type(manager) is SessionIOManager else NO_VALUE
        if value is NO_VALUE:
            value = self.fetch(step, inlet, name)
        if not inlet.type.is_any:
            check_type(inlet.type, value, f"input `{inlet.name}` of `{step.name}`")
        return value

    def fetch(self, step: Step, inlet: Inlet, name: str) -> Any:
        """Have an IO manager load the value of an input, and say so."""
        context = self.context(step, inlet, name)
        value = self.run.objects[name].load_input(context)
        for seen in context.seen:
            self.run.emit(Observed(self.run.run_id, time.time(), step.name, seen, step.partition))
        loaded = InputLoaded(self.run.run_id, time.time(), step.name, inlet.name, inlet.key, name, context.added)
        self.run.emit(loaded)
        return value

    def kept(self, store: SessionIOManager, key: AssetKey, partition: str | None) -> Any:
        """Return a value that the session keeps, or NO_VALUE."""
        try:
            return store.get(key, partition)
        except KeyError:
            return NO_VALUE

    def context(self, step: Step, inlet: Inlet, manager: str) -> InputContext:
        """Return what an IO manager learns about an input."""
        maker, world, run = self.makers.get(inlet.key), self.run.world, self.run
        given = world.config.op_inputs(step.definition.op.name) if world.config is not None else {}
        return InputContext(
            name=inlet.name,
            key=inlet.key,
            step_key=step.name,
            run_id=run.run_id,
            partition=step.partition,
            definition_metadata=inlet.port.metadata,
            dagster_type=inlet.type,
            resources=run.resources_for(manager),
            resource_config=run.config_of(manager),
            op_def=step.definition.op,
            config=given.get(inlet.name),
            data_version=world.ledger.data_version(inlet.key, step.partition),
            spec=maker.specs_by_key.get(inlet.key) if maker is not None else None,
            run=run.info,
            upstream=lambda: (
                upstream_context(inlet.key, maker, step.partition, run.run_id) if maker is not None else None
            ),
        )


def upstream_context(key: AssetKey, maker: AssetsDefinition, partition: str | None, run_id: str = "") -> OutputContext:
    """Return the context that an asset's value was stored with."""
    spec, op = maker.specs_by_key.get(key), maker.op_def
    return OutputContext(
        name=maker.output_of.get(key, RESULT),
        key=key,
        step_key=op.name if op is not None else "",
        run_id=run_id,
        partition=partition,
        definition_metadata=spec.metadata if spec is not None else {},
        dagster_type=wiring(maker).outlets[maker.output_of[key]].type
        if op is not None and key in maker.output_of
        else None,
        op_def=op,
        spec=spec,
    )
