"""What is needed of a notebook, and in which order."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipy_orch.errors import DagsterInvalidDefinitionError
from ipy_orch.export.slicing import Piece, Slicer, as_piece, ordered
from tests.export.notebooks import Notebook


def sliced(notebook: Notebook, *names: str) -> str:
    """Return the statements that names need, in an order that works."""
    slicer = Slicer(notebook.book, notebook.namespace)
    root = Piece((10**9, 0), "the test", "Cell In[99]", late=dict.fromkeys(names, 1))
    pieces = [as_piece(one) for one in slicer.slice([root]).statements]
    return "\n".join(piece.statement.text for piece in ordered(slicer, pieces) if piece.statement)


def values(notebook: Notebook, *names: str) -> list[object]:
    """Return what the names are after running only what they need."""
    namespace: dict[str, object] = {}
    exec(sliced(notebook, *names), namespace)
    return [namespace[name] for name in names]


CASES = {
    "each import by itself": (
        ["import os, math as m\nfrom json import dumps, loads\nx = m.pi"],
        "import math as m\nx = m.pi",
    ),
    "scratch stays": (["x = 1\nprint(x)\ny = x + 1\nx"], "x = 1"),
    "the last definition wins": (["x = 0", "x = 1"], "x = 1"),
    "an earlier definition for an earlier reader": (
        ["a = 1\nb = a\na = 2\nx = (a, b)"],
        "a = 1\nb = a\na = 2\nx = (a, b)",
    ),
    "transitive helpers": (
        ["def f():\n    return 1", "def unused():\n    return 2", "def g():\n    return f()", "x = g()"],
        "def f():\n    return 1\ndef g():\n    return f()\nx = g()",
    ),
    "a helper that is defined below its user": (
        ["def x():\n    return f()", "def f():\n    return LIMIT", "LIMIT = 1"],
        "LIMIT = 1\ndef f():\n    return LIMIT\ndef x():\n    return f()",
    ),
    "helpers that call each other": (
        ["def x(n):\n    return n and odd(n)", "def odd(n):\n    return x(n)"],
        "def x(n):\n    return n and odd(n)\ndef odd(n):\n    return x(n)",
    ),
    "items and attributes": (
        ["x = {}\ny = {}\nx['a'] = 1\ny['a'] = 1\nx.setdefault('b', 2)\nx.get('a')"],
        "x = {}\nx['a'] = 1\nx.setdefault('b', 2)",
    ),
    "a loop that fills": (
        ["x = []\nfor i in range(3):\n    x.append(i)"],
        "x = []\nfor i in range(3):\n    x.append(i)",
    ),
    "a definition in one case only": (["x = 1\nif x > 5:\n    x = 2"], "x = 1\nif x > 5:\n    x = 2"),
    "a definition in each case": (["x = 0\nif 1:\n    x = 2\nelse:\n    x = 3"], "if 1:\n    x = 2\nelse:\n    x = 3"),
    "adding to a name": (["x = 1\nx += 1"], "x = 1\nx += 1"),
    "annotations": (["from typing import Any\nx: Any = 1"], "from typing import Any\nx: Any = 1"),
    "annotations in quotes": (
        ["import decimal\ndef x(a: 'decimal.Decimal', b: 'nothing') -> None: ..."],
        "import decimal\ndef x(a: 'decimal.Decimal', b: 'nothing') -> None: ...",
    ),
    "bases and decorators": (
        ["import functools\nclass Base: ...\nclass x(Base):\n    @functools.cache\n    def f(self): ..."],
        "import functools\nclass Base: ...\nclass x(Base):\n    @functools.cache\n    def f(self): ...",
    ),
    "registration by decorator": (
        ["import functools\n@functools.singledispatch\ndef x(a): ...\n@x.register\ndef _(a: int): return 1"],
        "import functools\n@functools.singledispatch\ndef x(a): ...\n@x.register\ndef _(a: int): return 1",
    ),
    "settings of a module": (
        ["import random, math\nrandom.seed(1)\nx = random.random"],
        "import random\nrandom.seed(1)\nx = random.random",
    ),
    "parts of a package": (
        ["import xml.dom\nimport xml.etree.ElementTree\nx = xml"],
        "import xml.dom\nimport xml.etree.ElementTree\nx = xml",
    ),
    "the search path is this machine's": (["import sys\nsys.path.append('/home/me')\nx = sys"], "import sys\nx = sys"),
    "an import of all names": (
        ["from math import *", "x = lambda a: sqrt(a)"],
        "from math import sqrt\nx = lambda a: sqrt(a)",
    ),
    "display": (["display = print\ndel display", "x = 1"], "x = 1"),
    "comments": (
        ["# Title\n\n# What it is.\n# Really.\nx = 1  # one\n# below"],
        "# What it is.\n# Really.\nx = 1  # one",
    ),
    "statements on one line": (["a = 1; x = 'ä' + str(a); b = 3"], "a = 1\nx = 'ä' + str(a)"),
    "a global of a function": (
        ["n = 0\ndef x():\n    global n\n    n += 1"],
        "n = 0\ndef x():\n    global n\n    n += 1",
    ),
    "magics and shell lines": (["%matplotlib inline\n!ls\nx = 1\nx?"], "x = 1"),
    "try": (
        ["try:\n    import nothing_of_this_name as x\nexcept ImportError:\n    x = None"],
        "try:\n    import nothing_of_this_name as x\nexcept ImportError:\n    x = None",
    ),
    "in-place methods": (["x = [2, 1]\nx.sort()\nx.index(1)"], "x = [2, 1]\nx.sort()"),
}


@pytest.mark.parametrize("name", CASES)
def test_only_what_is_needed(name):
    """A name takes along what makes it, and nothing else."""
    cells, expected = CASES[name]
    assert sliced(Notebook(*cells), "x") == expected


def test_a_cell_run_again_moves_above_its_readers():
    """A constant whose cell was edited and run again still stands above what reads it."""
    notebook = Notebook("a = 1", "x = a + 1")
    notebook.run("a = 5", "cell-1")
    assert sliced(notebook, "x") == "a = 5\nx = a + 1"


def test_a_change_stays_below_what_read_the_value_before():
    """A value that was read before it was changed is read before it is changed."""
    notebook = Notebook(
        "c = {'a': 1}", "def f():\n    return c['a']", "x = f()", "c['a'] = 2", "def g():\n    return f() + x"
    )
    assert values(notebook, "x", "c") == [1, {"a": 2}]
    namespace: dict[str, object] = {}
    exec(sliced(notebook, "g"), namespace)
    assert namespace["g"]() == 3  # type: ignore[operator]


REFUSED = {
    "a shell line's value": ("files = !ls", "files", "`!ls` can't be in a module", "Cell In[1], line 1"),
    "a magic's value": ("\nvalue = %pwd", "value", "`%pwd` can't", "Cell In[1], line 2"),
    "a timed cell": ("%%time\nx = 1", "x", "`%%time` can't be in a module", "Cell In[1]"),
    "a timed line": ("%time x = 1", "x", "`%time x = 1` can't", "Cell In[1]"),
    "a magic inside a function": ("y = 1\ndef x():\n    !ls\n    return 1", "x", "`!ls` can't", "Cell In[1], line 3"),
    "await": ("import asyncio\nif False:\n    x = await asyncio.sleep(0)", "x", "`await` can't", "Cell In[1], line 2"),
    "nothing defines it": ("y = 1", "x", "no cell defines `x`", "Cell In[99], line 1"),
    "the session's history": ("y = 1", "_3", "`_3` is there in IPython only", "Cell In[99], line 1"),
    "IPython itself": ("def x():\n    return get_ipython()", "x", "`get_ipython` can't", "Cell In[1], line 2"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_a_module_cannot_hold(name):
    """What can't be in a module is refused with the cell and the line, when something needs it."""
    cell, wanted, message, where = REFUSED[name]
    notebook = Notebook()
    with contextlib.suppress(SyntaxError):  # a top-level await, which only IPython runs
        notebook.run(cell, "cell-1")
    with pytest.raises(DagsterInvalidDefinitionError) as error:
        sliced(notebook, wanted)
    assert message in error.value.message
    assert where in error.value.where
    assert error.value.hint


