"""Ops, graphs, jobs, resources of all kinds, hooks and types: what ipy_orch and dagster make of their modules."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ipy_orch.errors import DagsterInvalidDefinitionError
from ipy_orch.export.module import export_module
from tests.export.notebooks import Notebook, run_clean

# -- ops, a nested graph, dynamic outputs, jobs ------------------------------------------------------------------------

FILES = (
    """%load_ext ipy_orch
import csv, io
import pandas as pd
import ipy_orch as dg
from ipy_orch import (
    Config, ConfigurableResource, DynamicOut, DynamicOutput, In, Nothing, OpExecutionContext, Out, Output,
    RetryPolicy, RunConfig, graph, job, op,
)""",
    "SCRATCH = pd.DataFrame()\nSCRATCH.head()",
    """# The files of a day.
FILES = {"north": "a,1\\nb,2", "south": "c,3"}


def rows_of(text):
    return [(name, int(n)) for name, n in csv.reader(io.StringIO(text))]""",
    """class Limit(Config):
    most: int = 10


class Store(ConfigurableResource):
    factor: int = 1

    def price(self, n):
        return self.factor * n


store = Store(factor=5)
spare = Store()""",
    """@op(out=DynamicOut())
def files(context: OpExecutionContext, config: Limit):
    for name in sorted(FILES)[: config.most]:
        context.log.info(name)
        yield DynamicOutput(FILES[name], mapping_key=name)


@op(retry_policy=RetryPolicy(max_retries=1))
def parsed(text: str) -> list:
    return rows_of(text)


@op
def unused():
    return SCRATCH""",
    """@dg.op
def together(parts: list) -> list:
    return [row for part in parts for row in part]


@op(out={"names": Out(), "total": Out(is_required=False)})
def summed(store: Store, rows: list):
    yield Output([name for name, _ in rows], "names")
    yield Output(sum(store.price(n) for _, n in rows), "total")


@op(ins={"start": In(Nothing)}, tags={"kind": "end"})
def done() -> str:
    return "done\"""",
    """# The body of a graph runs where it stands.
@graph
def read_all():
    return together(files().map(lambda text: parsed(text)).collect())


@graph
def unused_graph():
    return unused()


@job(config={"ops": {"read_all": {"ops": {"files": {"config": {"most": 2}}}}}})
def daily():
    names, total = summed(read_all())
    done.alias("finished")(start=total)""",
    """one_file = daily.graph.to_job(
    name="one_file", config={"ops": {"read_all": {"ops": {"files": {"config": {"most": 1}}}}}}
)
first = one_file.execute_in_process(resources={"store": store}).output_for_node("summed", "total")""",
)

RUN_FILES = """
found = {}
for name in ("daily", "one_file"):
    done = defs.resolve_job_def(name).execute_in_process()
    outputs = {"rows": done.output_for_node("read_all"), "end": done.output_for_node("finished")}
    found[name] = outputs | {n: done.output_for_node("summed", n) for n in ("names", "total")}
"""

FILES_FOUND = {
    "daily": {"rows": [["a", 1], ["b", 2], ["c", 3]], "names": ["a", "b", "c"], "total": 30, "end": "done"},
    "one_file": {"rows": [["a", 1], ["b", 2]], "names": ["a", "b"], "total": 15, "end": "done"},
}

# -- graphs that are assets --------------------------------------------------------------------------------------------

