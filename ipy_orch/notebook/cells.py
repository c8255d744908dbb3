"""Keep the cell book: which cell runs now, what plain cells read and define, which cells were deleted.

Front ends that give cells an id (JupyterLab does) let an edited cell take the place of what it was. Without ids (a
terminal, nbclient) an asset's cell is known by its asset, and a plain cell by its text.
"""

from __future__ import annotations

import ast
import linecache
import sys
from collections.abc import Callable, Collection, Iterable, Mapping
from contextvars import copy_context
from dataclasses import dataclass, field, replace
from typing import Any, Final

from IPython.core.interactiveshell import InteractiveShell

from ipy_orch.authoring.cells.automation import KINDS
from ipy_orch.authoring.cells.cells import CellText, is_definition_cell, read_cell, value_rule
from ipy_orch.errors import DagsterError, DagsterInvalidDefinitionError
from ipy_orch.execution.sizes import nbytes
from ipy_orch.export.written import Written, is_op_cell, written_op, written_plain
from ipy_orch.model.env import redact
from ipy_orch.planning.hashing.hashing import Unhashable, digest
from ipy_orch.session.cellbook import Cell, names_of
from ipy_orch.session.ops import op_of_cell
from ipy_orch.session.session import Session

__all__ = ["Cells", "Running", "cheap_digest"]

MOST_BYTES: Final = 1_000_000
PLAIN: Final = (
    "builtins",
    "datetime",
    "decimal",
    "fractions",
    "pathlib",
    "numpy",
    "pandas",
    "polars",
    "pyarrow",
    "re",
    "uuid",
)
CONTAINERS: Final = (list, tuple, set, frozenset, dict)


@dataclass(eq=False)
class Running:
    """Be a cell while it runs.

    Args:
        cell: of a plain cell, what the book will be told when it has run; an op's is one, as the Python it stands for.
        code: what IPython runs.
        before: name -> identity of what it held, of the names that a plain cell binds.
    """

    info: Any
    cell: Cell | None = None
    code: str = ""
    before: Mapping[str, int] = field(default_factory=dict)


