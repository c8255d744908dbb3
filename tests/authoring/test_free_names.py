"""Which names a cell reads from outside and which it binds."""

from __future__ import annotations

import ast
import sys

import pytest

from ipy_orch.authoring.cells.free_names import free_names


def names(text: str) -> tuple[set[str], set[str], set[str]]:
    """Return the names read now, read later, and bound."""
    found = free_names(ast.parse(text))
    return set(found.read), set(found.late), set(found.bound)


CASES = [
    ("y = x", "x", "", "y"),
    ("x = x", "x", "", "x"),
    ("x = 1\nx", "", "", "x"),
    ("x\nx = 1", "x", "", "x"),
    ("x += 1", "x", "", "x"),
    ("x: T = y", "T y", "", "x"),
    ("x.a = y", "x y", "", ""),
    ("x[i] = y", "x i y", "", ""),
    ("a, *b = c", "c", "", "a b"),
    ("del x", "x", "", "x"),
    ("x = 1\ndel x", "", "", "x"),
    ("(x := y)", "y", "", "x"),
    ("for i in items:\n    i", "items", "", "i"),
    ("for i in i: pass", "i", "", "i"),
    ("with a as b: b", "a", "", "b"),
    ("import a.b, c as d\nfrom e import f as g", "", "", "a d g"),
    ("try: a\nexcept E as e: e", "a E", "", "e"),
    ("if a: b = 1\nelse: c", "a c", "", "b"),
    ("f'{x:{w}}'", "x w", "", ""),
    ("match x:\n    case {'a': y, **z}: y\n    case [p, *q] | K(p, q): p", "x K", "", "y z p q"),
    ("[i for i in x if j]", "x j", "", ""),
    ("{k: v for k, v in x}", "x", "", ""),
    ("[j for i in x for j in i]", "x", "", ""),
    ("[i for i in i]", "i", "", ""),
    ("[(last := i) for i in x]\nlast", "x", "", "last"),
    ("[lambda: i + k for i in x]", "x", "k", ""),
    ("[[i + j for j in y] for i in x]", "x y", "", ""),
    ("sum(f(i) for i in x)", "sum f x", "", ""),
    ("lambda a, b=c: a + d", "c", "d", ""),
    ("def f(a, b=c) -> R:\n    z = a\n    return z + y", "c R", "y", "f"),
    ("@deco\ndef f(): return f()", "deco", "", "f"),
    ("def f(): return g()\ndef g(): return x", "", "x", "f g"),
    ("def f():\n    def g(): return a + b\n    a = 1\n    return g", "", "b", "f"),
    ("def f():\n    global total\n    total = 1", "", "total", "f"),
    ("def f():\n    n = 0\n    def g():\n        nonlocal n\n        n += 1", "", "", "f"),
    ("class A(Base, metaclass=M):\n    x = y\n    def m(self): return x + z", "Base M y", "x z", "A"),
    ("async def f():\n    async for i in x: await i", "", "x", "f"),
    ("async with a as b: await b", "a", "", "b"),
]


@pytest.mark.parametrize(("text", "read", "late", "bound"), CASES, ids=[case[0] for case in CASES])
def test_names(text: str, read: str, late: str, bound: str):
    """Reads that run now, reads of functions that run later, and bindings are told apart."""
    assert names(text) == (set(read.split()), set(late.split()), set(bound.split()))


@pytest.mark.skipif(sys.version_info < (3, 12), reason="type parameters came with Python 3.12")
def test_type_parameters():
    """Type parameters are names of their definition."""
    assert names("def f[T](a: T) -> list[T]: return T, x") == ({"list"}, {"x"}, {"f"})
    assert names("class A[T](Base[T]): pass") == ({"Base"}, set(), {"A"})


def test_lines_and_readers():
    """Each name has the line of its first read, and each function the names that it reads."""
    found = free_names(ast.parse("a\ndef f():\n    return b\nclass K:\n    def m(self): return c\na"))
    assert found.read == {"a": 1}
    assert found.late == {"b": 3, "c": 5}
    assert found.free == {"b": 3, "c": 5, "a": 1}
    assert found.readers == {"f": frozenset({"b"}), "K": frozenset({"c"})}


COMPOSED = [
    ("@job\ndef j():\n    one(two())", "job one two", "one two"),
    ("@dg.graph(tags={})\ndef g(x, y=z):\n    return one(x)", "dg z one", "one"),
    ("@graph_asset\ndef a():\n    return many().map(lambda v: one(v, k))", "graph_asset many one k", "many one k"),
    ("@op\ndef one():\n    return helper()", "op", ""),
    ("one = 1\n@job\ndef j():\n    one()\n    two()", "job two", "two"),
    ("two\n@job\ndef j():\n    two()", "job two", ""),
]


@pytest.mark.parametrize(("text", "read", "composed"), COMPOSED, ids=[text for text, *_ in COMPOSED])
def test_the_body_of_a_graph_runs_where_it_stands(text: str, read: str, composed: str):
    """What graphs and jobs wire is read at once; an op's body is called later."""
    found = free_names(ast.parse(text))
    assert found.read.keys() == set(read.split())
    assert found.composed == set(composed.split())


def test_nodes_and_imports():
    """Ops, graphs and assets are known by their decorators, imported names by what they were imported as."""
    found = free_names(ast.parse("@dg.op()\ndef f(): ...\n@asset\ndef a(): ...\n@cache\ndef h(): ..."))
    assert found.nodes == {"f", "a"}
    found = free_names(
        ast.parse("import a.b, a.c\nfrom .m import x as y\nimport z\nz = 1\ntry:\n    import w\nexcept E:\n    w = 0")
    )
    assert {name: text.split() for name, text in found.imports.items()} == {
        "a": ["a.b;", "a.c;"],
        "y": [".m", "x", "as", "y;"],
    }
