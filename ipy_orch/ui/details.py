"""All that is known of an asset: a fold over definition, ledger, runs and log, and a look at the value that is kept."""

from __future__ import annotations

import inspect
import io
import sys
from collections.abc import Iterator
from typing import Any, Final, TypeAlias

from ipy_orch.errors import DagsterError
from ipy_orch.events.types import Fact, Materialized
from ipy_orch.execution.iomanagers import Entry as Kept
from ipy_orch.model.assets import AssetsDefinition
from ipy_orch.model.checks import AssetCheckSpec
from ipy_orch.model.keys import AssetKey
from ipy_orch.model.specs import DEFAULT_GROUP, AssetSpec
from ipy_orch.planning.graph import AssetGraph
from ipy_orch.session.recipes import told_elsewhere
from ipy_orch.session.scan import Scanned, uses
from ipy_orch.session.session import Session
from ipy_orch.session.why import Why as Explained
from ipy_orch.ui.bridge import Bridge
from ipy_orch.ui.cards import shortened
from ipy_orch.ui.entries import chunks_of, cut, entries_of, image_in, number_of
from ipy_orch.ui.preview import Frame, compared, frame_of
from ipy_orch.ui.protocol import (
    Answer,
    Change,
    CheckDetails,
    Code,
    Compare,
    Comparison,
    DetailsCommand,
    DetailsMessage,
    ErrorText,
    ImageValue,
    NoValue,
    Plot,
    Point,
    Profile,
    ProfileCommand,
    RowsCommand,
    RowsMessage,
    RunLine,
    TableValue,
    TextValue,
    Value,
    Why,
)
from ipy_orch.ui.snapshot import node_of, tags_of, verdict_of

__all__ = ["Reader"]

Asked: TypeAlias = DetailsCommand | RowsCommand | ProfileCommand | Compare

PAGE: Final = 100  # rows
MOST_POINTS: Final = 500
MOST_RUNS: Final = 50
LONGEST: Final = 20_000  # characters of a value's text
LONGEST_LINE: Final = 200  # characters of what stands on a line


class Reader:
    """Answer what a view asks of one asset; the value that it shows stays in memory until it shows another.

    Opened tables are kept by their data version, so that the next page is at hand.
    """

    def __init__(self, bridge: Bridge) -> None:
        self.bridge, self.session = bridge, bridge.session
        self.open: tuple[Any, Frame] | None = None

    def close(self) -> None:
        """Let go of what was shown."""
        self.open = None
        self.session.store.release(self)

    def answer(self, command: Asked, key: AssetKey) -> Answer:
        """Return what a command asks for."""
        match command:
            case DetailsCommand():
                return self.details(key, load=command.load)
            case RowsCommand():
                return self.rows(command, key)
            case ProfileCommand():
                told = self.frame(key).profile(command.columns)
                return Profile(id=command.id, columns=told.columns, sampled=told.sampled, total=told.total)
            case Compare():
                return self.compare(key)

    # -- details ------------------------------------------------------------------------------------------------------

    def details(self, key: AssetKey, *, load: bool = False) -> DetailsMessage:
        """Return all that is known of an asset.

        Raises:
            DagsterError: when it isn't there any more.
        """
        session = self.session
        scanned = session.scan()
        graph = scanned.graph
        maker, spec, node = graph.maker(key), graph.spec(key), node_of(key, graph, scanned)
        known = facts(session.ledger.latest.get(key)) | failure(session, key)
        return DetailsMessage(
            id=key.label,
            version=self.bridge.version,
            description=spec.description or "",
            code=code_of(maker, scanned),
            cell=node.cell,
            group=spec.group_name or DEFAULT_GROUP,
            kinds=[*node.kinds],
            tags=tags_of(spec),
            owners=[*node.owners],
            partitions=shortened(str(spec.partitions_def or ""), LONGEST_LINE),
            resources=[name for name, how in sorted(uses(maker, graph).items()) if not how],
            io_manager=manager if (manager := manager_of(key, maker)) in scanned.resources else "",
            upstream=[one.label for one in graph.in_order(graph.upstream[key])],
            downstream=[one.label for one in graph.in_order(graph.downstream[key])],
            status=self.bridge.standing.status(key.label, key),
            why=why_of(session, key),
            checks=[check_of(graph.checks[check], session) for check in graph.checks_of.get(key, ())],
            definition_metadata=definition_entries(spec),
            plots=plots_of(session, key),
            runs=[*runs_of(session, key.label)],
            value=self.value(key, graph, load=load),
            comparable=key in self.bridge.formers,
            **known,
        )

    # -- values -------------------------------------------------------------------------------------------------------

    def value(self, key: AssetKey, graph: AssetGraph, *, load: bool = False) -> Value:
        """Return the value that is kept, to look at; one that an IO manager of the user's keeps on demand only."""
        self.session.store.release(self)
        self.session.store.pin(key, self)
        try:
            value = self.kept(key) if not load else self.session.load(self.session.scan(), key)
        except KeyError:
            return absent(key, graph, self.session)
        frame = self.framed(key, value)
        if frame is None:
            return shown(value, self.session.store.entry(key))
        rows = frame.page(0, PAGE)
        entry = self.session.store.entry(key)
        nbytes = entry.bytes if entry is not None else 0
        return TableValue(
            kind="table", type=frame.type, total=frame.total, columns=frame.columns, nbytes=nbytes, rows=rows
        )

    def kept(self, key: AssetKey) -> Any:
        """Return the value that the session keeps.

        Raises:
            KeyError: when it keeps none.
        """
        return self.session.store.get(key)

    def framed(self, key: AssetKey, value: Any) -> Frame | None:
        """Return a value as a table, and keep it for the pages that follow."""
        frame = frame_of(value)
        self.open = None if frame is None else ((key, self.session.ledger.data_version(key)), frame)
        return frame

    def frame(self, key: AssetKey) -> Frame:
        """Return the table of an asset: the one that is open, if it's still its value.

        Raises:
            ValueError: when its value is none, or isn't there.
        """
        if self.open is not None and self.open[0] == (key, self.session.ledger.data_version(key)):
            return self.open[1]
        try:
            frame = self.framed(key, self.kept(key))
        except KeyError:
            frame = None
        if frame is None:
            raise ValueError(f"there is no table of `{key.label}` in memory")
        return frame

    def rows(self, command: RowsCommand, key: AssetKey) -> RowsMessage:
        """Return a page of rows."""
        frame = self.frame(key)
        if command.sort is not None and command.sort.column not in frame.data.collect_schema().names():
            raise ValueError("there is no such column")
        rows = frame.page(command.start, command.stop, command.sort)
        stop = command.start + len(rows)
        return RowsMessage(id=command.id, start=command.start, stop=stop, total=frame.total, rows=rows)

    def compare(self, key: AssetKey) -> Comparison:
        """Return what has changed in a table since the materialization before."""
        entry = self.bridge.formers.get(key)
        if entry is None:
            return Comparison(id=key.label, reason="the value before this one isn't kept any more")
        before = frame_of(entry.sealed.open())
        try:
            after = self.frame(key)
        except ValueError as error:
            return Comparison(id=key.label, reason=str(error))
        if before is None:
            return Comparison(id=key.label, reason="the value before this one was no table")
        return compared(key.label, before, after)


