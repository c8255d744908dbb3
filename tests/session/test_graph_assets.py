"""Graph-backed assets in cells: what makes them stale, what is named as behind, failures, and values between ops."""

from __future__ import annotations

import pytest

from ipy_orch.model.keys import AssetKey
from tests.session.notebook import Notebook

HELPER = "def scaled(x):\n    return [2 * v for v in x]"
OPS = """
@op
def numbers():
    return [1, 2]

@op
def double(x):
    return scaled(x)

@op
def minus(a, b):
    return [v - w for v, w in zip(a, b)]
"""
GRAPH = "@graph_asset\ndef result():\n    found = numbers()\n    return minus(double(found), found)"


@pytest.fixture
def nb() -> Notebook:
    """Return a notebook with a graph asset and an asset cell that reads it, both up to date."""
    notebook = Notebook()
    notebook.cell(
        "imports", "from ipy_orch import Config, ConfigurableResource, graph, graph_asset, op, config_mapping"
    )
    notebook.cell("helper", HELPER)
    notebook.cell("ops", OPS)
    notebook.cell("graph", GRAPH)
    notebook.cell("reader", "%%asset total\nsum(result)")
    return notebook


def reason(nb: Notebook, name: str = "result") -> str:
    """Return how an asset stands, and why."""
    return str(nb.session.statuses(nb.session.scan())[AssetKey(name)])


def test_nothing_runs_when_nothing_changed(nb: Notebook) -> None:
    """The value of a graph asset is served from the session, none of its ops runs again."""
    assert nb.computed() == ["result.numbers", "result.double", "result.minus", "total"]
    nb.cell("helper", HELPER)
    nb.cell("ops", OPS)
    nb.cell("graph", GRAPH)
    runs = len(nb.session.history.runs)
    assert nb.value("total") == 3
    assert len(nb.session.history.runs) == runs


def test_an_edit_of_an_inner_op(nb: Notebook) -> None:
    """The graph was wired with the old op: its cell is named as behind, and run again it is stale by that op."""
    nb.cell("ops", OPS.replace("v - w", "v + w"))
    told = "Cell In[4] is behind: it defines `result` from `numbers`, which Cell In[6] defined anew"
    assert told in nb.session.materialize("result").notices
    assert told in str(nb.session.why("result"))
    nb.cell("graph", GRAPH)
    assert reason(nb) == "stale (code changed: minus)"
    assert nb.value("total") == 9
    assert not nb.session.materialize("result").notices


def test_an_edit_of_a_helper_that_an_inner_op_reads(nb: Notebook) -> None:
    """Ops call helpers when they run: the edit counts at once, and nobody is behind."""
    nb.cell("helper", HELPER.replace("2", "3"))
    assert reason(nb) == "stale (code changed: double: scaled)"
    assert nb.value("total") == 6
    assert not nb.session.materialize("result").notices


def test_an_edit_of_the_wiring(nb: Notebook) -> None:
    """Other arguments for the same ops are a change of code, and `%why` shows them."""
    nb.cell("graph", GRAPH.replace("double(found), found", "found, double(found)"))
    assert reason(nb) == "stale (code changed: the wiring)"
    assert "-minus(a=double.result, b=numbers.result)" in str(nb.session.why("result"))
    assert nb.value("total") == -3


def test_a_nested_graph(nb: Notebook) -> None:
    """An op of a graph in the graph is named by its path."""
    nb.cell("inner", "@graph\ndef twice(x):\n    return double(double(x))")
    nb.cell("graph", "@graph_asset\ndef result():\n    return twice(numbers())")
    assert nb.value("result") == [4, 8]
    nb.cell("helper", HELPER.replace("2", "3"))
    assert reason(nb) == "stale (code changed: twice.double: scaled, twice.double_2: scaled)"
    nb.cell("inner", "@graph\ndef twice(x):\n    return double(x)")
    assert "`result` from `twice`" in nb.session.materialize("result").notices[0]


def test_a_graph_made_an_asset_by_call(nb: Notebook) -> None:
    """An asset that another cell made of a graph stays when the graph's cell is edited, and is named as behind."""
    nb.cell("imports 2", "from ipy_orch import AssetsDefinition")
    nb.cell("inner", "@graph\ndef plain():\n    return double(numbers())")
    nb.cell("made", "plain_asset = AssetsDefinition.from_graph(plain)")
    assert nb.value("plain") == [2, 4]
    nb.cell("inner", "@graph\ndef plain():\n    return numbers()")
    assert "`plain_asset` from `plain`" in nb.session.materialize("plain").notices[0]
    nb.cell("made", "plain_asset = AssetsDefinition.from_graph(plain)")
    assert nb.value("plain") == [1, 2]


def test_a_deleted_cell_leaves_no_ghost(nb: Notebook) -> None:
    """A graph asset goes with its cell."""
    nb.delete("graph")
    assert AssetKey("result") not in nb.session.scan().graph.makers


