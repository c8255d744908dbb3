"""All that is known of an asset."""

import base64
import threading
import time
from datetime import UTC, datetime

import pandas as pd
import pytest
from matplotlib.figure import Figure

from ipy_orch import (
    AssetCheckResult,
    AssetKey,
    AssetSpec,
    IOManager,
    IOManagerDefinition,
    MaterializeResult,
    MetadataValue,
    StaticPartitionsDefinition,
    TableColumnDep,
    TableColumnLineage,
    TableRecord,
    asset,
    asset_check,
)
from ipy_orch.execution.capture import Chunk
from ipy_orch.session.session import Session
from ipy_orch.ui.entries import chunks_of, entries_of, link
from tests.ui.wires import WAIT, wired

SIZE = [3]


@pytest.fixture
def session():
    """Return a session with a table, a check of it, a reader, and an external asset."""

    @asset(deps=["raw"], description="The orders.", owners=["team:shop"], metadata={"source": "web"}, code_version="1")
    def orders():
        print("loading")
        frame = pd.DataFrame({"id": range(SIZE[0]), "name": list("abcdefgh"[: SIZE[0]])})
        return MaterializeResult(value=frame, metadata={"rows_in": SIZE[0], "docs": MetadataValue.url("javascript:x")})

    @asset(code_version="1")
    def total(orders):
        return len(orders)

    @asset_check(asset="orders")
    def few(orders):
        return AssetCheckResult(passed=len(orders) < 4, metadata={"most": 4}, description="at most three")

    SIZE[0] = 3
    return Session({"orders": orders, "total": total, "few": few, "raw": AssetSpec("raw")})


@pytest.fixture
def view(session):
    """Return a view of it."""
    with wired(session) as one:
        yield one


def test_before_anything_ran(view):
    """The definition, its code, its place in the graph, why it is missing, and why there is no value."""
    told = view.ask("details", id="orders")
    assert told["description"] == "The orders."
    assert "def orders():" in told["code"]["text"]
    assert (told["upstream"], told["downstream"]) == (["raw"], ["total"])
    assert told["owners"] == ["team:shop"]
    assert told["definition_metadata"] == [{"name": "source", "text": "web"}]
    assert told["status"] == {"word": "missing"}
    assert told["why"]["hint"] == "`%materialize orders`"
    assert told["value"] == {"kind": "none", "reason": "never materialized"}
    assert view.ask("details", id="raw")["value"]["reason"] == "it is made elsewhere"


def test_after_a_run(view, session):
    """Metadata, output, duration, runs, the checks' verdicts, and the first rows."""
    session.materialize()
    told = view.ask("details", id="orders")
    assert told["metadata"] == [
        {"name": "rows_in", "type": "int", "text": "3"},
        {"name": "docs", "type": "url", "text": "javascript:x"},
    ]
    assert told["output"] == [{"kind": "stdout", "text": "loading\n"}]
    assert told["shape"] == [3, 2]
    assert [run["status"] for run in told["runs"]] == ["success"]
    assert told["checks"][0] | {"when": 0, "seconds": 0} == {
        "name": "few",
        "status": "passed",
        "severity": "ERROR",
        "description": "at most three",
        "metadata": [{"name": "most", "type": "int", "text": "4"}],
        "when": 0,
        "seconds": 0,
    }
    assert told["value"]["kind"] == "table"
    assert told["value"]["total"] == 3
    assert told["value"]["rows"] == [[0, "a"], [1, "b"], [2, "c"]]


def test_rows_profile_and_plots(view, session):
    """Pages on demand, statistics on demand, and the history of numbers once there are two."""
    session.materialize("orders")
    SIZE[0] = 5
    session.materialize("orders", force=True)
    told = view.ask("details", id="orders")
    plots = {plot["name"]: [point["value"] for point in plot["points"]] for plot in told["plots"]}
    assert plots["rows_in"] == plots["rows"] == [3.0, 5.0]
    assert view.ask("rows", id="orders", start=1, stop=3)["rows"] == [[1, "b"], [2, "c"]]
    backwards = view.ask("rows", id="orders", start=0, stop=1, sort={"column": "name", "descending": True})
    assert backwards["rows"] == [[4, "e"]]
    assert view.ask("rows", id="orders", start=0, stop=1, sort={"column": "nope"})["kind"] == "refused"
    columns = view.ask("profile", id="orders", columns=["id"])["columns"]
    assert [(one["name"], one["max"]) for one in columns] == [("id", 4)]


