"""A long session stays small: each line of "Memory" in the cases that needs no widget."""

from __future__ import annotations

import gc
import weakref

import psutil

from ipy_orch.model.keys import AssetKey
from tests.session.notebook import Notebook

MB = 1_000_000


def resident() -> int:
    """Return this process's resident memory in bytes."""
    gc.collect()
    return int(psutil.Process().memory_info().rss)


def test_a_thousand_materializations() -> None:
    """Neither values nor what they printed pile up."""
    notebook = Notebook()
    notebook.cell("a", "%%asset a\nprint('x' * 10_000)\nbytearray(1_000_000)")
    notebook.session.log.kept_characters = 5 * MB
    for _ in range(50):
        notebook.session.materialize("a", force=True)
    before = resident()
    for _ in range(950):
        notebook.session.materialize("a", force=True)
    assert resident() - before < 30 * MB
    assert len(notebook.session.history.runs) <= 1000


def test_eviction_takes_the_variable_along() -> None:
    """The variable of an asset would keep its memory; the asset is computed again when it's wanted."""
    notebook = Notebook()
    notebook.session.store.limit_bytes = 3 * MB
    for name in "abc":
        notebook.cell(name, f"%%asset {name}\nbytearray(2_000_000)")
    kept = [name for name in "abc" if name in notebook.namespace]
    assert kept == ["c"]
    assert notebook.session.store.total_bytes <= 3 * MB
    assert len(notebook.value("a")) == 2 * MB


def test_a_pinned_value_stays() -> None:
    """Whatever the limit."""
    notebook = Notebook()
    notebook.cell("a", "%%asset a\nbytearray(2_000_000)")
    notebook.session.store.pin(AssetKey("a"), "widget")
    notebook.session.store.limit_bytes = 1 * MB
    notebook.cell("b", "%%asset b\nbytearray(2_000_000)")
    assert notebook.session.store.has(AssetKey("a"))


def test_an_old_value_is_let_go() -> None:
    """Nothing but the person's own variables keeps what was replaced."""
    notebook = Notebook()
    notebook.cell("c", "class Big:\n    pass")
    notebook.cell("a", "%%asset a\nBig()")
    old = weakref.ref(notebook.namespace["a"])
    notebook.cell("a", "%%asset a\n[Big()]")
    gc.collect()
    assert old() is None


def test_a_value_evicted_during_a_run_is_kept_while_it_is_wanted() -> None:
    """A small limit makes nothing fail."""
    notebook = Notebook(run=False)
    notebook.session.store.limit_bytes = 1000
    notebook.cell("a", "%%asset a\nbytearray(2_000_000)")
    notebook.cell("b", "%%asset b\nbytearray(2_000_000)")
    notebook.cell("c", "%%asset c\nlen(a) + len(b)")
    assert notebook.value("c") == 4 * MB
