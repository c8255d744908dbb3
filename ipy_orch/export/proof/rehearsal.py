"""The values that a notebook makes, found by running it in a process of its own: what a proof compares with."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from ipy_orch.errors import DagsterInvalidDefinitionError
from ipy_orch.export.notebook_file import NotebookFile
from ipy_orch.export.proof import facts
from ipy_orch.session.session import Session

__all__ = ["values_of_notebook", "values_of_session"]

SECONDS: Final = 3600

# Run in the other process: the cells in IPython, as a front end would run them, then what came of them.
PROGRAM: Final = """
import json, pickle, sys
from IPython.core.interactiveshell import InteractiveShell
ip = InteractiveShell.instance()
answer = {}
for number, (key, text) in enumerate(json.loads(open(sys.argv[1], encoding="utf-8").read()), 1):
    done = ip.run_cell(text, store_history=True, cell_id=key or None)
    error = done.error_before_exec or done.error_in_exec
    if error is not None:
        answer = {"error": f"{type(error).__name__}: {error}".partition("\\n")[0], "cell": number}
        break
else:
    import ipy_orch
    from ipy_orch.export.proof.rehearsal import values_of_session
    answer["values"] = values_of_session(ipy_orch.session())
open(sys.argv[2], "wb").write(pickle.dumps(answer))
"""


def values_of_session(session: Session) -> dict[str, Any]:
    """Return the values of a session's assets, brought up to date, and of its jobs of ops, by name.

    Raises:
        Exception: what an asset raises.
    """
    scanned = session.scan()
    defs = scanned.as_definitions()
    graph = scanned.graph
    whole = [key for key in graph.in_order(graph.materializable_keys) if graph.spec(key).partitions_def is None]
    report = session.materialize(whole, what="values to compare")
    for error in report.errors.values():
        raise error
    found = {f"asset {facts.named(key)}": facts.plain(session.load(scanned, key)) for key in whole}
    for name in scanned.jobs:
        job = defs.resolve_job_def(name)
        if not facts.assets_run_by(job):
            with suppress(Exception):  # config that nobody gave; an asset in a store of the session's own
                found |= facts.outputs(job)
    return found


def values_of_notebook(notebook: NotebookFile, folder: Path) -> Mapping[str, Any]:
    """Run a notebook, and return the values of its assets and jobs of ops.

    Raises:
        DagsterInvalidDefinitionError: when a cell fails.
    """
    cells = [(one.key, one.text) for one in notebook.cells if one.kind == "code" and one.text.strip()]
    with tempfile.TemporaryDirectory() as place:
        given, out = Path(place, "cells"), Path(place, "answer")
        given.write_text(json.dumps(cells), encoding="utf-8")
        command = [sys.executable, "-c", PROGRAM, str(given), str(out)]
        done = subprocess.run(  # noqa: S603 - our own program; the person asked for the notebook to be run
            command, cwd=folder, capture_output=True, text=True, check=False, timeout=SECONDS
        )
        if not out.is_file():
            last = done.stderr.strip().rpartition("\n")[2]
            raise DagsterInvalidDefinitionError("the notebook can't be run, so nothing is verified", hint=last)
        answer: Mapping[str, Any] = pickle.loads(out.read_bytes())
    if "error" in answer:
        told = f"the notebook can't be run, so nothing is verified: {answer['error']}"
        raise DagsterInvalidDefinitionError(
            told, where=f"Cell In[{answer['cell']}]", hint="run it, and correct the cell"
        )
    found: Mapping[str, Any] = answer["values"]
    return found
