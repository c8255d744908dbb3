"""What outlives the kernel: an unchanged notebook computes nothing again, whatever happened to the kernel before."""

from __future__ import annotations

import json
import os
import random
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ipy_orch.errors import StoreWarning
from ipy_orch.model.env import SECRETS
from ipy_orch.model.keys import AssetKey
from ipy_orch.session import recipes, store
from ipy_orch.session.session import Session
from ipy_orch.session.settings import Settings
from tests.session.notebook import Notebook

ROOT = Path(__file__).parents[2]
CELLS = {
    "imports": "import pandas as pd\nlimit = 2\ndef clean(frame):\n    return frame[frame.n >= limit]",
    "class": "class Model:\n    def __init__(self, total):\n        self.total = total",
    "raw": "%%asset raw\nprint('made raw')\npd.DataFrame({'n': [1, 2, 3], 's': ['a', 'b', None]})",
    "clean": "%%asset cleaned\nclean(raw)",
    "check": "%%asset_check cleaned\nlen(cleaned) == 2, {'rows': len(cleaned)}",
    "total": "%%asset total\nint(cleaned.n.sum())",
    "model": "%%asset model\nModel(total)",
}
Make = Callable[..., Notebook]


@pytest.fixture
def folder(tmp_path: Path) -> str:
    """Return a store's folder that isn't there yet."""
    return str(tmp_path / ".ipy_orch")


class Main:
    """Be ``__main__`` as a kernel has it: where pickle finds the classes of the notebook."""

    def __init__(self, notebook: Notebook) -> None:
        self.notebook = notebook

    def __getattr__(self, name: str) -> Any:
        try:
            return self.notebook.namespace[name]
        except KeyError:
            raise AttributeError(name) from None


@pytest.fixture
def kernel(folder: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Make]:
    """Return what starts a kernel with the store, after the one before has ended."""
    started: list[Notebook] = []

    def start(place: str = folder) -> Notebook:
        for one in started:
            one.session.persistence.close()
        started.append(Notebook(store=place))
        monkeypatch.setitem(sys.modules, "__main__", Main(started[-1]))
        return started[-1]

    yield start
    for one in started:
        one.session.persistence.close()


def run_all(notebook: Notebook, **changed: str) -> dict[str, str]:
    """Run all cells, and return the status of each asset."""
    reports = [notebook.cell(name, text) for name, text in {**CELLS, **changed}.items()]
    return {line.key.label: line.status for report in reports if report is not None for line in report.lines}


def notices(notebook: Notebook, text: str) -> list[str]:
    """Run a cell, and return the notices of its report."""
    found: list[str] = notebook.cell("x", text).notices
    return found


# -- after a restart ---------------------------------------------------------------------------------------------------


def test_an_unchanged_notebook_computes_nothing(kernel: Make) -> None:
    """And shows every value, output and verdict."""
    before = kernel()
    run_all(before)
    after = kernel()
    assert set(run_all(after).values()) == {"fresh"}
    assert after.session.statuses(after.session.scan()) == before.session.statuses(before.session.scan())
    namespace = after.namespace
    assert namespace["raw"].equals(before.namespace["raw"])
    assert list(namespace["cleaned"].n) == [2, 3]
    assert namespace["total"] == 5
    assert type(namespace["model"]) is namespace["Model"]
    made = after.session.ledger.materialized[AssetKey("raw"), None]
    assert [chunk.text for chunk in made.output] == ["made raw\n"]
    verdicts = list(after.session.ledger.checked.values())
    assert [one.evaluation.metadata["rows"].value for one in verdicts] == [2]
    assert len(after.session.history.runs) == len(before.session.history.runs)


def test_one_edit_computes_what_depends_on_it(kernel: Make) -> None:
    """Also an edit of a helper or a constant, made while there was no kernel; `why` knows what it was."""
    run_all(kernel())
    after = kernel()
    found = run_all(after, imports=CELLS["imports"].replace("limit = 2", "limit = 3"))
    assert found == {"raw": "fresh", "cleaned": "fresh", "total": "ran", "model": "ran"}
    assert after.namespace["total"] == 3
    run_all(kernel())
    again = kernel()
    again.cell("imports", CELLS["imports"].replace("limit = 2", "limit = 4"))
    for name in ("class", "raw"):
        again.cell(name, CELLS[name])
    again.run = False
    for name in ("clean", "total", "model"):
        again.cell(name, CELLS[name])
    assert "limit" in str(again.session.why("cleaned"))


