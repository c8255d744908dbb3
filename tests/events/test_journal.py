"""The log on disk: every event comes back equal, a kill costs a line, kernels share a folder, and it stays small."""

from __future__ import annotations

import math
import os
import subprocess
import sys
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ipy_orch.events import lines
from ipy_orch.events.chunks import Chunk
from ipy_orch.events.compaction import Record, compacted
from ipy_orch.events.journal import Journal
from ipy_orch.events.ledger import Ledger
from ipy_orch.events.lines import decoded, encoded
from ipy_orch.events.runs import Runs
from ipy_orch.events.types import (
    Event,
    Forgotten,
    Logged,
    Materialized,
    Part,
    RunFinished,
    RunStarted,
    StepFailed,
    StepStarted,
)
from ipy_orch.model.env import SECRETS
from ipy_orch.model.keys import AssetCheckKey, AssetKey
from ipy_orch.model.metadata.value import MetadataValue
from ipy_orch.model.results import (
    AssetCheckEvaluation,
    AssetCheckSeverity,
    AssetMaterialization,
    AssetObservation,
    ExpectationResult,
    TargetMaterialization,
)
from ipy_orch.model.tables import (
    TableColumn,
    TableColumnConstraints,
    TableColumnDep,
    TableColumnLineage,
    TableRecord,
    TableSchema,
)

# -- any event ---------------------------------------------------------------------------------------------------------

names = st.text(min_size=1, max_size=8)
floats = st.floats(allow_nan=False)
keys = st.lists(names, min_size=1, max_size=3).map(AssetKey)
checks = st.builds(AssetCheckKey, keys, names)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | floats | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)
columns = st.builds(
    TableColumn,
    names,
    names,
    st.none() | names,
    st.builds(TableColumnConstraints, st.booleans(), st.booleans(), st.lists(names, max_size=2)),
    st.dictionaries(names, names, max_size=2),
)
schemas = st.lists(columns, max_size=3).map(TableSchema)
rows = st.lists(st.builds(TableRecord, st.just({"a": 1, "b": None})), min_size=1, max_size=2)
metadata_values = st.one_of(
    st.text().map(MetadataValue.text),
    st.text().map(MetadataValue.url),
    names.map(MetadataValue.path),
    names.map(MetadataValue.notebook),
    st.dictionaries(names, json_values, max_size=3).map(MetadataValue.json),
    st.text().map(MetadataValue.md),
    st.just(MetadataValue.python_artifact(math.floor)),
    floats.map(MetadataValue.float),
    st.integers().map(MetadataValue.int),
    st.booleans().map(MetadataValue.bool),
    floats.map(MetadataValue.timestamp),
    keys.map(MetadataValue.asset),
    st.builds(MetadataValue.job, names, names, repository_name=st.none() | names),
    names.map(MetadataValue.dagster_run),
    st.builds(MetadataValue.table, rows, st.none() | schemas),
    schemas.map(MetadataValue.table_schema),
    st.dictionaries(names, st.lists(st.builds(TableColumnDep, keys, names), max_size=2), max_size=2).map(
        lambda deps: MetadataValue.column_lineage(TableColumnLineage(deps))
    ),
    st.just(MetadataValue.null()),
    names.map(MetadataValue.code_location_reconstruction),
    names.map(MetadataValue.pool),
)
metadata = st.dictionaries(names, metadata_values, max_size=3)
anything = st.recursive(
    st.one_of(json_values, metadata_values, keys, checks, schemas, st.binary(max_size=8), st.dates(), st.datetimes()),
    lambda inner: st.one_of(
        st.lists(inner, max_size=2),
        st.lists(inner, max_size=2).map(tuple),
        st.dictionaries(st.text(max_size=3) | st.just("$") | st.integers() | st.tuples(names), inner, max_size=3),
        st.sets(names | st.integers(), max_size=3),
        st.frozensets(names, max_size=3),
    ),
    max_leaves=5,
)
chunks = st.builds(
    Chunk,
    st.sampled_from(["stdout", "stderr", "display", "warning", "log"]),
    st.text(max_size=20),
    st.none() | st.dictionaries(names, anything, max_size=3),
    st.none() | st.dictionaries(names, json_values, max_size=2),
)
outputs = st.lists(chunks, max_size=3).map(tuple)
recipes = st.lists(st.builds(Part, names, names, names, st.text()), max_size=3).map(tuple)
texts = st.text(max_size=8)
partitions = st.none() | texts
tags = st.dictionaries(st.from_regex(r"[a-z]{1,8}", fullmatch=True), st.from_regex(r"[a-z]{1,8}", fullmatch=True))
evaluations = st.builds(
    AssetCheckEvaluation,
    keys,
    names,
    st.booleans(),
    metadata,
    st.none() | st.builds(TargetMaterialization, st.integers(), names, floats),
    st.sampled_from(AssetCheckSeverity),
    partitions,
    st.none() | st.booleans(),
    partitions,
)
FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "steps": st.dictionaries(names, texts, max_size=3),
    "tags": st.dictionaries(names, texts, max_size=3),
    "metadata": st.dictionaries(names, anything, max_size=3),
    "materialization": st.builds(AssetMaterialization, keys, partitions, metadata, partitions, st.none() | tags),
    "observation": st.builds(AssetObservation, keys, partitions, metadata, partitions, st.none() | tags),
    "evaluation": evaluations,
    "expectation": st.builds(ExpectationResult, st.booleans(), names, partitions, metadata),
    "recipe": recipes,
    "output": outputs,
    "checks": st.lists(checks, max_size=2).map(tuple),
    "key": keys,
    **dict.fromkeys(("partitions", "added", "removed", "run_keys"), st.lists(texts, max_size=3).map(tuple)),
    "moment": st.none() | floats,
    "requested": st.integers(0),
    "on": st.booleans(),
    "shape": st.none() | st.lists(st.integers(0), max_size=3).map(tuple),
    **dict.fromkeys(("partition", "mapping_key", "description"), partitions),
    **dict.fromkeys(("said", "blocking", "success", "unchanged"), st.booleans()),
    **dict.fromkeys(("at", "seconds", "delay"), floats),
    **dict.fromkeys(("attempt", "nbytes"), st.integers()),
}


