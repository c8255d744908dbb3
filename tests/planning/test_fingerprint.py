"""Code versions: what must hit and what must miss, after each change of CASES.md."""

from __future__ import annotations

import ast
import functools
import importlib
import itertools
import linecache
import subprocess
import sys
import types
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent

import pytest

from ipy_orch.events.types import Part
from ipy_orch.planning.code.fingerprint import (
    Fingerprinter,
    attach_tree,
    fingerprint,
    is_local_module,
    names_read,
    undeclared_reads,
)
from ipy_orch.planning.code.source import copied

numbers = itertools.count(1)


class Notebook:
    """Run sources as IPython runs cells: one namespace, a file name for each, the text known to ``linecache``."""

    def __init__(self, *cells: str) -> None:
        self.namespace: dict[str, object] = {"__name__": "__main__"}
        self.run(*cells)

    def run(self, *cells: str) -> Notebook:
        for cell in cells:
            text, name = dedent(cell).strip("\n") + "\n", f"/nowhere/cells/{next(numbers)}.py"
            linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
            exec(compile(text, name, "exec"), self.namespace)
        return self

    def __getitem__(self, name: str):
        return self.namespace[name]

    def version(self, name: str = "orders", **options) -> tuple[tuple[str, str, str], ...]:
        return version(self[name], **options)


def version(function, **options) -> tuple[tuple[str, str, str], ...]:
    """Return what of a fingerprint counts."""
    return tuple((part.kind, part.name, part.digest) for part in fingerprint(function, **options))


