"""Definitions that loops lose."""

from __future__ import annotations

import ast

import pytest

from ipy_orch.authoring.cells.loops import lost_in_loops


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("for n in x:\n    @asset(name=n)\n    def one(): return one", ["one"]),
        ("with a:\n    while b:\n        if c:\n            @asset\n            async def one(): ...", ["one"]),
        ("for n in x:\n    for m in y:\n        @asset(name=m)\n        def one(): ...", ["one"]),
        ("for n in x:\n    @asset(name=n)\n    def one(): ...\n    kept.append(one)", []),
        ("for n in x:\n    @asset(name=n)\n    def one(): ...\n    kept[n] = one", []),
        ("for n in x:\n    def helper(): ...", []),
        ("def make():\n    for n in x:\n        @asset(name=n)\n        def one(): ...", []),
        ("@asset\ndef one(): ...", []),
    ],
)
def test_what_is_lost(text: str, names: list[str]) -> None:
    """A decorated function that its loop never reads is there once, however often the loop runs."""
    assert lost_in_loops(ast.parse(text)) == names
