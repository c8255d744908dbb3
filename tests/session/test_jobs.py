"""Jobs in the namespace: which are found, from which cells, and what they need."""

from __future__ import annotations

import pytest

from ipy_orch.errors import DagsterInvalidDefinitionError
from tests.session.notebook import Notebook

IMPORTS = (
    "from ipy_orch import ConfigurableResource, Definitions, asset, define_asset_job, job, logger, op, success_hook"
)
DAILY = "@op\ndef one():\n    return 1\n\n@job\ndef daily():\n    one()"


@pytest.fixture
def nb() -> Notebook:
    """Return a notebook with an asset."""
    notebook = Notebook()
    notebook.cell("imports", IMPORTS)
    notebook.cell("asset", "@asset\ndef orders():\n    return 3")
    return notebook


def labels(nb: Notebook) -> dict[str, str]:
    """Return the jobs found, each with its cell."""
    return {name: one.cell.label if one.cell else "" for name, one in nb.session.scan().places_of_jobs.items()}


def test_jobs_of_all_kinds(nb: Notebook) -> None:
    """Jobs of ops and of assets are found by name, with the cell they are from, and can be run."""
    nb.cell("ops", DAILY)
    nb.cell("selection", "nightly = define_asset_job('every_night', 'orders')")
    nb.cell(
        "more",
        "more = [define_asset_job('m')]\n"
        "rest = Definitions(jobs=[define_asset_job('r')])\n"
        "_hidden = define_asset_job('h')",
    )
    assert labels(nb) == {
        "daily": "Cell In[3]",
        "every_night": "Cell In[4]",
        "m": "Cell In[5]",
        "r": "Cell In[5]",
    }
    assert nb.session.scan().places_of_jobs["every_night"].variable == "nightly"
    found = nb.session.definitions()
    assert found.resolve_job_def("every_night").execute_in_process().output_for_node("orders") == 3
    assert found.resolve_job_def("daily").execute_in_process().output_for_node("one") == 1


def test_two_jobs_of_one_name(nb: Notebook) -> None:
    """Both cells are named; what has nothing to do with jobs goes on working."""
    nb.cell("ops", DAILY)
    nb.cell("other", "mine = define_asset_job('daily')")
    with pytest.raises(DagsterInvalidDefinitionError, match="two jobs are named `daily`") as error:
        nb.session.scan().jobs  # noqa: B018
    assert error.value.where == "Cell In[3] and Cell In[4]"
    assert nb.value("orders") == 3
    nb.delete("other")
    assert labels(nb) == {"daily": "Cell In[3]"}


def test_a_job_defined_again(nb: Notebook) -> None:
    """A job replaces the one before it, also one that a list of another cell still holds."""
    nb.cell("ops", DAILY)
    nb.cell("list", "all_jobs = [daily]")
    nb.cell("ops", DAILY)
    assert labels(nb) == {"daily": "Cell In[5]"}
    nb.cell("ops", DAILY.replace("daily", "weekly"))
    assert labels(nb) == {"weekly": "Cell In[6]", "daily": "Cell In[4]"}
    assert "`all_jobs` from `daily`, which no cell defines any more" in str(nb.session.book.behind(["all_jobs"])[0])


def test_a_job_wired_with_an_old_op_is_behind(nb: Notebook) -> None:
    """An op in another cell was edited: the cell of the job is named; an op's helper is no matter."""
    nb.cell("helper", "def h():\n    return 1")
    nb.cell("op", "@op\ndef one():\n    return h()")
    nb.cell("job", "@job\ndef daily():\n    one()")
    nb.cell("helper", "def h():\n    return 2")
    assert nb.session.book.behind(["daily"]) == []
    nb.cell("op", "@op\ndef one():\n    return 3 * h()")
    assert [one.cell for one in nb.session.book.behind(["daily"])] == ["Cell In[5]"]


def test_imports_of_a_cell_are_apart(nb: Notebook) -> None:
    """Another import in the cell of imports leaves nobody behind."""
    nb.cell("ops", DAILY)
    nb.value("orders")
    nb.cell("imports", f"import math\n{IMPORTS}")
    assert nb.session.book.behind(["daily", "orders"]) == []
    assert nb.session.materialize().notices == []


def test_what_a_job_needs(nb: Notebook) -> None:
    """A plain object that an op or a hook of a job needs is a resource; a logger is known by its variable."""
    nb.cell("all", "from ipy_orch import *")
    nb.cell("needs", "client = object()\nchannel = object()\nother = object()\n\n@logger\ndef mine(_): ...")
    nb.cell(
        "ops",
        "@success_hook(required_resource_keys={'channel'})\ndef told(context): ...\n\n"
        "@op(required_resource_keys={'client'})\ndef called(context): ...\n\n"
        "@job(hooks={told})\ndef daily():\n    called()",
    )
    scanned = nb.session.scan()
    assert {*scanned.resources} == {"client", "channel"}
    assert [*scanned.loggers] == ["mine"]
    assert scanned.as_definitions().resolve_job_def("daily").execute_in_process().success