GRAPHS = (
    """from ipy_orch import (
    AssetIn, AssetKey, AssetOut, AssetSelection, AssetsDefinition, Config, config_mapping, configured, define_asset_job,
    graph, graph_asset, graph_multi_asset, op,
)""",
    "%%asset prices --group shop\n{'tea': 3, 'cake': 5}",
    """class Factor(Config):
    factor: int


@op
def scaled(table: dict, config: Factor):
    return {name: rounded(n * config.factor) for name, n in table.items()}


@op
def joined(one: dict, other: dict):
    return {**one, **{f"{name}_2": n for name, n in other.items()}}


def rounded(n):
    return round(n, ndigits=DIGITS)""",
    "DIGITS = 1",
    """class Markup(Config):
    percent: int = 100


@config_mapping
def as_factors(markup: Markup):
    factor = 1 + markup.percent // 100
    return {"scaled": {"config": {"factor": factor}}, "again": {"config": {"factor": 10 * factor}}}


@graph_asset(ins={"table": AssetIn("prices")}, config=as_factors, group_name="shop", description="What is asked.")
def asked(table):
    return joined(scaled(table), scaled.alias("again")(table))""",
    "@op\ndef highest(table: dict):\n    return max(table.values())",
    """tenfold = configured(scaled, name="tenfold")({"factor": 10})


@op
def low(table: dict):
    return min(table.values())


@graph
def lowest(table):
    return low(tenfold(table))


@graph_multi_asset(outs={"least": AssetOut(), "most": AssetOut()})
def ends(asked):
    return {"least": lowest(asked), "most": highest(asked)}""",
    "made_of_graph = AssetsDefinition.from_graph(lowest, keys_by_input_name={'table': AssetKey('prices')})",
    "%%asset_check least positive\nleast > 0",
    "%%asset both\nleast + most + lowest",
    """everything = define_asset_job("everything", AssetSelection.all(), description="All of it.")
shop = define_asset_job("shop", "group:shop", config={"ops": {"asked": {"config": {"percent": 300}}}})""",
)


RUN_GRAPHS = """
def values(done, *keys):
    return {key: done.asset_value(key) for key in keys}

everything = defs.resolve_job_def("everything").execute_in_process()
checks = [one.passed for one in everything.get_asset_check_evaluations()]
shop = defs.resolve_job_def("shop").execute_in_process()
found = {
    "everything": values(everything, "asked", "least", "most", "lowest", "both"), "checks": checks,
    "shop": values(shop, "prices", "asked"),
}
"""

GRAPHS_FOUND = {
    "everything": {
        "asked": {"tea": 6, "cake": 10, "tea_2": 60, "cake_2": 100},
        "least": 60,
        "most": 100,
        "lowest": 30,
        "both": 190,
    },
    "checks": [True],
    "shop": {"prices": {"tea": 3, "cake": 5}, "asked": {"tea": 12, "cake": 20, "tea_2": 120, "cake_2": 200}},
}

# -- resources of all kinds, hooks, loggers, an asset job --------------------------------------------------------------

RESOURCES = (
    """import logging
from ipy_orch import (
    ConfigurableIOManager, ConfigurableResource, EnvVar, Field, HookContext, IOManager, InitResourceContext, Out,
    ResourceDefinition, ResourceDependency, ResourceParam, asset, define_asset_job, failure_hook, io_manager, job,
    logger, op, resource, success_hook,
)""",
    """TOLD = []


class Account(ConfigurableResource):
    user: str
    password: str


class Api(ConfigurableResource):
    account: Account
    base: ResourceDependency[str]

    def get(self, path):
        return f"{self.account.user}@{self.base}/{path}"


class Told:
    def __init__(self, prefix):
        self.prefix = prefix

    def say(self, text):
        TOLD.append(f"{self.prefix} {text}")""",
    """api = Api(account=Account(user="ann", password=EnvVar("SHOP_SECRET")), base="shop")
unused_api = Api(account=Account(user="bob", password="x"), base="none")
told = Told("told:")""",
    """@resource(config_schema={"start": Field(int, default_value=3)}, required_resource_keys={"step"})
def counter(context: InitResourceContext):
    yield range(context.resource_config["start"], 100, context.resources.step)


step = ResourceDefinition.hardcoded_resource(4)
ten_on = counter.configured({"start": 10})""",
    """class Scaled(ConfigurableIOManager):
    by: int

    def handle_output(self, context, obj):
        KEPT["/".join(context.asset_key.path)] = obj * self.by

    def load_input(self, context):
        return KEPT["/".join(context.asset_key.path)]


class Marking(IOManager):
    def handle_output(self, context, obj):
        KEPT[context.step_key] = f"<{obj}>"

    def load_input(self, context):
        return KEPT[context.upstream_output.step_key]


KEPT = {}
twice = Scaled(by=2)


@io_manager
def marking(_):
    return Marking()""",
    """@success_hook(required_resource_keys={"told"})
def tell(context: HookContext):
    context.resources.told.say(f"{context.op.name} is done")


@failure_hook(required_resource_keys={"told"})
def warn(context: HookContext):
    context.resources.told.say(f"{context.op.name}: {context.op_exception}")""",
    """@logger
def plain(_):
    return logging.getLogger("plain")""",
    "#| asset: page\n#| io_manager: twice\napi.get('a') + ' '",
    """@asset
def counted(page: str, ten_on: ResourceParam[range], told: ResourceParam[Told]) -> int:
    told.say(page)
    return ten_on[1]""",
    """@op(required_resource_keys={"counter"}, out=Out(io_manager_key="marking"))
def second(context) -> str:
    return str(context.resources.counter[1])


@op
def fails(text: str) -> str:
    raise ValueError(text)


@job(hooks={tell, warn})
def failing():
    fails(second())""",
    "pages = define_asset_job('pages', ['page', 'counted'], hooks={tell})",
)