def test_config(nb: Notebook) -> None:
    """A config mapping's own config is what is given; what it makes of it decides, also when a default is edited."""
    cell = (
        "class Outer(Config):\n    times: int = 2\n\n"
        "class Inner(Config):\n    n: int\n\n"
        "@op\ndef times(config: Inner):\n    return config.n\n\n"
        "@config_mapping\ndef inner(outer: Outer):\n    return {'times': {'config': {'n': outer.times}}}\n\n"
        "@graph_asset(config=inner)\ndef configured():\n    return times()"
    )
    nb.cell("config", cell)
    assert nb.value("configured") == 2
    nb.cell("config", cell.replace("times: int = 2", "times: int = 5"))
    assert reason(nb, "configured") == "stale (config changed: times.n)"
    assert nb.value("configured") == 5
    assert "ops.configured.config.times" in str(nb.session.config_schema("configured"))
    nb.session.materialize("configured", config={"ops": {"configured": {"config": {"times": 7}}}})
    assert nb.value("configured") == 7


def test_the_config_of_inner_ops(nb: Notebook) -> None:
    """What can be configured is shown where run config says it, and counts."""
    nb.cell(
        "config",
        "class Size(Config):\n    n: int = 2\n\n"
        "@op\ndef sized(config: Size):\n    return [0] * config.n\n\n"
        "@graph\ndef inner():\n    return double(sized())\n\n"
        "@graph_asset\ndef long():\n    return minus(inner(), sized())",
    )
    schema = nb.session.config_schema("long")
    assert [line.path for line in schema.fields] == [
        "ops.long.ops.inner.ops.sized.config.n",
        "ops.long.ops.sized.config.n",
    ]
    assert nb.value("long") == [0, 0]
    nb.session.materialize("long", config=schema.yaml.replace("2", "3"))
    assert nb.value("long") == [0, 0, 0]
    assert nb.computed()[-1] == "long.minus"


def test_a_failing_inner_op(nb: Notebook) -> None:
    """One op fails: the asset failed, what reads it is skipped, and the next request tries again."""
    nb.cell("helper", "def scaled(x):\n    raise ValueError('no')")
    report = nb.session.materialize()
    assert [*map(str, report.errors.values())] == ["no"]
    assert reason(nb).startswith("failed")
    assert not nb.session.materialize("result").success
    nb.cell("helper", HELPER.replace("2", "4"))
    assert nb.value("total") == 9


def test_one_reader_s_edit_never_reaches_another(nb: Notebook) -> None:
    """An op that edits what it was given in place edits its own copy."""
    nb.cell(
        "edits",
        "@op\ndef spoil(x):\n    x.append(99)\n    return x\n\n"
        "@op\ndef both(a, b, c):\n    return [a, b, c]\n\n"
        "@graph_asset\ndef shared():\n    found = numbers()\n    return both(spoil(found), found, spoil(found))",
    )
    assert nb.value("shared") == [[1, 2, 99], [1, 2], [1, 2, 99]]


def test_a_secret_between_ops(nb: Notebook, monkeypatch: pytest.MonkeyPatch) -> None:
    """The values of secrets that inner ops fail with are in no event."""
    monkeypatch.setenv("GRAPH_SECRET", "tip-top-secret")
    nb.cell(
        "secret",
        "from ipy_orch import EnvVar\n"
        "class Vault(ConfigurableResource):\n    key: str\n\nvault = Vault(key=EnvVar('GRAPH_SECRET'))\n\n"
        "@op\ndef opened(vault: Vault):\n    return vault.key\n\n"
        "@op\ndef used(key):\n    raise ValueError(f'refused: {key}')\n\n"
        "@graph_asset\ndef locked():\n    return used(opened())",
    )
    report = nb.session.materialize("locked")
    assert not report.success
    assert "tip-top-secret" not in "".join(map(repr, nb.session.log))
    assert "tip-top-secret" not in str(report) + str(nb.session.why("locked"))


def test_what_an_io_manager_between_ops_is(nb: Notebook) -> None:
    """An IO manager that only carries values from op to op decides about the asset as well."""
    cell = (
        "from ipy_orch import IOManager, Out\n"
        "class Lossy(IOManager):\n"
        "    def handle_output(self, context, obj):\n        self.kept = obj + [{n}]\n"
        "    def load_input(self, context):\n        return self.kept\n\n"
        "lossy = Lossy()\n\n"
        "@op(out=Out(io_manager_key='lossy'))\ndef thrown():\n    return [1]\n\n"
        "@graph_asset\ndef caught():\n    return double(thrown())"
    )
    nb.cell("io", cell.format(n=0))
    assert nb.value("caught") == [2, 0]
    nb.cell("io", cell.format(n=5))
    assert reason(nb, "caught") == "stale (resource changed: lossy)"
    assert nb.value("caught") == [2, 10]
