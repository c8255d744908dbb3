"""%%op, %job, %jobs and %launch."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from ipy_orch import OpDefinition
from ipy_orch.notebook.completion import complete
from ipy_orch.planning.code.fingerprint import Fingerprinter
from tests.notebook.conftest import Notebook

IMPORTS = "import ipy_orch\nfrom ipy_orch import Config, ConfigurableResource, In, job, op"
CLEAN = "%%op clean(raw, limit: int = 2)\nsmall = [one for one in raw if one]\nsmall[:limit]"
FETCH = "%%op fetch\n[0, 1, 2, 3]"
DAILY = "@job\ndef daily():\n    clean(fetch())"


@pytest.fixture
def nb(notebook: Notebook) -> Notebook:
    """Return a notebook with two ops and a job of them."""
    for name, cell in {"imports": IMPORTS, "fetch": FETCH, "clean": CLEAN, "daily": DAILY}.items():
        notebook.good(cell, name)
    return notebook


@pytest.fixture
def assets(notebook: Notebook) -> Notebook:
    """Return a notebook with three assets in a row."""
    notebook.good("%%asset raw\n[1, 2]", "raw")
    notebook.good("%%asset total\nsum(raw)", "total")
    notebook.good("%%asset double\n2 * total", "double")
    return notebook


# -- ops --------------------------------------------------------------------------------------------------------------


def test_an_op_is_registered(nb: Notebook) -> None:
    """The variable is an op that can be called; nothing has run, and one line says so."""
    ran = nb.good(CLEAN, "clean")
    assert ran.shown == ["clean · op registered, not run · takes raw, limit"]
    assert isinstance(nb.variables["clean"], OpDefinition)
    assert nb.variables["clean"]([3, 0, 4, 5], 2) == [3, 4]
    assert not nb.session.history.runs


def test_three_spellings_have_one_version(nb: Notebook) -> None:
    """The cell, the directive and the decorator are one op: same inputs, same types, same code version."""
    body = "small = [one for one in raw if one]  # kept\nsmall[:limit]"
    nb.good(f"#| op: clean(raw, limit: int = 2) -> list\n#| retries: 2\n{body}", "directive")
    directive = nb.variables["clean"]
    nb.good(f"%%op clean(raw, limit: int = 2) -> list --retries 2\n{body}", "magic")
    magic = nb.variables["clean"]
    nb.good(
        "from ipy_orch import RetryPolicy\n@op(retry_policy=RetryPolicy(max_retries=2))\n"
        "def clean(raw, limit: int = 2) -> list:\n    small = [one for one in raw if one]\n    return small[:limit]",
        "decorator",
    )
    spelt = [directive, magic, nb.variables["clean"]]
    versions = [Fingerprinter().parts(one.signature.function, skip={*one.signature.inputs}) for one in spelt]
    assert [(part.name, part.digest) for part in versions[0]] == [(part.name, part.digest) for part in versions[1]]
    assert [(part.name, part.digest) for part in versions[0]] == [(part.name, part.digest) for part in versions[2]]
    assert [[*one.ins] for one in spelt] == [["raw", "limit"]] * 3
    assert {one.retry_policy.max_retries for one in spelt} == {2}
    assert len({one.outs["result"].dagster_type.display_name for one in spelt}) == 1


def test_context_config_resources_and_outputs(nb: Notebook) -> None:
    """The body's `context` is the op's; config and resources are parameters; `--out` names several outputs."""
    nb.good(
        "class Size(Config):\n    limit: int = 1\nclass Db(ConfigurableResource):\n    path: str\ndb = Db(path='p')"
    )
    nb.good("%%op parts(config: Size, db: Db) --out a,b\ncontext.log.info('x')\nconfig.limit, db.path", "parts")
    nb.good("%%op join(a, b)\nf'{a} {b}'", "join")
    nb.good("@job\ndef both():\n    a, b = parts()\n    join(a, b)", "both")
    report = nb.session.launch("both", config={"ops": {"parts": {"config": {"limit": 7}}}})
    assert report.output_for_node("join") == "7 p"
    assert report.output_for_node("parts", "b") == "p"


def test_an_op_without_a_value_that_waits(nb: Notebook) -> None:
    """A body without a value gives None; `--deps` is an input that is only waited for."""
    nb.good("%%op send --deps ready\nprint('sent')", "send")
    nb.good("@job\ndef sending():\n    send(ready=fetch())", "sending")
    assert nb.good("%launch sending").stdout == "sent\n"


@pytest.mark.parametrize(
    ("cell", "told"),
    [
        ("%%op\n1", "needs a name"),
        ("%%op clean raw, limit\n1", "%%op clean(raw, limit)"),
        ("%%op clean(raw, limit=)\n1", "isn't a list of parameters"),
        ("%%op clean(raw) --retry 2\n1", "--retries"),
        ("%%op a/b\n1", "call it `a_b`"),
        ("%%op total\n1", "`total` is an asset, and an op can't have its name (call it `total_op`)"),
        ("%%op late(x: int = 1) -> int\nx + total", "%%op late(x: int = 1, total) -> int"),
        ("%%op save(x)\ndb.path", "%%op save(x, db: Db)"),
        ("%%op save(x)\nconfig.limit", "%%op save(x, config: MyConfig)"),
        ("%%op save(x)\nyield x", "`yield` can't be in an op's cell"),
        ("%%op save(x)\n!ls", "can't be in an op"),
        ("%%op save(x)\nn = n + x\nn", "%%op save(x, n)"),
        ("%%op save(x) --deps x\nx", "leave out `--deps x`"),
        ("#| op: save(x) --retries 2\nx", "retries: 2"),
    ],
)
def test_what_an_op_cannot_be(notebook: Notebook, cell: str, told: str) -> None:
    """A mistake in an op's cell is told in one message with what to type, and nothing is registered."""
    notebook.good(
        "from ipy_orch import ConfigurableResource\nclass Db(ConfigurableResource):\n    path: str\ndb = Db(path='p')"
    )
    notebook.good("%%asset total\n1")
    ran = notebook.run(cell)
    assert told in (ran.traceback + ran.stderr)
    assert not any(isinstance(one, OpDefinition) for one in notebook.variables.values())


