"""Definitions that loops lose."""

from __future__ import annotations

import ast

import pytest

from ipy_orch.authoring.cells.loops import lost_in_loops


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("for n in x:\n    one = make(n)", ["one"]),
        ("while x:\n    one = asset(name=x)(f)", ["one"]),
        ("for n in x:\n    one = make(n)\n    kept.append(one)", []),
        ("for n in x:\n    one = make(n)\n    def two(): return one", []),
        ("for n in x:\n    one = make(n)\n    kept.append(lambda: one)", []),
        ("while one is None:\n    one = make(n)", []),
        ("for n in x:\n    one = n", []),
        ("for n in ['a']:\n    @asset(name=n)\n    def one(): ...", []),
        ("for n in [*x]:\n    @asset(name=n)\n    def one(): ...", ["one"]),
        ("while True:\n    @asset(name=n)\n    def one(): ...\n    break", []),
        ("for n in x:\n    for m in ['a']:\n        @asset(name=n)\n        def one(): ...", ["one"]),
        ("for n in x:\n    @asset(name=n)\n    def one(): return one", ["one"]),
        ("with a:\n    while b:\n        if c:\n            @asset\n            async def one(): ...", ["one"]),
        ("for n in x:\n    for m in y:\n        @asset(name=m)\n        def one(): ...", ["one"]),
        ("for n in x:\n    @asset(name=n)\n    def one(): ...\n    kept.append(one)", []),
        ("for n in x:\n    def helper(): ...", []),
        ("def make():\n    for n in x:\n        @asset(name=n)\n        def one(): ...", []),
        ("@asset\ndef one(): ...", []),
    ],
)
def test_what_is_lost(text: str, names: list[str]) -> None:
    """What its loop makes and never reads is there once, however often the loop runs."""
    assert [*lost_in_loops(ast.parse(text))] == names


def test_what_is_put_into_items() -> None:
    """What is only put into an item comes with what has the item; it isn't lost where it is read in another way."""
    loop = "for n in x:\n    one = make(n)\n    kept[n] = one"
    assert lost_in_loops(ast.parse(loop)) == {"one": "kept"}
    assert lost_in_loops(ast.parse(f"{loop}\n    print(one)")) == {}