def names(function, **options) -> list[tuple[str, str]]:
    """Return kind and name of the parts."""
    return [(part.kind, part.name) for part in fingerprint(function, **options)]


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator:
    """Write and import local modules; forget them afterwards."""
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    before = set(sys.modules)

    def write(name: str, text: str, *, load: bool = True):
        path = tmp_path / (name.replace(".", "/") + ".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(text))
        importlib.invalidate_caches()
        return importlib.import_module(name.removesuffix(".__init__")) if load else path

    yield write
    for name in set(sys.modules) - before:
        del sys.modules[name]


BODY = """
def orders(raw):
    kept = raw[raw > 1]
    return kept + 1
"""

HITS = {
    "comment": (BODY, "# new\n" + BODY.replace("+ 1", "+ 1  # one more")),
    "whitespace": (BODY, "\n\n" + BODY.replace("kept + 1", "kept  +  1").replace("kept =", "\n    kept =")),
    "docstring": (BODY, BODY.replace("(raw):\n", '(raw):\n    """Give the orders."""\n')),
    "line breaks": (BODY, BODY.replace("raw[raw > 1]", "raw[\n        raw > 1\n    ]")),
    "parentheses": (BODY, BODY.replace("return kept + 1", "return (kept + 1)")),
    "quotes": ("def orders(): return {'a': 'b'}", 'def orders():\n    return {\n        "a": "b",\n    }'),
    "formatted number": ("def orders(): return 0XFF + 1E3", "def orders(): return 0xFF + 1e3"),
    "del with parentheses": ("def orders(a, b): del (a, b)", "def orders(a, b): del a, b"),
    "u before a string": ("def orders(): return u'a'", "def orders(): return 'a'"),
    "only a docstring": ("def orders(): pass", "def orders():\n    'nothing yet'"),
    "name of the asset": (BODY + "f = orders", BODY.replace("orders", "sales") + "f = sales"),
    "annotations": (BODY, BODY.replace("(raw)", "(raw: list[int]) -> list")),
    "docstring of a helper": (
        "def h(): return 1\ndef orders(): return h()",
        "def h():\n 'd'\n return 1\ndef orders(): return h()",
    ),
    "docstring of a class": (
        "class A:\n def f(self): return 1\ndef orders(): return A().f()",
        "class A:\n 'doc'\n def f(self):\n  'doc'\n  return 1\ndef orders(): return A().f()",
    ),
    "order of methods": (
        "class A:\n def f(self): return 1\n def g(self): return 2\ndef orders(): return A().f()",
        "class A:\n def g(self): return 2\n def f(self): return 1\ndef orders(): return A().f()",
    ),
    "an unread global": ("x = 1\ndef orders(): return 1", "x = 2\ndef orders(): return 1"),
    "a global of the same value": ("x = 60 * 60\ndef orders(): return x", "x = 3600\ndef orders(): return x"),
    "a set in another order": ("x = {'a', 'b'}\ndef orders(): return x", "x = {'b', 'a'}\ndef orders(): return x"),
    "a lambda in another place": (
        "f = lambda x: x\ndef orders(): return f(1)",
        "\n\nf = (lambda x:\n  x)\ndef orders(): return f(1)",
    ),
    "unread local name of a class body": (
        "def orders():\n class A:\n  y = 1; z = y\n return A.z",
        "y = 5\ndef orders():\n class A:\n  y = 1; z = y\n return A.z",
    ),
}


@pytest.mark.parametrize(("before", "after"), HITS.values(), ids=HITS)
def test_hits(before: str, after: str):
    """A change that can't change the value keeps the version."""
    name = "f" if before.endswith("f = orders") else "orders"
    assert Notebook(before).version(name) == Notebook(after).version(name)


DECORATED = """
import functools
def times(n):
    def decorate(f):
        {wraps}
        def wrapper(*args):
            return f(*args) * n
        return wrapper
    return decorate
@times(2)
def price(x): return x + 1
def orders(): return price(1)
"""
WRAPPED = DECORATED.replace("{wraps}", "@functools.wraps(f)")
BARE = DECORATED.replace("{wraps}", "pass")

MODEL = """
from dataclasses import dataclass, field
class Base:
    rate = 2
    def scale(self, x): return x * self.rate
@dataclass
class Model(Base):
    limit: int = 3
    tags: list = field(default_factory=lambda: ["a"])
    @staticmethod
    def one(): return 1
    @classmethod
    def make(cls): return cls()
    @property
    def twice(self): return self.limit * 2
    def fit(self, x): return self.scale(x) + self.limit
def orders(raw): return Model().fit(raw)
"""

MISSES = {
    "literal": (BODY, "kept + 1", "kept + 2"),
    "1 and True": ("def orders(): return 1", "1", "True"),
    "1 and 1.0": ("def orders(): return 1", "1", "1.0"),
    "1 and '1'": ("def orders(): return 1", "1", "'1'"),
    "0.0 and -0.0": ("x = 0.0\ndef orders(): return x", "0.0", "-0.0"),
    "constants with equal folded bytecode": ("def orders(): return 60 * 60", "60 * 60", "3600"),
    "constants with equal folded bytecode and place": ("def orders(): return 1 + 2", "1 + 2", "2 + 1"),
    "default argument": ("def orders(raw, n=1): return n", "n=1", "n=2"),
    "default argument by value": ("N = 1\ndef orders(raw, n=N): return n", "N = 1", "N = 2"),
    "keyword-only default": ("def orders(*, n=1): return n", "n=1", "n=2"),
    "default of a helper": ("def h(n=1): return n\ndef orders(): return h()", "n=1", "n=2"),
    "keyword-only default of a helper": ("def h(*, n=1): return n\ndef orders(): return h()", "n=1", "n=2"),
    "order of a helper's parameters": ("def h(a, b): return a - b\ndef orders(): return h(1, 2)", "(a, b)", "(b, a)"),
    "content of **kwargs in a partial": (
        "from functools import partial\ndef h(**k): return k\ng = partial(h, a=1)\ndef orders(): return g()",
        "a=1",
        "a=2",
    ),
    "key of **kwargs in a partial": (
        "from functools import partial\ndef h(**k): return k\ng = partial(h, a=1)\ndef orders(): return g()",
        "a=1",
        "b=1",
    ),
    "function of a partial": (
        "from functools import partial\ndef h(**k): return k\ng = partial(h, a=1)\ndef orders(): return g()",
        "return k\n",
        "return [k]\n",
    ),
    "direct helper": ("def h(): return 1\ndef orders(): return h()", "return 1", "return 2"),
    "transitive helper": (
        "def a(): return 1\ndef b(): return a()\ndef c(): return b()\ndef orders(): return c()",
        "return 1",
        "return 2",
    ),
    "helper in a comprehension": (
        "def h(x): return 1\ndef orders(r): return [h(x) for x in r]",
        "return 1",
        "return 2",
    ),
    "helper in a nested function": (
        "def h(): return 1\ndef orders():\n def inner(): return (lambda: h())()\n return inner()",
        "return 1",
        "return 2",
    ),
    "helper in a nested class body": (
        "def h(): return 1\ndef orders():\n class A:\n  x = h()\n return A.x",
        "return 1",
        "return 2",
    ),
    "recursive helper": ("def h(n): return n and h(n - 1) + 1\ndef orders(): return h(3)", "+ 1", "+ 2"),
    "mutually recursive helpers": (
        "def even(n): return n == 0 or odd(n - 1)\ndef odd(n): return n and even(n - 1)\ndef orders(): return odd(3)",
        "n == 0",
        "n <= 0",
    ),
    "global scalar": ("limit = 1\ndef orders(): return limit", "limit = 1", "limit = 2"),
    "type of a global scalar": ("limit = 1\ndef orders(): return limit", "limit = 1", "limit = True"),
    "content of a global container": ("x = {'a': [1, {2}]}\ndef orders(): return x", "{2}", "{3}"),
    "deep content of a global": ("x = [[[[[[[[[1]]]]]]]]]\ndef orders(): return x", "[1]", "[2]"),
    "global of a helper": ("limit = 1\ndef h(): return limit\ndef orders(): return h()", "limit = 1", "limit = 2"),
    "function in a container": ("def h(): return 1\nx = [h]\ndef orders(): return x[0]()", "return 1", "return 2"),
    "global behind a function in a container": (
        "k = 1\ndef h(): return k\nx = {'a': [h]}\ndef orders(): return x",
        "k = 1",
        "k = 2",
    ),
    "class method": (MODEL, "self.scale(x) + self.limit", "self.scale(x) - self.limit"),
    "base class": (MODEL, "x * self.rate", "x / self.rate"),
    "attribute of a base class": (MODEL, "rate = 2", "rate = 3"),
    "dataclass default": (MODEL, "limit: int = 3", "limit: int = 4"),
    "dataclass default factory": (MODEL, '["a"]', '["b"]'),
    "dataclass options": (MODEL, "@dataclass\n", "@dataclass(frozen=True)\n"),
    "static method": (MODEL, "return 1", "return 2"),
    "kind of method": (MODEL, "@staticmethod\n    def one()", "@classmethod\n    def one(cls)"),
    "class method proper": (MODEL, "return cls()", "return cls(1)"),
    "property": (MODEL, "self.limit * 2", "self.limit * 3"),
    "class attribute set later": (MODEL, "def orders", "Model.extra = 1\ndef orders"),
    "method replaced later": (MODEL, "def orders", "def other(self, x): return 0\nModel.fit = other\ndef orders"),
    "instance of a class: code": (
        MODEL + "m = Model()\ndef orders(): return m.fit(1)",
        "x * self.rate",
        "x - self.rate",
    ),
    "instance of a class: state": (MODEL + "m = Model()\ndef orders(): return m.fit(1)", "m = Model()", "m = Model(7)"),
    "bound method": (MODEL + "m = Model().fit\ndef orders(): return m(1)", "m = Model().fit", "m = Model(9).fit"),
    "metaclass": (
        "class M(type):\n def __call__(cls): return 1\nclass A(metaclass=M): pass\ndef orders(): return A()",
        "return 1",
        "return 2",
    ),
    "enum": ("import enum\nclass E(enum.Enum):\n A = 1\ndef orders(): return E.A.value", "A = 1", "A = 2"),
    "named tuple": (
        "from typing import NamedTuple\nclass P(NamedTuple):\n x: int = 1\ndef orders(): return P()",
        "x: int = 1",
        "x: int = 2",
    ),
    "decorator body": (BARE, "f(*args) * n", "f(*args) + n"),
    "decorator body, with functools.wraps": (WRAPPED, "f(*args) * n", "f(*args) + n"),
    "argument of a decorator factory": (BARE, "@times(2)", "@times(3)"),
    "argument of a decorator factory, with functools.wraps": (WRAPPED, "@times(2)", "@times(3)"),
    "decorated helper": (BARE, "return x + 1", "return x + 2"),
    "decorated helper, with functools.wraps": (WRAPPED, "return x + 1", "return x + 2"),
    "decorator on the asset itself": (
        "def deco(f):\n def w(*a): return f(*a) * 2\n return w\n@deco\ndef orders(): return 1",
        "* 2",
        "* 3",
    ),
    "asset under a decorator": (
        "def deco(f):\n def w(*a): return f(*a) * 2\n return w\n@deco\ndef orders(): return 1",
        "return 1",
        "return 7",
    ),
    "lru_cache": (
        "import functools\n@functools.cache\ndef h(): return 1\ndef orders(): return h()",
        "return 1",
        "return 2",
    ),
    "context manager": (
        "import contextlib\n@contextlib.contextmanager\ndef h(): yield 1\ndef orders():\n with h() as x: return x",
        "yield 1",
        "yield 2",
    ),
    "single dispatch": (
        """
        import functools
        @functools.singledispatch
        def h(x): return 1
        @h.register
        def _(x: int): return 5
        def orders(): return h(1)
        """,
        "return 5",
        "return 6",
    ),
    "attribute of a function": ("def h(): return h.n\nh.n = 1\ndef orders(): return h()", "h.n = 1", "h.n = 2"),
    "closure cell": ("def make(n):\n def orders(): return n\n return orders\norders = make(1)", "make(1)", "make(2)"),
    "function in a closure cell": (
        "def h(): return 1\ndef make(f):\n def orders(): return f()\n return orders\norders = make(h)",
        "return 1",
        "return 2",
    ),
    "partial as the asset": (
        "from functools import partial\ndef h(raw, n): return n\norders = partial(h, n=1)",
        "n=1",
        "n=2",
    ),
    "lambda": ("f = lambda x: x + 1\ndef orders(): return f(1)", "x + 1", "x + 2"),
    "first of two lambdas on a line": (
        "f, g = lambda: 1, lambda: 2\ndef orders(): return f()",
        "lambda: 1",
        "lambda: 3",
    ),
    "two lambdas swapped": (
        "f, g = lambda: 1, lambda: 2\ndef orders(): return f() - g()",
        "lambda: 1, lambda: 2",
        "lambda: 2, lambda: 1",
    ),
    "two helpers swapped": (
        "def f(): return 1\ndef g(): return 2\na, b = f, g\ndef orders(): return a() - b()",
        "a, b = f, g",
        "a, b = g, f",
    ),
    "two closures swapped": (
        "def make(n):\n def inner(): return n\n return inner\na, b = make(1), make(2)\ndef orders(): return a() - b()",
        "make(1), make(2)",
        "make(2), make(1)",
    ),
    "two modules swapped": (
        "import json as a, pickle as b\ndef orders(): return a.dumps(1), b.dumps(1)",
        "json as a, pickle as b",
        "pickle as a, json as b",
    ),
    "function swapped for its namesake": (
        "def make(n):\n def inner(): return n\n return inner\nx = [make(1), make(2)]\ndef orders(): return x",
        "make(1), make(2)",
        "make(2), make(1)",
    ),
    "shadowed builtin": ("def orders(): return sum([1])", "def", "def sum(x): return 0\ndef"),
    "shadowed name": ("def h(): return 1\ndef orders(): return h()", "def orders", "h = lambda: 2\ndef orders"),
    "name not defined yet": ("def orders(): return later", "def orders", "later = 1\ndef orders"),
    "installed function": ("from math import floor as f\ndef orders(): return f(1.5)", "floor", "ceil"),
    "async": ("def h(): return 1\ndef orders(): return h()", "def h", "async def h"),
    "order of the members of an enum": (
        "from enum import Enum\nclass E(Enum):\n A = 1\n B = 2\ndef orders(): return [e.name for e in E]",
        "A = 1\n B = 2",
        "B = 2\n A = 1",
    ),
    "order of the values of a class": (
        "class C:\n a = 1\n b = 2\ndef orders(): return list(vars(C))",
        "a = 1\n b = 2",
        "b = 2\n a = 1",
    ),
    "order of the attributes of an object": (
        "class C: pass\nx = C()\nx.a = 1; x.b = 2\ndef orders(): return list(vars(x))",
        "x.a = 1; x.b = 2",
        "x.b = 2; x.a = 1",
    ),
    "docstring of a helper that is read": ("def h(): 'a'\ndef orders(): return h.__doc__", "'a'", "'b'"),
    "docstring of a class that is read": ("class C: 'a'\ndef orders(): return C.__doc__", "'a'", "'b'"),
    "named universal function": ("import numpy as np\nf = np.sin\ndef orders(): return f(1)", "np.sin", "np.cos"),
    "global read by a name only in an f-string": ("a = 1\ndef orders(): return f'{a}'", "a = 1", "a = 2"),
}


@pytest.mark.parametrize(("source", "old", "new"), MISSES.values(), ids=MISSES)
def test_misses(source: str, old: str, new: str):
    """A change of code or value that may change the asset's value changes the version, and nothing else does."""
    assert source.count(old) >= 1
    before, again = Notebook(source).version(), Notebook(source).version()
    assert before == again
    assert not any(kind == "unknown" for kind, _, _ in before)
    after = Notebook(source.replace(old, new, 1)).version()
    assert before != after
    assert not any(kind == "unknown" for kind, _, _ in after)


# Cells


def test_transitive_helper_three_cells_apart():
    """A helper of a helper of a helper is followed, each in a cell of its own, and cells may be run again."""
    notebook = Notebook("def a(): return 1", "def b(): return a()", "def c(): return b()", "def orders(): return c()")
    before = notebook.version()
    notebook.run("def a(): return 2")
    assert notebook.version() != before
    assert notebook.run("def a(): return 1  # as before").version() == before


def test_copying_an_object_does_not_change_its_class():
    """The names of slots that copying and pickling note on a class aren't code."""
    notebook = Notebook("class Model:\n    rate = 1", "def orders(): return Model()")
    before = notebook.version()
    notebook["orders"]().__reduce_ex__(4)
    assert "__slotnames__" in vars(notebook["Model"])
    assert notebook.version() == before


def test_the_last_definition_of_a_name_wins():
    """A name defined again in a later cell is read as it is now, and the old one is gone."""
    notebook = Notebook("def h(): return 1", "def orders(): return h()", "def h(): return 2")
    assert [part.text for part in fingerprint(notebook["orders"])] == ["return h()", "def h():\n    return 2"]


def test_a_moved_cell_keeps_the_version():
    """Neither the order of cells nor their place matters."""
    helper, asset = "\n\n\ndef h(): return 1", "def orders(): return h()"
    assert (
        Notebook(helper, asset).version()
        == Notebook(asset, helper).version()
        == Notebook(helper + "\n" + asset).version()
    )


def compiled(body: str, parameters: str = "raw"):
    """Return a function made of a cell's body, as the compiler of cells makes it: no ``def`` in the cell's text."""
    tree = ast.parse(dedent(body))
    last = tree.body[-1]
    if isinstance(last, ast.Expr):
        tree.body[-1] = ast.copy_location(ast.Return(last.value), last)
    node = ast.parse(f"def orders({parameters}): pass").body[0]
    node.body = tree.body
    module = ast.fix_missing_locations(ast.Module([node], []))
    name = f"/nowhere/cells/{next(numbers)}.py"
    linecache.cache[name] = (len(body), None, body.splitlines(keepends=True), name)
    namespace: dict[str, object] = {"__name__": "__main__", "limit": 1}
    exec(compile(module, name, "exec"), namespace)
    attach_tree(namespace["orders"], node)
    return namespace["orders"]


def test_a_cell_and_a_decorated_function_have_one_version():
    """The same body has one version, written as a cell or as a function."""
    cell = compiled("# comment\nkept = raw[raw > limit]\nkept + 1\n")
    function = Notebook(
        """
        limit = 1
        def asset(f): return f
        @asset
        def orders(raw):
            'doc'
            kept = raw[raw > limit]
            return kept + 1
        """
    )
    assert version(cell) == function.version()
    assert version(compiled("kept = raw[raw > limit]\nkept + 2\n")) != version(cell)


def test_a_cell_without_its_tree_is_unknown():
    """Without the attached tree the text of a cell isn't taken for the source of its function."""
    namespace: dict[str, object] = {}
    exec(compile("def orders(raw):\n    return 1\n", "/nowhere/cells/nowhere.py", "exec"), namespace)
    (part,) = fingerprint(namespace["orders"])
    assert (part.kind, part.name) == ("unknown", "")
    assert "source of `orders`" in part.text


def test_functions_within_a_cell_have_its_tree():
    """A function that a cell's body makes is known too."""
    made = compiled("def inner(x):\n    return x + raw\ninner\n")(1)
    assert [part.text for part in fingerprint(made)] == ["1", "return x + raw"]


# Names of parts


def test_parts_have_readable_names():
    """Each part is called what its reader would call it."""
    source = """
    import math
    limit = 3
    def clean(x, n=1): return x + n
    class Model:
        rate = 2
        def fit(self): return clean(limit)
    def make(k):
        def inner(): return k
        return inner
    three = make(3)
    def orders(raw, m=4): return Model().fit() + three() + math.pi + absent
    """
    assert names(Notebook(source)["orders"]) == [
        ("closure", "make.inner.k"),
        ("code", ""),
        ("code", "Model"),
        ("code", "Model.fit"),
        ("code", "clean"),
        ("code", "make.inner"),
        ("default", "clean.n"),
        ("default", "m"),
        ("global", "Model.rate"),
        ("global", "absent"),
        ("global", "limit"),
        ("global", "math"),
        ("global", "three"),
    ]


def test_parts_are_sorted_and_each_name_is_there_once():
    """Two functions of one name are numbered, so that recipes can be compared by kind and name."""
    source = """
    def make(n):
        def inner(): return n
        return inner
    a, b = make(1), make(2)
    def orders(): return a() + b()
    """
    found = names(Notebook(source)["orders"])
    assert found == sorted(set(found))
    assert ("closure", "make.inner.n#2") in found


def test_texts_are_normalised_source_or_short_values():
    """Texts are for people: source without comments, values in short."""
    notebook = Notebook("x = list(range(1000))\ndef h(a):  # c\n  return (a)\ndef orders(): return h(x)")
    assert [part.text for part in fingerprint(notebook["orders"])] == [
        "return h(x)",
        "def h(a):\n    return a",
        "[0, 1, 2, 3, 4, 5, 6, 7, …]",
    ]


def test_texts_show_no_secret():
    """The value of a variable that sounds secret isn't shown, nor a secret field."""
    notebook = Notebook(
        "import pydantic\nAPI_TOKEN = 'hunter2'\nx = {'password': 'hunter2', 's': pydantic.SecretStr('hunter2')}\n"
        "def orders(): return API_TOKEN, x"
    )
    assert "hunter2" not in str(fingerprint(notebook["orders"]))


def test_skipped_names_are_no_globals():
    """A name that is an input isn't looked up among the globals, nor is its default."""
    notebook = Notebook("raw = 1\ndef orders(x=raw): return raw + x")
    assert names(notebook["orders"], skip={"raw", "x"}) == [("code", "")]


def test_on_object_is_asked_first():
    """The session says what becomes of an object it knows, also behind helpers and in containers."""
    part = Part("resource", "db", "d" * 32, "DB")
    asked = []

    def on_object(name: str, value: object) -> Part | None:
        asked.append(name)
        return part if name == "db" else None

    notebook = Notebook(
        "db = iter([])\ndef h(): return db\nsteps = [h]\ndef orders(): return h(), steps, db, 1",
    )
    found = fingerprint(notebook["orders"], on_object=on_object)
    assert [each for each in found if each.kind in {"resource", "unknown"}] == [part]
    assert {"db", "h", "steps"} <= set(asked)


def test_on_object_may_raise():
    """After an error of the session's answer nothing half done is kept."""
    notebook = Notebook("x = 1\nbad = 2\ndef h(): return x, bad\ndef orders(): return h()")
    complain = True

    def on_object(name: str, value: object) -> Part | None:
        if name == "bad" and complain:
            raise LookupError(name)
        return None

    fingerprinter = Fingerprinter(on_object=on_object)
    with pytest.raises(LookupError):
        fingerprinter.parts(notebook["orders"])
    complain = False
    assert fingerprinter.parts(notebook["orders"]) == fingerprint(notebook["orders"])


# What can't be followed


def test_source_not_available_fails_closed():
    """A helper without source makes the version differ every time, and says why."""
    notebook = Notebook("def orders(): return h()")
    exec("def h(): return 1", notebook.namespace)
    first, second = fingerprint(notebook["orders"]), fingerprint(notebook["orders"])
    (part,) = (part for part in first if part.kind == "unknown")
    assert part.name == "h"
    assert part.text == "the source of `h` isn't available"
    assert first != second


def test_source_not_available_in_a_container_fails_closed():
    """The same for a function inside of a value."""
    notebook = Notebook("def orders(): return x")
    exec("x = [lambda: 1]", notebook.namespace)
    assert [part.kind for part in fingerprint(notebook["orders"])] == ["code", "unknown"]


@pytest.mark.parametrize("call", ["eval('h()')", "exec('h()')", "globals()['h']()", "__import__('h').h()"])
def test_what_is_looked_up_by_text_fails_closed(call: str):
    """Code that is reached through a string can't be followed."""
    notebook = Notebook(
        "def h(): return 1", f"def orders(): return {call}", "steps = [orders]\ndef all_(): return steps"
    )
    for name in ("orders", "all_"):
        assert [part for part in fingerprint(notebook[name]) if "can't be followed" in part.text]
    notebook.run("eval = exec = globals = __import__ = len")
    assert not [part for part in fingerprint(notebook["orders"]) if part.kind == "unknown"]


@pytest.mark.parametrize(
    ("code", "what"),
    [
        ("sys.modules['__main__'].K", "__main__"),
        ("sys.modules[name].K", "sys.modules"),
        ("get_ipython().user_ns['K']", "user_ns"),
        ("h.__globals__['K']", "__globals__"),
        ("[c.k for c in Base.__subclasses__()]", "__subclasses__"),
        ("[each.__doc__ for each in (h, Base)]", "__doc__"),
        ("Base().__doc__", "__doc__"),
        ("obj.__doc__", "__doc__"),
        ("context.assets_def.metadata_by_key", "assets_def"),
    ],
)
def test_what_is_reached_without_its_name_fails_closed(code: str, what: str):
    """An attribute that leads to everything there is can't be followed, neither in the function nor in a helper."""
    notebook = Notebook(
        "import sys\nK, name, context = 1, 'm', None\ndef h(): pass\nclass Base: pass\nobj = Base()\nget_ipython = len",
        f"def orders(): return {code}\ndef all_(): return orders()",
    )
    for function in ("orders", "all_"):
        found = [part for part in fingerprint(notebook[function]) if part.kind == "unknown"]
        assert [part for part in found if what in part.text or what in part.name]


def test_asking_whether_a_module_is_loaded():
    """It is no way to its content."""
    notebook = Notebook("import sys\ndef orders(): return 'json' in sys.modules")
    assert not [part for part in fingerprint(notebook["orders"]) if part.kind == "unknown"]


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("x = iter([1])", "only once"),
        ("x = (i for i in [1])", "only once"),
        ("import threading; x = threading.Lock()", "no content"),
        ("import threading\nclass A: pass\nx = A(); x.lock = threading.Lock()", "no content"),
        ("import socket; x = socket.SocketType", ""),
    ],
)
def test_an_unhashable_global_fails_closed(source: str, why: str):
    """A global without content makes the version differ every time, and says why."""
    notebook = Notebook(source, "def orders(): return x")
    parts = fingerprint(notebook["orders"])
    assert [part.text for part in parts if part.kind == "unknown" and why in part.text] or not why
    assert (fingerprint(notebook["orders"]) != parts) == bool(why)


