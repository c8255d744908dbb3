"""``ipy-orch export``: a notebook becomes a module. ``ipy-orch import``: a module becomes a notebook."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from ipy_orch.cli.errors import FAILED, Refused
from ipy_orch.cli.running import refuse_place
from ipy_orch.cli.sources import debugged, json_option

__all__ = ["bring", "export"]


@click.command(short_help="Write a notebook as a module or project, for ipy_orch or Dagster.")
@click.argument("notebook", type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    metavar="FILE|FOLDER",
    help="Where to write it.  [default: NOTEBOOK.py]",
)
@click.option(
    "--for",
    "target",
    type=click.Choice(["ipy_orch", "dagster"]),
    default="ipy_orch",
    show_default=True,
    help="What the module imports.",
)
@click.option("--package", metavar="NAME", help="Write a project with this package, laid out as Dagster's are.")
@click.option(
    "--verify",
    is_flag=True,
    help="Run the notebook and the module, and compare the values of all assets; of partitions, one for each asset.",
)
@click.option("--force", is_flag=True, help="Write over a file that an export didn't write, or that was edited since.")
@json_option
@debugged
def export(
    notebook: Path, output: Path | None, target: str, package: str | None, verify: bool, force: bool, as_json: bool
) -> None:
    """Write NOTEBOOK as a definitions module: its assets, checks, resources and jobs, and what they need.

    It is told from the text of the cells: nothing of the notebook is run, unless you ask for --verify.

    \b
    Examples:
        ipy-orch export etl.ipynb -o definitions.py
        ipy-orch export etl.ipynb -o definitions.py --for dagster --verify
        ipy-orch export etl.ipynb -o project --package etl
    """
    from ipy_orch.export.writing import export_notebook

    if notebook.suffix != ".ipynb":
        raise Refused(
            f"`{notebook}` is no notebook (.ipynb)", hint="`ipy-orch import FILE.py NOTEBOOK.ipynb` makes one of a file"
        )
    chosen: dict[str, Any] = {"package": package, "verify": verify or None}
    place = output or Path(notebook.stem if package else f"{notebook.stem}.py")
    given = {name: value for name, value in chosen.items() if value is not None}
    show_written(export_notebook(notebook, place, target=target, force=force, **given), as_json=as_json)


def show_written(done: Any, *, as_json: bool) -> None:
    """Print which files were written, and what a person should know."""
    from ipy_orch.cli.printing import say, show_json

    if as_json:
        show_json({"files": [*map(str, done.paths)], "notices": [*done.warnings]})
        return
    for path in done.paths:
        say(f"written: {path}")
    for warning in done.warnings:
        say(f"note: {warning}", "yellow", stderr=True)


@click.command("import", short_help="Make a notebook of a module, or bring its edits back.")
@click.argument("source", metavar="FILE.py|FOLDER|MODULE")
@click.argument("notebook", type=click.Path(path_type=Path))
@click.option("--force", is_flag=True, help="Write over a notebook that has nothing to do with the module.")
@json_option
@debugged
def bring(source: str, notebook: Path, force: bool, as_json: bool) -> None:
    """Bring a definitions module, ours or Dagster's, into NOTEBOOK: a new one, or the one that it was exported from.

    The module's text is read, and nothing is imported or run. Edits of an exported module come over into their cells;
    what was edited on both sides stays as the notebook has it, is shown in a cell below, and ends this with 1.

    \b
    Examples:
        ipy-orch import definitions.py etl.ipynb
        ipy-orch import shop.definitions shop.ipynb --json
    """
    from ipy_orch.export.importing.importing import import_module

    if notebook.suffix != ".ipynb":
        raise Refused(f"`{notebook}` is no notebook (.ipynb)", hint="first the module, then the notebook")
    refuse_place(notebook)
    done = import_module(source, notebook, force=force)
    show_brought(done, as_json=as_json)
    if done.conflicts:
        raise click.exceptions.Exit(FAILED)


def show_brought(done: Any, *, as_json: bool) -> None:
    """Print what came over, what didn't, and what a person should know."""
    from ipy_orch.cli.printing import counted, say, show_json

    told = {"changed": [*done.changed], "conflicts": [*done.conflicts], "notices": [*done.warnings]}
    if as_json:
        show_json({"notebook": str(done.path), "definitions": done.definitions, **told})
        return
    say(f"{done.path}: {counted(done.definitions, 'definition')}")
    if done.changed:
        say(f"came over: {', '.join(done.changed)}")
    for name in done.conflicts:
        say(
            f"conflict: `{name}` was edited on both sides; a cell below it shows the module's text",
            "bold red",
            stderr=True,
        )
    for warning in done.warnings:
        say(f"note: {warning}", "yellow", stderr=True)
