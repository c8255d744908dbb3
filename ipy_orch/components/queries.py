"""What a SQL text reads, as DuckDB's own parser sees it: tables, and files."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ipy_orch.components.files import library
from ipy_orch.errors import DagsterInvalidDefinitionError

__all__ = ["Query", "read_query"]

Hidden = frozenset[str]


@dataclass(frozen=True)
class Query:
    """Be what a query reads.

    Args:
        tables: as the query writes them, e.g. ``("shop", "orders")``.
        files: names of files, and patterns of them.
    """

    tables: tuple[tuple[str, ...], ...]
    files: tuple[str, ...]


def read_query(sql: str, where: str) -> Query:
    """Return what a query reads.

    Args:
        where: the file, for messages.

    Raises:
        DagsterInvalidDefinitionError: when it can't be parsed, or isn't one SELECT.

    Example:
        >>> read_query("with a as (select * from raw) select * from a, shop.b, 'c.csv'", "x.sql")
        Query(tables=(('raw',), ('shop', 'b')), files=('c.csv',))
    """
    duckdb = library("duckdb", "SqlFolderComponent", "duckdb")
    with duckdb.connect() as connection:
        [(text,)] = connection.execute("select json_serialize_sql(?)", [sql]).fetchall()
    parsed = json.loads(text)
    if parsed["error"]:
        told, line = str(parsed["error_message"]), line_of(sql, parsed.get("position"))
        raise DagsterInvalidDefinitionError(f"this isn't a query: {told}", where=f"{where}{line}")
    if len(parsed["statements"]) != 1:
        told = f"there are {len(parsed['statements'])} statements in it, and an asset is one SELECT"
        raise DagsterInvalidDefinitionError(told, where=where, hint="a file for each")
    found = dict.fromkeys(sources(parsed["statements"][0]["node"], frozenset()))
    files = [one[0] for one in found if len(one) == 1 and is_file(one[0])]
    return Query(tuple(one for one in found if not (len(one) == 1 and is_file(one[0]))), tuple(files))


def line_of(sql: str, position: Any) -> str:
    """Return the line of a position, as it follows the name of a file."""
    return f":{sql.count(chr(10), 0, int(position)) + 1}" if position is not None else ""


def is_file(name: str) -> bool:
    """Tell whether a table's name is that of a file."""
    return "/" in name or Path(name).suffix.lower() in (".csv", ".tsv", ".json", ".jsonl", ".ndjson", ".parquet", ".gz")


def sources(node: Any, hidden: Hidden) -> Iterator[tuple[str, ...]]:
    """Yield the tables and files that a node of the tree reads; what ``with`` names is none."""
    if isinstance(node, list):
        for one in node:
            yield from sources(one, hidden)
        return
    if not isinstance(node, dict):
        return
    for entry in (node.get("cte_map") or {}).get("map", ()):
        inner = entry["value"].get("query_node") or entry["value"].get("query")
        own = frozenset([entry["key"].lower()]) if is_recursive(inner) else frozenset()
        yield from sources(inner, hidden | own)
        hidden |= {entry["key"].lower()}
    if node.get("type") == "BASE_TABLE":
        name = tuple(part for part in (node["catalog_name"], node["schema_name"], node["table_name"]) if part)
        if len(name) > 1 or name[0].lower() not in hidden:
            yield name
    if node.get("type") == "TABLE_FUNCTION":
        yield from ((text,) for text in constants(node["function"]) if is_file(text))
    for key, one in node.items():
        if key != "cte_map":
            yield from sources(one, hidden)


def is_recursive(node: Any) -> bool:
    """Tell whether a query of ``with`` may read itself."""
    inner = node.get("node", node) if isinstance(node, dict) else {}
    return inner.get("type") == "RECURSIVE_CTE_NODE"


def constants(node: Any) -> Iterator[str]:
    """Yield the texts in the arguments of a function."""
    if isinstance(node, list):
        for one in node:
            yield from constants(one)
    elif isinstance(node, dict):
        if node.get("class") == "CONSTANT":
            held = node.get("literal") or node.get("value") or {}
            text = held.get("text", held.get("value"))
            if isinstance(text, str):
                yield text
        for one in node.values():
            yield from constants(one)