def test_compare_with_the_value_before(view, session):
    """As far as it is still there: it is kept while a view is open."""
    session.materialize("orders")
    assert view.ask("compare", id="orders")["reason"]
    SIZE[0] = 4
    session.materialize("orders", force=True)
    assert view.ask("details", id="orders")["comparable"]
    told = view.ask("compare", id="orders")
    assert told["rows"] == [3, 4]
    assert not told.get("changed")


def test_values_of_before_take_a_bounded_part_of_memory(view, session):
    """A thousand materializations keep one; a large one isn't kept at all."""
    for _ in range(5):
        session.materialize("orders", force=True)
    assert [key.label for key in view.bridge.formers] == ["orders"]
    session.store.limit_bytes = 100
    session.materialize("orders", force=True)
    assert not view.bridge.formers


def test_failure_is_told_with_the_users_frames(view, session):
    """And none of ours."""

    @asset(code_version="2")
    def total(orders):
        print("about to fail")
        return orders["nope"]

    session.namespace["total"] = total
    session.materialize()
    told = view.ask("details", id="total")
    assert "KeyError" in told["error"]["line"]
    assert 'orders["nope"]' in told["error"]["traceback"]
    assert "ipy_orch/" not in told["error"]["traceback"]
    assert told["output"][0]["text"] == "about to fail\n"
    assert told["runs"][0]["status"] == "failure"


def test_why_has_the_difference(view, session):
    """Line by line."""

    @asset
    def limit():
        return 1

    session.namespace["limit"] = limit
    session.materialize()

    @asset
    def limit():
        return 2

    session.namespace["limit"] = limit
    changes = view.ask("details", id="limit")["why"]["changes"]
    assert any(line.startswith("-") for line in changes[0]["lines"])
    assert any(line.startswith("+") for line in changes[0]["lines"])


def test_figures_and_pictures_are_images(view, session):
    """A figure of matplotlib, and whatever draws itself."""

    class Drawing:
        def _repr_png_(self):
            return b"\x89PNG"

    @asset
    def figure():
        one = Figure(figsize=(1, 1))
        one.subplots().plot([1, 2])
        return one

    @asset
    def drawing():
        return Drawing()

    session.namespace |= {"figure": figure, "drawing": drawing}
    session.materialize("figure or drawing")
    told = view.ask("details", id="figure")["value"]
    assert told["mime"] == "image/png"
    assert base64.b64decode(told["data"]).startswith(b"\x89PNG")
    assert base64.b64decode(view.ask("details", id="drawing")["value"]["data"]) == b"\x89PNG"


def test_a_repr_that_raises_is_told(view, session):
    """The rest of the details is there."""

    class Bad:
        def __repr__(self):
            raise ValueError("no")

    @asset
    def bad():
        return Bad()

    session.namespace["bad"] = bad
    session.materialize("bad")
    assert "repr raised ValueError" in view.ask("details", id="bad")["value"]["text"]


def test_no_io_manager_of_the_users_is_asked_without_a_click(view, session):
    """Its code runs when the person asks to load the value."""
    asked = []

    class Mine(IOManager):
        def handle_output(self, context, obj):
            self.kept = obj

        def load_input(self, context):
            asked.append(1)
            return self.kept

    @asset(io_manager_key="mine")
    def far():
        return 7

    session.namespace |= {"far": far, "mine": IOManagerDefinition.hardcoded_io_manager(Mine())}
    session.materialize("far")
    told = view.ask("details", id="far")["value"]
    assert told == {"kind": "none", "reason": "`mine` keeps it", "loadable": True}
    assert view.ask("details", id="far")["io_manager"] == "mine"
    assert "io_manager" not in view.ask("details", id="orders")
    assert not asked
    assert view.ask("details", id="far", load=True)["value"]["text"] == "7"
    assert asked


