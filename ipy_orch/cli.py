"""The shell door: ``ipy-orch demo`` runs a notebook in a real kernel and tells what it made."""

from __future__ import annotations

import json
import re
import sys
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from ipy_orch import __version__
from ipy_orch.authoring.cells import is_definition_cell

if TYPE_CHECKING:
    import nbformat

__all__ = ["main"]

Row = Mapping[str, Any]

QUICKSTART: Final = Path("notebooks", "quickstart.ipynb")
DECORATED: Final = re.compile(r"^@(?:\w+\.)?(?:multi_)?asset(?:_check)?\b", re.MULTILINE)
WRITTEN: Final = re.compile(r"^written: (.+?)(?: · .*)?$", re.MULTILINE)
WIDEST: Final = 60
ASSETS: Final = ("asset", "status", "group", "kinds", "rows × columns", "size", "took")
CHECKS: Final = ("check", "asset", "status", "found")
# Run in the kernel after the last cell: the tables tell what the session knows, not what outputs look like.
ASK: Final = """
import json, sys
if "ipy_orch.notebook.extension" in sys.modules:
    from ipy_orch import session
    from ipy_orch.ui.tables import human
    tables = {"assets": session().assets(), "checks": session().checks()}
    print(json.dumps({name: human(one).reset_index().astype(str).to_dict("records") for name, one in tables.items()}))
"""


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="ipy-orch")
def main() -> None:
    r"""Turn the cells of a notebook into assets and checks, run what changed, take it away as a Dagster module.

    The work is done in the notebook: `%load_ext ipy_orch`, then `%%asset NAME` on top of a cell. From the shell:

    \b
        ipy-orch demo                          run the tutorial and see what it makes
        ipy-orch demo --notebook mine.ipynb    the same with a notebook of yours
        jupyter lab notebooks/quickstart.ipynb read and run the tutorial yourself
    """


@main.command()
@click.option(
    "--notebook",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The notebook to run, in its own folder.  [default: the checkout's notebooks/quickstart.ipynb]",
)
@click.option("--timeout", type=float, default=600, show_default=True, help="Seconds that one cell may take.")
def demo(notebook: Path | None, timeout: float) -> None:
    """Run a notebook from top to bottom in a fresh kernel, and print its assets, its checks and what it exported.

    The notebook itself isn't changed. Ends with an error when a cell raises, or a check fails that isn't a warning.
    """
    path = notebook or quickstart()
    click.echo(f"running {shown(path)} in a fresh kernel\n")
    began = time.perf_counter()
    cells, told = run(path, timeout)
    click.echo(f"\n{sum(cell.cell_type == 'code' for cell in cells)} cells in {time.perf_counter() - began:.1f} s")
    show_assets(told.get("assets", []))
    show_checks(told.get("checks", []))
    show_files(path, cells)
    if failed := [row["check"] for row in told.get("checks", []) if row["status"] == "failed"]:
        raise click.ClickException(f"failed checks: {', '.join(failed)}")


# -- which notebook ----------------------------------------------------------------------------------------------------


def quickstart() -> Path:
    """Return the quickstart of the checkout: that of the current folder or of one above it, else where this file is.

    Raises:
        click.ClickException: when there's none.
    """
    here = Path.cwd()
    for folder in (here, *here.parents, Path(__file__).resolve().parents[1]):
        if (folder / QUICKSTART).is_file():
            return folder / QUICKSTART
    raise click.ClickException(
        f"there is no {QUICKSTART.as_posix()} here: it comes with the sources of ipy_orch, not with the package\n"
        "  hint: run this inside a checkout, or `ipy-orch demo --notebook PATH` with a notebook of yours"
    )


def shown(path: Path) -> str:
    """Return a path as seen from the current folder, where it is inside."""
    path = path.resolve()
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)


# -- running it --------------------------------------------------------------------------------------------------------


