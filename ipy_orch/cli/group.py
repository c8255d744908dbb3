"""``ipy-orch``: the group of all commands."""

from __future__ import annotations

import sys

import click

from ipy_orch import __version__
from ipy_orch.cli.demo import demo
from ipy_orch.cli.errors import Door
from ipy_orch.cli.running import run
from ipy_orch.cli.taking import bring, export
from ipy_orch.cli.verbs import check, lineage, listing, materialize, plan, why

__all__ = ["main"]


@click.group(cls=Door, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="ipy-orch")
def main() -> None:
    """Turn the cells of a notebook into assets and checks, run what changed, take it away as a Dagster module.

    A command is about a notebook, a Python file, a module (-m), or what the project says: pyproject.toml with
    [tool.ipy_orch] (or Dagster's [tool.dg], [tool.dagster]), or workspace.yaml, here or above. State is kept in
    .ipy_orch/: what hasn't changed isn't run again.

    \b
        ipy-orch demo                             run the tutorial and see what it makes
        ipy-orch demo mine.ipynb                  the same with a notebook of yours
        ipy-orch list etl.ipynb                   what is in a notebook, and how it stands
        ipy-orch plan                             what would run, and why
        ipy-orch materialize "daily+"             run it
        ipy-orch run etl.ipynb -p day 2024-05-01  the whole notebook, headless
        ipy-orch export etl.ipynb -o etl.py       take it away as a module
        ipy-orch import etl.py etl.ipynb          bring edits of it back, or make a notebook of a module

    \b
    Exit codes: 0 good · 1 a cell, step or check failed · 2 it can't be done as asked · 130 interrupted
    Completion: eval "$(_IPY_ORCH_COMPLETE=bash_source ipy-orch)"    (or zsh_source, fish_source)
    """
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a terminal that can't show a sign gets a question mark


for command in (listing, plan, materialize, check, why, lineage, export, bring, run, demo):
    main.add_command(command)