def events_of(kind: type[Any]) -> st.SearchStrategy[Any]:
    """Return events of a kind; a field that isn't in the table is a text."""
    given_fields = {one.name: FIELDS.get(one.name, texts) for one in fields(kind)}
    if "keys" in given_fields:
        plain = st.dictionaries(names, st.lists(texts, max_size=2).map(tuple), max_size=2)
        given_fields["keys"] = plain if kind is RunStarted else st.lists(keys, max_size=2).map(tuple)
    if "data_version" in given_fields and kind.kind == "observed":
        given_fields["data_version"] = partitions
    return st.builds(kind, **given_fields)


@pytest.mark.parametrize("kind", get_args(Event), ids=lambda kind: kind.kind)
def test_every_event_comes_back_equal(kind: type[Any]) -> None:
    """Also what users put into metadata and displays: tuples, bytes, keys, infinite numbers, mappings of any keys."""

    @settings(max_examples=40)
    @given(events_of(kind))
    def comes_back(event: Event) -> None:
        line = encoded(event)
        again = decoded(line.rstrip(b"\n"))
        assert line.count(b"\n") == 1
        assert again == event
        assert encoded(again) == line  # which tells 1 from True, and a tuple from a list

    comes_back()


def test_nan_infinity_and_lone_surrogates() -> None:
    """Which JSON doesn't have."""
    said = {"nan": math.nan, "inf": -math.inf, "deep": [{"x": math.inf}]}
    event = made("a", 1.0, metadata=said)
    again: Any = decoded(encoded(event))
    assert repr(again) == repr(event)
    odd: Any = decoded(encoded(replace(logged(1.0), text="caf\udce9")))
    assert odd.text == "caf\\udce9"


def test_what_json_cannot_hold_is_told() -> None:
    """A value of a class of the user's is kept as its repr, and calls nothing when it is read."""

    class Odd:
        def __repr__(self) -> str:
            return "Odd!"

    cyclic: list[Any] = []
    cyclic.append(cyclic)
    event = StepFailed("r", 1.0, "s", metadata={"odd": Odd(), "cyclic": cyclic})
    again: Any = decoded(encoded(event))
    assert again.metadata == repr(event.metadata) or again.metadata["odd"] == "Odd!"


@pytest.mark.parametrize(
    "line",
    [b"", b"[", b"null", b'["nothing",{}]', b'["logged",{}]', b'["logged",{"run_id":1}]', b"\xff\xfe", b'["logged"]'],
)
def test_what_is_no_event(line: bytes) -> None:
    """Is left out, whatever it is."""
    assert decoded(line) is None


def test_a_field_of_a_later_version_is_left_out() -> None:
    """So that an older kernel can read a newer one's log."""
    assert decoded(b'["run started",{"run_id":"r","at":1.0,"colour":"red"}]') == RunStarted("r", 1.0)