# Local modules


def test_an_imported_local_module_is_followed(module):
    """What is used of a local module counts, and nothing else of it."""
    helpers = module("helpers_a", "LIMIT = 1\nOTHER = 1\ndef clean(x): return x + LIMIT\ndef unused(): return 1\n")
    notebook = Notebook("import helpers_a as h\ndef orders(raw): return h.clean(raw)")
    assert names(notebook["orders"]) == [
        ("code", ""),
        ("code", "helpers_a.clean"),
        ("global", "h.clean"),
        ("global", "helpers_a.LIMIT"),
    ]
    before = notebook.version()
    helpers.OTHER = 2
    assert notebook.version() == before
    helpers.LIMIT = 2
    assert notebook.version() != before


@pytest.mark.parametrize("how", ["import mod_b as m", "from mod_b import clean", "import pkg_b.sub as s"])
def test_an_edited_local_module_changes_the_version(module, how: str):
    """A module that is loaded again after an edit changes the version; one that isn't, doesn't pass for the new one."""
    module("pkg_b.__init__", "")
    module("pkg_b.sub", "def clean(x): return x + 1\n")
    path = module("mod_b", "def clean(x): return x + 1\n", load=False)
    call = {"m": "m.clean", "n": "clean", "s": "s.clean"}[how[-1]]
    notebook = Notebook(how, f"def orders(raw): return {call}(raw)")
    before = notebook.version()
    assert before == notebook.version()
    path = path if how[-1] != "s" else path.parent / "pkg_b" / "sub.py"
    path.write_text("# new\n\ndef clean(x): return x + 1\n")
    reload(path)
    notebook.run(how)
    assert notebook.version() == before
    path.write_text("def clean(x): return x + 22\n")
    assert notebook.version() == before
    reload(path)
    notebook.run(how)
    assert notebook.version() != before


