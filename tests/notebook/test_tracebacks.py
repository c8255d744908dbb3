from __future__ import annotations

import sys
import traceback

import pytest

from tests.notebook.conftest import Notebook


def frames() -> list[str]:
    """Return the functions of the last traceback, as `%debug` sees them."""
    return [frame.name for frame in traceback.extract_tb(sys.last_traceback)][1:]


@pytest.mark.parametrize("head", ["%%asset a", "#| asset: a"])
def test_the_users_frame_comes_first(notebook: Notebook, head: str) -> None:
    """The traceback of an asset has the user's frames, the cell, the line, and nothing of ours."""
    ran = notebook.run(f"{head}\nx = 1\n\nx / 0")
    assert isinstance(ran.error, ZeroDivisionError)
    assert "Cell In[2], line 4" in ran.traceback
    assert "----> 4 x / 0" in ran.traceback
    for word in ("ipy_orch", "run_cell_magic", "engine", "magics"):
        assert word not in ran.traceback
    assert frames() == ["a"]
    assert sys.last_value is ran.error
    assert sys.last_traceback is ran.error.__traceback__


def test_a_helper_is_shown(notebook: Notebook) -> None:
    """Frames of helpers of other cells are shown, each with its own cell."""
    notebook.good("def half(x):\n    return x / 0")
    ran = notebook.run("%%asset a\nhalf(1)")
    assert "Cell In[3], line 2" in ran.traceback
    assert "Cell In[2], line 2" in ran.traceback
    assert frames() == ["a", "half"]


def test_an_error_in_an_ancestor(notebook: Notebook) -> None:
    """An error of an ancestor names it, and shows its cell."""
    notebook.good("%%asset raw --no-run\n1 / 0")
    ran = notebook.run("%%asset b\nraw")
    assert "Cell In[2], line 2, in raw" in ran.traceback.replace("raw()", "raw")
    assert "raw · failed: ZeroDivisionError" in ran.shown[0]
    assert "b · skipped: raw failed" in ran.shown[0]


def test_with_workers(notebook: Notebook) -> None:
    """On a worker thread the traceback is the same."""
    notebook.good("%%asset a --no-run\n1 / 0")
    ran = notebook.run("%materialize a --workers 2")
    assert "Cell In[2], line 2" in ran.traceback
    assert frames() == ["a"]


def test_in_a_coroutine(notebook: Notebook) -> None:
    """An async asset's traceback has no frames of the event loop."""
    ran = notebook.run("%%asset a\nimport asyncio\nawait asyncio.sleep(0)\n1 / 0")
    assert frames() == ["a"]
    assert "Cell In[2], line 4" in ran.traceback


def test_chained_errors(notebook: Notebook) -> None:
    """The exceptions that an exception came from are shown without our frames, too."""
    body = "try:\n    1 / 0\nexcept ZeroDivisionError as error:\n    raise KeyError('b') from error\n1"
    ran = notebook.run(f"%%asset a\n{body}")
    assert "ZeroDivisionError" in ran.traceback
    assert "KeyError" in ran.traceback
    assert "ipy_orch" not in ran.traceback


def test_definition_errors_are_messages(notebook: Notebook) -> None:
    """An error of a definition is a message: what, where, and what to type."""
    ran = notebook.run("%%asset a\nx = 1\nreturn x")
    assert ran.traceback.splitlines() == [
        "DagsterInvalidDefinitionError: `return` can't be in an asset's cell",
        "  where: Cell In[2], line 3",
        "  hint: end the cell with the value as its last line",
    ]


def test_a_magic_in_a_body(notebook: Notebook) -> None:
    """A shell line in a body is refused with its line."""
    ran = notebook.run("%%asset a\n1\n!ls")
    assert "`!ls` can't be in an asset" in ran.traceback
    assert "Cell In[2], line 3" in ran.traceback


def test_a_syntax_error_in_a_body(notebook: Notebook) -> None:
    """A syntax error is shown as in any cell, at the cell's line."""
    ran = notebook.run("%%asset a\nx = 1\ny = = 2")
    assert "Cell In[2], line 3" in ran.traceback
    assert "y = = 2" in ran.traceback
    assert "SyntaxError" in ran.traceback
    assert "ipy_orch" not in ran.traceback