def test_a_long_output_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    """With a line that says so; the log of a session that prints gigabytes stays readable."""
    monkeypatch.setattr(lines, "MOST_OUTPUT", 10)
    event = made("a", 1.0, output=(Chunk("stdout", "12345"), Chunk("stdout", "x" * 1000)))
    again: Any = decoded(encoded(event))
    assert [chunk.text[:5] for chunk in again.output] == ["12345", "xxxxx", lines.LEFT_OUT[:5]]
    assert len(encoded(replace(logged(1.0), text="x" * 1000))) < 300


def test_no_secret_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even of an event that was made before its value was known to be one."""
    event = replace(logged(1.0), text="connect hunter22")
    with monkeypatch.context() as patch:
        patch.setattr(SECRETS, "labels", dict(SECRETS.labels))
        patch.setattr(SECRETS, "pattern", SECRETS.pattern)
        SECRETS.add("hunter22", "PASSWORD")
        assert b"hunter22" not in encoded(event)
        assert b"[PASSWORD]" in encoded(event)


# -- the files ---------------------------------------------------------------------------------------------------------


def logged(at: float, text: str = "x") -> Logged:
    """Return an event of a step."""
    return Logged("run", at, "step", "stdout", "", text)


def made(name: str, at: float, run: str = "run", *, metadata: Any = None, **more: Any) -> Materialized:
    """Return the fact that an asset was made."""
    said = AssetMaterialization(AssetKey(name), metadata=metadata)
    return Materialized(run, at, name, materialization=said, version=f"v{at}", data_version=f"v{at}", **more)


def run_of(name: str, at: float) -> list[Event]:
    """Return the events of a run that makes one asset."""
    run = f"run{at}"
    return [
        RunStarted(run, at, what=name, steps={name: "asked for"}),
        StepStarted(run, at, name),
        made(name, at, run),
        RunFinished(run, at),
    ]


def written(folder: Path, *events: Event) -> Path:
    """Write events as a kernel that ends well."""
    journal = Journal(folder)
    journal.open()
    for event in events:
        journal.append(event)
    journal.close()
    return journal.path


def test_what_was_written_is_read(tmp_path: Path) -> None:
    """In order, by the next kernel, and by the one after that."""
    events = [*run_of("a", 1.0), *run_of("b", 2.0)]
    written(tmp_path, *events)
    assert Journal(tmp_path).open() == events
    written(tmp_path, *run_of("c", 3.0))
    assert Journal(tmp_path).open() == [*events, *run_of("c", 3.0)]


def test_a_fact_is_written_at_once(tmp_path: Path) -> None:
    """With all that led to it; nothing waits for the kernel to end well."""
    journal = Journal(tmp_path)
    journal.open()
    for event in run_of("a", 1.0)[:3]:
        journal.append(event)
    assert journal.path.read_bytes().count(b"\n") == 3


@pytest.mark.parametrize("cut", [1, 5, 100])
def test_a_torn_last_line_is_dropped(tmp_path: Path, cut: int) -> None:
    """As a kill, or a full disk, leaves it."""
    path = written(tmp_path, *run_of("a", 1.0), *run_of("b", 2.0))
    path.write_bytes(path.read_bytes()[:-cut])
    assert Journal(tmp_path).open() == [*run_of("a", 1.0), *run_of("b", 2.0)][:-1]


def test_a_damaged_line_costs_that_line(tmp_path: Path) -> None:
    """And is counted."""
    path = written(tmp_path, *run_of("a", 1.0), *run_of("b", 2.0))
    lines_there = path.read_bytes().split(b"\n")
    lines_there[1] = b"\x00" * len(lines_there[1])
    path.write_bytes(b"\n".join(lines_there))
    journal = Journal(tmp_path)
    assert len(journal.open()) == 7
    assert journal.unreadable == 1


def test_after_a_torn_write_the_next_line_begins_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that was full for a moment costs what it didn't take, not what followed."""
    journal = Journal(tmp_path)
    journal.open()
    real = os.write

    def half(file: int, data: bytes) -> int:
        monkeypatch.setattr(os, "write", full)
        return real(file, data[: len(data) // 2])

    def full(file: int, data: bytes) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", half)
    with pytest.raises(OSError, match="No space"):
        journal.append(made("a", 1.0))
    monkeypatch.setattr(os, "write", real)
    journal.append(made("b", 2.0))
    journal.close()
    assert Journal(tmp_path).open() == [made("b", 2.0)]


def test_two_kernels_write_at_once(tmp_path: Path) -> None:
    """Each to a file of its own, which nobody takes away while it lives; who starts later sees both."""
    one, other = Journal(tmp_path), Journal(tmp_path)
    one.open()
    one.append(made("a", 1.0))
    assert other.open() == [made("a", 1.0)]
    other.append(made("b", 2.0))
    one.append(made("c", 3.0))
    assert Journal(tmp_path).open() == [made("a", 1.0), made("b", 2.0), made("c", 3.0)]
    assert one.path.exists()
    assert other.path.exists()


def test_files_of_the_dead_become_one(tmp_path: Path) -> None:
    """However many kernels there were."""
    for number in range(5):
        written(tmp_path, made("a", float(number)))
    last = Journal(tmp_path)
    assert last.open() == [made("a", 4.0)]
    assert sorted(path.name.partition("-")[0] for path in tmp_path.glob("*.jsonl")) == [
        last.path.name.partition("-")[0],
        "facts",
    ]
    assert Journal(tmp_path).open() == [made("a", 4.0)]


def test_a_killed_kernel_is_dead(tmp_path: Path) -> None:
    """Its lock goes with it, and its file is put together with the others."""
    code = (
        "import os, sys; from pathlib import Path\n"
        "from ipy_orch.events.journal import Journal\n"
        "from ipy_orch.events.types import RunStarted\n"
        "journal = Journal(Path(sys.argv[1])); journal.open(); journal.append(RunStarted('r', 1.0))\n"
        "os.kill(os.getpid(), 9)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=False)
    assert done.returncode == -9
    journal = Journal(tmp_path)
    assert journal.open() == [RunStarted("r", 1.0)]
    assert next(path.name for path in tmp_path.glob("*.jsonl") if path != journal.path).startswith("facts-")


def test_a_kill_between_putting_together_and_removing(tmp_path: Path) -> None:
    """Leaves events twice, which are read once."""
    path = written(tmp_path, *run_of("a", 1.0))
    content = path.read_bytes()
    Journal(tmp_path).open()
    path.write_bytes(content)
    assert Journal(tmp_path).open() == run_of("a", 1.0)


def test_what_is_forgotten_stays_so(tmp_path: Path) -> None:
    """Also when another kernel that still lives has made it before."""
    alive = Journal(tmp_path)
    alive.open()
    alive.append(made("a", 1.0))
    for _ in range(2):
        written(tmp_path, Forgotten("", 2.0, "", AssetKey("a")))
    assert Ledger(Journal(tmp_path).open()).materialized == {}


def test_a_long_file_is_compacted_between_runs(tmp_path: Path) -> None:
    """In place; what is read from it leads to the same ledger, and the newest runs are whole."""
    journal = Journal(tmp_path, long=100_000)
    journal.open()
    events = [event for at in range(1, 500) for event in run_of(f"a{at % 7}", float(at))]
    for event in events:
        journal.append(event)
    journal.close()
    assert journal.path.stat().st_size < 150_000
    again = Journal(tmp_path).open()
    assert Ledger(again).materialized == Ledger(events).materialized
    newest = dict(list(Runs(events).runs.items())[-50:])
    assert {run: Runs(again).runs[run] for run in newest} == newest


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(["made", "failed", "forgotten"])), max_size=30))
def test_compaction_keeps_what_a_ledger_ends_as(history: list[tuple[str, str]]) -> None:
    """Whatever happened, and wherever it is cut: facts, failures, what was forgotten."""
    events: list[Event] = []
    for at, (name, what) in enumerate(history):
        if what == "made":
            events.append(made(name, float(at), f"run{at}"))
        elif what == "failed":
            check = AssetCheckKey(AssetKey(name), "check")
            events.append(StepFailed(f"run{at}", float(at), name, keys=(AssetKey(name),), checks=(check,)))
        else:
            events.append(Forgotten("", float(at), "", AssetKey(name)))
    whole = Ledger(events)
    for cut in range(len(events) + 1):
        parts = (events[:cut], events[cut:])
        kept = [one.event for part in parts for one in compacted([Record(event, b"") for event in part])]
        found = Ledger(kept)
        assert vars(found) == vars(whole)


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="a system without owners of files")
def test_a_file_that_anybody_may_write_to_is_not_believed(tmp_path: Path) -> None:
    """Its facts would have values loaded."""
    path = written(tmp_path, *run_of("a", 1.0))
    path.chmod(0o666)
    assert Journal(tmp_path).open() == []


def test_a_fork_writes_nothing(tmp_path: Path) -> None:
    """A worker process has the journal of its parent, and what waits in it."""
    journal = Journal(tmp_path)
    journal.open()
    journal.append(logged(1.0))
    journal.process += 1
    journal.close()
    journal.process -= 1
    journal.append(made("a", 2.0))
    assert journal.path.read_bytes().count(b"\n") == 2