class Cells:
    """Tell the session's cell book what happens to the cells of a shell.

    Args:
        on_plain: is called with each plain cell that has run without an error, and with IPython's result.
    """

    def __init__(self, ip: InteractiveShell, session: Session, on_plain: Callable[[Cell, Any], None]) -> None:
        self.ip, self.session, self.book = ip, session, session.book
        self.on_plain = on_plain
        self.running: list[Running] = []
        self.replaced: dict[str, Cell] = {}
        ip.events.register("pre_run_cell", self.pre_run_cell)
        ip.events.register("post_run_cell", self.post_run_cell)
        self.read_history()

    def remove(self) -> None:
        """Listen no more."""
        self.ip.events.unregister("pre_run_cell", self.pre_run_cell)
        self.ip.events.unregister("post_run_cell", self.post_run_cell)

    # -- before and after each cell -----------------------------------------------------------------------------------

    def pre_run_cell(self, info: Any) -> None:
        """Note which cell begins to run, and what a plain one reads."""
        running = Running(info)
        self.running.append(running)
        self.book.said.clear()
        self.forget(set(deleted_cells(self.ip)) - {info.cell_id})
        written = self.written(info)
        if written is None:
            return
        running.code, text = self.transformed(info), written.text
        key = info.cell_id or written.key or text_key(text)
        running.cell = cell = Cell(key, 0, text, context=copy_context())
        if (old := self.book.cells.get(cell.key)) is not None and old.source is not None:
            self.forget([cell.key])
        if not is_op_cell(info.raw_cell):
            self.bring_back(text, running)
        self.book.before(cell)
        cell.names = replace(cell.names, bound=cell.names.bound - written.imported)
        namespace = self.session.namespace
        running.before = {name: id(namespace[name]) for name in cell.names.bound if name in namespace}

    def written(self, info: Any) -> Written | None:
        """Return the Python that a plain cell stands for, or an op's; None for other definitions and what isn't any."""
        if is_definition_cell(info.raw_cell):
            return written_op(info.raw_cell, self.session.namespace) if is_op_cell(info.raw_cell) else None
        text = self.transformed(info)
        if not is_python(text):
            return None
        return written_plain(text, self.resources(text), self.session.namespace)

    def resources(self, text: str) -> Collection[str]:
        """Return the keys of the notebook's resources, where the cell is that of a schedule or sensor."""
        if not any(f"run_cell_magic('{kind}'" in text for kind in KINDS):
            return ()
        try:
            return self.session.scan().resources.keys()
        except DagsterError:
            return ()  # the magic says what is wrong

    def post_run_cell(self, result: Any) -> None:
        """Note what a plain cell has defined."""
        info = getattr(result, "info", None)
        running = self.take(info)
        if running is not None:
            self.session.store.release(running)
        if info is None or running is None or result.error_before_exec is not None:
            return
        cell = running.cell
        if cell is None:
            return
        self.name_file(cell, info.raw_cell, running.code or cell.text, result.execution_count or 0)
        if result.error_in_exec is not None:
            self.note_failed(cell, running.before)
            return
        self.write_plain(cell)
        self.on_plain(cell, result)

    def take(self, info: Any) -> Running | None:
        """Return what was noted when a cell began; of the cell that loaded the extension, as if it had been noted."""
        for running in reversed(self.running):
            if running.info is info:
                self.running.remove(running)
                return running
        if self.running or info is None or not info.raw_cell or is_definition_cell(info.raw_cell):
            self.running.clear()
            return None
        text = self.transformed(info)
        cell = Cell(self.plain_key(info.cell_id, text), 0, text)
        self.book.before(cell)
        return Running(info, cell)

    def transformed(self, info: Any) -> str:
        """Return a cell as Python."""
        text = getattr(info, "transformed_cell", None)
        return text if isinstance(text, str) else str(self.ip.transform_cell(info.raw_cell))  # type: ignore[no-untyped-call]

    # -- plain cells --------------------------------------------------------------------------------------------------

    def plain_key(self, cell_id: str | None, text: str) -> str:
        """Return the key of a plain cell."""
        return cell_id or text_key(text)

    def write_plain(self, cell: Cell) -> None:
        """Put a plain cell that has run into the book."""
        if not cell.key.startswith("text:"):
            self.book.remove([text_key(cell.text)])  # it ran before the extension was loaded, without its id
        self.book.write(cell)
        self.book.after(cell, self.digest_of)

    def note_failed(self, cell: Cell, before: Mapping[str, int]) -> None:
        """Note what a plain cell defined until it failed; where that's nothing, it counts as not run."""
        namespace = self.session.namespace
        bound = {name for name in cell.names.bound if name in namespace and before.get(name) != id(namespace[name])}
        if bound or self.book.said:
            cell.names = replace(cell.names, bound=frozenset(bound))
            self.write_plain(cell)

    def digest_of(self, name: str) -> str | None:
        """Return the digest of a variable where that's cheap."""
        return cheap_digest(self.session.namespace.get(name))

    def name_file(self, cell: Cell, raw: str, code: str, number: int) -> None:
        """Give a plain cell the number and the file name under which IPython ran it."""
        cell.number = number
        cell.filename = self.ip.compile.get_code_name(raw, code, number)

    def bring_back(self, text: str, running: Running) -> None:
        """Make the values again that a cell reads and that were evicted; they stay while it runs."""
        evicted = self.session.names.evicted
        for name in [name for name in names_of(text).free if name in evicted] if evicted else ():
            self.session.store.pin(evicted[name], running)
            try:
                self.session.value(evicted[name])
            except Exception as error:
                print(f"`{name}` can't be made again: {type(error).__name__}: {redact(str(error))}", file=sys.stderr)
        elsewhere = self.session.names.elsewhere
        for name in [name for name in names_of(text).free if name in elsewhere] if elsewhere else ():
            self.recall(name)

    def recall(self, name: str) -> None:
        """Load a value that a cell reads and that an IO manager of the user's keeps."""
        key = self.session.names.elsewhere[name]
        try:
            stale = self.session.values.recall(name)
        except Exception as error:
            stale = f"{type(error).__name__}: {redact(str(error))}"
        if stale:
            verb = "backfill" if self.session.scan().graph.spec(key).partitions_def is not None else "materialize"
            print(f"`{name}` isn't loaded: {stale} (`%{verb} {key.label}`)", file=sys.stderr)

    def read_history(self) -> None:
        """Take in the cells that ran before the extension was loaded: their helpers and imports count, too."""
        manager: Any = self.ip.history_manager
        if manager is None or not getattr(manager, "enabled", False):
            return
        inputs = list(enumerate(zip(manager.input_hist_raw, manager.input_hist_parsed, strict=False)))
        for number, (raw, text) in inputs[1 : self.ip.execution_count]:
            if is_definition_cell(raw) or "load_ext" in text or not is_python(text):
                continue
            cell = Cell(self.plain_key(None, text), 0, text)
            self.book.before(cell)
            self.name_file(cell, raw, text, number)
            cell.names = replace(cell.names, bound=frozenset(cell.names.bound & self.session.namespace.keys()))
            self.write_plain(cell)

    # -- cells that are gone ------------------------------------------------------------------------------------------

    def forget(self, keys: Iterable[str]) -> None:
        """Take cells out of the book, and the variables of their assets out of the namespace."""
        for cell in self.book.remove(keys):
            self.unbind(cell)

    def unbind(self, cell: Cell) -> None:
        """Take the variable of a cell's asset away."""
        if cell.source is not None and cell.source.kind == "asset":
            self.session.names.unbind(cell.source.target)

    # -- ops ----------------------------------------------------------------------------------------------------------

    def define_op(self, text: str) -> CellText:
        """Put the op of the cell that runs into its variable, and return the cell.

        Raises:
            DagsterError: when it can't be one; the old one stays.
            SyntaxError: as Python does.
        """
        info = self.running[-1].info if self.running else None
        filename, number = self.compiled(text, info)
        raw = self.raw(text, info)
        source = read_cell(raw, where=f"Cell In[{number}]")
        assert source is not None
        keep_lines(filename, raw)
        check_syntax(source, filename)
        made = op_of_cell(source, self.session.scan(), self.session.namespace, filename)
        self.session.namespace[source.name] = made
        around = self.running[-1].cell if self.running else None
        if around is not None and source.name not in around.names.bound:
            self.book.say(source.name)
        return source

    # -- asset and check cells ----------------------------------------------------------------------------------------

    def define(self, text: str) -> Cell:
        """Put the asset or check cell that runs into the book, in the place of what it was.

        Raises:
            DagsterError: when it can't be a definition; the old one stays.
            SyntaxError: as Python does.
        """
        info = self.running[-1].info if self.running else None
        filename, number = self.compiled(text, info)
        raw = self.raw(text, info)
        source = read_cell(raw, where=f"Cell In[{number}]")
        assert source is not None
        keep_lines(filename, raw)
        check_syntax(source, filename)
        key = getattr(info, "cell_id", None) or key_of(source)
        cell = Cell(key, number, raw, filename, source, context=copy_context())
        self.replace(cell)
        return cell

    def raw(self, text: str, info: Any) -> str:
        """Return the cell as it was written, so that line numbers are its own."""
        raw = getattr(info, "raw_cell", "")
        return raw if raw and is_definition_cell(raw) and same_body(raw, text) else text

    def replace(self, cell: Cell) -> None:
        """Write a cell, and scan with it; where that fails, put back what was there."""
        old = self.book.write(cell)
        try:
            scanned = self.session.scan()
            if cell.source is not None and cell.source.target in scanned.broken:
                raise scanned.broken[cell.source.target]
            _ = scanned.graph
        except DagsterError:
            self.put_back(cell, old)
            raise
        self.replaced = {} if old is None else {cell.key: old}
        if (
            old is not None
            and cell.source is not None
            and (old.source is None or old.source.target != cell.source.target)
        ):
            self.unbind(old)

    def put_back(self, cell: Cell, old: Cell | None) -> None:
        """Take a cell out of the book that can't be a definition, and put back the one in whose place it is."""
        self.book.remove([cell.key])
        if old is not None:
            self.book.write(old)

    def refuse(self, cell: Cell) -> None:
        """Take back the cell that was defined last, where its own code can't be followed: the session goes on."""
        scanned = self.session.scan()
        own = next((one for one, where in scanned.cells.items() if where is cell), None)
        try:
            if own is not None:
                self.session.planning.knowledge(scanned, None).parts(own)
        except DagsterInvalidDefinitionError:
            old = self.replaced.get(cell.key)
            self.put_back(cell, old if old is not None and old.text != cell.text else None)

    def compiled(self, text: str, info: Any) -> tuple[str, int]:
        """Return the file name and number under which IPython runs the current cell."""
        frame = sys._getframe()  # noqa: SLF001 - the cell that runs is one of our callers
        while frame is not None:
            name = frame.f_code.co_filename
            label = self.ip.compile.format_code_name(name)
            if label is not None and frame.f_globals is self.ip.user_global_ns:
                return name, int("".join(char for char in label[1] if char.isdigit()) or 0)
            frame = frame.f_back  # type: ignore[assignment]
        number = self.ip.execution_count
        return self.ip.compile.cache(text, number, raw_code=getattr(info, "raw_cell", None) or text), number


