"""Five notebooks of different shapes, there and back: the same values under ipy_orch and dagster, the same bytes."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from ipy_orch.export.importing.importing import import_module
from ipy_orch.export.notebook_file import FileCell, NotebookFile, read_notebook, write_notebook
from ipy_orch.export.proof.proof import Asked
from ipy_orch.export.proof.rehearsal import values_of_notebook
from ipy_orch.export.writing import export_notebook, layout_of, module_of_notebook, write_layout
from tests.export.notebooks import saved


def code(key: str, text: str) -> FileCell:
    """Return a cell of code."""
    return FileCell("code", text, key)


LOAD = code("load", "%load_ext ipy_orch")

HELPERS = (
    LOAD,
    FileCell("markdown", "# Helpers across cells", "title"),
    code(
        "imports",
        """import pandas as pd
RATES = {'eur': 1.0}""",
    ),
    code(
        "rated",
        """def rated(column, currency='usd'):
    return rounded(column * RATES[currency])""",
    ),
    code("rates", "RATES['usd'] = 1.1"),
    code(
        "rounded",
        """def rounded(column):
    return column.round(DIGITS)""",
    ),
    code(
        "digits",
        """DIGITS = 1
SCRATCH = 2""",
    ),
    FileCell("markdown", "## Orders\n\nAll that came in.", "orders-note"),
    code(
        "orders",
        """#| asset: orders
#| group: shop
pd.DataFrame({'n': [1, 2, 3]})""",
    ),
    code("scratch", "orders.head()"),
    code(
        "prices",
        """%%asset prices
orders.assign(usd=rated(orders['n']))""",
    ),
    code(
        "check",
        """%%asset_check prices positive --severity WARN
(prices['usd'] > 1.2).all(), {'rows': len(prices)}""",
    ),
)
CLASSES = (
    LOAD,
    code(
        "imports",
        """import dataclasses
from ipy_orch import asset""",
    ),
    code(
        "point",
        """@dataclasses.dataclass
class Point:
    x: float

    def moved(self, by):
        return Point(self.x + by)""",
    ),
    code(
        "scaler",
        """def scaler(factor):
    def scale(point):
        return point.moved(factor)
    return scale""",
    ),
    code(
        "closures",
        """twice = scaler(2)
half = lambda value: value / 2""",
    ),
    code(
        "factory",
        """def made(name, step):
    @asset(name=name)
    def f(start):
        return [twice(p) for p in start][step:]
    return f""",
    ),
    code(
        "start",
        """%%asset start
[Point(float(n)) for n in range(3)]""",
    ),
    code("steps", "steps = [made(f'from_{n}', n) for n in range(2)]"),
    code(
        "total",
        """%%asset total
half(sum(p.x for p in from_0 + from_1))""",
    ),
)
RESOURCES = (
    LOAD,
    code(
        "imports",
        """import sqlite3
from ipy_orch import Config, ConfigurableResource, asset, asset_check, AssetCheckResult""",
    ),
    code(
        "class",
        '''class Db(ConfigurableResource):
    """A database in memory."""

    rows: int = 2

    def query(self, sql):
        with sqlite3.connect(':memory:') as db:
            db.execute('create table t (n int)')
            db.executemany('insert into t values (?)', [(n,) for n in range(self.rows)])
            return db.execute(sql).fetchall()''',
    ),
    code(
        "db",
        """db = Db(rows=4)
other = Db()""",
    ),
    code(
        "config",
        """class Limit(Config):
    most: int = 3""",
    ),
    code(
        "rows",
        """%%asset rows --config Limit --retries 1 --executor threads
context.log.info('asked')
db.query('select n from t')[: config.most]""",
    ),
    code(
        "fine",
        """def is_fine(rows):
    return len(rows) > 1""",
    ),
    code(
        "check",
        """#| check: rows:fine
#| blocking: true
#| executor: threads
is_fine(rows)""",
    ),
    code(
        "counted",
        """@asset(deps=[], kinds={'sql'})
def counted(rows, db: Db):
    return len(rows), db.rows


@asset_check(asset=counted)
def right(counted) -> bool:
    return counted[0] <= counted[1]""",
    ),
)
MULTI = (
    LOAD,
    code(
        "imports",
        """import pandas as pd
from ipy_orch import AssetOut, AssetSpec, MaterializeResult, multi_asset""",
    ),
    code("source", "source = AssetSpec(['files', 'source'], description='Not ours.')"),
    code(
        "halves",
        """@multi_asset(outs={'low': AssetOut(), 'high': AssetOut(group_name='g')})
