"""The names that the package gives: Dagster's, and few of our own; and what importing them costs."""

from __future__ import annotations

import subprocess
import sys

import dagster

import ipy_orch

OURS = {
    "IsolationWarning",
    "Lineage",
    # Dagster has them in packages of their own; see storage/
    "DuckDBIOManager",
    "DuckDBPandasIOManager",
    "DuckDBPolarsIOManager",
    "ParquetIOManager",
    "CheckError",
    "DagsterAssetCheckFailedError",
    "DagsterExecutionInterruptedError",
    "DagsterInvalidMetadata",
    "load_ipython_extension",
    "unload_ipython_extension",
    "pandera_schema_to_dagster_type",
    "row_model_to_dagster_type",
    "session",
    "__version__",
}
HEAVY = ("pandas", "numpy", "anywidget", "ipywidgets", "IPython", "graphviz", "matplotlib", "dagster")


def test_all_is_sorted_and_there() -> None:
    """So that `from ipy_orch import *` works and a reader finds a name."""
    names = [name for name in ipy_orch.__all__ if not name.startswith("__")]
    assert sorted(ipy_orch.__all__) == ipy_orch.__all__
    assert all(hasattr(ipy_orch, name) for name in names)
    assert set(names) <= set(dir(ipy_orch))


def test_the_names_are_dagster_s() -> None:
    """A user changes one import and has Dagster code."""
    strange = {name for name in ipy_orch.__all__ if not hasattr(dagster, name)}
    assert strange <= OURS, strange - OURS


def test_importing_is_light() -> None:
    """A bare worker that imports an exported module needs no notebook and no data frame."""
    told = "import sys, ipy_orch; print([name for name in sys.argv[1:] if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", told, *HEAVY], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_each_public_name_has_a_docstring() -> None:
    """`?` behind a name says what it is."""
    bare = [name for name in ipy_orch.__all__ if not getattr(getattr(ipy_orch, name), "__doc__", "")]
    assert [name for name in bare if not name.startswith("__")] == []
