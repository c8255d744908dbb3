"""What tests of the shell call: the command line, and files to call it on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import nbformat
from click.testing import CliRunner, Result

from ipy_orch.cli import main

SHOP = """
from lib import double
from ipy_orch import AssetCheckResult, asset, asset_check


@asset(group_name="ingest")
def raw():
    return [1, 2, 3]


@asset
def daily(raw):
    return double(raw)


@asset_check(asset=daily)
def some(daily):
    return AssetCheckResult(passed=len(daily) > 2, metadata={"n": len(daily)})
"""
LIB = "def double(values):\n    return [2 * value for value in values]\n"
CELLS = (
    "%load_ext ipy_orch",
    "limit = 3",
    "%%asset raw --group ingest\nlist(range(limit))",
    "#| asset: daily\n[2 * value for value in raw]",
    "len(daily)",
    "%%asset_check daily some\nlen(daily) > 2, {'n': len(daily)}",
)


def call(*arguments: object) -> Result:
    """Call the command line."""
    return CliRunner().invoke(main, list(map(str, arguments)), prog_name="ipy-orch")


def told(*arguments: object) -> Any:
    """Return what a command that goes well prints as JSON."""
    result = call(*arguments, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def statuses(answer: Any) -> dict[str, str]:
    """Return the status of each asset in an answer."""
    return {row["asset"]: row["status"] for row in answer["assets"]}


def write_shop(folder: Path) -> Path:
    """Write a file with two assets and a check, and the module that it imports."""
    (folder / "lib.py").write_text(LIB)
    (folder / "shop.py").write_text(SHOP)
    return folder / "shop.py"


def write_notebook(path: Path, *cells: str, parameters: int | None = None, **metadata: Any) -> Path:
    """Write a notebook of code cells, one of them tagged as that of the parameters."""
    made = [nbformat.v4.new_code_cell(cell) for cell in cells]
    if parameters is not None:
        made[parameters].metadata["tags"] = ["parameters"]
    nbformat.write(nbformat.v4.new_notebook(cells=made, metadata=metadata), path)
    return path


def forget(*names: str) -> None:
    """Have modules imported anew, as another process would."""
    import sys

    for name in names:
        sys.modules.pop(name, None)
