"""The proof of an export: a clean process finds what the notebook defines, and makes what it makes."""

from __future__ import annotations

import importlib.util
import pickle
import sys
from types import ModuleType

import numpy as np
import pandas as pd
import polars as pl
import pytest
from matplotlib import pyplot as plt

from ipy_orch import materialize
from ipy_orch.errors import DagsterInvalidDefinitionError
from ipy_orch.export.proof.comparing import difference
from ipy_orch.export.proof.facts import plain
from ipy_orch.export.proof.rounds import Rehearsal
from ipy_orch.export.writing import export_notebook
from tests.export.notebooks import Notebook, saved
from tests.session.notebook import Notebook as SessionNotebook


def test_a_session_that_is_not_its_text(tmp_path, monkeypatch):
    """A graph that the text doesn't make again is refused with the cell, and nothing is written."""
    monkeypatch.setenv("DEEP", "1")
    cell = """import os
from ipy_orch import asset


@asset(group_name='g', deps=['x'] if 'DEEP' in os.environ else [])
def a():
    return 1"""
    notebook = Notebook(cell)
    monkeypatch.delenv("DEEP")
    with pytest.raises(DagsterInvalidDefinitionError, match="asset `a` reads `x` in the notebook and nothing") as error:
        notebook.write(tmp_path / "m.py", "ipy_orch", prove=True)
    assert error.value.where == "Cell In[1]"
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("target", ["ipy_orch", "dagster"])
def test_numbers_of_numpy_in_the_metadata_of_a_check(target, tmp_path):
    """What pandas counts is no `int`, and dagster takes no other: the module makes it one."""
    notebook = Notebook(
        "import pandas as pd",
        "%%asset a\npd.DataFrame({'x': [1, None]})",
        "%%asset_check a complete --severity WARN\nmissing = a.x.isna().sum()\nmissing == 0, {'missing': missing}",
    )
    notebook.write(tmp_path / "m.py", target, prove=True)
    assert '(missing == 0, {"missing": missing}), severity=AssetCheckSeverity.WARN' in (tmp_path / "m.py").read_text()


@pytest.mark.parametrize("target", ["ipy_orch", "dagster"])
def test_a_key_in_a_text(target, tmp_path):
    """A value that is made of a formatted key is the same in the notebook and in the module."""
    notebook = Notebook(
        "from ipy_orch import asset",
        """@asset(key_prefix='shop')
def a(context):
    key = context.asset_key
    return f'{key}, {key.to_user_string()}'""",
    )
    notebook.write(tmp_path / "m.py", target, prove=True)
    assert materialize([notebook.namespace["a"]]).output_for_node("shop__a") == "AssetKey(['shop', 'a']), shop/a"


@pytest.mark.parametrize("target", ["ipy_orch", "dagster"])
def test_what_is_in_this_kernel_only(target, tmp_path, monkeypatch):
    """A module that only this process has is missing in the other: the message names the cell that needs it."""
    fake = ModuleType("of_this_kernel")
    fake.rate = 2  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "of_this_kernel", fake)
    notebook = Notebook(
        "import sys",
        "def rate():\n    import of_this_kernel\n    return of_this_kernel.rate\nR = rate()",
        "%%asset a\nR",
    )
    with pytest.raises(DagsterInvalidDefinitionError, match="No module named 'of_this_kernel'") as error:
        notebook.write(tmp_path / "m.py", target, prove=True)
    assert error.value.where.startswith("Cell In[2], line ")
    assert "import it" in error.value.hint


@pytest.mark.parametrize(
    ("field", "made", "hint"),
    [
        ("key: SecretStr", "Shop(key=EnvVar('KEY'))", "annotate it `str`, and give it EnvVar(NAME)"),
        ("hosts: list[str]", "Shop.configure_at_launch(hosts=[EnvVar('KEY')])", "give KEY a field of its own"),
    ],
)
def test_what_dagster_has_not(field, made, hint, tmp_path, monkeypatch):
    """What only ipy_orch can is refused with what to write instead; ours loads it."""
    monkeypatch.setenv("KEY", "k")
    notebook = Notebook(
        "from ipy_orch import ConfigurableResource, EnvVar\nfrom pydantic import SecretStr",
        f"class Shop(ConfigurableResource):\n    {field}\nshop = {made}",
        "%%asset a\nshop.__class__.__name__",
    )
    notebook.write(tmp_path / "ours.py", "ipy_orch", prove=True)
    with pytest.raises(DagsterInvalidDefinitionError) as error:
        notebook.write(tmp_path / "theirs.py", "dagster", prove=True)
    assert hint in error.value.hint
    assert not (tmp_path / "theirs.py").exists()


OTHER = Rehearsal({"asset a": plain([1, {"b": -1}])}, ((None, ("a",)),))


def test_other_values(tmp_path):
    """A value that differs in the clean process is refused, with the asset and how it differs."""
    notebook = Notebook("import os", "%%asset a\n[1, {'b': os.getpid()}]")
    with pytest.raises(DagsterInvalidDefinitionError, match=r"of asset `a`: \[1\]") as error:
        notebook.write(tmp_path / "m.py", "ipy_orch", values=lambda: OTHER)
    assert error.value.where == "Cell In[2]"
    assert not list(tmp_path.iterdir())


