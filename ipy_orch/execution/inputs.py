"""Loading what a step reads: assets and outputs of other steps through the IO managers that keep them.

An input may also come from run config, through the loader of its type, or be a value that was given.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ipy_orch.events.types import InputLoaded, Observed
from ipy_orch.execution.contexts.io import InputContext, OutputContext
from ipy_orch.execution.iomanagers import SessionIOManager
from ipy_orch.execution.types import DagsterTypeLoaderContext, load_from_config
from ipy_orch.execution.wiring import Inlet, wiring, wiring_of
from ipy_orch.execution.workers.afar import SealedAfar
from ipy_orch.execution.workers.lanes import Place
from ipy_orch.execution.world import OpenRun
from ipy_orch.model.assets import AssetsDefinition
from ipy_orch.model.config.schema import MISSING
from ipy_orch.model.keys import AssetKey
from ipy_orch.model.ops import IO_MANAGER, NO_VALUE, RESULT
from ipy_orch.planning.calls import Collected, FanIn, FromAsset, FromConfig, FromOutput, FromValue, Source
from ipy_orch.planning.plan import Step

__all__ = ["Loader", "upstream_context"]


class Loader:
    """Load the inputs of the steps of one run.

    Args:
        steps: name -> step, of all that run and of those whose outputs another run has made.
        here: where steps run that say nothing.
        apart: step -> where it runs.
    """

    def __init__(self, run: OpenRun, steps: Mapping[str, Step], here: Place, apart: Mapping[str, Place]) -> None:
        self.run, self.steps = run, steps
        self.makers = run.world.makers
        self.made = {key: step for step in steps.values() for key in step.keys}
        self.here, self.apart = here, apart
        self.is_near = any(place.near is not None for place in (here, *apart.values()))
        self.managers: dict[AssetKey, str] = {}
        self.plain: dict[str, list[tuple[Inlet, AssetKey, str]]] = {}

    # -- what is needed -----------------------------------------------------------------------------------------------

    def required(self, step: Step) -> set[str]:
        """Return the resources that a step's inputs take: IO managers that load them, and those of types' loaders."""
        ports = wiring(step)
        if ports.assets is not None:
            found = [(inlet, key, self.manager_of(inlet, key)) for inlet, key in ports.assets]
            self.plain[step.name] = found
            return {manager for _, _, manager in found}
        inlets = ports.inlets
        return {key for inlet in inlets for key in self.keys_for(inlet, inlet.source, step)}

    def keys_for(self, inlet: Inlet, source: Source, step: Step) -> Iterator[str]:
        """Yield the resources that loading an input from a source takes."""
        if inlet.port.input_manager_key:
            yield inlet.port.input_manager_key
        elif isinstance(source, FanIn):
            for one in source.sources:
                yield from self.keys_for(inlet, one, step)
        elif isinstance(source, FromAsset):
            yield self.manager_of(inlet, source.key)
        elif isinstance(source, FromConfig):
            yield from inlet.type.loader_required_resource_keys
            if source.asset is not None:
                yield self.manager_of(inlet, source.asset)
        elif isinstance(source, FromOutput | Collected):
            output = source.source if isinstance(source, Collected) else source
            yield wiring(self.steps[step.scope + output.call]).outlets[output.output].manager

    def manager_of(self, inlet: Inlet, key: AssetKey) -> str:
        """Return the resource that loads an asset into an input."""
        if inlet.port.input_manager_key:
            return inlet.port.input_manager_key
        known = self.managers.get(key)
        if known is None:
            maker = self.makers.get(key)
            known = maker.get_io_manager_key_for_asset_key(key) if maker is not None else IO_MANAGER
            self.managers[key] = known
        return known

    # -- what was left out --------------------------------------------------------------------------------------------

    def left_out(self, step: Step) -> str:
        """Return the output or asset without which a step can't run, or "".

        Of several in one list, one is enough to run with.
        """
        run = self.run
        for key in step.inputs if not step.scope else ():
            if key in run.assets_left_out:
                return key.label
        for source in step.call.sources.values():
            gone = self.gone(step, source)
            if gone:
                return gone
        return ""

    def gone(self, step: Step, source: Source) -> str:
        """Return what is missing of a source, "" when nothing or only a part of a list is."""
        if isinstance(source, FanIn):
            return all_gone(self.gone(step, one) for one in source.sources)
        if isinstance(source, Collected):
            return self.gone_of_copies(step, source.source)
        if isinstance(source, FromAsset):
            return source.key.label if source.key in self.run.assets_left_out else ""
        if isinstance(source, FromOutput):
            place = self.place(step, source)
            return ".".join(place) if place in self.run.outputs_left_out else ""
        return ""

    def gone_of_copies(self, step: Step, source: FromOutput) -> str:
        """Return what is missing where an output is collected: the dynamic output, or that of all copies of a step."""
        over = self.steps[step.scope + source.call].call.mapped
        if over is None:
            return self.gone(step, source)
        left_out = self.run.outputs_left_out
        copies = self.copies(step, source, over)
        return self.gone(step, over) or all_gone(".".join(one) if one in left_out else "" for one in copies)

    def copies(self, step: Step, source: FromOutput, over: FromOutput) -> list[tuple[str, str]]:
        """Return step and output of each copy of a step that is called for each key of a dynamic output."""
        keys = self.run.mapping_keys.get((step.scope + over.call, over.output), ())
        return [(f"{step.scope}{source.call}[{key}]", source.output) for key in keys]

    def place(self, step: Step, source: FromOutput) -> tuple[str, str]:
        """Return step and output of a source, for a step that may be one of many copies."""
        name = step.scope + source.call
        if step.mapping_key is not None and (self.steps[name].call.mapped is not None):
            name = f"{name}[{step.mapping_key}]"
        return name, source.output

    # -- loading ------------------------------------------------------------------------------------------------------

    def load_all(self, step: Step) -> dict[str, Any]:
        """Return the values of a step's inputs by name, without those that the function has a default for.

        Raises:
            DagsterTypeCheckDidNotPass: when a value isn't of the type that the input declares.
            Exception: what an IO manager or a loader raises.
        """
        plain = self.plain.get(step.name)
        if plain is not None:
            return {inlet.name: self.asset(step, inlet, key, manager) for inlet, key, manager in plain}
        values = ((inlet, self.value(step, inlet, inlet.source)) for inlet in wiring(step).inlets)
        return {inlet.name: self.checked(step, inlet, value) for inlet, value in values if value is not NO_VALUE}

    def checked(self, step: Step, inlet: Inlet, value: Any) -> Any:
        """Return a value of the type that the input declares."""
        if not inlet.type.is_any:
            what = f"input `{inlet.name}` of `{step.name}`"
            self.run.check_type(step.name, inlet.type, value, what, ("input", inlet.name, None))
        return value

    def value(self, step: Step, inlet: Inlet, source: Source) -> Any:
        """Return the value of a source, NO_VALUE for a default of the function's own."""
        if isinstance(source, FanIn):
            each = replace(inlet, type=inlet.type.get_inner_type_for_fan_in())
            here = [one for one in source.sources if not self.gone(step, one)]
            return [self.value(step, each, one) for one in here]
        if isinstance(source, Collected):
            return self.collected(step, inlet, source.source)
        if isinstance(source, FromOutput):
            name, output = self.place(step, source)
            key = step.mapping_key if self.steps[step.scope + source.call].call.is_dynamic else None
            return self.output(step, inlet, name, output, key if source.port.is_dynamic else None)
        if isinstance(source, FromAsset):
            return self.asset(step, inlet, source.key, self.manager_of(inlet, source.key), check=False)
        return source.value if isinstance(source, FromValue) else self.configured(step, inlet, source)

    def collected(self, step: Step, inlet: Inlet, source: FromOutput) -> list[Any]:
        """Return what an output made for each key of a dynamic output, in the order of the keys."""
        name = step.scope + source.call
        over = self.steps[name].call.mapped
        if source.port.is_dynamic and over is None:
            keys = self.run.mapping_keys.get((name, source.output), ())
            return [self.output(step, inlet, name, source.output, key) for key in keys]
        places = self.copies(step, source, over) if over is not None else []
        return [self.output(step, inlet, *place, None) for place in places if place not in self.run.outputs_left_out]

    def configured(self, step: Step, inlet: Inlet, source: FromConfig) -> Any:
        """Return what run config says of an input, else its default."""
        run, config = self.run, self.run.world.config
        if inlet.port.input_manager_key:
            return self.fetch(step, inlet, inlet.port.input_manager_key, None)
        graph = step.place.removesuffix(step.call.name).rstrip(".")
        at = ".".join([*([graph] if graph else []), *source.at])
        written = config.input_value(at, source.name) if config is not None else MISSING
        if written is MISSING and source.asset is not None:
            return self.asset(step, inlet, source.asset, self.manager_of(inlet, source.asset), check=False)
        if written is MISSING:
            return source.default
        keys = inlet.type.loader_required_resource_keys
        context = DagsterTypeLoaderContext(step.op, run.info, step=step.name, resources=run.namespace(keys))
        return load_from_config(inlet.type, written, f"input `{source.name}` of `{step.name}`", context)

    def asset(self, step: Step, inlet: Inlet, key: AssetKey, name: str, *, check: bool = True) -> Any:
        """Return the value of an asset, which the IO manager ``name`` has.

        The session's own store is asked by key, and its values never left the memory: for a thousand small steps,
        contexts and events of loading would cost more than the steps.
        """
        manager = self.run.objects[name]
        if self.is_near and step.reading is None and inlet.type.is_any and type(manager) is SessionIOManager:
            near, entry = self.apart.get(step.name, self.here).near, manager.entry(key)
            kept_there = entry.sealed if entry is not None and isinstance(entry.sealed, SealedAfar) else None
            if near is not None and kept_there is not None and near.has(kept_there.private):
                return kept_there.private
        if step.reading is None:
            value = kept(manager, key, None) if type(manager) is SessionIOManager else NO_VALUE
        else:
            value = kept_partition(manager, key, step.reading.all(key))
        if value is NO_VALUE:
            value = self.fetch(step, inlet, name, key)
        return value if inlet.type.is_any or not check else self.checked(step, inlet, value)

    def output(self, step: Step, inlet: Inlet, name: str, output: str, mapping_key: str | None) -> Any:
        """Return the value of an output of another step, which its IO manager has."""
        maker = self.steps[name]
        outlet = wiring(maker).outlets[output]
        if outlet.key is not None:
            return self.asset(step, inlet, outlet.key, self.manager_of(inlet, outlet.key), check=False)
        manager = inlet.port.input_manager_key or outlet.manager
        known = self.run.kept.get((name, output, mapping_key))
        if known is not None and type(self.run.objects[manager]) is SessionIOManager:
            return known.open()
        upstream = self.run.output_context(maker, outlet, mapping_key)
        return self.fetch(step, inlet, manager, None, upstream)

    def fetch(
        self, step: Step, inlet: Inlet, name: str, key: AssetKey | None, upstream: OutputContext | None = None
    ) -> Any:
        """Have an IO manager load the value of an input, and say so."""
        context = self.context(step, inlet, name, key, upstream)
        with self.run.during("load"):
            value = self.run.objects[name].load_input(context)
        for seen in context.seen:
            self.run.emit(Observed(self.run.run_id, time.time(), step.name, seen, step.partition))
        loaded = InputLoaded(self.run.run_id, time.time(), step.name, inlet.name, key, name, context.added)
        self.run.emit(loaded)
        return value

    def context(
        self, step: Step, inlet: Inlet, manager: str, key: AssetKey | None, upstream: OutputContext | None
    ) -> InputContext:
        """Return what an IO manager learns about an input."""
        maker, world, run = self.makers.get(key) if key is not None else None, self.run.world, self.run
        given = world.config.op_inputs(step.place) if world.config is not None else {}
        read = step.reading.all(key) if key is not None and step.reading is not None else None

        def upstream_of() -> OutputContext | None:
            if key is None or maker is None:
                return upstream
            if key in self.made:
                ports = wiring(self.made[key])
                return run.output_context(self.made[key], ports.outlets[ports.output_of[key]])
            found = upstream_context(key, maker, read, run.run_id)
            found.resources, found.resource_config = run.resources_for(manager), run.config_of(manager)
            return found

        return InputContext(
            name=inlet.name,
            key=key,
            step_key=step.name,
            run_id=run.run_id,
            partition=run.partition_of(step),
            partitions=read,
            definition_metadata=inlet.port.metadata,
            dagster_type=inlet.type,
            resources=run.resources_for(manager),
            resource_config=run.config_of(manager),
            op_def=step.op,
            config=given.get(inlet.name),
            data_version=world.ledger.data_version(key, read[0] if read else None) if key is not None else None,
            spec=maker.specs_by_key.get(key) if maker is not None and key is not None else None,
            run=run.info,
            emit=run.aside(step),
            upstream=upstream_of,
        )


