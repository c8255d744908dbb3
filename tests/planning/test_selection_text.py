"""How a selection is spelled."""

from __future__ import annotations

import pytest

from ipy_orch.errors import DagsterInvalidAssetSelectionError, DagsterInvalidSubsetError
from ipy_orch.planning.selection.text import (
    Attribute,
    Both,
    Call,
    Downstream,
    Either,
    Everything,
    Name,
    Node,
    Not,
    Upstream,
    parse,
    quoted,
)

A, B, C = Name("a"), Name("b"), Name("c")
KEY_A = Attribute("key", "a")


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("*", Everything()),
        ("a", A),
        ("  a\n", A),
        ("sales/orders", Name("sales/orders")),
        ("v1.2-beta", Name("v1.2-beta")),
        ("sales/*", Name("sales/*")),
        ("a*b", Name("a*b")),
        ('"x y"', Attribute("key", "x y")),
        ("'x y'", Attribute("key", "x y")),
        ('key:"say \\"hi\\""', Attribute("key", 'say "hi"')),
        ("key:a", KEY_A),
        ("key: a", KEY_A),
        ("key:a-b", Attribute("key", "a-b")),
        ("group:<null>", Attribute("group", None)),
        ('group:"<null>"', Attribute("group", "<null>")),
        ("owner:team:data", Attribute("owner", "team:data")),
        ("owner:me@here.org", Attribute("owner", "me@here.org")),
        ("tag:k", Attribute("tag", "k")),
        ("tag:k=v", Attribute("tag", "k", "v")),
        ('tag:"k"="v w"', Attribute("tag", "k", "v w")),
        ("check:a:not_null", Attribute("check", "a:not_null")),
        ("is:external", Attribute("is", "external")),
        ("roots(a)", Call("roots", A)),
        ("sinks (a b)", Call("sinks", Either((A, B)))),
        ("(((a)))", A),
    ],
)
def test_operands(text: str, tree: Node) -> None:
    """An operand reads as itself."""
    assert parse(text) == tree


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("+a", Upstream(A, 1)),
        ("++a", Upstream(A, 2)),
        ("2+a", Upstream(A, 2)),
        ("*a", Upstream(A, None)),
        ("a+", Downstream(A, 1)),
        ("a++", Downstream(A, 2)),
        ("a+3", Downstream(A, 3)),
        ("a*", Downstream(A, None)),
        ("+a+", Either((Upstream(A, 1), Downstream(A, 1)))),
        ("*a++", Either((Upstream(A, None), Downstream(A, 2)))),
        ("+key:a", Upstream(KEY_A, None)),
        ("1+key:a", Upstream(KEY_A, 1)),
        ("key:a+", Downstream(KEY_A, None)),
        ("key:a+2", Downstream(KEY_A, 2)),
        ("+(a or b)", Upstream(Either((A, B)), None)),
        ("roots(a)+", Downstream(Call("roots", A), None)),
        ("2+2", Upstream(Name("2"), 2)),
    ],
)
def test_layers(text: str, tree: Node) -> None:
    """A plus is a layer beside a bare name and all the way beside anything else; a star is all the way."""
    assert parse(text) == tree


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("a or b", Either((A, B))),
        ("a OR b", Either((A, B))),
        ("a, b", Either((A, B))),
        ("a b", Either((A, B))),
        ("a +b", Either((A, Upstream(B, 1)))),
        ("a+ b", Either((Downstream(A, 1), B))),
        ("a and b", Both((A, B))),
        ("not a", Not(A)),
        ("NOT a AND b", Both((Not(A), B))),
        ("not not a", Not(Not(A))),
        ("not (a or b)", Not(Either((A, B)))),
        ("a or b and c", Either((A, Both((B, C))))),
        ("a b and c", Either((A, Both((B, C))))),
        ("(a or b) and c", Both((Either((A, B)), C))),
        ("oracle android nothing", Either((Name("oracle"), Name("android"), Name("nothing")))),
    ],
)
def test_operators(text: str, tree: Node) -> None:
    """`and` binds tighter than `or`, which a comma and a blank stand for as well."""
    assert parse(text) == tree


@pytest.mark.parametrize(
    ("text", "column", "what"),
    [
        ("", 0, "empty"),
        ("a and", 5, "a name is missing"),
        ("a and and b", 6, "`and` can't stand here"),
        ("or", 0, "`or` can't stand here"),
        ("+not a", 1, "`not` can't stand here"),
        ("+", 0, "touches what it belongs to"),
        ("a + b", 2, "touches what it belongs to"),
        ("a+b", 2, "touches what it belongs to"),
        ("a - b", 2, "`a and not b`"),
        ("a & b", 2, "write `and`"),
        ("(a)(b)", 3, "`(` can't stand here"),
        ("a)", 1, "no parenthesis is open"),
        ("(a or b", 0, "isn't closed"),
        ("roots()", 6, "`)` can't stand here"),
        ('key:"a', 4, "quote isn't closed"),
        ("key:", 4, "a value is missing after `key:`"),
        ("kind: or *", 6, "a value is missing"),
        ("tag:k=", 6, "a value is missing after `tag:k=`"),
        ("key:<null>", 4, "can't be `<null>`"),
        ("key:<fake>", 4, "a value is missing"),
        ("is:fast", 3, "`is:external`"),
        ("a or grop:x", 5, "did you mean `group:`"),
        ("orders:not_null", 0, "`check:orders:...`"),
        ("root(a)", 0, "did you mean `roots`"),
        ("a, ,b", 3, "`,` can't stand here"),
    ],
)
def test_errors_point(text: str, column: int, what: str) -> None:
    """An error says what is wrong, with a caret under the place."""
    with pytest.raises(DagsterInvalidSubsetError) as caught:
        parse(text)
    assert what in str(caught.value)
    assert f"\n    {' ' * column}^" in str(caught.value)


def test_errors_are_inert() -> None:
    """A selection with control characters can't paint the terminal that shows the error."""
    with pytest.raises(DagsterInvalidSubsetError) as caught:
        parse("a\t\x1b[31m b")
    assert "\x1b" not in str(caught.value)
    assert "\n    a ·[31m b\n" in str(caught.value)


def test_the_kind_of_error() -> None:
    """What can't be read is told from what reads well and names nothing; both are errors of a selection."""
    with pytest.raises(DagsterInvalidAssetSelectionError):
        parse("a and")
    assert issubclass(DagsterInvalidAssetSelectionError, DagsterInvalidSubsetError)


@pytest.mark.parametrize("text", ["(" * 5000 + "a" + ")" * 5000, "not " * 5000 + "a", "roots(" * 5000])
def test_deep_nesting(text: str) -> None:
    """Nesting beyond reason is an error of the selection, not of the interpreter."""
    with pytest.raises(DagsterInvalidSubsetError, match="nested"):
        parse(text)


def test_long_lists() -> None:
    """Ten thousand names are fine."""
    tree = parse(" ".join(f"asset_{number}" for number in range(10_000)))
    assert isinstance(tree, Either)
    assert len(tree.nodes) == 10_000


@pytest.mark.parametrize("value", ["a", "", "a b", 'say "hi"', "back\\slash", "<null>", "und", "née", "a\nb", None])
def test_quoted(value: str | None) -> None:
    """A quoted value reads as itself."""
    assert parse(f"group:{quoted(value)}") == Attribute("group", value)