def test_a_name_that_nothing_defines(nb: Notebook) -> None:
    """An input that the first line forgot is told, with that line."""
    shown = nb.good("%%op total(x)\nx + rest", "t").shown[0]
    assert "note: nothing defines `rest` yet" in shown
    assert "%%op total(x, rest)" in shown


def test_an_error_in_an_op_shows_its_line(nb: Notebook) -> None:
    """A traceback has the cell's own line and none of our frames; the report names the op."""
    nb.good("%%op clean(raw, limit: int = 2)\n# why\nraw[0] / 0", "clean")
    nb.good(DAILY, "daily")
    ran = nb.run("%launch daily")
    assert isinstance(ran.error, ZeroDivisionError)
    assert "raw[0] / 0" in ran.traceback
    assert "ipy_orch/" not in ran.traceback
    assert "clean · failed: ZeroDivisionError" in ran.shown[-1]


# -- the promise ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cell", [CLEAN.replace("2)", "3)"), CLEAN.replace("%%op ", "#| op: ").replace("2)", "3)")])
def test_a_job_of_an_old_op_is_behind(nb: Notebook, cell: str) -> None:
    """An op's cell is edited and the job's isn't run again: the launch names the job's cell."""
    assert "behind" not in nb.good("%launch daily").shown[-1]
    nb.good(cell, "clean")
    assert "is behind: it defines `daily` from `clean`" in nb.good("%launch daily").shown[-1]
    nb.good(DAILY, "daily")
    assert "behind" not in nb.good("%launch daily").shown[-1]
    assert nb.session.launch("daily").output_for_node("clean") == [1, 2, 3]


def test_an_op_cell_run_again_unchanged(nb: Notebook) -> None:
    """Run All twice leaves nothing behind."""
    for _ in range(2):
        for name, cell in {"imports": IMPORTS, "fetch": FETCH, "clean": CLEAN, "daily": DAILY}.items():
            nb.good(cell, name)
    assert nb.session.all_behind() == []


def test_a_graph_asset_of_an_old_op_is_behind(nb: Notebook) -> None:
    """An asset made of ops names its cell, too, and follows when that is run again."""
    nb.good("from ipy_orch import graph_asset", "more")
    made = "@graph_asset\ndef cleaned():\n    return clean(fetch())"
    nb.good(made, "cleaned")
    nb.good(CLEAN.replace("2)", "3)"), "clean")
    assert "is behind" in nb.good("%materialize cleaned").shown[-1]
    nb.good(made, "cleaned")
    assert nb.session.value("cleaned") == [1, 2, 3]


# -- jobs of assets ---------------------------------------------------------------------------------------------------


