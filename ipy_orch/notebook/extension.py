"""``%load_ext ipy_orch``: put the parts into a shell, and take each of them out again.

Loading runs nothing of the user's.
"""

from __future__ import annotations

import sys
import warnings
from contextlib import ExitStack
from typing import Any
from weakref import WeakKeyDictionary

from IPython.core.getipython import get_ipython
from IPython.core.interactiveshell import InteractiveShell
from traitlets import Bool, Integer, List, TraitError, Unicode, observe, validate
from traitlets.config import Configurable

from ipy_orch.automation.daemon import stop_daemon
from ipy_orch.errors import DagsterInvariantViolationError, StoreWarning
from ipy_orch.execution.iomanagers import machine_memory
from ipy_orch.notebook import completion, directives, formatters, lab_comm, lineages
from ipy_orch.notebook.cells import Cells
from ipy_orch.notebook.display import DisplayRoute
from ipy_orch.notebook.hints import Hints
from ipy_orch.notebook.magics.automation import AutomationMagics
from ipy_orch.notebook.magics.components import ComponentMagics
from ipy_orch.notebook.magics.export import ExportMagics
from ipy_orch.notebook.magics.jobs import JobMagics
from ipy_orch.notebook.magics.locations import LocationMagics
from ipy_orch.notebook.magics.magics import OrchMagics
from ipy_orch.notebook.magics.partitions import PartitionMagics
from ipy_orch.notebook.magics.reactive import ReactiveCells, ReactiveMagics
from ipy_orch.notebook.running import Presenter
from ipy_orch.notebook.tracebacks import Tracebacks
from ipy_orch.session.session import Session
from ipy_orch.session.settings import Settings

__all__ = ["Door", "Orch", "get_session", "load_ipython_extension", "unload_ipython_extension"]


class Orch(Configurable):
    """Hold what ``%config Orch`` sets."""

    autorun = Bool(True, help="Running the cell of an asset materializes it.").tag(config=True)
    cache_bytes = Integer(0, help="The memory that values may take; 0 means a quarter of the machine's.").tag(
        config=True
    )
    pins = List(Unicode(), help="Installed packages whose version counts as code, e.g. ['pandas'].").tag(config=True)
    workers = Integer(1, help="How many steps run at once; 1 runs them in the cell's own thread.").tag(config=True)
    openlineage = Unicode("", help="Where runs are told of: a URL, a file, or 'on'; '' asks the environment.").tag(
        config=True
    )
    executor = Unicode("", help="Where steps run, e.g. 'processes' or 'dask'; '' is the kernel.").tag(config=True)
    store = Unicode("", help="The folder where log and values outlive the kernel; '' is none.").tag(config=True)

    def __init__(self, **kwargs: Any) -> None:
        self.session: Session | None = None
        super().__init__(**kwargs)

    @validate("cache_bytes", "workers")
    def at_least(self, proposal: Any) -> int:
        """Refuse numbers that mean nothing."""
        least = 1 if proposal["trait"].name == "workers" else 0
        if proposal["value"] < least:
            raise TraitError(f"`Orch.{proposal['trait'].name}` is at least {least}, not {proposal['value']}")
        return int(proposal["value"])

    @observe("autorun", "cache_bytes", "executor", "openlineage", "pins", "store", "workers")
    def changed(self, change: Any) -> None:
        """Pass a setting on to the session."""
        if self.session is None:
            return
        new = tuple(change["new"]) if change["name"] == "pins" else change["new"]
        setattr(self.session.settings, change["name"], new)
        if change["name"] == "cache_bytes":
            self.session.store.limit_bytes = change["new"] or machine_memory() // 4
        if change["name"] == "openlineage" and (why := self.session.telling.use(change["new"])):
            warnings.warn(why, UserWarning, stacklevel=2)
        if change["name"] == "store":
            self.keep_in(change["new"])

    def keep_in(self, folder: str) -> None:
        """Keep log and values in a folder, or say why that can't be."""
        assert self.session is not None
        if not folder and self.session.persistence.folder is None:
            return  # before the lock: a store is given up by whoever tells the log something
        with self.session.lock:
            why = self.session.persistence.use(folder)
        if why:
            self.give_up()
            warnings.warn(why, StoreWarning, stacklevel=2)

    def give_up(self) -> None:
        """Say of the store what is so: there is none. Then to name the folder again is a change, and tries again."""
        self.store = ""

    def settings(self) -> Settings:
        """Return the settings as they stand."""
        return Settings(
            self.autorun,
            self.cache_bytes,
            self.workers,
            tuple(self.pins),
            self.store,
            executor=self.executor,
            openlineage=self.openlineage,
        )


