"""``ipy-orch demo``: run the tutorial, or a notebook, and show what it makes. Nothing is kept of it."""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import click

from ipy_orch.authoring.cells.cells import is_definition_cell
from ipy_orch.cli.errors import FAILED, Refused
from ipy_orch.cli.running import DECORATED, first_line_of, told_by
from ipy_orch.cli.sources import debugged, find_source, need_kernels

__all__ = ["QUICKSTART", "demo", "quickstart"]

Row = Mapping[str, Any]

QUICKSTART: Final = Path("notebooks", "quickstart.ipynb")
WRITTEN: Final = re.compile(r"^written: (.+?)(?: · .*)?$", re.MULTILINE)
HERE: Final = Path(__file__)
HEAD: Final = 30  #: lines of a module that are shown


@click.command(short_help="Run the tutorial, or a notebook of yours, and show what it makes.")
@click.argument("word", metavar="[NOTEBOOK]", type=click.Path(path_type=Path), required=False)
@click.option(
    "--notebook",
    type=click.Path(path_type=Path),
    metavar="NOTEBOOK",
    help="The notebook to run, in its own folder; the same as the argument.",
)
@click.option(
    "--timeout",
    type=click.FloatRange(min=0, min_open=True),
    metavar="SECONDS",
    default=600,
    show_default=True,
    help="How long one cell may take.",
)
@debugged
def demo(word: Path | None, notebook: Path | None, timeout: float) -> None:
    """Run a notebook from top to bottom in a fresh kernel, and print its assets, its checks and what it exported.

    Without a notebook it's the checkout's notebooks/quickstart.ipynb.

    The notebook itself isn't changed, and nothing is kept. Ends with 1 when a cell raises, or a check fails that isn't
    a warning.

    \b
    Examples:
        ipy-orch demo                           the tutorial, in a checkout of ipy_orch
        ipy-orch demo etl.ipynb                 a notebook of yours
    """
    if word is not None and notebook is not None:
        raise Refused("two notebooks are named", hint=f"ipy-orch demo {word}")
    named = word or notebook
    path = checked_notebook(named) if named is not None else quickstart()
    began = time.perf_counter()
    cells, told = run(path, timeout)
    click.echo(f"\n{len(cells)} cells in {time.perf_counter() - began:.1f} s")
    show_tables(told)
    show_files(path, cells)
    if failed := [row["check"] for row in told["checks"] if row["status"] == "failed"]:
        raise DemoFailed(f"failed checks: {', '.join(failed)}")


class DemoFailed(click.ClickException):
    """Tell that a cell or a check failed."""

    exit_code = FAILED


# -- which notebook ----------------------------------------------------------------------------------------------------


def quickstart() -> Path:
    """Return the quickstart of the checkout: that of the current folder or of one above it, else where this file is.

    Raises:
        Refused: when there's none.
    """
    here = Path.cwd()
    for folder in (here, *here.parents, HERE.resolve().parents[2]):
        if (folder / QUICKSTART).is_file():
            return folder / QUICKSTART
    raise Refused(
        f"there is no {QUICKSTART.as_posix()} here: it comes with the sources of ipy_orch, not with the package",
        hint="run this inside a checkout, or `ipy-orch demo PATH` with a notebook of yours",
    )


def checked_notebook(path: Path) -> Path:
    """Return the path of a notebook.

    Raises:
        Refused: when it is that of another kind of file.
        DagsterInvariantViolationError: when it isn't there, with the closest.
    """
    if path.suffix != ".ipynb":
        raise Refused(f"`{path}` is no notebook (.ipynb)", hint="`ipy-orch demo NOTEBOOK.ipynb`")
    return Path(find_source([str(path)], None, None)[0].location.target)


def shown(path: Path) -> str:
    """Return a path as seen from the current folder, where it is inside."""
    path = path.resolve()
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)


# -- running it --------------------------------------------------------------------------------------------------------


def run(path: Path, timeout: float) -> tuple[Sequence[Any], Mapping[str, Any]]:
    """Run a notebook and return its code cells, with their outputs, and what the session tells of assets and checks.

    Raises:
        DemoFailed: when a cell fails, with its error.
    """
    kernels = need_kernels()
    notebook = kernels.read_notebook(path)
    begin = {"store": None, "workers": None, "only_register": False}
    kernel = kernels.Kernel(path, notebook, timeout=timeout, begin=begin)
    click.echo(f"running {shown(path)} in a fresh kernel\n")
    with kernel.running():
        try:
            kernel.run_cells(lambda _: None, lambda cell: click.echo(progress(cell)))
        except kernels.CellFailed as failed:
            source = "\n".join(f"    {line}" for line in failed.source.splitlines())
            raise DemoFailed(f"a cell failed:\n\n{source}\n\n{failed.shown}") from None
        told = kernel.ask("summary")
    return [cell for cell in notebook.cells if cell.cell_type == "code"], told


def progress(cell: Any) -> str:
    """Return the line of a cell that has run: what it says of its assets, else how its code begins."""
    head = f"{f'[{cell.execution_count}]':>5} "
    defines = is_definition_cell(cell.source) or DECORATED.search(cell.source)
    told = told_by(cell) if defines else []
    return head + (f"\n{' ' * len(head)}".join(told) or first_line_of(cell.source))


# -- what came of it ---------------------------------------------------------------------------------------------------


def show_tables(told: Mapping[str, Any]) -> None:
    """Print a line per asset, and one per check with its verdict."""
    from ipy_orch.cli.printing import heading, show_rows

    heading("Assets", str(len(told["assets"])))
    show_rows("assets", told["assets"])
    words = Counter(str(row["status"]) for row in told["checks"])
    heading("Checks", ", ".join(f"{number} {word}" for word, number in words.items()))
    show_rows("checks", told["checks"])


def show_files(path: Path, cells: Iterable[Any]) -> None:
    """Say where the exported modules are and how they begin, and how to see the notebook."""
    outputs = (output for cell in cells for output in cell.outputs)
    texts = [output.get("text") or output.get("data", {}).get("text/plain", "") for output in outputs]
    written = [name for text in texts for name in WRITTEN.findall(text or "")]
    if written:
        click.echo("\nExported")
    for name in written:
        click.echo(f"  {shown(path.parent / name)}")
        click.echo("".join(f"    {line}\n" for line in beginning(path.parent / name)), nl=False)
    opened = "make lab" if path.resolve() == (Path.cwd() / QUICKSTART).resolve() else f"jupyter lab {shown(path)}"
    click.echo(f"\nTo read and run it yourself in JupyterLab: {opened}")


def beginning(path: Path) -> list[str]:
    """Return how a module begins, and how much there is more of it."""
    lines = path.read_text(encoding="utf-8").splitlines() if path.suffix == ".py" and path.is_file() else []
    more = len(lines) - HEAD
    return [*lines[:HEAD], f"... and {more} more lines"] if more > 1 else lines