def test_a_job_of_assets(assets: Notebook) -> None:
    """It runs all it selects although that is fresh; the values are the session's, and what is below is stale."""
    assert assets.good("%job sums raw total --description 'both'").shown == [
        "sums · job of 2 assets: raw, total · next: %launch sums"
    ]
    before = len(assets.session.log)
    shown = assets.good("%launch sums").shown[-1].splitlines()
    assert [line.partition(" · ")[0] for line in shown] == ["raw", "total"]
    assert len([one for one in [*assets.session.log][before:] if one.kind == "materialized"]) == 2
    assert assets.session.assets()["status"].to_dict() == {"raw": "fresh", "total": "fresh", "double": "stale"}
    row = assets.good("%jobs").out.loc["sums"]
    assert (row["kind"], row["count"], row["runs"], row["status"]) == ("assets", 2, "raw, total", "success")
    assert assets.session.runs()["what"].iloc[0] == "job sums"


def test_a_job_in_the_export(assets: Notebook, tmp_path: Path) -> None:
    """`%job` and `%%op` stand in the module as Python, and the module runs."""
    assets.good("""%job sums raw total --config "ops: {}" --tags team=a""")
    assets.good("%%op show(x: int) --retries 1\n# tell\nprint(x)", "show")
    assets.good("%%op one() -> int\n1", "one")
    assets.good("from ipy_orch import job\n@job\ndef telling():\n    show(one())", "telling")
    path = tmp_path / "made.py"
    assets.good(f"%export {path}")
    text = path.read_text()
    assert "sums = define_asset_job(" in text
    assert 'selection="raw or total"' in text
    assert "@op(retry_policy=RetryPolicy(max_retries=1))\ndef show(x: int):\n    # tell\n    return print(x)" in text
    space: dict[str, object] = {"__name__": "made"}
    sys.modules["made"] = type(sys)("made")
    exec(compile(text, str(path), "exec"), space)
    defs = space["defs"]
    assert defs.resolve_job_def("sums").execute_in_process().output_for_node("total") == 3  # type: ignore[attr-defined]
    assert defs.resolve_job_def("telling").execute_in_process().success  # type: ignore[attr-defined]


def test_what_a_job_reads_and_does_not_run(assets: Notebook) -> None:
    """What it reads must be there; what is stale of it is told."""
    assets.good("%job last double")
    assets.good("%%asset total\nsum(raw) + 1 - 1 + 0", "total")
    assets.good("%%asset raw --no-run\n[5]", "raw")
    assert "`total`, which the job reads and doesn't run, is stale" in assets.good("%launch last").shown[-1]
    assets.good("%forget total")
    ran = assets.run("%launch last")
    assert "reads `total`, which it doesn't run and which has no value yet" in ran.stderr
    assert "%materialize total" in ran.stderr


def test_config_of_a_job(notebook: Notebook) -> None:
    """A job's own config, and that of a launch over it; what is needed stands in the table."""
    notebook.good("from ipy_orch import Config\nclass Size(Config):\n    limit: int")
    notebook.good("%%asset some --config Size --no-run\nconfig.limit")
    notebook.good("%job a some\n%job b some --config 'ops: {some: {config: {limit: 4}}}'")
    assert notebook.session.jobs()["config needed"].to_dict() == {"a": "ops.some.config.limit", "b": ""}
    assert "limit" in notebook.run("%launch a").stderr
    notebook.good("%launch b")
    assert notebook.variables["some"] == 4
    notebook.good("%%launch b\nops:\n  some:\n    config:\n      limit: 5")
    assert notebook.variables["some"] == 5
    assert "line" in notebook.run("%%launch b\nops:\n  some:\n    config:\n      limt: 5").stderr


# -- launching --------------------------------------------------------------------------------------------------------


def test_a_launch_of_ops(nb: Notebook) -> None:
    """Lines per op, values in the report, some ops alone, history."""
    lines = nb.good("%launch daily").status.splitlines()
    assert lines == ["fetch · T", "clean · T"]
    assert nb.session.launch("daily", config={"ops": {"clean": {"inputs": {"limit": 1}}}}).output_for_node("clean") == [
        1
    ]
    assert nb.good("%launch daily --op-selection fetch").status == "fetch · T"
    assert nb.session.runs()["what"].tolist() == ["job daily"] * 3


