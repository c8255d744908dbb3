"""The values that a notebook makes, found by running it in a process of its own: what a proof compares with."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from ipy_orch.errors import DagsterInvalidDefinitionError
from ipy_orch.export.notebook_file import NotebookFile
from ipy_orch.export.proof import facts
from ipy_orch.export.proof.rounds import Rehearsal, rounds_of
from ipy_orch.session.config.environments import DEFAULT
from ipy_orch.session.session import Session

__all__ = ["values_of_notebook", "values_of_session"]

SECONDS: Final = 3600

# Run in the other process: the cells in IPython, as a front end would run them, then what came of them.
PROGRAM: Final = """
import json, pickle, sys
from IPython.core.interactiveshell import InteractiveShell
class Shell(InteractiveShell):
    def enable_gui(self, gui=None):  # `%matplotlib` asks for it, and nobody looks
        pass
ip = Shell.instance()
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
    try:
        answer["made"] = values_of_session(ipy_orch.session(), sys.argv[3])
    except Exception as error:
        answer = {"error": f"{type(error).__name__}: {error}".partition("\\n")[0], "cell": 0}
open(sys.argv[2], "wb").write(pickle.dumps(answer))
"""


def values_of_session(session: Session, environment: str = DEFAULT) -> Rehearsal:
    """Return the values of a session's assets, brought up to date, and of its jobs of ops; of partitions one each.

    Args:
        environment: with whose resources they are made: that of the module.

    Raises:
        Exception: what an asset raises.
    """
    with session.environments.within(environment):
        return rehearsed(session)


def rehearsed(session: Session) -> Rehearsal:
    """Return the values of a session, with the resources in use."""
    scanned = session.scan()
    defs = scanned.as_definitions()
    made = rounds_of(session, scanned)
    for partition, keys in made.asked:
        report = session.materialize(keys, partition=partition, what="values to compare")
        for step, error in report.errors.items():
            error.add_note(
                f"the proof failed, and nothing was written: all assets and checks run for it, and `{step}` raised"
            )
            raise error
    found: dict[str, Any] = {}
    for partition, key in ((partition, key) for partition, keys in made.asked for key in keys):
        maker = scanned.graph.makers[key]
        if not maker.op.outs[maker.output_of[key]].is_nothing:
            found[facts.place(facts.named(key), partition)] = facts.plain(session.load(scanned, key, partition))
    for name in scanned.jobs:
        job = defs.resolve_job_def(name)
        if not facts.assets_run_by(job):
            with suppress(Exception):  # config that nobody gave; an asset in a store of the session's own
                found |= facts.outputs(job)
    return Rehearsal(found, made.rounds, made.dynamic, made.told)


def values_of_notebook(notebook: NotebookFile, folder: Path, environment: str = DEFAULT) -> Rehearsal:
    """Run a notebook, and return the values of its assets and jobs of ops in an environment.

    Raises:
        DagsterInvalidDefinitionError: when a cell fails.
    """
    cells = [(one.key, one.text) for one in notebook.cells if one.kind == "code" and one.text.strip()]
    with tempfile.TemporaryDirectory() as place:
        given, out = Path(place, "cells"), Path(place, "answer")
        given.write_text(json.dumps(cells), encoding="utf-8")
        command = [sys.executable, "-c", PROGRAM, str(given), str(out), environment]
        done = subprocess.run(  # noqa: S603 - our own program; the person asked for the notebook to be run
            command, cwd=folder, capture_output=True, text=True, check=False, timeout=SECONDS
        )
        if not out.is_file():
            last = done.stderr.strip().rpartition("\n")[2]
            raise DagsterInvalidDefinitionError("the notebook can't be run, so nothing is verified", hint=last)
        answer: dict[str, Any] = pickle.loads(out.read_bytes())
    if "error" in answer:
        told = f"the notebook can't be run, so nothing is verified: {answer['error']}"
        where = f"Cell In[{answer['cell']}]" if answer["cell"] else ""
        raise DagsterInvalidDefinitionError(told, where=where, hint="run it, and correct the cell")
    found: Rehearsal = answer["made"]
    return found
