"""The options of asset and check cells."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from ipy_orch.authoring.cells.options import ASSET_OPTIONS, CHECK_OPTIONS, parse_line, parse_yaml
from ipy_orch.errors import DagsterInvalidDefinitionError


@pytest.mark.parametrize(
    ("line", "words", "options"),
    [
        ("orders", ["orders"], {}),
        ("orders --group ingest", ["orders"], {"group": "ingest"}),
        ("--group=ingest orders", ["orders"], {"group": "ingest"}),
        ("a --kinds x,y --kinds z", ["a"], {"kinds": ["x", "y", "z"]}),
        ("a --tags k=v --tags l=m=n", ["a"], {"tags": {"k": "v", "l": "m=n"}}),
        ("a --description 'two words'", ["a"], {"description": "two words"}),
        ("a --run", ["a"], {"run": True}),
        ("a --no-run", ["a"], {"run": False}),
        ("a --retries 3 --retry-delay 0.5", ["a"], {"retries": 3, "retry_delay": 0.5}),
        ("a --io-manager lake --code-version 2", ["a"], {"io_manager": "lake", "code_version": "2"}),
        ("", [], {}),
    ],
)
def test_lines(line: str, words: list[str], options: dict[str, Any]):
    """Words are names, options come with their values or by themselves."""
    assert parse_line(line, ASSET_OPTIONS) == (words, options)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("a --grop x", "did you mean `--group`"),
        ("a --no-group", "no option `--no-group`"),
        ("a --group", "needs a value"),
        ("a --run=no", "takes no value"),
        ("a --retries many", "is a number"),
        ("a --retries nan", "is a number"),
        ("a --tags k", "takes key=value"),
        ("a --description 'open", "quote isn't closed"),
    ],
)
def test_wrong_lines(line: str, message: str):
    """What can't be read is refused with the cell and what to type."""
    with pytest.raises(DagsterInvalidDefinitionError, match=message) as caught:
        parse_line(line, ASSET_OPTIONS, where="Cell In[3]")
    assert caught.value.where == "Cell In[3]"


@pytest.mark.parametrize(
    ("given", "options"),
    [
        ({"group": "ingest"}, {"group": "ingest"}),
        ({"code_version": 2}, {"code_version": "2"}),
        ({"code_version": date(2024, 1, 2)}, {"code_version": "2024-01-02"}),
        ({"kinds": "duckdb"}, {"kinds": ["duckdb"]}),
        ({"deps": "a, b c"}, {"deps": ["a", "b", "c"]}),
        ({"deps": ["a", 1]}, {"deps": ["a", "1"]}),
        ({"metadata": {"a": 1}}, {"metadata": {"a": 1}}),
        ({"retry-delay": 1.5}, {"retry_delay": 1.5}),
        ({"retries": "2"}, {"retries": 2}),
        ({"run": False}, {"run": False}),
    ],
)
def test_yaml(given: dict[str, Any], options: dict[str, Any]):
    """YAML values become what the option wants."""
    assert parse_yaml(given, ASSET_OPTIONS) == options


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"grop": "a"}, "did you mean `group`"),
        ({"group": None}, "not `None`"),
        ({"group": True}, '#| group: "True"'),
        ({"group": ["a"]}, "is a text"),
        ({"kinds": None}, "is a list"),
        ({"kinds": [None]}, "is a list"),
        ({"kinds": {"a": 1}}, "is a list"),
        ({"tags": "a"}, "is a map"),
        ({"run": "no"}, "is a flag"),
        ({"retries": True}, "is a number"),
        ({"retries": float("inf")}, "is a number"),
        ({"blocking": True}, "no option `blocking`"),
    ],
)
def test_wrong_yaml(given: dict[str, Any], message: str):
    """A value of another kind is refused, as is a missing one."""
    with pytest.raises(DagsterInvalidDefinitionError) as caught:
        parse_yaml(given, ASSET_OPTIONS)
    assert message in str(caught.value)


@pytest.mark.parametrize("options", [ASSET_OPTIONS, CHECK_OPTIONS])
def test_options_are_described(options):
    """Every option has a name of its own and a help of one line."""
    assert len({option.flag for option in options}) == len(options)
    assert all(option.help and "\n" not in option.help for option in options)