def test_what_a_view_shows_stays_in_memory(view, session):
    """Until it shows something else, or goes."""
    session.materialize()
    key = session.key("orders", session.scan())
    view.ask("details", id="orders")
    assert session.store.is_pinned(key)
    view.ask("details", id="total")
    assert not session.store.is_pinned(key)


@pytest.mark.parametrize(
    ("url", "href"),
    [
        ("https://x.org/a?b=1", "https://x.org/a?b=1"),
        ("http://x", "http://x"),
        ("JAVASCRIPT:alert(1)", ""),
        ("data:text/html,x", ""),
        ("//x.org", ""),
        ("https://", ""),
        ("https://x\n.org", ""),
        (None, ""),
    ],
)
def test_only_web_addresses_are_links(url, href):
    """Everything else is shown as text."""
    assert link(url) == href


def test_displays_are_images_or_text():
    """No HTML of anybody's crosses the wire."""
    shown = chunks_of([Chunk("display", data={"text/html": "<script>1</script>", "text/plain": "plain"})])
    assert [chunk.model_dump(exclude_defaults=True) for chunk in shown] == [{"kind": "display", "text": "plain"}]


def test_tables_in_metadata(view, session):
    """Rows and columns."""

    @asset
    def report():
        return MaterializeResult(metadata={"t": MetadataValue.table([TableRecord({"a": 1, "b": "x"})])})

    session.namespace["report"] = report
    session.materialize("report")
    entry = view.ask("details", id="report")["metadata"][0]
    assert (entry["columns"], entry["rows"]) == (["a", "b"], [[1, "x"]])


def test_metadata_is_in_the_words_of_people():
    """Keys as they are written, a moment as a time, what columns are computed from as a table."""
    lineage = TableColumnLineage({"sum": [TableColumnDep("orders", "price"), TableColumnDep(["shop", "tax"], "rate")]})
    moment = datetime(2024, 2, 3, 4, 5, 6, tzinfo=UTC)
    told = {"k": AssetKey(["a", "b"]), "m": MetadataValue.timestamp(moment), "l": lineage, "no": None}
    key, when, columns, none = entries_of(told)
    assert (key.text, none.text) == ("a/b", "")
    assert datetime.fromisoformat(when.text) == moment
    assert (columns.columns, columns.rows) == (["column", "from"], [["sum", "orders.price, shop/tax.rate"]])


def test_many_partitions_are_told_in_short(view, session):
    """Their beginning and their end."""

    @asset(partitions_def=StaticPartitionsDefinition([f"k{number}" for number in range(5_000)]))
    def many():
        return 1

    session.namespace["many"] = many
    told = view.ask("details", id="many")["partitions"]
    assert len(told) == 200
    assert told.startswith("'k0', 'k1', ")
    assert told.endswith("'k4998', 'k4999'")


def test_why_says_once_what_cannot_be_followed(view, session):
    """It is no difference to itself."""

    @asset
    def odd():
        return len(globals())

    session.namespace["odd"] = odd
    session.materialize("odd")
    (change,) = view.ask("details", id="odd")["why"]["changes"]
    assert change["kind"] == "unknown"
    assert change["lines"] == ["what `globals` does can't be followed"]


def test_a_canceled_step_took_as_long_as_it_ran(view, session):
    """Though it has made nothing."""
    started = threading.Event()

    @asset(code_version="1")
    def slow():
        started.set()
        for _ in range(2_000):
            time.sleep(0.01)

    session.namespace["slow"] = slow
    view.send("materialize", ids=["slow"])
    assert started.wait(WAIT)
    time.sleep(0.1)
    view.send("cancel")
    view.wait(lambda one: (one.get("run") or {}).get("status") == "canceled")
    (run,) = view.ask("details", id="slow")["runs"]
    assert run["status"] == "canceled"
    assert run["seconds"] >= 0.1
