"""What planning asks a session: which assets, with which config, what each depends on, what is kept, how it stands."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ipy_orch.errors import DagsterError, DagsterUnknownPartitionError
from ipy_orch.model.keys import AssetKey
from ipy_orch.model.partitions.definition import PartitionsDefinition
from ipy_orch.planning.config import Resolved, resolve_run_config
from ipy_orch.planning.graph import ancestors
from ipy_orch.planning.job_config import asset_tree, configurable
from ipy_orch.planning.partitioning import refuse_mappings_of
from ipy_orch.planning.plan import Knowledge, Plan, Request, plan
from ipy_orch.planning.staleness import Status
from ipy_orch.planning.survey import Surveyed
from ipy_orch.session.config.environments import cell_name
from ipy_orch.session.config.run_config import merged
from ipy_orch.session.names import is_elsewhere
from ipy_orch.session.partitions.choosing import Which, chosen, cuts_of, keys_in
from ipy_orch.session.recipes import Recipes
from ipy_orch.session.refusals import refuse_unknown_inputs, survey_of_all
from ipy_orch.session.scan import Scanned
from ipy_orch.session.words import MOST_NAMED, selection_text

if TYPE_CHECKING:
    from ipy_orch.session.session import Session

__all__ = ["Planning"]


class Planning:
    """Answer what planning asks of a session."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def request(self, scanned: Scanned, selection: Any, partition: Which, force: bool, what: str) -> Request:
        """Return a request for a selection.

        Without a partition, what is partitioned is left to what reads it.

        Raises:
            DagsterUnknownPartitionError: when all of it is partitioned and no partition was said, or none of it is.
            DagsterUnknownPartitionError: when there's no such partition, with the closest.
        """
        graph, what = scanned.graph, what or selection_text(selection, MOST_NAMED) or "all"
        keys = self.session.resolve(scanned, selection)
        with self.session.instance.looking():
            cuts = cuts_of(keys, graph)
            if partition is None:
                refuse_without_partition(keys, cuts)
                keys, of_asset = keys - cuts.keys(), {}
            elif not cuts:
                raise DagsterUnknownPartitionError(f"`{what}` isn't partitioned", hint=f"%materialize {what}")
            else:
                of_asset = chosen(partition, cuts, graph)
        return Request(keys, force=keys if force else frozenset(), of_asset=of_asset, what=what)

    def request_for_checks(self, scanned: Scanned, selection: Any, partition: Which) -> Request:
        """Return a request for the checks of a selection; of partitioned assets those of the partition made last.

        Raises:
            DagsterUnknownPartitionError: when there's no such partition, with the closest.
        """
        keys = self.session.resolve(scanned, selection)
        checks = frozenset(check for check in scanned.graph.checks if check.asset_key in keys)
        cuts, latest = cuts_of(keys, scanned.graph), self.session.ledger.latest
        with self.session.instance.looking():
            if partition is not None:
                of_asset = chosen(partition, cuts, scanned.graph)
            else:
                made = {key: latest[key].partition if key in latest else None for key in cuts}
                of_asset = {key: keys_in(made[key] or "last", cut) for key, cut in cuts.items()}
        what = f"checks of {selection_text(selection, MOST_NAMED) or 'all'}"
        return Request(keys, checks, of_asset=of_asset, what=what)

    def left_out(self, scanned: Scanned, selection: Any, request: Request) -> list[str]:
        """Return a notice where assets were left out since they are partitioned, and nothing that ran reads them."""
        if request.of_asset or not scanned.graph.is_partitioned:
            return []
        cuts = cuts_of(self.session.resolve(scanned, selection), scanned.graph)
        read = ancestors(scanned.graph.upstream, request.keys)
        left = [key.label for key in cuts if key not in read]
        return [f"`{name}` is partitioned, and was left out: `%backfill {name}`" for name in left]

    def planned(self, scanned: Scanned, request: Request, config: Resolved | None) -> Plan:
        """Return the plan of a request."""
        refuse_unknown_inputs(scanned, request.keys)
        with self.session.instance.looking():
            if scanned.graph.is_partitioned:
                concerned = ancestors(scanned.graph.upstream, request.keys)
                refuse_mappings_of(scanned.graph, [key for key in concerned if key in scanned.graph.makers])
            return plan(scanned.graph, self.session.ledger, request, self.knowledge(scanned, config))

    def statuses(self, scanned: Scanned) -> dict[AssetKey, Status]:
        """Return how each asset stands. Reads only: nothing is run."""
        return self.survey(scanned).assets

    def survey(self, scanned: Scanned) -> Surveyed:
        """Return how each asset stands, and each partition. Reads only: nothing is run."""
        try:
            config = self.configured(scanned)
        except DagsterError:
            config = None
        with self.session.instance.looking():
            found = survey_of_all(scanned.graph, self.session.ledger, self.knowledge(scanned, config))
        unavailable = self.session.code_locations.unavailable()
        return replace(found, assets={**found.assets, **unavailable}) if unavailable else found

    # -- what it depends on -------------------------------------------------------------------------------------------

    def knowledge(self, scanned: Scanned, config: Resolved | None) -> Knowledge:
        """Return what the planner can't know by itself."""
        session = self.session
        bound = session.names.values_of_assets(scanned)
        recipes = Recipes(
            scanned,
            config,
            session.files,
            bound,
            session.settings.pins,
            self.resource_token,
            at_home=session.is_of_module,
        )
        return Knowledge(
            recipes,
            lambda key, partition, version: self.is_kept(scanned, key, partition, version),
            lambda key: self.is_each_kept(scanned, key),
        )

    def resource_token(self, key: str) -> str:
        """Return how the cell of a resource came to make it."""
        environments = self.session.environments
        return self.session.book.own_token(cell_name(environments.current) if key in environments.overlay else key)

    def is_kept(self, scanned: Scanned, key: AssetKey, partition: str | None, version: str) -> bool:
        """Tell whether a value can be loaded; an IO manager of the user's keeps what it was given."""
        session = self.session
        if not scanned.resources and session.store.has(key, partition, version):
            return True
        maker = scanned.graph.makers[key]
        if maker.is_executable and maker.op.outs[maker.output_of[key]].is_nothing:
            return True
        if is_elsewhere(key, maker, scanned):
            manager = scanned.resources.get(maker.get_io_manager_key_for_asset_key(key))
            return not session.persistence.is_gone(manager, key, partition)
        return session.store.has(key, partition, version)

    def is_each_kept(self, scanned: Scanned, key: AssetKey) -> Callable[[str, str], bool]:
        """Return what tells whether a partition of an asset can be loaded in a version; for many of them, quickly."""
        maker = scanned.graph.makers[key]
        is_nothing = maker.is_executable and maker.op.outs[maker.output_of[key]].is_nothing
        if is_nothing or is_elsewhere(key, maker, scanned):
            return lambda partition, version: self.is_kept(scanned, key, partition, version)
        return self.session.store.has_each(key)

    # -- run config ---------------------------------------------------------------------------------------------------

    def configured(
        self, scanned: Scanned, config: Mapping[str, Any] | None = None, needed: Iterable[str] = ()
    ) -> Resolved:
        """Return the validated run config: what was given before, and ``config`` over it.

        Args:
            needed: the ops that will run: all that they require must be there.

        Raises:
            DagsterInvalidConfigError: with the path of each field.
        """
        session = self.session
        own = {"resources": session.environments.configs.get(session.environments.current, {})}
        given = merged(merged(session.run_config, own), config or {})
        taking = asset_tree(configurable(scanned.definitions))
        wanted = [place for place in needed if place.partition(".")[0] in taking] if taking else []
        return resolve_run_config(given, taking, scanned.resources, needed=wanted)

    def keep(self, given: Mapping[str, Any]) -> None:
        """Keep run config for the session; that of resources is for those of the environment in use."""
        session = self.session
        configs, current = session.environments.configs, session.environments.current
        configs[current] = merged(configs.get(current, {}), given.get("resources") or {})
        rest = {key: part for key, part in given.items() if key != "resources"}
        session.run_config = merged(session.run_config, rest)


def refuse_without_partition(keys: frozenset[AssetKey], cuts: Mapping[AssetKey, PartitionsDefinition]) -> None:
    """Refuse a request for assets all of which are partitioned, when nobody said which partition.

    Raises:
        DagsterUnknownPartitionError: then, with what to type.
    """
    if not cuts or keys - cuts.keys():
        return
    key, cut = [*cuts.items()][-1]
    last = cut.get_last_partition_key()
    one = f"`%materialize {key.label} --partition {last}`, or " if last is not None else ""
    what = f"`{key.label}` is" if len(cuts) == 1 else f"{', '.join(f'`{each.label}`' for each in cuts)} are"
    raise DagsterUnknownPartitionError(f"{what} partitioned: say which partition", hint=f"{one}`%backfill {key.label}`")