def run(path: Path, timeout: float) -> tuple[Sequence[Any], Mapping[str, Any]]:
    """Run a notebook and return its cells, with their outputs, and what the session tells of assets and checks.

    Raises:
        click.ClickException: when the kernel can't be started or a cell fails, with its error.
    """
    try:
        import nbformat
        from nbclient import NotebookClient
        from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
    except ImportError as error:
        raise click.ClickException(f"`{error.name}` is missing\n  hint: pip install 'ipy-orch[demo]'") from None
    notebook = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
    question = nbformat.v4.new_code_cell(ASK)  # type: ignore[no-untyped-call]
    notebook.cells.append(question)
    client = NotebookClient(
        notebook,
        timeout=timeout,
        kernel_name="python3",
        extra_arguments=["--IPKernelApp.log_level=ERROR"],  # it warns of TCP, which is how every kernel is talked to
        resources={"metadata": {"path": str(path.resolve().parent)}},
        on_cell_executed=lambda cell, **_: click.echo(progress(cell)) if cell is not question else None,
    )
    with client.setup_kernel():
        for number, cell in enumerate(notebook.cells):
            try:
                client.execute_cell(cell, number)
            except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
                raise click.ClickException(failure(cell, error)) from None
    answer = texts(question)
    return notebook.cells[:-1], json.loads(answer[-1]) if answer else {}


def progress(cell: nbformat.NotebookNode) -> str:
    """Return the line of a cell that has run: what it says of its assets, else how its code begins."""
    head = f"{f'[{cell.execution_count}]':>5} "
    defines = is_definition_cell(cell.source) or DECORATED.search(cell.source)
    if defines and (told := texts(cell)):
        return head + f"\n{' ' * len(head)}".join(line for line in told[-1].splitlines() if not line.startswith("  "))
    first = next((line for line in cell.source.splitlines() if line.strip()), "")
    return head + click.style(shortened(first), dim=True)


def texts(cell: nbformat.NotebookNode) -> list[str]:
    """Return the outputs of a cell as plain text."""
    found = (output.get("text") or output.get("data", {}).get("text/plain", "") for output in cell.outputs)
    return [text for text in found if text]


def failure(cell: nbformat.NotebookNode, error: Exception) -> str:
    """Return what to say of a cell that failed: its source and its traceback."""
    source = "\n".join(f"    {line}" for line in cell.source.splitlines())
    tracebacks = ["\n".join(output.traceback) for output in cell.outputs if output.output_type == "error"]
    return f"a cell failed:\n\n{source}\n\n{tracebacks[-1] if tracebacks else str(error).strip()}"


# -- what came of it ---------------------------------------------------------------------------------------------------


def show_assets(rows: Sequence[Row]) -> None:
    """Print a line per asset."""
    click.echo(f"\n{click.style('Assets', bold=True)}: {len(rows)}\n")
    click.echo(table(ASSETS, rows))


def show_checks(rows: Sequence[Row]) -> None:
    """Print a line per check, with its verdict."""
    words = Counter(str(row["status"]) for row in rows)
    told = ", ".join(f"{number} {word}" for word, number in words.items())
    click.echo(f"\n{click.style('Checks', bold=True)}: {told}\n")
    click.echo(table(CHECKS, rows))


def show_files(path: Path, cells: Iterable[Any]) -> None:
    """Say where the exported modules are, and how to see the notebook."""
    outputs = (text for cell in cells if cell.cell_type == "code" for text in texts(cell))
    written = [name for text in outputs for name in WRITTEN.findall(text)]
    if written:
        click.echo("\n" + click.style("Exported", bold=True))
    for name in written:
        click.echo(f"  {shown(path.parent / name)}")
    opened = "make lab" if path.resolve() == (Path.cwd() / QUICKSTART).resolve() else f"jupyter lab {shown(path)}"
    click.echo(f"\nTo read and run it yourself in JupyterLab: {click.style(opened, bold=True)}")


def shortened(text: str) -> str:
    """Return a text that fits into a column."""
    return text if len(text) <= WIDEST else f"{text[: WIDEST - 1]}…"


def table(names: Sequence[str], rows: Iterable[Row]) -> str:
    """Return lines of aligned columns, without those that are empty.

    >>> print(table(("asset", "kinds", "took"), [{"asset": "orders", "took": "3 s"}, {"asset": "raw", "took": "12 s"}]))
      asset   took
      orders  3 s
      raw     12 s
    """
    listed = list(rows)
    columns = [[name, *(shortened(str(row.get(name) or "")) for row in listed)] for name in names]
    full = [column for column in columns if any(column[1:])]
    widths = [max(map(len, column)) for column in full]
    padded = [[cell.ljust(width) for cell in column] for column, width in zip(full, widths, strict=True)]
    return "\n".join(f"  {'  '.join(line)}".rstrip() for line in zip(*padded, strict=True))


if __name__ == "__main__":
    sys.exit(main())