def test_a_class_that_changed_is_noticed(kernel: Make) -> None:
    """No old pickle becomes an object of the new class."""
    run_all(kernel())
    after = kernel()
    run_all(after, **{"class": CELLS["class"].replace("self.total = total", "self.sum = total")})
    assert vars(after.namespace["model"]) == {"sum": 5}


def test_what_cannot_be_pickled_is_computed_again(kernel: Make) -> None:
    """It is said so, once; what is downstream stays."""
    before = kernel()
    told = notices(before, "%%asset function\nlambda: 3")
    assert len(told) == 1
    assert "`function` is kept in memory only" in told[0]
    before.cell("y", "%%asset value\nfunction()")
    assert before.cell("x", "%%asset function\nlambda: 3").notices == []
    after = kernel()
    after.run = False
    after.cell("x", "%%asset function\nlambda: 3")
    after.cell("y", "%%asset value\nfunction()")
    assert after.session.materialize("value").materialized == []
    assert after.session.materialize("function").materialized == [AssetKey("function")]


def test_a_data_version_that_was_returned(kernel: Make) -> None:
    """Is the name of the value on disk, too."""
    heading = "from ipy_orch import DataVersion, Output, asset\n"
    text = f"{heading}@asset\ndef a():\n    return Output(1, data_version=DataVersion('x/y'))"
    for expected in ([AssetKey("a")], []):
        notebook = kernel()
        notebook.cell("a", text)
        assert notebook.session.materialize("a").materialized == expected
        assert notebook.value("a") == 1


def test_a_managers_memory_is_gone(kernel: Make) -> None:
    """What the user's InMemoryIOManager kept died with its kernel; what their files kept didn't."""
    text = "from ipy_orch import InMemoryIOManager\nio_manager = InMemoryIOManager()"
    for _ in range(2):
        notebook = kernel()
        notebook.cell("io", text)
        notebook.run = False
        notebook.cell("a", "%%asset a\n1")
        assert notebook.session.materialize("a").materialized == [AssetKey("a")]


def test_forget(kernel: Make) -> None:
    """Also on disk, for good."""
    before = kernel()
    run_all(before)
    before.session.forget("total")
    assert not list(Path(before.session.persistence.folder or "").rglob("total-*"))
    assert {name for name, status in run_all(kernel()).items() if status == "ran"} == {"total"}


def test_turned_on_in_the_middle(kernel: Make, folder: str) -> None:
    """What the session has made before is kept as well; turned off, nothing more is written."""
    before = kernel("")
    run_all(before)
    assert before.session.persistence.use(folder) == ""
    before.session.persistence.use("")
    before.cell("new", "%%asset new\n1")
    after = kernel(folder)
    assert set(run_all(after).values()) == {"fresh"}
    assert after.cell("new", "%%asset new\n1").materialized == [AssetKey("new")]


def test_turned_on_in_the_middle_of_two(kernel: Make, folder: str) -> None:
    """What is newer counts, of the session or of the folder."""
    run_all(kernel())
    now = kernel("")
    now.cell("total", "%%asset total\n7")
    now.session.persistence.use(folder)
    found = run_all(now, total="%%asset total\n7")
    assert (found["raw"], found["total"], now.namespace["total"]) == ("fresh", "fresh", 7)


def test_evicted_values_are_loaded(kernel: Make) -> None:
    """Not computed again; memory stays within its limit, also during a run that makes more than that."""
    notebook = kernel()
    notebook.session.store.limit_bytes = 3_000_000
    notebook.run = False
    for number in range(5):
        notebook.cell(str(number), f"%%asset a{number}\nbytearray({1_000_000 + number})")
    notebook.cell("all", "%%asset lengths\n[len(one) for one in (a0, a1, a2, a3, a4)]")
    notebook.session.materialize()
    assert notebook.session.store.total_bytes <= 3_000_000
    assert notebook.value("lengths") == [1_000_000 + number for number in range(5)]
    assert notebook.session.materialize().materialized == []
    assert len(notebook.value("a0")) == 1_000_000