def test_a_cycle_names_the_cells(notebook: Notebook) -> None:
    """A cycle is an error with both cells; the notebook stays as it was."""
    notebook.good("%%asset a --no-run\nb", "one")
    ran = notebook.run("%%asset b --no-run\na", "two")
    assert "Cell In[" in ran.traceback
    assert "Traceback" not in ran.traceback


def test_other_errors_are_untouched(notebook: Notebook) -> None:
    """The traceback of a plain cell is IPython's."""
    ran = notebook.run("1 / 0")
    assert "----> 1 1 / 0" in ran.traceback


def test_a_misused_decorator(notebook: Notebook) -> None:
    """A decorator used wrongly in a plain cell shows the cell's line and none of our frames."""
    ran = notebook.run("from ipy_orch import asset\n\n@asset(group_nam='x')\ndef a():\n    return 1")
    assert "line 3" in ran.traceback
    assert "ipy_orch/" not in ran.traceback


def test_writing_into_an_input(notebook: Notebook) -> None:
    """A write into a read-only input says what to do."""
    notebook.good("%%asset a\nimport numpy\nnumpy.zeros(1000)", "a")
    ran = notebook.run("%%asset b\na[0] = 1\na", "b")
    assert "x = x.copy()" in ran.traceback


def test_a_session_verb_in_a_cell(notebook: Notebook) -> None:
    """A verb called in a plain cell shows that cell and the asset's."""
    notebook.good("%%asset a --no-run\n1 / 0")
    notebook.run("import ipy_orch\nipy_orch.session().value('a')")
    assert frames()[-1] == "a"
    assert frames()[0] == "<module>"
    assert len(frames()) == 2


def test_interrupt(notebook: Notebook) -> None:
    """An interrupt is one quiet line that names the step; the next cell works."""
    ran = notebook.run("%%asset a\nraise KeyboardInterrupt\n1")
    assert ran.traceback == "canceled while `a` ran: nothing was stored of it"
    assert isinstance(ran.error, KeyboardInterrupt)
    assert "a" not in notebook.variables
    assert notebook.good("%%asset a\n1").shown[0] == "1"


def test_secrets_are_hidden(notebook: Notebook, monkeypatch: pytest.MonkeyPatch) -> None:
    """The value of an EnvVar doesn't appear in the error of an asset that puts it into a message."""
    monkeypatch.setenv("DB_PASSWORD", "hunter2-hunter2")
    notebook.good(
        "from ipy_orch import ConfigurableResource, EnvVar\n"
        "class Db(ConfigurableResource):\n    password: str\n"
        "db = Db(password=EnvVar('DB_PASSWORD'))"
    )
    ran = notebook.run("%%asset a\nraise ValueError(f'no login with {db.password}')\n1")
    assert "no login with" in ran.traceback
    assert "hunter2" not in ran.traceback + str(ran.error) + "".join(map(str, ran.displays))


def test_an_error_that_user_code_catches_is_its_own(notebook: Notebook) -> None:
    """An exception that a cell catches has its frames."""
    assert notebook.good("try:\n    1 / 0\nexcept ZeroDivisionError as error:\n    found = str(error)\nfound").out


def test_a_resource_that_raises_in_its_set_up(notebook: Notebook) -> None:
    """The line of the resource that raised is shown, and which resource it was."""
    cls = "from ipy_orch import ConfigurableResource\nclass Db(ConfigurableResource):\n"
    notebook.good(f"{cls}    def setup_for_execution(self, context):\n        1 / 0\ndb = Db()")
    ran = notebook.run("%%asset a\ndb")
    assert "----> 4     1 / 0" in ran.traceback
    assert "resource `db` raised while it was set up" in ran.traceback
    assert "ipy_orch/" not in ran.traceback