def manager_of(key: AssetKey, maker: AssetsDefinition) -> str:
    """Return the key of the IO manager that keeps the values of an asset, "" where nothing here makes it."""
    return maker.get_io_manager_key_for_asset_key(key) if maker.is_executable else ""


def absent(key: AssetKey, graph: AssetGraph, session: Session) -> NoValue:
    """Say why there is no value to show."""
    maker = graph.makers[key]
    if not maker.is_executable:
        return NoValue(kind="none", reason="it is made elsewhere")
    if key not in session.ledger.latest:
        return NoValue(kind="none", reason="never materialized")
    if graph.spec(key).partitions_def is not None:
        return NoValue(kind="none", reason="each partition has its own value")
    if maker.op.outs[maker.output_of[key]].is_nothing:
        return NoValue(kind="none", reason="it returns nothing")
    manager = manager_of(key, maker)
    if manager not in session.scan().resources:
        return NoValue(kind="none", reason="no longer in memory")
    return NoValue(kind="none", reason=f"`{manager}` keeps it", loadable=True)


def shown(value: Any, entry: Kept | None) -> Value:
    """Return a value that is no table: an image, or text."""
    kind = f"{type(value).__module__}.{type(value).__qualname__}".removeprefix("builtins.")
    image = image_in(displayed(value))
    if image is not None:
        return ImageValue(kind="image", type=kind, mime=image[0], data=image[1])
    text = text_of(value)
    nbytes = entry.bytes if entry is not None else 0
    return TextValue(kind="text", type=kind, text=cut(text, LONGEST), nbytes=nbytes, cut=len(text) > LONGEST)


def displayed(value: Any) -> dict[str, Any]:
    """Return the images that a value has of itself."""
    figures = sys.modules.get("matplotlib.figure")
    if figures is not None and isinstance(value, figures.Figure):
        return {"image/png": drawn(value)}
    found: dict[str, Any] = {}
    for mime, name in (("image/png", "_repr_png_"), ("image/jpeg", "_repr_jpeg_"), ("image/svg+xml", "_repr_svg_")):
        form = getattr(type(value), name, None)
        try:
            content = form(value) if callable(form) else None
        except Exception:  # noqa: BLE001 - anybody's code
            content = None
        if content:
            found[mime] = content[0] if isinstance(content, tuple) else content
    return found