class Door:
    """Be the parts that stand in one shell."""

    def __init__(self, ip: InteractiveShell) -> None:
        self.ip = ip
        self.parts = ExitStack()
        self.config = Orch(parent=ip)
        self.session = self.config.session = Session(ip.user_ns, self.config.settings())
        self.session.persistence.on_given_up = self.config.give_up
        if self.session.persistence.folder is None:
            self.config.give_up()
        with ExitStack() as parts:
            self.enter(parts)
            self.parts = parts.pop_all()

    def enter(self, parts: ExitStack) -> None:
        """Put each part in, and note how it's taken out."""
        ip, session = self.ip, self.session
        parts.callback(session.names.unbind_all)
        configurables: list[Any] = ip.configurables
        configurables.append(self.config)
        parts.callback(remove_from, configurables, self.config)
        tracebacks = Tracebacks(ip, Hints(session))
        parts.callback(tracebacks.remove)
        displays = DisplayRoute(ip)
        parts.callback(displays.remove)
        session.around_step = displays.around_step
        self.presenter = Presenter(ip, session)
        session.on_report = self.presenter.show_in_cells
        self.cells = Cells(ip, session, self.presenter.plain_cell)
        parts.callback(self.cells.remove)
        parts.callback(ReactiveCells(ip, session).remove)
        parts.callback(directives.register(ip, self.presenter.tell))
        parts.callback(completion.register(ip, session))
        parts.callback(formatters.register(ip))
        parts.callback(lineages.register(ip, session))
        parts.callback(lab_comm.register(ip, session))
        parts.callback(close_views, session)
        parts.callback(stop_daemon, session)
        parts.callback(session.code_locations.close)
        parts.callback(session.running.clients.close)
        self.register_magics(parts)

    def register_magics(self, parts: ExitStack) -> None:
        """Register the magics; taking them out brings back what had their names before."""
        for kind in (
            OrchMagics,
            ExportMagics,
            JobMagics,
            PartitionMagics,
            ComponentMagics,
            ReactiveMagics,
            AutomationMagics,
            LocationMagics,
        ):
            self.register_some(parts, kind(self.ip, self.session, self.cells, self.presenter))

    def register_some(self, parts: ExitStack, magics: Any) -> None:
        """Register the magics of one object."""
        manager: Any = self.ip.magics_manager
        before = {kind: dict(table) for kind, table in manager.magics.items()}
        self.ip.register_magics(magics)

        def undo() -> None:
            for kind, names in magics.magics.items():
                for name in names:
                    if kind in before and name in before[kind]:
                        manager.magics[kind][name] = before[kind][name]
                    else:
                        manager.magics[kind].pop(name, None)
            manager.registry.pop(type(magics).__name__, None)
            remove_from(self.ip.configurables, magics)

        parts.callback(undo)

    def close(self) -> None:
        """Take all parts out."""
        self.session.cancel()
        self.parts.close()
        self.session.persistence.close()


DOORS: WeakKeyDictionary[InteractiveShell, Door] = WeakKeyDictionary()


def remove_from(items: list[Any], item: Any) -> None:
    """Take an item out of a list, where it's in it."""
    if item in items:
        items.remove(item)


def load_ipython_extension(ip: InteractiveShell) -> None:
    """Open the door in a shell; where it is open already, nothing happens."""
    if ip not in DOORS:
        DOORS[ip] = Door(ip)


def unload_ipython_extension(ip: InteractiveShell) -> None:
    """Close the door, leaving nothing behind."""
    door = DOORS.pop(ip, None)
    if door is not None:
        door.close()


def close_views(session: Session) -> None:
    """Close the widgets of a session."""
    bridge = sys.modules.get("ipy_orch.ui.bridge")
    if bridge is not None:
        for widget in [*bridge.bridge_to(session).widgets.values()]:
            widget.close()
        bridge.BRIDGES.pop(id(session), None)


def get_session(ip: InteractiveShell | None = None) -> Session:
    """Return the session of a shell, by default of the one that runs this.

    Raises:
        DagsterInvariantViolationError: when the extension isn't loaded.
    """
    shell = ip if ip is not None else get_ipython()
    door = DOORS.get(shell) if shell is not None else None
    if door is None:
        raise DagsterInvariantViolationError("there is no session here", hint="`%load_ext ipy_orch` in a notebook")
    return door.session