def test_another_version_of_a_pinned_package(folder: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Counts as an edit, made while there was no kernel."""
    for version, expected in (("1", "ran"), ("1", "fresh"), ("2", "ran")):
        monkeypatch.setattr(recipes, "version", lambda _, version=version: version)
        notebook = Notebook(store=folder)
        notebook.session.settings.pins = ("pandas",)
        notebook.cell("imports", "import pandas as pd")
        report = notebook.cell("a", "%%asset a\nlen(pd.DataFrame({'x': [1]}))")
        assert [line.status for line in report.lines] == [expected]
        notebook.session.persistence.close()


def test_a_figure_is_not_opened_in_pyplot(kernel: Make) -> None:
    """Or every later cell would show it again."""
    pyplot = pytest.importorskip("matplotlib.pyplot")
    pyplot.switch_backend("agg")
    for _ in range(2):
        notebook = kernel()
        notebook.cell("import", "import matplotlib.pyplot as plt")
        notebook.cell("a", "%%asset figure\nfigure, axes = plt.subplots()\naxes.plot([1])\nfigure")
        notebook.value("figure")
        opened = pyplot.get_fignums()
        pyplot.close("all")
    assert opened == []


EDITS = {
    "limit": ["limit = 1", "limit = 2", "limit = '3'"],
    "helper": ["def helper(x):\n    return [x, limit]", "def helper(x):\n    return (x, limit)"],
    "first": ["%%asset first\nhelper(1)", "%%asset first\nhelper(2)", "%%asset first\nlambda: 3"],
    "second": ["%%asset second\nstr(first)[:9]", "%%asset second\n[first, limit][1]"],
    "third": ["%%asset third\n{second: 1}", "%%asset third\nsecond * 2"],
}
edits = st.tuples(st.sampled_from([*EDITS]), st.integers(0, 2))
actions = st.lists(edits | st.sampled_from(["restart", "kill", "damage", "forget", "force"]), max_size=12)


def restarted(folder: str, cells: dict[str, str]) -> Notebook:
    """Start a kernel, and run all."""
    notebook = Notebook(store=folder)
    for name, text in cells.items():
        notebook.cell(name, text)
    return notebook


@settings(max_examples=30)
@given(actions)
def test_values_are_those_of_a_session_without_a_store(done: list[Any]) -> None:
    """After any edits, restarts, kills and damage."""
    cells = {name: texts[0] for name, texts in EDITS.items()}
    with tempfile.TemporaryDirectory() as folder:
        notebook = restarted(folder, cells)
        for action in done:
            if isinstance(action, tuple):
                cells[action[0]] = EDITS[action[0]][action[1] % len(EDITS[action[0]])]
                notebook.cell(action[0], cells[action[0]])
            elif action == "damage":
                damage(folder, random.choice(["first", "second", "third"]))
            elif action in ("restart", "kill"):
                if action == "restart":
                    notebook.session.persistence.close()
                notebook = restarted(folder, cells)
            elif action == "forget":
                notebook.session.forget("second")
            else:
                notebook.session.materialize("first", force=True)
        found = {name: notebook.value(name) for name in ("second", "third")}
        notebook.session.persistence.close()
    expected = restarted("", cells)
    assert {name: re.sub("0x.*", "", str(value)) for name, value in found.items()} == {
        name: re.sub("0x.*", "", str(expected.value(name))) for name in found
    }


# -- files that can't be used ------------------------------------------------------------------------------------------


def damage(folder: str, name: str) -> None:
    """Change one byte in each value of an asset."""
    for path in Path(folder).rglob(f"{name}-*/*.*"):
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 255
        path.write_bytes(content)


@pytest.mark.parametrize("name", ["raw", "total", "model"])
def test_a_damaged_value_is_computed_again(kernel: Make, folder: str, name: str) -> None:
    """With a notice; and only that one."""
    run_all(kernel())
    damage(folder, name)
    after = kernel()
    reports = [report for cell, text in CELLS.items() if (report := after.cell(cell, text)) is not None]
    ran = {key for report in reports for key in report.materialized}
    assert ran == {AssetKey(name)}
    assert any(f"the stored value of `{name}` isn't used" in told for report in reports for told in report.notices)
    assert after.namespace["total"] == 5


def test_a_damaged_value_that_only_a_step_reads(kernel: Make, folder: str) -> None:
    """Is made again before that step, although it looked fine when the run was planned."""
    big = "%%asset big\nlist(range(100_000))"
    before = kernel()
    before.cell("big", big)
    damage(folder, "big")
    after = kernel()
    after.run = False
    after.cell("big", big)
    after.cell("last", "%%asset last\nbig[-1]")
    assert after.session.materialize("last").materialized == [AssetKey("big"), AssetKey("last")]
    assert after.value("last") == 99_999


@pytest.mark.parametrize("what", ["events", "values"])
def test_half_of_a_store(kernel: Make, folder: str, what: str) -> None:
    """A log without values, or values without a log, are no harm."""
    run_all(kernel())
    kernel()
    subprocess.run(["rm", "-r", f"{folder}/v{store.FORMAT}/{what}"], check=True)
    after = kernel()
    assert "ran" in run_all(after).values()
    assert after.namespace["total"] == 5


def test_another_format(kernel: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """Begins anew."""
    run_all(kernel())
    monkeypatch.setattr(store, "FORMAT", store.FORMAT + 1)
    assert set(run_all(kernel()).values()) >= {"ran"}
    assert set(run_all(kernel()).values()) == {"fresh"}


def refused(place: str) -> str:
    """Start a session whose store can't be used; return what it says, after it has run all the same."""
    with pytest.warns(StoreWarning) as told:
        session = Session({"__name__": "__main__"}, Settings(store=place))
    assert session.persistence.folder is None
    notebook = Notebook()
    notebook.session = session
    run_all(notebook)
    assert notebook.namespace["total"] == 5
    return str(told[0].message)


def test_a_folder_that_is_a_file(tmp_path: Path) -> None:
    """Is told, and the session goes on."""
    (tmp_path / "file").write_text("")
    assert refused(str(tmp_path / "file" / "store")).endswith("not a directory. The session goes on in memory")


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="a system without owners of files")
def test_a_folder_that_cannot_be_written_to(tmp_path: Path) -> None:
    """Is told, and the session goes on."""
    place = "/proc/ipy_orch"
    if os.geteuid() != 0:
        (tmp_path / "store").mkdir(mode=0o500)
        place = str(tmp_path / "store")
    assert "The session goes on in memory" in refused(place)


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="a system without owners of files")
def test_a_folder_that_anybody_may_write_to(kernel: Make, folder: str) -> None:
    """Isn't read: whoever may write to it could have put a pickle there."""
    run_all(kernel())
    kernel("")
    Path(folder).chmod(0o777)
    assert "everybody may write to it, and loading values runs code" in refused(folder)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root gives folders away")