def test_from_failure(nb: Notebook) -> None:
    """What succeeded is loaded, what failed runs, and so does an edited op; a success can't be gone on from."""
    nb.good("%%op clean(raw, limit: int = 2)\nassert limit == 3, 'no'\nraw[:limit]", "clean")
    nb.good(DAILY, "daily")
    assert "hasn't run here yet" in nb.run("%launch daily --from-failure").stderr
    assert isinstance(nb.run("%launch daily").error, AssertionError)
    assert isinstance(nb.run("%launch daily --from-failure").error, AssertionError)
    shown = nb.good('%launch daily --from-failure --config "ops: {clean: {inputs: {limit: 3}}}"').status
    assert shown.splitlines() == ["fetch · from the last run", "clean · T"]
    assert "succeeded: there is nothing to go on from" in nb.run("%launch daily --from-failure").stderr
    assert isinstance(nb.run("%launch daily").error, AssertionError)
    nb.good("%%op fetch\n[9, 9, 9, 9]", "fetch")
    nb.good(CLEAN, "clean")
    nb.good(DAILY, "daily")
    assert "from the last run" not in nb.good("%launch daily --from-failure").status
    assert nb.session.launch("daily").output_for_node("clean") == [9, 9]


def test_from_failure_of_a_dynamic_job(nb: Notebook) -> None:
    """Of the calls for each key only that which failed runs again."""
    nb.good("from ipy_orch import DynamicOut, DynamicOutput\nimport pathlib")
    nb.good("%%op keys() -> list[DynamicOutput[int]]\n[DynamicOutput(one, f'k{one}') for one in (1, 2, 3)]", "keys")
    nb.good("calls = []", "calls")
    nb.good(
        "%%op work(x: int)\ncalls.append(x)\nif x == 2 and len(calls) < 4:\n    raise ValueError(x)\n10 * x",
        "work",
    )
    nb.good("%%op add(xs)\nsum(xs)", "add")
    nb.good("@job\ndef fan():\n    add(keys().map(work).collect())", "fan")
    assert isinstance(nb.run("%launch fan").error, ValueError)
    report = nb.session.launch("fan", from_failure=True)
    assert report.output_for_node("add") == 60


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("%launch dayly", "there is no job `dayly` (did you mean `daily`?)"),
        ("%launch daily --op-selection fech", "fetch"),
        ('%launch daily --config "ops: {cleen: {}}"', "clean"),
        ("%launch daily --env prodd", "prodd"),
        ("%job fetch", "`fetch` is a variable of yours"),
        ("%job", "needs a name"),
        ("%job x ordrs", "there is no asset `ordrs`"),
    ],
)
def test_mistakes(nb: Notebook, line: str, told: str) -> None:
    """What was typed wrongly is one line with the closest name; nothing has run."""
    ran = nb.run(line)
    assert told in ran.stderr, ran.stderr + ran.traceback
    assert not nb.session.history.runs


def test_a_missing_resource(nb: Notebook) -> None:
    """A job whose op takes a resource that no variable holds."""
    nb.good("class Db(ConfigurableResource):\n    path: str")
    nb.good("%%op save(db: Db)\ndb.path", "save")
    nb.good("@job\ndef saving():\n    save()", "saving")
    told = "`save` needs the resource `db`, which isn't there (run a cell with `db = ...`: the resource"
    assert told in nb.run("%launch saving").stderr
    nb.good("db = Db(path='p')")
    assert nb.session.launch("saving").output_for_node("save") == "p"
    nb.session.environment("prod", {"db": nb.variables["Db"](path="q")})
    nb.good("%launch saving --env prod")
    assert nb.session.launch("saving", env="prod").output_for_node("save") == "q"


def test_hooks_tags_and_retries(nb: Notebook) -> None:
    """Hooks are called, run tags are the run's, and the job's retry policy is that of its ops."""
    nb.good(
        "from ipy_orch import RetryPolicy, success_hook\nseen, tries = [], []\n"
        "@success_hook\ndef note(context):\n    seen.append(context.op.name)"
    )
    nb.good("%%op flaky()\ntries.append(1)\nif len(tries) < 3:\n    raise ValueError\nlen(tries)", "flaky")
    nb.good(
        "@job(hooks={note}, tags={'team': 'a'}, op_retry_policy=RetryPolicy(3))\ndef careful():\n    flaky()",
        "careful",
    )
    nb.good("%launch careful")
    assert nb.variables["seen"] == ["flaky"]
    assert next(reversed(nb.session.history.runs.values())).tags["team"] == "a"


def test_completion(assets: Notebook) -> None:
    """Names of jobs, assets and options are completed on the lines of the new magics."""
    assets.good("%job sums raw total")
    session = assets.session

    def ends(line: str) -> list[str]:
        return complete(session, line, 0, line) or []

    assert ends("%launch su") == ["sums"]
    assert "--from-failure" in ends("%launch sums --f")
    assert "total" in ends("%job more to")
    assert "--config" in ends("%job more --c")
    assert "--retries" in ends("%%op clean(raw) --ret")
    assert ends("#| o") == ["op:"]
    assert "retries:" in (complete(session, "#| op: x\n#| re", 1, "#| re") or [])
