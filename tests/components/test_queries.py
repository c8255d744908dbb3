"""What a query reads, told by DuckDB's own parser."""

from __future__ import annotations

import pytest

from ipy_orch.components.queries import read_query
from ipy_orch.errors import DagsterInvalidDefinitionError


@pytest.mark.parametrize(
    ("sql", "tables", "files"),
    [
        ("select * from a", [("a",)], []),
        ("select 1", [], []),
        ("from a select x", [("a",)], []),
        ("select * from a, shop.b left join db.main.c using (x)", [("a",), ("shop", "b"), ("db", "main", "c")], []),
        ("with t as (select * from a) select * from t, T", [("a",)], []),
        ("with a as (select * from a) select * from a", [("a",)], []),
        ("with t as (select 1), u as (select * from t, b) select * from u", [("b",)], []),
        ("select * from t, (with t as (select * from a) select * from t)", [("t",), ("a",)], []),
        ("with recursive t as (select 1 as n union all select n + 1 from t where n < 3) select * from t", [], []),
        ("select (select max(x) from a), x in (select y from b) from c", [("a",), ("b",), ("c",)], []),
        ("select * from a union all select * from b", [("a",), ("b",)], []),
        ("select * from 'x.csv', read_parquet('d/*.parquet', union_by_name = true)", [], ["x.csv", "d/*.parquet"]),
        ("select 'from b' from \"my table\" -- from c", [("my table",)], []),
        ("from a pivot (sum(y) for x in (1, 2))", [("a",)], []),
    ],
)
def test_a_query_reads(sql: str, tables: list[tuple[str, ...]], files: list[str]) -> None:
    """Tables wherever they stand; not what `with` names, and not words in texts and comments."""
    found = read_query(sql, "x.sql")
    assert sorted(found.tables) == sorted(tables)
    assert sorted(found.files) == sorted(files)


@pytest.mark.parametrize(
    ("sql", "told", "line"),
    [
        ("select *\nfrm a", "syntax error", ""),
        ("select 1; select 2", "2 statements", ""),
        ("insert into a values (1)", "SELECT", ""),
        ("drop table a", "SELECT", ""),
        ("", "0 statements", ""),
    ],
)
def test_what_is_no_query_is_refused(sql: str, told: str, line: str) -> None:
    """With the file."""
    with pytest.raises(DagsterInvalidDefinitionError, match=told) as caught:
        read_query(sql, "x.sql")
    assert caught.value.where.startswith("x.sql")
