"""Directives that are nearly ours: told, with what to write; those of others are left alone."""

from __future__ import annotations

import pytest

from ipy_orch.authoring.cells.misspelt import misspelt_directive


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("#| aset: orders\n1", "#| asset: orders"),
        ("#| assets orders\n1", "#| asset: orders"),
        ("#|asset orders\n1", "#| asset: orders"),
        ("# what was ordered\n#| Asset = orders\n1", "#| asset: orders"),
        ("#| group: a\n# | asset: orders\n1", "#| asset: orders"),  # as black leaves it
        ("#| chekc: orders\n1", "#| check: orders"),
        ("#| ops: clean(raw)\n1", "#| op: clean(raw)"),
        ("#| asset\n1", "#| asset: NAME"),
    ],
)
def test_what_is_nearly_a_directive_is_told(text: str, meant: str) -> None:
    """With what to write."""
    assert misspelt_directive(text).endswith(f"did you mean `{meant}`?")


def test_a_directive_below_code_is_told() -> None:
    """It counts on top only."""
    assert "in line 2 says nothing" in misspelt_directive("x = 1\n#| asset: orders\n2")


@pytest.mark.parametrize(
    "text",
    [
        "#| asset: orders\n1",
        "#| echo: false\n#| label: fig-1\n#| output: asis\n1",
        "#| export\n#|hide\n#|default_exp core\n1",
        "# asset: a remark",
        "# | a | table |\n# | check | it |",
        "#| column: margin\n#| classes: a\n#| opt: 1\n1",
        "%%markdown\n#| aset: orders",
        "",
    ],
)
def test_directives_of_others_are_left_alone(text: str) -> None:
    """Quarto's, nbdev's, and what is a comment."""
    assert misspelt_directive(text) == ""