RUN_RESOURCES = """
import definitions
pages = defs.resolve_job_def("pages").execute_in_process()
told = definitions.TOLD[:]
definitions.TOLD.clear()
failing = defs.resolve_job_def("failing").execute_in_process(raise_on_error=False)
found = {
    "counted": pages.asset_value("counted"), "page": definitions.KEPT["page"], "pages": sorted(told),
    "failing": definitions.TOLD, "success": failing.success, "kept": definitions.KEPT["second"],
    "loggers": sorted(defs.loggers), "resources": sorted(defs.resources),
}
"""

RESOURCES_FOUND = {
    "counted": 14,
    "page": "ann@shop/a ann@shop/a ",
    "pages": ["told: ann@shop/a ann@shop/a ", "told: counted is done", "told: page is done"],
    "failing": ["told: second is done", "told: fails: <7>"],
    "success": False,
    "kept": "<7>",
    "loggers": ["plain"],
    "resources": ["api", "counter", "marking", "step", "ten_on", "told", "twice"],
}

# -- types -------------------------------------------------------------------------------------------------------------

TYPES = (
    """from ipy_orch import (
    DagsterType, In, Out, PythonObjectDagsterType, TypeCheck, asset, dagster_type_loader, job,
    make_python_type_usable_as_dagster_type, op, usable_as_dagster_type,
)""",
    """def is_even(_, value):
    good = isinstance(value, int) and value % STEP == 0
    return TypeCheck(success=good, description="" if good else "odd", metadata={"value": value})


STEP = 2""",
    """@dagster_type_loader(config_schema={"half": int})
def from_half(_, config):
    return 2 * config["half"]


Even = DagsterType(name="Even", type_check_fn=is_even, loader=from_half)
Odd = DagsterType(name="Odd", type_check_fn=lambda _, value: value % 2 == 1)""",
    """@usable_as_dagster_type(name="Money", description="A sum.")
class Money:
    def __init__(self, sum):
        self.sum = sum


class Row(dict):
    pass


make_python_type_usable_as_dagster_type(Row, PythonObjectDagsterType(Row, name="RowType"))""",
    """@op(ins={"n": In(Even)}, out=Out(Even))
def doubled(n):
    return 2 * n


@op
def paid(n: int) -> Money:
    return Money(n)


@op
def row(money: Money) -> Row:
    return Row(sum=money.sum)


@op(out=Out(Even))
def wrong(row: Row):
    return 7


@job
def typed():
    wrong(row(paid(doubled())))""",
    """@asset(dagster_type=Even)
def eight():
    return 8""",
)

RUN_TYPES = """
done = defs.resolve_job_def("typed").execute_in_process(
    run_config={"ops": {"doubled": {"inputs": {"n": {"half": 5}}}}}, raise_on_error=False
)
failed = [one.step_key for one in done.all_events if one.event_type_value == "STEP_FAILURE"]
kinds = {one.name: one.output_defs[0].dagster_type.display_name for one in defs.resolve_job_def("typed").all_node_defs}
good = [one for one in defs.assets]
found = {
    "doubled": done.output_for_node("doubled"), "row": done.output_for_node("row"), "failed": failed, "kinds": kinds,
    "eight": dg.materialize(good).asset_value("eight"),
}
"""

