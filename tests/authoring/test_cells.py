"""The text of a cell becomes the body of a function."""

from __future__ import annotations

import asyncio
import inspect
import traceback
from typing import Any

import pytest

from ipy_orch.authoring.cells.cells import CellText, build, is_definition_cell, read_cell, value_rule
from ipy_orch.errors import DagsterInvalidDefinitionError
from ipy_orch.model.keys import AssetKey

WHERE = "Cell In[3]"


def cell(text: str) -> CellText:
    """Return a cell that is one."""
    found = read_cell(text, where=WHERE)
    assert found is not None
    return found


def call(text: str, *arguments: str, **values: Any) -> Any:
    """Build the function of a cell and call it."""
    function, _ = build(cell(text), arguments, {"__name__": "__main__", "outside": 10}, "<cell 3>")
    return function(**values)


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("%%asset orders\n1", True),
        ("\n  \n%%asset_check orders\n1", True),
        ("#| asset: orders\n1", True),
        ("#|check : orders\n1", True),
        ("%%asset_other\n1", False),
        ("# asset: orders\n1", False),
        ("#| echo: false\n1", False),
        ("x = 1\n#| asset: orders", False),
        ("", False),
    ],
)
def test_which_cells_are_definitions(text: str, is_one: bool):
    """The first line that isn't empty says so."""
    assert is_definition_cell(text) is is_one
    assert (read_cell(text) is not None) is is_one


@pytest.mark.parametrize(
    "text",
    [
        "%%asset sales/orders --group ingest --no-run\nraw\n",
        "#| asset: sales/orders\n#| group: ingest\n#| run: false\nraw\n",
    ],
)
def test_two_spellings_mean_one_thing(text: str):
    """The magic and the directive give the same cell, and lines keep their numbers."""
    found = cell(text)
    assert (found.kind, found.target, found.name) == ("asset", AssetKey(["sales", "orders"]), "orders")
    assert found.options == {"group": "ingest", "run": False}
    line = text.split("\n").index("raw")
    assert found.body.split("\n")[line] == "raw"
    assert found.names.read == {"raw": line + 1}


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("%%asset_check orders unique --blocking\nTrue", "unique"),
        ("%%asset_check orders:unique --blocking\nTrue", "unique"),
        ("%%asset_check orders --name unique --blocking\nTrue", "unique"),
        ("#| check: orders:unique\n#| blocking: true\nTrue", "unique"),
        ("#| check: orders\n#| name: unique\n#| blocking: true\nTrue", "unique"),
        ("#| check: orders\n#| blocking: true\nTrue", "orders_check"),
    ],
)
def test_checks_have_names(text: str, name: str):
    """A check is named after a colon, as a second word or by an option, else after its asset."""
    found = cell(text)
    assert (found.kind, found.target, found.name, found.options["blocking"]) == (
        "check",
        AssetKey("orders"),
        name,
        True,
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("%%asset\n1", "needs a name\n  where: Cell In[3]\n  hint: %%asset NAME"),
        ("%%asset ''\n1", "needs a name"),
        ("%%asset a b\n1", "takes one name, not 2: a b"),
        ("%%asset_check a b c\n1", "takes one name"),
        ("%%asset my-orders\n1", "can't be the name of an asset\n  where: Cell In[3]\n  hint: call it `my_orders`"),
        ("%%asset 2024\n1", "hint: call it `_2024`"),
        ("%%asset class\n1", "hint: call it `class_`"),
        ("%%asset_check orders my-check\n1", "can't be the name of a check"),
        ("%%asset a --grop b\n1", "did you mean `--group`?"),
        ("#| asset:\n1", "`#| asset:` needs a name"),
        ("#| asset: 3\n1", "`#| asset:` needs a name"),
        ("#| asset: a\n#| grop: b\n1", "did you mean `group`?"),
        ("\n#| asset: a\n#| group: [\n1", "the `#|` lines aren't YAML\n  where: Cell In[3], line 3"),
        ("#| asset: a\n#| oops\n1", "aren't YAML"),
        (
            "#| asset: a\n#| group: b\n#| group: c\n1",
            "`group` is said twice in the `#|` lines\n  where: Cell In[3], line 3",
        ),
        ("#| asset: a\n#| group: !!python/name:os.system\n1", "aren't YAML"),
    ],
)
def test_wrong_headers(text: str, message: str):
    """A header that can't be read is refused with the cell, the line and what to type."""
    with pytest.raises(DagsterInvalidDefinitionError) as caught:
        cell(text)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("body", "what"),
    [
        ("!ls", "`!ls`"),
        ("! ls", "`! ls`"),
        ("files = !ls", "`files = !ls`"),
        ("%matplotlib inline", "`%matplotlib inline`"),
        ("t = %timeit -o 1", "`t = %timeit -o 1`"),
        ("for i in x:\n    !echo", "`!echo`"),
        ("%%time\n1", "`%%time`"),
        ("orders?", "`orders?`"),
        ("?orders", "`?orders`"),
        ("return 1", "`return`"),
        ("if x:\n    return 1", "`return`"),
        ("yield 1", "`yield`"),
        ("x = yield", "`yield`"),
        ("yield from x", "`yield from`"),
        ("global x", "`global`"),
        ("nonlocal x", "`nonlocal`"),
        ("from math import *", "`from math import *`"),
    ],
)
def test_what_a_body_can_not_hold(body: str, what: str):
    """Magics, shell lines and statements that mean something else in a function are refused with their line."""
    line = 3 + (body.startswith(("for", "if")))
    with pytest.raises(DagsterInvalidDefinitionError) as caught:
        _ = cell(f"#| asset: orders\nx = 1\n{body}\n").tree
    assert caught.value.message.startswith(what)
    assert caught.value.where == f"Cell In[3], line {line}"
    assert caught.value.hint


