"""The promise: after any edits, the session's values are those of "restart and run all", or it says who is behind.

A random notebook is edited at random: cells are added, changed, renamed, deleted, config is set, a part of it is run.
After each edit every asset's value is compared with a notebook that starts from nothing and runs the same cells in
order. Where they differ, the session must have named the plain cell that is behind.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ipy_orch.model.keys import AssetKey
from tests.session.notebook import Notebook

SIZE = 3
PRELUDE = "from ipy_orch import Config, asset, asset_check, graph_asset, op"

number = st.integers(0, SIZE - 1)
place = st.integers(0, SIZE - 1)


@dataclass(frozen=True)
class Edit:
    """Be one thing that a person does: write a cell, delete one, set config, or run a part."""

    kind: str
    where: int = 0
    a: int = 0
    b: int = 0
    c: int = 0
    body: int = 0


def plain(edit: Edit) -> str:
    """Return a plain cell that defines the names of its place."""
    i, a, b, c = edit.where, edit.a, edit.b, edit.c
    return {
        "constant": f"g{i} = {a}",
        "container": f"box{i} = {{'k': [{a}, {b}]}}",
        "helper": f"def h{i}(x, step={c}):\n    # a comment: {b}\n    return [v + {a} + step for v in x]",
        "reader": f"def r{i}(x):\n    return [v + low{i}() for v in x]\ndef low{i}():\n    return g{a} + {b}",
        "derived": f"d{i} = g{a} * 10 + {b}",
        "base": f"class Base{i}:\n    k = {a}\n    def m(self):\n        return self.k + {b}",
        "sub": f"class Sub{i}(Base{a}):\n    extra = {b}",
        "closure": f"def make{i}(n):\n    def f(x):\n        return [v * n for v in x]\n    return f\n"
        f"f{i} = make{i}({a} + {b})",
        "settings": f"class Settings{i}(Config):\n    n: int = {a}",
        "ops": f"@op\ndef one{i}():\n    return [{a}]\n@op\ndef more{i}(x):\n    return [v + {b} for v in h{c}(x)]",
        "graph": f"@graph_asset\ndef q{i}():\n    return more{a}(more{b}(one{c}()))",
    }[edit.kind]


PLAIN = ("constant", "container", "helper", "reader", "derived", "base", "sub", "closure", "settings", "ops", "graph")
BODIES = (
    "[{b}, {c}]",
    "[g{a}]",
    "h{a}([{b}])",
    "r{a}([{b}])",
    "[d{a}, {c}]",
    "[Sub{a}().m(), {b}]",
    "f{a}([{b}, 1])",
    "box{a}['k'] + [{c}]",
    "out = {up} + [{b}]\nout",
    "mine = {up}\nmine.append({b})\nmine",
    "h{a}({left}) + {right}",
    "[config.n, {b}]",
)


def asset_text(edit: Edit) -> str:
    """Return an asset cell in one of the three spellings; it reads assets of lower places only."""
    i = edit.where
    body = BODIES[edit.body % len(BODIES)]
    low = [f"a{n % i}" if i else "[]" for n in (edit.a, edit.b, edit.c)]
    filled = body.format(a=edit.a, b=edit.b, c=edit.c, up=low[0], left=low[1], right=low[2])
    option = f" --config Settings{edit.a}" if "config" in body else ""
    if edit.kind == "rename":
        return f"%%asset b{i}{option}\n{filled}"
    if edit.kind == "directive":
        return f"#| asset: a{i}\n" + (f"#| config: Settings{edit.a}\n" if option else "") + filled
    return f"%%asset a{i}{option}\n{filled}"


def text_of(edit: Edit) -> str:
    """Return the text of a cell."""
    if edit.kind in PLAIN:
        return plain(edit)
    if edit.kind == "check":
        return f"%%asset_check a{edit.where} c{edit.where}\nlen(a{edit.where}) > {edit.a}"
    return asset_text(edit)


WRITING = (*PLAIN, "asset", "directive", "asset", "directive", "rename", "check")
edits = st.one_of(
    st.builds(Edit, st.sampled_from(WRITING), place, number, number, number, st.integers(0, len(BODIES) - 1)),
    st.builds(Edit, st.sampled_from(("delete", "config", "part", "rerun")), place, number, number, number),
)


class Story:
    """Apply edits to a session and to the list of its cells."""

    def __init__(self) -> None:
        self.notebook = Notebook(run=False)
        self.cells: dict[str, str] = {}
        self.config: dict[str, Any] = {}
        self.write("prelude", PRELUDE)
        for kind in (*PLAIN, "asset"):
            for i in range(SIZE):
                self.apply(Edit(kind, i, i, 1, 1, 4 * i + 2))

    def write(self, key: str, text: str) -> None:
        """Write and run a cell; one that fails, as it reads a name that isn't there, isn't part of the story."""
        if attempt(lambda: self.notebook.cell(key, text)) is not FAILED:
            self.cells[key] = text

    def apply(self, edit: Edit) -> None:
        """Do one edit."""
        key = f"{edit.kind if edit.kind in (*PLAIN, 'check') else 'asset'} {edit.where}"
        match edit.kind:
            case "delete":
                known = sorted(k for k in self.cells if k != "prelude")
                if known:
                    gone = known[edit.a % len(known)]
                    del self.cells[gone]
                    self.notebook.delete(gone)
            case "config":
                self.config = {"ops": {f"a{edit.where}": {"config": {"n": edit.a}}}}
            case "part":
                attempt(lambda: self.notebook.session.materialize(f"a{edit.where}"))
            case "rerun":
                known = sorted(self.cells)
                again = known[edit.a % len(known)]
                self.write(again, self.cells[again])
            case _:
                self.write(key, text_of(edit))

    def given_config(self, notebook: Notebook) -> dict[str, Any]:
        """Return the config where the asset that it is for takes one now."""
        taking = {one.key.label for one in notebook.session.scan().definitions if one.has_keys and one.op.config_type}
        return self.config if set(self.config.get("ops", {})) <= taking else {}


FAILED = object()


def attempt(action: Callable[[], Any]) -> Any:
    """Return what an action gives, or FAILED."""
    try:
        return action()
    except Exception:
        return FAILED


def values(notebook: Notebook, config: dict[str, Any]) -> dict[str, Any]:
    """Return the value of each asset, or FAILED."""
    session = notebook.session
    session.run_config = {}
    found = {}
    for key in session.scan().graph.materializable_keys:
        report = attempt(lambda key=key: session.materialize([key], config=config))
        ok = report is not FAILED and report.success
        found[key.label] = session.load(session.scan(), key) if ok else FAILED
    return found


def named_behind(notebook: Notebook, name: str) -> bool:
    """Tell whether the session says that a cell is behind on which an asset depends."""
    session = notebook.session
    try:
        planned = session.plan([AssetKey(name)])
        return bool(session.behind(planned, session.scan()))
    except Exception:
        return False


def from_scratch(cells: dict[str, str]) -> Notebook:
    """Return a notebook that ran these cells in this order, as "restart and run all" does."""
    notebook = Notebook(run=False)
    for key, text in cells.items():
        attempt(lambda key=key, text=text: notebook.cell(key, text))
    return notebook


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(edits, min_size=3, max_size=14))
def test_values_are_those_of_a_run_from_scratch(story: list[Edit]) -> None:
    """After each edit, each value is the oracle's, or a cell behind is named."""
    ours = Story()
    for edit in story:
        ours.apply(edit)
        oracle = from_scratch(ours.cells)
        config = ours.given_config(oracle)
        expected, found = values(oracle, config), values(ours.notebook, config)
        assert found.keys() == expected.keys()
        for name, value in found.items():
            if value != expected[name]:
                assert named_behind(ours.notebook, name), (edit, name, value, expected[name])
