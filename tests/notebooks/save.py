"""Run the notebooks that are kept with outputs, and save these: ``python -m tests.notebooks.save [name ...]``.

The one about resources runs with a server.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

import nbformat
from nbclient import NotebookClient

from tests.notebooks.kernels import NOTEBOOKS
from tests.notebooks.postgres import postgres, programs

NAMES = ("resources", "ops_and_jobs", "partitions_and_automation", "components_and_code_locations")


def save(name: str) -> None:
    """Run all cells in a temporary folder, and write the notebook without what differs from machine to machine."""
    if name != "resources":
        run(NOTEBOOKS / f"{name}.ipynb", {})
        return
    tools = programs()
    assert tools is not None, "apt-get install postgresql"
    with postgres(tools) as dsn:
        run(NOTEBOOKS / f"{name}.ipynb", {"PROD_DATABASE": dsn})


def run(path: Path, environment: dict[str, str]) -> None:
    """Run a notebook, and write it with its outputs."""
    notebook = nbformat.read(path, as_version=4)
    with tempfile.TemporaryDirectory() as folder:
        client = NotebookClient(notebook, timeout=100, resources={"metadata": {"path": folder}})
        client.execute(env={**os.environ, **environment})
    for cell in notebook.cells:
        cell.metadata = {}
    notebook.metadata = {name: notebook.metadata[name] for name in ("kernelspec", "language_info")}
    notebook.metadata["language_info"] = {"name": "python"}
    nbformat.write(notebook, path)


if __name__ == "__main__":
    for chosen in sys.argv[1:] or NAMES:
        save(chosen)