def reload(path: Path) -> None:
    """Load a module again, as autoreload does."""
    name = "pkg_b.sub" if path.name == "sub.py" else path.stem
    importlib.reload(sys.modules[name])


def test_autoreload_of_a_helpers_code(module):
    """Autoreload puts new code into the old function: the version follows."""
    module("mod_c", "def clean(x): return x + 1\n")
    notebook = Notebook("from mod_c import clean\ndef orders(raw): return clean(raw)")
    before, old = notebook.version(), notebook["clean"]
    module("mod_c", "def clean(x):\n    return x + 22\n")
    new = importlib.reload(sys.modules["mod_c"])
    old.__code__ = new.clean.__code__
    assert notebook.version() != before


def test_a_module_edited_since_its_import_is_unknown(module):
    """The text on disk isn't taken for the source of a function that was loaded before."""
    path = module("mod_d", "def clean(x): return x + 1\n", load=False)
    importlib.import_module("mod_d")
    path.write_text("def clean(x): return x + 22\n")
    notebook = Notebook("import mod_d\ndef orders(raw): return mod_d.clean(raw)")
    (part,) = (part for part in fingerprint(notebook["orders"]) if part.kind == "unknown")
    assert part.text == "the source of `clean` has changed since it was loaded; load it again"


def test_three_modules_apart(module):
    """Helpers of helpers are followed through modules."""
    module("mod_e3", "def last(): return 1\n")
    module("mod_e2", "import mod_e3\ndef middle(): return mod_e3.last()\n")
    module("mod_e1", "from mod_e2 import middle\ndef first(): return middle()\n")
    notebook = Notebook("import mod_e1\ndef orders(): return mod_e1.first()")
    assert ("code", "mod_e3.last") in names(notebook["orders"])
    before = notebook.version()
    module("mod_e3", "def last(): return 22\n")
    importlib.reload(sys.modules["mod_e3"])
    assert notebook.version() != before


