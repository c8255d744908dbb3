"""Run the notebook about resources with a server, and save its outputs: ``python -m tests.notebooks.save``."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import nbformat
from nbclient import NotebookClient

from tests.notebooks.postgres import postgres, programs

NOTEBOOK = Path(__file__).parents[2] / "notebooks" / "resources.ipynb"


def save() -> None:
    """Run all cells in a temporary folder, and write the notebook without what differs from machine to machine."""
    tools = programs()
    assert tools is not None, "apt-get install postgresql"
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    with postgres(tools) as dsn, tempfile.TemporaryDirectory() as folder:
        client = NotebookClient(notebook, timeout=100, resources={"metadata": {"path": folder}})
        client.execute(env={**os.environ, "PROD_DATABASE": dsn})
    for cell in notebook.cells:
        cell.metadata = {}
    notebook.metadata = {name: notebook.metadata[name] for name in ("kernelspec", "language_info")}
    notebook.metadata["language_info"] = {"name": "python"}
    nbformat.write(notebook, NOTEBOOK)


if __name__ == "__main__":
    save()
