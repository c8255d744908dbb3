"""``ipy-orch run``: a notebook from top to bottom in a kernel of its own, as a person would run it."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from ipy_orch.authoring.cells.cells import is_definition_cell
from ipy_orch.cli.errors import FAILED, Refused
from ipy_orch.cli.sources import debugged, find_source, json_option, need_kernels
from ipy_orch.errors import DagsterError

if TYPE_CHECKING:
    from ipy_orch.cli.progress import Progress

__all__ = ["first_line_of", "run", "told_by"]

DECORATED: Final = re.compile(r"^@(?:\w+\.)?(?:multi_|graph_)?asset(?:_check)?\b", re.MULTILINE)
WIDEST: Final = 60


@click.command(short_help="Run a notebook from top to bottom, headless.")
@click.argument("notebook", type=click.Path(path_type=Path))
@click.option(
    "-p",
    "--parameter",
    "pairs",
    nargs=2,
    multiple=True,
    metavar="NAME VALUE",
    help="Set a parameter; the value is YAML.",
)
@click.option("-f", "--parameters-file", type=click.Path(path_type=Path), metavar="YAML", help="Set those of a file.")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), metavar="NOTEBOOK", help="Write the notebook with its outputs."
)
@click.option("--select", metavar="SELECTION", help="Run plain cells, and of the assets only these and what they need.")
@click.option(
    "--junit", type=click.Path(path_type=Path), metavar="XML", help="Write the verdicts of checks for a CI system."
)
@click.option("--workers", type=click.IntRange(min=1), metavar="N", help="How many steps run at once.")
@click.option(
    "--timeout",
    type=click.FloatRange(min=0, min_open=True),
    metavar="SECONDS",
    help="How long one cell may take.  [default: as long as it needs]",
)
@click.option("--store", type=click.Path(path_type=Path), metavar="DIR", help="Keep state there.  [default: .ipy_orch]")
@click.option("--no-store", is_flag=True, help="Keep nothing, and take nothing from earlier runs.")
@click.option("--kernel", metavar="NAME", help="Run it in this kernel instead of its own.")
@json_option
@debugged
def run(
    notebook: Path,
    pairs: Sequence[tuple[str, str]],
    parameters_file: Path | None,
    output: Path | None,
    select: str | None,
    junit: Path | None,
    workers: int | None,
    timeout: float | None,
    store: Path | None,
    no_store: bool,
    kernel: str | None,
    as_json: bool,
) -> None:
    """Run NOTEBOOK from top to bottom in a kernel of its own, and end with 1 when a cell, an asset or a check fails.

    The notebook itself isn't changed. Its assets' values are kept in `.ipy_orch/` beside it, or where it says
    (`%config Orch.store`): what hasn't changed since the last run isn't run again, also after a kill.

    A parameter is assigned in a cell of its own, after the one that is tagged `parameters`, or on top.

    \b
    Examples:
        ipy-orch run etl.ipynb
        ipy-orch run etl.ipynb -p day 2024-05-01 -p limit 10 -o runs/2024-05-01.ipynb
        ipy-orch run etl.ipynb --select "daily+" --junit checks.xml
    """
    from ipy_orch.cli.progress import Progress

    if store is not None and no_store:
        raise click.UsageError("`--store` and `--no-store` contradict each other.")
    if notebook.suffix != ".ipynb":
        raise Refused(
            f"`{notebook}` is no notebook (.ipynb)", hint="`ipy-orch materialize FILE.py` runs the assets of a file"
        )
    source, _ = find_source([str(notebook)], None, store)
    for file in (output, junit):
        refuse_place(file)
    if store is not None and store.is_file():
        raise Refused(f"`{store}` is a file, and state is kept in a folder")
    kernels = need_kernels()
    content = kernels.read_notebook(notebook)
    give_parameters(content, pairs, parameters_file)
    place = None if no_store or source.store is None else str(source.store.resolve())
    begin = {"store": None if select else place, "workers": workers, "only_register": select is not None}
    with Progress(stderr=as_json) as progress:
        one = kernels.Kernel(notebook, content, kernel=kernel, timeout=timeout, hear=progress.hear, begin=begin)
        told = run_in(one, notebook, progress, select, place, kernels.CellFailed)
    if output is not None:
        write_notebook(content, output)
    if junit is not None:
        from ipy_orch.cli.junit import write_junit

        write_junit(junit, notebook.name, told["checks"], told["failure"])
    show(told, as_json=as_json)


def refuse_place(file: Path | None) -> None:
    """Refuse to write into a folder that isn't there, before anything runs."""
    if file is not None and not file.absolute().parent.is_dir():
        raise Refused(
            f"there is no folder `{file.parent}`, into which `{file.name}` would go", hint=f"mkdir -p {file.parent}"
        )
    if file is not None and file.is_dir():
        raise Refused(f"`{file}` is a folder")


def give_parameters(content: Any, pairs: Sequence[tuple[str, str]], file: Path | None) -> None:
    """Put the parameters that were given into a notebook."""
    from ipy_orch.cli.parameters import inject, read_parameters

    if given := read_parameters(pairs, file):
        inject(content, given)


# -- running ----------------------------------------------------------------------------------------------------------