def test_the_first_problem_is_named():
    """Of several, the one that stands first is told."""
    with pytest.raises(DagsterInvalidDefinitionError, match="`return`"):
        _ = cell("%%asset a\nreturn 1\nyield 2").tree


@pytest.mark.parametrize(
    "body",
    [
        "def f():\n    return 1\nf()",
        "(lambda: (yield))\n1",
        "x = {'a': '!b'}\nx",
        "'%d' % 3",
        "5 %2",
        "'''\n%time\n!ls\n'''",
    ],
)
def test_what_a_body_can_hold(body: str):
    """Functions inside have returns of their own, and strings and operators are no magics."""
    call(f"#| asset: orders\n{body}")


@pytest.mark.parametrize("body", ["x ===", "d = {'a': 'b?'", "if True\n    pass"])
def test_plain_syntax_errors(body: str):
    """What Python doesn't read is Python's error, on the cell's line."""
    with pytest.raises(SyntaxError) as caught:
        _ = cell(f"%%asset orders\n{body}").tree
    assert caught.value.lineno == 2


@pytest.mark.parametrize(
    ("body", "value"),
    [
        ("1 + 1", 2),
        ("x = 1\nx + 1;", 2),
        ("orders = 3", 3),
        ("orders = 3\nx = 4", 3),
        ("orders = 3\n4", 4),
        ("'''Say what it is.'''\norders = 3", 3),
        ("if outside: orders = 5", 5),
        ("outside", 10),
        ("[outside + i for i in range(2)]", [10, 11]),
        ("import math\nmath.floor(2.5)", 2),
        ("'a\x0cb'", "a\x0cb"),
    ],
)
def test_the_value(body: str, value: Any):
    """It's the trailing expression, else the variable named like the asset."""
    assert call(f"#| asset: orders\n{body}") == value


@pytest.mark.parametrize("body", ["", "# nothing", "x = 1", "orders.x = 1", "for i in []: pass"])
def test_no_value(body: str):
    """A cell without a value is refused with what to write."""
    with pytest.raises(DagsterInvalidDefinitionError) as caught:
        value_rule(cell(f"%%asset orders\n{body}"))
    assert caught.value.message == "asset `orders` has no value"
    assert (caught.value.where, caught.value.hint) == (WHERE, "end the cell with the value, or with `orders = ...`")


