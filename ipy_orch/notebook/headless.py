"""A notebook without a front end: the shell runs its cells in a kernel, hears what happens, and asks the session.

Nothing here puts the extension into the kernel: a notebook that doesn't load it runs as it would anywhere.
"""

from __future__ import annotations

import ast
import json
import warnings
from collections.abc import Callable, Mapping
from typing import Any, Final

from IPython.core.getipython import get_ipython
from IPython.core.interactiveshell import InteractiveShell

from ipy_orch.authoring.cells.free_names import free_names
from ipy_orch.errors import DagsterError, DagsterInvariantViolationError, StoreWarning
from ipy_orch.model.env import redact_all
from ipy_orch.notebook.extension import DOORS, Door
from ipy_orch.ui import answers
from ipy_orch.ui.answers import ANSWER
from ipy_orch.ui.headlines import HEADLINE, headline

__all__ = ["answer", "begin"]

#: what would run something, or write; `%use`, `%job` and `%config` say what there is
ACTING: Final = (
    "backfill",
    "daemon",
    "export",
    "forget",
    "launch",
    "lineage",
    "load_definitions",
    "materialize",
    "open",
    "reactive",
    "tick",
)


def publish(kind: str, data: Any) -> None:
    """Send data to the shell."""
    ip = get_ipython()
    assert ip is not None
    ip.display_pub.publish({kind: data}, {})


def begin(store: str | None, workers: int | None, *, only_register: bool) -> None:
    """Be ready for a notebook's cells, of which the first isn't run yet.

    Args:
        store: the folder of log and values, unless the notebook names one.
        only_register: asset cells are registered and not run, and magics that would run or write something do nothing.
    """
    ip = get_ipython()
    assert ip is not None
    said: Any = ip.config
    if store is not None:
        said.Orch.store = store
    if workers is not None:
        said.Orch.workers = workers
    if only_register:
        said.Orch.autorun = False
    Watch(ip, only_register=only_register)


class Watch:
    """Stand by while cells run, and join the session as soon as one loads the extension."""

    def __init__(self, ip: InteractiveShell, *, only_register: bool) -> None:
        self.ip, self.only_register = ip, only_register
        self.door: Door | None = None
        ip.events.register("pre_run_cell", self.pre_run_cell)
        warnings.filterwarnings("always", category=StoreWarning)

    def pre_run_cell(self, _info: Any = None) -> None:
        """Join the session, where there's a new one."""
        door = DOORS.get(self.ip)
        if door is not None and door is not self.door:
            self.door = door
            door.session.log.listen(self.hear)
            if self.only_register:
                self.ip.ast_transformers.append(Unmade(door))
                for kind, name in ((kind, name) for kind in ("line", "cell") for name in ACTING):
                    put_aside(self.ip, kind, name)
        if door is not None and self.only_register:
            door.session.settings.autorun = False

    @staticmethod
    def hear(event: Any) -> None:
        """Tell the shell of an event."""
        if (told := headline(event)) is not None:
            publish(HEADLINE, told)


def put_aside(ip: InteractiveShell, kind: str, name: str) -> None:
    """Have a magic do nothing."""
    table = ip.magics_manager.magics[kind]
    if name in table:
        table[name] = lambda *_: None


class Unmade(ast.NodeTransformer):
    """Leave cells out that read the value of an asset cell, which isn't there: they look at values and define nothing.

    ``skipped`` says of each name that such a cell would define which asset it would read.
    """

    def __init__(self, door: Door) -> None:
        self.session = door.session
        self.skipped: dict[str, str] = {}

    def visit_Module(self, node: ast.Module) -> ast.Module:
        """Return a cell, or an empty one."""
        found = free_names(node)
        cells = [cell.source for cell in self.session.book.sources() if cell.source is not None]
        values = {one.name: one.target.label for one in cells if one.kind == "asset"} | self.skipped
        unmade = [name for name in found.read if name in values and name not in self.session.namespace]
        if not unmade:
            return node
        self.skipped |= dict.fromkeys(found.bound, values[unmade[0]])
        return ast.Module([], node.type_ignores)

    def notices(self) -> list[str]:
        """Return what assets and checks miss because a cell was left out."""
        sources = [cell.source for cell in self.session.book.sources() if cell.source is not None]
        return [
            f"`{one.name}` reads `{name}`, whose cell isn't run: it reads the value of the asset `{self.skipped[name]}`"
            for one in sources
            for name in one.names.free
            if name in self.skipped and name not in self.session.namespace
        ]


def answer(verb: str, options: Mapping[str, Any]) -> None:
    """Answer a question of the shell: with data, or with what is wrong."""
    ip = get_ipython()
    assert ip is not None
    try:
        publish(ANSWER, {"answer": answered(ip, verb, options)})
    except DagsterError as error:
        publish(ANSWER, {"problem": redact_all({"message": error.message, "where": error.where, "hint": error.hint})})


def answered(ip: InteractiveShell, verb: str, options: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the answer of the kernel's session.

    Raises:
        DagsterError: when it can't be given.
    """
    door = DOORS.get(ip)
    if door is None:
        if verb == "summary":
            return {"assets": [], "checks": [], "jobs": [], "notices": []}
        raise DagsterInvariantViolationError(
            "the notebook doesn't load ipy_orch, and so has no assets", hint="`%load_ext ipy_orch` in its first cell"
        )
    unmade = [one for one in ip.ast_transformers if isinstance(one, Unmade)]
    silent: Callable[[Any], object] = lambda _: None  # noqa: E731 - the watch tells the shell
    told = answers.ask(door.session, verb, json.loads(json.dumps(options)), silent)
    told["notices"] = [*dict.fromkeys(notice for one in unmade for notice in one.notices()), *told["notices"]]
    return told