def text_key(text: str) -> str:
    """Return the key of a plain cell that has no id."""
    return f"text:{text.strip()}"


def key_of(source: CellText) -> str:
    """Return the key of an asset or check cell that has no id."""
    return f"asset:{source.target.label}" if source.kind == "asset" else f"check:{source.target.label}:{source.name}"


def same_body(raw: str, text: str) -> bool:
    """Tell whether a text that reached a magic is that of the cell which runs, and not of a call inside it."""
    return raw.rstrip().endswith(text.partition("\n")[2].strip() or text.strip())


def check_syntax(source: CellText, filename: str) -> None:
    """Refuse a body that isn't that of a function.

    Raises:
        SyntaxError: under the cell's own file name.
        DagsterInvalidDefinitionError: for magics, ``return``, a missing value ...
    """
    try:
        value_rule(source)
    except SyntaxError as error:
        error.filename = filename
        raise


def keep_lines(filename: str, raw: str) -> None:
    """Have tracebacks and debuggers show the lines of the cell as it was written."""
    lines = [f"{line}\n" for line in raw.splitlines()]
    linecache.cache[filename] = (len(raw), None, lines, filename)


def is_python(text: str) -> bool:
    """Tell whether a cell can be parsed."""
    try:
        ast.parse(text)
    except (SyntaxError, ValueError):
        return False
    return True