def test_a_field_that_a_resource_does_not_have(notebook: Notebook) -> None:
    """A misspelt field of a resource or Config is told with the closest one, at the user's line, without pydantic's."""
    notebook.good("from ipy_orch import ConfigurableResource\nclass Db(ConfigurableResource):\n    path: str")
    ran = notebook.run("db = Db(pth='x')")
    assert "----> 1 db = Db(pth='x')" in ran.traceback
    assert "no field `pth`: did you mean `path`?" in ran.traceback
    assert "pydantic/main.py" not in ran.traceback
    assert frames() == ["<module>"]


def test_a_name_that_is_not_there(notebook: Notebook) -> None:
    """A hint says which asset was meant, that one is gone, has no value, or that a cell above hasn't run."""
    notebook.good("%%asset flights\n1", "flights")
    assert "hint: did you mean `flights`?" in notebook.run("%%asset a\nflightss + 1").traceback
    assert "hint: did you mean `flights`?" in notebook.run("fligths").traceback
    assert "hint: nothing that has run defines it" in notebook.run("%%asset a\nhelper()").traceback
    assert "hint" not in notebook.run("helper()").traceback
    notebook.run("%%asset broken\n1 / 0")
    assert "hint: the asset `broken` has no value; `%why broken`" in notebook.run("broken").traceback
    notebook.good("%%asset leaving\n1", "flights")
    assert "hint: there is no asset `flights` any more" in notebook.run("%%asset b\nflights").traceback


def test_a_variable_that_was_deleted(notebook: Notebook) -> None:
    """Its asset has a value all the same, and the hint is what brings it back."""
    notebook.good("%%asset a\n1")
    assert "`%materialize a` restores it" in notebook.run("del a\na").traceback
    notebook.good("%materialize a")
    assert notebook.good("a").out == 1


def test_a_name_inside_the_cell_of_an_asset(notebook: Notebook) -> None:
    """Such a cell is a function: what it binds and imports is its own, and a hint says so."""
    notebook.good("%%asset clean\nimport math\ntmp = math.pi\ntmp + 1")
    inside = "`tmp` is inside the cell of the asset `clean`: make it an asset of its own, or return it"
    assert inside in notebook.run("%%asset agg\ntmp * 2").traceback
    assert inside in notebook.run("tmp").traceback
    assert "`math` is imported inside the cell of the asset `clean`" in notebook.run("math.pi").traceback


def test_an_asset_is_no_suggestion_for_itself(notebook: Notebook) -> None:
    """Nor is one for a name of ours that wasn't imported."""
    assert "did you mean" not in notebook.run("%%asset onf9\nf9").traceback
    assert "hint: `from ipy_orch import Config`" in notebook.run("class C(Config): n: int = 1").traceback


def test_a_definition_taken_for_its_value(notebook: Notebook) -> None:
    """The variable of a decorated function holds the definition."""
    notebook.good("from ipy_orch import asset\n@asset\ndef table(): return [1]")
    assert 'its value is `session().value("table")`' in notebook.run("table.head()").traceback
    assert "holds the asset's definition" in notebook.run("table[0]").traceback


def test_writing_into_the_variable_of_an_asset(notebook: Notebook) -> None:
    """A plain cell gets the hint that an asset's gets; an array that nobody here has made doesn't."""
    notebook.good("import numpy as np")
    notebook.good("%%asset arr\nnp.array([1, 2])")
    assert "hint: `x = x.copy()` first" in notebook.run("arr[0] = 5").traceback
    notebook.good("own = np.array([1])\nown.flags.writeable = False")
    assert "hint" not in notebook.run("own[0] = 5").traceback


def test_a_column_that_only_the_variable_has(notebook: Notebook) -> None:
    """An edit of the variable in a plain cell is told where an asset misses it, and nowhere else."""
    notebook.good("import pandas as pd")
    notebook.good("%%asset t\npd.DataFrame({'x': [1]})")
    notebook.good("t['y'] = 2")
    told = "hint: a plain cell added `y` to the variable `t`, which is a copy: do that in the cell of the asset `t`"
    assert told in notebook.run("%%asset u\nt['y'].sum()").traceback
    assert told in notebook.run("%%asset u\nt.y.sum()").traceback
    assert "hint" not in notebook.run("%%asset u\nt['z'].sum()").traceback