def test_another_users_folder(kernel: Make, folder: str) -> None:
    """Isn't read."""
    run_all(kernel())
    kernel("")
    os.chown(folder, 12345, 12345)
    assert "it belongs to another user" in refused(folder)


def test_a_disk_that_is_full(kernel: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """The session goes on, and says what isn't kept."""
    notebook = kernel()

    def full(*_: Any) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    report = notebook.cell("a", "%%asset a\n1")
    assert notebook.value("a") == 1
    assert any("no space left on device" in told and "%config Orch.store" in told for told in report.notices)


def test_a_disk_that_was_full(kernel: Make, folder: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """With room again the store is taken up as it is named again, with all that was made meanwhile, and once."""
    notebook = kernel()
    notebook.cell("a", "%%asset a\nprint('hello')\n1")
    write = os.write

    def full(file: int, data: bytes) -> int:
        write(file, data[:7])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    notebook.cell("b", "%%asset b\na + 1")
    monkeypatch.setattr(os, "write", write)
    notebook.cell("c", "%%asset c\nb + 1")
    events, runs = notebook.session.events(), notebook.session.runs()
    assert not notebook.session.persistence.use(folder)
    assert notebook.session.events().equals(events)
    assert notebook.session.runs().equals(runs)
    notebook.cell("d", "%%asset d\nc + 1")
    after = kernel()
    cells = {"a": "print('hello')\n1", "b": "a + 1", "c": "b + 1", "d": "c + 1"}
    reports = [after.cell(name, f"%%asset {name}\n{body}") for name, body in cells.items()]
    assert [line.status for report in reports for line in report.lines] == ["fresh"] * 4


# -- secrets -----------------------------------------------------------------------------------------------------------


def test_no_secret_is_on_disk(kernel: Make, folder: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the log, in names, in what a step printed, in metadata. What an asset returns is the user's own."""
    monkeypatch.setattr(SECRETS, "labels", dict(SECRETS.labels))
    monkeypatch.setattr(SECRETS, "pattern", SECRETS.pattern)
    monkeypatch.setenv("IPY_ORCH_PASSWORD", "correct-horse-battery")
    notebook = kernel()
    notebook.cell(
        "db",
        "from ipy_orch import ConfigurableResource, EnvVar, MaterializeResult, asset\n"
        "class Db(ConfigurableResource):\n    password: str\n"
        "db = Db(password=EnvVar('IPY_ORCH_PASSWORD'))",
    )
    notebook.cell(
        "a",
        "@asset\ndef a(db: Db):\n    print('with', db.password)\n"
        "    return MaterializeResult(value=1, metadata={'password': db.password})",
    )
    notebook.session.materialize("a")
    notebook.cell("b", "@asset\ndef b(db: Db):\n    raise ValueError(db.password)")
    notebook.session.materialize("b")
    notebook.session.persistence.close()
    files = [path for path in Path(folder).rglob("*") if path.is_file()]
    assert any(b"IPY_ORCH_PASSWORD" in path.read_bytes() for path in files)
    assert not [path for path in files if b"correct-horse" in path.read_bytes() or "correct-horse" in str(path)]


# -- kernels that are killed, and several at once ----------------------------------------------------------------------

CHILD = """
import json, sys, time
sys.path.insert(0, sys.argv[1])
from tests.session.notebook import Notebook
cells = json.loads(sys.argv[3])
notebook = Notebook(store=sys.argv[2])
print('begun', flush=True)
for turn in range(int(sys.argv[4])):
    ran = []
    for name, text in cells.items():
        report = notebook.cell(name, text.replace('TURN', str(turn)))
        ran += [] if report is None else [key.label for key in report.materialized]
    numbers, squares, total = map(notebook.value, ('numbers', 'squares', 'total'))
    assert squares == [number * number for number in numbers]
    print(json.dumps([ran, [numbers[0], len(numbers), total]]), flush=True)  # short: a full pipe would hold it up
"""
CHAIN = {
    "turn": "turn = TURN",
    "numbers": "%%asset numbers\nlist(range(turn, turn + 20_000))",
    "squares": "%%asset squares\n[number * number for number in numbers]",
    "total": "%%asset total\nsum(squares)",
}


def start(folder: str, turns: int = 1, seed: str = "0", **changed: str) -> subprocess.Popen[str]:
    """Start a kernel of its own that runs the notebook, with another value of `turn` each time."""
    command = [sys.executable, "-c", CHILD, str(ROOT), folder, json.dumps({**CHAIN, **changed}), str(turns)]
    environment = {**os.environ, "PYTHONHASHSEED": seed}
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)


def results(process: subprocess.Popen[str]) -> list[tuple[list[str], list[int]]]:
    """Wait for a kernel, and return what each turn computed, and what its values were then."""
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    return [tuple(json.loads(line)) for line in out.splitlines()[1:]]


def right(values: list[int], turn: int = 0) -> bool:
    """Tell whether values are those of a turn."""
    numbers = range(turn, turn + 20_000)
    return values == [turn, 20_000, sum(number * number for number in numbers)]


def test_another_process_with_another_hash_seed(folder: str) -> None:
    """Computes nothing again: versions don't depend on the kernel."""
    first, second = (results(start(folder, seed=seed))[0] for seed in ("1", "2"))
    assert first[0] == ["numbers", "squares", "total"]
    assert second[0] == []
    assert right(second[1])


def test_killed_at_any_moment(folder: str) -> None:
    """The next kernel has the right values, from an intact log and intact files."""
    random.seed(6)
    for _ in range(10):
        process = start(folder, turns=1000)
        assert process.stdout is not None
        for _turn in range(random.randint(1, 4)):  # the first line is that it has begun
            assert process.stdout.readline()
        time.sleep(random.random() * 0.05)
        process.kill()
        process.communicate()
    assert right(results(start(folder))[0][1])
    session = Session({}, Settings(store=folder))
    assert {run.status for run in session.history.runs.values()} <= {"success", "canceled"}
    assert session.persistence.journal is not None
    assert session.persistence.journal.unreadable == 0
    session.persistence.close()
    assert results(start(folder))[0][0] == []


def test_two_kernels_at_once(folder: str) -> None:
    """Neither harms the other, although each overwrites what the other made; the next one sees the newest."""
    both = [start(folder, turns=15), start(folder, turns=15, turn="turn = TURN + 1000")]
    for number, process in enumerate(both):
        for turn, (_, values) in enumerate(results(process)):
            assert right(values, turn + 1000 * number)
    last = results(start(folder))[0]
    assert right(last[1])


def test_what_another_kernel_made_is_seen(kernel: Make, folder: str) -> None:
    """By a kernel that starts while the other goes on."""
    one = kernel()
    run_all(one)
    other = Notebook(store=folder)
    assert set(run_all(other).values()) == {"fresh"}
    other.session.persistence.close()