def test_assignments_stay_local():
    """The body's names don't reach the namespace."""
    space = {"__name__": "__main__"}
    function, _ = build(cell("%%asset orders\nx = 1\ndef f(): return x\nf()"), [], space, "<cell>")
    assert function() == 1
    assert not {"x", "f", "orders"} & space.keys()


def test_free_names_are_parameters():
    """The parameters are given by name, in the order asked for."""
    function, tree = build(cell("%%asset orders\nraw[:limit]"), ["raw", "limit"], {}, "<cell>")
    assert list(inspect.signature(function).parameters) == ["raw", "limit"]
    assert function(raw=[1, 2], limit=1) == [1]
    assert tree.name == function.__name__ == "orders"


def test_the_docstring_is_kept():
    """A string on top of the cell is the function's docstring."""
    function, _ = build(cell("#| asset: orders\n'''Be the orders.'''\n1"), [], {}, "<cell>")
    assert function.__doc__ == "Be the orders."


@pytest.mark.parametrize(
    "body",
    [
        "import asyncio\nawait asyncio.sleep(0, 3)",
        "async def f(): return 3\norders = await f()",
        "async def f():\n    yield 3\n[x async for x in f()][0]",
        "async def f():\n    yield 3\nasync for orders in f(): pass",
    ],
)
def test_a_cell_that_awaits(body: str):
    """It's an async function."""
    function, _ = build(cell(f"#| asset: orders\n{body}"), [], {}, "<cell>")
    assert inspect.iscoroutinefunction(function)
    assert asyncio.run(function()) == 3


def test_awaiting_inside_is_not_awaiting():
    """An async function of the cell doesn't make the cell async."""
    function, _ = build(cell("#| asset: orders\nasync def f(): await g()\nf"), [], {}, "<cell>")
    assert not inspect.iscoroutinefunction(function)


@pytest.mark.parametrize("header", ["%%asset orders", "#| asset: orders\n#| group: a", "\n\n%%asset orders"])
def test_tracebacks_have_the_cells_lines(header: str):
    """An error stands on the line where the cell has it, under the cell's file name."""
    text = f"{header}\nx = 1\n\n1 / 0\n"
    with pytest.raises(ZeroDivisionError) as caught:
        call(text)
    frame = traceback.extract_tb(caught.value.__traceback__)[-1]
    assert (frame.filename, frame.lineno, frame.name) == ("<cell 3>", text.split("\n").index("1 / 0") + 1, "orders")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("#|asset:orders\n#|group:g\n1", 3),
        ("#| asset :orders\n1", 2),
        ("#| group: g\n#| asset: orders\n1", 3),
        ("# paid ones\n\n#| asset: orders\n1", 4),
        ("# paid ones\n%%asset orders --group g\n1", 3),
    ],
)
def test_heads(text: str, line: int):
    """Comments may stand above the head, its lines in any order and without spaces; line numbers stay the cell's."""
    found = cell(text)
    assert found.target.label == "orders"
    assert found.tree.body[0].lineno == line
    assert found.options.get("group", "g") == "g"


@pytest.mark.parametrize("text", ["x = 1\n#| asset: orders\n1", "#| label: orders\n1", "# %%asset orders\n1", "# only"])
def test_no_heads(text: str):
    """Anything else stays a plain cell."""
    assert not is_definition_cell(text)


@pytest.mark.parametrize(
    ("name", "hint"), [("print", "print_"), ("context", "context_"), ("config", "config_"), ("été", "ete")]
)
def test_names_that_mean_something_else(name: str, hint: str):
    """An asset that hid a builtin or the context would change what other cells mean; Dagster's names are ASCII."""
    with pytest.raises(DagsterInvalidDefinitionError, match=f"call it `{hint}`"):
        cell(f"%%asset {name}\n1")