@pytest.mark.parametrize("use", ["getattr(mod_f, 'clean')()", "[mod_f]", "(lambda m: m.clean())(mod_f)"])
def test_a_module_used_as_a_whole(module, use: str):
    """A module that is passed on counts with its whole source and the local modules that it imports."""
    module("mod_f2", "def deep(): return 1\n")
    text = "import mod_f2\nLIMIT = 1\ndef clean(): return LIMIT\n"
    loaded = module("mod_f", text)
    notebook = Notebook(f"import mod_f\ndef orders(): return {use}")
    before = notebook.version()
    assert before == notebook.version()
    module("mod_f2", "def deep(): return 22\n")
    importlib.reload(sys.modules["mod_f2"])
    assert notebook.version() != before
    before = notebook.version()
    loaded.LIMIT = 2
    assert notebook.version() != before


def test_a_module_imported_by_the_function(module):
    """An import inside of the body counts, and alike before and after the module is loaded."""
    path = module("mod_g", "def clean(): return 1\n", load=False)
    notebook = Notebook("def orders():\n    import mod_g\n    return mod_g.clean()")
    before = notebook.version()
    assert ("code", "import mod_g") in names(notebook["orders"])
    assert notebook["orders"]() == 1
    assert notebook.version() == before
    path.write_text("def clean(): return 22\n")
    importlib.reload(sys.modules["mod_g"])
    assert notebook.version() != before