TYPES_FOUND = {
    "doubled": 20,
    "row": {"sum": 20},
    "failed": ["wrong"],
    "kinds": {"doubled": "Even", "paid": "Money", "row": "RowType", "wrong": "Even"},
    "eight": 8,
}

NOTEBOOKS: dict[str, tuple[list[str], str, Any]] = {
    "ops and jobs": ([*FILES], RUN_FILES, FILES_FOUND),
    "graph assets": ([*GRAPHS], RUN_GRAPHS, GRAPHS_FOUND),
    "resources and hooks": ([*RESOURCES], RUN_RESOURCES, RESOURCES_FOUND),
    "types": ([*TYPES], RUN_TYPES, TYPES_FOUND),
}
HEAD = "import json, os\nimport {target} as dg\nos.environ['SHOP_SECRET'] = 's3cret'\nfrom definitions import defs\n"


@pytest.mark.parametrize("target", ["ipy_orch", "dagster"])
@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_module_gives_the_same_values(name: str, target: str, tmp_path: Path) -> None:
    """What the module of a notebook gives in a clean process is the same under both frameworks."""
    cells, code, expected = NOTEBOOKS[name]
    Notebook(*cells).write(tmp_path / "definitions.py", target)
    ends = "dg.Definitions.validate_loadable(defs)\nprint(json.dumps(found))"
    printed = run_clean(f"{HEAD.format(target=target)}{code}{ends}", tmp_path)
    assert json.loads(printed.splitlines()[-1]) == expected


def test_only_what_is_needed() -> None:
    """What no job and no asset needs stays in the notebook, and each import stands once."""
    text = Notebook(*FILES).export()
    for name in (
        "pandas",
        "SCRATCH",
        "unused",
        "spare",
        "first",
        "success_hook",
        "ConfigurableResource, ConfigurableResource",
    ):
        assert name not in text
    assert 'defs = Definitions(jobs=[daily, one_file], resources={"store": store})' in text
    assert "Odd" not in Notebook(*TYPES).export()
    assert "s3cret" not in Notebook(*RESOURCES).export()


def test_the_order_of_a_graph_and_its_ops() -> None:
    """An op stands above the graphs that wire it, also where its cell ran again after theirs."""
    notebook = Notebook("from ipy_orch import job, op", "@op\ndef one(): ...", "@job\ndef j():\n    one()")
    notebook.run("@op\ndef one():\n    return 2", "cell-2")
    text = notebook.export(order=["cell-1", "cell-3", "cell-2"])
    assert text.index("def one()") < text.index("def j()")
    assert "return 2" in text


DEFINED = {
    "a list": "many = [define_asset_job('a'), define_asset_job('b')]",
    "a Definitions": "mine = Definitions(jobs=[define_asset_job('a'), define_asset_job('b')])",
    "in variables of other names": "x = define_asset_job('a')\ny = define_asset_job('b')",
    "one in two places": "x = define_asset_job('a')\ny = define_asset_job('b')\nmany = [x, y]",
}
LISTED = {
    "a list": "jobs=[*many]",
    "a Definitions": "jobs=[*mine.jobs]",
    "in variables of other names": "jobs=[x, y]",
    "one in two places": "jobs=[x, y]",
}


@pytest.mark.parametrize("name", DEFINED)
def test_jobs_in_variables(name: str, tmp_path: Path) -> None:
    """Jobs are listed by the variables that hold them, each once."""
    cells = [
        "from ipy_orch import Definitions, asset, define_asset_job",
        "@asset\ndef v():\n    return 1",
        DEFINED[name],
    ]
    notebook = Notebook(*cells)
    assert LISTED[name] in notebook.export()
    notebook.write(tmp_path / "definitions.py")
    code = "from definitions import defs\nprint(sorted(one.name for one in defs.resolve_all_job_defs()))"
    assert run_clean(code, tmp_path).splitlines()[-1] == "['__ASSET_JOB', 'a', 'b']"


