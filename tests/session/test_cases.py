"""Each line of "Code versions" as a person meets it: cells, an edit, whether the asset runs again, and its value."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.session.notebook import Notebook


@dataclass(frozen=True)
class Case:
    """Be cells, an edit of some of them, and the value before and after; equal values mean: must not run again."""

    name: str
    cells: Mapping[str, str]
    edit: Mapping[str, str]
    before: object
    after: object
    runs: bool = True
    order: tuple[str, ...] = field(default=())


ASSET = "%%asset a\n"
CASES = [
    Case("literal", {"a": ASSET + "1"}, {"a": ASSET + "2"}, 1, 2),
    Case("literals of other types", {"a": ASSET + "[1]"}, {"a": ASSET + "[True]"}, [1], [True]),
    Case("constants with equal folded bytecode", {"a": ASSET + "60 * 60"}, {"a": ASSET + "3600"}, 3600, 3600),
    Case(
        "default argument",
        {"h": "def f(x, k=1):\n    return x + k", "a": ASSET + "f(1)"},
        {"h": "def f(x, k=2):\n    return x + k"},
        2,
        3,
    ),
    Case(
        "keyword-only default",
        {"h": "def f(x, *, k=1):\n    return x + k", "a": ASSET + "f(1)"},
        {"h": "def f(x, *, k=2):\n    return x + k"},
        2,
        3,
    ),
    Case(
        "content of **kwargs",
        {
            "h": "from functools import partial\ndef f(**kw):\n    return kw['k']\ng = partial(f, k=1)",
            "a": ASSET + "g()",
        },
        {"h": "from functools import partial\ndef f(**kw):\n    return kw['k']\ng = partial(f, k=2)"},
        1,
        2,
    ),
    Case("direct helper", {"h": "def f():\n    return 1", "a": ASSET + "f()"}, {"h": "def f():\n    return 2"}, 1, 2),
    Case(
        "transitive helper in one cell",
        {"h": "def g():\n    return 1\ndef f():\n    return g()", "a": ASSET + "f()"},
        {"h": "def g():\n    return 2\ndef f():\n    return g()"},
        1,
        2,
    ),
    Case(
        "transitive helper three cells apart",
        {
            "1": "def g():\n    return 1",
            "2": "def h():\n    return g()",
            "3": "def f():\n    return h()",
            "a": ASSET + "f()",
        },
        {"1": "def g():\n    return 2"},
        1,
        2,
    ),
    Case(
        "recursive helper",
        {"h": "def f(n):\n    return 1 if n == 0 else n * f(n - 1)", "a": ASSET + "f(3)"},
        {"h": "def f(n):\n    return 2 if n == 0 else n * f(n - 1)"},
        6,
        12,
    ),
    Case(
        "mutually recursive helpers",
        {
            "1": "def even(n):\n    return True if n == 0 else odd(n - 1)",
            "2": "def odd(n):\n    return False if n == 0 else even(n - 1)",
            "a": ASSET + "even(4)",
        },
        {"2": "def odd(n):\n    return None if n == 0 else not even(n - 1)"},
        True,
        True,
    ),
    Case("global scalar", {"g": "k = 1", "a": ASSET + "k"}, {"g": "k = 2"}, 1, 2),
    Case(
        "content of a global container", {"g": "k = {'x': [1]}", "a": ASSET + "k['x'][0]"}, {"s": "k['x'][0] = 2"}, 1, 2
    ),
    Case(
        "class method",
        {"c": "class C:\n    def m(self):\n        return 1", "a": ASSET + "C().m()"},
        {"c": "class C:\n    def m(self):\n        return 2"},
        1,
        2,
    ),
    Case(
        "base class",
        {"b": "class B:\n    k = 1\nclass C(B):\n    pass", "a": ASSET + "C.k"},
        {"b": "class B:\n    k = 2\nclass C(B):\n    pass"},
        1,
        2,
    ),
    Case(
        "dataclass default",
        {"c": "from dataclasses import dataclass\n@dataclass\nclass C:\n    k: int = 1", "a": ASSET + "C().k"},
        {"c": "from dataclasses import dataclass\n@dataclass\nclass C:\n    k: int = 2"},
        1,
        2,
    ),
    Case(
        "decorator body",
        {"d": "def d(f):\n    return lambda: f() + 1", "h": "@d\ndef f():\n    return 1", "a": ASSET + "f()"},
        {"d": "def d(f):\n    return lambda: f() + 2", "h": "@d\ndef f():\n    return 1"},
        2,
        3,
    ),
    Case(
        "argument of a decorator factory without wraps",
        {
            "d": "def d(n):\n    return lambda f: lambda: f() + n",
            "h": "@d(1)\ndef f():\n    return 1",
            "a": ASSET + "f()",
        },
        {"h": "@d(2)\ndef f():\n    return 1"},
        2,
        3,
    ),
    Case(
        "argument of a decorator factory with wraps",
        {
            "d": "from functools import wraps\ndef d(n):\n    def deco(f):\n        @wraps(f)\n        def w():\n"
            "            return f() + n\n        return w\n    return deco",
            "h": "@d(1)\ndef f():\n    return 1",
            "a": ASSET + "f()",
        },
        {"h": "@d(2)\ndef f():\n    return 1"},
        2,
        3,
    ),
    Case(
        "closure cell",
        {"h": "def make(n):\n    def f():\n        return n\n    return f\nf = make(1)", "a": ASSET + "f()"},
        {"h": "def make(n):\n    def f():\n        return n\n    return f\nf = make(2)"},
        1,
        2,
    ),
    Case(
        "partial",
        {"h": "from functools import partial\nf = partial(int, '11', base=2)", "a": ASSET + "f()"},
        {"h": "from functools import partial\nf = partial(int, '11', base=3)"},
        3,
        4,
    ),
    Case("lambda", {"h": "f = lambda: 1", "a": ASSET + "f()"}, {"h": "f = lambda: 2"}, 1, 2),
    Case("shadowed name", {"a": ASSET + "max([1, 2])"}, {"h": "def max(x):\n    return 7"}, 2, 7),
    Case(
        "name defined again in a later cell",
        {"1": "def f():\n    return 1", "a": ASSET + "f()"},
        {"2": "def f():\n    return 2"},
        1,
        2,
    ),
    Case("comment", {"a": ASSET + "1 + 1"}, {"a": ASSET + "1 + 1  # two"}, 2, 2, runs=False),
    Case("whitespace", {"a": ASSET + "[1, 2]"}, {"a": ASSET + "\n[ 1,\n  2 ]"}, [1, 2], [1, 2], runs=False),
    Case(
        "docstring",
        {"h": "def f():\n    'one'\n    return 1", "a": ASSET + "f()"},
        {"h": "def f():\n    'another'\n    return 1"},
        1,
        1,
        runs=False,
    ),
    Case("formatter", {"a": ASSET + "'x' + ('y')"}, {"a": ASSET + '"x" + "y"'}, "xy", "xy", runs=False),
    Case(
        "moved cell",
        {"h": "def f():\n    return 1", "a": ASSET + "f()"},
        {"h": "", "later": "def f():\n    return 1"},
        1,
        1,
        runs=False,
    ),
    Case("run again unchanged", {"h": "k = [1]", "a": ASSET + "k[0]"}, {"h": "k = [1]"}, 1, 1, runs=False),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_an_edit_is_seen_when_it_matters_and_only_then(case: Case) -> None:
    """An edit that can change the value runs the asset again; one that can't doesn't."""
    notebook = Notebook()
    for key, text in case.cells.items():
        notebook.cell(key, text)
    assert notebook.value("a") == case.before
    for key, text in case.edit.items():
        notebook.cell(key, text)
    version = versions(notebook)
    assert notebook.value("a") == case.after
    assert (len(version) < versions_made(notebook)) == case.runs


def versions(notebook: Notebook) -> list[str]:
    """Return the versions of `a` made before the edit."""
    made = [event for event in notebook.session.log if event.kind == "materialized"]
    return [event.version for event in made[:1]]


def versions_made(notebook: Notebook) -> int:
    """Return how often `a` was made in all."""
    return sum(event.kind == "materialized" for event in notebook.session.log)


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the file of a local module, importable as `local_helpers`."""
    file = tmp_path / "local_helpers.py"
    file.write_text("from local_deep import low\ndef f():\n    return low()\n")
    (tmp_path / "local_deep.py").write_text("def low():\n    return 1\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    for name in ("local_helpers", "local_deep"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    return file


def test_an_imported_local_module(module: Path) -> None:
    """An edit of a module that a module imports counts once it is loaded again, as by autoreload."""
    notebook = Notebook()
    notebook.cell("i", "import local_helpers")
    notebook.cell("a", "%%asset a\nlocal_helpers.f()")
    assert notebook.value("a") == 1
    (module.parent / "local_deep.py").write_text("def low():\n    return 2222\n")
    assert notebook.value("a") == 1
    importlib.reload(sys.modules["local_deep"])
    importlib.reload(sys.modules["local_helpers"])
    assert notebook.value("a") == 2222


def test_source_that_is_not_available(capsys: pytest.CaptureFixture[str]) -> None:
    """A helper without source fails closed: its asset runs each time, and says why."""
    notebook = Notebook()
    exec("def f():\n    return 1", notebook.namespace)
    notebook.cell("a", "%%asset a\nf()")
    report = notebook.session.materialize("a")
    assert [key.label for key in report.materialized] == ["a"]
    assert "can't be followed" in str(report)
    assert "source" in str(report)
    capsys.readouterr()


def test_an_unhashable_global() -> None:
    """It runs again with a visible reason, never with a constant key."""
    notebook = Notebook()
    notebook.cell("g", "import threading\nlock = (n for n in [1])")
    notebook.cell("a", "%%asset a\nlock is not None")
    report = notebook.session.materialize("a")
    assert [key.label for key in report.materialized] == ["a"]
    assert "can't be followed" in str(report)


CONFIG = """
from typing import Annotated, ClassVar
from pydantic import AfterValidator, Field, field_validator
from ipy_orch import Config, asset, graph_asset, op
STEP = 1
def more(x):
    return x + 1
class Base(Config):
    low: int = 1
    def half(self):
        return self.low / 2
class Settings(Base):
    "Says how."
    k: Annotated[int, AfterValidator(more)] = 1
    size: int = Field(3, gt=0, description="of all")
    M: ClassVar[int] = 1
    def f(self):
        return 1
    @property
    def p(self):
        return 1
    @field_validator("size")
    @classmethod
    def check(cls, value):
        return value + STEP
@asset
def b(config: Settings):
    return config.k
@op
def one(config: Settings):
    return config.k
@graph_asset
def c():
    return one()
"""


@pytest.mark.parametrize(
    ("old", "new", "word"),
    [
        ("return 1", "return 2", "code changed: config: Settings.f"),
        (
            "property\n    def p(self):\n        return 1",
            "property\n    def p(self):\n        return 2",
            "code changed: config: Settings.p",
        ),
        ("return value + STEP", "return value - STEP", "code changed: config: Settings.check"),
        ("STEP = 1", "STEP = 2", "code changed: config: STEP"),
        ("return x + 1", "return x + 2", "code changed: config: more"),
        ("ClassVar[int] = 1", "ClassVar[int] = 2", "code changed: config: Settings.M"),
        ("self.low / 2", "self.low / 3", "code changed: config: Base.half"),
        ("gt=0", "gt=1", "code changed: config: Settings.size"),
        ("AfterValidator(more)] = 1", "AfterValidator(more)] = 5", "config changed: k"),
        ("low: int = 1", "low: int = 2", "config changed: low"),
        ('"Says how."', '"Tells how."  # is it?', ""),
        ('"of all"', '"of everything"', ""),
    ],
)
def test_the_class_of_a_config(old: str, new: str, word: str) -> None:
    """What the class of a config does is code of those that take it; a default counts once, as config."""
    notebook = Notebook(run=False)
    cell = "%%asset a --config Settings\nconfig.k"
    notebook.cell("c", CONFIG)
    notebook.cell("a", cell)
    notebook.session.materialize()
    notebook.cell("c", CONFIG.replace(old, new, 1))
    notebook.cell("a", cell)
    for name in ("a", "b", "c"):
        why = notebook.session.why(name)
        kind, _, what = word.partition(" changed: ")
        assert what in str(why.status)
        assert kind in str(why.status)
        assert bool(why.changes) == bool(word)
        assert len([change for change in why.changes if change.kind == "config"]) == (kind == "config")


SAID = """
from ipy_orch import asset, op, graph_asset
@asset(metadata={"k": 1}, op_tags={"k": "1"})
def a(context):
    return context.assets_def.metadata_by_key[context.asset_key]["k"]
@asset(metadata={"k": 1}, op_tags={"k": "1"})
def b(context):
    return context.op_def.tags["k"]
@asset(metadata={"k": 1}, op_tags={"k": "1"})
def c(context):
    return 1
"""


def test_what_is_asked_of_the_own_definition() -> None:
    """Metadata and tags count for an asset whose code asks its context for them, and for no other one."""
    notebook = Notebook(run=False)
    notebook.cell("c", SAID)
    assert [notebook.value(name) for name in "abc"] == [1, "1", 1]
    assert notebook.session.materialize().materialized == []
    notebook.cell("c", SAID.replace('"k": 1', '"k": 2').replace('"1"}', '"2"}'))
    assert [notebook.value(name) for name in "abc"] == [2, "2", 1]
    assert str(notebook.session.why("c").status) == "fresh"


def test_a_generator_as_a_value() -> None:
    """Refused with a hint, and nothing is stored."""
    notebook = Notebook()
    report = notebook.cell("a", "%%asset a\n(n for n in [1, 2])")
    assert "list(" in str(next(iter(report.errors.values())))
    assert not notebook.session.ledger.materialized


def test_an_environment_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    """A declared one is observed at each request."""
    monkeypatch.setenv("REGION", "north")
    notebook = Notebook()
    notebook.cell("a", "%%asset a --env REGION\nimport os\nos.environ['REGION']")
    assert notebook.value("a") == "north"
    monkeypatch.setenv("REGION", "south")
    assert notebook.value("a") == "south"


ALIASING = [
    ("a list changed in place by a reader", "[1]", "up.append(2)\nlen(up)", [1]),
    ("a nested list", "{'k': [1]}", "up['k'].append(2)\n1", {"k": [1]}),
    ("an asset returning its own input", "[1]", "up", [1]),
]


@pytest.mark.parametrize(("name", "value", "reader", "expected"), ALIASING, ids=lambda one: str(one)[:30])
def test_a_reader_never_reaches_a_sibling(name: str, value: str, reader: str, expected: object) -> None:
    """What one reader does to its input, no other reader sees, and neither does the caller."""
    assert name
    notebook = Notebook()
    notebook.cell("up", f"%%asset up\n{value}")
    notebook.cell("r", f"%%asset r\n{reader}")
    notebook.cell("s", "r_value = up")
    notebook.cell("t", "%%asset t\nup")
    assert notebook.value("t") == expected
    assert notebook.value("up") == expected


def test_frames_are_isolated_by_column_and_in_place() -> None:
    """`inplace=True`, a new column and a write through `.loc` stay with the reader."""
    notebook = Notebook()
    notebook.cell("i", "import pandas as pd")
    notebook.cell("up", "%%asset up\npd.DataFrame({'x': [3, 1, 2], 'l': [[1], [2], [3]]})")
    notebook.cell(
        "r", "%%asset r\nup.sort_values('x', inplace=True)\nup['y'] = 1\nup.loc[0, 'x'] = 99\nup['l'][0].append(7)\nup"
    )
    notebook.cell("s", "up['mine'] = 0")
    value = notebook.value("up")
    assert list(value.columns) == ["x", "l"]
    assert value["x"].tolist() == [3, 1, 2]
    assert value["l"].tolist() == [[1], [2], [3]]


def test_one_object_returned_by_two_assets() -> None:
    """Each has a value of its own."""
    notebook = Notebook()
    notebook.cell("g", "shared = [1]\ndef give():\n    return shared")
    notebook.cell("a", "%%asset a\ngive()")
    notebook.cell("b", "%%asset b\ngive()")
    first = notebook.namespace["a"]
    first.append(2)
    assert notebook.namespace["b"] == [1]
    assert notebook.value("b") == [1]


def test_a_package_version_counts_where_it_is_pinned(monkeypatch: pytest.MonkeyPatch) -> None:
    """By choice: an upgrade of a pinned package runs what uses it."""
    notebook = Notebook()
    notebook.cell("i", "import pandas as pd")
    notebook.cell("a", "%%asset a\npd.Series([1]).sum()")
    notebook.session.settings.pins = ("pandas",)
    assert [key.label for key in notebook.session.materialize("a").materialized] == ["a"]
    assert notebook.session.materialize("a").materialized == []
    monkeypatch.setattr(sys.modules["ipy_orch.session.recipes"], "version", lambda _name: "99")
    assert [key.label for key in notebook.session.materialize("a").materialized] == ["a"]