def deleted_cells(ip: InteractiveShell) -> list[str]:
    """Return the ids of cells that JupyterLab says were deleted since the last run."""
    kernel: Any = getattr(ip, "kernel", None)
    if kernel is None or not hasattr(kernel, "get_parent"):
        return []
    metadata = (kernel.get_parent() or {}).get("metadata") or {}
    told = metadata.get("deletedCells") or []
    return [str(one) for one in told] if isinstance(told, list | tuple) else []


def cheap_digest(value: Any) -> str | None:
    """Return the digest of a value of a plain type that is small, else None: then each run counts as a new value.

    >>> cheap_digest([1, 2]) == cheap_digest([1, 2]), cheap_digest(object())
    (True, None)
    """
    if not is_plain(value):
        return None
    try:
        return digest(value) if isinstance(value, type(sys)) or nbytes(value) < MOST_BYTES else None
    except (Unhashable, RecursionError):
        return None


def is_plain(value: Any, depth: int = 4) -> bool:
    """Tell whether a value is made of types whose content can be read without running anybody's code."""
    kind = type(value)
    if value is None or kind is type(sys) or kind in (bool, int, float, complex, str, bytes):
        return True
    if kind in CONTAINERS:
        inside = [*value.keys(), *value.values()] if kind is dict else list(value)
        return depth > 0 and len(inside) <= 10_000 and all(is_plain(one, depth - 1) for one in inside)
    return kind.__module__.partition(".")[0] in PLAIN and kind is not object