PARTITIONED = (
    "%load_ext ipy_orch",
    """%matplotlib inline
from ipy_orch import AssetSpec, DailyPartitionsDefinition, MaterializeResult, multi_asset
DAYS = DailyPartitionsDefinition('2024-01-01', end_date='2024-01-05')""",
    "@multi_asset(specs=[AssetSpec('left')])\ndef made():\n    yield MaterializeResult('left')",
    "%%asset day --partitions DAYS --no-run\ncontext.partition_key",
    "%materialize day --partition 2024-01-03",
    "%%asset region --partitions static:n,s --no-run\ncontext.partition_key",
    "%%asset week --partitions DAYS --partition-mapping day=-1..0 --no-run\nlist(day)",
    "%%asset customer --partitions dynamic:customers\n1",
    "%%asset total\nsorted(region.items())",
    "%%asset hours --partitions hourly:2024-01-01-00:00..2024-02-01-00:00 --no-run\n1",
    "%%asset all_hours --no-run\nlen(hours)",
)


def test_partitions(tmp_path):
    """Of what is partitioned one partition is compared: the one made last, else the first that can be made."""
    path = saved(tmp_path / "n.ipynb", *PARTITIONED)
    done = export_notebook(path, tmp_path / "m.py", target="dagster", verify=True)
    at = "`day` at `2024-01-03`, `region` at `s`, `week` at `2024-01-01`, `hours` at `2024-01-01-00:00`"
    assert done.warnings == (
        f"of what is partitioned, one partition is compared: {at}",
        "not compared: `customer` has no partitions yet",
        "not compared: `all_hours` is made of 745 partitions, which takes long",
    )


def test_nothing_is_verified_without_dagster(tmp_path, monkeypatch):
    """Who asks for a proof that can't be had gets none, and no module."""
    found = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "dagster" else found(name))
    path = saved(tmp_path / "n.ipynb", "%%asset a\n1")
    with pytest.raises(DagsterInvalidDefinitionError, match="dagster isn't installed here"):
        export_notebook(path, tmp_path / "m.py", target="dagster", verify=True)
    assert not (tmp_path / "m.py").exists()


def test_a_notebook_that_fails_cannot_be_verified(tmp_path):
    """A cell that fails when the notebook is run for its values is named."""
    path = saved(tmp_path / "n.ipynb", "%load_ext ipy_orch", "%%asset a\n1", "1 / 0")
    with pytest.raises(DagsterInvalidDefinitionError, match="ZeroDivisionError: division by zero") as error:
        export_notebook(path, tmp_path / "m.py", verify=True)
    assert error.value.where == "Cell In[3]"


class Point:
    """A class of the notebook's."""

    def __init__(self, x: object) -> None:
        self.x = x


FRAME = pd.DataFrame({"a": [1.0, float("nan")], "b": ["x", "y"]}, index=[3, 4])
VALUES = {
    "numbers": (0.1 + 0.2, 0.3, ""),
    "nan": (float("nan"), float("nan"), ""),
    "int and float": (1, 1.0, ""),
    "bool and int": (True, 1, "bool and int"),
    "text": ("1", 1, "str and int"),
    "nested": ({"a": [1, 2]}, {"a": [1, 3]}, "[1]: 2 and 3"),
    "lengths": ([1], [1, 2], "1 and 2 items"),
    "order of keys": ({"a": 1, "b": 2}, {"b": 2, "a": 1}, "a"),
    "sets": ({1, 2}, {2, 1}, ""),
    "objects": (Point([1]), Point([1]), ""),
    "other objects": (Point([1]), Point([2]), "1 and 2"),
    "frames": (FRAME, FRAME.copy(), ""),
    "close frames": (FRAME, FRAME.assign(a=FRAME.a * (1 + 1e-12)), ""),
    "a cell": (FRAME, FRAME.assign(b=["x", "z"]), "different"),
    "an index": (FRAME, FRAME.set_index([pd.Index([3, 5])]), "different"),
    "a dtype": (FRAME.a, FRAME.a.astype("float32"), "dtype"),
    "arrays": (np.array([1.0, 2.0]), np.array([1.0, 2.0 + 1e-13]), ""),
    "other arrays": (np.array([1, 2]), np.array([1, 3]), "Mismatch"),
    "shapes": (np.array([1, 2]), np.array([[1, 2]]), "(2,)"),
    "polars": (pl.DataFrame({"a": [1]}), pl.DataFrame({"a": [1]}), ""),
    "other polars": (pl.DataFrame({"a": [1]}), pl.DataFrame({"a": [2]}), "value mismatch"),
}


@pytest.mark.parametrize("name", VALUES)
def test_the_difference_of_values(name):
    """Equal data is equal, and what differs is told in few words."""
    one, other, told = VALUES[name]
    found = difference(plain(one), plain(other))
    assert (told in found) if told else not found


def test_values_that_hold_much() -> None:
    """What holds itself ends, what is told in endless ways is cut off, and of a plot it counts that there is one."""
    loop: list[object] = [1]
    loop.append(loop)
    assert plain(loop) == [1, ("object", "list")]
    fan: list[object] = []
    for _ in range(12):
        fan = [fan] * 10
    assert len(pickle.dumps(plain(fan))) < 5_000_000
    figure = plt.figure()
    figure.add_subplot().plot([1, 2])
    assert plain({"figure": figure}) == plain({"figure": plt.figure()})
    plt.close("all")


def test_a_check_that_raises_says_that_the_proof_failed(tmp_path):
    """The user's own exception is shown, with what it means for the export."""
    notebook = SessionNotebook(run=False)
    notebook.cell("1", "%%asset a\n1")
    notebook.cell("2", "%%asset_check a c\n1 / 0")
    with pytest.raises(ZeroDivisionError) as told:
        notebook.session.export(tmp_path / "m.py", verify=True)
    (note,) = told.value.__notes__
    assert note.startswith("the proof failed, and nothing was written")
    assert not (tmp_path / "m.py").exists()