def all_gone(parts: Iterable[str]) -> str:
    """Return the first of several that are missing, "" when one of them is there, or there are none."""
    names = list(parts)
    return names[0] if names and all(names) else ""


def kept(store: SessionIOManager, key: AssetKey, partition: str | None) -> Any:
    """Return a value that the session keeps, or NO_VALUE."""
    try:
        return store.get(key, partition)
    except KeyError:
        return NO_VALUE


def kept_partition(manager: Any, key: AssetKey, read: Sequence[str] | None) -> Any:
    """Return a value that the session keeps, when what is read is one partition, or isn't partitioned."""
    if type(manager) is not SessionIOManager or (read is not None and len(read) != 1):
        return NO_VALUE
    return kept(manager, key, read[0] if read else None)


def upstream_context(
    key: AssetKey, maker: AssetsDefinition, partitions: Sequence[str] | None, run_id: str = ""
) -> OutputContext:
    """Return the context that an asset's value was stored with."""
    spec, ports = maker.specs_by_key.get(key), None
    if maker.op_def is not None and key in maker.output_of:
        ports = wiring_of(maker, key)
    name = ports.output_of.get(key, RESULT) if ports is not None else RESULT
    return OutputContext(
        name=name,
        key=key,
        step_key=ports.op.name if ports is not None else "",
        run_id=run_id,
        partition=partitions[0] if partitions and len(partitions) == 1 else None,
        partitions=partitions,
        definition_metadata=spec.metadata if spec is not None else {},
        dagster_type=ports.outlets[name].type if ports is not None and name in ports.outlets else None,
        op_def=ports.op if ports is not None else None,
        spec=spec,
    )