@pytest.mark.parametrize("use", ["getattr(mod_v, 'BOX')", "{'m': mod_v}['m'].BOX"])
@pytest.mark.parametrize("change", ["mod_v.BOX[0] = 7", "mod_v.clean = lambda: 7", "mod_v.C.k = 7", "mod_v.new = [1]"])
def test_what_a_module_holds_is_changed(module, use: str, change: str):
    """Of a module that is used as a whole, all that it holds counts as it is now."""
    module("mod_v", "import threading\nlock = threading.Lock()\nBOX = [1]\nclass C: k = 1\ndef clean(): return 1\n")
    notebook = Notebook(f"import mod_v\ndef orders(): return {use}")
    before = notebook.version()
    assert before == notebook.version()
    if "getattr" in use:
        assert not any(kind == "unknown" for kind, _, _ in before)
    notebook.run(change)
    assert notebook.version() != before


@pytest.mark.parametrize("change", ["mod_w.BOX[0] = 7", "mod_w.clean = lambda: 7"])
def test_what_an_imported_module_holds_is_changed(module, change: str):
    """A module that the function imports has to be what its source says; what it fills itself may be anything."""
    module("mod_w", "BOX = [1]\nFULL = [0]\nFULL.append(1)\nEMPTY = {}\ndef clean(): return 1\n")
    notebook = Notebook("def orders():\n    import mod_w\n    return mod_w.BOX", "import mod_w\nmod_w.EMPTY['k'] = 1")
    before = notebook.version()
    assert before == notebook.version()
    notebook.run(change)
    assert notebook.version() != before
    assert [part.kind for part in fingerprint(notebook["orders"])] == ["code", "unknown"]


