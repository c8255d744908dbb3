"""YAML with lines, and what strangers may try with it."""

from __future__ import annotations

import pytest

from ipy_orch.authoring.components.documents import read_documents
from ipy_orch.errors import DagsterInvalidDefinitionError

LAUGHS = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{b}: &{b} [{', '.join([f'*{a}'] * 10)}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True)
)


def test_each_field_has_its_line() -> None:
    """Also those inside lists, and those of the second document."""
    first, second = read_documents("a: 1\nb:\n  - x\n  - c: 2\n---\nd: 3\n", "defs.yaml")
    assert first.lines.where(("b", 1, "c")) == "defs.yaml:4, field `b.1.c`"
    assert second.lines.where(("d",)) == "defs.yaml:6, field `d`"
    assert second.value == {"d": 3}


def test_a_missing_field_is_told_of_what_is_around_it() -> None:
    """There is no line of what isn't there."""
    [one] = read_documents("\na:\n  b: 1\n", "defs.yaml")
    assert one.lines.where(("a", "missing")) == "defs.yaml:3, field `a.missing`".replace(":3", ":2")


def test_merge_keys_and_anchors_are_read() -> None:
    """Plain YAML's own ways to say a thing once."""
    [one] = read_documents("usual: &usual {kind: a, size: 1}\nother: {<<: *usual, size: 2}\n")
    assert one.value["other"] == {"kind": "a", "size": 2}


@pytest.mark.parametrize(
    "text",
    [
        "!!python/object/apply:os.system ['echo no']",
        "a: !!python/name:os.system",
        "a: !secret x",
        "a: !!python/tuple [1, 2]",
        "!!python/object:builtins.dict {a: 1}",
        "a: &a [*a]",
        LAUGHS,
        "- " * 5000 + "x",
        "a: {<<: &x {<<: *x}}",
        "a: 1\na: 2",
        "? [a, b]\n: 1",
        "a: 'no end",
        "a: @bad",
    ],
    ids=lambda text: text[:20],
)
def test_what_is_no_plain_data_is_refused(text: str) -> None:
    """Objects, aliases without end, fields that are there twice, and what is no YAML."""
    with pytest.raises(DagsterInvalidDefinitionError) as caught:
        read_documents(text, "defs.yaml")
    assert "defs.yaml" in caught.value.where


def test_the_line_of_a_mistake_is_told() -> None:
    """Not the line where the parser gave up only."""
    with pytest.raises(DagsterInvalidDefinitionError, match="twice") as caught:
        read_documents("a: 1\nb: 2\na: 3\n", "defs.yaml")
    assert caught.value.where == "defs.yaml:3"