def test_future_annotations_of_ops(tmp_path: Path) -> None:
    """`from __future__ import annotations` doesn't keep dagster from knowing an op's config and a mapping's."""
    cells = [
        "from __future__ import annotations",
        "from ipy_orch import Config, config_mapping, job, op\nclass C(Config):\n    n: int = 2",
        "@op(config_schema={'n': int})\ndef f(context) -> int:\n    return context.op_config['n']",
        "@config_mapping\ndef m(c: C):\n    return {'ops': {'f': {'config': {'n': c.n + 1}}}}",
        "@job(config=m)\ndef j():\n    f()",
    ]
    Notebook(*cells).write(tmp_path / "definitions.py")
    code = "from definitions import defs\nprint(defs.resolve_job_def('j').execute_in_process().output_for_node('f'))"
    assert run_clean(code, tmp_path).endswith("3\n")


def test_another_environment_in_use() -> None:
    """The module holds the notebook's own resources, whatever environment is in use."""
    notebook = Notebook(*FILES)
    own = notebook.scan()
    swapped = {"store": own.resources["store"]}
    other = {**own.resources, "store": notebook.namespace["Store"](factor=99)}
    there = replace(own, resources=other, swapped=swapped)
    assert export_module(there, notebook.book, notebook.namespace) == notebook.export("ipy_orch")


JOB = "from ipy_orch import ParquetIOManager, success_hook, op, job, pandera_schema_to_dagster_type\n"
REFUSED = {
    "a magic in an op": (
        [
            "from ipy_orch import op, job",
            "\n@op\ndef f():\n    x = 1\n    !ls\n    return x",
            "@job\ndef j():\n    f()",
        ],
        "`!ls` can't be in a module, and `j` needs `f` from it",
        "Cell In[2], line 5",
    ),
    "IPython in a helper of an op": (
        [
            "from ipy_orch import op, job\n@op\ndef f():\n    return h()",
            "def h():\n    return _",
            "@job\ndef j():\n    f()",
        ],
        "`_` is there in IPython only",
        "Cell In[2], line 2",
    ),
    "a variable without a cell": (
        [
            "from ipy_orch import op, job",
            "@op\ndef f():\n    return 1\n\n@job\ndef j():\n    f(nowhere()) if 0 else f()",
        ],
        "no cell defines `nowhere`",
        "Cell In[2], line 7",
    ),
    "a hook's resource": (
        [
            JOB,
            "@success_hook(required_resource_keys={'slack'})\ndef h(c): ...",
            "@op\ndef f(): ...",
            "@job(hooks={h})\ndef j():\n    f()",
        ],
        "`j` needs resource `slack`, and no variable holds it",
        "",
    ),
    "an IO manager of ours": (
        [
            JOB + "from ipy_orch import Out",
            "kept = ParquetIOManager(base_path='x')",
            "@op(out=Out(io_manager_key='kept'))\ndef f(): ...",
            "@job\ndef j():\n    f()",
        ],
        "dagster has no `ParquetIOManager`",
        "Cell In[1]",
    ),
    "two jobs of one name": (
        [
            "from ipy_orch import asset, define_asset_job\n@asset\ndef a(): ...",
            "x = define_asset_job('j')",
            "y = define_asset_job('j')",
        ],
        "two jobs are named `j`: those in `x` and `y`",
        "Cell In[2] and Cell In[3]",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name: str, tmp_path: Path) -> None:
    """What a module can't hold is refused with the cell and a hint, and nothing is written."""
    cells, message, where = REFUSED[name]
    with pytest.raises(DagsterInvalidDefinitionError) as error:
        Notebook(*cells).write(tmp_path / "definitions.py")
    assert message in error.value.message
    assert where in error.value.where
    assert error.value.hint
    assert not list(tmp_path.iterdir())


def test_an_io_manager_of_ours_for_ipy_orch() -> None:
    """What only ipy_orch has is exported for ipy_orch."""
    assert "from ipy_orch import Definitions, Out, ParquetIOManager, job, op" in Notebook(
        *REFUSED["an IO manager of ours"][0]
    ).export("ipy_orch")