def test_a_module_imported_by_its_name(module):
    """``importlib.import_module("...")`` is an import like any other."""
    module("mod_i", "def clean(): return 1\n")
    notebook = Notebook("import importlib\ndef orders(): return importlib.import_module('mod_i').clean()")
    assert ("code", "import mod_i") in names(notebook["orders"])


def test_which_modules_are_local(module):
    """The standard library, packages and ipy_orch itself are installed; what lies elsewhere is the user's."""
    assert is_local_module(module("mod_h", "x = 1\n"))
    assert is_local_module(types.ModuleType("made_by_hand"))
    assert not any(is_local_module(sys.modules[name]) for name in ("ast", "sys", "pytest", "ipy_orch.errors"))


def test_package_versions_are_opt_in():
    """An installed package counts by name; pinned, by version too."""
    notebook = Notebook("import pydantic\nfrom pydantic import BaseModel\ndef orders(): return pydantic, BaseModel")
    assert notebook.version() == notebook.version(pins={"numpy": "1"})
    assert notebook.version(pins={"pydantic": "1"}) != notebook.version(pins={"pydantic": "2"})


def test_pydantic_models():
    """Defaults, constraints and validators of a model count."""
    source = """
    import pydantic
    class M(pydantic.BaseModel):
        x: int = pydantic.Field(default=1, gt=0)
        @pydantic.field_validator("x", mode="before")
        def check(cls, value): return value + 1
    def orders(): return M()
    """
    edits = [("default=1", "default=2"), ("gt=0", "gt=-1"), ("value + 1", "value + 2"), ('"before"', '"after"')]
    versions = {Notebook(source).version(), *(Notebook(source.replace(*edit)).version() for edit in edits)}
    assert len(versions) == 5
    assert Notebook(source).version() in versions


# Processes


SCRIPT = """
import linecache, functools, enum
from dataclasses import dataclass
from ipy_orch.planning.code.fingerprint import fingerprint
text = '''
class E(enum.Enum):
    A = 1
    B = 2
@dataclass(frozen=True)
class M:
    tags: frozenset = frozenset({"a", "b", "c"})
    def f(self): return g(self)
@functools.lru_cache
def g(m): return {x for x in m.tags} | names
names = {"x", "y", E.A, M()}
def orders(raw, m=M()): return g(m), E.B, names, absent
'''
linecache.cache["<cell>"] = (len(text), None, text.splitlines(keepends=True), "<cell>")
space = {"__name__": "__main__", "enum": enum, "dataclass": dataclass, "functools": functools}
exec(compile(text, "<cell>", "exec"), space)
print([(p.kind, p.name, p.digest) for p in fingerprint(space["orders"])])
"""