def halves():
    frame = pd.DataFrame({'n': range(4)})
    return frame[frame.n < 2], frame[frame.n >= 2].reset_index(drop=True)""",
    ),
    code(
        "figure",
        """%%asset figure --deps files/source
import matplotlib
matplotlib.use('agg')
from matplotlib import pyplot as plt
fig, ax = plt.subplots()
bars = ax.bar(high['n'], low['n'])
plt.close(fig)
[bar.get_height() for bar in bars]""",
    ),
    code(
        "text",
        """%%asset report/text
' '.join(map(str, figure))""",
    ),
)
JOBS = (
    LOAD,
    code("imports", "from ipy_orch import DynamicOut, DynamicOutput, define_asset_job, graph_asset, job, op"),
    code("words", "WORDS = ['a', 'bb']"),
    code(
        "measured",
        """%%op measured(word: str, times: int = 2) -> int
len(word) * times""",
    ),
    code(
        "ops",
        """@op(out=DynamicOut())
def words():
    for word in WORDS:
        yield DynamicOutput(word, mapping_key=word)


@op
def together(found: list) -> int:
    return sum(found)""",
    ),
    code(
        "job",
        """@job
def measure():
    together(words().map(measured).collect())""",
    ),
    code(
        "graph",
        """@op
def first() -> int:
    return 1


@op
def doubled(n: int) -> int:
    return 2 * n


@graph_asset
def made():
    return doubled(first())""",
    ),
    code(
        "more",
        """%%asset more
made + 1""",
    ),
    code("line", "%job nightly more"),
)
SHAPES = {"helpers": HELPERS, "classes": CLASSES, "resources": RESOURCES, "multi": MULTI, "jobs": JOBS}


@pytest.mark.parametrize("name", SHAPES)
def test_there_and_back(name, tmp_path):
    """A notebook is verified under both, comes back under its ids, and gives the same bytes; an edit comes over."""
    path = saved(tmp_path / "n.ipynb", *SHAPES[name])
    notebook = read_notebook(path)
    values = values_of_notebook(notebook, tmp_path)
    assert values.values
    for target, package in (("ipy_orch", None), ("dagster", "shapes" if name == "jobs" else None)):
        module, _ = module_of_notebook(notebook, tmp_path, target=target)
        first = tmp_path / target / str(package) / ("one" if package else "one.py")
        first.parent.mkdir(parents=True)
        asked = Asked((tmp_path,), lambda: values)
        done = write_layout(layout_of(first, module, package, tmp_path), module, force=False, asked=asked)
        assert done.warnings == ()
        back = first.parent / "back.ipynb"
        import_module(first, back)
        again = export_notebook(
            back, first.parent / ("two" if package else "two.py"), target=target, package=package, prove=False
        )
        assert [one.read_bytes() for one in again.paths] == [one.read_bytes() for one in done.paths]
        ids = {cell.key for cell in read_notebook(back).cells}
        assert {
            cell.key for cell in SHAPES[name][2:] if cell.kind == "code" and cell.key not in ("scratch", "title")
        } <= ids


EDITS = {
    "helpers": ("[1, 2, 3]", "[4, 5]"),
    "classes": ("point.moved(factor)", "point.moved(-factor)"),
    "resources": ("rows=4", "rows=3"),
    "multi": ("range(4)", "range(5)"),
    "jobs": ("return 2 * n", "return 3 * n"),
}


@pytest.mark.parametrize("name", SHAPES)
def test_a_mutation_comes_over(name, tmp_path):
    """What is edited in the module is in the notebook after an import, and the other way round after an export."""
    path, module = saved(tmp_path / "n.ipynb", *SHAPES[name]), tmp_path / "m.py"
    export = partial(export_notebook, path, module, target="dagster", prove=False)
    export()
    text = module.read_text()
    old, new = EDITS[name]
    assert text.count(old) == 1
    module.write_text(text.replace(old, new))
    before = read_notebook(path)
    done = import_module(module, path)
    assert len(done.changed) == 1
    assert not done.conflicts + done.warnings
    after = read_notebook(path)
    assert [one.key for one in after.cells] == [one.key for one in before.cells]
    assert sum(one != other for one, other in zip(after.cells, before.cells, strict=True)) == 1
    export()
    assert new in module.read_text()
    write_notebook(
        path, NotebookFile(tuple(one.with_text(one.text.replace(new, old)) for one in after.cells), after.rest)
    )
    export()
    assert module.read_text() == text
    assert Path(module).is_file()