def test_a_name_of_the_session():
    """A variable that no cell defines is refused, and the message says that it is the session's."""
    notebook = Notebook("def x():\n    return secret")
    notebook.namespace["secret"] = 1
    with pytest.raises(DagsterInvalidDefinitionError, match="`secret` exists only in this session"):
        sliced(notebook, "x")


def test_display_is_imported():
    """What IPython gives to every notebook is imported in a module."""
    notebook = Notebook("def x(a):\n    display(a)")
    assert sliced(notebook, "x").startswith("from IPython.display import display\n")


# -- any notebook ------------------------------------------------------------------------------------------------------

NAMES = ("a", "b", "c")
FORMS = (
    "{x} = [{n}]",
    "{x} = [*{y}, {n}]",
    "{x} = f({n})",
    "{x}.append({n})",
    "{x}[0] = {n}",
    "{x} += [{n}]",
    "def f(n):\n    return [*{y}, n]",
    "def f(n):\n    return g({y})",
    "def g(n):\n    return [*n, {n}]",
    "if {n} > 3:\n    {x} = [{n}]",
    "for n in {y}[:2]:\n    {x} = [n, *{x}]",
)
START = "a = [1]\nb = [2]\nc = [3]\ndef g(n):\n    return [*n]\ndef f(n):\n    return [n]"
STATEMENTS = st.builds(
    str.format, st.sampled_from(FORMS), x=st.sampled_from(NAMES), y=st.sampled_from(NAMES), n=st.integers(0, 9)
)


@given(st.lists(STATEMENTS, max_size=12))
def test_any_notebook_run_from_top_to_bottom(cells):
    """What a name needs gives it the value that the whole notebook gave it."""
    notebook = Notebook(START, *cells)
    for name in (*NAMES, "f"):
        namespace: dict[str, object] = {}
        exec(sliced(notebook, name), namespace)
        made, expected = namespace[name], notebook.namespace[name]
        if name == "f":
            made, expected = made(7), expected(7)  # type: ignore[operator]
        assert made == expected