def test_versions_are_equal_over_processes_and_hash_seeds():
    """A new kernel, with another hash seed, computes the same version."""
    answers = [
        subprocess.run(
            [sys.executable, "-c", SCRIPT],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": str(Path(__file__).parents[2])},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    ]
    assert answers[0] == answers[1]
    assert "unknown" not in answers[0]


# Names and notices


def test_names_read():
    """Global names are those read in it, in nested functions and comprehensions, not local ones nor inputs."""
    notebook = Notebook("def h(): return deep", "def orders(raw):\n y = a\n return [b(x) for x in y], (lambda: c), h()")
    assert names_read(notebook["orders"]) == {"a", "b", "c", "h"}
    assert names_read(notebook["orders"], transitive=True) == {"a", "b", "c", "h", "deep"}


def test_undeclared_reads():
    """Files and environment variables read by a literal name are pointed out, also those of helpers."""
    notebook = Notebook(
        "import os, pandas as pd\nfrom pathlib import Path\ndef h(): return open('h.txt').read()",
        """
        def orders(raw):
            open("out.txt", "w").write("x")
            os.environ["SET"] = "x"
            return (pd.read_csv("a.csv"), Path("b.txt").read_text(), os.environ["HOME"],
                    os.environ.get("LANG"), os.getenv("TZ"), h(), pd.read_parquet(raw))
        """,
    )
    assert undeclared_reads(notebook["orders"]) == [
        "environment variable `HOME`",
        "environment variable `LANG`",
        "environment variable `TZ`",
        "file `a.csv`",
        "file `b.txt`",
        "file `h.txt`, read in `h`",
    ]


# Purity and passes


def test_nothing_of_the_user_runs():
    """No property, ``__getattr__``, ``__repr__`` or ``__eq__`` of the user's is called."""
    notebook = Notebook(
        """
        ran = []
        class A:
            def __init__(self): self.x = 1
            def __getattr__(self, name): ran.append(name); raise AttributeError(name)
            def __repr__(self): ran.append("repr"); return ""
            def __eq__(self, other): ran.append("eq"); return True
            def __hash__(self): ran.append("hash"); return 1
            @property
            def p(self): ran.append("p"); return 1
        a = A()
        def orders(): return a.p
        """
    )
    notebook["ran"].clear()
    assert not any(kind == "unknown" for kind, _, _ in notebook.version())
    assert [name for name in notebook["ran"] if not name.startswith("__")] == []


def test_one_pass_gives_what_single_calls_give():
    """A shared fingerprinter changes nothing, in whichever order functions are given to it."""
    source = (
        MODEL + "steps = [orders, Model]\ndef a(): return steps\ndef b(): return Model, steps, a\ndef c(): return c, b"
    )
    notebook = Notebook(source)
    single = {name: fingerprint(notebook[name]) for name in ("orders", "a", "b", "c")}
    for order in itertools.permutations(single):
        fingerprinter = Fingerprinter()
        assert {name: fingerprinter.parts(notebook[name]) for name in order} == single


def test_a_deep_chain_of_helpers():
    """A chain of helpers may be longer than Python's stack is deep."""
    cells = "\n".join(f"def f{number}(): return f{number + 1}()" for number in range(3000))
    notebook = Notebook(
        cells + "\ndef f3000(): return 1\ndef orders(): return f0()\nsteps = [orders]\ndef all_(): return steps"
    )
    assert len(fingerprint(notebook["orders"])) == 3002
    assert len(fingerprint(notebook["all_"])) == 3004


def test_a_thousand_closures_of_one_code():
    """Closures that share their code are told apart by what they hold."""
    notebook = Notebook("def make(n):\n def orders(): return n\n return orders\nall_ = [make(n) for n in range(1000)]")
    fingerprinter = Fingerprinter()
    assert len({fingerprinter.parts(function) for function in notebook["all_"]}) == 1000


def test_functions_are_followed_under_partials_and_methods():
    """What is fingerprinted may be a partial or a bound method."""
    notebook = Notebook(MODEL)
    bound = notebook["Model"](4).fit
    assert ("closure", "self") in names(bound)
    assert ("default", "raw") in names(functools.partial(notebook["orders"], raw=1))
    assert names(len) == [("code", "")]
    assert ("code", "Model.fit") in names(notebook["Model"])


def test_a_cell_that_imports_a_module_and_uses_it():
    """IPython compiles a cell statement by statement, which gives other bytecode than the whole text."""
    text = "import json\n\ndef orders():\n    return json.dumps([1])\n"
    name = f"/nowhere/cells/{next(numbers)}.py"
    linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
    namespace = {"__name__": "__main__"}
    for statement in ast.parse(text).body:
        exec(compile(ast.Module([statement], []), name, "exec"), namespace)
    assert "unknown" not in [part.kind for part in fingerprint(namespace["orders"])]


def test_a_tree_is_copied_without_what_others_hang_on_it():
    """IPython's tracebacks hang whole modules on the nodes that Python shares between all trees."""
    node = ast.parse("def f(x):\n    return x + 1").body[0]
    ast.Load.parent = node  # as `executing` does on the one instance of it
    try:
        found = copied(node)
    finally:
        del ast.Load.parent
    assert ast.dump(found, include_attributes=True) == ast.dump(node, include_attributes=True)
    assert found is not node
    assert all(not vars(one).keys() - {*one._fields, *one._attributes} for one in ast.walk(found))


@pytest.mark.parametrize("lines", ["", "# a line above\n\n"])
def test_autoreload_compiles_functions_one_by_one(tmp_path: Path, lines: str):
    """A function that stands on other lines than in its file is followed, where it does what the file says."""
    text = "def f(x):\n    # what for\n    return [\n        n + 1 for n in x]\n"
    path = tmp_path / "module.py"
    path.write_text(lines + text)
    reloaded: dict[str, object] = {"__name__": "module"}
    exec(compile(ast.unparse(ast.parse(text)), str(path), "exec"), reloaded)
    assert not [part for part in version(reloaded["f"]) if part[0] == "unknown"]
    other: dict[str, object] = {"__name__": "module"}
    exec(compile(ast.unparse(ast.parse(text.replace("1", "2"))), str(path), "exec"), other)
    assert [part for part in version(other["f"]) if part[0] == "unknown"]


HELPERS = """
import json
LIMIT = [1, 2]

def inner(x): return json.dumps([x, *LIMIT])

def helper(x): return inner(x)

def leaking(): return helper

alias = helper
"""
HOME = (
    HELPERS
    + """
def orders(): return helper(2)

def away(): return leaking()

def called(): return alias(1)
"""
)


def at_home(function) -> dict[tuple[str, str], str]:
    """Return the digests of a fingerprint by the names that a notebook's code has."""
    return {(part.kind, part.name): part.digest for part in Fingerprinter(at_home=True).parts(function)}


def test_a_module_stands_for_a_notebook(module):
    """At home, what is the module's own is as a notebook's with the same text; elsewhere it goes by the module."""
    here, notebook = module("home_a", HOME), Notebook(HOME)
    assert at_home(here.orders) == at_home(notebook["orders"])
    assert version(here.orders) != version(notebook["orders"])
    other = module("home_b", HOME.replace("[1, 2]", "[1, 3]"))
    assert at_home(other.orders) != at_home(notebook["orders"])


def test_what_hands_out_a_function_of_its_module_is_the_modules(module):
    """A value with such a function in it is kept by the module's name, and isn't the notebook's."""
    here, notebook = module("home_c", HOME), Notebook(HOME)
    assert at_home(here.away) != at_home(notebook["away"])
    assert ("code", "home_c.leaking") in at_home(here.away)
    assert at_home(here.called) != at_home(notebook["called"])


def test_two_of_one_name_stay_two(module):
    """A module's own name isn't shortened to one that something else has."""
    module("home_e", "def f(x): return x")
    module("home_d.home_e", "def f(x): return -x", load=False)
    reading = "from home_d import home_e as other\nimport home_e\ndef orders(): return home_e.f(other.f(1))"
    package = module("home_d.__init__", reading)
    parts = Fingerprinter(at_home=True).parts(package.orders)
    assert {("code", "home_e.f"), ("code", "home_d.home_e.f")} <= {(part.kind, part.name) for part in parts}