def drawn(figure: Any) -> bytes:
    """Return a figure as PNG, drawn off the screen."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    before, page = figure.canvas, io.BytesIO()
    try:
        FigureCanvasAgg(figure).print_png(page)  # type: ignore[no-untyped-call]
    finally:
        figure.set_canvas(before)
    return page.getvalue()


def text_of(value: Any) -> str:
    """Return a value as text, as a cell that ends with it shows it in a terminal."""
    try:
        if isinstance(value, str):
            return value
        from IPython.lib.pretty import pretty

        return str(pretty(value, max_seq_length=200))  # type: ignore[no-untyped-call]
    except Exception as error:  # noqa: BLE001 - anybody's __repr__
        return f"<{type(value).__name__}: its repr raised {type(error).__name__}>"


# -- the rest ---------------------------------------------------------------------------------------------------------


def code_of(maker: AssetsDefinition, scanned: Scanned) -> Code | None:
    """Return the code of an asset: its cell's, or its function's."""
    cell = scanned.cells.get(maker)
    if cell is not None and cell.source is not None:
        return Code(text=cut(cell.text), where=cell.label)
    if not maker.is_executable or maker.op_def is None:
        return None
    elsewhere = told_elsewhere(maker)
    if elsewhere is not None:
        texts = [part.text for part in elsewhere if part.kind == "code" and part.text]
        return Code(text=cut("\n".join(texts)), where=maker.origin) if texts else None
    function = inspect.unwrap(maker.op_def.compute_fn)
    code = getattr(function, "__code__", None)
    try:
        text = inspect.getsource(function)
    except (OSError, TypeError):
        return None
    where = cell.label if cell is not None else f"line {code.co_firstlineno}" if code is not None else ""
    return Code(text=cut(inspect.cleandoc(text) if text[:1].isspace() else text), where=where)


def facts(made: Materialized | None) -> dict[str, Any]:
    """Return what is known of the last materialization."""
    if made is None:
        return {}
    return {
        "metadata": entries_of(made.materialization.metadata),
        "when": made.at,
        "seconds": made.seconds,
        "nbytes": made.nbytes,
        "shape": [*(made.shape or ())],
        "data_version": made.data_version,
        "output": chunks_of(made.output),
    }


def failure(session: Session, key: AssetKey) -> dict[str, Any]:
    """Return the error of an asset that failed last time, with what it had printed until then."""
    failed = max((one for (of, _), one in session.ledger.failed.items() if of == key), key=at_of, default=None)
    if failed is None:
        return {}
    line = f"{failed.partition}: {failed.error}" if failed.partition is not None else failed.error
    told = ErrorText(line=line, traceback=cut(failed.traceback), when=failed.at)
    return {"error": told, "output": chunks_of(failed.output)}


def at_of(fact: Fact) -> float:
    """Return when something happened."""
    return fact.at


def why_of(session: Session, key: AssetKey) -> Why | None:
    """Return why an asset stands as it does."""
    try:
        told: Explained = session.why(key)
    except DagsterError as error:
        return Why(notes=[str(error)])
    changes = [Change(kind=one.kind, name=one.name, lines=[*one.lines][:500]) for one in told.changes]
    notes = [*map(str, told.behind), *told.notes]
    return Why(changes=changes, upstream=[*told.upstream], notes=notes, hint=told.hint)


def check_of(spec: AssetCheckSpec, session: Session) -> CheckDetails:
    """Return a check with its last result."""
    ledger = session.ledger
    raised, last = ledger.raised.get((spec.key, None)), ledger.checked.get((spec.key, None))
    told: dict[str, Any] = {"description": spec.description or ""}
    if last is not None:
        one = last.evaluation
        told |= {
            "severity": one.severity.value,
            "description": one.description or told["description"],
            "metadata": entries_of(one.metadata),
            "when": last.at,
            "seconds": last.seconds,
        }
    if raised is not None:
        told |= {"error": cut(raised.traceback or raised.error), "when": raised.at, "seconds": raised.seconds}
    return CheckDetails(name=spec.name, status=verdict_of(spec.key, ledger), blocking=spec.blocking, **told)


def definition_entries(spec: AssetSpec) -> list[Any]:
    """Return the metadata of a definition, without what other parts of the details show."""
    return entries_of({name: value for name, value in spec.metadata.items() if not name.startswith("dagster/code_")})


def plots_of(session: Session, key: AssetKey) -> list[Plot]:
    """Return the histories of numeric metadata, of rows and of seconds."""
    points: dict[str, list[Point]] = {}
    made = [event for event in session.log if isinstance(event, Materialized) and event.key == key]
    for event in made[-MOST_POINTS:]:
        rows = float(event.shape[0]) if event.shape else None
        numbers = {name: number_of(value) for name, value in event.materialization.metadata.items()}
        for name, value in {**numbers, "rows": rows, "seconds": event.seconds}.items():
            if value is not None:
                points.setdefault(name, []).append(Point(when=event.at, value=value, run_id=event.run_id))
    return [Plot(name=name, points=found) for name, found in points.items() if len(found) > 1]


def runs_of(session: Session, id_: str) -> Iterator[RunLine]:
    """Yield what the newest runs did to an asset."""
    found = 0
    for run in reversed([*session.history.runs.values()]):
        for name in [name for name, ids in run.keys.items() if id_ in ids]:
            step = run.steps.get(name)
            if step is None or found >= MOST_RUNS:
                continue
            found += 1
            yield RunLine(
                run_id=run.run_id,
                status=step.status,
                when=step.started or run.started,
                seconds=step.seconds,
                reason=step.reason,
                message=step.message,
            )
        if found >= MOST_RUNS:
            return
