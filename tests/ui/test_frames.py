"""The tables of the magics: numbers to compute with, words to look at."""

from __future__ import annotations

import time

import pandas as pd

from ipy_orch.ui.frames import Table
from ipy_orch.ui.tables import assets_table, runs_table

ROW = {"asset": "a", "status": "fresh", "group": "g", "bytes": 62_665_896, "seconds": 0.377, "when": time.time()}


def test_numbers_are_shown_in_words() -> None:
    """Sizes, durations and the time of day; columns without content are left out."""
    table = Table(assets_table([ROW]))
    assert "62.7 MB" in repr(table)
    assert "377 ms" in table._repr_html_()
    assert "description" not in repr(table)
    assert "202" not in repr(table)


def test_it_computes_like_a_data_frame() -> None:
    """What is made of it is a plain one, with the raw numbers."""
    table = Table(assets_table([ROW]))
    assert table.loc["a", "bytes"] == 62_665_896
    assert type(table[table["bytes"] > 0]) is pd.DataFrame
    assert "description" in table.columns


def test_names_stay_inert() -> None:
    """Whatever people call things."""
    html = Table(assets_table([{**ROW, "asset": "<img src=x onerror=alert(1)>"}]))._repr_html_()
    assert "<img" not in html


def test_an_empty_table_shows_its_columns() -> None:
    """So that one sees what would be there."""
    assert "status" in repr(Table(assets_table([])))


def test_ids_of_runs_are_shown_short() -> None:
    """As much as one types."""
    runs = [{"run_id": "0123456789abcdef", "status": "success", "what": "all", "started": time.time()}]
    assert "01234567 " in repr(Table(runs_table(runs)))
    assert "89abcdef" not in repr(Table(runs_table(runs)))
    assert Table(runs_table(runs)).index[0] == "0123456789abcdef"