def run_in(
    kernel: Any, path: Path, progress: Progress, select: str | None, store: str | None, cell_failed: type[Exception]
) -> dict[str, Any]:
    """Run the cells and then what is selected, and return what came of it."""
    began, failure, report = time.perf_counter(), None, None
    progress.say(f"running {path} in a kernel of its own ({kernel.client.kernel_name})\n", "dim")
    with kernel.running():
        try:
            cells = Cells(progress)
            kernel.run_cells(cells.begins, cells.ends)
            if select is not None:
                report = kernel.ask("materialize", selection=select, store=store)
            summary = kernel.ask("summary")
        except cell_failed as error:
            failure = failure_of(error)
            summary = last_words(kernel)
    assets = report["assets"] if report is not None else summary["assets"]
    checks = report["checks"] if report is not None else summary["checks"]
    bad = [row["asset"] for row in assets if row["status"] == "failed"]
    bad += [f"{row['asset']}:{row['check']}" for row in checks if row["status"] in ("failed", "raised")]
    return {
        "notebook": str(path),
        "cells": sum(cell.cell_type == "code" for cell in kernel.notebook.cells),
        "seconds": round(time.perf_counter() - began, 3),
        "success": failure is None and not bad,
        "failed": bad,
        "failure": failure,
        "assets": assets,
        "checks": checks,
        "errors": report["errors"] if report is not None else [],
        "notices": [*summary["notices"], *(report["notices"] if report is not None else ())],
    }


def failure_of(error: Any) -> dict[str, str]:
    """Return what to say of a cell that failed; ``traceback`` is as the notebook shows it, in its colours."""
    return {
        "name": f"code cell {error.number}",
        "error": error.error,
        "source": error.source,
        "traceback": error.shown,
    }


def last_words(kernel: Any) -> dict[str, Any]:
    """Return how assets and checks stand after a cell has failed; nothing, where the kernel died of it."""
    try:
        told: dict[str, Any] = kernel.ask("summary")
    except DagsterError:
        return {"assets": [], "checks": [], "notices": []}
    return told


class Cells:
    """Tell of each cell that has run: a line of its own, or those of its assets and checks."""

    def __init__(self, progress: Progress) -> None:
        self.progress = progress
        self.before = 0
        self.number = 0

    def begins(self, cell: Any) -> None:
        """Say which cell runs now."""
        self.number += 1
        self.before = len(self.progress.told)
        self.progress.at(f"[{self.number}] {first_line_of(cell.source)}")

    def ends(self, cell: Any) -> None:
        """Print what came of a cell, where its assets haven't said so while it ran."""
        from ipy_orch.ui.answers import kept

        self.progress.at("")
        defines = is_definition_cell(cell.source) or DECORATED.search(cell.source)
        told = told_by(cell) if defines else []
        if len(self.progress.told) > self.before and defines:
            return
        for line in told:
            self.progress.say(f"· {kept(line)}")
        if not told and cell.source.strip():
            self.progress.say(f"  [{cell.execution_count}] {first_line_of(cell.source)}", "dim")


def told_by(cell: Any) -> list[str]:
    """Return the status lines in the outputs of a cell that defines assets: the last text that it shows."""
    texts = [output.get("text") or output.get("data", {}).get("text/plain", "") for output in cell.outputs]
    told = [text for text in texts if text]
    return [line for line in told[-1].splitlines() if line and not line.startswith("  ")] if told else []


def first_line_of(source: str) -> str:
    """Return how a cell begins, as far as it fits into a line."""
    first = next((line for line in source.splitlines() if line.strip()), "")
    return first if len(first) <= WIDEST else f"{first[: WIDEST - 1]}…"


# -- what came of it --------------------------------------------------------------------------------------------------


def write_notebook(content: Any, path: Path) -> None:
    """Write a notebook with its outputs; whole, or not at all."""
    import nbformat

    from ipy_orch.export.files import replace_file

    replace_file(path.absolute(), (nbformat.writes(content).rstrip("\n") + "\n").encode())  # type: ignore[no-untyped-call]


def show(told: dict[str, Any], *, as_json: bool) -> None:
    """Print what came of a run.

    Raises:
        click.exceptions.Exit: with 1, where something failed.
    """
    from rich.text import Text

    from ipy_orch.cli.printing import counted, say, show_json
    from ipy_orch.session.words import human_seconds

    failure: Mapping[str, str] | None = told["failure"]
    if failure is not None:
        say(f"\nError: {failure['name']} failed\n", "bold red", stderr=True)
        say("\n".join(f"    {line}" for line in failure["source"].splitlines()) + "\n", stderr=True)
        say(Text.from_ansi(failure["traceback"]), stderr=True)
    for error in told["errors"]:
        say(f"\n{error['step']} failed:\n{error['traceback'].rstrip() or error['error']}", stderr=True)
    for notice in told["notices"]:
        say(f"note: {notice}", "yellow", stderr=True)
    if as_json:
        plain = {**failure, "traceback": Text.from_ansi(failure["traceback"]).plain} if failure is not None else None
        show_json({**told, "failure": plain})
    else:
        bad = f" · failed: {', '.join(told['failed'])}" if told["failed"] else ""
        words = [
            counted(told["cells"], "cell"),
            counted(len(told["assets"]), "asset"),
            counted(len(told["checks"]), "check"),
        ]
        say(
            f"\n{' · '.join(words)} · {human_seconds(told['seconds'])}{bad}",
            "bold red" if not told["success"] else "bold",
        )
    if not told["success"]:
        raise click.exceptions.Exit(FAILED)
